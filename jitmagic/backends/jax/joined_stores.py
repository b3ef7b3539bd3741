"""Rewrite the stores of a step that fill a whole vector as one vector put together.

    u = u.at[1:-1].set(inner)                      u = jnp.hstack([left, inner, right])
    u = u.at[0].set(left)               ->
    u = u.at[-1].set(right)

Each ``.at[…].set`` is a pass of its own over the vector, one vector put together is one. Done where the stores follow
one another, read nothing of what the earlier ones stored, and name each element once. A vector of another length than
the old one does not fit into a loop's carry, which JAX finds while it traces.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import libcst as cst

from jitmagic.backends.jax.outputs import is_number, stored
from jitmagic.backends.jax.sums import added, difference
from jitmagic.generate import names as name_tools
from jitmagic.generate.blocks import code, leading, made, small
from jitmagic.generate.kinds import Kinds


@dataclass(frozen=True)
class _Piece:
    """What one store fills: from where to where, and with what.

    Attributes
    ----------
    start, stop : str
        Positions; negative ones count from the end, and ``""`` is the end itself.
    value : libcst.BaseExpression
    """

    start: str
    stop: str
    value: cst.BaseExpression


def joined(body: Sequence[Any], name: str, kinds: Kinds, checked: bool) -> list[Any]:
    """Returns a loop's statements with the stores into a vector put together, where they fill all of it.

    Parameters
    ----------
    body : sequence of statements
        With stores in functional form.
    name : str
        A vector of the loop.
    kinds : Kinds
    checked : bool
        Whether JAX finds that the new vector is not as long as the old one: it is carried. Else only stores count
        that go up to the end whatever the length.
    """
    places = [i for i, s in enumerate(body) if _store(s, name) is not None]
    if len(places) < 2 or places != list(range(places[0], places[-1] + 1)):
        return list(body)
    run = [body[i] for i in places]
    pieces = [_piece(s, name, kinds) for s in run]
    if any(p is None for p in pieces) or any(name in name_tools.loads(p.value) for p in pieces[1:] if p is not None):
        return list(body)
    ordered = _in_order([p for p in pieces if p is not None])
    if ordered is None or (ordered[-1].stop and not checked):
        return list(body)
    values = ", ".join(code(p.value) for p in ordered)
    comments = [line for s in run for line in s.leading_lines]
    line = leading(made(f"{name} = __numpy__.hstack([{values}])", run[0]), run[0].with_changes(leading_lines=comments))
    before = list(body[: places[0]])
    if before and _makes(before[-1], name) and name not in name_tools.loads(cst.parse_module(values)):
        line = leading(line, before.pop().with_changes(leading_lines=[*body[places[0] - 1].leading_lines, *comments]))
    return [*before, line, *body[places[-1] + 1 :]]


def _makes(statement: Any, name: str) -> bool:
    """Says whether a statement makes the array whose elements are all stored anew."""
    one = small(statement)
    if not isinstance(one, cst.Assign) or len(one.targets) != 1 or code(one.targets[0].target) != name:
        return False
    called = code(one.value.func).rpartition(".")[2] if isinstance(one.value, cst.Call) else ""
    return called in ("empty", "zeros", "ones", "empty_like", "zeros_like", "ones_like", "copy")


def _store(statement: Any, name: str) -> Any:
    one = small(statement)
    if not isinstance(one, cst.Assign) or len(one.targets) != 1 or code(one.targets[0].target) != name:
        return None
    return stored(one.value, name)


def _piece(statement: Any, name: str, kinds: Kinds) -> _Piece | None:
    elements, method, value = _store(statement, name)
    if len(elements) != 1 or method != "set":
        return None
    part = elements[0].slice
    fact = kinds.of(value)
    if isinstance(part, cst.Slice):
        made_of_steps = code(value).startswith("__jax__.vmap(")
        known = fact is not None and fact.kind == "array" and fact.ndim == 1 and 1 not in (fact.shape or (1,))
        dtypes = {f.dtype for f in kinds.names.get(name, [])}
        known = known and (not dtypes or (fact is not None and dtypes == {fact.dtype}))
        if (part.step is not None and code(part.step) != "1") or not (known or made_of_steps):
            return None
        return _Piece(
            "0" if part.lower is None else code(part.lower), "" if part.upper is None else code(part.upper), value
        )
    if name in name_tools.loads(part) or not is_number(part, kinds):
        return None
    number = fact is not None and (fact.kind in ("int", "float", "scalar") or fact.ndim == 0)
    if not number:
        return None
    place = code(part.value)
    return _Piece(place, "" if place == "-1" else added(place, "1"), value)


def _in_order(pieces: Sequence[_Piece]) -> list[_Piece] | None:
    """Returns the pieces from the first element to the last; None where they do not fill the vector, each once."""
    left = list(pieces)
    at = "0"
    ordered: list[_Piece] = []
    while left:
        following = [p for p in left if _same(p.start, at)]
        if len(following) != 1:
            return None
        ordered.append(following[0])
        left.remove(following[0])
        at = following[0].stop
    return ordered


def _same(one: str, other: str) -> bool:
    return one == other or (bool(one) and bool(other) and not difference(one, other))
