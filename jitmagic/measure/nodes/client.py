"""A node as the user's process sees it, and its workers, which answer as those of this machine do."""

from __future__ import annotations

import itertools
import pickle
import queue
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from jitmagic.backends.protocol import Availability, Backend
from jitmagic.errors import NodeError, WorkerError
from jitmagic.measure import process
from jitmagic.measure.interrupts import held
from jitmagic.measure.messages import Event, loads_from_outside
from jitmagic.measure.nodes.channel import Channel
from jitmagic.measure.nodes.messages import BEAT, CHUNK, NODE, SILENCE, Heard, Raised, dumps
from jitmagic.measure.transport import Parcel

_POLL = 0.05
_ANSWER = 120.0
"""Seconds that a node may take to say what its machine has: the first start of its drivers' tools is slow."""

_NUMBERS = itertools.count(1)


class NodeLost(WorkerError):
    """A machine was lost, with all that ran there."""


class Node:
    """A process on another machine that has workers there.

    Parameters
    ----------
    name : str
        What its variants are called by.
    address : str
        As it was given.
    channel : Channel
    about : mapping
        What it said of itself: ``python``, ``jitmagic``, ``numpy``, ``host``.

    Attributes
    ----------
    lost : str or None
        Why it is gone, None while it is there.
    machine : dict
        As in the record.
    devices : list of dict
        As in the record.
    backends : mapping of str to Availability
    """

    def __init__(self, name: str, address: str, channel: Channel, about: Mapping[str, Any]) -> None:
        self.name, self.address, self.about = name, address, dict(about)
        self.lost: str | None = None
        self._channel = channel
        self._lock = threading.Lock()
        self._heard = time.monotonic()
        self._answers: dict[int, queue.Queue[Any]] = {NODE: queue.Queue()}
        self._sent: dict[str, str] = {}
        threading.Thread(target=self._listen, name=f"jitmagic-{name}", daemon=True).start()
        threading.Thread(target=self._beat, name=f"jitmagic-{name}-beat", daemon=True).start()
        self.machine: dict[str, Any] = {}
        self.devices: list[dict[str, Any]] = []
        self.backends: Mapping[str, Availability] = {}
        try:
            self.look()
        except WorkerError as error:
            self.close()
            raise NodeError(f"{address} did not say what it has: {error}") from error

    def look(self) -> None:
        """Has it say what its machine has now, and how loaded it is."""
        told = self.ask("machine")
        self.machine, self.devices, self.backends = told["machine"], told["devices"], told["backends"]

    def begin(self, backend: Backend, device: str) -> RemoteWorker:
        """Starts a worker there; its library is imported meanwhile."""
        number = next(_NUMBERS)
        self._answers[number] = queue.Queue()
        worker = RemoteWorker(self, number, backend.name)
        limit = getattr(backend, "limit", None)
        self.send("begin", whom=number, backend=backend.name, threads=limit, device=device)
        return worker

    def ask(self, what: str, /, **arguments: Any) -> Any:
        """Asks about the machine; NodeLost where it is gone."""
        self.send("ask", what=what, arguments=arguments)
        deadline = time.monotonic() + _ANSWER
        try:
            return self.wait(NODE, deadline, lambda: f"it did not say what it has within {_ANSWER:g} s")
        except process.WorkerCrashed as error:
            raise WorkerError(f"{self.name}: {error}") from error
        except BaseException as error:
            # the next question would get this one's answer
            self._lose(str(error) or "its question was interrupted")
            raise

    def drop(self, parcels: Sequence[Parcel]) -> None:
        """Removes there what was sent of parcels that are done with."""
        names = [self._sent.pop(one.file) for one in parcels if one.file in self._sent]
        if names and self.lost is None:
            self.send("drop", names=names)

    def close(self) -> None:
        """Ends the node, which ends its workers and removes its files."""
        self._lose("it was closed", at_once=False)

    # -- what its workers use

    def post(self, whom: int, request: str, arguments: Mapping[str, Any]) -> None:
        """Sends a worker's request, and before it the arrays that the node does not have yet."""
        self.send("post", whom=whom, data=dumps(request, arguments, self._send_parcel))

    def wait(
        self,
        whom: int,
        deadline: float | None,
        late: Callable[[], str],
        notify: Callable[[str], None] | None = None,
    ) -> Any:
        """Waits for an answer."""
        answers = self._answers.get(whom)
        while answers is not None:
            try:
                what = answers.get(timeout=_POLL)
            except queue.Empty:
                self.check()
                if deadline is not None and time.monotonic() > deadline:
                    raise process.WorkerTimedOut(late()) from None
                continue
            if isinstance(what, Event):
                if notify is not None:
                    notify(what.step)
            elif isinstance(what, Raised):
                raise _error(what)
            elif what.error is not None:
                raise process.RequestFailed(what.error)
            else:
                return what.value
        raise process.WorkerCrashed("it was ended")

    def check(self) -> None:
        """Raises NodeLost where the node is gone."""
        if self.lost is not None:
            raise NodeLost(self.lost)

    def forget(self, whom: int) -> None:
        """Ends a worker there."""
        self._answers.pop(whom, None)
        if self.lost is None:
            try:
                self.send("end", whom=whom)
            except NodeLost:
                return  # it went with its node

    def send(self, name: str, /, **arguments: Any) -> None:
        """Sends a message; NodeLost where the way is gone."""
        self.check()
        data = pickle.dumps((name, arguments), protocol=5)
        try:
            # half a message would spoil the next
            with held(), self._lock:
                self._channel.send(data)
        except Exception as error:
            self._lose(str(error))
            raise NodeLost(self.lost) from error

    # -- within

    def _send_parcel(self, parcel: Parcel) -> tuple[str, Parcel]:
        """Sends a parcel's file once, and returns what stands for the parcel over there."""
        name = self._sent.get(parcel.file)
        if name is None:
            path = Path(parcel.file)
            name = f"{path.parent.name}-{path.name}"
            self.send("file", name=name, size=path.stat().st_size)
            with path.open("rb") as file:
                while chunk := file.read(CHUNK):
                    self.send("data", name=name, data=chunk)
            self._sent[parcel.file] = name
        return name, replace(parcel, file="")

    def _listen(self) -> None:
        while self.lost is None:
            try:
                heard = loads_from_outside(self._channel.receive())
            except Exception as error:
                self._lose(str(error))
                return
            self._heard = time.monotonic()
            answers = self._answers.get(heard.whom) if isinstance(heard, Heard) else None
            if answers is not None and heard.what is not None:
                answers.put(heard.what)

    def _beat(self) -> None:
        while self.lost is None:
            time.sleep(BEAT)
            if time.monotonic() - self._heard > SILENCE:
                self._lose(f"nothing was heard of it for {SILENCE:g} s")
                return
            try:
                self.send("alive")
            except NodeLost:
                return

    def _lose(self, why: str, at_once: bool = True) -> None:
        if self.lost is not None:
            return
        # before its last words: whoever waits is let go
        self.lost = f"the machine {self.name} was lost: {why or 'the way to it is gone'}"
        self._channel.close(at_once)
        words = self._channel.last_words()
        if words:
            self.lost = f"the machine {self.name} was lost: {words}"


class RemoteWorker:
    """One worker on a node; it answers as :class:`~jitmagic.measure.process.WorkerProcess` does."""

    python = None

    def __init__(self, node: Node, number: int, name: str) -> None:
        self.name = name
        self._node, self._number = node, number
        self._ended = False

    @property
    def pid(self) -> int:
        """A number that no process here has: less than zero."""
        return -self._number

    @property
    def alive(self) -> bool:
        """Whether it can be asked."""
        return not self._ended and self._node.lost is None

    def resident(self) -> int | None:
        """Returns None: its memory is its own machine's."""
        return None

    def ask(
        self,
        request: str,
        *,
        timeout: float | None = None,
        notify: Callable[[str], None] | None = None,
        **arguments: Any,
    ) -> Any:
        """Sends a request and waits; as ``WorkerProcess.ask``, and NodeLost where the machine is gone."""
        self.post(request, **arguments)
        return self.answer(timeout=timeout, notify=notify)

    def post(self, request: str, **arguments: Any) -> None:
        """Sends a request without waiting."""
        with self._ended_by_errors():
            if self._ended:
                raise process.WorkerCrashed("it was ended")
            self._node.post(self._number, request, arguments)

    def answer(self, *, timeout: float | None = None, notify: Callable[[str], None] | None = None) -> Any:
        """Waits for the answer to what was posted."""
        deadline = None if timeout is None else time.monotonic() + timeout
        with self._ended_by_errors():
            return self._node.wait(
                self._number, deadline, lambda: f"it did not answer within {timeout:g} s and was ended", notify
            )

    def kill(self) -> None:
        """Ends it."""
        if not self._ended:
            self._ended = True
            self._node.forget(self._number)

    @contextmanager
    def _ended_by_errors(self) -> Iterator[None]:
        """Ends the worker where a request is left without its answer; one that could not answer it lives on."""
        try:
            yield
        except process.RequestFailed as error:
            raise process.RequestFailed(f"the {self.name} worker could not answer:\n{error}") from None
        except BaseException:
            self.kill()
            raise


def _error(raised: Raised) -> WorkerError:
    known = {
        "WorkerCrashed": process.WorkerCrashed,
        "WorkerTimedOut": process.WorkerTimedOut,
        "WorkerOutOfMemory": process.WorkerOutOfMemory,
        "RequestFailed": process.RequestFailed,
    }
    return known.get(raised.kind, process.WorkerCrashed)(raised.text)
