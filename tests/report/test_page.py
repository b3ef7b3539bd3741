"""The record's page: current, and without a field left out."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from jitmagic.report.page import page
from jitmagic.report.record import schema

FILE = Path(__file__).parents[2] / "docs" / "record.md"


def fields(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        if isinstance(part.get("description"), str):
            yield part["description"]
        for name, inner in part.items():
            if name not in ("if", "then", "allOf"):
                yield from fields(inner)
    elif isinstance(part, list):
        for inner in part:
            yield from fields(inner)


def test_the_page_is_current() -> None:
    assert FILE.read_text(encoding="utf-8") == page(), "run: python -m jitmagic.report.page docs/record.md"


def test_every_description_of_the_schema_stands_in_it() -> None:
    text = page()
    missing = [sentence for sentence in fields(schema()) if sentence.replace("|", "\\|") not in text]
    assert missing == []
