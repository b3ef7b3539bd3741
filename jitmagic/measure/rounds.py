"""Paces the measurement: calibrated samples, in shuffled rounds over all variants, until the ratios are tight.

Pure logic: what takes a sample and what tells the time are given, so that tests run on a fake clock and fake
variants. Interleaving is what makes a ratio fair on a machine that drifts: each round holds one sample of
every variant, in an order that is drawn anew, and the ratio's interval is drawn over rounds.
"""

from __future__ import annotations

import math
import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from jitmagic.measure.statistics import Interval, across_processes, ratio_interval, warm_up

Sampler = Callable[[int, int], float]
"""Takes (calls, untimed warm calls first) and returns the seconds of one call."""


_FAR_TOO_LONG, _TOO_SHORT = 5.0, 0.75
"""A sample that lasts so many times what it should is made of fewer calls from then on, or of more."""
_COLD = 20.0
"""A second call may last so many times as long as those after it: threads wake, pages are touched."""

_LEVEL = math.log(1.25)
"""A ratio so near to 1 may be what two processes that run the same code differ by: it is taken from several."""
_HANGING = 0.1
"""A ratio so near to 1 may turn out on either side of it, or neither."""
_HANGING_SHARE, _CLEAR_SHARE = 0.1, 0.25
"""What a ratio's interval may be wide, on either side, as a share of how far it is from 1: of one that may turn out on
either side, and of one that cannot. A quarter tells 1.3 from 1.2 and from 1.4."""
_SETTLING = 2
"""Samples of a fresh process that count for nothing; one of a call that makes a sample by itself."""
_DEAR = 0.15
"""A replacement that takes more than this share of the budget is the last."""

_RESTLESS = 40
"""Rounds after which no more are made for a ratio that is not steady: its interval is that of nine rounds in ten, and
comes no closer however many there are."""

_FIRST_LOOK = 3
"""Rounds after which the ratios are told first: as ranges of what was seen, by which nothing is decided."""

_NEXT_LOOK = 1.15
"""After so many times the rounds it is looked again whether they are enough: the look itself takes time."""


@dataclass(frozen=True)
class Plan:
    """How to measure.

    Attributes
    ----------
    budget : float
        Seconds for all rounds together; the least number of rounds is made even where they take longer.
    sample_seconds : float
        What a sample should last: long against the timer's resolution and the way to a worker and back, short against
        what makes a shared machine slower for a while, so that the samples of a round see the same machine. Where
        another program shares a core, it is nearly twice as slow for some 15 ms, and then fast again: with samples of
        10 ms the ratios of a round scattered so much that they told half as much in the same time. With 3 ms they tell
        as much as with 5, but the way to a worker and back, half a millisecond, would be a sixth of it.
    warm_below : float
        Calls of less than so many seconds have one before each sample that is not timed, since the calls of other
        variants have emptied the caches. To fill them again takes some 20 ms of a call that works on 50 MB, and nothing
        where the sample before was the same variant's: such calls of 45 ms scattered twice as much without. Of a call
        that takes longer it is a small part.
    margin, close : float
        Stop when every ratio's interval is narrower than a share of its median, on either side: a tenth of how far it
        is from 1, since that is what it has to tell, but no less than ``close``; where 1 is a tenth or more away, a
        quarter of it, but no more than ``margin``.
    most_calls : int
        Calls of a sample.
    at_least : float
        Seconds before which it does not stop, however well the ratios are known.
    least, most : int
        Rounds.
    replaced : int
        How often, spread over the budget, the processes of what is about as fast as the baseline are replaced.
    """

    budget: float = 10.0
    sample_seconds: float = 0.006
    warm_below: float = 0.5
    margin: float = 0.15
    close: float = 0.008
    at_least: float = 0.0
    most_calls: int = 1_000_000
    least: int = 5
    most: int = 2000
    replaced: int = 4

    def lasts(self, call: float) -> float:
        """Returns how long a sample of calls takes that take ``call`` seconds each, with the one before it."""
        return max(call, self.sample_seconds) + (call if call < self.warm_below else 0.0)


@dataclass
class Series:
    """The samples of one variant, in seconds a call, one a round.

    Attributes
    ----------
    samples : list of float
    calls : int
        Timed calls in all.
    fresh : list of int
        The rounds before which its process was replaced.
    """

    samples: list[float] = field(default_factory=list)
    calls: int = 0
    fresh: list[int] = field(default_factory=list)


@dataclass(frozen=True)
class Rounds:
    """What was measured.

    Attributes
    ----------
    series : mapping of str to Series
        By variant; a variant that failed on the way is in ``failed`` and not here.
    failed : mapping of str to Exception
    warm_up : mapping of str to int
        For how many rounds a variant was still getting faster; the longest of them is in no series.
    interrupted : bool
        Whether the user stopped it; the rounds until then are kept.
    """

    series: Mapping[str, Series]
    failed: Mapping[str, Exception]
    interrupted: bool
    warm_up: Mapping[str, int] = field(default_factory=dict)


def run_rounds(
    samplers: Mapping[str, Sampler],
    estimates: Mapping[str, float],
    baseline: str,
    plan: Plan,
    *,
    failures: tuple[type[Exception], ...],
    against: Mapping[str, str] | None = None,
    progress: Callable[[int, int, float], None] = lambda done, total, left: None,
    so_far: Callable[[Mapping[str, Interval]], None] = lambda ratios: None,
    replace: Callable[[Sequence[str]], Sequence[str]] = lambda names: (),
    clock: Callable[[], float] = time.monotonic,
    shuffle: Callable[[list[str]], None] | None = None,
) -> Rounds:
    """Takes samples in rounds.

    Parameters
    ----------
    samplers : mapping of str to Sampler
        By variant, the baseline among them.
    estimates : mapping of str to float
        Seconds a call, from the calls that verification made.
    failures : tuple of exception types
        What a sampler may raise when its variant is lost: the others go on.
    against : mapping of str to str, optional
        What a variant is compared with where that is not the baseline alone: its ratio to that has to be tight too.
    progress : callable
        Called with (rounds done, rounds expected, seconds left).
    so_far : callable
        Called with the ratios to the baseline by variant whenever it was looked how well they are known.
    replace : callable
        Called with the names of variants, the baseline among them, that are to have other processes from now on;
        returns all whose process is another one then. None where that would take too long.
    """
    shuffle = shuffle or random.Random(0).shuffle
    active = list(samplers)
    series = {name: Series() for name in active}
    failed: dict[str, Exception] = {}
    each = dict(estimates)
    calls = {name: _calls(each[name], plan) for name in active}

    def take(name: str, number: int) -> float | None:
        warm = 1 if each[name] < plan.warm_below else 0
        try:
            return samplers[name](number, warm)
        except failures as error:
            if name == baseline:
                raise
            failed[name] = error
            active.remove(name)
            del series[name]
            return None

    start = clock()
    interrupted = False
    try:
        for name in list(active):
            # the estimate is that of a cold call: where many may make a sample, a warm one says how many
            if each[name] < _COLD * plan.sample_seconds and (seconds := take(name, calls[name])) is not None:
                each[name], calls[name] = seconds, _calls(seconds, plan)
        done, longest, look, turns = 0, 0.0, min(_FIRST_LOOK, plan.least), 0
        while done < plan.most and not _enough(done, longest, plan.budget - (clock() - start), plan):
            if done >= look:
                ratios = _ratios(series, active, baseline, against or {})
                so_far(ratios)
                left = turns < plan.replaced
                known = all(_known(one, plan, left) for one in ratios.values())
                # between machines nothing is level by a process's luck
                known = known and all(
                    _known(one, plan, False) for one in _across(series, active, baseline, against or {})
                )
                if known and done >= plan.least and clock() - start >= plan.at_least:
                    break
                look = math.ceil(done * _NEXT_LOOK)
                level = [name for name, one in ratios.items() if _is_level(one)]
                if left and level and clock() - start >= plan.budget * (turns + 1) / (plan.replaced + 1):
                    began = clock()
                    bases = {(against or {}).get(name, baseline) for name in level}
                    others = replace([baseline, *sorted(bases - {baseline}), *level])
                    for name in others:
                        for _ in range((_SETTLING if calls[name] > 1 else 1) if name in active else 0):
                            if name in active:
                                take(name, calls[name])
                    for name in set(others) & set(series):
                        series[name].fresh.append(done)
                    turns = turns + 1 if others and clock() - began < _DEAR * plan.budget else plan.replaced
            progress(done, _expected(done, clock() - start, plan), max(plan.budget - (clock() - start), 0.0))
            began = clock()
            order = list(active)
            shuffle(order)
            taken = {name: take(name, calls[name]) for name in order}
            # a round counts when it is whole: an interrupted one leaves no half
            for name, seconds in taken.items():
                if seconds is not None:
                    series[name].samples.append(seconds)
                    series[name].calls += calls[name]
                    share = seconds * calls[name] / plan.sample_seconds
                    if share > _FAR_TOO_LONG or share < _TOO_SHORT:
                        # they were counted while it was fast, as threads are that get a core each, or slow
                        calls[name] = _calls(seconds, plan)
            longest = max(longest, clock() - began)
            done += 1
        so_far(_ratios(series, active, baseline, against or {}))
    except KeyboardInterrupt:
        interrupted = True
    measured = {name: one for name, one in series.items() if one.samples}
    # a later process that is faster does not make the first one's time a warm-up
    until = min((one.fresh[0] for one in measured.values() if one.fresh), default=None)
    warming = warm_up({name: one.samples[:until] for name, one in measured.items()})
    first = max(warming.values(), default=0)
    for one in measured.values():
        # a round counts for all or for none
        del one.samples[:first]
        one.fresh = [place - first for place in one.fresh if place > first]
    return Rounds(measured, failed, interrupted, warming)


def _enough(done: int, longest: float, left: float, plan: Plan) -> bool:
    """Tells whether another round would overrun the budget.

    At least ``plan.least`` rounds are made, or three where ``plan.least`` of them take longer than the budget: fewer
    would say nothing of the spread.
    """
    least = plan.least if longest * plan.least <= plan.budget else min(3, plan.least)
    return done >= least and left < longest


def _calls(seconds: float, plan: Plan) -> int:
    return max(1, min(round(plan.sample_seconds / max(seconds, 1e-9)), plan.most_calls))


def _ratios(
    series: Mapping[str, Series], active: list[str], baseline: str, against: Mapping[str, str]
) -> dict[str, Interval]:
    """Returns the ratio of each variant to what it is set against."""
    found = {}
    for name in active:
        base = against.get(name, baseline)
        if base != name and base in series:
            found[name] = ratio_interval(series[base].samples, series[name].samples, fresh=series[name].fresh)
    return found


def _across(
    series: Mapping[str, Series], active: list[str], baseline: str, against: Mapping[str, str]
) -> list[Interval]:
    """Returns the ratios to the baseline of what is set against another one."""
    base = series[baseline].samples
    return [
        ratio_interval(base, series[name].samples, fresh=series[name].fresh) for name in active if name in against
    ]


def _is_level(ratio: Interval) -> bool:
    """Tells whether a ratio is so near to 1 that other processes of the same code might turn it round."""
    return ratio.steady and abs(math.log(ratio.median)) < _LEVEL


def _known(ratio: Interval, plan: Plan, left: bool) -> bool:
    """Tells whether a ratio to the baseline is known well enough; ``left``: its processes may still be replaced."""
    if not ratio.steady:
        return ratio.samples >= _RESTLESS
    whole = across_processes(ratio)
    if left and _is_level(ratio) and whole.low <= 1.0 <= whole.high:
        return False
    away = abs(math.log(ratio.median))
    if away < _HANGING:
        return ratio.relative_width < max(plan.close, min(plan.margin, _HANGING_SHARE * away))
    return ratio.relative_width < min(plan.margin, _CLEAR_SHARE * away)


def _expected(done: int, spent: float, plan: Plan) -> int:
    """Guesses how many rounds the budget holds."""
    if not done:
        return plan.least
    return max(plan.least, min(plan.most, int(plan.budget / max(spent / done, 1e-9))))
