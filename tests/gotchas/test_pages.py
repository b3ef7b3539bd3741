"""The catalogue in docs/gotchas is the rules' own text."""

from pathlib import Path

from jitmagic.gotchas.pages import pages

FOLDER = Path(__file__).parents[2] / "docs" / "gotchas"


def test_the_pages_are_current() -> None:
    made = pages()
    assert {path.name for path in FOLDER.glob("*.md")} == set(made), "run python -m jitmagic.gotchas.pages docs/gotchas"
    old = [name for name, text in made.items() if (FOLDER / name).read_text(encoding="utf-8") != text]
    assert old == [], "run python -m jitmagic.gotchas.pages docs/gotchas"


def test_every_page_is_in_the_list() -> None:
    made = pages()
    for name in made:
        assert name == "README.md" or f"({name})" in made["README.md"]
