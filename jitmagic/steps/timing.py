"""What is verified is timed, in rounds; then the ways to and from its device."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from jitmagic.advice import verdict as verdicts
from jitmagic.errors import WorkerError
from jitmagic.measure.rounds import Plan, run_rounds
from jitmagic.outcome import Outcome
from jitmagic.steps.progress import Progress

if TYPE_CHECKING:
    from jitmagic.steps.run import Run

_TRANSFERS = 3
"""How often the ways to and from a device are timed."""


def measure(run: Run) -> None:
    began = time.monotonic()
    try:
        _time(run)
    finally:
        run.timing_seconds = time.monotonic() - began


def _time(run: Run) -> None:
    for one in take_rounds(run):
        _transfer(run, one)


def take_rounds(run: Run) -> list[Outcome]:
    """Takes the samples of all that is verified; returns what was to be timed."""
    live = [run.baseline, *(one for one in run.outcomes if one.verdict is None and one.verified)]
    estimates = {one.name: one.built.second for one in live if one.built is not None}

    def progress(done: int, total: int, left: float) -> None:
        run.progress(Progress(None, "timing", done, total, left))

    rounds = run_rounds(
        {one.name: run.bench.sampler(one.name, estimates[one.name]) for one in live},
        estimates,
        run.baseline.name,
        Plan(budget=run.options.budget),
        failures=(WorkerError,),
        progress=progress,
    )
    for one in live:
        if one.name in rounds.failed:
            one.verdict = verdicts.of_lost_worker(rounds.failed[one.name])
        elif one.name in rounds.series:
            one.samples, one.calls = rounds.series[one.name].samples, rounds.series[one.name].calls
    if rounds.interrupted:
        raise KeyboardInterrupt
    return live


def _transfer(run: Run, outcome: Outcome) -> None:
    if outcome.verdict is not None:
        return
    try:
        for _ in range(_TRANSFERS):
            there, back, whole = run.bench.transfer(outcome.name)
            if there is None or back is None:
                return  # arrays are used where they lie: end to end is the run itself
            outcome.to_device.append(there)
            outcome.to_host.append(back)
            outcome.end_to_end.append(whole)
    except WorkerError as error:
        outcome.verdict = verdicts.of_lost_worker(error)
