"""Two sources set beside each other: which lines stayed, which were changed."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest

LONGEST = 1500
"""Lines of a source above which none is set beside another: finding what changed takes quadratic time."""

_CONTEXT = 2


@dataclass(frozen=True)
class Line:
    """One line of a source; ``number`` (from 1) is None for an empty place that keeps the sides level."""

    number: int | None
    text: str
    changed: bool


@dataclass(frozen=True)
class Stretch:
    """A stretch of both sources, line by line level with each other.

    Attributes
    ----------
    left, right : tuple of Line
        The original's and the variant's lines, as many on each side.
    skipped : int
        Unchanged lines that are left out after these.
    """

    left: tuple[Line, ...]
    right: tuple[Line, ...]
    skipped: int = 0


_Pair = tuple[Line, Line]


def beside(original: str, variant: str) -> list[Stretch] | None:
    """Returns what of a variant's source was changed against the original; None where they are too long to compare."""
    left, right = original.rstrip("\n").split("\n"), variant.rstrip("\n").split("\n")
    if max(len(left), len(right)) > LONGEST or max(len(original), len(variant)) > 100 * LONGEST:
        return None
    return list(_stretches(list(_level(left, right))))


def _level(left: Sequence[str], right: Sequence[str]) -> Iterator[_Pair]:
    """Yields the lines of both sides in pairs, the shorter side of a change filled up with empty places."""
    matcher = difflib.SequenceMatcher(None, left, right, autojunk=False)
    for kind, start, stop, other_start, other_stop in matcher.get_opcodes():
        changed = kind != "equal"
        ours = [Line(index + 1, left[index], changed) for index in range(start, stop)]
        theirs = [Line(index + 1, right[index], changed) for index in range(other_start, other_stop)]
        yield from zip_longest(ours, theirs, fillvalue=Line(None, "", False))


def _stretches(pairs: Sequence[_Pair]) -> Iterator[Stretch]:
    """Cuts the pairs into stretches where many lines in a row did not change, and leaves out their middle."""
    changed = [index for index, (ours, theirs) in enumerate(pairs) if ours.changed or theirs.changed]
    shown: list[tuple[int, int]] = []
    for index in changed or [0]:
        first, last = max(index - _CONTEXT, 0), min(index + _CONTEXT + 1, len(pairs))
        # a gap of one line would be no shorter for being left out
        if shown and first <= shown[-1][1] + 1:
            shown[-1] = shown[-1][0], last
        else:
            shown.append((first, last))
    ends = [first for first, _ in shown[1:]] + [len(pairs)]
    if shown[0][0]:
        yield Stretch((), (), shown[0][0])
    for (first, last), following in zip(shown, ends, strict=True):
        ours, theirs = zip(*pairs[first:last], strict=True)
        yield Stretch(ours, theirs, following - last)
