"""Factorials: floats where nobody can tell, else whole numbers as long as they fit, else a refusal."""

import math

import numpy as np
import pytest

from jitmagic.backends.protocol import VariantRefusal
from tests.backends.numba.harness import assert_same, drafts, reference, run, workload

X = np.linspace(0.2, 2.0, 5)

FLOATS = [
    "s = 0.0\n    for k in range(n):\n        s += x[0]**k/math.factorial(k)\n    return s",
    "s = 0.0\n    for k in range(n):\n        s += math.sqrt(math.factorial(k)*math.factorial(k + 1))\n    return s",
    "f = math.factorial\n    s = 0.0\n    for k in range(n):\n        c = f(n)*f(k)\n        s += x[0]/c\n    return s",
    "s = 0.0\n    for k in range(n):\n        s += 1.5*math.factorial(k)\n    return s",
    "y = np.zeros(n)\n    for k in range(n):\n        y[k] = -math.log(math.factorial(k))\n    return y",
]


@pytest.mark.parametrize("body", FLOATS)
def test_a_float_where_only_floats_are_made_of_it(body):
    source = f"def fn(x, n):\n    {body}\n"
    draft = drafts(workload(source, X, 5))["numba"]
    assert "float_factorial" in draft.module.text
    for n in (1, 20, 60, 85):
        work = workload(source, X, n)
        assert_same(run(work, draft, "factorials")[0], reference(work)[0], 1e-12)


def test_whole_numbers_are_exact_or_raise():
    source = "def fn(n):\n    return math.factorial(n)//math.factorial(n - 2) + math.comb(2*n, n)\n"
    draft = drafts(workload(source, 5))["numba"]
    for n in (2, 9, 16):
        work = workload(source, n)
        assert run(work, draft, "factorials")[0] == reference(work)[0]
    for n in (21, 40):
        with pytest.raises(OverflowError, match="64 bits"):
            run(workload(source, n), draft, "factorials")


@pytest.mark.parametrize(("n", "k"), [(0, 0), (5, 0), (5, 6), (30, 15), (61, 30), (10, 9)])
def test_choices(n, k):
    work = workload("def fn(n, k):\n    return math.comb(n, k)\n", n, k)
    assert run(work, drafts(work)["numba"], "choices")[0] == math.comb(n, k)


def test_beyond_the_largest_float_it_raises():
    source = "def fn(n):\n    return 1/math.factorial(n)\n"
    draft = drafts(workload(source, 5))["numba"]
    with pytest.raises(OverflowError, match="large"):
        run(workload(source, 171), draft, "factorials")


def test_a_second_name_of_both_kinds_is_refused_with_its_line():
    source = "def fn(n):\n    f = math.factorial\n    return f(n), 1/f(n)\n"
    draft = drafts(workload(source, 5))["numba"]
    assert isinstance(draft, VariantRefusal)
    assert draft.refusal.reason.startswith("line 2: `f` stands for `math.factorial`")


def test_in_parallel_loops_errors_would_be_lost():
    source = "def fn(x):\n    for i in range(len(x)):\n        x[i] = math.comb(len(x), i)\n    return x\n"
    found = drafts(workload(source, X.copy()))
    assert not isinstance(found["numba"], VariantRefusal)
    assert isinstance(found["numba-parallel"], VariantRefusal)
    assert "line 3" in found["numba-parallel"].refusal.reason
