"""The way to a node: whole messages there and back, over a process's pipes."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from typing import Any, BinaryIO, Protocol, cast

from jitmagic.measure.messages import exactly, framed, length_of
from jitmagic.measure.nodes.about import MARK

_MOST_BEFORE = 2**16
"""Bytes that a login shell may print before the node says what it is."""


class Channel(Protocol):
    """What carries messages between this process and a node."""

    def send(self, data: bytes) -> None:
        """Sends a message; OSError where the way is gone."""

    def receive(self) -> bytes:
        """Waits for a message; EOFError where the way is gone."""

    def close(self, at_once: bool = False) -> None:
        """Ends the way, and with it the node; from any thread, more than once.

        ``at_once``: without waiting for what is being written.
        """

    def last_words(self) -> str:
        """Returns what was said of an error, "" where nothing was."""


class PipeChannel:
    """A process whose standard input and output are a node's.

    Parameters
    ----------
    command : sequence of str
    """

    def __init__(self, command: Sequence[str]) -> None:
        flags: dict[str, Any] = (
            {"creationflags": getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)}
            if sys.platform == "win32"
            # an interrupt is for the user's process only
            else {"start_new_session": True}
        )
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - it lives as long as the channel
        self._process = subprocess.Popen(
            list(command), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._log, **flags
        )
        self._words = ""

    @property
    def pid(self) -> int:
        """The process's number."""
        return self._process.pid

    def hello(self) -> dict[str, Any]:
        """Waits for the line in which the node says what it is; EOFError where it never does."""
        pipe = self._out()
        before = b""
        while True:
            line = pipe.readline(_MOST_BEFORE)
            before += line
            if not line or len(before) > _MOST_BEFORE:
                raise EOFError(before.decode(errors="replace").strip())
            if line.startswith(MARK.encode()):
                told: dict[str, Any] = json.loads(line[len(MARK) :])
                return told

    def send(self, data: bytes) -> None:
        """Writes one message."""
        pipe = self._process.stdin
        if pipe is None or pipe.closed:
            raise OSError("the way is closed")
        pipe.write(framed(data))
        pipe.flush()

    def receive(self) -> bytes:
        """Reads one message."""
        pipe = self._out()
        try:
            return exactly(pipe, length_of(exactly(pipe, 8)))
        except ValueError as error:  # closed meanwhile
            raise EOFError(str(error)) from error

    def close(self, at_once: bool = False) -> None:
        """Closes the pipe, which ends the node; a process that does not go is killed."""
        if at_once:
            # a write that waits for it fails then, and lets go of the pipe
            self._process.kill()
        if self._process.stdin is not None:
            with contextlib.suppress(OSError, ValueError):
                self._process.stdin.close()
        try:
            self._process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def last_words(self) -> str:
        """Returns the last line that the process said of an error."""
        with contextlib.suppress(ValueError, OSError):
            self._log.seek(0)
            lines = self._log.read().decode(errors="replace").strip().splitlines()
            self._words = lines[-1].strip() if lines else ""
        return self._words

    def _out(self) -> BinaryIO:
        return cast(BinaryIO, self._process.stdout)
