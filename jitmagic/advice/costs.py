"""What a variant costs whoever takes it: lines, time to build, memory, precision, a library."""

from __future__ import annotations

import difflib
import io
import tokenize
from collections.abc import Iterator, Mapping

from jitmagic import figures
from jitmagic.outcome import Outcome

_SIMILAR = 1.1
"""Peaks of memory that differ by less than this ratio are not worth a word."""


def costs(one: Outcome, baseline: Outcome, original: str, libraries: Mapping[str, str]) -> list[str]:
    """Words what a variant costs beside NumPy's own source, one phrase each.

    Parameters
    ----------
    original : str
        The module's text with NumPy.
    libraries : mapping of str to str
        Versions by distribution.
    """
    return [
        *_lines(one, original), *_build(one), *_memory(one, baseline), *_precision(one), *_dependency(one, libraries)
    ]  # fmt: skip


def changed(one: Outcome, original: str) -> tuple[int, int]:
    """Counts the lines of code that a variant has added and taken away; comments and blank lines do not count."""
    text = one.draft.module.text if one.draft is not None else original
    before, after = _code(original), _code(text)
    matcher = difflib.SequenceMatcher(None, before, after, autojunk=False)
    kept = sum(block.size for block in matcher.get_matching_blocks())
    return len(after) - kept, len(before) - kept


def _lines(one: Outcome, original: str) -> Iterator[str]:
    added, gone = changed(one, original)
    if added or gone:
        yield f"{figures.plural(added, 'line')} of code added and {gone} taken away"


def _build(one: Outcome) -> Iterator[str]:
    if one.build_seconds is not None:
        yield f"{figures.duration(one.build_seconds)} to build"


def _memory(one: Outcome, baseline: Outcome) -> Iterator[str]:
    own = one.built.host_peak if one.built is not None else None
    numpys = baseline.built.host_peak if baseline.built is not None else None
    if one.device == "cpu" and own is not None and numpys is not None:
        few, many = sorted((own, numpys))
        if many > _SIMILAR * few:
            yield f"{figures.size(own)} of memory at its peak, NumPy {figures.size(numpys)}"
    on_device = one.built.device_peak if one.built is not None else None
    if on_device is not None:
        yield f"{figures.size(on_device)} of the device's memory at its peak"


def _precision(one: Outcome) -> Iterator[str]:
    finding = one.built.finding if one.built is not None else None
    if finding is None or finding.max_abs is None:
        return
    if finding.max_abs == 0:
        yield "no digit of the result"
    else:  # absolute, as in the table: an element that is 0 but for rounding differs by all of itself
        yield f"a result that differs by {finding.max_abs:.1e} at most"


def _dependency(one: Outcome, libraries: Mapping[str, str]) -> Iterator[str]:
    version = libraries.get(one.backend)
    if one.backend != "numpy":
        yield f"{one.backend} {version} as a dependency" if version else f"{one.backend} as a dependency"


def _code(text: str) -> list[str]:
    """Returns the lines that hold code, without comments and the blanks around them."""
    lines = text.splitlines()
    try:
        comments = [
            token.start
            for token in tokenize.generate_tokens(io.StringIO(text).readline)
            if token.type == tokenize.COMMENT
        ]
    except (tokenize.TokenError, SyntaxError):  # it is counted as it stands
        comments = []
    for row, column in comments:
        lines[row - 1] = lines[row - 1][:column]
    return [line.strip() for line in lines if line.strip()]
