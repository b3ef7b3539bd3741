"""The node: a process on another machine that starts workers there, watches them, and cleans up when nobody listens.

Its workers are those of :mod:`jitmagic.measure.process`, started, watched and ended as on the user's own machine. It
hears over its standard input and speaks over its standard output; it opens no port. When its input closes, or nothing
was heard for :data:`~jitmagic.measure.nodes.messages.SILENCE` seconds, it ends its workers, removes its files and goes.
"""

from __future__ import annotations

import os
import pickle
import queue
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO

from jitmagic.backends import all_backends
from jitmagic.measure import noise
from jitmagic.measure.messages import Event, Reply, exactly, framed, length_of, own_pipes
from jitmagic.measure.nodes.messages import BEAT, NODE, SILENCE, Heard, Raised, loads
from jitmagic.measure.pool import starting
from jitmagic.measure.process import (
    RequestFailed,
    WorkerProcess,
    available_memory,
    close_janitor,
    janitor,
)
from jitmagic.measure.threads import Limited
from jitmagic.measure.transport import Area, Parcel


class _Seat:
    """One worker here: its process, and a thread that puts one request after the other to it."""

    def __init__(self, number: int, process: WorkerProcess, say: Callable[[int, Any], None]) -> None:
        self.number, self.process, self._say = number, process, say
        self._requests: queue.Queue[tuple[str, Mapping[str, Any]] | None] = queue.Queue()
        threading.Thread(target=self._work, name=f"worker-{number}", daemon=True).start()

    def post(self, request: str, arguments: Mapping[str, Any]) -> None:
        self._requests.put((request, arguments))

    def end(self) -> None:
        self._requests.put(None)
        self.process.kill()

    def _work(self) -> None:
        while (asked := self._requests.get()) is not None:
            request, arguments = asked
            try:
                value = self.process.ask(
                    request, notify=lambda step: self._say(self.number, Event(step)), **arguments
                )
                self._say(self.number, Reply(value))
            except Exception as error:  # whatever it is, the other side has to hear of it
                self._say(self.number, _raised(error))


def _raised(error: Exception) -> Raised:
    # whose worker it was is said on the other side
    text = str(error).partition("\n")[2] if isinstance(error, RequestFailed) else str(error)
    return Raised(type(error).__name__, text or type(error).__name__)


class Serving:
    """Hears and answers.

    Parameters
    ----------
    requests, replies : binary streams
    """

    def __init__(self, requests: BinaryIO, replies: BinaryIO) -> None:
        self._requests, self._replies = requests, replies
        self._lock = threading.Lock()
        self._seats: dict[int, _Seat] = {}
        self._area = Area.of_this_system()
        self._files: dict[str, Path] = {}
        self._looked: noise.Look | None = None
        self._heard = time.monotonic()
        self._done = False

    def serve(self) -> None:
        """Goes on until nobody listens."""
        threading.Thread(target=self._beat, name="beat", daemon=True).start()
        try:
            while True:
                name, arguments = pickle.loads(
                    exactly(self._requests, length_of(exactly(self._requests, 8)))
                )
                self._heard = time.monotonic()
                getattr(self, f"on_{name}")(**arguments)
        except EOFError:
            pass
        finally:
            self.close()

    def close(self) -> None:
        """Ends the workers and removes the files."""
        self._done = True
        for seat in list(self._seats.values()):
            seat.end()
        self._seats.clear()
        self._area.close()
        close_janitor()

    # -- what is heard

    def on_alive(self) -> None:
        """The other side is there."""

    def on_begin(self, whom: int, backend: str, threads: int | None, device: str) -> None:
        """Starts a worker."""
        try:
            known = all_backends()[backend]
            used = known if threads is None else Limited(known, threads)
            process = WorkerProcess(backend, used.environment(device))
        except Exception as error:
            self._say(whom, Raised("WorkerCrashed", f"{type(error).__name__}: {error}"))
            return
        seat = self._seats[whom] = _Seat(whom, process, self._say)
        asked = starting(used, device, process, self._area)
        for folder in self._area.folders:
            janitor().folder(folder)
        # what the user's folder and path hold stays with the user
        seat.post("start", {**asked, "path": [entry for entry in sys.path if entry], "folder": asked["roots"][1]})

    def on_post(self, whom: int, data: bytes) -> None:
        """Passes a request on to a worker."""
        seat = self._seats.get(whom)
        if seat is not None:
            seat.post(*loads(data, self._parcel))

    def on_end(self, whom: int) -> None:
        """Ends a worker."""
        seat = self._seats.pop(whom, None)
        if seat is not None:
            seat.end()

    def on_file(self, name: str, size: int) -> None:
        """Begins a file."""
        self._files[name] = path = self._area.place(size)
        for folder in self._area.folders:
            janitor().folder(folder)
        path.touch()

    def on_data(self, name: str, data: bytes) -> None:
        """Takes in a file's next bytes."""
        with self._files[name].open("ab") as file:
            file.write(data)

    def on_drop(self, names: Sequence[str]) -> None:
        """Removes files."""
        for name in names:
            path = self._files.pop(name, None)
            if path is not None:
                path.unlink(missing_ok=True)

    def on_ask(self, what: str, arguments: Mapping[str, Any]) -> None:
        """Answers a question about this machine."""
        try:
            self._say(NODE, Reply(getattr(self, f"tell_{what}")(**arguments)))
        except Exception as error:
            self._say(NODE, Raised("WorkerCrashed", f"{type(error).__name__}: {error}"))

    # -- what it tells of its machine

    def tell_machine(self) -> dict[str, Any]:
        """Says what the machine has, and which backends can be used."""
        from jitmagic import devices

        states = {name: state for name, (_, state) in devices.availabilities().items()}
        return {"machine": devices.machine(), "devices": devices.devices(), "backends": states}

    def tell_free(self) -> int:
        """Says how many bytes of memory can still be taken."""
        return available_memory()

    def tell_look(self, gpus: Sequence[int]) -> None:
        """Looks at the machine's counters before the clock runs."""
        self._looked = noise.look([seat.process.pid for seat in self._seats.values()], gpus)

    def tell_noise(self, gpus: Sequence[int]) -> dict[str, Any] | None:
        """Says what disturbed the machine since it was looked at."""
        if self._looked is None:
            return None
        return noise.between(self._looked, noise.look([one.process.pid for one in self._seats.values()], gpus))

    # -- within

    def _parcel(self, sent: Any) -> Parcel:
        name, parcel = sent
        return replace(parcel, file=str(self._files[name]))

    def _say(self, whom: int, what: Any) -> None:
        data = framed(pickle.dumps(Heard(whom, what), protocol=5))
        try:
            with self._lock:
                self._replies.write(data)
                self._replies.flush()
        except (OSError, ValueError):  # nobody listens: the end of the requests tells the same
            return

    def _beat(self) -> None:
        while not self._done:
            time.sleep(BEAT)
            self._say(NODE, None)
            if time.monotonic() - self._heard > SILENCE:
                # the way is gone without its end: a reader that waits on it would wait for ever
                self.close()
                os._exit(1)


def main() -> None:
    """Serves over the standard input and output."""
    Serving(*own_pipes()).serve()
    # threads that write to nobody must not keep it
    os._exit(0)
