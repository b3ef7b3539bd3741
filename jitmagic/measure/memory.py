"""This process's memory: the peak of a piece of work where the system can tell, and what is free given back."""

from __future__ import annotations

import contextlib
import ctypes
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

from jitmagic.measure import cgroup

_M_MMAP_THRESHOLD = -3
_USUAL_THRESHOLD = 128 * 1024
"""glibc's own default."""

_STATUS = Path("/proc/self/status")
_MEMINFO = Path("/proc/meminfo")
_RESET = Path("/proc/self/clear_refs")


def give_back() -> None:
    """Hands what is free on the heap back to the system: what comes next gets fresh pages, as in a new process.

    A worker's heap is full of holes from the comparisons before. Pages in them that were once touched stay small ones,
    and the same function would take up to half as long again as on pages of a new process, which are huge ones where
    NumPy asks for them. glibc only; elsewhere nothing happens.
    """
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
        if trim is not None:
            trim(0)


@contextlib.contextmanager
def in_the_open() -> Iterator[None]:
    """Has larger blocks come from the system and go back to it at once, for calls whose peak is to be seen.

    :func:`give_back` does not reach the end of a thread's own heap: what an earlier call left free there would be
    missing from a later one's peak. glibc only (mallopt(3)); elsewhere nothing changes.
    """
    set_option = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    if set_option is None:
        yield
        return
    usual = os.environ.get("MALLOC_MMAP_THRESHOLD_", "")
    set_option(_M_MMAP_THRESHOLD, _USUAL_THRESHOLD)
    try:
        yield
    finally:
        set_option(_M_MMAP_THRESHOLD, int(usual) if usual.isdigit() else _USUAL_THRESHOLD)


def free() -> int | None:
    """Returns the bytes that can still be taken without swapping, a container's limit included; None off Linux."""
    try:
        lines = _MEMINFO.read_text().splitlines()
    except OSError:
        return None
    told = next((int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:")), None)
    allowed = cgroup.free_memory()
    return told if allowed is None or told is None else min(told, allowed)


class PeakMeter:
    """Measures how many bytes of resident memory a `with` block needs beyond what was resident before.

    Linux only: the kernel's high-water mark (`VmHWM`) is reset before and read after (proc(5)). Elsewhere,
    and where a container forbids the reset, :attr:`peak` stays None.

    What is free on the heap is given back first: in an earlier call's pages the block would seem to need nothing.
    """

    def __init__(self) -> None:
        self.peak: int | None = None
        self._before: int | None = None

    def __enter__(self) -> PeakMeter:
        give_back()
        try:
            _RESET.write_text("5")
        except OSError:
            self._before = None
        else:
            self._before = _read("VmRSS")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        after = _read("VmHWM") if self._before is not None else None
        if after is not None and self._before is not None:
            self.peak = max(after - self._before, 0)


def _read(field: str) -> int | None:
    """Returns a field of the process's status in bytes; the kernel writes kB."""
    for line in _STATUS.read_text().splitlines():
        if line.startswith(f"{field}:"):
            return int(line.split()[1]) * 1024
    return None
