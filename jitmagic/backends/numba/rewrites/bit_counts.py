"""Counts the ones of a binary numeral in a loop over them: Numba has no `bin`, and no `bit_count`."""

from __future__ import annotations

import libcst as cst

from jitmagic.backends.numba.rewrites.context import NumbaRewriter
from jitmagic.generate.bit_counts import counted

_ONES = """
@njit
def {name}(number):
    # as bin(number).count("1"); unsigned, since Numba takes an unsigned number less a signed one for a float
    left = {np}.uint64(number) if number >= 0 else {np}.uint64(-{np}.int64(number))
    one, count = {np}.uint64(1), 0
    while left:
        left &= left - one
        count += 1
    return count
"""


class BitCounts(NumbaRewriter):
    """Rewrites `bin(x).count("1")`, `f"{x:b}".count("1")` and `x.bit_count()`."""

    def leave_Call(self, original_node: cst.Call, updated_node: cst.Call) -> cst.BaseExpression:
        if counted(original_node) is None:
            return updated_node
        number = counted(updated_node)
        assert number is not None
        return cst.Call(self.context.helper("ones_of", _ONES), [cst.Arg(number.with_changes(lpar=(), rpar=()))])
