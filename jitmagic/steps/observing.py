"""Workers start, and NumPy's own goes through the function once under watch."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from jitmagic.errors import BaselineError, WorkerError
from jitmagic.measure.nodes.place import device_of, node_of
from jitmagic.steps import room
from jitmagic.steps.progress import Progress

if TYPE_CHECKING:
    from jitmagic.steps.run import Run

_OBSERVE_SECONDS = 60.0
"""A watched run is made only if it may take less than this; without it next to nothing is known of the function."""


def start_workers(run: Run) -> None:
    # their libraries take seconds to import: all start now, while the NumPy function runs under watch; what stands in
    # the way of one is told where its variants are built, which needs the worker too
    run.pool.begin(run.numpy, "cpu")
    for one in run.bases.values():
        with contextlib.suppress(WorkerError):
            run.pool.begin(run.numpy, one.device)
    for backend, device in run.backends():
        if run.available(backend, node_of(device)).installed and device_of(device) == "cpu":
            with contextlib.suppress(WorkerError):
                run.pool.begin(backend, device)


def observe(run: Run) -> None:
    run.progress(Progress("numpy", "observing", 0, 1))
    room.check_baseline(run)
    try:
        observation = run.bench.observe(run.numpy, _OBSERVE_SECONDS, 10 * run.options.timeout)
    except WorkerError as error:
        run.pool.shutdown()
        raise BaselineError(
            f"{run.workload.call} was run with NumPy in a process of its own, and that process was lost: {error}. "
            "Nothing in your session is affected. Try smaller arguments, or a longer --timeout."
        ) from error
    if observation.refused is not None:
        line = run.workload.module.origin_line(observation.refused.line)
        at = f"line {line} " if line is not None else ""
        raise BaselineError(f"{run.workload.call} cannot be compared: {at}{observation.refused.reason}.")
    if observation.raised is not None:
        line = run.workload.module.origin_line(observation.raised.line)
        at = f" at line {line}" if line is not None else ""
        raise BaselineError(
            f"{run.workload.call} itself raises {observation.raised.type}{at}: {observation.raised.message}. "
            "There is nothing to compare with until it runs with NumPy."
        )
    run.observation = observation
    # a fresh process for the baseline's clock: watching and comparing leave malloc in another state than a user's
    run.pool.end(run.numpy, "cpu")
    run.pool.begin(run.numpy, "cpu")
