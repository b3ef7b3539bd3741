"""Writes functions inside a function as functions of the module, with what they read around them as parameters.

```
def fn(u, dx):                               @njit(error_model="numpy")
    slope = lambda v: (v - u) / dx     ->    def slope(v, u, dx):
    return slope(u ** 2)                         return (v - u) / dx
```

Numba puts the body of a function inside another one in the place of each of its calls, so that calls within calls take
minutes to compile; a function of the module is compiled once. A call reads the names around the function when it is
made, as it reads an argument.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import libcst as cst

from jitmagic.generate import names as name_tools
from jitmagic.generate.blocks import code, statements, with_body
from jitmagic.generate.module import Module
from jitmagic.generate.rewriter import Rewriter
from jitmagic.generate.walking import Finder


def lifted(module: Module, tree: cst.Module, every: bool = False) -> tuple[cst.Module, dict[str, str]]:
    """Returns the tree with the functions that can stand at the top there, and in which function each stood.

    A function stays where it is if it is bound twice, is handed on while it reads names around it, or has defaults that
    are no literals; and, unless `every` is asked for, if it is called at one place: there it is compiled once in
    either form.
    """
    taken = set(
        name_tools.all_names(tree.with_changes(body=[s for s in tree.body if not isinstance(s, cst.FunctionDef)]))
    )
    taken |= {s.name.value for s in tree.body if isinstance(s, cst.FunctionDef)} | set(module.names)
    body: list[Any] = []
    moved: dict[str, str] = {}
    for statement in tree.body:
        body += _flat(module, statement, taken, moved, every) if isinstance(statement, cst.FunctionDef) else [statement]
    return tree.with_changes(body=body), moved


def _flat(
    module: Module, function: cst.FunctionDef, taken: set[str], moved: dict[str, str], every: bool
) -> list[cst.FunctionDef]:
    """Returns the functions that stood in a function, then what is left of it."""
    before: list[cst.FunctionDef] = []
    while (found := _candidate(function, taken, every)) is not None:
        new, function = _lift(module, function, found)
        taken.add(found.name)
        moved[found.name] = function.name.value
        before += _flat(module, new, taken, moved, every)
    return [*before, function]


@dataclass(frozen=True)
class _Inner:
    """A function inside another one: its statement there, and the function or the lambda itself."""

    name: str
    statement: Any
    node: cst.FunctionDef | cst.Lambda
    reads: tuple[str, ...] = ()


def _inner(statement: Any) -> _Inner | None:
    if isinstance(statement, cst.FunctionDef):
        if statement.decorators or statement.asynchronous is not None:
            return None
        return _Inner(statement.name.value, statement, statement)
    if isinstance(statement, cst.SimpleStatementLine) and len(statement.body) == 1:
        small = statement.body[0]
        if isinstance(small, cst.Assign) and len(small.targets) == 1 and isinstance(small.value, cst.Lambda):
            target = small.targets[0].target
            if isinstance(target, cst.Name):
                return _Inner(target.value, statement, small.value)
    return None


def _candidate(function: cst.FunctionDef, taken: set[str], every: bool) -> _Inner | None:
    inner = [found for s in statements(function) if (found := _inner(s)) is not None]
    if not inner:
        return None
    local = name_tools.bound(function)
    several = _Comprehended()
    function.visit(several)
    for one in inner:
        if one.name in taken or not _stands_alone(one.node):
            continue
        own = name_tools.bound(one.node)
        loads = name_tools.loads(one.node)
        reads = (loads - own - {one.name}) & local
        comprehended = _Comprehended()
        one.node.visit(comprehended)
        hidden = comprehended.names & loads & local - set(name_tools.parameters(one.node))
        if reads & several.names or hidden:
            continue  # a comprehension's variable is not the function's
        if reads & {other.name for other in inner} or reads & several.functions:
            continue  # that one has to be lifted first
        uses = _Uses(one.name, frozenset(reads))
        function.visit(uses)
        if uses.bindings != 1 or uses.shadowed or (reads and (uses.values or uses.starred)):
            continue
        if uses.calls == 1 and not every and not uses.values and not uses.deeper:
            continue
        order = [n for n in name_tools.parameters(function) if n in reads]
        return _Inner(one.name, one.statement, one.node, (*order, *_in_order(one.node, reads - set(order))))
    return None


def _in_order(node: cst.CSTNode, names: set[str] | frozenset[str]) -> list[str]:
    finder = _Order(names)
    node.visit(finder)
    return finder.found


class _Order(Finder):
    def __init__(self, names: set[str] | frozenset[str]) -> None:
        super().__init__()
        self.names = names
        self.found: list[str] = []

    def visit_Name(self, node: cst.Name) -> None:
        if node.value in self.names and node.value not in self.found:
            self.found.append(node.value)


def _stands_alone(node: cst.FunctionDef | cst.Lambda) -> bool:
    """Says whether a function has plain parameters, literal defaults, and nothing that reaches out of it."""
    p = node.params
    if isinstance(p.star_arg, cst.Param) or p.star_kwarg is not None or p.posonly_params or p.kwonly_params:
        return False
    if any(x.default is not None and not isinstance(x.default, cst.Integer | cst.Float) for x in p.params):
        return False
    finder = _Outward()
    node.visit(finder)
    return not finder.found


class _Outward(Finder):
    def __init__(self) -> None:
        super().__init__()
        self.found = False

    def visit_Nonlocal(self, node: cst.Nonlocal) -> None:
        self.found = True

    def visit_Global(self, node: cst.Global) -> None:
        self.found = True

    def visit_Yield(self, node: cst.Yield) -> None:
        self.found = True

    def visit_Import(self, node: cst.Import) -> None:
        self.found = True

    def visit_ImportFrom(self, node: cst.ImportFrom) -> None:
        self.found = True


class _Comprehended(Finder):
    """The variables of comprehensions, and the names of functions and imports at any depth."""

    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()
        self.functions: set[str] = set()
        self._first = True

    def visit_CompFor(self, node: cst.CompFor) -> None:
        self.names.update(name_tools.targets(node.target))

    def visit_FunctionDef(self, node: cst.FunctionDef) -> None:
        if not self._first:
            self.functions.add(node.name.value)
        self._first = False

    def visit_Assign(self, node: cst.Assign) -> None:
        if isinstance(node.value, cst.Lambda):
            self.functions.update(name for t in node.targets for name in name_tools.targets(t.target))

    def visit_Import(self, node: cst.Import) -> None:
        self.functions.update(name_tools.import_bindings(node))

    def visit_ImportFrom(self, node: cst.ImportFrom) -> None:
        self.functions.update(name_tools.import_bindings(node))


class _Uses(Finder):
    """How a function's name is used in the function around it, and whether its reads mean the same at each call."""

    def __init__(self, name: str, reads: frozenset[str]) -> None:
        super().__init__()
        self.name, self.reads = name, reads
        self.values = self.bindings = self.calls = 0
        self.starred = self.shadowed = self.deeper = False
        self._scopes: list[frozenset[str]] = []
        self._generators = 0

    def visit_FunctionDef(self, node: cst.FunctionDef) -> None:
        self._enter(node)

    def leave_FunctionDef(self, original_node: cst.FunctionDef) -> None:
        self._scopes.pop()

    def visit_Lambda(self, node: cst.Lambda) -> None:
        self._enter(node)

    def leave_Lambda(self, original_node: cst.Lambda) -> None:
        self._scopes.pop()

    def _enter(self, node: cst.FunctionDef | cst.Lambda) -> None:
        if isinstance(node, cst.FunctionDef) and node.name.value == self.name:
            self.bindings += 1
            self.values -= 1
        # the outermost is the function in which the names are read
        self._scopes.append(name_tools.bound(node) if self._scopes else frozenset())
        if len(self._scopes) > 1 and self.name in self._scopes[-1]:
            self.shadowed = True

    def visit_GeneratorExp(self, node: cst.GeneratorExp) -> None:
        self._generators += 1

    def leave_GeneratorExp(self, original_node: cst.GeneratorExp) -> None:
        self._generators -= 1

    def visit_AssignTarget(self, node: cst.AssignTarget) -> None:
        self._bound(node.target)

    def visit_AugAssign(self, node: cst.AugAssign) -> None:
        self._bound(node.target)

    def visit_AnnAssign(self, node: cst.AnnAssign) -> None:
        self._bound(node.target)

    def visit_For(self, node: cst.For) -> None:
        self._bound(node.target)

    def visit_CompFor(self, node: cst.CompFor) -> None:
        self._bound(node.target)

    def visit_NamedExpr(self, node: cst.NamedExpr) -> None:
        self._bound(node.target)

    def visit_Param(self, node: cst.Param) -> None:
        self._bound(node.name)

    def visit_AsName(self, node: cst.AsName) -> None:
        self._bound(node.name)

    def _bound(self, target: cst.BaseExpression) -> None:
        found = name_tools.targets(target).count(self.name)
        self.bindings += found
        self.values -= found

    def visit_Attribute(self, node: cst.Attribute) -> None:
        self.values -= node.attr.value == self.name

    def visit_Arg(self, node: cst.Arg) -> None:
        self.values -= node.keyword is not None and node.keyword.value == self.name

    def visit_Name(self, node: cst.Name) -> None:
        self.values += node.value == self.name

    def visit_Call(self, node: cst.Call) -> None:
        if isinstance(node.func, cst.Name) and node.func.value == self.name:
            self.values -= 1
            self.calls += 1
            # from inside a function that may be lifted, itself included, or a generator that becomes one
            self.deeper = self.deeper or len(self._scopes) > 1 or self._generators > 0
            self.starred = self.starred or any(a.star for a in node.args)
            self.shadowed = self.shadowed or any(self.reads & names for names in self._scopes)


def _lift(module: Module, function: cst.FunctionDef, found: _Inner) -> tuple[cst.FunctionDef, cst.FunctionDef]:
    """Returns the new function of the module, and the function without it."""
    more = [cst.Param(cst.Name(name)) for name in found.reads]
    old = found.node.params
    defaults = any(x.default is not None for x in old.params)
    plain = [x.with_changes(comma=cst.MaybeSentinel.DEFAULT) for x in old.params]
    parameters = old.with_changes(params=[*more, *plain] if defaults else [*plain, *more])
    comments = [line for line in found.statement.leading_lines if line.comment is not None]
    blank = cst.EmptyLine(indent=False)
    top: Any = _function(module, found).with_changes(params=parameters, leading_lines=[blank, blank, *comments])
    module.inherit(top, found.node)
    rest = [s for s in statements(function) if s is not found.statement]
    if rest and found.statement is statements(function)[0]:
        rest[0] = rest[0].with_changes(leading_lines=[x for x in rest[0].leading_lines if x.comment is not None])
    new: Any = with_body(function, rest)
    module.inherit(new, function)
    if found.reads:
        calls = _Calls(module, found.name, found.reads, defaults)
        new, renewed = new.visit(calls), top.visit(calls)  # it may call itself
        module.inherit(new, function)
        module.inherit(renewed, top)
        top = renewed
    return top, new


def _function(module: Module, found: _Inner) -> cst.FunctionDef:
    node = found.node
    if isinstance(node, cst.FunctionDef):
        return node
    value: cst.BaseExpression = node.body
    if "\n" in code(value) and not value.lpar:
        value = value.with_changes(lpar=[cst.LeftParen()], rpar=[cst.RightParen()])
        module.inherit(value, node.body)
    space = found.statement.trailing_whitespace
    line = cst.SimpleStatementLine([cst.Return(value)], trailing_whitespace=space)
    module.inherit(line, found.statement)
    header = cst.TrailingWhitespace()
    if space.comment is not None and "#@" in space.comment.value:
        mark = space.comment.value[space.comment.value.rindex("#@") :]
        header = cst.TrailingWhitespace(whitespace=cst.SimpleWhitespace("  "), comment=cst.Comment(mark))
    return cst.FunctionDef(cst.Name(found.name), node.params, cst.IndentedBlock([line], header=header))


class _Calls(Rewriter):
    """Hands a lifted function what it read around it."""

    def __init__(self, module: Module, name: str, reads: tuple[str, ...], first: bool) -> None:
        super().__init__(module)
        self.name, self.reads, self.first = name, reads, first

    def leave_Call(self, original_node: cst.Call, updated_node: cst.Call) -> cst.Call:
        if not isinstance(original_node.func, cst.Name) or original_node.func.value != self.name:
            return updated_node
        named = any(a.keyword is not None for a in updated_node.args) and not self.first
        tight = cst.AssignEqual(cst.SimpleWhitespace(""), cst.SimpleWhitespace(""))
        more = [
            cst.Arg(cst.Name(name), keyword=cst.Name(name), equal=tight) if named else cst.Arg(cst.Name(name))
            for name in self.reads
        ]
        given = list(updated_node.args)
        args = [*more, *given] if self.first else [*given, *more]
        comma = cst.Comma(whitespace_after=cst.SimpleWhitespace(" "))
        keep = [a.with_changes(comma=comma) if isinstance(a.comma, cst.MaybeSentinel) else a for a in args[:-1]]
        return updated_node.with_changes(args=[*keep, args[-1].with_changes(comma=cst.MaybeSentinel.DEFAULT)])


def called_in_prange(tree: cst.Module, names: set[str]) -> set[str]:
    """Returns those of the given functions that are called inside a `prange`, be it through one another."""
    functions = {s.name.value: s for s in tree.body if isinstance(s, cst.FunctionDef)}
    finder = _InPrange()
    tree.visit(finder)
    inside = finder.names & names
    while True:
        more = {n for name in inside for n in name_tools.loads(functions[name]) & names} - inside
        if not more:
            return inside
        inside |= more


class _InPrange(Finder):
    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()

    def visit_For(self, node: cst.For) -> None:
        if isinstance(node.iter, cst.Call) and code(node.iter.func).rsplit(".", 1)[-1].startswith("prange"):
            self.names |= name_tools.loads(node.body)
