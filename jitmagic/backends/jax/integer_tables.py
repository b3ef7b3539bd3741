"""Functions of moving ranges of whole numbers, worked out once before the loop and looked up in it.

    for i in range(n - 1, -1, -1):                      powers = u**jnp.arange(n)
        S = u**np.arange(i, -1, -1)             ->      def body(step, …):
                                                            S = powers[i - jnp.arange(V.shape[0])]

A power takes as long as some fifty products, and a tree of ``n`` steps has but ``n`` powers, or ``2n``, where ``n**2``
are written. They are the very same numbers. Done where nothing else in the expression changes in the loop, and where
the loop tells the smallest and the largest of the whole numbers.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import libcst as cst

from jitmagic.backends.jax.functions import ELEMENTWISE
from jitmagic.backends.jax.lowest import ends_of
from jitmagic.backends.jax.sums import terms, written
from jitmagic.generate import names as name_tools
from jitmagic.generate.kinds import Kinds
from jitmagic.generate.walking import nodes_of

PLACE = "__whole__"
"""Stands for the whole numbers in what a table holds of them."""


@dataclass(frozen=True)
class Whole:
    """A vector as a function of whole numbers ``rest + step*0, rest + step*1, …``.

    Attributes
    ----------
    function : str
        Its text, with :data:`PLACE` for the whole numbers.
    step : int
    rest : tuple of (str, int)
        The terms of the first number.
    count : str
        How many of them count.
    text : str
        The whole numbers themselves, over all of the axis.
    dear : bool
        Whether it takes longer to work out than to look up.
    """

    function: str
    step: int
    rest: tuple[tuple[str, int], ...]
    count: str
    text: str
    dear: bool = False

    @property
    def is_bare(self) -> bool:
        return self.function == PLACE

    def shifted(self, step: int, rest: Mapping[str, int], text: str) -> Whole:
        """Returns other whole numbers, as many."""
        return replace(self, step=step, rest=tuple(sorted((t, n) for t, n in rest.items() if n)), text=text)


def changed(whole: Whole, node: cst.BinaryOperation, other: Any, left: bool, text: str, integer: bool) -> Whole | None:
    """Returns what a sum with a whole number, or a multiple, makes of bare whole numbers; None for anything else.

    Parameters
    ----------
    whole : Whole
    node : libcst.BinaryOperation
    other : libcst.BaseExpression
        The other operand.
    left : bool
        Whether the whole numbers are the left operand.
    text : str
        The result.
    integer : bool
        Whether the other operand is a whole number.
    """
    if not whole.is_bare or not integer:
        return None
    rest = Counter(dict(whole.rest))
    if isinstance(node.operator, cst.Add):
        rest.update(terms(other))
        return whole.shifted(whole.step, rest, text)
    if isinstance(node.operator, cst.Subtract):
        sign = 1 if left else -1
        rest = Counter({t: sign * n for t, n in rest.items()})
        rest.update({t: -sign * n for t, n in terms(other).items()})
        return whole.shifted(sign * whole.step, rest, text)
    if isinstance(node.operator, cst.Multiply):
        factor = {t: n for t, n in terms(other).items() if n}
        if set(factor) == {""}:
            return whole.shifted(whole.step * factor[""], {t: factor[""] * n for t, n in rest.items()}, text)
    return None


def bounds(whole: Whole, loops: Sequence[cst.For]) -> tuple[str, str] | None:
    """Returns the smallest and the largest of the whole numbers over all steps; None where they are not known."""
    if not loops or not isinstance(loops[-1].target, cst.Name):
        return None
    ends = ends_of(loops[-1])
    if ends is None or ends[0] is None or ends[1] is None:
        return None
    first = Counter(dict(whole.rest))
    last = Counter(first)
    for term, n in terms(cst.parse_expression(whole.count)).items():
        last[term] += whole.step * n
    last[""] -= whole.step
    low, high = (first, last) if whole.step > 0 else (last, first)
    index, changing = loops[-1].target.value, name_tools.bound(loops[-1].body)
    results = []
    for found, most in ((low, False), (high, True)):
        total = Counter(found)
        count = total.pop(index, 0)
        for term, n in (ends[1] if (count > 0) == most else ends[0]).items():
            total[term] += count * n
        left = {t: n for t, n in total.items() if n}
        if {n for t in left if t for n in name_tools.loads(cst.parse_expression(t))} & (changing | {index}):
            return None
        results.append(written(left))
    return results[0], results[1]


def steady(node: cst.CSTNode, loops: Sequence[cst.For], kinds: Kinds) -> bool:
    """Says whether a number is the same in all steps of the innermost loop: names, operators, elementary functions."""
    paths = [kinds.path(call.func) or "" for call in nodes_of(node, cst.Call)]
    if not loops or nodes_of(node, cst.Subscript):
        return False
    if not all(path in ELEMENTWISE or path.startswith("math.") for path in paths):
        return False
    changing = name_tools.bound(loops[-1].body) | set(name_tools.targets(loops[-1].target))
    return not name_tools.loads(node) & changing
