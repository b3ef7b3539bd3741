"""Loops that add whole arrays to one another, over and over, go row by row: each row takes all its steps at once.

`for dy in range(kh): for dx in range(kw): out += w[dy, dx]*x[dy:dy + n, dx:dx + m]` runs through all of `out` in each
step. Every element takes its steps in the same order if the loop over rows goes outside; then a row stays in the
processor's cache, and rows can run in threads.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import libcst as cst
import numpy as np

from jitmagic.analysis.aliases import Aliases
from jitmagic.backends.numba.nests.nest import free_indices
from jitmagic.backends.numba.rewrites.aliasing import reads_elsewhere
from jitmagic.backends.numba.rewrites.context import Context, code
from jitmagic.backends.numba.rewrites.elements import Element, ElementRewriter, Kernel, is_usable, needs_parentheses
from jitmagic.backends.numba.rewrites.windows import Part, window_of
from jitmagic.backends.numba.typing_model import UFUNC
from jitmagic.generate import names as name_tools
from jitmagic.generate.blocks import in_one_line, leading, made, small, statements
from jitmagic.generate.liveness import Liveness, live_names
from jitmagic.generate.walking import Transformer, children, nodes_of
from jitmagic.observe.facts import Span, ValueFact

_OPERATORS = ("+=", "-=")
_NUMBERS = frozenset({"int", "float", "bool", "complex", "scalar"})
_PLAIN = (cst.Name, cst.Integer, cst.Float, cst.BinaryOperation, cst.UnaryOperation, cst.Subscript, cst.Attribute,
          cst.SubscriptElement, cst.Index, cst.BaseUnaryOp, cst.BaseBinaryOp, cst.Slice)  # fmt: skip
"""What a number of a step may be written with."""


class _Unfit(Exception):
    """A loop that cannot be written so."""


class Sweeps(ElementRewriter):
    """Rewrites loops over steps that add to one whole array.

    Parameters
    ----------
    context : Context
    aliases : Aliases
    spans : tuple of Span
        Loops that run in parallel already, in which nothing is rewritten.
    """

    def __init__(self, context: Context, aliases: Aliases, spans: tuple[Span, ...] = ()) -> None:
        super().__init__(context)
        self._aliases = aliases
        self._spans = spans
        self._live = Liveness()
        self._captured: frozenset[str] = frozenset()
        self._made: dict[cst.CSTNode, Any] = {}
        self._sweep: _Sweep | None = None

    def visit_FunctionDef(self, node: cst.FunctionDef) -> None:
        super().visit_FunctionDef(node)
        if len(self.functions) == 1:
            self._captured = name_tools.captured(node)
            self._live = live_names(statements(node), self._captured)

    def visit_For(self, node: cst.For) -> bool:
        place = self.context.place(node)
        within = place is None or any(s.line <= place.line and place.end_line <= s.end_line for s in self._spans)
        if self.context.every or within or len(self.functions) != 1:
            return True
        try:
            self._made[node] = self._written(node)
        except _Unfit:
            return True
        finally:
            self._sweep = None
        return False

    def leave_For(self, original_node: cst.For, updated_node: cst.For) -> Any:
        return self._made.get(original_node, updated_node)

    def _written(self, loop: cst.For) -> Any:
        headers, body = _nest(loop)
        *numbers, last = [small(statement) for statement in body]
        if not isinstance(last, cst.AugAssign) or not isinstance(last.target, cst.Name):
            raise _Unfit
        out, into, fact = last.target, self.fact(last.target), self.fact(last.value)
        operator = code(last.operator).strip()
        if into is None or fact is None or not is_usable(into) or not is_usable(fact) or operator not in _OPERATORS:
            raise _Unfit
        assert into.shape is not None
        same = into.shape == fact.shape and into.dtype == fact.dtype and 1 not in into.shape
        if not same or len(into.shape) not in (2, 3) or np.dtype(into.dtype or "O").kind not in "fc":
            raise _Unfit
        if UFUNC.get(type(last.operator)) is None or reads_elsewhere(
            self, self._aliases, out.value, last.target, last.value
        ):
            raise _Unfit
        parts = {one.value.value for one in nodes_of(last.value, cst.Subscript) if isinstance(one.value, cst.Name)}
        if self.may_share(self._aliases, out.value, parts):
            raise _Unfit
        inner = {header.target.value for header in headers if isinstance(header.target, cst.Name)}
        sweep = self._sweep = _Sweep(self, into, inner, name_tools.all_names(loop))
        sweep.kernel.parameters.append("out")
        sweep.kernel.passed.append(out)
        sweep.kernel.known[out.value] = "out"
        heads = [sweep.header(header) for header in headers]
        for one in numbers:
            sweep.assigned(one)
        after = self._live.after.get(loop, frozenset()) | self._captured
        read = frozenset().union(*(name_tools.loads(one) for one in (*numbers, *(h.iter for h in headers))))
        if after & sweep.inner or self.may_share(self._aliases, out.value, read):
            raise _Unfit
        element = self.element(sweep.kernel, last.value, last.value)
        if element is None or not sweep.windows or sweep.kernel.operations == 0 or element.dtype != into.dtype:
            raise _Unfit
        return self._statement(loop, sweep, heads, operator, element)

    def _statement(self, loop: cst.For, sweep: _Sweep, heads: list[str], operator: str, element: Element) -> Any:
        kernel = sweep.kernel
        ndim = len(kernel.shape)
        threads = self.context.parallel
        word = self.context.imports.code("numba.prange") if threads else "range"
        said = in_one_line(code(loop.with_changes(leading_lines=[])).split("#@")[0])
        lines = [
            f"@njit({'parallel=True, ' if threads else ''}error_model='numpy')".replace("'", '"'),
            f"def {{name}}({', '.join(kernel.parameters)}):",
            f"    # {said[:90]} … row by row".replace("{", "(").replace("}", ")"),
        ]
        unfit = 'raise ValueError("operands could not be broadcast together")'
        pad = "    "
        for head in heads:
            lines.append(f"{pad}{head}")
            pad += "    "
        lines += [f"{pad}{line}" for line in sweep.moving]
        checks = " or ".join(f"{one}.shape != out.shape" for one in dict.fromkeys((*sweep.fixed, *sweep.windows)))
        lines += [f"{pad}if {checks}:", f"{pad}    {unfit}"]
        pad = "    "
        for k in range(ndim - 1):
            lines.append(f"{pad}for {kernel.loops[k]} in {word if k == 0 else 'range'}(out.shape[{k}]):")
            pad += "    "
        for head in heads:
            lines.append(f"{pad}{head}")
            pad += "    "
        lines += [f"{pad}{line}" for line in (*_comments(loop), *sweep.numbers, *sweep.lines)]
        lines.append(f"{pad}for {kernel.loops[ndim - 1]} in range(out.shape[{ndim - 1}]):")
        lines.append(f"{pad}    out[{', '.join(kernel.loops[:ndim])}] {operator} {element.text}")
        helper = self.context.helper("add_to" if operator == "+=" else "subtract_from", "\n" + "\n".join(lines) + "\n")
        call = cst.Call(helper, [cst.Arg(self.context.bare(node)) for node in kernel.passed])
        statement = leading(made(f"{code(call)}\n", loop), loop)
        self.module.inherit(statement, loop)
        return statement

    # -- what the elements ask for

    def number(self, kernel: Kernel, node: cst.BaseExpression) -> str | None:
        """Returns how the loops name a number."""
        assert self._sweep is not None
        return self._sweep.number(node)

    def leaf(self, kernel: Kernel, node: cst.BaseExpression, fact: ValueFact) -> Element | None:
        """Returns the element of an array of the whole shape: a name, or a window that may move from step to step."""
        assert self._sweep is not None
        return self._sweep.leaf(node, fact)


class _Sweep:
    """What the loops need, as their statements are read.

    Attributes
    ----------
    inner : set of str
        The names that the steps bind.
    numbers, lines : list of str
        The user's numbers of a step, and further ones.
    moving : list of str
        The user's numbers, where windows begin or end at one.
    fixed, windows : list of str
        The arrays, and the views of a step, that have to have the shape of the whole.
    """

    def __init__(self, owner: Sweeps, fact: ValueFact, inner: set[str], names: frozenset[str]) -> None:
        assert fact.shape is not None
        self.owner, self.inner, self.shape = owner, inner, fact.shape
        letters = free_indices({*names, "out"})
        self.kernel = Kernel(fact.shape, [], [], [[] for _ in fact.shape], loops=letters, taken={"out", *inner})
        self._names = names
        self.numbers: list[str] = []
        self.lines: list[str] = []
        self.moving: list[str] = []
        self.fixed: list[str] = []
        self.windows: list[str] = []
        self._least: dict[str, int] = {}

    def header(self, loop: cst.For) -> str:
        """Returns a loop's first line; its ends may not change on the way."""
        call, target = loop.iter, loop.target
        assert isinstance(call, cst.Call)
        assert isinstance(target, cst.Name)
        if not all(self._is_whole(a.value) for a in call.args):
            raise _Unfit
        texts = [self.text(a.value) for a in call.args]
        start = texts[0] if len(texts) > 1 else "0"
        if start.isdecimal() and (len(texts) < 3 or texts[2].isdecimal()):
            self._least[target.value] = int(start)
        return f"for {target.value} in range({', '.join(texts)}):"

    def _is_whole(self, node: cst.BaseExpression) -> bool:
        fact = self.owner.fact(node)
        return fact is not None and (fact.kind == "int" or (fact.kind == "scalar" and (fact.dtype or "")[:3] == "int"))

    def assigned(self, statement: Any) -> None:
        """Takes `w = kernel[dy, dx]` in."""
        fact = self.owner.fact(statement.value) if isinstance(statement, cst.Assign) else None
        if fact is None or fact.kind not in _NUMBERS or len(statement.targets) != 1:
            raise _Unfit
        target = statement.targets[0].target
        if not isinstance(target, cst.Name):
            raise _Unfit
        self.numbers.append(f"{target.value} = {self.text(statement.value)}")
        self.inner.add(target.value)
        self.kernel.taken.add(target.value)

    def text(self, node: cst.BaseExpression) -> str:
        """Returns an expression of numbers with the parameters' names in it."""
        return code(self._shown(node))

    def _shown(self, node: cst.BaseExpression) -> Any:
        if not _is_plain(node):
            raise _Unfit
        return node.visit(_Named(self))

    def number(self, node: cst.BaseExpression) -> str:
        """Returns a number that may change from step to step, as a variable where it is an element of an array."""
        text = self.text(node)
        if isinstance(node, cst.Name):
            return text
        if not (name_tools.loads(node) & self.inner) and not nodes_of(node, cst.Subscript):
            return self.kernel.parameter(node)
        return self._variable("factor", text)

    def _variable(self, wanted: str, text: str) -> str:
        known = next((line.split(" = ")[0] for line in self.lines if line.endswith(f" = {text}")), None)
        if known is not None:
            return known
        name = self.kernel.fresh(wanted)
        while name in self._names:
            name = self.kernel.fresh(wanted)
        self.lines.append(f"{name} = {text}")
        return name

    def leaf(self, node: cst.BaseExpression, fact: ValueFact) -> Element | None:
        """Returns the element of an array of the whole shape."""
        if fact.shape != self.shape or fact.dtype is None:
            return None
        letters = self.kernel.loops
        if isinstance(node, cst.Name):
            if node.value in self.inner:
                return None
            name = self.kernel.parameter(node)
            self.fixed.append(name)
            return Element(f"{name}[{', '.join(letters[: len(self.shape)])}]", fact.dtype)
        window = window_of(node)
        if window is None or len(window.axes) != len(self.shape) or None in window.axes:
            return None
        if window.array.value in self.inner:
            return None
        name = self.kernel.parameter(window.array)
        index = []
        for letter, part in zip(letters, window.axes, strict=False):
            assert part is not None
            start = self._start(name, part)
            index.append(f"{letter} + {start}" if start != "0" else letter)
        self.windows.append(self.text(node))
        if any(line.split(" = ")[0] in name_tools.loads(node) for line in self.numbers):
            self.moving = self.numbers
        return Element(f"{name}[{', '.join(index)}]", fact.dtype)

    def _start(self, array: str, part: Part) -> str:
        if isinstance(part.start, int):
            return str(part.start)
        if not self._is_whole(part.start):
            raise _Unfit
        text = self.text(part.start)
        if isinstance(part.start, cst.Name) and self._least.get(part.start.value, -1) >= 0:
            return text
        shown = f"({text})" if needs_parentheses(text) else text
        return self._variable("start", f"{text} if {text} >= 0 else max({shown} + {array}.shape[{part.base}], 0)")


class _Named(Transformer):
    """Puts the parameters' names into an expression."""

    def __init__(self, sweep: _Sweep) -> None:
        super().__init__()
        self._sweep = sweep

    def visit_Attribute(self, node: cst.Attribute) -> bool:
        return False  # its last part is no name of its own

    def leave_Name(self, original_node: cst.Name, updated_node: cst.Name) -> cst.BaseExpression:
        if original_node.value in self._sweep.inner:
            return updated_node
        return cst.Name(self._sweep.kernel.parameter(original_node))

    def leave_Attribute(self, original_node: cst.Attribute, updated_node: cst.Attribute) -> cst.BaseExpression:
        assert isinstance(original_node.value, cst.Name)
        return updated_node.with_changes(value=self.leave_Name(original_node.value, original_node.value))


def _is_plain(node: cst.CSTNode) -> bool:
    if not isinstance(node, _PLAIN):
        return False
    if isinstance(node, cst.Attribute):
        return node.attr.value in ("shape", "size", "ndim") and isinstance(node.value, cst.Name)
    return all(_is_plain(child) for child in children(node))


def _comments(loop: cst.For) -> list[str]:
    """Returns the comments that stand in a nest."""
    found: list[str] = []
    for statement in statements(loop):
        above = [
            one.comment.value.split("#@")[0].rstrip() for one in statement.leading_lines if one.comment is not None
        ]
        found += [one for one in above if one]
        if isinstance(statement, cst.For):
            found += _comments(statement)
    return found


def _nest(loop: cst.For) -> tuple[list[cst.For], Sequence[Any]]:
    """Returns the loops of a nest over `range`, and the statements in the innermost one."""
    headers: list[cst.For] = []
    while True:
        call = loop.iter
        plain = isinstance(call, cst.Call) and code(call.func) == "range" and isinstance(loop.target, cst.Name)
        if not plain or loop.orelse is not None or loop.asynchronous is not None:
            raise _Unfit
        assert isinstance(call, cst.Call)
        if any(a.keyword is not None or a.star for a in call.args):
            raise _Unfit
        headers.append(loop)
        body = statements(loop)
        if len(body) == 1 and isinstance(body[0], cst.For):
            loop = body[0]
            continue
        if not all(isinstance(one, cst.SimpleStatementLine) and len(one.body) == 1 for one in body):
            raise _Unfit
        return headers, body
