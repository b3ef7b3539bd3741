"""Rewrite comparisons of tuples as comparisons of their numbers: ``(r, c) == (0, n)`` is ``r == 0 and c == n``.

Python compares tuples by asking each pair for a truth value, which is not known while JAX compiles.
"""

from __future__ import annotations

from typing import Any

import libcst as cst

from jitmagic.generate.blocks import code
from jitmagic.generate.kinds import Kinds
from jitmagic.generate.module import Module
from jitmagic.generate.rewriter import FunctionRewriter


def without_tuple_comparisons(module: Module, tree: cst.Module, kinds: dict[str, Kinds]) -> cst.Module:
    """Returns the tree with equality of tuples of numbers as equality of the numbers."""
    return tree.visit(_Comparisons(module, kinds))


class _Comparisons(FunctionRewriter[Kinds]):
    def leave_Comparison(self, original_node: cst.Comparison, updated_node: cst.Comparison) -> cst.BaseExpression:
        if not self.stack or len(original_node.comparisons) != 1:
            return updated_node
        only = original_node.comparisons[0]
        left, right = original_node.left, only.comparator
        if not isinstance(only.operator, cst.Equal | cst.NotEqual):
            return updated_node
        if not isinstance(left, cst.Tuple) or not isinstance(right, cst.Tuple):
            return updated_node
        pairs = list(zip(left.elements, right.elements, strict=False))
        every = [e for pair in pairs for e in pair]
        if len(left.elements) != len(right.elements) or len(pairs) < 2:
            return updated_node
        if not all(isinstance(e, cst.Element) and self.stack[-1].is_number(e.value) for e in every):
            return updated_node
        sign, word = ("==", " and ") if isinstance(only.operator, cst.Equal) else ("!=", " or ")
        text = word.join(f"{_operand(a.value)} {sign} {_operand(b.value)}" for a, b in pairs)
        new = cst.parse_expression(f"({text})")
        comparisons = [new]
        while comparisons:
            node: Any = comparisons.pop()
            if isinstance(node, cst.BooleanOperation):
                comparisons += [node.left, node.right]
            elif isinstance(node, cst.Comparison):
                a, b = pairs.pop()
                self.module.inherit_parts(node.left, a.value)
                self.module.inherit_parts(node.comparisons[0].comparator, b.value)
        return new


def _operand(node: cst.BaseExpression) -> str:
    tight = isinstance(node, cst.Name | cst.Attribute | cst.Subscript | cst.Call | cst.Integer | cst.BinaryOperation)
    return code(node) if tight or bool(getattr(node, "lpar", False)) else f"({code(node)})"
