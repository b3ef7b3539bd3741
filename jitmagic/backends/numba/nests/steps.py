"""Loops over steps in a nest: they go inside, so that each element takes all its steps at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import libcst as cst

from jitmagic.backends.numba.nests.nest import Ends, Layout, Value, axes_in
from jitmagic.backends.numba.nests.reading import assigned, expressions, value_of
from jitmagic.backends.numba.nests.rest import all_at_rest, idle_mask
from jitmagic.backends.numba.nests.sums import Sums
from jitmagic.backends.numba.rewrites.context import code
from jitmagic.backends.numba.rewrites.elements import DTYPES
from jitmagic.generate import names as name_tools
from jitmagic.generate.blocks import small, statements
from jitmagic.generate.walking import nodes_of


class Steps(Sums):
    """Values, reductions, and loops over steps."""

    looped = False
    """Whether there was such a loop."""

    def _steps(self, loop: cst.For) -> None:
        """Puts a loop whose statements all work element by element inside the loops over the elements."""
        body = statements(loop)
        names = [name for name in self.run.ours if name in assigned(body)]
        layouts = {self.names_ordered(name, loop) for name in names}
        if len(layouts) != 1 or self.lines:
            raise Ends
        layout = next(iter(layouts))
        if not layout or None in layout or tuple(sorted(axes_in(layout))) != layout:
            raise Ends
        for value in list(self.values.values()):
            if value.name in name_tools.all_names(loop):
                self._settle(value)
        self._open(axes_in(layout))
        head = self.run.live.head.get(loop, frozenset())
        loaded: list[tuple[str, str]] = []
        for name in sorted(names):
            if name in self.values:
                if not self.nest.is_open(self.values[name]):
                    raise Ends
                continue
            node = self._use(loop, name)
            if (name in head and name not in self.run.unbound) or name in self.run.changed:
                if node is None:
                    raise Ends
                self._external(node)
                if name in self.run.bound:
                    self._never_stored(name)
                    if self.run.is_changed_elsewhere(name):
                        raise Ends  # without a step it would still be the array from before, and not a copy
                place = self.nest.element_of(self.stored[name], layout)
                self.nest.line(f"{name} = {place}")
                if name in self.run.changed:
                    loaded.append((name, place))
                fact = self.run.fact(node)
            else:
                fact = self.run.fact(value_of(body, name))
            assert fact is not None
            if fact.dtype not in DTYPES:
                raise Ends
            assert fact.dtype is not None
            self.values[name] = Value(name, fact.dtype, layout, tuple(self.nest.path[1:]))
        kept = head | self.run.changed | set(self.versions)
        inside = [name for name in names if name not in kept]
        defined = set(self.defined)
        header = self._header(loop)
        self.lines.append([])
        idle = idle_mask(self, body, head)
        if idle is not None:
            self.lines[-1].append(f"if not {self._value(self.values[idle]).text}:\n    break")
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
        if not self.heavy and not any(self._is_heavy(one) for one in expressions(body)):
            raise Ends  # whole rows at a time keep the processor's vectors busy

    def names_ordered(self, name: str, loop: cst.For) -> Layout:
        """Returns the layout of a name in a loop over steps."""
        node = self._use(loop, name)
        found = self.layouts.get(node if node is not None else value_of(statements(loop), name))
        if found is None:
            raise Ends
        return found

    def _use(self, loop: cst.For, name: str) -> cst.Name | None:
        """Returns a place in a loop where an array is used by its name; None where it is only bound."""
        return next((n for n in nodes_of(loop, cst.Name) if n.value == name and n in self.layouts), None)

    def _body(self, body: Sequence[Any], idle: str | None) -> None:
        for statement in body:
            for line in getattr(statement, "leading_lines", ()):
                if line.comment is not None:
                    self._emit(line.comment.value)
            if isinstance(statement, cst.If) and statement.orelse is None:
                if idle is not None and all_at_rest(self.owner, statement, idle):
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
            elif isinstance(loop.iter, cst.Name) and self.run.is_outer(loop.iter) and isinstance(loop.target, cst.Name):
                fact = self.run.fact(loop.iter)
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
