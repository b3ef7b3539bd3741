"""Confines a worker's memory, for when nobody is there to watch it."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path

_OOM_SCORE = Path("/proc/self/oom_score_adj")
_FIRST = "1000"


def go_first(path: Path = _OOM_SCORE) -> None:
    """Asks the kernel to end this process before any other where memory runs out: never the user's session.

    Linux only (proc_pid_oom_score_adj(5)): a process may always raise its own score.
    """
    with contextlib.suppress(OSError):
        path.write_text(_FIRST)


def limit_data(size: int) -> None:
    """Makes allocations fail beyond ``size`` bytes, where the system counts them (Linux; setrlimit(2), RLIMIT_DATA).

    The user's process watches what a worker takes, and ends it at less than this. But it looks a few times a second,
    and may be stopped itself: this holds in between, and shows as a MemoryError with its line.
    """
    if sys.platform != "linux":
        return
    import resource

    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    if hard != resource.RLIM_INFINITY:
        size = min(size, hard)
    resource.setrlimit(resource.RLIMIT_DATA, (size, hard))
