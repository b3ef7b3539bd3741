"""Reductions in a nest: a variable, or an array of them, that the loops add to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import libcst as cst

from jitmagic.backends.numba.helpers import in_any_order
from jitmagic.backends.numba.nests.nest import Ends, Layout, Loop, Value, axes_in
from jitmagic.backends.numba.nests.places import Place, place_of
from jitmagic.backends.numba.nests.scans import scan_of, scans
from jitmagic.backends.numba.nests.values import Values
from jitmagic.backends.numba.rewrites.elements import DTYPES, PYTHON, WIDE, needs_parentheses
from jitmagic.generate import names as name_tools
from jitmagic.observe.facts import ValueFact

_STARTS = {"sum": "{np}.{wide}(0)", "mean": "{np}.{wide}(0)", "max": "{np}.{dtype}(-{np}.inf)",
           "min": "{np}.{dtype}({np}.inf)", "any": "False", "all": "True"}  # fmt: skip
_STEPS = {"sum": "{t} += {v}", "mean": "{t} += {v}", "max": "{t} = {np}.maximum({t}, {v})",
          "min": "{t} = {np}.minimum({t}, {v})", "any": "{t} |= {v}", "all": "{t} &= {v}"}  # fmt: skip

PLUS_HERE = "\0plus"
"""What stands for the name of the function that adds, until the nest is known to be written."""


@dataclass(frozen=True)
class Zeros:
    """An array of zeros that a nest adds to.

    Attributes
    ----------
    line : int
        Where in the nest's head it is made.
    name : str
    layout : Layout
    loop : Loop
        The outermost loop in which it is added to.
    """

    line: int
    name: str
    layout: Layout
    loop: Loop


class Sums(Values):
    """Values, and the reductions among them."""

    def _zero_in_loops(self) -> None:
        """Has each step of a loop in threads fill its own part of the arrays that it adds to.

        Of `np.zeros` Numba would make a loop in threads by itself, which takes as long to compile as the nest.
        """
        for one in self.zeros:
            axes = axes_in(one.layout)
            if one.loop.axis not in axes:
                continue
            fill: list[str | Loop] = [f"{self.nest.element_of(one.name, one.layout)} = 0"]
            for axis in sorted(set(axes) - {one.loop.axis}, reverse=True):
                fill = [Loop(axis, fill)]
            one.loop.body[:0] = fill
            self.nest.head[one.line] = self.nest.head[one.line].replace(".zeros(", ".empty(", 1)

    def _prepare(self, value: cst.BaseExpression) -> None:
        """Takes the reductions in an expression first, and ends the loops of those that it reads."""
        layout = sorted(axes_in(self.layouts.get(value, ())))
        calls = self.run.reductions(value)
        if any(call not in self.layouts for call in calls):
            raise Ends  # in the index of a view, for instance

        def is_beside(call: cst.BaseExpression) -> bool:
            """Says whether a sum has loops of its own: it comes first, and the others share those of the value."""
            own = sorted(axes_in(self.layouts[call]))
            return own != layout[: len(own)]

        for call in sorted(calls, key=is_beside, reverse=True):
            self._reduce(call)
        for name in name_tools.loads(value):
            if name in self.values:
                self._settle(self.values[name])
        for call in calls:
            self._settle(self.results[call])
        for call in scans(self.owner, value):
            self._scan(call)

    def _begin(self, needed: Sequence[int], rest: Sequence[int], line: str) -> None:
        """Writes what stands before the loops of a reduction: those of ``needed`` that are not in ``rest``."""
        nest = self.nest
        if [loop.axis for loop in nest.path[1:]][: len(rest) + 1] == needed[: len(rest) + 1]:
            outer, loop = nest.path[len(rest)], nest.path[len(rest) + 1]
            position = next(k for k, item in enumerate(outer.body) if item is loop)
            outer.body.insert(position, line)
        else:
            self._open(rest)
            nest.line(line)

    def _search(self, call: cst.BaseExpression, place: Place) -> None:
        """Writes a search for the place of an extreme: the first one, or the first NaN."""
        if self.lines or self.mask is not None:
            raise Ends
        self._prepare(place.source)
        whole, layout, nest = self.layouts[place.source], self.layouts[call], self.nest
        axis = whole[place.axis]
        needed, rest = sorted(axes_in(whole)), sorted(axes_in(layout))
        if axis is None or needed[: len(rest)] != rest:
            raise Ends  # the places of all rows at once would be arrays
        best, at = nest.fresh("best"), nest.fresh("place")
        self._begin(needed, rest, place.start(best, at))
        element = self._element(place.source)
        if element.dtype != place.dtype:
            raise Ends
        text = element.text
        if not text.isidentifier() and not isinstance(place.source, cst.Name):
            text = nest.fresh("value")
            nest.line(f"{text} = {element.text}")
        nest.line(place.step(best, at, text, nest.index(axis)))
        if nest.path[1].axis == axis:
            nest.path[1].serial = True
        nest.head.append(place.check(nest.length(axis)))
        value = Value(at, "int64", layout, tuple(nest.path[1 : len(rest) + 1]))
        final = ""
        if (at, -1) in self.keep:
            # it is read behind the loops in which it was made
            self._keep(value)
            final = f"{nest.element_of(value.kept or '', layout)} = {at}"
        self.results[call] = value
        self.pending[id(value)] = (value, frozenset({axis}), final)
        self.contracted += 1 if not isinstance(place.source, cst.Name) else 0

    def _is_kept(self, node: cst.BaseExpression) -> bool:
        """Says whether the left operand of a product is an array in memory."""
        matrix = node.left if isinstance(node, cst.BinaryOperation) else node
        value = self.values.get(matrix.value) if isinstance(matrix, cst.Name) else None
        return isinstance(matrix, cst.Name) and (value is None or value.kept is not None)

    def _scan(self, call: cst.Call) -> None:
        """Writes a running total: a variable before the loop, which goes on with each element."""
        scan = scan_of(self.owner, call)
        if call in self.results or scan is None:
            return
        if self.lines or self.mask is not None:
            raise Ends
        self._prepare(scan.source)
        layout, nest = self.layouts[call], self.nest
        axes = axes_in(layout)
        variable = nest.fresh("total" if scan.operator in "+*" else "last")
        start = f"{variable} = {scan.start}"
        if [loop.axis for loop in nest.path[1:]] == axes:
            position = next(k for k, item in enumerate(nest.root.body) if item is nest.path[1])
            nest.root.body.insert(position, start)
        else:
            self._open(())
            nest.line(start)
        element = self._element(scan.source)
        if element.dtype != scan.dtype:
            raise Ends
        text = element.text
        if scan.operator in "<>" and not text.isidentifier() and not isinstance(scan.source, cst.Name):
            text = nest.fresh("value")
            nest.line(f"{text} = {element.text}")
        nest.line(scan.step(variable, text))
        nest.path[1].serial = True
        value = Value(variable, scan.dtype, layout, tuple(nest.path[1:]))
        if (variable, -1) in self.keep:
            # it is read behind the loop in which it was made
            self._keep(value)
            nest.line(f"{nest.element_of(value.kept or '', layout)} = {variable}")
        self.results[call] = value
        self.contracted += 1 if not isinstance(scan.source, cst.Name) else 0

    def _reduce(self, call: cst.BaseExpression) -> None:
        if call in self.results:
            return
        if call not in self.layouts:
            raise Ends
        found = place_of(self.owner, call)
        if found is not None:
            self._search(call, found)
            return
        name, inner, axes, _ = self.run.reduced(call)
        self._prepare(inner)
        if self.run.is_contraction(call) and self._is_kept(inner):
            raise Ends  # in memory all the same: the library's product is the faster one
        whole = self.layouts[inner]
        layout = self.layouts[call]
        gone = frozenset(axes_in(tuple(whole[k] for k in axes)))
        fact = self.run.fact(call)
        dtype = (fact.dtype or PYTHON.get(fact.kind)) if fact is not None else None
        if not gone or dtype not in DTYPES or any(whole[k] is None for k in axes):
            raise Ends
        assert dtype is not None
        needed, rest = sorted(axes_in(whole)), sorted(axes_in(layout))
        total = self.nest.fresh("total")
        wide = WIDE.get(dtype, dtype)
        start = _STARTS[name].replace("{wide}", wide).replace("{dtype}", dtype)
        nest = self.nest
        prefix = needed[: len(rest)] == rest
        if prefix:
            self._begin(needed, rest, f"{total} = {start}")
            element = self._element(inner)
            place = total
        else:
            if name not in ("sum", "mean") or wide != dtype or None in layout:
                raise Ends
            shape = ", ".join(nest.length(axis) for axis in axes_in(layout)) + ("," if len(layout) == 1 else "")
            nest.head.append(f"{total} = {{np}}.zeros(({shape}), dtype={{np}}.{dtype})")
            element = self._element(inner)
            self.zeros.append(Zeros(len(nest.head) - 1, total, layout, nest.path[1]))
            place = nest.element_of(total, layout)
        if name in ("max", "min") and element.dtype not in ("float32", "float64"):
            raise Ends
        text = element.text
        if name in ("any", "all") and element.dtype != "bool":
            text = f"({text}) != 0" if needs_parentheses(text) else f"{text} != 0"
            text = f"({text})"
        elif name in ("any", "all") and needs_parentheses(text):
            text = f"({text})"
        step = _STEPS[name]
        context = self.owner.context
        seen = (self.run.fact(inner) or ValueFact("array")).shape or ()
        # what threads add up together has to be seen as a sum
        alone = prefix and (bool(rest) or not context.parallel) and not context.every
        numpy = context.imports.code("numpy.sum").split(".")[0]
        if name in ("sum", "mean") and alone and in_any_order(text, element.dtype, [seen[k] for k in axes], numpy):
            step = f"{{t}} = {PLUS_HERE}({{t}}, {{v}})"
        nest.line(step.replace("{t}", place).replace("{v}", text))
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
                narrow = self.nest.fresh("total")
                final = (f"{total} /= {count}\n" if name == "mean" else "") + f"{narrow} = {{np}}.{dtype}({total})"
                total = narrow
        value = Value(total, dtype, layout, tuple(nest.path[1 : len(rest) + 1]) if prefix else (),
                      kept=None if prefix else total)  # fmt: skip
        if prefix and (total, -1) in self.keep:
            # it is read behind the loops in which it was made
            self._keep(value)
            final += f"{chr(10) if final else ''}{nest.element_of(value.kept or '', layout)} = {total}"
        self.results[call] = value
        self.pending[id(value)] = (value, gone, final)
        # what is made here is added up while it is at hand
        self.contracted += 1 if not isinstance(inner, cst.Name) or inner.value in self.values else 0
