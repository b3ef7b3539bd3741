"""The device's own clock: what lies between two events in a GPU's stream."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


class Events:
    """Times what a device was asked for in between, by events that the device itself stamps.

    Parameters
    ----------
    mark : callable
        Puts an event into the stream that calls go to, and returns it.
    elapsed : callable
        Returns the milliseconds between two events that have happened, as CUDA does.
    """

    def __init__(self, mark: Callable[[], Any], elapsed: Callable[[Any, Any], float]) -> None:
        self._mark, self._elapsed = mark, elapsed
        self._first: Any = None
        self._last: Any = None

    def begin(self) -> None:
        """Marks the beginning."""
        self._first, self._last = self._mark(), None

    def end(self) -> None:
        """Marks the end; returns at once."""
        self._last = self._mark()

    def seconds(self) -> float:
        """Returns the time in between, in seconds; the device has to have done all of it (``Runtime.wait``)."""
        if self._first is None or self._last is None:
            raise RuntimeError("the device's clock was not begun and ended")
        return float(self._elapsed(self._first, self._last)) / 1e3
