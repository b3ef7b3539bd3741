"""Rewrite nested functions that loop, branch or store as functions of the module, with what they read as parameters.

    def accel(p):            ->         def accel(p, m):
        a = np.zeros_like(p)                a = np.zeros_like(p)
        …  m  …                             …  m  …

A call reads the names around it when it is made, as a parameter does; a function that is used as a value stays inside.
"""

from __future__ import annotations

from typing import Any

import libcst as cst

from jitmagic.generate import names as name_tools
from jitmagic.generate.blocks import code, statements, with_body
from jitmagic.generate.module import Module
from jitmagic.generate.rewriter import Rewriter
from jitmagic.generate.walking import Finder


def lifted(module: Module, tree: cst.Module) -> cst.Module:
    """Returns the tree with such functions at the top, before the one that they stood in."""
    taken = {s.name.value for s in tree.body if isinstance(s, cst.FunctionDef)} | set(module.names)
    body: list[Any] = []
    for statement in tree.body:
        if isinstance(statement, cst.FunctionDef):
            function = statement
            while (found := _candidate(function, taken)) is not None:
                new, function = _lift(module, function, found)
                taken.add(found.name.value)
                body.append(new)
            statement = function
        body.append(statement)
    return tree.with_changes(body=body)


def _candidate(function: cst.FunctionDef, taken: set[str]) -> cst.FunctionDef | None:
    for node in statements(function):
        if not isinstance(node, cst.FunctionDef) or node.name.value in taken:
            continue
        if node.decorators or node.asynchronous is not None or not _does_more(node):
            continue
        p = node.params
        if isinstance(p.star_arg, cst.Param) or p.star_kwarg is not None or p.posonly_params:
            continue
        if any(x.default is not None and not isinstance(x.default, cst.Integer | cst.Float) for x in p.params):
            continue
        uses = _Uses(node.name.value)
        function.visit(uses)
        if uses.values or uses.bindings != 1 or node.name.value in name_tools.loads(node):
            continue
        inner = {s.name.value for s in statements(function) if isinstance(s, cst.FunctionDef)}
        if name_tools.loads(node) & inner:
            continue
        return node
    return None


def _lift(module: Module, function: cst.FunctionDef, node: cst.FunctionDef) -> tuple[cst.FunctionDef, cst.FunctionDef]:
    local = name_tools.bound(function)
    reads = name_tools.loads(node) - name_tools.bound(node) - {node.name.value}
    free = [n for n in name_tools.parameters(function) if n in reads]
    free += sorted((reads & local) - set(free))
    plain = all(x.default is None for x in node.params.params) and not node.params.kwonly_params
    more = [cst.Param(cst.Name(n)) for n in free]
    old = node.params
    if plain:
        parameters = old.with_changes(params=[*old.params, *more])
    else:
        star = old.star_arg if old.kwonly_params else cst.ParamStar()
        parameters = old.with_changes(kwonly_params=[*old.kwonly_params, *more], star_arg=star)
    top = node.with_changes(params=parameters, leading_lines=[cst.EmptyLine(indent=False)] * 2)
    module.inherit(top, node)
    new: Any = with_body(function, [s for s in statements(function) if s is not node])
    module.inherit(new, function)
    if free:
        new = new.visit(_Calls(module, node.name.value, free, plain))
        module.inherit(new, function)
    return top, new


def _does_more(node: cst.FunctionDef) -> bool:
    """Says whether a function loops, branches or stores."""
    finder = _More()
    node.visit(finder)
    return finder.found and not finder.outward


class _More(Finder):
    def __init__(self) -> None:
        super().__init__()
        self.found = self.outward = False

    def visit_For(self, node: cst.For) -> None:
        self.found = True

    def visit_While(self, node: cst.While) -> None:
        self.found = True

    def visit_If(self, node: cst.If) -> None:
        self.found = True

    def visit_AssignTarget(self, node: cst.AssignTarget) -> None:
        self.found = self.found or isinstance(node.target, cst.Subscript)

    def visit_AugAssign(self, node: cst.AugAssign) -> None:
        self.found = self.found or isinstance(node.target, cst.Subscript)

    def visit_Nonlocal(self, node: cst.Nonlocal) -> None:
        self.outward = True

    def visit_Yield(self, node: cst.Yield) -> None:
        self.outward = True


class _Uses(Finder):
    """Counts what is done with a function's name beside calling it."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name
        self.values = self.bindings = 0

    def visit_Name(self, node: cst.Name) -> None:
        self.values += node.value == self.name

    def visit_FunctionDef(self, node: cst.FunctionDef) -> None:
        if node.name.value == self.name:
            self.bindings += 1
            self.values -= 1

    def visit_Call(self, node: cst.Call) -> None:
        if isinstance(node.func, cst.Name) and node.func.value == self.name:
            self.values -= 1
            self.values += any(a.star for a in node.args)


class _Calls(Rewriter):
    def __init__(self, module: Module, name: str, free: list[str], plain: bool) -> None:
        super().__init__(module)
        self.name, self.free, self.plain = name, free, plain

    def given(self, call: cst.Call) -> cst.Call:
        """Returns a call with what the function reads as further arguments."""
        tight = cst.AssignEqual(cst.SimpleWhitespace(""), cst.SimpleWhitespace(""))
        plain = self.plain and all(a.keyword is None for a in call.args)
        args = [a.with_changes(whitespace_after_arg=cst.SimpleWhitespace("")) for a in call.args]
        for name in self.free:
            named = cst.Arg(cst.Name(name), keyword=cst.Name(name), equal=tight)
            args.append(cst.Arg(cst.Name(name)) if plain else named)
        comma = cst.Comma(whitespace_after=cst.SimpleWhitespace(" "))
        args[:-1] = [a.with_changes(comma=comma) for a in args[:-1]]
        return call.with_changes(args=args)

    def leave_Call(self, original_node: cst.Call, updated_node: cst.Call) -> cst.Call:
        return self.given(updated_node) if code(updated_node.func) == self.name else updated_node
