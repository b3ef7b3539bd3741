"""How far a function's own result moves when its arguments move by one unit in the last place.

Two right programs that round in another order differ by about as much: where a result moves by 1e-10 for one unit
(a system of equations near to singular, a search that stops on a threshold, a chaotic orbit), a difference of 1e-11
says nothing against a variant, and a fixed tolerance would.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from jitmagic.same_bits import same_bits
from jitmagic.verify.compare import numeric_leaves
from jitmagic.verify.movement import STEPS, Movement

RUNS = 4

Call = tuple[tuple[Any, ...], dict[str, Any]]


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
        if isinstance(value, tuple) and hasattr(value, "_fields"):
            return type(value)(*(moved(part, rng) for part in value))
        return type(value)(moved(part, rng) for part in value)
    if type(value) is dict:
        return {key: moved(part, rng) for key, part in value.items()}
    return value


def movements(
    function: Callable[..., Any],
    make_call: Callable[[], Call],
    labels: Sequence[str],
    seed: int = 0,
    runs: int = RUNS,
    before: Callable[[], None] = lambda: None,
) -> dict[str, Movement]:
    """Returns how each array of a result, and each changed argument, moves over a few runs.

    Parameters
    ----------
    function : callable
        NumPy's: it may change its arguments.
    make_call : callable
        Returns fresh ``(args, kwargs)``, equal each time.
    labels : sequence of str
        A label an argument, positional ones first.
    seed : int
        For which way each number moves.
    runs : int
    before : callable
        Called before each run, e.g. to seed global generators.

    Returns
    -------
    dict of str to Movement
        By path, as :func:`jitmagic.verify.compare.compare_call` takes it; what does not move is left out.
    """
    rng = np.random.default_rng(seed)

    def leaves(call: Call) -> dict[str, np.ndarray[Any, Any]]:
        args, kwargs = call
        before()
        found = dict(numeric_leaves(function(*args, **kwargs)))
        for label, value in zip(labels, (*args, *kwargs.values()), strict=True):
            found.update(numeric_leaves(value, label))
        return found

    fresh = dict(zip(labels, (lambda call: (*call[0], *call[1].values()))(make_call()), strict=True))
    untouched = {path: value for label, one in fresh.items() for path, value in numeric_leaves(one, label)}
    expected = leaves(make_call())
    # what the function leaves as it was has moved by what it was moved
    watched = {
        path: value for path, value in expected.items()
        if path not in untouched or not same_bits(value, untouched[path])
    }  # fmt: skip
    found = {path: _Moves(value) for path, value in watched.items()}
    for _ in range(runs):
        actual = leaves(moved(make_call(), rng))
        for path, moves in found.items():
            moves.take(actual.get(path))
    return {path: moves.movement() for path, moves in found.items() if moves.size}


class _Moves:
    """What one array of a result does in run after run."""

    def __init__(self, value: np.ndarray[Any, Any]) -> None:
        self.value = value
        self.size = 0.0
        self.changed = np.zeros(value.shape, bool)
        self.seen: set[int] = set()

    def take(self, other: np.ndarray[Any, Any] | None) -> None:
        """Takes what the array was in a run."""
        if other is None or self.value.shape != other.shape:
            self.size = np.inf
            return
        with np.errstate(all="ignore"):
            left, right = (a.astype(np.result_type(a.dtype, np.float64), copy=False) for a in (self.value, other))
            equal = (left == right) | (np.isnan(left) & np.isnan(right))
            gap = np.where(equal, 0.0, np.abs(left - right))
        self.size = max(self.size, float(np.where(np.isfinite(gap), gap, np.inf).max(initial=0.0)))
        self.changed |= ~equal
        if other.size == 1 and other.dtype.kind in "biu" and not equal.all():
            self.seen.add(int(other.reshape(-1)[0]))

    def movement(self) -> Movement:
        return Movement(self.size, int(np.count_nonzero(self.changed)), tuple(sorted(self.seen)))


def own_movement(function: Callable[..., Any], make_args: Callable[[], Sequence[Any]], seed: int = 0) -> float:
    """Returns the largest of :func:`movements` that is finite; ``make_args`` returns fresh positional arguments."""
    labels = [str(number) for number in range(len(make_args()))]
    found = movements(function, lambda: (tuple(make_args()), {}), labels, seed)
    return largest(found)


def largest(found: Mapping[str, Movement]) -> float:
    """Returns by how much anything moves at most, what turns infinite or changes its shape apart."""
    return max((one.size for one in found.values() if np.isfinite(one.size)), default=0.0)


def is_within(difference: float | None, movement: float) -> bool:
    """Says whether a difference from NumPy is of the size that NumPy's own result moves by."""
    return difference is not None and difference <= STEPS * movement


def could_explain(difference: float | None, found: Mapping[str, Movement]) -> bool:
    """Says whether the largest difference is one that the movements could allow, so that a second look is worth it."""
    return any(is_within(difference, one.size) for one in found.values())
