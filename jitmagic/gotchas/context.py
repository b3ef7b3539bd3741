"""What a rule is given: the parsed function, the analyses, the observed facts, and short ways to ask for them.

The analyses are made once a workload and shared by all rules.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from jitmagic.analysis.aliases import Aliases
from jitmagic.analysis.control import Control, Level, Place
from jitmagic.analysis.effects import Effects
from jitmagic.analysis.names import Names
from jitmagic.analysis.overlap import Overlap, overlaps
from jitmagic.analysis.tree import SourceTree, parameter_nodes
from jitmagic.capture.workload import Workload
from jitmagic.gotchas.diagnostic import STATUSES
from jitmagic.observe.facts import LoopFact, Observation, ValueFact

CONFIRMED, POSSIBLE, NOT_SEEN = STATUSES

NUMBERS = frozenset({"float", "int", "bool", "complex"})
"""Kinds of Python's own numbers."""

STATIC_KINDS = frozenset({"bool", "str", "none", "function", "tuple", "module", "object", "dict"})
"""Kinds of arguments that every backend takes as compile-time constants."""


@dataclass(frozen=True)
class Note:
    """What a hook found, before the registry adds the rule's own data and the user's lines."""

    node: ast.AST | None
    status: str
    message: str
    fix: str
    handled: bool | None = None


@dataclass(frozen=True)
class Finding:
    """What the verifier found for a variant.

    Attributes
    ----------
    backend : str
    kind : str
        ``"values"``, ``"dtype"``, ``"shape"``, ``"mutated"``, ``"exception"`` or ``"identity"``.
    text : str
        The finding's sentence, or the exception's type and message.
    probe : str
        The probe that it was found with, empty for the user's own arguments.
    """

    backend: str
    kind: str
    text: str
    probe: str = ""


@dataclass(frozen=True)
class Derived:
    """A derivative that was asked for.

    Attributes
    ----------
    argument : str
        The parameter that it is by.
    kinks : bool
        Whether NumPy's differences met a kink.
    """

    argument: str
    kinks: bool = False


class Context:
    """One workload with its observation, as the rules see it.

    Attributes
    ----------
    workload : Workload
    observed : Observation
    tree : SourceTree
    names : Names
    derived : Derived or None
        The derivative that was asked for; None for the function itself.
    """

    def __init__(self, workload: Workload, observed: Observation, derived: Derived | None = None) -> None:
        self.workload, self.observed, self.derived = workload, observed, derived
        self.tree = SourceTree(workload.module.text, workload.function.name)
        self.names = Names(self.tree, workload.names)

    @cached_property
    def aliases(self) -> Aliases:
        """The may-alias map."""
        return Aliases(self.tree, self.names, self.fact)

    @cached_property
    def effects(self) -> Effects:
        """The effects of all functions."""
        return Effects(self.tree, self.names, self.aliases)

    @cached_property
    def control(self) -> Control:
        """The taint of all expressions."""
        return Control(self.tree, self.names, self.fact)

    @cached_property
    def overlaps(self) -> tuple[Overlap, ...]:
        """The stores that may read what they write."""
        return overlaps(self.tree, self.names, self.aliases)

    # -- facts ---------------------------------------------------------------------------------------------------

    def fact(self, node: ast.AST) -> ValueFact | None:
        """Returns what was seen of an expression; for parameters and literals also where nothing was watched."""
        if isinstance(node, ast.expr):
            fact = self.observed.expressions.get(self.tree.span(node))
            if fact is not None:
                return fact
        if isinstance(node, ast.Constant):
            return _constant_fact(node.value)
        if isinstance(node, ast.arg):
            return self._argument(node.arg) if node in parameter_nodes(self.tree.entry) else None
        if isinstance(node, ast.Name) and self.names.binder(node) is self.tree.entry:
            bound = self.names.values(self.tree.entry, node.id)
            if len(bound) == 1 and isinstance(bound[0], ast.arg):
                return self._argument(node.id)
        if isinstance(node, ast.Name) and self.names.binder(node) is None and node.id in self.workload.constants:
            return _constant_fact(self.workload.constants[node.id])
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.UAdd):
            return self.fact(node.operand)
        return None

    def dtype(self, node: ast.AST) -> str | None:
        """Returns the name of an expression's NumPy dtype; None for Python numbers and where it is not known."""
        fact = self.fact(node)
        return fact.dtype if fact is not None else None

    def kind(self, node: ast.AST) -> str | None:
        """Returns the kind of an expression's value, None where it is not known."""
        fact = self.fact(node)
        return fact.kind if fact is not None else None

    def elements(self, node: ast.AST) -> int | None:
        """Returns the number of elements of an array expression, None where it is not known."""
        fact = self.fact(node)
        if fact is None or fact.shape is None or None in fact.shape:
            return None
        return int(np.prod([length or 0 for length in fact.shape], dtype=np.int64))

    def reached(self, node: ast.AST) -> bool | None:
        """Tells whether a place ran in the watched run; None where nothing was watched."""
        if not self.observed.watched:
            return None
        child: ast.AST = self.tree.statement_of(node) or node
        while True:
            if self._seen(child):
                return True
            parent = self.tree.parents.get(child)
            if parent is None:
                return False
            for field in ("body", "orelse", "finalbody"):
                block = getattr(parent, field, None)
                if isinstance(block, list) and child in block:
                    if parent is self.tree.entry or any(self._seen(statement) for statement in block):
                        return True
                    if not _conditional(parent, field):
                        break
                    if isinstance(parent, ast.For | ast.While) and field == "body":
                        loop = self.observed.loops.get(parent.lineno)
                        return loop is not None and loop.trips_high > 0
                    return False
            child = parent

    def status(self, node: ast.AST) -> str:
        """Returns *confirmed* for a place that ran, *not seen* if it did not, *possible* if nothing was watched."""
        return {True: CONFIRMED, False: NOT_SEEN, None: POSSIBLE}[self.reached(node)]

    def loop(self, node: ast.For | ast.While) -> LoopFact | None:
        """Returns what was seen of a loop."""
        return self.observed.loops.get(node.lineno)

    def loops(self, node: ast.AST) -> list[ast.For | ast.While]:
        """Returns the loops around a node, innermost first."""
        return self.tree.loops_around(node)

    def is_length(self, node: ast.AST) -> bool:
        """Tells whether an expression follows from shapes and literals alone, e.g. ``len(x) - 1``."""
        return self.control.level(node) is Level.STATIC

    def argument_values(self) -> dict[str, Any]:
        """Returns the example call's arguments by label."""
        return dict(zip(self.workload.argument_names, self.workload.argument_values(), strict=False))

    def nan_in_arguments(self) -> bool:
        """Tells whether a floating-point array or number among the arguments holds a NaN."""
        for value in self.argument_values().values():
            number = isinstance(value, np.ndarray | np.generic | float)
            if number and np.asarray(value).dtype.kind in "fc" and bool(np.isnan(value).any()):
                return True
        return False

    # -- the source ----------------------------------------------------------------------------------------------

    def nodes(self, *types: type[Any]) -> Iterator[Any]:
        """Yields the nodes of some types inside functions, in the order of the text."""
        for function in self.tree.functions.values():
            for node in ast.walk(function):
                if isinstance(node, types):
                    yield node

    def text(self, node: ast.AST) -> str:
        """Returns a node's text on one line, shortened to what fits a message."""
        found = " ".join(self.tree.segment(node).split())
        return found if len(found) <= 60 else found[:57] + "…"

    def calls(self, *paths: str) -> list[ast.Call]:
        """Returns the calls of library functions; ``"scipy.*"`` means everything below."""
        exact = {path for path in paths if not path.endswith("*")}
        prefixes = tuple(path[:-1] for path in paths if path.endswith("*"))
        found = []
        for node in self.nodes(ast.Call):
            path = self.names.path(node.func)
            if path is not None and (path in exact or (prefixes and path.startswith(prefixes))):
                found.append(node)
        return found

    def array_calls(self, *functions: str) -> list[tuple[ast.Call, ast.expr, str]]:
        """Returns ``np.f(x, …)`` and ``x.f(…)`` as (call, x, "f"), where ``x`` is not known to be something else."""
        found = []
        for node in self.nodes(ast.Call):
            path = self.names.path(node.func)
            if path is not None:
                name = path.removeprefix("numpy.")
                if path.startswith("numpy.") and name in functions and node.args:
                    found.append((node, node.args[0], name))
            elif isinstance(node.func, ast.Attribute) and node.func.attr in functions:
                owner = node.func.value
                if self.kind(owner) in ("array", "scalar", None):
                    found.append((node, owner, node.func.attr))
        return found

    def parameter(self, name: str) -> ast.arg | None:
        """Returns the node of a parameter of the function under study, by its name or an argument's label."""
        plain = name.split("[")[0]
        return next((node for node in parameter_nodes(self.tree.entry) if node.arg == plain), None)

    def is_traced(self, place: Place) -> bool:
        """Tells whether a place depends on an argument that a tracer stands for (no flag, string, None or tuple)."""
        if place.level is Level.ARRAY:
            return True
        kinds = {source: self.observed.arguments.get(source) for source in place.sources}
        return any(fact is None or fact.kind not in STATIC_KINDS for fact in kinds.values())

    def gotcha(self, node: ast.AST | None, status: str, message: str, fix: str, handled: bool | None = None) -> Note:
        """Makes a note at a place.

        Parameters
        ----------
        node : ast.AST or None
            The place; None for the function as a whole.
        status : str
            One of :data:`jitmagic.gotchas.diagnostic.STATUSES`.
        message, fix : str
            One sentence on what happens, and one on what to do.
        handled : bool or None
            Whether the generated variants avoid it; None takes the rule's own answer.
        """
        if status not in STATUSES:
            raise ValueError(f"the status of a gotcha is one of {STATUSES}, not {status!r}")
        return Note(node, status, message, fix, handled)

    def _seen(self, statement: ast.AST) -> bool:
        return any(
            self.tree.span(node) in self.observed.expressions
            for node in ast.walk(statement)
            if isinstance(node, ast.expr) and hasattr(node, "lineno")
        )

    def _argument(self, name: str) -> ValueFact | None:
        fact = self.observed.arguments.get(name)
        if fact is None:
            items = [f for label, f in self.observed.arguments.items() if label.startswith(name + "[")]
            return ValueFact("tuple", items=tuple(items)) if items else None
        return fact


def _conditional(parent: ast.AST, field: str) -> bool:
    return isinstance(parent, ast.If | ast.For | ast.While | ast.ExceptHandler) or field == "orelse"


def _constant_fact(value: Any) -> ValueFact | None:
    if isinstance(value, bool):
        return ValueFact("bool")
    if isinstance(value, int):
        return ValueFact("int", low=value, high=value)
    if isinstance(value, np.ndarray):
        return ValueFact("array", value.dtype.name, value.shape)
    if isinstance(value, np.generic):
        return ValueFact("scalar", value.dtype.name, ())
    for kind, type_ in (("float", float), ("complex", complex), ("str", str), ("list", list), ("dict", dict)):
        if isinstance(value, type_):
            return ValueFact(kind)
    return ValueFact("none") if value is None else None
