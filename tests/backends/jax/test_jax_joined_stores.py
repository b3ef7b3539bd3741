"""Several stores of a step that fill a whole vector, put together."""

import inspect

import numpy as np
import pytest

from tests.backends.jax.test_jax_slices import both_sizes

RNG = np.random.default_rng(8)


def heat(u, a, steps):
    u = u.copy()
    for _ in range(steps):
        # inside
        u[1:-1] = u[1:-1] + a * (u[2:] - 2 * u[1:-1] + u[:-2])
        # the ends are held
        u[0] = 0.0
        u[-1] = 1.0
    return u


def inflow(u0, c, steps):
    u = u0.copy()
    for n in range(steps):
        un = u.copy()
        u[0] = np.sin(0.1 * n)
        u[1:] = un[1:] - c * (un[1:] - un[:-1])
    return u


def wave(u0, c, steps):
    nx = len(u0)
    u = np.zeros((steps + 1, nx))
    u[0] = u0
    u[1] = u0
    for n in range(1, steps):
        for i in range(1, nx - 1):
            u[n + 1, i] = -u[n - 1, i] + 2 * u[n, i] + c * (u[n, i - 1] - 2 * u[n, i] + u[n, i + 1])
        u[n + 1, 0] = 0
        u[n + 1, nx - 1] = 0
    return u


def in_a_new_vector(u, a, steps):
    for _ in range(steps):
        new = np.zeros_like(u)
        new[0] = u[0]
        new[1:-1] = u[1:-1] + a * (u[2:] - 2 * u[1:-1] + u[:-2])
        new[-1] = u[-2]
        u = new
    return u


@pytest.mark.parametrize("function", [heat, inflow, wave, in_a_new_vector])
def test_stores_that_fill_a_vector_are_one_vector(function):
    text = both_sizes(inspect.getsource(function), (RNG.random(30), 0.2, 40), (RNG.random(47), 0.1, 40))
    assert "jnp.hstack([" in text
    assert ".at[0]" not in text.partition("def body")[2]
    assert "# the ends are held" in text or function is not heat
    assert "zeros_like" not in text


def ends_that_read_the_inside(u, a, steps):
    u = u.copy()
    for _ in range(steps):
        u[1:-1] += a * (u[2:] - 2 * u[1:-1] + u[:-2])
        u[0] = u[1]
        u[-1] = u[-2]
    return u


def an_element_is_left(u, a, steps):
    u = u.copy()
    for _ in range(steps):
        u[2:-1] = u[2:-1] * a
        u[0] = 0.5
        u[-1] = 1.0
    return u


def one_is_stored_twice(u, a, steps):
    u = u.copy()
    for _ in range(steps):
        u[1:] = u[1:] * a
        u[0] = 0.5
        u[-1] = 1.0
    return u


def whole_numbers_into_floats(u, a, steps):
    total = 0.0
    for k in range(steps):
        new = np.zeros(len(u))
        new[1:-1] = np.arange(len(u) - 2) + k
        new[0] = 1
        new[-1] = 2
        total += a * (new / 2).sum()
        new[0] = 0.5
    return total


@pytest.mark.parametrize(
    "function", [ends_that_read_the_inside, an_element_is_left, one_is_stored_twice, whole_numbers_into_floats]
)
def test_other_stores_stay_apart(function):
    text = both_sizes(inspect.getsource(function), (RNG.random(30), 0.2, 40), (RNG.random(47), 0.1, 40))
    assert "hstack" not in text
    assert ".at[0].set" in text
