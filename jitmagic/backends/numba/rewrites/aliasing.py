"""Whether a store in place may read, at another place, what it writes."""

from __future__ import annotations

import ast

import libcst as cst

from jitmagic.analysis.aliases import Aliases
from jitmagic.backends.numba.rewrites.context import NumbaRewriter, code
from jitmagic.backends.numba.rewrites.rolls import roll_of
from jitmagic.generate import names as name_tools
from jitmagic.generate.walking import nodes_of


def reads_elsewhere(
    owner: NumbaRewriter, aliases: Aliases, base: str, target: cst.BaseExpression, value: cst.BaseExpression
) -> bool:
    """Says whether the value of a store may read, at another place, what the store writes.

    Parameters
    ----------
    owner : NumbaRewriter
        Stands in the function.
    aliases : Aliases
        Of the user's text.
    base : str
        The array that is written.
    target, value : libcst expression
        The place, and what is written there; the very same place may be read.
    """
    around = {function.name.value for function in owner.functions}
    definitions = [node for node in aliases.tree.definitions() if node.name in around]

    def shares(name: str) -> bool:
        return name == base or any(aliases.may_share(one, base, name) for one in definitions)

    for call in nodes_of(value, cst.Call):
        roll = roll_of(owner, call)
        if roll is not None and any(shares(name) for name in name_tools.loads(roll.array)):
            return True
    text = " ".join(code(value.with_changes(lpar=[], rpar=[])).split())
    same = ast.dump(ast.parse(code(target), mode="eval").body)

    def look(node: ast.AST) -> bool:
        if isinstance(node, ast.Subscript | ast.Name) and ast.dump(node) == same:
            return False  # the very element that is written
        if isinstance(node, ast.Name) and shares(node.id):
            return True
        return any(look(child) for child in ast.iter_child_nodes(node))

    return look(ast.parse(text, mode="eval").body)
