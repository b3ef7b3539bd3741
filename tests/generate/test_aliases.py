"""Aliases on small functions: who shares memory with whom before each statement."""

import libcst as cst

from jitmagic.capture.workload import ModuleText
from jitmagic.generate.aliases import aliases
from jitmagic.generate.kinds import Kinds
from jitmagic.generate.module import Module


def at_end(source):
    """Returns the kinds of links before the last statement."""
    text = "import numpy as np\n" + source
    module = Module(ModuleText(text, tuple(range(1, 1 + len(text.splitlines())))), {"np": "numpy"})
    function = module.function("f")
    found = aliases(function, Kinds(module, function, {}))
    state = found.at[function.body.body[-1]]
    return {name: {other: link.kind for other, link in links.items()} for name, links in state.items() if links}


def test_a_parameter_is_the_callers_object_until_it_is_bound_anew():
    assert at_end("def f(a):\n    a[0] = 1\n") == {"a": {"@a": "same"}, "@a": {"a": "same"}}
    assert at_end("def f(a):\n    a = a.copy()\n    a[0] = 1\n") == {}


def test_views_and_second_names_are_linked():
    links = at_end("def f(a):\n    b = a\n    v = b[1:]\n    v[0] = 1\n")
    assert links["b"]["a"] == "same"
    assert links["v"]["b"] == "view"
    assert links["b"]["v"] == "base"
    assert links["v"]["@a"] == "view"


def test_arithmetic_and_index_arrays_make_new_arrays():
    assert at_end("def f(n):\n    a = np.zeros(n) + 1\n    b = a[[0, 1]]\n    b[0] = 1\n").keys() == {"n", "@n"}


def test_exchanged_buffers_stay_apart():
    links = at_end(
        "def f(n):\n    u, v = np.zeros(n), np.ones(n)\n    for i in range(n):\n        u, v = v, u\n    v[0] = 1\n"
    )
    assert "u" not in links


def test_exchanged_names_of_one_array_stay_together():
    links = at_end("def f(n):\n    u = np.zeros(n)\n    v = u\n    u, v = v, u\n    v[0] = 1\n")
    assert links["u"] == {"v": "may"}


def test_paths_that_disagree_give_may():
    links = at_end("def f(a, c):\n    b = a\n    if c:\n        b = a.copy()\n    b[0] = 1\n")
    assert links["b"]["a"] == "may"


def test_rows_with_different_numbers_are_apart():
    links = at_end("def f(s):\n    u = s[0]\n    v = s[1]\n    u[0] = 1\n")
    assert "v" not in links["u"]
    assert at_end("def f(s, i):\n    u = s[0]\n    v = s[i]\n    u[0] = 1\n")["u"]["v"] == "may"


def test_a_view_by_an_index_that_changed_is_no_longer_known():
    links = at_end("def f(s, i):\n    u = s[i]\n    i = i + 1\n    u[0] = 1\n")
    assert links["u"]["s"] == "may"


def test_a_loop_variable_may_be_a_row():
    links = at_end("def f(a):\n    for row in a:\n        pass\n    row[0] = 1\n")
    assert links["row"]["a"] == "may"


def test_what_a_function_returns_is_known():
    module = Module(ModuleText("def f(a):\n    return a[1:]\n", (1, 2)), {})
    function = module.function("f")
    assert "@a" in aliases(function, Kinds(module, function, {})).returned[0]
    assert isinstance(function, cst.FunctionDef)
