"""Rewrite double buffers: ``T, new = new, T`` in a loop, where ``T`` is the caller's array and both are written into.

After an odd number of exchanges the caller's memory goes by the other name. The names get local arrays, a flag tells
which is which, and the caller's array is written behind the loop. Where one of the two is returned at the end, whether
that is the caller's own object depends on the number of exchanges: the flag is returned with it.

    T_ = T.copy()
    swapped = False
    for …:
        …
        T_, new = new, T_
        swapped = not swapped
    T[...] = np.where(swapped, new, T_)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import libcst as cst

from jitmagic.backends.jax.store_targets import root_name
from jitmagic.generate import names as name_tools
from jitmagic.generate.blocks import code, made, small, statements, with_body
from jitmagic.generate.kinds import Kinds
from jitmagic.generate.module import Module
from jitmagic.generate.rewriter import Rewriter
from jitmagic.generate.walking import Finder


@dataclass(frozen=True)
class Own:
    """When what a function returns is the caller's own array; a flag is returned behind the value.

    Attributes
    ----------
    parameter : str
    swapped : bool
        What the flag is then.
    """

    parameter: str
    swapped: bool


def without_exchanges(module: Module, tree: cst.Module, entry: str, kinds: Kinds) -> tuple[cst.Module, Own | None]:
    """Returns the tree with the entry's double buffers as local arrays, and when it returns the caller's own."""
    body: list[Any] = []
    own: Own | None = None
    for statement in tree.body:
        if isinstance(statement, cst.FunctionDef) and statement.name.value == entry:
            statement, own = _rewritten(module, statement, kinds)
        body.append(statement)
    return tree.with_changes(body=body), own


def _rewritten(module: Module, function: cst.FunctionDef, kinds: Kinds) -> tuple[cst.FunctionDef, Own | None]:
    body = list(statements(function))
    parameters = set(name_tools.parameters(function))
    for position, node in enumerate(body):
        pairs = _exchanged(node)
        if len(pairs) != 1:
            continue
        pair = next(iter(pairs))
        given = sorted(set(pair) & parameters)
        if not given or not all(kinds.is_array(cst.Name(n)) for n in pair):
            continue
        if not _fits(function, body, position, pair, given):
            continue
        taken = set(name_tools.all_names(function))
        local = {name: name_tools.fresh(f"{name}_", taken) for name in given}
        swapped = name_tools.fresh("swapped", taken)
        rename = _Local(module, local, pair, swapped)
        new: list[Any] = []
        for statement in body:
            renewed = statement.visit(rename)
            module.inherit(renewed, statement)
            new.append(renewed)
        behind = []
        for name in given:
            mine, other = (local.get(n, n) for n in (name, next(n for n in pair if n != name)))
            behind.append(made(f"{name}[...] = __numpy__.where({swapped}, {other}, {mine})", node))
            value = small(behind[-1]).value
            module.inherit(value, _argument(node, name))
        before = [made(f"{mine} = {name}.copy()", node) for name, mine in local.items()]
        before.append(made(f"{swapped} = False", node))
        own = None
        last = _final(function, pair)
        if last is not None:
            if len(given) != 1:
                continue
            own = Own(given[0], last != given[0])
            new[-1] = made(f"return {local.get(last, last)}, {swapped}", body[-1])
        first = 1 if _is_docstring(body[0]) else 0
        new[position + 1 : position + 1] = behind
        new[first:first] = before
        result: cst.FunctionDef = with_body(function, new)
        module.inherit(result, function)
        return result, own
    return function, None


def _final(function: cst.FunctionDef, pair: tuple[str, ...]) -> str | None:
    """Returns which of two names a function returns, alone, in its one return at the end."""
    returned = _Returned()
    function.visit(returned)
    last = small(statements(function)[-1])
    if returned.count == 1 and isinstance(last, cst.Return) and isinstance(last.value, cst.Name):
        return last.value.value if last.value.value in pair else None
    return None


def _fits(
    function: cst.FunctionDef, body: Sequence[Any], position: int, pair: tuple[str, ...], given: Sequence[str]
) -> bool:
    """Says whether the two are bound by the exchange alone, stored into before its end only, and not by other names."""
    finder = _Names(pair)
    function.visit(finder)
    for name in pair:
        if finder.bound.get(name, 0) != (0 if name in given else 1) or name in finder.shared:
            return False
    if not any(name in finder.stored for name in pair):
        return False
    returned = _Returned()
    function.visit(returned)
    if returned.names & set(pair) and _final(function, pair) is None:
        return False
    later = _Names(pair)
    for statement in body[position + 1 :]:
        statement.visit(later)
    return not later.stored and not later.bound


class _Returned(Finder):
    """Collects the names that are returned as they are."""

    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()
        self.count = 0

    def visit_Return(self, node: cst.Return) -> None:
        self.count += 1
        value = node.value
        parts = [e.value for e in value.elements] if isinstance(value, cst.Tuple | cst.List) else [value]
        self.names |= {p.value for p in parts if isinstance(p, cst.Name)}


def _exchanged(node: Any) -> set[tuple[str, ...]]:
    """Returns the pairs of names that a loop exchanges."""
    if not isinstance(node, cst.For | cst.While):
        return set()
    finder = _Exchanges()
    node.visit(finder)
    return finder.pairs


def _pair(node: cst.Assign) -> tuple[str, ...] | None:
    target, value = node.targets[0].target, node.value
    if len(node.targets) != 1 or not isinstance(target, cst.Tuple) or not isinstance(value, cst.Tuple):
        return None
    names = [e.value.value for e in target.elements if isinstance(e.value, cst.Name)]
    given = [e.value.value for e in value.elements if isinstance(e.value, cst.Name)]
    if len(names) == len(given) == len(target.elements) == 2 and names == given[::-1] and names[0] != names[1]:
        return tuple(sorted(names))
    return None


class _Exchanges(Finder):
    def __init__(self) -> None:
        super().__init__()
        self.pairs: set[tuple[str, ...]] = set()

    def visit_Assign(self, node: cst.Assign) -> None:
        pair = _pair(node)
        if pair is not None:
            self.pairs.add(pair)


class _Names(Finder):
    """Counts bindings beside exchanges, stores, and plain copies of the names into others."""

    def __init__(self, names: tuple[str, ...]) -> None:
        super().__init__()
        self.names = names
        self.bound: dict[str, int] = {}
        self.stored: set[str] = set()
        self.shared: set[str] = set()

    def _target(self, target: cst.BaseExpression) -> None:
        for name in name_tools.targets(target):
            if name in self.names:
                self.bound[name] = self.bound.get(name, 0) + 1
        for part in target.elements if isinstance(target, cst.Tuple | cst.List) else ():
            self._target_store(part.value)
        self._target_store(target)

    def _target_store(self, target: cst.BaseExpression) -> None:
        root = root_name(target) if isinstance(target, cst.Subscript | cst.Attribute) else None
        if root in self.names:
            self.stored.add(root)

    def visit_Assign(self, node: cst.Assign) -> None:
        if _pair(node) is not None and set(_pair(node) or ()) <= set(self.names):
            return
        for target in node.targets:
            self._target(target.target)
        # `a = T` and `a = T[1:]` may be the same memory
        value = node.value
        while isinstance(value, cst.Subscript | cst.Attribute):
            value = value.value
        if isinstance(value, cst.Name) and value.value in self.names and not _reads_one(node.value):
            self.shared.add(value.value)

    def visit_AugAssign(self, node: cst.AugAssign) -> None:
        if isinstance(node.target, cst.Name) and node.target.value in self.names:
            self.stored.add(node.target.value)
        self._target_store(node.target)

    def visit_Call(self, node: cst.Call) -> None:
        for argument in node.args:
            if argument.keyword is not None and argument.keyword.value == "out":
                self._target_store(cst.Attribute(argument.value, cst.Name("out")))


def _reads_one(node: cst.BaseExpression) -> bool:
    """Says whether ``x[…]`` or ``x.shape`` is a number or a shape, no part of the array's memory."""
    if isinstance(node, cst.Attribute):
        return node.attr.value in ("shape", "size", "ndim", "dtype")
    if isinstance(node, cst.Subscript):
        if isinstance(node.value, cst.Attribute):
            return _reads_one(node.value)
        return all(isinstance(e.slice, cst.Index) for e in node.slice) and len(node.slice) > 1
    return False


class _Local(Rewriter):
    """Renames the caller's arrays, and turns the flag at each exchange."""

    def __init__(self, module: Module, local: dict[str, str], pair: tuple[str, ...], swapped: str) -> None:
        super().__init__(module)
        self.local, self.pair, self.swapped = local, pair, swapped

    def visit_Attribute(self, node: cst.Attribute) -> bool:
        return True

    def leave_Attribute(self, original_node: cst.Attribute, updated_node: cst.Attribute) -> cst.Attribute:
        return updated_node.with_changes(attr=original_node.attr)

    def leave_Arg(self, original_node: cst.Arg, updated_node: cst.Arg) -> cst.Arg:
        return updated_node.with_changes(keyword=original_node.keyword)

    def leave_Name(self, original_node: cst.Name, updated_node: cst.Name) -> cst.Name:
        return updated_node.with_changes(value=self.local.get(original_node.value, original_node.value))

    def leave_SimpleStatementLine(self, original_node: cst.SimpleStatementLine, updated_node: Any) -> Any:
        one = small(original_node)
        if isinstance(one, cst.Assign) and _pair(one) == self.pair:
            turned = made(f"{self.swapped} = not {self.swapped}", original_node)
            self.module.inherit(turned, original_node)
            return cst.FlattenSentinel([updated_node, turned])
        return updated_node


def _argument(node: Any, name: str) -> cst.CSTNode:
    """Returns a place where an array is read, whose facts are its own."""
    finder = _First(name)
    node.visit(finder)
    return finder.found or node


class _First(Finder):
    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name
        self.found: cst.Name | None = None

    def visit_Name(self, node: cst.Name) -> None:
        if self.found is None and node.value == self.name:
            self.found = node


def _is_docstring(node: Any) -> bool:
    one = small(node)
    return isinstance(one, cst.Expr) and code(one.value)[:1] in ("'", '"')
