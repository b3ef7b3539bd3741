"""What was built in the comparison before is taken again for the same code, constants and shapes."""

import numpy as np
import pytest

from jitmagic.capture.function import from_function
from jitmagic.comparison import compare_workload, shutdown
from jitmagic.options import Options
from tests.fakes import FakeBackend, installed

_SOURCE = """
import time
with open({path!r}, "a") as file:
    file.write("built ")
time.sleep(0.05)
def fn(x):
    time.sleep(0.002)
    return x * {factor}
"""
"""Loading it leaves a mark; far slower than NumPy, so that its process is not replaced."""


def double(x):
    return x * 2.0


def weighted(x):
    return x * weights


weights = np.array([2.0])


@pytest.fixture
def builds(tmp_path):
    """Returns what compares and tells how often the variant was built until then, with its entry in the record."""
    path = tmp_path / "builds"
    path.touch()

    def compare(function, size, factor="2.0"):
        workload = from_function(function, (np.ones(size),))
        with installed(FakeBackend("other", {"other": _SOURCE.format(path=str(path), factor=factor)})):
            found = compare_workload(workload, Options(budget=0.05))
        one = found["other"]
        told = "not built again: other" in " ".join(found.record["workload"]["notes"])
        assert told is (one.build_cache == "kept")
        return path.read_text().count("built"), one.build_cache, one.clocks["build"]["median"]

    yield compare
    shutdown()


def test_the_same_call_again_is_not_built_again_and_tells_the_seconds_of_before(builds):
    number, cache, seconds = builds(double, 10)
    assert (number, cache) == (1, "cold")
    assert seconds > 0.05
    number, cache, again = builds(double, 10)
    assert (number, cache) == (1, "kept")
    assert again > 0.045  # what only a build takes, less a call, whose time is measured anew
    assert builds(double, 10)[:2] == (1, "kept")


@pytest.mark.parametrize(("size", "factor"), [(11, "2.0"), (10, "(1.0 + 1.0)")])
def test_another_shape_or_another_source_is_built(builds, size, factor):
    builds(double, 10)
    assert builds(double, size, factor)[:2] == (2, "cold")


def test_another_comparison_between_forgets_it(builds):
    builds(double, 10)
    builds(double, 11)
    assert builds(double, 10)[:2] == (3, "cold")


def test_a_function_that_may_write_into_a_global_array_is_built_each_time(builds):
    builds(weighted, 10)
    assert builds(weighted, 10)[:2] == (2, "cold")
