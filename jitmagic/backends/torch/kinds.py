"""What a translated expression is at run time, and how torch and NumPy promote: pure data, no torch imported.

torch knows three ranks of operand where NumPy knows two: tensors with axes, tensors without (0-d), and
Python numbers. A lower rank changes the result's dtype only if its *category* (bool < integer <
floating < complex) is higher, and Python floats then bring in torch's default, float32.
Source: "Tensor Attributes", section on type promotion, docs.pytorch.org; checked against `torch.result_type` by a test.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from jitmagic.observe.facts import ValueFact

SUPPORTED = frozenset(
    ["bool", "uint8", "int8", "int16", "int32", "int64", "float16", "float32", "float64", "complex64", "complex128"]
)
"""The NumPy dtypes with which torch computes."""

NO_ARITHMETIC = frozenset({"uint16", "uint32", "uint64"})
"""The dtypes that torch stores but does not compute with (gotcha PT-UINT)."""

PYTHON_KINDS = ("bool", "int", "float", "complex")
"""Facts of Python's own numbers."""

_WEAK: dict[str, Any] = {"bool": True, "int": 0, "float": 0.0, "complex": 0j}
_DEFAULT = {"bool": "bool", "int": "int64", "float": "float32", "complex": "complex64"}
_STRONG = {"bool": "bool", "int": "int64", "float": "float64", "complex": "complex128"}


@dataclass(frozen=True)
class Value:
    """What a translated expression is.

    Attributes
    ----------
    kind : str
        ``"tensor"``; ``"number"`` (a Python number); ``"either"`` (a 0-d tensor or a number, by the path taken);
        ``"sequence"`` (tuple or list); ``"other"`` (None, str, dtype, …); ``"unknown"``.
    dtype : str or None
        NumPy's name of a tensor's dtype; for numbers ``"bool"``, ``"int"``, ``"float"`` or ``"complex"``.
    shape : tuple of (int or None), or None
        Of a tensor.
    scalar : bool
        NumPy has an immutable scalar of its own (which promotes as an array does) where torch has a 0-d tensor, or
        where its source has a Python number.
    items : tuple of Value
        Elements of a sequence.
    view : bool
        The expression is a view of another variable's memory, not a new value.
    """

    kind: str
    dtype: str | None = None
    shape: tuple[int | None, ...] | None = None
    scalar: bool = False
    items: tuple[Value, ...] = ()
    view: bool = False

    @property
    def ndim(self) -> int | None:
        """Number of axes of a tensor; None where it is not known."""
        return None if self.shape is None else len(self.shape)

    @property
    def is_tensor(self) -> bool:
        """Whether it is a tensor on every path."""
        return self.kind == "tensor"

    @property
    def may_be_tensor(self) -> bool:
        """Whether it is a tensor on some path."""
        return self.kind in ("tensor", "either")

    @property
    def numpy_dtype(self) -> str | None:
        """The dtype that `numpy.asarray` gives it, for tensors, numbers and sequences of these."""
        if self.kind in ("number", "either"):
            return _STRONG.get(self.dtype or "", self.dtype)
        if self.kind == "sequence":
            found = [item.numpy_dtype for item in self.items]
            if not found or None in found:
                return None
            return str(np.result_type(*[np.dtype(d) for d in found if d is not None]))
        return self.dtype


UNKNOWN = Value("unknown")
OTHER = Value("other")
INT = Value("number", "int")
BOOL = Value("number", "bool")
FLOAT = Value("number", "float")


def from_fact(fact: ValueFact | None) -> Value:
    """Returns what NumPy's value becomes when arrays and NumPy scalars become tensors."""
    if fact is None:
        return UNKNOWN
    if fact.kind == "array":
        return Value("tensor", seen_dtype(fact), fact.shape)
    if fact.kind == "scalar":
        return Value("tensor", seen_dtype(fact), (), scalar=True)
    if fact.kind in PYTHON_KINDS:
        return Value("number", fact.kind)
    if fact.kind in ("tuple", "list"):
        return Value("sequence", items=tuple(from_fact(item) for item in fact.items))
    return UNKNOWN if fact.kind == "mixed" else OTHER


def seen_dtype(fact: ValueFact | None) -> str | None:
    """Returns the dtype in which torch computes what NumPy was seen to compute, None for what is no array.

    NumPy sums small unsigned integers in uint64, for which torch has no arithmetic: int64 holds the same values.
    """
    if fact is None or fact.kind not in ("array", "scalar"):
        return None
    return "int64" if fact.dtype == "uint64" else fact.dtype


def category(dtype: str | None) -> str | None:
    """Returns ``"bool"``, ``"int"``, ``"float"`` or ``"complex"`` for a dtype's name.

    >>> category("float32"), category("uint8")
    ('float', 'int')
    """
    if dtype is None:
        return None
    if dtype in PYTHON_KINDS:
        return dtype
    try:
        letter = np.dtype(dtype).kind
    except TypeError:
        return None
    return {"b": "bool", "i": "int", "u": "int", "f": "float", "c": "complex"}.get(letter)


def number(dtype: str | None) -> Value:
    """Returns a Python number of a dtype's category that stands for a scalar of NumPy's."""
    return Value("number", category(dtype), scalar=True)


def join(a: Value | None, b: Value | None) -> Value:
    """Returns what a variable is when it is ``a`` on one path and ``b`` on another."""
    if a is None or b is None:
        return a or b or UNKNOWN
    if a.kind == b.kind:
        if a.kind == "sequence":
            return a if a == b else Value("sequence")
        shape = a.shape if a.shape == b.shape else None
        dtype = a.dtype if a.dtype == b.dtype else _wider(a, b)
        return Value(a.kind, dtype, shape, a.scalar or b.scalar, view=a.view or b.view)
    if {a.kind, b.kind} <= {"tensor", "number", "either"}:
        tensor = next((v for v in (a, b) if v.kind != "number"), a)
        return Value("either", tensor.dtype, tensor.shape, a.scalar or b.scalar)
    return UNKNOWN


def _wider(a: Value, b: Value) -> str | None:
    if a.kind == "number" and a.dtype in PYTHON_KINDS and b.dtype in PYTHON_KINDS:
        return PYTHON_KINDS[max(PYTHON_KINDS.index(a.dtype or ""), PYTHON_KINDS.index(b.dtype or ""))]
    return None


def torch_result(values: Sequence[Value]) -> str | None:
    """Returns the dtype of `torch.result_type` over the operands, None where one is not known.

    >>> torch_result([Value("tensor", "int64", (3,)), Value("number", "float")])
    'float32'
    >>> torch_result([Value("tensor", "float32", (3,)), Value("tensor", "float64", ())])
    'float32'

    Of a tensor whose axes are not known it is told where it is the same with axes and without.

    >>> torch_result([Value("tensor", "int64", None), Value("number", "int")])
    'int64'
    """
    unknown = next((i for i, v in enumerate(values) if v.kind in ("tensor", "either") and v.shape is None), None)
    if unknown is not None:
        found = set()
        for shape in ((), (None,)):
            assumed = [replace(v, shape=shape) if i == unknown else v for i, v in enumerate(values)]
            found.add(torch_result(assumed))
        return found.pop() if len(found) == 1 else None
    ranks: dict[str, str | None] = {"axes": None, "bare": None, "number": None}
    for value in values:
        if value.kind == "number":
            rank, dtype = "number", _DEFAULT.get(value.dtype or "")
        elif value.kind in ("tensor", "either") and value.shape is not None:
            rank, dtype = "axes" if value.shape else "bare", _STRONG.get(value.dtype or "", value.dtype)
        else:
            return None
        if dtype not in SUPPORTED:
            return None
        ranks[rank] = _promote(ranks[rank], dtype)
    return _combine(ranks["axes"], _combine(ranks["bare"], ranks["number"]))


def numpy_result(values: Sequence[Value]) -> str | None:
    """Returns the dtype of `numpy.result_type` over the operands, None where one is not known.

    0-d tensors count as NumPy's scalars, which promote as arrays do (NEP 50); Python numbers are weak.
    """
    operands: list[Any] = []
    for value in values:
        if value.kind == "number" and value.scalar and value.dtype in _STRONG:
            operands.append(np.dtype(_STRONG[value.dtype]))
        elif value.kind == "number" and value.dtype in _WEAK:
            operands.append(_WEAK[value.dtype])
        elif value.kind in ("tensor", "either") and value.dtype in SUPPORTED:
            operands.append(np.dtype(value.dtype))
        else:
            return None
    return str(np.result_type(*operands)) if operands else None


def as_dtype(value: Value, dtype: str) -> Value:
    """Returns the value after ``.to(dtype)``."""
    return replace(value, kind="tensor", dtype=dtype, view=False)


def real_dtype(dtype: str | None) -> str | None:
    """Returns the dtype of the real part."""
    return {"complex64": "float32", "complex128": "float64"}.get(dtype or "", dtype)


def complex_dtype(dtype: str | None) -> str | None:
    """Returns the complex dtype of the same precision."""
    return {"float16": "complex32", "float32": "complex64", "float64": "complex128"}.get(dtype or "", dtype)


def _promote(a: str | None, b: str | None) -> str | None:
    if a is None or b is None:
        return a or b
    if _order(a) != _order(b) and "float" in (category(a), category(b)):
        low, high = sorted((a, b), key=_order)
        if category(low) in ("bool", "int"):
            return high  # NumPy widens int32 + float32 to float64; torch does not
    if _order(a) != _order(b) and "complex" in (category(a), category(b)):
        low, high = sorted((a, b), key=_order)
        return "complex128" if low == "float64" else high
    return str(np.promote_types(a, b))


def _order(dtype: str) -> int:
    return PYTHON_KINDS.index(category(dtype) or "bool")


def _combine(higher: str | None, lower: str | None) -> str | None:
    if higher is None or lower is None:
        return higher or lower
    if category(higher) == "complex":
        return higher
    if category(higher) == "float":
        return complex_dtype(higher) if category(lower) == "complex" else higher
    if category(higher) == "bool" or category(lower) in ("float", "complex"):
        return _promote(higher, lower)
    return higher


def reconcile(value: Value | None, fact: ValueFact | None) -> Value:
    """Returns what is known of an expression from its translation and from NumPy's run together.

    The translation knows whether torch holds a tensor or a number; NumPy's run knows dtype and shape.
    """
    seen = from_fact(fact)
    if value is None or value.kind == "unknown":
        return seen
    if fact is None or seen.kind in ("unknown", "other"):
        return value
    if value.kind in ("number", "either") and seen.is_tensor:
        dtype = category(seen.dtype) if value.kind == "number" else seen.dtype
        return replace(value, dtype=dtype or value.dtype, scalar=value.scalar or seen.scalar)
    if value.is_tensor and seen.is_tensor:
        # a dtype that varied between evaluations is not known, whatever the translation thinks
        return replace(seen, view=value.view)
    if value.kind == "sequence" and seen.kind == "sequence":
        return value if value.items else seen
    return seen if seen.kind == "number" and value.kind == "number" else value
