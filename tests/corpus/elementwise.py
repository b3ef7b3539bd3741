"""Chains of elementwise operations, masks and branches on arrays."""

import math

import numpy as np
from numpy import exp, sqrt

from tests.corpus.sizes import of

PLANCK_H = 6.62607015e-34  # J s
LIGHT_C = 2.99792458e8     # m / s
BOLTZMANN = 1.380649e-23   # J / K


def blackbody(wavelength, T):
    # spectral radiance, W / (m^2 sr m)
    a = 2.0*PLANCK_H*LIGHT_C**2
    b = PLANCK_H*LIGHT_C / (wavelength*BOLTZMANN*T)
    intensity = a / ((wavelength**5) * (exp(b) - 1.0))
    return intensity


def blackbody_args(size, rng):
    return np.linspace(1e-7, 3e-6, of(size, 50, 5000, 200_000)), 5800.0 + rng.uniform(-100, 100)


def damped_oscillator(t, A=1.5, gamma=0.1, w0=2*np.pi):
    """x(t) for the under-, over- and critically damped case."""
    if gamma < w0:
        w = np.sqrt(w0**2 - gamma**2)
        return A*np.exp(-gamma*t)*np.cos(w*t)
    elif gamma == w0:
        return A*(1 + gamma*t)*np.exp(-gamma*t)
    else:
        w = np.sqrt(gamma**2 - w0**2)
        return A*np.exp(-gamma*t)*np.cosh(w*t)


def damped_oscillator_args(size, rng):
    return (np.linspace(0, 20, of(size, 60, 6000, 200_000)), 2.0, rng.uniform(0.05, 0.5))


def soft_threshold(x, lam):
    out = np.zeros_like(x)
    pos = x > lam
    neg = x < -lam
    out[pos] = x[pos] - lam
    out[neg] = x[neg] + lam
    return out


def soft_threshold_args(size, rng):
    return rng.standard_normal(of(size, 101, 10_001, 200_001)), 0.4


def huber_loss(r, delta=1.0):
    absr = np.abs(r)
    quad = np.minimum(absr, delta)
    lin = absr - quad
    return np.sum(0.5*quad**2 + delta*lin)


def huber_loss_args(size, rng):
    return (3*rng.standard_normal(of(size, 99, 9999, 200_000)),)


def relu_family(x):
    y = np.where(x > 0, x, 0.01*x)
    y[y > 2] = 2
    y[np.isnan(y)] = 0
    return y


def relu_family_args(size, rng):
    x = 2*rng.standard_normal((of(size, 9, 100, 500), 12)).astype(np.float32)
    x[2, 3] = np.nan
    return (x,)


def haversine(lat1, lon1, lat2, lon2):
    R = 6371.0
    p1, p2 = np.radians(lat1), np.radians(lat2)
    dphi = p2 - p1
    dlmb = np.radians(lon2 - lon1)
    h = np.sin(dphi/2)**2 + np.cos(p1)*np.cos(p2)*np.sin(dlmb/2)**2
    return 2*R*np.arcsin(np.sqrt(h))


def haversine_args(size, rng):
    n = of(size, 40, 4000, 100_000)
    return rng.uniform(-80, 80, n), rng.uniform(-180, 180, n), 51.5, -0.12


def relativistic_kinetic(v, m=9.109e-31):
    c = 299792458.0
    beta = v/c
    assert (beta < 1).all(), "faster than light"
    g = 1/sqrt(1 - beta**2)
    return (g - 1)*m*c*c


def relativistic_kinetic_args(size, rng):
    return (rng.uniform(0, 2.9e8, of(size, 30, 3000, 100_000)),)


def colour_temperature(kelvin):
    # piecewise fit, one value at a time
    n = len(kelvin)
    red = np.empty(n)
    for i in range(n):
        t = kelvin[i]/100
        if t <= 66:
            r = 255.0
        else:
            r = 329.698727446*math.pow(t - 60, -0.1332047592)
            if r < 0:
                r = 0.0
            elif r > 255:
                r = 255.0
        red[i] = r
    return red


def colour_temperature_args(size, rng):
    return (rng.uniform(1000, 15000, of(size, 30, 3000, 30_000)),)


def int_arithmetic(a, b):
    # int32 in, floor division and remainder with negatives, then mixing with a float
    q = a // b
    r = a % b
    s = (q*b + r == a)
    return q, r, s, a / b + 0.5*q


def int_arithmetic_args(size, rng):
    n = of(size, 50, 5000, 50_000)
    b = rng.integers(1, 9, n).astype(np.int32)
    return rng.integers(-100, 100, n).astype(np.int32), b*np.where(rng.random(n) < .5, -1, 1).astype(np.int32)


def float32_chain(x, y):
    z = x*2.5 + y/3
    z -= np.mean(z)
    z /= np.std(z) + 1e-6
    return np.tanh(z)*np.sign(x)


def float32_chain_args(size, rng):
    n = of(size, 64, 4096, 100_000)
    return rng.random(n, dtype=np.float32), rng.random(n, dtype=np.float32)
