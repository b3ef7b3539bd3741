"""What is commonly advised for code like this, put beside what was measured."""

from __future__ import annotations

import math
from collections.abc import Sequence

from jitmagic import figures
from jitmagic.measure.statistics import across_processes, ratio_interval
from jitmagic.observe.facts import Observation
from jitmagic.outcome import Outcome

_MANY_TRIPS = 1000
"""From so many trips on, loops of Python are what the time goes into."""
_FEW_ELEMENTS = 10_000
"""Up to so many elements of all arguments together, arrays are called small."""


def advised(observed: Observation) -> tuple[str, str]:
    """Returns the backend that is commonly advised for code like this, with the reason and who gives it.

    Numba's guide: loops and NumPy's functions. JAX's FAQ: whole arrays, and NumPy for small ones on the CPU.
    """
    trips = sum(loop.trips_total for loop in observed.loops.values())
    if trips >= _MANY_TRIPS:
        return "numba", "loops over elements (Numba's guide)"
    elements = sum(
        math.prod(length or 0 for length in fact.shape)
        for fact in observed.arguments.values()
        if fact.kind == "array" and fact.shape is not None
    )
    if elements <= _FEW_ELEMENTS:
        return "numpy", "small arrays (JAX's FAQ)"
    return "jax", "operations on whole arrays (JAX's FAQ)"


def differs(observed: Observation, choice: Outcome, timed: Sequence[Outcome]) -> str | None:
    """Says where the measurement goes against what is commonly advised; None where both agree, or nothing was timed."""
    backend, reason = advised(observed)
    if choice.backend == backend or not choice.samples:
        return None
    said = f"Commonly advised for {reason} is {backend}"
    if backend == "numpy":
        return f"{said}: measured here, {choice.name} is the faster one all the same."
    theirs = [one for one in timed if one.backend == backend and one.samples]
    if not theirs:
        return f"{said}: no variant of it could be verified and timed here, and its row says why."
    best = max(theirs, key=lambda one: ratio_interval(choice.samples, one.samples).median)
    ratio = across_processes(ratio_interval(best.samples, choice.samples))
    if ratio.low <= 1.0:
        return None  # as fast for all that was measured: no contradiction
    shown, ends = figures.speedup({"median": ratio.median, "low": ratio.low, "high": ratio.high})
    against = "NumPy" if choice.backend == "numpy" else choice.name
    times = f"{shown.removesuffix('×')} times its speed{f' ({ends})' if ends else ''}"
    return f"{said}: measured here, {against} has {times}."
