"""Each refusal: what it says, and the line that it names."""

from __future__ import annotations

import re
import sys
from typing import Any

import numpy as np
import pytest

from jitmagic.capture.function import from_function
from jitmagic.errors import CaptureError

from .support import capture_cell

PRELUDE = """
import functools, io, threading, types
import numpy as np
class Grid:
    def step(self, x):
        return x
    @classmethod
    def make(cls, x):
        return x
grid = Grid()
lock = threading.Lock()
def helper(x):
    return x
"""

FUNCTIONS = [
    ("def fn(x):\n    y = x\n    yield y\n", "fn(1)", 3, "it is a generator (`yield`); fill an array"),
    ("async def fn(x):\n    return x\n", "fn(1)", 1, "it is `async`"),
    ("def fn(x):\n    return 1 + nowhere\n", "fn(1)", 2, "`nowhere` (line 2) is not defined"),
    ("def fn(x):\n    return x\n", "grid.step(1)", None, "it is a method of Grid"),
    ("def fn(x):\n    return x\n", "Grid.step(grid, 1)", None, "it is a method of the class Grid"),
    ("def fn(x):\n    return x\n", "Grid()", None, "it is a class"),
    ("def fn(x):\n    return x\n", "np.sum(1)", None, "`np.sum` cannot be captured: it is NumPy's own"),
    ("def fn(x):\n    return x\n", "np.sin(1)", None, "it is compiled already, and has no Python source"),
    ("def fn(x):\n    return x\n", "len([1])", None, "it is compiled already"),
    ("def fn(x):\n    return x\n", "np.ones(3).sum()", None, "is not the name of a function"),
    ("a = np.ones(3)\ndef fn(x):\n    return x\n", "a.sum()", None, "it is a method of ndarray, and compiled already"),
    ("def fn(x):\n    return x\n", "(lambda x: x)(1)", None, "bind it to a name first"),
    ("@functools.lru_cache\ndef fn(x):\n    return x\n", "fn(1)", 1, "gives stored results from the second call on"),
    ("fn = np.vectorize(helper)\n", "fn(1)", None, "np.vectorize calls the Python function inside once"),
    (
        "def timed(f):\n    @functools.wraps(f)\n    def inner(*a):\n        return f(*a)\n    return inner\n"
        "@timed\ndef fn(x):\n    return x\n",
        "fn(1)",
        6,
        "a decorator puts the wrapper `inner`",
    ),
    (
        "def timed(f):\n    def inner(*a):\n        return f(*a)\n    return inner\n@timed\ndef fn(x):\n    return x\n",
        "fn(1)",
        5,
        "the decorator @timed (line 5) puts another function in its place",
    ),
    (
        "def make():\n    count = 0\n    def fn(x):\n        nonlocal count\n        count += 1\n        return count\n"
        "    return fn\nfn = make()\n",
        "fn(1)",
        4,
        "`nonlocal count` changes a variable of the function around it",
    ),
    ("def fn(x):\n    return Grid\n", "fn(1)", 2, "`Grid` is a class of your own"),
    ("def fn(x):\n    return grid.step(x)\n", "fn(1)", 2, "it is an object of the class Grid, which is defined here"),
    ("def fn(x):\n    with lock:\n        return x\n", "fn(1)", 2, "it is of type _thread.lock"),
    ("fs = [lambda x: x]\ndef fn(x):\n    return fs[0](x)\n", "fn(1)", 3, "`fs[0]`, which the function reads"),
    ("f = functools.partial(helper, 1)\ndef fn(x):\n    return f()\n", "fn(1)", 3, "it is a functools.partial"),
    ("f = grid.step\ndef fn(x):\n    return f(x)\n", "fn(1)", 3, "it is a method of Grid"),
    ("np.twice = lambda x: 2 * x\ndef fn(x):\n    return np.twice(x)\n", "fn(1)", 3, "`np.twice` was replaced"),
    ("def fn(x):\n    np.mine = x\n", "fn(1)", 2, "`np.mine` is assigned, which changes NumPy itself"),
    ("def fn(x):\n    return eval('x')\n", "fn(1)", 2, "`eval` runs text as code"),
    ("def fn(x):\n    return globals()\n", "fn(1)", 2, "`globals` reads or writes names"),
    (
        "def fn(f, n):\n    return fn(f, n - 1) if n else f(n)\n",
        "fn(helper, 2)",
        2,
        "takes the function `f` as an argument and calls itself",
    ),
    ("def fn(f):\n    f = f(1)\n    return f\n", "fn(helper)", 2, "this line binds `f` anew"),
    (
        "exec('def hidden(x): return x')\ndef fn(x):\n    return hidden(x)\n",
        "fn(1)",
        3,
        "`hidden` is a function without source",
    ),
    ("m = types.ModuleType('made')\ndef fn(x):\n    return m\n", "fn(1)", 3, "`m` is a module that cannot be imported"),
    (
        "def make(k):\n    def inner(x):\n        return x * k\n    return inner\na, b = make(1), make(2)\n"
        "def fn(x):\n    return a(x) + b(x)\n",
        "fn(1)",
        3,
        "`k` stands for two things: 1 in `inner`, and 2 in `inner`",
    ),
]


@pytest.mark.parametrize(("source", "call", "line", "message"), FUNCTIONS)
def test_a_function_that_cannot_be_captured(source: str, call: str, line: int | None, message: str) -> None:
    namespace: dict[str, Any] = {"__name__": "__main__"}
    exec(compile(PRELUDE, "<earlier cell>", "exec"), namespace)
    before = dict(vars(np))
    try:
        with pytest.raises(CaptureError, match=re.escape(message)) as caught:
            capture_cell(source, call, namespace)
    finally:
        # what the test put there goes; what NumPy loaded for itself meanwhile (`np.ma`) stays
        for name in set(vars(np)) - set(before):
            if f"numpy.{name}" not in sys.modules:
                delattr(np, name)
    assert caught.value.line == line


def pandas_series() -> Any:
    return pytest.importorskip("pandas").Series([1.0])


def jax_array() -> Any:
    return pytest.importorskip("jax.numpy").ones(2)


def torch_tensor() -> Any:
    return pytest.importorskip("torch").ones(2)


ARGUMENTS = [
    ("x=lock", "the argument `x` cannot be captured: it is of type _thread.lock"),
    ("x=open(__file__)", "the argument `x` cannot be captured: it is an open file (_io.TextIOWrapper); read it first"),
    ("x=(i for i in [])", "the argument `x` cannot be captured: it is a generator, which can be used only once"),
    ("x=[1, lambda v: v]", "the argument `x[1]` cannot be captured: it is a lambda"),
    ("x={'k': (1, lock)}", "the argument `x['k'][1]` cannot be captured"),
    ("x=[helper]", "the argument `x[0]` cannot be captured: it is the function `helper` inside another value"),
    ("x=grid", "the argument `x` cannot be captured: it is an object of the class Grid, which is defined here"),
    ("x=types.SimpleNamespace(g=grid)", "it is of type types.SimpleNamespace and holds the class Grid"),
    ("x=np.array([None, 1])", "an array of dtype object"),
    ("x=np.ma.array([1, 2])", "a masked array; pass its data and its mask"),
    ("x=np.matrix([1, 2])", "a numpy.matrix, whose `*` is a matrix product"),
    ("x=np.rec.array([(1, 2)])", "a subclass of ndarray"),
    ("x=pandas_series()", "it is of type pandas.Series; pass `.to_numpy()`"),
    ("x=jax_array()", "pass a NumPy array, `np.asarray(…)`"),
    ("x=torch_tensor()", "it is of type torch.Tensor; pass a NumPy array"),
    ("x=functools.partial(helper, 1)", "`x` cannot be captured: it is a functools.partial"),
    ("x=1/0", "the argument `1/0` could not be evaluated: ZeroDivisionError: division by zero"),
    ("1, 2", "the call does not fit fn(x=0): too many positional arguments"),
    ("y=2", "the call does not fit fn(x=0): got an unexpected keyword argument 'y'"),
    ("*3", "the argument `*3` cannot be spread"),
    ("**{1: 2}", "the argument `**{1: 2}` cannot be spread"),
    ("**{'x': 1}, **{'x': 2}", "the call gives the argument `x` twice"),
]


@pytest.mark.parametrize(("argument", "message"), ARGUMENTS)
def test_an_argument_that_cannot_be_captured(argument: str, message: str) -> None:
    namespace: dict[str, Any] = {"__name__": "__main__", "__file__": __file__}
    exec(compile(PRELUDE, "<earlier cell>", "exec"), namespace)
    namespace.update(pandas_series=pandas_series, jax_array=jax_array, torch_tensor=torch_tensor)
    cell = f"def fn(x=0):\n    return x if not callable(x) else x()\n\nfn({argument})\n"
    if "partial" in argument:
        cell = cell.replace("callable(x)", "None")
    with pytest.raises(CaptureError, match=re.escape(message)) as caught:
        capture_cell(cell, namespace=namespace)
    assert caught.value.line in (2, 4)


def test_the_exception_of_an_argument_is_the_cause() -> None:
    with pytest.raises(CaptureError) as caught:
        capture_cell("def fn(x):\n    return x\nfn({}['a'])\n")
    assert isinstance(caught.value.__cause__, KeyError)


def test_missing_variables_are_named_with_an_example() -> None:
    with pytest.raises(CaptureError, match=r"no variable `y` to call it with: .*fn\(x, y=…\), or define `y`") as caught:
        capture_cell("x = 1\ndef fn(x, y, z=3):\n    return x\n")
    assert caught.value.line == 2


def test_a_lambda_alone_is_captured_under_a_plain_name() -> None:
    assert from_function(lambda x: x + 1, (2,), {}).function.source == "def fn(x):\n    return x + 1\n"


def test_numba_s_elementwise_kernels_are_refused() -> None:
    pytest.importorskip("numba")
    with pytest.raises(CaptureError, match="numba DUFunc, which stands for more than the function inside it"):
        capture_cell("import numba\n@numba.vectorize\ndef fn(x):\n    return x\nfn(1.0)\n")
