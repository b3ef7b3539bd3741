"""Makes empty lists one by one: `a, b = [], []` becomes `a = []` and `b = []`.

Numba holds what an assignment to several names hands over in one tuple, and gives all empty lists in it one type.
"""

from __future__ import annotations

from typing import Any

import libcst as cst

from jitmagic.backends.numba.rewrites.context import NumbaRewriter
from jitmagic.generate import names as name_tools
from jitmagic.generate.blocks import small


class EmptyLists(NumbaRewriter):
    """Rewrites assignments of several values with an empty list among them."""

    def leave_SimpleStatementLine(
        self, original_node: cst.SimpleStatementLine, updated_node: cst.SimpleStatementLine
    ) -> Any:
        one: Any = small(updated_node)
        if not isinstance(one, cst.Assign) or len(one.targets) != 1 or len(updated_node.body) != 1:
            return updated_node
        target, value = one.targets[0].target, one.value
        if not isinstance(target, cst.Tuple | cst.List) or not isinstance(value, cst.Tuple | cst.List):
            return updated_node
        names: list[Any] = [element.value for element in target.elements]
        values = [element.value for element in value.elements]
        bound = {name.value for name in names if isinstance(name, cst.Name)}
        plain = len(names) == len(values) == len(bound) and not any(
            isinstance(e, cst.StarredElement) for e in (*target.elements, *value.elements)
        )
        empty = any(isinstance(v, cst.List) and not v.elements for v in values)
        # a value that reads one of the names must be evaluated before it is bound
        if not plain or not empty or bound & name_tools.loads(value):
            return updated_node
        lines = []
        for position, (name, given) in enumerate(zip(names, values, strict=True)):
            line = updated_node.with_changes(
                body=[cst.Assign([cst.AssignTarget(name)], given)],
                leading_lines=updated_node.leading_lines if position == 0 else (),
            )
            self.module.inherit(line, original_node)
            self.module.inherit(line.body[0], original_node.body[0])
            lines.append(line)
        return cst.FlattenSentinel(lines)
