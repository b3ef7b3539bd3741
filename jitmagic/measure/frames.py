"""What a worker says, as it comes: read by who waits for it where the system can wait for a pipe, else by a thread.

The way through a thread costs another waking, and samples are taken by the thousand: what a sample costs beyond its
calls is mostly waking.
"""

from __future__ import annotations

import os
import pickle
import queue
import select
import sys
import threading
import time
from typing import Any, BinaryIO, Protocol

from jitmagic.measure.messages import LENGTH_SIZE, Reply, exactly, length_of, loads

_CHUNK = 1 << 16
"""What a pipe holds."""

_LONGEST = 1 << 40
"""Bytes of a message: where a length is said to be more, something else was written into the pipe."""


class Nothing(Exception):
    """No whole message came in the time given."""


class Frames(Protocol):
    """Messages of one worker, in their order."""

    def get(self, timeout: float) -> Any:
        """Returns the next message; None where the worker's end is closed, or what it sent is cut short.

        Raises
        ------
        Nothing
            None came within ``timeout`` seconds.
        """

    def come(self) -> bool:
        """Tells whether something has come that was not taken yet."""

    def close(self) -> None:
        """Lets go of what reads; the pipe itself is closed by its owner."""


def frames(pipe: BinaryIO, name: str) -> Frames:
    """Returns the messages that come through a pipe, of which nothing else may read.

    Parameters
    ----------
    name : str
        Of the worker, for the thread where one is needed.
    """
    if sys.platform != "win32" and hasattr(select, "poll"):
        return Polled(pipe)
    return Threaded(pipe, name)


class Polled:
    """Messages that are read by who waits for them.

    What has come of a message is kept, so that a worker that stops in the middle of one is waited for no longer than
    any other.
    """

    def __init__(self, pipe: BinaryIO) -> None:
        self._descriptor = pipe.fileno()
        self._poll = select.poll()
        self._poll.register(self._descriptor, select.POLLIN)
        self._come = bytearray()
        self._ended = False

    def get(self, timeout: float) -> Any:
        """See :class:`Frames`."""
        until = time.monotonic() + timeout
        while True:
            whole = self._whole()
            if whole is not None:
                return self._loaded(whole)
            if self._ended:
                return None
            if not self._poll.poll(max(until - time.monotonic(), 0.0) * 1000):
                raise Nothing
            try:
                part = os.read(self._descriptor, _CHUNK)
            except OSError:  # closed by a kill
                part = b""
            self._come += part
            self._ended = not part

    def come(self) -> bool:
        """See :class:`Frames`."""
        return not self._ended and bool(self._poll.poll(0))

    def close(self) -> None:
        """See :class:`Frames`."""
        self._ended = True

    def _whole(self) -> bytes | None:
        """Takes the first whole message from what has come."""
        if len(self._come) < LENGTH_SIZE:
            return None
        end = LENGTH_SIZE + length_of(bytes(self._come[:LENGTH_SIZE]))
        if end > _LONGEST:
            self._ended = True
            return None
        if len(self._come) < end:
            return None
        message = bytes(self._come[LENGTH_SIZE:end])
        del self._come[:end]
        return message

    def _loaded(self, message: bytes) -> Any:
        try:
            return _loaded(message)
        except Exception:  # no pickle: what comes after it would be none either
            self._ended = True
            self._come.clear()
            return None


class Threaded:
    """Messages that a thread reads, for systems on which only a thread can wait for a pipe."""

    def __init__(self, pipe: BinaryIO, name: str) -> None:
        self._pipe = pipe
        self._queue: queue.Queue[Any] = queue.Queue()
        self._reader = threading.Thread(target=self._read, name=f"jitmagic-{name}", daemon=True)
        self._reader.start()

    def get(self, timeout: float) -> Any:
        """See :class:`Frames`."""
        try:
            return self._queue.get(timeout=timeout)
        except queue.Empty:
            raise Nothing from None

    def come(self) -> bool:
        """See :class:`Frames`."""
        return not self._queue.empty()

    def close(self) -> None:
        """See :class:`Frames`."""
        self._reader.join(timeout=5)

    def _read(self) -> None:
        while True:
            try:
                length = length_of(exactly(self._pipe, LENGTH_SIZE))
                if length > _LONGEST:
                    raise ValueError("this is no message")
                self._queue.put(_loaded(exactly(self._pipe, length)))
            except Exception:  # end of file, cut short, or no pickle: nothing can be read after it
                self._queue.put(None)
                return


def _loaded(message: bytes) -> Any:
    """Reads a message; one that holds what may not be imported here is the answer's error."""
    try:
        return loads(message)
    except pickle.UnpicklingError as error:
        return Reply(error=str(error))
