"""The page that stands alone: one file, its own scripts and no other."""

from __future__ import annotations

import base64
import hashlib
import json
import re

import pytest

from jitmagic.report import html, web_page
from tests.report import samples

BUILT = web_page.resources.files("jitmagic.report").joinpath("static", "page.js").is_file()
needs_build = pytest.mark.skipif(not BUILT, reason="the view was not built")


def scripts(page: str) -> list[tuple[str, str]]:
    return re.findall(r"<script([^>]*)>(.*?)</script>", page, re.DOTALL)


@needs_build
def test_the_policy_allows_its_own_scripts_alone() -> None:
    page = web_page.to_page(samples.sample())
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page)
    assert policy
    allowed = set(re.findall(r"'sha256-([^']*)'", policy.group(1)))
    running = [text for attributes, text in scripts(page) if "application/json" not in attributes]
    digests = {base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in running}
    assert digests == allowed
    assert "'unsafe-inline'" not in policy.group(1).split("script-src")[1]
    assert "http" not in policy.group(1)


@needs_build
@pytest.mark.parametrize("name", [path.stem for path in sorted(samples.FOLDER.glob("*.json"))])
def test_the_record_comes_out_as_it_went_in(name: str) -> None:
    record = json.loads((samples.FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    data = {re.search('id="([^"]*)"', attributes)[1]: text for attributes, text in scripts(web_page.to_page(record))
            if "json" in attributes}  # fmt: skip
    assert json.loads(data["jitmagic-record"]) == record
    assert all("<" not in text for text in data.values())


@needs_build
def test_without_scripts_the_static_result_stays() -> None:
    record = samples.sample()
    assert html.to_html(record) in web_page.to_page(record)


def test_without_a_built_view_it_is_the_static_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web_page, "_SCRIPT", ("static", "missing.js"))
    assert web_page.to_page(samples.sample()) == html.to_html(samples.sample(), page=True)


def test_what_would_end_a_script_does_not() -> None:
    inlined = web_page._inlined("a = '</script>'; b = '<!--'")
    assert "</script" not in inlined
    assert "<!--" not in inlined
