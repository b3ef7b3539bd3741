"""Stops a function that would change something outside its process: a file, another program, the network.

A comparison calls the function thousands of times in many processes. What it would write each time is the user's, so
the first attempt is stopped before it happens, and named.
"""

from __future__ import annotations

import contextlib
import os
import sys
import types
from collections.abc import Iterator
from typing import Any

from jitmagic.errors import Refusal

_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND

_EVENTS = {
    "os.remove": "removes {0}",
    "os.rename": "renames {0}",
    "os.rmdir": "removes the folder {0}",
    "os.mkdir": "makes the folder {0}",
    "os.truncate": "cuts {0}",
    "os.link": "links {0}",
    "os.symlink": "links {0}",
    "os.chmod": "changes {0}",
    "os.kill": "sends a signal to a process",
    "os.system": "starts another program",
    "os.exec": "starts another program",
    "os.fork": "starts another process",
    "os.forkpty": "starts another process",
    "os.posix_spawn": "starts another program",
    "os.spawn": "starts another program",
    "os.startfile": "starts another program",
    "subprocess.Popen": "starts another program",
    "socket.connect": "talks over the network",
    "socket.bind": "talks over the network",
    "socket.sendto": "talks over the network",
    "sqlite3.connect": "opens the database {0}",
}
"""Audit events of CPython (its documentation, "Audit events table"), and what a user would call them."""

_WHY = "and a comparison calls the function thousands of times: return the values, and do this outside of it"


class _Stopped(BaseException):
    """Ends the function; no `except Exception` of its own holds it."""


class Attempt:
    """What a function tried.

    Attributes
    ----------
    refusal : Refusal or None
        None where it tried nothing; its line is one of the watched file.
    """

    def __init__(self, filename: str) -> None:
        self.refusal: Refusal | None = None
        self._filename = filename

    def stop(self, event: str, told: str) -> None:
        """Keeps the attempt and ends the function, unless an import does it: that happens once, and is Python's own."""
        frame: types.FrameType | None = sys._getframe()
        line = None
        while frame is not None:
            if frame.f_code.co_filename.startswith("<frozen importlib"):
                return
            if line is None and frame.f_code.co_filename == self._filename:
                line = frame.f_lineno
            frame = frame.f_back
        self.refusal = self.refusal or Refusal(f"{told}, {_WHY}", line)
        raise _Stopped(event)


_watching: Attempt | None = None
_hooked = False


@contextlib.contextmanager
def kept_inside(filename: str) -> Iterator[Attempt]:
    """Stops changes to the outside while its block runs; a stopped block ends here, without an exception.

    Parameters
    ----------
    filename : str
        What the user's code was compiled as, for the line of an attempt.
    """
    global _watching, _hooked
    if not _hooked:
        # a hook stays for the life of the process: while nothing is watched it costs some ten nanoseconds an event,
        # and arithmetic raises no events
        sys.addaudithook(_hook)
        _hooked = True
    attempt = Attempt(filename)
    before, _watching = _watching, attempt
    try:
        yield attempt
    except _Stopped:
        pass
    finally:
        _watching = before


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    if _watching is None:
        return
    if event == "open":
        path, _, flags = arguments
        if isinstance(path, str | bytes) and isinstance(flags, int) and flags & _WRITING and path != os.devnull:
            _watching.stop(event, f"writes the file {_named(path)}")
    elif event in _EVENTS:
        _watching.stop(event, _EVENTS[event].format(_named(arguments[0] if arguments else "")))


def _named(path: object) -> str:
    text = os.fsdecode(path) if isinstance(path, str | bytes | os.PathLike) else str(path)
    return repr(text if len(text) <= 60 else "…" + text[-59:])
