"""Purity: what JAX runs once, while tracing, or not at all."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from jitmagic.analysis.control import Level
from jitmagic.gotchas.context import NOT_SEEN, POSSIBLE, Context, Note
from jitmagic.gotchas.registry import rule
from jitmagic.gotchas.shared import outside_values, seeded


@rule("JX-PRINT", severity="silent")
def prints(ctx: Context) -> Iterator[Note]:
    """A print or a log line appears once, while JAX traces, with tracers instead of numbers.

    What happens: The output appears on the first call only, and shows `Traced<float64[10]>` where numbers stood.
    Why: `jax.jit` runs the Python code once to record the array operations; later calls run the record.
    Example:
        @jax.jit
        def fn(x):
            print(x.sum())
            return x * 2
    Instead:
        @jax.jit
        def fn(x):
            jax.debug.print("{}", x.sum())
            return x * 2
    See: https://docs.jax.dev/en/latest/201/debugging.html
        https://docs.jax.dev/en/latest/201/jit.html
    """
    for effect in ctx.effects.of("print", "log"):
        yield ctx.gotcha(
            effect.node, ctx.status(effect.node),
            f"`{ctx.text(effect.node)}` runs once, while JAX traces, and shows tracers instead of numbers.",
            'Use `jax.debug.print("{}", value)`, or return the value and print it outside.',
        )  # fmt: skip


@rule("JX-IO", severity="silent", explains=("exception",))
def input_output(ctx: Context) -> Iterator[Note]:
    """Files, sockets and input() are touched once, while JAX traces.

    What happens: What is read is baked into the compiled function as a constant; what is written is written once.
    Why: `jax.jit` records array operations only; everything else happens while it records.
    Example:
        def fn(x):
            w = np.load("weights.npy")
            return x * w
    Instead:
        w = np.load("weights.npy")
        def fn(x, w):
            return x * w
    See: https://docs.jax.dev/en/latest/201/jit.html
    """
    for effect in ctx.effects.of("file", "network", "input"):
        yield ctx.gotcha(
            effect.node, ctx.status(effect.node),
            f"`{ctx.text(effect.node)}` runs once, while JAX traces: later calls neither read nor write anything.",
            "Read before the call and pass the data as an argument; write what the function returns.",
        )  # fmt: skip


@rule("JX-TIME", severity="silent", explains=("values",))
def clock_reads(ctx: Context) -> Iterator[Note]:
    """The clock is read once, while JAX traces.

    What happens: `time.time()` inside `jit` gives the time of tracing, on every call; an interval measures the tracing.
    Why: The value is a Python float while tracing, and so a constant of the compiled function.
    Example:
        def fn(x):
            t = time.time()
            return x * t
    Instead:
        def fn(x, t):
            return x * t
    See: https://docs.jax.dev/en/latest/201/jit.html
    """
    for effect in ctx.effects.of("time"):
        yield ctx.gotcha(
            effect.node, ctx.status(effect.node),
            f"`{ctx.text(effect.node)}` reads the clock once, while JAX traces, and stays that value.",
            "Read the clock outside and pass the time as an argument.",
        )  # fmt: skip


@rule("JX-GLOBALS", severity="silent", explains=("values",), probes=("a changed global",))
def outside_reads(ctx: Context) -> Iterator[Note]:
    """A value from outside is baked in when JAX traces.

    What happens: Later changes of the outer value are ignored: the compiled function keeps what it saw at first.
    Why: Only arguments are inputs of the compiled function; all else becomes a constant of it.
    Example:
        scale = 2.0
        @jax.jit
        def fn(x):
            return x * scale
        scale = 3.0
    Instead:
        @jax.jit
        def fn(x, scale):
            return x * scale
    See: https://docs.jax.dev/en/latest/201/jit.html
    """
    for effect, shown, status in outside_values(ctx):
        yield ctx.gotcha(
            effect.node, status,
            f"`{effect.name}` comes from outside: the compiled function keeps {shown}, whatever `{effect.name}` "
            "becomes later.",
            f"Pass `{effect.name}` as an argument, or compare and build again after changing it.",
        )  # fmt: skip


@rule("JX-LEAK", severity="silent", explains=("values", "mutated"), signs=("UnexpectedTracerError",))
def leaks(ctx: Context) -> Iterator[Note]:
    """A store into something outside happens once, while JAX traces, and stores a tracer.

    What happens: A counter steps once, a list gets one tracer; using that tracer later raises UnexpectedTracerError.
    Why: Python statements run while tracing; the compiled function has no access to Python objects.
    Example:
        history = []
        def fn(x):
            history.append(x.sum())
            return x * 2
    Instead:
        def fn(x):
            return x * 2, x.sum()
    See: https://docs.jax.dev/en/latest/101/errors.html
    """
    for effect in ctx.effects.of("global write"):
        yield ctx.gotcha(
            effect.node, ctx.status(effect.node),
            f"`{ctx.text(effect.node)}` changes `{effect.name}`, which lives outside: under jit this happens once, "
            "while tracing, with a tracer.",
            "Return the value, and store it outside the function.",
        )  # fmt: skip


@rule("JX-RNG", severity="silent", explains=("values",))
def random_draws(ctx: Context) -> Iterator[Note]:
    """Random numbers drawn inside jit are drawn once, while tracing.

    What happens: Every call uses the same numbers.
    Why: NumPy's generator runs while tracing; what it drew is a constant of the compiled function.
    Example:
        @jax.jit
        def fn(x):
            return x + np.random.normal(size=x.shape)
    Instead:
        @jax.jit
        def fn(key, x):
            return x + jax.random.normal(key, x.shape)
    See: https://docs.jax.dev/en/latest/101/random.html
    """
    for effect in ctx.effects.of("random"):
        if not seeded(ctx, effect.node):
            yield ctx.gotcha(
                effect.node, ctx.status(effect.node),
                f"`{ctx.text(effect.node)}` draws once, while JAX traces: every later call uses the same numbers.",
                "Draw the numbers outside and pass them in, or pass a `jax.random` key and split it.",
            )  # fmt: skip


@rule("JX-ARGMUT", severity="silent", handled=True, explains=("mutated", "identity"))
def argument_writes(ctx: Context) -> Iterator[Note]:
    """A change to an argument is lost.

    What happens: The caller's array keeps its old contents; only the function's own copy changes.
    Why: JAX arrays are immutable, and a jitted function returns new arrays.
    Example:
        def fn(x, out):
            out[:] = x * 2
    Instead:
        def fn(x):
            return x * 2
        out[:] = fn(x)
    See: https://docs.jax.dev/en/latest/101/arrays.html
    """
    told: set[str] = set()
    for effect in ctx.effects.of("argument written"):
        if effect.function != ctx.tree.entry.name or effect.name in told:
            continue
        seen = any(label.split("[")[0] == effect.name for label in ctx.observed.mutated)
        if not seen and ctx.kind(ctx.parameter(effect.name) or effect.node) in ("scalar", "int", "float", "object"):
            continue
        told.add(effect.name)
        through = f" through `{effect.through}`" if effect.through else ""
        yield ctx.gotcha(
            effect.node, ctx.status(effect.node) if seen or not ctx.observed.watched else NOT_SEEN,
            f"`{ctx.text(effect.node)}` changes the argument `{effect.name}`{through}, which JAX cannot: the variant "
            "returns the new contents and a thin wrapper writes them back.",
            f"If the caller does not need `{effect.name}` changed, return a new array instead.",
        )  # fmt: skip


@rule("JX-IADD-ALIAS", severity="silent", explains=("values", "mutated"))
def alias_writes(ctx: Context) -> Iterator[Note]:
    """A store through a second name or a view no longer reaches the first.

    What happens: `y = x; y += 1` leaves `x` as it was, where NumPy changes both; so does `v = x[1:]; v[:] = 0`.
    Why: JAX arrays are immutable: `+=` and `.at[].set` make a new array and bind it to one name.
    Example:
        v = x[1:]
        v[:] = 0
        return x
    Instead:
        x = x.at[1:].set(0)
        return x
    See: https://docs.jax.dev/en/latest/101/arrays.html
    """
    for effect in ctx.effects.of("argument written", "local written"):
        if effect.through and effect.how != "helper" and ctx.kind(effect.node) not in ("list", "dict"):
            if _is_container(ctx, effect.node) or not _read_after(ctx, effect.node, effect.name):
                continue
            yield ctx.gotcha(
                effect.node, ctx.status(effect.node),
                f"`{effect.through}` shares memory with `{effect.name}`: `{ctx.text(effect.node)}` changes both in "
                f"NumPy, and only `{effect.through}` in JAX.",
                f"Store into `{effect.name}` itself, or copy first with `{effect.through} = ….copy()` if they "
                "are meant to differ.",
            )  # fmt: skip


@rule("JX-ITER", severity="silent", explains=("values",))
def iterators(ctx: Context) -> Iterator[Note]:
    """A Python iterator inside a compiled loop is consumed once, while tracing.

    What happens: The loop sees the same element on every trip, or none at all: a sum of an iterator gives 0.
    Why: `lax.fori_loop`, `scan` and `while_loop` trace their body once.
    Example:
        it = iter(x)
        for i in range(n):
            s += next(it)
    Instead:
        for i in range(n):
            s += x[i]
    See: https://docs.jax.dev/en/latest/201/control-flow.html
    """
    for call in ctx.calls("builtins.next"):
        if _steps_one_from_before(ctx, call):
            yield ctx.gotcha(
                call, POSSIBLE,
                f"`{ctx.text(call)}` steps a Python iterator inside a loop: a compiled loop traces its body once, and "
                "takes one element for all trips.",
                "Index an array instead.",
            )  # fmt: skip


_MAKERS_OF_ITERATORS = frozenset(
    f"builtins.{name}" for name in ("iter", "range", "zip", "enumerate", "map", "filter", "reversed")
)


def _steps_one_from_before(ctx: Context, call: ast.Call) -> bool:
    """Tells whether a `next` in a loop steps an iterator that the loop did not make anew in that trip."""
    loops = ctx.tree.loops_around(call)
    if not loops or not call.args:
        return False
    stepped = call.args[0]
    if isinstance(stepped, ast.Name):
        inside = {
            name.id for node in loops[0].body for name in ast.walk(node)
            if isinstance(name, ast.Name) and isinstance(name.ctx, ast.Store)
        }  # fmt: skip
        return stepped.id not in inside
    made = isinstance(stepped, ast.Call) and ctx.names.path(stepped.func) in _MAKERS_OF_ITERATORS
    return not made and not isinstance(stepped, ast.GeneratorExp)


@rule("JX-RAISE", severity="silent", explains=("exception", "values"))
def raises(ctx: Context) -> Iterator[Note]:
    """An exception that depends on data cannot be raised.

    What happens: A `raise` under a traced condition cannot be compiled; a failing `solve` or `cholesky` gives NaN.
    Why: A compiled function has no exceptions: errors in the numbers show as NaN.
    Example:
        if x.min() < 0:
            raise ValueError("negative")
        return np.linalg.cholesky(x)
    Instead:
        y = fn(x)
        if not np.isfinite(y).all():
            raise ValueError("not positive definite")
    See: https://docs.jax.dev/en/latest/jax.experimental.checkify.html
    """
    for effect in ctx.effects.of("raise"):
        tests = ctx.control.tests_around(effect.node)
        if isinstance(effect.node, ast.Assert):
            tests = [*tests, effect.node.test]
        tested = [test for test in tests if ctx.control.level(test) is Level.ARRAY]
        if tested and isinstance(effect.node, ast.Raise):
            quiet = ctx.observed.watched and ctx.observed.raised is None
            yield ctx.gotcha(
                effect.node, NOT_SEEN if quiet else ctx.status(effect.node),
                f"`raise {effect.name}` depends on the numbers (`{ctx.text(tested[0])}`): compiled code cannot raise.",
                "Check the arguments before the call, or the result after it; or use `jax.experimental.checkify`.",
            )  # fmt: skip
    for call in ctx.calls("numpy.linalg.solve", "numpy.linalg.inv", "numpy.linalg.cholesky"):
        if any(isinstance(parent, ast.Try) for parent in ctx.tree.ancestors(call)):
            yield ctx.gotcha(
                call, POSSIBLE,
                f"`{ctx.text(call)}` gives NaN in JAX where NumPy raises LinAlgError: the `except` branch never runs.",
                "Test the result with `jnp.isfinite(result).all()`.",
            )  # fmt: skip


def _is_container(ctx: Context, node: ast.AST) -> bool:
    owner = node.func.value if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) else None
    if owner is None:
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        owner = next((target.value for target in targets if isinstance(target, ast.Subscript)), None)
    return owner is not None and ctx.kind(owner) in ("list", "dict", "object")


def _read_after(ctx: Context, node: ast.AST, root: str) -> bool:
    """Tells whether the root is read after a write, on a later line or in a loop around it, or is an argument."""
    function = ctx.tree.definition_of(node)
    if function is None or root in ctx.names.scope(function).parameters:
        return True
    line = getattr(node, "end_lineno", 0)
    looped = ctx.tree.loops_around(node)
    return any(
        isinstance(name, ast.Name)
        and name.id == root
        and isinstance(name.ctx, ast.Load)
        and (name.lineno > line or any(loop.lineno <= name.lineno for loop in looped))
        for name in ast.walk(function)
    )
