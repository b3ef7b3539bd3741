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
