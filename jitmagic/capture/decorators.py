"""Gets from a live callable to the Python function that the user wrote, through the compilers that we know.

Known compilers leave the values alone, so that taking them off gives the NumPy function. What else stands around a
function may change its result (a cache, a unit checker, a wrapper of the user's), and is refused.
"""

from __future__ import annotations

import functools
import types
from typing import Any

import numpy as np

from jitmagic.capture.library import is_library_function
from jitmagic.errors import CaptureError


def unwrap(value: Any, name: str, line: int | None = None) -> tuple[types.FunctionType, tuple[str, ...]]:
    """Takes known compilers off a callable.

    Returns
    -------
    function : FunctionType
    compilers : tuple of str
        What was taken off, outermost first: ``("numba",)``; empty for a plain function.

    Raises
    ------
    CaptureError
        For what is no function of the user's: a method, a class, a builtin, an unknown wrapper, ….
    """
    compilers: list[str] = []
    while True:
        inner = _compiled(value)
        if inner is None:
            break
        value, compiler = inner
        compilers.append(compiler)
    reason = _reason(value, name)
    if reason is not None:
        raise CaptureError(f"`{name}` cannot be captured: {reason}", line)
    assert isinstance(value, types.FunctionType)
    return value, tuple(compilers)


def is_compiled(value: Any) -> bool:
    """Says whether a value is a function in the wrapper of a known compiler."""
    return _compiled(value) is not None


def compiled_function(value: Any) -> Any:
    """Returns what stands inside all the known compilers around a value; the value itself where there is none."""
    while (inner := _compiled(value)) is not None:
        value = inner[0]
    return value


def is_prange(value: Any) -> bool:
    """Says whether a value is Numba's ``prange``."""
    return isinstance(value, type) and value.__name__ == "prange" and value.__module__.partition(".")[0] == "numba"


def _compiled(value: Any) -> tuple[Any, str] | None:
    """Returns what a known compiler wraps, and the compiler's name; None where none does."""
    # Nothing but the type's name is asked, for the libraries are not to be imported here.
    kind = type(value)
    root = kind.__module__.partition(".")[0]
    if root == "numba" and kind.__name__.endswith("Dispatcher"):
        return value.py_func, "numba"
    if root in ("jax", "jaxlib") and hasattr(value, "__wrapped__"):
        return value.__wrapped__, "jax"
    if isinstance(value, types.FunctionType) and hasattr(value, "_torchdynamo_orig_callable"):
        return value._torchdynamo_orig_callable, "torch"
    return None


def _module_root(function: types.FunctionType) -> str:
    return str(function.__globals__.get("__name__", "")).partition(".")[0]


def _reason(value: Any, name: str) -> str | None:
    kind = type(value)
    root = kind.__module__.partition(".")[0]
    if isinstance(value, types.MethodType):
        return (
            f"it is a method of {type(value.__self__).__qualname__}, and its result depends on `self`; write a "
            "function that takes what it reads from `self` as arguments."
        )
    if isinstance(value, type):
        return "it is a class; write a function that takes and returns arrays and numbers."
    if kind is functools._lru_cache_wrapper:
        return (
            "the decorator @functools.cache (or lru_cache) gives stored results from the second call on, so that there "
            "is nothing to time; take it off, or compare the function inside, "
            f"{name}.__wrapped__."
        )
    if isinstance(value, functools.partial):
        return "it is a functools.partial; write a `def` that makes the same call."
    if isinstance(value, np.vectorize):
        return (
            "np.vectorize calls the Python function inside once for each element; compare that function on one "
            f"element, or write `{name}` with array operations."
        )
    owner = getattr(value, "__self__", None)
    if isinstance(value, types.BuiltinFunctionType) and owner is not None and not isinstance(owner, types.ModuleType):
        return f"it is a method of {type(owner).__qualname__}, and compiled already; write a function that calls it."
    if isinstance(value, np.ufunc | types.BuiltinFunctionType | types.BuiltinMethodType):
        return (
            "it is compiled already, and has no Python source; write a function that calls it, e.g. "
            f"def fn(x): return {name}(x)."
        )
    if root == "numpy" or (isinstance(value, types.FunctionType) and _module_root(value) == "numpy"):
        return f"it is NumPy's own; write a function that calls it, e.g. def fn(x): return {name}(x)."
    if root == "numba":
        return (
            f"it is a numba {kind.__name__}, which stands for more than the function inside it (an elementwise kernel, "
            "a stencil, a device function); give the NumPy function that it replaces."
        )
    if not isinstance(value, types.FunctionType):
        return f"it is of type {kind.__module__}.{kind.__qualname__}, and not a Python function; write it with `def`."
    if hasattr(value, "__wrapped__"):
        wrapper = "a library's wrapper" if is_library_function(value) else f"the wrapper `{value.__code__.co_name}`"
        return (
            f"a decorator puts {wrapper} ({value.__code__.co_filename}, line {value.__code__.co_firstlineno}) around "
            "it, which may change its result; take the decorator off, or compare the function inside, "
            f"{name}.__wrapped__."
        )
    return None
