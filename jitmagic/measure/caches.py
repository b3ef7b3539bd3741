"""The processor's caches, emptied: for calls that find none of their data there, as the first call on new data does."""

from __future__ import annotations

from pathlib import Path

import numpy as np

_CACHES = Path("/sys/devices/system/cpu/cpu0/cache")
_USUAL = 32 * 2**20
"""Bytes of a last-level cache where the system does not tell."""

_MOST = 2**28
"""Bytes; what a hypervisor tells of a cache may be that of the whole machine."""

_UNITS = {"K": 2**10, "M": 2**20, "G": 2**30}


def size(caches: Path = _CACHES) -> int:
    """Returns the bytes of the first CPU's largest cache; where the system does not tell (Linux does), a usual size."""
    found = [_bytes(one.read_text()) for one in sorted(caches.glob("index*/size"))]
    return min(max((one for one in found if one), default=_USUAL), _MOST)


def _bytes(text: str) -> int:
    text = text.strip()
    unit = _UNITS.get(text[-1:], 1)
    digits = text[:-1] if text[-1:] in _UNITS else text
    return int(digits) * unit if digits.isdigit() else 0


class Emptier:
    """Empties the caches of the CPU that it is called on, and the one that all share.

    It writes to twice as many bytes as the largest cache holds, so that nothing else is left in it. Private caches of
    other cores stay as they are, where the processor does not hold them in the shared one too.
    """

    def __init__(self, cache: int | None = None) -> None:
        self._lines = np.zeros((2 * (size() if cache is None else cache)) // 8)

    def __call__(self) -> None:
        """Empties them; takes as long as reading and writing that memory."""
        self._lines += 1.0
