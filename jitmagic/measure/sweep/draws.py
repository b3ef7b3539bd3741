"""The bootstrap over rounds that crossovers and growth share."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

DRAWS = 1000

FEW = 6
"""Below this many rounds medians of draws are too narrow: a draw is then one round of each variant, for itself."""


def medians(rounds: Sequence[Sequence[float]], seed: int) -> np.ndarray:
    """Draws rounds anew and returns the medians of each variant, an array (variants, draws).

    Parameters
    ----------
    rounds : sequence of sequences of float
        Seconds a call of each variant at one size, in the same rounds: what slowed a round down hits all.
    seed : int
        Another one for each size.
    """
    generator = np.random.default_rng(seed)
    values = np.asarray(rounds, float)
    variants, length = values.shape
    if length < FEW:
        picked = generator.integers(0, length, (variants, DRAWS))
        return np.take_along_axis(values, picked, axis=1)
    drawn: np.ndarray = np.median(values[:, generator.integers(0, length, (DRAWS, length))], axis=2)
    return drawn
