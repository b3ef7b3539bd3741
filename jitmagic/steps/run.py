"""One comparison on its way: what it has gathered, and the steps in their order.

capture -> observe -> write -> build and verify -> time -> probe -> sweep -> record.
"""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from jitmagic.advice import verdict as verdicts
from jitmagic.backends import all_backends
from jitmagic.backends.protocol import Availability, Backend
from jitmagic.capture.dtypes import cast
from jitmagic.capture.resized import Resized
from jitmagic.capture.workload import Workload
from jitmagic.errors import BaselineError
from jitmagic.measure import interpreter
from jitmagic.measure import pool as pools
from jitmagic.measure.answers import Derived
from jitmagic.measure.bench import Bench
from jitmagic.measure.interrupts import held
from jitmagic.measure.nodes.place import at, device_of, node_of
from jitmagic.measure.statistics import Interval
from jitmagic.measure.threads import Limited
from jitmagic.measure.transport import TransportError
from jitmagic.observe.facts import Observation
from jitmagic.options import Options
from jitmagic.outcome import Outcome
from jitmagic.steps import (
    building,
    limiting,
    limits,
    observing,
    probing,
    recording,
    sweeping,
    timing,
    transforming,
    writing,
)
from jitmagic.steps.places import places
from jitmagic.steps.progress import Progress, Standing
from jitmagic.verify.movement import Movement


class Run:
    """One comparison.

    Parameters
    ----------
    workload : Workload
    options : Options
    progress : callable, optional
        Called with a :class:`Progress` as it goes on.
    resized : Resized, optional
        The call at other sizes, where these are to be measured too.

    Attributes
    ----------
    machine, devices
        As in the record.
    interrupted : bool
        Whether the user stopped it.
    baseline : Outcome
    outcomes : list of Outcome
        What has become of each variant, in the order of their writing.
    gotchas, troubles : list
        What was found beside the rules on source and observation, and what jitmagic itself could not do.
    nodes : list of Node
        The other machines.
    bases : dict of str to Outcome
        NumPy on each of them, by name.
    libraries : dict of str to str
        Versions.
    elsewhere : dict of str to dict
        By node: ``libraries`` and ``noise`` of it, as of this machine.
    timing_seconds : float
        How long the timing took.
    probed_seconds : dict or None
        How long the probing took, and how long it was allowed to.
    known : Known
        What probes found of this very call in earlier comparisons.
    limits : dict or None
        What the machine can do at best; None where it was not measured.
    so_far : mapping of str to Interval
        The speedups that the rounds gave until now.
    noise : dict or None
        What disturbed the machine while the clock ran; None where it did not run.
    record : dict or None
        The record, once it is written.
    movement : mapping of str to Movement or None
        How NumPy's own result moves for one unit in the last place; None where nobody asked.
    given : Workload or None
        The user's function, where a derivative or a batch of it is the workload: :mod:`jitmagic.steps.transforming`.
    given_observation : Observation or None
    derived : Derived or None
        How sure the baseline's differences are.
    swept : Swept or None
        What was measured at other sizes.
    """

    def __init__(
        self,
        workload: Workload,
        options: Options,
        progress: Callable[[Progress], None] | None = None,
        resized: Resized | None = None,
    ) -> None:
        from jitmagic import devices

        self.workload = self.cast(workload, options)
        self.resized = resized
        self.swept: sweeping.Swept | None = None
        self.first_key = self.workload.key
        self.given: Workload | None = None
        self.given_observation: Observation | None = None
        self.derived: Derived | None = None
        self.options = options
        self._told = progress or (lambda event: None)
        self.started = time.monotonic()
        self.machine = devices.machine()
        self.devices = devices.devices()
        self.interrupted = False
        self.pool = pools.pool()
        self.pool.pythons = options.python or {}
        if options.on:
            self._told(Progress(None, "connecting", 0, len(options.on)))
        # a machine that cannot be used is told of before anything is sent anywhere
        self.nodes = self.pool.connect(options.on or ())
        self._available: dict[tuple[str, str], Availability] = {}
        try:
            self.bench = Bench(self.workload, self.pool, options.timeout)
        except TransportError as error:
            raise BaselineError(f"the arguments of {workload.call} cannot go to other processes: {error}") from error
        self.thread_limit, self.fewer_threads = limiting.limits(options.threads)
        self.numpy = self._held(all_backends()["numpy"], self.thread_limit)
        self.baseline = Outcome("numpy", "numpy", "cpu", "baseline")
        self.outcomes: list[Outcome] = []
        self.observation: Observation | None = None
        self.gotchas: list[Any] = []
        self.troubles: list[str] = []
        self.bases = {one.name: Outcome(f"numpy@{one.name}", "numpy", at(one.name, "cpu"), "baseline")
                      for one in self.nodes}  # fmt: skip
        self.libraries: dict[str, str] = {}
        self.elsewhere: dict[str, dict[str, Any]] = {one.name: {"libraries": {}, "noise": None} for one in self.nodes}
        self.timing_seconds = 0.0
        self.probed_seconds: dict[str, float] | None = None
        self.known = self.pool.known(self.workload.fingerprint())
        self.movement: Mapping[str, Movement] | None = None
        self.limits: dict[str, Any] | None = None
        self.so_far: Mapping[str, Interval] = {}
        self.noise: dict[str, Any] | None = None
        self.record: dict[str, Any] | None = None

    def through(self) -> dict[str, Any]:
        """Takes the steps and returns the record.

        An interrupt keeps what is done; before the baseline was run there is nothing to keep, and it is raised.
        """
        try:
            observing.start_workers(self)
            transforming.transform(self)
            observing.observe(self)
            writing.write(self)
            building.verify(self)
            limiting.limit(self)
            self.measure()
            probing.probe(self)
            probing.share(self)
            limits.limits(self)
            sweeping.sweep(self)
        except KeyboardInterrupt:
            self.interrupted = True
            if self.observation is None:
                raise
        # one that comes while the record is written would cost it, and spare next to nothing
        with held(raised=False):
            if self.interrupted:
                self._stop()
            self.record = recording.record(self)
        return self.record

    def measure(self) -> None:
        """Times what is verified; benchmarks that time nothing put their own in its place."""
        timing.measure(self)

    def progress(self, event: Progress) -> None:
        """Tells how far it is, with what has become of each variant."""
        known = (self.baseline, *self.outcomes)
        standings = tuple(
            Standing(
                one.name,
                one.device,
                bool(one.verified),
                None if one.verdict is None else one.verdict.verdict,
                self.so_far.get(one.name),
            )
            for one in known
        )
        self._told(replace(event, standings=standings))

    def cast(self, workload: Workload, options: Options | None = None) -> Workload:
        """Casts the floating arguments, where that was asked for."""
        return cast(workload, (options or self.options).dtype)

    def at(
        self, workload: Workload, options: Options, like: Bench | None, progress: Callable[[Progress], None]
    ) -> Run:
        """Makes a run of the same session for another workload, with nothing gathered yet.

        Parameters
        ----------
        like : Bench or None
            The bench whose built variants hold for that workload too.
        """
        other = copy.copy(self)
        other.workload, other.options, other._told = workload, options, progress
        other.bench = Bench(workload, self.pool, options.timeout, like)
        other.baseline = Outcome("numpy", "numpy", "cpu", "baseline")
        other.outcomes, other.observation, other.movement = [], None, None
        other.gotchas, other.so_far = [], {}
        other.nodes, other.bases, other.elsewhere = [], {}, {}
        return other

    def close(self) -> None:
        """Lets go of the workers, or ends them where one may be in the middle of something."""
        if self.interrupted or self.observation is None:
            self.pool.shutdown()
            return
        try:
            self.bench.close()
        except KeyboardInterrupt:
            self.pool.shutdown()
            if self.record is None:
                raise

    def backends(self) -> Iterator[tuple[Backend, str]]:
        """Yields the backends asked for, each with the places that it runs at: those here first."""
        asked = [
            self._held(backend, self.thread_limit)
            for name, backend in all_backends().items()
            if name != "numpy" and (self.options.backends is None or name in self.options.backends)
        ]
        for backend in asked:
            for device in places(backend.name, self.available(backend), self.devices, self.options.devices):
                yield backend, device
        for node in self.nodes:
            for backend in asked:
                state = self.available(backend, node.name)
                for device in places(backend.name, state, node.devices, self.options.devices):
                    yield backend, at(node.name, device)

    def backend_of(self, outcome: Outcome) -> Backend:
        """Returns the backend in whose worker an outcome is built, with the number of threads that it is held to."""
        return self._held(all_backends()[outcome.backend], outcome.thread_limit or self.thread_limit)

    @staticmethod
    def _held(backend: Backend, threads: int | None) -> Backend:
        return backend if threads is None else Limited(backend, threads)

    def available(self, backend: Backend, node: str = "") -> Availability:
        """Says whether a backend can be used: here, or under the interpreter that was given for it, or on a node."""
        if (backend.name, node) not in self._available:
            self._available[backend.name, node] = self._asked(backend, node)
        return self._available[backend.name, node]

    def _asked(self, backend: Backend, node: str) -> Availability:
        if node:
            found = next(one for one in self.nodes if one.name == node).backends.get(backend.name)
            missing = Availability(False, reason=f"the backend {backend.name} is not installed on {node}")
            return missing if found is None else found
        python = self.pool.pythons.get(backend.name)
        return backend.availability() if python is None else interpreter.availability(python, backend)

    def has(self, place: str) -> bool:
        """Says whether a device is there."""
        return any(one["name"] == device_of(place) for one in self.found(node_of(place)))

    def found(self, node: str) -> Sequence[Mapping[str, Any]]:
        """Returns the devices of a machine."""
        return next(one for one in self.nodes if one.name == node).devices if node else self.devices

    def base_of(self, outcome: Outcome) -> Outcome:
        """Returns NumPy on the same machine."""
        return self.bases[outcome.node] if outcome.node else self.baseline

    def gpus(self) -> list[int]:
        """Returns the places of this machine's NVIDIA GPUs that variants run on."""
        return self.gpus_of("")

    def gpus_of(self, node: str) -> list[int]:
        """Returns the places of a machine's NVIDIA GPUs that variants run on."""
        there = {device_of(one.device) for one in self.outcomes if one.node == node and one.built}
        return sorted(int(device[5:]) for device in there if device.startswith("cuda:"))

    def seen(self) -> Observation:
        """Returns what was observed."""
        if self.observation is None:
            raise RuntimeError("the workload was not observed yet")
        return self.observation

    def studied(self) -> tuple[Workload, Observation]:
        """Returns the function that backends write variants of, with what was seen of it."""
        if self.given is not None and self.given_observation is not None:
            return self.given, self.given_observation
        return self.workload, self.seen()

    def _stop(self) -> None:
        """Gives every variant that was on its way when the user stopped a verdict."""
        for one in self.outcomes:
            if one.verdict is None and not one.samples:
                one.verdict = verdicts.Verdict("stopped", "you stopped the comparison before it was timed")
