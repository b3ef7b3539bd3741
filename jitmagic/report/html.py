"""The record as static HTML: for a notebook's output, and as a whole page.

No script and no network, ever. A notebook may be shown where a sanitizer takes away styles, scripts and
images, so the meaning stands in words, tables and signs; inline styles only add to it. Colours are inherited, and
those that are set (bars, changed lines) are legible on white and on black. The styles are of the kind that
JupyterLab's sanitizer lets through for notebooks that are not trusted.
"""

from __future__ import annotations

import html
import itertools
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from jitmagic import figures
from jitmagic.report import beside, circumstances, clean, columns, rows
from jitmagic.report.rows import Hint, Record, Row

_LINE = "1px solid rgba(128,128,128,0.35)"
_LEFT = "text-align:left;vertical-align:top"
_RIGHT = "text-align:right;vertical-align:top;white-space:nowrap"
_PRE = "white-space:pre;overflow-x:auto;margin:4px 0;padding:6px 8px;border-left:3px solid rgba(128,128,128,0.35)"
_SIDE = "white-space:pre-wrap;max-width:40em;margin:0"
_FAINT = "opacity:0.75"
_COLORS = {"baseline": "#8a8f98", "faster": "#2a9d6f", "slower": "#c8703d", "no clear difference": "#8a8f98"}
# with their opacity as a fourth digit: there are many of them, so they are short
_REMOVED, _ADDED = "background:#c543", "background:#2a73"
_WARNED = "#c8703d"
_BAR_EMS = 10.0
_BAR_BLOCKS = 20
_NAME_COLUMNS = 40
_CALL_COLUMNS = 160
_REASON_COLUMNS = 400
_CLOCKS = {
    "run": "run",
    "end_to_end": "end to end",
    "build": "build",
    "to_device": "host to device",
    "to_host": "device to host",
    "enqueue": "asked for by the host",
    "on_device": "by the device's clock",
}

_PAGE_STYLE = """
:root { color-scheme: light dark }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 72rem; margin: 2rem auto; padding: 0 1rem }
table { border-collapse: collapse; font-size: 14px }
td, th { padding: 4px 12px 4px 0 }
pre, code { font-size: 13px }
summary { cursor: pointer }
a { color: inherit }
"""
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"

_CACHES = {"cold": "cold cache", "warm": "warm cache", "kept": "in the comparison before"}
"""Where a build's time comes from."""


def to_html(
    record: Record,
    *,
    page: bool = False,
    folded: bool = False,
    brief: bool = False,
    mark: str = "",
    policy: str = _POLICY,
    tail: str = "",
) -> str:
    """Writes a record as HTML without scripts.

    Parameters
    ----------
    record : mapping
        A valid record.
    page : bool
        True for a whole page that stands alone; False for the fragment that a notebook's output holds.
    folded : bool
        Whether to fold all but the recommendation: for below a panel, which shows the whole.
    brief : bool
        Whether to leave out each variant's source beside the original, which takes as much room as all else.
    mark : str
        A class of the whole, by which the panel finds it on a page.
    policy, tail : str
        The page's content security policy, and markup of ours at its end: for :mod:`jitmagic.report.web_page`.
    """
    fragment = "\n".join(_fragment(record, folded, brief, mark)) + "\n"
    if not page:
        return fragment
    title = _text(columns.cut(clean.line(f"jitmagic: {record['workload']['call']}"), _CALL_COLUMNS))
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{title}</title>\n<style>{_PAGE_STYLE}</style>\n</head>\n<body>\n<main>\n{fragment}</main>\n{tail}</body>\n</html>\n"
    )


def _fragment(record: Record, folded: bool, brief: bool, mark: str) -> Iterator[str]:
    name = columns.cut(clean.line(record["workload"]["name"]), _NAME_COLUMNS)
    found_by = f' class="{_text(mark)}"' if mark else ""
    yield f'<section{found_by} aria-label="{_text(f"jitmagic comparison of {name}")}">'
    if folded:
        sentence, _ = rows.advice(record)
        yield from _details(_prose(columns.cut(sentence, _REASON_COLUMNS)), _body(record, brief))
    else:
        yield from _body(record, brief)
    yield "</section>"


def _body(record: Record, brief: bool) -> Iterator[str]:
    made = rows.rows(record)
    yield from _head(record)
    yield from _variants(made)
    yield from _near(record)
    yield from _sizes(record)
    yield from _before(record)
    yield from _warnings(record)
    yield from _hints(record)
    yield from _sources(record, made, brief)
    yield from _circumstances(record, made)


def _text(value: object) -> str:
    return html.escape(clean.line(value), quote=True)


def _prose(value: object) -> str:
    """Escapes a sentence, and sets what stands in backticks as code."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", _text(value))


def _pre(source: str) -> str:
    # A parser drops the first newline after <pre>; one of our own keeps the source's.
    return f'<pre style="{_PRE}">\n{html.escape(clean.block(source), quote=True)}</pre>'


def _cell(content: str, style: str = _LEFT, *, span: int = 1) -> str:
    wide = f' colspan="{span}"' if span > 1 else ""
    return f'<td{wide} style="{style}">{content}</td>'


def _row(cells: Iterable[str]) -> str:
    return f'<tr style="border-bottom:{_LINE}">{"".join(cells)}</tr>'


def _header(names: Sequence[tuple[str, str]]) -> str:
    cells = "".join(f'<th scope="col" style="{style}">{name}</th>' for name, style in names)
    return f'<thead><tr style="border-bottom:{_LINE}">{cells}</tr></thead>'


def _table(caption: str, header: str, body: Iterable[str]) -> Iterator[str]:
    yield '<div style="overflow-x:auto"><table style="border-collapse:collapse;margin:6px 0">'
    yield f'<caption style="text-align:left;{_FAINT}">{caption}</caption>{header}<tbody>'
    yield from body
    yield "</tbody></table></div>"


def _details(summary: str, content: Iterable[str], *, style: str = "margin:2px 0") -> Iterator[str]:
    yield f'<details style="{style}"><summary>{summary}</summary>'
    yield from content
    yield "</details>"


def _head(record: Record) -> Iterator[str]:
    stopped = rows.interruption(record)
    if stopped:
        yield f'<p style="margin:4px 0"><strong>■ {_text(stopped)}</strong></p>'
    sentence, conditions = rows.advice(record)
    yield f'<p style="margin:4px 0;font-size:115%"><strong>{_prose(sentence)}</strong></p>'
    if conditions:
        items = "".join(f"<li>{_prose(condition)}</li>" for condition in conditions)
        yield f'<ul style="margin:2px 0">{items}</ul>'
    call = _text(columns.cut(clean.line(record["workload"]["call"]), _CALL_COLUMNS))
    yield f'<p style="margin:4px 0;{_FAINT}"><code>{call}</code> on {_text(rows.machine(record))}</p>'


def _name(row: Row) -> str:
    return columns.cut(row.label, _NAME_COLUMNS)


def _sign(row: Row) -> str:
    color = _WARNED if row.but else _COLORS.get(row.verdict)
    return f'<span style="color:{color}">{row.sign}</span>' if color else row.sign


def _variants(made: Sequence[Row]) -> Iterator[str]:
    costs = [("run", "run"), ("build", "build")]
    if any(row.moved for row in made):
        costs.insert(1, ("end_to_end", "end to end"))
    costs += [("break_even", "break-even calls"), ("error", "largest error")]
    shown = [(field, name) for field, name in costs if any(getattr(row, field) != figures.MISSING for row in made)]
    header = _header(
        [
            ("variant", _LEFT),
            ("verdict", _LEFT),
            ("speed against NumPy", _LEFT),
            *((name, "text-align:right;vertical-align:top") for _, name in shown),
        ]
    )
    body = []
    for row in made:
        name = _text(_name(row))
        if row.recommended:
            name = f"<strong>{name}</strong><br><small>recommended</small>"
        first = f'<th scope="row" style="{_LEFT};font-weight:normal;white-space:nowrap">{name}</th>'
        verdict = _cell(f"{_sign(row)} {row.verdict}", f"{_LEFT};white-space:nowrap")
        if row.timed:
            cells = [_cell(_text(getattr(row, field)), _RIGHT) for field, _ in shown]
            why = f"<br><small>{_why(row)}</small>" if row.reason or row.next_step else ""
            speed = _cell(f"{_speed(row)}{why}")
            body.append(_row([first, verdict, speed, *cells]))
        else:
            body.append(_row([first, verdict, _cell(_why(row), _LEFT, span=1 + len(shown))]))
    yield from _table("The variants, the fastest first; in brackets the interval of each ratio", header, body)


def _near(record: Record) -> Iterator[str]:
    found = circumstances.near(record)
    if found:
        items = "".join(f"<li>{_text(columns.cut(sentence, _REASON_COLUMNS))}</li>" for sentence in found)
        yield f'<p style="margin:4px 0;{_FAINT}">Near this machine\'s limits</p><ul style="margin:2px 0">{items}</ul>'


def _speed(row: Row) -> str:
    ends = f" <small>({row.interval})</small>" if row.interval else ""
    return f'<span style="white-space:nowrap">{_bar(row)} <strong>{row.speedup}</strong>{ends}</span>'


def _bar(row: Row) -> str:
    """Writes a bar that keeps its length where styles are dropped: it is drawn of block characters underneath."""
    share = row.share or 0.0
    blocks = "█" * round(share * _BAR_BLOCKS) or "▏"
    color = _COLORS[row.verdict]
    style = (
        f"display:inline-block;width:{max(share * _BAR_EMS, 0.15):.2f}em;height:0.8em;line-height:0.8;overflow:hidden;"
        f"white-space:nowrap;vertical-align:baseline;border-radius:2px;background-color:{color};color:{color}"
    )
    return f'<span aria-hidden="true" style="{style}">{blocks}</span>'


def _why(row: Row) -> str:
    parts = [_prose(columns.cut(row.reason, _REASON_COLUMNS))] if row.reason else []
    if row.verdict == "differs" and row.error_detail:
        parts.append(_text(columns.cut(f"largest error {row.error_detail}", _REASON_COLUMNS)))
    if row.next_step:
        parts.append(f"→ {_prose(columns.cut(row.next_step, _REASON_COLUMNS))}")
    return "<br>".join(parts)


def _sizes(record: Record) -> Iterator[str]:
    found = rows.sizes(record)
    if found is None:
        return
    grows = any(growth for _, _, growth in found.lines)
    # every row is one line, so that nothing need be said of how its cells stand beside each other
    right = "text-align:right;white-space:nowrap"
    names = [("variant", "text-align:left"), *((_text(size), right) for size in found.sizes)]
    header = _header([*names, ("grows as", right)] if grows else names)
    body = []
    for label, times, growth in found.lines:
        name = _text(columns.cut(label, _NAME_COLUMNS))
        first = f'<th scope="row" style="text-align:left;font-weight:normal;white-space:nowrap">{name}</th>'
        shown = (*times, growth) if grows else times
        body.append(_row([first, *(_cell(_text(columns.cut(text, _NAME_COLUMNS)), right) for text in shown)]))
    yield from _table(_text(columns.cut(found.caption, _CALL_COLUMNS)), header, body)
    told = [columns.cut(sentence, _REASON_COLUMNS) for sentence in (*found.crossings, *found.notes)]
    if told:
        yield f'<ul style="margin:2px 0">{"".join(f"<li>{_prose(sentence)}</li>" for sentence in told)}</ul>'


def _before(record: Record) -> Iterator[str]:
    found = rows.before(record)
    if found is None:
        return
    body = []
    for sign, label, told in found.lines:
        name = _text(columns.cut(label, _NAME_COLUMNS))
        first = f'<th scope="row" style="{_LEFT};font-weight:normal;white-space:nowrap">{name}</th>'
        body.append(_row([first, _cell(f'<span aria-hidden="true">{sign}</span> {_text(told)}')]))
    header = _header([("variant", _LEFT), ("this run", _LEFT)])
    yield from _table(_text(columns.cut(found.caption, _CALL_COLUMNS)), header, body)
    if found.notes:
        told = "".join(f"<li>{_prose(columns.cut(note, _REASON_COLUMNS))}</li>" for note in found.notes)
        yield f'<ul style="margin:2px 0">{told}</ul>'


def _warnings(record: Record) -> Iterator[str]:
    if record["warnings"]:
        items = "".join(f"<li>{_prose(warning)}</li>" for warning in record["warnings"])
        yield '<p style="margin:4px 0"><strong>! Less certain than it looks</strong></p>'
        yield f'<ul style="margin:2px 0">{items}</ul>'


def _hints(record: Record) -> Iterator[str]:
    grouped = rows.hints(record)
    pressing = {severity: [hint for hint in found if hint.attention] for severity, found in grouped.items()}
    others = {severity: [hint for hint in found if not hint.attention] for severity, found in grouped.items()}
    if any(pressing.values()):
        yield from _hint_table("Watch out; `jitmagic explain CODE` shows the page of each", pressing)
    number = sum(map(len, others.values()))
    if number:
        known = f"{figures.plural(number, 'known trap')} avoided by the variants or not seen with these inputs"
        yield from _details(known, _hint_table("Avoided or not seen", others))


def _hint_table(caption: str, grouped: Mapping[str, Sequence[Hint]]) -> Iterator[str]:
    header = _header([("where", _LEFT), ("what happens, and what to do", _LEFT), ("gotcha", _LEFT)])
    body = []
    for severity, found in grouped.items():
        if found:
            title = _text(rows.SEVERITIES[severity])
            body.append(f'<tr><th scope="rowgroup" colspan="3" style="{_LEFT};padding-top:8px">{title}</th></tr>')
        body.extend(_hint(hint) for hint in found)
    yield from _table(_prose(caption), header, body)


def _hint(hint: Hint) -> str:
    quoted = columns.cut(hint.quoted, _NAME_COLUMNS)
    where = _text(hint.place or "the whole function") + (f"<br><code>{_text(quoted)}</code>" if quoted else "")
    what = _prose(hint.message) + (f"<br>→ {_prose(hint.fix)}" if hint.fix else "")
    code = _text(columns.cut(hint.code, _NAME_COLUMNS))
    if hint.link:
        code = f'<a href="{_text(hint.link)}" rel="noopener noreferrer" target="_blank">{code}</a>'
    about = f"{code}<br><small>{_text(columns.cut(hint.backend, _NAME_COLUMNS))}; {_text(hint.state)}</small>"
    return _row([_cell(where), _cell(what), _cell(about)])


def _sources(record: Record, made: Sequence[Row], brief: bool) -> Iterator[str]:
    original = clean.block(record["workload"]["source"])
    for row in made:
        has_source = bool(clean.block(row.variant["source"]).strip())
        kind = "your function" if row.baseline else "source" if has_source else "more"
        kind += " and measurements" if row.timed and not row.baseline else ""
        content = list(_variant(record, row, original, brief))
        if content:  # a variant that was not made has its reason in the table, and often nothing else
            yield from _details(f"{_sign(row)} <strong>{_text(_name(row))}</strong>: {kind}", content)


def _variant(record: Record, row: Row, original: str, brief: bool) -> Iterator[str]:
    variant = row.variant
    facts = [("name", row.name)] if _name(row) != row.label else []
    if len(row.reason) + len(row.next_step) > _REASON_COLUMNS:
        facts += [("reason", row.reason), ("next step", row.next_step)]
    facts += [("largest error", row.error_detail)] if row.error_detail else []
    facts += [("note", clean.line(note)) for note in variant["notes"]]
    if row.probed:
        facts.append(("probes", row.probed))
    if variant["needs"]:
        facts.append(("needs in its namespace", clean.line(", ".join(variant["needs"]))))
    for name, text in facts:
        yield f'<p style="margin:4px 0">{name}: {_prose(text)}</p>'
    if row.findings:
        yield from _details(f"right here, but not with {figures.plural(len(row.findings), 'other set')} of arguments",
                            _findings(row), style="margin:2px 0 2px 16px")  # fmt: skip
    source = clean.block(variant["source"])
    if source.strip():
        yield _pre(source)
        if not row.baseline and not brief:
            yield from _details("beside the original", _beside(original, source), style="margin:2px 0 2px 16px")
    if row.timed:
        yield from _measurements(record, variant)


def _findings(row: Row) -> Iterator[str]:
    for finding in row.findings:
        yield f'<p style="margin:4px 0">with {_prose(finding.arguments)}: {_prose(finding.detail)}</p>'
        if finding.snippet:
            yield _pre(finding.snippet)


def _beside(original: str, source: str) -> Iterator[str]:
    stretches = beside.beside(original, source)
    if stretches is None:
        yield '<p style="margin:4px 0">The sources are too long to be set beside each other.</p>'
        return
    body = []
    for stretch in stretches:
        if stretch.left:
            sides = _side(stretch.left, "−", _REMOVED), _side(stretch.right, "+", _ADDED)
            body.append(f"<tr>{''.join(sides)}</tr>")
        if stretch.skipped:
            same = f"… {figures.plural(stretch.skipped, 'line')} the same"
            body.append(f"<tr>{_cell(same, f'{_LEFT};{_FAINT}', span=2)}</tr>")
    header = _header([("original", _LEFT), ("variant", _LEFT)])
    yield from _table("− replaced, + new", header, body)


def _side(lines: Sequence[beside.Line], sign: str, tint: str) -> str:
    parts = []
    for changed, group in itertools.groupby(lines, key=lambda line: line.changed):
        mark = sign if changed else " "
        numbered = "\n".join(f"{mark} {line.number or '':3} {line.text}".rstrip() for line in group)
        escaped = html.escape(numbered, quote=True)
        parts.append(f'<span style="{tint}">{escaped}</span>' if changed else escaped)
    return _cell(f'<pre style="{_SIDE}">\n' + "\n".join(parts) + "</pre>")


def _measurements(record: Record, variant: Mapping[str, Any]) -> Iterator[str]:
    names = ("clock", "median", "interval", "samples", "outliers")
    header = _header([(name, "text-align:right" if name != "clock" else "text-align:left") for name in names])
    body = []
    for field, name in _CLOCKS.items():
        clock = variant["clocks"].get(field)
        if clock is None:
            continue
        ends = ""
        if clock["samples"] > 1:
            ends = figures.duration_interval(clock["median"], clock["low"], clock["high"])
        if field == "build" and variant["build_cache"]:
            name = f"build ({_text(_CACHES.get(variant['build_cache'], variant['build_cache']))})"
        shown = (figures.clock(clock), ends, figures.count(clock["samples"]), figures.count(clock.get("outliers")))
        cells = "".join(_cell(text or figures.MISSING, "text-align:right") for text in shown)
        body.append(f'<tr><th scope="row" style="text-align:left;font-weight:normal">{name}</th>{cells}</tr>')
    yield from _table("Measurements", header, body)
    facts = []
    memory = variant["memory"]
    if memory["host_peak"] is not None:
        facts.append(f"peak memory {figures.size(memory['host_peak'])}")
    if memory["device_peak"] is not None:
        facts.append(f"peak memory on the device {figures.size(memory['device_peak'])}")
    if variant.get("processes", 1) > 1:
        facts.append(f"timed in {variant['processes']} processes, one after the other")
    if variant["threads"] is not None:
        facts.append(figures.plural(variant["threads"], "thread"))
    limit = circumstances.shares(record, variant)
    if limit:
        facts.append(limit)
    if variant["form"]:
        facts.append(f"form {variant['form']}")
    for form in variant["tried"]:
        time = "not timed" if form["run"] is None else figures.duration(form["run"])
        facts.append(f"tried and not taken: {form['form']} ({time})")
    if facts:
        yield f'<p style="margin:4px 0">{_text("; ".join(facts))}</p>'


def _circumstances(record: Record, made: Sequence[Row]) -> Iterator[str]:
    workload = record["workload"]
    facts = [("call", clean.line(workload["call"]))]
    facts += [("argument", argument) for argument in rows.arguments(record)]
    if workload["result"] is not None:
        facts.append(("result", rows.argument(workload["result"])))
    facts += [("note", clean.line(note)) for note in workload["notes"]]
    facts.append(("machine", rows.machine(record)))
    if record["machine"]["load"] is not None:
        facts.append(("load before", figures.figure(record["machine"]["load"])))
    facts += circumstances.facts(record)
    for device in record["devices"]:
        facts.append(("device", rows.device(device)))
    facts.append(("libraries", rows.libraries(record)))
    facts.append(("jitmagic", f"{record['jitmagic']}, {record['created']}, took {figures.duration(record['elapsed'])}"))
    body = (
        f'<tr><th scope="row" style="{_LEFT};font-weight:normal;{_FAINT}">{_text(name)}</th>{_cell(_text(text))}</tr>'
        for name, text in facts
    )
    yield from _details("Call, machine and libraries", _table("Under what conditions this was measured", "", body))
