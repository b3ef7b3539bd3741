"""Adaptors of sorting, searching, selecting, counting, and of stores by function."""

from __future__ import annotations

from jitmagic.backends.torch.calls import CallSite, Written, adaptor
from jitmagic.backends.torch.kinds import category, numpy_result


def _sorted_axis(c: CallSite) -> tuple[str, str | None]:
    text, given = c.self_text("a"), c.get("axis")
    if "axis" in c.nones and c.need("a").value.ndim != 1:
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
    if c.literal("return_index", False):
        if c.get("axis") is not None:
            c.fail(f"asks `{c.name}` for places along an axis; torch has none")
        parts = {"return_index": 1, "return_inverse": 2, "return_counts": 3}
        wanted = [0, *[place for name, place in parts.items() if c.literal(name, False)]]
        call = f"{c.context.helper('unique')}({c.tensor('ar')})"
        chosen = "" if len(wanted) == 4 else "[:2]" if wanted == [0, 1] else "[:3]" if wanted == [0, 1, 2] else "[::3]"
        if chosen == "[::3]":
            c.fail(f"asks `{c.name}` for places and counts: ask for the inverse as well")
        return Written(f"{call}{chosen}", kind="sequence", items=c.wanted.items)
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
    c.forbid("period")
    texts = ", ".join(c.tensor(name, "float64") for name in ("x", "xp", "fp"))
    ends = "".join(f", {name}={c.need(name).code}" for name in ("left", "right") if c.get(name) is not None)
    return Written(f"{c.context.helper('interp')}({texts}{ends})", "float64")


@adaptor
def polynomial_fit(c: CallSite) -> Written:
    """A polynomial by least squares on the powers: a helper."""
    c.forbid("rcond", "full", "w", "cov")
    if c.need("y").value.ndim != 1:
        c.fail("fits polynomials to several columns at once: take one column after the other")
    x, y, degree = c.tensor("x", "float64"), c.tensor("y", "float64"), c.need("deg")
    count = str(degree.literal + 1) if isinstance(degree.literal, int) else f"{degree.code} + 1"
    matrix = f"{c.context.spell('torch.vander')}({x}, N={count})"
    return Written(f"{c.context.helper('lstsq')}({matrix}, {y})[0]", "float64")


@adaptor
def polynomial_roots(c: CallSite) -> Written:
    """The roots of a polynomial, by the eigenvalues of its companion matrix: a helper."""
    text = f"{c.context.helper('roots')}({c.tensor('p', 'float64')})"
    if category(c.wanted.dtype) == "float":
        return Written(f"{text}.real", "float64")
    return Written(text, "complex128")


@adaptor
def partition(c: CallSite) -> Written:
    """A partition: the full sort is one."""
    c.forbid("order")
    axis = c.get("axis")
    dim = None if axis is None or axis.literal == -1 else axis.code
    if c.path.endswith("argpartition"):
        return Written(c.write("torch.argsort", c.self_text("a"), dim=dim), "int64")
    return Written(f"{c.write('torch.sort', c.self_text('a'), dim=dim)}.values", c.need("a").value.numpy_dtype)


@adaptor
def lexsort(c: CallSite) -> Written:
    """Positions in the order of several keys: a helper."""
    c.forbid("axis")
    return Written(f"{c.context.helper('lexsort')}({c.need('keys').code})", "int64")


@adaptor
def sets(c: CallSite) -> Written:
    """Differences, common and all elements of two arrays, in order."""
    a, b = c.need("ar1"), c.need("ar2")
    dtype = c.wanted.dtype or numpy_result([a.value, b.value])
    one, two = c.tensor(a, dtype), c.tensor(b, dtype)
    unique, isin = c.context.spell("torch.unique"), c.context.spell("torch.isin")
    if c.path.endswith("union1d"):
        parts = ", ".join(c.tensor(x, dtype, True) + ("" if x.value.ndim == 1 else ".ravel()") for x in (a, b))
        return Written(f"{unique}({c.context.spell('torch.cat')}(({parts})))", dtype)
    flag = ", invert=True" if c.path.endswith("setdiff1d") else ""
    flat = f"{c.tensor(a, dtype, True)}"
    return Written(f"{unique}({flat}[{isin}({one}, {two}{flag})])", dtype)


@adaptor
def flat_position(c: CallSite) -> Written:
    """The position in the flattened array of a place with several indices."""
    c.forbid("mode", "order")
    parts, shape = c.need("multi_index").parts, c.need("dims")
    if not parts:
        c.fail(f"calls `{c.name}` with a computed tuple: write the indices out")
    text = parts[0].atom
    for axis, part in enumerate(parts[1:], start=1):
        size = shape.parts[axis].atom if shape.parts else f"{shape.atom}[{axis}]"
        text = f"({text} * {size} + {part.atom})"
    numbers = all(part.value.kind == "number" for part in parts)
    return Written(text, "int" if numbers else "int64", kind="number" if numbers else "tensor")


@adaptor
def choose(c: CallSite) -> Written:
    """Elements of several arrays, by the number of the array."""
    c.forbid("out", "mode")
    dtype, index = c.wanted.dtype, c.tensor("a", "int64", True)
    return Written(f"{c.tensor('choices', dtype)}.gather(0, {index}[None])[0]", dtype)


@adaptor
def piecewise(c: CallSite) -> Written:
    """A function for each condition: a helper."""
    texts = ", ".join((c.tensor("x"), c.need("condlist").code, c.need("funclist").code))
    return Written(f"{c.context.helper('piecewise')}({texts})", c.need("x").value.dtype)


@adaptor
def segments(c: CallSite) -> Written:
    """Reductions between indices: a helper."""
    axis = c.get("axis")
    if axis is not None and axis.literal != 0:
        c.fail(f"takes `{c.name}` along another axis than the first")
    reduce = c.context.spell(c.entry.target)
    text = f"{c.context.helper('reduceat')}({reduce}, {c.tensor('array')}, {c.need('indices').code})"
    return Written(text, c.need("array").value.dtype)


@adaptor
def put(c: CallSite) -> Written:
    """Stores at flat positions."""
    c.forbid("mode")
    a = c.need("a")
    index, values = c.tensor("ind", "int64"), c.need("v")
    if values.value.kind == "number" or values.value.ndim == 0:
        value = f"{c.tensor(values, a.value.dtype, True)}.expand_as({index})"
    else:
        value = c.tensor(values, a.value.dtype)
    return Written(f"{c.tensor(a, operator=True)}.put_({index}, {value})", kind="other")


@adaptor
def put_mask(c: CallSite) -> Written:
    """Stores where a mask holds; values stand at the places of the mask."""
    a, values = c.need("a"), c.need("values")
    if values.value.kind == "number":
        return Written(f"{a.atom}.masked_fill_({c.tensor('mask')}, {values.code})", kind="other")
    if values.value.shape != a.value.shape or values.value.shape is None:
        c.fail(f"passes values of another shape than the array to `{c.name}`: index by the mask")
    chosen = f"{c.context.spell('torch.where')}({c.tensor('mask')}, {c.tensor(values, a.value.dtype)}, {c.tensor(a)})"
    return Written(f"{a.atom}.copy_({chosen})", kind="other")


@adaptor
def iterated(c: CallSite) -> Written:
    """An array of what an iterator yields."""
    dtype = c.result_dtype()
    if dtype is None:
        c.fail(f"calls `{c.name}` without a dtype that is written out")
    device = f", {c.context.device()}" if c.context.device() else ""
    source = c.need("iter").code.strip()
    inner = source[1:-1] if source.startswith("(") and source.endswith(")") else f"*{source}"
    return Written(f"{c.context.helper('packed')}([{inner}], {c.dtype(dtype)}{device})", dtype)


@adaptor
def elementwise_function(c: CallSite) -> Written:
    """A function of elements made one of arrays: a helper that loops, as NumPy's does."""
    c.forbid("otypes")
    return Written(f"{c.context.helper('vectorize')}({c.need('pyfunc').code})", kind="other")


@adaptor
def along_axis(c: CallSite) -> Written:
    """A function of vectors along an axis: a helper that loops, as NumPy's does."""
    texts = ", ".join((c.need("func1d").code, c.need("axis").code, c.tensor("arr")))
    return Written(f"{c.context.helper('apply_along_axis')}({texts})", c.wanted.dtype)


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
    """Copies one array into another, all of it or where a mask holds."""
    source, mask = c.need("src"), c.get("where")
    if mask is not None:
        into = c.tensor("dst")
        value = source.code if source.value.kind == "number" else c.tensor(source, c.need("dst").value.dtype)
        chosen = f"{c.context.spell('torch.where')}({c.tensor(mask)}, {value}, {into})"
        return Written(f"{c.tensor('dst', operator=True)}.copy_({chosen})", kind="other")
    if source.value.kind == "number":
        return Written(f"{c.tensor('dst', operator=True)}.fill_({source.code})", kind="other")
    return Written(f"{c.tensor('dst', operator=True)}.copy_({c.tensor(source)})", kind="other")
