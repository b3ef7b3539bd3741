"""Faults planted in variants: each is named, the others are still reported, nothing is left behind."""

import glob
import os
import signal
import subprocess
import sys
import tempfile
import textwrap
import threading
import time

import numpy as np
import psutil
import pytest

import jitmagic
from jitmagic.capture.function import from_function
from jitmagic.comparison import Options, compare_workload
from jitmagic.errors import BaselineError
from jitmagic.measure import pool
from tests.fakes import FakeBackend

GOOD = "def fn(x):\n    return x * 2.0 + 1.0\n"
FAULTS = {
    "segfault": "import ctypes\n\ndef fn(x):\n    ctypes.string_at(0)\n",
    "exit": "import os\n\ndef fn(x):\n    os._exit(3)\n",
    "hang": "def fn(x):\n    while True:\n        pass\n",
    "memory": (
        "import numpy as np\n\ndef fn(x):\n    parts = []\n    for _ in range(1000):\n"
        "        parts.append(np.ones(2**27 // 8))\n    return x\n"
    ),
    "hundred-gigabytes": "import numpy as np\n\ndef fn(x):\n    return np.ones(12_500_000_000) * x.sum()\n",
    "sys-exit": "import sys\n\ndef fn(x):\n    sys.exit('bye')\n",
    "raises": "def fn(x):\n    raise IndexError('beyond')\n",
    "recursion": "import sys\n\ndef fn(x):\n    sys.setrecursionlimit(10**9)\n    return fn(x)\n",
}


def fn(x):
    return x * 2.0 + 1.0


def shared_files():
    """Returns the folders of this process's sessions: others may run on the machine."""
    roots = {"/dev/shm", tempfile.gettempdir()}
    return {folder for root in roots for folder in glob.glob(f"{root}/jitmagic-{os.getpid()}-*")}


def children():
    return {child.pid for child in psutil.Process().children(recursive=True) if child.status() != "zombie"}


@pytest.fixture(autouse=True)
def _small_memory(monkeypatch):
    from jitmagic.measure import process

    monkeypatch.setattr(process, "available_memory", lambda: 2 * 2**30)
    yield
    pool.shutdown()


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_in_one_variant_is_named_and_spares_the_others(fault, use_backends):
    use_backends(
        FakeBackend("bad", {"before": GOOD, "faulty": FAULTS[fault], "after": GOOD}),
        FakeBackend("good", {"good": GOOD}),
    )
    files, processes = shared_files(), children()
    x = np.arange(1000.0)
    kept = x.copy()
    result = jitmagic.compare(fn, x, budget=0.3, timeout=2.0 if fault == "hang" else 30.0)
    assert result["faulty"].verdict == {"hang": "timed out", "raises": "unsupported", "sys-exit": "unsupported"}.get(
        fault, "crashed"
    )
    words = {
        "segfault": "segmentation fault",
        "exit": "exit with code 3",
        "hang": "within 2 s",
        "memory": "memory",
        "hundred-gigabytes": "memory",
        "sys-exit": "bye",
        "raises": "beyond",
        "recursion": "",
    }[fault]
    assert words in result["faulty"].reason.lower()
    for other in ("before", "after", "good"):
        assert result[other].verified is True
        assert result[other].verdict in ("faster", "slower", "no clear difference")
        assert len(result[other].clocks["run"]) > 0
    assert "speedup" not in result.to_dict()["variants"][1]
    assert (x == kept).all()
    pool.shutdown()
    assert shared_files() <= files
    assert children() <= processes


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
        return x + np.random.default_rng().random()

    with pytest.raises(BaselineError, match="IndexError at line"):
        jitmagic.compare(raises, np.arange(3.0))
    with pytest.raises(BaselineError, match="segmentation fault"):
        jitmagic.compare(crashes, np.arange(3.0))
    with pytest.raises(BaselineError, match="gives another result when it is run again"):
        jitmagic.compare(changes, np.arange(3.0))


def test_an_interrupt_keeps_what_is_done_and_leaves_no_process(use_backends):
    # its time jumps about, so that the rounds go on until they are stopped
    slow = "import random, time\n\ndef fn(x):\n    time.sleep(random.choice([0.01, 0.1]))\n    return x * 2.0 + 1.0\n"
    use_backends(FakeBackend("one", {"quick": GOOD, "slow": slow}))
    before = children()
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
    pool.shutdown()
    assert children() <= before


def test_a_killed_session_leaves_no_process_and_no_file(tmp_path):
    script = tmp_path / "session.py"
    script.write_text(
        textwrap.dedent(
            """
            import os, signal, sys, threading, time
            import numpy as np
            import psutil
            import jitmagic
            from jitmagic.measure import pool

            def fn(x):
                while x.size > 5:
                    pass
                return x

            def tell():
                def is_up():
                    return len(psutil.Process().children(recursive=True)) >= 2 and pool.pool().area.folders

                deadline = time.monotonic() + 40
                while time.monotonic() < deadline and not is_up():
                    time.sleep(0.1)
                time.sleep(1)
                print(*[c.pid for c in psutil.Process().children(recursive=True)], flush=True)
                print(*pool.pool().area.folders, flush=True)
                os.kill(os.getpid(), signal.SIGKILL)

            threading.Thread(target=tell).start()
            jitmagic.compare(fn, np.arange(10.0), backends=[])
            """
        )
    )
    root = os.path.dirname(os.path.dirname(jitmagic.__file__))
    done = subprocess.run(
        [sys.executable, script], capture_output=True, text=True, env={**os.environ, "PYTHONPATH": root}, timeout=60
    )
    lines = done.stdout.splitlines()
    assert len(lines) == 2, done.stderr
    pids, folders = [int(pid) for pid in lines[0].split()], lines[1].split()
    assert len(pids) >= 2
    assert folders
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline and (
        any(psutil.pid_exists(pid) and psutil.Process(pid).status() != "zombie" for pid in pids)
        or any(os.path.exists(folder) for folder in folders)
    ):
        time.sleep(0.1)
    assert not [pid for pid in pids if psutil.pid_exists(pid) and psutil.Process(pid).status() != "zombie"]
    assert not [folder for folder in folders if os.path.exists(folder)]
