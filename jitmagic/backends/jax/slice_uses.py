"""What a function does with names that stand for slices: what is read how often, and what is stored into."""

from __future__ import annotations

from typing import Any

import libcst as cst

from jitmagic.backends.jax.store_targets import root_name
from jitmagic.generate.walking import Finder


def changed_in_place(function: cst.FunctionDef) -> set[str]:
    """Returns the names whose elements are stored into, or that an operator changes in place."""
    finder = _ChangedInPlace()
    function.visit(finder)
    return finder.names


class _ChangedInPlace(Finder):
    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()

    def visit_AssignTarget(self, node: cst.AssignTarget) -> None:
        root = root_name(node.target) if isinstance(node.target, cst.Subscript) else None
        self.names |= {root} if root is not None else set()

    def visit_AugAssign(self, node: cst.AugAssign) -> None:
        root = root_name(node.target)
        self.names |= {root} if root is not None else set()


def stored_into(node: Any) -> set[str]:
    """Returns the names that a statement binds or stores into, and those whose elements or attributes it does."""
    finder = _StoredInto()
    node.visit(finder)
    return finder.names


class _StoredInto(Finder):
    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()

    def visit_AssignTarget(self, node: cst.AssignTarget) -> None:
        self._add(node.target)

    def visit_AugAssign(self, node: cst.AugAssign) -> None:
        self._add(node.target)

    def _add(self, target: Any) -> None:
        root = root_name(target)
        if root is not None:
            self.names.add(root)


def count_reads(node: cst.CSTNode, name: str) -> int:
    """Counts the places where a name is read."""
    finder = _ReadCounter(name)
    node.visit(finder)
    return finder.count


class _ReadCounter(Finder):
    def __init__(self, name: str) -> None:
        super().__init__()
        self.name, self.count = name, 0

    def visit_Name(self, node: cst.Name) -> None:
        self.count += node.value == self.name

    def visit_AssignTarget_target(self, node: cst.AssignTarget) -> None:
        self.count -= isinstance(node.target, cst.Name) and node.target.value == self.name
