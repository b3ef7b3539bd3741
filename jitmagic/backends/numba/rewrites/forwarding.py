"""Arrays that a loop makes for one use are worked out where they are used: Numba makes one loop of both expressions.

`S = a*b` and, behind it, `C = np.maximum(C, K - S)` becomes `C = np.maximum(C, K - a*b)`, where nothing else reads `S`
and nothing in between changes what it was made of. Only sums and products move: they cost less than the memory.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import libcst as cst

from jitmagic.analysis.aliases import Aliases
from jitmagic.backends.numba.rewrites.context import Context
from jitmagic.backends.numba.rewrites.elements import ElementRewriter, is_usable
from jitmagic.backends.numba.rewrites.windows import window_of
from jitmagic.generate import names as name_tools
from jitmagic.generate.blocks import small, statements
from jitmagic.generate.liveness import Liveness, live_names
from jitmagic.generate.walking import children, nodes_of
from jitmagic.observe.facts import Span

_NUMBERS = frozenset({"int", "float", "bool", "complex", "scalar"})


class Forwarding(ElementRewriter):
    """Rewrites pairs of statements in loops.

    Parameters
    ----------
    context : Context
    aliases : Aliases
    spans : tuple of Span
        Loops that run in parallel, in which nothing is rewritten.
    """

    def __init__(self, context: Context, aliases: Aliases, spans: tuple[Span, ...] = ()) -> None:
        super().__init__(context)
        self._aliases = aliases
        self._spans = spans
        self._live = Liveness()
        self._captured: frozenset[str] = frozenset()
        self._put: dict[cst.CSTNode, cst.BaseExpression] = {}
        self._gone: set[cst.CSTNode] = set()

    def visit_FunctionDef(self, node: cst.FunctionDef) -> None:
        super().visit_FunctionDef(node)
        if len(self.functions) != 1 or self.context.every or self.context.parallel:
            return
        self._captured = name_tools.captured(node)
        self._live = live_names(statements(node), self._captured)

    def visit_For(self, node: cst.For) -> None:
        self._block(statements(node))

    def visit_While(self, node: cst.While) -> None:
        self._block(statements(node))

    def leave_SimpleStatementLine(self, original_node: cst.SimpleStatementLine, updated_node: Any) -> Any:
        return cst.RemoveFromParent() if original_node in self._gone else updated_node

    def leave_Assign(self, original_node: cst.Assign, updated_node: cst.Assign) -> cst.Assign:
        if any(name in self._put for name in nodes_of(original_node.value, cst.Name)):
            self.context.joined.add(updated_node)
        return updated_node

    def leave_Name(self, original_node: cst.Name, updated_node: cst.Name) -> cst.BaseExpression:
        value = self._put.get(original_node)
        if value is None:
            return updated_node
        return value.with_changes(lpar=[cst.LeftParen()], rpar=[cst.RightParen()])

    def _block(self, body: Sequence[Any]) -> None:
        if len(self.functions) != 1 or self.context.every or self.context.parallel:
            return
        for position, statement in enumerate(body):
            one = small(statement)
            if not isinstance(one, cst.Assign) or len(one.targets) != 1 or len(statement.body) != 1:
                continue
            target = one.targets[0].target
            if isinstance(target, cst.Name) and self._moves(one.value):
                use = self._use(body[position + 1 :], target.value, one.value)
                if use is not None and not set(nodes_of(one.value, cst.Name)) & set(self._put):
                    self._put[use] = one.value
                    self._gone.add(statement)

    def _moves(self, node: cst.BaseExpression) -> bool:
        """Says whether an expression is of sums and products of arrays, parts of them and numbers."""
        fact = self.fact(node)
        if not isinstance(node, cst.BinaryOperation) or fact is None or not is_usable(fact):
            return False
        return fact.dtype in ("float64", "float32") and all(self._is_plain(part) for part in (node.left, node.right))

    def _is_plain(self, node: cst.BaseExpression) -> bool:
        fact = self.fact(node)
        if fact is None:
            return False
        if isinstance(node, cst.BinaryOperation):
            plain = isinstance(node.operator, cst.Add | cst.Subtract | cst.Multiply)
            return plain and self._is_plain(node.left) and self._is_plain(node.right)
        if isinstance(node, cst.UnaryOperation):
            return self._is_plain(node.expression)
        if fact.kind in _NUMBERS:
            return isinstance(node, cst.Name | cst.Integer | cst.Float)
        return isinstance(node, cst.Name) or window_of(node) is not None

    def _use(self, body: Sequence[Any], name: str, value: cst.BaseExpression) -> cst.Name | None:
        """Returns the one place where a name is read, if its value can be worked out there as well."""
        reads = name_tools.loads(value)
        for statement in body:
            one = small(statement)
            if one is None or len(statement.body) != 1 or not isinstance(one, cst.Assign | cst.AugAssign):
                return None
            if name in name_tools.all_names(statement):
                places = [node for node in nodes_of(statement, cst.Name) if node.value == name]
                after = self._live.after.get(statement, frozenset()) | self._captured
                single = len(places) == 1 and name not in after and self._in_arithmetic(one.value, places[0])
                return places[0] if single and not self._stores(one, reads) else None
            if name_tools.bound(statement) & reads or self._stores(one, reads):
                return None
        return None

    def _in_arithmetic(self, node: cst.CSTNode, place: cst.Name) -> bool:
        """Says whether a place is an operand of arithmetic on whole arrays, from the statement's value on."""
        if node is place:
            return False
        while True:
            if not isinstance(node, cst.BinaryOperation | cst.UnaryOperation | cst.Call | cst.Arg):
                return False
            if isinstance(node, cst.BinaryOperation) and isinstance(node.operator, cst.MatrixMultiply):
                return False
            if isinstance(node, cst.Call) and (not self.is_elementwise(node) or self.path(node.func) is None):
                return False
            inner = next((one for one in children(node) if place in nodes_of(one, cst.Name)), None)
            if inner is None or inner is place:
                return inner is place
            node = inner

    def _stores(self, one: cst.Assign | cst.AugAssign, reads: frozenset[str]) -> bool:
        """Says whether a statement may store into an array that is read."""
        target = one.targets[0].target if isinstance(one, cst.Assign) else one.target
        if isinstance(target, cst.Subscript):
            changed: cst.BaseExpression | None = target.value
        else:
            changed = target if isinstance(one, cst.AugAssign) else None
        called = [call for call in nodes_of(one, cst.Call) if self.path(call.func) is None]
        if called or any(a.keyword is not None and a.keyword.value == "out" for a in nodes_of(one, cst.Arg)):
            return True
        if changed is None:
            return False
        if not isinstance(changed, cst.Name):
            return True
        return self.may_share(self._aliases, changed.value, reads)
