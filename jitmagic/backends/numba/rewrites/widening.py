"""Refuses `parallel=True` where fused array expressions would widen small integers: `np.abs(a - b)` of uint8.

Numba's parallel mode computes array expressions element by element, and its scalars widen to 64 bits (NB-INTWIDE): the
difference does not wrap before the next operation sees it. Sums, differences and products that go straight
into an array or out of the function are cut there and come out right.
"""

from __future__ import annotations

import libcst as cst

from jitmagic.backends.numba.rewrites.context import Context, NumbaRewriter, code
from jitmagic.errors import Unsupported

_SMALL = frozenset({"int8", "int16", "int32", "uint8", "uint16", "uint32"})
_RING = (cst.Add, cst.Subtract, cst.Multiply)


class Widening(NumbaRewriter):
    """Raises `Unsupported`; rewrites nothing.

    Parameters
    ----------
    context : Context
    functions : frozenset of str
        Those compiled with ``parallel=True``.
    """

    def __init__(self, context: Context, functions: frozenset[str]) -> None:
        super().__init__(context)
        self._parallel = functions
        self._cut: set[cst.CSTNode] = set()

    def visit_Return(self, node: cst.Return) -> None:
        values = [e.value for e in node.value.elements] if isinstance(node.value, cst.Tuple) else [node.value]
        for value in values:
            if value is not None:
                self._mark(value)

    def visit_Assign(self, node: cst.Assign) -> None:
        if all(isinstance(target.target, cst.Subscript) for target in node.targets):
            self._mark(node.value)

    def _mark(self, node: cst.BaseExpression) -> None:
        if isinstance(node, cst.BinaryOperation) and isinstance(node.operator, _RING):
            self._cut.add(node)
            self._mark(node.left)
            self._mark(node.right)

    def leave_BinaryOperation(
        self, original_node: cst.BinaryOperation, updated_node: cst.BinaryOperation
    ) -> cst.BaseExpression:
        fact = self.fact(original_node)
        concerned = bool(self.functions) and self.functions[0].name.value in self._parallel
        small = fact is not None and fact.kind == "array" and fact.dtype in _SMALL
        bits = isinstance(original_node.operator, cst.BitAnd | cst.BitOr | cst.BitXor)
        if concerned and small and not bits and original_node not in self._cut:
            line = self.module.line(original_node)
            assert fact is not None
            raise Unsupported(
                f"line {line}: `{code(original_node)}` is {fact.dtype} in NumPy and 64 bits wide in Numba's "
                "parallel mode",
                line,
                "NB-INTWIDE",
            )
        return updated_node
