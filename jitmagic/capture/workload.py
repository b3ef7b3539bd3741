"""The workload: the function under study with all that it needs to run elsewhere.

A workload is what the step *capture* makes. Everything after it works on `Workload.module.text`,
one plain NumPy module that holds the imports, the scalar constants, the helpers and the function,
as the user wrote them. Lines of that text are mapped back to the user's cell or file.
"""

from __future__ import annotations

import hashlib
import pickle
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class SourceFunction:
    """One user function as it was written.

    Attributes
    ----------
    name : str
        The name that the source gives it.
    source : str
        Dedented source without decorators, comments kept.
    first_line : int
        Line of the cell or file (1-based) on which ``source`` begins.
    origin : str
        Where it was found: ``"cell"`` or a file's path.
    """

    name: str
    source: str
    first_line: int
    origin: str


@dataclass(frozen=True)
class ModuleText:
    """A module's source with its line map.

    Attributes
    ----------
    text : str
        Complete source; ends with a newline.
    lines : tuple of int or None
        ``lines[i]`` is the user's line of line ``i + 1`` of ``text``; None where the line is ours.
    """

    text: str
    lines: tuple[int | None, ...]

    def origin_line(self, line: int | None) -> int | None:
        """Translates a 1-based line of ``text`` into the user's line, None where there is none."""
        if line is None or not 1 <= line <= len(self.lines):
            return None
        return self.lines[line - 1]


MOST_HASHED = 2**28
"""Bytes of values up to which a workload is told from another by them: some 0.3 s."""


@dataclass(frozen=True)
class Workload:
    """The function under study, its helpers, the globals it reads, and one example call.

    Attributes
    ----------
    function : SourceFunction
        The function to compare.
    helpers : tuple of SourceFunction
        User functions that it calls, directly or not; a callee stands before its callers.
    module : ModuleText
        The whole as one NumPy module: imports, written-out constants, helpers, function.
    names : mapping of str to str
        Free names that stand for importable things, with their dotted path: ``{"np": "numpy",
        "sqrt": "numpy.sqrt", "erf": "scipy.special.erf", "m": "math"}``. Resolved on live objects.
    constants : mapping of str to object
        Free names that stand for values, captured by value (a deep copy).
    needs : tuple of str
        The names in ``constants`` that ``module.text`` does not write out, arrays for example: whoever
        runs the text puts them into its namespace.
    args, kwargs
        The example call's arguments: the user's own objects, never written to.
    call : str
        The call as text, e.g. ``"fn(x, y)"``, for the record.
    argument_names : tuple of str
        A label an argument, positional ones first, then the keywords: the function's own parameter names; the
        elements of ``*arrays`` are labelled ``arrays[0]``, ``arrays[1]``, ….
    notes : tuple of str
        What a reader should know of the capture, e.g. "the decorator @njit was taken off".
    """

    function: SourceFunction
    helpers: tuple[SourceFunction, ...]
    module: ModuleText
    names: Mapping[str, str]
    constants: Mapping[str, Any]
    needs: tuple[str, ...]
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]
    call: str
    argument_names: tuple[str, ...]
    notes: tuple[str, ...] = field(default=())

    @property
    def key(self) -> str:
        """A short digest of the module's text: the same text gives the same key."""
        return hashlib.sha256(self.module.text.encode()).hexdigest()[:12]

    def fingerprint(self) -> str | None:
        """Returns a digest of the text, the constants and the arguments' values, bit for bit.

        Two workloads with the same digest make the same call. None for more than :data:`MOST_HASHED` bytes.
        """
        buffers: list[pickle.PickleBuffer] = []
        values = (self.args, dict(self.kwargs), {name: self.constants[name] for name in self.needs})
        whole = self.module.text, self.call, self.argument_names, values
        head = pickle.dumps(whole, protocol=5, buffer_callback=buffers.append)
        raw = [buffer.raw() for buffer in buffers]
        if len(head) + sum(one.nbytes for one in raw) > MOST_HASHED:
            return None
        digest = hashlib.blake2b(head, digest_size=16)
        for one in raw:
            digest.update(one)
        return digest.hexdigest()

    def argument_values(self) -> tuple[Any, ...]:
        """Returns the values in the order of ``argument_names``."""
        return (*self.args, *self.kwargs.values())
