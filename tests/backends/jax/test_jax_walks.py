"""Loops over parts of arrays and over indices, and first places: on two sizes, and what is not proved."""

import inspect

import numpy as np
import pytest

from tests.backends.jax.jax_workbench import make
from tests.backends.jax.test_jax_slices import HEAD, both_sizes

RNG = np.random.default_rng(3)


def sparse_product(indptr, indices, data, x):
    y = np.zeros(len(indptr) - 1)
    for i in range(len(y)):
        for j, a in zip(indices[indptr[i]:indptr[i + 1]], data[indptr[i]:indptr[i + 1]], strict=False):
            y[i] += a * x[j]
    return y


def sparse_product_args(n):
    counts = RNG.integers(0, 4, n)
    ends = np.r_[0, np.cumsum(counts)]
    return ends, RNG.integers(0, n, ends[-1] + 2), RNG.normal(size=ends[-1] + 2), RNG.normal(size=n)


def ends_that_python_counts(x, a):
    # negative, beyond the end, the wrong way round
    total = 0.0
    for i in range(len(a)):
        for v in x[a[i] - 3:a[i] + 2]:
            total = total * 0.5 + v
        for v in x[a[i]:]:
            total += v
    return total


def ends_that_python_counts_args(n):
    return RNG.normal(size=n), RNG.integers(-2 * n, 2 * n, 9)


def stored_into_while_it_is_walked(x, k):
    x = x.copy()
    last = 0.0
    for v in x[k.min():k.max()]:
        x[1:] = x[:-1] * 0.5
        last = v
    return x, last


def stored_into_while_it_is_walked_args(n):
    return RNG.normal(size=n), np.array([1, n - 1])


def neighbours(a):
    seen = np.zeros(len(a), dtype=int)
    order = 0
    for i in range(len(a)):
        for j in np.flatnonzero(a[i]):
            if seen[j] > 2:
                continue
            seen[j] += 1
            order = order * 3 % 1009 + j
            a[i, (j + 1) % len(a)] = 0
        for j in np.where(seen > 1)[0]:
            if j > 5:
                break
            order += j
    return seen, order


def neighbours_args(n):
    return ((RNG.random((n, n)) < 0.4).astype(int),)


def one_after_another(cost):
    owner = np.full(len(cost), -1)
    busy = np.zeros(3)
    while np.any(owner < 0):
        j = np.where(owner < 0)[0][0]
        owner[j] = busy.argmin()
        busy[owner[j]] += cost[j]
    return owner, busy


def one_after_another_args(n):
    return (RNG.random(n),)


def first_and_last(t, y):
    i = np.flatnonzero(y > 0.5)[0]
    j = np.flatnonzero(y > 0.5)[-1]
    return t[i], t[j]


def first_and_last_args(n):
    return np.arange(float(n)), RNG.random(n)


CASES = (sparse_product, ends_that_python_counts, stored_into_while_it_is_walked, neighbours, one_after_another,
         first_and_last)  # fmt: skip


@pytest.mark.parametrize("function", CASES, ids=lambda f: f.__name__)
def test_gives_what_numpy_gives_at_another_size(function):
    arguments = globals()[f"{function.__name__}_args"]
    text = both_sizes(inspect.getsource(function), arguments(9), arguments(14))
    assert "flatnonzero" not in text
    assert "where(seen" not in text


def test_a_first_place_that_is_nowhere_raises_as_in_numpy():
    made = make(HEAD + inspect.getsource(first_and_last), *first_and_last_args(9))
    with pytest.raises(IndexError, match="out of bounds"):
        made.function(np.arange(4.0), np.zeros(4))


def test_a_condition_that_was_asked_for_and_changed_is_asked_for_again():
    source = (
        "def fn(x):\n    total = 0\n    while np.any(x > 0):\n        x = x - 1\n"
        "        total += np.where(x > -1)[0][0]\n    return total\n"
    )
    made = make(HEAD + source, np.array([1.0, 2.5, 3.5]))
    assert made.refusal is not None or "failed" in made.text
