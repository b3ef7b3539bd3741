"""Two sources set beside each other: which lines stayed, which were changed."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from dataclasses import dataclass

LONGEST = 1500
"""Lines of a source above which none is set beside another: finding what changed takes quadratic time."""

_CONTEXT = 2


@dataclass(frozen=True)
class Piece:
    """Lines of both sources that belong together.

    Attributes
    ----------
    changed : bool
    left, right : tuple of str
        Lines of the original and of the variant; the same where nothing changed.
    left_first, right_first : int
        Where they stand in their sources (from 0).
    skipped : int
        Unchanged lines that are left out after these.
    """

    changed: bool
    left: tuple[str, ...]
    right: tuple[str, ...]
    left_first: int
    right_first: int
    skipped: int = 0


def beside(original: str, variant: str) -> list[Piece] | None:
    """Returns what of a variant's source was changed against the original; None where they are too long to compare."""
    left, right = original.rstrip("\n").split("\n"), variant.rstrip("\n").split("\n")
    if max(len(left), len(right)) > LONGEST or max(len(original), len(variant)) > 100 * LONGEST:
        return None
    return list(_pieces(left, right))


def _pieces(left: list[str], right: list[str]) -> Iterator[Piece]:
    matcher = difflib.SequenceMatcher(None, left, right, autojunk=False)
    for kind, start, stop, other_start, other_stop in matcher.get_opcodes():
        same = kind == "equal"
        if not same or stop - start <= 2 * _CONTEXT + 1:
            yield Piece(not same, tuple(left[start:stop]), tuple(right[other_start:other_stop]), start, other_start)
            continue
        # a long stretch without change: its beginning and its end say where we are
        for first, last, skipped in (
            (start, start + _CONTEXT, stop - start - 2 * _CONTEXT),
            (stop - _CONTEXT, stop, 0),
        ):
            lines = tuple(left[first:last])
            yield Piece(False, lines, lines, first, other_start + first - start, skipped)
