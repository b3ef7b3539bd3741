"""Histograms, sparse matrices, stores and loads through index arrays."""

import numpy as np

from tests.corpus.sizes import of


def histogram_loop(x, nbins, lo, hi):
    h = np.zeros(nbins, dtype=np.int64)
    width = (hi - lo)/nbins
    for v in x:
        b = int((v - lo)/width)
        if b < 0 or b >= nbins:
            continue
        h[b] += 1
    return h


def histogram_loop_args(size, rng):
    return rng.normal(0, 1, of(size, 40, 4000, 50_000)), of(size, 8, 12, 50), -2.0, 2.0


def deposit_charge(x, q, n, dx):
    """cloud in cell"""
    rho = np.zeros(n)
    cell = np.floor(x/dx).astype(int)
    frac = x/dx - cell
    np.add.at(rho, cell % n, q*(1 - frac))
    np.add.at(rho, (cell + 1) % n, q*frac)
    return rho


def deposit_charge_args(size, rng):
    n = of(size, 8, 32, 128)
    m = of(size, 30, 800, 50_000)
    return rng.uniform(0, n*0.5, m), rng.random(m), n, 0.5


def fancy_increment(counts, idx):
    # repeated indices count once here, as NumPy does it
    counts[idx] += 1
    return counts


def fancy_increment_args(size, rng):
    n = of(size, 10, 100, 1000)
    return np.zeros(n), rng.integers(0, n, n)


def csr_matvec(data, indices, indptr, x):
    n = len(indptr) - 1
    y = np.zeros(n)
    for i in range(n):
        s = 0.0
        for jj in range(indptr[i], indptr[i+1]):
            s += data[jj]*x[indices[jj]]
        y[i] = s
    return y


def csr_matvec_args(size, rng):
    n = of(size, 9, 60, 1000)
    dense = rng.random((n, n))*(rng.random((n, n)) < 0.3)
    rows, cols = np.nonzero(dense)
    indptr = np.concatenate(([0], np.cumsum(np.bincount(rows, minlength=n))))
    return dense[rows, cols], cols, indptr, rng.random(n)


def coo_accumulate(rows, cols, vals, shape):
    out = np.zeros(shape)
    for r, c, v in zip(rows, cols, vals):
        out[r, c] += v
    return out


def coo_accumulate_args(size, rng):
    n = of(size, 6, 20, 60)
    m = of(size, 20, 300, 3000)
    return rng.integers(0, n, m), rng.integers(0, n, m), rng.random(m), (n, n)


def group_means(values, labels, k):
    sums = np.bincount(labels, weights=values, minlength=k)
    counts = np.bincount(labels, minlength=k)
    return sums/np.maximum(counts, 1)


def group_means_args(size, rng):
    n = of(size, 30, 1000, 50_000)
    return rng.random(n), rng.integers(0, 5, n), 6


def kmeans(X, centers, iters):
    k = centers.shape[0]
    c = centers.copy()
    for _ in range(iters):
        d = ((X[:, None, :] - c[None, :, :])**2).sum(-1)
        lab = d.argmin(axis=1)
        for j in range(k):
            members = X[lab == j]
            if len(members) > 0:
                c[j] = members.mean(axis=0)
    return c, lab


def kmeans_args(size, rng):
    n = of(size, 25, 400, 5000)
    X = rng.random((n, 2))
    return X, X[:3].copy(), 4


def lookup_interpolate(table, x):
    i = np.clip(np.floor(x).astype(np.int64), 0, len(table) - 2)
    t = x - i
    return table[i]*(1 - t) + table[i+1]*t


def lookup_interpolate_args(size, rng):
    n = of(size, 12, 50, 500)
    return rng.random(n), rng.uniform(0, n - 1, of(size, 20, 2000, 50_000))


def union_find_labels(edges, n):
    parent = np.arange(n)
    for a, b in edges:
        ra = a
        while parent[ra] != ra:
            ra = parent[ra]
        rb = b
        while parent[rb] != rb:
            rb = parent[rb]
        if ra != rb:
            parent[rb] = ra
    return parent


def union_find_labels_args(size, rng):
    n = of(size, 12, 60, 500)
    return rng.integers(0, n, (n // 2, 2)), n


def azimuthal_profile(image):
    h, w = image.shape
    yy, xx = np.indices((h, w))
    r = np.hypot(xx - w/2, yy - h/2).astype(int)
    total = np.bincount(r.ravel(), image.ravel())
    count = np.bincount(r.ravel())
    return total/count


def azimuthal_profile_args(size, rng):
    n = of(size, 10, 40, 200)
    return (rng.random((n, n)),)


def sort_and_rank(x):
    order = np.argsort(x, kind='stable')
    ranks = np.empty(len(x), dtype=int)
    ranks[order] = np.arange(len(x))
    return ranks


def sort_and_rank_args(size, rng):
    return (rng.integers(0, 20, of(size, 20, 500, 5000)),)


def empirical_cdf(samples, at):
    s = np.sort(samples)
    return np.searchsorted(s, at, side='right')/s.size


def empirical_cdf_args(size, rng):
    return rng.random(of(size, 20, 500, 5000)), rng.random(of(size, 7, 100, 1000))


def topk_threshold(x, k):
    thresh = np.sort(x)[-k]
    kept = x[x >= thresh]
    return kept.sum(), np.where(x >= thresh)[0]


def topk_threshold_args(size, rng):
    return rng.random(of(size, 20, 500, 5000)), 4


def class_spread(X, labels, k):
    centres = np.zeros((k, X.shape[1]))
    spread = np.zeros(k)
    for c in range(k):
        members = X[labels == c]
        if len(members) == 0:
            continue
        centres[c] = members.mean(axis=0)
        radii = np.sqrt(((X - centres[c])**2).sum(axis=1))
        near = radii[labels == c]
        spread[c] = near.max()
    return centres, spread


def class_spread_args(size, rng):
    n = of(size, 20, 300, 5000)
    return rng.random((n, 2)), rng.integers(0, 4, n), 5


def transition_matrix(states, k):
    """row-normalised counts of the steps from one state to the next"""
    C = np.zeros((k, k))
    np.add.at(C, (states[:-1], states[1:]), 1.0)
    seen = C.sum(axis=1) > 0
    C[seen] /= C.sum(axis=1, keepdims=True)[seen]
    return C, C[np.arange(k), np.arange(k)]


def transition_matrix_args(size, rng):
    k = of(size, 4, 6, 10)
    return rng.integers(0, k, of(size, 40, 400, 4000)), k


def clamp_outliers(table, limit):
    """values far from their row's mean are drawn back to it by half"""
    far = np.abs(table - table.mean(axis=1, keepdims=True)) > limit
    smooth = table.copy()
    smooth[far] = 0.5*smooth[far] + 0.5*table.mean()
    return {'table': smooth, 'count': far.sum(), 'rows': far.any(axis=1)}


def clamp_outliers_args(size, rng):
    return rng.standard_normal((of(size, 6, 40, 400), of(size, 5, 30, 200))), 1.0


def greedy_tree(W):
    """minimum spanning tree length, dense Prim, and each node's parent"""
    n = len(W)
    best = W[0].copy()
    parent = np.zeros(n, dtype=np.int64)
    done = np.zeros(n, dtype=bool)
    done[0] = True
    length = 0.0
    for step in range(n - 1):
        cand = np.where(done, np.inf, best)
        v = int(np.argmin(cand))
        length += cand[v]
        done[v] = True
        nearer = (W[:, v] < best) & ~done
        best[nearer] = W[nearer, v]
        parent[nearer] = v
    return length, parent


def greedy_tree_args(size, rng):
    p = rng.random((of(size, 9, 60, 400), 2))
    return (np.sqrt(((p[:, None] - p[None])**2).sum(-1)),)


def robust_line(x, y, nsigma):
    # fit, throw out, fit again; then the residual sums by loops
    A = np.vstack([x, np.ones_like(x)]).T
    coef = np.linalg.lstsq(A, y, rcond=None)[0]
    res = y - A @ coef
    good = np.abs(res) < nsigma*res.std()
    xg, yg = x[good], y[good]
    n = len(xg)
    sx = sy = sxx = sxy = 0.0
    for i in range(n):
        sx += xg[i]
        sy += yg[i]
        sxx += xg[i]*xg[i]
        sxy += xg[i]*yg[i]
    slope = (n*sxy - sx*sy)/(n*sxx - sx*sx)
    return slope, (sy - slope*sx)/n, n


def robust_line_args(size, rng):
    x = np.linspace(0, 5, of(size, 20, 500, 50000))
    return x, 2*x + 1 + rng.standard_t(2, len(x)), 2.0


def stretch_means(values, offsets):
    """means of stretches of different lengths"""
    n = len(offsets) - 1
    means = np.zeros(n)
    for g in range(n):
        total = 0.0
        for k in range(offsets[g], offsets[g + 1]):
            total += values[k]
        if offsets[g + 1] > offsets[g]:
            means[g] = total/(offsets[g + 1] - offsets[g])
    return means


def stretch_means_args(size, rng):
    lengths = rng.integers(0, of(size, 6, 60, 400), of(size, 5, 40, 500))
    offsets = np.concatenate(([0], np.cumsum(lengths)))
    return rng.random(offsets[-1]), offsets


def graph_energy(start, other, weight, x):
    """sum of w*(x_i - x_j)^2 over the edges of each node"""
    n = len(start) - 1
    energy = np.zeros(n)
    for i in range(n):
        e = 0.0
        for k in range(start[i], start[i + 1]):
            d = x[i] - x[other[k]]
            e += weight[k]*d*d
        energy[i] = 0.5*e
    return energy


def graph_energy_args(size, rng):
    n = of(size, 8, 60, 800)
    degree = rng.integers(1, of(size, 5, 30, 200), n)
    start = np.concatenate(([0], np.cumsum(degree)))
    return start, rng.integers(0, n, start[-1]), rng.random(start[-1]), rng.random(n)
