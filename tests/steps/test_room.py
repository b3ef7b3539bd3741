"""What cannot fit is refused before it runs, with the figures; what may fit is not."""

import numpy as np
import pytest

import jitmagic
from jitmagic.errors import BaselineError
from jitmagic.measure import pool, process
from jitmagic.observe.amount import bytes_of
from jitmagic.observe.facts import ValueFact
from tests.fakes import FakeBackend, installed

GOOD = "def fn(x):\n    return x * 2.0\n"


class Copying(FakeBackend):
    def copies_arguments(self, mode):
        return True


def fn(x):
    return x * 2.0


@pytest.fixture
def free(monkeypatch):
    """Sets what is free."""
    yield lambda size: monkeypatch.setattr(process, "available_memory", lambda: size)
    pool.shutdown()


def test_arguments_of_which_numpys_process_can_have_no_copy(free):
    free(7_000_000)
    with installed(), pytest.raises(BaselineError, match=r"arguments take 8 MB.*and 7 MB of memory are free"):
        jitmagic.compare(fn, np.ones(1_000_000))


def test_a_variant_that_needs_more_copies_than_fit_spares_the_others(free, monkeypatch):
    x = np.ones(1_000_000)
    kept = x.copy()

    class Roomy(process.WorkerProcess):
        """Is not itself ended at what the check is told is free."""

        def __init__(self, *args, **kwargs):
            super().__init__(*args, **{**kwargs, "memory_limit": 2 * 2**30})

    monkeypatch.setattr(pool, "WorkerProcess", Roomy)
    free(20_000_000)
    with installed(FakeBackend("one", {"plain": GOOD}), Copying("two", {"copied": GOOD})):
        result = jitmagic.compare(fn, x, budget=0.02)
    assert result["copied"].verdict == "unsupported"
    assert "at least 24 MB of memory (the arguments' 8 MB twice and the result's 8 MB)" in result["copied"].reason
    assert "20 MB are free" in result["copied"].reason
    # one beside NumPy's own is 32 MB: verified, and said why it is not timed
    assert result["plain"].verified is True
    assert result["plain"].verdict == "unsupported"
    assert "2 processes beside each other need at least 32 MB" in result["plain"].reason
    assert "--backends" in result["plain"].next_step
    assert "speedup" not in result.to_dict()["variants"][0]
    assert (x == kept).all()


@pytest.mark.parametrize(
    ("fact", "size"),
    [
        (ValueFact("array", "float32", (10, 3)), 120),
        (ValueFact("array", "float32", (10, None)), None),
        (ValueFact("scalar", "complex128", ()), 16),
        (ValueFact("float"), 0),
        (ValueFact("none"), 0),
        (None, None),
        (ValueFact("mixed"), None),
        (ValueFact("tuple", items=(ValueFact("array", "int8", (7,)), ValueFact("float"))), 7),
        (ValueFact("tuple", items=(ValueFact("array", "int8", None),)), None),
        (ValueFact("list", items=(ValueFact("array", "int8", (1,)),) * 64), None),
    ],
)
def test_the_size_of_a_result_is_known_or_none(fact, size):
    assert bytes_of(fact) == size
