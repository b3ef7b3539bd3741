# ruff: noqa: B905 -- as it is written in notebooks.
"""Ways of writing that are common in notebooks: each agrees with NumPy, with other arguments too."""

import inspect

import numpy as np
import pytest

from tests.backends.jax.jax_workbench import make
from tests.backends.jax.test_jax_slices import HEAD, both_sizes

RNG = np.random.default_rng(21)


def histories(x, k):
    hist = {"level": [], "flow": []}
    level = 1.0
    for v in x:
        flow = k*level
        level += v - flow
        hist["level"].append(level)
        hist["flow"].append(flow)
    return hist


def histories_args(n):
    return RNG.random(n), 0.3


def stacked_histories(x, k):
    a, b = [], []
    level = 1.0
    for v in x:
        level += v - k*level
        a.append(level)
        b.append(k*level)
    return np.array([a, b]), np.column_stack((a, b))


stacked_histories_args = histories_args


def back_projection(rows, shift):
    total = np.zeros(rows.shape[1])
    places = np.arange(rows.shape[1])
    for row, s in zip(rows, shift):
        at = places + s
        i = np.floor(at).astype(int)
        ok = (i >= 0) & (i < len(row) - 1)
        f = at - i
        total[ok] += (1 - f[ok])*row[i[ok]] + f[ok]*row[i[ok] + 1]
    return total


def back_projection_args(n):
    return RNG.random((4, n)), RNG.uniform(-5, 5, 4)


def population(n0, fecundity, survival, steps):
    A = np.diag(survival, -1)
    A[0] = fecundity
    n = n0
    for _ in range(steps):
        n = A @ n
    return n, survival.sum()


def population_args(n):
    return RNG.random(n), RNG.random(n), RNG.random(n - 1), 5


def greatest_divisor(a, b):
    found = np.zeros_like(a)
    for i in range(len(a)):
        p, q = a[i], b[i]
        while q:
            p, q = q, p % q
        found[i] = p
    return found


def greatest_divisor_args(n):
    return RNG.integers(1, 500, n), RNG.integers(1, 500, n)


def odd_ones(x):
    count = 0
    for v in x:
        if v % 2:
            count += v
    return count


def odd_ones_args(n):
    return (RNG.integers(0, 50, n),)


def newton_roots(targets, limit):
    out = np.full(len(targets), np.nan)
    for i in range(len(targets)):
        x = 1.0
        for _ in range(limit):
            if targets[i] < 0.1:
                break
            step = (x*x - targets[i])/(2*x)
            x -= step
            if abs(step) < 1e-12:
                break
        if targets[i] < 0.1:
            continue
        out[i] = x + 0*step
    return out


def newton_roots_args(n):
    return RNG.random(n)*4, 50


def wet_spells(rain, least):
    spells = []
    start = -1
    for i in range(len(rain)):
        if rain[i] >= least and start < 0:
            start = i
        elif rain[i] < least and start >= 0:
            spells.append((start, i, rain[i]))
            start = -1
    return np.array(spells)


def wet_spells_args(n):
    return RNG.random(n), 0.4


def products_of_layers(k, w):
    layers = [np.array([[np.cos(a*b), np.sin(a*b)/a], [-a*np.sin(a*b), np.cos(a*b)]]) for a, b in zip(k, w)]
    m = np.eye(2)
    for one in layers:
        m = m @ one
    return m, np.apply_along_axis(lambda r: np.sqrt(np.sum(r**2)), 1, m)


def products_of_layers_args(n):
    return RNG.uniform(1, 2, 6), RNG.random(6)


FUNCTIONS = [
    histories, stacked_histories, back_projection, population, greatest_divisor, odd_ones, newton_roots, wet_spells,
    products_of_layers,
]  # fmt: skip


@pytest.mark.parametrize("function", FUNCTIONS)
def test_gives_what_numpy_gives(function):
    make_args = globals()[f"{function.__name__}_args"]
    both_sizes(inspect.getsource(function), make_args(20), make_args(33))


def test_a_count_of_copies_is_a_static_argument():
    made = make(HEAD + "def fn(x, k):\n    b = np.tile(x, (k + 1, 1))\n    return b.sum(axis=0)\n", RNG.random(4), 3)
    assert made.refusal is None, made.refusal
    assert made.draft.static == ("k",)


def test_tuples_of_different_kinds_that_are_given_back_are_refused():
    source = (
        "def fn(x):\n    r = []\n    for i in range(len(x)):\n        if x[i] > 0.5:\n            r.append((i, x[i]))\n"
        "    return r\n"
    )
    made = make(HEAD + source, RNG.random(50))
    assert made.refusal is not None, made.text
    assert made.refusal.line == 8

