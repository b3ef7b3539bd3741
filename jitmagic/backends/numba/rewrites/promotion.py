"""Casts Python numbers and widened results to what NumPy gives: ``x * 0.5`` becomes ``x * np.float32(0.5)``.

Numba's promotion is older than NumPy 2's (NEP 50): a Python float beside a float32 array makes float64 (NB-NEP50),
small integer scalars widen to 64 bits (NB-INTWIDE), float32 with int64 arrays stays float32.
Driven by what was observed.
"""

from __future__ import annotations

from dataclasses import replace

import libcst as cst
import numpy as np

from jitmagic.backends.numba.rewrites.context import Context, NumbaRewriter, scalar_path
from jitmagic.backends.numba.typing_model import UFUNC, NumbaType, of_fact, promoted

_PROMOTING = (
    "add subtract multiply divide true_divide power float_power maximum minimum fmax fmin arctan2 hypot "
    "copysign mod remainder fmod floor_divide logaddexp logaddexp2 nextafter"
)
# Functions of two or three values that promote; the positions of the values.
_BINARY = {f"numpy.{name}": (0, 1) for name in _PROMOTING.split()} | {"numpy.where": (1, 2)}
_RING = (cst.Add, cst.Subtract, cst.Multiply)


class Promotion(NumbaRewriter):
    """Casts operands, and results where that is not enough."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._wraps_itself: set[cst.CSTNode] = set()

    # a store into an array of the same small integer type wraps by itself, and + - * commute with wrapping
    def visit_Assign(self, node: cst.Assign) -> None:
        target = node.targets[0].target
        if self.variables is None or len(node.targets) != 1 or not isinstance(target, cst.Subscript):
            return
        base = of_fact(self.fact(target.value))
        if base is not None and base.array and np.dtype(base.dtype).kind in "iu":
            self._mark(node.value, base.dtype)

    def _mark(self, node: cst.BaseExpression, dtype: str) -> None:
        found = of_fact(self.fact(node))
        ring = isinstance(node, cst.BinaryOperation) and isinstance(node.operator, _RING)
        if ring and found is not None and found.dtype == dtype:
            assert isinstance(node, cst.BinaryOperation)
            self._wraps_itself.add(node)
            self._mark(node.left, dtype)
            self._mark(node.right, dtype)

    def leave_BinaryOperation(
        self, original_node: cst.BinaryOperation, updated_node: cst.BinaryOperation
    ) -> cst.BaseExpression:
        wanted = of_fact(self.fact(original_node))
        if isinstance(original_node.operator, cst.Power):
            updated_node = self._integer_power(original_node, updated_node, wanted)
        if self.variables is None or wanted is None or wanted.weak or self._stays_wide(original_node, wanted):
            return updated_node
        ufunc = UFUNC.get(type(original_node.operator))
        sides = [self.variables.type(original_node.left), self.variables.type(original_node.right)]
        if ufunc is None or sides[0] is None or sides[1] is None:
            return updated_node
        left, right = sides[0], sides[1]
        if self._agrees(ufunc, left, right, wanted, original_node):
            return updated_node
        if _wraps(wanted):
            return updated_node if original_node in self._wraps_itself else self._cast(wanted.dtype, updated_node)
        if left.weak and not right.weak and self._may_cast(left, wanted):
            updated_node = updated_node.with_changes(left=self._cast(wanted.dtype, updated_node.left))
            left = replace(left, dtype=wanted.dtype, weak=False)
        elif right.weak and not left.weak and self._may_cast(right, wanted):
            updated_node = updated_node.with_changes(right=self._cast(wanted.dtype, updated_node.right))
            right = replace(right, dtype=wanted.dtype, weak=False)
        if self._agrees(ufunc, left, right, wanted, original_node) or original_node in self._wraps_itself:
            return updated_node
        if left.array and wanted.array:
            # the operand, not the result: the result has lost its digits already
            updated_node = updated_node.with_changes(left=self._result(wanted, updated_node.left))
            if promoted(ufunc, replace(left, dtype=wanted.dtype), right, operator=True) == wanted.dtype:
                return updated_node
        elif right.array and wanted.array:
            updated_node = updated_node.with_changes(right=self._result(wanted, updated_node.right))
            if promoted(ufunc, left, replace(right, dtype=wanted.dtype), operator=True) == wanted.dtype:
                return updated_node
        return self._result(wanted, updated_node)

    def _integer_power(
        self, original: cst.BinaryOperation, updated: cst.BinaryOperation, wanted: NumbaType | None
    ) -> cst.BinaryOperation:
        """Writes `float(10) ** -k` where Python's result is a float: Numba's `int ** -int` is 0 (NB-INTNEGPOW)."""
        left, right = self.fact(original.left), self.fact(original.right)
        both = left is not None and right is not None and left.kind == "int" == right.kind
        if not both or wanted is None or not wanted.weak or wanted.dtype != "float64":
            return updated
        if isinstance(updated.left, cst.Integer):
            return updated.with_changes(left=cst.Float(f"{updated.left.value}.0"))
        return updated.with_changes(left=cst.Call(cst.Name("float"), [cst.Arg(updated.left)]))

    def _agrees(
        self, ufunc: str, left: NumbaType, right: NumbaType, wanted: NumbaType, node: cst.BinaryOperation
    ) -> bool:
        constant = isinstance(node.right, cst.Integer)
        if ufunc == "power" and constant and not left.array and not right.array and np.dtype(left.dtype).kind in "fc":
            return left.dtype == wanted.dtype  # a constant integer power keeps its base's type
        return promoted(ufunc, left, right, operator=True) in (wanted.dtype, None)

    @staticmethod
    def _may_cast(weak: NumbaType, wanted: NumbaType) -> bool:
        """Says whether a Python number becomes what NumPy makes of it: no float is cut to an integer."""
        order = "biufc"
        return order.index(np.dtype(weak.dtype).kind) <= max(order.index(np.dtype(wanted.dtype).kind), 2)

    def _stays_wide(self, node: cst.BaseExpression, wanted: NumbaType) -> bool:
        """Says whether a floating scalar may stay in the accumulator's wider type."""
        if wanted.array or np.dtype(wanted.dtype).kind not in "fc" or self.variables is None:
            return False
        return self.variables.is_wide(node)

    def _cast(self, dtype: str, node: cst.BaseExpression) -> cst.BaseExpression:
        return self.context.cast(dtype, node)

    def _result(self, wanted: NumbaType, node: cst.BaseExpression) -> cst.BaseExpression:
        if not wanted.array:
            return self._cast(wanted.dtype, node)
        dtype = self.context.imports.spell(scalar_path(wanted.dtype))
        return cst.Call(cst.Attribute(self.context.operand(node), cst.Name("astype")), [cst.Arg(dtype)])

    def leave_UnaryOperation(
        self, original_node: cst.UnaryOperation, updated_node: cst.UnaryOperation
    ) -> cst.BaseExpression:
        wanted = of_fact(self.fact(original_node))
        if wanted is None or wanted.weak or wanted.array or isinstance(original_node.operator, cst.Not):
            return updated_node
        return self._cast(wanted.dtype, updated_node) if _wraps(wanted) else updated_node

    def leave_AugAssign(self, original_node: cst.AugAssign, updated_node: cst.AugAssign) -> cst.BaseSmallStatement:
        target = original_node.target
        if self.variables is None:
            return updated_node
        value = self.variables.type(original_node.value)
        ufunc = UFUNC.get(type(original_node.operator))
        if value is None or ufunc is None:
            return updated_node
        if isinstance(target, cst.Name):
            return self._augmented_name(target, original_node, updated_node, ufunc, value)
        base = of_fact(self.fact(target.value)) if isinstance(target, cst.Subscript) else None
        narrow = base is not None and base.array and base.dtype in ("float32", "complex64")
        wide = self.variables.is_wide(original_node.value)
        if base is not None and narrow and value.weak and not wide and self._may_cast(value, base):
            # `a[i] += 0.1` on float32: the sum itself is made in float32 by NumPy
            return updated_node.with_changes(value=self._cast(base.dtype, updated_node.value))
        return updated_node

    def _augmented_name(
        self, target: cst.Name, original: cst.AugAssign, updated: cst.AugAssign, ufunc: str, value: NumbaType
    ) -> cst.BaseSmallStatement:
        assert self.variables is not None
        fact = self._result_fact(original)
        if fact is None or fact.weak or fact.array:
            return updated
        kind = np.dtype(fact.dtype).kind
        if kind in "iu" and fact.dtype not in ("int64", "uint64"):
            operator = type(original.operator).__name__.removesuffix("Assign")
            whole = cst.BinaryOperation(target, getattr(cst, operator)(), self.context.operand(updated.value))
            return cst.Assign([cst.AssignTarget(target)], self._cast(fact.dtype, whole))
        if kind in "fc" and target.value not in self.variables.wide and value.weak and value.dtype != fact.dtype:
            return updated.with_changes(value=self._cast(fact.dtype, updated.value))
        return updated

    def _result_fact(self, node: cst.AugAssign) -> NumbaType | None:
        """Returns what an augmented assignment leaves in its variable, as NumPy's rules have it."""
        assert self.variables is not None
        assert isinstance(node.target, cst.Name)
        seen = of_fact(self.fact(node.target))
        if seen is not None and not seen.weak:
            return seen
        value = of_fact(self.fact(node.value))
        values = self.variables._values.get(node.target.value, [])
        strong = {v.dtype for v in values if not v.weak and not v.array}
        if value is not None and not value.array and len(strong) == 1:
            return NumbaType(strong.pop(), False)
        return None

    def leave_Comparison(self, original_node: cst.Comparison, updated_node: cst.Comparison) -> cst.BaseExpression:
        if self.variables is None or len(original_node.comparisons) != 1:
            return updated_node
        left, right = original_node.left, original_node.comparisons[0].comparator
        types = (self.variables.type(left), self.variables.type(right))
        if types[0] is None or types[1] is None:
            return updated_node
        for weak, strong, node, is_left in ((*types, left, True), (types[1], types[0], right, False)):
            if (
                weak is None
                or strong is None
                or not weak.weak
                or strong.weak
                or strong.dtype not in ("float32", "complex64")
            ):
                continue
            if weak.dtype != "float64" or _exact(node) or self.variables.is_wide(node):
                continue
            if is_left:
                return updated_node.with_changes(left=self._cast(strong.dtype, updated_node.left))
            target = updated_node.comparisons[0]
            new = target.with_changes(comparator=self._cast(strong.dtype, target.comparator))
            return updated_node.with_changes(comparisons=[new])
        return updated_node

    def leave_Call(self, original_node: cst.Call, updated_node: cst.Call) -> cst.BaseExpression:
        path = self.path(original_node.func)
        if path is None or self.variables is None:
            return updated_node
        if path.startswith("math."):
            return self._math(original_node, updated_node)
        wanted = of_fact(self.fact(original_node))
        if path not in _BINARY or wanted is None or wanted.weak or self._stays_wide(original_node, wanted):
            return updated_node
        positions = _BINARY[path]
        if len(original_node.args) <= max(positions) or any(a.keyword or a.star for a in original_node.args):
            return updated_node
        types = [self.variables.type(original_node.args[p].value) for p in positions]
        if any(t is None for t in types):
            return updated_node
        arguments = list(updated_node.args)
        for position, found in zip(positions, types, strict=True):
            assert found is not None
            if found.weak and found.dtype != wanted.dtype and self._may_cast(found, wanted):
                argument = arguments[position]
                arguments[position] = argument.with_changes(value=self._cast(wanted.dtype, argument.value))
        return updated_node.with_changes(args=arguments)

    def _math(self, original: cst.Call, updated: cst.Call) -> cst.BaseExpression:
        """Casts float32 scalars to float: Python's `math` computes in double, Numba's in its argument's type."""
        arguments = list(updated.args)
        for position, argument in enumerate(original.args):
            found = of_fact(self.fact(argument.value))
            if found is not None and not found.array and found.dtype in ("float32", "float16"):
                inner = cst.Call(cst.Name("float"), [cst.Arg(arguments[position].value)])
                arguments[position] = arguments[position].with_changes(value=inner)
        return updated.with_changes(args=arguments)


def _wraps(wanted: NumbaType) -> bool:
    """Says whether a result is a small integer scalar: made in 64 bits and cut, it is NumPy's."""
    return not wanted.array and np.dtype(wanted.dtype).kind in "iu" and wanted.dtype not in ("int64", "uint64")


def _exact(node: cst.BaseExpression) -> bool:
    """Says whether a literal has the same value in float32, so that a comparison need not be cast."""
    if isinstance(node, cst.UnaryOperation):
        node = node.expression
    if isinstance(node, cst.Integer | cst.Float):
        value = float(node.evaluated_value)
        return float(np.float32(value)) == value
    return False
