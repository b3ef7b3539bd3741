"""Writes stores of `np.arange` into a row, a column or a vector as loops in their place.

`D[:, 0] = np.arange(m + 1)*gap` begins a table of distances; making the array, the view and the store of one in the
other takes Numba longer to compile than all of the table's loops.
"""

from __future__ import annotations

from typing import Any

import libcst as cst

from jitmagic.backends.numba.rewrites.context import Context, LoopRewriter, code
from jitmagic.generate import names as name_tools
from jitmagic.generate.blocks import made
from jitmagic.observe.facts import ValueFact

_DTYPES = frozenset({("int64", "int64"), ("int64", "float64"), ("float64", "float64")})
"""What may be stored in what without another value."""

_UNFIT = '"operands could not be broadcast together"'


class Ramps(LoopRewriter):
    """Rewrites `x[:, 0] = np.arange(n)` as `for k in range(x.shape[0]): x[k, 0] = k`."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._names: set[str] = set()

    def visit_FunctionDef(self, node: cst.FunctionDef) -> None:
        super().visit_FunctionDef(node)
        if len(self.functions) == 1:
            self._names = set(name_tools.all_names(node))

    def leave_SimpleStatementLine(self, original_node: cst.SimpleStatementLine, updated_node: Any) -> Any:
        one, old = updated_node.body[0], original_node.body[0]
        if len(updated_node.body) != 1 or not isinstance(one, cst.Assign) or not isinstance(old, cst.Assign):
            return updated_node
        looped = any(isinstance(loop, cst.For) for loop in self.loops)  # a step that runs in parallel may not raise
        texts = self._texts(old) if len(one.targets) == 1 and self.functions and not looped else None
        if texts is None:
            return updated_node
        statements = [made(text, updated_node) for text in texts]
        statements[0] = statements[0].with_changes(leading_lines=updated_node.leading_lines)
        return cst.FlattenSentinel(statements)

    def _texts(self, one: cst.Assign) -> list[str] | None:
        """Returns the check and the loop; None for any other statement."""
        target = one.targets[0].target
        if not isinstance(target, cst.Subscript) or not isinstance(target.value, cst.Name):
            return None
        base, value = self.fact(target.value), self.fact(one.value)
        if base is None or value is None or base.kind != "array" or len(value.shape or ()) != 1:
            return None
        index = next((letter for letter in "klmnpq" if letter not in self._names), None)
        axis = self._axis(target, base)
        if index is None or axis is None or (value.dtype, base.dtype) not in _DTYPES:
            return None
        found = self._ramp(one.value, index)
        if found is None or target.value.value in name_tools.loads(one.value):
            return None
        length, element = found
        parts = [code(e.slice).strip() for e in target.slice]
        parts[axis] = index
        whole = f"{target.value.value}.shape[{axis}]"
        return [
            f"if {whole} != {length}:\n    raise ValueError({_UNFIT})\n",
            f"for {index} in range({whole}):\n    {target.value.value}[{', '.join(parts)}] = {element}\n",
        ]

    def _axis(self, target: cst.Subscript, base: ValueFact) -> int | None:
        """Returns the axis of the one full slice in a subscript, beside plain numbers."""
        found = None
        if len(target.slice) != len(base.shape or ()):
            return None
        for k, element in enumerate(target.slice):
            part = element.slice
            if isinstance(part, cst.Slice):
                if found is not None or part.lower is not None or part.upper is not None or part.step is not None:
                    return None
                found = k
            elif not isinstance(part, cst.Index) or not self._is_whole(part.value):
                return None
        return found

    def _ramp(self, node: cst.BaseExpression, index: str) -> tuple[str, str] | None:
        """Returns the length and the element of `np.arange(n)` and of its product with a number."""
        if isinstance(node, cst.Call) and self.path(node.func) == "numpy.arange" and len(node.args) == 1:
            length = node.args[0]
            if length.keyword is None and not length.star and self._is_whole(length.value):
                return code(length.value), index
        if isinstance(node, cst.UnaryOperation) and isinstance(node.operator, cst.Minus):
            inner = self._ramp(node.expression, index)
            return None if inner is None or inner[1] != index else (inner[0], f"-{index}")
        if isinstance(node, cst.BinaryOperation) and isinstance(node.operator, cst.Multiply):
            for ramp, factor in ((node.left, node.right), (node.right, node.left)):
                inner = self._ramp(ramp, index)
                if inner is not None and inner[1] in (index, f"-{index}") and self._is_number(factor):
                    first, second = (inner[1], code(factor)) if ramp is node.left else (code(factor), inner[1])
                    return inner[0], f"{first}*{second}" if not second.startswith("-") else f"{first}*({second})"
        return None

    def _is_whole(self, node: cst.BaseExpression) -> bool:
        """Says whether a node is a whole number that can be written again: of names and numbers."""
        if isinstance(node, cst.BinaryOperation):
            return self._is_whole(node.left) and self._is_whole(node.right)
        if isinstance(node, cst.UnaryOperation):
            return isinstance(node.operator, cst.Minus) and self._is_whole(node.expression)
        if isinstance(node, cst.Call):
            one = node.args[0].value if len(node.args) == 1 else None
            return code(node.func) == "len" and isinstance(one, cst.Name) and self.is_array(one)
        fact = self.fact(node)
        return isinstance(node, cst.Integer) or (
            isinstance(node, cst.Name) and fact is not None and fact.kind == "int"
        )  # fmt: skip

    def _is_number(self, node: cst.BaseExpression) -> bool:
        if isinstance(node, cst.UnaryOperation):
            return isinstance(node.operator, cst.Minus) and self._is_number(node.expression)
        fact = self.fact(node)
        return isinstance(node, cst.Integer | cst.Float) or (
            isinstance(node, cst.Name) and fact is not None and fact.kind in ("int", "float")
        )  # fmt: skip
