"""Rewrite ``break``, ``continue`` and ``return`` in loops that JAX compiles as flags, and what follows as branches.

In the order of AutoGraph's passes: ``continue`` leaves the rest of the body to the other branch; ``break`` sets a flag
that the loop's test asks for; ``return`` in a loop sets a flag, leaves the loop, and the function returns behind it,
where every name still has the value that it had at the ``return``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import libcst as cst

from jitmagic.backends.jax.tracing import Tracing, can_lower, loop_line
from jitmagic.generate import names as name_tools
from jitmagic.generate.blocks import alternative, code, leading, made, small, statements, with_body
from jitmagic.generate.module import Module

Exits = dict[int, tuple[str, ...]]
"""By a loop's line in the module's text, the flags that end a ``for``; loops with other jumps have none."""


def needed(module: Module, tree: cst.Module, tracing: Mapping[str, Tracing]) -> set[int]:
    """Returns the lines of the loops that have to be compiled since a traced value decides when they end."""
    found: set[int] = set()
    for statement in tree.body:
        if isinstance(statement, cst.FunctionDef) and statement.name.value in tracing:
            finder = _Finder(module, tracing[statement.name.value])
            finder.block(statements(statement), [])
            found |= finder.found
    return found


def without_jumps(
    module: Module, tree: cst.Module, tracing: Mapping[str, Tracing], full: str = ""
) -> tuple[cst.Module, Exits]:
    """Returns the tree without jumps in the loops that are compiled, and the flags that end its ``for`` loops.

    Behind a loop that the flag ``full`` alone ends, what is returned does not matter.
    """
    exits: Exits = {}
    taken = set(name_tools.all_names(tree))
    body = []
    for statement in tree.body:
        if isinstance(statement, cst.FunctionDef) and statement.name.value in tracing:
            rewrite = _Rewrite(module, tracing[statement.name.value], taken, exits, full)
            new = with_body(statement, rewrite.block(statements(statement)))
            module.inherit(new, statement)
            body.append(new)
        else:
            body.append(statement)
    return tree.with_changes(body=body), exits


class _Finder:
    """Walks statements with the loops and the tests around them."""

    def __init__(self, module: Module, tracing: Tracing) -> None:
        self.module, self.tracing = module, tracing
        self.found: set[int] = set()

    def block(self, body: Sequence[Any], loops: list[tuple[Any, bool]]) -> None:
        """Looks at statements; ``loops`` are those around them, each with whether a traced test stands in between."""
        for node in body:
            one = small(node)
            if isinstance(one, cst.Break) and loops and loops[-1][1]:
                self.take(loops[-1][0])
            elif isinstance(one, cst.Return):
                traced = False
                for loop, between in reversed(loops):
                    traced = traced or between
                    if traced:
                        self.take(loop)
            elif isinstance(node, cst.If):
                inside = loops
                if self.tracing.expression(node.test):
                    inside = [(loop, True) for loop, _ in loops]
                self.block(statements(node), inside)
                self.block(alternative(node), inside)
            elif isinstance(node, cst.For | cst.While):
                self.block(statements(node), [*loops, (node, loop_line(self.module, node) in self.tracing.lowered)])
                if node.orelse is not None:
                    self.block(statements(node.orelse), loops)

    def take(self, loop: Any) -> None:
        if isinstance(loop, cst.While) or can_lower(loop, self.tracing):
            self.found.add(loop_line(self.module, loop))


@dataclass
class _Leaving:
    """How the loop at hand is left: its flags, and what each ``return`` gives."""

    done: str | None = None
    returns: list[tuple[str, Any]] = field(default_factory=list)
    skips: list[str] = field(default_factory=list)


class _Rewrite:
    def __init__(self, module: Module, tracing: Tracing, taken: set[str], exits: Exits, full: str = "") -> None:
        self.module, self.tracing, self.taken, self.exits = module, tracing, taken, exits
        self.endless = ("True", "1", f"not {full}") if full else ("True", "1")

    def name(self, wanted: str) -> str:
        name, number = wanted, 2
        while name in self.taken:
            name, number = f"{wanted}_{number}", number + 1
        self.taken.add(name)
        return name

    def block(self, body: Sequence[Any]) -> list[Any]:
        """Returns statements with their loops rewritten, the innermost first."""
        result: list[Any] = []
        for node in body:
            if isinstance(node, cst.If):
                result.append(self.branch(node, self.block(statements(node)), self.block(alternative(node))))
            elif isinstance(node, cst.For | cst.While):
                result += self.loop(node)
            else:
                result.append(node)
        return result

    def branch(self, node: cst.If, then: list[Any], other: list[Any]) -> Any:
        new = with_body(node, then)
        if not other:
            new = new.with_changes(orelse=None)
        elif len(other) == 1 and isinstance(other[0], cst.If) and isinstance(node.orelse, cst.If):
            new = new.with_changes(orelse=other[0])
        elif isinstance(node.orelse, cst.Else):
            new = new.with_changes(orelse=with_body(node.orelse, other))
        else:
            new = new.with_changes(orelse=cst.Else(cst.IndentedBlock(other)))
        self.module.inherit(new, node)
        return new

    def loop(self, node: Any) -> list[Any]:
        body = self.block(statements(node))
        line = loop_line(self.module, node)
        orelse = self.block(statements(node.orelse)) if node.orelse is not None else []
        compiled = line in self.tracing.lowered
        jumping = _jumps(body) and (compiled or self.decided_by_values(body))
        if not jumping and not (compiled and orelse):
            kept = with_body(node, body)
            if node.orelse is not None:
                kept = kept.with_changes(orelse=with_body(node.orelse, orelse))
            self.module.inherit(kept, node)
            return [kept]
        if compiled:
            self.exits.setdefault(line, ())
        leaving = _Leaving()
        straight = self.straight(body, leaving) or [made("pass", node)]
        flags = ([leaving.done] if leaving.done is not None else []) + [flag for flag, _ in leaving.returns]
        new = with_body(node, straight).with_changes(orelse=None)
        if flags and isinstance(node, cst.While):
            new = new.with_changes(test=self.asked(node.test, flags))
        elif flags and compiled and can_lower(node, self.tracing):
            self.exits[line] = tuple(flags)
        elif flags:
            # a loop that is written out: what follows the exit is left out by a branch in each copy
            guard = cst.parse_expression(" and ".join(f"not {flag}" for flag in flags))
            new = with_body(new, [cst.If(test=guard, body=cst.IndentedBlock(straight))])
        self.module.inherit(new, node)
        endless = isinstance(node, cst.While) and code(node.test) in self.endless and leaving.done is None
        behind: list[Any] = []
        for number, (flag, returned) in enumerate(leaving.returns):
            if endless and number == len(leaving.returns) - 1:
                behind.append(returned)
            else:
                behind.append(cst.If(test=cst.Name(flag), body=cst.IndentedBlock([returned])))
                self.module.inherit(behind[-1], returned)
        if orelse and leaving.done is not None:
            behind.append(cst.If(test=cst.parse_expression(f"not {leaving.done}"), body=cst.IndentedBlock(orelse)))
        else:
            behind += orelse
        before = [made(f"{flag} = False", node) for flag in flags]
        if before:
            before[0] = leading(before[0], node)
            new = new.with_changes(leading_lines=())
            self.module.inherit(new, node)
        return [*before, new, *behind]

    def decided_by_values(self, body: Sequence[Any], traced: bool = False) -> bool:
        """Says whether a traced value decides about a jump out of or on in this loop."""
        for node in body:
            if traced and _is_jump(node):
                return True
            if isinstance(node, cst.If):
                inside = traced or self.tracing.expression(node.test) or code(node.test) in self.taken - self.known()
                bodies = (statements(node), alternative(node))
                if any(self.decided_by_values(one, inside) for one in bodies):
                    return True
        return False

    def known(self) -> set[str]:
        """Returns the user's own names; the others are flags, which are traced."""
        return set(name_tools.all_names(self.tracing.function))

    def asked(self, test: cst.BaseExpression, flags: Sequence[str]) -> cst.BaseExpression:
        result: cst.BaseExpression | None = None if code(test) in ("True", "1") else test
        if isinstance(result, cst.BooleanOperation | cst.IfExp | cst.NamedExpr) and not result.lpar:
            result = result.with_changes(lpar=[cst.LeftParen()], rpar=[cst.RightParen()])
            self.module.inherit(result, test)
        for flag in flags:
            asked = cst.UnaryOperation(cst.Not(), cst.Name(flag))
            result = asked if result is None else cst.BooleanOperation(result, cst.And(), asked)
        assert result is not None
        return result

    # the body without jumps

    def straight(self, body: Sequence[Any], leaving: _Leaving) -> list[Any]:
        """Returns a loop's body in which each jump is a flag, and what it would have left out a branch."""
        result: list[Any] = []
        for position, node in enumerate(body):
            if _is_jump(node):
                return [*result, *self.flagged(node, leaving)]
            if not isinstance(node, cst.If) or not _jumps([node]):
                result.append(node)
                continue
            rest = list(body[position + 1 :])
            then, other = list(statements(node)), list(alternative(node))
            if rest and not _always_jumps(then) and not _always_jumps(other):
                skip = self.name("skip")
                leaving.skips.append(skip)
                first, second = self.straight(then, leaving), self.straight(other, leaving)
                leaving.skips.pop()
                result.append(made(f"{skip} = False", node))
                result += self.chosen(node, first, second)
                guard = cst.parse_expression(f"not {skip}")
                inner = self.straight(rest, leaving)
                if inner:
                    result.append(cst.If(test=guard, body=cst.IndentedBlock(inner)))
                return result
            first = self.straight(then if _always_jumps(then) else [*then, *rest], leaving)
            second = self.straight(other if _always_jumps(other) else [*other, *rest], leaving)
            return [*result, *self.chosen(node, first, second)]
        return result

    def flagged(self, node: Any, leaving: _Leaving) -> list[Any]:
        jump = small(node)
        flags = list(leaving.skips)
        if isinstance(jump, cst.Break):
            leaving.done = leaving.done or self.name("done")
            flags.insert(0, leaving.done)
        elif isinstance(jump, cst.Return):
            same = next((flag for flag, known in leaving.returns if code(small(known)) == code(jump)), None)
            if same is None:
                same = self.name("returned")
                leaving.returns.append((same, node))
            flags.insert(0, same)
        lines = [made(f"{flag} = True", node) for flag in flags]
        if lines:
            lines[0] = leading(lines[0], node)
        return lines

    def chosen(self, node: cst.If, then: list[Any], other: list[Any]) -> list[Any]:
        """Returns the branch with new arms; one that has only an ``else`` is turned round."""
        then = [one for one in then if not isinstance(small(one), cst.Pass)]
        other = [one for one in other if not isinstance(small(one), cst.Pass)]
        if not then and not other:
            return []
        if not then:
            new = with_body(node, other).with_changes(test=self.negated(node.test), orelse=None)
            self.module.inherit(new, node)
            return [new]
        return [self.branch(node, then, other)]

    def negated(self, test: cst.BaseExpression) -> cst.BaseExpression:
        if isinstance(test, cst.Comparison) and len(test.comparisons) == 1:
            only = test.comparisons[0]
            old: Any = only.operator
            turned = {cst.Equal: cst.NotEqual, cst.NotEqual: cst.Equal}.get(old.__class__)
            if turned is not None:
                operator = turned(whitespace_before=old.whitespace_before, whitespace_after=old.whitespace_after)
                new = test.with_changes(comparisons=[only.with_changes(operator=operator)])
                self.module.inherit(new, test)
                return new
        if isinstance(test, cst.UnaryOperation) and isinstance(test.operator, cst.Not):
            return test.expression
        if isinstance(test, cst.BooleanOperation | cst.IfExp | cst.NamedExpr) and not test.lpar:
            inner = test.with_changes(lpar=[cst.LeftParen()], rpar=[cst.RightParen()])
            self.module.inherit(inner, test)
            return cst.UnaryOperation(cst.Not(), inner)
        return cst.UnaryOperation(cst.Not(), test)


def _is_jump(node: Any) -> bool:
    return isinstance(small(node), cst.Break | cst.Continue | cst.Return)


def _jumps(body: Sequence[Any]) -> bool:
    """Says whether statements hold a jump of the loop around them; those of inner loops are theirs."""
    return any(
        _is_jump(node) or (isinstance(node, cst.If) and (_jumps(statements(node)) or _jumps(alternative(node))))
        for node in body
    )


def _always_jumps(body: Sequence[Any]) -> bool:
    return any(
        _is_jump(node)
        or (isinstance(node, cst.If) and _always_jumps(statements(node)) and _always_jumps(alternative(node)))
        for node in body
    )
