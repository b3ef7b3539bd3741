"""Writes a value as a Python expression that gives back the same value, bit for bit.

>>> literal(-0.0, "np"), literal((1, float("inf")), "np"), literal(0.5j, "np")
('-0.0', '(1, float("inf"))', '0.5j')
>>> import numpy
>>> literal(numpy.float32(0.1), "np")
'np.float32(0.10000000149011612)'
>>> literal([1, 2], "np") is None
True
"""

from __future__ import annotations

import math
import struct
from typing import Any

import numpy as np

MOST_ELEMENTS = 16
"""Arrays with more elements than this are not written out: they would bury the code."""

MOST_CHARACTERS = 2000
"""Longer literals (a long string, an integer of thousands of digits) are not written out."""

SCALARS: dict[type, str] = {
    np.bool_: "bool_",
    np.int8: "int8",
    np.int16: "int16",
    np.int32: "int32",
    np.int64: "int64",
    np.uint8: "uint8",
    np.uint16: "uint16",
    np.uint32: "uint32",
    np.uint64: "uint64",
    np.float16: "float16",
    np.float32: "float32",
    np.float64: "float64",
    np.complex64: "complex64",
    np.complex128: "complex128",
}


def literal(value: Any, numpy: str) -> str | None:
    """Writes a value as an expression; None where it cannot be written exactly.

    Written are bool, int, float, complex, str, bytes, None, Ellipsis, slices, (nested) tuples, NumPy scalars and dtypes
    of the plain numeric kinds, and contiguous, writable arrays of at most 16 such elements.

    Parameters
    ----------
    value : object
    numpy : str
        The name that NumPy is bound to where the expression will stand.
    """
    text = _write(value, numpy)
    if text is None or len(text) > MOST_CHARACTERS:
        return None
    again = eval(text, {numpy: np})
    return text if identical(again, value) else None


def needs_numpy(value: Any) -> bool:
    """Says whether the literal of a value names NumPy."""
    if type(value) is tuple:
        return any(needs_numpy(each) for each in value)
    if type(value) is slice:
        return any(needs_numpy(each) for each in (value.start, value.stop, value.step))
    return isinstance(value, np.generic | np.ndarray | np.dtype)


def _write(value: Any, numpy: str) -> str | None:
    kind = type(value)
    if value is None or value is Ellipsis or kind is bool or kind is str or kind is bytes:
        return repr(value)
    if kind is int:
        return repr(value) if value.bit_length() < 4000 else None
    if kind is float:
        return _write_float(value)
    if kind is complex:
        return _write_complex(value)
    if kind is tuple:
        items = [_write(each, numpy) for each in value]
        if any(each is None for each in items):
            return None
        return "(" + ", ".join(each for each in items if each is not None) + (",)" if len(items) == 1 else ")")
    if kind is slice:
        parts = [_write(each, numpy) for each in (value.start, value.stop, value.step)]
        return None if None in parts else f"slice({', '.join(str(each) for each in parts)})"
    if kind in SCALARS:
        inner = _write(value.item(), numpy)
        return None if inner is None else f"{numpy}.{SCALARS[kind]}({inner})"
    if isinstance(value, np.dtype):
        return f'{numpy}.dtype("{value.name}")' if value.type in SCALARS and value.isnative else None
    if kind is np.ndarray:
        return _write_array(value, numpy)
    return None


def _write_float(value: float) -> str:
    if math.isfinite(value):
        return repr(value)
    text = 'float("nan")' if math.isnan(value) else 'float("inf")'
    return f"-{text}" if math.copysign(1.0, value) < 0 else text


def _write_complex(value: complex) -> str:
    text = repr(value)
    if math.isfinite(value.real) and math.isfinite(value.imag) and identical(eval(text), value):
        return text
    return f"complex({_write_float(value.real)}, {_write_float(value.imag)})"


def _write_array(value: np.ndarray, numpy: str) -> str | None:
    plain = value.dtype.type in SCALARS and value.dtype.isnative and value.flags.c_contiguous and value.flags.writeable
    if not plain or not 0 < value.size <= MOST_ELEMENTS:
        return None

    def items(part: Any) -> str:
        if isinstance(part, list):
            return "[" + ", ".join(items(each) for each in part) + "]"
        return _write(part, numpy) or ""

    return f"{numpy}.array({items(value.tolist())}, dtype={numpy}.{SCALARS[value.dtype.type]})"


def identical(one: Any, other: Any) -> bool:
    """Says whether two values are of one type and equal bit for bit: -0.0 is not 0.0, a NaN is its own payload."""
    if type(one) is not type(other):
        return False
    if isinstance(one, float):
        return struct.pack("<d", one) == struct.pack("<d", other)
    if isinstance(one, complex):
        return struct.pack("<dd", one.real, one.imag) == struct.pack("<dd", other.real, other.imag)
    if isinstance(one, tuple | list):
        return len(one) == len(other) and all(map(identical, one, other))
    if isinstance(one, dict):
        return list(one) == list(other) and all(identical(one[key], other[key]) for key in one)
    if isinstance(one, slice):
        return identical((one.start, one.stop, one.step), (other.start, other.stop, other.step))
    if isinstance(one, np.ndarray):
        return (
            one.dtype == other.dtype
            and one.shape == other.shape
            and not one.dtype.hasobject
            and one.tobytes() == other.tobytes()
        )
    if isinstance(one, np.generic):
        return one.dtype == other.dtype and one.tobytes() == other.tobytes()
    try:
        return bool(one == other)
    except (TypeError, ValueError):
        return one is other
