"""`x.tolist()` is a list of as many numbers as the array has, whatever the example's had."""

import numpy as np
import pytest

from tests.backends.numba.harness import assert_same, drafts, reference, run, workload

BODIES = [
    "seen = set()\n    for v, w in zip(x.tolist(), x[::-1].tolist()):\n        seen.add((v, w))\n    return len(seen)",
    "y = x.tolist()\n    x[0] = 9\n    return y[0] + y[-1]",
    "return sum([v*v for v in x.tolist()])",
]


@pytest.mark.parametrize("body", BODIES)
@pytest.mark.parametrize("x", [np.array([1.5, 2.0, 1.5]), np.array([3, 1])], ids=["float", "int"])
def test_it_becomes_a_list_of_any_length(body, x):
    source = f"def fn(x):\n    {body}\n"
    draft = drafts(workload(source, x.copy()))["numba"]
    assert "list(x" in draft.module.text
    work = workload(source, np.concatenate((x, x, x)))
    assert_same(run(work, draft, "tolists")[0], reference(work)[0], 1e-12)


@pytest.mark.parametrize("x", [np.ones(3, dtype=np.float32), np.ones((2, 3))], ids=["float32", "a matrix"])
def test_others_are_not_called_in_python_with_the_length_of_the_example(x):
    draft = drafts(workload("def fn(x):\n    y = x.tolist()\n    return y[0]\n", x))["numba"]
    assert not hasattr(draft, "module") or "tolist_in_python" not in draft.module.text
