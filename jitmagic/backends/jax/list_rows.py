"""Rewrite rows that a list takes up as tuples, where only an array is made of the list.

    rows.append([t, x[i]])                     rows.append((np.float64(t), x[i]))
    …                                   ->     …
    return np.array(rows)                      return np.array(rows)

A tuple does not change, so that its numbers can be kept in an array. NumPy gives the array one dtype: whole numbers in
a row with others become such when they are taken up.
"""

from __future__ import annotations

from typing import Any

import libcst as cst

from jitmagic.generate.blocks import code, each_function
from jitmagic.generate.kinds import Kinds
from jitmagic.generate.module import Module
from jitmagic.generate.rewriter import Rewriter
from jitmagic.generate.walking import Transformer, nodes_of
from jitmagic.observe.facts import ValueFact

_MAKES_ARRAYS = frozenset({"numpy.array", "numpy.asarray", "numpy.vstack", "numpy.stack"})
_LONGEST = 16
"""Rows of more numbers than this stay lists."""


def rows_as_tuples(module: Module, tree: cst.Module, kinds: dict[str, Kinds]) -> cst.Module:
    """Returns the tree with tuples for the lists that are appended to lists of rows."""
    return each_function(tree, kinds, lambda function, known: _function(module, function, known))


def _function(module: Module, function: cst.FunctionDef, kinds: Kinds) -> cst.FunctionDef:
    calls = nodes_of(function, cst.Call)
    appended: dict[str, list[cst.Call]] = {}
    for call in calls:
        func = call.func
        if not isinstance(func, cst.Attribute) or func.attr.value != "append" or not isinstance(func.value, cst.Name):
            continue
        if len(call.args) == 1 and call.args[0].keyword is None and not call.args[0].star:
            appended.setdefault(func.value.value, []).append(call)
    rows: dict[int, tuple[list[cst.BaseExpression], str]] = {}
    for name, several in appended.items():
        arrays = [c for c in calls if _of_list(c, name) and kinds.path(c.func) in _MAKES_ARRAYS]
        counted = [c for c in calls if _of_list(c, name) and code(c.func) == "len"]
        begins = sum(
            isinstance(a.value, cst.List) and not a.value.elements and code(a.targets[0].target) == name
            for a in nodes_of(function, cst.Assign)
        )
        stored = sum(code(t.target) == name for t in nodes_of(function, cst.AssignTarget))
        everything = sum(n.value == name for n in nodes_of(function, cst.Name))
        if not arrays or begins != 1 or everything != len(several) + len(arrays) + len(counted) + stored:
            continue
        made = [_row(call.args[0].value) for call in several]
        dtypes = {kinds.dtype(call) for call in arrays}
        dtype = dtypes.pop() if len(dtypes) == 1 else None
        if dtype is None or any(row is None for row in made):
            continue
        rows.update({id(call): (row, dtype) for call, row in zip(several, made, strict=True) if row is not None})
    if not rows:
        return function
    new = function.visit(_Tuples(module, kinds, rows))
    assert isinstance(new, cst.FunctionDef)
    module.inherit(new, function)
    return new


def _of_list(call: cst.Call, name: str) -> bool:
    return len(call.args) >= 1 and isinstance(call.args[0].value, cst.Name) and call.args[0].value.value == name


def _row(node: cst.BaseExpression) -> list[cst.BaseExpression] | None:
    """Returns the numbers of a row that is written out, or counted by a range that is; None for any other."""
    if isinstance(node, cst.List) and node.elements:
        parts = [e.value for e in node.elements if isinstance(e, cst.Element)]
        return parts if len(parts) == len(node.elements) <= _LONGEST else None
    if not isinstance(node, cst.ListComp) or node.for_in.ifs or node.for_in.inner_for_in is not None:
        return None
    target, iterated = node.for_in.target, node.for_in.iter
    if not isinstance(target, cst.Name):
        return None
    if isinstance(iterated, cst.Tuple | cst.List):
        values = [e.value for e in iterated.elements]
        if not all(isinstance(v, cst.Integer | cst.Float) for v in values):
            return None
    elif isinstance(iterated, cst.Call) and code(iterated.func) == "range":
        numbers = [a.value for a in iterated.args]
        if not all(isinstance(n, cst.Integer) for n in numbers):
            return None
        values = [cst.Integer(str(n)) for n in range(*(int(code(n)) for n in numbers))]
    else:
        return None
    if not 0 < len(values) <= _LONGEST or _has_scopes(node.elt):
        return None
    return [_Number.put(node.elt, target.value, value) for value in values]


def _has_scopes(node: cst.BaseExpression) -> bool:
    """Says whether an expression binds names of its own."""
    kinds: tuple[Any, ...] = (cst.Lambda, cst.ListComp, cst.GeneratorExp, cst.DictComp, cst.SetComp)
    return any(nodes_of(node, kind) for kind in kinds)


class _Number(Transformer):
    """Puts a number in a name's place."""

    def __init__(self, name: str, value: cst.BaseExpression) -> None:
        super().__init__()
        self.name, self.value = name, value

    @classmethod
    def put(cls, node: cst.BaseExpression, name: str, value: cst.BaseExpression) -> cst.BaseExpression:
        new = node.visit(cls(name, value))
        assert isinstance(new, cst.BaseExpression)
        return new

    def leave_Name(self, original_node: cst.Name, updated_node: cst.Name) -> cst.BaseExpression:
        return self.value if original_node.value == self.name else updated_node

    def leave_Attribute(self, original_node: cst.Attribute, updated_node: cst.Attribute) -> cst.Attribute:
        return updated_node.with_changes(attr=original_node.attr)

    def leave_Arg(self, original_node: cst.Arg, updated_node: cst.Arg) -> cst.Arg:
        return updated_node.with_changes(keyword=original_node.keyword)


class _Tuples(Rewriter):
    def __init__(self, module: Module, kinds: Kinds, rows: dict[int, tuple[list[cst.BaseExpression], str]]) -> None:
        super().__init__(module)
        self.kinds, self.rows = kinds, rows

    def leave_Call(self, original_node: cst.Call, updated_node: cst.Call) -> cst.Call:
        known = self.rows.get(id(original_node))
        if known is None:
            return updated_node
        row, dtype = known
        parts = [self.number(one, original_node.args[0].value, dtype) for one in row]
        elements = [cst.Element(part) for part in parts]
        # a tuple of one number keeps its comma
        value = cst.Tuple(elements if len(elements) > 1 else [cst.Element(parts[0], comma=cst.Comma())])
        return updated_node.with_changes(args=[cst.Arg(value)])

    def number(self, node: cst.BaseExpression, row: cst.BaseExpression, dtype: str) -> cst.BaseExpression:
        fact = self.module.fact(node)
        if fact is None and isinstance(row, cst.ListComp):
            fact = self.module.fact(row.elt)
            self.module.inherit(node, row.elt)
        fact = fact or self.kinds.of(node)
        whole = fact is not None and (
            fact.kind in ("int", "bool") or (fact.dtype or "").startswith(("int", "uint", "bool"))
        )
        if not whole or dtype != "float64":
            return node
        new = cst.Call(cst.parse_expression("__numpy__.float64"), [cst.Arg(node)])
        self.module.inherit(new, node)
        self.module.learn(new, ValueFact("scalar", "float64", ()))
        return new
