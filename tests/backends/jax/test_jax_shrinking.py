"""Vectors that a loop selects from again and again."""

import inspect

import numpy as np
import pytest

from tests.backends.jax.jax_workbench import make
from tests.backends.jax.test_jax_slices import HEAD, both_sizes

RNG = np.random.default_rng(6)


def clipped(x, kappa):
    data = x[~np.isnan(x)]
    for _ in range(10):
        mu, sd = data.mean(), data.std()
        keep = np.abs(data - mu) < kappa * sd
        if keep.all():
            break
        data = data[keep]
    return data.mean(), np.median(data), len(data)


def clipped_args(n):
    x = RNG.standard_normal(n)
    x[:3], x[5] = 20, np.nan
    return x, 2.0


def until_none_goes(v, k):
    before = -1
    while len(v) != before:
        before = v.size
        m = np.median(v)
        v = v[np.abs(v - m) <= k * 1.4826 * np.median(np.abs(v - m))]
    return np.mean(v), before


def until_none_goes_args(n):
    x = RNG.standard_normal(n)
    x[:3] = 20
    return x, 3.0


@pytest.mark.parametrize("function", [clipped, until_none_goes])
def test_what_is_left_is_a_mask(function):
    args = globals()[f"{function.__name__}_args"]
    text = both_sizes(inspect.getsource(function), args(30), args(47))
    assert "kept = " in text
    assert "where=kept" in text


def test_a_mask_that_is_read_of_another_vector_is_refused():
    made = make(
        HEAD + "def fn(x):\n    d = x.copy()\n    m = d > 0\n    for _ in range(40):\n        s = d.mean()\n"
        "        keep = d > s - 1\n        d = d[keep]\n        m = d > keep.sum()\n    return d.sum() + m.sum()\n",
        RNG.standard_normal(30),
    )  # fmt: skip
    assert made.refusal is not None or made.draft.form in ("partial", "array", "unrolled"), made.text


def test_a_selection_of_an_array_that_changes_stays_a_copy():
    source = HEAD + (
        "def fn(x):\n    x = x.copy()\n    d = x[x > 0]\n    x[0] = 100.0\n    for _ in range(40):\n"
        "        d = d[d < d.mean() + 1]\n    return d.sum() + x[0]\n"
    )
    made = make(source, RNG.standard_normal(30))
    assert made.refusal is not None or made.draft.form in ("partial", "array", "unrolled"), made.text
