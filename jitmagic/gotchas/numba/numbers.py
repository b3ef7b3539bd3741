"""Numbers: where Numba computes something else than NumPy without a word."""

from __future__ import annotations

import ast
from collections.abc import Iterator

import numpy as np

from jitmagic.analysis.overlap import has_slice
from jitmagic.gotchas.context import CONFIRMED, NOT_SEEN, NUMBERS, POSSIBLE, Context, Finding, Note
from jitmagic.gotchas.registry import rule
from jitmagic.gotchas.shared import SMALL_INTEGERS, index_errors, indexed_by_arrays, outside_values, seeded

NAIVE_SUM_FROM = 100_000
"""Elements from which a running float32 sum loses digits that NumPy's pairwise sum keeps."""

ARITHMETIC = (ast.Add, ast.Sub, ast.Mult, ast.Pow, ast.FloorDiv, ast.Mod, ast.LShift)
_NATIVE = ("float64", "int64", "complex128", "bool")


@rule("NB-OVERLAP", severity="silent", explains=("values", "mutated"))
def overlapping_stores(ctx: Context) -> Iterator[Note]:
    """A store reads the array that it overwrites.

    What happens: `a[1:] += a[:-1]` of [0, 1, 2, 3] gives the running sum [0, 1, 3, 6]; NumPy gives [0, 1, 3, 5].
    Why: NumPy copies an overlapping operand first; Numba's loop reads elements that it has already changed. With
        parallel=True the elements are changed in any order, even where the right side is computed.
    Example:
        a[1:] += a[:-1]
        a -= a[0]
    Instead:
        a[1:] += a[:-1].copy()
        a -= a[0].copy()
    See: https://github.com/numba/numba/issues/230
        https://numba.readthedocs.io/en/stable/user/parallel.html
    """
    for overlap in ctx.overlaps:
        text = ctx.text(overlap.statement)
        if overlap.augmented and overlap.bare:
            yield ctx.gotcha(
                overlap.statement, ctx.status(overlap.statement),
                f"`{text}` reads `{ctx.text(overlap.read)}` while it overwrites `{overlap.name}`: Numba uses elements "
                "that are already changed, NumPy the old ones.",
                f"Copy the right side: `{ctx.text(overlap.read)}.copy()`.",
            )  # fmt: skip
        elif overlap.augmented:
            yield ctx.gotcha(
                overlap.statement, POSSIBLE,
                f"`{text}` reads `{ctx.text(overlap.read)}` while it overwrites `{overlap.name}`: with parallel=True "
                "Numba may use elements that are already changed.",
                f"Copy what is read: `{ctx.text(overlap.read)}.copy()`.",
            )  # fmt: skip


@rule("NB-OVERLAP-PAR", severity="silent", explains=("values", "mutated"))
def overlapping_copies(ctx: Context) -> Iterator[Note]:
    """With parallel=True a plain slice assignment may read what it has overwritten.

    What happens: `a[1:] = a[:-1]` fills the array with its first element.
    Why: The assignment becomes a parallel loop, and neither side is copied.
    Example:
        a[1:] = a[:-1]
    Instead:
        a[1:] = a[:-1].copy()
    See: https://numba.readthedocs.io/en/stable/user/parallel.html
        https://github.com/numba/numba/issues/230
    """
    for overlap in ctx.overlaps:
        if overlap.bare and not overlap.augmented:
            yield ctx.gotcha(
                overlap.statement, POSSIBLE,
                f"`{ctx.text(overlap.statement)}` copies `{overlap.name}` onto itself: with parallel=True it may read "
                "elements that it has already overwritten.",
                f"Copy what is read: `{ctx.text(overlap.read)}.copy()`.",
            )  # fmt: skip


@rule(
    "NB-INPLACESHAPE", severity="silent", explains=("exception",),
    probes=("negative integers", "other numbers", "another number", "unequal axes", "stretched axes", "length 1"),
)  # fmt: skip
def unchecked_updates(ctx: Context) -> Iterator[Note]:
    """An update in place does not compare lengths.

    What happens: `a[:2] += b` with three elements in `b` adds the first two; NumPy raises ValueError.
    Why: Numba's loop runs over the elements of what is written, and takes as many of the others.
    Example:
        a[k:] += b[:n]
    Instead:
        a[k:] = a[k:] + b[:n]
    See: https://numba.readthedocs.io/en/stable/reference/numpysupported.html
    """
    yield from _updates_of_slices(ctx, NOT_SEEN)


def _updates_of_slices(ctx: Context, status: str) -> Iterator[Note]:
    for node in ctx.nodes(ast.AugAssign):
        cut = isinstance(node.target, ast.Subscript) and has_slice(node.target)
        slices = (one for one in ast.walk(node.value) if isinstance(one, ast.Subscript) and has_slice(one))
        if cut and any(slices) and ctx.kind(node.value) not in {*NUMBERS, "scalar"}:
            yield ctx.gotcha(
                node, status,
                f"Where the right side of `{ctx.text(node)}` is longer than the left, NumPy raises ValueError, and "
                "Numba leaves the rest out.",
                "Write it as an assignment, which compares lengths, or test the bounds.",
            )  # fmt: skip


@unchecked_updates.probed
def probed_updates(ctx: Context, finding: Finding) -> Iterator[Note]:
    """Names the updates where NumPy's error was that of shapes."""
    if "broadcast" in finding.text:
        yield from _updates_of_slices(ctx, CONFIRMED)


@rule("NB-NEP50", severity="silent", hook="observed")
def literals_widen(ctx: Context) -> Iterator[Note]:
    """A Python float widens a float32 array to float64.

    What happens: `x * 2.0` of a float32 array is float64 in Numba and float32 in NumPy 2; small integers widen alike.
    Why: Numba types a Python float as float64 (a Python int as int64) and follows NumPy's rules from before NEP 50.
    Example:
        y = x * 0.5
    Instead:
        y = x * np.float32(0.5)
    See: https://numba.readthedocs.io/en/stable/release/0.60.0-notes.html
        https://numpy.org/neps/nep-0050-scalar-promotion.html
    """
    yield from widened(ctx)


@literals_widen.finding
def widened_result(ctx: Context, finding: Finding) -> Iterator[Note]:
    """Blames a literal for a wider result."""
    if finding.kind == "dtype" and any(name in finding.text for name in ("64", "128")):
        yield from widened(ctx)


def widened(ctx: Context) -> Iterator[Note]:
    """Yields the operations in which a Python number was seen to leave a narrow dtype as it was."""
    for node in ctx.nodes(ast.BinOp, ast.Call):
        result = ctx.fact(node)
        if isinstance(node, ast.BinOp):
            operands = [node.left, node.right]
        else:
            path = ctx.names.path(node.func) or ""
            function = getattr(np, path.removeprefix("numpy."), None) if path.count(".") == 1 else None
            ufunc = isinstance(function, np.ufunc) and len(node.args) >= 2
            operands = node.args[:2] if ufunc else node.args[1:3] if path == "numpy.where" else []
        if len(operands) != 2 or result is None or result.kind != "array":
            continue
        for number, other in (operands, reversed(operands)):
            kind, dtype = ctx.kind(number), ctx.dtype(other)
            narrow_float = kind == "float" and dtype in ("float32", "complex64")
            narrow_int = kind == "int" and dtype in SMALL_INTEGERS and isinstance(node, ast.BinOp)
            if (narrow_float or narrow_int) and result.dtype == dtype:
                wide = {"float32": "float64", "complex64": "complex128"}.get(str(dtype), "int64")
                yield ctx.gotcha(
                    node, CONFIRMED,
                    f"`{ctx.text(node)}` is {dtype} in NumPy and {wide} in Numba, because `{ctx.text(number)}` is a "
                    f"Python {kind}.",
                    f"Write `np.{dtype}({ctx.text(number)})`.",
                )  # fmt: skip
                break


@rule("NB-INTWIDE", severity="silent", hook="observed", explains=("values", "dtype"))
def small_integers(ctx: Context) -> Iterator[Note]:
    """Small integers read from an array become 64 bits wide.

    What happens: int8 100 + 100 is 200 (NumPy wraps to -56); uint8 1 - 2 is 18446744073709551615 (NumPy 255).
    Why: Numba computes with native integers; only a store brings them back to the array's dtype.
    Example:
        d = a[i] - a[i + 1]
    Instead:
        d = np.uint8(a[i] - a[i + 1])
    See: https://numba.readthedocs.io/en/stable/reference/pysemantics.html
    """
    for node in ctx.nodes(ast.BinOp):
        result = ctx.fact(node)
        left, right = ctx.fact(node.left), ctx.fact(node.right)
        if result is None or left is None or right is None or not isinstance(node.op, ARITHMETIC):
            continue
        if result.kind != "scalar" or result.dtype not in SMALL_INTEGERS:
            continue
        wraps = _wraps(node.op, left, right, result.dtype)
        yield ctx.gotcha(
            node, CONFIRMED if wraps else NOT_SEEN,
            f"`{ctx.text(node)}` is {result.dtype} in NumPy and wraps"
            + (" here" if wraps else " at its range")
            + "; Numba computes it in 64 bits.",
            f"Cast the result: `np.{result.dtype}({ctx.text(node)})`.",
        )  # fmt: skip


def _wraps(op: ast.operator, left: object, right: object, dtype: str) -> bool:
    bounds = [getattr(fact, end, None) for fact in (left, right) for end in ("low", "high")]
    if any(bound is None for bound in bounds):
        return False
    a, b = bounds[:2], bounds[2:]
    info = np.iinfo(dtype)
    if isinstance(op, ast.Add):
        ends = [x + y for x, y in zip(a, b, strict=True)]  # type: ignore[operator]
    elif isinstance(op, ast.Sub):
        ends = [a[0] - b[1], a[1] - b[0]]  # type: ignore[operator]
    elif isinstance(op, ast.Mult):
        ends = [x * y for x in a for y in b]  # type: ignore[operator]
    else:
        return False
    # The bounds of both sides need not have met in one evaluation, unless each was evaluated once.
    single = a[0] == a[1] and b[0] == b[1]
    return single and (min(ends) < info.min or max(ends) > info.max)


@rule("NB-F32SUM", severity="silent", hook="observed", explains=("values",))
def naive_sums(ctx: Context) -> Iterator[Note]:
    """A float32 sum over many elements loses digits.

    What happens: 2e7 times 0.1 sums to 2.097e6 instead of 2.000e6; the `std` of N(1000, 1) came out as 21.
    Why: Numba adds one element after the other in float32; NumPy adds in pairs.
    Example:
        s = x.sum()
    Instead:
        s = x.sum(dtype=np.float64)
    See: https://github.com/numba/numba/issues/2855
    """
    for call, operand, name in ctx.array_calls("sum", "mean", "std", "var", "nansum", "nanmean", "nanstd", "nanvar"):
        count = ctx.elements(operand)
        given = {k.arg: k.value for k in call.keywords}
        wide = "dtype" in given and ctx.names.path(given["dtype"]) in ("numpy.float64", "builtins.float")
        if ctx.dtype(operand) not in ("float32", "float16", "complex64") or count is None or wide:
            continue
        axis = given.get("axis")
        shape = getattr(ctx.fact(operand), "shape", None) or ()
        if isinstance(axis, ast.Constant) and type(axis.value) is int and -len(shape) <= axis.value < len(shape):
            count = shape[axis.value] or 0
        if count > NAIVE_SUM_FROM:
            yield ctx.gotcha(
                call, POSSIBLE,
                f"`{ctx.text(call)}` adds {count} {ctx.dtype(operand)} numbers: Numba's running sum keeps fewer digits "
                "than NumPy's pairwise one.",
                f"Sum in float64, e.g. `{ctx.text(operand)}.astype(np.float64).{name.removeprefix('nan')}()`.",
            )  # fmt: skip


@rule("NB-GLOBALS", severity="silent", explains=("values",), probes=("a changed global",))
def frozen_globals(ctx: Context) -> Iterator[Note]:
    """A value from outside is frozen when Numba compiles.

    What happens: Later changes of a global or closure variable are ignored.
    Why: Numba treats them as compile-time constants.
    Example:
        scale = 2.0
        @njit
        def fn(x):
            return x * scale
        scale = 3.0
    Instead:
        @njit
        def fn(x, scale):
            return x * scale
    See: https://numba.readthedocs.io/en/stable/reference/pysemantics.html
        https://numba.readthedocs.io/en/stable/user/faq.html
    """
    for effect, shown, status in outside_values(ctx):
        yield ctx.gotcha(
            effect.node, status,
            f"`{effect.name}` comes from outside: Numba keeps {shown}, whatever `{effect.name}` becomes later.",
            f"Pass `{effect.name}` as an argument, or compare and build again after changing it.",
        )  # fmt: skip


@rule("NB-INTWRAP", severity="silent", hook="observed", explains=("values",))
def wrapping_integers(ctx: Context) -> Iterator[Note]:
    """Python's integers grow without bound; Numba's wrap at 64 bits.

    What happens: 2**100 is 0, the factorial of 25 is a wrong number.
    Why: Numba's integers are the machine's.
    Example:
        p = 1
        for i in range(1, n + 1):
            p *= i
    Instead:
        p = 1.0
        for i in range(1, n + 1):
            p *= i
    See: https://numba.readthedocs.io/en/stable/reference/pysemantics.html
    """
    for node in [*ctx.nodes(ast.BinOp), *ctx.nodes(ast.Name)]:
        fact = ctx.fact(node)
        low, high = (fact.low, fact.high) if fact is not None and fact.kind == "int" else (None, None)
        if low is None or high is None or (isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load)):
            continue
        if high >= 2**63 or low < -(2**63):
            bits = max(high.bit_length(), low.bit_length())
            yield ctx.gotcha(
                node, CONFIRMED,
                f"`{ctx.text(node)}` needs {bits} bits: in Numba it wraps at 64.",
                "Use a float where a rounded number is good enough.",
            )  # fmt: skip
            return  # what is computed from it says nothing new
    if ctx.observed.watched:
        return
    for node in ctx.nodes(ast.AugAssign):
        growing = isinstance(node.op, ast.Mult | ast.LShift) and isinstance(node.target, ast.Name)
        if growing and ctx.tree.loops_around(node) and _starts_as_int(ctx, node.target):
            yield ctx.gotcha(
                node, POSSIBLE,
                f"`{ctx.text(node)}` lets a Python integer grow in a loop: beyond 64 bits it wraps in Numba.",
                "Start from a float, e.g. `1.0`, where a rounded number is good enough.",
            )  # fmt: skip


def _starts_as_int(ctx: Context, name: ast.Name) -> bool:
    binder = ctx.names.binder(name)
    bound = ctx.names.values(binder, name.id) if binder is not None else []
    starts = [value for value in bound if not isinstance(value, ast.AugAssign)]
    return bool(starts) and all(isinstance(v, ast.Constant) and type(v.value) is int for v in starts)


@rule("NB-DIV0", severity="error", handled=True, signs=("ZeroDivisionError",))
def scalar_division(ctx: Context) -> Iterator[Note]:
    """A scalar division by zero raises.

    What happens: `x[i] / y[i]` with a zero raises ZeroDivisionError, where NumPy gives inf or nan and warns.
    Why: Numba follows Python's rules for numbers by default.
    Example:
        @njit
        def fn(x, y):
            return x[0] / y[0]
    Instead:
        @njit(error_model="numpy")
        def fn(x, y):
            return x[0] / y[0]
    See: https://numba.readthedocs.io/en/stable/reference/jit-compilation.html
    """
    numbers = ("scalar", "float", "int", "complex")
    for node in ctx.nodes(ast.BinOp):
        if not isinstance(node.op, ast.Div | ast.FloorDiv | ast.Mod) or not ctx.loops(node):
            continue
        if isinstance(node.right, ast.Constant) and node.right.value:
            continue
        if ctx.kind(node.left) in numbers and ctx.kind(node.right) in numbers and not ctx.is_length(node.right):
            yield ctx.gotcha(
                node, NOT_SEEN,
                f"`{ctx.text(node)}` would raise ZeroDivisionError where `{ctx.text(node.right)}` is 0; the variant is "
                "compiled with `error_model='numpy'` and gives inf or nan as NumPy does.",
                "Keep `error_model='numpy'`.",
            )  # fmt: skip
            return


@rule("NB-SEED", severity="silent", explains=("values",))
def own_random_state(ctx: Context) -> Iterator[Note]:
    """Numba has its own random state.

    What happens: `np.random.seed(0)` outside does not reach `np.random.rand()` inside a compiled function.
    Why: The compiled function has a generator of its own, one a thread.
    Example:
        np.random.seed(0)
        y = fn(x)  # calls np.random.rand()
    Instead:
        y = fn(x, np.random.default_rng(0))  # calls rng.random()
    See: https://numba.readthedocs.io/en/stable/reference/numpysupported.html
    """
    for call in ctx.calls("numpy.random.*", "random.*"):
        if seeded(ctx, call) or ctx.names.path(call.func) in ("numpy.random.default_rng", "numpy.random.Generator"):
            continue
        yield ctx.gotcha(
            call, ctx.status(call),
            f"`{ctx.text(call)}` draws from Numba's own generator, which a seed set outside does not reach.",
            "Pass a `numpy.random.Generator` as an argument: Numba draws the same stream from it.",
        )  # fmt: skip


@rule("NB-NAN-PAR", severity="silent", explains=("values",), probes=("NaN",))
def parallel_nan(ctx: Context) -> Iterator[Note]:
    """Parallel max and min pass over NaN.

    What happens: `np.max` of an array with a NaN gives a number with parallel=True, and NaN in NumPy.
    Why: The parallel reduction compares, and a comparison with NaN is False.
    Example:
        m = np.max(x)
    Instead:
        m = np.nan if np.isnan(x).any() else np.max(x)
    See: https://numba.readthedocs.io/en/stable/user/parallel.html
        https://github.com/numba/numba/issues/5662
    """
    nan = ctx.nan_in_arguments()
    for call, operand, _ in ctx.array_calls("max", "min", "amax", "amin", "argmax", "argmin"):
        axis = len(call.args) > (1 if ctx.names.path(call.func) else 0) or any(k.arg == "axis" for k in call.keywords)
        if axis or not (ctx.dtype(operand) or "").startswith("float") or ctx.kind(operand) != "array":
            continue
        yield ctx.gotcha(
            call, POSSIBLE if nan else NOT_SEEN,
            f"`{ctx.text(call)}` ignores NaN in `{ctx.text(operand)}` when Numba runs it in parallel.",
            f"Test `np.isnan({ctx.text(operand)}).any()` first, or stay with the serial variant.",
        )  # fmt: skip


@rule("NB-RET", severity="silent", hook="observed", explains=("dtype",))
def plain_results(ctx: Context) -> Iterator[Note]:
    """A NumPy scalar comes back as a Python number.

    What happens: A function that returns np.float32 returns a Python float; the dtype is lost.
    Why: Numba unboxes numbers into Python's own types.
    Example:
        y = fn(x)  # returns x[0] of a float32 array
    Instead:
        y = np.float32(fn(x))
    See: https://numba.readthedocs.io/en/stable/reference/types.html
    """
    result = ctx.observed.result
    if result is not None and result.kind == "scalar" and result.dtype not in _NATIVE:
        returns = [n for n in ctx.nodes(ast.Return) if ctx.tree.definition_of(n) is ctx.tree.entry]
        yield ctx.gotcha(
            returns[-1] if returns else None, CONFIRMED,
            f"The result is a {result.dtype} in NumPy; Numba returns a plain Python number.",
            f"Wrap the call where the dtype matters: `np.{result.dtype}({ctx.tree.entry.name}(…))`.",
        )  # fmt: skip


@rule(
    "NB-OOB",
    severity="silent",
    explains=("values", "exception"),
    probes=("an index out of range", "unequal axes", "bounds checked"),
)
def unchecked_indices(ctx: Context) -> Iterator[Note]:
    """An index out of range is not checked.

    What happens: Numba reads or writes foreign memory: a garbage number, or a crash.
    Why: Bounds checks are off by default.
    Example:
        try:
            y = x[i]
        except IndexError:
            y = 0.0
    Instead:
        y = x[i] if i < len(x) else 0.0
    See: https://numba.readthedocs.io/en/stable/reference/pysemantics.html
        https://numba.readthedocs.io/en/stable/reference/jit-compilation.html
    """
    for node, status, told in index_errors(ctx):
        yield ctx.gotcha(
            node, status,
            f"{told}: Numba does not check, and touches foreign memory.",
            "Test the index; `boundscheck=True` finds the place.",
        )  # fmt: skip


@unchecked_indices.probed
def probed_indices(ctx: Context, finding: Finding) -> Iterator[Note]:
    """Names the places whose index comes from an array, or the function as a whole."""
    nodes: list[ast.AST | None] = [*indexed_by_arrays(ctx, ast.Load), *indexed_by_arrays(ctx, ast.Store)]
    for node in nodes or [None]:
        place = "An index" if node is None else f"An index of `{ctx.text(node)}`"
        yield ctx.gotcha(
            node,
            CONFIRMED,
            f"{place} that is out of range raises IndexError in NumPy; Numba does not check, and touches foreign "
            f"memory.",
            "Test the indices before the call; `boundscheck=True` finds the place.",
        )


@rule("NB-INTNEGPOW", severity="silent", explains=("values", "exception"))
def negative_powers(ctx: Context) -> Iterator[Note]:
    """An integer to a negative power is 0.

    What happens: `n ** -1` gives 0 for an integer array; NumPy raises ValueError.
    Why: Numba computes in integers.
    Example:
        y = counts ** -1
    Instead:
        y = 1.0 / counts
    See: https://numpy.org/doc/stable/reference/generated/numpy.power.html
    """
    for node in ctx.nodes(ast.BinOp):
        negative = isinstance(node.right, ast.UnaryOp) and isinstance(node.right.op, ast.USub)
        integer = negative and ctx.kind(node.right) == "int"
        if isinstance(node.op, ast.Pow) and integer and (ctx.dtype(node.left) or "").startswith(("int", "uint")):
            yield ctx.gotcha(
                node, ctx.status(node),
                f"`{ctx.text(node)}` of {ctx.dtype(node.left)} is 0 or 1 in Numba; NumPy raises ValueError.",
                f"Write `float({ctx.text(node.left)})` or divide: `1.0 / …`.",
            )  # fmt: skip
