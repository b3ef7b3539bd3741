"""Widths in a terminal: never over, whatever the script. wcwidth is the judge."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jitmagic.report import clean, columns

wcwidth = pytest.importorskip("wcwidth")

words = st.text(max_size=60).map(clean.line)
awkward = st.lists(
    st.sampled_from(["e\u0301", "速", "👩\u200d🔬", "⚠\ufe0f", "한", "नि", "a", " ", "\u0301", "word", "🇩🇪"]),
    max_size=40,
)


def terminal_width(text: str) -> int:
    width: int = wcwidth.wcswidth(text)
    assert width >= 0, f"{text!r} holds a control character"
    return width


@pytest.mark.parametrize(
    ("text", "width"), [("abc", 3), ("速度", 4), ("e\u0301", 1), ("⚠\ufe0f", 2), ("", 0), ("䷀", 2), ("🇩🇪", 2)]
)
def test_display_width(text: str, width: int) -> None:
    assert columns.display_width(text) == width


@given(st.one_of(words, awkward.map("".join)))
def test_the_width_is_never_less_than_the_terminals(text: str) -> None:
    assert columns.display_width(text) >= terminal_width(text)


@given(
    st.one_of(words, awkward.map("".join)),
    st.integers(2, 30),
    st.integers(0, 8),
    st.one_of(st.none(), st.integers(1, 3)),
)
def test_wrapped_lines_keep_to_the_width(text: str, width: int, hang: int, most: int | None) -> None:
    lines = columns.wrap(text, width, hang=hang, most=most)
    assert lines
    assert most is None or len(lines) <= most
    for number, line in enumerate(lines):
        assert terminal_width(line) <= (max(width - hang, 2) if number else width)


@given(st.lists(st.text("abcé速", min_size=1, max_size=12), max_size=12), st.integers(2, 30))
def test_wrapping_loses_nothing(parts: list[str], width: int) -> None:
    assert "".join(columns.wrap(" ".join(parts), width)).replace(" ", "") == "".join(parts)


def test_wrapping_breaks_between_words_where_it_can() -> None:
    assert columns.wrap("one two three four", 9) == ["one two", "three", "four"]
    assert columns.wrap("one two three four", 9, hang=3) == ["one two", "three", "four"]
    assert columns.wrap("incomprehensible", 8) == ["incompre", "hensible"]


def test_too_much_text_ends_with_an_ellipsis() -> None:
    assert columns.wrap("one two three four five", 9, most=2) == ["one two", "three…"]
    assert columns.wrap("x" * 100, 10, most=1) == ["x" * 9 + "…"]
    assert columns.wrap("one two", 9, most=2) == ["one two"]


@given(st.one_of(words, awkward.map("".join)), st.integers(1, 20))
def test_a_cut_text_keeps_to_the_width(text: str, width: int) -> None:
    shown = columns.cut(text, width)
    assert terminal_width(shown) <= width
    assert shown.endswith("…") or columns.display_width(text) <= width


@given(st.text("ab 速", max_size=60), st.integers(2, 20))
def test_source_is_broken_without_losing_blanks(text: str, width: int) -> None:
    pieces = columns.hard_wrap(text, width)
    assert "".join(pieces) == text
    assert all(terminal_width(piece) <= width for piece in pieces)


def test_a_million_marks_on_one_letter_are_not_kept() -> None:
    assert len(columns.cut("a" + "\u0301" * 1_000_000, 20)) < 20
