"""Frames between the user's process and a worker: eight bytes of length, then a pickle.

The two ends are one program, started by us over a pipe of our own, so pickle is safe here: nobody else can write to it.
"""

from __future__ import annotations

import io
import pickle
import struct
from dataclasses import dataclass
from typing import Any, BinaryIO

_LENGTH = struct.Struct("<Q")


@dataclass(frozen=True)
class Event:
    """Something a worker says while it works on a request: the step it has come to."""

    step: str


@dataclass(frozen=True)
class Reply:
    """A request's answer: a value, or the exception's text where the request itself went wrong."""

    value: Any = None
    error: str | None = None


def send(stream: BinaryIO, message: Any) -> None:
    """Writes one message and flushes it."""
    data = pickle.dumps(message, protocol=5)
    stream.write(_LENGTH.pack(len(data)) + data)
    stream.flush()


def receive(stream: BinaryIO) -> Any:
    """Reads one message; EOFError where the other end is gone."""
    head = _exactly(stream, _LENGTH.size)
    return _Unpickler(io.BytesIO(_exactly(stream, _LENGTH.unpack(head)[0]))).load()


class _Unpickler(pickle.Unpickler):
    """Loads frames of our own classes only: another library's class would import that library in the user's process.

    ``torch.__version__`` for one is no plain string.
    """

    def find_class(self, module: str, name: str) -> Any:
        if module.partition(".")[0] not in ("jitmagic", "builtins", "collections", "numpy"):
            raise pickle.UnpicklingError(f"a worker's message holds a {module}.{name}, which may not be imported here")
        return super().find_class(module, name)


def _exactly(stream: BinaryIO, size: int) -> bytes:
    parts = []
    while size:
        part = stream.read(size)
        if not part:
            raise EOFError("the other process closed its end")
        parts.append(part)
        size -= len(part)
    return b"".join(parts)
