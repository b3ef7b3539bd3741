"""Populations, epidemics, neurons, sequences."""

import numpy as np
from scipy.special import expit, gammaln

from tests.corpus.sizes import of


def sir_model(S, I, R, beta, gamma, days):
    N = S + I + R
    out = np.zeros((days, 3))
    for d in range(days):
        out[d] = S, I, R
        new_inf = beta*S*I/N
        new_rec = gamma*I
        S -= new_inf
        I += new_inf - new_rec
        R += new_rec
    return out


def sir_model_args(size, rng):
    return 990.0, 10.0, 0.0, rng.uniform(.2, .5), 0.1, of(size, 20, 160, 1000)


def hodgkin_gate(V):
    # rates of the m gate, with the removable singularity at -40 mV
    a = np.empty(V.shape)
    for i in np.ndindex(V.shape):
        v = V[i]
        if abs(v + 40.0) < 1e-6:
            a[i] = 1.0
        else:
            a[i] = 0.1*(v + 40.0)/(1.0 - np.exp(-(v + 40.0)/10.0))
    b = 4.0*np.exp(-(V + 65.0)/18.0)
    return a/(a + b)


def hodgkin_gate_args(size, rng):
    V = rng.uniform(-80, 40, (of(size, 5, 40, 200), 4))
    V[0, 0] = -40.0
    return (V,)


def integrate_and_fire(I, dt, tau, v_rest, v_th, v_reset):
    v = v_rest
    V = np.zeros(I.shape[0])
    spikes = []
    for n, cur in enumerate(I):
        v += dt/tau*(v_rest - v + cur)
        if v >= v_th:
            v = v_reset
            spikes.append(n)
        V[n] = v
    return V, np.array(spikes)


def integrate_and_fire_args(size, rng):
    return rng.uniform(10, 40, of(size, 40, 400, 5000)), 0.1, 1.0, -65.0, -50.0, -70.0


def hamming_matrix(seqs):
    n = len(seqs)
    D = np.zeros((n, n), dtype=int)
    for i in range(n):
        for j in range(n):
            D[i, j] = np.count_nonzero(seqs[i] != seqs[j])
    return D


def hamming_matrix_args(size, rng):
    return (rng.integers(0, 4, (of(size, 6, 20, 80), of(size, 10, 40, 200))).astype(np.uint8),)


def gc_skew(seq, window):
    is_g = (seq == 2).astype(np.int64)
    is_c = (seq == 1).astype(np.int64)
    skews = []
    for s in range(0, len(seq) - window + 1, window):
        g = is_g[s:s+window].sum()
        c = is_c[s:s+window].sum()
        if g + c == 0:
            skews.append(0.0)
        else:
            skews.append((g - c)/(g + c))
    return np.array(skews)


def gc_skew_args(size, rng):
    return rng.integers(0, 4, of(size, 40, 400, 4000)), 8


def wright_fisher(p0, u, generations):
    # u: uniform numbers, generations x N; allele frequency
    p = p0
    freq = np.empty(generations + 1)
    freq[0] = p
    for g in range(generations):
        p = np.mean(u[g] < p)
        freq[g+1] = p
        if p == 0 or p == 1:
            freq[g+1:] = p
            break
    return freq


def wright_fisher_args(size, rng):
    g = of(size, 10, 40, 200)
    return 0.5, rng.random((g, 20)), g


def poisson_loglik(counts, rate):
    return np.sum(counts*np.log(rate) - rate - gammaln(counts + 1))


def poisson_loglik_args(size, rng):
    n = of(size, 20, 400, 50_000)
    return rng.poisson(3, n), rng.uniform(1, 5, n)


def logistic_regression_step(X, y, w):
    p = expit(X @ w)
    grad = X.T @ (p - y)/y.size
    H = (X.T*(p*(1 - p))) @ X/y.size
    return w - np.linalg.solve(H + 1e-6*np.eye(w.size), grad)


def logistic_regression_step_args(size, rng):
    n = of(size, 20, 400, 5000)
    return rng.standard_normal((n, 3)), rng.integers(0, 2, n), np.zeros(3)


def predator_patches(prey, pred, dt, steps, diff=0.1):
    prey = np.array(prey, dtype=float)
    pred = np.array(pred, dtype=float)
    for _ in range(steps):
        growth = prey*(1 - prey) - prey*pred/(1 + prey)
        death = 0.5*prey*pred/(1 + prey) - 0.2*pred
        prey[1:-1] += dt*(growth[1:-1] + diff*(prey[:-2] - 2*prey[1:-1] + prey[2:]))
        pred += dt*death
        prey.clip(0, None, out=prey)
    return prey, pred


def predator_patches_args(size, rng):
    n = of(size, 10, 60, 500)
    return rng.random(n), rng.random(n), 0.05, of(size, 5, 30, 100)


def michaelis_fit(S, v, Vmax, Km, lr, n):
    for _ in range(n):
        pred = Vmax*S/(Km + S)
        e = pred - v
        gV = 2*np.mean(e*S/(Km + S))
        gK = 2*np.mean(-e*Vmax*S/(Km + S)**2)
        Vmax -= lr*gV
        Km -= lr*gK
    return Vmax, Km


def michaelis_fit_args(size, rng):
    S = rng.uniform(.1, 10, of(size, 12, 100, 1000))
    return S, 2*S/(1.5 + S), 1.0, 1.0, 0.05, of(size, 8, 60, 200)


def codon_usage(bases):
    """how often each codon occurs, as the largest count and the number of different ones"""
    seen = {}
    for i in range(0, len(bases) - 2, 3):
        codon = (bases[i], bases[i+1], bases[i+2])
        seen[codon] = seen.get(codon, 0) + 1
    return max(seen.values()), len(seen)


def codon_usage_args(size, rng):
    return (rng.integers(0, 4, of(size, 40, 400, 4000)),)


def network_epidemic(adj, infected, p_inf, t_rec, draws):
    n = adj.shape[0]
    state = np.zeros(n, dtype=np.int8)      # 0 S, 1 I, 2 R
    since = np.zeros(n, dtype=int)
    state[infected] = 1
    curve = []
    for day in range(draws.shape[0]):
        sick = state == 1
        pressure = adj[:, sick].sum(axis=1)
        p = 1 - (1 - p_inf)**pressure
        new = (state == 0) & (draws[day] < p)
        since[sick] += 1
        state[sick & (since >= t_rec)] = 2
        state[new] = 1
        curve.append([np.sum(state == s) for s in range(3)])
        if not (state == 1).any():
            break
    return np.array(curve), state


def network_epidemic_args(size, rng):
    n = of(size, 20, 100, 600)
    a = rng.random((n, n)) < 6/n
    a = a | a.T
    np.fill_diagonal(a, False)
    return a, np.array([0, 3]), 0.15, 5, rng.random((of(size, 15, 60, 150), n))
