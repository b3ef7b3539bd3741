# ruff: noqa: B905 -- as it is written in notebooks.
"""Lists of numbers that keep their length: each function is compared on its example and on another size."""

import inspect

import numpy as np
import pytest

from tests.backends.jax.jax_workbench import make, run_both
from tests.backends.jax.test_jax_slices import HEAD, both_sizes

RNG = np.random.default_rng(7)


def longest_common(s, t):
    m, n = len(s), len(t)
    dp = [[0] * (n + 1) for _ in range(m + 1)]
    for i in range(1, m + 1):
        for j in range(1, n + 1):
            if s[i - 1] == t[j - 1]:
                dp[i][j] = dp[i - 1][j - 1] + 1
            else:
                dp[i][j] = max(dp[i - 1][j], dp[i][j - 1])
    return dp[m][n], max(dp[m]), len(dp[0])


def longest_common_args(n):
    return RNG.integers(0, 3, n), RNG.integers(0, 3, n + 2)


def counters(arrivals, services, c):
    free = [0.0] * c
    waits = []
    for t, s in zip(arrivals, services):
        k = free.index(min(free))
        begin = max(t, free[k])
        waits.append(begin - t)
        free[k] = begin + s
    return np.array(waits), free.index(max(free)), free[0]


def counters_args(n):
    return np.cumsum(RNG.random(n)), RNG.random(n) * 2, 3


def two_rows(a, b):
    n = len(b)
    prev = list(range(n + 1))
    for i in range(1, len(a) + 1):
        cur = [i] + [0] * n
        for j in range(1, n + 1):
            cur[j] = min(prev[j] + 1, cur[j - 1] + 1, prev[j - 1] + (a[i - 1] != b[j - 1]))
        prev = cur
    return prev[-1]


two_rows_args = longest_common_args


def both_names_are_one_list(x):
    a = [0.0] * len(x)
    b = a
    for i in range(1, len(x)):
        a[i] = b[i - 1] + x[i]
        b[0] = a[i]
    return sum(a), b[0]


def both_names_are_one_list_args(n):
    return (RNG.random(n),)


def exchanged(swaps, n):
    perm = [k for k in range(n)]  # noqa: C416 (the form that is rewritten)
    for k in range(len(swaps)):
        i, j = swaps[k, 0], swaps[k, 1]
        perm[i], perm[j] = perm[j], perm[i]
    return np.array(perm)


def exchanged_args(n):
    return RNG.integers(0, n, (40, 2)), n


def directions(n):
    grid = [[0] * n for _ in range(n)]
    steps = [(0, 1), (1, 0), (0, -1), (-1, 0)]
    r = c = d = 0
    for k in range(1, n * n + 1):
        grid[r][c] = k
        dr, dc = steps[d]
        if not (0 <= r + dr < n and 0 <= c + dc < n) or grid[r + dr][c + dc] != 0:
            d = (d + 1) % 4
            dr, dc = steps[d]
        r, c = r + dr, c + dc
    return np.array(grid)


def directions_args(n):
    return (n,)


def infinite_at_first(w, v, capacity):
    best = [-float("inf")] * (capacity + 1)
    best[0] = 0.0
    for i in range(len(w)):
        for c in range(capacity, w[i] - 1, -1):
            best[c] = max(best[c], best[c - w[i]] + v[i])
    return max(best)


def infinite_at_first_args(n):
    return RNG.integers(1, 5, n), RNG.random(n), 2 * n


CASES = {name: value for name, value in globals().items() if f"{name}_args" in globals()}


@pytest.mark.parametrize("name", CASES)
def test_a_list_that_keeps_its_length_is_an_array(name):
    args = globals()[f"{name}_args"]
    text = both_sizes(inspect.getsource(CASES[name]), args(9), args(14))
    assert "lax." in text


def test_a_list_that_is_returned_is_one_again():
    source = HEAD + (
        "def fn(steps, n):\n    dp = [0] * (n + 1)\n    dp[0] = 1\n    for i in range(1, n + 1):\n"
        "        for s in steps:\n            if i >= s:\n                dp[i] += dp[i - s]\n    return dp\n"
    )
    _, ours, _ = run_both(source, np.array([2, 3, 5]), 20)
    assert isinstance(ours[0], list)
    assert all(isinstance(one, int) for one in ours[0])


@pytest.mark.parametrize(
    "body",
    [
        "    t = [[0] * n] * n\n    for i in range(n):\n        t[i][i] = x[i]\n    return t[0][0] + t[1][1]\n",
        "    t = [0] * n\n    for i in range(n):\n        t[i] = x[i]\n    t.insert(0, 1.0)\n    return t[1]\n",
        "    t = [0] * n\n    for i in range(n):\n        t[i] = x[i : i + 2]\n    return t[0].sum()\n",
        "    t = [True] * n\n    for i in range(n):\n        t[i] = x[i]\n    return t[3] + t[-1]\n",
    ],
)
def test_a_list_of_which_more_is_wanted_stays_one(body):
    """Rows that are one list, a list that grows, one that holds arrays, and one of two kinds of values."""
    made = make(HEAD + f"def fn(x, n):\n{body}", RNG.random(40), 40)
    assert made.refusal is not None or made.draft.form in ("partial", "unrolled"), made.text
    assert made.refusal is None or made.refusal.line is not None
