"""The record as text for a terminal: the advice, the variants with bars, the costs, what to watch out for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from jitmagic import figures
from jitmagic.report import circumstances, clean, rows
from jitmagic.report.columns import cut, display_width, fill, hard_wrap, wrap
from jitmagic.report.rows import Hint, Record, Row

NARROWEST = 40
"""Columns below which no layout is tried."""

_NAME = 24
_NARROWEST_NAME = 12
_SHORTEST_BAR = 8
_SHORTEST_REASON = 28
_VERDICT = 13
_GAP = "  "
_LONGEST = 12
_FINDINGS = 3
_COSTS = ("run", "end to end", "build", "break-even", "largest error")
_EIGHTHS = " ▏▎▍▌▋▊▉█"

_STYLES = {
    "strong": "1",
    "dim": "2",
    "faster": "32",
    "slower": "31",
    "differs": "31",
    "crashed": "31",
    "timed out": "31",
    "warning": "33",
}


class _Page:
    """Lines of a width; knows how to paint, and paints only what has been measured."""

    def __init__(self, width: int, color: bool) -> None:
        self.width = max(width, NARROWEST)
        self.color = color
        self.lines: list[str] = []

    def paint(self, text: str, style: str) -> str:
        code = _STYLES.get(style)
        return f"\x1b[{code}m{text}\x1b[0m" if self.color and code and text else text

    def add(self, text: str, indent: int = 0, *, hang: int = 0, style: str = "", most: int | None = _LONGEST) -> None:
        """Adds text wrapped behind an indent; further lines stand ``hang`` columns deeper."""
        lines = wrap(text, self.width - indent, hang=hang, most=most)
        for number, line in enumerate(lines):
            self.lines.append(" " * (indent + hang if number else indent) + self.paint(line, style))

    def blank(self) -> None:
        if self.lines and self.lines[-1]:
            self.lines.append("")

    def title(self, text: str) -> None:
        self.blank()
        self.add(text, style="strong")


def to_text(record: Record, *, width: int = 80, color: bool = False, code: str | None = None) -> str:
    """Writes a record as text.

    Parameters
    ----------
    record : mapping
        A valid record.
    width : int
        Columns that no line exceeds; below :data:`NARROWEST` that is taken.
    color : bool
        Whether to add ANSI colours. They repeat what signs and words say.
    code : str, optional
        Name of a variant whose source is appended, or "all".

    Raises
    ------
    ValueError
        Where ``code`` names no variant of the record.
    """
    made = rows.rows(record)
    chosen = _chosen(made, code)
    page = _Page(width, color)
    _head(page, record)
    _advice(page, record)
    page.blank()
    if page.width - max(_beside_names(made), _CostTable(made).width) >= _NARROWEST_NAME:
        _table(page, made)
        _costs(page, made)
    else:
        _stack(page, made)
    _near(page, record)
    _sizes(page, record)
    _before(page, record)
    _devices(page, record)
    _findings(page, made)
    _hints(page, record)
    _remarks(page, record, made)
    for row in chosen:
        _source(page, row)
    return "\n".join(page.lines) + "\n"


def _chosen(made: Sequence[Row], code: str | None) -> list[Row]:
    if code is None:
        return []
    found = [row for row in made if code in ("all", row.variant["name"])]
    if not found:
        names = ", ".join(dict.fromkeys(row.name for row in made))
        raise ValueError(
            f"there is no variant {code!r} to show; this comparison has {names}, and 'all' shows every one"
        )
    return found


def _head(page: _Page, record: Record) -> None:
    page.add(clean.line(record["workload"]["call"]), style="strong", most=3)
    given = rows.arguments(record)
    if given:
        page.add("; ".join(given), 2, style="dim", most=4)
    page.add(rows.machine(record), 2, style="dim", most=3)


def _advice(page: _Page, record: Record) -> None:
    stopped = rows.interruption(record)
    if stopped:
        page.blank()
        page.add(f"■ {stopped}", style="warning", hang=2)
    sentence, conditions = rows.advice(record)
    page.blank()
    page.add(sentence, style="strong")
    for condition in conditions:
        page.add(f"· {condition}", 2, hang=2)


def _verdict(page: _Page, row: Row) -> list[str]:
    """Writes sign and verdict in at most two lines of one width, painted."""
    lines = wrap(row.verdict, _VERDICT - 2)
    lines = [f"{row.sign} {lines[0]}", *(f"  {line}" for line in lines[1:])]
    style = "warning" if row.but else row.verdict
    return [page.paint(fill(line, _VERDICT), style) for line in lines]


def _beside_names(made: Sequence[Row]) -> int:
    """Returns the columns that a table needs beside the names."""
    figures = max((display_width(_speedup(row)) for row in made), default=0)
    return _VERDICT + 3 * len(_GAP) + max(_SHORTEST_BAR + figures, _SHORTEST_REASON)


def _speedup(row: Row) -> str:
    return f"{row.speedup} ({row.interval})" if row.interval else row.speedup


def _together(made: Sequence[Row]) -> dict[int, str]:
    """Returns the labels to write, by the place of their row: rows of one cause, one after the other, share theirs.

    Three libraries that lack the same device are one line, and not three times the same sentence.
    """
    labels: dict[int, str] = {}
    first = 0
    for place, row in enumerate(made):
        before = made[first]
        same = (row.verdict, row.reason, row.next_step, row.variant["device"]) == (
            before.verdict, before.reason, before.next_step, before.variant["device"]
        )  # fmt: skip
        if place == first or row.timed or before.timed or row.findings or row.error_detail or not same:
            first, labels[place] = place, row.label
        else:
            end = before.label.removeprefix(before.name)
            labels[first] = f"{labels[first].removesuffix(end)}, {row.label}"
    return labels


def _table(page: _Page, made: Sequence[Row]) -> None:
    labels = _together(made)
    made = [row for place, row in enumerate(made) if place in labels]
    limit = min(_NAME, page.width - _beside_names(made))
    names = {id(row): wrap(label, limit, most=6) for row, label in zip(made, labels.values(), strict=True)}
    name_width = max([display_width(line) for lines in names.values() for line in lines] + [len("variant")])
    room = page.width - name_width - _VERDICT - 2 * len(_GAP)
    figures = {id(row): _speedup(row) for row in made if row.timed}
    figure_width = max((display_width(text) for text in figures.values()), default=0)
    bar_width = room - figure_width - len(_GAP)
    header = fill("variant", name_width) + _GAP + fill("verdict", _VERDICT) + _GAP
    page.lines.append(page.paint(header + "speed against NumPy" if figures else header.rstrip(), "dim"))
    for row in made:
        if row.timed:
            bar = page.paint(fill(_bar(row.share or 0.0, bar_width), bar_width), row.verdict)
            content = [bar + _GAP + figures[id(row)], *_explanation(row, room)]
        else:
            content = _explanation(row, room)
        cells = names[id(row)], _verdict(page, row), content
        for index in range(max(map(len, cells))):
            name, verdict, rest = (cell[index] if index < len(cell) else "" for cell in cells)
            name = page.paint(fill(name, name_width), "strong" if row.recommended else "")
            page.lines.append(f"{name}{_GAP}{verdict or ' ' * _VERDICT}{_GAP}{rest}".rstrip())


def _explanation(row: Row, room: int) -> list[str]:
    lines = wrap(row.reason, room, most=_LONGEST) if row.reason else []
    if row.verdict == "differs" and row.error_detail:
        lines += wrap(f"largest error {row.error_detail}", room, most=3)
    if row.next_step:
        first, *more = wrap(f"→ {row.next_step}", room, hang=2, most=6)
        lines += [first, *(f"  {line}" for line in more)]
    return lines


def _bar(share: float, width: int) -> str:
    """Draws a bar of a share of the width, in eighths of a column; never nothing for something."""
    eighths = max(round(share * width * 8), 1 if share > 0 else 0)
    return "█" * (eighths // 8) + _EIGHTHS[eighths % 8].strip()


def _stack(page: _Page, made: Sequence[Row]) -> None:
    """Writes the variants below each other, for a narrow terminal."""
    labels = _together(made)
    for place, label in labels.items():
        row = made[place]
        page.blank()
        page.add(f"{row.sign} {label}: {row.verdict}", hang=2, style=row.verdict, most=4)
        if row.timed:
            page.lines.append("  " + page.paint(_bar(row.share or 0.0, page.width - 2), row.verdict))
            costs = {name: text for name, text in _costs_of(row).items() if row.moved or name != "end to end"}
            page.add(", ".join([_speedup(row), *(f"{name} {text}" for name, text in costs.items())]), 2)
        for line in _explanation(row, page.width - 2):
            page.lines.append(("  " + line).rstrip())


def _costs_of(row: Row) -> dict[str, str]:
    """Returns a timed row's figures by their heading, those that it has."""
    calls = row.break_even
    if calls not in ("never", figures.MISSING):
        calls += " call" if calls == "1" else " calls"
    shown = (row.run, row.end_to_end, row.build, calls, row.error)
    return {name: text for name, text in zip(_COSTS, shown, strict=True) if text != figures.MISSING}


class _CostTable:
    """The figures of the timed rows, by column, and the columns that they take beside the names."""

    def __init__(self, made: Sequence[Row]) -> None:
        self.rows = [row for row in made if row.timed]
        found = [_costs_of(row) for row in self.rows]
        self.names = [name for name in _COSTS if any(name in row for row in found)]
        if "end to end" in self.names and not any(row.moved for row in self.rows):
            self.names.remove("end to end")
        self.cells = [[row.get(name, figures.MISSING) for name in self.names] for row in found]
        by_column = zip(self.names, *self.cells, strict=True)
        self.widths = [max(display_width(text) for text in column) for column in by_column]
        self.width = sum(self.widths) + len(_GAP) * len(self.widths)


def _costs(page: _Page, made: Sequence[Row]) -> None:
    table = _CostTable(made)
    if not table.rows:
        return
    names = [wrap(row.label, min(_NAME, page.width - table.width), most=4) for row in table.rows]
    name_width = max(display_width(line) for lines in names for line in lines)
    page.blank()
    header = [fill(name, width, right=True) for name, width in zip(table.names, table.widths, strict=True)]
    page.lines.append(page.paint(_GAP.join([" " * name_width, *header]), "dim"))
    for lines, row in zip(names, table.cells, strict=True):
        figures = [fill(text, width, right=True) for text, width in zip(row, table.widths, strict=True)]
        page.lines.append(_GAP.join([fill(lines[0], name_width), *figures]))
        page.lines.extend(lines[1:])


def _near(page: _Page, record: Record) -> None:
    """Writes which variants are near to what the machine can do."""
    found = circumstances.near(record)
    if found:
        page.title("Near this machine's limits")
        for sentence in found:
            page.add(f"· {sentence}", 2, hang=2)


def _sizes(page: _Page, record: Record) -> None:
    """Writes the times by size, as many sizes side by side as the width holds."""
    found = rows.sizes(record)
    if found is None:
        return
    page.title(found.caption)
    labels = [cut(label, min(_NAME, page.width // 3)) for label, _, _ in found.lines]
    name_width = max(display_width(label) for label in labels)
    table = [(size, [times[index] for _, times, _ in found.lines]) for index, size in enumerate(found.sizes)]
    if any(growth for _, _, growth in found.lines):
        table.append(("grows as", [growth for _, _, growth in found.lines]))
    room = page.width - name_width
    columns = [[cut(cell, room - len(_GAP)) for cell in (title, *cells)] for title, cells in table]
    while columns:
        taken, used = 0, 0
        for column in columns:
            used += max(map(display_width, column)) + len(_GAP)
            if taken and used > room:
                break
            taken += 1
        shown, columns = columns[:taken], columns[taken:]
        for number, label in enumerate(["", *labels]):
            cells = [fill(column[number], max(map(display_width, column)), right=True) for column in shown]
            line = _GAP.join([fill(label, name_width), *cells])
            page.lines.append(page.paint(line, "dim") if not number else line)
        if columns:
            page.blank()
    for sentence in (*found.crossings, *found.notes):
        page.add(f"· {sentence}", 2, hang=2)


def _before(page: _Page, record: Record) -> None:
    """Writes what changed against the run before."""
    found = rows.before(record)
    if found is None:
        return
    page.title(found.caption)
    names = [cut(label, min(_NAME, page.width // 3)) for _, label, _ in found.lines]
    name_width = max((display_width(name) for name in names), default=0)
    for name, (sign, _, told) in zip(names, found.lines, strict=True):
        head = f"{sign} {fill(name, name_width)}{_GAP}"
        first, *more = wrap(told, page.width - display_width(head) - 2)
        page.lines += [f"  {head}{first}", *(" " * (display_width(head) + 2) + line for line in more)]
    for note in found.notes:
        page.add(f"· {note}", 2, hang=2)


def _devices(page: _Page, record: Record) -> None:
    devices = record["devices"]
    if all(device["name"] == "cpu" for device in devices):
        return
    page.title("Devices")
    for device in devices:
        page.add(rows.device(device), 2, hang=2)


def _findings(page: _Page, made: Sequence[Row]) -> None:
    """Writes what verified variants get wrong with other arguments, and how to see the worst of each."""
    found = [row for row in made if row.findings]
    if not found:
        return
    page.title("Right here, but")
    for row in found:
        page.add(f"{row.sign} {row.label}: {row.probed}", 2, hang=2, style="warning", most=3)
        for finding in row.findings[:_FINDINGS]:
            page.add(f"· with {finding.arguments}: {finding.detail}", 4, hang=2)
        if len(row.findings) > _FINDINGS:
            page.add(f"· and {len(row.findings) - _FINDINGS} more, which the record and the page list", 4, hang=2)
        if row.findings[0].snippet:
            page.add("to see the first:", 4, style="dim")
            for line in row.findings[0].snippet.split("\n"):
                page.lines.extend(" " * 6 + piece for piece in hard_wrap(line, page.width - 6))


def _hints(page: _Page, record: Record) -> None:
    grouped = rows.hints(record)
    if not grouped:
        return
    page.title("Watch out")
    page.add("`jitmagic explain CODE` shows the page of each", 2, style="dim")
    for severity, found in grouped.items():
        page.add(rows.SEVERITIES[severity], 2, style="warning" if any(hint.attention for hint in found) else "")
        for hint in found:
            _hint(page, hint)


def _hint(page: _Page, hint: Hint) -> None:
    place = f"{hint.place}: " if hint.place else ""
    page.add(f"{place}{hint.code} ({hint.backend}; {hint.state})", 4, hang=4, most=3)
    if hint.attention and hint.quoted:
        page.add(cut(hint.quoted, page.width - 10), 8, style="dim", most=1)
    page.add(hint.message, 8)
    if hint.attention:
        if hint.fix:
            page.add(f"→ {hint.fix}", 8, hang=2)
        if hint.link:
            page.add(hint.link, 8, style="dim", most=4)


def _remarks(page: _Page, record: Record, made: Sequence[Row]) -> None:
    if record["warnings"]:
        page.title("Less certain than it looks")
        for warning in record["warnings"]:
            page.add(f"! {clean.line(warning)}", 2, hang=2, style="warning")
    notes = [clean.line(note) for note in record["workload"]["notes"]]
    notes += [f"{row.label}: {clean.line(note)}" for row in made for note in row.variant["notes"]]
    if notes:
        page.title("Notes")
        for note in notes:
            page.add(f"· {note}", 2, hang=2)
    page.blank()
    for name, text in circumstances.facts(record):
        page.add(f"{name}: {text}", style="dim", hang=2, most=4)
    foot = f"jitmagic {record['jitmagic']}, {record['created']}, took {figures.duration(record['elapsed'])}; "
    page.add(clean.line(foot) + " " + rows.libraries(record), style="dim", most=6)


def _source(page: _Page, row: Row) -> None:
    page.title(f"{row.sign} {row.label}")
    source = clean.block(row.variant["source"])
    if not source.strip():
        page.add(f"no source was written: {row.reason}", 2)
        return
    page.lines.extend(_source_lines(source, page.width))


def _source_lines(source: str, width: int) -> Iterator[str]:
    for line in source.rstrip("\n").split("\n"):
        pieces = hard_wrap(line, width)
        yield pieces[0].rstrip()
        # further pieces are marked, so that a broken line is not taken for two
        rest = line[len(pieces[0]) :]
        if rest:
            yield from (f"↳ {piece}".rstrip() for piece in hard_wrap(rest, width - 2))
