"""Divides assignments of several arrays at once, so that each can join the loops of the statements around it.

`p, q = np.radians(a), np.radians(b)` becomes two lines, where `np.radians(b)` does not read `p`.
"""

from __future__ import annotations

from typing import Any

import libcst as cst

from jitmagic.backends.numba.rewrites.context import Context
from jitmagic.backends.numba.rewrites.elements import ElementRewriter, is_usable
from jitmagic.generate import names as name_tools
from jitmagic.generate.blocks import on_the_line_of


class Pairs(ElementRewriter):
    """Rewrites `a, b = e, f` as `a = e` and `b = f`, where one of the values is arithmetic on arrays."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._captured: frozenset[str] = frozenset()
        self._tries = 0

    def visit_FunctionDef(self, node: cst.FunctionDef) -> None:
        super().visit_FunctionDef(node)
        if len(self.functions) == 1:
            self._captured = name_tools.captured(node)

    def visit_Try(self, node: cst.Try) -> None:
        self._tries += 1  # what handles an exception may see which names are bound already

    def leave_Try(self, original_node: cst.Try, updated_node: cst.Try) -> cst.Try:
        self._tries -= 1
        return updated_node

    def leave_SimpleStatementLine(self, original_node: cst.SimpleStatementLine, updated_node: Any) -> Any:
        found = self._divided(original_node, updated_node)
        if found is None:
            return updated_node
        lines = []
        for name, value in found:
            line: Any = cst.SimpleStatementLine([cst.Assign([cst.AssignTarget(name)], value)])
            line = on_the_line_of(line, updated_node)
            self.module.inherit(line, original_node)
            lines.append(line)
        lines[0] = lines[0].with_changes(
            leading_lines=updated_node.leading_lines, trailing_whitespace=updated_node.trailing_whitespace
        )
        return cst.FlattenSentinel(lines)

    def _divided(
        self, original: cst.SimpleStatementLine, updated: cst.SimpleStatementLine
    ) -> list[tuple[cst.Name, cst.BaseExpression]] | None:
        """Returns the names and their values in their order; None where they have to be bound at once."""
        old, new = original.body[0], updated.body[0]
        if len(original.body) != 1 or not isinstance(old, cst.Assign) or not isinstance(new, cst.Assign):
            return None
        target, values = new.targets[0].target, new.value
        if len(new.targets) != 1 or not isinstance(target, cst.Tuple) or not isinstance(values, cst.Tuple):
            return None
        if self._tries or not self.functions or not isinstance(old.value, cst.Tuple):
            return None
        names = [one.value for one in target.elements]
        parts = [one.value for one in values.elements if isinstance(one, cst.Element)]
        if len(parts) != len(values.elements) or len(names) != len(parts):
            return None
        if not any(self._is_arithmetic(one.value) for one in old.value.elements):
            return None
        bound: set[str] = set()
        found = []
        for name, part in zip(names, parts, strict=True):
            if not isinstance(name, cst.Name) or name_tools.loads(part) & bound or name.value in self._captured:
                return None
            bound.add(name.value)
            found.append((name, self.context.bare(part)))
        return found

    def _is_arithmetic(self, node: cst.BaseExpression) -> bool:
        fact = self.fact(node)
        if fact is None or not is_usable(fact):
            return False
        return isinstance(node, cst.BinaryOperation | cst.UnaryOperation | cst.Comparison) or (
            isinstance(node, cst.Call) and (self.is_elementwise(node) or self.reduction(node, node) is not None)
        )
