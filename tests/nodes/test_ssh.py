"""Variants on another machine over ssh: a stand-in for the command runs what it is asked for here."""

from __future__ import annotations

import os
import shutil
import stat
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import jitmagic
from jitmagic.backends import all_backends
from jitmagic.capture.function import from_function
from jitmagic.comparison import compare_workload
from jitmagic.errors import NodeError
from jitmagic.measure import pool
from jitmagic.options import Options
from jitmagic.report.record import validate
from tests.nodes.standin import standing_in
from tests.plugins.packages import package
from tests.plugins.test_backends import GOOD

# `ssh` is a shell script there, which Windows does not run; each comparison starts several processes
pytestmark = [
    pytest.mark.slow, pytest.mark.skipif(os.name != "posix", reason="the stand-in is a POSIX script")
]  # fmt: skip
ROOT = Path(__file__).parents[2]
X = np.linspace(0.1, 1.0, 20_000)


def fn(x):
    total = 0.0
    for i in range(x.shape[0]):
        total += np.sqrt(x[i]) * x[i]
    return total


def scaled(x, k):
    x *= k
    return x


@pytest.fixture
def far(tmp_path, monkeypatch):
    pool.shutdown()
    with standing_in(tmp_path, monkeypatch, ROOT) as one:
        yield one
    pool.shutdown()
    deadline = time.monotonic() + 15
    while one.living() and time.monotonic() < deadline:
        time.sleep(0.1)
    assert one.living() == []


def files_of_ours() -> set[str]:
    roots = [root for root in (Path("/dev/shm"), Path("/tmp")) if root.is_dir()]
    return {str(path) for root in roots for path in root.glob("jitmagic-*")}


def compared(function, *args, on, progress=None, backends=("numba",), **options):
    given = Options(backends=backends, budget=0.3, on=tuple(on), **options)
    return compare_workload(from_function(function, args, {}), given, progress)


def test_variants_run_there_and_both_ratios_are_told_apart(far) -> None:
    before = files_of_ours()
    found = compared(fn, X, on=[far.address])
    validate(found.record)
    here, there, base = found["numba"], found["numba@gpu1"], found["numpy@gpu1"]
    assert here.verified
    assert there.verified, there.reason
    assert there.machine == "gpu1"
    assert base.verdict == "baseline"
    assert "machine" not in here._entry
    # within one machine, and between the two
    run = {name: found[name].clocks["run"]["median"] for name in ("numpy", "numpy@gpu1", "numba@gpu1")}
    # medians of ratios are not ratios of medians, and on a busy machine far from them: some hundred, not a hundredth
    assert 0.1 < there.speedup["median"] * run["numba@gpu1"] / run["numpy@gpu1"] < 10
    assert 0.1 < there.across["median"] * run["numba@gpu1"] / run["numpy"] < 10
    (machine,) = found.record["machines"]
    assert (machine["name"], machine["address"], machine["lost"]) == ("gpu1", far.address, None)
    assert machine["libraries"]["numba"]
    assert machine["machine"]["noise"]["seconds"] > 0
    shown = " ".join(found.to_text().split())
    assert "on gpu1, against NumPy there;" in shown
    assert "NumPy on gpu1:" in shown
    assert "On gpu1, numba" in shown
    assert f"machine gpu1: {far.address}" in shown
    assert "machine gpu1" in found.to_html()
    # the next comparison goes the same way, with nothing left of the first
    assert compared(scaled, X.copy(), 2.0, on=[far.address])["numba@gpu1"].verified is True
    assert len((far.folder / "pids").read_text().splitlines()) == 1
    pool.shutdown()
    assert files_of_ours() - before == set()


def test_arrays_are_sent_once_for_all_workers_and_dropped_afterwards(far) -> None:
    held = []

    def far_bytes() -> int:
        """Returns the bytes of the files that the node has laid down."""
        pid = next(one.pid for one in (far.last[1], *far.last[1].children()) if "serve" in " ".join(one.cmdline()))
        folders = [folder for root in ("/dev/shm", "/tmp") for folder in Path(root).glob(f"jitmagic-{pid}-*")]
        return sum(path.stat().st_size for folder in folders for path in folder.glob("*") if path.is_file())

    def look(event) -> None:
        if event.step == "timing":
            held.append(far_bytes())

    x = np.arange(3_000_000.0)  # 24 MB: too much for probes
    compared(scaled, x, 2.0, on=[far.address], progress=look)
    sent = len(far.sent())
    # the arguments and NumPy's result with what it left in them, once for NumPy and Numba
    assert 2 * x.nbytes < sent < 3.5 * x.nbytes, sent
    # while they ran, and afterwards
    assert max(held) > 2 * x.nbytes
    assert far_bytes() < 1_000_000


@pytest.mark.parametrize("when", ["checking", "timing", "probing"])
def test_a_machine_that_is_lost_is_a_verdict(far, when) -> None:
    lost = []

    def kill(event) -> None:
        if event.step == when and not lost and (when != "checking" or event.variant == "numba@gpu1"):
            lost.append(True)
            far.last[1].kill()

    found = compared(fn, X, on=[far.address], progress=kill)
    assert lost
    there = found["numba@gpu1"]
    if when != "probing":
        assert there.verdict == "stopped"
        assert "gpu1" in there.reason
        assert not there._entry.get("speedup")
    assert found["numba"].verdict in ("faster", "slower", "no clear difference")
    assert found.record["machines"][0]["lost"].startswith("the machine gpu1 was lost")
    assert "loss of gpu1" in " ".join(found.to_text().split())
    validate(found.record)
    # and the next one begins anew
    assert compared(fn, X, on=[far.address])["numba@gpu1"].verified is True


def test_a_connection_that_breaks_leaves_nothing_on_the_other_side(far) -> None:
    lost = []

    def cut(event) -> None:
        if event.step == "timing" and not lost:
            lost.append(far.last[1].pid)
            far.last[0].kill()

    found = compared(fn, X, on=[far.address], progress=cut)
    assert found["numba@gpu1"].verdict == "stopped"
    deadline = time.monotonic() + 15
    while far.living() and time.monotonic() < deadline:
        time.sleep(0.1)
    assert far.living() == []


def test_a_machine_that_says_nothing_any_more_is_lost(far, monkeypatch) -> None:
    from jitmagic.measure.nodes import client

    monkeypatch.setattr(client, "SILENCE", 3.0)
    held = []

    def hang(event) -> None:
        if event.step == "timing" and not held:
            held.append(far.last[0])
            far.last[0].suspend()

    began = time.monotonic()
    found = compared(fn, X, on=[far.address], progress=hang, timeout=120.0)
    assert found["numba@gpu1"].verdict == "stopped"
    assert "nothing was heard of it for 3 s" in found["numba@gpu1"].reason
    assert time.monotonic() - began < 60


@pytest.fixture
def faulty(far, monkeypatch):
    """Installs, on both sides, a backend that does something there and not here."""

    def install(doing: str) -> None:
        folder = far.folder / "packages"
        folder.mkdir()
        bad = f"import os, time\n        if os.environ.get('FAR'): {doing}\n        return scope[entry]"
        package(
            folder, "lab-silent", {"jitmagic_silent": GOOD.replace("return scope[entry]", bad)},
            "[jitmagic.backends]\nsilent = jitmagic_silent:SilentBackend\n",
        )  # fmt: skip
        monkeypatch.syspath_prepend(str(folder))
        monkeypatch.setenv("FAR_PYTHONPATH", os.pathsep.join((str(ROOT), str(folder))))
        all_backends.cache_clear()

    yield install
    pool.shutdown()
    sys.modules.pop("jitmagic_silent", None)
    monkeypatch.undo()
    all_backends.cache_clear()


@pytest.mark.parametrize(
    ("doing", "verdict", "reason"),
    [
        ("os._exit(7)", "crashed", "it called exit with code 7"),
        ("os.abort()", "crashed", "an abort"),
        ("time.sleep(1000)", "timed out", "it did not answer within 3 s and was ended"),
        ("raise ValueError('not there')", "unsupported", "not there"),
    ],
)
def test_a_fault_there_is_that_variants_verdict_and_the_machine_stays(far, faulty, doing, verdict, reason) -> None:
    faulty(doing)
    found = compared(scaled, X.copy(), 2.0, on=[far.address], backends=("silent",), timeout=3.0)
    assert found["silent"].verified is True
    assert (found["silent@gpu1"].verdict, reason in found["silent@gpu1"].reason) == (verdict, True)
    assert found["numpy@gpu1"].verdict == "baseline"
    assert found.record["machines"][0]["lost"] is None


def test_a_backend_that_is_not_there_is_a_verdict(far, faulty, monkeypatch) -> None:
    faulty("pass")
    monkeypatch.setenv("FAR_PYTHONPATH", str(ROOT))
    found = compared(scaled, X.copy(), 2.0, on=[far.address], backends=("silent",))
    assert found["silent@gpu1"].verdict == "unsupported"
    assert "the backend silent is not installed on gpu1" in found["silent@gpu1"].reason


def fake_python(folder: Path, says: str) -> str:
    path = folder / "python-other"
    path.write_text(f"#!/bin/sh\necho welcome to this machine\necho '{says}'\ncat > /dev/null\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return f"ssh://gpu1{path}"


def test_another_python_is_told_of_before_anything_is_sent(far) -> None:
    address = fake_python(far.folder, 'jitmagic-node {"python": [3, 8, 1], "error": "SyntaxError: invalid syntax"}')
    with pytest.raises(NodeError, match=r"it has Python 3\.8\.1, and here is 3\.\d+\.\d+: give an inter") as error:
        compared(fn, X, on=[address])
    assert "Nothing was sent" in str(error.value)
    assert far.sent() == b""


def test_another_jitmagic_is_told_of_before_anything_is_sent(far, monkeypatch) -> None:
    other = far.folder / "other"
    shutil.copytree(ROOT / "jitmagic", other / "jitmagic", ignore=shutil.ignore_patterns("__pycache__", "static"))
    monkeypatch.setenv("FAR_PYTHONPATH", str(other))
    init = other / "jitmagic" / "__init__.py"
    with init.open("a") as file:
        file.write("# changed\n")
    with pytest.raises(NodeError, match=r"another state of jitmagic .* \(its files differ\)"):
        compared(fn, X, on=[far.address])
    init.write_text(init.read_text().replace(f'"{jitmagic.__version__}"', '"9.9.9"'))
    with pytest.raises(NodeError, match=r"it has jitmagic 9\.9\.9, and here is"):
        compared(fn, X, on=[far.address])
    assert far.sent() == b""


def test_a_machine_without_jitmagic_is_told_what_to_install(far, monkeypatch, tmp_path) -> None:
    empty = tmp_path / "empty"
    (empty / "jitmagic").mkdir(parents=True)
    (empty / "jitmagic" / "__init__.py").write_text("raise ModuleNotFoundError(\"No module named 'jitmagic'\")\n")
    monkeypatch.setenv("FAR_PYTHONPATH", str(empty))
    with pytest.raises(NodeError, match=r'jitmagic is not installed there: python -m pip install "jitmagic=='):
        compared(fn, X, on=[far.address])


def test_a_machine_that_cannot_be_reached_is_an_error_with_the_reason(far, monkeypatch) -> None:
    with pytest.raises(NodeError, match=r"could not be reached: ssh: connect to host nowhere port 22") as error:
        compared(fn, X, on=[f"ssh://nowhere{sys.executable}"])
    assert "has to work without a password" in str(error.value)
    with pytest.raises(NodeError, match="could not be reached"):
        compared(fn, X, on=["ssh://gpu1/no/such/python"])
    (far.folder / "bin" / "ssh").unlink()
    monkeypatch.setenv("PATH", str(far.folder / "bin"))
    with pytest.raises(NodeError, match="needs the command ssh"):
        compared(fn, X, on=[far.address])


def test_the_command_line_takes_an_address(far, tmp_path) -> None:
    import subprocess

    (tmp_path / "mine.py").write_text(
        "import numpy as np\n\ndef fn(x):\n    return np.sqrt(x) * x\n\nfn(np.arange(1000.0))\n"
    )
    command = [sys.executable, "-m", "jitmagic", "compare", "mine.py", "-b", "numba", "--budget", "0.2", "--on"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [*command, far.address], capture_output=True, text=True, cwd=tmp_path, env=environment, timeout=300
    )
    assert done.returncode == 0, done.stderr
    assert "numba@gpu1" in done.stdout
    done = subprocess.run(
        [*command, "ssh://nowhere"], capture_output=True, text=True, cwd=tmp_path, env=environment, timeout=300
    )
    assert done.returncode == 1
    assert "Connection refused" in done.stderr
    assert "Traceback" not in done.stderr
    done = subprocess.run(
        [*command, "gpu1"], capture_output=True, text=True, cwd=tmp_path, env=environment, timeout=300
    )
    assert done.returncode == 2
    assert "is no address of another machine: write ssh://host" in done.stderr
