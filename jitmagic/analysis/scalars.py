"""Definite assignment and liveness of names over statements: what a loop's step needs from the step before.

The walk is conservative: a definition counts only where every path makes it, a use counts on any path.

>>> tree = ast.parse("def fn(x, s):\\n    for i in range(9):\\n        t = x[i]\\n        s = s + t\\n    return s\\n")
>>> loop = tree.body[0].body[0]
>>> sorted(assigned(loop.body)), sorted(needed_from_before(loop.body, {"i"})), sorted(live_after(loop, tree.body[0]))
(['s', 't'], ['s', 'x'], ['s'])
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Sequence


def assigned(statements: Iterable[ast.stmt]) -> set[str]:
    """Returns the names that the statements bind, nested blocks included."""
    names: set[str] = set()
    for statement in statements:
        for node in ast.walk(statement):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store | ast.Del):
                names.add(node.id)
    return names - _comprehension_targets(statements)


def _comprehension_targets(statements: Iterable[ast.stmt]) -> set[str]:
    # A comprehension has a scope of its own; a name that is bound elsewhere too stays bound.
    inside: set[str] = set()
    outside: set[str] = set()

    def walk(node: ast.AST) -> None:
        if isinstance(node, ast.comprehension):
            inside.update(n.id for n in ast.walk(node.target) if isinstance(n, ast.Name))
            walk(node.iter)
            for test in node.ifs:
                walk(test)
            return
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            outside.add(node.id)
        for child in ast.iter_child_nodes(node):
            walk(child)

    for statement in statements:
        walk(statement)
    return inside - outside


def loaded(node: ast.AST) -> set[str]:
    """Returns the names that an expression or statement reads, an augmented target included."""
    names = {n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)}
    for inner in ast.walk(node):
        if isinstance(inner, ast.AugAssign) and isinstance(inner.target, ast.Name):
            names.add(inner.target.id)
    return names


def _free(node: ast.AST) -> set[str]:
    """Returns the names that are read in a piece of source, those that its own comprehensions bind apart."""
    if isinstance(node, ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp):
        bound = {n.id for part in node.generators for n in ast.walk(part.target) if isinstance(n, ast.Name)}
        first = node.generators[0].iter
        inner = {name for child in ast.iter_child_nodes(node) for name in _free(child)}
        return _free(first) | (inner - bound)
    found = {node.id} if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) else set[str]()
    if isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name):
        found.add(node.target.id)
    for child in ast.iter_child_nodes(node):
        found |= _free(child)
    return found


class Exposure:
    """Walks statements in order and collects the names that are read before they are surely assigned."""

    def __init__(self) -> None:
        self.exposed: set[str] = set()

    def run(self, statements: Sequence[ast.stmt], defined: set[str]) -> set[str]:
        """Walks a block; returns the names that are surely assigned at its end."""
        for statement in statements:
            defined = self._statement(statement, defined)
        return defined

    def _read(self, node: ast.AST | None, defined: set[str]) -> None:
        if node is not None:
            self.exposed |= _free(node) - defined

    def _statement(self, statement: ast.stmt, defined: set[str]) -> set[str]:
        if isinstance(statement, ast.Assign):
            self._read(statement.value, defined)
            for target in statement.targets:
                self._read(target, defined)
            return defined | assigned([statement])
        if isinstance(statement, ast.AnnAssign):
            self._read(statement.value, defined)
            self._read(statement.target, defined)
            return defined | assigned([statement]) if statement.value is not None else defined
        if isinstance(statement, ast.AugAssign):
            self._read(statement, defined)
            return defined
        if isinstance(statement, ast.If):
            self._read(statement.test, defined)
            return self.run(statement.body, set(defined)) & self.run(statement.orelse, set(defined))
        if isinstance(statement, ast.For):
            self._read(statement.iter, defined)
            bound = {n.id for n in ast.walk(statement.target) if isinstance(n, ast.Name)}
            self.run(statement.body, defined | bound)
            # the loop may run no time: nothing in it is sure, and its else sees what was sure before
            return self.run(statement.orelse, set(defined)) & defined
        if isinstance(statement, ast.While):
            self._read(statement.test, defined)
            self.run(statement.body, set(defined))
            return self.run(statement.orelse, set(defined)) & defined
        if isinstance(statement, ast.With):
            for item in statement.items:
                self._read(item.context_expr, defined)
            return self.run(statement.body, defined | assigned([]))
        if isinstance(statement, ast.Try):
            self.run(statement.body, set(defined))
            for handler in statement.handlers:
                self.run(handler.body, set(defined))
            self.run(statement.orelse, set(defined))
            return self.run(statement.finalbody, set(defined)) & defined
        if isinstance(statement, ast.Return | ast.Raise | ast.Break | ast.Continue):
            self._read(statement, defined)
            # nothing after it runs: every name counts as assigned on this path
            return _All()
        self._read(statement, defined)
        return defined


class _All(set[str]):
    """The set of every name: what is sure on a path that is not taken further."""

    def __contains__(self, item: object) -> bool:
        return True

    def __and__(self, other: object) -> set[str]:
        return set(other) if isinstance(other, set) and not isinstance(other, _All) else self

    def __rand__(self, other: object) -> set[str]:
        return self & other

    def __or__(self, other: object) -> set[str]:  # type: ignore[override]
        return self

    def __rsub__(self, other: object) -> set[str]:
        return set()


def needed_from_before(body: Sequence[ast.stmt], bound: set[str]) -> set[str]:
    """Returns the names that a step reads before it surely assigns them; ``bound`` are set by the loop's header."""
    walk = Exposure()
    walk.run(body, set(bound))
    return walk.exposed


def live_after(loop: ast.stmt, function: ast.FunctionDef) -> set[str]:
    """Returns the names that may be read after the loop before they are assigned anew.

    The statements after the loop are walked from the inside out; an enclosing loop's next step counts as after.
    """
    path = path_to(function, loop)
    walk = Exposure()
    defined: set[str] = set()
    for owner, block, position in reversed(path):
        defined = walk.run(block[position + 1 :], defined)
        if isinstance(owner, ast.For):
            bound = {n.id for n in ast.walk(owner.target) if isinstance(n, ast.Name)}
            walk.run(owner.body, set(defined) | bound if not isinstance(defined, _All) else defined)
        elif isinstance(owner, ast.While):
            walk._read(owner.test, defined)
            walk.run(owner.body, defined if isinstance(defined, _All) else set(defined))
    return walk.exposed


def path_to(function: ast.FunctionDef, wanted: ast.stmt) -> list[tuple[ast.AST, list[ast.stmt], int]]:
    """Finds the blocks around a statement, outermost first: (owner, block, position in it).

    ValueError where the statement does not stand in the function.
    """

    def search(owner: ast.AST) -> list[tuple[ast.AST, list[ast.stmt], int]] | None:
        for _, block in ast.iter_fields(owner):
            if not (isinstance(block, list) and block and isinstance(block[0], ast.stmt | ast.ExceptHandler)):
                continue
            for position, statement in enumerate(block):
                if statement is wanted:
                    return [(owner, block, position)]
                below = search(statement)
                if below is not None:
                    return [(owner, block, position), *below]
        return None

    found = search(function)
    if found is None:
        raise ValueError(f"line {wanted.lineno} does not stand in {function.name}")
    return found
