"""A workload's arguments inside a worker: fresh ones for each call that could change them, outside the clock."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from jitmagic.measure.transport import Opened

_COPIES = 256 * 2**20
"""Bytes of prepared arguments held at a time."""

Call = tuple[tuple[Any, ...], dict[str, Any]]


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

    def fresh(self) -> Call:
        """Builds arguments that stand alone."""
        args, kwargs = self._opened.value()
        return tuple(args), dict(kwargs)

    def labelled(self, call: Call) -> Mapping[str, Any]:
        """Returns a call's arguments by label."""
        args, kwargs = call
        return dict(zip(self.labels, (*args, *kwargs.values()), strict=True))

    def prepared(
        self, written: Sequence[str], to_device: Callable[[Any], Any], count: int
    ) -> Iterator[tuple[list[Call], int]]:
        """Yields batches of ready calls, ``count`` in all.

        Arguments that are not written are moved to the device once and shared; those that are written stay on the
        host and are new in every call.

        Yields
        ------
        calls : list of Call
            Ready calls; one call to be repeated where nothing is written.
        repeats : int
            How often to make each.
        """
        if not written:
            yield [self.ready(self.fresh(), written, to_device)], count
            return
        one = self._maker(written, to_device)
        batch = max(1, min(count, _COPIES // max(self._opened.parcel.size, 1)))
        done = 0
        while done < count:
            size = min(batch, count - done)
            yield [one() for _ in range(size)], 1
            done += size

    def _maker(self, written: Sequence[str], to_device: Callable[[Any], Any]) -> Callable[[], Call]:
        """Returns a function that makes a call with new written arguments, sharing the others where that is safe."""
        shared = None if self._share_memory(written) else self.ready(self.fresh(), written, to_device)

        def one() -> Call:
            if shared is None:
                return self.ready(self.fresh(), written, to_device)
            args, kwargs = shared
            values = dict(zip(self.labels, (*args, *kwargs.values()), strict=True))
            values.update({label: copy.deepcopy(values[label]) for label in written})
            flat = list(values.values())
            return tuple(flat[: len(args)]), dict(zip(kwargs, flat[len(args) :], strict=True))

        return one

    def ready(self, call: Call, written: Sequence[str], to_device: Callable[[Any], Any]) -> Call:
        """Moves a call's arguments to the device, but for those that are written."""
        args, kwargs = call
        ready = [
            value if label in written else to_device(value)
            for label, value in zip(self.labels, (*args, *kwargs.values()), strict=True)
        ]
        return tuple(ready[: len(args)]), dict(zip(kwargs, ready[len(args) :], strict=True))

    def _share_memory(self, written: Sequence[str]) -> bool:
        """Tells whether a written argument shares its block with another array, or has strides that a copy loses."""
        parcel = self._opened.parcel
        blocks = [place.block for place in parcel.arrays]
        values = self.labelled(self.fresh())
        plain = all(
            not isinstance(values[label], np.ndarray)
            or values[label].flags.c_contiguous
            or values[label].flags.f_contiguous
            for label in written
        )
        return len(set(blocks)) != len(blocks) or not plain
