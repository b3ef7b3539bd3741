"""Masks that put elements to rest: once such a mask is False for an element, a loop over steps leaves it as it is.

Proved on the statements: with the mask False, every store is one that the mask forbids, and whatever else is bound is
bound anew before it is read.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import libcst as cst

from jitmagic.backends.numba.nests.reading import mask_of
from jitmagic.backends.numba.rewrites.context import code
from jitmagic.backends.numba.rewrites.elements import ElementRewriter
from jitmagic.generate.blocks import small, statements

if TYPE_CHECKING:
    from jitmagic.backends.numba.nests.steps import Steps


def idle_mask(builder: Steps, body: Sequence[Any], head: frozenset[str]) -> str | None:
    """Returns a mask behind which, once it is False for an element, a loop does nothing more to this element."""
    masks = {name for name in builder.run.ours if name in builder.values and builder.values[name].dtype == "bool"}
    for mask in sorted(masks & (head | builder.run.changed)):
        if _rests(builder, body, head, mask):
            return mask
    return None


def _rests(builder: Steps, body: Sequence[Any], head: frozenset[str], mask: str) -> bool:
    false = {mask}
    for statement in body:
        if isinstance(statement, cst.If) and all_at_rest(builder.owner, statement, mask):
            continue
        one = small(statement)
        if isinstance(one, cst.Pass):
            continue
        if isinstance(one, cst.AugAssign):
            target = one.target
        elif isinstance(one, cst.Assign):
            target = one.targets[0].target
        else:
            return False
        if isinstance(target, cst.Subscript):
            chosen = mask_of(target)
            if chosen is None or not isinstance(target.value, cst.Name):
                return False
            if _is_false(builder.owner, chosen, false):
                continue
            name = target.value.value
            if name == mask and isinstance(one, cst.Assign) and code(one.value) == "False":
                continue
        elif isinstance(target, cst.Name):
            name = target.value
            if isinstance(one, cst.AugAssign) and isinstance(one.operator, cst.BitAndAssign) and name in false:
                continue
            if isinstance(one, cst.Assign) and _is_false(builder.owner, one.value, false):
                if name == mask:
                    continue
                false.add(name)
        else:
            return False
        if name in head or name in builder.run.changed:
            return False
        if not (isinstance(one, cst.Assign) and isinstance(target, cst.Name) and name in false):
            false.discard(name)
    return True


def _is_false(owner: ElementRewriter, node: cst.BaseExpression, false: set[str]) -> bool:
    if isinstance(node, cst.Name):
        return node.value in false
    if isinstance(node, cst.BinaryOperation) and isinstance(node.operator, cst.BitAnd):
        return _is_false(owner, node.left, false) or _is_false(owner, node.right, false)
    if isinstance(node, cst.Call) and owner.path(node.func) == "numpy.logical_and":
        return any(_is_false(owner, argument.value, false) for argument in node.args)
    return False


def all_at_rest(owner: ElementRewriter, statement: cst.If, mask: str) -> bool:
    """Says whether a statement is `if not mask.any(): break`."""
    body = statements(statement)
    inner = body[0] if len(body) == 1 else None
    inner = inner if isinstance(inner, cst.BaseSmallStatement) else small(inner) if inner is not None else None
    test = statement.test
    if statement.orelse is not None or not isinstance(inner, cst.Break):
        return False
    if not isinstance(test, cst.UnaryOperation) or not isinstance(test.operator, cst.Not):
        return False
    call = test.expression
    if not isinstance(call, cst.Call):
        return False
    if owner.path(call.func) == "numpy.any":
        return len(call.args) == 1 and code(call.args[0].value) == mask
    return isinstance(call.func, cst.Attribute) and code(call.func) == f"{mask}.any" and not call.args
