"""Rewrite a ``for`` that fills arrays one place a step as ``lax.scan``, which carries only what the next step reads.

```
def body(i, carry):                          def body(carry, i):
    cp, dp = carry                               cp_last, dp_last = carry
    m = b[i] - a[i]*cp[i-1]                      m = b[i] - a[i]*cp_last
    cp = cp.at[i].set(c[i]/m)                    cp_new = c[i]/m
    dp = dp.at[i].set((d[i] - …*dp[i-1])/m)      dp_new = (d[i] - …*dp_last)/m
    return cp, dp                                return (cp_new, dp_new), (cp_new, dp_new)

cp, dp = fori_loop(1, n, body, (cp, dp))     _, (cp_steps, dp_steps) = scan(body, (cp[0], dp[0]), jnp.arange(1, n))
                                             cp = cp.at[1:n].set(cp_steps)
                                             dp = dp.at[1:n].set(dp_steps)
```

XLA writes into one carried array in place; where several are stored into, or one several times, it copies them in every
step: 22 ms against 0.1 ms for the solve above with n = 5000.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import libcst as cst

from jitmagic.analysis.affine import affine
from jitmagic.backends.jax.loops import LoopMaker
from jitmagic.backends.jax.places import (
    Bounds,
    IndexRange,
    Meeting,
    Store,
    Uses,
    as_tuple,
    extent,
    index_range,
    names_in,
    plus,
    store_in,
    texts_of,
)
from jitmagic.backends.jax.promotion import of_expression
from jitmagic.generate import names as name_tools
from jitmagic.generate.blocks import code, leading, made, with_body
from jitmagic.generate.rewriter import Rewriter

_BACK = 3
"""How many steps back a read may lie: so many values are carried."""


@dataclass(frozen=True)
class _Place:
    """A subscript of a filled array: ``array[*prefix, index + offset, *rest]``, split at the axis that is filled."""

    prefix: tuple[str, ...]
    offset: int
    rest: tuple[str, ...]


@dataclass
class _Filled:
    """An array that the loop fills, one place a step.

    Attributes
    ----------
    axis : int
        Along which it is filled.
    offset : int
        Of the place that is stored into, against the index.
    back : int
        How many steps back it is read.
    row : bool
        Whether a place is an array.
    new, last, steps : str, list of str, str
        Names of this step's value, of those of the steps before, and of all of them.
    """

    name: str
    axis: int
    prefix: tuple[str, ...]
    offset: int
    row: bool
    back: int = 0
    stores: int = 0
    new: str = ""
    last: list[str] = field(default_factory=list)
    steps: str = ""

    def at(self, position: str) -> str:
        """Returns the text of a place of the array as it is outside the loop."""
        return f"{self.name}[{', '.join([*self.prefix, position])}]"


def scanned(
    loops: LoopMaker, function: str, node: cst.For, body: Sequence[Any], head: frozenset[str], after: frozenset[str],
    defined: set[str], around: Mapping[str, Bounds],
) -> list[Any] | None:  # fmt: skip
    """Returns the statements that stand for a ``for`` as a scan; None where it gains nothing, or is not proved.

    Parameters
    ----------
    around : mapping of str to Bounds
        Of the enclosing loops; the other parameters are those of :meth:`LoopMaker.for_loop`.
    """
    counted = index_range(loops, node, around)
    if counted is None or after & set(name_tools.targets(node.target)):
        return None
    loops.check(node)
    carry = loops.carry(node, body, head | after, set(name_tools.targets(node.target)), defined)
    filled = _filled(loops, counted, around, body, [name for name in carry if name in defined])
    if not _gains(body, filled):
        return None
    for one in filled.values():
        one.new, one.steps = loops.name(f"{one.name}_new"), loops.name(f"{one.name}_steps")
        one.last = [loops.name(f"{one.name}_last" + (f"_{n + 1}" if n else "")) for n in range(one.back)]
    return _Scan(loops, node, function, counted, filled, [n for n in carry if n not in filled]).lines(
        body, head, after, defined
    )


def _gains(body: Sequence[Any], filled: dict[str, _Filled]) -> bool:
    """Says whether XLA would copy an array in every step: it writes in place where nothing else reads it."""
    stores = [store for statement in body if (store := store_in(statement)) is not None]
    if len(stores) > 1 or any(one.row and one.back for one in filled.values()):
        return bool(filled)
    uses = Uses()
    for statement in body:
        if store_in(statement) is None:
            statement.visit(uses)
    return any(name in uses.read for name in filled)


class _Scan:
    """Writes one scan."""

    def __init__(
        self, loops: LoopMaker, node: cst.For, function: str, counted: IndexRange, filled: dict[str, _Filled],
        others: list[str],
    ) -> None:  # fmt: skip
        self.loops, self.node, self.function, self.counted = loops, node, function, counted
        self.filled, self.others = filled, others

    def lines(self, body: Sequence[Any], head: frozenset[str], after: frozenset[str], defined: set[str]) -> list[Any]:
        """Returns the definition of the step, the scan, and what puts its results in their places."""
        node, counted = self.node, self.counted
        kept = [made(text, node) for text in self.loops.initial(node, self.others, head | name_tools.loads(node.body))]
        kept += [made(text, node) for text in self.loops.first_values(node, self.others, defined)]
        inner = self.rewritten(body)
        carried = [*(name for one in self.filled.values() for name in one.last), *self.others]
        following = [*(name for one in self.filled.values() for name in [one.new, *one.last][: one.back]), *self.others]
        first = [*(text for one in self.filled.values() for text in self.before(one)), *self.others]
        given = carried[0] if len(carried) == 1 else "_" if not carried else self.loops.name("carry")
        self.loops.taken.discard("carry")
        if len(carried) > 1:
            if isinstance(inner[0], cst.FunctionDef) and not inner[0].leading_lines:
                inner[0] = inner[0].with_changes(leading_lines=[cst.EmptyLine(indent=False)])
            inner.insert(0, made(f"{', '.join(carried)} = {given}", node))
        emitted = [one.new for one in self.filled.values()]
        inner.append(made(f"return {as_tuple(following)}, {as_tuple(emitted)}", node))
        definition = with_body(made(f"def {self.function}({given}, {counted.index}):\n    pass\n", node), inner)
        low = "" if counted.low == "0" else f"{counted.low}, "
        steps = [one.steps for one in self.filled.values()]
        indices = f"__numpy__.arange({low}{counted.high}){', reverse=True' if counted.down else ''}"
        scan = (
            f"{_target(self.others, carried)}, {as_tuple(steps)} = "
            f"__jax__.lax.scan({self.function}, {as_tuple(first)}, {indices})"
        )
        lines = [*kept, definition, made(scan, node)]
        for one in self.filled.values():
            filled = extent(plus(counted.low, one.offset), plus(counted.high, one.offset))
            place = ", ".join([*one.prefix, filled])
            lines.append(made(f"{one.name} = {one.name}.at[{place}].set({one.steps})", node))
        lines[0] = leading(lines[0], node)
        return lines

    def before(self, one: _Filled) -> list[str]:
        """Returns the values that the first step finds in the places of the steps before it."""
        start = plus(self.counted.high, -1) if self.counted.down else self.counted.low
        sign = 1 if self.counted.down else -1
        return [one.at(plus(start, one.offset + sign * back)) for back in range(1, one.back + 1)]

    def rewritten(self, body: Sequence[Any]) -> list[Any]:
        """Returns the step's statements, with names for the places that were stored into."""
        result: list[Any] = []
        stored: set[str] = set()
        for statement in body:
            store = store_in(statement)
            if store is None or store.array not in self.filled:
                result.append(statement.visit(_Reads(self, frozenset(stored))))
                continue
            one = self.filled[store.array]
            visited: Any = store.value.visit(_Reads(self, frozenset(stored)))
            value = code(visited)
            here = one.new if one.name in stored else one.at(plus(self.counted.index, one.offset))
            rest = store.texts[one.axis + 1 :]
            if any(text != ":" for text in rest):
                text = f"{here}.at[{', '.join(rest)}].{store.method}({value})"
            elif store.method == "add":
                text = f"{here} + {value}"
            elif self.is_exact(one, store.value):
                text = value
            elif one.row:
                text = f"__numpy__.full_like({here}, {value})"
            else:
                text = f"__numpy__.asarray({value}, dtype={one.name}.dtype)"
            new = made(f"{one.new} = {text}", statement)
            result.append(leading(new, statement))
            stored.add(one.name)
        return result

    def is_exact(self, one: _Filled, value: cst.BaseExpression) -> bool:
        """Says whether a value has the dtype and shape of its place by what was seen, or by an outright number."""
        kinds = self.loops.tracing.kinds
        there = kinds.of(cst.Name(one.name))
        fact = kinds.of(value) if one.row else of_expression(value, kinds)
        if there is None or fact is None:
            return False
        if one.row:
            shape = there.shape[one.axis + 1 :] if there.shape is not None else None
            return fact.kind == "array" and fact.dtype == there.dtype and shape is not None and fact.shape == shape
        return fact.kind == "scalar" and fact.dtype == there.dtype


class _Reads(Rewriter):
    """Puts names in the place of subscripts of filled arrays."""

    def __init__(self, scan: _Scan, stored: frozenset[str]) -> None:
        super().__init__(scan.loops.module)
        self.scan, self.stored = scan, stored

    def leave_Subscript(self, original_node: cst.Subscript, updated_node: cst.Subscript) -> Any:
        array = original_node.value
        if not isinstance(array, cst.Name) or array.value not in self.scan.filled:
            return updated_node
        one, counted = self.scan.filled[array.value], self.scan.counted
        place = _place(original_node.slice, one.axis, counted.index)
        if place is None or place.prefix != one.prefix:
            return updated_node
        back = _steps_back(place.offset - one.offset, counted.down)
        if back < 0 or (back == 0 and one.name not in self.stored):
            return updated_node  # not stored into yet: the array as it was before the loop holds it
        name = one.new if back == 0 else one.last[back - 1]
        rest = list(updated_node.slice[one.axis + 1 :])
        if not rest or all(code(element.slice).strip() == ":" for element in rest):
            return cst.Name(name)
        return cst.Subscript(cst.Name(name), rest)


def _filled(
    loops: LoopMaker, counted: IndexRange, around: Mapping[str, Bounds], body: Sequence[Any], carry: Sequence[str]
) -> dict[str, _Filled]:
    """Finds the carried arrays that are filled one place a step, and read only there and shortly before."""
    stores: dict[str, list[Store]] = {}
    uses = Uses()
    for statement in body:
        store = store_in(statement)
        if store is None:
            statement.visit(uses)
            continue
        stores.setdefault(store.array, []).append(store)
        store.value.visit(uses)
        for element in store.elements:
            element.visit(uses)
    bound = {name for statement in body for name in name_tools.bound(statement)}
    if counted.index in bound | uses.parameters:
        return {}
    found: dict[str, _Filled] = {}
    for name in carry:
        if name not in stores or name in uses.other:
            continue
        fact = loops.tracing.kinds.of(cst.Name(name))
        if fact is None or fact.kind != "array" or fact.shape is None:
            continue
        meeting = Meeting(counted, around, frozenset(bound))
        reads = [
            slices
            for slices in uses.read.get(name, [])
            if not all(meeting.never(texts_of(slices), store.texts) for store in stores[name])
        ]
        one = _one(name, stores[name], reads, counted, bound, len(fact.shape))
        if one is not None:
            found[name] = one
    return found


def _one(
    name: str, stores: Sequence[Store], reads: Sequence[Sequence[cst.SubscriptElement]], counted: IndexRange,
    bound: set[str], ndim: int,
) -> _Filled | None:  # fmt: skip
    for axis in range(min(ndim, 2)):
        places = [_split(store.texts, axis, counted.index) for store in stores]
        seen = [_place(slices, axis, counted.index) for slices in reads]
        if any(place is None for place in (*places, *seen)):
            continue
        first = places[0]
        known = [place for place in (*places, *seen) if place is not None]
        if first is None or any(place.prefix != first.prefix for place in known):
            continue
        if any(place.offset != first.offset for place in places if place is not None):
            continue
        if any(names_in(text) & (bound | {counted.index}) or not _is_scalar(text) for text in first.prefix):
            continue
        if any(len(place.prefix) + 1 + len(place.rest) > ndim for place in known):
            continue
        if counted.first + first.offset < 0:
            continue  # what begins at the end of the array meets itself
        if any(store.method not in ("set", "add") and _is_whole(store, axis) for store in stores):
            continue
        back = [_steps_back(place.offset - first.offset, counted.down) for place in seen if place is not None]
        if any(steps > _BACK or (steps < 0 and counted.down) for steps in back):
            continue
        row = ndim > axis + 1
        return _Filled(name, axis, first.prefix, first.offset, row, max([*back, 0]), len(stores))
    return None


def _is_whole(store: Store, axis: int) -> bool:
    return all(text == ":" for text in store.texts[axis + 1 :])


def _steps_back(offset: int, down: bool) -> int:
    return offset if down else -offset


def _place(slices: Sequence[cst.SubscriptElement], axis: int, index: str) -> _Place | None:
    return _split([code(element.slice).strip() for element in slices], axis, index)


def _split(texts: Sequence[str], axis: int, index: str) -> _Place | None:
    """Splits a subscript at an axis whose element is the index plus a constant."""
    if len(texts) <= axis or any(text in ("...", "None") or text.endswith("newaxis") for text in texts):
        return None
    try:
        form = affine(ast.parse(texts[axis], mode="eval").body, index, set())
    except SyntaxError:  # a slice
        return None
    offset = form.offset.constant() if form is not None and form.coefficient == 1 else None
    if offset is None:
        return None
    rest = tuple(texts[axis + 1 :])
    # a second use of the index, as on a diagonal, is a scalar of this step like any other
    return _Place(tuple(texts[:axis]), offset, rest)


def _is_scalar(text: str) -> bool:
    """Says whether an index is a plain name or number, with something added at most."""
    try:
        tree = ast.parse(text, mode="eval")
    except SyntaxError:
        return False
    parts = ast.Expression | ast.Name | ast.Constant | ast.BinOp | ast.Add | ast.Sub | ast.Load
    return all(isinstance(node, parts) for node in ast.walk(tree))


def _target(others: Sequence[str], carried: Sequence[str]) -> str:
    """Returns what takes the last carry: of it only the names that were carried before have a use."""
    if not others:
        return "_"
    return as_tuple([name if name in others else "_" for name in carried])
