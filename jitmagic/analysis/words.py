"""Sets of names, written as one line of words.

>>> sorted(words("sort cumsum"))
['cumsum', 'sort']
"""

from __future__ import annotations


def words(text: str) -> frozenset[str]:
    """Returns the words of a text as a set."""
    return frozenset(text.split())
