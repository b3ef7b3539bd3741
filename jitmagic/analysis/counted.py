"""Loops over the elements of arrays as loops that count: what a proof of independent steps, and `prange`, can use.

```
for k, (x, y) in enumerate(points):        for k in range(len(points)):
    …                                ->        x, y = points[k]
                                               …
```

It is the same loop where the array is bound to nothing else inside: an array gives its elements one by one, as they are
when their step begins. `zip` ends with its shortest; a range gives `start + step*k`.

>>> from jitmagic.observe.facts import ValueFact
>>> tree = SourceTree("def fn(a, b):\\n    for i, (x, y) in enumerate(zip(a, b)):\\n        a[i] = x + y\\n", "fn")
>>> found = counted_loops(tree, {}, lambda node: ValueFact("array", "float64", (3,)))
>>> list(found.loops.values())[0].over, ast.unparse(tree.entry.body[0]).splitlines()[1:]
('range(min(len(a), len(b)))', ['    x = a[i]', '    y = b[i]', '    a[i] = x + y'])
"""

from __future__ import annotations

import ast
import keyword
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from jitmagic.analysis.aliases import Aliases, Facts
from jitmagic.analysis.names import Names
from jitmagic.analysis.scalars import assigned
from jitmagic.analysis.subscripts import is_range
from jitmagic.analysis.tree import SourceTree
from jitmagic.observe.facts import Span, ValueFact

_INDICES = "ijkmn"
_PLAIN = (ast.Name, ast.Constant, ast.Attribute, ast.UnaryOp, ast.unaryop, ast.expr_context)


@dataclass(frozen=True)
class Element:
    """What a counted loop binds first in each step.

    Attributes
    ----------
    target, value : str
        As they are written: ``"x, y"`` and ``"points[k]"``.
    fact : ValueFact
        What the value is.
    """

    target: str
    value: str
    fact: ValueFact


@dataclass(frozen=True)
class Hoisted:
    """An array without a name that a loop goes through: it gets one before the loop.

    Attributes
    ----------
    name : str
    place : Span
        Where it stands in the text.
    fact : ValueFact
    whole : str or None
        The user's name for the array whose memory it may be.
    """

    name: str
    place: Span
    fact: ValueFact
    whole: str | None


@dataclass(frozen=True)
class Counted:
    """A loop over elements, as one that counts.

    Attributes
    ----------
    index : str
        The user's own, where there is one.
    over : str
        ``"range(len(a))"``.
    elements : tuple of Element
    hoisted : tuple of Hoisted
    """

    index: str
    over: str
    elements: tuple[Element, ...]
    hoisted: tuple[Hoisted, ...] = ()


@dataclass(frozen=True)
class CountedLoops:
    """The loops of a tree that were written anew.

    Attributes
    ----------
    loops : dict of Span to Counted
        By the place of the user's loop.
    facts : dict of ast.AST to (ValueFact or None)
        What the expressions are that the text does not have; they stand at places of others.
    """

    loops: dict[Span, Counted] = field(default_factory=dict)
    facts: dict[ast.AST, ValueFact | None] = field(default_factory=dict)


def counted_loops(tree: SourceTree, names: Mapping[str, str], fact: Facts) -> CountedLoops:
    """Writes the loops over elements of a tree as loops that count, in place; places stay those of the text."""
    found = CountedLoops()
    aliases = Aliases(tree, Names(tree, names), fact)
    for function in tree.definitions():
        taken = {node.id for node in ast.walk(tree.module) if isinstance(node, ast.Name)}
        taken |= {node.arg for node in ast.walk(tree.module) if isinstance(node, ast.arg)}
        taken |= {node.name for node in tree.definitions()} | set(names)
        _Writer(tree, aliases, fact, found, taken, function).block(function)
    tree.reparent()
    return found


class _Unknown(Exception):
    """A loop over something else."""


class _Writer:
    """Writes the loops of one function."""

    def __init__(
        self, tree: SourceTree, aliases: Aliases, fact: Facts, found: CountedLoops, taken: set[str],
        function: ast.FunctionDef,
    ) -> None:  # fmt: skip
        self.tree, self.aliases, self.fact, self.found, self.taken = tree, aliases, fact, found, taken
        stored = {n.id for n in ast.walk(tree.module) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
        self.shadowed = stored | {a.arg for a in ast.walk(function) if isinstance(a, ast.arg)}
        self.shadowed |= {d.name for d in tree.definitions()} | set(aliases.names.import_names())

    def block(self, owner: ast.AST) -> None:
        """Goes through the blocks of a statement, those inside first."""
        for name, block in ast.iter_fields(owner):
            if not (isinstance(block, list) and block and isinstance(block[0], ast.stmt | ast.ExceptHandler)):
                continue
            new: list[ast.AST] = []
            for statement in block:
                if not isinstance(statement, ast.FunctionDef | ast.ClassDef):
                    self.block(statement)
                new += self._loop(statement) if isinstance(statement, ast.For) else [statement]
            setattr(owner, name, new)

    def _loop(self, loop: ast.For) -> list[ast.AST]:
        if is_range(loop.iter, self.shadowed) and isinstance(loop.target, ast.Name):
            return [loop]
        try:
            counted = self._counted(loop)
        except _Unknown:
            return [loop]
        self.found.loops[self.tree.span(loop)] = counted
        values = {self.tree.span(n): n for n in ast.walk(loop.iter) if isinstance(n, ast.expr)}
        arrays = {one.name: one.fact for one in counted.hoisted}
        arrays |= {n.id: fact for n in ast.walk(loop.iter) if isinstance(n, ast.Name) and (fact := self.fact(n))}
        known = {**arrays, counted.index: ValueFact("int")}
        before = [
            ast.copy_location(
                ast.Assign([self._placed(ast.Name(one.name, ast.Store()), loop, known)], values[one.place]), loop
            )
            for one in counted.hoisted
        ]
        first = []
        for one in counted.elements:
            made = ast.parse(f"{one.target} = {one.value}").body[0]
            assert isinstance(made, ast.Assign)
            self._placed(made, loop.target, known)
            self.found.facts[made.value] = one.fact
            first.append(made)
        target = self._placed(ast.Name(counted.index, ast.Store()), loop.target, known)
        over = self._placed(ast.parse(counted.over, mode="eval").body, loop.iter, known)
        new = ast.copy_location(ast.For(target, over, [*first, *loop.body], loop.orelse), loop)
        return [*before, new]

    def _placed(self, node: Any, like: ast.AST, known: dict[str, ValueFact]) -> Any:
        """Gives what the text does not have the place of another node; the facts of that one are not its own."""
        for one in ast.walk(node):
            if isinstance(one, ast.stmt | ast.expr):
                ast.copy_location(one, like)
                self.found.facts[one] = known.get(one.id) if isinstance(one, ast.Name) else None
        return node

    def _counted(self, loop: ast.For) -> Counted:
        target, iterated, start = loop.target, loop.iter, 0
        index: str | None = None
        if self._calls(iterated, "enumerate") and isinstance(iterated, ast.Call):
            if not isinstance(target, ast.Tuple) or len(target.elts) != 2 or not isinstance(target.elts[0], ast.Name):
                raise _Unknown
            index = target.elts[0].id
            start = self._start(iterated)
            target, iterated = target.elts[1], iterated.args[0]
        pairs: list[tuple[ast.expr, ast.expr]] = [(target, iterated)]
        if self._calls(iterated, "zip") and isinstance(iterated, ast.Call):
            if iterated.keywords or not isinstance(target, ast.Tuple) or len(target.elts) != len(iterated.args):
                raise _Unknown
            pairs = list(zip(target.elts, iterated.args, strict=True))
        elif index is None and is_range(iterated, self.shadowed):
            raise _Unknown
        names = [n.id for one, _ in pairs for n in ast.walk(one) if isinstance(n, ast.Name)]
        plain = all(isinstance(n, ast.Name | ast.Tuple | ast.expr_context) for one, _ in pairs for n in ast.walk(one))
        if not plain or not pairs or index in names or any(names.count(n) > 1 for n in names if n != "_"):
            raise _Unknown
        inside = assigned(loop.body)
        changed = inside | set(names) | {index or ""}
        if index is not None and index in inside:
            raise _Unknown
        if index is None:  # of `zip(range(n), x)` the first is one
            counts = (one.id for one, v in pairs if isinstance(one, ast.Name) and self._counts(v) and one.id != "_")
            index = next((one for one in counts if one not in inside), None)
        if index is None:
            index = next((one for one in _INDICES if one not in self.taken), "")
            index = index or _fresh("i", self.taken)
            self.taken.add(index)
        hoisted: list[Hoisted] = []
        parts = [self._element(one, value, index, start, changed, hoisted) for one, value in pairs]
        lengths = list(dict.fromkeys(length for length, _ in parts))
        stop = lengths[0] if len(lengths) == 1 else f"min({', '.join(lengths)})"
        if "len" in self.shadowed or "range" in self.shadowed or (len(lengths) > 1 and "min" in self.shadowed):
            raise _Unknown
        over = f"range({start}, {stop} + {start})" if start else f"range({stop})"
        elements = tuple(element for _, element in parts if element.target != index)
        return Counted(index, over, elements, tuple(hoisted))

    def _counts(self, value: ast.expr) -> bool:
        """Says whether an expression is `range(n)`."""
        return is_range(value, self.shadowed) and isinstance(value, ast.Call) and len(value.args) == 1

    def _element(
        self, target: ast.expr, value: ast.expr, index: str, start: int, changed: set[str], hoisted: list[Hoisted]
    ) -> tuple[str, Element]:
        """Returns how long something is that a loop goes through, and what it gives in a step."""
        place = f"{index} - {start}" if start else index
        left = ", ".join(map(ast.unparse, target.elts)) if isinstance(target, ast.Tuple) else ast.unparse(target)
        if is_range(value, self.shadowed) and isinstance(value, ast.Call):
            read = {n.id for n in ast.walk(value) if isinstance(n, ast.Name)} - {"range"}
            again = value.args[:1] + value.args[2:] if len(value.args) > 1 else []  # what each step works out anew
            plain = all(isinstance(n, _PLAIN) for a in again for n in ast.walk(a))
            if read & changed or not plain or not isinstance(target, ast.Name):
                raise _Unknown
            first, step = "", ""
            if len(value.args) > 1 and ast.unparse(value.args[0]) != "0":
                first = ast.unparse(value.args[0]) + " + "
            if len(value.args) > 2 and ast.unparse(value.args[2]) != "1":
                step = ast.unparse(value.args[2]) + "*"
            counted = f"({place})" if start and step else place
            length = f"len({ast.unparse(value)})"
            if self._counts(value) and isinstance(value.args[0], ast.Call):
                length = ast.unparse(value.args[0])
            return length, Element(left, f"{first}{step}{counted}", ValueFact("int"))
        fact = self.fact(value)
        if fact is None or fact.kind != "array" or not fact.ndim or fact.shape is None or not _is_number(fact.dtype):
            raise _Unknown
        if isinstance(value, ast.Name) and value.id not in changed:
            name = value.id
        else:
            name = self._hoisted(target, value, fact, hoisted)
        inner = fact.shape[1:]
        if isinstance(target, ast.Tuple) and not inner:
            raise _Unknown
        kind = "array" if inner else "scalar"
        one = ValueFact(kind, fact.dtype, inner, contiguous=(fact.contiguous or None) if inner else None)
        return f"len({name})", Element(left, f"{name}[{place}]", one)

    def _hoisted(self, target: ast.expr, value: ast.expr, fact: ValueFact, hoisted: list[Hoisted]) -> str:
        owners = self.aliases.names_in(value)
        if len(owners) > 1 or any(isinstance(n, ast.NamedExpr | ast.Lambda | ast.Yield) for n in ast.walk(value)):
            raise _Unknown
        wanted = f"{target.id}s" if isinstance(target, ast.Name) and target.id != "_" else "items"
        name = _fresh(wanted, self.taken)
        self.taken.add(name)
        hoisted.append(Hoisted(name, self.tree.span(value), fact, next(iter(owners), None)))
        return name

    def _calls(self, node: ast.expr, name: str) -> bool:
        return (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and node.func.id == name
            and name not in self.shadowed
            and bool(node.args)
            and not any(isinstance(a, ast.Starred) for a in node.args)
        )

    def _start(self, call: ast.Call) -> int:
        """Returns where `enumerate` begins to count."""
        given = [*call.args[1:], *(k.value for k in call.keywords if k.arg == "start")]
        if len(call.args) + len(call.keywords) != 1 + len(given) or len(given) > 1:
            raise _Unknown
        if not given:
            return 0
        if not isinstance(given[0], ast.Constant) or type(given[0].value) is not int or given[0].value < 0:
            raise _Unknown
        return given[0].value


def _is_number(dtype: str | None) -> bool:
    try:
        return dtype is not None and np.dtype(dtype).kind in "biufc"
    except TypeError:
        return False


def _fresh(wanted: str, taken: set[str]) -> str:
    while wanted in taken or keyword.iskeyword(wanted):
        wanted += "_"
    return wanted

