"""What stands against taking the steps of a loop at once: elements that two of them name, and sums of another dtype."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import libcst as cst

from jitmagic.backends.jax.outputs import Output, is_slice
from jitmagic.backends.jax.step_batches import SMALL, elements
from jitmagic.backends.jax.sums import difference
from jitmagic.generate import names as name_tools
from jitmagic.generate.blocks import code, small
from jitmagic.generate.kinds import Kinds
from jitmagic.generate.module import Module

_NUMBERS = ("scalar", "float", "int", "bool", "complex")
_SUMMED = (None, "float64", "float32", "complex128", "complex64", "int64", "bool")


class Cannot(Exception):
    """The loop has to go step by step."""


def check(outputs: Sequence[Output], kept: Sequence[Any], kinds: Kinds, module: Module) -> None:
    """Raises where a step could see what another step gives.

    Parameters
    ----------
    outputs : sequence of Output
    kept : sequence of statements
        The rest of the body.
    kinds : Kinds
        Of the loop's function.
    module : Module

    Raises
    ------
    Cannot
    """
    for statement in kept:
        if not isinstance(small(statement), cst.Assign | cst.AugAssign | cst.AnnAssign) and not isinstance(
            statement, cst.FunctionDef
        ):
            raise Cannot
    read = frozenset().union(*(name_tools.loads(s) for s in kept), frozenset())
    again = {n for s in kept for n in name_tools.bound(s)}
    for output in outputs:
        others = [o for o in outputs if o is not output and o.name == output.name]
        if output.kind == "list":
            if others or output.name in read | again or any(output.name in o.reads() for o in outputs):
                raise Cannot
            if not kinds.is_container(cst.Name(output.name)):
                raise Cannot
            continue
        if not all(o.method == output.method == "add" or _apart(output, o) for o in others):
            raise Cannot
        if output.name in read | again or any(output.name in o.reads() for o in outputs if o is not output):
            raise Cannot
        inside = output.value
        if output.kind == "store" and not others:
            # its own element may be read: it is still the one from before the loop
            inside = cst.parse_expression(code(inside).replace(output.own(), "0"))
        if output.name in name_tools.loads(inside):
            raise Cannot
        if any(output.name in name_tools.loads(one) for one in output.subscripts()):
            raise Cannot
        _check_sum(output, kinds, module)


def check_places(outputs: Sequence[Output], natural: Callable[[cst.BaseExpression], bool], every: bool) -> None:
    """Raises where a subscript could be negative: two steps could then name one element, from either end.

    With ``every`` that is asked of all subscripts where an array is stored into twice, else of the loop's own;
    ``natural`` says whether an expression is never negative.
    """
    stores = [o for o in outputs if o.kind == "store"]
    for output in stores:
        several = every and any(o is not output and o.name == output.name for o in stores)
        wanted = output.index if several else [output.index[output.mapped]]
        if not all(is_slice(t) or natural(cst.parse_expression(t)) for t in wanted):
            raise Cannot


def _check_sum(output: Output, kinds: Kinds, module: Module) -> None:
    """Raises where a sum would be of another dtype than NumPy's, or keep large arrays for each step."""
    if output.kind == "store":
        return
    facts = [f for f in kinds.names.get(output.name, []) if f.kind != "mixed"]
    if not facts or any(f.dtype not in _SUMMED for f in facts):
        raise Cannot
    if output.kind == "sum":
        if not all(f.kind in _NUMBERS for f in facts):
            raise Cannot
        return
    ndims = {f.ndim for f in facts}
    if len(ndims) != 1 or None in ndims:
        raise Cannot
    left = next(iter(ndims)) - sum(not is_slice(t) for t in output.index)  # type: ignore[operator]
    if left and (output.kind == "scatter" or any(is_slice(t) and t != ":" for t in output.index)):
        raise Cannot
    if left:
        fact = module.fact(output.value)
        shape = fact.shape if fact is not None else facts[0].shape and facts[0].shape[-left:]
        if elements(shape or None) > SMALL:
            raise Cannot


def _apart(one: Output, other: Output) -> bool:
    """Says whether two stores name the same element in one and the same step only, if at all.

    ``S[a, b]`` and ``S[b, a]`` for the loop over b: both are the element ``S[a, a]``, in the step where b is a.
    """
    if one.kind != "store" or other.kind != "store" or one.method != "set" or other.method != "set":
        return False
    if len(one.index) != 2 or len(other.index) != 2 or one.mapped == other.mapped:
        return False
    if any(map(is_slice, (*one.index, *other.index))):
        return False
    first = difference(other.index[one.mapped], one.offset)
    second = difference(one.index[other.mapped], other.offset)
    return first == second
