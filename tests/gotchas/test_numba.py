# ruff: noqa: E501 -- a case is a line: its source reads better unbroken.
"""Numba's traps: each with a function that meets it, the place, and a near miss."""

from __future__ import annotations

import numpy as np
import pytest

from jitmagic.gotchas.registry import blame
from tests.gotchas.rules import Case, check, gotchas
from tests.gotchas.watching import observe, workload_of

X = np.linspace(0.5, 2.0, 6)
F = X.astype("float32")
M = np.arange(12.0).reshape(3, 4)
U = np.array([1, 2, 250], dtype="uint8")

CASES = [
    Case("NB-OVERLAP", "def fn(a):\n    a[1:] += a[:-1]\n    return a", (X,), "a[1:] += a[:-1]",
         "def fn(a):\n    a[1:] += a[:-1].copy()\n    return a"),
    Case("NB-OVERLAP", "def fn(a):\n    v = a[:-1]\n    np.add(a[1:], v[:], out=a[1:])\n    return a", (X,),
         "np.add(a[1:], v[:], out=a[1:])", "def fn(a, b):\n    np.add(a[1:], b[:-1], out=a[1:])\n    return a",
         miss_args=(X, X)),
    Case("NB-OVERLAP", "def fn(a):\n    a -= a[0]\n    return a", (M,), "a -= a[0]", "def fn(a):\n    a -= a[0]\n    return a",
         miss_args=(X,)),
    Case("NB-OVERLAP", "def fn(a):\n    a[1:] += 2 * a[:-1]\n    return a", (X,), "a[1:] += 2 * a[:-1]",
         "def fn(a):\n    a[0::2] += a[1::2]\n    return a", status="possible"),
    Case("NB-INPLACESHAPE", "def fn(a, b):\n    a[1:] += b[:5] * 2\n    return a", (X, X), "a[1:] += b[:5] * 2",
         "def fn(a, b):\n    a[1:] = a[1:] + b[:5] * 2\n    a[1:] += b[1:].sum()\n    return a",
         status="not seen with these inputs"),
    Case("NB-OVERLAP-PAR", "def fn(a):\n    a[1:] = a[:-1]\n    return a", (X,), "a[1:] = a[:-1]",
         "def fn(a):\n    a[1:-1] = 0.5 * (a[:-2] + a[2:])\n    return a", status="possible"),
    Case("NB-NEP50", "def fn(x):\n    return x * 2.0", (F,), "x * 2.0", "def fn(x):\n    return x * 2"),
    Case("NB-NEP50", "def fn(x, a):\n    return np.maximum(x, a)", (F, 0.0), "np.maximum(x, a)",
         "def fn(x, a):\n    return np.maximum(x, a)", miss_args=(F, np.float32(0))),
    Case("NB-NEP50", "def fn(x):\n    return x + 1", (U,), "x + 1", "def fn(x):\n    return x + 1", miss_args=(X,)),
    Case("NB-INTWIDE", "def fn(x):\n    return x[0] - x[1]", (U,), "x[0] - x[1]", "def fn(x):\n    return x[0] - x[1]",
         miss_args=(np.arange(3),)),
    Case("NB-INTWIDE", "def fn(x):\n    return x[1] - x[0]", (U,), "x[1] - x[0]", "def fn(x):\n    return x[1:] - x[:-1]",
         status="not seen with these inputs"),
    Case("NB-F32SUM", "def fn(x):\n    return x.mean()", (np.ones(200_000, "float32"),), "x.mean()",
         "def fn(x):\n    return x.sum(dtype=np.float64)", status="possible"),
    Case("NB-F32SUM", "def fn(x):\n    return np.std(x)", (np.ones(200_000, "float32"),), "np.std(x)",
         "def fn(x):\n    return np.sum(x, axis=0)", status="possible", miss_args=(np.ones((100, 2000), "float32"),)),
    Case("NB-GLOBALS", "def fn(x):\n    return x @ weights", (X,), "weights", "def fn(x):\n    return x * G",
         status="possible", constants={"weights": X, "G": 9.81}),
    Case("NB-INTWRAP", "def fn(n):\n    p = 1\n    for i in range(1, n):\n        p = p * i\n    return p * 1.0", (30,),
         "p * i", "def fn(n):\n    p = 1.0\n    for i in range(1, n):\n        p = p * i\n    return p"),
    Case("NB-DIV0", "def fn(x):\n    s = 0.0\n    for i in range(1, 6):\n        s += x[i] / x[i - 1]\n    return s", (X,),
         "x[i] / x[i - 1]", "def fn(x):\n    s = 0.0\n    for i in range(6):\n        s += x[i] / len(x)\n    return s",
         status="not seen with these inputs"),
    Case("NB-SEED", "def fn(n):\n    return np.random.rand(n)", (3,), "np.random.rand(n)",
         "def fn(rng, n):\n    return rng.random(n)", miss_args=(np.random.default_rng(0), 3)),
    Case("NB-NAN-PAR", "def fn(x):\n    return np.max(x)", (X,), "np.max(x)", "def fn(x):\n    return np.max(x)",
         status="not seen with these inputs", miss_args=(U,)),
    Case("NB-NAN-PAR", "def fn(x):\n    return x.argmin()", (np.array([1.0, np.nan]),), "x.argmin()",
         "def fn(x):\n    return np.argmin(x, axis=0)", status="possible", miss_args=(M,)),
    Case("NB-RET", "def fn(x):\n    return x[0]", (F,), "return x[0]", "def fn(x):\n    return x[0]", miss_args=(X,)),
    Case("NB-OOB", "def fn(x):\n    return x[6]", (X,), "x[6]", "def fn(x):\n    return x[5]"),
    Case("NB-INTNEGPOW", "def fn(n):\n    s = n ** -1\n    return s", (np.array([1, 2]),), "n ** -1",
         "def fn(n):\n    return n ** -1", miss_args=(X,)),
    Case("NB-AXIS", "def fn(x):\n    return x.mean(axis=0)", (M,), "x.mean(axis=0)", "def fn(x):\n    return x.sum(axis=0)"),
    Case("NB-AXIS", "def fn(x):\n    return np.std(x, 0)", (M,), "np.std(x, 0)", "def fn(x):\n    return np.cumsum(x, 0)"),
    Case("NB-AXIS", "def fn(x):\n    return np.sum(x, axis=1, keepdims=True)", (M,), "np.sum(x, axis=1, keepdims=True)",
         "def fn(x):\n    return np.round(x, 2)"),
    Case("NB-NOFUNC", "def fn(x):\n    return np.einsum('ij->j', x)", (M,), "np.einsum('ij->j', x)",
         "def fn(x):\n    return np.float32(2) * np.hypot(x, x) + np.linalg.norm(x)"),
    Case("NB-NOFUNC", "def fn(x):\n    return x.swapaxes(0, 1)", (M,), "x.swapaxes(0, 1)", "def fn(x):\n    return x.T.copy()"),
    Case("NB-CONCAT", "def fn(x):\n    return np.concatenate([x, x])", (X,), "np.concatenate([x, x])",
         "def fn(x):\n    return np.concatenate((x, x)) + np.array([1.0, 2.0])[0]"),
    Case("NB-REFLIST", "def fn(x):\n    return x[0]", ([1.0, 2.0],), "x", "def fn(x):\n    return x[0]", miss_args=(X,)),
    Case("NB-DTYPE", "def fn(x):\n    return x", (X.astype("float16"),), "x", "def fn(x):\n    return x", miss_args=(F,)),
    Case("NB-SYNTAX", "def fn(x):\n    with np.errstate(all='ignore'):\n        return 1 / x", (X,),
         "with np.errstate(all='ignore'):\n        return 1 / x", "def fn(x):\n    return [v for v in x]"),
    Case("NB-SYNTAX", "def fn(x):\n    return sum(v for v in x)", (X,), "(v for v in x)",
         "def fn(x):\n    try:\n        return x[0]\n    except Exception:\n        return 0.0"),
    Case("NB-CALLS", "def fn(x):\n    return scipy.special.erf(x)", (X,), "scipy.special.erf(x)",
         "def half(x):\n    return x / 2\n\n\ndef fn(x):\n    return half(x) * math.erf(0.5)"),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=str)
def test_trap_and_near_miss(case: Case) -> None:
    check(case)


def test_a_red_black_update_does_not_overlap() -> None:
    source = "def fn(a):\n    a[1:-1:2] += a[0:-2:2]\n    a[:, 0] += a[:, 1]\n    a[:3] += a[3:6]\n    return a"
    assert not [g for g in gotchas(source, np.ones((7, 7))) if g.code.startswith("NB-OVERLAP")]


def test_the_last_element_and_the_last_but_one_do_not_overlap() -> None:
    source = "def fn(a):\n    a[:, -1] = a[:, -2]\n    return a"
    assert not [g for g in gotchas(source, M) if g.code.startswith("NB-OVERLAP")]


LOOPS = "def fn(a):\n    n = len(a)\n    for k in range({0}, n):\n        for i in range({1}):\n            {2}\n    return a"


@pytest.mark.parametrize(
    ("start", "inner", "store"),
    [(0, "k + 1, n", "a[i, k:] -= a[i, k] * a[k, k:]"), (0, "k", "a[i, k:] -= a[i, k] * a[k, k:]")],
)
def test_rows_of_two_loops_of_which_one_begins_behind_the_other_do_not_overlap(
    start: int, inner: str, store: str
) -> None:
    found = gotchas(LOOPS.format(start, inner, store), np.ones((4, 4)))
    assert not [g for g in found if g.code.startswith("NB-OVERLAP")]


@pytest.mark.parametrize(
    ("start", "inner", "store"),
    [
        (0, "k, n", "a[i, k:] -= a[i, k] * a[k, k:]"),  # the row itself
        (0, "k + 1", "a[i, k:] -= a[i, k] * a[k, k:]"),
        (-2, "k + 1, n", "a[i, 1:] -= a[i, 0] * a[k, 1:]"),  # the last row is row -1 too
        (0, "k + 1, n", "k = i; a[i, k:] -= a[i, k] * a[k, k:]"),
    ],
)
def test_rows_of_two_loops_that_may_meet_overlap(start: int, inner: str, store: str) -> None:
    found = gotchas(LOOPS.format(start, inner, store), np.ones((4, 4)))
    assert [g.code for g in found if g.code == "NB-OVERLAP"]


def test_the_division_by_zero_is_handled() -> None:
    source = "def fn(x):\n    s = 0.0\n    for v in x:\n        s += 1.0 / v\n    return s"
    (found,) = [g for g in gotchas(source, X) if g.code == "NB-DIV0"]
    assert found.handled


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("NumPy raises ValueError: non-broadcastable output operand with shape (1,), and this gives numbers", True),
        ("NumPy raises IndexError: index 9 is out of bounds, and this gives numbers", False),
    ],
)
def test_an_update_is_blamed_where_numpy_s_error_was_that_of_shapes(text: str, named: bool) -> None:
    workload = workload_of("def fn(a, b, k):\n    a[k:] += b[:5]\n    return a", X, X, 1)
    found = blame(workload, observe(workload), "numba", text, "exception", probe="negative integers")
    assert ("NB-INPLACESHAPE" in [one.code for one in found if one.status == "confirmed"]) == named
