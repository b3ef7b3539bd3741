"""What expressions on short vectors are, component by component.

```
w*(pos[j] - pos[i])     ->    w*(pos[j, 0] - pos[i, 0]), w*(pos[j, 1] - pos[i, 1])
box*np.round(r/box)     ->    box[0]*np.round(r_0/box[0]), box[1]*np.round(r_1/box[1])
```
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import libcst as cst
import numpy as np

from jitmagic.analysis.words import words
from jitmagic.generate import names as name_tools
from jitmagic.generate.blocks import code
from jitmagic.generate.module import Module
from jitmagic.generate.precedence import bracketed
from jitmagic.generate.rewriter import Rewriter
from jitmagic.generate.walking import nodes_of
from jitmagic.observe.facts import ValueFact

_NUMBERS = frozenset({"scalar", "float", "int", "bool", "complex"})

_STRONG = {"float": "float64", "int": "int64", "bool": "bool", "complex": "complex128"}
SUMMED = frozenset({"float64", "float32", "int64", "complex128"})
"""What NumPy adds up in its own dtype."""

_ROUNDED = words("round around rint")
_MAKERS = {"zeros": 0, "empty": 0, "ones": 1, "zeros_like": 0, "empty_like": 0, "ones_like": 1}

MOST = 4
"""Longer vectors stay vectors."""

_MOST_COLUMN = 3
"""The same for axes that are not the last: rows of four are quaternions and colours, columns of four few examples."""

_SUM: Any = cst.parse_expression("a + b")
_PRODUCT: Any = cst.parse_expression("a*b")
_DIFFERENCE: Any = cst.parse_expression("a - b")
_CHOICE: Any = cst.parse_expression("a if b else c")


class Cannot(Exception):
    """An expression has no form by components."""


@dataclass(frozen=True)
class Short:
    """A name of the loop's that stands for a short vector, or a small matrix.

    Attributes
    ----------
    parts : tuple of str
        The names of its components, row by row.
    dtype : str
    shape : tuple of int
    """

    parts: tuple[str, ...]
    dtype: str
    shape: tuple[int, ...]


@dataclass(frozen=True)
class Surroundings:
    """What is known around a loop.

    Attributes
    ----------
    module : Module
    function : libcst.FunctionDef
    fact, path, spell : callable
        Return what was seen of an expression, the dotted path of an imported name, and the expression of a path.
    may_share : callable
        Says whether two names may stand for the same memory.
    taken : set of str
        Names that new ones must not be; those are added.
    """

    module: Module
    function: cst.FunctionDef
    fact: Callable[[cst.BaseExpression], ValueFact | None]
    path: Callable[[cst.BaseExpression], str | None]
    spell: Callable[[str], cst.BaseExpression]
    may_share: Callable[[str, str], bool]
    taken: set[str]


class Values(Rewriter):
    """Rewrites the expressions of one loop.

    Parameters
    ----------
    owner : Surroundings
    loop : libcst.For
    names : mapping of str to Short
        The names that stand for short vectors.

    Attributes
    ----------
    left : set of str
        Such names as are used in another way than by components.
    checks : dict of str to None
        Under which conditions an array has other lengths than those that were seen.
    done : bool
        Whether anything was rewritten.
    """

    def __init__(self, owner: Surroundings, loop: cst.For, names: Mapping[str, Short]) -> None:
        super().__init__(owner.module)
        self.owner, self.loop, self.names = owner, loop, dict(names)
        self.bound = name_tools.bound(loop)
        self.indices = {name for one in nodes_of(loop, cst.For) for name in name_tools.targets(one.target)}
        self.left: set[str] = set()
        self.checks: dict[str, None] = {}
        self.done = False
        self.new: dict[cst.CSTNode, cst.BaseExpression] = {}
        self.by_name = _by_name(owner)

    # -- hooks: numbers that are made of vectors, wherever they stand

    def visit_Name(self, node: cst.Name) -> None:
        if node.value in self.names:
            self.left.add(node.value)

    def visit_Call(self, node: cst.Call) -> bool:
        return self._enter(node)

    def visit_BinaryOperation(self, node: cst.BinaryOperation) -> bool:
        return self._enter(node)

    def visit_Subscript(self, node: cst.Subscript) -> bool:
        return self._enter(node)

    def leave_Call(self, original_node: cst.Call, updated_node: cst.Call) -> cst.BaseExpression:
        return self.new.get(original_node, updated_node)

    def leave_BinaryOperation(
        self, original_node: cst.BinaryOperation, updated_node: cst.BinaryOperation
    ) -> cst.BaseExpression:
        return self.new.get(original_node, updated_node)

    def leave_Subscript(self, original_node: cst.Subscript, updated_node: cst.Subscript) -> cst.BaseExpression:
        return self.new.get(original_node, updated_node)

    def _enter(self, node: cst.BaseExpression) -> bool:
        if node in self.new:
            return False
        before = dict(self.checks)
        try:
            new = self.made_of_vectors(node)
        except Cannot:
            new = None
        if new is None:
            self.checks = before
            return True
        self.new[node] = new
        self.done = True
        return False

    def number(self, node: cst.BaseExpression) -> Any:
        """Returns an expression that is a number, with what is made of vectors in it rewritten."""
        before = set(self.left)
        new = node.visit(self)
        if self.left - before:
            raise Cannot
        return new

    # -- what is known

    def seen(self, node: cst.BaseExpression) -> ValueFact | None:
        """Returns what was seen of an expression."""
        return self.owner.fact(node)

    def is_number(self, node: cst.BaseExpression) -> bool:
        """Says whether an expression was a number each time."""
        fact = self.seen(node)
        return fact is not None and fact.kind in _NUMBERS

    def is_own(self, node: cst.BaseExpression) -> bool:
        """Says whether this is a name that is taken apart."""
        return isinstance(node, cst.Name) and node.value in self.names

    def length(self, node: cst.BaseExpression) -> int | None:
        """Returns the length of a short vector; None for anything else."""
        if isinstance(node, cst.Name) and node.value in self.names:
            return self.names[node.value].shape[0] if len(self.names[node.value].shape) == 1 else None
        fact = self.seen(node)
        if fact is None and isinstance(node, cst.Name):
            fact = self.by_name.get(node.value)
        if fact is None or fact.kind != "array" or fact.shape is None or len(fact.shape) != 1:
            return None
        long = fact.shape[0]
        return long if long is not None and 2 <= long <= MOST else None

    def array_fact(self, node: cst.Name) -> ValueFact:
        """Returns what was seen of an array by name."""
        fact = self.owner.module.fact(node) or self.by_name.get(node.value)
        if fact is None or fact.kind != "array" or fact.shape is None or fact.dtype is None:
            raise Cannot
        return fact

    def number_fact(self, node: cst.BaseExpression) -> ValueFact:
        """Returns the fact of a component of a vector."""
        fact = self.seen(node)
        return ValueFact("scalar", None if fact is None else fact.dtype, ())

    # -- vectors

    def own(self, name: str) -> list[Any]:
        """Returns the names of the components of a name."""
        found = [cst.Name(part) for part in self.names[name].parts]
        for one in found:
            self.module.learn(one, ValueFact("scalar", self.names[name].dtype, ()))
        return found

    def copied(self, node: Any) -> Any:
        """Returns a copy of an expression of which the same is known."""
        copy = node.deep_clone()
        self.module.inherit_parts(copy, node)
        return copy

    def vector(self, node: cst.BaseExpression, length: int) -> list[Any]:
        """Returns the components of an expression; a number is the same for all."""
        found = self._vector(node, length)
        fact = self.seen(node)
        if fact is not None and fact.kind == "array":
            for one in found:
                self.module.learn(one, ValueFact("scalar", fact.dtype, ()))
        return found

    def _vector(self, node: Any, length: int) -> list[Any]:
        if self.is_own(node):
            if self.names[node.value].shape != (length,):
                raise Cannot
            return self.own(node.value)
        if self.is_number(node):
            one = self.number(node)
            return [one, *(self.copied(one) for _ in range(length - 1))]
        if isinstance(node, cst.BinaryOperation):
            if isinstance(node.operator, cst.MatrixMultiply):
                return self.transformed(node.left, node.right, length)
            left, right = self.vector(node.left, length), self.vector(node.right, length)
            return [self.operation(node, one, two) for one, two in zip(left, right, strict=True)]
        if isinstance(node, cst.UnaryOperation) and not isinstance(node.operator, cst.Not):
            inner = self.vector(node.expression, length)
            return [node.with_changes(expression=bracketed(node, "expression", one)) for one in inner]
        if isinstance(node, cst.Comparison) and len(node.comparisons) == 1:
            return self._compared(node, length)
        if isinstance(node, cst.IfExp):
            test = self.number(node.test)
            one, two = self.vector(node.body, length), self.vector(node.orelse, length)
            return [
                cst.IfExp(test=self.copied(test), body=bracketed(node, "body", a), orelse=bracketed(node, "orelse", b))
                for a, b in zip(one, two, strict=True)
            ]
        if isinstance(node, cst.Call):
            return self._call(node, length)
        if isinstance(node, cst.Subscript) and self.is_own(node.value):
            return self._own_part(node, length)
        if isinstance(node, cst.Name | cst.Subscript):
            return self.elements(node, length)
        raise Cannot

    def operation(self, node: cst.BinaryOperation, left: Any, right: Any) -> Any:
        return node.with_changes(left=bracketed(node, "left", left), right=bracketed(node, "right", right))

    def _compared(self, node: cst.Comparison, length: int) -> list[Any]:
        target = node.comparisons[0]
        if isinstance(target.operator, cst.In | cst.NotIn | cst.Is | cst.IsNot):
            raise Cannot
        left, right = self.vector(node.left, length), self.vector(target.comparator, length)
        return [
            node.with_changes(
                left=bracketed(node, "left", one),
                comparisons=[target.with_changes(comparator=bracketed(target, "comparator", two))],
            )
            for one, two in zip(left, right, strict=True)
        ]

    def both(self, old: Any, operator: cst.BaseAugOp, new: Any) -> cst.BinaryOperation:
        """Returns what an augmented assignment computes."""
        kind: Any = getattr(cst, type(operator).__name__.removesuffix("Assign"))
        like = cst.BinaryOperation(old, kind(), new)
        return like.with_changes(left=bracketed(like, "left", old), right=bracketed(like, "right", new))

    def _call(self, node: cst.Call, length: int) -> list[Any]:
        path = self.owner.path(node.func) or ""
        name = path.rpartition(".")[2]
        given = [argument.value for argument in node.args]
        named = any(argument.star for argument in node.args)
        keywords = {a.keyword.value for a in node.args if a.keyword is not None}
        method = node.func.attr.value if not path and isinstance(node.func, cst.Attribute) else ""
        if named or keywords - {"dtype"} or (keywords and name not in ("array", *_MAKERS)):
            raise Cannot
        if method == "copy" and not given:
            assert isinstance(node.func, cst.Attribute)
            return self.vector(node.func.value, length)
        if method == "dot" and len(given) == 1:
            assert isinstance(node.func, cst.Attribute)
            return self.transformed(node.func.value, given[0], length)
        if isinstance(node.func, cst.Name) and node.func.value == "abs" and not path and len(given) == 1:
            return self._applied(node, length)
        if not path.startswith("numpy."):
            raise Cannot
        if path in ("numpy.array", "numpy.asarray"):
            return self._array(node, given[0], length)
        if path == "numpy.copy" and len(given) == 1:
            return self.vector(given[0], length)
        if name in _MAKERS and path == f"numpy.{name}":
            return self._new(node, given[0], float(_MAKERS[name]), length, name)
        if path == "numpy.full" and len(given) == 2:
            self._check_length(given[0], length)
            value = self.typed(self.number(given[1]), given[1], self.dtype(node))
            return [value, *(self.copied(value) for _ in range(length - 1))]
        if path == "numpy.cross" and len(given) == 2 and length == 3:
            return self._cross(*(self.vector(one, 3) for one in given))
        if path in ("numpy.dot", "numpy.matmul") and len(given) == 2:
            return self.transformed(given[0], given[1], length)
        if path == "numpy.where" and len(given) == 3:
            parts = [self.vector(one, length) for one in given]
            return [
                cst.IfExp(
                    test=bracketed(_CHOICE, "test", test), body=bracketed(_CHOICE, "body", one),
                    orelse=bracketed(_CHOICE, "orelse", two),
                )
                for test, one, two in zip(*parts, strict=True)
            ]  # fmt: skip
        if path == "numpy.clip" and len(given) == 3:
            low = self.function("maximum", self.vector(given[0], length), self.vector(given[1], length))
            return self.function("minimum", low, self.vector(given[2], length))
        ufunc = getattr(np, name, None) if path == f"numpy.{name}" else None
        if isinstance(ufunc, np.ufunc) and ufunc.nout == 1 and ufunc.nin == len(given):
            return self._applied(node, length)
        if path == f"numpy.{name}" and name in _ROUNDED and len(given) == 1:
            return self._applied(node, length)
        raise Cannot

    def _applied(self, node: cst.Call, length: int) -> list[Any]:
        """Returns a function of elements of each component."""
        columns = [self.vector(argument.value, length) for argument in node.args]
        return [
            node.with_changes(
                func=node.func.deep_clone(),
                args=[old.with_changes(value=_plain(one)) for old, one in zip(node.args, row, strict=True)],
            )
            for row in zip(*columns, strict=True)
        ]

    def function(self, name: str, *columns: Sequence[Any]) -> list[Any]:
        return [
            cst.Call(self.owner.spell(f"numpy.{name}"), [cst.Arg(_plain(one)) for one in row])
            for row in zip(*columns, strict=True)
        ]

    def _array(self, node: cst.Call, given: cst.BaseExpression, length: int) -> list[Any]:
        if not isinstance(given, cst.List | cst.Tuple) or len(given.elements) != length:
            raise Cannot
        if any(isinstance(one, cst.StarredElement) for one in given.elements):
            raise Cannot
        dtype = self.dtype(node)
        return [self.typed(self.number(one.value), one.value, dtype) for one in given.elements]

    def _new(self, node: cst.Call, given: cst.BaseExpression, value: float, length: int, name: str) -> list[Any]:
        if name.endswith("_like"):
            if self.length(given) != length:
                raise Cannot
            if not self.is_own(given):
                self.vector(given, length)  # its length is that
        else:
            self._check_length(given, length)
        dtype = self.dtype(node)
        text = str(int(value)) if np.dtype(dtype).kind in "iu" else f"{value}"
        if np.dtype(dtype).kind not in "iufc":
            raise Cannot
        text = f"{value:.0f}j" if dtype == "complex128" and not value else text
        return [cst.parse_expression(text) for _ in range(length)]

    def dtype(self, node: cst.BaseExpression) -> str:
        fact = self.seen(node)
        if fact is None or fact.dtype is None:
            raise Cannot
        return fact.dtype

    def _check_length(self, node: cst.BaseExpression, length: int) -> None:
        """Takes a length as it was seen; it is compared before the loop where it is not written as a number."""
        if isinstance(node, cst.Tuple) and len(node.elements) == 1:
            node = node.elements[0].value
        if integer(node) == length:
            return
        if isinstance(node, cst.Call) and code(node.func) == "len" and len(node.args) == 1:
            inner = node.args[0].value
            if self.is_own(inner) and self.length(inner) == length:
                return
        plain = isinstance(node, cst.Name | cst.Subscript | cst.Attribute)
        fact = self.seen(node)
        whole = fact is not None and fact.kind == "int" and fact.low == fact.high == length
        if not plain or not whole or name_tools.loads(node) & (self.bound | set(self.names)):
            raise Cannot
        if isinstance(node, cst.Subscript) and not code(node.value).endswith(".shape"):
            raise Cannot
        self.checks[f"{code(node)} != {length}"] = None

    def typed(self, new: Any, old: cst.BaseExpression, dtype: str) -> Any:
        """Returns a number as an array of a dtype holds it: an int in an array of floats is a float."""
        fact = self.seen(old)
        kind = None if fact is None else fact.dtype if fact.kind == "scalar" else _STRONG.get(fact.kind)
        if kind is None or kind == dtype:
            if kind is None:
                raise Cannot
            return new
        if dtype == "float64" and kind == "int64":
            value = integer(new)
            if value is not None:
                return cst.parse_expression(f"{value}.0")
            return cst.Call(cst.Name("float"), [cst.Arg(_plain(new))])
        if np.result_type(kind, dtype) == np.dtype(dtype) and np.dtype(dtype).kind in "fc":
            return new  # a narrower number: arithmetic is that of the wider one at the next operation
        raise Cannot

    # -- elements of arrays

    def elements(self, node: cst.BaseExpression, length: int | None = None) -> list[Any]:
        """Returns the elements of an array, or of a row of one."""
        found, shape = self.places(node)
        if len(shape) != 1 or (length is not None and shape != (length,)):
            raise Cannot
        return found

    def _own_part(self, node: cst.Subscript, length: int) -> list[Any]:
        """Returns a part of a vector, or a row or column of a matrix, that is taken apart."""
        assert isinstance(node.value, cst.Name)
        short = self.names[node.value.value]
        names = self.own(node.value.value)
        places: list[Any] = [range(extent) for extent in short.shape]
        for axis, element in enumerate(node.slice):
            part: Any = element.slice
            if axis >= len(places):
                raise Cannot
            if isinstance(part, cst.Index):
                at = integer(part.value)
                if at is None or not -short.shape[axis] <= at < short.shape[axis]:
                    raise Cannot
                places[axis] = [at % short.shape[axis]]
                continue
            ends = [None if end is None else integer(end) for end in (part.lower, part.upper)]
            written = [end for end in (part.lower, part.upper) if end is not None]
            if part.step is not None or len(written) != sum(end is not None for end in ends):
                raise Cannot
            places[axis] = places[axis][ends[0] : ends[1]]
        if len(places) == 1:
            found = [names[k] for k in places[0]]
        else:
            found = [names[r * short.shape[1] + c] for r in places[0] for c in places[1]]
        whole = sum(isinstance(one, range) for one in places)
        if whole != 1 or len(found) != length:
            raise Cannot
        return found

    def places(self, node: cst.BaseExpression) -> tuple[list[Any], tuple[int, ...]]:
        """Returns the elements of a row, or of a matrix, in an array, and its shape."""
        base, places, free = self._free(node)
        if len(free) == 1:
            (axis, start, count) = free[0]
            return [self._element(base, places, {axis: start + k}, k) for k in range(count)], (count,)
        if len(free) != 2:
            raise Cannot
        (one, first, rows), (two, second, columns) = free
        found = [
            self._element(base, places, {one: first + r, two: second + c}, r + c)
            for r in range(rows)
            for c in range(columns)
        ]
        return found, (rows, columns)

    def _free(self, node: cst.BaseExpression) -> tuple[cst.Name, list[Any], list[tuple[int, int, int]]]:
        """Returns an array, what stands at each of its axes, and where its free axes begin and how long they are."""
        base, parts = flat(node)
        if base.value in self.names or base.value in self.bound:
            raise Cannot
        fact = self.array_fact(base)
        shape = fact.shape or ()
        if len(parts) > len(shape):
            raise Cannot
        places: list[Any] = []
        free: list[tuple[int, int, int]] = []
        for axis in range(len(shape)):
            part = parts[axis] if axis < len(parts) else cst.Slice(None, None)
            if isinstance(part, cst.Index):
                if not self._is_whole(part.value):
                    raise Cannot
                places.append(self.number(part.value))
                continue
            places.append(None)
            start, count = self._part(base.value, axis, part, shape[axis], axis == len(shape) - 1)
            free.append((axis, start, count))
        return base, places, free

    def _part(self, name: str, axis: int, part: cst.Slice, seen: int | None, last: bool) -> tuple[int, int]:
        """Returns where a slice begins and how many elements it has; arrays of other lengths are refused."""
        start = 0 if part.lower is None else integer(part.lower)
        stop = seen if part.upper is None else integer(part.upper)
        if part.step is not None or start is None or stop is None or seen is None or not 0 <= start < stop <= seen:
            raise Cannot
        if not 2 <= stop - start <= (MOST if last else _MOST_COLUMN):
            raise Cannot
        sign = "!=" if part.upper is None else "<"
        self.checks[f"{name}.shape[{axis}] {sign} {stop}"] = None
        return start, stop - start

    def _element(self, base: cst.Name, places: list[Any], fixed: Mapping[int, int], number: int) -> cst.Subscript:
        elements = []
        for axis, place in enumerate(places):
            index = cst.Integer(str(fixed[axis])) if place is None else self.copied(place) if number else place
            elements.append(cst.SubscriptElement(cst.Index(_plain(index))))
        array = self.copied(base)
        made = cst.Subscript(array, elements)
        fact = self.array_fact(base)
        self.module.learn(array, replace(fact, count=1))
        self.module.learn(made, ValueFact("scalar", fact.dtype, ()))
        return made

    def _is_whole(self, node: cst.BaseExpression) -> bool:
        fact = self.seen(node)
        if fact is None:
            return isinstance(node, cst.Name) and node.value in self.indices
        return fact.kind == "int" or (fact.kind == "scalar" and "int" in (fact.dtype or ""))

    def own_place(self, node: cst.Subscript) -> int:
        """Returns which component of a name that is taken apart a subscript is."""
        assert isinstance(node.value, cst.Name)
        shape = self.names[node.value.value].shape
        if len(node.slice) != len(shape):
            raise Cannot
        place = 0
        for extent, element in zip(shape, node.slice, strict=True):
            at = integer(element.slice.value) if isinstance(element.slice, cst.Index) else None
            if at is None or not -extent <= at < extent:
                raise Cannot
            place = place * extent + at % extent
        return place

    def kind(self, node: Any) -> str | None:
        if self.is_own(node):
            return self.names[node.value].dtype
        fact = self.seen(node) or (self.by_name.get(node.value) if isinstance(node, cst.Name) else None)
        return None if fact is None else fact.dtype

    def total(self, parts: Sequence[Any]) -> Any:
        found = parts[0]
        for one in parts[1:]:
            found = _SUM.with_changes(left=bracketed(_SUM, "left", _plain(found)), right=_tight(_SUM, one))
        return found

    def _cross(self, a: list[Any], b: list[Any]) -> list[Any]:
        found = []
        for one, two in ((1, 2), (2, 0), (0, 1)):
            left = product(self.copied(a[one]), self.copied(b[two]))
            right = product(self.copied(a[two]), self.copied(b[one]))
            first = _tight(_DIFFERENCE, left, "left")
            found.append(_DIFFERENCE.with_changes(left=first, right=_tight(_DIFFERENCE, right)))
        return found

    # -- what further files know

    def transformed(self, left: Any, right: Any, length: int) -> list[Any]:
        """Returns the components of a small matrix times a vector, or of a vector times one."""
        raise Cannot

    def made_of_vectors(self, node: Any) -> Any | None:
        """Returns what takes the place of a number that is made of short vectors; None for anything else."""
        return None


def _by_name(owner: Surroundings) -> dict[str, ValueFact]:
    """Returns what was seen of the function's arrays by name; of an axis that differed the length is left open."""
    found: dict[str, ValueFact | None] = {}
    for node in nodes_of(owner.function, cst.Name):
        fact = owner.module.fact(node)
        if fact is None:
            continue
        before = found.setdefault(node.value, fact)
        if before is None or before == fact:
            continue
        one, two = before.shape, fact.shape
        alike = (before.kind, before.dtype) == (fact.kind, fact.dtype) == ("array", fact.dtype)
        if not alike or one is None or two is None or len(one) != len(two):
            found[node.value] = None
            continue
        shape = tuple(a if a == b else None for a, b in zip(one, two, strict=True))
        found[node.value] = replace(before, shape=shape)
    return {name: fact for name, fact in found.items() if fact is not None and fact.kind == "array"}


def flat(node: cst.BaseExpression) -> tuple[cst.Name, list[Any]]:
    """Returns the array of a subscript and what stands at its axes; `pos[i][j]` is `pos[i, j]`.

    >>> flat(cst.parse_expression("pos[i, :2]"))[0].value
    'pos'
    """
    parts: list[Any] = []
    first = True
    while isinstance(node, cst.Subscript):
        own = [element.slice for element in node.slice]
        if not first and not all(isinstance(part, cst.Index) for part in own):
            raise Cannot  # a slice leaves its axis to the next subscript
        parts = [*own, *parts]
        node, first = node.value, False
    if not isinstance(node, cst.Name):
        raise Cannot
    return node, parts


def integer(node: cst.BaseExpression) -> int | None:
    """Returns an integer that is written out.

    >>> integer(cst.parse_expression("-1")), integer(cst.parse_expression("n"))
    (-1, None)
    """
    if isinstance(node, cst.Integer):
        return int(node.evaluated_value)
    if isinstance(node, cst.UnaryOperation) and isinstance(node.operator, cst.Minus):
        inner = integer(node.expression)
        return None if inner is None else -inner
    return None


def _plain(node: Any) -> Any:
    """Takes the parentheses off what stands between others."""
    if isinstance(node, cst.Tuple | cst.GeneratorExp) or not node.lpar:
        return node
    return node.with_changes(lpar=(), rpar=())


def _tight(parent: Any, node: Any, field: str = "right") -> Any:
    """Returns a node with the parentheses that it needs, and no others."""
    return bracketed(parent, field, _plain(node))


def product(one: Any, two: Any) -> Any:
    return _PRODUCT.with_changes(left=_tight(_PRODUCT, one, "left"), right=_tight(_PRODUCT, two))
