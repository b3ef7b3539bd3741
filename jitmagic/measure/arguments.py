"""A workload's arguments inside a worker: restored outside the clock where a call changes them.

Arguments stay where they are for all samples of a comparison, as a user's own arrays do. What a function writes into
is put back before each call into the same memory, so that the call finds it as warm as a user's loop would.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from jitmagic.measure.memory import give_back
from jitmagic.measure.transport import Opened

_SMALL = 32 * 1024
"""Bytes of written arguments up to which calls get copies of their own: restoring one before each call would cost two
readings of the clock a call, which tells for calls of a microsecond."""

_BATCH = 256 * 1024
"""Bytes of such copies at a time: few enough to stay in a core's own cache."""

Call = tuple[tuple[Any, ...], dict[str, Any]]
Move = Callable[[str, Any], Any]
"""Brings an argument, by its label, to where a variant wants it."""


@dataclass(frozen=True)
class Prepared:
    """Calls that are ready to be timed.

    Attributes
    ----------
    calls : list of Call
    repeats : int
        How often to make each.
    restore : callable or None
        Puts the written arguments back; to be called before each call, outside the clock.
    """

    calls: list[Call]
    repeats: int
    restore: Callable[[], None] | None = None


class Arguments:
    """Makes the arguments of calls.

    Parameters
    ----------
    opened : Opened
        A parcel of ``(args, kwargs)``.
    labels : sequence of str
        A label an argument, as in ``Workload.argument_names``.
    """

    def __init__(self, opened: Opened, labels: Sequence[str]) -> None:
        self._opened = opened
        self.labels = tuple(labels)
        self._resident: dict[tuple[Any, ...], Call] = {}

    def fresh(self) -> Call:
        """Builds arguments that stand alone."""
        args, kwargs = self._opened.value()
        return tuple(args), dict(kwargs)

    def labelled(self, call: Call) -> Mapping[str, Any]:
        """Returns a call's arguments by label."""
        args, kwargs = call
        return dict(zip(self.labels, (*args, *kwargs.values()), strict=True))

    def ready(self, call: Call, written: Sequence[str], move: Move) -> Call:
        """Moves a call's arguments to the device, but for those that are written."""
        args, kwargs = call
        flat = [value if label in written else move(label, value) for label, value in self.labelled(call).items()]
        return tuple(flat[: len(args)]), dict(zip(kwargs, flat[len(args) :], strict=True))

    def prepared(self, written: Sequence[str], move: Move, count: int) -> Iterator[Prepared]:
        """Yields ``count`` calls, in one batch or several.

        Parameters
        ----------
        written : sequence of str
            Labels of the arguments that a call writes into: they stay on the host.
        move : callable
            Moves a value to the device; equal callables share what they moved.
        """
        call = self._at_home(tuple(written), move)
        if not written:
            yield Prepared([call], count)
            return
        values = self.labelled(call)
        arrays = [values[label] for label in written if isinstance(values[label], np.ndarray)]
        size = sum(array.nbytes for array in arrays)
        if len(arrays) == len(written) and size > _SMALL:
            pristine = self.labelled(self._pristine())
            saved = [(values[label], pristine[label]) for label in written]

            def restore() -> None:
                for array, before in saved:
                    np.copyto(array, before)

            yield Prepared([call], count, restore)
            return
        done = 0
        while done < count:
            batch = max(1, min(count - done, _BATCH // max(self._opened.parcel.size, 1)))
            yield Prepared([self.ready(self.fresh(), written, move) for _ in range(batch)], 1)
            done += batch

    def forget(self) -> None:
        """Lets go of the arguments that are kept between samples."""
        self._resident.clear()

    def _at_home(self, written: tuple[str, ...], move: Move) -> Call:
        """Returns the arguments that stay in place for all samples."""
        # movers of one library are equal, so that its variants share their arrays
        key = (written, move)
        if key not in self._resident:
            give_back()
            self._resident[key] = self.ready(self.fresh(), written, move)
        return self._resident[key]

    def _pristine(self) -> Call:
        args, kwargs = self._opened.value(copy=False)
        return tuple(args), dict(kwargs)
