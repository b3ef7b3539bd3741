"""observe(): the plain facts, the watched facts, and what becomes of the world around."""

import random
import sys
from typing import Any

import numpy as np
import pytest

from jitmagic.errors import BaselineError
from jitmagic.observe.facts import RaisedFact, Span
from jitmagic.observe.run import Observed, observe


def see(text: str, *args: Any, labels: tuple[str, ...] | None = None, namespace: Any = None, **kwargs: Any) -> Observed:
    """Observes ``f`` with fresh deep copies of the arguments at each call."""
    import copy

    def fresh() -> tuple[tuple[Any, ...], dict[str, Any]]:
        return copy.deepcopy((args, kwargs))

    labels = labels or (*(f"a{i}" for i in range(len(args))), *kwargs)
    return observe("import numpy as np\n" + text, "f", namespace or {}, fresh, labels)


def test_the_result_and_the_arguments_after_the_call_are_kept() -> None:
    seen = see("def f(x, out):\n    out[:] = x * 2\n    return x.sum()\n", np.ones(3), out=np.zeros(3))
    o = seen.observation
    assert (seen.result, seen.kwargs["out"].tolist()) == (3.0, [2.0, 2.0, 2.0])
    assert (o.watched, o.watch_failed, o.repeatable) == (True, None, True)
    assert o.mutated == ("out",)
    assert o.result is not None
    assert (o.result.kind, o.result.dtype) == ("scalar", "float64")
    assert o.arguments["a0"].shape == (3,)
    assert o.fact(Span(3, 13, 3, 18)) == o.fact_at(3, 13, 3, 18)
    assert o.fact_at(3, 13, 3, 18).dtype == "float64"  # type: ignore[union-attr]
    assert o.seconds > 0


def test_integer_arguments_have_range_and_repeats() -> None:
    o = see("def f(i, n):\n    return i\n", np.array([4, 1, 4]), 7).observation
    assert (o.arguments["a0"].low, o.arguments["a0"].high, o.arguments["a0"].unique) == (1, 4, False)
    assert (o.arguments["a1"].kind, o.arguments["a1"].low) == ("int", 7)


@pytest.mark.parametrize(
    ("body", "value", "mutated"),
    [
        ("x[0] = x[0]", np.array([np.nan, 1.0]), False),
        ("x[0] = -x[0]", np.array([0.0]), True),
        ("x[1].append(2)", [1, [1]], True),
        ("x['k'][1][0] = 5", {"k": (1, np.zeros(2))}, True),
        ("x = x + 1", np.zeros(2), False),
        ("x.sort()", [1, 2, 3], False),
        ("x.standard_normal(2)", np.random.default_rng(1), True),
        ("x.shape", np.random.default_rng(1), False),
        ("x['a'] = 1", np.zeros(2, [("a", "f8"), ("b", "i4")]), True),
    ],
)
def test_mutation_is_found_bit_for_bit(body: str, value: Any, mutated: bool) -> None:
    text = f"def f(x):\n    try:\n        {body}\n    except AttributeError:\n        pass\n"
    assert see(text, value).observation.mutated == (("a0",) if mutated else ())


def test_labels_of_variable_arguments() -> None:
    text = "def f(*arrays, scale):\n    arrays[1][0] = scale\n    return arrays[1]\n"
    o = see(text, np.zeros(2), np.zeros(2), labels=("arrays[0]", "arrays[1]", "scale"), scale=2).observation
    assert (o.mutated, o.returns_argument, o.aliases_argument) == (("arrays[1]",), "arrays[1]", ("arrays[1]",))
    with pytest.raises(ValueError, match="zip"):
        see(text, np.zeros(2), labels=("arrays[0]",), scale=2)


def test_aliases_and_identity() -> None:
    o = see("def f(x, y):\n    return x[::2], y + 1\n", np.ones(4), np.ones(4)).observation
    assert o.aliases_argument == ("a0",)
    o = see("def f(x):\n    return x[1::2]\n", np.ones(4)).observation
    assert (o.returns_argument, o.aliases_argument) == (None, ("a0",))
    assert see("def f(n):\n    return n\n", 3).observation.returns_argument is None
    x = np.arange(10.0)
    assert see("def f(a, b, c):\n    return 1\n", x[:6], x[4:], x[:3]).observation.overlapping == ()


def test_overlapping_arguments() -> None:
    def fresh() -> tuple[tuple[Any, ...], dict[str, Any]]:
        x = np.arange(10.0)
        return (x[:6], x[4:], [x[7:9]], x[::2][:2], x[1::2][:2]), {}

    o = observe("def f(*a):\n    pass\n", "f", {}, fresh, tuple("abcde")).observation
    assert o.overlapping == (("a", "b"), ("a", "d"), ("a", "e"), ("b", "c"))


def test_exceptions_are_facts_with_their_line() -> None:
    text = "def g(x):\n    return x[5]\ndef f(x):\n    x[0] = 1\n    return g(x)\n"
    seen = see(text, np.zeros(3))
    message = "index 5 is out of bounds for axis 0 with size 3"
    assert seen.observation.raised == RaisedFact("IndexError", message, 3)
    assert (seen.observation.result, seen.result, seen.observation.mutated) == (None, None, ("a0",))
    assert seen.observation.watched
    assert see("def f():\n    import sys\n    sys.exit(3)\n").observation.raised == RaisedFact("SystemExit", "3", 4)


def test_output_and_warnings_are_caught(capsys: pytest.CaptureFixture[str]) -> None:
    text = """
import sys, warnings
def f(x):
    print('hällo', flush=True)
    sys.stderr.write('err\\n')
    sys.stdout.buffer.write(b'raw\\n')
    for i in range(3):
        warnings.warn('mine', DeprecationWarning)
    return np.log(x) / 0
"""
    o = see(text, np.array([0.0, -1.0])).observation
    assert o.printed == "hällo\nerr\nraw\n"
    assert o.warned[0] == "DeprecationWarning: mine"
    assert "RuntimeWarning: divide by zero encountered in log" in o.warned
    assert len(o.warned) == len(set(o.warned)) == 3
    assert o.watched
    assert capsys.readouterr() == ("", "")
    long = see("def f():\n    for i in range(5000):\n        print('é' * 10)\n").observation
    assert len(long.printed) == 10_000


def test_random_state_is_noticed_and_put_back() -> None:
    np.random.seed(3)
    random.seed(3)
    before = np.random.get_state(legacy=False), random.getstate()
    o = see("def f():\n    return np.random.rand(4)\n").observation
    assert (o.random, o.repeatable) == (True, True)
    assert see("import random\ndef f():\n    return random.random()\n").observation.random
    assert not see("def f(x):\n    return x\n", 1).observation.random
    after = np.random.get_state(legacy=False), random.getstate()
    assert repr(after) == repr(before)


def test_a_generator_without_a_seed_is_not_repeatable() -> None:
    o = see("def f():\n    return np.random.default_rng().random(4)\n").observation
    assert (o.random, o.repeatable, o.watched) == (False, False, True)


def test_globals_are_private_to_each_run() -> None:
    table, untouched = [1.0], np.zeros(2)
    text = """
count = 0
LIMIT = 5
def f():
    global count, made
    count += 1
    made = 1
    table.append(count)
    return len(table), count, untouched.sum()
"""
    seen = see(text, namespace={"table": table, "untouched": untouched})
    assert seen.result == (2, 1, 0.0)
    assert seen.observation.repeatable
    assert sorted(seen.observation.globals_changed) == ["count", "made", "table"]
    assert table == [1.0]


def test_error_state_and_recursion_limit_stay() -> None:
    state, limit, shown = np.geterr(), sys.getrecursionlimit(), sys.stdout
    see("def f():\n    np.seterr(all='raise')\n    return np.geterr()\n")
    assert (np.geterr(), sys.getrecursionlimit(), sys.stdout) == (state, limit, shown)


def test_a_long_run_is_not_watched() -> None:
    def fresh() -> tuple[tuple[Any, ...], dict[str, Any]]:
        return (), {}

    text = "import time\ndef f():\n    time.sleep(0.05)\n    return 1\n"
    seen = observe(text, "f", {}, fresh, (), limit_seconds=0.1)
    assert (seen.result, seen.observation.watched, seen.observation.expressions) == (1, False, {})
    assert "limit of 0.1 s" in (seen.observation.watch_failed or "")


def test_what_cannot_be_watched_has_its_plain_facts_and_the_cause() -> None:
    o = see("def f(x):\n    x += 1\n    return sorted(locals())\n", np.zeros(2)).observation
    assert (o.watched, o.mutated) == (False, ("a0",))
    assert o.watch_failed == "line 4: `locals` reads the function's local variables, which watching adds to"


def test_runs_that_end_differently_give_no_facts() -> None:
    text = "\ndef f(c):\n    if c():\n        raise KeyError('k')\n    return 1\n"
    calls = iter([False, True])
    seen = observe(text, "f", {}, lambda: ((lambda: next(calls),), {}), ("c",))
    assert (seen.result, seen.observation.watched, seen.observation.repeatable) == (1, False, False)
    expected = "the watched run raised KeyError on line 4 of the module, the plain run returned"
    assert seen.observation.watch_failed == expected


def test_a_module_that_does_not_load_is_an_error() -> None:
    with pytest.raises(BaselineError, match=r"ZeroDivisionError: .*line 2"):
        observe("x = 1\ny = 1 / 0\ndef f():\n    pass\n", "f", {}, lambda: ((), {}), ())


def test_an_observation_travels_by_pickle() -> None:
    import pickle

    o = see("def f(x):\n    for i in range(4):\n        x = x + 1\n    return x\n", np.ones(3, ">f4")).observation
    assert pickle.loads(pickle.dumps(o)) == o
    assert o.arguments["a0"].dtype == ">f4"
    assert o.loop(3) is not None
    assert o.loop(2) is None
