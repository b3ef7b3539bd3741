"""What JAX will see as a tracer: names, expressions, and which loops must become ``lax`` loops.

A name is *traced* if a value that depends on the contents of an argument may reach it. What depends on shapes, dtypes,
strings, None and static arguments alone stays Python, as it does when JAX traces.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import libcst as cst

from jitmagic.backends.jax.functions import SHAPE_ONLY
from jitmagic.generate import names as name_tools
from jitmagic.generate.blocks import alternative, code, statements
from jitmagic.generate.kinds import Kinds
from jitmagic.generate.module import Module
from jitmagic.generate.walking import Finder, nodes_of
from jitmagic.observe.facts import ValueFact

UNROLL = 32
"""How many copies of a loop's body may be written out (traced); beyond it the loop must be lowered.

Up to it a loop is written out where its trip count stands in the source, or where it could not be lowered: a count that
depends on an argument was small in the example only.
"""

_STATIC_ATTRIBUTES = frozenset({"shape", "ndim", "size", "dtype", "itemsize", "nbytes"})
_STATIC_CALLS = frozenset({"len", "isinstance", "type", "hasattr", "callable", "issubclass", "id", "repr"})


def is_static_value(fact: ValueFact) -> bool:
    """Says whether an argument is a constant from the start: bool, str, None, tuples of such and of ints."""
    if fact.kind in ("bool", "str", "none", "function", "module"):
        return True
    return fact.kind == "tuple" and all(is_static_value(i) or i.kind == "int" for i in fact.items)


@dataclass
class Tracing:
    """What is traced in one function.

    Attributes
    ----------
    names : set of str
        Names that may hold tracers.
    lowered : set of int
        Lines (of the module's text) of the loops that become ``lax`` loops.
    written_out : frozenset of int
        Lines of the loops that were tried to be lowered in vain.
    """

    function: cst.FunctionDef
    kinds: Kinds
    helpers: Mapping[str, cst.FunctionDef]
    names: set[str] = field(default_factory=set)
    lowered: set[int] = field(default_factory=set)
    written_out: frozenset[int] = frozenset()

    def expression(self, node: Any) -> bool:
        """Says whether an expression's value may be a tracer."""
        if isinstance(node, cst.Name):
            return node.value in self.names
        if isinstance(node, cst.Attribute):
            if node.attr.value in _STATIC_ATTRIBUTES:
                return False
            return self.kinds.path(node) is None and self.expression(node.value)
        if isinstance(node, cst.Call):
            return self._call(node)
        if isinstance(node, cst.Comparison):
            if all(isinstance(c.operator, cst.Is | cst.IsNot) for c in node.comparisons):
                return False
            return self.expression(node.left) or any(self.expression(c.comparator) for c in node.comparisons)
        if isinstance(node, cst.Lambda):
            return False
        if isinstance(node, cst.ListComp | cst.GeneratorExp | cst.SetComp):
            added = set()
            if self.expression(node.for_in.iter):
                added = set(name_tools.targets(node.for_in.target)) - self.names
                self.names |= added
            result = self.expression(node.elt)
            self.names -= added
            return result
        return any(self.expression(child) for child in getattr(node, "children", ()))

    def _call(self, node: cst.Call) -> bool:
        func = node.func
        given = any(self.expression(a.value) for a in node.args)
        if isinstance(func, cst.Name) and func.value not in self.kinds.local:
            if func.value in _STATIC_CALLS:
                return False
            if func.value in self.helpers:
                fact = self.kinds.of(node)
                return given or fact is None or fact.kind in ("array", "scalar", "tuple", "list")
        path = self.kinds.path(func)
        if path is not None:
            if path in SHAPE_ONLY:
                return False
            if given or not path.startswith(("numpy.", "scipy.")):
                return given
            fact = self.kinds.of(node)
            return fact is None or fact.kind not in ("scalar", "int", "float", "bool", "str", "tuple")
        if isinstance(func, cst.Attribute):
            return given or self.expression(func.value)
        # `jax.vmap(f)(…)`, whatever it is given
        return given or isinstance(func, cst.Call)


def loop_line(module: Module, node: cst.CSTNode) -> int:
    """Returns the line in the module's text by which a loop is known; 0 for one that a rewrite made."""
    try:
        return module.span(node).line
    except KeyError:
        return 0


class _Assignments(Finder):
    """Grows the set of traced names by one pass over a function."""

    def __init__(self, tracing: Tracing, module: Module) -> None:
        super().__init__()
        self.tracing = tracing
        self.module = module
        self.inside = 0
        self.called: dict[str, list[cst.Call]] = {}
        self.lambdas: dict[str, cst.Lambda] = {}
        self.only_comprehensions = _of_comprehensions_alone(tracing.function)

    def _add(self, names: Iterable[str]) -> None:
        self.tracing.names.update(names)

    def visit_Assign(self, node: cst.Assign) -> None:
        for target in node.targets:
            if isinstance(node.value, cst.Lambda) and isinstance(target.target, cst.Name):
                self.lambdas[target.target.value] = node.value
            self._assign(target.target, node.value)

    def visit_AnnAssign(self, node: cst.AnnAssign) -> None:
        if node.value is not None:
            self._assign(node.target, node.value)

    def visit_NamedExpr(self, node: cst.NamedExpr) -> None:
        self._assign(node.target, node.value)

    def visit_AugAssign(self, node: cst.AugAssign) -> None:
        if self.inside or self.tracing.expression(node.value):
            self._add(_root(node.target))

    def _assign(self, target: cst.BaseExpression, value: cst.BaseExpression) -> None:
        if (
            isinstance(target, cst.Tuple | cst.List)
            and isinstance(value, cst.Tuple | cst.List)
            and len(target.elements) == len(value.elements)
        ):
            for t, v in zip(target.elements, value.elements, strict=True):
                self._assign(t.value, v.value)
            return
        if self.inside or self.tracing.expression(value):
            for name in name_tools.targets(target):
                self._add([name])
            if isinstance(target, cst.Subscript):
                self._add(_root(target))

    def visit_For(self, node: cst.For) -> None:
        lowered = loop_line(self.module, node) in self.tracing.lowered
        if lowered:
            self.inside += 1
            self._add(name_tools.targets(node.target))
            return
        self._add(traced_targets(node, self.tracing))

    def leave_For(self, original_node: cst.For) -> None:
        if loop_line(self.module, original_node) in self.tracing.lowered:
            self.inside -= 1

    def visit_While(self, node: cst.While) -> None:
        if self.tracing.expression(node.test):
            self.tracing.lowered.add(loop_line(self.module, node))
        if loop_line(self.module, node) in self.tracing.lowered:
            self.inside += 1

    def leave_While(self, original_node: cst.While) -> None:
        if loop_line(self.module, original_node) in self.tracing.lowered:
            self.inside -= 1

    def visit_If(self, node: cst.If) -> None:
        if self.tracing.expression(node.test):
            bound = name_tools.bound(cst.If(test=cst.Name("_"), body=node.body, orelse=node.orelse))
            self._add(bound)

    def visit_FunctionDef(self, node: cst.FunctionDef) -> None:
        if node is not self.tracing.function:
            # a nested function is called with whatever: its parameters count as traced
            self._add(name_tools.parameters(node))

    def visit_CompFor(self, node: cst.CompFor) -> None:
        # a name that a comprehension alone binds; how far a range counts has to be known anyway
        if not isinstance(node.iter, cst.Call) or code(node.iter.func) != "range":
            self._add(set(traced_targets(node, self.tracing)) & self.only_comprehensions)

    def visit_Call(self, node: cst.Call) -> None:
        if any(self.tracing.expression(a.value) for a in node.args):
            # a lambda beside a traced value is called with parts of it
            for argument in node.args:
                if isinstance(argument.value, cst.Lambda):
                    self._add(set(name_tools.parameters(argument.value)) - self.tracing.kinds.local)
        if isinstance(node.func, cst.Name) and node.func.value in self.lambdas:
            # a lambda's parameter, but for a name that is something else as well
            given = name_tools.parameters(self.lambdas[node.func.value])
            traced = {n for n, a in zip(given, node.args, strict=False) if self.tracing.expression(a.value)}
            self._add(traced - self.tracing.kinds.local)
        if isinstance(node.func, cst.Name) and node.func.value in self.tracing.helpers:
            self.called.setdefault(node.func.value, []).append(node)


def _of_comprehensions_alone(function: cst.FunctionDef) -> frozenset[str]:
    """Returns the names that one comprehension binds, and nothing else."""
    loops = [name for one in nodes_of(function, cst.CompFor) for name in name_tools.targets(one.target)]
    others = set(name_tools.parameters(function))
    targets: list[Any] = [*nodes_of(function, cst.AssignTarget), *nodes_of(function, cst.For)]
    targets += [*nodes_of(function, cst.AugAssign), *nodes_of(function, cst.AnnAssign)]
    targets += nodes_of(function, cst.NamedExpr)
    for one in targets:
        others |= set(name_tools.targets(one.target))
    inner: list[Any] = [*nodes_of(function.body, cst.FunctionDef), *nodes_of(function.body, cst.Lambda)]
    others |= {name for one in inner for name in name_tools.parameters(one)}
    return frozenset(name for name in loops if loops.count(name) == 1 and name not in others)


def _root(target: cst.BaseExpression) -> tuple[str, ...]:
    while isinstance(target, cst.Subscript | cst.Attribute):
        target = target.value
    return (target.value,) if isinstance(target, cst.Name) else ()


def traced_targets(node: cst.For | cst.CompFor, tracing: Tracing) -> list[str]:
    """Returns the names that a loop which stays Python binds to tracers."""
    iterated = node.iter
    target = node.target
    if isinstance(iterated, cst.Call) and isinstance(iterated.func, cst.Name):
        parts = [e.value for e in target.elements] if isinstance(target, cst.Tuple) else []
        given = [a.value for a in iterated.args]
        if iterated.func.value == "enumerate" and len(parts) == 2 and given:
            return list(name_tools.targets(parts[1])) if tracing.expression(given[0]) else []
        if iterated.func.value == "zip" and len(parts) == len(given):
            return [
                n for p, g in zip(parts, given, strict=True) if tracing.expression(g) for n in name_tools.targets(p)
            ]
    return list(name_tools.targets(target)) if tracing.expression(iterated) else []


def analyse(
    module: Module,
    tree: cst.Module,
    entry: str,
    kinds: Mapping[str, Kinds],
    arguments: Mapping[str, ValueFact],
    static: Iterable[str],
    arrays: Iterable[str],
    lowered: Iterable[int] = (),
    written_out: Iterable[int] = (),
) -> dict[str, Tracing]:
    """Finds what is traced in each function of a module.

    Parameters
    ----------
    module : Module
    tree : libcst.Module
    entry : str
        The function that is compiled.
    kinds : mapping of str to Kinds
    arguments : mapping of str to ValueFact
        Facts of the entry's parameters, by name.
    static : iterable of str
        Parameters that are static arguments.
    arrays : iterable of str
        Names in the namespace that hold arrays.
    lowered : iterable of int
        Lines of loops that have to be compiled.
    written_out : iterable of int
        Lines of loops that are written out while they are short, whatever counts them.
    """
    functions = {s.name.value: s for s in tree.body if isinstance(s, cst.FunctionDef)}
    fixed = set(static)
    must = set(lowered)
    kept = frozenset(written_out)
    result = {n: Tracing(f, kinds[n], functions, lowered=set(must), written_out=kept) for n, f in functions.items()}
    for name, tracing in result.items():
        tracing.names |= set(arrays) - kinds[name].local
        if name == entry:
            for p in name_tools.parameters(tracing.function):
                fact = arguments.get(p)
                if p not in fixed and not (fact is not None and is_static_value(fact)):
                    tracing.names.add(p)
    while True:
        before = [(len(t.names), len(t.lowered)) for t in result.values()]
        for tracing in result.values():
            _choose_loops(module, tracing)
            visitor = _Assignments(tracing, module)
            tracing.function.visit(visitor)
            for called, calls in visitor.called.items():
                for call in calls:
                    _pass_on(call, tracing, result[called])
        if [(len(t.names), len(t.lowered)) for t in result.values()] == before:
            return result


def _pass_on(call: cst.Call, caller: Tracing, callee: Tracing) -> None:
    parameters = name_tools.parameters(callee.function)
    for position, argument in enumerate(call.args):
        if not caller.expression(argument.value):
            continue
        if argument.keyword is not None:
            callee.names.add(argument.keyword.value)
        elif argument.star:
            callee.names.update(parameters)
        elif position < len(parameters):
            callee.names.add(parameters[position])


def _choose_loops(module: Module, tracing: Tracing) -> None:
    _choose(module, tracing, statements(tracing.function), 1)


def _choose(module: Module, tracing: Tracing, body: Iterable[Any], copies: int) -> None:
    for node in body:
        inner = copies
        if isinstance(node, cst.For):
            line = loop_line(module, node)
            given = literal_trips(node) is not None or line in tracing.written_out
            long = not given or not is_short(module, node, tracing.written_out, copies)
            if can_lower(node, tracing) and (long or line in tracing.lowered):
                tracing.lowered.add(line)
                inner = 1
            else:
                inner = copies * max(trip_count(module, node) or 1, 1)
        if isinstance(node, cst.While) and loop_line(module, node) in tracing.lowered:
            inner = 1
        if isinstance(node, cst.For | cst.While | cst.If | cst.With):
            _choose(module, tracing, statements(node), inner)
            if isinstance(node, cst.If):
                _choose(module, tracing, alternative(node), inner)


def is_short(module: Module, node: cst.For, written_out: frozenset[int], copies: int = 1) -> bool:
    """Says whether a loop may be written out, of which ``copies`` copies would stand in the trace."""
    trips = trip_count(module, node)
    return trips is not None and copies * max(trips, 1) * _inner_trips(module, node, written_out) <= UNROLL


def _inner_trips(module: Module, node: cst.For | cst.If, written_out: frozenset[int]) -> int:
    """Returns how many copies of the innermost body one iteration would write out."""
    most = 1
    for child in statements(node):
        if isinstance(child, cst.For):
            given = literal_trips(child) is not None or loop_line(module, child) in written_out
            trips = trip_count(module, child) if given else 1
            most = max(most, (trips or 1) * _inner_trips(module, child, written_out))
        elif isinstance(child, cst.If):
            most = max(most, _inner_trips(module, child, written_out))
    return most


def trip_count(module: Module, node: cst.CSTNode) -> int | None:
    """Returns the largest trip count that was seen of a loop; None where it was not watched."""
    if module.observed is None:
        return literal_trips(node)
    fact = module.observed.loops.get(loop_line(module, node))
    if fact is None:
        return literal_trips(node)
    return fact.trips_high


def literal_trips(node: cst.CSTNode) -> int | None:
    """Returns the trip count that stands in the source, None where there is none."""
    if isinstance(node, cst.For):
        if isinstance(node.iter, cst.Tuple | cst.List):
            return len(node.iter.elements)
        if isinstance(node.iter, cst.Call) and isinstance(node.iter.func, cst.Name) and node.iter.func.value == "range":
            values = [a.value for a in node.iter.args]
            if all(isinstance(v, cst.Integer) for v in values):
                return len(range(*(int(v.value, 0) for v in values if isinstance(v, cst.Integer))))
    return None


def can_lower(node: cst.For, tracing: Tracing) -> bool:
    """Says whether a loop runs over something that ``fori_loop`` can count through: a range, arrays, or both."""
    return _countable(node.iter, tracing)


def _countable(iterated: cst.BaseExpression, tracing: Tracing) -> bool:
    if isinstance(iterated, cst.Call) and isinstance(iterated.func, cst.Name):
        name = iterated.func.value
        if name == "range":
            return True
        if name == "enumerate" and iterated.args:
            return _countable(iterated.args[0].value, tracing)
        if name in ("zip", "reversed"):
            return all(_countable(a.value, tracing) for a in iterated.args)
    return tracing.kinds.is_array(iterated) and not tracing.kinds.is_container(iterated)
