"""The inner loop of a sample, on a fake clock; and the arguments that it is given."""

import gc

import numpy as np
import pytest

from jitmagic.measure.arguments import Arguments, Prepared
from jitmagic.measure.clock import time_calls
from jitmagic.measure.transport import Area, Opened, pack


class Clock:
    """A clock that only work moves on."""

    def __init__(self):
        self.now = 0.0
        self.readings = 0

    def __call__(self):
        self.readings += 1
        return self.now

    def works(self, seconds):
        def function(*args, **kwargs):
            self.now += seconds
            return args

        return function


@pytest.fixture
def arguments(tmp_path):
    area = Area(None, tmp_path)

    def make(*args, labels, **kwargs):
        return Arguments(Opened(pack((args, kwargs), area)), labels)

    yield make
    area.close()


def same(label, value):
    return value


def test_the_time_is_that_of_the_calls_and_of_waiting_for_their_results():
    clock = Clock()

    def wait(result):
        clock.now += 0.5

    for kwargs in ({}, {"k": 1}):
        call = ((1,), kwargs)
        assert time_calls(clock.works(2.0), Prepared([call], 3), None, clock) == 6.0
        assert time_calls(clock.works(2.0), Prepared([call], 3), wait, clock) == 7.5


def test_putting_arguments_back_is_not_timed():
    clock = Clock()

    def restore():
        clock.now += 100.0

    assert time_calls(clock.works(2.0), Prepared([((), {})], 4, restore), None, clock) == 8.0


def test_the_clock_is_read_twice_for_a_whole_loop():
    clock = Clock()
    time_calls(clock.works(1.0), Prepared([((), {})], 1000), None, clock)
    assert clock.readings == 2


def test_the_collector_is_off_inside_and_as_before_afterwards():
    seen = []

    def function():
        seen.append(gc.isenabled())
        raise ValueError("stop")

    assert gc.isenabled()
    with pytest.raises(ValueError, match="stop"):
        time_calls(function, Prepared([((), {})], 1), None)
    assert seen == [False]
    assert gc.isenabled()


def test_arguments_that_nobody_writes_stay_in_place_for_all_samples(arguments):
    made = arguments(np.arange(5.0), labels=["x", "k"], k=2)
    (first,) = made.prepared((), same, 10)
    (second,) = made.prepared((), same, 20)
    assert first.calls[0][0][0] is second.calls[0][0][0]
    assert (first.repeats, second.repeats) == (10, 20)
    assert first.restore is None
    assert first.calls[0][1] == {"k": 2}


def test_a_large_written_argument_is_put_back_in_place(arguments):
    made = arguments(np.arange(100_000.0), np.ones(3), labels=["out", "x"])
    (prepared,) = made.prepared(("out",), same, 3)
    ((out, x), _) = prepared.calls[0]
    out[...] = -1
    prepared.restore()
    assert out[7] == 7
    assert prepared.repeats == 3
    assert x.tolist() == [1, 1, 1]


def test_each_call_gets_a_small_written_argument_of_its_own(arguments):
    made = arguments(np.arange(4.0), labels=["out"])
    batches = list(made.prepared(("out",), same, 50_000))
    assert sum(len(one.calls) * one.repeats for one in batches) == 50_000
    outs = [call[0][0] for call in batches[0].calls]
    outs[0][0] = 9
    assert outs[1][0] == 0
    assert len({id(out) for out in outs}) == len(outs)


def test_a_written_list_and_overlapping_arrays_are_made_anew(arguments):
    base = np.arange(6.0)
    made = arguments([1, 2], base, base[::2], labels=["rows", "a", "b"])
    (one, *rest) = made.prepared(("rows", "a"), same, 2)
    ((rows, a, b), _) = one.calls[0]
    rows.append(3)
    a[0] = 99
    assert b[0] == 99  # they overlap as the user's do
    ((rows, a, b), _) = one.calls[1] if len(one.calls) > 1 else rest[0].calls[0]
    assert rows == [1, 2]
    assert b[0] == 0


def test_only_what_is_not_written_goes_to_the_device(arguments):
    made = arguments(np.zeros(2), np.ones(2), labels=["out", "x"])
    args, _ = made.ready(made.fresh(), ("out",), lambda label, value: ("moved", value.sum()))
    assert isinstance(args[0], np.ndarray)
    assert args[1] == ("moved", 2.0)
