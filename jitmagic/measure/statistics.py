"""Medians and intervals from samples that were taken in rounds, one of each variant a round."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

BETWEEN_PROCESSES = 0.02
"""Relative difference of two fresh processes that time the same code: up to this in nine of ten pairs, measured with
one NumPy function in two workers (exp of 1e3, 1e5 and 3e6 elements) on a machine with two cores, 2026-11-20."""

_FEW = 6
"""Below this many rounds a percentile bootstrap is too narrow: the range of what was seen stands instead."""


@dataclass(frozen=True)
class Interval:
    """A median with an interval of about 95 %.

    Attributes
    ----------
    median, low, high : float
        ``low <= median <= high``.
    samples : int
        How many samples it rests on.
    """

    median: float
    low: float
    high: float
    samples: int

    @property
    def relative_width(self) -> float:
        """Half the interval's width over the median."""
        return (self.high - self.low) / 2 / self.median if self.median else float("inf")


def median_interval(samples: Sequence[float], seed: int = 0) -> Interval:
    """Estimates the median of one variant's samples, with a bootstrap interval.

    >>> median_interval([1.0, 1.0, 1.0]).median
    1.0
    """
    values = np.asarray(samples, float)
    middle = float(np.median(values))
    if len(values) < _FEW:
        return Interval(middle, float(values.min()), float(values.max()), len(values))
    draws = np.median(values[_draws(len(values), seed)], axis=1)
    low, high = np.percentile(draws, [2.5, 97.5])
    return Interval(middle, min(float(low), middle), max(float(high), middle), len(values))


def ratio_interval(baseline: Sequence[float], variant: Sequence[float], seed: int = 0) -> Interval:
    """Estimates how many times faster a variant is than the baseline, from rounds that hold both.

    The ratio of the medians; its interval by a bootstrap over rounds: a round is drawn with both its samples, so
    that what slowed a round down hits both.

    Parameters
    ----------
    baseline, variant : sequences of float
        Seconds a call, one a round, of equal length.
    """
    if len(baseline) != len(variant) or not len(baseline):
        raise ValueError(f"the rounds do not match: {len(baseline)} of the baseline, {len(variant)} of the variant")
    top, bottom = np.asarray(baseline, float), np.asarray(variant, float)
    middle = float(np.median(top) / np.median(bottom))
    if len(top) < _FEW:
        # the slowest of one over the fastest of the other: wide, as three rounds deserve
        return Interval(middle, float(top.min() / bottom.max()), float(top.max() / bottom.min()), len(top))
    rounds = _draws(len(top), seed)
    ratios = np.median(top[rounds], axis=1) / np.median(bottom[rounds], axis=1)
    low, high = np.percentile(ratios, [2.5, 97.5])
    return Interval(middle, min(float(low), middle), max(float(high), middle), len(top))


def across_processes(ratio: Interval) -> Interval:
    """Widens a ratio's interval by what two processes that run the same code differ by.

    Rounds cannot see it: where a process's code, heap and stack happen to lie stays the same for all its samples.

    >>> across_processes(Interval(1.01, 1.005, 1.015, 20)).low < 1.0
    True
    """
    return replace(ratio, low=ratio.low / (1 + BETWEEN_PROCESSES), high=ratio.high * (1 + BETWEEN_PROCESSES))


def count_outliers(samples: Sequence[float]) -> int:
    """Counts samples more than 1.5 interquartile ranges outside the quartiles (Tukey's fences); they are kept."""
    if len(samples) < 4:
        return 0
    low, high = np.percentile(samples, [25, 75])
    reach = 1.5 * (high - low)
    return int(sum(1 for sample in samples if sample < low - reach or sample > high + reach))


def _draws(length: int, seed: int, count: int = 2000) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, length, (count, length))
