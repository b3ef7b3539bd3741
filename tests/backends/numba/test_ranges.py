"""Whole numbers in a row are worked out from a nest's index, in threads and without, for every length."""

import pytest

from jitmagic.backends.protocol import Draft
from tests.backends.numba.harness import assert_same, drafts, reference, workload
from tests.backends.numba.test_windows import check, compiled

RANGES = {
    "from zero": ("np.exp(-0.1*np.arange(n))*x", "(-0.1 * i)"),
    "to zero": ("x*0.9**np.arange(n, -1, -1)", "(n - i)"),
    "between": ("x + np.arange(m, n)/m", "(m + i)"),
    "in steps": ("np.sqrt(np.arange(1, n, 3)) - x", "(1 + 3 * i)"),
    "below zero": ("x*np.arange(-m, n, 2)", "+ 2 * i)"),
    "backwards in steps": ("x - np.arange(n, -m, -3)*0.5", "(n - 3 * i)"),
    "two of them": ("x*np.arange(n)*0.5**np.arange(n - 1, -1, -1)", "- i)"),
}


@pytest.mark.parametrize("name", RANGES)
def test_a_range_is_no_array(name):
    value, element = RANGES[name]
    source = f"""
        def fn(x, n, m):
            y = {value}
            z = np.maximum(y, 0.25) - y*y
            return z
        """
    text = check(source, (1.5, 9, 2), (0.5, 40, 3), (2.0, 3, 1), (2.0, 1, 1), (2.0, 0, 1))
    assert "# element by element" in text
    assert element in text
    assert text.count("np.arange") == value.count("np.arange")  # in the comment that says what it was
    work = workload(source, 1.5, 5000, 2)
    parallel = drafts(work)["numba-parallel"]
    if isinstance(parallel, Draft):
        assert_same(compiled(parallel, work)(1.5, 5000, 2), reference(work)[0], 1e-12)


def test_a_range_beside_an_array_has_its_length():
    source = """
        def fn(x, n):
            w = x*np.arange(n)
            s = w*w + 1
            return s
        """
    import numpy as np

    x = np.linspace(0, 1, 7)
    check(source, (x, 7), (x, 6), (x[:3], 3), (x, 0))


def test_a_range_with_a_name_that_is_needed_stays():
    source = """
        def fn(n):
            k = np.arange(n)
            w = 0.5*k
            return k, w*w
        """
    text = check(source, (6,), (0,), (1,))
    assert "k = np.arange(n)" in text
