"""Products of a matrix and a vector, `W @ x`, where the matrix is made element by element: a sum in the nest.

For a library's product the whole matrix of `np.exp(-d2) @ x` is written into memory and read again; in the nest each of
its elements is a number. A matrix that is there already is left to the library.
"""

from __future__ import annotations

from dataclasses import replace

import libcst as cst
import numpy as np

from jitmagic.backends.numba.rewrites.elements import ElementRewriter, is_usable

_PRODUCTS = frozenset({"numpy.dot", "numpy.matmul"})


def factors(owner: ElementRewriter, node: cst.CSTNode) -> tuple[cst.BaseExpression, cst.BaseExpression] | None:
    """Returns the matrix and the vector of a product of numbers that are no integers; None for anything else."""
    if isinstance(node, cst.BinaryOperation) and isinstance(node.operator, cst.MatrixMultiply):
        left, right = node.left, node.right
    elif isinstance(node, cst.Call) and not any(a.keyword is not None or a.star for a in node.args):
        values = [a.value for a in node.args]
        func, path = node.func, owner.path(node.func)
        if path in _PRODUCTS and len(values) == 2:
            left, right = values
        elif path is None and isinstance(func, cst.Attribute) and func.attr.value == "dot" and len(values) == 1:
            left, right = func.value, values[0]
        else:
            return None
    else:
        return None
    matrix, vector, result = owner.fact(left), owner.fact(right), owner.fact(node)
    if matrix is None or vector is None or result is None or not all(map(is_usable, (matrix, vector, result))):
        return None
    lengths = (*(matrix.shape or ()), *(vector.shape or ()))
    if len(matrix.shape or ()) != 2 or len(vector.shape or ()) != 1 or 1 in lengths:
        return None
    return (left, right) if np.dtype(result.dtype).kind in "fc" else None


def product(owner: ElementRewriter, node: cst.BaseExpression) -> cst.BinaryOperation:
    """Returns what a product adds up along the matrix's last axis: `W * x`, with what is known of it."""
    found = factors(owner, node)
    assert found is not None
    matrix, result = owner.fact(found[0]), owner.fact(node)
    assert matrix is not None
    assert result is not None
    made = cst.BinaryOperation(found[0], cst.Multiply(), found[1])
    owner.module.learn(made, replace(matrix, dtype=result.dtype))
    return made
