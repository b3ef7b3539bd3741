"""Writes products of matrices along a short axis as sums, where they stand in other arithmetic and join its loops.

`q[:, None] - 2*X @ Y.T` for points in space is three products an element: BLAS has nothing to win there, and would
leave its result in an array of its own.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import libcst as cst

from jitmagic.backends.numba.rewrites.context import Context, expression
from jitmagic.backends.numba.rewrites.elements import ElementRewriter, is_usable
from jitmagic.observe.facts import ValueFact

_LONGEST = 8
"""Along longer axes BLAS is faster."""

_MANY = 256
"""Elements from which loops are worth it."""


class ShortProducts(ElementRewriter):
    """Rewrites `a @ b` inside an expression as `np.sum(a[:, None, :] * b.T[None, :, :], axis=2)`."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._around: list[cst.CSTNode] = []

    def visit_BinaryOperation(self, node: cst.BinaryOperation) -> None:
        self._around.append(node)

    def visit_Call(self, node: cst.Call) -> None:
        self._around.append(node)

    def visit_Subscript(self, node: cst.Subscript) -> None:
        self._around.append(node)

    def leave_Subscript(self, original_node: cst.Subscript, updated_node: cst.Subscript) -> cst.BaseExpression:
        self._around.pop()
        return updated_node

    def leave_Call(self, original_node: cst.Call, updated_node: cst.Call) -> cst.BaseExpression:
        self._around.pop()
        return updated_node

    def leave_BinaryOperation(
        self, original_node: cst.BinaryOperation, updated_node: cst.BinaryOperation
    ) -> cst.BaseExpression:
        self._around.pop()
        if not isinstance(original_node.operator, cst.MatrixMultiply) or not self._in_arithmetic():
            return updated_node
        left, right = self.fact(original_node.left), self.fact(original_node.right)
        result = self.fact(original_node)
        if not self._is_short(left, right, result):
            return updated_node
        assert left is not None
        assert right is not None
        assert result is not None
        return self._sum(updated_node, left, right, result)

    def _in_arithmetic(self) -> bool:
        """Says whether the expression around is one whose elements are worked out one by one."""
        around = self._around[-1] if self._around else None
        if isinstance(around, cst.BinaryOperation):
            return not isinstance(around.operator, cst.MatrixMultiply)
        return isinstance(around, cst.Call) and self.is_elementwise(around)

    def _is_short(self, left: ValueFact | None, right: ValueFact | None, result: ValueFact | None) -> bool:
        if left is None or right is None or result is None or not all(map(is_usable, (left, right, result))):
            return False
        shape, other = left.shape or (), right.shape or ()
        if len(shape) != 2 or len(other) not in (1, 2) or None in (*shape, *other):
            return False
        if {left.dtype, right.dtype} not in ({"float64"}, {"float32"}):
            return False
        size = shape[0] or 0
        for n in other[1:]:
            size *= n or 0
        return 2 <= (shape[1] or 0) <= _LONGEST and size >= _MANY and 1 not in (result.shape or ())

    def _sum(
        self, node: cst.BinaryOperation, left: ValueFact, right: ValueFact, result: ValueFact
    ) -> cst.BaseExpression:
        (n, length), rest = left.shape or (), (right.shape or ())[1:]
        one: Any = self.context.operand(node.left)
        other: Any = self.context.operand(node.right)
        if rest:
            columns = other.value if isinstance(other, cst.Attribute) and other.attr.value == "T" else None
            if columns is None:
                columns = expression("{x}.T", x=other)
                self.module.learn(columns, replace(right, shape=(*rest, length), contiguous=False))
            one, other = expression("{x}[:, None, :]", x=one), expression("{x}[None, :, :]", x=columns)
            self.module.learn(one, replace(left, shape=(n, 1, length)))
            self.module.learn(other, replace(right, shape=(1, *rest, length)))
        both = expression("{x} * {y}", x=one, y=other)
        self.module.learn(both, replace(result, shape=(n, *rest, length)))
        numpy = self.context.imports.code("numpy.sum")
        total = expression(numpy + f"({{x}}, axis={1 + len(rest)})", x=both)
        self.module.learn(total, result)
        return total
