"""Questions that the rules of several backends ask."""

from __future__ import annotations

import ast
from collections.abc import Iterator

import numpy as np

from jitmagic.analysis.effects import Effect
from jitmagic.gotchas.context import CONFIRMED, NOT_SEEN, POSSIBLE, Context

SMALL_INTEGERS = ("int8", "int16", "int32", "uint8", "uint16", "uint32")
INTEGERS = (*SMALL_INTEGERS, "int64", "uint64")
UNIQUE_MAKERS = ("arange", "argsort", "flatnonzero", "unique", "random.permutation", "lexsort", "argpartition")

FLOAT_FUNCTIONS = frozenset(
    {"sqrt", "exp", "log", "log2", "log10", "log1p", "expm1", "exp2", "sin", "cos", "tan", "arcsin", "arccos", "arctan",
     "arctan2", "sinh", "cosh", "tanh", "arcsinh", "arccosh", "arctanh", "cbrt", "hypot", "deg2rad", "rad2deg",
     "radians", "degrees", "true_divide", "mean", "std", "var", "logaddexp", "sinc"}
)  # fmt: skip
"""Functions that make floating-point numbers of integers."""


def outside_values(ctx: Context) -> Iterator[tuple[Effect, str, str]]:
    """Yields the first read of each value from outside, with how it is shown, and the status of its gotcha.

    Numbers in CAPITALS are constants, and left out; arrays and the like in CAPITALS are not expected to change.
    """
    told: set[str] = set()
    for effect in ctx.effects.of("global read"):
        if effect.name in told or effect.name not in ctx.workload.constants:
            continue
        told.add(effect.name)
        value = ctx.workload.constants[effect.name]
        status = NOT_SEEN if effect.name.isupper() else POSSIBLE
        if isinstance(value, np.ndarray):
            yield effect, f"the contents that the {value.dtype} array had when it was built", status
        elif isinstance(value, list | dict | set):
            yield effect, f"the contents that the {type(value).__name__} had when it was built", status
        elif not effect.name.isupper():
            shown = repr(value) if len(repr(value)) <= 30 else repr(value)[:27] + "…"
            yield effect, f"the value {shown} that it had when it was built", status


def seeded(ctx: Context, node: ast.AST) -> bool:
    """Tells whether a draw comes from a generator that the function makes itself from a literal seed."""
    if not isinstance(node, ast.Call):
        return False
    if ctx.names.path(node.func) in ("numpy.random.default_rng", "numpy.random.RandomState", "random.Random"):
        return bool(node.args or node.keywords) and all(
            isinstance(a, ast.Constant) and a.value is not None for a in [*node.args, *(k.value for k in node.keywords)]
        )
    if isinstance(node.func, ast.Attribute) and isinstance(node.func.value, ast.Name):
        binder = ctx.names.binder(node.func.value)
        bound = ctx.names.values(binder, node.func.value.id) if binder is not None else []
        return len(bound) == 1 and seeded(ctx, bound[0])
    return False


def draws(ctx: Context) -> Iterator[ast.AST]:
    """Yields what draws random numbers, but not the making of a generator from a literal seed."""
    for effect in ctx.effects.of("random"):
        name = ctx.names.path(effect.node.func) if isinstance(effect.node, ast.Call) else None
        if name not in ("numpy.random.default_rng", "numpy.random.SeedSequence") or not seeded(ctx, effect.node):
            yield effect.node


def is_mask(ctx: Context, index: ast.AST) -> bool | None:
    """Tells whether an index is a boolean array; None where it is not known."""
    fact = ctx.fact(index)
    if fact is not None and fact.kind != "mixed":
        return fact.kind == "array" and fact.dtype == "bool"
    if isinstance(index, ast.Compare):
        return True
    if isinstance(index, ast.UnaryOp) and isinstance(index.op, ast.Invert):
        return is_mask(ctx, index.operand)
    if isinstance(index, ast.BinOp) and isinstance(index.op, ast.BitAnd | ast.BitOr | ast.BitXor):
        return is_mask(ctx, index.left)
    if isinstance(index, ast.Name) and (binder := ctx.names.binder(index)) is not None:
        answers = {is_mask(ctx, value) for value in ctx.names.values(binder, index.id)}
        return answers.pop() if len(answers) == 1 else None
    return None


def index_parts(node: ast.Subscript) -> list[ast.expr]:
    """Returns the indices of a subscript, one an axis."""
    return list(node.slice.elts) if isinstance(node.slice, ast.Tuple) else [node.slice]


def repeating_index(ctx: Context, node: ast.Subscript) -> ast.expr | None:
    """Returns the integer-array index of a store that may hold an element twice, None where there is none."""
    base = ctx.fact(node.value)
    if base is not None and base.kind in ("list", "dict", "tuple", "object"):
        return None
    several = [index for index in index_parts(node) if _takes_integers(ctx, index)]
    written = [_written(index) for index in several]
    if len(several) > 1 and all(one is not None and len(one) == len(written[0] or ()) for one in written):
        together = list(zip(*(one or () for one in written), strict=True))
        return several[0] if len(set(together)) < len(together) else None
    return next((index for index in several if not _distinct(ctx, index)), None)


def _takes_integers(ctx: Context, index: ast.expr) -> bool:
    """Tells whether an index selects more than one element by an array or a list of integers."""
    fact = ctx.fact(index)
    if fact is not None and fact.kind == "array":
        one = fact.shape is not None and all(length == 1 for length in fact.shape)
        return fact.dtype in INTEGERS and not one
    if fact is not None and fact.kind == "list":
        return len(fact.items) > 1 and all(item.kind in ("int", "scalar") for item in fact.items)
    if fact is not None or isinstance(index, ast.Slice):
        return False
    return ctx.aliases.is_fancy(index) is True and is_mask(ctx, index) is None


def _distinct(ctx: Context, index: ast.AST) -> bool:
    """Tells whether an index surely holds no element twice."""
    if isinstance(index, ast.Call):
        path = ctx.names.path(index.func) or ""
        method = index.func.attr if isinstance(index.func, ast.Attribute) else ""
        return path.removeprefix("numpy.") in UNIQUE_MAKERS or (not path and method in ("argsort", "permutation"))
    if isinstance(index, ast.Subscript) and isinstance(index.slice, ast.Slice):
        return _distinct(ctx, index.value)  # a part of distinct elements
    if isinstance(index, ast.Subscript) and isinstance(index.value, ast.Call):
        return ctx.names.path(index.value.func) in ("numpy.nonzero", "numpy.where")
    if (values := _written(index)) is not None:
        return len(values) == len(set(values))
    if isinstance(index, ast.Name) and (binder := ctx.names.binder(index)) is not None:
        bound = ctx.names.values(binder, index.id)
        parameter = len(bound) == 1 and isinstance(bound[0], ast.arg) and binder is ctx.tree.entry
        if parameter and isinstance(value := ctx.argument_values().get(index.id), np.ndarray):
            return False if value.size > 1_000_000 else bool(np.unique(value).size == value.size)
        return bool(bound) and all(_distinct(ctx, value) for value in bound)
    return False


def _written(index: ast.AST) -> list[object] | None:
    """Returns the elements of a list of constants, None for anything else."""
    if not isinstance(index, ast.List):
        return None
    try:
        values = ast.literal_eval(index)
    except ValueError:
        return None
    return values if all(isinstance(value, int) for value in values) else None


def repetition(ctx: Context, index: ast.AST) -> str:
    """Returns the status of a gotcha of repeated indices: whether this one was seen, or is written, to hold any."""
    if isinstance(index, ast.Name) and isinstance(value := ctx.argument_values().get(index.id), np.ndarray):
        repeated = value.size <= 1_000_000 and np.unique(value).size < value.size
        return CONFIRMED if repeated else POSSIBLE
    fact = ctx.fact(index)
    if fact is not None and fact.unique is not None:
        return NOT_SEEN if fact.unique else CONFIRMED
    written = _written(index)
    return ctx.status(index) if written is not None and len(set(written)) < len(written) else POSSIBLE


def index_errors(ctx: Context) -> Iterator[tuple[ast.Subscript, str, str]]:
    """Yields the subscripts at which the run raised IndexError, or whose IndexError is caught: status and sentence."""
    raised = ctx.observed.raised
    for node in ctx.nodes(ast.Subscript):
        if raised is not None and raised.type == "IndexError" and raised.line == node.lineno:
            yield node, CONFIRMED, f"`{ctx.text(node)}` is out of range here"
            continue
        for parent in ctx.tree.ancestors(node):
            if isinstance(parent, ast.Try) and _within(ctx, node, parent.body) and _catches(parent, "IndexError"):
                yield node, POSSIBLE, f"`{ctx.text(node)}` may be out of range (IndexError is caught)"


def indexed_by_arrays(ctx: Context, use: type[ast.expr_context]) -> Iterator[ast.Subscript]:
    """Yields the reads or stores whose index is an array of integers, or comes from one."""
    for node in ctx.nodes(ast.Subscript):
        if isinstance(node.ctx, use):
            for index in index_parts(node):
                fact = ctx.fact(index)
                if fact is not None and fact.kind in ("array", "scalar") and fact.dtype in INTEGERS:
                    yield node
                    break


def _within(ctx: Context, node: ast.AST, body: list[ast.stmt]) -> bool:
    return any(parent in body for parent in ctx.tree.ancestors(node))


def _catches(node: ast.Try, name: str) -> bool:
    for handler in node.handlers:
        types = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
        if any(isinstance(type_, ast.Name) and type_.id in (name, "LookupError") for type_ in types):
            return True
    return False


def python_loops(ctx: Context, least: int) -> Iterator[tuple[ast.For | ast.While, int | None]]:
    """Yields the loops that ran at least so often, with their largest trip count (None if nothing was watched)."""
    for node in ctx.nodes(ast.For, ast.While):
        fact = ctx.loop(node)
        if fact is not None:
            if fact.trips_high >= least:
                yield node, fact.trips_high
        elif not ctx.observed.watched and isinstance(node, ast.For) and isinstance(node.iter, ast.Call):
            counts = [a.value for a in node.iter.args if isinstance(a, ast.Constant) and isinstance(a.value, int)]
            ranged = ctx.names.path(node.iter.func) == "builtins.range"
            if ranged and len(counts) == len(node.iter.args) and len(range(*counts)) >= least:
                yield node, None


def forbidden_sides(ctx: Context) -> Iterator[tuple[ast.Call, ast.expr]]:
    """Yields calls of ``np.where`` with the part of a side that the condition keeps from numbers it cannot take."""
    guarded = ("numpy.log", "numpy.sqrt", "numpy.log2", "numpy.log10", "numpy.arccos", "numpy.arcsin", "numpy.log1p")
    for call in ctx.calls("numpy.where"):
        if len(call.args) != 3:
            continue
        tested = {n.id for n in ast.walk(call.args[0]) if isinstance(n, ast.Name) and ctx.names.path(n) is None}
        for part in (node for side in call.args[1:] for node in ast.walk(side)):
            operand = part.right if isinstance(part, ast.BinOp) and isinstance(part.op, ast.Div) else None
            if isinstance(part, ast.Call) and ctx.names.path(part.func) in guarded and part.args:
                operand = part.args[0]
            read = set() if operand is None else {n.id for n in ast.walk(operand) if isinstance(n, ast.Name)}
            if tested & read and isinstance(part, ast.expr):
                yield call, part
                break
