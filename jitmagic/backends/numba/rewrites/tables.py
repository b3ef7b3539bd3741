"""Works out functions of `np.arange` that a loop needs in parts of changing length once, before the loop.

`for i in range(n): x = u**np.arange(i + 1)` becomes `for k in range(n): powers[k] = u**k` and, in the loop,
`x = powers[:i + 1]`: the very same numbers, each worked out once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import libcst as cst
import numpy as np

from jitmagic.backends.numba.rewrites.context import Context, code
from jitmagic.backends.numba.rewrites.elements import DTYPES, ElementRewriter, needs_parentheses
from jitmagic.generate import names as name_tools
from jitmagic.generate.blocks import commented, leading, made
from jitmagic.generate.module import Module
from jitmagic.generate.rewriter import Rewriter
from jitmagic.generate.walking import Transformer, children, nodes_of
from jitmagic.observe.facts import Span, ValueFact

_NUMBERS = frozenset({"int", "float", "bool", "complex", "scalar"})


@dataclass(frozen=True)
class _Steps:
    """What a loop's variable runs over: its name, its smallest and its largest value, as source."""

    name: str
    low: str
    high: str


@dataclass(frozen=True)
class _Range:
    """A call of `np.arange` with a step of 1 or -1."""

    call: cst.Call
    start: str
    stop: str
    step: int


@dataclass(frozen=True)
class _End:
    """Where a range begins or ends: whether it moves up or down with the loop, its smallest and its largest value."""

    moves: int
    low: str
    high: str


@dataclass(frozen=True)
class _Table:
    """An array that is made before the loop: how long it is, and its element at an index, as source."""

    name: str
    dtype: str
    length: str
    element: str


class Tables(ElementRewriter):
    """Rewrites elementwise functions of one `np.arange` in loops.

    Parameters
    ----------
    context : Context
    spans : tuple of Span
        Loops that run in parallel.
    """

    def __init__(self, context: Context, spans: tuple[Span, ...] = ()) -> None:
        super().__init__(context)
        self._spans = spans
        self._taken: set[str] = set()

    def visit_FunctionDef(self, node: cst.FunctionDef) -> None:
        super().visit_FunctionDef(node)
        if len(self.functions) == 1:
            self._taken = set(name_tools.all_names(node))

    def leave_For(self, original_node: cst.For, updated_node: cst.For) -> Any:
        place = self.context.place(original_node)
        if self.context.every or place is None or any(s.line <= place.line <= s.end_line for s in self._spans):
            return updated_node
        steps = self._steps(original_node)
        if steps is None:
            return updated_node
        changing = name_tools.bound(original_node.body) | {steps.name}
        if name_tools.loads(original_node.iter) & changing:
            return updated_node  # where a part begins would be counted from another end
        tables = _Found(self, steps, changing, self._taken)
        tables.look(updated_node.body)
        if not tables.made:
            return updated_node
        body = updated_node.body.visit(_Put(self.module, tables.parts))
        before = [made(f"{line}\n", original_node) for line in tables.statements()]
        before[0] = commented(leading(before[0], updated_node), "for all steps of the loop")
        loop = updated_node.with_changes(body=body, leading_lines=())
        self.module.inherit(loop, original_node)
        return cst.FlattenSentinel([*before, loop])

    def _steps(self, loop: cst.For) -> _Steps | None:
        """Reads `for i in range(…)`, also of NumPy."""
        called = loop.iter
        if not isinstance(loop.target, cst.Name) or not isinstance(called, cst.Call) or loop.orelse is not None:
            return None
        if code(called.func) != "range" and self.path(called.func) != "numpy.arange":
            return None
        if any(a.keyword is not None or a.star for a in called.args) or not 1 <= len(called.args) <= 3:
            return None
        texts = [code(a.value) for a in called.args]
        if not all(self.is_whole(a.value) for a in called.args) or nodes_of(called, cst.NamedExpr):
            return None
        if loop.target.value in frozenset().union(*(name_tools.loads(a.value) for a in called.args)):
            return None
        first, end = (texts[0], texts[1]) if len(texts) > 1 else ("0", texts[0])
        step = _literal(texts[2]) if len(texts) == 3 else 1
        if step is None or step == 0:
            return None
        if loop.target.value in name_tools.bound(loop.body):
            return None
        if step > 0:
            return _Steps(loop.target.value, first, _sum(end, -1))
        return _Steps(loop.target.value, _sum(end, 1), first)

    def range_of(self, call: cst.Call) -> _Range | None:
        """Reads `np.arange(start, stop, step)` of whole numbers."""
        fact = self.fact(call)
        if self.path(call.func) != "numpy.arange" or fact is None or fact.dtype != "int64":
            return None
        if any(a.keyword is not None or a.star for a in call.args) or not 1 <= len(call.args) <= 3:
            return None
        if not all(self.is_whole(a.value) for a in call.args):
            return None
        texts = [code(a.value) for a in call.args]
        start, stop = (texts[0], texts[1]) if len(texts) > 1 else ("0", texts[0])
        step = _literal(texts[2]) if len(texts) == 3 else 1
        return _Range(call, start, stop, step) if step in (1, -1) else None

    def ranges(self, node: cst.BaseExpression, changing: frozenset[str] | set[str]) -> list[cst.Call] | None:
        """Returns the calls of `np.arange` in an elementwise expression; None where it reads what the loop changes.

        Parameters
        ----------
        node : libcst expression
        changing : set of str
            The names that the loop binds.
        """
        if isinstance(node, cst.Call) and self.path(node.func) == "numpy.arange":
            return [node]
        fact = self.fact(node)
        if fact is None:
            return None
        if fact.kind in _NUMBERS:
            still = not (name_tools.loads(node) & changing) and not nodes_of(node, cst.Call)
            return [] if still and not nodes_of(node, cst.Subscript) else None
        if fact.kind != "array" or fact.dtype not in DTYPES or fact.ndim != 1:
            return None
        if isinstance(node, cst.BinaryOperation) and not isinstance(node.operator, cst.MatrixMultiply):
            if isinstance(node.operator, cst.Power) and np.dtype(fact.dtype).kind not in "fc":
                return None  # of whole numbers, negative powers are refused
            parts: list[cst.BaseExpression] = [node.left, node.right]
        elif isinstance(node, cst.UnaryOperation):
            parts = [node.expression]
        elif isinstance(node, cst.Call) and self.is_elementwise(node) and self.path(node.func) is not None:
            parts = [a.value for a in node.args]
        else:
            return None
        found: list[cst.Call] = []
        for part in parts:
            inner = self.ranges(part, changing)
            if inner is None:
                return None
            found += inner
        return found

    def is_dear(self, node: cst.BaseExpression) -> bool:
        """Says whether an expression takes longer than to read what it gave before."""
        return any(self.path(call.func) != "numpy.arange" for call in nodes_of(node, cst.Call)) or any(
            isinstance(one.operator, cst.Power) and not isinstance(one.right, cst.Integer)
            for one in nodes_of(node, cst.BinaryOperation)
        )


class _Found:
    """The expressions in a loop's body that tables hold, and the statements that make these before the loop."""

    def __init__(self, owner: Tables, steps: _Steps, changing: frozenset[str], taken: set[str]) -> None:
        self.owner, self.steps, self.changing, self.taken = owner, steps, changing, taken
        self.made: dict[str, _Table] = {}
        self._known: dict[tuple[str, str], str] = {}
        self.parts: dict[cst.CSTNode, cst.BaseExpression] = {}
        self._index = next((one for one in "kjmnpqrst" if one not in taken), name_tools.fresh("k", taken))

    def statements(self) -> list[str]:
        """Returns what makes the tables: those of one length in one loop."""
        numpy = self.owner.context.imports.code("numpy.empty")
        texts, lengths = [], dict.fromkeys(one.length for one in self.made.values())
        for length in lengths:
            tables = [one for one in self.made.values() if one.length == length]
            size = length if _literal(length) is not None else f"max({length}, 0)"
            for one in tables:
                dtype = self.owner.context.imports.code(f"numpy.{one.dtype}")
                texts.append(f"{one.name} = {numpy}({size}, dtype={dtype})")
            lines = [f"for {self._index} in range({length}):"]
            lines += [f"    {one.name}[{self._index}] = {one.element}" for one in tables]
            texts.append("\n".join(lines))
        return texts

    def look(self, node: cst.CSTNode, read: bool = False) -> None:
        """Takes the outermost expressions at and below a node; ``read`` says that an operation takes its numbers."""
        if isinstance(node, cst.FunctionDef | cst.Lambda | cst.BaseComp):
            return
        if isinstance(node, cst.BinaryOperation | cst.UnaryOperation | cst.Call) and self._take(node, read):
            return
        for child in children(node):
            self.look(child, isinstance(node, cst.BinaryOperation | cst.UnaryOperation | cst.Comparison))

    def _take(self, node: cst.BaseExpression, read: bool) -> bool:
        calls = self.owner.ranges(node, self.changing)
        if calls is None or len(calls) != 1 or calls[0] is node or not self.owner.is_dear(node):
            return False
        steps = self.owner.range_of(calls[0])
        cut = None if steps is None else self._cut(steps)
        if steps is None or cut is None:
            return False
        first, last, part = cut
        k, fact = self._index, self.owner.fact(node)
        if fact is None or fact.dtype not in DTYPES or fact.dtype == "bool":
            return False
        length = _difference(last, first) if steps.step == 1 else _difference(first, last)
        at = k if first == "0" and steps.step == 1 else f"{first} {'+' if steps.step == 1 else '-'} {k}"
        number = cst.parse_expression(at if at == k else f"({at})")
        value = node.with_changes(lpar=[], rpar=[]).visit(_Other(calls[0], number))
        assert isinstance(value, cst.BaseExpression)
        text = code(value)
        if (text, length) not in self._known:
            wanted = "powers" if nodes_of(node, cst.Power) else "table"
            letters = iter("bcdefghijklmnopqrstuvwxyz")
            name = wanted
            while name in self.taken:
                name = f"{wanted}_{next(letters)}"
            self.taken.add(name)
            self._known[text, length] = name
            self.made[name] = _Table(name, fact.dtype, length, text)
        # what gets a name may be stored into: the table must stay as it is
        new = cst.parse_expression(f"{self._known[text, length]}{part}{'' if read else '.copy()'}")
        self._learn(new, fact.dtype)
        self.parts[node] = new
        return True

    def _learn(self, new: cst.BaseExpression, dtype: str) -> None:
        """Notes what a table and the bounds of its part are: nobody has seen them."""
        module = self.owner.module
        for part in nodes_of(new, cst.Subscript):
            module.learn(part.value, ValueFact("array", dtype, (None,)))
            for cut in nodes_of(part, cst.Slice):
                for bound in (cut.lower, cut.upper):
                    if bound is not None:
                        module.learn(bound, ValueFact("int"))

    def _cut(self, steps: _Range) -> tuple[str, str, str] | None:
        """Returns the table's first number, what is behind its last, and the subscript for a step's part."""
        start, stop = self._end(steps.start), self._end(steps.stop)
        if start is None or stop is None:
            return None
        if steps.step == 1:
            first, last = start.low, stop.high
            lower = _difference(steps.start, first) if start.moves else ""
            upper = _difference(steps.stop, first) if stop.moves else ""
            least = _literal(_difference(stop.low, first))
        else:
            first, last = start.high, stop.low
            lower = _difference(first, steps.start) if start.moves else ""
            upper = _difference(first, steps.stop) if stop.moves else ""
            least = _literal(_difference(first, stop.high))
        if upper and (least is None or least < 0):  # a negative number would count from the end
            upper = f"max({upper}, 0)"
        lower = "" if lower == "0" else lower
        return first, last, f"[{lower}:{upper}]" if lower or upper else ""

    def _end(self, text: str) -> _End | None:
        """Returns the smallest and the largest value of an end of a range; None where that is not known."""
        base, more = split(text)
        name, low, high = self.steps.name, self.steps.low, self.steps.high
        if base == name:
            return _End(1, _sum(low, more), _sum(high, more))
        node = cst.parse_expression(base or "0")
        minus = isinstance(node, cst.BinaryOperation) and isinstance(node.operator, cst.Subtract) and not node.lpar
        if minus and isinstance(node, cst.BinaryOperation) and code(node.right) == name:
            left = code(node.left)
            if not name_tools.loads(node.left) & self.changing:
                return _End(-1, _sum(_difference(left, high), more), _sum(_difference(left, low), more))
        return None if name_tools.loads(node) & self.changing else _End(0, text, text)


class _Other(Transformer):
    """Puts another call in the place of one."""

    def __init__(self, old: cst.Call, new: cst.BaseExpression) -> None:
        super().__init__()
        self.old, self.new = old, new

    def leave_Call(self, original_node: cst.Call, updated_node: cst.Call) -> cst.BaseExpression:
        return self.new if original_node is self.old else updated_node


class _Put(Rewriter):
    """Puts parts of tables in the place of expressions."""

    def __init__(self, module: Module, parts: Mapping[cst.CSTNode, cst.BaseExpression]) -> None:
        super().__init__(module)
        self.parts = parts

    def leave_BinaryOperation(self, original_node: cst.BinaryOperation, updated_node: Any) -> Any:
        return self.parts.get(original_node, updated_node)

    def leave_UnaryOperation(self, original_node: cst.UnaryOperation, updated_node: Any) -> Any:
        return self.parts.get(original_node, updated_node)

    def leave_Call(self, original_node: cst.Call, updated_node: Any) -> Any:
        return self.parts.get(original_node, updated_node)


def _literal(text: str) -> int | None:
    try:
        return int(text.replace(" ", ""))
    except ValueError:
        return None


def _sum(text: str, more: int) -> str:
    """Returns a whole number's source with a number added.

    >>> _sum("N - 1", 1), _sum("-1", 1), _sum("n", -1), _sum("i+1", 2)
    ('N', '0', 'n - 1', 'i + 3')
    """
    number = _literal(text)
    if number is not None:
        return str(number + more)
    base, own = split(text)
    total = own + more
    return base if total == 0 else f"{base} {'+' if total > 0 else '-'} {abs(total)}"


def _difference(one: str, other: str) -> str:
    """Returns the source of a difference of two whole numbers.

    >>> _difference("i + 1", "0"), _difference("N - 1", "i"), _difference("n", "i + 1"), _difference("i", "i - 1")
    ('i + 1', 'N - 1 - i', 'n - (i + 1)', '1')
    """
    (base, more), (other_base, other_more) = split(one), split(other)
    if base == other_base:
        return str(more - other_more)
    if not other_base:
        return _sum(one, -other_more)
    return f"{one} - ({other})" if needs_parentheses(other) else f"{one} - {other}"


def split(text: str) -> tuple[str, int]:
    """Splits what is written as a sum with whole numbers behind it.

    >>> split("N - 1"), split("i+2"), split("a*b"), split("-7")
    (('N', -1), ('i', 2), ('a*b', 0), ('', -7))
    """
    number = _literal(text)
    if number is not None:
        return "", number
    node = cst.parse_expression(text)
    summed = isinstance(node, cst.BinaryOperation) and isinstance(node.operator, cst.Add | cst.Subtract)
    if summed and isinstance(node, cst.BinaryOperation) and isinstance(node.right, cst.Integer) and not node.lpar:
        base, own = split(code(node.left))
        return base, own + (1 if isinstance(node.operator, cst.Add) else -1) * node.right.evaluated_value
    return (text if isinstance(node, cst.Name | cst.BinaryOperation) or node.lpar else f"({text})"), 0
