"""Adaptors of sorting, searching, selecting, counting, and of stores by function."""

from __future__ import annotations

from jitmagic.backends.torch.calls import CallSite, Written, adaptor
from jitmagic.backends.torch.kinds import category, numpy_result


def _sorted_axis(c: CallSite) -> tuple[str, str | None]:
    text, given = c.self_text("a"), c.get("axis")
    passed = len(c.given) > 1 or not c.plain
    if given is None and passed and "kind" not in c.arguments and c.need("a").value.ndim != 1:
        return f"{c.tensor('a', operator=True)}.ravel()", None
    return text, None if given is None or given.literal == -1 else given.code


@adaptor
def sort(c: CallSite) -> Written:
    """Sorted values; torch returns positions as well."""
    c.forbid("order")
    text, dim = _sorted_axis(c)
    return Written(f"{c.write('torch.sort', text, dim=dim)}.values", c.need("a").value.numpy_dtype)


@adaptor
def argsort(c: CallSite) -> Written:
    """Positions in order, stable so that ties come as in NumPy."""
    c.forbid("order")
    text, dim = _sorted_axis(c)
    return Written(c.write("torch.argsort", text, dim=dim, stable="True"), "int64")


@adaptor
def nonzero(c: CallSite) -> Written:
    """Places that are not zero."""
    if c.path.endswith("argwhere"):
        return Written(c.write("torch.argwhere", c.tensor("a")), "int64")
    if c.path.endswith("flatnonzero"):
        text = c.tensor("a") if c.need("a").value.ndim == 1 else f"{c.tensor('a', operator=True)}.ravel()"
        return Written(f"{c.context.spell('torch.nonzero')}({text}, as_tuple=True)[0]", "int64")
    return Written(c.write("torch.nonzero", c.self_text("a"), as_tuple="True"), kind="sequence", items=c.wanted.items)


@adaptor
def take(c: CallSite) -> Written:
    """Elements by position: written as the indexing that it is."""
    c.forbid("out", "mode")
    a, where, axis = c.need("a"), c.need("indices"), c.get("axis")
    text = c.tensor("a", operator=True)
    index = f"[{where.code}]" if where.value.kind == "sequence" and where.parts else c.tensor(where, "int64")
    index = where.code if where.value.kind in ("number", "sequence") else index
    if axis is None:
        flat = text if a.value.ndim == 1 else f"{text}.ravel()"
        return Written(f"{flat}[{index}]", a.value.numpy_dtype)
    position = axis.literal
    if not isinstance(position, int):
        c.fail("takes along a computed axis: write the axis out")
    if position == -1:
        return Written(f"{text}[..., {index}]", a.value.numpy_dtype)
    if position < 0:
        c.fail("takes along a negative axis: count it from the front")
    return Written(f"{text}[{':, ' * position}{index}]", a.value.numpy_dtype)


@adaptor
def take_along(c: CallSite) -> Written:
    """Elements by positions along an axis."""
    text = c.write("torch.take_along_dim", c.tensor("arr"), c.tensor("indices", "int64"), dim=c.axes())
    return Written(text, c.need("arr").value.dtype)


@adaptor
def compress(c: CallSite) -> Written:
    """Elements where a condition holds: written as a mask."""
    c.forbid("axis")
    name = "arr" if c.path.endswith("extract") else "a"
    a = c.given[-1] if name not in c.arguments else c.need(name)
    text = c.tensor(a, operator=True)
    text = text if a.value.ndim == 1 else f"{text}.ravel()"
    return Written(f"{text}[{c.tensor('condition')}]", a.value.dtype)


@adaptor
def searchsorted(c: CallSite) -> Written:
    """Places in a sorted array; torch wants one dtype."""
    a, v = c.need("a"), c.need("v")
    c.forbid("sorter")
    dtype = numpy_result([a.value, v.value]) if v.value.kind != "number" else a.value.dtype
    value = v.code if v.value.kind == "number" else c.tensor(v, dtype)
    side = c.get("side")
    right = (
        None
        if side is None or side.literal == "left"
        else "True"
        if side.literal == "right"
        else f"{side.code} == 'right'"
    )
    return Written(
        f"{c.context.spell('torch.searchsorted')}({c.tensor(a, dtype)}, {value}{_keyword('right', right)})", "int64"
    )


def _keyword(name: str, text: str | None) -> str:
    return "" if text is None else f", {name}={text}"


@adaptor
def digitize(c: CallSite) -> Written:
    """The bin of each value: NumPy's right=False is torch's right=True."""
    x, bins = c.need("x"), c.need("bins")
    dtype = numpy_result([x.value, bins.value]) if bins.value.is_tensor else x.value.dtype
    right = None if c.literal("right", False) else "True"
    values = f"{c.tensor(x, dtype)}, {c.tensor(bins, dtype)}"
    return Written(f"{c.context.spell('torch.bucketize')}({values}{_keyword('right', right)})", "int64")


@adaptor
def unique(c: CallSite) -> Written:
    """Distinct values in order."""
    c.forbid("return_index")
    flags = {n: c.text(n, "") or None for n in ("return_inverse", "return_counts")}
    text = c.write("torch.unique", c.tensor("ar"), dim=c.axes(), **flags)
    if any(c.literal(n, False) for n in flags):
        return Written(text, kind="sequence", items=c.wanted.items)
    return Written(text, c.need("ar").value.numpy_dtype)


@adaptor
def membership(c: CallSite) -> Written:
    """Whether each element is among others."""
    a, b = c.need("element"), c.need("test_elements")
    other = b.code if b.value.kind == "number" else c.tensor(b)
    return Written(c.write("torch.isin", c.tensor(a), other), "bool")


@adaptor
def bincount(c: CallSite) -> Written:
    """Counts, or sums of weights in float64, as NumPy has them."""
    weights = c.get("weights")
    least = c.get("minlength")
    text = c.write(
        "torch.bincount",
        c.tensor("x"),
        weights=None if weights is None else c.tensor(weights, "float64"),
        minlength=least.code if least else None,
    )
    return Written(text, "int64" if weights is None else "float64")


@adaptor
def interpolate(c: CallSite) -> Written:
    """Linear interpolation, which torch lacks: a helper."""
    c.forbid("left", "right")
    texts = ", ".join(c.tensor(name, "float64") for name in ("x", "xp", "fp"))
    return Written(f"{c.context.helper('interp')}({texts})", "float64")


@adaptor
def polynomial(c: CallSite) -> Written:
    """A polynomial from its coefficients, by Horner's rule: a helper."""
    p, x = c.need("p"), c.need("x")
    dtype = c.wanted.dtype
    if p.value.is_tensor and dtype is not None:
        return Written(f"{c.context.helper('polyval')}({c.tensor(p, dtype)}, {c.tensor(x, dtype)})", dtype)
    if p.value.kind == "sequence":
        cast = dtype if x.value.is_tensor and category(x.value.dtype) in ("int", "bool") else None
        return Written(f"{c.context.helper('polyval')}({p.code}, {c.tensor(x, cast)})", dtype)
    c.fail("evaluates a polynomial of which it was not seen what the coefficients are")


@adaptor
def outer_operator(c: CallSite) -> Written:
    """An operator over all pairs of two vectors."""
    a, b = c.given[0], c.given[1]
    if a.value.ndim != 1 or b.value.ndim != 1:
        c.fail(f"takes `{c.name}` of arrays that are not vectors: index with None and use the operator")
    operator = {"add": "+", "subtract": "-", "multiply": "*"}.get(c.path.split(".")[1], "/")
    dtype = c.wanted.dtype
    return Written(f"({c.tensor(a, dtype, True)}[:, None] {operator} {c.tensor(b, dtype, True)})", dtype)


@adaptor
def scatter(c: CallSite) -> Written:
    """Unbuffered stores by position, in which repeated positions all count."""
    a, where, b = c.need("a"), c.need("indices"), c.need("b")
    dtype = a.value.dtype
    name = c.path.split(".")[1]
    value = c.tensor(b, dtype)
    if name in ("add", "subtract"):
        if where.parts:
            places = ", ".join(c.tensor(p, "int64") for p in where.parts)
            index = f"({places})"
        else:
            index = f"({c.tensor(where, 'int64')},)"
        sign = "-" if name == "subtract" else ""
        value = f"-{c.tensor(b, dtype, True)}" if sign else value
        return Written(f"{a.atom}.index_put_({index}, {value}, accumulate=True)", kind="other")
    if where.parts or a.value.ndim != 1:
        c.fail(f"takes `{c.name}` at several axes, which torch cannot: use a flat position")
    index = c.tensor(where, "int64")
    if b.value.kind == "number":
        value = f"{c.context.spell('torch.full_like')}({index}, {b.code}, dtype={c.dtype(dtype or 'float64')})"
    elif b.value.ndim == 0:
        value = f"{c.tensor(b, dtype, True)}.expand_as({index})"
    reduce = "amax" if name == "maximum" else "amin"
    return Written(f'{a.atom}.scatter_reduce_(0, {index}, {value}, "{reduce}")', kind="other")


@adaptor
def fill_diagonal(c: CallSite) -> Written:
    """Fills a diagonal in place."""
    value = c.need("val")
    number = value.code if value.value.kind == "number" else f"{value.atom}.item()"
    return Written(f"{c.tensor('a', operator=True)}.fill_diagonal_({number})", kind="other")


@adaptor
def copy_into(c: CallSite) -> Written:
    """Copies one array into another."""
    c.forbid("where")
    source = c.need("src")
    if source.value.kind == "number":
        return Written(f"{c.tensor('dst', operator=True)}.fill_({source.code})", kind="other")
    return Written(f"{c.tensor('dst', operator=True)}.copy_({c.tensor(source)})", kind="other")
