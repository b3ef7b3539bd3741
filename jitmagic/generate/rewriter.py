"""The base of every rewrite: a transformer whose new nodes inherit place, line and facts of the old ones."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Generic, TypeVar

import libcst as cst

from jitmagic.generate.module import Module
from jitmagic.generate.walking import Transformer

Known = TypeVar("Known")


class Rewriter(Transformer):
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

    def on_bracketed(self, new: Any, old: cst.CSTNode) -> Any:
        """Returns a node that was put in parentheses; places and facts go with it."""
        self.module.inherit(new, old)
        return new


class FunctionRewriter(Rewriter, Generic[Known]):
    """A rewriter that has an analysis of each top-level function at hand; functions inside go by the outermost one's.

    Parameters
    ----------
    module : Module
    by_function : mapping of str to object
        The analysis of each function, by name; a function that is not in it is left alone.

    Attributes
    ----------
    stack : list
        The analyses of the functions around the node at hand, innermost last; empty outside of known ones.
    """

    def __init__(self, module: Module, by_function: Mapping[str, Known]) -> None:
        super().__init__(module)
        self.by_function = by_function
        self.stack: list[Known] = []

    def visit_FunctionDef(self, node: cst.FunctionDef) -> None:
        known = self.by_function.get(node.name.value) if not self.stack else self.stack[-1]
        if known is not None:
            self.stack.append(known)

    def leave_FunctionDef(self, original_node: cst.FunctionDef, updated_node: cst.FunctionDef) -> cst.FunctionDef:
        if self.stack:
            self.stack.pop()
        return updated_node
