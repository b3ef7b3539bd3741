"""Rewrite loops over a part of an array, or over the indices at which a condition holds, as loops that count.

    for v in indices[indptr[u]:indptr[u + 1]]:    ->    for k in range(first, last):
                                                            v = indices[k]
    for v in np.flatnonzero(a[u]):                ->    for v in range(len(chosen)):
                                                            if chosen[v]:

How many steps such a loop takes depends on values, and JAX cannot make the part or the indices; it can count. ``first``
and ``last`` are what Python's slice makes of its two ends: counted from the end where negative, and cut to the array.
"""

from __future__ import annotations

from typing import Any

import libcst as cst

from jitmagic.backends.jax.tracing import Tracing
from jitmagic.generate import names as name_tools
from jitmagic.generate.blocks import code, leading, made, statements, with_body
from jitmagic.generate.liveness import live_names
from jitmagic.generate.module import Module
from jitmagic.generate.rewriter import FunctionRewriter
from jitmagic.observe.facts import ValueFact

_WHOLE = ValueFact("scalar", "int64", ())


def counted_walks(module: Module, tree: cst.Module, tracing: dict[str, Tracing]) -> cst.Module:
    """Returns the tree with such loops counting."""
    return tree.visit(_Walks(module, tracing, set(name_tools.all_names(tree))))


class _Walks(FunctionRewriter[Tracing]):
    def __init__(self, module: Module, tracing: dict[str, Tracing], taken: set[str]) -> None:
        super().__init__(module, tracing)
        self.taken = taken
        self.live: dict[cst.CSTNode, frozenset[str]] = {}

    def visit_FunctionDef(self, node: cst.FunctionDef) -> None:
        if not self.stack:
            self.live = dict(live_names(statements(node)).after)
        super().visit_FunctionDef(node)

    def leave_For(self, original_node: cst.For, updated_node: cst.For) -> Any:
        if not self.stack:
            return updated_node
        iterated, target = original_node.iter, original_node.target
        if (mask := self._condition(iterated)) is not None and isinstance(target, cst.Name):
            return self._over_indices(original_node, updated_node, mask, target)
        walked, targets = self._walked(iterated, target)
        if not walked or len(walked) != len(targets) or not any(map(self._moves, walked)):
            return updated_node
        if not all(self._may_walk(part, original_node) for part in walked):
            return updated_node
        return self._over_parts(original_node, updated_node, walked, targets)

    # -- parts of arrays

    def _walked(self, iterated: Any, target: Any) -> tuple[list[Any], list[Any]]:
        """Returns the slices that a loop goes over, and what it binds their elements to."""
        if isinstance(iterated, cst.Subscript):
            return [iterated], [target]
        called = isinstance(iterated, cst.Call) and isinstance(iterated.func, cst.Name)
        if not called or iterated.func.value != "zip" or not isinstance(target, cst.Tuple | cst.List):
            return [], []
        args = [a for a in iterated.args if a.keyword is None or code(a.value) != "False"]  # strict=False
        parts = [a.value for a in args if a.keyword is None and not a.star and isinstance(a.value, cst.Subscript)]
        return (parts, [e.value for e in target.elements]) if len(parts) == len(args) else ([], [])

    def _moves(self, part: cst.Subscript) -> bool:
        """Says whether an end of a slice depends on values."""
        bounds = self._bounds(part)
        return bounds is not None and any(b is not None and self.stack[-1].expression(b) for b in bounds)

    def _bounds(self, part: cst.Subscript) -> tuple[Any, Any] | None:
        only = part.slice[0].slice if len(part.slice) == 1 else None
        if not isinstance(only, cst.Slice) or only.step is not None:
            return None
        return only.lower, only.upper

    def _may_walk(self, part: cst.Subscript, loop: cst.For) -> bool:
        """Says whether a slice is of a named array that stays the one it is: its elements may change, as in a view."""
        fact = self.stack[-1].kinds.of(part.value)
        if not isinstance(part.value, cst.Name) or self._bounds(part) is None:
            return False
        array = fact is not None and fact.kind == "array" and bool(fact.ndim)
        bound = name_tools.bound(loop.body) | set(name_tools.targets(loop.target))
        return array and part.value.value not in bound

    def _over_parts(self, old: cst.For, new: cst.For, walked: list[Any], targets: list[Any]) -> Any:
        before: list[Any] = []
        ends = [self._ends(part, old, before) for part in walked]
        counter = self._fresh("k")
        if len(walked) == 1:
            first, last = ends[0]
            counted = f"range({first}, {last})"
            places = [counter]
        else:
            count = ", ".join(f"{last} - {first}" if first != "0" else last for first, last in ends)
            counted = f"range(min({count}))"
            places = [counter if first == "0" else f"{first} + {counter}" for first, _ in ends]
        taken = []
        for part, target, place in zip(walked, targets, places, strict=True):
            line = made(f"{code(target)} = {part.value.value}[{place}]", old)
            fact = self.stack[-1].kinds.of(part.value)
            assert fact is not None
            shape = (fact.shape or ())[1:]
            value = line.body[0].value
            self._placed(line, old, ValueFact("array" if shape else "scalar", fact.dtype, shape))
            self.module.inherit(value.value, part.value)
            taken.append(line)
        loop = with_body(made(f"for {counter} in {counted}:\n    pass\n", old), [*taken, *statements(new)])
        loop = loop.with_changes(orelse=new.orelse)
        self.module.inherit(loop, old)
        if before:
            before[0] = leading(before[0], new)
            return cst.FlattenSentinel([*before, loop])
        return leading(loop, new)

    def _ends(self, part: cst.Subscript, loop: cst.For, before: list[Any]) -> tuple[str, str]:
        """Returns the first place and the one behind the last, as expressions."""
        length = f"len({code(part.value)})"
        lower, upper = self._bounds(part) or (None, None)
        found = []
        for bound, name, default in ((lower, "first", "0"), (upper, "last", length)):
            if bound is None or code(bound) == default:
                found.append(default)
                continue
            place = self._fresh(name)
            text = code(bound)
            before.append(self._number(place, text, bound, loop))
            given = made(f"{place} = __numpy__.clip(__numpy__.where({place} < 0, {place} + {length}, {place}), 0, "
                         f"{length})", loop)  # fmt: skip
            self._placed(given, loop, _WHOLE)
            self.module.learn(given.body[0].targets[0].target, _WHOLE)
            before.append(given)
            found.append(place)
        return found[0], found[1]

    def _placed(self, line: Any, loop: cst.For, fact: ValueFact) -> None:
        """Gives a new assignment the loop's place, and what its value will be."""
        value = line.body[0].value
        self.module.learn(value, fact)
        self.module.inherit(value, loop.iter)

    def _number(self, name: str, text: str, node: Any, loop: cst.For) -> Any:
        line = made(f"{name} = {text}", loop)
        self.module.inherit_parts(line.body[0].value, node)
        self.module.learn(line.body[0].targets[0].target, _WHOLE)
        return line

    # -- indices at which a condition holds

    def _condition(self, node: Any) -> Any:
        """Returns the condition of ``np.flatnonzero(condition)`` and the like, of one axis and told by values."""
        kinds = self.stack[-1].kinds
        if isinstance(node, cst.Subscript):
            if len(node.slice) != 1 or code(node.slice[0].slice) != "0":
                return None
            node, paths = node.value, frozenset({"numpy.where", "numpy.nonzero"})
        else:
            paths = frozenset({"numpy.flatnonzero"})
        if not isinstance(node, cst.Call) or kinds.path(node.func) not in paths or len(node.args) != 1:
            return None
        mask = node.args[0]
        fact = kinds.of(mask.value)
        one = fact is not None and fact.kind == "array" and fact.ndim == 1
        plain = mask.keyword is None and not mask.star
        return mask.value if one and plain and self.stack[-1].expression(mask.value) else None

    def _over_indices(self, old: cst.For, new: cst.For, mask: Any, target: cst.Name) -> Any:
        fact = self.stack[-1].kinds.of(mask)
        assert fact is not None
        chosen = self._fresh("chosen")
        # what it is after the loop is the last index, and not the last that was looked at
        alone = target.value not in self.live.get(old, {target.value}) | name_tools.bound(old.body)
        counter = target.value if alone else self._fresh("k")
        # of its own: what the loop stores changes the indices as little as in NumPy
        own = isinstance(mask, cst.Comparison)
        text = code(mask) if own else f"{_operand(mask)} != 0"
        before = made(f"{chosen} = {text}", old)
        value = before.body[0].value
        self.module.inherit_parts(value if own else value.left, mask)
        kept = ValueFact("array", "bool", fact.shape)
        self._placed(before, old, kept)
        self.module.learn(before.body[0].targets[0].target, kept)
        taken = made(f"{target.value} = {counter}", old)
        self._placed(taken, old, ValueFact("int"))
        test = made(f"if {chosen}[{counter}]:\n    pass\n", old)
        self.module.learn(test.test, ValueFact("scalar", "bool", ()))
        self.module.learn(test.test.value, kept)
        inside = with_body(test, [*([] if alone else [taken]), *statements(new)])
        loop = with_body(made(f"for {counter} in range(len({chosen})):\n    pass\n", old), [inside])
        loop = loop.with_changes(orelse=new.orelse)
        self.module.inherit(loop, old)
        return cst.FlattenSentinel([leading(before, new), loop])

    def _fresh(self, wanted: str) -> str:
        name = name_tools.fresh(wanted, self.taken)
        self.taken.add(name)
        return name


def _operand(node: Any) -> str:
    simple = cst.Name | cst.Attribute | cst.Subscript | cst.Call
    return code(node) if isinstance(node, simple) or node.lpar else f"({code(node)})"
