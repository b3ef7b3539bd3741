"""Writes several whole-array statements as one loop nest, in a function beside the user's, without arrays in between.

`r = x[:, None] - x; d2 = r*r + eps; return np.sum(q/d2, axis=1)` becomes two loops in which `r` and `d2` are numbers. A
loop over steps whose statements all work element by element, as those of a fractal do, goes inside: each element takes
all its steps at once, and none where a mask has put it to rest.

Values, dtypes and the order of sums are those of Numba's own loops over the same expressions. An axis is stretched
where it had length 1 in the example; lengths that do not fit are refused, as NumPy refuses them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import libcst as cst

from jitmagic.analysis.aliases import Aliases
from jitmagic.backends.numba.nests.builder import Attempt, Builder
from jitmagic.backends.numba.nests.contractions import factors
from jitmagic.backends.numba.nests.nest import Ends
from jitmagic.backends.numba.nests.places import place_of
from jitmagic.backends.numba.nests.reading import expressions
from jitmagic.backends.numba.nests.run import NUMBERS, Run
from jitmagic.backends.numba.rewrites.context import Context
from jitmagic.backends.numba.rewrites.elements import Element, ElementRewriter, Kernel, is_usable
from jitmagic.generate import names as name_tools
from jitmagic.generate.blocks import small, statements, with_body
from jitmagic.generate.liveness import Liveness, live_names
from jitmagic.generate.walking import nodes_of
from jitmagic.observe.facts import Span, ValueFact

_TRIES = 6
"""How many runs are tried from one statement on."""


class Regions(ElementRewriter):
    """Rewrites runs of statements.

    Parameters
    ----------
    context : Context
    aliases : Aliases
    spans : tuple of Span
        Loops that run in parallel already, in which nothing is rewritten.
    """

    def __init__(self, context: Context, aliases: Aliases, spans: tuple[Span, ...] = ()) -> None:
        super().__init__(context)
        self.aliases = aliases
        self.spans = spans
        self.builder: Builder | None = None
        self._live = Liveness()
        self._captured: frozenset[str] = frozenset()
        self._unbound: frozenset[str] = frozenset()

    def visit_FunctionDef(self, node: cst.FunctionDef) -> bool:  # type: ignore[override]
        super().visit_FunctionDef(node)
        return False  # the statements are taken in their order, not one by one

    def leave_FunctionDef(self, original_node: cst.FunctionDef, updated_node: cst.FunctionDef) -> cst.FunctionDef:
        self._captured = name_tools.captured(original_node)
        self._live = live_names(statements(original_node), self._captured)
        self._unbound = self._live.entry - set(name_tools.parameters(original_node))
        body = self._block(statements(original_node))
        if any(one is not other for one, other in zip(body, statements(original_node), strict=False)):
            updated_node = with_body(updated_node, body)
        return super().leave_FunctionDef(original_node, updated_node)

    def _block(self, body: Sequence[Any]) -> list[Any]:
        done: list[Any] = []
        position = 0
        while position < len(body):
            found = self._region(body, position)
            if found is None:
                done.append(self._inner(body[position]))
                position += 1
            else:
                position, statement = found
                done.append(statement)
        return done

    def _inner(self, statement: Any) -> Any:
        if self._runs_in_parallel(statement):
            return statement
        if isinstance(statement, cst.For | cst.While | cst.If | cst.With | cst.Else):
            if isinstance(statement.body, cst.IndentedBlock):
                body = self._block(statements(statement))
                if any(one is not other for one, other in zip(body, statements(statement), strict=False)):
                    new = with_body(statement, body)
                    self.module.inherit(new, statement)
                    statement = new
            orelse = getattr(statement, "orelse", None)
            if orelse is not None:
                other = self._inner(orelse)
                if other is not orelse:
                    new = statement.with_changes(orelse=other)
                    self.module.inherit(new, statement)
                    statement = new
        return statement

    def _runs_in_parallel(self, statement: Any) -> bool:
        place = self.context.place(statement) if self.spans else None
        return place is not None and any(s.line <= place.line and place.end_line <= s.end_line for s in self.spans)

    # -- a region

    def _region(self, body: Sequence[Any], start: int) -> tuple[int, Any] | None:
        """Returns the longest run of statements from here on that one nest can hold: its end, and what replaces it."""
        if not self._may_begin(body[start]):
            return None
        end = start
        while end < len(body) and self._may_join(body[end]) and not self._runs_in_parallel(body[end]):
            end += 1
        while end > start and self._is_number(body[end - 1]):
            end -= 1  # what stands last needs no loop
        for _ in range(_TRIES):
            if end <= start:
                return None
            run = Run(self, self.aliases, body[start:end], self._live, self._captured, self._unbound)
            attempt = Attempt(run, self._use)
            try:
                return end, attempt.statement()
            except Ends:
                end = start + attempt.reached if attempt.reached < len(run.body) else end - 1
            finally:
                self.builder = None
        return None

    def _use(self, builder: Builder) -> None:
        self.builder = builder

    def _may_begin(self, statement: Any) -> bool:
        if isinstance(statement, cst.For):
            return any(self._is_whole(node) for node in expressions(statements(statement)))
        one = small(statement)
        if isinstance(one, cst.Assign | cst.AugAssign):
            return self._is_whole(one.value) or self._searches(one.value)
        if not isinstance(one, cst.Return) or one.value is None:
            return False
        return self._reduces(one.value) or (self.context.every and self._is_whole(one.value))

    def _may_join(self, statement: Any) -> bool:
        if isinstance(statement, cst.For):
            return statement.orelse is None and statement.asynchronous is None
        if not isinstance(statement, cst.SimpleStatementLine) or len(statement.body) != 1:
            return False
        one = statement.body[0]
        if isinstance(one, cst.Expr):
            return isinstance(one.value, cst.Call) and self.path(one.value.func) == "numpy.fill_diagonal"
        if isinstance(one, cst.Assign):
            return len(one.targets) == 1 and isinstance(one.targets[0].target, cst.Name | cst.Subscript)
        return isinstance(one, cst.AugAssign | cst.Return)

    def _is_whole(self, node: cst.BaseExpression) -> bool:
        fact = self.fact(node)
        return fact is not None and is_usable(fact) and None not in (fact.shape or (None,))

    def _is_number(self, statement: Any) -> bool:
        """Says whether a statement binds a number that no reduction gives."""
        one = small(statement)
        if not isinstance(one, cst.Assign):
            return False
        fact = self.fact(one.value)
        return fact is not None and fact.kind in NUMBERS and not self._reduces(one.value)

    def _searches(self, node: cst.BaseExpression) -> bool:
        """Says whether the place of an extreme of an expression is asked for."""
        found = [place_of(self, call) for call in nodes_of(node, cst.Call)]
        return any(isinstance(one.source, cst.BinaryOperation | cst.Call) for one in found if one is not None)

    def _reduces(self, node: cst.BaseExpression) -> bool:
        calls, operations = nodes_of(node, cst.Call), nodes_of(node, cst.BinaryOperation)
        return (
            any(self.reduction(call, call) is not None for call in calls)
            or self._searches(node)
            or any(factors(self, one) is not None for one in (*calls, *operations))
        )

    # -- what the elements ask for

    def element(self, kernel: Kernel, old: cst.BaseExpression, new: cst.BaseExpression) -> Element | None:
        """Returns an expression's element: of a reduction that the nest holds what it gave."""
        found = self.builder.result(old) if self.builder is not None and self.is_array(old) else None
        return found if found is not None else super().element(kernel, old, new)

    def number(self, kernel: Kernel, node: cst.BaseExpression) -> str | None:
        """Returns how a nest names a number."""
        assert self.builder is not None
        return self.builder.number(node)

    def leaf(self, kernel: Kernel, node: cst.BaseExpression, fact: ValueFact) -> Element | None:
        """Returns the element of an array that is no arithmetic."""
        assert self.builder is not None
        return self.builder.leaf(node, fact)
