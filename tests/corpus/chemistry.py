"""Biology, chemistry, epidemiology."""

import numpy as np
import math

from tests.corpus.sizes import of

# standard code, base order T C A G
CODE = "FFLLSSSSYY**CC*WLLLLPPPPHHQQRRRRIIIMTTTTNNKKSSRRVVVVAAAADDEEGGGG"
AA = np.array([ord(c) for c in CODE])


def gillespie_sir(S, I, R, beta, gamma, u):
    """Stochastic SIR, u holds pairs of uniforms"""
    n = len(u)
    N = S + I + R
    out = np.zeros((n + 1, 4))
    t = 0.0
    out[0] = t, S, I, R
    for k in range(n):
        a1 = beta*S*I/N
        a2 = gamma*I
        a0 = a1 + a2
        if a0 == 0:
            return out[:k+1]
        t += -math.log(1 - u[k, 0])/a0
        if u[k, 1]*a0 < a1:
            S -= 1
            I += 1
        else:
            I -= 1
            R += 1
        out[k+1, 0] = t
        out[k+1, 1] = S
        out[k+1, 2] = I
        out[k+1, 3] = R
    return out


def gillespie_sir_args(size, rng):
    n = of(size, 100, 5000, 150000)
    return 4*n, 20, 0, 0.6, 0.2, rng.random((n, 2))


def smith_waterman(a, b, match=3, mismatch=-2, gap=-2):
    m, n = len(a), len(b)
    H = np.zeros((m + 1, n + 1), dtype=np.int32)
    best = 0
    bi = bj = 0
    for i in range(1, m + 1):
        for j in range(1, n + 1):
            sc = match if a[i-1] == b[j-1] else mismatch
            h = max(0, H[i-1, j-1] + sc, H[i-1, j] + gap, H[i, j-1] + gap)
            H[i, j] = h
            if h > best:
                best, bi, bj = h, i, j
    # traceback
    path = []
    i, j = bi, bj
    while H[i, j] > 0:
        path.append((i - 1, j - 1))
        sc = match if a[i-1] == b[j-1] else mismatch
        if H[i, j] == H[i-1, j-1] + sc:
            i -= 1
            j -= 1
        elif H[i, j] == H[i-1, j] + gap:
            i -= 1
        else:
            j -= 1
    return best, np.array(path[::-1]), H


def smith_waterman_args(size, rng):
    n = of(size, 20, 90, 450)
    a = rng.integers(0, 4, n).astype(np.uint8)
    b = np.where(rng.random(n) < 0.2, rng.integers(0, 4, n), a).astype(np.uint8)
    return a, b[n//8:]


def felsenstein_jc(tips, merges, brlen):
    """Pruning with Jukes-Cantor.

    tips (ntip, nsite) codes 0..3 or -1 = gap; merges (ntip-1, 2) children of each
    internal node in post-order; brlen of every node.
    """
    ntip, nsite = tips.shape
    L = np.ones((2*ntip - 1, nsite, 4))
    for k in range(ntip):
        known = tips[k] >= 0
        L[k, known] = np.eye(4)[tips[k, known]]
    scale = np.zeros(nsite)
    for k, (c1, c2) in enumerate(merges):
        node = ntip + k
        for c in (c1, c2):
            e = np.exp(-4*brlen[c]/3)
            P = np.full((4, 4), 0.25*(1 - e)) + np.eye(4)*e
            L[node] *= np.einsum('ij,sj->si', P, L[c])
        mx = L[node].max(axis=1)
        L[node] /= mx[:, np.newaxis]
        scale += np.log(mx)
    site = np.log(L[-1] @ np.full(4, 0.25)) + scale
    return site.sum(), site


def felsenstein_jc_args(size, rng):
    nt, ns = of(size, 5, 30, 120), of(size, 20, 300, 4000)
    root = rng.integers(0, 4, ns)
    tips = np.where(rng.random((nt, ns)) < 0.25, rng.integers(-1, 4, (nt, ns)), root)
    alive = list(range(nt))
    merges = []
    for k in range(nt - 1):
        c1 = alive.pop(int(rng.integers(len(alive))))
        c2 = alive.pop(int(rng.integers(len(alive))))
        merges.append((c1, c2))
        alive.append(nt + k)
    return tips, np.array(merges), rng.exponential(0.1, 2*nt - 1)


def seir_ages(Y, C, pop, beta, sigma, gamma, days, dt=0.25):
    # Y: (4, n_age), updated in place; returns daily incidence by age
    per_day = int(round(1/dt))
    inc = np.zeros((days, pop.shape[0]))
    for d in range(days):
        for _ in range(per_day):
            S, E, I, R = Y
            lam = beta*(C @ (I/pop))
            new_inf = lam*S*dt
            new_sympt = sigma*E*dt
            recov = gamma*I*dt
            Y[0] -= new_inf
            Y[1] += new_inf - new_sympt
            Y[2] += new_sympt - recov
            Y[3] += recov
            inc[d] += new_sympt
    return inc


def seir_ages_args(size, rng):
    n = of(size, 4, 10, 16)
    pop = rng.uniform(1e4, 1e5, n)
    C = rng.uniform(0.1, 3.0, (n, n))
    C = 0.5*(C + C.T)
    Y = np.zeros((4, n))
    Y[2] = 10
    Y[0] = pop - 10
    return Y, C, pop, 0.4/n, 0.2, 0.1, of(size, 10, 120, 2500)


def lv_competition(N0, r, K, alpha, dt, steps):
    dN = lambda N: r*N*(1 - (alpha @ N)/K)
    N = np.array(N0)
    hist = [N]
    for s in range(steps):
        k1 = dN(N)
        k2 = dN(N + 0.5*dt*k1)
        k3 = dN(N + 0.5*dt*k2)
        k4 = dN(N + dt*k3)
        N = N + dt/6*(k1 + 2*k2 + 2*k3 + k4)
        N[N < 1e-6] = 0  # extinct
        hist.append(N)
    hist = np.array(hist)
    tot = hist.sum(axis=1, keepdims=True)
    p = hist/tot
    shannon = -np.sum(np.where(p > 0, p*np.log(np.where(p > 0, p, 1)), 0), axis=1)
    return hist, shannon


def lv_competition_args(size, rng):
    n = of(size, 3, 6, 25)
    alpha = rng.uniform(0.2, 1.3, (n, n))
    alpha[np.arange(n), np.arange(n)] = 1
    return (rng.uniform(1, 10, n), rng.uniform(0.3, 1, n), rng.uniform(50, 150, n), alpha, 0.1,
            of(size, 10, 300, 8000))


def pssm_scan(seq, W, thr):
    """Hits of a weight matrix on both strands, with early stopping"""
    w = W.shape[0]
    n = seq.shape[0]
    # best possible score still to come
    rest = np.zeros(w + 1)
    for k in range(w - 1, -1, -1):
        rest[k] = rest[k+1] + W[k].max()
    pos = []
    strand = []
    score = []
    for st in (1, -1):
        s = seq if st == 1 else 3 - seq[::-1]
        for i in range(n - w + 1):
            tot = 0.0
            k = 0
            while k < w:
                tot += W[k, s[i+k]]
                if tot + rest[k+1] < thr:
                    break
                k += 1
            if k == w:
                pos.append(i if st == 1 else n - w - i)
                strand.append(st)
                score.append(tot)
    return np.array(pos, dtype=np.int64), np.array(strand, dtype=np.int8), np.array(score)


def pssm_scan_args(size, rng):
    W = np.log2(rng.dirichlet(np.full(4, 0.6), 10) + 0.01) + 2
    # bases coded A C G T
    return rng.integers(0, 4, of(size, 150, 4000, 100000)), W, 4.0


def mm_fit(S, v, Vmax=None, Km=None, tol=1e-10, maxit=200):
    """Michaelis-Menten least squares with Levenberg damping"""
    if Vmax is None:
        Vmax = v.max()
    if Km is None:
        Km = np.median(S)
    lam = 1e-3
    res = v - Vmax*S/(Km + S)
    sse = res @ res
    it = 0
    while it < maxit:
        it += 1
        J = np.stack((S/(Km + S), -Vmax*S/(Km + S)**2), axis=1)
        A = J.T @ J
        g = J.T @ res
        d = np.linalg.solve(A + lam*np.diag(np.diag(A)), g)
        V2, K2 = Vmax + d[0], Km + d[1]
        if K2 <= 0:
            lam *= 10
            continue
        r2 = v - V2*S/(K2 + S)
        new = r2 @ r2
        if new < sse:
            done = abs(sse - new) < tol*sse
            Vmax, Km, res, sse = V2, K2, r2, new
            lam /= 10
            if done:
                break
        else:
            lam *= 10
            if lam > 1e8:
                break
    return Vmax, Km, sse


def mm_fit_args(size, rng):
    S = rng.uniform(0.1, 20, of(size, 10, 1000, 200000))
    return S, 3.2*S/(2.5 + S) + rng.normal(0, 0.05, len(S))


def genotype_pca(G, k=2):
    G = G.astype(np.float64)
    miss = G < 0
    G[miss] = np.nan
    p = np.nanmean(G, axis=0)/2
    keep = (p > 0.05) & (p < 0.95)
    Z = (G[:, keep] - 2*p[keep])/np.sqrt(2*p[keep]*(1 - p[keep]))
    Z[np.isnan(Z)] = 0.0
    grm = Z @ Z.T/keep.sum()
    val, vec = np.linalg.eigh(grm)
    val, vec = val[::-1], vec[:, ::-1]
    # fix the sign so plots dont flip
    sgn = np.sign(vec[np.abs(vec).argmax(axis=0), np.arange(vec.shape[1])])
    pcs = (vec*sgn*np.sqrt(np.maximum(val, 0)))[:, :k]
    return pcs, val[:k]/val.sum(), keep.sum()


def genotype_pca_args(size, rng):
    n, m = of(size, 12, 60, 300), of(size, 50, 800, 6000)
    f = rng.uniform(0.1, 0.9, m)
    pop = np.arange(n) % 3
    fr = np.clip(f + rng.normal(0, 0.15, (3, m)), 0.1, 0.9)[pop]
    G = rng.binomial(2, fr).astype(np.int8)
    G[rng.random((n, m)) < 0.02] = -1
    return (G,)


def codon_bias(seq):
    # relative synonymous codon usage and the effective entropy
    n = len(seq)//3*3
    c = seq[:n].reshape(-1, 3)
    idx = c @ np.array([16, 4, 1])
    stops = np.flatnonzero(AA[idx] == ord('*'))
    if len(stops) > 0:
        idx = np.delete(idx, stops)
    cnt = np.bincount(idx, minlength=64)
    rscu = np.zeros(64)
    H = 0.0
    for a in np.unique(AA):
        if a == ord('*'):
            continue
        fam = AA == a
        tot = cnt[fam].sum()
        if tot == 0:
            continue
        rscu[fam] = cnt[fam]*fam.sum()/tot
        q = cnt[fam]/tot
        q = q[q > 0]
        H -= (q*np.log2(q)).sum()
    gc3 = np.isin(c[:, 2], (1, 3)).mean()
    return cnt, rscu, H, gc3


def codon_bias_args(size, rng):
    return (rng.choice(4, of(size, 301, 30000, 3000000), p=[0.22, 0.28, 0.22, 0.28]),)


def robertson_be(y0, k1, k2, k3, dt, nsteps, growth=1.05):
    """Robertson's stiff kinetics by backward Euler, Newton in each step"""
    def f(y):
        A, B, C = y
        r1 = k1*A
        r2 = k2*B*C
        r3 = k3*B*B
        return np.array([-r1 + r2, r1 - r2 - r3, r3])

    def jac(y):
        A, B, C = y
        J = np.zeros((3, 3))
        J[0, 0] = -k1
        J[0, 1] = k2*C
        J[0, 2] = k2*B
        J[1, 0] = k1
        J[1, 1] = -k2*C - 2*k3*B
        J[1, 2] = -k2*B
        J[2, 1] = 2*k3*B
        return J

    y = y0.copy()
    t = 0.0
    traj = np.empty((nsteps, 4))
    I = np.eye(3)
    for n in range(nsteps):
        yn = y.copy()
        for it in range(20):
            F = yn - y - dt*f(yn)
            dy = np.linalg.solve(I - dt*jac(yn), -F)
            yn += dy
            if np.abs(dy).max() < 1e-10:
                break
        y = yn
        t += dt
        dt = min(dt*growth, 50.0)
        traj[n, 0] = t
        traj[n, 1:] = y
    return traj


def robertson_be_args(size, rng):
    return np.array([1.0, 0.0, 0.0]), 0.04, 1e4, 3e7, 1e-4, of(size, 15, 300, 6000)


def arrhenius_network(c, T, rates, dt, steps):
    """Concentrations of A -> B -> C with the reverse of the first step; pre-factors and energies (J/mol) in a dict."""
    R = 8.314462618
    k1 = rates["A1"]*np.exp(-rates["E1"]/(R*T))
    k2 = rates["A2"]*np.exp(-rates["E2"]/(R*T))
    k_1 = k1/rates["K"]
    for _ in range(steps):
        forward, back, on = k1*c[0], k_1*c[1], k2*c[1]
        c = c + dt*np.array([back - forward, forward - back - on, on])
    return c, c.sum()


def arrhenius_network_args(size, rng):
    rates = {"A1": 1e5, "E1": 3.0e4, "A2": 4e4, "E2": 3.2e4, "K": 8.0}
    return np.array([1.0, 0.0, 0.0]), 350.0, rates, 1e-3, of(size, 50, 2_000, 50_000)
