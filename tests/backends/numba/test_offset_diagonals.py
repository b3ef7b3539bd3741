"""Diagonals beside the main one: Numba's parallel mode gets their sizes wrong."""

import numpy as np

from tests.backends.numba.harness import assert_same, drafts, reference, run, workload


def test_a_tridiagonal_matrix_is_added_up():
    source = "def fn(a, b):\n    T = np.diag(a) + np.diag(b, 1) + np.diag(b, k=-1)\n    return T*2.0 + np.diag(a, 0)\n"
    work = workload(source, np.arange(1.0, 6.0), np.arange(4.0))
    found = drafts(work)
    assert "diag_at(b, 1) + diag_at(b, -1)" in found["numba-parallel"].module.text
    assert "diag_at" not in found["numba"].module.text
    assert_same(run(work, found["numba-parallel"], "diagonals")[0], reference(work)[0], 1e-12)
