"""What the statements of a run say: masks, reductions, copies, what is assigned."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import libcst as cst
import numpy as np

from jitmagic.backends.numba.nests.nest import Ends
from jitmagic.backends.numba.rewrites.elements import Element, ElementRewriter
from jitmagic.generate.blocks import small, statements


def mask_of(node: cst.Subscript) -> cst.BaseExpression | None:
    """Returns what stands in a subscript of one expression, as a mask does."""
    if len(node.slice) != 1 or not isinstance(node.slice[0].slice, cst.Index):
        return None
    return node.slice[0].slice.value


def parts_of(value: cst.BaseExpression) -> list[cst.BaseExpression]:
    """Returns the elements of a tuple that is returned, or the one value."""
    if not isinstance(value, cst.Tuple):
        return [value]
    if any(isinstance(one, cst.StarredElement) for one in value.elements):
        raise Ends
    return [one.value for one in value.elements]


def copied(owner: ElementRewriter, node: cst.Call) -> cst.BaseExpression | None:
    """Returns `x` of `x.copy()` and `np.copy(x)`."""
    if owner.path(node.func) == "numpy.copy" and len(node.args) == 1 and node.args[0].keyword is None:
        return node.args[0].value
    func = node.func
    if isinstance(func, cst.Attribute) and func.attr.value == "copy" and not node.args and owner.is_array(func.value):
        return func.value
    return None


def holds(dtype: str, weak: str) -> bool:
    """Says whether arrays of a dtype take a Python number of this kind as it is."""
    kinds = {"bool": 0, "int64": 1, "float64": 2, "complex128": 3}
    into = {"b": 0, "i": 1, "u": 1, "f": 2, "c": 3}[np.dtype(dtype).kind]
    return kinds.get(weak, 9) <= into and (into != 1 or dtype == "int64" or weak == "bool")


def given(ufunc: str, left: Element, right: Element) -> str | None:
    """Returns the dtype that NumPy gives an operation on two elements' arrays."""
    kinds = {"bool": bool, "int64": int, "float64": float, "complex128": complex}
    types = [kinds[one.dtype] if one.weak and one.dtype != "bool" else np.dtype(one.dtype) for one in (left, right)]
    try:
        return str(getattr(np, ufunc).resolve_dtypes((*types, None))[-1])
    except TypeError:
        return None


def assigned(body: Iterable[Any]) -> set[str]:
    """Returns the names that are bound, or whose elements are stored into."""
    found: set[str] = set()
    for statement in body:
        if isinstance(statement, cst.For | cst.If | cst.While):
            found |= assigned(statements(statement))
            continue
        one = small(statement)
        target = one.targets[0].target if isinstance(one, cst.Assign) else getattr(one, "target", None)
        if isinstance(target, cst.Subscript):
            target = target.value
        if isinstance(target, cst.Name):
            found.add(target.value)
    return found


def expressions(body: Iterable[Any]) -> list[cst.BaseExpression]:
    """Returns the right sides in a loop."""
    found = []
    for statement in body:
        if isinstance(statement, cst.For | cst.If | cst.While):
            found += expressions(statements(statement))
        value = getattr(small(statement), "value", None)
        if isinstance(value, cst.BaseExpression):
            found.append(value)
    return found


def value_of(body: Iterable[Any], name: str) -> cst.BaseExpression:
    """Returns what a name is first bound to."""
    for statement in body:
        one = small(statement)
        target = one.targets[0].target if isinstance(one, cst.Assign) else None
        if isinstance(target, cst.Name) and target.value == name:
            return one.value
    raise Ends
