"""Writes `np.apply_along_axis` of a function that gives numbers as a list over rows or columns; Numba has none.

```
np.apply_along_axis(spread, 1, x)                   ->   np.array([spread(row) for row in x])
np.apply_along_axis(lambda r: r.max() - 1, 0, x)    ->   np.array([r.max() - 1 for r in x.T])
```
"""

from __future__ import annotations

from typing import Any

import libcst as cst

from jitmagic.backends.numba.rewrites.context import NumbaRewriter, code
from jitmagic.generate import names as name_tools
from jitmagic.generate.walking import nodes_of


class AlongAxes(NumbaRewriter):
    """Rewrites calls on arrays of two axes."""

    def leave_Call(self, original_node: cst.Call, updated_node: cst.Call) -> cst.BaseExpression:
        if self.path(original_node.func) != "numpy.apply_along_axis" or len(updated_node.args) < 3:
            return updated_node
        if any(a.star or a.keyword for a in updated_node.args) or not self.functions:
            return updated_node
        func, axis, array, *more = (a.value for a in updated_node.args)
        given, result = self.fact(original_node.args[2].value), self.fact(original_node)
        number = code(axis).replace(" ", "")
        if given is None or given.kind != "array" or given.ndim != 2 or number not in ("0", "1", "-1", "-2"):
            return updated_node
        if result is None or result.kind != "array" or result.ndim != 1 or result.dtype not in ("float64", "int64"):
            return updated_node
        made = self._step(func, more)
        if made is None:
            return updated_node
        name, element = made
        operand = self.context.operand(array)
        rows: Any = operand if number in ("1", "-1") else cst.Attribute(operand, cst.Name("T"))
        loop = cst.CompFor(cst.Name(name), rows)
        return cst.Call(self.context.imports.spell("numpy.array"), [cst.Arg(cst.ListComp(element, loop))])

    def _step(self, func: cst.BaseExpression, more: list[cst.BaseExpression]) -> tuple[str, cst.BaseExpression] | None:
        """Returns a name for a row, and what is computed of it."""
        if isinstance(func, cst.Lambda):
            given = func.params.params
            name = given[0].name.value if given else ""
            single = list(name_tools.parameters(func)) == [name] and given[0].default is None
            # the name of the row would be bound around the expression where the function's variables are
            if more or not single or name in self._locals[-1] or nodes_of(func.body, cst.Lambda):
                return None
            return name, func.body
        path = self.path(func)
        own = isinstance(func, cst.Name) and path is None
        if not own and not (path or "").startswith("numpy."):
            return None
        taken = set(name_tools.all_names(self.module.tree))
        name = name_tools.fresh("row", taken)
        comma = cst.Comma(whitespace_after=cst.SimpleWhitespace(" "))
        args = [cst.Arg(cst.Name(name)), *(cst.Arg(self.context.bare(one)) for one in more)]
        args[:-1] = [a.with_changes(comma=comma) for a in args[:-1]]
        return name, cst.Call(func, args)
