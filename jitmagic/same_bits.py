"""Compares two nested values bit for bit, without a call of a user's ``__eq__``.

The one answer to "was it changed?", for the watched run (mutated arguments, globals, random state) and for the
verification (arguments that a variant must leave as they are).
"""

from __future__ import annotations

import copyreg
import types
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

_BY_VALUE = (str, bytes, int, bool, type(None), type(Ellipsis), range, slice, np.dtype)
_BY_IDENTITY = (type, types.FunctionType, types.BuiltinFunctionType, types.ModuleType, np.ufunc)

Leaf = Callable[[Any, Any], bool]

_CHUNK = 2**12
"""Elements compared at a time. Temporaries of more than 128 kB would teach malloc to keep freed memory, and make the
function that is timed next faster than it is in a user's process; see ``measure.transport._copied``."""


def same_bits(first: object, second: object) -> bool:
    """Says whether two values are the same bit for bit: NaNs with equal bits are equal, 0.0 and -0.0 are not.

    Arrays need equal dtypes and shapes. Containers are compared item by item, objects by their state.

    >>> same_bits([np.array([1.0, np.nan])], [np.array([1.0, np.nan])])
    True
    >>> same_bits(np.zeros(2), -np.zeros(2))
    False
    """
    return _Comparison(_same_array_bits).same(first, second)


def same_values(first: object, second: object) -> bool:
    """Says whether two results of one computation are the same but for rounding (and NaN where NaN is)."""
    return _Comparison(_close_arrays).same(first, second)


def chunks(
    left: np.ndarray[Any, Any], right: np.ndarray[Any, Any]
) -> Iterator[tuple[int, np.ndarray[Any, Any], np.ndarray[Any, Any]]]:
    """Yields two arrays of one shape piece by piece in C order, each piece with the flat index of its first element."""
    if left.flags.c_contiguous and right.flags.c_contiguous:
        one, two = left.reshape(-1), right.reshape(-1)
        for start in range(0, left.size, _CHUNK):
            yield start, one[start : start + _CHUNK], two[start : start + _CHUNK]
        return
    start = 0
    flags = ["external_loop", "buffered", "zerosize_ok"]
    for one, two in np.nditer([left, right], flags, order="C", buffersize=_CHUNK):  # type: ignore[call-overload]
        yield start, one, two
        start += one.size


def largest_magnitude(array: np.ndarray[Any, Any]) -> float:
    """Returns the largest finite magnitude, zero where there is none."""
    largest = 0.0
    for _, piece, _ in chunks(array, array):
        chunk = np.abs(piece[np.isfinite(piece)])
        if chunk.size:
            largest = max(largest, float(chunk.max()))
    return largest


def _same_array_bits(first: np.ndarray[Any, Any], second: np.ndarray[Any, Any]) -> bool:
    if first.dtype.names is not None:
        return all(_same_array_bits(first[name], second[name]) for name in first.dtype.names)
    if first.dtype.kind == "c":
        return _same_array_bits(first.real, second.real) and _same_array_bits(first.imag, second.imag)
    return all(_same_piece_bits(one, two) for _, one, two in chunks(first, second))


def _same_piece_bits(first: np.ndarray[Any, Any], second: np.ndarray[Any, Any]) -> bool:
    kind, size = first.dtype.kind, first.dtype.itemsize
    if (kind == "f" and size <= 8) or kind in "mM":
        bits = f"u{size}"
        return bool((first.view(bits) == second.view(bits)).all())
    if kind == "f":  # long double has padding bytes of any value
        signs = np.array_equal(np.signbit(first), np.signbit(second))
        return bool(signs and np.array_equal(first, second, equal_nan=True))
    if kind == "V":
        return first.tobytes() == second.tobytes()
    return bool((first == second).all())


def _close_arrays(first: np.ndarray[Any, Any], second: np.ndarray[Any, Any]) -> bool:
    if first.dtype.kind not in "fc":
        return _same_array_bits(first, second)
    tolerance = float(np.sqrt(np.finfo(first.dtype).eps))
    with np.errstate(all="ignore"):
        scale = tolerance * largest_magnitude(first)
        return all(
            np.allclose(one, two, rtol=tolerance, atol=scale, equal_nan=True) for _, one, two in chunks(first, second)
        )


class _Comparison:
    def __init__(self, arrays: Leaf) -> None:
        self._arrays = arrays
        self._under_way: set[tuple[int, int]] = set()

    def same(self, first: Any, second: Any) -> bool:
        if first is second:
            return True
        kind = _kind(first)
        if kind is not _kind(second):
            return False
        if issubclass(kind, np.ndarray):
            return self._same_arrays(first, second)
        if issubclass(kind, np.generic):
            return self._same_arrays(np.asarray(first), np.asarray(second))
        if kind is float or kind is complex:
            return self._same_arrays(np.asarray(first), np.asarray(second))
        if kind in _BY_VALUE:
            return bool(first == second)
        if issubclass(kind, _BY_IDENTITY):
            return False
        # A cycle is the same where nothing in it differs.
        pair = (id(first), id(second))
        if pair in self._under_way:
            return True
        self._under_way.add(pair)
        try:
            return self._same_parts(kind, first, second)
        finally:
            self._under_way.discard(pair)

    def _same_arrays(self, first: np.ndarray[Any, Any], second: np.ndarray[Any, Any]) -> bool:
        if first.dtype != second.dtype or first.shape != second.shape:
            return False
        if isinstance(first, np.ma.MaskedArray):
            masks = self.same(np.ma.getmaskarray(first), np.ma.getmaskarray(second))
            return masks and self._same_arrays(np.asarray(first), np.asarray(second))
        if first.dtype.hasobject:
            return self.same(first.tolist(), second.tolist())
        return self._arrays(np.asarray(first), np.asarray(second))

    def _same_parts(self, kind: type, first: Any, second: Any) -> bool:
        if issubclass(kind, list | tuple):
            return len(first) == len(second) and all(map(self.same, first, second))
        if issubclass(kind, dict):
            return list(map(type, first)) == list(map(type, second)) and (
                all(map(self.same, first, second)) and all(map(self.same, first.values(), second.values()))
            )
        if issubclass(kind, set | frozenset):
            if all(type(item) in _BY_VALUE or type(item) is float for item in (*first, *second)):
                return bool(first == second)
            return len(first) == len(second)
        try:
            return self.same(_state(first), _state(second))
        except (TypeError, AttributeError):
            # Pickle can get no state of it (a lock, a file), so there is none to compare.
            return True


def _kind(value: Any) -> type:
    # an array that lies in a file is an array
    return np.ndarray if type(value) is np.memmap else type(value)


def _state(value: Any) -> Any:
    """Returns what pickle would keep of an object; raises TypeError where it can keep nothing."""
    reducer = copyreg.dispatch_table.get(type(value))
    reduced = reducer(value) if reducer is not None else value.__reduce_ex__(4)
    if isinstance(reduced, str):
        return reduced
    # Items 3 and 4 are iterators over the elements of list and dict subclasses.
    return [list(part) if place in (3, 4) and part is not None else part for place, part in enumerate(reduced)]
