"""Returns from inside a loop of the beginning of what is returned whole behind it: on two sets of arguments."""

import inspect

import numpy as np
import pytest

from tests.backends.jax.jax_workbench import make
from tests.backends.jax.test_jax_slices import HEAD, both_sizes


def decay(y0, k, n, limit):
    out = np.zeros((n, 2))
    out[0] = y0
    # until little is left
    for i in range(1, n):
        out[i, 0] = out[i-1, 0] - 0.1 * k * out[i-1, 0]
        out[i, 1] = out[i-1, 1] + 0.1 * k * out[i-1, 0]
        if out[i, 0] < limit:
            # gone
            return out[:i+1]
    return out


def decay_args(n):
    return np.array([1.0, 0.0]), 0.3, n, 0.4


def decay_to_the_end_args(n):
    return np.array([1.0, 0.0]), 0.3, n, -1.0


def trajectory(t, v):
    x, y = np.zeros(len(t)), np.zeros(len(t))
    vx, vy = v
    k = 0
    while k < len(t) - 1:
        dt = t[k+1] - t[k]
        vy -= 9.81 * dt
        x[k+1] = x[k] + vx * dt
        y[k+1] = y[k] + vy * dt
        k += 1
        if y[k] < 0:
            return t[:k], x[:k], y[:k]
    return t, x, y


def trajectory_args(n):
    return np.linspace(0, 3, n), np.array([3.0, 8.0])


def either(x, low):
    sums = np.empty(len(x) + 1)
    sums[0] = 0.0
    for i in range(len(x)):
        sums[i+1] = sums[i] + x[i]
        if sums[i+1] > 5:
            return low, sums[:i+2]
        elif sums[i+1] < low:
            return low, sums[:i+1]
    return low, sums


def either_args(n):
    return np.sin(np.arange(n) / 3), -0.5


@pytest.mark.parametrize(
    ("name", "sizes"),
    [("decay", (20, 33)), ("decay_to_the_end", (5, 8)), ("trajectory", (50, 61)), ("either", (20, 41))],
)
def test_what_is_returned_early_is_numpys(name, sizes):
    function = globals().get(name, decay)
    text = both_sizes(inspect.getsource(function), *(globals()[f"{name}_args"](size) for size in sizes))
    assert "lines_" not in text
    assert "[:stop]" in text


def test_the_source_reads_as_written():
    made = make(HEAD + inspect.getsource(decay), *decay_args(20))
    assert "    # until little is left\n    stop = len(out)\n" in made.text
    assert "        # gone\n        stop = jnp.where(condition, i+1, stop)\n" in made.text
    assert "    out, stop = _decay(y0, k, n, limit)\n    return out[:stop]\n" in made.text


@pytest.mark.parametrize(
    "change",
    [
        ("return out[:i+1]", "return out[i:]"),  # no beginning
        ("return out\n", "return out * 2\n"),  # something else
        ("    return out\n", "    out[0] = 0.0\n    return out\n"),  # done only where it came to the end
        ("        if out[i, 0]", "        out = out + 0.0\n        if out[i, 0]"),  # another array in each step
    ],
)
def test_what_differs_keeps_its_returns(change):
    source = inspect.getsource(decay).replace(*change)
    made = make(HEAD + source, *decay_args(20))
    assert made.refusal is not None
    assert made.refusal.line is not None
