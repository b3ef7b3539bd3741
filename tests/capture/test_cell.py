"""What plan() reads from a cell without running it."""

from __future__ import annotations

import textwrap

import pytest

from jitmagic.capture.cell import CellPlan, cut_before, plan
from jitmagic.errors import CaptureError


def planned(source: str, call: str | None = None, function: str | None = None) -> CellPlan:
    return plan(textwrap.dedent(source).lstrip("\n"), call, function=function)


DEF = "def fn(x):\n    return x + 1\n"


@pytest.mark.parametrize(
    ("last", "call"),
    [
        ("fn(x)", "fn(x)"),
        ("fn(x);", "fn(x)"),
        ("y = fn(x)", "fn(x)"),
        ("y: int = fn(x)", "fn(x)"),
        ("a, b = fn(x), 2", "fn(x)"),
        ("total += fn(x)", "fn(x)"),
        ("print(fn(x).sum())", "fn(x)"),
        ("fn(x)[0]", "fn(x)"),
        ("fn(fn(x))", "fn(fn(x))"),
        ("fn(*arrays, k=2, **more)", "fn(*arrays, k=2, **more)"),
        ("print(f'{fn(x)!r}')", "fn(x)"),
        ("assert fn(x) == 2", "fn(x)"),
        ("fn(x) + fn(y)", "fn(x)"),
        ("z = 1; fn(x)", "fn(x)"),
        ("fn(\n    x,  # first\n    2,\n)", "fn(\n    x,  # first\n    2,\n)"),
    ],
)
def test_finds_the_outermost_call_in_the_last_statement(last: str, call: str) -> None:
    found = plan(DEF + last + "\n")
    assert (found.call, found.call_line, found.function) == (call, 3, "fn")
    assert found.functions == ("fn",)


def test_blanks_the_statement_and_keeps_the_lines() -> None:
    source = DEF + "é = 'é'; y = fn(\n  é,\n)  # the call\n"
    setup = plan(source).setup
    assert setup.count("\n") == source.count("\n")
    assert setup.split("\n")[2].rstrip() == "é = 'é';"
    assert setup.split("\n")[4].strip() == "# the call"
    namespace: dict[str, object] = {}
    exec(setup, namespace)
    assert namespace["é"] == "é"
    assert "y" not in namespace


def test_leaves_an_earlier_call_in_the_setup_for_what_follows_it() -> None:
    found = planned("""
        def fn(x):
            return x + 1
        y = fn(3)
        print(y)
    """)
    assert (found.call, found.call_line) == ("fn(3)", 3)
    assert "y = fn(3)" in found.setup


def test_the_last_call_wins_where_all_functions_are_called() -> None:
    found = planned("""
        def make(n):
            return list(range(n))
        def fn(x):
            return x
        x = make(3)
        y = fn(x)
        print(y)
    """)
    assert found.call == "fn(x)"


def test_an_earlier_call_does_not_win_over_a_function_that_nothing_calls() -> None:
    with pytest.raises(CaptureError, match=r"`make` \(line 1\) and `fn` \(line 3\)"):
        planned("""
            def make(n):
                return list(range(n))
            def fn(x):
                return x
            x = make(3)
            print(x)
        """)


def test_the_given_call_wins_and_an_equal_statement_is_blanked() -> None:
    source = DEF + "fn(1)\n"
    assert plan(source, "fn( 1 )").setup == DEF + "     \n"
    other = plan(source, "fn(2)")
    assert (other.call, other.call_line, other.setup) == ("fn(2)", None, source)


def test_a_given_bare_name_takes_the_call_of_that_function() -> None:
    found = planned(
        """
        def fn(x):
            return x
        def other(x):
            return x
        fn(1)
        other(2)
        """,
        "fn",
    )
    assert found.call == "fn(1)"


def test_a_cell_without_functions_calls_a_name() -> None:
    found = plan("x = 3\nprint(fn(x).sum())\n")
    assert (found.call, found.functions, found.function) == ("fn(x)", (), "fn")
    assert plan("tools.fn(x)").call == "tools.fn(x)"
    assert plan("np.sum(fn(x))").call == "fn(x)"


def test_the_only_root_takes_its_arguments_by_name() -> None:
    found = planned("""
        def helper(x):
            return x
        def fn(x, y):
            return helper(x) + y
        x = 3
    """)
    assert (found.call, found.function) == (None, "fn")


def test_a_call_of_itself_does_not_hide_a_function() -> None:
    assert plan("def fact(n):\n    return 1 if n < 2 else n * fact(n - 1)\n").function == "fact"


def test_the_main_block_counts_as_top_level() -> None:
    found = planned("""
        def fn(x):
            return x
        if __name__ == "__main__":
            x = 3
            fn(x)
    """)
    assert (found.call, found.call_line) == ("fn(x)", 5)
    exec(found.setup, {"__name__": "__main__"})
    assert plan('def f(): pass\nif __name__ == "__main__":\n    f()\n').setup.endswith(":\n    pass\n")


def test_a_lambda_that_has_a_name_is_a_function() -> None:
    found = plan("fn = lambda x, k=2: (x +\n  k)\nfn(1)\n")
    assert found.functions == ("fn",)
    assert found.definitions["fn"].source == "def fn(x, k=2):\n    return (x +\n  k)\n"
    assert found.definitions["fn"].lines == (1, 1, 2)


def test_calls_in_comprehensions_and_lambdas_are_not_taken() -> None:
    assert plan(DEF + "[fn(i) for i in range(3)]\n").call is None


def test_definitions_are_dedented_and_keep_comments_and_strings() -> None:
    found = planned('''
        if True:
            @njit(cache=True)
            def fn(x):
                # why
                text = """a
            b"""
                return x  # last
        fn(1)
    ''')
    definition = found.definitions["fn"]
    assert definition.source == ('def fn(x):\n    # why\n    text = """a\n    b"""\n    return x  # last\n')
    assert definition.first_line == 3
    assert [(each.text, each.line) for each in definition.decorators] == [("njit(cache=True)", 2)]


def test_lines_that_hold_form_feeds_keep_their_numbers() -> None:
    assert plan("x = 1\n\x0c\ndef fn(x):\n    return x\nfn(x)\n").call_line == 5


@pytest.mark.parametrize(
    ("source", "line", "message"),
    [
        ("x = 1\ndef fn(x):\n    return (x\n", 3, r"the source cannot be read: '\(' was never closed \(line 3\)"),
        ("x = 1\n", None, "nothing to compare: the source defines no function and calls none. Write for example"),
        ("", None, "nothing to compare"),
        (
            "def f(x):\n    return x\ndef g(y, n=1, *, k):\n    return y\n",
            3,
            r"`f` \(line 1\) and `g` \(line 3\)\? Name the call, e.g. g\(y, k=k\)",
        ),
        (
            "def f(x):\n    return x\ndef g(y):\n    return y\nnp.allclose(f(1), g(1))\n",
            5,
            r"line 5 calls two functions, `f\(1\)` and `g\(1\)`.*Name the call, e.g. f\(1\)",
        ),
    ],
)
def test_refuses_with_the_line(source: str, line: int | None, message: str) -> None:
    with pytest.raises(CaptureError, match=message) as caught:
        plan(source)
    assert caught.value.line == line


@pytest.mark.parametrize("call", ["fn(", "3 + 4", "x = 3"])
def test_refuses_a_given_call_that_is_none(call: str) -> None:
    with pytest.raises(CaptureError, match=r"fn\(x"):
        plan(DEF, call)


def test_cuts_what_follows_the_call_but_for_definitions() -> None:
    source = "import os\nx = 1\ny = fn(x)\nprint(y)\ndef fn(x):\n    return x\nopen('out', 'w')\n"
    cut = cut_before(source, 3)
    expected = ["import os", "x = 1", "", "", "def fn(x):", "return x", "", ""]
    assert [line.strip() for line in cut.split("\n")] == expected
