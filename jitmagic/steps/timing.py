"""What is verified is timed, in rounds; then the ways to and from its device."""

from __future__ import annotations

import contextlib
import random
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from statistics import median
from typing import TYPE_CHECKING

from jitmagic import figures
from jitmagic.advice import verdict as verdicts
from jitmagic.errors import BaselineError, WorkerError
from jitmagic.measure import noise
from jitmagic.measure.nodes.place import at, device_of
from jitmagic.measure.process import WorkerCrashed
from jitmagic.measure.rounds import Plan, Sampler, run_rounds
from jitmagic.measure.statistics import Interval, across_processes
from jitmagic.measure.threads import seat
from jitmagic.outcome import Outcome
from jitmagic.steps import probing, room
from jitmagic.steps.progress import Progress

if TYPE_CHECKING:
    from jitmagic.backends.protocol import Backend
    from jitmagic.steps.run import Run

_COLD_CALLS = 8
"""Calls of a sample where the caches are emptied before each, which takes far longer than a short call."""

_TRANSFERS = 3
"""How often the ways to and from a device are timed."""

_LAUNCHES = 7
"""How often a call's share on the host is timed apart from the device's."""

_LAUNCH_SECONDS = 2.0
"""No further call is made for that when those before took so long."""

_SHORTEST, _SHORTEST_OF_NEW = 0.1, 0.5
"""Shares of the budget that the timing takes at least: rounds of short calls would all fall into one while of a machine
that is fast and slow by turns."""

_REBUILT = 0.15
"""Processes are not replaced where building their variants again would take more than this share of the budget."""

_BOUND = 0.8
"""A host that is busy for so much of a call keeps its device waiting."""


def measure(run: Run) -> None:
    began = time.monotonic()
    try:
        _time(run)
    finally:
        run.timing_seconds = time.monotonic() - began


def _time(run: Run) -> None:
    for one in take_rounds(run, at_least=_shortest(run), replaced=Plan.replaced):
        _transfer(run, one)
        _launch(run, one)


def take_rounds(run: Run, at_least: float = 0.0, replaced: int = 0) -> list[Outcome]:
    """Takes the samples of all that is verified; returns what was to be timed.

    Parameters
    ----------
    at_least : float
        Seconds.
    replaced : int
        How often the processes of what is about as fast as NumPy may be replaced by others.
    """
    live = [run.baseline, *(one for one in run.outcomes if one.verdict is None and one.verified)]
    live = room.leave_room(run, live)
    estimates = {one.name: one.built.second for one in live if one.built is not None}

    def progress(done: int, total: int, left: float) -> None:
        run.progress(Progress(None, "timing", done, total, left))

    def so_far(ratios: Mapping[str, Interval]) -> None:
        run.so_far = {name: across_processes(ratio) for name, ratio in ratios.items()}

    cold = {one.name: run.options.cold and _can_be_cold(run, one) for one in live}
    samplers = {one.name: run.bench.sampler(one.name, estimates[one.name], cold[one.name]) for one in live}
    samplers[run.baseline.name] = _twice(samplers[run.baseline.name])
    replacer = _Replacer(run, live)
    before = noise.look(run.pool.pids(), run.gpus())
    _look_elsewhere(run, live)
    try:
        rounds = run_rounds(
            samplers,
            estimates,
            run.baseline.name,
            Plan(
                budget=run.options.budget,
                margin=run.options.margin / 100,
                at_least=at_least,
                replaced=replaced,
                most_calls=_COLD_CALLS if run.options.cold else Plan.most_calls,
            ),
            failures=(WorkerError,),
            against={one.name: run.base_of(one).name for one in live if one.node},
            progress=progress,
            so_far=so_far,
            replace=replacer,
        )
    except WorkerError as error:
        raise BaselineError(
            f"{run.workload.call} ran with NumPy in a process of its own, and that process was lost twice while it was "
            f"timed: {error}. Nothing in your session is affected. Try smaller arguments, or a longer --timeout."
        ) from error
    after = noise.look(run.pool.pids(), run.gpus())
    run.noise = noise.between(before, replace(after, own={**replacer.spent, **after.own}))
    _tell_elsewhere(run)
    for one in live:
        if one.name in rounds.failed:
            one.verdict = verdicts.of_lost_worker(rounds.failed[one.name])
        elif one.name in rounds.series:
            series = rounds.series[one.name]
            one.samples, one.calls, one.fresh = series.samples, series.calls, series.fresh
        if one.name in rounds.warm_up:
            one.notes.append(_warming(rounds.warm_up[one.name]))
    if rounds.interrupted:
        raise KeyboardInterrupt
    return live


def _can_be_cold(run: Run, one: Outcome) -> bool:
    """Says whether the caches can be emptied where a variant runs; notes where they cannot."""
    if device_of(one.device) == "cpu" or run.bench.facts(run.backend_of(one), one.device).get("empties_caches"):
        return True
    one.notes.append("The caches of its device were not emptied before its calls: its library has no way to.")
    return False


class _Replacer:
    """Ends the processes of variants, so that their next samples come from others.

    Attributes
    ----------
    spent : dict of int to float
        CPU seconds of our processes when some of them were ended: what these did is no other program's.
    """

    def __init__(self, run: Run, live: Sequence[Outcome]) -> None:
        self._run, self._live = run, live
        self._draw = random.Random()
        self.spent: dict[int, float] = {}

    def __call__(self, names: Sequence[str]) -> Sequence[str]:
        """Returns all whose process is another one from now on; none where building them again would take too long."""
        run = self._run
        places = {self._place(one) for one in self._live if one.name in names}
        moved = [one for one in self._live if one.verdict is None and self._place(one) in places]
        again = sum(one.built.first + 3 * one.built.second for one in moved if one.built is not None)
        if again > _REBUILT * run.options.budget:
            return ()
        self.spent.update(noise.own_seconds(run.pool.pids()))
        for one in moved:
            run.pool.end(run.backend_of(one), one.device)
        # who comes first may be the better for it, by 5 % where BLAS starts threads beside imports: the order is drawn,
        # and all are ready before one is built
        self._draw.shuffle(moved)
        for start in (run.pool.begin, self._await):
            for one in moved:
                with contextlib.suppress(WorkerError):  # its next sample says so
                    start(run.backend_of(one), one.device)
        return [one.name for one in moved]

    def _await(self, backend: Backend, device: str) -> None:
        self._run.pool.worker(backend, device, self._run.options.timeout)

    def _place(self, one: Outcome) -> tuple[str, str]:
        return seat(self._run.backend_of(one)), one.device


def _look_elsewhere(run: Run, live: list[Outcome]) -> None:
    """Has the other machines look at their counters, where variants of theirs are timed."""
    for name in {one.node for one in live if one.node}:
        with contextlib.suppress(WorkerError):  # a machine that is gone is the verdict of all that was to run there
            run.pool.node(at(name, "cpu")).ask("look", gpus=run.gpus_of(name))


def _tell_elsewhere(run: Run) -> None:
    """Keeps what disturbed the other machines meanwhile."""
    for name, told in run.elsewhere.items():
        with contextlib.suppress(WorkerError):  # as above
            told["noise"] = run.pool.node(at(name, "cpu")).ask("noise", gpus=run.gpus_of(name))


def _warming(rounds: int) -> str:
    few = "first round" if rounds == 1 else f"first {rounds} rounds"
    return f"it was still getting faster in the {few} of the timing, which count for no variant"


def _shortest(run: Run) -> float:
    """Returns the seconds that the timing takes at least.

    What is new is probed for the first time, and probing may take no longer than the timing: half of the budget is what
    most functions need for it. The more precise figures come with it.
    """
    return run.options.budget * (_SHORTEST_OF_NEW if probing.is_new(run) else _SHORTEST)


def _twice(sampler: Sampler) -> Sampler:
    """Takes a sample again where its process was lost: without the baseline all else would be lost too."""

    def sample(calls: int, warm: int) -> float:
        try:
            return sampler(calls, warm)
        except WorkerCrashed:
            return sampler(calls, warm)

    return sample


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


def _launch(run: Run, outcome: Outcome) -> None:
    """Times the host's share of a call apart, where another device does the rest."""
    if outcome.verdict is not None or device_of(outcome.device) == "cpu" or not outcome.samples:
        return
    began = time.monotonic()
    try:
        for _ in range(_LAUNCHES):
            host, device = run.bench.launch(outcome.name)
            outcome.enqueue.append(host)
            if device is not None:
                outcome.on_device.append(device)
            if time.monotonic() - began > _LAUNCH_SECONDS:
                break
    except WorkerError as error:
        outcome.verdict = verdicts.of_lost_worker(error)
        return
    share = median(outcome.enqueue) / median(outcome.samples)
    if share >= _BOUND:
        outcome.notes.append(
            f"It takes {figures.duration(median(outcome.enqueue))} to ask the device for a call, of "
            f"{figures.duration(median(outcome.samples))} that a call takes: the device waits for the host. Larger "
            "arrays, or fewer and larger operations, would use it better."
        )
