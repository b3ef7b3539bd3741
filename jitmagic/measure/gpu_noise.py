"""What disturbed an NVIDIA GPU while the clock ran, by NVML, where its Python binding is installed (nvidia-ml-py).

Not run on a GPU yet: held against a stand-in of the binding only.
"""

from __future__ import annotations

import contextlib
import importlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

LEAST_CLOCK = 0.9
"""Share of the clock before."""

MOST_PROCESSES = 3
"""Workers of ours that may be on one GPU: CuPy, JAX and torch."""

_SLOWED = {
    0x08: "its hardware slowed it down",
    0x20: "its temperature slowed it down",
    0x40: "its temperature slowed it down",
    0x80: "its power supply slowed it down",
    0x04: "its power limit slowed it down",
}
"""Bits of ``nvmlDeviceGetCurrentClocksThrottleReasons`` that cost speed (NVML API reference)."""


@dataclass(frozen=True)
class GpuLook:
    """One GPU at one moment.

    Attributes
    ----------
    name : str
    clock, most : int or None
        MHz of its multiprocessors, now and at most.
    reasons : int
        Bits of what slows it down.
    processes : int or None
        How many compute on it, ours among them.
    """

    name: str
    clock: int | None
    most: int | None
    reasons: int
    processes: int | None


def look(places: Sequence[int]) -> Iterator[GpuLook]:
    """Reads the GPUs' clocks; yields nothing where the binding or a driver is not there."""
    try:
        nvml: Any = importlib.import_module("pynvml")
    except ImportError:
        return
    try:
        nvml.nvmlInit()
    except nvml.NVMLError:
        return
    try:
        for place in places:
            with contextlib.suppress(nvml.NVMLError):
                handle = nvml.nvmlDeviceGetHandleByIndex(place)
                name = nvml.nvmlDeviceGetName(handle)
                yield GpuLook(
                    name.decode() if isinstance(name, bytes) else str(name),
                    _asked(nvml, "nvmlDeviceGetClockInfo", handle, nvml.NVML_CLOCK_SM),
                    _asked(nvml, "nvmlDeviceGetMaxClockInfo", handle, nvml.NVML_CLOCK_SM),
                    _asked(nvml, "nvmlDeviceGetCurrentClocksThrottleReasons", handle) or 0,
                    _counted(_asked(nvml, "nvmlDeviceGetComputeRunningProcesses", handle)),
                )
    finally:
        nvml.nvmlShutdown()


def _asked(nvml: Any, name: str, *arguments: Any) -> Any:
    try:
        return getattr(nvml, name)(*arguments)
    except (nvml.NVMLError, AttributeError):  # an older driver, or a GPU that has no such thing
        return None


def _counted(processes: Any) -> int | None:
    return None if processes is None else len(processes)


def between(before: Sequence[GpuLook], after: Sequence[GpuLook]) -> list[dict[str, Any]]:
    """Makes the figures as the record holds them: Hz, words, and how many processes compute on it."""
    return [
        {
            "name": new.name,
            "clock_before": None if old.clock is None else old.clock * 1e6,
            "clock_after": None if new.clock is None else new.clock * 1e6,
            "clock_most": None if new.most is None else new.most * 1e6,
            "slowed": sorted({words for bit, words in _SLOWED.items() if new.reasons & bit}),
            "processes": new.processes,
        }
        for old, new in zip(before, after, strict=False)
    ]


def warnings(gpus: Sequence[dict[str, Any]]) -> list[str]:
    """Returns a sentence for each figure that is over its limit."""
    found = []
    for gpu in gpus:
        before, after = gpu["clock_before"], gpu["clock_after"]
        if before and after and after < LEAST_CLOCK * before:
            found.append(
                f"{gpu['name']} ran at {before / 1e6:.0f} MHz before the clock ran and at {after / 1e6:.0f} MHz after "
                f"(a fall of {1 - LEAST_CLOCK:.0%} is the limit): let it cool and run it again"
            )
        for words in gpu["slowed"]:
            found.append(f"{gpu['name']}: {words} when the clock ended: let it cool and run it again")
        if gpu["processes"] is not None and gpu["processes"] > MOST_PROCESSES:
            found.append(
                f"{gpu['processes']} processes compute on {gpu['name']} (ours are at most {MOST_PROCESSES}): end the "
                "others and run it again"
            )
    return found

