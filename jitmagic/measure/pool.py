"""The worker processes of this session: one a backend and device, alive between comparisons."""

from __future__ import annotations

import atexit
import os
import sys
from collections.abc import Mapping
from typing import Any

from jitmagic.backends.protocol import Backend
from jitmagic.measure.process import WorkerProcess, close_janitor, janitor
from jitmagic.measure.threads import seat
from jitmagic.measure.transport import Area, Parcel, pack


class Pool:
    """Holds the workers and the files that they share with this process."""

    def __init__(self) -> None:
        self.area = Area.of_this_system()
        self._workers: dict[tuple[str, str], WorkerProcess] = {}
        self._facts: dict[tuple[str, str], Mapping[str, Any]] = {}
        self._starting: set[tuple[str, str]] = set()

    def begin(self, backend: Backend, device: str) -> None:
        """Starts a worker without waiting until it is ready; does nothing where one lives."""
        place = (seat(backend), device)
        worker = self._workers.get(place)
        if worker is not None and worker.alive:
            return
        if worker is not None:
            self.end(backend, device)
        worker = WorkerProcess(backend.name, backend.environment(device))
        self._workers[place] = worker
        self._starting.add(place)
        worker.post(
            "start",
            runtime=backend.runtime,
            device=device,
            path=list(sys.path),
            folder=os.getcwd(),
            roots=self.area.roots(),
        )
        self._tell_janitor()

    def worker(self, backend: Backend, device: str, timeout: float) -> WorkerProcess:
        """Returns a worker that is ready; starts one where there is none.

        Raises
        ------
        WorkerError
            It could not be started.
        """
        self.begin(backend, device)
        place = (seat(backend), device)
        worker = self._workers[place]
        if place in self._starting:
            self._starting.discard(place)
            try:
                self._facts[place] = worker.answer(timeout=timeout)
            except BaseException:
                self.end(backend, device)
                raise
        return worker

    def living(self, name: str, device: str) -> WorkerProcess | None:
        """Returns the worker of a backend's seat and device, None where none lives."""
        worker = self._workers.get((name, device))
        return worker if worker is not None and worker.alive else None

    def facts(self, backend: Backend, device: str) -> Mapping[str, Any]:
        """Returns what the worker's library said of itself at its start."""
        return self._facts.get((seat(backend), device), {})

    def pack(self, value: Any) -> Parcel:
        """Lays a value down for the workers, and has its folder removed should this process be killed."""
        parcel = pack(value, self.area)
        self._tell_janitor()
        return parcel

    def _tell_janitor(self) -> None:
        for folder in self.area.folders:
            janitor().folder(folder)

    def end(self, backend: Backend, device: str) -> None:
        """Ends one worker."""
        worker = self._workers.pop((seat(backend), device), None)
        self._starting.discard((seat(backend), device))
        if worker is not None:
            worker.kill()

    def shutdown(self) -> None:
        """Ends all workers and removes all files."""
        for worker in self._workers.values():
            worker.kill()
        self._workers.clear()
        self._starting.clear()
        self.area.close()

    def pids(self) -> tuple[int, ...]:
        """Returns the process numbers of the workers that live."""
        return tuple(worker.pid for worker in self._workers.values() if worker.alive)


_pool: Pool | None = None


def pool() -> Pool:
    """Returns this session's pool."""
    global _pool
    if _pool is None:
        _pool = Pool()
        atexit.register(shutdown)
    return _pool


def shutdown() -> None:
    """Ends every process that this session started and removes every file it shared."""
    global _pool
    if _pool is not None:
        _pool.shutdown()
        _pool = None
    close_janitor()
