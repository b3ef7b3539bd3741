"""Selections by a mask that take the name of the array they select from: on two sizes."""

import inspect

import numpy as np
import pytest

from tests.backends.jax.jax_workbench import make
from tests.backends.jax.test_jax_slices import HEAD, both_sizes

RNG = np.random.default_rng(4)


def entropy(h):
    p = h / h.sum()
    p = p[p > 0]
    return -np.sum(p * np.log(p)), len(p)


def entropy_args(n):
    return (RNG.integers(0, 4, n).astype(float),)


def entropies(rows):
    out = []
    for h in rows:
        p = h / h.sum()
        p = p[p > 0]
        out.append(-np.sum(p * np.log(p)))
    return np.array(out)


def entropies_args(n):
    return (RNG.integers(0, 4, (5, n)).astype(float),)


def of_an_argument(x, low):
    before = x.mean()
    x = x[x > low]
    return before, x.mean(), x.std()


def of_an_argument_args(n):
    return RNG.normal(size=n), 0.1


@pytest.mark.parametrize("name", ["entropy", "entropies", "of_an_argument"])
def test_agrees_with_numpy(name):
    function, args = globals()[name], globals()[f"{name}_args"]
    text = both_sizes(inspect.getsource(function), args(20), args(33))
    assert "where=chosen" in text


def test_the_next_step_sees_the_selection():
    source = HEAD + (
        "def f(x, n):\n    total = 0.0\n    for k in range(n):\n        x = x[x > k]\n        total += x.sum()\n"
        "    return total\n"
    )
    made = make(source, np.array([0.5, 1.5, 2.5, -1.0]), 3)
    if made.refusal is None:
        assert made.function(np.array([0.5, 1.5, 2.5, -1.0]), 3) == 4.5 + 4.0 + 2.5


def test_a_function_that_reads_the_name_later():
    source = HEAD + ("def f(x):\n    p = x * 2\n    g = lambda: p.sum()\n    p = p[p > 0]\n    return g() + p.sum()\n")
    made = make(source, np.array([0.5, 1.5, 2.5, -1.0]))
    if made.refusal is None:
        assert float(made.function(np.array([0.5, 1.5, 2.5, -1.0]))) == 18.0
