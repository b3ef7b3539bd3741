"""Walks LibCST trees for visitors and transformers: several times faster than LibCST's own, with the same hooks.

LibCST makes every node anew on each visit, those that only look included, and comes by each blank and comma. Here a
finder makes nothing, a transformer makes anew what changed alone, and neither enters white space. A node that did not
change stays the same object, so that what is known of it needs no handing over. What takes another's place in an
expression gets the parentheses that it needs there.

Methods that are not hooks have two underscores: subclasses are free in their names.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any, TypeVar

import libcst as cst

from jitmagic.generate.precedence import bracketed

Node = TypeVar("Node", bound=cst.CSTNode)

_TRIVIA = frozenset(
    ("leading_lines", "lines_after_decorators", "header", "footer", "semicolon", "comma", "colon", "first_colon",
     "second_colon", "lpar", "rpar", "lbracket", "rbracket", "lbrace", "rbrace", "equal", "dot", "indent",
     "default_indent", "default_newline", "encoding", "has_trailing_newline")
)  # fmt: skip
"""Fields that hold the form of the text, as those do that have "whitespace" in their names."""

_FIRST: dict[type[cst.CSTNode], tuple[str, ...]] = {
    cst.IfExp: ("body", "test"),
    cst.Arg: ("keyword",),
    cst.Parameters: ("posonly_params", "posonly_ind"),
    cst.FunctionDef: ("decorators", "name", "params", "returns"),
    cst.ExceptHandler: ("type", "name"),
    cst.ClassDef: ("decorators", "name", "bases", "keywords"),
}
"""Fields in which a node's text, and LibCST's walk, begins, where the class declares them in another order."""


@cache
def fields(kind: type[cst.CSTNode]) -> tuple[str, ...]:
    """Returns the fields of a class of nodes that hold code, in the order of the text."""
    names = [f.name for f in dataclasses.fields(kind) if f.name not in _TRIVIA and "whitespace" not in f.name]
    first = _FIRST.get(kind, ())
    return (*first, *(n for n in names if n not in first))


def children(node: cst.CSTNode) -> Iterator[cst.CSTNode]:
    """Yields the nodes below a node, white space apart."""
    for name in fields(type(node)):
        value = getattr(node, name)
        if isinstance(value, cst.CSTNode):
            yield value
        elif isinstance(value, tuple | list):
            yield from (item for item in value if isinstance(item, cst.CSTNode))


def nodes_of(node: cst.CSTNode, kind: type[Node]) -> list[Node]:
    """Returns the nodes of a class at and below a node, in the order of the text."""
    below = [one for child in children(node) for one in nodes_of(child, kind)]
    return [node, *below] if isinstance(node, kind) else below


def returns_of(function: cst.FunctionDef) -> list[cst.Return]:
    """Returns the ``return`` statements of a function, those of functions inside it left out, in their order."""
    waiting, found = list(children(function.body)), []
    while waiting:
        node = waiting.pop(0)
        if isinstance(node, cst.Return):
            found.append(node)
        elif not isinstance(node, cst.FunctionDef | cst.Lambda):
            waiting[:0] = children(node)
    return found


Hook = Callable[..., Any]
_Plan = tuple[Hook | None, Hook | None, tuple[tuple[str, Hook | None, Hook | None], ...]]


@cache
def _plan(walker: type[Any], kind: type[cst.CSTNode]) -> _Plan:
    """Returns a walker's hooks for a class of nodes: on the way in, on the way out, and around each field."""

    def hook(name: str) -> Hook | None:
        # LibCST declares every hook on its own classes, where they do nothing
        found = getattr(walker, name, None)
        idle = (getattr(base, name, None) for base in (cst.CSTVisitor, cst.CSTTransformer))
        return None if found is None or found in idle else found

    word = kind.__name__
    around = tuple((name, hook(f"visit_{word}_{name}"), hook(f"leave_{word}_{name}")) for name in fields(kind))
    return hook(f"visit_{word}"), hook(f"leave_{word}"), around


class Finder(cst.CSTVisitor):
    """A visitor: ``node.visit(finder)`` calls ``visit_…`` and ``leave_…`` for each node, as LibCST's does."""

    def on_visit(self, node: cst.CSTNode) -> bool:
        # LibCST asks for the root alone: what is below is walked here
        enter, _, around = _plan(type(self), type(node))
        if enter is None or enter(self, node) is not False:
            self.__below(node, around)
        return False

    def on_leave(self, original_node: cst.CSTNode) -> None:
        leave = _plan(type(self), type(original_node))[1]
        if leave is not None:
            leave(self, original_node)

    def __below(self, node: cst.CSTNode, around: tuple[tuple[str, Hook | None, Hook | None], ...]) -> None:
        for name, before, after in around:
            if before is not None:
                before(self, node)
            value = getattr(node, name)
            if isinstance(value, cst.CSTNode):
                self.__node(value)
            elif isinstance(value, tuple | list):
                for item in value:
                    if isinstance(item, cst.CSTNode):
                        self.__node(item)
            if after is not None:
                after(self, node)

    def __node(self, node: cst.CSTNode) -> None:
        enter, leave, around = _plan(type(self), type(node))
        if enter is None or enter(self, node) is not False:
            self.__below(node, around)
        if leave is not None:
            leave(self, node)


class Transformer(cst.CSTTransformer):
    """A transformer: ``node.visit(transformer)`` returns the node, the same object where nothing changed.

    A subclass that overrides ``on_leave`` calls this one first: it returns what the hooks made of the node. It is
    called for nodes that have a hook or did change.
    """

    __root: cst.CSTNode | None = None

    def on_visit(self, node: cst.CSTNode) -> bool:
        enter, _, around = _plan(type(self), type(node))
        below = enter is None or enter(self, node) is not False
        # LibCST comes back with the root as it was
        self.__root = self.__below(node, around) if below else node
        return False

    def on_leave(self, original_node: cst.CSTNode, updated_node: Any) -> Any:
        if self.__root is not None:
            updated_node, self.__root = self.__root, None
        leave = _plan(type(self), type(original_node))[1]
        return updated_node if leave is None else leave(self, original_node, updated_node)

    def on_bracketed(self, new: Any, old: cst.CSTNode) -> Any:
        """Returns a node that was put in parentheses; one that remembers places hands them over."""
        return new

    def __below(self, node: cst.CSTNode, around: tuple[tuple[str, Hook | None, Hook | None], ...]) -> cst.CSTNode:
        changes: dict[str, Any] = {}
        for name, before, after in around:
            if before is not None:
                before(self, node)
            value = getattr(node, name)
            new = value
            if isinstance(value, cst.CSTNode):
                new = self.__node(value)
                if new is cst.RemovalSentinel.REMOVE:
                    new = None
                elif new is not value and isinstance(new, cst.BaseExpression):
                    new = self.on_bracketed(bracketed(node, name, new), new)
            elif isinstance(value, tuple | list) and value:
                new = self.__sequence(value)
            if new is not value:
                changes[name] = new
            if after is not None:
                after(self, node)
        return node.with_changes(**changes) if changes else node

    def __sequence(self, values: Any) -> Any:
        result: list[Any] = []
        changed = False
        for value in values:
            new = self.__node(value) if isinstance(value, cst.CSTNode) else value
            if new is value:
                result.append(value)
                continue
            changed = True
            for one in new if isinstance(new, cst.FlattenSentinel) else (new,):
                if one is cst.RemovalSentinel.REMOVE:
                    continue
                if isinstance(one, cst.SimpleStatementLine) and not one.body and getattr(value, "body", None):
                    continue  # all of the line was removed
                result.append(one)
        return result if changed else values

    def __node(self, node: cst.CSTNode) -> Any:
        enter, leave, around = _plan(type(self), type(node))
        updated = self.__below(node, around) if enter is None or enter(self, node) is not False else node
        if leave is None and updated is node:
            return node
        return self.on_leave(node, updated)


class CertainFinder(Finder):
    """A finder that looks only at what Python comes to in any case: no second operand, no branch, no element."""

    def visit_IfExp(self, node: cst.IfExp) -> bool:
        node.test.visit(self)
        return False

    def visit_BooleanOperation(self, node: cst.BooleanOperation) -> bool:
        node.left.visit(self)
        return False

    def visit_Lambda(self, node: cst.Lambda) -> bool:
        return False

    def visit_ListComp(self, node: cst.ListComp) -> bool:
        return False

    def visit_GeneratorExp(self, node: cst.GeneratorExp) -> bool:
        return False

    def visit_SetComp(self, node: cst.SetComp) -> bool:
        return False

    def visit_DictComp(self, node: cst.DictComp) -> bool:
        return False
