"""Where one line crosses another, on times that are made up."""

import random

import pytest

from jitmagic.measure.sweep.crossovers import crossovers

SIZES = [10.0**power for power in range(2, 8)]


def times(of, rounds=20, noise=0.01, seed=0, sizes=SIZES):
    dice = random.Random(f"{of(1.0)}{seed}")
    return [[of(size) * (1 + dice.gauss(0, noise)) for _ in range(rounds)] for size in sizes]


def numpy(size):
    return 1e-6 + 1e-9 * size


def overhead(size):
    return 2e-5 + 1e-10 * size


# 1e-6 + 1e-9 n = 2e-5 + 1e-10 n; straight lines between logarithms are off by the curve between two sizes
LEVEL = 1.9e-5 / 9e-10


def test_the_crossover_lies_where_the_lines_meet_and_its_interval_is_narrow():
    (found,) = crossovers(SIZES, {"numpy": times(numpy), "jax": times(overhead)}, "numpy")
    assert (found.variant, found.over) == ("jax", "numpy")
    assert LEVEL / 2 < found.n < LEVEL * 2
    assert found.low <= found.n <= found.high
    assert found.high / found.low < 1.2


def test_between_dense_sizes_it_is_exact():
    sizes = [10 ** (2 + step / 8) for step in range(41)]
    samples = {"numpy": times(numpy, sizes=sizes), "jax": times(overhead, sizes=sizes)}
    (found,) = crossovers(sizes, samples, "numpy")
    assert found.n == pytest.approx(LEVEL, rel=0.05)
    assert found.low < LEVEL < found.high


def test_noise_widens_the_interval():
    quiet = crossovers(SIZES, {"numpy": times(numpy), "jax": times(overhead)}, "numpy")[0]
    loud = crossovers(SIZES, {"numpy": times(numpy, noise=0.2), "jax": times(overhead, noise=0.2)}, "numpy")[0]
    assert loud.high / loud.low > quiet.high / quiet.low


def test_three_rounds_say_less_than_twenty():
    many = crossovers(SIZES, {"numpy": times(numpy, 20, 0.1), "jax": times(overhead, 20, 0.1)}, "numpy")[0]
    few = crossovers(SIZES, {"numpy": times(numpy, 3, 0.1), "jax": times(overhead, 3, 0.1)}, "numpy")[0]
    assert few.high / few.low > many.high / many.low


@pytest.mark.parametrize("seed", range(20))
def test_two_that_are_the_same_never_cross(seed):
    samples = {"numpy": times(numpy, noise=0.05, seed=seed), "same": times(numpy, noise=0.05, seed=seed + 100)}
    assert crossovers(SIZES, samples, "numpy") == []


def test_one_that_is_always_faster_does_not_cross():
    samples = {"numpy": times(numpy), "numba": times(lambda size: numpy(size) / 3)}
    assert crossovers(SIZES, samples, "numpy") == []


def test_one_that_falls_behind_is_overtaken():
    samples = {"numpy": times(numpy), "slow": times(lambda size: 1e-7 + 1e-12 * size**2)}
    (found,) = crossovers(SIZES, samples, "numpy")
    assert (found.variant, found.over) == ("numpy", "slow")
    assert 100 < found.n < 10_000


def test_two_variants_that_change_places_at_the_front():
    samples = {
        "numpy": times(numpy),
        "numba": times(lambda size: numpy(size) / 4),
        "jax": times(lambda size: 2e-5 + 2e-11 * size),
    }
    found = {(one.variant, one.over) for one in crossovers(SIZES, samples, "numpy")}
    assert found == {("jax", "numpy"), ("jax", "numba")}


def test_an_unclear_stretch_lies_within_the_interval():
    def near(size):
        return numpy(size) * (2.0 if size < 1e3 else 0.5 if size > 1e6 else 1.0)

    samples = {"numpy": times(numpy, noise=0.03), "near": times(near, noise=0.03, seed=1)}
    (found,) = crossovers(SIZES, samples, "numpy")
    assert 100 <= found.low < 1e4
    assert 1e5 < found.high <= 1e7


def test_sizes_that_one_of_them_lacks_are_passed_over():
    lacking = times(overhead)
    lacking[2] = None
    lacking[-1] = None
    (found,) = crossovers(SIZES, {"numpy": times(numpy), "jax": lacking}, "numpy")
    assert found.variant == "jax"
    assert crossovers(SIZES, {"numpy": times(numpy), "jax": [None] * len(SIZES)}, "numpy") == []
