"""Writes products of small matrices that are made over and over as loops: a call of BLAS takes longer than they do.

`P = F @ P @ F.T + Q` of a filter with two states is some twenty sums, and each `@` hundreds of nanoseconds.
"""

from __future__ import annotations

import libcst as cst

from jitmagic.backends.numba.nests.builder import NOTE
from jitmagic.backends.numba.rewrites.context import NumbaRewriter
from jitmagic.backends.numba.rewrites.elements import is_usable
from jitmagic.observe.facts import ValueFact

_SMALL = 8
"""The longest axis of a small matrix."""

_OFTEN = 4
"""How often a product has to have been looked at: of the steps of a loop ever fewer are."""

_NAMES = {(2, 2): "matrix_product", (2, 1): "matrix_vector_product", (1, 2): "vector_matrix_product"}
_LOOPS = {
    (2, 2): """
    out = {np}.zeros((a.shape[0], b.shape[1]), dtype={np}.{dtype})
    for i in range(a.shape[0]):
        for k in range(b.shape[0]):
            # row by row, so that larger matrices keep the processor's vectors busy
            for j in range(b.shape[1]):
                out[i, j] += a[i, k] * b[k, j]
    return out
""",
    (2, 1): """
    out = {np}.empty(a.shape[0], dtype={np}.{dtype})
    for i in range(a.shape[0]):
        total = {np}.{dtype}(0)
        for k in range(b.shape[0]):
            total += a[i, k] * b[k]
        out[i] = total
    return out
""",
    (1, 2): """
    out = {np}.zeros(b.shape[1], dtype={np}.{dtype})
    for k in range(b.shape[0]):
        for j in range(b.shape[1]):
            out[j] += a[k] * b[k, j]
    return out
""",
}


def source(left: int, right: int, dtype: str) -> str:
    """Returns the source of `a @ b` for arrays of so many axes.

    >>> "total += a[i, k] * b[k]" in source(2, 1, "float64")
    True
    """
    head = f"""
@njit(error_model="numpy")
def {{name}}(a, b):
    # a @ b of small matrices, without BLAS
    if a.shape[{left - 1}] != b.shape[0]:
        raise ValueError("shapes not aligned")"""
    return head + _LOOPS[left, right].replace("{dtype}", dtype)


class SmallMatrices(NumbaRewriter):
    """Rewrites `a @ b` and `np.dot(a, b)` of small matrices, and of one and a vector, where they are made often."""

    def leave_BinaryOperation(
        self, original_node: cst.BinaryOperation, updated_node: cst.BinaryOperation
    ) -> cst.BaseExpression:
        if not isinstance(original_node.operator, cst.MatrixMultiply):
            return updated_node
        old, new = original_node, updated_node
        return self._product(old, (old.left, old.right), (new.left, new.right)) or updated_node

    def leave_Call(self, original_node: cst.Call, updated_node: cst.Call) -> cst.BaseExpression:
        if any(a.keyword is not None or a.star for a in original_node.args):
            return updated_node
        old, new = [a.value for a in original_node.args], [a.value for a in updated_node.args]
        func, called = original_node.func, updated_node.func
        if self.path(func) in ("numpy.dot", "numpy.matmul") and len(old) == 2:
            return self._product(original_node, (old[0], old[1]), (new[0], new[1])) or updated_node
        method = isinstance(func, cst.Attribute) and func.attr.value == "dot" and self.path(func) is None
        if method and isinstance(func, cst.Attribute) and isinstance(called, cst.Attribute) and len(old) == 1:
            return self._product(original_node, (func.value, old[0]), (called.value, new[0])) or updated_node
        return updated_node

    def _product(
        self,
        node: cst.BaseExpression,
        old: tuple[cst.BaseExpression, cst.BaseExpression],
        new: tuple[cst.BaseExpression, cst.BaseExpression],
    ) -> cst.BaseExpression | None:
        left, right, result = self.fact(old[0]), self.fact(old[1]), self.fact(node)
        if left is None or right is None or result is None or result.count < _OFTEN:
            return None
        if not _is_small(left) or not _is_small(right) or left.dtype != right.dtype:
            return None
        ndims = len(left.shape or ()), len(right.shape or ())
        if ndims not in _NAMES or left.dtype not in ("float64", "complex128"):
            return None
        self.context.note(NOTE)
        helper = self.context.helper(_NAMES[ndims], source(*ndims, left.dtype))
        return cst.Call(helper, [cst.Arg(self.context.bare(one)) for one in new])


def _is_small(fact: ValueFact) -> bool:
    return is_usable(fact) and all(length is not None and length <= _SMALL for length in fact.shape or ())
