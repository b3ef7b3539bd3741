"""Functions whose derivatives are known, and what becomes of them."""

import numpy as np


def energy(x, k):
    d = x[1:] - x[:-1]
    return 0.5 * k * np.sum(d**2) + np.sum(np.cos(x))


def energy_grad(x, k):
    d = x[1:] - x[:-1]
    result = -np.sin(x)
    result[1:] += k * d
    result[:-1] -= k * d
    return result


def curve(x, a):
    return np.exp(-a * x) * np.cumsum(x)


def curve_jacobian(x, a):
    n = len(x)
    return np.exp(-a * x)[:, None] * np.tril(np.ones((n, n))) - np.diag(a * np.exp(-a * x) * np.cumsum(x))


def rectified_cube(x):
    if x >= 0:
        return x**3
    else:
        return -(x**3)


def squares(x):
    return np.sum(x**2)


def rosenbrock(x):
    return np.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1.0 - x[:-1]) ** 2)


def by_name(x, *, k=2.0):
    return np.sum(np.sin(k * x))


def relu(x):
    return np.sum(np.maximum(x, 0.0))


def roots(x):
    return np.sum(np.where(x > 0, np.sqrt(x), 0.0))


def rounded(x):
    return np.sum(np.round(x * 10.0))


def noisy(x):
    return float(np.sum(np.sin(x.astype(np.float32))))


def until(x):
    total = x[0]
    while total < 100.0:
        total = total * 1.5 + x[1]
    return total


def counted(x, n):
    total = 0.0
    for i in range(n):
        total = total + np.sin(x[i]) * x[i]
    return total


def writes(x):
    x[0] = 1.0
    return np.sum(x)


def two(x):
    return x, x


def draws(x, rng):
    return np.sum(x) * rng.random()


def distance(p, q):
    return np.sqrt(np.sum((p - q) ** 2))


def shifted(row, k):
    return np.cumsum(row) * k


def branchy(v):
    if v > 0.5:
        return v * 2.0
    return v - 1.0
