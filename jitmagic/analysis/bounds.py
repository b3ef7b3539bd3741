"""Lower bounds of subscripts over a counted loop: a negative subscript would wrap around to another element.

>>> scope = Scope("def fn(x, n):\\n    for i in range(1, n):\\n        x[i - 1], x[i - 2]\\n", "fn", {}, None)
>>> loop = scope.function.body[0]
>>> subscripts = [element.slice for element in loop.body[0].value.elts]
>>> [Bounds(scope, loop).never_negative(node, affine(node, "i", {"i"})) for node in subscripts]
[True, False]
"""

from __future__ import annotations

import ast

from jitmagic.analysis.affine import Affine, Polynomial, affine
from jitmagic.analysis.scalars import assigned
from jitmagic.analysis.scope import Scope
from jitmagic.analysis.subscripts import range_start


class Bounds:
    """The range of one loop over ``range(...)``.

    Parameters
    ----------
    scope : Scope
    loop : ast.For or ast.While
    """

    def __init__(self, scope: Scope, loop: ast.For | ast.While) -> None:
        self.scope = scope
        self.loop = loop

    def range(self) -> tuple[ast.expr | None, ast.expr]:
        """Returns start and stop; no start stands for zero."""
        assert isinstance(self.loop, ast.For)
        assert isinstance(self.loop.iter, ast.Call)
        arguments = self.loop.iter.args
        return (None, arguments[0]) if len(arguments) == 1 else (arguments[0], arguments[1])

    def step(self) -> int | None:
        """Returns the step if it is a constant."""
        assert isinstance(self.loop, ast.For)
        assert isinstance(self.loop.iter, ast.Call)
        arguments = self.loop.iter.args
        if len(arguments) < 3:
            return 1
        form = affine(arguments[2], "", ())
        return None if form is None else form.offset.constant()

    def never_negative(self, node: ast.expr, form: Affine) -> bool:
        """Says whether a subscript is never below zero, from the loop's bounds, else from what was seen."""
        if self._lowest(form) is not None:
            return True
        fact = self.scope.fact(node)
        return fact is not None and fact.low is not None and fact.low >= 0

    def _lowest(self, form: Affine) -> int | None:
        start, stop = self.range()
        step = self.step() or 0
        zero = Polynomial(())
        first = Affine(0, zero) if start is None else affine(start, "", ())
        last = affine(stop, "", ())
        # the end of the range at which the subscript is smallest
        at_start = form.coefficient * step > 0
        if form.coefficient == 0:
            lowest = form.offset
        elif at_start:
            if first is None:
                return None
            lowest = first.offset.times(form.coefficient) + form.offset
        else:
            if last is None:
                return None
            end = last.offset - Polynomial.of({"": 1 if step > 0 else -1})
            lowest = end.times(form.coefficient) + form.offset
        low = lowest.lowest(self._symbol_bound)
        return low if low is not None and low >= 0 else None

    def _symbol_bound(self, symbol: str) -> int | None:
        """Returns a lower bound of a loop-invariant symbol: lengths, outer indices, observed arguments."""
        node = ast.parse(symbol, mode="eval").body
        if isinstance(node, ast.Call):
            return 0
        if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Attribute) and node.value.attr == "shape":
            return 0
        if isinstance(node, ast.Attribute) and node.attr in ("size", "ndim"):
            return 0
        if isinstance(node, ast.Name):
            for outer in ast.walk(self.scope.function):
                if isinstance(outer, ast.For) and isinstance(outer.target, ast.Name) and outer.target.id == node.id:
                    return range_start(outer)
            for outer in ast.walk(self.scope.function):
                if isinstance(outer, ast.Assign) and node.id in assigned([outer]):
                    if any(isinstance(n, ast.Attribute) and n.attr == "shape" for n in ast.walk(outer.value)):
                        return 0
                    if isinstance(outer.value, ast.Call) and ast.unparse(outer.value.func) == "len":
                        return 0
                    if isinstance(outer.value, ast.Attribute) and outer.value.attr == "size":
                        return 0
            fact = self.scope.name_fact(node.id)
            if fact is not None and fact.low is not None:
                return fact.low
        return None
