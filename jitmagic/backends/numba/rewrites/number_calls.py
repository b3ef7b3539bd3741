"""Write NumPy's functions of arrays that are called with numbers by operators and choices, for kernels.

    np.clip(v, 0, 1)           ->    np.minimum(np.maximum(v, 0), 1)
    np.where(v > t, v, 0.0)    ->    v if v > t else 0.0
    np.sign(v)                 ->    1.0 if v > 0 else -1.0 if v < 0 else v
    np.square(v)               ->    v * v

A thread has numbers alone, and Numba's kernels and CUDA C++ know these functions of arrays only, or not at all.
"""

from __future__ import annotations

from typing import Any

import libcst as cst
import numpy as np

from jitmagic.backends.numba.rewrites.context import ChosenLoops
from jitmagic.generate.precedence import bracketed
from jitmagic.observe.facts import ValueFact

_NUMBERS = {"int": "int64", "float": "float64", "bool": "bool"}

_OPERATORS = {
    "numpy.add": "a + b", "numpy.subtract": "a - b", "numpy.multiply": "a * b", "numpy.divide": "a / b",
    "numpy.true_divide": "a / b", "numpy.mod": "a % b", "numpy.remainder": "a % b", "numpy.less": "a < b",
    "numpy.less_equal": "a <= b", "numpy.greater": "a > b", "numpy.greater_equal": "a >= b", "numpy.equal": "a == b",
    "numpy.not_equal": "a != b",
}  # fmt: skip

_CHOICE: Any = cst.parse_expression("a if b else c")


class NumberCalls(ChosenLoops):
    """Rewrites calls inside of the loops at some places.

    Parameters
    ----------
    context : Context
    spans : tuple of Span
        The loops that become kernels.
    """

    def leave_Call(self, original_node: cst.Call, updated_node: cst.Call) -> cst.BaseExpression:
        path = self.path(original_node.func)
        if not self.inside or path is None or not path.startswith("numpy."):
            return updated_node
        if any(argument.keyword is not None or argument.star for argument in updated_node.args):
            return updated_node
        dtypes = [self._dtype(argument.value) for argument in original_node.args]
        if not dtypes or None in dtypes:
            return updated_node
        given: list[Any] = [argument.value for argument in updated_node.args]
        made = self._made(path, given, [dtype for dtype in dtypes if dtype is not None])
        if made is None:
            return updated_node
        fact = self.fact(original_node)
        if fact is not None:
            self.module.learn(made, fact)
        return made

    def _dtype(self, node: cst.BaseExpression) -> str | None:
        """Returns the dtype of a real number; None for anything else."""
        fact = self.fact(node)
        if fact is None:
            return None
        dtype = fact.dtype if fact.kind == "scalar" else _NUMBERS.get(fact.kind)
        return dtype if dtype is not None and np.dtype(dtype).kind in "biuf" else None

    def _made(self, path: str, given: list[Any], dtypes: list[str]) -> Any | None:
        if path == "numpy.where" and len(given) == 3:
            test, one, two = given
            if dtypes[1] != dtypes[2]:
                # a choice by `if` of two dtypes has both
                one, two = (self._widened(value, dtypes[k], dtypes) for k, value in ((1, one), (2, two)))
            return cst.IfExp(
                test=bracketed(_CHOICE, "test", test), body=bracketed(_CHOICE, "body", one),
                orelse=bracketed(_CHOICE, "orelse", two),
            )  # fmt: skip
        if path == "numpy.clip" and len(given) == 3:
            first = [cst.Arg(self.context.bare(value)) for value in given[:2]]
            low = cst.Call(self.context.imports.spell("numpy.maximum"), first)
            self.module.learn(low, ValueFact("scalar", str(np.result_type(*dtypes[:2])), ()))
            high = cst.Arg(self.context.bare(given[2]))
            return cst.Call(self.context.imports.spell("numpy.minimum"), [cst.Arg(low), high])
        if path == "numpy.square" and len(given) == 1 and _is_simple(given[0]) and dtypes[0] != "bool":
            return self._filled("a * b", given[0], given[0].deep_clone())
        if path == "numpy.sign" and len(given) == 1 and _is_simple(given[0]) and dtypes[0] in ("float64", "int64"):
            one = "1.0" if dtypes[0] == "float64" else "1"
            zero = given[0]
            test, other = (self._filled(f"a {sign} b", zero.deep_clone(), cst.Integer("0")) for sign in "><")
            inner = cst.IfExp(test=other, body=cst.parse_expression(f"-{one}"), orelse=zero)
            return cst.IfExp(test=test, body=cst.parse_expression(one), orelse=inner)
        template = _OPERATORS.get(path)
        if template is not None and len(given) == 2 and "bool" not in dtypes:
            return self._filled(template, *given)
        return None

    def _filled(self, template: str, one: Any, two: Any) -> Any:
        node: Any = cst.parse_expression(template)
        if isinstance(node, cst.Comparison):
            target = node.comparisons[0]
            comparator = bracketed(target, "comparator", two)
            return node.with_changes(
                left=bracketed(node, "left", one), comparisons=[target.with_changes(comparator=comparator)]
            )
        return node.with_changes(left=bracketed(node, "left", one), right=bracketed(node, "right", two))

    def _widened(self, value: Any, dtype: str, dtypes: list[str]) -> Any:
        if "float64" in dtypes[1:] and dtype == "int64":
            if isinstance(value, cst.Integer):
                return cst.Float(f"{value.value}.0")
            return cst.Call(cst.Name("float"), [cst.Arg(self.context.bare(value))])
        return value


def _is_simple(node: cst.BaseExpression) -> bool:
    """Says whether an expression may stand several times: an element, or a name."""
    return isinstance(node, cst.Name) or (isinstance(node, cst.Subscript) and isinstance(node.value, cst.Name))
