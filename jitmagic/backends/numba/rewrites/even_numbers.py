"""Proves that the elements of a vector are evenly spaced whole numbers: `np.arange(n)`, and `2*k + 1` of it."""

from __future__ import annotations

import libcst as cst

from jitmagic.backends.numba.rewrites.context import NumbaRewriter
from jitmagic.backends.numba.rewrites.windows import Part, window_of
from jitmagic.generate.bindings import Bindings, may_change, stored_in


class EvenNumbers:
    """Reads vectors of a function.

    Parameters
    ----------
    owner : NumbaRewriter
    function : libcst.FunctionDef
    """

    def __init__(self, owner: NumbaRewriter, function: cst.FunctionDef) -> None:
        self._owner = owner
        self._bindings = Bindings(function)
        self._stored = stored_in(owner.module, function.name.value)
        self._asked: list[str] = []

    def of(self, node: cst.BaseExpression) -> tuple[int, int] | None:
        """Returns the first number and the distance to the next one; None where that is not known.

        An axis of its own before or behind changes nothing: `k[:, None]` and `k.reshape((n, 1))` are as `k` is.
        """
        if isinstance(node, cst.Integer):
            return node.evaluated_value, 0
        if isinstance(node, cst.Name):
            return self._name(node.value)
        if isinstance(node, cst.UnaryOperation) and isinstance(node.operator, cst.Minus):
            inner = self.of(node.expression)
            return None if inner is None else (-inner[0], -inner[1])
        if isinstance(node, cst.BinaryOperation):
            return self._operation(node)
        if isinstance(node, cst.Subscript):
            window = window_of(node)
            parts = window.axes if window is not None else (Part(0, 1),)
            whole = all(one is None or (one.start == 0 and one.upper is None) for one in parts)
            return self.of(node.value) if whole else None
        if isinstance(node, cst.Call):
            return self._call(node)
        return None

    def _name(self, name: str) -> tuple[int, int] | None:
        values = self._bindings.values.get(name, [])
        if name in self._bindings.unknown or name in self._bindings.ranges or len(values) != 1 or name in self._asked:
            return None
        if may_change(self._stored, name):
            return None
        self._asked.append(name)
        found = self.of(values[0])
        self._asked.pop()
        return found

    def _operation(self, node: cst.BinaryOperation) -> tuple[int, int] | None:
        left, right = self.of(node.left), self.of(node.right)
        if left is None or right is None:
            return None
        if isinstance(node.operator, cst.Add):
            return left[0] + right[0], left[1] + right[1]
        if isinstance(node.operator, cst.Subtract):
            return left[0] - right[0], left[1] - right[1]
        if isinstance(node.operator, cst.Multiply) and not (left[1] and right[1]):
            return left[0] * right[0], left[0] * right[1] + left[1] * right[0]
        return None

    def _call(self, node: cst.Call) -> tuple[int, int] | None:
        path = self._owner.path(node.func)
        if any(a.star for a in node.args):
            return None
        if path == "numpy.arange":
            given = [a.value for a in node.args if a.keyword is None]
            ends = [self.of(one) for one in (given[0] if len(given) > 1 else cst.Integer("0"), *given[2:])]
            if len(given) != len(node.args) or not all(one is not None and not one[1] for one in ends):
                return None
            numbers = [one[0] for one in ends if one is not None]
            return numbers[0], numbers[1] if len(numbers) > 1 else 1
        if path == "numpy.reshape" and node.args:
            return self.of(node.args[0].value)
        method = node.func if path is None and isinstance(node.func, cst.Attribute) else None
        return self.of(method.value) if method is not None and method.attr.value in ("reshape", "ravel") else None
