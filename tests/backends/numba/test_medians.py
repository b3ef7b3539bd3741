"""Medians of floats: NaN where one is among them, as NumPy has it and Numba's own has not."""

import numpy as np
import pytest

from tests.backends.numba.harness import BOTH, assert_same, drafts, reference, run, workload

RNG = np.random.default_rng(8)


@pytest.mark.parametrize("variant", BOTH)
@pytest.mark.parametrize("holes", [(), (0,), (3, 7)])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_a_nan_is_the_median(variant, holes, dtype):
    source = """
    def fn(x, y):
        spread = np.median(np.abs(x - np.median(x)))
        return np.median(x), np.median(y*2), spread
    """
    x, y = RNG.random(9).astype(dtype), RNG.random((4, 5)).astype(dtype)
    work = workload(source, x, y)
    draft = drafts(work)[variant]
    x[list(holes)] = np.nan
    again = workload(source, x, y)
    got, _ = run(again, draft, f"median_{variant}_{len(holes)}_{np.dtype(dtype)}")
    assert_same(got, reference(again)[0], 1e-6)
