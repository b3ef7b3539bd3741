"""Numbers that are made of short vectors: lengths, products, sums, extremes.

```
np.linalg.norm(r)       ->    np.sqrt(r_0**2 + r_1**2 + r_2**2)
np.dot(a[i], b)         ->    a[i, 0]*b[0] + a[i, 1]*b[1]
np.any(np.abs(d) > t)   ->    np.abs(d_0) > t or np.abs(d_1) > t
```
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import libcst as cst

from jitmagic.analysis.words import words
from jitmagic.generate.blocks import code
from jitmagic.generate.component_matrices import Matrices
from jitmagic.generate.component_values import SUMMED, Cannot, product
from jitmagic.generate.precedence import bracketed

_REDUCED = words("sum prod mean max min amax amin any all")
_SQUARE: Any = cst.parse_expression("a**2")
_QUOTIENT: Any = cst.parse_expression("a/b")


class Numbers(Matrices):
    """Rewrites the numbers in the expressions of one loop."""

    def made_of_vectors(self, node: Any) -> Any | None:
        """Returns what takes the place of a number that is made of short vectors; None for anything else."""
        if isinstance(node, cst.Subscript):
            return self._component(node)
        if isinstance(node, cst.BinaryOperation):
            if not isinstance(node.operator, cst.MatrixMultiply):
                return None
            return self.dot(node.left, node.right)
        path = self.owner.path(node.func) or ""
        plain = not any(argument.star or argument.keyword for argument in node.args)
        given = [argument.value for argument in node.args]
        if path in ("numpy.dot", "numpy.inner", "numpy.vdot") and plain and len(given) == 2:
            return self.dot(*given)
        if path == "numpy.linalg.norm" and plain and len(given) == 1:
            return self._norm(given[0])
        method = node.func.attr.value if not path and isinstance(node.func, cst.Attribute) else ""
        builtin = node.func.value if not path and isinstance(node.func, cst.Name) else ""
        if method == "dot" and plain and len(given) == 1:
            return self.dot(node.func.value, given[0])
        if builtin == "len" and len(given) == 1 and self.is_own(given[0]):
            return cst.Integer(str(self.length(given[0])))
        word = path.removeprefix("numpy.") if path.startswith("numpy.") else method
        operand: Any = None
        if path.startswith("numpy.") and word in _REDUCED and given:
            operand, rest = given[0], node.args[1:]
        elif method in _REDUCED:
            operand, rest = node.func.value, node.args
        elif builtin in ("max", "min") and len(given) == 1 and self.length(given[0]) is not None:
            values = self.vector(given[0], self.length(given[0]) or 0)
            return cst.Call(cst.Name(builtin), [cst.Arg(one) for one in values])
        elif builtin == "sum" and len(given) == 1:
            operand, rest, word = given[0], (), builtin
        if operand is None or any(not _is_only_axis(argument) for argument in rest):
            return None
        return self._reduced(word, operand)

    def _component(self, node: cst.Subscript) -> Any | None:
        if not self.is_own(node.value):
            return None
        assert isinstance(node.value, cst.Name)
        return self.own(node.value.value)[self.own_place(node)]

    def dot(self, left: Any, right: Any) -> Any | None:
        length = self.length(left)
        if length is None or length != self.length(right):
            return None
        if not {self.kind(left), self.kind(right)} <= SUMMED - {"complex128"}:
            raise Cannot
        return self.total([
            product(one, two)
            for one, two in zip(self.vector(left, length), self.vector(right, length), strict=True)
        ])  # fmt: skip

    def _norm(self, node: Any) -> Any | None:
        length = self.length(node)
        if length is None:
            return None
        if self.kind(node) not in ("float64", "float32"):
            raise Cannot
        parts = [_SQUARE.with_changes(left=bracketed(_SQUARE, "left", one)) for one in self.vector(node, length)]
        return cst.Call(self.owner.spell("numpy.sqrt"), [cst.Arg(self.total(parts))])

    def _reduced(self, word: str, operand: Any) -> Any | None:
        length = self.length(operand)
        if length is None:
            return None
        dtype = self.kind(operand)
        if word in ("any", "all"):
            if dtype != "bool":
                raise Cannot
            sign: Callable[[], Any] = cst.Or if word == "any" else cst.And
            found, *parts = self.vector(operand, length)
            for one in parts:
                like = cst.BooleanOperation(found, sign(), one)
                found = like.with_changes(left=bracketed(like, "left", found), right=bracketed(like, "right", one))
            return found
        if dtype not in SUMMED:
            raise Cannot
        parts = self.vector(operand, length)
        if word == "sum":
            return self.total(parts)
        if word == "prod":
            found = parts[0]
            for one in parts[1:]:
                found = product(found, one)
            return found
        if word == "mean":
            total = self.total(parts)
            return _QUOTIENT.with_changes(left=bracketed(_QUOTIENT, "left", total), right=cst.Integer(str(length)))
        if dtype == "complex128":
            raise Cannot
        name = "maximum" if word in ("max", "amax") else "minimum"
        found = parts[0]
        for one in parts[1:]:
            (found,) = self.function(name, [found], [one])
        return found


def _is_only_axis(argument: cst.Arg) -> bool:
    """Says whether an argument of a reduction is the axis of a vector."""
    named = argument.keyword is None or argument.keyword.value == "axis"
    return not argument.star and named and code(argument.value) in ("0", "-1", "None")
