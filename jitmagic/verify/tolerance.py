"""How far a right result may be from NumPy's: from the dtype and from the length of the sums behind it.

Two right programs that add the same n numbers in another order differ by about ``eps * sqrt(n)``, at worst by
``eps * n`` (Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed., section 4.2). The allowance grows
with the square root and stops growing where a naive float32 sum begins to be wrong in a figure that is printed.

In float64 the base is 4096 eps, 9e-13: differences of large numbers, ``x.T @ y`` less a mean, ``sin`` of hundreds of
radians and the like leave 1e-14 to 1e-12 of the largest value in NumPy's own result (seen over tests/corpus), and no
wrong program is that near: a value that went through float32 is off by 6e-8.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from jitmagic.same_bits import largest_magnitude

MOVEMENT_STEPS = 64.0
"""A variant may be this many times as far as one unit in the last place moves NumPy: its rounding errors are some
units, in each step."""

_MOST_MOVEMENT = 1e-4
"""Of the largest magnitude: where NumPy's own figures move by more, they prove nothing, and nothing more is allowed."""

_BASE = 64.0
"""Multiples of eps for elementwise chains: libraries' exp, sin, pow differ by a few units in the last place each."""

_PER_ROOT = 16.0
_MOST = 1024.0

_BASE_DOUBLE = 4096.0
"""The same for float64, where there is room between rounding and the least mistake."""


@dataclass(frozen=True)
class Tolerance:
    """Allowed difference: ``|actual - expected| <= absolute + relative * |expected|``.

    Attributes
    ----------
    relative : float
    absolute_share : float
        The absolute part as a share of the largest finite magnitude in the expected array: what cancellation leaves.
    """

    relative: float
    absolute_share: float


def tolerance(dtype: np.dtype[Any], reduction_length: float = 1.0) -> Tolerance:
    """Returns the tolerance for results of a dtype.

    Parameters
    ----------
    dtype : numpy.dtype
        The coarser of the dtypes that the result was computed in.
    reduction_length : float
        About how many input elements stand behind one output element.
    """
    if dtype.kind not in "fc":
        return Tolerance(0.0, 0.0)
    eps = float(np.finfo(dtype).eps)
    if eps < 1e-12:
        # sums of 1e8 numbers, one after the other, are some 1e4 eps from pairwise ones
        steps = _BASE_DOUBLE + _PER_ROOT * max(reduction_length, 1.0) ** 0.5
        return Tolerance(steps * eps, steps * eps)
    steps = min(_BASE + _PER_ROOT * max(reduction_length, 1.0) ** 0.5, _MOST)
    return Tolerance(steps * eps, steps * eps / 16)


def allowed_for_movement(movement: float, expected: np.ndarray[Any, Any], noise: float = 0.0) -> float:
    """Returns the absolute difference that an ill-conditioned result may have.

    Parameters
    ----------
    movement : float
        By how much NumPy's own result moves for one unit in the last place of the arguments.
    expected : array
        NumPy's result. Whole numbers (a count of iterations) may differ by as much as they move, and no more.
    noise : float
        What rounding leaves of the largest number of the whole result. A part of it that is no larger, and moves by as
        much as it is, is such a rest and no figure: a residual of 1e-17, the mean of what was centred.
    """
    if expected.dtype.kind not in "fc":
        return movement if movement < float("inf") else 0.0
    allowed, size = MOVEMENT_STEPS * movement, largest_magnitude(expected)
    return allowed if allowed <= _MOST_MOVEMENT * size or size <= min(allowed, noise) else 0.0
