"""Periodic functions of products of whole numbers as look-ups."""

import inspect

import numpy as np
import pytest

from tests.backends.jax.test_jax_slices import both_sizes

RNG = np.random.default_rng(7)


def fourier(x):
    N = len(x)
    n = np.arange(N)
    k = n.reshape((N, 1))
    return np.exp(-2j * np.pi * k * n / N) @ x


def cosines(x):
    n = x.size
    i = np.arange(n)
    return np.cos(np.pi * i[:, None] * (2 * i + 1) / (2 * n)) @ x


@pytest.mark.parametrize(
    ("function", "line"),
    [
        (fourier, "jnp.exp(-2j*jnp.pi*jnp.arange(N)/N)[k*n % N] @ x"),
        (cosines, "jnp.cos(jnp.pi*jnp.arange(2*(2 * n))/(2 * n))[i[:, None]*(2 * i + 1) % (2*(2 * n))] @ x"),
    ],
)
def test_a_turn_has_few_values(function, line):
    text = both_sizes(inspect.getsource(function), (RNG.random(24),), (RNG.random(37),))
    if function is fourier:
        assert line in text


def angles_that_are_no_parts_of_a_turn(x, w):
    n = np.arange(len(x))
    return np.cos(w * n[:, None] * n / len(x)) @ x


def one_row(x):
    n = np.arange(len(x))
    return np.sin(2 * np.pi * n / len(x)) * x


@pytest.mark.parametrize("function", [angles_that_are_no_parts_of_a_turn, one_row])
def test_other_angles_stay(function):
    args = (RNG.random(24), 0.7) if function is angles_that_are_no_parts_of_a_turn else (RNG.random(24),)
    text = both_sizes(inspect.getsource(function), args)
    assert " % " not in text
