"""The functions that are run on a GPU, each with arguments of a size that fills one."""

from __future__ import annotations

import numpy as np


def cubic(x):
    return x + x * x + x * x * x


def stencil(u):
    out = u.copy()
    out[1:-1, 1:-1] = 0.25 * (u[2:, 1:-1] + u[:-2, 1:-1] + u[1:-1, 2:] + u[1:-1, :-2])
    return out


def n_body(pos, mass):
    d = pos[None, :, :] - pos[:, None, :]
    r2 = (d**2).sum(axis=2) + 1e-6
    return (mass[None, :, None] * d / (r2**1.5)[:, :, None]).sum(axis=1)


def total(x, y):
    return np.sum((x - y) ** 2)


def matrix_product(a, b):
    return a @ b


def mandelbrot(re, im, limit):
    out = np.zeros((im.size, re.size), dtype=np.int64)
    for i in range(im.size):
        for j in range(re.size):
            x = y = 0.0
            k = 0
            while x * x + y * y <= 4.0 and k < limit:
                x, y = x * x - y * y + re[j], 2 * x * y + im[i]
                k += 1
            out[i, j] = k
    return out


# the two forms of examples/, which run at sizes of their own there when they are loaded
def w_tilde(noise, uv, grid):
    offset = grid[:, None, :] - grid[None, :, :]
    phase = offset[..., 1, None] * uv[:, 1] + offset[..., 0, None] * uv[:, 0]
    return np.sum(np.cos(2 * np.pi * phase) / noise**2, axis=2)


def w_tilde_low_memory(noise, uv, grid):
    M = grid.shape[0]
    K = uv.shape[0]
    dy = grid[:, 0].reshape(M, 1) - grid[:, 0]
    dx = grid[:, 1].reshape(M, 1) - grid[:, 1]
    w = np.zeros((M, M))
    for k in range(K):
        w += np.cos(2 * np.pi * (dx * uv[k, 1] + dy * uv[k, 0])) / noise[k] ** 2
    return w


def cases():
    """Returns function, arguments, and the bytes that a call moves at least (None where it computes) by name."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((5000, 5000)).astype(np.float32)
    u = rng.random((4000, 4000))
    y = rng.random(20_000_000)
    visibilities = (rng.uniform(0.5, 2.0, 400), rng.normal(0.0, 1e3, (400, 2)), rng.uniform(-1e-3, 1e-3, (300, 2)))
    n = 1500
    return {
        "cubic": (cubic, (x,), 2 * x.nbytes),
        "stencil": (stencil, (u,), 2 * u.nbytes),
        "n_body": (n_body, (rng.random((n, 3)), rng.random(n)), None),
        "total": (total, (y, y[::-1].copy()), 2 * y.nbytes),
        "matrix_product": (matrix_product, (rng.random((1500, 1500)), rng.random((1500, 1500))), None),
        "mandelbrot": (mandelbrot, (np.linspace(-2, 1, 300), np.linspace(-1, 1, 200), 50), None),
        "w_tilde": (w_tilde, visibilities, None),
        "w_tilde_low_memory": (w_tilde_low_memory, visibilities, None),
    }


