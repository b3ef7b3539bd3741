"""Rewrite counts of the ones in a binary numeral as population counts: ``bin(x).count("1")``, ``x.bit_count()``.

Compiled code has no strings. The count of a negative number is that of its magnitude, for Python as for NumPy.
"""

from __future__ import annotations

from typing import Any

import libcst as cst

from jitmagic.backends.jax.tracing import Tracing
from jitmagic.generate.bit_counts import counted
from jitmagic.generate.blocks import code
from jitmagic.generate.module import Module
from jitmagic.generate.rewriter import FunctionRewriter


def counted_bits(module: Module, tree: cst.Module, tracing: dict[str, Tracing]) -> cst.Module:
    """Returns the tree with population counts of the numbers that depend on values."""
    return tree.visit(_Counts(module, tracing))


class _Counts(FunctionRewriter[Tracing]):
    def leave_Call(self, original_node: cst.Call, updated_node: cst.Call) -> cst.BaseExpression:
        number = counted(original_node)
        if number is None or not self.stack or not self.stack[-1].expression(number) or not self.is_whole(number):
            return updated_node
        return cst.parse_expression(f"__numpy__.bitwise_count({code(number)}).astype(__numpy__.int64)")

    def is_whole(self, node: Any) -> bool:
        """Says whether a value was a whole number each time."""
        if isinstance(node, cst.Call) and code(node.func) == "int" and len(node.args) == 1:
            return True
        kinds = self.stack[-1].kinds
        fact = kinds.of(node)
        if fact is None:
            # what stands in a string was not watched; an element is of its array's dtype
            array = isinstance(node, cst.Subscript) and kinds.is_array(node.value) and all(
                isinstance(e.slice, cst.Index) and kinds.is_number(e.slice.value) for e in node.slice
            )
            return array and (kinds.dtype(node.value) or "").startswith(("int", "uint"))
        seen = fact.items if fact.kind == "mixed" else (fact,)
        return all(
            f.kind == "int" or (f.kind == "scalar" and (f.dtype or "").startswith(("int", "uint"))) for f in seen
        )
