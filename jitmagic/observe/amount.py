"""How many bytes an observed value has."""

from __future__ import annotations

import math

import numpy as np

from jitmagic.observe.facts import ValueFact

_MOST_ITEMS = 64
"""Elements of a tuple or list of which the observation knows."""


def bytes_of(fact: ValueFact | None) -> int | None:
    """Returns the bytes of an observed value's arrays; None where they are not known.

    >>> bytes_of(ValueFact("array", "float32", (10, 3)))
    120
    """
    if fact is None or fact.kind == "mixed":
        return None
    if fact.kind in ("array", "scalar"):
        if fact.dtype is None or fact.shape is None or None in fact.shape:
            return None
        try:
            each = np.dtype(fact.dtype).itemsize
        except TypeError:  # a structured one has no name that says it all
            return None
        return each * math.prod(length for length in fact.shape if length is not None)
    if fact.kind in ("tuple", "list"):
        sizes = [bytes_of(item) for item in fact.items]
        if len(sizes) >= _MOST_ITEMS or None in sizes:
            return None
        return sum(one for one in sizes if one is not None)
    return 0
