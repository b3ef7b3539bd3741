"""Writes several whole-array statements as one loop nest, in a function beside the user's, without arrays in between.

`r = x[:, None] - x; d2 = r*r + eps; return np.sum(q/d2, axis=1)` becomes two loops in which `r` and `d2` are numbers. A
loop over steps whose statements all work element by element, as those of a fractal do, goes inside: each element takes
all its steps at once, and none where a mask has put it to rest.

Values, dtypes and the order of sums are those of Numba's own loops over the same expressions. An axis is stretched
where it had length 1 in the example; lengths that do not fit are refused, as NumPy refuses them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import libcst as cst
import numpy as np

from jitmagic.analysis.aliases import Aliases
from jitmagic.backends.numba.rewrites.context import Context, code
from jitmagic.backends.numba.rewrites.elements import (
    DTYPES,
    PYTHON,
    WIDE,
    Element,
    ElementRewriter,
    Kernel,
    axes_of,
    is_usable,
    is_wrapped,
    needs_parentheses,
)  # fmt: skip
from jitmagic.backends.numba.rewrites.layouts import Axes, inserted, leaf_layout, widened
from jitmagic.backends.numba.rewrites.nest import Again, Ends, Layout, Loop, Nest, Value, free_indices
from jitmagic.backends.numba.typing_model import UFUNC
from jitmagic.generate import names as name_tools
from jitmagic.generate.blocks import made, small, statements, with_body
from jitmagic.generate.liveness import Liveness, live_names
from jitmagic.generate.walking import children, nodes_of
from jitmagic.observe.facts import Span, ValueFact

NOTE = "the loops beside the function make arrays of the dtypes of this call: for other dtypes compare again"
_NUMBERS = frozenset({"int", "float", "bool", "complex", "scalar"})
_CHEAP = frozenset({"numpy.abs", "numpy.absolute", "numpy.minimum", "numpy.maximum", "numpy.square", "numpy.negative",
                    "numpy.sqrt", "numpy.sign", "numpy.floor", "numpy.ceil", "numpy.logical_and", "numpy.logical_or",
                    "numpy.logical_not"})  # fmt: skip
_QUICK = frozenset({"float", "int", "abs", "min", "max", "len", "round"})
"""Functions of numbers that may be called anew for each element."""

_STARTS = {"sum": "{np}.{wide}(0)", "mean": "{np}.{wide}(0)", "max": "{np}.{dtype}(-{np}.inf)",
           "min": "{np}.{dtype}({np}.inf)", "any": "False", "all": "True"}  # fmt: skip
_STEPS = {"sum": "{t} += {v}", "mean": "{t} += {v}", "max": "{t} = {np}.maximum({t}, {v})",
          "min": "{t} = {np}.minimum({t}, {v})", "any": "{t} |= {v}", "all": "{t} &= {v}"}  # fmt: skip
_TRIES = 6


class Regions(ElementRewriter):
    """Rewrites runs of statements.

    Parameters
    ----------
    context : Context
    aliases : Aliases
    spans : tuple of Span
        Loops that run in parallel already, in which nothing is rewritten.
    """

    def __init__(self, context: Context, aliases: Aliases, spans: tuple[Span, ...] = ()) -> None:
        super().__init__(context)
        self.aliases = aliases
        self.spans = spans
        self.builder: _Builder | None = None
        self._live = Liveness()
        self._captured: frozenset[str] = frozenset()
        self.found = False

    def visit_FunctionDef(self, node: cst.FunctionDef) -> bool:  # type: ignore[override]
        super().visit_FunctionDef(node)
        return False  # the statements are taken in their order, not one by one

    def leave_FunctionDef(self, original_node: cst.FunctionDef, updated_node: cst.FunctionDef) -> cst.FunctionDef:
        inner = [*nodes_of(original_node.body, cst.FunctionDef), *nodes_of(original_node.body, cst.Lambda)]
        self._captured = frozenset().union(*(name_tools.loads(one) for one in inner))
        self._live = live_names(statements(original_node), self._captured)
        body = self._block(statements(original_node))
        if any(one is not other for one, other in zip(body, statements(original_node), strict=False)):
            updated_node = with_body(updated_node, body)
        return super().leave_FunctionDef(original_node, updated_node)

    def _block(self, body: Sequence[Any]) -> list[Any]:
        done: list[Any] = []
        position = 0
        while position < len(body):
            found = self._region(body, position)
            if found is None:
                done.append(self._inner(body[position]))
                position += 1
            else:
                position, statement = found
                done.append(statement)
                self.found = True
        return done

    def _inner(self, statement: Any) -> Any:
        if self._runs_in_parallel(statement):
            return statement
        if isinstance(statement, cst.For | cst.While | cst.If | cst.With | cst.Else):
            if isinstance(statement.body, cst.IndentedBlock):
                body = self._block(statements(statement))
                if any(one is not other for one, other in zip(body, statements(statement), strict=False)):
                    new = with_body(statement, body)
                    self.module.inherit(new, statement)
                    statement = new
            orelse = getattr(statement, "orelse", None)
            if orelse is not None:
                other = self._inner(orelse)
                if other is not orelse:
                    new = statement.with_changes(orelse=other)
                    self.module.inherit(new, statement)
                    statement = new
        return statement

    def _runs_in_parallel(self, statement: Any) -> bool:
        place = self.context.place(statement) if self.spans else None
        return place is not None and any(s.line <= place.line and place.end_line <= s.end_line for s in self.spans)

    # -- a region

    def _region(self, body: Sequence[Any], start: int) -> tuple[int, Any] | None:
        """Returns the longest run of statements from here on that one nest can hold: its end, and what replaces it."""
        if not self._may_begin(body[start]):
            return None
        end = start
        while end < len(body) and self._may_join(body[end]) and not self._runs_in_parallel(body[end]):
            end += 1
        for _ in range(_TRIES):
            if end <= start:
                return None
            run = body[start:end]
            builder = _Builder(self, run, self._live, self._captured)
            self.builder = builder
            try:
                statement = builder.build()
            except Ends:
                statement = None
            finally:
                self.builder = None
            if statement is not None:
                return end, statement
            end = start + builder.reached if builder.reached < len(run) else end - 1
        return None

    def _may_begin(self, statement: Any) -> bool:
        if isinstance(statement, cst.For):
            return any(self._is_whole(node) for node in _expressions(statements(statement)))
        one = small(statement)
        if isinstance(one, cst.Assign | cst.AugAssign):
            return self._is_whole(one.value)
        return isinstance(one, cst.Return) and one.value is not None and self._reduces(one.value)

    def _may_join(self, statement: Any) -> bool:
        if isinstance(statement, cst.For):
            return statement.orelse is None and statement.asynchronous is None
        if not isinstance(statement, cst.SimpleStatementLine) or len(statement.body) != 1:
            return False
        one = statement.body[0]
        if isinstance(one, cst.Expr):
            return isinstance(one.value, cst.Call) and self.path(one.value.func) == "numpy.fill_diagonal"
        return isinstance(one, cst.Assign | cst.AugAssign | cst.Return)

    def _is_whole(self, node: cst.BaseExpression) -> bool:
        fact = self.fact(node)
        return fact is not None and is_usable(fact) and None not in (fact.shape or (None,))

    def _reduces(self, node: cst.BaseExpression) -> bool:
        return any(self.reduction(call, call) is not None for call in nodes_of(node, cst.Call))

    # -- what the elements ask for

    def number(self, kernel: Kernel, node: cst.BaseExpression) -> str | None:
        """Returns how a nest names a number."""
        assert self.builder is not None
        return self.builder.number(node)

    def leaf(self, kernel: Kernel, node: cst.BaseExpression, fact: ValueFact) -> Element | None:
        """Returns the element of an array that is no arithmetic."""
        assert self.builder is not None
        return self.builder.leaf(node, fact)


class _Builder:
    """Builds the nest of one run of statements.

    Attributes
    ----------
    reached : int
        How many statements could be taken; less than all where one raised Ends.
    """

    def __init__(self, owner: Regions, run: Sequence[Any], live: Liveness, captured: frozenset[str]) -> None:
        self.owner = owner
        self.run = run
        self.live = live
        self.captured = captured
        self.reached = 0
        self.bound: set[str] = set()
        self.changed: set[str] = set()
        self.numbers: set[str] = set()
        self.layouts: dict[cst.CSTNode, Layout] = {}
        self.names: dict[str, Layout] = {}
        self.axes = Axes()
        self.keep: set[tuple[str, int]] = set()

    # -- the run as a whole

    def build(self) -> Any:
        """Returns the statement that takes the run's place; raises Ends where a nest would win nothing."""
        alone = len(self.run) == 1 and not isinstance(self.run[0], cst.For)
        if alone and len(_reductions(self.owner, small(self.run[0]).value)) < 2:
            raise Ends  # one expression is written in the place of one
        self._collect(self.run)
        if self.bound & self.changed & self.captured or self.bound & self.numbers:
            raise Ends
        for position, statement in enumerate(self.run):
            self.reached = position
            self._infer(statement, False)
        self._order()
        last = self.run[-1]
        after = self.live.after.get(last, frozenset()) | (self.captured & (self.bound | self.numbers))
        if isinstance(small(last), cst.Return):
            after = frozenset()
        for _ in range(12):
            try:
                return self._written(after)
            except Again:
                continue
        raise Ends

    def _collect(self, run: Iterable[Any], position: int | None = None) -> None:
        for statement in run:
            if isinstance(statement, cst.For | cst.While | cst.If):
                if isinstance(statement, cst.For):
                    self.numbers.update(name_tools.targets(statement.target))
                self._collect(statements(statement))
                if getattr(statement, "orelse", None) is not None:
                    raise Ends
                continue
            one = small(statement)
            if isinstance(one, cst.Assign):
                target = one.targets[0].target
                if len(one.targets) == 1 and isinstance(target, cst.Name):
                    (self.bound if self._is_array(one.value) else self.numbers).add(target.value)
                elif isinstance(target, cst.Subscript) and isinstance(target.value, cst.Name):
                    self.changed.add(target.value.value)
            elif isinstance(one, cst.AugAssign):
                base = one.target.value if isinstance(one.target, cst.Subscript) else one.target
                if isinstance(base, cst.Name):
                    (self.changed if self._is_array(base) else self.numbers).add(base.value)

    def _fact(self, node: cst.BaseExpression) -> ValueFact | None:
        return self.owner.fact(node)

    def _is_array(self, node: cst.BaseExpression) -> bool:
        fact = self._fact(node)
        return fact is not None and fact.kind == "array"

    @property
    def ours(self) -> set[str]:
        return self.bound | self.changed

    # -- which axes are one

    def _infer(self, statement: Any, looped: bool) -> None:
        if isinstance(statement, cst.For):
            for inner in statements(statement):
                self._infer(inner, True)
            return
        if isinstance(statement, cst.If):
            for inner in statements(statement):
                self._infer(inner, True)
            return
        one = small(statement)
        if isinstance(one, cst.Assign):
            target = one.targets[0].target
            if len(one.targets) != 1:
                raise Ends
            layout = self._layout(one.value)
            if isinstance(target, cst.Name) and self._is_array(one.value):
                if looped and target.value in self.names:
                    self.axes.same(self.names[target.value], layout)
                self.names[target.value] = layout
            elif isinstance(target, cst.Subscript):
                self._masked_layout(target, layout)
            elif not isinstance(target, cst.Name):
                raise Ends
        elif isinstance(one, cst.AugAssign):
            layout = self._layout(one.value)
            if isinstance(one.target, cst.Subscript):
                self._masked_layout(one.target, layout)
            elif isinstance(one.target, cst.Name) and self._is_array(one.target):
                base = self._layout(one.target)
                if len(self.axes.broadcast([base, layout])) != len(base):
                    raise Ends
        elif isinstance(one, cst.Return) and one.value is not None:
            self._layout(one.value)
        elif isinstance(one, cst.Expr) and isinstance(one.value, cst.Call) and len(one.value.args) == 2:
            if len(self._layout(one.value.args[0].value)) != 2:
                raise Ends
        elif not isinstance(one, cst.Break | cst.Pass):
            raise Ends

    def _masked_layout(self, target: cst.Subscript, value: Layout) -> None:
        mask = _mask_of(target)
        if mask is None or not isinstance(target.value, cst.Name):
            raise Ends
        self.axes.same(self._layout(target.value), self._layout(mask))
        if value:
            self.axes.same(self._layout(mask), value)

    def _layout(self, node: cst.BaseExpression) -> Layout:
        found = self._layout_of(node)
        self.layouts[node] = found
        return found

    def _layout_of(self, node: cst.BaseExpression) -> Layout:
        owner = self.owner
        fact = self._fact(node)
        if fact is None:
            raise Ends
        if fact.kind in _NUMBERS:
            for call in _reductions(owner, node):
                self._layout_of_reduction(call)
            return ()
        if not is_usable(fact):
            raise Ends
        if isinstance(node, cst.Name):
            if node.value in self.ours:
                if node.value not in self.names:
                    self.names[node.value] = leaf_layout(self.axes, fact)
                return self.names[node.value]
            return leaf_layout(self.axes, fact)
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
            mask = _mask_of(node)
            if mask is not None and self._is_mask(mask):
                self.axes.same(self._layout(node.value), self._layout(mask))
                return self.layouts[mask]
            new = inserted(node)
            if new is not None and not self._is_outer(node.value):
                return widened(self._layout(node.value), new)
        if self._reads_ours(node):
            raise Ends
        return leaf_layout(self.axes, fact)

    def _layout_of_call(self, node: cst.Call, fact: ValueFact) -> Layout:
        owner = self.owner
        if owner.is_elementwise(node):
            parts = [argument.value for argument in node.args]
            if isinstance(node.func, cst.Attribute) and owner.path(node.func) is None:
                parts = [node.func.value]
            return self.axes.broadcast([self._layout(part) for part in parts])
        copied = _copied(owner, node)
        if copied is not None:
            return self._layout(copied)
        if owner.reduction(node, node) is not None:
            return self._layout_of_reduction(node)
        raise Ends

    def _layout_of_reduction(self, call: cst.Call) -> Layout:
        parts = self._reduced(call)
        layout = self._layout(parts[1])
        _, _, axes, keep = parts
        if keep:
            found = tuple(None if k in axes else axis for k, axis in enumerate(layout))
        else:
            found = tuple(axis for k, axis in enumerate(layout) if k not in axes)
        self.layouts[call] = found
        return found

    def _reduced(self, call: cst.Call) -> tuple[str, cst.BaseExpression, tuple[int, ...], bool]:
        """Returns the name of a reduction, what is reduced, its axes, and whether they are kept."""
        found = self.owner.reduction(call, call)
        if found is None:
            raise Ends
        name, old, _, rest = found
        fact = self._fact(old)
        options = {a.keyword.value if a.keyword is not None else "axis": a.value for a in rest}
        if fact is None or not is_usable(fact) or set(options) - {"axis", "keepdims"} or len(options) != len(rest):
            raise Ends
        assert fact.shape is not None
        axes = axes_of(options.get("axis"), len(fact.shape))
        keep = code(options["keepdims"]) if "keepdims" in options else "False"
        if axes is None or keep not in ("True", "False"):
            raise Ends
        return name, old, axes, keep == "True"

    def _order(self) -> None:
        """Numbers the axes: those of the arrays with most axes first, in their order."""
        self._unite_uses()
        numbers: dict[int, int] = {}
        for layout in sorted(self.layouts.values(), key=lambda one: len(_axes(one)), reverse=True):
            for axis in self.axes.settled(layout):
                if axis is not None:
                    numbers.setdefault(axis, len(numbers))
        self.ordered = {
            node: tuple(None if a is None else numbers[a] for a in self.axes.settled(layout))
            for node, layout in self.layouts.items()
        }
        if any(len(set(_axes(layout))) != len(_axes(layout)) for layout in self.ordered.values()):
            raise Ends  # a diagonal
        self.count = len(numbers)
        if self.count == 0:
            raise Ends

    def _unite_uses(self) -> None:
        """Takes the axes of an array that is used in several places for one, unless that would be a diagonal."""
        uses: dict[str, Layout] = {}
        for node, layout in self.layouts.items():
            if not isinstance(node, cst.Name) or node.value in self.ours or not layout:
                continue
            before = uses.setdefault(node.value, layout)
            trial = self.axes.copy()
            trial.same(before, layout)
            settled = [_axes(trial.settled(one)) for one in self.layouts.values()]
            if all(len(set(one)) == len(one) for one in settled):
                self.axes = trial

    # -- the nest

    def _written(self, after: frozenset[str]) -> Any:
        used = frozenset().union(*(name_tools.all_names(s) for s in self.run))
        letters = free_indices(set(used))
        if self.count > len(letters):
            raise Ends
        nest = Nest((), loops_of_all=letters, taken=set(used - self._outer_names()))
        for _ in range(self.count):
            nest.lengths.append([])
        self.nest = nest
        self.values: dict[str, Value] = {}
        self.results: dict[cst.CSTNode, Value] = {}
        self.kept: list[Value] = []
        self.versions: dict[str, int] = {}
        self.stored: dict[str, str] = {}
        self.read_arrays: set[str] = set()
        self.defined: set[str] = set()
        self.pending: dict[int, tuple[Value, frozenset[int], str]] = {}
        self.steps = 0
        self.looped = False
        self.lines: list[list[str]] = []
        self.heavy = False
        self.mask: str | None = None
        self.contracted = 0
        returned = False
        outputs: list[tuple[str, str]] = []
        for position, statement in enumerate(self.run):
            self.reached = position
            one = small(statement)
            if isinstance(one, cst.Return):
                if position != len(self.run) - 1 or one.value is None:
                    raise Ends
                self._returned(one.value, outputs)
                returned = True
            else:
                self._statement(statement)
        self.reached = len(self.run)
        live = sorted(after & (self.bound | self.numbers))
        for name in live:
            outputs.append((name, self._output(name)))
        if not all(nest.lengths):
            raise Ends
        self._check_aliases()
        if not self.looped and self.contracted == 0:
            raise Ends
        return self._call(nest, outputs, returned)

    def _outer_names(self) -> frozenset[str]:
        every: frozenset[str] = frozenset().union(*(name_tools.all_names(s) for s in self.run))
        return every - self.ours - self.numbers

    def _check_aliases(self) -> None:
        """Raises Ends where an array that is changed in place may share memory with another one that is read."""
        others = self.read_arrays | set(self.stored)
        around = {function.name.value for function in self.owner.functions}
        definitions = [node for node in self.owner.aliases.tree.definitions() if node.name in around]
        for name in self.changed & set(self.stored):
            for other in others - {name}:
                if any(self.owner.aliases.may_share(one, name, other) for one in definitions):
                    raise Ends

    def _call(self, nest: Nest, outputs: Sequence[tuple[str, str]], returned: bool) -> Any:
        owner = self.owner
        owner.context.note(NOTE)
        label = f"new_{outputs[0][0]}" if outputs else f"update_{next(iter(sorted(self.changed)), 'arrays')}"
        if returned:
            label = f"{owner.functions[-1].name.value}_of_elements"
        parallel = owner.context.parallel and all(
            not isinstance(loop, Loop) or not loop.serial for loop in nest.root.body
        )
        decorator = '@njit(parallel=True, error_model="numpy")' if parallel else '@njit(error_model="numpy")'
        lines = [decorator, f"def {{name}}({', '.join(nest.parameters)}):"]
        first = " ".join(code(self.run[0].with_changes(leading_lines=[])).split("#@")[0].split())
        more = " …" if len(self.run) > 1 or isinstance(self.run[0], cst.For) else ""
        lines.append(f"    # element by element: {first[:90]}{more}".replace("{", "(").replace("}", ")"))
        lines += self._checks(nest)
        lines += [f"    {line}" for text in nest.head for line in nest.filled(text).split("\n")]
        lines += list(nest.lines(owner.context.imports.code("numba.prange") if parallel else "range"))
        if outputs:
            lines.append(f"    return {', '.join(text for _, text in outputs)}")
        helper = owner.context.helper(label, "\n" + "\n".join(lines) + "\n")
        call = cst.Call(helper, [cst.Arg(owner.context.bare(node)) for node in nest.passed])
        place = self.run[0]
        if returned:
            return made(f"return {code(call)}\n", self.run[-1]).with_changes(leading_lines=place.leading_lines)
        targets = f"{', '.join(name for name, _ in outputs)} = " if outputs else ""
        return made(f"{targets}{code(call)}\n", place).with_changes(leading_lines=place.leading_lines)

    def _checks(self, nest: Nest) -> list[str]:
        different = []
        for several in nest.lengths:
            unique = list(dict.fromkeys(several))
            different += [f"{one} != {unique[0]}" for one in unique[1:]]
        different += [f"{one} != 1" for one in dict.fromkeys(nest.ones)]
        if not different:
            return []
        return [
            f"    if {' or '.join(different)}:",
            '        raise ValueError("operands could not be broadcast together")',
        ]

    # -- statements

    def _emit(self, text: str) -> None:
        if self.lines:
            self.lines[-1].append(text)
        else:
            self.nest.line(text)

    def _statement(self, statement: Any) -> None:
        if isinstance(statement, cst.For):
            self._steps(statement)
            return
        one = small(statement)
        if isinstance(one, cst.Assign):
            target = one.targets[0].target
            if isinstance(target, cst.Subscript):
                self._masked(target, one.value, None)
            elif isinstance(target, cst.Name) and self._is_array(one.value):
                self._bind(target.value, one.value)
            elif isinstance(target, cst.Name):
                self._number_statement(target.value, one.value)
            else:
                raise Ends
        elif isinstance(one, cst.AugAssign):
            if isinstance(one.target, cst.Subscript):
                self._masked(one.target, one.value, one.operator)
            elif isinstance(one.target, cst.Name) and self._is_array(one.target):
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
        fact = self._fact(filled)
        if value is None or fact is None or fact.kind not in ("int", "float", "bool") or None in value.layout:
            raise Ends
        if self.lines or any(a.keyword is not None or a.star for a in call.args):
            raise Ends
        if not _holds(value.dtype, PYTHON[fact.kind]):
            raise Ends
        self._settle(value)
        self.nest.open(_axes(value.layout))
        place = self._value(value)
        one, other = (self.nest.index(axis) for axis in _axes(value.layout))
        number = self.owner.cast_text(value.dtype, self._text(filled))
        self._emit(f"if {one} == {other}:\n    {place.text} = {number}")
        self._touched(value.name)
        if value.kept is not None and place.text == value.name:
            self._emit(f"{self.nest.element_of(value.kept, value.layout)} = {value.name}")

    def _prepare(self, value: cst.BaseExpression) -> None:
        """Takes the reductions in an expression first, and ends the loops of those that it reads."""
        for call in _reductions(self.owner, value):
            self._reduce(call)
        for name in name_tools.loads(value):
            if name in self.values:
                self._settle(self.values[name])
        for call in _reductions(self.owner, value):
            self._settle(self.results[call])

    def _settle(self, value: Value) -> None:
        found = self.pending.pop(id(value), None)
        if found is None:
            return
        _, axes, final = found
        self.nest.close(sorted(axes))
        if final:
            self.nest.open(_axes(value.layout))
            self.nest.line(final)

    def _element(self, value: cst.BaseExpression, shape_of: cst.BaseExpression | None = None) -> Element:
        layout = self.ordered[shape_of if shape_of is not None else value]
        fact = self._fact(shape_of if shape_of is not None else value)
        assert fact is not None
        if not self.lines:
            self.nest.open(_axes(layout))
        self.nest.space([0 if axis is None else axis for axis in layout], fact.shape or ())
        found = self.owner.element(self.nest, value, value)
        if found is None or found.dtype not in DTYPES:
            raise Ends
        text = found.text[1:-1] if is_wrapped(found.text) else found.text
        return Element(text, found.dtype, found.weak)

    def _bind(self, name: str, value: cst.BaseExpression) -> None:
        if not isinstance(value, cst.BinaryOperation | cst.UnaryOperation | cst.Comparison | cst.Call):
            raise Ends  # an alias or a view
        if not self.lines:
            self._prepare(value)
        elif _reductions(self.owner, value):
            raise Ends
        fact = self._fact(value)
        assert fact is not None
        element = self._element(value)
        if element.dtype != fact.dtype:
            raise Ends
        before = self.values.get(name)
        if before is not None and before.dtype != element.dtype:
            raise Ends
        reads = {one: self.values.get(one) for one in name_tools.loads(value)}
        self._emit(f"{name} = {element.text}")
        if self.lines:
            if before is None or before.layout != self.ordered[value]:
                raise Ends
            self._touched(name)
            return
        cheap = not self._is_heavy(value) and name not in self.changed and name not in reads
        if any(one in self.changed and one not in self.values for one in reads):
            cheap = False
        self._define(Value(name, element.dtype, self.ordered[value], tuple(self.nest.path[1:]),
                           expression=value if cheap else None, reads=reads))  # fmt: skip

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
        array = self._fresh(f"{value.name}_out")
        shape = ", ".join("1" if axis is None else self.nest.length(axis) for axis in value.layout)
        shape += "," if len(value.layout) == 1 else ""
        dtype = "bool_" if value.dtype == "bool" else value.dtype
        self.nest.head.append(f"{array} = {{np}}.empty(({shape}), dtype={{np}}.{dtype})")
        value.kept = array
        self.kept.append(value)

    def _number_statement(self, name: str, value: cst.BaseExpression) -> None:
        if self.lines:
            self._emit(f"{name} = {self._text(value)}")
            self.defined.add(name)
            return
        inner = _reductions(self.owner, value)
        if not inner:
            raise Ends
        for call in inner:
            self._reduce(call)
        for call in inner:
            self._settle(self.results[call])
        self.nest.open(())
        fact = self._fact(value)
        dtype = (fact.dtype or PYTHON.get(fact.kind)) if fact is not None else None
        if dtype not in DTYPES:
            raise Ends
        assert dtype is not None
        self.nest.line(f"{name} = {self._text(value)}")
        self._define(Value(name, dtype, (), ()))

    # -- stores in place

    def _external(self, node: cst.Name) -> None:
        """Sees to it that an array from outside that is changed, or bound anew later, can be read under its name."""
        name = node.value
        if name in self.stored:
            return
        fact = self._fact(node)
        layout = self.ordered.get(node)
        if fact is None or not is_usable(fact) or layout is None or None in layout or fact.dtype is None:
            raise Ends
        array = self._fresh(f"{name}_all")
        self.nest.parameters.append(array)
        self.nest.passed.append(node)
        for k, axis in enumerate(layout):
            assert axis is not None
            self.nest.lengths[axis].append(f"{array}.shape[{k}]")
        self.stored[name] = array
        self.read_arrays.add(name)

    def _in_place(self, target: cst.Name, value: cst.BaseExpression, operator: cst.BaseAugOp) -> None:
        sign = code(operator).strip()[:-1]
        ufunc = UFUNC.get(type(operator))
        if ufunc is None or sign in ("@", "//", "%", "<<", ">>"):
            raise Ends
        if not self.lines:
            self._prepare(value)
        elif _reductions(self.owner, value):
            raise Ends
        into = self._fact(target)
        assert into is not None
        layout = self.ordered[target]
        name = target.value
        if not self.lines:
            self.nest.open(_axes(layout))
        right = self._element(value, target)
        left = self._read(target)
        assert into.dtype is not None
        if _given(ufunc, left, right) != into.dtype:
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

    def _touched(self, name: str) -> Value | None:
        """Notes that a value is another one from here on; returns it, None for an array from outside."""
        value = self.values.get(name)
        if value is not None:
            value = self.values[name] = replace(value, expression=None)
        return value

    def _masked(self, target: cst.Subscript, value: cst.BaseExpression, operator: cst.BaseAugOp | None) -> None:
        mask = _mask_of(target)
        if mask is None or not isinstance(target.value, cst.Name) or not self._is_mask(mask):
            raise Ends
        if not self.lines:
            self._prepare(mask)
        into = self._fact(target.value)
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
            if _given(ufunc, place, element) != into.dtype:
                raise Ends
            right = element.text if not needs_parentheses(element.text) else f"({element.text})"
            both = self.owner.combined(ufunc, sign, place, Element(right, element.dtype, element.weak), into.dtype)
            if both is None or both.dtype != into.dtype:
                raise Ends
            element = both
        if element.dtype != into.dtype:
            if not (element.weak and _holds(into.dtype, element.dtype)) and not np.can_cast(element.dtype, into.dtype):
                raise Ends
            element = Element(self.owner.cast_text(into.dtype, element.text), into.dtype)
        self.heavy = True
        self._emit(f"if {test.text}:\n    {place.text} = {element.text}")
        known = self._touched(target.value.value)
        if known is not None and known.kept is not None and place.text == known.name and not self.lines:
            self._emit(f"{self.nest.element_of(known.kept, known.layout)} = {place.text}")

    def _is_mask(self, node: cst.BaseExpression) -> bool:
        fact = self._fact(node)
        return fact is not None and is_usable(fact) and fact.dtype == "bool"

    # -- reductions

    def _reduce(self, call: cst.Call) -> None:
        if call in self.results:
            return
        name, inner, axes, _ = self._reduced(call)
        self._prepare(inner)
        whole = self.ordered[inner]
        layout = self.ordered[call]
        gone = frozenset(_axes(tuple(whole[k] for k in axes)))
        fact = self._fact(call)
        dtype = (fact.dtype or PYTHON.get(fact.kind)) if fact is not None else None
        if not gone or dtype not in DTYPES or any(whole[k] is None for k in axes):
            raise Ends
        assert dtype is not None
        needed, rest = sorted(_axes(whole)), sorted(_axes(layout))
        total = self._fresh("total")
        wide = WIDE.get(dtype, dtype)
        start = _STARTS[name].replace("{wide}", wide).replace("{dtype}", dtype)
        nest = self.nest
        prefix = needed[: len(rest)] == rest
        if prefix:
            open_now = [loop.axis for loop in nest.path[1:]]
            line = f"{total} = {start}"
            if open_now[: len(rest) + 1] == needed[: len(rest) + 1]:
                outer, loop = nest.path[len(rest)], nest.path[len(rest) + 1]
                position = next(k for k, item in enumerate(outer.body) if item is loop)
                outer.body.insert(position, line)
            else:
                nest.open(rest)
                nest.line(line)
            element = self._element(inner)
            place = total
        else:
            if name not in ("sum", "mean") or wide != dtype or None in layout:
                raise Ends
            shape = ", ".join(nest.length(axis) for axis in _axes(layout)) + ("," if len(layout) == 1 else "")
            nest.head.append(f"{total} = {{np}}.zeros(({shape}), dtype={{np}}.{dtype})")
            element = self._element(inner)
            place = nest.element_of(total, layout)
        if name in ("max", "min") and element.dtype not in ("float32", "float64"):
            raise Ends
        text = element.text
        if name in ("any", "all") and element.dtype != "bool":
            text = f"({text}) != 0" if needs_parentheses(text) else f"{text} != 0"
            text = f"({text})"
        elif name in ("any", "all") and needs_parentheses(text):
            text = f"({text})"
        nest.line(_STEPS[name].replace("{t}", place).replace("{v}", text))
        outermost = nest.path[1]
        if outermost.axis in gone and (not prefix or name not in ("sum", "mean")):
            outermost.serial = True
        count = " * ".join(self.nest.length(axis) for axis in sorted(gone))
        final = ""
        if name == "mean":
            final = f"{place} /= {count}" if len(gone) == 1 else f"{place} /= ({count})"
        if name in ("max", "min"):
            nest.head.append(
                f"if {' or '.join(f'{nest.length(axis)} == 0' for axis in sorted(gone))}:\n"
                '    raise ValueError("zero-size array to reduction operation")'
            )
        if prefix and wide != dtype:
            final = f"{final}\n" if final else ""
            final += f"{total} = {{np}}.{dtype}({total})"
            if name in ("sum", "mean") and not rest:
                # a variable that a reduction in threads adds to keeps its type
                narrow = self._fresh("total")
                final = (f"{total} /= {count}\n" if name == "mean" else "") + f"{narrow} = {{np}}.{dtype}({total})"
                total = narrow
        value = Value(total, dtype, layout, tuple(nest.path[1 : len(rest) + 1]) if prefix else (),
                      kept=None if prefix else total)  # fmt: skip
        self.results[call] = value
        self.pending[id(value)] = (value, gone, final)
        self.contracted += 1 if not isinstance(inner, cst.Name) else 0

    def _fresh(self, wanted: str) -> str:
        """Returns a variable's name that is free, with a letter behind it where it must be another one.

        Not a number: Numba's own names for the versions of a variable end in numbers, and would meet with them.
        """
        name = wanted
        letters = iter("bcdefghijklmnopqrstuvwxyz")
        while name in self.nest.taken or name in self.nest.parameters:
            name = f"{wanted}_{next(letters)}"
        self.nest.taken.add(name)
        return name

    # -- elements

    def leaf(self, node: cst.BaseExpression, fact: ValueFact) -> Element | None:
        """Returns the element of an array that is no arithmetic; None where it has none."""
        assert fact.dtype is not None
        if isinstance(node, cst.Call) and node in self.results:
            return self._value(self.results[node])
        if self.mask is not None:
            mask = _mask_of(node) if isinstance(node, cst.Subscript) else None
            if mask is None or code(mask) != self.mask or not isinstance(node, cst.Subscript):
                return None
            outer, self.mask = self.mask, None
            try:
                found = self.owner.element(self.nest, node.value, node.value)
            finally:
                self.mask = outer
            return found
        if isinstance(node, cst.Name) and node.value in self.ours:
            return self._read(node)
        if isinstance(node, cst.Attribute) and node.attr.value in ("real", "imag"):
            base = self._fact(node.value)
            if base is None or base.dtype not in ("complex64", "complex128"):
                return None
            inner = self.owner.element(self.nest, node.value, node.value)
            if inner is None:
                return None
            text = f"({inner.text})" if needs_parentheses(inner.text) else inner.text
            return Element(f"{text}.{node.attr.value}", fact.dtype)
        if isinstance(node, cst.Call):
            copied = _copied(self.owner, node)
            return None if copied is None else self.owner.element(self.nest, copied, copied)
        if isinstance(node, cst.Subscript) and inserted(node) is not None and not self._is_outer(node.value):
            inner = self.owner.element(self.nest, node.value, node.value)
            if inner is not None and needs_parentheses(inner.text):
                return Element(f"({inner.text})", inner.dtype, inner.weak)
            return inner
        return self._outer(node, fact)

    def _is_outer(self, node: cst.BaseExpression) -> bool:
        return isinstance(node, cst.Name) and node.value not in self.ours

    def _reads_ours(self, node: cst.BaseExpression) -> bool:
        return bool(name_tools.loads(node) & (self.ours | self.numbers))

    def _outer(self, node: cst.BaseExpression, fact: ValueFact) -> Element | None:
        """Returns the element of an array from outside: a name, or a view that is made before the loops."""
        if self._reads_ours(node) or not self._is_view(node):
            return None
        layout = self.ordered.get(node)
        if layout is None or fact.shape is None or fact.dtype is None:
            return None
        name = self.nest.parameter(node)
        self.read_arrays |= name_tools.loads(node)
        index = []
        for k, axis in enumerate(layout):
            if axis is None:
                index.append("0")
                self.nest.ones.append(f"{name}.shape[{k}]")
            else:
                index.append(self.nest.index(axis))
                self.nest.lengths[axis].append(f"{name}.shape[{k}]")
        return Element(f"{name}[{', '.join(index)}]", fact.dtype)

    def _is_view(self, node: cst.BaseExpression) -> bool:
        if isinstance(node, cst.Name):
            return True
        if isinstance(node, cst.Attribute):
            return node.attr.value == "T" and self._is_view(node.value)
        if not isinstance(node, cst.Subscript) or not self._is_view(node.value):
            return False
        for element in node.slice:
            part = element.slice
            if isinstance(part, cst.Slice):
                continue  # a slice never raises
            if (
                not isinstance(part, cst.Index)
                or (code(part.value) not in ("None", "...")
                and not code(part.value).endswith(".newaxis"))
            ):
                return False
        return True

    def _read(self, node: cst.Name) -> Element:
        name = node.value
        value = self.values.get(name)
        if value is not None:
            return self._value(value)
        self._external(node)
        fact = self._fact(node)
        assert fact is not None
        assert fact.dtype is not None
        if name in self.bound:
            self._never_stored(name)
        return Element(self.nest.element_of(self.stored[name], self.ordered[node]), fact.dtype)

    def _never_stored(self, name: str) -> None:
        if name in self.changed:
            raise Ends  # sometimes the caller's array, sometimes one of its own

    def _value(self, value: Value) -> Element:
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
        same = all(self.values.get(one) is other for one, other in value.reads.items())
        if value.expression is None or not same or self.values.get(value.name) is not value or self.lines:
            if value.version is None:
                raise Ends
            self.keep.add((value.name, value.version))
            raise Again
        nest = self.nest
        loops, shape, sizes = nest.loops, nest.shape, nest.sizes
        element = self.owner.element(nest, value.expression, value.expression)
        nest.loops, nest.shape, nest.sizes = loops, shape, sizes
        if element is None:
            raise Ends
        text = element.text[1:-1] if is_wrapped(element.text) else element.text
        nest.line(f"{value.name} = {text}")
        value.loops = tuple(loop for loop in nest.path[1:])

    # -- numbers

    def number(self, node: cst.BaseExpression) -> str | None:
        """Returns how the helper names a number: a parameter, a variable, or an expression of these."""
        loads = name_tools.loads(node)
        inner = _reductions(self.owner, node)
        if inner or loads & (self.numbers | self.ours):
            return self._text(node, wrap=True)
        if nodes_of(node, cst.Subscript) and not self._is_length(node):
            return self._text(node, wrap=True)
        return self.nest.parameter(node)

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
            if owner.path(node) is not None:
                return node
            if node.attr.value not in ("size", "ndim", "shape") or not self._is_outer(node.value):
                raise Ends
            return node.with_changes(value=self._shown(node.value))
        if isinstance(node, cst.Integer | cst.Float | cst.Imaginary):
            return node
        if isinstance(node, cst.Call):
            path = owner.path(node.func)
            if self.lines and path not in _CHEAP and code(node.func) not in _QUICK:
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
        if isinstance(node, cst.Subscript) and self._is_outer(node.value) and self.lines:
            return self._shown_element(node)
        raise Ends

    def _shown_name(self, node: cst.Name) -> cst.BaseExpression:
        name = node.value
        if name in ("True", "False", "None"):
            return node
        value = self.values.get(name)
        if value is not None and not value.layout:
            return cst.Name(value.name)
        if name in self.ours:
            raise Ends
        if name in self.numbers:
            if name not in self.defined:
                raise Ends
            return node
        return cst.Name(self.nest.parameter(node))

    def _shown_element(self, node: cst.Subscript) -> cst.Subscript:
        """Returns an element of an array from outside, at numbers of the region."""
        base = self._fact(node.value)
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

    # -- a loop over steps

    def _steps(self, loop: cst.For) -> None:
        """Puts a loop whose statements all work element by element inside the loops over the elements."""
        body = statements(loop)
        names = [name for name in self.ours if name in _assigned(body)]
        layouts = {self.names_ordered(name, loop) for name in names}
        if len(layouts) != 1 or self.lines:
            raise Ends
        layout = next(iter(layouts))
        if not layout or None in layout or tuple(sorted(_axes(layout))) != layout:
            raise Ends
        for value in list(self.values.values()):
            if value.name in name_tools.all_names(loop):
                self._settle(value)
        self.nest.open(_axes(layout))
        head = self.live.head.get(loop, frozenset())
        loaded: list[tuple[str, str]] = []
        for name in sorted(names):
            if name in self.values:
                if not self.nest.is_open(self.values[name]):
                    raise Ends
                continue
            node = self._use(loop, name)
            if name in head or name in self.changed:
                if node is None:
                    raise Ends
                self._external(node)
                if name in self.bound:
                    self._never_stored(name)
                place = self.nest.element_of(self.stored[name], layout)
                self.nest.line(f"{name} = {place}")
                if name in self.changed:
                    loaded.append((name, place))
                fact = self._fact(node)
            else:
                fact = self._fact(_value_of(body, name))
            assert fact is not None
            if fact.dtype not in DTYPES:
                raise Ends
            assert fact.dtype is not None
            self.values[name] = Value(name, fact.dtype, layout, tuple(self.nest.path[1:]))
        inside = [name for name in names if name not in head and name not in self.changed and name not in self.versions]
        defined = set(self.defined)
        header = self._header(loop)
        self.lines.append([])
        idle = _idle_mask(self, body, head)
        if idle is not None:
            self.lines[-1].append(f"if not {idle}:\n    break")
        self._body(body, idle)
        text = "\n".join(self.lines.pop())
        self.defined = defined
        self.nest.line(f"{header}\n" + "\n".join("    " + line for line in text.split("\n")))
        for name, place in loaded:
            self.nest.line(f"{place} = {name}")
        for name in inside:
            self.values.pop(name, None)
        for name in names:
            known = self._touched(name)
            if known is not None:
                known.version = self.versions.setdefault(name, 0)
                if (name, known.version) in self.keep:
                    if known.kept is None:
                        self._keep(known)
                    self.nest.line(f"{self.nest.element_of(known.kept or '', known.layout)} = {name}")
        for name, _ in loaded:
            self.values.pop(name, None)
        self.looped = True
        if not self.heavy and not any(self._is_heavy(one) for one in _expressions(body)):
            raise Ends  # whole rows at a time keep the processor's vectors busy

    def names_ordered(self, name: str, loop: cst.For) -> Layout:
        """Returns the layout of a name in a loop over steps."""
        node = self._use(loop, name)
        found = self.ordered.get(node if node is not None else _value_of(statements(loop), name))
        if found is None:
            raise Ends
        return found

    def _use(self, loop: cst.For, name: str) -> cst.Name | None:
        """Returns a place in a loop where an array is used by its name; None where it is only bound."""
        return next((n for n in nodes_of(loop, cst.Name) if n.value == name and n in self.ordered), None)

    def _body(self, body: Sequence[Any], idle: str | None) -> None:
        for statement in body:
            for line in getattr(statement, "leading_lines", ()):
                if line.comment is not None:
                    self._emit(line.comment.value)
            if isinstance(statement, cst.If) and statement.orelse is None:
                if idle is not None and _all_at_rest(self.owner, statement, idle):
                    continue
                raise Ends
            one = small(statement)
            if isinstance(one, cst.Pass):
                continue
            self._statement(statement)

    def _header(self, loop: cst.For) -> str:
        self.lines.append([])
        try:
            if (
                isinstance(loop.iter, cst.Call)
                and code(loop.iter.func) == "range"
                and isinstance(loop.target, cst.Name)
            ):
                arguments = ", ".join(self._text(a.value) for a in loop.iter.args)
                text = f"for {loop.target.value} in range({arguments}):"
            elif isinstance(loop.iter, cst.Name) and self._is_outer(loop.iter) and isinstance(loop.target, cst.Name):
                fact = self._fact(loop.iter)
                if fact is None or fact.kind != "array" or len(fact.shape or ()) != 1:
                    raise Ends
                self.read_arrays.add(loop.iter.value)
                text = f"for {loop.target.value} in {self.nest.parameter(loop.iter)}:"
            else:
                raise Ends
        finally:
            self.lines.pop()
        self.defined.update(name_tools.targets(loop.target))
        return text

    # -- what comes out

    def _returned(self, value: cst.BaseExpression, outputs: list[tuple[str, str]]) -> None:
        if self._is_array(value):
            name = self._fresh("result")
            self._bind(name, value)
            outputs.append((name, self._output(name)))
            return
        inner = _reductions(self.owner, value)
        if not inner:
            raise Ends
        for call in inner:
            self._reduce(call)
        for call in inner:
            self._settle(self.results[call])
        self.nest.open(())
        outputs.append(("result", self._text(value)))

    def _output(self, name: str) -> str:
        value = self.values.get(name)
        if value is None:
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

    def _is_heavy(self, node: cst.BaseExpression) -> bool:
        """Says whether an expression takes long enough for an element that vectors would not help."""
        for call in nodes_of(node, cst.Call):
            path = self.owner.path(call.func)
            if path is not None and path not in _CHEAP:
                return True
        for power in nodes_of(node, cst.BinaryOperation):
            if isinstance(power.operator, cst.Power) and not isinstance(power.right, cst.Integer):
                return True
        fact = self._fact(node)
        return fact is not None and (fact.dtype or "").startswith("complex")


# -- reading the user's text


def _axes(layout: Layout) -> list[int]:
    """Returns the loops of a layout."""
    return [axis for axis in layout if axis is not None]


def _mask_of(node: cst.Subscript) -> cst.BaseExpression | None:
    """Returns what stands in a subscript of one expression, as a mask does."""
    if len(node.slice) != 1 or not isinstance(node.slice[0].slice, cst.Index):
        return None
    return node.slice[0].slice.value


def _reductions(owner: ElementRewriter, node: cst.CSTNode) -> list[cst.Call]:
    """Returns the outermost reductions in an expression."""
    if isinstance(node, cst.Call) and owner.reduction(node, node) is not None:
        return [node]
    return [call for child in children(node) for call in _reductions(owner, child)]


def _copied(owner: ElementRewriter, node: cst.Call) -> cst.BaseExpression | None:
    """Returns `x` of `x.copy()` and `np.copy(x)`."""
    if owner.path(node.func) == "numpy.copy" and len(node.args) == 1 and node.args[0].keyword is None:
        return node.args[0].value
    func = node.func
    if isinstance(func, cst.Attribute) and func.attr.value == "copy" and not node.args and owner.is_array(func.value):
        return func.value
    return None


def _holds(dtype: str, weak: str) -> bool:
    """Says whether arrays of a dtype take a Python number of this kind as it is."""
    kinds = {"bool": 0, "int64": 1, "float64": 2, "complex128": 3}
    into = {"b": 0, "i": 1, "u": 1, "f": 2, "c": 3}[np.dtype(dtype).kind]
    return kinds.get(weak, 9) <= into and (into != 1 or dtype == "int64" or weak == "bool")


def _given(ufunc: str, left: Element, right: Element) -> str | None:
    """Returns the dtype that NumPy gives an operation on two elements' arrays."""
    kinds = {"bool": bool, "int64": int, "float64": float, "complex128": complex}
    types = [kinds[one.dtype] if one.weak and one.dtype != "bool" else np.dtype(one.dtype) for one in (left, right)]
    try:
        return str(getattr(np, ufunc).resolve_dtypes((*types, None))[-1])
    except TypeError:
        return None


def _assigned(body: Iterable[Any]) -> set[str]:
    """Returns the names that are bound, or whose elements are stored into."""
    found: set[str] = set()
    for statement in body:
        if isinstance(statement, cst.For | cst.If | cst.While):
            found |= _assigned(statements(statement))
            continue
        one = small(statement)
        target = one.targets[0].target if isinstance(one, cst.Assign) else getattr(one, "target", None)
        if isinstance(target, cst.Subscript):
            target = target.value
        if isinstance(target, cst.Name):
            found.add(target.value)
    return found


def _expressions(body: Iterable[Any]) -> list[cst.BaseExpression]:
    """Returns the right sides in a loop."""
    found = []
    for statement in body:
        if isinstance(statement, cst.For | cst.If | cst.While):
            found += _expressions(statements(statement))
        value = getattr(small(statement), "value", None)
        if isinstance(value, cst.BaseExpression):
            found.append(value)
    return found


def _value_of(body: Iterable[Any], name: str) -> cst.BaseExpression:
    """Returns what a name is first bound to."""
    for statement in body:
        one = small(statement)
        target = one.targets[0].target if isinstance(one, cst.Assign) else None
        if isinstance(target, cst.Name) and target.value == name:
            return one.value
    raise Ends


# -- masks that put elements to rest


def _idle_mask(builder: _Builder, body: Sequence[Any], head: frozenset[str]) -> str | None:
    """Returns a mask behind which, once it is False for an element, a loop does nothing more to this element."""
    masks = {name for name in builder.ours if name in builder.values and builder.values[name].dtype == "bool"}
    for mask in sorted(masks & (head | builder.changed)):
        if _rests(builder, body, head, mask):
            return mask
    return None


def _rests(builder: _Builder, body: Sequence[Any], head: frozenset[str], mask: str) -> bool:
    false = {mask}
    for statement in body:
        if isinstance(statement, cst.If) and _all_at_rest(builder.owner, statement, mask):
            continue
        one = small(statement)
        if isinstance(one, cst.Pass):
            continue
        if isinstance(one, cst.AugAssign):
            target = one.target
        elif isinstance(one, cst.Assign):
            target = one.targets[0].target
        else:
            return False
        if isinstance(target, cst.Subscript):
            chosen = _mask_of(target)
            if chosen is None or not isinstance(target.value, cst.Name):
                return False
            if _is_false(builder.owner, chosen, false):
                continue
            name = target.value.value
            if name == mask and isinstance(one, cst.Assign) and code(one.value) == "False":
                continue
        elif isinstance(target, cst.Name):
            name = target.value
            if isinstance(one, cst.AugAssign) and isinstance(one.operator, cst.BitAndAssign) and name in false:
                continue
            if isinstance(one, cst.Assign) and _is_false(builder.owner, one.value, false):
                if name == mask:
                    continue
                false.add(name)
        else:
            return False
        if name in head or name in builder.changed:
            return False
        if not (isinstance(one, cst.Assign) and isinstance(target, cst.Name) and name in false):
            false.discard(name)
    return True


def _is_false(owner: ElementRewriter, node: cst.BaseExpression, false: set[str]) -> bool:
    if isinstance(node, cst.Name):
        return node.value in false
    if isinstance(node, cst.BinaryOperation) and isinstance(node.operator, cst.BitAnd):
        return _is_false(owner, node.left, false) or _is_false(owner, node.right, false)
    if isinstance(node, cst.Call) and owner.path(node.func) == "numpy.logical_and":
        return any(_is_false(owner, argument.value, false) for argument in node.args)
    return False


def _all_at_rest(owner: ElementRewriter, statement: cst.If, mask: str) -> bool:
    """Says whether a statement is `if not mask.any(): break`."""
    body = statements(statement)
    inner = body[0] if len(body) == 1 else None
    inner = inner if isinstance(inner, cst.BaseSmallStatement) else small(inner) if inner is not None else None
    test = statement.test
    if statement.orelse is not None or not isinstance(inner, cst.Break):
        return False
    if not isinstance(test, cst.UnaryOperation) or not isinstance(test.operator, cst.Not):
        return False
    call = test.expression
    if not isinstance(call, cst.Call):
        return False
    if owner.path(call.func) == "numpy.any":
        return len(call.args) == 1 and code(call.args[0].value) == mask
    return isinstance(call.func, cst.Attribute) and code(call.func) == f"{mask}.any" and not call.args
