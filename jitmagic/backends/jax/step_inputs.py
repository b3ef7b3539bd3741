"""What each step of a loop is given: its index, and the elements of arrays that are counted by it."""

from __future__ import annotations

from dataclasses import dataclass

import libcst as cst

from jitmagic.backends.jax.loops import LoopMaker
from jitmagic.backends.jax.outputs import is_number, keeps_axes
from jitmagic.backends.jax.sums import added, terms
from jitmagic.backends.jax.tracing import loop_line
from jitmagic.generate import names as name_tools
from jitmagic.generate.blocks import code
from jitmagic.generate.rewriter import Rewriter


@dataclass(frozen=True)
class Span:
    """How a loop counts: from ``start`` to ``stop`` upwards by ``step``; ``reverse`` where it counts down."""

    start: str
    stop: str
    step: str = "1"
    reverse: bool = False

    def arange(self) -> str:
        given = [self.start, self.stop] if self.start != "0" or self.step != "1" else [self.stop]
        return f"__numpy__.arange({', '.join(given + [self.step] * (self.step != '1'))})"


class ElementMaker(Rewriter):
    """Replaces ``x[i]`` and ``x[i, …]`` by an element that each step is given."""

    def __init__(self, loops: LoopMaker, span: Span, index: str, taken: set[str], node: cst.For) -> None:
        super().__init__(loops.module)
        self.kinds, self.name = loops.tracing.kinds, loops.name
        self.span, self.index, self.taken = span, index, taken
        self.found: dict[str, tuple[str, str]] = {}
        fact = loops.module.observed.loops.get(loop_line(loops.module, node)) if loops.module.observed else None
        self.trips = fact.trips_high if fact is not None else None
        self.plain = span.start.isdigit() and span.step == "1" and self.trips is not None

    def leave_Subscript(self, original_node: cst.Subscript, updated_node: cst.Subscript) -> cst.BaseExpression:
        if not self.plain or not isinstance(original_node.value, cst.Name):
            return updated_node
        name = original_node.value.value
        at, offset = self.place(original_node)
        if name in self.taken or at < 0 or not keeps_axes(original_node.slice, self.kinds, self.index):
            return updated_node
        facts = [f for f in self.kinds.names.get(name, []) if f.kind == "array"]
        shape = facts[0].shape if facts else None
        start = int(self.span.start) + offset
        if shape is None or len(shape) <= at or start < 0 or (shape[at] or 0) < start + (self.trips or 0):
            return updated_node
        stop = self.span.stop if offset == 0 else added(self.span.stop, str(offset))
        stop = "" if stop in (f"len({name})" if at == 0 else "", f"{name}.shape[{at}]") else stop
        whole = start == 0 and not stop
        before = [code(e.with_changes(comma=cst.MaybeSentinel.DEFAULT)) for e in original_node.slice[:at]]
        rows = name
        if before or not whole:
            rows = f"{name}[{', '.join([*before, ':' if whole else f'{start or str()}:{stop}'])}]"
        key = rows
        if key not in self.found:
            shift = "" if offset == 0 else f"p{offset}" if offset > 0 else f"m{-offset}"
            wanted = f"{name}_{''.join(t for t in before if t.isidentifier())}{self.index}{shift}"
            self.found[key] = (self.name(wanted), rows)
        parameter = cst.Name(self.found[key][0])
        rest = updated_node.slice[at + 1 :]
        return updated_node.with_changes(value=parameter, slice=rest) if rest else parameter

    def place(self, node: cst.Subscript) -> tuple[int, int]:
        """Returns which subscript counts with the loop, and how far it is off; -1 where it is not as simple."""
        found, offset = -1, 0
        for position, element in enumerate(node.slice):
            reads = name_tools.loads(element)
            if self.index not in reads:
                if reads & self.taken or (found < 0 and not self.is_number(element)):
                    return -1, 0
                continue
            if found >= 0 or not isinstance(element.slice, cst.Index):
                return -1, 0
            parts = terms(element.slice.value)
            if parts.pop(self.index, 0) != 1 or any(n for t, n in parts.items() if t):
                return -1, 0
            found, offset = position, parts.get("", 0)
        return found, offset

    def is_number(self, element: cst.SubscriptElement) -> bool:
        return not isinstance(element.slice, cst.Slice) and is_number(element.slice, self.kinds, self.index)
