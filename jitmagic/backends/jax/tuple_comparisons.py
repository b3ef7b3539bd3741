"""Rewrite comparisons of tuples as comparisons of their numbers: ``(r, c) == (0, n)`` is ``r == 0 and c == n``.

A name for a tuple is one too: ``(r, c) == goal`` is ``r == goal[0] and c == goal[1]``. Python
compares tuples by asking each pair for a truth value, which is not known while JAX compiles.
"""

from __future__ import annotations

from typing import Any

import libcst as cst

from jitmagic.generate.blocks import code
from jitmagic.generate.kinds import Kinds
from jitmagic.generate.module import Module
from jitmagic.generate.rewriter import FunctionRewriter

_NUMBERS = frozenset(("int", "float", "bool", "complex", "scalar"))


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
        first, second = self.parts(left), self.parts(right)
        if first is None or second is None or len(first) != len(second) or len(first) < 2:
            return updated_node
        pairs = list(zip(first, second, strict=True))
        sign, word = ("==", " and ") if isinstance(only.operator, cst.Equal) else ("!=", " or ")
        text = word.join(f"{_operand(a)} {sign} {_operand(b)}" for a, b in pairs)
        new = cst.parse_expression(f"({text})")
        comparisons = [new]
        while comparisons:
            node: Any = comparisons.pop()
            if isinstance(node, cst.BooleanOperation):
                comparisons += [node.left, node.right]
            elif isinstance(node, cst.Comparison):
                a, b = pairs.pop()
                self.module.inherit_parts(node.left, a)
                self.module.inherit_parts(node.comparisons[0].comparator, b)
        return new

    def parts(self, node: cst.BaseExpression) -> list[cst.BaseExpression] | None:
        """Returns the numbers of a tuple that is written out, or of a name for one; None for anything else."""
        kinds = self.stack[-1]
        if isinstance(node, cst.Tuple):
            plain = all(isinstance(e, cst.Element) and kinds.is_number(e.value) for e in node.elements)
            return [e.value for e in node.elements] if plain else None
        fact = kinds.of(node) if isinstance(node, cst.Name) else None
        if fact is None or fact.kind != "tuple" or not fact.items or not all(i.kind in _NUMBERS for i in fact.items):
            return None
        found = [cst.parse_expression(f"{code(node)}[{position}]") for position in range(len(fact.items))]
        for one, item in zip(found, fact.items, strict=True):
            self.module.learn(one, item)
        return found


def _operand(node: cst.BaseExpression) -> str:
    tight = isinstance(node, cst.Name | cst.Attribute | cst.Subscript | cst.Call | cst.Integer | cst.BinaryOperation)
    return code(node) if tight or bool(getattr(node, "lpar", False)) else f"({code(node)})"
