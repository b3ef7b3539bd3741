"""The base of rewrites that put statements in the place of one, in blocks inside blocks and behind `else`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import libcst as cst

from jitmagic.generate.blocks import statements, with_alternative, with_body
from jitmagic.generate.module import Module


class BlockRewriter:
    """Goes through the statements of a function.

    Parameters
    ----------
    module : Module
    function : libcst.FunctionDef
    """

    def __init__(self, module: Module, function: cst.FunctionDef) -> None:
        self.module, self.function = module, function

    def result(self) -> cst.FunctionDef:
        """Returns the function as it is rewritten."""
        new = self.inside(self.function)
        assert isinstance(new, cst.FunctionDef)
        return new

    def inside(self, node: Any) -> Any:
        """Returns a compound statement with its blocks rewritten."""
        new = with_alternative(with_body(node, self.block(statements(node))), node, self.block)
        self.module.inherit(new, node)
        return new

    def block(self, body: Sequence[Any]) -> list[Any]:
        """Returns the statements of a block, rewritten."""
        return [new for position, node in enumerate(body) for new in self.statement(node, body[:position])]

    def statement(self, node: Any, before: Sequence[Any]) -> list[Any]:
        """Returns what takes a statement's place; ``before`` stands above it in its block, as it was."""
        return [self.inside(node)] if isinstance(node, cst.For | cst.While | cst.If | cst.With) else [node]
