"""Loops that do not count by ones, in parallel: Numba's `prange` knows no other step."""

import numpy as np
import pytest

from tests.backends.numba.harness import assert_same, drafts, reference, workload
from tests.backends.numba.test_windows import compiled

LOOPS = {
    "upwards": ("range(k, len(x) - 1, 3)", "range(k, len(x) - 1, 3)))"),
    "downwards": ("range(len(x) - 2, 0, -2)", "(len(x) - 2) + (-2)*"),
}


@pytest.mark.parametrize("name", LOOPS)
def test_a_parallel_loop_counts_by_ones(name):
    loop, shown = LOOPS[name]
    source = f"""
    def fn(x, k):
        out = np.zeros(len(x))
        for i in {loop}:
            out[i] = x[i - 1] + i*x[i + 1]
        return out
    """
    x = np.linspace(0.0, 3.0, 23)
    work = workload(source, x, 2)
    draft = drafts(work)["numba-parallel"]
    assert shown in draft.module.text
    function = compiled(draft, work)
    for n, k in ((23, 2), (23, 5), (4, 1), (3, 3), (2, 1)):
        assert_same(function(x[:n].copy(), k), reference(workload(source, x[:n], k))[0], 1e-12)
