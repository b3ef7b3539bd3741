"""The w-tilde matrix again, one visibility at a time: at M = 70 000 and K = 1e7 the dense form would need 700 PiB."""
import numpy as np


def w_tilde_low_memory(noise, uv, grid):
    M = grid.shape[0]
    K = uv.shape[0]
    dy = grid[:, 0].reshape(M, 1) - grid[:, 0]
    dx = grid[:, 1].reshape(M, 1) - grid[:, 1]
    w = np.zeros((M, M))
    for k in range(K):
        w += np.cos(2 * np.pi * (dx * uv[k, 1] + dy * uv[k, 0])) / noise[k]**2
    return w


rng = np.random.default_rng(0)
M, K = 120, 300
noise = rng.uniform(0.5, 2.0, K)
uv = rng.normal(0.0, 1e3, (K, 2))
grid = rng.uniform(-1e-3, 1e-3, (M, 2))

w_tilde_low_memory(noise, uv, grid)
