"""Public paths of libraries' things, found by identity."""

from __future__ import annotations

import builtins
import importlib
import math
import types
import typing
from typing import Any

import numpy as np
import numpy.typing
import pytest

from jitmagic.capture.decorators import unwrap
from jitmagic.capture.library import is_library_function, public_path

THINGS = [
    "numpy.sqrt",
    "numpy.sum",
    "numpy.linalg.norm",
    "numpy.fft.fft",
    "numpy.random.rand",
    "numpy.random.default_rng",
    "numpy.float32",
    "numpy.newaxis",
    "numpy.mgrid",
    "numpy.lib.stride_tricks.sliding_window_view",
    "numpy.errstate",
    "numpy.add",
    "numpy.vectorize",
    "numpy.einsum",
    "math.exp",
    "cmath.phase",
    "math.prod",
    "numpy.typing.NDArray",
    "typing.Optional",
    "itertools.product",
    "functools.reduce",
    "collections.deque",
    "builtins.max",
    "scipy.special.erf",
    "scipy.special.digamma",
    "scipy.linalg.solve_triangular",
    "scipy.signal.lfilter",
    "scipy.ndimage.gaussian_filter",
    "scipy.integrate.odeint",
    "scipy.stats.norm",
    "scipy.fft.rfft",
]


@pytest.mark.parametrize("path", [each for each in THINGS if each != "numpy.newaxis"])
def test_finds_the_public_path(path: str) -> None:
    parent, _, name = path.rpartition(".")
    pytest.importorskip(parent.partition(".")[0])
    thing = getattr(importlib.import_module(parent), name)
    assert public_path(thing, name) == path
    found = public_path(thing, "renamed")
    assert found is not None
    module, _, attribute = found.rpartition(".")
    assert getattr(importlib.import_module(module), attribute) is thing


@pytest.mark.parametrize(
    ("module", "path"), [(np, "numpy"), (np.linalg, "numpy.linalg"), (importlib.import_module("os.path"), "os.path")]
)
def test_finds_modules(module: Any, path: str) -> None:
    assert public_path(module, "m") == path


def test_what_no_module_holds_has_no_path() -> None:
    assert public_path(np.frompyfunc(abs, 1, 1), "f") is None
    assert public_path(np.random.default_rng(0), "rng") is None
    assert public_path(types.ModuleType("made"), "m") is None


def test_tells_the_users_functions_from_a_librarys() -> None:
    assert is_library_function(np.linalg.norm.__wrapped__)
    assert is_library_function(typing.get_type_hints)
    assert not is_library_function(test_finds_modules)
    user: dict[str, Any] = {"__name__": "__main__"}
    exec("def f(): pass", user)
    assert not is_library_function(user["f"])


def test_a_plain_function_unwraps_to_itself() -> None:
    assert unwrap(test_finds_modules, "f") == (test_finds_modules, ())
    assert public_path(builtins.abs, "abs") == "builtins.abs"
    assert public_path(math, "m") == "math"
