"""Powers of ranges that move with a loop, worked out once."""

import inspect

import numpy as np
import pytest

from tests.backends.jax.test_jax_slices import both_sizes

RNG = np.random.default_rng(5)


def downwards(S0, K, u, N):
    d = 1 / u
    V = np.maximum(K - S0 * u ** np.arange(-N, N + 1, 2), 0)
    for i in range(N - 1, -1, -1):
        V = 0.5 * (V[1:] + V[:-1])
        V = np.maximum(V, K - S0 * d ** np.arange(i, -1, -1) * u ** np.arange(0, i + 1))
    return V[0]


def by_twos(S0, K, u, N):
    V = np.maximum(S0 * u ** (2 * np.arange(N + 1) - N) - K, 0)
    for i in range(N - 1, -1, -1):
        V = 0.5 * (V[1:] + V[:-1])
        S = S0 * u ** (2 * np.arange(i + 1) - i)
        V = np.maximum(V, S - K)
    return V[0]


def exponentials(S0, K, u, N):
    V = np.maximum(S0 * np.exp(np.log(u) * np.arange(-N, N + 1, 2)) - K, 0)
    for i in reversed(range(N)):
        V = 0.5 * (V[1:] + V[:-1])
        V = np.maximum(V, S0 * np.exp(np.log(u) * np.arange(-i, i + 1, 2)) - K)
    return V[0]


@pytest.mark.parametrize("function", [downwards, by_twos, exponentials])
def test_powers_of_a_moving_range_are_looked_up(function):
    args = 100.0, 101.0, 1.02, 40
    text = both_sizes(inspect.getsource(function), args, (90.0, 101.0, 1.01, 40))
    before, _, inside = text.partition("def body")
    assert "powers = " in before or function is exponentials
    assert "table = " in before or function is not exponentials
    assert "**" not in inside
    assert "exp(" not in inside


def discounted(coupons, rate):
    n = len(coupons)
    value = np.zeros(n)
    for t in range(n):
        value[t] = np.sum(coupons[t:] * (1 + rate) ** -np.arange(1, n - t + 1))
    return value


def test_a_part_of_the_same_powers_in_each_step():
    text = both_sizes(inspect.getsource(discounted), (RNG.random(40), 0.03), (RNG.random(53), 0.05))
    assert "powers = (1 + rate) ** (-jnp.arange(1, n + 1))" in text


def a_base_that_changes(S0, u, N):
    V = np.ones(N + 1)
    for i in range(N - 1, -1, -1):
        V = 0.5 * (V[1:] + V[:-1]) + S0 * u ** np.arange(i + 1)
        u = 0.5 * (u + 1)
    return V[0]


def test_a_base_that_changes_has_no_table():
    text = both_sizes(inspect.getsource(a_base_that_changes), (1.0, 1.1, 40))
    assert "powers" not in text
    assert "u ** jnp.arange(" in text
