"""Writes `np.exp(-2j*np.pi*k*n/N)` of whole numbers as a look-up: it has but N values, those of the turns by 1/N.

`cos` and `sin` have as few, of `np.pi*k*(2*n + 1)/(2*N)` for instance. They are worked out once, in a function beside
the user's, and each element is found by its whole number modulo the period. NumPy rounds the large angle first: the
result is its result up to that rounding. Where there would be fewer elements than values, all is worked out as it was.
"""

from __future__ import annotations

import ast
import math
from dataclasses import dataclass, field
from fractions import Fraction

import libcst as cst

from jitmagic.backends.numba.rewrites.context import Context, code
from jitmagic.backends.numba.rewrites.elements import (
    LOOPS,
    Element,
    ElementRewriter,
    Kernel,
    is_usable,
    needs_parentheses,
)
from jitmagic.backends.numba.rewrites.windows import steps_of
from jitmagic.observe.facts import Span, ValueFact

_PERIODIC = {"numpy.exp": "complex128", "numpy.cos": "float64", "numpy.sin": "float64"}
"""The functions, each with the dtype of its result where the angle's parts are of 64 bits."""

_PI = ("numpy.pi", "math.pi")
_FINEST = 64
"""Parts of pi that a constant may be a multiple of."""


@dataclass
class _Angle:
    """The factors of an angle: constants, whole numbers above, and whole numbers below the line."""

    value: complex = 1.0
    sign: str = ""
    above: list[str] = field(default_factory=list)
    below: list[str] = field(default_factory=list)
    numbers: list[cst.BaseExpression] = field(default_factory=list)
    arrays: int = 0
    divisors: list[cst.BaseExpression] = field(default_factory=list)


class Turns(ElementRewriter):
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
        self._loops = 0

    def visit_For(self, node: cst.For) -> None:
        self._loops += 1

    def leave_For(self, original_node: cst.For, updated_node: cst.For) -> cst.For:
        self._loops -= 1
        return updated_node

    def visit_While(self, node: cst.While) -> None:
        self._loops += 1

    def leave_While(self, original_node: cst.While, updated_node: cst.While) -> cst.While:
        self._loops -= 1
        return updated_node

    def leave_Call(self, original_node: cst.Call, updated_node: cst.Call) -> cst.BaseExpression:
        path, fact = self.path(original_node.func), self.fact(original_node)
        dtype = _PERIODIC.get(path or "")
        if self.context.every or dtype is None or len(updated_node.args) != 1 or fact is None or fact.dtype != dtype:
            return updated_node
        argument = updated_node.args[0]
        if argument.keyword is not None or argument.star or not fact.shape or not is_usable(fact):
            return updated_node
        angle = _Angle()
        if not self._factors(argument.value, angle) or not angle.above or angle.arrays < 2 or not angle.divisors:
            return updated_node
        turn = _part_of_pi(angle.value, path == "numpy.exp")
        if turn is None:
            return updated_node
        return self._looked_up(updated_node, angle, turn, fact) or updated_node

    def _factors(self, node: cst.BaseExpression, angle: _Angle, below: bool = False) -> bool:
        """Takes an angle apart; returns whether it is a product of constants and whole numbers."""
        if isinstance(node, cst.UnaryOperation) and isinstance(node.operator, cst.Minus):
            angle.value = -angle.value
            angle.sign = "" if angle.sign else "-"
            return self._factors(node.expression, angle, below)
        value = self._constant(node)
        if value is not None:
            if value == 0:
                return False
            angle.value = angle.value / value if below else angle.value * value
            (angle.below if below else angle.above).append(code(node))
            return True
        if isinstance(node, cst.BinaryOperation) and isinstance(node.operator, cst.Multiply):
            return self._factors(node.left, angle, below) and self._factors(node.right, angle, below)
        if isinstance(node, cst.BinaryOperation) and isinstance(node.operator, cst.Divide) and not below:
            return self._factors(node.left, angle) and self._factors(node.right, angle, True)
        fact = self.fact(node)
        if fact is None:
            return False
        whole = fact.kind == "int" or (fact.kind == "scalar" and fact.dtype == "int64")
        if below:
            angle.divisors.append(node)
            return whole
        array = is_usable(fact) and fact.dtype == "int64"
        angle.numbers.append(node)
        angle.arrays += array
        return whole or array

    def _constant(self, node: cst.BaseExpression) -> complex | None:
        """Returns what a constant is, None for what has to be worked out."""
        if self.path(node) in _PI:
            return math.pi
        try:
            value = ast.literal_eval(code(node.with_changes(lpar=[], rpar=[])))
        except (ValueError, SyntaxError):
            return None
        return value if isinstance(value, int | float | complex) and not isinstance(value, bool) else None

    def _looked_up(self, call: cst.Call, angle: _Angle, turn: Fraction, fact: ValueFact) -> cst.Call | None:
        assert fact.shape is not None
        kernel = Kernel(fact.shape, sizes=[[] for _ in fact.shape], taken={"out", "period", "values"})
        parts = [self.element(kernel, one, one) for one in angle.numbers]
        divisors = [self.element(kernel, one, one) for one in angle.divisors]
        direct = self.element(kernel, call.args[0].value, call.args[0].value)
        if None in parts or None in divisors or direct is None or not all(kernel.sizes):
            return None
        many = 2 * turn.denominator // math.gcd(turn.numerator, 2 * turn.denominator)
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
        return self.context.parallel and not self._loops and not inside


def _part_of_pi(value: complex, imaginary: bool) -> Fraction | None:
    """Returns a constant as a fraction of pi; None where it is none, or not on the axis that it has to be on.

    >>> _part_of_pi(-2j * math.pi, True), _part_of_pi(math.pi / 2, False), _part_of_pi(1.0, False)
    (Fraction(-2, 1), Fraction(1, 2), None)
    """
    number = complex(value)
    along, across = (number.imag, number.real) if imaginary else (number.real, number.imag)
    found = Fraction(along / math.pi).limit_denominator(_FINEST)
    near = abs(float(found) * math.pi - along) <= 4e-16 * abs(along)
    return found if not across and near and found.numerator else None


def _factor(one: Element) -> str:
    return f"({one.text})" if needs_parentheses(one.text) else one.text
