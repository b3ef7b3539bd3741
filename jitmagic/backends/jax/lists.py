"""Rewrite lists that grow in loops so that each step appends one value and reads no list.

``xs[-1]`` becomes a name of its own, which is given each new element; an ``append`` on both ways of a branch becomes
one behind it. What is left is one value a step, which `lax.scan` gives out.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import libcst as cst

from jitmagic.backends.jax.outputs import appended
from jitmagic.generate import names as name_tools
from jitmagic.generate.block_rewriter import BlockRewriter
from jitmagic.generate.blocks import code, leading, made, small, statements, with_body
from jitmagic.generate.module import Module
from jitmagic.generate.rewriter import Rewriter
from jitmagic.generate.walking import Finder

_MOST = 4
"""How many of the last elements of a list may be names of their own."""


def straight_lists(module: Module, tree: cst.Module) -> cst.Module:
    """Returns the tree with lists that grow by one value a step."""
    taken = set(name_tools.all_names(tree))
    body = []
    for statement in tree.body:
        if isinstance(statement, cst.FunctionDef):
            statement = _Lists(module, statement, taken).result()
        body.append(statement)
    return tree.with_changes(body=body)


class _Lists(BlockRewriter):
    def __init__(self, module: Module, function: cst.FunctionDef, taken: set[str]) -> None:
        super().__init__(module, function)
        self.taken = taken

    def name(self, wanted: str) -> str:
        name = name_tools.fresh(wanted, self.taken)
        self.taken.add(name)
        return name

    def block(self, body: Sequence[Any]) -> list[Any]:
        result: list[Any] = []
        for node in body:
            if isinstance(node, cst.If | cst.For | cst.While | cst.With):
                new = self.inside(node)
                if isinstance(new, cst.If):
                    result += self.joined(new)
                    continue
                if isinstance(new, cst.For):
                    new = self.named(new, result)
                result.append(new)
            else:
                result += self.single(node)
        return result

    def single(self, node: Any) -> list[Any]:
        """Returns ``xs, ys = [x0], []`` as a statement for each name."""
        one = small(node)
        if not isinstance(one, cst.Assign) or len(one.targets) != 1 or not isinstance(one.value, cst.Tuple):
            return [node]
        target = one.targets[0].target
        values = [e.value for e in one.value.elements]
        if not isinstance(target, cst.Tuple) or len(target.elements) != len(values):
            return [node]
        if not any(isinstance(v, cst.List) for v in values):
            return [node]
        names: list[Any] = [e.value for e in target.elements]
        bound = {n for t in names for n in name_tools.targets(t)}
        if not all(isinstance(n, cst.Name) for n in names) or any(name_tools.loads(v) & bound for v in values):
            return [node]
        lines: list[Any] = []
        for name, value in zip(names, values, strict=True):
            new = one.with_changes(targets=[cst.AssignTarget(name)], value=value)
            line = node.with_changes(body=[new], leading_lines=() if lines else node.leading_lines)
            self.module.inherit(new, one)
            self.module.inherit(line, node)
            lines.append(line)
        return lines

    def inside(self, node: Any) -> Any:
        # an `elif` stays in its chain, the ends of which are looked at together
        orelse = getattr(node, "orelse", None)
        if not isinstance(orelse, cst.If):
            return super().inside(node)
        new = with_body(node, self.block(statements(node))).with_changes(orelse=self.inside(orelse))
        self.module.inherit(new, node)
        return new

    # one append for both ways -----------------------------------------------------------------

    def joined(self, node: cst.If) -> list[Any]:
        """Returns a branch that ends in an ``append`` on every way with the append behind it."""
        ends = _ends(node)
        if not ends or any(e is None for e in ends):
            return [node]
        lists = {e[0] for e in ends if e is not None}
        if len(lists) != 1:
            return [node]
        target = next(iter(lists))
        value = self.name(f"new_{target}")
        new = self.renamed(node, value)
        last = made(f"{target}.append({value})", node)
        return [new, last]

    def renamed(self, node: cst.If, value: str) -> cst.If:
        new = with_body(node, self.given(statements(node), value))
        assert node.orelse is not None
        if isinstance(node.orelse, cst.If):
            new = new.with_changes(orelse=self.renamed(node.orelse, value))
        else:
            new = new.with_changes(orelse=with_body(node.orelse, self.given(statements(node.orelse), value)))
        self.module.inherit(new, node)
        renewed: cst.If = new
        return renewed

    def given(self, body: Sequence[Any], value: str) -> list[Any]:
        last = body[-1]
        found = appended(last)
        assert found is not None
        one = cst.Assign([cst.AssignTarget(cst.Name(value))], found[1])
        self.module.inherit(one, small(last))
        new = last.with_changes(body=[one])
        self.module.inherit(new, last)
        return [*body[:-1], new]

    # names for the last elements --------------------------------------------------------------

    def named(self, node: cst.For, before: list[Any]) -> cst.For:
        """Returns a loop in which the last elements of the lists that it appends to are names."""
        for statement in statements(node):
            found = appended(statement)
            if found is None:
                continue
            name = found[0]
            reads = _LastReads(name)
            node.visit(reads)
            if not reads.depths or reads.others or reads.appends != 1 or max(reads.depths) > _MOST:
                continue
            depth = max(reads.depths)
            start = _beginning(name, before)
            if start is None or len(start[1]) < depth:
                continue
            lasts = [self.name(f"last_{name}" if k == 0 else f"last_{name}_{k + 1}") for k in range(depth)]
            for k, last in enumerate(lasts):
                given = start[1][-1 - k]
                line = made(f"{last} = {code(given)}", before[start[0]])
                self.module.inherit(small(line).value, given)
                self.module.inherit(line, before[start[0]])
                before.insert(start[0] + 1 + k, line)
            rewrite = _Named(self.module, name, lasts)
            body = []
            for inner in statements(node):
                new = inner.visit(rewrite)
                if appended(inner) is None or appended(inner)[0] != name:  # type: ignore[index]
                    body.append(new)
                    continue
                value = appended(new)[1]  # type: ignore[index]
                fresh = value.value if isinstance(value, cst.Name) else ""
                lines = []
                if not fresh:
                    fresh = lasts[0] if depth == 1 else self.name(f"new_{name}")
                    lines.append(made(f"{fresh} = {code(value)}", inner))
                    self.module.inherit(small(lines[0]).value, found[1])
                lines.append(made(f"{name}.append({fresh})", inner))
                self.module.inherit(small(lines[-1]).value.args[0].value, found[1])
                for k in range(depth - 1, -1, -1):
                    older = fresh if k == 0 else lasts[k - 1]
                    if lasts[k] != older:
                        lines.append(made(f"{lasts[k]} = {older}", inner))
                lines[0] = leading(lines[0], inner)
                body += lines
            new_node = with_body(node, body)
            self.module.inherit(new_node, node)
            node = new_node
        return node


def _ends(node: Any) -> list[Any]:
    """Returns the append at the end of each way through a branch, None for a way without."""
    found: list[Any] = []
    while True:
        body = statements(node)
        found.append(appended(body[-1]) if body else None)
        if sum(appended(s) is not None for s in body) > 1:
            return [None]
        if isinstance(node, cst.If) and node.orelse is not None:
            node = node.orelse
            continue
        if isinstance(node, cst.If):
            found.append(None)
        return found


def _beginning(name: str, before: Sequence[Any]) -> tuple[int, list[cst.BaseExpression]] | None:
    """Returns where a list is begun in a block and its first elements; None where that cannot be told."""
    for position in range(len(before) - 1, -1, -1):
        one = small(before[position])
        if isinstance(one, cst.Assign) and len(one.targets) == 1 and code(one.targets[0].target) == name:
            if not isinstance(one.value, cst.List):
                return None
            elements = [e.value for e in one.value.elements]
            # evaluated twice: it must not do anything
            simple = cst.Name | cst.Integer | cst.Float | cst.Subscript | cst.UnaryOperation
            return (position, elements) if all(isinstance(e, simple) for e in elements) else None
        if name in name_tools.loads(before[position]) or name in name_tools.bound(before[position]):
            return None
    return None


class _LastReads(Finder):
    """Finds how far back a list is read, and what else is done with it."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name
        self.depths: set[int] = set()
        self.others = self.appends = 0

    def visit_Name(self, node: cst.Name) -> None:
        self.others += node.value == self.name

    def visit_Subscript(self, node: cst.Subscript) -> None:
        depth = _depth(node, self.name)
        if depth:
            self.depths.add(depth)
            self.others -= 1

    def visit_Call(self, node: cst.Call) -> None:
        if code(node.func) == f"{self.name}.append":
            self.appends += 1
            self.others -= 1


def _depth(node: cst.Subscript, name: str) -> int:
    """Returns k of ``xs[-k]``; zero for any other subscript."""
    if not isinstance(node.value, cst.Name) or node.value.value != name or len(node.slice) != 1:
        return 0
    index: Any = getattr(node.slice[0].slice, "value", None)
    if isinstance(index, cst.UnaryOperation) and isinstance(index.operator, cst.Minus):
        return int(index.expression.value) if isinstance(index.expression, cst.Integer) else 0
    return 0


class _Named(Rewriter):
    def __init__(self, module: Module, name: str, lasts: Sequence[str]) -> None:
        super().__init__(module)
        self.name, self.lasts = name, lasts

    def leave_Subscript(self, original_node: cst.Subscript, updated_node: cst.Subscript) -> cst.BaseExpression:
        depth = _depth(original_node, self.name)
        return cst.Name(self.lasts[depth - 1]) if depth else updated_node
