"""Calls `np.diag(x, k)` in a function of its own under `parallel=True`, which takes its size for `np.diag(x)`'s."""

from __future__ import annotations

import libcst as cst

from jitmagic.backends.numba.rewrites.context import NumbaRewriter, code

_SOURCE = """
@njit(error_model="numpy")
def {name}(values, k):
    # np.diag(values, k): here Numba's parallel mode does not reckon with a wrong size
    return {np}.diag(values, k)
"""


class OffsetDiagonals(NumbaRewriter):
    """Rewrites the calls with another diagonal than the main one."""

    def leave_Call(self, original_node: cst.Call, updated_node: cst.Call) -> cst.Call:
        args = updated_node.args
        if self.path(original_node.func) != "numpy.diag" or len(args) != 2 or any(a.star for a in args):
            return updated_node
        named = args[1].keyword is None or args[1].keyword.value == "k"
        if args[0].keyword is not None or not named or code(args[1].value) == "0":
            return updated_node
        given = [args[0], args[1].with_changes(keyword=None, equal=cst.MaybeSentinel.DEFAULT)]
        return updated_node.with_changes(func=self.context.helper("diag_at", _SOURCE), args=given)
