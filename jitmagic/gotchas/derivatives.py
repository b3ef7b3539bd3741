"""Derivatives: what JAX and PyTorch answer where there is none; looked for where a derivative is asked for."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from jitmagic.gotchas.context import CONFIRMED, NOT_SEEN, Context, Finding, Note
from jitmagic.gotchas.registry import rule
from jitmagic.gotchas.shared import forbidden_sides

_FLAT = (
    "floor", "ceil", "round", "rint", "trunc", "fix", "sign", "argmax", "argmin", "argsort", "searchsorted", "digitize",
    "histogram", "bincount", "count_nonzero", "heaviside",
)  # fmt: skip
_KINKED = (
    "abs", "absolute", "fabs", "maximum", "minimum", "max", "min", "amax", "amin", "clip", "where", "fmax", "fmin",
)  # fmt: skip


@rule("AD-KINK", severity="silent")
def kinks(ctx: Context) -> Iterator[Note]:
    """At a kink each library answers with a number of its own choice.

    What happens: The derivative of abs, maximum, clip or a branch at the very point where its pieces meet is a number
        that looks like any other: JAX, PyTorch and NumPy's differences may give three of them.
    Why: There is no derivative; libraries take that of one piece, a mean, or 0.
    Example:
        y = np.maximum(x, 0.0)  # at x == 0: 0.5 by differences, 0.5 in JAX, 0 or 0.5 in PyTorch
    Instead:
        y = np.logaddexp(0.0, 50.0 * x) / 50.0  # smooth; or keep x off 0
    See: https://docs.pytorch.org/docs/stable/notes/autograd.html https://docs.jax.dev/en/latest/faq.html
    """
    if ctx.derived is None:
        return
    status = CONFIRMED if ctx.derived.kinks else NOT_SEEN
    places: list[tuple[ast.AST, str]] = [
        (call, ctx.text(call)) for call in _calls(ctx, _KINKED) if _depends(ctx, [*call.args, _owner(ctx, call)])
    ]
    places += [(node.test, ctx.text(node.test)) for node in ctx.nodes(ast.If, ast.IfExp) if _depends(ctx, [node.test])]
    for node, text in places:
        yield ctx.gotcha(
            node, status,
            f"Where the pieces of `{text}` meet the function has a kink, and each library gives a number of its own "
            "for the derivative there.",
            f"Keep `{ctx.derived.argument}` off that point, or use a smooth form.",
        )  # fmt: skip


@rule("AD-WHERE", severity="silent")
def unchosen_sides(ctx: Context) -> Iterator[Note]:
    """A choice derives both sides, so that the derivative may be NaN where the value is right.

    What happens: `where(x > 0, log(x), 0)` has the right values, and in JAX and PyTorch the derivative NaN wherever x
        is not positive.
    Why: The unused side's derivative is infinite or NaN there, and 0 times that is NaN.
    Example:
        y = np.where(x > 0, np.log(x), 0.0)
    Instead:
        safe = np.where(x > 0, x, 1.0)
        y = np.where(x > 0, np.log(safe), 0.0)
    See: https://docs.jax.dev/en/latest/faq.html
    """
    yield from _unchosen(ctx, NOT_SEEN)


@unchosen_sides.finding
def unchosen_sides_seen(ctx: Context, finding: Finding) -> Iterator[Note]:
    if finding.kind == "values" and "nan" in finding.text:
        yield from _unchosen(ctx, CONFIRMED)


def _unchosen(ctx: Context, status: str) -> Iterator[Note]:
    if ctx.derived is None:
        return
    for call, part in forbidden_sides(ctx):
        if _depends(ctx, [part]):
            yield ctx.gotcha(
                call, status,
                f"`{ctx.text(part)}` is derived where the condition forbids it: the value is right there, and the "
                "derivative is NaN.",
                "Replace the forbidden numbers first: `safe = np.where(cond, x, 1.0)`, and compute with `safe`.",
            )  # fmt: skip


@rule("AD-FLAT", severity="silent")
def flat(ctx: Context) -> Iterator[Note]:
    """Rounding, casts and searches have the derivative 0, or none.

    What happens: JAX and PyTorch return 0 for what goes through them, without a word, or raise.
    Why: Between two jumps the result does not change, and at a jump there is no derivative.
    Example:
        y = np.round(x * 10.0) * x
    Instead:
        y = x * 10.0 * x  # or a smooth stand-in for the rounding
    See: https://docs.jax.dev/en/latest/automatic-differentiation.html
    """
    if ctx.derived is None:
        return
    found: list[tuple[ast.AST, ast.AST | None]] = [(call, _owner(ctx, call) or next(iter(call.args), None))
                                                   for call in _calls(ctx, _FLAT)]  # fmt: skip
    for node in ctx.nodes(ast.Call):
        if isinstance(node.func, ast.Name) and node.func.id in ("int", "round") and node.args:
            found.append((node, node.args[0]))
        if isinstance(node.func, ast.Attribute) and node.func.attr == "astype" and node.args:
            told = ast.unparse(node.args[0])
            if "int" in told or "bool" in told:
                found.append((node, node.func.value))
    found += [(node, node.left) for node in ctx.nodes(ast.BinOp) if isinstance(node.op, ast.FloorDiv)]
    for node, read in found:
        if read is not None and _depends(ctx, [read]):
            yield ctx.gotcha(
                node, ctx.status(node),
                f"The derivative of `{ctx.text(node)}` is 0 wherever there is one: what depends on "
                f"`{ctx.derived.argument}` through it is lost without a word.",
                "Take it out of what is derived, or use a smooth form.",
            )  # fmt: skip


def _calls(ctx: Context, names: tuple[str, ...]) -> Iterator[ast.Call]:
    """Yields the calls of NumPy's functions, of the methods and of the builtins that have these names."""
    for node in ctx.nodes(ast.Call):
        path = ctx.names.path(node.func)
        if path is not None:
            if path.rpartition(".")[2] in names and path.startswith("numpy."):
                yield node
        elif (isinstance(node.func, ast.Attribute) and node.func.attr in names) or (
            isinstance(node.func, ast.Name) and node.func.id in ("abs", "max", "min") and node.func.id in names
        ):
            yield node


def _owner(ctx: Context, call: ast.Call) -> ast.AST | None:
    """Returns the array whose method is called; a module is none."""
    return call.func.value if isinstance(call.func, ast.Attribute) and ctx.names.path(call.func) is None else None


def _depends(ctx: Context, nodes: list[ast.AST | None]) -> bool:
    """Tells whether a value depends on what is derived by."""
    if ctx.derived is None:
        return False
    return any(ctx.derived.argument in ctx.control.flow(node).value.sources for node in nodes if node is not None)
