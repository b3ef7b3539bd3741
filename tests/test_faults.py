"""Faults in variants and around them: each is named, the others are still reported, nothing is left behind.

The faults themselves are planted in ``tests/faults.py``; those that take long are played by ``make faults`` only.
"""

import signal
import threading

import numpy as np
import pytest

import jitmagic
from jitmagic.capture.function import from_function
from jitmagic.comparison import Options, compare_workload
from jitmagic.errors import BaselineError
from jitmagic.measure import pool
from tests import faults
from tests.fakes import FakeBackend

GOOD = faults.GOOD


def fn(x):
    return x * 2.0 + 1.0


@pytest.fixture(autouse=True)
def _small_memory(monkeypatch):
    from jitmagic.measure import process

    monkeypatch.setattr(process, "available_memory", lambda: 2 * 2**30)
    yield
    pool.shutdown()


LONG = ("twenty comparisons in a row", "an interrupt at any moment", "a worker that grows with each comparison")


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=[pytest.mark.slow] if name in LONG else [])
        for name, one in faults.CASES.items()
        if not one.slow
    ],
)
def test_a_fault_is_named_spares_the_others_and_leaves_nothing(name):
    try:
        seen = faults.survived(faults.CASES[name])
    except faults.NotHere as why:
        pytest.skip(str(why))
    assert not seen.wrong
    assert seen.left == "nothing"


def test_a_variant_that_dies_only_while_it_is_timed_is_named_then(use_backends, tmp_path):
    counter = tmp_path / "calls"
    dies_later = (
        "import os\n\ndef fn(x):\n"
        f"    with open({str(counter)!r}, 'a') as f:\n        f.write('.')\n"
        f"    if os.path.getsize({str(counter)!r}) > 40:\n        os._exit(9)\n"
        "    return x * 2.0 + 1.0\n"
    )
    use_backends(FakeBackend("bad", {"dies": dies_later, "steady": GOOD}))
    result = jitmagic.compare(fn, np.arange(10.0), budget=0.5, timeout=5.0)
    assert result["dies"].verdict == "crashed"
    assert "speedup" not in next(one for one in result.to_dict()["variants"] if one["name"] == "dies")
    assert result["steady"].clocks["run"]["samples"] >= 3


def test_a_wrong_variant_is_never_timed(use_backends):
    use_backends(
        FakeBackend(
            "bad",
            {
                "wrong": "def fn(x):\n    return x * 2.0\n",
                "writes": "def fn(x):\n    y = x * 2.0 + 1.0\n    x[0] = 7\n    return y\n",
            },
        )
    )
    result = jitmagic.compare(fn, np.arange(10.0), budget=0.3)
    for name in ("wrong", "writes"):
        assert result[name].verdict == "differs"
        assert result[name].verified is False
        assert result[name].clocks["run"] is None
    assert "10 of 10 values differ" in result["wrong"].reason
    assert "the argument x was changed" in result["writes"].reason


@pytest.mark.parametrize(
    "returned", ["(x, 1)", "None", "{'a': x}", "lambda: x", "(v for v in x)", "[x * 2.0 + 1.0]", "'text'"]
)
def test_a_variant_that_returns_something_else_spares_the_others(returned, use_backends):
    use_backends(FakeBackend("numba", {"wrong": f"def fn(x):\n    return {returned}\n", "good": GOOD}))
    result = jitmagic.compare(fn, np.arange(10.0), budget=0.05)
    assert result["wrong"].verdict == "differs"
    assert "result is a" in result["wrong"].reason or "result is None" in result["wrong"].reason
    assert result["good"].verified is True


def test_a_variant_right_once_and_wrong_the_second_time_is_caught(use_backends):
    source = (
        "calls = 0\n\ndef fn(x):\n    global calls\n    calls += 1\n    return x * 2.0 + (1.0 if calls < 2 else 1.5)\n"
    )
    use_backends(FakeBackend("bad", {"drifts": source}))
    result = jitmagic.compare(fn, np.arange(10.0), budget=0.3)
    assert result["drifts"].verdict == "differs"
    assert "in the second call" in result["drifts"].reason


def test_a_baseline_that_raises_crashes_or_changes_says_so(use_backends, tmp_path):
    use_backends()

    def raises(x):
        y = x + 1
        return y[10]

    def crashes(x):
        import ctypes

        return ctypes.string_at(0)

    def changes(x):
        import time

        return x + time.perf_counter()

    with pytest.raises(BaselineError, match="IndexError at line"):
        jitmagic.compare(raises, np.arange(3.0))
    with pytest.raises(BaselineError, match="segmentation fault"):
        jitmagic.compare(crashes, np.arange(3.0))
    with pytest.raises(BaselineError, match="gives another result when it is run again"):
        jitmagic.compare(changes, np.arange(3.0))


def test_an_interrupt_keeps_what_is_done(use_backends):
    # its time jumps about, so that the rounds go on until they are stopped
    slow = "import random, time\n\ndef fn(x):\n    time.sleep(random.choice([0.01, 0.1]))\n    return x * 2.0 + 1.0\n"
    use_backends(FakeBackend("one", {"quick": GOOD, "slow": slow}))
    main = threading.main_thread().ident
    timer = threading.Timer(0.05, lambda: signal.pthread_kill(main, signal.SIGINT))

    def interrupt(event):
        # after two rounds, which are fewer than are made at least: none can have settled
        if event.step == "timing" and event.done == 2:
            timer.start()

    result = compare_workload(from_function(fn, (np.arange(10.0),), {}), Options(budget=60.0), interrupt)
    timer.join()
    assert result.status == "interrupted"
    assert result["quick"].verified is True
    assert result["slow"].clocks["run"] is not None
