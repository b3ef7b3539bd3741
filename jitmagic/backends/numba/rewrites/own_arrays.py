"""Finds arrays that are a function's own, and that what is made of them may be written over.

In `u = u0.copy(); for _ in range(n): u = u + dt*f` nothing but `u` ever stands for its memory: each step may write
where the last one did, as `u += dt*f` would. Memory taken anew is memory that the processor has to fetch first.
"""

from __future__ import annotations

import libcst as cst

from jitmagic.analysis.aliases import Aliases
from jitmagic.backends.numba.rewrites.buffers import escapes, is_alone
from jitmagic.backends.numba.rewrites.context import NumbaRewriter
from jitmagic.backends.numba.rewrites.windows import window_of
from jitmagic.generate import names as name_tools
from jitmagic.generate.walking import nodes_of

_BINDING: tuple[type[cst.For | cst.CompFor | cst.NamedExpr | cst.AnnAssign], ...] = (
    cst.For, cst.CompFor, cst.NamedExpr, cst.AnnAssign,
)  # fmt: skip
_ELSEWHERE: tuple[type[cst.Global | cst.Nonlocal], ...] = (cst.Global, cst.Nonlocal)


def own_arrays(owner: NumbaRewriter, function: cst.FunctionDef, aliases: Aliases) -> frozenset[str]:
    """Returns the names of arrays that the function makes, and that nothing else holds, at no time.

    Parameters
    ----------
    owner : NumbaRewriter
        Knows the paths of functions.
    function : libcst.FunctionDef
    aliases : Aliases
        Of the user's text.
    """
    taken = set(name_tools.parameters(function)) | name_tools.captured(function)
    bound: dict[str, list[cst.BaseExpression]] = {}
    for one in nodes_of(function.body, cst.Assign):
        for target in one.targets:
            for name in name_tools.targets(target.target):
                bound.setdefault(name, []).append(one.value)
                if len(one.targets) > 1 or not (isinstance(target.target, cst.Name) or _is_nest(owner, one.value)):
                    taken.add(name)
    others = [one for kind in _BINDING for one in nodes_of(function.body, kind)]
    taken.update(name for one in others for name in name_tools.targets(one.target))
    taken.update(name for one in nodes_of(function.body, cst.AsName) for name in name_tools.targets(one.name))
    taken.update(item.name.value for kind in _ELSEWHERE for one in nodes_of(function.body, kind) for item in one.names)
    return frozenset(
        name for name, values in bound.items()
        if name not in taken
        and all(_makes(owner, value) or _cuts(value, name) for value in values)
        and not escapes(owner, function.body, name, returned=True)
        and is_alone(name, function.name.value, aliases)
    )  # fmt: skip


def _makes(owner: NumbaRewriter, value: cst.BaseExpression) -> bool:
    """Says whether an expression makes an array, or is a view of one that the aliases know.

    A function of the user's may give an array of its own surroundings.
    """
    if isinstance(value, cst.Call):
        method = isinstance(value.func, cst.Attribute) and owner.is_array(value.func.value)
        return method or _is_nest(owner, value) or (owner.path(value.func) or "").startswith("numpy.")
    return isinstance(value, cst.BinaryOperation | cst.UnaryOperation | cst.Comparison)


def _is_nest(owner: NumbaRewriter, value: cst.BaseExpression) -> bool:
    """Says whether an expression is a call of loops that a rewrite wrote: they make what they return."""
    return isinstance(value, cst.Call) and isinstance(value.func, cst.Name) and value.func.value in owner.context.own


def _cuts(value: cst.BaseExpression, name: str) -> bool:
    """Says whether an expression is a part of the array itself: `x = x[:-1]`."""
    window = window_of(value)
    return window is not None and window.array.value == name
