"""What of a sweep can be measured, decided from the sizes before."""

import pytest

from jitmagic.measure.sweep.plan import LEAST_ROUNDS, allot, entitled, fits_in_memory, foretell


def at_least_20_ms(call):
    return max(call, 0.02)


def test_foretelling_carries_on_the_last_line():
    assert foretell([(1, 5.0), (10, 1.0), (100, 10.0)], 1000) == pytest.approx(100.0)
    assert foretell([(10, 2.0)], 1000) == pytest.approx(200.0)
    assert foretell([], 1000) is None


def test_a_time_that_fell_is_not_foretold_to_fall_on():
    assert foretell([(10, 2.0), (100, 1.0)], 10_000) == 1.0


def test_one_wild_step_is_not_carried_on():
    assert foretell([(10, 1e-6), (20, 1.0)], 40) == pytest.approx(8.0)


def test_the_first_size_gets_its_share():
    found = allot("numpy", {"numpy": [], "numba": []}, [10, 100, 1000], 9.0, lasts=at_least_20_ms)
    assert found.fits
    assert found.kept == ("numpy", "numba")
    assert found.seconds == pytest.approx(3.0)


def test_larger_sizes_get_more_of_what_is_left():
    taken = {"numpy": [(1, 0.001), (10, 0.01), (100, 0.1)]}
    found = allot("numpy", taken, [1000, 10_000], 110.0, lasts=at_least_20_ms)
    assert found.seconds == pytest.approx(10.0)


def test_a_slow_variant_drops_out_before_the_baseline():
    taken = {"numpy": [(10, 0.1), (100, 1.0)], "slow": [(10, 0.01), (100, 1.0)], "numba": [(10, 0.01), (100, 0.1)]}
    found = allot("numpy", taken, [1000], 60.0, lasts=at_least_20_ms)
    assert found.kept == ("numpy", "numba")
    assert found.dropped == {"slow": pytest.approx(100.0)}
    assert found.seconds >= LEAST_ROUNDS * (10.0 + 1.0)


def test_a_bad_moment_does_not_drop_a_variant():
    taken = {"numpy": [(100, 7e-6), (1000, 8e-6)], "disturbed": [(100, 1e-5), (1000, 2e-2)]}
    found = allot("numpy", taken, [10_000], 4.0, lasts=at_least_20_ms)
    assert found.kept == ("numpy", "disturbed")
    assert found.dropped == {}


def test_a_size_that_the_baseline_cannot_pay_is_left_out():
    taken = {"numpy": [(10, 0.1), (100, 1.0)], "numba": [(10, 0.001), (100, 0.001)]}
    assert not allot("numpy", taken, [1000], 20.0, lasts=at_least_20_ms).fits


def test_nothing_fits_a_budget_that_is_spent():
    assert not allot("numpy", {"numpy": [(10, 1e-6)]}, [100], -0.5, lasts=at_least_20_ms).fits


def test_a_size_that_overran_leaves_the_others_half_a_share():
    assert entitled(10.0, 4.0, 5) == 6.0
    assert entitled(10.0, 25.0, 5) == 1.0


def test_a_whole_sweep_stays_within_its_budget():
    """Every size takes what it was allotted: the sum is the budget at most."""
    left, taken, sizes = 10.0, {"numpy": [], "fast": [], "slow": []}, [10.0**power for power in range(1, 10)]
    power = {"numpy": 1.0, "fast": 0.7, "slow": 2.0}
    done = []
    for place, size in enumerate(sizes):
        found = allot("numpy", taken, sizes[place:], left, lasts=at_least_20_ms)
        if not found.fits:
            break
        for name in found.dropped:
            del taken[name]
        left -= found.seconds
        done.append(size)
        for name in taken:
            taken[name].append((size, 1e-8 * size ** power[name]))
    assert left >= 0
    assert "slow" not in taken
    assert {"numpy", "fast"} == set(taken)
    assert len(done) >= 6


def test_memory_is_foretold():
    assert fits_in_memory([(10, 1e3), (100, 1e5)], 1000, 3.3e7, 3.0) == (True, pytest.approx(3e7))
    assert fits_in_memory([(10, 1e3), (100, 1e5)], 1000, 2.9e7, 3.0)[0] is False
    assert fits_in_memory([], 1e9, 1.0, 0.0) == (True, 0.0)
