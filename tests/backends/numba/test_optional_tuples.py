"""Names that are None or a tuple: a name for each element, and one that says whether there is a tuple."""

import numpy as np
import pytest

from tests.backends.numba.harness import assert_same, drafts, reference, run, workload

RNG = np.random.default_rng(4)

NEAREST = """
def fn(x, limit):
    # the first pair that is nearer than the limit
    pair = None
    for i in range(len(x)):
        for j in range(i + 1, len(x)):
            if abs(x[i] - x[j]) < limit:
                limit = abs(x[i] - x[j])
                pair = (i, j)
    if pair is None: return -1, -1, limit
    return pair[0], pair[1], limit
"""


@pytest.mark.parametrize("limit", [0.5, 1e-9])
def test_the_elements_have_names_and_so_has_whether_there_are_any(limit):
    work = workload(NEAREST, RNG.random(12), limit)
    draft = drafts(work)["numba"]
    assert "pair_0, pair_1 = i, j" in draft.module.text
    assert "if not has_pair:" in draft.module.text
    assert "# the first pair that is nearer than the limit" in draft.module.text
    got, _ = run(work, draft, f"pair_{limit}")
    assert_same(got, reference(work)[0], 1e-12)


def test_a_read_where_there_may_be_none_raises_as_numpy_does():
    source = """
    def fn(x, limit):
        where = None
        for i in range(len(x)):
            if x[i] > limit:
                where = (i, x[i])
        return where[0] + where[1]
    """
    work = workload(source, RNG.random(5), 0.1)
    draft = drafts(work)["numba"]
    assert "raise TypeError('where is None here')" in draft.module.text
    got, _ = run(work, draft, "where")
    assert_same(got, reference(work)[0], 1e-12)


def test_a_tuple_that_is_read_as_a_whole_stays():
    source = """
    def fn(x):
        where = None
        for i in range(len(x)):
            if x[i] > 0.5:
                where = (i, i + 1)
        return len(where)
    """
    text = drafts(workload(source, RNG.random(9)))["numba"].module.text
    assert "where = (i, i + 1)" in text
    assert "where_0" not in text
