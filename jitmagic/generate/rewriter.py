"""The base of every rewrite: a transformer whose new nodes inherit place, line and facts of the old ones."""

from __future__ import annotations

from typing import Any

import libcst as cst

from jitmagic.generate.module import Module


class Rewriter(cst.CSTTransformer):
    """A LibCST transformer after which :meth:`Module.fact` and :meth:`Module.line` still answer.

    LibCST makes every node anew in each pass. This class carries the place of each original node over to
    the node that stands for it now, so that rewrites can run one after the other and each still sees what
    NumPy's value was at that place.
    """

    def __init__(self, module: Module) -> None:
        super().__init__()
        self.module = module

    def on_leave(self, original_node: Any, updated_node: Any) -> Any:
        result = super().on_leave(original_node, updated_node)
        if isinstance(result, cst.CSTNode):
            self.module.inherit(result, original_node)
        return result
