"""Rules for derivatives: a trap and a near miss each, and silence where no derivative was asked for."""

import numpy as np
import pytest

from jitmagic.gotchas.context import Derived
from jitmagic.gotchas.registry import blame, find
from tests.gotchas.rules import FIRST_LINE, marked_text
from tests.gotchas.watching import observe, workload_of

X = np.linspace(0.5, 2.0, 6)
N = np.arange(6)
NOT = "not seen with these inputs"
CASES = [
    ("AD-KINK", "def fn(x):\n    return np.sum(np.abs(x))", "np.abs(x)", "def fn(x):\n    return np.sum(x * x)", NOT),
    ("AD-KINK", "def fn(x):\n    y = x * 2\n    return y.clip(0, 1).sum()", "y.clip(0, 1)",
     "def fn(x, z):\n    return np.clip(z, 0, 1).sum() + x.sum()", NOT),
    ("AD-KINK", "def fn(x):\n    if x[0] > 0:\n        return x.sum()\n    return -x.sum()", "x[0] > 0",
     "def fn(x):\n    if len(x) > 0:\n        return x.sum()\n    return -x.sum()", NOT),
    ("AD-FLAT", "def fn(x):\n    return np.sum(np.round(x) * x)", "np.round(x)",
     "def fn(x, z):\n    return np.sum(np.round(z) * x)", "confirmed"),
    ("AD-FLAT", "def fn(x):\n    return x[0] * int(x[1])", "int(x[1])",
     "def fn(x, z):\n    return x[0] * int(z[1])", "confirmed"),
    ("AD-FLAT", "def fn(x):\n    return np.sum(x * x.astype(int))", "x.astype(int)",
     "def fn(x):\n    return np.sum(x * x.astype(float))", "confirmed"),
    ("AD-FLAT", "def fn(x):\n    return x[x.argmax()]", "x.argmax()", "def fn(x):\n    return x[0]", "confirmed"),
    ("AD-WHERE", "def fn(x):\n    return np.where(x > 0, np.log(x), 0.0).sum()", "np.where(x > 0, np.log(x), 0.0)",
     "def fn(x):\n    s = np.where(x > 0, x, 1.0)\n    return np.where(x > 0, np.log(s), 0.0).sum()", NOT),
]  # fmt: skip


BY_X = Derived("x")


def found(source, code, derived=BY_X):
    args = (X, X) if "z" in source.split("\n")[0] else (X,)
    workload = workload_of(source, *args, first_line=FIRST_LINE)
    return [one for one in find(workload, observe(workload, True), derived=derived) if one.code == code]


@pytest.mark.parametrize(("code", "trap", "marked", "miss", "status"), CASES)
def test_a_trap_and_a_near_miss(code, trap, marked, miss, status):
    assert [(marked_text(trap, one), one.status) for one in found(trap, code)] == [(marked, status)]
    assert found(miss, code) == []
    assert found(trap, code, derived=None) == []
    assert all(one.message.endswith(".") and one.fix.endswith(".") for one in found(trap, code))


def test_a_kink_that_was_met_is_confirmed():
    assert [one.status for one in found(CASES[0][1], "AD-KINK", Derived("x", kinks=True))] == ["confirmed"]


def test_a_nan_in_a_derivative_is_blamed_on_the_side_that_was_not_chosen():
    source = next(case[1] for case in CASES if case[0] == "AD-WHERE")
    workload = workload_of(source, X, first_line=FIRST_LINE)
    told = "1 of 6 values differ, most at result[0]: nan where NumPy gives 0"
    for backend in ("jax", "torch"):
        blamed = blame(workload, observe(workload, True), backend, told, "values", derived=Derived("x"))
        assert ("AD-WHERE", "confirmed") in [(one.code, one.status) for one in blamed]
    assert "AD-WHERE" not in [one.code for one in blame(workload, observe(workload, True), "jax", told, "values")]
