"""Finds the lists of a function that change their length: what they take up, what takes off them, and where."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import libcst as cst

from jitmagic.generate import names as name_tools
from jitmagic.generate.blocks import code
from jitmagic.generate.module import Module
from jitmagic.generate.walking import Finder, children, nodes_of

CHANGING = frozenset(
    {"append", "extend", "pop", "clear", "popleft", "insert", "remove", "appendleft", "reverse", "sort"}
)
"""Methods that change a list's length or order."""

_QUEUES = ("deque", "collections.deque")


def growing(function: cst.FunctionDef) -> frozenset[str]:
    """Returns the lists of a function that change their length after they were made."""
    finder = Growing()
    function.visit(finder)
    found = finder.changed & finder.made
    while more := {a for pair in finder.renamed for a in pair if set(pair) & found} - found:
        found |= more
    return frozenset(found)


def lines_of_growing_lists(module: Module) -> frozenset[int]:
    """Returns the user's lines at which lists of a module's functions change their length."""
    found: set[int] = set()
    for function in module.functions():
        names = growing(function)
        for node in nodes_of(function, cst.Call) if names else ():
            func = node.func
            if isinstance(func, cst.Attribute) and code(func.value) in names and func.attr.value in CHANGING:
                found.add(module.line(node) or 0)
        found |= {module.line(n) or 0 for n in nodes_of(function, cst.AugAssign) if code(n.target) in names}
        found |= {module.line(n) or 0 for n in nodes_of(function, cst.Assign) if _appends(n)}
    return frozenset(found)


def _appends(node: cst.Assign) -> bool:
    """Says whether a statement is ``out = np.append(out, v)``, which becomes an append to a list."""
    call: Any = node.value
    if not isinstance(call, cst.Call) or code(call.func) not in ("np.append", "numpy.append") or len(call.args) != 2:
        return False
    return code(call.args[0].value) == code(node.targets[0].target)


class Growing(Finder):
    def __init__(self) -> None:
        super().__init__()
        self.changed: set[str] = set()
        self.made: set[str] = set()
        self.renamed: list[tuple[str, str]] = []

    def visit_Call(self, node: cst.Call) -> None:
        func = node.func
        if isinstance(func, cst.Attribute) and isinstance(func.value, cst.Name) and func.attr.value in CHANGING:
            self.changed.add(func.value.value)

    def visit_AugAssign(self, node: cst.AugAssign) -> None:
        added = isinstance(node.operator, cst.AddAssign) and isinstance(node.value, cst.List)
        if isinstance(node.target, cst.Name) and added:
            self.changed.add(node.target.value)

    def visit_Del(self, node: cst.Del) -> None:
        if isinstance(node.target, cst.Subscript) and isinstance(node.target.value, cst.Name):
            self.changed.add(node.target.value.value)

    def visit_Assign(self, node: cst.Assign) -> None:
        for target in node.targets:
            if isinstance(target.target, cst.Tuple) and isinstance(node.value, cst.Tuple):
                pairs = zip(target.target.elements, node.value.elements, strict=False)
                self.made |= {code(t.value) for t, v in pairs if isinstance(v.value, cst.List)}
            if not isinstance(target.target, cst.Name):
                continue
            name = target.target.value
            if isinstance(node.value, cst.List | cst.ListComp) or queue_of(node.value) is not None:
                if name in self.made:
                    self.changed.add(name)  # another list, perhaps of another length
                self.made.add(name)
            elif isinstance(node.value, cst.Name):
                self.renamed.append((name, node.value.value))
            elif plus(node.value, name) is not None:
                self.changed.add(name)


def queue_of(node: Any) -> cst.BaseExpression | None:
    """Returns what ``deque([…])`` or ``list()`` is made from."""
    if isinstance(node, cst.Call) and code(node.func) in (*_QUEUES, "list") and len(node.args) <= 1:
        inner = node.args[0].value if node.args else cst.List([])
        return inner if isinstance(inner, cst.List | cst.ListComp) else None
    return None


def plus(node: Any, name: str) -> cst.List | None:
    """Returns what ``xs + […]`` adds to a list."""
    if isinstance(node, cst.BinaryOperation) and isinstance(node.operator, cst.Add) and code(node.left) == name:
        return node.right if isinstance(node.right, cst.List) else None
    return None


class Sites(Finder):
    """Collects what lists take up, which are emptied from the front, and which go by two names."""

    def __init__(self, names: frozenset[str]) -> None:
        super().__init__()
        self.names = names
        self.values: dict[str, list[cst.BaseExpression]] = {}
        self.fronts: set[str] = set()
        self.renamed: list[tuple[str, str]] = []
        self.order: list[str] = []
        self.inner: cst.CSTNode | None = None
        self.depth = 0

    def visit_FunctionDef(self, node: cst.FunctionDef) -> None:
        self.depth += 1
        if self.depth > 1 and self.names & name_tools.all_names(node):
            self.inner = node

    def leave_FunctionDef(self, original_node: cst.FunctionDef) -> None:
        self.depth -= 1

    def visit_Lambda(self, node: cst.Lambda) -> None:
        if self.names & name_tools.all_names(node):
            self.inner = node

    def visit_Name(self, node: cst.Name) -> None:
        if node.value in self.names and node.value not in self.order:
            self.order.append(node.value)

    def add(self, name: str, values: Sequence[cst.BaseExpression]) -> None:
        if name in self.names:
            self.values.setdefault(name, []).extend(values)

    def visit_Call(self, node: cst.Call) -> None:
        func = node.func
        if not isinstance(func, cst.Attribute) or not isinstance(func.value, cst.Name):
            return
        name, values = func.value.value, [a.value for a in node.args]
        if func.attr.value == "append":
            self.add(name, values)
        elif func.attr.value == "extend" and len(values) == 1 and isinstance(values[0], cst.List | cst.Tuple):
            self.add(name, [e.value for e in values[0].elements])
        elif func.attr.value in ("pop", "popleft") and name in self.names and from_front(node):
            self.fronts.add(name)

    def visit_Del(self, node: cst.Del) -> None:
        if isinstance(node.target, cst.Subscript) and code(node.target).replace(" ", "").endswith("[0]"):
            self.fronts |= {code(node.target.value)} & self.names

    def visit_AugAssign(self, node: cst.AugAssign) -> None:
        if isinstance(node.target, cst.Name) and isinstance(node.value, cst.List):
            self.add(node.target.value, [e.value for e in node.value.elements])
        elif isinstance(node.target, cst.Subscript) and isinstance(node.target.value, cst.Name):
            self.add(node.target.value.value, [node.value])

    def visit_Assign(self, node: cst.Assign) -> None:
        for target in node.targets:
            where = target.target
            if isinstance(where, cst.Subscript) and isinstance(where.value, cst.Name):
                self.add(where.value.value, [node.value])
            if not isinstance(where, cst.Name):
                continue
            value = queue_of(node.value) or plus(node.value, where.value) or node.value
            if isinstance(value, cst.List):
                self.add(where.value, [e.value for e in value.elements])
            elif isinstance(value, cst.ListComp):
                self.add(where.value, [value.elt])
            elif isinstance(value, cst.Name) and {value.value, where.value} <= self.names:
                self.renamed.append((where.value, value.value))


def groups(names: frozenset[str], renamed: Sequence[tuple[str, str]]) -> list[list[str]]:
    """Returns the names in groups, those together that may stand for one list."""
    groups = [{n} for n in sorted(names)]
    for a, b in renamed:
        one = next(g for g in groups if a in g)
        other = next(g for g in groups if b in g)
        if one is not other:
            groups.remove(other)
            one |= other
    return [sorted(g) for g in groups]


def from_front(call: cst.Call) -> bool:
    method = call.func.attr.value if isinstance(call.func, cst.Attribute) else ""
    return method == "popleft" or (len(call.args) == 1 and code(call.args[0].value) == "0")


def pops_in(node: cst.CSTNode, names: set[str]) -> list[cst.Call]:
    """Returns the calls that take an element off a list."""
    return [
        call
        for call in nodes_of(node, cst.Call)
        if isinstance(call.func, cst.Attribute)
        and isinstance(call.func.value, cst.Name)
        and call.func.value.value in names
        and call.func.attr.value in ("pop", "popleft")
        and (not call.args or code(call.args[0].value) in ("0", "-1"))
    ]


def surely(node: cst.CSTNode, call: cst.Call) -> bool:
    """Says whether a call in a statement is made once whenever the statement is run."""
    if node is call:
        return True
    for child in children(node):
        if call in nodes_of(child, cst.Call):
            sometimes = isinstance(
                node, cst.BooleanOperation | cst.IfExp | cst.Lambda | cst.ListComp | cst.GeneratorExp | cst.CompFor
            )
            return not sometimes and surely(child, call)
    return False


def mentions(node: cst.CSTNode, name: str) -> int:
    return sum(one.value == name for one in nodes_of(node, cst.Name))
