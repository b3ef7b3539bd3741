"""Which names stand for the same memory at one time: what `Aliases.may_share` answers from.

It adds to the roots of each name: names that take turns (``u, v = v, u``), names of a function around, arguments that
overlap, and the arguments that a helper's callers give it.

>>> from jitmagic.analysis.aliases import Aliases
>>> from jitmagic.analysis.names import Names
>>> from jitmagic.analysis.tree import SourceTree
>>> text = "def step(x, y):\\n    y[1:] = x[:-1]\\n\\n\\ndef fn(u, v):\\n    u, v = v, u\\n    step(u, u)\\n"
>>> tree = SourceTree(text, "fn")
>>> aliases = Aliases(tree, Names(tree, {}))
>>> aliases.may_share(tree.entry, "u", "v"), aliases.may_share(tree.functions["step"], "x", "y")
(False, True)
"""

from __future__ import annotations

import ast
from itertools import combinations
from typing import TYPE_CHECKING

from jitmagic.analysis.tree import FunctionNode, bind_arguments, own_nodes

if TYPE_CHECKING:
    from jitmagic.analysis.aliases import Aliases

Roots = dict[str, frozenset[str]]


class Sharing:
    """The names of each function of a module that may share memory.

    Parameters
    ----------
    aliases : Aliases
    overlapping : frozenset of frozenset of str
        Pairs of argument names that share memory.
    """

    def __init__(self, aliases: Aliases, overlapping: frozenset[frozenset[str]]) -> None:
        self._aliases = aliases
        self._tree, self._names = aliases.tree, aliases.names
        self._links: dict[ast.AST, set[frozenset[str]]] = {f: set(overlapping) for f in self._tree.definitions()}
        self._roots: dict[ast.AST, Roots] = {}
        changed = True
        while changed:  # what a function's arguments share, its helpers' parameters share: until nothing grows
            self._roots.clear()
            before = sum(map(len, self._links.values()))
            for function in self._tree.definitions():
                self._link_helpers(function)
            changed = sum(map(len, self._links.values())) > before

    def may_share(self, function: FunctionNode, one: str, other: str) -> bool:
        """Tells whether two names may stand for the same memory at one time."""
        return one == other or self._meet(function, self.origins(function, one), self.origins(function, other))

    def origins(self, function: ast.AST, name: str) -> frozenset[str]:
        """Returns the roots of a name, traced through the functions around."""
        if function not in self._roots:
            self._roots[function] = self._trace(function)
        return self._roots[function].get(name, frozenset({name}))

    def _meet(self, function: ast.AST, one: frozenset[str], other: frozenset[str]) -> bool:
        links = self._links.get(function, set())
        return bool(one & other) or any(frozenset({a, b}) in links for a in one for b in other)

    def _trace(self, function: ast.AST) -> Roots:
        """Returns the roots of every name of a function; a swap counts only where it does more than exchange."""
        aliases = self._aliases
        names = aliases.bound_names(function)
        joined: list[dict[str, frozenset[str]]] = []
        clean = list(aliases.swaps(function))
        while True:
            roots = {name: self._outer(function, aliases.trace(function, name, joined)) for name in names}
            dirty = [swap for swap in clean if self._spreads(function, swap, roots)]
            if not dirty:
                return roots
            joined += dirty
            clean = [swap for swap in clean if swap not in dirty]

    def _spreads(self, function: ast.AST, swap: dict[str, frozenset[str]], roots: Roots) -> bool:
        """Tells whether something else shares memory with a swapped name, and so may share with the other after."""
        swapped = {key.partition("@")[0] for key in swap}
        return any(
            self._meet(function, roots.get(name, frozenset({name})), roots[other])
            for name in swapped
            for other in roots
            if other != name
        )

    def _outer(self, function: ast.AST, roots: frozenset[str]) -> frozenset[str]:
        around = next((node for node in self._tree.ancestors(function) if isinstance(node, ast.FunctionDef)), None)
        if around is None:
            return roots
        local = self._names.scope(function).local
        found: set[str] = set()
        for root in roots:
            mine = root.partition("@")[0] in local
            found |= {root} if mine else {root} | self.origins(around, root)
        return frozenset(found)

    def _link_helpers(self, function: ast.FunctionDef) -> None:
        called = set()
        for node in own_nodes(function):
            if isinstance(node, ast.Call) and (helper := self._names.helper(node.func)) is not None:
                called.add(node.func)
                self._link_call(function, node, helper)
        for node in own_nodes(function):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and node not in called:
                helper = self._names.helper(node)
                if helper is not None:  # handed on as a value: whoever calls it may give it one array twice
                    self._link_all(helper)

    def _link_call(self, function: ast.FunctionDef, call: ast.Call, helper: ast.FunctionDef) -> None:
        bound = bind_arguments(call, helper)
        if bound is None:
            self._link_all(helper)
            return
        given = {
            parameter: frozenset(
                root
                for value in values
                for name in self._aliases.names_in(value)
                for root in self.origins(function, name)
            )
            for parameter, values in bound.items()
        }
        for (one, first), (other, second) in combinations(given.items(), 2):
            if self._meet(function, first, second):
                self._links[helper].add(frozenset({one, other}))
        for parameter, roots in given.items():
            for outer in self._names.scope(helper).free & roots:
                self._links[helper].add(frozenset({parameter, outer}))

    def _link_all(self, helper: ast.FunctionDef) -> None:
        parameters = self._names.scope(helper).parameters
        self._links[helper] |= {frozenset(pair) for pair in combinations(parameters, 2)}
