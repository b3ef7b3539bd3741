"""Which axes of the arrays in a few statements are one and the same: what NumPy's broadcasting lays side by side.

In `d = x[:, None] - y` the last axis of `d` is that of `y`, and the first one that of `x`; `w = d.sum(axis=1)` has only
the first. Equal lengths alone say nothing: two axes are one where an operation needs them to be.
"""

from __future__ import annotations

from collections.abc import Sequence

import libcst as cst

from jitmagic.backends.numba.rewrites.nest import Ends, Layout
from jitmagic.observe.facts import ValueFact


class Axes:
    """Sets of axes that are one: union-find over numbers.

    >>> axes = Axes()
    >>> one, two, three = axes.new(), axes.new(), axes.new()
    >>> axes.unite(one, three)
    >>> axes.find(one) == axes.find(three), axes.find(one) == axes.find(two)
    (True, False)
    """

    def __init__(self) -> None:
        self._parent: list[int] = []

    def new(self) -> int:
        """Returns an axis of its own."""
        self._parent.append(len(self._parent))
        return self._parent[-1]

    def copy(self) -> Axes:
        """Returns the same sets, to try something with them."""
        new = Axes()
        new._parent = list(self._parent)
        return new

    def find(self, axis: int) -> int:
        """Returns the axis that stands for all that are one with it."""
        while self._parent[axis] != axis:
            axis = self._parent[axis]
        return axis

    def unite(self, one: int, other: int) -> None:
        """Makes two axes one."""
        one, other = self.find(one), self.find(other)
        self._parent[max(one, other)] = min(one, other)

    def broadcast(self, layouts: Sequence[Layout]) -> Layout:
        """Returns the layout of an elementwise operation on arrays of these layouts."""
        ndim = max(map(len, layouts), default=0)
        made: list[int | None] = []
        for back in range(ndim, 0, -1):
            found = [layout[-back] for layout in layouts if len(layout) >= back]
            axes = [axis for axis in found if axis is not None]
            for axis in axes[1:]:
                self.unite(axes[0], axis)
            made.append(axes[0] if axes else None)
        return tuple(made)

    def same(self, one: Layout, other: Layout) -> None:
        """Makes the axes of two layouts one; raises Ends where they cannot be."""
        if len(one) != len(other):
            raise Ends
        for left, right in zip(one, other, strict=True):
            if (left is None) != (right is None):
                raise Ends
            if left is not None and right is not None:
                self.unite(left, right)

    def settled(self, layout: Layout) -> Layout:
        """Returns a layout with one number for axes that are one."""
        return tuple(None if axis is None else self.find(axis) for axis in layout)


def inserted(node: cst.Subscript) -> tuple[bool, ...] | None:
    """Returns for each axis of `x[:, None]` whether it is new; None for a subscript that picks or cuts.

    >>> inserted(cst.parse_expression("x[:, None, :]"))
    (False, True, False)
    """
    found = []
    for element in node.slice:
        part = element.slice
        if isinstance(part, cst.Slice):
            if part.lower is not None or part.upper is not None or part.step is not None:
                return None
            found.append(False)
        elif isinstance(part, cst.Index) and _is_new_axis(part.value):
            found.append(True)
        else:
            return None
    return tuple(found)


def _is_new_axis(node: cst.BaseExpression) -> bool:
    if isinstance(node, cst.Attribute):
        return node.attr.value == "newaxis"
    return isinstance(node, cst.Name) and node.value == "None"


def widened(layout: Layout, new: Sequence[bool]) -> Layout:
    """Returns the layout behind a subscript of full slices and new axes.

    >>> widened((0, 1), (False, True))
    (0, None, 1)
    """
    rest = list(layout)
    made: list[int | None] = []
    for one in new:
        if one:
            made.append(None)
        elif rest:
            made.append(rest.pop(0))
        else:
            raise Ends
    return (*made, *rest)


def leaf_layout(axes: Axes, fact: ValueFact) -> Layout:
    """Returns a layout with axes of their own for an array from outside; an axis of length 1 is stretched."""
    assert fact.shape is not None
    return tuple(None if length == 1 else axes.new() for length in fact.shape)
