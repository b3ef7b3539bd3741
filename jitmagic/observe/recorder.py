"""What is known of a value without touching it, and the recorder that merges what was seen.

Nothing here keeps a reference to a user's value, and nothing calls a method that a user's class could define: types
are asked by ``type()``, containers are read through their built-in methods.
"""

from __future__ import annotations

import itertools
import math
import time
import types
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from jitmagic.observe.facts import LoopFact, ValueFact

MAX_ITEMS = 64
MAX_DEPTH = 4
MAX_INDEX_ELEMENTS = 1_000_000
"""Index arrays above this many elements are not looked into."""
INDEX_CHECKS = 4
"""An index expression is looked into at its first evaluations only."""
BEYOND = 2**70
"""An end of the range of floats of which some are infinite or no numbers: beyond every integer dtype."""
FIRST_WATCHED = 3
ATTEMPTS = 8
"""So often is a group of statements watched that an exception or a jump always leaves before its end."""
FULL_WATCH = 256
"""After this many watched trips of one loop, only entries 1, 2, 4, 8, … of it are watched at all."""

_PYTHON_KINDS: dict[type, str] = {
    float: "float",
    complex: "complex",
    bool: "bool",
    str: "str",
    type(None): "none",
    types.ModuleType: "module",
    types.FunctionType: "function",
    types.BuiltinFunctionType: "function",
    types.MethodType: "function",
    np.ufunc: "function",
    type(np.sum): "function",
}


def dtype_name(dtype: np.dtype[Any]) -> str:
    """Returns ``"float32"`` for a native dtype, and ``">f4"`` for one of the other byte order; ``"<U2"`` for text."""
    return dtype.name if dtype.isnative and dtype.kind not in "USV" else str(dtype)


def describe(value: object, *, index: bool = False, depth: int = 0) -> ValueFact:
    """Says what a value is, without keeping it.

    Parameters
    ----------
    value : object
        Anything. Subclasses of ``ndarray`` other than ``memmap`` are ``"object"``: they may redefine arithmetic.
    index : bool
        Whether it stands in an index, so that an integer array's range and repeats are found, or is cast, so that
        the range of an array of floats is.
    """
    kind = type(value)
    if kind is np.ndarray or issubclass(kind, np.memmap):
        return _describe_array(value, index)  # type: ignore[arg-type]
    if issubclass(kind, np.generic):
        # a timedelta64 is an np.integer too
        whole = issubclass(kind, np.integer) and not issubclass(kind, np.timedelta64)
        number = int(value) if whole else None  # type: ignore[call-overload]
        return ValueFact("scalar", dtype_name(value.dtype), (), low=number, high=number)  # type: ignore[attr-defined]
    if kind is int:
        return ValueFact("int", low=value, high=value)  # type: ignore[arg-type]
    if kind in _PYTHON_KINDS:
        return ValueFact(_PYTHON_KINDS[kind])
    if issubclass(kind, tuple | list):
        base: Any = tuple if issubclass(kind, tuple) else list
        items = base.__getitem__(value, slice(0, MAX_ITEMS)) if depth < MAX_DEPTH else ()
        fact = ValueFact(base.__name__, items=tuple(describe(item, depth=depth + 1) for item in items))
        return _with_list_range(fact, value) if index and kind is list else fact  # type: ignore[arg-type]
    return ValueFact("dict" if issubclass(kind, dict) else "object")


def _describe_array(value: np.ndarray[Any, Any], index: bool) -> ValueFact:
    fact = ValueFact("array", dtype_name(value.dtype), value.shape, contiguous=value.flags.c_contiguous)
    if not index or value.dtype.kind not in "iuf" or not 0 < value.size <= MAX_INDEX_ELEMENTS:
        return fact
    if value.dtype.kind == "f":
        ends = [float(np.ndarray.min(value)), float(np.ndarray.max(value))]
        if not np.isfinite(ends).all():
            return replace(fact, low=-BEYOND, high=BEYOND)
        return replace(fact, low=math.floor(ends[0]), high=math.ceil(ends[1]))
    ordered = np.sort(value, axis=None)
    return replace(
        fact, low=int(ordered[0]), high=int(ordered[-1]), unique=not bool((ordered[1:] == ordered[:-1]).any())
    )


def _with_list_range(fact: ValueFact, value: list[Any]) -> ValueFact:
    if not 0 < len(value) <= MAX_INDEX_ELEMENTS or any(not _is_whole(item) for item in value):
        return fact
    whole = [int(item) for item in value]
    return replace(fact, low=min(whole), high=max(whole), unique=len(set(whole)) == len(whole))


def _is_whole(value: object) -> bool:
    return type(value) is int or (type(value).__module__ == "numpy" and isinstance(value, np.integer))


def merge(old: ValueFact, new: ValueFact) -> ValueFact:
    """Joins what two groups of evaluations of one expression showed; their order does not matter."""
    count = old.count + new.count
    if old.kind != new.kind or old.kind == "mixed":
        parts: dict[str, ValueFact] = {}
        for fact in (one for both in (old, new) for one in (both.items if both.kind == "mixed" else (both,))):
            parts[fact.kind] = merge(parts[fact.kind], fact) if fact.kind in parts else fact
        return ValueFact("mixed", items=tuple(parts[kind] for kind in sorted(parts)), count=count)
    shape: tuple[int | None, ...] | None = None
    if old.shape is not None and new.shape is not None and len(old.shape) == len(new.shape):
        shape = tuple(a if a == b else None for a, b in zip(old.shape, new.shape, strict=True))
    items: tuple[ValueFact, ...] = ()
    if len(old.items) == len(new.items):
        items = tuple(merge(a, b) for a, b in zip(old.items, new.items, strict=True))
    unique = old.unique if new.unique is None else new.unique if old.unique is None else old.unique and new.unique
    return ValueFact(
        old.kind,
        old.dtype if old.dtype == new.dtype else None,
        shape,
        items,
        _extreme(min, old.low, new.low),
        _extreme(max, old.high, new.high),
        count,
        unique,
        None if old.contiguous is None or new.contiguous is None else old.contiguous and new.contiguous,
    )


def _extreme(choose: Callable[[int, int], int], old: int | None, new: int | None) -> int | None:
    if old is None or new is None:
        return new if old is None else old
    return choose(old, new)


def watched_calls() -> Iterator[bool]:
    """Returns an endless iterator, all in C, that is True at 0 … 7 and at powers of two, and False in between."""
    chunks: list[Any] = [itertools.repeat(True, 9)]
    for power in range(4, 62):
        chunks += [itertools.repeat(False, 2 ** (power - 1) - 1), (True,)]
    return itertools.chain.from_iterable(chunks)


@dataclass(frozen=True)
class WatchNames:
    """The names under which a watched module finds its recorder; none of them occurs in the module."""

    prefix: str

    @property
    def watch(self) -> str:
        """Name of ``watch(site, value) -> value``."""
        return f"{self.prefix}w"

    @property
    def seen(self) -> str:
        """Name of the list that says which groups of statements were watched."""
        return f"{self.prefix}seen"

    @property
    def mark(self) -> str:
        """Name of ``mark(group) -> True``."""
        return f"{self.prefix}mark"

    @property
    def attempt(self) -> str:
        """Name of ``attempt(group) -> bool``."""
        return f"{self.prefix}attempt"

    @property
    def enter(self) -> str:
        """Name of ``enter(loop) -> int``: the first trip to watch, or -1."""
        return f"{self.prefix}enter"

    @property
    def next(self) -> str:
        """Name of ``next(loop, trip) -> int``: the next trip to watch, or -1."""
        return f"{self.prefix}next"

    @property
    def leave(self) -> str:
        """Name of ``leave(loop, trips)``."""
        return f"{self.prefix}leave"

    @property
    def count(self) -> str:
        """Name of ``count(loop, iterable) -> iterable``, for loops of the plain copies."""
        return f"{self.prefix}count"

    @property
    def uncounted(self) -> str:
        """Name of the list in which a plain copy says that a loop was entered and not counted."""
        return f"{self.prefix}uncounted"

    def gate(self, number: int) -> str:
        """Name of the callable that says whether this evaluation of a function's body is watched."""
        return f"{self.prefix}g{number}"

    def plain(self, function: str) -> str:
        """Name of the unwatched version of a module-level function."""
        return f"{self.prefix}p_{function}"


class Recorder:
    """Collects what the watched module reports.

    Parameters
    ----------
    index : sequence of bool
        For each site, whether its expression stands in an index.
    groups, loops, gates : int
        How many of each the module has.
    watch_seconds : float
        After this long, loops are watched no further (wall time, from the making of the recorder).
    """

    def __init__(
        self, index: tuple[bool, ...], groups: int, loops: int, gates: int, watch_seconds: float = float("inf")
    ) -> None:
        self._index = index
        self._facts: list[ValueFact | None] = [None] * len(index)
        self._checks = [INDEX_CHECKS if flag else 0 for flag in index]
        self._seen = [False] * groups
        self._attempts = [0] * groups
        self._tallies: list[dict[int, int]] = [defaultdict(int) for _ in range(loops)]
        self._entries = [0] * loops
        self._trips_watched = [0] * loops
        self._uncounted = [0] * loops
        self._counted_ahead = [False] * loops
        self._gates = gates
        self._deadline = time.perf_counter() + watch_seconds

    def bindings(self, names: WatchNames) -> dict[str, Any]:
        """Returns what the watched module needs in its namespace."""
        found: dict[str, Any] = {
            names.watch: self.watch,
            names.seen: self._seen,
            names.mark: self.mark,
            names.attempt: self.attempt,
            names.enter: self.enter,
            names.next: self.next_trip,
            names.leave: self.leave,
            names.count: self.count,
            names.uncounted: self._uncounted,
        }
        for number in range(self._gates):
            # A bound __next__ of a C iterator: the cheapest gate there is, about 30 ns a call.
            found[names.gate(number)] = watched_calls().__next__
        return found

    def watch(self, site: int, value: Any) -> Any:
        """Records a value of an expression and returns it."""
        checked = self._checks[site] > 0
        if checked:
            self._checks[site] -= 1
        fact = describe(value, index=checked)
        old = self._facts[site]
        self._facts[site] = fact if old is None else merge(old, fact)
        return value

    def mark(self, group: int) -> bool:
        """Notes that a group of statements was watched to its end."""
        self._seen[group] = True
        return True

    def attempt(self, group: int) -> bool:
        """Notes that a group of statements begins; returns whether it needs no further watching."""
        self._attempts[group] += 1
        self._seen[group] |= self._attempts[group] >= ATTEMPTS
        return self._seen[group]

    def enter(self, loop: int) -> int:
        """Begins an entry of a loop; returns the first trip to watch, -1 for none."""
        self._entries[loop] += 1
        entry = self._entries[loop]
        if self._trips_watched[loop] >= FULL_WATCH and entry & (entry - 1):
            return -1
        return -1 if time.perf_counter() > self._deadline else 0

    def next_trip(self, loop: int, trip: int) -> int:
        """Returns the next trip to watch after a watched one: 0, 1, 2, 4, 8, …; -1 for none."""
        self._trips_watched[loop] += 1
        if time.perf_counter() > self._deadline:
            return -1
        return trip + 1 if trip + 1 < FIRST_WATCHED else 2 * trip

    def leave(self, loop: int, trips: int) -> None:
        """Ends an entry of a loop whose trips were counted one by one."""
        self._tallies[loop][trips] += 1

    def count(self, loop: int, iterable: Any) -> Any:
        """Counts the trips of a loop that can only run to the end of its iterable, from its length."""
        kind = type(iterable)
        if kind is range or kind is tuple or (kind is np.ndarray and iterable.ndim):
            self._tallies[loop][len(iterable)] += 1
            self._counted_ahead[loop] = True
        else:
            self._uncounted[loop] = 1
        return iterable

    def facts(self) -> list[ValueFact | None]:
        """Returns the fact of each site."""
        return list(self._facts)

    def loops(self, *, exceptions: bool) -> list[LoopFact | None]:
        """Returns the fact of each loop, None for one that was not entered.

        Parameters
        ----------
        exceptions : bool
            Whether an exception may have cut a loop short, so that lengths do not prove trips.
        """
        found: list[LoopFact | None] = []
        for tally, uncounted, ahead in zip(self._tallies, self._uncounted, self._counted_ahead, strict=True):
            exact = not uncounted and not (exceptions and ahead)
            found.append(
                LoopFact(
                    sum(tally.values()), min(tally), max(tally), sum(n * times for n, times in tally.items()), exact
                )
                if tally
                else None
            )
        return found
