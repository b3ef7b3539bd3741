"""Writes loops over elements as loops that count, where their steps were proved independent: `prange` needs an index.

```
for k, (x, y) in enumerate(points):        for k in range(len(points)):
    …                                ->        x, y = points[k]
                                               …
```

What they are is decided in `jitmagic.analysis.counted`, with which they were proved.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import libcst as cst

from jitmagic.analysis.counted import Counted
from jitmagic.analysis.loops import LoopClass
from jitmagic.generate.blocks import leading, made, statements, with_body
from jitmagic.generate.module import Module
from jitmagic.generate.rewriter import Rewriter
from jitmagic.generate.walking import children, nodes_of
from jitmagic.observe.facts import ValueFact


def with_counted_loops(module: Module, tree: cst.Module, loops: Sequence[LoopClass]) -> cst.Module:
    """Returns the tree with these loops, which go through elements, as loops that count."""
    return tree.visit(_Loops(module, loops)) if loops else tree


class _Loops(Rewriter):
    def __init__(self, module: Module, loops: Sequence[LoopClass]) -> None:
        super().__init__(module)
        self._counted = {loop.span: loop.counted for loop in loops}

    def leave_For(self, original_node: cst.For, updated_node: Any) -> Any:
        counted = self._counted.get(self.module.span(original_node))
        if counted is None:
            return updated_node
        known = self._known(original_node, counted)
        before = []
        for one in counted.hoisted:
            inside = (n for n in _below(original_node.iter) if isinstance(n, cst.BaseExpression))
            value = next(n for n in inside if self._is_at(n, one.place))
            statement = made(f"{one.name} = 0", original_node)
            assign = statement.body[0].with_changes(value=value)
            before.append(statement.with_changes(body=[assign]))
            if one.whole is not None:
                self.module.parts[one.name] = one.whole
        first = []
        for element in counted.elements:
            statement = made(f"{element.target} = {element.value}", original_node)
            self._learn(statement, known)
            self.module.learn(statement.body[0].value, element.fact)
            first.append(statement)
        over = cst.parse_expression(counted.over)
        self._learn(over, known)
        loop = with_body(updated_node, [*first, *statements(updated_node)])
        loop = loop.with_changes(target=cst.Name(counted.index), iter=over)
        if not before:
            return loop
        before[0] = leading(before[0], updated_node)
        loop = loop.with_changes(leading_lines=())
        self.module.inherit(loop, original_node)
        return cst.FlattenSentinel([*before, loop])

    def _known(self, loop: cst.For, counted: Counted) -> dict[str, ValueFact]:
        names = {n.value: fact for n in nodes_of(loop.iter, cst.Name) if (fact := self.module.fact(n)) is not None}
        return {**names, **{one.name: one.fact for one in counted.hoisted}, counted.index: ValueFact("int")}

    def _learn(self, node: cst.CSTNode, known: dict[str, ValueFact]) -> None:
        for name in nodes_of(node, cst.Name):
            if name.value in known:
                self.module.learn(name, known[name.value])

    def _is_at(self, node: cst.BaseExpression, place: object) -> bool:
        try:
            return self.module.span(node) == place
        except KeyError:
            return False


def _below(node: cst.CSTNode) -> Iterator[cst.CSTNode]:
    yield node
    for child in children(node):
        yield from _below(child)
