"""Interval tables and shortest paths."""

import numpy as np

from tests.corpus.sizes import of


def nussinov(seq):
    """Most base pairs of an RNA sequence (0 A, 1 C, 2 G, 3 U); loops of at least one base."""
    n = len(seq)
    table = np.zeros((n, n), dtype=np.int64)
    for i in range(n - 1, -1, -1):
        for j in range(i + 1, n):
            best = max(table[i+1, j], table[i, j-1])
            if j > i + 1 and seq[i] + seq[j] == 3:
                best = max(best, table[i+1, j-1] + 1)
            for k in range(i + 1, j):
                best = max(best, table[i, k] + table[k+1, j])
            table[i, j] = best
    return table


def nussinov_args(size, rng):
    return (rng.integers(0, 4, of(size, 9, 25, 80)),)


def matrix_chain(p):
    n = len(p) - 1
    m = np.zeros((n, n))
    for length in range(2, n + 1):
        for i in range(n - length + 1):
            j = i + length - 1
            m[i, j] = np.inf
            for k in range(i, j):
                cost = m[i, k] + m[k+1, j] + p[i]*p[k+1]*p[j+1]
                if cost < m[i, j]:
                    m[i, j] = cost
    return m[0, n-1]


def matrix_chain_args(size, rng):
    return (rng.integers(5, 50, of(size, 7, 20, 80)),)


def bellman_ford(src, dst, weight, n, source):
    dist = np.full(n, np.inf)
    dist[source] = 0.0
    for _ in range(n - 1):
        changed = False
        for e in range(len(src)):
            alt = dist[src[e]] + weight[e]
            if alt < dist[dst[e]]:
                dist[dst[e]] = alt
                changed = True
        if not changed:
            break
    return dist


def bellman_ford_args(size, rng):
    n = of(size, 8, 50, 300)
    return rng.integers(0, n, 4*n), rng.integers(0, n, 4*n), rng.random(4*n), n, 0


def dijkstra_dense(W, start):
    n = W.shape[0]
    dist = np.full(n, np.inf)
    visited = np.zeros(n, dtype=bool)
    dist[start] = 0
    for _ in range(n):
        masked = np.where(visited, np.inf, dist)
        u = np.argmin(masked)
        visited[u] = True
        dist = np.minimum(dist, dist[u] + W[u])
    return dist


def dijkstra_dense_args(size, rng):
    n = of(size, 8, 60, 500)
    return rng.random((n, n)) + 0.01, 0


def longest_common_substring(a, b):
    prev = np.zeros(len(b) + 1, dtype=int)
    best = 0
    for i in range(len(a)):
        cur = np.zeros(len(b) + 1, dtype=int)
        for j in range(len(b)):
            if a[i] == b[j]:
                cur[j+1] = prev[j] + 1
                if cur[j+1] > best:
                    best = cur[j+1]
        prev = cur
    return best


def longest_common_substring_args(size, rng):
    n = of(size, 9, 40, 150)
    return rng.integers(0, 3, n), rng.integers(0, 3, n + 2)


def widest_paths(capacity):
    """maximum bottleneck between all pairs"""
    W = capacity.copy()
    n = W.shape[0]
    for via in range(n):
        for a in range(n):
            for b in range(n):
                thru = min(W[a, via], W[via, b])
                if thru > W[a, b]:
                    W[a, b] = thru
    return W


def widest_paths_args(size, rng):
    n = of(size, 7, 25, 120)
    return (rng.uniform(0, 10, (n, n)) * (rng.random((n, n)) < 0.4),)


def transitive_closure(adj):
    reach = adj > 0
    n = len(reach)
    for k in range(n):
        for i in range(n):
            for j in range(n):
                reach[i, j] = reach[i, j] or (reach[i, k] and reach[k, j])
    return reach


def transitive_closure_args(size, rng):
    n = of(size, 7, 25, 120)
    return ((rng.random((n, n)) < 1.5/n).astype(np.int8),)


def longest_run_positions(x, level):
    # runs above the level: where the long ones start
    above = x > level
    run = np.zeros(len(x), dtype=int)
    for i in range(len(x) - 1, -1, -1):
        if above[i]:
            run[i] = 1 + (run[i+1] if i + 1 < len(x) else 0)
    best = run.max()
    return np.flatnonzero(run == best), best


def longest_run_positions_args(size, rng):
    return rng.normal(size=of(size, 30, 1000, 100000)), 0.2


def closest_value(x, target):
    best = None
    for v in x:
        if best is None or abs(v - target) < abs(best - target):
            best = v
    return best


def closest_value_args(size, rng):
    return rng.random(of(size, 8, 80, 8000)), 0.4


def gap_starts(x, thr):
    start = None
    longest = 0
    where = (0, 0)
    for i, v in enumerate(x):
        if v > thr and start is None:
            start = i
        elif v <= thr and start is not None:
            if i - start > longest:
                longest = i - start
                where = (start, i)
            start = None
    return longest, where


def gap_starts_args(size, rng):
    return rng.random(of(size, 20, 200, 20000)), 0.4


def best_pair(x):
    best, pair = np.inf, None
    n = len(x)
    for i in range(n):
        for j in range(i + 1, n):
            d = abs(x[i] - x[j])
            if d < best:
                best = d
                pair = (i, j)
    return pair, best


def best_pair_args(size, rng):
    return (rng.random(of(size, 8, 50, 500)),)
