"""How a variant's time grows: the exponent k of the power law n^k that its larger sizes follow."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from jitmagic.measure.statistics import Interval

_DRAWS = 1000

_FEW = 6
"""Below this many rounds medians of draws are too narrow: a draw is then one round."""

LEAST = 3
"""Sizes that a fit needs: through two points every line is straight."""

Samples = Sequence[Sequence[float] | None]
"""Seconds a call of one variant: the rounds at each size, None where it was not measured there."""


def growth(sizes: Sequence[float], samples: Samples) -> Interval | None:
    """Fits the exponent to the upper half of the sizes (three at least) by least squares on the logarithms.

    Returns
    -------
    Interval or None
        Its ends take in both the noise of the rounds (a bootstrap) and the slopes between neighbouring sizes: where
        these differ, no one power law holds, and the interval says so. None with fewer than three sizes.
    """
    measured = [(size, rounds) for size, rounds in zip(sizes, samples, strict=True) if rounds]
    if len(measured) < LEAST:
        return None
    larger = measured[-max(LEAST, math.ceil(len(measured) / 2)) :]
    x = np.log([size for size, _ in larger])
    here = np.log([float(np.median(rounds)) for _, rounds in larger])
    drawn = np.log(np.stack([_medians(rounds, number) for number, (_, rounds) in enumerate(larger)]))
    middle = float(_slope(x, here[:, None])[0])
    low, high = np.percentile(_slope(x, drawn), [2.5, 97.5])
    local = np.diff(here) / np.diff(x)
    return Interval(
        middle, min(middle, float(low), float(local.min())), max(middle, float(high), float(local.max())), len(larger)
    )


def _medians(rounds: Sequence[float], seed: int) -> np.ndarray:
    """Draws rounds anew and returns the median of each draw."""
    generator = np.random.default_rng(seed)
    values = np.asarray(rounds, float)
    if len(values) < _FEW:
        return values[generator.integers(0, len(values), _DRAWS)]
    drawn: np.ndarray = np.median(values[generator.integers(0, len(values), (_DRAWS, len(values)))], axis=1)
    return drawn


def _slope(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Returns the slopes of least squares of each column of ``y`` (len(x), draws) over ``x``."""
    centred = x - x.mean()
    slope: np.ndarray = centred @ y / (centred @ centred)
    return slope
