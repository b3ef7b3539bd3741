"""Which pages of `docs/` are made, and from what."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from jitmagic.gotchas import pages as gotchas
from jitmagic.report import page as record
from pages import options, rewriting

FOLDER = Path(__file__).parents[1] / "docs"


def made() -> Mapping[str, str]:
    """Returns the text of every made page by its place in `docs/`."""
    return {
        "options.md": options.page(),
        "rewriting.md": rewriting.page(),
        "record.md": record.page(),
        **{f"gotchas/{name}": text for name, text in gotchas.pages().items()},
    }


def outdated(folder: Path = FOLDER) -> list[str]:
    """Returns the pages that are not as the code makes them, or are of a gotcha that is gone."""
    expected = made()
    there = {path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8") for path in folder.rglob("*.md")}
    gone = [name for name in there if name.startswith("gotchas/") and name not in expected]
    return sorted([*gone, *(name for name, text in expected.items() if there.get(name) != text)])


def write(folder: Path = FOLDER) -> None:
    """Writes the pages, and removes those of gotchas that are gone."""
    expected = made()
    for name in outdated(folder):
        if name not in expected:
            (folder / name).unlink()
            continue
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(expected[name], encoding="utf-8")
