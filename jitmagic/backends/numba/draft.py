"""What a draft of Numba's remembers for the next rung of its ladder. Imports nothing heavy: workers read it."""

from __future__ import annotations

from dataclasses import dataclass

from jitmagic.backends.protocol import Draft
from jitmagic.observe.facts import Span


@dataclass(frozen=True)
class NumbaDraft(Draft):
    """A draft, and how it was made.

    Attributes
    ----------
    outside : frozenset of Span
        Places of the calls that are made in Python, by `objmode`.
    native : bool
        Whether it draws from a global random state of Numba's own.
    """

    outside: frozenset[Span] = frozenset()
    native: bool = False
