"""What a backend wrote of a call is taken again for the same call of which the same was seen."""

import numpy as np
import pytest

from jitmagic.capture.function import from_function
from jitmagic.comparison import compare_workload, shutdown
from jitmagic.options import Options
from tests.fakes import FakeBackend, installed


class Counting(FakeBackend):
    """Counts how often it was asked to write."""

    asked = 0

    def drafts(self, workload, observed):
        self.asked += 1
        return super().drafts(workload, observed)


def add(x, times):
    for _ in range(times):
        x = x + 1.0
    return x


@pytest.fixture
def writer():
    backend = Counting("other", {"other": "def fn(x, times):\n    return x + times\n"})
    with installed(backend):
        yield backend
    shutdown()


def compared(backend, function=add, size=5, times=2):
    found = compare_workload(from_function(function, (np.ones(size), times)), Options(budget=0.02))
    assert found["other"].verified
    return backend.asked


def test_the_same_call_is_written_once(writer):
    assert [compared(writer) for _ in range(3)] == [1, 1, 1]


@pytest.mark.parametrize("changed", [{"size": 6}, {"times": 3}])
def test_another_call_is_written_anew(writer, changed):
    assert compared(writer) == 1
    assert compared(writer, **changed) == 2
    assert compared(writer) == 2


def test_another_backend_of_the_same_name_writes_for_itself():
    for source in ("x + times", "times + x"):
        backend = Counting("other", {"other": f"def fn(x, times):\n    return {source}\n"})
        with installed(backend):
            assert compared(backend) == 1
    shutdown()


def test_what_a_plug_in_goes_by_is_not_known_so_that_it_writes_each_time(writer):
    writer.origin = "somebody's 1.0"
    assert [compared(writer), compared(writer)] == [1, 2]
