"""Numba, by hand."""

import math

import numpy as np
from numba import njit, prange

PLANCK_H = 6.62607015e-34
LIGHT_C = 2.99792458e8
BOLTZMANN = 1.380649e-23


@njit(parallel=True, error_model="numpy")
def blackbody(wavelength, T):
    out = np.empty_like(wavelength)
    a = 2.0 * PLANCK_H * LIGHT_C**2
    b = PLANCK_H * LIGHT_C / (BOLTZMANN * T)
    for i in prange(wavelength.size):
        w = wavelength[i]
        out[i] = a / (w**5 * (math.exp(b / w) - 1.0))
    return out


@njit(parallel=True, error_model="numpy")
def haversine(lat1, lon1, lat2, lon2):
    out = np.empty_like(lat1)
    p2, l2 = math.radians(lat2), math.radians(lon2)
    cos2 = math.cos(p2)
    for i in prange(lat1.size):
        p1 = math.radians(lat1[i])
        u = math.sin((p2 - p1) / 2)
        v = math.sin((l2 - math.radians(lon1[i])) / 2)
        out[i] = 2 * 6371.0 * math.asin(math.sqrt(u * u + math.cos(p1) * cos2 * v * v))
    return out


@njit(parallel=True, error_model="numpy")
def distance_matrix(X, Y):
    n, d = X.shape
    m = Y.shape[0]
    out = np.empty((n, m))
    for i in prange(n):
        for j in range(m):
            s = 0.0
            for k in range(d):
                diff = X[i, k] - Y[j, k]
                s += diff * diff
            out[i, j] = math.sqrt(s)
    return out


@njit(parallel=True, error_model="numpy")
def rbf_kernel_loops(X, gamma):
    n, d = X.shape
    K = np.empty((n, n))
    for i in prange(n):
        for j in range(i, n):
            s = 0.0
            for k in range(d):
                diff = X[i, k] - X[j, k]
                s += diff * diff
            K[i, j] = math.exp(-gamma * s)
            K[j, i] = K[i, j]
    return K


@njit(parallel=True, error_model="numpy")
def nbody_acceleration(pos, mass, G, softening):
    n = pos.shape[0]
    out = np.empty((n, 3))
    eps2 = softening * softening
    for i in prange(n):
        ax = ay = az = 0.0
        for j in range(n):
            if i != j:
                dx = pos[j, 0] - pos[i, 0]
                dy = pos[j, 1] - pos[i, 1]
                dz = pos[j, 2] - pos[i, 2]
                d2 = dx * dx + dy * dy + dz * dz + eps2
                w = mass[j] / (d2 * math.sqrt(d2))
                ax += w * dx
                ay += w * dy
                az += w * dz
        out[i, 0] = G * ax
        out[i, 1] = G * ay
        out[i, 2] = G * az
    return out


@njit(error_model="numpy")
def lennard_jones(r, box, sigma, epsilon, rcut):
    N = r.shape[0]
    forces = np.zeros((N, 3))
    energy = 0.0
    rc2 = rcut * rcut
    for i in range(N - 1):
        for j in range(i + 1, N):
            dx = r[i, 0] - r[j, 0]
            dy = r[i, 1] - r[j, 1]
            dz = r[i, 2] - r[j, 2]
            dx -= box * round(dx / box)
            dy -= box * round(dy / box)
            dz -= box * round(dz / box)
            r2 = dx * dx + dy * dy + dz * dz
            if r2 > rc2:
                continue
            s6 = (sigma * sigma / r2) ** 3
            energy += 4 * epsilon * (s6 * s6 - s6)
            f = 24 * epsilon * (2 * s6 * s6 - s6) / r2
            forces[i, 0] += f * dx
            forces[i, 1] += f * dy
            forces[i, 2] += f * dz
            forces[j, 0] -= f * dx
            forces[j, 1] -= f * dy
            forces[j, 2] -= f * dz
    return energy, forces


@njit(parallel=True, error_model="numpy")
def softmax(logits):
    n, m = logits.shape
    out = np.empty_like(logits)
    for i in prange(n):
        top = logits[i, 0]
        for j in range(1, m):
            top = max(top, logits[i, j])
        total = 0.0
        for j in range(m):
            e = math.exp(logits[i, j] - top)
            out[i, j] = e
            total += e
        for j in range(m):
            out[i, j] /= total
    return out


@njit(error_model="numpy")
def running_max_drawdown(prices):
    peak = prices[0]
    best = -1.0
    end = 0
    for i in range(prices.size):
        if prices[i] > peak:
            peak = prices[i]
        drawdown = (peak - prices[i]) / peak
        if drawdown > best:
            best = drawdown
            end = i
    start = 0
    for i in range(1, end + 1):
        if prices[i] > prices[start]:
            start = i
    return best, start, end


@njit(parallel=True, error_model="numpy")
def covariance_loops(samples):
    n, p = samples.shape
    centred = np.empty((p, n))
    for a in prange(p):
        mean = 0.0
        for k in range(n):
            mean += samples[k, a]
        mean /= n
        for k in range(n):
            centred[a, k] = samples[k, a] - mean
    S = np.empty((p, p))
    for a in prange(p):
        for b in range(a + 1):
            S[a, b] = S[b, a] = np.dot(centred[a], centred[b]) / (n - 1)
    return S


@njit(parallel=True, error_model="numpy")
def heat_2d_swap(T, kappa, dt, dx, nt):
    Tn = T.copy()
    c = kappa * dt / dx**2
    ny, nx = T.shape
    for _ in range(nt):
        for i in prange(1, ny - 1):
            for j in range(1, nx - 1):
                Tn[i, j] = T[i, j] + c * (T[i + 1, j] + T[i - 1, j] + T[i, j + 1] + T[i, j - 1] - 4 * T[i, j])
        T, Tn = Tn, T
    return T


@njit(error_model="numpy")
def laplace_gauss_seidel(phi, tol, maxiter):
    ny, nx = phi.shape
    phi = phi.copy()
    it = -1
    while it + 1 < maxiter:
        it += 1
        biggest = 0.0
        for i in range(1, ny - 1):
            for j in range(1, nx - 1):
                old = phi[i, j]
                new = 0.25 * (phi[i + 1, j] + phi[i - 1, j] + phi[i, j + 1] + phi[i, j - 1])
                phi[i, j] = new
                biggest = max(biggest, abs(new - old))
        if biggest < tol:
            break
    return phi, it


@njit(error_model="numpy")
def wave_equation(u0, c, dx, dt, nsteps):
    nx = len(u0)
    C2 = (c * dt / dx) ** 2
    u = np.zeros((nsteps + 1, nx))
    u[0] = u0
    for i in range(1, nx - 1):
        u[1, i] = u0[i] + 0.5 * C2 * (u0[i + 1] - 2 * u0[i] + u0[i - 1])
    for n in range(1, nsteps):
        for i in range(1, nx - 1):
            u[n + 1, i] = -u[n - 1, i] + 2 * u[n, i] + C2 * (u[n, i - 1] - 2 * u[n, i] + u[n, i + 1])
    return u


@njit(parallel=True)
def game_of_life(grid, generations):
    ny, nx = grid.shape
    now = np.zeros((ny + 2, nx + 2), grid.dtype)
    now[1:-1, 1:-1] = grid
    new = np.zeros_like(now)
    for _ in range(generations):
        for i in prange(1, ny + 1):
            for j in range(1, nx + 1):
                n = (
                    now[i - 1, j - 1] + now[i - 1, j] + now[i - 1, j + 1] + now[i, j - 1]
                    + now[i, j + 1] + now[i + 1, j - 1] + now[i + 1, j] + now[i + 1, j + 1]
                )  # fmt: skip
                new[i, j] = 1 if n == 3 or (n == 2 and now[i, j] == 1) else 0
        now, new = new, now
    return now[1:-1, 1:-1].copy()


@njit(error_model="numpy")
def thomas(a, b, c, d):
    n = len(d)
    cp = np.empty(n)
    x = np.empty(n)
    cp[0] = c[0] / b[0]
    x[0] = d[0] / b[0]
    for i in range(1, n):
        m = 1.0 / (b[i] - a[i] * cp[i - 1])
        cp[i] = c[i] * m
        x[i] = (d[i] - a[i] * x[i - 1]) * m
    for i in range(n - 2, -1, -1):
        x[i] -= cp[i] * x[i + 1]
    return x


@njit(error_model="numpy")
def cholesky(A):
    n = A.shape[0]
    L = np.zeros((n, n))
    for i in range(n):
        for j in range(i + 1):
            s = A[i, j]
            for k in range(j):
                s -= L[i, k] * L[j, k]
            L[i, j] = math.sqrt(s) if i == j else s / L[j, j]
    return L


@njit
def edit_distance(s, t):
    m, n = len(s), len(t)
    row = np.arange(n + 1)
    for i in range(1, m + 1):
        diagonal = row[0]
        row[0] = i
        for j in range(1, n + 1):
            above = row[j]
            cost = diagonal + (s[i - 1] != t[j - 1])
            row[j] = min(above + 1, row[j - 1] + 1, cost)
            diagonal = above
    return row[n]


@njit
def knapsack(weights, values, W):
    best = np.zeros(W + 1)
    for i in range(len(weights)):
        w, v = weights[i], values[i]
        for c in range(W, w - 1, -1):
            best[c] = max(best[c], best[c - w] + v)
    return best[W]


@njit
def floyd_warshall(dist):
    d = dist.copy()
    n = d.shape[0]
    for k in range(n):
        row = d[k]
        for i in range(n):
            through = d[i, k]
            for j in range(n):
                d[i, j] = min(d[i, j], through + row[j])
    return d


@njit(error_model="numpy")
def iir_biquad(x, b0, b1, b2, a1, a2):
    y = np.empty_like(x)
    x1 = x2 = y1 = y2 = 0.0
    for n in range(len(x)):
        v = b0 * x[n] + b1 * x1 + b2 * x2 - a1 * y1 - a2 * y2
        x2, x1 = x1, x[n]
        y2, y1 = y1, v
        y[n] = v
    return y


@njit(error_model="numpy")
def kalman_matrix(zs, F, H, Q, R, x, P):
    identity = np.eye(F.shape[0])
    history = np.empty((len(zs), len(x)))
    Ft, Ht = np.ascontiguousarray(F.T), np.ascontiguousarray(H.T)
    for k in range(len(zs)):
        x = F @ x
        P = F @ P @ Ft + Q
        PHt = P @ Ht
        K = PHt @ np.linalg.inv(H @ PHt + R)
        x = x + K @ (zs[k] - H @ x)
        P = (identity - K @ H) @ P
        history[k] = x
    return history, P


@njit(parallel=True, error_model="numpy")
def dft_matrix(x):
    N = len(x)
    roots = np.exp(-2j * np.pi * np.arange(N) / N)
    out = np.empty(N, np.complex128)
    for k in prange(N):
        s = 0j
        for n in range(N):
            s += roots[(k * n) % N] * x[n]
        out[k] = s
    return out


@njit(error_model="numpy")
def histogram_loop(x, nbins, lo, hi):
    h = np.zeros(nbins, dtype=np.int64)
    width = (hi - lo) / nbins
    for v in x:
        b = int((v - lo) / width)
        if 0 <= b < nbins:
            h[b] += 1
    return h


@njit(parallel=True, error_model="numpy")
def csr_matvec(data, indices, indptr, x):
    n = len(indptr) - 1
    y = np.empty(n)
    for i in prange(n):
        s = 0.0
        for k in range(indptr[i], indptr[i + 1]):
            s += data[k] * x[indices[k]]
        y[i] = s
    return y


@njit(parallel=True, error_model="numpy")
def mandelbrot(centre, width, pixels, limit):
    re = np.linspace(centre.real - width / 2, centre.real + width / 2, pixels)
    im = np.linspace(centre.imag - width / 2, centre.imag + width / 2, pixels)
    escaped_at = np.full((pixels, pixels), limit)
    for i in prange(pixels):
        for j in range(pixels):
            c = complex(re[j], im[i])
            z = 0j
            for k in range(limit):
                z = z * z + c
                if z.real * z.real + z.imag * z.imag > 4:
                    escaped_at[i, j] = k
                    break
    return escaped_at


@njit(parallel=True, error_model="numpy")
def conv2d_valid(image, kernel):
    kh, kw = kernel.shape
    H, W = image.shape
    out = np.zeros((H - kh + 1, W - kw + 1), image.dtype)
    for i in prange(H - kh + 1):
        for dy in range(kh):
            for dx in range(kw):
                w = kernel[dy, dx]
                for j in range(W - kw + 1):
                    out[i, j] += w * image[i + dy, j + dx]
    return out


@njit(error_model="numpy")
def binomial_american_put(S0, K, T, r, sigma, N):
    dt = T / N
    u = math.exp(sigma * math.sqrt(dt))
    d = 1 / u
    p = (math.exp(r * dt) - d) / (u - d)
    disc = math.exp(-r * dt)
    C = np.empty(N + 1)
    for j in range(N + 1):
        C[j] = max(0.0, K - S0 * d ** (N - j) * u**j)
    for i in range(N - 1, -1, -1):
        S = S0 * d**i
        for j in range(i + 1):
            C[j] = max(disc * (p * C[j + 1] + (1 - p) * C[j]), K - S)
            S *= u * u
    return C[0]


@njit(parallel=True)
def ising_energy(spins, B=0.0):
    n, m = spins.shape
    bonds = 0
    total = 0
    for i in prange(n):
        down = i + 1 if i + 1 < n else 0
        for j in range(m):
            right = j + 1 if j + 1 < m else 0
            bonds += spins[i, j] * (spins[i, right] + spins[down, j])
            total += spins[i, j]
    return -1.0 * bonds - B * total
