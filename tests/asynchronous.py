"""A device that works while the host goes on, for tests of the clocks: a call returns before its result is there.

It is no simulation of a GPU; it has what the clocks must not overlook. Results that nobody waits for are not there,
host arrays are refused, and the device stamps events when it comes to them.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np

from jitmagic.backends.device_caches import emptier
from jitmagic.backends.events import Events
from jitmagic.backends.numpy.runtime import NumpyRuntime

EMPTYING = 0.02
"""Seconds that it takes to empty its caches."""

_busy_until = 0.0


class Resident:
    """An array on the device, there from ``ready`` on (``time.perf_counter``)."""

    def __init__(self, array: np.ndarray, ready: float) -> None:
        self.array, self.ready = array, ready


def asked(given: Any, work: Callable[[np.ndarray], np.ndarray], seconds: float) -> Resident:
    """Asks the device for work that takes so long, and returns at once."""
    global _busy_until
    if not isinstance(given, Resident):
        raise TypeError(f"the device takes no {type(given).__name__} of the host")
    _busy_until = max(_busy_until, time.perf_counter()) + seconds
    return Resident(work(given.array), _busy_until)


class AsynchronousRuntime(NumpyRuntime):
    """Runs variants that ask the device."""

    synchronous = False

    def start(self, device: str) -> dict[str, Any]:
        return {"versions": {}, "devices": [device], "empties_caches": True}

    def cache_emptier(self) -> Callable[[], None]:
        def write(lines: Resident) -> Resident:
            written = asked(lines, lambda array: array + 1.0, EMPTYING)
            self.wait(written)
            return written

        return emptier(2**20, lambda count: self.to_device(np.zeros(count, np.float32)), write)

    def to_device(self, value: Any) -> Any:
        return Resident(value, time.perf_counter()) if isinstance(value, np.ndarray) else value

    def to_host(self, value: Any) -> Any:
        if time.perf_counter() < value.ready:
            raise RuntimeError("nobody waited for this result")
        return value.array

    def wait(self, value: Any) -> None:
        while time.perf_counter() < value.ready:
            time.sleep(1e-4)

    def device_clock(self) -> Events:
        def mark() -> float:
            return max(_busy_until, time.perf_counter())

        return Events(mark, lambda first, last: (last - first) * 1e3)
