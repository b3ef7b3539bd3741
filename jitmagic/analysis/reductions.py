"""Recognises accumulators: names that a loop only updates with one associative operator.

>>> from jitmagic.analysis.tree import SourceTree
>>> tree = SourceTree("def fn(x):\\n    for v in x:\\n        s += v\\n        t = 2 * t + v\\n", "fn")
>>> body = tree.entry.body[0].body
>>> reduction_of("s", body, tree.span, array=False).operator
'+'
>>> reduction_of("t", body, tree.span, array=False) is None
True
"""

from __future__ import annotations

import ast
from collections.abc import Callable

from jitmagic.analysis.loops import Reduction
from jitmagic.analysis.scalars import loaded
from jitmagic.observe.facts import Span

_CLASS: dict[type[ast.operator], str] = {ast.Add: "+", ast.Sub: "+", ast.Mult: "*", ast.Div: "*"}


def reduction_of(name: str, body: list[ast.stmt], span: Callable[[ast.AST], Span], array: bool) -> Reduction | None:
    """Returns the reduction that ``name`` is in a loop's body, None where any use of it is something else."""
    spans: list[Span] = []
    guarded: list[Span] = []
    operators: set[str] = set()
    rebound: list[ast.stmt] = []

    def walk(statements: list[ast.stmt]) -> bool:
        for statement in statements:
            update = _update(statement, name)
            if update is not None:
                operators.add(update)
                if isinstance(statement, ast.Assign):
                    rebound.append(statement)
                (guarded if isinstance(statement, ast.If) else spans).append(span(statement))
                continue
            headers: list[ast.AST] = []
            blocks: list[list[ast.stmt]] = []
            if isinstance(statement, ast.If | ast.While):
                headers, blocks = [statement.test], [statement.body, statement.orelse]
            elif isinstance(statement, ast.For):
                headers, blocks = [statement.iter, statement.target], [statement.body, statement.orelse]
            else:
                headers = [statement]
            if any(isinstance(n, ast.Name) and n.id == name for header in headers for n in ast.walk(header)):
                return False
            if not all(walk(block) for block in blocks):
                return False
        return True

    if not walk(body) or len(operators) != 1:
        return None
    return Reduction(name, operators.pop(), array, tuple(spans), tuple(guarded), bool(rebound))


def _update(statement: ast.stmt, name: str) -> str | None:
    """Returns the operator of one update of ``name``, None where the statement is none."""
    if isinstance(statement, ast.AugAssign):
        if isinstance(statement.target, ast.Name) and statement.target.id == name and not _reads(statement.value, name):
            return _CLASS.get(type(statement.op))
        return None
    if isinstance(statement, ast.Assign):
        if len(statement.targets) != 1 or not _is(statement.targets[0], name):
            return None
        value = statement.value
        if isinstance(value, ast.BinOp):
            if _is(value.left, name) and not _reads(value.right, name):
                return _CLASS.get(type(value.op))
            if _is(value.right, name) and not _reads(value.left, name) and isinstance(value.op, ast.Add | ast.Mult):
                return _CLASS[type(value.op)]
        if isinstance(value, ast.Call) and isinstance(value.func, ast.Name) and value.func.id in ("max", "min"):
            others = [argument for argument in value.args if not _is(argument, name)]
            if len(value.args) == 2 and len(others) == 1 and not _reads(others[0], name) and not value.keywords:
                return value.func.id
        return None
    if isinstance(statement, ast.If):
        return guarded_extremum(statement, name)
    return None


def guarded_extremum(statement: ast.If, name: str) -> str | None:
    """Returns "max" for ``if e > m: m = e`` (and its mirror images), "min" likewise, else None."""
    test, body = statement.test, statement.body
    if statement.orelse or len(body) != 1 or not isinstance(test, ast.Compare) or len(test.ops) != 1:
        return None
    inner = body[0]
    if not isinstance(inner, ast.Assign) or len(inner.targets) != 1 or not _is(inner.targets[0], name):
        return None
    left, right, operator = test.left, test.comparators[0], test.ops[0]
    greater = isinstance(operator, ast.Gt | ast.GtE)
    if not greater and not isinstance(operator, ast.Lt | ast.LtE):
        return None
    if _is(left, name):
        left, right, greater = right, left, not greater
    if not _is(right, name) or _reads(left, name) or ast.dump(left) != ast.dump(inner.value):
        return None
    return "max" if greater else "min"


def _is(node: ast.expr, name: str) -> bool:
    return isinstance(node, ast.Name) and node.id == name


def _reads(node: ast.AST, name: str) -> bool:
    return name in loaded(node)
