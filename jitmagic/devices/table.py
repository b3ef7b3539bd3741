"""What was found, as text."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from typing import Any


def table(detected: Mapping[str, Any], width: int = 80) -> str:
    """Lays out what :func:`detect` found as text of at most ``width`` columns (a longer command stays whole)."""
    here = detected["machine"]
    memory = f"{here['memory'] / 2**30:.0f} GiB"
    lines = [
        f"{here['system']} {here['release']} on {here['architecture']}, Python {here['python']}",
        f"{counted(here['cores'], 'core')}, {counted(here['threads'], 'thread')}, {memory} of memory",
        "",
    ]
    rows = [("device", "what it is", "usable by")]
    for device in detected["devices"]:
        what = "; ".join((device["title"], *device["details"]))
        rows.append((device["name"], what, ", ".join(device["backends"]) or "none"))
    lines += _columns(rows, width)
    lines.append("")
    rows = [("backend", "version", "devices")]
    for backend in detected["backends"]:
        versions = ", ".join(f"{name} {version}" for name, version in backend["versions"].items())
        rows.append((backend["title"], versions or "not installed", ", ".join(backend["devices"]) or "none"))
    lines += _columns(rows, width)
    amiss = [backend for backend in detected["backends"] if backend["reason"] or not backend["installed"]]
    for backend in amiss:
        reason = backend["reason"] or "it is not installed"
        lines += ["", *_wrapped(f"{backend['title']}: {reason}", width)]
        if backend["remedy"]:
            lines.append(f"    {backend['remedy']}")
    for backend in detected["backends"]:
        for lack in backend["lacks"]:
            lines += ["", *_wrapped(f"{backend['title']} cannot use {lack['device']}: {lack['reason']}", width)]
            if lack["remedy"]:
                lines.append(f"    {lack['remedy']}")
    for note in detected["notes"]:
        lines += ["", *_wrapped(note, width)]
    return "\n".join(line.rstrip() for line in lines)


def counted(number: int, word: str) -> str:
    """Returns a number with its word: "1 core", "2 cores"."""
    return f"{number} {word}{'' if number == 1 else 's'}"


def _columns(rows: list[tuple[str, str, str]], width: int) -> list[str]:
    """Sets three columns; the last one wraps within the width."""
    first, second = (max(len(row[column]) for row in rows) for column in (0, 1))
    second = min(second, max(20, width // 2))
    lines = []
    for row in rows:
        middles = textwrap.wrap(row[1], second) or [""]
        lasts = textwrap.wrap(row[2], max(16, width - first - second - 4)) or [""]
        for number in range(max(len(middles), len(lasts))):
            cells = [column[number] if number < len(column) else "" for column in ([row[0]], middles, lasts)]
            lines.append(f"{cells[0]:<{first}}  {cells[1]:<{second}}  {cells[2]}")
    return lines


def _wrapped(text: str, width: int) -> list[str]:
    return textwrap.wrap(text, width, break_long_words=False, break_on_hyphens=False)
