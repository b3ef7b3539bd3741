"""Medians and ratio intervals."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jitmagic.measure.statistics import count_outliers, median_interval, ratio_interval

seconds = st.lists(st.floats(1e-7, 10.0), min_size=1, max_size=40)


@given(seconds)
def test_an_interval_holds_its_median(samples):
    interval = median_interval(samples)
    assert interval.low <= interval.median <= interval.high
    assert min(samples) <= interval.low
    assert interval.high <= max(samples)


@given(seconds, st.floats(0.1, 10.0))
def test_a_variant_that_is_always_k_times_faster_has_exactly_that_ratio(samples, factor):
    interval = ratio_interval(samples, [one / factor for one in samples])
    assert interval.median == pytest.approx(factor)
    assert interval.low <= interval.median <= interval.high


def test_drift_that_hits_both_alike_does_not_widen_the_ratio():
    drift = np.linspace(1.0, 3.0, 30)
    interval = ratio_interval(list(2.0 * drift), list(1.0 * drift))
    assert (interval.low, interval.high) == pytest.approx((2.0, 2.0), rel=0.35)
    alone = median_interval(list(2.0 * drift))
    assert interval.relative_width < alone.relative_width * 1.5


def test_the_same_variant_twice_is_rarely_told_apart():
    rng = np.random.default_rng(1)
    told = 0
    for seed in range(200):
        noise = 1 + 0.05 * rng.standard_gamma(2.0, (2, 25))
        interval = ratio_interval(list(noise[0]), list(noise[1]), seed)
        told += interval.low > 1 or interval.high < 1
    assert told <= 16  # 5 % of 200 are expected; 16 has a chance below 2 %


def test_few_rounds_give_the_range_of_what_was_seen():
    interval = ratio_interval([2.0, 4.0], [1.0, 2.0])
    assert (interval.low, interval.high) == (1.0, 4.0)


def test_rounds_that_do_not_match_are_refused():
    with pytest.raises(ValueError, match="2 of the baseline, 1 of the variant"):
        ratio_interval([1.0, 2.0], [1.0])


def test_outliers_are_counted_by_tukeys_fences():
    assert count_outliers([1.0, 1.1, 1.0, 0.9, 1.05, 5.0]) == 1
    assert count_outliers([1.0, 9.0]) == 0
