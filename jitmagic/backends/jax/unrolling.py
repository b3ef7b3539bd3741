"""Which loops are written out: as few as can be, the innermost first, and only those that are short.

A loop whose count depends on an argument is lowered, since a count that is small in the example says nothing about the
next call. Where lowering fails, the loop around the place of the failure is written out, then the one around that.
"""

from __future__ import annotations

import libcst as cst

from jitmagic.backends.jax.lowest import is_size, sizes_of
from jitmagic.backends.jax.sums import terms
from jitmagic.backends.jax.tracing import is_short, literal_trips, loop_line, trip_count
from jitmagic.generate.blocks import code, statements
from jitmagic.generate.module import Module
from jitmagic.generate.walking import Finder


def more_written_out(module: Module, line: int | None, written_out: frozenset[int]) -> frozenset[int]:
    """Returns the loops to write out after a failure; those that are already where there is nothing left to try.

    Parameters
    ----------
    module : Module
        Of the user's source.
    line : int or None
        The user's line of the failure.
    written_out : frozenset of int
        Lines (of the module's text) of the loops that are written out so far.
    """
    finder = _Loops(module, line)
    module.tree.visit(finder)
    left = [node for node in finder.around if loop_line(module, node) not in written_out]
    if not left:
        # what fails behind a loop may do so because of what the loop leaves
        left = [node for node in finder.found if loop_line(module, node) not in written_out]
        more = written_out | {loop_line(module, node) for node in left}
    else:
        more = written_out | {loop_line(module, left[-1])}
    lines = more - written_out
    loops = [n for n in finder.found if isinstance(n, cst.For)]
    if any(loop_line(module, n) in lines and not is_short(module, n, more) for n in loops):
        return written_out
    return more


class _Loops(Finder):
    """Collects the ``for`` loops without a literal count, and those of them around a line, the innermost last.

    Comprehensions count as loops; Python writes them out while JAX traces, however long they are.
    """

    def __init__(self, module: Module, line: int | None) -> None:
        super().__init__()
        self.module, self.at = module, line
        self.found: list[cst.For | cst.ListComp | cst.GeneratorExp] = []
        self.around: list[cst.For | cst.ListComp | cst.GeneratorExp] = []

    def visit_For(self, node: cst.For) -> None:
        if literal_trips(node) is None:
            self.add(node)

    def visit_ListComp(self, node: cst.ListComp) -> None:
        self.add(node)

    def visit_GeneratorExp(self, node: cst.GeneratorExp) -> None:
        self.add(node)

    def add(self, node: cst.For | cst.ListComp | cst.GeneratorExp) -> None:
        self.found.append(node)
        span = self.module.span(node)
        lines = [self.module.source.origin_line(n) for n in range(span.line, span.end_line + 1)]
        if self.at is not None and self.at in lines:
            self.around.append(node)


_COPIES = 32
"""How many copies of a body on arrays a variant of its own may hold."""


def short_by_shape(module: Module, function: cst.FunctionDef) -> frozenset[int]:
    """Returns the lines of loops on whole arrays that run as often as an argument's shape says, a few times.

    Written out, their steps become one pass over the arrays: a loop over the taps of a stencil, or over the axes of a
    point. That is another variant, not the only one, since the next call's shape may be larger.
    """
    finder = _ShortLoops(module, sizes_of(function))
    function.visit(finder)
    return frozenset(finder.found)


class _ShortLoops(Finder):
    """Collects the outermost loops whose copies, with those of the loops in them, are few."""

    def __init__(self, module: Module, sizes: set[str]) -> None:
        super().__init__()
        self.module, self.sizes = module, sizes
        self.found: set[int] = set()

    def visit_For(self, node: cst.For) -> bool:
        inner = _Inside(self.module)
        node.body.visit(inner)
        loops = [node, *inner.loops]
        if inner.whiles or not inner.arrays or not all(map(self.is_fixed, loops)):
            return True
        copies = self.copies(node)
        if 1 < copies <= _COPIES:
            self.found |= {loop_line(self.module, loop) for loop in loops}
            return False
        return True

    def is_fixed(self, node: cst.For) -> bool:
        """Says whether shapes alone tell how often a loop runs."""
        if not isinstance(node.iter, cst.Call) or code(node.iter.func) != "range":
            return False
        parts = {t for a in node.iter.args for t in terms(a.value) if t}
        known = (t in self.sizes or is_size(cst.parse_expression(t)) for t in parts)
        return bool(parts) and all(known)

    def copies(self, node: cst.For) -> int:
        inner = [child for child in statements(node) if isinstance(child, cst.For)]
        return (trip_count(self.module, node) or 0) * max(map(self.copies, inner), default=1)


class _Inside(Finder):
    """Finds the loops in a body, and whether it computes with arrays of some size."""

    def __init__(self, module: Module) -> None:
        super().__init__()
        self.module = module
        self.loops: list[cst.For] = []
        self.arrays = self.whiles = False

    def visit_BinaryOperation(self, node: cst.BinaryOperation) -> None:
        fact = self.module.fact(node)
        if fact is not None and fact.kind == "array":
            self.arrays |= any(length is None or length > _COPIES for length in fact.shape or ())

    def visit_For(self, node: cst.For) -> None:
        self.loops.append(node)

    def visit_While(self, node: cst.While) -> None:
        self.whiles = True
