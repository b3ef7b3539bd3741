"""Stores into parts of arrays of which there are views by name, by a function of their own in parallel mode.

    left, right = u[:-2], u[2:]
    u[1:-1] = left + right            ->      stored(u[1:-1], left + right)

NumPy works the right side out before it stores. Numba's parallel mode joins both into one loop, and looks for the array
under its own name alone: what it stores is read again through the views, in the same step or by another thread, and
the result is wrong (seen with Numba 0.68). A function that is not compiled for threads is joined with nothing.
"""

from __future__ import annotations

from typing import Any

import libcst as cst

from jitmagic.backends.numba.rewrites.context import Context, NumbaRewriter
from jitmagic.generate.blocks import bound_pairs
from jitmagic.generate.walking import nodes_of

_STORED = """
@njit(error_model="numpy")
def {name}(out, value):
    # out[...] = value, by itself: parallel mode would join it with loops that read other views of the array
    out[...] = value
"""

_OPERATORS: dict[type[cst.BaseAugOp], cst.BaseBinaryOp] = {
    cst.AddAssign: cst.Add(), cst.SubtractAssign: cst.Subtract(), cst.MultiplyAssign: cst.Multiply(),
    cst.DivideAssign: cst.Divide(), cst.PowerAssign: cst.Power(),
}  # fmt: skip


class ViewStores(NumbaRewriter):
    """Rewrites the stores of the parallel variant.

    Parameters
    ----------
    context : Context
    """

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._views: list[frozenset[str]] = []

    def visit_FunctionDef(self, node: cst.FunctionDef) -> None:
        super().visit_FunctionDef(node)
        self._views.append(self._viewed(node))

    def leave_FunctionDef(self, original_node: cst.FunctionDef, updated_node: cst.FunctionDef) -> cst.FunctionDef:
        self._views.pop()
        return super().leave_FunctionDef(original_node, updated_node)

    def _viewed(self, function: cst.FunctionDef) -> frozenset[str]:
        """Returns the names of the arrays of which a part has a name of its own."""
        found = set()
        for node in nodes_of(function, cst.Assign):
            for assigned in node.targets:
                for target, value in bound_pairs(assigned.target, node.value):
                    part = isinstance(target, cst.Name) and isinstance(value, cst.Subscript)
                    if part and isinstance(value.value, cst.Name) and self.is_array(value) and self._is_view(value):
                        found.add(value.value.value)
        return frozenset(found)

    def _is_view(self, node: cst.Subscript) -> bool:
        """Says whether no index of a subscript is an array: NumPy copies what such a one selects."""
        indices: list[Any] = [one.slice.value for one in node.slice if isinstance(one.slice, cst.Index)]
        return not any(self.is_array(index) or isinstance(index, cst.List) for index in indices)

    def _is_part(self, target: cst.BaseExpression) -> bool:
        return (
            isinstance(target, cst.Subscript)
            and isinstance(target.value, cst.Name)
            and target.value.value in self._views[-1]
            and any(isinstance(one.slice, cst.Slice) for one in target.slice)
            and self._is_view(target)
        )

    def leave_Assign(self, original_node: cst.Assign, updated_node: cst.Assign) -> cst.BaseSmallStatement:
        target = updated_node.targets[0].target
        if not self._views or len(updated_node.targets) != 1 or not self._is_part(original_node.targets[0].target):
            return updated_node
        if not self.is_array(original_node.value) or isinstance(original_node.value, cst.Call | cst.Subscript):
            return updated_node  # a number; what is made or copied before by itself
        return self._stored(original_node, target, updated_node.value)

    def leave_AugAssign(self, original_node: cst.AugAssign, updated_node: cst.AugAssign) -> cst.BaseSmallStatement:
        operator = _OPERATORS.get(type(updated_node.operator))
        if not self._views or operator is None or not self._is_part(original_node.target):
            return updated_node
        if not self.is_array(original_node.value):
            return updated_node
        target: Any = updated_node.target
        value = cst.BinaryOperation(target.deep_clone(), operator, self.context.operand(updated_node.value))
        return self._stored(original_node, target, value)

    def _stored(self, original: Any, target: Any, value: cst.BaseExpression) -> cst.Expr:
        helper = self.context.helper("stored", _STORED)
        new = cst.Expr(cst.Call(helper, [cst.Arg(target), cst.Arg(self.context.bare(value))]))
        self.module.inherit(new, original)
        return new
