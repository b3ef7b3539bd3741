"""Takes imports that stand in a function's body out of it, so that the module binds them.

Only NumPy, SciPy and Python's own modules are taken: importing them here costs nothing that matters, and changes
nothing. Another import stays where it is.
"""

from __future__ import annotations

import ast
import importlib
import sys
from collections import Counter
from typing import Any

from jitmagic.capture.definitions import Edit, segment


def lift(node: ast.FunctionDef | ast.AsyncFunctionDef, source: str) -> list[tuple[int, Edit, dict[str, Any]]]:
    """Finds the imports that can be taken out: statements of the body itself, of names that nothing else binds.

    Returns
    -------
    list of (line, edit, values)
        The statement's line in ``source``, the edit that removes it, and what its names stand for.
    """
    lines = source.split("\n")
    bound = Counter(_bound(node))
    found = []
    for statement in node.body[:-1]:
        if not isinstance(statement, ast.Import | ast.ImportFrom):
            continue
        values = _values(statement)
        assert statement.end_lineno is not None
        whole = "\n".join(lines[statement.lineno - 1 : statement.end_lineno]).partition("#")[0].strip()
        if values and whole == segment(lines, statement) and all(bound[name] == 1 for name in values):
            edit = Edit(statement.lineno, 0, statement.end_lineno + 1, 0, "")
            found.append((statement.lineno, edit, values))
    return found


def _values(statement: ast.Import | ast.ImportFrom) -> dict[str, Any]:
    """Imports what a statement names; empty where it is not to be taken out."""
    values: dict[str, Any] = {}
    for alias in statement.names:
        path = alias.name if isinstance(statement, ast.Import) else f"{statement.module}.{alias.name}"
        root = path.partition(".")[0]
        if getattr(statement, "level", 0) or (root not in ("numpy", "scipy") and root not in sys.stdlib_module_names):
            return {}
        if isinstance(statement, ast.Import) and "." in path and alias.asname is None:
            return {}
        try:
            values[alias.asname or alias.name] = _import(statement, alias.name)
        except (ImportError, AttributeError):
            return {}  # it would fail in the function too, perhaps on a branch that is never taken
    return values


def _import(statement: ast.Import | ast.ImportFrom, name: str) -> Any:
    if isinstance(statement, ast.Import):
        return importlib.import_module(name)
    module = importlib.import_module(str(statement.module))
    if hasattr(module, name):
        return getattr(module, name)
    return importlib.import_module(f"{statement.module}.{name}")


def _bound(node: ast.AST) -> list[str]:
    """Lists the names that a function binds, one for each place that does."""
    names = []
    for each in ast.walk(node):
        if isinstance(each, ast.Name) and not isinstance(each.ctx, ast.Load):
            names.append(each.id)
        elif isinstance(each, ast.arg):
            names.append(each.arg)
        elif isinstance(each, ast.alias):
            names.append(each.asname or each.name.partition(".")[0])
        elif isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and each is not node:
            names.append(each.name)
        elif isinstance(each, ast.Global | ast.Nonlocal):
            names.extend(each.names)
    return names
