"""Branches in the body of a map loop, as choices of values: what is left is one statement after the other.

    if x[i] > limit:                        out[i] = limit if x[i] > limit else x[i]
        out[i] = limit              ->
    else:
        out[i] = x[i]

    if x[i] > 0:                            chosen = x[i] > 0
        total += x[i]                       total += x[i] if chosen else 0.0
        out[i] = 1.0                        out[i] = 1.0 if chosen else out[i]

Over whole arrays both sides are computed. Which parts of arrays that may reach is for the reader of the choices to find
out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import libcst as cst
import numpy as np

from jitmagic.generate import names as name_tools
from jitmagic.generate.blocks import alternative, code, on_the_line_of, small, statements
from jitmagic.generate.module import Module
from jitmagic.observe.facts import ValueFact

_KINDS = "biufc"
"""Kinds of dtype, each of which can hold those before it."""


class NoChoice(Exception):
    """A branch does something else than giving values."""


class Choices:
    """Rewrites one loop's body.

    Parameters
    ----------
    module : Module
        What is known of new expressions is added to it.
    sums : set of str
        Names that the loop adds up.
    private : set of str
        Names of the loop's own; those that are made are added.
    dtype : callable
        The dtype of an expression of the loop's, as it was seen.
    known : callable
        What was seen of an array, there or elsewhere in the loop.

    Attributes
    ----------
    partial : set of nodes
        Values that stand by themselves now, and that not every step evaluated.
    """

    def __init__(
        self,
        module: Module,
        sums: set[str],
        private: set[str],
        dtype: Callable[[cst.BaseExpression], str],
        known: Callable[[cst.CSTNode], ValueFact | None],
    ) -> None:
        self.module, self.sums, self.private, self.dtype, self.known = module, sums, private, dtype, known
        self.taken = set(name_tools.all_names(module.tree)) | private
        self.bound: set[str] = set()
        self.partial: set[cst.CSTNode] = set()

    def block(self, body: Sequence[Any]) -> list[Any]:
        """Returns the statements, one after the other.

        Raises
        ------
        NoChoice
        """
        new: list[Any] = []
        body = lines_of(body)
        for number, line in enumerate(body):
            if isinstance(line, cst.If):
                skips = _without_continue(line)
                if skips is not None:
                    rest = [*alternative(skips), *body[number + 1 :]]
                    return [*new, *self._if(skips, list(statements(skips)), rest)]
                new += self._if(line, list(statements(line)), list(alternative(line)))
            else:
                new.append(line)
                self.bound |= name_tools.bound(line)
        return new

    def _if(self, node: cst.If, then: list[Any], other: list[Any]) -> list[Any]:
        test = node.test
        if not then and not other:
            return []
        one, two = self._single(then), self._single(other)
        if one is not None and two is not None and code(one[0]) == code(two[0]):
            return [self._assigned(one[0], self._choice(test, one[1], two[1]), node, [*then, *other])]
        before = set(self.bound)
        first = self.block(then)
        self.bound = set(before)
        second = self.block(other)
        self.bound = before
        lines: list[Any] = []
        if len(first) + len(second) > 1:
            name = name_tools.fresh("chosen", self.taken)
            self.taken.add(name)
            self.private.add(name)
            lines.append(self._assigned(cst.Name(name), test, node, []))
            self.module.learn(test, ValueFact("bool"))
            test = self._flag(name)
        for line, yes in (*((one, True) for one in first), *((one, False) for one in second)):
            lines.append(self._guarded(line, test, yes, node if not lines else None))
        return lines

    def _flag(self, name: str) -> cst.Name:
        flag = cst.Name(name)
        self.module.learn(flag, ValueFact("bool"))
        return flag

    def _single(self, body: list[Any]) -> tuple[Any, Any] | None:
        """Returns target and value of a block that does nothing but give one value, by further choices perhaps."""
        body = lines_of(body)
        if len(body) != 1:
            return None
        one = small(body[0])
        if isinstance(one, cst.Assign) and len(one.targets) == 1:
            return one.targets[0].target, one.value
        if isinstance(body[0], cst.If):
            first, second = self._single(list(statements(body[0]))), self._single(list(alternative(body[0])))
            if first is not None and second is not None and code(first[0]) == code(second[0]):
                return first[0], self._choice(body[0].test, first[1], second[1])
        return None

    def _guarded(self, line: Any, test: Any, yes: bool, above: Any) -> Any:
        """Rewrites one statement of a branch."""
        one = small(line)
        test = self._copy(test)
        if isinstance(one, cst.Assign) and len(one.targets) == 1:
            target = one.targets[0].target
            if isinstance(target, cst.Name):
                if target.value not in self.private:
                    raise NoChoice
                if target.value not in self.bound:
                    self.bound.add(target.value)
                    self.partial.add(one.value)
                    return _led(line, above)  # nobody reads it where it was not given
            old = self._old(target)
            return _led(self._assigned(target, self._either(test, yes, one.value, old), line, []), above)
        if isinstance(one, cst.AugAssign):
            if isinstance(one.target, cst.Name) and one.target.value in self.sums:
                dtype = self.dtype(one.value)
                zero: Any = cst.Integer("0") if dtype in ("int64", "bool") else cst.Float("0.0")
                value = self._either(test, yes, one.value, zero)
                self.module.learn(value, ValueFact("scalar", "int64" if dtype == "bool" else dtype, ()))
                return _led(line.with_changes(body=[one.with_changes(value=value)]), above)
            old = self._old(one.target)
            symbol = code(one.operator).strip().removesuffix("=")
            new = cst.parse_expression(f"a {symbol} b")
            fact = self.module.fact(old)
            named = isinstance(one.target, cst.Name)
            if isinstance(one.target, cst.Name) and one.target.value not in self.private & self.bound:
                raise NoChoice
            if not isinstance(new, cst.BinaryOperation) or fact is None or symbol in ("//", "%"):
                raise NoChoice
            if not named and fact.dtype is None:
                raise NoChoice
            if not named and _KINDS.index(_kind(self.dtype(one.value))) > _KINDS.index(_kind(fact.dtype or "bool")):
                raise NoChoice  # it is cast back
            right = one.value
            if _is_compound(right) and not right.lpar:
                right = right.with_changes(lpar=[cst.LeftParen()], rpar=[cst.RightParen()])
                self.module.inherit(right, one.value)
            new = new.with_changes(left=old, right=right)
            if not named:  # a name takes the dtype of what it is given
                self.module.learn(new, fact)
            return _led(self._assigned(one.target, self._either(test, yes, new, self._copy(old)), line, []), above)
        raise NoChoice

    def _old(self, target: Any) -> Any:
        """Returns an expression for what a target holds before."""
        if not isinstance(target, cst.Name | cst.Subscript):
            raise NoChoice
        old = self._copy(target)
        fact = self.module.fact(target)
        if isinstance(target, cst.Subscript):
            array = self.known(target.value)
            if array is None or array.dtype is None:
                raise NoChoice
            fact = ValueFact("scalar", array.dtype, ())
        if fact is None:
            raise NoChoice
        self.module.learn(old, fact)
        return old

    def _choice(self, test: Any, body: Any, orelse: Any) -> cst.IfExp:
        return cst.IfExp(test=test, body=body, orelse=orelse)

    def _either(self, test: Any, yes: bool, value: Any, old: Any) -> cst.IfExp:
        return self._choice(test, value, old) if yes else self._choice(test, old, value)

    def _copy(self, node: Any) -> Any:
        """Returns a copy of an expression of which the same is known."""
        copy = node.deep_clone()
        self.module.inherit_parts(copy, node)
        return copy

    def _assigned(self, target: Any, value: Any, like: Any, told: Sequence[Any]) -> cst.SimpleStatementLine:
        """Makes an assignment, with the comments of the statements that it stands for."""
        line = cst.SimpleStatementLine([cst.Assign([cst.AssignTarget(target)], value)])
        above = [*getattr(like, "leading_lines", ()), *(one for part in told for one in _comments(part))]
        return on_the_line_of(line.with_changes(leading_lines=above), like)


def lines_of(body: Sequence[Any]) -> list[Any]:
    """Returns statements with one in each line: those of `a; b`, and of `if c: a`, are several lines."""
    made: list[Any] = []
    for line in body:
        if isinstance(line, cst.BaseSmallStatement):
            made.append(cst.SimpleStatementLine([line.with_changes(semicolon=cst.MaybeSentinel.DEFAULT)]))
        elif isinstance(line, cst.SimpleStatementLine) and len(line.body) > 1:
            first, *rest = [one.with_changes(semicolon=cst.MaybeSentinel.DEFAULT) for one in line.body]
            made.append(line.with_changes(body=[first]))
            made += [on_the_line_of(cst.SimpleStatementLine([one]), line) for one in rest]
        else:
            made.append(line)
    return made


def _without_continue(node: cst.If) -> cst.If | None:
    """Returns a branch that ends in ``continue`` without it, None for another."""
    body = lines_of(statements(node))
    if node.orelse is not None or not body or not isinstance(small(body[-1]), cst.Continue):
        return None
    return node.with_changes(body=cst.IndentedBlock(body[:-1]))


def _led(line: Any, above: Any) -> Any:
    """Puts what stood above a branch above its first statement."""
    return line if above is None else line.with_changes(leading_lines=[*above.leading_lines, *line.leading_lines])


def _comments(statement: Any) -> list[cst.EmptyLine]:
    found = [line for line in getattr(statement, "leading_lines", ()) if line.comment is not None]
    if isinstance(statement, cst.If):
        inner = [*statements(statement), *alternative(statement)]
        return [*found, *(line for one in inner for line in _comments(one))]
    return found


def _is_compound(node: Any) -> bool:
    simple = cst.Name | cst.Subscript | cst.Attribute | cst.Call | cst.Integer | cst.Float | cst.Imaginary
    return not isinstance(node, simple)


def _kind(dtype: str) -> str:
    return np.dtype(dtype).kind
