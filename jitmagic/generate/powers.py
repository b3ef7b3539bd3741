"""Rewrite powers of half-integers as powers of a square root: ``d2**-1.5`` becomes ``1/np.sqrt(d2)**3``.

A compiler makes a call of ``pow`` of the first, some twenty times as slow as a square root and two products, and never
vectorised. The two are equal to some units in the last place for all that is not negative: below zero both are NaN, but
at minus zero and at minus infinity they part. So the base must be proved to be neither: a sum of squares, an absolute
value, an exponential, and what is made of these.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import libcst as cst

from jitmagic.generate.bindings import Bindings, may_change, stored_in
from jitmagic.generate.blocks import code
from jitmagic.generate.kinds import Kinds
from jitmagic.generate.module import Module
from jitmagic.generate.rewriter import FunctionRewriter

_HALVES = {0.5: 1, 1.5: 3, 2.5: 5, 3.5: 7}
_KEEPS_SIGN = frozenset({"sum", "mean", "cumsum", "max", "amax", "min", "amin", "nansum", "copy", "ravel", "sqrt"})
"""Functions and methods whose result is not negative where no element of the first argument is."""

_POSITIVE = frozenset({"abs", "absolute", "fabs", "exp", "hypot", "square", "norm", "var", "std"})
_REAL = ("float64", "float32")


class HalfPowers(FunctionRewriter[Kinds]):
    """Writes ``x**1.5`` as ``sqrt(x)**3``, where x is proved not to be negative.

    Parameters
    ----------
    module : Module
    kinds : mapping of str to Kinds
        By function.
    spell : callable
        Returns how ``numpy.sqrt`` is written.
    """

    def __init__(self, module: Module, kinds: dict[str, Kinds], spell: Callable[[str], str]) -> None:
        super().__init__(module, kinds)
        self.spell = spell
        self.signs: list[Signs] = []

    def visit_FunctionDef(self, node: cst.FunctionDef) -> None:
        super().visit_FunctionDef(node)
        if self.stack:
            self.signs.append(Signs(node, self.stack[-1], self.module))

    def leave_FunctionDef(self, original_node: cst.FunctionDef, updated_node: cst.FunctionDef) -> cst.FunctionDef:
        if self.stack:
            self.signs.pop()
        return super().leave_FunctionDef(original_node, updated_node)

    def leave_BinaryOperation(
        self, original_node: cst.BinaryOperation, updated_node: cst.BinaryOperation
    ) -> cst.BaseExpression:
        if not isinstance(original_node.operator, cst.Power) or not self.signs:
            return updated_node
        new = self.power(original_node.left, updated_node.left, original_node.right)
        if new is None:
            return updated_node
        return new.with_changes(lpar=updated_node.lpar, rpar=updated_node.rpar)

    def leave_Call(self, original_node: cst.Call, updated_node: cst.Call) -> cst.BaseExpression:
        if not self.signs or len(original_node.args) != 2 or self.stack[-1].path(original_node.func) != "numpy.power":
            return updated_node
        if any(a.keyword is not None or a.star for a in original_node.args):
            return updated_node
        first, second = original_node.args[0].value, original_node.args[1].value
        return self.power(first, updated_node.args[0].value, second) or updated_node

    def power(self, base: Any, updated: Any, exponent: Any) -> cst.BaseExpression | None:
        negative = isinstance(exponent, cst.UnaryOperation) and isinstance(exponent.operator, cst.Minus)
        number = exponent.expression if negative else exponent
        if not isinstance(number, cst.Float) or float(number.value) not in _HALVES:
            return None
        fact = self.stack[-1].of(base)
        real = fact is not None and (fact.kind == "float" or fact.dtype in _REAL)
        if fact is None or not real or not self.signs[-1].not_negative(base):
            return None
        bare = updated.with_changes(lpar=[], rpar=[])
        self.module.inherit(bare, updated)
        root = cst.Call(cst.parse_expression(self.spell("numpy.sqrt")), [cst.Arg(bare)])
        self.module.learn(root, fact)
        times = _HALVES[float(number.value)]
        if not negative:
            return root if times == 1 else _joined("x**y", root, cst.Integer(str(times)))
        if fact.kind != "float" and fact.dtype != "float64":
            # with 32 bits the 1 of a division would make 64 of them
            return _joined("x**y", root, cst.parse_expression(f"-{times}"))
        below = root if times == 1 else _joined("x**y", root, cst.Integer(str(times)))
        self.module.learn(below, fact)
        return _joined("x/y", cst.Integer("1"), below)


def _joined(form: str, left: cst.BaseExpression, right: cst.BaseExpression) -> cst.BinaryOperation:
    """Returns an operation on two nodes that are kept, so that what was observed of them stays known."""
    whole = cst.parse_expression(form)
    assert isinstance(whole, cst.BinaryOperation)
    return whole.with_changes(left=left, right=right)


class Signs:
    """Proves that an expression of a function is never below zero, nor minus zero; NaN it may be.

    Parameters
    ----------
    function : libcst.FunctionDef
    kinds : Kinds
    module : Module
        Its text tells which arrays are stored into, by whatever name, method or function.
    """

    def __init__(self, function: cst.FunctionDef, kinds: Kinds, module: Module) -> None:
        self.kinds = kinds
        self.stored = stored_in(module, function.name.value)
        found = Bindings(function)
        self.values = found.values
        self.unknown = found.unknown | set(found.ranges)
        self.asked: set[str] = set()

    def not_negative(self, node: Any) -> bool:
        if isinstance(node, cst.Integer | cst.Float):
            return True
        if isinstance(node, cst.Name):
            return self.name(node.value)
        if isinstance(node, cst.BinaryOperation):
            return self.operation(node)
        if isinstance(node, cst.Call):
            return self.call(node)
        if isinstance(node, cst.Subscript) and isinstance(node.value, cst.Name):
            return self.name(node.value.value)
        return False

    def name(self, name: str) -> bool:
        """Says so of a name all of whose bindings are proved, taking for granted that it is so in them (induction)."""
        if name in self.unknown or name not in self.values or may_change(self.stored, name):
            return False
        if name in self.asked:
            return True
        self.asked.add(name)
        try:
            return all(self.not_negative(value) for value in self.values[name])
        finally:
            self.asked.discard(name)

    def operation(self, node: cst.BinaryOperation) -> bool:
        operator = node.operator
        if isinstance(operator, cst.Power):
            even = isinstance(node.right, cst.Integer) and int(node.right.value) % 2 == 0 and int(node.right.value) > 0
            return (even and self.is_real(node.left)) or (
                isinstance(node.right, cst.Integer | cst.Float) and self.not_negative(node.left)
            )
        if isinstance(operator, cst.MatrixMultiply):
            return code(node.left) == code(node.right) and self.is_vector(node.left)
        if isinstance(operator, cst.Multiply) and code(node.left) == code(node.right) and self.is_real(node.left):
            return True
        if isinstance(operator, cst.Add | cst.Multiply | cst.Divide):
            return self.not_negative(node.left) and self.not_negative(node.right)
        return False

    def call(self, node: cst.Call) -> bool:
        func: Any = node.func
        path = self.kinds.path(func)
        name = (path or code(func)).rpartition(".")[2]
        first = node.args[0].value if node.args else None
        if any(a.keyword is not None and a.keyword.value in ("out", "where", "initial") for a in node.args):
            return False
        if path is None and isinstance(func, cst.Attribute):
            return name in _KEEPS_SIGN and self.not_negative(func.value)
        if path is None and name not in ("abs", "sum", "max", "min", "float"):
            return False
        if name in ("dot", "inner", "vdot") and len(node.args) == 2:
            return code(node.args[0].value) == code(node.args[1].value) and self.is_vector(first)
        if name in _POSITIVE:
            return first is not None and self.is_real(first)
        if name in _KEEPS_SIGN or name == "float":
            return all(self.not_negative(a.value) for a in node.args if a.keyword is None or a is node.args[0])
        return False

    def is_real(self, node: Any) -> bool:
        fact = self.kinds.of(node)
        return fact is not None and (fact.kind in ("float", "int") or fact.dtype in (*_REAL, "int64", "int32"))

    def is_vector(self, node: Any) -> bool:
        fact = self.kinds.of(node)
        return self.is_real(node) and fact is not None and fact.ndim == 1
