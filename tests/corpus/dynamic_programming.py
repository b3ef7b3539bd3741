"""Tables filled from their own earlier entries."""

import numpy as np

from tests.corpus.sizes import of


def edit_distance(s, t):
    m, n = len(s), len(t)
    D = np.zeros((m + 1, n + 1), dtype=np.int64)
    D[:, 0] = np.arange(m + 1)
    D[0, :] = np.arange(n + 1)
    for i in range(1, m + 1):
        for j in range(1, n + 1):
            cost = 0 if s[i-1] == t[j-1] else 1
            D[i, j] = min(D[i-1, j] + 1, D[i, j-1] + 1, D[i-1, j-1] + cost)
    return D[m, n]


def edit_distance_args(size, rng):
    n = of(size, 8, 40, 150)
    return rng.integers(0, 4, n), rng.integers(0, 4, n + 3)


def knapsack(weights, values, W):
    n = len(weights)
    best = np.zeros(W + 1)
    for i in range(n):
        w = weights[i]
        for c in range(W, w - 1, -1):
            cand = best[c - w] + values[i]
            if cand > best[c]:
                best[c] = cand
    return best[W]


def knapsack_args(size, rng):
    n = of(size, 6, 20, 60)
    return rng.integers(1, 9, n), rng.random(n), of(size, 15, 60, 400)


def needleman_wunsch(seq_a, seq_b, match, mismatch, gap):
    na, nb = seq_a.size, seq_b.size
    score = np.zeros((na + 1, nb + 1))
    for i in range(na + 1):
        score[i, 0] = gap*i
    for j in range(nb + 1):
        score[0, j] = gap*j
    for i in range(1, na + 1):
        for j in range(1, nb + 1):
            diag = score[i-1, j-1] + (match if seq_a[i-1] == seq_b[j-1] else mismatch)
            up = score[i-1, j] + gap
            left = score[i, j-1] + gap
            score[i, j] = max(diag, up, left)
    return score


def needleman_wunsch_args(size, rng):
    n = of(size, 7, 30, 120)
    return rng.integers(0, 4, n), rng.integers(0, 4, n + 2), 1.0, -1.0, -2.0


def floyd_warshall(dist):
    d = dist.copy()
    n = d.shape[0]
    for k in range(n):
        for i in range(n):
            for j in range(n):
                if d[i, k] + d[k, j] < d[i, j]:
                    d[i, j] = d[i, k] + d[k, j]
    return d


def floyd_warshall_args(size, rng):
    n = of(size, 7, 20, 60)
    return (rng.integers(1, 100, (n, n)).astype(float),)


def floyd_vectorised(path):
    for k in range(path.shape[0]):
        path[:] = np.minimum(path[:], np.add.outer(path[:, k], path[k, :]))


def floyd_vectorised_args(size, rng):
    n = of(size, 7, 30, 150)
    return (rng.integers(1, 100, (n, n)),)


def viterbi(obs, start_p, trans_p, emit_p):
    T = len(obs)
    S = len(start_p)
    V = np.zeros((T, S))
    back = np.zeros((T, S), dtype=int)
    V[0] = np.log(start_p) + np.log(emit_p[:, obs[0]])
    for t in range(1, T):
        for s in range(S):
            prob = V[t-1] + np.log(trans_p[:, s])
            back[t, s] = np.argmax(prob)
            V[t, s] = prob[back[t, s]] + np.log(emit_p[s, obs[t]])
    path = np.zeros(T, dtype=int)
    path[T-1] = np.argmax(V[T-1])
    for t in range(T - 2, -1, -1):
        path[t] = back[t+1, path[t+1]]
    return path, V[-1].max()


def viterbi_args(size, rng):
    k, m = 3, 5
    p = rng.random((k, k)); e = rng.random((k, m))
    return (rng.integers(0, m, of(size, 9, 80, 600)), np.ones(k)/k, p/p.sum(1, keepdims=True), e/e.sum(1, keepdims=True))


def hmm_forward(obs, pi, A, B):
    alpha = pi*B[:, obs[0]]
    c = alpha.sum()
    alpha = alpha/c
    loglik = np.log(c)
    for o in obs[1:]:
        alpha = (alpha @ A)*B[:, o]
        c = alpha.sum()
        alpha /= c
        loglik += np.log(c)
    return loglik


def hmm_forward_args(size, rng):
    k, m = 4, 5
    p = rng.random((k, k)); e = rng.random((k, m))
    return (rng.integers(0, m, of(size, 9, 80, 600)), np.ones(k)/k, p/p.sum(1, keepdims=True), e/e.sum(1, keepdims=True))


def longest_increasing(seq):
    n = len(seq)
    L = np.ones(n, dtype=np.int32)
    for i in range(1, n):
        for j in range(i):
            if seq[j] < seq[i] and L[i] < L[j] + 1:
                L[i] = L[j] + 1
    return L.max()


def longest_increasing_args(size, rng):
    return (rng.random(of(size, 12, 60, 300)),)


def coin_change(coins, amount):
    ways = np.zeros(amount + 1, dtype=np.int64)
    ways[0] = 1
    for coin in coins:
        for a in range(coin, amount + 1):
            ways[a] += ways[a - coin]
    return ways


def coin_change_args(size, rng):
    return np.array([1, 2, 5, 10, 20]), of(size, 30, 200, 1000)


def seam_energy(energy):
    h, w = energy.shape
    M = energy.copy()
    for i in range(1, h):
        left = np.concatenate(([np.inf], M[i-1, :-1]))
        right = np.concatenate((M[i-1, 1:], [np.inf]))
        M[i] += np.minimum(np.minimum(left, M[i-1]), right)
    return M


def seam_energy_args(size, rng):
    n = of(size, 8, 50, 200)
    return (rng.random((n, n + 3)),)


def dtw(a, b):
    n, m = len(a), len(b)
    dtw_mat = np.full((n + 1, m + 1), np.inf)
    dtw_mat[0, 0] = 0
    for i in range(1, n + 1):
        for j in range(1, m + 1):
            dist = abs(a[i-1] - b[j-1])
            dtw_mat[i, j] = dist + min(dtw_mat[i-1, j], dtw_mat[i, j-1], dtw_mat[i-1, j-1])
    return dtw_mat[n, m]


def dtw_args(size, rng):
    n = of(size, 8, 30, 150)
    return rng.random(n), rng.random(n + 4)


def bottleneck_path(width, start, goal, load):
    """The widest path by Prim's order; the load that fits is taken off along it"""
    n = len(width)
    best = np.zeros(n)
    best[start] = np.inf
    before = np.full(n, -1, dtype=np.int32)
    done = np.zeros(n, dtype=bool)
    for _ in range(n):
        u = -1
        for v in range(n):
            if not done[v] and (u < 0 or best[v] > best[u]):
                u = v
        done[u] = True
        for v in range(n):
            through = min(best[u], width[u, v])
            if through > best[v] and not done[v]:
                best[v] = through
                before[v] = u
    v = goal
    fits = load
    while before[v] >= 0:
        fits = min(fits, width[before[v], v])
        v = before[v]
    v = goal
    while before[v] >= 0:
        width[before[v], v] -= fits
        v = before[v]
    return fits, best, width


def bottleneck_path_args(size, rng):
    n = of(size, 6, 30, 200)
    return rng.integers(0, 40, (n, n)).astype(float), 0, n - 1, 1000


def lot_sizing_wagner_whitin(d, K, h):
    T = len(d)
    F = np.full(T + 1, np.inf)
    F[0] = 0.0
    last = np.zeros(T + 1, dtype=int)
    for t in range(1, T + 1):
        cost = 0.0
        hold = 0.0
        for s in range(t, 0, -1):
            hold = h*np.arange(t - s + 1) @ d[s - 1:t]
            cost = F[s - 1] + K + hold
            if cost < F[t]:
                F[t] = cost
                last[t] = s
    plan = np.zeros(T)
    t = T
    while t > 0:
        s = last[t]
        plan[s - 1] = d[s - 1:t].sum()
        t = s - 1
    return F[T], plan


def lot_sizing_wagner_whitin_args(size, rng):
    return rng.integers(0, 50, of(size, 8, 50, 250)).astype(float), 120.0, 1.0


def lcs_rolling(a, b):
    n = len(b)
    prev = [0]*(n + 1)
    for x in a:
        cur = [0]*(n + 1)
        for j in range(1, n + 1):
            if x == b[j-1]:
                cur[j] = prev[j-1] + 1
            else:
                cur[j] = max(prev[j], cur[j-1])
        prev = cur
    return prev[n]


def lcs_rolling_args(size, rng):
    n = of(size, 12, 40, 100)
    return rng.integers(0, 4, n), rng.integers(0, 4, n+2)


def optimal_bst(p):
    n = len(p)
    cost = [[0.0 for _ in range(n)] for _ in range(n)]
    for i in range(n):
        cost[i][i] = p[i]
    for L in range(2, n + 1):
        for i in range(n - L + 1):
            j = i + L - 1
            cost[i][j] = float("inf")
            s = sum(p[i:j+1])
            for r in range(i, j + 1):
                c = s + (cost[i][r-1] if r > i else 0) + (cost[r+1][j] if r < j else 0)
                if c < cost[i][j]:
                    cost[i][j] = c
    return cost[0][n-1]


def optimal_bst_args(size, rng):
    return (rng.random(of(size, 6, 15, 40)),)


def knapsack_unbounded_start(w, v, cap):
    best = [-np.inf]*(cap + 1)
    best[0] = 0.0
    for i in range(len(w)):
        for c in range(cap, w[i] - 1, -1):
            if best[c - w[i]] + v[i] > best[c]:
                best[c] = best[c - w[i]] + v[i]
    return max(best)


def knapsack_unbounded_start_args(size, rng):
    n = of(size, 6, 20, 40)
    return rng.integers(1, 6, n), rng.random(n), int(of(size, 12, 40, 200))


def local_alignment(s, t, match, mismatch, gap):
    """Needleman and Wunsch's table with free ends of the second sequence"""
    m, n = len(s), len(t)
    H = np.zeros((m + 1, n + 1))
    H[:, 0] = -gap*np.arange(m + 1)
    for i in range(1, m + 1):
        for j in range(1, n + 1):
            same = match if s[i-1] == t[j-1] else mismatch
            H[i, j] = max(H[i-1, j-1] + same, H[i-1, j] - gap, H[i, j-1] - gap)
    return H[m].max()


def local_alignment_args(size, rng):
    n = of(size, 10, 40, 150)
    return rng.integers(0, 4, n), rng.integers(0, 4, n + 5), 2.0, -1.0, 1.5


def transpositions_too(s, t):
    # edits and swaps of neighbours; a row and a column that count up around the table
    m, n = len(s), len(t)
    D = np.empty((m + 1, n + 1), dtype=np.int64)
    D[:, 0] = np.arange(m + 1)
    D[0, :] = np.arange(n + 1)
    for i in range(1, m + 1):
        for j in range(1, n + 1):
            D[i, j] = min(D[i-1, j] + 1, D[i, j-1] + 1, D[i-1, j-1] + (s[i-1] != t[j-1]))
            if i > 1 and j > 1 and s[i-1] == t[j-2] and s[i-2] == t[j-1]:
                D[i, j] = min(D[i, j], D[i-2, j-2] + 1)
    return D[m, n]


def transpositions_too_args(size, rng):
    n = of(size, 9, 40, 150)
    return rng.integers(0, 4, n), rng.integers(0, 4, n + 2)
