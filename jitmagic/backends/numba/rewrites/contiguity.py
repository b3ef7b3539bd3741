"""Makes contiguous what Numba's `reshape` and matrix products want contiguous, and gives products one dtype.

`grid[:, 0].reshape(M, 1)` becomes `np.ascontiguousarray(grid[:, 0]).reshape(M, 1)`: of an array that is contiguous it
makes no copy. Where the result is stored through, a copy would lose the store, so that the call is left as it is and
Numba refuses it.
"""

from __future__ import annotations

from typing import Any

import libcst as cst
import numpy as np

from jitmagic.backends.numba import helpers
from jitmagic.backends.numba.rewrites.context import Context, NumbaRewriter, code, expression
from jitmagic.errors import Unsupported
from jitmagic.generate import names as name_tools
from jitmagic.generate.walking import Finder

_PRODUCTS = ("numpy.dot", "numpy.matmul", "numpy.vdot")

_BATCHED = """
@njit(error_model="numpy")
def {name}(a, b):
    # a @ b over the first axis: Numba multiplies matrices only
    out = {np}.empty((a.shape[0], a.shape[1], b.shape[{last}]), dtype={np}.{dtype})
    for i in range(a.shape[0]):
        out[i] = {np}.ascontiguousarray(a[i]) @ {np}.ascontiguousarray(b{element})
    return out
"""


class Contiguity(NumbaRewriter):
    """Rewrites `reshape` of arrays that may be strided, and products of matrices of two dtypes, integers or batches."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._stored: list[frozenset[str]] = []
        self._into: list[cst.BaseExpression] = []

    def visit_FunctionDef(self, node: cst.FunctionDef) -> None:
        super().visit_FunctionDef(node)
        finder = _StoredThrough()
        node.body.visit(finder)
        self._stored.append(frozenset(finder.names))

    def leave_FunctionDef(self, original_node: cst.FunctionDef, updated_node: cst.FunctionDef) -> cst.FunctionDef:
        self._stored.pop()
        return super().leave_FunctionDef(original_node, updated_node)

    def visit_Assign(self, node: cst.Assign) -> None:
        for target in node.targets:
            names = set(name_tools.targets(target.target))
            if names & self._stored[-1] if self._stored else False:
                self._into.append(node.value)
            if isinstance(target.target, cst.Subscript):
                self._into.append(target.target.value)

    def visit_AugAssign(self, node: cst.AugAssign) -> None:
        self._into.append(node.target.value if isinstance(node.target, cst.Subscript) else node.target)

    def leave_Call(self, original_node: cst.Call, updated_node: cst.Call) -> cst.BaseExpression:
        path = self.path(original_node.func)
        if path in _PRODUCTS and len(updated_node.args) == 2 and all(a.keyword is None for a in updated_node.args):
            return self._product(
                original_node, [a.value for a in original_node.args], [a.value for a in updated_node.args], updated_node
            )
        func, new = original_node.func, updated_node.func
        if path is None and isinstance(func, cst.Attribute) and isinstance(new, cst.Attribute):
            owner = self.fact(func.value)
            if owner is None or owner.kind != "array":
                return updated_node
            if func.attr.value == "dot" and len(updated_node.args) == 1:
                old = [func.value, original_node.args[0].value]
                return self._product(original_node, old, [new.value, updated_node.args[0].value], updated_node)
            if func.attr.value == "reshape" and self._strided(func.value) and not self._is_stored(original_node):
                return updated_node.with_changes(func=new.with_changes(value=self._contiguous(new.value)))
        if path == "numpy.reshape" and original_node.args and not self._is_stored(original_node):
            first = updated_node.args[0]
            if self._strided(original_node.args[0].value):
                first = first.with_changes(value=self._contiguous(first.value))
            return updated_node.with_changes(args=[first, *updated_node.args[1:]])
        return updated_node

    def leave_BinaryOperation(
        self, original_node: cst.BinaryOperation, updated_node: cst.BinaryOperation
    ) -> cst.BaseExpression:
        if not isinstance(original_node.operator, cst.MatrixMultiply):
            return updated_node
        return self._product(
            original_node, [original_node.left, original_node.right], [updated_node.left, updated_node.right],
            updated_node,
        )  # fmt: skip

    # reshape

    def _contiguous(self, node: cst.BaseExpression) -> cst.BaseExpression:
        return expression(f"{self.context.imports.code('numpy.ascontiguousarray')}({{x}})", x=self.context.bare(node))

    def _strided(self, node: cst.BaseExpression) -> bool:
        """Says whether Numba may take an array for strided: seen so, or cut by slices, or transposed."""
        fact = self.fact(node)
        if fact is None or fact.kind != "array" or fact.ndim == 0:
            return False
        if fact.contiguous is not True:
            return True
        if isinstance(node, cst.Subscript):
            return any(isinstance(e.slice, cst.Slice) for e in node.slice)
        return isinstance(node, cst.Attribute) and node.attr.value in ("T", "real", "imag")

    def _is_stored(self, node: cst.BaseExpression) -> bool:
        return any(node is into for into in self._into)

    # products

    def _product(
        self, original: cst.BaseExpression, old: list[cst.BaseExpression], new: list[cst.BaseExpression],
        updated: cst.BaseExpression,
    ) -> cst.BaseExpression:  # fmt: skip
        facts = [self.fact(node) for node in old]
        result = self.fact(original)
        left, right = facts
        if not (left and left.kind == "array" and left.dtype and left.ndim and result):
            return updated
        if not (right and right.kind == "array" and right.dtype and right.ndim):
            return updated
        dtype = result.dtype or {"int": "int64", "float": "float64", "complex": "complex128"}.get(result.kind)
        if dtype is None:
            return updated
        if left.ndim > 2 or right.ndim > 2:
            return self._batched(original, left.ndim, right.ndim, dtype, self._cast(new, facts, dtype), updated)
        if left.dtype == right.dtype and np.dtype(left.dtype).kind in "fc":
            return updated
        if np.dtype(dtype).kind in "fc":
            first, second = self._cast(new, facts, dtype)
            return expression("{a} @ {b}", a=self.context.operand(first), b=self.context.operand(second))
        if np.dtype(dtype).kind in "biu" and (path := self._operation(original)) is not None:
            helper = self.context.helper(path, helpers.product(left.ndim, right.ndim, dtype))
            first, second = self.context.bare(new[0]), self.context.bare(new[1])
            return expression(f"{code(helper)}({{a}}, {{b}})", a=first, b=second)
        line = self.module.line(original)
        raise Unsupported(
            f"line {line}: Numba multiplies matrices of floats only: use `.astype(np.float64)`", line, "NB-F32LINALG"
        )

    def _operation(self, original: cst.BaseExpression) -> str | None:
        """Returns what a product of integers is called, None for one that is conjugated or of scalars."""
        path = self.path(original.func) if isinstance(original, cst.Call) else None
        return None if path == "numpy.vdot" else "integer_product"

    def _cast(self, new: list[cst.BaseExpression], facts: list[Any], dtype: str) -> list[cst.BaseExpression]:
        kind = self.context.imports.code(f"numpy.{dtype}")
        return [
            node if fact.dtype == dtype else expression(f"{{x}}.astype({kind})", x=self.context.operand(node))
            for node, fact in zip(new, facts, strict=True)
        ]

    def _batched(
        self, original: cst.BaseExpression, left: int, right: int, dtype: str, new: list[cst.BaseExpression],
        updated: cst.BaseExpression,
    ) -> cst.BaseExpression:  # fmt: skip
        is_matmul = isinstance(original, cst.BinaryOperation) or (
            isinstance(original, cst.Call) and self.path(original.func) == "numpy.matmul"
        )
        shapes = [self.fact(node) for node in self._operands(original)]
        same = all(f is not None and f.shape is not None for f in shapes) and (
            right == 2 or (shapes[0].shape[0] == shapes[1].shape[0])  # type: ignore[union-attr,index]
        )
        if not is_matmul or left != 3 or right not in (2, 3) or not same or np.dtype(dtype).kind not in "fc":
            line = self.module.line(original)
            raise Unsupported(
                f"line {line}: Numba multiplies matrices of one or two axes, and `{code(original)}` has more: loop "
                "over the first axes",
                line,
                "NB-NOFUNC",
            )
        source = _BATCHED.replace("{dtype}", dtype)
        source = source.replace("{last}", str(right - 1)).replace("{element}", "[i]" if right == 3 else "")
        helper = self.context.helper("matmul" if right == 3 else "matmul_by_one", source)
        return expression(f"{code(helper)}({{a}}, {{b}})", a=self.context.bare(new[0]), b=self.context.bare(new[1]))

    def _operands(self, original: cst.BaseExpression) -> list[cst.BaseExpression]:
        if isinstance(original, cst.BinaryOperation):
            return [original.left, original.right]
        assert isinstance(original, cst.Call)
        return [a.value for a in original.args]


class _StoredThrough(Finder):
    """Collects the names that are stored into: by index, in place, or as `out=`."""

    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()

    def visit_AssignTarget(self, node: cst.AssignTarget) -> None:
        self._target(node.target)

    def visit_AugAssign(self, node: cst.AugAssign) -> None:
        self._target(node.target)
        if isinstance(node.target, cst.Name):
            self.names.add(node.target.value)

    def visit_Arg(self, node: cst.Arg) -> None:
        if node.keyword is not None and node.keyword.value == "out":
            self._target(cst.Subscript(node.value, [cst.SubscriptElement(cst.Index(cst.Ellipsis()))]))

    def _target(self, node: cst.BaseExpression) -> None:
        inside = False
        while isinstance(node, cst.Subscript | cst.Attribute):
            inside, node = True, node.value
        if inside and isinstance(node, cst.Name):
            self.names.add(node.value)
