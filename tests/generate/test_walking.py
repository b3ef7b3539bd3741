"""Finders and transformers beside LibCST's own, on every source of the corpus."""

from pathlib import Path

import libcst as cst
import pytest

from jitmagic.generate.walking import Finder, Transformer, children, fields, returns_of

SOURCES = sorted((Path(__file__).parent.parent / "corpus").glob("*.py"))
TRIVIA = (
    cst.BaseParenthesizableWhitespace, cst.EmptyLine, cst.Newline, cst.Comment, cst.TrailingWhitespace, cst.Comma,
    cst.LeftParen, cst.RightParen, cst.LeftSquareBracket, cst.RightSquareBracket, cst.LeftCurlyBrace,
    cst.RightCurlyBrace, cst.AssignEqual, cst.Semicolon, cst.Dot, cst.Colon,
)  # fmt: skip
ONE = """
@decorated
def fn(a, /, b=1, *rest, c: int = 2, **more) -> int:
    with open(a) as f, lock:
        x: int = (b if a else c)
    try:
        call(b, key=c, *rest)
    except (ValueError, KeyError) as error:
        raise error from None
    finally:
        del x
    return [y for x in a if x for y in x], {k: v for k, v in b}, lambda z, *w: z, (n := 1), a[1:2, ..., None], f"{a}!"
class C(D, metaclass=E):
    pass
"""


class _Theirs(cst.CSTVisitor):
    def __init__(self):
        super().__init__()
        self.seen = []

    def on_visit(self, node):
        if not isinstance(node, TRIVIA):
            self.seen.append(node)
        return True


def in_order(node):
    yield node
    for child in children(node):
        yield from in_order(child)


@pytest.mark.parametrize("text", [ONE, *(p.read_text() for p in SOURCES)], ids=["one", *(p.stem for p in SOURCES)])
def test_comes_by_the_nodes_that_libcst_comes_by_in_the_same_order(text):
    tree = cst.parse_module(text)
    theirs = _Theirs()
    tree.visit(theirs)
    assert [type(n).__name__ for n in in_order(tree)] == [type(n).__name__ for n in theirs.seen]


class _Looks(Finder):
    def __init__(self):
        super().__init__()
        self.told = []

    def visit_Name(self, node):
        self.told.append(node.value)

    def visit_FunctionDef(self, node):
        self.told.append(f"in {node.name.value}")
        return node.name.value != "closed"

    def leave_FunctionDef(self, original_node):
        self.told.append(f"out {original_node.name.value}")

    def visit_If_body(self, node):
        self.told.append("then")

    def leave_If_body(self, node):
        self.told.append("end")


def test_a_finder_is_told_on_the_way_in_and_out_and_around_fields():
    text = "def fn(a):\n    if a:\n        b\n    def closed():\n        c\n"
    finder = _Looks()
    cst.parse_module(text).visit(finder)
    assert finder.told == ["in fn", "fn", "a", "a", "then", "b", "end", "in closed", "out closed", "out fn"]


class _Renames(Transformer):
    def leave_Name(self, original_node, updated_node):
        return updated_node.with_changes(value="b") if updated_node.value == "a" else updated_node

    def leave_Expr(self, original_node, updated_node):
        return cst.RemoveFromParent()

    def leave_Return(self, original_node, updated_node):
        return cst.FlattenSentinel([cst.Pass(), updated_node])


def test_a_transformer_changes_removes_and_adds():
    text = "def fn(a):  # kept\n    a + 1\n    x = a * 2\n    return x\n"
    assert cst.parse_module(text).visit(_Renames()).code == "def fn(b):  # kept\n    x = b * 2\n    pass; return x\n"


def test_what_does_not_change_stays_the_same_object():
    tree = cst.parse_module("x = a\ny = c + d\n")
    new = tree.visit(_Renames())
    assert new.body[0] is not tree.body[0]
    assert new.body[1] is tree.body[1]
    other = cst.parse_module("y = c + d\n")
    assert other.visit(_Renames()) is other


class _Counts(Transformer):
    def __init__(self):
        super().__init__()
        self.left = []

    def on_leave(self, original_node, updated_node):
        result = super().on_leave(original_node, updated_node)
        if result is not original_node:
            self.left.append(type(original_node).__name__)
        return result

    def leave_Integer(self, original_node, updated_node):
        return cst.Integer("7")


def test_the_root_is_left_with_what_became_of_it():
    counts = _Counts()
    new = cst.parse_expression("a + 1").visit(counts)
    assert cst.Module([]).code_for_node(new) == "a + 7"
    assert counts.left == ["Integer", "BinaryOperation"]


def test_no_field_that_holds_code_is_left_out():
    # what is not walked holds form alone
    for kind in vars(cst).values():
        if isinstance(kind, type) and issubclass(kind, cst.CSTNode) and not issubclass(kind, TRIVIA):
            assert not {"body", "value", "target", "targets", "test", "func", "args", "slice"} & (
                set(getattr(kind, "__dataclass_fields__", ())) - set(fields(kind))
            ), kind


def test_a_functions_own_returns_are_found_and_those_of_functions_inside_are_not():
    text = (
        "def fn(x):\n    def inner(y):\n        return y\n    for v in x:\n        if v:\n            return v\n"
        "    class Local:\n        def method(self):\n            return 0\n    return inner(x)\n"
    )
    (function,) = cst.parse_module(text).body
    assert isinstance(function, cst.FunctionDef)
    assert [cst.Module([]).code_for_node(one.value) for one in returns_of(function)] == ["v", "inner(x)"]
