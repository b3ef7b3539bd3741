"""Which array names of a function may share memory.

Names fall into groups: two names of different groups surely share no memory (as far as the example
call's arguments do not, see `Observation.overlapping`), two of one group may.
"""

from __future__ import annotations

import ast
from collections.abc import Callable

from jitmagic.analysis.calls import SHAPE_ATTRIBUTES, Calls
from jitmagic.observe.facts import Observation, ValueFact

_PLAIN = frozenset({"float", "int", "bool", "complex", "str", "none", "scalar"})


class Sharing:
    """Groups of names that may share memory, over the whole function (flow is not followed).

    Parameters
    ----------
    function : ast.FunctionDef
    calls : Calls
        What calls return.
    fact : callable
        The observed fact of an expression, or None.
    observed : Observation or None
        Which arguments overlap.
    """

    def __init__(
        self,
        function: ast.FunctionDef,
        calls: Calls,
        fact: Callable[[ast.expr], ValueFact | None],
        observed: Observation | None,
    ) -> None:
        self._parent: dict[str, str] = {}
        self._calls = calls
        self._fact = fact
        self.views: dict[str, ast.expr] = {}
        self._swaps: list[set[str]] = []
        bindings: dict[str, int] = {}
        for node in ast.walk(function):
            if isinstance(node, ast.Assign):
                for target in node.targets:
                    self._bind(target, node.value, bindings)
            elif isinstance(node, ast.AnnAssign) and node.value is not None:
                self._bind(node.target, node.value, bindings)
            elif isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name):
                bindings[node.target.id] = bindings.get(node.target.id, 0) + 1
            elif isinstance(node, ast.NamedExpr):
                self._bind(node.target, node.value, bindings)
            elif isinstance(node, ast.For):
                self._bind(node.target, node.iter, bindings)
        self.views = {name: value for name, value in self.views.items() if bindings.get(name) == 1}
        self._join_swapped(function)
        for one, other in observed.overlapping if observed is not None else ():
            self._join(one.split("[")[0], other.split("[")[0])

    def _join_swapped(self, function: ast.FunctionDef) -> None:
        # `u, v = v, u` lets each name stand for the other's array, never both for one; but what shares with one
        # of them may share with the other afterwards.
        names = {n.id for n in ast.walk(function) if isinstance(n, ast.Name)}
        for swap in self._swaps:
            groups = {self.group(name) for name in swap}
            if len(groups) < len(swap) or any(self.group(n) in groups for n in names - swap):
                for name in swap:
                    self._join(next(iter(swap)), name)

    def group(self, name: str) -> str:
        """Returns the representative of a name's group."""
        while self._parent.get(name, name) != name:
            name = self._parent[name]
        return name

    def may_share(self, one: str, other: str) -> bool:
        """Says whether two names may share memory."""
        return self.group(one) == self.group(other)

    def _join(self, one: str, other: str) -> None:
        self._parent[self.group(one)] = self.group(other)

    def _bind(self, target: ast.expr, value: ast.expr, bindings: dict[str, int]) -> None:
        if isinstance(target, ast.Tuple | ast.List):
            swapped = _swapped(target, value)
            if swapped:
                self._swaps.append(swapped)
                for name in swapped:
                    bindings[name] = bindings.get(name, 0) + 2
                return
            parts = value.elts if isinstance(value, ast.Tuple) and len(value.elts) == len(target.elts) else None
            for position, element in enumerate(target.elts):
                self._bind(element, value if parts is None else parts[position], bindings)
            return
        if not isinstance(target, ast.Name):
            return
        bindings[target.id] = bindings.get(target.id, 0) + 1
        if isinstance(value, ast.Subscript):
            self.views[target.id] = value
        for source in self.sources(value):
            self._join(target.id, source)

    def sources(self, value: ast.expr) -> set[str]:
        """Returns the names whose memory an expression's value may be."""
        fact = self._fact(value)
        if fact is not None and fact.kind in _PLAIN:
            return set()
        if isinstance(value, ast.Name):
            return {value.id}
        if isinstance(value, ast.Attribute):
            return set() if value.attr in SHAPE_ATTRIBUTES else self.sources(value.value)
        if isinstance(value, ast.Subscript | ast.Starred):
            return self.sources(value.value)
        if isinstance(value, ast.IfExp):
            return self.sources(value.body) | self.sources(value.orelse)
        if isinstance(value, ast.BoolOp):
            return set().union(*(self.sources(part) for part in value.values))
        if isinstance(value, ast.Tuple | ast.List):
            return set().union(*(self.sources(part) for part in value.elts))
        if isinstance(value, ast.NamedExpr):
            return self.sources(value.value)
        if isinstance(value, ast.Call):
            if self._calls.is_fresh(value):
                return set()
            parts = [*value.args, *(keyword.value for keyword in value.keywords)]
            if isinstance(value.func, ast.Attribute):
                parts.append(value.func.value)
            return set().union(*(self.sources(part) for part in parts))
        return set()


def _swapped(target: ast.expr, value: ast.expr) -> set[str]:
    """Returns the names of a permutation such as ``u, v = v, u``, the empty set for anything else."""
    if not (isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple)):
        return set()
    left = [e.id for e in target.elts if isinstance(e, ast.Name)]
    right = [e.id for e in value.elts if isinstance(e, ast.Name)]
    whole = len(left) == len(target.elts) and len(right) == len(value.elts)
    return set(left) if whole and sorted(left) == sorted(right) and len(set(left)) == len(left) else set()
