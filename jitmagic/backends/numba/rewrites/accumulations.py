"""Writes `np.maximum.accumulate` and `np.minimum.accumulate` of one axis as a loop: Numba's ufuncs have no methods."""

from __future__ import annotations

import libcst as cst
import numpy as np

from jitmagic.backends.numba.rewrites.context import NumbaRewriter

_SIGNS = {"numpy.maximum.accumulate": ">", "numpy.minimum.accumulate": "<"}

_ACCUMULATE = """
@njit(error_model="numpy")
def {name}(x):
    # np.{ufunc}.accumulate of one axis: what is not a number stays
    out = {np}.empty_like(x)
    if x.size == 0:
        return out
    last = x[0]
    for i in range(x.size):
        if x[i] {sign} last or x[i] != x[i]:
            last = x[i]
        out[i] = last
    return out
"""


class Accumulations(NumbaRewriter):
    """Rewrites what no loop nest has taken in."""

    def leave_Call(self, original_node: cst.Call, updated_node: cst.Call) -> cst.BaseExpression:
        path = self.path(original_node.func) or ""
        if path not in _SIGNS or len(updated_node.args) != 1:
            return updated_node
        given = updated_node.args[0]
        fact = self.fact(original_node.args[0].value)
        if given.keyword is not None or given.star or fact is None or fact.kind != "array" or fact.ndim != 1:
            return updated_node
        if np.dtype(fact.dtype).kind not in "biuf":
            return updated_node
        ufunc = path.split(".")[1]
        source = _ACCUMULATE.replace("{ufunc}", ufunc).replace("{sign}", _SIGNS[path])
        return updated_node.with_changes(func=self.context.helper(f"{ufunc}_accumulate", source))
