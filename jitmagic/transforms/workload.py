"""The workloads of a transformation: what the backends write from, and what is compared.

``energy(x, k)`` with ``--grad x`` gives two: ``energy`` itself, of which each backend writes its variant as always, and
``energy_grad(x, k)``, NumPy's differences, which is the baseline.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from jitmagic.capture.workload import ModuleText, SourceFunction, Workload
from jitmagic.figures import duration, size
from jitmagic.observe.facts import Observation, ValueFact
from jitmagic.transforms import batches, differences
from jitmagic.transforms.checks import check
from jitmagic.transforms.signature import around, with_function, with_import
from jitmagic.transforms.transform import Transform, TransformError

_NUMBERS = ("float", "scalar", "array")


def given(transform: Transform, workload: Workload) -> Workload:
    """Returns the workload of the function itself: with one slice of a batch, and a number as NumPy's.

    Raises
    ------
    TransformError
        The transformation is not possible for this argument.
    """
    value = check(transform, workload)
    if transform.kind == "vmap":
        # a view, as the loop takes it: its layout decides what a compiler is given
        return _with(workload, transform.argument, np.moveaxis(value, transform.axis or 0, 0)[0])
    # a Python float has no array to derive by in torch
    return _with(workload, transform.argument, np.float64(value)) if type(value) is float else workload


def check_observed(transform: Transform, workload: Workload, seen: Observation, timeout: float, memory: int) -> None:
    """Refuses what cannot be transformed by what one run of the function showed.

    Parameters
    ----------
    workload : Workload
        As :func:`given` returns it.
    timeout : float
        Seconds that one call of the baseline may take.
    memory : int
        Bytes that are free.

    Raises
    ------
    TransformError
    """
    told, name = transform.text, workload.function.name
    generators = [one for one in workload.argument_values() if isinstance(one, np.random.Generator)]
    if seen.random or seen.unseeded or generators:
        why = "no difference of two calls is its derivative" if transform.derives else "no other form draws the same"
        raise TransformError(
            f"{told}: {name} draws random numbers, other ones in each call, so that {why}; draw them before and pass "
            "them as an array"
        )
    if seen.mutated:
        raise TransformError(
            f"{told}: {name} writes into its argument `{seen.mutated[0]}`; let it return the new values"
        )
    if transform.kind == "vmap":
        if not _stacks(seen.result):
            raise TransformError(
                f"{told}: {name} returns {_words(seen.result)}, which is not stacked; return one array or number"
            )
        return
    fact = seen.result
    if fact is None or fact.kind not in _NUMBERS or (fact.kind != "float" and fact.dtype not in ("float32", "float64")):
        raise TransformError(
            f"{told}: {name} returns {_words(fact)}; a derivative is of a float64 or float32 number or array"
        )
    shape = tuple(length or 0 for length in fact.shape or ())
    if transform.kind != "jacobian" and shape:
        other = "--jacobian" if transform.kind == "grad" else "--hessian of one of its elements"
        raise TransformError(
            f"{told}: {name} returns an array of shape {shape}, and this is the derivative of one number; take its sum "
            f"or an element, or ask for {other}"
        )
    count = np.size(workload.argument_values()[workload.argument_names.index(transform.argument)])
    needed = 8 * count * (count if transform.kind == "hessian" else int(np.prod(shape, dtype=np.int64)))
    # the differences, what they are verified by, its error, and a variant's own
    if 6 * needed > memory:
        raise TransformError(
            f"{told}: the result would take {size(needed)}, several copies are needed, and {size(memory)} are free; "
            f"take a smaller `{transform.argument}`"
        )
    calls = differences.calls(transform.kind, count)
    if calls * seen.seconds > timeout:
        raise TransformError(
            f"{told}: NumPy's differences take {calls:,} calls of {name}, about {duration(calls * seen.seconds)}, and "
            f"nothing is verified without them; take a smaller `{transform.argument}`, or a longer --timeout"
        )


def transformed(transform: Transform, workload: Workload, seen: Observation) -> Workload:
    """Returns the workload whose function is the derivative, or the loop over the batch, in NumPy.

    Parameters
    ----------
    workload : Workload
        The call as the user gave it.
    seen : Observation
        Of the function itself.
    """
    made = around(transform, workload)
    numpy = next((name for name, path in workload.names.items() if path == "numpy"), None) or _free(workload)
    value = workload.argument_values()[workload.argument_names.index(transform.argument)]
    scalar = not isinstance(value, np.ndarray)
    if transform.kind == "vmap":
        text = batches.source(made, numpy, transform.axis or 0)
    else:
        dtype = "float64" if type(value) is float else str(value.dtype)
        text = differences.source(transform.kind, made, numpy, scalar, dtype)
    module, names = workload.module, dict(workload.names)
    if f"{numpy}." in text and names.get(numpy) != "numpy":
        module = with_import(module, f"import numpy as {numpy}" if numpy != "numpy" else "import numpy")
        names[numpy] = "numpy"
    module = with_function(module, text)
    if scalar and type(value) is float and transform.derives:
        workload = _with(workload, transform.argument, np.float64(value))
    return replace(
        workload,
        function=SourceFunction(made.name, text, workload.function.first_line, workload.function.origin),
        helpers=(*workload.helpers, workload.function),
        module=ModuleText(module.text, module.lines),
        names=names,
        call=made.name + workload.call[workload.call.index("(") :] if "(" in workload.call else made.name,
    )


def _with(workload: Workload, label: str, value: Any) -> Workload:
    """Returns a workload with another value for one argument."""
    values = dict(zip(workload.argument_names, workload.argument_values(), strict=True)) | {label: value}
    count = len(workload.args)
    ordered = [values[name] for name in workload.argument_names]
    named = dict(zip(workload.kwargs, ordered[count:], strict=True))
    return replace(workload, args=tuple(ordered[:count]), kwargs=named)


def _free(workload: Workload) -> str:
    bound = {*workload.names, *workload.constants, workload.function.name, *(one.name for one in workload.helpers)}
    return next(name for name in ("np", "numpy", "numpy_") if name not in bound)


def _stacks(fact: ValueFact | None) -> bool:
    if fact is None:
        return False
    return fact.kind in ("float", "int", "bool", "complex") or (
        fact.kind in ("scalar", "array") and np.dtype(fact.dtype or "O").kind in "biufc"
    )


def _words(fact: ValueFact | None) -> str:
    if fact is None or fact.kind == "none":
        return "nothing"
    if fact.kind == "array":
        return f"an array of {fact.dtype}"
    return f"a {fact.dtype or fact.kind}"
