"""Loops over np.arange of whole numbers are loops over ranges; others stay."""

import numpy as np
import pytest

from tests.backends.numba.test_windows import check


@pytest.mark.parametrize("call", ["np.arange(n)", "np.arange(1, n)", "np.arange(n - 1, -1, -2)"])
def test_whole_numbers_are_counted(call):
    source = f"""
def fn(x, n):
    total = 0.0
    for i in {call}:
        total = 0.5*total + x[i]/(1 + i)
    return total
"""
    x = np.linspace(0.5, 2.0, 9)
    text = check(source, (x, 9), (x, 1), (x, 0))
    assert f"for i in range({call[10:]}:" in text


@pytest.mark.parametrize("call", ["np.arange(0.0, 2.0, 0.25)", "np.arange(n, dtype=np.float64)", "np.arange(float(n))"])
def test_other_numbers_stay_an_array(call):
    source = f"""
def fn(x, n):
    total = 0.0
    for t in {call}:
        total = 0.5*total + x[0]*t
    return total
"""
    assert "in np.arange(" in check(source, (np.ones(3), 4), (np.ones(3), 0))
