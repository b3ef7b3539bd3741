"""Indexing: masks, stores, repeated and out-of-range indices."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from jitmagic.analysis.control import Level
from jitmagic.gotchas.context import CONFIRMED, Context, Finding, Note
from jitmagic.gotchas.registry import rule
from jitmagic.gotchas.shared import (
    index_errors,
    index_parts,
    indexed_by_arrays,
    is_mask,
    repeating_index,
    repetition,
)

_SHAPED_BY_DATA = (
    "numpy.nonzero", "numpy.flatnonzero", "numpy.argwhere", "numpy.unique", "numpy.compress", "numpy.extract",
    "numpy.union1d", "numpy.intersect1d", "numpy.setdiff1d", "numpy.setxor1d", "numpy.trim_zeros",
)  # fmt: skip


@rule(
    "JX-BOOLMASK", severity="error",
    signs=("NonConcreteBooleanIndexError", "Array boolean indices must be concrete", "The size argument of"),
)  # fmt: skip
def masks(ctx: Context) -> Iterator[Note]:
    """A selection by a mask has a length that depends on the data.

    What happens: Compilation stops with NonConcreteBooleanIndexError; `nonzero`, `unique`, `where(c)` fail alike.
    Why: XLA compiles for fixed shapes, and the number of True elements is not known then.
    Example:
        s = x[x > 0].sum()
        x[x < 0] = 0
    Instead:
        s = jnp.sum(x, where=x > 0)
        x = jnp.where(x < 0, 0, x)
    See: https://docs.jax.dev/en/latest/101/errors.html
    """
    told: set[tuple[ast.AST | None, str]] = set()
    for node in ctx.nodes(ast.Subscript):
        for index in index_parts(node):
            once = (ctx.tree.statement_of(node), ctx.text(index))
            if once in told:
                continue
            mask = None if isinstance(index, ast.Slice | ast.Constant) else is_mask(ctx, index)
            if not mask or ctx.control.level(index) is Level.STATIC:
                continue
            told.add(once)
            stored = isinstance(node.ctx, ast.Store)
            yield ctx.gotcha(
                node, ctx.status(node),
                f"`{ctx.text(node)}` "
                + ("stores into" if stored else "selects")
                + f" the elements where `{ctx.text(index)}` is True: their number is not known when JAX compiles.",
                f"Use `jnp.where({ctx.text(index)}, …, {ctx.text(node.value)})`"
                + ("." if stored else ", or reduce with `where=`, e.g. `jnp.sum(x, where=mask)`."),
            )  # fmt: skip
    calls = [*ctx.calls(*_SHAPED_BY_DATA), *(call for call in ctx.calls("numpy.where") if len(call.args) == 1)]
    for call in calls:
        if any(ctx.control.level(argument) is not Level.STATIC for argument in call.args):
            yield ctx.gotcha(
                call, ctx.status(call),
                f"`{ctx.text(call)}` has a length that depends on the data, which JAX does not know when it compiles.",
                "Give the result a fixed length with `size=` and `fill_value=`, or keep the mask and use `jnp.where`.",
            )  # fmt: skip


@rule("JX-SETITEM", severity="error", handled=True, signs=("JAX arrays are immutable", "does not support item assign"))
def stores(ctx: Context) -> Iterator[Note]:
    """A JAX array cannot be changed in place.

    What happens: `x[i] = v` raises TypeError; `.sort()` returns a sorted copy and leaves `x` as it was.
    Why: JAX arrays are immutable.
    Example:
        x[0] = 1.0
        np.add(x, y, out=x)
    Instead:
        x = x.at[0].set(1.0)
        x = x + y
    See: https://docs.jax.dev/en/latest/101/arrays.html
        https://docs.jax.dev/en/latest/_autosummary/jax.Array.at.html
    """
    told: set[tuple[str, str, str]] = set()
    for effect in ctx.effects.of("argument written", "local written", "global write"):
        if effect.how not in ("subscript", "method", "out", "function"):
            continue
        if effect.how == "method" and not _array_method(ctx, effect.node):
            continue
        if effect.how == "subscript" and _into_container(ctx, effect.node):
            continue
        name = effect.through or effect.name
        if (effect.function, name, effect.how) in told:
            continue
        told.add((effect.function, name, effect.how))
        if effect.how == "subscript":
            yield ctx.gotcha(
                effect.node, ctx.status(effect.node),
                f"`{ctx.text(effect.node)}` stores into `{name}`, which JAX cannot: the variant makes a new array with "
                f"`{name}.at[…]`.",
                f"Write `{name} = {name}.at[…].set(…)`.",
            )  # fmt: skip
        else:
            yield ctx.gotcha(
                effect.node, ctx.status(effect.node),
                f"`{ctx.text(effect.node)}` changes `{name}` in place, which JAX cannot.",
                f"Bind the result to the name instead: `{name} = …`.",
                handled=False,
            )  # fmt: skip


@rule("JX-DUPADD", severity="silent", explains=("values", "mutated"), probes=("repeated indices",))
def repeated_adds(ctx: Context) -> Iterator[Note]:
    """`a[idx] += v` with a repeated index adds once in NumPy, every time with `.at[idx].add`.

    What happens: With idx = [0, 0], NumPy gives 1 and `a.at[idx].add(1)` gives 2.
    Why: NumPy reads, adds and stores whole arrays; `.at[].add` accumulates, as `np.add.at` does.
    Example:
        a = a.at[idx].add(v)
    Instead:
        a = a.at[idx].set(a[idx] + v)
    See: https://docs.jax.dev/en/latest/_autosummary/jax.Array.at.html
    """
    for node in ctx.nodes(ast.AugAssign):
        if isinstance(node.target, ast.Subscript) and (index := repeating_index(ctx, node.target)) is not None:
            yield ctx.gotcha(
                node, repetition(ctx, index),
                f"If `{ctx.text(index)}` holds an index twice, `{ctx.text(node)}` counts it once in NumPy, and "
                "`.at[].add` would count it twice.",
                f"Use `.at[{ctx.text(index)}].set(…)` for NumPy's meaning; to count both, use `np.add.at`.",
            )  # fmt: skip


@rule("JX-DUPSET", severity="silent", explains=("values", "mutated"))
def repeated_sets(ctx: Context) -> Iterator[Note]:
    """`a[idx] = v` with a repeated index has no defined winner on a GPU.

    What happens: NumPy keeps the last value; with `.at[idx].set(v)` any of them may stay.
    Why: The elements are written in parallel.
    Example:
        a = a.at[idx].set(v)
    Instead:
        last = np.unique(idx[::-1], return_index=True)[1]
        a = a.at[idx[::-1][last]].set(v[::-1][last])
    See: https://docs.jax.dev/en/latest/_autosummary/jax.Array.at.html
    """
    for node in ctx.nodes(ast.Assign):
        for target in node.targets:
            if isinstance(target, ast.Subscript) and (index := repeating_index(ctx, target)) is not None:
                if _one_value(ctx, node.value):
                    continue  # whoever wins writes the same
                yield ctx.gotcha(
                    node, repetition(ctx, index),
                    f"If `{ctx.text(index)}` holds an index twice, NumPy keeps the last value and JAX on a GPU any.",
                    f"Make the indices of `{ctx.text(index)}` unique first.",
                )  # fmt: skip


@rule(
    "JX-OOBGET", severity="silent", explains=("values", "exception"), probes=("an index out of range", "unequal axes")
)
def reads_out_of_range(ctx: Context) -> Iterator[Note]:
    """An index out of range reads the last element instead of raising.

    What happens: `x[7]` of 5 elements is `x[4]` in JAX; `jnp.take` gives NaN.
    Why: Compiled code has no exceptions; out-of-range reads are clamped.
    Example:
        y = x[i + 1]
    Instead:
        y = x.at[i + 1].get(mode="fill", fill_value=jnp.nan)
    See: https://docs.jax.dev/en/latest/101/arrays.html
    """
    for node, status, told in index_errors(ctx):
        if isinstance(node.ctx, ast.Load):
            yield ctx.gotcha(
                node, status,
                f"{told}: NumPy raises IndexError, JAX reads the nearest element.",
                "Test the index instead of relying on IndexError.",
            )  # fmt: skip


@reads_out_of_range.probed
def probed_reads(ctx: Context, finding: Finding) -> Iterator[Note]:
    """Names the reads whose index comes from an array."""
    for node in indexed_by_arrays(ctx, ast.Load):
        yield ctx.gotcha(
            node,
            CONFIRMED,
            f"Where an index of `{ctx.text(node)}` is out of range, NumPy raises IndexError, and JAX reads the "
            "nearest element.",
            "Test the indices before the call.",
        )


@rule(
    "JX-OOBSET",
    severity="silent",
    explains=("values", "mutated", "exception"),
    probes=("an index out of range", "unequal axes"),
)
def stores_out_of_range(ctx: Context) -> Iterator[Note]:
    """A store out of range is dropped instead of raising.

    What happens: `x.at[7].set(v)` of 5 elements does nothing.
    Why: Compiled code has no exceptions; out-of-range updates are dropped.
    Example:
        x = x.at[i + 1].set(v)
    Instead:
        x = jnp.where(i + 1 < n, x.at[i + 1].set(v), x)
    See: https://docs.jax.dev/en/latest/101/arrays.html
        https://docs.jax.dev/en/latest/_autosummary/jax.Array.at.html
    """
    for node, status, told in index_errors(ctx):
        if isinstance(node.ctx, ast.Store):
            yield ctx.gotcha(
                node, status,
                f"{told}: NumPy raises IndexError, JAX drops the store.",
                "Test the index instead of relying on IndexError.",
            )  # fmt: skip


@stores_out_of_range.probed
def probed_stores(ctx: Context, finding: Finding) -> Iterator[Note]:
    """Names the stores whose index comes from an array."""
    for node in indexed_by_arrays(ctx, ast.Store):
        yield ctx.gotcha(
            node,
            CONFIRMED,
            f"Where an index of `{ctx.text(node)}` is out of range, NumPy raises IndexError, and JAX drops the store.",
            "Test the indices before the call.",
        )


def _one_value(ctx: Context, value: ast.expr) -> bool:
    fact = ctx.fact(value)
    return fact is not None and (fact.kind in ("float", "int", "bool", "complex", "scalar") or fact.shape == ())


def _array_method(ctx: Context, node: ast.AST) -> bool:
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
        return False
    kind = ctx.kind(node.func.value)
    return kind == "array" or (kind is None and node.func.attr in ("sort", "fill", "partition", "put", "resize"))


def _into_container(ctx: Context, node: ast.AST) -> bool:
    targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", node)]
    return any(isinstance(t, ast.Subscript) and ctx.kind(t.value) in ("list", "dict", "object") for t in targets)
