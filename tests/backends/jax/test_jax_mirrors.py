"""Symmetric matrices that are filled pair by pair: on two sizes, against NumPy, and what must stay as it is."""

import inspect

import numpy as np
import pytest

from tests.backends.jax.jax_workbench import agrees
from tests.backends.jax.test_jax_slices import both_sizes

RNG = np.random.default_rng(3)
HEAD = "import numpy as np\n\n\n"


def gram(X, gamma):
    n = X.shape[0]
    K = np.zeros((n, n))
    for i in range(n):
        K[i, i] = 1.0
        for j in range(i + 1, n):
            d = X[i] - X[j]
            K[i, j] = np.exp(-gamma * np.dot(d, d))
            K[j, i] = K[i, j]
    return K


def gram_args(n):
    return RNG.random((n, 3)), 0.5


def distances_into_an_argument(X, D):
    n = len(X)
    for i in range(n):
        for j in range(i):
            s = 0.0
            for k in range(X.shape[1]):
                s += (X[i, k] - X[j, k]) ** 2
            D[i, j] = D[j, i] = np.sqrt(s)


def distances_into_an_argument_args(n):
    return RNG.random((n, 3)), RNG.random((n, n))


def forces_with_opposite_signs(x, m):
    n = len(x)
    F = np.zeros((n, n))
    for i in range(n - 1):
        for j in range(i + 1, n):
            r = x[j] - x[i]
            F[i, j] = m[i] * m[j] * r / abs(r) ** 3
            F[j, i] = -F[i, j]
    return F.sum(axis=1)


def forces_with_opposite_signs_args(n):
    return RNG.random(n), RNG.random(n)


def neighbours_within_a_cutoff(P, cutoff):
    n = len(P)
    A = np.zeros((n, n), dtype=int)
    links = 0
    for i in range(n):
        for j in range(i + 1, n):
            if np.hypot(P[i, 0] - P[j, 0], P[i, 1] - P[j, 1]) < cutoff:
                A[i, j] = 1
                A[j, i] = 1
                links += 1
    return A, links


def neighbours_within_a_cutoff_args(n):
    return RNG.random((n, 2)), 0.5


def a_part_of_an_argument(x, S, first, last):
    for i in range(first, last):
        for j in range(i, last + 1):
            S[i, j] = x[i] * x[j]
            S[j, i] = x[i] * x[j]
    return S


def a_part_of_an_argument_args(n):
    return RNG.random(n), RNG.random((n, n)), 1, n - 3


def the_first_store_is_the_lower_one(x):
    n = len(x)
    S = np.full((n, n), 7.0)
    for i in range(n):
        for j in range(i, n):
            v = x[i] + x[j] ** 2
            S[j, i] = v
            S[i, j] = v
    return S


def the_first_store_is_the_lower_one_args(n):
    return (RNG.random(n),)


def another_value_in_the_other_half(x):
    n = len(x)
    S = np.zeros((n, n))
    for i in range(n):
        for j in range(i + 1, n):
            v = x[i] * x[j]
            S[i, j] = v
            v = v + 1
            S[j, i] = v
    return S


def another_value_in_the_other_half_args(n):
    return (RNG.random(n),)


def a_negative_on_the_diagonal(x):
    n = len(x)
    S = np.zeros((n, n))
    for i in range(n):
        for j in range(i, n):
            S[i, j] = x[i] * x[j]
            S[j, i] = -S[i, j]
    return S


def a_negative_on_the_diagonal_args(n):
    return (RNG.random(n),)


def a_pair_is_read_by_a_later_one(x):
    n = len(x)
    S = np.ones((n, n))
    for i in range(1, n):
        for j in range(i, n):
            S[i, j] = x[j] + S[j, i - 1]
            S[j, i] = S[i, j]
    return S


def a_pair_is_read_by_a_later_one_args(n):
    return (RNG.random(n),)


def some_pairs_of_an_argument(x, S):
    n = len(x)
    for i in range(n):
        for j in range(i + 1, n):
            if x[i] < x[j]:
                S[i, j] = 1.0
                S[j, i] = 1.0
    return S


def some_pairs_of_an_argument_args(n):
    return RNG.random(n), RNG.random((n, n))


def both_sides_of_the_diagonal(x, S):
    n = len(x)
    for i in range(n):
        for j in range(n):
            S[i, j] = x[i] - x[j]
            S[j, i] = S[i, j]
    return S


def both_sides_of_the_diagonal_args(n):
    return RNG.random(n), RNG.random((n, n))


def whole_numbers_that_are_cut(x, S):
    n = len(x)
    for i in range(n):
        for j in range(i):
            v = 3 * x[i] - 5 * x[j]
            S[i, j] = v
            S[j, i] = -v


def whole_numbers_that_are_cut_args(n):
    return RNG.random(n), np.zeros((n, n), dtype=np.int32)


def two_matrices(x):
    n = len(x)
    S = np.zeros((n, n))
    D = np.zeros((n, n))
    for i in range(n):
        for j in range(i + 1, n):
            S[i, j] = S[j, i] = x[i] + x[j]
            D[i, j] = x[i] - x[j]
            D[j, i] = x[i] - x[j]
    return S, D


def two_matrices_args(n):
    return (RNG.random(n),)


def ones_beside_the_diagonal(x):
    n = len(x)
    D = np.eye(n, k=1)
    for i in range(n):
        for j in range(i + 2, n):
            D[i, j] = x[i] * x[j]
            D[j, i] = D[i, j]
    return D


def ones_beside_the_diagonal_args(n):
    return (RNG.random(n),)


def filled_with_a_row(x):
    n = len(x)
    D = np.full((n, n), x)
    for i in range(n):
        for j in range(i + 2, n):
            D[i, j] = x[i] * x[j]
            D[j, i] = D[i, j]
    return D


def filled_with_a_row_args(n):
    return (RNG.random(n),)


CASES = {name: value for name, value in globals().items() if f"{name}_args" in globals()}

ONE_HALF = ("gram", "distances_into_an_argument", "forces_with_opposite_signs", "neighbours_within_a_cutoff",
            "a_part_of_an_argument", "the_first_store_is_the_lower_one", "two_matrices", "ones_beside_the_diagonal",
            "filled_with_a_row")  # fmt: skip
"""Those whose other half is taken from the first, all of it or, where it was not symmetric, what the loops came by."""


@pytest.mark.parametrize("name", CASES)
def test_agrees_with_numpy_on_two_sizes(name):
    args = globals()[f"{name}_args"]
    text = both_sizes(inspect.getsource(CASES[name]), args(9), args(17))
    mirrored = any(f"{matrix}.T, {matrix})" in text for matrix in "KDFAS")
    assert mirrored == (name in ONE_HALF), text


def test_the_other_half_is_taken_behind_the_loops():
    text = agrees(HEAD + inspect.getsource(the_first_store_is_the_lower_one), RNG.random(9))
    assert (
        """    S = S.at[:n, :n].set(jax.vmap(body)(jnp.arange(n), x[:n]))
    S = jnp.where(jnp.tri(len(S), k=-1, dtype=bool), S.T, S)
    return S
"""
        in text
    )
