"""Which loops are written out: as few as can be, the innermost first, and only those that are short.

A loop whose count depends on an argument is lowered, since a count that is small in the example says nothing about the
next call. Where lowering fails, the loop around the place of the failure is written out, then the one around that.
"""

from __future__ import annotations

import libcst as cst

from jitmagic.backends.jax.tracing import is_short, literal_trips, loop_line
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
    if any(loop_line(module, n) in lines and not is_short(module, n, more) for n in finder.found):
        return written_out
    return more


class _Loops(Finder):
    """Collects the ``for`` loops without a literal count, and those of them around a line, the innermost last."""

    def __init__(self, module: Module, line: int | None) -> None:
        super().__init__()
        self.module, self.at = module, line
        self.found: list[cst.For] = []
        self.around: list[cst.For] = []

    def visit_For(self, node: cst.For) -> None:
        if literal_trips(node) is not None:
            return
        self.found.append(node)
        span = self.module.span(node)
        lines = [self.module.source.origin_line(n) for n in range(span.line, span.end_line + 1)]
        if self.at is not None and self.at in lines:
            self.around.append(node)
