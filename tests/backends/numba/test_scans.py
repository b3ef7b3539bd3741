"""Running totals in loop nests: one loop with what is made of them, and NumPy's results, also of NaN and of -0.0."""

import numpy as np
import pytest

from tests.backends.numba.harness import assert_same, drafts, reference, workload
from tests.backends.numba.test_regions import check
from tests.backends.numba.test_windows import compiled, matrix

X = matrix(1, 9)[0]

SCANS = {
    "largest so far": (
        """
        def fn(p):
            top = np.maximum.accumulate(p)
            fall = (top - p)/(1 + top*top)
            return fall
        """,
        "if p[i] > last or p[i] != p[i]:",
    ),
    "smallest of what was made": (
        """
        def fn(p):
            low = np.minimum.accumulate(p*p - p)
            return low + p
        """,
        "if value < last or value != value:",
    ),
    "a sum, read by its method": (
        """
        def fn(p):
            d = p*0.5
            s = d.cumsum()
            e = np.exp(s) - d
            return e
        """,
        "total += d",
    ),
    "a sum of a product, kept": (
        """
        def fn(p):
            g = np.cumprod(1 + 0.1*p, axis=0)
            c = np.cumsum(g)
            h = c/g
            return g, c, h
        """,
        "total *= ",
    ),
    "divided by the sum of all": (
        """
        def fn(p):
            w = p*p
            c = np.cumsum(w)/w.sum()
            return c - w
        """,
        "total_b += w",
    ),
    "the largest of the falls": (
        """
        def fn(p):
            c = np.cumsum(p)
            fall = np.maximum.accumulate(c) - c
            return fall.max() + c[-1]*0
        """,
        "last",
    ),
}


@pytest.mark.parametrize("name", SCANS)
def test_a_running_total_is_a_variable_of_the_loop(name):
    source, line = SCANS[name]
    odd = X.copy()
    odd[[4, 7]] = np.nan, np.inf
    empty = () if "max()" in source else ((X[:0],),)
    text = check(source, (X,), (odd,), (-np.abs(odd),), (X[:1],), *empty)
    assert line in text
    work = workload(source, X)
    parallel = drafts(work)["numba-parallel"]
    if hasattr(parallel, "module"):
        assert_same(compiled(parallel, work)(X.copy()), reference(work)[0], 1e-12)


def test_a_sum_of_negative_zeros_is_one():
    source = """
        def fn(x):
            y = x*1.0
            return np.cumsum(y) + y*0
        """
    work = workload(source, X)
    got = compiled(drafts(work)["numba"], work)(np.array([-0.0, -0.0, 0.0, -0.0]))
    assert np.signbit(got).tolist() == [True, True, False, False]


@pytest.mark.parametrize("dtype", [np.int64, np.int32, np.float32])
def test_running_extremes_keep_their_dtype(dtype):
    source = """
        def fn(x):
            a = np.maximum.accumulate(x)
            b = np.minimum.accumulate(x)
            width = a - b
            return width, a
        """
    given = np.array([3, -5, 9, 9, -70, 2]).astype(dtype)
    check(source, (given,), (given[::-1].copy(),), (given[:0],))


ALONE = {
    "two axes": "np.cumsum(x, axis=1)*2 + x",
    "a dtype of its own": "np.cumsum(x[0] > 0) + x[0]*0",
    "another ufunc": "np.logaddexp.accumulate(x[0]) + x[0]",
}


@pytest.mark.parametrize("name", ALONE)
def test_other_running_totals_are_left_alone(name):
    source = f"""
        def fn(x):
            y = {ALONE[name]}
            z = y*2 - 1
            return z
        """
    work = workload(source, matrix(3, 4))
    draft = drafts(work)["numba"]
    if hasattr(draft, "module"):
        assert "total += " not in draft.module.text
