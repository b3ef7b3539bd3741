"""Two records side by side: what is different around them, and what became faster or slower.

``labextension/src/record/two-runs.ts`` does the same; ``tests/report/view_cases.py`` holds both together.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from jitmagic import figures
from jitmagic.report import clean, columns, rows
from jitmagic.report.rows import Record, Row

BETWEEN_PROCESSES = 0.025
"""As in :mod:`jitmagic.measure.statistics`: what two processes that run the same code differ by."""

UNCLEAR, NOT_COMPARABLE, ONLY_A, ONLY_B = "no clear difference", "not comparable", "only in A", "only in B"
SIGNS = {"faster": "▲", "slower": "▼", UNCLEAR: "≈", NOT_COMPARABLE: "–", ONLY_A: "A", ONLY_B: "B"}
_NAME = 30


@dataclass(frozen=True)
class Pair:
    """One variant in both records.

    Attributes
    ----------
    label : str
    a, b : Row or None
        None where it is not in that record.
    change : str
        "faster" or "slower" of B against A, or why neither is said.
    ratio : dict of str to float or None
        How many times as fast B ran as A: ``median``, ``low``, ``high``.
    """

    label: str
    a: Row | None
    b: Row | None
    change: str
    ratio: dict[str, float] | None


@dataclass(frozen=True)
class TwoRuns:
    """Two records side by side; ``a`` is the older one.

    Attributes
    ----------
    same_arguments, same_source : bool
        Whether both ran the same call on arguments of the same kinds, and the same source.
    differences : tuple of (str, str, str)
        What else differs, with its value in A and in B.
    pairs : tuple of Pair
    cautions : tuple of str
        Sentences that the reader must know before believing the figures.
    """

    same_arguments: bool
    same_source: bool
    differences: tuple[tuple[str, str, str], ...]
    pairs: tuple[Pair, ...]
    cautions: tuple[str, ...]

    @property
    def same(self) -> bool:
        """Whether the answers are the same: the call, its source, each variant's verdict, and no time clearly moved."""
        alike = all(
            pair.a is not None
            and pair.b is not None
            and pair.change not in ("faster", "slower")
            and _kind(pair.a) == _kind(pair.b)
            for pair in self.pairs
        )
        return alike and self.same_arguments and self.same_source


def compare_runs(a: Record, b: Record, names: tuple[str, str] = ("A", "B")) -> TwoRuns:
    """Sets two valid records side by side.

    Parameters
    ----------
    names : tuple of str
        What the sentences call them.
    """
    same_arguments = a["workload"]["call"] == b["workload"]["call"] and _arguments(a) == _arguments(b)
    same_source = a["workload"]["source"] == b["workload"]["source"]
    differences = tuple(_differences(a, b))
    pairs = tuple(_pair(one, other, same_arguments) for one, other in _paired(a, b))
    cautions = tuple(_cautions(a, b, names, same_arguments, same_source, differences, pairs))
    return TwoRuns(same_arguments, same_source, differences, pairs, cautions)


def quotient(a: Mapping[str, Any], b: Mapping[str, Any]) -> dict[str, float] | None:
    """Divides A's time by B's.

    The ends are the widest that the two intervals allow, since the runs were not interleaved, and further apart by
    what two processes differ by.
    """
    if a["low"] <= 0 or b["low"] <= 0:
        return None
    room = 1 + BETWEEN_PROCESSES
    return {
        "median": a["median"] / b["median"],
        "low": a["low"] / b["high"] / room,
        "high": a["high"] / b["low"] * room,
    }


def previous(before: Record, now: Record) -> dict[str, Any]:
    """Returns what the record of a run holds of the one before: see the schema's ``previous``."""
    runs = compare_runs(before, now, ("the run before", "this run"))
    words = {ONLY_A: "gone", ONLY_B: "new"}
    return {
        "created": before["created"],
        "cautions": list(runs.cautions),
        "differences": [{"what": what, "before": one, "now": other} for what, one, other in runs.differences],
        "variants": [
            {
                "name": row.variant["name"],
                "device": row.variant["device"],
                "change": words.get(pair.change, pair.change),
                "ratio": pair.ratio,
            }
            for pair in runs.pairs
            if (row := pair.b or pair.a) is not None
        ],
    }


def to_json(a: Record, b: Record) -> dict[str, Any]:
    """Returns the two records' comparison as plain data, for ``jitmagic diff --json``."""
    runs = compare_runs(a, b)
    return {
        "same": runs.same,
        "same_arguments": runs.same_arguments,
        "same_source": runs.same_source,
        "cautions": list(runs.cautions),
        "differences": [{"what": what, "a": one, "b": other} for what, one, other in runs.differences],
        "variants": [
            {
                "name": row.variant["name"],
                "device": row.variant["device"],
                "change": pair.change,
                "ratio": pair.ratio,
                "verdict_a": pair.a and pair.a.verdict,
                "verdict_b": pair.b and pair.b.verdict,
            }
            for pair in runs.pairs
            if (row := pair.b or pair.a) is not None
        ],
    }


def to_text(a: Record, b: Record, width: int = 80) -> str:
    """Writes two records side by side: first what decides whether their figures can be compared at all."""
    runs = compare_runs(a, b)
    lines: list[str] = []

    def add(text: str, indent: int = 0, hang: int = 0) -> None:
        wrapped = columns.wrap(text, width - indent, hang=hang)
        lines.extend(" " * (indent + hang if number else indent) + line for number, line in enumerate(wrapped))

    for name, record in (("A", a), ("B", b)):
        add(f"{name}: {clean.line(record['workload']['call'])}, of {clean.line(record['created'])}", hang=3)
    lines.append("")
    for caution in runs.cautions:
        add(f"! {caution}", hang=2)
    if runs.differences:
        add("What else differs")
        for what, one, other in runs.differences:
            add(f"{clean.line(what)}: {clean.line(one)} → {clean.line(other)}", 2, 2)
    else:
        add("Machine, libraries, options and arguments are the same.")
    lines.append("")
    name_width = min(_NAME, max((columns.display_width(pair.label) for pair in runs.pairs), default=0))
    for pair in runs.pairs:
        label = columns.fill(columns.cut(pair.label, name_width), name_width)
        head = f"{SIGNS[pair.change]} {label}  "
        first, *more = columns.wrap(_told(pair), width - columns.display_width(head))
        lines += [head + first, *(" " * columns.display_width(head) + line for line in more)]
    lines.append("")
    add(
        "The two runs were not interleaved: each interval of B against A is the widest that both clocks allow, and the "
        "machine may have changed between them."
    )
    return "\n".join(lines) + "\n"


def _told(pair: Pair) -> str:
    if pair.ratio is not None:
        ratio, ends = figures.speedup(pair.ratio)
        times = f"{pair.a.run if pair.a else ''} → {pair.b.run if pair.b else ''}"
        return f"{pair.change}: {ratio} A's speed{f' ({ends})' if ends else ''}, {times}"
    if pair.a is None or pair.b is None:
        return pair.change
    if _kind(pair.a) != _kind(pair.b):
        return f"{pair.a.verdict} → {pair.b.verdict}"
    return f"{pair.change}, {pair.b.verdict}" if not pair.b.timed else pair.change


def _kind(row: Row) -> str:
    """Returns a row's verdict; all that have figures are of one kind, since a ratio near 1 may fall on either side."""
    return "timed" if row.timed else row.verdict


def _paired(a: Record, b: Record) -> Iterator[tuple[Row | None, Row | None]]:
    left = {_key(row): row for row in rows.rows(a)}
    # the order of B, the newer run; what only A has stands at the end
    for row in rows.rows(b):
        yield left.pop(_key(row), None), row
    for row in left.values():
        yield row, None


def _key(row: Row) -> tuple[str, str]:
    return row.variant["name"], row.variant["device"]


def _pair(a: Row | None, b: Row | None, same_arguments: bool) -> Pair:
    row = b or a
    label = row.label if row is not None else ""
    if a is None or b is None:
        return Pair(label, a, b, ONLY_B if a is None else ONLY_A, None)
    if not a.timed or not b.timed or not same_arguments:
        return Pair(label, a, b, NOT_COMPARABLE, None)
    ratio = quotient(a.variant["clocks"]["run"], b.variant["clocks"]["run"])
    if ratio is None:
        return Pair(label, a, b, NOT_COMPARABLE, None)
    return Pair(label, a, b, "faster" if ratio["low"] > 1 else "slower" if ratio["high"] < 1 else UNCLEAR, ratio)


def _differences(a: Record, b: Record) -> Iterator[tuple[str, str, str]]:
    pairs: list[tuple[str, Any, Any]] = [("arguments", _arguments(a), _arguments(b))]
    pairs.append(("jitmagic", a["jitmagic"], b["jitmagic"]))
    for part, prefix in (("options", "option "), ("machine", ""), ("libraries", "")):
        one, other = a[part], b[part]
        pairs += [(f"{prefix}{name}", one.get(name), other.get(name)) for name in dict.fromkeys([*one, *other])]
    for what, one, other in pairs:
        # what is measured of a machine, and has parts, says nothing as one line
        if not isinstance(one, Mapping) and not isinstance(other, Mapping) and _written(one) != _written(other):
            yield what, _written(one), _written(other)


def _cautions(
    a: Record,
    b: Record,
    names: tuple[str, str],
    same_arguments: bool,
    same_source: bool,
    differences: Sequence[tuple[str, str, str]],
    pairs: Sequence[Pair],
) -> Iterator[str]:
    one, other = clean.line(a["workload"]["name"]), clean.line(b["workload"]["name"])
    if one != other:
        yield f"These are two functions, {one} and {other}."
    elif not same_source:
        yield f"The source of {one} changed between the runs."
    if not same_arguments:
        yield "The calls or their arguments differ, so that no run time is called better or worse."
    if any(what in ("processor", "cores", "threads", "system") for what, _, _ in differences):
        yield "The runs were made on different machines."
    own = next((pair for pair in pairs if pair.b is not None and pair.b.verdict == "baseline"), None)
    if own is not None and own.ratio is not None and same_source and own.change != UNCLEAR:
        yield (
            f"NumPy itself ran clearly {own.change} in {names[1]}, with the same source: the machine or its load "
            "changed. The speedups, each taken within one run, are the fairer figures."
        )
    if "interrupted" in (a["status"], b["status"]):
        yield "A run was stopped before its end."


def _arguments(record: Record) -> str:
    return ", ".join(
        f"{each['name']} {figures.value_type(each)}" + ("" if each["value"] is None else f" = {each['value']}")
        for each in record["workload"]["arguments"]
    )


def _written(value: Any) -> str:
    """Writes a value of the record as JavaScript would."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return ", ".join(map(_written, value))
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)
