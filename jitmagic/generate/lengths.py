"""How long a vector is, as a formula over a function's parameters.

``pooled = np.concatenate((a, b))`` has ``len(a) + len(b)`` elements, ``yc = y - y.mean()`` as many as ``y``: what is
known of a computed array before it is computed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import libcst as cst

from jitmagic.analysis.words import words
from jitmagic.generate import names as name_tools
from jitmagic.generate.blocks import code
from jitmagic.generate.kinds import Kinds
from jitmagic.generate.walking import Finder

_ELEMENTWISE = frozenset(
    f"numpy.{name}"
    for name in words(
        "abs absolute negative sqrt square exp expm1 log log1p log2 log10 sin cos tan tanh arctan arcsin arccos sinh "
        "cosh sign floor ceil rint where maximum minimum add subtract multiply divide power clip copy array asarray "
        "sort argsort cumsum cumprod zeros_like ones_like empty_like full_like ascontiguousarray real imag conj"
    )
)
_ALIKE = frozenset({"copy", "astype", "conj", "clip", "cumsum", "cumprod", "argsort", "round"})
_FILLED = frozenset({"numpy.zeros", "numpy.ones", "numpy.empty", "numpy.full"})
_OF_COLUMNS = frozenset({"numpy.column_stack", "numpy.vander"})
_JOINED = frozenset({"numpy.concatenate", "numpy.hstack"})


class Lengths:
    """Finds lengths in one function.

    Parameters
    ----------
    function : libcst.FunctionDef
    kinds : Kinds
        Of the same function.
    """

    def __init__(self, function: cst.FunctionDef, kinds: Kinds) -> None:
        self.kinds = kinds
        self.parameters = frozenset(name_tools.parameters(function))
        finder = _Bindings()
        function.body.visit(finder)
        self.bound: Mapping[str, list[Any]] = finder.found

    def of(self, node: cst.BaseExpression, depth: int = 0) -> str | None:
        """Returns the length of a vector; None where it is not proved, or for anything but a vector.

        What is returned reads parameters that are never bound again, or nothing.
        """
        fact = self.kinds.of(node)
        if fact is None or fact.kind != "array" or fact.ndim != 1 or depth > 8:
            return None
        if isinstance(node, cst.Name):
            return self._of_name(node.value, depth)
        if isinstance(node, cst.UnaryOperation):
            return self.of(node.expression, depth + 1)
        if isinstance(node, cst.BinaryOperation):
            if isinstance(node.operator, cst.MatrixMultiply):
                return self._of_product(node, depth)
            return self._common((node.left, node.right), depth)
        return self._of_call(node, depth) if isinstance(node, cst.Call) else None

    def _of_name(self, name: str, depth: int) -> str | None:
        given = self.bound.get(name, [])
        if name in self.parameters:
            return f"len({name})" if not given else None
        if len(given) != 1 or given[0] is None:
            return None
        return self.of(given[0], depth + 1)

    def _of_call(self, node: cst.Call, depth: int) -> str | None:
        path, func = self.kinds.path(node.func), node.func
        values = [a.value for a in node.args if a.keyword is None and not a.star]
        if path in _JOINED and values and isinstance(values[0], cst.Tuple | cst.List) and len(node.args) == 1:
            parts = [self.of(e.value, depth + 1) for e in values[0].elements if isinstance(e, cst.Element)]
            if len(parts) != len(values[0].elements) or None in parts or not parts:
                return None
            return " + ".join(part for part in parts if part is not None)
        if path in _FILLED and values:
            return self._number(values[0])
        if path in _ELEMENTWISE and not any(a.keyword is not None and a.keyword.value == "axis" for a in node.args):
            return self._common(values, depth)
        if path is None and isinstance(func, cst.Attribute) and func.attr.value in _ALIKE:
            return self.of(func.value, depth + 1)
        return None

    def _of_product(self, node: cst.BinaryOperation, depth: int) -> str | None:
        """Returns how many rows the matrix has, of a product of a matrix and a vector."""
        left = self.kinds.of(node.left)
        return self._rows(node.left, depth) if left is not None and left.ndim == 2 else None

    def _rows(self, node: cst.BaseExpression, depth: int) -> str | None:
        if isinstance(node, cst.Name):
            given = self.bound.get(node.value, [])
            if node.value in self.parameters:
                return f"len({node.value})" if not given else None
            return self._rows(given[0], depth) if len(given) == 1 and given[0] is not None else None
        if not isinstance(node, cst.Call) or self.kinds.path(node.func) not in _OF_COLUMNS or not node.args:
            return None
        first = node.args[0].value
        columns = [e.value for e in first.elements] if isinstance(first, cst.Tuple | cst.List) else [first]
        # all columns have one length, or NumPy refuses them
        return next((length for one in columns if (length := self.of(one, depth + 1)) is not None), None)

    def _common(self, parts: Any, depth: int) -> str | None:
        """Returns the length of what several operands give; all but the vectors among them are numbers."""
        found: dict[str | None, None] = {}
        for part in parts:
            fact = self.kinds.of(part)
            if self.kinds.is_number(part) or (fact is not None and fact.ndim == 0):
                continue
            found[self.of(part, depth + 1)] = None
        texts = [text for text in found if text is not None]
        if len(texts) != len(found) or len(texts) < 2:
            return texts[0] if len(found) == 1 and texts else None
        # one of them may be stretched, in another call
        numpy = next((name for name, path in self.kinds.module.names.items() if path == "numpy"), "__numpy__")
        return f"{numpy}.broadcast_shapes({', '.join(texts)})[0]"

    def _number(self, node: cst.BaseExpression) -> str | None:
        """Returns a length that is given: a literal, a parameter, or the name of a parameter's length."""
        if isinstance(node, cst.Integer):
            return node.value
        if isinstance(node, cst.Name):
            given = self.bound.get(node.value, [])
            if node.value in self.parameters:
                return node.value if not given else None
            return self._number(given[0]) if len(given) == 1 and given[0] is not None else None
        call = isinstance(node, cst.Call) and code(node.func) == "len" and len(node.args) == 1
        only = node.args[0].value if call and isinstance(node, cst.Call) else None
        if isinstance(only, cst.Name) and only.value in self.parameters and not self.bound.get(only.value):
            return code(node)
        return None


class _Bindings(Finder):
    """Collects what each name is bound to: the value, or None for anything but a plain assignment."""

    def __init__(self) -> None:
        super().__init__()
        self.found: dict[str, list[Any]] = {}

    def _add(self, target: cst.BaseExpression, value: Any) -> None:
        for name in name_tools.targets(target):
            self.found.setdefault(name, []).append(value if isinstance(target, cst.Name) else None)

    def visit_Assign(self, node: cst.Assign) -> None:
        for target in node.targets:
            self._add(target.target, node.value)

    def visit_AugAssign(self, node: cst.AugAssign) -> None:
        if isinstance(node.target, cst.Name):
            self._add(node.target, None)

    def visit_AnnAssign(self, node: cst.AnnAssign) -> None:
        self._add(node.target, node.value)

    def visit_For(self, node: cst.For) -> None:
        self._add(node.target, None)

    def visit_NamedExpr(self, node: cst.NamedExpr) -> None:
        self._add(node.target, None)

    def visit_WithItem(self, node: cst.WithItem) -> None:
        if node.asname is not None:
            self._add(node.asname.name, None)

    def visit_FunctionDef(self, node: cst.FunctionDef) -> bool:
        self.found.setdefault(node.name.value, []).append(None)
        return True
