"""`itertools.accumulate` as a loop, and what of it stays."""

import numpy as np
import pytest

from tests.backends.numba.harness import IMPORTS, drafts, observed, reference, run, workload

MORE = "from itertools import accumulate\nimport operator\n" + IMPORTS
X = np.array([1.5, -2.0, 3.0, 3.0, 0.25])

CALLS = [
    "list(accumulate(x))",
    "list(accumulate(x, max))",
    "list(accumulate(x, min, initial=0.5))",
    "list(accumulate(x, operator.mul))",
    "list(accumulate(x, lambda s, v: 0.5*s + v))",
    "list(accumulate(x, np.hypot, initial=1.0))",
    "[v + 1.0 for v in accumulate(x)]",
]


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("x", [X, X[:1], np.array([2, -1, 5]), np.array([0.5, np.nan, 2.0])], ids=range(4))
def test_all_values_are_those_of_the_loop(call, x):
    source = f"def fn(x):\n    return np.array({call})\n"
    work = workload(source, X, imports=MORE)
    draft = drafts(work)["numba"]
    assert "accumulate(" not in draft.module.text.replace("# accumulate(", "")
    given = workload(source, x, imports=MORE)
    np.testing.assert_array_equal(run(given, draft, "numba")[0], reference(given)[0])


@pytest.mark.parametrize(
    ("call", "x"),
    [("accumulate(x)", np.array([True, True])), ("accumulate(x)", np.array([200, 100], dtype=np.uint8)),
     ("accumulate(x, f)", X), ("accumulate(x, np.add)", X.reshape(5, 1))],
)  # fmt: skip
def test_what_numba_would_compute_otherwise_stays(call, x):
    source = f"def fn(x):\n    t = 2.0\n    f = lambda a, b: a + t*b\n    return np.array(list({call}))\n"
    work = workload(source, x, imports=MORE)
    assert observed(work) is not None
    draft = drafts(work)["numba"]
    assert not hasattr(draft, "module") or f"list({call})" in draft.module.text
