"""Columns that loops read again and again are copied into rows once: `x[:, a] @ x[:, b]` for all `a` and `b`.

A column's numbers lie a row apart, each in another line of the processor's cache. An array that nothing in the function
stores into is copied before the outermost loop, and the loops read rows of the copy.
"""

from __future__ import annotations

from typing import Any

import libcst as cst
import numpy as np

from jitmagic.backends.numba.rewrites.context import Context, LoopRewriter, NumbaRewriter, code
from jitmagic.generate import names as name_tools
from jitmagic.generate.bindings import stored_in
from jitmagic.generate.blocks import leading, made
from jitmagic.generate.walking import children

_SHORTEST = 32
"""Shorter columns are not worth a copy."""

_PRODUCTS = frozenset({"numpy.dot", "numpy.vdot", "numpy.inner"})


class Columns(LoopRewriter):
    """Rewrites reads of columns in nested loops.

    Parameters
    ----------
    context : Context
    """

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._taken: set[str] = set()

    def visit_FunctionDef(self, node: cst.FunctionDef) -> None:
        super().visit_FunctionDef(node)
        self._taken |= name_tools.all_names(node)

    def behind_loop(self, original_node: cst.For | cst.While, updated_node: Any) -> Any:
        if isinstance(original_node, cst.While) or self.loops or self.context.every or len(self.functions) != 1:
            return updated_node
        found: list[cst.Subscript] = []
        self._read(original_node.body, 1, False, found)
        changing = name_tools.bound(original_node)
        columns: dict[str, str] = {}
        for node in found:
            assert isinstance(node.value, cst.Name)
            name = node.value.value
            if name not in columns and name not in changing and not self._may_change(name):
                columns[name] = self._fresh(f"{name}_columns")
        if not columns:
            return updated_node
        body = updated_node.body.visit(_Rows(self, found, columns))
        spell = self.context.imports.code("numpy.ascontiguousarray")
        before = [made(f"{rows} = {spell}({name}.T)\n", original_node) for name, rows in columns.items()]
        before[0] = leading(before[0], updated_node)
        loop = updated_node.with_changes(body=body, leading_lines=())
        self.module.inherit(loop, original_node)
        return cst.FlattenSentinel([*before, loop])

    def _read(self, node: cst.CSTNode, depth: int, operand: bool, found: list[cst.Subscript]) -> None:
        """Collects the columns that an operation reads in a loop inside the loop."""
        if isinstance(node, cst.FunctionDef | cst.Lambda):
            return
        if isinstance(node, cst.Subscript) and operand and depth > 1 and self._is_column(node):
            found.append(node)
            return
        product = isinstance(node, cst.Call) and self.path(node.func) in _PRODUCTS
        inner = depth + isinstance(node, cst.For | cst.While)
        for child in children(node):
            reads = isinstance(node, cst.BinaryOperation) or product or (operand and isinstance(node, cst.Arg))
            self._read(child, inner, reads, found)

    def _is_column(self, node: cst.Subscript) -> bool:
        if len(node.slice) != 2 or not isinstance(node.value, cst.Name):
            return False
        first, second = (element.slice for element in node.slice)
        if not isinstance(first, cst.Slice) or code(first).strip() != ":" or not isinstance(second, cst.Index):
            return False
        base, index = self.fact(node.value), self.fact(second.value)
        if base is None or base.kind != "array" or base.ndim != 2 or base.dtype is None or index is None:
            return False
        assert base.shape is not None
        whole = index.kind == "int" or (index.kind == "scalar" and index.dtype == "int64")
        long = base.shape[0] is None or base.shape[0] >= _SHORTEST
        return whole and long and base.contiguous is True and np.dtype(base.dtype).kind in "fc"

    def _may_change(self, name: str) -> bool:
        stored = stored_in(self.module, self.functions[-1].name.value)
        return stored is None or stored.may_change(name)

    def _fresh(self, wanted: str) -> str:
        name = name_tools.fresh(wanted, self._taken)
        self._taken.add(name)
        return name


class _Rows(NumbaRewriter):
    """Puts rows of the copies in the place of columns."""

    def __init__(self, owner: Columns, found: list[cst.Subscript], columns: dict[str, str]) -> None:
        super().__init__(owner.context)
        self._found, self._columns = found, columns

    def leave_Subscript(self, original_node: cst.Subscript, updated_node: cst.Subscript) -> cst.BaseExpression:
        if not any(original_node is one for one in self._found) or not isinstance(original_node.value, cst.Name):
            return updated_node
        rows = self._columns.get(original_node.value.value)
        if rows is None:
            return updated_node
        index = updated_node.slice[1].with_changes(comma=cst.MaybeSentinel.DEFAULT)
        return updated_node.with_changes(value=cst.Name(rows), slice=[index])
