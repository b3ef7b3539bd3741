"""What the names of a captured module stand for, and the functions on their way into it."""

from __future__ import annotations

import types
from dataclasses import dataclass, field
from typing import Any

from jitmagic.capture.definitions import Definition
from jitmagic.capture.literal import identical, literal
from jitmagic.capture.scope import Scope
from jitmagic.capture.values import type_name


@dataclass
class Unit:
    """One function on its way into the module: the live one, its definition, and its text as it will stand there."""

    function: types.FunctionType
    definition: Definition
    name: str
    source: str = ""
    lines: tuple[int, ...] = ()
    scope: Scope = field(default_factory=lambda: Scope((), (), frozenset()))
    uses: list[Unit] = field(default_factory=list)
    aliases: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Binding:
    """What a name of the module stands for.

    Attributes
    ----------
    kind : str
        ``"import"``, ``"value"``, ``"helper"`` or ``"builtin"``.
    value : object
    path : str or None
        The dotted path of an import.
    unit : Unit or None
        The helper.
    owner : str
        The function that reads the name.
    """

    kind: str
    value: Any
    path: str | None = None
    unit: Unit | None = None
    owner: str = ""

    def same(self, other: Binding) -> bool:
        """Says whether both stand for the same thing."""
        if self.kind != other.kind or self.path != other.path or self.unit is not other.unit:
            return False
        return self.kind != "value" or self.value is other.value or identical(self.value, other.value)


def told(binding: Binding) -> str:
    """Says in a few words what a name stands for."""
    if binding.kind == "import":
        return f"{binding.path}"
    if binding.kind == "builtin":
        return "Python's own function"
    if binding.kind == "helper":
        assert binding.unit is not None
        return f"the function `{binding.unit.definition.name}` (line {binding.unit.definition.first_line})"
    shown = literal(binding.value, "np")
    return shown if shown is not None and len(shown) < 60 else f"a value of type {type_name(binding.value)}"
