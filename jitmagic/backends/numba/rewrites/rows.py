"""Writes stores of tuples and lists of numbers into arrays: `out[0] = t, n` becomes `store_row(out[0], (t, n))`.

Numba stores a tuple only if all its values have one type, and no list of lists. The function that is called stores one
value after the other, each cast to the array's dtype as NumPy casts it, and refuses another number of places as NumPy
does. `x += [1, 2]` becomes `x += np.array([1, 2])`.
"""

from __future__ import annotations

import libcst as cst
import numpy as np

from jitmagic.backends.numba.rewrites.context import NumbaRewriter, expression
from jitmagic.observe.facts import ValueFact

_NUMBERS = frozenset({"int", "float", "bool", "complex", "scalar"})
_MANY = 32
"""Values up to which stores are written out one by one."""


class Rows(NumbaRewriter):
    """Rewrites stores of sequences of numbers into parts of arrays."""

    def leave_Assign(self, original_node: cst.Assign, updated_node: cst.Assign) -> cst.BaseSmallStatement:
        if len(original_node.targets) != 1:
            return updated_node
        target, place = original_node.targets[0].target, updated_node.targets[0].target
        if not isinstance(target, cst.Subscript) or not isinstance(place, cst.Subscript):
            return updated_node
        ndim = self._axes(target)
        shape = self._nest(original_node.value)
        if not ndim or shape is None:
            return updated_node
        if shape == (1,) and ndim == 1 and isinstance(updated_node.value, cst.Tuple | cst.List):
            # NumPy stretches a single value over the row
            return updated_node.with_changes(value=updated_node.value.elements[0].value)
        if len(shape) == ndim == 1 and self._alike(original_node.value):
            return updated_node  # Numba does this by itself
        if len(shape) != ndim or 1 in shape or np.prod(shape) > _MANY:
            return updated_node
        helper = self.context.helper("store_row" if ndim == 1 else "store_block", _source(shape))
        values = self.context.bare(_tuples(updated_node.value))
        if isinstance(values, cst.Tuple):
            values = values.with_changes(lpar=[cst.LeftParen()], rpar=[cst.RightParen()])
        return cst.Expr(cst.Call(helper, [cst.Arg(place), cst.Arg(values)]))

    def leave_AugAssign(self, original_node: cst.AugAssign, updated_node: cst.AugAssign) -> cst.AugAssign:
        """Writes `x += [1, 0]` as `x += np.array([1, 0])`."""
        target = original_node.target
        array = self._axes(target) if isinstance(target, cst.Subscript) else self.is_array(target)
        if not array or self._nest(original_node.value) is None:
            return updated_node
        value = self.context.bare(updated_node.value)
        if isinstance(value, cst.Tuple):
            value = value.with_changes(lpar=[cst.LeftParen()], rpar=[cst.RightParen()])
        made = expression(f"{self.context.imports.code('numpy.array')}({{x}})", x=value)
        return updated_node.with_changes(value=made)

    def _axes(self, target: cst.Subscript) -> int:
        """Returns the number of axes of the part that is stored into; 0 for an element, or where it is not a view."""
        base = self.fact(target.value)
        if base is None or base.kind != "array" or base.ndim is None or base.dtype is None:
            return 0
        if np.dtype(base.dtype).kind not in "biufc":
            return 0
        left = base.ndim
        for element in target.slice:
            part = element.slice
            if isinstance(part, cst.Slice) or (isinstance(part, cst.Index) and isinstance(part.value, cst.Ellipsis)):
                continue
            fact = self.fact(part.value) if isinstance(part, cst.Index) else None
            whole = fact is not None and (fact.kind == "int" or (fact.kind == "scalar" and "int" in (fact.dtype or "")))
            if not whole:
                return 0
            left -= 1
        return max(left, 0)

    def _nest(self, node: cst.BaseExpression) -> tuple[int, ...] | None:
        """Returns the shape of a nest of tuples and lists of numbers, None for anything else."""
        if isinstance(node, cst.Tuple | cst.List):
            shapes = {self._nest_or_number(e.value) for e in node.elements if isinstance(e, cst.Element)}
            inner = next(iter(shapes), None)
            if len(shapes) != 1 or inner is None or any(isinstance(e, cst.StarredElement) for e in node.elements):
                return None
            return (len(node.elements), *inner)
        fact = self.fact(node)
        if fact is None or fact.kind != "tuple" or not fact.items or len(fact.items) > _MANY:
            return None
        return (len(fact.items),) if all(_is_number(item) for item in fact.items) else None

    def _nest_or_number(self, node: cst.BaseExpression) -> tuple[int, ...] | None:
        fact = self.fact(node)
        return () if _is_number(fact) else self._nest(node)

    def _alike(self, node: cst.BaseExpression) -> bool:
        """Says whether Numba gives all values of a tuple or list one type."""
        if isinstance(node, cst.Tuple | cst.List):
            variables = self.variables
            found = {variables.type(e.value) for e in node.elements} if variables is not None else {None}
            return None not in found and len({one.dtype for one in found if one is not None}) == 1
        fact = self.fact(node)
        return fact is not None and len({(item.kind, item.dtype) for item in fact.items}) == 1


def _is_number(fact: ValueFact | None) -> bool:
    return fact is not None and bool(fact.kinds) and fact.kinds <= _NUMBERS


def _tuples(node: cst.BaseExpression) -> cst.BaseExpression:
    """Returns a nest of tuples and lists as one of tuples: their values may have different types."""
    if not isinstance(node, cst.Tuple | cst.List):
        return node
    elements = [e.with_changes(value=_tuples(e.value)) for e in node.elements]
    if len(elements) == 1:
        elements[0] = elements[0].with_changes(comma=cst.Comma())
    elif not isinstance(elements[-1].comma, cst.MaybeSentinel):
        elements[-1] = elements[-1].with_changes(comma=cst.MaybeSentinel.DEFAULT)
    return cst.Tuple(elements, lpar=[cst.LeftParen()], rpar=[cst.RightParen()])


def _source(shape: tuple[int, ...]) -> str:
    """Returns the source of the function that stores a nest of tuples."""
    name = "row" if len(shape) == 1 else "block"
    wanted = f"({', '.join(map(str, shape))}{',' if len(shape) == 1 else ''})"
    count = " x ".join(map(str, shape))
    lines = [
        '@njit(error_model="numpy")',
        f"def {{name}}({name}, values):",
        f"    # {name}[...] = values, each cast to the dtype of {name}",
        f"    if {name}.shape != {wanted}:",
        f'        raise ValueError("could not broadcast {count} values into the shape of {name}")',
    ]
    for index in np.ndindex(shape):
        lines.append(f"    {name}[{', '.join(map(str, index))}] = values" + "".join(f"[{k}]" for k in index))
    return "\n" + "\n".join(lines) + "\n"
