"""Affine forms of subscripts: integers, loop-invariant symbols and one index, added and multiplied by constants.

>>> import ast
>>> form = affine(ast.parse("n - 1 - i", mode="eval").body, "i", {"i"})
>>> form.coefficient, form.offset
(-1, Polynomial(terms=(('', -1), ('n', 1))))
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Collection
from dataclasses import dataclass


@dataclass(frozen=True)
class Polynomial:
    """An integer combination of opaque symbols; the constant's symbol is the empty string."""

    terms: tuple[tuple[str, int], ...]

    @staticmethod
    def of(terms: dict[str, int]) -> Polynomial:
        """Makes the normal form: sorted, without zeros."""
        return Polynomial(tuple(sorted((s, c) for s, c in terms.items() if c)))

    def __add__(self, other: Polynomial) -> Polynomial:
        terms = dict(self.terms)
        for symbol, count in other.terms:
            terms[symbol] = terms.get(symbol, 0) + count
        return Polynomial.of(terms)

    def __sub__(self, other: Polynomial) -> Polynomial:
        return self + other.times(-1)

    def times(self, factor: int) -> Polynomial:
        """Multiplies every term."""
        return Polynomial.of({s: c * factor for s, c in self.terms})

    def constant(self) -> int | None:
        """Returns the value if no symbol is left, else None."""
        if not self.terms:
            return 0
        if len(self.terms) == 1 and self.terms[0][0] == "":
            return self.terms[0][1]
        return None

    def lowest(self, bound: Callable[[str], int | None]) -> int | None:
        """Returns a lower bound, given lower bounds of symbols; None where there is none."""
        total = 0
        for symbol, count in self.terms:
            low = 1 if symbol == "" else bound(symbol)
            if symbol != "" and (low is None or count < 0):
                return None
            total += count * (low or 0)
        return total


@dataclass(frozen=True)
class Affine:
    """``coefficient * index + offset``."""

    coefficient: int
    offset: Polynomial


def affine(node: ast.expr, index: str, variant: Collection[str]) -> Affine | None:
    """Brings an expression into affine form.

    Parameters
    ----------
    node : ast.expr
    index : str
        The loop's index.
    variant : collection of str
        Names that the loop's body assigns: an expression that reads them is not loop-invariant.

    Returns
    -------
    Affine or None
        None where the expression is not affine in ``index`` with a constant coefficient.
    """
    if isinstance(node, ast.Constant) and type(node.value) is int:
        return Affine(0, Polynomial.of({"": node.value}))
    if isinstance(node, ast.Name) and node.id == index:
        return Affine(1, Polynomial(()))
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        inner = affine(node.operand, index, variant)
        return None if inner is None else Affine(-inner.coefficient, inner.offset.times(-1))
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Sub | ast.Mult):
        left, right = affine(node.left, index, variant), affine(node.right, index, variant)
        if left is not None and right is not None:
            if isinstance(node.op, ast.Add):
                return Affine(left.coefficient + right.coefficient, left.offset + right.offset)
            if isinstance(node.op, ast.Sub):
                return Affine(left.coefficient - right.coefficient, left.offset - right.offset)
            for one, other in ((left, right), (right, left)):
                factor = one.offset.constant()
                if one.coefficient == 0 and factor is not None:
                    return Affine(other.coefficient * factor, other.offset.times(factor))
    if isinstance(node, ast.Call | ast.Await | ast.Lambda) and not _is_len(node):
        return None
    read = {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}
    if index in read or read & set(variant):
        return None
    return Affine(0, Polynomial.of({ast.unparse(node): 1}))


def _is_len(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "len"
