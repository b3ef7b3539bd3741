"""Finds the statements of a plain copy that may run before any watched copy of them has.

A branch that is taken once in a million trips would have no facts, were only sampled trips watched. So in plain copies
every run of simple statements that is not sure to have been watched stands behind a guard: the first time it is
watched, afterwards it is plain. A guard in a loop is a local flag (a few ns), elsewhere an element of a list.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

FUNCTIONS = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
COMPOUND = (
    ast.If
    | ast.For
    | ast.AsyncFor
    | ast.While
    | ast.With
    | ast.AsyncWith
    | ast.Try
    | ast.TryStar
    | ast.Match
    | ast.FunctionDef
    | ast.AsyncFunctionDef
    | ast.ClassDef
)


@dataclass(frozen=True)
class Guard:
    """One guard: its number in the module, and whether its flag is a local variable."""

    number: int
    local: bool


def inside(node: ast.AST) -> Iterator[ast.AST]:
    """Yields a node and all below it that belong to the same function; of an inner function, only the node itself."""
    yield node
    if not isinstance(node, FUNCTIONS | ast.ClassDef):
        for child in ast.iter_child_nodes(node):
            yield from inside(child)


def groups(block: Sequence[ast.stmt]) -> Iterator[list[ast.stmt]]:
    """Splits a block into runs of simple statements and single compound ones."""
    run: list[ast.stmt] = []
    for statement in block:
        if isinstance(statement, COMPOUND):
            if run:
                yield run
                run = []
            yield [statement]
        else:
            run.append(statement)
    if run:
        yield run


def leaves_early(statement: ast.stmt) -> bool:
    """Says whether what follows a statement may be skipped by a jump inside it."""
    return any(isinstance(node, ast.Return | ast.Raise | ast.Break | ast.Continue) for node in inside(statement))


def runs_to_end(loop: ast.For) -> bool:
    """Says whether a loop has no ``break`` of its own and no ``return``, so that its iterable's length is its trips."""

    def jumps(nodes: Sequence[ast.AST], own: bool) -> bool:
        for node in nodes:
            if isinstance(node, ast.Return) or (own and isinstance(node, ast.Break)):
                return True
            if isinstance(node, FUNCTIONS | ast.ClassDef):
                continue
            if isinstance(node, ast.For | ast.AsyncFor | ast.While):
                if jumps(node.body, False) or jumps(node.orelse, own):
                    return True
            elif jumps(list(ast.iter_child_nodes(node)), own):
                return True
        return False

    return not jumps(loop.body, True)


class Guards:
    """The guards of all functions of one module.

    A guard is found by the first statement of its group, or by the header expression (``if`` and ``while`` test,
    ``for`` iterable) that it guards.
    """

    def __init__(self) -> None:
        self.count = 0
        self._of: dict[int, Guard] = {}
        self._kept: list[ast.AST] = []

    def find(self, node: ast.AST) -> Guard | None:
        """Returns the guard of a group (by its first statement) or of a header expression."""
        return self._of.get(id(node))

    def of_loop(self, loop: ast.stmt) -> list[Guard]:
        """Returns the guards whose flags are local and stand within a loop."""
        found = [self._of[id(node)] for node in inside(loop) if id(node) in self._of]
        return [guard for guard in found if guard.local]

    def add_function(self, function: ast.FunctionDef, *, guarded: bool) -> None:
        """Places the guards of a function and of the functions in it.

        Parameters
        ----------
        guarded : bool
            False where the straight-line body needs none: the first call of a module-level function is watched, and
            comes to its end where no exception is caught in the module.
        """
        self._block(function.body, guarded, False)

    def _add(self, node: ast.AST, local: bool) -> None:
        if any(isinstance(part, ast.Name | ast.Call | ast.Assign | ast.AugAssign) for part in ast.walk(node)):
            self._of[id(node)] = Guard(self.count, local)
            self._kept.append(node)  # keeps the id from being used again
            self.count += 1

    def _block(self, block: Sequence[ast.stmt], guarded: bool, in_loop: bool) -> None:
        for group in groups(block):
            first = group[0]
            if not isinstance(first, COMPOUND):
                telling = next((s for s in group if not isinstance(s, ast.Pass | ast.Break | ast.Continue)), None)
                if guarded and telling is not None and not isinstance(telling, ast.Global | ast.Nonlocal):
                    self._of[id(first)] = Guard(self.count, in_loop)
                    self._kept.append(first)
                    self.count += 1
            else:
                self._compound(first, guarded, in_loop)
            if any(leaves_early(statement) for statement in group):
                guarded = True

    def _compound(self, statement: ast.stmt, guarded: bool, in_loop: bool) -> None:
        match statement:
            case ast.If():
                if guarded:
                    self._add(statement.test, in_loop)
                self._block(statement.body, True, in_loop)
                self._block(statement.orelse, True, in_loop)
            case ast.For() | ast.While():
                header = statement.iter if isinstance(statement, ast.For) else statement.test
                if guarded:
                    # the test of a while runs once a trip
                    self._add(header, in_loop or isinstance(statement, ast.While))
                if isinstance(statement, ast.For) and isinstance(
                    statement.body[0], COMPOUND | ast.Pass | ast.Break | ast.Continue
                ):
                    # elsewhere what a loop binds is watched with the first statements of its body
                    self._of[id(statement.target)] = Guard(self.count, True)
                    self._kept.append(statement.target)
                    self.count += 1
                self._block(statement.body, True, True)
                self._block(statement.orelse, True, in_loop)
            case ast.With():
                self._block(statement.body, guarded, in_loop)
            case ast.Try():
                for part in (statement.body, statement.orelse, statement.finalbody):
                    self._block(part, True, in_loop)
                for handler in statement.handlers:
                    self._block(handler.body, True, in_loop)
            case ast.Match():
                for case in statement.cases:
                    self._block(case.body, True, in_loop)
            case ast.FunctionDef():
                self.add_function(statement, guarded=True)
