"""How near each variant is to what this machine can do at best, where that can be said.

The least that any variant must move is the arguments that are proved to be read whole, once, and the results, once.
That over a variant's time is set beside the bandwidth that was measured by copying arrays of the same size here, with
one thread or with all, whichever is faster. Products of matrices (and XLA's count of operations for JAX's own variants)
are set beside the rate of a product of matrices.
"""

from __future__ import annotations

import functools
import math
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.lib.array_utils import byte_bounds

from jitmagic.analysis.reads import products, read_whole
from jitmagic.devices import usable_threads
from jitmagic.errors import WorkerError
from jitmagic.measure.noise import most_others
from jitmagic.observe.amount import bytes_of
from jitmagic.outcome import Outcome

if TYPE_CHECKING:
    from jitmagic.steps.run import Run

LEAST_TRAFFIC = 2**20
"""Bytes below which calls, and not memory, take the time."""
MOST_COPIED = 2**28
"""Bytes that are copied at most: far more than caches hold."""
LEAST_OPERATIONS = 1e7
MOST_SHARE = 1.25
"""A share of more than this says that the count or the measurement is wrong for this function: then nothing is said."""

_bandwidths: dict[int, tuple[float, int]] = {}
_rates: dict[str, float] = {}
"""What was measured in this session: by bytes, and by dtype."""


def limits(run: Run) -> None:
    """Measures what the machine can do, as far as it is needed, and sets the timed variants beside it."""
    timed = [one for one in (run.baseline, *run.outcomes) if one.verified and one.samples and one.device == "cpu"]
    if not timed:
        return
    workload, observed = run.workload, run.seen()
    traffic = _traffic(run)
    counted = products(workload.module.text, workload.function.name, workload.names, observed)
    dtype = _dtype(run)
    operations = {id(one): _operations(one, counted) for one in timed}
    needs_rate = dtype is not None and any(count >= LEAST_OPERATIONS for count, _ in operations.values())
    try:
        bandwidth = _bandwidth(run, traffic) if traffic >= LEAST_TRAFFIC else None
        rate = _rate(run, dtype) if needs_rate and dtype is not None else None
    except WorkerError:  # what was measured of the variants stands without it
        return
    if bandwidth is None and rate is None:
        return
    run.limits = {
        "traffic": traffic if bandwidth is not None else None,
        "bandwidth": None if bandwidth is None else bandwidth[0],
        "threads": None if bandwidth is None else bandwidth[1],
        "rate": rate,
        "dtype": dtype if rate is not None else None,
    }
    for one in timed:
        one.limits = _shares(one, traffic, bandwidth and bandwidth[0], operations[id(one)], rate)


def _shares(
    outcome: Outcome, traffic: int, bandwidth: float | None, operations: tuple[float, str], rate: float | None
) -> dict[str, Any] | None:
    if outcome.run is None:
        return None
    count, by = operations
    seconds = outcome.run.median
    moved = _sensible(traffic / seconds / bandwidth) if bandwidth else None
    done = _sensible(count / seconds / rate) if rate and count >= LEAST_OPERATIONS else None
    if moved is None and done is None:
        return None
    told = done is not None
    return {
        "bandwidth": moved,
        "operations": count if told else None,
        "counted_by": by if told else None,
        "rate": done,
    }


def _sensible(share: float) -> float | None:
    return share if math.isfinite(share) and share <= MOST_SHARE else None


def _traffic(run: Run) -> int:
    """Returns the least bytes that a call moves: arguments that it is sure to read whole, and results of its own."""
    workload, observed = run.workload, run.seen()
    whole = read_whole(workload.module.text, workload.function.name, workload.names)
    total = 0
    for label, value in zip(workload.argument_names, workload.argument_values(), strict=True):
        if label in whole and isinstance(value, np.ndarray) and value.size:
            low, high = byte_bounds(value)
            total += min(value.nbytes, high - low)
    if not observed.aliases_argument and observed.returns_argument is None:
        total += bytes_of(observed.result) or 0
    return total


def _dtype(run: Run) -> str | None:
    """Returns the one floating dtype of the arguments, None where there is none, or several."""
    arrays = [value for value in run.workload.argument_values() if isinstance(value, np.ndarray)]
    found = {str(array.dtype) for array in arrays if array.dtype.kind in "fc"}
    return found.pop() if len(found) == 1 and found <= {"float32", "float64"} else None


def _operations(outcome: Outcome, counted: float) -> tuple[float, str]:
    own = outcome.built.operations if outcome.built is not None else None
    return (own, "XLA") if own is not None and own > counted else (counted, "matrix products")


def _bandwidth(run: Run, traffic: int) -> tuple[float, int]:
    """Returns bytes a second, and with how many threads, for arrays of about this size."""
    # to a factor of the square root of two: the same measurement serves all sizes that are near
    near = int(2 ** (round(2 * math.log2(min(traffic, MOST_COPIED))) / 2))
    if _noisy(run):
        _bandwidths.pop(near, None)
    if near not in _bandwidths:
        several = {1, usable_threads()}
        ask = functools.partial(run.bench.ceiling, run.numpy)
        _bandwidths[near] = max((ask("copied", size=near, threads=threads), threads) for threads in sorted(several))
    return _bandwidths[near]


def _rate(run: Run, dtype: str) -> float:
    if dtype not in _rates or _noisy(run):
        _rates[dtype] = run.bench.ceiling(run.numpy, "multiplied", dtype=dtype)
    return _rates[dtype]


def _noisy(run: Run) -> bool:
    """Says whether others were at work: then nothing that was measured before or is measured now serves for later."""
    others = (run.noise or {}).get("others")
    return others is not None and others > most_others(usable_threads())
