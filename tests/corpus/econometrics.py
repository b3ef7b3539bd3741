"""Finance and econometrics: pricing, curves, books, filters."""

import numpy as np
from math import log, exp, sqrt, pi

from tests.corpus.sizes import of

LOG2PI = log(2*pi)


def american_lsm(S0, K, r, sigma, T, z):
    """Longstaff-Schwartz put, quadratic polynomial basis"""
    n_paths, n_steps = z.shape
    dt = T/n_steps
    disc = np.exp(-r*dt)
    logS = np.log(S0) + np.cumsum((r - 0.5*sigma**2)*dt + sigma*np.sqrt(dt)*z, axis=1)
    S = np.exp(logS)
    cf = np.maximum(K - S[:, -1], 0)
    for t in range(n_steps - 2, -1, -1):
        cf *= disc
        itm = S[:, t] < K
        if itm.sum() < 5:
            continue
        x = S[itm, t]/K
        A = np.column_stack([np.ones_like(x), x, x**2])
        beta, *_ = np.linalg.lstsq(A, cf[itm], rcond=None)
        cont = A @ beta
        payoff = K - S[itm, t]
        cf[itm] = np.where(payoff > cont, payoff, cf[itm])
    p = disc*cf
    return p.mean(), p.std()/np.sqrt(n_paths)


def american_lsm_args(size, rng):
    z = rng.standard_normal((of(size, 40, 1000, 20000), of(size, 6, 20, 50)))
    return 100.0, 105.0, 0.04, 0.3, 1.0, z


def heston_paths(S0, v0, kappa, theta, xi, rho, r, T, n_steps, n_paths, seed=1):
    rng = np.random.default_rng(seed)
    dt = T/n_steps
    S = np.zeros((n_steps + 1, n_paths))
    v = np.zeros((n_steps + 1, n_paths))
    S[0] = S0
    v[0] = v0
    for t in range(1, n_steps + 1):
        z1 = rng.standard_normal(n_paths)
        z2 = rho*z1 + np.sqrt(1 - rho**2)*rng.standard_normal(n_paths)
        vp = np.maximum(v[t-1], 0)  # full truncation
        S[t] = S[t-1]*np.exp((r - 0.5*vp)*dt + np.sqrt(vp*dt)*z1)
        v[t] = v[t-1] + kappa*(theta - vp)*dt + xi*np.sqrt(vp*dt)*z2
    return S, v


def heston_paths_args(size, rng):
    return (100.0, 0.04, 2.0, 0.05, 0.6, -0.7, 0.02, 1.0, of(size, 5, 50, 250),
            of(size, 20, 500, 5000), int(rng.integers(1000)))


def bootstrap_curve(mats, par, freq=2):
    # par yields -> discount factors, zero rates, forwards
    n = int(mats[-1]*freq)
    dfs = np.zeros(n)
    zero = np.zeros(n)
    fwd = np.zeros(n)
    for i in range(n):
        t = (i + 1)/freq
        c = np.interp(t, mats, par)/freq
        s = 0.0
        for j in range(i):
            s += c*dfs[j]
        dfs[i] = (1 - s)/(1 + c)
        zero[i] = -log(dfs[i])/t
        if i == 0:
            fwd[i] = zero[i]
        else:
            fwd[i] = (dfs[i-1]/dfs[i] - 1)*freq
    return dfs, zero, fwd


def bootstrap_curve_args(size, rng):
    mats = np.array([0.25, 0.5, 1, 2, 3, 5, 7, 10, 20, 30])
    par = 0.02 + 0.015*(1 - np.exp(-mats/6)) + rng.normal(0, 1e-4, len(mats))
    return mats, par, of(size, 1, 6, 30)


def garch_nll(params, r, full=False):
    mu, omega, alpha, beta = params
    T = len(r)
    e = r - mu
    h = np.empty(T)
    h[0] = np.var(r)
    nll = 0.5*(LOG2PI + log(h[0]) + e[0]**2/h[0])
    if alpha + beta >= 1:
        return 1e10, h
    for t in range(1, T):
        h[t] = omega + alpha*e[t-1]**2 + beta*h[t-1]
        nll += 0.5*(LOG2PI + log(h[t]) + e[t]**2/h[t])
    return nll, h


def garch_nll_args(size, rng):
    r = 0.01*rng.standard_t(6, of(size, 100, 5000, 200000))
    return (np.array([0.0002, 2e-6, 0.08, 0.9]), r)


def kelly_grid(ret, fmax=2.0, nf=101):
    """Growth rate against the fraction bet, and where it is largest."""
    f = np.linspace(0, fmax, nf)
    wealth = 1 + np.outer(f, ret)
    ruined = (wealth <= 0).any(axis=1)
    g = np.log(np.where(wealth > 0, wealth, 1.0)).mean(axis=1)
    g[ruined] = -np.inf
    k = np.argmax(g)
    # refine with parabola through three points
    if 0 < k < nf - 1 and np.isfinite(g[k+1]):
        a, b, c = g[k-1], g[k], g[k+1]
        fbest = f[k] + 0.5*(a - c)/(a - 2*b + c)*(f[1] - f[0])
    else:
        fbest = f[k]
    return fbest, g[k], ruined.sum()


def kelly_grid_args(size, rng):
    ret = np.clip(rng.normal(0.04, 0.25, of(size, 50, 1000, 8000)), -0.7, 2.0)
    return ret, 2.0, of(size, 21, 101, 401)


def match_orders(bids, asks, side, price, qty):
    """Limit orders against a book of price levels, books are changed in place"""
    trades = []
    nlev = len(bids)
    volume = 0
    for o in range(len(side)):
        q = qty[o]
        p = price[o]
        if q <= 0:
            continue
        if side[o] == 1:   # buy
            for lvl in range(p + 1):
                if asks[lvl] == 0:
                    continue
                fill = min(q, asks[lvl])
                asks[lvl] -= fill
                q -= fill
                trades.append((o, lvl, fill))
                volume += fill
                if q == 0:
                    break
            if q > 0:
                bids[p] += q
        else:
            lvl = nlev - 1
            while q > 0 and lvl >= p:
                if bids[lvl] > 0:
                    fill = min(q, bids[lvl])
                    bids[lvl] -= fill
                    q -= fill
                    trades.append((o, lvl, fill))
                    volume += fill
                lvl -= 1
            asks[p] += q
    return np.array(trades), volume


def match_orders_args(size, rng):
    n, nl = of(size, 30, 500, 10000), of(size, 20, 60, 100)
    bids = np.zeros(nl, dtype=np.int64)
    asks = np.zeros(nl, dtype=np.int64)
    bids[:nl//2] = rng.integers(1, 50, nl//2)
    asks[nl//2:] = rng.integers(1, 50, nl - nl//2)
    price = np.clip(np.rint(rng.normal(nl/2, nl/10, n)), 0, nl - 1).astype(np.int64)
    return bids, asks, rng.choice([-1, 1], n), price, rng.integers(0, 30, n)


def rolling_beta(y, x, w):
    def rsum(a):
        c = np.cumsum(np.insert(a, 0, 0.0))
        return c[w:] - c[:-w]
    sx, sy = rsum(x), rsum(y)
    sxx = rsum(x*x) - sx**2/w
    syy = rsum(y*y) - sy**2/w
    sxy = rsum(x*y) - sx*sy/w
    beta = sxy/sxx
    alpha = (sy - beta*sx)/w
    r2 = sxy**2/(sxx*syy)
    return alpha, beta, r2


def rolling_beta_args(size, rng):
    n = of(size, 60, 5000, 500000)
    x = rng.normal(0, 0.01, n)
    return 0.9*x + rng.normal(0, 0.005, n), x, of(size, 10, 60, 250)


def hp_filter(y, lamb=1600.0):
    n = len(y)
    D = np.diff(np.eye(n), n=2, axis=0)
    trend = np.linalg.solve(np.eye(n) + lamb*D.T @ D, y)
    cycle = y - trend
    return trend, cycle, cycle.std(ddof=1)


def hp_filter_args(size, rng):
    n = of(size, 20, 120, 700)
    return (np.cumsum(rng.normal(0.5, 1.0, n)),)


def weighted_var_es(R, w, level=0.99, lam=0.995):
    # BRW hybrid historical simulation: newest row is last
    pnl = R @ w
    T = pnl.size
    age = np.arange(T)[::-1]
    p = (1 - lam)/(1 - lam**T)*lam**age
    order = np.argsort(pnl)
    losses = -pnl[order]
    cp = np.cumsum(p[order])
    k = np.searchsorted(cp, 1 - level)
    VaR = losses[min(k, T - 1)]
    tail = losses >= VaR
    ES = np.sum(losses[tail]*p[order][tail])/p[order][tail].sum()
    marginal = -R[order[:k+1]].mean(axis=0)*w
    return VaR, ES, marginal


def weighted_var_es_args(size, rng):
    n, k = of(size, 100, 1000, 20000), of(size, 3, 10, 50)
    w = rng.random(k)
    return 0.02*rng.standard_t(5, (n, k)), w/w.sum()


def _ppf(p):
    # inverse normal, Abramowitz-Stegun 26.2.23, good to 4.5e-4
    c = (2.515517, 0.802853, 0.010328)
    d = (1.432788, 0.189269, 0.001308)
    pp = np.where(p < 0.5, p, 1 - p)
    t = np.sqrt(-2*np.log(pp))
    x = t - (c[0] + c[1]*t + c[2]*t*t)/(1 + d[0]*t + d[1]*t*t + d[2]*t**3)
    return np.where(p < 0.5, -x, x)


def copula_losses(pd, lgd, ead, rho, n_sims, seed=0, attach=0.03, detach=0.07):
    """One-factor Gaussian copula: portfolio loss, tranche loss, 99% quantile"""
    np.random.seed(seed)
    thr = _ppf(pd)
    total = ead.sum()
    loss = np.zeros(n_sims)
    for s in range(n_sims):
        m = np.random.randn()
        eps = np.random.randn(len(pd))
        asset = sqrt(rho)*m + sqrt(1 - rho)*eps
        loss[s] = np.sum((lgd*ead)[asset < thr])/total
    tr = np.clip(loss - attach, 0, detach - attach)/(detach - attach)
    return loss.mean(), tr.mean(), np.quantile(loss, 0.99)


def copula_losses_args(size, rng):
    n = of(size, 20, 100, 200)
    return (rng.uniform(0.005, 0.1, n), rng.uniform(0.3, 0.7, n), rng.lognormal(0, 1, n), 0.2,
            of(size, 50, 1000, 20000))


def correlation_pairs(returns):
    """correlations of all pairs of columns, one by one"""
    T, n = returns.shape
    x = returns - returns.mean(axis=0)
    R = np.eye(n)
    for i in range(n):
        for j in range(i):
            c = np.dot(x[:, i], x[:, j])/np.sqrt(np.dot(x[:, i], x[:, i])*np.dot(x[:, j], x[:, j]))
            R[i, j] = R[j, i] = c
    return R


def correlation_pairs_args(size, rng):
    return (rng.standard_normal((of(size, 20, 250, 1500), of(size, 4, 12, 50))),)


def var_irf(Y, p=2, horizon=10):
    """VAR(p) by least squares, companion form, orthogonalised impulse responses."""
    T, k = Y.shape
    rows = []
    for t in range(p, T):
        rows.append(np.concatenate([[1.0]] + [Y[t - l] for l in range(1, p + 1)]))
    Z = np.array(rows)
    B, *_ = np.linalg.lstsq(Z, Y[p:], rcond=None)
    E = Y[p:] - Z @ B
    Sigma = E.T @ E/(T - p - k*p - 1)
    F = np.zeros((k*p, k*p))
    F[:k] = B[1:].T
    F[k:, :-k] = np.eye(k*(p - 1))
    C = np.linalg.cholesky(Sigma)
    irf = np.empty((horizon + 1, k, k))
    Fp = np.eye(k*p)
    for h in range(horizon + 1):
        irf[h] = Fp[:k, :k] @ C
        Fp = Fp @ F
    return irf


def var_irf_args(size, rng):
    T, k = of(size, (40, 2), (400, 4), (5000, 6))
    Y = np.zeros((T, k))
    for t in range(1, T):
        Y[t] = 0.5*Y[t - 1] + rng.normal(size=k)
    return (Y,)


def ridge_by_grid(X, y, penalties, train):
    # the penalty with the smallest error on what was held out
    best = (np.inf, None, None)
    errors = {"train": [], "test": []}
    for lam in penalties:
        A = X[:train].T @ X[:train] + lam*np.eye(X.shape[1])
        beta = np.linalg.solve(A, X[:train].T @ y[:train])
        residual = y - X @ beta
        held_out = np.mean(residual[train:]**2)
        errors["train"].append(np.mean(residual[:train]**2))
        errors["test"].append(held_out)
        if held_out < best[0]:
            best = (held_out, lam, beta)
    return best[1], best[2], np.array([errors[k] for k in ("train", "test")])


def ridge_by_grid_args(size, rng):
    n, k = of(size, (12, 3), (80, 6), (2000, 20))
    X = rng.standard_normal((n, k))
    return X, X @ rng.random(k) + rng.standard_normal(n), np.array([0.01, 0.1, 1.0, 10.0]), n//2
