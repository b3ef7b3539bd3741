"""Windows that slide over an array, and differences of an array with itself some places on: on two sizes."""

import inspect

import numpy as np
import pytest

from tests.backends.jax.jax_workbench import make
from tests.backends.jax.test_jax_slices import HEAD, both_sizes

RNG = np.random.default_rng(5)


def windows(x, w):
    v = np.lib.stride_tricks.sliding_window_view(x, w)
    return v.mean(axis=1), v.max(axis=-1)


def windows_args(n):
    return RNG.normal(size=n), 6


def windows_of_images(image, k):
    v = np.lib.stride_tricks.sliding_window_view(image, (3, 5))
    u = np.lib.stride_tricks.sliding_window_view(image, k, axis=0)
    w = np.lib.stride_tricks.sliding_window_view(image, window_shape=k, axis=-1)
    return np.median(v, axis=(2, 3)), u.sum(axis=-1), w[:, ::2]


def windows_of_images_args(n):
    return RNG.normal(size=(n, n + 4)), 4


def lags_of_points(x, most):
    m = np.zeros(most)
    for k in range(1, most):
        d = x[k:] - x[:-k]
        m[k] = (d**2).sum(axis=-1).mean()
    return m


def lags_of_points_args(n):
    return RNG.normal(size=(n, 3)), 7


def lags_along_rows(x, most):
    out = np.zeros((most, x.shape[0]))
    for k in range(1, most):
        out[k] = np.mean(x[:, k:] * x[:, :-k], axis=1)
    return out


def lags_along_rows_args(n):
    return RNG.normal(size=(4, n)), 7


def steps_of_walkers(x, box):
    step = np.diff(x, axis=0)
    step -= box * np.round(step / box)
    return x[0] + np.cumsum(step, axis=0)


def steps_of_walkers_args(n):
    return RNG.random((n, 5, 3)), 0.7


@pytest.mark.parametrize(
    "name", ["windows", "windows_of_images", "lags_of_points", "lags_along_rows", "steps_of_walkers"]
)
def test_agrees_with_numpy(name):
    function, args = globals()[name], globals()[f"{name}_args"]
    text = both_sizes(inspect.getsource(function), args(20), args(33))
    assert "import numpy as np" not in text


def test_a_window_sees_what_is_stored_into_its_array():
    source = (
        HEAD + "def f(x):\n    x = x.copy()\n    v = np.lib.stride_tricks.sliding_window_view(x, 3)\n"
        "    x[0] = 7.0\n    return v.sum()\n"
    )
    made = make(source, np.ones(6))
    assert made.refusal is not None
