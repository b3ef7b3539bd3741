# ruff: noqa: E501 -- a case is a line: its source reads better unbroken.
"""CuPy's traps: each with a function that meets it, the place, and a near miss."""

from __future__ import annotations

import numpy as np
import pytest

from tests.gotchas.rules import Case, check

X = np.linspace(0.5, 2.0, 60)
IDX = np.array([0, 0, 2])

CASES = [
    Case("CP-OOB", "def fn(x):\n    try:\n        return x[99]\n    except LookupError:\n        return 0.0", (X,), "x[99]",
         "def fn(x):\n    return x[-1]", status="possible"),
    Case("CP-DUPSET", "def fn(a, i, v):\n    a[i] = v\n    return a", (X, IDX, X[:3]), "a[i] = v",
         "def fn(a, i, v):\n    a[i] = v\n    return a", miss_args=(X, np.array([2, 0, 1]), X[:3])),
    Case("CP-CAST", "def fn(x):\n    return x.astype('uint8')", (X,), "x.astype('uint8')",
         "def fn(x):\n    return x.astype('float32')", status="possible"),
    Case("CP-RNG", "def fn(n):\n    return np.random.rand(n)", (3,), "np.random.rand(n)", "def fn(n):\n    return np.zeros(n)"),
    Case("CP-LOOP", "def fn(x):\n    for i in range(60):\n        x[i] = x[i] * 2\n    return x", (X,), "i",
         "def fn(x):\n    for i in range(60):\n        x = x * 2\n    return x"),
    Case("CP-0D", "def fn(x):\n    return x * float(x.max())", (X,), "float(x.max())",
         "def fn(x):\n    return x * float(len(x))"),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=str)
def test_trap_and_near_miss(case: Case) -> None:
    check(case)
