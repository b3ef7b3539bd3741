"""Frames between the user's process and a worker: eight bytes of length, then a pickle.

The two ends are one program, started by us over a pipe of our own, so pickle is safe here: nobody else can write to it.
What comes from another machine is read by :func:`loads_from_outside`, which makes plain values and our records only.
"""

from __future__ import annotations

import dataclasses
import io
import os
import pickle
import struct
import sys
from dataclasses import dataclass
from typing import Any, BinaryIO

_LENGTH = struct.Struct("<Q")
LENGTH_SIZE = _LENGTH.size
"""Bytes that stand before a message."""


@dataclass(frozen=True)
class Event:
    """Something a worker says while it works on a request: the step it has come to."""

    step: str


@dataclass(frozen=True)
class Reply:
    """A request's answer: a value, or the exception's text where the request itself went wrong."""

    value: Any = None
    error: str | None = None


_KINDS: tuple[type, ...] = (Event, Reply)


def send(stream: BinaryIO, message: Any) -> None:
    """Writes one message and flushes it.

    Events and replies go as tuples of their fields: pickle reads these several times faster than objects, and there is
    a reply for each sample.
    """
    kind = type(message)
    parts = (_KINDS.index(kind), *vars(message).values()) if kind in _KINDS else (None, message)
    stream.write(framed(pickle.dumps(parts, protocol=5)))
    stream.flush()


def receive(stream: BinaryIO) -> Any:
    """Reads one message; EOFError where the other end is gone."""
    return loads(exactly(stream, length_of(exactly(stream, LENGTH_SIZE))))


def loads(data: bytes) -> Any:
    """Reads a message of our own other end.

    Raises
    ------
    pickle.UnpicklingError
        It holds another library's class.
    """
    kind, *fields = _Unpickler(io.BytesIO(data)).load()
    return fields[0] if kind is None else _KINDS[kind](*fields)


def framed(data: bytes) -> bytes:
    """Returns bytes with their length before them."""
    return _LENGTH.pack(len(data)) + data


def length_of(head: bytes) -> int:
    """Returns the length that stands before a message."""
    return int(_LENGTH.unpack(head)[0])


def own_pipes() -> tuple[BinaryIO, BinaryIO]:
    """Moves the pipes away from standard input and output, which user code may use; returns them."""
    requests = os.fdopen(os.dup(0), "rb")
    replies = os.fdopen(os.dup(1), "wb")
    nowhere = os.open(os.devnull, os.O_RDWR)
    os.dup2(nowhere, 0)
    os.dup2(nowhere, 1)
    return requests, replies


def loads_from_outside(data: bytes) -> Any:
    """Reads a message of another machine: a pickle of anything else is refused, so that none can run code here.

    Raises
    ------
    pickle.UnpicklingError
        It holds something else; says what.
    """
    return _FromOutside(io.BytesIO(data)).load()


class _Unpickler(pickle.Unpickler):
    """Loads frames of our own classes only: another library's class would import that library in the user's process.

    ``torch.__version__`` for one is no plain string.
    """

    def find_class(self, module: str, name: str) -> Any:
        if module.partition(".")[0] not in ("jitmagic", "builtins", "collections", "numpy"):
            raise pickle.UnpicklingError(f"a worker's message holds a {module}.{name}, which may not be imported here")
        return super().find_class(module, name)


class _FromOutside(pickle.Unpickler):
    """Makes plain values, NumPy's scalars, and the records that our own modules on this list define."""

    _RECORDS = (
        "jitmagic.measure.messages", "jitmagic.measure.answers", "jitmagic.measure.nodes.messages",
        "jitmagic.backends.protocol", "jitmagic.verify.compare", "jitmagic.verify.judge",
    )  # fmt: skip
    _PLAIN = frozenset(
        {("builtins", name) for name in ("set", "frozenset", "complex", "bytearray", "range", "slice")}
        | {("numpy", "dtype"), ("numpy._core.multiarray", "scalar"), ("numpy.core.multiarray", "scalar")}
    )

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) in self._PLAIN:
            return super().find_class(module, name)
        # only what is here already: nothing is imported for a message's sake
        if module in self._RECORDS and module in sys.modules and "." not in name:
            found = super().find_class(module, name)
            if isinstance(found, type) and dataclasses.is_dataclass(found):
                return found
        raise pickle.UnpicklingError(f"another machine's message holds a {module}.{name}, which is not taken")


def exactly(stream: BinaryIO, size: int) -> bytes:
    """Reads so many bytes; EOFError where the other end is gone before."""
    parts = []
    while size:
        part = stream.read(size)
        if not part:
            raise EOFError("the other process closed its end")
        parts.append(part)
        size -= len(part)
    return b"".join(parts)
