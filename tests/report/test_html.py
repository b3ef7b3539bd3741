"""The HTML view: structure that no string can change, no script, and meaning that survives without styles."""

from __future__ import annotations

import json
import re
import time
from html.parser import HTMLParser
from typing import Any

import pytest

from jitmagic.report import html
from tests.report import samples

FILES = sorted(path.stem for path in samples.FOLDER.glob("*.json"))
VOID = {"br", "meta"}
# what JupyterLab keeps of an untrusted output (packages/apputils/src/sanitizer.ts)
KEPT_TAGS = {
    "a", "br", "caption", "code", "details", "div", "li", "p", "pre", "section", "small", "span", "strong", "summary",
    "table", "tbody", "td", "th", "thead", "tr", "ul",
}  # fmt: skip
LENGTH = r"(0|[0-9]*\.?[0-9]+(px|em))"
COLOR = r"(#[0-9a-f]{6}|rgba\(\d+,\d+,\d+,0\.\d+\))"
KEPT_STYLES = {
    "margin": rf"({LENGTH} ?){{1,4}}",
    "padding": rf"({LENGTH} ?){{1,4}}",
    "padding-top": LENGTH,
    "width": LENGTH,
    "max-width": LENGTH,
    "height": LENGTH,
    "line-height": r"[0-9.]+",
    "font-size": r"\d+%",
    "font-weight": "normal|bold",
    "font-family": "monospace",
    "text-align": "left|right",
    "vertical-align": "top|baseline",
    "white-space": "pre|pre-wrap|nowrap",
    "overflow": "hidden",
    "overflow-x": "auto",
    "border-bottom": rf"1px solid {COLOR}",
    "border-left": rf"3px solid {COLOR}",
    "border-collapse": "collapse",
    "border-radius": LENGTH,
    "background": "#[0-9a-f]{4}",
    "background-color": COLOR,
    "color": COLOR,
    "opacity": r"0\.[0-9]+",
    "display": "inline-block",
}


def read(name: str) -> dict[str, Any]:
    return json.loads((samples.FOLDER / f"{name}.json").read_text(encoding="utf-8"))


class Structure(HTMLParser):
    """Collects tags with their attributes' names, their nesting, styles, links and text."""

    def __init__(self, source: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, ...]] = []
        self.styles: list[str] = []
        self.links: list[str] = []
        self.attributes: set[str] = set()
        self.text: list[str] = []
        self.open: list[str] = []
        self.errors: list[str] = []
        self.feed(source)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, *(name for name, _ in attrs)))
        for name, value in attrs:
            self.attributes.add(name)
            if name == "style":
                self.styles.append(value or "")
            if name == "href":
                self.links.append(value or "")
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.errors.append(tag)
        self.tags.append((f"/{tag}",))

    def handle_data(self, data: str) -> None:
        self.text.append(data)

    def handle_comment(self, data: str) -> None:
        self.errors.append(data)

    def words(self) -> str:
        return re.sub(r"\s+", " ", " ".join(self.text))


@pytest.mark.parametrize("page", [False, True])
@pytest.mark.parametrize("name", FILES)
def test_tags_are_closed_in_their_order(name: str, page: bool) -> None:
    found = Structure(html.to_html(read(name), page=page))
    assert found.errors == []
    assert found.open == []


@pytest.mark.parametrize("name", FILES)
def test_hostile_strings_change_no_structure(name: str) -> None:
    record = read(name)

    def harmless(old: str, path: str) -> str:
        # of the same length in what is shown, since long strings are cut and told in full elsewhere
        return "x" * 200 + path

    def hostile(old: str, path: str) -> str:
        return samples.HOSTILE + "x" * (200 - len(samples.HOSTILE)) + path

    benign = Structure(html.to_html(samples.replace_strings(record, harmless), page=True))
    attacked = Structure(html.to_html(samples.replace_strings(record, hostile), page=True))
    assert attacked.errors == []
    assert attacked.tags == benign.tags


@pytest.mark.parametrize("name", FILES)
def test_nothing_runs_and_nothing_is_fetched(name: str) -> None:
    hostile = samples.replace_strings(read(name), lambda old, path: samples.HOSTILE + path)
    for record in (read(name), hostile):
        for page in (False, True):
            found = Structure(html.to_html(record, page=page))
            tags = {tag for tag, *_ in found.tags}
            assert not tags & {"script", "img", "iframe", "link", "object", "embed", "form", "svg", "base"}
            assert not [name for name in found.attributes if name.startswith("on") or name in ("src", "srcdoc")]
            assert not [style for style in found.styles if "url" in style or "expression" in style]
            assert all(link.startswith(("https://", "http://")) for link in found.links)


@pytest.mark.parametrize(
    "link", ["javascript:alert(1)", "data:text/html,x", '" onclick="x', "https:///", "\x01https://a.b"]
)
def test_only_web_addresses_are_linked(link: str) -> None:
    record = samples.many()
    for gotcha in record["gotchas"]:
        gotcha["link"] = link
    assert Structure(html.to_html(record)).links == []


def test_a_documentation_link_is_kept() -> None:
    assert Structure(html.to_html(samples.sample())).links == ["https://docs.jax.dev/en/latest/default_dtypes.html"]


@pytest.mark.parametrize("name", FILES)
def test_a_sanitizer_leaves_it_as_it_is(name: str) -> None:
    found = Structure(html.to_html(read(name)))
    assert {tag.removeprefix("/") for tag, *_ in found.tags} <= KEPT_TAGS
    for style in set(found.styles):
        for declaration in style.split(";"):
            property_, _, value = declaration.partition(":")
            assert re.fullmatch(KEPT_STYLES[property_], value), declaration


def test_without_styles_the_words_and_bars_still_tell_it() -> None:
    words = Structure(html.to_html(samples.sample())).words()
    assert "Take numba-parallel: 5.8 times NumPy's speed here" in words
    assert re.search(r"▲ faster ?█{20} 5\.8× \(5\.6–6\.0\) 26\.0 ms 26\.0 ms 1\.3 s 11 2\.4e-07", words)
    assert re.search(r"▼ slower ?█{3} 0\.81× \(0\.78–0\.84\)", words)
    assert re.search(r"≠ differs the result is float64 .* largest error 0\.50 .* → see JX-PROMO", words)
    assert "– unsupported no NVIDIA GPU was found on this machine" in words


def test_no_figure_of_speed_for_what_was_not_verified() -> None:
    record = samples.sample()
    record["variants"][0].update(verdict="differs", verified=False)
    record["recommendation"] = None
    words = Structure(html.to_html(record)).words()
    assert "5.8×" not in words
    assert "26.0 ms" not in words


def test_the_advice_stands_first_then_the_table_then_details() -> None:
    shown = html.to_html(samples.many())
    assert shown.index("Take numba-parallel") < shown.index("<table") < shown.index("Watch out") < shown.index("<pre")


def test_every_variant_has_its_source_in_details() -> None:
    record = samples.many()
    shown = html.to_html(record)
    words = Structure(shown).words()
    assert "numba.prange" in words
    made = [variant for variant in record["variants"] if variant["source"]]
    assert len(made) < len(record["variants"])  # what was not made has its reason in the table, and no empty details
    assert words.count("beside the original") == len(made)


def test_code_in_a_sentence_is_set_as_code() -> None:
    record = samples.many()
    record["recommendation"]["conditions"] = ["`y[i]` < `<b>x</b>`", "a ` alone"]
    shown = html.to_html(record)
    assert "<li><code>y[i]</code> &lt; <code>&lt;b&gt;x&lt;/b&gt;</code></li><li>a ` alone</li>" in shown


def test_source_comes_out_of_the_page_as_it_went_in() -> None:
    record = samples.sample()
    source = '\n\nif a < b and "x" > c:\n    d = "&amp;</pre>"\n'
    record["variants"][0]["source"] = source
    body = re.search(r"<pre[^>]*>(.*?)</pre>", html.to_html(record), re.DOTALL)
    assert body
    # a browser drops the first newline in <pre>
    assert "".join(Structure(f"<i>{body.group(1)[1:]}</i>").text) == source


def test_changed_lines_are_marked_by_signs() -> None:
    shown = html.to_html(samples.many())
    assert re.search(r">−\s+8\s+for i in range", shown)
    assert re.search(r">\+\s+10\s+for i in numba.prange", shown)


def test_sources_too_long_to_compare_are_not_compared() -> None:
    record = samples.sample()
    record["variants"][0]["source"] = "x = 1\n" * 20_000
    before = time.perf_counter()
    assert "too long to be set beside" in html.to_html(record)
    assert time.perf_counter() - before < 5


def test_an_interrupted_comparison_says_so_first() -> None:
    shown = html.to_html(samples.interrupted())
    assert shown.index("Interrupted after 3.2 s") < shown.index("No recommendation") < shown.index("<table")


def test_gotchas_that_press_are_open_and_the_others_folded() -> None:
    shown = html.to_html(samples.many())
    assert shown.index("NB-FASTMATH") < shown.index("known traps") < shown.index("JX-X32")


def test_headers_have_a_scope_and_tables_a_caption() -> None:
    shown = html.to_html(samples.many())
    assert shown.count("<table") == shown.count("<caption")
    assert all("scope=" in tag for tag in re.findall(r"<th\b[^>]*>", shown))


def test_a_page_stands_alone() -> None:
    shown = html.to_html(samples.non_ascii(), page=True)
    assert shown.startswith("<!DOCTYPE html>")
    assert '<meta charset="utf-8">' in shown
    assert "<title>jitmagic: größe(λ, 速度)</title>" in shown
    assert "default-src 'none'" in shown
    assert html.to_html(samples.non_ascii()) in shown


def test_colours_of_text_are_inherited() -> None:
    # a fixed colour is allowed on signs and in bars alone, where it is legible on white and black
    found = Structure(html.to_html(samples.many()))
    coloured = [style for style in found.styles if re.search(r"(^|;)color:", style)]
    assert coloured
    assert all(re.search(r"(^|;)color:(#2a9d6f|#c8703d|#8a8f98)$", style) for style in coloured)


@pytest.mark.parametrize("name", [name for name in FILES if name != "hostile"])
def test_it_is_small(name: str) -> None:
    assert len(html.to_html(read(name)).encode()) < 60_000


def test_names_of_a_megabyte_are_cut_in_the_table_and_whole_in_the_details() -> None:
    record = samples.sample()
    record["variants"][0]["name"] = name = "n" * 1_000_000
    record["recommendation"]["variant"] = name
    shown = html.to_html(record)
    table = shown[shown.index("<table") : shown.index("</table>")]
    assert len(table) < 10_000
    assert name in shown


def test_huge_strings_everywhere_are_survived() -> None:
    big = samples.replace_strings(samples.sample(), lambda old, path: samples.HOSTILE * 900 + path)
    found = Structure(html.to_html(big, page=True))
    assert found.errors == []
    assert not {"script", "img"} & {tag for tag, *_ in found.tags}
