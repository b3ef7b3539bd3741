"""`np.roll`: what a call says, and its form in Numba, whose own takes no axis."""

from __future__ import annotations

from dataclasses import dataclass

import libcst as cst

from jitmagic.backends.numba import helpers
from jitmagic.backends.numba.rewrites.context import NumbaRewriter, code


@dataclass(frozen=True)
class Roll:
    """A call of `np.roll`.

    Attributes
    ----------
    array : libcst expression
    shifts : dict of int to libcst expression
        By axis.
    """

    array: cst.BaseExpression
    shifts: dict[int, cst.BaseExpression]


def roll_of(owner: NumbaRewriter, node: cst.BaseExpression) -> Roll | None:
    """Reads a call of `np.roll`; None for another expression, and where it rolls an array as if it had one axis."""
    if not isinstance(node, cst.Call) or owner.path(node.func) != "numpy.roll" or any(a.star for a in node.args):
        return None
    if len(node.args) not in (2, 3):
        return None
    named = {a.keyword.value if a.keyword else ("a", "shift", "axis")[k]: a.value for k, a in enumerate(node.args)}
    if set(named) - {"a", "shift", "axis"} or not {"a", "shift"} <= set(named):
        return None
    fact = owner.fact(named["a"])
    if fact is None or fact.kind != "array" or not fact.ndim:
        return None
    if "axis" not in named:
        axes: list[cst.BaseExpression] = [cst.Integer("0")] if fact.ndim == 1 else []
    else:
        axes = _several(named["axis"])
    shifts = _several(named["shift"])
    found: dict[int, cst.BaseExpression] = {}
    for axis, shift in zip(axes, shifts * len(axes) if len(shifts) == 1 else shifts, strict=False):
        try:
            number = int(code(axis).replace(" ", ""))
        except ValueError:
            return None
        if not -fact.ndim <= number < fact.ndim or number % fact.ndim in found or not _is_number(owner, shift):
            return None
        found[number % fact.ndim] = shift
    return Roll(named["a"], found) if found and len(shifts) in (1, len(axes)) else None


def _several(node: cst.BaseExpression) -> list[cst.BaseExpression]:
    return [e.value for e in node.elements] if isinstance(node, cst.Tuple | cst.List) else [node]


def _is_number(owner: NumbaRewriter, node: cst.BaseExpression) -> bool:
    fact = owner.fact(node)
    literal = node.expression if isinstance(node, cst.UnaryOperation) else node
    if isinstance(literal, cst.Integer):
        return True
    return fact is not None and (fact.kind == "int" or (fact.kind == "scalar" and (fact.dtype or "")[:3] == "int"))


class Rolls(NumbaRewriter):
    """Writes `np.roll(x, shift, axis=k)` through helper functions, one an axis."""

    def leave_Call(self, original_node: cst.Call, updated_node: cst.Call) -> cst.BaseExpression:
        roll = roll_of(self, original_node)
        if roll is None or len(original_node.args) == 2:
            return updated_node
        values = {code(old.value): new.value for old, new in zip(original_node.args, updated_node.args, strict=True)}
        made = values[code(roll.array)]
        for axis, shift in roll.shifts.items():
            helper = self.context.helper(f"roll_axis{axis}", helpers.roll_along(axis))
            made = cst.Call(helper, [cst.Arg(made), cst.Arg(values.get(code(shift), shift))])
        return made
