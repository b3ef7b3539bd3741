"""Powers of half-integers under Numba: as powers of a square root where the base is proved not to be negative."""

import numpy as np
import pytest

from tests.backends.numba.test_python_forms import agrees, made

X = np.linspace(-2.0, 3.0, 11)


@pytest.mark.parametrize(
    ("body", "line"),
    [
        ("return (x*x + 0.5)**-1.5", "return 1/np.sqrt(x*x + 0.5)**3"),
        ("return x*(x*x + 0.5)**-0.5", "return x*(1/np.sqrt(x*x + 0.5))"),
        (
            "s = 0.0\n    for i in range(len(x)):\n        d = x[i] - 1\n        s += (d*d + 0.1)**1.5\n    return s",
            "s += np.sqrt(d*d + 0.1)**3",
        ),
        ("q = np.abs(x)\n    return np.power(q, 2.5)", "return np.sqrt(q)**5"),
    ],
)
def test_what_is_not_negative_becomes_a_power_of_a_root(body, line):
    work, draft, _ = made(f"def fn(x):\n    {body}\n", X)
    assert line.removeprefix("return ").replace(" ", "") in draft.module.text.replace(" ", "")
    agrees(work, draft)


def test_in_single_precision_no_division_makes_doubles():
    work, draft, _ = made("def fn(x):\n    return (x*x + 0.5)**-1.5\n", X.astype("float32"))
    assert "np.sqrt(x*x + np.float32(0.5))**-3" in draft.module.text
    agrees(work, draft, 1e-6)


@pytest.mark.parametrize(
    "body", ["return (x + 9)**1.5", "return np.exp(x)**1.25", "q = x*x\n    q -= 1\n    return q**2.5"]
)
def test_what_may_be_negative_stays(body):
    work, draft, text = made(f"def fn(x):\n    {body}\n", X)
    assert "sqrt" not in text
    with np.errstate(invalid="ignore"):
        agrees(work, draft)
