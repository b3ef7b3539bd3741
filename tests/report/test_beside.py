"""Two sources beside each other: no line is lost, changed ones are marked, long calm stretches are left out."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from jitmagic.report.beside import LONGEST, beside

sources = st.lists(st.sampled_from(["a", "b", "c", "  d", ""]), max_size=30).map("\n".join)


@given(sources, sources)
def test_every_line_is_shown_in_order_or_counted(original: str, variant: str) -> None:
    stretches = beside(original, variant)
    assert stretches is not None
    for text, side in ((original, "left"), (variant, "right")):
        lines, at = text.rstrip("\n").split("\n"), 0
        for stretch in stretches:
            for line in getattr(stretch, side):
                if line.number is not None:
                    at += 1
                    assert (line.number, line.text) == (at, lines[at - 1])
            at += stretch.skipped
        assert at == len(lines)


@given(sources, sources)
def test_the_sides_are_level_and_unchanged_lines_are_the_same(original: str, variant: str) -> None:
    for stretch in beside(original, variant) or []:
        assert len(stretch.left) == len(stretch.right)
        for ours, theirs in zip(stretch.left, stretch.right, strict=True):
            if not ours.changed and not theirs.changed:
                assert ours.text == theirs.text


def test_calm_stretches_are_left_out() -> None:
    same = [f"line {index}" for index in range(40)]
    stretches = beside("\n".join(["old", *same, "old"]), "\n".join(["new", *same, "newer"]))
    assert stretches is not None
    assert [len(stretch.left) for stretch in stretches] == [3, 3]
    assert [stretch.skipped for stretch in stretches] == [36, 0]


def test_a_change_in_the_middle_counts_what_stands_before_it() -> None:
    same = [f"line {index}" for index in range(20)]
    stretches = beside("\n".join([*same, "old"]), "\n".join([*same, "new"]))
    assert stretches is not None
    assert [(len(stretch.left), stretch.skipped) for stretch in stretches] == [(0, 18), (3, 0)]


def test_too_long_sources_are_not_compared() -> None:
    assert beside("a", "b\n" * (LONGEST + 1)) is None
    assert beside("a" * 1_000_000, "b") is None
