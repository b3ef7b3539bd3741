"""A batch in Numba: a compiled loop over the slices, around the function's own serial variant."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence

from jitmagic.backends.numba import messages
from jitmagic.backends.protocol import Draft, Failure, VariantRefusal
from jitmagic.capture.workload import ModuleText, Workload
from jitmagic.errors import Refusal
from jitmagic.observe.facts import Observation, ValueFact
from jitmagic.transforms.draft import TransformedDraft, made_around, wrapped
from jitmagic.transforms.signature import Around, fresh, with_import
from jitmagic.transforms.transform import Transform

_MODES = (("numba", "serial"), ("numba-parallel", "parallel"))
_DTYPES = {"float": "float64", "int": "int64", "bool": "bool_", "complex": "complex128"}


def drafts(
    asked: Transform, workload: Workload, observed: Observation, inner: Draft | VariantRefusal
) -> Sequence[Draft | VariantRefusal]:
    """Writes the serial and the parallel loop around the serial variant of the function itself."""
    if isinstance(inner, VariantRefusal):
        return [VariantRefusal(variant, "numba", mode, inner.refusal) for variant, mode in _MODES]
    made = [around_draft(asked, workload, observed, inner, mode) for _, mode in _MODES]
    return [
        VariantRefusal(variant, "numba", mode, one) if isinstance(one, Refusal) else one
        for one, (variant, mode) in zip(made, _MODES, strict=True)
    ]


def around_draft(
    asked: Transform, workload: Workload, observed: Observation, inner: Draft, mode: str
) -> TransformedDraft | Refusal:
    """Puts a loop around a draft of the function."""
    if not _is_compiled(inner):
        return Refusal(
            "a part of the function stays in Python (an argument is written back, or a result is made there), and a "
            "compiled loop cannot call that"
        )
    made = made_around(asked, workload, inner)
    numpy = next((name for name, path in inner.names.items() if path == "numpy"), "np")
    value = workload.argument_values()[workload.argument_names.index(asked.argument)]
    fact = observed.result
    if fact is None or "*" in made.passed:
        return Refusal("a loop over slices needs a result, and parameters that stand by themselves")
    text = _text(asked, made, numpy, getattr(value, "ndim", 0) + 1, fact, mode, inner)
    module = inner.module
    if inner.names.get(numpy) != "numpy":
        module = with_import(module, f"import numpy as {numpy}")
    module = _importing(module, "prange") if mode == "parallel" else module
    variant = {one: name for name, one in _MODES}[mode]
    form = "prange" if mode == "parallel" else "loop"
    return wrapped(asked, workload, inner, form, variant, mode, text, module, made)


def _text(asked: Transform, made: Around, numpy: str, ndim: int, fact: ValueFact, mode: str, inner: Draft) -> str:
    taken = f"def {made.name}({made.parameters}):\n    {made.inner}, {numpy}"
    i, first, result = (fresh(name, taken) for name in ("i", "first", "result"))
    axis = (asked.axis or 0) % ndim
    x = made.argument

    def call(at: str) -> str:
        index = ", ".join(at if place == axis else ":" for place in range(axis + 1))
        moved = {x: f"{x}[{index}]", f"{x}={x}": f"{x}={x}[{index}]"}
        return f"{made.inner}({', '.join(moved.get(part, part) for part in made.passed.split(', '))})"

    parallel = mode == "parallel"
    head = "@njit(parallel=True, error_model=\"numpy\")" if parallel else "@njit(error_model=\"numpy\")"
    loop = "prange" if parallel else "range"
    lines = [head, f"def {made.name}({made.parameters}):"]
    if fact.kind == "array":
        lines += [
            f"    {first} = {call('0')}",
            f"    {result} = {numpy}.empty(({x}.shape[{axis}],) + {first}.shape, {first}.dtype)",
            f"    {result}[0] = {first}",
            f"    for {i} in {loop}(1, {x}.shape[{axis}]):",
        ]
    else:
        dtype = _DTYPES.get(fact.kind) or str(fact.dtype).replace("bool", "bool_")
        lines += [
            f"    {result} = {numpy}.empty({x}.shape[{axis}], {numpy}.{dtype})",
            f"    for {i} in {loop}({x}.shape[{axis}]):",
        ]
    lines += [f"        {result}[{i}] = {call(i)}", f"    return {result}"]
    return "\n".join(lines)


def _is_compiled(inner: Draft) -> bool:
    for node in ast.parse(inner.module.text).body:
        if isinstance(node, ast.FunctionDef) and node.name == inner.entry:
            return any("njit" in ast.unparse(one) for one in node.decorator_list)
    return False


def _importing(module: ModuleText, name: str) -> ModuleText:
    """Imports one more name of Numba."""
    lines = module.text.split("\n")
    for number, line in enumerate(lines):
        if line.startswith("from numba import "):
            names = [one.strip() for one in line.removeprefix("from numba import ").split(",")]
            lines[number] = f"from numba import {', '.join(dict.fromkeys([*names, name]))}"
            return ModuleText("\n".join(lines), module.lines)
    return with_import(module, f"from numba import {name}")


def revise(
    workload: Workload,
    observed: Observation,
    draft: TransformedDraft,
    failure: Failure,
    inner: Callable[[Draft, Failure], Draft | Refusal],
) -> Draft | Refusal:
    """Answers a failure of a loop; ``inner`` answers one of the function's own draft."""
    if draft.inner is None or draft.transform is None:
        raise ValueError(f"{draft.variant} stands around no draft")
    answer = inner(draft.inner, failure)
    if isinstance(answer, Draft):
        return around_draft(draft.transform, workload, observed, answer, draft.mode)
    return messages.explain(draft, failure, workload)
