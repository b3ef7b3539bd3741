"""Leaves out branches that a call's kinds of arguments decide, where Numba cannot give them the types of the others.

```
if x.ndim == 1:                ->  if x.ndim == 1:
    x = x[:, None]                     raise NotImplementedError("…")
return y.real if real else y   ->  if real: return y.real
                                   else: raise NotImplementedError("…")
```

Numba compiles every branch for the arguments of a call, those too that such a call never comes to, and a name has
one type in all of them. A branch is left out only where its condition asks what an argument *is* (None, its axes, its
dtype, a flag), and where the example did not come there; another call that does is told so by an exception, and gets no
number.
"""

from __future__ import annotations

from typing import Any

import libcst as cst

from jitmagic.analysis.words import words
from jitmagic.backends.numba.rewrites.context import Context, LoopRewriter, NumbaRewriter, code
from jitmagic.generate import names as name_tools
from jitmagic.generate.blocks import made, small, statements
from jitmagic.generate.walking import Finder

_KIND_CALLS = frozenset({"numpy.isscalar", "numpy.iscomplexobj", "numpy.isrealobj", "numpy.issubdtype", "numpy.ndim"})
_BUILTINS = words("isinstance callable hasattr type")
_MESSAGE = "not compiled: the example call did not come here, and Numba wants one type for each name and result"


class Decided(LoopRewriter):
    """Puts an exception in the place of such branches."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self.found = False

    def leave_If(self, original_node: cst.If, updated_node: cst.If) -> cst.If:
        if self.loops or not self.asks_kinds(original_node.test):
            return updated_node
        then, other = statements(original_node), original_node.orelse
        if self._dead(then) and self._matters(original_node.test, then):
            return updated_node.with_changes(body=self._left_out(original_node, then[0]))
        rest = statements(other) if isinstance(other, cst.Else) else ()
        if self._dead(rest) and self._matters(original_node.test, rest) and isinstance(updated_node.orelse, cst.Else):
            body = self._left_out(original_node, rest[0])
            return updated_node.with_changes(orelse=updated_node.orelse.with_changes(body=body))
        return updated_node

    def leave_SimpleStatementLine(
        self, original_node: cst.SimpleStatementLine, updated_node: cst.SimpleStatementLine
    ) -> Any:
        one, new = small(original_node), small(updated_node)
        if self.loops or not isinstance(one, cst.Return | cst.Assign) or not isinstance(one.value, cst.IfExp):
            return updated_node
        choice = one.value
        if not self.asks_kinds(choice.test) or self._ran(choice.body) == self._ran(choice.orelse):
            return updated_node
        live, dead = (choice.body, choice.orelse) if self._ran(choice.body) else (choice.orelse, choice.body)
        if not self._has_names(dead):
            return updated_node
        taken = (
            updated_node.with_changes(body=[new.with_changes(value=self.context.bare(live))], leading_lines=[]),
            self._raise(original_node),
        )
        first, second = taken if live is choice.body else taken[::-1]
        self._tell(original_node, choice.test)
        return cst.If(
            self.context.bare(new.value.test),
            cst.IndentedBlock([first]),
            cst.Else(cst.IndentedBlock([second])),
            leading_lines=updated_node.leading_lines,
            whitespace_before_test=cst.SimpleWhitespace(" "),
        )

    # -- what may be left out

    def asks_kinds(self, node: cst.BaseExpression) -> bool:
        """Says whether a condition asks what arguments are, and nothing of an array's contents."""
        if isinstance(node, cst.BooleanOperation):
            return self.asks_kinds(node.left) and self.asks_kinds(node.right)
        if isinstance(node, cst.UnaryOperation):
            return isinstance(node.operator, cst.Not) and self.asks_kinds(node.expression)
        if isinstance(node, cst.Comparison):
            if len(node.comparisons) != 1:
                return False
            one = node.comparisons[0]
            if isinstance(one.operator, cst.Is | cst.IsNot):
                return isinstance(one.comparator, cst.Name) and one.comparator.value == "None"
            return self._of_kind(node.left) or self._is_text(node.left, one.comparator)
        if isinstance(node, cst.Name):
            fact = self.fact(node)
            return fact is not None and fact.kind == "bool" and node.value in self._given()
        return self._of_kind(node)

    def _of_kind(self, node: cst.BaseExpression) -> bool:
        """Says whether an expression's value is told by the kind of an array: ``x.ndim``, ``len(x.shape)``."""
        if isinstance(node, cst.Attribute):
            if node.attr.value in ("ndim", "dtype"):
                return True
            return node.attr.value == "kind" and self._of_kind(node.value)
        if not isinstance(node, cst.Call) or not node.args:
            return False
        path, func = self.path(node.func), node.func
        if path is not None:
            return path in _KIND_CALLS
        if not isinstance(func, cst.Name):
            return False
        shape = node.args[0].value
        of_shape = isinstance(shape, cst.Attribute) and shape.attr.value == "shape"
        return func.value in _BUILTINS or (func.value == "len" and of_shape)

    def _is_text(self, one: cst.BaseExpression, other: cst.BaseExpression) -> bool:
        fact = self.fact(one)
        is_given = isinstance(one, cst.Name) and one.value in self._given()
        return is_given and fact is not None and fact.kind == "str" and isinstance(other, cst.SimpleString)

    def _given(self) -> frozenset[str]:
        """Returns the function's parameters that are never bound again."""
        if not self.functions:
            return frozenset()
        function = self.functions[-1]
        body = cst.For(cst.Name("_"), cst.Name("_"), function.body)
        return frozenset(name_tools.parameters(function)) - name_tools.bound(body)

    def _dead(self, body: Any) -> bool:
        """Says whether the example came to none of these statements, of which one at least would show it."""
        return bool(body) and any(map(self._has_names, body)) and not any(map(self._ran, body))

    def _has_names(self, node: cst.CSTNode) -> bool:
        return bool(name_tools.loads(node) - {"None", "True", "False"})

    def _ran(self, node: cst.CSTNode) -> bool:
        seen = _Seen(self)
        node.visit(seen)
        return seen.found

    def _matters(self, test: cst.BaseExpression, body: Any) -> bool:
        """Says whether a branch can bring in another type: not where it only gives an argument that is None a value."""
        block = cst.IndentedBlock(list(body))
        returns = _Returns()
        block.visit(returns)
        if returns.found:
            return True
        asked = name_tools.loads(test) - {"None"}
        none = isinstance(test, cst.Comparison) and isinstance(test.comparisons[0].operator, cst.Is | cst.IsNot)
        only_raises = all(isinstance(small(one), cst.Raise) for one in body)
        return not only_raises and not (none and name_tools.bound(cst.If(test=test, body=block)) <= asked)

    # -- what stands there then

    def _left_out(self, node: cst.If, first: Any) -> cst.IndentedBlock:
        self._tell(node, node.test)
        body = node.body
        header = body.header if isinstance(body, cst.IndentedBlock) else cst.TrailingWhitespace()
        return cst.IndentedBlock([self._raise(first)], header=header)

    def _raise(self, like: Any) -> Any:
        return made(f'raise NotImplementedError("{_MESSAGE}")', like=like)

    def _tell(self, node: cst.CSTNode, test: cst.BaseExpression) -> None:
        self.found = True
        self.context.note(
            f"line {self.module.line(node)}: what the example did not come to under `{code(test)}` is not compiled, "
            "and raises where another call comes there"
        )


class _Seen(Finder):
    """Finds whether any expression was evaluated."""

    def __init__(self, rewriter: NumbaRewriter) -> None:
        super().__init__()
        self.rewriter = rewriter
        self.found = False

    def _look(self, node: cst.BaseExpression) -> None:
        self.found = self.found or self.rewriter.module.fact(node) is not None

    def visit_Name(self, node: cst.Name) -> None:
        self._look(node)

    def visit_Call(self, node: cst.Call) -> None:
        self._look(node)

    def visit_Attribute(self, node: cst.Attribute) -> None:
        self._look(node)

    def visit_Subscript(self, node: cst.Subscript) -> None:
        self._look(node)

    def visit_BinaryOperation(self, node: cst.BinaryOperation) -> None:
        self._look(node)


class _Returns(Finder):
    def __init__(self) -> None:
        super().__init__()
        self.found = False

    def visit_Return(self, node: cst.Return) -> None:
        self.found = True
