"""What a release holds: one version, valid metadata, templates that ask for what a report needs."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

import jitmagic

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def test_the_version_stands_in_one_place() -> None:
    """And where npm asks for it too, it is the same."""
    assert PROJECT["project"]["dynamic"] == ["version"]
    assert json.loads((ROOT / "labextension" / "package.json").read_text())["version"] == jitmagic.__version__
    assert re.search(rf"^## {re.escape(jitmagic.__version__)}\b", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    # a version in it would have to be kept
    assert "\nversion:" not in (ROOT / "CITATION.cff").read_text()


def test_the_citation_agrees_with_the_metadata() -> None:
    citation = (ROOT / "CITATION.cff").read_text()
    assert f"license: {PROJECT['project']['license']}" in citation
    assert f'name: "{PROJECT["project"]["authors"][0]["name"]}"' in citation


def test_a_report_of_a_bug_asks_for_what_it_needs() -> None:
    folder = ROOT / ".github" / "ISSUE_TEMPLATE"
    for name in ("wrong-result.yml", "refused-or-failed.yml"):
        text = (folder / name).read_text()
        assert "jitmagic devices" in text
        assert "--save record.json" in text


def test_the_package_is_typed() -> None:
    assert (ROOT / "jitmagic" / "py.typed").exists()
    assert "Typing :: Typed" in PROJECT["project"]["classifiers"]
