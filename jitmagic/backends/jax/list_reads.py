"""Reads of lists that are arrays with a count: elements, lengths, truth values, sums and the like, membership."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import libcst as cst

from jitmagic.backends.jax.list_elements import Element
from jitmagic.backends.jax.list_room import Capacity
from jitmagic.errors import Unsupported
from jitmagic.generate.blocks import code
from jitmagic.generate.kinds import Kinds
from jitmagic.generate.module import Module
from jitmagic.generate.rewriter import Rewriter
from jitmagic.generate.walking import Finder, nodes_of
from jitmagic.observe.facts import ValueFact


@dataclass
class CountedList:
    """A list that becomes an array."""

    name: str
    element: Element
    count: str
    first: str
    capacity: Capacity | None

    def length(self) -> str:
        return f"{self.count} - {self.first}" if self.first else self.count

    def mask(self) -> str:
        """Returns which elements of the array are the list's."""
        places = f"__numpy__.arange(len({self.name}))"
        upper = f"({places} < {self.count})"
        return f"({places} >= {self.first}) & {upper}" if self.first else upper

    def reduced(self, reduction: str) -> str:
        initial = ""
        if reduction in ("max", "min"):
            lowest = "inf" if self.element.dtype.startswith("float") else ""
            word = "max" if reduction == "min" else "min"
            sign = "-" if reduction == "max" else ""
            initial = f", initial={sign}__numpy__.inf" if lowest else (
                f", initial=__numpy__.iinfo(__numpy__.{self.element.dtype}).{word}"
            )  # fmt: skip
        return f"__numpy__.{reduction}({self.name}{initial}, where={self.mask()})"

    def at(self, place: str) -> str:
        """Returns the subscript of element ``place``, counted from the list's own first one."""
        return f"{self.first} + {place}" if self.first else place

    def shown(self, as_array: bool) -> str:
        """Returns the list made of the array, or its rows where only ``np.array`` takes them."""
        rows = f"{{jax}}.device_get({self.name})[{self.first}:{self.count}]"
        if as_array:
            # an empty list has a dtype of its own
            return f"{rows} if {self.count} > {self.first or 0} else []"
        if self.element.tuples:
            return f"list(map(tuple, {rows}.tolist()))"
        return f"{rows}.tolist()" if self.element.plain else f"list({rows})"


class ListReads:
    """What is known of a function's lists, and how expressions read them.

    Attributes
    ----------
    lists : dict of str to CountedList
    known : dict of str to ValueFact
        What the names are that the rewriting makes.
    """

    def __init__(self, module: Module, function: cst.FunctionDef, kinds: Kinds) -> None:
        self.module, self.function, self.kinds = module, function, kinds
        self.lists: dict[str, CountedList] = {}
        self.known: dict[str, ValueFact] = {}

    def refuse(self, node: cst.CSTNode, reason: str, near: cst.CSTNode | None = None) -> Unsupported:
        line = self.module.line(node)
        if line is None and near is not None:
            line = self.module.line(near)
        return Unsupported(f"line {line}: {reason}", line, "JX-LEAK")

    def learned(self, node: cst.CSTNode, like: cst.CSTNode) -> None:
        """Notes what the names in a new node are."""
        for name in nodes_of(node, cst.Name):
            if name.value in self.known:
                self.module.learn(name, self.known[name.value])
                self.module.inherit(name, like)
        for element in nodes_of(node, cst.Subscript):
            one = self.lists.get(code(element.value))
            if one is not None:
                fact = one.element.fact() if len(element.slice) == 1 else ValueFact("scalar", one.element.dtype, ())
                self.module.learn(element, fact)
                self.module.inherit(element, like)

    def reduction(self, call: cst.Call) -> str:
        """Returns the reduction of a list of numbers that a mask can express, empty for any other call."""
        one = self.lists.get(code(call.args[0].value)) if len(call.args) == 1 else None
        if one is None or one.element.shape or one.element.dtype == "bool" or "complex" in one.element.dtype:
            return ""
        path = self.kinds.path(call.func)
        name = (path or "").removeprefix("numpy.") if path is not None else code(call.func)
        builtin = path is None and name in ("sum", "max", "min") and name not in self.kinds.local
        return name if builtin or (path is not None and name in ("sum", "mean", "max", "min")) else ""

    def is_membership(self, node: cst.Comparison) -> bool:
        if len(node.comparisons) != 1 or not isinstance(node.comparisons[0].operator, cst.In | cst.NotIn):
            return False
        one = self.lists.get(code(node.comparisons[0].comparator))
        return one is not None and not one.element.shape

    def inside(self, value: cst.BaseExpression) -> bool:
        """Says whether the compiled function can compute a value, which reads no list as a whole."""
        reads = _Whole(self)
        value.visit(reads)
        return not reads.found

    def reads(self, node: Any, replaced: dict[cst.CSTNode, cst.BaseExpression] | None = None) -> Any:
        new = node.visit(Reads(self, replaced or {}, node))
        return new

    def test(self, node: cst.BaseExpression) -> Any:
        if isinstance(node, cst.Name) and node.value in self.lists:
            new: Any = cst.parse_expression(f"{self.lists[node.value].length()} > 0")
            self.learned(new, node)
            self.module.learn(new, ValueFact("bool"))
            self.module.inherit(new, node)
            return new
        return self.reads(node)


class Reads(Rewriter):
    """Replaces what reads a list by reads of its array and its count."""

    def __init__(self, owner: ListReads, replaced: dict[cst.CSTNode, cst.BaseExpression], near: cst.CSTNode) -> None:
        super().__init__(owner.module)
        self.owner, self.replaced, self.near = owner, replaced, near
        self.allowed: set[cst.CSTNode] = set()

    def made(self, text: str, like: cst.CSTNode, fact: ValueFact | None = None) -> Any:
        new: Any = cst.parse_expression(text)
        self.owner.learned(new, like)
        if fact is not None:
            self.module.learn(new, fact)
        return new

    def listed(self, node: Any) -> CountedList | None:
        return self.owner.lists.get(node.value) if isinstance(node, cst.Name) else None

    def visit_Call(self, node: cst.Call) -> None:
        if node in self.replaced:
            self.allowed.add(node.func.value)  # type: ignore[attr-defined]
        elif len(node.args) == 1 and (code(node.func) in ("len", "bool") or self.owner.reduction(node)):
            self.allowed.add(node.args[0].value)

    def visit_Comparison(self, node: cst.Comparison) -> None:
        if self.owner.is_membership(node):
            self._operands(node.comparisons[0].comparator)

    def leave_Comparison(self, original_node: cst.Comparison, updated_node: cst.Comparison) -> cst.BaseExpression:
        if not self.owner.is_membership(original_node):
            return updated_node
        one = self.owner.lists[code(original_node.comparisons[0].comparator)]
        found = f"__numpy__.any(({one.name} == {code(updated_node.left)}) & {one.mask()})"
        without = isinstance(original_node.comparisons[0].operator, cst.NotIn)
        return self.made(f"__numpy__.logical_not({found})" if without else found, original_node, ValueFact("bool"))

    def leave_Call(self, original_node: cst.Call, updated_node: cst.Call) -> cst.BaseExpression:
        if original_node in self.replaced:
            return self.replaced[original_node]
        if len(original_node.args) == 1 and (one := self.listed(original_node.args[0].value)) is not None:
            called = code(original_node.func)
            reduction = self.owner.reduction(original_node)
            if reduction:
                return self.made(one.reduced(reduction), original_node)
            if called == "len":
                text = f"({one.length()})" if one.first else one.length()
                return self.made(text, original_node, ValueFact("int"))
            if called == "bool":
                return self.made(f"({one.length()} > 0)", original_node, ValueFact("bool"))
        return updated_node

    def _operands(self, *nodes: cst.BaseExpression) -> None:
        self.allowed.update(n for n in nodes if self.listed(n) is not None)

    def visit_BooleanOperation(self, node: cst.BooleanOperation) -> None:
        self._operands(node.left, node.right)

    def leave_BooleanOperation(self, original_node: cst.BooleanOperation, updated_node: Any) -> cst.BaseExpression:
        for side in ("left", "right"):
            one = self.listed(getattr(original_node, side))
            if one is not None:
                updated_node = updated_node.with_changes(**{side: self.made(f"{one.length()} > 0", original_node)})
        return updated_node

    def visit_UnaryOperation(self, node: cst.UnaryOperation) -> None:
        if isinstance(node.operator, cst.Not):
            self._operands(node.expression)

    def leave_UnaryOperation(self, original_node: cst.UnaryOperation, updated_node: Any) -> cst.BaseExpression:
        one = self.listed(original_node.expression) if isinstance(original_node.operator, cst.Not) else None
        if one is None:
            return updated_node
        return self.made(f"{one.length()} == 0", original_node, ValueFact("bool"))

    def visit_IfExp(self, node: cst.IfExp) -> None:
        self._operands(node.test)

    def leave_IfExp(self, original_node: cst.IfExp, updated_node: cst.IfExp) -> cst.BaseExpression:
        one = self.listed(original_node.test)
        if one is None:
            return updated_node
        return updated_node.with_changes(test=self.made(f"{one.length()} > 0", original_node, ValueFact("bool")))

    def visit_Subscript(self, node: cst.Subscript) -> None:
        if self.listed(node.value) is not None and len(node.slice) == 1 and isinstance(node.slice[0].slice, cst.Index):
            self.allowed.add(node.value)

    def leave_Subscript(self, original_node: cst.Subscript, updated_node: cst.Subscript) -> cst.BaseExpression:
        if original_node in self.replaced:
            return self.replaced[original_node]
        one = self.listed(original_node.value)
        if one is None or original_node.value not in self.allowed:
            return updated_node
        old: Any = original_node.slice[0].slice
        new: Any = updated_node.slice[0].slice
        return self.made(f"{one.name}[{self.place(one, old.value, new.value)}]", original_node, one.element.fact())

    def place(self, one: CountedList, old: Any, new: cst.BaseExpression) -> str:
        """Returns where in the array an element of the list is."""
        text = code(new)
        minus = isinstance(old, cst.UnaryOperation) and isinstance(old.operator, cst.Minus)
        if minus and isinstance(old.expression, cst.Integer):
            return f"{one.count} - {code(old.expression)}"
        if isinstance(old, cst.Integer):
            return one.at(text) if text != "0" else (one.first or "0")
        if isinstance(old, cst.Name) and old.value in self.owner.known:
            return one.at(text)
        if not isinstance(new, cst.Name | cst.Call | cst.Subscript):
            text = f"({text})"
        return f"__numpy__.where({text} < 0, {one.count} + {text}, {one.at(text)})"

    def leave_Name(self, original_node: cst.Name, updated_node: cst.Name) -> cst.BaseExpression:
        if self.listed(original_node) is not None and original_node not in self.allowed:
            raise self.owner.refuse(
                self.near,
                f"the list `{original_node.value}` is used here as a whole, and its length depends on array values; "
                "keep an array of fixed size and how much of it is in use",
                original_node,
            )
        return updated_node


class _Whole(Finder):
    """Finds lists that are read as a whole."""

    def __init__(self, owner: ListReads) -> None:
        super().__init__()
        self.owner, self.names = owner, set(owner.lists)
        self.found = False
        self.allowed: set[cst.CSTNode] = set()

    def visit_Call(self, node: cst.Call) -> None:
        if len(node.args) == 1 and (code(node.func) in ("len", "bool") or self.owner.reduction(node)):
            self.allowed.add(node.args[0].value)

    def visit_Comparison(self, node: cst.Comparison) -> None:
        if self.owner.is_membership(node):
            self.allowed.add(node.comparisons[0].comparator)

    def visit_Subscript(self, node: cst.Subscript) -> None:
        if len(node.slice) == 1 and isinstance(node.slice[0].slice, cst.Index):
            self.allowed.add(node.value)

    def visit_IfExp(self, node: cst.IfExp) -> None:
        self.allowed.add(node.test)

    def visit_Name(self, node: cst.Name) -> None:
        self.found = self.found or (node.value in self.names and node not in self.allowed)
