"""Answers a failed check: the argument to make static, or the reason in the user's words."""

from __future__ import annotations

import re
from dataclasses import dataclass

from jitmagic.backends.protocol import Draft, Failure
from jitmagic.errors import Refusal
from jitmagic.observe.facts import ValueFact

_CONCRETE = frozenset(
    {
        "ConcretizationTypeError",
        "TracerBoolConversionError",
        "TracerIntegerConversionError",
        "TracerArrayConversionError",
        "NonConcreteBooleanIndexError",
    }
)
_ARGUMENT = re.compile(
    r"(?:argument|arguments|value of the argument|depends on the value of the arguments?)\s+([^\n]*)"
)
_NAME = re.compile(r"\b([A-Za-z_]\w*)\b")


@dataclass(frozen=True)
class Static:
    """The answer "make these arguments static and try again"."""

    names: tuple[str, ...]


def answer(draft: Draft, failure: Failure, arguments: dict[str, ValueFact]) -> Static | Refusal:
    """Reads a failure of JAX.

    Parameters
    ----------
    draft : Draft
    failure : Failure
    arguments : dict of str to ValueFact
        Facts of the parameters, by name.
    """
    line = draft.module.origin_line(failure.line)
    where = f"line {line}: " if line is not None else ""
    kind = failure.type.rpartition(".")[2]
    classes = {kind, *failure.classes}
    shape = "Shapes must be 1D sequences of concrete values" in failure.message
    if classes & _CONCRETE or shape:
        candidates = [n for n in _named(failure.message, arguments) if n not in draft.static]
        scalar = tuple(n for n in candidates if arguments[n].kind in ("int", "float", "complex"))
        if scalar:
            return Static(scalar)
        if not candidates and shape:
            integers = tuple(n for n, f in arguments.items() if f.kind == "int" and n not in draft.static)
            if integers:
                return Static(integers)
        return _concrete(where, line, classes, draft, failure)
    if "NonConcreteBooleanIndexError" in classes:
        return Refusal(f"{where}a selection by a mask has a shape that depends on values", line, "JX-BOOLMASK")
    first = failure.message.strip().splitlines()[0] if failure.message.strip() else kind
    text = _source(draft, failure.line)
    if "unhashable type" in failure.message and "Tracer" in failure.message:
        return Refusal(
            f"{where}a dict or a set is asked by a value that is not known while JAX compiles; where the keys are "
            "whole numbers of a known range, use an array and index it",
            line,
        )
    unhashable = any(said in failure.message for said in ("unhashable", "not hashable", "Non-hashable static"))
    if unhashable:
        # an option that JAX wants as a plain number
        read = set(_NAME.findall(text))
        integers = tuple(
            n for n, f in arguments.items() if f.kind == "int" and n not in draft.static and (n in read or not line)
        )
        if integers:
            return Static(integers)
    if unhashable:
        return Refusal(
            f"{where}a static argument must be hashable, a list or an array is not; pass a tuple", line, "JX-RECOMP"
        )
    if kind == "TooManyEquations":
        return Refusal(first, line, "JX-UNROLL")
    if "carry" in failure.message and kind == "TypeError":
        return Refusal(
            f"{where}a value changes its dtype or shape from one iteration of the loop to the next: "
            f"{_brief(failure.message)}",
            line,
            "JX-CARRY",
        )
    code = "JX-NPCALL" if "keyword argument" in failure.message else None
    return Refusal(f"{where}JAX refuses {text}: {kind}: {_brief(first)}", line, code)


def _concrete(where: str, line: int | None, classes: set[str], draft: Draft, failure: Failure) -> Refusal:
    text = _source(draft, failure.line)
    if "NonConcreteBooleanIndexError" in classes:
        return Refusal(
            f"{where}the shape of {text} depends on array values; keep the full shape with np.where",
            line,
            "JX-BOOLMASK",
        )
    if "TracerBoolConversionError" in classes:
        return Refusal(
            f"{where}{text} decides by an array's value, which is not known while JAX compiles; select with np.where",
            line,
            "JX-IFTRACED",
        )
    if "TracerArrayConversionError" in classes:
        return Refusal(
            f"{where}{text} hands a value that JAX traces to NumPy or to Python code that needs its numbers",
            line,
            "JX-NPCALL",
        )
    return Refusal(
        f"{where}{text} needs a number while JAX compiles, for a shape, a slice or an index, but it depends on "
        "array values; "
        "take it from a shape or pass it as an argument",
        line,
        "JX-SHAPEARG",
    )


def _named(message: str, arguments: dict[str, ValueFact]) -> list[str]:
    """Returns the parameters that a message of JAX names as what the value depends on."""
    found: list[str] = []
    for match in _ARGUMENT.finditer(message):
        for name in _NAME.findall(match.group(1)):
            if name in arguments and name not in found:
                found.append(name)
    return found


def _source(draft: Draft, line: int | None) -> str:
    lines = draft.module.text.splitlines()
    if line is None or not 1 <= line <= len(lines):
        return "the function"
    return f"`{lines[line - 1].strip()}`"


def _brief(message: str) -> str:
    text = " ".join(message.split())
    return text if len(text) <= 200 else text[:197] + "..."
