"""How far NumPy's own result moves for one unit in the last place."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jitmagic.verify.compare import compare_call
from jitmagic.verify.movement import Movement
from jitmagic.verify.sensitivity import is_within, moved, movements, own_movement


def steady(x):
    return 2 * x


def hilbert_solve(A, b):
    return np.linalg.solve(A, b)


def hilbert(n):
    i = np.arange(1, n + 1)
    return 1.0 / (i[:, None] + i - 1), np.ones(n)


def fill(x, out):
    out[:] = x * 3


def test_a_steady_function_moves_by_little():
    assert own_movement(steady, lambda: (np.linspace(1, 2, 9),)) <= 2 * np.spacing(4.0)


def test_a_system_near_to_singular_moves_by_much():
    n = 8
    movement = own_movement(hilbert_solve, lambda: hilbert(n))
    assert movement > 1e-7
    A, b = hilbert(n)
    exact, other = np.linalg.solve(A, b), np.linalg.inv(A) @ b
    assert is_within(float(np.abs(exact - other).max()), movement)
    assert not is_within(1.0 + 1e6 * movement, movement)
    assert not is_within(None, movement)


def test_arguments_that_are_left_alone_do_not_count_and_changed_ones_do():
    assert own_movement(steady, lambda: (np.array([1e-3]), np.array([1e20]))[:1]) < 1e-18
    assert 0 < own_movement(fill, lambda: (np.linspace(1, 2, 9), np.zeros(9))) < 1e-14


def test_whole_numbers_do_not_move():
    assert own_movement(lambda n, x: x // n, lambda: (3, np.arange(9))) == 0.0


@given(st.lists(st.floats(allow_nan=True, allow_infinity=True), max_size=9), st.integers(0, 99))
def test_each_number_moves_to_a_neighbour_or_stays(values, seed):
    before = np.array(values)
    after = moved(before, np.random.default_rng(seed))
    special = ~np.isfinite(before) | (before == 0)
    assert np.array_equal(after[special], before[special], equal_nan=True)
    near = (after == before) | (after == np.nextafter(before, np.inf)) | (after == np.nextafter(before, -np.inf))
    assert near[~special].all()
    both = np.empty(len(before), complex)
    both.real, both.imag = before, 1.5
    complexes = moved((both, [1, "text"], 2.5), np.random.default_rng(seed))
    assert np.array_equal(complexes[0].real[special], before[special], equal_nan=True)
    assert (np.abs(complexes[0].imag - 1.5) == np.spacing(1.5)).all()
    assert complexes[1] == [1, "text"]
    assert abs(complexes[2] - 2.5) == np.spacing(2.5)


@pytest.mark.parametrize(
    ("expected", "actual", "moves", "ok"),
    [
        # a residual, whose size is all that is known of it
        ((np.linspace(1, 2, 5), 3e-17), (np.linspace(1, 2, 5), 2e-16), 2e-17, True),
        ((np.linspace(1, 2, 5), 0.0), (np.linspace(1, 2, 5), 1e-16), 2e-17, True),
        # one that is wrong, one that is a figure, and one that has nothing beside it
        ((np.linspace(1, 2, 5), 3e-17), (np.linspace(1, 2, 5), 1e-9), 2e-17, False),
        ((np.linspace(1, 2, 5), 3e-6), (np.linspace(1, 2, 5), 4e-6), 2e-7, False),
        ((np.zeros(3), 3e-17), (np.zeros(3), 2e-16), 2e-17, False),
        # chaos is no rest of rounding
        ((np.linspace(1, 2, 5), 0.7), (np.linspace(1, 2, 5), 0.3), 0.2, False),
    ],
)
def test_rests_of_rounding_beside_figures(expected, actual, moves, ok):
    finding = compare_call(expected, actual, {}, {}, [], 5, movement={"result[1]": Movement(moves)})
    assert finding.ok is ok


LABELS = np.arange(40) % 5


def flipped(labels, *places):
    labels = labels.copy()
    labels[list(places)] = 4 - labels[list(places)]
    return labels


@pytest.mark.parametrize(
    ("expected", "actual", "movement", "ok"),
    [
        # as many labels as flip in NumPy's own runs may differ, and no more
        (LABELS, flipped(LABELS, 6), Movement(4.0, 1), True),
        (LABELS, flipped(LABELS, 5, 6, 8, 9), Movement(4.0, 1), False),
        (LABELS, np.roll(LABELS, 1), Movement(4.0, 2), False),
        (LABELS > 2, flipped(LABELS, 0) > 2, Movement(1.0, 1), True),
        (LABELS > 2, LABELS <= 2, Movement(1.0, 3), False),
        # where very many flip, they prove nothing
        (LABELS, flipped(LABELS, 6), Movement(4.0, 20), False),
        # an index that flips is one of the nearly equal ones, not any between
        (3, 250, Movement(247.0, 1, (250,)), True),
        (3, 17, Movement(247.0, 1, (250,)), False),
        (True, False, Movement(1.0, 1, (0,)), True),
        # a count may be another one that is as near
        (37, 36, Movement(1.0, 1, (38,)), True),
        (37, 40, Movement(1.0, 1, (38,)), False),
        (np.array([900, 1100, 1000]), np.array([901, 1100, 999]), Movement(1.0, 3), True),
    ],
)
def test_whole_numbers_flip(expected, actual, movement, ok):
    finding = compare_call(expected, actual, {}, {}, [], 5, movement={"result": movement})
    assert finding.ok is ok
    assert ok or finding.where.startswith("result")


def test_how_many_flip_and_to_what_is_seen():
    x = np.array([0.1, 0.3, 0.5, 0.3])

    def nearest(x):
        return int(np.argmin(np.abs(x - 0.2))), np.abs(x - 0.2) < 0.1, x

    found = movements(nearest, lambda: ((x.copy(),), {}), ["x"], runs=20)
    place, near, same = found["result[0]"], found["result[1]"], found["result[2]"]
    assert place.size in (1.0, 2.0)
    assert place.seen
    assert set(place.seen) <= {0, 3}
    assert near.size == 1.0
    assert 1 <= near.places <= 3
    assert same.places == 4
    assert not same.seen
