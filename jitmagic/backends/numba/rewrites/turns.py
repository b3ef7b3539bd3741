"""Writes `np.exp(-2j*np.pi*k*n/N)` of whole numbers as a look-up: it has but N values, those of the turns by 1/N.

`cos` and `sin` have as few, of `np.pi*k*(2*n + 1)/(2*N)` for instance. They are worked out once, in a function beside
the user's, and each element is found by its whole number modulo the period. NumPy rounds the large angle first: the
result is its result up to that rounding. Where there would be fewer elements than values, all is worked out as it was.
"""

from __future__ import annotations

from dataclasses import dataclass

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
from jitmagic.generate.blocks import in_one_line
from jitmagic.generate.turns import PERIODIC, angle_of
from jitmagic.observe.facts import Span


class TurnRewriter(LoopRewriter, ElementRewriter):
    """A rewriter of periodic functions, that knows where threads may be begun.

    Parameters
    ----------
    context : Context
    spans : tuple of Span
        Loops that run in parallel already.
    """

    def __init__(self, context: Context, spans: tuple[Span, ...] = ()) -> None:
        super().__init__(context)
        self._spans = spans

    def in_threads(self, node: cst.CSTNode) -> bool:
        """Says whether the steps of a loop in a node's place are to run in threads."""
        place = self.context.place(node)
        inside = place is None or any(s.line <= place.line and place.end_line <= s.end_line for s in self._spans)
        return self.context.parallel and not self.loops and not inside


class Turns(TurnRewriter):
    """Rewrites periodic functions of products of whole numbers."""

    def leave_Call(self, original_node: cst.Call, updated_node: cst.Call) -> cst.BaseExpression:
        found = looked_up(self, original_node, updated_node) if not self.context.every else None
        if found is None:
            return updated_node
        kernel, threads = found.kernel, self.in_threads(updated_node)
        index = ", ".join(LOOPS[: len(kernel.shape)])
        word = self.context.imports.code("numba.prange") if threads else "range"
        shape = ", ".join(several[0] for several in kernel.sizes) + ("," if len(kernel.shape) == 1 else "")
        lines = found.head(code(updated_node), threads)
        lines.append(f"    out = {{np}}.empty(({shape}), dtype={{np}}.{found.dtype})")
        lines.append(f"    period = {found.period}")
        lines.append("    if period < 1 or period > out.size:")
        lines += self._nest(kernel, "        ", "range", f"out[{index}] = {found.direct}")
        lines.append("        return out")
        lines += found.table()
        lines += self._nest(kernel, "    ", word, f"out[{index}] = {found.element}")
        lines.append("    return out")
        name = f"{found.function.split('.')[-1]}_of_turns"
        helper = self.context.helper(name, "\n" + "\n".join(lines) + "\n")
        return cst.Call(helper, [cst.Arg(self.context.bare(node)) for node in kernel.passed])

    def _nest(self, kernel: Kernel, pad: str, word: str, line: str) -> list[str]:
        lines = []
        for k, several in enumerate(kernel.sizes):
            lines.append(f"{pad}for {LOOPS[k]} in {word if k == 0 else 'range'}({steps_of(several[0])}):")
            pad += "    "
        return [*lines, pad + line]


@dataclass(frozen=True)
class LookedUp:
    """A periodic function of whole numbers.

    Attributes
    ----------
    kernel : Kernel
    function, dtype : str
        As it is spelled, and of its result.
    period : str
        How many values it has.
    value : str
        The one that is found by the whole number ``number``.
    element, direct : str
        An element, by looking it up in `values` and by working it out.
    numbers : tuple of (libcst.BaseExpression, str)
        The whole numbers whose product is looked up: the user's expressions, and the element of each.
    """

    kernel: Kernel
    function: str
    dtype: str
    period: str
    value: str
    element: str
    direct: str
    numbers: tuple[tuple[cst.BaseExpression, str], ...] = ()

    def head(self, said: str, threads: bool) -> list[str]:
        """Returns a helper's lines up to the loops: its header, the user's expression, and what must fit."""
        kernel = self.kernel
        lines = [f'@njit({"parallel=True, " if threads else ""}error_model="numpy")']
        lines.append(f"def {{name}}({', '.join(kernel.parameters)}):")
        lines.append(f"    # {in_one_line(said)[:90]}: as many values as one turn has".replace("{", "("))
        checks = [f"{one} != {several[0]}" for several in kernel.sizes for one in dict.fromkeys(several[1:])]
        checks += [f"{one} != 1" for one in dict.fromkeys(kernel.ones)]
        checks = [one for one in checks if len(set(one.split(" != "))) > 1]
        lines += [f"    {line}" for line in kernel.bounds]
        if checks:
            lines.append(f"    if {' or '.join(checks)}:")
            lines.append('        raise ValueError("operands could not be broadcast together")')
        return lines + [f"    {line}" for line in kernel.head]

    def table(self) -> list[str]:
        """Returns the lines that make all values; a loop, since threads would take longer to begin."""
        return [
            f"    values = {{np}}.empty(period, dtype={{np}}.{self.dtype})",
            "    for number in range(period):",
            f"        values[number] = {self.value}",
        ]


def looked_up(owner: ElementRewriter, original: cst.Call, call: cst.Call) -> LookedUp | None:
    """Reads a call of `exp`, `cos` or `sin`, as it was and as it is now.

    None where its values are not those of the turns by a part of a circle.
    """
    path, fact = owner.path(original.func), owner.fact(original)
    dtype = PERIODIC.get(path or "")
    if dtype is None or len(call.args) != 1 or fact is None or fact.dtype != dtype:
        return None
    argument = call.args[0]
    if argument.keyword is not None or argument.star or not fact.shape or not is_usable(fact):
        return None
    angle = angle_of(argument.value, owner.path, owner.fact, is_usable)
    many = angle.parts(path == "numpy.exp") if angle is not None else None
    if angle is None or many is None:
        return None
    taken = {"number", "out", "period", "step", "total", "turn", "values"}
    kernel = Kernel(fact.shape, sizes=[[] for _ in fact.shape], taken=taken)
    parts = [owner.element(kernel, one, one) for one in angle.numbers]
    divisors = [owner.element(kernel, one, one) for one in angle.divisors]
    direct = owner.element(kernel, argument.value, argument.value)
    if None in parts or None in divisors or direct is None or not all(kernel.sizes):
        return None
    over = [_factor(one) for one in divisors if one is not None]
    texts = [_factor(one) for one in parts if one is not None]
    below = "".join(f" / {one}" for one in (*angle.below, *over))
    function = code(call.func)
    value = f"{function}({angle.sign}{'*'.join(angle.above)} * number{below})"
    return LookedUp(
        kernel, function, dtype, " * ".join([str(many), *over] if many > 1 else over), value,
        f"values[{' * '.join(texts)} % period]", f"{function}({direct.text})",
        tuple(zip(angle.numbers, texts, strict=True)),
    )  # fmt: skip


def _factor(one: Element) -> str:
    return f"({one.text})" if needs_parentheses(one.text) else one.text
