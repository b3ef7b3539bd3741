"""The variants as one Python module that runs without jitmagic.

Every variant stands in an ``if`` of its own at the module's top level, so that its source is what was verified: the
same statements in the same scope, only set deeper. One of them is chosen when the module is read; ``load_variant``
reads the module anew for another, so that no two variants share a name.
"""

from __future__ import annotations

import io
import keyword
import re
import tokenize
import warnings
from collections.abc import Iterator

from jitmagic import figures
from jitmagic.report import clean, rows
from jitmagic.report.rows import Record, Row

_INDENT = "    "
_FUTURE = re.compile(r"from\s+__future__\s+import\b")

_OWN = re.compile(r"\b(VARIANT|VARIANTS|load_variant)\b")
"""Names of the module's own, which no variant may use."""

_HEAD = '''\
"""{call}: NumPy and its variants, written by jitmagic {version}.

{sentence}

`VARIANT` says which one `{name}` is, and only its library is imported; `load_variant("…")` returns another beside it.
Measured on {machine}, {created}.
"""
'''

_TAIL = '''else:
    raise ValueError(f"there is no variant {{VARIANT!r}}; there are {{', '.join(VARIANTS)}}")


def load_variant(variant, **names):
    """Returns the function of a variant, made in a module of its own; ``names`` are what it needs (see above)."""
    import importlib.util
    import sys

    if variant not in VARIANTS:
        raise ValueError(f"there is no variant {{variant!r}}; there are {{', '.join(VARIANTS)}}")
    spec = importlib.util.spec_from_file_location(f"{{__name__}}_{{variant}}".replace("-", "_"), __file__)
    module = importlib.util.module_from_spec(spec)
    vars(module).update(names, VARIANT=variant)
    # what is compiled may look its own module up
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module.{name}


if __name__ == "__main__":
    for _name, _told in VARIANTS.items():
        print(f"{{'*' if _name == VARIANT else ' '}} {{_name}}: {{_told}}")
'''


def to_script(record: Record) -> str:
    """Writes the variants that have a source as one module.

    Raises
    ------
    ValueError
        Where the record's function has no name that Python can use.
    """
    name = record["workload"]["name"]
    if not name.isidentifier() or keyword.iskeyword(name):
        raise ValueError(f"{clean.line(name)[:60]!r} is no function's name, so that no module can be written")
    blocks = list(_blocks(record, name))
    if not blocks:
        raise ValueError("the record holds no source that a module could be made of")
    taken = _OWN.search("\n".join(line for *_, body in blocks for line in body))
    if taken is not None:
        raise ValueError(f"the function uses the name {taken.group()}, which the module needs for itself")
    told = {key: _told(row) for key, row, _, _ in blocks}
    chosen = next((key for key, row, _, _ in blocks if row.recommended), None)
    if chosen is None:
        chosen = next((key for key, row, _, _ in blocks if row.baseline), "numpy")
    sentence, _ = rows.advice(record)
    head = _HEAD.format(
        call=_quoted(record["workload"]["call"]),
        version=_quoted(record["jitmagic"]),
        sentence=_quoted(sentence),
        name=name,
        machine=_quoted(rows.machine(record)),
        created=_quoted(record["created"]),
    )
    parts = [head]
    # they have to stand first in a module
    parts += sorted({line for _, _, future, _ in blocks for line in future})
    parts.append(f'\nVARIANT = globals().get("VARIANT", {chosen!r})\nVARIANTS = {{')
    parts += [f"    {key!r}: {text!r}," for key, text in told.items()]
    parts.append("}\n")
    for index, (key, row, _, body) in enumerate(blocks):
        parts.append(f"{'elif' if index else 'if'} VARIANT == {key!r}:")
        parts += [_INDENT + line for line in _remarks(row)]
        parts += body
        entry = row.variant["entry"] or name
        if entry != name:
            parts.append(f"{_INDENT}{name} = {entry}")
        parts.append("")
    return "\n".join(parts) + "\n" + _TAIL.format(name=name)


def _blocks(record: Record, name: str) -> Iterator[tuple[str, Row, list[str], list[str]]]:
    """Yields each variant that can stand in a module: its key, row, imports from the future, and indented lines."""
    made: set[str] = set()
    for row in rows.rows(record):
        entry = row.variant["entry"] or name
        source = row.variant["source"].replace("\r\n", "\n").replace("\r", "\n")
        if not source.strip() or not entry.isidentifier() or keyword.iskeyword(entry) or not _compiles(source):
            continue
        key = row.label if row.label in made or row.name in made else row.name
        made.add(key)
        future, kept = _without_future(source)
        yield key, row, future, indented(kept)


def _compiles(source: str) -> bool:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compile(source, "<variant>", "exec", dont_inherit=True)
    except (SyntaxError, ValueError, RecursionError, MemoryError):  # a NUL character, or nested too deeply
        return False
    return True


def _without_future(source: str) -> tuple[list[str], str]:
    lines = source.split("\n")
    found = [line.strip() for line in lines if _FUTURE.match(line)]
    return found, "\n".join("" if _FUTURE.match(line) else line for line in lines)


def indented(source: str) -> list[str]:
    """Sets source deeper; lines that begin inside a text of several lines stay, since blanks there would change it."""
    inside: set[int] = set()
    started: list[int] = []
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.STRING:
            inside.update(range(token.start[0] + 1, token.end[0] + 1))
        elif token.type == getattr(tokenize, "FSTRING_START", None):
            started.append(token.start[0])
        elif token.type == getattr(tokenize, "FSTRING_END", None):
            inside.update(range(started.pop() + 1, token.end[0] + 1))
    lines = source.strip("\n").split("\n")
    dropped = len(source) - len(source.lstrip("\n"))
    return [
        line if number in inside or not line.strip() else _INDENT + line
        for number, line in enumerate(lines, start=dropped + 1)
    ]


def _told(row: Row) -> str:
    text = f"{row.sign} {row.verdict}"
    if row.timed and not row.baseline:
        text += f", {row.speedup} NumPy's speed" + (f" ({row.interval})" if row.interval else "")
    elif not row.baseline:
        text += f": {row.reason[:200]}"
    return text


def _remarks(row: Row) -> list[str]:
    made = [f"# {_told(row)}"]
    if row.variant["verified"] is not True:
        made.append("# its result was not verified against NumPy's")
    if row.variant["needs"]:
        needs = figures.listed([clean.line(name) for name in row.variant["needs"]])
        made.append(f"# needs {needs}: set them in this module, or give them to load_variant()")
    made += [f"# {clean.line(note)}" for note in row.variant["notes"]]
    return made


def _quoted(text: object) -> str:
    """Returns text as one line that ends no docstring."""
    return clean.line(text)[:300].replace("\\", "\\\\").replace('"', "'")
