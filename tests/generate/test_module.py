"""The module that remembers: text comes back as it was, each line knows the user's line, also after edits."""

import libcst as cst
import pytest

from jitmagic.capture.workload import ModuleText
from jitmagic.generate.module import Module, qualified
from jitmagic.observe.facts import Span

TEXT = '''import numpy as np

SCALE = 2.5

def fn(x, n):  # hello
    # a comment
    y = np.sqrt(x)   # root
    for i in range(n):
        if y[i] > 0:
            y[i] = (SCALE *
                    2)
        elif y[i] < -3:
            y[i] = 1
        else:
            pass; y = 3
    while True: break
    s = """a
    b"""
    def inner(
        z,
        w,
    ):
        return z
    with open(s) as f:
        pass
    try:
        y = 1
    except ValueError:
        y = 2
    finally:
        s = 3
    return y
'''


def module():
    lines = tuple(range(101, 101 + len(TEXT.splitlines())))
    return Module(ModuleText(TEXT, lines), {"np": "numpy"})


def test_an_unedited_module_comes_back_to_the_letter():
    m = module()
    assert Module.finish(m.marked(), m.source).text == TEXT


def test_every_statement_knows_its_line_and_a_comment_none():
    m = module()
    result = Module.finish(m.marked(), m.source)
    by_text = dict(zip(result.text.splitlines(), result.lines, strict=True))
    assert by_text["    y = np.sqrt(x)   # root"] == 107
    assert by_text["            y[i] = (SCALE *"] == 110
    assert by_text["                    2)"] == 111
    assert by_text['    b"""'] == 118
    assert by_text["        z,"] == 120
    assert by_text["    ):"] == 122
    assert by_text["    with open(s) as f:"] == 124
    assert by_text["    except ValueError:"] == 128
    assert by_text["    # a comment"] is None


def test_lines_survive_statements_that_are_put_in_and_taken_out():
    class Edit(cst.CSTTransformer):
        def leave_SimpleStatementLine(self, original_node, updated_node):
            code = cst.Module([]).code_for_node(original_node)
            if "np.sqrt" in code:
                return cst.FlattenSentinel([cst.parse_statement("new = 1"), updated_node])
            return cst.RemoveFromParent() if "SCALE = 2.5" in code else updated_node

    m = module()
    result = Module.finish(m.marked().visit(Edit()), m.source)
    assert "SCALE = 2.5" not in result.text
    at = result.text.splitlines().index("    new = 1")
    assert result.lines[at] is None
    assert result.lines[at + 2] == 107  # its comment stands between
    assert result.lines[-1] == 100 + len(TEXT.splitlines())


@pytest.mark.parametrize("marked", [False, True])
def test_spans_and_lines_are_found_before_and_after_marking(marked):
    m = module()
    if marked:
        m.marked()
    function = m.function("fn")
    statement = function.body.body[0].body[0]
    assert m.span(statement) == Span(7, 4, 7, 18)
    assert m.line(function) == 105


def test_a_local_name_hides_an_import():
    node = cst.parse_expression("np.linalg.norm")
    assert qualified(node, {"np": "numpy"}) == "numpy.linalg.norm"
    assert qualified(node, {"np": "numpy"}, {"np"}) is None
    assert qualified(cst.parse_expression("f(x).y"), {"f": "numpy.f"}) is None


def test_the_test_and_the_else_of_an_if_keep_their_places_when_marked():
    m = module()
    m.marked()
    loop = m.function("fn").body.body[1]
    branch = loop.body.body[0]
    assert m.span(branch.test) == Span(9, 11, 9, 19)
    assert m.line(branch.orelse.body.body[0]) == 113
    assert m.line(branch.orelse.orelse.body.body[0]) == 115
    assert m.line(loop.iter) == 108


def test_an_expression_written_anew_answers_with_all_its_parts():
    module = Module(ModuleText("y = a * (b + 1)\n", (1,)), {})
    old = module.tree.body[0].body[0].value
    new = cst.parse_expression("a * (b + 1)")
    module.inherit_parts(new, old)
    assert module.span(new.right.left) == module.span(old.right.left)
