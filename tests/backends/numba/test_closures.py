"""Closures in place under Numba: copies of the row and the column that are read, where these stay as they are."""

import numpy as np
import pytest

from tests.backends.numba.test_windows import check

N = 9
RNG = np.random.default_rng(3)
LENGTHS = RNG.integers(1, 50, (N, N)).astype(float)

SHORTEST = """
def fn(d):
    d = d.copy()
    n = len(d)
    for k in range(n):
        for i in range(n):
            for j in range(n):
                if d[i, k] + d[k, j] < d[i, j]:
                    d[i, j] = d[i, k] + d[k, j]
    return d
"""
IN_A_BRANCH = """
def fn(dist, steps=0):
    d = dist.copy()
    if steps > 0:
        d[0, 0] = steps
    else:
        for k in range(d.shape[0]):
            for i in range(d.shape[0]):
                for j in range(d.shape[0]):
                    d[i, j] = min(d[i, j], d[i, k] + d[k, j])
    return d
"""
REACHED = """
def fn(r):
    r = r.copy()
    for k in range(len(r)):
        for i in range(len(r)):
            for j in range(len(r)):
                r[i, j] = r[i, j] or (r[i, k] and r[k, j])
    return r
"""
WIDEST = """
def fn(w):
    w = w.copy()
    for k in range(w.shape[0]):
        for i in range(w.shape[0]):
            for j in range(w.shape[0]):
                w[i, j] = max(w[i, j], min(w[i, k], w[k, j]))
    return w
"""


def changed(base, *places):
    out = base.copy()
    for place, value in places:
        out[place] = value
    return out


CASES = {
    "shortest paths": (
        SHORTEST, LENGTHS,
        (changed(LENGTHS, ((2, 2), -3.0)), changed(LENGTHS, ((4, 4), np.nan), ((1, 2), np.inf)),
         changed(LENGTHS, ((0, 3), -np.inf), ((3, 3), np.inf)), -LENGTHS),
    ),
    "of whole numbers": (
        SHORTEST, LENGTHS.astype(np.int64),
        (changed(LENGTHS.astype(np.int64), ((5, 5), 0)), np.full((4, 4), np.iinfo(np.int64).max),
         -LENGTHS.astype(np.int64)),
    ),
    "behind else": (IN_A_BRANCH, LENGTHS, (-LENGTHS,)),
    "what is reached": (REACHED, RNG.random((N, N)) < 0.2, (np.zeros((3, 3), bool), np.ones((2, 2), bool))),
    "widest paths": (WIDEST, LENGTHS, (changed(LENGTHS, ((4, 4), np.nan)), -LENGTHS)),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_the_row_is_read_from_a_copy(name):
    source, first, others = CASES[name]
    text = check(source, (first,), *((one,) for one in others))
    assert "_row[j]" in text


def test_a_product_of_the_row_and_the_column_stays():
    text = check(SHORTEST.replace(" + ", "*"), (LENGTHS,), (LENGTHS / 60,))
    assert "_row[j]" not in text
