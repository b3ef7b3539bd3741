"""The places of extremes of vectors under Numba: those of NumPy, of NaN and of nothing too."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jitmagic.backends.numpy.runtime import NumpyRuntime
from tests.backends.numba.harness import drafts, source_of, workload

SOURCE = "def fn(x):\n    return np.argmax(x), x.argmin()\n"
numbers = st.lists(st.sampled_from([0.0, -0.0, 1.5, -2.0, np.inf, -np.inf, np.nan]), min_size=1, max_size=9)


@pytest.fixture(scope="module", params=["numba", "numba-parallel"])
def compiled(request):
    work = workload("def fn(x):\n    y = x*2\n    return np.argmax(y), y.argmin()\n", np.array([1.0, 3.0, 2.0]))
    draft = drafts(work)[request.param]
    return NumpyRuntime().load(draft.module.text, "<extremes>", draft.entry, dict(work.constants))


@given(numbers)
@settings(max_examples=200, deadline=None)
def test_the_first_extreme_is_numpys(compiled, values):
    x = np.array(values)
    assert tuple(compiled(x)) == (np.argmax(x * 2), np.argmin(x * 2))


def test_of_nothing_there_is_none(compiled):
    with pytest.raises(ValueError, match="argmax of an empty sequence"):
        compiled(np.empty(0))


def test_whole_numbers_are_left_to_numba():
    assert "np.argmax(x)" in source_of(workload(SOURCE, np.arange(5)))
    assert "first_largest(x), first_smallest(x)" in source_of(workload(SOURCE, np.arange(5.0)))


@pytest.mark.parametrize("dtype", ["float64", "int64", "bool", "complex128"])
@pytest.mark.parametrize("widths", ["1", "((2, 0), (0, 3))", "w"])
def test_zeros_stand_around_a_matrix(dtype, widths):
    work = workload(f"def fn(x, w):\n    return np.pad(x, {widths})\n", np.ones((4, 5)).astype(dtype), 2)
    draft = drafts(work)["numba"]
    padded = NumpyRuntime().load(draft.module.text, "<padded>", draft.entry, dict(work.constants))
    for shape in ((4, 5), (1, 1), (0, 3), (3, 0)):
        x = np.ones(shape).astype(dtype)
        expected = np.pad(x, {"1": 1, "w": 2}.get(widths, ((2, 0), (0, 3))))
        found = padded(x, 2)
        assert found.dtype == expected.dtype
        np.testing.assert_array_equal(found, expected)
