"""Writes `x.tolist()` of a vector as `list(x)`, which Numba knows: the same numbers, where they have 64 bits."""

from __future__ import annotations

import libcst as cst

from jitmagic.backends.numba.rewrites.context import NumbaRewriter

_SAME = frozenset({"float64", "int64", "bool", "complex128"})
"""The dtypes whose elements Numba computes with as Python does with its own numbers."""


class ToLists(NumbaRewriter):
    """Rewrites calls of the method."""

    def leave_Call(self, original_node: cst.Call, updated_node: cst.Call) -> cst.Call:
        func, made = original_node.func, updated_node.func
        if not isinstance(func, cst.Attribute) or func.attr.value != "tolist" or updated_node.args:
            return updated_node
        fact = self.fact(func.value)
        vector = fact is not None and fact.kind == "array" and fact.ndim == 1 and fact.dtype in _SAME
        if not vector or "list" in self.own_names or "list" in self.module.names or not isinstance(made, cst.Attribute):
            return updated_node
        return cst.Call(cst.Name("list"), [cst.Arg(self.context.bare(made.value))])
