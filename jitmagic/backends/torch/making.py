"""Adaptors of functions that make new arrays: their dtype is written out, since torch's default is float32."""

from __future__ import annotations

import libcst as cst

from jitmagic.backends.torch.calls import Argument, CallSite, Written, adaptor, code, dtype_name
from jitmagic.backends.torch.kinds import Value, category


def _new(c: CallSite, default: str | None = "float64") -> tuple[str, str | None]:
    """Returns ``, dtype=…, device=…`` and the dtype's name."""
    asked = c.get("dtype")
    if asked is not None:
        name = dtype_name(asked.node)
        if name is None:
            device = c.context.device()
            return f", dtype={asked.code}" + (f", device={device}" if device else ""), c.wanted.dtype
        return c.made(name), name
    dtype = default or c.wanted.dtype
    return c.made(dtype), dtype


def _like(c: CallSite) -> tuple[str, str | None]:
    asked = c.get("dtype")
    if asked is None:
        return "", c.need("a").value.numpy_dtype
    name = dtype_name(asked.node)
    if name is not None and name == c.need("a").value.dtype:
        return "", name
    return f", dtype={asked.code if name is None else c.dtype(name)}", name or c.wanted.dtype


@adaptor
def filled(c: CallSite) -> Written:
    """Zeros, ones, or memory as it comes."""
    rest, dtype = _new(c)
    return Written(f"{c.context.spell(c.entry.target)}({c.need('shape').code}{rest})", dtype)


def _shape(argument: Argument) -> str:
    """Returns a shape as a tuple, where torch does not take a bare integer."""
    if argument.value.kind == "sequence":
        return argument.code
    if argument.value.kind in ("number", "tensor"):
        return f"({argument.code},)"
    return argument.code


@adaptor
def full(c: CallSite) -> Written:
    """A constant array; torch wants the shape as a tuple."""
    fill = c.need("fill_value")
    if fill.value.is_tensor and fill.value.ndim != 0:
        c.fail(f"fills an array with another array by `{c.name}`: write `np.broadcast_to`")
    rest, dtype = _new(c, fill.value.numpy_dtype)
    return Written(f"{c.context.spell('torch.full')}({_shape(c.need('shape'))}, {fill.code}{rest})", dtype)


@adaptor
def filled_like(c: CallSite) -> Written:
    """The same in the shape of another."""
    rest, dtype = _like(c)
    if c.get("shape") is not None:
        return Written(
            f"{c.context.spell(c.entry.target.removesuffix('_like'))}({c.need('shape').code}{c.made(dtype)})", dtype
        )
    if not rest and c.plain and c.need("a").value.kind in ("tensor", "unknown"):
        return Written("", dtype, target=c.entry.target)
    return Written(f"{c.context.spell(c.entry.target)}({c.tensor('a')}{rest})", dtype)


@adaptor
def full_like(c: CallSite) -> Written:
    """A constant in the shape of another."""
    c.forbid("shape")
    rest, dtype = _like(c)
    return Written(f"{c.context.spell('torch.full_like')}({c.tensor('a')}, {c.need('fill_value').code}{rest})", dtype)


@adaptor
def eye(c: CallSite) -> Written:
    """The identity, or a shifted diagonal of ones."""
    rest, dtype = _new(c)
    shift = c.get("k")
    if shift is not None and shift.literal != 0:
        if c.get("M") is not None:
            c.fail(f"makes a shifted diagonal in a rectangle by `{c.name}`, which torch cannot")
        ones = f"{c.context.spell('torch.ones')}({c.need('N').code} - {_magnitude(shift)}{rest})"
        return Written(f"{c.context.spell('torch.diag')}({ones}, {shift.code})", dtype)
    size = c.need("N").code + (f", {c.need('M').code}" if c.get("M") else "")
    return Written(f"{c.context.spell('torch.eye')}({size}{rest})", dtype)


def _magnitude(argument: Argument) -> str:
    value = argument.literal
    return str(abs(value)) if isinstance(value, int) else f"abs({argument.code})"


@adaptor
def arange(c: CallSite) -> Written:
    """Equal steps."""
    asked = c.get("dtype")
    dtype = c.result_dtype()
    if dtype is None and asked is None:
        kinds = {category(a.value.dtype) for a in _steps(c)}
        dtype = "int64" if kinds <= {"int", "bool"} else "float64" if kinds <= {"int", "bool", "float"} else None
    plain = asked is None and dtype == "int64"
    rest = c.made(None if plain else dtype) if asked is None or dtype else f", dtype={asked.code}"
    return Written(f"{c.context.spell('torch.arange')}({', '.join(a.code for a in _steps(c))}{rest})", dtype)


def _steps(c: CallSite) -> list[Argument]:
    return [a for name in ("start", "stop", "step") if (a := c.get(name)) is not None]


@adaptor
def linspace(c: CallSite) -> Written:
    """Equal parts of an interval."""
    c.forbid("retstep", "axis")
    rest, dtype = _new(c)
    start, stop, num = c.need("start"), c.need("stop"), c.text("num", "50")
    if any(x.value.is_tensor and x.value.ndim != 0 for x in (start, stop)):
        c.fail(f"takes `{c.name}` between arrays: write `start + (stop - start) * np.linspace(0, 1, n)[:, None]`")
    if c.literal("endpoint", True) is False:
        steps = f"{c.context.spell('torch.arange')}({num}{rest})"
        size = c.need("num").atom if c.get("num") else num
        if start.literal == 0:
            return Written(f"({steps} * ({stop.atom} / {size}))", dtype)
        return Written(f"({start.atom} + {steps} * (({stop.atom} - {start.atom}) / {size}))", dtype)
    return Written(f"{c.context.spell('torch.linspace')}({start.code}, {stop.code}, {num}{rest})", dtype)


@adaptor
def logspace(c: CallSite) -> Written:
    """Equal ratios, by exponents."""
    c.forbid("axis")
    rest, dtype = _new(c)
    if c.literal("endpoint", True) is False:
        c.fail(f"leaves the endpoint out of `{c.name}`, which torch cannot: write `base ** np.linspace(…)`")
    base = f", base={c.need('base').code}" if c.get("base") else ""
    start, stop, num = c.need("start").code, c.need("stop").code, c.text("num", "50")
    return Written(f"{c.context.spell('torch.logspace')}({start}, {stop}, {num}{base}{rest})", dtype)


@adaptor
def geomspace(c: CallSite) -> Written:
    """Equal ratios, by end points."""
    c.forbid("axis", "endpoint")
    rest, dtype = _new(c)
    start, stop = c.need("start"), c.need("stop")
    if start.value.kind != "number" or stop.value.kind != "number":
        c.fail(f"takes `{c.name}` between array elements; take `float(…)` of them")
    log = c.context.spell("math.log10")
    ends = f"{log}({start.code}), {log}({stop.code})"
    return Written(f"{c.context.spell('torch.logspace')}({ends}, {c.text('num', '50')}{rest})", dtype)


@adaptor
def array(c: CallSite) -> Written:
    """A new array of numbers, of tensors, or a copy of one."""
    c.forbid("ndmin", "subok")
    source = c.need("object")
    dtype = c.result_dtype() or source.value.numpy_dtype
    if source.value.kind == "tensor":
        if dtype is not None and dtype != source.value.dtype:
            return Written(f"{source.atom}.to({c.dtype(dtype)})", dtype)
        return Written(f"{source.atom}.clone()", dtype)
    if source.value.kind in ("number", "either"):
        return Written(c.tensor(source, dtype), dtype)
    if source.value.kind == "sequence" and not source.value.items:
        return Written(f"{c.context.spell('torch.tensor')}({source.code}{c.made(dtype)})", dtype)
    if source.value.kind != "sequence":
        c.fail(f"makes an array of `{source.code}`, of which it was not seen what it is")
    return Written(c.pack(source, dtype), dtype)


@adaptor
def asarray(c: CallSite) -> Written:
    """An array of whatever was given; a tensor is taken as it is."""
    source = c.need("a")
    dtype = c.result_dtype() or source.value.numpy_dtype
    if source.value.kind != "tensor":
        return array_of(c, source, dtype)
    if c.path.endswith("ascontiguousarray"):
        return Written(f"{c.tensor(source, dtype, True)}.contiguous()", dtype, view=True)
    asked = "" if c.get("dtype") is None or dtype is None else f", dtype={c.dtype(dtype)}"
    return Written(f"{c.context.spell('torch.as_tensor')}({source.code}{asked})", dtype, view=True)


def array_of(c: CallSite, source: Argument, dtype: str | None) -> Written:
    """Writes a list, a tuple or a number as a tensor."""
    if source.value.kind in ("number", "either"):
        return Written(c.tensor(source, dtype), dtype)
    if source.value.kind == "sequence" and not source.parts and all(i.kind == "number" for i in source.value.items):
        return Written(f"{c.context.spell('torch.as_tensor')}({source.code}{c.made(dtype)})", dtype)
    if source.value.kind == "sequence":
        return Written(c.pack(source, dtype), dtype)
    return Written(f"{c.context.spell('torch.as_tensor')}({source.code}{c.made(dtype)})", dtype)


@adaptor
def copy(c: CallSite) -> Written:
    """A copy."""
    return Written(c.write("torch.clone", c.self_text("a")), c.need("a").value.numpy_dtype)


@adaptor
def meshgrid(c: CallSite) -> Written:
    """Coordinate arrays; NumPy's indexing is "xy" unless told otherwise, torch's "ij"."""
    c.forbid("sparse")
    indexing = c.text("indexing", '"xy"')
    if any(a.value.kind == "sequence" for a in c.rest):
        c.fail(f"passes a list to `{c.name}`: make it an array first")
    dtypes = {a.value.dtype for a in c.rest}
    if len(dtypes) > 1:
        c.fail(f"passes arrays of different dtypes to `{c.name}`; torch wants one dtype")
    texts = ", ".join(c.tensor(a) for a in c.rest)
    text = f"{c.context.spell('torch.meshgrid')}({texts}, indexing={indexing})"
    item = Value("tensor", next(iter(dtypes), None), None)
    return Written(text, kind="sequence", items=c.wanted.items or (item,) * len(c.rest))


@adaptor
def indices(c: CallSite) -> Written:
    """The indices of a grid, stacked."""
    c.forbid("sparse", "dtype")
    given = c.need("dimensions")
    node = given.node
    arange, made = c.context.spell("torch.arange"), c.made(None)
    if isinstance(node, cst.Attribute) and node.attr.value == "shape" and given.value.items:
        lengths = [f"{given.code}[{axis}]" for axis in range(len(given.value.items))]
        axes = ", ".join(f"{arange}({length}{made})" for length in lengths)
    elif isinstance(node, cst.Tuple | cst.List):
        axes = ", ".join(f"{arange}({code(e.value)}{made})" for e in node.elements)
    else:
        axes = f"*({arange}(size{made}) for size in {code(node)})"
    return Written(
        f'{c.context.spell("torch.stack")}({c.context.spell("torch.meshgrid")}({axes}, indexing="ij"))', "int64"
    )


@adaptor
def from_function(c: CallSite) -> Written:
    """A function of the indices."""
    shape = c.need("shape")
    if c.get("dtype") is not None and c.result_dtype() is None:
        c.fail(f"passes a computed dtype to `{c.name}`")
    asked = c.get("dtype")
    dtype = "float64" if asked is None else dtype_name(asked.node)
    made = c.made(dtype)
    arange, grid = c.context.spell("torch.arange"), c.context.spell("torch.meshgrid")
    sizes = [part.code for part in shape.parts] if shape.parts else None
    axes = ", ".join(f"{arange}({n}{made})" for n in sizes) if sizes else f"*({arange}(n{made}) for n in {shape.code})"
    return Written(f'{c.need("function").atom}(*{grid}({axes}, indexing="ij"))', c.wanted.dtype)


@adaptor
def indices_of(c: CallSite) -> Written:
    """The indices of a diagonal or triangle of an array."""
    text, device = c.tensor("arr", operator=True), c.context.device()
    place = f", device={device}" if device else ""
    item = Value("tensor", "int64", (None,))
    if c.path.endswith("diag_indices_from"):
        written = f"(({c.context.spell('torch.arange')}(len({text}){place}),) * 2)"
        return Written(written, kind="sequence", items=(item, item))
    shift = "" if c.get("k") is None else f", offset={c.need('k').code}"
    written = f"{c.context.spell(c.entry.target)}(*{text}.shape{shift}{place}).unbind()"
    return Written(written, kind="sequence", items=(item, item))


@adaptor
def diag(c: CallSite) -> Written:
    """A diagonal matrix, or the diagonal of one."""
    v = c.need("v")
    shift = c.text("k", "")
    if c.path.endswith("diagflat"):
        keywords = {"offset": shift or None}
        return Written(c.write("torch.diagflat", c.tensor("v"), **keywords), v.value.numpy_dtype)
    return Written(c.write("torch.diag", c.tensor("v"), shift), v.value.numpy_dtype)


@adaptor
def triangle(c: CallSite) -> Written:
    """The lower or upper triangle."""
    shift = c.get("k")
    return Written(
        c.write(c.entry.target, c.tensor("m"), diagonal=shift.code if shift else None), c.need("m").value.dtype
    )


@adaptor
def triangle_indices(c: CallSite) -> Written:
    """The indices of a triangle; torch returns them as two rows."""
    n = c.need("n").code
    device = c.context.device()
    rest = ("" if c.get("k") is None else f", offset={c.need('k').code}") + (f", device={device}" if device else "")
    text = f"{c.context.spell(c.entry.target)}({n}, {c.text('m', n)}{rest}).unbind()"
    item = Value("tensor", "int64", (None,))
    return Written(text, kind="sequence", items=c.wanted.items or (item, item))


@adaptor
def triangle_ones(c: CallSite) -> Written:
    """A triangle of ones."""
    rest, dtype = _new(c)
    n = c.need("N").code
    ones = f"{c.context.spell('torch.ones')}({n}, {c.text('M', n)}{rest})"
    shift = "" if c.get("k") is None else f", diagonal={c.need('k').code}"
    return Written(f"{c.context.spell('torch.tril')}({ones}{shift})", dtype)


@adaptor
def vander(c: CallSite) -> Written:
    """The matrix of powers."""
    n, increasing = c.text("N", "") or None, c.text("increasing", "") or None
    return Written(c.write("torch.vander", c.tensor("x"), N=n, increasing=increasing), c.need("x").value.dtype)
