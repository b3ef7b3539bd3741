"""The loop nest that takes the place of several whole-array statements, as it grows statement by statement.

Statements share their outer loops as long as they may: `m = x.max(axis=1)` and `e = np.exp(x - m[:, None])` both run
under one loop over rows, with a loop over columns each. A value lives in a variable while the loops in which it was
made are open; what is needed later is kept in an array, or made again where that is cheap.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import libcst as cst

from jitmagic.backends.numba.rewrites.context import code
from jitmagic.backends.numba.rewrites.elements import Kernel
from jitmagic.backends.numba.rewrites.windows import steps_of

INDICES = "ijklmn"
_MORE = "pqrstuvw"

_BESIDE = 300
"""An outer loop stays serial where another one of the nest runs so many times as many lines."""

Layout = tuple[int | None, ...]
"""The loop of the nest for each axis of an array; None for an axis of length 1."""


class Ends(Exception):
    """A statement that cannot join the nest."""


class Again(Exception):
    """The nest has to be built anew, with a value kept in an array."""


@dataclass
class Loop:
    """A loop of the nest, or its root where ``axis`` is None.

    Attributes
    ----------
    axis : int or None
    body : list of str or Loop
        Lines and inner loops in their order.
    serial : bool
        Whether its steps write to the same places.
    """

    axis: int | None
    body: list[str | Loop] = field(default_factory=list)
    serial: bool = False


@dataclass
class Value:
    """What a name of the region stands for.

    Attributes
    ----------
    name : str
        The variable of its element.
    dtype : str
    layout : tuple of (int or None)
    loops : tuple of Loop
        The loops inside which the variable holds it.
    kept : str or None
        The array that holds it behind them.
    expression : libcst expression or None
        From what it can be made again; None where that would cost too much, or would not be the same.
    reads : dict of str to Value or None
        What the names in ``expression`` stood for; None for names from outside of the region.
    version : int or None
        How often the name was bound before; None where it was not bound in the region.
    """

    name: str
    dtype: str
    layout: Layout
    loops: tuple[Loop, ...]
    kept: str | None = None
    expression: cst.BaseExpression | None = None
    reads: dict[str, Value | None] = field(default_factory=dict)
    version: int | None = None


@dataclass
class Nest(Kernel):
    """A loop nest, and what its helper function is passed.

    Attributes
    ----------
    lengths : list of list of str
        For each loop what must all be equal; the first is its end.
    path : list of Loop
        The loops that are open, from the root on.
    picks : dict of int to int
        The index that takes the place of a loop's while a component is written.
    """

    lengths: list[list[str]] = field(default_factory=list)
    path: list[Loop] = field(default_factory=lambda: [Loop(None)])
    picks: dict[int, int] = field(default_factory=dict)

    @property
    def indices(self) -> str:
        """The indices of all loops."""
        return self.loops_of_all

    @property
    def root(self) -> Loop:
        """The outermost level."""
        return self.path[0]

    def parameter(self, node: cst.BaseExpression) -> str:
        """Returns the parameter for an expression: for a view of an array its name, with a letter where it is taken."""
        base = node
        while isinstance(base, cst.Subscript | cst.Attribute):
            base = base.value
        text = code(node)
        if base is node or not isinstance(base, cst.Name) or text in self.known:
            return super().parameter(node)
        name = base.value
        letters = iter("bcdefghijklmnopqrstuvwxyz")
        while name in {*self.parameters, *self.indices, *self.taken}:
            name = f"{base.value}_{next(letters)}"
        self.parameters.append(name)
        self.passed.append(node)
        self.known[text] = name
        return name

    def index(self, axis: int) -> str:
        """Returns the index of a loop, or of the component that is written."""
        return str(self.picks[axis]) if axis in self.picks else self.loops_of_all[axis]

    loops_of_all: str = INDICES

    def space(self, axes: Sequence[int], shape: tuple[int | None, ...]) -> None:
        """Lets the elements that are written next run over these loops."""
        self.loops = "".join(self.loops_of_all[axis] for axis in axes)
        self.shape = shape
        self.sizes = [self.lengths[axis] for axis in axes]

    def new_axis(self) -> int:
        """Returns a further loop."""
        if len(self.lengths) == len(self.loops_of_all):
            raise Ends
        self.lengths.append([])
        return len(self.lengths) - 1

    def open(self, axes: Sequence[int]) -> None:
        """Closes and opens loops until exactly these are open, in the order of the nest."""
        wanted = sorted(axes)
        same = 0
        while same < len(wanted) and same + 1 < len(self.path) and self.path[same + 1].axis == wanted[same]:
            same += 1
        del self.path[same + 1 :]
        for axis in wanted[same:]:
            loop = Loop(axis)
            self.path[-1].body.append(loop)
            self.path.append(loop)

    def close(self, axes: Sequence[int]) -> None:
        """Closes the loops from the first of these on."""
        for depth, loop in enumerate(self.path):
            if loop.axis in axes:
                del self.path[depth:]
                return

    def line(self, text: str) -> None:
        """Writes a line into the innermost open loop."""
        self.path[-1].body.append(text)

    def is_open(self, value: Value) -> bool:
        """Says whether a value's variable still holds it."""
        return all(any(loop is other for other in self.path) for loop in value.loops)

    def element_of(self, name: str, layout: Layout) -> str:
        """Returns the element of an array of the region."""
        return f"{name}[{', '.join('0' if axis is None else self.index(axis) for axis in layout)}]"

    def length(self, axis: int) -> str:
        """Returns what stands for a loop's end until all of it is known: see :meth:`filled`."""
        return f"\0{axis}\0"

    def filled(self, line: str) -> str:
        """Returns a line with the loops' ends in it."""
        for axis, several in enumerate(self.lengths):
            line = line.replace(self.length(axis), several[0])
        return line

    def prune(self, needed: str) -> None:
        """Takes out the numbers that no other line reads, and the loops that are empty then.

        Parameters
        ----------
        needed : str
            What is read behind the loops.
        """
        while True:
            words = Counter(re.findall(r"\w+", " ".join((needed, *self.bounds, *self.head, *_texts(self.root)))))
            if not _without_unread(self.root, words):
                return

    def lines(self, outermost: str, trips: Mapping[int, int] | None = None) -> Iterator[str]:
        """Yields the loops' text.

        Parameters
        ----------
        outermost : str
            `range`, or `prange` where the outer loops run in parallel.
        trips : mapping of int to int, optional
            How many steps each loop took in the example. Of the outer loops those stay serial that have next to nothing
            to do beside the others: Numba compiles a kernel for each that is not.
        """
        steps = [_steps(item, trips or {}) for item in self.root.body]
        for item, count in zip(self.root.body, steps, strict=True):
            is_small = trips is not None and count * _BESIDE < max(steps)
            yield from self._lines(item, "    ", "range" if is_small else outermost)

    def _lines(self, item: str | Loop, pad: str, word: str) -> Iterator[str]:
        if isinstance(item, str):
            yield from (pad + line for line in self.filled(item).split("\n"))
            return
        assert item.axis is not None
        yield f"{pad}for {self.index(item.axis)} in {word}({steps_of(self.lengths[item.axis][0])}):"
        for one in item.body:
            yield from self._lines(one, pad + "    ", "range")


def _texts(loop: Loop) -> Iterator[str]:
    for item in loop.body:
        if isinstance(item, str):
            yield item
        else:
            yield from _texts(item)


def _without_unread(loop: Loop, words: Mapping[str, int]) -> bool:
    """Takes out lines that bind a name which stands nowhere else; says whether there was one."""
    kept: list[str | Loop] = []
    gone = False
    for item in loop.body:
        if isinstance(item, str):
            found = re.fullmatch(r"(\w+) = .*", item)
            if found is None or words[found[1]] > 1:
                kept.append(item)
        else:
            gone |= _without_unread(item, words)
            if item.body:
                kept.append(item)
    gone |= len(kept) < len(loop.body)
    loop.body = kept
    return gone


def _steps(item: str | Loop, trips: Mapping[int, int]) -> int:
    """Returns how many lines run for an item of a nest."""
    if isinstance(item, str) or item.axis is None:
        return 1
    return trips.get(item.axis, 1) * sum(_steps(one, trips) for one in item.body)


def free_indices(taken: set[str]) -> str:
    """Returns six letters for loops that are no names of the user's.

    >>> free_indices({"i", "k"})
    'jlmnpq'
    """
    return "".join([letter for letter in INDICES + _MORE if letter not in taken][:6])


def axes_in(layout: Layout) -> list[int]:
    """Returns the loops of a layout."""
    return [axis for axis in layout if axis is not None]
