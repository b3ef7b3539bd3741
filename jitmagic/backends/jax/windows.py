"""Rewrite slices that move with a loop index: ``x[i:i + w]`` becomes ``lax.dynamic_slice_in_dim(x, i, w)``.

JAX slices have static bounds. A window of constant width whose start is traced is a dynamic slice; a slice whose width
changes has no counterpart and is refused. ``dynamic_slice`` moves a window that would reach beyond the end, so
that the width which was observed must be the written one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import libcst as cst

from jitmagic.backends.jax.sums import terms, written
from jitmagic.backends.jax.tracing import Tracing
from jitmagic.errors import Unsupported
from jitmagic.generate.blocks import code
from jitmagic.generate.module import Module
from jitmagic.generate.rewriter import FunctionRewriter


@dataclass(frozen=True)
class _Window:
    start: str
    width: str


def windows(module: Module, tree: cst.Module, tracing: dict[str, Tracing]) -> cst.Module:
    """Returns the tree with windows of constant width as dynamic slices; raises Unsupported at other traced slices."""
    return tree.visit(_Windows(module, tracing))


class _Windows(FunctionRewriter[Tracing]):
    def __init__(self, module: Module, tracing: dict[str, Tracing]) -> None:
        super().__init__(module, tracing)
        self.lines: list[int | None] = []

    def visit_SimpleStatementLine(self, node: cst.SimpleStatementLine) -> None:
        self.lines.append(self.module.line(node))

    def leave_SimpleStatementLine(self, original_node: cst.SimpleStatementLine, updated_node: Any) -> Any:
        self.lines.pop()
        return updated_node

    def leave_Subscript(self, original_node: cst.Subscript, updated_node: cst.Subscript) -> cst.BaseExpression:
        if not self.stack or self.stack[-1].kinds.is_container(original_node.value):
            return updated_node
        moving = [
            isinstance(e.slice, cst.Slice)
            and any(
                b is not None and self.stack[-1].expression(b) for b in (e.slice.lower, e.slice.upper, e.slice.step)
            )
            for e in original_node.slice
        ]
        if not any(moving):
            return updated_node
        found = [
            self.window(original_node, e.slice) if m and isinstance(e.slice, cst.Slice) else None
            for m, e in zip(moving, original_node.slice, strict=True)
        ]
        if isinstance(original_node.value, cst.Attribute) and original_node.value.attr.value == "at":
            return self.stored(original_node, updated_node, found)
        self.check_width(original_node)
        return self.read(updated_node, found)

    def refuse(self, node: cst.Subscript, why: str) -> Unsupported:
        line = self.module.line(node) or (self.lines[-1] if self.lines else None)
        return Unsupported(f"line {line}: {why}", line, "JX-SHAPEARG")

    def window(self, node: cst.Subscript, element: cst.Slice) -> _Window:
        """Returns start and width of a slice whose bounds move together."""
        lower, upper = element.lower, element.upper
        step = element.step is None or code(element.step) == "1"
        if lower is not None and upper is not None and step:
            difference = terms(upper, 1)
            difference.subtract(terms(lower, 1))
            left = {t: n for t, n in difference.items() if n}
            names = [t for t in left if t]
            if not any(self.stack[-1].expression(cst.parse_expression(t)) for t in names):
                return _Window(code(lower), written(left))
        raise self.refuse(
            node,
            f"the length of `{code(node)}` changes from step to step, and JAX needs fixed shapes; use the whole "
            "array with "
            "np.where on the index, or a window of constant width",
        )

    def check_width(self, node: cst.Subscript) -> None:
        fact = self.module.fact(node)
        if fact is not None and (fact.shape is None or None in fact.shape):
            raise self.refuse(
                node,
                f"`{code(node)}` is cut short at the ends of the array, so that its length changes; treat the "
                "ends apart, or "
                "pad the array",
            )
        for element in node.slice:
            lower = element.slice.lower if isinstance(element.slice, cst.Slice) else None
            start = None if lower is None else self.module.fact(lower)
            if start is not None and start.low is not None and start.low < 0:
                raise self.refuse(node, f"`{code(node)}` starts below zero in some steps; treat the beginning apart")

    def read(self, node: cst.Subscript, found: list[_Window | None]) -> cst.BaseExpression:
        """Writes a window that is read: whole indices first, then one dynamic slice."""
        base = code(node.value)
        kept: list[str] = []
        axes: list[_Window | None] = []
        plain = True
        for element, window in zip(node.slice, found, strict=True):
            text = code(element.with_changes(comma=cst.MaybeSentinel.DEFAULT))
            if window is not None:
                kept.append(":")
                axes.append(window)
            else:
                kept.append(text)
                plain = plain and text == ":"
                if isinstance(element.slice, cst.Slice):
                    axes.append(None)
        if not plain:
            while kept and kept[-1] == ":":
                kept.pop()
            base = f"{base}[{', '.join(kept)}]"
        moving = [(axis, w) for axis, w in enumerate(axes) if w is not None]
        for axis, w in moving:
            more = f", axis={axis}" if axis else ""
            base = f"__jax__.lax.dynamic_slice_in_dim({base}, {w.start}, {w.width}{more})"
        return cst.parse_expression(base)

    def stored(self, old: cst.Subscript, node: cst.Subscript, found: list[_Window | None]) -> cst.BaseExpression:
        """Writes a window that is stored into: one index array."""
        for element, window in zip(old.slice, found, strict=True):
            lower = element.slice.lower if isinstance(element.slice, cst.Slice) else None
            if window is not None and lower is not None and not self.never_negative(lower):
                raise self.refuse(old, f"`{code(lower)}` may start below zero; treat the beginning apart")
        if sum(w is not None for w in found) > 1:
            raise self.refuse(old, "a window that moves along two axes is stored into; store one row at a time")
        elements = [
            e
            if w is None
            else e.with_changes(slice=cst.Index(cst.parse_expression(f"{w.start} + __numpy__.arange({w.width})")))
            for e, w in zip(node.slice, found, strict=True)
        ]
        return node.with_changes(slice=elements)

    def never_negative(self, node: cst.BaseExpression) -> bool:
        """Says whether a whole number was never seen below zero, or is made of such by sums and products."""
        fact = self.stack[-1].kinds.of(node)
        if fact is not None and fact.low is not None:
            return fact.low >= 0
        if isinstance(node, cst.BinaryOperation) and isinstance(
            node.operator, cst.Add | cst.Multiply | cst.FloorDivide | cst.Modulo
        ):
            return self.never_negative(node.left) and self.never_negative(node.right)
        return False
