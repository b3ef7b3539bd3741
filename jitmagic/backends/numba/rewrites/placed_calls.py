"""Put the user's own functions in the place of their calls, where a kernel could not call them.

A thread of a GPU calls functions of numbers that give one number. Those that take or give vectors or several numbers
stand where they are called, in loops that become kernels (`generate/placed_calls.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import libcst as cst

from jitmagic.backends.numba.rewrites.context import ChosenLoops, Context
from jitmagic.generate.placed_calls import Placer
from jitmagic.observe.facts import Span


class PlacedCalls(ChosenLoops):
    """Rewrites the statements of the loops at some places.

    Parameters
    ----------
    context : Context
    spans : tuple of Span
        The loops that become kernels.
    tree : libcst.Module
        Where the functions are looked up.
    entry : str
    """

    def __init__(self, context: Context, spans: tuple[Span, ...], tree: cst.Module, entry: str) -> None:
        super().__init__(context, spans)
        self._placer = Placer(context.module, tree, entry, self._needs)

    def leave_SimpleStatementLine(
        self, original_node: cst.SimpleStatementLine, updated_node: cst.SimpleStatementLine
    ) -> Any:
        if not self.inside:
            return updated_node
        lines = self._placer.lines(updated_node, self._locals[-1])
        return lines[0] if len(lines) == 1 else cst.FlattenSentinel(lines)

    def _needs(self, call: cst.Call, given: Mapping[str, cst.BaseExpression]) -> bool:
        """Says whether a kernel could not call the function: it takes or gives more than numbers."""
        fact = self.fact(call)
        if fact is not None and fact.kind in ("tuple", "array", "list"):
            return True
        if any(argument.keyword is not None for argument in call.args) or len(call.args) < len(given):
            return True
        return any(self.is_array(value) for value in given.values())
