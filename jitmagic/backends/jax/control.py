"""Walks a function's statements and hands each loop and branch that JAX cannot trace as Python to its rewrite."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import libcst as cst

from jitmagic.backends.jax.branches import BranchMaker, always_returns, contains_return, jump_in
from jitmagic.backends.jax.joined_stores import joined
from jitmagic.backends.jax.jumps import Exits
from jitmagic.backends.jax.loops import LoopMaker
from jitmagic.backends.jax.settled import Assigned
from jitmagic.backends.jax.steps import StepMaker
from jitmagic.backends.jax.tracing import UNROLL, Tracing, literal_trips, loop_line, trip_count
from jitmagic.generate import names as name_tools
from jitmagic.generate.blocks import code, statements, with_body
from jitmagic.generate.liveness import live_names
from jitmagic.generate.module import Module
from jitmagic.generate.walking import Transformer


class Control:
    """Lowers the control flow of one function.

    Parameters
    ----------
    module : Module
    tracing : Tracing
    facts : mapping of str to list of Assigned
        From :func:`jitmagic.backends.jax.settled.assigned_facts`, taken before the stores were rewritten.
    helpers : iterable of str
        User functions of the module.
    exits : mapping of int to tuple of str, optional
        By a ``for`` loop's line, the flags that end it.
    stepwise : bool
        Whether loops are to go step by step.
    """

    def __init__(
        self,
        module: Module,
        tracing: Tracing,
        facts: dict[str, list[Assigned]],
        helpers: Sequence[str],
        exits: Exits | None = None,
        stepwise: bool = False,
    ) -> None:
        self.module = module
        self.tracing = tracing
        taken = set(name_tools.all_names(module.tree))
        self.loops = LoopMaker(module, tracing, facts, taken)
        self.steps = StepMaker(self.loops)
        self.branches = BranchMaker(self.loops, frozenset(helpers))
        self.forms: set[str] = set()
        self.exits = exits or {}
        self.stepwise = stepwise

    def function(self, function: cst.FunctionDef) -> cst.FunctionDef:
        """Returns the function with its control flow lowered."""
        body = statements(function)
        self.live = live_names(body, reads=lambda loop: frozenset(self.flags(loop)))
        new = with_body(function, self.block(body, set(name_tools.parameters(function)), True))
        return new.visit(_Stacked(self.steps.stacked)) if self.steps.stacked else new

    def block(self, body: Sequence[Any], defined: set[str], outermost: bool) -> list[Any]:
        result: list[Any] = []
        for position, node in enumerate(body):
            if isinstance(node, cst.If) and self.tracing.expression(node.test):
                other = self.else_of(node)
                self.refuse_jumps(node)
                if contains_return([node]):
                    rest = [*other, *body[position + 1 :]]
                    if not outermost or not always_returns(statements(node)) or not always_returns(rest):
                        raise self.branches.refuse(
                            node,
                            f"whether the function returns here depends on array values (`{code(node.test)}`), "
                            "and the two "
                            "ways do not both end in a return; give the result one name, and return it at the end",
                        )
                    then = self.block(statements(node), set(defined), True)
                    otherwise = self.block(rest, set(defined), True)
                    return _spaced([*result, *self.branches.returned(node, then, otherwise, defined)], body)
                then = self.block(statements(node), set(defined), False)
                otherwise = self.block(other, set(defined), False)
                after = self.live.after.get(node, frozenset())
                result += self.branches.select(node, then, otherwise, after, defined)
            else:
                result += self.statement(node, defined, outermost, result)
            defined |= name_tools.bound(node)
        return _spaced(result, body)

    def refuse_jumps(self, node: cst.If) -> None:
        """Refuses a ``break`` or ``continue`` that depends on array values."""
        jump = jump_in([node])
        if jump is not None:
            word = type(jump).__name__.lower()
            raise self.loops.refuse(
                jump,
                f"whether this `{word}` is reached depends on array values (`{code(node.test)}`), so that the "
                "loop has no "
                "fixed course; put the condition into a while, or compute all steps and select with np.where",
                "JX-IFTRACED",
            )

    def else_of(self, node: cst.If) -> list[Any]:
        if node.orelse is None:
            return []
        if isinstance(node.orelse, cst.If):
            # elif: its liveness is that of the whole
            self.live.after.setdefault(node.orelse, self.live.after.get(node, frozenset()))
            return [node.orelse]
        return list(statements(node.orelse))

    def statement(self, node: Any, defined: set[str], outermost: bool, before: list[Any]) -> list[Any]:
        if isinstance(node, cst.For | cst.While):
            return self.loop(node, defined, before)
        if isinstance(node, cst.If):
            new = with_body(node, self.block(statements(node), set(defined), False))
            if isinstance(node.orelse, cst.If):
                self.live.after.setdefault(node.orelse, self.live.after.get(node, frozenset()))
                inner = self.block([node.orelse], set(defined), False)
                if len(inner) == 1 and isinstance(inner[0], cst.If):
                    new = new.with_changes(orelse=inner[0])
                else:
                    new = new.with_changes(orelse=cst.Else(cst.IndentedBlock(inner)))
            elif node.orelse is not None:
                new = new.with_changes(
                    orelse=with_body(node.orelse, self.block(statements(node.orelse), set(defined), False))
                )
            self.module.inherit(new, node)
            return [new]
        return [node]

    def is_vector(self, name: str) -> bool:
        facts = self.tracing.kinds.names.get(name, [])
        return bool(facts) and all(f.kind == "array" and f.ndim == 1 for f in facts)

    def flags(self, node: cst.CSTNode) -> tuple[str, ...]:
        return self.exits.get(loop_line(self.module, node), ())

    def loop(self, node: cst.For | cst.While, defined: set[str], before: list[Any]) -> list[Any]:
        inside = set(defined)
        if isinstance(node, cst.For):
            inside |= set(name_tools.targets(node.target))
        lowered = loop_line(self.module, node) in self.tracing.lowered
        head = self.live.head.get(node, frozenset())
        after = self.live.after.get(node, frozenset())
        if lowered:
            kept = self.loops.kept(node, head | after, defined)
            # what a step binds behind a jump is the last step's where the jump is taken
            inside |= kept if loop_line(self.module, node) in self.exits else kept & self.module.flagged
        name = self.loops.reserve(node) if lowered else ""
        if isinstance(node, cst.For):
            self.steps.nest.append(node)
        body = self.block(statements(node), inside, False)
        if isinstance(node, cst.For):
            self.steps.nest.pop()
        if lowered and not self.stepwise:
            for vector in sorted(n for s in body for n in name_tools.bound(s) if self.is_vector(n)):
                body = joined(body, vector, self.tracing.kinds, vector in defined & (head | after))
        if lowered:
            if isinstance(node, cst.For) and self.flags(node):
                self.forms.add("while_loop")
                lines = self.loops.for_until(name, node, body, head, after, defined, self.flags(node))
            elif isinstance(node, cst.For):
                counted = self.loops.counted(node)
                whole = None
                if not self.stepwise:
                    whole = self.steps.for_loop(name, node, counted, body, head | after, after, defined, before)
                if whole is not None:
                    self.forms.add("scan" if any("__jax__.lax.scan(" in code(line) for line in whole) else "vmap")
                    return whole
                self.forms.add("fori_loop")
                lines = self.loops.for_loop(name, node, body, head, after, defined, counted)
            else:
                self.forms.add("while_loop")
                lines = self.loops.while_loop(name, node, body, head, after, defined)
            return lines
        trips = trip_count(self.module, node)
        if trips is not None and trips > UNROLL:
            raise self.loops.refuse(
                node,
                f"the loop runs {trips} times; written out, JAX would compile {trips} copies of its body; loop over a "
                "range or an array, so that it can become one compiled loop",
            )
        self.forms.add("unrolled")
        if literal_trips(node) is None:
            self.forms.add("written out")
        new = with_body(node, body)
        self.module.inherit(new, node)
        return [new]


class _Stacked(Transformer):
    """Takes ``np.array(xs)`` off lists that are arrays now."""

    def __init__(self, names: set[str]) -> None:
        super().__init__()
        self.names = names

    def leave_Call(self, original_node: cst.Call, updated_node: cst.Call) -> cst.BaseExpression:
        head, _, called = code(updated_node.func).rpartition(".")
        if not head or called not in ("array", "asarray") or len(updated_node.args) != 1:
            return updated_node
        only = updated_node.args[0]
        plain = only.keyword is None and isinstance(only.value, cst.Name) and only.value.value in self.names
        return only.value if plain else updated_node


def _spaced(body: list[Any], original: Sequence[Any]) -> list[Any]:
    """Sets blank lines around the functions that were made; the user's own lines stay as they are."""
    old = set(original)
    result: list[Any] = []
    for node in body:
        new = isinstance(node, cst.FunctionDef) and node not in old
        after = bool(result) and isinstance(result[-1], cst.FunctionDef) and result[-1] not in old
        lines = getattr(node, "leading_lines", ())
        blank = any(line.comment is None for line in lines[:1])
        if result and (new or after) and not blank:
            node = node.with_changes(leading_lines=[cst.EmptyLine(indent=False), *lines])
        if new:
            old.discard(node)
        result.append(node)
    return result
