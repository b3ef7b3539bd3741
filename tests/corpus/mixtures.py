"""Expectation and maximisation, and its kin."""

import numpy as np

from tests.corpus.sizes import of


def em_two_gaussians(x, mu1, mu2, n_iter):
    s1 = s2 = x.std()
    pi = 0.5
    for it in range(n_iter):
        # E step
        p1 = pi*np.exp(-0.5*((x - mu1)/s1)**2)/(s1*np.sqrt(2*np.pi))
        p2 = (1 - pi)*np.exp(-0.5*((x - mu2)/s2)**2)/(s2*np.sqrt(2*np.pi))
        r = p1/(p1 + p2)
        # M step
        n1 = r.sum()
        n2 = len(x) - n1
        mu1 = (r*x).sum()/n1
        mu2 = ((1 - r)*x).sum()/n2
        s1 = np.sqrt((r*(x - mu1)**2).sum()/n1)
        s2 = np.sqrt(((1 - r)*(x - mu2)**2).sum()/n2)
        pi = n1/len(x)
    return mu1, mu2, s1, s2, pi


def em_two_gaussians_args(size, rng):
    n = of(size, 30, 300, 20000)
    return np.concatenate([rng.normal(-2, 1, n), rng.normal(3, 0.5, n)]), -1.0, 1.0, of(size, 4, 10, 30)


def gaussian_mixture(X, means, max_iter):
    """Full covariances; returns responsibilities and the log likelihood of each step."""
    n, d = X.shape
    k = len(means)
    mu = means.copy()
    cov = np.array([np.eye(d) for _ in range(k)])
    weights = np.ones(k)/k
    history = []
    for it in range(max_iter):
        dens = np.zeros((n, k))
        for j in range(k):
            diff = X - mu[j]
            inv = np.linalg.inv(cov[j])
            expo = -0.5*np.sum(diff @ inv * diff, axis=1)
            dens[:, j] = weights[j]*np.exp(expo)/np.sqrt((2*np.pi)**d*np.linalg.det(cov[j]))
        total = dens.sum(axis=1, keepdims=True)
        history.append(np.log(total).sum())
        resp = dens/total
        Nk = resp.sum(axis=0)
        mu = resp.T @ X / Nk[:, None]
        for j in range(k):
            diff = X - mu[j]
            cov[j] = (resp[:, j, None]*diff).T @ diff / Nk[j] + 1e-6*np.eye(d)
        weights = Nk/n
    return resp, np.array(history)


def gaussian_mixture_args(size, rng):
    n = of(size, 12, 100, 2000)
    X = np.vstack([rng.normal(0, 1, (n, 2)), rng.normal(4, 1, (n, 2)), rng.normal([0, 5], 1, (n, 2))])
    return X, np.array([[0., 1.], [3., 3.], [1., 4.]]), of(size, 2, 5, 10)


def coin_mixture(heads, tosses, theta_a, theta_b, tol=1e-6):
    """Do and Batzoglou's two coins, until the estimates stand still."""
    change = 1.0
    iterations = 0
    while change > tol and iterations < 200:
        like_a = theta_a**heads * (1 - theta_a)**(tosses - heads)
        like_b = theta_b**heads * (1 - theta_b)**(tosses - heads)
        za = like_a/(like_a + like_b)
        new_a = np.sum(za*heads)/np.sum(za*tosses)
        new_b = np.sum((1 - za)*heads)/np.sum((1 - za)*tosses)
        change = max(abs(new_a - theta_a), abs(new_b - theta_b))
        theta_a, theta_b = new_a, new_b
        iterations += 1
    return theta_a, theta_b, iterations


def coin_mixture_args(size, rng):
    n = of(size, 10, 100, 5000)
    tosses = np.full(n, 10)
    which = rng.random(n) < 0.5
    return rng.binomial(tosses, np.where(which, 0.8, 0.35)), tosses, 0.6, 0.5


def baum_welch_step(A, B, pi, obs):
    T = len(obs)
    N = A.shape[0]
    alpha = np.zeros((T, N))
    beta = np.zeros((T, N))
    scale = np.zeros(T)
    alpha[0] = pi*B[:, obs[0]]
    scale[0] = alpha[0].sum()
    alpha[0] /= scale[0]
    for t in range(1, T):
        alpha[t] = (alpha[t-1] @ A)*B[:, obs[t]]
        scale[t] = alpha[t].sum()
        alpha[t] /= scale[t]
    beta[T-1] = 1
    for t in range(T-2, -1, -1):
        beta[t] = A @ (B[:, obs[t+1]]*beta[t+1])/scale[t+1]
    gamma = alpha*beta
    xi = np.zeros((N, N))
    for t in range(T-1):
        xi += np.outer(alpha[t], B[:, obs[t+1]]*beta[t+1])*A/scale[t+1]
    return xi/xi.sum(axis=1, keepdims=True), gamma, np.log(scale).sum()


def baum_welch_step_args(size, rng):
    k = of(size, 3, 5, 12)
    A = rng.random((k, k)); B = rng.random((k, 4)); pi = rng.random(k)
    return (A/A.sum(1, keepdims=True), B/B.sum(1, keepdims=True), pi/pi.sum(),
            rng.integers(0, 4, of(size, 12, 60, 500)))
