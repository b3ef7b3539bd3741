"""Which names are still needed behind each statement: backward liveness on structured code.

A name is live behind a statement if some path from there reads it before it is bound anew. The analysis is the
textbook one (backward, union over paths), run on the statements themselves, loops to a fixed point.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import libcst as cst

from jitmagic.generate import names as name_tools
from jitmagic.generate.blocks import statements

Names = frozenset[str]
_NONE: Names = frozenset()


@dataclass
class Liveness:
    """The live names of one function.

    Attributes
    ----------
    after : dict of node to frozenset of str
        Names that are live behind a statement.
    head : dict of node to frozenset of str
        For loops: names that are live where an iteration begins, the loop's own target not counted.
    entry : frozenset of str
        Names that are live where the function's body begins.
    """

    after: dict[cst.CSTNode, Names] = field(default_factory=dict)
    head: dict[cst.CSTNode, Names] = field(default_factory=dict)
    entry: Names = _NONE


def live_names(
    body: Sequence[cst.CSTNode],
    at_exit: Iterable[str] = (),
    reads: Callable[[cst.For], Names] = lambda loop: _NONE,
) -> Liveness:
    """Analyses a function's statements.

    Parameters
    ----------
    body : sequence of libcst.CSTNode
        One small statement a line (:func:`jitmagic.generate.blocks.normalised`).
    at_exit : iterable of str
        Names that are needed wherever the function ends.
    reads : callable, optional
        Returns the names that are read before each iteration of a ``for``: flags that end it.
    """
    result = Liveness()
    walker = _Walker(result, frozenset(at_exit), reads)
    result.entry = walker.block(body, frozenset(at_exit), _NONE, _NONE)
    return result


class _Walker:
    def __init__(self, result: Liveness, at_exit: Names, reads: Callable[[cst.For], Names]) -> None:
        self.result = result
        self.reads = reads
        self.at_exit = at_exit

    def block(self, body: Sequence[Any], out: Names, on_break: Names, on_continue: Names) -> Names:
        for statement in reversed(body):
            self.result.after[statement] = self.result.after.get(statement, _NONE) | out
            out = self.statement(statement, out, on_break, on_continue)
        return out

    def statement(self, node: Any, out: Names, on_break: Names, on_continue: Names) -> Names:
        if isinstance(node, cst.BaseSmallStatement):  # `if c: break` on one line
            return self.small(node, out, on_break, on_continue)
        if isinstance(node, cst.SimpleStatementLine):
            for one in reversed(node.body):
                out = self.small(one, out, on_break, on_continue)
            return out
        if isinstance(node, cst.If):
            inside = self.block(statements(node), out, on_break, on_continue)
            return name_tools.loads(node.test) | inside | self.orelse(node.orelse, out, on_break, on_continue)
        if isinstance(node, cst.For):
            behind = self.orelse(node.orelse, out, on_break, on_continue)
            bound = frozenset(name_tools.targets(node.target))
            return name_tools.loads(node.iter) | self.loop(node, behind, out, bound, self.reads(node))
        if isinstance(node, cst.While):
            behind = self.orelse(node.orelse, out, on_break, on_continue)
            return self.loop(node, behind, out, _NONE, name_tools.loads(node.test))
        if isinstance(node, cst.With):
            inside = self.block(statements(node), out, on_break, on_continue)
            bound = name_tools.bound(cst.With(items=node.items, body=cst.IndentedBlock(body=[])))
            return (inside - bound) | frozenset().union(*(name_tools.loads(i) for i in node.items))
        if isinstance(node, cst.FunctionDef):
            free = name_tools.loads(node) - name_tools.bound(node)
            return (out - {node.name.value}) | free
        # try and whatever else: nothing is killed, everything read is live
        return out | name_tools.loads(node)

    def orelse(self, node: Any, out: Names, on_break: Names, on_continue: Names) -> Names:
        if node is None:
            return out
        if isinstance(node, cst.Else):
            return self.block(statements(node), out, on_break, on_continue)
        return self.statement(node, out, on_break, on_continue)

    def loop(self, node: Any, behind: Names, out: Names, bound: Names, test: Names) -> Names:
        head = behind | test
        while True:
            inside = self.block(statements(node), head, out, head)
            grown = head | (inside - bound) | test
            if grown == head:
                break
            head = grown
        self.result.head[node] = head
        return head

    def small(self, node: Any, out: Names, on_break: Names, on_continue: Names) -> Names:
        if isinstance(node, cst.Return):
            return self.at_exit | (name_tools.loads(node.value) if node.value is not None else _NONE)
        if isinstance(node, cst.Raise):
            return name_tools.loads(node)
        if isinstance(node, cst.Break):
            return on_break
        if isinstance(node, cst.Continue):
            return on_continue
        killed: set[str] = set()
        if isinstance(node, cst.Assign):
            for target in node.targets:
                killed.update(name_tools.targets(target.target))
        elif isinstance(node, cst.AnnAssign) and node.value is not None:
            killed.update(name_tools.targets(node.target))
        elif isinstance(node, cst.AugAssign):
            return out | name_tools.loads(node) | frozenset(name_tools.targets(node.target))
        elif isinstance(node, cst.Import | cst.ImportFrom):
            killed.update(name_tools.import_bindings(node))
        return (out - killed) | name_tools.loads(node)
