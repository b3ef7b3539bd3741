"""How far a function's own result moves when its arguments move by one unit in the last place.

Two right programs that round in another order differ by about as much: where a result moves by 1e-10 for one unit
(a system of equations near to singular, a search that stops on a threshold, a chaotic orbit), a difference of 1e-11
says nothing against a variant, and a fixed tolerance would.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from jitmagic.same_bits import same_bits
from jitmagic.verify.compare import compare_call

RUNS = 4
_STEPS = 64.0
"""A variant may be this many times as far as one unit moves NumPy: its rounding errors are some units, in each step."""


def moved(value: Any, rng: np.random.Generator) -> Any:
    """Returns a copy of a nested value whose floats are one unit in the last place up or down, or as they were."""
    if isinstance(value, np.ndarray):
        if value.dtype.kind == "f":
            ends = np.array([-np.inf, np.inf], value.dtype)
            neighbours = np.nextafter(value, ends[rng.integers(0, 2, value.shape)])
            return np.where(np.isfinite(neighbours) & np.isfinite(value) & (value != 0), neighbours, value)
        if value.dtype.kind == "c":
            result = np.empty_like(value)
            result.real, result.imag = moved(value.real, rng), moved(value.imag, rng)
            return result
        return value.copy()
    if isinstance(value, float) and value not in (0.0, 1.0) and np.isfinite(value):
        return float(np.nextafter(value, rng.choice([-np.inf, np.inf])))
    if isinstance(value, tuple | list):
        return type(value)(moved(part, rng) for part in value)
    return value


def own_movement(function: Callable[..., Any], make_args: Callable[[], Sequence[Any]], seed: int = 0) -> float:
    """Returns the largest absolute change of a result, or of a changed argument, over a few runs.

    Parameters
    ----------
    function : callable
        NumPy's: it may change its arguments.
    make_args : callable
        Returns fresh arguments, equal each time.
    seed : int
        For which way each number moves.
    """
    rng = np.random.default_rng(seed)
    args = make_args()
    expected = function(*args)
    # what the function leaves as it was has moved by what it was moved
    written = [number for number, fresh in enumerate(make_args()) if not same_bits(fresh, args[number])]
    labels = [str(number) for number in written]
    largest = 0.0
    for _ in range(RUNS):
        others = moved(tuple(make_args()), rng)
        actual = function(*others)
        finding = compare_call(
            expected, actual, {str(n): args[n] for n in written}, {str(n): others[n] for n in written}, labels, 1
        )
        if finding.max_abs is not None and np.isfinite(finding.max_abs) and finding.kind in ("", "values", "mutated"):
            largest = max(largest, finding.max_abs)
    return largest


def is_within(difference: float | None, movement: float) -> bool:
    """Says whether a difference from NumPy is of the size that NumPy's own result moves by."""
    return difference is not None and difference <= _STEPS * movement
