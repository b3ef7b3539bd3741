"""Tells the user's own functions from those of a library, and finds the public path of a library's things.

>>> import numpy, math
>>> public_path(numpy.sqrt, "sqrt"), public_path(math.exp, "exp"), public_path(numpy.linalg.norm, "norm")
('numpy.sqrt', 'math.exp', 'numpy.linalg.norm')
"""

from __future__ import annotations

import builtins
import os
import site
import sys
import sysconfig
import types
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

SEARCHED = (
    "numpy",
    "numpy.linalg",
    "numpy.fft",
    "numpy.random",
    "numpy.lib.stride_tricks",
    "numpy.typing",
    "math",
    "cmath",
    "scipy.special",
)
"""Where a thing is looked for that does not say where it comes from, as ufuncs do not."""

ALWAYS_LIBRARIES = frozenset({"numpy", "scipy", "numba", "jax", "jaxlib", "torch", "cupy", "cupyx"})
"""Libraries even where they are installed from a checkout, outside site-packages."""


@cache
def _library_folders() -> tuple[str, ...]:
    found = {sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")}
    found.update(site.getsitepackages() if hasattr(site, "getsitepackages") else ())
    found.add(site.getusersitepackages() if hasattr(site, "getusersitepackages") else "")
    return tuple(os.path.normcase(os.path.realpath(each)) + os.sep for each in found if each)


@cache
def _is_library_file(filename: str) -> bool:
    path = os.path.normcase(os.path.realpath(filename))
    installed = {"site-packages", "dist-packages"} & set(Path(path).parts)
    return bool(installed) or path.startswith(_library_folders())


def is_library_module(name: str | None) -> bool:
    """Says whether a module is installed or part of Python, and not a file of the user's."""
    if name is None or name == "__main__":
        return False
    root = name.partition(".")[0]
    if root in ALWAYS_LIBRARIES or root in sys.builtin_module_names or root in sys.stdlib_module_names:
        return True
    module = sys.modules.get(name) or sys.modules.get(root)
    file = getattr(module, "__file__", None)
    return file is not None and _is_library_file(file)


def is_library_function(function: types.FunctionType) -> bool:
    """Says whether a Python function was written in an installed library, judged by its code and not by its name tag.

    ``functools.wraps`` gives a wrapper the name and module of what it wraps; its code tells the truth.
    """
    filename = function.__code__.co_filename
    if not filename.startswith("<"):
        return _is_library_file(filename) or is_library_module(function.__globals__.get("__name__"))
    return is_library_module(function.__globals__.get("__name__"))


def is_builtin(value: Any, name: str) -> bool:
    """Says whether a value is Python's own builtin of that name; IPython adds functions of its own to the builtins."""
    return vars(builtins).get(name, _NOTHING) is value and not isinstance(value, types.FunctionType | types.MethodType)


_NOTHING = object()


def public_path(value: Any, name: str) -> str | None:
    """Finds the dotted path under which a library's thing can be imported; the shortest public one.

    Parameters
    ----------
    value : object
        A module, function, ufunc, class, or any object that is an attribute of a library's module.
    name : str
        What it is called where it is used: tried first, since most are not renamed.
    """
    if isinstance(value, types.ModuleType):
        return _module_path(value)
    own = getattr(value, "__name__", None)
    attributes = [each for each in (name, own) if isinstance(each, str)]
    if isinstance(value, type) and "." in value.__qualname__:
        attributes = [name]
    if is_builtin(value, name):
        return f"builtins.{name}"
    if isinstance(own, str) and is_builtin(value, own):
        return f"builtins.{own}"
    modules = list(_candidates(value))
    for module in modules:
        for attribute in attributes:
            if _attribute(module, attribute) is value:
                return f"{module}.{attribute}"
    for module in modules:
        for attribute, each in list(vars(sys.modules[module]).items()):
            if each is value and not attribute.startswith("_"):
                return f"{module}.{attribute}"
    return None


def _module_path(module: types.ModuleType) -> str | None:
    if module is sys.modules.get("os.path"):
        return "os.path"
    name = module.__name__
    if name == "__main__" or sys.modules.get(name) is not module:
        return None
    return name


def _attribute(module: str, attribute: str) -> Any:
    try:
        return getattr(sys.modules[module], attribute, None)
    except Exception:  # a lazy module may run any code, and a failure means only: not there
        return None


def _candidates(value: Any) -> Iterator[str]:
    """Yields modules that are loaded and may hold a thing publicly, the shortest path first, private ones last."""
    origin = getattr(value, "__module__", None)
    if not isinstance(origin, str):
        origin = None
    owner = getattr(value, "__self__", None)
    if origin is None and owner is not None:
        origin = owner.__name__ if isinstance(owner, types.ModuleType) else type(owner).__module__
    if origin is None or not callable(value):
        origin = origin or type(value).__module__
    seen = []
    if origin and origin != "__main__":
        parts = origin.split(".")
        private = next((index for index, each in enumerate(parts) if each.startswith("_")), len(parts))
        public = [".".join(parts[: index + 1]) for index in range(private)]
        seen.extend(public)
        if not public and len(parts) == 1:
            seen.append(origin.lstrip("_"))  # what is written in C says `_functools`
        if origin not in public:
            seen.append(origin)
    if isinstance(value, np.ufunc) or (origin or "").startswith("numpy") or not origin:
        seen[1:1] = [each for each in SEARCHED if each not in seen]
    for each in dict.fromkeys(seen):
        if each in sys.modules and is_library_module(each):
            yield each
