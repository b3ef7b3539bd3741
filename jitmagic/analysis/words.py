"""Sets of names, written as one line of words.

>>> sorted(words("sort cumsum"))
['cumsum', 'sort']
"""

from __future__ import annotations

MASKED = (
    "and {library} has no masked arrays: keep the values and a boolean mask as two arrays, such as "
    "`np.where(mask, 0, x).sum() / (~mask).sum()` for a mean"
)
"""What libraries without `numpy.ma` are told of, after "line 7 calls `np.ma.array`, "."""


def words(text: str) -> frozenset[str]:
    """Returns the words of a text as a set."""
    return frozenset(text.split())
