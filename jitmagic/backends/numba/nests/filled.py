"""Arrays of one number that a run makes: `np.zeros_like(x)`, `np.full(x.shape, v)`, `np.ones((n, m))`.

In a nest such an array is a variable that begins with the number, until something is stored into it.
"""

from __future__ import annotations

from dataclasses import dataclass

import libcst as cst
import numpy as np

from jitmagic.backends.numba.nests.reading import holds
from jitmagic.backends.numba.rewrites.context import code
from jitmagic.backends.numba.rewrites.elements import PYTHON, ElementRewriter, is_usable

_VALUES = {"zeros": "0", "ones": "1", "zeros_like": "0", "ones_like": "1", "full": None, "full_like": None}
"""The number in the arrays that each function makes; None where it is the second argument."""


@dataclass(frozen=True)
class Filled:
    """What an array of one number is made of.

    Attributes
    ----------
    like : libcst.Name or None
        The array whose shape it has.
    lengths : tuple of libcst expression
        The lengths of its axes, where there is no such array.
    value : libcst expression or None
        The number; None where it is `text`.
    text : str
    """

    like: cst.Name | None
    lengths: tuple[cst.BaseExpression, ...]
    value: cst.BaseExpression | None
    text: str


def filled(owner: ElementRewriter, node: cst.BaseExpression) -> Filled | None:
    """Returns what an array of one number is made of; None for any other expression."""
    path = owner.path(node.func) if isinstance(node, cst.Call) else None
    made = (path or "").removeprefix("numpy.")
    if not isinstance(node, cst.Call) or path != f"numpy.{made}" or made not in _VALUES:
        return None
    plain = [a.value for a in node.args if a.keyword is None]
    if any(a.star or (a.keyword is not None and a.keyword.value != "dtype") for a in node.args):
        return None
    number = _VALUES[made]
    wanted = 1 if number is not None else 2
    fact = owner.fact(node)
    if not wanted <= len(plain) <= wanted + 1 or fact is None or not is_usable(fact) or fact.dtype is None:
        return None
    text = number or ""
    value = None if number is not None else plain[1]
    if number is not None:
        text = str(number == "1") if fact.dtype == "bool" else owner.cast_text(fact.dtype, number)
    elif not _is_held(owner, plain[1], fact.dtype):
        return None
    shape = plain[0]
    if made.endswith("_like"):
        return Filled(shape, (), value, text) if isinstance(shape, cst.Name) and owner.is_array(shape) else None
    if isinstance(shape, cst.Attribute) and shape.attr.value == "shape":
        like = shape.value
        return Filled(like, (), value, text) if isinstance(like, cst.Name) and owner.is_array(like) else None
    lengths = [shape]
    if isinstance(shape, cst.Tuple):
        lengths = [element.value for element in shape.elements if isinstance(element, cst.Element)]
    if len(lengths) != len(fact.shape or ()) or not all(is_length(owner, one) for one in lengths):
        return None
    return Filled(None, tuple(lengths), value, text)


def _is_held(owner: ElementRewriter, node: cst.BaseExpression, dtype: str) -> bool:
    """Says whether arrays of a dtype hold a number as it is."""
    fact = owner.fact(node)
    if fact is None:
        return False
    if fact.kind in PYTHON:
        return holds(dtype, PYTHON[fact.kind])
    return fact.kind == "scalar" and fact.dtype is not None and np.can_cast(fact.dtype, dtype)


def is_length(owner: ElementRewriter, node: cst.BaseExpression) -> bool:
    """Says whether an expression is a whole number, of names and lengths of arrays."""
    if isinstance(node, cst.Integer):
        return True
    fact = owner.fact(node)
    if fact is None or not (fact.kind == "int" or (fact.kind == "scalar" and (fact.dtype or "")[:3] == "int")):
        return False
    if isinstance(node, cst.BinaryOperation):
        return is_length(owner, node.left) and is_length(owner, node.right)
    if isinstance(node, cst.Call):
        return code(node.func) == "len" and len(node.args) == 1 and isinstance(node.args[0].value, cst.Name)
    if isinstance(node, cst.Subscript):
        shape = node.value
        return isinstance(shape, cst.Attribute) and shape.attr.value == "shape" and isinstance(shape.value, cst.Name)
    return isinstance(node, cst.Name)
