"""Proves that a subscript is never below zero: from ranges of loops, lengths, and counters that only grow."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence, Set
from typing import Any

import libcst as cst

from jitmagic.backends.jax.sums import terms
from jitmagic.generate import names as name_tools
from jitmagic.generate.blocks import code
from jitmagic.generate.walking import Finder


class Lowest:
    """Proves that an expression is never below zero.

    Parameters
    ----------
    loops : sequence of libcst.For
        The loops around the place, the outermost first.
    sizes : set of str
        Names that are never below zero, see ``sizes_of``.
    """

    def __init__(self, loops: Sequence[cst.For], sizes: Set[str]) -> None:
        self.loops = loops
        self.sizes = sizes

    def never_negative(self, node: cst.BaseExpression) -> bool:
        if isinstance(node, cst.Call) and isinstance(node.func, cst.Name) and node.func.value in ("max", "min"):
            each = [self.never_negative(a.value) for a in node.args]
            return any(each) if node.func.value == "max" else all(each)
        return self._never_negative(terms(node), 6)

    def _never_negative(self, found: Mapping[str, int], depth: int) -> bool:
        left = {t: n for t, n in found.items() if n}
        for loop in reversed(self.loops):
            name = loop.target.value if isinstance(loop.target, cst.Name) else None
            if name is None or name not in left or depth == 0:
                continue
            ends = ends_of(loop)
            if ends is None:
                continue
            count = left.pop(name)
            end = ends[0] if count > 0 else ends[1]
            if end is None:
                return False
            for term, n in end.items():
                left[term] = left.get(term, 0) + count * n
            return self._never_negative(left, depth - 1)
        lowest = left.pop("", 0)
        return lowest >= 0 and all(count > 0 and self._is_natural(term) for term, count in left.items())

    def _is_natural(self, term: str) -> bool:
        """Says whether a term that no loop counts is never below zero."""
        node = cst.parse_expression(term)
        if isinstance(node, cst.Name):
            return node.value in self.sizes
        if isinstance(node, cst.BinaryOperation) and isinstance(
            node.operator, cst.Multiply | cst.FloorDivide | cst.Modulo
        ):
            return self.never_negative(node.left) and self.never_negative(node.right)
        return is_size(node)


def ends_of(loop: cst.For) -> tuple[Counter[str] | None, Counter[str] | None] | None:
    """Returns the smallest and the largest value of a loop over a range, as terms; None for any other loop."""
    iterated = loop.iter
    backwards = False
    if isinstance(iterated, cst.Call) and code(iterated.func) == "reversed" and len(iterated.args) == 1:
        iterated, backwards = iterated.args[0].value, True
    if not (isinstance(iterated, cst.Call) and code(iterated.func) == "range"):
        if (
            isinstance(iterated, cst.Call)
            and code(iterated.func) in ("np.arange", "numpy.arange")
            and all(a.keyword is None for a in iterated.args)
        ):
            pass
        else:
            return None
    values = [a.value for a in iterated.args]
    start = terms(values[0]) if len(values) > 1 else Counter({"": 0})
    stop = terms(values[1] if len(values) > 1 else values[0])
    step = 1
    if len(values) == 3:
        only = terms(values[2])
        if set(only) - {""}:
            return None
        step = only[""]
    if step == 0 or (backwards and step != 1):
        return None
    if step > 0:
        last = Counter(stop)
        last[""] -= 1
        return start, last
    first = Counter(stop)
    first[""] += 1
    return first, start


def is_size(node: Any) -> bool:
    """Says whether an expression is a length, a size, or a position found by a search."""
    node = bare(node)
    if isinstance(node, cst.Call):
        called = code(node.func)
        if called == "max":
            return any(isinstance(a.value, cst.Integer) for a in node.args)
        return called == "len" or called.rpartition(".")[2] in ("argmax", "argmin", "count_nonzero", "searchsorted")
    if isinstance(node, cst.Subscript):
        return isinstance(node.value, cst.Attribute) and node.value.attr.value == "shape"
    return isinstance(node, cst.Attribute) and node.attr.value in ("size", "ndim")


def bare(node: Any) -> Any:
    """Returns a number without the conversions to an integer around it: ``int(k)``, ``k.astype(np.int64)``."""
    while isinstance(node, cst.Call) and len(node.args) == 1:
        if isinstance(node.func, cst.Name) and node.func.value == "int":
            node = node.args[0].value
        elif (
            isinstance(node.func, cst.Attribute)
            and node.func.attr.value == "astype"
            and (code(node.args[0].value).rpartition(".")[2] == "int64")
        ):
            node = node.func.value
        else:
            break
    return node


def sizes_of(function: cst.FunctionDef) -> set[str]:
    """Returns the names that are bound once, to a length or a shape's parts, or to what is never below zero."""
    finder = _SizeNames()
    function.visit(finder)
    once = {n for n in finder.found if count_bindings(function, n) == 1}
    return once | {n for n, known in finder.counters.items() if known and n not in name_tools.parameters(function)}


class _SizeNames(Finder):
    def __init__(self) -> None:
        super().__init__()
        self.found: set[str] = set()
        self.counters: dict[str, bool] = {}

    def visit_For(self, node: cst.For) -> None:
        self._counted(node.target, False)

    def visit_NamedExpr(self, node: cst.NamedExpr) -> None:
        self._counted(node.target, False)

    def visit_AugAssign(self, node: cst.AugAssign) -> None:
        adds = isinstance(node.operator, cst.AddAssign | cst.MultiplyAssign)
        self._counted(node.target, adds and isinstance(node.value, cst.Integer))

    def _counted(self, target: cst.BaseExpression, known: bool) -> None:
        """Notes whether a name begins with a whole number and only grows."""
        for name in name_tools.targets(target):
            self.counters[name] = self.counters.get(name, True) and known

    def visit_Assign(self, node: cst.Assign) -> None:
        shape = isinstance(node.value, cst.Attribute) and node.value.attr.value == "shape"
        for target in node.targets:
            self._counted(target.target, isinstance(node.value, cst.Integer))
            if shape and isinstance(target.target, cst.Tuple):
                self.found.update(name_tools.targets(target.target))
            elif isinstance(target.target, cst.Name) and is_size(node.value):
                self.found.add(target.target.value)


def count_bindings(function: cst.FunctionDef, name: str) -> int:
    """Counts the places that bind a name, its parameter among them."""
    finder = _Bindings(name)
    function.visit(finder)
    return finder.count


class _Bindings(Finder):
    def __init__(self, name: str) -> None:
        super().__init__()
        self.name, self.count = name, 0

    def visit_AssignTarget(self, node: cst.AssignTarget) -> None:
        self.count += self.name in name_tools.targets(node.target)

    def visit_For(self, node: cst.For) -> None:
        self.count += self.name in name_tools.targets(node.target)

    def visit_AugAssign(self, node: cst.AugAssign) -> None:
        self.count += isinstance(node.target, cst.Name) and node.target.value == self.name

    def visit_NamedExpr(self, node: cst.NamedExpr) -> None:
        self.count += self.name in name_tools.targets(node.target)

    def visit_Param(self, node: cst.Param) -> None:
        self.count += node.name.value == self.name
