"""Shows `parallel=True` which axes have length 1: `y[:, None]` becomes `y.reshape(-1, 1)`.

Numba's parallel array expressions take axes for equal unless they see a literal 1, and stop with "Sizes of x, y do not
match" on `x - y[:, None]` (seen with 0.68). Where an axis of length 1 comes from elsewhere the variant is refused.

What is stretched in place or into a part of an array comes out wrong there, without a word (seen with 0.68.1: after
`m -= k.reshape(-1, 1)` other rows than the first are wrong, and after `m[:, 1:] = k.reshape(-1, 1)`). These are written
as `m[...] = m - k.reshape(-1, 1)` and with `np.broadcast_to`.
"""

from __future__ import annotations

import libcst as cst

from jitmagic.backends.numba.rewrites.context import Context, NumbaRewriter, code, expression
from jitmagic.errors import Unsupported
from jitmagic.generate.walking import Finder
from jitmagic.observe.facts import Span, ValueFact


class Broadcasting(NumbaRewriter):
    """Rewrites new axes in functions that are compiled with `parallel=True`.

    Parameters
    ----------
    context : Context
    functions : frozenset of str
        Their names.
    loops : tuple of Span
        The loops that become `prange`: there an update in place may be a reduction.
    """

    def __init__(self, context: Context, functions: frozenset[str], loops: tuple[Span, ...] = ()) -> None:
        super().__init__(context)
        self._parallel = functions
        self._loops = loops
        self._targets: set[cst.CSTNode] = set()
        self._operands: set[cst.CSTNode] = set()

    def _concerned(self) -> bool:
        return bool(self.functions) and self.functions[0].name.value in self._parallel

    def visit_AssignTarget(self, node: cst.AssignTarget) -> None:
        self._targets.add(node.target)

    def visit_Assign(self, node: cst.Assign) -> None:
        if all(isinstance(target.target, cst.Subscript) for target in node.targets):
            self._operands.add(node.value)

    def visit_AugAssign(self, node: cst.AugAssign) -> None:
        self._targets.add(node.target)
        self._operands.add(node.value)

    def visit_BinaryOperation(self, node: cst.BinaryOperation) -> None:
        self._operands.update((node.left, node.right))

    def visit_UnaryOperation(self, node: cst.UnaryOperation) -> None:
        self._operands.add(node.expression)

    def visit_Comparison(self, node: cst.Comparison) -> None:
        self._operands.update((node.left, *(target.comparator for target in node.comparisons)))

    def visit_Call(self, node: cst.Call) -> None:
        if (self.path(node.func) or "").startswith("numpy."):
            self._operands.update(argument.value for argument in node.args)

    def leave_Subscript(self, original_node: cst.Subscript, updated_node: cst.Subscript) -> cst.BaseExpression:
        base = self.fact(original_node.value)
        parts = [element.slice for element in original_node.slice]
        if not self._concerned() or base is None or base.kind != "array" or base.ndim is None:
            return updated_node
        dots = [self._is_dots(part) for part in parts]
        new = [isinstance(part, cst.Index) and self._is_new_axis(part.value) for part in parts]
        if not any(new) or original_node in self._targets:
            return updated_node
        if any(dots):
            # `R[..., None]` is `R[:, :, None]`
            at, missing = dots.index(True), base.ndim - (len(parts) - sum(new) - 1)
            parts[at : at + 1] = [cst.Slice(None, None)] * missing
            new[at : at + 1] = [False] * missing
        kept = list(zip(parts, new, strict=True))
        used = len(parts) - sum(new)
        kept += [(cst.Slice(None, None), False)] * (base.ndim - used)
        axes = [None if one else self._axis(part) for part, one in kept]
        cut = axes.count("cut")
        if used > base.ndim or "other" in axes or cut > 1:
            return updated_node
        left = sum(axis in ("whole", "cut") for axis in axes)
        array = self.context.operand(updated_node.value)
        sizes, number = [], 0
        for axis in axes:
            if axis is None:
                sizes.append("1")
                continue
            if axis != "index":
                whole = axis == "whole" and left > 1
                sizes.append(f"{code(array)}.shape[{number}]" if whole else "-1")
            number += 1
        inner = updated_node.value
        if cut or "index" in axes:
            if any(dots) or original_node not in self._operands:
                return updated_node  # a view that may be stored through: reshape could make a copy of it
            elements = [e for e, one in zip(updated_node.slice, new, strict=False) if not one]
            inner = updated_node.with_changes(
                slice=[*elements[:-1], elements[-1].with_changes(comma=cst.MaybeSentinel.DEFAULT)]
            )
        if cut or "index" in axes or not isinstance(original_node.value, cst.BinaryOperation | cst.Call):
            # reshape takes contiguous arrays only; of those this makes no copy
            array = expression(f"{self.context.imports.code('numpy.ascontiguousarray')}({{x}})", x=inner)
        return expression(f"{{x}}.reshape({', '.join(sizes)})", x=array)

    def _axis(self, part: cst.BaseSlice) -> str:
        """Says what is taken of an axis: ``"whole"``, ``"cut"`` by a slice, one ``"index"``, or ``"other"``."""
        if isinstance(part, cst.Slice):
            return "whole" if part.lower is None and part.upper is None and part.step is None else "cut"
        fact = self.fact(part.value) if isinstance(part, cst.Index) else None
        whole = fact is not None and (fact.kind == "int" or (fact.kind == "scalar" and "int" in (fact.dtype or "")))
        return "index" if whole else "other"

    def _is_new_axis(self, node: cst.BaseExpression) -> bool:
        return (isinstance(node, cst.Name) and node.value == "None") or self.path(node) == "numpy.newaxis"

    def leave_BinaryOperation(
        self, original_node: cst.BinaryOperation, updated_node: cst.BinaryOperation
    ) -> cst.BaseExpression:
        if self._concerned() and not isinstance(original_node.operator, cst.MatrixMultiply):
            old, new = (original_node.left, original_node.right), (updated_node.left, updated_node.right)
            self._check(original_node, old, new)
            left, right = self._as_many(old[0], old[1], new[0]), self._as_many(old[1], old[0], new[1])
            if left is not new[0] or right is not new[1]:
                return updated_node.with_changes(left=left, right=right)
        return updated_node

    def _as_many(
        self, old: cst.BaseExpression, other: cst.BaseExpression, new: cst.BaseExpression
    ) -> cst.BaseExpression:
        """Gives a matrix beside an array of more axes as many: the parallel mode takes vectors alone with fewer."""
        fact, beside = self.fact(old), self.fact(other)
        if fact is None or beside is None or {fact.kind, beside.kind} != {"array"} or not isinstance(new, cst.Name):
            return new
        ndim, wanted = fact.ndim or 0, beside.ndim or 0
        if not 2 <= ndim < wanted:
            return new
        sizes = ["1"] * (wanted - ndim) + [f"{new.value}.shape[{k}]" for k in range(ndim)]
        array = f"{self.context.imports.code('numpy.ascontiguousarray')}({new.value})"
        made = expression(f"{array}.reshape({', '.join(sizes)})")
        self.module.inherit(made, new)
        return made

    def leave_Comparison(self, original_node: cst.Comparison, updated_node: cst.Comparison) -> cst.BaseExpression:
        if self._concerned() and len(original_node.comparisons) == 1:
            old = original_node.left, original_node.comparisons[0].comparator
            self._check(original_node, old, (updated_node.left, updated_node.comparisons[0].comparator))
        return updated_node

    def leave_AugAssign(self, original_node: cst.AugAssign, updated_node: cst.AugAssign) -> cst.BaseSmallStatement:
        """Writes `m -= row` as `m[...] = m - row`: in place the parallel mode stretches wrongly."""
        value, sizes = self.fact(original_node.value), self._sizes(original_node.target)
        if not self._concerned() or sizes is None or not _is_stretched(value, sizes):
            return updated_node
        operator = code(updated_node.operator).strip().removesuffix("=")
        line = self.module.line(original_node)
        if _is_surely_stretched(value, sizes) and not _shows_its_ones(updated_node.value):
            raise self._unseen(original_node, original_node.value)
        place = self.context.place(original_node.value)
        inside = place is None or any(s.line <= place.line <= s.end_line for s in self._loops)
        reduces = inside and isinstance(original_node.target, cst.Name)
        if operator == "@" or reduces or _calls(original_node.target):
            raise Unsupported(
                f"line {line} stretches an axis in place, which Numba's parallel mode gets wrong: write the axis out",
                line,
                "NB-PAR-BROADCAST",
            )
        target = updated_node.target
        again = target.deep_clone()
        self.module.inherit_parts(again, target)
        right = updated_node.value
        binds = isinstance(right, cst.BinaryOperation) and isinstance(right.operator, cst.Multiply | cst.Divide)
        right = right if binds and operator in ("+", "-") else self.context.operand(right)
        made = expression(f"{{t}} {operator} {{v}}", t=again, v=right)
        whole = cst.Subscript(target, [cst.SubscriptElement(cst.Index(cst.Ellipsis()))])
        into = whole if isinstance(target, cst.Name) else target
        return cst.Assign([cst.AssignTarget(into)], made)

    def leave_Assign(self, original_node: cst.Assign, updated_node: cst.Assign) -> cst.Assign:
        """Writes `m[:, 1:] = column` through `np.broadcast_to`: a store into a part stretches wrongly."""
        target, value = original_node.targets[0].target, self.fact(original_node.value)
        if not self._concerned() or len(original_node.targets) != 1 or not isinstance(target, cst.Subscript):
            return updated_node
        whole = all(self._is_dots(e.slice) or (isinstance(e.slice, cst.Slice) and self._axis(e.slice) == "whole")
                    for e in target.slice)  # fmt: skip
        sizes = self._sizes(target)
        if whole or sizes is None or not _is_stretched(value, sizes) or 1 not in ((value and value.shape) or ()):
            return updated_node
        if _calls(target):
            raise self._unseen(original_node, original_node.value)
        again = target.deep_clone()
        self.module.inherit_parts(again, target)
        stretch = self.context.imports.code("numpy.broadcast_to")
        new = expression(f"{stretch}({{v}}, {{t}}.shape)", v=self.context.bare(updated_node.value), t=again)
        return updated_node.with_changes(value=new)

    def _sizes(self, target: cst.BaseExpression) -> list[int | None] | None:
        """Returns the lengths of the axes of what is stored into, None for each that is not known."""
        base = self.fact(target.value if isinstance(target, cst.Subscript) else target)
        if base is None or base.kind != "array" or base.shape is None:
            return None
        parts = [element.slice for element in target.slice] if isinstance(target, cst.Subscript) else []
        sizes: list[int | None] = []
        left = list(base.shape)
        for number, part in enumerate(parts):
            if self._is_dots(part):
                kept = len(left) - (len(parts) - number - 1)
                sizes += left[:kept]
                left = left[kept:]
                continue
            axis = self._axis(part)
            if axis == "other" or not left:
                return None
            size = left.pop(0)
            if axis != "index":
                sizes.append(size if axis == "whole" else None)
        return [*sizes, *left] or None

    def _unseen(self, node: cst.CSTNode, value: cst.BaseExpression) -> Unsupported:
        line = self.module.line(node)
        return Unsupported(
            f"line {line} stretches an axis of length 1 of `{code(value)}`, which Numba's parallel mode does not see: "
            "write it as `.reshape(-1, 1)` or `[:, None]` in this expression",
            line,
            "NB-PAR-BROADCAST",
        )

    def _is_dots(self, part: cst.BaseSlice) -> bool:
        return isinstance(part, cst.Index) and isinstance(part.value, cst.Ellipsis)

    def _check(
        self, node: cst.CSTNode, old: tuple[cst.BaseExpression, ...], new: tuple[cst.BaseExpression, ...]
    ) -> None:
        """Refuses an operation that stretches an axis of which the rewritten text does not show that it is 1."""
        shapes = []
        for side in old:
            fact = self.fact(side)
            if fact is None or fact.kind != "array" or fact.shape is None:
                return
            shapes.append(fact.shape)
        for one, two in zip(reversed(shapes[0]), reversed(shapes[1]), strict=False):
            if one != two and one is not None and two is not None:
                short, shown = (old[0], new[0]) if one == 1 else (old[1], new[1])
                if not _shows_its_ones(shown):
                    raise self._unseen(node, short)


def _is_stretched(value: ValueFact | None, sizes: list[int | None]) -> bool:
    """Says whether an array has fewer axes than the place that it goes to, or axes of length 1 where that has more."""
    if value is None or value.kind != "array" or not value.shape:
        return False
    pairs = zip(reversed(value.shape), reversed(sizes), strict=False)
    return len(value.shape) < len(sizes) or any(one == 1 and size != 1 for one, size in pairs)


def _is_surely_stretched(value: ValueFact | None, sizes: list[int | None]) -> bool:
    """Says whether an axis of length 1 goes to one that is known to be longer."""
    shape = (value and value.shape) or ()
    return any(one == 1 and size not in (1, None) for one, size in zip(reversed(shape), reversed(sizes), strict=False))


def _calls(node: cst.CSTNode) -> bool:
    """Says whether an expression calls anything, so that it is not to be written twice."""
    finder = _Calls()
    node.visit(finder)
    return finder.found


class _Calls(Finder):
    def __init__(self) -> None:
        super().__init__()
        self.found = False

    def visit_Call(self, node: cst.Call) -> None:
        self.found = True


def _shows_its_ones(node: cst.BaseExpression) -> bool:
    """Says whether an expression makes its axes of length 1 itself, by a reshape."""
    if isinstance(node, cst.BinaryOperation):
        return _shows_its_ones(node.left) or _shows_its_ones(node.right)
    if isinstance(node, cst.UnaryOperation):
        return _shows_its_ones(node.expression)
    if isinstance(node, cst.Call):
        if isinstance(node.func, cst.Attribute) and node.func.attr.value == "reshape":
            return "1" in [code(a.value) for a in node.args] or any("1," in code(a.value) for a in node.args)
        return any(_shows_its_ones(a.value) for a in node.args) or (
            isinstance(node.func, cst.Attribute) and _shows_its_ones(node.func.value)
        )
    return False
