"""Closures in place: shortest and widest paths, reachability, where the diagonal allows it and where it does not."""

import inspect

import numpy as np
import pytest

from tests.backends.jax.jax_workbench import agrees
from tests.backends.jax.test_jax_slices import both_sizes

RNG = np.random.default_rng(11)
HEAD = "import numpy as np\n\n\n"


def shortest(dist, pred):
    n = len(dist)
    for k in range(n):
        for i in range(n):
            for j in range(n):
                new = dist[i, k] + dist[k, j]
                if new < dist[i, j]:
                    dist[i, j] = new
                    pred[i, j] = pred[k, j]
    return pred


def shortest_by_min(d):
    d = d.copy()
    for k in range(d.shape[0]):
        for i in range(d.shape[0]):
            for j in range(d.shape[0]):
                d[i, j] = min(d[i, j], d[k, j] + d[i, k])
    return d


def shortest_by_minimum(d):
    n = d.shape[0]
    for k in range(n):
        for i in range(n):
            for j in range(n):
                d[i, j] = np.minimum(d[i, k] + d[k, j], d[i, j])
    return d


def longest(d):
    n = d.shape[0]
    for k in range(n):
        for i in range(n):
            for j in range(n):
                if d[i, j] < d[i, k] + d[k, j]:
                    d[i, j] = d[i, k] + d[k, j]
    return d


def widest(w):
    m = w.copy()
    n = m.shape[0]
    for k in range(n):
        for i in range(n):
            for j in range(n):
                m[i, j] = max(m[i, j], min(m[i, k], m[k, j]))
    return m


def reachable(A):
    R = A > 0.7
    n = len(R)
    for k in range(n):
        for i in range(n):
            for j in range(n):
                R[i, j] = R[i, j] or (R[i, k] and R[k, j])
    return R


def widest_by_maximum(w):
    n = w.shape[0]
    for k in range(n):
        for i in range(n):
            for j in range(n):
                w[i, j] = np.maximum(w[i, j], np.minimum(w[i, k], w[k, j]))
    return w


def upper_part(d):
    n = d.shape[0]
    for k in range(n):
        for i in range(n - 1):
            for j in range(1, n):
                if d[i, k] + d[k, j] < d[i, j]:
                    d[i, j] = d[i, k] + d[k, j]
    return d


def products(d):
    n = d.shape[0]
    for k in range(n):
        for i in range(n):
            for j in range(n):
                d[i, j] = max(d[i, j], d[i, k] * d[k, j])
    return d


def the_wrong_way_round(d):
    n = d.shape[0]
    for k in range(n):
        for i in range(n):
            for j in range(n):
                d[i, j] = min(d[i, j], min(d[i, k], d[k, j]))
    return d


def numbers_are_counted(d):
    n = d.shape[0]
    for k in range(n):
        for i in range(n):
            for j in range(n):
                d[i, j] = d[i, j] + d[i, k] * d[k, j] % 3
    return d


def zero_diagonal(n):
    d = RNG.random((n, n))
    np.fill_diagonal(d, 0)
    return d


def with_special_values(n, diagonal):
    d = RNG.normal(size=(n, n))
    d[RNG.random((n, n)) < 0.2] = np.inf
    d[RNG.random((n, n)) < 0.05] = -np.inf
    d[RNG.random((n, n)) < 0.05] = np.nan
    np.fill_diagonal(d, diagonal)
    return d


MATRICES = {
    "zeros on the diagonal": zero_diagonal,
    "positive": lambda n: RNG.random((n, n)) + 0.1,
    "negative": lambda n: -RNG.random((n, n)),
    "of both signs": lambda n: RNG.normal(size=(n, n)),
    "infinite and NaN": lambda n: with_special_values(n, 0),
    "infinite on the diagonal": lambda n: with_special_values(n, np.inf),
    "NaN on the diagonal": lambda n: with_special_values(n, np.nan),
    "whole numbers": lambda n: RNG.integers(-3, 9, (n, n)),
    "whole numbers with zeros": lambda n: RNG.integers(1, 9, (n, n)) * (1 - np.eye(n, dtype=int)),
}
PLAIN = ["zeros on the diagonal", "negative", "of both signs", "whole numbers"]


@pytest.mark.parametrize("kind", PLAIN)
@pytest.mark.parametrize("function", [shortest_by_min, widest, products, the_wrong_way_round], ids=lambda f: f.__name__)
def test_gives_what_numpy_gives(function, kind):
    make = MATRICES[kind]
    both_sizes(inspect.getsource(function), (make(5),), (make(8),))


@pytest.mark.parametrize("kind", MATRICES)
@pytest.mark.parametrize("function", [longest, shortest_by_minimum, widest_by_maximum], ids=lambda f: f.__name__)
def test_gives_what_numpy_gives_of_special_values_too(function, kind):
    make = MATRICES[kind]
    with np.errstate(invalid="ignore"):
        both_sizes(inspect.getsource(function), (make(5),), (make(8),))


@pytest.mark.parametrize("first", ["zeros on the diagonal", "negative"])
def test_a_source_made_for_one_matrix_is_right_for_all_others(first):
    others = [make for kind, make in MATRICES.items() if "whole" not in kind]
    with np.errstate(invalid="ignore"):
        both_sizes(inspect.getsource(upper_part), (MATRICES[first](8),), *((make(8),) for make in others))


@pytest.mark.parametrize("kind", MATRICES)
def test_predecessors_follow(kind):
    make = MATRICES[kind]
    with np.errstate(invalid="ignore"):
        both_sizes(
            inspect.getsource(shortest),
            (make(5), RNG.integers(0, 9, (5, 5))),
            (make(8), RNG.integers(0, 9, (8, 8))),
        )


def test_truth_values_and_others():
    both_sizes(inspect.getsource(reachable), (RNG.random((6, 6)),), (RNG.random((9, 9)),))
    both_sizes(inspect.getsource(numbers_are_counted), (RNG.integers(0, 9, (5, 5)),), (RNG.integers(0, 9, (7, 7)),))


def test_the_row_and_the_column_are_read_from_copies_under_a_guard():
    text = agrees(HEAD + inspect.getsource(shortest_by_min), zero_diagonal(6))
    assert "jax.lax.cond(d[k, k] >= 0, then, otherwise, d)" in text
    assert "d_row = d[k].copy()" in text
    assert "# the row and the column that are read stay as they are" in text


def test_no_guard_where_none_is_needed():
    text = agrees(HEAD + inspect.getsource(widest), RNG.integers(0, 9, (6, 6)))
    assert "cond" not in text
    assert "m_row = m[k].copy()" in text


@pytest.mark.parametrize("function", [products, the_wrong_way_round], ids=lambda f: f.__name__)
def test_what_is_no_closure_stays_as_it_is(function):
    text = agrees(HEAD + inspect.getsource(function), RNG.random((6, 6)))
    assert ".copy()" not in text
