"""The traps of CuPy."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from jitmagic.analysis.control import Level
from jitmagic.figures import duration
from jitmagic.gotchas.casts import float_to_integer_casts, range_status
from jitmagic.gotchas.context import CONFIRMED, NOT_SEEN, POSSIBLE, Context, Note
from jitmagic.gotchas.registry import rule
from jitmagic.gotchas.shared import (
    draws,
    index_errors,
    index_parts,
    python_loops,
    repeating_index,
    repetition,
)  # fmt: skip

LAUNCHES_FROM = 50
LAUNCH_SECONDS = 10e-6
"""One kernel launch, as CuPy's own performance notes give it."""


@rule("CP-OOB", severity="silent", explains=("values", "exception"))
def wrapped_indices(ctx: Context) -> Iterator[Note]:
    """An index array that is out of range wraps around.

    What happens: `x[cp.array([7])]` of 5 elements is `x[2]`, where NumPy raises IndexError.
    Why: A kernel cannot raise.
    Example:
        y = x[idx]
    Instead:
        assert (idx < len(x)).all()
        y = x[idx]
    See: https://docs.cupy.dev/en/stable/user_guide/difference.html
    """
    for node, status, told in index_errors(ctx):
        yield ctx.gotcha(
            node, status,
            f"{told}: CuPy wraps an index array around instead of raising.",
            "Test the index instead of relying on IndexError.",
        )  # fmt: skip


@rule("CP-DUPSET", severity="silent", explains=("values", "mutated"))
def repeated_sets(ctx: Context) -> Iterator[Note]:
    """`a[idx] = v` with a repeated index has no defined winner.

    What happens: NumPy keeps the last value; on a GPU any of them may stay.
    Why: The elements are written in parallel.
    Example:
        a[idx] = v
    Instead:
        last = cp.unique(idx[::-1], return_index=True)[1]
        a[idx[::-1][last]] = v[::-1][last]
    See: https://docs.cupy.dev/en/stable/user_guide/difference.html
    """
    for node in ctx.nodes(ast.Assign):
        for target in node.targets:
            if not isinstance(target, ast.Subscript) or (index := repeating_index(ctx, target)) is None:
                continue
            if ctx.kind(node.value) not in ("float", "int", "bool", "complex", "scalar"):
                yield ctx.gotcha(
                    node, repetition(ctx, index),
                    f"If `{ctx.text(index)}` holds an index twice, NumPy keeps the last value and CuPy any.",
                    f"Make the indices of `{ctx.text(index)}` unique first.",
                )  # fmt: skip


@rule("CP-CAST", severity="silent", explains=("values",))
def other_casts(ctx: Context) -> Iterator[Note]:
    """Casting a negative float to an unsigned integer gives another number.

    What happens: -1.0 to uint8 need not be NumPy's 255 on a GPU; inf and NaN to integers differ too.
    Why: The C standard leaves these casts undefined.
    Example:
        y = x.astype(np.uint8)
    Instead:
        y = cp.clip(x, 0, 255).astype(np.uint8)
    See: https://docs.cupy.dev/en/stable/user_guide/difference.html
    """
    for node, operand, target in float_to_integer_casts(ctx):
        unsigned = target.startswith("uint")
        yield ctx.gotcha(
            node, range_status(ctx, operand, target) or (POSSIBLE if unsigned else NOT_SEEN),
            f"`{ctx.text(operand)}` is cast to {target}: "
            + ("negative numbers, " if unsigned else "")
            + "inf and NaN give other integers on a GPU.",
            "Clip to the range first.",
        )  # fmt: skip


@rule("CP-RNG", severity="silent", explains=("values",))
def other_draws(ctx: Context) -> Iterator[Note]:
    """CuPy draws other random numbers from the same seed.

    What happens: The results differ from NumPy's.
    Why: cuRAND is another algorithm.
    Example:
        cp.random.seed(0)
        y = cp.random.rand(10)
    Instead:
        y = cp.asarray(np.random.default_rng(0).random(10))
    See: https://docs.cupy.dev/en/stable/user_guide/difference.html
    """
    for node in draws(ctx):
        yield ctx.gotcha(
            node, ctx.status(node),
            f"`{ctx.text(node)}` draws other numbers in CuPy after the same seed.",
            "Draw the numbers in NumPy and pass them in.",
        )  # fmt: skip


@rule("CP-LOOP", severity="performance", hook="observed")
def element_loops(ctx: Context) -> Iterator[Note]:
    """A loop over elements launches a kernel for each operation.

    What happens: About 10 µs an operation, however small: a loop that is slow in NumPy is slower still.
    Why: Each array operation is a kernel launch.
    Example:
        for i in range(n):
            y[i] = x[i] * 2
    Instead:
        y = x * 2
    See: https://docs.cupy.dev/en/stable/user_guide/performance.html
    """
    for loop, trips in python_loops(ctx, LAUNCHES_FROM):
        target = loop.target if isinstance(loop, ast.For) else ast.Pass()
        indices = {node.id for node in ast.walk(target) if isinstance(node, ast.Name)}
        touched = [
            node for statement in loop.body for node in ast.walk(statement)
            if isinstance(node, ast.Subscript) and ctx.kind(node.value) in ("array", None)
            and (not indices or any(isinstance(n, ast.Name) and n.id in indices for n in ast.walk(node.slice)))
            and not any(isinstance(part, ast.Slice) for part in index_parts(node))
        ]  # fmt: skip
        if touched:
            shown = f"{trips} trips" if trips is not None else f"at least {LAUNCHES_FROM} trips"
            cost = f" (about {duration(trips * LAUNCH_SECONDS)} an operation)" if trips is not None else ""
            head = loop.target if isinstance(loop, ast.For) else loop.test
            yield ctx.gotcha(
                head, CONFIRMED if trips is not None else POSSIBLE,
                f"The loop over `{ctx.text(head)}` makes {shown} and touches `{ctx.text(touched[0])}`: in CuPy every "
                f"trip launches kernels{cost}.",
                "Write it as array operations, or as one raw kernel.",
            )  # fmt: skip


@rule("CP-0D", severity="performance")
def device_scalars(ctx: Context) -> Iterator[Note]:
    """A number that Python needs is fetched from the GPU.

    What happens: `if x.sum() > 0`, `float(x.max())` and `range(int(n))` wait for the GPU each time.
    Why: A reduction gives a 0-d array on the device.
    Example:
        while cp.abs(r).max() > 1e-6:
            r = step(r)
    Instead:
        for _ in range(10):
            r = step(r)
        done = cp.abs(r).max() <= 1e-6
    See: https://docs.cupy.dev/en/stable/user_guide/difference.html
    """
    kinds = ("if", "while", "assert", "ternary", "int", "float", "bool", "item", "tolist", "math", "range", "minmax")
    for place in ctx.control.places:
        if place.kind in kinds and place.level is Level.ARRAY:
            yield ctx.gotcha(
                place.node, ctx.status(place.node),
                f"`{ctx.text(place.node)}` {place.reason}: Python waits for the GPU to know it.",
                "Keep it on the device, or ask for it once every few trips.",
            )  # fmt: skip
