"""The curvature matrix F = T^t w T of a linear inversion, with a dense mapping T."""
import numpy as np


def curvature_matrix(T, w):
    return np.dot(T.T, np.dot(w, T))


rng = np.random.default_rng(0)
M, S = 600, 150
T = rng.uniform(0.0, 1.0, (M, S))
w = rng.uniform(0.0, 1.0, (M, M))

curvature_matrix(T, w)
