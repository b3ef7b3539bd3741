"""Rewrite counts of the ones in a binary numeral as population counts: ``bin(x).count("1")``, ``x.bit_count()``.

Compiled code has no strings. The count of a negative number is that of its magnitude, for Python as for NumPy.
"""

from __future__ import annotations

from typing import Any

import libcst as cst

from jitmagic.backends.jax.tracing import Tracing
from jitmagic.generate.blocks import code
from jitmagic.generate.module import Module
from jitmagic.generate.rewriter import FunctionRewriter


def counted_bits(module: Module, tree: cst.Module, tracing: dict[str, Tracing]) -> cst.Module:
    """Returns the tree with population counts of the numbers that depend on values."""
    return tree.visit(_Counts(module, tracing))


class _Counts(FunctionRewriter[Tracing]):
    def leave_Call(self, original_node: cst.Call, updated_node: cst.Call) -> cst.BaseExpression:
        func: Any = original_node.func
        if not self.stack or not isinstance(func, cst.Attribute):
            return updated_node
        number = None
        if func.attr.value == "bit_count" and not original_node.args:
            number = func.value
        elif func.attr.value == "count" and [code(a.value) for a in original_node.args] in (['"1"'], ["'1'"]):
            number = _in_binary(func.value)
        if number is None or not self.stack[-1].expression(number) or not self.is_whole(number):
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


def _in_binary(node: Any) -> cst.BaseExpression | None:
    """Returns the number of ``bin(x)``, ``format(x, "b")`` and ``f"{x:b}"``."""
    if isinstance(node, cst.Call) and node.args:
        called, rest = code(node.func), [code(a.value).strip("\"'") for a in node.args[1:]]
        if (called == "bin" and not rest) or (
            called == "format" and len(rest) == 1 and rest[0].lstrip("0123456789") == "b"
        ):
            return node.args[0].value
    if isinstance(node, cst.FormattedString) and len(node.parts) == 1:
        only: Any = node.parts[0]
        if isinstance(only, cst.FormattedStringExpression) and only.conversion is None:
            shown = "".join(p.value for p in only.format_spec or () if isinstance(p, cst.FormattedStringText))
            return only.expression if shown.lstrip("0123456789") == "b" else None
    return None
