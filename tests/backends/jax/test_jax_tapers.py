"""Vectors that lose elements at their ends in each step of a loop: each is compared on its example and another size."""

import inspect

import numpy as np
import pytest

from tests.backends.jax.jax_workbench import make
from tests.backends.jax.test_jax_slices import HEAD, both_sizes

RNG = np.random.default_rng(3)


def tree_with_prices_cut(S0, K, u, p, N):
    S = S0 * u ** np.arange(N, -N - 1, -2)
    V = np.maximum(K - S, 0)
    for _ in range(N - 1, -1, -1):
        V = 0.999 * (p * V[:-1] + (1 - p) * V[1:])
        S = S[:-1] / u
        V = np.maximum(V, K - S)
    return V[0]


def tree_with_prices_anew(S0, K, u, p, N):
    d = 1 / u
    V = np.maximum(S0 * u ** (2 * np.arange(N + 1) - N) - K, 0)
    for i in range(N - 1, -1, -1):
        V[: i + 1] = p * V[1 : i + 2] + (1 - p) * V[: i + 1]
        V = V[:-1]
        S = S0 * d ** np.arange(i, -1, -1) * u ** np.arange(0, i + 1)
        V[S > 1.5 * K] = 0
    return V[0]


def three_branches(S0, K, u, N):
    v = np.maximum(S0 * u ** np.arange(-N, N + 1) - K, 0)
    for _ in range(N):
        v = v[2:] / 6 + 2 * v[1:-1] / 3 + v[:-2] / 6
    return v[0]


for _tree in (tree_with_prices_cut, tree_with_prices_anew):
    globals()[f"{_tree.__name__}_args"] = lambda n: (100.0, 101.0, 1.01, 0.48, n)


def three_branches_args(n):
    return 100.0, 101.0, 1.01, n


def neville(x, y, at):
    n = len(x)
    p = y.copy()
    for k in range(1, n):
        p = ((at - x[k:]) * p[:-1] - (at - x[:-k]) * p[1:]) / (x[:-k] - x[k:])
    return p[0]


def neville_args(n):
    return np.linspace(0, 1, n), np.sin(np.linspace(0, 1, n)), 0.4


def divided_differences(x, y):
    n = len(x)
    c = y.copy()
    first = np.zeros(n)
    first[0] = y[0]
    for k in range(1, n):
        c = np.diff(c) / (x[k:] - x[:-k])
        first[k] = c[0]
    return first


def divided_differences_args(n):
    return np.arange(n) / 3.0, RNG.random(n)


def points_between(points, t):
    for _ in range(len(points) - 1):
        points = (1 - t) * points[:-1] + t * points[1:]
    return points[0]


def points_between_args(n):
    return RNG.random((n, 2)), 0.3


def ends_and_sums(y):
    v = y * 1.0
    out = np.zeros(len(y) - 2)
    for k in range(len(y) - 2):
        v = 0.5 * (v[1:] + v[:-1])
        out[k] = v.sum() + v[-1] + 2 * len(v) - v.max() + v[v > 0.5].sum()
    return out, v


def ends_and_sums_args(n):
    return (RNG.random(n),)


def part_of_the_way(y, m):
    v = y.copy()
    for _ in range(m):
        w = v[1:] - v[:-1]
        v = w / 2
    return v, v.mean()


def part_of_the_way_args(n):
    return RNG.random(n), n // 2


def again_for_each_row(A):
    out = np.zeros(len(A))
    for i in range(len(A)):
        v = A[i].copy()
        for _ in range(A.shape[1] - 1):
            v = np.maximum(v[1:], v[:-1]) + 0.1
        out[i] = v[0]
    return out


def again_for_each_row_args(n):
    return (RNG.random((5, n)),)


CASES = {name: value for name, value in globals().items() if f"{name}_args" in globals()}


@pytest.mark.parametrize("name", CASES)
def test_a_vector_that_loses_elements_keeps_its_length(name):
    args = globals()[f"{name}_args"]
    text = both_sizes(inspect.getsource(CASES[name]), args(40), args(40 if "N" in text_of(name) else 53))
    assert "lax." in text


def text_of(name):
    return inspect.signature(CASES[name]).parameters


def test_parts_are_shifted_to_the_beginning_and_nothing_is_masked():
    text = both_sizes(inspect.getsource(three_branches), three_branches_args(40))
    assert "return jnp.roll(v, -2) / 6 + 2 * jnp.roll(v, -1) / 3 + v / 6" in text


def test_what_is_left_is_cut_behind_the_loop():
    text = both_sizes(inspect.getsource(part_of_the_way), part_of_the_way_args(80))
    assert "v = v[:max(y.shape[0] - m, 0)]" in text
    assert 'static_argnames=("m",)' in text


def in_one_branch(y):
    v = y.copy()
    for k in range(len(y) - 1):
        if v[0] > 0.5:
            v = v[1:]
        else:
            v = v[:-1] * 1.5
            v[0] += k
    return v.sum()


def by_a_number_that_changes(y):
    v = y.copy()
    for k in range(6):
        v = v[k:]
    return v.sum()


def while_values_say(y):
    v = y.copy()
    total = 0.0
    while v[0] < 0.9 and len(v) > 2:
        v = v[1:]
        total += v.sum()
    return total


def a_count_that_changes(y):
    v = y.copy()
    n = len(y) // 2
    for _ in range(n):
        v = v[1:] + v[:-1]
        n = n - 1
    return v.sum()


@pytest.mark.parametrize(
    "function", [in_one_branch, by_a_number_that_changes, while_values_say, a_count_that_changes]
)
def test_what_is_not_known_to_lose_as_many_in_each_step_is_right_or_refused(function):
    made = make(HEAD + inspect.getsource(function), RNG.random(60))
    if made.refusal is None:
        both_sizes(inspect.getsource(function), (RNG.random(60),))
    else:
        assert made.refusal.line


def test_a_step_that_may_lose_another_number_is_told_of_by_its_line():
    made = make(HEAD + inspect.getsource(in_one_branch), RNG.random(60))
    why = made.refusal or made.draft.refusal
    assert why is not None
    assert why.line in range(6, 12), why
