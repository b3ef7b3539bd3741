"""Asks of a value whether it can be sent to a worker process, and says what to do where it cannot.

A worker gets values by pickle, and arrays through shared memory. It has the user's files on its path, but not the
user's notebook: a class or function that lives in ``__main__`` is unknown there.
"""

from __future__ import annotations

import io
import pickle
import types
from typing import Any

import numpy as np

from jitmagic.capture.decorators import is_compiled
from jitmagic.errors import CaptureError

PLAIN = (bool, int, float, complex, str, bytes, type(None), type(Ellipsis), np.generic, np.dtype, range)

LIBRARIES_OF_ARRAYS = {
    "torch": "pass a NumPy array, `.detach().cpu().numpy()`; the torch variant is made by jitmagic",
    "jax": "pass a NumPy array, `np.asarray(…)`; the JAX variant is made by jitmagic",
    "jaxlib": "pass a NumPy array, `np.asarray(…)`; the JAX variant is made by jitmagic",
    "cupy": "pass a NumPy array, `cupy.asnumpy(…)`; the CuPy variant is made by jitmagic",
    "pandas": "pass `.to_numpy()`",
    "polars": "pass `.to_numpy()`",
    "xarray": "pass `.to_numpy()`",
}


class _Unknown(Exception):
    """Met while pickling: something that a worker would not find."""

    def __init__(self, thing: Any) -> None:
        super().__init__()
        self.thing = thing


class _Probe(pickle.Pickler):
    """Pickles into nothing, and stops at what is defined in the notebook or script itself."""

    def persistent_id(self, value: Any) -> None:
        if isinstance(value, type | types.FunctionType) and value.__module__ == "__main__":
            raise _Unknown(value)


class _Sink(io.RawIOBase):
    """Takes bytes and keeps none."""

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        return memoryview(data).nbytes


def type_name(value: Any) -> str:
    """Names a value's type as a user would: ``"pandas.Series"`` without the private parts of its module."""
    kind = type(value)
    parts = [part for part in kind.__module__.split(".") if not part.startswith("_")]
    if kind.__module__ in ("builtins", "__main__"):
        return kind.__qualname__
    root = parts[0] if parts else kind.__module__.split(".")[0]
    return f"{root}.{kind.__qualname__}"


def check_argument(value: Any, label: str, line: int | None = None) -> None:
    """Raises :class:`CaptureError` where an argument cannot be sent to a worker, or is no plain NumPy."""
    _check(value, f"the argument `{label}`", label, line, set(), strict=True)


def check_constant(value: Any, label: str, line: int | None = None) -> None:
    """Raises :class:`CaptureError` where a value that the function reads from outside cannot be sent to a worker."""
    _check(value, f"`{label}`, which the function reads from outside,", label, line, set(), strict=False)


def _check(value: Any, where: str, label: str, line: int | None, seen: set[int], *, strict: bool) -> None:
    if isinstance(value, PLAIN) and type(value).__module__ != "__main__":
        return
    if isinstance(value, np.ndarray) and value.dtype != object and type(value) in (np.ndarray, np.memmap):
        return
    reason = _reason(value, strict)
    if reason is not None:
        raise CaptureError(f"{where} cannot be captured: it is {reason}.", line)
    if type(value) in (tuple, list, set, frozenset, dict):
        if id(value) in seen:
            return
        seen.add(id(value))
        pairs = value.items() if isinstance(value, dict) else enumerate(value)
        for key, item in pairs:
            inner = f"{label}[{key!r}]" if not isinstance(value, set | frozenset) else f"an element of {label}"
            if isinstance(value, dict):
                _check(key, f"a key of `{label}`", label, line, seen, strict=strict)
            _check(item, where.replace(f"`{label}`", f"`{inner}`"), inner, line, seen, strict=strict)
        return
    try:
        _Probe(_Sink(), protocol=5).dump(value)
    except _Unknown as error:
        raise CaptureError(f"{where} cannot be captured: {_of_main(value, error.thing)}.", line) from error
    except Exception as error:  # pickling runs the code of any class: what it raises is the reason
        raise CaptureError(
            f"{where} cannot be captured: it is of type {type_name(value)}, and it cannot be sent to a worker process "
            f"({type(error).__name__}: {error}); pass the numbers and arrays in it instead.",
            line,
        ) from error


def _of_main(value: Any, thing: Any) -> str:
    kind = "class" if isinstance(thing, type) else "function"
    told = "it is" if type(value) is thing else f"it is of type {type_name(value)} and holds"
    article = "an object of the" if type(value) is thing else "the"
    return (
        f"{told} {article} {kind} {thing.__qualname__}, which is defined here and which a worker process cannot "
        "import; pass the numbers and arrays in it, or put the class into a file"
    )


def _reason(value: Any, strict: bool) -> str | None:
    """Says what a value is and what to do, for the kinds that are refused by their type."""
    kind = type(value)
    name = type_name(value)
    root = kind.__module__.split(".")[0]
    if isinstance(value, types.FunctionType) and value.__name__ == "<lambda>":
        return "a lambda; give it a name with `def` and call it in the function"
    if isinstance(value, types.FunctionType) or is_compiled(value):
        return f"the function `{value.__name__}` inside another value; pass it as an argument of its own"
    if isinstance(value, types.MethodType):
        return f"the bound method {value.__qualname__}; pass the numbers and arrays of its object"
    if isinstance(value, types.GeneratorType | types.AsyncGeneratorType | types.CoroutineType):
        return f"a {kind.__name__}, which can be used only once; pass np.array(list(…)) or a list"
    if isinstance(value, io.IOBase):
        return f"an open file ({name}); read it first and pass the array"
    if root == "_thread" or kind.__module__ == "threading":
        return f"of type {name}, which belongs to this process alone; take it out of the function"
    if isinstance(value, types.ModuleType):
        return f"the module `{value.__name__}`; import it in the function's file or cell"
    if isinstance(value, np.ndarray) and value.dtype == object:
        return "an array of dtype object, whose elements NumPy hands to Python one by one; give it a numeric dtype"
    if isinstance(value, np.ma.MaskedArray):
        return "a masked array; pass its data and its mask as two arrays (`.data`, `.mask`)"
    if isinstance(value, np.matrix):
        return "a numpy.matrix, whose `*` is a matrix product; pass np.asarray(…)"
    if isinstance(value, np.ndarray) and kind not in (np.ndarray, np.memmap):
        return f"of type {name}, a subclass of ndarray with rules of its own; pass np.asarray(…)"
    if strict and root in LIBRARIES_OF_ARRAYS and hasattr(value, "shape"):
        return f"of type {name}; {LIBRARIES_OF_ARRAYS[root]}"
    if strict and root in LIBRARIES_OF_ARRAYS and root in ("pandas", "polars", "xarray"):
        return f"of type {name}; {LIBRARIES_OF_ARRAYS[root]}"
    return None
