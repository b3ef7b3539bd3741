"""The call at other sizes: which statements run again, and what of the user's stays as it was."""

import ast
import random
import textwrap

import numpy as np
import pytest

from jitmagic.capture.cell import plan
from jitmagic.capture.resized import Given, SetUp
from jitmagic.capture.slicing import needed
from jitmagic.errors import CaptureError


def lines(source, *wanted):
    body = ast.parse(textwrap.dedent(source)).body
    return [ast.unparse(each).partition("\n")[0] for each in needed(body, set(wanted), {"np": np})]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("n = 3\nm = 4\nx = np.ones(n)\ny = np.ones(m)", ["n = 3", "x = np.ones(n)"]),
        ("x = np.ones(9)\nx[2] = 7\nx += 1", ["x = np.ones(9)", "x[2] = 7", "x += 1"]),
        ("x = np.ones(9)\nv = x[2:]\nv[0] = 5\nw = x + 1\nw[0] = 4", ["x = np.ones(9)", "v = x[2:]", "v[0] = 5"]),
        ("x = np.ones(9)\nv = x.reshape(3, 3)\nv.fill(2)", ["x = np.ones(9)", "v = x.reshape(3, 3)", "v.fill(2)"]),
        ("np.random.seed(1)\nx = np.random.rand(3)", ["np.random.seed(1)", "x = np.random.rand(3)"]),
        ("x = np.ones((3, 3))\nnp.fill_diagonal(x, 0)", ["x = np.ones((3, 3))", "np.fill_diagonal(x, 0)"]),
        ("x = np.ones(3)\nnp.sin(x, out=x)", ["x = np.ones(3)", "np.sin(x, out=x)"]),
        ("def half(a):\n    a /= 2\nx = np.ones(3)\nhalf(x)", ["def half(a):", "x = np.ones(3)", "half(x)"]),
        ("if True:\n    k = 3\nelse:\n    k = 4\nx = np.ones(k)", ["if True:", "x = np.ones(k)"]),
        ("rng = np.random.default_rng(0)\na = rng.random(4)\nx = rng.random(3)",
         ["rng = np.random.default_rng(0)", "a = rng.random(4)", "x = rng.random(3)"]),
        ("x = np.ones(3)\nprint(x)\nnp.save('x.npy', x)\nx.tofile('f')\nplt.plot(x)\nx.sum()",
         ["x = np.ones(3)", "x.sum()"]),
        ("with open('f', 'w') as f:\n    f.write(str(x))\nx = np.ones(3)", ["x = np.ones(3)"]),
    ],
)  # fmt: skip
def test_what_the_call_rests_on_runs_again(source, expected):
    assert lines(source, "x") == expected


def cell(source, parameter="n", before=None, sweep=None):
    """Captures a cell as the magic does; returns the set-up at other sizes and the namespace."""
    namespace = {"np": np, "__name__": "__main__"}
    if before is not None:
        exec(compile(textwrap.dedent(before), "<before>", "exec"), namespace)
    planned = plan(textwrap.dedent(source))
    made = SetUp(
        parameter,
        namespace,
        source=planned.setup,
        call=planned.call,
        function=planned.function,
        sources=planned.definitions,
        line=planned.call_line,
    )
    exec(compile(planned.setup, "<cell>", "exec"), namespace)
    made.settle(sweep or f"{parameter}=2,4")
    return made, namespace


SIMPLE = """
def fn(x):
    return x + 1

n = 3
x = np.arange(n) * 1.0
fn(x)
"""


def test_the_arguments_have_the_size_and_the_users_stay():
    made, namespace = cell(SIMPLE)
    mine = namespace["x"]
    workload = made.workload(4)
    assert made.sizes == (2, 4)
    assert workload.args[0].tolist() == [0.0, 1.0, 2.0, 3.0]
    assert namespace["n"] == 3
    assert namespace["x"] is mine
    assert mine.tolist() == [0.0, 1.0, 2.0]


def test_the_source_is_the_same_at_each_size_and_keeps_its_lines():
    made, _ = cell(SIMPLE)
    one, other = made.workload(2), made.workload(4)
    assert one.module == other.module
    assert 3 in one.module.lines


def test_random_numbers_are_those_of_the_cell_run_with_that_size():
    source = """
        def fn(x):
            return x + 1

        n = 3
        rng = np.random.default_rng(5)
        np.random.seed(2)
        x = rng.random(n) + np.random.rand(n)
        fn(x)
        """
    made, namespace = cell(source)
    state, legacy = namespace["rng"].bit_generator.state, np.random.get_state()
    python = random.getstate()
    drawn = made.workload(4).args[0]
    assert namespace["rng"].bit_generator.state == state
    assert all(np.array_equal(a, b) for a, b in zip(np.random.get_state(), legacy, strict=True))
    assert random.getstate() == python
    np.random.seed(2)
    assert np.array_equal(drawn, np.random.default_rng(5).random(4) + np.random.rand(4))
    assert np.array_equal(made.workload(4).args[0], drawn)


def test_what_other_cells_made_is_copied_as_it_was_before_the_cell():
    before = """
        rng = np.random.default_rng(1)
        data = np.arange(10.0)
        count = 0

        def draw(n):
            global count
            count += 1
            return rng.random(n)
        """
    source = """
        def fn(x):
            return x + 1

        n = 3
        data *= 2
        x = draw(n) + data[:n]
        fn(x)
        """
    made, namespace = cell(source, before=before)
    data = namespace["data"].copy()
    drawn = made.workload(4).args[0]
    assert np.array_equal(drawn, np.random.default_rng(1).random(4) + np.arange(4.0) * 2)
    assert namespace["count"] == 1
    assert np.array_equal(namespace["data"], data)
    state = np.random.default_rng(1)
    state.random(3)
    assert namespace["rng"].bit_generator.state == state.bit_generator.state


def test_a_name_of_another_cell_may_be_swept():
    made, namespace = cell("def fn(x):\n    return x + 1\n\nx = np.ones(n)\nfn(x)\n", before="n = 7")
    assert made.workload(2).args[0].shape == (2,)
    assert namespace["n"] == 7


def test_the_call_itself_may_have_the_size():
    made, _ = cell("def fn(x):\n    return x + 1\n\nn = 5\nfn(np.ones(n))\n")
    assert made.workload(4).args[0].shape == (4,)


def test_arguments_by_name():
    made, _ = cell("def fn(x):\n    return x + 1\n\nn = 5\nx = np.ones(n)\n")
    assert made.workload(4).args[0].shape == (4,)


def test_a_function_that_reads_the_size_itself_has_a_source_for_each():
    made, _ = cell("def fn(x):\n    return x * n\n\nn = 5\nx = np.ones(n)\nfn(x)\n")
    assert "n = 4" in made.workload(4).module.text
    assert "n = 2" in made.workload(2).module.text


def test_a_size_that_others_are_computed_from():
    made, _ = cell("def fn(x):\n    return x + 1\n\nn, k = 5, 2\nm = n * k\nx = np.ones(m)\nfn(x)\n")
    assert made.workload(4).args[0].shape == (8,)


def test_floats_stay_floats():
    made, _ = cell("def fn(x, h):\n    return x * h\n\nh = 0.5\nfn(np.ones(3), h)\n", "h", sweep="h=0.1:10:3")
    assert made.sizes == pytest.approx((0.1, 1.0, 10.0))
    assert made.workload(0.1).args[1] == 0.1


@pytest.mark.parametrize(
    ("source", "parameter", "told"),
    [
        (SIMPLE, "m", "there is no variable `m` to sweep"),
        (SIMPLE.replace("arange(n)", "arange(3)"), "n", r"nothing that `fn\(x\)` needs depends on `n`"),
        (SIMPLE.replace("n = 3", "n = '3'").replace("(n)", "(int(n))"), "n", "a str: a sweep is over a number"),
        (SIMPLE.replace("n = 3", "n = True"), "n", "a bool: a sweep is over a number"),
    ],
)
def test_what_cannot_be_swept_is_told_of(source, parameter, told):
    with pytest.raises(CaptureError, match=told):
        cell(source, parameter)


def test_an_integer_is_not_swept_over_halves():
    with pytest.raises(CaptureError, match=r"`n` is an integer, and the size 2\.5 is none"):
        cell(SIMPLE, sweep="n=2.5,4")


def test_a_size_that_cannot_be_made_names_the_line():
    source = "def fn(x):\n    return x + 1\n\nn = 4\nx = np.ones(12).reshape(n, -1)\nfn(x)\n"
    made, namespace = cell(source, sweep="n=2,5")
    assert made.workload(2).args[0].shape == (2, 6)
    with pytest.raises(CaptureError, match="with n = 5 the set-up fails at line 5: ValueError: cannot reshape") as told:
        made.workload(5)
    assert told.value.line == 5
    assert namespace["n"] == 4


def test_what_cannot_be_copied_is_named():
    before = "import threading\nlock = threading.Lock()\ndef make(n):\n    with lock:\n        return np.ones(n)\n"
    with pytest.raises(CaptureError, match="`lock`, which the set-up reads, cannot be copied"):
        cell("def fn(x):\n    return x + 1\n\nn = 4\nx = make(n)\nfn(x)\n", before=before)


def test_what_the_set_up_prints_is_not_printed_again(capsys):
    made, _ = cell(SIMPLE.replace("x = ", "x = print('made') or "))
    assert capsys.readouterr().out == "made\n"
    made.workload(2)
    assert capsys.readouterr().out == ""


def fn(x, k):
    return x * k


def test_a_callable_makes_the_arguments():
    made = Given(fn, (2, 4), lambda n: (np.random.rand(n), 2.0), {})
    state = np.random.get_state()[1].copy()
    assert made.workload(4).args[0].shape == (4,)
    assert np.array_equal(np.random.get_state()[1], state)
    assert Given(fn, (2, 4), np.ones, {"k": 3.0}).workload(2).kwargs == {"k": 3.0}


def test_a_callable_that_fails_is_told_of():
    with pytest.raises(CaptureError, match="with n = 2 the arguments could not be made: KeyError"):
        Given(fn, (2, 4), {}.__getitem__, {}).workload(2)
