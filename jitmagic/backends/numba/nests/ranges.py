"""Whole numbers in a row, as `np.arange` makes them: in a nest each is worked out from the loop's index."""

from __future__ import annotations

from dataclasses import dataclass

import libcst as cst

from jitmagic.backends.numba.nests.filled import is_length
from jitmagic.backends.numba.rewrites.elements import ElementRewriter
from jitmagic.generate.walking import nodes_of


@dataclass(frozen=True)
class Range:
    """What `np.arange` was given.

    Attributes
    ----------
    start : libcst expression or None
        None for zero.
    stop : libcst expression
    step : int
    """

    start: cst.BaseExpression | None
    stop: cst.BaseExpression
    step: int

    def length(self, start: str, stop: str) -> str:
        """Returns how many numbers there are; ``start`` and ``stop`` are names or numbers."""
        if self.step in (1, -1):
            first, last = (start, stop) if self.step > 0 else (stop, start)
            if first.startswith("-"):
                return f"max({last} + {first[1:]}, 0)"
            return f"max({last} - {first}, 0)" if first != "0" else f"max({last}, 0)"
        return f"max(-(({start} - ({stop})) // {self.step}), 0)"

    def element(self, start: str, index: str) -> str:
        """Returns the number at an index."""
        turned = index if abs(self.step) == 1 else f"{abs(self.step)} * {index}"
        if start == "0":
            return turned if self.step > 0 else f"-{turned}"
        return f"{start} + {turned}" if self.step > 0 else f"{start} - {turned}"


def range_of(owner: ElementRewriter, node: cst.BaseExpression) -> Range | None:
    """Reads a call of `np.arange` with whole numbers; None for any other expression."""
    if not isinstance(node, cst.Call) or owner.path(node.func) != "numpy.arange" or not 1 <= len(node.args) <= 3:
        return None
    if owner.context.every:
        return None  # for kernels the host makes them
    fact = owner.fact(node)
    if any(a.keyword is not None or a.star for a in node.args) or fact is None or fact.dtype != "int64":
        return None
    if len(fact.shape or ()) != 1 or not all(_is_whole(owner, a.value) for a in node.args):
        return None
    given = [a.value for a in node.args]
    step = _literal(given[2]) if len(given) == 3 else 1
    if not step:
        return None
    start = given[0] if len(given) > 1 and _literal(given[0]) != 0 else None
    return Range(start, given[1] if len(given) > 1 else given[0], step)


def holds_range(owner: ElementRewriter, node: cst.BaseExpression) -> bool:
    """Says whether an expression is worked out from such numbers, and is not just these."""
    return range_of(owner, node) is None and any(range_of(owner, one) is not None for one in nodes_of(node, cst.Call))


def _is_whole(owner: ElementRewriter, node: cst.BaseExpression) -> bool:
    if isinstance(node, cst.UnaryOperation) and isinstance(node.operator, cst.Minus):
        return _is_whole(owner, node.expression)
    return is_length(owner, node)


def _literal(node: cst.BaseExpression) -> int | None:
    """Returns a whole number that is written as one."""
    if isinstance(node, cst.UnaryOperation) and isinstance(node.operator, cst.Minus):
        inner = _literal(node.expression)
        return None if inner is None else -inner
    return node.evaluated_value if isinstance(node, cst.Integer) else None
