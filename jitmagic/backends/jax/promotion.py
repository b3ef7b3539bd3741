"""JAX's rules of type promotion as data, for x64 mode: what dtype JAX gives where NumPy may give another one.

One module a library holds its rules: this one JAX's, `backends.torch.kinds` torch's (which also knows whether a value
is a tensor or a number there), `backends.numba.typing_model` Numba's. Rewrites and gotcha rules read the same.

Source: JAX, "Type promotion semantics" (JEP 9407); the entries were checked against JAX 0.10.
"""

from __future__ import annotations

import libcst as cst

from jitmagic.generate.blocks import code
from jitmagic.generate.kinds import Kinds
from jitmagic.observe.facts import ValueFact

_INEXACT_NAMES = "sqrt cbrt exp expm1 log log2 log10 log1p sin cos tan arcsin arccos arctan arctan2 sinh cosh tanh"
_SAME_NAMES = "abs absolute maximum minimum where add subtract multiply negative power clip"
_INEXACT = frozenset(f"__numpy__.{name}" for name in _INEXACT_NAMES.split())
_SAME = frozenset(f"__numpy__.{name}" for name in _SAME_NAMES.split()) | {"abs", "min", "max"}

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


def of_expression(node: cst.BaseExpression, kinds: Kinds) -> ValueFact | None:
    """Returns the kind and dtype of what JAX makes of an expression, from those of its parts; None where unknown.

    Unlike what was observed, it also answers for expressions that a rewrite made. Shapes are not followed: of an array
    and a scalar alike it says "array", unless all parts are known to be scalars.
    """
    if isinstance(node, cst.Subscript) and isinstance(node.value, cst.Name):
        array = kinds.of(node.value)
        if array is None or array.kind != "array" or array.shape is None or array.dtype is None:
            return None
        scalar = len(node.slice) == len(array.shape) and all(
            isinstance(e.slice, cst.Index) and not kinds.is_array(e.slice.value) for e in node.slice
        )
        return ValueFact("scalar" if scalar else "array", array.dtype)
    if isinstance(node, cst.BinaryOperation | cst.Call):
        parts = [node.left, node.right] if isinstance(node, cst.BinaryOperation) else [a.value for a in node.args]
        called = code(node.func) if isinstance(node, cst.Call) else ""
        if called == "__numpy__.where":
            parts = parts[1:]
        elif called and called not in _INEXACT | _SAME:
            return kinds.of(node)
        facts = [of_expression(part, kinds) for part in parts]
        known = [fact for fact in facts if fact is not None]
        dtype = of_operands(known) if len(known) == len(facts) else None
        if dtype is None:
            return kinds.of(node)
        if called in _INEXACT or isinstance(getattr(node, "operator", None), cst.Divide):
            dtype = inexact(dtype)
        return ValueFact("array" if any(fact.kind == "array" for fact in known) else "scalar", dtype)
    if isinstance(node, cst.UnaryOperation) and isinstance(node.operator, cst.Minus | cst.Plus):
        return of_expression(node.expression, kinds)
    return kinds.of(node)
