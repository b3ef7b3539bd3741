"""Entropy of NumPy's generators that get no seed: in a worker the same in each run, in the user's process as it was.

``np.random.default_rng()`` draws other numbers in each call, and no two calls could be compared. With the same entropy
for NumPy's run and a variant's both draw the same numbers, in the same order, so that the results are compared value by
value, which says more than any test of distributions.

Python's own ``random.Random()`` asks the system in C, and stays as it is: what draws from it is refused as not
repeatable.
"""

from __future__ import annotations

import random

_stream = random.Random(0)
_asked = 0


def install() -> None:
    """Has NumPy's generators take their entropy from here; for processes that are not the user's."""
    from numpy.random import bit_generator

    # the name that NumPy's seed sequences look up in their module; without it they keep the system's entropy
    if hasattr(bit_generator, "randbits"):
        bit_generator.randbits = _bits


def restart() -> None:
    """Begins the entropy anew, as before each run."""
    global _asked
    _stream.seed(0)
    _asked = 0


def was_asked() -> bool:
    """Says whether a generator without a seed was made since the last start."""
    return _asked > 0


def _bits(count: int) -> int:
    global _asked
    _asked += 1
    return _stream.getrandbits(count)
