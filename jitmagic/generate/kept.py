"""Where a value is kept: bound to a name, put into a list, handed on; in contrast to used at once and forgotten.

An array's element is a scalar of its own in NumPy and a view of the array in libraries whose scalars are arrays without
axes. Used at once the two are the same; kept, the view follows later stores. What is kept must be copied there.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import libcst as cst

from jitmagic.analysis.memory import HOLDING_METHODS

Copy = Callable[[Any, Any], Any]
"""Gets an original node and what it has become; returns the latter, or a copy of it."""


def kept(original: Any, updated: Any, copy: Copy) -> Any:
    """Applies ``copy`` to every part of an expression that is its value, or an element of it.

    The parts are the elements of tuples and lists, both arms of ``a if c else b``, both sides of ``and`` and ``or``,
    what a list comprehension collects, and the arguments of Python's ``min`` and ``max``, which return one of them.
    """

    def inner(old: Any, new: Any) -> Any:
        return kept(old, new, copy)

    if type(original) is not type(updated):  # a rewrite has put another expression in its place
        return copy(original, updated)
    if isinstance(original, cst.Tuple | cst.List):
        return _changed(updated, elements=_each(original.elements, updated.elements, inner))
    if isinstance(original, cst.IfExp):
        body, orelse = inner(original.body, updated.body), inner(original.orelse, updated.orelse)
        return _changed(updated, body=body, orelse=orelse)
    if isinstance(original, cst.BooleanOperation):
        left, right = inner(original.left, updated.left), inner(original.right, updated.right)
        return _changed(updated, left=left, right=right)
    if isinstance(original, cst.NamedExpr):
        return _changed(updated, value=inner(original.value, updated.value))
    if isinstance(original, cst.ListComp):
        return _changed(updated, elt=inner(original.elt, updated.elt))
    if isinstance(original, cst.Call) and _chooses(original):
        return _changed(updated, args=_each(original.args, updated.args, inner))
    return copy(original, updated)


def kept_arguments(original: cst.Call, updated: cst.Call, helpers: frozenset[str], copy: Copy) -> cst.Call:
    """Applies ``copy`` to the arguments that a method puts into its container, or a call gives to one of the helpers.

    Whoever calls it has seen to it that the function is no library's (``np.add`` puts nothing anywhere).
    """
    holds = isinstance(original.func, cst.Attribute) and original.func.attr.value in HOLDING_METHODS
    helper = isinstance(original.func, cst.Name) and original.func.value in helpers
    if not holds and not helper:
        return updated
    args = _each(original.args, updated.args, lambda old, new: kept(old, new, copy))
    return _changed(updated, args=args)


def stepped(target: cst.BaseExpression, source: cst.BaseExpression) -> list[tuple[Any, cst.BaseExpression]]:
    """Pairs the targets of a ``for`` with what they run over, through ``enumerate`` and ``zip``.

    >>> loop = cst.ensure_type(cst.parse_statement("for i, (p, q) in enumerate(zip(x, y)): pass"), cst.For)
    >>> [(a.value, b.value) for a, b in stepped(loop.target, loop.iter)]
    [('p', 'x'), ('q', 'y')]
    """
    if not isinstance(target, cst.Tuple | cst.List):
        return [(target, source)]
    parts = [e.value for e in target.elements]
    if isinstance(source, cst.Call):
        name = source.func.value if isinstance(source.func, cst.Name) else None
        given = [a.value for a in source.args]
        if name == "enumerate" and len(parts) == 2 and given:
            return stepped(parts[1], given[0])
        if name == "zip" and len(parts) == len(given):
            return [pair for part, one in zip(parts, given, strict=True) for pair in stepped(part, one)]
        return []
    return [(part, source) for part in parts]  # rows of an array, taken apart


def _chooses(node: cst.Call) -> bool:
    return isinstance(node.func, cst.Name) and node.func.value in ("min", "max") and len(node.args) > 1


def _each(old: Any, new: Any, change: Copy) -> list[Any]:
    if len(old) != len(new):
        return list(new)
    found = []
    for one, two in zip(old, new, strict=True):
        starred = isinstance(one, cst.StarredElement) or bool(getattr(one, "star", ""))
        found.append(two if starred else _changed(two, value=change(one.value, two.value)))
    return found


def _changed(node: Any, **parts: Any) -> Any:
    """Returns the node with other parts, the very node where nothing differs."""
    same = all(_same(getattr(node, name), part) for name, part in parts.items())
    return node if same else node.with_changes(**parts)


def _same(old: Any, new: Any) -> bool:
    if isinstance(new, cst.CSTNode):
        return old is new
    return all(one is two for one, two in zip(old, new, strict=True))
