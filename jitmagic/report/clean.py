"""Strings of a record made harmless for a terminal and a page: nothing invisible is left in them.

A record may come from anywhere. An escape sequence could rewrite the terminal, a bidirectional override could show
source in another order than it runs in, a lone surrogate could not be written to a file.
"""

from __future__ import annotations

import re
import unicodedata
from urllib.parse import urlsplit

_TAB = 4
_UNUSUAL = re.compile(r"[^\x20-\x7e]")
_UNUSUAL_BUT_NEWLINE = re.compile(r"[^\x20-\x7e\n]")
_SPACES = re.compile(r"\s+")
# what RFC 3986 leaves out of an address
_NOT_IN_ADDRESSES = frozenset(' "<>\\^`{|}')
# the joiners of emoji and of Indic and Persian script
_JOINERS = "‌‍"


def line(text: object) -> str:
    """Returns text as one line: white space as single blanks, whatever else is invisible as its escape."""
    return _UNUSUAL.sub(_visible, _SPACES.sub(" ", str(text)).strip())


def block(text: str) -> str:
    """Returns text with its lines and indentation kept (tabs as blanks), whatever is invisible as its escape."""
    unified = text.replace("\r\n", "\n").replace("\r", "\n").expandtabs(_TAB)
    return _UNUSUAL_BUT_NEWLINE.sub(_visible, unified)


def web_address(text: str) -> str | None:
    """Returns an address that is safe to link to (http or https with a host, nothing invisible), else None."""
    if not text.isascii() or not text.isprintable() or not _NOT_IN_ADDRESSES.isdisjoint(text):
        return None
    try:
        parts = urlsplit(text)
        host = parts.hostname
    except ValueError:
        return None
    return text if parts.scheme in ("http", "https") and host else None


def _visible(match: re.Match[str]) -> str:
    character = match.group()
    if character.isprintable() or character in _JOINERS:
        return character
    if unicodedata.category(character) == "Zs":
        return " "
    return character.encode("unicode_escape").decode("ascii")
