"""Expressions of kernels in CUDA C++: each in the type that Numba gives it, with Python's division and indices."""

from __future__ import annotations

import ast
import math

import numpy as np

from jitmagic.backends.cuda.cxx_text import CTYPES, cast, closes, cname, factor, literal, short
from jitmagic.backends.cuda.program import Program
from jitmagic.backends.cuda.types import Array, Scalar, Type, Typer, is_complex, joined

_NAMES = {
    "arcsin": "asin", "arccos": "acos", "arctan": "atan", "arctan2": "atan2", "arcsinh": "asinh", "arccosh": "acosh",
    "arctanh": "atanh", "gamma": "tgamma", "round": "rint", "around": "rint",
}  # fmt: skip

_OPERATORS = {
    ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.BitAnd: "&", ast.BitOr: "|", ast.BitXor: "^",
    ast.LShift: "<<", ast.RShift: ">>", ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.Eq: "==",
    ast.NotEq: "!=",
}  # fmt: skip

_OF_COMPLEX = {
    "conj": "conj", "conjugate": "conj", "angle": "arg", "phase": "arg", "isnan": "has_nan", "isinf": "has_inf",
    "isfinite": "is_finite", "power": "pow", "absolute": "abs",
}  # fmt: skip
"""Members of the structure by NumPy's names and cmath's, where they are others."""


class Uses:
    """What the text of a program uses of our own helpers.

    Parameters
    ----------
    program : Program

    Attributes
    ----------
    used : list of str
        Helpers by name.
    complex : set of str
        What is used of complex numbers: their types, operators and functions.
    """

    def __init__(self, program: Program) -> None:
        self.program = program
        self.used: list[str] = []
        self.complex: set[str] = set()

    def ctype(self, kind: Type | None, node: ast.AST) -> str:
        """Returns a number's type in C++."""
        if not isinstance(kind, Scalar) or kind.dtype not in CTYPES:
            told = kind.dtype if isinstance(kind, Scalar | Array) else "a value"
            raise self.program.refused(node, f"{told} has no type in this C++")
        if is_complex(kind.dtype):
            self.complex.add(kind.dtype)
        return CTYPES[kind.dtype]


class Expressions:
    """Expressions in C++.

    Parameters
    ----------
    uses : Uses
        Is added to.
    known : dict of str to Type
    natural : set of str
        Names that are never negative.
    starts : dict of str to (ast expression or None), optional
        Where the kernel's indices begin.
    """

    def __init__(
        self, uses: Uses, known: dict[str, Type], natural: set[str], starts: dict[str, ast.expr | None] | None = None
    ) -> None:
        self.uses, self.known, self.natural, self.starts = uses, known, natural, starts or {}
        self.typer: Typer = uses.program.typer(known, False)

    def number(self, node: ast.expr, dtype: str) -> str:
        """Returns an expression as a number of this dtype."""
        own = self.typer.number(node)
        if is_complex(own) and dtype == "bool":
            self.uses.complex.add("bool")
            return f"(bool){factor(self.text(node))}"
        if is_complex(own) and not is_complex(dtype):
            raise self.uses.program.refused(node, f"`{ast.unparse(node)}` would lose its imaginary part")
        if is_complex(dtype):
            self.uses.ctype(Scalar(dtype), node)
        return cast(self.text(node), own, dtype)

    def test(self, node: ast.expr) -> str:
        """Returns a condition."""
        if is_complex(self.typer.number(node)):
            return self.number(node, "bool")
        text = self.text(node)
        return text[1:-1] if text.startswith("(") and closes(text) else text

    def text(self, node: ast.expr) -> str:
        """Returns an expression in its own type."""
        method = getattr(self, f"_{type(node).__name__.lower()}", None)
        if method is None:
            raise self.uses.program.refused(node, f"`{ast.unparse(node)}` has no C++ here")
        text: str = method(node)
        return text

    def _constant(self, node: ast.Constant) -> str:
        self.uses.ctype(self.typer.of(node), node)
        return literal(node.value)

    def _name(self, node: ast.Name) -> str:
        self.uses.ctype(self.typer.of(node), node)
        return cname(node.id)

    def _attribute(self, node: ast.Attribute) -> str:
        path = self.uses.program.path(node)
        if path is not None:
            return literal(getattr(np, path.rpartition(".")[2], None) or getattr(math, path.rpartition(".")[2]))
        if isinstance(node.value, ast.Name) and node.attr in ("size", "ndim"):
            kind = self.typer.of(node.value)
            assert isinstance(kind, Array)
            if node.attr == "ndim":
                return literal(kind.ndim)
            text = " * ".join(f"{cname(node.value.id)}_{axis}" for axis in range(kind.ndim))
            return f"({text})" if kind.ndim > 1 else text
        if node.attr in ("real", "imag") and isinstance(self.typer.of(node.value), Scalar):
            return self._part(node.value, node.attr)
        raise self.uses.program.refused(node, f"`{ast.unparse(node)}` has no C++ here")

    def _part(self, node: ast.expr, part: str) -> str:
        """Returns the real or the imaginary part of a number."""
        dtype = self.typer.number(node)
        if is_complex(dtype):
            return f"{factor(self.text(node))}.{part}"
        return self.text(node) if part == "real" else cast("0LL", "int64", dtype)

    def _subscript(self, node: ast.Subscript) -> str:
        base = node.value
        if isinstance(base, ast.Attribute) and base.attr == "shape" and isinstance(base.value, ast.Name):
            kind = self.typer.of(base.value)
            place = ast.literal_eval(node.slice)
            assert isinstance(kind, Array)
            return f"{cname(base.value.id)}_{place % kind.ndim}"
        return self.element(node)

    def element(self, node: ast.expr) -> str:
        indices: list[ast.expr] = []
        base: ast.expr = node
        while isinstance(base, ast.Subscript):
            part = base.slice
            indices = [*(part.elts if isinstance(part, ast.Tuple) else [part]), *indices]
            base = base.value
        kind = self.typer.of(base)
        if not isinstance(base, ast.Name) or not isinstance(kind, Array) or len(indices) != kind.ndim:
            raise self.uses.program.refused(node, f"`{ast.unparse(node)}` is no element in this C++")
        name = cname(base.id)
        text = ""
        for axis, index in enumerate(indices):
            at = self.number(index, "int64")
            if not self.is_natural(index):
                self.uses.used.append("wrapped")
                at = f"wrapped({at}, {name}_{axis})"
            if kind.view:
                text += f"{' + ' if text else ''}{factor(at)} * {name}_stride_{axis}"
            elif not text:
                text = at
            else:
                text = f"{factor(text)} * {name}_{axis} + {at}"
        return f"{name}[{text}]"

    def is_natural(self, node: ast.expr) -> bool:
        """Says whether an index is proved not to be negative."""
        if isinstance(node, ast.Constant):
            return isinstance(node.value, int) and node.value >= 0
        if isinstance(node, ast.Name):
            return node.id in self.natural
        if isinstance(node, ast.BinOp):
            if isinstance(node.op, ast.Add | ast.Mult):
                return self.is_natural(node.left) and self.is_natural(node.right)
            less = node.right.value if isinstance(node.right, ast.Constant) else None
            if isinstance(node.op, ast.Sub) and isinstance(node.left, ast.Name):
                start = self.starts.get(node.left.id)
                first = start.value if isinstance(start, ast.Constant) else None
                return isinstance(first, int) and isinstance(less, int) and 0 <= less <= first
        if isinstance(node, ast.IfExp):
            return self.is_natural(node.body) and self.is_natural(node.orelse)
        return False

    def _binop(self, node: ast.BinOp) -> str:
        kind = self.typer.of(node)
        assert isinstance(kind, Scalar)
        dtype = kind.dtype
        self.uses.ctype(kind, node)
        if isinstance(node.op, ast.Pow):
            return self._power(node, dtype)
        left, right = self.number(node.left, dtype), self.number(node.right, dtype)
        if isinstance(node.op, ast.Add | ast.Sub) and dtype == "int64":
            left, right = short(left, right)
        if isinstance(node.op, ast.FloorDiv | ast.Mod):
            helper = "floor_div" if isinstance(node.op, ast.FloorDiv) else "floor_mod"
            self.uses.used.append(helper)
            return f"{helper}({left}, {right})"
        if isinstance(node.op, ast.Div) and np.dtype(dtype).kind not in "fc":
            raise self.uses.program.refused(node, f"`{ast.unparse(node)}` has no C++ here")
        if is_complex(dtype):
            self.uses.complex.add(_OPERATORS[type(node.op)])
        return f"({left} {_OPERATORS[type(node.op)]} {right})"

    def _power(self, node: ast.BinOp, dtype: str) -> str:
        base = self.number(node.left, dtype)
        power = node.right.value if isinstance(node.right, ast.Constant) else None
        if is_complex(dtype):
            return self._complex_power(node, base, dtype)
        if isinstance(power, int) and 0 <= power <= 64:
            self.uses.used.append("power")
            return f"power<{power}>({base})"
        if np.dtype(dtype).kind != "f":
            told = f"`{ast.unparse(node)}` is a power of an integer that may be negative"
            raise self.uses.program.refused(node, told)
        return f"pow({base}, {self.number(node.right, dtype)})"

    def _complex_power(self, node: ast.BinOp, base: str, dtype: str) -> str:
        try:
            power = ast.literal_eval(node.right)
        except ValueError:
            power = None
        if isinstance(power, int) and 0 < abs(power) <= 64:
            self.uses.complex |= {"power", *("/" if power < 0 else "")}
            text = f"power<{abs(power)}>({base})"
            return text if power > 0 else f"({CTYPES[dtype]}(1) / {text})"
        self.uses.complex.add("pow")
        return f"pow({base}, {self.number(node.right, dtype)})"

    def _unaryop(self, node: ast.UnaryOp) -> str:
        dtype = self.typer.number(node)
        if isinstance(node.op, ast.Not):
            return f"!{factor(self.number(node.operand, self._tested(node.operand)))}"
        if is_complex(dtype):
            if isinstance(node.op, ast.UAdd):
                return self.text(node.operand)
            self.uses.complex.add("negative")
        sign = {ast.USub: "-", ast.UAdd: "+", ast.Invert: "~"}[type(node.op)]
        if isinstance(node.op, ast.Invert) and self.typer.number(node.operand) == "bool":
            sign = "!"
        return f"({sign}{factor(self.number(node.operand, dtype))})"

    def _tested(self, node: ast.expr) -> str:
        """Returns the dtype in which a number is asked whether it is zero."""
        dtype = self.typer.number(node)
        return "bool" if is_complex(dtype) else dtype

    def _compare(self, node: ast.Compare) -> str:
        parts = []
        several = [node.left, *node.comparators]
        for one, other, operator in zip(several, several[1:], node.ops, strict=False):
            if type(operator) not in _OPERATORS:
                raise self.uses.program.refused(node, f"`{ast.unparse(node)}` has no C++ here")
            kinds = self.typer.number(one), self.typer.number(other)
            both = joined(*kinds) if set(kinds) != {"bool"} else "bool"
            if is_complex(both):
                self.uses.complex.add(_OPERATORS[type(operator)])
            left, right = short(self.number(one, both), self.number(other, both))
            parts.append(f"{left} {_OPERATORS[type(operator)]} {right}")
        return f"({' && '.join(parts)})"

    def _boolop(self, node: ast.BoolOp) -> str:
        sign = " && " if isinstance(node.op, ast.And) else " || "
        return f"({sign.join(self.text(one) for one in node.values)})"

    def _ifexp(self, node: ast.IfExp) -> str:
        dtype = self.typer.number(node)
        return f"({self.test(node.test)} ? {self.number(node.body, dtype)} : {self.number(node.orelse, dtype)})"

    def _call(self, node: ast.Call) -> str:
        path = self.uses.program.path(node.func)
        name = (path or ast.unparse(node.func)).rpartition(".")[2]
        kind = self.typer.of(node)
        assert isinstance(kind, Scalar)
        dtype = kind.dtype
        self.uses.ctype(kind, node)
        if path is None:
            if name == "len":
                base = node.args[0]
                if not isinstance(base, ast.Name):
                    raise self.uses.program.refused(node, f"`{ast.unparse(node)}` has no C++ here")
                return f"{cname(base.id)}_0"
            if name in ("min", "max"):
                helper = "smaller" if name == "min" else "larger"
                self.uses.used.append(helper)
                text = self.number(node.args[0], dtype)
                for one in node.args[1:]:
                    text = f"{helper}<{CTYPES[dtype]}>({text}, {self.number(one, dtype)})"
                return text
            if name == "complex" and len(node.args) == 2:
                return f"{CTYPES[dtype]}({', '.join(self.number(one, 'float64') for one in node.args)})"
            if name in ("int", "float", "bool", "complex"):
                return self.number(node.args[0], dtype)
            if name in self.uses.program.functions:
                function = self.uses.program.functions[name]
                kinds = [function.known[one.arg] for one in function.node.args.args]
                passed = [
                    self.number(one, wanted.dtype)
                    for one, wanted in zip(node.args, kinds, strict=True)
                    if isinstance(wanted, Scalar)
                ]
                return f"{cname(name)}({', '.join(passed)})"
        if isinstance(node.func, ast.Attribute) and path is None:  # a method: `z.conjugate()`
            return self._conjugate(node.func.value)
        if name in ("conj", "conjugate"):
            return self._conjugate(node.args[0])
        if name in ("real", "imag"):
            return self._part(node.args[0], name)
        own = self.typer.number(node.args[0])
        if is_complex(own) and not is_complex(dtype) and name.removesuffix("_") not in CTYPES:
            return self._complex_function(name, self.text(node.args[0]))
        if name in ("abs", "absolute", "fabs"):
            self.uses.used.append("absolute")
            return f"absolute({self.number(node.args[0], dtype)})"
        if name.removesuffix("_") in CTYPES:
            return self.number(node.args[0], dtype)
        if is_complex(dtype):
            return self._complex_function(name, ", ".join(self.number(one, dtype) for one in node.args))
        if name in ("radians", "deg2rad", "degrees", "rad2deg"):
            scale = math.pi / 180 if name in ("radians", "deg2rad") else 180 / math.pi
            return f"({self.number(node.args[0], dtype)} * {cast(literal(scale), 'float64', dtype)})"
        if name in ("maximum", "minimum"):
            self.uses.used.append(name)
        if name in ("power", "pow"):
            return f"pow({self.number(node.args[0], 'float64')}, {self.number(node.args[1], 'float64')})"
        if name in ("logical_and", "logical_or"):
            sign = "&&" if name == "logical_and" else "||"
            return f"({self.text(node.args[0])} {sign} {self.text(node.args[1])})"
        if name == "logical_not":
            return f"!{factor(self.text(node.args[0]))}"
        given = dtype if name not in ("isnan", "isinf", "isfinite", "signbit") else "float64"
        return f"{_NAMES.get(name, name)}({', '.join(self.number(one, given) for one in node.args)})"

    def _complex_function(self, name: str, given: str) -> str:
        spelled = _OF_COMPLEX.get(name, name)
        self.uses.complex.add(spelled)
        return f"{spelled}({given})"

    def _conjugate(self, node: ast.expr) -> str:
        dtype = self.typer.number(node)
        return self._complex_function("conj", self.text(node)) if is_complex(dtype) else self.text(node)
