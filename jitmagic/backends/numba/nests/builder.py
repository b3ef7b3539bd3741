"""Writes the nest of a run of statements."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import libcst as cst
import numpy as np

from jitmagic.backends.numba import helpers
from jitmagic.backends.numba.nests.filled import filled
from jitmagic.backends.numba.nests.layouts import Layouts
from jitmagic.backends.numba.nests.nest import Again, Ends, Loop, Nest, Value, axes_in, free_indices
from jitmagic.backends.numba.nests.ranges import holds_range, range_of
from jitmagic.backends.numba.nests.reading import given, holds, mask_of, parts_of
from jitmagic.backends.numba.nests.reuse import reuse
from jitmagic.backends.numba.nests.run import Run
from jitmagic.backends.numba.nests.steps import Steps
from jitmagic.backends.numba.nests.sums import PLUS_HERE
from jitmagic.backends.numba.rewrites.context import code
from jitmagic.backends.numba.rewrites.elements import DTYPES, PYTHON, Element, needs_parentheses
from jitmagic.backends.numba.typing_model import UFUNC
from jitmagic.generate import names as name_tools
from jitmagic.generate.blocks import in_one_line, made, small

NOTE = "the loops over elements make arrays of the dtypes of this call: for other dtypes compare again"
_TRIES = 12
"""How often a nest may be built anew because a value has to be kept."""


class Attempt:
    """An attempt to write a run as a nest.

    Parameters
    ----------
    run : Run
    use : callable
        Takes the builder whose values the elements are to be written with.

    Attributes
    ----------
    reached : int
        How many statements could be taken; all of them where the nest as a whole was the reason to stop.
    """

    def __init__(self, run: Run, use: Callable[[Builder], None]) -> None:
        self.run = run
        self.use = use
        self.reached = 0

    def statement(self) -> Any:
        """Returns the statement that takes the run's place; raises Ends where it cannot, or where nothing is won."""
        run = self.run
        alone = len(run.body) == 1 and not isinstance(run.body[0], cst.For)
        if alone and not run.owner.context.every and not self._is_worth(small(run.body[0]).value):
            raise Ends  # one expression is written in the place of one
        run.collect(run.body)
        if run.bound & run.numbers:
            raise Ends
        layouts = Layouts(run)
        for position, statement in enumerate(run.body):
            self.reached = position
            layouts.statement(statement)
        layouts.order()
        keep: set[tuple[str, int]] = set()
        for _ in range(_TRIES):
            try:
                return self._written(layouts, keep)
            except Again:
                continue
        raise Ends

    def _is_worth(self, value: cst.BaseExpression) -> bool:
        """Says whether a nest of one statement has less to do than the statement."""
        run, sums = self.run, self.run.reductions(value)
        return len(sums) > 1 or any(map(run.saves_an_array, sums)) or holds_range(run.owner, value)

    def _written(self, layouts: Layouts, keep: set[tuple[str, int]]) -> Any:
        run = self.run
        used = frozenset().union(*(name_tools.all_names(s) for s in run.body))
        letters = free_indices(set(used))
        if layouts.count > len(letters):
            raise Ends
        lengths: list[list[str]] = [[] for _ in range(layouts.count)]
        nest = Nest((), loops_of_all=letters, taken=set(used & (run.ours | run.numbers) - run.parts), lengths=lengths)
        builder = Builder(run, nest, layouts.ordered, keep)
        self.use(builder)
        for position, statement in enumerate(run.body):
            self.reached = builder.position = position
            builder.add(statement)
        self.reached = len(run.body)
        return builder.finished()


class Builder(Steps):
    """Writes the statements of a run into a nest."""

    returned = False
    """Whether the run ends with the function."""

    position = 0
    """How many statements of the run stand before the one that is written."""

    outputs: Sequence[tuple[str, str]] = ()
    """The names that are needed behind the run, and what the helper returns for each."""

    def add(self, statement: Any) -> None:
        """Takes the next statement in; raises Ends where it cannot."""
        one = small(statement)
        if not isinstance(one, cst.Return):
            self._statement(statement)
            return
        if statement is not self.run.body[-1] or one.value is None:
            raise Ends
        self.returned = True
        self._returned(one.value)

    def finished(self) -> Any:
        """Returns the call of the helper function, once all statements are in it."""
        run = self.run
        if not self.returned:
            after = run.live.after.get(run.body[-1], frozenset()) | run.captured
            self.outputs = [(name, self._output(name)) for name in sorted(after & (run.bound | run.numbers))]
        self._check_aliases()
        worth = self.looped or self.contracted or self.owner.context.every
        if not all(self.nest.lengths) or not worth:
            raise Ends
        several = self.returned and isinstance(small(run.body[-1]).value, cst.Tuple)
        if several and self.owner.context.parallel and not self._runs_in_threads():
            raise Ends  # what stands before it may run in threads
        return self._call()

    def _runs_in_threads(self) -> bool:
        """Says whether the steps of all outermost loops may run at the same time."""
        return all(not isinstance(loop, Loop) or not loop.serial for loop in self.nest.root.body)

    def _call(self) -> Any:
        owner, nest, outputs = self.owner, self.nest, self.outputs
        label = f"new_{outputs[0][0]}" if outputs else f"update_{next(iter(sorted(self.run.changed)), 'arrays')}"
        if self.returned:
            label = f"{owner.functions[-1].name.value}_of_elements"
        parallel = owner.context.parallel and self._runs_in_threads()
        decorator = '@njit(parallel=True, error_model="numpy")' if parallel else '@njit(error_model="numpy")'
        lines = [decorator, f"def {{name}}({', '.join(nest.parameters)}):"]
        first = in_one_line(code(self.run.body[0].with_changes(leading_lines=[])).split("#@")[0])
        more = " …" if len(self.run.body) > 1 or isinstance(self.run.body[0], cst.For) else ""
        lines.append(f"    # element by element: {first[:90]}{more}".replace("{", "(").replace("}", ")"))
        if parallel and not owner.context.every:
            self._zero_in_loops()
        lines += [f"    {line}" for line in nest.bounds]
        lines += self._checks()
        gone = reuse(nest, self.arrays, frozenset(text for _, text in outputs))
        outputs = [(name, gone.get(text, text)) for name, text in outputs]
        nest.prune(" ".join(text for _, text in outputs))
        if not nest.root.body and not outputs:
            raise Ends  # nobody reads what it gives
        owner.context.note(NOTE)
        lines += [f"    {line}" for text in nest.head if text for line in nest.filled(text).split("\n")]
        word = owner.context.imports.code("numba.prange") if parallel else "range"
        lines += list(nest.lines(word, None if owner.context.every else self._trips()))
        if outputs:
            lines.append(f"    return {', '.join(text for _, text in outputs)}")
        text = "\n" + "\n".join(lines) + "\n"
        if PLUS_HERE in text:
            text = text.replace(PLUS_HERE, code(owner.context.helper("plus", helpers.PLUS)))
        helper = owner.context.loops(label, text)
        call = cst.Call(helper, [cst.Arg(owner.context.bare(node)) for node in nest.passed])
        place = self.run.body[0]
        if self.returned:
            return made(f"return {code(call)}\n", self.run.body[-1]).with_changes(leading_lines=place.leading_lines)
        targets = f"{', '.join(name for name, _ in outputs)} = " if outputs else ""
        return made(f"{targets}{code(call)}\n", place).with_changes(leading_lines=place.leading_lines)

    def _trips(self) -> dict[int, int]:
        """Returns how many steps each loop took in the example."""
        trips: dict[int, int] = {}
        for node, layout in self.layouts.items():
            fact = self.run.fact(node) if isinstance(node, cst.BaseExpression) else None
            for axis, length in zip(layout, (fact.shape if fact is not None else None) or (), strict=False):
                if axis is not None and length is not None:
                    trips[axis] = max(trips.get(axis, 1), length)
        return trips

    def _check_aliases(self) -> None:
        """Raises Ends where an array that is changed in place may share memory with another one that is read."""
        run = self.run
        others = self.read_arrays | set(self.stored)
        if any(run.shares(name, others - {name}) for name in run.changed & set(self.stored)):
            raise Ends
        named = frozenset().union(*(name_tools.loads(statement) for statement in run.body))
        if any(run.shares(name, named - {name}) for name in run.parts):
            raise Ends

    def _checks(self) -> list[str]:
        nest = self.nest
        different = []
        for several in nest.lengths:
            unique = list(dict.fromkeys(several))
            different += [f"{one} != {unique[0]}" for one in unique[1:]]
        different += [f"{one} != 1" for one in dict.fromkeys(nest.ones)]
        checks = []
        if different:
            checks = [
                f"    if {' or '.join(different)}:",
                '        raise ValueError("operands could not be broadcast together")',
            ]
        for axis, number in sorted(self.reach.items()):
            checks.append(f"    if {nest.lengths[axis][0]} <= {number}:")
            checks.append(f'        raise IndexError("index {number} is out of bounds")')
        return checks

    def _statement(self, statement: Any) -> None:
        if isinstance(statement, cst.For):
            self._steps(statement)
            return
        one = small(statement)
        if isinstance(one, cst.Assign):
            target = one.targets[0].target
            if target in self.layouts and isinstance(target, cst.Subscript):
                self._part(target, one.value, "=", None)
            elif isinstance(target, cst.Subscript):
                self._masked(target, one.value, None)
            elif isinstance(target, cst.Name) and self.run.is_array(one.value):
                self._bind(target.value, one.value)
            elif isinstance(target, cst.Name):
                self._number_statement(target.value, one.value)
            else:
                raise Ends
        elif isinstance(one, cst.AugAssign):
            if one.target in self.layouts and isinstance(one.target, cst.Subscript):
                self._part(one.target, one.value, code(one.operator).strip(), UFUNC.get(type(one.operator)))
            elif isinstance(one.target, cst.Subscript):
                self._masked(one.target, one.value, one.operator)
            elif isinstance(one.target, cst.Name) and self.run.is_array(one.target):
                self._in_place(one.target, one.value, one.operator)
            elif isinstance(one.target, cst.Name) and one.target.value in self.defined:
                self._emit(f"{one.target.value} {code(one.operator).strip()} {self._text(one.value)}")
            else:
                raise Ends
        elif isinstance(one, cst.Expr) and isinstance(one.value, cst.Call):
            self._diagonal(one.value)
        else:
            raise Ends

    def _diagonal(self, call: cst.Call) -> None:
        """Writes `np.fill_diagonal(x, value)` for an array of the region."""
        array, filled = call.args[0].value, call.args[1].value
        value = self.values.get(array.value) if isinstance(array, cst.Name) else None
        fact = self.run.fact(filled)
        if value is None or fact is None or fact.kind not in ("int", "float", "bool") or None in value.layout:
            raise Ends
        if self.lines or any(a.keyword is not None or a.star for a in call.args):
            raise Ends
        if not holds(value.dtype, PYTHON[fact.kind]):
            raise Ends
        self._settle(value)
        self._open(axes_in(value.layout))
        place = self._value(value)
        one, other = (self.nest.index(axis) for axis in axes_in(value.layout))
        number = self.owner.cast_text(value.dtype, self._text(filled))
        self._emit(f"if {one} == {other}:\n    {place.text} = {number}")
        self._touched(value.name)
        if value.kept is not None and place.text == value.name:
            self._emit(f"{self.nest.element_of(value.kept, value.layout)} = {value.name}")

    def _bind(self, name: str, value: cst.BaseExpression) -> None:
        computed = isinstance(value, cst.BinaryOperation | cst.UnaryOperation | cst.Comparison | cst.Call)
        view = self.run.pick(value) is not None and name not in self.run.changed
        if not computed and not view:
            raise Ends  # an alias or a view
        if view:
            self.views.add(name)
        if not self.lines:
            self._prepare(value)
        elif self.run.reductions(value):
            raise Ends
        fact = self.run.fact(value)
        assert fact is not None
        element = self._element(value)
        if element.dtype != fact.dtype:
            raise Ends
        before = self.values.get(name)
        if before is not None and before.dtype != element.dtype:
            raise Ends
        kept = (name, self.versions.get(name, -1) + 1) in self.keep
        made = filled(self.owner, value) is not None or range_of(self.owner, value) is not None
        if kept and made and name not in self.run.changed:
            raise Ends  # an array of zeros, or of whole numbers in a row, is made as fast by itself
        reads = {one: self.values.get(one) for one in name_tools.loads(value)}
        self._emit(f"{name} = {element.text}")
        if self.lines:
            if before is None or before.layout != self.layouts[value]:
                raise Ends
            self._touched(name)
            return
        cheap = not self._is_heavy(value) and name not in self.run.changed and name not in reads
        if any(one in self.run.changed and one not in self.values for one in reads):
            cheap = False
        self._define(Value(name, element.dtype, self.layouts[value], tuple(self.nest.path[1:]),
                           expression=value if cheap else None, reads=reads))  # fmt: skip

    def _number_statement(self, name: str, value: cst.BaseExpression) -> None:
        if self.lines:
            self._emit(f"{name} = {self._text(value)}")
            self.defined.add(name)
            return
        inner = self.run.reductions(value)
        fact = self.run.fact(value)
        dtype = (fact.dtype or PYTHON.get(fact.kind)) if fact is not None else None
        if dtype not in DTYPES:
            raise Ends
        assert dtype is not None
        if not inner and self._is_early(name, value):
            self.nest.head.append(f"{name} = {self._text(value)}")
            self.early.add(name)
            self._define(Value(name, dtype, (), ()))
            return
        if not inner and not (name_tools.loads(value) & set(self.values)):
            raise Ends
        self._reduced(inner)
        self._open(())
        self.nest.line(f"{name} = {self._text(value)}")
        self._define(Value(name, dtype, (), ()))

    def _reduced(self, calls: Sequence[cst.BaseExpression]) -> None:
        """Takes reductions in whose results are wanted at once, and ends their loops."""
        for call in calls:
            self._reduce(call)
        for call in calls:
            self._settle(self.results[call])

    def _is_early(self, name: str, value: cst.BaseExpression) -> bool:
        """Says whether a number can be worked out before the loops: from what is known there, and bound once."""
        reads = name_tools.loads(value) & (self.run.ours | self.run.numbers)
        once = sum(name in name_tools.bound(one) for one in self.run.body) == 1
        read = any(name in name_tools.loads(one) for one in self.run.body[: self.position])
        return once and not read and reads <= self.early and not (reads & self.run.changed)

    def _in_place(self, target: cst.Name, value: cst.BaseExpression, operator: cst.BaseAugOp) -> None:
        sign = code(operator).strip()[:-1]
        ufunc = UFUNC.get(type(operator))
        if ufunc is None or sign in ("@", "//", "%", "<<", ">>"):
            raise Ends
        if not self.lines:
            self._prepare(value)
        elif self.run.reductions(value):
            raise Ends
        into = self.run.fact(target)
        assert into is not None
        layout = self.layouts[target]
        name = target.value
        if not self.lines:
            self._open(axes_in(layout))
        right = self._element(value, target)
        left = self._read(target)
        assert into.dtype is not None
        if given(ufunc, left, right) != into.dtype:
            raise Ends  # NumPy casts, or refuses
        power = isinstance(value, cst.Integer)
        text = right.text if not needs_parentheses(right.text) else f"({right.text})"
        both = self.owner.combined(ufunc, sign, left, Element(text, right.dtype, right.weak), into.dtype, power)
        if both is None or both.dtype != into.dtype or left.dtype != into.dtype:
            raise Ends
        self._change(name, left.text, both.text)

    def _change(self, name: str, place: str, text: str) -> None:
        """Writes a change of an element in place."""
        self._emit(f"{place} = {text}")
        value = self._touched(name)
        if value is not None and value.kept is not None and place == name and not self.lines:
            self._emit(f"{self.nest.element_of(value.kept, value.layout)} = {name}")

    def _part(self, target: cst.Subscript, value: cst.BaseExpression, operator: str, ufunc: str | None) -> None:
        """Writes a store into a part of an array from outside, of which nothing is read here."""
        self._prepare(value)
        into, fact = self.run.fact(target.value), self.run.fact(value)
        assert into is not None
        assert into.dtype is not None
        assert fact is not None
        element = self._element(value)
        if ufunc is None and operator != "=":
            raise Ends
        if ufunc is not None and (operator not in ("+=", "-=", "*=", "/=") or np.dtype(into.dtype).kind not in "fc"):
            raise Ends
        if element.dtype != into.dtype:
            if ufunc is not None or not (element.weak or np.can_cast(element.dtype, into.dtype)):
                raise Ends  # NumPy casts it down, or refuses
            if element.weak and not holds(into.dtype, element.dtype):
                raise Ends
            element = Element(self.owner.cast_text(into.dtype, element.text), into.dtype)
        layout = self.layouts[target]
        place = self.owner.place(self.nest, target, fact)
        for axis, length in zip(layout, place.lengths, strict=True):
            assert axis is not None
            self.nest.lengths[axis].append(length)
        where = place.at([self.nest.index(axis) for axis in axes_in(layout)])
        self._emit(f"{where} {operator} {element.text}")

    def _masked(self, target: cst.Subscript, value: cst.BaseExpression, operator: cst.BaseAugOp | None) -> None:
        mask = mask_of(target)
        if mask is None or not isinstance(target.value, cst.Name) or not self.run.is_mask(mask):
            raise Ends
        if not self.lines:
            self._prepare(mask)
        into = self.run.fact(target.value)
        assert into is not None
        test = self._element(mask)
        if test.dtype != "bool" or into.dtype not in DTYPES:
            raise Ends
        place = self._read(target.value)
        outer, self.mask = self.mask, code(mask)
        try:
            element = self._element(value, mask)
        finally:
            self.mask = outer
        if operator is not None:
            sign, ufunc = code(operator).strip()[:-1], UFUNC.get(type(operator))
            if ufunc is None or sign in ("@", "//", "%", "<<", ">>", "**"):
                raise Ends
            if given(ufunc, place, element) != into.dtype:
                raise Ends
            right = element.text if not needs_parentheses(element.text) else f"({element.text})"
            both = self.owner.combined(ufunc, sign, place, Element(right, element.dtype, element.weak), into.dtype)
            if both is None or both.dtype != into.dtype:
                raise Ends
            element = both
        if element.dtype != into.dtype:
            if not (element.weak and holds(into.dtype, element.dtype)) and not np.can_cast(element.dtype, into.dtype):
                raise Ends
            element = Element(self.owner.cast_text(into.dtype, element.text), into.dtype)
        self.heavy = True
        self._emit(f"if {test.text}:\n    {place.text} = {element.text}")
        known = self._touched(target.value.value)
        if known is not None and known.kept is not None and place.text == known.name and not self.lines:
            self._emit(f"{self.nest.element_of(known.kept, known.layout)} = {place.text}")

    def _returned(self, value: cst.BaseExpression) -> None:
        parts = parts_of(value)
        if isinstance(value, cst.Tuple):
            if len(parts) < 2 or not any(map(self._is_made, parts)):
                raise Ends
        elif not self.run.is_array(value) and not self.run.reductions(value):
            raise Ends
        names = [self._array_returned(one) if self.run.is_array(one) else None for one in parts]
        for one in parts:
            if not self.run.is_array(one):
                self._reduced(self.run.reductions(one))
        outputs = [
            (name, self._output(name)) if name is not None else ("result", "")
            for name in names
        ]  # fmt: skip
        self._open(())
        self.outputs = [
            (name, text or self._text(one)) for (name, text), one in zip(outputs, parts, strict=True)
        ]  # fmt: skip

    def _is_made(self, node: cst.BaseExpression) -> bool:
        """Says whether the run makes an array, or a number out of arrays."""
        if not self.run.is_array(node):
            return bool(self.run.reductions(node)) or (isinstance(node, cst.Name) and node.value in self.run.numbers)
        return not isinstance(node, cst.Name) or node.value in self.run.bound

    def _array_returned(self, node: cst.BaseExpression) -> str:
        """Returns the name of an array that is returned; it is bound to one where it has none."""
        if isinstance(node, cst.Name):
            if node.value not in self.run.bound or node.value in self.run.changed:
                raise Ends  # the caller's own array, or perhaps it
            return node.value
        name = self.nest.fresh("result")
        self._bind(name, node)
        return name

    def _output(self, name: str) -> str:
        value = self.values.get(name)
        if value is None or name in self.views:
            raise Ends
        self._settle(value)
        if not value.layout:
            return value.name
        if value.kept is None:
            if value.version is None:
                raise Ends
            self.keep.add((name, value.version))
            raise Again
        return value.kept
