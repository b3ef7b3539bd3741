"""Faults, each planted in a real comparison; ``make faults`` prints what was said of each, and what it left behind.

A case plants its fault and returns what was said; it raises AssertionError where that is wrong. Whatever the case,
:func:`survived` looks for processes, shared memory and files that are left, and whether the user's array is bit
for bit as it was. ``tests/test_faults.py`` runs the fast ones, ``python -m tests.faults [NAME …]`` all, or those
that are named.
"""

from __future__ import annotations

import contextlib
import glob
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import psutil

import jitmagic
from jitmagic.capture.function import from_function
from jitmagic.comparison import Comparison, Options, compare_workload
from jitmagic.errors import BaselineError, JitmagicError
from jitmagic.measure import pool, process
from jitmagic.measure.transport import Area
from tests.fakes import FakeBackend, installed

GOOD = "def fn(x):\n    return x * 2.0 + 1.0\n"
ROOT = Path(jitmagic.__file__).parents[1]


def fn(x):
    return x * 2.0 + 1.0


@dataclass
class Arena:
    """Where a case is played.

    Attributes
    ----------
    x : numpy.ndarray
        The user's array.
    sessions : list of int
        Process numbers of this session and of those that the case started: what they leave counts.
    given : list of (numpy.ndarray, bytes)
        The arrays that were the user's, with their contents at the start.
    folders : list of str
        The case's own, removed at its end.
    """

    x: np.ndarray
    sessions: list[int] = field(default_factory=lambda: [os.getpid()])
    given: list[tuple[np.ndarray, bytes]] = field(default_factory=list)
    folders: list[str] = field(default_factory=list)

    @classmethod
    def new(cls) -> Arena:
        """Returns one with a small array."""
        arena = cls(np.empty(0))
        arena.give(np.arange(1000.0))
        return arena

    def give(self, x: np.ndarray) -> None:
        """Takes another array for the user's."""
        self.x = x
        self.given.append((x, x.tobytes()))

    def compare(self, function: Any = fn, *fakes: FakeBackend, progress: Any = None, **options: Any) -> Comparison:
        """Compares with fake backends, or with the real ones where ``fakes`` is empty and ``backends`` is given."""
        options.setdefault("budget", 0.1)
        with installed(*fakes) if fakes else contextlib.nullcontext():
            return compare_workload(from_function(function, (self.x,), {}), Options(**options), progress)


@dataclass(frozen=True)
class Case:
    """A fault: its name, what plants it, and whether it takes long."""

    name: str
    plant: Callable[[Arena], str]
    slow: bool


@dataclass(frozen=True)
class Survival:
    """What became of a case: what was said, what was left behind, and what was wrong ("" where nothing was)."""

    said: str
    left: str
    wrong: str


CASES: dict[str, Case] = {}


def case(name: str, *, slow: bool = False) -> Callable[[Callable[[Arena], str]], Callable[[Arena], str]]:
    """Registers a case."""

    def register(plant: Callable[[Arena], str]) -> Callable[[Arena], str]:
        CASES[name] = Case(name, plant, slow)
        return plant

    return register


def survived(one: Case) -> Survival:
    """Plays a case in a session of its own kind, and looks at what it leaves."""
    pool.shutdown()
    arena = Arena.new()
    files, processes = _files(arena), _children()
    said, wrong = "", []
    # a small machine: what takes memory is stopped soon
    with mock.patch.object(process, "available_memory", return_value=2 * 2**30):
        try:
            said = one.plant(arena)
        except AssertionError as error:
            wrong.append(" ".join(str(error).split()) or "an assertion failed")
        finally:
            pool.shutdown()
            for folder in arena.folders:
                shutil.rmtree(folder)
    if any(array.tobytes() != kept for array, kept in arena.given):
        wrong.append("the user's array was changed")
    left = _wait_for_none(lambda: sorted(_files(arena) - files) + sorted(_children() - processes))
    if left:
        wrong.append(f"left behind: {', '.join(left)}")
    return Survival(said, ", ".join(left) or "nothing", "; ".join(wrong))


def _files(arena: Arena) -> set[str]:
    roots = {"/dev/shm", tempfile.gettempdir()}
    return {path for root in roots for pid in arena.sessions for path in glob.glob(f"{root}/jitmagic-{pid}-*")}


def _children() -> set[str]:
    found = set()
    for child in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):
            if child.status() != psutil.STATUS_ZOMBIE:
                found.add(f"process {child.pid} ({' '.join(child.cmdline())[:60]})")
    return found


def _wait_for_none(look: Callable[[], list[str]], seconds: float = 10.0) -> list[str]:
    """Looks until nothing is seen; a process that was killed takes a moment to go."""
    deadline = time.monotonic() + seconds
    while (found := look()) and time.monotonic() < deadline:
        time.sleep(0.05)
    return found


# -- a variant that goes wrong in its worker


def _one_bad(source: str, verdict: str, words: str, timeout: float = 30.0) -> Callable[[Arena], str]:
    def plant(arena: Arena) -> str:
        bad = FakeBackend("bad", {"before": GOOD, "faulty": source, "after": GOOD})
        result = arena.compare(fn, bad, FakeBackend("good", {"good": GOOD}), timeout=timeout)
        faulty = result["faulty"]
        assert faulty.verdict == verdict, f"{faulty.verdict}: {faulty.reason}"
        assert words in faulty.reason.lower(), faulty.reason
        assert "speedup" not in result.to_dict()["variants"][1], "a variant that failed has a speedup"
        for other in ("before", "after", "good"):
            assert result[other].verified is True, f"{other}: {result[other].reason}"
            assert result[other].clocks["run"] is not None, f"{other} was not timed"
        return f"{faulty.verdict}: {faulty.reason}"

    return plant


for _name, _source, _verdict, _words, _timeout in (
    ("a segmentation fault", "import ctypes\n\ndef fn(x):\n    ctypes.string_at(0)\n", "crashed",
     "segmentation fault", 30.0),
    ("it leaves by os._exit", "import os\n\ndef fn(x):\n    os._exit(3)\n", "crashed", "exit with code 3", 30.0),
    ("it leaves by sys.exit", "import sys\n\ndef fn(x):\n    sys.exit('bye')\n", "unsupported", "bye", 30.0),
    ("it raises", "def fn(x):\n    raise IndexError('beyond')\n", "unsupported", "beyond", 30.0),
    ("it hangs", "def fn(x):\n    while True:\n        pass\n", "timed out", "within 2 s", 2.0),
    ("it hangs in compiled code", "import ctypes\n\ndef fn(x):\n    ctypes.PyDLL(None).usleep(900_000_000)\n",
     "timed out", "within 2 s", 2.0),
    ("runaway memory, bit by bit",
     "import numpy as np\n\ndef fn(x):\n    parts = []\n    for _ in range(1000):\n"
     "        parts.append(np.ones(2**27 // 8))\n    return x\n", "crashed", "memory", 30.0),
    ("runaway memory, at once",
     "import numpy as np\n\ndef fn(x):\n    return np.ones(12_500_000_000) * x.sum()\n", "crashed", "memory", 30.0),
    ("runaway memory in compiled code",
     "import ctypes\n\ndef fn(x):\n    libc = ctypes.CDLL(None)\n    libc.malloc.restype = ctypes.c_void_p\n"
     "    while True:\n        got = libc.malloc(ctypes.c_size_t(2**26))\n"
     "        ctypes.memset(ctypes.c_void_p(got), 1, 2**26)\n", "crashed", "", 30.0),
    ("stack overflow in Python", "import sys\n\ndef fn(x):\n    sys.setrecursionlimit(10**9)\n    return fn(x)\n",
     "crashed", "", 30.0),
    ("stack overflow in C",
     "import sys\n\ndef fn(x):\n    sys.setrecursionlimit(10**9)\n    return sorted([x, x], key=fn)\n", "crashed", "",
     30.0),
    ("a process of its own that outlives it",
     "import subprocess, sys, os\n\ndef fn(x):\n"
     "    subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'], close_fds=False)\n"
     "    os.abort()\n", "crashed", "abort", 30.0),
    ("a fork that holds its pipe open",
     "import os, time\n\ndef fn(x):\n    if os.fork() == 0:\n        time.sleep(600)\n    os.kill(os.getpid(), 9)\n",
     "crashed", "killed", 30.0),
    ("it writes into its own message pipe",
     "import os\n\ndef fn(x):\n    for number in range(3, 64):\n        try:\n"
     "            os.write(number, b'\\x7f' * 64)\n        except OSError:\n            pass\n"
     "    return x * 2.0 + 1.0\n", "crashed", "no message", 30.0),
):  # fmt: skip
    CASES[_name] = Case(_name, _one_bad(_source, _verdict, _words, _timeout), slow=False)


# -- a worker that goes between two messages


def _workers() -> list[psutil.Process]:
    return [psutil.Process(pid) for pid in pool.pool().pids()]


@case("a worker dies between two comparisons")
def _dies_idle(arena: Arena) -> str:
    fake = FakeBackend("one", {"good": GOOD})
    first = arena.compare(fn, fake)
    assert first["good"].verified is True
    ended = [one.pid for one in _workers()]
    for worker in _workers():
        worker.kill()
    again = arena.compare(fn, fake)
    assert again["good"].verified is True, again["good"].reason
    assert again["good"].clocks["run"] is not None
    return f"{len(ended)} workers killed while they were idle; the next comparison: {again['good'].verdict}"


def _killed_at(arena: Arena, step: str, whose: str) -> Comparison:
    """Compares while a worker is killed, once, between two of its messages."""
    state = {"done": False}

    def kill(event: Any) -> None:
        if event.step == step and not state["done"] and (step != "timing" or event.done == 1):
            state["done"] = True
            living = pool.pool().living(whose, "cpu")
            assert living is not None, f"the worker of {whose} does not live at {step}"
            psutil.Process(living.pid).kill()

    result = arena.compare(fn, FakeBackend("one", {"good": GOOD}), FakeBackend("two", {"other": GOOD}), progress=kill)
    assert state["done"], f"the step {step} was not told of"
    return result


@case("a worker dies between build and timing")
def _dies_before_timing(arena: Arena) -> str:
    result = _killed_at(arena, "timing", "one")
    assert result["other"].clocks["run"] is not None, "the other variant was not timed"
    assert result["good"].verified is True
    return f"killed in the timing: {result['good'].verdict} (built again), the other: {result['other'].verdict}"


@case("NumPy's worker dies while it is timed")
def _baseline_dies(arena: Arena) -> str:
    result = _killed_at(arena, "timing", "numpy")
    assert result["good"].clocks["run"] is not None, result["good"].reason
    return f"built again and timed on: {result['good'].verdict}"


@case("NumPy's worker dies in a sample, each time")
def _baseline_dies_always(arena: Arena) -> str:
    with tempfile.TemporaryDirectory() as folder:
        counter = os.path.join(folder, "calls")
        source = (
            f"import os\n\ndef fn(x):\n    with open({counter!r}, 'a') as f:\n        f.write('.')\n"
            f"    if os.path.getsize({counter!r}) > 12:\n        os._exit(9)\n    return x * 2.0 + 1.0\n"
        )
        from jitmagic.backends.numpy.backend import NumpyBackend

        class Dying(NumpyBackend):
            def drafts(self, workload, observed):
                from dataclasses import replace

                made = super().drafts(workload, observed)[0]
                return (replace(made, module=replace(made.module, text=source, lines=(None,) * 8), entry="fn"),)

        with mock.patch("jitmagic.backends.numpy.backend.NumpyBackend", Dying):
            said = _refused(BaselineError, arena, fn)
            assert "lost twice" in said, said
            assert "exit with code 9" in said, said
            return said


def _refused(kind: type[JitmagicError], arena: Arena, function: Callable[..., Any]) -> str:
    """Compares where that cannot be; returns what was said."""
    try:
        arena.compare(function, FakeBackend("one", {"good": GOOD}))
    except kind as error:
        return f"{kind.__name__}: {error}"
    raise AssertionError("nothing was said")


# -- room for what is handed over


@contextlib.contextmanager
def _tiny_file_system(size: str = "8m") -> Iterator[Path]:
    """Mounts a memory file system with little room; AssertionError where that is not allowed."""
    with tempfile.TemporaryDirectory() as folder:
        mount = ["mount", "-t", "tmpfs", "-o", f"size={size},mode=1777", "tmpfs", folder]
        ways = [[], ["sudo", "-n"]] if shutil.which("sudo") else [[]]
        way = next((way for way in ways if not subprocess.run([*way, *mount], capture_output=True).returncode), None)
        if way is None:
            raise NotHere("only root may mount a small file system")
        try:
            yield Path(folder)
        finally:
            pool.shutdown()
            subprocess.run([*way, "umount", folder], check=True)


class NotHere(Exception):
    """A fault cannot be planted on this machine; the text says why."""


def _big(x):
    return np.ones(6_000_000) * x[0]


def _use_area(memory: Path, disk: Path) -> None:
    pool.pool().area = Area(memory, disk)


@case("a full /dev/shm")
def _full_memory(arena: Arena) -> str:
    with _tiny_file_system() as tiny, tempfile.TemporaryDirectory() as disk:
        _use_area(tiny, Path(disk))
        result = arena.compare(_big, FakeBackend("one", {"good": "import numpy as np\n\ndef fn(x):\n"
                                                         "    return np.ones(6_000_000) * x[0]\n"}))  # fmt: skip
        assert result["good"].verified is True, result["good"].reason
        pool.shutdown()
        assert not list(tiny.iterdir()), "files are left in memory"
        assert not os.listdir(disk), "files are left on the disk"
    return f"48 MB with 8 MB of memory file system: on disk instead; {result['good'].verdict}"


@case("/dev/shm fills up while it is written")
def _fills_up(arena: Arena) -> str:
    import jitmagic.measure.transport as transport

    # the room that is seen is gone when it is used: the check before the writing is taken away
    with _tiny_file_system() as tiny, tempfile.TemporaryDirectory() as disk:
        arena.give(np.arange(3_000_000.0))
        _use_area(tiny, Path(disk))
        usage = transport.shutil.disk_usage(disk)
        with mock.patch.object(transport.shutil, "disk_usage", return_value=usage):
            result = arena.compare(fn, FakeBackend("one", {"good": GOOD}))
        assert result["good"].verified is True, result["good"].reason
        pool.shutdown()
        assert not list(tiny.iterdir()), "a file cut short is left in memory"
    return f"24 MB in 8 MB that looked like more: on disk instead; {result['good'].verdict}"


@case("no room in memory, none on disk: the result")
def _no_room(arena: Arena) -> str:
    with _tiny_file_system() as tiny, _tiny_file_system() as small:
        _use_area(tiny, small)
        said = _refused(BaselineError, arena, _big)
        assert "0.048 GB" in said, said
        assert "free" in said, said
        assert "Traceback" not in said, said
        return said


@case("no room in memory, none on disk: the arguments")
def _no_room_for_arguments(arena: Arena) -> str:
    arena.give(np.arange(6_000_000.0))
    with _tiny_file_system() as tiny, _tiny_file_system() as small:
        _use_area(tiny, small)
        said = _refused(BaselineError, arena, fn)
        assert "0.048 GB" in said, said
        left = [path for root in (tiny, small) for path in root.rglob("*") if path.is_file()]
        assert not left, f"files cut short are left: {left}"
        return said


# -- interrupts


def _interrupted(arena: Arena, number: int, compare: Callable[[], Comparison]) -> str:
    # An interrupt may fall into a weak reference's callback while the garbage is collected, and that into
    # ast.parse. pytest's hook for what cannot be raised formats the traceback there and then, which parses too, and
    # CPython 3.11 takes a parse within a parse for an error (SystemError). No session of a user has that hook.
    with mock.patch.object(sys, "unraisablehook", sys.__unraisablehook__):
        return _interrupted_often(arena, number, compare)


def _interrupted_often(arena: Arena, number: int, compare: Callable[[], Comparison]) -> str:
    dice = random.Random(7)
    start = time.monotonic()
    compare()  # its workers start anew, as after an interrupt
    whole = time.monotonic() - start
    main = threading.main_thread().ident
    assert main is not None
    outcomes: dict[str, int] = {}
    for _ in range(number):
        delay = dice.uniform(0.0, 1.05 * whole)
        timer = threading.Timer(delay, lambda: signal.pthread_kill(main, signal.SIGINT))
        outcome = "raised, nothing was done yet"
        try:
            timer.start()
            outcome = compare().status
            timer.join()
        except KeyboardInterrupt:
            pass
        timer.cancel()
        timer.join()
        outcomes[outcome] = outcomes.get(outcome, 0) + 1
        parcels = [path for folder in pool.pool().area.folders for path in Path(folder).rglob("*") if path.is_file()]
        assert not parcels, f"after {delay:.3f} of {whole:.3f} s files are left: {parcels}"
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler, "the handler of interrupts is another"
    assert compare().status == "complete", "the comparison after them was not complete"
    assert set(outcomes) <= {"interrupted", "complete", "raised, nothing was done yet"}
    told = ", ".join(f"{count} {name}" for name, count in sorted(outcomes.items()))
    return f"{number} at random moments of {whole:.2f} s: {told}; the next was complete"


@case("an interrupt at any moment")
def _interrupt(arena: Arena) -> str:
    one, two = FakeBackend("one", {"a": GOOD, "b": GOOD}), FakeBackend("two", {"c": GOOD})
    return _interrupted(arena, 12, lambda: arena.compare(fn, one, two))


@case("an interrupt at any moment, 150 times", slow=True)
def _many_interrupts(arena: Arena) -> str:
    one, two = FakeBackend("one", {"a": GOOD, "b": GOOD}), FakeBackend("two", {"c": GOOD})
    return _interrupted(arena, 150, lambda: arena.compare(fn, one, two))


@case("an interrupt at any moment, with the real backends", slow=True)
def _interrupt_real(arena: Arena) -> str:
    with mock.patch.object(process, "available_memory", _really_available):
        return _interrupted(arena, 30, lambda: arena.compare(fn, backends=("numba", "jax", "torch")))


_really_available = process.available_memory


# -- many comparisons, and several sessions


def _standing() -> dict[str, float]:
    own = psutil.Process()
    workers = _workers()
    return {
        "processes": len(own.children(recursive=True)),
        "open files": own.num_fds() if hasattr(own, "num_fds") else own.num_handles(),
        "threads": own.num_threads(),
        "shared files": sum(len(list(Path(folder).rglob("*"))) for folder in pool.pool().area.folders),
        "MB here": own.memory_info().rss / 1e6,
        "MB in workers": sum(worker.memory_info().rss for worker in workers) / 1e6,
    }


def _many(number: int, settled: int, compare: Callable[[], Comparison], growth: float) -> str:
    for count in range(number):
        assert compare().status == "complete"
        if count + 1 == settled:
            before = _standing()
    after = _standing()
    for name in ("processes", "open files", "threads", "shared files"):
        assert after[name] <= before[name], f"{name}: {before[name]} after {settled}, {after[name]} after {number}"
    for name in ("MB here", "MB in workers"):
        more = after[name] - before[name]
        assert more <= growth, f"{name}: {more:.0f} more after {number} than after {settled}"
    told = ", ".join(f"{name} {before[name]:.0f}→{after[name]:.0f}" for name in after)
    return f"after {settled} and after {number}: {told}"


@case("twenty comparisons in a row")
def _twenty(arena: Arena) -> str:
    return _many(20, 5, lambda: arena.compare(fn, FakeBackend("one", {"good": GOOD}), budget=0.01), 20.0)


@case("fifty comparisons in a row, with the real backends", slow=True)
def _fifty(arena: Arena) -> str:
    # code that Numba has compiled is never freed: its worker is replaced once it has grown by 200 MB
    with mock.patch.object(process, "available_memory", _really_available):
        return _many(50, 10, lambda: arena.compare(fn, backends=("numba", "jax", "torch"), budget=0.05), 250.0)


@case("a worker that grows with each comparison")
def _grows(arena: Arena) -> str:
    source = (
        "import numpy as np\n\nkept = __import__('sys').modules.setdefault('kept_by_the_test', [])\n\n\n"
        "def fn(x):\n    if len(kept) < 4 or not kept[-1] is x:\n        kept.append(np.ones(2_000_000))\n"
        "        kept.append(x)\n    return x * 2.0 + 1.0\n"
    )
    fake = FakeBackend("leaks", {"leaks": source})
    pids, sizes = [], []
    for _ in range(12):
        result = arena.compare(fn, fake, budget=0.01)
        assert result["leaks"].verified is True, result["leaks"].reason
        living = pool.pool().living("leaks", "cpu")
        pids.append(None if living is None else living.pid)
        sizes.append(0 if living is None else (living.resident() or 0) / 1e6)
    assert len(set(pids) - {None}) > 1, f"it was never replaced: {sizes}"
    assert max(sizes) < 700, f"it grew to {max(sizes):.0f} MB"
    return f"MB after each of twelve: {', '.join(f'{size:.0f}' for size in sizes)}; replaced where it is 0"


_SESSION = """
import os, sys
import numpy as np
import psutil
import jitmagic
from jitmagic.measure import pool


def fn(x):
    y = x.copy()
    for i in range(1, len(x)):
        y[i] = y[i - 1] * 0.5 + x[i]
    return y


x = np.arange(float(sys.argv[1]))
kept = x.tobytes()
c = jitmagic.compare(fn, x, backends=["numba"], budget=0.3)
assert c["numba"].verified is True, c["numba"].reason
assert x.tobytes() == kept, "the array was changed"
print(c["numba"].verdict, c.record["workload"]["arguments"][0]["shape"])
"""


def _session(arena: Arena, *arguments: str, text: str = _SESSION) -> subprocess.Popen[str]:
    folder = tempfile.mkdtemp(prefix="faults-")
    arena.folders.append(folder)
    script = Path(folder, "session.py")
    script.write_text(text)
    started = subprocess.Popen(
        [sys.executable, str(script), *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    arena.sessions.append(started.pid)
    return started


@case("two notebooks at once", slow=True)
def _two_sessions(arena: Arena) -> str:
    both = [_session(arena, "1000"), _session(arena, "2000")]
    told = []
    for session, size in zip(both, ("[1000]", "[2000]"), strict=True):
        out, err = session.communicate(timeout=120)
        assert session.returncode == 0, err[-500:]
        assert size in out, out
        told.append(out.strip())
    return f"two sessions side by side: {'; '.join(told)}"


_KILLED = """
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
        time.sleep(0.05)
    time.sleep(float(sys.argv[1]))
    print(*[c.pid for c in psutil.Process().children(recursive=True)], flush=True)
    os.kill(os.getpid(), signal.SIGKILL)

threading.Thread(target=tell).start()
jitmagic.compare(fn, np.arange(10.0), backends=["numba"])
"""


@case("SIGKILL of the user's process", slow=True)
def _killed_session(arena: Arena) -> str:
    ended = 0
    for delay in ("0", "0.3", "1"):
        session = _session(arena, delay, text=_KILLED)
        out, err = session.communicate(timeout=60)
        assert session.returncode == -signal.SIGKILL, err[-500:]
        pids = [int(pid) for pid in out.split()]
        assert len(pids) >= 2, f"it had no worker yet: {out!r} {err[-300:]}"
        living = _wait_for_none(lambda pids=pids: [str(pid) for pid in pids if _lives(pid)])
        assert not living, f"still there: {living}"
        ended += len(pids)
    return f"in three sessions, {ended} processes went with theirs, and all files"


def _lives(pid: int) -> bool:
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def main(names: list[str]) -> int:
    """Plays the cases and prints a table; returns 1 where one was not survived."""
    unknown = [name for name in names if name not in CASES]
    if unknown:
        print(f"there is no fault {unknown[0]!r}; there are: {'; '.join(CASES)}")
        return 2
    # a shell starts what runs in the background with interrupts ignored; these are about a session that takes them
    signal.signal(signal.SIGINT, signal.default_int_handler)
    width = max(map(len, CASES))
    failed = []
    for name, one in CASES.items():
        if names and name not in names:
            continue
        start = time.monotonic()
        try:
            seen = survived(one)
        except NotHere as why:
            print(f"{'–':2}{name:{width}}  not planted: {why}", flush=True)
            continue
        seconds = time.monotonic() - start
        print(f"{'✗' if seen.wrong else '✓':2}{name:{width}}  {seconds:5.1f} s  left: {seen.left}", flush=True)
        for line in textwrap.wrap(seen.wrong or seen.said, 116, max_lines=4):
            print(f"    {line}", flush=True)
        if seen.wrong:
            failed.append(name)
    print(f"\n{len(failed)} not survived: {'; '.join(failed)}" if failed else "\nAll were survived: nothing was left "
          "behind, and the user's arrays are bit for bit as before.")  # fmt: skip
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
