"""What a compiled function returns where lists are arrays with a count, and what its wrapper makes of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import libcst as cst

from jitmagic.backends.jax.list_reads import ListReads
from jitmagic.backends.jax.list_sites import mentions
from jitmagic.generate import names as name_tools
from jitmagic.generate.blocks import code, small
from jitmagic.generate.kinds import Kinds
from jitmagic.generate.module import Module, qualified
from jitmagic.generate.walking import nodes_of, returns_of


@dataclass
class Given:
    """What the wrapper does about the entry's lists.

    Attributes
    ----------
    results : list of str
        Names of what the compiled function returns.
    lists : list of (str, str)
        Names of lists, and the expression that makes the list from its array; ``{jax}`` stands for the module.
    shown : str
        What is returned, as the user wrote it; empty where nothing is.
    room : str
        The parameter that says how long the arrays are; empty where each length is known.
    first : str
        What it is at first.
    full : str
        The result that says that the room was too small.
    """

    results: list[str] = field(default_factory=list)
    lists: list[tuple[str, str]] = field(default_factory=list)
    shown: str = ""
    room: str = ""
    first: str = ""
    full: str = ""


class ListResults(ListReads):
    """Rewrites the returns of one function.

    Parameters
    ----------
    entry : bool
        Whether it is the function that is compiled, which has a wrapper.
    taken : set of str
        Names in use.

    Attributes
    ----------
    given : Given or None
        What the wrapper has to do.
    room, full : str
        The parameter that says how long the arrays are, and the flag that they are too short; empty where not needed.
    """

    def __init__(self, module: Module, function: cst.FunctionDef, kinds: Kinds, taken: set[str], entry: bool) -> None:
        super().__init__(module, function, kinds)
        self.taken, self.entry = taken, entry
        self.given: Given | None = None
        self.room = self.full = ""

    def returned(self, first: str) -> Given | None:
        """Says what the wrapper has to do, from the function's returns."""
        own = returns_of(self.function)
        lists = any(name_tools.loads(r) & set(self.lists) for r in own)
        if not lists and not self.room:
            return None
        if not self.entry:
            raise self.refuse(
                next((r for r in own if name_tools.loads(r) & set(self.lists)), self.function),
                "a list that grows in a loop is returned, which compiled code cannot; return an array of fixed size, "
                "and how much of it is in use",
            )
        layouts = [self.layout(r) for r in own]
        if any(one != layouts[0] for one in layouts):
            raise self.refuse(own[-1], "the function returns a list in one place only")
        results, shown, used = layouts[0] if layouts else ([], "", [])
        arrays = _only_made_arrays_of(shown, self.module.names)
        given = Given(list(results), [(n, self.lists[n].shown(n in arrays)) for n in used], shown)
        if self.room:
            given.room, given.first, given.full = self.room, first, self.full
            given.results.append(self.full)
        return given

    def layout(self, node: cst.Return) -> tuple[list[str], str, list[str]]:
        """Returns the names of the compiled function's results, what is shown of them, and the lists among them."""
        if node.value is None or code(node.value) == "None":
            return [], "", []
        several = isinstance(node.value, cst.Tuple)
        values = [e.value for e in node.value.elements] if isinstance(node.value, cst.Tuple) else [node.value]
        results: list[str] = []
        shown: list[str] = []
        used: list[str] = []
        for number, value in enumerate(values):
            found = [n for n in self.lists if n in name_tools.loads(value)]
            if found and not self.outside(value, found):
                raise self.refuse(
                    node, f"`{code(value)}` uses a list whose length depends on array values; make it a name of its "
                    "own first"
                )  # fmt: skip
            if found and not self.inside(value):
                for name in found:
                    if name not in used:
                        used.append(name)
                        one = self.lists[name]
                        results += [name, one.count, *([one.first] if one.first else [])]
                shown.append(code(value))
                continue
            own = value.value if isinstance(value, cst.Name) else ""
            if self.is_the_callers(value):
                shown.append(own)
                continue
            if own in name_tools.parameters(self.function):
                own = ""
            if not own.isidentifier() or own in results or own in ("True", "False", "None"):
                own = name_tools.fresh(f"result_{number}" if several else "result", {*self.taken, *results})
            results.append(own)
            shown.append(own)
        return results, ", ".join(shown) + ("," if several and len(shown) == 1 else ""), used

    def is_the_callers(self, value: cst.BaseExpression) -> bool:
        """Says whether a value is an argument itself, which the wrapper has."""
        if not isinstance(value, cst.Name) or value.value not in name_tools.parameters(self.function):
            return False
        body = cst.For(cst.Name("_"), cst.Name("_"), self.function.body)
        return value.value not in name_tools.bound(body)

    def outside(self, value: cst.BaseExpression, found: Sequence[str]) -> bool:
        """Says whether the wrapper can compute a value: from lists and NumPy alone."""
        rest = name_tools.loads(value) - set(found)
        builtins = {"len", "sum", "min", "max", "sorted", "tuple", "list", "int", "float", "bool"}
        return self.inside(value) or all(n in self.module.names or n in builtins for n in rest - self.kinds.local)

    def given_out(self, node: Any, one: cst.Return) -> list[Any]:
        """Returns a ``return`` of the compiled function."""
        if self.given is None:
            return [self.reads(node)]
        values: list[Any] = []
        if one.value is not None and code(one.value) != "None":
            values = [e.value for e in one.value.elements] if isinstance(one.value, cst.Tuple) else [one.value]
        given: list[Any] = []
        named: set[str] = set()
        for value in values:
            if self.is_the_callers(value):
                continue
            if self.inside(value):
                given.append(self.reads(value))
                continue
            for name in self.lists:
                if name in name_tools.loads(value) and name not in named:
                    named.add(name)
                    known = self.lists[name]
                    given += [self.named(n, node) for n in (name, known.count, known.first) if n]
        if self.full:
            given.append(self.named(self.full, node))
        if not given:
            return [node.with_changes(body=[cst.Return()])]
        value = given[0] if len(given) == 1 else cst.Tuple([cst.Element(g) for g in given], lpar=[], rpar=[])
        new = node.with_changes(body=[one.with_changes(value=value, whitespace_after_return=cst.SimpleWhitespace(" "))])
        self.module.inherit(new, node)
        self.module.inherit(small(new), one)
        return [new]

    def named(self, name: str, like: cst.CSTNode) -> cst.Name:
        node = cst.Name(name)
        self.learned(node, like)
        return node


def _only_made_arrays_of(text: str, names: Mapping[str, str]) -> frozenset[str]:
    """Returns the names that an expression reads in ``np.array(name)`` only."""
    if not text:
        return frozenset()
    node = cst.parse_expression(text)
    given = [
        call.args[0].value
        for call in nodes_of(node, cst.Call)
        if qualified(call.func, names) == "numpy.array" and call.args and call.args[0].keyword is None
    ]
    found = {one.value for one in given if isinstance(one, cst.Name)}
    return frozenset(n for n in found if mentions(node, n) == sum(code(one) == n for one in given))
