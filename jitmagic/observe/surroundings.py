"""Watches and protects what a function can touch besides its arguments: output, warnings, random and error state."""

from __future__ import annotations

import contextlib
import io
import random
import sys
import warnings
from collections.abc import Iterator
from typing import Any, TextIO

import numpy as np

from jitmagic.observe import entropy
from jitmagic.same_bits import same_bits

MAX_PRINTED = 10_000


class _First(io.RawIOBase):
    """Keeps the first bytes written, and forgets the rest."""

    def __init__(self, limit: int) -> None:
        self.kept = bytearray()
        self._limit = limit

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        size = memoryview(data).nbytes
        room = self._limit - len(self.kept)
        if room > 0:
            self.kept += bytes(data)[:room]
        return size


class Surroundings:
    """What one run of a function did to the world around it.

    Attributes
    ----------
    warned : list of str
        Distinct warnings as "Category: message", in the order of their first appearance.
    random_moved : bool
        Whether NumPy's or Python's global random state changed.
    unseeded : bool
        Whether a generator of NumPy's was made without a seed.
    """

    def __init__(self) -> None:
        self.warned: list[str] = []
        self.random_moved = False
        self.unseeded = False
        # Four bytes are the most that one character takes.
        self._raw = _First(4 * MAX_PRINTED)

    @property
    def printed(self) -> str:
        """What was written to ``sys.stdout`` and ``sys.stderr``: at most 10 000 characters."""
        return self._raw.kept.decode(errors="replace")[:MAX_PRINTED]

    def _warn(
        self,
        message: Warning | str,
        category: type[Warning],
        filename: str,
        lineno: int,
        file: TextIO | None = None,
        line: str | None = None,
    ) -> None:
        text = f"{category.__name__}: {message}"
        if text not in self.warned:
            self.warned.append(text)


def _random_state() -> tuple[Any, Any]:
    return np.random.get_state(legacy=False), random.getstate()


@contextlib.contextmanager
def watched_surroundings() -> Iterator[Surroundings]:
    """Catches output and warnings while its block runs; afterwards the random and error states are as they were.

    Generators without a seed begin with the same entropy in each block, where :func:`entropy.install` was called.

    Output is caught at Python's level: what C code writes to the file descriptors is not.
    """
    found = Surroundings()
    before = _random_state()
    entropy.restart()
    stream = io.TextIOWrapper(
        io.BufferedWriter(found._raw), encoding="utf-8", errors="backslashreplace", newline="\n", write_through=True
    )
    old = sys.stdout, sys.stderr
    sys.stdout = sys.stderr = stream
    try:
        with warnings.catch_warnings(), np.errstate():
            warnings.simplefilter("default")
            warnings.showwarning = found._warn
            yield found
    finally:
        sys.stdout, sys.stderr = old
        if not stream.closed:
            stream.flush()
        found.unseeded = entropy.was_asked()
        found.random_moved = not same_bits(before, _random_state())
        np.random.set_state(before[0])
        random.setstate(before[1])
