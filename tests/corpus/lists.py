"""Lists that grow and shrink: events that are kept, stacks, queues, open lots."""

from collections import deque

import numpy as np

from tests.corpus.sizes import of


def thin_events(times, marks, dead):
    """Dead-time correction: keeps events not within the dead time of the last kept"""
    kept = []
    last = -np.inf
    for i, t in enumerate(times):
        if t - last > dead:
            kept.append(i)
            last = t
    kept = np.array(kept)
    return times[kept], marks[kept]


def thin_events_args(size, rng):
    n = of(size, 30, 1000, 100000)
    return np.cumsum(rng.exponential(1, n)), rng.normal(size=n), 0.8


def orf_lengths(codes, min_len):
    """Open reading frames in a coded sequence: (start, length) in each of three frames"""
    found = []
    n = len(codes)
    for frame in range(3):
        start = -1
        for i in range(frame, n - 2, 3):
            codon = 16*codes[i] + 4*codes[i+1] + codes[i+2]
            if start < 0 and codon == 14:
                start = i
            elif start >= 0 and (codon == 48 or codon == 50 or codon == 56):
                length = i + 3 - start
                if length >= min_len:
                    found.append((start, length))
                start = -1
    return np.array(found)


def orf_lengths_args(size, rng):
    return rng.integers(0, 4, of(size, 600, 6000, 100000)), 12


def kaplan_meier(times, events):
    """Survival curve with Greenwood's variance at each distinct event time"""
    order = np.argsort(times, kind="stable")
    t = times[order]
    e = events[order]
    n = len(t)
    out_t, out_s, out_v = [], [], []
    s = 1.0
    g = 0.0
    i = 0
    while i < n:
        j = i
        d = 0
        while j < n and t[j] == t[i]:
            d += e[j]
            j += 1
        at_risk = n - i
        if d > 0:
            s *= 1 - d/at_risk
            if at_risk > d:
                g += d/(at_risk*(at_risk - d))
            out_t.append(t[i])
            out_s.append(s)
            out_v.append(s*s*g)
        i = j
    return np.array(out_t), np.array(out_s), np.array(out_v)


def kaplan_meier_args(size, rng):
    n = of(size, 20, 500, 20000)
    return np.ceil(rng.exponential(30, n)), (rng.random(n) < 0.7).astype(int)


def next_greater(x):
    """Next greater element with a monotone stack; distance to it, 0 where none"""
    n = len(x)
    out = np.zeros(n, dtype=int)
    stack = []
    for i in range(n):
        while stack and x[stack[-1]] < x[i]:
            k = stack.pop()
            out[k] = i - k
        stack.append(i)
    return out


def next_greater_args(size, rng):
    return (rng.random(of(size, 20, 1000, 50000)),)


def sliding_max(x, k):
    """Sliding maximum by a deque kept in a list"""
    dq = []
    out = np.empty(len(x) - k + 1)
    for i in range(len(x)):
        while dq and x[dq[-1]] <= x[i]:
            dq.pop()
        dq.append(i)
        if dq[0] <= i - k:
            dq.pop(0)
        if i >= k - 1:
            out[i - k + 1] = x[dq[0]]
    return out


def sliding_max_args(size, rng):
    return rng.random(of(size, 30, 1000, 50000)), 7


def rainflow(y):
    """Rainflow cycle counting (ASTM-like), half cycles left in the residue"""
    stack = []
    ranges = []
    for v in y:
        stack.append(v)
        while len(stack) >= 3:
            X = abs(stack[-1] - stack[-2])
            Y = abs(stack[-2] - stack[-3])
            if X < Y:
                break
            if len(stack) == 3:
                ranges.append(0.5*Y)
                stack.pop(0)
            else:
                ranges.append(Y)
                last = stack.pop()
                stack.pop()
                stack.pop()
                stack.append(last)
    return np.array(ranges), np.array(stack)


def rainflow_args(size, rng):
    n = of(size, 20, 300, 5000)
    y = rng.normal(size=n)
    y[::2] = np.abs(y[::2])
    y[1::2] = -np.abs(y[1::2])
    return (y,)


def region_grow(img, seed_r, seed_c, tol):
    """Region growing with an explicit stack and the running mean"""
    h, w = img.shape
    mask = np.zeros((h, w), dtype=bool)
    stack = [(seed_r, seed_c)]
    mask[seed_r, seed_c] = True
    total = img[seed_r, seed_c]
    count = 1
    while stack:
        r, c = stack.pop()
        for dr, dc in ((1, 0), (-1, 0), (0, 1), (0, -1)):
            rr, cc = r + dr, c + dc
            if rr < 0 or rr >= h or cc < 0 or cc >= w:
                continue
            if mask[rr, cc]:
                continue
            if abs(img[rr, cc] - total/count) < tol:
                mask[rr, cc] = True
                total += img[rr, cc]
                count += 1
                stack.append((rr, cc))
    return mask, total/count


def region_grow_args(size, rng):
    n = of(size, 8, 24, 100)
    y, x = np.mgrid[:n, :n]
    return np.exp(-((y - n/2)**2 + (x - n/2)**2)/(n*n/10)) + 0.02*rng.normal(size=(n, n)), n//2, n//2, 0.4


def topo_levels(adj):
    """Kahn's topological order with a list as the queue; levels, or None of them on a cycle"""
    n = len(adj)
    indeg = adj.sum(axis=0)
    level = np.zeros(n, dtype=int)
    queue = [v for v in range(n) if indeg[v] == 0]
    order = []
    while queue:
        u = queue.pop(0)
        order.append(u)
        for v in range(n):
            if adj[u, v]:
                indeg[v] -= 1
                level[v] = max(level[v], level[u] + 1)
                if indeg[v] == 0:
                    queue.append(v)
    if len(order) < n:
        return np.full(n, -1), level
    return np.array(order), level


def topo_levels_args(size, rng):
    n = of(size, 8, 30, 150)
    return (np.triu(rng.random((n, n)) < 0.2, 1).astype(int),)


def dfs_components(indptr, indices):
    """Connected components in CSR with an explicit stack"""
    n = len(indptr) - 1
    comp = np.full(n, -1)
    c = 0
    for s in range(n):
        if comp[s] != -1:
            continue
        stack = [s]
        comp[s] = c
        while len(stack) > 0:
            u = stack.pop()
            for e in range(indptr[u], indptr[u+1]):
                v = indices[e]
                if comp[v] == -1:
                    comp[v] = c
                    stack.append(v)
        c += 1
    return comp, c


def dfs_components_args(size, rng):
    n = of(size, 10, 100, 2000)
    a = rng.random((n, n)) < 0.8/n
    a = a | a.T
    indptr = np.concatenate(([0], np.cumsum(a.sum(1))))
    return indptr, np.nonzero(a)[1]


def douglas_peucker(xy, eps):
    """Polyline simplification with a stack of segments"""
    n = len(xy)
    keep = np.zeros(n, dtype=bool)
    keep[0] = keep[n-1] = True
    stack = [(0, n - 1)]
    while stack:
        a, b = stack.pop()
        dx, dy = xy[b] - xy[a]
        norm = np.hypot(dx, dy)
        far, where = 0.0, -1
        for i in range(a + 1, b):
            d = abs(dy*(xy[i, 0] - xy[a, 0]) - dx*(xy[i, 1] - xy[a, 1]))/norm
            if d > far:
                far, where = d, i
        if far > eps:
            keep[where] = True
            stack.append((a, where))
            stack.append((where, b))
    return keep, keep.sum()


def douglas_peucker_args(size, rng):
    n = of(size, 20, 200, 5000)
    return np.column_stack([np.linspace(0, 1, n), np.cumsum(rng.normal(size=n))*0.05]), 0.02


def convex_hull(points):
    """Andrew's monotone chain, indices of the hull"""
    order = np.lexsort((points[:, 1], points[:, 0]))
    pts = points[order]

    def cross(o, a, b):
        return (a[0] - o[0])*(b[1] - o[1]) - (a[1] - o[1])*(b[0] - o[0])

    lower = []
    for i in range(len(pts)):
        while len(lower) >= 2 and cross(pts[lower[-2]], pts[lower[-1]], pts[i]) <= 0:
            lower.pop()
        lower.append(i)
    upper = []
    for i in range(len(pts) - 1, -1, -1):
        while len(upper) >= 2 and cross(pts[upper[-2]], pts[upper[-1]], pts[i]) <= 0:
            upper.pop()
        upper.append(i)
    hull = lower[:-1] + upper[:-1]
    return order[np.array(hull)]


def convex_hull_args(size, rng):
    return (rng.normal(size=(of(size, 12, 200, 5000), 2)),)


def fifo_pnl(qty, price):
    """FIFO profit of signed trades with a queue of open lots"""
    lots_q = []
    lots_p = []
    realised = np.zeros(len(qty))
    for t in range(len(qty)):
        q = qty[t]
        if q > 0:
            lots_q.append(q)
            lots_p.append(price[t])
        else:
            left = -q
            while left > 0 and lots_q:
                take = min(left, lots_q[0])
                realised[t] += take*(price[t] - lots_p[0])
                lots_q[0] -= take
                left -= take
                if lots_q[0] == 0:
                    lots_q.pop(0)
                    lots_p.pop(0)
    return realised, sum(lots_q)


def fifo_pnl_args(size, rng):
    n = of(size, 20, 200, 5000)
    q = rng.integers(1, 10, n)*np.where(rng.random(n) < 0.5, 1, -1)
    return q, 100 + np.cumsum(rng.normal(size=n))


def reaction_network(k, stoich_in, stoich_out, c0, t_end, tol):
    """Mass-action kinetics with adaptive Heun steps; lists of times and states."""
    c = c0.copy()
    t = 0.0
    h = 1e-3
    ts = [0.0]
    cs = [c.copy()]
    rejected = 0
    while t < t_end:
        if t + h > t_end:
            h = t_end - t
        r = k*np.prod(c[None, :]**stoich_in, axis=1)
        d1 = (stoich_out - stoich_in).T @ r
        ce = c + h*d1
        r2 = k*np.prod(ce[None, :]**stoich_in, axis=1)
        d2 = (stoich_out - stoich_in).T @ r2
        cn = c + 0.5*h*(d1 + d2)
        err = np.max(np.abs(cn - ce))
        if err <= tol:
            t += h
            c = np.maximum(cn, 0.0)
            ts.append(t)
            cs.append(c.copy())
        else:
            rejected += 1
        h *= min(2.0, max(0.2, 0.9*np.sqrt(tol/(err + 1e-30))))
    return np.array(ts), np.array(cs), rejected


def reaction_network_args(size, rng):
    sin = np.array([[1, 1, 0], [0, 0, 1], [0, 1, 0]])
    sout = np.array([[0, 0, 1], [1, 1, 0], [1, 0, 0]])
    return np.array([2.0, 0.5, 0.1]), sin, sout, np.array([1.0, 0.8, 0.0]), of(size, 0.5, 5.0, 30.0), 1e-4


def emd_sift(x, n_sift):
    """One empirical mode: envelopes by linear interpolation over extrema, a few siftings"""
    h = x.copy()
    t = np.arange(len(x), dtype=float)
    for _ in range(n_sift):
        up = [0]
        lo = [0]
        for i in range(1, len(h) - 1):
            if h[i] > h[i-1] and h[i] > h[i+1]:
                up.append(i)
            elif h[i] < h[i-1] and h[i] < h[i+1]:
                lo.append(i)
        up.append(len(h) - 1)
        lo.append(len(h) - 1)
        if len(up) < 4 or len(lo) < 4:
            break
        upper = np.interp(t, np.array(up, dtype=float), h[up])
        lower = np.interp(t, np.array(lo, dtype=float), h[lo])
        h = h - 0.5*(upper + lower)
    return h, x - h


def emd_sift_args(size, rng):
    n = of(size, 50, 500, 10000)
    t = np.arange(n)
    return np.sin(t/3) + np.sin(t/20) + 0.1*rng.normal(size=n), 4


def first_above(x, t):
    k = next((i for i in range(len(x)) if x[i] > t), -1)
    return k, x[k]


def first_above_args(size, rng):
    return rng.random(of(size, 12, 50, 2000)), 0.9


def events_appended(x, thr):
    times = np.array([])
    last = -10
    for i in range(len(x)):
        if x[i] > thr and i - last > 2:
            times = np.append(times, i*0.1)
            last = i
    return times, len(times)


def events_appended_args(size, rng):
    return rng.random(of(size, 20, 50, 300)), 0.6


def spiral_numbers(n):
    grid = [[0]*n for _ in range(n)]
    dr = [0, 1, 0, -1]
    dc = [1, 0, -1, 0]
    r = c = d = 0
    for k in range(1, n*n + 1):
        grid[r][c] = k
        nr, nc = r + dr[d], c + dc[d]
        if nr < 0 or nr >= n or nc < 0 or nc >= n or grid[nr][nc] != 0:
            d = (d + 1) % 4
            nr, nc = r + dr[d], c + dc[d]
        r, c = nr, nc
    return np.array(grid)


def spiral_numbers_args(size, rng):
    return (int(of(size, 4, 9, 30)),)


def swapped_list(swaps, n):
    perm = list(range(n))
    for k in range(len(swaps)):
        i, j = swaps[k, 0], swaps[k, 1]
        perm[i], perm[j] = perm[j], perm[i]
    return np.array(perm)


def swapped_list_args(size, rng):
    n = of(size, 12, 40, 100)
    return rng.integers(0, n, (3*n, 2)), int(n)


def descent_history(A, b, rate, steps):
    """Gradient descent for least squares that keeps the cost of each step"""
    x = np.zeros(A.shape[1])
    costs = []
    for k in range(steps):
        r = A @ x - b
        costs.append(0.5*np.sum(r**2))
        x = x - rate*(A.T @ r)/len(b)
    return x, np.array(costs)


def descent_history_args(size, rng):
    n, p = of(size, (30, 3), (500, 8), (20000, 20))
    return rng.normal(size=(n, p)), rng.normal(size=n), 0.2, 25


def peak_amplitudes(x, height):
    """Local maxima of a standardised trace as shares of their sum, and the trace's envelope"""
    z = (x - x.mean())/x.std()
    peaks = []
    for i in range(1, len(z) - 1):
        if z[i] > z[i-1] and z[i] >= z[i+1] and z[i] > height:
            peaks.append(z[i]**2)
    peaks = np.array(peaks)
    return peaks/np.sum(peaks), np.sqrt(z**2 + 1.0)


def peak_amplitudes_args(size, rng):
    return rng.normal(size=of(size, 50, 1000, 100000)), 0.3


def block_errors(x, w):
    """Errors of block means: their mean, scatter and worst block"""
    errs = []
    for i in range(0, len(x) - w + 1, w):
        block = x[i:i+w]
        errs.append(np.std(block)/np.sqrt(w))
    return np.mean(errs), np.std(errs), np.argmax(errs)


def block_errors_args(size, rng):
    return rng.normal(size=of(size, 60, 2000, 100000)), 10


def best_predecessors(cost, gap):
    """Chains of scored items, each after its best predecessor, the choice from a list of candidates"""
    n = len(cost)
    best = np.zeros(n)
    back = np.zeros(n, dtype=int)
    for i in range(n):
        options = [0.0]
        for j in range(max(0, i - 5), i):
            options.append(best[j] - gap*(i - j - 1))
        k = np.argmax(options)
        best[i] = cost[i] + options[k]
        back[i] = k
    return best, back


def best_predecessors_args(size, rng):
    return rng.normal(size=of(size, 30, 300, 10000)), 0.3


def interval_schedule(start, end, gain):
    """Greedy choice of observations that do not overlap, by their end"""
    order = sorted(range(len(start)), key=lambda i: end[i])
    chosen = []
    total = 0.0
    free = -np.inf
    for i in order:
        if start[i] >= free:
            chosen.append(i)
            total += gain[i]
            free = end[i]
    return np.array(chosen), total


def interval_schedule_args(size, rng):
    n = of(size, 40, 500, 20000)
    start = rng.integers(0, 4*n, n)
    return start, start + rng.integers(1, 12, n), rng.uniform(1, 2, n)


def deadline_jobs(deadline, gain):
    """Jobs of one time unit before their deadlines, the dearest first, ties by number"""
    jobs = [(gain[i], deadline[i], i) for i in range(len(gain))]
    jobs.sort(key=lambda job: job[0], reverse=True)
    slots = np.full(np.max(deadline), -1)
    total = 0
    for g, d, i in jobs:
        for t in range(d - 1, -1, -1):
            if slots[t] < 0:
                slots[t] = i
                total += g
                break
    best = max(range(len(gain)), key=lambda i: gain[i]/deadline[i])
    return slots, total, best


def deadline_jobs_args(size, rng):
    n = of(size, 30, 300, 3000)
    return rng.integers(1, n//2, n), rng.integers(1, 20, n)


def critical_path(n, edges, duration):
    """Earliest end of a project, by Kahn's order of its activities."""
    after = [[] for _ in range(n)]
    waiting = np.zeros(n, dtype=int)
    for a, b in edges:
        after[a].append(b)
        waiting[b] += 1
    ready = deque()
    for i in range(n):
        if waiting[i] == 0:
            ready.append(i)
    start = np.zeros(n)
    order = []
    while ready:
        u = ready.popleft()
        order.append(u)
        for v in after[u]:
            start[v] = max(start[v], start[u] + duration[u])
            waiting[v] -= 1
            if waiting[v] == 0:
                ready.append(v)
    return (start + duration).max(), np.array(order)


def critical_path_args(size, rng):
    n = of(size, 8, 40, 2000)
    first = rng.integers(0, n - 1, 2*n)
    return n, np.c_[first, np.minimum(first + rng.integers(1, 5, 2*n), n - 1)], rng.random(n)


def windowed_minimum(x, w):
    """Minimum of each window, by a queue of candidates."""
    queue = deque()
    lows = []
    for i, v in enumerate(x):
        while queue and x[queue[-1]] >= v:
            queue.pop()
        queue.append(i)
        if queue[0] == i - w:
            queue.popleft()
        if i >= w - 1:
            lows.append(x[queue[0]])
    return np.array(lows)


def windowed_minimum_args(size, rng):
    return rng.random(of(size, 20, 500, 50_000)), 6


def pairs_of_readings(a, b):
    ratios = []
    for x, y in zip(a, b):
        ratios.append(np.log(x/y))
    return np.array(ratios), np.mean(ratios)


def pairs_of_readings_args(size, rng):
    n = of(size, 9, 300, 30_000)
    return rng.random(n) + 0.1, rng.random(n) + 0.1
