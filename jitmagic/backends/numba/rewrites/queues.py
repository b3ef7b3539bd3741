"""Writes a `deque` as a list, since Numba has none: what is taken from its front is passed over, not moved.

```
queue = deque([start])                 queue = [start]
while queue:                           queue_first = 0
    u = queue.popleft()        ->      while queue_first < len(queue):
    …                                      u = queue[queue_first]
        queue.append(v)                    queue_first += 1
                                           …
                                               queue.append(v)
```

A queue that is used in another way, at both ends or by another name, is a plain list with `pop(0)` and `insert(0, …)`,
which move what is in it. One of a fixed length, or that is turned, is refused with its line.
"""

from __future__ import annotations

from typing import Any

import libcst as cst

from jitmagic.backends.numba.rewrites.context import Context, NumbaRewriter, code
from jitmagic.errors import Unsupported
from jitmagic.generate import names as name_tools
from jitmagic.generate.blocks import made, small
from jitmagic.generate.walking import Finder, Transformer, nodes_of

_LISTS_TOO = frozenset(
    {"append", "pop", "popleft", "appendleft", "clear", "extend", "copy", "reverse", "count", "index"}
)
"""Methods that a list has too, or that there is a form for."""


class Queues(NumbaRewriter):
    """Makes each deque a list."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._queues: list[set[str]] = []
        self._firsts: list[dict[str, str]] = []

    def visit_FunctionDef(self, node: cst.FunctionDef) -> None:
        super().visit_FunctionDef(node)
        made_here = {
            target.target.value
            for one in nodes_of(node.body, cst.Assign)
            for target in one.targets
            if isinstance(target.target, cst.Name) and self._is_queue(one.value)
        }
        taken = set(name_tools.all_names(self.module.tree))
        firsts = {}
        for name in sorted(made_here):
            if _is_plain(node, name, self._is_queue):
                firsts[name] = name_tools.fresh(f"{name}_first", taken)
                taken.add(firsts[name])
        outer = self._queues[-1] - name_tools.bound(node) if self._queues else set()
        self._queues.append(made_here | outer)
        self._firsts.append(firsts)

    def leave_FunctionDef(self, original_node: cst.FunctionDef, updated_node: cst.FunctionDef) -> cst.FunctionDef:
        self._queues.pop()
        self._firsts.pop()
        return super().leave_FunctionDef(original_node, updated_node)

    def _is_builtin(self, func: cst.BaseExpression) -> bool:
        """Says of every call that it is not left to Python: a queue would have to go there and come back."""
        return True

    def _is_queue(self, node: cst.BaseExpression) -> bool:
        return isinstance(node, cst.Call) and self.path(node.func) == "collections.deque"

    def _first(self, node: Any) -> str | None:
        """Returns the name of the place at which a queue begins, None for anything else."""
        return self._firsts[-1].get(node.value) if self._firsts and isinstance(node, cst.Name) else None

    # the queue itself

    def leave_Call(self, original_node: cst.Call, updated_node: cst.Call) -> cst.BaseExpression:
        if self._is_queue(original_node):
            return self._listed(original_node, updated_node)
        func = updated_node.func
        if isinstance(func, cst.Name) and func.value == "len" and len(updated_node.args) == 1:
            first = self._first(updated_node.args[0].value)
            name = code(updated_node.args[0].value)
            return updated_node if first is None else cst.parse_expression(f"len({name}) - {first}")
        if not isinstance(func, cst.Attribute) or not self._queues or code(func.value) not in self._queues[-1]:
            return updated_node
        method = func.attr.value
        if method not in _LISTS_TOO or (method == "pop" and updated_node.args):
            raise self._refused(original_node, code(original_node))
        if method == "popleft":
            zero = cst.Arg(cst.Integer("0"))
            return updated_node.with_changes(func=func.with_changes(attr=cst.Name("pop")), args=[zero])
        if method == "appendleft":
            args = [cst.Arg(cst.Integer("0"), comma=cst.Comma(whitespace_after=cst.SimpleWhitespace(" ")))]
            return updated_node.with_changes(
                func=func.with_changes(attr=cst.Name("insert")), args=[*args, *updated_node.args]
            )
        return updated_node

    def _listed(self, original: cst.Call, updated: cst.Call) -> cst.BaseExpression:
        """Returns `deque(values)` as a list."""
        if not updated.args:
            return cst.List([])
        value = updated.args[0].value
        if len(updated.args) > 1 or updated.args[0].keyword is not None or updated.args[0].star:
            raise self._refused(original, code(original))
        if isinstance(value, cst.List | cst.ListComp):
            return self.context.bare(value)
        if isinstance(value, cst.Tuple):
            return cst.List(value.elements)
        if isinstance(value, cst.GeneratorExp):
            return cst.ListComp(value.elt, value.for_in)
        return cst.Call(cst.Name("list"), [cst.Arg(self.context.bare(value))])

    def _refused(self, node: cst.CSTNode, what: str) -> Unsupported:
        line = self.module.line(node)
        return Unsupported(
            f"line {line}: Numba has no deque, and `{what}` has no equal of a list: keep a list, and how much of it is "
            "used", line, "NB-NOFUNC",
        )  # fmt: skip

    # what is passed over

    def leave_SimpleStatementLine(
        self, original_node: cst.SimpleStatementLine, updated_node: cst.SimpleStatementLine
    ) -> Any:
        one: Any = small(original_node)
        if len(original_node.body) != 1 or not isinstance(one, cst.Assign) or not self._firsts:
            return updated_node
        begun = [self._first(t.target) for t in one.targets]
        if any(begun) and self._is_queue(one.value):
            return cst.FlattenSentinel([updated_node, made(f"{begun[0]} = 0", original_node)])
        name = _taken_from_front(one.value)
        first = None if name is None else self._firsts[-1].get(name)
        if first is None:
            return updated_node
        element = cst.parse_expression(f"{name}[{first}]")
        self.module.inherit(element, one.value)
        new = updated_node.with_changes(body=[updated_node.body[0].with_changes(value=element)])
        return cst.FlattenSentinel([new, made(f"{first} += 1", original_node)])

    def leave_Subscript(self, original_node: cst.Subscript, updated_node: cst.Subscript) -> cst.BaseExpression:
        first = self._first(original_node.value)
        if first is None:
            return updated_node
        element = cst.parse_expression(f"{code(original_node.value)}[{first}]")
        self.module.inherit(element, original_node)
        return element

    def _asked(self, node: cst.BaseExpression) -> cst.BaseExpression:
        """Returns a test with the queues in it asked for whether they hold anything."""
        asked = node.visit(_Asked(self._firsts[-1])) if self._firsts and self._firsts[-1] else node
        assert isinstance(asked, cst.BaseExpression)
        return asked

    def leave_While(self, original_node: cst.While, updated_node: cst.While) -> cst.While:
        return updated_node.with_changes(test=self._asked(updated_node.test))

    def leave_If(self, original_node: cst.If, updated_node: cst.If) -> cst.If:
        return updated_node.with_changes(test=self._asked(updated_node.test))


class _Asked(Transformer):
    """Asks a queue for its length where a test asks whether there is anything in it."""

    def __init__(self, firsts: dict[str, str]) -> None:
        super().__init__()
        self.firsts = firsts

    def visit_Call(self, node: cst.Call) -> bool:
        return False

    def visit_Subscript(self, node: cst.Subscript) -> bool:
        return False

    def leave_Name(self, original_node: cst.Name, updated_node: cst.Name) -> cst.BaseExpression:
        first = self.firsts.get(original_node.value)
        return updated_node if first is None else cst.parse_expression(f"{first} < len({original_node.value})")


def _taken_from_front(value: cst.BaseExpression) -> str | None:
    """Returns the name in `queue.popleft()`, None for anything else."""
    func = value.func if isinstance(value, cst.Call) and not value.args else None
    if not isinstance(func, cst.Attribute) or func.attr.value != "popleft" or not isinstance(func.value, cst.Name):
        return None
    return func.value.value


def _is_plain(function: cst.FunctionDef, name: str, is_queue: Any) -> bool:
    """Says whether a queue is filled at its end and emptied from its front alone, by statements of their own."""
    uses = _Uses(name, is_queue)
    function.body.visit(uses)
    return uses.fronts > 0 and uses.left == 0 and name not in name_tools.captured(function)


class _Uses(Finder):
    """Counts the uses of a queue that are left when those that a list with a beginning has are taken away."""

    def __init__(self, name: str, is_queue: Any) -> None:
        super().__init__()
        self.name, self.is_queue = name, is_queue
        self.left = self.fronts = 0

    def _is(self, node: Any) -> bool:
        return isinstance(node, cst.Name) and node.value == self.name

    def visit_Name(self, node: cst.Name) -> None:
        self.left += node.value == self.name

    def visit_Assign(self, node: cst.Assign) -> None:
        if len(node.targets) == 1 and self._is(node.targets[0].target) and self.is_queue(node.value):
            self.left -= 1

    def visit_SimpleStatementLine(self, node: cst.SimpleStatementLine) -> None:
        one: Any = small(node)
        if len(node.body) != 1:
            # of several on one line none is moved
            self.left += any(self._is(name) for name in nodes_of(node, cst.Name))
        elif isinstance(one, cst.Assign) and _taken_from_front(one.value) == self.name:
            self.left -= 1
            self.fronts += 1

    def visit_SimpleStatementSuite(self, node: cst.SimpleStatementSuite) -> None:
        self.left += any(self._is(name) for name in nodes_of(node, cst.Name))

    def visit_Call(self, node: cst.Call) -> None:
        func = node.func
        filled = isinstance(func, cst.Attribute) and self._is(func.value) and func.attr.value == "append"
        measured = isinstance(func, cst.Name) and func.value == "len" and len(node.args) == 1
        self.left -= filled or (measured and self._is(node.args[0].value))

    def visit_Subscript(self, node: cst.Subscript) -> None:
        # the element at the front; a store there is one as well
        self.left -= self._is(node.value) and code(node.slice[0]) == "0"

    def visit_While(self, node: cst.While) -> None:
        self._test(node.test)

    def visit_If(self, node: cst.If) -> None:
        self._test(node.test)

    def _test(self, node: cst.BaseExpression) -> None:
        """Takes off the names in a test that ask whether there is anything in the queue."""
        if self._is(node):
            self.left -= 1
        elif isinstance(node, cst.UnaryOperation) and isinstance(node.operator, cst.Not):
            self._test(node.expression)
        elif isinstance(node, cst.BooleanOperation):
            self._test(node.left)
            self._test(node.right)
