"""Meaning: statements that Numba reads otherwise than Python, or not at all."""

from __future__ import annotations

import ast
from collections.abc import Iterator

import numpy as np

from jitmagic.gotchas.context import CONFIRMED, NOT_SEEN, Context, Note
from jitmagic.gotchas.registry import rule, unseen

_SPAWN_SECONDS = 1e-5
"""A call that is shorter gains nothing from threads: the Numba FAQ names some 10 us to begin a parallel region."""

_LARGE = 10_000


@rule("NB-ZEROINIT", severity="silent", explains=("values", "exception"), probes=("another number", "masks", "zeros"))
def unset_variables(ctx: Context) -> Iterator[Note]:
    """A variable that is set on one way only is 0 on the others.

    What happens: A variable that no statement has bound yet is 0, where Python raises UnboundLocalError.
    Why: Compiled code has a place for it from the start, and Numba fills it with zeros.
    Example:
        for i in range(n):
            last = x[i]
        return last
    Instead:
        last = np.nan
        for i in range(n):
            last = x[i]
        return last
    See: https://numba.readthedocs.io/en/stable/reference/pysemantics.html
    """
    for function in ctx.tree.functions.values():
        for name, node in _read_unset(function):
            yield ctx.gotcha(
                node, NOT_SEEN,
                f"`{name}` is bound in a branch or a loop only: where that does not run, Numba takes 0, and Python "
                f"raises "
                "UnboundLocalError.",
                f"Bind `{name}` before, to what it should be then.",
            )  # fmt: skip


def _read_unset(function: ast.FunctionDef) -> Iterator[tuple[str, ast.Name]]:
    """Yields names that are read after a loop or a branch in which alone they are bound."""
    arguments = function.args
    bound = {one.arg for one in [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]}
    bound |= {one.arg for one in (arguments.vararg, arguments.kwarg) if one is not None}
    inside: dict[str, ast.AST] = {}
    told: set[str] = set()
    for statement in function.body:
        for node in ast.walk(statement):
            if not isinstance(node, ast.Name) or not isinstance(node.ctx, ast.Load) or node.id in told | bound:
                continue
            if inside.get(node.id, statement) is not statement:
                told.add(node.id)
                yield node.id, node
        sure, maybe = _binds(statement)
        bound |= sure
        for name in maybe - bound:
            inside.setdefault(name, statement)


def _binds(statement: ast.stmt) -> tuple[set[str], set[str]]:
    """Returns the names that a statement binds for sure, and those that it may bind."""
    every = {n.id for n in ast.walk(statement) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    if isinstance(statement, ast.If):
        ways = [way for way in (_block(statement.body), _block(statement.orelse)) if way is not None]
        return set.intersection(*ways) if ways else every, every
    if isinstance(statement, ast.While) and isinstance(statement.test, ast.Constant) and statement.test.value:
        return _block(statement.body) or set(), every
    if isinstance(statement, ast.For | ast.While | ast.Try | ast.FunctionDef):
        return {statement.name} if isinstance(statement, ast.FunctionDef) else set(), every
    if isinstance(statement, ast.With):
        return every, every
    return every, every


def _block(body: list[ast.stmt]) -> set[str] | None:
    """Returns the names that a block binds for sure; None where it does not come to its end."""
    sure: set[str] = set()
    for statement in body:
        if isinstance(statement, ast.Return | ast.Raise | ast.Continue | ast.Break):
            return None
        sure |= _binds(statement)[0]
    return sure


@rule("NB-BITNOT", severity="silent", explains=("values",))
def inverted_flags(ctx: Context) -> Iterator[Note]:
    """`~` of a flag is its opposite.

    What happens: `~True` is False in Numba; in Python it is -2, which counts as true.
    Why: Numba inverts the one bit of a boolean.
    Example:
        if ~done:
            step()
    Instead:
        if not done:
            step()
    See: https://numba.readthedocs.io/en/stable/reference/pysemantics.html
    """
    for node in ctx.nodes(ast.UnaryOp):
        if isinstance(node.op, ast.Invert) and ctx.kind(node.operand) == "bool":
            yield ctx.gotcha(
                node,
                CONFIRMED,
                f"`{ctx.text(node)}` is -1 or -2 in Python, and False or True in Numba.",
                "Write `not`.",
            )


@unseen(
    "NB-FASTMATH", severity="silent", handled=True,
    why="no variant is compiled with `fastmath=True`; sums may be made in any order, as NumPy's",
)  # fmt: skip
def fast_math() -> None:
    """`fastmath=True` removes every test for NaN.

    What happens: `np.isnan(x)` of a NaN is False.
    Why: The compiler is told that there are no NaN and no infinities.
    Example:
        @njit(fastmath=True)
        def fn(x):
            return np.isnan(x).any()
    Instead:
        @njit(fastmath={"reassoc", "contract", "arcp"})
        def fn(x):
            return np.isnan(x).any()
    See: https://numba.readthedocs.io/en/stable/user/performance-tips.html
    """


@rule("NB-F32LINALG", severity="silent", hook="observed", explains=("values", "dtype", "exception"), signs=("linalg",))
def narrow_algebra(ctx: Context) -> Iterator[Note]:
    """Linear algebra in single precision stays there.

    What happens: `np.linalg` of float32 is computed in float32; integer matrices are refused.
    Why: Numba calls LAPACK for the dtype that it is given.
    Example:
        w = np.linalg.solve(counts, b)
    Instead:
        w = np.linalg.solve(counts.astype(np.float64), b)
    See: https://numba.readthedocs.io/en/stable/reference/numpysupported.html
    """
    for call in ctx.calls("numpy.linalg.*"):
        dtypes = {ctx.dtype(one) for one in call.args} & {"int64", "int32", "int16", "uint8", "bool"}
        if dtypes:
            yield ctx.gotcha(
                call, CONFIRMED, f"`{ctx.text(call)}` is of {dtypes.pop()}, which Numba's linear algebra refuses.",
                "Convert with `.astype(np.float64)`.", handled=True,
            )  # fmt: skip


@rule("NB-GLOBALARR", severity="error", signs=("Cannot modify readonly array", "readonly"))
def global_arrays(ctx: Context) -> Iterator[Note]:
    """A global array cannot be written.

    What happens: A store into an array from outside does not compile.
    Why: Numba takes it as a constant.
    Example:
        @njit
        def fn(i):
            table[i] = 0.0
    Instead:
        @njit
        def fn(table, i):
            table[i] = 0.0
    See: https://numba.readthedocs.io/en/stable/reference/pysemantics.html
    """
    for effect in ctx.effects.of("global write"):
        if isinstance(ctx.workload.constants.get(effect.name), np.ndarray):
            yield ctx.gotcha(
                effect.node, ctx.status(effect.node),
                f"`{ctx.text(effect.node)}` writes into `{effect.name}` from outside, which is a constant for Numba.",
                f"Pass `{effect.name}` as an argument.",
            )  # fmt: skip


@rule(
    "NB-HETERO",
    severity="error",
    signs=("reflected list", "heterogeneous", "Cannot infer the type of variable", "list\\("),
)
def mixed_containers(ctx: Context) -> Iterator[Note]:
    """A list holds one type.

    What happens: A list or dict of values of several types does not compile.
    Why: Numba's containers are typed.
    Example:
        pair = [1, 2.5, "a"]
    Instead:
        pair = (1, 2.5, "a")
    See: https://numba.readthedocs.io/en/stable/reference/pysupported.html
        https://numba.readthedocs.io/en/stable/user/troubleshoot.html
    """
    for node in ctx.nodes(ast.List):
        kinds = {ctx.kind(one) for one in node.elts} - {None}
        if isinstance(node.ctx, ast.Load) and len(kinds) > 1 and kinds != {"scalar", "float"}:
            yield ctx.gotcha(
                node, ctx.status(node), f"`{ctx.text(node)}` holds {' and '.join(sorted(map(str, kinds)))} values.",
                "Make it a tuple, or convert the values to one type.",
            )  # fmt: skip


@rule("NB-UNIFY", severity="error", signs=("Cannot unify", "Can't unify return type"))
def several_types(ctx: Context) -> Iterator[Note]:
    """A variable or a result has one type.

    What happens: A function that returns a number here and None or a tuple there does not compile.
    Why: Numba gives each variable one type.
    Example:
        if x.size == 0:
            return None
        return x.max()
    Instead:
        if x.size == 0:
            return np.nan
        return x.max()
    See: https://numba.readthedocs.io/en/stable/user/troubleshoot.html
    """
    returns = [n for n in ctx.nodes(ast.Return) if ctx.tree.definition_of(n) is ctx.tree.entry]
    returns.sort(key=lambda one: one.lineno)
    shapes = {_shape_of(one.value) for one in returns}
    if len(returns) > 1 and len(shapes) > 1:
        yield ctx.gotcha(
            returns[0], ctx.status(returns[0]), f"`{ctx.text(returns[0])}` returns {_shape_of(returns[0].value)}, and "
            f"another way returns {_shape_of(returns[-1].value)}.", "Return one type on every way.",
        )  # fmt: skip


def _shape_of(value: ast.expr | None) -> str:
    if value is None or (isinstance(value, ast.Constant) and value.value is None):
        return "None"
    return f"a tuple of {len(value.elts)}" if isinstance(value, ast.Tuple) else "a value"


@rule(
    "NB-RESHAPE", severity="performance", signs=("reshape\\(\\) supports contiguous array only", "incompatible shape")
)
def strided(ctx: Context) -> Iterator[Note]:
    """Reshaping and products want arrays without gaps.

    What happens: `reshape` of a strided view does not compile, `@` of one warns and is slow.
    Why: Numba calls BLAS, and reshapes in place.
    Example:
        y = x[:, ::2].reshape(-1)
    Instead:
        y = np.ascontiguousarray(x[:, ::2]).reshape(-1)
    See: https://numba.readthedocs.io/en/stable/reference/numpysupported.html
    """
    for node in ctx.nodes(ast.BinOp):
        for side in (node.left, node.right):
            fact = ctx.fact(side) if isinstance(node.op, ast.MatMult) else None
            strides = isinstance(side, ast.Subscript) and any(
                isinstance(one, ast.Slice) and one.step is not None for one in ast.walk(side)
            )
            if strides and fact is not None and fact.contiguous is False:
                yield ctx.gotcha(
                    node, CONFIRMED, f"`{ctx.text(side)}` has gaps in memory: Numba's `@` copies it each time, and "
                    f"warns.",
                    f"Write `np.ascontiguousarray({ctx.text(side)})` once.",
                )  # fmt: skip


@rule("NB-EXC", severity="silent", explains=("exception",))
def handlers(ctx: Context) -> Iterator[Note]:
    """`except` takes all or nothing.

    What happens: Only a bare `except` and `except Exception` compile; arrays that were made before a `raise` are not
        freed.
    Why: Numba has no objects for exceptions to compare with.
    Example:
        try:
            y = solve(x)
        except ValueError:
            y = 0.0
    Instead:
        y = solve(x) if valid(x) else 0.0
    See: https://numba.readthedocs.io/en/stable/reference/pysupported.html
    """
    for node in ctx.nodes(ast.ExceptHandler):
        if node.type is not None and ctx.names.path(node.type) not in ("builtins.Exception", "builtins.BaseException"):
            yield ctx.gotcha(
                node, ctx.status(node), f"`except {ctx.text(node.type)}` cannot be compiled: Numba knows `except "
                f"Exception`.",
                "Test before, instead of catching.",
            )  # fmt: skip


@unseen("NB-OBJMODE", severity="performance", handled=True, why="all variants are compiled in nopython mode")
def object_mode() -> None:
    """Object mode gives no speed.

    What happens: `@jit(forceobj=True)` runs as slowly as Python; since 0.59 `@jit` no longer falls back to it.
    Why: In object mode Numba calls the interpreter.
    Example:
        @jit(forceobj=True)
        def fn(x):
            return x + 1
    Instead:
        @njit
        def fn(x):
            return x + 1
    See: https://numba.readthedocs.io/en/stable/user/troubleshoot.html
    """


@rule("NB-SPAWN", severity="performance", hook="observed")
def small_calls(ctx: Context) -> Iterator[Note]:
    """A short call loses to the start of threads.

    What happens: parallel=True is slower than serial code for calls of some microseconds.
    Why: Waking the threads takes about as long.
    Example:
        @njit(parallel=True)
        def fn(x):
            return x + 1  # 100 elements
    Instead:
        @njit
        def fn(x):
            return x + 1
    See: https://numba.readthedocs.io/en/stable/user/faq.html
        https://github.com/numba/numba/issues/6796
    """
    if ctx.observed.watched and ctx.observed.seconds < _SPAWN_SECONDS:
        yield ctx.gotcha(
            None, CONFIRMED, f"One call takes {ctx.observed.seconds * 1e6:.0f} µs in NumPy: threads take as long to "
            f"start.",
            "Take the serial variant.",
        )  # fmt: skip


@unseen(
    "NB-CONST-NP",
    severity="performance",
    handled=True,
    why="both forms are written where it helps, and the clock decides",
)
def temporaries() -> None:
    """Whole-array statements make arrays between.

    What happens: `a * b + c` in Numba can be slower than one loop that does the same.
    Why: Outside parallel mode each operation makes an array.
    Example:
        y = a * b + c
    Instead:
        for i in range(n):
            y[i] = a[i] * b[i] + c[i]
    See: https://github.com/numba/numba/issues/3745
        https://github.com/numba/numba/issues/4420
    """


@unseen("NB-CUDA", severity="error", why="no variant is written for `numba.cuda`")
def cuda_target() -> None:
    """Numba's own CUDA target is being retired.

    What happens: `numba.cuda` of the main package is deprecated.
    Why: It has moved to the package `numba-cuda`.
    Example:
        from numba import cuda  # without numba-cuda
    Instead:
        from numba import cuda  # with `pip install numba-cuda`
    See: https://numba.readthedocs.io/en/stable/reference/deprecation.html
    """
