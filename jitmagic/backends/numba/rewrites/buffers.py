"""Finds arrays that a loop makes anew in each step, and that one array before the loop can hold in turn.

In `for j in range(n): d = r[i] - r[j]; f += d/np.dot(d, d)` nothing else ever stands for the memory of `d`, so that
each step may write over the last one's: taking memory anew costs more than a few sums.
"""

from __future__ import annotations

from collections.abc import Collection

import libcst as cst

from jitmagic.analysis.aliases import Aliases
from jitmagic.backends.numba.rewrites.context import NumbaRewriter
from jitmagic.generate import names as name_tools
from jitmagic.generate.blocks import statements
from jitmagic.generate.walking import Finder, nodes_of


def reusable(owner: NumbaRewriter, function: cst.FunctionDef, aliases: Aliases) -> dict[str, cst.For | cst.While]:
    """Returns the names whose arrays may be reused, each with the outermost loop that makes them.

    Parameters
    ----------
    owner : NumbaRewriter
        Knows the paths of functions.
    function : libcst.FunctionDef
    aliases : Aliases
        Of the user's text.
    """
    finder = _Bindings()
    function.visit(finder)
    captured = name_tools.captured(function)
    taken = set(name_tools.parameters(function)) | captured | finder.rebound
    found = {}
    for name, loop in finder.loops.items():
        if name in taken or name in finder.outside(name, loop, function):
            continue
        if not escapes(owner, loop, name) and is_alone(name, function.name.value, aliases):
            found[name] = loop
    return found


def is_alone(name: str, function: str, aliases: Aliases) -> bool:
    """Says whether no other name of a function may stand for the same memory."""
    definitions = [node for node in aliases.tree.definitions() if node.name == function]
    return bool(definitions) and all(
        not aliases.may_share(node, name, other) for node in definitions for other in aliases.bound_names(node) - {name}
    )


def escapes(owner: NumbaRewriter, loop: cst.CSTNode, name: str, returned: bool = False) -> bool:
    """Says whether an array may be held by anything but its name.

    Parameters
    ----------
    owner : NumbaRewriter
        Knows the paths of functions.
    loop : libcst node
        Where to look.
    name : str
    returned : bool, optional
        Whether it may be returned: behind that nothing is written any more.
    """
    for call in nodes_of(loop, cst.Call):
        path = owner.path(call.func) or ""
        if not path.startswith(("numpy.", "math.")) and any(_is(a.value, name) for a in call.args):
            return True
    handed = {one for node in nodes_of(loop, cst.Return) for one in nodes_of(node, cst.Element)} if returned else set()
    for kind in (cst.Element, cst.StarredElement):
        if any(_is(element.value, name) for element in nodes_of(loop, kind) if element not in handed):
            return True
    for holder in (cst.Return, cst.Yield, cst.NamedExpr, cst.IfExp, cst.BooleanOperation, cst.Dict):
        if holder is cst.Return and returned:
            continue
        if any(name in name_tools.loads(node) for node in nodes_of(loop, holder)):
            return True
    return any(_is(node.value, name) for node in nodes_of(loop, cst.Assign))


def _is(node: cst.BaseExpression, name: str) -> bool:
    return isinstance(node, cst.Name) and node.value == name


class _Bindings(Finder):
    """Finds the names that are bound once, by a plain assignment in a loop, and that loop."""

    def __init__(self) -> None:
        super().__init__()
        self.loops: dict[str, cst.For | cst.While] = {}
        self.rebound: set[str] = set()
        self._around: list[cst.For | cst.While] = []

    def visit_For(self, node: cst.For) -> None:
        self.rebound.update(name_tools.targets(node.target))
        self._around.append(node)

    def leave_For(self, original_node: cst.For) -> None:
        self._around.pop()

    def visit_While(self, node: cst.While) -> None:
        self._around.append(node)

    def leave_While(self, original_node: cst.While) -> None:
        self._around.pop()

    def visit_Assign(self, node: cst.Assign) -> None:
        target = node.targets[0].target
        names: Collection[str] = [n for t in node.targets for n in name_tools.targets(t.target)]
        if len(node.targets) == 1 and isinstance(target, cst.Name) and self._around and target.value not in self.loops:
            self.loops[target.value] = self._around[0]
            if target.value in name_tools.loads(node.value):
                self.rebound.add(target.value)
            return
        self.rebound.update(names)

    def outside(self, name: str, loop: cst.CSTNode, function: cst.FunctionDef) -> frozenset[str]:
        """Returns the name if it is read outside of the loop too."""
        finder = _Reads(name, loop)
        for statement in statements(function):
            statement.visit(finder)
        return frozenset({name}) if finder.found else frozenset()


class _Reads(Finder):
    def __init__(self, name: str, loop: cst.CSTNode) -> None:
        super().__init__()
        self.name, self.loop, self.found = name, loop, False

    def visit_For(self, node: cst.For) -> bool:
        return node is not self.loop

    def visit_While(self, node: cst.While) -> bool:
        return node is not self.loop

    def visit_Name(self, node: cst.Name) -> None:
        self.found = self.found or node.value == self.name
