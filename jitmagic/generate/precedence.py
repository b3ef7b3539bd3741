"""Parentheses where the grammar needs them: a node that takes another's place must still be one operand.

LibCST writes a tree as it stands: the product of ``a`` and the node of ``b + c`` is the text ``a * b + c``. A rewrite
that answers with an operator where a call or a bracketed expression stood would change what is computed.

Source: the Python Language Reference, "Operator precedence".
"""

from __future__ import annotations

from typing import Any

import libcst as cst

_ATOM = 16
_POWER = 14
_UNARY = 13
_LEVELS: dict[type[cst.CSTNode], int] = {
    cst.NamedExpr: 0, cst.Yield: 0, cst.Lambda: 1, cst.IfExp: 2, cst.Or: 3, cst.And: 4, cst.Not: 5, cst.Comparison: 6,
    cst.BitOr: 7, cst.BitXor: 8, cst.BitAnd: 9, cst.LeftShift: 10, cst.RightShift: 10, cst.Add: 11, cst.Subtract: 11,
    cst.Multiply: 12, cst.Divide: 12, cst.FloorDivide: 12, cst.Modulo: 12, cst.MatrixMultiply: 12, cst.Plus: _UNARY,
    cst.Minus: _UNARY, cst.BitInvert: _UNARY, cst.Power: _POWER, cst.Await: 15,
}  # fmt: skip
"""How tightly expressions and operators bind; what is not named here is an atom."""


def level(node: cst.BaseExpression) -> int:
    """Returns how tightly an expression binds, in parentheses most tightly.

    >>> [level(cst.parse_expression(text)) for text in ("a + b", "a @ b", "-a", "(a + b)")]
    [11, 12, 13, 16]
    """
    if node.lpar:
        return _ATOM
    if isinstance(node, cst.Tuple):
        return 0
    operator: Any = getattr(node, "operator", None)
    return _LEVELS.get(type(node if operator is None else operator), _ATOM)


def wanted(parent: cst.CSTNode, field: str) -> int:
    """Returns how tightly what stands in a parent's field must bind."""
    if isinstance(parent, cst.BinaryOperation):
        if isinstance(parent.operator, cst.Power):
            return _POWER + 1 if field == "left" else _UNARY
        return _LEVELS[type(parent.operator)] + (field == "right")
    if isinstance(parent, cst.BooleanOperation):
        return _LEVELS[type(parent.operator)] + (field == "right")
    if isinstance(parent, cst.UnaryOperation):
        return _LEVELS[type(parent.operator)]
    if isinstance(parent, cst.Comparison | cst.ComparisonTarget) and field in ("left", "comparator"):
        return _LEVELS[cst.Comparison] + 1
    if isinstance(parent, cst.Attribute | cst.Subscript | cst.Call) and field in ("value", "func"):
        return _ATOM
    if isinstance(parent, cst.IfExp):
        return _LEVELS[cst.IfExp] + (field != "orelse")
    return _LEVELS[cst.Or] if isinstance(parent, cst.CompFor | cst.CompIf) and field in ("iter", "test") else 0


def bracketed(parent: cst.CSTNode, field: str, node: cst.BaseExpression) -> cst.BaseExpression:
    """Returns an expression with the parentheses that it needs in a parent's field; the same object if none.

    >>> product = cst.parse_expression("a * x")
    >>> cst.Module([]).code_for_node(bracketed(product, "right", cst.parse_expression("b @ c")))
    '(b @ c)'
    """
    number = isinstance(parent, cst.Attribute) and isinstance(node, cst.Integer) and not node.lpar
    if level(node) >= wanted(parent, field) and not number:
        return node
    return node.with_changes(lpar=[cst.LeftParen()], rpar=[cst.RightParen()])
