"""Puts an interrupt off while a process or a file could be lost track of, and no longer."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from types import FrameType


@dataclass
class Late:
    """Whether an interrupt came while it was held."""

    came: bool = False


@contextlib.contextmanager
def held(*, raised: bool = True) -> Iterator[Late]:
    """Holds an interrupt (SIGINT) that comes inside of the block until its end.

    Only Python's main thread is ever interrupted: elsewhere this does nothing.

    Parameters
    ----------
    raised : bool
        Whether to raise it at the end; else whoever holds it looks at ``came``.
    """
    late = Late()
    if threading.current_thread() is not threading.main_thread():
        yield late
        return
    before = signal.getsignal(signal.SIGINT)
    if not callable(before):  # ignored, or not Python's to handle
        yield late
        return

    def note(number: int, frame: FrameType | None) -> None:
        late.came = True

    signal.signal(signal.SIGINT, note)
    try:
        yield late
    finally:
        signal.signal(signal.SIGINT, before)
        if late.came and raised:
            before(signal.SIGINT, None)
