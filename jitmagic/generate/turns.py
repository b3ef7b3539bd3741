"""Reads the angle of a periodic function of whole numbers: `np.exp(-2j*np.pi*k*n/N)` has but N values.

`cos` and `sin` have as few, of `np.pi*k*(2*n + 1)/(2*N)` for instance: one for each turn by a part of the circle.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction

import libcst as cst

from jitmagic.generate.blocks import code
from jitmagic.observe.facts import ValueFact

PERIODIC = {"numpy.exp": "complex128", "numpy.cos": "float64", "numpy.sin": "float64"}
"""The functions, each with the dtype of its result where the angle's parts are of 64 bits."""

_PI = ("numpy.pi", "math.pi")
_FINEST = 64
"""Parts of pi that a constant may be a multiple of."""


@dataclass
class Angle:
    """The factors of an angle: constants, whole numbers above, and whole numbers below the line.

    Attributes
    ----------
    value : complex
        The product of the constants.
    sign : str
        ``"-"`` or nothing: what stands before the constants.
    above, below : list of str
        The constants' text.
    numbers : list of libcst.BaseExpression
        The whole numbers above the line.
    arrays : int
        How many of them are arrays.
    divisors : list of libcst.BaseExpression
        The whole numbers below it.
    """

    value: complex = 1.0
    sign: str = ""
    above: list[str] = field(default_factory=list)
    below: list[str] = field(default_factory=list)
    numbers: list[cst.BaseExpression] = field(default_factory=list)
    arrays: int = 0
    divisors: list[cst.BaseExpression] = field(default_factory=list)

    def parts(self, imaginary: bool) -> int | None:
        """Returns of how many parts a turn has, for each unit of the divisors; None where the constants are no turn."""
        turn = part_of_pi(self.value, imaginary)
        if turn is None:
            return None
        return 2 * turn.denominator // math.gcd(turn.numerator, 2 * turn.denominator)


def angle_of(
    node: cst.BaseExpression, path: Callable[[cst.BaseExpression], str | None],
    fact: Callable[[cst.BaseExpression], ValueFact | None], is_array: Callable[[ValueFact], bool],
) -> Angle | None:  # fmt: skip
    """Takes an angle apart; None where it is no product of constants and whole numbers, of two arrays at least.

    Parameters
    ----------
    node : libcst.BaseExpression
        The argument of the function.
    path : callable
        Returns the dotted path of a name.
    fact : callable
        Returns what is known of an expression.
    is_array : callable
        Says whether a value is an array that may be read element by element.
    """
    angle = Angle()
    if not _factors(node, angle, path, fact, is_array) or not angle.above or angle.arrays < 2 or not angle.divisors:
        return None
    return angle


def _factors(
    node: cst.BaseExpression, angle: Angle, path: Callable[[cst.BaseExpression], str | None],
    fact: Callable[[cst.BaseExpression], ValueFact | None], is_array: Callable[[ValueFact], bool], below: bool = False,
) -> bool:  # fmt: skip
    def inner(one: cst.BaseExpression, under: bool = below) -> bool:
        return _factors(one, angle, path, fact, is_array, under)

    if isinstance(node, cst.UnaryOperation) and isinstance(node.operator, cst.Minus):
        angle.value = -angle.value
        angle.sign = "" if angle.sign else "-"
        return inner(node.expression)
    value = _constant(node, path)
    if value is not None:
        if value == 0:
            return False
        angle.value = angle.value / value if below else angle.value * value
        (angle.below if below else angle.above).append(code(node))
        return True
    if isinstance(node, cst.BinaryOperation) and isinstance(node.operator, cst.Multiply):
        return inner(node.left) and inner(node.right)
    if isinstance(node, cst.BinaryOperation) and isinstance(node.operator, cst.Divide) and not below:
        return inner(node.left) and inner(node.right, True)
    found = fact(node)
    if found is None:
        return False
    whole = found.kind == "int" or (found.kind == "scalar" and found.dtype == "int64")
    if below:
        angle.divisors.append(node)
        return whole
    array = is_array(found) and found.dtype == "int64"
    angle.numbers.append(node)
    angle.arrays += array
    return whole or array


def _constant(node: cst.BaseExpression, path: Callable[[cst.BaseExpression], str | None]) -> complex | None:
    """Returns what a constant is, None for what has to be worked out."""
    if path(node) in _PI:
        return math.pi
    try:
        value = ast.literal_eval(code(node.with_changes(lpar=[], rpar=[])))
    except (ValueError, SyntaxError):
        return None
    return value if isinstance(value, int | float | complex) and not isinstance(value, bool) else None


def part_of_pi(value: complex, imaginary: bool) -> Fraction | None:
    """Returns a constant as a fraction of pi; None where it is none, or not on the axis that it has to be on.

    >>> part_of_pi(-2j * math.pi, True), part_of_pi(math.pi / 2, False), part_of_pi(1.0, False)
    (Fraction(-2, 1), Fraction(1, 2), None)
    """
    number = complex(value)
    along, across = (number.imag, number.real) if imaginary else (number.real, number.imag)
    found = Fraction(along / math.pi).limit_denominator(_FINEST)
    near = abs(float(found) * math.pi - along) <= 4e-16 * abs(along)
    return found if not across and near and found.numerator else None
