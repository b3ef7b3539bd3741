"""Medians and ratio intervals."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jitmagic.measure.statistics import (
    BETWEEN_PROCESSES,
    LASTING,
    Interval,
    across_processes,
    count_outliers,
    log_ratio_draws,
    median_interval,
    ratio_interval,
    warm_up,
)

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
    assert interval.relative_width < median_interval(list(2.0 * drift)).relative_width / 10


def test_a_machine_that_is_now_fast_and_now_slow_does_not_decide_the_ratio():
    # whiles of seven rounds at full or at half speed: each median falls into one or the other by luck
    speed = np.repeat(np.random.default_rng(3).choice([1.0, 2.0], 30), 7)
    noise = 1 + 0.02 * np.random.default_rng(4).standard_normal((2, 210))
    interval = ratio_interval(list(1.05 * speed * noise[0]), list(speed * noise[1]))
    assert interval.low > 1.04
    assert interval.high < 1.06
    assert interval.steady


def test_disturbances_that_outlast_a_round_widen_the_interval():
    rng = np.random.default_rng(5)
    each = 1 + 0.1 * rng.standard_normal(200)
    lasting = np.repeat(1 + 0.1 * rng.standard_normal(20), 10)
    base = [1.0] * 200
    assert ratio_interval(base, list(lasting)).relative_width > 2 * ratio_interval(base, list(each)).relative_width


def test_ratios_of_two_kinds_are_not_steady_and_their_interval_holds_both_kinds():
    fast_or_slow = [1.0, 1.0, 1.0, 8.0, 8.0] * 20
    interval = ratio_interval([1.0] * 100, fast_or_slow)
    assert not interval.steady
    assert (interval.low, interval.high) == pytest.approx((1 / 8, 1.0))


def test_what_rounds_and_processes_differ_by_adds_up_as_squares_do():
    exact = across_processes(Interval(1.0, 1.0, 1.0, 50))
    assert exact.high == pytest.approx(1 + BETWEEN_PROCESSES)
    wide = across_processes(Interval(1.0, 0.8, 1.25, 50))
    assert wide.high == pytest.approx(1.25, rel=5e-3)
    assert (wide.median, wide.samples, wide.steady) == (1.0, 50, True)


def test_a_slow_while_of_the_machine_is_no_warm_up():
    rng = np.random.default_rng(6)
    machine = np.where(np.arange(60) < 12, 2.0, 1.0)
    samples = {name: list(machine * (1 + 0.05 * rng.random(60))) for name in ("numpy", "numba", "jax")}
    assert warm_up(samples) == {}


def test_steady_variants_are_rarely_taken_to_warm_up():
    rng = np.random.default_rng(7)
    told = sum(bool(warm_up({"numpy": rng.gamma(20.0, 1.0, 60), "jax": rng.gamma(20.0, 1.0, 60)})) for _ in range(300))
    assert told <= 15  # each has a chance of about 1 in 100


def test_what_gets_faster_all_the_time_has_no_warm_up():
    assert warm_up({"numpy": [1.0] * 60, "jax": list(np.linspace(3.0, 1.0, 60))}) == {}


@given(seconds)
def test_draws_stay_within_what_was_seen(samples):
    draws = log_ratio_draws([1.0] * len(samples), samples, count=50)
    assert draws.shape == (50,)
    assert -np.log(max(samples)) - 1e-12 <= draws.min() <= draws.max() <= -np.log(min(samples)) + 1e-12


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


def timed_in(*processes):
    rng = np.random.default_rng(5)
    variant = 0.01 * np.repeat(processes, 20) * np.exp(rng.normal(0, 0.005, 20 * len(processes)))
    fresh = tuple(range(20, 20 * len(processes), 20))
    return ratio_interval(np.full(len(variant), 0.01), variant, fresh=fresh)


def test_processes_that_are_alike_are_not_said_to_differ_by_what_their_rounds_do():
    rng = np.random.default_rng(9)
    spreads, apart = [], []
    for _ in range(30):
        noise = np.exp(rng.normal(0, 0.2, 200))
        fresh = (40, 80, 120, 160)
        spreads.append(ratio_interval(np.ones(200), noise, fresh=fresh).spread)
        noise *= np.repeat(np.exp(rng.normal(0, 0.1, 5)), 40)
        apart.append(ratio_interval(np.ones(200), noise, fresh=fresh).spread)
    # a median of 40 such rounds lies within 0.04 of the truth
    assert np.median(spreads) < 0.01
    assert np.median(apart) == pytest.approx(0.1, rel=0.3)


def test_a_process_that_is_off_does_not_decide_the_ratio():
    interval = timed_in(1.0, 1.0, 1.4, 1.0, 1.0)
    assert interval.median == pytest.approx(1.0, abs=0.005)


def test_several_processes_say_more_than_one():
    several, one = timed_in(1.0, 1.01, 0.99, 1.005), timed_in(1.0)
    assert (several.processes, one.processes) == (4, 1)
    assert across_processes(several).relative_width < across_processes(one).relative_width


def test_a_process_that_is_off_moves_the_ratio_little_and_widens_its_interval():
    several, alike = timed_in(1.0, 1.01, 0.99, 1.12), timed_in(1.0, 1.01, 0.99, 1.005)
    assert several.median == pytest.approx(1 / 1.005, abs=0.005)
    assert several.low <= several.median <= several.high
    assert across_processes(several).relative_width > 2 * across_processes(alike).relative_width


def test_what_is_known_of_processes_counts_for_as_much_as_three_that_were_seen():
    same = timed_in(1.0, 1.0, 1.0)
    exact = replace(same, low=same.median, high=same.median, spread=0.0)
    known = BETWEEN_PROCESSES**2 - LASTING**2
    expected = (known * (3 / 5) / 3 + LASTING**2) ** 0.5
    assert across_processes(exact).high / exact.median == pytest.approx(1 + expected, rel=1e-3)


def test_a_part_of_the_room_stays_however_many_processes_there_are():
    many = across_processes(Interval(1.0, 1.0, 1.0, 5000, processes=1000))
    assert many.high == pytest.approx(1 + LASTING, rel=1e-3)


def test_places_outside_of_the_rounds_divide_nothing():
    base, variant = [1.0] * 10, [1.0] * 10
    assert ratio_interval(base, variant, fresh=(0, 10, 12)).processes == 1
