"""What XLA makes of a function: where compiled arithmetic is not NumPy's, and what compiling costs."""

from __future__ import annotations

import ast
from collections.abc import Iterator

import numpy as np

from jitmagic.gotchas.context import CONFIRMED, NOT_SEEN, Context, Note
from jitmagic.gotchas.registry import rule, unseen
from jitmagic.gotchas.shared import INTEGERS

_BIG = 2**20
"""Bytes of a constant from which it is worth a word: XLA keeps a copy in every compiled function."""


@rule("JX-MINMAX", severity="silent", explains=("values",), probes=("NaN",))
def python_extremes(ctx: Context) -> Iterator[Note]:
    """Python's `min` and `max` pass over a NaN by its place, `jnp.minimum` never does.

    What happens: `min(a, b)` with a NaN in `b` is `a` in Python; `jnp.minimum(a, b)` is NaN.
    Why: Python compares, and keeps the first where a comparison is False; JAX's functions hand a NaN on.
    Example:
        best = min(best, cost)
    Instead:
        best = np.fmin(best, cost)
    See: https://docs.jax.dev/en/latest/_autosummary/jax.numpy.minimum.html
    """
    for node in ctx.nodes(ast.Call):
        named = ctx.names.path(node.func) in ("builtins.min", "builtins.max") and len(node.args) > 1
        real = any((ctx.dtype(one) or "").startswith("float") or ctx.kind(one) == "float" for one in node.args)
        if named and real and not all(ctx.is_length(one) for one in node.args):
            yield ctx.gotcha(
                    node, NOT_SEEN,
                    f"With a NaN, `{ctx.text(node)}` depends on the order of its arguments, and JAX's gives NaN.",
                    "Use `np.minimum` or `np.fmin` (`np.maximum`, `np.fmax`), which say what they do with a NaN.",
                )  # fmt: skip


@rule("JX-EQUALAXES", severity="silent", hook="observed", explains=("values", "shape"), probes=("unequal axes",))
def equal_by_accident(ctx: Context) -> Iterator[Note]:
    """Axes that are equally long in the example are taken to be one.

    What happens: A loop that is written as whole arrays counts over the axis of another array of the same length; where
        the two are of different lengths later, the result is another, or an error.
    Why: The example cannot tell two axes of one length apart.
    Example:
        fn(np.ones((64, 64)), np.ones(64))
    Instead:
        fn(np.ones((64, 48)), np.ones(48))
    See: https://docs.jax.dev/en/latest/notebooks/Common_Gotchas_in_JAX.html
    """
    lengths: dict[int, list[str]] = {}
    for label, value in ctx.argument_values().items():
        if isinstance(value, np.ndarray):
            for length in dict.fromkeys(value.shape):
                lengths.setdefault(length, []).append(label)
    shared = [(length, labels) for length, labels in lengths.items() if len(labels) > 1 and length > 3]
    if shared and any(ctx.loop(node) is not None for node in ctx.nodes(ast.For, ast.While)):
        length, labels = shared[0]
        yield ctx.gotcha(
            ctx.parameter(labels[1]),
            NOT_SEEN,
            f"`{labels[0]}` and `{labels[1]}` both have an axis of length {length}: the example does not tell whether "
            "these have to be equal.",
            "Compare with arrays whose axes differ in length.",
        )


@rule("JX-VECINDEX", severity="silent", explains=("values", "exception"))
def gathered_indices(ctx: Context) -> Iterator[Note]:
    """A loop written as whole arrays takes its indices to be in range.

    What happens: Where NumPy raises IndexError in some trip, the whole-array form reads the nearest element.
    Why: Compiled code has no exceptions.
    Example:
        for i in range(n):
            y[i] = x[idx[i]]
    Instead:
        assert idx.min() >= 0 and idx.max() < len(x)
        y[:] = x[idx]
    See: https://docs.jax.dev/en/latest/notebooks/Common_Gotchas_in_JAX.html
    """
    for node in ctx.nodes(ast.Subscript):
        inner = node.slice
        nested = isinstance(node.ctx, ast.Load) and isinstance(inner, ast.Subscript)
        if nested and ctx.loops(node) and ctx.dtype(inner) in INTEGERS:
            yield ctx.gotcha(
                    node, NOT_SEEN, f"`{ctx.text(node)}` is not checked: an index that is out of range reads the "
                    f"nearest "
                    "element.", "Test the indices before the loop.",
                )  # fmt: skip


@unseen(
    "JX-DYNSLICE", severity="silent", handled=True, why="the variants pad or mask what a moving window would cut off"
)
def clamped_windows() -> None:
    """A window that reaches over the end is moved back.

    What happens: `lax.dynamic_slice(x, (i,), (n,))` near the end starts earlier than `i`.
    Why: The start is clamped so that the window lies inside.
    Example:
        w = lax.dynamic_slice(x, (i,), (5,))
    Instead:
        w = lax.dynamic_slice(jnp.pad(x, (0, 5)), (i,), (5,))
    See: https://docs.jax.dev/en/latest/_autosummary/jax.lax.dynamic_slice.html
    """


@unseen("JX-SELF", severity="silent", handled=True, why="methods are refused when they are captured")
def bound_methods() -> None:
    """A method's object is frozen.

    What happens: After `self.scale = 3` a jitted method still computes with the old value.
    Why: `self` is a static argument, whose attributes are read while JAX traces.
    Example:
        @partial(jax.jit, static_argnums=0)
        def apply(self, x):
            return x * self.scale
    Instead:
        @jax.jit
        def apply(x, scale):
            return x * scale
    See: https://docs.jax.dev/en/latest/faq.html
    """


@rule("JX-INTDIV0", severity="silent", explains=("values", "exception"), probes=("zeros", "another number"))
def integer_division(ctx: Context) -> Iterator[Note]:
    """An integer divided by 0 is a number.

    What happens: `5 // 0` of integers is -2 or -1, where NumPy warns and gives 0; `n ** -1` is no error.
    Why: XLA defines integer division by zero as it is cheapest.
    Example:
        q = a // b
    Instead:
        q = jnp.where(b == 0, 0, a // jnp.where(b == 0, 1, b))
    See: https://docs.jax.dev/en/latest/notebooks/Common_Gotchas_in_JAX.html
    """
    for node in ctx.nodes(ast.BinOp):
        whole = all((ctx.dtype(one) or "") in INTEGERS or ctx.kind(one) == "int" for one in (node.left, node.right))
        arrays = any((ctx.dtype(one) or "") in INTEGERS for one in (node.left, node.right))
        sure = (isinstance(node.right, ast.Constant) and node.right.value) or ctx.is_length(node.right)
        if isinstance(node.op, ast.FloorDiv | ast.Mod) and whole and arrays and not sure:
            yield ctx.gotcha(
                node, NOT_SEEN, f"Where `{ctx.text(node.right)}` is 0, `{ctx.text(node)}` is 0 with a warning in "
                f"NumPy, and "
                "another number in JAX.", "Treat 0 apart with `np.where`.",
            )  # fmt: skip


@rule("JX-XLAALG", severity="silent", explains=("values",), probes=("infinity", "other size of values"))
def rewritten_algebra(ctx: Context) -> Iterator[Note]:
    """XLA simplifies what overflows.

    What happens: `log(exp(1000))` is 1000 when compiled, and inf in NumPy.
    Why: XLA rewrites expressions by rules of real numbers, and adds in another order.
    Example:
        y = np.log(np.exp(x))
    Instead:
        y = x
    See: https://docs.jax.dev/en/latest/faq.html
    """
    for call in ctx.calls("numpy.log"):
        inner = call.args[0] if call.args else None
        if isinstance(inner, ast.Call) and ctx.names.path(inner.func) == "numpy.exp":
            yield ctx.gotcha(
                call, NOT_SEEN, f"`{ctx.text(call)}` overflows in NumPy for large values, and not when XLA has "
                f"simplified it.",
                "Write what is meant.",
            )  # fmt: skip


@unseen(
    "JX-SUBNORM",
    severity="silent",
    why="it depends on the device; results of such size are compared as all others are",
)
def subnormals() -> None:
    """The smallest numbers may be 0.

    What happens: Numbers below 1e-308 (1e-38 in single precision) become 0 on some devices.
    Why: Subnormal numbers are flushed for speed.
    Example:
        p = np.exp(-740.0)
    Instead:
        logp = -740.0
    See: https://docs.jax.dev/en/latest/notebooks/Common_Gotchas_in_JAX.html
    """


@rule("JX-NANARG", severity="silent", explains=("values", "exception"), probes=("NaN",))
def all_nan(ctx: Context) -> Iterator[Note]:
    """The place of the largest of only NaN is -1.

    What happens: `jnp.nanargmax` of an array of NaN gives -1, where NumPy raises ValueError.
    Why: Compiled code has no exceptions.
    Example:
        i = np.nanargmax(x)
    Instead:
        i = np.nanargmax(x) if np.isfinite(x).any() else 0
    See: https://docs.jax.dev/en/latest/_autosummary/jax.numpy.nanargmax.html
    """
    for call in ctx.calls("numpy.nanargmax", "numpy.nanargmin"):
        yield ctx.gotcha(
            call, NOT_SEEN, f"`{ctx.text(call)}` of nothing but NaN is -1 in JAX; NumPy raises ValueError.",
            "Test `np.isnan(…).all()` first.",
        )  # fmt: skip


@rule("JX-EMPTY", severity="silent", handled=True, explains=("values",))
def unwritten(ctx: Context) -> Iterator[Note]:
    """An empty array holds anything.

    What happens: What `jnp.empty` returns was zero up to JAX 0.10, and is not defined since 0.11.
    Why: It was said never to be defined.
    Example:
        out = np.empty(n)
        out[1:] = x
    Instead:
        out = np.zeros(n)
        out[1:] = x
    See: https://docs.jax.dev/en/latest/changelog.html
    """
    for call in ctx.calls("numpy.empty", "numpy.empty_like"):
        yield ctx.gotcha(
            call, NOT_SEEN, f"What `{ctx.text(call)}` holds before it is written is not defined; the variant begins "
            f"with zeros.",
            "Write every element before you read it, or use `np.zeros`.",
        )  # fmt: skip


@rule("JX-CARRY", severity="error", hook="observed", handled=True,
      signs=("carry input and carry output must have equal types", "body_fun output and input must have identical "
      "types",
             "true_fun and false_fun output must have"))  # fmt: skip
def changing_carry(ctx: Context) -> Iterator[Note]:
    """What a compiled loop carries keeps its dtype and shape.

    What happens: `s = 0; s += x[i]` in a loop does not compile: `s` begins as an integer and ends as a float.
    Why: The body of a compiled loop is one function of the carry to itself.
    Example:
        s = 0
        for i in range(n):
            s += x[i]
    Instead:
        s = x.dtype.type(0)
        for i in range(n):
            s += x[i]
    See: https://docs.jax.dev/en/latest/_autosummary/jax.lax.fori_loop.html
    """
    for node in ctx.nodes(ast.AugAssign):
        if not isinstance(node.target, ast.Name) or not ctx.loops(node):
            continue
        binder = ctx.names.binder(node.target)
        bound = ctx.names.values(binder, node.target.id) if binder is not None else []
        starts = [one for one in bound if isinstance(one, ast.Constant) and type(one.value) is int]
        if starts and (ctx.dtype(node.value) or "").startswith("float"):
            yield ctx.gotcha(
                node, CONFIRMED, f"`{node.target.id}` begins as an integer and becomes a float in the loop; the "
                f"variant "
                "begins with a float.", f"Begin with `{node.target.id} = 0.0`.",
            )  # fmt: skip


@unseen("JX-LAXUNROLL", severity="performance", handled=True, why="no variant unrolls a compiled loop on a CPU")
def unrolled_carry() -> None:
    """Unrolling a compiled loop can cost its update in place.

    What happens: `fori_loop(…, unroll=8)` with an array in the carry went from 0.7 ms to 2100 ms on a CPU.
    Why: XLA then copies the array in each trip.
    Example:
        lax.fori_loop(0, n, body, x, unroll=8)
    Instead:
        lax.fori_loop(0, n, body, x)
    See: https://docs.jax.dev/en/latest/_autosummary/jax.lax.fori_loop.html
    """


@unseen("JX-GPULOOP", severity="performance", why="it is a matter of GPUs; on a CPU the clock tells")
def loops_on_gpus() -> None:
    """A loop of many short trips is slow on a GPU.

    What happens: 1e7 trips took 0.06 s on a CPU and 81.6 s on a GPU.
    Why: Each trip is launched, and waited for, by itself.
    Example:
        lax.fori_loop(0, 10_000_000, body, 0.0)
    Instead:
        lax.associative_scan(combine, xs)
    See: https://github.com/jax-ml/jax/issues/2491
    """


@unseen(
    "JX-RECOMP",
    severity="performance",
    handled=True,
    why="the variant's build time is shown apart, and after how many calls it is earned back",
)
def recompilation() -> None:
    """Each new shape is compiled for.

    What happens: A call with another shape, dtype or static value takes as long as the first.
    Why: XLA compiles for fixed shapes.
    Example:
        for n in range(1000):
            fn(x[:n])
    Instead:
        fn(jnp.where(jnp.arange(len(x)) < n, x, 0.0))
    See: https://docs.jax.dev/en/latest/debugging/index.html
    """


@unseen(
    "JX-EAGER", severity="performance", handled=True, why="every variant is jitted as a whole, or says which part is"
)
def eager() -> None:
    """Without `jit` JAX is slower than NumPy on a CPU.

    What happens: `jnp.sin(x) + 1` outside `jit` takes some 10 µs an operation.
    Why: Each operation is dispatched by itself.
    Example:
        y = jnp.sin(x) + 1
    Instead:
        y = jax.jit(lambda x: jnp.sin(x) + 1)(x)
    See: https://docs.jax.dev/en/latest/faq.html
        https://github.com/jax-ml/jax/issues/4537
    """


@rule("JX-BIGCONST", severity="performance")
def large_constants(ctx: Context) -> Iterator[Note]:
    """A large array from outside becomes a constant.

    What happens: Compiling takes long, and the compiled function holds a copy.
    Why: What a traced function reads from outside is written into it.
    Example:
        @jax.jit
        def fn(x):
            return x @ table  # 100 MB
    Instead:
        @jax.jit
        def fn(x, table):
            return x @ table
    See: https://docs.jax.dev/en/latest/faq.html
    """
    for name, value in ctx.workload.constants.items():
        if isinstance(value, np.ndarray) and value.nbytes > _BIG:
            reads = [effect for effect in ctx.effects.of("global read") if effect.name == name]
            if not reads:
                continue
            yield ctx.gotcha(
                reads[0].node, CONFIRMED,
                f"`{name}` ({value.nbytes >> 20} MB) comes from outside and becomes a constant of the compiled "
                f"function.",
                f"Pass `{name}` as an argument.",
            )  # fmt: skip


@unseen(
    "JX-DONATE",
    severity="performance",
    handled=True,
    why="no variant donates an argument: the user's arrays stay whole",
)
def donation() -> None:
    """A donated argument is gone.

    What happens: With `donate_argnums` a buffer is used again for the result; touching the argument afterwards raises.
    Why: Its memory belongs to the result then.
    Example:
        step = jax.jit(step, donate_argnums=0)
        new = step(state)
        state + 1
    Instead:
        state = step(state)
    See: https://docs.jax.dev/en/latest/buffer_donation.html
    """


@unseen("JX-REF-OOB", severity="silent", handled=True, why="no variant uses mutable array references")
def references_out_of_range() -> None:
    """A store through a reference is clamped.

    What happens: `ref[7] = v` of 5 elements overwrites the last one, where `.at[7].set(v)` is dropped.
    Why: Compiled code has no exceptions.
    Example:
        ref[i] = v
    Instead:
        x = x.at[i].set(v)
    See: https://docs.jax.dev/en/latest/array_refs.html
    """


@unseen("JX-REF-LIM", severity="error", handled=True, why="no variant uses mutable array references")
def reference_limits() -> None:
    """References can do less than arrays.

    What happens: A scalar is not stretched into a slice, and masks and negative steps raise.
    Why: A reference is a place for whole values.
    Example:
        ref[1:4] = 0.0
    Instead:
        ref[1:4] = jnp.zeros(3)
    See: https://docs.jax.dev/en/latest/array_refs.html
    """


@rule("JX-ORDER", severity="performance")
def memory_order(ctx: Context) -> Iterator[Note]:
    """Memory order does not exist.

    What happens: `order="F"`, strides and `as_strided` have no meaning in JAX.
    Why: XLA chooses the layout.
    Example:
        y = np.asfortranarray(x)
    Instead:
        y = x
    See: https://docs.jax.dev/en/latest/jax.numpy.html
    """
    for call in ctx.calls("numpy.asfortranarray", "numpy.lib.stride_tricks.as_strided"):
        yield ctx.gotcha(
            call, ctx.status(call), f"`{ctx.text(call)}` asks for an order in memory, of which JAX has none.",
            "Leave it out, or write the windows as a gather.",
        )  # fmt: skip


@unseen("JX-WRITEABLE", severity="error", handled=True, signs=("assignment destination is read-only",),
      why="the variants' results are as JAX gives them; a wrapper copies into the user's own arrays")  # fmt: skip
def read_only() -> None:
    """A result cannot be written into.

    What happens: `np.asarray(y)[0] = 1` of a JAX array raises ValueError.
    Why: It is a view of memory that JAX may share.
    Example:
        a = np.asarray(fn(x))
        a[0] = 1.0
    Instead:
        a = np.array(fn(x))
        a[0] = 1.0
    See: https://docs.jax.dev/en/latest/_autosummary/jax.Array.html
    """


@rule("JX-NEWFORMS", severity="error", signs=("got an unexpected keyword argument",))
def drifting_names(ctx: Context) -> Iterator[Note]:
    """Names and parameters change between versions.

    What happens: `jnp.clip(x, a_min=0)` was removed in 0.10; `jnp.cross` of 2-D vectors goes in 0.12.
    Why: JAX follows the array API standard.
    Example:
        y = np.clip(x, a_min=0, a_max=1)
    Instead:
        y = np.clip(x, 0, 1)
    See: https://docs.jax.dev/en/latest/changelog.html
    """
    for call in ctx.calls("numpy.clip"):
        if any(word.arg in ("a_min", "a_max") for word in call.keywords):
            yield ctx.gotcha(
                call,
                ctx.status(call),
                f"`{ctx.text(call)}` names parameters that JAX no longer has; the variant names them `min` and `max`.",
                "Give the bounds by place: `np.clip(x, low, high)`.",
                handled=True,
            )
