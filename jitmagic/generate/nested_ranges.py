"""Writes loops over several indices at once as a loop for each: ``np.ndindex(a.shape)``, ``itertools.product(…)``.

So it does with the pairs of ``itertools.combinations``:

    for i, j in combinations(range(n), 2):        for i in range(n - 1):
        …                                   ->        for j in range(i + 1, n):
                                                          …

    for p, q in combinations(points, 2):          for i in range(len(points) - 1):
        …                                   ->        for j in range(i + 1, len(points)):
                                                          p, q = points[i], points[j]
                                                          …
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import libcst as cst

from jitmagic.generate import names as name_tools
from jitmagic.generate.blocks import code, leading, made, statements, with_body
from jitmagic.generate.kinds import Kinds
from jitmagic.generate.module import Module
from jitmagic.generate.rewriter import FunctionRewriter, Rewriter
from jitmagic.generate.walking import Finder, nodes_of

_CHOSEN = ("itertools.combinations", "itertools.combinations_with_replacement")
_MOST_CHOSEN = 4


def nested_ranges(module: Module, tree: cst.Module, kinds: dict[str, Kinds]) -> cst.Module:
    """Returns the tree without ``np.ndindex`` and ``itertools.product`` in loops that nothing leaves early."""
    return tree.visit(_Loops(module, kinds))


def nested_products(module: Module, tree: cst.Module, kinds: dict[str, Kinds]) -> cst.Module:
    """Returns the tree without ``itertools.product`` in loops that nothing leaves early."""
    return tree.visit(_Loops(module, kinds, ("itertools.product", *_CHOSEN)))


class _Loops(FunctionRewriter[Kinds]):
    def __init__(
        self, module: Module, kinds: dict[str, Kinds],
        paths: Sequence[str] = ("numpy.ndindex", "itertools.product", *_CHOSEN),
    ) -> None:  # fmt: skip
        super().__init__(module, kinds)
        self.paths = paths

    def leave_For(self, original_node: cst.For, updated_node: cst.For) -> Any:
        iterated: Any = original_node.iter
        if not self.stack or not isinstance(iterated, cst.Call) or original_node.orelse is not None:
            return updated_node
        kinds = self.stack[-1]
        path = kinds.path(iterated.func)
        if path not in self.paths or nodes_of(original_node.body, cst.Break):
            return updated_node
        if path in _CHOSEN:
            return self.chosen(original_node, updated_node, iterated, path == _CHOSEN[1], kinds)
        indices = path == "numpy.ndindex"
        if indices:
            ways = [f"range({length})" for length in _lengths(iterated, kinds)]
        else:
            ways = _factors(iterated, original_node, kinds)
        if not ways:
            return updated_node
        target = original_node.target
        body = list(statements(updated_node))
        if isinstance(target, cst.Tuple) and len(target.elements) == len(ways):
            names = [code(e.value) for e in target.elements]
        elif isinstance(target, cst.Name):
            taken = set(name_tools.all_names(kinds.function))
            names = [name_tools.fresh(f"{target.value}{axis}", taken) for axis in range(len(ways))]
            uses = _Uses(target.value)
            original_node.body.visit(uses)
            if not uses.others:
                body = [s.visit(_Indices(self.module, target.value, names)) for s in body]
            elif indices:
                return updated_node
            else:
                body.insert(0, made(f"{target.value} = ({', '.join(names)}{',' if len(names) == 1 else ''})", body[0]))
        else:
            return updated_node
        new: Any = None
        for name, way in zip(reversed(names), reversed(ways), strict=True):
            loop = made(f"for {name} in {way}:\n    pass\n", original_node)
            new = with_body(loop, body if new is None else [new])
            self.module.inherit(new, original_node)
        return leading(new, updated_node)

    def leave_CompFor(self, original_node: cst.CompFor, updated_node: cst.CompFor) -> cst.CompFor:
        """Writes the pairs of a comprehension as a loop for each, where they are those of ranges or of a product."""
        call: Any = original_node.iter
        if not self.stack or not isinstance(call, cst.Call) or original_node.asynchronous is not None:
            return updated_node
        kinds = self.stack[-1]
        path = kinds.path(call.func)
        target = original_node.target
        if path not in self.paths or path == "numpy.ndindex" or not isinstance(target, cst.Tuple):
            return updated_node
        names = [e.value.value for e in target.elements if isinstance(e.value, cst.Name)]
        if len(set(names)) != len(target.elements):
            return updated_node
        ways = _factors(call, original_node, kinds)
        if path in _CHOSEN:
            ends = _ends(call, kinds, frozenset(names)) if _is_plain(call) else None
            ways = _chosen_ways(names, *ends, path == _CHOSEN[1]) if ends is not None else []
            if _is_plain(call) and code(call.args[1].value) != str(len(names)):
                return updated_node
        if len(ways) != len(names):
            return updated_node
        text = " ".join(f"for {name} in {way}" for name, way in zip(names, ways, strict=True))
        made_here = cst.parse_expression(f"[0 {text}]")
        assert isinstance(made_here, cst.ListComp)
        loops = [made_here.for_in]
        while loops[-1].inner_for_in is not None:
            loops.append(loops[-1].inner_for_in)
        new = loops[-1].with_changes(ifs=updated_node.ifs, inner_for_in=updated_node.inner_for_in)
        for one in reversed(loops[:-1]):
            new = one.with_changes(inner_for_in=new)
        return new.with_changes(whitespace_before=updated_node.whitespace_before)

    def chosen(self, old: cst.For, new: cst.For, call: cst.Call, again: bool, kinds: Kinds) -> Any:
        """Returns a loop over all choices of some elements, in their order, as a loop for each of them.

        Each ends where there is no place left for those behind it, so that the last choice is what the names hold then.
        """
        target = old.target
        count = int(call.args[1].value.value) if _is_plain(call) else 0  # type: ignore[attr-defined]
        names = [e.value.value for e in target.elements if isinstance(e.value, cst.Name)] if isinstance(
            target, cst.Tuple) else []  # fmt: skip
        changed = name_tools.bound(old.body)
        if not 2 <= count <= _MOST_CHOSEN or len(set(names)) != count or set(names) & changed:
            return new
        if isinstance(target, cst.Tuple) and len(target.elements) != count:
            return new
        among = call.args[0].value
        body = list(statements(new))
        start = "0"
        if _is_range(among, kinds):
            ends = _ends(call, kinds, changed | set(names))
            if ends is None:
                return new
            start, stop = ends
            places = names
        else:
            fact = kinds.of(among)
            stays = isinstance(among, cst.Name) and fact is not None and fact.kind in ("array", "list")
            if not stays or _may_change(old.body, code(among)):
                return new
            stop = f"len({code(among)})"
            taken = set(name_tools.all_names(kinds.function))
            places = []
            for letter in "ijkl"[:count]:
                places.append(name_tools.fresh(letter, {*taken, *places}))
            read = ", ".join(f"{code(among)}[{place}]" for place in places)
            bind = made(f"{', '.join(names)} = {read}", body[0])
            self.module.inherit(bind.body[0].targets[0].target, target)
            body.insert(0, bind)
        result: Any = None
        ways = _chosen_ways(places, start, stop, again)
        for place, way in zip(reversed(places), reversed(ways), strict=True):
            loop = made(f"for {place} in {way}:\n    pass\n", old)
            result = with_body(loop, body if result is None else [result])
            self.module.inherit(result, old)
        return leading(result, new)


def _is_range(node: cst.BaseExpression, kinds: Kinds) -> bool:
    return isinstance(node, cst.Call) and kinds.path(node.func) is None and code(node.func) == "range"


def _ends(call: cst.Call, kinds: Kinds, changed: frozenset[str]) -> tuple[str, str] | None:
    """Returns where the range begins and ends whose numbers are combined; None where a step may see others."""
    among = call.args[0].value
    if not isinstance(among, cst.Call) or not _is_range(among, kinds):
        return None
    bounds = [a.value for a in among.args]
    if not 1 <= len(bounds) <= 2 or any(name_tools.loads(b) & changed for b in bounds):
        return None
    start, stop = (code(bounds[0]) if len(bounds) == 2 else "0"), code(bounds[-1])
    if not isinstance(bounds[-1], cst.Name | cst.Integer | cst.Call | cst.Attribute | cst.Subscript):
        stop = f"({stop})"
    return start, stop


def _chosen_ways(places: list[str], start: str, stop: str, again: bool) -> list[str]:
    """Returns the ranges of the loops over combinations; each ends where there is no place left for those behind it."""
    ways = []
    for position in range(len(places)):
        first = start if position == 0 else places[position - 1] if again else f"{places[position - 1]} + 1"
        left = 0 if again else len(places) - 1 - position
        end = f"{stop} - {left}" if left else stop
        ways.append(f"range({end})" if first == "0" else f"range({first}, {end})")
    return ways


def _is_plain(call: cst.Call) -> bool:
    """Says whether a call is `combinations(xs, 2)`, the number written out."""
    given = len(call.args) == 2 and not any(a.star or a.keyword for a in call.args)
    return given and isinstance(call.args[1].value, cst.Integer)


def _may_change(body: cst.CSTNode, name: str) -> bool:
    """Says whether statements bind a name anew, store into what it holds, or hand it on."""
    if name in name_tools.bound(body):
        return True
    stores: list[Any] = [*nodes_of(body, cst.AssignTarget), *nodes_of(body, cst.AugAssign)]
    stored = any(name in name_tools.all_names(one.target) for one in stores)
    calls = nodes_of(body, cst.Call)
    method = any(isinstance(c.func, cst.Attribute) and code(c.func.value) == name for c in calls)
    given = any(code(a.value) == name for c in calls for a in c.args)
    return stored or method or given or bool(nodes_of(body, cst.Del))


def _lengths(call: cst.Call, kinds: Kinds) -> list[str]:
    """Returns the lengths of the axes that are counted, none where they are not known."""
    if len(call.args) == 1 and call.args[0].keyword is None:
        shape = call.args[0].value
        if isinstance(shape, cst.Attribute) and shape.attr.value == "shape":
            fact = kinds.of(shape.value)
            if fact is not None and fact.ndim:
                return [f"{code(shape)}[{axis}]" for axis in range(fact.ndim)]
        if isinstance(shape, cst.Tuple):
            return [code(e.value) for e in shape.elements]
        if call.args[0].star:
            return []
    if any(a.star or a.keyword is not None for a in call.args):
        return []
    return [code(a.value) for a in call.args]


def _factors(call: cst.Call, loop: cst.For | cst.CompFor, kinds: Kinds) -> list[str]:
    """Returns what the loops go through in the place of a product, none where it may differ from step to step.

    A product goes through what its factors held when it began; a loop inside a loop looks at its factor anew.
    """
    repeat, factors = 1, []
    for argument in call.args:
        if argument.star or (argument.keyword is not None and argument.keyword.value != "repeat"):
            return []
        if argument.keyword is None:
            factors.append(argument.value)
        elif isinstance(argument.value, cst.Integer):
            repeat = int(argument.value.value)
        else:
            return []
    changed = name_tools.bound(loop)
    for one in factors:
        plain = isinstance(one, cst.Call) and kinds.path(one.func) is None and code(one.func) == "range"
        numbers = isinstance(one, cst.Tuple | cst.List) and all(map(kinds.is_number, (e.value for e in one.elements)))
        fact = kinds.of(one)
        fixed = isinstance(one, cst.Name) and fact is not None and fact.kind == "tuple"
        if not (plain or numbers or fixed) or name_tools.loads(one) & changed:
            return []
    return [code(one) for one in factors] * repeat


class _Uses(Finder):
    """Counts the uses of an index that are not the whole subscript of an array."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name, self.others = name, 0

    def visit_Name(self, node: cst.Name) -> None:
        self.others += node.value == self.name

    def visit_Subscript(self, node: cst.Subscript) -> None:
        self.others -= _indexes(node, self.name)


def _indexes(node: cst.Subscript, name: str) -> bool:
    return len(node.slice) == 1 and code(node.slice[0].slice) == name


class _Indices(Rewriter):
    def __init__(self, module: Module, name: str, names: list[str]) -> None:
        super().__init__(module)
        self.name, self.names = name, names

    def leave_Subscript(self, original_node: cst.Subscript, updated_node: cst.Subscript) -> cst.Subscript:
        if not _indexes(original_node, self.name):
            return updated_node
        text = cst.parse_expression(f"x[{', '.join(self.names)}]")
        assert isinstance(text, cst.Subscript)
        return updated_node.with_changes(slice=text.slice)
