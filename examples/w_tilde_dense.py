"""The w-tilde matrix of radio interferometry by broadcasting, which needs a temporary of M x M x K numbers.

w_ij = sum_k cos(2 pi (dx_ij u_k1 + dy_ij u_k0)) / n_k^2, with d = g_i - g_j; g holds (y, x).
"""
import numpy as np


def w_tilde(noise, uv, grid):
    # (M, M, 2): offsets between every two pixels, as (y, x)
    offset = grid[:, None, :] - grid[None, :, :]
    # (M, M, K): one phase for each pair of pixels and each visibility
    phase = offset[..., 1, None] * uv[:, 1] + offset[..., 0, None] * uv[:, 0]
    return np.sum(np.cos(2 * np.pi * phase) / noise**2, axis=2)


rng = np.random.default_rng(0)
M, K = 120, 300
noise = rng.uniform(0.5, 2.0, K)
uv = rng.normal(0.0, 1e3, (K, 2))
grid = rng.uniform(-1e-3, 1e-3, (M, 2))

w_tilde(noise, uv, grid)
