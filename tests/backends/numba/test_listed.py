"""Lists that become arrays in parallel functions: the loop that fills them stays one step after the other."""

import numpy as np
import pytest

from jitmagic.backends.protocol import Draft
from tests.backends.numba.harness import assert_same, drafts, reference, run, source_of, workload

RNG = np.random.default_rng(3)

DESCENT = """
def fn(A, b, rate, steps):
    x = np.zeros(A.shape[1])
    costs = []
    for k in range(steps):
        r = A @ x - b
        x = x - rate*(A.T @ r)
        costs.append(np.sum(r**2))
    return x, np.array(costs)
"""


def test_a_loop_whose_steps_build_on_each_other_is_not_taken_for_a_comprehension():
    work = workload(DESCENT, RNG.normal(size=(40, 4)), RNG.normal(size=40), 0.01, 20)
    draft = drafts(work)["numba-parallel"]
    assert "return x, array_of(costs)" in draft.module.text
    got, _ = run(work, draft, "descent")
    assert_same(got, reference(work)[0], 1e-10)


def test_a_comprehension_whose_steps_change_an_array_is_out_of_sight():
    source = """
    def step(s):
        s += 0.1*np.sin(s)
        return s.sum()

    def fn(x, k):
        s = x*2
        return np.array([step(s) for _ in range(k)])*1.5
    """
    text = source_of(workload(source, RNG.normal(size=50), 9), "numba-parallel")
    assert "array_of([step(s) for _ in range(k)])" in text


def test_a_comprehension_that_changes_nothing_stays():
    source = """
    def fn(x, k):
        lags = [x[j]*x[j + 1] for j in range(k)]
        lags = np.array(lags)
        return np.array([x[j]**2 for j in range(k)])*2 + lags
    """
    text = source_of(workload(source, RNG.normal(size=50), 9), "numba-parallel")
    assert "array_of" not in text


def test_what_else_the_call_reads_is_handed_over():
    source = """
    def fn(x, like):
        kept = []
        for v in x:
            if v > 0:
                kept.append(v)
        return np.array(kept, dtype=like.dtype)*2 + like[0]
    """
    work = workload(source, RNG.normal(size=50), np.ones(3, dtype="float32"))
    draft = drafts(work)["numba-parallel"]
    assert "array_of(kept, like)" in draft.module.text
    got, _ = run(work, draft, "like")
    assert_same(got, reference(work)[0], 1e-6)


def test_several_arrays_of_one_list_compile():
    source = """
    def fn(x, w):
        costs = []
        for i in range(0, len(x) - w + 1, w):
            costs.append(np.mean(x[i:i + w]**2))
        return np.mean(costs), np.std(costs), np.argmin(costs), np.median(np.array(costs))
    """
    work = workload(source, RNG.normal(size=60), 5)
    draft = drafts(work)["numba"]
    got, _ = run(work, draft, "several")
    assert_same(got, reference(work)[0], 1e-12)


@pytest.mark.parametrize("head", ["for k in range(steps):", "for k, _ in enumerate(np.arange(steps)):"])
def test_lists_that_one_loop_fills_compile(head):
    source = f"""
    def fn(v, dt, steps):
        t, x, y = 0.0, 0.0, 1.0
        times, xs, ys = [t], [], []
        {head}
            x, y = x + dt*v*y, y - dt*x
            t += dt
            times.append(t)
            xs.append(x)
            ys.append(y)
        return np.array(times), np.array(xs), np.array(ys)
    """
    work = workload(source, 0.7, 0.01, 30)
    for variant in ("numba", "numba-parallel"):
        draft = drafts(work)[variant]
        if isinstance(draft, Draft):
            got, _ = run(work, draft, f"together_{variant[5:]}_{len(head)}")
            assert_same(got, reference(work)[0], 1e-12)


def test_functions_of_arrays_take_lists():
    source = """
    def fn(x, k):
        rows = [x*i for i in range(k)]
        s = [x[i] - x[i + 1] for i in range(k)]
        return np.mean(rows, axis=0), np.max([x, -x], axis=0), np.argmax(s), np.dot([0.2, 0.8], x[:2]), x.sum(axis=(0,))
    """
    work = workload(source, RNG.normal(size=20), 6)
    draft = drafts(work)["numba"]
    got, _ = run(work, draft, "lists")
    assert_same(got, reference(work)[0], 1e-12)
