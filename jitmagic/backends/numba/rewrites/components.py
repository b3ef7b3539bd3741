"""Rewrites short vectors in loops that become kernels as numbers: a thread of a GPU makes no arrays.

`r = pos[j] - pos[i]` is `r_0 = pos[j, 0] - pos[i, 0]` and so on (`generate/components.py`).
"""

from __future__ import annotations

from typing import Any

import libcst as cst

from jitmagic.analysis.aliases import Aliases
from jitmagic.backends.numba.rewrites.context import Context, NumbaRewriter
from jitmagic.generate import components
from jitmagic.generate import names as name_tools
from jitmagic.generate.component_values import Surroundings
from jitmagic.observe.facts import Span


class Components(NumbaRewriter):
    """Rewrites the loops at some places.

    Parameters
    ----------
    context : Context
    aliases : Aliases
        Of the user's text.
    spans : tuple of Span
        The loops that become kernels.
    """

    def __init__(self, context: Context, aliases: Aliases, spans: tuple[Span, ...]) -> None:
        super().__init__(context)
        self._aliases = aliases
        self._places = {(span.line, span.column) for span in spans}
        self._made: dict[cst.CSTNode, list[Any]] = {}
        self._taken: set[str] = set()

    def visit_For(self, node: cst.For) -> bool:
        place = self.context.place(node)
        if place is None or (place.line, place.column) not in self._places or not self.functions:
            return True
        self._taken |= name_tools.all_names(self.module.tree) | name_tools.all_names(self.functions[0])
        around = Surroundings(
            self.module,
            self.functions[0],
            self.fact,
            self.path,
            self.context.imports.spell,
            self._may_share,
            self._taken,
        )
        found = components.Components(around).rewritten(node)
        if found is not None:
            checks, loop = found
            if checks:
                checks[0] = checks[0].with_changes(leading_lines=node.leading_lines)
                loop = loop.with_changes(leading_lines=())
                self.module.inherit(loop, node)
            self._made[node] = [*checks, loop]
        return False

    def leave_For(self, original_node: cst.For, updated_node: cst.For) -> Any:
        made = self._made.pop(original_node, None)
        return updated_node if made is None else cst.FlattenSentinel(made)

    def _may_share(self, one: str, other: str) -> bool:
        around = {function.name.value for function in self.functions}
        definitions = [node for node in self._aliases.tree.definitions() if node.name in around]
        return one == other or any(self._aliases.may_share(node, one, other) for node in definitions)
