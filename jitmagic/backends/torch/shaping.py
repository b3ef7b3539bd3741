"""Adaptors of functions that rearrange: shapes, axes, joins, shifts, padding, differences."""

from __future__ import annotations

import libcst as cst

from jitmagic.backends.torch.calls import Argument, CallSite, Written, adaptor
from jitmagic.backends.torch.kinds import Value, category, numpy_result


def _first(c: CallSite) -> str:
    return c.entry.parameters.split()[0]


def _dims(argument: Argument) -> str:
    """Returns an axis, or several, as a tuple."""
    return argument.code if argument.value.kind == "sequence" else f"({argument.code},)"


@adaptor
def plain(c: CallSite) -> Written:
    """Functions that differ in their name alone."""
    name = _first(c)
    first = c.rest[0] if name == "*" else c.need(name)
    dtype = first.value.numpy_dtype
    kind = "sequence" if c.wanted.kind == "sequence" else "tensor"
    if first.value.kind in ("tensor", "unknown") and c.plain and not c.receiver:
        return Written("", dtype, target=c.entry.target, view=True, kind=kind, items=c.wanted.items)
    rest = [a.code for a in (*c.given, *c.arguments.values())]
    rest = list(dict.fromkeys(rest))[1:]
    return Written(
        c.write(c.entry.target, c.tensor(first, operator=c.receiver), *rest),
        dtype,
        view=True,
        kind=kind,
        items=c.wanted.items,
    )


@adaptor
def matrix_transpose(c: CallSite) -> Written:
    """Swaps the last two axes."""
    return Written(f"{c.tensor('x', operator=True)}.mT", c.need("x").value.dtype, view=True)


@adaptor
def reshape(c: CallSite) -> Written:
    """Another shape in C order."""
    order = c.literal("order", "C")
    if order not in ("C", "A"):
        c.fail(f"reshapes in the order {order!r}; torch knows C order alone: transpose before and after")
    shape = c.need("shape") if c.get("shape") else c.need("newshape")
    text = shape.code if c.receiver or shape.value.kind == "sequence" else _dims(shape)
    return Written(c.write("torch.reshape", c.self_text("a"), text), c.need("a").value.numpy_dtype, view=True)


@adaptor
def flat(c: CallSite) -> Written:
    """One axis, a view where it can be."""
    if c.literal("order", "C") not in ("C", "A", "K"):
        c.fail("flattens in Fortran order; torch knows C order alone: take `.T.ravel()`")
    a = c.need("a")
    return Written(c.write("torch.ravel", c.self_text("a")), a.value.numpy_dtype, view=True)


@adaptor
def transpose(c: CallSite) -> Written:
    """Axes in another order, all reversed if none are given."""
    a, axes = c.need("a"), c.get("axes")
    dtype = a.value.numpy_dtype
    text = c.tensor("a", operator=True)
    if axes is not None:
        return Written(c.write("torch.permute", text if c.receiver else c.tensor("a"), axes.code), dtype, view=True)
    return Written(reversed_axes(text, a.value.ndim), dtype, view=True)


def reversed_axes(text: str, ndim: int | None) -> str:
    """Writes ``x.T`` as NumPy means it: torch's is for two axes only."""
    if ndim is not None and ndim < 2:
        return text
    if ndim == 2:
        return f"{text}.T"
    order = f"tuple(range({text}.ndim - 1, -1, -1))" if ndim is None else str(tuple(range(ndim - 1, -1, -1)))
    return f"{text}.permute({order})"


@adaptor
def expand_dims(c: CallSite) -> Written:
    """A new axis of length one."""
    axis = c.need("axis")
    if axis.value.kind == "sequence":
        places, ndim = axis.literal, c.need("a").value.ndim
        if not isinstance(places, tuple | list) or ndim is None:
            c.fail("adds several computed axes at once with `np.expand_dims`: index with None instead")
        text = c.tensor("a", operator=True)
        for place in sorted(place % (ndim + len(places)) for place in places):
            text += f".unsqueeze({place})"
        return Written(text, c.need("a").value.numpy_dtype, view=True)
    return Written(c.write("torch.unsqueeze", c.tensor("a"), axis.code), c.need("a").value.numpy_dtype, view=True)


@adaptor
def squeeze(c: CallSite) -> Written:
    """Axes of length one taken away."""
    axis = c.get("axis")
    text = c.write("torch.squeeze", c.self_text("a"), axis.code if axis else "")
    return Written(text, c.need("a").value.numpy_dtype, view=True)


@adaptor
def join(c: CallSite) -> Written:
    """Arrays one behind the other, or along a new axis."""
    c.forbid("out", "dtype")
    name = _first(c)
    arrays = c.need(name)
    dtype = c.wanted.dtype
    text = arrays.code
    if arrays.parts:
        parts = [c.tensor(p, dtype) for p in arrays.parts]
        if parts != [p.code for p in arrays.parts]:
            bracket = "[{}]" if isinstance(arrays.node, cst.List) else "({})"
            text = bracket.format(", ".join(parts) + ("," if len(parts) == 1 and bracket[0] == "(" else ""))
    elif arrays.value.kind == "sequence":
        if any(not item.is_tensor for item in arrays.value.items):
            text = _each_as_tensor(c, arrays)
    elif arrays.value.is_tensor:
        text = f"tuple({arrays.code})"
    axis = c.get("axis")
    if c.entry.target == "torch.cat" and "axis" in c.nones:
        # axis=None flattens
        text = f"tuple(a.ravel() for a in {arrays.code})"
    return Written(c.write(c.entry.target, text, dim=None if axis is None else axis.code), dtype)


def _each_as_tensor(c: CallSite, arrays: Argument) -> str:
    """Returns a list of arrays and of lists of numbers, put together somewhere, as a list of tensors."""
    dtype = c.wanted.dtype
    if dtype is None or not all(item.is_tensor or _holds_numbers(item) for item in arrays.value.items):
        c.fail(f"joins `{arrays.code}` by `{c.name}`, a list in which not every element is an array")
    made = f"{c.context.spell('torch.as_tensor')}(part{c.made(dtype)})"
    return f"[{made} for part in {arrays.code}]"


def _holds_numbers(value: Value) -> bool:
    if value.kind == "sequence":
        return bool(value.items) and all(map(_holds_numbers, value.items))
    return value.kind == "number"


@adaptor
def rollaxis(c: CallSite) -> Written:
    """An axis moved to the front of another one."""
    axis, start = c.need("axis"), c.literal("start", 0)
    if start != 0:
        c.fail("moves an axis elsewhere than to the front with `np.rollaxis`: write `np.moveaxis`")
    return Written(c.write("torch.movedim", c.tensor("a"), axis.code, "0"), c.need("a").value.numpy_dtype, view=True)


@adaptor
def block(c: CallSite) -> Written:
    """Rows of blocks, put side by side and then below each other."""
    rows, cat = c.need("arrays").parts, c.context.spell("torch.cat")
    if not rows or any(part.value.is_tensor and part.value.ndim != 2 for row in rows for part in (row.parts or (row,))):
        c.fail("puts other than matrices together with `np.block`: write `np.concatenate`")
    if not all(row.parts for row in rows):
        return Written(f"{cat}([{', '.join(c.tensor(row, c.wanted.dtype) for row in rows)}], dim=1)", c.wanted.dtype)
    texts = []
    for row in rows:
        inner = ", ".join(c.tensor(part, c.wanted.dtype) for part in row.parts)
        texts.append(f"{cat}([{inner}], dim=1)")
    return Written(f"{cat}([{', '.join(texts)}])", c.wanted.dtype)


@adaptor
def append(c: CallSite) -> Written:
    """Values put behind an array."""
    a, v, axis = c.need("arr"), c.need("values"), c.get("axis")
    dtype = c.wanted.dtype or numpy_result([a.value, v.value])
    left, right = c.tensor(a, dtype), c.tensor(v, dtype)
    if axis is None:
        left = left if a.value.ndim == 1 else f"{c.tensor(a, dtype, True)}.ravel()"
        if v.value.kind == "number":
            right = f"{c.context.spell('torch.tensor')}([{v.code}]{c.made(dtype)})"
        elif v.value.ndim != 1:
            right = f"{c.tensor(v, dtype, True)}.ravel()"
    text = f"{c.context.spell('torch.cat')}(({left}, {right}){'' if axis is None else f', dim={axis.code}'})"
    return Written(text, dtype)


@adaptor
def insert(c: CallSite) -> Written:
    """A value put between the elements of a vector."""
    a, place, v = c.need("arr"), c.need("obj"), c.need("values")
    if (
        a.value.ndim != 1
        or place.value.kind != "number"
        or v.value.kind == "sequence"
        or v.value.ndim not in (None, 0, 1)
    ):
        c.fail("inserts other than one value or vector at one place of a vector: write `np.concatenate`")
    dtype = a.value.numpy_dtype
    text = c.tensor(a, dtype, True)
    if v.value.kind == "number":
        new = f"{c.context.spell('torch.tensor')}([{v.code}]{c.made(dtype)})"
    else:
        new = c.tensor(v, dtype, True) + ("" if v.value.ndim == 1 else ".reshape(1)")
    if place.literal == 0:
        return Written(f"{c.context.spell('torch.cat')}(({new}, {text}))", dtype)
    return Written(f"{c.context.spell('torch.cat')}(({text}[:{place.code}], {new}, {text}[{place.code}:]))", dtype)


@adaptor
def delete(c: CallSite) -> Written:
    """An element taken out of a vector."""
    a, place = c.need("arr"), c.need("obj")
    if a.value.ndim != 1 or (place.value.kind != "number" and not (place.value.is_tensor and place.value.ndim == 0)):
        c.fail("deletes other than one element of a vector: use a mask")
    text = c.tensor(a, operator=True)
    after = str(place.literal + 1) if isinstance(place.literal, int) and place.literal >= 0 else None
    # counted from either end: what begins at the place, without its first
    parts = f"{text}[:{place.code}], {text}[{after}:]" if after else f"{text}[:{place.code}], {text}[{place.code}:][1:]"
    return Written(f"{c.context.spell('torch.cat')}(({parts}))", a.value.numpy_dtype)


@adaptor
def window(c: CallSite) -> Written:
    """Symmetric windows; torch's are periodic unless told otherwise."""
    beta = "" if c.get("beta") is None else f", beta={c.need('beta').code}"
    text = f"{c.context.spell(c.entry.target)}({c.need('M').code}, periodic=False{beta}{c.made('float64')})"
    return Written(text, "float64")


@adaptor
def sections(c: CallSite) -> Written:
    """Splits into a number of sections: `torch.split` would take a size."""
    axis = c.get("axis")
    where = c.need("indices_or_sections")
    if where.value.is_tensor:
        c.fail(f"splits at computed places with `{c.name}`: pass a tuple of ints")
    text = c.write(c.entry.target, c.tensor("ary"), where.code, dim=axis.code if axis else None)
    return Written(text, kind="sequence", items=c.wanted.items, view=True)


@adaptor
def flip(c: CallSite) -> Written:
    """Reversed along axes; torch makes a copy."""
    m, axis = c.need("m"), c.get("axis")
    if axis is None:
        if m.value.ndim is None:
            c.fail("flips all axes of an array whose number of axes varied")
        dims = f"({', '.join(map(str, range(m.value.ndim)))}{',' if m.value.ndim == 1 else ''})"
    else:
        dims = _dims(axis)
    return Written(c.write("torch.flip", c.tensor("m"), dims), m.value.numpy_dtype)


@adaptor
def roll(c: CallSite) -> Written:
    """Shifted around; without an axis over the flattened array, as in NumPy."""
    axis = c.get("axis")
    shift = c.need("shift")
    a = c.tensor("a")
    if axis is not None and axis.value.kind == "sequence" and shift.value.kind != "sequence":
        shifts = f"({', '.join([shift.code] * len(axis.value.items))})"
    else:
        shifts = shift.code
    return Written(c.write("torch.roll", a, shifts, dims=axis.code if axis else None), c.need("a").value.numpy_dtype)


@adaptor
def rotate(c: CallSite) -> Written:
    """Quarter turns."""
    axes = c.get("axes")
    text = c.write("torch.rot90", c.tensor("m"), c.text("k", ""), dims=axes.code if axes else None)
    return Written(text, c.need("m").value.numpy_dtype)


@adaptor
def tile(c: CallSite) -> Written:
    """The whole repeated."""
    return Written(c.write("torch.tile", c.tensor("A"), _dims(c.need("reps"))), c.need("A").value.numpy_dtype)


@adaptor
def repeat(c: CallSite) -> Written:
    """Each element repeated: torch's `repeat` is NumPy's tile."""
    axis, repeats = c.get("axis"), c.need("repeats")
    times = repeats.code if repeats.value.kind == "number" else c.tensor(repeats)
    text = c.write("torch.repeat_interleave", c.self_text("a"), times, dim=axis.code if axis else None)
    return Written(text, c.need("a").value.numpy_dtype)


@adaptor
def broadcast(c: CallSite) -> Written:
    """A view in a larger shape."""
    shape = _dims(c.need("shape"))
    return Written(
        c.write("torch.broadcast_to", c.tensor("array"), shape), c.need("array").value.numpy_dtype, view=True
    )


@adaptor
def diff(c: CallSite) -> Written:
    """Differences of neighbours."""
    name = _first(c)
    a = c.need(name)
    if c.path.endswith("ediff1d") and a.value.ndim != 1:
        return Written(c.write("torch.diff", f"{c.tensor(name, operator=True)}.ravel()"), a.value.numpy_dtype)
    ends = {}
    for side in ("prepend", "append"):
        end = c.get(side)
        if end is not None:
            if end.value.ndim == 0 or end.value.kind == "number":
                if a.value.ndim != 1:
                    c.fail(f"passes a number as `{side}=` to `np.diff` of several axes: pass an array")
                ends[side] = f"{c.tensor(end, a.value.dtype, True)}.reshape(1)"
            else:
                ends[side] = c.tensor(end, a.value.dtype)
    keywords = {"n": c.text("n", "") or None, "dim": c.axes()}
    return Written(c.write("torch.diff", c.tensor("a"), **keywords, **ends), a.value.numpy_dtype)


@adaptor
def gradient(c: CallSite) -> Written:
    """Central differences; torch always returns a tuple."""
    f = c.need("f")
    cast = c.real_input("f")
    axis = c.get("axis")
    spacing = None
    if len(c.rest) == 1 and c.rest[0].value.kind == "number":
        spacing = c.rest[0].code
    elif c.rest:
        texts = [a.code if a.value.kind == "number" else c.tensor(a) for a in c.rest]
        spacing = f"({', '.join(texts)}{',' if len(texts) == 1 else ''})"
        if len({a.value.kind for a in c.rest}) > 1 or any(
            a.value.kind != "number" and a.value.ndim == 0 for a in c.rest
        ):
            c.fail("mixes numbers and arrays as the spacing of `np.gradient`, which torch cannot")
    keywords = {"spacing": spacing, "dim": axis.code if axis else None, "edge_order": c.text("edge_order", "") or None}
    text = c.write("torch.gradient", c.tensor("f", cast), **keywords)
    dtype = cast or f.value.numpy_dtype
    single = f.value.ndim == 1 or (axis is not None and axis.value.kind != "sequence")
    if single:
        return Written(f"{text}[0]", dtype)
    return Written(text, kind="sequence", items=c.wanted.items)


_MODES = {"edge": "replicate", "reflect": "reflect", "wrap": "circular"}


@adaptor
def pad(c: CallSite) -> Written:
    """Padding; torch counts pairs from the last axis, and borders from neighbours on the last axes only."""
    a, width, mode = c.need("array"), c.need("pad_width"), c.literal("mode", "constant")
    ndim = a.value.ndim
    if ndim is None:
        c.fail("pads an array whose number of axes varied")
    pairs = _pairs(width, ndim)
    if pairs is None:
        c.fail(f"pads by `{width.code}`; write the widths out as `((before, after), …)`")
    flat_pairs = ", ".join(text for pair in reversed(pairs) for text in pair)
    function = c.context.spell("torch.nn.functional.pad")
    if mode == "constant":
        value = c.get("constant_values")
        rest = "" if value is None or value.literal == 0 else f", value={value.code}"
        return Written(f"{function}({c.tensor('array')}, ({flat_pairs}){rest})", a.value.dtype)
    if mode == "symmetric":
        written = ", ".join(f"({before}, {after})" for before, after in pairs)
        return Written(f"{c.context.helper('symmetric')}({c.tensor('array')}, [{written}])", a.value.dtype)
    if mode not in _MODES or ndim not in (1, 2, 3):
        c.fail(f"pads {ndim} axes in the mode {mode!r}; torch has constant, edge, reflect and wrap on up to three axes")
    text = c.tensor("array", operator=True)
    return Written(f'{function}({text}[None], ({flat_pairs}), mode="{_MODES[mode]}")[0]', a.value.dtype)


def _pairs(width: Argument, ndim: int) -> list[tuple[str, str]] | None:
    if width.value.kind == "number":
        return [(width.code, width.code)] * ndim
    if not width.parts:
        return None
    inner = [p.parts for p in width.parts]
    if all(len(p) == 2 for p in inner):
        found = [(p[0].code, p[1].code) for p in inner]
        return found * ndim if len(found) == 1 else found
    if len(width.parts) == 2 and not any(inner):
        return [(width.parts[0].code, width.parts[1].code)] * ndim
    if len(width.parts) == 1 and not any(inner):
        return [(width.parts[0].code,) * 2] * ndim
    return None


@adaptor
def diagonal(c: CallSite) -> Written:
    """A view of a diagonal."""
    keywords = {"offset": "offset", "dim1": "axis1", "dim2": "axis2"}
    texts = {ours: c.text(theirs, "") or None for ours, theirs in keywords.items()}
    return Written(c.write("torch.diagonal", c.self_text("a"), **texts), c.need("a").value.numpy_dtype, view=True)


@adaptor
def windows(c: CallSite) -> Written:
    """Sliding windows, a view in both libraries."""
    x, shape, axis = c.need("x"), c.need("window_shape"), c.get("axis")
    text = c.tensor("x", operator=True)
    if shape.parts and axis is None:
        steps = "".join(f".unfold({i}, {part.code}, 1)" for i, part in enumerate(shape.parts))
    elif shape.value.kind == "number" and (axis is not None or x.value.ndim == 1):
        steps = f".unfold({axis.code if axis else 0}, {shape.code}, 1)"
    else:
        c.fail("takes sliding windows of a computed shape: write the window's shape out")
    return Written(f"{text}{steps}", x.value.dtype, view=True)


@adaptor
def shape_of(c: CallSite) -> Written:
    """The functions np.shape, np.ndim and np.size, which torch has as attributes."""
    text = c.tensor("a", operator=True)
    last = c.path.rpartition(".")[2]
    if last == "shape":
        return Written(f"{text}.shape", kind="sequence", items=c.wanted.items)
    return Written(f"{text}.ndim" if last == "ndim" else f"{text}.numel()", "int", kind="number")


@adaptor
def convolve(c: CallSite) -> Written:
    """Convolution and correlation of two vectors, by a helper on `conv1d`."""
    a, v = c.need("a"), c.need("v")
    dtype = c.wanted.dtype or numpy_result([a.value, v.value])
    if category(dtype) != "float":
        c.fail(f"takes `{c.name}` of {dtype} arrays; torch convolves real floating-point numbers alone")
    name = c.path.rpartition(".")[2]
    default = '"full"' if name == "convolve" else '"valid"'
    mode = c.text("mode", default)
    right = c.tensor(v, dtype)
    if name == "correlate":
        right = f"{c.tensor(v, dtype, True)}.flip(0)"
    helper = c.context.helper("convolve")
    rest = "" if mode.strip("'\"") == "full" else f", {mode}"
    return Written(f"{helper}({c.tensor(a, dtype)}, {right}{rest})", dtype)
