"""The record's description for readers, ``docs/record.md``, made from the schema.

python -m jitmagic.report.page docs/record.md
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from jitmagic.report.record import MIME, schema

_HEAD = f"""\
# The record

*Made from `jitmagic/report/schema/v1.json` by `python -m jitmagic.report.page docs/record.md`; do not edit.*

Every comparison is one JSON object, of the media type `{MIME}` in a notebook. Text and HTML are views of it.
`comparison.to_json()` writes it, `jitmagic compare … --json FILE` too; `jitmagic.Comparison.from_json(text)` and
`jitmagic render FILE` read it; `jitmagic.report.record.validate` checks one.
"""


def page() -> str:
    """Returns the page as Markdown."""
    root = schema()
    parts = [_HEAD, f"{root['description']}\n", *_section("The whole", root)]
    for name, part in root["properties"].items():
        parts += _sections(name, part)
    for name, part in root["$defs"].items():
        parts += _sections(name, part)
    return "\n".join(parts)


def _sections(title: str, part: Mapping[str, Any]) -> Iterator[str]:
    """Yields a section for a part that has fields of its own, and for those inside it."""
    for inner in (part, part.get("items", {}), *part.get("anyOf", ())):
        if "properties" in inner:
            yield from _section(f"`{title}`", inner)
            for name, field in inner["properties"].items():
                yield from _sections(f"{title}.{name}", field)


def _section(title: str, part: Mapping[str, Any]) -> Iterator[str]:
    yield f"## {title}\n"
    if title.startswith("`"):
        yield f"{part['description']}\n"
    yield "| field | is | meaning |\n|---|---|---|"
    required = part.get("required", ())
    for name, field in part["properties"].items():
        kept = "" if name in required else " *May be absent.*"
        yield f"| `{name}` | {_kind(field)} | {_cell(field['description'] + kept)} |"
    yield ""
    rules = [f"- {rule['description']}" for rule in part.get("allOf", ()) if "description" in rule]
    if rules:
        yield "\n".join(rules) + "\n"


def _kind(field: Mapping[str, Any]) -> str:
    if "$ref" in field:
        name = field["$ref"].removeprefix("#/$defs/")
        return f"[{name}](#{name})"
    if "const" in field:
        return f"`{field['const']}`"
    if "enum" in field:
        return " · ".join("null" if value is None else f"`{value}`" for value in field["enum"])
    if "anyOf" in field:
        return " or ".join(_kind(branch) for branch in field["anyOf"])
    names = [field["type"]] if isinstance(field.get("type"), str) else field.get("type", ["anything"])
    if "array" in names and "items" in field and "properties" not in field["items"]:
        names = [f"array of {_kind(field['items'])}" if name == "array" else name for name in names]
    return " or ".join(names)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(page(), encoding="utf-8")
