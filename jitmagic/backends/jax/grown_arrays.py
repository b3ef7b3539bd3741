"""Rewrite arrays that ``np.append`` makes longer step by step as lists, of which an array is made where it is read.

out = np.array([])                     out = []
for v in x:                            for v in x:
    if v > t:                   ->         if v > t:
        out = np.append(out, v)                out.append(v)
return out                             return np.array(out)
"""

from __future__ import annotations

from typing import Any

import libcst as cst

from jitmagic.generate import names as name_tools
from jitmagic.generate.blocks import code, each_function
from jitmagic.generate.kinds import Kinds
from jitmagic.generate.module import Module
from jitmagic.generate.rewriter import Rewriter
from jitmagic.generate.walking import nodes_of
from jitmagic.observe.facts import ValueFact

_EMPTY = ("np.array([])", "np.empty(0)", "np.zeros(0)", "np.empty((0,))", "np.zeros((0,))", "np.array([],dtype=float)")


def grown_as_lists(module: Module, tree: cst.Module, kinds: dict[str, Kinds]) -> cst.Module:
    """Returns the tree with lists for arrays that begin empty and take up one number at a time."""
    return each_function(tree, kinds, lambda function, known: _function(module, function, known))


def _function(module: Module, function: cst.FunctionDef, kinds: Kinds) -> cst.FunctionDef:
    grown: dict[str, tuple[str, bool]] = {}
    for name in {code(t.target) for a in nodes_of(function, cst.Assign) for t in a.targets}:
        given = [a for a in nodes_of(function, cst.Assign) if any(code(t.target) == name for t in a.targets)]
        begins = [a for a in given if _is_empty(a.value, kinds)]
        takes = [a for a in given if _taken_up(a.value, name, kinds) is not None]
        bound: list[Any] = [*nodes_of(function, cst.AugAssign), *nodes_of(function, cst.For)]
        others = [n for n in bound if name in name_tools.targets(n.target)]
        stored = [t for t in nodes_of(function, cst.AssignTarget) if isinstance(t.target, cst.Subscript) and
                  code(t.target.value) == name]  # fmt: skip
        if any("." not in code(a.value.func) for a in takes):  # type: ignore[attr-defined]
            continue  # NumPy goes by no name
        inner = [f for f in nodes_of(function.body, cst.FunctionDef) if name in name_tools.loads(f)]
        if len(begins) != 1 or not takes or len(begins) + len(takes) != len(given) or others or stored or inner:
            continue
        if name in name_tools.parameters(function) or any(len(a.targets) != 1 for a in given):
            continue
        numbers = [kinds.of(taken) for a in takes if (taken := _taken_up(a.value, name, kinds)) is not None]
        floats = all(f is not None and (f.kind == "float" or f.dtype == "float64") for f in numbers)
        # NumPy's has the dtype of the empty array with which it began
        grown[name] = (code(takes[0].value.func).rpartition(".")[0], not floats)  # type: ignore[attr-defined]
    if not grown:
        return function
    new = function.visit(_Lists(module, grown, kinds))
    assert isinstance(new, cst.FunctionDef)
    module.inherit(new, function)
    return new


def _is_empty(node: cst.BaseExpression, kinds: Kinds) -> bool:
    """Says whether an expression makes an array of no elements, whose dtype is float64."""
    if not isinstance(node, cst.Call) or kinds.path(node.func) not in ("numpy.array", "numpy.empty", "numpy.zeros"):
        return False
    name = (kinds.path(node.func) or "").removeprefix("numpy.")
    text = f"np.{name}({', '.join(code(a.with_changes(comma=cst.MaybeSentinel.DEFAULT)) for a in node.args)})"
    return text.replace(" ", "") in _EMPTY


def _taken_up(node: cst.BaseExpression, name: str, kinds: Kinds) -> cst.BaseExpression | None:
    """Returns the number that ``np.append(out, v)`` adds."""
    if not isinstance(node, cst.Call) or kinds.path(node.func) != "numpy.append" or len(node.args) != 2:
        return None
    first, second = node.args
    if code(first.value) != name or first.keyword is not None or second.keyword is not None:
        return None
    return second.value if kinds.is_number(second.value) and name not in name_tools.loads(second.value) else None


class _Lists(Rewriter):
    def __init__(self, module: Module, grown: dict[str, tuple[str, bool]], kinds: Kinds) -> None:
        super().__init__(module)
        self.grown, self.kinds = grown, kinds

    def visit_Assign(self, node: cst.Assign) -> bool:
        return code(node.targets[0].target) not in self.grown

    def leave_Assign(self, original_node: cst.Assign, updated_node: cst.Assign) -> Any:
        name = code(original_node.targets[0].target)
        if name not in self.grown:
            return updated_node
        number = _taken_up(original_node.value, name, self.kinds)
        if number is None:
            return original_node.with_changes(targets=[cst.AssignTarget(self.list(name))], value=cst.List([]))
        call = cst.Call(cst.Attribute(self.list(name), cst.Name("append")), [cst.Arg(number)])
        return cst.Expr(call)

    def list(self, name: str) -> cst.Name:
        new = cst.Name(name)
        self.module.learn(new, ValueFact("list", items=(ValueFact("scalar", "float64", ()),)))
        return new

    def visit_Call(self, node: cst.Call) -> bool:
        return not (code(node.func) == "len" and len(node.args) == 1 and code(node.args[0].value) in self.grown)

    def visit_Subscript(self, node: cst.Subscript) -> bool:
        return not self.of_a_list(node)

    def of_a_list(self, node: cst.Subscript) -> bool:
        """Says whether a subscript takes one element: a list has it as the array does."""
        if not isinstance(node.value, cst.Name) or node.value.value not in self.grown or len(node.slice) != 1:
            return False
        index = node.slice[0].slice
        return (
            isinstance(index, cst.Index)
            and self.kinds.is_number(index.value)
            and not (name_tools.loads(index.value) & set(self.grown))
        )

    def leave_Attribute(self, original_node: cst.Attribute, updated_node: cst.Attribute) -> cst.BaseExpression:
        if code(original_node.value) in self.grown and original_node.attr.value == "size":
            return cst.parse_expression(f"len({code(original_node.value)})")
        return updated_node.with_changes(attr=original_node.attr)

    def leave_Arg(self, original_node: cst.Arg, updated_node: cst.Arg) -> cst.Arg:
        return updated_node.with_changes(keyword=original_node.keyword)

    def leave_Name(self, original_node: cst.Name, updated_node: cst.Name) -> cst.BaseExpression:
        if original_node.value not in self.grown:
            return updated_node
        head, cast = self.grown[original_node.value]
        made = cst.Call(cst.parse_expression(f"{head}.array"), [cst.Arg(self.list(original_node.value))])
        if not cast:
            return made
        wide = cst.parse_expression(f"{head}.float64")
        return cst.Call(cst.Attribute(made, cst.Name("astype")), [cst.Arg(wide)])
