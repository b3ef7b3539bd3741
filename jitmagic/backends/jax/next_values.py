"""Rewrite ``next`` over a generator as the loop that it is: the first element that satisfies a condition.

    k = next((i for i in range(n) if x[i] > t), -1)    ->    k = -1
                                                             for i in range(n):
                                                                 if x[i] > t:
                                                                     k = i
                                                                     break

Without a second argument Python raises where there is none; that stays as it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import libcst as cst

from jitmagic.generate import names as name_tools
from jitmagic.generate.block_rewriter import BlockRewriter
from jitmagic.generate.blocks import code, leading, made, small, with_body
from jitmagic.generate.module import Module
from jitmagic.generate.renaming import Renamed


def next_as_loops(module: Module, tree: cst.Module) -> cst.Module:
    """Returns the tree with such calls as loops, where one is given to a name or returned."""
    taken = set(name_tools.all_names(tree))
    body = [_Function(module, s, taken).result() if isinstance(s, cst.FunctionDef) else s for s in tree.body]
    return tree.with_changes(body=body)


class _Function(BlockRewriter):
    def __init__(self, module: Module, function: cst.FunctionDef, taken: set[str]) -> None:
        super().__init__(module, function)
        self.taken = taken

    def statement(self, node: Any, before: Sequence[Any]) -> list[Any]:
        one = small(node)
        if not isinstance(one, cst.Assign | cst.Return) or not isinstance(one.value, cst.Call):
            return super().statement(node, before)
        call = one.value
        if code(call.func) != "next" or len(call.args) != 2 or not isinstance(call.args[0].value, cst.GeneratorExp):
            return [node]
        generator, default = call.args[0].value, call.args[1].value
        if generator.for_in.inner_for_in is not None or generator.for_in.asynchronous is not None:
            return [node]
        if isinstance(one, cst.Assign):
            if len(one.targets) != 1 or not isinstance(one.targets[0].target, cst.Name):
                return [node]
            name = one.targets[0].target.value
            if name in name_tools.loads(generator):
                return [node]
            after = []
        else:
            name = self.fresh("first")
            after = [made(f"return {name}", node)]
        lines = [*self.searched(node, name, generator, default), *after]
        return [leading(lines[0], node), *lines[1:]]

    def searched(self, node: Any, name: str, generator: cst.GeneratorExp, default: cst.BaseExpression) -> list[Any]:
        """Returns the loop that looks for the first element."""
        inside = generator.for_in
        rename = Renamed(self.module, {n: self.fresh(n) for n in name_tools.targets(inside.target)})
        begin = made(f"{name} = 0", node)
        begin = begin.with_changes(body=[begin.body[0].with_changes(value=default)])
        self.module.inherit(begin, node)
        found = made(f"{name} = 0", node)
        found = found.with_changes(body=[found.body[0].with_changes(value=generator.elt.visit(rename))])
        self.module.inherit(found, node)
        body = [found, made("break", node)]
        for condition in reversed(inside.ifs):
            branch = made("if 0:\n    pass\n", node).with_changes(test=condition.test.visit(rename))
            branch = with_body(branch, body)
            self.module.inherit(branch, node)
            body = [branch]
        loop = made("for _ in _:\n    pass\n", node)
        loop = with_body(loop.with_changes(target=inside.target.visit(rename), iter=inside.iter), body)
        self.module.inherit(loop, node)
        return [begin, loop]

    def fresh(self, wanted: str) -> str:
        """Returns a name for what the generator binds: outside of it others may go by the same one."""
        bound = name_tools.bound(self.function)
        name = wanted if wanted not in bound and wanted != "first" else name_tools.fresh(wanted, self.taken)
        self.taken.add(name)
        return name
