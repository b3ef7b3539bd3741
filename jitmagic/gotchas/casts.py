"""Casts: where a float is made an integer."""

from __future__ import annotations

import ast
from collections.abc import Iterator

import numpy as np

from jitmagic.gotchas.context import CONFIRMED, NOT_SEEN, Context

_TARGETS = {"builtins.int": "int"} | {
    f"numpy.{name}": name for name in ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64")
}


def float_to_integer_casts(ctx: Context) -> Iterator[tuple[ast.Call, ast.expr, str]]:
    """Yields ``x.astype(np.uint8)`` and ``np.uint8(x)`` of floats as (call, x, "uint8"), but not of clipped ones."""
    for node in ctx.nodes(ast.Call):
        path = ctx.names.path(node.func)
        if isinstance(node.func, ast.Attribute) and node.func.attr == "astype" and path is None and node.args:
            operand, target = node.func.value, _target(ctx, node.args[0])
        elif path in _TARGETS and path != "builtins.int" and node.args:
            operand, target = node.args[0], _TARGETS[path]
        else:
            continue
        fact = ctx.fact(operand)
        floating = fact is not None and (fact.kind == "float" or (fact.dtype or "").startswith("float"))
        if target is not None and floating and not _clipped(ctx, operand):
            yield node, operand, target


def range_status(ctx: Context, operand: ast.expr, target: str) -> str | None:
    """Returns the status of a gotcha that needs numbers out of the target's range; None where no range was seen."""
    fact = ctx.fact(operand)
    if fact is None or fact.low is None or fact.high is None:
        return None
    limits = np.iinfo("int64" if target == "int" else target)
    return NOT_SEEN if limits.min <= fact.low and fact.high <= limits.max else CONFIRMED


def _target(ctx: Context, node: ast.expr) -> str | None:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value if f"numpy.{node.value}" in _TARGETS or node.value == "int" else None
    return _TARGETS.get(ctx.names.path(node) or "")


def _clipped(ctx: Context, operand: ast.expr) -> bool:
    """Tells whether an operand was just brought into a range."""
    inner = operand
    while isinstance(inner, ast.Call):
        path = ctx.names.path(inner.func)
        name = path.removeprefix("numpy.") if path else inner.func.attr if isinstance(inner.func, ast.Attribute) else ""
        if name in ("clip", "sign", "isnan", "isfinite"):
            return True
        if name not in ("round", "rint", "floor", "ceil", "trunc"):
            return False
        rounded = inner.args[0] if path and inner.args else getattr(inner.func, "value", None)
        if rounded is None:
            return False
        inner = rounded
    return False
