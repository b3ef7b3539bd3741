"""Dynamic programming, graphs, combinatorics."""

import numpy as np

from tests.corpus.sizes import of

BIG = 10**9


def optimal_bst(p, q):
    """Knuth's optimal search tree (without his speed-up)."""
    n = len(p)
    e = np.zeros((n + 2, n + 1))
    w = np.zeros((n + 2, n + 1))
    root = np.zeros((n + 1, n + 1), dtype=int)
    for i in range(1, n + 2):
        e[i, i-1] = q[i-1]
        w[i, i-1] = q[i-1]
    for l in range(1, n + 1):
        for i in range(1, n - l + 2):
            j = i + l - 1
            e[i, j] = np.inf
            w[i, j] = w[i, j-1] + p[j-1] + q[j]
            for r in range(i, j + 1):
                t = e[i, r-1] + e[r+1, j] + w[i, j]
                if t < e[i, j]:
                    e[i, j] = t
                    root[i, j] = r
    return e[1, n], root


def optimal_bst_args(size, rng):
    n = of(size, 8, 30, 100)
    pq = rng.random(2*n + 1)
    pq /= pq.sum()
    return pq[:n], pq[n:]


def lis_indices(a):
    n = len(a)
    tails = []      # index of the smallest tail for each length
    prev = np.full(n, -1)
    for i in range(n):
        lo, hi = 0, len(tails)
        while lo < hi:
            mid = (lo + hi)//2
            if a[tails[mid]] < a[i]:
                lo = mid + 1
            else:
                hi = mid
        if lo > 0:
            prev[i] = tails[lo-1]
        if lo == len(tails):
            tails.append(i)
        else:
            tails[lo] = i
    seq = []
    k = tails[-1]
    while k != -1:
        seq.append(k)
        k = prev[k]
    seq.reverse()
    return np.array(seq)


def lis_indices_args(size, rng):
    n = of(size, 50, 3000, 80000)
    return (rng.integers(0, 10*n, n),)


def split_evenly(w):
    """Partition problem: smallest difference of two piles, bit table by slices"""
    total = int(w.sum())
    half = total//2
    can = np.zeros((len(w) + 1, half + 1), dtype=bool)
    can[0, 0] = True
    for i, wi in enumerate(w):
        can[i+1] = can[i]
        if wi <= half:
            can[i+1, wi:] |= can[i, :half + 1 - wi]
    s = np.flatnonzero(can[-1])[-1]
    left = np.zeros(len(w), dtype=bool)
    r = s
    for i in range(len(w) - 1, -1, -1):
        if not can[i, r]:
            left[i] = True
            r -= w[i]
    return total - 2*s, left


def split_evenly_args(size, rng):
    return (rng.integers(1, of(size, 20, 200, 2000), of(size, 8, 50, 250)),)


def assignment(C):
    # Hungarian, potentials, rows added one at a time (1-based inside)
    n, m = C.shape
    u = np.zeros(n + 1)
    v = np.zeros(m + 1)
    match = np.zeros(m + 1, dtype=np.int64)
    way = np.zeros(m + 1, dtype=np.int64)
    for i in range(1, n + 1):
        match[0] = i
        j0 = 0
        minv = np.full(m + 1, np.inf)
        used = np.zeros(m + 1, dtype=bool)
        while True:
            used[j0] = True
            i0 = match[j0]
            delta = np.inf
            j1 = -1
            for j in range(1, m + 1):
                if not used[j]:
                    cur = C[i0-1, j-1] - u[i0] - v[j]
                    if cur < minv[j]:
                        minv[j] = cur
                        way[j] = j0
                    if minv[j] < delta:
                        delta = minv[j]
                        j1 = j
            for j in range(m + 1):
                if used[j]:
                    u[match[j]] += delta
                    v[j] -= delta
                else:
                    minv[j] -= delta
            j0 = j1
            if match[j0] == 0:
                break
        while j0 != 0:
            j1 = way[j0]
            match[j0] = match[j1]
            j0 = j1
    col = np.zeros(n, dtype=np.int64)
    cost = 0.0
    for j in range(1, m + 1):
        if match[j] > 0:
            col[match[j]-1] = j - 1
            cost += C[match[j]-1, j-1]
    return col, cost


def assignment_args(size, rng):
    n = of(size, 6, 22, 70)
    return (rng.random((n, n + 3)),)


def prim_dense(W):
    n = W.shape[0]
    intree = np.zeros(n, dtype=bool)
    dist = W[0].copy()
    par = np.zeros(n, dtype=int)
    par[0] = -1
    intree[0] = True
    total = 0.0
    for _ in range(n - 1):
        d = np.where(intree, np.inf, dist)
        k = np.argmin(d)
        total += d[k]
        intree[k] = True
        closer = (W[k] < dist) & ~intree
        dist[closer] = W[k, closer]
        par[closer] = k
    return total, par


def prim_dense_args(size, rng):
    xy = rng.random((of(size, 15, 200, 1500), 2))
    return (np.linalg.norm(xy[:, None] - xy[None], axis=-1),)


def pagerank_csr(indptr, indices, d=0.85, tol=1e-8, maxit=100):
    n = len(indptr) - 1
    x = np.full(n, 1.0/n)
    it = 0
    while it < maxit:
        new = np.zeros(n)
        dangling = 0.0
        for i in range(n):
            beg, end = indptr[i], indptr[i+1]
            deg = end - beg
            if deg == 0:
                dangling += x[i]
                continue
            share = x[i]/deg
            for k in range(beg, end):
                new[indices[k]] += share
        new = d*(new + dangling/n) + (1 - d)/n
        diff = np.abs(new - x).sum()
        x = new
        it += 1
        if diff < tol:
            break
    return x, it


def pagerank_csr_args(size, rng):
    n = of(size, 15, 150, 2500)
    deg = rng.integers(0, 8, n)
    indptr = np.concatenate(([0], np.cumsum(deg))).astype(np.int32)
    return indptr, rng.integers(0, n, indptr[-1]).astype(np.int32), 0.85, of(size, 1e-3, 1e-6, 1e-10)


def edmonds_karp(cap, s, t):
    """Max flow; cap becomes the residual network"""
    n = len(cap)
    flow = 0
    rounds = 0
    while True:
        pred = np.full(n, -1, dtype=np.int32)
        pred[s] = s
        queue = [s]
        head = 0
        while head < len(queue) and pred[t] < 0:
            u = queue[head]
            head += 1
            for v in range(n):
                if cap[u, v] > 0 and pred[v] < 0:
                    pred[v] = u
                    queue.append(v)
        if pred[t] < 0:
            return flow, rounds, pred >= 0
        push = BIG
        v = t
        while v != s:
            push = min(push, cap[pred[v], v])
            v = pred[v]
        v = t
        while v != s:
            cap[pred[v], v] -= push
            cap[v, pred[v]] += push
            v = pred[v]
        flow += push
        rounds += 1


def edmonds_karp_args(size, rng):
    n = of(size, 8, 22, 70)
    cap = rng.integers(1, 30, (n, n))*(rng.random((n, n)) < 0.3)
    cap[np.arange(n), np.arange(n)] = 0
    return cap, 0, n - 1


def bfs_levels(A):
    # all sources together, boolean matrix products; -1 = unreachable
    n = A.shape[0]
    M = A.astype(np.float32)
    lev = np.full((n, n), -1, dtype=np.int16)
    front = np.eye(n, dtype=bool)
    d = 0
    while front.any():
        lev[front] = d
        front = (front.astype(np.float32) @ M > 0) & (lev < 0)
        d += 1
    reach = lev >= 0
    scc = reach & reach.T
    comp = np.argmax(scc, axis=1)
    return lev, comp, len(np.unique(comp))


def bfs_levels_args(size, rng):
    n = of(size, 12, 100, 500)
    return (rng.random((n, n)) < 2.0/n,)


def osa_distance(s, t, wins=1, wdel=1, wsub=1, wswap=1):
    """edit distance where adjacent transpositions count once"""
    m, n = len(s), len(t)
    if m == 0:
        return n*wins
    if n == 0:
        return m*wdel
    d0 = np.zeros(n + 1, dtype=np.int64)
    d1 = np.arange(n + 1)*wins
    d2 = np.empty(n + 1, dtype=np.int64)
    for i in range(m):
        d2[0] = (i + 1)*wdel
        for j in range(n):
            c = d1[j] + (wsub if s[i] != t[j] else 0)
            if i > 0 and j > 0 and s[i-1] == t[j] and s[i] == t[j-1] and d0[j-1] + wswap < c:
                c = d0[j-1] + wswap
            if d1[j+1] + wdel < c:
                c = d1[j+1] + wdel
            if d2[j] + wins < c:
                c = d2[j] + wins
            d2[j+1] = c
        d0, d1, d2 = d1, d2, d0
    return d1[n]


def osa_distance_args(size, rng):
    n = of(size, 25, 120, 600)
    s = rng.integers(97, 103, n).astype(np.uint8)
    t = s.copy()
    k = rng.integers(0, n - 1, n//6)
    t[k], t[k+1] = s[k+1], s[k]
    return s, np.delete(t, [n//2, n//3])


def grundy_values(n, moves, heaps):
    g = np.zeros(n + 1, dtype=np.int64)
    nm = len(moves)
    for h in range(1, n + 1):
        seen = np.zeros(nm + 2, dtype=np.bool_)
        for m in moves:
            if m > h:
                break   # sorted
            seen[g[h-m]] = True
        mex = 0
        while seen[mex]:
            mex += 1
        g[h] = mex
    x = 0
    for h in heaps:
        x ^= g[h]
    winning = []
    for i, h in enumerate(heaps):
        for m in moves:
            if m <= h and x ^ g[h] ^ g[h-m] == 0:
                winning.append((i, m))
    return g, x, np.array(winning, dtype=np.int64).reshape(-1, 2)


def grundy_values_args(size, rng):
    n = of(size, 100, 4000, 100000)
    moves = np.sort(rng.choice(np.arange(1, 30), 6, replace=False))
    return n, moves, rng.integers(1, n + 1, of(size, 4, 10, 100))


def two_opt_tour(D, tour):
    n = len(tour)
    tour = tour.copy()
    improved = True
    while improved:
        improved = False
        for i in range(1, n - 1):
            for k in range(i + 1, n):
                a, b = tour[i-1], tour[i]
                c, d = tour[k], tour[(k+1) % n]
                delta = D[a, c] + D[b, d] - D[a, b] - D[c, d]
                if delta < -1e-10:
                    tour[i:k+1] = tour[i:k+1][::-1]
                    improved = True
    return tour


def two_opt_tour_args(size, rng):
    n = of(size, 8, 20, 60)
    p = rng.random((n, 2))
    return np.sqrt(((p[:, None]-p[None])**2).sum(-1)), np.arange(n)


def annealed_tour(D, route, us, temps):
    route = route.copy()
    n = len(route)
    cost = 0.0
    for i in range(n):
        cost += D[route[i], route[(i+1) % n]]
    for t in range(len(temps)):
        i = int(us[t, 0]*n)
        j = int(us[t, 1]*n)
        if i > j:
            i, j = j, i
        if j - i < 1 or (i == 0 and j == n-1):
            continue
        a, b = route[i-1], route[i]
        c, d = route[j], route[(j+1) % n]
        delta = D[a, c] + D[b, d] - D[a, b] - D[c, d]
        if delta < 0 or us[t, 2] < np.exp(-delta/temps[t]):
            route[i:j+1] = route[i:j+1][::-1]
            cost += delta
    return route, cost


def annealed_tour_args(size, rng):
    n = of(size, 8, 20, 60)
    p = rng.random((n, 2)); T = int(of(size, 30, 100, 2000))
    return np.sqrt(((p[:, None]-p[None])**2).sum(-1)), np.arange(n), rng.random((T, 3)), np.geomspace(1, .01, T)


def percolation_labels(grid):
    m, n = grid.shape
    parent = np.arange(m*n)
    def find(i):
        while parent[i] != i:
            parent[i] = parent[parent[i]]
            i = parent[i]
        return i
    for i in range(m):
        for j in range(n):
            if not grid[i, j]:
                continue
            if i + 1 < m and grid[i+1, j]:
                a, b = find(i*n + j), find((i+1)*n + j)
                if a != b:
                    parent[a] = b
            if j + 1 < n and grid[i, j+1]:
                a, b = find(i*n + j), find(i*n + j + 1)
                if a != b:
                    parent[a] = b
    labels = np.empty(m*n, dtype=np.int64)
    for k in range(m*n):
        labels[k] = find(k)
    return labels.reshape(m, n)


def percolation_labels_args(size, rng):
    n = of(size, 5, 12, 40)
    return (rng.random((n, n)) < 0.6,)


def largest_component(pairs, n):
    parent = np.arange(n)
    size = np.ones(n, dtype=int)
    def find(x):
        while parent[x] != x:
            parent[x] = parent[parent[x]]
            x = parent[x]
        return x
    for a, b in pairs:
        ra, rb = find(a), find(b)
        if ra == rb:
            continue
        if size[ra] < size[rb]:
            ra, rb = rb, ra
        parent[rb] = ra
        size[ra] += size[rb]
    return max(size[find(i)] for i in range(n))


def largest_component_args(size, rng):
    n = of(size, 10, 50, 500)
    return rng.integers(0, n, (n//2+2, 2)), int(n)


def kruskal_with_list(u, v, w, n):
    order = np.argsort(w, kind="stable")
    parent = list(range(n))
    total = 0.0
    count = 0
    for e in order:
        a = u[e]
        while parent[a] != a:
            parent[a] = parent[parent[a]]
            a = parent[a]
        b = v[e]
        while parent[b] != b:
            parent[b] = parent[parent[b]]
            b = parent[b]
        if a != b:
            parent[a] = b
            total += w[e]
            count += 1
            if count == n - 1:
                break
    return total


def kruskal_with_list_args(size, rng):
    n = of(size, 8, 30, 200); m = 4*n
    return rng.integers(0, n, m), rng.integers(0, n, m), rng.random(m), int(n)


def hop_counts(u, v, n):
    """Hops from node 0 in an undirected graph, by lists of neighbours and a queue"""
    near = [[] for _ in range(n)]
    for a, b in zip(u, v):
        near[a].append(b)
        near[b].append(a)
    hops = np.full(n, -1)
    hops[0] = 0
    queue = [0]
    while queue:
        k = queue.pop(0)
        for m in near[k]:
            if hops[m] < 0:
                hops[m] = hops[k] + 1
                queue.append(m)
    return hops


def hop_counts_args(size, rng):
    n = of(size, 20, 300, 5000)
    return rng.integers(0, n, 2*n), rng.integers(0, n, 2*n), n


def group_means(labels, x):
    """Mean of each group, gathered in dicts, in the order of the labels"""
    total = {}
    count = {}
    for g, v in zip(labels, x):
        total[g] = total.get(g, 0.0) + v
        count[g] = count.get(g, 0) + 1
    groups = sorted(total)
    return np.array([total[g]/count[g] for g in groups]), len(groups)


def group_means_args(size, rng):
    n = of(size, 40, 2000, 100000)
    return rng.integers(0, 6, n), rng.normal(size=n)


def link_scores(src, dst, n, d=0.85, tol=1e-10):
    """Stationary scores of a random surfer over links; pages without links jump anywhere."""
    out = np.bincount(src, minlength=n)
    r = np.ones(n)/n
    while True:
        new = np.full(n, (1 - d)/n)
        np.add.at(new, dst, d*np.where(out > 0, r/np.maximum(out, 1), 0)[src])
        new += d*r[out == 0].sum()/n
        if np.abs(new - r).sum() < tol:
            return new
        r = new


def link_scores_args(size, rng):
    n = of(size, 10, 100, 2000)
    return rng.integers(0, n, 4*n), rng.integers(0, n, 4*n), n


def label_diffusion(W, labels, alpha=0.8, tol=1e-8):
    """Spread known labels (one column a class, zero rows are unknown) over a weighted graph."""
    S = W/W.sum(axis=1, keepdims=True)
    F = labels.astype(float)
    rounds = 0
    while True:
        new = S @ F
        new *= alpha
        new += (1 - alpha)*labels
        rounds += 1
        if np.max(np.abs(new - F)) < tol:
            return new, rounds
        F = new


def label_diffusion_args(size, rng):
    n = of(size, 8, 60, 400)
    W = rng.random((n, n))
    labels = np.zeros((n, 3))
    labels[np.arange(0, n, 4), rng.integers(0, 3, len(range(0, n, 4)))] = 1
    return W + W.T, labels
