"""Rewrite vectors that lose elements step by step as the whole vector with a mask of what is left.

    data = x.copy()                                   data = x.copy()
    for _ in range(5):                                kept = np.ones(data.shape, dtype=bool)
        m, s = data.mean(), data.std()       ->       for _ in range(5):
        data = data[np.abs(data - m) < 3*s]               m, s = data[kept].mean(), data[kept].std()
    return data.mean()                                    kept = kept & (np.abs(data - m) < 3*s)
                                                      return data[kept].mean()

Each use reads ``data[kept]``, whose reductions are rewritten as all others with a mask are; what no rewrite knows is
refused by its own line. Done where the vector is bound anew inside a loop: elsewhere its parts have their own names.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import libcst as cst

from jitmagic.backends.jax.masks import mask_of, unmasked
from jitmagic.generate import names as name_tools
from jitmagic.generate.blocks import (
    alternative,
    code,
    each_function,
    leading,
    made,
    small,
    statements,
    with_alternative,
    with_body,
)
from jitmagic.generate.kinds import Kinds
from jitmagic.generate.module import Module
from jitmagic.generate.rewriter import Rewriter
from jitmagic.generate.walking import nodes_of
from jitmagic.observe.facts import ValueFact


def without_shrinking(module: Module, tree: cst.Module, kinds: dict[str, Kinds]) -> cst.Module:
    """Returns the tree with masks for vectors that become shorter in a loop."""
    taken = set(name_tools.all_names(tree))
    return each_function(tree, kinds, lambda function, known: _function(module, function, known, taken))


def _function(module: Module, function: cst.FunctionDef, kinds: Kinds, taken: set[str]) -> cst.FunctionDef:
    for name in sorted(_candidates(function, kinds)):
        kept = name_tools.fresh("kept", taken)
        new = _Vector(module, function, kinds, name, kept, taken).result()
        if new is not None:
            taken.add(kept)
            function = new
    return function


def _candidates(function: cst.FunctionDef, kinds: Kinds) -> set[str]:
    """Returns the names that are bound to a selection of themselves inside a loop."""
    found = set()
    for kind in (cst.For, cst.While):
        for loop in nodes_of(function, kind):
            found |= {
                name for one in nodes_of(loop, cst.Assign) if (name := _selected_from_itself(one, kinds)) is not None
            }
    return found - {n for f in nodes_of(function.body, cst.FunctionDef) for n in name_tools.all_names(f)}


def _selected_from_itself(node: Any, kinds: Kinds) -> str | None:
    """Returns the name of ``data = data[mask]``."""
    if not isinstance(node, cst.Assign) or len(node.targets) != 1 or not isinstance(node.targets[0].target, cst.Name):
        return None
    name = node.targets[0].target.value
    value = node.value
    if mask_of(value, kinds) is None or not isinstance(value, cst.Subscript) or code(value.value) != name:
        return None
    fact = kinds.of(value)
    return name if fact is not None and fact.kind == "array" and fact.ndim == 1 else None


class _Vector:
    """Rewrites what is done with one vector; gives up where its masks are not the same length as itself."""

    def __init__(
        self, module: Module, function: cst.FunctionDef, kinds: Kinds, name: str, kept: str, taken: set[str]
    ) -> None:
        self.module, self.function, self.kinds, self.name, self.kept = module, function, kinds, name, kept
        self.masks: set[str] = set()
        self.whole = self._parsed()

    def _parsed(self) -> cst.Subscript:
        """Returns ``data[kept]``."""
        base, mask = cst.Name(self.name), cst.Name(self.kept)
        self.module.learn(mask, ValueFact("array", "bool", (None,)))
        fact = next((f for f in self.kinds.names.get(self.name, []) if f.kind == "array"), None)
        if fact is not None:
            self.module.learn(base, fact)
        node = cst.Subscript(base, [cst.SubscriptElement(cst.Index(mask))])
        if fact is not None:
            self.module.learn(node, fact)
        return node

    def result(self) -> cst.FunctionDef | None:
        bindings = [s for s in nodes_of(self.function, cst.Assign) if self._binds(s)]
        selections = [s for s in bindings if _selected_from_itself(s, self.kinds) == self.name]
        begins = [s for s in bindings if s not in selections]
        parameter = self.name in name_tools.parameters(self.function)
        others = [
            n for kind in (cst.AugAssign, cst.For, cst.NamedExpr) for n in nodes_of(self.function, kind)
            if self.name in name_tools.targets(n.target)  # type: ignore[attr-defined]
        ]  # fmt: skip
        stored = [
            t for t in nodes_of(self.function, cst.AssignTarget)
            if isinstance(t.target, cst.Subscript) and self.name in name_tools.loads(t.target.value)
        ]  # fmt: skip
        outermost = [small(s) for s in statements(self.function)]
        if others or stored or len(begins) + parameter != 1 or any(b not in outermost for b in begins):
            return None
        try:
            self.find_masks(statements(self.function), [])
            body = self.block(statements(self.function), begins[0] if begins else None)
        except _GivenUp:
            return None
        if parameter:
            body.insert(0, self.all_kept(body[0]))
        new: cst.FunctionDef = with_body(self.function, body)
        self.module.inherit(new, self.function)
        return new

    def _binds(self, node: cst.Assign) -> bool:
        return any(self.name in name_tools.targets(t.target) for t in node.targets)

    def all_kept(self, node: Any) -> Any:
        return made(f"{self.kept} = __numpy__.ones({self.name}.shape, dtype=bool)", node)

    def begun(self, node: Any, one: cst.Assign) -> list[Any]:
        """Returns the first binding with what is kept at first: all, or what ``data = x[mask]`` selects."""
        mask = mask_of(one.value, self.kinds)
        if mask is None:
            return [node, self.all_kept(node)]
        array: Any = one.value.value  # type: ignore[attr-defined]
        known = self.kinds.of(array)
        if not isinstance(array, cst.Name) or known is None or known.ndim != 1:
            raise _GivenUp
        changed: list[Any] = [
            t.target for t in nodes_of(self.function, cst.AssignTarget) if isinstance(t.target, cst.Subscript)
        ]
        changed += [a.target for a in nodes_of(self.function, cst.AugAssign)]
        if any(array.value in name_tools.loads(c) or array.value in name_tools.targets(c) for c in changed):
            raise _GivenUp  # a selection is a copy
        begin = self.with_value(node, one, array)
        line = made(f"{self.kept} = {code(mask)}", node)
        self.module.inherit_parts(small(line).value, mask)
        self.module.inherit(line, node)
        return [begin, line]

    def block(self, body: Sequence[Any], begin: Any) -> list[Any]:
        result: list[Any] = []
        named = self.masks
        for node in body:
            one = small(node)
            if one is None:
                result.append(self.compound(node))
                continue
            if begin is not None and one is begin:
                if self.name in name_tools.loads(one.value):
                    raise _GivenUp
                result += self.begun(node, one)
                continue
            if isinstance(one, cst.Assign) and code(one.targets[0].target) in named:
                result.append(self.with_value(node, one, self.over_all(one.value)))
                continue
            if isinstance(one, cst.Assign) and _selected_from_itself(one, self.kinds) == self.name:
                result.append(self.fewer(node, one, named))
                continue
            result.append(self.visited(node))
        return result

    def find_masks(self, body: Sequence[Any], before: Sequence[Any]) -> None:
        """Finds the names of masks over the vector by which it is selected from: bound once, in a block around that.

        Between the two the vector stays what it is, and the mask is read there alone.
        """
        before = list(before)
        for node in body:
            one = small(node)
            if one is None:
                inside = [] if isinstance(node, cst.For | cst.While) else before
                self.find_masks(statements(node), inside)
                self.find_masks(alternative(node), inside)
                if any(_selected_from_itself(s, self.kinds) == self.name for s in nodes_of(node, cst.Assign)):
                    before = []
                continue
            if _selected_from_itself(one, self.kinds) == self.name:
                mask: Any = mask_of(one.value, self.kinds)
                if isinstance(mask, cst.Name):
                    self.find_mask(mask.value, one, before)
                before = []
            before.append(one)

    def find_mask(self, name: str, selection: Any, before: Sequence[Any]) -> None:
        binders = [
            s for s in nodes_of(self.function, cst.Assign)
            if any(name in name_tools.targets(t.target) for t in s.targets)
        ]  # fmt: skip
        if len(binders) != 1 or not any(binders[0] is s for s in before):
            raise _GivenUp
        every = nodes_of(self.function, cst.Name)
        begin = next(i for i, n in enumerate(every) if n is nodes_of(binders[0], cst.Name)[0])
        end = next(i for i, n in enumerate(every) if n is nodes_of(selection, cst.Name)[-1])
        if any(n.value == name and not begin <= i <= end for i, n in enumerate(every)):
            raise _GivenUp  # it is read where the vector is another one
        self.masks.add(name)

    def compound(self, node: Any) -> Any:
        if not isinstance(node, cst.For | cst.While | cst.If | cst.With):
            raise _GivenUp
        new = node
        if isinstance(node, cst.While | cst.If):
            new = new.with_changes(test=self.visited(node.test))
        elif isinstance(node, cst.For):
            new = new.with_changes(iter=self.visited(node.iter))
        new = with_body(new, self.block(statements(node), None))
        new = with_alternative(new, node, lambda body: self.block(body, None))
        self.module.inherit(new, node)
        return new

    def visited(self, node: Any) -> Any:
        new = node.visit(_Selected(self.module, self.name, self.whole, self.masks, self.kept))
        self.module.inherit(new, node)
        return new

    def over_all(self, mask: cst.BaseExpression) -> cst.BaseExpression:
        """Returns a mask over what is kept as one over the whole vector."""
        chosen: Any = self.whole.slice[0].slice
        whole = unmasked(self.visited(mask), chosen.value, self.kinds)
        if whole is None:
            raise _GivenUp
        self.module.inherit(whole, mask)
        return whole

    def with_value(self, node: Any, one: cst.Assign, value: cst.BaseExpression) -> Any:
        new = one.with_changes(value=value)
        self.module.inherit(new, one)
        line = node.with_changes(body=[new])
        self.module.inherit(line, node)
        return line

    def fewer(self, node: Any, one: cst.Assign, named: set[str]) -> Any:
        """Returns ``data = data[mask]`` as the mask of what is left."""
        mask: Any = mask_of(one.value, self.kinds)
        whole = mask if isinstance(mask, cst.Name) and mask.value in named else self.over_all(mask)
        text = code(whole)
        line = made(f"{self.kept} = {self.kept} & {text if isinstance(whole, cst.Name) else f'({text})'}", node)
        value: Any = small(line).value
        self.module.inherit_parts(value.right, whole)
        self.module.inherit(line, node)
        return leading(line, node)


class _GivenUp(Exception):
    """The vector is used in a way that has no form with a mask."""


class _Selected(Rewriter):
    """Writes ``data[kept]`` for the vector, and ``mask[kept]`` for masks over it."""

    def __init__(self, module: Module, name: str, whole: cst.Subscript, masks: set[str], kept: str) -> None:
        super().__init__(module)
        self.name, self.whole, self.masks, self.kept = name, whole, masks, kept

    def leave_Attribute(self, original_node: cst.Attribute, updated_node: cst.Attribute) -> cst.Attribute:
        return updated_node.with_changes(attr=original_node.attr)

    def leave_Arg(self, original_node: cst.Arg, updated_node: cst.Arg) -> cst.Arg:
        return updated_node.with_changes(keyword=original_node.keyword)

    def leave_Name(self, original_node: cst.Name, updated_node: cst.Name) -> cst.BaseExpression:
        if original_node.value == self.name:
            new = self.whole.deep_clone()
            self.module.inherit_parts(new, self.whole)
        elif original_node.value in self.masks:
            new = self.whole.deep_clone().with_changes(value=cst.Name(original_node.value))
            self.module.learn(new.value, ValueFact("array", "bool", (None,)))
        else:
            return updated_node
        self.learn_parts(new)
        return new

    def learn_parts(self, new: cst.Subscript) -> None:
        index: Any = new.slice[0].slice
        self.module.learn(index.value, ValueFact("array", "bool", (None,)))
