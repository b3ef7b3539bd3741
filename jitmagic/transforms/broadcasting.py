"""A function over a batch in plain NumPy without a loop: the batch is one more axis, carried through by broadcasting.

That holds for what goes element by element from the argument to the result, and is read off the source: what joins
axes, looks at one element, or decides by a value gives another result for a batch, or none.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np

from jitmagic.backends.protocol import Draft, VariantRefusal
from jitmagic.capture.workload import Workload
from jitmagic.errors import Refusal
from jitmagic.observe.facts import Observation
from jitmagic.transforms.draft import made_around, wrapped
from jitmagic.transforms.signature import Around, with_import
from jitmagic.transforms.transform import Transform

_ELEMENTWISE = frozenset({"numpy.where", "numpy.clip", "numpy.real", "numpy.imag", "numpy.angle", "numpy.nan_to_num"})
"""Functions of NumPy's that are no ufuncs and go element by element all the same."""

_AT_ONCE = '''
def {name}({parameters}):
    """{inner} for all slices of {x} along axis {axis} at once."""
{moved}    return {inner}({passed})
'''


def drafts(
    asked: Transform,
    workload: Workload,
    observed: Observation,
    write: Callable[[Workload, Observation], Sequence[Draft | VariantRefusal]],
    variant: str,
    library: str,
) -> Sequence[Draft | VariantRefusal]:
    """Puts the one call around a draft of the function, or says why it does not take a batch; nothing for derivatives.

    Parameters
    ----------
    write : callable
        Writes the function itself, with whole arrays.
    library : str
        The dotted path of what its arrays are of: ``"numpy"``, ``"cupy"``.
    """
    if asked.derives:
        return ()
    inner = write(workload, observed)[0]
    if isinstance(inner, VariantRefusal):
        return [inner]
    refused, fact = refusal(workload, asked.argument), observed.result
    if refused is not None or fact is None:
        return [VariantRefusal(variant, inner.backend, "broadcast", refused or Refusal("it gives no result"))]
    made = made_around(asked, workload, inner)
    short = {"numpy": "np", "cupy": "cp"}[library]
    name = next((name for name, path in inner.names.items() if path == library), short)
    value = workload.argument_values()[workload.argument_names.index(asked.argument)]
    text = source(made, name, asked.axis or 0, np.ndim(value) + 1, fact.ndim or 0)
    module = inner.module
    if f"{name}." in text and inner.names.get(name) != library:
        module = with_import(module, f"import {library} as {name}")
    return [wrapped(asked, workload, inner, "broadcast", variant, "broadcast", text, module, made)]


def source(around: Around, numpy: str, axis: int, ndim: int, result: int) -> str:
    """Writes the one call for the whole batch.

    Parameters
    ----------
    numpy : str
        NumPy's name in the module, or that of a library that has NumPy's functions.
    axis, ndim : int
        The batch's axis, and how many the argument has with it.
    result : int
        How many axes the result has for one slice: the slice is broadcast to as many.
    """
    x, moved = around.argument, ""
    if axis % ndim:
        moved += f"    {x} = {numpy}.moveaxis({x}, {axis}, 0)\n"
    if result > ndim - 1:
        moved += f"    {x} = {x}[:{', None' * (result - ndim + 1)}]\n"
    return _AT_ONCE.format(
        name=around.name, parameters=around.parameters, inner=around.inner, x=x, axis=axis, moved=moved,
        passed=around.passed,
    ).strip("\n")  # fmt: skip


def refusal(workload: Workload, argument: str) -> Refusal | None:
    """Says why a function does not take a batch of an argument at once; None where it does."""
    reader = _Reader(workload)
    try:
        reader.read(workload.function.name, frozenset({argument}))
    except _NotElementwise as error:
        line = workload.module.origin_line(error.line)
        where = "" if line is None else f"line {line}: "
        return Refusal(f"{where}{error.reason}, so that NumPy cannot take the batch at once", line)
    return None


class _NotElementwise(Exception):
    def __init__(self, node: ast.AST, reason: str) -> None:
        super().__init__(reason)
        self.line, self.reason = getattr(node, "lineno", None), reason


class _Reader:
    """Follows what comes from the batch through a function and those that it calls."""

    def __init__(self, workload: Workload) -> None:
        body = ast.parse(workload.module.text).body
        self._functions = {node.name: node for node in body if isinstance(node, ast.FunctionDef)}
        self._names = workload.names
        self._done: set[tuple[str, frozenset[str]]] = set()

    def read(self, name: str, given: frozenset[str]) -> None:
        """Reads a function some of whose parameters come from the batch."""
        if (name, given) in self._done:
            return
        self._done.add((name, given))
        node = self._functions[name]
        batch, fresh = _flow(node, given)
        for statement in _statements(node.body):
            self._statement(statement, batch, fresh)

    def _statement(self, node: ast.stmt, batch: set[str], fresh: set[str]) -> None:
        match node:
            case ast.Return(value=None):
                raise _NotElementwise(node, "nothing is returned")
            case ast.Return(value=value):
                if value is None or not _from(value, batch):
                    raise _NotElementwise(node, "what is returned does not come from the batch")
                self._value(value, batch)
            case ast.Assign(targets=targets, value=value):
                for target in targets:
                    if _from(value, batch) and not all(isinstance(one, ast.Name) for one in _parts(target)):
                        raise _NotElementwise(node, "a part of an array is stored into")
                self._value(value, batch)
            case ast.AugAssign(target=target, value=value):
                name = target.id if isinstance(target, ast.Name) else None
                if _from(value, batch) or (name in batch):
                    if name is None or (name in batch and name not in fresh):
                        raise _NotElementwise(node, "an array that may be the caller's is changed in place")
                    self._value(value, batch)
            case ast.AnnAssign(value=value) if value is not None:
                self._value(value, batch)
            case ast.If(test=test) | ast.While(test=test):
                if _from(test, batch):
                    raise _NotElementwise(node, "a branch is taken by a value of each slice (np.where takes both)")
            case ast.For(iter=values):
                if _from(values, batch):
                    raise _NotElementwise(node, "a loop runs over values of the batch")
            case ast.Expr(value=ast.Constant()) | ast.Pass() | ast.Break() | ast.Continue():
                pass
            case _:
                if _from(node, batch):
                    raise _NotElementwise(node, f"a batch does not go through `{_words(node)}`")

    def _value(self, node: ast.expr, batch: set[str]) -> None:
        """Sees to it that what of an expression comes from the batch goes element by element."""
        if not _from(node, batch):
            return
        match node:
            case ast.Name():
                return
            case ast.Tuple(elts=parts):
                for part in parts:
                    self._value(part, batch)
            case ast.BinOp(left=left, op=op, right=right) if not isinstance(op, ast.MatMult):
                self._value(left, batch)
                self._value(right, batch)
            case ast.UnaryOp(op=ast.USub() | ast.UAdd() | ast.Invert(), operand=operand):
                self._value(operand, batch)
            case ast.Compare(left=left, ops=[ast.Lt() | ast.LtE() | ast.Gt() | ast.GtE() | ast.Eq() | ast.NotEq()],
                             comparators=[right]):  # fmt: skip
                self._value(left, batch)
                self._value(right, batch)
            case ast.Attribute(value=value, attr="real" | "imag"):
                self._value(value, batch)
            case ast.Call():
                self._call(node, batch)
            case _:
                raise _NotElementwise(node, f"`{_words(node)}` does not go element by element")

    def _call(self, node: ast.Call, batch: set[str]) -> None:
        if isinstance(node.func, ast.Name) and node.func.id in self._functions:
            self._helper(node, batch)
            return
        path = _path(node.func, self._names)
        function = getattr(np, path.removeprefix("numpy."), None) if path.startswith("numpy.") else None
        known = isinstance(function, np.ufunc) and function.signature is None
        if not (known or path in _ELEMENTWISE or path == "abs") or node.keywords:
            raise _NotElementwise(node, f"`{_words(node)}` does not go element by element")
        for part in node.args:
            self._value(part, batch)

    def _helper(self, node: ast.Call, batch: set[str]) -> None:
        assert isinstance(node.func, ast.Name)
        given = self._functions[node.func.id].args
        places = [one.arg for one in (*given.posonlyargs, *given.args)]
        named = {one.arg: one.value for one in node.keywords if one.arg is not None}
        if len(named) < len(node.keywords) or len(node.args) > len(places) or any(
            isinstance(one, ast.Starred) for one in node.args
        ):
            raise _NotElementwise(node, f"what `{_words(node)}` is given cannot be told")
        passed: Mapping[str, ast.expr] = {**dict(zip(places, node.args, strict=False)), **named}
        for value in passed.values():
            self._value(value, batch)
        self.read(node.func.id, frozenset(name for name, value in passed.items() if _from(value, batch)))


def _flow(node: ast.FunctionDef, given: frozenset[str]) -> tuple[set[str], set[str]]:
    """Returns the names that hold something of the batch, and those that never hold another name's array."""
    batch, aliases = set(given), set(given)
    while True:
        before = len(batch)
        for statement in _statements(node.body):
            if isinstance(statement, ast.Assign | ast.AugAssign | ast.AnnAssign) and statement.value is not None:
                targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
                names = {part.id for target in targets for part in _parts(target) if isinstance(part, ast.Name)}
                if _from(statement.value, batch):
                    batch |= names
                if isinstance(statement, ast.Assign) and not isinstance(
                    statement.value, ast.BinOp | ast.Call | ast.Constant
                ):
                    aliases |= names
        if len(batch) == before:
            return batch, batch - aliases


def _statements(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """Yields statements and those inside of loops and branches."""
    for node in body:
        yield node
        if isinstance(node, ast.For | ast.While | ast.If):
            yield from _statements([*node.body, *node.orelse])


def _parts(target: ast.expr) -> list[ast.expr]:
    return list(target.elts) if isinstance(target, ast.Tuple | ast.List) else [target]


def _from(node: ast.AST, batch: set[str]) -> bool:
    return any(isinstance(one, ast.Name) and one.id in batch for one in ast.walk(node))


def _path(node: ast.expr, names: Mapping[str, str]) -> str:
    """Returns the dotted path of what is called; "" where it cannot be told."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name):
        return ""
    return ".".join([names.get(node.id, node.id), *reversed(parts)])


def _words(node: ast.AST) -> str:
    text = ast.unparse(node).partition("\n")[0]
    return text if len(text) <= 60 else text[:57] + "…"
