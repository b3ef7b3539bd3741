"""What a difference may be where NumPy's own result moves: how far, at how many places, and to which numbers.

NumPy's result moves where its arguments are moved by one unit in the last place (:mod:`jitmagic.verify.sensitivity`).
A floating-point number that moves far has few digits that say anything. A whole number moves by flipping: a count by
one, a label or an index from one of two nearly equal choices to the other. That one of a thousand labels flips says
nothing of the others.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from jitmagic.same_bits import largest_magnitude

STEPS = 64.0
"""A variant may be this many times as far as one unit in the last place moves NumPy: its rounding errors are some
units, in each step."""

_MOST = 1e-4
"""Of the largest magnitude: where NumPy's own figures move by more, they prove nothing, and nothing more is allowed."""

_COUNT = 0.05
"""Of the largest magnitude: whole numbers that move by less are counts, and others labels, indices or truth values."""

_CHAOS = 0.25
"""Of all elements: where more labels flip than that, they prove nothing."""


@dataclass(frozen=True)
class Movement:
    """How an array, or a number, of NumPy's result moves over a few runs.

    Attributes
    ----------
    size : float
        The largest absolute change; infinite where the shape, or whether a number is finite, changes.
    places : int
        How many elements changed in any of the runs.
    seen : tuple of int
        What a single whole number was in the runs that moved it; empty for anything else.
    """

    size: float
    places: int = 1
    seen: tuple[int, ...] = ()

    def allowed(self, expected: np.ndarray[Any, Any], noise: float = 0.0) -> float:
        """Returns the absolute difference that each element of an ill-conditioned result may have.

        Parameters
        ----------
        expected : array
            NumPy's result. Whole numbers (a count of iterations) may differ by as much as they move, and no more.
        noise : float
            What rounding leaves of the largest number of the whole result. A part of it that is no larger, and moves by
            as much as it is, is such a rest and no figure: a residual of 1e-17, the mean of what was centred.
        """
        size = largest_magnitude(expected)
        if expected.dtype.kind in "fc":
            allowed = STEPS * self.size
            return allowed if allowed <= _MOST * size or size <= min(allowed, noise) else 0.0
        if self.size == float("inf"):
            return 0.0
        chaos = expected.size > 1 and self.places > _CHAOS * expected.size
        return 0.0 if chaos and self._flips(expected) else self.size

    def most_places(self, expected: np.ndarray[Any, Any]) -> int:
        """Returns how many elements may differ at all: about as many whole numbers as flip in NumPy's own runs."""
        if expected.dtype.kind in "fc" or expected.size == 1:
            return int(expected.size)
        return 2 * self.places + 1

    def may_be(self, expected: np.ndarray[Any, Any], actual: np.ndarray[Any, Any]) -> bool:
        """Says whether a single index or label that differs is one to which NumPy's own flips; True for all else."""
        if expected.size != 1 or expected.dtype.kind in "fc" or not self._flips(expected):
            return True
        return int(actual.reshape(-1)[0]) in self.seen

    def _flips(self, expected: np.ndarray[Any, Any]) -> bool:
        return self.size > (0 if expected.dtype.kind == "b" else max(2.0, _COUNT * largest_magnitude(expected)))
