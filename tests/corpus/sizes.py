"""The three sizes at which every function of the corpus has arguments, and those in between."""

import math

SIZES = ("small", "medium", "large")


def of(size, small, medium, large):
    """Returns the one of three values that belongs to a size.

    A size may also be a number from 0 (small) to 2 (large): between two values it is on a logarithmic scale, and a
    value that is no positive number is that of the nearest size.

    >>> of("medium", 10, 100, 1000), of(0.5, 10, 100, 1000), of(1.75, (1, "a"), (4, "b"), (64, "c"))
    (100, 32, (32, 'c'))
    """
    values = small, medium, large
    if isinstance(size, str):
        return values[SIZES.index(size)]
    below = min(int(size), 1)
    return _between(values[below], values[below + 1], size - below)


def _between(one, other, share):
    if isinstance(one, tuple) and isinstance(other, tuple) and len(one) == len(other):
        return tuple(_between(a, b, share) for a, b in zip(one, other, strict=True))
    if any(isinstance(value, bool) or not isinstance(value, int | float) or value <= 0 for value in (one, other)):
        return other if share > 0.5 else one
    value = math.exp(math.log(one) + share * math.log(other / one))
    return value if isinstance(one, float) or isinstance(other, float) else round(value)
