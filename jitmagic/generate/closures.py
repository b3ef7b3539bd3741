"""Rewrite closures in place, as shortest paths are: the row and the column that all steps read stay as they are.

    for i in range(n):                              if d[k, k] >= 0:
        for j in range(n):                              d_row, d_column = d[k].copy(), d[:, k].copy()
            if d[i, k] + d[k, j] < d[i, j]:     ->      for i in range(n):
                d[i, j] = d[i, k] + d[k, j]                 for j in range(n):
                                                                if d_column[i] + d_row[j] < d[i, j]:
                                                                    d[i, j] = d_column[i] + d_row[j]
                                                    else:
                                                        (as it was)

The steps read ``d[i, k]`` and ``d[k, j]`` and store ``d[i, j]``: they meet where ``i`` or ``j`` is ``k``, and there the
condition reads ``x + d[k, k] < x`` for an element x. It does not hold where ``d[k, k]`` is not negative (and, for whole
numbers, which may overflow, where it is zero); nothing is stored then, and no step sees another one. For ``max(a, b) <
x``, ``min(a, b) > x`` and ``a and b`` it never holds, unless ``d[k, k]`` is NaN.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import libcst as cst

from jitmagic.generate import names as name_tools
from jitmagic.generate.aliases import aliases
from jitmagic.generate.block_rewriter import BlockRewriter
from jitmagic.generate.blocks import code, each_function, made, small, statements, with_body
from jitmagic.generate.kinds import Kinds
from jitmagic.generate.module import Module
from jitmagic.generate.rewriter import Rewriter
from jitmagic.generate.walking import Finder
from jitmagic.observe.facts import ValueFact

_SMALLER = {"min": True, "numpy.minimum": True, "numpy.fmin": True, "max": False, "numpy.maximum": False,
            "numpy.fmax": False}  # fmt: skip
"""Functions that choose one of two, and whether it is the smaller."""


def steady_closures(module: Module, tree: cst.Module, kinds: dict[str, Kinds], columns: bool = True) -> cst.Module:
    """Returns the tree with closures that read copies of a row and a column.

    Parameters
    ----------
    module : Module
    tree : libcst.Module
    kinds : dict of str to Kinds
        By function.
    columns : bool
        Whether the column is copied: where rows are worked on in turn, a number that each row begins with does as well.
    """
    return each_function(tree, kinds, lambda function, known: _Function(module, function, known, columns).result())


@dataclass(frozen=True)
class _Closure:
    """What is known of a nest.

    Attributes
    ----------
    name : str
        The matrix.
    pivot : str
        The subscript of the row and the column that are read.
    guard : str
        The condition under which they stay as they are; empty where they always do.
    arrays : tuple of str
        All matrices that are stored into.
    """

    name: str
    pivot: str
    guard: str
    arrays: tuple[str, ...]


class _Function(BlockRewriter):
    def __init__(self, module: Module, function: cst.FunctionDef, kinds: Kinds, columns: bool) -> None:
        super().__init__(module, function)
        self.kinds, self.columns = kinds, columns
        self.links = aliases(function, kinds)
        self.hands_nan_on = False
        self.taken = set(name_tools.all_names(module.tree)) | set(name_tools.all_names(function))

    def statement(self, node: Any, before: Sequence[Any]) -> list[Any]:
        found = self.closure(node) if isinstance(node, cst.For) else None
        return super().statement(node, before) if found is None else self.written(node, found)

    # what it is -------------------------------------------------------------------------------

    def closure(self, outer: cst.For) -> _Closure | None:
        inner = statements(outer)
        if len(inner) != 1 or not isinstance(inner[0], cst.For) or outer.orelse or inner[0].orelse:
            return None
        loop = inner[0]
        if not all(isinstance(one.target, cst.Name) and _is_range(one) for one in (outer, loop)):
            return None
        i, j = code(outer.target), code(loop.target)
        update = self.update(list(statements(loop)), i, j)
        if update is None:
            return None
        name, test, stores = update
        found = self.pivot(test, name, i, j)
        if found is None:
            return None
        pivot, guard = found
        if pivot in (i, j) or i == j or name_tools.loads(cst.parse_expression(pivot)) & {i, j, name}:
            return None
        arrays = tuple(sorted({name, *stores}))
        for one in arrays:
            links = set(self.links.at.get(outer, {}).get(one, {})) - {f"@{one}"}
            facts = [f for f in self.kinds.names.get(one, []) if f.kind == "array"]
            if links or not facts or any(f.ndim != 2 for f in facts):
                return None
        if not self.reads_fit(outer, arrays, i, j, pivot):
            return None
        return _Closure(name, pivot, guard, arrays)

    def update(
        self, body: list[Any], i: str, j: str
    ) -> tuple[str, tuple[cst.BaseExpression, bool, cst.BaseExpression], list[str]] | None:
        """Returns (matrix, (new value, whether the smaller is taken, old value), other matrices that are stored)."""
        values: dict[str, cst.BaseExpression] = {}
        while len(body) > 1:
            one = small(body[0])
            if (
                not isinstance(one, cst.Assign)
                or len(one.targets) != 1
                or not isinstance(one.targets[0].target, cst.Name)
            ):
                return None
            values[one.targets[0].target.value] = one.value
            body = body[1:]
        if not body:
            return None
        only = body[0]
        one = small(only)
        if isinstance(one, cst.Assign) and len(one.targets) == 1:
            name = _own(one.targets[0].target, i, j)
            chosen = self.chosen(one.value, f"{name}[{i}, {j}]") if name is not None else None
            if name is None or chosen is None:
                return None
            value, smaller, old = chosen
            return name, (values.get(code(value), value), smaller, old), []
        if isinstance(only, cst.If) and only.orelse is None:
            return self.conditional(only, values, i, j)
        return None

    def chosen(self, value: cst.BaseExpression, own: str) -> tuple[cst.BaseExpression, bool, cst.BaseExpression] | None:
        """Takes ``min(d[i, j], new)`` apart, and ``d[i, j] or (a and b)``."""
        self.hands_nan_on = False
        if isinstance(value, cst.Call) and len(value.args) == 2 and all(a.keyword is None for a in value.args):
            path = self.kinds.path(value.func) or code(value.func)
            first, second = (a.value for a in value.args)
            self.hands_nan_on = path in ("numpy.minimum", "numpy.maximum")
            if path in _SMALLER and code(first) == own:
                return second, _SMALLER[path], first
            if path in _SMALLER and path not in ("min", "max") and code(second) == own:
                return first, _SMALLER[path], second
        if isinstance(value, cst.BooleanOperation) and isinstance(value.operator, cst.Or):
            return (value.right, False, value.left) if code(value.left) == own else None
        if isinstance(value, cst.BinaryOperation) and isinstance(value.operator, cst.BitOr):
            return (value.right, False, value.left) if code(value.left) == own else None
        return None

    def conditional(
        self, only: cst.If, values: dict[str, cst.BaseExpression], i: str, j: str
    ) -> tuple[str, tuple[cst.BaseExpression, bool, cst.BaseExpression], list[str]] | None:
        """Takes ``if new < d[i, j]: d[i, j] = new`` apart; other matrices may be stored into beside it."""
        self.hands_nan_on = False
        test = only.test
        if not isinstance(test, cst.Comparison) or len(test.comparisons) != 1:
            return None
        left, right = test.left, test.comparisons[0].comparator
        operator = test.comparisons[0].operator
        if not isinstance(operator, cst.LessThan | cst.GreaterThan):
            return None
        smaller = isinstance(operator, cst.LessThan)
        name = _own(right, i, j)
        new, old = left, right
        if name is None:
            name, new, old, smaller = _own(left, i, j), right, left, not smaller
        if name is None:
            return None
        stored: list[str] = []
        for statement in statements(only):
            one = small(statement)
            if not isinstance(one, cst.Assign) or len(one.targets) != 1:
                return None
            other = _own(one.targets[0].target, i, j)
            if other is None:
                return None
            stored.append(other)
        if name not in stored:
            return None
        return name, (values.get(code(new), new), smaller, old), stored

    def pivot(
        self, update: tuple[cst.BaseExpression, bool, cst.BaseExpression], name: str, i: str, j: str
    ) -> tuple[str, str] | None:
        """Returns the subscript of what all steps read, and the condition under which it stays."""
        new, smaller, _ = update
        facts = [f for f in self.kinds.names.get(name, []) if f.kind == "array"]
        dtype = facts[0].dtype or "" if facts else ""
        parts: tuple[cst.BaseExpression, cst.BaseExpression]
        kind = ""
        if isinstance(new, cst.BinaryOperation) and isinstance(new.operator, cst.Add | cst.BitAnd):
            parts = new.left, new.right
            kind = "sum" if isinstance(new.operator, cst.Add) else "and"
        elif isinstance(new, cst.BooleanOperation) and isinstance(new.operator, cst.And):
            parts, kind = (new.left, new.right), "and"
        elif isinstance(new, cst.Call) and len(new.args) == 2:
            path = self.kinds.path(new.func) or code(new.func)
            if path not in _SMALLER or _SMALLER[path] == smaller:
                return None
            parts, kind = (new.args[0].value, new.args[1].value), "choice"
        else:
            return None
        columns = [p for p in (_read(part, name, i, 0) for part in parts) if p is not None]
        rows = [p for p in (_read(part, name, j, 1) for part in parts) if p is not None]
        if len(columns) != 1 or len(rows) != 1 or columns != rows:
            return None
        if kind == "and":
            return (columns[0], "") if dtype == "bool" else None
        diagonal = f"{name}[{columns[0]}, {columns[0]}]"
        if kind == "choice":
            # NaN is handed on by NumPy's functions, and would reach the row and the column
            return columns[0], "" if dtype.startswith(("int", "uint", "bool")) else f"{diagonal} == {diagonal}"
        if dtype.startswith("float"):
            guard = f"{diagonal} {'>=' if smaller else '<='} 0"
            if self.hands_nan_on:
                # an infinite one makes NaN of the other infinity
                numpy = next((n for n, path in self.module.names.items() if path == "numpy"), "__numpy__")
                guard += f" and {diagonal} {'< ' if smaller else '> -'}{numpy}.inf"
            return columns[0], guard
        return (columns[0], f"{diagonal} == 0") if dtype.startswith("int") else None

    def reads_fit(self, outer: cst.For, arrays: tuple[str, ...], i: str, j: str, pivot: str) -> bool:
        """Says whether the nest uses the matrices at ``[i, j]``, ``[i, pivot]`` and ``[pivot, j]`` alone."""
        finder = _Uses(arrays)
        outer.visit(finder)
        allowed = {f"{a}[{x}]" for a in arrays for x in (f"{i}, {j}", f"{i}, {pivot}", f"{pivot}, {j}")}
        bound = name_tools.bound(outer) & name_tools.loads(cst.parse_expression(pivot))
        return finder.names == len(finder.places) and set(finder.places) <= allowed and not bound

    # how it is written ------------------------------------------------------------------------

    def written(self, outer: cst.For, found: _Closure) -> list[Any]:
        i, j = code(outer.target), code(statements(outer)[0].target)
        uses = _Uses(found.arrays)
        outer.visit(uses)
        renamed: dict[str, tuple[str, str]] = {}
        before: list[Any] = []
        within: list[Any] = []
        for name in found.arrays:
            fact = next(f for f in self.kinds.names[name] if f.kind == "array")
            rows, columns = fact.shape or (None, None)
            for text, part, index, length in (
                (f"{name}[{found.pivot}, {j}]", "row", j, columns),
                (f"{name}[{i}, {found.pivot}]", "column", i, rows),
            ):
                if text not in uses.places:
                    continue
                number = part == "column" and not self.columns
                label = f"{i}{found.pivot}" if number and found.pivot.isidentifier() else part
                fresh = name_tools.fresh(f"{name}_{label}", self.taken)
                self.taken.add(fresh)
                renamed[text] = (fresh, "" if number else index)
                if number:
                    line = made(f"{fresh} = {text}", outer)
                    self.module.learn(small(line).value, ValueFact("scalar", fact.dtype))
                    within.append(line)
                    continue
                place = found.pivot if part == "row" else f":, {found.pivot}"
                line = made(f"{fresh} = {name}[{place}].copy()", outer)
                known = ValueFact("array", fact.dtype, (length,))
                for node in (small(line).value, small(line).value.func.value):
                    self.module.inherit(node, outer)
                    self.module.learn(node, known)
                before.append(line)
        steady = outer.visit(
            _Renamed(self.module, renamed, {n: self.row_fact(n, renamed) for n, _ in renamed.values()})
        )
        assert isinstance(steady, cst.For)
        if within:
            steady = with_body(steady, [*within, *statements(steady)])
        if not found.guard:
            first = before[0].with_changes(leading_lines=outer.leading_lines)
            return [first, *before[1:], self.bare(steady, outer)]
        said = "the row and the column that are read stay as they are" if before[1:] else "the row stays as it is"
        comment = cst.EmptyLine(comment=cst.Comment(f"# {said}"))
        first = before[0].with_changes(leading_lines=[comment])
        again = outer.deep_clone()
        self.module.inherit_parts(again, outer)
        choice = made(f"if {found.guard}:\n    pass\nelse:\n    pass\n", outer)
        choice = with_body(choice, [first, *before[1:], self.bare(steady, outer)])
        orelse = with_body(choice.orelse, [self.bare(again, outer)])
        choice = choice.with_changes(orelse=orelse, leading_lines=outer.leading_lines)
        self.module.inherit(choice, outer)
        return [choice]

    def bare(self, loop: cst.For, outer: cst.For) -> cst.For:
        """Returns a loop without the lines above it, which stand elsewhere now."""
        new = loop.with_changes(leading_lines=())
        self.module.inherit(new, outer)
        return new

    def row_fact(self, fresh: str, renamed: dict[str, tuple[str, str]]) -> ValueFact:
        text = next(t for t, (n, _) in renamed.items() if n == fresh)
        fact = next(f for f in self.kinds.names[text.partition("[")[0]] if f.kind == "array")
        return ValueFact("array", fact.dtype, (None,))


class _Renamed(Rewriter):
    """Reads the copies of the row and the column."""

    def __init__(self, module: Module, renamed: dict[str, tuple[str, str]], facts: dict[str, ValueFact]) -> None:
        super().__init__(module)
        self.renamed, self.facts = renamed, facts

    def leave_Subscript(self, original_node: cst.Subscript, updated_node: cst.Subscript) -> cst.BaseExpression:
        found = self.renamed.get(code(original_node))
        if found is None:
            return updated_node
        if not found[1]:
            new: cst.BaseExpression = cst.Name(found[0])
            self.module.inherit(new, original_node)
            return new
        new = cst.parse_expression(f"{found[0]}[{found[1]}]")
        assert isinstance(new, cst.Subscript)
        self.module.learn(new.value, self.facts[found[0]])
        return new


class _Uses(Finder):
    """Counts how often names are mentioned, and collects the subscripts of them."""

    def __init__(self, names: Sequence[str]) -> None:
        super().__init__()
        self.wanted = set(names)
        self.names = 0
        self.places: list[str] = []

    def visit_Name(self, node: cst.Name) -> None:
        self.names += node.value in self.wanted

    def visit_Attribute(self, node: cst.Attribute) -> bool:
        return node.attr.value not in ("shape", "size", "ndim", "dtype")

    def visit_Call(self, node: cst.Call) -> bool:
        return code(node.func) != "len"

    def visit_Subscript(self, node: cst.Subscript) -> None:
        if isinstance(node.value, cst.Name) and node.value.value in self.wanted:
            self.places.append(code(node))


def _is_range(loop: cst.For) -> bool:
    return isinstance(loop.iter, cst.Call) and code(loop.iter.func) == "range"


def _own(node: cst.BaseExpression, i: str, j: str) -> str | None:
    """Returns the name of ``name[i, j]``."""
    if (
        isinstance(node, cst.Subscript)
        and isinstance(node.value, cst.Name)
        and code(node) == f"{node.value.value}[{i}, {j}]"
    ):
        return node.value.value
    return None


def _read(node: cst.BaseExpression, name: str, index: str, at: int) -> str | None:
    """Returns x of ``name[index, x]`` (``at`` 0) or ``name[x, index]`` (1)."""
    if not isinstance(node, cst.Subscript) or code(node.value) != name or len(node.slice) != 2:
        return None
    texts = [code(e.slice.value) if isinstance(e.slice, cst.Index) else "" for e in node.slice]
    return texts[1 - at] if texts[at] == index and texts[1 - at] and texts[1 - at] != index else None
