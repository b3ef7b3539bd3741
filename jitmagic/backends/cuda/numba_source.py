"""Writes a program as Numba CUDA: kernels in Python, and host functions that take arrays of the host or of the GPU."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from typing import ClassVar

from jitmagic.analysis.words import words
from jitmagic.backends.cuda.hosting import Hosting, Text
from jitmagic.backends.cuda.kernels import Kernel, Total
from jitmagic.backends.cuda.new_arrays import maker
from jitmagic.backends.cuda.program import Program
from jitmagic.backends.cuda.types import ROUNDED, Array, Several, Type, is_complex
from jitmagic.backends.protocol import Draft

BLOCK = 256
"""Threads of a block whose totals are added up in its shared memory."""

MOST = 1024
"""Blocks that add up, at most: on every GPU as many, so that a total has the same bits on all."""

_LETTERS = "xyz"

_MATH = {
    "sqrt": "sqrt", "exp": "exp", "expm1": "expm1", "log1p": "log1p", "floor": "floor", "ceil": "ceil",
    "trunc": "trunc", "fabs": "fabs", "isnan": "isnan", "isinf": "isinf", "isfinite": "isfinite",
    "copysign": "copysign", "fmod": "fmod",
}  # fmt: skip
"""NumPy's functions that Numba has in kernels under the name of `math` only (compiled to PTX, Numba 0.68)."""

_AS_THEY_ARE = words(
    "sin cos tan arcsin arccos arctan arctan2 hypot sinh cosh tanh arcsinh arccosh arctanh deg2rad rad2deg radians "
    "degrees log log2 log10 maximum minimum fmax fmin logical_and logical_or logical_not"
)
"""NumPy's functions that Numba has in kernels."""

_EXTREMES = {"max": "larger_of", "min": "smaller_of"}
"""Python's functions, and those that stand for them in kernels."""

_HELPERS = {
    "on_device": '''
def on_device(array):
    """Returns an array of the GPU: the same one where it is there already, else a copy."""
    if hasattr(array, "__cuda_ndarray__"):
        return array
    if hasattr(array, "__cuda_array_interface__"):  # of CuPy, torch or JAX
        return cuda.as_cuda_array(array)
    return cuda.to_device(np.ascontiguousarray(array))
''',
    "filled": '''
@cuda.jit
def fill(array, value):
    for i in range(cuda.grid(1), array.size, cuda.gridsize(1)):
        array[i] = value


def filled(shape, value, dtype):
    """Returns a new array of the GPU that holds one value."""
    array = cuda.device_array(shape, dtype=dtype)
    if array.size:
        fill.forall(array.size)(array.reshape(array.size), array.dtype.type(value))
    return array
''',
    "copied": '''
def copied(array):
    """Returns a copy on the GPU."""
    new = cuda.device_array(array.shape, dtype=array.dtype)
    if array.size:
        new.copy_to_device(array)
    return new
''',
    "grid_of": '''
def grid_of(threads, *extents, most=2**31 - 1):
    """Returns blocks, at most so many, and the shape of a block with so many threads; the last axis lies along x.

    There a warp's 32 threads read neighbours. Kernels take strides of the whole grid: fewer blocks than steps are
    right too.
    """
    shape, left = [], threads
    for extent, limit in zip(reversed(extents), (32, 1024, 64)):
        shape.append(min(1 << max(extent - 1, 0).bit_length(), limit, left))
        left //= shape[-1]
    shape[0] *= left  # what short axes leave
    blocks = []
    for extent, size in zip(reversed(extents), shape):
        room = min(most // math.prod(blocks), 65535) if blocks else most
        blocks.append(max(min(-(-extent // size), room), 1))
    return tuple(blocks), tuple(shape)
''',
    "larger_of": '''
@cuda.jit(device=True)
def larger_of(a, b):
    return b if b > a else a
''',
    "smaller_of": '''
@cuda.jit(device=True)
def smaller_of(a, b):
    return b if b < a else a
''',
    "nearest_integer": '''
@cuda.jit(device=True)
def nearest_integer(x):
    """Rounds half to even, as NumPy does: above 2**52 there are no fractions."""
    if abs(x) < 2.0**52:
        shift = math.copysign(2.0**52, x)
        return math.copysign((x + shift) - shift, x)
    return x
''',
    "run_all": '''
def run_all(kernel, extents, *values):
    """Runs a kernel over so many steps, in blocks of 256 threads, or of 128 where registers are left for more.

    Each of a multiprocessor's four schedulers gives them out to warps of 32 threads, 256 registers at a time.
    """
    if min(extents) <= 0:
        return
    ready = kernel.specialize(*values)
    given = -(-32 * ready.get_regs_per_thread() // 256) * 256
    warps = 4 * (cuda.get_current_device().MAX_REGISTERS_PER_MULTIPROCESSOR // 4 // given)
    threads = max((256, 128), key=lambda size: warps // (size // 32) * size)
    ready[grid_of(threads, *extents)](*values)
''',
}


def write(program: Program) -> Draft:
    """Writes the draft; raises Unsupported with the user's line."""
    return Writer(program).draft()


class Writer:
    """One source on its way; what CUDA Python writes otherwise is a method of its own."""

    variant, mode = "numba-cuda", "cuda"
    helpers: ClassVar[dict[str, str]] = _HELPERS
    imports = "from numba import cuda"
    empty = "cuda.device_array({shape}, dtype={dtype})"
    reserved: frozenset[str] = frozenset({"fill", "cuda"})

    def __init__(self, program: Program) -> None:
        self.program = program
        self.hosting = Hosting(program)
        self.needed: list[str] = ["on_device"]
        self.math, self.cmath = False, False
        self.module_names = self._modules()

    def _modules(self) -> dict[str, str]:
        """Returns how NumPy, math and cmath are called in the source."""
        own = {"numpy": "np", "math": "math", "cmath": "cmath"}
        return own | {path: name for name, path in self.program.draft.names.items() if path in own}

    def helper(self, name: str) -> str:
        """Asks for a helper function."""
        if name not in self.needed:
            self.needed.append(name)
        return name

    def draft(self) -> Draft:
        program, draft = self.program, self.program.draft
        clash = sorted({*self.helpers, *self.reserved} & ({*program.functions} | program.names))
        if clash:
            raise program.refused(None, f"`{clash[0]}` is a name that the variant needs for itself: rename it")
        body = Text()
        self._kernels(body)
        for name in program.hosts:
            body.blank()
            self._host_function(body, name)
        body.blank()
        self._entry(body)
        head = Text()
        self._head(head)
        for name in self.needed:
            head.blank()
            source = self.helpers[name].strip("\n")
            source = re.sub(r"\bnp\b", self.module_names["numpy"], source)
            head.add(re.sub(r"\bmath\b", self.module_names["math"], source))
        whole = Text([*head.lines, *body.lines], [*head.origins, *body.origins])
        return Draft(
            variant=self.variant,
            backend=self.variant,
            mode=self.mode,
            form="kernel",
            module=whole.finished(),
            entry=draft.entry,
            names=dict(draft.names),
            needs=draft.needs,
            written=draft.written,
            notes=(*(note for note in draft.notes if "thread" not in note), *self._notes()),
        )

    def _notes(self) -> tuple[str, ...]:
        several = [kernel for kernel in self.program.kernels if kernel.totals]
        if not several:
            return ()
        return ("sums over all steps are added up in another order than NumPy's, block by block",)

    def _head(self, head: Text) -> None:
        tree = self.program.tree
        numba = re.compile(r"^from numba import .*$")
        docstring = tree.body and isinstance(tree.body[0], ast.Expr) and isinstance(tree.body[0].value, ast.Constant)
        others = Text()
        for node in tree.body:
            if isinstance(node, ast.Import | ast.ImportFrom | ast.Assign) or (docstring and node is tree.body[0]):
                text = "\n".join(self.program.lines[node.lineno - 1 : node.end_lineno])
                if not numba.match(text) and text != "import numba":
                    others.add(text, self.program.draft.module.origin_line(node.lineno))
        text = "\n".join(others.lines)
        asked = {"cmath": self.cmath, "math": self.math or "grid_of" in self.needed, "numpy": True}
        for module, used in asked.items():
            name = self.module_names[module]
            wanted = f"import {module}" if name == module else f"import {module} as {name}"
            if used and not re.search(rf"^{re.escape(wanted)}$", text, re.MULTILINE):
                head.add(wanted)
        first = [i for i, line in enumerate(others.lines) if line.startswith(("import", "from", '"'))]
        imports = others.lines[: (first[-1] + 1) if first else 0]
        for line, origin in zip(imports, others.origins, strict=False):
            head.add(line or "\n", origin)
        head.add(self.imports)
        for line, origin in list(zip(others.lines, others.origins, strict=True))[len(imports) :]:
            head.add(line or "\n", origin)

    # -- kernels

    def _kernels(self, into: Text) -> None:
        for name, function in self.program.functions.items():
            if function.on_device:
                into.blank()
                self._device_function(into, name)
        for kernel in self.program.kernels:
            into.blank()
            self._kernel(into, kernel)

    def _kernel(self, into: Text, kernel: Kernel) -> None:
        origin = self.program.draft.module.origin_line(kernel.first)
        several = [f"{one.name}_of_blocks" for one in kernel.totals]
        into.add("@cuda.jit", origin)
        first = [one.name for one in kernel.totals if one.operator in ("max", "min")]
        into.add(f"def {kernel.name}({', '.join((*kernel.parameters, *first, *several))}):", origin)
        indices = [axis.index for axis in kernel.axes]
        many = len(indices)
        starts = [self.program.free(f"{index}_first") for index in indices]
        steps = [self.program.free(f"{index}_step") for index in indices]
        if many == 1:
            into.add(f"    {starts[0]}, {steps[0]} = cuda.grid(1), cuda.gridsize(1)", origin)
        else:
            into.add(f"    {', '.join(reversed(starts))} = cuda.grid({many})", origin)
            into.add(f"    {', '.join(reversed(steps))} = cuda.gridsize({many})", origin)
        for total in kernel.totals:
            if total.operator in ("+", "*"):
                neutral = f"{self.module_names['numpy']}.{total.dtype}({0 if total.operator == '+' else 1})"
                into.add(f"    {total.name} = {neutral}", origin)
        pad = "    "
        for axis, start, step in zip(kernel.axes, starts, steps, strict=True):
            begin = start if axis.start is None else f"{ast.unparse(axis.start)} + {start}"
            into.add(f"{pad}for {axis.index} in range({begin}, {ast.unparse(axis.stop)}, {step}):", origin)
            pad += "    "
        line = kernel.body[0].lineno
        text = self._spelled(kernel.text, line, kernel.types)
        for number, one in enumerate(text.splitlines()):
            into.add(pad + one if one.strip() else "\n", self.program.draft.module.origin_line(line + number) or origin)
        self._totals(into, kernel)

    def _totals(self, into: Text, kernel: Kernel) -> None:
        if not kernel.totals:
            return
        np = self.module_names["numpy"]
        many = len(kernel.axes)
        sizes = ["cuda.blockDim." + letter for letter in _LETTERS]
        thread, block = "cuda.threadIdx.x", "cuda.blockIdx.x"
        if many > 1:
            thread += " + cuda.blockDim.x * cuda.threadIdx.y"
            block += " + cuda.gridDim.x * cuda.blockIdx.y"
        if many > 2:
            thread += f" + {sizes[0]} * {sizes[1]} * cuda.threadIdx.z"
            block += " + cuda.gridDim.x * cuda.gridDim.y * cuda.blockIdx.z"
        at, half = self.program.free("thread"), self.program.free("half")
        into.add(f"    # the threads of a block add up what they have, pair by pair\n    {at} = {thread}")
        for total in kernel.totals:
            shared = self.program.free(f"{total.name}_of_threads")
            into.add(f"    {shared} = cuda.shared.array({BLOCK}, {np}.{total.dtype})")
            into.add(f"    {shared}[{at}] = {total.name}")
            into.add("    cuda.syncthreads()")
            into.add(f"    {half} = {BLOCK // 2}")
            into.add(f"    while {half} > 0:")
            into.add(f"        if {at} < {half}:")
            both = _both(total, f"{shared}[{at}]", f"{shared}[{at} + {half}]")
            if total.operator in _EXTREMES:
                both = self.helper(_EXTREMES[total.operator]) + both.removeprefix(total.operator)
            into.add(f"            {shared}[{at}] = {both}")
            into.add("        cuda.syncthreads()")
            into.add(f"        {half} //= 2")
            into.add(f"    if {at} == 0:")
            into.add(f"        {total.name}_of_blocks[{block}] = {shared}[0]")

    def _device_function(self, into: Text, name: str) -> None:
        node = self.program.functions[name].node
        origin = self.program.draft.module.origin_line(node.lineno)
        into.add("@cuda.jit(device=True)", origin)
        text = "\n".join(self.program.lines[node.lineno - 1 : node.end_lineno])
        known = self.program.functions[name].known
        for number, line in enumerate(self._spelled(text, node.lineno, known).splitlines()):
            into.add(line or "\n", self.program.draft.module.origin_line(node.lineno + number))

    def _spelled(self, text: str, line: int, known: Mapping[str, Type]) -> str:
        """Spells NumPy's functions as kernels know them; `known` are the types of the text's names."""
        typer = self.program.typer(known, False)
        edits: list[tuple[int, int, str]] = []
        raw = text.encode()
        starts = [0]
        for one in text.splitlines(keepends=True):
            starts.append(starts[-1] + len(one.encode()))

        def begin(node: ast.expr) -> int:
            return starts[node.lineno - 1] + node.col_offset

        def end(node: ast.expr) -> int:
            return starts[(node.end_lineno or node.lineno) - 1] + (node.end_col_offset or 0)

        def around(call: ast.expr, part: ast.expr, after: str) -> None:
            edits.append((begin(call), begin(part), "("))
            edits.append((end(part), end(call), f"){after}"))

        for node in ast.walk(ast.parse(text)):
            if not isinstance(node, ast.Call):
                continue
            path = self.program.path(node.func) or ""
            name = path.rpartition(".")[2]
            if not path and isinstance(node.func, ast.Attribute) and node.func.attr == "conj":
                around(node, node.func.value, ".conjugate()")
            if not path and isinstance(node.func, ast.Name) and node.func.id in _EXTREMES:
                # the CUDA target inside Numba 0.68 has no `max` of two numbers
                helper = self.helper(_EXTREMES[node.func.id])
                edits.append((begin(node.func), end(node.func), f"{helper}(" * (len(node.args) - 2) + helper))
                edits += [(end(one), end(one), ")") for one in node.args[1:-1]]
            if not path.startswith("numpy."):
                continue
            of_complex = any(is_complex(typer.number(one)) for one in node.args)
            if name in ("conj", "conjugate"):
                around(node, node.args[0], ".conjugate()")
            elif name in ("real", "imag"):
                around(node, node.args[0], f".{name}")
            elif name == "power":
                base, power = node.args
                edits.append((begin(node), begin(base), "(("))
                edits.append((end(base), begin(power), ") ** ("))
                edits.append((end(power), end(node), "))"))
            elif name in ("abs", "absolute"):
                edits.append((begin(node.func), end(node.func), "abs"))
            elif name in ROUNDED:
                self.math = True
                edits.append((begin(node.func), end(node.func), self.helper("nearest_integer")))
            elif of_complex and not _is_dtype(name):
                self.cmath = True
                spelled = "phase" if name == "angle" else name
                edits.append((begin(node.func), end(node.func), f"{self.module_names['cmath']}.{spelled}"))
            elif name in _MATH:
                self.math = True
                edits.append((begin(node.func), end(node.func), f"{self.module_names['math']}.{_MATH[name]}"))
            elif name not in _AS_THEY_ARE and not _is_dtype(name):
                raise self.program.refused(
                    line + node.lineno - 1, f"Numba has no `{ast.unparse(node.func)}` in kernels: write it with `math`"
                )
        for first, last, new in sorted(edits, reverse=True):
            raw = raw[:first] + new.encode() + raw[last:]
        return raw.decode()

    # -- the host

    def _host_function(self, into: Text, name: str) -> None:
        program = self.program
        function = program.functions[name]
        self._new_arrays(function.node)
        launches = {one.first: self._launch(one) for one in program.kernels if one.function == name}
        own = [one.arg for one in (*function.node.args.posonlyargs, *function.node.args.args)]
        self.hosting.function(into, name, function.node, launches, f"def {self._inner(name)}({', '.join(own)}):")

    def _inner(self, name: str) -> str:
        return f"{name}_on_device" if name == self.program.draft.entry else name

    def _new_arrays(self, node: ast.FunctionDef) -> None:
        program = self.program
        np = self.module_names["numpy"]
        inside = [range(kernel.first, kernel.last + 1) for kernel in program.kernels]
        for call in (one for one in ast.walk(node) if isinstance(one, ast.Call)):
            if any(call.lineno in lines for lines in inside):
                continue
            kind = maker(call, program.path(call.func))
            if kind is None:
                continue
            if call.lineno != call.end_lineno:
                raise program.refused(call, "a new array is written over several lines: write it on one")
            if kind == "spaced":
                self.hosting.replace(call, f"on_device({ast.unparse(call)})")
                continue
            named = {one.arg: ast.unparse(one.value) for one in call.keywords}
            given = [ast.unparse(one) for one in call.args]
            if kind in ("copy", "same"):
                base = given[0] if given else ast.unparse(call.func.value)  # type: ignore[attr-defined]
                self.hosting.replace(call, f"{self.helper('copied')}({base})" if kind == "copy" else base)
                continue
            places = 2 if kind.startswith("full") else 1
            dtype = named.get("dtype") or (given[places] if len(given) > places else None)
            shape = given[0]
            if kind.endswith("_like"):
                dtype = dtype or f"{given[0]}.dtype"
                shape = f"{given[0]}.shape"
            if dtype is None:
                dtype = f"{np}.float64"
                if kind == "full":
                    known = program.typer(program.functions[node.name].known, True).number(call.args[1])
                    dtype = f"{np}.{known}"
            if kind.startswith("empty"):
                self.hosting.replace(call, self.empty.format(shape=shape, dtype=dtype))
                continue
            value = {"zeros": "0", "ones": "1"}.get(kind.removesuffix("_like")) or given[1]
            self.hosting.replace(call, f"{self.helper('filled')}({shape}, {value}, {dtype})")

    def _launch(self, kernel: Kernel) -> list[str]:
        np = self.module_names["numpy"]
        extents = []
        for axis in kernel.axes:
            stop = ast.unparse(axis.stop)
            extents.append(stop if axis.start is None else f"{stop} - ({ast.unparse(axis.start)})")
        passed = list(kernel.parameters)
        if not kernel.totals:
            return [self._plain_launch(kernel, extents, passed)]
        blocks, threads = self.program.free("blocks"), self.program.free("threads")
        self.math = True
        steps = ", ".join(extents)
        lines = [f"{blocks}, {threads} = {self.helper('grid_of')}({BLOCK}, {steps}, most={MOST})"]
        for total in kernel.totals:
            lines.append(
                f"{total.name}_of_blocks = "
                + self.empty.format(shape=f"{self.module_names['math']}.prod({blocks})", dtype=f"{np}.{total.dtype}")
            )
        first = [one.name for one in kernel.totals if one.operator in ("max", "min")]
        several = [f"{one.name}_of_blocks" for one in kernel.totals]
        lines.append(self._total_launch(kernel, blocks, threads, passed, first, several))
        for total in kernel.totals:
            fetched = f"{total.name}_of_blocks.copy_to_host()"
            method = {"+": "sum", "*": "prod", "max": "max", "min": "min"}[total.operator]
            part = f"{fetched}.{method}()"
            lines.append(f"{total.name} = {_both(total, total.name, part)}")
        return lines

    def _plain_launch(self, kernel: Kernel, extents: list[str], passed: list[str]) -> str:
        self.helper("grid_of")
        steps = f"{', '.join(extents)}{',' if len(extents) == 1 else ''}"
        given = map(self._there, passed)
        return f"{self.helper('run_all')}({', '.join((kernel.name, f'({steps})', *given))})"

    def _there(self, name: str) -> str:
        """Spells an argument of a launch: a global array lies on the host."""
        return f"on_device({name})" if name in self.program.global_arrays else name

    def _total_launch(
        self, kernel: Kernel, blocks: str, threads: str, passed: list[str], first: list[str], several: list[str]
    ) -> str:
        given = map(self._there, passed)
        return f"{kernel.name}[{blocks}, {threads}]({', '.join((*given, *first, *several))})"

    def _entry(self, into: Text) -> None:
        """Writes the function that the user calls: it moves arrays, and fetches what goes back."""
        program = self.program
        draft = program.draft
        function = program.functions[draft.entry]
        node = function.node
        origin = draft.module.origin_line(node.lineno)
        into.add(f"def {draft.entry}({ast.unparse(node.args)}):", origin)
        names = [one.arg for one in (*node.args.posonlyargs, *node.args.args)]
        arrays = [one for one in names if isinstance(program.functions[draft.entry].known.get(one), Array)]
        moved = {one: program.free(f"{one}_there") for one in arrays}
        for one in arrays:
            into.add(f"    {moved[one]} = on_device({one})", origin)
        call = f"{self._inner(draft.entry)}({', '.join(moved.get(one, one) for one in names)})"
        kind = function.result
        if isinstance(kind, Several) and not kind.items:
            into.add(f"    {call}", origin)
        else:
            result = program.free("result")
            into.add(f"    {result} = {call}", origin)
        for one in (one for one in arrays if one in draft.written):
            into.add(f'    if {moved[one]} is not {one} and not hasattr({one}, "__cuda_array_interface__"):', origin)
            into.add(f"        {moved[one]}.copy_to_host({one})  # the argument that the function writes into", origin)
        if isinstance(kind, Several) and not kind.items:
            return
        own = self._returned_arguments(node, set(arrays))
        there = " or ".join(f"{moved[one]} is {one}" for one in arrays) or "False"
        if isinstance(kind, Array):
            if own and own[0] is not None:
                into.add(f"    return {own[0]}", origin)
                return
            if arrays:
                into.add(f"    return {result} if {there} else {result}.copy_to_host()", origin)
            else:
                into.add(f"    return {result}.copy_to_host()", origin)
        elif isinstance(kind, Several):
            if own is not None and len(own) != len(kind.items):
                own = None  # several results of one call
            items = []
            for number, item in enumerate(kind.items):
                if isinstance(item, Array) and own and own[number] is not None:
                    items.append(str(own[number]))
                elif isinstance(item, Array):
                    items.append(f"{result}[{number}].copy_to_host()")
                else:
                    items.append(f"{result}[{number}]")
            inside = f"({', '.join(items)}{',' if len(items) == 1 else ''})"
            if arrays and not any(own or []) and any(isinstance(one, Array) for one in kind.items):
                into.add(f"    if {there}:\n        return {result}", origin)
            into.add(f"    return {inside}", origin)
        else:
            into.add(f"    return {result}", origin)

    def _returned_arguments(self, node: ast.FunctionDef, arrays: set[str]) -> list[str | None] | None:
        """Returns for each result which argument it is, None for one that is new; None where returns differ."""
        found: list[list[str | None]] = []
        rebound = {
            n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store) and n.id in arrays
        }
        for one in ast.walk(node):
            if isinstance(one, ast.Return) and one.value is not None:
                several = one.value.elts if isinstance(one.value, ast.Tuple) else [one.value]
                found.append(
                    [
                        item.id if isinstance(item, ast.Name) and item.id in arrays and item.id not in rebound else None
                        for item in several
                    ]
                )
        if not found or any(one != found[0] for one in found):
            if any(name for one in found for name in one):
                raise self.program.refused(
                    node, "the function returns its own argument in one case, and a new array in another"
                )
            return None
        return found[0]


def _both(total: Total, one: str, other: str) -> str:
    if total.operator in ("max", "min"):
        return f"{total.operator}({one}, {other})"
    return f"{one} {total.operator} {other}"


def _is_dtype(name: str) -> bool:
    return name[-1].isdigit() or name in ("bool", "bool_")
