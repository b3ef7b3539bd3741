"""Short axes of arguments: their lengths are in the types of tuples, for any length and where it is proved."""

import numpy as np
import pytest

from tests.backends.numba.harness import BOTH, drafts, source_of, workload
from tests.backends.numba.test_regions import check, matrix

LOOPS = """
def fn(X, gamma):
    n, d = X.shape
    K = np.zeros((n, n))
    for i in range(n):
        for j in range(n):
            s = 0.0
            for k in range(d):
                s += (X[i, k] - X[j, k])**2
            K[i, j] = np.exp(-gamma*s)
    return K
"""

PAIRS = """
def fn(pos, mass):
    r = pos[None, :, :] - pos[:, None, :]
    d2 = np.sum(r**2, axis=-1) + 0.01
    w = mass/d2
    return np.sum(r*w[:, :, None], axis=1)
"""


@pytest.mark.parametrize("variant", BOTH)
def test_loops_of_the_users_end_at_the_length_of_a_tuple(variant):
    others = [(matrix(4, m), 0.5) for m in (2, 1, 0, 11)]
    text = check(LOOPS, (matrix(10, 3), 0.7), *others, nest=False, variant=variant)
    assert "for k in range(len(columns)):" in text
    assert "columns = (0,) * X.shape[1] if X.shape[1] <= 8 else np.empty(X.shape[1])" in text
    assert "return _fn(X, gamma, columns)" in text


def test_loops_that_were_written_do_too():
    others = [(matrix(4, m), np.arange(1.0, 5.0)) for m in (2, 9)]
    text = check(PAIRS, (matrix(10, 3), np.arange(1.0, 11.0)), *others)
    assert text.count("for k in range(len(columns)):") >= 2
    assert "range(pos.shape[1])" not in text


@pytest.mark.parametrize(
    ("old", "new", "shape"),
    [
        pytest.param("K = np.zeros((n, n))", "K = np.zeros((n, n)); X = X*2", (10, 3), id="bound anew"),
        pytest.param("K = np.zeros((n, n))", "K = np.zeros((n, n)); d = d - 1", (10, 3), id="another number"),
        pytest.param("gamma):", "gamma, *rest):", (10, 3), id="further arguments"),
        pytest.param("gamma", "gamma", (10, 12), id="a long axis"),
        pytest.param("n, d = X.shape", "n, d = X.shape\n    gamma *= X.ndim", (10, 3), id="how many axes it has"),
        pytest.param("fn(X, gamma)", "fn(X=None, gamma=1.0)", (10, 3), id="no array by default"),
    ],
)
def test_an_axis_that_is_not_short_or_not_the_arguments_keeps_its_loop(old, new, shape):
    source = LOOPS.replace(old, new, 1)
    assert "columns" not in source_of(workload(source, matrix(*shape), 0.7))


def test_an_outermost_loop_keeps_its_end():
    source = """
    def fn(w):
        s = 0.0
        for k in range(w.shape[1]):
            s += w[0, k]**2
        return s
    """
    assert "columns" not in source_of(workload(source, matrix(10, 3)))


def test_an_axis_of_an_example_that_is_small_as_a_whole_keeps_its_loop():
    assert "columns" not in source_of(workload(LOOPS, matrix(4, 3), 0.7))


def test_names_of_the_users_stay_theirs():
    text = source_of(workload(LOOPS.replace("gamma", "columns"), matrix(10, 3), 0.7))
    assert "def _fn(X, columns, columns_):" in text


def test_a_draft_without_them_comes_next_where_it_fails():
    from jitmagic.backends.numba.backend import NumbaBackend
    from jitmagic.backends.protocol import Failure
    from tests.backends.numba.harness import observed

    work = workload(LOOPS, matrix(10, 3), 0.7)
    failure = Failure("run", "numba.core.errors.TypingError", "no such form")
    again = NumbaBackend().revise(work, observed(work), drafts(work)["numba"], failure)
    assert "columns" not in again.module.text
