"""One function with what the proofs of all its loops share: facts, aliases, purity of calls.

>>> scope = Scope("def fn(x, n):\\n    y = np.zeros(n)\\n    v = y[1:]\\n    return v\\n", "fn", {"np": "numpy"}, None)
>>> sorted(scope.locals), ast.unparse(scope.views["v"])
(['n', 'v', 'x', 'y'], 'y[1:]')
>>> scope.may_share("v", "y"), scope.may_share("v", "x")
(True, False)

What a name is bound to, in every scope of a module, is in `jitmagic.analysis.names`.
"""

from __future__ import annotations

import ast
from collections import OrderedDict
from collections.abc import Mapping

from jitmagic.analysis.aliases import Aliases
from jitmagic.analysis.counted import Counted, counted_loops
from jitmagic.analysis.names import Names
from jitmagic.analysis.purity import Purity
from jitmagic.analysis.scalars import assigned
from jitmagic.analysis.tree import SourceTree
from jitmagic.observe.facts import Observation, Span, ValueFact

_KEPT = 8
"""How many scopes are kept: those of the functions of one workload."""

_recent: OrderedDict[tuple[object, ...], tuple[Observation | None, Scope]] = OrderedDict()


def scope_of(
    text: str, function: str, names: Mapping[str, str], observed: Observation | None, elements: bool = False
) -> Scope:
    """Returns a scope, the same one for each library that asks for it; the parameters are those of ``Scope``."""
    key = (text, function, tuple(sorted(names.items())), id(observed), elements)
    kept = _recent.get(key)
    if kept is None or kept[0] is not observed:
        kept = observed, Scope(text, function, names, observed, elements)
        _recent[key] = kept
        if len(_recent) > _KEPT:
            _recent.popitem(last=False)
    _recent.move_to_end(key)
    return kept[1]


class Scope:
    """One function of a module; nothing of it changes once it is made.

    Parameters
    ----------
    text : str
        The module's source.
    function : str
        Name of a top-level function in it.
    names : mapping of str to str
        Import bindings, as in `Workload.names`.
    observed : Observation or None
    elements : bool
        Whether loops over the elements of arrays are read as loops that count.

    Attributes
    ----------
    parameters, locals, globals_written : set of str
    views : dict of str to ast.Subscript
        The names that are bound once, to a subscript.
    counted : dict of Span to Counted
        The loops that are read as loops that count.

    Raises
    ------
    LookupError
        Where there is no such function.
    """

    def __init__(
        self, text: str, function: str, names: Mapping[str, str], observed: Observation | None, elements: bool = False
    ) -> None:
        tree = SourceTree(text, function)
        self.tree, self.function, self.observed = tree, tree.entry, observed
        self._made: Mapping[ast.AST, ValueFact | None] = {}
        self.counted: dict[Span, Counted] = {}
        if elements:
            written = counted_loops(tree, names, self._fact)
            self._made, self.counted = written.facts, written.loops
        self.names = Names(tree, names)
        self.aliases = Aliases(tree, self.names, self._fact, observed.overlapping if observed is not None else ())
        self.purity = Purity(tree, self.names, self.aliases)
        found = self.names.scope(self.function)
        self.parameters = set(found.parameters)
        self.locals = assigned(self.function.body) | self.parameters
        self.globals_written = {
            name
            for node in ast.walk(self.function)
            if isinstance(node, ast.Global | ast.Nonlocal)
            for name in node.names
        }
        self.views: dict[str, ast.Subscript] = {}
        for name in found.local:
            bound = self.names.values(self.function, name)
            if len(bound) == 1 and isinstance(bound[0], ast.Subscript):
                self.views[name] = bound[0]

    def span(self, node: ast.AST) -> Span:
        """Returns a node's place in the text."""
        return self.tree.span(node)

    def fact(self, node: ast.expr) -> ValueFact | None:
        """Returns what was observed of an expression."""
        return self._fact(node)

    def _fact(self, node: ast.AST) -> ValueFact | None:
        if node in self._made:
            return self._made[node]
        if self.observed is None or not isinstance(node, ast.expr):
            return None
        return self.observed.expressions.get(self.tree.span(node))

    def may_share(self, one: str, other: str) -> bool:
        """Says whether two names of the function may stand for the same memory at one time."""
        return self.aliases.may_share(self.function, one, other)

    def is_scalar(self, node: ast.expr) -> bool:
        """Says whether an expression was only ever seen as a number."""
        fact = self.fact(node)
        return fact is not None and fact.kind in ("float", "int", "bool", "complex", "scalar")

    def name_fact(self, name: str) -> ValueFact | None:
        """Returns the first fact of a variable, from its assignments, its reads, or the arguments."""
        for node in ast.walk(self.function):
            if isinstance(node, ast.Assign) and any(isinstance(t, ast.Name) and t.id == name for t in node.targets):
                fact = self.fact(node.value)
                if fact is not None:
                    return fact
            if isinstance(node, ast.Name) and node.id == name:
                fact = self.fact(node)
                if fact is not None:
                    return fact
        if self.observed is not None and name in self.parameters:
            return self.observed.arguments.get(name)
        return None
