"""Where no library helps: arrays in between that are far larger than the data, and a time that grows too fast."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

from jitmagic import figures
from jitmagic.capture.workload import ModuleText
from jitmagic.observe.amount import bytes_of
from jitmagic.observe.facts import Observation

_LARGE = 64e6
"""Bytes from which on an array in between is worth a word."""
_TIMES = 8
"""How many times as large as all that goes in and comes out it has to be for that."""
_STEEP = 1.5
"""Power of the size, from which on a growing time is worth a word."""


def dense(observed: Observation, module: ModuleText) -> Iterator[str]:
    """Yields a sentence where an array in between is far larger than all that goes in and comes out."""
    given = [bytes_of(fact) for fact in (*observed.arguments.values(), observed.result)]
    ends = sum(size for size in given if size is not None)
    found = [
        (size, span, fact)
        for span, fact in observed.expressions.items()
        # what is broadcast without being made is not contiguous
        if fact.kind == "array" and fact.contiguous and (size := bytes_of(fact)) is not None
    ]
    if not found or not ends:
        return
    size, span, fact = max(found, key=lambda one: one[0])
    if size < _LARGE or size < _TIMES * ends or fact.shape is None:
        return
    at = module.origin_line(span.line)
    shape = " × ".join(f"{length:,}" for length in fact.shape if length is not None)
    yield (
        f"{f'Line {at}' if at is not None else 'It'} makes an array of {shape} elements, {figures.size(size)}, of data "
        f"of {figures.size(ends)}: it grows with every axis at once. A loop over one of them that adds up in place "
        "needs as many times less, and is often faster too."
    )


def steep(swept: Mapping[str, Any] | None, baseline: str) -> Iterator[str]:
    """Yields a sentence where NumPy's time grows so fast with the size that another algorithm is what would help."""
    series = next((one for one in swept["series"] if one["name"] == baseline), None) if swept is not None else None
    if swept is None or series is None or series["growth"] is None or series["growth"]["low"] < _STEEP:
        return
    power = series["growth"]["median"]
    yield (
        f"NumPy's time grows as {swept['parameter']}^{power:.1f}: ten times the size takes "
        f"{figures.rough(math.pow(10.0, power))} times as long, with any library that does the same arithmetic. For "
        "large sizes look for another algorithm first."
    )
