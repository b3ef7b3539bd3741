"""How a list is used: where it grows, and whether its elements could as well be an array."""

from __future__ import annotations

from typing import Any

import libcst as cst

from jitmagic.backends.jax.loops import GROWING
from jitmagic.generate.blocks import code
from jitmagic.generate.kinds import Kinds
from jitmagic.generate.walking import Finder

_JOINING = frozenset({"array", "asarray", "stack", "vstack", "hstack", "dstack", "column_stack", "concatenate"})
"""Functions of NumPy that take several lists at once."""


def grows(statement: Any, kinds: Kinds) -> bool:
    """Says whether a list grows somewhere in a statement, as on one way of a branch."""
    finder = _Growing(kinds)
    statement.visit(finder)
    return finder.found


class _Growing(Finder):
    def __init__(self, kinds: Kinds) -> None:
        super().__init__()
        self.kinds = kinds
        self.found = False

    def visit_Call(self, node: cst.Call) -> None:
        func = node.func
        if isinstance(func, cst.Attribute) and func.attr.value in GROWING and self.kinds.is_container(func.value):
            self.found = True


def uses_of(function: cst.FunctionDef, name: str) -> ListUses:
    """Counts how a function uses a list."""
    finder = ListUses(name)
    function.visit(finder)
    return finder


class ListUses(Finder):
    """Counts what is done with a list: appending, binding, reading as an array could be, anything else."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name
        self.appends = self.bindings = self.others = self.returned = 0

    def visit_Name(self, node: cst.Name) -> None:
        self.others += node.value == self.name

    def _is(self, node: Any) -> bool:
        return isinstance(node, cst.Name) and node.value == self.name

    def visit_AssignTarget(self, node: cst.AssignTarget) -> None:
        if self._is(node.target):
            self.bindings += 1
            self.others -= 1

    def visit_Call(self, node: cst.Call) -> None:
        func = node.func
        if isinstance(func, cst.Attribute) and self._is(func.value) and func.attr.value == "append":
            self.appends += 1
            self.others -= 1
        elif code(func) == "len" or (isinstance(func, cst.Attribute) and not self._is(func.value)):
            # a function of NumPy, which makes an array of it anyway
            self.others -= sum(self._is(a.value) for a in node.args)
            if isinstance(func, cst.Attribute) and func.attr.value in _JOINING and node.args:
                # np.array([xs, ys]), of lists that are as long as each other
                first = node.args[0].value
                if isinstance(first, cst.List | cst.Tuple):
                    self.others -= sum(self._is(e.value) for e in first.elements)

    def visit_Subscript(self, node: cst.Subscript) -> None:
        self.others -= self._is(node.value)

    def visit_Return(self, node: cst.Return) -> None:
        # the wrapper makes a list of it
        found = sum(map(self._is, parts_of(node.value)))
        self.returned += found
        self.others -= found


def parts_of(value: cst.BaseExpression | None) -> list[cst.BaseExpression]:
    """Returns what a result holds: the values of a tuple or a dict that is written out, also of one inside another."""
    if isinstance(value, cst.Tuple):
        inner = [e.value for e in value.elements]
    elif isinstance(value, cst.Dict):
        inner = [e.value for e in value.elements if isinstance(e, cst.DictElement)]
    else:
        return [] if value is None else [value]
    return [part for one in inner for part in parts_of(one)]
