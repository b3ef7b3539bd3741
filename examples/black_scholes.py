"""European option prices by Black and Scholes, for a million options at once."""
import numpy as np
from scipy.special import erf


def norm_cdf(x):
    return 0.5 * (1.0 + erf(x / np.sqrt(2.0)))


def black_scholes(S, K, T, r, sigma):
    # Hull, Options, Futures, and Other Derivatives
    d1 = (np.log(S / K) + (r + 0.5 * sigma**2) * T) / (sigma * np.sqrt(T))
    d2 = d1 - sigma * np.sqrt(T)
    call = S * norm_cdf(d1) - K * np.exp(-r * T) * norm_cdf(d2)
    put = call - S + K * np.exp(-r * T)
    return call, put


rng = np.random.default_rng(0)
n = 1_000_000
S = rng.uniform(50, 150, n)     # spot price
K = rng.uniform(50, 150, n)     # strike
T = rng.uniform(0.1, 2.0, n)    # years to expiry

black_scholes(S, K, T, 0.03, 0.25)
