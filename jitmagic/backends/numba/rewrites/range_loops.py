"""Writes `for i in np.arange(n - 1, -1, -1)` as a loop over `range(n - 1, -1, -1)`: the same numbers, and no array."""

from __future__ import annotations

import libcst as cst

from jitmagic.backends.numba.rewrites.context import LoopRewriter


class RangeLoops(LoopRewriter):
    """Rewrites loops over `np.arange` of whole numbers; to Numba their variables are the same in both."""

    def behind_loop(self, original_node: cst.For | cst.While, updated_node: cst.For | cst.While) -> cst.CSTNode:
        """Returns the loop over a range."""
        if not isinstance(original_node, cst.For) or not isinstance(updated_node, cst.For):
            return updated_node
        call, made = original_node.iter, updated_node.iter
        if not isinstance(call, cst.Call) or not isinstance(made, cst.Call) or self.path(call.func) != "numpy.arange":
            return updated_node
        if not 1 <= len(call.args) <= 3 or any(a.keyword is not None or a.star for a in call.args):
            return updated_node
        if "range" in self.module.names or "range" in self.own_names:
            return updated_node
        if not all(self.is_whole(a.value) for a in call.args):
            return updated_node
        return updated_node.with_changes(iter=made.with_changes(func=cst.Name("range")))
