"""Parentheses where a node takes another's place: the text must say what the tree says."""

import ast
import itertools

import libcst as cst
import pytest

from jitmagic.generate.precedence import bracketed
from jitmagic.generate.walking import Transformer

PARTS = (
    "a", "f(a)", "1", "a.b", "a[0]", "a ** b", "-a", "~a", "await_", "a * b", "a @ b", "a // b", "a + b", "a - b",
    "a << b", "a & b", "a ^ b", "a | b", "a < b", "a in b", "not a", "a and b", "a or b", "a if b else c", "lambda: a",
)  # fmt: skip
PLACES = (
    "x.real", "x[0]", "x()", "x ** y", "y ** x", "-x", "~x", "x * y", "y * x", "x @ y", "y @ x", "x - y", "y - x",
    "x >> y", "y >> x", "x & y", "y ^ x", "x | y", "x < y", "y < x", "y not in x", "not x", "x and y", "y and x",
    "x or y", "y or x", "x if y else z", "y if x else z", "y if z else x", "g(x)", "y[x]", "[x]", "[i for i in x]",
    "[i for i in y if x]",
)  # fmt: skip


class _Puts(Transformer):
    def __init__(self, part):
        super().__init__()
        self.part = part

    def leave_Name(self, original_node, updated_node):
        return self.part if original_node.value == "x" else updated_node


class _PutsAst(ast.NodeTransformer):
    def __init__(self, part):
        self.part = part

    def visit_Name(self, node):
        return self.part if node.id == "x" else node


def in_a_chain(place, part):
    """Says whether both are `and`, or both `or`: Python reads `a and b and c` as one operation on three."""
    return any(place in (f"x {word} y", f"y {word} x") and part == f"a {word} b" for word in ("and", "or"))


@pytest.mark.parametrize(
    ("place", "part"), [both for both in itertools.product(PLACES, PARTS) if not in_a_chain(*both)]
)
def test_what_takes_a_names_place_stays_one_operand(place, part):
    text = cst.Module([]).code_for_node(cst.parse_expression(place).visit(_Puts(cst.parse_expression(part))))
    wanted = _PutsAst(ast.parse(part, mode="eval").body).visit(ast.parse(place, mode="eval"))
    assert ast.dump(ast.parse(text, mode="eval")) == ast.dump(wanted), text


def test_no_parentheses_where_none_are_needed():
    part = cst.parse_expression("a * b")
    for place, field in (("x + y", "left"), ("x * y", "left"), ("x < y", "left"), ("x and y", "left")):
        assert bracketed(cst.parse_expression(place), field, part) is part
    assert bracketed(cst.parse_expression("g(x)").args[0], "value", part) is part
