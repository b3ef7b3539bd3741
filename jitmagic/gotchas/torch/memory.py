"""Memory: views, sharing and layouts in PyTorch."""

from __future__ import annotations

import ast
from collections.abc import Iterator

import numpy as np

from jitmagic.gotchas.context import CONFIRMED, NOT_SEEN, Context, Note
from jitmagic.gotchas.registry import rule
from jitmagic.gotchas.shared import index_parts, python_loops

UNROLL_FROM = 50
_FLIPS = ("numpy.flip", "numpy.fliplr", "numpy.flipud", "numpy.rot90")


@rule("PT-NEGSTRIDE", severity="error", signs=("step must be greater than zero", "negative strides"))
def negative_steps(ctx: Context) -> Iterator[Note]:
    """PyTorch has no negative steps.

    What happens: `x[::-1]` raises ValueError, and so does `from_numpy` of a reversed array.
    Why: A tensor's strides are not negative.
    Example:
        y = x[::-1]
    Instead:
        y = x.flip(0)
    See: https://docs.pytorch.org/docs/stable/generated/torch.flip.html
        https://data-apis.org/array-api-compat/supported-array-libraries.html
    """
    for node in ctx.nodes(ast.Subscript):
        if _is_reversed(node) and ctx.kind(node.value) in ("array", None):
            yield ctx.gotcha(
                node, ctx.status(node), f"`{ctx.text(node)}` has a negative step, which PyTorch refuses.",
                "Use `.flip(axis)`, which makes a copy.",
            )  # fmt: skip
    for label, value in ctx.argument_values().items():
        if isinstance(value, np.ndarray) and any(stride < 0 for stride in value.strides):
            yield ctx.gotcha(
                ctx.parameter(label), CONFIRMED, f"`{label}` is a reversed view, which `torch.from_numpy` refuses.",
                f"Pass `{label}.copy()`.",
            )  # fmt: skip


@rule("PT-FLIPVIEW", severity="silent", explains=("values", "mutated"))
def flipped_views(ctx: Context) -> Iterator[Note]:
    """A store through a reversed view does not reach the array.

    What happens: `y = x[::-1]; y[0] = 1` leaves `x` unchanged.
    Why: Reversing makes a copy in PyTorch, and a view in NumPy.
    Example:
        y = x[::-1]
        y[0] = 1.0
    Instead:
        x[-1] = 1.0
    See: https://docs.pytorch.org/docs/stable/user_guide/torch_compiler/torch.compiler_faq.html
    """
    for effect in ctx.effects.of("argument written", "local written"):
        if not effect.through or effect.how == "helper":
            continue
        function = ctx.tree.definition_of(effect.node)
        bound = ctx.names.values(function, effect.through) if function is not None else []
        if any(_flips(ctx, value) for value in bound):
            yield ctx.gotcha(
                effect.node, ctx.status(effect.node),
                f"`{effect.through}` is a reversed view of `{effect.name}`: `{ctx.text(effect.node)}` changes "
                f"`{effect.name}` in NumPy, and only a copy in PyTorch.",
                f"Store into `{effect.name}` with the index counted from the other end.",
            )  # fmt: skip


@rule("PT-SHARE", severity="silent", hook="observed", handled=True, explains=("mutated",))
def shared_memory(ctx: Context) -> Iterator[Note]:
    """A tensor made by `from_numpy` shares the caller's memory.

    What happens: An in-place operation of the PyTorch function changes the caller's NumPy array.
    Why: `from_numpy` and `.numpy()` do not copy.
    Example:
        t = torch.from_numpy(x)
        t += 1
    Instead:
        t = torch.from_numpy(x).clone()
        t += 1
    See: https://docs.pytorch.org/docs/stable/generated/torch.from_numpy.html
    """
    told: set[str] = set()
    for effect in ctx.effects.of("argument written"):
        fact = ctx.observed.arguments.get(effect.name)
        ours = effect.function == ctx.tree.entry.name and (fact is None or fact.kind == "array")
        if not ours or effect.name in told:
            continue
        told.add(effect.name)
        seen = effect.name in ctx.observed.mutated
        yield ctx.gotcha(
            effect.node, ctx.status(effect.node) if seen or not ctx.observed.watched else NOT_SEEN,
            f"`{ctx.text(effect.node)}` writes into `{effect.name}`, and `from_numpy` shares its memory; "
            "the variant works on a clone.",
            "Use `torch.from_numpy(x).clone()`.",
        )  # fmt: skip


@rule("PT-OVERLAP", severity="error", signs=("some elements of the input tensor and the written",))
def overlapping_stores(ctx: Context) -> Iterator[Note]:
    """PyTorch refuses to write what it reads.

    What happens: `a[1:] += a[:-1]` and `a[1:] = a[:-1]` raise RuntimeError.
    Why: Source and target share memory, and PyTorch makes no copy.
    Example:
        a[1:] = a[:-1]
    Instead:
        a[1:] = a[:-1].clone()
    See: https://docs.pytorch.org/docs/stable/generated/torch.clone.html
    """
    for overlap in ctx.overlaps:
        if overlap.bare:
            yield ctx.gotcha(
                overlap.statement, ctx.status(overlap.statement),
                f"`{ctx.text(overlap.statement)}` reads `{ctx.text(overlap.read)}` while it writes `{overlap.name}`, "
                "which PyTorch refuses.",
                f"Copy what is read: `{ctx.text(overlap.read)}.clone()`.",
            )  # fmt: skip


@rule("PT-UINT", severity="error", hook="observed", signs=("not implemented for 'UInt",))
def unsigned_integers(ctx: Context) -> Iterator[Note]:
    """PyTorch has next to no arithmetic for uint16, uint32 and uint64.

    What happens: Adding or indexing raises "not implemented for 'UInt32'".
    Why: Only uint8 is complete.
    Example:
        y = torch.from_numpy(ids.astype(np.uint32)) + 1
    Instead:
        y = torch.from_numpy(ids.astype(np.int64)) + 1
    See: https://docs.pytorch.org/docs/stable/tensors.html
        https://data-apis.org/array-api-compat/supported-array-libraries.html
    """
    for label, fact in ctx.observed.arguments.items():
        if fact.kind == "array" and fact.dtype in ("uint16", "uint32", "uint64"):
            yield ctx.gotcha(
                ctx.parameter(label), CONFIRMED,
                f"`{label}` is {fact.dtype}, for which PyTorch has next to no arithmetic.",
                "Convert to int64 (uint64 above 2**63 does not fit).",
            )  # fmt: skip


@rule(
    "PT-MIXED", severity="error", hook="observed",
    signs=("expected m1 and m2 to have the same dtype", "expected .* to have the same dtype", "must be Tensor, not"),
)  # fmt: skip
def mixed_operands(ctx: Context) -> Iterator[Note]:
    """PyTorch wants one dtype in a matrix product, and tensors where NumPy takes numbers.

    What happens: `float32 @ float64` raises RuntimeError, `maximum(x, 0.0)` raises TypeError.
    Why: These functions do not promote.
    Example:
        y = a32 @ b64
        z = torch.maximum(x, 0.0)
    Instead:
        y = a32.to(torch.float64) @ b64
        z = torch.clamp(x, min=0.0)
    See: https://docs.pytorch.org/docs/stable/generated/torch.matmul.html
        https://docs.pytorch.org/docs/stable/generated/torch.maximum.html
    """
    products = [
        (node, [node.left, node.right]) for node in ctx.nodes(ast.BinOp) if isinstance(node.op, ast.MatMult)
    ] + [(call, call.args[:2]) for call in ctx.calls("numpy.dot", "numpy.matmul", "numpy.vdot", "numpy.inner")]
    for node, operands in products:
        dtypes = [ctx.dtype(operand) for operand in operands if ctx.kind(operand) == "array"]
        if len(dtypes) == 2 and dtypes[0] != dtypes[1]:
            yield ctx.gotcha(
                node, CONFIRMED, f"`{ctx.text(node)}` multiplies {dtypes[0]} with {dtypes[1]}, which PyTorch refuses.",
                "Convert both to the wider dtype first.",
            )  # fmt: skip
    for call in ctx.calls("numpy.maximum", "numpy.minimum", "numpy.fmax", "numpy.fmin"):
        kinds = [ctx.kind(argument) for argument in call.args[:2]]
        if "array" in kinds and any(kind in ("int", "float") for kind in kinds):
            yield ctx.gotcha(
                call, CONFIRMED, f"`{ctx.text(call)}` compares an array with a number, which torch's function refuses.",
                "Use `torch.clamp(x, min=…)` or `max=…`.",
            )  # fmt: skip


@rule("PT-DYNUNROLL", severity="performance", hook="observed")
def unrolled_loops(ctx: Context) -> Iterator[Note]:
    """`torch.compile` unrolls Python loops.

    What happens: 400 trivial trips took 24 s to compile.
    Why: The loop runs while tracing, and each trip's operations are recorded.
    Example:
        for i in range(400):
            y = y + x[i]
    Instead:
        y = y + x[:400].sum(0)
    See: https://docs.pytorch.org/docs/stable/user_guide/torch_compiler/torch.compiler_faq.html
    """
    for loop, trips in python_loops(ctx, UNROLL_FROM):
        shown = f"{trips} trips" if trips is not None else f"at least {UNROLL_FROM} trips"
        head = loop.target if isinstance(loop, ast.For) else loop.test
        yield ctx.gotcha(
            head, CONFIRMED if trips is not None else "possible",
            f"The loop over `{ctx.text(head)}` makes {shown}, each of which torch.compile would compile apart.",
            "Write it as array operations, or compile the body of the loop only.",
        )  # fmt: skip


def _is_reversed(node: ast.AST) -> bool:
    if not isinstance(node, ast.Subscript):
        return False
    return any(
        isinstance(part, ast.Slice) and isinstance(part.step, ast.UnaryOp) and isinstance(part.step.op, ast.USub)
        for part in index_parts(node)
    )


def _flips(ctx: Context, value: ast.AST) -> bool:
    return any(
        _is_reversed(node) or (isinstance(node, ast.Call) and ctx.names.path(node.func) in _FLIPS)
        for node in ast.walk(value)
        if isinstance(value, ast.expr)
    )
