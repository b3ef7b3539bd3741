"""What a compiled function cannot do: refused with its line, or written in JAX's own way.

``print`` becomes ``jax.debug.print``, ``with np.errstate(...)`` is taken off; randomness, global writes, ``try``,
generators and raises that depend on array values are refused.
"""

from __future__ import annotations

from typing import Any

import libcst as cst

from jitmagic.backends.jax.tracing import Tracing
from jitmagic.errors import Unsupported
from jitmagic.generate.blocks import code, small, statements
from jitmagic.generate.module import Module
from jitmagic.generate.rewriter import FunctionRewriter

_IO = frozenset({"input", "open", "exec", "eval", "globals", "locals", "setattr", "breakpoint", "next", "iter"})


def effects(
    module: Module, tree: cst.Module, tracing: dict[str, Tracing], dropped: list[int | None] | None = None
) -> cst.Module:
    """Returns the tree with the effects that JAX can express in its own way; raises Unsupported at any other.

    The lines of the assertions that are left out are added to ``dropped``.
    """
    rewrite = _Effects(module, tracing)
    new = tree.visit(rewrite)
    if dropped is not None:
        dropped += rewrite.dropped
    return new


class _Effects(FunctionRewriter[Tracing]):
    def __init__(self, module: Module, tracing: dict[str, Tracing]) -> None:
        super().__init__(module, tracing)
        self.guards: list[cst.CSTNode] = []
        self.dropped: list[int | None] = []

    def refuse(self, node: cst.CSTNode, reason: str, code_: str | None) -> Unsupported:
        line = self.module.line(node)
        if line is None and self.guards:
            line = self.module.line(self.guards[-1])
        return Unsupported(f"line {line}: {reason}", line, code_)

    def visit_Global(self, node: cst.Global) -> None:
        raise self.refuse(
            node, "a global is written; a compiled function would write it once, while tracing; return it", "JX-LEAK"
        )

    def visit_Nonlocal(self, node: cst.Nonlocal) -> None:
        raise self.refuse(node, "a variable of the enclosing function is written; return it instead", "JX-LEAK")

    def visit_Try(self, node: cst.Try) -> None:
        raise self.refuse(
            node,
            "JAX cannot catch exceptions that depend on array values; test for the case with np.where instead",
            "JX-RAISE",
        )

    def visit_Yield(self, node: cst.Yield) -> None:
        raise self.refuse(node, "a generator cannot be compiled; return an array", "JX-ITER")

    def visit_ClassDef(self, node: cst.ClassDef) -> None:
        if self.stack:
            raise self.refuse(node, "a class inside the function cannot be compiled; move it out", None)

    def leave_With(self, original_node: cst.With, updated_node: cst.With) -> Any:
        kinds = self.stack[-1].kinds
        for item in original_node.items:
            path = kinds.path(item.item.func) if isinstance(item.item, cst.Call) else None
            if path not in ("numpy.errstate", "numpy.printoptions", "warnings.catch_warnings"):
                raise self.refuse(original_node, f"`with {code(item.item)}` has no counterpart in compiled code", None)
        inner = statements(updated_node)
        first = inner[0].with_changes(leading_lines=[*updated_node.leading_lines, *inner[0].leading_lines])
        self.module.inherit(first, inner[0])
        return cst.FlattenSentinel([first, *inner[1:]])

    def visit_If(self, node: cst.If) -> None:
        if self.stack and self.stack[-1].expression(node.test):
            self.guards.append(node)

    def leave_If(self, original_node: cst.If, updated_node: cst.If) -> cst.If:
        if self.guards and self.guards[-1] is original_node:
            self.guards.pop()
        return updated_node

    def visit_Raise(self, node: cst.Raise) -> None:
        if self.guards:
            raise self.refuse(
                node,
                "whether this raises depends on array values, which compiled code cannot do; check the arguments "
                "before "
                "the computation, at the top of the function",
                "JX-RAISE",
            )

    def visit_Call(self, node: cst.Call) -> None:
        if not self.stack:
            return
        kinds = self.stack[-1].kinds
        path = kinds.path(node.func)
        if path is not None:
            if path.startswith(("numpy.random.", "random.")):
                raise self.refuse(
                    node,
                    f"`{code(node.func)}` draws random numbers: compiled, it would give the same numbers in each "
                    "call; draw "
                    "them outside and pass them in, or use jax.random with a key",
                    "JX-RNG",
                )
            if path.startswith("heapq."):
                raise self.refuse(
                    node,
                    f"`{code(node.func)}` keeps a heap, whose order only the run tells; keep the keys in an array, and "
                    "take the smallest with np.argmin",
                    "JX-LEAK",
                )
            if path.startswith(("time.", "os.", "sys.", "logging.", "warnings.", "datetime.")) and path not in (
                "warnings.catch_warnings",
                "warnings.simplefilter",
                "warnings.filterwarnings",
            ):
                raise self.refuse(
                    node, f"`{code(node.func)}` would run once, while tracing; move it out of the function", "JX-PRINT"
                )
        func = node.func
        if isinstance(func, cst.Name) and path is None and func.value in _IO and func.value not in kinds.local:
            raise self.refuse(node, f"`{func.value}` cannot be part of a compiled function; move it out", "JX-PRINT")

    def leave_SimpleStatementLine(self, original_node: cst.SimpleStatementLine, updated_node: Any) -> Any:
        statement, new = small(original_node), small(updated_node)
        if self.stack and isinstance(statement, cst.Assert) and self.stack[-1].expression(statement.test):
            self.dropped.append(self.module.line(statement))
            return cst.RemoveFromParent()
        if not self.stack or not isinstance(statement, cst.Expr):
            return updated_node
        call = statement.value
        if not isinstance(call, cst.Call):
            return updated_node
        kinds = self.stack[-1].kinds
        path = kinds.path(call.func)
        if path in ("numpy.seterr", "numpy.set_printoptions", "warnings.simplefilter", "warnings.filterwarnings"):
            return cst.RemoveFromParent()
        if isinstance(call.func, cst.Name) and call.func.value == "print" and "print" not in kinds.local:
            return updated_node.with_changes(body=[new.with_changes(value=self.debug_print(call))])
        return updated_node

    def debug_print(self, call: cst.Call) -> cst.BaseExpression:
        """Makes ``jax.debug.print("x {} y {:.3f}", x, y)`` of a print."""
        template: list[str] = []
        values: list[str] = []
        for argument in call.args:
            if argument.keyword is not None or argument.star:
                raise self.refuse(
                    call, "print with options has no counterpart in compiled code; print outside", "JX-PRINT"
                )
            value = argument.value
            if isinstance(value, cst.SimpleString) and isinstance(value.evaluated_value, str):
                template.append(_escaped(value.evaluated_value))
            elif isinstance(value, cst.FormattedString):
                template.append(self.formatted(value, values, call))
            else:
                template.append("{}")
                values.append(code(value))
        text = "".join(f", {v}" for v in values)
        return cst.parse_expression(f"__jax__.debug.print({_quoted(' '.join(template))}{text})")

    def formatted(self, value: cst.FormattedString, values: list[str], call: cst.Call) -> str:
        parts = []
        for part in value.parts:
            if isinstance(part, cst.FormattedStringText):
                parts.append(part.value)
            elif isinstance(part, cst.FormattedStringExpression):
                spec = "".join(p.value for p in part.format_spec or () if isinstance(p, cst.FormattedStringText))
                nested = any(isinstance(p, cst.FormattedStringExpression) for p in part.format_spec or ())
                if part.conversion is not None or part.equal is not None or nested:
                    raise self.refuse(
                        call, "this print's format has no counterpart in compiled code; print outside", "JX-PRINT"
                    )
                parts.append(f"{{:{spec}}}" if spec else "{}")
                values.append(code(part.expression))
        return "".join(parts)


def _escaped(text: str) -> str:
    return text.replace("{", "{{").replace("}", "}}")


def _quoted(text: str) -> str:
    quoted = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\t", "\\t")
    return f'"{quoted}"'
