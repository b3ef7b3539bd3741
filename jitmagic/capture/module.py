"""Puts the pieces of a capture together into one module that runs by itself."""

from __future__ import annotations

import copy
import types
from collections.abc import Mapping
from typing import Any

from jitmagic.capture.binding import Binding, Unit
from jitmagic.capture.follow import Follower
from jitmagic.capture.literal import literal, needs_numpy
from jitmagic.capture.values import type_name
from jitmagic.capture.workload import ModuleText, SourceFunction
from jitmagic.errors import CaptureError

CONSTRUCTORS = ("float", "complex", "slice")
"""Builtins that a literal may call; a module in which such a name means something else cannot have the literal."""


def import_line(name: str, path: str, *, module: bool) -> str:
    """Writes the import that binds ``name`` to ``path``, as it is usually written.

    >>> import_line("np", "numpy", module=True), import_line("sqrt", "numpy.sqrt", module=False)
    ('import numpy as np', 'from numpy import sqrt')
    >>> import_line("special", "scipy.special", module=True), import_line("la", "numpy.linalg", module=True)
    ('from scipy import special', 'import numpy.linalg as la')
    """
    parent, _, last = path.rpartition(".")
    if module and name == path:
        return f"import {path}"
    if parent and name == last:
        return f"from {parent} import {last}"
    return f"import {path} as {name}" if module else f"from {parent} import {last} as {name}"


def assemble(
    follower: Follower,
) -> tuple[ModuleText, dict[str, str], dict[str, Any], tuple[str, ...]]:
    """Writes the module of a capture.

    Returns
    -------
    module : ModuleText
    names : dict
        The import bindings, name to dotted path.
    constants : dict
        Deep copies of the values; one object that has two names stays one.
    needs : tuple of str
        The constants that the text does not write out.
    """
    imports = {name: each for name, each in follower.bindings.items() if each.kind == "import"}
    values = {name: each for name, each in follower.bindings.items() if each.kind == "value"}
    names = {name: str(each.path) for name, each in imports.items()}
    written, added = _written(follower, values, names)
    names.update(added)
    constants = _copies(values)
    needs = tuple(name for name in values if name not in written)

    lines: list[tuple[str, int | None]] = []
    modules = {name for name, each in imports.items() if _is_module(each)} | set(added)
    statements = [import_line(name, path, module=name in modules) for name, path in names.items()]
    statements += [f"import {each}" for each in follower.submodules]
    lines += [(each, None) for each in sorted(set(statements), key=lambda each: (each.startswith("from"), each))]
    if written:
        lines += [("", None)] * bool(lines)
        lines += [(f"{name} = {text}", None) for name, text in written.items()]
    for unit in follower.order:
        lines += [("", None)] * (2 * bool(lines))
        lines += unit_lines(follower, unit)
    text = "\n".join(each for each, _ in lines) + "\n"
    return ModuleText(text, tuple(line for _, line in lines)), names, constants, needs


def unit_lines(follower: Follower, unit: Unit) -> list[tuple[str, int | None]]:
    """Pairs the lines of a unit's text with the user's lines; None where it comes from another file."""
    text = unit.source.rstrip("\n").split("\n")
    lines = [(each, follower.user_line(unit, number)) for number, each in enumerate(text, start=1)]
    if unit.aliases:
        lines += [("", None)] * 2
        lines += [(f"{alias} = {unit.name}", None) for alias in unit.aliases]
    return lines


def source_function(unit: Unit) -> SourceFunction:
    """Makes the plain record of a unit, with its text as it stands in the module."""
    return SourceFunction(unit.name, unit.source, unit.lines[0], unit.definition.origin)


def _is_module(binding: Binding) -> bool:
    return isinstance(binding.value, types.ModuleType)


def _written(
    follower: Follower, values: Mapping[str, Binding], names: Mapping[str, str]
) -> tuple[dict[str, str], dict[str, str]]:
    """Writes out the values that have a literal; also returns the import of NumPy where only a literal needs it."""
    bound = {name for unit in follower.order for name in (unit.name, *unit.aliases)}
    numpy = next((name for name, path in names.items() if path == "numpy"), None)
    available = numpy or next(
        (each for each in ("numpy", "np") if each not in follower.bindings and each not in bound), None
    )
    shadowed = [each for each in CONSTRUCTORS if follower.bindings.get(each, _PLAIN).kind != "builtin"]
    written: dict[str, str] = {}
    used = False
    for name, each in values.items():
        wants = needs_numpy(each.value)
        if wants and available is None:
            continue
        text = literal(each.value, available or "numpy")
        if text is None or any(f"{constructor}(" in text for constructor in shadowed):
            continue
        written[name] = text
        used = used or wants
    if used and numpy is None:
        assert available is not None
        return written, {available: "numpy"}
    return written, {}


_PLAIN = Binding("builtin", None)


def _copies(values: Mapping[str, Binding]) -> dict[str, Any]:
    memo: dict[int, Any] = {}
    copies = {}
    for name, each in values.items():
        try:
            copies[name] = copy.deepcopy(each.value, memo)
        except Exception as error:  # deepcopy runs the code of any class: what it raises is the reason
            raise CaptureError(
                f"`{name}`, which `{each.owner}` reads from outside, cannot be captured: it is of type "
                f"{type_name(each.value)}, and it cannot be copied ({type(error).__name__}: {error}); pass the numbers "
                "and arrays in it as arguments."
            ) from error
    return copies
