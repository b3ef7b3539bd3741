"""`zip(..., strict=True)` under Numba: a test of the lengths before the loop."""

import numpy as np
import pytest

from jitmagic.backends.protocol import VariantRefusal
from tests.backends.numba.harness import drafts, workload
from tests.backends.numba.test_regions import call
from tests.backends.numba.test_windows import check

W, X = np.array([0.5, 2.0, 3.0]), np.arange(12.0).reshape(3, 4)

WEIGHTED = """
def fn(out, weights, *arrays):
    # the sum of all, each with its weight
    for w, a in zip(weights, arrays, strict=True):
        out += w*a
"""


def test_the_lengths_are_compared_before_the_loop():
    text = check(WEIGHTED, (np.zeros(4), W, X[0], X[1], X[2]))
    assert "if len(arrays) != len(weights):" in text
    work = workload(WEIGHTED, np.zeros(4), W, X[0], X[1], X[2])
    with pytest.raises(ValueError, match="different lengths"):
        call(work, drafts(work)["numba"], (np.zeros(4), W[:2], X[0], X[1], X[2]))


@pytest.mark.parametrize("strict", [True, False])
def test_inside_enumerate(strict):
    source = f"""
def fn(x, y):
    total = 0.0
    for k, (a, b) in enumerate(zip(x, y, strict={strict})):
        total += k*a*b
    return total
"""
    text = check(source, (W, W[::-1].copy()))
    assert "strict=" not in text
    assert ("if len(y)" in text) is strict


def test_elsewhere_it_is_refused():
    source = """
def fn(x, y):
    return sum([a*b for a, b in zip(x, y, strict=True)])
"""
    draft = drafts(workload(source, W, W))["numba"]
    assert isinstance(draft, VariantRefusal)
    assert "line 2" in draft.refusal.reason
    assert "strict" in draft.refusal.reason
