"""JAX's rules of type promotion as data, for x64 mode: what dtype JAX gives where NumPy may give another one.

One module a library holds its rules: this one JAX's, `backends.torch.kinds` torch's (which also knows whether a value
is a tensor or a number there), `backends.numba.typing_model` Numba's. Rewrites and gotcha rules read the same.

Source: JAX, "Type promotion semantics" (JEP 9407); the entries were checked against JAX 0.10.
"""

from __future__ import annotations

from jitmagic.observe.facts import ValueFact

_BITS = {"8": 8, "16": 16, "32": 32, "64": 64}
_FLOATS = ("float16", "float32", "float64")


def is_integer(dtype: str) -> bool:
    """Says whether a dtype is a (signed or unsigned) integer or bool."""
    return dtype == "bool" or dtype.startswith(("int", "uint"))


def _bits(dtype: str) -> int:
    return int("".join(c for c in dtype if c.isdigit()))


def promoted(a: str, b: str) -> str | None:
    """Returns the dtype of an operation on two arrays in JAX, None for dtypes that JAX does not have.

    >>> promoted("int32", "float32"), promoted("uint8", "int8"), promoted("float64", "complex64")
    ('float32', 'int16', 'complex128')
    """
    if a == b:
        return a
    if a == "bool":
        return b
    if b == "bool":
        return a
    if is_integer(a) and is_integer(b):
        if a.startswith("u") == b.startswith("u"):
            return max(a, b, key=_bits)
        unsigned, signed = (a, b) if a.startswith("u") else (b, a)
        if _bits(unsigned) < _bits(signed):
            return signed
        return f"int{2 * _bits(unsigned)}" if _bits(unsigned) < 64 else "float64"
    if is_integer(a):
        return b
    if is_integer(b):
        return a
    if a in _FLOATS and b in _FLOATS:
        return max(a, b, key=_bits)
    if a.startswith("complex") or b.startswith("complex"):
        halves = [_bits(d) // 2 if d.startswith("complex") else _bits(d) for d in (a, b)]
        return "complex128" if max(halves) == 64 else "complex64"
    return None


def inexact(dtype: str) -> str:
    """Returns the dtype that JAX computes ``sqrt``, ``mean`` or a true division in."""
    if not is_integer(dtype):
        return dtype
    return "float64" if dtype in ("int64", "uint64") else "float32"


def weakly(dtype: str, kind: str) -> str:
    """Returns the dtype of an operation on an array and a Python number (``"int"``, ``"float"``, ``"complex"``)."""
    if kind == "bool" or (kind == "int" and dtype != "bool"):
        return dtype
    if kind == "int":
        return "int64"
    if kind == "float":
        return "float64" if is_integer(dtype) else dtype
    if dtype.startswith("complex"):
        return dtype
    return "complex64" if dtype in ("float16", "float32") else "complex128"


def of_operands(facts: list[ValueFact]) -> str | None:
    """Returns the dtype that JAX gives to an operation on these operands; None if they are all Python numbers."""
    strong = [f.dtype for f in facts if f.kind in ("array", "scalar") and f.dtype is not None]
    if not strong:
        return None
    result: str | None = strong[0]
    for dtype in strong[1:]:
        if result is None:
            return None
        result = promoted(result, dtype)
    for fact in facts:
        if result is not None and fact.kind in ("int", "float", "complex", "bool"):
            result = weakly(result, fact.kind)
    return result
