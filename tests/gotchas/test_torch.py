# ruff: noqa: E501 -- a case is a line: its source reads better unbroken.
"""PyTorch's traps: each with a function that meets it, the place, and a near miss."""

from __future__ import annotations

import numpy as np
import pytest

from tests.gotchas.rules import Case, check, gotchas

X = np.linspace(0.5, 2.0, 6)
F = X.astype("float32")
N = np.arange(1, 7)
M = np.arange(12.0).reshape(3, 4)

CASES = [
    Case("PT-DEFDTYPE", "def fn(n):\n    return n / n", (N,), "n / n", "def fn(x):\n    return x / x", miss_args=(X,)),
    Case("PT-DEFDTYPE", "def fn(n):\n    return n * 2.5", (N,), "n * 2.5", "def fn(n):\n    return n * 2"),
    Case("PT-DEFDTYPE", "def fn(n):\n    return np.sqrt(n)", (N,), "np.sqrt(n)",
         "def fn(n):\n    return np.sqrt(n.astype(np.float64))"),
    Case("PT-0D", "def fn(x, w):\n    return x - w.mean()", (F, X), "x - w.mean()", "def fn(x, w):\n    return x - w.mean()",
         miss_args=(F, F)),
    Case("PT-STD", "def fn(x):\n    return x.std()", (X,), "x.std()", "def fn(x):\n    return x.std(ddof=1)"),
    Case("PT-MEDIAN", "def fn(x):\n    return np.median(x)", (X,), "np.median(x)", "def fn(x):\n    return np.quantile(x, 0.5)"),
    Case("PT-REPEAT", "def fn(x):\n    return np.repeat(x, 2)", (X,), "np.repeat(x, 2)", "def fn(x):\n    return np.tile(x, 2)"),
    Case("PT-SPLIT", "def fn(x):\n    return np.split(x, 3)[0]", (X,), "np.split(x, 3)",
         "def fn(x, sep):\n    return x * len(sep.split(','))", miss_args=(X, "a,b")),
    Case("PT-SIGNNAN", "def fn(x):\n    return np.sign(x)", (X,), "np.sign(x)", "def fn(n):\n    return np.sign(n)",
         status="not seen with these inputs", miss_args=(N,)),
    Case("PT-NP-RNG", "def fn(rng):\n    return rng.normal(size=3)", (np.random.default_rng(0),), "rng.normal(size=3)",
         "def fn(x):\n    return x", miss_args=(X,)),
    Case("PT-NP-0D", "def fn(x):\n    return np.median(x)", (X,), "np.median(x)", "def fn(x):\n    return np.median(x, axis=0)",
         miss_args=(M,)),
    Case("PT-NEGSTRIDE", "def fn(x):\n    return x[::-1] + 1", (X,), "x[::-1]", "def fn(x):\n    return x[::2] + 1"),
    Case("PT-FLIPVIEW", "def fn(x):\n    y = x[::-1]\n    y[0] = 1.0\n    return x", (X,), "y[0] = 1.0",
         "def fn(x):\n    y = x[::-1].copy()\n    y[0] = 1.0\n    return y"),
    Case("PT-SHARE", "def fn(x):\n    x *= 2\n    return x", (X,), "x *= 2", "def fn(x):\n    x = x * 2\n    return x"),
    Case("PT-OVERLAP", "def fn(a):\n    a[1:] = a[:-1]\n    return a", (X,), "a[1:] = a[:-1]",
         "def fn(a):\n    a[1:] = a[:-1] * 2\n    return a"),
    Case("PT-UINT", "def fn(x):\n    return x", (N.astype("uint32"),), "x", "def fn(x):\n    return x",
         miss_args=(N.astype("uint8"),)),
    Case("PT-MIXED", "def fn(a, b):\n    return a @ b", (F, X), "a @ b", "def fn(a, b):\n    return a @ b", miss_args=(X, X)),
    Case("PT-MIXED", "def fn(x):\n    return np.maximum(x, 0.0)", (X,), "np.maximum(x, 0.0)",
         "def fn(x):\n    return np.maximum(x, x)"),
    Case("PT-DYNUNROLL", "def fn(x):\n    k = 0\n    while k < 60:\n        k += 1\n        x = x * 0.5\n    return x", (X,),
         "k < 60", "def fn(x):\n    for k in range(6):\n        x = x * 0.5\n    return x"),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=str)
def test_trap_and_near_miss(case: Case) -> None:
    check(case)


@pytest.mark.parametrize("code", ["PT-STD", "PT-MEDIAN", "PT-REPEAT", "PT-SPLIT", "PT-SHARE"])
def test_what_the_generator_spells_right_is_handled(code: str) -> None:
    source = "def fn(x):\n    x += x.std() + np.median(x) + np.repeat(x, 1) + np.split(x, 1)[0]\n    return x"
    assert all(g.handled and "variant" in g.message for g in gotchas(source, X) if g.code == code)
    assert code in {g.code for g in gotchas(source, X)}


def test_a_reversed_argument_is_told() -> None:
    (found,) = [g for g in gotchas("def fn(x):\n    return x", X[::-1]) if g.code == "PT-NEGSTRIDE"]
    assert found.status == "confirmed"
