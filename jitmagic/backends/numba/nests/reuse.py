"""Lets a nest's arrays take over the memory of others that are read no more.

In `e = np.exp(x - top); return e / e.sum(axis=1, keepdims=True)` each element of the result is made of the same element
of `e`, which nobody reads afterwards: it may be written over it, as one would by hand. Memory taken anew is memory that
the processor has to fetch first.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from jitmagic.backends.numba.nests.nest import Layout, Loop, Nest, axes_in


@dataclass(frozen=True)
class Kept:
    """An array that the nest makes.

    Attributes
    ----------
    name, dtype : str
    layout : tuple of (int or None)
    line : int
        Where it is made, among the lines before the loops.
    """

    name: str
    dtype: str
    layout: Layout
    line: int


@dataclass(frozen=True)
class _Line:
    """A line of the nest, and the loops around it."""

    text: str
    axes: tuple[int, ...]

    def has(self, name: str) -> bool:
        return re.search(rf"\b{name}\b", self.text) is not None


def reuse(nest: Nest, arrays: Sequence[Kept], returned: frozenset[str]) -> dict[str, str]:
    """Puts arrays into the memory of others; returns the names that are gone, with those that stand for them now.

    Parameters
    ----------
    nest : Nest
        Whole; it is changed.
    arrays : sequence of Kept
    returned : frozenset of str
        Those that are needed behind the nest: nothing is written over them.
    """
    gone: dict[str, str] = {}
    for new in arrays:
        lines = list(_lines(nest.root, ()))
        for old in arrays:
            if old.name not in {new.name, *returned, *gone} and _follows(nest, lines, old, new):
                nest.head[new.line] = ""
                _rename(nest.root, new.name, old.name)
                gone[new.name] = old.name
                returned |= {old.name} if new.name in returned else frozenset()
                break
    return gone


def _follows(nest: Nest, lines: Sequence[_Line], old: Kept, new: Kept) -> bool:
    """Says whether each element of one array is made when the same element of the other is read for the last time."""
    if (old.layout, old.dtype) != (new.layout, new.dtype):
        return False
    axes = tuple(sorted(axes_in(old.layout)))
    mentions = [k for k, line in enumerate(lines) if line.has(old.name)]
    made = [k for k, line in enumerate(lines) if line.has(new.name)]
    if not mentions or not made or mentions[-1] > made[0] or "\n" in lines[made[0]].text:
        return False
    # loops around that are not of the array's would bring its old elements back
    if any(tuple(sorted(lines[k].axes)) != axes for k in mentions + made):
        return False
    if not lines[made[0]].text.startswith(f"{nest.element_of(new.name, new.layout)} = "):
        return False
    if any(re.search(rf"\b{name}\b", text) for name in (old.name, new.name) for text in _others(nest, old, new)):
        return False
    return all(_only(lines[k].text, one.name, nest.element_of(one.name, one.layout))
               for one, places in ((old, mentions), (new, made)) for k in places)  # fmt: skip


def _others(nest: Nest, *arrays: Kept) -> Iterator[str]:
    """Yields the lines before the loops but for those that make these arrays."""
    for k, line in enumerate(nest.head):
        if k not in {one.line for one in arrays}:
            yield line


def _only(text: str, name: str, element: str) -> bool:
    """Says whether a name stands in a line as this element alone."""
    return re.search(rf"\b{name}\b", text.replace(element, "")) is None


def _lines(loop: Loop, around: tuple[int, ...]) -> Iterator[_Line]:
    """Yields a nest's lines in the order in which one step runs them."""
    for item in loop.body:
        if isinstance(item, str):
            yield _Line(item, around)
        else:
            assert item.axis is not None
            yield from _lines(item, (*around, item.axis))


def _rename(loop: Loop, old: str, new: str) -> None:
    for k, item in enumerate(loop.body):
        if isinstance(item, str):
            loop.body[k] = re.sub(rf"\b{old}\b", new, item)
        else:
            _rename(item, old, new)
