"""Writes kernels in CUDA C++.

Every value has the type that Numba gives it (`types.py`), and is cast where C++ would take another one; division,
remainder and negative indices are Python's (`cxx_helpers.py`), complex numbers NumPy's (`cxx_complex.py`).
"""

from __future__ import annotations

import ast
from collections.abc import Sequence

from jitmagic.backends.cuda.cxx_complex import structure
from jitmagic.backends.cuda.cxx_expressions import Expressions, Uses
from jitmagic.backends.cuda.cxx_helpers import HELPERS
from jitmagic.backends.cuda.cxx_text import CTYPES, cast, closes, cname, literal, short
from jitmagic.backends.cuda.kernels import Axis, Kernel, Total
from jitmagic.backends.cuda.loop_text import as_loaded
from jitmagic.backends.cuda.types import (
    Array,
    Scalar,
    Type,
    is_complex,
)

BLOCK = 256
"""Threads of a block whose totals are added up in its shared memory."""


class Cxx(Uses):
    """The C++ of a program.

    Parameters
    ----------
    program : Program
    """

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
            start, first = short(self.body.number(axis.start, "int64"), first)
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


class Body(Expressions):
    """Statements in C++, with their expressions."""

    def __init__(
        self, uses: Uses, known: dict[str, Type], natural: set[str], starts: dict[str, ast.expr | None] | None = None
    ) -> None:
        super().__init__(uses, known, natural, starts)
        self.result: str | None = None
        self._temporaries = 0
        self._inside: set[str] = set()

    def declared(self, own: Sequence[str], body: Sequence[ast.stmt]) -> list[str]:
        """Returns the declarations of what a body assigns, but for indices that their loops declare."""
        self._inside = {name for name in own if self._only_index(name, body)}
        kinds: dict[str, list[str]] = {}
        for name in own:
            if name not in self._inside:
                kinds.setdefault(self.uses.ctype(self.known.get(name), body[0]), []).append(cname(name))
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
            both = ast.BinOp(as_loaded(node.target), node.op, node.value)
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
                raise self.uses.program.refused(node, f"`{ast.unparse(node)}` takes something apart that is no tuple")
            temporaries = []
            for value in node.value.elts:
                self._temporaries += 1
                dtype = self.typer.number(value)
                name = f"value_{self._temporaries}"
                lines.append(f"const {self.uses.ctype(Scalar(dtype), node)} {name} = {self.number(value, dtype)};")
                temporaries.append((name, dtype))
            for one, (name, dtype) in zip(target.elts, temporaries, strict=True):
                lines.append(f"{self._place(one)} = {cast(name, dtype, self.typer.number(as_loaded(one)))};")
            # the names hold inside this block only
            lines = ["{", *("    " + line for line in lines), "}"]
        return lines

    def _store(self, target: ast.expr, value: ast.expr) -> str:
        text = self.number(value, self.typer.number(as_loaded(target)))
        return f"{self._place(target)} = {text[1:-1] if text.startswith('(') and closes(text) else text};"

    def _place(self, target: ast.expr) -> str:
        return cname(target.id) if isinstance(target, ast.Name) else self.element(target)

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
                raise self.uses.program.refused(node, "a loop's step is no number written as such") from None
            if step == 0:
                raise self.uses.program.refused(node, "a loop's step is 0")
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
        if own and step > 0 and self.is_natural(start):
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
