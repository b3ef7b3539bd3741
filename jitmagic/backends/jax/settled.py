"""What values a loop settles on: facts of the values given to names, completed where the first iteration differs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import libcst as cst

from jitmagic.generate.module import Module
from jitmagic.generate.walking import Finder
from jitmagic.observe.facts import ValueFact


@dataclass(frozen=True)
class Assigned:
    """The fact of a value that some statement gives to a name, with the statement's line in the module's text."""

    line: int
    fact: ValueFact


def assigned_facts(module: Module, function: cst.FunctionDef) -> dict[str, list[Assigned]]:
    """Returns what was seen of the values given to each name, in the order of the source."""
    finder = _AssignedFacts(module)
    function.visit(finder)
    found = {
        # what is added to an array in place changes neither its shape nor its dtype
        name: several
        if name not in finder.plain or any(one.fact.kind != "array" for one in finder.plain[name])
        else finder.plain[name]
        for name, several in finder.found.items()
    }
    return whole_facts(module, found, function)


def _broadcast(shapes: list[tuple[int | None, ...]]) -> tuple[int | None, ...]:
    longest = max((len(s) for s in shapes), default=0)
    padded = [(1,) * (longest - len(s)) + s for s in shapes]
    return tuple(next((n for n in axis if n != 1), 1) for axis in zip(*padded, strict=True))


class _AssignedFacts(Finder):
    def __init__(self, module: Module) -> None:
        super().__init__()
        self.module = module
        self.found: dict[str, list[Assigned]] = {}
        self.plain: dict[str, list[Assigned]] = {}

    def _add(self, target: cst.BaseExpression, value: cst.BaseExpression, plain: bool = True) -> None:
        if isinstance(target, cst.Tuple | cst.List) and isinstance(value, cst.Tuple | cst.List):
            if len(target.elements) == len(value.elements):
                for t, v in zip(target.elements, value.elements, strict=True):
                    self._add(t.value, v.value, plain)
            return
        if isinstance(target, cst.Name):
            fact = self.module.fact(value)
            if fact is None and isinstance(value, cst.Integer | cst.Float):
                fact = ValueFact("int" if isinstance(value, cst.Integer) else "float")
            if fact is not None:
                try:
                    one = Assigned(self.module.span(value).line, fact)
                except KeyError:
                    return  # a rewrite's own, e.g. the length of a list
                self.found.setdefault(target.value, []).append(one)
                if plain:
                    self.plain.setdefault(target.value, []).append(one)

    def visit_Assign(self, node: cst.Assign) -> None:
        for target in node.targets:
            self._add(target.target, node.value)

    def visit_AnnAssign(self, node: cst.AnnAssign) -> None:
        if node.value is not None:
            self._add(node.target, node.value)

    def visit_AugAssign(self, node: cst.AugAssign) -> None:
        # the sum is at least what is added to it, where the name began as a Python number
        if isinstance(node.target, cst.Name):
            self._add(node.target, node.value, plain=False)


def whole_facts(
    module: Module, assigned: dict[str, list[Assigned]], function: cst.FunctionDef
) -> dict[str, list[Assigned]]:
    """Completes facts that differed between the first iteration and the later ones.

    ``total = total + term`` with ``total = 0`` before the loop is a number once and an array from then on: its observed
    fact is "mixed". The shape that it settles on follows from those of its operands.
    """
    settled: dict[str, ValueFact] = {
        name: last.fact for name, found in assigned.items() for last in found[-1:] if last.fact.kind == "array"
    }

    def shape_of(node: Any) -> ValueFact | None:
        fact = module.fact(node)
        if fact is not None and fact.kind != "mixed":
            return fact
        if isinstance(node, cst.Name):
            return settled.get(node.value)
        if isinstance(node, cst.BinaryOperation) and not isinstance(node.operator, cst.MatrixMultiply):
            parts = [shape_of(node.left), shape_of(node.right)]
            arrays = [p for p in parts if p is not None and p.kind == "array" and p.shape is not None and p.dtype]
            if not arrays:
                return None
            dtype = arrays[0].dtype if len({p.dtype for p in arrays}) == 1 else None
            return ValueFact("array", dtype, _broadcast([p.shape for p in arrays if p.shape is not None]))
        if isinstance(node, cst.UnaryOperation):
            return shape_of(node.expression)
        return None

    values = _AssignedValues()
    function.visit(values)
    for _ in range(3):
        for name, value in values.found:
            fact = shape_of(value)
            if fact is not None and fact.kind == "array" and name not in settled:
                settled[name] = fact
    return {
        name: [Assigned(a.line, settled[name]) if a.fact.kind == "mixed" and name in settled else a for a in found]
        for name, found in assigned.items()
    }


class _AssignedValues(Finder):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, cst.BaseExpression]] = []

    def visit_Assign(self, node: cst.Assign) -> None:
        for target in node.targets:
            if isinstance(target.target, cst.Name):
                self.found.append((target.target.value, node.value))

    def visit_AugAssign(self, node: cst.AugAssign) -> None:
        if isinstance(node.target, cst.Name):
            self.found.append((node.target.value, node.value))
