"""Writes dicts that count or gather as Numba types them: from what is first stored in them.

```
counts[key] = counts.get(key, 0) + 1   ->   counts[key] = (counts[key] if key in counts else 0) + 1
total = defaultdict(float)                  total = {}
total[key] += x                        ->   total[key] = (total[key] if key in total else 0.0) + x
Counter(labels)                        ->   counted(labels)
dict(mean=m, std=s)                    ->   {"mean": m, "std": s}
number = {}                            ->   number = Dict.empty(types.int64, types.int64)
number[key] = len(number)                   number[key] = len(number)
```

`[[] for _ in range(n)]`, lists of neighbours, gets the type of what is appended to its rows.

Of an empty dict Numba learns the types by its stores, and not by `.get`; it has no `defaultdict` and no `Counter`. A
key that is read and missing raises KeyError there, where `defaultdict` and `Counter` give a first value.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import libcst as cst

from jitmagic.backends.numba.rewrites.context import Context, NumbaRewriter, code, expression, scalar_path
from jitmagic.errors import Unsupported
from jitmagic.generate.walking import nodes_of

_FIRST = {"int": "0", "float": "0.0"}

_NUMBERS = {"int": "int64", "float": "float64", "bool": "bool"}
_KINDS = frozenset({"int", "float", "bool", "scalar"})

_EMPTY = "numba.typed.Dict"
"""Numba's own dict, which is told its types."""

_TYPES = {"bool": "boolean", "int8": "int64", "int16": "int64", "int32": "int64"}
"""Numba's names for dtypes, where they are others; whole numbers that are given on become wide ones there."""

_COUNTED = """
@njit(error_model="numpy")
def {name}(values):
    # how often each value occurs, in the order of their first
    counts = {}
    for value in values:
        if value in counts:
            counts[value] += 1
        else:
            counts[value] = 1
    return counts
"""


class Dicts(NumbaRewriter):
    """Makes each dict one whose stores tell its types."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._first: list[dict[str, str]] = []
        self._named: dict[cst.CSTNode, str] = {}

    def visit_FunctionDef(self, node: cst.FunctionDef) -> None:
        super().visit_FunctionDef(node)
        self._first.append(self._defaults(node))

    def leave_FunctionDef(self, original_node: cst.FunctionDef, updated_node: cst.FunctionDef) -> cst.FunctionDef:
        self._first.pop()
        return super().leave_FunctionDef(original_node, updated_node)

    def _defaults(self, function: cst.FunctionDef) -> dict[str, str]:
        """Returns the names of `defaultdict`s of numbers, and what a missing key stands for."""
        found = {}
        for node in nodes_of(function, cst.Assign):
            target, value = node.targets[0].target, node.value
            if isinstance(target, cst.Name) and len(node.targets) == 1 and self._default(value) is not None:
                found[target.value] = str(self._default(value))
        return found

    def _default(self, node: cst.BaseExpression) -> str | None:
        if not isinstance(node, cst.Call) or self.path(node.func) != "collections.defaultdict" or len(node.args) != 1:
            return None
        kind = node.args[0].value
        if isinstance(kind, cst.Lambda) and not kind.params.params and isinstance(kind.body, cst.Integer | cst.Float):
            return code(kind.body)
        return _FIRST.get(kind.value) if isinstance(kind, cst.Name) else None

    def leave_Call(self, original_node: cst.Call, updated_node: cst.Call) -> cst.BaseExpression:
        func, args = updated_node.func, updated_node.args
        path = self.path(original_node.func)
        if self._first and self._default(original_node) is not None:
            return cst.Dict([])
        if path == "collections.Counter" and len(args) == 1 and not args[0].star and args[0].keyword is None:
            return cst.Call(self.context.helper("counted", _COUNTED), [cst.Arg(args[0].value)])
        if path == "collections.Counter" and not args:
            return cst.Dict([])
        if isinstance(func, cst.Name) and func.value == "dict" and args and all(a.keyword is not None for a in args):
            return updated_node if self._is_taken("dict") else _display(args)
        if not isinstance(func, cst.Attribute) or func.attr.value != "get" or len(args) != 2 or not self.functions:
            return updated_node
        assert isinstance(original_node.func, cst.Attribute)
        fact = self.fact(original_node.func.value)
        if not isinstance(func.value, cst.Name) or (fact is not None and fact.kind not in ("dict", "object")):
            return updated_node
        if any(a.keyword is not None or a.star for a in args):
            return updated_node
        key = args[0].value
        self._check(original_node, key)
        made = expression("({d}[{k}] if {k} in {d} else {v})", d=func.value, k=key, v=args[1].value)
        return made

    def _is_taken(self, name: str) -> bool:
        """Says whether the user has given one of Python's names to something else."""
        own = {function.name.value for function in self.module.functions()}
        return name in self.module.names or name in own or bool(self._locals and name in self._locals[-1])

    def leave_ListComp(self, original_node: cst.ListComp, updated_node: cst.ListComp) -> cst.BaseExpression:
        """Writes `[[] for _ in range(n)]` with a first number cut off: by itself it tells no type."""
        empty = updated_node.elt
        parent = self._named.get(original_node)
        if not isinstance(empty, cst.List) or empty.elements or parent is None or not self.functions:
            return updated_node
        firsts: set[str | None] = set()
        for call in nodes_of(self.functions[0], cst.Call):
            func = call.func
            if not isinstance(func, cst.Attribute) or func.attr.value != "append" or len(call.args) != 1:
                continue
            if isinstance(func.value, cst.Subscript) and code(func.value.value) == parent:
                firsts.add(self._zero(call.args[0].value))
        first = firsts.pop() if len(firsts) == 1 else None
        return updated_node if first is None else updated_node.with_changes(elt=cst.parse_expression(f"[{first}][:0]"))

    def leave_Dict(self, original_node: cst.Dict, updated_node: cst.Dict) -> cst.BaseExpression:
        """Tells an empty dict its types where what is stored depends on its length, which Numba asks for first."""
        name = self._named.get(original_node)
        if updated_node.elements or name is None or not self.functions:
            return updated_node
        keys, values = set[str | None](), set[str | None]()
        lengths = 0
        for node in nodes_of(self.functions[0], cst.Assign):
            target = node.targets[0].target
            if not isinstance(target, cst.Subscript) or code(target.value) != name or len(target.slice) != 1:
                continue
            index = target.slice[0].slice
            keys.add(self._dtype(index.value) if isinstance(index, cst.Index) else None)
            values.add(self._dtype(node.value))
            lengths += any(code(call) == f"len({name})" for call in nodes_of(node.value, cst.Call))
        if not lengths or None in keys | values or len(keys) != 1 or len(values) != 1:
            return updated_node
        imports = self.context.imports
        found = [_TYPES.get(str(one), one) for one in (*keys, *values)]
        types = [f"{imports.code('numba.types')}.{one}" for one in found]
        return cst.parse_expression(f"{imports.code(_EMPTY)}.empty({', '.join(types)})")

    def _dtype(self, node: cst.BaseExpression) -> str | None:
        """Returns the dtype of an expression that was a number."""
        fact = self.fact(node)
        return _NUMBERS.get(fact.kind, fact.dtype) if fact is not None and fact.kind in _KINDS else None

    def _zero(self, node: cst.BaseExpression) -> str | None:
        """Returns a number, or a tuple of numbers, of the type that an expression has."""
        if isinstance(node, cst.Tuple):
            parts = [self._zero(element.value) for element in node.elements]
            return None if None in parts or len(parts) < 2 else f"({', '.join(str(part) for part in parts)})"
        dtype = self._dtype(node)
        return None if dtype is None else f"{self.context.imports.code(scalar_path(dtype))}(0)"

    def visit_Assign(self, node: cst.Assign) -> None:
        if len(node.targets) == 1 and isinstance(node.targets[0].target, cst.Name):
            self._named[node.value] = node.targets[0].target.value

    def leave_AugAssign(self, original_node: cst.AugAssign, updated_node: cst.AugAssign) -> Any:
        """Writes `total[key] += x` of a `defaultdict` with the first value spelled out."""
        target = updated_node.target
        if not isinstance(target, cst.Subscript) or not isinstance(target.value, cst.Name) or not self._first:
            return updated_node
        first = self._first[-1].get(target.value.value)
        index = target.slice[0].slice
        if first is None or not isinstance(updated_node.operator, cst.AddAssign) or len(target.slice) != 1:
            return updated_node
        if not isinstance(index, cst.Index):
            return updated_node
        self._check(original_node, index.value)
        value = updated_node.value
        if isinstance(value, cst.BinaryOperation | cst.IfExp | cst.Comparison) and not value.lpar:
            value = value.with_changes(lpar=[cst.LeftParen()], rpar=[cst.RightParen()])
        text = f"({{d}}[{{k}}] if {{k}} in {{d}} else {first}) + {{v}}"
        made = expression(text, d=target.value, k=index.value, v=value)
        return cst.Assign([cst.AssignTarget(target)], made)

    def _check(self, node: cst.CSTNode, key: cst.BaseExpression) -> None:
        """Refuses a key whose reading might change something: it is read twice."""
        for call in nodes_of(key, cst.Call):
            if not isinstance(call.func, cst.Name) or call.func.value not in ("int", "float", "min", "max", "abs"):
                line = self.module.line(node)
                raise Unsupported(
                    f"line {line}: the key `{code(key)}` of a dict is read twice in Numba's form: give it a name first",
                    line, "NB-SYNTAX",
                )  # fmt: skip


def _display(args: Sequence[cst.Arg]) -> cst.Dict:
    """Writes the keywords of `dict(a=x)` as keys."""
    elements = [
        cst.DictElement(cst.SimpleString(f'"{a.keyword.value}"'), a.value) for a in args if a.keyword is not None
    ]
    return cst.Dict(elements)
