"""Adaptors of functions along axes: sums, extremes, spreads, quantiles, running sums."""

from __future__ import annotations

from jitmagic.backends.torch.calls import CallSite, Written, adaptor, dtype_name
from jitmagic.backends.torch.kinds import category, real_dtype


def _axis(c: CallSite, default: str | None = None) -> str | None:
    """Returns the text of ``dim``; a ufunc's own reduce goes along axis 0 unless told otherwise."""
    if ".reduce" in c.path or ".accumulate" in c.path:
        default = "0"
    return c.axes(default=default)


def _plain_or_none(c: CallSite, dim: str | None) -> str | None:
    """Returns ``dim``, ``None`` spelled out where torch's signature wants it beside ``keepdim``."""
    return "None" if dim is None and c.keep() is not None else dim


def _accumulator(c: CallSite, given: str | None) -> str | None:
    asked = c.get("dtype")
    if asked is not None:
        return dtype_name(asked.node)
    if category(given) in ("int", "bool"):
        return "int64"
    return given


def _asked(c: CallSite) -> str | None:
    found = c.get("dtype")
    if found is None:
        return None
    name = dtype_name(found.node)
    return found.code if name is None else c.dtype(name)


@adaptor
def sum_(c: CallSite) -> Written:
    """Sums; ``where=`` becomes zeros."""
    c.forbid("out", "initial")
    given = c.need("a").value.numpy_dtype
    text, target = c.self_text("a"), c.entry.target
    if target == "torch.nansum" and category(given) in ("int", "bool"):
        target = "torch.sum"
    if c.get("where") is not None:
        text = f"{c.context.spell('torch.where')}({c.need('where').code}, {c.tensor('a')}, 0)"
    dim = _plain_or_none(c, _axis(c))
    return Written(c.write(target, text, dim=dim, keepdim=c.keep(), dtype=_asked(c)), _accumulator(c, given))


@adaptor
def prod(c: CallSite) -> Written:
    """Products, along one axis or all."""
    c.forbid("out", "initial", "where")
    dim, given = _axis(c), c.need("a").value.numpy_dtype
    if c.keep() is not None and dim is None:
        c.fail(f"keeps the axes of a product over all of them with `{c.name}`, which torch cannot")
    axis = c.get("axis")
    if axis is not None and axis.value.kind == "sequence":
        c.fail(f"multiplies along several axes at once with `{c.name}`: take one axis after the other")
    return Written(
        c.write("torch.prod", c.self_text("a"), dim=dim, keepdim=c.keep(), dtype=_asked(c)), _accumulator(c, given)
    )


@adaptor
def mean(c: CallSite) -> Written:
    """Means; integers become float64 first."""
    c.forbid("out", "where")
    cast = c.real_input("a")
    given = cast or c.need("a").value.numpy_dtype
    dim = _plain_or_none(c, _axis(c))
    text = c.write(c.entry.target, c.self_text("a", cast), dim=dim, keepdim=c.keep(), dtype=_asked(c))
    return Written(text, _accumulator(c, given))


@adaptor
def spread(c: CallSite) -> Written:
    """Standard deviation and variance: torch divides by n - 1 unless told otherwise."""
    c.forbid("out", "where", "mean")
    cast = c.real_input("a")
    asked = c.get("dtype")
    if asked is not None:
        cast = dtype_name(asked.node)
    given = real_dtype(cast or c.need("a").value.numpy_dtype)
    correction = c.text("ddof", c.text("correction", "0"))
    text = c.write(c.entry.target, c.self_text("a", cast), dim=_axis(c), correction=correction, keepdim=c.keep())
    return Written(text, given)


@adaptor
def extreme(c: CallSite) -> Written:
    """Largest and smallest; `torch.max` along an axis would return positions as well."""
    c.forbid("out", "initial", "where")
    a, dim = c.need("a"), _axis(c)
    if a.value.kind == "sequence" and not any(item.kind != "number" for item in a.value.items) and dim is None:
        return Written(f"{'max' if c.entry.target.endswith('max') else 'min'}({a.code})", kind="number")
    target = c.entry.target
    if dim is None and c.keep() is None and category(a.value.numpy_dtype) != "complex":
        target = "torch.max" if target.endswith("max") else "torch.min"
        if c.receiver:
            return Written(f"{c.self_text('a')}.{target.rpartition('.')[2]}()", a.value.numpy_dtype)
    return Written(c.write(target, c.self_text("a"), dim=dim, keepdim=c.keep()), a.value.numpy_dtype)


@adaptor
def nan_extreme(c: CallSite) -> Written:
    """Largest and smallest of what is not NaN."""
    c.forbid("out", "initial", "where")
    text = c.tensor("a")
    low = "-" if c.entry.target.endswith("max") else ""
    missing = f"{c.context.spell('torch.isnan')}({text})"
    filled = f"{c.context.spell('torch.where')}({missing}, {low}{c.context.spell('math.inf')}, {text})"
    return Written(c.write(c.entry.target, filled, dim=_axis(c), keepdim=c.keep()), c.need("a").value.numpy_dtype)


@adaptor
def range_(c: CallSite) -> Written:
    """Peak to peak."""
    c.forbid("out")
    text, dim, keep = c.tensor("a"), _axis(c), c.keep()
    rest = ("" if dim is None else f", dim={dim}") + ("" if keep is None else f", keepdim={keep}")
    high, low = c.context.spell("torch.amax"), c.context.spell("torch.amin")
    return Written(f"({high}({text}{rest}) - {low}({text}{rest}))", c.need("a").value.numpy_dtype)


@adaptor
def position(c: CallSite) -> Written:
    """Position of the largest or smallest; torch has none for bool."""
    c.forbid("out")
    cast = "uint8" if c.need("a").value.numpy_dtype == "bool" else None
    text = c.write(c.entry.target, c.self_text("a", cast), dim=_axis(c), keepdim=c.keep())
    return Written(text, "int64")


@adaptor
def nan_prod(c: CallSite) -> Written:
    """Products of what is not NaN."""
    c.forbid("out", "dtype", "keepdims")
    text = c.tensor("a")
    filled = f"{c.context.spell('torch.where')}({c.context.spell('torch.isnan')}({text}), 1, {text})"
    return Written(c.write("torch.prod", filled, dim=_axis(c)), c.need("a").value.numpy_dtype)


@adaptor
def nan_position(c: CallSite) -> Written:
    """Position of the largest or smallest of what is not NaN."""
    c.forbid("out")
    text = c.tensor("a")
    low = "-" if c.entry.target.endswith("max") else ""
    missing = f"{c.context.spell('torch.isnan')}({text})"
    filled = f"{c.context.spell('torch.where')}({missing}, {low}{c.context.spell('math.inf')}, {text})"
    return Written(c.write(c.entry.target, filled, dim=_axis(c), keepdim=c.keep()), "int64")


@adaptor
def nan_spread(c: CallSite) -> Written:
    """Variance and standard deviation of what is not NaN: a helper."""
    c.forbid("out", "dtype")
    cast = c.real_input("a")
    rest = {"dim": _axis(c), "correction": c.text("ddof", "") or None, "keepdim": c.keep()}
    keywords = "".join(f", {name}={text}" for name, text in rest.items() if text is not None)
    text = f"{c.context.helper('nanvar')}({c.tensor('a', cast)}{keywords})"
    if c.path.endswith("std"):
        text = f"{c.context.spell('torch.sqrt')}({text})"
    return Written(text, cast or c.need("a").value.numpy_dtype)


@adaptor
def histogram(c: CallSite) -> Written:
    """Counts between edges: a helper, since torch's own is there on the CPU alone."""
    a, bins, span = c.need("a"), c.get("bins"), c.get("range")
    values = c.tensor("a", "float64")
    if bins is None or bins.value.kind == "number":
        count = "10" if bins is None else bins.atom
        if span is None:
            flat = c.tensor(a, operator=True)
            ends = f"{flat}.min(), {flat}.max()"
        elif span.parts:
            ends = f"{span.parts[0].code}, {span.parts[1].code}"
        else:
            ends = f"*{span.atom}"
        total = str(int(count) + 1) if count.isdigit() else f"{count} + 1"
        edges = f"{c.context.spell('torch.linspace')}({ends}, {total}{c.made('float64')})"
    else:
        edges = c.tensor(bins, "float64")
    density = f", {c.need('density').code}" if c.get("density") and c.need("density").literal is not False else ""
    weights = c.get("weights")
    if weights is not None:
        density += f", weights={c.tensor(weights, 'float64')}"
    return Written(
        f"{c.context.helper('histogram')}({values}, {edges}{density})", kind="sequence", items=c.wanted.items
    )


@adaptor
def unwrap(c: CallSite) -> Written:
    """Angles without jumps of half a turn and more, along the last axis: a helper."""
    c.forbid("discont")
    axis = c.get("axis")
    if axis is not None and axis.literal != -1:
        c.fail(f"calls `{c.name}` along another axis than the last")
    return Written(f"{c.context.helper('unwrap')}({c.tensor('p', c.real_input('p'))})", c.wanted.dtype)


@adaptor
def truth(c: CallSite) -> Written:
    """Whether any or all hold."""
    c.forbid("out", "where")
    a = c.need("a")
    if a.value.kind == "sequence" and all(item.kind == "number" for item in a.value.items):
        return Written(f"{c.entry.target.rpartition('.')[2]}({a.code})", kind="number")
    dim = _plain_or_none(c, _axis(c))
    return Written(c.write(c.entry.target, c.self_text("a"), dim=dim, keepdim=c.keep()), "bool")


@adaptor
def count(c: CallSite) -> Written:
    """Counts what is not zero."""
    c.forbid("keepdims")
    return Written(c.write("torch.count_nonzero", c.self_text("a"), dim=_axis(c)), "int64")


@adaptor
def median(c: CallSite) -> Written:
    """The median as the quantile 0.5: `torch.median` takes the lower of the two in the middle."""
    c.forbid("out", "overwrite_input")
    cast = c.real_input("a")
    text = c.write(c.entry.target, c.self_text("a", cast), "0.5", dim=_axis(c), keepdim=c.keep())
    return Written(text, cast or c.need("a").value.numpy_dtype)


_METHODS = ("linear", "lower", "higher", "midpoint", "nearest")


@adaptor
def quantile(c: CallSite) -> Written:
    """Quantiles and percentiles; the levels have the array's dtype in torch."""
    c.forbid("out", "overwrite_input", "weights")
    method = c.literal("method", c.literal("interpolation", "linear"))
    if method not in _METHODS:
        c.fail(f"takes quantiles by the method {method!r}; torch has {', '.join(_METHODS)}")
    cast = c.real_input("a") or c.wanted.dtype
    dtype = cast or c.need("a").value.numpy_dtype
    q = c.need("q")
    percent = "percentile" in c.path
    if q.value.kind == "number":
        level = _percent(q.literal, q.atom) if percent else q.code
    else:
        level = c.tensor(q, dtype, operator=True) + (" / 100" if percent else "")
        if q.value.kind == "sequence" and percent and isinstance(q.literal, list | tuple):
            levels = ", ".join(_percent(x, str(x)) for x in q.literal)
            level = f"{c.context.spell('torch.tensor')}([{levels}]{c.made(dtype)})"
    kind = None if method == "linear" else f'"{method}"'
    dim, keep = _axis(c), c.keep()
    return Written(
        c.write(c.entry.target, c.tensor("a", cast), level, dim=dim, keepdim=keep, interpolation=kind), dtype
    )


def _percent(value: object, text: str) -> str:
    return repr(value / 100) if isinstance(value, int | float) else f"{text} / 100"


@adaptor
def average(c: CallSite) -> Written:
    """Weighted means."""
    c.forbid("returned")
    a, weights = c.need("a"), c.get("weights")
    cast = c.real_input("a")
    dtype = c.wanted.dtype or cast or a.value.numpy_dtype
    dim, keep = _axis(c), c.keep()
    if weights is None:
        return Written(c.write("torch.mean", c.tensor("a", cast), dim=_plain_or_none(c, dim), keepdim=keep), dtype)
    total = c.context.spell("torch.sum")
    rest = "" if dim is None else f", dim={dim}"
    rest += "" if keep is None else f", keepdim={keep}"
    w = c.tensor(weights, operator=True)
    if weights.value.ndim != a.value.ndim or a.value.ndim is None:
        axis = c.need("axis").literal if c.get("axis") else None
        if weights.value.ndim != 1 or not isinstance(axis, int) or a.value.ndim is None or keep is not None:
            c.fail(f"weights several axes with fewer weights in `{c.name}`: reshape the weights to the array's axes")
        behind = a.value.ndim - 1 - axis if axis >= 0 else -1 - axis
        shaped = f"{w}[{', '.join([':', *['None'] * behind])}]" if behind else w
        return Written(f"({total}({c.tensor('a', cast, True)} * {shaped}, dim={axis}) / {total}({w}))", dtype)
    return Written(f"({total}({c.tensor('a', cast, True)} * {w}{rest}) / {total}({w}{rest}))", dtype)


@adaptor
def cumulative(c: CallSite) -> Written:
    """Running sums and products; NumPy's flatten without an axis, torch demands one."""
    a, dim = c.need("a"), _axis(c)
    out = c.get("out")
    text = c.self_text("a")
    if c.path.endswith("nancumsum") and category(a.value.numpy_dtype) == "float":
        text = f"{c.context.spell('torch.nan_to_num')}({c.tensor('a')}, posinf=math.inf, neginf=-math.inf)"
        c.context.spell("math.inf")
    if dim is None:
        if a.value.ndim != 1:
            text = f"{c.tensor('a', operator=True)}.ravel()"
        dim = "0"
    given = _accumulator(c, a.value.numpy_dtype)
    return Written(c.write(c.entry.target, text, dim=dim, dtype=_asked(c), out=out.code if out else None), given)


@adaptor
def running_extreme(c: CallSite) -> Written:
    """Running maximum and minimum; torch returns positions as well."""
    text = c.write(c.entry.target, c.tensor("a"), dim=_axis(c, "0"))
    return Written(f"{text}.values", c.need("a").value.numpy_dtype)


@adaptor
def trapezoid(c: CallSite) -> Written:
    """The trapezoidal rule."""
    cast = c.real_input("y")
    x = c.get("x")
    dx = None if c.get("dx") is None else c.need("dx").code
    points = None if x is None else c.tensor(x)
    text = c.write("torch.trapezoid", c.tensor("y", cast), points or "", dx=dx, dim=c.axes())
    return Written(text, cast or c.need("y").value.numpy_dtype)


@adaptor
def covariance(c: CallSite) -> Written:
    """The covariance matrix; torch also divides by n - 1, and calls ddof correction."""
    text, y = c.tensor("m", c.real_input("m"), operator=True), c.get("y")
    if y is not None:
        if c.need("m").value.ndim != 1 or y.value.ndim != 1:
            c.fail("takes the covariance of two arrays that are not vectors: stack them first")
        text = f"{c.context.spell('torch.stack')}(({c.tensor('m', c.wanted.dtype)}, {c.tensor(y, c.wanted.dtype)}))"
    if c.literal("rowvar", True) is False:
        text = f"{text}.T"
    correction = c.text("ddof", "0" if c.literal("bias", False) else "") or None
    return Written(c.write("torch.cov", text, correction=correction), c.real_input("m") or c.need("m").value.dtype)


@adaptor
def correlation(c: CallSite) -> Written:
    """The correlation matrix; two vectors are stacked."""
    text, y = c.tensor("x", c.real_input("x"), operator=True), c.get("y")
    if y is not None:
        text = f"{c.context.spell('torch.stack')}(({c.tensor('x', c.wanted.dtype)}, {c.tensor(y, c.wanted.dtype)}))"
    elif c.literal("rowvar", True) is False:
        text = f"{text}.T"
    return Written(c.write("torch.corrcoef", text), c.wanted.dtype)


@adaptor
def log_sum_exp(c: CallSite) -> Written:
    """The logarithm of a sum of exponentials; torch demands the axes."""
    c.forbid("b", "return_sign")
    a, dim = c.need("a"), c.axes()
    cast = c.real_input("a")
    if dim is None:
        if a.value.ndim is None:
            c.fail(f"calls `{c.name}` without an axis on an array whose number of axes varied")
        dim = "0" if a.value.ndim == 1 else str(tuple(range(a.value.ndim)))
    return Written(
        c.write("torch.logsumexp", c.tensor("a", cast), dim=dim, keepdim=c.keep()), cast or a.value.numpy_dtype
    )


@adaptor
def softmax(c: CallSite) -> Written:
    """Softmax along an axis; without one, over all elements."""
    x, dim = c.need("x"), c.axes()
    cast = c.real_input("x")
    if dim is None and x.value.ndim != 1:
        flat = f"{c.tensor('x', cast, True)}.ravel()"
        return Written(f"{c.write(c.entry.target, flat, dim='0')}.reshape({x.atom}.shape)", cast or x.value.dtype)
    return Written(c.write(c.entry.target, c.tensor("x", cast), dim=dim or "0"), cast or x.value.numpy_dtype)
