"""The caches of a GPU, emptied: for calls that find none of their data there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

USUAL = 2**26
"""Bytes of a GPU's shared cache where the library does not tell; the largest of 2024 hold about twice as much."""


def emptier(cache: int | None, zeros: Callable[[int], Any], write: Callable[[Any], Any]) -> Callable[[], None]:
    """Returns what empties a device's shared cache.

    It writes to twice as many bytes as the cache holds, so that nothing else is left in it, as on the CPU
    (:class:`jitmagic.measure.caches.Emptier`).

    Parameters
    ----------
    cache : int or None
        Bytes that it holds; None where the library does not tell.
    zeros : callable
        Returns so many 32-bit numbers on the device.
    write : callable
        Writes to all of them, returns them, and returns only when that is done.
    """
    lines = [zeros(2 * (cache or 2 * USUAL) // 4)]

    def empty() -> None:
        lines[0] = write(lines[0])

    return empty
