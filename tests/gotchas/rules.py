"""Before and after: a function that meets a trap at a place, and a near miss that does not."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass, field
from typing import Any

from jitmagic.gotchas.diagnostic import Gotcha
from jitmagic.gotchas.registry import find
from tests.gotchas.watching import observe, workload_of

FIRST_LINE = 5  # the function stands in the middle of the user's cell


@dataclass(frozen=True)
class Case:
    """A trap: ``marked`` is the text that the gotcha's span must cover; ``miss`` is the same function without it."""

    code: str
    source: str
    args: tuple[Any, ...]
    marked: str | None
    miss: str
    status: str = "confirmed"
    miss_args: tuple[Any, ...] | None = None
    constants: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.code


def gotchas(source: str, *args: Any, constants: dict[str, Any] | None = None, watched: bool = True) -> list[Gotcha]:
    workload = workload_of(source, *args, constants=constants, first_line=FIRST_LINE)
    return list(find(workload, observe(workload, watched)))


def marked_text(source: str, gotcha: Gotcha) -> str | None:
    if gotcha.line is None or gotcha.end_line is None:
        return None
    lines = textwrap.dedent(source).strip("\n").splitlines()
    first, last = gotcha.line - FIRST_LINE, gotcha.end_line - FIRST_LINE
    if first == last:
        return lines[first][gotcha.column : gotcha.end_column]
    return "\n".join([lines[first][gotcha.column :], *lines[first + 1 : last], lines[last][: gotcha.end_column]])


def check(case: Case) -> None:
    found = [g for g in gotchas(case.source, *case.args, constants=case.constants) if g.code == case.code]
    assert [(marked_text(case.source, g), g.status) for g in found] == [(case.marked, case.status)], found
    assert found[0].message.endswith((".", "!"))
    assert found[0].fix.endswith(".")
    args = case.args if case.miss_args is None else case.miss_args
    missed = [g for g in gotchas(case.miss, *args, constants=case.constants) if g.code == case.code]
    assert missed == []
