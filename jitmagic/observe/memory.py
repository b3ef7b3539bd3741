"""Finds arrays in nested values, and which of them share memory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.lib.array_utils import byte_bounds

Arrays = Sequence[np.ndarray[Any, Any]]

EFFORT = 10_000
"""Bound on the search for a common element (NumPy's ``max_work``); above it, common bounds count as shared."""


def arrays_in(value: object) -> list[np.ndarray[Any, Any]]:
    """Returns the arrays in a value made of tuples, lists, dicts and objects with attributes, each array once."""
    return list(_walk(value, set()))


def _walk(value: Any, visited: set[int]) -> Iterator[np.ndarray[Any, Any]]:
    kind = type(value)
    if id(value) in visited or issubclass(kind, int | float | complex | str | bytes | type | None | np.generic):
        return
    visited.add(id(value))
    if issubclass(kind, np.ndarray):
        if value.size:
            yield value
        if value.dtype.hasobject:
            for item in value.tolist() if value.ndim else [value.item()]:
                yield from _walk(item, visited)
    elif issubclass(kind, tuple | list | set | frozenset):
        for item in value:
            yield from _walk(item, visited)
    elif issubclass(kind, dict):
        for item in value.values():
            yield from _walk(item, visited)
    else:
        attributes = getattr(value, "__dict__", None)
        if type(attributes) is dict:
            yield from _walk(attributes, visited)


def share_memory(first: Arrays, second: Arrays) -> bool:
    """Says whether an array of one group shares an element with one of the other.

    Where finding out is too costly, arrays whose bounds overlap count as sharing.
    """
    # A sweep over the bounds: lists of thousands of arrays must not cost all pairs.
    spans = sorted(
        ((*byte_bounds(array), side, array) for side, group in enumerate((first, second)) for array in group),
        key=lambda span: span[:3],
    )
    open_spans: list[tuple[int, int, np.ndarray[Any, Any]]] = []
    for low, high, side, array in spans:
        open_spans = [span for span in open_spans if span[0] > low]
        if any(other_side != side and _shares(other, array) for _, other_side, other in open_spans):
            return True
        open_spans.append((high, side, array))
    return False


def _shares(first: np.ndarray[Any, Any], second: np.ndarray[Any, Any]) -> bool:
    try:
        return bool(np.shares_memory(first, second, max_work=EFFORT))  # type: ignore[arg-type]
    except np.exceptions.TooHardError:
        return True


def overlapping_pairs(arrays: Mapping[str, Arrays]) -> tuple[tuple[str, str], ...]:
    """Returns the pairs of labels whose arrays share memory, in the order of the labels."""
    labels = [label for label, group in arrays.items() if group]
    return tuple(
        (first, second)
        for place, first in enumerate(labels)
        for second in labels[place + 1 :]
        if share_memory(arrays[first], arrays[second])
    )
