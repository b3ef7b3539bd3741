"""Writes `np.unravel_index` and reads by `np.ix_`, which Numba lacks.

```
i, j = np.unravel_index(np.argmin(d), d.shape)   ->   i, j = indices_of(np.argmin(d), d.shape)
block = d[np.ix_(rows, columns)]                 ->   block = d[rows][:, columns]
```

`indices_of` is a function of whole divisions that the draft carries. Numba takes one array of indices in a subscript:
two one after the other make the same copy, and the first of them is of whole rows.
"""

from __future__ import annotations

import libcst as cst
import numpy as np

from jitmagic.backends.numba.rewrites.context import Context, NumbaRewriter, expression
from jitmagic.generate.walking import nodes_of
from jitmagic.observe.facts import ValueFact

_MOST_AXES = 4


class Places(NumbaRewriter):
    """Rewrites the place of a number in an array, and what lies at crossings of rows and columns."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._stored: set[cst.CSTNode] = set()

    def visit_AssignTarget(self, node: cst.AssignTarget) -> None:
        self._stored.update(nodes_of(node.target, cst.Subscript))

    def visit_AugAssign(self, node: cst.AugAssign) -> None:
        self._stored.update(nodes_of(node.target, cst.Subscript))

    def visit_Del(self, node: cst.Del) -> bool:
        return False

    def leave_Call(self, original_node: cst.Call, updated_node: cst.Call) -> cst.BaseExpression:
        args = updated_node.args
        if self.path(original_node.func) != "numpy.unravel_index" or len(args) != 2:
            return updated_node
        if any(a.star for a in args) or args[0].keyword or (args[1].keyword and args[1].keyword.value != "shape"):
            return updated_node
        place, shape = (self.fact(a.value) for a in original_node.args)
        axes = len(shape.items) if shape is not None and shape.kind == "tuple" else 0
        if not _is_whole(place) or not 1 <= axes <= _MOST_AXES:
            return updated_node
        helper = self.context.helper("indices_of", _source(axes))
        return cst.Call(helper, [cst.Arg(self.context.bare(a.value)) for a in args])

    def leave_Subscript(self, original_node: cst.Subscript, updated_node: cst.Subscript) -> cst.BaseExpression:
        if original_node in self._stored or len(original_node.slice) != 1 or not self.is_array(original_node.value):
            return updated_node
        old, new = original_node.slice[0].slice, updated_node.slice[0].slice
        if not isinstance(old, cst.Index) or not isinstance(new, cst.Index):
            return updated_node
        call, made = old.value, new.value
        if not isinstance(call, cst.Call) or not isinstance(made, cst.Call) or self.path(call.func) != "numpy.ix_":
            return updated_node
        fact = self.fact(original_node.value)
        if len(call.args) != 2 or any(a.star or a.keyword for a in call.args) or fact is None or fact.ndim != 2:
            return updated_node
        rows, columns = (
            self._indices(a.value, b.value) for a, b in zip(call.args, made.args, strict=True)
        )  # fmt: skip
        if rows is None or columns is None:
            return updated_node
        return expression(
            "{x}[{rows}][:, {columns}]", x=self.context.operand(updated_node.value), rows=rows, columns=columns
        )

    def _indices(self, old: cst.BaseExpression, new: cst.BaseExpression) -> cst.BaseExpression | None:
        """Returns indices as an array; None where they are neither a list nor an array of whole numbers or of bool."""
        fact = self.fact(old)
        if fact is not None and fact.kind == "array" and fact.ndim == 1 and fact.dtype is not None:
            return self.context.bare(new) if np.dtype(fact.dtype).kind in "iub" else None
        # a list that was of several lengths shows no items: of what is no index Numba makes none either
        if fact is not None and fact.kind == "list" and all(map(_is_whole, fact.items)):
            return cst.Call(self.context.imports.spell("numpy.array"), [cst.Arg(self.context.bare(new))])
        return None


def _is_whole(fact: ValueFact | None) -> bool:
    """Says whether a value was a whole number, and never anything else."""
    if fact is None or fact.kind not in ("int", "scalar"):
        return False
    return fact.kind == "int" or (fact.dtype is not None and np.dtype(fact.dtype).kind in "iu")


def _source(axes: int) -> str:
    """Returns a function that finds a place in an array of so many axes."""
    size = " * ".join(f"shape[{axis}]" for axis in range(axes))
    names = [f"i{axis}" for axis in range(axes)]
    lines = [
        '@njit(error_model="numpy")',
        "def {name}(place, shape):",
        f"    # np.unravel_index of one number, {axes} ax{'e' if axes > 1 else 'i'}s",
        f"    if place < 0 or place >= {size}:",
        '        raise ValueError("index is out of bounds for an array of this shape")',
        f"    {names[-1]} = {{np}}.int64(place)",
    ]
    for axis in range(axes - 1, 0, -1):
        lines.append(f"    {names[axis - 1]}, {names[axis]} = divmod({names[axis]}, shape[{axis}])")
    lines.append(f"    return {', '.join(names)}{',' if axes == 1 else ''}")
    return "\n" + "\n".join(lines) + "\n"
