"""The steps in their order, from a workload to a comparison.

capture -> observe -> generate -> verify -> measure -> recommend -> record. Each step is a folder of its own; here
they are only called, and what one worker's end means for the others is decided.
"""

from __future__ import annotations

import datetime
import difflib
import inspect
import itertools
import json
import os
import re
import sys
import time
import traceback
import types
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from jitmagic.advice import verdict as verdicts
from jitmagic.advice.recommendation import recommend
from jitmagic.backends import all_backends
from jitmagic.backends.protocol import Backend, Draft, Failure, VariantRefusal
from jitmagic.capture.workload import Workload
from jitmagic.errors import BaselineError, Refusal, WorkerError
from jitmagic.measure import pool as pools
from jitmagic.measure.bench import Bench
from jitmagic.measure.probing import Candidate, Probed, Probing, plan
from jitmagic.measure.process import RequestFailed
from jitmagic.measure.rounds import Plan, run_rounds
from jitmagic.observe import coverage
from jitmagic.observe.facts import Observation
from jitmagic.outcome import Outcome, describe_value, describe_values, variant_record
from jitmagic.verify import judge, probes, sensitivity, sizes
from jitmagic.verify.judge import Judgement
from jitmagic.verify.probes import Inputs, Probe

SCHEMA = "jitmagic/v1"

_REVISIONS = 20
"""Rungs of a ladder that are tried for one variant."""

_OBSERVE_SECONDS = 10.0
"""A watched run is made only if it takes less than this."""

_TRANSFERS = 3
"""How often the ways to and from a device are timed."""

_MOVEMENT_SECONDS = 5.0
"""About how long it may take to find by how much NumPy's own result moves."""

_BUILDS = itertools.count()
"""Numbers the modules of functions that were built in this process."""


@dataclass(frozen=True)
class Options:
    """What the user asked for.

    Attributes
    ----------
    backends : tuple of str or None
        Names; None for all that are known.
    devices : tuple of str or None
        ``"cpu"``, ``"cuda:0"``, …; None for all that are found.
    budget : float
        Seconds for the timing.
    timeout : float
        Seconds that one variant may take to build, or one sample to be taken.
    dtype : str or None
        ``"float32"`` or ``"float64"``: floating arguments are cast to it before anything else.
    """

    backends: tuple[str, ...] | None = None
    devices: tuple[str, ...] | None = None
    budget: float = 10.0
    timeout: float = 60.0
    dtype: str | None = None

    def __post_init__(self) -> None:
        known = all_backends()
        for name in self.backends or ():
            if name not in known:
                close = difflib.get_close_matches(name, known, n=1)
                meant = f"is {close[0]} meant? There are" if close else "choose from"
                raise ValueError(f"there is no backend {name!r}; {meant} {', '.join(known)}")
        for name in self.devices or ():
            if not re.fullmatch(r"cpu|mps|(cuda|tpu):\d+", name):
                raise ValueError(
                    f"there is no device {name!r}; write cpu, or cuda:0 for the first GPU "
                    "(`jitmagic devices` or %jitdevices lists what is here)"
                )
        asked = [name for name in known if name != "numpy" and (self.backends is None or name in self.backends)]
        if self.devices and asked and not {_device_of(name) for name in asked} & set(self.devices):
            places = ", ".join(f"{name} on {_device_of(name)}" for name in asked)
            raise ValueError(f"nothing to compare on {', '.join(self.devices)}: jitmagic runs {places}")
        for name, value in (("budget", self.budget), ("timeout", self.timeout)):
            if not isinstance(value, int | float) or not 0 < value < float("inf"):
                raise ValueError(f"{name} has to be a positive number of seconds, not {value!r}")
        if self.dtype not in (None, "float32", "float64"):
            raise ValueError(f"dtype has to be float32 or float64, not {self.dtype!r}")


@dataclass(frozen=True)
class Standing:
    """What has become of one variant so far.

    Attributes
    ----------
    name, device : str
    verified : bool
        Whether its result was compared with NumPy's and agreed.
    verdict : str or None
        None while it is on its way.
    """

    name: str
    device: str
    verified: bool
    verdict: str | None


@dataclass(frozen=True)
class Progress:
    """Where a comparison has come to.

    Attributes
    ----------
    variant : str or None
    step : str
        "observing", "writing", "checking", "compiling", "timing", "probing".
    done, total : int
        Of the variants, or of the rounds while timing.
    seconds_left : float or None
        Of the timing budget.
    standings : tuple of Standing
        The baseline, and every variant that is known by now.
    """

    variant: str | None
    step: str
    done: int
    total: int
    seconds_left: float | None = None
    standings: tuple[Standing, ...] = ()


class Variant:
    """One variant of a comparison: a view of its entry in the record.

    Parameters
    ----------
    entry : mapping
        The record's entry.
    constants : mapping of str to object
        Values of the names that the source needs; known in the session that made the comparison.
    """

    def __init__(self, entry: Mapping[str, Any], constants: Mapping[str, Any]) -> None:
        self._entry = entry
        self._constants = constants

    def __getattr__(self, name: str) -> Any:
        # the record's fields are the attributes: name, backend, device, mode, verdict, reason, source, verified, …
        try:
            return self.__dict__["_entry"][name]
        except KeyError:
            raise AttributeError(f"a variant has no {name!r}") from None

    def __repr__(self) -> str:
        return f"<Variant {self.name} on {self.device}: {self.verdict}>"

    def build(self, **names: Any) -> Callable[..., Any]:
        """Makes the function from its source, in this process, and returns it.

        Parameters
        ----------
        **names
            Values for the names in ``needs``, where the comparison was read from a file.

        Raises
        ------
        ValueError
            There is no source, or a needed name is missing.
        ImportError
            The backend is not installed.
        """
        if not self.source:
            raise ValueError(f"{self.name} was not made: {self.reason}")
        values = {**self._constants, **names}
        missing = [name for name in self.needs if name not in values]
        if missing:
            raise ValueError(f"{self.name} needs {', '.join(missing)}: give them as build({missing[0]}=…)")
        # a module of its own that Python knows: Numba looks up there what a function calls in Python
        module = types.ModuleType(f"jitmagic_{self.name.replace('-', '_')}_{next(_BUILDS)}")
        sys.modules[module.__name__] = module
        namespace = module.__dict__
        namespace.update({name: values[name] for name in self.needs})
        filename = f"<jitmagic {self.name}>"
        _remember_source(filename, self.source)
        exec(compile(self.source, filename, "exec"), namespace)
        function: Callable[..., Any] = namespace[self.entry]
        return function


class Comparison(Mapping[str, Variant]):
    """The answer: a mapping of variant names to variants, with the record behind it.

    Parameters
    ----------
    record : dict
        See ``jitmagic/report/schema/v1.json``.
    constants : mapping of str to object
        Values that variants' sources need.
    """

    def __init__(self, record: dict[str, Any], constants: Mapping[str, Any] | None = None) -> None:
        self.record = record
        entries = [record["baseline"], *record["variants"]]
        self._variants = {entry["name"]: Variant(entry, constants or {}) for entry in entries}

    def __getitem__(self, name: str) -> Variant:
        try:
            return self._variants[name]
        except KeyError:
            raise KeyError(f"there is no variant {name!r}; there are {', '.join(self._variants)}") from None

    def __iter__(self) -> Iterator[str]:
        return iter(self._variants)

    def __len__(self) -> int:
        return len(self._variants)

    @property
    def best(self) -> Variant:
        """The recommended variant: the NumPy baseline, if that is the advice."""
        return self[self.record["recommendation"]["variant"]]

    @property
    def status(self) -> str:
        """``"complete"`` or ``"interrupted"``."""
        return str(self.record["status"])

    def use(self, name: str, namespace: dict[str, Any] | None = None) -> Callable[..., Any]:
        """Builds a variant and binds it to the function's own name in the caller's namespace; returns it."""
        function = self[name].build()
        if namespace is None:
            frame = inspect.currentframe()
            caller = frame.f_back if frame is not None else None
            if caller is None:
                raise ValueError("the caller's namespace cannot be found here: give it as namespace=globals()")
            namespace = caller.f_globals
        namespace[self.record["workload"]["name"]] = function
        return function

    def to_dict(self) -> dict[str, Any]:
        """Returns a copy of the record."""
        copied: dict[str, Any] = json.loads(self.to_json())
        return copied

    def to_json(self, indent: int | None = None) -> str:
        """Returns the record as JSON."""
        return json.dumps(self.record, indent=indent, allow_nan=False, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> Comparison:
        """Reads a record."""
        from jitmagic.report.record import load

        return cls(load(text))

    def to_text(self, width: int = 80, color: bool = False, code: str | None = None) -> str:
        """Returns the answer as text for a terminal."""
        from jitmagic.report.text import to_text

        return to_text(self.record, width=width, color=color, code=code)

    def to_html(self, page: bool = False) -> str:
        """Returns the answer as a fragment of static HTML, or as a whole page that stands alone, with its charts."""
        if page:
            from jitmagic.report.web_page import to_page

            return to_page(self.record)
        from jitmagic.report.html import to_html

        return to_html(self.record)

    def to_notebook(self) -> str:
        """Returns a notebook, as JSON, with a cell for each verified variant."""
        from jitmagic.report.notebook_file import to_notebook

        return to_notebook(self.record)

    def to_script(self) -> str:
        """Returns a module with the variants that runs without jitmagic; raises ValueError where none can be made."""
        from jitmagic.report.script_file import to_script

        return to_script(self.record)

    def __str__(self) -> str:
        return self.to_text()

    def __repr__(self) -> str:
        return f"<Comparison of {self.record['workload']['call']}: {self.record['recommendation']['variant']}>"

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        from jitmagic.report.bundle import mimebundle
        from jitmagic.report.front_end import detect

        return mimebundle(self.record, charts=detect().draws_record)


def compare(
    function: Callable[..., Any],
    *args: Any,
    backends: Sequence[str] | None = None,
    devices: Sequence[str] | None = None,
    budget: float = 10.0,
    timeout: float = 60.0,
    dtype: str | None = None,
    **kwargs: Any,
) -> Comparison:
    """Compares a NumPy function with its variants on these arguments.

    Parameters
    ----------
    function : callable
        A plain Python function that computes with NumPy.
    *args, **kwargs
        Its arguments; never written to.
    backends, devices : sequence of str, optional
        Which to compare; all that are found by default.
    budget : float
        Seconds for the timing.
    timeout : float
        Seconds that one variant may take to build.
    dtype : str, optional
        ``"float32"`` or ``"float64"``: floating arguments are cast to it first.

    Raises
    ------
    CaptureError
        The function cannot be captured; says why and at which line.
    BaselineError
        The NumPy function itself failed.

    Examples
    --------
    >>> import numpy as np
    >>> def fn(x):
    ...     return x + x * x
    >>> print(jitmagic.compare(fn, np.ones(1000)).best.name)  # doctest: +SKIP
    numba
    """
    from jitmagic.capture.function import from_function

    options = Options(
        None if backends is None else tuple(backends),
        None if devices is None else tuple(devices),
        budget,
        timeout,
        dtype,
    )
    return compare_workload(from_function(function, args, kwargs), options)


def shutdown() -> None:
    """Ends every worker process and removes every shared file of this session."""
    pools.shutdown()


def compare_workload(
    workload: Workload, options: Options | None = None, progress: Callable[[Progress], None] | None = None
) -> Comparison:
    """Runs the steps on a workload; see :func:`compare`.

    An interrupt keeps what is done: the comparison's status is then "interrupted". Before the baseline was run there
    is nothing to keep, and the interrupt is raised.
    """
    options = options or Options()
    run = _Run(_cast(workload, options.dtype), options, progress or (lambda event: None))
    try:
        return run.through()
    finally:
        run.close()


class _Run:
    """One comparison on its way."""

    def __init__(self, workload: Workload, options: Options, progress: Callable[[Progress], None]) -> None:
        from jitmagic import devices

        self.workload = workload
        self.options = options
        self._progress = progress
        self.started = time.monotonic()
        self.machine = devices.machine()
        self.devices = devices.devices()
        self.interrupted = False
        self.pool = pools.pool()
        self.bench = Bench(workload, self.pool, options.timeout)
        self.numpy = all_backends()["numpy"]
        self.baseline = Outcome("numpy", "numpy", "cpu", "baseline")
        self.outcomes: list[Outcome] = []
        self.observation: Observation | None = None
        self.gotchas: list[Any] = []
        self.troubles: list[str] = []
        self.libraries: dict[str, str] = {}
        self.timing_seconds = 0.0
        self.probing: dict[str, float] | None = None
        self._movement: Mapping[str, float] | None = None

    def through(self) -> Comparison:
        """Takes the steps."""
        self._start_workers()
        self._observe()
        try:
            self._write()
            self._verify()
            self._measure()
            self._probe()
        except KeyboardInterrupt:
            self.interrupted = True
        if self.interrupted:
            self._stop()
        return self._record()

    def progress(self, event: Progress) -> None:
        """Tells how far it is, with what has become of each variant."""
        known = (self.baseline, *self.outcomes)
        standings = tuple(
            Standing(one.name, one.device, bool(one.verified), None if one.verdict is None else one.verdict.verdict)
            for one in known
        )
        self._progress(replace(event, standings=standings))

    def close(self) -> None:
        if self.interrupted or self.observation is None:
            self.pool.shutdown()
        else:
            self.bench.close()

    # -- the steps

    def _backends(self) -> Iterator[tuple[Backend, str]]:
        """Yields the backends asked for, each with the device that it runs on."""
        for name, backend in all_backends().items():
            if name != "numpy" and (self.options.backends is None or name in self.options.backends):
                device = _device_of(name)
                if self.options.devices is None or device in self.options.devices:
                    yield backend, device

    def _start_workers(self) -> None:
        # their libraries take seconds to import: all start now, while the NumPy function runs under watch
        self.pool.begin(self.numpy, "cpu")
        for backend, device in self._backends():
            if backend.availability().installed and device == "cpu":
                self.pool.begin(backend, device)

    def _observe(self) -> None:
        self.progress(Progress("numpy", "observing", 0, 1))
        try:
            observation = self.bench.observe(self.numpy, _OBSERVE_SECONDS, 10 * self.options.timeout)
        except WorkerError as error:
            self.pool.shutdown()
            raise BaselineError(
                f"{self.workload.call} was run with NumPy in a process of its own, and that process was lost: {error}. "
                "Nothing in your session is affected. Try smaller arguments, or a longer --timeout."
            ) from error
        if observation.refused is not None:
            line = self.workload.module.origin_line(observation.refused.line)
            at = f"line {line} " if line is not None else ""
            raise BaselineError(f"{self.workload.call} cannot be compared: {at}{observation.refused.reason}.")
        if observation.raised is not None:
            line = self.workload.module.origin_line(observation.raised.line)
            at = f" at line {line}" if line is not None else ""
            raise BaselineError(
                f"{self.workload.call} itself raises {observation.raised.type}{at}: {observation.raised.message}. "
                "There is nothing to compare with until it runs with NumPy."
            )
        self.observation = observation
        # a fresh process for the baseline's clock: watching and comparing leave malloc in another state than a user's
        self.pool.end(self.numpy, "cpu")
        self.pool.begin(self.numpy, "cpu")

    def _write(self) -> None:
        """Has every backend write its drafts; what it will not write has its verdict now."""
        observed = self._seen()
        draft = self.numpy.drafts(self.workload, observed)[0]
        if not isinstance(draft, Draft):
            raise BaselineError(draft.refusal.reason)
        self.baseline.draft = replace(draft, written=observed.mutated)
        for backend, device in self._backends():
            self.progress(Progress(backend.name, "writing", 0, 1))
            available = backend.availability()
            for made in self._drafts(backend, observed):
                outcome = Outcome(made.variant, backend.name, device, made.mode)
                self.outcomes.append(outcome)
                if isinstance(made, VariantRefusal):
                    outcome.verdict = verdicts.of_refusal(made.refusal)
                else:
                    # what NumPy writes into stays on the host and is new in every call
                    written = tuple(dict.fromkeys((*made.written, *observed.mutated)))
                    outcome.draft = replace(made, written=written)
                    if device != "cpu" and not self._has(device):
                        outcome.verdict = verdicts.of_missing_device(device)
                    elif not available.installed:
                        outcome.verdict = verdicts.of_missing_library(backend.title, available)

    def _drafts(self, backend: Backend, observed: Observation) -> Sequence[Draft | VariantRefusal]:
        """Has a backend write; an error of its own is that backend's verdict and spares the others."""
        try:
            return backend.drafts(self.workload, observed)
        except Exception as error:
            return [VariantRefusal(backend.name, backend.name, "", _own_error(backend, error))]

    def _verify(self) -> None:
        """Builds and verifies each variant, going down its ladder until a rung holds."""
        self._build(self.numpy, self.baseline)
        if not self.baseline.verified:
            built = self.baseline.built
            told = built.finding or built.failure if built is not None else None
            if told is None:
                raise BaselineError(f"{self.workload.call} could not be run a second time")
            raise BaselineError(
                f"{self.workload.call} gives another result when it is run again with the same arguments: "
                f"{told.message}. A function whose result depends on time, on random numbers or on what ran before "
                "cannot be compared; pass the random numbers, or a seeded numpy.random.Generator, as an argument."
            )
        waiting = [one for one in self.outcomes if one.verdict is None]
        # all libraries are imported before the first build, so that none of them slows another's clock
        ready = {one.backend: self._ready(one) for one in waiting}
        for number, outcome in enumerate(waiting):
            if (lost := ready[outcome.backend]) is not None:
                outcome.verdict = lost
                continue
            self._descend(all_backends()[outcome.backend], outcome, number, len(waiting))

    def _ready(self, outcome: Outcome) -> verdicts.Verdict | None:
        backend = all_backends()[outcome.backend]
        try:
            self.pool.worker(backend, outcome.device, self.options.timeout)
        except WorkerError as error:
            return verdicts.Verdict("unsupported", f"{backend.title} could not be started: {_last_line(error)}")
        facts = self.bench.facts(backend, outcome.device)
        self.libraries.update(facts.get("versions", {}))
        return None

    def _descend(self, backend: Backend, outcome: Outcome, number: int, total: int) -> None:
        for _ in range(_REVISIONS):
            failure = self._build(backend, outcome, number, total)
            if failure is None or outcome.draft is None:
                return
            try:
                answer = backend.revise(self.workload, self._seen(), outcome.draft, failure)
            except Exception as error:
                answer = _own_error(backend, error)
            if isinstance(answer, Refusal):
                outcome.verdict = self._judge_failure(outcome, failure, answer)
                return
            written = tuple(dict.fromkeys((*answer.written, *self._seen().mutated)))
            outcome.draft = replace(answer, written=written)
        outcome.verdict = verdicts.Verdict("unsupported", f"no form of it worked in {_REVISIONS} tries")

    def _judge_failure(self, outcome: Outcome, failure: Failure, refusal: Refusal) -> verdicts.Verdict:
        if failure.stage == "run":
            line = outcome.draft.module.origin_line(failure.line) if outcome.draft is not None else None
            if "MemoryError" in failure.classes:
                return verdicts.of_failure(failure, line)
        return verdicts.of_refusal(refusal)

    def _build(self, backend: Backend, outcome: Outcome, number: int = 0, total: int = 1) -> Failure | None:
        """Builds one draft; returns its failure, None where there is a finding or a verdict."""
        if outcome.draft is None:
            return None

        def step(name: str) -> None:
            # nothing is compiled for NumPy
            told = "checking" if backend is self.numpy else name
            self.progress(Progress(outcome.name, told, number, total))

        try:
            outcome.built = self.bench.build(backend, outcome.device, outcome.draft, step)
        except WorkerError as error:
            outcome.verdict = verdicts.of_lost_worker(error)
            return None
        finding = outcome.built.finding
        if finding is None:
            return outcome.built.failure
        if not finding.ok and backend is not self.numpy and self._moves_as_much(outcome):
            try:
                outcome.built = self.bench.build(backend, outcome.device, outcome.draft, step)
            except WorkerError as error:
                outcome.verdict = verdicts.of_lost_worker(error)
                return None
            finding = outcome.built.finding
            if finding is None:
                return outcome.built.failure
            if finding.ok:
                outcome.notes.append(
                    f"Its figures are within {finding.max_abs:.1e} of NumPy's, whose own move by {self._moves():.1e} "
                    "where the arguments move by one unit in the last place: no more can be asked."
                )
            else:
                outcome.notes.append(
                    f"NumPy's own figures move by {self._moves():.1e} where the arguments move by one unit in the last "
                    "place: they have too few certain digits for any variant to be verified."
                )
        if not finding.ok and backend is not self.numpy:
            outcome.verdict = verdicts.of_finding(finding)
            self._blame(outcome, finding.message, finding.kind)
        return None

    def _moves(self) -> float:
        """Returns by how much NumPy's own figures move."""
        return max((one for one in (self._movement or {}).values() if one < float("inf")), default=0.0)

    def _moves_as_much(self, outcome: Outcome) -> bool:
        """Says whether NumPy's own result moves so much that a variant's difference may be rounding, and allows it."""
        finding = outcome.built.finding if outcome.built is not None else None
        if finding is None or finding.kind not in ("values", "mutated") or finding.max_abs is None:
            return False
        if self._movement is None:
            seconds = max(self._seen().seconds, 1e-6)
            runs = int(min(sensitivity.RUNS, _MOVEMENT_SECONDS // seconds))
            try:
                timeout = self.options.timeout + 3 * _MOVEMENT_SECONDS
                self._movement = self.bench.movement(self.numpy, timeout, runs=runs) if runs else {}
            except WorkerError as error:
                self._movement = {}
                self.troubles.append(f"by how much NumPy's own result moves could not be found: {_last_line(error)}")
            self.bench.allow(self._movement)
        return sensitivity.could_explain(finding.max_abs, self._movement)

    def _blame(self, outcome: Outcome, message: str, kind: str) -> None:
        from jitmagic.gotchas.registry import blame

        likely = blame(self.workload, self._seen(), outcome.backend, message, kind, self.troubles)
        self.gotchas.extend(likely)
        if likely and outcome.verdict is not None:
            first = likely[0]
            at = f" at line {first.line}" if first.line is not None else ""
            outcome.verdict = replace(
                outcome.verdict, next_step=f"likely {first.code}{at}: {first.message} {first.fix}"
            )

    def _measure(self) -> None:
        began = time.monotonic()
        try:
            self._time()
        finally:
            self.timing_seconds = time.monotonic() - began

    def _time(self) -> None:
        live = [self.baseline, *(one for one in self.outcomes if one.verdict is None and one.verified)]
        estimates = {one.name: one.built.second for one in live if one.built is not None}

        def progress(done: int, total: int, left: float) -> None:
            self.progress(Progress(None, "timing", done, total, left))

        rounds = run_rounds(
            {one.name: self.bench.sampler(one.name, estimates[one.name]) for one in live},
            estimates,
            self.baseline.name,
            Plan(budget=self.options.budget),
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
        for one in live:
            self._transfer(one)

    def _transfer(self, outcome: Outcome) -> None:
        if outcome.verdict is not None:
            return
        try:
            for _ in range(_TRANSFERS):
                there, back, whole = self.bench.transfer(outcome.name)
                if there is None or back is None:
                    return  # arrays are used where they lie: end to end is the run itself
                outcome.to_device.append(there)
                outcome.to_host.append(back)
                outcome.end_to_end.append(whole)
        except WorkerError as error:
            outcome.verdict = verdicts.of_lost_worker(error)

    def _probe(self) -> None:
        """Compares the variants with NumPy on other arguments, for as long as the timing took at most.

        After the timing, since probes leave a process's memory in another state than a user's calls do.
        """
        workload, base = self.workload, self.baseline.built
        live = [one for one in self.outcomes if one.verified and one.built is not None and one.samples]
        if not live or base is None:
            return
        for one in live:
            one.probes = list(self._sharing(one))
        labels = workload.argument_names
        if not probes.usable(labels):
            return
        self.progress(Progress(None, "probing", 0, len(live)))
        probing = Probing(_Asking(self), self.timing_seconds, base.second, self.options.timeout)
        defaults = probes.defaults_of(workload.module.text, workload.function.name, labels)
        inputs = Inputs.of(labels, workload.argument_values(), defaults)
        outcomes = {one.name: one for one in live}
        try:
            probing.ask_numpy(plan(inputs, workload.module.text, workload.constants), sizes.small(inputs))
            candidates = [
                Candidate(
                    one.name,
                    one.backend,
                    one.mode,
                    one.built.first,
                    one.built.second,
                    by_shape=_trait(one, "compiles_by_shape"),
                    checks_bounds=_trait(one, "checks_bounds"),
                )
                for one in live
                if one.built is not None
            ]
            for number, (candidate, found) in enumerate(probing.probe(candidates), 1):
                self.progress(Progress(candidate.name, "probing", number, len(live)))
                outcome = outcomes[candidate.name]
                outcome.probes = [*(outcome.probes or ()), *found]
        except RequestFailed as error:
            self.troubles.append(
                f"jitmagic itself failed while it tried other arguments ({_last_line(error)}): "
                "this is a bug in jitmagic, please report it with your function"
            )
        finally:
            self.probing = {"seconds": probing.spent, "allowed": self.timing_seconds}
        for one in live:
            for probed in one.probes or ():
                if probed.wrong and probed.kind:
                    self.gotchas.extend(self._probe_gotchas(one, probed))

    def _probe_gotchas(self, outcome: Outcome, probed: Probed) -> Sequence[Any]:
        from jitmagic.gotchas.registry import blame

        return blame(
            self.workload, self._seen(), outcome.backend, probed.detail, probed.kind, self.troubles, probe=probed.name
        )

    def _sharing(self, outcome: Outcome) -> Iterator[Probed]:
        """Yields what a result's memory shares with an argument where NumPy's does not, and the other way round."""
        if outcome.built is None:
            return
        numpy, ours = set(self._seen().aliases_argument), set(outcome.built.shares)
        for label in self.workload.argument_names:
            if (label in numpy) == (label in ours):
                continue
            detail = (
                f"the result is the memory of {label}, so that writing into one changes the other, and NumPy's is "
                f"its own"
                if label in ours
                else f"NumPy's result is a view of {label}, so that writing into one changes the other, and this is "
                f"a copy"
            )
            yield Probed("shared memory", f"what the result shares with {label}", judge.DIFFERS, "identity", detail)

    def _stop(self) -> None:
        """Gives every variant that was on its way when the user stopped a verdict."""
        for one in self.outcomes:
            if one.verdict is None and not one.samples:
                one.verdict = verdicts.Verdict("stopped", "you stopped the comparison before it was timed")

    # -- the record

    def _record(self) -> Comparison:
        from jitmagic import __version__
        from jitmagic.gotchas.registry import find
        from jitmagic.gotchas.settle import settle

        observed = self._seen()
        self.baseline.verdict = verdicts.Verdict("baseline")
        for one in self.outcomes:
            ratio = one.speedup(self.baseline.samples)
            if one.verdict is None and ratio is not None:
                one.verdict = verdicts.of_ratio(ratio)
            elif one.verdict is None:
                one.verdict = verdicts.Verdict("stopped", "the baseline was not timed")
        verified: dict[str, list[str]] = {}
        for one in self.outcomes:
            if one.verified and one.draft is not None:
                verified.setdefault(one.backend, []).append(one.draft.form)
        found = [*find(self.workload, observed, self.troubles), *self.gotchas]
        gotchas = settle(found, {one.backend for one in self.outcomes}, verified)
        workload = self.workload
        arguments = describe_values(workload.argument_names, workload.argument_values(), observed.mutated)
        self.libraries.update(self.bench.facts(self.numpy, "cpu").get("versions", {}))
        record = {
            "schema": SCHEMA,
            "created": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
            "jitmagic": __version__,
            "status": "interrupted" if self.interrupted else "complete",
            "elapsed": time.monotonic() - self.started,
            "options": {
                "backends": self.options.backends and list(self.options.backends),
                "devices": self.options.devices and list(self.options.devices),
                "budget": self.options.budget,
                "timeout": self.options.timeout,
                "dtype": self.options.dtype,
            },
            "machine": self.machine,
            "devices": self._with_backends(),
            "libraries": dict(sorted(self.libraries.items())),
            "workload": {
                "name": workload.function.name,
                "call": workload.call,
                "source": workload.module.text,
                "origin": workload.function.origin,
                "lines": list(workload.module.lines),
                "arguments": arguments,
                "result": _result(observed),
                "notes": [*workload.notes, *filter(None, [coverage.note(workload, observed)])],
            },
            "baseline": variant_record(self.baseline, self.baseline),
            "variants": [variant_record(one, self.baseline, workload) for one in self.outcomes],
            "gotchas": [vars(gotcha) for gotcha in gotchas],
            "recommendation": recommend(self.baseline, self.outcomes),
            "sweep": None,
            "probing": self.probing,
            "warnings": self._warnings(),
        }
        return Comparison(record, {name: workload.constants[name] for name in workload.needs})

    def _warnings(self) -> list[str]:
        warnings = list(self.troubles)
        load, cores = self.machine.get("load"), self.machine.get("threads")
        if load is not None and cores and load > 0.5 * cores:
            warnings.append(
                f"when this began the load was {load:.1f} on {cores} threads, over half of them: "
                "close other programs and run it again"
            )
        return warnings

    def _with_backends(self) -> list[dict[str, Any]]:
        """Lists the devices with the backends that ran there."""
        used: dict[str, list[str]] = {"cpu": ["numpy"]}
        for one in self.outcomes:
            if one.built is not None and one.backend not in used.setdefault(one.device, []):
                used[one.device].append(one.backend)
        return [{**device, "backends": used.get(device["name"], [])} for device in self.devices]

    def _has(self, device: str) -> bool:
        return any(one["name"] == device for one in self.devices)

    def _seen(self) -> Observation:
        if self.observation is None:
            raise RuntimeError("the workload was not observed yet")
        return self.observation


class _Asking:
    """What probing asks, put to the bench."""

    def __init__(self, run: _Run) -> None:
        self._run, self._bench, self._numpy = run, run.bench, run.numpy

    def own(self) -> tuple[tuple[Any, ...], Mapping[str, float]]:
        return self._bench.own(self._numpy)

    def expect(self, probe: Probe, limit: float) -> Any:
        try:
            return self._bench.expect(self._numpy, probe, limit, 5 * limit + 5.0)
        except RequestFailed:
            raise
        except WorkerError:  # NumPy's own process was lost to these arguments: they are no probe
            return None

    def movement(self, asked: Any) -> Mapping[str, float]:
        try:
            return self._bench.movement(self._numpy, 10 * asked.expected.seconds + 5.0, asked)
        except RequestFailed:
            raise
        except WorkerError:  # its neighbours are nothing that NumPy takes
            return {}

    def try_probe(
        self,
        variant: str,
        asked: Any,
        timeout: float,
        movement: Mapping[str, float] | None,
        floor: Mapping[str, float] | None,
    ) -> Judgement:
        return self._bench.try_probe(variant, asked, timeout, movement, floor)

    def check_bounds(self, variant: str, timeout: float) -> str | None:
        return self._bench.check_bounds(variant, timeout)


def _own_error(backend: Backend, error: Exception) -> Refusal:
    """Words an exception in a backend's writer, which is a bug there and not the user's fault."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    place = f"{os.path.basename(frame.filename)}, line {frame.lineno}"
    return Refusal(
        f"jitmagic itself failed while it wrote this for {backend.title} ({type(error).__name__}: {error}; {place}): "
        "this is a bug in jitmagic, please report it with your function"
    )


def _trait(outcome: Outcome, name: str) -> bool:
    """Asks a backend for what only some say of themselves; see ``Backend``."""
    trait = getattr(all_backends()[outcome.backend], name, None)
    return bool(trait(outcome.mode)) if trait is not None else False


def _device_of(backend: str) -> str:
    return "cuda:0" if backend == "cupy" else "cpu"


def _cast(workload: Workload, dtype: str | None) -> Workload:
    """Casts floating arguments, for ``--dtype``."""
    if dtype is None:
        return workload
    import numpy as np

    def cast(value: Any) -> Any:
        if isinstance(value, np.ndarray | np.generic) and value.dtype.kind == "f":
            return value.astype(dtype)
        if isinstance(value, list | tuple):
            return type(value)(map(cast, value))
        return value

    note = f"floating arguments were cast to {dtype} before the comparison, as asked for"
    return replace(
        workload,
        args=tuple(map(cast, workload.args)),
        kwargs={name: cast(value) for name, value in workload.kwargs.items()},
        notes=(*workload.notes, note),
    )


def _result(observed: Observation) -> dict[str, Any]:
    fact = observed.result
    if fact is None:
        return describe_value("result", None)
    entry = describe_value("result", None)
    if fact.kind != "none":
        entry["kind"], entry["dtype"], entry["value"] = fact.kind, fact.dtype, None
        entry["shape"] = None if fact.shape is None else list(fact.shape)
    return entry


def _remember_source(filename: str, source: str) -> None:
    """Lets tracebacks, ``inspect.getsource`` and compilers read a source that is in no file."""
    import linecache

    linecache.cache[filename] = (len(source), None, source.splitlines(keepends=True), filename)


def _last_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[-1] if lines else type(error).__name__
