"""What each loop is: independent, a reduction, a recurrence, …; proved from the source, else with the reason.

>>> found = classify("def f(x, y, n):\\n    for i in range(n):\\n        y[i] = 2 * x[i]\\n", "f", {})
>>> found[0].kind, found[0].parallel
('map', True)

Conservative: ``parallel`` is True only where no step can see what another step wrote. Arrays that come in as
different arguments count as disjoint unless `Observation.overlapping` says otherwise.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass

from jitmagic.analysis.counted import Counted
from jitmagic.observe.facts import Observation, Span

KINDS = ("map", "reduction", "stencil", "scan", "triangular", "while", "irregular", "python")
"""Independent steps; independent but for accumulators; a map that reads neighbours; a step that needs the step
before; the same through slices that grow with the index; a ``while``; stores at computed places; anything that
only Python can run."""


@dataclass(frozen=True)
class Reduction:
    """One accumulator of a loop.

    Attributes
    ----------
    name : str
    operator : str
        ``"+"``, ``"*"``, ``"max"`` or ``"min"`` (``-`` counts as ``+``, ``/`` as ``*``).
    array : bool
        Whether the accumulator is an array that was made outside the loop.
    spans : tuple of Span
        Its updates.
    guarded : tuple of Span
        The updates written as ``if e > m: m = e``.
    rebound : bool
        Whether an update is written as ``s = s + e``, which makes a new array of an array.
    """

    name: str
    operator: str
    array: bool
    spans: tuple[Span, ...]
    guarded: tuple[Span, ...] = ()
    rebound: bool = False


@dataclass(frozen=True)
class Blocker:
    """What stands in the way of running a loop's steps in any order: a clause after "the loop …", and its place."""

    reason: str
    span: Span


@dataclass(frozen=True)
class LoopClass:
    """What was proved of one loop.

    Attributes
    ----------
    span : Span
        The whole loop in the module's text; ``span.line`` is the line of its ``for`` or ``while``.
    kind : str
        One of :data:`KINDS`.
    parallel : bool
        Whether its steps were proved independent, reductions aside.
    index : str or None
        The index's name, for loops over ``range``.
    depth : int
        Number of loops around it.
    parent : int or None
        Position of the enclosing loop in `classify`'s answer.
    triangular : bool
        Whether the bounds of a loop or slice inside depend on the index.
    private : tuple of str
        Names that each step assigns before it reads them.
    carried : tuple of str
        Names whose value a step takes from the step before.
    stored : tuple of str
        Arrays made outside the loop that it writes into.
    reductions : tuple of Reduction
    blockers : tuple of Blocker
        Why it is not parallel; empty where it is.
    counted : Counted or None
        How a loop over elements is written as one that counts, where it was proved as that.
    """

    span: Span
    kind: str
    parallel: bool
    index: str | None
    depth: int
    parent: int | None
    triangular: bool = False
    private: tuple[str, ...] = ()
    carried: tuple[str, ...] = ()
    stored: tuple[str, ...] = ()
    reductions: tuple[Reduction, ...] = ()
    blockers: tuple[Blocker, ...] = ()
    counted: Counted | None = None


def classify(
    module_text: str,
    function: str,
    names: Mapping[str, str],
    observed: Observation | None = None,
    elements: bool = False,
) -> tuple[LoopClass, ...]:
    """Classifies every loop of a function, in the order of the source.

    Parameters
    ----------
    module_text : str
        The module's source.
    function : str
        Name of a top-level function in it.
    names : mapping of str to str
        Import bindings, as in `Workload.names`.
    observed : Observation, optional
        Facts: which expressions are arrays and which arguments overlap.
    elements : bool, optional
        Whether loops over the elements of arrays are read as loops that count, for those who write them so.

    Raises
    ------
    LookupError
        Where there is no such function.
    """
    from jitmagic.analysis.dependence import LoopProof
    from jitmagic.analysis.scope import scope_of

    scope = scope_of(module_text, function, names, observed, elements)
    found: list[LoopClass] = []

    def visit(node: ast.AST, depth: int, parent: int | None) -> None:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.For | ast.While):
                found.append(LoopProof(scope, child).result(depth, parent))
                visit(child, depth + 1, len(found) - 1)
            elif not isinstance(child, ast.FunctionDef | ast.Lambda | ast.ClassDef):
                visit(child, depth, parent)

    visit(scope.function, 0, None)
    return tuple(found)
