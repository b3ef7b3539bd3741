"""Rewrite ``part = x[mask]`` so that each use of ``part`` says what it is: then its reductions can take the mask.

``part = X[labels == j]`` and later ``part.mean(axis=0)`` become ``chosen = labels == j`` and
``X[chosen].mean(axis=0)``; so does ``p = p[p > 0]``, where what was selected from is not read by another way.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import libcst as cst

from jitmagic.backends.jax.masks import mask_of
from jitmagic.backends.jax.store_targets import root_name
from jitmagic.generate import names as name_tools
from jitmagic.generate.blocks import each_function, leading, made, small, statements, with_alternative, with_body
from jitmagic.generate.kinds import Kinds
from jitmagic.generate.module import Module
from jitmagic.generate.rewriter import Rewriter
from jitmagic.generate.walking import Finder, nodes_of


def inlined(module: Module, tree: cst.Module, kinds: dict[str, Kinds]) -> cst.Module:
    """Returns the tree without names for selections by a mask."""
    taken = set(name_tools.all_names(tree))
    return each_function(tree, kinds, lambda function, known: _Selections(module, function, known, taken).result())


class _Selections:
    def __init__(self, module: Module, function: cst.FunctionDef, kinds: Kinds, taken: set[str]) -> None:
        self.module, self.function, self.kinds, self.taken = module, function, kinds, taken
        self.depth = 0

    def result(self) -> cst.FunctionDef:
        new: cst.FunctionDef = with_body(self.function, self.block(list(statements(self.function))))
        self.module.inherit(new, self.function)
        return new

    def block(self, body: list[Any]) -> list[Any]:
        result: list[Any] = []
        position = 0
        while position < len(body):
            node = body[position]
            position += 1
            if isinstance(node, cst.For | cst.While | cst.If | cst.With):
                self.depth += 1
                new = with_body(node, self.block(list(statements(node))))
                new = with_alternative(new, node, lambda other: self.block(list(other)))
                self.depth -= 1
                self.module.inherit(new, node)
                result.append(new)
                continue
            found = self.selection(node)
            if found is None:
                result.append(node)
                continue
            name, value, mask = found
            if not self.stays(name, value, body[: position - 1], body[position:]):
                result.append(node)
                continue
            if not isinstance(mask, cst.Name):
                chosen = name_tools.fresh("chosen", self.taken)
                self.taken.add(chosen)
                line = made(f"{chosen} = 0", node)
                line = line.with_changes(body=[line.body[0].with_changes(value=mask)])
                self.module.inherit(line, node)
                result.append(leading(line, node))
                renewed = cst.Name(chosen)
                self.module.inherit(renewed, mask)
                index = value.slice[0].slice.with_changes(value=renewed)
                named = value.with_changes(slice=[value.slice[0].with_changes(slice=index)])
                self.module.inherit(named, value)
                value = named
            replace = _Inline(self.module, name, value)
            body[position:] = [self.visited(s, replace) for s in body[position:]]
        return result

    def visited(self, node: Any, replace: _Inline) -> Any:
        new = node.visit(replace)
        self.module.inherit(new, node)
        return new

    def selection(self, node: Any) -> tuple[str, cst.Subscript, cst.BaseExpression] | None:
        one = small(node)
        if not isinstance(one, cst.Assign) or len(one.targets) != 1 or not isinstance(one.targets[0].target, cst.Name):
            return None
        mask = mask_of(one.value, self.kinds)
        if mask is None or not isinstance(one.value, cst.Subscript) or not isinstance(one.value.value, cst.Name):
            return None
        return one.targets[0].target.value, one.value, mask

    def stays(self, name: str, value: cst.Subscript, before: Sequence[Any], rest: Sequence[Any]) -> bool:
        """Says whether the array and the mask are what they were wherever the name is read, all of it behind here."""
        counter = _Counter(name)
        self.function.body.visit(counter)
        behind = _Counter(name)
        for statement in rest:
            statement.visit(behind)
        if behind.bindings or not behind.reads:
            return False
        # its one binding, and reads that all stand behind it in its block
        once = counter.bindings == 1 and counter.reads == behind.reads
        if not once and not self.renews(name, value, before, counter.reads - behind.reads):
            return False
        if behind.stored:
            return False
        reads = name_tools.loads(value)
        last = max(i for i, s in enumerate(rest) if name in name_tools.loads(s))
        for position, statement in enumerate(rest[: last + 1]):
            changes = _Counter("")
            statement.visit(changes)
            if changes.changed & reads and not (position == last and small(statement) is not None):
                return False
        return True

    def renews(self, name: str, value: cst.Subscript, before: Sequence[Any], elsewhere: int) -> bool:
        """Says whether ``p = p[p > 0]`` selects from the array of its own name, whose other reads all stand before it.

        In a loop the array has to be bound anew in each step, before it is read: the next step would see the selection.
        """
        if not isinstance(value.value, cst.Name) or value.value.value != name:
            return False
        earlier, own = _Counter(name), _Counter(name)
        for statement in before:
            statement.visit(earlier)
        value.visit(own)
        if earlier.reads + own.reads != elsewhere:
            return False
        if any(
            name in name_tools.loads(f)
            for s in before
            for kind in (cst.FunctionDef, cst.Lambda)
            for f in nodes_of(s, kind)
        ):
            return False  # it reads what the name stands for when it is called
        for statement in before:
            one = small(statement)
            if isinstance(one, cst.Assign) and any(name in name_tools.targets(t.target) for t in one.targets):
                return name not in name_tools.loads(one.value)
            if name in name_tools.loads(statement) | name_tools.bound(statement):
                break
        return self.depth == 0


class _Counter(Finder):
    """Counts bindings and reads of a name, and collects all names that are bound or stored into."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name
        self.bindings = self.reads = 0
        self.stored = False
        self.changed: set[str] = set()

    def visit_Name(self, node: cst.Name) -> None:
        self.reads += node.value == self.name

    def _target(self, target: cst.BaseExpression) -> None:
        bound = name_tools.targets(target)
        self.changed.update(bound)
        self.bindings += self.name in bound
        self.reads -= self.name in bound
        root = root_name(target) if isinstance(target, cst.Subscript | cst.Attribute) else None
        if root is not None:
            self.changed.add(root)
            self.stored = self.stored or root == self.name

    def visit_AssignTarget(self, node: cst.AssignTarget) -> None:
        self._target(node.target)

    def visit_AugAssign(self, node: cst.AugAssign) -> None:
        self._target(node.target)

    def visit_For(self, node: cst.For) -> None:
        self._target(node.target)


class _Inline(Rewriter):
    def __init__(self, module: Module, name: str, value: cst.Subscript) -> None:
        super().__init__(module)
        self.name, self.value = name, value

    def leave_Attribute(self, original_node: cst.Attribute, updated_node: cst.Attribute) -> cst.Attribute:
        return updated_node.with_changes(attr=original_node.attr)

    def leave_Arg(self, original_node: cst.Arg, updated_node: cst.Arg) -> cst.Arg:
        return updated_node.with_changes(keyword=original_node.keyword)

    def leave_Name(self, original_node: cst.Name, updated_node: cst.Name) -> cst.BaseExpression:
        if original_node.value != self.name:
            return updated_node
        new = self.value.deep_clone()
        # a refusal names the line of the selection, not the one of its use
        self.module.inherit_parts(new, self.value)
        return new
