"""The comparison as a notebook of its own: what was found, and a cell for each variant."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from jitmagic.report import clean, rows
from jitmagic.report.rows import Record, Row

# what Markdown, or the HTML in it, gives a meaning to
_SPECIAL = re.compile(r"([\\`*_{}\[\]()<>#+\-.!|~$&])")


def to_notebook(record: Record) -> str:
    """Writes a notebook (nbformat 4.5) as JSON.

    Its code cells define the verified variants one after the other, each in place of the one before; what was not
    verified is shown as text and does not run.
    """
    cells = [_cell(number, kind, source) for number, (kind, source) in enumerate(_contents(record))]
    notebook = {
        "cells": cells,
        "metadata": {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        },
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return json.dumps(notebook, indent=1, ensure_ascii=True) + "\n"


def _cell(number: int, kind: str, source: str) -> dict[str, Any]:
    cell: dict[str, Any] = {
        "cell_type": kind,
        "id": f"jitmagic-{number}",
        "metadata": {},
        "source": source.splitlines(keepends=True),
    }
    return cell if kind == "markdown" else {**cell, "execution_count": None, "outputs": []}


def _contents(record: Record) -> Iterator[tuple[str, str]]:
    name = record["workload"]["name"]
    sentence, conditions = rows.advice(record)
    told = [f"# {_plain(record['workload']['call'])}", f"**{_plain(sentence)}**"]
    told += ["\n".join(f"- {_plain(condition)}" for condition in conditions)] if conditions else []
    told.append(f"{_plain('; '.join(rows.arguments(record)))}. Measured on {_plain(rows.machine(record))}")
    told.append(
        f"Each cell below defines {_plain(name)} anew, with its helpers: run one of them, and call it as before."
    )
    yield "markdown", "\n\n".join(told)
    for row in rows.rows(record):
        source = row.variant["source"].strip("\n")
        runs = row.variant["verified"] is True and bool(source.strip())
        yield "markdown", "\n\n".join(_about(row, "" if runs else source))
        if runs:
            entry = row.variant["entry"] or name
            bound = f"\n\n{name} = {entry}" if entry != name else ""
            yield "code", source + bound


def _about(row: Row, source: str) -> Iterator[str]:
    yield f"## {_plain(row.label)}: {row.sign} {row.verdict}" + (" (recommended)" if row.recommended else "")
    if row.timed and not row.baseline:
        ends = f" ({row.interval})" if row.interval else ""
        build = f"; {row.build} to build" if row.variant["clocks"]["build"] else ""
        yield f"{row.speedup} NumPy's speed{ends}; {row.run} a call{build}"
    for text in (row.reason, row.next_step, *map(clean.line, row.variant["notes"])):
        if text:
            yield _plain(text)
    if row.variant["needs"]:
        yield f"Needs in this notebook: {_plain(', '.join(row.variant['needs']))}"
    if source.strip():
        # indented code, which nothing in it can end
        yield "\n".join("    " + line for line in clean.block(source).split("\n"))


def _plain(text: object) -> str:
    return _SPECIAL.sub(r"\\\1", clean.line(text))
