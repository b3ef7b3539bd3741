"""The loops of Numba's parallel variant, as what runs on a GPU and what runs on the host.

Numba's writer has proved each `prange` loop independent, or a reduction, and has written whole-array statements as such
loops. Each becomes a kernel; what stands around them has to be work for the host that touches no element: sizes, new
arrays, exchanges of names, loops over steps. Anything else is refused with its line.

The loops are proved once more on the draft's own text, since one thing differs from threads on a CPU: an array that all
steps add to is a race here, where Numba gives each thread its own.
"""

from __future__ import annotations

import ast
import builtins
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from jitmagic.analysis.loops import LoopClass, classify
from jitmagic.backends.cuda.kernels import Axis, Kernel, Total
from jitmagic.backends.cuda.loop_text import as_loaded, cast_of, index_of, is_range, without_cast
from jitmagic.backends.cuda.new_arrays import new_array
from jitmagic.backends.cuda.step_types import settle
from jitmagic.backends.cuda.types import (
    INT,
    NUMBERS,
    PYTHON,
    Array,
    Named,
    Scalar,
    Several,
    Type,
    Typer,
    Untyped,
    is_complex,
    unified,
)
from jitmagic.backends.protocol import Draft
from jitmagic.errors import Unsupported
from jitmagic.observe.facts import Observation, Span, ValueFact

_BUILTINS = frozenset(dir(builtins))

_AXES = 3
"""A grid has three dimensions."""


@dataclass
class Function:
    """A function of the draft.

    Attributes
    ----------
    node : ast.FunctionDef
    known : dict of str to Type
        Its names' types.
    result : Type or None
        None where it returns nothing.
    on_device : bool
        Whether kernels call it.
    """

    node: ast.FunctionDef
    known: dict[str, Type] = field(default_factory=dict)
    result: Type | None = None
    on_device: bool = False


class Program:
    """What Numba's parallel draft is on a GPU.

    Parameters
    ----------
    draft : Draft
    observed : Observation
        The arguments' types.
    constants : mapping of str to object, optional
        What the user's global names stand for.

    Attributes
    ----------
    kernels : list of Kernel
        In the order of the text.
    functions : dict of str to Function
        By name.
    hosts : list of str
        The functions that run on the host.
    names : set of str
        All names that are taken.
    global_arrays : dict of str to Array
        The user's global arrays, which are copied to the GPU for a launch.

    Raises
    ------
    Unsupported
        With the user's line.
    """

    def __init__(self, draft: Draft, observed: Observation, constants: Mapping[str, object] | None = None) -> None:
        self.draft = draft
        self.source = draft.module.text
        self.lines = self.source.splitlines()
        # the same columns, in a word that the proofs know
        self.tree = ast.parse(self.source.replace("prange(", " range("))
        self.functions = {node.name: Function(node) for node in self.tree.body if isinstance(node, ast.FunctionDef)}
        self.globals = self._globals()
        self.global_arrays = self._global_arrays(constants or {})
        self.globals.update(self.global_arrays)
        self._marked = {number for number, line in enumerate(self.lines, 1) if "prange(" in line.partition("#")[0]}
        self._loops: dict[str, dict[int, LoopClass]] = {}
        self.kernels: list[Kernel] = []
        self.hosts: list[str] = []
        self.names: set[str] = {
            node.id if isinstance(node, ast.Name) else node.arg
            for node in ast.walk(self.tree)
            if isinstance(node, ast.Name | ast.arg)
        } | set(self.functions)
        entry = self.functions[draft.entry]
        self._take_arguments(entry, observed)
        self._walk_host(draft.entry)
        if not self.kernels:
            raise self.refused(entry.node, "nothing to run on the GPU: there is no loop over independent steps")
        self.written = frozenset().union(*(kernel.stored for kernel in self.kernels))

    # -- places

    def refused(self, node: ast.AST | int | None, reason: str) -> Unsupported:
        """Words a refusal with the user's line."""
        at = node if isinstance(node, int) else getattr(node, "lineno", None)
        line = self.draft.module.origin_line(at)
        found = at
        while line is None and found is not None and found > 1:  # a line of ours: the nearest of the user's above
            found -= 1
            line = self.draft.module.origin_line(found)
        told = f"line {line}: {reason}" if line is not None else reason
        return Unsupported(told, line)

    def path(self, node: ast.AST) -> str | None:
        """Returns the dotted path of a library's function or module."""
        if isinstance(node, ast.Name):
            path = self.draft.names.get(node.id)
            return None if path is not None and path.startswith("builtins.") else path
        if isinstance(node, ast.Attribute):
            base = self.path(node.value)
            return None if base is None else f"{base}.{node.attr}"
        return None

    def free(self, wanted: str) -> str:
        """Returns a name that nothing of the draft has, for use inside one function."""
        name, number = wanted, 1
        while name in self.names or name in self.draft.names:
            number += 1
            name = f"{wanted}_{number}"
        return name

    def fresh(self, wanted: str) -> str:
        """Returns a name that nothing has, and keeps it."""
        name = self.free(wanted)
        self.names.add(name)
        return name

    # -- types

    def _globals(self) -> dict[str, Type]:
        found: dict[str, Type] = {}
        typer = Typer(found, self.path, lambda name, node, args: None)
        for node in self.tree.body:
            if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
                try:
                    found[node.targets[0].id] = typer.of(node.value)
                except Untyped:  # what is never used is never missed
                    continue
        return found

    def _global_arrays(self, constants: Mapping[str, object]) -> dict[str, Array]:
        """Returns the arrays among the module's names: those that stand in its text, and those that it expects."""
        arrays = {name: value for name, value in constants.items() if name in self.draft.needs}
        for node in self.tree.body:
            if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
                arrays[node.targets[0].id] = self._written_array(node.value)
        return {
            name: Array(value.dtype.name, value.ndim)
            for name, value in arrays.items()
            if isinstance(value, np.ndarray) and value.ndim and value.dtype.name in NUMBERS
        }

    def _written_array(self, node: ast.expr) -> object:
        """Returns an array that stands in the text as a list of numbers; None for anything else."""
        if not isinstance(node, ast.Call) or self.path(node.func) != "numpy.array" or len(node.args) != 1:
            return None
        dtypes = [(self.path(one.value) or "").removeprefix("numpy.") for one in node.keywords if one.arg == "dtype"]
        if len(dtypes) != len(node.keywords) or not set(dtypes) <= set(NUMBERS):
            return None
        try:
            return np.array(ast.literal_eval(node.args[0]), dtype=dtypes[0] if dtypes else None)
        except ValueError:
            return None

    def _take_arguments(self, entry: Function, observed: Observation) -> None:
        given = entry.node.args
        if given.vararg is not None or given.kwonlyargs or given.kwarg is not None:
            raise self.refused(entry.node, "a kernel takes no *arguments and no keywords")
        for argument in (*given.posonlyargs, *given.args):
            fact = observed.arguments.get(argument.arg)
            known = None if fact is None else type_of(fact)
            if known is None:
                default = self._default(given, argument)
                if default is None:
                    what = "is not known" if fact is None else f"is a {fact.kind}"
                    raise self.refused(
                        entry.node, f"the argument `{argument.arg}` {what}: a kernel takes arrays and numbers"
                    )
                known = default
            entry.known[argument.arg] = known

    def _default(self, given: ast.arguments, argument: ast.arg) -> Type | None:
        several = (*given.posonlyargs, *given.args)
        behind = len(several) - several.index(argument)
        if behind > len(given.defaults):
            return None
        try:
            return Typer(self.globals, self.path, lambda name, node, args: None).of(given.defaults[-behind])
        except Untyped:
            return None

    def typer(self, known: Mapping[str, Type], host: bool) -> Typer:
        """Returns what types expressions in a function."""
        both = _Both(known, self.globals)
        if host:
            return _HostTyper(self, both)
        return Typer(both, self.path, self._called_by_kernel)

    def called_by_host(self, name: str, node: ast.Call, args: tuple[Type, ...]) -> Type | None:
        function = self.functions.get(name)
        if function is None:
            return None
        self._enter(name, function, node, args)
        if function.result is None and name not in self.hosts:
            self._walk_host(name)
        return function.result if function.result is not None else Several(())

    def _called_by_kernel(self, name: str, node: ast.Call, args: tuple[Type, ...]) -> Type | None:
        function = self.functions.get(name)
        if function is None:
            return None
        first = not function.on_device
        self._enter(name, function, node, args)
        function.on_device = True
        if first:
            self._walk_device(function)
        return function.result

    def _enter(self, name: str, function: Function, node: ast.Call, args: tuple[Type, ...]) -> None:
        parameters = [one.arg for one in function.node.args.args]
        if node.keywords or len(parameters) != len(args):
            raise Untyped(node, f"`{name}` is called with keywords or defaults")
        for parameter, kind in zip(parameters, args, strict=True):
            before = function.known.get(parameter)
            if before is not None and before != kind:
                both = unified(before, kind)
                if both is None or not isinstance(both, Array) or (name in self.hosts and both != before):
                    raise Untyped(node, f"`{name}` is called with values of several types")
                kind = both
            function.known[parameter] = kind

    # -- the host's side

    def _walk_host(self, name: str) -> None:
        self.hosts.append(name)
        function = self.functions[name]
        self._loops[name] = {}
        try:
            self._host_block(name, function, function.node.body)
        except Untyped as error:
            raise self.refused(error.node, f"on the host, {error.reason}") from None
        outside = self._host_loads(function.node)
        for kernel in self.kernels:
            lost = outside & set(kernel.own) - {total.name for total in kernel.totals}
            assigned = {one for statement in self._host_statements(function.node) for one in _assigned(statement)}
            if kernel.function == name and lost - assigned - set(function.known):
                raise self.refused(kernel.first, f"`{sorted(lost)[0]}` of the loop's last step is needed after it")

    def _host_statements(self, node: ast.FunctionDef) -> Iterator[ast.stmt]:
        def within(body: Sequence[ast.stmt]) -> Iterator[ast.stmt]:
            for one in body:
                if isinstance(one, ast.For) and one.lineno in self._marked:
                    continue
                yield one
                for part in ("body", "orelse"):
                    yield from within(getattr(one, part, []))

        return within(node.body)

    def _host_loads(self, node: ast.FunctionDef) -> set[str]:
        found: set[str] = set()
        for one in self._host_statements(node):
            parts: list[ast.AST] = [one]
            if isinstance(one, ast.For | ast.While | ast.If):
                parts = [one.iter] if isinstance(one, ast.For) else [one.test]
            for part in parts:
                found |= {n.id for n in ast.walk(part) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)}
        return found

    def _host_block(self, name: str, function: Function, body: Sequence[ast.stmt]) -> None:
        for statement in body:
            self._host(name, function, statement)

    def _host(self, name: str, function: Function, node: ast.stmt) -> None:
        typer = self.typer(function.known, True)
        if isinstance(node, ast.For) and node.lineno in self._marked:
            self._kernel(name, function, node)
        elif isinstance(node, ast.Assign):
            for target in node.targets:
                self._bind(function, target, self._made(function, node.value))
        elif isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name):
            typer.number(node.target)
            self._bind(function, node.target, typer.of(ast.BinOp(as_loaded(node.target), node.op, node.value)))
        elif isinstance(node, ast.Return):
            found = Several(()) if node.value is None else self._made(function, node.value)
            if function.result is not None and function.result != found:
                raise Untyped(node, "the function returns values of several types")
            function.result = found
        elif isinstance(node, ast.For):
            if not is_range(node.iter) or not isinstance(node.target, ast.Name) or node.orelse:
                raise Untyped(
                    node, f"`for {ast.unparse(node.target)} in {ast.unparse(node.iter)}` is no plain loop over a range"
                )
            assert isinstance(node.iter, ast.Call)
            for one in node.iter.args:
                typer.number(one)
            self._bind(function, node.target, INT)
            self._host_block(name, function, node.body)
        elif isinstance(node, ast.While | ast.If):
            typer.number(node.test)
            self._host_block(name, function, node.body)
            self._host_block(name, function, node.orelse)
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
            if not isinstance(node.value.func, ast.Name) or node.value.func.id not in self.functions:
                raise Untyped(node, f"`{ast.unparse(node.value)}` is no work for a GPU")
            typer.of(node.value)
        elif isinstance(node, ast.Raise | ast.Pass | ast.Break | ast.Continue) or (
            isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        ):
            return
        else:
            raise Untyped(node, f"`{ast.unparse(node).splitlines()[0]}` would need each element on the host")

    def _made(self, function: Function, node: ast.expr) -> Type:
        """Types what the host assigns or returns: a number, an array by name, or a new array."""
        if isinstance(node, ast.Tuple):
            return Several(tuple(self._made(function, one) for one in node.elts))
        typer = self.typer(function.known, True)
        found = typer.of(node)
        if isinstance(node, ast.Subscript) and not isinstance(typer.of(node.value), Several):
            raise Untyped(node, f"`{ast.unparse(node)}` would be fetched from the GPU, or be a view")
        return found

    def _bind(self, function: Function, target: ast.expr, kind: Type) -> None:
        if isinstance(target, ast.Tuple) and isinstance(kind, Several) and len(target.elts) == len(kind.items):
            for one, item in zip(target.elts, kind.items, strict=True):
                self._bind(function, one, item)
            return
        if not isinstance(target, ast.Name):
            raise Untyped(target, f"`{ast.unparse(target)}` would be written from the host")
        before = function.known.get(target.id)
        both = kind if before is None else unified(before, kind)
        if both is None:
            raise Untyped(target, f"`{target.id}` has values of several types")
        function.known[target.id] = both

    # -- kernels

    def _prove(self, name: str, function: Function, node: ast.For) -> None:
        """Classifies the loops of a function, now that the types of what this one reads are known."""
        known = dict(function.known)
        try:
            settle(self.typer(known, False), known, [node])
        except Untyped as error:
            raise self.refused(error.node, f"in a kernel, {error.reason}") from None
        typer = self.typer(known, False)
        facts = {}
        for one in ast.walk(node):
            if not isinstance(one, ast.Name | ast.Subscript | ast.BinOp | ast.Call | ast.Attribute):
                continue
            try:
                kind = typer.of(one)
            except Untyped:  # a function, a module, a target
                continue
            if isinstance(kind, Scalar | Array) and one.end_lineno is not None and one.end_col_offset is not None:
                span = Span(one.lineno, one.col_offset, one.end_lineno, one.end_col_offset)
                facts[span] = _fact(kind)
        names = {key: path for key, path in self.draft.names.items() if path != "numba.prange"}
        seen = Observation(0.0, True, None, None, (), None, (), (), "", False, (), (), {}, facts)
        for loop in classify(self._provable(), name, names, seen):
            self._loops[name].setdefault(loop.span.line, loop)
            if node.lineno <= loop.span.line <= (node.end_lineno or node.lineno):
                self._loops[name][loop.span.line] = loop

    def _provable(self) -> str:
        """Returns the draft's text as the proofs read it: with `range`, and without the cast of an unsigned index."""
        lines = self.source.replace("prange(", " range(").splitlines()
        for node in ast.walk(self.tree):
            if isinstance(node, ast.For) and isinstance(node.target, ast.Name):
                index = cast_of(node, node.target.id)
                if index is not None and len(node.body) > 1:
                    head = lines[node.lineno - 1]
                    at = node.target.col_offset
                    lines[node.lineno - 1] = (
                        head[:at]
                        + index
                        + " " * (len(node.target.id) - len(index))
                        + (head[at + len(node.target.id) :])
                    )
                    lines[node.body[0].lineno - 1] = ""
        return "\n".join(lines) + "\n"

    def _kernel(self, name: str, function: Function, node: ast.For) -> None:
        self._prove(name, function, node)
        proved = self._loops[name].get(node.lineno)
        if proved is None or not proved.parallel:
            blocker = proved.blockers[0] if proved is not None and proved.blockers else None
            reason = blocker.reason if blocker is not None else "was not proved independent here"
            raise self.refused(blocker.span.line if blocker is not None else node, f"the loop {reason}")
        shared = next((one for one in proved.reductions if one.array), None)
        if shared is not None:
            raise self.refused(
                shared.spans[0].line,
                f"all steps of the loop add to the array `{shared.name}`, which threads of a GPU "
                "would do at the same time",
            )
        axes, innermost = self._nest(name, node)
        body = tuple(without_cast(innermost, axes[-1].index))
        own = sorted(_assigned_in(body) - {one.name for one in proved.reductions})
        stored = frozenset(_stored(body))
        reads = _loads(body) | stored
        for axis in axes:
            for bound in (axis.start, axis.stop):
                reads |= {n.id for n in ast.walk(bound) if isinstance(n, ast.Name)} if bound is not None else set()
        indices = {axis.index for axis in axes}
        sums = {one.name: one.operator for one in proved.reductions}
        called = tuple(sorted(reads & set(self.functions)))
        parameters = tuple(
            sorted(
                one
                for one in reads - set(own) - indices - set(sums) - set(called)
                if one not in _BUILTINS and one not in self.draft.names
            )
        )
        known: dict[str, Type] = {}
        for one in (*parameters, *sums):
            found = function.known.get(one) or self.globals.get(one)
            if found is None:
                if one in self.draft.needs:
                    raise self.refused(node, f"the global `{one}` is an array: pass it as an argument")
                raise self.refused(node, f"what `{one}` is was not found")
            known[one] = found
        known.update(dict.fromkeys(indices, INT))
        carried = sorted(one for one in parameters if isinstance(known[one], Several | Named))
        if carried:
            raise self.refused(node, f"`{carried[0]}` is a tuple: a kernel takes arrays and numbers")
        try:
            for axis in axes:
                for bound in (axis.start, axis.stop):
                    if bound is not None:
                        self.typer(known, False).number(bound)
            settle(self.typer(known, False), known, body)
        except Untyped as error:
            raise self.refused(error.node, f"in a kernel, {error.reason}") from None
        totals = []
        for one, operator in sums.items():
            kind = known[one]
            ordered = operator in ("max", "min")
            if not isinstance(kind, Scalar) or kind.dtype == "bool" or (is_complex(kind.dtype) and ordered):
                raise self.refused(node, f"`{one}` is no number that threads can add up")
            totals.append(Total(one, operator, kind.dtype))
            function.known[one] = kind
        self.kernels.append(
            Kernel(
                self.fresh(f"{name}_kernel"),
                name,
                node.lineno,
                node.end_lineno or node.lineno,
                node.col_offset,
                axes,
                body,
                self._text(innermost),
                parameters,
                known,
                tuple(own),
                stored,
                tuple(totals),
                called,
            )
        )

    def _nest(self, name: str, node: ast.For) -> tuple[tuple[Axis, ...], ast.For]:
        """Returns the loops that the grid takes over, and the innermost of them."""
        axes = [self._axis(node)]
        while len(axes) < _AXES:
            body = without_cast(node, axes[-1].index)
            inner = body[0] if len(body) == 1 else None
            if not isinstance(inner, ast.For) or not is_range(inner.iter) or inner.orelse:
                break
            proved = self._loops[name].get(inner.lineno)
            if proved is None or not proved.parallel or any(one.array for one in proved.reductions):
                break
            assert isinstance(inner.iter, ast.Call)
            bounds = {n.id for n in ast.walk(inner.iter) if isinstance(n, ast.Name)}
            if len(inner.iter.args) > 2 or bounds & {axis.index for axis in axes}:
                break
            axes.append(self._axis(inner))
            node = inner
        return tuple(axes), node

    def _axis(self, node: ast.For) -> Axis:
        if not isinstance(node.target, ast.Name) or not isinstance(node.iter, ast.Call) or node.orelse:
            raise self.refused(node, "the loop has an `else`, or no single index")
        args = node.iter.args
        if len(args) > 2:
            raise self.refused(node, "the loop has a step of its own")
        return Axis(index_of(node), args[0] if len(args) == 2 else None, args[-1])

    def _walk_device(self, function: Function) -> None:
        result: list[Type] = []
        settle(self.typer(function.known, False), function.known, function.node.body, result)
        function.result = result[-1] if result else Several(())

    def _text(self, node: ast.For) -> str:
        """Returns a loop's body as it is written, without the cast of Numba's unsigned index."""
        first = node.body[0].lineno
        body = without_cast(node, index_of(node))
        if body and body[0] is not node.body[0]:
            first = (node.body[0].end_lineno or first) + 1
        else:  # comments above the first statement
            first = node.lineno + 1 if node.lineno < first else first
        return textwrap.dedent("\n".join(self.lines[first - 1 : node.end_lineno])) + "\n"


class _HostTyper(Typer):
    """Types the host's expressions: no elements of arrays, but new arrays."""

    def __init__(self, program: Program, known: Mapping[str, Type]) -> None:
        super().__init__(known, program.path, program.called_by_host, False)
        self._program = program

    def _call(self, node: ast.Call) -> Type:
        return new_array(self, node) or super()._call(node)


class _Both(Mapping[str, Type]):
    """Names of a function over those of its module; the first may grow."""

    def __init__(self, own: Mapping[str, Type], outer: Mapping[str, Type]) -> None:
        self._own, self._outer = own, outer

    def __getitem__(self, name: str) -> Type:
        return self._own[name] if name in self._own else self._outer[name]

    def __iter__(self) -> Iterator[str]:
        return iter({**self._outer, **self._own})

    def __len__(self) -> int:
        return len({**self._outer, **self._own})


def type_of(fact: ValueFact) -> Type | None:
    """Returns the type of an argument; None for what a kernel cannot take."""
    if fact.kind == "array" and fact.shape is not None and fact.dtype is not None:
        return Array(fact.dtype, len(fact.shape)) if fact.shape else None
    if fact.kind == "scalar" and fact.dtype is not None:
        return Scalar(fact.dtype)
    return Scalar(PYTHON[fact.kind]) if fact.kind in PYTHON else None


def _fact(kind: Scalar | Array) -> ValueFact:
    """Returns a fact of a value of this type."""
    if isinstance(kind, Array):
        return ValueFact("array", kind.dtype, (None,) * kind.ndim)
    return ValueFact("scalar", kind.dtype, ())


def _assigned(node: ast.AST) -> set[str]:
    return {n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}


def _assigned_in(body: Sequence[ast.stmt]) -> set[str]:
    return set().union(*(_assigned(one) for one in body))


def _loads(body: Sequence[ast.stmt]) -> set[str]:
    return {n.id for one in body for n in ast.walk(one) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)}


def _stored(body: Sequence[ast.stmt]) -> Iterator[str]:
    for one in body:
        for node in ast.walk(one):
            if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store):
                base: ast.expr = node
                while isinstance(base, ast.Subscript):
                    base = base.value
                if isinstance(base, ast.Name):
                    yield base.id
