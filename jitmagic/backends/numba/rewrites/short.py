"""Writes arithmetic on short vectors inside loops as loops over their few elements, in the place where it stands.

`d = r[i] - r[j]` for points in space takes three sums; making views, arrays and calls for them takes a hundred times as
long. Where the length is written somewhere (`np.zeros((n, 3))`) it is written into the loops, which the compiler then
unrolls. Lengths are compared once, before the loops; an axis is stretched nowhere.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import libcst as cst
import numpy as np

from jitmagic.analysis.aliases import Aliases
from jitmagic.backends.numba.rewrites.aliasing import reads_elsewhere
from jitmagic.backends.numba.rewrites.buffers import reusable
from jitmagic.backends.numba.rewrites.context import Context, code
from jitmagic.backends.numba.rewrites.elements import (
    PYTHON,
    Element,
    ElementRewriter,
    Kernel,
    axes_of,
    is_usable,
    is_wrapped,
    needs_parentheses,
)
from jitmagic.backends.numba.rewrites.windows import Part, length_of, steps_of, window_of
from jitmagic.generate import names as name_tools
from jitmagic.generate.blocks import made, small
from jitmagic.generate.walking import Transformer, children, nodes_of
from jitmagic.observe.facts import Span, ValueFact

_LONGEST = 16
"""Longer vectors keep whole-array forms."""

_MAKERS = frozenset({"numpy.zeros", "numpy.empty", "numpy.ones", "numpy.full"})

_UNFIT = '"operands could not be broadcast together"'

_REAL = frozenset({"bool", "int64", "int32", "float64", "float32"})
"""What arrays of float64 can be changed by in place."""

Loop = cst.For | cst.While


Work = Callable[[cst.BaseExpression], str]


@dataclass
class Inline(Kernel):
    """What the elements of one statement need, where it stands.

    Attributes
    ----------
    work : callable
        Gives a name to a number that has to be worked out before the loop.
    """

    work: Work = code

    def parameter(self, node: cst.BaseExpression) -> str:
        """Returns a number as it stands there, or a name for it where it may change on the way, or take long."""
        text = code(node)
        if _is_plain(node):
            return f"({text})" if needs_parentheses(text) else text
        if text not in self.known:
            self.known[text] = self.work(node)
        return self.known[text]


def _is_plain(node: cst.BaseExpression) -> bool:
    """Says whether an expression is of names, numbers and operators alone."""
    if isinstance(node, cst.BinaryOperation):
        return _is_plain(node.left) and _is_plain(node.right)
    if isinstance(node, cst.UnaryOperation):
        return _is_plain(node.expression)
    return isinstance(node, cst.Name | cst.Integer | cst.Float)


@dataclass(frozen=True)
class Found:
    """The elements of vectors of one length, with the loop's index and end, and what stands before the loop."""

    kernel: Inline
    elements: list[Element]
    index: str
    length: str
    before: list[str]

    def loop(self, line: str) -> list[str]:
        """Returns the statements with this line in the loop."""
        return [*self.before, f"for {self.index} in range({steps_of(self.length)}):\n    {line}\n"]


class Short(ElementRewriter):
    """Rewrites statements on short vectors in loops.

    Parameters
    ----------
    context : Context
    aliases : Aliases
    spans : tuple of Span
        Loops that run in parallel.
    """

    def __init__(self, context: Context, aliases: Aliases, spans: tuple[Span, ...] = ()) -> None:
        super().__init__(context)
        self._aliases = aliases
        self._spans = spans
        self._loops: list[Loop] = []
        self._reusable: dict[str, Loop] = {}
        self._lengths: dict[str, str] = {}
        self._bound: frozenset[str] = frozenset()
        self._written: dict[tuple[str, int], str] = {}
        self._checks: dict[tuple[str, str], None] = {}
        self._arrays: list[tuple[str, str]] = []
        self._names: set[str] = set()

    # -- where a statement stands

    def visit_FunctionDef(self, node: cst.FunctionDef) -> None:
        super().visit_FunctionDef(node)
        if len(self.functions) == 1:
            # an array that parallel steps share would be written by all of them
            self._reusable = {} if self._spans else reusable(self, node, self._aliases)
            self._lengths = {}
            self._written = self._written_lengths(node)
            self._names = set(name_tools.all_names(node))

    def visit_For(self, node: cst.For) -> None:
        self._enter(node)

    def visit_While(self, node: cst.While) -> None:
        self._enter(node)

    def leave_For(self, original_node: cst.For, updated_node: cst.For) -> Any:
        return self._left(original_node, updated_node)

    def leave_While(self, original_node: cst.While, updated_node: cst.While) -> Any:
        return self._left(original_node, updated_node)

    def _enter(self, node: Loop) -> None:
        if not self._loops:
            self._bound = self._rebound(node)
        self._loops.append(node)

    def _left(self, original: Loop, updated: Any) -> Any:
        self._loops.pop()
        if self._loops or not (self._checks or self._arrays):
            return updated
        # what was found equal to a written length is that length: the compiler then knows how often a loop goes round
        known = {one: length for one, length in self._checks if length.isdecimal()}
        checks = [f"if {one} != {length}:\n    raise ValueError({_UNFIT})\n" for one, length in self._checks]
        arrays = [line.format(length=known.get(length, length)) for length, line in self._arrays]
        lines = [cst.parse_statement(line) for line in [*checks, *arrays]]
        self._checks, self._arrays = {}, []
        lines[0] = lines[0].with_changes(leading_lines=updated.leading_lines)
        loop = updated.with_changes(leading_lines=()).visit(_Ends(known))
        self.module.inherit(loop, original)
        return cst.FlattenSentinel([*lines, loop])

    def _rebound(self, loop: Loop) -> frozenset[str]:
        """Returns the names that may stand for another array in each step: those that are only added to do not."""
        changed = {
            one.target.value
            for one in nodes_of(loop, cst.AugAssign)
            if isinstance(one.target, cst.Name) and self.is_array(one.target)
        }
        targets: list[cst.BaseExpression] = [t.target for one in nodes_of(loop, cst.Assign) for t in one.targets]
        targets += [one.target for one in nodes_of(loop, cst.For)]
        targets += [one.target for one in nodes_of(loop, cst.NamedExpr)]
        others = {name for target in targets for name in name_tools.targets(target)}
        return name_tools.bound(loop) - (changed - others)

    def _written_lengths(self, function: cst.FunctionDef) -> dict[tuple[str, int], str]:
        """Returns the lengths that are written as numbers where an array is made, of names that are bound once."""
        found: dict[tuple[str, int], str] = {}
        counts: dict[str, int] = {}
        for assign in nodes_of(function.body, cst.Assign):
            for target in assign.targets:
                for name in name_tools.targets(target.target):
                    counts[name] = counts.get(name, 0) + 1
            made_first = assign.targets[0].target
            if len(assign.targets) == 1 and isinstance(made_first, cst.Name):
                for axis, length in enumerate(self._made_with(assign.value)):
                    if isinstance(length, cst.Integer):
                        found[made_first.value, axis] = length.value
        loops = {n for loop in nodes_of(function.body, cst.For) for n in name_tools.targets(loop.target)}
        taken = loops | set(name_tools.parameters(function))
        return {key: length for key, length in found.items() if counts[key[0]] == 1 and key[0] not in taken}

    def _made_with(self, value: cst.BaseExpression) -> list[cst.BaseExpression]:
        if not isinstance(value, cst.Call) or self.path(value.func) not in _MAKERS or not value.args:
            return []
        first = value.args[0]
        if first.star or (first.keyword is not None and first.keyword.value != "shape"):
            return []
        if isinstance(first.value, cst.Tuple | cst.List):
            return [element.value for element in first.value.elements]
        return [first.value]

    # -- statements

    def leave_SimpleStatementLine(
        self, original_node: cst.SimpleStatementLine, updated_node: cst.SimpleStatementLine
    ) -> Any:
        one = small(original_node)
        if not self._loops or len(original_node.body) != 1 or not isinstance(one, cst.Assign | cst.AugAssign):
            return updated_node
        lines = self._vector(one) or self._product(one)
        if not lines:
            return updated_node
        statements = [made(line, original_node) if isinstance(line, str) else line for line in lines]
        space = updated_node.trailing_whitespace
        if isinstance(statements[-1], cst.For):
            # what stood behind the statement stands behind the loop's first line
            body = statements[-1].body.with_changes(header=space)
            statements[-1] = statements[-1].with_changes(body=body)
        else:
            statements[-1] = statements[-1].with_changes(trailing_whitespace=space)
        statements[0] = statements[0].with_changes(leading_lines=updated_node.leading_lines)
        return cst.FlattenSentinel(statements)

    def _vector(self, one: cst.Assign | cst.AugAssign) -> list[Any] | None:
        """Returns the loop for a statement whose value is a vector."""
        if isinstance(one, cst.Assign) and len(one.targets) != 1:
            return None
        target: cst.BaseAssignTargetExpression = one.targets[0].target if isinstance(one, cst.Assign) else one.target
        fact = self.fact(one.value)
        if isinstance(one, cst.AugAssign) and fact is not None and (fact.dtype or PYTHON.get(fact.kind)) in _REAL:
            place = self._place_fact(target) if not fact.shape else fact
            fact = place if place is not None and (fact.shape or place.dtype == "float64") else None
        if fact is None or not self._is_short(fact):
            return None
        if isinstance(target, cst.Name) and isinstance(one, cst.Assign):
            return self._made(target.value, one.value, fact)
        return self._stored(one, target, fact)

    def _place_fact(self, target: cst.BaseExpression) -> ValueFact | None:
        """Returns what an array is that is changed in place by a number: a name, or a row of one."""
        if isinstance(target, cst.Name):
            return self.fact(target)
        base = self.fact(target.value) if isinstance(target, cst.Subscript) else None
        parts = self._parts(target, len(base.shape or ())) if base is not None and base.kind == "array" else None
        if (
            base is None
            or parts is None
            or base.shape is None
            or any(s.lower or s.upper for s in nodes_of(target, cst.Slice))
        ):
            return None  # of a part the length was not seen
        return replace(base, shape=(base.shape[parts.index(None)],))

    def _made(self, name: str, value: cst.BaseExpression, fact: ValueFact) -> list[str] | None:
        """Returns the loop that makes a vector anew in an array from before."""
        if name not in self._reusable or self._reusable[name] is not self._loops[0] or name in self._lengths:
            return None
        found = self._elements(fact, value)
        if found is None or found.elements[0].dtype != fact.dtype or not found.kernel.operations:
            return None
        self._lengths[name] = found.length
        numpy = self.context.imports.code("numpy.empty")
        of = "" if fact.dtype == "float64" else f", dtype={self.context.imports.code(f'numpy.{fact.dtype}')}"
        self._arrays.append((found.length, f"{name} = {numpy}({{length}}{of})  # written anew in each step\n"))
        return found.loop(f"{name}[{found.index}] = {found.elements[0].text}")

    def _stored(self, one: cst.Assign | cst.AugAssign, target: cst.BaseExpression, fact: ValueFact) -> list[str] | None:
        """Returns the loop that stores a vector, or changes one in place."""
        base = target.value if isinstance(target, cst.Subscript) else target
        into = self.fact(base)
        operator = "=" if isinstance(one, cst.Assign) else code(one.operator).strip()
        if not isinstance(base, cst.Name) or into is None or not is_usable(into) or into.dtype != fact.dtype:
            return None
        if into.dtype is None or np.dtype(into.dtype).kind not in "fc" or operator not in ("=", "+=", "-=", "*=", "/="):
            return None
        if isinstance(one, cst.AugAssign) and isinstance(target, cst.Name) and self._runs_in_parallel(one):
            return None  # `prange` has to see that it is a reduction
        if reads_elsewhere(self, self._aliases, base.value, target, one.value):
            return None
        found = self._elements(fact, one.value, place=target)
        if found is None or (not found.kernel.operations and operator == "="):
            return None
        element, place = found.elements
        return found.loop(f"{place.text} {operator} {element.text}")

    def _product(self, one: cst.Assign | cst.AugAssign) -> list[Any] | None:
        """Returns a statement with the sums in it worked out before."""
        bound = one.targets[0].target if isinstance(one, cst.Assign) and len(one.targets) == 1 else None
        if isinstance(bound, cst.Name) and bound.value not in name_tools.loads(one.value):
            lines = self._total(one.value, bound.value)
            if lines is not None:
                return lines
        lines, texts = self._totals(one.value)
        if not texts:
            return None
        changed = one.visit(_Put(texts))
        assert isinstance(changed, cst.BaseSmallStatement)
        return [*lines, cst.SimpleStatementLine([changed])]

    def _totals(self, value: cst.BaseExpression) -> tuple[list[str], dict[cst.CSTNode, str]]:
        """Returns the loops of the sums in an expression, and the name of each."""
        sometimes = {part for kind in _SOMETIMES for node in nodes_of(value, kind) for part in _every(node)}
        lines: list[str] = []
        texts: dict[cst.CSTNode, str] = {}
        inside: set[cst.CSTNode] = set()
        for node in [*nodes_of(value, cst.Call), *nodes_of(value, cst.BinaryOperation)]:
            if node in inside or node in sometimes or not self._summed(node):
                continue
            name = self._fresh("total")
            more = self._total(node, name)
            if more is not None:
                lines += more
                texts[node] = name
                inside.update(_every(node))
        return lines, texts

    def _total(self, node: cst.BaseExpression, name: str) -> list[str] | None:
        """Returns the loop that adds up a product of vectors under a name."""
        parts = self._summed(node)
        fact = self.fact(parts[0]) if parts else None
        if fact is None or not self._is_short(fact) or fact.dtype != "float64":
            return None
        found = self._elements(fact, *parts)
        if found is None or any(element.dtype != "float64" for element in found.elements):
            return None
        texts = [e.text for e in found.elements]
        if len(texts) > 1:
            texts = [f"({text})" if needs_parentheses(text) else text for text in texts]
        *before, loop = found.loop(f"{name} += {' * '.join(texts)}")
        return [*before, f"{name} = 0.0\n", loop]

    def _fresh(self, wanted: str) -> str:
        name = wanted
        letters = iter("bcdefghijklmnopqrstuvwxyz")
        while name in self._names:
            name = f"{wanted}_{next(letters)}"
        self._names.add(name)
        return name

    def _summed(self, node: cst.BaseExpression) -> tuple[cst.BaseExpression, ...]:
        """Returns the vectors whose product is added up."""
        if isinstance(node, cst.BinaryOperation):
            return (node.left, node.right) if isinstance(node.operator, cst.MatrixMultiply) else ()
        if not isinstance(node, cst.Call):
            return ()
        if self.path(node.func) in ("numpy.dot", "numpy.inner", "numpy.vdot"):
            plain = len(node.args) == 2 and not any(a.keyword is not None or a.star for a in node.args)
            return tuple(a.value for a in node.args) if plain else ()
        found = self.reduction(node, node)
        if found is None or found[0] != "sum":
            return ()
        _, old, _, rest = found
        fact = self.fact(old)
        if any(a.star or (a.keyword is not None and a.keyword.value != "axis") for a in rest) or len(rest) > 1:
            return ()
        axes = axes_of(rest[0].value if rest else None, len(fact.shape or ())) if fact is not None else None
        return (old,) if axes == (0,) else ()

    # -- elements

    def _is_short(self, fact: ValueFact) -> bool:
        shape = fact.shape or ()
        return is_usable(fact) and len(shape) == 1 and shape[0] is not None and 1 < shape[0] <= _LONGEST

    def _elements(
        self, fact: ValueFact, *values: cst.BaseExpression, place: cst.BaseExpression | None = None
    ) -> Found | None:
        """Returns the elements of vectors of one length, that of a place behind them."""
        index = next((letter for letter in "klmnpq" if letter not in self._names), None)
        if index is None:
            return None
        before: list[str] = []

        def work(node: cst.BaseExpression) -> str:
            lines, texts = self._totals(node)
            put = node.visit(_Put(texts))
            assert isinstance(put, cst.BaseExpression)
            if isinstance(put, cst.Name):
                before.extend(lines)
                return put.value
            name = self._fresh("factor")
            before.extend([*lines, f"{name} = {code(put)}\n"])
            return name

        kernel = Inline(fact.shape or (), sizes=[[]], loops=index, work=work)
        elements = []
        for value in values:
            one = self.fact(value)
            if one is None or (one.shape and one.shape != fact.shape):
                return None
            elements.append(self.element(kernel, value, value))
        if place is not None:
            elements.append(self._at(kernel, place))
        lengths = sorted(dict.fromkeys(kernel.sizes[0]), key=lambda one: not one.isdecimal())
        if None in elements or not lengths or kernel.ones:
            return None
        self._checks |= dict.fromkeys((one, lengths[0]) for one in lengths[1:])
        bare = [
            replace(one, text=one.text[1:-1] if is_wrapped(one.text) else one.text)
            for one in elements if one is not None
        ]  # fmt: skip
        return Found(kernel, bare, index, lengths[0], before)

    def leaf(self, kernel: Kernel, node: cst.BaseExpression, fact: ValueFact) -> Element | None:
        """Returns the element of a vector: an array's name, or a row or column of one."""
        return self._at(kernel, node) if fact.shape == kernel.shape else None

    def _at(self, kernel: Kernel, node: cst.BaseExpression) -> Element | None:
        base = node.value if isinstance(node, cst.Subscript) else node
        fact = self.fact(base)
        if not isinstance(base, cst.Name) or fact is None or not is_usable(fact) or fact.dtype is None:
            return None
        parts = self._parts(node, len(fact.shape or ()))
        if parts is None:
            return None
        axis = next(k for k, part in enumerate(parts) if part is None)
        window = window_of(cst.Subscript(base, [cst.SubscriptElement(self._sliced(node, axis))]))
        if window is None or window.moves or window.axes[0] is None:
            return None
        part = window.axes[0]
        length = self._length(base.value, axis, part)
        if length is None:
            return None
        kernel.sizes[0].append(length)
        inner = f"{kernel.loops} + {part.start}" if part.start else kernel.loops
        return Element(f"{base.value}[{', '.join(inner if p is None else p for p in parts)}]", fact.dtype)

    def _parts(self, node: cst.BaseExpression, ndim: int) -> list[str | None] | None:
        """Returns the indices of a vector in an array, None for the axis that it lies along."""
        if isinstance(node, cst.Name):
            return [None] if ndim == 1 else None
        assert isinstance(node, cst.Subscript)
        parts: list[str | None] = []
        for element in node.slice:
            part = element.slice
            if isinstance(part, cst.Slice):
                parts.append(None)
                continue
            assert isinstance(part, cst.Index)
            fact = self.fact(part.value)
            whole = fact is not None and (fact.kind == "int" or (fact.kind == "scalar" and "int" in (fact.dtype or "")))
            if not whole or not _is_plain(part.value):
                return None
            parts.append(code(part.value))
        parts += [None] * (ndim - len(parts))
        return parts if parts.count(None) == 1 and len(parts) == ndim else None

    def _sliced(self, node: cst.BaseExpression, axis: int) -> cst.BaseSlice:
        if isinstance(node, cst.Subscript) and axis < len(node.slice):
            return node.slice[axis].slice
        return cst.Slice(None, None)

    def _length(self, name: str, axis: int, part: Part) -> str | None:
        """Returns a length as it is known before the loops; None where it may be another one in each step."""
        text = length_of(name, Part(axis, part.start, part.upper))
        whole = f"{name}.shape[{axis}]"
        known = self._lengths.get(name, self._written.get((name, axis)))
        if known is None:
            return None if name in self._bound else text
        return text.replace(whole, known) if text != whole else known

    def _runs_in_parallel(self, node: cst.CSTNode) -> bool:
        place = self.context.place(node)
        return place is None or any(s.line <= place.line and place.end_line <= s.end_line for s in self._spans)


_SOMETIMES: tuple[type[cst.CSTNode], ...] = (
    cst.IfExp, cst.BooleanOperation, cst.Lambda, cst.ListComp, cst.GeneratorExp, cst.SetComp, cst.DictComp
)  # fmt: skip
"""Expressions whose parts are worked out sometimes, or several times."""


def _every(node: cst.CSTNode) -> list[cst.CSTNode]:
    """Returns a node and all below it."""
    return [node, *(one for child in children(node) for one in _every(child))]


class _Ends(Transformer):
    """Writes the ends of loops that are known as numbers."""

    def __init__(self, known: Mapping[str, str]) -> None:
        super().__init__()
        self._known = known

    def leave_For(self, original_node: cst.For, updated_node: cst.For) -> cst.For:
        call = updated_node.iter
        if not isinstance(call, cst.Call) or code(call.func) != "range" or len(call.args) != 1:
            return updated_node
        known = self._known.get(code(call.args[0].value))
        if known is None:
            return updated_node
        return updated_node.with_changes(iter=call.with_changes(args=[cst.Arg(cst.Integer(known))]))


class _Put(Transformer):
    """Puts names in the place of calls and products."""

    def __init__(self, texts: Mapping[cst.CSTNode, str]) -> None:
        super().__init__()
        self._texts = texts

    def leave_Call(self, original_node: cst.Call, updated_node: cst.Call) -> cst.BaseExpression:
        return cst.Name(self._texts[original_node]) if original_node in self._texts else updated_node

    def leave_BinaryOperation(
        self, original_node: cst.BinaryOperation, updated_node: cst.BinaryOperation
    ) -> cst.BaseExpression:
        return cst.Name(self._texts[original_node]) if original_node in self._texts else updated_node
