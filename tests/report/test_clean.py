"""Strings of a record can neither command a terminal nor deceive a reader."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jitmagic.report import clean

anything = st.text(st.characters(exclude_categories=()), max_size=80)


def dangerous(character: str) -> bool:
    return unicodedata.category(character) in ("Cc", "Cf", "Cs", "Zl", "Zp") and character not in "\u200c\u200d"


@given(anything)
def test_nothing_invisible_is_left(text: str) -> None:
    assert not any(dangerous(character) for character in clean.line(text))
    assert not any(dangerous(character) for character in clean.block(text) if character != "\n")
    clean.line(text).encode("utf-8")
    clean.block(text).encode("utf-8")


@given(st.text("abc äöü速.,()[]", max_size=40))
def test_ordinary_text_stays(text: str) -> None:
    assert clean.block(text) == text


def test_escapes_are_shown_as_python_writes_them() -> None:
    assert clean.line("\x1b[31mred\x07") == r"\x1b[31mred\x07"
    assert clean.line("a\u202eb\ud800") == r"a\u202eb\ud800"
    assert clean.line(" a\n\tb ") == "a b"
    assert clean.block("a\r\n\tb\rc") == "a\n    b\nc"


@pytest.mark.parametrize("address", ["https://docs.jax.dev/a?b=c#d", "http://localhost:8888/x"])
def test_web_addresses_are_linked(address: str) -> None:
    assert clean.web_address(address) == address


@pytest.mark.parametrize(
    "address",
    [
        "",
        "javascript:alert(1)",
        " javascript:alert(1)",
        "JaVaScRiPt:alert(1)",
        "java\nscript:alert(1)",
        "data:text/html,x",
        "file:///etc/passwd",
        "//evil.example",
        "https:evil",
        "https://",
        "https://a b",
        'https://a.b/"onclick=alert(1)',
        "https://a.b/<script>",
        "http://[::1",
        "https://exa\u202emple.org",
    ],
)
def test_anything_else_is_not(address: str) -> None:
    assert clean.web_address(address) is None
