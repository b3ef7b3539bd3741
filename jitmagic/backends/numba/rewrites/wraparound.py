"""Cuts small integers where NumPy has cut them: `(v * k) >> 24` becomes `(v * k).astype(np.uint32) >> 24`.

Numba computes an array expression element by element, and its scalars are 64 bits wide (NB-INTWIDE): what overflowed is
still there when a shift, a quotient, a comparison or a function sees it. Sums, products and bit operations see only the
lower bits, so that the cut is written only where another operation follows.
"""

from __future__ import annotations

import libcst as cst
import numpy as np

from jitmagic.backends.numba.rewrites.context import NumbaRewriter, expression

_SMALL = frozenset({"int8", "int16", "int32", "uint8", "uint16", "uint32"})
_GROWING = (cst.Add, cst.Subtract, cst.Multiply, cst.LeftShift)
_BITS = (cst.BitAnd, cst.BitOr, cst.BitXor)


class WrapAround(NumbaRewriter):
    """Writes `.astype` behind operands that may hold more bits than NumPy's have."""

    def leave_BinaryOperation(
        self, original_node: cst.BinaryOperation, updated_node: cst.BinaryOperation
    ) -> cst.BaseExpression:
        result = self.fact(original_node)
        if result is None or result.kind != "array":
            return updated_node
        lower_bits_only = isinstance(original_node.operator, (*_GROWING, *_BITS))
        changes = {}
        for side in ("left", "right"):
            old = getattr(original_node, side)
            fact = self.fact(old)
            shift = isinstance(original_node.operator, cst.LeftShift) and side == "right"
            if fact is None or (lower_bits_only and not shift and fact.dtype == result.dtype):
                continue
            if self._over(old):
                changes[side] = self._cut(old, getattr(updated_node, side))
        return updated_node.with_changes(**changes) if changes else updated_node

    def leave_Comparison(self, original_node: cst.Comparison, updated_node: cst.Comparison) -> cst.BaseExpression:
        if self._over(original_node.left):
            updated_node = updated_node.with_changes(left=self._cut(original_node.left, updated_node.left))
        targets = [
            new.with_changes(comparator=self._cut(old.comparator, new.comparator))
            if self._over(old.comparator)
            else new
            for old, new in zip(original_node.comparisons, updated_node.comparisons, strict=True)
        ]
        return updated_node.with_changes(comparisons=targets)

    def leave_Call(self, original_node: cst.Call, updated_node: cst.Call) -> cst.BaseExpression:
        path = self.path(original_node.func) or ""
        if not isinstance(getattr(np, path.removeprefix("numpy."), None), np.ufunc):
            return updated_node
        arguments = [
            new.with_changes(value=self._cut(old.value, new.value)) if self._over(old.value) else new
            for old, new in zip(original_node.args, updated_node.args, strict=True)
        ]
        return updated_node.with_changes(args=arguments)

    def _over(self, node: cst.BaseExpression) -> bool:
        """Says whether an array of small integers may hold more bits inside an expression than it has."""
        fact = self.fact(node)
        if fact is None or fact.kind != "array" or fact.dtype not in _SMALL:
            return False
        if isinstance(node, cst.UnaryOperation):
            return isinstance(node.operator, cst.Minus | cst.BitInvert) or self._over(node.expression)
        if not isinstance(node, cst.BinaryOperation):
            return False
        if isinstance(node.operator, _GROWING):
            return True
        return isinstance(node.operator, _BITS) and (self._over(node.left) or self._over(node.right))

    def _cut(self, old: cst.BaseExpression, new: cst.BaseExpression) -> cst.BaseExpression:
        fact = self.fact(old)
        assert fact is not None
        kind = self.context.imports.code(f"numpy.{fact.dtype}")
        made = expression(f"{{x}}.astype({kind})", x=self.context.operand(new))
        self.module.inherit(made, old)
        return made
