"""Monte Carlo and random walks: functions that draw their own numbers."""

import numpy as np

from tests.corpus.sizes import of


def estimate_pi(n):
    np.random.seed(42)
    x = np.random.rand(n)
    y = np.random.rand(n)
    return 4*np.sum(x*x + y*y <= 1.0)/n


def estimate_pi_args(size, rng):
    return (of(size, 100, 10000, 1000000),)


def random_walk_2d(steps, walkers, seed):
    gen = np.random.default_rng(seed)
    angle = gen.uniform(0, 2*np.pi, (steps, walkers))
    x = np.cumsum(np.cos(angle), axis=0)
    y = np.cumsum(np.sin(angle), axis=0)
    return np.mean(x**2 + y**2, axis=1)


def random_walk_2d_args(size, rng):
    return of(size, 10, 100, 1000), of(size, 20, 50, 1000), int(rng.integers(100))


def gbm_terminal(S0, mu, sigma, T, n_steps, n_paths):
    rng = np.random.default_rng(7)
    dt = T/n_steps
    S = np.full(n_paths, S0)
    for i in range(n_steps):
        z = rng.standard_normal(n_paths)
        S = S*np.exp((mu - 0.5*sigma**2)*dt + sigma*np.sqrt(dt)*z)
    return S.mean(), S.std()


def gbm_terminal_args(size, rng):
    return 100.0, 0.05, 0.2, 1.0, of(size, 5, 20, 50), of(size, 50, 1000, 100000)


def metropolis_normal(n, step):
    np.random.seed(0)
    samples = np.zeros(n)
    x = 0.0
    accepted = 0
    for i in range(n):
        proposal = x + step*np.random.uniform(-1, 1)
        if np.log(np.random.random()) < 0.5*(x**2 - proposal**2):
            x = proposal
            accepted += 1
        samples[i] = x
    return samples, accepted/n


def metropolis_normal_args(size, rng):
    return of(size, 30, 1000, 50000), 1.5


def bootstrap_mean(data, n_boot):
    gen = np.random.default_rng(2024)
    n = len(data)
    idx = gen.integers(0, n, (n_boot, n))
    means = data[idx].mean(axis=1)
    return np.percentile(means, [2.5, 97.5])


def bootstrap_mean_args(size, rng):
    return rng.exponential(1.0, of(size, 20, 100, 1000)), of(size, 50, 500, 2000)


def brownian_bridge(n, u):
    # the draws come from outside
    dw = np.sqrt(1/n)*u
    W = np.concatenate(([0.0], np.cumsum(dw)))
    t = np.linspace(0, 1, n + 1)
    return W - t*W[-1]


def brownian_bridge_args(size, rng):
    n = of(size, 20, 1000, 100000)
    return n, rng.standard_normal(n)


def langevin(x0, noise, dt, gamma, kT):
    x, v = x0, 0.0
    traj = np.empty(len(noise))
    amp = np.sqrt(2*gamma*kT*dt)
    for i, xi in enumerate(noise):
        force = -4*x**3 + 2*x
        v += (force - gamma*v)*dt + amp*xi
        x += v*dt
        traj[i] = x
    return traj


def langevin_args(size, rng):
    return 0.5, rng.standard_normal(of(size, 20, 500, 20000)), 0.01, 1.0, 0.6


def ornstein_uhlenbeck(rng, x0, theta, mu, sigma, dt, n):
    """Euler and Maruyama, with the caller's generator."""
    x = np.zeros(n + 1)
    x[0] = x0
    for k in range(n):
        x[k+1] = x[k] + theta*(mu - x[k])*dt + sigma*np.sqrt(dt)*rng.normal()
    return x


def ornstein_uhlenbeck_args(size, rng):
    return np.random.default_rng(5), 1.0, 0.7, 0.0, 0.3, 0.01, of(size, 20, 500, 20000)


def ising_sweeps(spins, beta, sweeps):
    gen = np.random.default_rng(1)
    s = spins.copy()
    n, m = s.shape
    for sweep in range(sweeps):
        r = gen.random((n, m))
        for i in range(n):
            for j in range(m):
                nb = s[(i+1) % n, j] + s[(i-1) % n, j] + s[i, (j+1) % m] + s[i, (j-1) % m]
                dE = 2*s[i, j]*nb
                if r[i, j] < np.exp(-beta*dE):
                    s[i, j] = -s[i, j]
    return s, s.mean()


def ising_sweeps_args(size, rng):
    n = of(size, 6, 16, 48)
    return rng.choice([-1, 1], (n, n)), 0.44, of(size, 2, 4, 10)


def seed_centres(X, k):
    """k-means++: each next centre with a probability in proportion to its squared distance"""
    rng = np.random.default_rng(5)
    centres = np.empty((k, X.shape[1]))
    centres[0] = X[rng.integers(len(X))]
    d2 = ((X - centres[0])**2).sum(axis=1)
    for j in range(1, k):
        centres[j] = X[rng.choice(len(X), p=d2/d2.sum())]
        d2 = np.minimum(d2, ((X - centres[j])**2).sum(axis=1))
    return centres, d2.sum()


def seed_centres_args(size, rng):
    return rng.random((of(size, 15, 300, 5000), 2)), 4


def permutation_test(a, b, n_perm, seed=7):
    rng = np.random.default_rng(seed)
    pooled = np.concatenate((a, b))
    observed = abs(a.mean() - b.mean())
    k = len(a)
    count = 0
    for _ in range(n_perm):
        perm = rng.permutation(pooled)
        if abs(perm[:k].mean() - perm[k:].mean()) >= observed:
            count += 1
    return (count + 1)/(n_perm + 1)


def permutation_test_args(size, rng):
    n, m = of(size, (8, 30), (40, 200), (500, 5000))
    return rng.standard_normal(n), rng.standard_normal(n + 4) + 0.3, m


def residual_bootstrap(x, y, n_boot, seed=2):
    rng = np.random.default_rng(seed)
    A = np.column_stack([np.ones(len(x)), x])
    beta = np.linalg.solve(A.T @ A, A.T @ y)
    res = y - A @ beta
    out = np.empty((n_boot, 2))
    for b in range(n_boot):
        ystar = A @ beta + rng.choice(res, size=len(res), replace=True)
        out[b] = np.linalg.solve(A.T @ A, A.T @ ystar)
    return beta, out.std(axis=0, ddof=1)


def residual_bootstrap_args(size, rng):
    n, m = of(size, (8, 10), (50, 100), (500, 2000))
    return rng.standard_normal(n), rng.standard_normal(n), m


def shuffle_test(a, labels, n_perm):
    """Difference of group means under shuffled labels (legacy generator)."""
    np.random.seed(4)
    lab = labels.copy()
    obs = a[lab == 1].mean() - a[lab == 0].mean()
    null = np.zeros(n_perm)
    for k in range(n_perm):
        np.random.shuffle(lab)
        null[k] = a[lab == 1].mean() - a[lab == 0].mean()
    return obs, (np.abs(null) >= abs(obs)).mean()


def shuffle_test_args(size, rng):
    n, m = of(size, (10, 12), (60, 100), (600, 2000))
    return rng.standard_normal(n), np.arange(n) % 2, m
