"""Forms: functions of PyTorch that have NumPy's name, and another meaning or other parameters."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from jitmagic.gotchas.context import CONFIRMED, NOT_SEEN, Context, Note
from jitmagic.gotchas.registry import rule, unseen
from jitmagic.gotchas.shared import INTEGERS


@rule("PT-SIZE", severity="silent", handled=True, explains=("exception",), signs=("has no attribute",))
def other_attributes(ctx: Context) -> Iterator[Note]:
    """`x.size` is a method.

    What happens: `x.size > 0` compares a method; `x.astype` and `np.interp` have no counterpart of that name.
    Why: Tensors have names of their own.
    Example:
        if x.size > 0:
            y = x.astype(np.float32)
    Instead:
        if x.numel() > 0:
            y = x.to(torch.float32)
    See: https://docs.pytorch.org/docs/stable/generated/torch.Tensor.size.html
        https://data-apis.org/array-api-compat/supported-array-libraries.html
    """
    for node in ctx.nodes(ast.Attribute):
        if node.attr in ("size", "astype") and ctx.kind(node.value) == "array":
            yield ctx.gotcha(
                node, ctx.status(node), f"`{ctx.text(node)}` is something else for a tensor; the variant translates "
                f"it.",
                "Use `.numel()` and `.to(…)`.",
            )  # fmt: skip
            return


@rule("PT-TUPLE", severity="error", handled=True, signs=("tuple indices", "'torch.return_types"))
def paired_results(ctx: Context) -> Iterator[Note]:
    """`max` along an axis gives two results.

    What happens: `x.max(dim=0)` is a pair of values and places; `transpose` takes two axes, `flip` and `roll` need
        theirs.
    Why: PyTorch's functions were named before NumPy's were followed.
    Example:
        m = x.max(dim=0)
    Instead:
        m = x.amax(dim=0)
    See: https://docs.pytorch.org/docs/stable/generated/torch.max.html
    """
    for call, operand, name in ctx.array_calls("max", "min", "sort", "median"):
        if ctx.kind(operand) == "array" and (len(call.args) > 1 or any(k.arg == "axis" for k in call.keywords)):
            yield ctx.gotcha(
                call, ctx.status(call), f"`{ctx.text(call)}` gives values and places in PyTorch; the variant takes "
                f"the values.",
                f"Use `torch.amax` or `torch.{name}(…).values`.",
            )  # fmt: skip


@rule("PT-INPLACEDT", severity="error", hook="observed", handled=True, signs=("result type .* can't be cast",))
def narrowing_in_place(ctx: Context) -> Iterator[Note]:
    """An operation in place cannot change the dtype.

    What happens: `counts += 0.5` of integers raises.
    Why: The tensor keeps its dtype.
    Example:
        x32 += y64
    Instead:
        x32 = x32 + y64.to(x32.dtype)
    See: https://docs.pytorch.org/docs/stable/tensor_attributes.html
    """
    for node in ctx.nodes(ast.AugAssign):
        left, right = ctx.dtype(node.target), ctx.dtype(node.value)
        if left and right and left in INTEGERS and right.startswith("float"):
            yield ctx.gotcha(
                node,
                CONFIRMED,
                f"`{ctx.text(node)}` would change {left} to {right} in place.",
                "Bind the result to a new name.",
            )


@unseen("PT-AUTOGRAD", severity="error", why="NumPy has no gradients: no argument of a variant requires one")
def gradients() -> None:
    """A tensor that requires a gradient cannot be written.

    What happens: A store into a leaf that requires a gradient raises.
    Why: The gradient of what was overwritten would be lost.
    Example:
        x.requires_grad_()
        x[0] = 1.0
    Instead:
        y = x.clone()
        y[0] = 1.0
    See: https://docs.pytorch.org/docs/stable/notes/autograd.html
    """


@rule("PT-INT0", severity="error", signs=("ZeroDivisionError",), probes=("zeros",), explains=("exception",))
def integer_division(ctx: Context) -> Iterator[Note]:
    """An integer divided by 0 raises on a CPU and is undefined on a GPU.

    What happens: `a // b` with a 0 in `b` raises RuntimeError; NumPy warns and gives 0.
    Why: PyTorch leaves it to the processor.
    Example:
        q = a // b
    Instead:
        q = torch.where(b == 0, 0, a // torch.where(b == 0, 1, b))
    See: https://docs.pytorch.org/docs/stable/generated/torch.floor_divide.html
    """
    for node in ctx.nodes(ast.BinOp):
        integers = (ctx.dtype(node.left) or "") in INTEGERS and (ctx.dtype(node.right) or "") in INTEGERS
        if isinstance(node.op, ast.FloorDiv | ast.Mod) and integers:
            yield ctx.gotcha(
                node, NOT_SEEN, f"A 0 in `{ctx.text(node.right)}` raises in PyTorch, and is 0 with a warning in NumPy.",
                "Treat 0 apart.",
            )  # fmt: skip


@rule("PT-SORT", severity="silent", handled=True, explains=("values",), probes=("ties", "equal values"))
def unstable_sorts(ctx: Context) -> Iterator[Note]:
    """Equal elements may come in any order.

    What happens: `argsort` of elements that are equal gives other places than NumPy's stable sort.
    Why: PyTorch's sort is not stable unless it is asked to be.
    Example:
        order = torch.argsort(x)
    Instead:
        order = torch.argsort(x, stable=True)
    See: https://docs.pytorch.org/docs/stable/generated/torch.sort.html
    """
    for call, _, name in ctx.array_calls("argsort", "lexsort"):
        yield ctx.gotcha(
            call, NOT_SEEN, f"`{ctx.text(call)}` of equal elements: PyTorch's order is another unless the sort is "
            f"stable; the "
            "variant asks for that.", f"Use `torch.{name}(…, stable=True)`, and `kind='stable'` in NumPy.",
        )  # fmt: skip


@rule("PT-UNIQUE", severity="error", handled=True, signs=("return_index",))
def unique_places(ctx: Context) -> Iterator[Note]:
    """`unique` does not tell where.

    What happens: `torch.unique` has no `return_index`, and orders its other results in its own way.
    Why: It was not written for that.
    Example:
        values, first = np.unique(x, return_index=True)
    Instead:
        order = torch.argsort(x, stable=True)
    See: https://docs.pytorch.org/docs/stable/generated/torch.unique.html
    """
    for call in ctx.calls("numpy.unique"):
        if any(word.arg == "return_index" for word in call.keywords):
            yield ctx.gotcha(
                call, ctx.status(call), f"`{ctx.text(call)}` asks for places, which `torch.unique` does not give.",
                "Sort stably, and take where neighbours differ.",
            )  # fmt: skip


@rule(
    "PT-INDEXLIST",
    severity="error",
    explains=("exception",),
    probes=("an index out of range",),
    signs=("out of bounds",),
)
def indices(ctx: Context) -> Iterator[Note]:
    """An index out of range poisons a GPU.

    What happens: On a CPU it raises IndexError; on a GPU an assertion fails, and the process can use the GPU no more.
    Why: A kernel cannot raise.
    Example:
        y = x[idx]
    Instead:
        y = x[idx.clamp(0, len(x) - 1)]
    See: https://docs.pytorch.org/docs/stable/notes/cuda.html
    """
    for node in ctx.nodes(ast.Subscript):
        if isinstance(node.slice, ast.List):
            yield ctx.gotcha(
                node, ctx.status(node), f"`{ctx.text(node)}` has a list for an index, which PyTorch may read as a "
                f"tuple.",
                "Make it an array.", handled=True,
            )  # fmt: skip


@unseen("PT-ATOMIC", severity="silent", why="it happens on NVIDIA GPUs only")
def atomics() -> None:
    """Sums of scattered elements differ from run to run on a GPU.

    What happens: `index_add_` and `scatter_add_` of floats give other last digits each time.
    Why: Threads add in no fixed order.
    Example:
        h.index_add_(0, idx, v)
    Instead:
        torch.use_deterministic_algorithms(True)
    See: https://docs.pytorch.org/docs/stable/notes/randomness.html
    """


@rule("PT-QUANT", severity="error", hook="observed", signs=("quantile\\(\\) input tensor is too large",))
def large_quantiles(ctx: Context) -> Iterator[Note]:
    """`quantile` takes 16 million elements at most.

    What happens: `torch.quantile` of more elements raises RuntimeError.
    Why: A limit of its kernel.
    Example:
        q = torch.quantile(x, 0.5)  # 2e7 elements
    Instead:
        q = torch.kthvalue(x, len(x) // 2).values
    See: https://docs.pytorch.org/docs/stable/generated/torch.quantile.html
    """
    for call, operand, _ in ctx.array_calls("quantile", "percentile", "median"):
        count = ctx.elements(operand)
        if count is not None and count > 16_000_000:
            yield ctx.gotcha(
                call,
                CONFIRMED,
                f"`{ctx.text(call)}` is of {count} elements, more than `torch.quantile` takes.",
                "Sort once instead.",
            )


@unseen("PT-MPS64", severity="error", why="it happens on Apple's GPUs only; jitmagic runs PyTorch on the CPU")
def no_doubles() -> None:
    """Apple's GPUs have no float64.

    What happens: A float64 array cannot be moved to the device `mps`.
    Why: Metal has no double precision.
    Example:
        x = torch.from_numpy(x64).to("mps")
    Instead:
        x = torch.from_numpy(x64.astype(np.float32)).to("mps")
    See: https://docs.pytorch.org/docs/stable/notes/mps.html
    """


@unseen("PT-TF32", severity="silent", why="it happens on NVIDIA GPUs only")
def tensor_floats() -> None:
    """Single precision may be less.

    What happens: Convolutions (and, if asked for, products) of float32 keep 10 bits of each factor.
    Why: TF32 tensor cores.
    Example:
        y = torch.nn.functional.conv1d(x, w)
    Instead:
        torch.backends.cudnn.allow_tf32 = False
    See: https://docs.pytorch.org/docs/stable/notes/numerical_accuracy.html
    """


@rule("PT-DYNBREAK", severity="performance", handled=True, signs=("graph break", "Dynamo", "torch._dynamo"))
def graph_breaks(ctx: Context) -> Iterator[Note]:
    """What cannot be traced splits the compiled function.

    What happens: Branches on values, prints and unknown functions end one graph and begin another.
    Why: torch.compile traces, and leaves what it cannot trace to Python.
    Example:
        if x.sum() > 0:
            y = x
    Instead:
        y = torch.where(x.sum() > 0, x, -x)
    See: https://docs.pytorch.org/docs/stable/user_guide/torch_compiler/torch.compiler_faq.html
    """
    for effect in ctx.effects.of("print"):
        yield ctx.gotcha(
            effect.node, ctx.status(effect.node), f"`{ctx.text(effect.node)}` splits what torch.compile traces; the "
            f"variant is "
            "compiled whole or not at all.", "Return what is to be printed.",
        )  # fmt: skip


@rule("PT-NP-TRIL", severity="silent", explains=("structure", "shape", "values"))
def triangle_indices(ctx: Context) -> Iterator[Note]:
    """`tril_indices` is one array.

    What happens: Under torch.compile `np.tril_indices(n)` is one array of two rows, and no tuple: as an index it means
        something else.
    Why: torch's own NumPy follows `torch.tril_indices`.
    Example:
        x[np.tril_indices(n)] = 0.0
    Instead:
        rows, columns = np.tril_indices(n)
        x[rows, columns] = 0.0
    See: https://docs.pytorch.org/docs/stable/user_guide/torch_compiler/torch.compiler_faq.html
    """
    for call in ctx.calls("numpy.tril_indices", "numpy.triu_indices", "numpy.diag_indices"):
        yield ctx.gotcha(
            call, ctx.status(call), f"`{ctx.text(call)}` is a tuple in NumPy and one array in torch.compile's NumPy.",
            "Unpack it into rows and columns.", handled=True,
        )  # fmt: skip


@unseen(
    "PT-CONJ",
    severity="error",
    handled=True,
    signs=("resolve_conj",),
    why="the worker resolves it on the way to NumPy",
)
def lazy_conjugates() -> None:
    """A conjugate is only marked.

    What happens: `.numpy()` of a conjugated tensor raises.
    Why: The conjugate is computed when it is needed.
    Example:
        a = z.conj().numpy()
    Instead:
        a = z.conj().resolve_conj().numpy()
    See: https://docs.pytorch.org/docs/stable/generated/torch.resolve_conj.html
    """
