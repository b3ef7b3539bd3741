"""Ways of writing: *args, defaults, early returns, lists, comprehensions, odd names."""

import numpy as np

from tests.corpus.sizes import of

TABLE = np.array([1.0, 0.5, 0.25, 0.125, 0.0625])
EPS = 1e-3


def add_all(*arrays):
    total = arrays[0].copy()
    for a in arrays[1:]:
        total += a
    return total/len(arrays)


def add_all_args(size, rng):
    n = of(size, 9, 900, 90_000)
    return rng.random(n), rng.random(n), rng.random(n)


def early_exit(v, limit):
    """first index at which the running sum passes the limit, -1 if never"""
    s = 0.0
    for i in range(len(v)):
        s += v[i]
        if s > limit:
            return i
    return -1


def early_exit_args(size, rng):
    n = of(size, 20, 500, 20_000)
    return rng.random(n), 0.2*n


def find_first(arr, target):
    for i, a in enumerate(arr):
        if a == target:
            break
    else:
        i = -1
    return i


def find_first_args(size, rng):
    n = of(size, 20, 500, 20_000)
    a = rng.integers(0, 100, n)
    return a, a[n//2]


def list_of_moments(x, order=4):
    mu = x.mean()
    return [np.mean((x - mu)**k) for k in range(1, order + 1)]


def list_of_moments_args(size, rng):
    return (rng.random(of(size, 20, 500, 20_000)),)


def table_lookup_global(x):
    y = np.zeros_like(x)
    for k, coef in enumerate(TABLE):
        y = y + coef*np.cos((k + 1)*x)
    return y


def table_lookup_global_args(size, rng):
    return (rng.random(of(size, 20, 500, 20_000)),)


def guarded(x, mode='linear'):
    if x.ndim != 1:
        raise ValueError("need a vector")
    if len(x) == 0:
        return 0.0
    if mode == 'linear':
        w = np.linspace(0, 1, len(x))
    elif mode == 'hann':
        w = 0.5 - 0.5*np.cos(2*np.pi*np.arange(len(x))/(len(x) - 1))
    else:
        raise ValueError(mode)
    return float(np.sum(w*x))


def guarded_args(size, rng):
    return rng.random(of(size, 20, 500, 20_000)), 'hann'


def strided_views(a):
    even = a[::2]
    odd = a[1::2]
    back = a[::-1]
    even *= 2          # through the view
    return a, odd.sum(), back[:3].copy()


def strided_views_args(size, rng):
    return (rng.random(of(size, 20, 500, 20_000)),)


def smoothstep_py(xs):
    out = []
    for x in xs:
        t = min(max(x, 0.0), 1.0)
        out.append(t*t*(3 - 2*t))
    return np.array(out)


def smoothstep_py_args(size, rng):
    return (rng.uniform(-1, 2, of(size, 20, 500, 20_000)),)


def horner(coeffs, x):
    acc = 0
    for c in coeffs[::-1]:
        acc = acc*x + c
    return acc


def horner_args(size, rng):
    return rng.random(5), rng.random(of(size, 20, 500, 20_000))


def print_progress(x, n):
    for it in range(n):
        x = np.sqrt(x + 1)
        if it % 2 == 0:
            print(f"step {it}: mean {x.mean():.3f}")
    return x


def print_progress_args(size, rng):
    return rng.random(of(size, 20, 500, 20_000)), 4


def while_else_style(n):
    fib = [0, 1]
    while len(fib) < n:
        fib.append(fib[-1] + fib[-2])
    return np.asarray(fib)


def while_else_style_args(size, rng):
    return (of(size, 10, 30, 60),)


def Δ_laplacian(φ, δx=0.1):
    λ = np.zeros_like(φ)
    λ[1:-1] = (φ[2:] - 2*φ[1:-1] + φ[:-2])/δx**2
    return λ


def Δ_laplacian_args(size, rng):
    return (rng.random(of(size, 20, 500, 20_000)),)


def clip_count(x, lo=-1, hi=1):
    n_lo = n_hi = 0
    y = x.copy()
    for i in range(x.shape[0]):
        if x[i] < lo:
            y[i] = lo; n_lo += 1
        elif x[i] > hi:
            y[i] = hi; n_hi += 1
    return y, n_lo, n_hi


def clip_count_args(size, rng):
    return (2*rng.standard_normal(of(size, 20, 500, 20_000)),)


def unique_pairs(a):
    vals, counts = np.unique(a, return_counts=True)
    return vals[counts > 1], counts.max()


def unique_pairs_args(size, rng):
    return (rng.integers(0, 15, of(size, 20, 500, 20_000)),)


def normalise_inplace(v):
    v -= v.min()
    v /= v.max() + EPS


def normalise_inplace_args(size, rng):
    return (rng.random((of(size, 5, 50, 200), 4)),)


def nested_loops_ternary(a, b):
    r = 0
    for i in range(a.shape[0]):
        for j in range(a.shape[1]):
            r += a[i, j] if b[i, j] else -a[i, j]
    return r


def nested_loops_ternary_args(size, rng):
    n = of(size, 6, 40, 200)
    return rng.integers(-9, 9, (n, n)), rng.random((n, n)) < .5


def multiple_results(x, y):
    (lo, hi), mean = (x.min(), x.max()), (x + y).mean()
    span = hi - lo
    return lo, {'span': span, 'mean': mean}, [x - lo, y/span]


def multiple_results_args(size, rng):
    n = of(size, 20, 500, 20_000)
    return rng.random(n), rng.random(n)


def last_index_used(x):
    total = 0.0
    for i in range(1, len(x), 2):
        total += x[i]
    return total, i


def last_index_used_args(size, rng):
    return (rng.random(of(size, 21, 500, 20_000)),)


def columns_reshaped(grid, M, scale):
    lats = grid[:, 0].reshape(M, 1)
    lons = grid[:, 1].reshape(1, M)
    w = np.exp(-((lats - lons)**2)/scale)
    return w.ravel()[::M+1].sum(), w.T.ravel()


def columns_reshaped_args(size, rng):
    n = of(size, 6, 40, 300)
    return rng.random((n, 2)), n, 0.3


def greedy_colouring(adjacent):
    """Colours a graph, each node with the first colour that no neighbour has"""
    n = len(adjacent)
    colour = np.full(n, -1)
    for u in range(n):
        colour[u] = next(c for c in range(n) if not any(adjacent[u, v] and colour[v] == c for v in range(u)))
    proper = all(colour[u] != colour[v] for u in range(n) for v in range(u) if adjacent[u, v])
    return colour, max(int(c) for c in colour) + 1, proper


def greedy_colouring_args(size, rng):
    n = of(size, 6, 30, 150)
    a = rng.random((n, n)) < 0.3
    return a | a.T,


def settling_time(x, target, tolerance, window):
    # first index from which a whole window stays close; -1 if it never does
    close = lambda k: abs(x[k] - target) <= tolerance
    start = next((i for i in range(len(x) - window + 1) if all(close(i + j) for j in range(window))), -1)
    return start, sum(close(k) for k in range(len(x)))


def settling_time_args(size, rng):
    n = of(size, 30, 500, 50_000)
    return 1 + np.exp(-np.arange(n)*8/n)*np.cos(np.arange(n)*0.3) + 0.001*rng.random(n), 1.0, 0.05, 5


def column_means(x, weights=None):
    """Weighted means of columns; a vector counts as one column."""
    if x.ndim == 1:
        x = x[:, None]
    if weights is None:
        weights = np.ones(len(x))
    return (x*weights[:, None]).sum(axis=0)/weights.sum()


def column_means_args(size, rng):
    n = of(size, 6, 60, 6000)
    return rng.random((n, 3)), rng.random(n)


def spectrum_power(x, window=None, full=False):
    if window is not None:
        x = x*window
    X = np.fft.fft(x)
    if np.iscomplexobj(x):
        P = np.abs(X)**2
    else:
        P = np.abs(X[:len(x)//2 + 1])**2
    if full:
        return P, X
    return P


def spectrum_power_args(size, rng):
    n = of(size, 8, 100, 10000)
    return rng.standard_normal(n), np.hanning(n)


def airmass_extinction(jd, ra, dec, lat=0.35, mag=None, k=0.15):
    gmst = (18.697374558 + 24.06570982441908*(jd - 2451545.0)) % 24
    ha = np.deg2rad(gmst*15) - ra
    ha = (ha + np.pi) % (2*np.pi) - np.pi
    sinalt = np.sin(dec)*np.sin(lat) + np.cos(dec)*np.cos(lat)*np.cos(ha)
    alt = np.degrees(np.arcsin(sinalt))
    up = alt > 0
    X = np.full(jd.shape, np.inf)
    X[up] = 1/(np.sin(np.deg2rad(alt[up] + 244/(165 + 47*alt[up]**1.1))))
    if mag is None:
        return X
    out = mag.copy()
    out[~up] = np.nan
    out[up] += k*X[up]
    return X, out


def airmass_extinction_args(size, rng):
    n = of(size, 12, 500, 100000)
    return 2459000.5 + rng.random(n), 1.2, 0.4, 0.35, rng.uniform(10, 15, n)


def simpson_checked(y, dx):
    n = len(y) - 1
    if n % 2:
        raise ValueError("even number of intervals wanted, got %d" % n)
    if dx <= 0:
        raise ValueError(f"step must be positive: {dx:.3g}")
    s = y[0] + y[-1]
    for i in range(1, n):
        s += (4 if i % 2 else 2)*y[i]
    return s*dx/3


def simpson_checked_args(size, rng):
    return rng.random(of(size, 9, 101, 10001)//2*2 + 1), 0.1


def kde_silverman(data, grid, bw=None, kernel="gauss"):
    n = data.size
    if bw is None:
        q75, q25 = np.percentile(data, [75, 25])
        bw = 0.9*min(data.std(ddof=1), (q75 - q25)/1.34)*n**-0.2
    z = (grid[:, None] - data[None, :])/bw
    if kernel == "gauss":
        K = np.exp(-0.5*z*z)/np.sqrt(2*np.pi)
    elif kernel == "epan":
        K = np.where(np.abs(z) <= 1, 0.75*(1 - z*z), 0)
    else:
        raise ValueError(f"unknown kernel {kernel!r}")
    return K.sum(axis=1)/(n*bw), bw


def kde_silverman_args(size, rng):
    n, m = of(size, (12, 8), (200, 100), (2000, 1000))
    return rng.standard_normal(n), np.linspace(-3, 3, m), None, "epan"
