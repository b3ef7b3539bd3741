"""One function with what all analyses of it share: facts, calls, aliases, spans."""

from __future__ import annotations

import ast
from collections.abc import Mapping

from jitmagic.analysis.calls import Calls
from jitmagic.analysis.scalars import assigned
from jitmagic.analysis.sharing import Sharing
from jitmagic.observe.facts import Observation, Span, ValueFact


class Scope:
    """One function with what all its loops share: facts, calls, aliases, spans.

    Parameters
    ----------
    tree : ast.Module
    function : str
    names : mapping of str to str
    text : str
    observed : Observation or None
    """

    def __init__(
        self, tree: ast.Module, function: str, names: Mapping[str, str], text: str, observed: Observation | None
    ) -> None:
        found = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == function]
        if not found:
            raise KeyError(function)
        self.function = found[-1]
        self.names = names
        self.observed = observed
        self._lines = text.splitlines()
        self.calls = Calls(tree, names)
        self.aliases = Sharing(self.function, self.calls, self.fact, observed)
        a = self.function.args
        self.parameters = {p.arg for p in (*a.posonlyargs, *a.args, *a.kwonlyargs)}
        if a.vararg is not None:
            self.parameters.add(a.vararg.arg)
        self.locals = assigned(self.function.body) | self.parameters
        self.globals_written = {
            name
            for node in ast.walk(self.function)
            if isinstance(node, ast.Global | ast.Nonlocal)
            for name in node.names
        }

    def span(self, node: ast.AST) -> Span:
        """Returns a node's place with columns in characters (ast counts bytes)."""
        assert isinstance(node, ast.stmt | ast.expr)
        assert node.end_lineno is not None
        return Span(
            node.lineno,
            self._column(node.lineno, node.col_offset),
            node.end_lineno,
            self._column(node.end_lineno, node.end_col_offset or 0),
        )

    def _column(self, line: int, offset: int) -> int:
        return len(self._lines[line - 1].encode()[:offset].decode())

    def fact(self, node: ast.expr) -> ValueFact | None:
        """Returns what was observed of an expression."""
        if self.observed is None:
            return None
        return self.observed.expressions.get(self.span(node))

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
