# ruff: noqa: B905, C417 -- as it is written in notebooks.
"""Comprehensions, generators, map and accumulate over arrays; ranges that are zipped; lists made of arrays;
characters of strings."""

import math
from itertools import accumulate, combinations

import numpy as np

from tests.corpus.sizes import of


def lagrange_weights(x):
    n = len(x)
    diff = np.array([[x[i] - x[j] if i != j else 1.0 for j in range(n)] for i in range(n)])
    return 1.0 / diff.prod(axis=1)


def lagrange_weights_args(size, rng):
    return (np.cos(np.pi * np.arange(of(size, 6, 20, 40)) / of(size, 6, 20, 40)),)


def structure_function(v, max_lag):
    """Second-order structure function of a velocity record"""
    n = len(v)
    return np.array([np.mean([(v[i + lag] - v[i]) ** 2 for i in range(n - max_lag)]) for lag in range(1, max_lag + 1)])


def structure_function_args(size, rng):
    return np.cumsum(rng.normal(size=of(size, 40, 400, 4000))), of(size, 6, 40, 60)


def madelung_sum(charges, positions):
    n = len(charges)
    energy = sum(
        charges[i] * charges[j] / np.linalg.norm(positions[i] - positions[j]) for i in range(n) for j in range(i + 1, n)
    )
    nearest = min(np.linalg.norm(positions[i] - positions[j]) for i in range(n) for j in range(i + 1, n))
    return energy, nearest


def madelung_sum_args(size, rng):
    n = of(size, 8, 60, 400)
    return rng.choice([-1.0, 1.0], n), rng.uniform(0, 5, (n, 3))


def kernel_regression(t, x, y, h):
    weights = [np.exp(-0.5 * ((t_i - x) / h) ** 2) for t_i in t]
    return np.array([np.sum(w * y) / np.sum(w) for w in weights])


def kernel_regression_args(size, rng):
    n = of(size, 20, 200, 1000)
    return np.linspace(0, 1, of(size, 8, 60, 300)), rng.random(n), rng.normal(size=n), 0.1


def bond_prices(cash, times, yields):
    prices = [sum(c * math.exp(-y * t) for c, t in zip(cash, times)) for y in yields]
    return np.array(prices), max(prices) - min(prices)


def bond_prices_args(size, rng):
    n = of(size, 6, 40, 60)
    return rng.uniform(1, 5, n), np.arange(1.0, n + 1), rng.uniform(0.0, 0.1, of(size, 10, 200, 5000))


def majority_automaton(cells, steps, code):
    table = [(code >> s) & 1 for s in range(4)]
    n = len(cells)
    state = cells.copy()
    for _ in range(steps):
        new = np.zeros_like(state)
        for i in range(n):
            new[i] = table[state[i - 1] + state[i] + state[(i + 1) % n]]
        state = new
    return state


def majority_automaton_args(size, rng):
    return rng.integers(0, 2, of(size, 15, 100, 1000)), of(size, 4, 30, 100), 6


def clamped_slopes(x, y):
    """Slopes of a cubic spline with flat ends, by the tridiagonal recurrence"""
    n = len(x) - 1
    h = [x[i + 1] - x[i] for i in range(n)]
    rhs = [0.0] + [3 * ((y[i + 1] - y[i]) / h[i] - (y[i] - y[i - 1]) / h[i - 1]) for i in range(1, n)] + [0.0]
    c, d = np.zeros(n + 1), np.ones(n + 1)
    for i in range(1, n):
        m = h[i - 1] / d[i - 1]
        d[i] = 2 * (h[i] + h[i - 1]) - m * h[i - 1]
        c[i] = rhs[i] - m * c[i - 1]
    return c / d


def clamped_slopes_args(size, rng):
    x = np.cumsum(rng.uniform(0.5, 1.5, of(size, 9, 300, 30_000)))
    return x, np.cos(x)


def drawdown_list(equity):
    peaks = list(accumulate(equity, max))
    return np.max(1 - equity / np.array(peaks)), peaks[-1]


def drawdown_list_args(size, rng):
    return (100 * np.exp(np.cumsum(rng.normal(0, 0.01, of(size, 30, 1000, 100_000)))),)


def cumulative_dose(rates, limit):
    total = list(accumulate(rates))
    scaled = list(map(lambda d: min(d, limit) / limit, total))
    return np.array(scaled), sum(scaled)


def cumulative_dose_args(size, rng):
    return rng.random(of(size, 20, 500, 50_000)), 8.0


def longest_palindrome(s):
    """Longest palindromic subsequence, a diagonal at a time"""
    n = len(s)
    L = np.ones((n, n), dtype=int)
    for width in range(2, n + 1):
        for i, j in zip(range(n), range(width - 1, n)):
            if s[i] == s[j]:
                L[i, j] = 2 if width == 2 else L[i + 1, j - 1] + 2
            else:
                L[i, j] = max(L[i, j - 1], L[i + 1, j])
    return L[0, n - 1]


def longest_palindrome_args(size, rng):
    return (rng.integers(0, 4, of(size, 12, 60, 400)),)


def time_reversed_match(x, y):
    score = 0.0
    for k, (i, j) in enumerate(zip(range(len(x)), range(len(y) - 1, -1, -1)), 1):
        score = 0.9 * score + x[i] * y[j] / k
    return score


def time_reversed_match_args(size, rng):
    n = of(size, 15, 500, 20_000)
    return rng.normal(size=n), rng.normal(size=n + 3)


def cheapest_merges(stones):
    """Merging neighbouring piles, over prefix sums in a list"""
    ends = [0] + list(np.cumsum(stones))
    sizes = list(stones)
    n = len(sizes)
    cost = [[0] * n for _ in range(n)]
    for width in range(1, n):
        for i in range(n - width):
            j = i + width
            best = 10**9
            for k in range(i, j):
                best = min(best, cost[i][k] + cost[k + 1][j])
            cost[i][j] = best + ends[j + 1] - ends[i]
    return cost[0][n - 1]


def cheapest_merges_args(size, rng):
    return (rng.integers(1, 20, of(size, 7, 30, 120)),)


def gnome_sort(values):
    a = values.tolist()
    i = 0
    while i < len(a):
        if i == 0 or a[i] >= a[i - 1]:
            i += 1
        else:
            a[i], a[i - 1] = a[i - 1], a[i]
            i -= 1
    return np.array(a)


def gnome_sort_args(size, rng):
    return (rng.normal(size=of(size, 10, 60, 400)),)


def walk_to(height, start, goal):
    """Steps of a walker who goes along the gentler of two ways"""
    r, c = start
    climbed, steps = 0.0, 0
    while (r, c) != goal:
        down = abs(height[r + 1, c] - height[r, c]) if r < goal[0] else np.inf
        right = abs(height[r, c + 1] - height[r, c]) if c < goal[1] else np.inf
        if down < right:
            r += 1
            climbed += down
        else:
            c += 1
            climbed += right
        steps += 1
    return climbed, steps


def walk_to_args(size, rng):
    n = of(size, 8, 60, 500)
    return rng.random((n, n)), (0, 0), (n - 1, n - 2)


def diffusing_until(grid, source, sink):
    """Row and column of the largest value, moved uphill until it is the sink or stays"""
    here = source
    path = 0
    for _ in range(grid.shape[0]):
        if here == sink:
            break
        i, j = here
        here = (min(i + 1, sink[0]), min(j + 1, sink[1]))
        path += int(grid[here[0], here[1]] > 0.5)
    return path


def diffusing_until_args(size, rng):
    n = of(size, 8, 60, 500)
    return rng.random((n, n)), (0, 1), (n - 2, n - 1)


def coulomb_pairs(q, pos):
    return sum(q[i] * q[j] / np.linalg.norm(pos[i] - pos[j]) for i, j in combinations(range(len(q)), 2))


def coulomb_pairs_args(size, rng):
    n = of(size, 6, 40, 300)
    return rng.choice([-1.0, 1.0], n), rng.normal(size=(n, 3))


def common_subsequence_text(s, t):
    prev = [0] * (len(t) + 1)
    for a in s:
        cur = [0] * (len(t) + 1)
        for j, b in enumerate(t):
            cur[j + 1] = prev[j] + 1 if a == b else max(prev[j + 1], cur[j])
        prev = cur
    return prev[-1]


def common_subsequence_text_args(size, rng):
    n = of(size, 12, 80, 400)
    return "".join(rng.choice(list("ACGT"), n)), "".join(rng.choice(list("ACGT"), n + 5))


def longest_palindromic_substring(text):
    n = len(text)
    inside = np.zeros((n, n), dtype=bool)
    first, length = 0, 1
    for i in range(n - 1, -1, -1):
        for j in range(i, n):
            if text[i] == text[j] and (j - i < 2 or inside[i + 1, j - 1]):
                inside[i, j] = True
                if j - i + 1 > length:
                    first, length = i, j - i + 1
    return first, length


def longest_palindromic_substring_args(size, rng):
    return ("".join(rng.choice(list("ab"), of(size, 12, 80, 400))),)
