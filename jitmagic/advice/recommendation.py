"""One recommendation, in a sentence with its evidence, and the conditions under which it changes."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from jitmagic import figures
from jitmagic.advice.common import differs
from jitmagic.advice.costs import changed, costs
from jitmagic.advice.purpose import Purpose, total
from jitmagic.measure.statistics import Interval, ratio_interval
from jitmagic.observe.facts import Observation
from jitmagic.outcome import Outcome

_NEAR = 1.02
"""Up to this ratio of medians the time to build decides: with what processes differ by, the choice stays within 5 %."""

_PLACE = {"cpu": "CPU", "gpu": "GPU", "tpu": "TPU"}


@dataclass(frozen=True)
class Circumstances:
    """What a recommendation rests on beside the measured times.

    Attributes
    ----------
    original : str
        The module's text with NumPy.
    libraries : mapping of str to str
        Versions by distribution.
    observation : Observation or None
    differentiable : callable
        Tells of an outcome whether its library can differentiate it.
    swept : mapping or None
        The record's entry of the sizes that were measured: where another one becomes the faster is a condition.
    algorithm : sequence of str
        Where another algorithm, or a library's own, would do better than any variant.
    """

    original: str = ""
    libraries: Mapping[str, str] = field(default_factory=dict)
    observation: Observation | None = None
    differentiable: Callable[[Outcome], bool] = lambda one: False
    swept: Mapping[str, Any] | None = None
    algorithm: Sequence[str] = ()


_ANY, _BARE = Purpose(), Circumstances()


def recommend(
    baseline: Outcome,
    outcomes: Sequence[Outcome],
    purpose: Purpose = _ANY,
    given: Circumstances = _BARE,
) -> dict[str, Any]:
    """Chooses a variant of this machine, or the baseline, from what was measured; see :func:`_recommend`.

    What is the fastest on other machines is a condition: to go there is no choice between libraries.
    """
    advice = _recommend(baseline, [one for one in outcomes if not one.node], purpose, given)
    advice["conditions"] = [*advice["conditions"], *_elsewhere(baseline, outcomes)]
    return advice


def _recommend(
    baseline: Outcome,
    outcomes: Sequence[Outcome],
    purpose: Purpose = _ANY,
    given: Circumstances = _BARE,
) -> dict[str, Any]:
    """Chooses a variant, or the baseline, from what was measured.

    Returns
    -------
    dict
        ``variant`` (a name; None where nothing serves the purpose), ``sentence``, ``conditions`` (list of str), and,
        where there is something to say: ``costs`` (list of str), ``runner_up`` (``variant`` and ``sentence``),
        ``common`` (where the measurement goes against what is commonly advised) and ``algorithm`` (list of str).
    """
    timed = [one for one in outcomes if one.speedup(baseline.samples) is not None]
    fit = purpose.able(purpose.here(timed), given.differentiable)
    if not purpose.takes_numpy and not fit:
        return {"variant": None, "sentence": _nothing(purpose, timed, outcomes), "conditions": []}
    faster = [one for one in fit if _speedup(one, baseline).low > 1.0] if purpose.takes_numpy else fit
    ahead = faster
    if purpose.calls is not None and purpose.takes_numpy:
        ahead = [one for one in ahead if total(one, purpose.calls) < total(baseline, purpose.calls)]
    if not ahead:
        return {
            "variant": baseline.name,
            "sentence": _stay(fit, outcomes, purpose, baseline),
            "conditions": _by_size(baseline.name, baseline.name, given.swept),
            **_beside(baseline, baseline, fit, timed, given),
        }
    best = max(ahead, key=lambda one: _speedup(one, baseline).median)
    rivals = [one for one in ahead if one is not best and _close(one, best)]
    # what is nearly as fast is told apart by the time to build it; what only noise keeps apart is not
    near = [best, *(one for one in rivals if ratio_interval(one.samples, best.samples).median <= _NEAR)]
    choice = _chosen(ahead, near, baseline, purpose, given)
    if choice not in near:
        near, rivals = [choice], [one for one in ahead if one is not choice and _close(one, choice)]
    return {
        "variant": choice.name,
        "sentence": _sentence(choice, baseline, purpose, given),
        "conditions": [
            *_by_size(choice.name, baseline.name, given.swept),
            *_for_purpose(choice, max(faster, key=lambda one: _speedup(one, baseline).median), purpose, given),
            *_conditions(choice, baseline, near, rivals, given.swept),
        ],
        "costs": costs(choice, baseline, given.original, given.libraries),
        **_beside(choice, baseline, ahead, timed, given),
    }


def _chosen(
    ahead: Sequence[Outcome],
    near: Sequence[Outcome],
    baseline: Outcome,
    purpose: Purpose,
    given: Circumstances,
) -> Outcome:
    """Picks one of those that are ahead; ``near`` are the fastest of them."""
    if purpose.keep is not None:
        return min(
            ahead,
            key=lambda one: (_silent(one), sum(changed(one, given.original)), -_speedup(one, baseline).median),
        )
    if purpose.calls is not None:
        calls = purpose.calls
        return min(ahead, key=lambda one: (_silent(one), total(one, calls)))
    # of what is about as fast, what is right with other arguments too goes before what is soon built
    return min(near, key=lambda one: (_silent(one), one.build_seconds or 0.0))


def _sentence(choice: Outcome, baseline: Outcome, purpose: Purpose, given: Circumstances) -> str:
    ratio = _speedup(choice, baseline)
    shown, ends = figures.speedup({"median": ratio.median, "low": ratio.low, "high": ratio.high})
    speed = f"{shown.removesuffix('×')} times NumPy's speed here{f' ({ends})' if ends else ''}"
    why = []
    if purpose.keep is not None:
        why.append(f"with the fewest lines changed ({sum(changed(choice, given.original))})")
    if purpose.need:
        why.append(f"with {figures.listed(list(purpose.need))}")
    if purpose.deploy is not None:
        why.append(f"for the {_PLACE[purpose.deploy]}")
    told = f"Take {choice.name}{', ' if why else ''}{' '.join(why)}: "
    if purpose.calls is not None:
        own, numpys = total(choice, purpose.calls), total(baseline, purpose.calls)
        told += (
            f"{figures.plural(purpose.calls, 'call')} with it, the build among them, "
            f"{'takes' if purpose.calls == 1 else 'take'} {figures.duration(own)}, "
            f"with NumPy {figures.duration(numpys)}. A call has "
        )
    return f"{told}{speed}, with the same result{_but(choice)}."


def _nothing(purpose: Purpose, timed: Sequence[Outcome], outcomes: Sequence[Outcome]) -> str:
    """Says why nothing that was measured serves the purpose."""
    if purpose.deploy is not None and not purpose.here(timed):
        place = _PLACE[purpose.deploy]
        written = [one.name for one in purpose.here(outcomes) if one.draft is not None]
        shown = f" {figures.listed(written)} can be read below, and {'was' if len(written) == 1 else 'were'} not run."
        return (
            f"Nothing can be said for the {place}: no variant was verified and timed on one. Run the comparison on a "
            f"machine that has one.{shown if written else ''}"
        )
    return (
        f"No variant serves this: {figures.listed(list(purpose.need))} are had from JAX and from torch, and none of "
        "their variants was verified and timed here; their rows say why. NumPy itself has none."
    )


def _for_purpose(choice: Outcome, best: Outcome, purpose: Purpose, given: Circumstances) -> Iterator[str]:
    """Yields what somebody with this purpose has to know of the choice."""
    if purpose.need:
        yield "Its library can differentiate it; whether the gradients are right is another comparison: `--grad ARG`."
    if best is choice:
        return
    ratio = ratio_interval(choice.samples, best.samples)
    if ratio.low <= 1.0:
        return
    shown, _ = figures.speedup({"median": ratio.median, "low": ratio.low, "high": ratio.high})
    faster = f"{best.name} is {shown.removesuffix('×')} times as fast again"
    if purpose.keep is not None:
        yield f"{faster}, with {figures.plural(sum(changed(best, given.original)), 'line')} changed."
    elif purpose.calls is not None and best.run is not None and choice.run is not None:
        gain = choice.run.median - best.run.median
        later = (total(best, 0) - total(choice, 0)) / gain if gain > 0 else 0.0
        if later > purpose.calls:
            yield f"{faster}, but longer to build: it is ahead from {figures.calls(math.ceil(later))} calls on."


def _beside(
    choice: Outcome,
    baseline: Outcome,
    ahead: Sequence[Outcome],
    timed: Sequence[Outcome],
    given: Circumstances,
) -> dict[str, Any]:
    """Returns the runner-up, and where the measurement goes against what is commonly advised."""
    told: dict[str, Any] = {}
    others = [one for one in ahead if one is not choice and one.run is not None]
    if others:
        second = max(others, key=lambda one: _speedup(one, baseline).median)
        ratio = _speedup(second, baseline)
        shown, ends = figures.speedup({"median": ratio.median, "low": ratio.low, "high": ratio.high})
        built = f", {figures.duration(second.build_seconds)} to build" if second.build_seconds is not None else ""
        told["runner_up"] = {
            "variant": second.name,
            "sentence": f"{second.name}: {shown.removesuffix('×')} times NumPy's speed"
            f"{f' ({ends})' if ends else ''}{built}.",
        }
    if given.observation is not None and (against := differs(given.observation, choice, timed)) is not None:
        told["common"] = against
    if given.algorithm:
        told["algorithm"] = list(given.algorithm)
    return told


def _elsewhere(baseline: Outcome, outcomes: Sequence[Outcome]) -> list[str]:
    """Says what is the fastest on each other machine: against NumPy there, and against NumPy here."""
    told = []
    bases = {one.node: one for one in outcomes if one.node and one.backend == "numpy"}
    for node, base in bases.items():
        there = [one for one in outcomes if one.node == node and one is not base]
        ratios = [(ratio, one) for one in there if (ratio := one.speedup(base.samples)) is not None]
        faster = [(ratio, one) for ratio, one in ratios if ratio.low > 1.0]
        if not faster:
            if ratios:
                told.append(f"On {node}, no verified variant is clearly faster than NumPy there.")
            continue
        ratio, best = max(faster, key=lambda pair: pair[0].median)
        told.append(
            f"On {node}, {best.name} has {_times(ratio)} NumPy's speed there"
            + (f", and {_times(across)} NumPy's speed here" if (across := best.speedup(baseline.samples)) else "")
            + f"{_but(best)}: the second ratio is one of machines too."
        )
    return told


def _times(ratio: Interval) -> str:
    shown, ends = figures.speedup({"median": ratio.median, "low": ratio.low, "high": ratio.high})
    return f"{shown.removesuffix('×')} times{f' ({ends})' if ends else ''}"


def _silent(one: Outcome) -> bool:
    return any(probed.outcome in ("differs", "no exception") for probed in one.findings)


def _but(choice: Outcome) -> str:
    """Returns what keeps a result from being the same with other arguments too."""
    wrong = [probed for probed in choice.findings if probed.outcome != "raises"]
    if not wrong:
        return ""
    worst = wrong[0]
    rest = len(wrong) - 1
    more = f", and {figures.plural(rest, 'more such case')}" if rest else ""
    return f" here, but not with {worst.arguments}{more}"


def _stay(timed: Sequence[Outcome], outcomes: Sequence[Outcome], purpose: Purpose, baseline: Outcome) -> str:
    if timed and purpose.calls is not None:
        some = [one for one in timed if _speedup(one, baseline).low > 1.0]
        if some:
            soonest = min(some, key=lambda one: total(one, purpose.calls or 1))
            own, numpys = total(soonest, purpose.calls), total(baseline, purpose.calls)
            takes = "it takes" if purpose.calls == 1 else "they take"
            return (
                f"Stay with NumPy for {figures.plural(purpose.calls, 'call')}: with it {takes} "
                f"{figures.duration(numpys)}, with {soonest.name} {figures.duration(own)}, the build among them."
            )
    if len(timed) == 1:
        return f"Stay with NumPy: {timed[0].name}, the only verified variant, is not clearly faster here."
    if timed:
        return f"Stay with NumPy: none of the {len(timed)} verified variants is clearly faster here."
    if any(one.verdict is not None and one.verdict.verdict == "stopped" for one in outcomes):
        return "No answer yet: it was stopped before a variant was timed. Run it again, or let it run longer."
    if any(one.verdict is not None and one.verdict.verdict == "not verified" for one in outcomes):
        return "No answer: whether a variant is right cannot be told with these arguments; each says why."
    if outcomes:
        return "Stay with NumPy: no variant could be verified and timed; each says why."
    return "Stay with NumPy: no other backend was asked for."


def _close(one: Outcome, best: Outcome) -> bool:
    """Tells whether two variants are equally fast for all that is measured, or nearly."""
    gap = ratio_interval(one.samples, best.samples)
    return gap.low <= 1.0 or gap.median <= _NEAR


def _by_size(choice: str, baseline: str, swept: Mapping[str, Any] | None) -> list[str]:
    """Says from which size on the choice is the faster one, and from which on another."""
    if swept is None:
        return []
    told = []
    parameter = swept["parameter"]
    titles = {baseline: "NumPy"}
    for crossing in swept["crossovers"]:
        ahead, behind = crossing["variant"], crossing["over"]
        if choice not in (ahead, behind):
            continue
        ends = f"{figures.rough(crossing['low'])}–{figures.rough(crossing['high'])}"
        told.append(
            f"From {parameter} ≈ {figures.rough(crossing['n'])} ({ends}) on {titles.get(ahead, ahead)} is faster; "
            f"below, {titles.get(behind, behind)}."
        )
    runs = {series["name"]: series["run"] for series in swept["series"]}
    if not told and choice != baseline and choice in runs:
        pairs = [(n, one, other) for n, one, other in zip(swept["n"], runs[choice], runs[baseline], strict=True)
                 if one is not None and other is not None]  # fmt: skip
        if len(pairs) > 1 and all(one["high"] < other["low"] for _, one, other in pairs):
            told.append(
                f"It is faster than NumPy at every size that was measured, {parameter} = "
                f"{figures.rough(pairs[0][0])} to {figures.rough(pairs[-1][0])}."
            )
    return told


def _conditions(
    choice: Outcome,
    baseline: Outcome,
    near: Sequence[Outcome],
    rivals: Sequence[Outcome],
    swept: Mapping[str, Any] | None,
) -> list[str]:
    conditions = []
    build, run, base = choice.build_seconds, choice.run, baseline.run
    if build is not None and run is not None and base is not None:
        calls = math.ceil(build / (base.median - run.median))  # as in the table
        if calls > 1:
            conditions.append(
                f"It takes {figures.duration(build)} to build, which is earned back after "
                f"{figures.calls(calls)} calls like this one; "
                "for fewer, NumPy is done sooner."
            )
    for word, group in (("About", near), ("Perhaps", [one for one in rivals if one not in near])):
        names = [one.name for one in group if one is not choice]
        if names:
            conditions.append(f"{word} as fast: {figures.listed(names)}.")
    if choice.thread_limit is not None:
        conditions.append(
            f"It was held to {figures.plural(choice.thread_limit, 'thread')}, which its source alone does not do: its "
            "notes say how."
        )
    if choice.end_to_end and base is not None and choice.device != "cpu":
        median = sorted(choice.end_to_end)[len(choice.end_to_end) // 2]
        conditions.append(
            f"Arrays have to stay on {choice.device}: with the ways there and back a call takes "
            f"{figures.duration(median)}."
        )
    if swept is None:
        conditions.append("Measured with these arguments only: other sizes may have another winner.")
    return conditions


def _speedup(outcome: Outcome, baseline: Outcome) -> Interval:
    """Returns the speedup of a variant that has one."""
    ratio = outcome.speedup(baseline.samples)
    if ratio is None:
        raise ValueError(f"{outcome.name} was not timed")
    return ratio
