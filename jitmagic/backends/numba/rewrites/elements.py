"""Writes one element of an array expression: what the innermost loop holds in the place of whole-array arithmetic.

`np.sqrt(x**2 + y)` at the loops' indices is `np.sqrt(x[i, j]**2 + y[j])`; dtypes are NumPy's, by casts where Numba
would give others.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass, field

import libcst as cst
import numpy as np

from jitmagic.analysis.words import words
from jitmagic.backends.numba.rewrites.context import NumbaRewriter, code
from jitmagic.backends.numba.rewrites.rolls import Roll, roll_of
from jitmagic.backends.numba.rewrites.windows import Part, length_of, window_of
from jitmagic.backends.numba.typing_model import UFUNC, NumbaType, promoted
from jitmagic.gotchas.numba.support import MISSING_UFUNCS
from jitmagic.observe.facts import ValueFact

LOOPS = "ijklmn"
"""The indices of a loop nest, outermost first."""

_FREE = "abcdefghpqrstuvwxyz"
PYTHON = {"float": "float64", "int": "int64", "bool": "bool", "complex": "complex128"}
"""The dtype that NumPy gives a Python number."""

_UNFUSED = frozenset({"numpy.where", "numpy.clip", "numpy.round", "numpy.around"})
DTYPES = words("bool int8 int16 int32 int64 uint8 uint16 uint32 uint64 float32 float64 complex64 complex128")

TOTALS = {"sum": "sum", "mean": "mean", "max": "max", "min": "min", "amax": "max", "amin": "min", "any": "any",
           "all": "all"}  # fmt: skip
"""The name of each reduction that is written as a loop."""

WIDE = {"float32": "float64", "complex64": "complex128"}
"""In what the numbers of a dtype are added up."""


@dataclass(frozen=True)
class Element:
    """The source of one element, its dtype in NumPy, and whether it is a Python number there."""

    text: str
    dtype: str
    weak: bool = False


@dataclass(frozen=True)
class Place:
    """Where an array's or a view's elements lie.

    Attributes
    ----------
    name : str
        The helper's parameter that is subscripted.
    offsets : tuple of (str or None)
        For each axis what is added to the loop's index, "" for nothing; None for an axis that the parameter has not.
    lengths : tuple of str
        Of each axis.
    rolled : bool
        Whether the offsets are taken away instead, and what falls off in front comes in again behind.
    """

    name: str
    offsets: tuple[str | None, ...]
    lengths: tuple[str, ...]
    rolled: bool = False

    def at(self, indices: Sequence[str]) -> str:
        """Returns the element at an index for each axis.

        >>> Place("x", ("1", None, ""), ("max(x.shape[0] - 2, 0)", "1", "x.shape[1]")).at("ijk")
        'x[i + 1, k]'
        """
        parts = []
        for index, offset, length in zip(indices, self.offsets, self.lengths, strict=True):
            if offset is None:
                continue
            if not offset or (index == "0" and self.rolled):  # an axis of length 1
                parts.append(index)
            elif self.rolled and offset == "-1":
                parts.append(f"{index} + 1 if {index} + 1 < {length} else 0")
            elif self.rolled and offset == "1":
                parts.append(f"{index} - 1 if {index} > 0 else {length} - 1")
            elif self.rolled:
                parts.append(f"{index} - {offset} if {index} >= {offset} else {index} - {offset} + {length}")
            else:
                parts.append(offset if index == "0" else f"{index} + {offset}")
        return f"{self.name}[{', '.join(parts)}]"


@dataclass
class Kernel:
    """What a loop nest needs: its parameters, what is passed for them, and the lengths of the axes.

    Attributes
    ----------
    shape : tuple of int or None
        The lengths that were observed.
    parameters, passed : list
        The helper function's parameters, and the expression for each.
    sizes : list of list of str
        For each axis what must all be equal, the first is the loop's end.
    ones : list of str
        Lengths that must be 1.
    known : dict of str to str
        The parameter of each expression.
    operations : int
        How many operations the elements take.
    unfused : bool
        Whether there is a function among them that Numba does not fuse by itself.
    mask : str or None
        The mask that chooses the elements, as the user wrote it.
    loops : str
        The loops' indices.
    taken : set of str
        Names that no parameter may have.
    bounds : list of str
        Lines that work out where parts begin and end, before anything else.
    head : list of str
        Lines before the loops.
    """

    shape: tuple[int | None, ...]
    parameters: list[str] = field(default_factory=list)
    passed: list[cst.BaseExpression] = field(default_factory=list)
    sizes: list[list[str]] = field(default_factory=list)
    ones: list[str] = field(default_factory=list)
    known: dict[str, str] = field(default_factory=dict)
    operations: int = 0
    unfused: bool = False
    mask: str | None = None
    loops: str = LOOPS
    taken: set[str] = field(default_factory=lambda: {"out", "total"})
    bounds: list[str] = field(default_factory=list)
    head: list[str] = field(default_factory=list)

    @property
    def indices(self) -> str:
        """The indices that no parameter may be named as."""
        return self.loops

    def parameter(self, node: cst.BaseExpression) -> str:
        """Returns the parameter for an expression."""
        text = code(node)
        if text in self.known and "(" not in text:
            return self.known[text]
        wanted = node.value if isinstance(node, cst.Name) else None
        used = {*self.parameters, *self.indices, *self.taken}
        if wanted is None or wanted in used:
            wanted = next(letter for letter in _FREE if letter not in used)
        self.parameters.append(wanted)
        self.passed.append(node)
        self.known[text] = wanted
        return wanted

    def fresh(self, wanted: str) -> str:
        """Returns a variable's name that is free, with a letter behind it where it must be another one.

        Not a number: Numba's own names for the versions of a variable end in numbers, and would meet with them.
        """
        name = wanted
        letters = iter("bcdefghijklmnopqrstuvwxyz")
        while name in self.taken or name in self.parameters:
            name = f"{wanted}_{next(letters)}"
        self.taken.add(name)
        return name

    def before(self, wanted: str, value: str) -> str:
        """Returns a variable that is given a value before the loops."""
        return self._given(self.head, wanted, value)

    def bound(self, wanted: str, value: str) -> str:
        """Returns a variable that is given a value before all lengths are compared."""
        return self._given(self.bounds, wanted, value)

    def _given(self, lines: list[str], wanted: str, value: str) -> str:
        known = next((line.split(" = ")[0] for line in lines if line.endswith(f" = {value}")), None)
        if known is None:
            known = self.fresh(wanted)
            lines.append(f"{known} = {value}")
        return known


class ElementRewriter(NumbaRewriter):
    """A rewriter that can write elements."""

    def element(self, kernel: Kernel, old: cst.BaseExpression, new: cst.BaseExpression) -> Element | None:
        """Returns the element of an expression at the loops' indices; None where it cannot be written."""
        fact = self.fact(old)
        if fact is None:
            return None
        if fact.kind in PYTHON or fact.kind == "scalar":
            return self._number(kernel, old, new, fact)
        if fact.kind != "array" or not is_usable(fact) or not fact.shape or fact.dtype is None:
            return None
        made: Element | None = None
        if type(old) is type(new):
            if isinstance(old, cst.BinaryOperation) and isinstance(new, cst.BinaryOperation):
                made = self._binary(kernel, old, new, fact.dtype)
            elif isinstance(old, cst.UnaryOperation) and isinstance(new, cst.UnaryOperation):
                made = self._unary(kernel, old, new, fact.dtype)
            elif isinstance(old, cst.Comparison) and isinstance(new, cst.Comparison):
                made = self._comparison(kernel, old, new)
            elif isinstance(old, cst.Call) and isinstance(new, cst.Call) and self.is_elementwise(old):
                made = self._call(kernel, old, new, fact.dtype)
            else:
                return self.leaf(kernel, new, fact)
        else:
            return self.leaf(kernel, new, fact)
        if made is None:
            return None
        kernel.operations += 1
        if old.lpar and needs_parentheses(made.text):
            made = Element(f"({made.text})", made.dtype, made.weak)
        return made

    def _number(
        self, kernel: Kernel, old: cst.BaseExpression, new: cst.BaseExpression, fact: ValueFact
    ) -> Element | None:
        dtype = fact.dtype or PYTHON.get(fact.kind)
        if dtype not in DTYPES:
            return None
        inner = new.expression if isinstance(new, cst.UnaryOperation) else new
        if isinstance(inner, cst.Integer | cst.Float | cst.Imaginary) or (self.path(new) or "").startswith("numpy."):
            return Element(code(new), dtype, fact.kind != "scalar")
        text = self.number(kernel, new)
        return None if text is None else Element(text, dtype, fact.kind != "scalar")

    def number(self, kernel: Kernel, node: cst.BaseExpression) -> str | None:
        """Returns how the helper names a number; None where it has none."""
        return kernel.parameter(node)

    def leaf(self, kernel: Kernel, node: cst.BaseExpression, fact: ValueFact) -> Element | None:
        """Returns the element of an array that is no arithmetic: by default it is passed as it is."""
        assert fact.dtype is not None
        if kernel.mask is not None:
            return self._chosen(kernel, node, fact.dtype)
        return self.at_indices(kernel, self.place(kernel, node, fact), fact)

    def place(self, kernel: Kernel, node: cst.BaseExpression, fact: ValueFact) -> Place:
        """Returns where the elements of an array are: for a view of slices, in the array beneath it."""
        assert fact.shape is not None
        roll = roll_of(self, node)
        if roll is not None and isinstance(roll.array, cst.Name):
            return self._rolled(kernel, roll, len(fact.shape))
        base = self.fact(node.value) if isinstance(node, cst.Subscript) else None
        window = None
        if base is not None and base.shape is not None and is_usable(base):
            window = window_of(node, len(base.shape))
        parts = [one for one in window.axes if one is not None] if window is not None else []
        known = all(self._is_bound(one) for part in parts for one in (part.start, part.upper))
        # a part of a vector is as dense as the vector, and needs nothing added to its index
        vector = len(fact.shape) == 1 and parts and not isinstance(parts[0].start, int)
        if window is None or not known or (vector and None not in window.axes):
            name = kernel.parameter(node)
            return Place(name, ("",) * len(fact.shape), tuple(f"{name}.shape[{k}]" for k in range(len(fact.shape))))
        name = kernel.parameter(window.array)
        offsets: list[str | None] = []
        lengths: list[str] = []
        for part in window.axes:
            if part is None:
                offsets.append(None)
                lengths.append("1")
                continue
            start = self._start(kernel, name, part)
            lengths.append(self._part_length(kernel, name, part, start))
            offsets.append("" if start == "0" else start)
        return Place(name, tuple(offsets), tuple(lengths))

    def _rolled(self, kernel: Kernel, roll: Roll, ndim: int) -> Place:
        name = kernel.parameter(roll.array)
        lengths = tuple(f"{name}.shape[{k}]" for k in range(ndim))
        offsets = [""] * ndim
        for axis, shift in roll.shifts.items():
            literal = shift.expression if isinstance(shift, cst.UnaryOperation) else shift
            given = code(shift) if isinstance(literal, cst.Integer) else kernel.parameter(shift)
            if given in ("1", "-1"):
                offsets[axis] = given  # of any length but 0, of which there is no element
                continue
            offsets[axis] = kernel.bound("shift", f"{given} % max({lengths[axis]}, 1)")
        return Place(name, tuple(offsets), lengths, True)

    def _is_bound(self, bound: int | cst.BaseExpression | None) -> bool:
        return bound is None or isinstance(bound, int) or self._is_index(bound)

    def _is_index(self, node: cst.BaseExpression) -> bool:
        fact = self.fact(node)
        return fact is not None and (fact.kind == "int" or (fact.kind == "scalar" and (fact.dtype or "")[:3] == "int"))

    def _start(self, kernel: Kernel, array: str, part: Part) -> str:
        """Returns where a part begins, counted from the array's beginning."""
        if isinstance(part.start, int):
            return str(part.start)
        given = kernel.parameter(part.start)
        if self.is_natural(part.start):
            return given
        line = f"{given} if {given} >= 0 else max({given} + {array}.shape[{part.base}], 0)"
        return kernel.bound("start", line)

    def _part_length(self, kernel: Kernel, array: str, part: Part, start: str) -> str:
        """Returns how long a part is; ends that the function works out are cut off as Python's slices are."""
        if isinstance(part.start, int) and isinstance(part.upper, int | None):
            return length_of(array, part)
        whole = f"{array}.shape[{part.base}]"
        if part.upper is None:
            stop = whole
        elif isinstance(part.upper, int):
            stop = f"{whole} - {-part.upper}" if part.upper < 0 else f"min({part.upper}, {whole})"
        else:
            given = kernel.parameter(part.upper)
            if self.is_natural(part.upper):
                stop = kernel.bound("stop", f"min({given}, {whole})")
                return stop if start == "0" else f"max({stop} - {start}, 0)"
            stop = kernel.bound("stop", f"min({given}, {whole}) if {given} >= 0 else {given} + {whole}")
        return f"max({stop}, 0)" if start == "0" else f"max({stop} - {start}, 0)"

    def at_indices(self, kernel: Kernel, place: Place, fact: ValueFact) -> Element | None:
        """Returns the element of a place at the loops' indices."""
        assert fact.shape is not None
        assert fact.dtype is not None
        offset = len(kernel.shape) - len(fact.shape)
        if offset < 0:
            return None
        index = []
        for k, length in enumerate(fact.shape):
            axis = offset + k
            if length == 1 and kernel.shape[axis] != 1:
                index.append("0")
                if place.offsets[k] is not None:
                    kernel.ones.append(place.lengths[k])
            else:
                index.append(kernel.loops[axis])
                kernel.sizes[axis].append(place.lengths[k])
        return Element(place.at(index), fact.dtype)

    def _chosen(self, kernel: Kernel, new: cst.BaseExpression, dtype: str) -> Element | None:
        """Returns the element of `y[mask]`, None where a leaf is chosen by anything else."""
        if not isinstance(new, cst.Subscript) or len(new.slice) != 1 or code(new.slice[0].slice) != kernel.mask:
            return None
        base = self.fact(new.value)
        if base is None or base.shape != kernel.shape or not isinstance(new.value, cst.Name):
            return None
        name = kernel.parameter(new.value)
        for k, several in enumerate(kernel.sizes):
            several.append(f"{name}.shape[{k}]")
        return Element(f"{name}[{', '.join(kernel.loops[: len(kernel.shape)])}]", dtype)

    def reduction(
        self, original: cst.Call, updated: cst.Call
    ) -> tuple[str, cst.BaseExpression, cst.BaseExpression, list[cst.Arg]] | None:
        """Returns the name of a reduction, what is reduced (as it was and as it is now), and the other arguments."""
        path = self.path(original.func)
        if path is not None and path.startswith("numpy.") and path.removeprefix("numpy.") in TOTALS:
            if not original.args or original.args[0].keyword is not None or any(a.star for a in original.args):
                return None
            name = TOTALS[path.removeprefix("numpy.")]
            return name, original.args[0].value, updated.args[0].value, list(updated.args[1:])
        func, new = original.func, updated.func
        if path is None and isinstance(func, cst.Attribute) and isinstance(new, cst.Attribute):
            name = TOTALS.get(func.attr.value, "")
            if name and self.is_array(func.value):
                return name, func.value, new.value, list(updated.args)
        return None

    def _binary(self, kernel: Kernel, old: cst.BinaryOperation, new: cst.BinaryOperation, dtype: str) -> Element | None:
        ufunc = UFUNC.get(type(old.operator))
        if ufunc is None:
            return None
        left, right = self.element(kernel, old.left, new.left), self.element(kernel, old.right, new.right)
        if left is None or right is None:
            return None
        return self.combined(ufunc, code(new.operator).strip(), left, right, dtype, isinstance(new.right, cst.Integer))

    def combined(
        self, ufunc: str, operator: str, left: Element, right: Element, dtype: str, integer: bool = False
    ) -> Element | None:
        """Returns two elements with an operator between them.

        Parameters
        ----------
        ufunc, operator : str
            NumPy's and Python's name of the operation.
        left, right : Element
        dtype : str
            What NumPy makes of them.
        integer : bool
            Whether the right one is written as a whole number.
        """
        if ufunc == "power" and np.dtype(dtype).kind not in "fc":
            return None
        if not (ufunc == "power" and integer):
            left, right = self._narrow(left, dtype), self._narrow(right, dtype)
        else:
            left = self._narrow(left, dtype)
        text = f"{left.text} {operator} {right.text}"
        if ufunc == "power" and integer and left.dtype == dtype:
            return Element(text, dtype)
        given = promoted(ufunc, NumbaType(left.dtype, False), NumbaType(right.dtype, False), operator=True)
        if given is None:
            return None
        return Element(text if given == dtype else self.cast_text(dtype, text), dtype)

    def _narrow(self, one: Element, dtype: str) -> Element:
        """Casts a Python float to the dtype of the array beside it."""
        if one.weak and dtype in ("float32", "complex64") and one.dtype == "float64":
            return Element(f"{self.context.imports.code('numpy.float32')}({one.text})", "float32")
        if one.weak and dtype in ("float32", "complex64") and one.dtype == "int64":
            return Element(f"{self.context.imports.code('numpy.float32')}({one.text})", "float32")
        return one

    def cast_text(self, dtype: str, text: str) -> str:
        """Returns the text of a cast to a NumPy dtype."""
        return f"{self.context.imports.code('numpy.bool_' if dtype == 'bool' else f'numpy.{dtype}')}({text})"

    def _unary(self, kernel: Kernel, old: cst.UnaryOperation, new: cst.UnaryOperation, dtype: str) -> Element | None:
        inner = self.element(kernel, old.expression, new.expression)
        if inner is None or isinstance(old.operator, cst.Not):
            return None
        if isinstance(old.operator, cst.BitInvert) and dtype == "bool":
            return Element(f"(not {inner.text})", "bool")
        text = f"{code(new.operator).strip()}{inner.text}"
        small = np.dtype(dtype).kind in "iu" and dtype != "int64"
        return Element(self.cast_text(dtype, text) if small else text, dtype)

    def _comparison(self, kernel: Kernel, old: cst.Comparison, new: cst.Comparison) -> Element | None:
        if len(old.comparisons) != 1:
            return None
        left = self.element(kernel, old.left, new.left)
        right = self.element(kernel, old.comparisons[0].comparator, new.comparisons[0].comparator)
        if left is None or right is None or {left.dtype, right.dtype} == {"uint64", "int64"}:
            return None
        left, right = self._narrow(left, right.dtype), self._narrow(right, left.dtype)
        operator = code(new.comparisons[0].operator).strip()
        if operator not in ("<", ">", "<=", ">=", "==", "!="):
            return None
        return Element(f"{left.text} {operator} {right.text}", "bool")

    def is_elementwise(self, call: cst.Call) -> bool:
        path = self.path(call.func)
        if any(a.keyword is not None or a.star for a in call.args):
            return False
        if path is None:
            if isinstance(call.func, cst.Name):
                name = call.func.value
                return len(call.args) == 1 and (name == "abs" or "@vectorize" in self.context.helpers.get(name, ""))
            method = call.func.attr.value if isinstance(call.func, cst.Attribute) else ""
            return method == "astype" and len(call.args) == 1
        if path in _UNFUSED:
            wanted = {"numpy.where": (3,), "numpy.clip": (3,)}.get(path, (1,))
            return len(call.args) in wanted and not any(code(a.value) == "None" for a in call.args)
        value = getattr(np, path.removeprefix("numpy."), None)
        if not isinstance(value, np.ufunc) or value.__name__ in MISSING_UFUNCS:
            return False
        return len(call.args) == value.nin and value.nout == 1

    def _call(self, kernel: Kernel, old: cst.Call, new: cst.Call, dtype: str) -> Element | None:
        path = self.path(old.func)
        if path is None and isinstance(old.func, cst.Attribute) and isinstance(new.func, cst.Attribute):
            inner = self.element(kernel, old.func.value, new.func.value)
            kernel.unfused = True
            return None if inner is None else Element(self.cast_text(dtype, inner.text), dtype)
        parts = []
        for one, two in zip(old.args, new.args, strict=True):
            part = self.element(kernel, one.value, two.value)
            if part is None:
                return None
            bare = part.text[1:-1] if is_wrapped(part.text) else part.text
            parts.append(Element(bare, part.dtype, part.weak))
        kernel.unfused = kernel.unfused or path in _UNFUSED or path is None
        if path == "numpy.where":
            test, chosen, other = parts[0], self._narrow(parts[1], dtype), self._narrow(parts[2], dtype)
            yes = _as_operand(chosen.text) if chosen.dtype == dtype else self.cast_text(dtype, chosen.text)
            no = other.text if other.dtype == dtype else self.cast_text(dtype, other.text)
            return Element(f"({yes} if {_as_operand(test.text)} else {no})", dtype)
        parts = [self._narrow(part, dtype) for part in parts]
        if path == "numpy.clip":
            if any(part.dtype != dtype for part in parts):
                return None
            np_name = self.context.imports.code("numpy.minimum"), self.context.imports.code("numpy.maximum")
            return Element(f"{np_name[0]}({np_name[1]}({parts[0].text}, {parts[1].text}), {parts[2].text})", dtype)
        small = np.dtype(dtype).kind in "iu" and dtype != "int64"
        if path in ("numpy.round", "numpy.around") and np.dtype(dtype).kind != "f":
            return None
        text = f"{code(new.func)}({', '.join(part.text for part in parts)})"
        mixed = any(part.dtype != dtype for part in parts) and dtype in ("float32", "complex64")
        return Element(self.cast_text(dtype, text) if small or mixed else text, dtype)


def is_wrapped(text: str) -> bool:
    """Says whether one pair of parentheses stands around a whole expression."""
    depth = 0
    for position, letter in enumerate(text):
        depth += (letter == "(") - (letter == ")")
        if depth == 0:
            return position == len(text) - 1 and text.startswith("(")
    return False


def needs_parentheses(text: str) -> bool:
    compound = ast.BinOp | ast.BoolOp | ast.Compare | ast.UnaryOp | ast.IfExp
    return not is_wrapped(text) and isinstance(ast.parse(text, mode="eval").body, compound)


def _as_operand(text: str) -> str:
    """Puts a condition that stands in another one into parentheses."""
    return f"({text})" if isinstance(ast.parse(text, mode="eval").body, ast.IfExp) and not is_wrapped(text) else text


def is_usable(fact: ValueFact) -> bool:
    shape = fact.shape
    return fact.kind == "array" and fact.dtype in DTYPES and shape is not None and 0 < len(shape) <= len(LOOPS)


def axes_of(node: cst.BaseExpression | None, ndim: int) -> tuple[int, ...] | None:
    """Returns the axes of a reduction, all where none is given; None where they are not written as numbers."""
    if node is None or code(node) == "None":
        return tuple(range(ndim))
    try:
        value = ast.literal_eval(code(node))
    except (ValueError, SyntaxError):
        return None
    values = value if isinstance(value, tuple) else (value,)
    if not all(isinstance(one, int) and -ndim <= one < ndim for one in values):
        return None
    return tuple(sorted(one % ndim for one in values))
