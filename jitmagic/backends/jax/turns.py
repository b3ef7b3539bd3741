"""Rewrite ``np.exp(-2j*np.pi*k*n/N)`` of whole numbers as a look-up: it has but N values, those of the turns by 1/N.

    W = np.exp(-2j*np.pi*k*n/N)     ->     W = jnp.exp(-2j*jnp.pi*jnp.arange(N)/N)[k*n % N]

NumPy rounds the large angle first: the result is its result up to that rounding. Done for arrays with more elements
than there are values, outside of loops.
"""

from __future__ import annotations

import math
from typing import Any

import libcst as cst

from jitmagic.backends.jax.parts import term
from jitmagic.generate.blocks import code
from jitmagic.generate.kinds import Kinds
from jitmagic.generate.module import Module
from jitmagic.generate.rewriter import FunctionRewriter
from jitmagic.generate.turns import PERIODIC, angle_of
from jitmagic.observe.facts import ValueFact


def looked_up_turns(module: Module, tree: cst.Module, kinds: dict[str, Kinds]) -> cst.Module:
    """Returns the tree with periodic functions of products of whole numbers as look-ups."""
    return tree.visit(_Turns(module, kinds))


class _Turns(FunctionRewriter[Kinds]):
    def __init__(self, module: Module, kinds: dict[str, Kinds]) -> None:
        super().__init__(module, kinds)
        self.loops = 0

    def visit_For(self, node: cst.For) -> None:
        self.loops += 1

    def leave_For(self, original_node: cst.For, updated_node: cst.For) -> cst.For:
        self.loops -= 1
        return updated_node

    def visit_While(self, node: cst.While) -> None:
        self.loops += 1

    def leave_While(self, original_node: cst.While, updated_node: cst.While) -> cst.While:
        self.loops -= 1
        return updated_node

    def leave_Call(self, original_node: cst.Call, updated_node: cst.Call) -> cst.BaseExpression:
        kinds = self.stack[-1] if self.stack and not self.loops else None
        path = kinds.path(original_node.func) if kinds is not None else None
        fact = kinds.of(original_node) if kinds is not None else None
        dtype = PERIODIC.get(path or "")
        if kinds is None or fact is None or dtype is None or fact.dtype != dtype or len(original_node.args) != 1:
            return updated_node
        only = original_node.args[0]
        if only.keyword is not None or only.star:
            return updated_node
        angle = angle_of(only.value, kinds.path, kinds.of, _is_array)
        many = angle.parts(path == "numpy.exp") if angle is not None else None
        if angle is None or many is None or not self.is_worth_it(fact, many, angle.divisors, kinds):
            return updated_node
        over = [term(code(one)) for one in angle.divisors]
        period = "*".join([str(many), *over] if many > 1 else over)
        number = "*".join(term(code(one)) for one in angle.numbers)
        below = "".join(f"/{one}" for one in (*angle.below, *over))
        values = f"{code(original_node.func)}({angle.sign}{'*'.join(angle.above)}*__numpy__.arange({period}){below})"
        new: Any = cst.parse_expression(f"{values}[{number} % {term(period)}]")
        self.module.learn(new, fact)
        return new

    def is_worth_it(self, fact: ValueFact, many: int, divisors: list[cst.BaseExpression], kinds: Kinds) -> bool:
        """Says whether there were fewer values than elements."""
        if fact.shape is None or None in fact.shape or len(fact.shape) < 2:
            return False
        highs = [found.high if (found := kinds.of(one)) is not None else None for one in divisors]
        if any(high is None or high < 1 for high in highs):
            return False
        return 2 * many * math.prod(h for h in highs if h) <= math.prod(n for n in fact.shape if n is not None)


def _is_array(fact: ValueFact) -> bool:
    return fact.kind == "array"
