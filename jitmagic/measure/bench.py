"""One workload on the bench: opened in each worker it needs, and opened anew where a worker was lost."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from jitmagic.backends.protocol import Backend, Draft, plain
from jitmagic.capture.workload import Workload
from jitmagic.errors import WorkerError
from jitmagic.measure.answers import Asked, Built, Derived, Reference
from jitmagic.measure.pool import AnyWorker, Pool
from jitmagic.measure.threads import seat as seat_of
from jitmagic.measure.transport import Parcel, discard
from jitmagic.observe.facts import Observation
from jitmagic.verify.judge import Judgement
from jitmagic.verify.movement import Movement
from jitmagic.verify.probes import Probe

Step = Callable[[str], None]

_PLAIN = (bool, int, float, complex, str, bytes, type(None), np.generic)
"""Values that nothing can be written into."""


@dataclass
class _Seat:
    """The workload in one worker: its process, and the variants that are built there."""

    pid: int
    built: set[str] = field(default_factory=set)


class Bench:
    """A workload over workers.

    Parameters
    ----------
    workload : Workload
    pool : Pool
    timeout : float
        Seconds that one build, or one sample beyond what it should take, may last.
    like : Bench, optional
        The bench of the same text with the same constants: what is built there is taken over and not built again,
        where the backend does not compile for shapes.
    """

    def __init__(self, workload: Workload, pool: Pool, timeout: float, like: Bench | None = None) -> None:
        self._workload = workload
        self._pool = pool
        self._timeout = timeout
        self._key = f"{workload.key}-{id(self):x}"
        self._seats: dict[tuple[str, str], _Seat] = {}
        self._drafts: dict[str, tuple[Backend, str, Draft]] = {}
        self._arguments: Parcel = pool.pack((workload.args, dict(workload.kwargs)))
        try:
            self._namespace: Parcel = pool.pack({name: workload.constants[name] for name in workload.needs})
        except BaseException:
            discard(self._arguments)
            raise
        # what a function has written into its own arrays would still be there
        lasting = all(isinstance(value, _PLAIN) for value in workload.constants.values())
        self._code = f"{workload.function.name} {workload.module.text}" if lasting else None
        self._reference: Reference | None = None
        self._like = None if like is None else like._key
        self._parcels = [self._arguments, self._namespace]

    @property
    def size(self) -> int:
        """Bytes of the arguments' and constants' arrays."""
        return self._arguments.size + self._namespace.size

    def observe(self, numpy: Backend, limit: float, timeout: float) -> Observation:
        """Runs the NumPy function under watch and keeps its result as the reference.

        Raises
        ------
        WorkerError
            The NumPy function ended its process, hung, or took too much memory.
        """
        worker = self._seated(numpy, "cpu")
        observation, self._reference = worker.ask(
            "observe",
            timeout=timeout,
            key=self._key,
            text=self._workload.module.text,
            entry=self._workload.function.name,
            limit=limit,
        )
        return observation

    def build(self, backend: Backend, device: str, draft: Draft, step: Step | None = None) -> Built:
        """Builds and verifies a draft; it can be sampled afterwards if its finding is ok.

        Raises
        ------
        WorkerError
            The worker was lost to it.
        """
        worker = self._seated(backend, device)
        by_shape = getattr(backend, "compiles_by_shape", None)
        built: Built = worker.ask(
            "build",
            timeout=self._timeout,
            notify=step,
            key=self._key,
            draft=plain(draft),
            reference=self._reference,
            like=None if by_shape is not None and by_shape(draft.mode) else self._like,
        )
        if built.finding is not None and built.finding.ok:
            self._drafts[draft.variant] = (backend, device, draft)
            self._seats[seat_of(backend), device].built.add(draft.variant)
        return built

    def sampler(
        self,
        variant: str,
        estimate: float,
        cold: bool = False,
        untimed: Callable[[float], None] = lambda seconds: None,
    ) -> Callable[[int, int], float]:
        """Returns what takes a sample of a built variant, of calls with empty caches where it is to be ``cold``.

        ``untimed`` is told how many seconds the calls before each sample took.
        """
        backend, device, _ = self._drafts[variant]

        def sample(calls: int, warm: int) -> float:
            worker = self._rebuilt(backend, device, variant)
            timeout = self._timeout + 10 * estimate * (calls + warm)
            seconds, before = worker.ask(
                "sample", timeout=timeout, key=self._key, variant=variant, calls=calls, warm=warm, cold=cold
            )
            untimed(before)
            return float(seconds)

        return sample

    def transfer(self, variant: str) -> tuple[float | None, float | None, float]:
        """Times the ways in and out and one call end to end, in seconds; see ``Worker.transfer``."""
        backend, device, _ = self._drafts[variant]
        worker = self._rebuilt(backend, device, variant)
        answer: tuple[float | None, float | None, float] = worker.ask(
            "transfer", timeout=self._timeout, key=self._key, variant=variant
        )
        return answer

    def launch(self, variant: str) -> tuple[float, float | None]:
        """Times a call's share on the host and on the device, in seconds; see ``Worker.launch``."""
        backend, device, _ = self._drafts[variant]
        worker = self._rebuilt(backend, device, variant)
        answer: tuple[float, float | None] = worker.ask(
            "launch", timeout=self._timeout, key=self._key, variant=variant
        )
        return answer

    def movement(
        self, numpy: Backend, timeout: float, asked: Asked | None = None, runs: int = 4
    ) -> Mapping[str, Movement]:
        """Measures how far NumPy's own result moves for one unit in the last place; see ``Worker.movement``.

        Raises
        ------
        WorkerError
            The worker was lost to it.
        """
        worker = self._seated(numpy, "cpu")
        found: Mapping[str, Movement] = worker.ask(
            "movement",
            timeout=timeout,
            key=self._key,
            text=self._workload.module.text,
            entry=self._workload.function.name,
            asked=asked,
            runs=runs,
        )
        return found

    def allow(self, movement: Mapping[str, Movement]) -> None:
        """Lets further builds differ from the reference by what NumPy's own result moves by."""
        if self._reference is None:
            raise RuntimeError("the workload was not observed yet")
        self._reference = replace(self._reference, movement=movement)

    def derive(self, numpy: Backend, entry: str, second: bool, label: str, timeout: float) -> Derived:
        """Has variants held against the derivative of a function of the workload's module; see ``Worker.derive``.

        Raises
        ------
        WorkerError
            The worker was lost to it.
        """
        if self._reference is None:
            raise RuntimeError("the workload was not observed yet")
        derived: Derived = self._seated(numpy, "cpu").ask(
            "derive",
            timeout=timeout,
            key=self._key,
            text=self._workload.module.text,
            entry=entry,
            second=second,
            label=label,
            reference=self._reference,
        )
        self._parcels.append(derived.parcel)
        self._reference = replace(self._reference, derivative=derived.parcel)
        return derived

    def own(self, numpy: Backend) -> tuple[tuple[Any, ...], Mapping[str, float]]:
        """Returns what a compiler specialises on in the user's own arguments, and what is rounding in their result."""
        found: tuple[tuple[Any, ...], Mapping[str, float]] = self._seated(numpy, "cpu").ask(
            "own", timeout=self._timeout, key=self._key, reference=self._reference
        )
        return found

    def expect(self, numpy: Backend, probe: Probe, limit: float, timeout: float) -> Asked:
        """Has NumPy run a probe, for at most ``limit`` seconds a call.

        Raises
        ------
        WorkerError
            The worker was lost to it.
        """
        worker = self._seated(numpy, "cpu")
        asked: Asked = worker.ask(
            "expect",
            timeout=timeout,
            key=self._key,
            text=self._workload.module.text,
            entry=self._workload.function.name,
            probe=probe,
            limit=limit,
        )
        if asked.parcel is not None:
            self._parcels.append(asked.parcel)
        return asked

    def try_probe(
        self,
        variant: str,
        asked: Asked,
        timeout: float,
        movement: Mapping[str, Movement] | None = None,
        floor: Mapping[str, float] | None = None,
    ) -> Judgement:
        """Has a variant run a probe.

        Raises
        ------
        WorkerError
            The worker was lost to it.
        """
        backend, device, _ = self._drafts[variant]
        worker = self._rebuilt(backend, device, variant)
        judged: Judgement = worker.ask(
            "try_probe", timeout=timeout, key=self._key, variant=variant, asked=asked, movement=movement, floor=floor
        )
        return judged

    def check_bounds(self, variant: str, timeout: float) -> str | None:
        """Calls a variant once with checked bounds; see ``Worker.check_bounds``."""
        backend, device, _ = self._drafts[variant]
        worker = self._rebuilt(backend, device, variant)
        found: str | None = worker.ask("check_bounds", timeout=timeout, key=self._key, variant=variant)
        return found

    def ceiling(self, numpy: Backend, what: str, **asked: Any) -> float:
        """Measures what this machine can do at best; see ``Worker.ceiling``."""
        measured: float = self._seated(numpy, "cpu").ask("ceiling", timeout=self._timeout, what=what, **asked)
        return measured

    def facts(self, backend: Backend, device: str) -> Mapping[str, Any]:
        """Returns what a backend's library said of itself."""
        return self._pool.facts(backend, device)

    def close(self) -> None:
        """Forgets the workload in the workers that live, and removes its files."""
        for name, device in list(self._seats):
            worker = self._pool.living(name, device)
            if worker is not None and worker.pid == self._seats[name, device].pid:
                try:
                    worker.ask("close", timeout=self._timeout, key=self._key)
                except WorkerError:
                    worker.kill()  # it would not let go: the next comparison starts another
        self._seats.clear()
        own = [] if self._reference is None else [self._reference.parcel]  # its worker removes it here, and only here
        self._pool.discard([*self._parcels, *own])
        self._pool.tidy()

    def _seated(self, backend: Backend, device: str) -> AnyWorker:
        """Returns a worker that has the workload open."""
        worker = self._pool.worker(backend, device, self._timeout)
        seat = self._seats.get((seat_of(backend), device))
        if seat is None or seat.pid != worker.pid:
            worker.ask(
                "open",
                timeout=self._timeout,
                key=self._key,
                arguments=self._arguments,
                namespace=self._namespace,
                labels=self._workload.argument_names,
                code=self._code,
            )
            self._seats[seat_of(backend), device] = _Seat(worker.pid)
        return worker

    def _rebuilt(self, backend: Backend, device: str, variant: str) -> AnyWorker:
        """Returns a worker that holds a verified variant, built again where another variant ended the worker."""
        worker = self._seated(backend, device)
        if variant not in self._seats[seat_of(backend), device].built:
            built = self.build(backend, device, self._drafts[variant][2])
            if built.finding is None or not built.finding.ok:
                raise WorkerError("built again after its worker was lost, it no longer gives NumPy's result")
        return worker
