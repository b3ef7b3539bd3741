"""New arrays that the host makes on the GPU: which calls of NumPy's make one, and of what type."""

from __future__ import annotations

import ast

from jitmagic.backends.cuda.types import PYTHON, Array, Named, Scalar, Several, Type, Typer, Untyped

MAKERS = {
    "numpy.empty": "empty", "numpy.zeros": "zeros", "numpy.ones": "ones", "numpy.full": "full",
    "numpy.empty_like": "empty_like", "numpy.zeros_like": "zeros_like", "numpy.ones_like": "ones_like",
    "numpy.full_like": "full_like", "numpy.copy": "copy", "numpy.ascontiguousarray": "same",
    "numpy.asarray": "same", "numpy.arange": "spaced", "numpy.linspace": "spaced",
}  # fmt: skip
"""Functions of NumPy's that make an array, which the host may call."""


def maker(node: ast.Call, path: str | None) -> str | None:
    """Returns which kind of new array a call makes, e.g. ``"zeros_like"``; None for another call.

    Parameters
    ----------
    node : ast.Call
    path : str or None
        The dotted path of the function that is called; None for one that is no library's.
    """
    if path in MAKERS:
        return MAKERS[path]
    if isinstance(node.func, ast.Attribute) and node.func.attr == "copy" and path is None and not node.args:
        return "copy"
    return None


def new_array(typer: Typer, node: ast.Call) -> Type | None:
    """Types a call that makes a new array; None for any other.

    Raises
    ------
    Untyped
        For a new array that a GPU has no form of.
    """
    kind = maker(node, typer.path(node.func))
    if kind is None:
        return None
    named = {one.arg: one.value for one in node.keywords}
    given = list(node.args)
    dtype = named.pop("dtype", None)
    if kind == "spaced":
        return _spaced(typer, node, dtype)
    if named:
        raise Untyped(node, f"`{ast.unparse(node)}` has options that a new array on the GPU has not")
    if kind in ("copy", "same"):
        base = typer.of(node.func.value if isinstance(node.func, ast.Attribute) and not given else given[0])
        if not isinstance(base, Array) or dtype is not None:
            raise Untyped(node, f"`{ast.unparse(node)}` is no copy of an array")
        return Array(base.dtype, base.ndim)
    places = 2 if kind.startswith("full") else 1
    if len(given) > places:
        dtype = given.pop()
    if len(given) != places:
        raise Untyped(node, f"`{ast.unparse(node)}` is no plain new array")
    wanted = _dtype(typer, dtype) if dtype is not None else None
    filled = typer.number(given[1]) if kind.startswith("full") else None
    base = typer.of(given[0])
    if kind.endswith("_like"):
        if not isinstance(base, Array):
            raise Untyped(node, f"`{ast.unparse(given[0])}` is no array")
        return Array(wanted or base.dtype, base.ndim)
    if isinstance(base, Scalar):
        return Array(wanted or filled or "float64", 1)
    if not isinstance(base, Several):
        raise Untyped(node, f"`{ast.unparse(given[0])}` is no shape")
    return Array(wanted or filled or "float64", len(base.items))


def _spaced(typer: Typer, node: ast.Call, dtype: ast.expr | None) -> Type:
    """Types `np.arange` and `np.linspace` of numbers: NumPy makes them on the host, and they are copied."""
    kinds = {typer.number(one) for one in node.args}
    named = {one.arg: one.value for one in node.keywords if one.arg != "dtype"}
    for one in named.values():
        typer.number(one)
    if not kinds or not kinds <= {"int64", "float64"} or not set(named) <= {"num", "endpoint"}:
        raise Untyped(node, f"`{ast.unparse(node)}` is not made of integers or floats alone")
    whole = typer.path(node.func) == "numpy.arange" and kinds == {"int64"}
    return Array(_dtype(typer, dtype) if dtype is not None else "int64" if whole else "float64", 1)


def _dtype(typer: Typer, node: ast.expr) -> str:
    """Returns the dtype that an expression names: `np.float32`, `x.dtype`, `complex`."""
    stands = Named(PYTHON[node.id]) if isinstance(node, ast.Name) and node.id in PYTHON else typer.of(node)
    if not isinstance(stands, Named):
        raise Untyped(node, f"`{ast.unparse(node)}` is no dtype")
    return stands.dtype
