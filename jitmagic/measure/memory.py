"""This process's memory: the peak of a piece of work where the system can tell, and what is free given back."""

from __future__ import annotations

import ctypes
import sys
from pathlib import Path
from types import TracebackType

_STATUS = Path("/proc/self/status")
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


class PeakMeter:
    """Measures how many bytes of resident memory a `with` block needs beyond what was resident before.

    Linux only: the kernel's high-water mark (`VmHWM`) is reset before and read after (proc(5)). Elsewhere,
    and where a container forbids the reset, :attr:`peak` stays None.
    """

    def __init__(self) -> None:
        self.peak: int | None = None
        self._before: int | None = None

    def __enter__(self) -> PeakMeter:
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
