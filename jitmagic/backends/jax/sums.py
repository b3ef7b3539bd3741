"""Sums of terms, as subscripts and bounds are: ``n - 1 - i`` taken apart, compared and written again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import libcst as cst

from jitmagic.generate.blocks import code


def terms(node: cst.BaseExpression, sign: int = 1) -> Counter[str]:
    """Returns a sum's terms with their signs; the whole numbers together under ''."""
    if isinstance(node, cst.BinaryOperation) and isinstance(node.operator, cst.Add | cst.Subtract):
        total = terms(node.left, sign)
        total.update(terms(node.right, sign if isinstance(node.operator, cst.Add) else -sign))
        return total
    if isinstance(node, cst.Integer):
        return Counter({"": sign * int(node.value.replace("_", ""), 0)})
    if isinstance(node, cst.UnaryOperation) and isinstance(node.operator, cst.Minus):
        return terms(node.expression, -sign)
    if isinstance(node, cst.BinaryOperation) and isinstance(node.operator, cst.Multiply):
        for number, other in ((node.left, node.right), (node.right, node.left)):
            if isinstance(number, cst.Integer):
                scaled = terms(other, sign)
                return Counter({t: n * int(number.value.replace("_", ""), 0) for t, n in scaled.items()})
    return Counter({code(node.with_changes(lpar=[], rpar=[])): sign})


def difference(a: str, b: str) -> dict[str, int]:
    """Returns the terms of ``a - b``; empty where both are the same."""
    total = terms(cst.parse_expression(a))
    total.subtract(terms(cst.parse_expression(b)))
    return {t: n for t, n in total.items() if n}


def written(found: Mapping[str, int]) -> str:
    """Returns a sum of terms as text.

    >>> written({"n": 1, "": -1}), written({"n // 2": -1, "": 3}), written({"a if c else b": 1, "i": 1})
    ('n - 1', '-(n // 2) + 3', '(a if c else b) + i')
    """
    parts = []
    for term, count in sorted(found.items(), key=lambda item: (item[0] == "", item[1] < 0)):
        shown = term if term == "" or (len(found) == 1 and count == 1) else _factor(term, count)
        text = str(abs(count)) if term == "" else (shown if abs(count) == 1 else f"{abs(count)} * {shown}")
        parts.append(("- " if count < 0 else "+ ") + text)
    joined = " ".join(parts)
    return (joined[2:] if joined.startswith("+ ") else joined.replace("- ", "-", 1)) or "0"


def _factor(term: str, count: int) -> str:
    """Puts a term into brackets where a sign, a number or a sum around it would take it apart."""
    node = cst.parse_expression(term)
    if isinstance(node, cst.Name | cst.Attribute | cst.Subscript | cst.Call) or getattr(node, "lpar", False):
        return term
    if isinstance(node, cst.BinaryOperation):
        if isinstance(node.operator, cst.Multiply | cst.Power):
            return term
        if isinstance(node.operator, cst.FloorDivide | cst.Modulo | cst.Divide) and count == 1:
            return term
    return f"({term})"


def added(a: str, b: str) -> str:
    """Returns the sum of two expressions, as text."""
    total = terms(cst.parse_expression(a))
    total.update(terms(cst.parse_expression(b)))
    return written({t: n for t, n in total.items() if n})
