"""Dtypes: where JAX's numbers have another type than NumPy's."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from jitmagic.backends.jax.promotion import inexact, of_operands
from jitmagic.gotchas.casts import float_to_integer_casts, range_status
from jitmagic.gotchas.context import CONFIRMED, NOT_SEEN, POSSIBLE, Context, Finding, Note
from jitmagic.gotchas.registry import rule
from jitmagic.gotchas.shared import FLOAT_FUNCTIONS

ARITHMETIC = (ast.Add, ast.Sub, ast.Mult, ast.Div, ast.FloorDiv, ast.Mod, ast.Pow)


@rule("JX-X32", severity="silent", hook="observed", handled=True, explains=("dtype", "values"))
def narrowed_to_32_bits(ctx: Context) -> Iterator[Note]:
    """JAX computes in 32 bits unless x64 is switched on.

    What happens: float64 arrays become float32, int64 becomes int32: 2**40 turns into 0, 1e300 into inf.
    Why: Accelerators are made for 32 bits, and JAX's default follows them.
    Example:
        import jax.numpy as jnp
        jnp.asarray(np.float64(1 + 1e-10))
    Instead:
        import jax
        jax.config.update("jax_enable_x64", True)
    See: https://docs.jax.dev/en/latest/101/default_dtypes.html
    """
    wide = [
        (label, fact.dtype) for label, fact in ctx.observed.arguments.items()
        if fact.dtype in ("float64", "int64", "uint64", "complex128")
    ]  # fmt: skip
    if wide:
        named = ", ".join(f"`{label}` ({dtype})" for label, dtype in wide[:4]) + (", …" if len(wide) > 4 else "")
        yield ctx.gotcha(
            ctx.parameter(wide[0][0]), NOT_SEEN,
            f"JAX would narrow {named} to 32 bits; the variant switches x64 on.",
            'Keep `jax.config.update("jax_enable_x64", True)` before the first use of JAX.',
        )  # fmt: skip


@rule("JX-PROMO", severity="silent", hook="observed")
def promotion(ctx: Context) -> Iterator[Note]:
    """An integer and a float32 make float32 in JAX, and float64 in NumPy.

    What happens: `int64_array * float32_array`, `sqrt(int32_array)`, `int32_array / int32_array` give float32.
    Why: In JAX an integer never widens a float, so that accelerators are not sent into float64 by accident.
    Example:
        y = counts * weights
    Instead:
        y = counts.astype(np.float64) * weights
    See: https://docs.jax.dev/en/latest/101/type_promotion.html
    """
    yield from promoted_expressions(ctx)


def promoted_expressions(ctx: Context) -> Iterator[Note]:
    """Yields the expressions whose dtype was seen to differ from what JAX would give."""
    for node in ctx.nodes(ast.BinOp, ast.Call):
        result = ctx.dtype(node)
        if isinstance(node, ast.BinOp):
            operands = [node.left, node.right] if isinstance(node.op, ARITHMETIC) else []
            to_float = isinstance(node.op, ast.Div)
        else:
            name = (ctx.names.path(node.func) or "").removeprefix("numpy.")
            if not name and isinstance(node.func, ast.Attribute) and node.func.attr in ("mean", "std", "var"):
                operands, to_float = [node.func.value], True
            else:
                operands, to_float = list(node.args[:2]) if name in FLOAT_FUNCTIONS else [], True
                operands = operands[:1] if name in ("mean", "std", "var") else operands
            if any(keyword.arg == "dtype" for keyword in node.keywords):
                continue
        facts = [fact for operand in operands if (fact := ctx.fact(operand)) is not None]
        typed = [f.dtype for f in facts if f.kind in ("array", "scalar") and f.dtype is not None]
        if result is None or not typed or len(facts) < len(operands) or any(not _is_number(d) for d in typed):
            continue
        there = of_operands(facts)
        if there is not None and to_float:
            there = inexact(there)
        if there is not None and there != result:
            named = " and ".join(typed)
            yield ctx.gotcha(
                node, CONFIRMED,
                f"`{ctx.text(node)}` ({named}) is {result} in NumPy and {there} in JAX.",
                f"Cast first: `{ctx.text(operands[0])}.astype(np.{result})`.",
            )  # fmt: skip


@promotion.finding
def promoted(ctx: Context, finding: Finding) -> Iterator[Note]:
    """Blames promotion for a narrower float where NumPy has float64, and for values of float32 precision."""
    narrower = any(name in finding.text for name in ("float32", "float16", "complex64"))
    if finding.kind == "values" or (finding.kind == "dtype" and narrower):
        yield from promoted_expressions(ctx)


@rule("JX-CAST", severity="silent", explains=("values",))
def saturating_casts(ctx: Context) -> Iterator[Note]:
    """A float cast to an integer saturates instead of wrapping.

    What happens: 257.0 to uint8 is 255 in JAX and 1 in NumPy; NaN becomes 0, inf the largest integer.
    Why: The C standard leaves such casts undefined; XLA clamps.
    Example:
        y = x.astype(np.uint8)
    Instead:
        y = np.clip(x, 0, 255).astype(np.uint8)
    See: https://docs.jax.dev/en/latest/_autosummary/jax.numpy.astype.html
    """
    for node, operand, target in float_to_integer_casts(ctx):
        wide = target in ("int64", "int")
        yield ctx.gotcha(
            node, range_status(ctx, operand, target) or (NOT_SEEN if wide else POSSIBLE),
            f"`{ctx.text(operand)}` is cast to {target}: numbers outside its range saturate in JAX and wrap in "
            "NumPy, and NaN becomes 0.",
            "Clip to the range first, e.g. with `np.clip`.",
        )  # fmt: skip


@rule("JX-DTYPES", severity="error", hook="observed", signs=("is not a valid JAX array type", "Dtype .* is not"))
def refused_dtypes(ctx: Context) -> Iterator[Note]:
    """JAX has no arrays of this dtype.

    What happens: object, string, datetime, structured and long-double arrays are refused.
    Why: XLA computes with numbers and booleans only.
    Example:
        fn(np.array(["a", "b"]))
    Instead:
        fn(np.array([0, 1]))
    See: https://docs.jax.dev/en/latest/jax.numpy.html
    """
    for label, fact in ctx.observed.arguments.items():
        if fact.kind in ("array", "scalar") and fact.dtype is not None and not _is_number(fact.dtype):
            yield ctx.gotcha(
                ctx.parameter(label), CONFIRMED,
                f"`{label}` has the dtype {fact.dtype}, and JAX has no such arrays.",
                "Convert it to numbers before the call.",
            )  # fmt: skip


def _is_number(dtype: str) -> bool:
    return dtype == "bool" or dtype in (
        "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float16", "float32", "float64",
        "complex64", "complex128")  # fmt: skip
