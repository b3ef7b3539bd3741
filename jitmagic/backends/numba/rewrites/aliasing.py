"""Whether a store in place may read, at another place, what it writes, and whether it reads it before."""

from __future__ import annotations

import ast

import libcst as cst

from jitmagic.analysis.aliases import Aliases
from jitmagic.backends.numba.rewrites.context import NumbaRewriter, code
from jitmagic.backends.numba.rewrites.rolls import roll_of
from jitmagic.backends.numba.rewrites.windows import window_of
from jitmagic.generate import names as name_tools
from jitmagic.generate.blocks import in_one_line
from jitmagic.generate.walking import children, nodes_of


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

    def shares(name: str) -> bool:
        return owner.may_share(aliases, base, (name,))

    for call in nodes_of(value, cst.Call):
        roll = roll_of(owner, call)
        if roll is not None and any(shares(name) for name in name_tools.loads(roll.array)):
            return True
    for part in nodes_of(value, cst.Subscript) if isinstance(target, cst.Name) else ():
        fact = owner.fact(part)
        number = fact is not None and fact.kind != "array"  # worked out before the store
        if isinstance(part.value, cst.Name) and shares(part.value.value) and not number:
            return True
    text = in_one_line(value.with_changes(lpar=[], rpar=[]))
    same = ast.dump(ast.parse(code(target), mode="eval").body)

    def look(node: ast.AST) -> bool:
        if isinstance(node, ast.Subscript | ast.Name) and ast.dump(node) == same:
            return False  # the very element that is written
        part = isinstance(node, ast.Attribute) and node.attr in ("real", "imag")
        if isinstance(node, ast.Call | ast.Attribute) and not part and any(map(shares, aliases.names_in(node))):
            return True  # a view with its elements in another order, as `x.T` is
        if isinstance(node, ast.Name) and shares(node.id):
            return True
        return any(look(child) for child in ast.iter_child_nodes(node))

    return look(ast.parse(text, mode="eval").body)


def reads_ahead(
    owner: NumbaRewriter, aliases: Aliases, base: str, target: cst.BaseExpression, value: cst.BaseExpression
) -> bool:
    """Says whether a store into a part of an array of one axis reads that array only where it has not yet written.

    That is so in `x[:n] = x[1:n + 1] - x[:n]`, element after element: each reads `x` at its own place and behind it.
    Other names for the same memory would have to be compared in the run; they are not taken.
    """
    into = window_of(target)
    if into is None or len(into.axes) != 1 or into.axes[0] is None or not isinstance(into.axes[0].start, int):
        return False
    if owner.may_share(aliases, base, name_tools.loads(value) - {base}):
        return False
    first = into.axes[0].start

    def ahead(node: cst.CSTNode) -> bool:
        window = window_of(node) if isinstance(node, cst.Subscript) else None
        if window is not None and window.array.value == base:
            part = window.axes[0] if len(window.axes) == 1 else None
            return part is not None and isinstance(part.start, int) and part.start >= first
        if isinstance(node, cst.Name) and node.value == base:
            return False
        return all(ahead(child) for child in children(node))

    return ahead(value)
