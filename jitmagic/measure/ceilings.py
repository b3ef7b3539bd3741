"""What this machine can do at best, measured: bytes copied and products of matrices a second.

Run in NumPy's worker after the timing. The best of several tries, since all that disturbs makes a try slower.
"""

from __future__ import annotations

import threading
import time
from typing import Any

import numpy as np

_SHORTEST = 0.003
"""Seconds of one try, long against the start of its threads."""

_ORDER = 768
"""Rows and columns of the matrices: they fit into most caches, and each element is used often enough."""


def copied(size: int, threads: int, seconds: float = 0.04) -> float:
    """Returns the bytes a second that are read and written together when arrays are copied.

    Parameters
    ----------
    size : int
        Bytes of all arrays, of which half is read and half is written: caches make small ones faster.
    threads : int
        Each copies a part of its own (``np.copyto`` lets others run).
    seconds : float
        How long to try.
    """
    each = max(size // 2 // threads // 8, 1)
    pairs = [(np.ones(each), np.ones(each)) for _ in range(threads)]
    best, times = 0.0, 1
    end = time.perf_counter() + seconds
    while True:
        took = _together(pairs, times)
        best = max(best, 2 * 8 * each * threads * times / took)
        if time.perf_counter() >= end:
            return best
        if took < _SHORTEST:
            times *= 2


def _together(pairs: list[tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]], times: int) -> float:
    """Copies each pair in a thread of its own; returns the seconds from the first's start to the last's end."""
    spans: list[tuple[float, float]] = []
    ready = threading.Barrier(len(pairs))

    def copy(source: np.ndarray[Any, Any], target: np.ndarray[Any, Any]) -> None:
        ready.wait()
        start = time.perf_counter()
        for _ in range(times):
            np.copyto(target, source)
        spans.append((start, time.perf_counter()))

    threads = [threading.Thread(target=copy, args=pair) for pair in pairs[1:]]
    for thread in threads:
        thread.start()
    copy(*pairs[0])
    for thread in threads:
        thread.join()
    return max(end for _, end in spans) - min(start for start, _ in spans)


def multiplied(dtype: str, tries: int = 4) -> float:
    """Returns the floating-point operations a second of a product of two matrices, by NumPy's BLAS with its threads."""
    one = np.ones((_ORDER, _ORDER), dtype)
    out = np.empty_like(one)
    best = float("inf")
    for _ in range(tries):
        start = time.perf_counter()
        np.matmul(one, one, out=out)
        best = min(best, time.perf_counter() - start)
    return 2.0 * _ORDER**3 / best
