"""A limit on how long Python code may run in this thread, where the system has timers for that."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


class TooLong(BaseException):
    """The limit is over; no ``except Exception`` of a user's function may take it for one of its own."""


@contextmanager
def at_most(seconds: float) -> Iterator[None]:
    """Raises :class:`TooLong` in the block after so many seconds, between two steps of the interpreter.

    One long call into a library is not cut short. Does nothing on Windows and outside the main thread: there a
    worker's own limit is all there is.
    """
    if not hasattr(signal, "setitimer") or threading.current_thread() is not threading.main_thread():
        yield
        return

    def ring(number: int, frame: Any) -> None:
        raise TooLong

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        signal.signal(signal.SIGALRM, before)
