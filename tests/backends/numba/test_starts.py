"""Names that begin as numbers and become arrays: arrays from the start, where nobody can tell."""

import numpy as np
import pytest

from jitmagic.backends.protocol import Draft
from tests.backends.numba.harness import assert_same, drafts, reference, run, workload

RNG = np.random.default_rng(7)
X = RNG.normal(size=30)


def same(source, *args):
    work = workload(source, *args)
    draft = drafts(work)["numba"]
    assert isinstance(draft, Draft), draft
    got, _ = run(work, draft, "starts")
    assert_same(got, reference(work)[0], 1e-10)
    return draft.module.text


CASES = {
    "a series": (
        "s = 0.0\nfor k in range(1, n):\n    s = s + np.sin(k*x)/k\nreturn s", "s = np.zeros(x.shape)", (X, 5),
    ),
    "a coefficient first": (
        "r = n[0]\nfor k in range(1, len(n)):\n    r = r*x + n[k]\nreturn r",
        "r = np.full(x.shape, np.float64(n[0]))", (X, RNG.normal(size=4)),
    ),
    "in place": (
        "p = 1\nfor c in n:\n    p *= (x - c)\nreturn p", "p = np.ones(x.shape)", (X, RNG.normal(size=4)),
    ),
    "rows of a matrix": (
        "s = 0\nfor row in x:\n    s += row**2\nreturn np.sqrt(s)*n", "s = np.zeros(x.shape[1])",
        (X.reshape(6, 5), 2.0),
    ),
    "a product with a matrix": (
        "v = 0\nw = np.zeros(x.shape[1])\nfor k in range(9):\n    g = x.T @ (x @ w - n)\n    v = 0.9*v - 0.01*g\n"
        "    w = w + v\nreturn w",
        "v = np.zeros(x.shape[1])", (X.reshape(10, 3), RNG.normal(size=10)),
    ),
    "a branch": ("f = 0.1*x if n else 0.0\nreturn x - f", "f = 0.1*x if n else np.zeros(x.shape)", (X, True)),
    "beside columns of a matrix": (
        "B = np.ones((len(x), n - 1))\nfor j in range(1, n - 1):\n    left = x/j if j % 2 else 0.0\n"
        "    B[:, j] = left*B[:, j - 1]\nreturn B",
        "left = x/j if j % 2 else np.zeros(x.shape)", (X, 5),
    ),
    "float32": (
        "s = 0.0\nfor k in range(n):\n    s = s + x\nreturn s", "s = np.zeros(x.shape, dtype=np.float32)",
        (X.astype("float32"), 3),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_a_number_that_becomes_an_array(name):
    body, wanted, args = CASES[name]
    source = "def fn(x, n):\n" + "\n".join(f"    {line}" for line in body.splitlines()) + "\n"
    assert wanted in same(source, *args)


def test_a_loop_without_a_step_raises():
    source = "def fn(x, n):\n    s = 0.0\n    for k in range(n):\n        s = s + x*k\n    return s\n"
    work = workload(source, X, 4)
    draft = drafts(work)["numba"]
    with pytest.raises(ValueError, match="stays a number"):
        run(workload(source, X, 0), draft, "none")


@pytest.mark.parametrize(
    "body",
    [
        "for k in range(n):\n        if k > 2:\n            break\n        s = s + x*k\n    return s",
        "for k in range(n):\n        if k > 2:\n            s = s + x*k\n    return s",
        "t = np.sum(s)\n    for k in range(n):\n        s = s + x*k\n    return s*t",
        "for k in range(n):\n        s = s + x[x > k].sum()*x[:k + 1]\n    return s",
    ],
)
def test_what_may_be_seen_as_a_number_stays(body):
    source = f"def fn(x, n):\n    s = 0.0\n    {body}\n"
    try:
        reference(workload(source, X, 5))
    except ValueError:
        return
    draft = drafts(workload(source, X, 5))["numba"]
    assert "s = 0.0\n" in draft.module.text
