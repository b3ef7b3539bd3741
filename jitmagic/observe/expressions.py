"""Rewrites expressions so that they report their values, or so that they call unwatched helpers.

Each expression ``e`` becomes ``watch(site, e)``, which returns its value. Operands are wrapped where they stand, so
that the order of evaluation, short circuits and the number of evaluations stay those of the source. What is evaluated
many times within one expression (bodies of lambdas and comprehensions) becomes ``watched if gate() else plain``.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from jitmagic.observe.facts import Span
from jitmagic.observe.recorder import WatchNames
from jitmagic.observe.spans import SpanMap

Node = TypeVar("Node", bound=ast.AST)

_INDEXING_CALLS = frozenset({"at", "take", "put", "bincount"})
"""Functions whose integer array arguments are indices: ``np.add.at``, ``np.take``, ``x.put``, ``np.bincount``."""

_CASTS = frozenset({"astype", "int8", "int16", "int32", "uint8", "uint16", "uint32", "uint64"})
"""What may make integers of floats, whose range then tells whether they fit."""


@dataclass(frozen=True)
class Site:
    """One expression that reports: the places its value has in the text, and whether it stands in an index."""

    spans: tuple[Span, ...]
    index: bool


def renewed(node: Node, **changes: Any) -> Node:
    """Returns a copy of a node with some fields changed; children are shared."""
    fields = {name: getattr(node, name) for name in node._fields if hasattr(node, name)}
    return ast.copy_location(type(node)(**(fields | changes)), node)


def call(at: ast.AST, name: str, *arguments: ast.expr | int) -> ast.Call:
    """Writes ``name(arguments)`` at the place of a node."""
    written = [ast.copy_location(ast.Constant(a), at) if isinstance(a, int) else a for a in arguments]
    return ast.copy_location(ast.Call(load(at, name), written, []), at)


def load(at: ast.AST, name: str) -> ast.Name:
    """Writes a read of a name at the place of a node."""
    return ast.copy_location(ast.Name(name, ast.Load()), at)


def target_names(target: ast.expr) -> list[ast.Name]:
    """Returns the names that an assignment to a target binds, from left to right."""
    if isinstance(target, ast.Name):
        return [target]
    if isinstance(target, ast.Starred):
        return target_names(target.value)
    if isinstance(target, ast.Tuple | ast.List):
        return [name for element in target.elts for name in target_names(element)]
    return []


class Expressions:
    """Writes the watched and the plain form of expressions, and keeps the table of sites.

    Parameters
    ----------
    spans : SpanMap
        Of the module's text.
    names : WatchNames
        Of the recorder.
    modules : frozenset of str
        Names that imports bind; they are not watched.
    plain_functions : frozenset of str
        Module-level functions that have an unwatched version.
    """

    def __init__(
        self, spans: SpanMap, names: WatchNames, modules: frozenset[str], plain_functions: frozenset[str]
    ) -> None:
        self.spans = spans
        self.names = names
        self.sites: list[Site] = []
        self.gates = 0
        self._modules = modules
        self._plain_functions = plain_functions
        self._numbers: dict[tuple[Span, ...], int] = {}
        self._gate_of: dict[int, int] = {}

    # -- reporting -----------------------------------------------------------------------------------------------

    def report(self, value: ast.expr, spans: Sequence[Span], *, index: bool = False) -> ast.expr:
        """Writes ``watch(site, value)`` for the given places."""
        if not spans:
            return value
        key = tuple(spans)
        if key not in self._numbers:
            self._numbers[key] = len(self.sites)
            self.sites.append(Site(key, index))
        return call(value, self.names.watch, self._numbers[key], value)

    def report_name(self, name: ast.Name | ast.arg) -> ast.Expr:
        """Writes a statement that reports what a name holds now."""
        held = load(name, name.arg if isinstance(name, ast.arg) else name.id)
        return ast.copy_location(ast.Expr(self.report(held, [self.spans.of(name)])), name)

    def gate(self, at: ast.AST) -> ast.Call:
        """Writes the call that says whether this evaluation is watched; one gate for each node of the source."""
        if id(at) not in self._gate_of:
            self._gate_of[id(at)] = self.gates
            self.gates += 1
        return call(at, self.names.gate(self._gate_of[id(at)]))

    # -- the watched form ----------------------------------------------------------------------------------------

    def watch(self, node: ast.expr, *, also: Sequence[Span] = (), index: bool = False) -> ast.expr:
        """Writes the form that reports the expression and all that it evaluates.

        Parameters
        ----------
        also : sequence of Span
            Further places that the value has: names that it is assigned to.
        index : bool
            Whether it stands in an index.
        """
        if not self._watchable(node):
            return self.report(node, also)
        return self.report(self._inside(node), [self.spans.of(node), *also], index=index)

    def _watchable(self, node: ast.expr) -> bool:
        if isinstance(node, ast.Constant | ast.JoinedStr | ast.Yield | ast.YieldFrom | ast.Await | ast.Starred):
            return False
        if type(node).__name__ == "TemplateStr":
            return False
        return not (isinstance(node, ast.Name) and node.id in self._modules)

    def _all(self, nodes: Sequence[ast.expr]) -> list[ast.expr]:
        return [self._element(node) for node in nodes]

    def _element(self, node: ast.expr, *, index: bool = False) -> ast.expr:
        if isinstance(node, ast.Starred):
            return renewed(node, value=self.watch(node.value))
        return self.watch(node, index=index)

    def _inside(self, node: ast.expr) -> ast.expr:
        """Writes the expression with its operands watched, itself not."""
        match node:
            case ast.Attribute():
                return renewed(node, value=self._receiver(node.value))
            case ast.Subscript():
                return renewed(node, value=self.watch(node.value), slice=self.index(node.slice))
            case ast.Call():
                return self._call(node)
            case ast.BinOp():
                return renewed(node, left=self.watch(node.left), right=self.watch(node.right))
            case ast.UnaryOp():
                return renewed(node, operand=self.watch(node.operand))
            case ast.Compare():
                return renewed(node, left=self.watch(node.left), comparators=self._all(node.comparators))
            case ast.BoolOp():
                return renewed(node, values=self._all(node.values))
            case ast.IfExp():
                return renewed(
                    node, test=self.watch(node.test), body=self.watch(node.body), orelse=self.watch(node.orelse)
                )
            case ast.NamedExpr():
                return renewed(node, value=self.watch(node.value, also=[self.spans.of(node.target)]))
            case ast.Tuple() | ast.List() | ast.Set():
                return renewed(node, elts=self._all(node.elts))
            case ast.Dict():
                keys = [None if key is None else self.watch(key) for key in node.keys]
                return renewed(node, keys=keys, values=self._all(node.values))
            case ast.Lambda():
                return renewed(node, body=self._gated(node.body))
            case ast.ListComp() | ast.SetComp() | ast.GeneratorExp():
                return renewed(node, elt=self._gated(node.elt), generators=self._generators(node.generators))
            case ast.DictComp():
                return renewed(
                    node,
                    key=self._gated(node.key),
                    value=self._gated(node.value),
                    generators=self._generators(node.generators),
                )
        return node

    def _receiver(self, node: ast.expr, ranged: bool = False) -> ast.expr:
        root = node
        while isinstance(root, ast.Attribute):
            root = root.value
        if isinstance(root, ast.Name) and root.id in self._modules:
            return node
        return self.watch(node, index=ranged)

    def _call(self, node: ast.Call) -> ast.expr:
        function = node.func
        if isinstance(function, ast.Name):
            if function.id == "super":
                return node
        elif isinstance(function, ast.Attribute):
            function = renewed(function, value=self._receiver(function.value, ranged=function.attr in _CASTS))
        else:
            function = self.watch(function)
        index = isinstance(node.func, ast.Attribute) and node.func.attr in _INDEXING_CALLS | _CASTS
        return renewed(
            node,
            func=function,
            args=[self._element(argument, index=index) for argument in node.args],
            keywords=[renewed(keyword, value=self.watch(keyword.value)) for keyword in node.keywords],
        )

    def index(self, node: ast.expr) -> ast.expr:
        """Writes the watched form of what stands between the brackets of a subscript."""
        if isinstance(node, ast.Slice):
            parts = {name: getattr(node, name) for name in ("lower", "upper", "step")}
            return renewed(node, **{name: part and self.watch(part) for name, part in parts.items()})
        if isinstance(node, ast.Tuple):
            elements = [
                self.index(part) if isinstance(part, ast.Slice) else self._element(part, index=True)
                for part in node.elts
            ]
            rewritten = renewed(node, elts=elements)
            # `x[i, j]` has no tuple for LibCST, `x[(i, j)]` has.
            return self.report(rewritten, [self.spans.of(node)]) if self.spans.parenthesised(node) else rewritten
        return self._element(node, index=True)

    def _gated(self, node: ast.expr) -> ast.expr:
        watched, plain = self.watch(node), self.plain(node)
        if watched is plain:
            return node
        return ast.copy_location(ast.IfExp(self.gate(node), watched, plain), node)

    def _generators(self, generators: Sequence[ast.comprehension]) -> list[ast.comprehension]:
        # The first iterable is evaluated once, outside; the others and the conditions once an item.
        return [
            renewed(
                generator,
                iter=self._gated(generator.iter) if number else self.watch(generator.iter),
                ifs=[self._gated(condition) for condition in generator.ifs],
            )
            for number, generator in enumerate(generators)
        ]

    def target(self, node: ast.expr) -> ast.expr:
        """Writes an assignment target with what it evaluates watched: ``watch(a)[watch(i)]``, ``watch(o).name``."""
        match node:
            case ast.Attribute():
                return renewed(node, value=self._receiver(node.value))
            case ast.Subscript():
                return renewed(node, value=self.watch(node.value), slice=self.index(node.slice))
            case ast.Starred():
                return renewed(node, value=self.target(node.value))
            case ast.Tuple() | ast.List():
                return renewed(node, elts=[self.target(element) for element in node.elts])
        return node

    # -- the plain form ------------------------------------------------------------------------------------------

    def plain(self, node: Node) -> Node:
        """Writes the form that reports nothing: calls of helpers go to their unwatched versions.

        Only calls that are sure to be evaluated with the expression are redirected. The first call of a helper is thus
        never one that nobody has watched.
        """
        return self._plain(node, sure=True)

    def _plain(self, node: Node, *, sure: bool) -> Node:
        changes: dict[str, Any] = {}
        for name, value in ast.iter_fields(node):
            if isinstance(value, ast.expr | ast.keyword):
                new: Any = self._plain(value, sure=sure and _always_evaluated(node, name, 0))
                changed = new is not value
            elif isinstance(value, list):
                new = [
                    self._plain(item, sure=sure and _always_evaluated(node, name, number))
                    if isinstance(item, ast.expr | ast.keyword)
                    else item
                    for number, item in enumerate(value)
                ]
                changed = any(a is not b for a, b in zip(new, value, strict=True))
            else:
                continue
            if changed:
                changes[name] = new
        if sure and isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            helper = node.func.id
            if helper in self._plain_functions:
                changes["func"] = load(node.func, self.names.plain(helper))
        return renewed(node, **changes) if changes else node


def _always_evaluated(node: ast.AST, field: str, number: int) -> bool:
    """Says whether a child expression is evaluated, once, whenever its parent is."""
    match node:
        case ast.BoolOp() | ast.Compare():
            return number == 0
        case ast.IfExp():
            return field == "test"
        case ast.Lambda() | ast.ListComp() | ast.SetComp() | ast.DictComp() | ast.GeneratorExp():
            return False
    return True
