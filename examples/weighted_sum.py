"""A weighted sum of any number of arrays, added in place to an array that the caller owns; nothing is returned."""
import numpy as np


def weighted_sum(out, weights, *arrays):
    for w, a in zip(weights, arrays):
        out += w * a


rng = np.random.default_rng(0)
N = 1_000_000
out = np.zeros(N)
weights = (0.5, 0.25, 0.125, 0.125)
arrays = [rng.standard_normal(N) for _ in weights]

weighted_sum(out, weights, *arrays)
