"""Whose shape an array has: what a program asks of an array without its values, and who else has the same."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import libcst as cst

from jitmagic.generate import names as name_tools
from jitmagic.generate.kinds import Kinds
from jitmagic.generate.module import Module
from jitmagic.generate.rewriter import Rewriter
from jitmagic.generate.walking import Finder


def bound_often(function: cst.FunctionDef) -> frozenset[str]:
    """Returns the names that are bound more than once, parameters counted."""
    counter = _Bindings()
    function.visit(counter)
    counts = counter.counts
    for parameter in name_tools.parameters(function):
        counts[parameter] = counts.get(parameter, 0) + 1
    return frozenset(name for name, count in counts.items() if count > 1)


def reshaped(function: cst.FunctionDef, rebound: frozenset[str], kinds: Kinds) -> frozenset[str]:
    """Returns the names that are bound again to anything but a copy of themselves."""
    copies = _Copies(kinds)
    function.visit(copies)
    counter = _Bindings()
    function.visit(counter)
    return frozenset(name for name in rebound if counter.counts.get(name, 0) != copies.counts.get(name, 0))


def shape_of(node: cst.BaseExpression, kinds: Kinds) -> str:
    """Returns the name of the array whose shape a new array has, "" where none is told."""
    if not isinstance(node, cst.Call):
        return ""
    source: Any = None
    if kinds.path(node.func) in _SAME_SHAPE and node.args:
        source = node.args[0].value
    elif isinstance(node.func, cst.Attribute) and node.func.attr.value in ("copy", "astype"):
        source = node.func.value
    fact = kinds.of(source) if isinstance(source, cst.Name) else None
    return source.value if fact is not None and fact.kind == "array" else ""


_SAME_SHAPE = frozenset(
    f"numpy.{name}" for name in ("copy", "array", "asarray", "zeros_like", "ones_like", "empty_like", "full_like")
)


class Alike(Rewriter):
    """Asks arguments for their shapes in place of arrays that have the same."""

    def __init__(self, module: Module, alike: Mapping[str, str]) -> None:
        super().__init__(module)
        self.alike = alike

    def leave_Attribute(self, original_node: cst.Attribute, updated_node: cst.Attribute) -> cst.Attribute:
        if updated_node.attr.value in ("shape", "size", "ndim") and isinstance(updated_node.value, cst.Name):
            name = updated_node.value.value
            return updated_node.with_changes(value=cst.Name(self.alike.get(name, name)))
        return updated_node

    def leave_Call(self, original_node: cst.Call, updated_node: cst.Call) -> cst.Call:
        if isinstance(updated_node.func, cst.Name) and updated_node.func.value == "len" and updated_node.args:
            only = updated_node.args[0]
            if isinstance(only.value, cst.Name) and only.value.value in self.alike:
                return updated_node.with_changes(args=[only.with_changes(value=cst.Name(self.alike[only.value.value]))])
        return updated_node


class _Copies(Finder):
    """Counts assignments such as ``a = a.copy()``, ``a = np.array(a, float)`` and ``a = a.astype(float)``."""

    def __init__(self, kinds: Kinds) -> None:
        super().__init__()
        self.kinds = kinds
        self.counts: dict[str, int] = {}

    def visit_Assign(self, node: cst.Assign) -> None:
        value, target = node.value, node.targets[0].target
        if not isinstance(value, cst.Call) or not isinstance(target, cst.Name) or len(node.targets) > 1:
            return
        func = value.func
        source: cst.CSTNode | None = None
        if self.kinds.path(func) in ("numpy.array", "numpy.asarray", "numpy.copy", "numpy.ascontiguousarray"):
            source = value.args[0].value if value.args else None
        elif isinstance(func, cst.Attribute) and func.attr.value in ("copy", "astype"):
            source = func.value
        if isinstance(source, cst.Name) and source.value == target.value:
            self.counts[target.value] = self.counts.get(target.value, 0) + 1


class Shapes(Finder):
    """Tells names of which the shape is asked from names whose value is."""

    def __init__(self) -> None:
        super().__init__()
        self.shapes: set[str] = set()
        self.others: set[str] = set()

    def visit_Attribute(self, node: cst.Attribute) -> bool:
        if node.attr.value in ("shape", "size", "ndim") and isinstance(node.value, cst.Name):
            self.shapes.add(node.value.value)
            return False
        node.value.visit(self)
        return False

    def visit_Call(self, node: cst.Call) -> bool:
        if isinstance(node.func, cst.Name) and node.func.value == "len" and isinstance(node.args[0].value, cst.Name):
            self.shapes.add(node.args[0].value.value)
            return False
        return True

    def visit_Name(self, node: cst.Name) -> None:
        self.others.add(node.value)


class _Bindings(Finder):
    def __init__(self) -> None:
        super().__init__()
        self.counts: dict[str, int] = {}

    def _add(self, target: cst.BaseExpression) -> None:
        for name in name_tools.targets(target):
            self.counts[name] = self.counts.get(name, 0) + 1

    def visit_AssignTarget(self, node: cst.AssignTarget) -> None:
        self._add(node.target)

    def visit_AnnAssign(self, node: cst.AnnAssign) -> None:
        self._add(node.target)

    def visit_AugAssign(self, node: cst.AugAssign) -> None:
        self._add(node.target)
        self._add(node.target)

    def visit_For(self, node: cst.For) -> None:
        self._add(node.target)

    def visit_NamedExpr(self, node: cst.NamedExpr) -> None:
        self._add(node.target)
