"""Text in terminal columns: how wide it is, and wrapping, cutting and filling by that width.

Wide characters (CJK, emoji) take two columns and combining marks none. Where terminals disagree, the larger width is
taken, so that a line may end early and never runs over.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator

ELLIPSIS = "…"

_EMOJI_STYLE = "\ufe0f"
# Characters that became wide with Unicode 16, later than the tables of some supported Pythons.
_WIDE_SINCE_16 = ((0x2630, 0x2637), (0x268A, 0x268F), (0x4DC0, 0x4DFF), (0x1D300, 0x1D376))
# Marks on one letter that are kept: scripts need a few, and a name of a million is an attack.
_MOST_MARKS = 8


def display_width(text: str) -> int:
    """Returns the number of terminal columns that text takes at most."""
    if text.isascii():
        return len(text)
    return sum(width for _, width in _clusters(text))


def cut(text: str, width: int) -> str:
    """Returns text cut to a width, with an ellipsis where something is missing."""
    kept: list[str] = []
    used, room = 0, max(width, 1)
    for cluster, columns in _clusters(text):
        if used + columns > room:
            while kept and used + 1 > room:
                used -= display_width(kept.pop())
            return "".join(kept) + ELLIPSIS
        kept.append(cluster)
        used += columns
    return "".join(kept)


def fill(text: str, width: int, *, right: bool = False) -> str:
    """Returns text with blanks after it (before it where ``right``) up to a width."""
    blanks = " " * (width - display_width(text))
    return blanks + text if right else text + blanks


def wrap(text: str, width: int, *, hang: int = 0, most: int | None = None) -> list[str]:
    """Breaks one line of text at its blanks into lines of a width; longer words are broken where they must be.

    Parameters
    ----------
    text : str
        Text without newlines.
    width : int
        Columns of a line, at least 2.
    hang : int
        Columns by which all lines but the first are shorter.
    most : int, optional
        Lines at most; the last one ends with an ellipsis where something is missing.
    """
    narrow = max(width - hang, 2)
    lines: list[str] = []
    current, used = "", 0
    for word in text.split(" "):
        if most is not None and len(lines) > most:
            break
        for number, piece in enumerate(_pieces(word, narrow)):
            columns = display_width(piece)
            gap = 1 if current and not number else 0
            if current and (number or used + gap + columns > (narrow if lines else max(width, 2))):
                lines.append(current)
                current, used, gap = "", 0, 0
            current, used = current + " " * gap + piece, used + gap + columns
            if most is not None and len(lines) > most:
                break
    if current or not lines:
        lines.append(current)
    if most is not None and len(lines) > most:
        room = narrow if most > 1 else max(width, 2)
        # two more characters than fit, so that the cut always leaves its mark
        lines = [*lines[: most - 1], cut(fill(lines[most - 1], room) + "..", room)]
        lines[-1] = lines[-1].removesuffix(ELLIPSIS).rstrip() + ELLIPSIS
    return lines


def hard_wrap(text: str, width: int) -> list[str]:
    """Breaks one line of source into lines of a width, blanks kept."""
    return list(_pieces(text, max(width, 2))) or [""]


def _pieces(word: str, width: int) -> Iterator[str]:
    if word.isascii():
        yield from (word[start : start + width] for start in range(0, len(word), width))
        return
    piece, used = "", 0
    for cluster, columns in _clusters(word):
        if used + columns > width and piece:
            yield piece
            piece, used = "", 0
        piece += cluster
        used += columns
    if piece:
        yield piece


def _clusters(text: str) -> Iterator[tuple[str, int]]:
    """Yields characters with the marks that stand on them, and the columns they take."""
    cluster, width, marks = "", 0, 0
    for character in text:
        columns = _columns(character)
        if columns == 0 and cluster:
            marks += 1
            if character == _EMOJI_STYLE:
                width = 2
            if marks <= _MOST_MARKS:
                cluster += character
            continue
        if _is_flag_half(character) and len(cluster) == 1 and _is_flag_half(cluster):
            cluster += character
            continue
        if cluster:
            yield cluster, width
        cluster, width, marks = character, columns, 0
    if cluster:
        yield cluster, width


def _is_flag_half(character: str) -> bool:
    return "\U0001f1e6" <= character <= "\U0001f1ff"


def _columns(character: str) -> int:
    if character.isascii():
        return 1
    if unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0
    if unicodedata.east_asian_width(character) in "WF":
        return 2
    code = ord(character)
    # half a flag is drawn as wide as a whole one
    if _is_flag_half(character):
        return 2
    return 2 if any(first <= code <= last for first, last in _WIDE_SINCE_16) else 1
