"""What goes over the way to a node, and back."""

from __future__ import annotations

import io
import pickle
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from jitmagic.measure.transport import Parcel

NODE = 0
"""Whom a message concerns where it is the node itself, and none of its workers."""

BEAT = 2.0
"""Seconds after which each side says that it is there."""
SILENCE = 30.0
"""Seconds without a word after which the other side is taken for lost."""

CHUNK = 2**20
"""Bytes of an array that are sent in one message: signs of life go in between."""


@dataclass(frozen=True)
class Heard:
    """A message from a node.

    Attributes
    ----------
    whom : int
        The worker's number, or :data:`NODE`.
    what : Event, Reply, Raised or None
        None is a sign of life.
    """

    whom: int
    what: Any = None


@dataclass(frozen=True)
class Raised:
    """What went wrong with a worker over there.

    Attributes
    ----------
    kind : str
        Name of the exception's class in :mod:`jitmagic.measure.process`.
    text : str
    """

    kind: str
    text: str


def dumps(request: str, arguments: Mapping[str, Any], send: Callable[[Parcel], Any]) -> bytes:
    """Pickles a worker's request; each parcel with a file goes through ``send``, which returns what stands for it."""
    buffer = io.BytesIO()
    _Pickler(buffer, send).dump((request, dict(arguments)))
    return buffer.getvalue()


def loads(data: bytes, receive: Callable[[Any], Parcel]) -> tuple[str, dict[str, Any]]:
    """Reads a worker's request on the node, where ``receive`` returns the parcel that something stands for."""
    request, arguments = _Unpickler(io.BytesIO(data), receive).load()
    return request, arguments


class _Pickler(pickle.Pickler):
    def __init__(self, file: io.BytesIO, send: Callable[[Parcel], Any]) -> None:
        super().__init__(file, protocol=5)
        self._send = send

    def persistent_id(self, obj: Any) -> Any:
        return self._send(obj) if isinstance(obj, Parcel) and obj.file else None


class _Unpickler(pickle.Unpickler):
    def __init__(self, file: io.BytesIO, receive: Callable[[Any], Parcel]) -> None:
        super().__init__(file)
        self._receive = receive

    def persistent_load(self, pid: Any) -> Any:
        return self._receive(pid)
