"""What may go wrong with Pythran: each rule is a function, and its docstring the page that `jitmagic explain` shows."""

from __future__ import annotations

from jitmagic.gotchas.registry import rule


@rule("PYTHRAN-RANDOM", severity="silent", backend="pythran")
def random_numbers(ctx):
    """Random numbers are those of another generator.

    What happens: the function gives other numbers than with NumPy, also after the same seed.
    Why: Pythran's numpy.random draws from a generator of the C++ library.
    Example:
        noise = np.random.normal(size=n)
    Instead:
        noise = rng.normal(size=n)  # before the call; pass it as an argument
    See: https://pythran.readthedocs.io/en/latest/SUPPORT.html
    """
    for call in ctx.calls("numpy.random.*"):
        yield ctx.gotcha(
            call, ctx.status(call), f"`{ctx.text(call)}` draws other numbers in Pythran than in NumPy.",
            "Draw them before the call and pass them as an argument.",
        )


@rule("PYTHRAN-TYPES", severity="error", backend="pythran", signs=("Invalid call to pythranized function",))
def other_types(ctx):
    """Arguments of another dtype or layout raise.

    What happens: a call with float32 where float64 was exported is a TypeError, and so is a view with strides.
    Why: Pythran compiles ahead of time, for the types that its export comment names.
    Example:
        fn(x.astype("float32"))
    Instead:
        fn(x)  # or a second export comment for float32
    See: https://pythran.readthedocs.io/en/latest/MANUAL.html
    """
    for name, fact in ctx.observed.arguments.items():
        node = ctx.parameter(name)
        if node is not None and fact.kind == "array":
            yield ctx.gotcha(
                node, "possible", f"`{name}` has to be {fact.dtype} with {len(fact.shape or ())} axes in every call.",
                "Write an export comment for each dtype that your calls have.",
            )
