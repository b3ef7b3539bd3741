"""Arrays of other lengths from step to step: refused for Numba's parallel mode, which gives wrong results for them."""

import numpy as np
import pytest

from jitmagic.backends.protocol import Draft, VariantRefusal
from tests.backends.numba.harness import assert_same, drafts, reference, workload
from tests.backends.numba.test_windows import compiled

X = np.random.default_rng(3).standard_normal(64)

CARRIED = {
    "halved": """
        def fn(x):
            a = x.copy()
            for _ in range(3):
                even, odd = a[::2], a[1::2]
                a = (even + odd)/np.sqrt(2)
            return a*2 - a.mean()
    """,
    "sorted out": """
        def fn(x):
            n = -1
            while len(x) != n:
                n = len(x)
                x = x[np.abs(x - x.mean()) <= 1.5*x.std()]
            return x.mean(), n
    """,
}

ANEW = """
def fn(x):
    total = 0.0
    for k in range(2, 40, 3):
        part = x[:k]*2.0 + 1.0
        total += (part*part).sum()
    return total
"""


@pytest.mark.parametrize("name", CARRIED)
def test_what_a_loop_carries_is_refused_with_its_line(name):
    work = workload(CARRIED[name], X)
    found = drafts(work)
    refusal = found["numba-parallel"]
    assert isinstance(refusal, VariantRefusal)
    assert "other lengths from step to step" in refusal.refusal.reason
    assert refusal.refusal.line == 3
    assert_same(compiled(found["numba"], work)(X.copy()), reference(workload(CARRIED[name], X))[0], 1e-12)


def test_what_is_bound_anew_in_each_step_is_not():
    work = workload(ANEW, X)
    draft = drafts(work)["numba-parallel"]
    assert isinstance(draft, Draft)
    assert_same(compiled(draft, work)(X.copy()), reference(workload(ANEW, X))[0], 1e-12)
