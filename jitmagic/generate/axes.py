"""Lengths of the axes of arrays as texts: what `y` in `y = A.T @ r` has as shape, in names that are there earlier.

Two arrays whose axes have the same texts have the same shape. A number has no axes, and neither has a name that is
taken for one (`taken`): what broadcasts a number beside an array keeps the array's axes.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import libcst as cst
import numpy as np

from jitmagic.analysis.words import words
from jitmagic.generate import names as name_tools
from jitmagic.generate.blocks import code
from jitmagic.generate.kinds import Kinds
from jitmagic.generate.walking import Finder, children

Axes = tuple[str, ...]

_SAME = frozenset(
    f"numpy.{name}"
    for name in words(
        "array asarray ascontiguousarray copy zeros_like ones_like empty_like full_like real imag conj conjugate flip "
        "roll sort argsort gradient nan_to_num clip round around cumsum cumprod fft.fft fft.ifft fft.fft2 fft.ifft2 "
        "fft.fftshift fft.ifftshift"
    )
)
_FLAT = frozenset({"numpy.cumsum", "numpy.cumprod", "numpy.gradient"})
"""Of these only with one axis."""
_SAME_METHODS = frozenset({"copy", "astype", "conj", "conjugate", "clip", "round"})
_MADE = frozenset({"numpy.zeros", "numpy.ones", "numpy.empty", "numpy.full"})
_COUNTED = {"numpy.linspace": 2, "numpy.arange": 0}


@dataclass(frozen=True)
class Binding:
    """One place at which a name gets a value.

    Attributes
    ----------
    node : CSTNode
        The statement, loop or comprehension.
    how : str
        ``"value"``, ``"changed"`` (augmented), ``"element"`` (of what a loop goes through), ``"axis"``, ``"part"`` (of
        what a call returns), ``"unknown"``.
    value : expression or None
    number : int
        Which axis of `value`.
    """

    node: cst.CSTNode
    how: str
    value: cst.BaseExpression | None = None
    number: int = 0


class Bindings(Finder):
    """Where each name of a function is bound, those of functions inside it left unknown."""

    def __init__(self, function: cst.FunctionDef) -> None:
        super().__init__()
        self.found: dict[str, list[Binding]] = {}
        function.body.visit(self)

    def _add(self, name: str, binding: Binding) -> None:
        self.found.setdefault(name, []).append(binding)

    def _bind(self, node: cst.CSTNode, target: cst.BaseExpression, value: cst.BaseExpression | None) -> None:
        if isinstance(target, cst.Name):
            self._add(target.value, Binding(node, "unknown" if value is None else "value", value))
        elif isinstance(target, cst.Tuple | cst.List):
            parts = value.elements if isinstance(value, cst.Tuple | cst.List) else ()
            alike = len(parts) == len(target.elements) and all(isinstance(p, cst.Element) for p in parts)
            shape = isinstance(value, cst.Attribute) and value.attr.value == "shape"
            for k, element in enumerate(target.elements):
                if shape and isinstance(element.value, cst.Name) and isinstance(value, cst.Attribute):
                    self._add(element.value.value, Binding(node, "axis", value.value, k))
                elif isinstance(element.value, cst.Name) and isinstance(value, cst.Call):
                    self._add(element.value.value, Binding(node, "part", value, k))
                else:
                    self._bind(node, element.value, parts[k].value if alike else None)
        elif isinstance(target, cst.StarredElement):
            self._bind(node, target.value, None)

    def visit_Assign(self, node: cst.Assign) -> None:
        for target in node.targets:
            self._bind(node, target.target, node.value)

    def visit_AnnAssign(self, node: cst.AnnAssign) -> None:
        self._bind(node, node.target, node.value)

    def visit_AugAssign(self, node: cst.AugAssign) -> None:
        if isinstance(node.target, cst.Name):
            self._add(node.target.value, Binding(node, "changed", node.value))

    def visit_NamedExpr(self, node: cst.NamedExpr) -> None:
        self._bind(node, node.target, None)

    def visit_For(self, node: cst.For) -> None:
        self._element(node, node.target, node.iter)

    def _element(self, node: cst.CSTNode, target: cst.BaseExpression, source: cst.BaseExpression) -> None:
        called = source.func.value if isinstance(source, cst.Call) and isinstance(source.func, cst.Name) else ""
        given = [a.value for a in source.args] if isinstance(source, cst.Call) else []
        parts = [e.value for e in target.elements] if isinstance(target, cst.Tuple | cst.List) else []
        if isinstance(target, cst.Name) and called not in ("zip", "enumerate"):
            self._add(target.value, Binding(node, "element", source))
        elif called == "zip" and len(parts) == len(given):
            for part, one in zip(parts, given, strict=True):
                self._element(node, part, one)
        elif called == "enumerate" and len(parts) == 2 and given:
            self._bind(node, parts[0], None)
            self._element(node, parts[1], given[0])
        else:
            self._bind(node, target, None)

    def visit_CompFor(self, node: cst.CompFor) -> None:
        self._bind(node, node.target, None)

    def visit_AsName(self, node: cst.AsName) -> None:
        self._bind(node, node.name, None)

    def visit_FunctionDef(self, node: cst.FunctionDef) -> bool:
        for name in (node.name.value, *name_tools.bound(node)):
            self._add(name, Binding(node, "unknown"))
        return False

    def visit_Lambda(self, node: cst.Lambda) -> None:
        for name in name_tools.parameters(node):
            self._add(name, Binding(node, "unknown"))


class AxesOf:
    """Tells the axes of the expressions of one function.

    Parameters
    ----------
    function : libcst.FunctionDef
    kinds : Kinds
    bindings : Bindings
    order : mapping of node to int
        The place of each node in the text.
    taken : collection of str
        Names that are taken for numbers.
    """

    def __init__(
        self, function: cst.FunctionDef, kinds: Kinds, bindings: Bindings, order: dict[cst.CSTNode, int],
        taken: Collection[str],
    ) -> None:  # fmt: skip
        self.kinds, self.order, self.taken = kinds, order, taken
        self.parameters = frozenset(name_tools.parameters(function))
        self.bindings = {
            name: [one for one in found if not self._keeps_shape(name, one)] for name, found in bindings.found.items()
        }
        self._open: set[str] = set()

    def _keeps_shape(self, name: str, binding: Binding) -> bool:
        """Says whether a name is bound to an array of its own, as in `x = np.asarray(x, dtype=float)`."""
        call = binding.value
        if binding.how != "value" or not isinstance(call, cst.Call) or not call.args or name not in self.parameters:
            return False
        path = self.kinds.path(call.func)
        first = call.args[0].value
        alike = path in ("numpy.asarray", "numpy.array", "numpy.ascontiguousarray")
        return alike and isinstance(first, cst.Name) and first.value == name

    def is_there(self, name: str, at: int) -> bool:
        """Says whether a name has at a place of the text the one value that it ever has."""
        found = self.bindings.get(name, [])
        if name in self.parameters:
            return not found
        return len(found) == 1 and found[0].how != "unknown" and self.order.get(found[0].node, at) < at

    def are_there(self, axes: Axes, at: int) -> bool:
        """Says whether the texts of axes can be read at a place of the text."""
        loads = {name for text in axes for name in name_tools.loads(cst.parse_expression(text))}
        return all(self.is_there(name, at) for name in loads)

    def of(self, node: cst.BaseExpression) -> Axes | None:
        """Returns the axes of an expression, none for a number; None where they are not known."""
        if isinstance(node, cst.Name) and node.value in self.taken:
            return ()
        if self.kinds.is_number(node):
            return ()
        if isinstance(node, cst.Name):
            return self._name(node)
        if isinstance(node, cst.BinaryOperation):
            if isinstance(node.operator, cst.MatrixMultiply):
                return self._product(node.left, node.right)
            return broadcast(self.of(node.left), self.of(node.right))
        if isinstance(node, cst.UnaryOperation):
            return self.of(node.expression)
        if isinstance(node, cst.Comparison) and len(node.comparisons) == 1:
            return broadcast(self.of(node.left), self.of(node.comparisons[0].comparator))
        if isinstance(node, cst.IfExp):
            return same(self.of(node.body), self.of(node.orelse))
        if isinstance(node, cst.Attribute):
            inner = self.of(node.value) if node.attr.value in ("T", "real", "imag") else None
            return inner if inner is None or node.attr.value != "T" else inner[::-1]
        if isinstance(node, cst.Subscript):
            return self._subscript(node)
        return self._call(node) if isinstance(node, cst.Call) else None

    def _name(self, node: cst.Name) -> Axes | None:
        name = node.value
        fact = self.kinds.of(node)
        found = self.bindings.get(name, [])
        if fact is None or fact.kind != "array" or fact.ndim is None:
            return None
        own = tuple(f"{name}.shape[{k}]" for k in range(fact.ndim))
        if name in self.parameters:
            return own if not found else None
        if name in self._open:
            return ()
        self._open.add(name)
        try:
            axes: Axes | None = ()
            for one in found:
                if one.how == "value" and one.value is not None:
                    axes = same(axes, self.of(one.value))
                elif one.how == "element" and one.value is not None:
                    whole = self.of(one.value)
                    axes = same(axes, whole[1:] if whole else None)
                elif one.how == "part" and isinstance(one.value, cst.Call):
                    axes = same(axes, self._part(one.value))
                elif one.how != "changed":  # in place: the shape stays
                    axes = None
        finally:
            self._open.discard(name)
        if axes and len(axes) == fact.ndim:
            return axes
        return own if len(found) == 1 and found[0].how in ("value", "part") and not self._open else None

    def _part(self, call: cst.Call) -> Axes | None:
        """Returns the axes of each of the arrays that `np.meshgrid` gives."""
        plain = [a.value for a in call.args if a.keyword is None and not a.star]
        if self.kinds.path(call.func) != "numpy.meshgrid" or len(plain) != 2:
            return None
        x, y = self.of(plain[0]), self.of(plain[1])
        more = [code(a.value).strip("\'\"") for a in call.args if a.keyword is not None]
        if x is None or y is None or len(x) != 1 or len(y) != 1 or len(plain) + len(more) != len(call.args):
            return None
        return (*x, *y) if more == ["ij"] else (*y, *x) if more in ([], ["xy"]) else None

    def _subscript(self, node: cst.Subscript) -> Axes | None:
        base = self.of(node.value)
        if base is None:
            return None
        axes: list[str] = []
        left = list(base)
        for element in node.slice:
            part = element.slice
            if isinstance(part, cst.Index) and self._is_new_axis(part.value):
                axes.append("1")
            elif not left:
                return None
            elif isinstance(part, cst.Slice):
                if part.lower is not None or part.upper is not None or part.step is not None:
                    axes.append(f"{code(node)}.shape[{len(axes)}]")
                    left.pop(0)
                else:
                    axes.append(left.pop(0))
            elif isinstance(part, cst.Index) and self.kinds.is_number(part.value):
                left.pop(0)
            else:
                return None
        return (*axes, *left)

    def _is_new_axis(self, node: cst.BaseExpression) -> bool:
        return code(node) == "None" or self.kinds.path(node) == "numpy.newaxis"

    def _call(self, node: cst.Call) -> Axes | None:
        path = self.kinds.path(node.func)
        plain = [a.value for a in node.args if a.keyword is None and not a.star]
        if any(a.star for a in node.args):
            return None
        if path is None:
            func = node.func
            inside = isinstance(func, cst.Attribute) and func.attr.value in _SAME_METHODS
            return self.of(func.value) if inside and isinstance(func, cst.Attribute) else None
        if path in ("numpy.dot", "numpy.matmul") and len(plain) == 2:
            return self._product(plain[0], plain[1])
        if path == "numpy.outer" and len(plain) == 2:
            one, other = self.of(plain[0]), self.of(plain[1])
            return (*one, *other) if one is not None and other is not None and len(one) == len(other) == 1 else None
        if isinstance(getattr(np, path.removeprefix("numpy."), None), np.ufunc) or path == "numpy.where":
            axes: Axes | None = ()
            for argument in plain:
                axes = broadcast(axes, self.of(argument))
            return axes if len(plain) == len(node.args) else None
        if path in _SAME and plain:
            axes = self.of(plain[0])
            return axes if path not in _FLAT or axes is None or len(axes) == 1 else None
        if path in _MADE and plain:
            sizes = [e.value for e in plain[0].elements] if isinstance(plain[0], cst.Tuple | cst.List) else [plain[0]]
            if len(sizes) == 1 and isinstance(plain[0], cst.Attribute) and plain[0].attr.value == "shape":
                return self.of(plain[0].value)
            texts = [self._size(size) for size in sizes]
            return tuple(t for t in texts if t is not None) if None not in texts else None
        if path in _COUNTED and len(plain) > _COUNTED[path] and (path != "numpy.arange" or len(node.args) == 1):
            size = self._size(plain[_COUNTED[path]])
            return None if size is None else (size,)
        return None

    def _product(self, left: cst.BaseExpression, right: cst.BaseExpression) -> Axes | None:
        """Returns the axes of a product of matrices and vectors."""
        one, other = self.of(left), self.of(right)
        dims = [len(axes) if axes else self._ndim(side) for axes, side in ((one, left), (other, right))]
        # a vector is used up, whatever its length
        kept = one[:1] if dims[0] == 2 and one else () if dims[0] == 1 else None
        more = other[1:] if dims[1] == 2 and other else () if dims[1] == 1 else None
        return None if kept is None or more is None else (*kept, *more)

    def _ndim(self, node: cst.BaseExpression) -> int | None:
        fact = self.kinds.of(node)
        return fact.ndim if fact is not None and fact.kind == "array" else None

    def _size(self, node: cst.BaseExpression) -> str | None:
        """Returns the text of a length, in terms of an array's axes where it is one."""
        if isinstance(node, cst.Name):
            found = self.bindings.get(node.value, [])
            if len(found) == 1 and node.value not in self.parameters and found[0].value is not None:
                one = found[0]
                if one.how == "axis":
                    whole = self.of(found[0].value)
                    return whole[one.number] if whole is not None and one.number < len(whole) else node.value
                if one.how == "value" and not isinstance(one.value, cst.Name):
                    return self._size(found[0].value) or node.value
            return node.value
        if isinstance(node, cst.Call) and isinstance(node.func, cst.Name) and node.func.value == "len" and node.args:
            whole = self.of(node.args[0].value)
            return whole[0] if whole else None
        if isinstance(node, cst.Attribute) and node.attr.value == "size":
            whole = self.of(node.value)
            return whole[0] if whole is not None and len(whole) == 1 else None
        if isinstance(node, cst.BinaryOperation) and isinstance(node.operator, cst.Add | cst.Subtract):
            left, right = self._size(node.left), self._size(node.right)
            if left is None or right is None:
                return None
            if isinstance(node.operator, cst.Add):
                return f"{left} + {right}"
            return f"{left} - ({right})" if " " in right else f"{left} - {right}"
        simple = isinstance(node, cst.Integer | cst.Subscript)
        return code(node) if simple and not any(isinstance(n, cst.Call) for n in _below(node)) else None


def _below(node: cst.CSTNode) -> list[cst.CSTNode]:
    return [node, *(one for child in children(node) for one in _below(child))]


def same(one: Axes | None, other: Axes | None) -> Axes | None:
    """Returns the axes that two values have, where one of them may have none."""
    if one is None or other is None or (one and other and one != other):
        return None
    return one or other


def broadcast(one: Axes | None, other: Axes | None) -> Axes | None:
    """Returns the axes of an operation element by element; None where they are not known to fit."""
    if one is None or other is None:
        return None
    count = max(len(one), len(other))
    pairs = zip(("1",) * (count - len(one)) + one, ("1",) * (count - len(other)) + other, strict=True)
    axes = []
    for a, b in pairs:
        if a != b and "1" not in (a, b):
            return None
        axes.append(b if a == "1" else a)
    return tuple(axes)
