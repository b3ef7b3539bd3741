"""Rewrite symmetric matrices that are filled pair by pair: the other half is taken from the first one behind the loops.

    for i in range(n):                      for i in range(n):
        for j in range(i + 1, n):               for j in range(i + 1, n):
            d = …                                   d = …
            D[i, j] = d                 ->          D[i, j] = d
            D[j, i] = d                     D[...] = np.where(row > column, D.T, D)

Each step of the outer loop then stores into its own row alone, and all steps can be taken at once. The proof: ``j``
lies on one side of ``i``, so that no element is stored by two steps; nothing else in the loops touches the matrix but
its diagonal; and what the second store put there is what the first one did, or its negative.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import libcst as cst

from jitmagic.backends.jax.store_targets import root_name
from jitmagic.backends.jax.sums import difference
from jitmagic.generate import names as name_tools
from jitmagic.generate.aliases import aliases
from jitmagic.generate.block_rewriter import BlockRewriter
from jitmagic.generate.blocks import code, each_function, made, small, statements
from jitmagic.generate.kinds import Kinds
from jitmagic.generate.module import Module
from jitmagic.generate.rewriter import Rewriter
from jitmagic.generate.walking import Finder, Transformer
from jitmagic.observe.facts import ValueFact

_EVEN = ("numpy.zeros", "numpy.ones", "numpy.empty")
"""Functions of NumPy whose square results are symmetric; those below are so with some arguments."""

_PLAIN = ("abs", "min", "max", "float", "int", "round", "len", "sum")


def without_mirrors(module: Module, tree: cst.Module, kinds: dict[str, Kinds]) -> cst.Module:
    """Returns the tree with the second of two mirrored stores behind the loops."""
    return each_function(tree, kinds, lambda function, known: _Function(module, function, known).result())


class _Function(BlockRewriter):
    def __init__(self, module: Module, function: cst.FunctionDef, kinds: Kinds) -> None:
        super().__init__(module, function)
        self.kinds = kinds
        self.links = aliases(function, kinds)

    def statement(self, node: Any, before: Sequence[Any]) -> list[Any]:
        loop, behind = self.loop(node, before) if isinstance(node, cst.For) else (node, [])
        return [loop, *behind] if behind else super().statement(node, before)

    def loop(self, outer: cst.For, before: Sequence[Any]) -> tuple[cst.For, list[Any]]:
        """Returns a loop without its mirrored stores, and the statements that make up for them."""
        behind: list[Any] = []
        links, original = self.links.at.get(outer, {}), outer
        jumps = _Jumps()
        outer.visit(jumps)
        tried: set[str] = set()
        while not jumps.found and isinstance(outer.target, cst.Name) and outer.orelse is None:
            inner = [s for s in statements(outer) if isinstance(s, cst.For)]
            if len(inner) != 1 or inner[0].orelse is not None or not isinstance(inner[0].target, cst.Name):
                break
            loop = inner[0]
            i, j = outer.target.value, loop.target.value  # type: ignore[attr-defined]
            side, strict = _side(outer, loop)
            pair = next((p for p in _pairs(loop, i, j, True) if p.name not in tried), None) if side else None
            if pair is None:
                break
            name = pair.name
            tried.add(name)
            others = set(links.get(name, {})) - {f"@{name}"}
            if others or not self.is_square(name) or (pair.negative and not (strict and self.has_sign(name))):
                continue
            remover = _Remover(self.module, pair)
            new = outer.visit(remover)
            assert isinstance(new, cst.For)
            if not _touched_by_pairs_only(new, name, i, j):
                continue
            if not pair.negative and self.is_fresh(before, name):
                mask: str | None = _half(name, side)
            else:
                mask = _visited(original, loop, name) if pair.always else None
            if mask is None:
                continue
            value = f"-{name}.T" if pair.negative else f"{name}.T"
            line = made(f"{name}[...] = __numpy__.where({mask}, {value}, {name})", pair.second)
            self.module.learn(small(line).value, self.facts(name)[0])
            behind.append(line)
            outer = new
        return outer, behind

    def is_fresh(self, before: Sequence[Any], name: str) -> bool:
        """Says whether a name was bound to a new symmetric matrix and nothing was done to it since."""
        for statement in reversed(before):
            one = small(statement)
            if isinstance(one, cst.Assign) and len(one.targets) == 1 and code(one.targets[0].target) == name:
                return isinstance(one.value, cst.Call) and self.is_symmetric(one.value)
            mentions = _Touches(name)
            statement.visit(mentions)
            if mentions.names:
                return False
        return False

    def is_symmetric(self, call: cst.Call) -> bool:
        """Says whether the square matrix that a call makes is symmetric."""
        path = self.kinds.path(call.func)
        given = [a.value for a in call.args if a.keyword is None]
        named = {a.keyword.value: a.value for a in call.args if a.keyword is not None}
        if path in _EVEN:
            return True
        if path in ("numpy.eye", "numpy.identity"):
            return len(given) == 1 and not set(named) - {"dtype"}  # not beside the diagonal
        if path == "numpy.full":
            value = given[1] if len(given) > 1 else named.get("fill_value")
            fact = None if value is None else self.kinds.of(value)
            if code(value or cst.Name("_")) in ("np.inf", "np.nan", "numpy.inf", "numpy.nan"):
                return True
            return fact is not None and fact.kind in ("int", "float", "bool", "complex", "scalar")
        return False

    def facts(self, name: str) -> list[ValueFact]:
        return [f for f in self.kinds.names.get(name, []) if f.kind == "array"]

    def is_square(self, name: str) -> bool:
        shapes = {f.shape for f in self.facts(name)}
        return len(shapes) == 1 and all(s is not None and len(s) == 2 and s[0] == s[1] for s in shapes)

    def has_sign(self, name: str) -> bool:
        return all((f.dtype or "")[:1] in ("f", "c") for f in self.facts(name))


def _side(outer: cst.For, inner: cst.For) -> tuple[str, bool]:
    """Returns ">" where the inner index is never below the outer one, "<" where never above, and whether never equal.

    The side is empty where neither is proved.
    """
    bounds = _bounds(inner)
    if _bounds(outer) is None or bounds is None:
        return "", False
    above, below = (_distance(text, code(outer.target)) for text in bounds)
    if above is not None and above >= 0:
        return ">", above > 0
    if below is not None and below <= 1:
        return "<", below < 1
    return "", False


def _distance(text: str, index: str) -> int | None:
    """Returns how far a bound is from the outer index, None where that is no number."""
    left = difference(text, index)
    return None if set(left) - {""} else left.get("", 0)


def _bounds(loop: cst.For) -> tuple[str, str] | None:
    iterated = loop.iter
    if not isinstance(iterated, cst.Call) or code(iterated.func) != "range" or not 1 <= len(iterated.args) <= 2:
        return None
    texts = [code(a.value) for a in iterated.args]
    return ("0", texts[0]) if len(texts) == 1 else (texts[0], texts[1])


@dataclass(frozen=True)
class _Pair:
    """Two stores of one value into ``name[i, j]`` and ``name[j, i]``.

    Attributes
    ----------
    second : statement
        The one that stores into ``[j, i]``, or into both.
    kept : statement or None
        What stands in its place.
    negative : bool
        It stores the negative of the first one's value.
    always : bool
        The two are reached for every (i, j).
    """

    name: str
    second: Any
    kept: Any
    negative: bool
    always: bool


def _pairs(block: Any, i: str, j: str, always: bool) -> Iterator[_Pair]:
    """Finds mirrored stores that stand in one block, in the inner loop's body or in a branch there."""
    body = list(statements(block))
    firsts: dict[str, tuple[int, cst.Assign, str]] = {}
    for position, statement in enumerate(body):
        if isinstance(statement, cst.If):
            yield from _pairs(statement, i, j, False)
            if statement.orelse is not None:
                yield from _pairs(statement.orelse, i, j, False)
        one = small(statement)
        if not isinstance(one, cst.Assign):
            continue
        places = [_place(t.target, i, j) for t in one.targets]
        if len(places) == 2 and None not in places:
            (name, order), (other, other_order) = places  # type: ignore[misc]
            if name == other and order != other_order:
                kept = one.with_changes(targets=[t for t, place in zip(one.targets, places, strict=True)
                                                 if place == (name, "ij")])  # fmt: skip
                yield _Pair(name, statement, statement.with_changes(body=[kept]), False, always)
        elif len(places) == 1 and places[0] is not None:
            name, order = places[0]
            if name not in firsts:
                firsts[name] = (position, one, order)
                continue
            at, first, first_order = firsts[name]
            sign = _sign(one.value, first, body[at + 1 : position])
            if order != first_order and order == "ji" and sign:
                yield _Pair(name, statement, None, sign < 0, always)
            elif order != first_order and sign > 0 and code(one.value) == code(first.value):
                yield _Pair(name, body[at], None, False, always)


def _place(target: cst.BaseExpression, i: str, j: str) -> tuple[str, str] | None:
    """Returns (name, "ij" or "ji") for ``name[i, j]`` or ``name[j, i]``."""
    if not isinstance(target, cst.Subscript) or not isinstance(target.value, cst.Name) or len(target.slice) != 2:
        return None
    texts = [code(e.slice.value) if isinstance(e.slice, cst.Index) else "" for e in target.slice]
    if texts == [i, j]:
        return target.value.value, "ij"
    return (target.value.value, "ji") if texts == [j, i] else None


def _sign(value: cst.BaseExpression, first: cst.Assign, between: Sequence[Any]) -> int:
    """Returns 1 where a value is what the first store stored, -1 where it is its negative, 0 where neither is sure."""
    sign = 1
    if isinstance(value, cst.UnaryOperation) and isinstance(value.operator, cst.Minus):
        value, sign = value.expression, -1
    text = code(value.with_changes(lpar=[], rpar=[]))
    if text == code(first.targets[0].target):
        return sign
    changed = {n for s in between for n in name_tools.bound(s)} | {n for s in between for n in _stored(s)}
    if text != code(first.value.with_changes(lpar=[], rpar=[])) or name_tools.loads(first.value) & changed:
        return 0
    calls = _Calls()
    first.value.visit(calls)
    return sign if calls.plain else 0


def _stored(statement: Any) -> set[str]:
    one = small(statement)
    targets = [t.target for t in one.targets] if isinstance(one, cst.Assign) else [getattr(one, "target", None)]
    names = {root_name(t) for t in targets if isinstance(t, cst.Subscript | cst.Attribute)}
    # a compound statement may store anything
    return {n for n in names if n} if one is not None else set(name_tools.all_names(statement))


class _Calls(Finder):
    """Says whether all that is called gives the same whenever it is called again."""

    def __init__(self) -> None:
        super().__init__()
        self.plain = True

    def visit_Call(self, node: cst.Call) -> None:
        called = code(node.func)
        self.plain &= called in _PLAIN or (
            called.partition(".")[0] in ("np", "numpy", "math") and "random" not in called
        )


def _touched_by_pairs_only(outer: cst.For, name: str, i: str, j: str) -> bool:
    """Says whether what is left touches the matrix at ``[i, j]`` by a store and on its diagonal only."""
    finder = _Touches(name)
    outer.visit(finder)
    allowed = {f"{name}[{i}, {j}]": 1, f"{name}[{i}, {i}]": len(finder.places)}
    stores = [code(p) for p in finder.places]
    counts = {text: stores.count(text) for text in set(stores)}
    return finder.names == len(stores) and all(n <= allowed.get(text, 0) for text, n in counts.items())


class _Remover(Rewriter):
    """Takes the second store of a pair out."""

    def __init__(self, module: Module, pair: _Pair) -> None:
        super().__init__(module)
        self.pair = pair

    def leave_SimpleStatementLine(self, original_node: cst.SimpleStatementLine, updated_node: Any) -> Any:
        if original_node is not self.pair.second:
            return updated_node
        return self.pair.kept if self.pair.kept is not None else cst.RemoveFromParent()


class _Touches(Finder):
    """Counts how often a name is mentioned, and collects the elements of it that are stored."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name
        self.names = 0
        self.places: list[cst.Subscript] = []

    def visit_Name(self, node: cst.Name) -> None:
        self.names += node.value == self.name

    def visit_AssignTarget(self, node: cst.AssignTarget) -> None:
        target = node.target
        if isinstance(target, cst.Subscript) and code(target.value) == self.name:
            self.places.append(target)


class _Jumps(Finder):
    def __init__(self) -> None:
        super().__init__()
        self.found = False

    def _jump(self, node: cst.CSTNode) -> None:
        self.found = True

    visit_Break = visit_Continue = visit_Return = visit_Raise = _jump


def _half(name: str, side: str) -> str:
    """Returns the mask of what lies below the diagonal, or above it.

    ``np.tri``, not a comparison of two ranges: behind a loop XLA compiled that for minutes from some 450 rows on.
    """
    if side == ">":
        return f"__numpy__.tri(len({name}), k=-1, dtype=bool)"
    return f"~__numpy__.tri(len({name}), dtype=bool)"


def _visited(outer: cst.For, inner: cst.For, name: str) -> str | None:
    """Returns the mask of ``[j, i]`` for all (i, j) of the loops; None where the bounds are not that plain."""
    (low, high), bounds = _bounds(outer) or ("", ""), _bounds(inner)
    assert bounds is not None
    i, j = code(outer.target), code(inner.target)
    inside = frozenset(n for s in statements(outer) for n in name_tools.bound(s)) | {j, name}
    for text in (low, high, *bounds):
        if name_tools.loads(cst.parse_expression(text)) & inside:
            return None
    column, row = f"__numpy__.arange({name}.shape[1])", f"__numpy__.arange({name}.shape[0])[:, None]"
    parts = [f"({column} >= {low})"] if low != "0" else []
    parts.append(f"({column} < {high})")
    start, stop = (_with_name(text, i, column) for text in bounds)
    parts += [f"({row} >= {start})"] if start != "0" else []
    parts.append(f"({row} < {stop})")
    return " & ".join(parts)


def _with_name(text: str, name: str, other: str) -> str:
    renamed: Any = cst.parse_expression(text).visit(_Renamed(name, other))
    return code(renamed)


class _Renamed(Transformer):
    def __init__(self, name: str, text: str) -> None:
        super().__init__()
        self.name, self.node = name, cst.parse_expression(text)

    def leave_Name(self, original_node: cst.Name, updated_node: cst.Name) -> cst.BaseExpression:
        return self.node if updated_node.value == self.name else updated_node
