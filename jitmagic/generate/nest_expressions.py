"""Expressions in the body of a nest of map loops, over the whole nest: each with the axes of the nest that it has.

An array has the axes of the nest from its first one on; those that it has not broadcast. Elements are parts of arrays
where the subscripts are an index and a constant, and gathered by arrays of whole numbers where they are others:
``c[(i - 1) % n]`` is ``c[(np.arange(n) - 1) % n]``.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, replace
from typing import Any

import libcst as cst
import numpy as np

from jitmagic.analysis.affine import Polynomial, affine
from jitmagic.analysis.loops import LoopClass
from jitmagic.analysis.scalars import assigned
from jitmagic.analysis.scope import Scope
from jitmagic.analysis.tree import base_name
from jitmagic.generate.blocks import code
from jitmagic.generate.module import Module, qualified
from jitmagic.generate.walking import children
from jitmagic.observe.facts import Observation, ValueFact

_MATH = {
    "sqrt": "sqrt", "exp": "exp", "log": "log", "log10": "log10", "log2": "log2", "log1p": "log1p", "expm1": "expm1",
    "sin": "sin", "cos": "cos", "tan": "tan", "asin": "arcsin", "acos": "arccos", "atan": "arctan", "atan2": "arctan2",
    "sinh": "sinh", "cosh": "cosh", "tanh": "tanh", "hypot": "hypot", "fabs": "fabs",
}  # fmt: skip
"""Functions of the standard library that NumPy has for arrays, with float results."""
_OF_ELEMENTS = {("clip", 3), ("where", 3), ("round", 1), ("around", 1)}
"""Functions of elements that are no ufuncs, with how many arguments."""

_INT = cst.Arg(cst.Name("int"))

STRONG = {"float": "float64", "int": "int64", "bool": "bool", "complex": "complex128"}
_LEAST = -2
"""The constant behind a length at the end of a range from which a slice of that length is never another one: with
``x[1:n - 2]`` and n < 2 both are empty, while ``x[1:n - 4]`` of three elements is not."""


_FAR = 2**31
"""Products of Python's integers as large as this may be too large for NumPy's elsewhere."""


class StaysLoopError(Exception):
    """The loop is not of the form that is rewritten."""

@dataclass(frozen=True)
class NestLoop:
    """One loop of a nest: its index, and where it begins and ends."""

    index: str
    start: Polynomial
    stop: Polynomial
    node: ast.For
    proof: LoopClass



class NestExpressions:
    """The expressions of one nest.

    Parameters
    ----------
    module : Module
    scope : Scope
    loops : list of NestLoop
        The outermost first.
    observed : Observation

    Attributes
    ----------
    private : dict of str to (frozenset of int, str)
        The axes and the dtype of what each step assigns for itself, as far as it was rewritten.
    inner : set of str
        Indices of loops inside the nest that stay loops: numbers that are the same for all steps of the nest.
    """

    def __init__(self, module: Module, scope: Scope, loops: list[NestLoop], observed: Observation) -> None:
        self.module, self.scope, self.loops, self.observed = module, scope, loops, observed
        self.names = [loop.index for loop in loops]
        self.changing = assigned([loops[0].node]) | set(self.names)
        self.private: dict[str, tuple[frozenset[int], str]] = {}
        self.inner: set[str] = set()
        self.whole = self.guarded = False
        self.by_name: dict[str, ValueFact] = {}
        self.stored: set[str] = set()
        self.gathered: set[cst.CSTNode] = set()
        self.inside: set[str] = set()
        local = module.names
        self.numpy = next(name for name, path in local.items() if path == "numpy")
        if self.numpy in scope.locals:
            raise StaysLoopError

    def find_stores(self) -> None:
        """Finds the arrays that the nest writes into."""
        targets = [one for one in ast.walk(self.loops[0].node) if isinstance(one, ast.Subscript)]
        self.stored = {name for one in targets if isinstance(one.ctx, ast.Store) and (name := base_name(one))}

    def kept(self, value: Any, dims: frozenset[int]) -> Any:
        """Copies a part of an array that a name stands for, where the nest writes into that array."""
        part = value.value if isinstance(value, cst.Attribute) else value
        base = part.value if isinstance(part, cst.Subscript) else None
        if not dims or not isinstance(base, cst.Name) or base.value in self.private or value in self.gathered:
            return value
        if not any(self.scope.may_share(base.value, one) for one in self.stored):
            return value
        copy = cst.Call(cst.Attribute(value, cst.Name("copy")))
        fact = self.module.fact(value)
        if fact is not None:
            self.module.learn(copy, fact)
        return copy

    def shape_text(self, dims: frozenset[int]) -> str:
        """Spells the shape of an array with some axes of the nest."""
        lengths = []
        for place in range(min(dims), len(self.loops)):
            loop = self.loops[place]
            self._check_bounds(loop)
            length = loop.stop - loop.start
            sure = length.constant() is not None or (len(length.terms) == 1 and length.terms[0][1] > 0)
            text = text_of(length)
            lengths.append("1" if place not in dims else text if sure else f"max({text}, 0)")
        return lengths[0] if len(lengths) == 1 else f"({', '.join(lengths)})"

    def value(self, node: Any) -> tuple[Any, frozenset[int]]:
        """Returns an expression over the whole nest, and which of its indices it depends on."""
        if isinstance(node, cst.Integer | cst.Float | cst.Imaginary):
            return node, frozenset()
        if isinstance(node, cst.Name) and node.value in ("True", "False"):
            return node, frozenset()
        if isinstance(node, cst.Name):
            return self._name(node)
        if isinstance(node, cst.Subscript):
            try:
                return self.element(node)
            except StaysLoopError:
                return self.gather(node)
        if isinstance(node, cst.Attribute):
            return self._invariant(node)
        if isinstance(node, cst.BinaryOperation):
            left, one = self.value(node.left)
            right, two = self.value(node.right)
            dims = one | two
            whole = isinstance(node.operator, cst.FloorDivide | cst.Modulo)
            if self.guarded and whole and not isinstance(node.right, cst.Integer | cst.Float):
                raise StaysLoopError  # by zero, perhaps, which some libraries refuse
            fact = self.module.fact(node)
            if dims and fact is not None and fact.kind == "int" and may_grow(node.operator, fact):
                raise StaysLoopError
            return self._made(node.with_changes(left=left, right=right), node, dims, self._promoted(node, left, right))
        if isinstance(node, cst.UnaryOperation) and isinstance(node.operator, cst.Minus | cst.Plus):
            inner, dims = self.value(node.expression)
            return self._made(node.with_changes(expression=inner), node, dims, self._promoted(node, inner))
        if isinstance(node, cst.UnaryOperation) and isinstance(node.operator, cst.Not):
            return self._logical("logical_not", node, [self.value(node.expression)])
        if isinstance(node, cst.Comparison) and len(node.comparisons) == 1:
            return self._compared(node)
        if isinstance(node, cst.Comparison) and len(node.comparisons) == 2:
            return self._between(node)
        if isinstance(node, cst.BooleanOperation):
            name = "logical_and" if isinstance(node.operator, cst.And) else "logical_or"
            return self._logical(name, node, [self.value(node.left), self.in_a_branch(node.right)])
        if isinstance(node, cst.IfExp):
            return self._chosen(node, self.value(node.test), *map(self.in_a_branch, (node.body, node.orelse)))
        if isinstance(node, cst.Call):
            return self._call(node)
        raise StaysLoopError

    def in_a_branch(self, node: Any) -> tuple[Any, frozenset[int]]:
        """Returns the value of an expression that not every step evaluates."""
        before, self.guarded = self.guarded, True
        try:
            return self.value(node)
        finally:
            self.guarded = before

    def _logical(self, name: str, node: Any, parts: list[tuple[Any, frozenset[int]]]) -> tuple[Any, frozenset[int]]:
        if not any(dims for _, dims in parts):
            return node, frozenset()
        for made, dims in parts:
            fact = self.module.fact(made)
            if not dims or fact is None or fact.dtype != "bool":
                raise StaysLoopError
        args = [cst.Arg(made.with_changes(lpar=(), rpar=())) for made, _ in parts]
        for arg, (made, _) in zip(args, parts, strict=True):
            self._same(arg.value, made)
        dims = frozenset().union(*(one for _, one in parts))
        return self._made(cst.Call(self.function(name), args), node, dims, "bool")

    def _name(self, node: cst.Name) -> tuple[Any, frozenset[int]]:
        if node.value in self.names:
            place = self.names.index(node.value)
            loop = self.loops[place]
            self._check_bounds(loop)
            first, last = text_of(loop.start), text_of(loop.stop)
            text = f"{self.numpy}.arange({last if first == '0' else f'{first}, {last}'})"
            behind = len(self.loops) - 1 - place
            text += f"[:{', None' * behind}]" if behind else ""
            made = cst.parse_expression(text)
            self.known(made, "int64", frozenset({place}))
            if isinstance(made, cst.Subscript):
                self.module.learn(made.value, ValueFact("array", "int64", (None,)))
            return made, frozenset({place})
        if node.value in self.private:
            dims, dtype = self.private[node.value]
            return (self.known(cst.Name(node.value), dtype, dims) if dims else node), dims
        return self._invariant(node)

    def _check_bounds(self, loop: NestLoop) -> None:
        """Refuses bounds that are elements of arrays: libraries that have arrays of them make no lengths of those."""
        for one in ast.walk(loop.node.iter):
            of_shape = isinstance(one, ast.Subscript) and getattr(one.value, "attr", "") == "shape"
            if isinstance(one, ast.Subscript) and not of_shape:
                raise StaysLoopError

    def _common_names(self) -> set[str]:
        """Returns the names of the loop's own that are one number for all steps of the nest."""
        return self.inner | {name for name, (dims, _) in self.private.items() if not dims}

    def check_common(self, node: Any) -> None:
        """Refuses an expression that is not the same for all steps of the nest."""
        tree = ast.parse(code(node), mode="eval")
        if {one.id for one in ast.walk(tree) if isinstance(one, ast.Name)} & self.changing - self._common_names():
            raise StaysLoopError

    def _invariant(self, node: Any) -> tuple[Any, frozenset[int]]:
        self.check_common(node)
        fact = self.seen(node)
        path = qualified(node, self.module.names, frozenset(self.scope.locals))
        if path is not None and isinstance(getattr(np, path.rpartition(".")[2], None), float):
            return node, frozenset()
        if fact is None or fact.kind not in ("scalar", *STRONG):
            raise StaysLoopError
        return node, frozenset()

    def element(self, node: cst.Subscript, store: bool = False) -> tuple[Any, frozenset[int]]:
        """Rewrites an element as the part of its array over which the nest runs."""
        parts: list[str] = []
        dims: list[int] = []
        base = node.value
        fact = self.seen(base)
        if not isinstance(base, cst.Name) or base.value in self.changing:
            raise StaysLoopError
        if fact is None or fact.kind != "array" or fact.ndim != len(node.slice):
            raise StaysLoopError
        for element in node.slice:
            if not isinstance(element.slice, cst.Index):
                raise StaysLoopError
            text, dim = self._subscript(element.slice.value)
            parts.append(text)
            if dim is not None:
                dims.append(dim)
                if self.guarded and not self._holds(fact, len(parts) - 1, element.slice.value, dim):
                    raise StaysLoopError
        if not dims:
            if store:
                raise StaysLoopError
            return self._invariant(node)
        if len(set(dims)) < len(dims):
            raise StaysLoopError
        # axes of the nest that this array has not: behind its own they are new ones, in front of them they broadcast
        behind = list(range(max(dims) + 1, len(self.loops)))
        missing = [place for place in range(min(dims), len(self.loops)) if place not in dims]
        transposed = dims != sorted(dims)
        if missing != behind or (transposed and (len(dims) != 2 or behind or store)):
            raise StaysLoopError
        parts += ["None"] * len(behind)
        self.whole = self.whole or len(dims) == len(self.loops)
        made = cst.parse_expression(f"{code(base)}[{', '.join(parts)}]{'.T' if transposed else ''}")
        dtype = fact.dtype or "float64"
        inner = made.value if isinstance(made, cst.Attribute) else made
        assert isinstance(inner, cst.Subscript)
        self.module.learn(inner.value, replace(fact, shape=(None,) * len(node.slice)))
        self.known(inner, dtype, frozenset(dims))
        self.known(made, dtype, frozenset(dims))
        return made, frozenset(dims)

    def gather(self, node: cst.Subscript) -> tuple[Any, frozenset[int]]:
        """Rewrites an element at places that are computed, for all steps at once, as an array of those elements."""
        base, fact = node.value, self.seen(node.value)
        if not isinstance(base, cst.Name) or base.value in self.changing or fact is None or fact.kind != "array":
            raise StaysLoopError
        if fact.ndim != len(node.slice) or any(not isinstance(one.slice, cst.Index) for one in node.slice):
            raise StaysLoopError
        if any(self.scope.may_share(base.value, one) for one in self.stored):
            raise StaysLoopError
        dims: frozenset[int] = frozenset()
        elements = []
        for one in node.slice:
            index: Any = one.slice.value  # type: ignore[attr-defined]
            place, axes = self.value(index)
            if axes:
                known = self.module.fact(place)
                if known is None or known.dtype not in ("int64", "int32"):
                    raise StaysLoopError
                if self.guarded and not self.is_inside(index):
                    raise StaysLoopError
            dims |= axes
            elements.append(cst.SubscriptElement(cst.Index(place)))
        if not dims:
            raise StaysLoopError
        made = cst.Subscript(base, elements)
        self.gathered.add(made)
        return self.known(made, fact.dtype or "float64", dims), dims

    def is_inside(self, node: Any) -> bool:
        """Says whether a place is in the array whatever a branch asked before: a remainder, or what an array holds."""
        remainder = isinstance(node, cst.BinaryOperation) and isinstance(node.operator, cst.Modulo)
        held = isinstance(node, cst.Name) and node.value in self.inside
        return remainder or held or isinstance(node, cst.Subscript)

    def _holds(self, fact: ValueFact, axis: int, subscript: cst.BaseExpression, place: int) -> bool:
        """Tells whether an axis was long enough for all steps of a loop, those included that left the element alone."""
        loop = self.loops[place]
        seen = self.observed.loops.get(loop.node.lineno)
        form = affine(ast.parse(code(subscript), mode="eval").body, loop.index, self.changing - {loop.index})
        first = None if form is None else (loop.start + form.offset).constant()
        length = fact.shape[axis] if fact.shape is not None else None
        return seen is not None and first is not None and length is not None and first + seen.trips_high <= length

    def _subscript(self, node: cst.BaseExpression) -> tuple[str, int | None]:
        tree = ast.parse(code(node), mode="eval").body
        for place, loop in enumerate(self.loops):
            if loop.index not in {n.id for n in ast.walk(tree) if isinstance(n, ast.Name)}:
                continue
            form = affine(tree, loop.index, self.changing - {loop.index})
            if form is None or form.coefficient != 1:
                raise StaysLoopError
            first, last = loop.start + form.offset, loop.stop + form.offset
            start = first.constant()
            behind = dict(last.terms).get("", 0)
            if start is None or start < 0 or (last.constant() is None and behind < _LEAST):
                raise StaysLoopError
            if any(count < 0 for symbol, count in last.terms if symbol):
                raise StaysLoopError
            return f"{start or ''}:{text_of(last)}", place
        names = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name)}
        fact = self.seen(node)
        inner = tree.operand if isinstance(tree, ast.UnaryOp) else tree
        literal = isinstance(inner, ast.Constant)
        if names & self.changing - self._common_names() or not (literal or (fact is not None and fact.kind == "int")):
            raise StaysLoopError
        return code(node), None

    def _compared(self, node: cst.Comparison) -> tuple[Any, frozenset[int]]:
        other = node.comparisons[0]
        if not isinstance(
            other.operator,
            cst.LessThan | cst.LessThanEqual | cst.GreaterThan | cst.GreaterThanEqual | cst.Equal | cst.NotEqual,
        ):
            raise StaysLoopError
        left, one = self.value(node.left)
        right, two = self.value(other.comparator)
        made = node.with_changes(left=left, comparisons=[other.with_changes(comparator=right)])
        return self._made(made, node, one | two, "bool")

    def _between(self, node: cst.Comparison) -> tuple[Any, frozenset[int]]:
        """Rewrites `a < b < c` as both comparisons at once."""
        one, two = node.comparisons
        middle = one.comparator
        first = cst.Comparison(node.left, [one])
        second = cst.Comparison(middle, [two])
        for made in (first, second):
            self.module.learn(made, ValueFact("bool"))
        parts = [self._compared(first), self._compared(second)]
        if not any(dims for _, dims in parts):
            return node, frozenset()
        return self._logical("logical_and", node, parts)

    def _chosen(self, node: Any, test: Any, body: Any, orelse: Any) -> tuple[Any, frozenset[int]]:
        dims = test[1] | body[1] | orelse[1]
        if not test[1] and (node is None or not isinstance(node, cst.IfExp) or dims):
            raise StaysLoopError
        if not dims:
            return node, dims
        args = [cst.Arg(part.with_changes(lpar=(), rpar=())) for part, _ in (test, body, orelse)]
        made = cst.Call(self.function("where"), args)
        return self._made(made, node, dims, self.common(node, body[0], orelse[0]))

    def common(self, node: Any, *parts: Any) -> str:
        """Returns the dtype of a choice: where it was now a number, now a scalar, that of both together."""
        fact = None if node is None else self.module.fact(node)
        if fact is not None and fact.kind != "mixed":
            return self.dtype(node)
        operands: list[Any] = []
        for part in parts:
            known = self.module.fact(part)
            if known is not None and known.dtype is not None:
                operands.append(np.dtype(known.dtype))
            else:
                operands.append({"float64": 0.0, "int64": 0}.get(self.dtype(part), np.dtype(self.dtype(part))))
        return str(np.result_type(*operands))

    def _call(self, node: cst.Call) -> tuple[Any, frozenset[int]]:
        if any(argument.keyword is not None or argument.star for argument in node.args):
            raise StaysLoopError
        path = qualified(node.func, self.module.names, frozenset(self.scope.locals))
        changing = self.changing - self._common_names()
        if not any(isinstance(one, cst.Name) and one.value in changing for one in nodes(node)):
            return self._invariant(node)  # proved to do nothing else
        if isinstance(node.func, cst.Attribute) and path is None:
            raise StaysLoopError
        given = [self.value(argument.value) for argument in node.args]
        dims = frozenset().union(*(one for _, one in given))
        if not dims:
            raise StaysLoopError
        args = [old.with_changes(value=new) for old, (new, _) in zip(node.args, given, strict=True)]
        name = node.func.value if isinstance(node.func, cst.Name) and node.func.value not in self.scope.locals else None
        if path is not None and path.startswith("numpy."):
            ufunc = getattr(np, path.removeprefix("numpy."), None)
            if (path.removeprefix("numpy."), len(given)) in _OF_ELEMENTS:
                return self._made(node.with_changes(args=args), node, dims)
            if not isinstance(ufunc, np.ufunc) or ufunc.nout != 1 or len(given) != ufunc.nin:
                raise StaysLoopError
            return self._made(node.with_changes(args=args), node, dims)
        if path is not None and path.startswith("math.") and path.removeprefix("math.") in _MATH:
            function = self.function(_MATH[path.removeprefix("math.")])
            return self._made(node.with_changes(func=function, args=args), node, dims)
        if name == "abs" and len(given) == 1:
            return self._made(node.with_changes(func=self.function("abs"), args=args), node, dims)
        if name == "int" and len(given) == 1 and not self.guarded:
            cast = cst.Call(cst.Attribute(cst.parse_expression(_atom(given[0][0])), cst.Name("astype")), [_INT])
            self._same(cast.func.value, given[0][0])  # type: ignore[attr-defined]
            return self.known(cast, "int64", dims), dims
        if name == "float" and len(given) == 1 and self.dtype(node.args[0].value) == "float64":
            return given[0]
        if name in ("max", "min") and len(given) == 3:
            first = [argument.with_changes(comma=cst.MaybeSentinel.DEFAULT) for argument in node.args[:2]]
            inner = node.with_changes(args=first)
            self.module.learn(inner, ValueFact("scalar", self.common(None, given[0][0], given[1][0]), ()))
            return self._call(node.with_changes(args=[cst.Arg(inner), node.args[2]]))
        if name in ("max", "min") and len(given) == 2:
            # as Python chooses, NaN included: the second only where it is larger (smaller)
            sign = ">" if name == "max" else "<"
            a, b = (code(new) for new, _ in given)
            text = f"{self.numpy}.where({_atom(given[1][0])} {sign} {_atom(given[0][0])}, {b}, {a})"
            made = cst.parse_expression(text)
            assert isinstance(made, cst.Call)
            test = made.args[0].value
            assert isinstance(test, cst.Comparison)
            self.known(test, "bool", dims)
            copies = (test.comparisons[0].comparator, test.left, made.args[1].value, made.args[2].value)
            for new, place in zip(copies, (0, 1, 1, 0), strict=True):
                self._same(new, given[place][0])
            return self._made(made, node, dims, self.common(node, given[0][0], given[1][0]))
        raise StaysLoopError

    # -- what is known of what is made --------------------------------------------------------------------------------

    def _same(self, copy: cst.CSTNode, node: cst.CSTNode) -> None:
        """Carries what is known of an expression over to a copy of it, part by part."""
        fact = self.module.fact(node)
        if fact is not None:
            self.module.learn(copy, fact)
        for one, two in zip(children(copy), children(node), strict=False):
            self._same(one, two)

    def _made(self, made: Any, like: Any, dims: frozenset[int], dtype: str | None = None) -> tuple[Any, frozenset[int]]:
        if not dims:
            return like, dims
        return self.known(made, dtype or self.dtype(like), dims), dims

    def known(self, node: Any, dtype: str, dims: frozenset[int]) -> Any:
        self.module.learn(node, ValueFact("array", dtype, (None,) * (len(self.loops) - min(dims))))
        return node

    def seen(self, node: cst.CSTNode) -> ValueFact | None:
        """Returns what is known of an expression, of a name also what was seen of it elsewhere in the loop.

        What no step of the example came to has no facts of its own.
        """
        fact = self.module.fact(node)
        return self.by_name.get(node.value) if fact is None and isinstance(node, cst.Name) else fact

    def _promoted(self, node: Any, *parts: Any) -> str | None:
        """Returns the dtype of an operation that no step came to, None where its own was seen."""
        if self.module.fact(node) is not None:
            return None
        found = self.common(None, *parts)
        plain = isinstance(node, cst.UnaryOperation) or isinstance(node.operator, cst.Add | cst.Subtract | cst.Multiply)
        if found != "float64" and (not plain or found == "bool"):
            raise StaysLoopError  # the operands do not tell
        return found

    def dtype(self, node: cst.CSTNode) -> str:
        fact = self.seen(node)
        if isinstance(node, cst.Integer | cst.Float):
            return "int64" if isinstance(node, cst.Integer) else "float64"
        if isinstance(node, cst.Name) and node.value in ("True", "False"):
            return "bool"
        if isinstance(node, cst.Name) and node.value in self.private:
            return self.private[node.value][1]
        if fact is not None and fact.kind == "scalar" and fact.dtype is not None:
            return fact.dtype
        if fact is not None and fact.kind == "array" and fact.shape == () and fact.dtype is not None:
            return fact.dtype  # of `np.where` of numbers
        if fact is not None and fact.kind in STRONG:
            return STRONG[fact.kind]
        return self._inferred(node)

    def _inferred(self, node: cst.CSTNode) -> str:
        """Returns the dtype of an expression that was made, from those of its parts."""
        if isinstance(node, cst.BinaryOperation):
            found = self.common(None, node.left, node.right)
            if isinstance(node.operator, cst.Divide) and np.dtype(found).kind in "biu":
                return "float64"
            if isinstance(node.operator, cst.Add | cst.Subtract | cst.Multiply | cst.Divide) or found == "float64":
                return found
        if isinstance(node, cst.UnaryOperation) and isinstance(node.operator, cst.Minus | cst.Plus):
            return self.dtype(node.expression)
        if isinstance(node, cst.Comparison):
            return "bool"
        if isinstance(node, cst.IfExp):
            return self.common(None, node.body, node.orelse)
        path = qualified(node.func, self.module.names) if isinstance(node, cst.Call) else None
        ufunc = getattr(np, (path or "").removeprefix("numpy."), None)
        if not isinstance(node, cst.Call) or not isinstance(ufunc, np.ufunc):
            raise StaysLoopError
        if ufunc.nin == len(node.args) and ufunc.nout == 1:
            given = tuple(np.dtype(self.dtype(argument.value)) for argument in node.args)
            return str(ufunc.resolve_dtypes((*given, None))[-1])
        raise StaysLoopError

    def function(self, name: str) -> cst.BaseExpression:
        return cst.Attribute(cst.Name(self.numpy), cst.Name(name))


def nodes(node: cst.CSTNode) -> list[cst.CSTNode]:
    """Returns a node and all below it."""
    return [node, *(inner for child in children(node) for inner in nodes(child))]


def may_grow(operator: cst.BaseBinaryOp, fact: ValueFact) -> bool:
    """Tells whether Python's integers, which grow, may leave the range in which NumPy's wrap around."""
    if isinstance(operator, cst.Power | cst.LeftShift):
        return True
    seen = max(abs(fact.low or 0), abs(fact.high or 0))
    return isinstance(operator, cst.Multiply) and (fact.high is None or seen > _FAR)



def _atom(node: cst.BaseExpression) -> str:
    plain = isinstance(node, cst.Name | cst.Call | cst.Subscript | cst.Attribute | cst.Integer | cst.Float) or node.lpar
    return code(node) if plain else f"({code(node)})"


def text_of(polynomial: Polynomial) -> str:
    """Spells an integer combination: symbols first, the constant last."""
    text = ""
    for symbol, count in sorted(polynomial.terms, key=lambda term: term[0] == ""):
        size = str(abs(count)) if symbol == "" else symbol if abs(count) == 1 else f"{abs(count)}*({symbol})"
        plain = symbol == "" or abs(count) != 1 or symbol.isidentifier() or symbol.endswith((")", "]")) or "." in symbol
        size = size if plain and not any(sign in symbol for sign in " ") else f"({size})"
        text += (f" {'+' if count > 0 else '-'} " if text else "-" if count < 0 else "") + size
    return text or "0"
