"""Products with matrices that a nest makes: sums in the nest, and the library's product where the matrix is there."""

import re

import numpy as np
import pytest

from tests.backends.numba.harness import drafts, workload
from tests.backends.numba.test_regions import check
from tests.backends.numba.test_windows import matrix

X, Y = matrix(7, 3), matrix(5, 3, seed=1)
T, F, A = matrix(1, 40, seed=2)[0], matrix(1, 6, seed=3)[0], matrix(1, 5, seed=4)[0]

SUMS = {
    "kernel times weights": (
        """
        def fn(x, y, alpha):
            d2 = ((x[:, None, :] - y[None, :, :])**2).sum(axis=2)
            K = np.exp(-0.5*d2)
            return K @ alpha
        """,
        (X, Y, A),
    ),
    "as an expression": (
        """
        def fn(t, f, y):
            return np.cos(f[:, None]*t) @ y
        """,
        (T, F, T[::-1].copy()),
    ),
    "of complex numbers": (
        """
        def fn(t, f, y):
            E = np.exp(-1j*f[:, None]*t)
            c = np.dot(E, y)
            return np.abs(c)**2
        """,
        (T, F, T[::-1].copy()),
    ),
    "normalised, by its method": (
        """
        def fn(q, k, v):
            s = q[:, None]*k
            e = np.exp(s - s.max(axis=1, keepdims=True))
            p = e/e.sum(axis=1, keepdims=True)
            return p.dot(v)
        """,
        (F, A, A[::-1].copy()),
    ),
    "two vectors": (
        """
        def fn(t, f, y):
            B = 1.0/(1.0 + (f[:, None] - t)**2)
            return B @ y, B @ (y*y)
        """,
        (T, F, T[::-1].copy()),
    ),
}

LEFT = {
    "a matrix of the caller's": (
        """
        def fn(m, v):
            w = np.exp(v)
            return m @ w
        """,
        (matrix(6, 40), T),
    ),
    "a matrix that is returned": (
        """
        def fn(t, f, y):
            B = np.exp(-(f[:, None] - t)**2)
            return B, B @ y
        """,
        (T, F, T[::-1].copy()),
    ),
    "whole numbers": (
        """
        def fn(n, m):
            B = n[:, None]*m
            return B @ m
        """,
        (np.arange(6), np.arange(4)),
    ),
}


@pytest.mark.parametrize("name", SUMS)
def test_a_product_with_a_matrix_that_is_made_is_a_sum(name):
    source, args = SUMS[name]
    code = re.sub("#.*", "", check(source, args))
    assert " @ " not in code
    assert ".dot(" not in code


@pytest.mark.parametrize("name", SUMS)
def test_in_threads_too(name):
    source, args = SUMS[name]
    if hasattr(drafts(workload(source, *args))["numba-parallel"], "module"):
        check(source, args, variant="numba-parallel")


@pytest.mark.parametrize("name", LEFT)
def test_a_matrix_in_memory_is_left_to_the_library(name):
    source, args = LEFT[name]
    text = drafts(workload(source, *args))["numba"].module.text
    assert " @ " in text
