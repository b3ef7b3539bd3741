"""Ends workers and removes their files when the user's process is gone, however it went.

A process of its own that imports nothing but the standard library. It reads lines from a pipe that only the user's
process holds open: ``+PID`` and ``-PID`` for workers, ``/FOLDER`` for folders to remove. At the pipe's end it
kills what is left. A worker cannot do this for itself: one that hangs in compiled code reads no pipe.
"""

import contextlib
import os
import shutil
import signal
import sys
from typing import TextIO


def watch(lines: TextIO) -> None:
    """Follows the lines until the other end closes them, then cleans up."""
    workers: set[int] = set()
    folders: set[str] = set()
    for line in lines:
        kind, rest = line[:1], line[1:].rstrip("\n")
        if kind == "+":
            workers.add(int(rest))
        elif kind == "-":
            workers.discard(int(rest))
        else:
            folders.add(rest)
    for worker in workers:
        with contextlib.suppress(OSError):
            if hasattr(os, "killpg"):
                # a worker leads a session: what it started goes with it
                os.killpg(worker, signal.SIGKILL)
            else:
                os.kill(worker, signal.SIGTERM)  # on Windows any signal ends the process
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    # an interrupt is meant for the user's process: the janitor has to outlive it
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    watch(sys.stdin)
