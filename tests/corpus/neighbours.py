"""Pixels and samples one by one, with their neighbours, tables and places that are computed."""

import math

import numpy as np

from tests.corpus.sizes import of

NEIGHBOURS = [(-1, -1), (-1, 0), (-1, 1), (0, -1), (0, 1), (1, -1), (1, 0), (1, 1)]
WEIGHTS = np.array([0.1, 0.2, 0.4, 0.2, 0.1])
LUT = np.linspace(0, 1, 7)**2


def perona_malik(img, kappa, lam):
    h, w = img.shape
    out = np.zeros_like(img)
    for y in range(h):
        for x in range(w):
            total = 0.0
            for dy, dx in ((-1, 0), (1, 0), (0, -1), (0, 1)):
                g = img[(y + dy) % h, (x + dx) % w] - img[y, x]
                total += np.exp(-(g/kappa)**2)*g
            out[y, x] = img[y, x] + lam*total
    return out


def perona_malik_args(size, rng):
    n = of(size, 7, 30, 120)
    return rng.random((n, n + 2)), 0.2, 0.15


def forest_fire(state, grow, strike):
    n, m = state.shape
    new = state.copy()
    for i in range(n):
        for j in range(m):
            if state[i, j] == 2:
                new[i, j] = 0
            elif state[i, j] == 1:
                burning = False
                for di, dj in NEIGHBOURS:
                    a, b = i + di, j + dj
                    if 0 <= a < n and 0 <= b < m and state[a, b] == 2:
                        burning = True
                if burning or strike[i, j] < 0.001:
                    new[i, j] = 2
            elif grow[i, j] < 0.05:
                new[i, j] = 1
    return new


def forest_fire_args(size, rng):
    n = of(size, 7, 30, 120)
    return rng.integers(0, 3, (n, n + 1)), rng.random((n, n + 1)), rng.random((n, n + 1))


def steepest_slope(z, dx):
    n, m = z.shape
    slope = np.zeros((n, m))
    code = np.zeros((n, m), dtype=np.int64)
    for i in range(1, n - 1):
        for j in range(1, m - 1):
            best = 0.0
            for di in (-1, 0, 1):
                for dj in (-1, 0, 1):
                    if di == 0 and dj == 0:
                        continue
                    dist = dx*math.sqrt(di*di + dj*dj)
                    s = (z[i, j] - z[i + di, j + dj])/dist
                    if s > best:
                        best = s
                        code[i, j] = 3*(di + 1) + dj + 1
            slope[i, j] = best
    return slope, code


def steepest_slope_args(size, rng):
    n = of(size, 7, 30, 120)
    return rng.random((n, n + 2)), 0.5


def sample_texture(tex, uv):
    h, w = tex.shape
    out = np.zeros(len(uv))
    for k in range(len(uv)):
        u = uv[k, 0]*w
        v = uv[k, 1]*h
        i = int(np.floor(u))
        j = int(np.floor(v))
        fu = u - i
        fv = v - j
        a = tex[j % h, i % w]
        b = tex[j % h, (i + 1) % w]
        c = tex[(j + 1) % h, i % w]
        d = tex[(j + 1) % h, (i + 1) % w]
        out[k] = (1 - fv)*((1 - fu)*a + fu*b) + fv*((1 - fu)*c + fu*d)
    return out


def sample_texture_args(size, rng):
    n = of(size, 8, 100, 4000)
    return rng.random((n, n + 3)), rng.random((n + 5, 2))*3 - 1


def upwind_ring(c, u, dx, dt):
    n = len(c)
    new = np.empty(n)
    for i in range(n):
        left = c[(i - 1) % n]
        right = c[(i + 1) % n]
        if u[i] > 0:
            flux = u[i]*(c[i] - left)/dx
        else:
            flux = u[i]*(right - c[i])/dx
        new[i] = c[i] - dt*flux
    return new


def upwind_ring_args(size, rng):
    n = of(size, 9, 200, 5000)
    return rng.random(n), rng.standard_normal(n), 0.1, 0.02


def travel_times(depth, layer, v, offset):
    t = np.zeros(len(offset))
    for k in range(len(offset)):
        s = layer[k]
        slow = 1.0/v[s]
        below = 1.0/v[min(s + 1, len(v) - 1)]
        if offset[k] > 2*depth[s]:
            t[k] = offset[k]*below + 2*depth[s]*np.sqrt(max(slow**2 - below**2, 0.0))
        else:
            t[k] = np.sqrt(offset[k]**2 + 4*depth[s]**2)*slow
    return t


def travel_times_args(size, rng):
    n = of(size, 9, 200, 5000)
    return rng.random(5) + 1, rng.integers(0, 5, n), rng.random(5) + 2, rng.random(n)*5


def fresnel(n1, n2):
    r = (n1 - n2)/(n1 + n2)
    t = 2*n1/(n1 + n2)
    return r, t


def film_reflectance(lam, n0, nf, ns, d):
    R = np.zeros(len(lam))
    for k in range(len(lam)):
        r01, t01 = fresnel(n0, nf)
        r12, t12 = fresnel(nf, ns)
        phase = np.exp(2j*(2*np.pi*nf*d/lam[k]))
        r = (r01 + r12*phase)/(1 + r01*r12*phase)
        R[k] = abs(r)**2
    return R


def film_reflectance_args(size, rng):
    n = of(size, 9, 200, 5000)
    return np.linspace(0.4, 0.8, n), 1.0, 1.38, 1.52, 0.1*rng.random()


def synaptic_current(V, g, E, which, w):
    I = np.zeros(len(V))
    for i in range(len(V)):
        total = 0.0
        for k in range(g.shape[1]):
            total += w[k]*g[i, k]*(E[which[k]] - V[i])
        I[i] = total
    return I


def synaptic_current_args(size, rng):
    n = of(size, 9, 200, 5000)
    return rng.random(n), rng.random((n, 6)), rng.random(3), rng.integers(0, 3, 6), rng.random(6)


def knock_in(paths, strike, barrier, rebate):
    n, steps = paths.shape
    pay = np.zeros(n)
    for i in range(n):
        hit = False
        low = paths[i, 0]
        for t in range(steps):
            if paths[i, t] < low:
                low = paths[i, t]
        if low < barrier:
            hit = True
        pay[i] = max(paths[i, -1] - strike, 0.0) if hit else rebate
    return pay


def knock_in_args(size, rng):
    n = of(size, 9, 200, 5000)
    return 5 + np.cumsum(rng.standard_normal((n, 9)), axis=1), 5.0, 4.0, 0.3


def smooth_lookup(x, idx):
    n = len(x)
    out = np.zeros(n)
    for i in range(2, n - 2):
        s = 0.0
        for k in range(5):
            s += WEIGHTS[k]*x[i + k - 2]
        out[i] = s + LUT[idx[i]]
    return out


def smooth_lookup_args(size, rng):
    n = of(size, 12, 200, 5000)
    return rng.random(n), rng.integers(0, 7, n)
