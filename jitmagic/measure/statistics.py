"""Medians and intervals from samples that were taken in rounds, one of each variant a round."""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

BETWEEN_PROCESSES = 0.025
"""Relative difference of two fresh processes that time the same code: up to this in nineteen of twenty pairs, beside
what the rounds themselves tell. From ``python -m benchmarks.verdicts`` (arithmetic, BLAS, memory and plain Python on a
machine with two cores, 2026-11-22; a standard deviation of 0.9 to 1.3 %): where a process's code, heap and stack lie,
and how its dictionaries hash. Some pairs, of BLAS above all, differ by 5 to 13 %, which is why the median of several
says so much more than one."""

LASTING = 0.016
"""The part of it that stays in a comparison, whichever its processes: two sides with the same code differed by so much
more than the five processes of each explain (from the same benchmark, 350 comparisons)."""

_AS_MANY = 3
"""How many differences between processes the rest of it counts for beside those that were seen in a comparison."""

_TWO_SIDED = 1.96
"""Standard deviations that hold nineteen of twenty."""

_UNSTEADY = math.log(2.0)
"""Where the middle half of the rounds' ratios spans more than a factor of two, they are not of one kind."""

_WINDOW = 5
"""Rounds whose median says whether a variant is warm; a warm-up is looked for in four times as many at least."""

_BLOCKS = 10
"""Into so many blocks of rounds the bootstrap divides them: what disturbs a machine lasts longer than a round."""

_DRAWS = 1000
"""Of a bootstrap."""

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
    steady : bool
        False for a ratio that moved so much from round to round that its ends are those of nine rounds in ten, and no
        longer of the median.
    processes : int
        How many processes of each side, one after the other, the samples come from.
    spread : float
        Standard deviation of the logarithms of these processes' ratios, beyond what their rounds explain; 0 of one.
    """

    median: float
    low: float
    high: float
    samples: int
    steady: bool = True
    processes: int = 1
    spread: float = 0.0

    @property
    def relative_width(self) -> float:
        """Half the interval's width over the median."""
        return (self.high - self.low) / 2 / self.median if self.median else float("inf")


def median_interval(samples: Sequence[float], seed: int = 0) -> Interval:
    """Estimates the median of one variant's samples, with a bootstrap interval.

    >>> median_interval([1.0, 1.0, 1.0]).median
    1.0
    """
    return _median_interval(tuple(samples), seed)


@functools.lru_cache(maxsize=64)  # the record, its warnings and its advice each ask for the same ones
def _median_interval(samples: tuple[float, ...], seed: int) -> Interval:
    values = np.asarray(samples, float)
    middle = float(np.median(values))
    if len(values) < _FEW:
        return Interval(middle, float(values.min()), float(values.max()), len(values))
    draws = np.median(values[_draws(len(values), seed)], axis=1)
    low, high = np.percentile(draws, [2.5, 97.5])
    return Interval(middle, min(float(low), middle), max(float(high), middle), len(values))


def ratio_interval(
    baseline: Sequence[float], variant: Sequence[float], seed: int = 0, fresh: Sequence[int] = ()
) -> Interval:
    """Estimates how many times faster a variant is than the baseline, by the median ratio of rounds that hold both.

    A machine that is shared runs everything half as fast for a while and then again
    at full speed: that is in both samples of a round and leaves their ratio, while the two medians may fall into
    different whiles. The interval is a bootstrap over blocks of rounds, since such whiles outlast a round; where
    processes were replaced meanwhile, the rounds of each are drawn from its own.

    Parameters
    ----------
    baseline, variant : sequences of float
        Seconds a call, one a round, of equal length.
    fresh : sequence of int
        The rounds, in order and from 1 on, before which the processes of both sides were replaced.
    """
    ratios = _log_ratios(baseline, variant)
    parts = np.split(ratios, [one for one in fresh if 0 < one < len(ratios)])
    middle = float(np.median(ratios))
    generator = np.random.default_rng(seed)
    drawn = [_blocks_drawn(part, generator, _DRAWS) for part in parts]
    spread = _between(parts, drawn)
    if len(ratios) < _FEW:
        # the slowest of one over the fastest of the other: wide, as three rounds deserve
        low, high = math.log(min(baseline) / max(variant)), math.log(max(baseline) / min(variant))
    elif float(np.subtract(*np.percentile(ratios, [75, 25]))) > _UNSTEADY:
        low, high = np.percentile(ratios, [5, 95])
        return Interval(math.exp(middle), math.exp(low), math.exp(high), len(ratios), False, len(parts), spread)
    else:
        low, high = np.percentile(np.median(np.concatenate(drawn, axis=1), axis=1), [2.5, 97.5])
    ends = math.exp(min(low, middle)), math.exp(max(high, middle))
    return Interval(math.exp(middle), *ends, len(ratios), processes=len(parts), spread=spread)


def _between(parts: Sequence[np.ndarray], drawn: Sequence[np.ndarray]) -> float:
    """Returns the standard deviation of processes: that of their medians, less what draws of their rounds explain."""
    if len(parts) < 2:
        return 0.0
    whole = float(np.var([np.median(part) for part in parts], ddof=1))
    within = float(np.mean([np.median(one, axis=1).var() for one in drawn]))
    return math.sqrt(max(whole - within, 0.0))


def log_ratio_draws(
    baseline: Sequence[float], variant: Sequence[float], seed: int = 0, count: int = _DRAWS
) -> np.ndarray:
    """Draws rounds anew, in blocks, and returns the logarithm of the median ratio of each draw.

    From few rounds a draw is one of the baseline's samples over one of the variant's, each for itself.
    """
    ratios = _log_ratios(baseline, variant)
    generator = np.random.default_rng(seed)
    if len(ratios) < _FEW:
        top, bottom = generator.integers(0, len(ratios), (2, count))
        singles: np.ndarray = np.log(np.asarray(baseline, float)[top] / np.asarray(variant, float)[bottom])
        return singles
    medians: np.ndarray = np.median(_blocks_drawn(ratios, generator, count), axis=1)
    return medians


def _blocks_drawn(ratios: np.ndarray, generator: np.random.Generator, count: int) -> np.ndarray:
    """Returns as many rounds as there are, drawn anew in blocks of neighbours; a row a draw."""
    length = max(1, len(ratios) // _BLOCKS)
    starts = generator.integers(0, len(ratios), (count, -(-len(ratios) // length)))
    places = (starts[:, :, None] + np.arange(length)) % len(ratios)
    drawn: np.ndarray = ratios[places.reshape(count, -1)[:, : len(ratios)]]
    return drawn


def across_processes(ratio: Interval) -> Interval:
    """Widens a ratio's interval by what two processes that run the same code differ by.

    Rounds cannot see it: where a process's code, heap and stack happen to lie stays the same for all its samples. The
    two are independent, and so add up as squares do. Of several processes, what they were seen to differ by counts
    beside what is known of others, and all but :data:`LASTING` of it is the less by the root of their number.

    >>> across_processes(Interval(1.01, 1.005, 1.015, 20)).low < 1.0
    True
    """
    lasting, seen, more = math.log1p(LASTING), _TWO_SIDED * ratio.spread, ratio.processes - 1
    known = math.log1p(BETWEEN_PROCESSES) ** 2 - lasting**2
    typical = (_AS_MANY * known + more * seen**2) / (_AS_MANY + more)
    slack = math.sqrt(typical / ratio.processes + lasting**2)
    below, above = math.log(ratio.median / ratio.low), math.log(ratio.high / ratio.median)
    return replace(
        ratio,
        low=ratio.median * math.exp(-math.hypot(below, slack)),
        high=ratio.median * math.exp(math.hypot(above, slack)),
    )


def warm_up(samples: Mapping[str, Sequence[float]]) -> dict[str, int]:
    """Finds how many rounds each variant began slower with than it went on, beyond what the rounds differ by.

    A round is slow against the others' samples of that round, so that a slow while of the machine is no warm-up. Slow
    is what the slowest tenth of the later half is; a warm-up ends where the median of :data:`_WINDOW` rounds no longer
    is, and by a third of the rounds: what takes longer is no warm-up, and nothing is told of it here.

    Parameters
    ----------
    samples : mapping of str to sequence of float
        Seconds a call by variant, one a round, of equal length.

    Returns
    -------
    dict of str to int
        Of the variants that have such rounds.
    """
    rounds = min(map(len, samples.values()), default=0)
    if rounds < 4 * _WINDOW:
        return {}
    each = np.log([list(one)[:rounds] for one in samples.values()])
    found = {}
    for number, name in enumerate(samples):
        others = np.delete(each, number, axis=0)
        own = each[number] - (np.median(others, axis=0) if len(others) else 0.0)
        slow = float(np.percentile(own[rounds // 2 :], 90))
        length = next((k for k in range(rounds // 3 + 1) if np.median(own[k : k + _WINDOW]) <= slow), 0)
        if length:
            # the window that is no longer slow may begin with rounds that are
            found[name] = length + next(k for k, one in enumerate(own[length:]) if one <= slow)
    return found


def count_outliers(samples: Sequence[float]) -> int:
    """Counts samples more than 1.5 interquartile ranges outside the quartiles (Tukey's fences); they are kept."""
    if len(samples) < 4:
        return 0
    low, high = np.percentile(samples, [25, 75])
    reach = 1.5 * (high - low)
    return int(sum(1 for sample in samples if sample < low - reach or sample > high + reach))


def _log_ratios(baseline: Sequence[float], variant: Sequence[float]) -> np.ndarray:
    if len(baseline) != len(variant) or not len(baseline):
        raise ValueError(f"the rounds do not match: {len(baseline)} of the baseline, {len(variant)} of the variant")
    logarithms: np.ndarray = np.log(np.asarray(baseline, float) / np.asarray(variant, float))
    return logarithms


def _draws(length: int, seed: int, count: int = 2000) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, length, (count, length))
