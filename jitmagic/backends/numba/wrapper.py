"""The plain Python function around a compiled core, where Numba's own calling rules differ from Python's.

It is written only where it is needed: keyword-only arguments, lists as arguments, and NumPy scalars other than
float64, int64, bool and complex128 as results, which Numba returns as Python numbers (NB-RET).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import libcst as cst

from jitmagic.capture.workload import Workload
from jitmagic.errors import Unsupported
from jitmagic.generate.imports import Imports
from jitmagic.generate.names import parameters
from jitmagic.observe.facts import Observation, ValueFact

_PLAIN = frozenset({"float64", "int64", "bool", "complex128"})


@dataclass(frozen=True)
class Wrapping:
    """What the wrapper has to do.

    Attributes
    ----------
    keyword_only : bool
        Whether the function has keyword-only parameters.
    lists : mapping of str to str
        Parameters that came as lists: to ``"array"`` or ``"tuple"``.
    casts : tuple of (str or None)
        The dtype to which each result is cast, None for one that stays.
    several : bool
        Whether the result is a tuple.
    name : str
    arguments : tuple of str
        The core's parameters in order, ``*args`` last and with its star.
    head : tuple of statements
        What the wrapper does first: makes generators, draws.
    """

    keyword_only: bool
    lists: Mapping[str, str]
    casts: tuple[str | None, ...]
    several: bool
    name: str
    arguments: tuple[str, ...]
    head: tuple[Any, ...] = ()

    @property
    def needed(self) -> bool:
        """Whether there has to be a wrapper."""
        return self.keyword_only or bool(self.lists) or any(self.casts) or bool(self.head)

    def core_parameters(self, given: cst.Parameters) -> cst.Parameters:
        """Returns the core's parameters: all positional, without defaults, `*args` last."""
        plain = [
            p.with_changes(default=None, equal=cst.MaybeSentinel.DEFAULT, star="", comma=cst.MaybeSentinel.DEFAULT)
            for p in (*given.posonly_params, *given.params, *given.kwonly_params)
        ]
        star = given.star_arg if isinstance(given.star_arg, cst.Param) else cst.MaybeSentinel.DEFAULT
        return cst.Parameters(params=plain, star_arg=star)

    def source(self, core: str, imports: Imports) -> str:
        """Returns the wrapper's source; its parameters are put in by the caller."""
        passed = []
        for argument in self.arguments:
            form = self.lists.get(argument)
            if form == "array":
                passed.append(f"{imports.code('numpy.asarray')}({argument})")
            else:
                passed.append(f"tuple({argument})" if form == "tuple" else argument)
        call = f"{core}({', '.join(passed)})"
        if not any(self.casts):
            return f"def {self.name}():\n    return {call}\n"
        note = "# Numba returns Python numbers: give back NumPy's scalar type\n"
        if not self.several:
            return f"def {self.name}():\n    {note}    return {imports.code(f'numpy.{self.casts[0]}')}({call})\n"
        results = [f"result_{k}" for k in range(len(self.casts))] if "result" not in self.arguments else []
        results = results or [f"value_{k}" for k in range(len(self.casts))]
        back = [
            f"{imports.code(f'numpy.{cast}')}({result})" if cast else result
            for cast, result in zip(self.casts, results, strict=True)
        ]
        end = "," if len(back) == 1 else ""
        lines = [f"def {self.name}():", f"    {', '.join(results)}{end} = {call}", f"    {note.rstrip()}"]
        return "\n".join([*lines, f"    return {', '.join(back)}{end}", ""])


def wrapping(
    workload: Workload, observed: Observation, function: cst.FunctionDef, head: Sequence[Any] = ()
) -> Wrapping:
    """Finds out what the wrapper has to do; `Unsupported` for a list that the function changes.

    Parameters
    ----------
    workload, observed
    function : libcst.FunctionDef
        The core.
    head : sequence of statements
        What the wrapper does before it calls the core.
    """
    name = workload.function.name
    star = function.params.star_arg
    names = list(parameters(function))
    if isinstance(star, cst.Param):
        names.remove(star.name.value)
        names.append(f"*{star.name.value}")
    lists: dict[str, str] = {}
    for label, fact in observed.arguments.items():
        if fact.kind != "list" or "[" in label:
            continue
        if label in observed.mutated:
            raise Unsupported(
                f"the function changes the list `{label}`, which Numba would copy both ways: pass an array",
                None,
                "NB-REFLIST",
            )
        form = _list_form(fact)
        if form is not None:
            lists[label] = form
    result = observed.result
    several = result is not None and result.kind == "tuple"
    items = () if result is None else result.items if several else (result,)
    casts = tuple(
        item.dtype if item.kind == "scalar" and item.dtype is not None and item.dtype not in _PLAIN else None
        for item in items
    )
    return Wrapping(bool(function.params.kwonly_params), lists, casts, several, name, tuple(names), tuple(head))


def _list_form(fact: ValueFact) -> str | None:
    """Returns how a list is passed: numbers as an array, arrays as a tuple; None where neither fits."""
    kinds = {item.kind for item in fact.items}
    if kinds and kinds <= {"float", "int", "bool", "scalar"}:
        return "array"
    return "tuple" if kinds == {"array"} else None
