"""Running sums, products and extremes of one axis in a nest: a variable that each step of the loop goes on with."""

from __future__ import annotations

from dataclasses import dataclass

import libcst as cst
import numpy as np

from jitmagic.backends.numba.rewrites.elements import ElementRewriter, is_usable
from jitmagic.generate.walking import children

_FUNCTIONS = {"numpy.cumsum": "+", "numpy.cumprod": "*", "numpy.maximum.accumulate": ">",
              "numpy.minimum.accumulate": "<"}  # fmt: skip
_METHODS = {"cumsum": "+", "cumprod": "*"}
_AXES = ("0", "-1")


@dataclass(frozen=True)
class Scan:
    """A running total.

    Attributes
    ----------
    operator : str
        `+`, `*`, or `>` and `<` for the largest and the smallest so far.
    source : libcst expression
    dtype : str
        Of the source, and of the result.
    """

    operator: str
    source: cst.BaseExpression
    dtype: str

    @property
    def start(self) -> str:
        """What the variable is before the first step."""
        if self.operator == "*":
            return f"{{np}}.{self.dtype}(1)"
        if self.operator == "+":
            # -0.0 + x is x, for both zeros
            return f"{{np}}.{self.dtype}({'-0.0' if np.dtype(self.dtype).kind == 'f' else '0'})"
        return extreme(self.operator, self.dtype)

    def step(self, variable: str, element: str) -> str:
        """Returns the lines of a step; an element that is compared has to be a name, or an array's element."""
        if self.operator in "+*":
            return f"{variable} {self.operator}= {element}"
        # what is not a number stays
        odd = f" or {element} != {element}" if np.dtype(self.dtype).kind == "f" else ""
        return f"if {element} {self.operator} {variable}{odd}:\n    {variable} = {element}"


def extreme(operator: str, dtype: str) -> str:
    """Returns what every number of a dtype is `>` or `<` than, but for its like."""
    sign = "-" if operator == ">" else ""
    if np.dtype(dtype).kind == "f":
        return f"{{np}}.{dtype}({sign}{{np}}.inf)"
    return f"{{np}}.{dtype}({{np}}.iinfo({{np}}.{dtype}).{'min' if sign else 'max'})"


def scan_of(owner: ElementRewriter, node: cst.BaseExpression) -> Scan | None:
    """Reads a call; None where it is no running total of an array of one axis, in the array's own dtype."""
    if not isinstance(node, cst.Call) or any(a.star for a in node.args):
        return None
    path = owner.path(node.func)
    plain = [a.value for a in node.args if a.keyword is None]
    axis = [a.value for a in node.args if a.keyword is not None and a.keyword.value == "axis"]
    if len(plain) + len(axis) != len(node.args):
        return None
    if path is None and isinstance(node.func, cst.Attribute) and owner.is_array(node.func.value):
        operator, source, rest = _METHODS.get(node.func.attr.value), node.func.value, [*plain, *axis]
    elif path in _FUNCTIONS and plain:
        operator, source, rest = _FUNCTIONS[path], plain[0], [*plain[1:], *axis]
    else:
        return None
    if operator is None or len(rest) > 1 or not all(cst.Module([]).code_for_node(one) in _AXES for one in rest):
        return None
    fact, result = owner.fact(source), owner.fact(node)
    if fact is None or result is None or not is_usable(fact) or not is_usable(result) or fact.dtype != result.dtype:
        return None
    wanted = ("float64", "int64") if operator in "+*" else ("float64", "float32", "int64", "int32")
    if len(fact.shape or ()) != 1 or fact.dtype is None or fact.dtype not in wanted:
        return None
    return Scan(operator, source, fact.dtype)


def scans(owner: ElementRewriter, node: cst.CSTNode) -> list[cst.Call]:
    """Returns the outermost running totals in an expression."""
    if isinstance(node, cst.Call) and scan_of(owner, node) is not None:
        return [node]
    return [call for child in children(node) for call in scans(owner, child)]
