"""Decides what of a sweep can be measured: which sizes fit, which variants stay, how long each size may take.

What a size will cost is foretold from those before it, along a straight line between the logarithms.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

LEAST_ROUNDS = 3
"""Fewer rounds say nothing of the spread: a variant that cannot have these is not begun."""

STEEPEST = 3.0
"""A power law steeper than this between two sizes is noise, or a cache left: it is not carried on."""

Points = Sequence[tuple[float, float]]
"""Pairs of a size and what it took there."""


@dataclass(frozen=True)
class Size:
    """What is measured at one size.

    Attributes
    ----------
    kept : tuple of str
        The variants to measure, in the order given.
    dropped : mapping of str to float
        The variants that would take too long, with the seconds that a call is foretold to take.
    fits : bool
        False where the baseline itself would take too long: there is nothing to measure then.
    seconds : float
        How long the timing may take.
    """

    kept: tuple[str, ...]
    dropped: Mapping[str, float]
    fits: bool
    seconds: float


def foretell(points: Points, size: float, steepest: float = STEEPEST) -> float | None:
    """Carries on the line through the last two points; None where there are none.

    From one point it grows with the size itself.

    >>> round(foretell([(10, 1.0), (100, 100.0)], 1000), 6)
    10000.0
    """
    usable = _usable(points)
    if not usable:
        return None
    last, value = usable[-1]
    return value * (size / last) ** min(max(_slope(usable), 0.0), steepest)


def _usable(points: Points) -> list[tuple[float, float]]:
    return [(n, value) for n, value in points if n > 0 and value > 0]


def _slope(usable: Points) -> float:
    """Returns the slope of the line through the last two points; 1 where there is one only."""
    if len(usable) < 2:
        return 1.0
    (before, earlier), (last, value) = usable[-2:]
    return math.log(value / earlier) / math.log(last / before) if before != last else 1.0


def entitled(budget: float, spent: float, count: int) -> float:
    """Returns the seconds that are left for timing: what is not spent yet, but half an even share at least.

    A size at which the machine was busy with something else does not take the larger sizes away.
    """
    return max(budget - spent, 0.5 * budget / count)


def allot(
    baseline: str,
    taken: Mapping[str, Points],
    sizes: Sequence[float],
    left: float,
    *,
    lasts: Callable[[float], float],
) -> Size:
    """Decides on the first of the sizes that are left.

    Parameters
    ----------
    baseline : str
    taken : mapping of str to points
        Seconds of a call at the sizes before, by variant that is still in; the baseline among them. One without points
        is taken to be as slow as the baseline.
    sizes : sequence of float
        The sizes that are left, ascending.
    left : float
        Seconds that are left for timing all of them.
    lasts : callable
        Returns how long a sample takes of calls that take so many seconds each.

    Notes
    -----
    A variant that was slower than the baseline drops out first, the slowest before the others, until three rounds of
    those that stay fit. No variant is dropped for the sake of sizes that come later.
    """
    size = sizes[0]
    known = foretell(taken[baseline], size) or 0.0
    # they compute the same: what seems to grow by more than one power beyond the baseline was disturbed. To begin a
    # size and find it slow costs three rounds; to drop a variant for a bad moment would cost all its larger sizes
    steepest = min(STEEPEST, max(_slope(_usable(taken[baseline])), 0.0) + 1.0)
    calls = {
        name: known if (found := foretell(points, size, steepest)) is None else found
        for name, points in taken.items()
    }
    kept, dropped = list(calls), dict[str, float]()

    def need(names: Sequence[str]) -> float:
        return LEAST_ROUNDS * sum(lasts(calls[name]) for name in names)

    while need(kept) > left:
        slowest = max(kept, key=lambda name: calls[name])
        if slowest == baseline or calls[slowest] <= calls[baseline]:
            return Size((), dropped, False, 0.0)
        kept.remove(slowest)
        dropped[slowest] = calls[slowest]
    rounds = [_round(taken, kept, one, lasts) for one in sizes]
    share = left * rounds[0] / sum(rounds)
    return Size(tuple(kept), dropped, True, min(left, max(share, need(kept))))


def _round(taken: Mapping[str, Points], kept: Sequence[str], size: float, lasts: Callable[[float], float]) -> float:
    """Foretells how long a round takes at a size."""
    return sum(lasts(foretell(taken[name], size) or 0.0) for name in kept)


def fits_in_memory(points: Points, size: float, free: float, for_each: float) -> tuple[bool, float]:
    """Says whether a size fits, and how many bytes it is foretold to need.

    Parameters
    ----------
    points : points
        Bytes of the arguments at the sizes before.
    free : float
        Bytes that may be taken.
    for_each : float
        Bytes that are taken in all for each byte of the arguments.
    """
    needed = for_each * (foretell(points, size) or 0.0)
    return needed <= free, needed
