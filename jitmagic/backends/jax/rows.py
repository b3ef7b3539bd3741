"""Rewrite stores at a loop's index as a row of its own, and reads of the rows before it as names that are carried.

    y[i] = a*y[i - 1] + x[i]        ->        y_i = a*y_before + x[i]
                                              y_before = y_i

The loop then gives one row a step (`lax.scan`'s output) and carries the last ones, not the whole array. Rows that are
stored later are read from the array as it was before the loop.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import libcst as cst

from jitmagic.backends.jax.joined_stores import joined
from jitmagic.backends.jax.outputs import is_number, keeps_axes, stored
from jitmagic.backends.jax.sums import difference, terms, written
from jitmagic.generate import names as name_tools
from jitmagic.generate.blocks import code, leading, made, small, statements
from jitmagic.generate.kinds import Kinds
from jitmagic.generate.module import Module
from jitmagic.generate.rewriter import Rewriter

_MOST = 3
"""How many earlier rows may be carried."""


class NoRows(Exception):
    """The array is not stored and read row by row."""


@dataclass
class Rows:
    """One array of a loop, taken row by row.

    Attributes
    ----------
    name : str
    row : str
        The name of the row of a step.
    prefix : list of str
        The subscripts before the loop's index.
    offset : str
        What is added to the loop's index.
    earlier : list of str
        Names of the rows before, the nearest first.
    body : list of statements
        The body, in these names.
    """

    name: str
    row: str
    prefix: list[str]
    offset: str
    earlier: list[str] = field(default_factory=list)
    body: list[Any] = field(default_factory=list)

    def next(self) -> dict[str, str]:
        """Returns what each earlier row is in the next step."""
        return dict(zip(self.earlier, [self.row, *self.earlier], strict=False))


def by_rows(
    module: Module,
    kinds: Kinds,
    name: str,
    ndim: int,
    body: Sequence[Any],
    index: str,
    fixed: frozenset[str],
    forward: bool,
    fresh: Callable[[str], str],
    cast: Callable[[cst.BaseExpression, int], str],
    natural: Callable[[cst.BaseExpression], bool],
) -> Rows:
    """Returns an array's stores and reads as rows.

    Parameters
    ----------
    module : Module
    kinds : Kinds
    name : str
    ndim : int
        Number of the array's axes.
    body : sequence of statements
        The loop's.
    index : str
    fixed : frozenset of str
        Names that the body binds.
    forward : bool
        Whether the index counts up.
    fresh : callable
        Returns a name that is free.
    cast : callable
        Returns a value in the dtype and shape of the array's row, given the row's number of axes.
    natural : callable
        Says whether a subscript is proved not to be negative: -1 is the last row, which may have been stored already.

    Raises
    ------
    NoRows
    """
    places = [_place(s, name, index, fixed, kinds) for s in body]
    found = [p for p in places if p is not None]
    if not found:
        raise NoRows
    prefix, offset = found[0][0], found[0][1]
    if any((p, o) != (prefix, offset) for p, o, *_ in found):
        raise NoRows
    sliced = any(":" in t for t in prefix)
    row = fresh(_label(name, index, offset, 0))
    rows = Rows(name, row, prefix, offset)
    reads = _Reads(module, kinds, rows, index, fixed, forward, sliced, fresh, natural)
    whole_first = False
    result: list[Any] = []
    for statement, place in zip(body, places, strict=True):
        if place is None:
            new = statement.visit(reads)
            if name in name_tools.bound(statement):
                raise NoRows
            result.append(_inherited(module, new, statement))
            continue
        _, _, rest, method, value = place
        value = _read(module, value, reads)
        if sliced and rest:
            raise NoRows
        axes = ndim - len([t for t in prefix if ":" not in t]) - 1
        if rest:
            text = f"{row}.at[{', '.join(rest)}].{method}({code(value)})"
            reads.current = True
        elif method == "set":
            whole_first = whole_first or not reads.current
            text = cast(value, axes)
        else:
            symbol = {"add": "+", "multiply": "*", "divide": "/"}[method]
            text = cast(cst.parse_expression(f"{row} {symbol} ({code(value)})"), axes)
            reads.current = True
        result.append(leading(made(f"{row} = {text}", statement), statement))
        if rest:
            module.inherit_parts(small(result[-1]).value.args[0].value, value)
    if reads.deepest > _MOST:
        raise NoRows
    at = ", ".join([*prefix, index if offset == "0" else written(_plus(index, offset))])
    whole = joined(result, row, kinds, True)
    if not whole_first and len(whole) < len(result):
        using = next(s for s in whole if row in name_tools.loads(s) | name_tools.bound(s))
        whole_first = row not in name_tools.loads(using)
    result = whole
    if not whole_first:
        result.insert(0, made(f"{row} = {name}[{at}]", body[0]))
    elif not result:
        raise NoRows
    rows.body = result
    return rows


def _label(name: str, index: str, offset: str, more: int) -> str:
    """Returns a name for ``x[i + offset + more]``, as ``x_im1``."""
    shift = (int(offset) if offset.lstrip("-").isdigit() else 0) + more
    sign = "" if shift == 0 else f"p{shift}" if shift > 0 else f"m{-shift}"
    shown = "" if index == "_" else index
    return f"{name}_{shown}{sign}" if shown or sign else f"{name}_row"


def _read(module: Module, node: cst.BaseExpression, reads: _Reads) -> cst.BaseExpression:
    new: Any = node.visit(reads)
    module.inherit(new, node)
    renewed: cst.BaseExpression = new
    return renewed


def _plus(index: str, offset: str) -> dict[str, int]:
    total = terms(cst.parse_expression(index))
    total.update(terms(cst.parse_expression(offset)))
    return {t: n for t, n in total.items() if n}


def _parsed(text: str) -> cst.BaseExpression:
    return cst.parse_expression(text)


def _inherited(module: Module, new: Any, old: Any) -> Any:
    module.inherit(new, old)
    if small(new) is not None and small(old) is not None:
        module.inherit(small(new), small(old))
    return new


def _place(
    statement: Any, name: str, index: str, fixed: frozenset[str], kinds: Kinds
) -> tuple[list[str], str, list[str], str, cst.BaseExpression] | None:
    """Returns prefix, offset, further subscripts, method and value of a store at the loop's index."""
    one = small(statement)
    if not isinstance(one, cst.Assign) or len(one.targets) != 1 or code(one.targets[0].target) != name:
        return None
    found = stored(one.value, name)
    if found is None:
        raise NoRows
    elements, method, value = found
    if not keeps_axes(elements, kinds, index):
        raise NoRows
    texts = [code(e.with_changes(comma=cst.MaybeSentinel.DEFAULT)) for e in elements]
    for position, element in enumerate(elements):
        reads = name_tools.loads(element)
        if not isinstance(element.slice, cst.Slice) and not is_number(element.slice, kinds, index):
            raise NoRows
        if index in reads:
            if not isinstance(element.slice, cst.Index):
                raise NoRows
            parts = terms(element.slice.value)
            if parts.pop(index, 0) != 1 or any(
                name_tools.loads(cst.parse_expression(t)) & (fixed | {index}) for t in parts if t
            ):
                raise NoRows
            offset = written({t: n for t, n in parts.items() if n})
            return texts[:position], offset, texts[position + 1 :], method, value
        if reads & fixed or (":" in texts[position] and texts[position] != ":"):
            raise NoRows
    raise NoRows


class _Reads(Rewriter):
    """Writes reads of the array as the row at hand, an earlier row, or the array as it was."""

    def __init__(
        self, module: Module, kinds: Kinds, rows: Rows, index: str, fixed: frozenset[str], forward: bool, sliced: bool,
        fresh: Callable[[str], str], natural: Callable[[cst.BaseExpression], bool],
    ) -> None:  # fmt: skip
        super().__init__(module)
        self.natural = natural
        self.rows, self.index, self.fixed, self.forward, self.sliced = rows, index, fixed, forward, sliced
        self.fresh = fresh
        self.kinds = kinds
        self.deepest = 0
        self.current = False
        self.inside: list[cst.Subscript] = []

    def visit_Subscript(self, node: cst.Subscript) -> bool:
        if isinstance(node.value, cst.Name) and node.value.value == self.rows.name:
            self.inside.append(node)
        return True

    def leave_Subscript(self, original_node: cst.Subscript, updated_node: cst.Subscript) -> cst.BaseExpression:
        if not self.inside or self.inside[-1] is not original_node:
            return updated_node
        self.inside.pop()
        rows = self.rows
        at = len(rows.prefix)
        elements = original_node.slice
        texts = [code(e.with_changes(comma=cst.MaybeSentinel.DEFAULT)) for e in elements]
        if len(texts) <= at or not isinstance(elements[at].slice, cst.Index):
            raise NoRows
        if not keeps_axes(elements, self.kinds, self.index):
            raise NoRows
        if not all(
            isinstance(e.slice, cst.Slice) or is_number(e.slice, self.kinds, self.index) for e in elements[: at + 1]
        ):
            raise NoRows
        for position, (mine, other) in enumerate(zip(texts, rows.prefix, strict=False)):
            if mine == other:
                continue
            if ":" in mine or ":" in other or name_tools.loads(elements[position]) & self.fixed:
                raise NoRows
            apart = difference(mine, other)
            both = _parsed(mine), _parsed(other)
            if set(apart) == {""} and all(map(self.natural, both)):
                return updated_node  # another line of the array, which this loop does not store into
            raise NoRows
        place: Any = elements[at].slice
        parts = terms(place.value)
        parts.subtract(terms(cst.parse_expression(self.index)))
        parts.subtract(terms(cst.parse_expression(rows.offset)))
        apart = {t: n for t, n in parts.items() if n}
        if set(apart) - {""}:
            raise NoRows
        distance = apart.get("", 0) * (1 if self.forward else -1)
        if distance > 0:
            if not self.natural(place.value):
                raise NoRows
            return updated_node
        if distance == 0:
            self.current = True
            name = rows.row
        else:
            self.deepest = max(self.deepest, -distance)
            while len(rows.earlier) < -distance:
                back = (len(rows.earlier) + 1) * (-1 if self.forward else 1)
                rows.earlier.append(self.fresh(_label(rows.name, self.index, rows.offset, back)))
            name = rows.earlier[-distance - 1]
        rest = updated_node.slice[at + 1 :]
        if self.sliced and rest:
            raise NoRows
        return updated_node.with_changes(value=cst.Name(name), slice=rest) if rest else cst.Name(name)

    def leave_Name(self, original_node: cst.Name, updated_node: cst.Name) -> cst.Name:
        if original_node.value == self.rows.name and not (self.inside and self.inside[-1].value is original_node):
            raise NoRows
        return updated_node

    def visit_Attribute(self, node: cst.Attribute) -> bool:
        # its shape and dtype do not change
        fixed = isinstance(node.value, cst.Name) and node.value.value == self.rows.name
        return not (fixed and node.attr.value in ("shape", "dtype", "size", "ndim"))


def nested_parameters(body: Sequence[Any]) -> frozenset[str]:
    """Returns the parameters and names of the functions inside statements."""
    found: set[str] = set()
    for statement in body:
        if isinstance(statement, cst.FunctionDef):
            found |= name_tools.bound(statement) | nested_parameters(statements(statement))
    return frozenset(found)
