"""The pages in docs/ that are made from the code are as the code makes them today."""

from __future__ import annotations

from pages.made import outdated


def test_the_pages_are_current() -> None:
    assert outdated() == [], "run python -m pages"
