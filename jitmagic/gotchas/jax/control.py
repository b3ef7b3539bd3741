"""Control: where Python needs a value that JAX only knows when the compiled function runs."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from jitmagic.analysis.control import Level, Place
from jitmagic.gotchas.context import CONFIRMED, POSSIBLE, Context, Note
from jitmagic.gotchas.registry import rule
from jitmagic.gotchas.shared import forbidden_sides, python_loops

UNROLL_FROM = 64
"""Trips from which an unrolled loop is worth a word: 64 trips of a forward substitution took 7 s to compile."""

IN_JAX_SCIPY = (
    "scipy.special.", "scipy.linalg.", "scipy.signal.", "scipy.fft.", "scipy.stats.", "scipy.ndimage.map_coordinates",
    "scipy.interpolate.RegularGridInterpolator", "scipy.integrate.trapezoid", "scipy.sparse.linalg.",
)  # fmt: skip
_WRITTEN = {
    "if": "`jnp.where`, or with `lax.cond` where a branch is long",
    "ternary": "`jnp.where`, or with `lax.cond` where a side is long",
    "while": "`lax.while_loop`",
    "minmax": "`jnp.minimum`, `jnp.maximum` or `jnp.where`",
    "and": "`jnp.logical_and`",
    "or": "`jnp.logical_or`",
    "not": "`jnp.logical_not`",
    "chain": "`jnp.logical_and`",
}
"""What the JAX variant has in the place of what Python decides."""

_TYPES = {
    "numpy.ndarray": ("array",), "builtins.float": ("float",), "builtins.int": ("int", "bool"),
    "builtins.complex": ("complex",), "builtins.bool": ("bool",), "numpy.generic": ("scalar",),
    "numpy.number": ("scalar",), "numpy.floating": ("scalar",), "numpy.integer": ("scalar",),
    "numpy.float64": ("scalar",), "numpy.float32": ("scalar",), "numpy.int64": ("scalar",),
    "numbers.Number": ("float", "int", "complex", "scalar", "bool"), "numbers.Real": ("float", "int", "scalar", "bool"),
    "numbers.Integral": ("int", "bool"),
}  # fmt: skip


def _static_note(ctx: Context, place: Place, what: str) -> Note:
    """Tells of a scalar that the variant makes a static argument."""
    named = " and ".join(f"`{name}`" for name in sorted(place.sources))
    depends = "" if f"`{ctx.text(place.node)}`" == named else f" and depends on {named}"
    return ctx.gotcha(
        place.node, ctx.status(place.node),
        f"`{ctx.text(place.node)}` {what}{depends}: the variant makes {named} static, and compiles again for every new "
        "value.",
        f"Keep {named} the same over many calls, or take the length from an array's shape.",
        handled=True,
    )  # fmt: skip


@rule(
    "JX-SHAPEARG", severity="error",
    signs=("Shapes must be 1D sequences of concrete values", "static_argnums", "must be static", "NonConcreteSlice",
           "Array slice indices must have static", "It arose in the jnp.arange argument"),
)  # fmt: skip
def traced_shapes(ctx: Context) -> Iterator[Note]:
    """A shape or a slice depends on a value that is traced.

    What happens: Compilation stops: every shape has to be known when JAX traces.
    Why: XLA compiles for fixed shapes.
    Example:
        @jax.jit
        def fn(x, n):
            return jnp.zeros(n) + x[:n]
    Instead:
        @partial(jax.jit, static_argnames="n")
        def fn(x, n):
            return jnp.zeros(n) + x[:n]
    See: https://docs.jax.dev/en/latest/101/errors.html
        https://docs.jax.dev/en/latest/201/control-flow.html
    """
    for place in ctx.control.places:
        if place.kind not in ("shape", "slice") or not ctx.is_traced(place):
            continue
        what = "sets a shape" if place.kind == "shape" else "bounds a slice"
        if place.level is Level.SCALAR:
            yield _static_note(ctx, place, what)
        else:
            yield ctx.gotcha(
                place.node, ctx.status(place.node),
                f"`{ctx.text(place.node)}` {what} and {place.reason}: JAX needs every shape before it runs.",
                "Keep the full length and mask with `jnp.where`, or compute this length outside the function.",
            )  # fmt: skip


@rule(
    "JX-IFTRACED", severity="error",
    signs=("TracerBoolConversionError", "Attempted boolean conversion of traced array", "truth value of an array"),
)  # fmt: skip
def traced_tests(ctx: Context) -> Iterator[Note]:
    """Python decides by a value that is traced.

    What happens: Compilation stops with TracerBoolConversionError.
    Why: `if`, `while`, `assert`, `and`, `or`, `not`, `in`, `max()` need a number, and while tracing there is none.
    Example:
        if x.sum() > 0:
            y = x
        else:
            y = -x
    Instead:
        y = jnp.where(x.sum() > 0, x, -x)
    See: https://docs.jax.dev/en/latest/101/errors.html
        https://docs.jax.dev/en/latest/201/control-flow.html
    """
    tests = [p for p in ctx.control.places if p.kind in ("if", "while", "assert", "ternary", "filter")]
    inner = [p for p in ctx.control.places if p.kind in ("and", "or", "not", "in", "chain", "minmax")]
    covered = {node for place in tests for node in ast.walk(place.node)}
    for place in [*tests, *(p for p in inner if p.node not in covered)]:
        if not ctx.is_traced(place):
            continue
        word = {"ternary": "a conditional expression", "minmax": "a Python call", "chain": "a chained comparison",
                "filter": "a comprehension's filter"}.get(place.kind, f"`{place.kind}`")  # fmt: skip
        if place.level is Level.SCALAR:
            yield _static_note(ctx, place, f"decides {word}" if place.kind != "minmax" else "is evaluated by Python")
            continue
        elementwise = place.kind in ("minmax", "chain", "and", "or", "not")
        fix = {
            "minmax": "Use `jnp.maximum`, `jnp.minimum`, `jnp.any` or `jnp.all`.",
            "while": "Use `jax.lax.while_loop`, with what changes in the loop as its carry.",
        }.get(place.kind, "Use `jnp.where` for values, `jax.lax.cond` for costly branches.")
        if elementwise and place.kind != "minmax":
            fix = "Use `jnp.logical_and`, `jnp.logical_or` or `jnp.logical_not` (`&`, `|`, `~`)."
        written = _WRITTEN.get(place.kind)
        there = f"; where it can be proved, the variant is written with {written}" if written is not None else ""
        yield ctx.gotcha(
            place.node, ctx.status(place.node),
            f"`{ctx.text(place.node)}` {place.reason}, and {word} needs to know it while JAX traces{there}.", fix,
        )  # fmt: skip


@rule(
    "JX-INTCAST", severity="error",
    signs=("TracerIntegerConversionError", "ConcretizationTypeError", "Abstract tracer value encountered"),
)  # fmt: skip
def traced_conversions(ctx: Context) -> Iterator[Note]:
    """A traced value is made a Python number.

    What happens: Compilation stops: `int()`, `float()`, `.item()`, `math.sqrt()`, `range()` cannot take a tracer.
    Why: They give Python numbers, which have to be known while JAX traces.
    Example:
        k = int(x.argmax())
        y = math.sqrt(x.sum())
    Instead:
        k = x.argmax()
        y = jnp.sqrt(x.sum())
    See: https://docs.jax.dev/en/latest/101/errors.html
    """
    kinds = ("int", "float", "bool", "complex", "item", "tolist", "math", "range", "index")
    for place in ctx.control.places:
        if place.kind not in kinds or not ctx.is_traced(place):
            continue
        if place.level is Level.SCALAR:
            what = "sets a trip count" if place.kind == "range" else "is needed as a Python number"
            yield _static_note(ctx, place, what)
            continue
        fix = {
            "math": "Use the function of the same name in `jnp`.",
            "range": "Use `jax.lax.fori_loop` or `while_loop`, which take a traced bound.",
            "index": "Stack the list into one array and index that.",
        }.get(place.kind, "Keep it an array; `.astype(int)` or `.astype(float)` changes the type.")
        yield ctx.gotcha(
            place.node, ctx.status(place.node),
            f"`{ctx.text(place.node)}` needs a Python number while JAX traces, and {place.reason}.", fix,
        )  # fmt: skip


@rule("JX-UNROLL", severity="performance", hook="observed")
def unrolled_loops(ctx: Context) -> Iterator[Note]:
    """A Python loop is unrolled: every trip is compiled anew.

    What happens: Compiling takes seconds to minutes, and the result runs slower than a compiled loop.
    Why: Tracing runs the Python loop, and records the operations of all its trips.
    Example:
        for i in range(1000):
            y = y + x[i] * y
    Instead:
        y = jax.lax.fori_loop(0, 1000, lambda i, y: y + x[i] * y, y)
    See: https://docs.jax.dev/en/latest/201/control-flow.html
        https://docs.jax.dev/en/latest/201/slow-compilation.html
    """
    for loop, trips in python_loops(ctx, UNROLL_FROM):
        shown = f"{trips} trips" if trips is not None else f"at least {UNROLL_FROM} trips"
        head = loop.target if isinstance(loop, ast.For) else loop.test
        yield ctx.gotcha(
            head, CONFIRMED if trips is not None else POSSIBLE,
            f"The loop over `{ctx.text(head)}` makes {shown}: left as it is, JAX would compile every trip apart.",
            "Use `lax.fori_loop`, `lax.scan` or `vmap`, or write it as array operations.",
        )  # fmt: skip


@rule("JX-ISINST", severity="silent", explains=("values", "exception"))
def type_tests(ctx: Context) -> Iterator[Note]:
    """A test of an argument's type answers otherwise for a tracer.

    What happens: `isinstance(x, np.ndarray)` and `np.isscalar(x)` are False while JAX traces, and another branch runs.
    Why: Arguments are tracers then, and neither NumPy arrays nor Python numbers.
    Example:
        if isinstance(x, np.ndarray):
            x = x * 2
    Instead:
        x = x * 2
    See: https://docs.jax.dev/en/latest/101/errors.html
    """
    for call in ctx.calls("builtins.isinstance", "numpy.isscalar"):
        if not call.args or ctx.control.level(call.args[0]) is Level.STATIC:
            continue
        fact = ctx.fact(call.args[0])
        if fact is not None and fact.kind in ("str", "none", "bool", "tuple", "list", "dict", "function", "object"):
            continue
        true_for: set[str] = set()
        if len(call.args) > 1:
            types = call.args[1].elts if isinstance(call.args[1], ast.Tuple) else [call.args[1]]
            for type_ in types:
                true_for |= set(_TYPES.get(ctx.names.path(type_) or "", ()))
        else:
            true_for = {"float", "int", "complex", "scalar"}
        if not true_for or (fact is not None and fact.kind not in true_for):
            continue
        yield ctx.gotcha(
            call, ctx.status(call) if fact is not None else POSSIBLE,
            f"`{ctx.text(call)}` is True for NumPy and False while JAX traces, so that the other branch is taken.",
            "Decide before the call, or ask for `ndim`, `shape` or `dtype` instead.",
        )  # fmt: skip


@rule("JX-BOTHBR", severity="silent")
def both_branches(ctx: Context) -> Iterator[Note]:
    """`where` evaluates both sides, so that gradients may be NaN.

    What happens: `where(x > 0, log(x), 0)` has the right values, and the gradient NaN wherever x is not positive.
    Why: The unused side's derivative is infinite or NaN there, and 0 times that is NaN.
    Example:
        y = jnp.where(x > 0, jnp.log(x), 0.0)
    Instead:
        safe = jnp.where(x > 0, x, 1.0)
        y = jnp.where(x > 0, jnp.log(safe), 0.0)
    See: https://docs.jax.dev/en/latest/201/control-flow.html
    """
    if ctx.derived is not None:
        return  # AD-WHERE speaks of it, for every library
    for call, part in forbidden_sides(ctx):
        yield ctx.gotcha(
            call, "not seen with these inputs",
            f"`{ctx.text(part)}` is evaluated where the condition forbids it: values are right, a gradient "
            "through it would be NaN there.",
            "If you want gradients, replace the forbidden numbers first: `safe = jnp.where(cond, x, 1.0)`.",
        )  # fmt: skip


@rule("JX-NPCALL", severity="error", signs=("TracerArrayConversionError", "__array__"))
def foreign_calls(ctx: Context) -> Iterator[Note]:
    """A call of another library needs real numbers.

    What happens: Compilation stops with TracerArrayConversionError.
    Why: SciPy, pandas and compiled extensions want the numbers of an array, and a tracer has none.
    Example:
        y = scipy.interpolate.interp1d(t, v)(x)
    Instead:
        y = jnp.interp(x, t, v)
    See: https://docs.jax.dev/en/latest/101/errors.html
        https://docs.jax.dev/en/latest/jax.scipy.html
    """
    ours = ("numpy", "math", "builtins", "jax", "time", "random", "logging", "warnings", "itertools", "functools",
            "operator", "collections", "os", "sys", "datetime", "dataclasses", "typing", "copy")  # fmt: skip
    for call in ctx.nodes(ast.Call):
        path = ctx.names.path(call.func)
        if path is None or path.split(".")[0] in ours or path.startswith(IN_JAX_SCIPY):
            continue
        given = [*call.args, *(keyword.value for keyword in call.keywords)]
        if any(ctx.control.level(argument) is Level.ARRAY for argument in given):
            yield ctx.gotcha(
                call, ctx.status(call),
                f"`{ctx.text(call.func)}` of {path.split('.')[0]} wants an array's numbers, which JAX does not have "
                "while it traces.",
                "Use the function of `jax.numpy` or `jax.scipy`, move the call outside, or use `jax.pure_callback`.",
            )  # fmt: skip


_WANT_ARRAYS = frozenset(
    {"sum", "mean", "max", "min", "prod", "std", "var", "median", "dot", "cumsum", "sort", "abs", "absolute", "sqrt",
     "exp", "log", "sin", "cos", "argmax", "argmin", "any", "all", "cumprod", "diff"}
)  # fmt: skip


@rule("JX-LISTARG", severity="error", signs=("requires ndarray or scalar arguments, got <class 'list'>",))
def list_arguments(ctx: Context) -> Iterator[Note]:
    """A list stands where JAX wants an array.

    What happens: `jnp.sum([1, 2])` raises TypeError; a list as an argument becomes one input an element.
    Why: Converting a long list is slow, so that JAX asks for it to be written out.
    Example:
        fn([1.0, 2.0, 3.0])
    Instead:
        fn(np.asarray([1.0, 2.0, 3.0]))
    See: https://docs.jax.dev/en/latest/101/arrays.html
    """
    for label, fact in ctx.observed.arguments.items():
        if fact.kind == "list":
            yield ctx.gotcha(
                ctx.parameter(label), CONFIRMED,
                f"`{label}` is a list: JAX takes every element for an input, and its functions refuse lists.",
                f"Pass `np.asarray({label})`.",
            )  # fmt: skip
    for call in ctx.calls("numpy.*"):
        name = (ctx.names.path(call.func) or "").removeprefix("numpy.")
        if name in _WANT_ARRAYS and call.args and isinstance(call.args[0], ast.List | ast.ListComp):
            yield ctx.gotcha(
                call, ctx.status(call),
                f"`{ctx.text(call)}` hands a list to `{name}`, which JAX refuses.",
                "Make an array of it first: `jnp.array([...])` or `jnp.stack([...])`.",
            )  # fmt: skip
