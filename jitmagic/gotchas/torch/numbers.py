"""Numbers: where PyTorch computes something else than NumPy without a word."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from jitmagic.backends.torch.kinds import from_fact, torch_result
from jitmagic.gotchas.context import CONFIRMED, NOT_SEEN, POSSIBLE, Context, Finding, Note
from jitmagic.gotchas.registry import rule
from jitmagic.gotchas.shared import FLOAT_FUNCTIONS, INTEGERS, draws

ARITHMETIC = (ast.Add, ast.Sub, ast.Mult, ast.Div, ast.FloorDiv, ast.Mod, ast.Pow)


@rule("PT-DEFDTYPE", severity="silent", hook="observed")
def default_dtype(ctx: Context) -> Iterator[Note]:
    """Integers become float32 in PyTorch, float64 in NumPy.

    What happens: `int / int`, `int * 2.5`, `sqrt(int)` have 24 bits of precision instead of 53.
    Why: PyTorch's default floating dtype is float32.
    Example:
        y = counts / total
    Instead:
        y = counts.to(torch.float64) / total
    See: https://docs.pytorch.org/docs/stable/tensor_attributes.html
        https://docs.pytorch.org/docs/stable/user_guide/torch_compiler/torch.compiler_faq.html
    """
    yield from integers_to_floats(ctx)


@default_dtype.finding
def defaulted(ctx: Context, finding: Finding) -> Iterator[Note]:
    """Blames the default dtype for a float32, and for values of float32 precision."""
    if finding.kind == "values" or (finding.kind == "dtype" and "float32" in finding.text):
        yield from integers_to_floats(ctx)


def integers_to_floats(ctx: Context) -> Iterator[Note]:
    """Yields the operations that were seen to make float64 of integers alone."""
    whole = (*INTEGERS, "bool")
    for node in ctx.nodes(ast.BinOp, ast.Call):
        if isinstance(node, ast.BinOp):
            operands = [node.left, node.right] if isinstance(node.op, ARITHMETIC) else []
        else:
            name = (ctx.names.path(node.func) or "").removeprefix("numpy.")
            operands = list(node.args[:1]) if name in FLOAT_FUNCTIONS - {"mean", "std", "var"} else []
        facts = [ctx.fact(operand) for operand in operands]
        arrays = [f for f in facts if f is not None and f.kind in ("array", "scalar")]
        result = ctx.fact(node)
        if not arrays or any(f is None for f in facts) or result is None or result.dtype != "float64":
            continue
        if not any(f.kind == "array" for f in arrays) or any(f.dtype not in whole for f in arrays):
            continue
        yield ctx.gotcha(
            node, CONFIRMED,
            f"`{ctx.text(node)}` makes floats of {arrays[0].dtype}: float64 in NumPy, float32 in PyTorch.",
            f"Convert first: `{ctx.text(operands[0])}.to(torch.float64)`.",
        )  # fmt: skip


@rule("PT-0D", severity="silent", hook="observed")
def zero_dimensional(ctx: Context) -> Iterator[Note]:
    """A number of NumPy's widens an array; a 0-d tensor does not.

    What happens: `float32_array * float64_mean` is float64 in NumPy and float32 in PyTorch.
    Why: In PyTorch a 0-d tensor counts only by its category (integer, float, complex).
    Example:
        y = x32 - w64.mean()
    Instead:
        y = x32.to(torch.float64) - w64.mean()
    See: https://data-apis.org/array-api-compat/supported-array-libraries.html
        https://docs.pytorch.org/docs/stable/tensor_attributes.html
    """
    yield from unpromoted(ctx)


@zero_dimensional.finding
def unpromoted_result(ctx: Context, finding: Finding) -> Iterator[Note]:
    """Blames a 0-d operand for a narrower result."""
    if finding.kind in ("dtype", "values"):
        yield from unpromoted(ctx)


def unpromoted(ctx: Context) -> Iterator[Note]:
    """Yields the operations of an array and a NumPy number that were seen to differ from what torch would give."""
    for node in ctx.nodes(ast.BinOp):
        left, right, result = ctx.fact(node.left), ctx.fact(node.right), ctx.fact(node)
        if left is None or right is None or result is None or not isinstance(node.op, ARITHMETIC):
            continue
        typed = [f for f in (left, right) if f.kind in ("array", "scalar")]
        if {f.ndim == 0 for f in typed if f.ndim is not None} != {True, False} or result.dtype is None:
            continue
        there = torch_result([from_fact(f) for f in typed])
        if there is not None and there != result.dtype and result.dtype.startswith(there.rstrip("0123456789")):
            scalar = node.left if left.ndim == 0 else node.right
            yield ctx.gotcha(
                node, CONFIRMED,
                f"`{ctx.text(node)}` is {result.dtype} in NumPy, because `{ctx.text(scalar)}` is; in PyTorch a 0-d "
                f"tensor does not widen, and it stays {there}.",
                f"Convert the array first: `.to(torch.{result.dtype})`.",
            )  # fmt: skip


@rule("PT-STD", severity="silent", handled=True, explains=("values",))
def unbiased_std(ctx: Context) -> Iterator[Note]:
    """`std` and `var` divide by n - 1 in PyTorch.

    What happens: `std([1, 2, 4])` is 1.528 instead of 1.247.
    Why: PyTorch's default is `correction=1`, NumPy's is `ddof=0`.
    Example:
        s = x.std()
    Instead:
        s = x.std(correction=0)
    See: https://docs.pytorch.org/docs/stable/generated/torch.std.html
    """
    for call, _, name in ctx.array_calls("std", "var"):
        if not any(k.arg in ("ddof", "correction") for k in call.keywords):
            yield ctx.gotcha(
                call, ctx.status(call),
                f"`{ctx.text(call)}` divides by n in NumPy and by n - 1 in PyTorch; the variant passes `correction=0`.",
                f"Write `torch.{name}(…, correction=0)`.",
            )  # fmt: skip


@rule("PT-MEDIAN", severity="silent", handled=True, explains=("values",))
def lower_median(ctx: Context) -> Iterator[Note]:
    """The median of an even number of elements is the lower of the two in PyTorch.

    What happens: `median([1, 2, 3, 4])` is 2.0 instead of 2.5.
    Why: PyTorch returns an element of the input, NumPy the mean of the middle two.
    Example:
        m = x.median()
    Instead:
        m = x.quantile(0.5)
    See: https://docs.pytorch.org/docs/stable/generated/torch.median.html
    """
    for call in ctx.calls("numpy.median", "numpy.nanmedian"):
        yield ctx.gotcha(
            call, ctx.status(call),
            f"`{ctx.text(call)}` averages the middle two in NumPy and takes the lower one in PyTorch; the variant uses "
            "`quantile`.",
            "Write `torch.quantile(x, 0.5)`.",
        )  # fmt: skip


@rule("PT-REPEAT", severity="silent", handled=True, explains=("values", "shape"))
def repeat_is_tile(ctx: Context) -> Iterator[Note]:
    """`x.repeat(2)` is `np.tile` in PyTorch.

    What happens: `[1, 2].repeat(2)` is [1, 2, 1, 2] instead of [1, 1, 2, 2].
    Why: The name means another thing.
    Example:
        y = x.repeat(2)
    Instead:
        y = x.repeat_interleave(2)
    See: https://docs.pytorch.org/docs/stable/generated/torch.Tensor.repeat.html
        https://docs.pytorch.org/docs/stable/generated/torch.repeat_interleave.html
    """
    for call, _, _ in ctx.array_calls("repeat"):
        yield ctx.gotcha(
            call, ctx.status(call),
            f"`{ctx.text(call)}` repeats elements in NumPy; torch's `repeat` tiles. The variant uses "
            "`repeat_interleave`.",
            "Write `torch.repeat_interleave(x, n)`.",
        )  # fmt: skip


@rule("PT-SPLIT", severity="silent", handled=True, explains=("shape", "values"))
def split_by_size(ctx: Context) -> Iterator[Note]:
    """`split` takes the size of a part in PyTorch, and the number of parts in NumPy.

    What happens: `split(x, 3)` of 12 elements gives 4 parts instead of 3.
    Why: The second argument means another thing.
    Example:
        parts = torch.split(x, 3)
    Instead:
        parts = torch.tensor_split(x, 3)
    See: https://docs.pytorch.org/docs/stable/generated/torch.split.html
    """
    for call in ctx.calls("numpy.split", "numpy.array_split"):
        yield ctx.gotcha(
            call, ctx.status(call),
            f"`{ctx.text(call)}` gives a number of parts in NumPy, parts of a size in PyTorch; the variant uses "
            "`tensor_split`.",
            "Write `torch.tensor_split(x, n)`.",
        )  # fmt: skip


@rule("PT-SIGNNAN", severity="silent", explains=("values",), probes=("NaN",))
def sign_of_nan(ctx: Context) -> Iterator[Note]:
    """The sign of NaN is 0 in PyTorch.

    What happens: `sign(nan)` is 0 instead of NaN: missing values turn into numbers.
    Why: PyTorch computes (0 < x) - (x < 0).
    Example:
        y = torch.sign(x)
    Instead:
        y = torch.where(torch.isnan(x), x, torch.sign(x))
    See: https://docs.pytorch.org/docs/stable/generated/torch.sign.html
    """
    nan = ctx.nan_in_arguments()
    for call in ctx.calls("numpy.sign"):
        if call.args and (ctx.dtype(call.args[0]) or "float").startswith("float"):
            yield ctx.gotcha(
                call, POSSIBLE if nan else NOT_SEEN,
                f"`{ctx.text(call)}` is 0 for NaN in PyTorch, and NaN in NumPy.",
                "Keep NaN: `torch.where(torch.isnan(x), x, torch.sign(x))`.",
            )  # fmt: skip


@rule("PT-NP-RNG", severity="silent", explains=("values",))
def torch_draws(ctx: Context) -> Iterator[Note]:
    """PyTorch draws other random numbers from the same seed.

    What happens: `np.random` under torch.compile uses torch's generator: the results differ from NumPy's.
    Why: The streams are different algorithms.
    Example:
        np.random.seed(0)
        y = torch.compile(fn)(x)
    Instead:
        torch._dynamo.config.use_numpy_random_stream = True
    See: https://docs.pytorch.org/docs/stable/user_guide/torch_compiler/torch.compiler_faq.html
    """
    for node in draws(ctx):
        yield ctx.gotcha(
            node, ctx.status(node),
            f"`{ctx.text(node)}` draws from torch's generator in a compiled variant: other numbers after the "
            "same seed.",
            "Draw the numbers in NumPy and pass them in.",
        )  # fmt: skip


@rule("PT-NP-0D", severity="silent", explains=("shape",))
def wrapped_scalars(ctx: Context) -> Iterator[Note]:
    """NumPy's medians come back with another shape from torch.compile.

    What happens: `np.median(x)` under torch.compile has the shape (1,) instead of ().
    Why: torch's NumPy layer has no scalars, and keeps an axis here.
    Example:
        m = torch.compile(lambda x: np.median(x))(x)
    Instead:
        m = torch.compile(lambda x: np.median(x))(x).reshape(())
    See: https://docs.pytorch.org/docs/stable/user_guide/torch_compiler/torch.compiler_faq.html
    """
    for call in ctx.calls("numpy.median"):
        if len(call.args) == 1 and not any(k.arg in ("axis", "keepdims") for k in call.keywords):
            yield ctx.gotcha(
                call, ctx.status(call),
                f"`{ctx.text(call)}` has the shape (1,) instead of () when torch.compile traces NumPy.",
                "Reshape the result: `.reshape(())`.",
            )  # fmt: skip
