"""Noise while the clock ran: figures from planted counters, and warnings with figure, limit and next step."""

import os
import subprocess
import sys
import time

import psutil
import pytest

from jitmagic.measure import cgroup, gpu_noise, noise
from jitmagic.measure.gpu_noise import GpuLook
from jitmagic.measure.noise import Look

QUIET = {
    "seconds": 5.0, "cpus": 4, "cpu_limit": None, "others": 0.05, "steal": 0.0, "throttled": 0.0, "heat": 0,
    "frequency": {"before": 3.0e9, "after": 2.95e9, "most": 3.5e9}, "governor": "schedutil", "battery": None,
    "gpus": [],
}  # fmt: skip
UNTOLD = {name: value if name in ("seconds", "cpus", "gpus") else None for name, value in QUIET.items()}


@pytest.mark.parametrize("told", [QUIET, UNTOLD], ids=["quiet", "a system that tells nothing"])
def test_nothing_is_said_of_a_quiet_machine(told):
    assert noise.warnings(told) == []


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("others", 1.02, ("1 of 4 CPUs", "at most 0.2", "close other programs")),
        ("steal", 0.034, ("3.4% of the CPUs' time", "at most 1%", "not shared")),
        ("throttled", 1.25, ("1.2 s in the 5 s", "at most 1%", "OMP_NUM_THREADS")),
        ("cpu_limit", 2.0, ("2 CPUs and sees 4", "OMP_NUM_THREADS")),
        ("heat", 7, ("7 times", "0 is quiet", "let it cool")),
        ("frequency", {"before": 3e9, "after": 2e9, "most": 3e9}, ("3.00 GHz", "2.00 GHz", "10% is the limit")),
        ("governor", "powersave", ("powersave", "cpupower frequency-set")),
        ("battery", 0.54, ("54% left", "plug it in")),
        (
            "gpus",
            [{"name": "H", "clock_before": 1.9e9, "clock_after": 1.2e9, "slowed": [], "processes": 1}],
            ("H ran at 1900 MHz", "1200 MHz after"),
        ),
    ],
)
def test_a_warning_has_the_figure_the_limit_and_what_to_do(name, value, words):
    (told,) = noise.warnings({**QUIET, name: value})
    for word in words:
        assert word in told, told
    assert ": " in told


def test_a_busy_processor_of_many_is_quieter_than_one_of_two():
    assert noise.most_others(2) == 0.2
    assert noise.most_others(64) == pytest.approx(3.2)


def _stat(*lines):
    return "cpu  1 1 1 1 1 1 1 1 0 0\n" + "".join(f"cpu{n} {text}\n" for n, text in lines) + "intr 5\n"


def test_only_the_cpus_that_may_be_used_are_counted(tmp_path):
    text = _stat((0, "100 0 100 700 0 0 100 0 0 0"), (1, "9 9 9 9 9 9 9 9 9 9"), (12, "0 0 0 500 0 0 0 500 0 0"))
    assert noise.cpu_seconds(text, [0, 12], 100) == (3.0, 5.0, 20.0)
    assert noise.cpu_seconds("cpu 1 2 3\n", [0], 100) == (None, None, None)
    # an old kernel tells no stolen time
    assert noise.cpu_seconds("cpu0 100 0 0 100\n", [0], 100) == (1.0, 0.0, 2.0)


def _looks(seconds=2.0, **after):
    first = Look(10.0, busy=100.0, stolen=0.0, total=1000.0, own={7: 5.0}, here=1.0)
    last = {"busy": 100.0, "stolen": 0.0, "total": 1000.0 + 2 * seconds, "own": {7: 5.0}, "here": 1.0, **after}
    return first, Look(10.0 + seconds, **last)


def test_what_we_did_ourselves_is_not_noise():
    # 3.5 s of all: 2 by a worker, 0.5 by one that it started meanwhile, 0.2 by this thread
    found = noise.between(*_looks(busy=103.5, own={7: 7.0, 8: 0.5}, here=1.2))
    assert found["others"] == pytest.approx(0.4)


def test_where_a_worker_ended_meanwhile_nothing_is_said_of_others():
    assert noise.between(*_looks(busy=103.5, own={9: 1.0}))["others"] is None


def test_too_short_a_time_says_nothing():
    found = noise.between(*_looks(seconds=0.1, busy=100.1, stolen=0.05))
    assert found["others"] is None
    assert found["steal"] is None


def test_steal_is_a_share_of_the_time():
    assert noise.between(*_looks(seconds=2.0, stolen=0.4))["steal"] == pytest.approx(0.1)


def test_a_system_without_counters_gives_nothing_and_does_not_fail(tmp_path, monkeypatch):
    monkeypatch.setattr(cgroup, "throttled", lambda: None)
    first = noise.look((), (), tmp_path / "none", tmp_path)
    found = noise.between(first, noise.look((), (), tmp_path / "none", tmp_path), tmp_path)
    for name in ("others", "steal", "throttled", "heat", "frequency", "governor"):
        assert found[name] is None or sys.platform != "linux", name
    assert noise.warnings(found) == [] or found["battery"] is not None


@pytest.mark.skipif(sys.platform != "linux", reason="files of Linux")
def test_frequency_and_heat_are_read_of_the_cpus_that_may_be_used(tmp_path):
    for number in os.sched_getaffinity(0):
        folder = tmp_path / f"cpu{number}"
        for name, text in (
            ("cpufreq/scaling_cur_freq", "2000000\n"),
            ("cpufreq/cpuinfo_max_freq", "3000000\n"),
            ("cpufreq/scaling_driver", "acpi-cpufreq\n"),
            ("cpufreq/scaling_governor", "powersave\n"),
            ("thermal_throttle/core_throttle_count", "3\n"),
        ):
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
    first = noise.look((), (), cpus=tmp_path)
    for path in tmp_path.glob("*/cpufreq/scaling_cur_freq"):
        path.write_text("1000000\n")
    for path in tmp_path.glob("*/thermal_throttle/core_throttle_count"):
        path.write_text("5\n")
    found = noise.between(first, noise.look((), (), cpus=tmp_path), tmp_path)
    assert found["frequency"] == {"before": 2e9, "after": 1e9, "most": 3e9}
    assert found["heat"] == 2 * len(os.sched_getaffinity(0))
    assert found["governor"] == "powersave"
    # a processor that chooses for itself goes by that name whatever it does
    for path in tmp_path.glob("*/cpufreq/scaling_driver"):
        path.write_text("intel_pstate\n")
    assert noise.between(first, first, tmp_path)["governor"] is None


def _group(tmp_path, own, files):
    (tmp_path / "own").write_text(own)
    for name, text in files.items():
        path = tmp_path / "fs" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path / "fs", tmp_path / "own"


def test_the_tightest_limit_on_the_way_up_binds(tmp_path):
    files = {
        "a/b/cpu.max": "max 100000\n",
        "a/cpu.max": "150000 100000\n",
        "cpu.max": "400000 100000\n",
        "a/b/cpu.stat": "usage_usec 5\nnr_throttled 2\nthrottled_usec 1500000\n",
        "a/b/memory.max": "max\n",
        "a/b/memory.current": "10\n",
        "a/memory.max": "1000\n",
        "a/memory.current": "700\n",
        "a/memory.stat": "anon 5\ninactive_file 100\n",
    }
    where = _group(tmp_path, "0::/a/b\n", files)
    assert cgroup.cpu_limit(*where) == 1.5
    assert cgroup.throttled(*where) == 1.5
    assert cgroup.free_memory(*where) == 400


def test_the_first_version_of_control_groups(tmp_path):
    files = {
        "cpu,cpuacct/x/cpu.cfs_quota_us": "50000\n",
        "cpu,cpuacct/x/cpu.cfs_period_us": "100000\n",
        "cpu,cpuacct/x/cpu.stat": "nr_periods 9\nthrottled_time 2000000000\n",
        "cpu,cpuacct/cpu.cfs_quota_us": "-1\n",
        "cpu,cpuacct/cpu.cfs_period_us": "100000\n",
        "memory/x/memory.limit_in_bytes": "1000\n",
        "memory/x/memory.usage_in_bytes": "250\n",
    }
    where = _group(tmp_path, "5:memory:/x\n4:cpu,cpuacct:/x\n1:name=systemd:/\n", files)
    assert cgroup.cpu_limit(*where) == 0.5
    assert cgroup.throttled(*where) == 2.0
    assert cgroup.free_memory(*where) == 750


def test_no_groups_no_limits(tmp_path):
    where = (tmp_path / "fs", tmp_path / "none")
    assert cgroup.cpu_limit(*where) is cgroup.throttled(*where) is cgroup.free_memory(*where) is None


@pytest.mark.skipif(sys.platform != "linux", reason="counts by /proc/stat")
def test_a_real_busy_process_is_seen_and_our_own_is_not():
    busy = [sys.executable, "-c", "while True: pass"]
    one = subprocess.Popen(busy)
    try:
        psutil.Process(one.pid).cpu_affinity([min(os.sched_getaffinity(0))])
        seen = {}
        for ours in ((), (one.pid,)):
            before = noise.look(ours)
            time.sleep(1.0)
            seen[ours] = noise.between(before, noise.look(ours))["others"]
    finally:
        one.kill()
        one.wait()
    # other programs may run on the machine too: the loop's share is what one sees and the other does not
    assert seen[()] > 0.3
    assert seen[()] > seen[(one.pid,)]


def test_gpus_are_told_by_a_stand_in_of_the_binding(monkeypatch):
    class Nvml:
        NVML_CLOCK_SM = 1
        NVMLError = RuntimeError
        clock = 1980

        def nvmlInit(self): ...
        def nvmlShutdown(self): ...
        def nvmlDeviceGetHandleByIndex(self, place):
            if place:
                raise RuntimeError("no such device")
            return place
        def nvmlDeviceGetName(self, handle):
            return b"NVIDIA H200"
        def nvmlDeviceGetClockInfo(self, handle, kind):
            return self.clock
        def nvmlDeviceGetMaxClockInfo(self, handle, kind):
            return 1980
        def nvmlDeviceGetCurrentClocksThrottleReasons(self, handle):
            return 0x40 if self.clock < 1980 else 0
        def nvmlDeviceGetComputeRunningProcesses(self, handle):
            raise RuntimeError("not supported")

    binding = Nvml()
    monkeypatch.setitem(sys.modules, "pynvml", binding)
    before = tuple(gpu_noise.look([0, 1]))
    assert before == (GpuLook("NVIDIA H200", 1980, 1980, 0, None),)
    binding.clock = 1200
    told = gpu_noise.warnings(gpu_noise.between(before, tuple(gpu_noise.look([0]))))
    assert len(told) == 2
    assert "1980 MHz" in told[0]
    assert "its temperature slowed it down" in told[1]


def test_without_the_binding_there_is_nothing_of_gpus(monkeypatch):
    monkeypatch.setitem(sys.modules, "pynvml", None)
    assert list(gpu_noise.look([0])) == []
