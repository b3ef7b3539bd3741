"""Rewrite lists of numbers that keep their length as arrays: ``best = [0]*n``, ``dp = [[0]*m for _ in range(n)]``.

    dp = [[0]*(n + 1) for _ in range(m + 1)]    ->    dp = np.zeros((m + 1, n + 1), dtype=np.int64)
    dp[i][j] = dp[i-1][j] + 1                         dp[i, j] = dp[i-1, j] + 1

Compiled code has no lists that an index which depends on values can be used on. A list is taken for a table where all
that is done with it is known: elements are read and stored, its length, largest, smallest and sum are asked for, it is
given to NumPy, to functions that do no more, or another name. What else is done with it leaves it as it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import libcst as cst

from jitmagic.generate import names as name_tools
from jitmagic.generate.blocks import code
from jitmagic.generate.kinds import Kinds, literal
from jitmagic.generate.module import Module
from jitmagic.generate.rewriter import Rewriter
from jitmagic.generate.walking import Finder, nodes_of
from jitmagic.observe.facts import ValueFact

_REDUCED = {"max": "max", "min": "min", "sum": "sum"}
_WIDEST = 2**62
"""Whole numbers beyond this were seen: an array's would overflow where a list's do not."""

Place = tuple[str, str]
"""A function and a name in it."""


@dataclass(frozen=True)
class Table:
    """What a list is made as: its lengths, the number in it, or an array's text."""

    lengths: tuple[str, ...] = ()
    number: cst.BaseExpression | None = None
    text: str = ""
    source: str = ""


def tables(module: Module, tree: cst.Module, entry: str, kinds: Mapping[str, Kinds]) -> tuple[cst.Module, set[str]]:
    """Returns the tree with tables as arrays, and those that the entry returns, which have to be lists again."""
    functions = {s.name.value: s for s in tree.body if isinstance(s, cst.FunctionDef)}
    found = _Found(module, functions, kinds, entry)
    dtypes = found.dtypes()
    if not dtypes:
        return tree, set()
    new = {}
    for name, function in functions.items():
        own = {n: dtype for (f, n), dtype in dtypes.items() if f == name}
        new[name] = function.visit(_Arrays(module, found, name, own, kinds[name])) if own else function
        module.inherit(new[name], function)  # type: ignore[arg-type]
    tree = tree.with_changes(
        body=[new.get(s.name.value, s) if isinstance(s, cst.FunctionDef) else s for s in tree.body]
    )
    return tree, {n for f, n in dtypes if f == entry and n in found.returned}


def would_be_tables(module: Module, tree: cst.Module, entry: str, kinds: Mapping[str, Kinds]) -> set[Place]:
    """Returns the lists that :func:`tables` would write as arrays."""
    functions = {s.name.value: s for s in tree.body if isinstance(s, cst.FunctionDef)}
    return set(_Found(module, functions, kinds, entry).dtypes())


def table_of(node: Any, module: Module) -> Table | None:
    """Returns how a list of numbers is made whose length does not depend on them; None for any other expression."""
    if isinstance(node, cst.BinaryOperation) and isinstance(node.operator, cst.Multiply):
        for shown, times in ((node.left, node.right), (node.right, node.left)):
            if isinstance(shown, cst.List) and len(shown.elements) == 1 and not isinstance(times, cst.List):
                inner: Any = shown.elements[0].value
                return None if isinstance(inner, cst.List | cst.ListComp) else Table((code(times),), inner)
        return None
    if isinstance(node, cst.ListComp):
        return _comprehension(node, module)
    if isinstance(node, cst.List | cst.Tuple):
        return _display(node)
    if isinstance(node, cst.Call) and code(node.func) == "list" and len(node.args) == 1:
        only: Any = node.args[0].value
        if isinstance(only, cst.Call) and code(only.func) == "range":
            return Table(("",), None, _arange(only))
        return Table(source=only.value) if isinstance(only, cst.Name) else None
    if isinstance(node, cst.Call) and isinstance(node.func, cst.Attribute) and node.func.attr.value == "copy":
        plain = not node.args and isinstance(node.func.value, cst.Name)
        return Table(source=code(node.func.value)) if plain else None
    if isinstance(node, cst.Subscript) and isinstance(node.value, cst.Name) and code(node).endswith("[:]"):
        return Table(source=node.value.value)
    return None


def _comprehension(node: cst.ListComp, module: Module) -> Table | None:
    inside = node.for_in
    if inside.ifs or inside.inner_for_in is not None or inside.asynchronous is not None:
        return None
    if (
        not isinstance(inside.target, cst.Name)
        or not isinstance(inside.iter, cst.Call)
        or code(inside.iter.func) != "range"
    ):
        return None
    if isinstance(node.elt, cst.Name) and node.elt.value == inside.target.value:
        return Table(("",), None, _arange(inside.iter))
    if inside.target.value in name_tools.loads(node.elt) or len(inside.iter.args) != 1:
        return None
    length = code(inside.iter.args[0].value)
    inner = table_of(node.elt, module)
    if inner is not None:
        return Table((length, *inner.lengths), inner.number) if inner.number is not None else None
    return Table((length,), node.elt)


def _display(node: cst.List | cst.Tuple) -> Table | None:
    """Returns numbers that are written out, or rows of them that are equally long."""
    rows = [e.value for e in node.elements]
    if len(rows) < 2:
        return None
    inner = [r for r in rows if isinstance(r, cst.List | cst.Tuple)]
    if not inner:
        return Table((str(len(rows)),), None, code(node)) if all(literal(r) is not None for r in rows) else None
    lengths = {len(r.elements) for r in inner}
    numbers = [e.value for r in inner for e in r.elements]
    if len(inner) != len(rows) or len(lengths) != 1 or 0 in lengths or any(literal(n) is None for n in numbers):
        return None
    return Table((str(len(rows)), str(lengths.pop())), None, code(node))


def _arange(call: cst.Call) -> str:
    return f"__numpy__.arange({', '.join(code(a.value) for a in call.args)})"


def listed_vector(node: Any, kinds: Kinds) -> cst.BaseExpression | None:
    """Returns the vector of ``list(x)`` or ``x.tolist()``, None for anything else."""
    if not isinstance(node, cst.Call):
        return None
    only: Any = node.args[0].value if code(node.func) == "list" and len(node.args) == 1 else None
    if isinstance(node.func, cst.Attribute) and node.func.attr.value == "tolist" and not node.args:
        only = node.func.value
    fact = kinds.of(only) if only is not None else None
    known = fact is not None and fact.kind == "array" and fact.ndim == 1 and (fact.dtype or "") in _KINDS
    return only if known else None


def _joined(node: Any, module: Module, kinds: Kinds) -> list[Any] | None:
    """Returns the parts of ``[0] + [10**9]*n + list(x)``: what is written out, tables and vectors; else None."""
    if isinstance(node, cst.BinaryOperation) and isinstance(node.operator, cst.Add):
        left, right = _joined(node.left, module, kinds), _joined(node.right, module, kinds)
        return None if left is None or right is None else [*left, *right]
    if listed_vector(node, kinds) is not None:
        return [node]
    if isinstance(node, cst.List) and any(isinstance(e, cst.StarredElement) for e in node.elements):
        return _starred(node, kinds)
    if (
        isinstance(node, cst.List)
        and node.elements
        and not any(isinstance(e, cst.StarredElement) for e in node.elements)
    ):
        return [node]
    made = table_of(node, module)
    return [made] if made is not None and made.number is not None and len(made.lengths) == 1 else None


def _starred(node: cst.List, kinds: Kinds) -> list[Any] | None:
    """Returns the parts of ``[1, *x, 1]``, as those of ``[1] + list(x) + [1]``; None where x is no vector."""
    parts: list[Any] = []
    for element in node.elements:
        if isinstance(element, cst.StarredElement):
            parts.append(cst.Call(cst.Name("list"), [cst.Arg(element.value)]))
            if listed_vector(parts[-1], kinds) is None:
                return None
        elif parts and isinstance(parts[-1], cst.List):
            parts[-1] = cst.List([*parts[-1].elements, cst.Element(element.value)])
        else:
            parts.append(cst.List([cst.Element(element.value)]))
    return parts


class _Found:
    """The tables of a module's functions, and what is stored into each."""

    def __init__(
        self, module: Module, functions: Mapping[str, cst.FunctionDef], kinds: Mapping[str, Kinds], entry: str
    ) -> None:
        self.module, self.functions, self.kinds, self.entry = module, functions, kinds, entry
        self.made: dict[int, list[Any] | Table] = {}
        self.axes: dict[Place, int] = {}
        self.values: dict[Place, list[tuple[str, cst.BaseExpression]]] = {}
        self.links: list[tuple[Place, Place]] = []
        self.returned: set[str] = set()
        self.bad: set[Place] = set()
        self.shown: set[Place] = set()
        self.moved: set[Place] = set()
        for name, function in functions.items():
            self._begin(name, function)
        for name, function in functions.items():
            self._follow(name, function)

    # how they begin ------------------------------------------------------------------------------

    def _begin(self, name: str, function: cst.FunctionDef) -> None:
        for one in nodes_of(function, cst.Assign):
            for target in one.targets:
                pairs: list[Any] = [(target.target, one.value)]
                if isinstance(target.target, cst.Tuple) and isinstance(one.value, cst.Tuple):
                    if len(target.target.elements) != len(one.value.elements):
                        continue
                    pairs = [
                        (t.value, v.value) for t, v in zip(target.target.elements, one.value.elements, strict=True)
                    ]
                for to, value in pairs:
                    if isinstance(to, cst.Name):
                        self._made(name, to.value, value)

    def _made(self, function: str, name: str, value: Any) -> None:
        whole = listed_vector(value, self.kinds[function])
        parts = None
        starred = isinstance(value, cst.List) and any(isinstance(e, cst.StarredElement) for e in value.elements)
        if whole is not None or starred or isinstance(value, cst.BinaryOperation):
            parts = _joined(value, self.module, self.kinds[function])
        several = parts is not None and (len(parts) > 1 or whole is not None or starred)
        table = None if several else table_of(value, self.module)
        if table is None and not several:
            return
        place = (function, name)
        if table is not None and table.source:
            known = self.kinds[function].of(cst.Name(table.source))
            if known is not None and known.kind == "array":
                return
            self.made[id(value)] = table
            self.links.append((place, (function, table.source)))
            return
        self.made[id(value)] = table if table is not None else list(parts or [])
        axes = len(table.lengths) if table is not None else 1
        if axes > 2 or self.axes.setdefault(place, axes) != axes:
            self.bad.add(place)
        numbers: list[Any] = []
        for part in [table] if table is not None else parts or []:
            if isinstance(part, cst.List):
                numbers += [e.value for e in part.elements]
            elif isinstance(part, cst.Call):
                vector = listed_vector(part, self.kinds[function])
                fact = self.kinds[function].of(vector) if vector is not None else None
                self.values.setdefault(place, []).append((_KINDS.get(fact.dtype or "", "") if fact else "", part))
            elif part is not None and part.number is not None:
                numbers.append(part.number)
            elif part is not None and isinstance(value, cst.List | cst.Tuple):
                rows = [e.value for e in value.elements]
                numbers += [e.value for r in rows for e in r.elements] if axes == 2 else rows  # type: ignore[attr-defined]
                self.shown.add(place)
            elif part is not None:
                self.values.setdefault(place, []).append(("int", value))
        self.values.setdefault(place, []).extend((self.kind(function, n), n) for n in numbers)

    def kind(self, function: str, node: Any) -> str:
        """Returns "bool", "int" or "float" for a number of that kind, "" for anything else."""
        text = code(node)
        if text in ("np.inf", "numpy.inf", "math.inf", "np.nan", "-np.inf", "-math.inf") or text.startswith(
            ("float(", "-float(")
        ):
            return "float"
        fact = self.kinds[function].of(node) or literal(node)
        if fact is None:
            if isinstance(node, cst.BinaryOperation) and isinstance(node.operator, cst.Power | cst.Multiply | cst.Add):
                both = {self.kind(function, node.left), self.kind(function, node.right)}
                return both.pop() if len(both) == 1 else ""
            return ""
        if any(n is not None and abs(n) > _WIDEST for n in (fact.low, fact.high)):
            return ""
        seen = fact.items if fact.kind == "mixed" else (fact,)
        kinds = {_KINDS.get(f.kind, "") or _KINDS.get(f.dtype or "", "") for f in seen}
        return max(kinds, key=_ORDER.index) if kinds and "" not in kinds else ""

    # what is done with them -----------------------------------------------------------------------

    def _follow(self, name: str, function: cst.FunctionDef) -> None:
        scopes: list[Any] = [*nodes_of(function, cst.FunctionDef)[1:], *nodes_of(function, cst.Lambda)]
        for inner in scopes:
            self.bad |= {(name, n) for n in name_tools.loads(inner)}
        outward: list[Any] = [*nodes_of(function, cst.Global), *nodes_of(function, cst.Nonlocal)]
        self.bad |= {(name, n.name.value) for one in outward for n in one.names}
        uses = _Uses(self, name)
        function.body.visit(uses)
        parameters = set(name_tools.parameters(function))
        every: dict[str, int] = {}
        for one in nodes_of(function.body, cst.Name):
            every[one.value] = every.get(one.value, 0) + 1
        for other, count in every.items():
            # a name also stands behind the dot and before the equals sign: that is one more than is known of
            if count != uses.known.get(other, 0):
                self.bad.add((name, other))
        if name == self.entry:
            self.bad |= {(name, p) for p in parameters}

    def store(self, function: str, name: str, value: cst.BaseExpression) -> None:
        self.values.setdefault((function, name), []).append((self.kind(function, value), value))

    def dtypes(self) -> dict[Place, str]:
        """Returns the tables with the dtype of each; those that are linked have one, or are none."""
        groups: list[set[Place]] = [{p} for p in {*self.axes, *(p for link in self.links for p in link)}]
        for one, other in self.links:
            first = next(g for g in groups if one in g)
            second = next(g for g in groups if other in g)
            if first is not second:
                groups.remove(second)
                first |= second
        result: dict[Place, str] = {}
        for group in groups:
            axes = {self.axes[p] for p in group if p in self.axes}
            kinds = {kind for p in group for kind, _ in self.values.get(p, [])}
            if len(axes) != 1 or group & self.bad or not kinds or "" in kinds:
                continue
            if any(p not in self.axes and not self._comes_from(p) for p in group):
                continue
            if "bool" in kinds and len(kinds) > 1:
                continue
            if len(kinds) > 1 and any(f == self.entry and n in self.returned for f, n in group):
                continue  # the caller gets a list of both
            if group <= self.shown and not group & self.moved:
                continue  # constants, of which each use says which
            for place in group:
                self.axes[place] = next(iter(axes))
                result[place] = _DTYPES[max(kinds, key=_ORDER.index)]
        return result

    def _comes_from(self, place: Place) -> bool:
        """Says whether a name is given nothing but other tables: a parameter by every call, a local by assignments."""
        function, name = place
        if name in name_tools.parameters(self.functions[function]):
            calls = [c for f in self.functions.values() for c in nodes_of(f, cst.Call) if code(c.func) == function]
            linked = sum(a == place for a, _ in self.links)
            return bool(calls) and linked == len(calls)
        return any(place in link for link in self.links)


_KINDS = {
    "int": "int", "float": "float", "bool": "bool", "int64": "int", "int32": "int", "float64": "float",
}  # fmt: skip
_ORDER = ("", "bool", "int", "float")
_DTYPES = {"bool": "bool_", "int": "int64", "float": "float64"}


class _Uses(Finder):
    """Counts the uses of each name that a table can have, and notes what is stored and passed on."""

    def __init__(self, found: _Found, function: str) -> None:
        super().__init__()
        self.found, self.function = found, function
        self.kinds = found.kinds[function]
        self.known: dict[str, int] = {}
        self.stores: set[int] = set()

    def count(self, node: Any) -> None:
        if isinstance(node, cst.Name):
            self.known[node.value] = self.known.get(node.value, 0) + 1

    def axes(self, name: str) -> int | None:
        return self.found.axes.get((self.function, name))

    def element(self, node: Any) -> cst.Name | None:
        """Returns the name of ``t[i]``, or of ``t[i][j]``, whose indices are whole numbers."""
        depth = 0
        while isinstance(node, cst.Subscript):
            if len(node.slice) != 1 or not isinstance(node.slice[0].slice, cst.Index):
                return None
            fact = self.kinds.of(node.slice[0].slice.value)
            if fact is not None and not fact.kinds <= {"int", "scalar"}:
                return None
            node, depth = node.value, depth + 1
        if not isinstance(node, cst.Name) or depth == 0:
            return None
        axes = self.axes(node.value)
        return node if axes is None or axes == depth else None

    def note(self, node: cst.Subscript, name: str) -> None:
        """Notes that an index is no constant."""
        inner: Any = node
        while isinstance(inner, cst.Subscript):
            index: Any = inner.slice[0].slice
            if literal(index.value) is None:
                self.found.moved.add((self.function, name))
            inner = inner.value

    def visit_Subscript(self, node: cst.Subscript) -> bool:
        name = self.element(node)
        if name is None:
            return True
        self.count(name)
        self.note(node, name.value)
        inner: Any = node
        while isinstance(inner, cst.Subscript):
            inner.slice[0].visit(self)
            inner = inner.value
        return False

    def visit_Assign(self, node: cst.Assign) -> bool:
        for target in node.targets:
            self.assigned(target.target, node.value)
        node.value.visit(self)
        return False

    def assigned(self, target: Any, value: Any) -> None:
        if (
            isinstance(target, cst.Tuple)
            and isinstance(value, cst.Tuple)
            and len(target.elements) == len(value.elements)
        ):
            for one, other in zip(target.elements, value.elements, strict=True):
                self.assigned(one.value, other.value)
            return
        if isinstance(target, cst.Tuple) and (row := self.row(value)) is not None:
            self.count(row)
            self.note(value, row.value)
            return
        if isinstance(target, cst.Name):
            if id(value) in self.found.made:
                self.count(target)
                source = self.found.made[id(value)]
                if isinstance(source, Table) and source.source:
                    self.known[source.source] = self.known.get(source.source, 0) + 1
            elif isinstance(value, cst.Name) and self._are_lists(target, value):
                self.count(target)
                self.count(value)
                self.found.links.append(((self.function, target.value), (self.function, value.value)))
            return
        name = self.element(target)
        if name is not None:
            self.found.store(self.function, name.value, value)
        target.visit(self)

    def _are_lists(self, target: cst.Name, value: cst.Name) -> bool:
        fact = self.kinds.of(value)
        return fact is not None and fact.kind == "list"

    def visit_AugAssign(self, node: cst.AugAssign) -> bool:
        name = self.element(node.target)
        if name is not None:
            division = isinstance(node.operator, cst.DivideAssign)
            if division:
                self.found.values.setdefault((self.function, name.value), []).append(("float", node.value))
            else:
                self.found.store(self.function, name.value, node.value)
        return True

    def visit_For(self, node: cst.For | cst.CompFor) -> None:
        for one in _iterated(node.iter):
            if self.axes(one.value) in (None, 1) and (self.function, one.value) not in self.found.shown:
                self.count(one)

    visit_CompFor = visit_For

    def visit_Return(self, node: cst.Return) -> None:
        if node.value is None or self.function != self.found.entry:
            return
        values = [e.value for e in node.value.elements] if isinstance(node.value, cst.Tuple) else [node.value]
        for one in values:
            if isinstance(one, cst.Name):
                self.count(one)
                self.found.returned.add(one.value)

    def visit_Call(self, node: cst.Call) -> None:
        called = code(node.func)
        path = self.kinds.path(node.func)
        first: Any = node.args[0].value if node.args else None
        if (extreme := _place_of_extreme(node)) is not None and self.axes(extreme[1].value) == 1:
            self.count(extreme[1])
        elif called == "len" and isinstance(first, cst.Name):
            self.count(first)
        elif called == "len" and self.row(first) is not None:
            self.count(first.value)
        elif (called in _REDUCED and len(node.args) == 1) or (path or "").startswith("numpy."):
            for argument in node.args:
                one: Any = argument.value
                if self.row(one) is not None:
                    self.count(one.value)
                    continue
                if isinstance(one, cst.Subscript) and self.part(one):
                    one = one.value
                if isinstance(one, cst.Name) and (self.axes(one.value) == 1 or (path is not None)):
                    self.count(one)
        elif isinstance(node.func, cst.Name) and called in self.found.functions:
            parameters = name_tools.parameters(self.found.functions[called])
            for position, argument in enumerate(node.args):
                if not isinstance(argument.value, cst.Name) or argument.star:
                    continue
                given = (
                    argument.keyword.value
                    if argument.keyword is not None
                    else "".join(parameters[position : position + 1])
                )
                fact = self.kinds.of(argument.value)
                if given and fact is not None and fact.kind == "list":
                    self.count(argument.value)
                    self.found.links.append(((called, given), (self.function, argument.value.value)))

    def row(self, node: Any) -> cst.Name | None:
        if isinstance(node, cst.Subscript) and isinstance(node.value, cst.Name) and self.axes(node.value.value) == 2:
            return node.value if isinstance(node.slice[0].slice, cst.Index) else None
        return None

    def part(self, node: cst.Subscript) -> bool:
        """Says whether an expression is ``t[a:b]`` of a table of one axis."""
        plain = isinstance(node.value, cst.Name) and self.axes(node.value.value) == 1
        return plain and len(node.slice) == 1 and isinstance(node.slice[0].slice, cst.Slice)


def _place_of_extreme(node: cst.Call) -> tuple[str, cst.Name] | None:
    """Returns ``"min"`` or ``"max"`` and the list of ``xs.index(min(xs))``, None for anything else."""
    func, inner = node.func, node.args[0].value if len(node.args) == 1 else None
    if not isinstance(func, cst.Attribute) or func.attr.value != "index" or not isinstance(func.value, cst.Name):
        return None
    if not isinstance(inner, cst.Call) or code(inner.func) not in ("min", "max") or len(inner.args) != 1:
        return None
    return (code(inner.func), func.value) if code(inner.args[0].value) == func.value.value else None


def _iterated(node: Any) -> Iterator[cst.Name]:
    if isinstance(node, cst.Name):
        yield node
    elif isinstance(node, cst.Call) and code(node.func) in ("enumerate", "zip", "reversed"):
        for argument in node.args:
            yield from _iterated(argument.value)


class _Arrays(Rewriter):
    """Writes the tables of one function as arrays."""

    def __init__(self, module: Module, found: _Found, function: str, own: Mapping[str, str], kinds: Kinds) -> None:
        super().__init__(module)
        self.found, self.name, self.own, self.kinds = found, function, own, kinds

    def axes(self, name: str) -> int:
        return self.found.axes[(self.name, name)]

    def leave_Name(self, original_node: cst.Name, updated_node: cst.Name) -> cst.Name:
        if original_node.value not in self.own:
            return updated_node
        new = cst.Name(original_node.value, lpar=original_node.lpar, rpar=original_node.rpar)
        self.module.learn(new, self.fact(original_node.value))
        return new

    def fact(self, name: str) -> ValueFact:
        dtype = self.own[name].rstrip("_")
        return ValueFact("array", dtype, (None,) * self.axes(name))

    def leave_Attribute(self, original_node: cst.Attribute, updated_node: cst.Attribute) -> cst.Attribute:
        return updated_node.with_changes(attr=original_node.attr)

    def leave_Arg(self, original_node: cst.Arg, updated_node: cst.Arg) -> cst.Arg:
        return updated_node.with_changes(keyword=original_node.keyword)

    def leave_Subscript(self, original_node: cst.Subscript, updated_node: cst.Subscript) -> cst.BaseExpression:
        inner: Any = updated_node.value
        base: Any = original_node.value
        if isinstance(base, cst.Subscript) and isinstance(base.value, cst.Name) and base.value.value in self.own:
            comma = cst.Comma(whitespace_after=cst.SimpleWhitespace(" "))
            first = inner.slice[0].with_changes(comma=comma)
            return updated_node.with_changes(value=inner.value, slice=[first, *updated_node.slice])
        row = isinstance(base, cst.Name) and base.value in self.own and self.axes(base.value) == 2
        if row or (
            isinstance(base, cst.Name)
            and base.value in self.own
            and isinstance(original_node.slice[0].slice, cst.Slice)
        ):
            self.module.learn(updated_node, ValueFact("array", self.own[base.value].rstrip("_"), (None,)))
        return updated_node

    def leave_Call(self, original_node: cst.Call, updated_node: cst.Call) -> cst.BaseExpression:
        called = code(original_node.func)
        first: Any = original_node.args[0].value if original_node.args else None
        extreme = _place_of_extreme(original_node)
        if extreme is not None and extreme[1].value in self.own:
            found = cst.parse_expression(f"__numpy__.arg{extreme[0]}({extreme[1].value})")
            self.module.learn(found, ValueFact("scalar", "int64", ()))
            return found
        if called == "len" and isinstance(first, cst.Subscript) and code(first.value) in self.own:
            return cst.parse_expression(f"{code(first.value)}.shape[1]")
        root: Any = first.value if isinstance(first, cst.Subscript) else first
        if (
            called in _REDUCED
            and len(original_node.args) == 1
            and isinstance(root, cst.Name)
            and root.value in self.own
        ):
            whole = isinstance(first, cst.Subscript) and isinstance(first.slice[0].slice, cst.Index)
            if whole and self.axes(root.value) == 1:
                return updated_node
            return updated_node.with_changes(func=cst.parse_expression(f"__numpy__.{_REDUCED[called]}"))
        return updated_node

    def leave_Assign(self, original_node: cst.Assign, updated_node: cst.Assign) -> cst.Assign:
        value: Any = updated_node.value
        old = original_node.value
        names = [code(t.target) for t in original_node.targets]
        if id(old) in self.found.made and all(n in self.own for n in names):
            return updated_node.with_changes(value=self.array(names[0], old))
        target: Any = original_node.targets[0].target
        if isinstance(old, cst.Tuple) and isinstance(target, cst.Tuple) and len(old.elements) == len(target.elements):
            elements = [
                e.with_changes(value=self.array(code(t.value), o.value))
                if id(o.value) in self.found.made and code(t.value) in self.own
                else e
                for e, o, t in zip(value.elements, old.elements, target.elements, strict=True)
            ]
            return updated_node.with_changes(value=value.with_changes(elements=elements))
        return updated_node

    def array(self, name: str, old: Any) -> cst.BaseExpression:
        made = self.found.made[id(old)]
        dtype = f"__numpy__.{self.own[name]}"
        if isinstance(made, Table) and made.source:
            text = f"{made.source}.copy()"
        elif isinstance(made, Table) and isinstance(old, cst.List | cst.Tuple):
            text = f"__numpy__.array({made.text}, dtype={dtype})"
        elif isinstance(made, Table) and made.text:
            text = made.text if self.own[name] == "int64" else f"{made.text}.astype({dtype})"
        elif isinstance(made, Table):
            text = _filled(made, dtype)
        else:
            parts = [
                f"__numpy__.array({code(p)}, dtype={dtype})"
                if isinstance(p, cst.List)
                else _filled(p, dtype)
                if isinstance(p, Table)
                else self.vector(name, p)
                for p in made
            ]
            text = f"__numpy__.concatenate(({', '.join(parts)}))" if len(parts) > 1 else f"{parts[0]}.copy()"
        new = cst.parse_expression(text)
        self.module.inherit(new, old)
        self.module.learn(new, self.fact(name))
        return new

    def vector(self, name: str, listed: cst.Call) -> str:
        """Returns the vector of ``list(x)`` with the table's dtype."""
        vector = listed_vector(listed, self.kinds)
        assert vector is not None
        fact = self.kinds.of(vector)
        same = fact is not None and fact.dtype == self.own[name].rstrip("_")
        shown = code(vector) if isinstance(vector, cst.Name | cst.Call | cst.Subscript) else f"({code(vector)})"
        return shown if same else f"{shown}.astype(__numpy__.{self.own[name]})"


def _filled(table: Table, dtype: str) -> str:
    lengths = table.lengths[0] if len(table.lengths) == 1 else f"({', '.join(table.lengths)})"
    number = code(table.number) if table.number is not None else "0"
    if number in ("0", "0.0", "False"):
        return f"__numpy__.zeros({lengths}, dtype={dtype})"
    return f"__numpy__.full({lengths}, {number}, dtype={dtype})"
