"""The exponent of the power law that the larger sizes follow."""

import random

import pytest

from jitmagic.measure.sweep.growth import growth

SIZES = [10.0**power for power in range(2, 8)]


def times(of, rounds=15, noise=0.02):
    dice = random.Random(3)
    return [[of(size) * (1 + dice.gauss(0, noise)) for _ in range(rounds)] for size in SIZES]


@pytest.mark.parametrize("power", [0.0, 1.0, 1.5, 3.0])
def test_a_power_law_is_found(power):
    found = growth(SIZES, times(lambda size: 1e-9 * size**power))
    assert found.median == pytest.approx(power, abs=0.02)
    assert found.low <= power <= found.high
    assert found.high - found.low < 0.1


def test_the_overhead_of_small_sizes_is_left_out():
    found = growth(SIZES, times(lambda size: 1e-5 + 1e-8 * size))
    assert 0.9 < found.median < 1.05


def test_where_no_power_law_holds_the_interval_says_so():
    found = growth(SIZES, times(lambda size: 1e-9 * size if size < 5e5 else 1e-15 * size**2))
    assert found.low < 1.2
    assert found.high > 1.8


def test_two_sizes_are_no_fit():
    samples = times(lambda size: 1e-9 * size)
    assert growth(SIZES[:2], samples[:2]) is None
    assert growth(SIZES, [samples[0], None, None, None, None, samples[5]]) is None


def test_gaps_are_passed_over():
    samples = times(lambda size: 1e-9 * size)
    samples[4] = None
    assert growth(SIZES, samples).median == pytest.approx(1.0, abs=0.02)
