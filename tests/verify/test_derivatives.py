"""What derivatives are held against: right within its own error, and in doubt where it cannot be."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jitmagic.verify.compare import compare_call
from jitmagic.verify.derivatives import first, second

RNG = np.random.default_rng(0)
X = RNG.normal(size=40)

SMOOTH = [
    (lambda x: np.sum(x**2), lambda x: 2 * x),
    (lambda x: np.sum(np.sin(5 * x)), lambda x: 5 * np.cos(5 * x)),
    (lambda x: 1e3 + np.sum(np.exp(x)), np.exp),
    (lambda x: np.sum(x) ** 3, lambda x: np.full_like(x, 3 * np.sum(x) ** 2)),
    (lambda x: np.log1p(np.sum(x * x)), lambda x: 2 * x / (1 + np.sum(x * x))),
]


@pytest.mark.parametrize(("function", "exact"), SMOOTH)
@given(seed=st.integers(0, 2**32 - 1), exponent=st.integers(-6, 3))
@settings(max_examples=25, deadline=None)
def test_a_smooth_function_is_right_within_its_error(function, exact, seed, exponent):
    x = np.random.default_rng(seed).normal(size=6) * 2.0**exponent
    found = first(function, x)
    sure = np.isfinite(found.error)
    assert (np.abs(found.value - exact(x))[sure] <= found.error[sure]).all()


@pytest.mark.parametrize(("function", "exact"), SMOOTH)
def test_a_smooth_function_leaves_no_doubt(function, exact):
    found = first(function, X)
    assert found.doubtful == 0
    assert found.relative < 1e-6


def test_a_jacobian_has_the_axes_of_the_result_before_those_of_the_argument():
    x = X[:6].reshape(2, 3)
    found = first(lambda x: np.sin(x[0]), x)
    assert found.value.shape == (3, 2, 3)
    exact = np.zeros((3, 2, 3))
    exact[np.arange(3), 0, np.arange(3)] = np.cos(x[0])
    assert (np.abs(found.value - exact) <= found.error).all()
    assert found.doubtful == 0


@pytest.mark.parametrize(
    ("function", "low", "high"),
    [(lambda x: np.sum(np.maximum(x, 0.0)), 0.0, 1.0), (lambda x: np.sum(np.abs(x)), -1.0, 1.0)],
)
def test_a_kink_is_told_with_its_two_sides(function, low, high):
    x = X.copy()
    x[7] = 0.0
    found = first(function, x)
    assert found.doubtful == 1
    assert found.doubts[0].where == "result[7]"
    assert found.doubts[0].kink
    assert (found.doubts[0].low, found.doubts[0].high) == (pytest.approx(low, abs=1e-6), pytest.approx(high, abs=1e-6))
    assert np.isinf(found.error[7])


@pytest.mark.parametrize("distance", [1e-3, 1e-5, 4e-6, 1e-6, 3e-7, 1e-8])
def test_a_kink_nearby_is_in_doubt_or_seen_around(distance):
    x = np.array([1.0, distance])
    found = first(lambda x: np.sum(np.maximum(x, 0.0)), x)
    assert np.isinf(found.error[1]) or abs(found.value[1] - 1.0) <= found.error[1]


@pytest.mark.parametrize(
    "function",
    [
        lambda x: np.sum(np.floor(x)),  # flat
        lambda x: np.sum(np.sin(x.astype(np.float32))),  # too inexact
        lambda x: np.sum(np.sqrt(x - X.min())),  # not finite to one side
    ],
)
def test_what_differences_cannot_tell_is_in_doubt(function):
    assert first(function, X).doubtful > 0


def test_single_precision_inside_is_not_taken_for_flat():
    found = first(lambda x: np.sum(np.sin(x.astype(np.float32))), X)
    sure = np.isfinite(found.error)
    assert (np.abs(found.value - np.cos(X))[sure] <= found.error[sure]).all()


def test_second_derivatives():
    def function(x):
        return np.sum(np.sin(x)) * np.sum(x**2)

    x = X[:6]
    a, b = np.sum(np.sin(x)), np.sum(x**2)
    exact = np.outer(np.cos(x), 2 * x) + np.outer(2 * x, np.cos(x)) + np.diag(2 * a - b * np.sin(x))
    found = second(function, x)
    assert found.doubtful == 0
    assert (np.abs(found.value - exact) <= found.error).all()


@pytest.mark.parametrize("function", [lambda x: x * np.abs(x), np.abs])
def test_a_kink_in_the_slope_is_in_doubt(function):
    assert second(function, 0.0).doubtful == 1


def test_only_what_is_sure_is_compared():
    expected = np.array([1.0, 2.0, 3.0])
    errors = {"result": np.array([1e-9, np.inf, 1e-9])}

    def compared(actual, errors=errors):
        return compare_call(expected, np.array(actual), {}, {}, (), 3, errors=errors)

    assert compared([1.0, 2.0, 3.0]).kind == "undecided"
    assert compared([1.0, np.nan, 3.0]).kind == "undecided"
    assert not compared([1.0, 2.0, 3.0]).ok
    assert compared([1.0, 2.0, 3.1]).kind == "values"
    assert compared([1.0, 2.0, np.nan]).kind == "values"
    sure = {"result": np.full(3, 1e-9)}
    assert compared([1.0 + 5e-10, 2.0, 3.0], sure).ok
    assert compared([1.0 + 1e-8, 2.0, 3.0], sure).kind == "values"
