"""What expressions on small matrices are element by element, and their products with short vectors.

```
R = np.array([[c, -s], [s, c]])           R_00, R_01, R_10, R_11 = c, -s, s, c
p = R @ v                          ->     p_0 = R_00*v_0 + R_01*v_1
                                          p_1 = R_10*v_0 + R_11*v_1
```
"""

from __future__ import annotations

from typing import Any

import libcst as cst

from jitmagic.generate.component_values import (
    MOST,
    Cannot,
    Values,
    integer,
    product,
)
from jitmagic.generate.precedence import bracketed


class Matrices(Values):
    """Rewrites the expressions of one loop, small matrices among them."""

    def shape(self, node: cst.BaseExpression) -> tuple[int, int] | None:
        """Returns the shape of a small matrix; None for anything else."""
        if isinstance(node, cst.Name) and node.value in self.names:
            own = self.names[node.value].shape
            return (own[0], own[1]) if len(own) == 2 else None
        fact = self.seen(node)
        if fact is None and isinstance(node, cst.Name):
            fact = self.by_name.get(node.value)
        if fact is None or fact.kind != "array" or fact.shape is None or len(fact.shape) != 2:
            return None
        rows, columns = fact.shape
        if rows is None or columns is None or not (2 <= rows <= MOST and 2 <= columns <= MOST):
            return None
        return rows, columns

    def matrix(self, node: Any, shape: tuple[int, int]) -> list[list[Any]]:
        """Returns the elements of a small matrix, row by row; a number is the same for all."""
        rows, columns = shape
        if self.is_number(node):
            one = self.number(node)
            return [[one if r + c == 0 else self.copied(one) for c in range(columns)] for r in range(rows)]
        if self.is_own(node):
            if self.names[node.value].shape != shape:
                raise Cannot
            names = self.own(node.value)
            return [names[r * columns : (r + 1) * columns] for r in range(rows)]
        if isinstance(node, cst.Attribute) and node.attr.value == "T":
            return _turned(self.matrix(node.value, (columns, rows)))
        if isinstance(node, cst.BinaryOperation):
            if isinstance(node.operator, cst.MatrixMultiply):
                return self._matrix_product(node.left, node.right, shape)
            left, right = self.matrix(node.left, shape), self.matrix(node.right, shape)
            return [
                [self.operation(node, a, b) for a, b in zip(one, two, strict=True)]
                for one, two in zip(left, right, strict=True)
            ]
        if isinstance(node, cst.UnaryOperation) and not isinstance(node.operator, cst.Not):
            return [
                [node.with_changes(expression=bracketed(node, "expression", one)) for one in row]
                for row in self.matrix(node.expression, shape)
            ]
        if isinstance(node, cst.Call):
            return self._matrix_call(node, shape)
        if isinstance(node, cst.Name | cst.Subscript):
            found = self.places(node)
            if found[1] != shape:
                raise Cannot
            return [found[0][r * columns : (r + 1) * columns] for r in range(rows)]
        raise Cannot

    def _matrix_product(self, left: Any, right: Any, shape: tuple[int, int]) -> list[list[Any]]:
        one, two = self.shape(left), self.shape(right)
        if one is None or two is None or (one[0], two[1]) != shape or one[1] != two[0]:
            raise Cannot
        rows, columns = self.matrix(left, one), _turned(self.matrix(right, two))
        return [
            [
                self.total([product(self.copied(a), self.copied(b)) for a, b in zip(row, column, strict=True)])
                for column in columns
            ]
            for row in rows
        ]

    def _matrix_call(self, node: cst.Call, shape: tuple[int, int]) -> list[list[Any]]:
        path = self.owner.path(node.func) or ""
        given = [argument.value for argument in node.args]
        method = node.func.attr.value if not path and isinstance(node.func, cst.Attribute) else ""
        if any(argument.star or (argument.keyword and argument.keyword.value != "dtype") for argument in node.args):
            raise Cannot
        rows, columns = shape
        if method == "copy" and not given:
            assert isinstance(node.func, cst.Attribute)
            return self.matrix(node.func.value, shape)
        if path == "numpy.array" and given and isinstance(given[0], cst.List | cst.Tuple):
            dtype = self.dtype(node)
            lists = [element.value for element in given[0].elements]
            found = []
            for values in lists:
                if not isinstance(values, cst.List | cst.Tuple) or len(values.elements) != columns:
                    raise Cannot
                found.append([self.typed(self.number(e.value), e.value, dtype) for e in values.elements])
            if len(found) != rows:
                raise Cannot
            return found
        if path == "numpy.outer" and len(given) == 2:
            column, row = self.vector(given[0], rows), self.vector(given[1], columns)
            return [[product(self.copied(a), self.copied(b)) for b in row] for a in column]
        if path in ("numpy.dot", "numpy.matmul") and len(given) == 2:
            return self._matrix_product(given[0], given[1], shape)
        if path in ("numpy.eye", "numpy.identity", "numpy.zeros", "numpy.empty") and self.dtype(node) == "float64":
            lengths = given[0].elements if isinstance(given[0], cst.Tuple | cst.List) else given[:1]
            numbers = [integer(one.value if isinstance(one, cst.BaseElement) else one) for one in lengths]
            square = path in ("numpy.eye", "numpy.identity")
            if numbers != ([rows] if square else [rows, columns]):
                raise Cannot
            return [[cst.Float("1.0" if square and r == c else "0.0") for c in range(columns)] for r in range(rows)]
        raise Cannot

    def transformed(self, left: Any, right: Any, length: int) -> list[Any]:
        """Returns the components of a small matrix times a vector, or of a vector times one."""
        short = self.length(right)
        if short is not None:
            matrix, vector = self.matrix(left, (length, short)), self.vector(right, short)
        else:
            short = self.length(left)
            if short is None:
                raise Cannot
            matrix, vector = _turned(self.matrix(right, (short, length))), self.vector(left, short)
        found = []
        for number, row in enumerate(matrix):
            again = [self.copied(one) if number else one for one in vector]
            found.append(self.total([product(one, two) for one, two in zip(row, again, strict=True)]))
        return found


def _turned(rows: list[list[Any]]) -> list[list[Any]]:
    return [list(column) for column in zip(*rows, strict=True)]
