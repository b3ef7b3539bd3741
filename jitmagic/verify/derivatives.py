"""What the derivative of a NumPy function is, and how sure that is: the reference that variants are held against.

Each entry is extrapolated from two central differences (Richardson) and carries an error of its own: what the
extrapolation changed, what rounding leaves, and by how much the differences to the two sides disagree once the part
that falls with the step is taken off. The last is what tells a kink, at which the central difference of any step looks
smooth. Where the error is too large for a check, the entry says so, and nothing is verified by it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

Function = Callable[[Any], Any]
Array = np.ndarray[Any, Any]

_EPS = float(np.finfo(np.float64).eps)

_FIRST_STEPS = (6e-6, 3e-4, 2e-7)
_SECOND_STEPS = (2e-3, 1.2e-4)
"""Steps that are tried one after the other, of the argument's size, until an entry is sure."""

_ENOUGH = 1e-8
_ENOUGH_OF_LARGEST = 1e-7
"""Of an entry's own size, or of the largest in its row: surer it need not become."""

_RELATIVE = 1e-4
_OF_LARGEST = 1e-5
"""An entry's error may be so much of the entry, or of the largest in its row, for a check to mean something."""

_ROUNDING = 4.0
"""Multiples of eps, and of the noise that was seen, that are taken for the rounding of one call."""

_NOISE_STEPS = (1e-6, 1e-4)
_NOISE_POINTS = 24
_NOISE_ORDER = 6
_NOISE_FACTOR = math.factorial(_NOISE_ORDER) / math.sqrt(math.factorial(2 * _NOISE_ORDER))
"""Differences of a high order along a line leave nothing of a smooth function but its noise, times the inverse of this
(Moré and Wild, Estimating computational noise, SIAM J. Sci. Comput. 33, 2011)."""

_SHOWN = 5


@dataclass(frozen=True)
class Doubt:
    """An entry of a derivative of which the differences are not sure.

    Attributes
    ----------
    where : str
        E.g. ``"result[3]"``.
    kink : bool
        Whether the derivatives to the two sides differ; else the differences are too inexact.
    low, high : float
        Derivatives to the left and to the right of a kink, else what two steps give.
    """

    where: str
    kink: bool
    low: float
    high: float


@dataclass(frozen=True)
class Estimate:
    """A derivative with its errors.

    Attributes
    ----------
    value : array of float64
        Shape of the function's result, then the argument's (twice the argument's for second derivatives).
    error : array of float64
        Absolute, of the same shape; infinite where a check means nothing.
    doubts : tuple of Doubt
        The first few entries with an infinite error.
    doubtful : int
        How many there are.
    """

    value: Array
    error: Array
    doubts: tuple[Doubt, ...]
    doubtful: int

    @property
    def relative(self) -> float | None:
        """The largest error of the entries that are sure, as a share of the largest entry."""
        sure = np.isfinite(self.error)
        largest = float(np.abs(self.value[sure]).max(initial=0.0))
        return float(self.error[sure].max(initial=0.0)) / largest if largest else None


def derivative(function: Function, x: Any, twice: bool) -> Estimate:
    """Returns the first derivative at a point, or the second ones; see :func:`first` and :func:`second`."""
    return second(function, x) if twice else first(function, x)


def first(function: Function, x: Any) -> Estimate:
    """Returns the first derivative of a function at a point.

    Parameters
    ----------
    function : callable
        Takes a float64 number or array like ``x`` and returns a number or array.
    x : float or array of float64
    """
    start = np.array(x, dtype=np.float64)
    scale = float(np.abs(start).mean()) or 1.0
    middle = _called(function, start)
    noise = _noise(function, start, scale)
    shape = (*middle.shape, *start.shape)
    value, error, low, high = (np.zeros((middle.size, start.size)) for _ in range(4))
    largest = np.zeros(middle.size)
    for column in range(start.size):
        size = max(abs(float(start.reshape(-1)[column])), scale)
        at = partial(_first_at, function, start, middle, noise, column)
        found = _tried(at, [h * size for h in _FIRST_STEPS], largest)
        _settle(found, value, error, low, high, column)
    return _judged(value, error, low, high, shape)


def second(function: Function, x: Any) -> Estimate:
    """Returns the second derivatives of a function that returns a number; parameters as for :func:`first`."""
    start = np.array(x, dtype=np.float64)
    flat, n = start.reshape(-1), start.size
    sizes = np.maximum(np.abs(flat), float(np.abs(flat).mean()) or 1.0)
    middle = float(_called(function, start))
    noise = float(_noise(function, start, float(np.abs(flat).mean()) or 1.0)[0])
    value, error, low, high = (np.zeros((1, n * n)) for _ in range(4))
    largest = np.zeros(1)
    for i in range(n):
        for j in range(i, -1, -1):  # the diagonal first: it says how large is large
            at = partial(_second_at, function, start, middle, noise, i, j)
            found = _tried(at, [h * sizes for h in _SECOND_STEPS], largest)
            for place in {i * n + j, j * n + i}:
                _settle(found, value, error, low, high, place)
    return _judged(value, error, low, high, start.shape * 2)


@dataclass
class _Step:
    """What one step gives for one column: entries for each element of the function's result."""

    value: Array
    error: Array
    low: Array
    high: Array

    def is_sure(self, largest: Array) -> bool:
        """Tells whether no other step is needed; ``largest`` is the size of each row so far."""
        return bool((self.error <= np.maximum(_ENOUGH * np.abs(self.value), _ENOUGH_OF_LARGEST * largest)).all())


def _noise(function: Function, start: Array, scale: float) -> Array:
    """Returns how far each element of the result is off by chance: rounding, single precision, an inner iteration.

    The median over the windows of a line to one side of the point: a kink on the way stands in some of them only.
    """
    sizes = np.maximum(np.abs(start), scale) * np.random.default_rng(0).choice([-1.0, 1.0], start.shape)
    largest: Array = np.zeros(1)
    with np.errstate(all="ignore"):
        for step in _NOISE_STEPS:
            places = range(1, _NOISE_POINTS + 1)
            line = [_called(function, start + place * step * sizes).reshape(-1) for place in places]
            found = np.median(np.abs(np.diff(np.array(line), _NOISE_ORDER, axis=0)), axis=0) * _NOISE_FACTOR
            largest = np.fmax(largest, np.where(np.isfinite(found), found, 0.0))
    return largest


def _tried(at: Callable[[Any], _Step], steps: Sequence[Any], largest: Array) -> list[_Step]:
    """Takes one step after the other until one is sure; ``largest`` grows with what is found."""
    found: list[_Step] = []
    for h in steps:
        found.append(at(h))
        if found[-1].is_sure(largest):
            np.fmax(largest, np.abs(found[-1].value), out=largest)
            break
    return found


def _first_at(
    function: Function, start: Array, middle: Array, noise: Array, column: int, h: float
) -> _Step:
    def at(distance: float) -> Array:
        return _called(function, _moved(start, {column: distance})).reshape(-1)

    here = middle.reshape(-1)
    far, near, after, beyond = at(-2 * h), at(-h), at(h), at(2 * h)
    with np.errstate(all="ignore"):
        narrow, wide = (after - near) / (2 * h), (beyond - far) / (4 * h)
        value = (4 * narrow - wide) / 3
        # for a smooth function both jumps are its curvature times the step, and this is nothing
        jump = 2 * (after - 2 * here + near) / h - (beyond - 2 * here + far) / (2 * h)
        largest = np.max(np.abs([far, near, here, after, beyond]), axis=0)
        rounding = _ROUNDING * np.maximum(_EPS * largest, noise) / h
        error = np.abs(value - narrow) + np.abs(jump) / 2 + rounding
    return _Step(value, error, narrow - jump / 2, narrow + jump / 2)


def _second_at(
    function: Function, start: Array, middle: float, noise: float, i: int, j: int, steps: Array
) -> _Step:
    def at(one: float, other: float = 0.0) -> float:
        moves = {i: one * steps[i]} if i == j else {i: one * steps[i], j: other * steps[j]}
        return float(_called(function, _moved(start, moves)))

    with np.errstate(all="ignore"):
        area = steps[i] * steps[j]
        if i == j:
            values = {place: at(place) for place in (-4.0, -2.0, -1.0, 1.0, 2.0, 4.0)}
            narrow = (values[1.0] - 2 * middle + values[-1.0]) / area
            wide = (values[2.0] - 2 * middle + values[-2.0]) / (4 * area)
            sides = (values[2.0] - 2 * values[1.0] + 2 * values[-1.0] - values[-2.0]) / area
            wider = (values[4.0] - 2 * values[2.0] + 2 * values[-2.0] - values[-4.0]) / (4 * area)
            jump = 2 * sides - wider
            seen = [middle, *values.values()]
        else:
            corners = {(a * k, b * k): at(a * k, b * k) for k in (1, 2) for a in (-1, 1) for b in (-1, 1)}
            narrow, wide = (
                (corners[k, k] - corners[k, -k] - corners[-k, k] + corners[-k, -k]) / (4 * k * k * area) for k in (1, 2)
            )
            jump, seen = 0.0, list(corners.values())
        value = (4 * narrow - wide) / 3
        rounding = 2 * _ROUNDING * max(_EPS * max(map(abs, seen)), noise) / area
        error = abs(value - narrow) / 4 + abs(jump) / 2 + rounding
    parts = (value, error, value - jump / 2, value + jump / 2)
    return _Step(*(np.array([part]) for part in parts))


def _moved(start: Array, moves: dict[int, float]) -> Array:
    there = start.copy()
    flat = there.reshape(-1)
    for place, distance in moves.items():
        flat[place] += distance
    return there


def _called(function: Function, x: Array) -> Array:
    with np.errstate(all="ignore"):
        result = function(x[()] if x.ndim == 0 else x)
    return np.array(result, dtype=np.float64)


def _settle(found: Sequence[_Step], value: Array, error: Array, low: Array, high: Array, column: int) -> None:
    """Takes for each entry of a column the step with the least error."""
    errors = np.array([np.where(np.isfinite(one.error), one.error, np.inf) for one in found])
    best = np.argmin(errors, axis=0)
    rows = np.arange(best.size)
    values = np.array([one.value for one in found])
    with np.errstate(all="ignore"):
        # a step that sees nothing but rounding may agree with itself: where two contradict each other none is sure
        gaps = np.abs(values - values[best, rows])
        contradicted = np.where(gaps > errors + errors[best, rows], gaps, 0.0).max(axis=0)
    error[:, column] = np.maximum(errors[best, rows], contradicted)
    for kept, name in ((value, "value"), (low, "low"), (high, "high")):
        kept[:, column] = np.array([getattr(one, name) for one in found])[best, rows]


def _judged(value: Array, error: Array, low: Array, high: Array, shape: tuple[int, ...]) -> Estimate:
    """Marks the entries of which the error is too large."""
    finite = np.isfinite(error) & np.isfinite(value)
    sizes = np.where(finite, np.abs(value), 0.0)
    # twice: the least of several errors is the luckiest
    error = np.where(finite, 2 * error, np.inf)
    largest = sizes.max(axis=1, keepdims=True, initial=0.0)
    # a row that does not depend on the argument has no size of its own
    largest = np.where(largest > 0, largest, sizes.max(initial=0.0))
    sure = finite & (error <= np.maximum(_RELATIVE * sizes, _OF_LARGEST * largest))
    doubts = []
    for row, column in np.argwhere(~sure)[:_SHOWN]:
        place = np.unravel_index(row * value.shape[1] + column, shape) if shape else ()
        where = f"result[{', '.join(str(int(index)) for index in place)}]" if shape else "result"
        ends = float(low[row, column]), float(high[row, column])
        apart = abs(ends[1] - ends[0])
        kink = bool(np.isfinite(apart) and apart > 1e-3 * max(map(abs, ends)) and apart > error[row, column] / 4)
        doubts.append(Doubt(where, kink, *ends))
    checked = np.where(sure, error, np.inf)
    return Estimate(value.reshape(shape), checked.reshape(shape), tuple(doubts), int(np.count_nonzero(~sure)))
