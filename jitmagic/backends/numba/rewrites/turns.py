"""Writes `np.exp(-2j*np.pi*k*n/N)` of whole numbers as a look-up: it has but N values, those of the turns by 1/N.

`cos` and `sin` have as few, of `np.pi*k*(2*n + 1)/(2*N)` for instance. They are worked out once, in a function beside
the user's, and each element is found by its whole number modulo the period. NumPy rounds the large angle first: the
result is its result up to that rounding. Where there would be fewer elements than values, all is worked out as it was.
"""

from __future__ import annotations

import libcst as cst

from jitmagic.backends.numba.rewrites.context import Context, LoopRewriter, code
from jitmagic.backends.numba.rewrites.elements import (
    LOOPS,
    Element,
    ElementRewriter,
    Kernel,
    is_usable,
    needs_parentheses,
)
from jitmagic.backends.numba.rewrites.windows import steps_of
from jitmagic.generate.turns import PERIODIC, Angle, angle_of
from jitmagic.observe.facts import Span, ValueFact


class Turns(LoopRewriter, ElementRewriter):
    """Rewrites periodic functions of products of whole numbers.

    Parameters
    ----------
    context : Context
    spans : tuple of Span
        Loops that run in parallel already.
    """

    def __init__(self, context: Context, spans: tuple[Span, ...] = ()) -> None:
        super().__init__(context)
        self._spans = spans

    def leave_Call(self, original_node: cst.Call, updated_node: cst.Call) -> cst.BaseExpression:
        path, fact = self.path(original_node.func), self.fact(original_node)
        dtype = PERIODIC.get(path or "")
        if self.context.every or dtype is None or len(updated_node.args) != 1 or fact is None or fact.dtype != dtype:
            return updated_node
        argument = updated_node.args[0]
        if argument.keyword is not None or argument.star or not fact.shape or not is_usable(fact):
            return updated_node
        angle = angle_of(argument.value, self.path, self.fact, is_usable)
        many = angle.parts(path == "numpy.exp") if angle is not None else None
        if angle is None or many is None:
            return updated_node
        return self._looked_up(updated_node, angle, many, fact) or updated_node

    def _looked_up(self, call: cst.Call, angle: Angle, many: int, fact: ValueFact) -> cst.Call | None:
        assert fact.shape is not None
        kernel = Kernel(fact.shape, sizes=[[] for _ in fact.shape], taken={"out", "period", "values"})
        parts = [self.element(kernel, one, one) for one in angle.numbers]
        divisors = [self.element(kernel, one, one) for one in angle.divisors]
        direct = self.element(kernel, call.args[0].value, call.args[0].value)
        if None in parts or None in divisors or direct is None or not all(kernel.sizes):
            return None
        over = [_factor(one) for one in divisors if one is not None]
        period = " * ".join([str(many), *over] if many > 1 else over)
        number = " * ".join(_factor(one) for one in parts if one is not None)
        below = "".join(f" / {one}" for one in (*angle.below, *over))
        np, function = "{np}", code(call.func)
        ndim = len(fact.shape)
        index = ", ".join(LOOPS[:ndim])
        threads = self._in_threads(call)
        word = self.context.imports.code("numba.prange") if threads else "range"
        shape = ", ".join(several[0] for several in kernel.sizes) + ("," if ndim == 1 else "")
        lines = [f'@njit({"parallel=True, " if threads else ""}error_model="numpy")']
        lines.append(f"def {{name}}({', '.join(kernel.parameters)}):")
        lines.append(f"    # {' '.join(code(call).split())[:90]}: as many values as one turn has".replace("{", "("))
        checks = [f"{one} != {several[0]}" for several in kernel.sizes for one in dict.fromkeys(several[1:])]
        checks += [f"{one} != 1" for one in dict.fromkeys(kernel.ones)]
        checks = [one for one in checks if len(set(one.split(" != "))) > 1]
        if checks:
            lines.append(f"    if {' or '.join(checks)}:")
            lines.append('        raise ValueError("operands could not be broadcast together")')
        lines += [f"    {line}" for line in kernel.head]
        lines.append(f"    out = {np}.empty(({shape}), dtype={np}.{fact.dtype})")
        lines.append(f"    period = {period}")
        lines.append("    if period < 1 or period > out.size:")
        lines += self._nest(kernel, "        ", "range", f"out[{index}] = {function}({direct.text})")
        lines.append("        return out")
        lines.append(f"    values = {function}({angle.sign}{'*'.join(angle.above)} * {np}.arange(period){below})")
        lines += self._nest(kernel, "    ", word, f"out[{index}] = values[{number} % period]")
        lines.append("    return out")
        helper = self.context.helper(f"{function.split('.')[-1]}_of_turns", "\n" + "\n".join(lines) + "\n")
        return cst.Call(helper, [cst.Arg(self.context.bare(node)) for node in kernel.passed])

    def _nest(self, kernel: Kernel, pad: str, word: str, line: str) -> list[str]:
        lines = []
        for k, several in enumerate(kernel.sizes):
            lines.append(f"{pad}for {LOOPS[k]} in {word if k == 0 else 'range'}({steps_of(several[0])}):")
            pad += "    "
        return [*lines, pad + line]

    def _in_threads(self, node: cst.CSTNode) -> bool:
        place = self.context.place(node)
        inside = place is None or any(s.line <= place.line and place.end_line <= s.end_line for s in self._spans)
        return self.context.parallel and not self.loops and not inside


def _factor(one: Element) -> str:
    return f"({one.text})" if needs_parentheses(one.text) else one.text
