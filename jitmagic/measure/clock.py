"""Times calls: the inner loop of a sample, and nothing else.

The timer and the collector are given, so that tests run on a fake clock.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Sequence
from itertools import repeat
from typing import Any

from jitmagic.measure.arguments import Call

Timer = Callable[[], float]


def time_calls(
    function: Callable[..., Any],
    calls: Sequence[Call],
    repeats: int,
    wait: Callable[[Any], None] | None,
    timer: Timer = time.perf_counter,
) -> float:
    """Makes each call ``repeats`` times and returns the seconds of all of them together.

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
        total = 0.0
        for args, kwargs in calls:
            if kwargs:
                start = timer()
                for _ in repeat(None, repeats):
                    result = function(*args, **kwargs)
                    if wait is not None:
                        wait(result)
                    del result
                total += timer() - start
            elif wait is not None:
                start = timer()
                for _ in repeat(None, repeats):
                    wait(function(*args))
                total += timer() - start
            else:
                start = timer()
                for _ in repeat(None, repeats):
                    function(*args)
                total += timer() - start
        return total
    finally:
        if was_on:
            gc.enable()
