"""Indices at which a condition holds, of which only the number, the first and the last are asked: on two sizes."""

import inspect

import numpy as np
import pytest

from tests.backends.jax.jax_workbench import make
from tests.backends.jax.test_jax_slices import HEAD, both_sizes

RNG = np.random.default_rng(3)


def half_time(t, y):
    below = np.where(y < 0.5 * y[0])[0]
    if len(below) == 0:
        return -1.0
    return t[below[0]]


def half_time_args(n):
    return np.arange(float(n)), np.exp(-np.arange(n) / 9)


def half_time_none(t, y):
    below = np.where(y < 0.5 * y[0])[0]
    if len(below) == 0:
        return -1.0
    return t[below[0]]


def half_time_none_args(n):
    return np.arange(float(n)), np.ones(n)


def first_and_last(x, t):
    (up,) = np.nonzero(x > 0.5)
    total = 0.0
    if up.size > 0 and t[up[0]] > 1:
        total = t[up[-1]] - t[up[0]]
    return total, len(up), t[up].mean()


def first_and_last_args(n):
    return RNG.normal(size=n), np.arange(float(n))


def first_of_each_row(rows, x):
    edge = np.zeros(len(rows))
    for i in range(len(rows)):
        cold = np.flatnonzero(rows[i] < -1)
        edge[i] = x[cold[0]] if cold.size else 1.0
    return edge


def first_of_each_row_args(n):
    return RNG.normal(size=(6, n)), np.arange(float(n))


def crossings(rows, t):
    out = np.full(len(rows), -1.0)
    for i, x in enumerate(rows):
        up = np.flatnonzero((x[1:] > 0) & (x[:-1] <= 0))
        if not up.size:
            continue
        k = up[0]
        out[i] = t[k] - x[k] / (x[k + 1] - x[k])
    return out


def crossings_args(n):
    rows = RNG.normal(size=(8, n))
    rows[2] = 1.0
    return rows, np.arange(float(n))


def by_a_name(x, low):
    high = x > low
    where = np.flatnonzero(high)
    if where.size == 0:
        return 0.0, 0
    return x[where].sum(), where[-1]


def by_a_name_args(n):
    return RNG.normal(size=n), 0.2


@pytest.mark.parametrize(
    "name", ["half_time", "half_time_none", "first_and_last", "first_of_each_row", "crossings", "by_a_name"]
)
def test_the_first_and_last_are_numpys(name):
    function, args = globals()[name], globals()[f"{name}_args"]
    text = both_sizes(inspect.getsource(function), args(20), args(33))
    assert "partial" not in text
    assert "flatnonzero" not in text
    assert "nonzero(" not in text.replace("count_nonzero(", "")


def test_a_first_that_may_not_be_there_is_left_to_numpy():
    source = HEAD + "def f(t, y):\n    below = np.where(y < 0.5)[0]\n    return t[below[0]]\n"
    made = make(source, np.arange(4.0), np.array([1.0, 0.7, 0.3, 0.1]))
    assert made.refusal is not None
    assert made.refusal.line == 5


def test_a_condition_that_is_stored_into_keeps_its_indices():
    source = (
        HEAD + "def f(x):\n    high = x > 0.5\n    where = np.flatnonzero(high)\n    high[0] = True\n"
        "    if where.size:\n        return x[where[0]] + high.sum()\n    return 0.0\n"
    )
    made = make(source, np.array([0.1, 0.9, 0.2]))
    assert made.refusal is not None


def test_the_source_reads_as_written():
    made = make(HEAD + inspect.getsource(half_time), *half_time_args(20))
    assert "chosen = y < 0.5 * y[0]\n" in made.text
    assert "t[jnp.argmax(chosen)]" in made.text
