"""The call at other sizes: at each one every variant is verified again, and timed in rounds of that size."""

from __future__ import annotations

import hashlib
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from jitmagic import figures
from jitmagic.advice import verdict as verdicts
from jitmagic.backends.protocol import Draft
from jitmagic.capture.resized import Resized, shown
from jitmagic.capture.workload import Workload
from jitmagic.errors import BaselineError, CaptureError, WorkerError
from jitmagic.measure.memory import PeakMeter
from jitmagic.measure.process import available_memory
from jitmagic.measure.rounds import Plan
from jitmagic.measure.statistics import median_interval
from jitmagic.measure.sweep import plan as planning
from jitmagic.measure.sweep.crossovers import crossovers
from jitmagic.measure.sweep.growth import growth
from jitmagic.measure.transport import TransportError
from jitmagic.outcome import Outcome
from jitmagic.same_bits import same_bits
from jitmagic.steps import building, timing
from jitmagic.steps.progress import Progress
from jitmagic.steps.writing import drafts_of

if TYPE_CHECKING:
    from jitmagic.steps.run import Run

_WATCH_SECONDS = 10.0
"""A variant is written anew from a watched run that takes less than this."""

_MEMORY_SHARE = 0.7
"""How much of the memory that is available now a size may be foretold to take."""


_TELLING_BYTES = 8 * 2**20
"""Arguments below this say nothing of what a call needs beside them."""

_UNKNOWN_NEED = 4.0
"""Bytes that the set-up and a call are taken to need for each of the arguments', where these are small."""


@dataclass
class Swept:
    """What a sweep has gathered so far.

    Attributes
    ----------
    sizes : list of float
        Those that were measured.
    samples : dict of str to list
        Seconds a call, by variant: the rounds at each size, None where it was not measured.
    axes : set of (str, int) or None
        The axes that were as long as the size, at every size so far.
    notes : list of str
    seconds : float
        Spent on timing.
    own_text : bool
        Whether the function's own source depends on the size.
    """

    sizes: list[float] = field(default_factory=list)
    samples: dict[str, list[list[float] | None]] = field(default_factory=dict)
    axes: set[tuple[str, int]] | None = None
    notes: list[str] = field(default_factory=list)
    seconds: float = 0.0
    own_text: bool = False

    def add(self, size: float, samples: Mapping[str, list[float]], workload: Workload) -> None:
        """Takes in a size that is done."""
        for name in samples.keys() - self.samples.keys():
            self.samples[name] = [None] * len(self.sizes)
        self.sizes.append(size)
        for name, each in self.samples.items():
            each.append(samples.get(name))
        labelled = zip(workload.argument_names, workload.argument_values(), strict=True)
        axes = {
            (label, axis)
            for label, value in labelled
            for axis, length in enumerate(getattr(value, "shape", ()))
            if length == size
        }
        self.axes = axes if self.axes is None else self.axes & axes


class _Left(Exception):
    """A size is left out; the text says why."""


class _Over(Exception):
    """No size from here on is measured; the text says why."""


def sweep(run: Run) -> None:
    """Measures the sizes that were asked for, the small ones first, until the budget is spent.

    The timing has a budget of its own, as long as the example's.
    """
    if run.resized is None:
        return
    run.swept = Swept()
    if run.nodes:
        run.swept.notes.append("Other machines were not measured at other sizes: the figures are this machine's.")
    sweeping = _Sweep(run, run.resized, run.swept)
    try:
        sweeping.through()
    finally:  # also where the user stops it
        _tell_of_sources(run.swept, run.resized.parameter, sweeping.rewritten)


class _Sweep:
    """The way through the sizes.

    Attributes
    ----------
    taken : dict of str to list of (float, float)
        The sizes and seconds a call of each variant that has not dropped out.
    rewritten : dict of str to list of float
        The sizes for which a variant was written anew.
    """

    def __init__(self, run: Run, resized: Resized, swept: Swept) -> None:
        self._run, self._resized, self._swept = run, resized, swept
        live = [run.baseline, *(one for one in run.outcomes if one.verified and one.samples and not one.node)]
        self.taken: dict[str, list[tuple[float, float]]] = {one.name: [] for one in live}
        self.rewritten: dict[str, list[float]] = defaultdict(list)
        self._sizes = list(resized.sizes)
        self._memory: list[tuple[float, float]] = []
        self._for_each = 0.0
        self._building: dict[str, float] = defaultdict(float)
        self._before = ""

    def through(self) -> None:
        """Takes the sizes in turn."""
        for place, size in enumerate(self._sizes):
            at = f"{self._resized.parameter} = {shown(size)}"
            try:
                self._one(place, size, at)
            except _Left as reason:
                self._swept.notes.append(f"{at} is left out: {reason}")
            except _Over as reason:
                self._swept.notes.append(str(reason))
                return

    def _one(self, place: int, size: float, at: str) -> None:
        """Measures one size."""
        run, swept = self._run, self._swept
        left = planning.entitled(run.options.budget, swept.seconds, len(self._sizes))
        told = f"{at} ({place + 1} of {len(self._sizes)})"
        run.progress(Progress(None, "preparing", 0, 1, left, size=told))
        beyond = at if place == len(self._sizes) - 1 else f"{at} and above"
        self._check_room(size, beyond)
        kept, seconds = self._allotted(place, at, beyond, left)
        workload, set_up = self._prepared(size)
        try:
            here = _at(run, workload, told, swept, seconds)
        except TransportError as error:
            raise _Left(f"its arguments cannot go to other processes: {error}.") from error
        try:
            samples = _measure(run, here, kept)
        except (WorkerError, BaselineError) as error:
            raise _Over(f"Left out: {beyond}. NumPy's process was lost to it: {building.last_line(error)}") from error
        finally:
            here.bench.close()
        swept.add(size, samples, workload)
        for name, rounds in samples.items():
            self.taken[name].append((size, float(np.median(rounds))))
        for one in here.outcomes:
            _tell_of(one, at, here, self.taken, self.rewritten, size, swept)
            self._count_building(one, at)
        self._memory.append((size, _argument_bytes(workload)))
        self._for_each = _for_each_byte(workload, here, set_up)
        swept.own_text = swept.own_text or workload.module.text != run.workload.module.text

    def _check_room(self, size: float, beyond: str) -> None:
        """Raises _Over where the memory would not suffice."""
        free = _MEMORY_SHARE * available_memory()
        fits, needed = planning.fits_in_memory(self._memory, size, free, self._for_each)
        if not fits:
            raise _Over(
                f"Left out for memory: {beyond}. About {figures.size(needed)} would be needed, and "
                f"{figures.size(free)} can be spared."
            )

    def _allotted(self, place: int, at: str, beyond: str, left: float) -> tuple[list[str], float]:
        """Returns the variants that have time at a size, and the seconds for all; the others drop out."""
        baseline = self._run.baseline.name
        sizes = self._sizes[place:]
        allotted = planning.allot(baseline, self.taken, sizes, left, lasts=Plan().lasts)
        if not allotted.fits:
            call = planning.foretell(self.taken[baseline], sizes[0]) or 0.0
            raise _Over(
                f"Left out for time: {beyond}. A call of {baseline} would take about {figures.duration(call)}, and "
                f"{figures.duration(left)} of the budget are left; a longer --budget reaches further."
            )
        for name, seconds in allotted.dropped.items():
            del self.taken[name]
            self._swept.notes.append(
                f"{name} drops out from {at} on: a call would take about {figures.duration(seconds)}, and "
                f"{figures.duration(left)} of the budget are left for all."
            )
        return [name for name in allotted.kept if name in self.taken], allotted.seconds

    def _prepared(self, size: float) -> tuple[Workload, int | None]:
        """Returns the workload of a size, and the bytes that its set-up took at most."""
        try:
            with PeakMeter() as meter:
                workload = self._resized.workload(size)
        except CaptureError as error:
            raise _Left(str(error)) from error
        workload = self._run.cast(workload)
        digest = _digest(workload)
        if digest == self._before:
            raise _Left("its arguments are those of the size before, bit for bit.")
        self._before = digest
        return workload, meter.peak

    def _count_building(self, one: Outcome, at: str) -> None:
        """Lets a variant drop out that has been built for longer than one build may take."""
        if one.built is not None:
            self._building[one.name] += max(one.built.first - one.built.second, 0.0)
        if one.name in self.taken and self._building[one.name] > self._run.options.timeout:
            del self.taken[one.name]
            self._swept.notes.append(
                f"{one.name} drops out after {at}: it is built for each size anew, which took "
                f"{figures.duration(self._building[one.name])} by then."
            )


def _tell_of_sources(swept: Swept, parameter: str, rewritten: Mapping[str, Sequence[float]]) -> None:
    """Notes for which sizes the sources are not those that are shown."""
    if swept.own_text:
        swept.notes.append(
            f"The function itself reads {parameter}: its variants were written anew for each size, and the "
            "sources that are shown are those of the example."
        )
    for name, at_sizes in rewritten.items():
        listed = figures.listed([shown(size) for size in at_sizes])
        swept.notes.append(
            f"{name} was written anew for {parameter} = {listed}: the source that is shown, made for the "
            "example, does not hold there."
        )


def record(run: Run) -> dict[str, Any] | None:
    """Writes the record's entry; None where no size was measured."""
    swept, resized = run.swept, run.resized
    if swept is None or resized is None or not swept.sizes:
        return None
    devices = {one.name: one.device for one in (run.baseline, *run.outcomes)}
    series = []
    for name in (one for one in devices if one in swept.samples):
        rounds = swept.samples[name]
        exponent = growth(swept.sizes, rounds)
        series.append(
            {
                "name": name,
                "device": devices[name],
                "run": [None if not each else _interval(median_interval(each)) for each in rounds],
                "growth": None if exponent is None else _interval(exponent),
            }
        )
    found = crossovers(swept.sizes, swept.samples, run.baseline.name)
    return {
        "parameter": resized.parameter,
        "meaning": _meaning(swept),
        "n": list(swept.sizes),
        "series": series,
        "crossovers": [
            {
                "variant": one.variant,
                "over": one.over,
                "n": _round(one.n),
                "low": _round(one.low),
                "high": _round(one.high),
            }
            for one in found
        ],
        "notes": list(swept.notes),
    }


def _round(size: float) -> float:
    """Rounds an interpolated size to three digits, which are more than its interval supports."""
    return float(f"{size:.3g}")


def _interval(found: Any) -> dict[str, float]:
    return {"median": found.median, "low": found.low, "high": found.high}


def _meaning(swept: Swept) -> str:
    axes = sorted(swept.axes or ())
    if not axes or len(axes) > 3:
        return ""
    return "length of " + figures.listed([f"axis {axis} of {label}" for label, axis in axes])


def _at(run: Run, workload: Workload, told: str, swept: Swept, seconds: float) -> Run:
    """Makes the comparison at a size: a run of its own, which tells its progress as the whole one's."""
    same = workload.module.text == run.workload.module.text and same_bits(
        {name: workload.constants[name] for name in workload.needs},
        {name: run.workload.constants[name] for name in run.workload.needs},
    )
    left = run.options.budget - swept.seconds

    def progress(event: Progress) -> None:
        run.progress(replace(event, size=told, seconds_left=left if event.seconds_left is None else event.seconds_left))

    return run.at(workload, replace(run.options, budget=max(seconds, 1e-3)), run.bench if same else None, progress)


def _measure(run: Run, here: Run, names: Sequence[str]) -> dict[str, list[float]]:
    """Verifies and times variants at one size; returns their samples, the baseline's among them."""
    same_text = here.workload.module.text == run.workload.module.text
    _refer(here, 0.0 if same_text else _WATCH_SECONDS)
    if same_text:
        here.baseline.draft = run.baseline.draft
    else:
        here.baseline.draft = _only(drafts_of(here, here.numpy), "numpy")
    try:
        building.build(here, here.numpy, here.baseline)
    except BaselineError as error:
        raise _Left(str(error)) from error
    if here.baseline.verdict is not None:
        raise WorkerError(here.baseline.verdict.reason)
    if not here.baseline.verified:
        raise _Left("NumPy gives another result there when it is run again")
    chosen = [one for one in run.outcomes if one.name in names]
    here.outcomes = [
        Outcome(one.name, one.backend, one.device, one.mode, thread_limit=one.thread_limit, unlimited=one.unlimited)
        for one in chosen
    ]
    for number, (ours, theirs) in enumerate(zip(chosen, here.outcomes, strict=True)):
        if same_text and ours.draft is not None:
            theirs.draft = replace(ours.draft, written=_written(ours.draft, here))
            building.build(here, run.backend_of(ours), theirs, number, len(chosen))
            lost = theirs.verdict is not None and theirs.verdict.verdict != "differs"
            if theirs.verified or lost:
                continue
        _write_anew(here, theirs, number, len(chosen))
    began = time.monotonic()
    try:
        timing.take_rounds(here)
    finally:
        if run.swept is not None:
            run.swept.seconds += time.monotonic() - began
    return {one.name: one.samples for one in (here.baseline, *here.outcomes) if one.verified and one.samples}


def _refer(here: Run, watch: float) -> None:
    """Runs NumPy once for the reference, watched where it takes less than ``watch`` seconds."""
    here.progress(Progress("numpy", "observing", 0, 1))
    here.observation = here.bench.observe(here.numpy, watch, 10 * here.options.timeout)
    seen = here.observation
    if seen.refused is not None:
        raise _Left(seen.refused.reason)
    if seen.raised is not None:
        raise _Left(f"NumPy raises {seen.raised.type}: {seen.raised.message}")
    # as for the example: the clock gets a process that has compared nothing yet
    here.pool.end(here.numpy, "cpu")
    here.pool.begin(here.numpy, "cpu")


def _write_anew(here: Run, outcome: Outcome, number: int, total: int) -> None:
    """Writes a variant for this size, and goes down its ladder until a rung holds."""
    failed = outcome.verdict
    if not here.seen().watched:
        before = here.seen()
        _refer(here, _WATCH_SECONDS)
        if before.mutated != here.seen().mutated:
            raise _Left("NumPy writes into other arguments when it is run again")
        building.build(here, here.numpy, here.baseline)
    backend = here.backend_of(outcome)
    draft = _only(drafts_of(here, backend), (outcome.unlimited or outcome.name).partition("@")[0])
    if draft is not None:
        draft = replace(draft, variant=outcome.name)
    if draft is None or (failed is not None and outcome.draft is not None and _same_text(draft, outcome.draft)):
        outcome.verdict = failed or verdicts.Verdict("unsupported", "it cannot be written for this size")
        return
    outcome.verdict, outcome.built = None, None
    outcome.draft = replace(draft, written=_written(draft, here))
    outcome.notes.append(_ANEW)
    building.descend(here, backend, outcome, number, total)


_ANEW = "written anew"


def _same_text(one: Draft, other: Draft) -> bool:
    return one.module.text == other.module.text


def _only(drafts: Sequence[Any], name: str) -> Draft | None:
    return next((one for one in drafts if isinstance(one, Draft) and one.variant == name), None)


def _written(draft: Draft, here: Run) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*draft.written, *here.seen().mutated)))


def _tell_of(
    one: Outcome,
    at: str,
    here: Run,
    taken: dict[str, list[tuple[float, float]]],
    rewritten: dict[str, list[float]],
    size: float,
    swept: Swept,
) -> None:
    """Notes what became of a variant at a size; one that lost its process is not tried at larger ones."""
    if one.verified and one.samples:
        if _ANEW in one.notes and here.workload.key == here.first_key:
            rewritten[one.name].append(size)
        return
    verdict = one.verdict
    if verdict is not None and verdict.verdict in ("crashed", "timed out"):
        taken.pop(one.name, None)
        swept.notes.append(f"{one.name} drops out from {at} on: {verdict.verdict}: {verdict.reason}.")
        return
    why = verdict.reason if verdict is not None else _why(one)
    swept.notes.append(f"{one.name} has no time at {at}, since it was not verified there: {why}.")


def _why(one: Outcome) -> str:
    if one.built is not None and one.built.failure is not None:
        return one.built.failure.message.strip().partition("\n")[0] or one.built.failure.type
    if one.built is not None and one.built.finding is not None and not one.built.finding.ok:
        return one.built.finding.message
    return "it was not timed"


def _argument_bytes(workload: Workload) -> float:
    """Returns the bytes of the arrays that a call is given or reads."""
    values = [*workload.argument_values(), *(workload.constants[name] for name in workload.needs)]
    return float(sum(each.nbytes for each in _arrays(values)))


def _for_each_byte(workload: Workload, here: Run, set_up: int | None) -> float:
    """Estimates how many bytes are taken for each of the arguments': by the processes that hold them, and by one call.

    Each worker holds the arguments and a fresh copy of them, beside the shared file and the user's process. What the
    set-up and a call need beyond that is only told by arguments that are large against a process's own comings and
    goings.
    """
    workers = 1 + len({(one.backend, one.device) for one in here.outcomes})
    held = 2.0 + 2.0 * workers
    arguments = _argument_bytes(workload)
    if arguments < _TELLING_BYTES:
        return held + _UNKNOWN_NEED
    built = [one.built for one in (here.baseline, *here.outcomes) if one.built is not None]
    call = max((each.host_peak or 0 for each in built), default=0)
    return held + (call + (set_up or 0)) / arguments


def _arrays(value: Any) -> Iterator[Any]:
    if isinstance(value, np.ndarray):
        yield value
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _arrays(each)
    elif isinstance(value, Mapping):
        yield from _arrays(list(value.values()))


def _digest(workload: Workload) -> str:
    """Returns the same text for two calls of equal arguments, constants and source."""
    found = hashlib.blake2b(workload.module.text.encode(), digest_size=16)

    def take(value: Any) -> None:
        if isinstance(value, np.ndarray) and not value.dtype.hasobject:
            found.update(f"{value.dtype}{value.shape}".encode())
            found.update(np.ascontiguousarray(value).view(np.uint8).data if value.size else b"")
        elif isinstance(value, list | tuple):
            found.update(f"{type(value).__name__}{len(value)}".encode())
            for each in value:
                take(each)
        elif isinstance(value, Mapping):
            take(list(value.items()))
        else:
            found.update(repr(value).encode())

    take([workload.args, dict(workload.kwargs), {name: workload.constants[name] for name in workload.needs}])
    return found.hexdigest()
