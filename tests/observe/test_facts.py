"""The facts of expressions and loops are right, and loops are sampled."""

import numpy as np
import pytest

from jitmagic.observe.facts import ValueFact

from .programs import Watched

MIXED = """
import math
import numpy as np
def f(x, n, k):
    a = x * 2.0
    s = x[0] + 1.5
    b = a.astype('float64') + s
    u, v = b.shape[0], math.pi
    m = x > 0
    t = (x, n)
    r = np.sqrt(x).sum()
    x[k, ...] = -1
    c = x[m].mean(axis=0)
    return b[:, None] + r
"""


@pytest.fixture(scope="module")
def mixed() -> Watched:
    return Watched(MIXED, "f(x[:, 0], 3, 1)", x=np.ones((5, 2), np.float32))


def test_arrays_scalars_and_python_numbers_are_told_apart(mixed: Watched) -> None:
    assert mixed.fact("x * 2.0") == ValueFact("array", "float32", (5,), contiguous=True)
    assert mixed.fact("x[0]") == ValueFact("scalar", "float32", ())
    assert mixed.fact("x[0] + 1.5") == ValueFact("scalar", "float32", ())
    assert mixed.fact("a.astype('float64')") == ValueFact("array", "float64", (5,), contiguous=True)
    assert mixed.fact("b.shape[0]") == ValueFact("int", low=5, high=5)
    assert mixed.fact("math.pi") == ValueFact("float")
    assert mixed.fact("x > 0") == ValueFact("array", "bool", (5,), contiguous=True)
    assert mixed.fact("np.sqrt(x).sum()") == ValueFact("scalar", "float32", ())
    assert mixed.fact("b[:, None] + r").shape == (5, 1)


def test_names_have_facts_where_they_are_bound_and_where_they_are_read(mixed: Watched) -> None:
    assert mixed.fact("a", line=5) == ValueFact("array", "float32", (5,), contiguous=True)
    assert mixed.fact("u", line=8) == ValueFact("int", low=5, high=5)
    assert mixed.fact("v", line=8) == ValueFact("float")
    assert mixed.fact("n", line=4) == ValueFact("int", low=3, high=3)
    assert mixed.fact("k", line=12) == ValueFact("int", low=1, high=1)
    assert mixed.fact("m", line=13).dtype == "bool"


def test_tuples_have_their_items(mixed: Watched) -> None:
    fact = mixed.fact("x, n", line=10)
    assert (fact.kind, [item.kind for item in fact.items]) == ("tuple", ["array", "int"])


def test_modules_and_callees_have_no_fact(mixed: Watched) -> None:
    assert all(mixed.source(span) not in ("np", "math", "np.sqrt", "np.sqrt(x).sum") for span in mixed.expressions)


def test_evaluations_that_differ_are_merged() -> None:
    text = """
def g(x, flag):
    y = x + 1
    z = x if flag else 1.0
    return y
def f():
    g(np.zeros((3, 4)), True), g(np.zeros((5, 4), 'float32'), False), g(np.zeros((5, 4)), True)
    return g(2, True)
def h():
    g(np.zeros(3), True)
    g(np.zeros((3, 1)), True)
"""
    run = Watched(text, "[g(np.zeros((3, 4)), 1), g(np.zeros((5, 4), 'float32'), 1)]")
    assert run.fact("x + 1") == ValueFact("array", None, (None, 4), count=2, contiguous=True)
    mixed = Watched(text, "f()").fact("z")
    assert (mixed.kind, mixed.count, mixed.kinds) == ("mixed", 4, {"array", "float", "int"})
    array, one, whole = mixed.items
    assert array == ValueFact("array", "float64", (None, 4), count=2, contiguous=True)
    assert (one, whole) == (ValueFact("float"), ValueFact("int", low=2, high=2))
    assert Watched(text, "h()").fact("y", line=3) == ValueFact("array", "float64", None, count=2, contiguous=True)


INDEX = """
def f(a, i, j):
    a[i] += 1
    a[j, 0] = 2
    np.add.at(a, i, 1.0)
    a[[0, 2, 2]] = 0
    for k in range(-2, 3):
        a[k] = i[0]
    b = i + 1
    return a[a[:, 0] > 1]
"""


def test_index_arrays_have_their_range_and_repeats() -> None:
    run = Watched(INDEX, "f(a, i, j)", a=np.zeros((5, 2)), i=np.array([3, 0, 3]), j=np.array([1, 4]))
    repeated = ValueFact("array", "int64", (3,), low=0, high=3, unique=False, contiguous=True)
    assert run.fact("i", line=3) == repeated
    assert run.fact("i", line=5) == repeated
    assert run.fact("j", line=4) == ValueFact("array", "int64", (2,), low=1, high=4, unique=True, contiguous=True)
    assert run.fact("[0, 2, 2]").unique is False
    assert (run.fact("k", line=8).low, run.fact("k", line=8).high) == (-2, 2)
    assert run.fact("i", line=9) == ValueFact("array", "int64", (3,), contiguous=True)
    assert run.fact("a[:, 0] > 1").unique is None


def test_an_index_array_that_repeats_only_once_in_a_while_is_not_unique() -> None:
    text = "def f(a):\n    for k in range(3):\n        a[np.arange(4) // (k + 1)] = 0\n"
    assert Watched(text, "f(np.zeros(9))").fact("np.arange(4) // (k + 1)").unique is False


def test_stored_elements_have_facts_of_base_index_and_value_only() -> None:
    run = Watched("def f(a):\n    a[1] = 2.5 + a[0]\n    return a\n", "f(np.zeros(3, int))")
    assert run.fact("2.5 + a[0]") == ValueFact("scalar", "float64", ())
    with pytest.raises(IndexError):
        run.fact("a[1]")


def test_a_name_in_an_augmented_assignment_has_its_value_after() -> None:
    run = Watched("def f(n):\n    s = 0\n    s += 0.5 * n\n    return s\n", "f(3)")
    assert run.fact("s", line=2) == ValueFact("int", low=0, high=0)
    assert run.fact("s", line=3) == ValueFact("float")


def test_trips_of_loops_are_exact() -> None:
    text = """
def f(n):
    s = 0
    for i in range(n):
        for j in range(i):
            s += j
        for v in np.arange(5):
            s += v
    while s > 0:
        s -= 1000
    for k in range(0):
        s += k
    return s
"""
    run = Watched(text, "f(50)")
    by_line = {line: (f.entries, f.trips_low, f.trips_high, f.trips_total, f.exact) for line, f in run.loops.items()}
    assert by_line[4] == (1, 50, 50, 50, True)
    assert by_line[5] == (50, 0, 49, 1225, True)
    assert by_line[7] == (50, 5, 5, 250, True)
    total = sum(range(50)) * 0 + sum(j for i in range(50) for j in range(i)) + 50 * 10
    assert by_line[9] == (1, -(-total // 1000), -(-total // 1000), -(-total // 1000), True)
    assert by_line[11] == (1, 0, 0, 0, True)


def test_an_inner_loop_that_may_break_is_counted_where_watched_and_not_called_exact() -> None:
    text = """def f(n):
    for i in range(n):
        for j in range(9):
            if j == i % 9:
                break
"""
    run = Watched(text, "f(100)")
    assert run.loops[2].exact
    assert not run.loops[3].exact
    assert 3 <= run.loops[3].entries < 100
    assert run.loops[3].trips_high <= 9


def test_loops_are_sampled() -> None:
    text = """
def f(n):
    s = 0
    for i in range(n):
        for j in range(n):
            s += i * j
    return s
"""
    run = Watched(text, "f(300)")
    assert run.result == sum(range(300)) ** 2
    assert run.loops[5].trips_total == 90_000
    assert 9 <= run.fact("i * j").count < 200
    assert run.watches < 2_000
    assert run.fact("i * j").low == 0


def test_deep_nests_are_sampled_too_and_their_code_does_not_explode() -> None:
    depth = 7
    text = "def f(n):\n    c = 0\n"
    for level in range(depth):
        text += "    " * (level + 1) + f"for i{level} in range(n):\n"
    text += "    " * (depth + 1) + "c += i0 * 2\n    return c\n"
    run = Watched(text, "f(4)")
    assert run.result == Watched(text.replace("range(n)", "list(range(n))"), "f(4)").result
    assert run.loops[3 + depth - 1].trips_total == 4**depth
    assert run.watches < 10_000
    assert len(run.module.code.co_consts[0].co_code) < 60 * len(text)


def test_helpers_comprehensions_and_lambdas_called_often_are_sampled() -> None:
    text = """
def g(x):
    return x * 2
def f(n):
    s = sum([i * 3 for i in range(n)])
    h = lambda v: v + 1
    s += sum(map(h, range(n)))
    for i in range(n):
        s += g(i)
    return s + max(map(g, range(n)))
"""
    run = Watched(text, "f(4000)")
    assert run.result == sum(i * 3 + i + 1 + 2 * i for i in range(4000)) + 7998
    for expression in ("x * 2", "i * 3", "v + 1"):
        assert 3 <= run.fact(expression).count < 60
    assert run.watches < 1_000


def test_a_branch_taken_once_in_a_thousand_trips_is_seen() -> None:
    text = """
def rare(v):
    return v / 2
def f(x):
    best = -1
    for i in range(len(x)):
        if x[i] < 0.5:
            continue
        best = i
        if i == 777:
            for j in range(3):
                y = rare(x[i] * j)
        elif x[i] > 1.5:
            z = x[i:]
    return best
"""
    x = np.zeros(1000)
    x[[333, 777]] = 2.0, 1.0
    run = Watched(text, "f(x)", x=x)
    assert run.fact("i", line=9).count >= 1
    assert run.fact("x[i] * j").kind == "scalar"
    assert run.fact("v / 2").kind == "scalar"
    assert run.fact("x[i:]").shape == (667,)


def test_recursion_and_nested_functions_have_facts() -> None:
    text = """
def fib(n):
    if n < 2:
        return n
    return fib(n - 1) + fib(n - 2)
def f(x):
    def scaled(k):
        return x * k
    return [fib(12), scaled(2).sum()]
"""
    run = Watched(text, "f(np.ones(3, 'float32'))")
    assert run.result == [144, 6.0]
    assert run.fact("fib(n - 1) + fib(n - 2)").kind == "int"
    assert run.fact("n", line=2).high == 12
    assert run.fact("x * k") == ValueFact("array", "float32", (3,), contiguous=True)


def test_a_function_with_a_generator_in_it_has_facts() -> None:
    text = "def f(n):\n    def g():\n        yield n\n    s = n + 1\n    return s + sum(g())\n"
    assert Watched(text, "f(2)").fact("n + 1").low == 3


def test_nothing_of_the_users_is_kept_alive_or_asked() -> None:
    import gc
    import weakref

    class Touchy:
        def __array__(self, *args: object) -> None:
            raise AssertionError("__array__ was called")

        def __eq__(self, other: object) -> bool:
            raise AssertionError("__eq__ was called")

        def __bool__(self) -> bool:
            raise AssertionError("__bool__ was called")

        def __len__(self) -> int:
            raise AssertionError("__len__ was called")

        __hash__ = None  # type: ignore[assignment]

    text = "def f(make):\n    for i in range(5):\n        x = make()\n        y = [x, (x,)]\n    return i\n"
    made: list[weakref.ref[Touchy]] = []

    def make() -> Touchy:
        touchy = Touchy()
        made.append(weakref.ref(touchy))
        return touchy

    run = Watched(text, "f(make)", make=make)
    assert run.fact("make()").kind == "object"
    gc.collect()
    assert len(made) == 5
    assert all(ref() is None for ref in made)
