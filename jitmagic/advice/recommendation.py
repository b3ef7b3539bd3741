"""One recommendation, in a sentence with its evidence, and the conditions under which it changes."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from jitmagic import figures
from jitmagic.measure.statistics import Interval, ratio_interval
from jitmagic.outcome import Outcome

_NEAR = 1.1
"""Up to this ratio of medians the time to build decides."""


def recommend(
    baseline: Outcome, outcomes: Sequence[Outcome], swept: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Chooses a variant, or the baseline, from what was measured.

    Parameters
    ----------
    swept : mapping, optional
        The record's entry of the sizes that were measured: where another one becomes the faster is a condition.

    Returns
    -------
    dict
        ``variant`` (a name), ``sentence``, ``conditions`` (list of str).
    """
    timed = [one for one in outcomes if one.speedup(baseline.samples) is not None]
    faster = [one for one in timed if _speedup(one, baseline).low > 1.0]
    if not faster:
        return {"variant": baseline.name, "sentence": _stay(timed, outcomes),
                "conditions": _by_size(baseline.name, baseline.name, swept)}  # fmt: skip
    best = max(faster, key=lambda one: _speedup(one, baseline).median)
    rivals = [one for one in faster if one is not best and _close(one, best)]
    # what is nearly as fast is told apart by the time to build it; what only noise keeps apart is not
    near = [best, *(one for one in rivals if ratio_interval(one.samples, best.samples).median <= _NEAR)]
    # of what is about as fast, what is right with other arguments too goes before what is soon built
    choice = min(near, key=lambda one: (_silent(one), one.build_seconds or 0.0))
    ratio = _speedup(choice, baseline)
    shown, ends = figures.speedup({"median": ratio.median, "low": ratio.low, "high": ratio.high})
    sentence = (
        f"Take {choice.name}: {shown.removesuffix('×')} times NumPy's speed here"
        f"{f' ({ends})' if ends else ''}, with the same result{_but(choice)}."
    )
    return {
        "variant": choice.name,
        "sentence": sentence,
        "conditions": [
            *_by_size(choice.name, baseline.name, swept), *_conditions(choice, baseline, near, rivals, swept)
        ],
    }  # fmt: skip


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


def _stay(timed: Sequence[Outcome], outcomes: Sequence[Outcome]) -> str:
    if len(timed) == 1:
        return f"Stay with NumPy: {timed[0].name}, the only verified variant, is not clearly faster here."
    if timed:
        return f"Stay with NumPy: none of the {len(timed)} verified variants is clearly faster here."
    if any(one.verdict is not None and one.verdict.verdict == "stopped" for one in outcomes):
        return "No answer yet: it was stopped before a variant was timed. Run it again, or let it run longer."
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
