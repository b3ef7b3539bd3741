"""The types of what one step of a kernel assigns: numbers alone, since a thread cannot make an array."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from jitmagic.backends.cuda.loop_text import as_loaded, is_range
from jitmagic.backends.cuda.types import INT, Scalar, Several, Type, Typer, Untyped, unified

_ROUNDS = 8
"""How often types are looked for anew, where a loop's variable changes its type."""


def settle(typer: Typer, known: dict[str, Type], body: Sequence[ast.stmt], result: list[Type] | None = None) -> None:
    """Finds the types of what a body assigns, until they stay.

    Parameters
    ----------
    typer : Typer
        Of these names.
    known : dict of str to Type
        Is added to.
    body : sequence of ast statements
    result : list of Type, optional
        Takes up what the body returns; without it a return is refused.

    Raises
    ------
    Untyped
        For a form that a thread of a GPU has not.
    """
    for _ in range(_ROUNDS):
        before = dict(known)
        _block(typer, known, body, result)
        if before == known:
            return
    raise Untyped(body[0], "types change from step to step")


def _block(typer: Typer, known: dict[str, Type], body: Sequence[ast.stmt], result: list[Type] | None) -> None:
    for node in body:
        if isinstance(node, ast.Assign):
            for target in node.targets:
                _bind(typer, known, target, typer.of(node.value))
        elif isinstance(node, ast.AugAssign):
            both = typer.of(ast.BinOp(as_loaded(node.target), node.op, node.value))
            _bind(typer, known, node.target, both)
        elif isinstance(node, ast.For):
            if not is_range(node.iter) or not isinstance(node.target, ast.Name) or node.orelse:
                raise Untyped(node, "a loop runs over something else than a range")
            assert isinstance(node.iter, ast.Call)
            for one in node.iter.args:
                typer.number(one)
            _bind(typer, known, node.target, INT)
            _block(typer, known, node.body, result)
        elif isinstance(node, ast.While | ast.If):
            typer.number(node.test)
            if getattr(node, "orelse", None) and isinstance(node, ast.While):
                raise Untyped(node, "a `while` has an `else`")
            _block(typer, known, node.body, result)
            _block(typer, known, node.orelse, result)
        elif isinstance(node, ast.Return) and result is not None and node.value is not None:
            found = typer.of(node.value)
            if not isinstance(found, Scalar):
                raise Untyped(node, "a function that a kernel calls returns one number")
            result.append(found if not result else unified(result[-1], found) or found)
        elif isinstance(node, ast.Pass | ast.Break | ast.Continue) or (
            isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        ):
            continue
        else:
            raise Untyped(node, f"`{ast.unparse(node).splitlines()[0]}` has no form")


def _bind(typer: Typer, known: dict[str, Type], target: ast.expr, kind: Type) -> None:
    if isinstance(target, ast.Tuple):
        if not isinstance(kind, Several) or len(kind.items) != len(target.elts):
            raise Untyped(target, f"`{ast.unparse(target)}` takes an array apart")
        for one, item in zip(target.elts, kind.items, strict=True):
            _bind(typer, known, one, item)
        return
    if not isinstance(kind, Scalar):
        raise Untyped(target, f"`{ast.unparse(target)}` is an array in each step, which a thread cannot make")
    if isinstance(target, ast.Name):
        before = known.get(target.id)
        both = kind if before is None else unified(before, kind)
        if both is None:
            raise Untyped(target, f"`{target.id}` has values of several types")
        known[target.id] = both
    elif isinstance(target, ast.Subscript):
        if not isinstance(typer.of(target), Scalar):
            raise Untyped(target, f"`{ast.unparse(target)}` is more than one element")
    else:
        raise Untyped(target, f"`{ast.unparse(target)}` cannot be written")
