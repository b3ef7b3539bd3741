"""How large the arrays are that a loop's steps make: whether all steps are taken together, or so many at a time."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import libcst as cst

from jitmagic.generate.blocks import code
from jitmagic.generate.module import Module
from jitmagic.generate.walking import Finder, nodes_of

_FITS = 1 << 17
"""Elements (1 MiB of float64) that all steps of a loop may make at once."""

SMALL = 16
"""Arrays of at most so many elements may be kept for each step before they are summed."""


def fits(module: Module, node: cst.For) -> bool:
    """Says whether the arrays of all steps together are so small that batches would only take longer to compile."""
    observed = module.observed
    trips = {line: fact.trips_high for line, fact in observed.loops.items()} if observed is not None else {}
    return _at_once(module, node, trips) <= _FITS


def makes_arrays(module: Module, node: cst.For, kept: Sequence[Any]) -> bool:
    """Says whether a step of a loop makes arrays of more than a few elements; ``kept`` is its body, rewritten."""
    if any(isinstance(s, cst.FunctionDef) for s in kept):
        return True
    # what other rewrites made of slices
    if any(word in code(s) for s in kept for word in ("__numpy__.arange(", "where=", "dynamic_slice", ".at[")):
        return True
    finder = _Arrays(module)
    node.body.visit(finder)
    return finder.found


class _Arrays(Finder):
    """Finds whether a loop's body makes arrays."""

    def __init__(self, module: Module) -> None:
        super().__init__()
        self.module = module
        self.found = False

    def _look(self, node: cst.CSTNode) -> None:
        fact = self.module.fact(node)
        if fact is not None and fact.kind == "array" and elements(fact.shape) > SMALL:
            self.found = True

    visit_BinaryOperation = visit_Call = visit_Comparison = visit_UnaryOperation = _look

    def visit_Subscript(self, node: cst.Subscript) -> None:
        self._look(node)


def _at_once(module: Module, node: cst.For, trips: Mapping[int, int]) -> float:
    """Returns how many elements there are where all steps of a loop, and of those in it, are taken at once."""
    try:
        count: float = trips.get(module.span(node).line, math.inf)
    except KeyError:
        return math.inf  # a loop that a rewrite made
    largest: float = 1
    for part in nodes_of(node.body, cst.BaseExpression):  # type: ignore[type-abstract]
        # a name is an array that is there already
        fact = module.fact(part) if not isinstance(part, cst.Name) else None
        if fact is not None and fact.kind == "array":
            lengths = fact.shape if fact.shape is not None else (None,)
            largest = max(largest, math.inf if None in lengths else math.prod(n or 0 for n in lengths))
    return count * max([largest, *(_at_once(module, one, trips) for one in nodes_of(node.body, cst.For))])


def elements(shape: Sequence[int | None] | None) -> int:
    """Returns how many elements an array of a shape has; more than a few where that is not known."""
    count = 1
    for length in (None,) if shape is None else shape:
        count *= SMALL + 1 if length is None else length
    return count
