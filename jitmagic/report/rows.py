"""What every view shows of each variant and gotcha: chosen, ordered and written once, so that no two views disagree.

The rule that matters most stands here: a figure of speed is shown only for a verified result.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from jitmagic import figures
from jitmagic.report import clean

Record = Mapping[str, Any]

SIGNS = {
    "baseline": "=",
    "faster": "▲",
    "slower": "▼",
    "no clear difference": "≈",
    "differs": "≠",
    "not verified": "?",
    "unsupported": "–",
    "crashed": "✗",
    "timed out": "∞",
    "stopped": "■",
}
"""A character for each verdict, so that colour is never the only sign."""

_UNPROVED = "not verified"
TIMED_VERDICTS = ("faster", "slower", "no clear difference")

SEVERITIES = {
    "silent": "Silent: the numbers change without a word",
    "error": "Error: it stops with an exception",
    "performance": "Performance: time is lost or measured wrongly",
}

_UNTIMED_ORDER = ("baseline", "differs", _UNPROVED, "crashed", "timed out", "stopped", "unsupported")
_STATUS_ORDER = ("confirmed", "possible", "not seen with these inputs")
_NO_REASON = {
    "baseline": "it was not timed",
    "differs": "the result differs from NumPy's",
    _UNPROVED: "the result was not verified or not timed, so that no speed is shown",
    "unsupported": "it could not be made",
    "crashed": "its worker process ended",
    "timed out": "it took longer than the time limit",
    "stopped": "it was interrupted before it was timed",
}


BUT = "!"
"""The sign of a variant that is right with the user's arguments and not with others."""

_WORST = ("differs", "no exception", "crashed", "timed out", "raises")


@dataclass(frozen=True)
class Finding:
    """What a variant gets wrong with a probe's arguments; every string is clean.

    Attributes
    ----------
    name, arguments : str
        The kind of probe, and what its arguments are: "a NaN in x".
    outcome, detail : str
    snippet : str
        Statements by which it can be seen, may be "".
    silent : bool
        Whether numbers are wrong without a word.
    """

    name: str
    arguments: str
    outcome: str
    detail: str
    snippet: str
    silent: bool


@dataclass(frozen=True)
class Row:
    """One variant (or the baseline) as a row of text; every string is clean.

    Attributes
    ----------
    label : str
        Name, and the device where it is not the CPU.
    name, device, verdict, sign : str
    timed : bool
        Whether it has figures: a verified result and a run time.
    recommended : bool
        Whether it is the recommended one.
    ratio : float or None
        NumPy's run time on the same machine divided by this one's; None where it is not timed.
    share : float or None
        ``ratio`` divided by the largest one of the record, 0 to 1: the length of its bar.
    speedup, interval : str
        ``ratio`` as text, and its interval ("" where there is none).
    run, end_to_end, build, break_even, error : str
        Figures as text, :data:`figures.MISSING` where there is none.
    moved : bool
        Whether arguments or results are moved between host and device, so that ``end_to_end`` says more than ``run``.
    error_detail : str
        The largest deviation in full with its place, "" where nothing was compared.
    reason, next_step : str
        The cause of a verdict without figures, never "" there, or what the figures of another machine are set against;
        what to do about it.
    variant : mapping
        The variant's part of the record, as it is.
    findings : tuple of Finding
        What it gets wrong with other arguments, the worst first.
    but : str
        The same in one sentence, for beside a verified result: "" where it is wrong nowhere (it may raise). A row that
        has it is never to be shown as plainly right; its ``sign`` and ``reason`` say so already.
    probed : str
        How many probes it was right with, "" where it was not probed.
    """

    label: str
    name: str
    device: str
    verdict: str
    sign: str
    timed: bool
    recommended: bool
    ratio: float | None
    share: float | None
    speedup: str
    interval: str
    run: str
    moved: bool
    end_to_end: str
    build: str
    break_even: str
    error: str
    error_detail: str
    reason: str
    next_step: str
    variant: Mapping[str, Any]
    findings: tuple[Finding, ...] = ()
    but: str = ""
    probed: str = ""

    @property
    def baseline(self) -> bool:
        """Whether it is the user's own function."""
        return self.verdict == "baseline"


def rows(record: Record) -> list[Row]:
    """Returns the baseline and all variants: the timed ones by run time, then the others by verdict."""
    everything = [record["baseline"], *record["variants"]]
    ratios = [ratio for variant in everything if (ratio := _ratio(variant)) is not None]
    largest = max(ratios, default=1.0) or 1.0
    chosen = _recommended(record, everything)
    made = [_row(variant, largest, variant is chosen) for variant in everything]
    timed = sorted((row for row in made if row.timed), key=lambda row: row.variant["clocks"]["run"]["median"])
    others = sorted((row for row in made if not row.timed), key=lambda row: _UNTIMED_ORDER.index(row.verdict))
    return timed + others


def is_timed(variant: Mapping[str, Any]) -> bool:
    """Says whether figures of speed may be shown: for nothing but a verified result."""
    if variant["clocks"]["run"] is None:
        return False
    if variant["verdict"] == "baseline":
        return True
    return variant["verified"] is True and variant["verdict"] in TIMED_VERDICTS and bool(variant.get("speedup"))


def _ratio(variant: Mapping[str, Any]) -> float | None:
    if not is_timed(variant):
        return None
    return 1.0 if variant["verdict"] == "baseline" else float(variant["speedup"]["median"])


def _recommended(record: Record, everything: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """Returns the recommended variant; of those of one name on several devices, the fastest."""
    advice = record["recommendation"]
    if advice is None:
        return None
    named = [variant for variant in everything if variant["name"] == advice["variant"] and variant["verified"] is True]
    return max(named, key=lambda variant: _ratio(variant) or 0.0, default=None)


def _row(variant: Mapping[str, Any], largest: float, recommended: bool) -> Row:
    timed, verdict = is_timed(variant), variant["verdict"]
    if verdict in TIMED_VERDICTS and not timed:
        # a record that breaks its contract must not make a view claim a speed
        verdict = _UNPROVED
    ratio = _ratio(variant)
    speedup, interval = "", ""
    if timed:
        speedup, interval = ("1×", "") if verdict == "baseline" else figures.speedup(variant["speedup"])
    clocks = variant["clocks"] if timed else dict.fromkeys(variant["clocks"])
    name, device = clean.line(variant["name"]), clean.line(variant["device"])
    found = findings(variant) if timed else ()
    but = _but(found)
    reason = clean.line(variant["reason"]) or ("" if timed else _NO_REASON[verdict])
    return Row(
        label=name if device == "cpu" or device in name else f"{name} · {device}",
        name=name,
        device=device,
        verdict=verdict,
        sign=BUT if but else SIGNS.get(verdict, "?"),
        timed=timed,
        recommended=recommended,
        ratio=ratio,
        share=None if ratio is None else min(ratio / largest, 1.0),
        speedup=speedup,
        interval=interval,
        run=figures.clock(clocks["run"]),
        moved=clocks["to_device"] is not None or clocks["to_host"] is not None,
        end_to_end=figures.clock(clocks["end_to_end"]),
        build=figures.clock(clocks["build"]),
        break_even=_break_even(variant) if timed else figures.MISSING,
        error=_error(variant["error"]) if timed else figures.MISSING,
        error_detail=_error_detail(variant["error"]),
        reason="; ".join(filter(None, (reason, _elsewhere(variant) if timed else "", but))),
        next_step=clean.line(variant["next_step"]),
        variant=variant,
        findings=found,
        but=but,
        probed=_probed(variant) if timed else "",
    )


def _elsewhere(variant: Mapping[str, Any]) -> str:
    """Says of a variant of another machine what its speed is set against; "" for this machine."""
    name = clean.line(variant.get("machine") or "")
    if not name:
        return ""
    ratio, ends = figures.speedup(variant["across"]) if variant.get("across") else ("", "")
    here = f"{ratio}{f' ({ends})' if ends else ''} against NumPy here" if ratio else "not set against NumPy here"
    if variant["verdict"] == "baseline":
        return f"NumPy on {name}: {here}"
    return f"on {name}, against NumPy there; {here}"


def findings(variant: Mapping[str, Any]) -> tuple[Finding, ...]:
    """Returns what a variant gets wrong with other arguments, the worst first."""
    wrong = [one for one in variant.get("probes") or () if one["outcome"] in _WORST]
    return tuple(
        Finding(
            clean.line(one["name"]), clean.line(one["arguments"]), one["outcome"], clean.line(one["detail"]),
            clean.block(one["snippet"]), one["outcome"] in ("differs", "no exception"),
        )
        for one in sorted(wrong, key=lambda one: (_WORST.index(one["outcome"]), one["kind"] == "dtype"))
    )  # fmt: skip


def _but(found: Sequence[Finding]) -> str:
    wrong = [one for one in found if one.outcome != "raises"]  # an exception is no wrong number
    if not wrong:
        return ""
    rest = f" (and {figures.plural(len(wrong) - 1, 'more such case')})" if len(wrong) > 1 else ""
    return f"right here, but with {found[0].arguments}: {found[0].detail}{rest}"


def _probed(variant: Mapping[str, Any]) -> str:
    tried = [one for one in variant.get("probes") or () if one["outcome"] != "not run"]
    if not variant.get("probes"):
        return ""
    right = sum(one["outcome"] == "agrees" for one in tried)
    left = len(variant["probes"]) - len(tried)
    text = f"as NumPy with {right} of {len(tried)} other arguments that were tried"
    return text + (f"; {left} more were not tried, their time was spent" if left else "")


def _break_even(variant: Mapping[str, Any]) -> str:
    if variant["break_even_calls"] is not None:
        return figures.calls(variant["break_even_calls"])
    never = variant["verdict"] == "slower" and variant["clocks"]["build"] is not None
    return "never" if never else figures.MISSING


def _error(error: Mapping[str, Any] | None) -> str:
    return figures.MISSING if error is None else figures.figure(error["max_abs"])


def _error_detail(error: Mapping[str, Any] | None) -> str:
    if error is None or (error["max_abs"] is None and error["max_rel"] is None and not error["where"]):
        return ""
    if error["max_abs"] == 0:
        return "none: every value is the same as NumPy's"
    parts = []
    if error["max_abs"] is not None:
        parts.append(figures.figure(error["max_abs"]))
    if error["max_rel"] is not None:
        relative = f"relative {figures.figure(error['max_rel'])}"
        parts.append(f"({relative})" if parts else relative)
    if not parts:
        parts.append("not finite")
    if error["where"]:
        parts.append(f"at {clean.line(error['where'])}")
    return " ".join(parts)


@dataclass(frozen=True)
class Hint:
    """One gotcha as text; every string is clean.

    Attributes
    ----------
    attention : bool
        Whether the reader has something to do: it is confirmed or possible, and the variants do not avoid it already.
    place : str
        "line 3", or "" where it has no place.
    quoted : str
        The user's line of source, "" where it is not known.
    state : str
        Its status, whether it is handled, and which package it comes from where that is not jitmagic.
    link : str or None
        An address that is safe to link to.
    """

    code: str
    backend: str
    severity: str
    attention: bool
    place: str
    quoted: str
    state: str
    message: str
    fix: str
    link: str | None


def hints(record: Record) -> dict[str, list[Hint]]:
    """Returns the gotchas by severity, the gravest first; within one, those that ask for attention, then by line."""
    ordered = sorted(
        record["gotchas"],
        key=lambda gotcha: (
            not _asks_for_attention(gotcha),
            _STATUS_ORDER.index(gotcha["status"]),
            gotcha["line"] or 0,
            gotcha["column"] or 0,
        ),
    )
    lines = source_lines(record)
    grouped: dict[str, list[Hint]] = {}
    for severity in SEVERITIES:
        made = [_hint(gotcha, lines) for gotcha in ordered if gotcha["severity"] == severity]
        if made:
            grouped[severity] = made
    return grouped


def source_lines(record: Record) -> dict[int, str]:
    """Returns the user's source by the user's own line numbers."""
    workload = record["workload"]
    text = clean.block(workload["source"]).split("\n")
    return {number: line for number, line in zip(workload["lines"], text, strict=False) if number is not None}


def _asks_for_attention(gotcha: Mapping[str, Any]) -> bool:
    return not gotcha["handled"] and gotcha["status"] != "not seen with these inputs"


def _hint(gotcha: Mapping[str, Any], lines: Mapping[int, str]) -> Hint:
    number = gotcha["line"]
    return Hint(
        code=clean.line(gotcha["code"]),
        backend=clean.line(gotcha["backend"]),
        severity=gotcha["severity"],
        attention=_asks_for_attention(gotcha),
        place="" if number is None else f"line {number}",
        quoted="" if number is None else lines.get(number, "").strip(),
        state=_state(gotcha),
        message=clean.line(gotcha["message"]),
        fix=clean.line(gotcha["fix"]),
        link=web_link(gotcha),
    )


def _state(gotcha: Mapping[str, Any]) -> str:
    origin = clean.line(gotcha.get("origin") or "")
    return gotcha["status"] + (", handled" if gotcha["handled"] else "") + (f"; from {origin}" if origin else "")


def web_link(gotcha: Mapping[str, Any]) -> str | None:
    """Returns the gotcha's documentation where it is safe to link to."""
    return clean.web_address(gotcha["link"]) if gotcha["link"] else None


def device(one: Mapping[str, Any]) -> str:
    """Returns a device in one line: its name, what it is, what is known of it, and which backends can use it."""
    able = figures.listed(one["backends"]) or "no backend can use it"
    told = [f"{one['name']}: {one['title']}", *one.get("details", ()), able]
    return clean.line("; ".join(told))


def machine(record: Record) -> str:
    """Returns the machine in one line: processor, cores, memory, system, Python."""
    return computer(record["machine"])


def computer(facts: Mapping[str, Any]) -> str:
    """Returns a computer in one line."""
    parts = []
    if facts["processor"]:
        parts.append(facts["processor"])
    if facts["cores"]:
        parts.append(figures.plural(facts["cores"], "core"))
    if facts["memory"]:
        parts.append(figures.size(facts["memory"]))
    system = " ".join(str(facts[name]) for name in ("system", "release") if facts[name])
    if system:
        parts.append(system)
    parts.append(f"Python {facts['python']}")
    return clean.line(" · ".join(parts))


def libraries(record: Record) -> str:
    """Returns the libraries with their versions in one line."""
    return clean.line(", ".join(f"{name} {version}" for name, version in record["libraries"].items()))


def arguments(record: Record) -> list[str]:
    """Returns each argument as text, e.g. "x float32[5000, 5000], 100 MB"."""
    return [argument(fact) for fact in record["workload"]["arguments"]]


def argument(fact: Mapping[str, Any]) -> str:
    """Returns an argument or a result as text."""
    text = f"{fact['name']} {figures.value_type(fact)}"
    if fact["value"] is not None:
        text += f" = {clean.line(fact['value'])[:60]}"
    elif fact["shape"] and fact["bytes"] is not None:
        text += f", {figures.size(fact['bytes'])}"
    return clean.line(text + (", changed in place" if fact["mutated"] else ""))


def interruption(record: Record) -> str:
    """Returns what to say of a comparison that was stopped, "" where it is complete."""
    if record["status"] != "interrupted":
        return ""
    return f"Interrupted after {figures.duration(record['elapsed'])}: what was done by then is shown."


def advice(record: Record) -> tuple[str, Sequence[str]]:
    """Returns the recommendation's sentence, and what there is to know of it, one sentence each."""
    given = record["recommendation"]
    if given is None:
        why = "it was interrupted" if record["status"] == "interrupted" else "there is no evidence for one"
        return f"No recommendation: {why}.", ()
    told = list(given["conditions"])
    if given.get("costs"):
        told.append(f"It costs: {'; '.join(given['costs'])}.")
    if given.get("runner_up"):
        told.append(f"Next best: {given['runner_up']['sentence']}")
    if given.get("common"):
        told.append(given["common"])
    told += given.get("algorithm") or ()
    return clean.line(given["sentence"]), [clean.line(one) for one in told]


CHANGES = {"faster": "▲", "slower": "▼", "no clear difference": "≈", "not comparable": "–", "new": "+", "gone": "−"}
"""A character for each change against the run before."""


@dataclass(frozen=True)
class Before:
    """This run against the one before as text; every string is clean.

    Attributes
    ----------
    caption : str
    lines : tuple of (str, str, str)
        Sign, label, and what became of it, of each variant.
    notes : tuple of str
        What to know before believing it, and what else differs.
    """

    caption: str
    lines: tuple[tuple[str, str, str], ...]
    notes: tuple[str, ...]


def before(record: Record) -> Before | None:
    """Returns what changed against the run before; None where there was none."""
    previous = record.get("previous")
    if previous is None:
        return None
    lines = []
    for one in previous["variants"]:
        ratio, ends = figures.speedup(one["ratio"]) if one["ratio"] is not None else ("", "")
        told = f": {ratio} as fast{f' ({ends})' if ends else ''}" if one["change"] in ("faster", "slower") else ""
        label = clean.line(_label(one))
        lines.append((CHANGES[one["change"]], label, f"{one['change']}{told}"))
    notes = [clean.line(caution) for caution in previous["cautions"]]
    notes += [
        f"{clean.line(one['what'])}: {clean.line(one['before'])} → {clean.line(one['now'])}"
        for one in previous["differences"]
    ]
    return Before(f"Against the run of {_minute(clean.line(previous['created']))}", tuple(lines), tuple(notes))


def _minute(created: str) -> str:
    """Writes a record's time as short as a reader needs it: "2026-11-20 09:58 UTC"."""
    found = re.fullmatch(r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d)[\d:.]*(?:\+00:00|Z)", created, re.ASCII)
    return f"{found[1]} {found[2]} UTC" if found else created


def _label(one: Mapping[str, Any]) -> str:
    name, device = clean.line(one["name"]), clean.line(one["device"])
    return name if device == "cpu" or device in name else f"{name} · {device}"


@dataclass(frozen=True)
class SizeTable:
    """The times over input sizes as text; every string is clean.

    Attributes
    ----------
    caption : str
    sizes : tuple of str
    lines : tuple of (str, tuple of str, str)
        Label, the time at each size, and how it grows ("" where no line has that), of each that was swept.
    crossings : tuple of str
        Where another one becomes the faster, one sentence each.
    notes : tuple of str
    """

    caption: str
    sizes: tuple[str, ...]
    lines: tuple[tuple[str, tuple[str, ...], str], ...]
    crossings: tuple[str, ...]
    notes: tuple[str, ...]


def sizes(record: Record) -> SizeTable | None:
    """Returns the times over input sizes; None where no other sizes were measured."""
    sweep = record["sweep"]
    if sweep is None or not sweep["series"]:
        return None
    parameter, meaning = clean.line(sweep["parameter"]), clean.line(sweep["meaning"])
    grows = any(series["growth"] is not None for series in sweep["series"])
    lines = []
    for series in sweep["series"]:
        name, device = clean.line(series["name"]), clean.line(series["device"])
        label = name if device == "cpu" or device in name else f"{name} · {device}"
        times = tuple(
            figures.MISSING if run is None else figures.duration(run["median"], run["low"], run["high"])
            for run in series["run"]
        )
        lines.append((label, times, _growth(series["growth"], parameter) if grows else ""))
    crossings = []
    for crossing in sweep["crossovers"]:
        low, high = crossing["low"], crossing["high"]
        ends = "" if low is None or high is None or low == high else f" ({_length(low)}–{_length(high)})"
        at = f"From {parameter} = {_length(crossing['n'])}{ends} on"
        crossings.append(f"{at}, {clean.line(crossing['variant'])} is faster than {clean.line(crossing['over'])}.")
    return SizeTable(
        f"Time of one call by {parameter}" + (f": {meaning}" if meaning else ""),
        tuple(map(_length, sweep["n"])),
        tuple(lines),
        tuple(crossings),
        tuple(clean.line(note) for note in sweep["notes"]),
    )


def _length(number: float) -> str:
    return figures.count(number) if float(number).is_integer() else figures.figure(number)


def _growth(exponent: Mapping[str, float] | None, parameter: str) -> str:
    if exponent is None:
        return figures.MISSING
    return f"{parameter}^{figures.figure(exponent['median'], exponent['low'], exponent['high'])}"
