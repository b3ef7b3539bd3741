"""Translates expressions: each is rewritten bottom-up, together with what it is in torch (kinds.Value).

NumPy's run says which dtype an expression has; the promotion model says which one torch would give; where
they differ, the operand that mends it is cast.
"""

from __future__ import annotations

from collections.abc import Callable

import libcst as cst

from jitmagic.backends.torch import algebra, elementwise, making, reductions, searching, shaping  # noqa: F401
from jitmagic.backends.torch.calls import atom, code, literal
from jitmagic.backends.torch.indexing import build, index
from jitmagic.backends.torch.kinds import (
    BOOL,
    NO_ARITHMETIC,
    PYTHON_KINDS,
    SUPPORTED,
    UNKNOWN,
    Value,
    as_dtype,
    category,
    from_fact,
    join,
    number,
    numpy_result,
    reconcile,
    seen_dtype,
    torch_result,
)
from jitmagic.backends.torch.naming import BREAK, Names
from jitmagic.observe.facts import ValueFact

_SYNTAX_RANK = {cst.Add: 1, cst.Subtract: 1, cst.Multiply: 2, cst.Divide: 2, cst.MatrixMultiply: 2}


class Expressions(Names):
    """Rewrites operators and subscripts; the statements around them are in statements.py."""

    # -- operators -----------------------------------------------------------------------------------------------

    def operate(
        self,
        operator: cst.BaseBinaryOp,
        left: tuple[cst.BaseExpression, Value],
        right: tuple[cst.BaseExpression, Value],
        seen: ValueFact | None,
    ) -> tuple[cst.BaseExpression, cst.BaseExpression, Value]:
        """Casts operands so that torch arrives at NumPy's dtype; returns them and the result's value."""
        (a, va), (b, vb) = left, right
        if not va.may_be_tensor and not vb.may_be_tensor:
            return a, b, self._numbers(operator, va, vb, seen)
        if va.kind == "sequence" or vb.kind == "sequence":
            a, va = self._tensor_of(a, va, vb)
            b, vb = self._tensor_of(b, vb, va)
        wanted = seen_dtype(seen)
        if wanted is None and (seen is None or seen.kind in ("mixed", *PYTHON_KINDS)):
            # a Python number in the source, which a loop that became a sum has made a tensor
            wanted = self._numpy_dtype(operator, va, vb)
        if wanted in NO_ARITHMETIC or (wanted is not None and wanted not in SUPPORTED):
            self.typed(wanted)
        if isinstance(operator, cst.MatrixMultiply):
            if wanted is not None:
                a = self.cast(a, wanted) if va.dtype not in (wanted, None) else a
                b = self.cast(b, wanted) if vb.dtype not in (wanted, None) else b
            return a, b, reconcile(Value("tensor", wanted, None), seen)
        predicted = self._torch_dtype(operator, va, vb)
        if wanted is not None and predicted is not None and predicted != wanted:
            a, b = self._mend(operator, (a, va), (b, vb), wanted)
        shape = (
            va.shape
            if vb.ndim == 0 or vb.kind == "number"
            else vb.shape
            if va.ndim == 0 or va.kind == "number"
            else None
        )
        scalar = all(v.kind == "number" or v.scalar for v in (va, vb))
        kind = "either" if {va.kind, vb.kind} == {"either", "number"} else "tensor"
        return a, b, reconcile(Value(kind, wanted or predicted, shape, scalar=scalar), seen)

    def _numbers(self, operator: cst.BaseBinaryOp, a: Value, b: Value, seen: ValueFact | None) -> Value:
        if a.kind == "number" and b.kind == "number":
            kinds = ("bool", "int", "float", "complex")
            dtype = max(a.dtype or "int", b.dtype or "int", key=kinds.index)
            dtype = "float" if isinstance(operator, cst.Divide) and dtype in ("bool", "int") else dtype
            scalar = a.scalar or b.scalar
            return reconcile(Value("number", "int" if dtype == "bool" else dtype, scalar=scalar), seen)
        return from_fact(seen)

    def _tensor_of(self, node: cst.BaseExpression, value: Value, other: Value) -> tuple[cst.BaseExpression, Value]:
        if value.kind != "sequence" or not other.is_tensor:
            return node, value
        if value.items and all(item.kind == "tensor" and item.dtype is not None for item in value.items):
            alike = {(item.dtype, item.ndim) for item in value.items}
            if len(alike) == 1 and None not in next(iter(alike)):
                shape = value.items[0].shape if len(value.items) == 1 else (None,) * (value.items[0].ndim or 0)
                made = cst.parse_expression(f"{self.spell('torch.stack')}({code(node)})")
                return made, Value("tensor", value.items[0].dtype, (None, *(shape or ())))
        if any(item.kind != "number" for item in value.items) or not value.items:
            self.fail(f"computes with the list `{code(node)}` and an array: make it an array first")
        dtype = value.numpy_dtype or "float64"
        device = self.scope.device
        rest = f", device={device}" if device else ""
        text = f"{self.spell('torch.tensor')}({code(node)}, dtype={self.typed(dtype)}{rest})"
        return cst.parse_expression(text), Value("tensor", dtype, (len(value.items),))

    def _numpy_dtype(self, operator: cst.BaseBinaryOp, a: Value, b: Value) -> str | None:
        dtype = numpy_result([a, b])
        if isinstance(operator, cst.Divide) and category(dtype) in ("bool", "int"):
            return "float64"
        return dtype

    def _torch_dtype(self, operator: cst.BaseBinaryOp, a: Value, b: Value) -> str | None:
        if "either" in (a.kind, b.kind):
            # where it is a number it may bring in float32: that answer is the one to mend
            as_numbers = [number(v.dtype) if v.kind == "either" else v for v in (a, b)]
            if any(v.is_tensor for v in as_numbers):
                a, b = as_numbers
        dtype = torch_result([a, b])
        if isinstance(operator, cst.Divide) and category(dtype) in ("bool", "int"):
            return "float32"
        return dtype

    def _mend(
        self,
        operator: cst.BaseBinaryOp,
        left: tuple[cst.BaseExpression, Value],
        right: tuple[cst.BaseExpression, Value],
        wanted: str,
    ) -> tuple[cst.BaseExpression, cst.BaseExpression]:
        """Casts as few operands as suffice, the one with axes first."""
        (a, va), (b, vb) = left, right
        order = [(True, False), (False, True)] if (va.ndim or 0) >= (vb.ndim or 0) else [(False, True), (True, False)]
        for first, second in [*order, (True, True)]:
            if (first and not va.is_tensor) or (second and not vb.is_tensor):
                continue
            pair = (as_dtype(va, wanted) if first else va, as_dtype(vb, wanted) if second else vb)
            if self._torch_dtype(operator, *pair) == wanted:
                return (self.cast(a, wanted) if first else a), (self.cast(b, wanted) if second else b)
        # Python numbers alone cannot carry a dtype that no tensor has
        if va.is_tensor:
            return self.cast(a, wanted), b
        return a, self.cast(b, wanted) if vb.is_tensor else b

    def leave_BinaryOperation(
        self, original_node: cst.BinaryOperation, updated_node: cst.BinaryOperation
    ) -> cst.BaseExpression:
        self.here = original_node
        left = (updated_node.left, self.value(original_node.left))
        right = (updated_node.right, self.value(original_node.right))
        a, b, value = self.operate(original_node.operator, left, right, self.fact(original_node))
        rank = _SYNTAX_RANK.get(type(original_node.operator), 9)
        if a in self.loose and isinstance(a, cst.BinaryOperation) and _SYNTAX_RANK.get(type(a.operator), 0) >= rank:
            a = self.tight(a)
        if b in self.loose and isinstance(b, cst.BinaryOperation) and _SYNTAX_RANK.get(type(b.operator), 0) > rank:
            b = self.tight(b)
        self.values[original_node] = value
        return updated_node.with_changes(left=a, right=b)

    def leave_UnaryOperation(
        self, original_node: cst.UnaryOperation, updated_node: cst.UnaryOperation
    ) -> cst.BaseExpression:
        operand = self.value(original_node.expression)
        if isinstance(original_node.operator, cst.Not):
            self.values[original_node] = BOOL
            if operand.may_be_tensor:
                self.pull("not", original_node)
            return updated_node
        if operand.kind in ("tensor", "either", "number"):
            self.values[original_node] = reconcile(
                Value(operand.kind, operand.dtype, operand.shape, operand.scalar), self.fact(original_node)
            )
        return updated_node

    def leave_Comparison(self, original_node: cst.Comparison, updated_node: cst.Comparison) -> cst.BaseExpression:
        self.here = original_node
        operators = [c.operator for c in original_node.comparisons]
        nodes = [original_node.left, *[c.comparator for c in original_node.comparisons]]
        values = [self.value(n) for n in nodes]
        if not any(v.may_be_tensor for v in values) or any(
            isinstance(o, cst.Is | cst.IsNot | cst.In | cst.NotIn) for o in operators
        ):
            seen = from_fact(self.fact(original_node))
            self.values[original_node] = BOOL if not seen.is_tensor or all(v.kind == "number" for v in values) else seen
            return updated_node
        if len(operators) > 1:
            self.pull("a chained comparison", original_node)
        left, right = updated_node.left, updated_node.comparisons[0].comparator
        if len(operators) == 1 and "sequence" not in (values[0].kind, values[1].kind):
            wanted, predicted = numpy_result(values), torch_result(values)
            if (
                wanted is not None
                and predicted is not None
                and wanted != predicted
                and not _small(original_node, values)
            ):
                left, right = self._mend(cst.Add(), (left, values[0]), (right, values[1]), wanted)
                comparison = updated_node.comparisons[0].with_changes(comparator=right)
                updated_node = updated_node.with_changes(left=left, comparisons=[comparison])
        shape = None if len(operators) > 1 else values[0].shape if values[1].kind == "number" else None
        scalar = all(v.kind == "number" or v.scalar or v.ndim == 0 for v in values)
        guess = Value("tensor", "bool", () if scalar else shape, scalar=scalar)
        self.values[original_node] = reconcile(guess, self.fact(original_node))
        return updated_node

    def leave_BooleanOperation(
        self, original_node: cst.BooleanOperation, updated_node: cst.BooleanOperation
    ) -> cst.BaseExpression:
        left, right = self.value(original_node.left), self.value(original_node.right)
        if left.may_be_tensor:
            self.pull("and/or", original_node)
        self.values[original_node] = reconcile(join(left, right), self.fact(original_node))
        return updated_node

    def leave_IfExp(self, original_node: cst.IfExp, updated_node: cst.IfExp) -> cst.BaseExpression:
        if self.value(original_node.test).may_be_tensor:
            self.pull("if … else", original_node)
        both = join(self.value(original_node.body), self.value(original_node.orelse))
        self.values[original_node] = reconcile(both, self.fact(original_node))
        return updated_node

    def leave_NamedExpr(self, original_node: cst.NamedExpr, updated_node: cst.NamedExpr) -> cst.BaseExpression:
        self.values[original_node] = self.value(original_node.value)
        if isinstance(original_node.target, cst.Name):
            self.scope.values[original_node.target.value] = self.value(original_node.value)
        return updated_node

    def _joined(self, original: cst.SubscriptElement, updated: cst.SubscriptElement) -> cst.SubscriptElement:
        """Makes a tensor of a number or a list that ``np.r_`` joins to arrays."""
        if not isinstance(original.slice, cst.Index) or not isinstance(updated.slice, cst.Index):
            return updated
        value, node = self.value(original.slice.value), updated.slice.value
        if value.kind == "number":
            text = f"{self.spell('torch.tensor')}([{code(node)}], dtype={self.typed(value.numpy_dtype or 'float64')})"
        elif value.kind == "sequence":
            text = self.packed(original.slice.value, node, value.numpy_dtype)
        elif value.is_tensor and value.ndim == 0:
            text = f"{atom(node)}.reshape(1)"
        else:
            return updated
        return updated.with_changes(slice=updated.slice.with_changes(value=cst.parse_expression(text)))

    # -- subscripts ----------------------------------------------------------------------------------------------

    def visit_Subscript(self, node: cst.Subscript) -> None:
        if self.path(node.value) in ("numpy.c_", "numpy.r_", "numpy.mgrid", "numpy.ogrid"):
            self.callees.add(node.value)

    def leave_Subscript(self, original_node: cst.Subscript, updated_node: cst.Subscript) -> cst.BaseExpression:
        self.here = original_node
        path = self.path(original_node.value)
        if path in ("numpy.c_", "numpy.r_", "numpy.mgrid", "numpy.ogrid"):
            device = f", device={self.scope.device}" if self.scope.device else ""
            joined = [self._joined(old, new) for old, new in zip(original_node.slice, updated_node.slice, strict=True)]
            text = build(path, updated_node.with_changes(slice=joined), self.spell, device, self.fail)
            value = from_fact(self.fact(original_node))
            if path == "numpy.ogrid":
                self.values[original_node] = value
                return self.parsed(text, updated_node)
            node, value = self.settle(self.parsed(text, updated_node), Value("tensor", value.dtype), original_node)
            self.values[original_node] = value
            return node
        base = self.value(original_node.value)
        seen = self.fact(original_node)
        if not base.may_be_tensor:
            known = _item(base, original_node)
            self.values[original_node] = reconcile(known, seen)
            return updated_node
        found = index(original_node, updated_node, self.value, self.fact, self.spell, self.fail)
        if original_node in self.targets:
            if found.flipped:
                self.fail(
                    "stores through a reversed slice, which in torch is a copy: reverse the right side", "PT-FLIPVIEW"
                )
        elif found.masked and self.compiled:
            self.fail(
                "selects by a mask: the shape of the result depends on data, which torch.compile cannot follow", BREAK
            )
        guess = Value("tensor", base.dtype, None, view=found.view)
        if seen is None and _is_element(original_node, base, self.value):
            guess = Value("tensor", base.dtype, (), scalar=True, view=True)
        value = reconcile(guess, seen)
        self.values[original_node] = value
        node = found.node
        if node is not updated_node and updated_node.lpar and not node.lpar:
            node = node.with_changes(lpar=updated_node.lpar, rpar=updated_node.rpar)
        return node


def _is_element(node: cst.Subscript, base: Value, look: Callable[[cst.CSTNode], Value]) -> bool:
    """Tells whether a subscript that was not observed has an integer for every axis."""
    return len(node.slice) == base.ndim and all(
        isinstance(e.slice, cst.Index) and look(e.slice.value).kind == "number" for e in node.slice
    )


def _item(base: Value, node: cst.Subscript) -> Value:
    """Returns the element of a tuple or list that a written-out index names."""
    if base.kind != "sequence" or len(node.slice) != 1 or not isinstance(node.slice[0].slice, cst.Index):
        return UNKNOWN
    place = literal(node.slice[0].slice.value)
    if isinstance(place, int) and -len(base.items) <= place < len(base.items):
        return base.items[place]
    kinds = {item.kind for item in base.items}
    return Value("number", base.items[0].dtype) if kinds == {"number"} else UNKNOWN


def _small(node: cst.Comparison, values: list[Value]) -> bool:
    """Tells whether a comparison of an integer tensor with a written-out float is exact in any dtype."""
    for child, value in zip((node.left, node.comparisons[0].comparator), values, strict=True):
        constant = literal(child)
        if value.kind == "number" and isinstance(constant, int | float) and float(constant).is_integer():
            return abs(constant) < 2**24 and all(category(v.dtype) in ("int", "float", "bool") for v in values)
    return False
