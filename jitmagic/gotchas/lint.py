"""The rules on source text alone: nothing is imported and nothing is run.

>>> text = "import numpy as np\\n\\ndef fn(x):\\n    print(x)\\n    return np.sin(x)\\n"
>>> [(found.gotcha.code, found.gotcha.line) for found in lint_text(text, "a.py", backends=("jax",))]
[('JX-PRINT', 4)]
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from jitmagic.capture.workload import ModuleText, SourceFunction, Workload
from jitmagic.errors import JitmagicError
from jitmagic.gotchas.diagnostic import Gotcha
from jitmagic.gotchas.registry import all_rules, find
from jitmagic.observe.facts import Observation

_OWN = ("numba", "jax", "torch", "cupy")
_IGNORE = re.compile(r"#\s*jitmagic:\s*ignore(?:\[([A-Za-z0-9, -]*)\])?")
_IGNORE_FILE = re.compile(r"^\s*#\s*jitmagic:\s*ignore-file", re.MULTILINE)
_LEVELS = {"silent": "warning", "error": "error", "performance": "note"}


class LintError(JitmagicError):
    """A file cannot be looked at; the text says why."""


@dataclass(frozen=True)
class Found:
    """One gotcha in a file.

    Attributes
    ----------
    path : str
    cell : int or None
        The number of the code cell of a notebook, from 1; lines then count within it.
    function : str
    gotcha : Gotcha
    """

    path: str
    cell: int | None
    function: str
    gotcha: Gotcha

    @property
    def place(self) -> str:
        """Where it is, as editors read it."""
        path = self.path if self.cell is None else f"{self.path}:cell {self.cell}"
        return f"{path}:{self.gotcha.line or 1}:{(self.gotcha.column or 0) + 1}"


def backends_with_rules() -> tuple[str, ...]:
    """Returns the backends that there are gotchas of: jitmagic's own, then those of other packages' rules."""
    others = {one.backend for one in all_rules().values() if one.origin and one.backend != "all"}
    return (*_OWN, *sorted(others - set(_OWN)))


def lint_file(
    path: str,
    backends: Sequence[str] | None = None,
    unlikely: bool = False,
    troubles: list[str] | None = None,
) -> list[Found]:
    """Looks at a Python file or a notebook; see :func:`lint_text`.

    Raises
    ------
    LintError
        If it cannot be read, or is no Python.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise LintError(f"{path} cannot be read: {error}") from error
    if not path.endswith(".ipynb"):
        return lint_text(text, path, backends=backends, unlikely=unlikely, troubles=troubles)
    try:
        cells = [cell for cell in json.loads(text)["cells"] if cell["cell_type"] == "code"]
        sources = [
            _python(cell["source"] if isinstance(cell["source"], str) else "".join(cell["source"])) for cell in cells
        ]
    except (ValueError, KeyError, TypeError) as error:
        raise LintError(f"{path} is no notebook of format 4: {type(error).__name__}: {error}") from error
    return _lint_cells(sources, path, backends, unlikely, troubles)


def lint_text(
    text: str,
    path: str,
    *,
    backends: Sequence[str] | None = None,
    unlikely: bool = False,
    names: Mapping[str, str] | None = None,
    every: bool = False,
    troubles: list[str] | None = None,
) -> list[Found]:
    """Finds what may go wrong with each function of a module that uses NumPy.

    Parameters
    ----------
    text, path : str
    backends : sequence of str, optional
        Whose gotchas; by default those of :func:`backends_with_rules`.
    unlikely : bool
        Also those that need special values (a NaN, a zero, an index out of range).
    names : mapping of str to str
        What names of other places stand for, as in ``Workload.names``.
    every : bool
        Also the functions that do not name NumPy: where somebody asks for these very functions.
    troubles : list of str, optional
        As for :func:`jitmagic.gotchas.registry.find`.

    Returns
    -------
    list of Found
        By line.

    Raises
    ------
    LintError
        If the text is no Python.
    """
    try:
        tree = ast.parse(text)
    except SyntaxError as error:
        raise LintError(f"{path}:{error.lineno}: this is no Python: {error.msg}") from error
    if _IGNORE_FILE.search(text):
        return []
    backends = backends_with_rules() if backends is None else backends
    known = {**(names or {}), **_imports(tree)}
    functions = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
    lines = text.splitlines()
    found: list[Found] = []
    for node in functions.values():
        reached = _reached(node, functions)
        if every or _uses_numpy([functions[one] for one in reached], known):
            for gotcha, inside in _of_function(node, tree, lines, reached, known, path, troubles):
                if _wanted(gotcha, backends, unlikely) and not _ignored(gotcha, inside, lines):
                    found.append(Found(path, None, inside.name, gotcha))
    # a helper is looked at by itself, and again with each caller
    unique = {(one.gotcha.code, one.gotcha.line, one.gotcha.column): one for one in reversed(found)}
    return sorted(unique.values(), key=lambda one: (one.gotcha.line or 0, one.gotcha.column or 0, one.gotcha.code))


def _lint_cells(
    sources: Sequence[str], path: str, backends: Sequence[str] | None, unlikely: bool, troubles: list[str] | None
) -> list[Found]:
    """Looks at a notebook's cells as one module, and counts lines within each cell."""
    starts, text = [], ""
    for source in sources:
        starts.append(text.count("\n"))
        text += source.rstrip("\n") + "\n\n"
    placed = []
    for one in lint_text(text, path, backends=backends, unlikely=unlikely, troubles=troubles):
        line = one.gotcha.line or 1
        number = max(index for index, start in enumerate(starts) if start < line)
        end = None if one.gotcha.end_line is None else one.gotcha.end_line - starts[number]
        gotcha = replace(one.gotcha, line=line - starts[number], end_line=end)
        placed.append(Found(path, number + 1, one.function, gotcha))
    return placed


def _python(source: str) -> str:
    """Returns a cell's source with magics and shell commands blanked out; a cell of another language is empty."""
    lines = source.split("\n")
    if lines and lines[0].startswith("%%") and not lines[0].startswith(("%%jit", "%%time", "%%capture", "%%prun")):
        return "\n".join("" for _ in lines)
    return "\n".join("" if re.match(r"\s*[%!]|.*[^?]\?{1,2}\s*$", line) and "#" not in line else line for line in lines)


def _imports(tree: ast.Module) -> dict[str, str]:
    """Returns what the module's imports bind."""
    found: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for one in node.names:
                found[one.asname or one.name.split(".")[0]] = one.name if one.asname else one.name.split(".")[0]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            for one in node.names:
                found[one.asname or one.name] = f"{node.module}.{one.name}"
    return found


def _reached(node: ast.FunctionDef, functions: Mapping[str, ast.FunctionDef]) -> list[str]:
    """Returns the names of the module's functions that a function calls, itself first."""
    reached, waiting = [], [node.name]
    while waiting:
        name = waiting.pop()
        if name in reached:
            continue
        reached.append(name)
        called = {one.id for one in ast.walk(functions[name]) if isinstance(one, ast.Name) and one.id in functions}
        waiting.extend(sorted(called))
    return reached


def _uses_numpy(nodes: Iterable[ast.AST], names: Mapping[str, str]) -> bool:
    return any(
        isinstance(one, ast.Name) and names.get(one.id, "").split(".")[0] in ("numpy", "scipy")
        for node in nodes
        for one in ast.walk(node)
    )


def _of_function(
    node: ast.FunctionDef,
    tree: ast.Module,
    lines: Sequence[str],
    reached: Sequence[str],
    names: Mapping[str, str],
    path: str,
    troubles: list[str] | None,
) -> Iterator[tuple[Gotcha, ast.FunctionDef]]:
    """Yields the gotchas of a function and its helpers, each with the function that it stands in.

    The rest of the module is blanked out, so that lines stay.
    """
    kept = [""] * len(lines)
    constants: dict[str, Any] = {}
    for statement in tree.body:
        wanted = isinstance(statement, ast.Import | ast.ImportFrom)
        wanted = wanted or (isinstance(statement, ast.FunctionDef) and statement.name in reached)
        if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
            name = statement.targets[0].id
            try:
                constants[name] = ast.literal_eval(statement.value)
            except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
                constants[name] = None  # a value that only running the file would show
            wanted = False
        if wanted:
            first, last = statement.lineno - 1, statement.end_lineno or statement.lineno
            kept[first:last] = lines[first:last]
    text = "\n".join(kept) + "\n"
    source = SourceFunction(node.name, "\n".join(lines[node.lineno - 1 : node.end_lineno]) + "\n", node.lineno, path)
    workload = Workload(
        source, (), ModuleText(text, tuple(range(1, len(kept) + 1))), names, constants, tuple(constants), (), {},
        f"{node.name}(…)", (),
    )  # fmt: skip
    unwatched = Observation(0.0, False, None, None, (), None, (), (), "", False, (), (), {})
    inside = [one for one in tree.body if isinstance(one, ast.FunctionDef) and one.name in reached]
    for gotcha in find(workload, unwatched, troubles):
        for one in inside:
            if gotcha.line is not None and one.lineno <= gotcha.line <= (one.end_lineno or one.lineno):
                yield gotcha, one


def _wanted(gotcha: Gotcha, backends: Sequence[str], unlikely: bool) -> bool:
    likely = gotcha.status != "not seen with these inputs"
    return gotcha.backend in (*backends, "all") and (likely or unlikely)


def _ignored(gotcha: Gotcha, node: ast.FunctionDef, lines: Sequence[str]) -> bool:
    """Tells whether a comment on the gotcha's line, or on the line of the ``def``, asks to leave it out."""
    for number in {gotcha.line or node.lineno, node.lineno}:
        match = _IGNORE.search(lines[number - 1])
        if match and (match[1] is None or gotcha.code in {code.strip().upper() for code in match[1].split(",")}):
            return True
    return False


# -- what is shown


def to_text(found: Sequence[Found]) -> str:
    """Writes one line a gotcha, as compilers do, with what to do behind an arrow."""
    lines = []
    for one in found:
        gotcha = one.gotcha
        origin = f"; from {gotcha.origin}" if gotcha.origin else ""
        lines.append(f"{one.place}: {gotcha.code} [{gotcha.severity}, {gotcha.status}{origin}] {gotcha.message}")
        if gotcha.fix:
            lines.append(f"    → {gotcha.fix}")
    number = len(found)
    lines.append(f"{number} {'gotcha' if number == 1 else 'gotchas'}" if number else "no gotchas found")
    return "\n".join(lines)


def to_json(found: Sequence[Found]) -> str:
    """Writes a list of objects."""
    return json.dumps(
        [{"path": one.path, "cell": one.cell, "function": one.function, **vars(one.gotcha)} for one in found], indent=1
    )


def to_sarif(found: Sequence[Found], version: str) -> str:
    """Writes SARIF 2.1.0, which code hosts and editors read; columns are in characters from 1."""
    rules = all_rules()
    codes = sorted({one.gotcha.code for one in found})
    driver = {
        "name": "jitmagic",
        "version": version,
        "rules": [
            {
                "id": code,
                "shortDescription": {"text": rules[code].title},
                "fullDescription": {"text": rules[code].what},
                "helpUri": rules[code].links[0],
                "defaultConfiguration": {"level": _LEVELS[rules[code].severity]},
            }
            for code in codes
        ],
    }
    results = [
        {
            "ruleId": one.gotcha.code,
            "ruleIndex": codes.index(one.gotcha.code),
            "level": _LEVELS[one.gotcha.severity],
            "message": {"text": f"{one.gotcha.message} {one.gotcha.fix}".strip()},
            "locations": [{"physicalLocation": {"artifactLocation": {"uri": one.path}, "region": _region(one)}}],
        }
        for one in found
    ]
    run = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}
    schema = "https://json.schemastore.org/sarif-2.1.0.json"
    return json.dumps({"$schema": schema, "version": "2.1.0", "runs": [run]}, indent=1)


def _region(one: Found) -> dict[str, int]:
    gotcha = one.gotcha
    return {
        "startLine": gotcha.line or 1,
        "startColumn": (gotcha.column or 0) + 1,
        "endLine": gotcha.end_line or gotcha.line or 1,
        "endColumn": (gotcha.end_column or 0) + 1,
    }
