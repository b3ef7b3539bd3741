"""What a loop's steps give: elements stored at the loop's own index, sums, elements appended to lists.

Read off a body whose stores are functional already: ``y = y.at[i].set(v)``, ``s += v``, ``hist = hist.at[b].add(v)``,
``xs.append(v)``. Each is one value a step; what becomes of the values is written behind the loop.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import libcst as cst

from jitmagic.backends.jax.sums import terms, written
from jitmagic.generate import names as name_tools
from jitmagic.generate.blocks import code, small
from jitmagic.generate.kinds import Kinds


@dataclass
class Output:
    """One value of each step.

    Attributes
    ----------
    kind : str
        ``"store"`` at the loop's index, ``"scatter"`` (added at computed places), ``"place"`` (added at one place),
        ``"sum"`` of a number, ``"list"``.
    name : str
    value : libcst.BaseExpression
    index : list of str
        The subscripts of a store.
    mapped : int
        Which of them is the loop's index.
    offset : str
        What is added to the loop's index there.
    method : str
        ``"set"`` or a method that changes the element, as ``"add"``.
    mask : str
        Which steps give something, over all of them; empty where all do.
    """

    kind: str
    name: str
    value: cst.BaseExpression
    index: list[str] = field(default_factory=list)
    mapped: int = -1
    offset: str = "0"
    method: str = "set"
    statement: Any = None
    mask: str = ""

    def own(self) -> str:
        return f"{self.name}[{', '.join(self.index)}]"

    def subscripts(self) -> list[cst.BaseExpression]:
        """Returns the expressions among its subscripts, a slice's bounds each by itself."""
        texts = [part for text in self.index for part in (text.split(":") if is_slice(text) else [text])]
        return [cst.parse_expression(text) for text in texts if text.strip()]

    def reads(self) -> frozenset[str]:
        """Returns the names that its value and its subscripts read."""
        return name_tools.loads(self.value).union(*(name_tools.loads(one) for one in self.subscripts()))


def appended(statement: Any) -> tuple[str, cst.BaseExpression] | None:
    """Returns list and value of ``xs.append(v)``."""
    one = small(statement)
    call = one.value if isinstance(one, cst.Expr) else None
    if (
        isinstance(call, cst.Call)
        and isinstance(call.func, cst.Attribute)
        and call.func.attr.value == "append"
        and isinstance(call.func.value, cst.Name)
        and len(call.args) == 1
    ):
        return call.func.value.value, call.args[0].value
    return None


def output_of(statement: Any, index: str | None, fixed: frozenset[str], kinds: Kinds) -> Output | None:
    """Returns what a statement gives in each step; None where it is any other statement.

    Parameters
    ----------
    statement : libcst.CSTNode
    index : str or None
        The name that counts the loop.
    fixed : frozenset of str
        Names that the loop's body binds: what reads them differs from step to step.
    kinds : Kinds
    """
    found = appended(statement)
    if found is not None:
        return Output("list", *found, statement=statement)
    one = small(statement)
    if isinstance(one, cst.AugAssign) and isinstance(one.target, cst.Name):
        symbol = code(one.operator).strip()
        if symbol not in ("+=", "-="):
            return None
        value = one.value if symbol == "+=" else _negative(one.value)
        return Output("sum", one.target.value, value, method="add", statement=statement)
    if not isinstance(one, cst.Assign) or len(one.targets) != 1 or not isinstance(one.targets[0].target, cst.Name):
        return None
    name = one.targets[0].target.value
    found_store = stored(one.value, name)
    if found_store is None:
        change = _added(one.value, name)
        if change is None:
            return None
        return Output("sum", name, change, method="add", statement=statement)
    elements, method, value = found_store
    if not all(isinstance(e.slice, cst.Slice) or is_number(e.slice, kinds, index) for e in elements):
        return None  # index arrays
    texts = [code(e.with_changes(comma=cst.MaybeSentinel.DEFAULT)) for e in elements]
    own = f"{name}[{', '.join(texts)}]"
    if method == "set" and (change := _added(value, own)) is not None:
        method, value = "add", change
    mapped, offset = _mapped(elements, index, fixed)
    if mapped >= 0:
        return Output("store", name, value, texts, mapped, offset, method, statement)
    if method != "add":
        return None
    if any(not isinstance(e.slice, cst.Index) for e in elements):
        moving = any(name_tools.loads(e) & (fixed | {index or ""}) for e in elements)
        return None if moving else Output("place", name, value, texts, method=method, statement=statement)
    moving = any(name_tools.loads(e) & (fixed | {index or ""}) for e in elements)
    return Output("scatter" if moving else "place", name, value, texts, method=method, statement=statement)


def is_number(node: Any, kinds: Kinds, index: str | None = None) -> bool:
    """Says whether a subscript, or a part of one, is one whole number in each step."""
    node = getattr(node, "value", node) if isinstance(node, cst.Index) else node
    if isinstance(node, cst.Integer) or kinds.is_number(node):
        return True
    if isinstance(node, cst.Name):
        known = [f for f in kinds.names.get(node.value, []) if f.kind != "mixed"]
        return node.value == index or (bool(known) and all(f.kind in ("int", "scalar", "bool") for f in known))
    if isinstance(node, cst.BinaryOperation):
        return is_number(node.left, kinds, index) and is_number(node.right, kinds, index)
    if isinstance(node, cst.UnaryOperation):
        return is_number(node.expression, kinds, index)
    if isinstance(node, cst.Subscript):
        return isinstance(node.value, cst.Attribute) and node.value.attr.value == "shape"
    if isinstance(node, cst.Call):
        return code(node.func) == "len"
    return isinstance(node, cst.Attribute) and node.attr.value in ("size", "ndim")


def keeps_axes(elements: Sequence[cst.SubscriptElement], kinds: Kinds, index: str | None = None) -> bool:
    """Says whether a first whole number may be taken off a subscript: an index array behind a slice moves the axes."""
    arrays = [not isinstance(e.slice, cst.Slice) and not is_number(e.slice, kinds, index) for e in elements]
    return not any(arrays) or not any(isinstance(e.slice, cst.Slice) for e in elements)


def _mapped(elements: Sequence[cst.SubscriptElement], index: str | None, fixed: frozenset[str]) -> tuple[int, str]:
    """Returns which subscript is the loop's index plus something that stays, and what; -1 where none or several are."""
    found, offset = -1, "0"
    for position, element in enumerate(elements):
        reads = name_tools.loads(element)
        if reads & fixed:
            return -1, "0"
        if index is None or index not in reads:
            continue
        if found >= 0 or not isinstance(element.slice, cst.Index):
            return -1, "0"
        parts = terms(element.slice.value)
        if parts.pop(index, 0) != 1 or any(index in name_tools.loads(cst.parse_expression(t)) for t in parts if t):
            return -1, "0"
        found, offset = position, written({t: n for t, n in parts.items() if n})
    return found, offset


def stored(node: Any, name: str) -> tuple[Sequence[cst.SubscriptElement], str, cst.BaseExpression] | None:
    """Returns subscripts, method and value of ``x.at[…].set(v)``."""
    if not isinstance(node, cst.Call) or not isinstance(node.func, cst.Attribute) or len(node.args) != 1:
        return None
    subscript = node.func.value
    if not isinstance(subscript, cst.Subscript) or code(subscript.value) != f"{name}.at":
        return None
    if node.func.attr.value not in ("set", "add", "multiply", "divide"):
        return None
    return subscript.slice, node.func.attr.value, node.args[0].value


def _added(node: Any, old: str) -> cst.BaseExpression | None:
    """Returns ``v`` of ``old + v``, ``old - v`` and of their selections, as ``where(c, old + v, old)``."""
    if isinstance(node, cst.BinaryOperation) and isinstance(node.operator, cst.Add | cst.Subtract):
        minus = isinstance(node.operator, cst.Subtract)
        if code(node.left) == old:
            return _negative(node.right) if minus else node.right
        if code(node.right) == old and not minus:
            return node.left
        # `(old + a) + b`, which rounds otherwise than `old + (a + b)`, as any other sum does
        return None
    if isinstance(node, cst.Call) and code(node.func) == "__numpy__.where" and len(node.args) == 3:
        test, *ways = (a.value for a in node.args)
        changes = [None if code(w) == old else _added(w, old) for w in ways]
        if all(c is None for c in changes) or any(
            c is None and code(w) != old for c, w in zip(changes, ways, strict=True)
        ):
            return None
        texts = ["0" if c is None else code(c) for c in changes]
        return cst.parse_expression(f"__numpy__.where({code(test)}, {', '.join(texts)})")
    return None


def _negative(node: cst.BaseExpression) -> cst.BaseExpression:
    text = code(node)
    tight = isinstance(node, cst.Name | cst.Call | cst.Subscript | cst.Attribute | cst.Integer | cst.Float)
    return cst.parse_expression(f"-{text}" if tight or bool(getattr(node, "lpar", False)) else f"-({text})")


def is_slice(text: str) -> bool:
    """Says whether a subscript as text is a slice."""
    return ":" in text and not text.startswith("(")
