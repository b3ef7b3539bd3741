"""Statistics, machine learning, geoscience."""

import numpy as np
import math

from tests.corpus.sizes import of

# row, col offsets for D8, clockwise from E
D8 = ((0, 1), (1, 1), (1, 0), (1, -1), (0, -1), (-1, -1), (-1, 0), (-1, 1))


def em_gmm(x, k=3, maxit=100, tol=1e-9, seed=3):
    np.random.seed(seed)
    n = x.size
    mu = np.random.choice(x, k, replace=False)
    var = np.full(k, x.var())
    pi = np.ones(k)/k
    old = -np.inf
    for it in range(maxit):
        # E
        lp = np.log(pi) - 0.5*np.log(2*np.pi*var) - 0.5*(x[:, None] - mu)**2/var
        m = lp.max(axis=1, keepdims=True)
        lse = m[:, 0] + np.log(np.exp(lp - m).sum(axis=1))
        ll = lse.sum()
        resp = np.exp(lp - lse[:, None])
        # M
        Nk = resp.sum(axis=0)
        mu = resp.T @ x/Nk
        var = (resp*(x[:, None] - mu)**2).sum(axis=0)/Nk + 1e-6
        pi = Nk/n
        if ll - old < tol*n:
            break
        old = ll
    o = np.argsort(mu)
    return pi[o], mu[o], var[o], ll


def em_gmm_args(size, rng):
    n = of(size, 40, 1000, 30000)
    return np.where(rng.random(n) < 0.4, rng.normal(-2, 0.6, n), rng.normal(1.5, 1.0, n)), 2, of(size, 15, 60, 80)


def adaboost_stumps(X, y, rounds=10, ncut=8):
    """Discrete AdaBoost. y in {-1, 1}. Columns of the result: feature, cut, sign, alpha"""
    n, p = X.shape
    w = np.ones(n)/n
    model = np.zeros((rounds, 4))
    F = np.zeros(n)
    for m in range(rounds):
        best = np.inf
        for j in range(p):
            cuts = np.quantile(X[:, j], np.linspace(0.1, 0.9, ncut))
            for c in cuts:
                pred = np.where(X[:, j] > c, 1, -1)
                err = w[pred != y].sum()
                sgn = 1
                if err > 0.5:
                    err = 1 - err
                    sgn = -1
                if err < best:
                    best = err
                    bj, bc, bs = j, c, sgn
        alpha = 0.5*np.log((1 - best + 1e-12)/(best + 1e-12))
        h = bs*np.where(X[:, bj] > bc, 1, -1)
        F += alpha*h
        w *= np.exp(-alpha*y*h)
        w /= w.sum()
        model[m] = bj, bc, bs, alpha
    return model, np.mean(np.sign(F) == y)


def adaboost_stumps_args(size, rng):
    n, p = of(size, 20, 200, 2000), of(size, 2, 4, 8)
    X = rng.standard_normal((n, p))
    y = np.where(X[:, 0]**2 + X[:, 1] + 0.3*rng.standard_normal(n) > 0.7, 1, -1)
    return X, y, of(size, 2, 6, 20), of(size, 4, 8, 12)


def dbscan_labels(X, eps, min_pts=5):
    # 0 = not seen, -1 = noise
    n = X.shape[0]
    lab = np.zeros(n, dtype=int)

    def region(i):
        d2 = np.sum((X - X[i])**2, axis=1)
        return np.nonzero(d2 <= eps*eps)[0]

    C = 0
    for i in range(n):
        if lab[i] != 0:
            continue
        nb = region(i)
        if len(nb) < min_pts:
            lab[i] = -1
            continue
        C += 1
        lab[i] = C
        seeds = list(nb)
        k = 0
        while k < len(seeds):
            j = seeds[k]
            k += 1
            if lab[j] == -1:
                lab[j] = C
            if lab[j] != 0:
                continue
            lab[j] = C
            nj = region(j)
            if len(nj) >= min_pts:
                seeds.extend(nj)
    return lab, C


def dbscan_labels_args(size, rng):
    n = of(size, 30, 300, 2500)
    centre = rng.uniform(-5, 5, (4, 2))
    X = centre[rng.integers(0, 4, n)] + rng.normal(0, 0.5, (n, 2))
    return X, of(size, 0.7, 0.3, 0.12)


def tsne_affinities(X, perplexity=10.0, tol=1e-5):
    n = X.shape[0]
    sq = np.sum(X*X, axis=1)
    D = np.maximum(sq[:, None] + sq[None, :] - 2*X @ X.T, 0)
    P = np.zeros((n, n))
    betas = np.ones(n)
    target = np.log(perplexity)
    for i in range(n):
        lo, hi = -np.inf, np.inf
        beta = 1.0
        Di = np.delete(D[i], i)
        for tries in range(50):
            p = np.exp(-Di*beta)
            s = max(p.sum(), 1e-300)
            H = np.log(s) + beta*np.sum(Di*p)/s
            diff = H - target
            if abs(diff) < tol:
                break
            if diff > 0:
                lo = beta
                beta = beta*2 if hi == np.inf else (beta + hi)/2
            else:
                hi = beta
                beta = beta/2 if lo == -np.inf else (beta + lo)/2
        P[i, np.arange(n) != i] = p/s
        betas[i] = beta
    P = (P + P.T)/(2*n)
    return P, betas


def tsne_affinities_args(size, rng):
    return rng.standard_normal((of(size, 7, 60, 600), 4)), of(size, 3.0, 10.0, 30.0)


def auc_delong(y, s):
    """AUC from midranks, and DeLong's standard error"""
    def midrank(v):
        _, inv, cnt = np.unique(v, return_inverse=True, return_counts=True)
        end = np.cumsum(cnt)
        return (end - 0.5*(cnt - 1))[inv]

    pos, neg = s[y == 1], s[y == 0]
    m, n = len(pos), len(neg)
    r = midrank(np.r_[pos, neg])
    auc = (r[:m].sum() - m*(m + 1)/2)/(m*n)
    v10 = (r[:m] - midrank(pos))/n
    v01 = 1 - (r[m:] - midrank(neg))/m
    se = np.sqrt(v10.var(ddof=1)/m + v01.var(ddof=1)/n)
    return auc, se, (max(auc - 1.96*se, 0), min(auc + 1.96*se, 1))


def auc_delong_args(size, rng):
    n = of(size, 30, 3000, 300000)
    y = (rng.random(n) < 0.4).astype(int)
    y[:2], y[2:4] = 0, 1
    return y, np.round(rng.normal(0.8*y, 1.0), 2)


def ordinary_kriging(xy, z, gx, gy, sill=1.0, rang=0.3, nugget=0.05):
    def gam(h):
        g = nugget + (sill - nugget)*(1.5*h/rang - 0.5*(h/rang)**3)
        g = np.where(h >= rang, sill, g)
        return np.where(h == 0, 0, g)
    n = len(z)
    h = np.sqrt(((xy[:, None, :] - xy[None, :, :])**2).sum(-1))
    A = np.ones((n + 1, n + 1))
    A[:n, :n] = gam(h)
    A[n, n] = 0
    G = np.stack(np.meshgrid(gx, gy), axis=-1).reshape(-1, 2)
    b = np.ones((n + 1, len(G)))
    b[:n] = gam(np.sqrt(((xy[:, None] - G[None])**2).sum(axis=2)))
    w = np.linalg.solve(A, b)
    est = np.tensordot(z, w[:n], axes=1)
    var = np.einsum('ij,ij->j', w, b)
    shape = (len(gy), len(gx))
    return est.reshape(shape), var.reshape(shape)


def ordinary_kriging_args(size, rng):
    n, m = of(size, 12, 60, 300), of(size, 6, 20, 60)
    xy = rng.random((n, 2))
    z = np.sin(4*xy[:, 0]) + xy[:, 1]**2 + 0.05*rng.standard_normal(n)
    return xy, z, np.linspace(0, 1, m), np.linspace(0, 1, m + 1)


def flow_accumulation(dem, cell=30.0):
    """D8 directions (-1 = pit) and number of upstream cells"""
    h, w = dem.shape
    fdir = np.full((h, w), -1, dtype=np.int8)
    acc = np.ones((h, w), dtype=np.int64)
    for i in range(h):
        for j in range(w):
            steep = 0.0
            for k in range(8):
                di, dj = D8[k]
                a = i + di
                b = j + dj
                if a < 0 or b < 0 or a >= h or b >= w:
                    continue
                L = cell*math.sqrt(2) if k % 2 else cell
                sl = (dem[i, j] - dem[a, b])/L
                if sl > steep:
                    steep = sl
                    fdir[i, j] = k
    # from the top down
    for c in np.argsort(-dem, axis=None, kind='stable'):
        i, j = divmod(c, w)
        k = fdir[i, j]
        if k >= 0:
            acc[i + D8[k][0], j + D8[k][1]] += acc[i, j]
    return fdir, acc


def flow_accumulation_args(size, rng):
    n = of(size, 10, 55, 220)
    y, x = np.mgrid[0:n, 0:n]/n
    return (500 - 200*x - 80*np.cos(6*y) + rng.normal(0, 0.5, (n, n)),)


def hillshade(dem, azimuth=315.0, altitude=45.0, cell=30.0, z=1.0):
    az = np.deg2rad(360 - azimuth + 90)
    alt = np.deg2rad(altitude)
    dy, dx = np.gradient(z*dem, cell)
    slope = np.arctan(np.hypot(dx, dy))
    aspect = np.arctan2(-dy, dx)
    sh = np.sin(alt)*np.cos(slope) + np.cos(alt)*np.sin(slope)*np.cos(az - aspect)
    return np.clip(255*sh, 0, 255).astype(np.uint8)


def hillshade_args(size, rng):
    n = of(size, 12, 200, 1200)
    y, x = np.mgrid[0:n, 0:n]/n
    return (300*np.sin(5*x)*np.cos(4*y) + rng.normal(0, 1, (n, n)).astype(np.float32),)


def pava(y, w=None):
    """Isotonic regression, pool adjacent violators"""
    n = len(y)
    if w is None:
        w = np.ones(n)
    val = np.zeros(n)
    wt = np.zeros(n)
    size = np.zeros(n, dtype=np.int64)
    b = -1
    for i in range(n):
        b += 1
        val[b] = y[i]
        wt[b] = w[i]
        size[b] = 1
        while b > 0 and val[b-1] > val[b]:
            tot = wt[b-1] + wt[b]
            val[b-1] = (wt[b-1]*val[b-1] + wt[b]*val[b])/tot
            wt[b-1] = tot
            size[b-1] += size[b]
            b -= 1
    return np.repeat(val[:b+1], size[:b+1]), b + 1


def pava_args(size, rng):
    n = of(size, 60, 5000, 200000)
    y = np.sqrt(np.arange(n)) + rng.normal(0, 0.1*np.sqrt(n), n)
    return y, rng.uniform(0.5, 2, n)


def gibbs_hier(y, g, ngroup, z, gam, mu0=0.0):
    # one-way random effects: group means, overall mean, precision
    # z: (iter, ngroup+1) normals, gam: (iter, 2) gammas with the right shapes
    niter = len(z)
    cnt = np.bincount(g, minlength=ngroup)
    tot = np.bincount(g, weights=y, minlength=ngroup)
    theta = tot/cnt
    mu = mu0
    tau_w = 1.0
    tau_b = 1.0
    keep = np.zeros((niter, 3))
    avg = np.zeros(ngroup)
    burn = niter//4
    for it in range(niter):
        for j in range(ngroup):
            prec = cnt[j]*tau_w + tau_b
            m = (tot[j]*tau_w + mu*tau_b)/prec
            theta[j] = m + z[it, j]/math.sqrt(prec)
        mu = theta.mean() + z[it, -1]/math.sqrt(ngroup*tau_b)
        ssw = 0.0
        for k in range(len(y)):
            ssw += (y[k] - theta[g[k]])**2
        ssb = np.sum((theta - mu)**2)
        tau_w = gam[it, 0]/(1.0 + 0.5*ssw)
        tau_b = gam[it, 1]/(1.0 + 0.5*ssb)
        keep[it] = mu, 1/np.sqrt(tau_w), 1/np.sqrt(tau_b)
        if it >= burn:
            avg += theta
    return keep[burn:], avg/(niter - burn)


def gibbs_hier_args(size, rng):
    G, per, it = of(size, 4, 8, 15), of(size, 5, 12, 30), of(size, 10, 200, 1200)
    g = np.repeat(np.arange(G), per)
    y = rng.normal(0, 2, G)[g] + rng.normal(0, 1, G*per)
    gam = np.column_stack([rng.gamma(1 + 0.5*G*per, 1.0, it), rng.gamma(1 + 0.5*G, 1.0, it)])
    return y, g, G, rng.standard_normal((it, G + 1)), gam


def mixed_layer_depth(T, z, dT=0.2, z_ref=10.0):
    """T(profile, level): first depth where T falls dT below its value at z_ref, linear between levels"""
    nprof, nlev = T.shape
    T_ref = np.array([np.interp(z_ref, z, T[i]) for i in range(nprof)])
    below = (T < (T_ref - dT)[:, None]) & (z[None, :] > z_ref)
    found = below.any(axis=1)
    k = np.argmax(below, axis=1)
    k = np.where(found, np.maximum(k, 1), nlev - 1)
    rows = np.arange(nprof)
    T1, T2 = T[rows, k-1], T[rows, k]
    target = T_ref - dT
    frac = np.zeros(nprof)
    np.divide(T1 - target, T1 - T2, out=frac, where=np.abs(T1 - T2) > 1e-12)
    mld = z[k-1] + np.clip(frac, 0, 1)*(z[k] - z[k-1])
    mld[~found] = z[-1]
    return mld


def mixed_layer_depth_args(size, rng):
    n, m = of(size, 6, 60, 3000), of(size, 10, 30, 60)
    z = np.linspace(0, 200, m)
    h = rng.uniform(20, 150, n)
    return 20 - 5/(1 + np.exp(-(z[None] - h[:, None])/15)) + .01*rng.normal(size=(n, m)), z


def ice_line(solar, n_lat=60, A=203.3, B=2.09, C=3.81, max_iter=300):
    """Budyko's balance for several solar constants, albedo iterated until it stays"""
    x = (np.arange(n_lat) + 0.5)/n_lat
    s = 1 - 0.241*(3*x**2 - 1)
    lines = np.zeros(len(solar))
    T_all = np.zeros((len(solar), n_lat))
    for i, Q in enumerate(solar):
        T = 15 - 45*x**2
        for it in range(max_iter):
            albedo = np.where(T < -10, 0.62, 0.3)
            Tm = (Q/4*np.mean(s*(1 - albedo)) - A)/B
            T_new = (Q/4*s*(1 - albedo) - A + C*Tm)/(B + C)
            if np.allclose(T_new, T, atol=1e-9):
                break
            T = T_new
        T_all[i] = T
        ice = np.flatnonzero(T < -10)
        lines[i] = x[ice[0]] if ice.size else 1.0
    return lines, T_all


def ice_line_args(size, rng):
    return np.linspace(1250, 1500, of(size, 4, 40, 400)) + rng.random(), of(size, 20, 60, 90)


def vincenty_lengths(lat1, lat2, dlon, a=6378137.0, f=1/298.257223563):
    """Lengths of geodesics on an ellipsoid (metres); angles in radians."""
    b = (1 - f)*a
    u1, u2 = np.arctan((1 - f)*np.tan(lat1)), np.arctan((1 - f)*np.tan(lat2))
    out = np.zeros(len(lat1))
    for i in range(len(lat1)):
        s1, c1, s2, c2 = np.sin(u1[i]), np.cos(u1[i]), np.sin(u2[i]), np.cos(u2[i])
        lam = dlon[i]
        for _ in range(100):
            sin_s = np.sqrt((c2*np.sin(lam))**2 + (c1*s2 - s1*c2*np.cos(lam))**2)
            if sin_s == 0:
                break  # coincident points
            cos_s = s1*s2 + c1*c2*np.cos(lam)
            sigma = np.arctan2(sin_s, cos_s)
            alpha = c1*c2*np.sin(lam)/sin_s
            cos2 = 1 - alpha**2
            mid = cos_s - 2*s1*s2/cos2 if cos2 != 0 else 0.0
            C = f/16*cos2*(4 + f*(4 - 3*cos2))
            old = lam
            lam = dlon[i] + (1 - C)*f*alpha*(sigma + C*sin_s*(mid + C*cos_s*(2*mid**2 - 1)))
            if abs(lam - old) < 1e-12:
                break
        if sin_s == 0:
            continue
        w = cos2*(a*a - b*b)/b**2
        A = 1 + w/16384*(4096 + w*(-768 + w*(320 - 175*w)))
        B = w/1024*(256 + w*(-128 + w*(74 - 47*w)))
        shift = B*sin_s*(mid + B/4*(cos_s*(2*mid**2 - 1) - B/6*mid*(4*sin_s**2 - 3)*(4*mid**2 - 3)))
        out[i] = b*A*(sigma - shift)
    return out


def vincenty_lengths_args(size, rng):
    n = of(size, 6, 60, 2000)
    return rng.uniform(-1, 1, n), rng.uniform(-1, 1, n), rng.uniform(-1, 1, n)
