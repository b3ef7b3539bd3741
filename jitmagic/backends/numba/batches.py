"""A batch in Numba: compiled loops over the slices, and a generalised ufunc, around the function's serial variant."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence

import numpy as np

from jitmagic.backends.numba import messages
from jitmagic.backends.protocol import Draft, Failure, VariantRefusal
from jitmagic.capture.workload import ModuleText, Workload
from jitmagic.errors import Refusal
from jitmagic.observe.facts import Observation, ValueFact
from jitmagic.transforms.draft import TransformedDraft, made_around, wrapped
from jitmagic.transforms.signature import Around, fresh, with_import
from jitmagic.transforms.transform import Transform

_WAYS = {
    "loop": ("numba", "serial"),
    "prange": ("numba-parallel", "parallel"),
    "guvectorize": ("numba-guvectorize", "parallel"),
}
"""By way, the variant and its mode."""
_DTYPES = {"float": "float64", "int": "int64", "bool": "bool_", "complex": "complex128"}


def drafts(
    asked: Transform, workload: Workload, observed: Observation, inner: Draft | VariantRefusal
) -> Sequence[Draft | VariantRefusal]:
    """Writes the loops and the ufunc around the serial variant of the function itself."""
    if isinstance(inner, VariantRefusal):
        return [VariantRefusal(variant, "numba", mode, inner.refusal) for variant, mode in _WAYS.values()]
    made = {way: around_draft(asked, workload, observed, inner, way) for way in _WAYS}
    return [
        VariantRefusal(_WAYS[way][0], "numba", _WAYS[way][1], one) if isinstance(one, Refusal) else one
        for way, one in made.items()
    ]


def around_draft(
    asked: Transform, workload: Workload, observed: Observation, inner: Draft, way: str
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
    module = inner.module
    if way == "guvectorize":
        text = _ufunc(asked, workload, made, numpy, fact)
        if isinstance(text, Refusal):
            return text
    else:
        text = _text(asked, made, numpy, getattr(value, "ndim", 0) + 1, fact, way)
    if f"{numpy}." in text and inner.names.get(numpy) != "numpy":
        module = with_import(module, f"import numpy as {numpy}")
    if way != "loop":
        module = _importing(module, way)
    variant, mode = _WAYS[way]
    return wrapped(asked, workload, inner, way, variant, mode, text, module, made)


def _ufunc(asked: Transform, workload: Workload, made: Around, numpy: str, fact: ValueFact) -> str | Refusal:
    """Writes a generalised ufunc: the slices' axes are the core's, and the batch's axis is its loop."""
    letters = iter("abcdefghijklmnopqrstuvwxyz")
    types, cores, sliced = [], [], ""
    for label, value in zip(workload.argument_names, workload.argument_values(), strict=True):
        array = np.asarray(value)
        if array.dtype.kind not in "biufc" or array.dtype.itemsize > 16 or label not in made.passed:
            return Refusal(f"a generalised ufunc takes numbers and arrays of numbers, and `{label}` is none")
        core = f"({','.join(next(letters) for _ in range(array.ndim))})"
        sliced = core if label == asked.argument else sliced
        types.append(_type(array.dtype.name, array.ndim))
        cores.append(core)
    if not made.plain:
        return Refusal("a generalised ufunc takes every parameter by its place")
    value = workload.argument_values()[workload.argument_names.index(asked.argument)]
    whole = fact.kind == "array" and fact.ndim
    if whole and fact.shape != np.shape(value):
        return Refusal(
            "the result has another shape than a slice, and a generalised ufunc has to know it from its arguments"
        )
    dtype = _DTYPES.get(fact.kind, fact.dtype or "float64").rstrip("_")
    taken = f"def {made.name}({made.parameters}):\n    {made.inner}, {numpy}"
    result, core = fresh("result", taken), fresh(f"{made.name}_ufunc", taken)
    types.append(_type(dtype, max(fact.ndim or 0, 1)))
    signature = f"{','.join(cores)}->{sliced if whole else '()'}"
    place = f"{result}[{', '.join(':' for _ in range(fact.ndim or 0))}]" if whole else f"{result}[0]"
    axis = asked.axis or 0
    x = made.argument
    moved = f"    {x} = {numpy}.moveaxis({x}, {axis}, 0)\n" if axis else ""
    return (
        f'@guvectorize(["({", ".join(types)})"], "{signature}", nopython=True, target="parallel")\n'
        f"def {core}({made.parameters}, {result}):\n    {place} = {made.inner}({made.passed})\n\n\n"
        f"def {made.name}({made.parameters}):\n{moved}    return {core}({made.passed})"
    )


def _type(dtype: str, ndim: int) -> str:
    """Returns Numba's name of a type.

    >>> _type("bool", 0), _type("float64", 2)
    ('boolean', 'float64[:,:]')
    """
    name = "boolean" if dtype == "bool" else dtype
    return name + (f"[{','.join(':' * ndim)}]" if ndim else "")


def _text(asked: Transform, made: Around, numpy: str, ndim: int, fact: ValueFact, way: str) -> str:
    taken = f"def {made.name}({made.parameters}):\n    {made.inner}, {numpy}"
    i, first, result = (fresh(name, taken) for name in ("i", "first", "result"))
    axis = (asked.axis or 0) % ndim
    x = made.argument

    def call(at: str) -> str:
        index = ", ".join(at if place == axis else ":" for place in range(axis + 1))
        moved = {x: f"{x}[{index}]", f"{x}={x}": f"{x}={x}[{index}]"}
        return f"{made.inner}({', '.join(moved.get(part, part) for part in made.passed.split(', '))})"

    parallel = way == "prange"
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
        return around_draft(draft.transform, workload, observed, answer, draft.way)
    return messages.explain(draft, failure, workload)
