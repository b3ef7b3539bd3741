"""Rewrite short vectors in loops as numbers.

    r = pos[j] - pos[i]                   r_0 = pos[j, 0] - pos[i, 0]
    d = np.sqrt((r**2).sum())      ->     r_1 = pos[j, 1] - pos[i, 1]
    acc[i] += m[j]*r/d**3                 d = np.sqrt(r_0**2 + r_1**2)
                                          acc[i, 0] += m[j]*r_0/d**3
                                          acc[i, 1] += m[j]*r_1/d**3

Lengths are those that were seen; they are compared once, before the loop. A name is taken apart where every use of it
is by components, and where it is no second name of what the loop writes. What is not of this form stays as it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import libcst as cst
import numpy as np

from jitmagic.generate import names as name_tools
from jitmagic.generate.blocks import code, in_one_line, on_the_line_of, small, statements
from jitmagic.generate.component_numbers import Numbers
from jitmagic.generate.component_values import MOST, Cannot, Short, Surroundings, flat, integer
from jitmagic.generate.precedence import bracketed
from jitmagic.generate.rewriter import Rewriter
from jitmagic.generate.walking import children, nodes_of
from jitmagic.observe.facts import ValueFact

_DTYPES = frozenset({"float64", "float32", "int64", "complex128"})


class Components:
    """Rewrites loops of one function.

    Parameters
    ----------
    around : Surroundings
    """

    def __init__(self, around: Surroundings) -> None:
        self.around, self.module = around, around.module

    def rewritten(self, loop: cst.For, before: cst.For | None = None) -> tuple[list[Any], cst.For] | None:
        """Returns the checks that belong before a loop, and the loop; None where nothing is rewritten.

        Parameters
        ----------
        loop : libcst.For
        before : libcst.For, optional
            What it was in the function, where it has changed.
        """
        names = self._candidates(loop, before or loop)
        checks: dict[str, None] = {}
        unrolling = _Unrolling(self.around, names, checks, name_tools.bound(loop))
        unrolled = loop.visit(unrolling)
        assert isinstance(unrolled, cst.For)
        self.module.inherit(unrolled, loop)
        while True:
            body = _Body(self.around, unrolled, names)
            new = unrolled.visit(body)
            left = body.left & set(names)
            if not left:
                break
            names = {name: short for name, short in names.items() if name not in left}
        if not body.done:
            return None
        assert isinstance(new, cst.For)
        # where no vector is left that asked for it, the loops inside stay as they were written
        checks |= body.checks
        other = " or ".join(checks)
        raising = 'raise ValueError("vectors of other lengths than in the example")'
        lines = [cst.parse_statement(f"if {other}:\n    {raising}\n")] if checks else []
        self.module.inherit(new, loop)
        return lines, new

    def _candidates(self, loop: cst.For, before: cst.For) -> dict[str, Short]:
        """Returns the names that are bound to short vectors of one length, and occur in the loop alone."""
        seen: dict[str, list[ValueFact | None]] = {}
        others = {name for one in nodes_of(loop, cst.For) for name in name_tools.targets(one.target)}
        others |= {name for one in nodes_of(loop, cst.CompFor) for name in name_tools.targets(one.target)}
        others |= {name for one in nodes_of(loop, cst.NamedExpr) for name in name_tools.targets(one.target)}
        for assign in nodes_of(loop.body, cst.Assign):
            for target in assign.targets:
                if isinstance(target.target, cst.Name) and len(assign.targets) == 1:
                    seen.setdefault(target.target.value, []).append(self.around.fact(assign.value))
                else:
                    others |= set(name_tools.targets(target.target))
        found = {}
        for name, facts in seen.items():
            if name in others or not all(is_short(fact) or is_small(fact) for fact in facts):
                continue
            first = facts[0]
            assert first is not None
            assert first.dtype is not None
            assert first.shape is not None
            if any(fact.shape != first.shape or fact.dtype != first.dtype for fact in facts if fact is not None):
                continue
            if first.dtype not in _DTYPES or self._count(self.around.function, name) != self._count(before, name):
                continue
            shape = tuple(extent or 0 for extent in first.shape)
            taken = self.around.taken
            parts = []
            for place in np.ndindex(shape):
                parts.append(name_tools.fresh(f"{name}_{''.join(map(str, place))}", taken))
                taken.add(parts[-1])
            found[name] = Short(tuple(parts), first.dtype, shape)
        return found

    @staticmethod
    def _count(node: cst.CSTNode, name: str) -> int:
        return sum(one.value == name for one in nodes_of(node, cst.Name))


def is_short(fact: ValueFact | None) -> bool:
    """Says whether a value was a vector of a few numbers."""
    if fact is None or fact.kind != "array" or fact.shape is None or len(fact.shape) != 1:
        return False
    return fact.shape[0] is not None and 2 <= fact.shape[0] <= MOST


def is_small(fact: ValueFact | None) -> bool:
    """Says whether a value was a matrix of a few numbers."""
    if fact is None or fact.kind != "array" or fact.shape is None or len(fact.shape) != 2:
        return False
    return all(extent is not None and 2 <= extent <= MOST for extent in fact.shape)


class _Unrolling(Rewriter):
    """Writes out loops over the components of such vectors: `for k in range(3): r[k] = ...`."""

    def __init__(
        self, owner: Surroundings, names: dict[str, Short], checks: dict[str, None], bound: frozenset[str]
    ) -> None:
        super().__init__(owner.module)
        self.owner, self.names, self.checks, self.bound = owner, names, checks, bound
        self.outer: cst.For | None = None

    def visit_For(self, node: cst.For) -> None:
        self.outer = self.outer or node

    def leave_For(self, original_node: cst.For, updated_node: cst.For) -> Any:
        index = original_node.target
        if original_node is self.outer or not isinstance(index, cst.Name) or original_node.orelse is not None:
            return updated_node
        if not self._goes_through(original_node.body, index.value):
            return updated_node
        body = original_node.body
        if [*nodes_of(body, cst.Break), *nodes_of(body, cst.Continue)] or not self._is_its_own(index.value, body):
            return updated_node
        steps = self._steps(original_node.iter)
        if steps is None:
            return updated_node
        made: list[Any] = []
        for step in steps:
            for line in statements(updated_node):
                copy = line.deep_clone()
                self.module.inherit_parts(copy, line)
                fixed = copy.visit(_Fixed(self.owner, index.value, step))
                made.append(fixed.with_changes(leading_lines=()) if step != steps[0] else fixed)
        if made:
            lines = [*original_node.leading_lines, *made[0].leading_lines]
            made[0] = made[0].with_changes(leading_lines=lines)
        return cst.FlattenSentinel(made)

    def _goes_through(self, body: cst.CSTNode, index: str) -> bool:
        """Says whether a body reads or writes a component by the loop's index."""
        return any(
            isinstance(one.value, cst.Name)
            and one.value.value in self.names
            and any(code(element.slice) == index for element in one.slice)
            for one in nodes_of(body, cst.Subscript)
        )

    def _is_its_own(self, index: str, body: cst.CSTNode) -> bool:
        """Says whether an index is one, wherever it stands, and nothing assigns it or reads it after its loop."""
        assert self.outer is not None
        words = [one.attr.value for one in nodes_of(body, cst.Attribute)]
        words += [one.keyword.value for one in nodes_of(body, cst.Arg) if one.keyword is not None]
        loops = [one for one in nodes_of(self.outer.body, cst.For) if code(one.target) == index]
        inside = sum(n.value == index for one in loops for n in nodes_of(one, cst.Name))
        every = sum(n.value == index for n in nodes_of(self.owner.function, cst.Name))
        return index not in name_tools.bound(body) and index not in words and inside == every

    def _steps(self, node: cst.BaseExpression) -> range | None:
        """Returns the steps of a range of at most as many as a vector may have."""
        if not isinstance(node, cst.Call) or code(node.func) != "range" or not 1 <= len(node.args) <= 2:
            return None
        ends = [self._number(arg.value) for arg in node.args]
        if any(end is None for end in ends):
            return None
        steps = range(*[end for end in ends if end is not None])
        return steps if len(steps) <= MOST else None

    def _number(self, node: cst.BaseExpression) -> int | None:
        value = integer(node)
        if value is not None:
            return value
        inner = node.args[0].value if isinstance(node, cst.Call) and code(node.func) == "len" else None
        if isinstance(inner, cst.Name) and inner.value in self.names:
            return self.names[inner.value].shape[0]
        fact = self.owner.fact(node)
        if fact is None or fact.kind != "int" or fact.low is None or fact.low != fact.high or fact.low > MOST:
            return None
        if not isinstance(node, cst.Name) or node.value in self.bound:
            return None
        self.checks[f"{node.value} != {fact.low}"] = None
        return fact.low


class _Fixed(Rewriter):
    """Puts a number in the place of an index."""

    def __init__(self, owner: Surroundings, name: str, value: int) -> None:
        super().__init__(owner.module)
        self.name, self.value = name, value

    def leave_Name(self, original_node: cst.Name, updated_node: cst.Name) -> cst.BaseExpression:
        return cst.Integer(str(self.value)) if original_node.value == self.name else updated_node


class _Body(Numbers):
    """Rewrites the statements and expressions of one loop."""

    def __init__(self, owner: Surroundings, loop: cst.For, names: dict[str, Short]) -> None:
        super().__init__(owner, loop, names)
        self.lines: dict[cst.CSTNode, list[Any]] = {}
        self.stored: set[str] = set()
        self.changed: set[str] = set()
        targets = [t.target for one in nodes_of(loop, cst.Assign) for t in one.targets]
        targets += [one.target for one in nodes_of(loop, cst.AugAssign)]
        for target in targets:
            every = target.elements if isinstance(target, cst.Tuple | cst.List) else ()
            for one in (target, *(element.value for element in every)):
                base = one
                while isinstance(base, cst.Subscript | cst.Attribute):
                    base = base.value
                if base is not one and isinstance(base, cst.Name):
                    self.stored.add(base.value)
                    self.changed.add(base.value)
        self.stored |= {one.target.value for one in nodes_of(loop, cst.AugAssign) if isinstance(one.target, cst.Name)}
        self.changed |= {one.target.value for one in nodes_of(loop, cst.AugAssign) if isinstance(one.target, cst.Name)}

    # -- statements

    def visit_SimpleStatementLine(self, node: cst.SimpleStatementLine) -> bool:
        one = small(node)
        if len(node.body) != 1 or not isinstance(one, cst.Assign | cst.AugAssign):
            return True
        before = dict(self.checks)
        try:
            lines = self._assign(one) if isinstance(one, cst.Assign) else self._change(one)
        except Cannot:
            lines = None
        if lines is None:
            self.checks = before
            return True
        self.done = True
        first, *rest = lines
        self.lines[node] = [
            node.with_changes(body=[first]),
            *(on_the_line_of(cst.SimpleStatementLine([line]), node) for line in rest),
        ]
        return False

    def leave_SimpleStatementLine(
        self, original_node: cst.SimpleStatementLine, updated_node: cst.SimpleStatementLine
    ) -> Any:
        lines = self.lines.get(original_node)
        return updated_node if lines is None else cst.FlattenSentinel(lines)

    def _assign(self, node: cst.Assign) -> list[cst.BaseSmallStatement] | None:
        if len(node.targets) != 1:
            return None
        target, value = node.targets[0].target, node.value
        if isinstance(target, cst.Name):
            if target.value not in self.names:
                return None
            self._check_views(target.value, value)
            return self._set(self.own(target.value), self._given(value, self.names[target.value].shape))
        if isinstance(target, cst.Tuple | cst.List):
            places: list[Any] = [element.value for element in target.elements]
            if not all(isinstance(one, cst.Name) for one in places) or not is_short(self.seen(value)):
                return None
            values = self.vector(value, len(places))
            for one in places:
                self.module.learn(one, self.number_fact(value))
            return self._set(places, values)
        if not isinstance(target, cst.Subscript):
            return None
        if self.is_own(target.value):
            return self._own_store(target, value, None)
        places, shape = self.row(target)
        values = self._given(value, shape)
        base = flat(target)[0].value
        apart = not _reads_elsewhere(self.owner, base, target, value)
        return self._set(places, values, apart)

    def _change(self, node: cst.AugAssign) -> list[cst.BaseSmallStatement] | None:
        target, value = node.target, node.value
        if isinstance(target, cst.Name):
            if target.value not in self.names:
                return None
            places: list[Any] = self.own(target.value)
            first, values = self._given_once(value, self.names[target.value].shape)
            return [*first, *self._added(places, node.operator, values)]
        if not isinstance(target, cst.Subscript):
            return None
        if self.is_own(target.value):
            return self._own_store(target, value, node.operator)
        places, shape = self.row(target)
        first, values = self._given_once(value, shape)
        base = flat(target)[0].value
        apart = not _reads_elsewhere(self.owner, base, target, value)
        return [*first, *self._added(places, node.operator, values, apart or bool(first))]

    def _own_store(
        self, target: cst.Subscript, value: cst.BaseExpression, operator: cst.BaseAugOp | None
    ) -> list[cst.BaseSmallStatement]:
        """Rewrites a store into components of a name that is taken apart: `r[0]`, `r[:]`, `r[r > 1]`."""
        assert isinstance(target.value, cst.Name)
        name = target.value.value
        places: list[Any] = self.own(name)
        if len(self.names[name].shape) == 2:
            at = self.own_place(target)
            one, new = [places[at]], [self.typed(self.number(value), value, self.names[name].dtype)]
            return self._set(one, new) if operator is None else self._added(one, operator, new)
        if len(target.slice) != 1:
            raise Cannot
        part: Any = target.slice[0].slice
        if isinstance(part, cst.Slice):
            if part.lower is not None or part.upper is not None or part.step is not None:
                raise Cannot
            values = self._given(value, self.names[name].shape)
            return self._set(places, values) if operator is None else self._added(places, operator, values)
        if integer(part.value) is not None:
            at = self.own_place(target)
            one, new = [places[at]], [self.typed(self.number(value), value, self.names[name].dtype)]
            return self._set(one, new) if operator is None else self._added(one, operator, new)
        mask = self.seen(part.value)
        if mask is None or mask.dtype != "bool" or not is_short(mask):
            raise Cannot
        chosen = self.vector(part.value, len(places))
        values = self.vector(value, len(places))
        if not self.is_number(value):
            raise Cannot  # as many values as there are places that hold
        olds = self.own(name)
        if operator is not None:
            values = [self.both(old, operator, new) for old, new in zip(self.own(name), values, strict=True)]
        picked = [
            cst.IfExp(test=bracketed(_CHOICE, "test", test), body=bracketed(_CHOICE, "body", new), orelse=old)
            for test, new, old in zip(chosen, values, olds, strict=True)
        ]
        return self._set(places, picked)

    def _given(self, value: cst.BaseExpression, shape: tuple[int, ...]) -> list[Any]:
        """Returns what each component is given."""
        if len(shape) == 1:
            return self.vector(value, shape[0])
        rows = self.matrix(value, (shape[0], shape[1]))
        return [one for row in rows for one in row]

    def _given_once(
        self, value: cst.BaseExpression, shape: tuple[int, ...]
    ) -> tuple[list[cst.BaseSmallStatement], list[Any]]:
        """Returns what each component is changed by; a number that takes work has a name, and is worked out before."""
        if not self.is_number(value) or isinstance(value, cst.Name | cst.Integer | cst.Float):
            return [], self._given(value, shape)
        new = self.number(value)
        name = name_tools.fresh("factor", self.owner.taken)
        self.owner.taken.add(name)
        fact = self.seen(value)
        values = [cst.Name(name) for _ in range(int(np.prod(shape)))]
        for one in values:
            self.module.learn(one, fact or ValueFact("scalar"))
        return [cst.Assign([cst.AssignTarget(cst.Name(name))], bare(new))], values

    def _set(self, places: Sequence[Any], values: Sequence[Any], apart: bool = True) -> list[cst.BaseSmallStatement]:
        """Returns assignments, one after the other where none reads what one before it has written."""
        if (apart and _are_apart(places, values)) or len(places) == 1:
            return [
                cst.Assign([cst.AssignTarget(place)], bare(value)) for place, value in zip(places, values, strict=True)
            ]
        left = cst.Tuple([cst.Element(place) for place in places], lpar=(), rpar=())
        right = cst.Tuple([cst.Element(value) for value in values], lpar=(), rpar=())
        return [cst.Assign([cst.AssignTarget(left)], right)]

    def _added(
        self, places: Sequence[Any], operator: cst.BaseAugOp, values: Sequence[Any], apart: bool = True
    ) -> list[cst.BaseSmallStatement]:
        if (apart and _are_apart(places, values)) or len(places) == 1:
            return [
                cst.AugAssign(place, operator.deep_clone(), bare(value))
                for place, value in zip(places, values, strict=True)
            ]
        olds = [self.copied(place) for place in places]
        return self._set(
            places, [self.both(old, operator, new) for old, new in zip(olds, values, strict=True)], apart=False
        )

    def _check_views(self, name: str, value: cst.BaseExpression) -> None:
        """Refuses a name of an array's own memory where one of both is written through."""
        for viewed in _viewed(value):
            if name in self.changed:
                raise Cannot
            if viewed in self.names:
                if viewed in self.changed:
                    raise Cannot
            elif any(self.owner.may_share(viewed, one) for one in self.stored):
                raise Cannot

    def row(self, target: cst.Subscript) -> tuple[list[Any], tuple[int, ...]]:
        """Returns the elements of a part of an array that is written."""
        base, _ = flat(target)
        if base.value in self.names:
            raise Cannot
        places, shape = self.places(target)
        fact = self.array_fact(base)
        for place in places:
            self.module.learn(place, ValueFact("scalar", fact.dtype, ()))
        return places, shape


_CHOICE: Any = cst.parse_expression("a if b else c")


def _reads_elsewhere(
    around: Surroundings, base: str, target: cst.BaseExpression, value: cst.BaseExpression
) -> bool:
    """Says whether a value may read what a store writes, at another place than the very one that is written."""
    same = in_one_line(target)

    def look(node: cst.CSTNode) -> bool:
        if isinstance(node, cst.Subscript) and in_one_line(node.with_changes(lpar=(), rpar=())) == same:
            return False
        if isinstance(node, cst.Name):
            return around.may_share(base, node.value)
        return any(look(child) for child in children(node))

    return look(value)


def _are_apart(places: Sequence[Any], values: Sequence[Any]) -> bool:
    """Says whether no component reads what one before it has written."""
    written: set[str] = set()
    for place, value in zip(places, values, strict=True):
        read = {code(one) for kind in (cst.Name, cst.Subscript) for one in nodes_of(value, kind)}
        if read & written:
            return False
        written.add(code(place))
    return True


def bare(node: Any) -> Any:
    """Takes the parentheses off a value that stands alone."""
    if isinstance(node, cst.Tuple | cst.GeneratorExp) or not node.lpar:
        return node
    return node.with_changes(lpar=(), rpar=())


def _viewed(node: cst.BaseExpression) -> set[str]:
    """Returns the names of which an expression may be a part, and no array of its own."""
    if isinstance(node, cst.IfExp):
        return _viewed(node.body) | _viewed(node.orelse)
    while isinstance(node, cst.Subscript | cst.Attribute):
        node = node.value
    return {node.value} if isinstance(node, cst.Name) else set()
