"""The table of NumPy's views and writers, held against NumPy: what shares memory or writes when it runs is listed."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from jitmagic.analysis import memory
from jitmagic.analysis.aliases import Aliases
from jitmagic.analysis.names import Names
from jitmagic.analysis.tree import SourceTree

ARRAYS = {
    "matrix": np.arange(9.0).reshape(3, 3),
    "integers": np.arange(9).reshape(3, 3),
    "vector": np.arange(6.0),
    "complex": np.arange(9.0).reshape(3, 3) + 1j,
    "bool": np.ones((3, 3), bool),
    "one": np.ones(1),
    "empty": np.zeros(0),
}
CALLS = ["{f}(a)", "{f}(a, 0)", "{f}(a, 1)", "{f}(a, -1)", "{f}(a, 0, 1)", "{f}(a, (3, 3))", "{f}([a])", "{f}(1, a)",
         "{f}('ij->ji', a)", "{f}('ii->i', a)", "{f}(a, bins=a)", "{f}(a, a)", "{f}(a, 1, a)"]  # fmt: skip
FILES = {"save", "savez", "savez_compressed", "savetxt", "load", "loadtxt", "genfromtxt", "fromfile", "memmap",
         "test", "show_config", "show_runtime", "info", "tofile", "dump"}  # fmt: skip
FUNCTIONS = sorted(
    [name for name in dir(np) if callable(getattr(np, name)) and not name.startswith("_") and name not in FILES]
    + [f"linalg.{name}" for name in np.linalg.__all__ if callable(getattr(np.linalg, name))]
    + [f"fft.{name}" for name in np.fft.__all__ if callable(getattr(np.fft, name))]
    + ["lib.stride_tricks.as_strided", "lib.stride_tricks.sliding_window_view"]
)
METHODS = sorted(
    name
    for name in dir(np.ndarray)
    if not name.startswith("_") and name not in FILES and callable(getattr(np.ndarray, name))
)
METHOD_CALLS = ["a.{f}()", "a.{f}(0)", "a.{f}(0, 1)", "a.{f}((3, 3))", "a.{f}(float)", "a.{f}(float, copy=False)",
                "a.{f}(0, None, a)", "a.{f}(a)"]  # fmt: skip


def shares(value: Any, array: np.ndarray[Any, Any]) -> bool:
    if isinstance(value, np.ndarray):
        return np.shares_memory(value, array)
    return isinstance(value, list | tuple) and any(shares(part, array) for part in value)


def watched(templates: list[str], name: str) -> Iterator[tuple[str, np.ndarray[Any, Any], Any]]:
    for template in templates:
        expression = template.format(f=f"np.{name}" if template.startswith("{f}") else name)
        for original in ARRAYS.values():
            a = original.copy()
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    value = eval(expression, {"np": np, "a": a})
            except Exception:  # not a call that this function takes
                continue
            yield expression, a, value


def is_reported(expression: str) -> bool:
    tree = SourceTree(f"def fn(a):\n    v = {expression}\n    return v\n", "fn")
    return "a" in Aliases(tree, Names(tree, {"np": "numpy"})).roots(tree.entry, "v")


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_that_returns_memory_of_its_argument_is_listed(name: str) -> None:
    for expression, a, value in watched(CALLS, name):
        if shares(value, a):
            assert is_reported(expression), expression


@pytest.mark.parametrize("name", METHODS)
def test_a_method_that_returns_memory_of_its_array_is_listed(name: str) -> None:
    for expression, a, value in watched(METHOD_CALLS, name):
        if shares(value, a):
            assert is_reported(expression), expression


@pytest.mark.parametrize("name", METHODS)
def test_a_method_that_changes_its_array_is_listed(name: str) -> None:
    for original in ARRAYS.values():
        a = original[::-1].copy()
        for arguments in ((), (0,), (0, 1), (float,)):
            before = a.copy()
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    getattr(a, name)(*arguments)
            except Exception:  # not a call that this method takes
                continue
            if a.shape != before.shape or not np.array_equal(a, before):
                assert name in memory.WRITING_METHODS, name


def test_the_sharing_above_was_seen() -> None:
    """The tests above would pass on a NumPy that never shares: it does."""
    assert any(shares(value, a) for _, a, value in watched(CALLS, "ravel"))
    assert any(shares(value, a) for _, a, value in watched(CALLS, "add"))
    assert any(shares(value, a) for _, a, value in watched(METHOD_CALLS, "conj"))


@pytest.mark.parametrize(
    ("call", "outputs"),
    [
        ("np.add(x, y, a)", ["a"]),
        ("np.add(x, y)", []),
        ("np.cumsum(x, 0, None, a)", ["a"]),
        ("np.divmod(x, y, out=(a, b))", ["a", "b"]),
        ("np.dot(x, y, a)", ["a"]),
        ("np.linalg.norm(x, 2, 0)", []),
        ("x.cumsum(0, None, a)", ["a"]),
        ("x.reshape(3, 3, 3)", []),
    ],
)
def test_outputs(call: str, outputs: list[str]) -> None:
    tree = SourceTree(f"def fn(x, y, a, b):\n    {call}\n", "fn")
    node = tree.entry.body[0].value  # type: ignore[attr-defined]
    found = memory.outputs_of(node, Names(tree, {"np": "numpy"}).path(node.func))
    assert [output.id for output in found if isinstance(output, ast.Name)] == outputs
