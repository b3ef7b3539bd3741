"""Matrices written out, functions that make them, and what is spread into their arguments."""

import numpy as np
import pytest

from jitmagic.backends.protocol import Draft
from tests.backends.numba.harness import assert_same, drafts, reference, run, workload

RNG = np.random.default_rng(2)
A = RNG.normal(size=(5, 5))

CASES = {
    "rows of whole numbers and of floats": (
        "def turn(a):\n    c, s = np.cos(a), np.sin(a)\n    return np.array([[c, -s, 0], [s, c, 0], [0, 0, -1]])\n"
        "return turn(x[0, 0]) @ x[:3, :3]",
        "[0.0, 0.0, -1.0]",
    ),
    "a whole number with a name": ("return np.array([[1.5, x[0, 0]], [n, 0]])", "[float(n), 0.0]"),
    "values spread into arguments": (
        "def ray(a, b, c):\n    return np.array([a*b, b*c, c])\nreturn ray(*x[0, :3]) + ray(*x[1, :3])",
        "ray(*elements(x[0, :3]))",
    ),
    "a computed count of points": (
        "u, v = np.mgrid[0:1:n*1j, -1:1:complex(n)]\nreturn u*v",
        "grids(np.linspace(0, 1, n), np.linspace(-1, 1, n))",
    ),
    "complex eigenvalues of a real matrix": ("return np.sort(np.abs(np.linalg.eigvals(x)))", "eigvals_in_python(x)"),
}


@pytest.mark.parametrize("name", CASES)
def test_what_numba_does_not_type_by_itself(name):
    body, wanted = CASES[name]
    source = "def fn(x, n):\n" + "\n".join(f"    {line}" for line in body.splitlines()) + "\n"
    work = workload(source, A, 4)
    draft = drafts(work)["numba"]
    assert isinstance(draft, Draft), draft
    assert wanted in draft.module.text
    got, _ = run(work, draft, name)
    assert_same(got, reference(work)[0], 1e-10)


def test_another_number_of_values_raises_as_in_python():
    source = "def fn(x):\n    def ray(a, b):\n        return a*b\n    return ray(*x) + ray(*x)\n"
    draft = drafts(workload(source, A[0, :2]))["numba"]
    with pytest.raises(TypeError):
        run(workload(source, A[0]), draft, "spread")


def test_masked_arrays_are_refused_with_what_to_write():
    source = "def fn(x):\n    m = np.ma.masked_where(x > 0.5, x)\n    return float(m.mean())\n"
    refused = drafts(workload(source, A))["numba"]
    assert refused.refusal.reason.startswith("line 2 calls `np.ma.masked_where`, and Numba has no masked arrays")
