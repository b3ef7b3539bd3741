"""Adaptors of functions that treat each element for itself."""

from __future__ import annotations

from jitmagic.backends.torch.calls import Argument, CallSite, Written, adaptor
from jitmagic.backends.torch.kinds import Value, category, numpy_result, real_dtype, torch_result


def _out(c: CallSite) -> str | None:
    found = c.get("out")
    if found is not None and found.value.kind == "sequence":
        c.fail(f"passes a tuple as `out=` to `{c.name}`; pass the array itself")
    return None if found is None else found.code


def _renamed(c: CallSite, target: str, dtype: str | None) -> Written:
    """Changes the name alone, so that the user's arguments stay to the letter."""
    if c.receiver or not c.plain or len(c.given) != len(c.arguments):
        texts = [c.tensor(a, operator=c.receiver and not i) for i, a in enumerate(c.given)]
        return Written(c.write(target, *texts, out=_out(c)), dtype)
    return Written("", dtype, target=target)


@adaptor
def real(c: CallSite) -> Written:
    """Functions into the real (or complex) numbers: integers become float64 first, as in NumPy."""
    x = c.need("x")
    cast = c.real_input("x")
    dtype = cast or x.value.numpy_dtype
    if cast is None and x.value.kind in ("tensor", "unknown"):
        return _renamed(c, c.entry.target, dtype)
    return Written(c.write(c.entry.target, c.self_text("x", cast), out=_out(c)), dtype)


@adaptor
def same(c: CallSite) -> Written:
    """Functions that keep the dtype."""
    x = c.need("x")
    dtype = x.value.numpy_dtype
    if category(dtype) == "complex" and c.entry.target == "torch.abs":
        dtype = real_dtype(dtype)
    if c.entry.target == "torch.reciprocal" and category(dtype) in ("int", "bool"):
        c.fail(f"takes `{c.name}` of integers, which NumPy truncates: use a float array")
    if x.value.kind in ("tensor", "unknown"):
        return _renamed(c, c.entry.target, dtype)
    return Written(c.write(c.entry.target, c.self_text("x"), out=_out(c)), dtype)


@adaptor
def predicate(c: CallSite) -> Written:
    """Functions into bool."""
    if c.need("x").value.kind in ("tensor", "unknown"):
        return _renamed(c, c.entry.target, "bool")
    return Written(c.write(c.entry.target, c.self_text("x"), out=_out(c)), "bool")


@adaptor
def real_part(c: CallSite) -> Written:
    """The parts of a complex number; a real tensor has no imaginary part to view."""
    x = c.need("x")
    is_complex = category(x.value.dtype) == "complex"
    dtype = real_dtype(x.value.numpy_dtype)
    if c.entry.target == "torch.real":
        return Written(c.write("torch.real", c.tensor("x")), dtype, view=True)
    if is_complex or x.value.dtype is None:
        return Written(c.write("torch.imag", c.tensor("x")), dtype, view=True)
    return Written(c.write("torch.zeros_like", c.tensor("x")), dtype)


@adaptor
def angle(c: CallSite) -> Written:
    """The angle of a complex number, in radians or degrees."""
    cast = c.real_input("z")
    text = c.write("torch.angle", c.tensor("z", cast))
    if c.literal("deg", False):
        text = c.write("torch.rad2deg", text)
    return Written(text, cast or real_dtype(c.need("z").value.numpy_dtype))


@adaptor
def divmod_(c: CallSite) -> Written:
    """Quotient and remainder."""
    a, b = c.need("x1"), c.need("x2")
    return Written(f"({a.atom} // {b.atom}, {a.atom} % {b.atom})", kind="sequence", items=c.wanted.items)


@adaptor
def parts(c: CallSite) -> Written:
    """The parts of real numbers: after and before the point, or mantissa and exponent."""
    x = c.need("x")
    dtype = c.real_input("x")
    if c.path.endswith("frexp"):
        return Written(c.write("torch.frexp", c.tensor(x, dtype)), kind="sequence", items=c.wanted.items)
    text = c.tensor(x, dtype)
    whole = f"{c.context.spell('torch.trunc')}({text})"
    return Written(f"({c.context.spell('torch.frac')}({text}), {whole})", kind="sequence", items=c.wanted.items)


@adaptor
def conjugate(c: CallSite) -> Written:
    """Complex conjugation; torch's is a view, so that a copy is made where the module stores into arrays."""
    dtype = c.need("x").value.numpy_dtype
    target = "torch.conj_physical" if c.context.stores and _out(c) is None else "torch.conj"
    return Written(c.write(target, c.self_text("x")), dtype)


@adaptor
def sign(c: CallSite) -> Written:
    """The sign; torch gives 0 for NaN where NumPy gives NaN."""
    x = c.need("x")
    dtype = x.value.numpy_dtype
    if category(dtype) == "complex":
        return Written(c.write("torch.sgn", c.tensor("x")), dtype)
    if category(dtype) in ("int", "bool"):
        return Written(c.write("torch.sign", c.tensor("x")), dtype)
    return Written(f"{c.context.helper('sign')}({c.tensor('x')})", dtype)


@adaptor
def cube_root(c: CallSite) -> Written:
    """The real cube root, which torch lacks."""
    cast = c.real_input("x")
    text = c.tensor("x", cast)
    power = f"{c.context.spell('torch.abs')}({text}) ** (1 / 3)"
    return Written(f"{c.context.spell('torch.copysign')}({power}, {text})", cast or c.need("x").value.numpy_dtype)


@adaptor
def rounding(c: CallSite) -> Written:
    """Rounding to even; torch knows decimals by keyword only."""
    dtype = c.need("a").value.numpy_dtype
    decimals = c.get("decimals")
    if category(dtype) in ("int", "bool") and decimals is not None and decimals.literal != 0:
        c.fail(f"rounds integers to decimals with `{c.name}`, which torch cannot")
    given = None if decimals is None or decimals.literal == 0 else decimals.code
    return Written(c.write("torch.round", c.self_text("a"), decimals=given, out=_out(c)), dtype)


@adaptor
def nan_to_num(c: CallSite) -> Written:
    """Replaces NaN and infinities."""
    if c.literal("copy", True) is False:
        c.fail(f"passes `copy=False` to `{c.name}`; assign its result instead")
    keywords = {name: c.text(name, "") or None for name in ("nan", "posinf", "neginf")}
    return Written(c.write("torch.nan_to_num", c.tensor("x"), **keywords), c.need("x").value.numpy_dtype)


def _operands(c: CallSite, a: Argument, b: Argument, numpy_dtype: str | None) -> tuple[str, str, str | None]:
    """Casts what must be cast so that torch arrives at NumPy's dtype."""
    predicted = torch_result([a.value, b.value])
    if numpy_dtype is None or predicted is None or predicted == numpy_dtype:
        return c.tensor(a) if a.value.is_tensor else a.code, c.tensor(b) if b.value.is_tensor else b.code, predicted
    for first, second in ((True, False), (False, True)):
        pair = [_cast(a.value, numpy_dtype, first), _cast(b.value, numpy_dtype, second)]
        if torch_result(pair) == numpy_dtype and (not first or a.value.is_tensor) and (not second or b.value.is_tensor):
            return (
                c.tensor(a, numpy_dtype) if first else a.code,
                c.tensor(b, numpy_dtype) if second else b.code,
                numpy_dtype,
            )
    return c.tensor(a, numpy_dtype), c.tensor(b, numpy_dtype), numpy_dtype


def _cast(value: Value, dtype: str, do: bool) -> Value:
    return Value("tensor", dtype, value.shape) if do else value


_NUMBER_FIRST = frozenset(
    {"torch.pow", "torch.remainder", "torch.float_power", "torch.bitwise_and", "torch.bitwise_or"}
)
_TENSORS_ONLY = frozenset({"torch.gcd", "torch.lcm", "torch.nextafter"})
_SYMBOLS = {
    "torch.add": "+", "torch.sub": "-", "torch.mul": "*", "torch.div": "/", "torch.floor_divide": "//",
    "torch.gt": ">", "torch.ge": ">=", "torch.lt": "<", "torch.le": "<=", "torch.eq": "==", "torch.ne": "!=",
    "torch.bitwise_left_shift": "<<", "torch.bitwise_right_shift": ">>",
}  # fmt: skip


def _pair(c: CallSite, a: Argument, b: Argument, compute: str | None, result: str | None) -> Written:
    """Writes a function of two operands, of which one may be a Python number."""
    target, out = c.entry.target, _out(c)
    left, right, dtype = _operands(c, a, b, compute)
    if target in _TENSORS_ONLY and a.value.is_tensor != b.value.is_tensor:
        left, right = c.tensor(a, dtype), c.tensor(b, dtype)
    if not a.value.is_tensor and b.value.is_tensor and target not in _NUMBER_FIRST:
        if target in _SYMBOLS and out is None:
            return Written(f"({a.atom} {_SYMBOLS[target]} {right})", result or dtype)
        left = c.tensor(a, b.value.dtype if category(a.value.dtype) == category(b.value.dtype) else None)
    if a.value.is_tensor and b.value.kind == "sequence":
        right = c.tensor(b)
    elif b.value.kind == "sequence" or a.value.kind == "sequence":
        left, right = c.tensor(a), c.tensor(b)
    if (left, right) == (a.code, b.code) and out is None and c.plain:
        return Written("", result or dtype, target=target)
    return Written(c.write(target, left, right, out=out), result or dtype)


@adaptor
def binary(c: CallSite) -> Written:
    """Arithmetic in NumPy's dtype."""
    a, b = c.need("x1"), c.need("x2")
    wanted = c.wanted.dtype if c.get("out") is None else None
    return _pair(c, a, b, wanted or numpy_result([a.value, b.value]), None)


@adaptor
def divide(c: CallSite) -> Written:
    """True division: integers become float64 first."""
    a, b = c.need("x1"), c.need("x2")
    wanted = c.wanted.dtype if c.get("out") is None else None
    if wanted is None and {category(a.value.dtype), category(b.value.dtype)} <= {"int", "bool"}:
        wanted = "float64"
    return _pair(c, a, b, wanted, None)


@adaptor
def binary_real(c: CallSite) -> Written:
    """Functions of two real numbers, both of which torch wants as tensors."""
    a, b = c.need("x1"), c.need("x2")
    wanted = c.wanted.dtype or numpy_result([a.value, b.value])
    if category(wanted) in ("int", "bool") and not c.wanted.dtype:
        wanted = "float64"
    left, right, dtype = _operands(c, a, b, wanted)
    if not a.value.is_tensor:
        left = c.tensor(a, wanted)
    if not b.value.is_tensor:
        right = c.tensor(b, wanted)
    if (left, right) == (a.code, b.code) and c.plain:
        return Written("", dtype, target=c.entry.target)
    return Written(c.write(c.entry.target, left, right, out=_out(c)), dtype)


@adaptor
def comparison(c: CallSite) -> Written:
    """Comparisons, made in the dtype in which NumPy makes them."""
    a, b = c.need("x1"), c.need("x2")
    return _pair(c, a, b, numpy_result([a.value, b.value]), "bool")


@adaptor
def logical(c: CallSite) -> Written:
    """Logic on truth values, both of which torch wants as tensors."""
    a, b = c.need("x1"), c.need("x2")
    if a.value.is_tensor and b.value.is_tensor and c.plain:
        return Written("", "bool", target=c.entry.target)
    return Written(c.write(c.entry.target, c.tensor(a), c.tensor(b), out=_out(c)), "bool")


@adaptor
def extremum(c: CallSite) -> Written:
    """The larger or smaller of two; against a Python number it is a clamp."""
    a, b = c.need("x1"), c.need("x2")
    wanted = c.wanted.dtype or numpy_result([a.value, b.value])
    if a.value.kind == "number":
        a, b = b, a
    if b.value.kind == "number" and a.value.is_tensor and not c.path.endswith(("fmax", "fmin")):
        side = "min" if c.path.endswith("maximum") else "max"
        text = c.tensor(a, wanted)
        dtype = wanted or a.value.dtype
        return Written(c.write("torch.clamp", text, out=_out(c), **{side: b.code}), dtype)
    left, right, dtype = _operands(c, a, b, wanted)
    if not a.value.is_tensor:
        left = c.tensor(a, wanted)
    if not b.value.is_tensor:
        right = c.tensor(b, wanted)
    if (left, right) == tuple(g.code for g in c.given) and c.plain:
        return Written("", dtype, target=c.entry.target)
    return Written(c.write(c.entry.target, left, right, out=_out(c)), dtype)


@adaptor
def clamp(c: CallSite) -> Written:
    """Limits to an interval; torch takes two numbers or two tensors."""
    a = c.need("a")
    low, high = c.get("a_min") or c.get("min"), c.get("a_max") or c.get("max")
    if low is None and high is None:
        c.fail(f"calls `{c.name}` without limits")
    wanted = c.wanted.dtype or a.value.dtype
    limits = {name: x for name, x in (("min", low), ("max", high)) if x is not None}
    if len({x.value.kind == "number" for x in limits.values()}) > 1 and _out(c) is None:
        # torch takes two numbers or two tensors, not one of each
        lower = c.write("torch.clamp", c.self_text("a", wanted), min=_limit(c, limits["min"], wanted))
        return Written(f"{c.context.spell('torch.clamp')}({lower}, max={_limit(c, limits['max'], wanted)})", wanted)
    texts = {name: _limit(c, limit, wanted) for name, limit in limits.items()}
    return Written(c.write("torch.clamp", c.self_text("a", wanted), out=_out(c), **texts), wanted)


def _limit(c: CallSite, limit: Argument, dtype: str | None) -> str:
    return limit.code if limit.value.kind == "number" else c.tensor(limit, dtype)


@adaptor
def where(c: CallSite) -> Written:
    """Chooses between two; of two Python numbers one becomes a tensor, since torch would take float32."""
    condition = c.need("condition")
    if c.get("x") is None and c.get("y") is None:
        text = c.write("torch.nonzero", c.tensor(condition), as_tuple="True")
        return Written(text, kind="sequence", items=c.wanted.items)
    a, b = c.need("x"), c.need("y")
    mask = c.tensor(condition)
    if category(condition.value.dtype) not in ("bool", None):
        mask = f"{c.tensor(condition, operator=True)} != 0"
    wanted = c.wanted.dtype
    if a.value.kind == "number" and b.value.kind == "number":
        wanted = wanted or numpy_result(
            [Value("tensor", a.value.numpy_dtype, ()), Value("tensor", b.value.numpy_dtype, ())]
        )
        return Written(c.write("torch.where", mask, c.tensor(a, wanted), b.code), wanted)
    left, right, dtype = _operands(c, a, b, wanted or numpy_result([a.value, b.value]))
    if a.value.kind == "sequence":
        left = c.tensor(a, wanted)
    if b.value.kind == "sequence":
        right = c.tensor(b, wanted)
    if (mask, left, right) == (condition.code, a.code, b.code) and c.plain:
        return Written("", dtype, target="torch.where")
    return Written(c.write("torch.where", mask, left, right), dtype)


@adaptor
def select(c: CallSite) -> Written:
    """Chooses by the first condition that holds: nested choices of two."""
    conditions, choices = c.need("condlist").parts, c.need("choicelist").parts
    if not conditions or len(conditions) != len(choices):
        c.fail(f"computes the lists of `{c.name}`; write the conditions and choices out")
    wanted = c.wanted.dtype
    text = (
        c.tensor("default", wanted) if c.get("default") else f"{c.context.spell('torch.tensor')}(0{_typed(c, wanted)})"
    )
    for condition, choice in zip(reversed(conditions), reversed(choices), strict=True):
        chosen = c.tensor(choice, wanted) if choice.value.is_tensor else choice.code
        text = f"{c.context.spell('torch.where')}({condition.code}, {chosen}, {text})"
    return Written(text, wanted)


def _typed(c: CallSite, dtype: str | None) -> str:
    return "" if dtype is None else f", dtype={c.dtype(dtype)}"


@adaptor
def close(c: CallSite) -> Written:
    """Closeness; torch wants two tensors of one dtype."""
    a, b = c.need("a"), c.need("b")
    dtype = numpy_result([a.value, b.value])
    if category(dtype) in ("int", "bool"):
        dtype = "float64"
    keywords = {name: c.text(name, "") or None for name in ("rtol", "atol", "equal_nan")}
    text = c.write(c.entry.target, c.tensor(a, dtype), c.tensor(b, dtype), **keywords)
    return Written(text, "bool", kind="number" if c.entry.target.endswith("allclose") else "tensor")


@adaptor
def equal(c: CallSite) -> Written:
    """Equality of whole arrays, a Python bool in both libraries; torch wants one dtype."""
    a, b = c.need("a1"), c.need("a2")
    dtype = numpy_result([a.value, b.value])
    return Written(c.write("torch.equal", c.tensor(a, dtype), c.tensor(b, dtype)), "bool", kind="number")


@adaptor
def polygamma(c: CallSite) -> Written:
    """Derivatives of digamma."""
    cast = c.real_input("x")
    text = c.write("torch.special.polygamma", c.need("n").code, c.tensor("x", cast))
    return Written(text, cast or c.need("x").value.numpy_dtype)


@adaptor
def beta_log(c: CallSite) -> Written:
    """The logarithm of the beta function, by three of gamma."""
    gamma = c.context.spell("torch.special.gammaln")
    a, b = c.tensor("a", c.wanted.dtype, operator=True), c.tensor("b", c.wanted.dtype, operator=True)
    return Written(f"({gamma}({a}) + {gamma}({b}) - {gamma}({a} + {b}))", c.wanted.dtype)
