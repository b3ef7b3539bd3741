"""Times calls: the inner loop of a sample, and nothing else.

The timer and the collector are given, so that tests run on a fake clock.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from itertools import repeat
from typing import Any

from jitmagic.backends.protocol import DeviceClock
from jitmagic.measure.arguments import Prepared

Timer = Callable[[], float]


def time_calls(
    function: Callable[..., Any],
    prepared: Prepared,
    wait: Callable[[Any], None] | None,
    timer: Timer = time.perf_counter,
) -> float:
    """Makes the prepared calls and returns the seconds of all of them together.

    Each call's result is complete, and let go of, before the next begins: what a user's own loop over
    ``fn(x)`` with ``block_until_ready`` would measure. The garbage collector is off inside.

    Parameters
    ----------
    wait : callable or None
        Returns when a result is complete on its device; None where a call is complete when it returns.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        if prepared.restore is not None:
            return _restored(function, prepared, prepared.restore, wait, timer)
        return _straight(function, prepared, wait, timer)
    finally:
        if was_on:
            gc.enable()


def time_launch(
    function: Callable[..., Any],
    prepared: Prepared,
    wait: Callable[[Any], None],
    device: DeviceClock | None,
    timer: Timer = time.perf_counter,
) -> tuple[float, float | None]:
    """Makes the prepared calls and returns what the host and what the device had to do, in seconds a call.

    Parameters
    ----------
    wait : callable
        Returns when a result is complete on its device.
    device : DeviceClock or None
        The device's own clock, where it has one.

    Returns
    -------
    float
        Until a call returns to the host, which may be long before its result is there.
    float or None
        Between the first and the last of what the device was asked, by its own clock.
    """
    host, done, calls = 0.0, 0.0, 0
    for args, kwargs in prepared.calls:
        for _ in repeat(None, prepared.repeats):
            if prepared.restore is not None:
                prepared.restore()
            if device is not None:
                device.begin()
            start = timer()
            result = function(*args, **kwargs)
            host += timer() - start
            if device is not None:
                device.end()
            wait(result)
            if device is not None:
                done += device.seconds()
            calls += 1
            del result
    return host / calls, None if device is None else done / calls


def _restored(
    function: Callable[..., Any],
    prepared: Prepared,
    restore: Callable[[], None],
    wait: Callable[[Any], None] | None,
    timer: Timer,
) -> float:
    """Times each call by itself, with the arguments put back in between."""
    total = 0.0
    for args, kwargs in prepared.calls:
        for _ in repeat(None, prepared.repeats):
            restore()
            start = timer()
            result = function(*args, **kwargs)
            if wait is not None:
                wait(result)
            total += timer() - start
            del result
    return total


def _straight(
    function: Callable[..., Any], prepared: Prepared, wait: Callable[[Any], None] | None, timer: Timer
) -> float:
    """Times a loop of calls as a whole, with as little in the loop as can be."""
    total = 0.0
    for args, kwargs in prepared.calls:
        times = repeat(None, prepared.repeats)
        if kwargs and wait is not None:
            start = timer()
            for _ in times:
                wait(function(*args, **kwargs))
        elif kwargs:
            start = timer()
            for _ in times:
                function(*args, **kwargs)
        elif wait is not None:
            start = timer()
            for _ in times:
                wait(function(*args))
        else:
            start = timer()
            for _ in times:
                function(*args)
        total += timer() - start
    return total
