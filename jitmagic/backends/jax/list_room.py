"""How long a list may become: a bound where plain loops append to it, else a first guess by the size of an argument."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import libcst as cst

from jitmagic.backends.jax.sums import added, written
from jitmagic.backends.jax.tracing import trip_count
from jitmagic.generate import names as name_tools
from jitmagic.generate.blocks import code, small, statements
from jitmagic.generate.kinds import Kinds
from jitmagic.generate.module import Module
from jitmagic.generate.walking import Finder, nodes_of

_LEAST = 64
"""The first guess where no argument is an array."""


@dataclass(frozen=True)
class Capacity:
    """A bound on a list's length: its text, and what it was with the example."""

    text: str
    seen: int


def guess(function: cst.FunctionDef, kinds: Kinds) -> tuple[str, int]:
    """Returns the size of the largest array among a function's parameters, as text and as it was seen."""
    best, seen = str(_LEAST), _LEAST
    sizes: list[tuple[int, str]] = []
    for name in name_tools.parameters(function):
        facts = [f for f in kinds.names.get(name, []) if f.kind == "array" and f.shape is not None]
        if facts and None not in (facts[0].shape or ()):
            sizes.append((prod(n for n in facts[0].shape or () if n is not None), name))
    if sizes:
        seen, name = max(sizes)
        best = f"max({name}.size, {_LEAST})"
        seen = max(seen, _LEAST)
    return best, seen


def capacity_of(module: Module, function: cst.FunctionDef, kinds: Kinds, name: str) -> Capacity | None:
    """Returns how long a list may become; None where that depends on values.

    A loop whose trip count is known before the function's loops, and that appends so many times a step.
    """
    body = list(statements(function))
    at = next(i for i, s in enumerate(body) if name in name_tools.all_names(s))
    bindings = [s for s in body if _binds(s, name)]
    inside = [a for a in nodes_of(function, cst.Assign) if any(code(t.target) == name for t in a.targets)]
    if len(bindings) != 1 or len(inside) != 1 or body[at] is not bindings[0]:
        return None
    bound = name_tools.bound(function)
    before = {n for s in body[:at] for n in name_tools.bound(s)} | set(name_tools.parameters(function))
    once = _BoundOnce()
    function.visit(once)
    early = {n for n in before if once.counts.get(n, 0) + (n in name_tools.parameters(function)) == 1}
    counter = _Counter(module, kinds, name, (bound & early) | (frozenset(before) - bound))
    total = counter.block(body[at:])
    if total is None:
        return None
    constant, loops = total
    parts = {text: n for text, n in loops.items() if n}
    text = written({**({"": constant} if constant else {}), **parts})
    seen = constant + sum(n * counter.seen[t] for t, n in parts.items())
    plain = all(t.isidentifier() or t.startswith("len(") for t in parts)
    return Capacity(text if plain and parts else f"max({text}, 1)", max(seen, 1))


def _binds(statement: Any, name: str) -> bool:
    one = small(statement)
    return isinstance(one, cst.Assign) and any(code(t.target) == name for t in one.targets)


def _names(node: cst.Assign) -> set[str]:
    return {n for t in node.targets for n in name_tools.targets(t.target)}


class _BoundOnce(Finder):
    def __init__(self) -> None:
        super().__init__()
        self.counts: dict[str, int] = {}

    def add(self, target: cst.BaseExpression) -> None:
        for name in name_tools.targets(target):
            self.counts[name] = self.counts.get(name, 0) + 1

    def visit_AssignTarget(self, node: cst.AssignTarget) -> None:
        self.add(node.target)

    def visit_AugAssign(self, node: cst.AugAssign) -> None:
        self.add(node.target)

    def visit_AnnAssign(self, node: cst.AnnAssign) -> None:
        self.add(node.target)

    def visit_For(self, node: cst.For) -> None:
        self.add(node.target)

    def visit_NamedExpr(self, node: cst.NamedExpr) -> None:
        self.add(node.target)


_Total = tuple[int, dict[str, int]]


class _Counter:
    """Counts how often statements append to a list: so many times, and so many times a step of some loops."""

    def __init__(self, module: Module, kinds: Kinds, name: str, early: frozenset[str]) -> None:
        self.module, self.kinds, self.name, self.early = module, kinds, name, early
        self.seen: dict[str, int] = {}

    def block(self, body: Sequence[Any]) -> _Total | None:
        constant, loops = 0, dict[str, int]()
        for node in body:
            found = self.statement(node)
            if found is None:
                return None
            constant += found[0]
            for text, n in found[1].items():
                loops[text] = loops.get(text, 0) + n
        return constant, loops

    def statement(self, node: Any) -> _Total | None:
        if self.name not in name_tools.all_names(node):
            return 0, {}
        if isinstance(node, cst.If):
            other = node.orelse
            rest = [other] if isinstance(other, cst.If) else [] if other is None else list(statements(other))
            then, otherwise = self.block(statements(node)), self.block(rest)
            if then is None or otherwise is None:
                return None
            (a, one), (b, two) = then, otherwise
            return max(a, b), {t: max(one.get(t, 0), two.get(t, 0)) for t in {*one, *two}}
        if isinstance(node, cst.For):
            inner = self.block(statements(node))
            if inner is None or inner[1] or node.orelse is not None:
                return None
            if not inner[0]:
                return 0, {}
            trips = self.trips(node.iter)
            if trips is None:
                return None
            seen = trip_count(self.module, node)
            self.seen[trips] = max(self.seen.get(trips, 0), seen or 0)
            return 0, {trips: inner[0]}
        if isinstance(node, cst.While):
            # what only takes off may run as often as it likes
            inner = self.block(statements(node))
            return (0, {}) if inner is not None and not inner[0] and not inner[1] else None
        one = small(node)
        if isinstance(one, cst.Assign) and code(one.targets[0].target) == self.name:
            value: Any = one.value
            if isinstance(value, cst.ListComp):
                trips = self.trips(value.for_in.iter)
                fact = self.kinds.of(value.for_in.iter)
                length = fact.shape[0] if fact is not None and fact.shape else None
                if trips is None or value.for_in.inner_for_in is not None:
                    return None
                self.seen[trips] = max(self.seen.get(trips, 0), length or _LEAST)
                return 0, {trips: 1}
            return (len(value.elements), {}) if isinstance(value, cst.List) else None
        times = 0
        for call in nodes_of(node, cst.Call):
            func = call.func
            if isinstance(func, cst.Attribute) and code(func.value) == self.name:
                if func.attr.value == "append":
                    times += 1
                elif func.attr.value == "extend":
                    inner_list: Any = call.args[0].value if call.args else None
                    if not isinstance(inner_list, cst.List | cst.Tuple):
                        return None
                    times += len(inner_list.elements)
        if isinstance(one, cst.AugAssign) and code(one.target) == self.name:
            if not isinstance(one.value, cst.List):
                return None
            times += len(one.value.elements)
        return times, {}

    def trips(self, iterated: cst.BaseExpression) -> str | None:
        """Returns how often a loop runs at most."""
        if isinstance(iterated, cst.Call) and isinstance(iterated.func, cst.Name):
            name, given = iterated.func.value, [a.value for a in iterated.args]
            if name in ("enumerate", "zip", "reversed") and given:
                return self.trips(given[0])
            if name == "range":
                texts = [code(g) for g in given]
                if len(given) == 1 or (len(given) >= 2 and isinstance(given[0], cst.Integer)):
                    upward = len(given) < 3 or isinstance(given[2], cst.Integer)
                    return self.fixed(texts[0] if len(given) == 1 else texts[1]) if upward else None
                if len(given) == 3 and texts[1:] in (["-1", "-1"], ["0", "-1"], ["1", "-1"]):
                    return self.fixed(added(texts[0], "1"))
            return None
        if self.kinds.is_array(iterated) and isinstance(iterated, cst.Name | cst.Attribute | cst.Subscript):
            return self.fixed(f"len({code(iterated)})")
        return None

    def fixed(self, text: str) -> str | None:
        """Returns an expression if it is known where the function begins and depends on no array's values."""
        node = cst.parse_expression(text)
        if name_tools.loads(node) - {"len"} - self.early:
            return None
        return text if self.is_shape(node) else None

    def is_shape(self, node: Any) -> bool:
        """Says whether an expression depends on shapes and whole-number arguments alone."""
        if isinstance(node, cst.Integer):
            return True
        if isinstance(node, cst.Name):
            if node.value in name_tools.parameters(self.kinds.function):
                facts = self.kinds.names.get(node.value, [])
                return bool(facts) and all(f.kind == "int" for f in facts)
            values = [a for a in nodes_of(self.kinds.function, cst.Assign) if node.value in _names(a)]
            return len(values) == 1 and self.is_shape(values[0].value)
        if isinstance(node, cst.BinaryOperation):
            whole = isinstance(node.operator, cst.Add | cst.Subtract | cst.Multiply | cst.FloorDivide)
            return whole and self.is_shape(node.left) and self.is_shape(node.right)
        if isinstance(node, cst.Call):
            given = [a.value for a in node.args]
            if code(node.func) == "len":
                return len(given) == 1 and self.kinds.is_array(given[0])
            return code(node.func) in ("min", "max") and all(map(self.is_shape, given))
        if isinstance(node, cst.Subscript):
            node = node.value
        if isinstance(node, cst.Attribute):
            return node.attr.value in ("shape", "size") and self.kinds.is_array(node.value)
        return False
