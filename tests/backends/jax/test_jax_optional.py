"""Numbers that are None at first, and names that stand for tuples: on two sizes, and where there is none."""

import inspect

import numpy as np
import pytest

from tests.backends.jax.jax_workbench import make
from tests.backends.jax.test_jax_slices import HEAD, both_sizes

RNG = np.random.default_rng(3)


def closest(x, target):
    best = None
    for v in x:
        if best is None or abs(v - target) < abs(best - target):
            best = v
    return best


def closest_args(n):
    return RNG.random(n), 0.4


def pair_of_least_distance(x):
    least, pair = np.inf, None
    for i in range(len(x)):
        for j in range(i + 1, len(x)):
            if abs(x[i] - x[j]) < least:
                least = abs(x[i] - x[j])
                pair = (i, j)
    a, b = pair
    return a * 100 + b, pair[1], pair, least


def pair_of_least_distance_args(n):
    return (RNG.random(n),)


def longest_run(x, limit):
    start = None
    longest, where = 0, (0, 0)
    for i in range(len(x)):
        if x[i] > limit and start is None:
            start = i
        elif x[i] <= limit and start is not None:
            if i - start > longest:
                longest = i - start
                where = (start, i)
            start = None
    return longest, where


def longest_run_args(n):
    return RNG.random(4 * n), 0.3


def sum_of_steps(x):
    total, previous = 0.0, None
    for i in range(len(x)):
        if x[i] < 0:
            previous = None
            continue
        total += 0.0 if previous is None else abs(x[i] - previous)
        previous = x[i]
    return total


def sum_of_steps_args(n):
    return (RNG.normal(size=3 * n),)


CASES = (closest, pair_of_least_distance, longest_run, sum_of_steps)


@pytest.mark.parametrize("function", CASES, ids=lambda f: f.__name__)
def test_gives_what_numpy_gives_at_another_size(function):
    arguments = globals()[f"{function.__name__}_args"]
    text = both_sizes(inspect.getsource(function), arguments(12), arguments(19))
    assert "None" not in text.replace("is None here", "").replace("if pair is None", "")


def test_where_there_is_none_an_exception_says_so():
    made = make(HEAD + inspect.getsource(pair_of_least_distance), *pair_of_least_distance_args(9))
    with pytest.raises(TypeError, match="pair is None here"):
        made.function(np.full(9, np.nan))


UNPROVED = {
    "read before there is one": (
        "def fn(x):\n    last = None\n    total = 0.0\n    for v in x:\n        if v > 9:\n            last = v\n"
        "        if v < 2 and last is not None:\n            total += last\n    return total + last\n",
        np.array([1.0, 10.0, 1.5, 3.0]),
    ),
    "gone again": (
        "def fn(x):\n    last = 1.0\n    for i in range(len(x)):\n"
        "        if last is not None:\n            last = x[i]\n"
        "        if x[i] > 5:\n            last = None\n    return last * 2\n",
        np.array([1.0, 3.0, 1.5, 3.0]),
    ),
}


@pytest.mark.parametrize("name", UNPROVED)
def test_what_may_be_none_is_read_behind_a_check_or_not_at_all(name):
    source, x = UNPROVED[name]
    made = make(HEAD + source, x)
    if made.refusal is not None:
        return
    scope = {}
    exec(HEAD + source, scope)
    assert float(made.function(x)) == scope["fn"](x)
    none = np.full(4, 7.0)
    with pytest.raises(TypeError):
        scope["fn"](none)
    with pytest.raises(TypeError):
        made.function(none)


@pytest.mark.parametrize(
    ("body", "line"),
    [
        ("    best, low = None, np.inf\n    for i in range(len(x)):\n        v = (x[i]*w).sum()**2\n"
         "        if v < low:\n            low = v\n            best = x[i].copy()\n    return best, low\n",
         "best = jnp.zeros((w.shape[0],), jnp.float64)"),
        ("    best = (np.inf, -1, None)\n    for i in range(len(x)):\n        y = x[i]*w\n        v = y.sum()**2\n"
         "        if v < best[0]:\n            best = (v, i, y)\n    v, i, y = best\n    return y/v, i\n",
         "best_0, best_1 = jnp.inf, -1"),
        ("    best = None\n    for row in x:\n        v = (row*w).sum()\n        if best is None or v < best[1]:\n"
         "            best = (row + 1, v)\n    return best\n",
         "best_1 = 0.0"),
        ("    best = (np.inf, None)\n    for i in range(len(x)):\n        v = (x[i]*w).sum()**2\n"
         "        if v < best[0]:\n            best = (v, i)\n    return best[0], best[1] + 1\n",
         "has_best = has_best | condition"),
    ],
)  # fmt: skip
def test_arrays_and_parts_of_tuples_that_are_none_at_first(body, line):
    arguments = [(RNG.random((n, k)), RNG.random(k)) for n, k in ((7, 3), (9, 5))]
    text = both_sizes(f"def fn(x, w):\n{body}", *arguments)
    assert line in text


def test_an_array_that_is_still_none_raises():
    source = (
        "def fn(x, t):\n    best = None\n    for i in range(len(x)):\n        if x[i, 0] > t:\n"
        "            best = x[i]*2\n    return best\n"
    )
    made = make(HEAD + source, RNG.random((7, 3)), 0.2)
    with pytest.raises(TypeError, match="best is None here"):
        made.function(RNG.random((7, 3)), 2.0)


def test_what_an_option_decides_about_may_be_none():
    source = "def fn(x, full):\n    more = None\n    if full:\n        more = x*2\n    return x + 1, more\n"
    made = make(HEAD + source, RNG.random(4), True)
    assert made.refusal is None, made.refusal
    assert made.function(RNG.random(4), False)[1] is None
