"""The worker processes of this session: one a backend and device, alive between comparisons."""

from __future__ import annotations

import atexit
import contextlib
import os
import shutil
import sys
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from jitmagic.backends.protocol import Backend
from jitmagic.errors import WorkerError
from jitmagic.measure.interpreter import own_folders
from jitmagic.measure.interrupts import held
from jitmagic.measure.nodes import connect
from jitmagic.measure.nodes.client import Node, NodeLost, RemoteWorker
from jitmagic.measure.nodes.place import device_of, node_of
from jitmagic.measure.probing import Known
from jitmagic.measure.process import WorkerProcess, close_janitor, janitor
from jitmagic.measure.threads import seat
from jitmagic.measure.transport import Area, Parcel, discard, pack

_BEYOND = 1.25
"""Times the memory at which a worker is ended, after which its allocations fail: what was free when it started."""

_MOST_GROWTH = 200_000_000
"""Bytes that an idle worker may hold more than after its first comparison: the next one starts a new worker then."""

_CALLS = 32
"""Calls of which it is kept what probes have found."""

_RESERVED = 2**31 + 2**26 * (os.cpu_count() or 1)
"""Bytes more for what is reserved and never touched: libraries start several threads a CPU, with stacks of 8 MiB."""


AnyWorker = WorkerProcess | RemoteWorker
"""A worker, wherever it is."""


def starting(backend: Backend, device: str, worker: WorkerProcess, area: Area) -> dict[str, Any]:
    """Returns what a worker of this machine is started with, but for the user's path and folder."""
    return {
        "runtime": backend.runtime,
        "device": device,
        "roots": area.roots(),
        "data_limit": int(worker.memory_limit * _BEYOND) + _RESERVED if device == "cpu" else None,
    }


class Pool:
    """Holds the workers and the files that they share with this process.

    Attributes
    ----------
    pythons : mapping of str to str
        By backend's name, the interpreter that its worker runs under where it is not this process's own.
    """

    def __init__(self) -> None:
        self.pythons: Mapping[str, str] = {}
        self.area = Area.of_this_system()
        self._nodes: dict[str, list[Node]] = {}
        self._workers: dict[tuple[str, str], AnyWorker] = {}
        self._facts: dict[tuple[str, str], Mapping[str, Any]] = {}
        self._starting: set[tuple[str, str]] = set()
        # bytes that a worker held after its first comparison
        self._settled: dict[int, int] = {}
        self._known: OrderedDict[str, Known] = OrderedDict()

    def begin(self, backend: Backend, device: str) -> None:
        """Starts a worker without waiting until it is ready; does nothing where one lives."""
        worker = self._workers.get((seat(backend), device))
        if worker is not None and worker.alive and (worker.python == self.pythons.get(backend.name) or node_of(device)):
            return
        with held():
            self._begin(backend, device)

    def _begin(self, backend: Backend, device: str) -> None:
        place = (seat(backend), device)
        python = self.pythons.get(backend.name)
        if place in self._workers:
            self.end(backend, device)
        if node_of(device):
            self._workers[place] = self.node(device).begin(backend, device_of(device))
            self._starting.add(place)
            return
        worker = WorkerProcess(backend.name, backend.environment(device), python=python)
        self._workers[place] = worker
        self._starting.add(place)
        worker.post(
            "start",
            **starting(backend, device, worker, self.area),
            path=list(sys.path) if python is None else own_folders(sys.path),
            behind=python is not None,
            folder=os.getcwd(),
        )
        self._tell_janitor()

    def connect(self, addresses: Sequence[str]) -> list[Node]:
        """Returns the nodes at some addresses, those that live and those that are started now.

        Raises
        ------
        NodeError
            A machine cannot be reached or used.
        """
        found = []
        for address in addresses:
            nodes = self._nodes.get(address, [])
            with contextlib.suppress(WorkerError):  # one that is lost is started anew
                for node in nodes:
                    node.look()
            if not nodes or any(node.lost is not None for node in nodes):
                self._leave(address)
                nodes = self._nodes[address] = connect.connect(address, {one.name for one in self._living_nodes()})
            found += nodes
        return found

    def node(self, place: str) -> Node:
        """Returns the node of a place; NodeLost where it is gone."""
        name = node_of(place)
        for node in self._living_nodes():
            if node.name == name:
                node.check()
                return node
        raise NodeLost(f"there is no machine {name}")

    def _living_nodes(self) -> list[Node]:
        return [node for nodes in self._nodes.values() for node in nodes]

    def _leave(self, address: str) -> None:
        """Ends the nodes of an address."""
        for node in self._nodes.pop(address, []):
            for place in [place for place in self._workers if node_of(place[1]) == node.name]:
                self._workers.pop(place).kill()
                self._starting.discard(place)
            node.close()

    def discard(self, parcels: Sequence[Parcel]) -> None:
        """Removes parcels' files, here and on the nodes."""
        for node in self._living_nodes():
            with contextlib.suppress(NodeLost):  # its files went with it
                node.drop(parcels)
        for parcel in parcels:
            discard(parcel)

    def worker(self, backend: Backend, device: str, timeout: float) -> AnyWorker:
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
            try:
                self._starting.discard(place)
                self._facts[place] = worker.answer(timeout=timeout)
            except BaseException:
                self.end(backend, device)
                raise
        return worker

    def living(self, name: str, device: str) -> AnyWorker | None:
        """Returns the worker of a backend's seat and device, None where none lives."""
        worker = self._workers.get((name, device))
        return worker if worker is not None and worker.alive else None

    def facts(self, backend: Backend, device: str) -> Mapping[str, Any]:
        """Returns what the worker's library said of itself at its start."""
        return self._facts.get((seat(backend), device), {})

    def pack(self, value: Any) -> Parcel:
        """Lays a value down for the workers, and has its folder removed should this process be killed."""
        with held():
            # told before, since a folder may be new, and a large value takes its time
            self.area.roots()
            self._tell_janitor()
        return pack(value, self.area)

    def tidy(self) -> None:
        """Removes what workers that are gone have laid down, and ends workers that have grown too much.

        What was laid down outlives its worker for as long as others read it. Compiled code is never freed: Numba keeps
        about 4 MB of each comparison.
        """
        for place, worker in list(self._workers.items()):
            size = worker.resident()
            if size is not None and size > self._settled.setdefault(worker.pid, size) + _MOST_GROWTH:
                with held():
                    del self._workers[place]
                    del self._settled[worker.pid]
                    worker.kill()
        self._settled = {pid: size for pid, size in self._settled.items() if pid in self.pids()}
        living = {str(pid) for pid in self.pids()}
        for folder in map(Path, self.area.folders):
            for left in folder.glob("jitmagic-*-*"):
                if left.name.split("-")[1] not in living:
                    shutil.rmtree(left, ignore_errors=True)

    def _tell_janitor(self) -> None:
        for folder in self.area.folders:
            janitor().folder(folder)

    def end(self, backend: Backend, device: str) -> None:
        """Ends one worker."""
        with held():
            worker = self._workers.pop((seat(backend), device), None)
            self._starting.discard((seat(backend), device))
            if worker is not None:
                worker.kill()

    def known(self, fingerprint: str | None) -> Known:
        """Returns what probes of a call have found in this session; of the last :data:`_CALLS` calls it is kept."""
        if fingerprint is None:
            return Known()
        known = self._known.setdefault(fingerprint, Known())
        self._known.move_to_end(fingerprint)
        while len(self._known) > _CALLS:
            self._known.popitem(last=False)
        return known

    def shutdown(self) -> None:
        """Ends all workers and removes all files."""
        with held():
            for worker in self._workers.values():
                worker.kill()
            for address in list(self._nodes):
                self._leave(address)
            self._workers.clear()
            self._starting.clear()
            self._known.clear()
            self.area.close()

    def pids(self) -> tuple[int, ...]:
        """Returns the process numbers of the workers that live on this machine."""
        return tuple(one.pid for one in self._workers.values() if isinstance(one, WorkerProcess) and one.alive)


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
    with held():
        if _pool is not None:
            _pool.shutdown()
            _pool = None
        close_janitor()
