"""`itertools.product` in a loop: a loop for each factor, where they stay what they are."""

import numpy as np
import pytest

from tests.backends.numba.harness import assert_same, drafts, reference, run, workload

RNG = np.random.default_rng(6)


@pytest.mark.parametrize(
    ("loop", "written"),
    [("for i, j in itertools.product(range(n), range(1, m)):\n        s += x[i, j]",
      "for i in range(n):\n        for j in range(1, m):\n            s += x[i, j]"),
     ("for p in itertools.product(range(n), repeat=2):\n        s += x[p]*(p[0] - p[1])",
      "for p0 in range(n):\n        for p1 in range(n):\n            p = (p0, p1)"),
     ("for di, dj in itertools.product((-1, 0, 1), repeat=2):\n        if di == 0 and dj == 0:\n            continue\n"
      "        s += di*x[1, 1 + dj]",
      "for di in (-1, 0, 1):\n        for dj in (-1, 0, 1):")],
)  # fmt: skip
def test_each_factor_is_a_loop(loop, written):
    source = f"import itertools\n\ndef fn(x):\n    n, m = x.shape\n    s = 0.0\n    {loop}\n    return s\n"
    work = workload(source, RNG.random((4, 5)))
    draft = drafts(work)["numba"]
    assert written in draft.module.text
    got, _ = run(work, draft, "product")
    assert_same(got, reference(work)[0], 1e-12)


def test_a_loop_that_ends_early_and_a_factor_that_changes_stay():
    for body in ("if x[i] > 2:\n            break\n        s += x[j]", "n = 3\n        s += x[i]*x[j]"):
        source = (
            "import itertools\n\ndef fn(x):\n    n = len(x)\n    s = 0.0\n"
            f"    for i, j in itertools.product(range(n), range(n)):\n        {body}\n    return s\n"
        )
        found = drafts(workload(source, RNG.random(5)))["numba"]
        assert "product(range(n), range(n))" in found.module.text


@pytest.mark.parametrize(
    ("call", "written"),
    [("sum(x[i]*x[j] for i, j in itertools.combinations(range(n), 2))",
      "for i in range(n - 1) for j in range(i + 1, n)"),
     ("sum([x[i]*x[j] for i, j in itertools.combinations_with_replacement(range(1, n), 2) if x[i] <= x[j]])",
      "for i in range(1, n) for j in range(i, n) if x[i] <= x[j]"),
     ("max(x[i] - x[j] for i, j in itertools.product(range(n), range(2)))", "for i in range(n) for j in range(2)")],
)  # fmt: skip
def test_in_a_comprehension_too(call, written):
    source = f"import itertools\n\ndef fn(x):\n    n = len(x)\n    return {call}\n"
    for size in (5, 3):
        work = workload(source, RNG.random(size))
        draft = drafts(work)["numba"]
        assert written in draft.module.text
        got, _ = run(work, draft, "product")
        assert_same(got, reference(work)[0], 1e-12)


@pytest.mark.parametrize(
    "call",
    ["sum(x[i]*x[j] for i, j in itertools.combinations(range(n), n))",
     "sum(p[0]*p[1] for p in itertools.combinations(range(n), 2))",
     "sum(p*q for p, q in itertools.combinations(x, 2))"],
)  # fmt: skip
def test_other_combinations_stay_in_a_comprehension(call):
    source = f"import itertools\n\ndef fn(x):\n    n = len(x)\n    return {call}\n"
    found = drafts(workload(source, RNG.random(2)))["numba"]
    assert not hasattr(found, "module") or "combinations(" in found.module.text
