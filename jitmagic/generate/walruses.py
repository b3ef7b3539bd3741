"""Takes assignments out of expressions, to a line of their own above: `if (j := i - w) >= 0:`.

```
if (j := i - w) >= 0:        j = i - w
    …                   ->   if j >= 0:
                                 …
```

Only where the line above is the same: the assignment is made in any case, and nothing that the statement does before it
could be seen from it. Those of `while`, of `elif` and behind `and` stay.
"""

from __future__ import annotations

from typing import Any

import libcst as cst

from jitmagic.generate.blocks import code, leading, made
from jitmagic.generate.module import Module
from jitmagic.generate.rewriter import Rewriter
from jitmagic.generate.walking import children, nodes_of

_STEADY = (
    cst.Name, cst.Attribute, cst.Integer, cst.Float, cst.Imaginary, cst.SimpleString, cst.BinaryOperation,
    cst.UnaryOperation, cst.Tuple, cst.List, cst.Element, cst.Subscript, cst.SubscriptElement, cst.Index, cst.Slice,
    cst.BaseBinaryOp, cst.BaseUnaryOp, cst.BaseCompOp, cst.Arg,
)  # fmt: skip
"""What is evaluated from the left to the right, and changes nothing."""


def without_walruses(module: Module, tree: cst.Module) -> cst.Module:
    """Returns the tree with as many assignments inside expressions as can be on lines of their own."""
    if not nodes_of(tree, cst.NamedExpr):
        return tree
    return tree.visit(_Lines(module))


class _Lines(Rewriter):
    def __init__(self, module: Module) -> None:
        super().__init__(module)
        self._elif: set[cst.CSTNode] = set()

    def visit_If(self, node: cst.If) -> None:
        if isinstance(node.orelse, cst.If):
            self._elif.add(node.orelse)

    def leave_If(self, original_node: cst.If, updated_node: cst.If) -> Any:
        if original_node in self._elif:
            return updated_node
        return self._taken(original_node, updated_node, updated_node.test)

    def leave_SimpleStatementLine(self, original_node: cst.SimpleStatementLine, updated_node: Any) -> Any:
        if len(updated_node.body) != 1:
            return updated_node
        one = updated_node.body[0]
        if isinstance(one, cst.AugAssign) and not isinstance(one.target, cst.Name):
            return updated_node  # its target is evaluated first
        read = frozenset({code(one.target)}) if isinstance(one, cst.AugAssign) else frozenset()
        value = one.value if isinstance(one, cst.Assign | cst.AugAssign | cst.Expr | cst.Return) else None
        return updated_node if value is None else self._taken(original_node, updated_node, value, read)

    def _taken(self, original: cst.CSTNode, updated: Any, value: Any, read: frozenset[str] = frozenset()) -> Any:
        walk = _Order(read)
        walk.visit(value)
        if not walk.found:
            return updated
        before = []
        for one in walk.found:
            assert isinstance(one.target, cst.Name)
            statement = made(f"{one.target.value} = 0", original)
            assign = statement.body[0].with_changes(value=one.value)
            before.append(statement.with_changes(body=[assign]))
        before[0] = leading(before[0], updated)
        statement = _replaced(updated, walk.found, self.module).with_changes(leading_lines=())
        self.module.inherit(statement, original)
        return cst.FlattenSentinel([*before, statement])


class _Order:
    """Finds the assignments of an expression that may be made before it, in their order."""

    def __init__(self, read: frozenset[str]) -> None:
        self.found: list[cst.NamedExpr] = []
        self._read = set(read)
        self._open = True

    def visit(self, node: cst.CSTNode) -> None:
        if not self._open:
            return
        if isinstance(node, cst.NamedExpr):
            target = node.target.value if isinstance(node.target, cst.Name) else ""
            # what it calls might change what was read before
            seen = bool(self._read) and bool(nodes_of(node.value, cst.Call))
            if seen or not target or target in self._read or nodes_of(node.value, cst.NamedExpr):
                self._open = False
                return
            self.found.append(node)
        elif isinstance(node, cst.Name):
            self._read.add(node.value)
        elif isinstance(node, cst.Attribute):
            self.visit(node.value)
        elif isinstance(node, cst.BooleanOperation):
            self.visit(node.left)
            self._open = False
        elif isinstance(node, cst.IfExp):
            self.visit(node.test)
            self._open = False
        elif isinstance(node, cst.Comparison):
            self.visit(node.left)
            self.visit(node.comparisons[0].comparator)
            self._open = self._open and len(node.comparisons) == 1
        elif isinstance(node, cst.Call):
            self.visit(node.func)
            for argument in node.args:
                self.visit(argument.value)
            self._open = False  # what it does would be seen
        elif isinstance(node, _STEADY):
            for part in children(node):
                self.visit(part)
        else:
            self._open = False


def _replaced(node: Any, found: list[cst.NamedExpr], module: Module) -> Any:
    return node.visit(_Names(module, found))


class _Names(Rewriter):
    """Writes the names in the place of assignments."""

    def __init__(self, module: Module, found: list[cst.NamedExpr]) -> None:
        super().__init__(module)
        self._found = found

    def leave_NamedExpr(self, original_node: cst.NamedExpr, updated_node: cst.NamedExpr) -> cst.BaseExpression:
        if not any(original_node is one for one in self._found):
            return updated_node
        assert isinstance(updated_node.target, cst.Name)
        return cst.Name(updated_node.target.value)
