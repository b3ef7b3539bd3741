"""How near a variant is to the machine's limits: from counts and fake ceilings; where it cannot be said, nothing."""

import numpy as np
import pytest

import jitmagic
from jitmagic.measure import ceilings, pool
from jitmagic.measure.bench import Bench
from jitmagic.steps import limits
from tests.fakes import FakeBackend, installed

SAME = "def fn(x):\n    return x + 1.0\n"


@pytest.fixture(autouse=True)
def asked(monkeypatch):
    """Gives what was asked of a machine that copies at a fixed rate; nothing is kept from one test to the next."""
    made = []

    def ceiling(self, numpy, what, **given):
        made.append((what, given))
        return {"copied": 1e8 * given.get("threads", 1), "multiplied": 1e8}[what]

    monkeypatch.setattr(Bench, "ceiling", ceiling)
    monkeypatch.setattr(limits, "_bandwidths", {})
    monkeypatch.setattr(limits, "_rates", {})
    monkeypatch.setattr(limits, "MOST_SHARE", 1e9)
    yield made
    pool.shutdown()


def elementwise(x):
    return x + 1.0


def partly(x):
    return x[:10] + 1.0


def product(x):
    return x @ x


def compared(function, x, source=SAME):
    with installed(FakeBackend("one", {"v": source})):
        return jitmagic.compare(function, x, budget=0.05)


def test_the_least_traffic_over_the_time_is_set_beside_the_copies(asked):
    x = np.ones(500_000)
    result = compared(elementwise, x)
    found = result.record["limits"]
    assert found["traffic"] == 2 * x.nbytes
    several = [given["threads"] for what, given in asked if what == "copied"]
    assert several[0] == 1
    assert found["bandwidth"] == 1e8 * max(several)
    assert found["threads"] == max(several)
    own = result["v"].limits
    expected = 2 * x.nbytes / result["v"].clocks["run"]["median"] / found["bandwidth"]
    assert own["bandwidth"] == pytest.approx(expected)
    assert own["rate"] is None
    # the copies are of about the size of the workload, and are made once in a session
    assert all(2 * x.nbytes / 1.5 < given["size"] < 2 * x.nbytes * 1.5 for _, given in asked)


def test_what_is_not_sure_to_be_read_counts_for_nothing(asked):
    assert compared(partly, np.ones(500_000), "def fn(x):\n    return x[:10] + 1.0\n").record["limits"] is None
    assert asked == []


def test_a_broadcast_argument_is_no_larger_than_its_memory():
    x = np.broadcast_to(np.ones(1000), (1000, 1000))
    result = compared(elementwise, x)
    assert result.record["limits"]["traffic"] == 8_000_000 + 8_000  # the result, and one row


def test_products_are_set_beside_a_product(asked):
    result = compared(product, np.ones((200, 200)), "def fn(x):\n    return x @ x\n")
    assert ("multiplied", {"dtype": "float64"}) in asked
    own = result["v"].limits
    assert own["operations"] == 2 * 200**3
    assert own["counted_by"] == "matrix products"
    assert own["rate"] == pytest.approx(2 * 200**3 / result["v"].clocks["run"]["median"] / 1e8)


def test_a_share_that_cannot_be_is_left_out(monkeypatch):
    monkeypatch.setattr(limits, "MOST_SHARE", 1e-9)
    result = compared(elementwise, np.ones(500_000))
    assert result["v"].limits is None


def test_small_arguments_are_not_measured(asked):
    assert compared(elementwise, np.ones(1000)).record["limits"] is None
    assert asked == []


def test_theasked_themselves_are_positive_and_scale_with_nothing_odd():
    for threads in (1, 2):
        assert ceilings.copied(2**20, threads, seconds=0.01) > 0
    assert ceilings.multiplied("float32", tries=1) > 0
