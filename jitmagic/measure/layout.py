"""Where a worker's memory lies, drawn anew in each process.

Code runs faster or slower by some percent for where its heap and its stack begin (Mytkowicz et al., "Producing wrong
data without doing anything obviously wrong!", ASPLOS 2009). Both follow from what a process did before, which is the
same in each new process of one variant: several of them would all be off by the same. With a layout that is drawn,
their median is not, and what they differ by tells of it.
"""

from __future__ import annotations

import random

_STACK = 4096
"""Bytes of a page: beyond them the stack's beginning repeats, as far as caches and the processor's predictions go."""

_HEAP = 65536
"""Bytes of heap that one way of a cache of the second level spans, on most processors."""

_STEP = 16
"""What malloc rounds to."""

VARIABLE = "JITMAGIC_LAYOUT"

_draw = random.Random()
_taken: list[bytearray] = []


def environment() -> dict[str, str]:
    """Returns a variable of a length that is drawn: the environment lies on the stack, before all else."""
    return {VARIABLE: "." * _draw.randrange(0, _STACK, _STEP)}


def shift_heap() -> None:
    """Takes a piece of the heap of a size that is drawn, for as long as this process lives."""
    # a smaller one would come from Python's own pools
    _taken.append(bytearray(_draw.randrange(1024, 1024 + _HEAP, _STEP)))
