"""Options, trees, paths, portfolios."""

import math

import numpy as np
from scipy.special import erf

from tests.corpus.sizes import of


def black_scholes_calls(S, K, T, r, sigma):
    sqrtT = np.sqrt(T)
    d1 = (np.log(S/K) + (r + 0.5*sigma*sigma)*T)/(sigma*sqrtT)
    d2 = d1 - sigma*sqrtT
    Nd1 = 0.5 + 0.5*erf(d1/np.sqrt(2.0))
    Nd2 = 0.5 + 0.5*erf(d2/np.sqrt(2.0))
    call = S*Nd1 - K*np.exp(-r*T)*Nd2
    put = K*np.exp(-r*T) - S + call
    return call, put


def black_scholes_calls_args(size, rng):
    n = of(size, 30, 3000, 100_000)
    return rng.uniform(80, 120, n), rng.uniform(80, 120, n), rng.uniform(.1, 2, n), 0.02, 0.3


def norm_cdf(x):
    return 0.5*(1.0 + math.erf(x/math.sqrt(2.0)))


def implied_volatility(price, S, K, T, r):
    lo, hi = 1e-4, 5.0
    for _ in range(200):
        sig = 0.5*(lo + hi)
        d1 = (math.log(S/K) + (r + 0.5*sig**2)*T)/(sig*math.sqrt(T))
        d2 = d1 - sig*math.sqrt(T)
        c = S*norm_cdf(d1) - K*math.exp(-r*T)*norm_cdf(d2)
        if abs(c - price) < 1e-10:
            break
        if c > price:
            hi = sig
        else:
            lo = sig
    return sig


def implied_volatility_args(size, rng):
    return 10.0 + rng.random(), 100.0, 100.0, 1.0, 0.01


def binomial_american_put(S0, K, T, r, sigma, N):
    dt = T/N
    u = np.exp(sigma*np.sqrt(dt))
    d = 1/u
    p = (np.exp(r*dt) - d)/(u - d)
    disc = np.exp(-r*dt)
    S = S0*d**np.arange(N, -1, -1)*u**np.arange(0, N + 1, 1)
    C = np.maximum(0, K - S)
    for i in np.arange(N - 1, -1, -1):
        S = S0*d**np.arange(i, -1, -1)*u**np.arange(0, i + 1, 1)
        C[:i+1] = disc*(p*C[1:i+2] + (1 - p)*C[0:i+1])
        C = C[:-1]
        C = np.maximum(C, K - S)
    return C[0]


def binomial_american_put_args(size, rng):
    return 100.0, 100.0 + rng.random(), 1.0, 0.06, 0.3, of(size, 6, 50, 300)


def asian_option(z, S0, K, r, sigma, T):
    # z: standard normals, paths x steps
    n_paths, n_steps = z.shape
    dt = T/n_steps
    increments = (r - 0.5*sigma**2)*dt + sigma*np.sqrt(dt)*z
    paths = S0*np.exp(np.cumsum(increments, axis=1))
    payoff = np.maximum(paths.mean(axis=1) - K, 0.0)
    return np.exp(-r*T)*payoff.mean(), payoff.std()/np.sqrt(n_paths)


def asian_option_args(size, rng):
    return rng.standard_normal((of(size, 20, 400, 5000), 12)), 100., 95., .03, .2, 1.


def barrier_paths(z, S0, B, mu, sig, dt):
    npaths, nsteps = z.shape
    final = np.empty(npaths)
    alive = np.ones(npaths, dtype=bool)
    for p in range(npaths):
        s = S0
        for t in range(nsteps):
            s *= math.exp((mu - 0.5*sig*sig)*dt + sig*math.sqrt(dt)*z[p, t])
            if s <= B:
                alive[p] = False
                break
        final[p] = s
    return final, alive


def barrier_paths_args(size, rng):
    return rng.standard_normal((of(size, 15, 200, 2000), 20)), 100., 88., .03, .25, .02


def compute_portfolio(returns, weights, rf=0.01):
    mu = returns.mean(axis=0)
    cov = np.cov(returns, rowvar=False)
    port_ret = weights @ mu
    port_vol = np.sqrt(weights @ cov @ weights)
    sharpe = (port_ret - rf)/port_vol
    return {'ret': port_ret, 'vol': port_vol, 'sharpe': sharpe}


def compute_portfolio_args(size, rng):
    w = rng.random(5)
    return 0.01*rng.standard_normal((of(size, 30, 300, 3000), 5)), w/w.sum()


def npv_irr(cashflows, guess=0.1):
    """irr by Newton"""
    t = np.arange(len(cashflows))
    rate = guess
    for _ in range(50):
        disc = (1 + rate)**t
        npv = (cashflows/disc).sum()
        dnpv = -(t*cashflows/(disc*(1 + rate))).sum()
        new = rate - npv/dnpv
        if np.isclose(new, rate, rtol=0, atol=1e-12):
            return new
        rate = new
    return rate


def npv_irr_args(size, rng):
    return (np.concatenate(([-100.0], rng.uniform(10, 40, of(size, 6, 10, 20)))),)


def crank_nicolson_option(S, V, r, sigma, dt, nt):
    M = len(S)
    i = np.arange(1, M - 1)
    a = 0.25*dt*(sigma**2*i**2 - r*i)
    b = -0.5*dt*(sigma**2*i**2 + r)
    c = 0.25*dt*(sigma**2*i**2 + r*i)
    A = np.diag(1 - b) + np.diag(-a[1:], -1) + np.diag(-c[:-1], 1)
    B = np.diag(1 + b) + np.diag(a[1:], -1) + np.diag(c[:-1], 1)
    for step in range(nt):
        V[1:-1] = np.linalg.solve(A, B @ V[1:-1])
        V[0] *= (1 - r*dt)
        V[-1] = 2*V[-2] - V[-3]
    return V


def crank_nicolson_option_args(size, rng):
    S = np.linspace(0, 200, of(size, 12, 60, 200))
    return S, np.maximum(100 + rng.random() - S, 0), 0.05, 0.3, 0.01, of(size, 4, 20, 60)


def garch_variance(returns, omega, alpha, beta):
    T = len(returns)
    sigma2 = np.empty(T)
    sigma2[0] = returns.var()
    ll = 0
    for t in range(1, T):
        sigma2[t] = omega + alpha*returns[t-1]**2 + beta*sigma2[t-1]
        ll += -0.5*(np.log(2*np.pi) + np.log(sigma2[t]) + returns[t]**2/sigma2[t])
    return sigma2, ll


def garch_variance_args(size, rng):
    return 0.01*rng.standard_normal(of(size, 30, 400, 5000)), 1e-6, .08, .9


def rsi(close, period=14):
    deltas = np.diff(close)
    seed = deltas[:period+1]
    up = seed[seed >= 0].sum()/period
    down = -seed[seed < 0].sum()/period
    rs = up/down
    out = np.zeros_like(close)
    out[:period] = 100. - 100./(1. + rs)
    for i in range(period, len(close)):
        delta = deltas[i-1]
        if delta > 0:
            upval, downval = delta, 0.
        else:
            upval, downval = 0., -delta
        up = (up*(period - 1) + upval)/period
        down = (down*(period - 1) + downval)/period
        rs = up/down
        out[i] = 100. - 100./(1. + rs)
    return out


def rsi_args(size, rng):
    return (100 + np.cumsum(rng.standard_normal(of(size, 40, 400, 4000))),)


def bond_duration(cashflows, times, rate):
    """Price, Macaulay duration and convexity under continuous compounding; lists will do"""
    c = np.asarray(cashflows, dtype=float)
    t = np.array(times, float)
    pv = c*np.exp(-rate*t)
    price = pv.sum()
    return price, (t*pv).sum()/price, (t**2*pv).sum()/price


def bond_duration_args(size, rng):
    n = of(size, 5, 30, 400)
    return [4]*(n - 1) + [104], [0.5*(k + 1) for k in range(n)], 0.02 + 0.01*rng.random()


def north_west_corner(supply, demand, cost, stop):
    """First plan of a transport problem; what is over at the end goes back along the last row"""
    plan = np.zeros((len(supply), len(demand)), dtype=np.int64)
    i, j = 0, 0
    while i < len(supply) and j < len(demand):
        moved = stop
        moved = min(moved, supply[i], demand[j])
        plan[i, j] += moved
        supply[i] -= moved
        demand[j] -= moved
        if supply[i] == 0:
            i += 1
        else:
            j += 1
    left = stop
    k = plan.shape[1] - 1
    while i < len(supply) and left > 0:
        left = min(left, supply[i])
        plan[i, k] += left
        supply[i] -= left
        i = i + 1
    return plan, (plan*cost).sum()


def north_west_corner_args(size, rng):
    n, m = of(size, 3, 20, 150), of(size, 4, 25, 200)
    supply, demand = rng.integers(1, 50, n), rng.integers(1, 50, m)
    demand[-1] += max(0, supply.sum() - demand.sum())
    return supply, demand, rng.integers(1, 9, (n, m)), 1_000_000


def bond_ladder(coupons, rate):
    """what is left of a bond at each coupon date, discounted to that date"""
    n = len(coupons)
    value = np.zeros(n)
    for t in range(n):
        value[t] = np.sum(coupons[t:]*(1 + rate)**-np.arange(1, n - t + 1))
    return value


def bond_ladder_args(size, rng):
    return 5 + rng.random(of(size, 7, 60, 300)), 0.03


def binomial_barrier_call(S0, K, H, r, sigma, T, N):
    # European up-and-out call on a tree
    dt = T/N
    u = np.exp(sigma*np.sqrt(dt))
    q = (np.exp(r*dt) - 1/u)/(u - 1/u)
    disc = np.exp(-r*dt)
    S = S0*u**(2*np.arange(N + 1) - N)
    V = np.maximum(S - K, 0)
    V[S >= H] = 0
    for i in range(N - 1, -1, -1):
        S = S0*u**np.arange(0, i + 1)*u**-np.arange(i, -1, -1)
        V[:i+1] = disc*(q*V[1:i+2] + (1 - q)*V[:i+1])
        V = V[:-1]
        V[S >= H] = 0
    return V[0]


def binomial_barrier_call_args(size, rng):
    return 100.0, 98.0 + rng.random(), 140.0, 0.04, 0.25, 1.0, of(size, 6, 50, 300)


def swaption_annuity_curve(times, zero_rates, expiries, tenors, freq=2):
    def df(t):
        return np.exp(-np.interp(t, times, zero_rates)*t)
    out = np.zeros((len(expiries), len(tenors)))
    ann = np.zeros_like(out)
    for i, e in enumerate(expiries):
        for j, n in enumerate(tenors):
            pay = e + np.arange(1, int(n*freq) + 1)/freq
            A = np.sum(df(pay))/freq
            out[i, j] = (df(e) - df(e + n))/A
            ann[i, j] = A
    return out, ann


def swaption_annuity_curve_args(size, rng):
    e, n = of(size, (3, 3), (12, 12), (60, 60))
    t = np.array([.25, .5, 1, 2, 3, 5, 7, 10, 20, 30.])
    return t, 0.02 + 0.01*np.sqrt(t/30) + rng.normal(0, 1e-4, 10), np.linspace(.5, 10, e), np.linspace(1, 20, n).round()


def trinomial_american_put(S0, K, r, q, sigma, T, N):
    dt = T/N
    dx = sigma*np.sqrt(3*dt)
    nu = r - q - 0.5*sigma**2
    pu = 0.5*((sigma**2*dt + nu**2*dt**2)/dx**2 + nu*dt/dx)
    pd = 0.5*((sigma**2*dt + nu**2*dt**2)/dx**2 - nu*dt/dx)
    pm = 1 - pu - pd
    disc = np.exp(-r*dt)
    S = S0*np.exp(dx*np.arange(-N, N + 1))
    V = np.maximum(K - S, 0)
    for _ in range(N):
        V = disc*(pu*V[2:] + pm*V[1:-1] + pd*V[:-2])
        S = S[1:-1]
        V = np.maximum(V, K - S)
    return V[0]


def trinomial_american_put_args(size, rng):
    return 100.0, 100.0 + rng.random(), 0.05, 0.01, 0.3, 1.0, of(size, 5, 50, 300)


def strategy_drawdowns(returns, risk_free):
    # equity curve, its drawdowns, how long the longest lasted, and the Calmar ratio
    equity = np.cumprod(1 + returns)
    peak = np.maximum.accumulate(equity)
    drawdown = 1 - equity/peak
    under_water = drawdown > 0
    longest = 0
    current = 0
    for flag in under_water:
        current = current + 1 if flag else 0
        longest = max(longest, current)
    excess = equity[-1] - 1 - risk_free
    return drawdown, longest, excess/drawdown.max()


def strategy_drawdowns_args(size, rng):
    return 0.0005 + 0.01*rng.standard_normal(of(size, 30, 1000, 30_000)), 0.02
