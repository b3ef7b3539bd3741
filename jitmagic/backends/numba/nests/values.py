"""What stands for a value in a nest: a variable, an element of an array, a parameter, or its expression once more."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import libcst as cst
import numpy as np

from jitmagic.backends.numba.nests.filled import Filled, filled
from jitmagic.backends.numba.nests.layouts import inserted
from jitmagic.backends.numba.nests.nest import Again, Ends, Layout, Nest, Value, axes_in
from jitmagic.backends.numba.nests.picks import Pick
from jitmagic.backends.numba.nests.ranges import Range, range_of
from jitmagic.backends.numba.nests.reading import copied, mask_of
from jitmagic.backends.numba.nests.reuse import Kept
from jitmagic.backends.numba.nests.run import Run
from jitmagic.backends.numba.rewrites.context import code
from jitmagic.backends.numba.rewrites.elements import DTYPES, Element, is_usable, is_wrapped, needs_parentheses
from jitmagic.backends.numba.rewrites.rolls import roll_of
from jitmagic.generate import names as name_tools
from jitmagic.generate.walking import nodes_of
from jitmagic.observe.facts import ValueFact

_CHEAP = frozenset({"numpy.abs", "numpy.absolute", "numpy.minimum", "numpy.maximum", "numpy.square", "numpy.negative",
                    "numpy.sqrt", "numpy.sign", "numpy.floor", "numpy.ceil", "numpy.logical_and", "numpy.logical_or",
                    "numpy.logical_not", "numpy.roll"})  # fmt: skip
"""Functions that take so little that vectors help."""

_QUICK = frozenset({"float", "int", "abs", "min", "max", "len", "round"})
"""Functions of numbers that may be called anew for each element."""


_WORK: tuple[type[cst.Call | cst.Subscript], ...] = (cst.Call, cst.Subscript)


class Values(ABC):
    """The values of a run while its nest is written.

    Parameters
    ----------
    run : Run
    nest : Nest
    layouts : mapping of node to Layout
    keep : set of (str, int)
        The values (name, and how often it was bound before) that need an array; grows, and then Again is raised.

    Attributes
    ----------
    values : dict of str to Value
    results : dict of node to Value
        What reductions gave.
    arrays : list of Kept
        Those that the nest makes.
    views : set of str
        Names of components of other arrays.
    reach : dict of int to int
        The largest number that a component has along an axis.
    pending : dict
        Reductions whose loops are still open: the value, the loops, the line that ends it.
    stored : dict of str to str
        The parameter of each array from outside that is changed, or bound anew later.
    measured : set of str
        Those of them whose lengths are the loops'.
    read_arrays : set of str
        Arrays from outside that are read.
    lines : list of list of str
        The bodies of the loops over steps that are being written.
    defined : set of str
        Numbers that are certainly bound where the writing has come to.
    early : set of str
        Numbers of the run that are worked out before the loops.
    heavy : bool
        Whether something was written that takes long for an element.
    contracted : int
        How many arrays are not made.
    zeros : list of Zeros
        The arrays that sums are added up in.
    """

    def __init__(self, run: Run, nest: Nest, layouts: Mapping[cst.CSTNode, Layout], keep: set[tuple[str, int]]) -> None:
        self.run = run
        self.owner = run.owner
        self.nest = nest
        self.layouts = layouts
        self.keep = keep
        self.values: dict[str, Value] = {}
        self.results: dict[cst.CSTNode, Value] = {}
        self.versions: dict[str, int] = {}
        self.stored: dict[str, str] = {}
        self.measured: set[str] = set()
        self.read_arrays: set[str] = set()
        self.defined: set[str] = set()
        self.early: set[str] = set()
        self.pending: dict[int, tuple[Value, frozenset[int], str]] = {}
        self.lines: list[list[str]] = []
        self.heavy = False
        self.mask: str | None = None
        self.contracted = 0
        self.zeros: list[Any] = []
        self.arrays: list[Kept] = []
        self.views: set[str] = set()
        self.reach: dict[int, int] = {}

    @abstractmethod
    def _statement(self, statement: Any) -> None:
        """Writes a statement."""

    def _emit(self, text: str) -> None:
        if self.lines:
            self.lines[-1].append(text)
        else:
            self.nest.line(text)

    def _element(self, value: cst.BaseExpression, shape_of: cst.BaseExpression | None = None) -> Element:
        layout = self.layouts[shape_of if shape_of is not None else value]
        fact = self.run.fact(shape_of if shape_of is not None else value)
        assert fact is not None
        if not self.lines:
            self._open(axes_in(layout))
        self.nest.space([0 if axis is None else axis for axis in layout], fact.shape or ())
        found = self.owner.element(self.nest, value, value)
        if found is None or found.dtype not in DTYPES:
            raise Ends
        text = found.text[1:-1] if is_wrapped(found.text) else found.text
        return Element(text, found.dtype, found.weak)

    def _settle(self, value: Value) -> None:
        found = self.pending.pop(id(value), None)
        if found is None:
            return
        _, axes, final = found
        self.nest.close(sorted(axes))
        if final:
            self._open(axes_in(value.layout))
            self.nest.line(final)

    def _open(self, axes: Sequence[int]) -> None:
        """Opens loops, and ends the reductions before whose loops have to be closed for them."""
        wanted = sorted(axes)
        for value, _, _ in list(self.pending.values()):
            held = [loop.axis for loop in value.loops]
            if wanted[: len(held)] != held:
                self._settle(value)
        self.nest.open(axes)

    def _define(self, value: Value) -> None:
        """Notes a value, and keeps it in an array where it is needed later."""
        version = self.versions[value.name] = self.versions.get(value.name, -1) + 1
        value.version = version
        self.values[value.name] = value
        if (value.name, version) in self.keep:
            self._keep(value)
            self._emit(f"{self.nest.element_of(value.kept or '', value.layout)} = {value.name}")
        elif value.layout:
            self.contracted += 1

    def _keep(self, value: Value) -> None:
        array = self.nest.fresh(f"{value.name}_out")
        shape = ", ".join("1" if axis is None else self.nest.length(axis) for axis in value.layout)
        shape += "," if len(value.layout) == 1 else ""
        dtype = "bool_" if value.dtype == "bool" else value.dtype
        self.nest.head.append(f"{array} = {{np}}.empty(({shape}), dtype={{np}}.{dtype})")
        self.arrays.append(Kept(array, dtype, value.layout, len(self.nest.head) - 1))
        value.kept = array

    def _external(self, node: cst.Name) -> None:
        """Sees to it that an array from outside that is changed, or bound anew later, can be read under its name."""
        name = node.value
        if name in self.measured:
            return
        fact = self.run.fact(node)
        layout = self.layouts.get(node)
        if fact is None or not is_usable(fact) or layout is None or None in layout or fact.dtype is None:
            raise Ends
        self._early(name)
        array = self.stored[name]
        for k, axis in enumerate(layout):
            assert axis is not None
            self.nest.lengths[axis].append(f"{array}.shape[{k}]")
        self.read_arrays.add(name)
        self.measured.add(name)

    def _early(self, name: str) -> None:
        """Sees to it that an array from outside can be read under a name that is bound anew later."""
        if name not in self.nest.known:
            self.stored[name] = self.nest.known[name] = array = self.nest.fresh(f"{name}_all")
            self.nest.parameters.append(array)
            self.nest.passed.append(cst.Name(name))

    def _touched(self, name: str) -> Value | None:
        """Notes that a value is another one from here on; returns it, None for an array from outside."""
        value = self.values.get(name)
        if value is not None:
            value = self.values[name] = replace(value, expression=None)
        return value

    def result(self, node: cst.BaseExpression) -> Element | None:
        """Returns what a reduction or a running total gave; None for any other expression."""
        return self._value(self.results[node]) if node in self.results else None

    def leaf(self, node: cst.BaseExpression, fact: ValueFact) -> Element | None:
        """Returns the element of an array that is no arithmetic; None where it has none."""
        assert fact.dtype is not None
        if self.mask is not None:
            mask = mask_of(node) if isinstance(node, cst.Subscript) else None
            if mask is None or code(mask) != self.mask or not isinstance(node, cst.Subscript):
                return None
            outer, self.mask = self.mask, None
            try:
                found = self.owner.element(self.nest, node.value, node.value)
            finally:
                self.mask = outer
            return found
        if isinstance(node, cst.Name) and node.value in self.run.ours:
            return self._read(node)
        if isinstance(node, cst.Attribute) and node.attr.value in ("real", "imag"):
            base = self.run.fact(node.value)
            if base is None or base.dtype not in ("complex64", "complex128"):
                return None
            inner = self.owner.element(self.nest, node.value, node.value)
            if inner is None:
                return None
            text = f"({inner.text})" if needs_parentheses(inner.text) else inner.text
            return Element(f"{text}.{node.attr.value}", fact.dtype)
        made = filled(self.owner, node)
        if made is not None:
            return self._filled(made, node, fact.dtype)
        numbers = range_of(self.owner, node)
        if numbers is not None:
            return self._ranged(numbers, node)
        if isinstance(node, cst.Call) and roll_of(self.owner, node) is None:
            source = copied(self.owner, node)
            return None if source is None else self.owner.element(self.nest, source, source)
        pick = self.run.pick(node)
        if pick is not None and isinstance(node, cst.Subscript):
            return self._picked(node, pick)
        if isinstance(node, cst.Subscript) and inserted(node) is not None and not self.run.is_outer(node.value):
            inner = self.owner.element(self.nest, node.value, node.value)
            if inner is not None and needs_parentheses(inner.text):
                return Element(f"({inner.text})", inner.dtype, inner.weak)
            return inner
        return self._outer(node, fact)

    def _filled(self, made: Filled, node: cst.BaseExpression, dtype: str) -> Element | None:
        """Returns the number that an array is made of, and notes what its lengths are."""
        nest = self.nest
        like = made.like if made.like is not None and made.like.value not in self.values else None
        if like is not None and self.owner.element(nest, like, like) is None:
            return None  # its lengths could not be compared
        for axis, length in zip(self.layouts[node], made.lengths, strict=False):
            if name_tools.loads(length) & (self.run.ours | self.run.numbers):
                return None
            text = code(length) if isinstance(length, cst.Integer) else nest.parameter(length)
            if axis is None:
                nest.ones.append(text)
            else:
                nest.lengths[axis].append(text)
        if made.value is None:
            return Element(made.text, dtype)
        number = self.owner.element(nest, made.value, made.value)
        if number is None:
            return None
        bare = number.text[1:-1] if is_wrapped(number.text) else number.text
        return Element(self.owner.cast_text(dtype, bare), dtype)

    def _ranged(self, numbers: Range, node: cst.BaseExpression) -> Element | None:
        """Returns the whole number at the loop's index, and notes how many there are."""
        axis = self.layouts[node][0]
        ends = [one for one in (numbers.start, numbers.stop) if one is not None]
        if axis is None or any(name_tools.loads(one) & (self.run.ours | self.run.numbers) for one in ends):
            return None
        start, stop = ("0" if one is None else self._end(one) for one in (numbers.start, numbers.stop))
        self.nest.lengths[axis].append(numbers.length(start, stop))
        # the index of a `prange` is unsigned
        index = self.nest.index(axis)
        text = numbers.element(start, f"{{np}}.int64({index})" if self.owner.context.parallel else index)
        self.contracted += 1
        return Element(f"({text})" if needs_parentheses(text.replace("{np}", "np")) else text, "int64")

    def _end(self, node: cst.BaseExpression) -> str:
        """Returns where a range begins or ends, in the helper's names."""
        bare = node.expression if isinstance(node, cst.UnaryOperation) else node
        return code(node) if isinstance(bare, cst.Integer) else self.nest.parameter(node)

    def _outer(self, node: cst.BaseExpression, fact: ValueFact) -> Element | None:
        """Returns the element of an array from outside: a name, or a view that is made before the loops."""
        if not self.run.reads_outer(node, self.values, bool(self.lines)) or not self._is_view(node):
            return None
        for name in name_tools.loads(node) & self.run.bound:
            self._early(name)
        layout = self.layouts.get(node)
        if layout is None or fact.shape is None or fact.dtype is None:
            return None
        place = self.owner.place(self.nest, node, fact)
        self.read_arrays |= name_tools.loads(node)
        index = []
        for axis, offset, length in zip(layout, place.offsets, place.lengths, strict=True):
            if axis is None:
                index.append("0")
                if offset is not None:
                    self.nest.ones.append(length)
            else:
                index.append(self.nest.index(axis))
                self.nest.lengths[axis].append(length)
        return Element(place.at(index), fact.dtype)

    def _is_view(self, node: cst.BaseExpression) -> bool:
        if isinstance(node, cst.Name):
            return True
        roll = roll_of(self.owner, node)
        if roll is not None:
            return isinstance(roll.array, cst.Name)
        if isinstance(node, cst.Attribute):
            return node.attr.value == "T" and self._is_view(node.value)
        if not isinstance(node, cst.Subscript) or not self._is_view(node.value):
            return False
        for element in node.slice:
            part = element.slice
            if isinstance(part, cst.Slice):
                continue  # a slice never raises
            if isinstance(part, cst.Index) and self._picks_at_once(part.value):
                continue
            if not isinstance(part, cst.Index) or (
                code(part.value) not in ("None", "...") and not code(part.value).endswith(".newaxis")
            ):
                return False
        return True

    def _picked(self, node: cst.Subscript, pick: Pick) -> Element | None:
        """Returns the element of a component of an array of the nest."""
        assert isinstance(node.value, cst.Name)
        value = self.values.get(node.value.value)
        if value is None or self.lines:
            return None
        nest = self.nest
        outer = nest.picks
        nest.picks = dict(outer)
        for axis, number in pick.picked.items():
            loop = value.layout[axis]
            if loop is None or loop in outer:
                return None
            nest.picks[loop] = number
            self.reach[loop] = max(self.reach.get(loop, 0), number)
        try:
            found = self._value(value)
        finally:
            nest.picks = outer
        if found is not None and needs_parentheses(found.text):
            return Element(f"({found.text})", found.dtype, found.weak)
        return found

    def _component(self, value: Value) -> Element:
        """Returns the element of a value where one of its indices is a number: from its array, or made there."""
        if value.kept is not None:
            return Element(self.nest.element_of(value.kept, value.layout), value.dtype)
        return self._made_again(value)

    def _made_again(self, value: Value) -> Element:
        """Returns a value's element as it is made; where it cannot be made anew, it is kept in an array."""
        same = all(self.values.get(one) is other for one, other in value.reads.items())
        if value.expression is None or not same or self.values.get(value.name) is not value or self.lines:
            # what a reduction gave is bound to no name, and once
            self.keep.add((value.name, -1 if value.version is None else value.version))
            raise Again
        nest = self.nest
        loops, shape, sizes = nest.loops, nest.shape, nest.sizes
        element = self.owner.element(nest, value.expression, value.expression)
        nest.loops, nest.shape, nest.sizes = loops, shape, sizes
        if element is None:
            raise Ends
        return element

    def _picks_at_once(self, node: cst.BaseExpression) -> bool:
        """Says whether an index may be applied before the loops: it raises where the statement would."""
        if self.owner.context.every:
            return isinstance(node, cst.Integer)
        if self.lines or self.run.changed or any(nodes_of(node, kind) for kind in _WORK):
            return False
        fact = self.run.fact(node)
        return fact is not None and (fact.kind == "int" or (fact.kind == "scalar" and "int" in (fact.dtype or "")))

    def _read(self, node: cst.Name) -> Element:
        name = node.value
        value = self.values.get(name)
        if value is not None:
            return self._value(value)
        self._external(node)
        fact = self.run.fact(node)
        assert fact is not None
        assert fact.dtype is not None
        if name in self.run.bound:
            self._never_stored(name)
        return Element(self.nest.element_of(self.stored[name], self.layouts[node]), fact.dtype)

    def _never_stored(self, name: str) -> None:
        if name in self.run.changed:
            raise Ends  # sometimes the caller's array, sometimes one of its own

    def _value(self, value: Value) -> Element:
        if any(axis in self.nest.picks for axis in axes_in(value.layout)):
            return self._component(value)
        if not self.nest.is_open(value):
            if value.kept is None:
                self._again(value)
            else:
                return Element(self.nest.element_of(value.kept, value.layout), value.dtype)
        if not value.loops and value.kept is not None and value.layout:
            return Element(self.nest.element_of(value.kept, value.layout), value.dtype)
        return Element(value.name, value.dtype)

    def _again(self, value: Value) -> None:
        """Makes a value anew in the loops that are open now, or has it kept in an array."""
        nest, element = self.nest, self._made_again(value)
        text = element.text[1:-1] if is_wrapped(element.text) else element.text
        nest.line(f"{value.name} = {text}")
        value.loops = tuple(loop for loop in nest.path[1:])

    def _is_heavy(self, node: cst.BaseExpression) -> bool:
        """Says whether an expression takes long enough for an element that vectors would not help."""
        for call in nodes_of(node, cst.Call):
            path = self.owner.path(call.func)
            if path is not None and path not in _CHEAP:
                return True
        for power in nodes_of(node, cst.BinaryOperation):
            if isinstance(power.operator, cst.Power) and not isinstance(power.right, cst.Integer):
                return True
        fact = self.run.fact(node)
        return fact is not None and (fact.dtype or "").startswith("complex")

    def number(self, node: cst.BaseExpression) -> str | None:
        """Returns how the helper names a number: a parameter, a variable, or an expression of these."""
        ours = name_tools.loads(node) & (self.run.numbers | self.run.ours)
        if ours and ours <= self.early and not self._picks(node) and nodes_of(node, cst.Call):
            return self.nest.before("factor", self._text(node))
        if ours or self.run.reductions(node) or (self.lines and self._picks(node)):
            return self._text(node, wrap=True)
        # worked out once, before the loops
        if not all(self._is_pure(call) for call in nodes_of(node, cst.Call)):
            raise Ends
        for subscript in nodes_of(node, cst.Subscript):
            self.read_arrays |= name_tools.loads(subscript.value)
        return self.nest.parameter(node)

    def _picks(self, node: cst.BaseExpression) -> bool:
        """Says whether an expression takes elements of arrays, which may not be there where no step is taken."""
        return any(not self._is_length(one) for one in nodes_of(node, cst.Subscript))

    def _is_pure(self, call: cst.Call) -> bool:
        """Says whether a call of numbers always gives the same and does nothing else."""
        path = self.owner.path(call.func)
        if path is None:
            return isinstance(call.func, cst.Name) and call.func.value in _QUICK
        if path.startswith("math."):
            return True
        return path.startswith("numpy.") and isinstance(getattr(np, path.removeprefix("numpy."), None), np.ufunc)

    def _is_length(self, node: cst.BaseExpression) -> bool:
        return (
            isinstance(node, cst.Subscript)
            and isinstance(node.value, cst.Attribute)
            and node.value.attr.value == "shape"
        )

    def _text(self, node: cst.BaseExpression, wrap: bool = False) -> str:
        """Returns a number's expression with what it reads in the helper's names."""
        shown = self._shown(node)
        text = code(shown)
        return f"({text})" if wrap and needs_parentheses(text) else text

    def _shown(self, node: Any) -> Any:
        owner = self.owner
        if isinstance(node, cst.Call) and node in self.results:
            return cst.parse_expression(self._value(self.results[node]).text)
        if isinstance(node, cst.Name):
            return self._shown_name(node)
        if isinstance(node, cst.Attribute):
            if (owner.path(node) or "").startswith(("numpy.", "math.")):
                return node
            if node.attr.value not in ("size", "ndim", "shape") or not self.run.is_outer(node.value):
                raise Ends
            return node.with_changes(value=self._shown(node.value))
        if isinstance(node, cst.Integer | cst.Float | cst.Imaginary):
            return node
        if isinstance(node, cst.Call):
            quick = owner.path(node.func) in _CHEAP or code(node.func) in _QUICK
            if not self._is_pure(node) or (self.lines and not quick):
                raise Ends  # it would be worked out anew for each element
            if any(a.keyword is not None or a.star for a in node.args):
                raise Ends
            return node.with_changes(args=[a.with_changes(value=self._shown(a.value)) for a in node.args])
        if isinstance(node, cst.BinaryOperation):
            return node.with_changes(left=self._shown(node.left), right=self._shown(node.right))
        if isinstance(node, cst.UnaryOperation):
            return node.with_changes(expression=self._shown(node.expression))
        if isinstance(node, cst.Comparison):
            compared = [c.with_changes(comparator=self._shown(c.comparator)) for c in node.comparisons]
            return node.with_changes(left=self._shown(node.left), comparisons=compared)
        if isinstance(node, cst.Subscript) and self._is_length(node):
            return node.with_changes(value=self._shown(node.value))
        if isinstance(node, cst.Subscript) and self.run.is_outer(node.value):
            return self._shown_element(node)
        raise Ends

    def _shown_name(self, node: cst.Name) -> cst.BaseExpression:
        name = node.value
        if name in ("True", "False", "None"):
            return node
        value = self.values.get(name)
        if value is not None and not value.layout:
            return cst.Name(value.name)
        if name in self.run.ours:
            raise Ends
        if name in self.run.numbers:
            if name not in self.defined:
                raise Ends
            return node
        return cst.Name(self.nest.parameter(node))

    def _shown_element(self, node: cst.Subscript) -> cst.Subscript:
        """Returns an element of an array from outside, at numbers of the region."""
        base = self.run.fact(node.value)
        if base is None or base.kind != "array" or len(node.slice) != len(base.shape or ()):
            raise Ends
        assert isinstance(node.value, cst.Name)
        parts = []
        for element in node.slice:
            if not isinstance(element.slice, cst.Index):
                raise Ends
            inner = element.slice.with_changes(value=self._shown(element.slice.value))
            parts.append(element.with_changes(slice=inner))
        self.read_arrays.add(node.value.value)
        return node.with_changes(value=cst.Name(self.nest.parameter(node.value)), slice=parts)
