"""Give names in a piece of source other names; attributes and keywords stay what they are."""

from __future__ import annotations

from collections.abc import Mapping

import libcst as cst

from jitmagic.generate.module import Module
from jitmagic.generate.rewriter import Rewriter


class Renamed(Rewriter):
    """Renames by a mapping, wherever a name stands.

    Parameters
    ----------
    module : Module
    names : mapping of str to str
    """

    def __init__(self, module: Module, names: Mapping[str, str]) -> None:
        super().__init__(module)
        self.names = names

    def leave_Name(self, original_node: cst.Name, updated_node: cst.Name) -> cst.Name:
        return updated_node.with_changes(value=self.names.get(original_node.value, original_node.value))

    def leave_Attribute(self, original_node: cst.Attribute, updated_node: cst.Attribute) -> cst.Attribute:
        return updated_node.with_changes(attr=original_node.attr)

    def leave_Arg(self, original_node: cst.Arg, updated_node: cst.Arg) -> cst.Arg:
        return updated_node.with_changes(keyword=original_node.keyword)
