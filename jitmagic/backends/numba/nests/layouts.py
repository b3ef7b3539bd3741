"""Which axes of the arrays in a few statements are one and the same: what NumPy's broadcasting lays side by side.

In `d = x[:, None] - y` the last axis of `d` is that of `y`, and the first one that of `x`; `w = d.sum(axis=1)` has only
the first. Equal lengths alone say nothing: two axes are one where an operation needs them to be.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import libcst as cst

from jitmagic.backends.numba.nests.filled import filled
from jitmagic.backends.numba.nests.nest import Ends, Layout, axes_in
from jitmagic.backends.numba.nests.places import place_of
from jitmagic.backends.numba.nests.ranges import range_of
from jitmagic.backends.numba.nests.reading import copied, mask_of, parts_of
from jitmagic.backends.numba.nests.run import NUMBERS, Run
from jitmagic.backends.numba.nests.scans import scan_of
from jitmagic.backends.numba.rewrites.elements import is_usable
from jitmagic.backends.numba.rewrites.rolls import roll_of
from jitmagic.backends.numba.rewrites.windows import is_new_axis
from jitmagic.backends.numba.typing_model import UFUNC
from jitmagic.generate.blocks import small, statements
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
        elif isinstance(part, cst.Index) and is_new_axis(part.value):
            found.append(True)
        else:
            return None
    return tuple(found)


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


class Layouts:
    """The layouts of all expressions of a run.

    Parameters
    ----------
    run : Run

    Attributes
    ----------
    ordered : dict of node to Layout
        With the loops of the nest, outermost 0; known once :meth:`order` has been called.
    count : int
        How many loops there are.
    """

    def __init__(self, run: Run) -> None:
        self.run = run
        self.layouts: dict[cst.CSTNode, Layout] = {}
        self.names: dict[str, Layout] = {}
        self.axes = Axes()
        self.ordered: dict[cst.CSTNode, Layout] = {}
        self.count = 0
        self._bound: set[str] = set()
        self._looped = False
        self._taken: list[Any] = []

    def statement(self, statement: Any, looped: bool = False) -> None:
        """Takes a statement in; raises Ends where it is none for a nest."""
        if not looped:
            self._taken.append(statement)
        if isinstance(statement, cst.For):
            outer, self._looped = self._looped, True
            for inner in statements(statement):
                self.statement(inner, True)
            self._looped = outer
            return
        if isinstance(statement, cst.If):
            for inner in statements(statement):
                self.statement(inner, True)
            return
        one = small(statement)
        if isinstance(one, cst.Assign):
            target = one.targets[0].target
            if len(one.targets) != 1:
                raise Ends
            layout = self._layout(one.value)
            if isinstance(target, cst.Name) and self.run.is_array(one.value):
                if looped and target.value in self.names:
                    self.axes.same(self.names[target.value], layout)
                self.names[target.value] = layout
                self._bound.add(target.value)
            elif isinstance(target, cst.Subscript):
                self._stored_layout(target, layout, looped)
            elif not isinstance(target, cst.Name):
                raise Ends
        elif isinstance(one, cst.AugAssign):
            layout = self._layout(one.value)
            if isinstance(one.target, cst.Subscript):
                self._stored_layout(one.target, layout, looped)
            elif isinstance(one.target, cst.Name) and self.run.is_array(one.target):
                base = self._layout(one.target)
                if len(self.axes.broadcast([base, layout])) != len(base):
                    raise Ends
        elif isinstance(one, cst.Return) and one.value is not None:
            for part in parts_of(one.value):
                self._layout(part)
        elif isinstance(one, cst.Expr) and isinstance(one.value, cst.Call) and len(one.value.args) == 2:
            if len(self._layout(one.value.args[0].value)) != 2:
                raise Ends
        elif not isinstance(one, cst.Break | cst.Pass):
            raise Ends

    def _stored_layout(self, target: cst.Subscript, value: Layout, looped: bool) -> None:
        if looped or not self.run.is_part(target, self._taken):
            self._masked_layout(target, value)
            return
        base = self.run.fact(target.value)
        if base is None or len(value) != len(base.shape or ()) or None in value:
            raise Ends  # NumPy stretches it
        assert isinstance(target.value, cst.Name)
        self.run.parts.add(target.value.value)
        self.layouts[target] = value

    def _masked_layout(self, target: cst.Subscript, value: Layout) -> None:
        mask = mask_of(target)
        if mask is None or not isinstance(target.value, cst.Name):
            raise Ends
        self.axes.same(self._layout(target.value), self._layout(mask))
        if value:
            self.axes.same(self._layout(mask), value)

    def _layout(self, node: cst.BaseExpression) -> Layout:
        if node not in self.layouts:
            self.layouts[node] = self._layout_of(node)
        return self.layouts[node]

    def _layout_of(self, node: cst.BaseExpression) -> Layout:
        fact = self.run.fact(node)
        if fact is None:
            raise Ends
        if fact.kind in NUMBERS:
            for call in self.run.reductions(node):
                self._layout_of_reduction(call)
            return ()
        if not is_usable(fact):
            raise Ends
        if isinstance(node, cst.Name):
            if node.value in self.run.parts:
                raise Ends  # only a part of it is known here
            if node.value in self.run.ours:
                if node.value not in self.names:
                    self.names[node.value] = leaf_layout(self.axes, fact)
                return self.names[node.value]
            return leaf_layout(self.axes, fact)
        if self.run.is_contraction(node) or place_of(self.run.owner, node) is not None:
            return self._layout_of_reduction(node)
        if isinstance(node, cst.BinaryOperation) and type(node.operator) in UFUNC:
            return self.axes.broadcast([self._layout(node.left), self._layout(node.right)])
        if isinstance(node, cst.UnaryOperation):
            return self._layout(node.expression)
        if isinstance(node, cst.Comparison) and len(node.comparisons) == 1:
            return self.axes.broadcast([self._layout(node.left), self._layout(node.comparisons[0].comparator)])
        if isinstance(node, cst.Call):
            return self._layout_of_call(node, fact)
        if isinstance(node, cst.Attribute) and node.attr.value in ("real", "imag"):
            return self._layout(node.value)
        if isinstance(node, cst.Subscript):
            mask = mask_of(node)
            if mask is not None and self.run.is_mask(mask):
                self.axes.same(self._layout(node.value), self._layout(mask))
                return self.layouts[mask]
            pick = self.run.pick(node)
            if pick is not None and not self._looped:
                base = self._layout(node.value)
                if any(base[axis] is None for axis in pick.picked):
                    raise Ends
                return tuple(None if axis is None else base[axis] for axis in pick.axes)
            new = inserted(node)
            if new is not None and not self.run.is_outer(node.value):
                return widened(self._layout(node.value), new)
        if not self.run.reads_outer(node, self._bound, self._looped):
            raise Ends
        return leaf_layout(self.axes, fact)

    def _layout_of_call(self, node: cst.Call, fact: ValueFact) -> Layout:
        owner = self.run.owner
        if owner.is_elementwise(node):
            parts = [argument.value for argument in node.args]
            if isinstance(node.func, cst.Attribute) and owner.path(node.func) is None:
                parts = [node.func.value]
            return self.axes.broadcast([self._layout(part) for part in parts])
        source = copied(owner, node)
        if source is not None:
            return self._layout(source)
        made = filled(owner, node)
        if made is not None:
            return leaf_layout(self.axes, fact) if made.like is None else self._layout(made.like)
        if range_of(owner, node) is not None:
            if fact.shape is None or fact.shape[0] in (None, 0, 1):
                raise Ends
            return leaf_layout(self.axes, fact)
        if owner.reduction(node, node) is not None:
            return self._layout_of_reduction(node)
        roll = roll_of(owner, node)
        if roll is not None and self.run.reads_outer(node, self._bound, self._looped):
            return self._layout(roll.array)
        scan = scan_of(owner, node)
        if scan is not None and not self._looped and not owner.context.parallel and not owner.context.every:
            layout = self._layout(scan.source)
            if None not in layout:
                return layout  # step by step, which threads could not
        raise Ends

    def _layout_of_reduction(self, call: cst.BaseExpression) -> Layout:
        parts = self.run.reduced(call)
        layout = self._layout(parts[1])
        _, _, axes, keep = parts
        if keep:
            found = tuple(None if k in axes else axis for k, axis in enumerate(layout))
        else:
            found = tuple(axis for k, axis in enumerate(layout) if k not in axes)
        self.layouts[call] = found
        return found

    def order(self) -> None:
        """Numbers the axes: those of the arrays with most axes first, in their order."""
        self._unite_uses()
        numbers: dict[int, int] = {}
        for layout in sorted(self.layouts.values(), key=lambda one: len(axes_in(one)), reverse=True):
            for axis in self.axes.settled(layout):
                if axis is not None:
                    numbers.setdefault(axis, len(numbers))
        self.ordered = {
            node: tuple(None if a is None else numbers[a] for a in self.axes.settled(layout))
            for node, layout in self.layouts.items()
        }
        if any(len(set(axes_in(layout))) != len(axes_in(layout)) for layout in self.ordered.values()):
            raise Ends  # a diagonal
        self.count = len(numbers)
        if self.count == 0:
            raise Ends

    def _unite_uses(self) -> None:
        """Takes the axes of an array that is used in several places for one, unless that would be a diagonal."""
        uses: dict[str, Layout] = {}
        for node, layout in self.layouts.items():
            if not isinstance(node, cst.Name) or node.value in self.run.ours or not layout:
                continue
            before = uses.setdefault(node.value, layout)
            trial = self.axes.copy()
            trial.same(before, layout)
            settled = [axes_in(trial.settled(one)) for one in self.layouts.values()]
            if all(len(set(one)) == len(one) for one in settled):
                self.axes = trial
