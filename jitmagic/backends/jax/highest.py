"""Finds how large a whole number that depends on values can be: from ranges of loops, lengths, searches and minima.

for i in range(1, n):      np.arange(i) has fewer than n elements, and y[:i] ends inside of y = np.zeros(n)
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import libcst as cst

from jitmagic.backends.jax.lowest import bare, count_bindings, ends_of
from jitmagic.backends.jax.sums import terms, written
from jitmagic.generate import names as name_tools
from jitmagic.generate.blocks import bound_pairs, code
from jitmagic.generate.walking import Finder

_SEARCHES = frozenset({"argmax", "argmin", "count_nonzero", "searchsorted"})
_MADE = frozenset({"zeros", "ones", "empty", "full", "arange"})
_LIKE = frozenset({"copy", "zeros_like", "ones_like", "empty_like", "full_like", "array", "asarray"})


class Highest:
    """Bounds from above.

    Parameters
    ----------
    function : libcst.FunctionDef
    traced : callable
        Says whether an expression depends on values.
    natural : callable
        Says whether an expression is never below zero.
    part : callable
        Returns the length of the axis that a vector was cut from, by the vector's name; None for another.
    vector : callable
        Says whether a name stands for an array of one axis.
    loops : sequence of libcst.For
        The loops around the place, the outermost first; the sequence is read each time.
    """

    def __init__(
        self, function: cst.FunctionDef, traced: Callable[[Any], bool], natural: Callable[[Any], bool],
        part: Callable[[str], str | None], vector: Callable[[Any], bool], loops: Sequence[cst.For],
    ) -> None:  # fmt: skip
        self.function, self.traced, self.natural = function, traced, natural
        self.part, self.vector, self.loops = part, vector, loops
        finder = _Values()
        function.visit(finder)
        self.values: Mapping[str, list[cst.BaseExpression]] = finder.found
        self.parameters = frozenset(name_tools.parameters(function))

    # what is bound once ------------------------------------------------------------------------

    def value(self, name: str) -> cst.BaseExpression | None:
        """Returns the value of a name that is bound once, None for any other."""
        found = self.values.get(name, [])
        if len(found) != 1 or count_bindings(self.function, name) != 1:
            return None
        return found[0]

    def steady(self, name: str) -> bool:
        """Says whether a name stands for arrays of one length: bound once, or again to copies of itself."""
        found = self.values.get(name, [])
        again = [v for v in found if self._copied(v) != name]
        count = count_bindings(self.function, name)
        return count == len(found) + (name in self.parameters) and len(again) + (name in self.parameters) == 1

    def unchanged(self, name: str) -> bool:
        """Says whether a name stands for one number, or for arrays of one length."""
        return count_bindings(self.function, name) <= 1 or self.steady(name)

    def _copied(self, node: cst.BaseExpression) -> str | None:
        """Returns the array of which an expression is a copy, or one as long."""
        if not isinstance(node, cst.Call) or not isinstance(node.func, cst.Attribute):
            return None
        if node.func.attr.value == "copy" and not node.args and isinstance(node.func.value, cst.Name):
            return node.func.value.value
        only = node.args[0].value if node.args else None
        module = isinstance(node.func.value, cst.Name) and node.func.value.value in ("np", "numpy", "__numpy__")
        return only.value if module and node.func.attr.value in _LIKE and isinstance(only, cst.Name) else None

    def length(self, name: str, depth: int = 6) -> Counter[str] | None:
        """Returns the length of a name's first axis as terms; None where that may differ."""
        if not self.steady(name) or depth == 0:
            return None
        known = [v for v in self.values.get(name, []) if self._copied(v) != name]
        if name not in self.parameters and known:
            source = self._copied(known[0])
            if source is not None:
                return self.length(source, depth - 1)
            if isinstance(known[0], cst.Call) and code(known[0].func).rpartition(".")[2] in _MADE and known[0].args:
                first = known[0].args[0].value
                only = len(known[0].args) == 1 or not code(known[0].func).endswith("arange")
                if only and isinstance(first, cst.Name | cst.BinaryOperation | cst.Call | cst.Attribute | cst.Integer):
                    return self.settled(terms(first), depth - 1)
        return Counter({f"{name}.shape[0]": 1})

    def settled(self, found: Counter[str], depth: int = 6) -> Counter[str]:
        """Returns terms with names of lengths replaced by the lengths themselves."""
        result: Counter[str] = Counter()
        for text, count in found.items():
            node = cst.parse_expression(text) if text else None
            inner: Counter[str] | None = None
            if depth and isinstance(node, cst.Name):
                value = self.value(node.value)
                if value is not None:
                    inner = self.settled(terms(value), depth - 1) if self._whose_length(value) else None
            elif node is not None and (name := self._whose_length(node)):
                inner = self.length(name, depth)
            for term, n in (inner if inner is not None else {text: 1}).items():
                result[term] += count * n
        return Counter({t: n for t, n in result.items() if n})

    def _whose_length(self, node: Any) -> str:
        """Returns the array whose length an expression is, '' for any other expression."""
        if isinstance(node, cst.Call) and code(node.func) == "len" and isinstance(node.args[0].value, cst.Name):
            return node.args[0].value.value
        if isinstance(node, cst.Subscript) and code(node).endswith(".shape[0]"):
            base: Any = node.value
            return base.value.value if isinstance(base.value, cst.Name) else ""
        if isinstance(node, cst.Attribute) and node.attr.value == "size" and isinstance(node.value, cst.Name):
            return node.value.value if self.vector(node.value) else ""
        return ""

    # bounds -------------------------------------------------------------------------------------

    def bound(self, node: cst.BaseExpression, depth: int = 8) -> str | None:
        """Returns an expression known while JAX compiles that a number never exceeds; None where none is found."""
        total: Counter[str] = Counter()
        for text, count in terms(node).items():
            part = cst.parse_expression(text) if text else None
            if part is None or not self.traced(part):
                # it is read at another place than the one where it was worked out
                if part is not None and not all(self.unchanged(n) for n in name_tools.loads(part)):
                    return None
                total[text] += count
                continue
            if count < 0:
                if not self.natural(part):
                    return None
                continue
            most = self.most(part, depth)
            if most is None:
                return None
            for term, n in terms(cst.parse_expression(most)).items():
                total[term] += count * n
        return written({t: n for t, n in total.items() if n})

    def most(self, node: Any, depth: int) -> str | None:
        node = bare(node)
        if depth == 0:
            return None
        if isinstance(node, cst.Name):
            for loop in reversed(self.loops):
                if isinstance(loop.target, cst.Name) and loop.target.value == node.value:
                    ends = ends_of(loop)
                    if ends is None or ends[1] is None or count_bindings(self.function, node.value) != 1:
                        return None
                    return self.bound(cst.parse_expression(written(ends[1])), depth - 1)
            value = self.value(node.value)
            return None if value is None else self.bound(value, depth - 1)
        if isinstance(node, cst.Attribute) and node.attr.value == "size" and isinstance(node.value, cst.Name):
            return self.part(node.value.value)
        if isinstance(node, cst.BinaryOperation) and isinstance(node.operator, cst.Modulo):
            return None if self.traced(node.right) or not self.natural(node.right) else code(node.right)
        if isinstance(node, cst.Call) and not node.args and isinstance(node.func, cst.Attribute):
            base = node.func.value
            if node.func.attr.value not in ("argmax", "argmin") or not isinstance(base, cst.Name):
                return None
            return self.part(base.value) or (f"{base.value}.size - 1" if self.steady(base.value) else None)
        if not isinstance(node, cst.Call) or not node.args:
            return None
        called = code(node.func).rpartition(".")[2]
        first: Any = node.args[0].value
        if called in ("min", "minimum"):
            return next((b for a in node.args if (b := self.bound(a.value, depth - 1)) is not None), None)
        if called == "len" and isinstance(first, cst.Name):
            return self.part(first.value)
        if (
            called in _SEARCHES
            and isinstance(first, cst.Name)
            and code(node.func) != called
            and self.steady(first.value)
        ):
            last = " - 1" if called in ("argmax", "argmin") else ""
            return self.part(first.value) or f"{first.value}.size{last}"
        return None

    def inside(self, node: cst.BaseExpression, array: str) -> bool:
        """Says whether a bound is proved not to lie behind the end of an array."""
        length = self.length(array)
        if length is None:
            return False
        room = Counter(length)
        highest = self.bound(node)
        if highest is None:
            return False
        room.subtract(self.settled(terms(cst.parse_expression(highest))))
        left = {t: n for t, n in room.items() if n}
        return left.pop("", 0) >= 0 and all(n > 0 and ".shape[" in t and "(" not in t for t, n in left.items())


class _Values(Finder):
    """Collects the values that statements give to names, one by one or as tuples."""

    def __init__(self) -> None:
        super().__init__()
        self.found: dict[str, list[cst.BaseExpression]] = {}

    def visit_Assign(self, node: cst.Assign) -> None:
        for assigned in node.targets:
            for target, value in bound_pairs(assigned.target, node.value):
                if isinstance(target, cst.Name):
                    self.found.setdefault(target.value, []).append(value)
