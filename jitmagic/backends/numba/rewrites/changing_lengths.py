"""Refuses what `parallel=True` gets wrong: names that stand for arrays of other lengths from step to step of a loop.

Numba's parallel mode follows the lengths of arrays from statement to statement, but not from the end of a loop's body
back to its head: behind `a = a[::2] + a[1::2]` it goes on with the length from before the loop, and fuses loops that do
not fit (seen with 0.68: results of twice the length, and means over elements that had been sorted out). Nothing is
raised. A name that a step binds anew before it is read is followed rightly.
"""

from __future__ import annotations

import libcst as cst

from jitmagic.backends.numba.rewrites.context import Context, LoopRewriter
from jitmagic.errors import Unsupported
from jitmagic.generate import names as name_tools
from jitmagic.generate.blocks import statements
from jitmagic.generate.liveness import Liveness, live_names
from jitmagic.generate.walking import nodes_of


class ChangingLengths(LoopRewriter):
    """Raises Unsupported at such a loop.

    Parameters
    ----------
    context : Context
    functions : frozenset of str
        The names of those that are compiled with `parallel=True`.
    """

    def __init__(self, context: Context, functions: frozenset[str]) -> None:
        super().__init__(context)
        self._parallel = functions
        self._live = Liveness()

    def visit_FunctionDef(self, node: cst.FunctionDef) -> None:
        super().visit_FunctionDef(node)
        if len(self.functions) == 1:
            concerned = node.name.value in self._parallel
            self._live = live_names(statements(node)) if concerned else Liveness()

    def visit_For(self, node: cst.For) -> None:
        super().visit_For(node)
        self._check(node)

    def visit_While(self, node: cst.While) -> None:
        super().visit_While(node)
        self._check(node)

    def _check(self, loop: cst.For | cst.While) -> None:
        carried = self._live.head.get(loop, frozenset()) & name_tools.bound(loop.body)
        for node in nodes_of(loop, cst.Name):
            fact = self.fact(node) if node.value in carried else None
            if fact is not None and fact.kind == "array" and None in (fact.shape or ()):
                line = self.module.line(loop)
                raise Unsupported(
                    f"the loop of line {line} binds `{node.value}` to arrays of other lengths from step to step, which "
                    "Numba's parallel mode does not follow: it would give wrong results; the serial variant is right",
                    line,
                    "NB-PAR-LENGTHS",
                )
