"""How many array operations the loops of a module run, one after the other: what a library pays that starts each apart.

A loop over elements is `trips x operations a trip` starts of a kernel, or of a compiled function behind a Python call.

>>> from jitmagic.observe.facts import LoopFact, Observation, Span, ValueFact
>>> text = "def fn(x, y):\\n    for i in range(9):\\n        y[i] = 2 * x[i]\\n"
>>> facts = {Span(3, 15, 3, 23): ValueFact("scalar"), Span(3, 19, 3, 23): ValueFact("scalar")}
>>> seen = Observation(0.0, True, None, None, (), None, (), (), "", False, (), (), {}, facts, {2: LoopFact(1, 9, 9, 9)})
>>> launches(text, seen)
Launches(count=27, line=2, trips=9)
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from jitmagic.analysis.tree import SourceTree
from jitmagic.observe.facts import Observation

_ON_DEVICE = ("array", "scalar")
_OPERATIONS = ast.BinOp | ast.UnaryOp | ast.Compare | ast.Call | ast.Subscript


@dataclass(frozen=True)
class Launches:
    """What the loops cost.

    Attributes
    ----------
    count : int
        Operations on arrays and array elements in all loops of one run.
    line : int or None
        The module's line of the outermost loop that has most of them, None where there is none.
    trips : int
        The most trips that one loop of it makes in a run.
    """

    count: int
    line: int | None
    trips: int


def launches(text: str, observed: Observation, gone: frozenset[int] = frozenset()) -> Launches:
    """Counts the array operations in the loops of a module, by the trips that were observed.

    Parameters
    ----------
    text : str
        The module's source, whose places the observation has.
    observed : Observation
    gone : frozenset of int
        Lines of loops that were rewritten as whole-array statements.
    """
    counter = _Counter(text, observed, gone)
    found: list[Launches] = []
    for function in counter.functions.values():
        for loop in _outermost(function):
            found.append(counter.loop(loop))
    worst = max(found, key=lambda one: one.count, default=Launches(0, None, 0))
    return Launches(sum(one.count for one in found), worst.line if worst.count else None, worst.trips)


class _Counter:
    def __init__(self, text: str, observed: Observation, gone: frozenset[int]) -> None:
        names = [node.name for node in ast.parse(text).body if isinstance(node, ast.FunctionDef)]
        self.tree = SourceTree(text, names[0])
        self.functions = self.tree.functions
        self.observed, self.gone = observed, gone
        self.busy: list[str] = []

    def loop(self, loop: ast.For | ast.While) -> Launches:
        """Counts a loop with those inside it."""
        if loop.lineno in self.gone:
            return Launches(0, None, 0)
        fact = self.observed.loops.get(loop.lineno)
        trips = fact.trips_total if fact is not None else 0
        count, most = trips * self.operations(loop), trips
        for inner in _inner(loop):
            found = self.loop(inner)
            count += found.count
            most = max(most, found.trips)
        return Launches(count, loop.lineno, most)

    def operations(self, loop: ast.For | ast.While | ast.FunctionDef) -> int:
        """Counts what one trip does, the loops inside it apart."""
        parts: list[ast.AST] = [*loop.body]
        if isinstance(loop, ast.While):
            parts.append(loop.test)
        return sum(self._of(node) for part in parts for node in _straight(part))

    def _of(self, node: ast.AST) -> int:
        if isinstance(node, ast.AugAssign):
            return self._known(node.target) or self._known(node.value)
        if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store):
            return 1
        if not isinstance(node, _OPERATIONS):
            return 0
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            helper = self.functions.get(node.func.id)
            if helper is not None and helper.name not in self.busy:
                self.busy.append(helper.name)
                inside = self.operations(helper)
                self.busy.pop()
                return inside
        return self._known(node)

    def _known(self, node: ast.AST) -> int:
        fact = self.observed.expressions.get(self.tree.span(node))
        return int(fact is not None and fact.kind in _ON_DEVICE)


def _straight(node: ast.AST) -> Iterator[ast.AST]:
    """Yields a statement's nodes that are in no loop inside it; of such a loop, what is evaluated before it runs."""
    if isinstance(node, ast.FunctionDef | ast.Lambda | ast.ClassDef):
        return
    yield node
    if isinstance(node, ast.For):
        yield from _straight(node.iter)
    elif not isinstance(node, ast.While):
        for child in ast.iter_child_nodes(node):
            yield from _straight(child)


def _loops(body: list[ast.stmt]) -> Iterator[ast.For | ast.While]:
    for statement in body:
        if isinstance(statement, ast.For | ast.While):
            yield statement
        elif not isinstance(statement, ast.ClassDef):
            for name in ("body", "orelse", "finalbody"):
                yield from _loops(getattr(statement, name, []))
            for handler in getattr(statement, "handlers", []):
                yield from _loops(handler.body)


def _outermost(function: ast.FunctionDef) -> Iterator[ast.For | ast.While]:
    return _loops(function.body)


def _inner(loop: ast.For | ast.While) -> Iterator[ast.For | ast.While]:
    yield from _loops(loop.body)
    yield from _loops(loop.orelse)
