"""Writes kernels in CUDA C++.

Every value has the type that Numba gives it (`types.py`), and is cast where C++ would take another one; division,
remainder and negative indices are Python's (`cxx_helpers.py`), complex numbers NumPy's (`cxx_complex.py`).
"""

from __future__ import annotations

import ast
import math
from collections.abc import Sequence

import numpy as np

from jitmagic.analysis.words import words
from jitmagic.backends.cuda.cxx_complex import structure
from jitmagic.backends.cuda.cxx_helpers import HELPERS
from jitmagic.backends.cuda.program import Axis, Kernel, Program, Total
from jitmagic.backends.cuda.types import (
    JOINS,
    KEEPS,
    ROUNDED,
    TESTS,
    Array,
    Scalar,
    Type,
    Typer,
    is_complex,
    joined,
    real_part_of,
)

BLOCK = 256
"""Threads of a block whose totals are added up in its shared memory."""

CTYPES = {
    "bool": "bool", "int8": "signed char", "int16": "short", "int32": "int", "int64": "long long",
    "uint8": "unsigned char", "uint16": "unsigned short", "uint32": "unsigned int", "uint64": "unsigned long long",
    "float32": "float", "float64": "double", "complex64": "complex64", "complex128": "complex128",
}  # fmt: skip

_RESERVED = (KEEPS | JOINS | TESTS | ROUNDED) - words("gamma degrees radians deg2rad rad2deg") | words(
    "alignas alignof and asm auto bool break case catch char class const constexpr continue decltype default delete do "
    "double else enum explicit export extern false float for friend goto if inline int long mutable namespace new "
    "noexcept nullptr operator or private protected public register return short signed sizeof static struct switch "
    "template this throw true try typedef typename union unsigned using virtual void volatile while xor threadIdx "
    "blockIdx blockDim gridDim power wrapped floor_div floor_mod smaller larger minimum maximum absolute abs pow "
    "tgamma Complex complex64 complex128 conj arg has_nan has_inf is_finite"
)
"""What C++ or what is written here calls something else."""

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


class Cxx:
    """The C++ of a program.

    Parameters
    ----------
    program : Program
    """

    def __init__(self, program: Program) -> None:
        self.program = program
        self.used: list[str] = []
        self.complex: set[str] = set()
        """What is used of complex numbers: their types, operators and functions."""

    def source(self) -> str:
        """Returns the whole text; raises Unsupported with the user's line."""
        parts = [self._device(name) for name in self._called()]
        parts += [_KernelText(self, kernel).text() for kernel in self.program.kernels]
        constants = self._constants()
        helpers = [text for name, text in HELPERS.items() if name in self.used]
        if self.complex:
            helpers.append(structure(self.complex))
        return "\n".join([*helpers, *([constants] if constants else []), *parts])

    def _called(self) -> list[str]:
        return [name for name, function in self.program.functions.items() if function.on_device]

    def _constants(self) -> str:
        """Returns the module's numbers that functions on the device read."""
        needed = set()
        for name in self._called():
            function = self.program.functions[name]
            loads = {n.id for n in ast.walk(function.node) if isinstance(n, ast.Name)}
            needed |= loads & set(self.program.globals) - set(function.known)
        lines = []
        for node in self.program.tree.body:
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id in needed:
                kind = self.program.globals[node.targets[0].id]
                try:
                    value = ast.literal_eval(node.value)
                except ValueError:
                    raise self.program.refused(node, f"`{node.targets[0].id}` is no number written as such") from None
                space = "static __device__ const" if isinstance(value, complex) else "static const"
                lines.append(f"{space} {self.ctype(kind, node)} {cname(node.targets[0].id)} = {literal(value)};")
        return "\n".join(lines) + ("\n" if lines else "")

    def ctype(self, kind: Type | None, node: ast.AST) -> str:
        """Returns a number's type in C++."""
        if not isinstance(kind, Scalar) or kind.dtype not in CTYPES:
            told = kind.dtype if isinstance(kind, Scalar | Array) else "a value"
            raise self.program.refused(node, f"{told} has no type in this C++")
        if is_complex(kind.dtype):
            self.complex.add(kind.dtype)
        return CTYPES[kind.dtype]

    def _device(self, name: str) -> str:
        function = self.program.functions[name]
        writer = Body(self, function.known, set())
        parameters = []
        for one in function.node.args.args:
            kind = function.known[one.arg]
            if isinstance(kind, Array):
                raise self.program.refused(function.node, f"`{name}` takes an array, which has no C++ here")
            parameters.append(f"{self.ctype(kind, function.node)} {cname(one.arg)}")
        result = function.result
        writer.result = result.dtype if isinstance(result, Scalar) else None
        given = {one.arg for one in function.node.args.args}
        own = sorted(
            {n.id for n in ast.walk(function.node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)} - given
        )
        lines = [f"__device__ {self.ctype(result, function.node)} {cname(name)}({', '.join(parameters)})", "{"]
        lines += [f"    {line}" for line in writer.declared(own, function.node.body)]
        lines += writer.block(function.node.body, 1)
        return "\n".join([*lines, "}", ""])


class _KernelText:
    """One kernel's text."""

    def __init__(self, cxx: Cxx, kernel: Kernel) -> None:
        self.cxx, self.kernel = cxx, kernel
        starts = {axis.index: axis.start for axis in kernel.axes}
        self.body = Body(cxx, kernel.types, {name for name, start in starts.items() if _whole(start)}, starts)

    def text(self) -> str:
        kernel, cxx = self.kernel, self.cxx
        at = kernel.body[0]
        parameters = []
        for one in kernel.parameters:
            kind = kernel.types[one]
            if isinstance(kind, Array):
                const = "" if one in kernel.stored else "const "
                parameters.append(f"{const}{cxx.ctype(Scalar(kind.dtype), at)}* {cname(one)}")
                parameters += [f"long long {cname(one)}_{axis}" for axis in range(kind.ndim)]
                if kind.view:
                    parameters += [f"long long {cname(one)}_stride_{axis}" for axis in range(kind.ndim)]
            else:
                parameters.append(f"{cxx.ctype(kind, at)} {cname(one)}")
        for total in kernel.totals:
            if total.operator in ("max", "min"):
                parameters.append(f"{cxx.ctype(Scalar(total.dtype), at)} {cname(total.name)}_before")
            parameters.append(f"{cxx.ctype(Scalar(total.dtype), at)}* {cname(total.name)}_of_blocks")
        lines = [f'extern "C" __global__ void {kernel.name}(\n    {", ".join(parameters)})', "{"]
        letters = "xyz"[: len(kernel.axes)]
        for axis, letter in zip(kernel.axes, reversed(letters), strict=True):
            index = cname(axis.index)
            wide = f"(long long)blockDim.{letter}"
            lines.append(f"    const long long {index}_first = blockIdx.{letter} * {wide} + threadIdx.{letter};")
            lines.append(f"    const long long {index}_step = gridDim.{letter} * {wide};")
        for total in kernel.totals:
            spelled = cxx.ctype(Scalar(total.dtype), at)
            first = {"+": "0", "*": "1"}.get(total.operator, f"{cname(total.name)}_before")
            lines.append(f"    {spelled} {cname(total.name)} = {first};")
        for depth, axis in enumerate(kernel.axes, 1):
            lines.append("    " * depth + self._head(axis))
        depth = len(kernel.axes)
        lines.append("    " * depth + "{")
        lines += ["    " * (depth + 1) + one for one in self.body.declared(kernel.own, kernel.body)]
        lines += self.body.block(kernel.body, depth + 1)
        lines.append("    " * depth + "}")
        lines += self._totals()
        return "\n".join([*lines, "}", ""])

    def _head(self, axis: Axis) -> str:
        index = cname(axis.index)
        stop = self.body.number(axis.stop, "int64")
        first = f"{index}_first"
        if axis.start is not None:
            start, first = _short(self.body.number(axis.start, "int64"), first)
            first = f"{start} + {first}"
        return f"for (long long {index} = {first}; {index} < {stop}; {index} += {index}_step)"

    def _totals(self) -> list[str]:
        kernel = self.kernel
        if not kernel.totals:
            return []
        many = len(kernel.axes)
        thread, block = "threadIdx.x", "blockIdx.x"
        if many > 1:
            thread += " + blockDim.x * threadIdx.y"
            block += " + gridDim.x * blockIdx.y"
        if many > 2:
            thread += " + blockDim.x * blockDim.y * threadIdx.z"
            block += " + gridDim.x * gridDim.y * blockIdx.z"
        lines = [
            "    // the threads of a block add up what they have, pair by pair",
            f"    const int thread_ = {thread};",
        ]
        for total in kernel.totals:
            name, kind = cname(total.name), CTYPES[total.dtype]
            lines += [
                f"    __shared__ {kind} {name}_of_threads[{BLOCK}];",
                f"    {name}_of_threads[thread_] = {name};",
                "    __syncthreads();",
                f"    for (int half = {BLOCK // 2}; half > 0; half /= 2)",
                "    {",
                "        if (thread_ < half)",
                f"            {name}_of_threads[thread_] = {self._both(total)};",
                "        __syncthreads();",
                "    }",
                f"    if (thread_ == 0) {name}_of_blocks[{block}] = {name}_of_threads[0];",
            ]
        return lines

    def _both(self, total: Total) -> str:
        operator, name = total.operator, cname(total.name)
        one, other = f"{name}_of_threads[thread_]", f"{name}_of_threads[thread_ + half]"
        if operator in ("max", "min"):
            helper = "larger" if operator == "max" else "smaller"
            self.cxx.used.append(helper)
            return f"{helper}({one}, {other})"
        if is_complex(total.dtype):
            self.cxx.complex.add(operator)
        return f"{one} {operator} {other}"


def _whole(start: ast.expr | None) -> bool:
    return start is None or (isinstance(start, ast.Constant) and isinstance(start.value, int) and start.value >= 0)


class Body:
    """Statements and expressions in C++.

    Parameters
    ----------
    cxx : Cxx
    known : dict of str to Type
    natural : set of str
        Names that are never negative.
    starts : dict of str to (ast expression or None), optional
        Where the kernel's indices begin.
    """

    def __init__(
        self, cxx: Cxx, known: dict[str, Type], natural: set[str], starts: dict[str, ast.expr | None] | None = None
    ) -> None:
        self.cxx, self.known, self.natural, self.starts = cxx, known, natural, starts or {}
        self.typer: Typer = cxx.program.typer(known, False)
        self.result: str | None = None
        self._temporaries = 0
        self._inside: set[str] = set()

    def declared(self, own: Sequence[str], body: Sequence[ast.stmt]) -> list[str]:
        """Returns the declarations of what a body assigns, but for indices that their loops declare."""
        self._inside = {name for name in own if self._only_index(name, body)}
        kinds: dict[str, list[str]] = {}
        for name in own:
            if name not in self._inside:
                kinds.setdefault(self.cxx.ctype(self.known.get(name), body[0]), []).append(cname(name))
        return [f"{kind} {', '.join(names)};" for kind, names in kinds.items()]

    def _only_index(self, name: str, body: Sequence[ast.stmt]) -> bool:
        """Says whether a name is the index of loops alone, and read in them alone."""
        outside = False

        def look(node: ast.AST, within: bool) -> None:
            nonlocal outside
            if isinstance(node, ast.For) and isinstance(node.target, ast.Name) and node.target.id == name:
                look(node.iter, within)
                for one in node.body:
                    look(one, True)
                return
            if isinstance(node, ast.Name) and node.id == name and (not within or isinstance(node.ctx, ast.Store)):
                outside = True
            for child in ast.iter_child_nodes(node):
                look(child, within)

        for one in body:
            look(one, False)
        return not outside

    # -- statements

    def block(self, body: Sequence[ast.stmt], depth: int) -> list[str]:
        """Returns the lines of a block."""
        lines: list[str] = []
        for one in body:
            lines += [("    " * depth) + line for line in self.statement(one)]
        return lines

    def statement(self, node: ast.stmt) -> list[str]:
        """Returns the lines of a statement."""
        if isinstance(node, ast.Assign):
            return self._assign(node)
        if isinstance(node, ast.AugAssign):
            both = ast.BinOp(_load(node.target), node.op, node.value)
            return [self._store(node.target, ast.copy_location(both, node))]
        if isinstance(node, ast.For):
            return self._for(node)
        if isinstance(node, ast.While):
            return [f"while ({self.test(node.test)})", "{", *self.block(node.body, 1), "}"]
        if isinstance(node, ast.If):
            lines = [f"if ({self.test(node.test)})", "{", *self.block(node.body, 1), "}"]
            return [*lines, "else", "{", *self.block(node.orelse, 1), "}"] if node.orelse else lines
        if isinstance(node, ast.Break):
            return ["break;"]
        if isinstance(node, ast.Continue):
            return ["continue;"]
        if isinstance(node, ast.Return) and node.value is not None and self.result is not None:
            return [f"return {self.number(node.value, self.result)};"]
        return []

    def _assign(self, node: ast.Assign) -> list[str]:
        lines: list[str] = []
        for target in node.targets:
            if not isinstance(target, ast.Tuple):
                lines.append(self._store(target, node.value))
                continue
            if not isinstance(node.value, ast.Tuple):
                raise self.cxx.program.refused(node, f"`{ast.unparse(node)}` takes something apart that is no tuple")
            temporaries = []
            for value in node.value.elts:
                self._temporaries += 1
                dtype = self.typer.number(value)
                name = f"value_{self._temporaries}"
                lines.append(f"const {self.cxx.ctype(Scalar(dtype), node)} {name} = {self.number(value, dtype)};")
                temporaries.append((name, dtype))
            for one, (name, dtype) in zip(target.elts, temporaries, strict=True):
                lines.append(f"{self._place(one)} = {_cast(name, dtype, self.typer.number(_load(one)))};")
            # the names hold inside this block only
            lines = ["{", *("    " + line for line in lines), "}"]
        return lines

    def _store(self, target: ast.expr, value: ast.expr) -> str:
        text = self.number(value, self.typer.number(_load(target)))
        return f"{self._place(target)} = {text[1:-1] if text.startswith('(') and _closes(text) else text};"

    def _place(self, target: ast.expr) -> str:
        return cname(target.id) if isinstance(target, ast.Name) else self._element(target)

    def _for(self, node: ast.For) -> list[str]:
        assert isinstance(node.iter, ast.Call)
        assert isinstance(node.target, ast.Name)
        args = node.iter.args
        start = ast.Constant(0) if len(args) == 1 else args[0]
        stop = args[0] if len(args) == 1 else args[1]
        step = 1
        if len(args) == 3:
            try:
                step = int(ast.literal_eval(args[2]))
            except ValueError:
                raise self.cxx.program.refused(node, "a loop's step is no number written as such") from None
            if step == 0:
                raise self.cxx.program.refused(node, "a loop's step is 0")
        name = node.target.id
        self._temporaries += 1
        own = name in self._inside
        index = cname(name) if own else f"step_{self._temporaries}"
        before = self.natural
        assigned = {n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
        lines = []
        limit = self.number(stop, "int64")
        if assigned & {n.id for n in ast.walk(stop) if isinstance(n, ast.Name)}:
            end = f"stop_{self._temporaries}"
            lines.append(f"const long long {end} = {limit};")
            limit = end
        if own and step > 0 and self._natural(start):
            self.natural = before | {name}
        sign = "<" if step > 0 else ">"
        further = {1: f"++{index}", -1: f"--{index}"}.get(step, f"{index} += {step}")
        lines.append(f"for (long long {index} = {self.number(start, 'int64')}; {index} {sign} {limit}; {further})")
        inner = self.block(node.body, 1)
        if not own:
            inner = [f"    {cname(name)} = {index};", *inner]
        self.natural = before
        lines += ["{", *inner, "}"]
        # what was worked out before the loop holds inside a block of its own
        return ["{", *("    " + line for line in lines), "}"] if lines[0].startswith("const ") else lines

    # -- expressions

    def number(self, node: ast.expr, dtype: str) -> str:
        """Returns an expression as a number of this dtype."""
        own = self.typer.number(node)
        if is_complex(own) and dtype == "bool":
            self.cxx.complex.add("bool")
            return f"(bool){_factor(self.text(node))}"
        if is_complex(own) and not is_complex(dtype):
            raise self.cxx.program.refused(node, f"`{ast.unparse(node)}` would lose its imaginary part")
        if is_complex(dtype):
            self.cxx.ctype(Scalar(dtype), node)
        return _cast(self.text(node), own, dtype)

    def test(self, node: ast.expr) -> str:
        """Returns a condition."""
        if is_complex(self.typer.number(node)):
            return self.number(node, "bool")
        text = self.text(node)
        return text[1:-1] if text.startswith("(") and _closes(text) else text

    def text(self, node: ast.expr) -> str:
        """Returns an expression in its own type."""
        method = getattr(self, f"_{type(node).__name__.lower()}", None)
        if method is None:
            raise self.cxx.program.refused(node, f"`{ast.unparse(node)}` has no C++ here")
        text: str = method(node)
        return text

    def _constant(self, node: ast.Constant) -> str:
        self.cxx.ctype(self.typer.of(node), node)
        return literal(node.value)

    def _name(self, node: ast.Name) -> str:
        self.cxx.ctype(self.typer.of(node), node)
        return cname(node.id)

    def _attribute(self, node: ast.Attribute) -> str:
        path = self.cxx.program.path(node)
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
        raise self.cxx.program.refused(node, f"`{ast.unparse(node)}` has no C++ here")

    def _part(self, node: ast.expr, part: str) -> str:
        """Returns the real or the imaginary part of a number."""
        dtype = self.typer.number(node)
        if is_complex(dtype):
            return f"{_factor(self.text(node))}.{part}"
        return self.text(node) if part == "real" else _cast("0LL", "int64", dtype)

    def _subscript(self, node: ast.Subscript) -> str:
        base = node.value
        if isinstance(base, ast.Attribute) and base.attr == "shape" and isinstance(base.value, ast.Name):
            kind = self.typer.of(base.value)
            place = ast.literal_eval(node.slice)
            assert isinstance(kind, Array)
            return f"{cname(base.value.id)}_{place % kind.ndim}"
        return self._element(node)

    def _element(self, node: ast.expr) -> str:
        indices: list[ast.expr] = []
        base: ast.expr = node
        while isinstance(base, ast.Subscript):
            part = base.slice
            indices = [*(part.elts if isinstance(part, ast.Tuple) else [part]), *indices]
            base = base.value
        kind = self.typer.of(base)
        if not isinstance(base, ast.Name) or not isinstance(kind, Array) or len(indices) != kind.ndim:
            raise self.cxx.program.refused(node, f"`{ast.unparse(node)}` is no element in this C++")
        name = cname(base.id)
        text = ""
        for axis, index in enumerate(indices):
            at = self.number(index, "int64")
            if not self._natural(index):
                self.cxx.used.append("wrapped")
                at = f"wrapped({at}, {name}_{axis})"
            if kind.view:
                text += f"{' + ' if text else ''}{_factor(at)} * {name}_stride_{axis}"
            elif not text:
                text = at
            else:
                text = f"{_factor(text)} * {name}_{axis} + {at}"
        return f"{name}[{text}]"

    def _natural(self, node: ast.expr) -> bool:
        """Says whether an index is proved not to be negative."""
        if isinstance(node, ast.Constant):
            return isinstance(node.value, int) and node.value >= 0
        if isinstance(node, ast.Name):
            return node.id in self.natural
        if isinstance(node, ast.BinOp):
            if isinstance(node.op, ast.Add | ast.Mult):
                return self._natural(node.left) and self._natural(node.right)
            less = node.right.value if isinstance(node.right, ast.Constant) else None
            if isinstance(node.op, ast.Sub) and isinstance(node.left, ast.Name):
                start = self.starts.get(node.left.id)
                first = start.value if isinstance(start, ast.Constant) else None
                return isinstance(first, int) and isinstance(less, int) and 0 <= less <= first
        if isinstance(node, ast.IfExp):
            return self._natural(node.body) and self._natural(node.orelse)
        return False

    def _binop(self, node: ast.BinOp) -> str:
        kind = self.typer.of(node)
        assert isinstance(kind, Scalar)
        dtype = kind.dtype
        self.cxx.ctype(kind, node)
        if isinstance(node.op, ast.Pow):
            return self._power(node, dtype)
        left, right = self.number(node.left, dtype), self.number(node.right, dtype)
        if isinstance(node.op, ast.Add | ast.Sub) and dtype == "int64":
            left, right = _short(left, right)
        if isinstance(node.op, ast.FloorDiv | ast.Mod):
            helper = "floor_div" if isinstance(node.op, ast.FloorDiv) else "floor_mod"
            self.cxx.used.append(helper)
            return f"{helper}({left}, {right})"
        if isinstance(node.op, ast.Div) and np.dtype(dtype).kind not in "fc":
            raise self.cxx.program.refused(node, f"`{ast.unparse(node)}` has no C++ here")
        if is_complex(dtype):
            self.cxx.complex.add(_OPERATORS[type(node.op)])
        return f"({left} {_OPERATORS[type(node.op)]} {right})"

    def _power(self, node: ast.BinOp, dtype: str) -> str:
        base = self.number(node.left, dtype)
        power = node.right.value if isinstance(node.right, ast.Constant) else None
        if is_complex(dtype):
            return self._complex_power(node, base, dtype)
        if isinstance(power, int) and 0 <= power <= 64:
            self.cxx.used.append("power")
            return f"power<{power}>({base})"
        if np.dtype(dtype).kind != "f":
            raise self.cxx.program.refused(node, f"`{ast.unparse(node)}` is a power of an integer that may be negative")
        return f"pow({base}, {self.number(node.right, dtype)})"

    def _complex_power(self, node: ast.BinOp, base: str, dtype: str) -> str:
        try:
            power = ast.literal_eval(node.right)
        except ValueError:
            power = None
        if isinstance(power, int) and 0 < abs(power) <= 64:
            self.cxx.complex |= {"power", *("/" if power < 0 else "")}
            text = f"power<{abs(power)}>({base})"
            return text if power > 0 else f"({CTYPES[dtype]}(1) / {text})"
        self.cxx.complex.add("pow")
        return f"pow({base}, {self.number(node.right, dtype)})"

    def _unaryop(self, node: ast.UnaryOp) -> str:
        dtype = self.typer.number(node)
        if isinstance(node.op, ast.Not):
            return f"!{_factor(self.number(node.operand, self._tested(node.operand)))}"
        if is_complex(dtype):
            if isinstance(node.op, ast.UAdd):
                return self.text(node.operand)
            self.cxx.complex.add("negative")
        sign = {ast.USub: "-", ast.UAdd: "+", ast.Invert: "~"}[type(node.op)]
        if isinstance(node.op, ast.Invert) and self.typer.number(node.operand) == "bool":
            sign = "!"
        return f"({sign}{_factor(self.number(node.operand, dtype))})"

    def _tested(self, node: ast.expr) -> str:
        """Returns the dtype in which a number is asked whether it is zero."""
        dtype = self.typer.number(node)
        return "bool" if is_complex(dtype) else dtype

    def _compare(self, node: ast.Compare) -> str:
        parts = []
        several = [node.left, *node.comparators]
        for one, other, operator in zip(several, several[1:], node.ops, strict=False):
            if type(operator) not in _OPERATORS:
                raise self.cxx.program.refused(node, f"`{ast.unparse(node)}` has no C++ here")
            kinds = self.typer.number(one), self.typer.number(other)
            both = joined(*kinds) if set(kinds) != {"bool"} else "bool"
            if is_complex(both):
                self.cxx.complex.add(_OPERATORS[type(operator)])
            left, right = _short(self.number(one, both), self.number(other, both))
            parts.append(f"{left} {_OPERATORS[type(operator)]} {right}")
        return f"({' && '.join(parts)})"

    def _boolop(self, node: ast.BoolOp) -> str:
        sign = " && " if isinstance(node.op, ast.And) else " || "
        return f"({sign.join(self.text(one) for one in node.values)})"

    def _ifexp(self, node: ast.IfExp) -> str:
        dtype = self.typer.number(node)
        return f"({self.test(node.test)} ? {self.number(node.body, dtype)} : {self.number(node.orelse, dtype)})"

    def _call(self, node: ast.Call) -> str:
        path = self.cxx.program.path(node.func)
        name = (path or ast.unparse(node.func)).rpartition(".")[2]
        kind = self.typer.of(node)
        assert isinstance(kind, Scalar)
        dtype = kind.dtype
        self.cxx.ctype(kind, node)
        if path is None:
            if name == "len":
                base = node.args[0]
                if not isinstance(base, ast.Name):
                    raise self.cxx.program.refused(node, f"`{ast.unparse(node)}` has no C++ here")
                return f"{cname(base.id)}_0"
            if name in ("min", "max"):
                helper = "smaller" if name == "min" else "larger"
                self.cxx.used.append(helper)
                text = self.number(node.args[0], dtype)
                for one in node.args[1:]:
                    text = f"{helper}<{CTYPES[dtype]}>({text}, {self.number(one, dtype)})"
                return text
            if name == "complex" and len(node.args) == 2:
                return f"{CTYPES[dtype]}({', '.join(self.number(one, 'float64') for one in node.args)})"
            if name in ("int", "float", "bool", "complex"):
                return self.number(node.args[0], dtype)
            if name in self.cxx.program.functions:
                function = self.cxx.program.functions[name]
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
            self.cxx.used.append("absolute")
            return f"absolute({self.number(node.args[0], dtype)})"
        if name.removesuffix("_") in CTYPES:
            return self.number(node.args[0], dtype)
        if is_complex(dtype):
            return self._complex_function(name, ", ".join(self.number(one, dtype) for one in node.args))
        if name in ("radians", "deg2rad", "degrees", "rad2deg"):
            factor = math.pi / 180 if name in ("radians", "deg2rad") else 180 / math.pi
            return f"({self.number(node.args[0], dtype)} * {_cast(literal(factor), 'float64', dtype)})"
        if name in ("maximum", "minimum"):
            self.cxx.used.append(name)
        if name in ("power", "pow"):
            return f"pow({self.number(node.args[0], 'float64')}, {self.number(node.args[1], 'float64')})"
        if name in ("logical_and", "logical_or"):
            sign = "&&" if name == "logical_and" else "||"
            return f"({self.text(node.args[0])} {sign} {self.text(node.args[1])})"
        if name == "logical_not":
            return f"!{_factor(self.text(node.args[0]))}"
        given = dtype if name not in ("isnan", "isinf", "isfinite", "signbit") else "float64"
        return f"{_NAMES.get(name, name)}({', '.join(self.number(one, given) for one in node.args)})"

    def _complex_function(self, name: str, given: str) -> str:
        spelled = _OF_COMPLEX.get(name, name)
        self.cxx.complex.add(spelled)
        return f"{spelled}({given})"

    def _conjugate(self, node: ast.expr) -> str:
        dtype = self.typer.number(node)
        return self._complex_function("conj", self.text(node)) if is_complex(dtype) else self.text(node)


def cname(name: str) -> str:
    """Returns a name that C++ leaves free.

    >>> cname("x"), cname("double"), cname("π")
    ('x', 'double_', 'u3c0')
    """
    plain = "".join(letter if letter.isascii() else f"u{ord(letter):x}" for letter in name)
    return f"{plain}_" if plain in _RESERVED else plain


def literal(value: object) -> str:
    """Returns a number in C++.

    >>> literal(3), literal(0.1), literal(1e30), literal(True), literal(2j)
    ('3LL', '0.1', '1e+30', 'true', 'complex128(0.0, 2.0)')
    >>> literal(math.inf), literal(math.nan)  # NVRTC has no INFINITY and no NAN without a header
    ('(1.0 / 0.0)', '(0.0 / 0.0)')
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return f"{value}LL"
    if isinstance(value, complex):
        return f"complex128({literal(value.real)}, {literal(value.imag)})"
    assert isinstance(value, float)
    if math.isinf(value):
        return "(1.0 / 0.0)" if value > 0 else "(-1.0 / 0.0)"
    return "(0.0 / 0.0)" if math.isnan(value) else repr(value)


def _short(left: str, right: str) -> tuple[str, str]:
    """Leaves the suffix of a small number away where the other side is 64 bits wide anyway.

    >>> _short("i", "1LL"), _short("2LL", "3LL")
    (('i', '1'), ('2LL', '3LL'))
    """

    def plain(text: str, other: str) -> str:
        small = text.endswith("LL") and text[:-2].isdigit() and len(text) < 11
        return text[:-2] if small and not other.endswith("LL") else text

    return plain(left, right), plain(right, left)


def _cast(text: str, given: str, wanted: str) -> str:
    if given == wanted:
        return text
    if is_complex(wanted):
        part = _cast(text, given, real_part_of(wanted)) if not is_complex(given) else text
        return f"{CTYPES[wanted]}({part[1:-1] if part.startswith('(') and _closes(part) else part})"
    if wanted == "float64" and text.endswith("LL") and text[:-2].isdigit() and len(text) < 17:
        return f"{text[:-2]}.0"
    if wanted == "bool":
        return f"({_factor(text)} != 0)"
    return f"({CTYPES[wanted]}){_factor(text)}"


def _factor(text: str) -> str:
    """Puts parentheses around what an operator would tear apart."""
    simple = all(letter.isalnum() or letter in "_." for letter in text)
    whole = text.startswith("(") and _closes(text)
    opening = {")": "(", "]": "["}.get(text[-1:], "")
    name = text.partition(opening)[0] if opening else ""
    called = name.replace("_", "").isalnum() and _closes(text[len(name) :])
    return text if simple or whole or called else f"({text})"


def _closes(text: str) -> bool:
    """Says whether the first bracket closes at the end."""
    depth = 0
    for place, letter in enumerate(text):
        depth += (letter in "([") - (letter in ")]")
        if depth == 0:
            return place == len(text) - 1
    return False


def _load(node: ast.expr) -> ast.expr:
    return ast.copy_location(ast.parse(ast.unparse(node), mode="eval").body, node)
