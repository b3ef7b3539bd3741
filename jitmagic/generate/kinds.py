"""What is known of an expression's value: observed facts, and for names what was seen elsewhere in the function."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import libcst as cst

from jitmagic.generate import names as name_tools
from jitmagic.generate.blocks import code
from jitmagic.generate.module import Module, qualified
from jitmagic.generate.walking import Finder, nodes_of
from jitmagic.observe.facts import Observation, ValueFact

_CONTAINERS = (cst.List, cst.Tuple, cst.Dict, cst.Set, cst.ListComp, cst.DictComp, cst.SetComp)
_ORDER = ("bool", "int", "float", "complex")


class Kinds:
    """Facts of the expressions of one function.

    Parameters
    ----------
    module : Module
    function : libcst.FunctionDef
    arguments : mapping of str to ValueFact
        Facts of the parameters, by name; empty for helpers.
    """

    def __init__(self, module: Module, function: cst.FunctionDef, arguments: Mapping[str, ValueFact]) -> None:
        self.module = module
        self.function = function
        self.local = name_tools.bound(function)
        seen: dict[str, list[ValueFact]] = {}
        collector = _NameFacts(module, seen)
        function.visit(collector)
        self.names = seen
        parameters = set(name_tools.parameters(function))
        for name, fact in arguments.items():
            if name in parameters:
                self.names.setdefault(name, [])
                if not self.names[name]:
                    self.names[name].append(fact)
        self.containers = collector.containers
        self.stars = {
            p.name.value for p in (function.params.star_arg, function.params.star_kwarg) if isinstance(p, cst.Param)
        }

    def of(self, node: cst.CSTNode) -> ValueFact | None:
        """Returns what is known of an expression; None where nothing is."""
        fact = self.module.fact(node)
        if fact is not None:
            return fact
        if isinstance(node, cst.Name):
            facts = self.names.get(node.value, [])
            if facts and all(_alike(f, facts[0]) for f in facts):
                return facts[0]
            return None
        return literal(node)

    def dtype(self, node: cst.CSTNode) -> str | None:
        """Returns the dtype of an array or NumPy scalar, None for anything else."""
        fact = self.of(node)
        return fact.dtype if fact is not None and fact.kind in ("array", "scalar") else None

    def is_array(self, node: cst.CSTNode) -> bool:
        """Says whether the value was an array each time."""
        fact = self.of(node)
        return fact is not None and fact.kind == "array"

    def is_number(self, node: cst.CSTNode) -> bool:
        """Says whether the value was a Python number or a NumPy scalar each time."""
        fact = self.of(node)
        return fact is not None and fact.kind in ("scalar", "float", "int", "bool", "complex")

    def is_container(self, node: cst.CSTNode) -> bool:
        """Says whether the value is a Python list, tuple, dict or set."""
        fact = self.of(node)
        if fact is not None:
            return fact.kind in ("list", "tuple", "dict", "set")
        return isinstance(node, _CONTAINERS) or (
            isinstance(node, cst.Name) and (node.value in self.containers or node.value in self.stars)
        )

    def is_mask(self, node: cst.CSTNode) -> bool:
        """Says whether the value is an array of bool."""
        fact = self.of(node)
        return fact is not None and fact.kind == "array" and fact.dtype == "bool"

    def path(self, node: cst.BaseExpression) -> str | None:
        """Returns the dotted path that a name or attribute chain stands for."""
        return qualified(node, self.module.names, self.local)


def by_function(module: Module, tree: cst.Module, entry: str) -> dict[str, Kinds]:
    """Returns what is known of the expressions of each top-level function; ``entry`` is the function under study."""
    functions = [s for s in tree.body if isinstance(s, cst.FunctionDef)]
    observed = module.observed
    facts = {f.name.value: argument_facts(observed, f) if f.name.value == entry and observed else {} for f in functions}
    return {f.name.value: Kinds(module, f, facts[f.name.value]) for f in functions}


def _alike(a: ValueFact, b: ValueFact) -> bool:
    return a.kind == b.kind and a.dtype == b.dtype


def literal(node: cst.CSTNode) -> ValueFact | None:
    """Returns what is known of a number that is written out, None for anything else."""
    if isinstance(node, cst.Integer):
        return ValueFact("int", low=int(node.value.replace("_", ""), 0), high=int(node.value.replace("_", ""), 0))
    if isinstance(node, cst.Float):
        return ValueFact("float")
    if isinstance(node, cst.Imaginary):
        return ValueFact("complex")
    if isinstance(node, cst.Name) and node.value in ("True", "False"):
        return ValueFact("bool")
    if isinstance(node, cst.UnaryOperation) and isinstance(node.operator, cst.Minus | cst.Plus):
        return literal(node.expression)
    if isinstance(node, cst.BinaryOperation):
        left, right = literal(node.left), literal(node.right)
        if left is None or right is None:
            return None
        if isinstance(node.operator, cst.Divide):
            return ValueFact("float")
        return ValueFact(max(left.kind, right.kind, key=_ORDER.index))
    return None


class _NameFacts(Finder):
    def __init__(self, module: Module, seen: dict[str, list[ValueFact]]) -> None:
        super().__init__()
        self.module = module
        self.seen = seen
        self.containers: set[str] = set()

    def visit_Name(self, node: cst.Name) -> None:
        fact = self.module.fact(node)
        if fact is not None:
            self.seen.setdefault(node.value, []).append(fact)

    def visit_Assign(self, node: cst.Assign) -> None:
        for target in node.targets:
            if isinstance(target.target, cst.Name):
                if isinstance(node.value, _CONTAINERS):
                    self.containers.add(target.target.value)
                fact = self.module.fact(node.value)
                if fact is not None:
                    self.seen.setdefault(target.target.value, []).append(fact)


def argument_facts(observed: Observation | None, function: cst.FunctionDef) -> dict[str, ValueFact]:
    """Returns the facts of the arguments by parameter name; a ``*args`` parameter gets a tuple of its elements."""
    facts: dict[str, ValueFact] = {}
    if observed is None:
        return facts
    star = function.params.star_arg
    items: list[ValueFact] = []
    for label, fact in observed.arguments.items():
        name, bracket, _ = label.partition("[")
        if not bracket:
            facts[name] = fact
        elif isinstance(star, cst.Param) and name == star.name.value:
            items.append(fact)
    if isinstance(star, cst.Param):
        facts[star.name.value] = ValueFact("tuple", items=tuple(items))
    for param in (*function.params.posonly_params, *function.params.params, *function.params.kwonly_params):
        if param.name.value not in facts and param.default is not None:
            default = _default(param.default)
            if default is not None:
                facts[param.name.value] = default
    return facts


def _default(node: cst.BaseExpression) -> ValueFact | None:
    if isinstance(node, cst.Name) and node.value == "None":
        return ValueFact("none")
    if isinstance(node, cst.SimpleString | cst.ConcatenatedString):
        return ValueFact("str")
    if isinstance(node, cst.Tuple):
        items = [_default(e.value) for e in node.elements]
        return ValueFact("tuple", items=tuple(i for i in items if i is not None))
    return literal(node)


def holds_number(module: Module, target: cst.Subscript) -> bool:
    """Says whether a place in a list or a dict was only read as a number, never as an array.

    Of a list all places count: which of them is meant, an index alone does not tell. Of a dict those count that are
    asked for with the same text.
    """
    base = target.value
    fact = module.fact(base)
    if fact is None or fact.kind not in ("list", "dict") or not isinstance(base, cst.Name):
        return False
    text = code(target)
    elements = [
        module.fact(one)
        for one in nodes_of(module.tree, cst.Subscript)
        if isinstance(one.value, cst.Name)
        and one.value.value == base.value
        and isinstance(one.slice[0].slice, cst.Index)
        and (fact.kind == "list" or code(one) == text)
    ]
    items = fact.items if fact.kind == "list" else ()
    kinds = frozenset().union(*(one.kinds for one in (*elements, *items) if one is not None))
    return bool(kinds) and kinds <= {"scalar", "int", "float", "bool", "complex"}


def is_given_numbers(module: Module, node: cst.BaseExpression) -> bool:
    """Says whether a line gives this very place, of a list or a dict, a number that is written out."""
    if not isinstance(node, cst.Subscript):
        return False
    fact, text = module.fact(node.value), code(node)
    numbers = (cst.Integer, cst.Float, cst.UnaryOperation)
    return fact is not None and fact.kind in ("list", "dict") and any(
        isinstance(one.value, numbers) and any(code(target.target) == text for target in one.targets)
        for one in nodes_of(module.tree, cst.Assign)
    )  # fmt: skip


def same_code(a: Any, b: Any) -> bool:
    """Says whether two expressions are written alike."""
    return a is b or code(a) == code(b)
