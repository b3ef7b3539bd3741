"""Comparison of a variant's result with NumPy's: what passes, what does not, and what is said of it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from jitmagic.verify.compare import compare_call


def check(expected, actual, inputs=10):
    return compare_call(expected, actual, {}, {}, (), inputs)


numbers = st.one_of(hnp.integer_dtypes(), hnp.floating_dtypes(), hnp.complex_number_dtypes(), hnp.boolean_dtypes())


@given(numbers.flatmap(lambda d: hnp.arrays(d, hnp.array_shapes(min_dims=0, min_side=0))))
def test_a_copy_passes(array):
    finding = check(array, array.copy())
    assert finding.ok
    assert not finding.max_abs


@given(
    hnp.arrays(np.float64, st.integers(1, 50), elements=st.floats(-1e6, 1e6)), st.integers(0, 49), st.floats(1e-6, 1.0)
)
def test_one_value_that_is_off_is_found_and_named(array, index, off):
    index %= array.size
    other = array.copy()
    other[index] += max(1.0, np.abs(array).max()) * off
    finding = check(array, other)
    assert (finding.ok, finding.kind) == (False, "values")
    assert finding.where == f"result[{index}]"
    assert f"1 of {array.size} values differ" in finding.message or "the value differs" in finding.message


def test_rounding_passes_and_a_float32_loop_sum_does_not():
    x = np.linspace(0, 1, 1000)
    assert check(np.exp(x), np.exp(x) * (1 + 4e-16)).ok
    naive = np.float32(2.097e6)
    assert not check(np.float32(2.0e6), naive, inputs=20_000_000).ok
    assert not check(np.float32(1.0), np.float32(21.0), inputs=20_000_000).ok


@pytest.mark.parametrize(
    ("expected", "actual", "kind", "words"),
    [
        (np.ones(3), np.ones(3, np.float32), "dtype", "result is float32 where NumPy gives float64"),
        (np.ones(3), np.ones((3, 1)), "shape", r"shape \(3, 1\) where NumPy gives \(3,\)"),
        (np.ones(3), None, "structure", "result is a None where NumPy gives a float64 array"),
        ((np.ones(3), 1), (np.ones(3),), "structure", "1 elements where NumPy gives 2"),
        ((1.0, (2.0, 3.0)), (1.0, (2.0, 4.0)), "values", r"most at result\[1\]\[1\]: 4 where NumPy gives 3"),
        (np.array([1.0, np.nan]), np.array([np.nan, 1.0]), "values", "2 of 2"),
        (np.array([np.inf]), np.array([-np.inf]), "values", "-inf where NumPy gives inf"),
        (np.array([np.inf]), np.array([1e308]), "values", "inf"),
        (np.array([2**62], np.int64), np.array([2**62 + 1], np.int64), "values", str(2**62 + 1)),
        (np.array([255], np.uint8), np.array([0], np.uint8), "values", "0 where NumPy gives 255"),
        (np.float32(1), 1.0, "dtype", "float64 where NumPy gives float32"),
        ("a", "b", "values", "'b' where NumPy gives 'a'"),
        ({"a": 1.0}, {"b": 1.0}, "structure", "other keys"),
        (1 + 2j, 1 - 2j, "values", "1-2j"),
    ],
)
def test_what_differs_is_said(expected, actual, kind, words):
    import re

    finding = check(expected, actual)
    assert (finding.ok, finding.kind) == (False, kind)
    assert re.search(words, finding.message), finding.message


def test_scalars_and_zero_dimensional_arrays_are_one():
    assert check(np.float64(1.5), 1.5).ok
    assert check(np.float64(1.5), np.array(1.5)).ok
    assert check(3, np.int64(3)).ok
    assert check(np.bool_(True), True).ok


def test_nan_and_infinity_in_the_same_places_pass():
    array = np.array([np.nan, np.inf, -np.inf, 1.0])
    assert check(array, array.copy()).ok


def test_the_worst_place_is_found_beyond_the_first_chunk():
    array = np.zeros((2000, 1500))
    other = array.copy()
    other[1700, 33] = 1e-3
    other[1, 1] = 1e-5
    finding = check(array, other)
    assert finding.where == "result[1700, 33]"
    assert finding.max_abs == 1e-3


def test_an_argument_that_numpy_leaves_alone_must_stay_to_the_bit():
    before = {"x": np.array([0.0, 1.0])}
    finding = compare_call(None, None, before, {"x": np.array([-0.0, 1.0])}, (), 2)
    assert (finding.ok, finding.kind) == (False, "mutated")
    assert "the argument x was changed" in finding.message


def test_a_lost_update_of_an_argument_is_found():
    finding = compare_call(None, None, {"out": np.ones(3)}, {"out": np.zeros(3)}, ("out",), 3)
    assert (finding.ok, finding.kind) == (False, "mutated")
    assert "out after the call is not as NumPy leaves it" in finding.message
    assert compare_call(None, None, {"out": np.ones(3)}, {"out": np.ones(3) + 1e-16}, ("out",), 3).ok
