"""Writes the product of a vector with a matrix of turns, `np.exp(-2j*np.pi*k*n/N) @ x`, without the matrix.

A Fourier, cosine or sine transform by its matrix reads N numbers of the vector and as many values of one turn for each
element of the result: the matrix of all N*N of them, written and read again, takes longer than the sums. Where the
whole numbers of a row are evenly spaced, as `np.arange` makes them, each turn is the one before and a step more: what
is looked up is found without a division.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import libcst as cst

from jitmagic.backends.numba.nests.contractions import factors
from jitmagic.backends.numba.rewrites.context import Context, code
from jitmagic.backends.numba.rewrites.even_numbers import EvenNumbers
from jitmagic.backends.numba.rewrites.turns import LookedUp, TurnRewriter, looked_up
from jitmagic.backends.numba.rewrites.windows import steps_of
from jitmagic.generate import names as name_tools
from jitmagic.generate.blocks import small
from jitmagic.generate.walking import nodes_of
from jitmagic.observe.facts import Span

_LATER: tuple[type[cst.Lambda | cst.CompFor], ...] = (cst.Lambda, cst.CompFor)


class TurnProducts(TurnRewriter):
    """Rewrites products; a matrix that is bound to a name for its product alone is put there.

    Parameters
    ----------
    context : Context
    spans : tuple of Span
        Loops that run in parallel already.
    """

    def __init__(self, context: Context, spans: tuple[Span, ...] = ()) -> None:
        super().__init__(context, spans)
        self._matrices: dict[str, cst.Call] = {}
        self._gone: set[cst.CSTNode] = set()

    def visit_FunctionDef(self, node: cst.FunctionDef) -> None:
        super().visit_FunctionDef(node)
        if len(self.functions) == 1 and not self.context.every:
            self._matrices, self._gone = {}, set()
            for block in nodes_of(node, cst.IndentedBlock):
                self._find(node, block.body)

    def _find(self, function: cst.FunctionDef, body: Sequence[Any]) -> None:
        """Notes the matrices of a block that are bound for one product, in a statement behind them."""
        for position, statement in enumerate(body):
            one = small(statement)
            if not isinstance(one, cst.Assign) or len(one.targets) != 1 or len(statement.body) != 1:
                continue
            target, matrix = one.targets[0].target, one.value
            if not isinstance(target, cst.Name) or not isinstance(matrix, cst.Call):
                continue
            if looked_up(self, matrix, matrix) is None or not self._is_used_once(function, target.value):
                continue
            reads = name_tools.loads(matrix)
            for later in body[position + 1 :]:
                if isinstance(small(later), cst.Assign | cst.Return) and self._holds_product(later, target.value):
                    self._matrices[target.value] = matrix
                    self._gone.add(statement)
                if not self._passes(later, reads):
                    break

    def _is_used_once(self, function: cst.FunctionDef, name: str) -> bool:
        """Says whether a name is bound once and read once, all functions inside included."""
        return sum(node.value == name for node in nodes_of(function, cst.Name)) == 2

    def _holds_product(self, statement: cst.CSTNode, name: str) -> bool:
        if any(nodes_of(statement, kind) for kind in _LATER):
            return False  # worked out later, or more than once
        nodes = (*nodes_of(statement, cst.BinaryOperation), *nodes_of(statement, cst.Call))
        pairs = [factors(self, node) for node in nodes]
        return any(isinstance(pair[0], cst.Name) and pair[0].value == name for pair in pairs if pair is not None)

    def _passes(self, statement: Any, reads: frozenset[str]) -> bool:
        """Says whether a statement changes nothing that the matrix is made of."""
        one = small(statement)
        if not isinstance(one, cst.Assign) or len(statement.body) != 1:
            return False
        if not all(isinstance(t.target, cst.Name) and t.target.value not in reads for t in one.targets):
            return False
        calls = nodes_of(one, cst.Call)
        kept = all((self.path(call.func) or "").startswith(("numpy.", "math.")) for call in calls)
        return kept and not any(a.keyword is not None and a.keyword.value == "out" for a in nodes_of(one, cst.Arg))

    def leave_SimpleStatementLine(self, original_node: cst.SimpleStatementLine, updated_node: Any) -> Any:
        return cst.RemoveFromParent() if original_node in self._gone else updated_node

    def leave_BinaryOperation(
        self, original_node: cst.BinaryOperation, updated_node: cst.BinaryOperation
    ) -> cst.BaseExpression:
        return self._product(original_node) or updated_node

    def leave_Call(self, original_node: cst.Call, updated_node: cst.Call) -> cst.BaseExpression:
        return self._product(original_node) or updated_node

    def _product(self, node: cst.BaseExpression) -> cst.Call | None:
        pair = factors(self, node) if not self.context.every else None
        if pair is None:
            return None
        matrix, vector = pair
        call = self._matrices.get(matrix.value) if isinstance(matrix, cst.Name) else matrix
        found = looked_up(self, call, call) if isinstance(call, cst.Call) else None
        fact = self.fact(node)
        if found is None or fact is None or len(found.kernel.shape) != 2:
            return None
        kernel, threads = found.kernel, self.in_threads(node)
        x = kernel.parameter(vector)
        rows, columns = (steps_of(several[0]) for several in kernel.sizes)
        kernel.sizes[1].append(f"{x}.shape[0]")
        word = self.context.imports.code("numba.prange") if threads else "range"

        def sums(pad: str, outer: str, element: str, turn: str = "") -> list[str]:
            begin = [f"turn, step = {turn}"] if turn else []
            go_on = ["turn += step", "if turn >= period:", "    turn -= period"] if turn else []
            return [
                f"{pad}for i in {outer}({rows}):",
                f"{pad}    total = {{np}}.{fact.dtype}(0)",
                *(f"{pad}    {line}" for line in begin),
                f"{pad}    for j in range({columns}):",
                f"{pad}        total += {element} * {x}[j]",
                *(f"{pad}        {line}" for line in go_on),
                f"{pad}    out[i] = total",
            ]

        lines = found.head(code(node), threads)
        lines.append(f"    out = {{np}}.empty({kernel.sizes[0][0]}, dtype={{np}}.{fact.dtype})")
        lines.append(f"    period = {found.period}")
        lines.append(f"    if period < 1 or period > out.size * {x}.size:")
        lines += sums("        ", "range", found.direct)
        lines.append("        return out")
        lines += found.table()
        turn = self._steps(found)
        lines += sums("    ", word, "values[turn]" if turn else found.element, turn)
        lines.append("    return out")
        name = f"{found.function.split('.')[-1]}_of_turns_product"
        helper = self.context.helper(name, "\n" + "\n".join(lines) + "\n")
        return cst.Call(helper, [cst.Arg(self.context.bare(one)) for one in kernel.passed])

    def _steps(self, found: LookedUp) -> str:
        """Returns a row's first turn and the step between its turns; nothing where they are not evenly spaced."""
        indices = [set(re.findall(r"\b[ij]\b", text)) for _, text in found.numbers]
        moving = [one[0] for one, used in zip(found.numbers, indices, strict=True) if "j" in used]
        still = " * ".join(one[1] for one, used in zip(found.numbers, indices, strict=True) if "j" not in used)
        if {"i", "j"} in indices:
            return ""
        even = EvenNumbers(self, self.functions[-1]).of(moving[0]) if len(moving) == 1 and still else None
        if even is None:
            return ""
        first, step = (f"{still} * {one}" if one != 1 else still for one in even)
        return f"{f'{first} % period' if even[0] else 0}, {step} % period"
