"""Tests on single subscripts and on the ranges that they run over.

>>> def form(text):
...     return affine(ast.parse(text, mode="eval").body, "i", {"i"})
>>> apart(form("2 * i"), form("2 * i + 1")), apart(form("i"), form("i - 1")), apart(form("i"), form("n"))
(True, 1, None)

Even and odd elements never meet; ``x[i]`` meets ``x[i - 1]`` one step later; of ``x[n]`` nothing is known.
"""

from __future__ import annotations

import ast

from jitmagic.analysis.affine import Affine, affine


def is_range(node: ast.expr, local: set[str]) -> bool:
    """Says whether an expression is a call of the builtin ``range`` with positional arguments."""
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "range"
        and "range" not in local
        and 1 <= len(node.args) <= 3
        and not node.keywords
        and not any(isinstance(a, ast.Starred) for a in node.args)
    )


def is_name(node: ast.expr, name: str) -> bool:
    """Says whether an expression is just this name."""
    return isinstance(node, ast.Name) and node.id == name


def subscripts_of(node: ast.Subscript) -> tuple[ast.expr, ...]:
    """Returns the subscripts of all axes."""
    return tuple(node.slice.elts) if isinstance(node.slice, ast.Tuple) else (node.slice,)


def apart(one: Affine, two: Affine) -> bool | int | None:
    """Tests one axis: True where two different steps never meet, an int distance where they do, None: not known."""
    difference = (one.offset - two.offset).constant()
    if difference is None:
        return None
    if one.coefficient == 0 and two.coefficient == 0:
        return True if difference != 0 else None
    if one.coefficient != two.coefficient:
        return None
    if difference == 0 or difference % abs(one.coefficient) != 0:
        return True
    return difference // one.coefficient


def range_start(loop: ast.For) -> int | None:
    """Returns the smallest value of a counted loop's index if it is a constant, else None."""
    if not is_range(loop.iter, set()) or not isinstance(loop.iter, ast.Call):
        return None
    arguments = loop.iter.args
    if len(arguments) == 1:
        return 0
    if len(arguments) == 3:
        step = affine(arguments[2], "", ())
        size = None if step is None else step.offset.constant()
        if size is None or size <= 0:
            stop = affine(arguments[1], "", ())
            last = None if stop is None else stop.offset.constant()
            return None if last is None or size is None else last + 1
    start = affine(arguments[0], "", ())
    return None if start is None else start.offset.constant()


def nonnegative_constant(node: ast.expr) -> bool:
    """Says whether an expression is a literal integer of at least zero."""
    return isinstance(node, ast.Constant) and type(node.value) is int and node.value >= 0


def side_of(loops: tuple[ast.For, ...], inner: str, outer: str) -> str | None:
    """Says on which side of the outer index the inner one stays: ``"above"``, ``"below"``, or None."""
    for loop in loops:
        if not (isinstance(loop.target, ast.Name) and loop.target.id == inner and is_range(loop.iter, set())):
            continue
        assert isinstance(loop.iter, ast.Call)
        arguments = loop.iter.args
        if len(arguments) == 2:
            start = affine(arguments[0], outer, ())
            ahead = start.offset.constant() if start is not None and start.coefficient == 1 else None
            if ahead is not None and ahead >= 0:
                return "above"
        stop = affine(arguments[0] if len(arguments) == 1 else arguments[1], outer, ())
        first_is_zero = len(arguments) == 1 or nonnegative_constant(arguments[0])
        if stop is not None and first_is_zero and len(arguments) < 3 and stop.coefficient == 1:
            limit = stop.offset.constant()
            if limit is not None and limit <= 1:
                return "below"
    return None
