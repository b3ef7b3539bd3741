"""Loops over the elements of arrays run in threads where their steps are independent; all others stay as they are."""

import numpy as np
import pytest

from jitmagic.backends.protocol import VariantRefusal
from tests.backends.numba.harness import drafts, observed, run, workload

X = np.linspace(0.5, 2.0, 7)
Y = np.linspace(2.0, 3.0, 9)
P = np.arange(14.0).reshape(7, 2)


def parallel(source, *others):
    """Returns the text of the parallel draft, once it gave NumPy's results for all the arguments."""
    first, *more = others
    draft = drafts(workload(source, *first))["numba-parallel"]
    assert not isinstance(draft, VariantRefusal), draft.refusal.reason
    for args in (first, *more):
        work = workload(source, *args)
        expected = {}
        exec(work.module.text, expected)
        result, _ = run(work, draft, "numba-parallel")
        np.testing.assert_allclose(result, expected["fn"](*args), rtol=1e-13)
    return draft.module.text


CASES = {
    "enumerate": ("for i, v in enumerate(x):\n        out[i] = v**2", ("i in prange(len(x))", "v = x[i]"), (X,)),
    "start": (
        "for i, v in enumerate(x, 1):\n        out[i - 1] = v*i",
        ("prange(1, len(x) + 1)", "v = x[i - 1]"),
        (X,),
    ),
    "rows": (
        "for k, (a, b) in enumerate(x):\n        out[k] = a - b",
        ("k in prange(len(x))", "a, b = x[k]"),
        (P,),
    ),
    "zip": (
        "for i, (v, w) in enumerate(zip(x, x[::-1])):\n        out[i] = v*w",
        ("ws = x[::-1]", "prange(min(len(x), len(ws)))", "w = ws[i]"),
        (X,),
    ),
    "a name that would be a word of Python's": (
        "for i, a in enumerate(x[::-1]):\n        out[i] = a", ("as_ = x[::-1]", "a = as_[i]"), (X,),
    ),
    "ranges": (
        "for k, v, m in zip(range(n), x, range(1, n, 2)):\n        out[k] = v*m",
        ("for k_ in prange(min(len(range(n)), len(x), len(range(1, n, 2))))", "m = 1 + 2*k"),
        (X,),
    ),
    "an array without a name": (
        "for i, t in enumerate(np.sqrt(x)):\n        out[i] = x[i]*t",
        ("ts = np.sqrt(x)", "t = ts[i]"),
        (X,),
    ),
    "the name of the array": (
        "for i, x in enumerate(x):\n        out[i] = x + 1",
        ("xs = x", "x = xs[i]"),
        (X,),
    ),
    "in place": ("for i, v in enumerate(out):\n        out[i] = v + x[i]", ("v = out[i]",), (X,)),
}


@pytest.mark.parametrize("case", CASES)
def test_independent_steps_run_in_threads(case):
    loop, wanted, args = CASES[case]
    source = f"""
def fn(x):
    n = len(x)
    out = np.zeros(n)
    {loop}
    return out
"""
    text = parallel(source, args, *([(X[:1],), (Y[::2],)] if args[0].ndim == 1 else [(P[::-2],)]))
    for one in wanted:
        assert one in text, text


def test_sums_over_pairs_are_reductions():
    source = """
def fn(x, y):
    total = 0.0
    for a, b in zip(x, y):
        total += a*b
    for a in x:
        total += np.sqrt(a)
    return total
"""
    text = parallel(source, (X, Y), (Y, X), (X[:1], Y[:0]))
    assert text.count("prange(") == 2


def test_comments_stay_and_the_new_name_is_free():
    source = """
def fn(x):
    i = 2.0
    total = 0.0
    # all of them
    for v in x[1:]:  # one by one
        total += v*i  # scaled
    return total
"""
    text = parallel(source, (X,), (X[:1],))
    lines = [line.strip() for line in text.splitlines()]
    assert lines[lines.index("# all of them") + 1] == "vs = x[1:]"
    assert "for j in prange(len(vs)):" in text
    assert "# scaled" in text


REFUSED = {
    "a recurrence": "for i, v in enumerate(x):\n        out[i] = out[i - 1] + v",
    "a view that is written": "for v, i in zip(out[1:], range(n - 1)):\n        out[i] = v",
    "rebound": "for i, v in enumerate(x):\n        x = x*0.5\n        out[i] = v",
    "the last element": "for i, v in enumerate(x):\n        out[i] = v\n    out[0] = v",
    "the last index": "for i, v in enumerate(x):\n        out[i] = v\n    out[0] = i",
    "places that may be the same": "for k, v in zip(idx, x):\n        out[k] = v",
    "a dict": "for k in {1: 2.0}:\n        out[k] = 1.0",
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_not_proved_stays_serial(case):
    source = f"""
def fn(x, idx):
    n = len(x)
    out = np.zeros(n)
    {REFUSED[case]}
    return out
"""
    made = drafts(workload(source, X.copy(), np.arange(7) % 3))
    draft = made["numba-parallel"]
    if isinstance(draft, VariantRefusal):
        assert "line 4" in draft.refusal.reason or "nothing to run" in draft.refusal.reason
    else:
        assert "prange" not in draft.module.text


def test_lists_and_shadowed_names_stay():
    source = """
def fn(x):
    def enumerate(values):
        return [(0, v) for v in values]
    out = np.zeros(len(x))
    for i, v in enumerate(x):
        out[i] += v
    return out
"""
    work = workload(source, X)
    assert observed(work) is not None
    draft = drafts(work)["numba-parallel"]
    assert isinstance(draft, VariantRefusal) or "prange" not in draft.module.text
