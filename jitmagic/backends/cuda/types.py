"""The types of values in loops that Numba compiles, by Numba's own rules (documentation, "Numba type inference").

Needed to tell arrays from numbers on the host, and to declare variables in C++.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from jitmagic.analysis.words import words

NUMBERS = ("bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64",
           "float32", "float64", "complex64", "complex128")  # fmt: skip

PYTHON = {"int": "int64", "float": "float64", "bool": "bool", "complex": "complex128"}
"""What Python's own numbers are."""


@dataclass(frozen=True)
class Scalar:
    """A number of a dtype."""

    dtype: str


@dataclass(frozen=True)
class Array:
    """An array of a dtype with so many axes; a view where it is a part of another one."""

    dtype: str
    ndim: int
    view: bool = False


@dataclass(frozen=True)
class Several:
    """A tuple."""

    items: tuple[Type, ...]


@dataclass(frozen=True)
class Named:
    """A dtype that stands for itself, as `x.dtype` and `np.float32` do."""

    dtype: str


Type = Scalar | Array | Several | Named

INT, FLOAT, BOOL = Scalar("int64"), Scalar("float64"), Scalar("bool")


class Untyped(Exception):
    """A form that has no type here.

    Attributes
    ----------
    node : ast.AST
    reason : str
    """

    def __init__(self, node: ast.AST, reason: str) -> None:
        super().__init__(reason)
        self.node, self.reason = node, reason


KEEPS = words(
    "sqrt exp exp2 expm1 log log2 log10 log1p sin cos tan asin acos atan sinh cosh tanh asinh acosh atanh arcsin "
    "arccos arctan arcsinh arccosh arctanh floor ceil trunc fabs erf erfc gamma lgamma cbrt radians degrees "
    "deg2rad rad2deg"
)
"""Functions of one number that give a float: float32 of a float32, float64 of anything else."""

COMPLEX = words("sqrt exp log log10 sin cos tan sinh cosh tanh")
"""Those of them that kernels have for complex numbers too."""

ROUNDED = words("rint round around")
"""Functions that round a float to a whole one, halves to even."""

JOINS = words("maximum minimum fmax fmin atan2 arctan2 hypot copysign fmod power pow")
"""Functions of two numbers that give their common type."""

TESTS = words("isnan isinf isfinite logical_and logical_or logical_not signbit")


def is_complex(dtype: str) -> bool:
    """Says whether a dtype is one of complex numbers."""
    return dtype.startswith("complex")


def joined(one: str, other: str) -> str:
    """Returns the dtype of a sum of two numbers as Numba types it: integers become 64 bits wide.

    >>> joined("int32", "int32"), joined("float32", "float32"), joined("float32", "int64"), joined("bool", "bool")
    ('int64', 'float32', 'float64', 'int64')
    """
    both = np.result_type(one, other)
    if both.kind in "bi":
        return "int64"
    if both.kind == "u":
        return "uint64"
    return str(both)


def divided(one: str, other: str) -> str:
    """Returns the dtype of a true quotient.

    >>> divided("int64", "int64"), divided("float32", "float32")
    ('float64', 'float32')
    """
    both = joined(one, other)
    return "float64" if np.dtype(both).kind in "iu" else both


def unified(one: Type, other: Type) -> Type | None:
    """Returns the type of a variable that is assigned both; None where there is none."""
    if one == other:
        return one
    if isinstance(one, Scalar) and isinstance(other, Scalar):
        if {one.dtype, other.dtype} <= {"bool"}:
            return one
        return Scalar(joined(one.dtype, other.dtype))
    if isinstance(one, Array) and isinstance(other, Array) and (one.dtype, one.ndim) == (other.dtype, other.ndim):
        return Array(one.dtype, one.ndim, one.view or other.view)
    if isinstance(one, Several) and isinstance(other, Several) and len(one.items) == len(other.items):
        items = [unified(a, b) for a, b in zip(one.items, other.items, strict=True)]
        if all(item is not None for item in items):
            return Several(tuple(item for item in items if item is not None))
    return None


_INDICES = ast.Constant | ast.Name | ast.BinOp | ast.UnaryOp | ast.Call | ast.Subscript | ast.IfExp
"""Forms of an index."""

_OF_COMPLEX = ast.Add | ast.Sub | ast.Mult | ast.Div | ast.Pow
"""Operators that complex numbers have."""

Resolve = Callable[[ast.AST], str | None]


class Typer:
    """Types expressions.

    Parameters
    ----------
    known : mapping of str to Type
        The names' types; it may grow meanwhile.
    path : callable
        Returns the dotted path of a library's function or module, e.g. ``"numpy.sqrt"``; None for other expressions.
    called : callable
        Types a call of a function of the module itself: takes its name, the call and the arguments' types.
    elements : bool
        Whether elements of arrays may be read: on the host each would be fetched from the GPU.
    """

    def __init__(
        self,
        known: Mapping[str, Type],
        path: Resolve,
        called: Callable[[str, ast.Call, tuple[Type, ...]], Type | None],
        elements: bool = True,
    ) -> None:
        self.known, self.path, self.called, self.elements = known, path, called, elements

    def of(self, node: ast.expr) -> Type:
        """Returns an expression's type; raises Untyped."""
        method = getattr(self, f"_{type(node).__name__.lower()}", None)
        if method is None:
            raise Untyped(node, f"`{ast.unparse(node)}` has no form in a kernel")
        found: Type = method(node)
        return found

    def number(self, node: ast.expr) -> str:
        """Returns the dtype of an expression that has to be a number."""
        found = self.of(node)
        if not isinstance(found, Scalar):
            raise Untyped(node, f"`{ast.unparse(node)}` is no number")
        return found.dtype

    def _constant(self, node: ast.Constant) -> Type:
        for kind, dtype in ((bool, "bool"), (int, "int64"), (float, "float64"), (complex, "complex128")):
            if isinstance(node.value, kind):
                return Scalar(dtype)
        raise Untyped(node, f"{node.value!r} is no number")

    def _name(self, node: ast.Name) -> Type:
        if node.id not in self.known:
            raise Untyped(node, f"what `{node.id}` is was not found")
        return self.known[node.id]

    def _tuple(self, node: ast.Tuple) -> Type:
        return Several(tuple(self.of(one) for one in node.elts))

    def _attribute(self, node: ast.Attribute) -> Type:
        path = self.path(node)
        if path is not None:
            name = path.rpartition(".")[2]
            if name in ("pi", "e", "inf", "nan", "tau", "euler_gamma"):
                return FLOAT
            if name.removesuffix("_") in NUMBERS:
                return Named(name.removesuffix("_"))
            raise Untyped(node, f"`{ast.unparse(node)}` has no form in a kernel")
        base = self.of(node.value)
        if isinstance(base, Array):
            if node.attr == "shape":
                return Several((INT,) * base.ndim)
            if node.attr in ("size", "ndim"):
                return INT
            if node.attr == "dtype":
                return Named(base.dtype)
        if isinstance(base, Scalar) and node.attr in ("real", "imag"):
            return Scalar(real_part_of(base.dtype))
        raise Untyped(node, f"`{ast.unparse(node)}` has no form in a kernel")

    def _subscript(self, node: ast.Subscript) -> Type:
        base = self.of(node.value)
        parts = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        if isinstance(base, Several):
            try:
                number = ast.literal_eval(node.slice)
            except ValueError:
                number = None
            if isinstance(number, int) and -len(base.items) <= number < len(base.items):
                return base.items[number]
            raise Untyped(node, f"`{ast.unparse(node)}` is not known beforehand")
        if not isinstance(base, Array):
            raise Untyped(node, f"`{ast.unparse(node.value)}` is no array")
        left = base.ndim
        for part in parts:
            if isinstance(part, ast.Slice):
                continue
            if not isinstance(part, _INDICES):
                raise Untyped(node, f"`{ast.unparse(node)}` is more than an element or a part of an array")
            if np.dtype(self.number(part)).kind not in "iu":
                raise Untyped(part, f"`{ast.unparse(part)}` is no integer")
            left -= 1
        if len(parts) > base.ndim:
            raise Untyped(node, f"`{ast.unparse(node)}` has too many indices")
        if left == 0 and not self.elements:
            raise Untyped(node, f"`{ast.unparse(node)}` would be fetched from the GPU")
        return Scalar(base.dtype) if left == 0 else Array(base.dtype, left, True)

    def _binop(self, node: ast.BinOp) -> Type:
        left, right = self.number(node.left), self.number(node.right)
        if isinstance(node.op, ast.MatMult):
            raise Untyped(node, "a matrix product has no form in a kernel")
        if is_complex(joined(left, right)) and not isinstance(node.op, _OF_COMPLEX):
            raise Untyped(node, f"`{ast.unparse(node)}` is of complex numbers")
        if isinstance(node.op, ast.Div):
            return Scalar(divided(left, right))
        if isinstance(node.op, ast.Pow) and isinstance(node.right, ast.Constant) and isinstance(node.right.value, int):
            return Scalar(joined(left, left)) if np.dtype(left).kind in "biu" else Scalar(left)
        if isinstance(node.op, ast.BitAnd | ast.BitOr | ast.BitXor) and left == right == "bool":
            return BOOL
        return Scalar(joined(left, right))

    def _unaryop(self, node: ast.UnaryOp) -> Type:
        dtype = self.number(node.operand)
        if isinstance(node.op, ast.Not):
            return BOOL
        if isinstance(node.op, ast.Invert) and is_complex(dtype):
            raise Untyped(node, f"`{ast.unparse(node)}` is of a complex number")
        if isinstance(node.op, ast.Invert):
            return Scalar(dtype)
        return Scalar("int64" if np.dtype(dtype).kind in "bi" else dtype)

    def _compare(self, node: ast.Compare) -> Type:
        kinds = [self.number(one) for one in (node.left, *node.comparators)]
        if any(map(is_complex, kinds)) and not all(isinstance(one, ast.Eq | ast.NotEq) for one in node.ops):
            raise Untyped(node, f"`{ast.unparse(node)}` orders complex numbers")
        return BOOL

    def _boolop(self, node: ast.BoolOp) -> Type:
        kinds = {self.number(one) for one in node.values}
        if kinds != {"bool"}:
            raise Untyped(node, f"`{ast.unparse(node)}` is a choice between numbers")
        return BOOL

    def _ifexp(self, node: ast.IfExp) -> Type:
        self.number(node.test)
        found = unified(self.of(node.body), self.of(node.orelse))
        if found is None:
            raise Untyped(node, f"`{ast.unparse(node)}` is of two kinds")
        return found

    def _call(self, node: ast.Call) -> Type:
        path = self.path(node.func)
        if path is None and isinstance(node.func, ast.Name):
            return self._plain(node, node.func.id)
        name = (path or "").rpartition(".")[2]
        method = node.func.attr if path is None and isinstance(node.func, ast.Attribute) else None
        if method in ("conj", "conjugate") and not node.args and not node.keywords:
            return Scalar(self.number(node.func.value))  # type: ignore[attr-defined]
        if path is None or path.partition(".")[0] not in ("numpy", "math", "cmath") or node.keywords:
            raise Untyped(node, f"`{ast.unparse(node.func)}` has no form in a kernel")
        kinds = [self.number(one) for one in node.args]
        if path.startswith("cmath.") or any(map(is_complex, kinds)):
            return self._complex_call(node, path, kinds)
        if name.removesuffix("_") in NUMBERS and len(kinds) == 1:
            return Scalar(name.removesuffix("_"))
        if name in ("abs", "absolute") and len(kinds) == 1:
            return Scalar(kinds[0])
        if name in ("real", "imag", "conj", "conjugate") and len(kinds) == 1:
            return Scalar(kinds[0])
        if name in KEEPS and len(kinds) == 1:
            return Scalar("float32" if kinds[0] == "float32" else "float64")
        if name in ROUNDED and len(kinds) == 1 and np.dtype(kinds[0]).kind == "f":
            return Scalar(kinds[0])
        if name in JOINS and len(kinds) == 2:
            both = joined(*kinds)
            return Scalar(both if name in ("maximum", "minimum", "power") else divided(both, both))
        if name in TESTS:
            return BOOL
        raise Untyped(node, f"`{ast.unparse(node.func)}` has no form in a kernel")

    def _complex_call(self, node: ast.Call, path: str, kinds: list[str]) -> Type:
        """Types a call of NumPy's with complex numbers, or of cmath's, whose result is complex for real ones too."""
        module, _, name = path.rpartition(".")
        python = module == "cmath"
        if len(kinds) == 1 and module != "math":
            own = "complex128" if python else kinds[0]
            if name in COMPLEX:
                return Scalar(own)
            if name in ("isnan", "isinf", "isfinite"):
                return BOOL
            if name == ("phase" if python else "angle"):
                return Scalar(real_part_of(own))
            if not python and name.removesuffix("_") in ("complex64", "complex128", "bool"):
                return Scalar(name.removesuffix("_"))
            if not python and name in ("abs", "absolute", "real", "imag"):
                return Scalar(real_part_of(own))
            if not python and name in ("conj", "conjugate"):
                return Scalar(own)
        if path == "numpy.power" and len(kinds) == 2:
            return Scalar(joined(*kinds))
        raise Untyped(node, f"`{ast.unparse(node.func)}` of complex numbers has no form in a kernel")

    def _plain(self, node: ast.Call, name: str) -> Type:
        if name == "len" and len(node.args) == 1:
            self.of(node.args[0])
            return INT
        if name == "max" or name == "min":
            kinds = [self.number(one) for one in node.args]
            found = kinds[0]
            if any(map(is_complex, kinds)):
                raise Untyped(node, f"`{ast.unparse(node)}` orders complex numbers")
            for kind in kinds[1:]:
                found = found if found == kind else joined(found, kind)
            if len(kinds) < 2:
                raise Untyped(node, f"`{ast.unparse(node)}` has no form in a kernel")
            return Scalar(found)
        if name == "abs" and len(node.args) == 1:
            return Scalar(real_part_of(self.number(node.args[0])))
        if name in ("int", "float", "bool", "complex") and node.args:
            kinds = [self.number(one) for one in node.args]
            if any(map(is_complex, kinds)) and (name in ("int", "float") or len(kinds) > 1):
                raise Untyped(node, f"`{ast.unparse(node)}` makes another number of a complex one")
            return Scalar({"int": "int64", "float": "float64", "bool": "bool", "complex": "complex128"}[name])
        found_type = self.called(name, node, tuple(self.of(one) for one in node.args))
        if found_type is None:
            raise Untyped(node, f"`{name}` has no form in a kernel")
        return found_type


def real_part_of(dtype: str) -> str:
    """Returns the dtype of a number's real part.

    >>> real_part_of("complex64"), real_part_of("int64")
    ('float32', 'int64')
    """
    return {"complex128": "float64", "complex64": "float32"}.get(dtype, dtype)
