"""Parts of arrays whose bounds or masks values decide: each function is compared on its example and on other sizes."""

import inspect

import numpy as np
import pytest

from tests.backends.jax.jax_workbench import agrees, make, refused
from tests.backends.jax.test_jax_slices import HEAD, both_sizes

RNG = np.random.default_rng(5)


def turned_in_place(tour, cuts):
    tour = tour.copy()
    for k in range(len(cuts)):
        i, j = cuts[k]
        tour[i : j + 1] = tour[i : j + 1][::-1]
    return tour


def turned_in_place_args(n):
    return np.arange(n), np.sort(RNG.integers(0, n + 3, (7, 2)), axis=1)


def turned_to_the_end(a):
    a = a.copy()
    for end in range(len(a), 1, -1):
        m = np.argmax(a[:end])
        a[: m + 1] = np.flip(a[: m + 1])
        a[:end] = a[:end][::-1]
    return a


def turned_to_the_end_args(n):
    return (RNG.permutation(n),)


def around_a_peak(x, y, half):
    i = int(np.argmax(y))
    lo = max(0, i - half)
    hi = min(len(y), i + half + 1)
    part = y[lo:hi]
    part = part - part.min()
    return np.sum(part * x[lo:hi]) / np.sum(part), np.trapezoid(y[lo:hi], x[lo:hi]), np.median(part), np.ptp(part)


def around_a_peak_args(n):
    return np.linspace(0, 1, n), RNG.random(n), 3


def begun_at_the_smallest(x):
    s = np.argmin(x)
    return np.concatenate((x[s:], x[:s])) * 2


def begun_at_the_smallest_args(n):
    return (RNG.random(n),)


def without_a_gap(x, cuts):
    a, b = cuts
    y = np.concatenate((x[:a], [0.5], x[b:]))
    return y.sum(), y.max(), len(y), y[-1]


def without_a_gap_args(n):
    return RNG.random(n), np.array([n // 4, n // 2])


def a_gap_that_overlaps_args(n):
    return RNG.random(n), np.array([n // 2, -n // 4])


def order_of_what_is_chosen(x, t):
    chosen = x[x > t]
    s = np.sort(chosen)
    places = np.arange(1, s.size + 1) / s.size
    return np.max(np.abs(s - places)), np.percentile(chosen, [10, 90]), s[0], s[-1], np.diff(s).mean()


def order_of_what_is_chosen_args(n):
    return RNG.random(n), 0.3


def whole_numbers_in_order(x, m):
    v = x[m]
    return np.median(v), np.sort(v)[0], np.quantile(v, 0.25)


def whole_numbers_in_order_args(n):
    return RNG.integers(-50, 50, n), RNG.random(n) > 0.4


def triangular_indices(a, b):
    out = np.zeros(len(a))
    for i in range(len(a)):
        k = np.arange(i + 1)
        out[i] = np.sum(a[k] * b[i - k])
    return out


def triangular_indices_args(n):
    return RNG.random(n), RNG.random(n)


def a_line_through_what_is_chosen(x, y, lo):
    m = x >= lo
    slope, offset = np.polyfit(x[m], y[m], 1)
    return slope, offset


def a_line_through_what_is_chosen_args(n):
    return np.linspace(0, 1, n), RNG.random(n), 0.3


def where_it_falls_to_half(x, y):
    i = np.argmax(y)
    half = y[i] / 2
    return np.interp(half, y[: i + 1], x[: i + 1]), np.interp(-half, -y[i:], x[i:])


def where_it_falls_to_half_args(n):
    x = np.linspace(-4, 4, n)
    return x, np.exp(-(x**2))


def sorted_by_insertion(x):
    a = x.copy()
    for i in range(1, len(a)):
        v = a[i]
        j = np.searchsorted(a[:i], v, side="right")
        a[j + 1 : i + 1] = a[j:i].copy()
        a[j] = v
    return a


def sorted_by_insertion_args(n):
    return (RNG.random(n),)


def bounds_that_may_be_negative(kids, parents, cuts):
    kids = kids.copy()
    for k in range(len(cuts)):
        c = cuts[k]
        kids[k, :c] = parents[k, :c]
    return kids


def bounds_that_may_be_negative_args(n):
    return np.zeros((6, n)), RNG.random((6, n)), np.array([0, 2, -1, -n, n, n + 2])


CASES = {name: value for name, value in globals().items() if f"{name}_args" in globals()}


@pytest.mark.parametrize("name", CASES)
def test_a_part_that_values_choose_is_a_mask(name):
    args = globals()[f"{name}_args"]
    text = both_sizes(inspect.getsource(CASES[name]), args(12), args(17), args(23))
    assert "jit" in text


def test_a_gap_that_is_none_joins_more_than_there_was():
    source = inspect.getsource(without_a_gap)
    both_sizes(source, without_a_gap_args(12), a_gap_that_overlaps_args(12), a_gap_that_overlaps_args(17))


def test_two_opt_reads_the_tour_from_the_other_end():
    text = agrees(HEAD + inspect.getsource(turned_in_place), np.arange(9), np.array([[1, 4], [0, 8]]))
    assert "- jnp.arange(tour.shape[0])]" in text


def test_nan_that_is_chosen_makes_the_median_nan():
    source = HEAD + "def fn(x, m):\n    return np.median(x[m]), np.sort(x[m])[0], np.quantile(x[m], 0.5)\n"
    x = np.array([1.0, np.nan, 3.0, 4.0, 9.0])
    agrees(source, x, np.array([True, True, True, False, True]))
    agrees(source, x, np.array([True, False, True, True, True]))


def test_a_number_that_shrinks_is_no_length_any_more():
    source = HEAD + (
        "def fn(x):\n    k = len(x)\n    k -= 14\n    total = 0.0\n    for i in range(3):\n"
        "        total += x[i + k :].sum()\n    return total\n"
    )
    agrees(source, RNG.random(9))


def test_a_part_bound_anew_in_a_loop_is_refused_by_its_line():
    found = make(
        HEAD + "def fn(y, lo, hi, t):\n    part = y[lo:hi]\n    while part.sum() > t:\n        hi -= 1\n"
        "        part = y[lo:hi]\n    return part.sum()\n",
        RNG.random(12), 1, 10, 2.0,
    )  # fmt: skip
    assert found.refusal is not None, found.text


def test_a_view_that_is_turned_round_and_stored_into_is_refused():
    found = make(
        HEAD + "def fn(x):\n    x = x.copy()\n    k = np.argmax(x)\n    v = x[: k + 1][::-1]\n    v[0] = 7.0\n"
        "    return x\n",
        RNG.random(12),
    )
    assert found.refusal is not None or found.draft.form == "partial"


def test_an_array_that_becomes_as_long_as_values_say_is_refused():
    found = refused(
        HEAD + "def fn(n, x):\n    out = np.zeros(len(n))\n    for i in range(len(n)):\n"
        "        out[i] = np.sum(np.exp(-x[i] * np.arange(n[i])))\n    return out\n",
        RNG.integers(1, 9, 40), RNG.random(40),
    )  # fmt: skip
    assert found.line == 7


def test_an_element_of_a_part_is_counted_from_the_end_where_its_index_is_negative():
    source = HEAD + (
        "def fn(x, t, places):\n    v = np.sort(x[x > t])\n    total = 0.0\n    for i in range(len(places)):\n"
        "        total += v[places[i]] * (i + 1)\n    return total\n"
    )
    x = RNG.random(40)
    both_sizes(source.removeprefix(HEAD), (x, 0.3, np.array([0, 2, 4] * 12)), (x, 0.3, np.array([0, -1, 3, -2] * 9)))


def test_a_bound_that_was_worked_out_of_a_number_that_changed_is_none():
    source = HEAD + (
        "def fn(x):\n    n = len(x)\n    k = min(n, int(np.argmax(x)) + 1)\n    n = 2\n"
        "    return np.sum(np.arange(k)) + n\n"
    )
    made = make(source, np.r_[RNG.random(30), 2.0, 0.5])
    if made.refusal is None:
        agrees(source, np.r_[RNG.random(30), 2.0, 0.5])
