"""Which lines the example call did not come by: a variant that is right says nothing of them."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from jitmagic.capture.workload import Workload
from jitmagic.observe.facts import Observation
from jitmagic.observe.spans import SpanMap

_SHOWN = 4
_LEFT_OUT = (ast.Raise, ast.Assert, ast.FunctionDef, ast.ClassDef, ast.Global, ast.Delete)


def unvisited(workload: Workload, observed: Observation) -> tuple[int, ...]:
    """Returns the lines of the module's text with statements that did not run, ``raise`` apart.

    A statement ran if anything was seen of an expression in it; one in which nothing can be seen (``pass``, ``break``)
    goes with those around it.
    """
    if not observed.watched or observed.raised is not None:
        return ()
    found: set[int] = set()
    spans = SpanMap(workload.module.text)
    for node in ast.parse(workload.module.text).body:
        if isinstance(node, ast.FunctionDef):
            for statement in _simple(node.body):
                places = [
                    spans.of(n)
                    for n in ast.walk(statement)
                    if isinstance(n, ast.Name | ast.Call | ast.BinOp | ast.Subscript | ast.Compare | ast.Attribute)
                ]
                if places and not any(place in observed.expressions for place in places):
                    found.update(range(statement.lineno, (statement.end_lineno or statement.lineno) + 1))
    return tuple(sorted(found))


def _simple(block: list[ast.stmt]) -> Iterator[ast.stmt]:
    """Yields the statements that hold no others, functions inside and what only raises left out."""
    for statement in block:
        if isinstance(statement, ast.If | ast.For | ast.While | ast.With | ast.Try):
            for name in ("body", "orelse", "finalbody"):
                yield from _simple(getattr(statement, name, []))
        elif not isinstance(
            statement, ast.Raise | ast.Assert | ast.FunctionDef | ast.ClassDef | ast.Global | ast.Delete
        ):
            yield statement


def note(workload: Workload, observed: Observation) -> str | None:
    """Returns the sentence that tells of lines that did not run, None where all did."""
    lines = [line for n in unvisited(workload, observed) if (line := workload.module.origin_line(n)) is not None]
    if not lines:
        return None
    runs: list[list[int]] = []
    for line in sorted(set(lines)):
        if runs and line == runs[-1][-1] + 1:
            runs[-1].append(line)
        else:
            runs.append([line])
    shown = ", ".join(f"{run[0]}–{run[-1]}" if len(run) > 1 else str(run[0]) for run in runs[:_SHOWN])
    more = f" and {len(runs) - _SHOWN} more places" if len(runs) > _SHOWN else ""
    several = len(lines) > 1
    return (
        f"{'lines' if several else 'line'} {shown}{more} did not run in this call: what a variant makes of "
        f"{'them' if several else 'it'} is not verified; call with arguments that reach {'them' if several else 'it'}"
    )
