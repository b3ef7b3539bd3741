"""Sorting and choosing by a key: Numba's own sort by a key moves elements with equal keys."""

import numpy as np
import pytest

from jitmagic.backends.protocol import Draft
from tests.backends.numba.harness import assert_same, drafts, reference, run, workload

RNG = np.random.default_rng(5)
TIED = RNG.integers(0, 4, 60)
X = RNG.normal(size=60)


def same(source, *args):
    work = workload(source, *args)
    draft = drafts(work)["numba"]
    assert isinstance(draft, Draft), draft
    got, _ = run(work, draft, "keys")
    assert_same(got, reference(work)[0], 1e-12)
    return draft.module.text


@pytest.mark.parametrize("reverse", ["", ", reverse=True", ", reverse=False"])
@pytest.mark.parametrize("key", ["g[i]", "-g[i]", "(g[i], x[i] > 0)"])
def test_equal_keys_keep_their_order(key, reverse):
    source = f"""
    def fn(x, g):
        order = sorted(range(len(x)), key=lambda i: {key}{reverse})
        return np.array(order)
    """
    assert "in_order(" in (text := same(source, X, TIED)) or "in_falling_order(" in text


def test_a_list_is_sorted_where_it_lies():
    source = """
    def fn(x, g):
        rows = [(g[i], x[i]) for i in range(len(x))]
        rows.sort(key=lambda row: row[0])
        return np.array([row[1] for row in rows])
    """
    assert "rows[:] = in_order(rows, [row[0] for row in rows])" in same(source, X, TIED)


def test_the_first_of_the_best_is_taken():
    source = """
    def fn(x, g):
        far = max(range(len(x)), key=lambda i: g[i])
        near = min(x, key=abs)
        return far, near, min(range(len(x)), key=lambda i: (g[i], x[i]))
    """
    assert "largest(list(range(len(x))), [g[i] for i in range(len(x))])" in same(source, X, TIED)


def test_a_dict_by_its_values():
    source = """
    def fn(g):
        counts = {}
        for label in g:
            if label in counts:
                counts[label] += 1
            else:
                counts[label] = 1
        return max(counts, key=counts.get)
    """
    same(source, TIED)


def test_what_would_be_read_twice_is_refused():
    source = """
    def pick(x):
        x[0] += 1
        return [x[0], x[1]]

    def fn(x):
        return np.array(sorted(pick(x), key=lambda v: -v))
    """
    refused = drafts(workload(source, X))["numba"]
    assert "line 6" in refused.refusal.reason
    assert "reads the values twice" in refused.refusal.reason


def test_a_key_that_is_nan_raises():
    source = """
    def fn(x):
        return np.array(sorted(range(len(x)), key=lambda i: x[i]))
    """
    work = workload(source, X)
    draft = drafts(work)["numba"]
    assert "a key is NaN" in draft.module.text
