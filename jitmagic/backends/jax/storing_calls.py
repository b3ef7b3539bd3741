"""Give calls that write into their arguments a line of their own: ``a, b = find(i), find(j)``, ``if find(i) != root:``.

    parent[find(i)] = find(j)          ->         value = find(j)
                                                  value_2 = find(i)
                                                  parent[value_2] = value

In functional form such a call gives back the arrays that it wrote into, which only a statement can take. The order is
Python's; a call stays where it is if what stands beside it reads an array that the call changes, or if Python may not
come to it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import libcst as cst

from jitmagic.backends.jax.store_targets import root_name
from jitmagic.generate import names as name_tools
from jitmagic.generate.blocks import code, leading, made, small, statements, with_alternative, with_body
from jitmagic.generate.kinds import Kinds
from jitmagic.generate.module import Module
from jitmagic.generate.rewriter import Rewriter
from jitmagic.generate.walking import CertainFinder, Finder, nodes_of


def calls_on_their_own(module: Module, tree: cst.Module, kinds: Mapping[str, Kinds]) -> cst.Module:
    """Returns the tree with calls of functions that write into a parameter as statements of their own."""
    functions = {s.name.value: s for s in tree.body if isinstance(s, cst.FunctionDef)}
    written = written_parameters(functions)
    if not written:
        return tree
    taken = set(name_tools.all_names(tree))
    new = {
        name: _Statements(module, f, kinds[name], written, functions, taken).result() for name, f in functions.items()
    }
    return tree.with_changes(
        body=[new.get(s.name.value, s) if isinstance(s, cst.FunctionDef) else s for s in tree.body]
    )


def written_parameters(functions: Mapping[str, cst.FunctionDef]) -> dict[str, frozenset[str]]:
    """Returns the parameters into which functions write, themselves or through another; those that do so alone."""
    found: dict[str, frozenset[str]] = {name: frozenset() for name in functions}
    while True:
        before = dict(found)
        for name, function in functions.items():
            finder = _Written(found, functions)
            function.body.visit(finder)
            found[name] = frozenset(finder.names & set(name_tools.parameters(function)))
        if found == before:
            return {name: names for name, names in found.items() if names}


def given_to(call: cst.Call, function: cst.FunctionDef, written: frozenset[str]) -> frozenset[str] | None:
    """Returns the names that a call gives to written parameters; None where one is given anything but a name."""
    parameters = name_tools.parameters(function)
    names = set()
    for position, argument in enumerate(call.args):
        if argument.star:
            return None
        name = argument.keyword.value if argument.keyword is not None else parameters[position : position + 1]
        if (name if isinstance(name, str) else "".join(name)) in written:
            if not isinstance(argument.value, cst.Name):
                return None
            names.add(argument.value.value)
    return frozenset(names)


class _Written(Finder):
    def __init__(self, found: Mapping[str, frozenset[str]], functions: Mapping[str, cst.FunctionDef]) -> None:
        super().__init__()
        self.found, self.functions = found, functions
        self.names: set[str] = set()

    def visit_AssignTarget(self, node: cst.AssignTarget) -> None:
        self._stored(node.target)

    def visit_AugAssign(self, node: cst.AugAssign) -> None:
        self._stored(node.target)

    def _stored(self, target: cst.BaseExpression) -> None:
        if isinstance(target, cst.Tuple | cst.List):
            for element in target.elements:
                self._stored(element.value)
        elif isinstance(target, cst.Subscript) and (root := root_name(target)) is not None:
            self.names.add(root)

    def visit_Call(self, node: cst.Call) -> None:
        if isinstance(node.func, cst.Name) and self.found.get(node.func.value):
            called = node.func.value
            self.names |= given_to(node, self.functions[called], self.found[called]) or frozenset()


class _Statements:
    def __init__(
        self, module: Module, function: cst.FunctionDef, kinds: Kinds, written: Mapping[str, frozenset[str]],
        functions: Mapping[str, cst.FunctionDef], taken: set[str],
    ) -> None:  # fmt: skip
        self.module, self.function, self.kinds, self.written = module, function, kinds, written
        self.functions, self.taken = functions, taken

    def result(self) -> cst.FunctionDef:
        if not any(self.writes(c) for c in nodes_of(self.function, cst.Call)):
            return self.function
        new: cst.FunctionDef = with_body(self.function, self.block(statements(self.function)))
        self.module.inherit(new, self.function)
        return new

    def writes(self, node: Any) -> bool:
        return isinstance(node, cst.Call) and isinstance(node.func, cst.Name) and node.func.value in self.written

    def block(self, body: Sequence[Any]) -> list[Any]:
        return [new for node in body for new in self.statement(node)]

    def statement(self, node: Any) -> list[Any]:
        one = small(node)
        if one is not None:
            return self.simple(node, one)
        if not isinstance(node, cst.For | cst.While | cst.If | cst.With):
            return [node]
        new = with_alternative(with_body(node, self.block(statements(node))), node, self.block)
        self.module.inherit(new, node)
        if not isinstance(node, cst.If):
            return [new]
        lines, (test,) = self.taken_out(node, [node.test])
        if not lines:
            return [new]
        new = new.with_changes(test=test, leading_lines=())
        self.module.inherit(new, node)
        return [leading(lines[0], node), *lines[1:], new]

    def simple(self, node: Any, one: Any) -> list[Any]:
        new: Any
        if isinstance(one, cst.Assign):
            only = one.targets[0].target
            if len(one.targets) > 1 or (self.writes(one.value) and isinstance(only, cst.Name | cst.Tuple)):
                return [node]
            split = self.split(node, only, one.value)
            if split:
                return split
            lines, (value, target) = self.taken_out(node, [one.value, only])
            new = one.with_changes(value=value, targets=[one.targets[0].with_changes(target=target)])
        elif isinstance(one, cst.AugAssign):
            # the place is known first, then the element is read, then comes what is added to it
            if any(self.writes(c) for c in nodes_of(one.target, cst.Call)):
                lines, (target,) = self.taken_out(node, [one.target], name_tools.loads(one.value))
                if any(self.writes(c) for c in nodes_of(one.value, cst.Call)):
                    return [node]
                new = one.with_changes(target=target)
            else:
                lines, (value,) = self.taken_out(node, [one.value], name_tools.loads(one.target) | _root(one.target))
                new = one.with_changes(value=value)
        elif isinstance(one, cst.Return) and one.value is not None:
            if self.writes(one.value):
                return [node]
            lines, (value,) = self.taken_out(node, [one.value])
            new = one.with_changes(value=value)
        else:
            return [node]
        if not lines:
            return [node]
        self.module.inherit(new, one)
        last = node.with_changes(body=[new], leading_lines=())
        self.module.inherit(last, node)
        return [leading(lines[0], node), *lines[1:], last]

    def split(self, node: Any, target: Any, value: Any) -> list[Any]:
        """Returns ``a, b = find(i), find(j)`` as two statements; none where the second reads what the first binds."""
        if not isinstance(target, cst.Tuple) or not isinstance(value, cst.Tuple):
            return []
        names = [e.value for e in target.elements]
        values = [e.value for e in value.elements]
        if len(names) != len(values) or not all(isinstance(n, cst.Name) for n in names):
            return []
        if not any(self.writes(v) for v in values):
            return []
        bound: set[str] = set()
        for name, each in zip(names, values, strict=True):
            inner = [c for c in nodes_of(each, cst.Call) if self.writes(c) and c is not each]
            reads = not self.writes(each) and bool(nodes_of(each, cst.Subscript))
            if inner or bound & name_tools.loads(each) or reads:
                return []
            bound.add(code(name))
        lines = [self.line(node, code(n), v) for n, v in zip(names, values, strict=True)]
        return [leading(lines[0], node), *lines[1:]]

    def line(self, node: Any, name: str, value: cst.BaseExpression) -> Any:
        line = made(f"{name} = 0", node)
        assigned = line.body[0].with_changes(value=value)
        line = line.with_changes(body=[assigned])
        self.module.inherit(line, node)
        return line

    def taken_out(
        self, node: Any, expressions: list[Any], beside: frozenset[str] = frozenset()
    ) -> tuple[list[Any], list[Any]]:
        """Returns statements for the calls in some expressions, in Python's order, and what is left of those."""
        finder = _Certain(self.writes)
        for expression in expressions:
            expression.visit(finder)
        calls = finder.calls
        every = [c for e in expressions for c in nodes_of(e, cst.Call) if self.writes(c)]
        if not calls or len(every) != len(calls):
            return [], expressions
        changed: set[str] = set()
        for call in calls:
            given = given_to(call, self.functions[call.func.value], self.written[call.func.value])
            if given is None or any(self.writes(c) for a in call.args for c in nodes_of(a, cst.Call)):
                return [], expressions
            changed |= given
        replace = _Replace(self.module, calls, self.fresh)
        left = [e.visit(replace) for e in expressions]
        target = expressions[1] if len(expressions) > 1 else None
        reads = set(beside)
        for expression, old in zip(left, expressions, strict=True):
            if old is target and isinstance(expression, cst.Subscript) and isinstance(expression.value, cst.Name):
                reads |= {n for e in expression.slice for n in name_tools.loads(e)}
            else:
                reads |= name_tools.loads(expression)
        if self.shared(changed) & reads:
            return [], expressions
        return [self.line(node, name, call) for name, call in zip(replace.names, calls, strict=True)], left

    def shared(self, names: set[str]) -> set[str]:
        """Returns names with those that may be the same memory: what a statement takes over without a copy."""
        found = set(names)
        while True:
            before = len(found)
            for assigned in nodes_of(self.function, cst.Assign):
                source = root_name(assigned.value)
                bound = {n for t in assigned.targets for n in name_tools.targets(t.target)}
                if source is not None and not self.kinds.is_number(assigned.value) and found & (bound | {source}):
                    found |= bound | {source}
            if len(found) == before:
                return found

    def fresh(self) -> str:
        name = name_tools.fresh("value", self.taken)
        self.taken.add(name)
        return name


def _root(target: Any) -> frozenset[str]:
    root = root_name(target)
    return frozenset() if root is None else frozenset({root})


class _Certain(CertainFinder):
    """Finds the calls to which Python comes in any case, in its order."""

    def __init__(self, writes: Any) -> None:
        super().__init__()
        self.writes = writes
        self.calls: list[Any] = []

    def visit_Comparison(self, node: cst.Comparison) -> bool:
        return len(node.comparisons) == 1

    def leave_Call(self, original_node: cst.Call) -> None:
        if self.writes(original_node):
            self.calls.append(original_node)


class _Replace(Rewriter):
    def __init__(self, module: Module, calls: Sequence[Any], fresh: Any) -> None:
        super().__init__(module)
        self.calls, self.fresh = calls, fresh
        self.names: list[str] = []

    def leave_Call(self, original_node: cst.Call, updated_node: cst.Call) -> cst.BaseExpression:
        if not any(original_node is c for c in self.calls):
            return updated_node
        self.names.append(self.fresh())
        return cst.Name(self.names[-1])
