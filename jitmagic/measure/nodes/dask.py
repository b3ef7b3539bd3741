"""Nodes over a Dask cluster: one on each machine that has a worker of Dask's, which passes the messages on.

The node is a process beside Dask's worker, not in it: Dask's event loop and its memory limit stay out of the timing.
The messages go as all of Dask's do; nothing else is opened.
"""

from __future__ import annotations

import asyncio
import contextlib
import queue
import sys
import threading
from typing import Any

from jitmagic.errors import NodeError
from jitmagic.measure.nodes.about import ASK, BOOT, mismatch
from jitmagic.measure.nodes.address import Address
from jitmagic.measure.nodes.channel import PipeChannel
from jitmagic.measure.nodes.client import Node
from jitmagic.measure.nodes.messages import SILENCE

_CONNECT = 15.0
_TURN = 5.0
"""Seconds that one question for messages waits at most."""


class Courier:
    """Runs in Dask's worker as an actor: starts the node there, and passes messages on."""

    def __init__(self) -> None:
        self._channel = PipeChannel([sys.executable, "-c", BOOT])
        self._channel.hello()
        self._messages: queue.Queue[bytes | None] = queue.Queue()
        # the thread must not hold the courier itself, or Dask could never let go of it
        reading = (self._channel, self._messages)
        threading.Thread(target=_read, args=reading, name="jitmagic-courier", daemon=True).start()

    # the actor's own thread is one for all: what waits has to be asynchronous
    async def send(self, data: bytes) -> None:
        """Passes a message to the node."""
        await asyncio.to_thread(self._channel.send, data)

    async def receive(self) -> list[bytes] | None:
        """Returns what the node has said since, waiting for a while; None where it is gone."""
        return await asyncio.to_thread(self._taken)

    async def close(self) -> str:
        """Ends the node; returns its last words."""
        await asyncio.to_thread(self._channel.close)
        return self._channel.last_words()

    def __del__(self) -> None:
        # Dask lets go of an actor when its client is gone
        with contextlib.suppress(Exception):
            self._channel.close()

    def _taken(self) -> list[bytes] | None:
        found: list[bytes] = []
        try:
            while (one := self._messages.get(block=not found, timeout=_TURN)) is not None:
                found.append(one)
        except queue.Empty:
            return found
        self._messages.put(None)  # for the next question
        return found or None


def _read(channel: PipeChannel, messages: queue.Queue[bytes | None]) -> None:
    while True:
        try:
            messages.put(channel.receive())
        except (EOFError, OSError):
            messages.put(None)
            return


class DaskChannel:
    """The way to a courier."""

    def __init__(self, client: Any, actor: Any, future: Any) -> None:
        self._client, self._actor, self._future = client, actor, future
        self._ready: list[bytes] = []
        self._closed = False
        self._words = ""

    def send(self, data: bytes) -> None:
        """Sends a message; OSError where Dask's worker is gone."""
        if self._closed:
            raise OSError("the way is closed")
        self._result(self._actor.send(data))

    def receive(self) -> bytes:
        """Waits for a message."""
        while not self._ready:
            if self._closed:
                raise EOFError("the way is closed")
            found = self._result(self._actor.receive())
            if found is None:
                raise EOFError("the process there ended")
            self._ready = found
        return self._ready.pop(0)

    def close(self, at_once: bool = False) -> None:
        """Ends the courier, and with it the node."""
        if self._closed:
            return
        self._closed = True
        with contextlib.suppress(Exception):  # Dask's worker may be gone, and its node with it
            self._words = str(self._actor.close().result(timeout=1 if at_once else 10) or "")
        with contextlib.suppress(Exception):
            self._future.release()
            self._client.close(timeout=5)

    def last_words(self) -> str:
        """Returns what the node last said of an error."""
        return self._words

    @staticmethod
    def _result(asked: Any) -> Any:
        try:
            return asked.result(timeout=SILENCE)
        except Exception as error:  # Dask raises what its worker did, and errors of its own for one that is gone
            raise OSError(f"Dask's worker does not answer ({type(error).__name__}: {error})".rstrip(": ")) from error


def connect(address: Address, names: Any) -> list[Node]:
    """Starts a node on each machine of a Dask cluster.

    Parameters
    ----------
    address : Address
        The scheduler's.
    names : callable
        Takes what a machine calls itself, and returns the node's name.

    Raises
    ------
    NodeError
        The scheduler cannot be reached, has no workers, or a machine has another Python, jitmagic or NumPy.
    """
    try:
        from distributed import Client
    except ImportError:
        raise NodeError(f'{address.text} needs Dask: pip install "jitmagic[dask]"') from None
    found: list[Node] = []
    try:
        for worker in _workers(Client, address):
            found.append(_start(Client, address, worker, names))
    except BaseException:
        for node in found:
            node.close()
        raise
    return found


def _client(kind: Any, address: Address) -> Any:
    try:
        return kind(address.text, timeout=_CONNECT, set_as_default=False)
    except Exception as error:  # OSError, TimeoutError, and Dask's own
        raise NodeError(f"no Dask scheduler answers at {address.text}: {error}") from error


def _workers(kind: Any, address: Address) -> list[str]:
    """Returns the address of one worker a machine, after all of them were asked what they have."""
    client = _client(kind, address)
    try:
        workers = client.scheduler_info(n_workers=-1)["workers"]
        if not workers:
            raise NodeError(f"the Dask scheduler at {address.text} has no workers: start one on the machine to use")
        by_host: dict[str, str] = {}
        for one, facts in sorted(workers.items()):
            by_host.setdefault(facts["host"], one)
        asking: dict[str, Any] = {"__name__": "jitmagic_asks"}
        # from text, so that it is sent by its value: jitmagic may be missing there, or another one
        exec(ASK, asking)
        told = client.run(asking["ask"], workers=list(by_host.values()))
        for host, one in by_host.items():
            problem = mismatch(told[one])
            if problem is not None:
                raise NodeError(f"the machine {host} of {address.text} cannot be used: {problem}. Nothing was sent.")
        return list(by_host.values())
    finally:
        client.close()


def _start(kind: Any, address: Address, worker: str, names: Any) -> Node:
    client = _client(kind, address)
    try:
        about = client.run(_about, workers=[worker])[worker]
        future = client.submit(Courier, actor=True, workers=[worker], allow_other_workers=False, pure=False)
        # it looks for a client of its own, and the user's default one is left as it is
        with client.as_current():
            actor = future.result(timeout=60)
    except Exception as error:
        client.close()
        raise NodeError(f"the Dask worker {worker} could not start a process: {error}") from error
    return Node(names(about["host"]), address.text, DaskChannel(client, actor, future), about)


def _about() -> dict[str, Any]:
    from jitmagic.measure.nodes.about import about

    return about()
