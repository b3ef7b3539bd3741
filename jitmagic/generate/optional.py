"""Writes a number that is None at first as a number and a flag that says whether there is one.

    best = None                                      best, has_best = 0.0, False   (on two lines)
    for v in x:                              ->      for v in x:
        if best is None or v < best:                     if not has_best or v < best:
            best = v                                         best, has_best = v, True

A traced value cannot be None in some steps and a number in others, and Numba has no type for a tuple or None. Where the
number is read and nothing proves that there is one, an exception stands before: NumPy would go on with None there.

Names that stand for one tuple of numbers and then another, None among them or not, become a name for each number:
``where = (i, j)`` becomes ``where_0, where_1 = i, j``.

For JAX that holds for arrays too: one that is None at first is bound where there is an array, and not before.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import libcst as cst

from jitmagic.generate import asking
from jitmagic.generate import names as name_tools
from jitmagic.generate.blocks import OneStatementALine, code, each_function, leading, made, small, statements
from jitmagic.generate.kinds import Kinds
from jitmagic.generate.module import Module
from jitmagic.generate.rewriter import Rewriter
from jitmagic.generate.walking import children, nodes_of
from jitmagic.observe.facts import ValueFact

_ZERO = {"int": "0", "float": "0.0", "bool": "False", "int64": "0", "float64": "0.0"}
_FACT = {"0": ValueFact("int"), "0.0": ValueFact("float"), "False": ValueFact("bool")}


@dataclass(frozen=True)
class Known:
    """What is known of a function: its expressions' values, and the names that may be rewritten."""

    kinds: Kinds
    names: Collection[str]


def without_none(module: Module, tree: cst.Module, known: Mapping[str, Known]) -> cst.Module:
    """Returns the tree without names that are None or a number as values decide, and without tuples that change."""
    taken = set(name_tools.all_names(tree))

    def rewritten(function: cst.FunctionDef, of: Known) -> cst.FunctionDef:
        found = _none_at_first(function) | _tuples(function)
        return _function(module, function, sorted(found & set(of.names)), of.kinds, taken, arrays=True)

    return each_function(tree, known, rewritten)


def without_optional_tuples(module: Module, tree: cst.Module, kinds: Mapping[str, Kinds]) -> cst.Module:
    """Returns the tree without names that are None or a tuple as values decide."""
    taken = set(name_tools.all_names(tree))

    def rewritten(function: cst.FunctionDef, of: Kinds) -> cst.FunctionDef:
        found = _none_at_first(function) & _tuples(function, least=1)
        if not found:
            return function
        lines = function.visit(OneStatementALine(module))
        assert isinstance(lines, cst.FunctionDef)
        return _function(module, lines, sorted(found), of, taken)

    return each_function(tree, kinds, rewritten)


def _function(
    module: Module, function: cst.FunctionDef, names: Iterable[str], kinds: Kinds, taken: set[str],
    arrays: bool = False,
) -> cst.FunctionDef:  # fmt: skip
    for name in names:
        # an array that an option alone decides about may well be None: the caller gets None then
        loops = arrays and _is_bound_in_a_loop(name, function)
        plan = None if name in name_tools.parameters(function) else _plan(name, function, kinds, taken, loops)
        if plan is None:
            continue
        taken |= {plan.flag, *plan.parts}
        module.flagged |= {part for part, zero in zip(plan.parts, plan.zeros, strict=True) if zero not in _FACT}
        new = function.visit(_Replaced(module, plan))
        assert isinstance(new, cst.FunctionDef)
        module.inherit(new, function)
        function = new
    return function


def _is_bound_in_a_loop(name: str, function: cst.FunctionDef) -> bool:
    loops: list[Any] = [*nodes_of(function, cst.For), *nodes_of(function, cst.While)]
    bound = [pair for loop in loops for one in nodes_of(loop.body, cst.Assign) for pair in _bindings(one)]
    return any(n == name and not _is_empty(value) for n, value in bound)


def _none_at_first(function: cst.FunctionDef) -> set[str]:
    return {n for one in nodes_of(function, cst.Assign) for n, v in _bindings(one) if n and _is_none(v)}


def _tuples(function: cst.FunctionDef, least: int = 2) -> set[str]:
    """Returns the names that are bound to a tuple so many times, or more."""
    bound = [n for one in nodes_of(function, cst.Assign) for n, v in _bindings(one) if isinstance(v, cst.Tuple)]
    return {n for n in bound if n and bound.count(n) >= least}


def _bindings(one: cst.Assign) -> list[tuple[str, Any]]:
    """Returns (name, value) for each name that an assignment binds; the name is "" where the value is not told."""
    found: list[tuple[str, Any]] = []
    for target in (t.target for t in one.targets):
        if isinstance(target, cst.Name):
            found.append((target.value, one.value))
        elif isinstance(target, cst.Tuple | cst.List) and isinstance(one.value, cst.Tuple | cst.List):
            names = [e.value.value if isinstance(e.value, cst.Name) else "" for e in target.elements]
            found += zip(names, [e.value for e in one.value.elements], strict=False)
    return found


def _is_none(node: Any) -> bool:
    return isinstance(node, cst.Name) and node.value == "None"


def _is_empty(node: Any) -> bool:
    """Says whether a value is None, or a tuple with None in it."""
    return _is_none(node) or (isinstance(node, cst.Tuple) and any(_is_none(e.value) for e in node.elements))


@dataclass
class _Plan:
    """How one name is rewritten.

    Attributes
    ----------
    flag : str
        Whether there is a number; "" where it is never None.
    parts : tuple of str
        What stands for it: its own name, or one for each element of a tuple.
    zeros : tuple of str
        What these are while there is nothing; of an array, which is not bound then, what it is.
    facts : dict of str to ValueFact
        What is known of each part, by its zero.
    optional : frozenset of int
        The parts that may be nothing.
    unproved : list of node
        Statements that read it where there may be nothing.
    """

    name: str
    flag: str
    parts: tuple[str, ...]
    zeros: tuple[str, ...]
    is_tuple: bool
    facts: dict[str, ValueFact]
    optional: frozenset[int]
    unproved: list[Any] = field(default_factory=list)


def _plan(name: str, function: cst.FunctionDef, kinds: Kinds, taken: set[str], arrays: bool) -> _Plan | None:
    inner: list[Any] = [f for f in nodes_of(function, cst.FunctionDef) if f is not function]
    inner += nodes_of(function, cst.Lambda)
    if any(name in name_tools.all_names(one) for one in inner):
        return None
    values, bound = [], 0
    for one in nodes_of(function, cst.Assign):
        given = [value for n, value in _bindings(one) if n == name]
        if given and len(one.targets) > 1:
            return None
        values += given
        bound += sum(name in name_tools.targets(t.target) for t in one.targets)
    others: list[Any] = [*nodes_of(function, cst.For), *nodes_of(function, cst.NamedExpr)]
    others += [*nodes_of(function, cst.AnnAssign), *nodes_of(function, cst.AugAssign)]
    if bound != len(values) or any(name in name_tools.targets(one.target) for one in others):
        return None
    facts = dict(_FACT)
    shapes = [_zeros(value, kinds, facts, arrays) for value in values if not _is_none(value)]
    is_tuple = any(isinstance(value, cst.Tuple) for value in values)
    empty = any(map(_is_empty, values))
    told = [shape for shape in shapes if shape is not None]
    if not told or len(told) < len(shapes) or len(set(map(len, told))) != 1:
        return None
    each = [{shape[k] for shape in told if shape[k]} for k in range(len(told[0]))]
    if any(not zeros for zeros in each) or (empty and any(len(zeros) > 1 for zeros in each)):
        return None
    if any(len(zeros) > 1 and not zeros <= set(_FACT) for zeros in each):
        return None
    if not empty and any(not zeros <= set(_FACT) for zeros in each):
        return None
    # of numbers of several kinds that are never nothing no zero is used
    zeros = tuple(sorted(zeros)[0] for zeros in each)
    parts = tuple(name_tools.fresh(f"{name}_{k}", taken) for k in range(len(zeros))) if is_tuple else (name,)
    whole = any(map(_is_none, values))
    optional = frozenset(k for k in range(len(zeros)) if whole or any(not shape[k] for shape in told))
    flag = name_tools.fresh(f"has_{name}", taken) if empty else ""
    plan = _Plan(name, flag, parts, zeros, is_tuple, facts, optional)
    reads = _Reads(plan)
    reads.block(statements(function), not empty)
    return None if reads.unknown else plan


def _zeros(value: Any, kinds: Kinds, facts: dict[str, ValueFact], arrays: bool) -> tuple[str, ...] | None:
    """Returns what stands for nothing in the place of a value: one number, or one for each element; "" for None."""
    elements = [e.value for e in value.elements] if isinstance(value, cst.Tuple) else [value]
    found = []
    for one in elements:
        if isinstance(value, cst.Tuple) and _is_none(one):
            found.append("")
            continue
        fact = kinds.of(one)
        zero = None if fact is None else _ZERO.get((fact.dtype if fact.kind == "scalar" else fact.kind) or "")
        if arrays and fact is not None and fact.kind == "array" and fact.dtype is not None and fact.ndim:
            zero = f"array of {fact.dtype}, {fact.ndim} axes"
            facts[zero] = fact
        if zero is None:
            return None
        found.append(zero)
    return tuple(found)


class _Reads:
    """Follows where a name is read, and whether there is a number then."""

    def __init__(self, plan: _Plan) -> None:
        self.plan, self.name = plan, plan.name
        self.unknown = False
        self.statement: Any = None
        self.certain = True

    def block(self, body: Iterable[Any], some: bool) -> bool | None:
        """Looks at statements; returns whether there is a number behind them, None where they are left."""
        state: bool | None = some
        for node in body:
            if state is None:
                return None
            state = self.compound(node, state) if small(node) is None else self.line(node, small(node), state)
        return state

    def compound(self, node: Any, some: bool) -> bool | None:
        self.statement = None
        if isinstance(node, cst.If):
            self.expression(node.test, some)
            asked = self.asks(node.test)
            ends = [self.block(statements(node), some or asked is True)]
            other: Any = node.orelse
            rest = [other] if isinstance(other, cst.If) else statements(other) if other is not None else ()
            ends.append(self.block(rest, some or asked is False))
            staying = [end for end in ends if end is not None]
            return all(staying) if staying else None
        if isinstance(node, cst.For | cst.While):
            inside = [pair for one in nodes_of(node, cst.Assign) for pair in _bindings(one)]
            head = some and not any(n == self.name and _is_empty(value) for n, value in inside)
            self.expression(node.iter if isinstance(node, cst.For) else node.test, head)
            asked = isinstance(node, cst.While) and self.asks(node.test) is True
            self.block(statements(node), head or asked)
            if node.orelse is not None:
                self.block(statements(node.orelse), False)
            return head
        self.unknown = self.unknown or self.name in name_tools.all_names(node)
        return some

    def line(self, node: Any, one: Any, some: bool) -> bool | None:
        self.statement = node
        if isinstance(one, cst.Assign):
            for target in one.targets:
                if not isinstance(target.target, cst.Name):
                    parts = [e.value for e in getattr(target.target, "elements", ())] or [target.target]
                    for part in parts:
                        if not isinstance(part, cst.Name):
                            self.expression(part, some)
            into: Any = one.targets[0].target
            unpacked = isinstance(into, cst.Tuple) and _is(one.value, self.name)
            if unpacked and self.plan.is_tuple and len(into.elements) == len(self.plan.parts):
                self.read(some)
            elif given := [value for n, value in _bindings(one) if n == self.name]:
                # of the tuple that it is bound to each element is read by itself
                whole: Any = one.value
                for value in given if any(whole is v for v in given) else [e.value for e in whole.elements]:
                    for part in children(value) if isinstance(value, cst.Tuple) else [value]:
                        self.expression(part, some)
            else:
                self.expression(one.value, some)
            given = [value for n, value in _bindings(one) if n == self.name]
            return not _is_empty(given[-1]) if given else some
        if isinstance(one, cst.Return):
            values = [e.value for e in one.value.elements] if isinstance(one.value, cst.Tuple) else [one.value]
            for value in values:
                if _is(value, self.name):
                    self.read(some)
                elif value is not None:
                    self.expression(value, some)
            return None
        self.expression(one, some)
        return None if isinstance(one, cst.Raise | cst.Break | cst.Continue) else some

    def read(self, some: bool) -> None:
        if some:
            return
        if self.statement is None or not self.certain:
            self.unknown = True
        elif not any(self.statement is one for one in self.plan.unproved):
            self.plan.unproved.append(self.statement)

    def expression(self, node: Any, some: bool) -> None:
        if self.test(node) is not None:
            return
        if isinstance(node, cst.BooleanOperation):
            self.expression(node.left, some)
            wanted = isinstance(node.operator, cst.And)
            self.maybe(node.right, some or self.asks(node.left) is wanted)
        elif isinstance(node, cst.IfExp):
            asked = self.asks(node.test)
            self.expression(node.test, some)
            self.maybe(node.body, some or asked is True)
            self.maybe(node.orelse, some or asked is False)
        elif isinstance(node, cst.ListComp | cst.GeneratorExp | cst.SetComp | cst.DictComp):
            self.unknown = self.unknown or self.name in name_tools.all_names(node)
        elif isinstance(node, cst.Subscript) and self.plan.is_tuple and _is(node.value, self.name):
            place = _constant(node)
            if place is None or not 0 <= place < len(self.plan.parts):
                self.unknown = True
            self.read(some or place not in self.plan.optional)
        elif isinstance(node, cst.Name):
            if node.value == self.name:
                self.unknown = self.unknown or self.plan.is_tuple
                self.read(some)
        elif isinstance(node, cst.Attribute | cst.Arg):
            self.expression(node.value, some)
        else:
            for child in children(node):
                self.expression(child, some)

    def maybe(self, node: Any, some: bool) -> None:
        before, self.certain = self.certain, False
        self.expression(node, some)
        self.certain = before

    def test(self, node: Any) -> bool | None:
        """Says what ``x is not None`` (True) or ``x is None`` (False) asks, None for anything else."""
        return _asks_none(node, self.name)

    def asks(self, test: Any) -> bool | None:
        """Says which outcome of a test tells that there is a number, None where neither does."""
        return asking.asks(test, self.test)


def _is(node: Any, name: str) -> bool:
    return isinstance(node, cst.Name) and node.value == name


def _asks_none(node: Any, name: str) -> bool | None:
    if not isinstance(node, cst.Comparison) or len(node.comparisons) != 1 or not _is(node.left, name):
        return None
    only = node.comparisons[0]
    if not _is_none(only.comparator) or not isinstance(only.operator, cst.Is | cst.IsNot):
        return None
    return isinstance(only.operator, cst.IsNot)


def _constant(node: cst.Subscript) -> int | None:
    text = code(node.slice[0].slice).replace(" ", "") if len(node.slice) == 1 else ""
    return int(text) if text.isdigit() else None


class _Replaced(Rewriter):
    def __init__(self, module: Module, plan: _Plan) -> None:
        super().__init__(module)
        self.plan = plan

    def leave_SimpleStatementLine(self, original_node: Any, updated_node: Any) -> Any:
        plan, one = self.plan, small(original_node)
        lines: list[Any] = []
        if any(original_node is found for found in plan.unproved):
            text = f"if not {plan.flag}:\n    raise TypeError('{plan.name} is None here')\n"
            lines.append(made(text, original_node))
            self.module.learn(lines[0].test, ValueFact("bool"))
        given = [value for n, value in _bindings(one) if n == plan.name] if isinstance(one, cst.Assign) else []
        if not given:
            lines.append(updated_node)
        else:
            lines += self.bound(original_node, updated_node, _is_empty(given[-1]))
        if len(lines) == 1:
            return lines[0]
        lines[0] = leading(lines[0], original_node)
        lines[1:] = [line.with_changes(leading_lines=[]) for line in lines[1:]]
        return cst.FlattenSentinel(lines)

    def bound(self, old: Any, new: Any, empty: bool) -> list[Any]:
        """Returns the statements that give the name something, or nothing, and set the flag."""
        plan, one = self.plan, small(new)
        target, value = one.targets[0].target, one.value
        if isinstance(target, cst.Name):
            targets, values = [target], [value]
        else:
            targets = [e.value for e in target.elements]
            values = [e.value for e in value.elements]
        names: list[str] = []
        given: list[Any] = []
        for one_target, one_value in zip(targets, values, strict=True):
            if not _is(one_target, plan.name):
                names.append(code(one_target))
                given.append(one_value)
                continue
            values_of = [e.value for e in one_value.elements] if isinstance(one_value, cst.Tuple) else [one_value]
            if _is_none(one_value):
                values_of = [one_value]*len(plan.parts)
            for part, text, one_part in zip(plan.parts, plan.zeros, values_of, strict=True):
                if not _is_none(one_part):
                    names.append(part)
                    given.append(one_part)
                elif text in _FACT:
                    zero = cst.parse_expression(text)
                    self.module.inherit(zero, one_value)
                    self.module.learn(zero, _FACT[text])
                    names.append(part)
                    given.append(zero)
        if not names:
            return [self.flagged(old, not empty)]
        line = made(f"{', '.join(names)} = {', '.join(['0'] * len(names))}", old)
        new_value = line.body[0].value
        if len(names) == 1:
            new_value = given[0]
        else:
            elements = [e.with_changes(value=v) for e, v in zip(new_value.elements, given, strict=True)]
            new_value = new_value.with_changes(elements=elements)
        self.module.inherit(new_value, small(old).value)
        line = line.with_changes(body=[line.body[0].with_changes(value=new_value)])
        self.module.inherit(line, old)
        if not plan.is_tuple:
            for target_name in nodes_of(line.body[0].targets[0], cst.Name):
                if target_name.value == plan.name:
                    self.module.learn(target_name, plan.facts[plan.zeros[0]])
        return [line, self.flagged(old, not empty)] if plan.flag else [line]

    def flagged(self, old: Any, value: bool) -> Any:
        """Returns the statement that says whether there is something."""
        flag = made(f"{self.plan.flag} = {value}", old)
        self.module.inherit(flag, old)
        self.module.inherit(flag.body[0].value, small(old).value)
        self.module.learn(flag.body[0].value, ValueFact("bool"))
        self.module.learn(flag.body[0].targets[0].target, ValueFact("bool"))
        return flag

    def leave_Assign(self, original_node: cst.Assign, updated_node: cst.Assign) -> cst.Assign:
        if self.plan.is_tuple and _is(original_node.value, self.plan.name):
            return updated_node.with_changes(value=self.whole(False))
        return updated_node

    def leave_Return(self, original_node: cst.Return, updated_node: cst.Return) -> cst.Return:
        if not self.plan.is_tuple:
            return updated_node
        if _is(original_node.value, self.plan.name):
            return updated_node.with_changes(value=self.whole(True))
        if isinstance(updated_node.value, cst.Tuple):
            elements = [
                e.with_changes(value=self.whole(True)) if _is(e.value, self.plan.name) else e
                for e in updated_node.value.elements
            ]
            return updated_node.with_changes(value=updated_node.value.with_changes(elements=elements))
        return updated_node

    def whole(self, brackets: bool) -> cst.BaseExpression:
        text = ", ".join(self.plan.parts)
        return cst.parse_expression(f"({text})" if brackets else text)

    def leave_Subscript(self, original_node: cst.Subscript, updated_node: cst.Subscript) -> cst.BaseExpression:
        if self.plan.is_tuple and _is(original_node.value, self.plan.name):
            return cst.Name(self.plan.parts[_constant(original_node) or 0])
        return updated_node

    def leave_Comparison(self, original_node: cst.Comparison, updated_node: cst.Comparison) -> cst.BaseExpression:
        asked = _asks_none(original_node, self.plan.name)
        if asked is None:
            return updated_node
        new = cst.parse_expression(self.plan.flag if asked else f"not {self.plan.flag}")
        self.module.learn(new, ValueFact("bool"))
        return new

    def leave_Name(self, original_node: cst.Name, updated_node: cst.Name) -> cst.Name:
        if original_node.value != self.plan.name or self.plan.is_tuple:
            return updated_node
        # what was seen of it, None apart
        new = updated_node.deep_clone()
        self.module.learn(new, self.plan.facts[self.plan.zeros[0]])
        return new
