# ruff: noqa: E501 -- the sources are a line each.
"""Rules of parallel loops, of Numba's reading of Python, of XLA and of PyTorch's forms: a trap and a near miss each."""

from __future__ import annotations

import numpy as np
import pytest

from tests.gotchas.rules import Case, check, gotchas

X = np.linspace(0.5, 2.0, 6)
N = np.arange(1, 7)
M = np.arange(12.0).reshape(3, 4)
NOT = "not seen with these inputs"

CASES = [
    Case("NB-RACE-ELEM", "def fn(h, idx):\n    for i in range(len(idx)):\n        h[idx[i]] += 1.0\n    return h",
         (X, N - 1), "h[idx[i]] += 1.0",
         "def fn(h, idx):\n    for i in range(len(idx)):\n        h[i] += idx[i]\n    return h"),
    Case("NB-RACE-SCALAR", "def fn(a):\n    m = a[0]\n    for i in range(len(a)):\n        if a[i] > m:\n            m = a[i]\n    return m",
         (X,), "m = a[i]", "def fn(a):\n    m = a[0]\n    for i in range(len(a)):\n        m = max(m, a[i])\n    return m"),
    Case("NB-CARRY", "def fn(u):\n    for i in range(1, len(u)):\n        u[i] = u[i - 1] + 1.0\n    return u", (X,), "u[i - 1]",
         "def fn(u, v):\n    for i in range(1, len(u)):\n        u[i] = v[i - 1] + 1.0\n    return u", miss_args=(X, X)),
    Case("NB-NEGIDX-PAR", "def fn(a):\n    b = a * 1.0\n    for i in range(1, len(a)):\n        b[i] = a[-i]\n    return b", (X,),
         "-i", "def fn(a):\n    b = a * 1.0\n    for i in range(1, len(a)):\n        b[i] = a[len(a) - i]\n    return b"),
    Case("NB-UINT-FLOAT", "def fn(x):\n    h = x[0] + 1\n    return h", (N.astype(np.uint64),), "x[0] + 1",
         "def fn(x):\n    h = x[0] + np.uint64(1)\n    return h"),
    Case("NB-PRANGE-LIST", "def fn(x):\n    out = []\n    for i in range(len(x)):\n        out.append(x[i])\n    return np.array(out)",
         (X,), "out.append(x[i])",
         "def fn(x):\n    out = np.zeros(len(x))\n    for i in range(len(x)):\n        out[i] = x[i]\n    return out"),
    Case("NB-PRANGE-EXIT", "def fn(x):\n    for i in range(len(x)):\n        if x[i] > 9:\n            break\n    return x", (X,), "break",
         "def fn(x):\n    for i in range(len(x)):\n        x[i] = 0.0\n    return x", status=NOT),
    Case("NB-PAR-BROADCAST", "def fn(a, b):\n    return a[:, None] + b", (X, X), "a[:, None] + b",
         "def fn(a, b):\n    return a + b"),
    Case("NB-PAR-LENGTHS", "def fn(a):\n    for _ in range(2):\n        a = a[::2] + a[1::2]\n    return a", (np.arange(8.0),),
         "a = a[::2] + a[1::2]", "def fn(a):\n    for k in range(3, 5):\n        b = a[:k]\n        a = a + b.sum()\n    return a"),
    Case("NB-ZEROINIT", "def fn(x, n):\n    for i in range(n):\n        last = x[i]\n    return last", (X, 3), "last",
         "def fn(x, n):\n    last = 0.0\n    for i in range(n):\n        last = x[i]\n    return last", status=NOT),
    Case("NB-ZEROINIT", "def fn(x):\n    if x[0] > 0:\n        y = x\n    return y", (X,), "y",
         "def fn(x):\n    if x[0] > 0:\n        y = x\n    else:\n        raise ValueError\n    return y", status=NOT),
    Case("NB-BITNOT", "def fn(x, k):\n    return x * (~k)", (X, True), "~k", "def fn(x, k):\n    return x * (not k)"),
    Case("NB-F32LINALG", "def fn(a):\n    return np.linalg.inv(a)", (np.array([[2, 1], [1, 3]]),), "np.linalg.inv(a)",
         "def fn(a):\n    return np.linalg.inv(a)", miss_args=(np.eye(2),)),
    Case("NB-EXC", "def fn(x):\n    try:\n        y = x[1]\n    except IndexError:\n        y = 0.0\n    return y", (X,),
         "except IndexError:\n        y = 0.0",
         "def fn(x):\n    try:\n        y = x[1]\n    except Exception:\n        y = 0.0\n    return y"),
    Case("NB-UNIFY", "def fn(x):\n    if x.size == 0:\n        return None\n    return x.max()", (X,), "return None",
         "def fn(x):\n    if x.size == 0:\n        return 0.0\n    return x.max()", status=NOT),
    Case("NB-HETERO", "def fn(x):\n    p = [2, 'a']\n    return x * p[0]", (X,), "[2, 'a']", "def fn(x):\n    p = [2, 3]\n    return x * p[0]"),
    Case("JX-MINMAX", "def fn(x):\n    return min(x[0], x[1])", (X,), "min(x[0], x[1])",
         "def fn(x):\n    return x * min(len(x), 3)", status=NOT),
    Case("JX-INTDIV0", "def fn(a, b):\n    return a // b", (N, N), "a // b", "def fn(a, b):\n    return a // 2", status=NOT),
    Case("JX-XLAALG", "def fn(x):\n    return np.log(np.exp(x))", (X,), "np.log(np.exp(x))",
         "def fn(x):\n    return np.log(x)", status=NOT),
    Case("JX-NANARG", "def fn(x):\n    return np.nanargmax(x)", (X,), "np.nanargmax(x)",
         "def fn(x):\n    return np.argmax(x)", status=NOT),
    Case("JX-EMPTY", "def fn(x):\n    y = np.empty(6)\n    y[:] = x\n    return y", (X,), "np.empty(6)",
         "def fn(x):\n    y = np.zeros(6)\n    y[:] = x\n    return y", status=NOT),
    Case("JX-CARRY", "def fn(x):\n    s = 0\n    for i in range(6):\n        s += x[i]\n    return s", (X,), "s += x[i]",
         "def fn(x):\n    s = 0.0\n    for i in range(6):\n        s += x[i]\n    return s"),
    Case("JX-VECINDEX", "def fn(x, k):\n    s = 0.0\n    for i in range(6):\n        s += x[k[i]]\n    return s", (X, N - 1), "x[k[i]]",
         "def fn(x, k):\n    s = 0.0\n    for i in range(6):\n        s += x[i]\n    return s", status=NOT),
    Case("JX-ORDER", "def fn(x):\n    return np.asfortranarray(x)", (M,), "np.asfortranarray(x)", "def fn(x):\n    return x.T"),
    Case("JX-NEWFORMS", "def fn(x):\n    return np.clip(x, a_min=0, a_max=1)", (X,), "np.clip(x, a_min=0, a_max=1)",
         "def fn(x):\n    return np.clip(x, 0, 1)"),
    Case("JX-BIGCONST", "def fn(x):\n    return x + big[:6]", (X,), "big", "def fn(x):\n    return x + 1",
         constants={"big": np.zeros(300_000)}),
    Case("PT-TUPLE", "def fn(x):\n    return x.max(axis=0)", (M,), "x.max(axis=0)", "def fn(x):\n    return x.max()"),
    Case("PT-SIZE", "def fn(x):\n    return x / x.size", (X,), "x.size", "def fn(x):\n    return x / len(x)"),
    Case("PT-INT0", "def fn(a, b):\n    return a // b", (N, N), "a // b", "def fn(a, b):\n    return a / b", status=NOT),
    Case("PT-SORT", "def fn(x):\n    return np.argsort(x)", (X,), "np.argsort(x)", "def fn(x):\n    return np.sort(x)", status=NOT),
    Case("PT-UNIQUE", "def fn(x):\n    return np.unique(x, return_index=True)", (X,), "np.unique(x, return_index=True)",
         "def fn(x):\n    return np.unique(x)"),
    Case("PT-INDEXLIST", "def fn(x):\n    return x[[0, 1]]", (X,), "x[[0, 1]]", "def fn(x):\n    return x[0:2]"),
    Case("PT-NP-TRIL", "def fn(a):\n    return a[np.tril_indices(3)]", (M,), "np.tril_indices(3)", "def fn(a):\n    return np.tril(a)"),
    Case("PT-DYNBREAK", "def fn(x):\n    print(x)\n    return x", (X,), "print(x)", "def fn(x):\n    return x + 1"),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=str)
def test_trap_and_near_miss(case: Case) -> None:
    check(case)


def test_axes_of_one_length_are_named_where_loops_run_over_them() -> None:
    source = "def fn(a, b):\n    s = 0.0\n    for i in range(len(b)):\n        s += a[i] * b[i]\n    return s"
    assert [g.status for g in gotchas(source, X, X) if g.code == "JX-EQUALAXES"] == [NOT]
    assert [g for g in gotchas(source, X, X[:5]) if g.code == "JX-EQUALAXES"] == []
