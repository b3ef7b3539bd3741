"""Writes `if v < a[i, j]: a[i, j] = v` in an innermost loop as a choice: `a[i, j] = v if v < a[i, j] else a[i, j]`.

A store under a condition keeps the compiler from working on several elements at once. The element is read by the
condition, so that it is there to be written; and each step writes its own, so that none waits for another.
"""

from __future__ import annotations

from collections.abc import Sequence

import libcst as cst

from jitmagic.backends.numba.rewrites.context import Context, LoopRewriter, code
from jitmagic.generate import names as name_tools
from jitmagic.generate.blocks import small, statements
from jitmagic.generate.walking import nodes_of
from jitmagic.observe.facts import Span

_WEAK = {"float": ("float64",), "int": ("int64", "float64"), "bool": ("bool",)}
"""The dtypes of arrays that take a Python number as it is."""

_NOT_ALWAYS: tuple[type[cst.CSTNode], ...] = (cst.IfExp, cst.BooleanOperation, cst.Lambda, cst.NamedExpr, cst.Call)
"""What may leave a part of a condition out, or do something of its own."""


class Selects(LoopRewriter):
    """Rewrites single stores under a comparison in innermost loops.

    Parameters
    ----------
    context : Context
    spans : tuple of Span
        Loops that run in parallel: there another step may write the element in the meantime.
    """

    def __init__(self, context: Context, spans: Sequence[Span]) -> None:
        super().__init__(context)
        self._spans = spans

    def leave_If(self, original_node: cst.If, updated_node: cst.If) -> cst.BaseStatement:
        if not self._is_choice(original_node):
            return updated_node
        store = statements(updated_node)[0]
        one = small(store)
        assert isinstance(one, cst.Assign)
        place = one.targets[0].target
        chosen = cst.IfExp(test=self.context.bare(updated_node.test), body=one.value, orelse=place)
        made = store.with_changes(
            body=[one.with_changes(value=chosen)],
            leading_lines=[*updated_node.leading_lines, *store.leading_lines],
        )
        self.module.inherit(made, original_node)
        return made

    def _is_choice(self, node: cst.If) -> bool:
        body = statements(node)
        loop = self.loops[-1] if self.loops else None
        if node.orelse is not None or len(body) != 1 or not isinstance(loop, cst.For) or not self._is_innermost(loop):
            return False
        one = small(body[0])
        if not isinstance(one, cst.Assign) or len(one.targets) != 1 or not isinstance(node.test, cst.Comparison):
            return False
        place = one.targets[0].target
        if not isinstance(place, cst.Subscript) or len(node.test.comparisons) != 1:
            return False
        text = code(place)
        read = next((one for one in nodes_of(node.test, cst.Subscript) if code(one) == text), None)
        if read is None or not self._is_own(read, loop):
            return False
        if any(nodes_of(node.test, kind) for kind in _NOT_ALWAYS):
            return False
        base, value = self.fact(read.value), self.fact(one.value)  # the store itself may not have been come to
        if base is None or value is None or base.kind != "array" or base.dtype is None:
            return False
        return base.dtype == value.dtype if value.kind == "scalar" else base.dtype in _WEAK.get(value.kind, ())

    def _is_innermost(self, loop: cst.For) -> bool:
        if any(nodes_of(loop.body, kind) for kind in (cst.For, cst.While, cst.Try, cst.With)):
            return False
        place = self.context.place(loop)
        return place is not None and not any(s.line <= place.line and place.end_line <= s.end_line for s in self._spans)

    def _is_own(self, place: cst.Subscript, loop: cst.For) -> bool:
        """Says whether each step of a loop has an element of its own there, beside those of its neighbours."""
        if not isinstance(place.value, cst.Name) or not isinstance(loop.target, cst.Name):
            return False
        parts = [element.slice for element in place.slice]
        if not all(isinstance(part, cst.Index) for part in parts):
            return False
        fact = self.fact(place.value)
        if fact is None or fact.ndim != len(parts):
            return False
        index = loop.target.value
        *others, last = [part.value for part in parts if isinstance(part, cst.Index)]
        if any(index in name_tools.loads(one) for one in others) or nodes_of(place, cst.Call):
            return False
        if isinstance(last, cst.BinaryOperation) and isinstance(last.operator, cst.Add | cst.Subtract):
            return code(last.left) == index and isinstance(last.right, cst.Integer)
        return code(last) == index
