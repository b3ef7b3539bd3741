"""The map in ``docs/architecture.md``: it names every folder, and no file that is not there."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
MAP = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")


def test_every_folder_is_on_the_map() -> None:
    folders = {path.parent for path in (ROOT / "jitmagic").rglob("*.py")} - {ROOT / "jitmagic"}
    assert [folder.name for folder in sorted(folders) if f"{folder.name}/" not in MAP] == []


def test_every_file_of_a_small_folder_is_on_the_map() -> None:
    # torch's adaptors, Numba's rewrites and each library's gotchas are named as groups
    groups = {"torch", "rewrites", "gotchas"}
    files = [path for path in (ROOT / "jitmagic").rglob("*.py") if not groups & set(path.parts)]
    missing = [path.name for path in sorted(files) if not path.name.startswith("__") and path.name not in MAP]
    assert missing == []


def test_every_file_on_the_map_is_there() -> None:
    there = {path.name for path in ROOT.rglob("*.py")} | {"v1.json"}
    assert set(re.findall(r"`(?:[a-z_]+/)*([a-z_0-9]+\.py)`", MAP)) - there == set()
