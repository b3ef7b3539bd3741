"""What the names of a function are bound to, and which of them are whole numbers that are never negative."""

from __future__ import annotations

from typing import Any

import libcst as cst

from jitmagic.analysis.scope import scope_of
from jitmagic.analysis.stored import Stored
from jitmagic.generate import names as name_tools
from jitmagic.generate.blocks import bound_pairs, code
from jitmagic.generate.module import Module
from jitmagic.generate.walking import Finder


class Bindings(Finder):
    """Collects what names are bound to.

    Parameters
    ----------
    function : libcst.FunctionDef

    Attributes
    ----------
    values : dict of str to list of libcst expression
        Of assignments, also of tuples to tuples, and of sums, products and quotients in place (the other operand).
    ranges : dict of str to list of libcst.Call
        The calls of ``range`` that loops take a name from.
    unknown : set of str
        Names that are bound or stored into in another way, parameters among them.
    """

    def __init__(self, function: cst.FunctionDef) -> None:
        super().__init__()
        self.values: dict[str, list[cst.BaseExpression]] = {}
        self.ranges: dict[str, list[cst.Call]] = {}
        self.unknown: set[str] = set()
        function.visit(self)

    def visit_Assign(self, node: cst.Assign) -> None:
        for assigned in node.targets:
            for target, value in bound_pairs(assigned.target, node.value):
                if isinstance(target, cst.Name):
                    self.values.setdefault(target.value, []).append(value)
                else:
                    self._unknown(target)

    def _unknown(self, target: Any) -> None:
        while isinstance(target, cst.Subscript | cst.Attribute):
            target = target.value
        self.unknown.update(name_tools.targets(target))

    def visit_AugAssign(self, node: cst.AugAssign) -> None:
        plain = isinstance(node.operator, cst.AddAssign | cst.MultiplyAssign | cst.DivideAssign)
        if isinstance(node.target, cst.Name) and plain:
            self.values.setdefault(node.target.value, []).append(node.value)
        else:
            self._unknown(node.target)

    def visit_AnnAssign(self, node: cst.AnnAssign) -> None:
        self._unknown(node.target)

    def visit_For(self, node: cst.For) -> None:
        called = node.iter
        plain = isinstance(called, cst.Call) and code(called.func) == "range"
        if isinstance(node.target, cst.Name) and isinstance(called, cst.Call) and plain:
            self.ranges.setdefault(node.target.value, []).append(called)
        else:
            self._unknown(node.target)

    def visit_CompFor(self, node: cst.CompFor) -> None:
        self._unknown(node.target)

    def visit_NamedExpr(self, node: cst.NamedExpr) -> None:
        self._unknown(node.target)

    def visit_With(self, node: cst.With) -> None:
        for item in node.items:
            if item.asname is not None:
                self._unknown(item.asname.name)

    def visit_FunctionDef(self, node: cst.FunctionDef) -> None:
        self.unknown.update(name_tools.parameters(node))

    def visit_Lambda(self, node: cst.Lambda) -> None:
        self.unknown.update(p.name.value for p in node.params.params)

    def visit_Global(self, node: cst.Global) -> None:
        self.unknown.update(item.name.value for item in node.names)

    def visit_Nonlocal(self, node: cst.Nonlocal) -> None:
        self.unknown.update(item.name.value for item in node.names)


def stored_in(module: Module, function: str) -> Stored | None:
    """Returns a function's stores; None for one that was lifted out of another, of which nothing is known."""
    try:
        return Stored(scope_of(module.source.text, function, module.names, module.observed))
    except LookupError:
        return None


def may_change(stored: Stored | None, name: str) -> bool:
    """Says whether what a function's own name stands for may be stored into; so it may where nothing is known."""
    return stored is None or name not in stored.scope.locals or stored.may_change(name)


def naturals(function: cst.FunctionDef) -> frozenset[str]:
    """Returns the names that only loops bind, over ranges without negative numbers.

    >>> loops = "    for i in range(9):\\n        for j in range(i, -1, -1): pass\\n    for m in range(k, 9): pass"
    >>> sorted(naturals(cst.parse_module(f"def f(k):\\n{loops}").body[0]))
    ['i', 'j']
    """
    found = Bindings(function)
    names = frozenset(found.ranges) - found.unknown - frozenset(found.values)
    while True:
        # each takes for granted that the others are: what is not, is taken out until all hold
        proved = frozenset(n for n in names if all(_counts_from_zero(call, names) for call in found.ranges[n]))
        if proved == names:
            return names
        names = proved


def _counts_from_zero(call: cst.Call, names: frozenset[str]) -> bool:
    ends = [argument.value for argument in call.args]
    if any(a.star or a.keyword is not None for a in call.args) or not 1 <= len(ends) <= 3:
        return False
    upwards = len(ends) == 1 or is_natural(ends[0], names)
    if len(ends) < 3 or isinstance(ends[2], cst.Integer):
        return upwards
    # what is above an end of -1 is not negative
    downwards = is_natural(ends[1], names) or code(ends[1]).replace(" ", "") == "-1"
    step = code(ends[2]).replace(" ", "")
    return downwards and (upwards or (step[:1] == "-" and step[1:].isdecimal()))


def is_natural(node: cst.BaseExpression, names: frozenset[str]) -> bool:
    """Says whether a whole number is proved not to be negative.

    Parameters
    ----------
    node : libcst expression
        A whole number, where ``names`` are.
    names : frozenset of str
        What :func:`naturals` found.
    """
    if isinstance(node, cst.Integer):
        return True
    if isinstance(node, cst.Name):
        return node.value in names
    if isinstance(node, cst.BinaryOperation) and isinstance(node.operator, cst.Add | cst.Multiply | cst.FloorDivide):
        return is_natural(node.left, names) and is_natural(node.right, names)
    if isinstance(node, cst.Call):
        return code(node.func) == "len"
    return isinstance(node, cst.Attribute) and node.attr.value in ("size", "ndim")
