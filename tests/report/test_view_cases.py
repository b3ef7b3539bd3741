"""What the view in TypeScript is held to is what Python shows."""

from __future__ import annotations

from tests.report import view_cases


def test_the_cases_are_current() -> None:
    current = view_cases.FILE.read_text(encoding="utf-8") == view_cases.written()
    assert current, "run: python -m tests.report.view_cases"
