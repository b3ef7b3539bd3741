"""What disturbed the machine while the clock ran: looked at before and after, never in between.

A figure is worth what the machine was worth while it was taken. :func:`look` reads the system's own counters;
:func:`between` makes figures of two looks; :func:`warnings` says which of them are too large, by how much, and what to
do. Where a system does not tell (macOS and Windows tell less than Linux), a figure is None and nothing is said of it.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from jitmagic.measure import cgroup, gpu_noise
from jitmagic.measure.gpu_noise import GpuLook

SHORTEST = 0.3
"""Seconds below which shares say nothing: the system counts in hundredths of a second."""

MOST_STEAL = 0.01
MOST_THROTTLED = 0.01
"""Shares of the time."""
LEAST_FREQUENCY = 0.9
"""Share of the frequency before."""

_STAT = Path("/proc/stat")
_CPUS = Path("/sys/devices/system/cpu")


@dataclass(frozen=True)
class Look:
    """The system's counters at one moment; None where it does not tell.

    Attributes
    ----------
    at : float
        Seconds of a clock that only goes forward.
    busy, stolen, total : float or None
        Seconds of all CPUs that this process may use: at work, taken by the hypervisor for others, and altogether.
    own : mapping of int to float
        Seconds of CPU time of each process of ours, by number: the workers with what they started.
    here : float
        Seconds of CPU time of the thread that asks.
    throttled : float or None
        Seconds for which the group's limit held it back.
    heat : int or None
        How often the processor slowed itself down for its temperature.
    frequency : float or None
        Mean of the CPUs now, in Hz.
    gpus : tuple of GpuLook
    """

    at: float
    busy: float | None = None
    stolen: float | None = None
    total: float | None = None
    own: Mapping[int, float] = field(default_factory=dict)
    here: float = 0.0
    throttled: float | None = None
    heat: int | None = None
    frequency: float | None = None
    gpus: tuple[GpuLook, ...] = ()


def look(workers: Iterable[int] = (), gpus: Sequence[int] = (), stat: Path = _STAT, cpus: Path = _CPUS) -> Look:
    """Reads the counters; takes about a millisecond.

    Parameters
    ----------
    workers : iterable of int
        Numbers of the processes whose work is ours.
    gpus : sequence of int
        Places of the NVIDIA GPUs that are used.
    """
    usable = _usable()
    busy, stolen, total = _cpu_seconds(usable, stat)
    return Look(
        time.monotonic(),
        busy,
        stolen,
        total,
        own_seconds(workers),
        time.thread_time(),
        cgroup.throttled() if sys.platform == "linux" else None,
        _heat(usable, cpus),
        _frequency(usable, cpus),
        tuple(gpu_noise.look(gpus)) if gpus else (),
    )


def between(before: Look, after: Look, cpus: Path = _CPUS) -> dict[str, Any]:
    """Makes the figures of the time between two looks, as the record holds them.

    Returns
    -------
    dict
        ``seconds``; ``cpus`` (that may be used) and ``cpu_limit`` (of a control group, in CPUs); ``others`` (CPUs that
        other processes kept busy), ``steal`` (share of the CPUs' time), ``throttled`` (seconds), ``heat`` (times),
        ``frequency`` (Hz, ``before``, ``after`` and the CPU's ``most``), ``governor``, ``battery`` (share that is left,
        where it runs on one), ``gpus``.
    """
    seconds = after.at - before.at
    long_enough = seconds >= SHORTEST
    frequency = None
    if after.frequency is not None and before.frequency is not None:
        frequency = {"before": before.frequency, "after": after.frequency, "most": _most_frequency(_usable(), cpus)}
    return {
        "seconds": seconds,
        "cpus": len(_usable()),
        "cpu_limit": cgroup.cpu_limit() if sys.platform == "linux" else None,
        "others": _others(before, after) if long_enough else None,
        "steal": _share(before.stolen, after.stolen, before.total, after.total) if long_enough else None,
        "throttled": _more(before.throttled, after.throttled),
        "heat": _more(before.heat, after.heat),
        "frequency": frequency,
        "governor": _governor(_usable(), cpus),
        "battery": _battery(),
        "gpus": gpu_noise.between(before.gpus, after.gpus),
    }


def warnings(noise: Mapping[str, Any]) -> list[str]:
    """Returns a sentence for each figure that is over its limit: the figure, the limit, and what to do."""
    found = []
    seconds, cpus = noise["seconds"], noise["cpus"]
    if noise["others"] is not None and noise["others"] > (most := most_others(cpus)):
        found.append(
            f"other processes kept {noise['others']:.2g} of {cpus} CPUs busy while the clock ran (at most {most:.2g} "
            "is quiet): close other programs, or wait for them, and run it again"
        )
    if noise["steal"] is not None and noise["steal"] > MOST_STEAL:
        found.append(
            f"the hypervisor gave {noise['steal']:.1%} of the CPUs' time to other machines while the clock ran (at "
            f"most {MOST_STEAL:.0%} is quiet): run it again at another time, or on a machine that is not shared"
        )
    if noise["throttled"] is not None and noise["throttled"] > MOST_THROTTLED * seconds:
        limit = f" of {noise['cpu_limit']:.3g} CPUs" if noise["cpu_limit"] is not None else ""
        found.append(
            f"this container's limit{limit} held its processes back for {noise['throttled']:.2g} s in the "
            f"{seconds:.2g} s in which the clock ran (at most {MOST_THROTTLED:.0%} is quiet): let the libraries start "
            "no more threads than it has CPUs (OMP_NUM_THREADS, NUMBA_NUM_THREADS), or give it more"
        )
    elif noise["cpu_limit"] is not None and noise["cpu_limit"] < 0.75 * cpus:
        found.append(
            f"this container may use the time of {noise['cpu_limit']:.3g} CPUs and sees {cpus}, so that libraries "
            "start more threads than can run: set OMP_NUM_THREADS and NUMBA_NUM_THREADS to what it may use"
        )
    if noise["heat"]:
        found.append(
            f"the processor slowed itself down for its temperature {noise['heat']} times while the clock ran (0 is "
            "quiet): let it cool, look at its fan, and run it again"
        )
    frequency = noise["frequency"]
    if frequency is not None and frequency["after"] < LEAST_FREQUENCY * frequency["before"]:
        found.append(
            f"the CPUs ran at {frequency['before'] / 1e9:.2f} GHz before the clock ran and at "
            f"{frequency['after'] / 1e9:.2f} GHz after (a fall of {1 - LEAST_FREQUENCY:.0%} is the limit): run it "
            "again when the machine is cool"
        )
    if noise["governor"] == "powersave":
        found.append(
            "the CPUs' governor is powersave, which holds them at their lowest frequency: `sudo cpupower "
            "frequency-set -g performance` sets another"
        )
    if noise["battery"] is not None:
        found.append(
            f"this machine ran on its battery ({noise['battery']:.0%} left), where it may slow itself down: plug it in "
            "and run it again"
        )
    return found + gpu_noise.warnings(noise["gpus"])


def most_others(cpus: int) -> float:
    """Returns how many CPUs other processes may keep busy: a fifth of one, or a twentieth of many."""
    return max(0.2, 0.05 * cpus)


def _usable() -> list[int]:
    if hasattr(os, "sched_getaffinity"):
        return sorted(os.sched_getaffinity(0))
    return list(range(os.cpu_count() or 1))


def _cpu_seconds(usable: Sequence[int], stat: Path) -> tuple[float | None, float | None, float | None]:
    """Returns the seconds of the usable CPUs: busy, stolen, and all."""
    if sys.platform == "linux":
        try:
            return cpu_seconds(stat.read_text(), usable, os.sysconf("SC_CLK_TCK"))
        except (OSError, ValueError):
            return None, None, None
    try:
        times = psutil.cpu_times()
    except (OSError, RuntimeError):  # a sandbox may forbid it
        return None, None, None
    total = float(sum(times))
    return total - times.idle, None, total


def cpu_seconds(text: str, usable: Sequence[int], ticks: int) -> tuple[float | None, float | None, float | None]:
    """Adds up the lines of ``/proc/stat`` (proc_stat(5)) of some CPUs; returns busy, stolen and all, in seconds.

    >>> cpu_seconds("cpu 9 9 9 9 9 9 9 9\\ncpu0 100 0 50 800 40 0 0 10 0 0\\n", [0], 100)
    (1.5, 0.1, 10.0)
    """
    busy = stolen = total = 0.0
    seen = 0
    for line in text.splitlines():
        name, *rest = line.split()
        if not name.startswith("cpu") or not name[3:].isdigit() or int(name[3:]) not in usable:
            continue
        # guest time is in user time already
        user, nice, system, idle, waiting, irq, soft, steal = (float(word) / ticks for word in (*rest, *"00000000")[:8])
        seen += 1
        busy += user + nice + system + irq + soft
        stolen += steal
        total += user + nice + system + idle + waiting + irq + soft + steal
    return (busy, stolen, total) if seen else (None, None, None)


def own_seconds(workers: Iterable[int]) -> dict[int, float]:
    """Returns the CPU seconds of these processes and of those that they started, by their numbers."""
    found = {}
    for worker in workers:
        try:
            process = psutil.Process(worker)
            for one in (process, *process.children(recursive=True)):
                times = one.cpu_times()
                found[one.pid] = float(times.user + times.system)
        except psutil.Error:  # it has just ended
            continue
    return found


def _others(before: Look, after: Look) -> float | None:
    """Returns how many CPUs others kept busy; None where that cannot be told from what we did ourselves."""
    if before.busy is None or after.busy is None:
        return None
    if set(before.own) - set(after.own):  # one of ours has ended, and what it did is not known
        return None
    ours = sum(seconds - before.own.get(pid, 0.0) for pid, seconds in after.own.items())
    ours += after.here - before.here
    return max(after.busy - before.busy - ours, 0.0) / (after.at - before.at)


def _share(
    part_before: float | None, part_after: float | None, whole_before: float | None, whole_after: float | None
) -> float | None:
    part, whole = _more(part_before, part_after), _more(whole_before, whole_after)
    return None if part is None or not whole else part / whole


def _more(before: float | None, after: float | None) -> Any:
    return None if before is None or after is None else max(after - before, 0)


def _read(path: Path) -> str | None:
    try:
        return path.read_text().strip()
    except OSError:
        return None


def _numbers(cpus: Path, usable: Sequence[int], name: str) -> list[float]:
    texts = (_read(cpus / f"cpu{number}" / name) for number in usable)
    return [float(text) for text in texts if text is not None and text.isdigit()]


def _frequency(usable: Sequence[int], cpus: Path) -> float | None:
    """Returns the CPUs' mean frequency in Hz; the kernel writes kHz (docs.kernel.org/admin-guide/pm/cpufreq.html)."""
    found = _numbers(cpus, usable, "cpufreq/scaling_cur_freq")
    return 1e3 * sum(found) / len(found) if found else None


def _most_frequency(usable: Sequence[int], cpus: Path) -> float | None:
    found = _numbers(cpus, usable, "cpufreq/cpuinfo_max_freq")
    return 1e3 * max(found) if found else None


def _heat(usable: Sequence[int], cpus: Path) -> int | None:
    found = _numbers(cpus, usable, "thermal_throttle/core_throttle_count")
    return int(sum(found)) if found else None


def _governor(usable: Sequence[int], cpus: Path) -> str | None:
    """Returns what chooses the frequency; None also where the processor does, whatever the governor's name."""
    driver = _read(cpus / f"cpu{usable[0]}" / "cpufreq/scaling_driver")
    if driver is None or driver in ("intel_pstate", "amd-pstate-epp"):
        return None
    return _read(cpus / f"cpu{usable[0]}" / "cpufreq/scaling_governor")


def _battery() -> float | None:
    """Returns what is left of the battery, 0 to 1; None where the machine has none, or is plugged in."""
    read = getattr(psutil, "sensors_battery", None)
    if read is None:
        return None
    try:
        battery = read()
    except (OSError, RuntimeError, NotImplementedError):
        # psutil raises as the system does: a machine that cannot tell is one without a warning
        return None
    return None if battery is None or battery.power_plugged is not False else battery.percent / 100
