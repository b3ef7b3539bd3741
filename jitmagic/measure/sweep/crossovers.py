"""The sizes from which on another variant is the faster one, with how well they are known."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from jitmagic.measure.statistics import BETWEEN_PROCESSES, across_processes, log_ratio_draws, ratio_interval
from jitmagic.measure.sweep.growth import Samples


@dataclass(frozen=True)
class Crossover:
    """Where one variant overtakes another.

    Attributes
    ----------
    variant, over : str
        From ``n`` on, ``variant`` is faster than ``over``; below it is slower.
    n, low, high : float
        The size at which they are level, with an interval of about 95 %.
    """

    variant: str
    over: str
    n: float
    low: float
    high: float


def crossovers(sizes: Sequence[float], samples: Mapping[str, Samples], baseline: str) -> list[Crossover]:
    """Finds where each variant crosses the baseline, and where the fastest of all changes, by ascending size.

    Only what is clear on both sides counts: at some size the one is faster by more than noise, at a larger one the
    other. Between them the sizes are joined by straight lines between logarithms.
    """
    found = [one for name in samples if name != baseline for one in between(sizes, samples, name, baseline)]
    seen = {(one.variant, one.over) for one in found} | {(one.over, one.variant) for one in found}
    for one, other in _successions(sizes, samples):
        if baseline not in (one, other) and (one, other) not in seen:
            seen |= {(one, other), (other, one)}
            found += between(sizes, samples, other, one)
    return sorted(found, key=lambda one: one.n)


def between(sizes: Sequence[float], samples: Mapping[str, Samples], one: str, other: str) -> Iterator[Crossover]:
    """Yields where two variants cross, in either direction."""
    rounds = [
        (size, ours, theirs)
        for size, ours, theirs in zip(sizes, samples[one], samples[other], strict=True)
        if ours and theirs
    ]
    clear = [(place, side) for place, (_, ours, theirs) in enumerate(rounds) if (side := clearly(ours, theirs))]
    for (before, was), (after, becomes) in itertools.pairwise(clear):
        if was == becomes:
            continue
        stretch = rounds[before : after + 1]
        level = _level(stretch, becomes)
        ahead, behind = (one, other) if becomes > 0 else (other, one)
        yield Crossover(ahead, behind, *level)


def clearly(ours: Sequence[float], theirs: Sequence[float]) -> int:
    """Says which is faster by more than noise: 1 for ours, -1 for theirs, 0 where that is not clear."""
    ratio = across_processes(ratio_interval(theirs, ours))
    return 1 if ratio.low > 1.0 else -1 if ratio.high < 1.0 else 0


def _successions(sizes: Sequence[float], samples: Mapping[str, Samples]) -> Iterator[tuple[str, str]]:
    """Yields the pairs of variants of which one is the fastest at a size and the other at the next."""
    before = None
    for place in range(len(sizes)):
        medians_here = {name: float(np.median(rounds)) for name, each in samples.items() if (rounds := each[place])}
        if not medians_here:
            continue
        fastest = min(medians_here, key=medians_here.__getitem__)
        if before is not None and fastest != before:
            yield before, fastest
        before = fastest


def _level(
    stretch: Sequence[tuple[float, Sequence[float], Sequence[float]]], becomes: int
) -> tuple[float, float, float]:
    """Returns the size at which two variants are level, with its interval, inside a stretch that is clear at its ends.

    The ends of the interval also take in what two processes that run the same code differ by.
    """
    x = np.log([size for size, _, _ in stretch])
    here = np.log([ratio_interval(theirs, ours).median for _, ours, theirs in stretch])
    ratios = np.stack([log_ratio_draws(theirs, ours, number) for number, (_, ours, theirs) in enumerate(stretch)])
    middle = _root(x, becomes * here)
    slack = math.log1p(BETWEEN_PROCESSES)
    early = [_root(x, becomes * column + slack) for column in ratios.T]
    late = [_root(x, becomes * column - slack) for column in ratios.T]
    low, high = float(np.percentile(early, 2.5)), float(np.percentile(late, 97.5))
    return math.exp(middle), math.exp(min(low, middle)), math.exp(max(high, middle))


def _root(x: np.ndarray, rising: np.ndarray) -> float:
    """Returns where a line of straight pieces comes up through zero; its ends where it is above or below throughout.

    Of several such places the middle one.
    """
    places = [
        float(x[at] + (x[at + 1] - x[at]) * -rising[at] / (rising[at + 1] - rising[at]))
        for at in range(len(x) - 1)
        if rising[at] < 0 <= rising[at + 1]
    ]
    if places:
        return places[len(places) // 2]
    return float(x[0]) if rising[0] >= 0 else float(x[-1])
