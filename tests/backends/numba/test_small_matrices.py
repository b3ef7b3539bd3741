"""Products of small matrices: as loops where they are made often, as sums where they join others; and ramps."""

import libcst as cst
import numpy as np
import pytest

from jitmagic.backends.numba.inlining import inlined
from tests.backends.numba.harness import BOTH, source_of, workload
from tests.backends.numba.test_regions import check, matrix

FILTER = """
def fn(F, x, P, steps):
    for k in range(steps):
        x = F @ x
        P = F @ P @ F.T + np.dot(P, F)
        x = x @ P
        P = P/np.abs(P).max()
    return x, P
"""


def test_products_that_are_made_often_are_loops():
    given = matrix(3, 3)/3, matrix(1, 3)[0], matrix(3, 3, 1), 20
    large = matrix(40, 40)/40, matrix(1, 40)[0], matrix(40, 40, 1), 3
    text = check(FILTER, given, large, nest=False, rtol=1e-9)
    assert "x = matrix_vector_product(F, x)" in text
    assert "matrix_product(matrix_product(F, P), F.T) + matrix_product(P, F)" in text
    assert "x = vector_matrix_product(x, P)" in text


@pytest.mark.parametrize(
    "given",
    [
        pytest.param((matrix(3, 3), matrix(1, 3)[0], matrix(3, 3), 2), id="a few times"),
        pytest.param((matrix(12, 12), matrix(1, 12)[0], matrix(12, 12), 20), id="larger"),
    ],
)
def test_other_products_are_left_to_blas(given):
    assert "product(" not in source_of(workload(FILTER, *given))


def test_matrices_that_do_not_fit_are_refused():
    source = """
    def fn(A, B, steps):
        for k in range(steps):
            C = A @ B
        return C
    """
    from tests.backends.numba.test_regions import call, draft_of

    work = workload(source, matrix(3, 3), matrix(3, 3), 20)
    with pytest.raises(ValueError, match="not aligned"):
        call(work, draft_of(work), (matrix(3, 2), matrix(3, 3), 2))


DISTANCES = """
def fn(X, Y):
    d2 = (X**2).sum(axis=1)[:, None] + (Y**2).sum(axis=1)[None, :] - 2*X @ Y.T
    return np.sqrt(np.maximum(d2, 0))
"""


@pytest.mark.parametrize("variant", BOTH)
def test_a_product_along_a_short_axis_joins_the_loops_around(variant):
    others = [(matrix(4, m), matrix(6, m, 1)) for m in (2, 11)]
    text = check(DISTANCES, (matrix(20, 3), matrix(30, 3, 1)), *others, variant=variant, rtol=1e-9)
    assert "@" not in text.replace("@njit", "").split("def fn")[0].replace("2*X @ Y.T", "")
    assert text.count("result_out = np.empty") == 1


@pytest.mark.parametrize(
    ("source", "given"),
    [
        pytest.param(DISTANCES, (matrix(20, 12), matrix(30, 12, 1)), id="a long axis"),
        pytest.param(DISTANCES, (matrix(3, 3), matrix(3, 3, 1)), id="few elements"),
        pytest.param("def fn(X, Y):\n    return X @ Y.T\n", (matrix(20, 3), matrix(30, 3)), id="nothing around"),
    ],
)
def test_other_products_stay(source, given):
    assert "X @ Y.T" in source_of(workload(source, *given))
    assert "total_c" not in source_of(workload(source, *given))


RAMPS = """
def fn(s, gap):
    n = len(s)
    D = np.zeros((n + 1, 4))
    D[:, 0] = np.arange(n + 1)*gap
    D[2, :] = -np.arange(4)
    k = 2*D
    return k, D
"""


def test_ramps_are_loops_in_their_place():
    text = check(RAMPS, (np.arange(5), 0.5), (np.arange(9), -2.0), (np.arange(2), 1.0), nest=False)
    assert "for l in range(D.shape[0]):\n        D[l, 0] = l*gap" in text
    assert "D[2, l] = -l" in text


@pytest.mark.parametrize(
    "line",
    [
        "D[1:, 0] = np.arange(n)*gap",
        "D[:, 0] = np.arange(n + 1)*s[0]",
        "D[:, 0] = np.arange(0, n + 1)",
        "D[:, 0] = np.arange(len(D))",
        "D[:, 0] = np.arange(n + 1)**2",
    ],
)
def test_other_stores_stay(line):
    source = RAMPS.replace("D[:, 0] = np.arange(n + 1)*gap", line)
    text = source_of(workload(source, np.arange(5), 0.5))
    assert "range(D.shape[0])" not in text


def test_a_ramp_of_another_length_is_refused():
    from tests.backends.numba.test_regions import call, draft_of

    work = workload("def fn(x, n):\n    x[:] = np.arange(n)\n    return x\n", np.zeros(4), 4)
    with pytest.raises(ValueError, match="broadcast"):
        call(work, draft_of(work), (np.zeros(4), 3))


ONCE = """
def fn(x, y):
    m = np.maximum.accumulate(x)
    return m[::-1]*y
"""


def test_a_helper_with_a_single_call_is_put_in_its_place():
    assert 'inline="always"' in source_of(workload(ONCE, np.arange(4.0), np.ones(4)))
    assert "inline" not in source_of(workload(ONCE, np.arange(4.0), np.ones(4)), "numba-parallel")


def test_it_is_not_where_something_runs_in_python():
    helper = '\n@njit(error_model="numpy")\ndef sum_of(x):\n    return x.sum()\n'
    core = "def fn(x):\n    with objmode(y='float64'):\n        y = other(x)\n    return y + sum_of(x)\n"
    plain = core.replace("    with objmode(y='float64'):\n        y = other(x)\n", "    y = other(x)\n")
    assert "inline" not in inlined(cst.parse_module(core), "fn", {"sum_of": helper})["sum_of"]
    assert "inline" in inlined(cst.parse_module(plain), "fn", {"sum_of": helper})["sum_of"]
    outside = helper.replace("    return", "    with objmode(y='float64'):\n        y = other(x)\n    return")
    assert "inline" not in inlined(cst.parse_module(plain), "fn", {"sum_of": outside})["sum_of"]


def test_a_helper_of_two_axes_in_a_loop_is_called():
    source = """
    def fn(x, n):
        for k in range(n):
            y = np.where(x > 1, x*0.5, x)*2
            x = y - x.mean()
        return x
    """
    assert "inline" not in source_of(workload(source, matrix(5, 4), 3))
    assert "inline" in source_of(workload(source, matrix(1, 5)[0], 3))
