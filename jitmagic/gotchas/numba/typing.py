"""Typing: what Numba cannot compile."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator

import numpy as np

from jitmagic.gotchas.context import CONFIRMED, POSSIBLE, Context, Note
from jitmagic.gotchas.numba.support import ARRAY_METHODS, BUILTINS_MISSING, FUNCTIONS, METHODS, MISSING_UFUNCS
from jitmagic.gotchas.registry import rule

_AXIS_FIRST = frozenset({"sum", "mean", "std", "var", "max", "min", "prod", "any", "all", "cumsum", "cumprod",
                         "argmax", "argmin", "sort", "argsort", "ptp"})  # fmt: skip
_TYPES = (type, np.dtype)
_JOINERS = {"concatenate", "stack", "hstack", "vstack", "dstack", "column_stack"}


@rule("NB-AXIS", severity="error", signs=("got an unexpected keyword argument", "unsupported .*axis", "keepdims"))
def unsupported_arguments(ctx: Context) -> Iterator[Note]:
    """Numba knows the function, and not this argument of it.

    What happens: Compilation stops with a TypingError: `axis` of mean, std, max or any, `keepdims`, `out`, `order`.
    Why: Numba implements each function anew, most of them with the first few parameters.
    Example:
        m = x.mean(axis=0)
    Instead:
        m = x.sum(axis=0) / x.shape[0]
    See: https://numba.readthedocs.io/en/stable/reference/numpysupported.html
    """
    for call in ctx.nodes(ast.Call):
        known, name, method = _known(ctx, call)
        if known is None:
            continue
        refused = [str(k.arg) for k in call.keywords if k.arg is not None and k.arg not in known]
        axis_at = 0 if method else 1
        positional = name in _AXIS_FIRST if method else _axis_second(name)
        if len(call.args) > axis_at and "axis" not in known and positional:
            refused.append("axis")
        if refused:
            named = " and ".join(f"`{one}`" for one in refused)
            yield ctx.gotcha(
                call, ctx.status(call),
                f"Numba's `{name}` does not take {named}: `{ctx.text(call)}` cannot be compiled.",
                "Write the loop over the other axes, or use what it does take"
                + (f": {', '.join(sorted(known))}." if known else "."),
            )  # fmt: skip


def _known(ctx: Context, call: ast.Call) -> tuple[frozenset[str] | None, str, bool]:
    """Returns the parameters that Numba accepts, the function's name, and whether it is a method."""
    path = ctx.names.path(call.func)
    if path is None:
        if isinstance(call.func, ast.Attribute) and call.func.attr in METHODS and ctx.kind(call.func.value) == "array":
            return frozenset(METHODS[call.func.attr].split()), call.func.attr, True
        return None, "", False
    name = path.removeprefix("numpy.")
    if not path.startswith("numpy.") or name not in FUNCTIONS:
        return None, name, False
    known = frozenset(FUNCTIONS[name].split())
    return known | {"object"} if name == "array" else known, name, False


def _axis_second(name: str) -> bool:
    """Tells whether the second parameter of a NumPy function is `axis`."""
    function: object = np
    for part in name.split("."):
        function = getattr(function, part, None)
    try:
        parameters = list(inspect.signature(function).parameters)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return False
    return len(parameters) > 1 and parameters[1] == "axis"


@rule("NB-NOFUNC", severity="error", signs=("Use of unsupported NumPy function", "Unknown attribute '"))
def unsupported_functions(ctx: Context) -> Iterator[Note]:
    """Numba does not have this function of NumPy.

    What happens: Compilation stops with a TypingError: `einsum`, `tensordot`, `pad`, `gradient`, `fft`, `ix_`, ….
    Why: Numba implements NumPy's functions anew, and not all of them.
    Example:
        y = np.einsum("ij,j->i", a, x)
    Instead:
        y = a @ x
    See: https://numba.readthedocs.io/en/stable/reference/numpysupported.html
    """
    for call in ctx.nodes(ast.Call):
        path = ctx.names.path(call.func)
        if path is None:
            if not isinstance(call.func, ast.Attribute) or ctx.kind(call.func.value) != "array":
                continue
            if call.func.attr in METHODS or call.func.attr not in ARRAY_METHODS:
                continue
            shown = f"the array method `{call.func.attr}`"
        elif path.startswith("numpy.") and not path.startswith("numpy.random.") and not _supported(path):
            shown = f"`{path}`"
        else:
            continue
        fix = "Use the operator `@`." if path == "numpy.matmul" else "Write it as a loop, or with functions it has."
        yield ctx.gotcha(
            call, ctx.status(call), f"Numba does not have {shown}: `{ctx.text(call)}` cannot be compiled.", fix
        )


def _supported(path: str) -> bool:
    name = path.removeprefix("numpy.")
    function: object = np
    for part in name.split("."):
        function = getattr(function, part, None)
    if isinstance(function, np.ufunc):
        return name not in MISSING_UFUNCS
    if isinstance(function, _TYPES) or function is None:
        return name not in ("vectorize", "matrix", "poly1d", "nditer", "errstate", "memmap", "recarray")
    return name in FUNCTIONS


@rule("NB-CONCAT", severity="error", signs=("No implementation of function Function\\(<.*(concatenate|stack)",))
def joined_lists(ctx: Context) -> Iterator[Note]:
    """`concatenate` and `stack` want a tuple, not a list.

    What happens: Compilation stops with a TypingError; so does `np.array` of a list of arrays.
    Why: The arrays may differ in type, which a list in Numba may not.
    Example:
        y = np.concatenate([a, b])
    Instead:
        y = np.concatenate((a, b))
    See: https://numba.readthedocs.io/en/stable/reference/numpysupported.html
    """
    for call in ctx.calls("numpy.*"):
        name = (ctx.names.path(call.func) or "").removeprefix("numpy.")
        if not call.args or not isinstance(call.args[0], ast.List | ast.ListComp):
            continue
        arrays = isinstance(call.args[0], ast.List) and any(ctx.kind(e) == "array" for e in call.args[0].elts)
        if name in _JOINERS or (name in ("array", "asarray") and arrays):
            fix = "Write a tuple: `(a, b)`." if name in _JOINERS else "Use `np.stack((a, b))`."
            yield ctx.gotcha(
                call, ctx.status(call),
                f"`{ctx.text(call)}` hands a list of arrays to `{name}`, which Numba refuses.", fix,
            )  # fmt: skip


@rule("NB-REFLIST", severity="performance", hook="observed", signs=("reflected list",))
def reflected_lists(ctx: Context) -> Iterator[Note]:
    """A list as an argument is copied in and out at every call.

    What happens: Each call converts every element twice, and Numba warns that this will go; lists of lists fail.
    Why: A Python list is no array: Numba keeps a copy of its own and reflects changes back.
    Example:
        fn([1.0, 2.0, 3.0])
    Instead:
        fn(np.asarray([1.0, 2.0, 3.0]))
    See: https://numba.readthedocs.io/en/stable/reference/deprecation.html
    """
    for label, fact in ctx.observed.arguments.items():
        if fact.kind == "list":
            nested = any(item.kind in ("list", "array") for item in fact.items)
            yield ctx.gotcha(
                ctx.parameter(label), CONFIRMED,
                f"`{label}` is a list"
                + (" of lists or arrays, which Numba refuses." if nested else ": Numba copies it in and out on calls."),
                f"Pass `np.asarray({label})`"
                + (" or a tuple of arrays." if nested else " or a `numba.typed.List`."),
            )  # fmt: skip


@rule("NB-DTYPE", severity="error", hook="observed", signs=("Unsupported array dtype",))
def refused_dtypes(ctx: Context) -> Iterator[Note]:
    """Numba has no arrays of this dtype.

    What happens: Compilation stops: float16, long double, object and string arrays are refused.
    Why: Numba's types are the machine's numbers.
    Example:
        fn(x.astype(np.float16))
    Instead:
        fn(x.astype(np.float32))
    See: https://numba.readthedocs.io/en/stable/reference/numpysupported.html
    """
    for label, fact in ctx.observed.arguments.items():
        dtype = fact.dtype or ""
        refused = dtype in ("float16", "object", "longdouble", "clongdouble", "float128", "complex256", "float96")
        if fact.kind in ("array", "scalar") and (refused or dtype.startswith(("void", "StringDType"))):
            yield ctx.gotcha(
                ctx.parameter(label), CONFIRMED, f"`{label}` has the dtype {dtype}, which Numba does not compile.",
                f"Convert it, e.g. with `.astype(np.float{32 if dtype == 'float16' else 64})`.",
            )  # fmt: skip


@rule(
    "NB-SYNTAX", severity="error",
    signs=("UnsupportedBytecodeError", "UnsupportedError", "Unsupported context manager", "Illegal IR, del found"),
)  # fmt: skip
def unsupported_syntax(ctx: Context) -> Iterator[Note]:
    """Numba does not compile this statement.

    What happens: Compilation stops: `with`, `class`, `del`, `**kwargs`, generator expressions, `import` inside.
    Why: Numba compiles a part of Python.
    Example:
        with np.errstate(all="ignore"):
            y = 1 / x
    Instead:
        y = 1 / x
    See: https://numba.readthedocs.io/en/stable/reference/pysupported.html
    """
    named = {
        ast.ClassDef: "a class definition", ast.With: "`with`", ast.AsyncWith: "`async with`",
        ast.AsyncFor: "`async for`",
        ast.Await: "`await`", ast.YieldFrom: "`yield from`", ast.Delete: "`del`", ast.Import: "an import inside",
        ast.ImportFrom: "an import inside", ast.GeneratorExp: "a generator expression",
        ast.SetComp: "a set comprehension",
        ast.Global: "`global`", ast.Nonlocal: "`nonlocal`",
    }  # fmt: skip
    for node in ctx.nodes(*named):
        yield ctx.gotcha(
            node, CONFIRMED, f"Numba does not compile {named[type(node)]}: `{ctx.text(node)}`.",
            {
                ast.With: "Move the `with` around the call.",
                ast.GeneratorExp: "Use a list comprehension or a loop.",
            }.get(type(node), "Move it out of the function, or write it with plain loops and assignments."),
        )  # fmt: skip
    for node in ctx.nodes(ast.FunctionDef):
        if node.args.kwarg is not None:
            yield ctx.gotcha(
                node.args.kwarg, CONFIRMED, f"Numba does not compile `**{node.args.kwarg.arg}`.",
                "Name the parameters.",
            )  # fmt: skip
    for node in ctx.nodes(ast.FormattedValue):
        if node.format_spec is not None:
            yield ctx.gotcha(
                node.value, CONFIRMED, f"Numba does not compile the format of `{ctx.text(node.value)}` in an f-string.",
                "Format outside the function.",
            )  # fmt: skip
    for node in ctx.nodes(ast.ExceptHandler):
        if node.type is not None and ctx.names.path(node.type) != "builtins.Exception":
            yield ctx.gotcha(
                node.type, CONFIRMED, f"Numba catches all or nothing, not `{ctx.text(node.type)}`.",
                "Test the condition instead, or write `except Exception:`.",
            )  # fmt: skip


@rule("NB-CALLS", severity="error", signs=("Untyped global name", "Cannot determine Numba type of <class 'function'>"))
def foreign_calls(ctx: Context) -> Iterator[Note]:
    """A call of something that Numba cannot compile.

    What happens: Compilation stops with a TypingError: SciPy, pandas, files and plain Python objects are unknown to it.
    Why: Only Numba's own functions and functions compiled with it can be called.
    Example:
        y = scipy.special.erf(x)
    Instead:
        y = np.array([math.erf(v) for v in x])
    See: https://numba.readthedocs.io/en/stable/user/troubleshoot.html
        https://numba.readthedocs.io/en/stable/reference/pysupported.html
    """
    fine = ("numpy.", "math.", "cmath.", "builtins.", "numba.", "random.", "operator.")
    for call in ctx.nodes(ast.Call):
        path = ctx.names.path(call.func)
        head, _, name = (path or "").partition(".")
        missing = head == "builtins" and name in BUILTINS_MISSING
        if path is not None and (missing or not path.startswith(fine)):
            yield ctx.gotcha(
                call, ctx.status(call),
                f"Numba cannot call `{ctx.text(call.func)}`"
                + ("." if missing else f" of {path.split('.')[0]}."),
                "Call it outside the function and pass the result, or write it out in NumPy.",
            )  # fmt: skip
    for name, fact in ctx.observed.arguments.items():
        if fact.kind in ("object", "dict") and not isinstance(ctx.argument_values().get(name), np.random.Generator):
            yield ctx.gotcha(
                ctx.parameter(name), POSSIBLE,
                f"`{name}` is an object of Python: Numba may not know its attributes and methods.",
                "Pass the arrays and numbers that the function needs out of it.",
            )  # fmt: skip
