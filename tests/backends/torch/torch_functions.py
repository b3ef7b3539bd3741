# ruff: noqa: E501
"""NumPy functions of many kinds with example arguments: the source is the first item, the arguments follow."""

import numpy as np

R = np.random.default_rng(7)
V = R.standard_normal(12)
W = R.standard_normal(12)
M = R.standard_normal((6, 5))
S = M.T @ M + 5 * np.eye(5)
P = np.abs(V) + 0.5
A = R.integers(0, 9, 12)
J = R.integers(0, 5, 12)
F = V.astype(np.float32)
G = W.astype(np.float32)
C = V + 1j * W
IMG = R.standard_normal((16, 14))
T = R.standard_normal((4, 5, 6))

CASES = {
    # elementwise
    "cubic float32": (
        """
def fn(x):
    return x + x*x + x*x*x
""",
        F,
    ),
    "transcendentals": (
        """
def fn(x):
    return np.arctan2(np.sin(x), np.cos(x)) + np.log1p(np.abs(x)) - np.cbrt(x) + np.sign(x)
""",
        V,
    ),
    "int true division": (
        """
def fn(a, b):
    return a / (b + 1)
""",
        A,
        J,
    ),
    "int by python int": (
        """
def fn(a):
    return a / 2 + a // 2 + a % 3
""",
        A,
    ),
    "int times float": (
        """
def fn(a):
    return a * 2.5
""",
        A,
    ),
    "sqrt of int": (
        """
def fn(a):
    return np.sqrt(a)
""",
        A,
    ),
    "float32 with float64 scalar": (
        """
def fn(x):
    return x * np.float64(3.0) + x.astype(np.float64).mean()
""",
        F,
    ),
    "float32 stays with python floats": (
        """
def fn(x):
    y = 2.5 * x - 1
    return np.maximum(y, 0.0) ** 2
""",
        F,
    ),
    "float32 times sum of float64": (
        """
def fn(x, y):
    return x * y.sum()
""",
        F,
        V,
    ),
    "scalar sqrt is strong": (
        """
def fn(x, n):
    k = np.sqrt(n)
    return k * x
""",
        F,
        3.0,
    ),
    "pi and e": (
        """
def fn(r):
    return np.pi * r**2 + np.e
""",
        P,
    ),
    "clip": (
        """
def fn(x):
    return np.clip(x, -0.5, 0.5) + x.clip(0, None) + np.clip(x, None, 1)
""",
        V,
    ),
    "clip by arrays": (
        """
def fn(x, lo):
    return np.clip(x, lo, 1.0)
""",
        V,
        W - 2,
    ),
    "minimum of arrays": (
        """
def fn(x, y):
    return np.minimum(x, y) - np.maximum(0, y) + np.fmax(x, 0.1)
""",
        V,
        W,
    ),
    "where of two numbers": (
        """
def fn(x):
    return np.where(x > 0, 0.1, -0.2)
""",
        V,
    ),
    "where mixed": (
        """
def fn(x):
    return np.where((x > 0) & (x < 1), x, 0)
""",
        V,
    ),
    "where int number": (
        """
def fn(x):
    return np.where(x > 4, x, 0.5)
""",
        A,
    ),
    "select": (
        """
def fn(x):
    return np.select([x < -1, x < 1], [x - 1, x * 2], default=0.5)
""",
        V,
    ),
    "round": (
        """
def fn(x):
    return np.round(x, 2) + np.floor(x) + np.rint(x) + np.trunc(x)
""",
        V,
    ),
    "power forms": (
        """
def fn(x):
    return np.power(x, 3) + np.power(2.0, x) + np.square(x) + 2 ** x
""",
        V,
    ),
    "hypot with number": (
        """
def fn(x):
    return np.hypot(x, 3.0) + np.arctan2(x, 1.0)
""",
        V,
    ),
    "logaddexp": (
        """
def fn(x, y):
    return np.logaddexp(x, y)
""",
        V,
        W,
    ),
    "comparison of int and float": (
        """
def fn(a, x):
    return (a > x) | (a == 3)
""",
        A,
        V,
    ),
    "logical": (
        """
def fn(x, y):
    return np.logical_and(x > 0, y > 0), np.logical_not(x > 0), ~(x > 0)
""",
        V,
        W,
    ),
    "nan handling": (
        """
def fn(x):
    y = x.copy()
    y[2] = np.nan
    return np.nansum(y), np.nanmean(y), np.nanmax(y), np.isnan(y), np.nan_to_num(y)
""",
        V,
    ),
    "bitwise": (
        """
def fn(a, b):
    return (a & b) ^ (a << 1), np.bitwise_or(a, 1), a >> 1
""",
        A,
        J,
    ),
    "ufunc names": (
        """
def fn(x, y):
    return np.add(x, y) * np.subtract(1.0, x) + np.multiply(2, y) - np.divide(x, y)
""",
        V,
        W,
    ),
    "python scalars only": (
        """
def fn(a, b):
    return np.exp(-a) * np.cos(b) + np.sqrt(a)
""",
        0.5,
        2.0,
    ),
    "complex": (
        """
def fn(z):
    return np.abs(z), np.angle(z), z.real + z.imag, np.conj(z) * z, np.exp(1j * z.real)
""",
        C,
    ),
    "complex scalar": (
        """
def fn(x, k):
    return x * np.exp(1j * k)
""",
        V,
        0.3,
    ),
    "heaviside sigmoid": (
        """
def fn(x):
    return np.heaviside(x, 0.5) * 1 / (1 + np.exp(-x))
""",
        V,
    ),
    "mod negative": (
        """
def fn(x):
    return np.mod(x, 2) + np.fmod(x, 2) + np.remainder(-3.0, x)
""",
        P,
    ),
    # reductions
    "sums": (
        """
def fn(x):
    return x.sum(), np.sum(x, axis=0), x.sum(axis=1, keepdims=True), np.sum(x > 0)
""",
        M,
    ),
    "means of int": (
        """
def fn(a):
    return a.mean(), np.mean(a), a.sum(), a.prod()
""",
        A % 3 + 1,
    ),
    "std and var": (
        """
def fn(x):
    return x.std(), np.std(x, axis=0), x.var(ddof=1), np.var(x, axis=1, ddof=1, keepdims=True)
""",
        M,
    ),
    "extremes": (
        """
def fn(x):
    return x.max(), x.min(axis=0), np.max(x, axis=1, keepdims=True), np.amin(x), x.argmax(), x.argmin(axis=1), np.ptp(x, axis=0)
""",
        M,
    ),
    "keepdims all": (
        """
def fn(x):
    return x / np.sum(x, keepdims=True), x.mean(keepdims=True), x.max(keepdims=True)
""",
        M,
    ),
    "any all": (
        """
def fn(x):
    return np.any(x > 2), np.all(x > -9, axis=0), (x > 0).any(axis=1)
""",
        M,
    ),
    "median": (
        """
def fn(x):
    return np.median(x), np.median(x, axis=0)
""",
        M,
    ),
    "percentiles": (
        """
def fn(x):
    return np.percentile(x, 25), np.quantile(x, [0.1, 0.9], axis=0), np.percentile(x, [5, 95])
""",
        M,
    ),
    "cumulative": (
        """
def fn(x, m):
    return np.cumsum(x), m.cumsum(axis=1), np.cumprod(x), np.cumsum(m)
""",
        V,
        M,
    ),
    "cumsum of int32": (
        """
def fn(a):
    return np.cumsum(a), a.sum()
""",
        A.astype(np.int32),
    ),
    "zscore": (
        """
def fn(x):
    return (x - x.mean(axis=0)) / x.std(axis=0, ddof=1)
""",
        M,
    ),
    "softmax": (
        """
def fn(x):
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)
""",
        M,
    ),
    "norms": (
        """
def fn(x, v):
    return np.linalg.norm(v), np.linalg.norm(x), np.linalg.norm(x, axis=1), np.linalg.norm(x, 'fro'), np.linalg.norm(v, 1), np.linalg.norm(x, ord=2)
""",
        M,
        V,
    ),
    "average": (
        """
def fn(x, w):
    return np.average(x), np.average(x, weights=w), np.average(x[:, None] * w, axis=0, weights=w)
""",
        V,
        P,
    ),
    "count and bincount": (
        """
def fn(a, x):
    return np.count_nonzero(x > 0), np.bincount(a, minlength=6), np.bincount(a, weights=x)
""",
        J,
        V,
    ),
    "trapezoid": (
        """
def fn(y, x):
    return np.trapezoid(y, x), np.trapezoid(y, dx=0.1)
""",
        V,
        np.sort(W),
    ),
    "cov corrcoef": (
        """
def fn(x, y):
    return np.cov(x), np.corrcoef(x), np.corrcoef(y, 2 * y + 1)[0, 1]
""",
        M,
        V,
    ),
    "logsumexp by hand": (
        """
def fn(x):
    m = np.max(x, axis=1)
    return m + np.log(np.sum(np.exp(x - m[:, np.newaxis]), axis=1))
""",
        M,
    ),
    # broadcasting and shapes
    "pairwise distances": (
        """
def fn(x):
    d = x[:, None, :] - x[None, :, :]
    return np.sqrt((d**2).sum(axis=-1))
""",
        M,
    ),
    "outer": (
        """
def fn(x, y):
    return np.outer(x, y) + np.subtract.outer(x, y) + x[:, np.newaxis] * y
""",
        V,
        W,
    ),
    "reshape and transpose": (
        """
def fn(x):
    y = x.reshape(3, -1).T
    return y.transpose(1, 0), np.transpose(x), x.T.ravel(), np.swapaxes(x, 0, 1), x.reshape((5, 6)), x.size, x.shape[0]
""",
        M,
    ),
    "three axes": (
        """
def fn(x):
    y = x.reshape(2, 3, 5)
    return y.T, np.transpose(y, (2, 0, 1)), np.moveaxis(y, 0, -1), y.sum(axis=(0, 2)), np.tensordot(y, y, axes=([0, 1], [0, 1]))
""",
        M,
    ),
    "stacking": (
        """
def fn(x, y):
    return np.stack([x, y], axis=1), np.vstack((x, y)), np.hstack([x, y]), np.column_stack((x, y)), np.concatenate((x, y)), np.append(x, 3.0), np.c_[x, y]
""",
        V,
        W,
    ),
    "splitting": (
        """
def fn(x):
    a, b, c = np.split(x, 3)
    p, q = np.array_split(x, [5])
    return a + b - c, p.sum() * q
""",
        V,
    ),
    "repeat and tile": (
        """
def fn(x):
    return np.repeat(x, 2), np.tile(x, 3), x.repeat(2), np.tile(x, (2, 2)), np.repeat(x[None, :], 2, axis=0)
""",
        V,
    ),
    "roll and flip": (
        """
def fn(x):
    return np.roll(x, 1, axis=0) + np.roll(x, -1, axis=1), np.flip(x), np.flip(x, axis=0), np.fliplr(x), x[::-1, :], x[::-2], x[:, ::-1]
""",
        M,
    ),
    "reversed slices": (
        """
def fn(x):
    return x[::-1] + x, x[5:0:-1], x[-2::-1], x[::-3]
""",
        V,
    ),
    "diff and gradient": (
        """
def fn(x, m):
    return np.diff(x), np.diff(m, axis=0, n=2), np.gradient(x), np.gradient(x, 0.1), np.gradient(m, axis=0)
""",
        V,
        M,
    ),
    "gradient of two axes": (
        """
def fn(m):
    gy, gx = np.gradient(m, 0.5, 0.25)
    return np.sqrt(gx**2 + gy**2)
""",
        IMG,
    ),
    "pad": (
        """
def fn(m):
    return np.pad(m, 1), np.pad(m, ((1, 2), (0, 1)), mode='constant', constant_values=3.0), np.pad(m, 1, mode='edge'), np.pad(m, ((2, 2), (1, 1)), mode='reflect'), np.pad(m, 1, mode='wrap')
""",
        M,
    ),
    "meshgrid and linspace": (
        """
def fn(n):
    x = np.linspace(-1, 1, n)
    y = np.linspace(0, 2, n, endpoint=False)
    X, Y = np.meshgrid(x, y)
    return np.exp(-(X**2 + Y**2))
""",
        8,
    ),
    "aranges": (
        """
def fn(n):
    return np.arange(n), np.arange(0.0, 1.0, 0.25), np.arange(n) / n, np.arange(1, n, dtype=float), np.arange(3) ** 2
""",
        6,
    ),
    "creation": (
        """
def fn(x, n):
    return np.zeros(n), np.ones((n, 2)), np.full(n, 7), np.full((2, n), 0.5), np.eye(n), np.zeros_like(x, dtype=int), np.ones_like(x), np.zeros(n, dtype=np.float32), np.identity(n), np.full_like(x, 2)
""",
        F,
        4,
    ),
    "logspace": (
        """
def fn(n):
    return np.logspace(0, 2, n), np.geomspace(1.0, 100.0, n)
""",
        5,
    ),
    "mgrid": (
        """
def fn(n):
    y, x = np.mgrid[0:n, 0:n]
    return (x - n / 2) ** 2 + (y - n / 2) ** 2
""",
        6,
    ),
    "indices": (
        """
def fn(h, w):
    yy, xx = np.indices((h, w))
    return yy * w + xx
""",
        4,
        3,
    ),
    "indices of an array": (
        """
def fn(a):
    yy, xx = np.indices(a.shape)
    return (yy - 1)**2 + xx + a
""",
        M,
    ),
    "flips behind an ellipsis": (
        """
def fn(a):
    return a[..., ::-1] + 0, a[..., ::-1, :] + 0, a[::-1, ..., ::-1] + 0, a[..., ::-1, 0] + 0
""",
        M.reshape(2, -1, M.shape[-1]),
    ),
    "in place by one of its elements": (
        """
def fn(a):
    c = np.cumsum(a**2)
    c /= c[-1]
    c -= c[0]
    return c
""",
        V,
    ),
    "a ratio where it is one": (
        """
def fn(a, b):
    r = np.divide(a, b, out=np.zeros_like(a), where=b > 0)
    np.sqrt(b, out=r, where=b > 0.5)
    return r
""",
        V,
        W,
    ),
    "triangles": (
        """
def fn(s):
    i, j = np.triu_indices(5, k=1)
    return np.tril(s), np.triu(s, 1), s[i, j], np.diag(s), np.diag(np.diag(s)), np.trace(s)
""",
        S,
    ),
    "array of scalars": (
        """
def fn(t, x):
    c, s = np.cos(t), np.sin(t)
    rotation = np.array([[c, -s], [s, c]])
    return rotation @ x.reshape(2, -1)
""",
        0.3,
        V,
    ),
    "array of elements": (
        """
def fn(x):
    return np.array([x[0] + x[1], x[2] * 2, 1.0])
""",
        V,
    ),
    "sliding windows": (
        """
def fn(x):
    w = np.lib.stride_tricks.sliding_window_view(x, 3)
    return w.mean(axis=1)
""",
        V,
    ),
    # linear algebra
    "matmul forms": (
        """
def fn(a, s, v):
    return a @ s, np.dot(s, v), np.dot(v, v), s.dot(v), np.matmul(a, v), np.inner(v, v), np.vdot(v, v), a.dot(s)
""",
        M,
        S,
        V[:5],
    ),
    "int matrix with float vector": (
        """
def fn(a, x):
    return a.reshape(3, 4) @ x[:4]
""",
        A,
        V,
    ),
    "einsum": (
        """
def fn(a, s):
    return np.einsum('ij,jk->ik', a, s), np.einsum('ij,ij->i', a, a), np.einsum('ii', s, optimize=True)
""",
        M,
        S,
    ),
    "solves": (
        """
def fn(s, b):
    return np.linalg.solve(s, b), np.linalg.inv(s), np.linalg.det(s), np.linalg.cholesky(s), np.linalg.matrix_power(s, 3), np.linalg.pinv(s), np.linalg.slogdet(s)[1]
""",
        S,
        V[:5],
    ),
    "eigenvalues": (
        """
def fn(s):
    w, q = np.linalg.eigh(s)
    return w, q @ np.diag(w) @ q.T, np.linalg.eigvalsh(s)
""",
        S,
    ),
    "svd and qr": (
        """
def fn(a):
    u, s, vt = np.linalg.svd(a, full_matrices=False)
    q, r = np.linalg.qr(a)
    return u @ np.diag(s) @ vt, s, q @ r, np.linalg.svd(a, compute_uv=False), np.linalg.matrix_rank(a)
""",
        M,
    ),
    "least squares": (
        """
def fn(a, b):
    return np.linalg.lstsq(a, b, rcond=None)[0]
""",
        M,
        V[:6],
    ),
    "cross of many and one": (
        """
def fn(a, b):
    return np.cross(a, b[0]), np.cross(b[1], a)
""",
        V.reshape(4, 3),
        W.reshape(4, 3),
    ),
    "cross and kron": (
        """
def fn(a, b):
    return np.cross(a, b), np.kron(a[:2], b[:2])
""",
        V.reshape(4, 3),
        W.reshape(4, 3),
    ),
    "power iteration": (
        """
def fn(s, n):
    v = np.ones(s.shape[0])
    for _ in range(n):
        v = s @ v
        v /= np.linalg.norm(v)
    return v @ s @ v
""",
        S,
        20,
    ),
    # fft
    "fft": (
        """
def fn(x):
    f = np.fft.fft(x)
    return f, np.abs(np.fft.rfft(x)) ** 2, np.fft.ifft(f).real, np.fft.fftfreq(x.size, 0.1), np.fft.fftshift(f)
""",
        V,
    ),
    "fft of float32 and int": (
        """
def fn(x, a):
    return np.fft.fft(x), np.fft.rfft(a), np.fft.irfft(np.fft.rfft(x), n=x.size)
""",
        F,
        A,
    ),
    "fft2 filter": (
        """
def fn(m):
    k = np.fft.fft2(m, axes=(0, 1))
    ky = np.fft.fftfreq(m.shape[0])[:, None]
    return np.real(np.fft.ifft2(k * np.exp(-ky**2)))
""",
        IMG,
    ),
    "convolution": (
        """
def fn(x, k):
    return np.convolve(x, k), np.convolve(x, k, mode='same'), np.convolve(x, k, 'valid'), np.correlate(x, k, 'full')
""",
        V,
        W[:4],
    ),
    # order and search
    "sorting": (
        """
def fn(x, a):
    return np.sort(x), np.argsort(x), np.sort(a)[::-1], x[np.argsort(a, kind='stable')], np.unique(a)
""",
        V,
        A,
    ),
    "sort axes": (
        """
def fn(m):
    return np.sort(m, axis=0), np.argsort(m, axis=1), np.sort(m, axis=None)
""",
        M,
    ),
    "axis=None flattens, other arguments or not": (
        """
def fn(m):
    order = np.argsort(m, axis=None, kind='stable')
    q, r = divmod(order[3], m.shape[1])
    joined = np.concatenate((m, m[:1]), axis=None)
    return order, np.sort(m, None, kind='stable'), joined, q, r, m[q, r]
""",
        M,
    ),
    "sort in place": (
        """
def fn(x):
    y = x.copy()
    y.sort()
    return y[len(y) // 2]
""",
        V,
    ),
    "searching": (
        """
def fn(x, a):
    edges = np.linspace(-2, 2, 5)
    return np.searchsorted(edges, x), np.searchsorted(edges, x, side='right'), np.digitize(x, edges), np.isin(a, np.array([1, 2, 3])), np.searchsorted(edges, 0.5)
""",
        V,
        A,
    ),
    "interp": (
        """
def fn(x):
    xp = np.linspace(-1, 1, 6)
    return np.interp(x, xp, xp**2)
""",
        V,
    ),
    "nonzero": (
        """
def fn(x):
    i = np.where(x > 0)[0]
    return i, x[np.nonzero(x < 0)], np.flatnonzero(x > 1), np.argwhere(x > 1), x[x > 0].sum()
""",
        V,
    ),
    "masks": (
        """
def fn(x):
    y = x.copy()
    y[y < 0] = 0
    y[y > 1] *= 2
    return y, x[x > 0].mean()
""",
        V,
    ),
    "index arrays": (
        """
def fn(x, i, m):
    return x[i], m[:, [0, 2]], np.take(x, i), np.take(m, [1, 0], axis=0), np.take_along_axis(m, np.argsort(m, axis=1), axis=1)
""",
        V,
        J.astype(np.int32),
        M,
    ),
    "scatter add": (
        """
def fn(x, i):
    out = np.zeros(6)
    np.add.at(out, i, x)
    return out
""",
        V,
        J,
    ),
    "scatter add of number": (
        """
def fn(i):
    out = np.zeros(6, dtype=int)
    np.add.at(out, i, 1)
    return out
""",
        J,
    ),
    "polyval": (
        """
def fn(x):
    return np.polyval([1.0, -2.0, 0.5], x)
""",
        V,
    ),
    # stores, stencils, loops
    "heat stencil": (
        """
def fn(u, n):
    u = u.copy()
    for _ in range(n):
        u[1:-1] = u[1:-1] + 0.1 * (u[2:] - 2*u[1:-1] + u[:-2])
    return u
""",
        V,
        10,
    ),
    "overlapping shift": (
        """
def fn(x):
    y = x.copy()
    y[1:] = y[:-1]
    y[:-2] += y[2:]
    return y
""",
        V,
    ),
    "laplacian": (
        """
def fn(m):
    out = np.zeros_like(m)
    out[1:-1, 1:-1] = m[2:, 1:-1] + m[:-2, 1:-1] + m[1:-1, 2:] + m[1:-1, :-2] - 4 * m[1:-1, 1:-1]
    return out
""",
        IMG,
    ),
    "swap elements": (
        """
def fn(x):
    y = x.copy()
    t = y[0]
    y[0] = y[1]
    y[1] = t
    y[2], y[3] = y[3], y[2]
    return y, t
""",
        V,
    ),
    "scalar accumulation": (
        """
def fn(x):
    s = 0.0
    best = x[0]
    for i in range(len(x)):
        s += x[i] ** 2
        if x[i] > best:
            best = x[i]
    return np.sqrt(s), best
""",
        V,
    ),
    "scalar aliases": (
        """
def fn(x):
    a = x.sum()
    b = a
    a += 1.0
    return a, b
""",
        V,
    ),
    "recurrence": (
        """
def fn(x, a):
    y = np.empty_like(x)
    y[0] = x[0]
    for i in range(1, x.shape[0]):
        y[i] = a * y[i - 1] + (1 - a) * x[i]
    return y
""",
        V,
        0.3,
    ),
    "newton on scalars": (
        """
def fn(a):
    x = a
    while abs(x * x - a) > 1e-12:
        x = 0.5 * (x + a / x)
    return x
""",
        2.0,
    ),
    "list of arrays": (
        """
def fn(x):
    out = []
    for k in range(4):
        out.append(np.sin(k * x).sum())
    return np.array(out)
""",
        V,
    ),
    "comprehension": (
        """
def fn(m):
    return np.stack([row * i for i, row in enumerate(m)])
""",
        M,
    ),
    "column loop": (
        """
def fn(m):
    out = np.empty(m.shape[1])
    for j in range(m.shape[1]):
        out[j] = m[:, j].max() - m[:, j].min()
    return out
""",
        M,
    ),
    "augmented number with array": (
        """
def fn(x, n):
    total = 0
    for k in range(n):
        total += x / (k + 1)
    return total
""",
        V,
        4,
    ),
    "augmented int array number": (
        """
def fn(a):
    total = 0.0
    for k in range(3):
        total += a
    return total
""",
        A,
    ),
    "early return": (
        """
def fn(x):
    if x.ndim != 1:
        raise ValueError('one axis')
    if np.all(x > 0):
        return x
    return -x * 1.0
""",
        V,
    ),
    "errstate": (
        """
def fn(x, y):
    with np.errstate(divide='ignore', invalid='ignore'):
        # safe
        r = np.where(y != 0, x / y, 0.0)
    return r
""",
        V,
        np.where(W > 0, W, 0),
    ),
    "finfo": (
        """
def fn(x):
    return x / (np.abs(x) + np.finfo(np.float64).eps) + np.finfo(x.dtype).tiny
""",
        V,
    ),
    "flat index": (
        """
def fn(m):
    k = np.argmax(m)
    return m.ravel()[k], m.flatten()[0], m.flat[3]
""",
        M,
    ),
    "scalar division by size": (
        """
def fn(x):
    n = x.size
    m = np.sum(x) / n
    return np.sum((x - m) ** 2) / (n - 1), float(m), int(n)
""",
        V,
    ),
    "dtype conversions": (
        """
def fn(x):
    return x.astype(int), x.astype('float32'), (x > 0).astype(np.uint8), np.float32(2.0) * x.astype(np.float32), x.astype(bool), np.asarray(x, dtype=np.float32)
""",
        V,
    ),
    "bool sums": (
        """
def fn(x):
    hits = (x > 0).sum()
    return hits / x.size, hits, np.mean(x > 0)
""",
        V,
    ),
    # several functions, globals
    "helpers and constants": (
        """
G = 9.81


def speed(h, g=G):
    return np.sqrt(2 * g * h)


def fn(h):
    return speed(h) + speed(h, g=1.62)
""",
        P,
    ),
    "helper of scalars": (
        """
def scale(k):
    return np.exp(-k)


def fn(x, k):
    return x * scale(k)
""",
        V,
        0.5,
    ),
    "helper of scalar and array": (
        """
def f(t):
    return np.sin(t) + t


def fn(x):
    return f(x) + f(0.5)
""",
        V,
    ),
    "nested function": (
        """
def fn(x):
    def g(y):
        return np.tanh(y) * 2
    h = lambda z: np.exp(-z)
    return g(x) + h(x)
""",
        V,
    ),
    "star arrays": (
        """
def fn(w, *arrays):
    return sum(wi * a for wi, a in zip(w, arrays))
""",
        (0.5, 2.0),
        V,
        W,
    ),
    "runge kutta": (
        """
def rhs(y, mu):
    return np.array([y[1], mu * (1 - y[0]**2) * y[1] - y[0]])


def fn(y, dt, n):
    for _ in range(n):
        k1 = rhs(y, 1.5)
        k2 = rhs(y + dt / 2 * k1, 1.5)
        k3 = rhs(y + dt / 2 * k2, 1.5)
        k4 = rhs(y + dt * k3, 1.5)
        y = y + dt / 6 * (k1 + 2*k2 + 2*k3 + k4)
    return y
""",
        np.array([1.0, 0.0]),
        0.05,
        10,
    ),
    "n body": (
        """
def fn(pos, mass):
    d = pos[None, :, :] - pos[:, None, :]
    r2 = (d ** 2).sum(axis=-1) + 1e-3
    np.fill_diagonal(r2, 1.0)
    a = (d * (mass[None, :] / r2 ** 1.5)[:, :, None]).sum(axis=1)
    return a
""",
        V.reshape(4, 3),
        P[:4],
    ),
    "k means step": (
        """
def fn(x, c):
    d = np.linalg.norm(x[:, None] - c[None], axis=2)
    label = np.argmin(d, axis=1)
    return label, np.stack([x[label == k].mean(axis=0) for k in range(len(c))])
""",
        M,
        M[:2] * 1.01,
    ),
    "game of life": (
        """
def fn(board):
    n = sum(np.roll(np.roll(board, i, 0), j, 1) for i in (-1, 0, 1) for j in (-1, 0, 1) if (i, j) != (0, 0))
    return ((n == 3) | ((board == 1) & (n == 2))).astype(board.dtype)
""",
        (IMG > 0).astype(np.int64),
    ),
    "w tilde": (
        """
def fn(g, u, n):
    d = g[:, None, :] - g[None, :, :]
    phase = 2 * np.pi * (d[..., 1, None] * u[:, 0] + d[..., 0, None] * u[:, 1])
    return np.sum(np.cos(phase) / n**2, axis=-1)
""",
        M[:, :2],
        M[:4, 2:4],
        P[:4],
    ),
    "isclose": (
        """
def fn(x, y):
    return np.isclose(x, y), np.allclose(x, x), np.array_equal(x, x)
""",
        V,
        W,
    ),
    "wave equation": (
        """
def fn(u, c):
    v = np.zeros_like(u)
    for _ in range(5):
        lap = np.roll(u, 1) + np.roll(u, -1) - 2 * u
        v += c**2 * lap
        u = u + v
    return u
""",
        V,
        0.4,
    ),
    "monte carlo payoff": (
        """
def fn(z, s0, k, r, sigma, t):
    st = s0 * np.exp((r - 0.5 * sigma**2) * t + sigma * np.sqrt(t) * z)
    payoff = np.maximum(st - k, 0)
    return np.exp(-r * t) * payoff.mean(), payoff.std(ddof=1) / np.sqrt(len(payoff))
""",
        V,
        100.0,
        95.0,
        0.02,
        0.3,
        1.0,
    ),
    "out argument": (
        """
def fn(x, y):
    out = np.empty_like(x)
    np.multiply(x, y, out=out)
    np.add(out, 1.0, out=out)
    return out
""",
        V,
        W,
    ),
    "maximum accumulate": (
        """
def fn(x):
    peak = np.maximum.accumulate(x)
    return ((peak - x) / 5).max(), np.add.reduce(x)
""",
        V,
    ),
    "numpy scalar argument": (
        """
def fn(x, k):
    return x * k, k / 2
""",
        F,
        np.float64(2.0),
    ),
    "isscalar and shape": (
        """
def fn(x):
    h, w = x.shape
    return x.sum() / (h * w), np.shape(x)[0], np.ndim(x), len(x)
""",
        M,
    ),
    "squeeze expand": (
        """
def fn(x):
    return np.expand_dims(x, 0).squeeze(), np.squeeze(x[None]), np.atleast_2d(x), np.broadcast_to(x, (2, 12))
""",
        V,
    ),
    "argmax of bool": (
        """
def fn(x):
    return np.argmax(x > 0.5), (x > 0).argmin()
""",
        V,
    ),
    "min of list": (
        """
def fn(x, y):
    return min(x.max(), y.max()), max(1.0, x[0]), np.max([1.0, 2.0]), abs(x).sum()
""",
        V,
        W,
    ),
    # of the fields
    "black scholes": (
        """
from scipy.special import erf


def cdf(x):
    return 0.5 * (1 + erf(x / np.sqrt(2)))


def fn(s, k, t, r, v):
    d1 = (np.log(s / k) + (r + v**2 / 2) * t) / (v * np.sqrt(t))
    d2 = d1 - v * np.sqrt(t)
    return s * cdf(d1) - k * np.exp(-r * t) * cdf(d2)
""",
        P * 100,
        100.0,
        P,
        0.02,
        0.3,
    ),
    "scipy special": (
        """
import scipy.special as sp


def fn(x, n):
    return sp.gammaln(x) + sp.expit(x) + sp.erfc(x) + sp.xlogy(x, x) - sp.digamma(x), sp.logsumexp(x), sp.softmax(x), sp.erf(n)
""",
        P,
        0.3,
    ),
    "axpy inplace": (
        """
def fn(a, x, y):
    y += a * x
""",
        2.0,
        V,
        W.copy(),
    ),
    "returns arg": (
        """
def fn(x, out):
    out[:] = x ** 2
    return out
""",
        V,
        np.zeros(12),
    ),
    "inplace and result": (
        """
def fn(x, out):
    out[x > 0] = 1.0
    return out.sum()
""",
        V,
        np.zeros(12),
    ),
    "weighted arrays": (
        """
def fn(out, w, *arrays):
    for i in range(len(arrays)):
        out += w[i] * arrays[i]
""",
        np.zeros(12),
        np.array([0.5, 2.0]),
        V,
        W,
    ),
    "three kernel": (
        """
def fn(u, v, du, dt):
    lu = np.zeros_like(u)
    lu[1:-1, 1:-1] = u[:-2, 1:-1] + u[2:, 1:-1] - 4*u[1:-1, 1:-1] + u[1:-1, :-2] + u[1:-1, 2:]
    uvv = u * v * v
    u += dt * (du * lu - uvv)
    v += dt * uvv
""",
        IMG.copy(),
        IMG.copy() * 0.5,
        0.1,
        0.01,
    ),
    "helper mutates": (
        """
def bump(a, k):
    a[k] += 1.0


def fn(x):
    y = x.copy()
    t = y[0]
    bump(y, 0)
    return y, t
""",
        V,
    ),
    "cholesky loop": (
        """
def fn(a):
    n = a.shape[0]
    L = np.zeros_like(a)
    for i in range(n):
        for j in range(i + 1):
            s = np.dot(L[i, :j], L[j, :j])
            if i == j:
                L[i, i] = np.sqrt(a[i, i] - s)
            else:
                L[i, j] = (a[i, j] - s) / L[j, j]
    return L
""",
        S,
    ),
    "forward subst": (
        """
def fn(L, b):
    x = np.zeros_like(b)
    for i in range(len(b)):
        x[i] = (b[i] - L[i, :i] @ x[:i]) / L[i, i]
    return x
""",
        np.tril(S),
        V[:5],
    ),
    "gauss elimination": (
        """
def fn(A, b):
    A = A.copy(); b = b.copy()
    n = len(b)
    for k in range(n - 1):
        for i in range(k + 1, n):
            m = A[i, k] / A[k, k]
            A[i, k:] -= m * A[k, k:]
            b[i] -= m * b[k]
    return A, b
""",
        S,
        V[:5],
    ),
    "mandelbrot": (
        """
def fn(w, h, n):
    y, x = np.ogrid[-1.2:1.2:h*1j, -2:1:w*1j]
    c = x + y * 1j
    z = np.zeros_like(c)
    out = np.zeros(c.shape, dtype=int)
    for i in range(n):
        m = np.abs(z) <= 2
        z[m] = z[m] ** 2 + c[m]
        out += m
    return out
""",
        8,
        6,
        10,
    ),
    "mandelbrot2": (
        """
def fn(n, it):
    x = np.linspace(-2, 1, n)
    y = np.linspace(-1.2, 1.2, n)
    c = x[None, :] + 1j * y[:, None]
    z = np.zeros(c.shape, dtype=np.complex128)
    count = np.zeros(c.shape, dtype=np.int32)
    for _ in range(it):
        mask = np.abs(z) < 2
        z = np.where(mask, z * z + c, z)
        count[mask] += 1
    return count
""",
        8,
        10,
    ),
    "convolve2d": (
        """
def fn(img, k):
    h, w = k.shape
    p = np.pad(img, ((h//2, h//2), (w//2, w//2)), mode='constant')
    out = np.zeros_like(img)
    for i in range(h):
        for j in range(w):
            out += k[i, j] * p[i:i+img.shape[0], j:j+img.shape[1]]
    return out
""",
        IMG,
        M[:3, :3],
    ),
    "sobel": (
        """
def fn(im):
    gx = im[:-2, 2:] - im[:-2, :-2] + 2 * (im[1:-1, 2:] - im[1:-1, :-2]) + im[2:, 2:] - im[2:, :-2]
    gy = im[2:, :-2] + 2*im[2:, 1:-1] + im[2:, 2:] - im[:-2, :-2] - 2*im[:-2, 1:-1] - im[:-2, 2:]
    mag = np.hypot(gx, gy)
    return (mag / mag.max() * 255).astype(np.uint8)
""",
        IMG,
    ),
    "uint8 image": (
        """
def fn(im):
    g = im.astype(np.float64) / 255.0
    return np.clip(g * 1.2 + 0.1, 0, 1), 255 - im, im.mean(), im.max(), (im > 100).sum(), im.sum()
""",
        (np.abs(IMG) * 60).astype(np.uint8),
    ),
    "gray": (
        """
def fn(im):
    w = np.array([0.299, 0.587, 0.114])
    return im @ w, np.dot(im, w), im[..., 0] * 0.5
""",
        R.random((4, 5, 3)),
    ),
    "levenshtein small": (
        """
def fn(a, b):
    d = np.zeros((len(a) + 1, len(b) + 1), dtype=int)
    d[:, 0] = np.arange(len(a) + 1)
    d[0, :] = np.arange(len(b) + 1)
    for i in range(1, len(a) + 1):
        for j in range(1, len(b) + 1):
            cost = 0 if a[i-1] == b[j-1] else 1
            d[i, j] = min(d[i-1, j] + 1, d[i, j-1] + 1, d[i-1, j-1] + cost)
    return d[-1, -1]
""",
        "kitten",
        "sitting",
    ),
    "knapsack": (
        """
def fn(w, v, cap):
    best = np.zeros(cap + 1, dtype=np.int64)
    for i in range(len(w)):
        best[w[i]:] = np.maximum(best[w[i]:], best[:cap + 1 - w[i]] + v[i])
    return best[cap]
""",
        np.array([2, 3, 4]),
        np.array([3, 4, 6]),
        8,
    ),
    "viterbi": (
        """
def fn(logp, trans, emit):
    T = emit.shape[0]
    d = logp + emit[0]
    back = np.zeros((T, len(logp)), dtype=int)
    for t in range(1, T):
        s = d[:, None] + trans
        back[t] = np.argmax(s, axis=0)
        d = np.max(s, axis=0) + emit[t]
    path = [int(np.argmax(d))]
    for t in range(T - 1, 0, -1):
        path.append(int(back[t, path[-1]]))
    return np.array(path[::-1]), d.max()
""",
        V[:4],
        T[0, :4, :4],
        T[1][:, :4],
    ),
    "kalman": (
        """
def fn(z, F, H, Q, Rm):
    x = np.zeros(2)
    Pm = np.eye(2)
    out = []
    for zk in z:
        x = F @ x
        Pm = F @ Pm @ F.T + Q
        y = zk - H @ x
        Sk = H @ Pm @ H.T + Rm
        K = Pm @ H.T @ np.linalg.inv(Sk)
        x = x + K @ y
        Pm = (np.eye(2) - K @ H) @ Pm
        out.append(x.copy())
    return np.array(out)
""",
        V.reshape(-1, 1),
        np.array([[1.0, 0.1], [0, 1]]),
        np.array([[1.0, 0]]),
        np.eye(2) * 0.01,
        np.eye(1),
    ),
    "ema": (
        """
def fn(p, a):
    e = np.empty(len(p))
    e[0] = p[0]
    for t in range(1, len(p)):
        e[t] = a * p[t] + (1 - a) * e[t-1]
    return e
""",
        V,
        0.2,
    ),
    "drawdown": (
        """
def fn(r):
    w = np.cumprod(1 + r)
    peak = np.maximum.accumulate(w)
    return np.min(w / peak - 1), w[-1] ** (1 / len(r)) - 1, np.sqrt(252) * r.mean() / r.std()
""",
        V * 0.01,
    ),
    "jacobi": (
        """
def fn(A, b, n):
    D = np.diag(A)
    Rm = A - np.diagflat(D)
    x = np.zeros_like(b)
    for k in range(n):
        x = (b - Rm @ x) / D
    return x
""",
        S,
        V[:5],
        25,
    ),
    "cg": (
        """
def fn(A, b, tol):
    x = np.zeros_like(b)
    r = b - A @ x
    p = r.copy()
    rs = r @ r
    for i in range(len(b)):
        Ap = A @ p
        al = rs / (p @ Ap)
        x += al * p
        r -= al * Ap
        rn = r @ r
        if np.sqrt(rn) < tol:
            break
        p = r + (rn / rs) * p
        rs = rn
    return x
""",
        S,
        V[:5],
        1e-8,
    ),
    "lj": (
        """
def fn(pos):
    n = len(pos)
    i, j = np.triu_indices(n, k=1)
    d = pos[i] - pos[j]
    r2 = np.sum(d * d, axis=1)
    s6 = (1.0 / r2) ** 3
    return np.sum(4 * (s6**2 - s6))
""",
        V.reshape(4, 3),
    ),
    "rbf": (
        """
def fn(X, Y, g):
    sq = np.sum(X**2, axis=1)[:, None] + np.sum(Y**2, axis=1)[None, :] - 2 * X @ Y.T
    return np.exp(-g * np.maximum(sq, 0))
""",
        M,
        M[:3],
        0.5,
    ),
    "pca": (
        """
def fn(X):
    Xc = X - X.mean(axis=0)
    C = Xc.T @ Xc / (len(X) - 1)
    w, v = np.linalg.eigh(C)
    order = np.argsort(w)[::-1]
    return w[order], np.abs(Xc @ v[:, order])
""",
        M,
    ),
    "logreg": (
        """
def fn(X, y, lr, n):
    w = np.zeros(X.shape[1])
    for _ in range(n):
        p = 1 / (1 + np.exp(-(X @ w)))
        w -= lr * X.T @ (p - y) / len(y)
    return w, -np.mean(y * np.log(p) + (1 - y) * np.log(1 - p))
""",
        M,
        np.array([0, 1, 0, 1, 1, 0]),
        0.1,
        20,
    ),
    "logistic map": (
        """
def fn(r, x, n):
    out = np.zeros(n)
    for i in range(n):
        x = r * x * (1 - x)
        out[i] = x
    return out
""",
        3.7,
        0.4,
        30,
    ),
    "trap func": (
        """
def f(x):
    return np.exp(-x**2)


def fn(a, b, n):
    x = np.linspace(a, b, n + 1)
    y = f(x)
    h = (b - a) / n
    return h * (0.5 * y[0] + y[1:-1].sum() + 0.5 * y[-1])
""",
        0.0,
        1.0,
        20,
    ),
    "simpson": (
        """
def fn(y, h):
    return h / 3 * (y[0] + y[-1] + 4 * np.sum(y[1:-1:2]) + 2 * np.sum(y[2:-2:2]))
""",
        V[:11],
        0.1,
    ),
    "histogram": (
        """
def fn(x):
    h, e = np.histogram(x, bins=5)
    return h, e
""",
        V,
    ),
    "digit table": (
        """
def fn(x):
    t = {'a': 1.0, 'b': 2.0}
    return x * t['a'] + t['b']
""",
        V,
    ),
    "kw only": (
        """
def fn(x, *, scale=2.0, shift=None):
    if shift is None:
        shift = 0.5
    return x * scale + shift
""",
        V,
    ),
    "tuple arg": (
        """
def fn(p, x):
    a, b, c = p
    return a * x**2 + b * x + c
""",
        (1.0, 2.0, 3.0),
        V,
    ),
    "list arg": (
        """
def fn(xs):
    return np.sum(xs), np.mean(xs), np.array(xs) * 2
""",
        [1.0, 2.0, 3.5],
    ),
    "int list": (
        """
def fn(xs):
    a = np.array(xs)
    return a / 2, a.mean(), np.max(xs)
""",
        [1, 2, 3],
    ),
    "string mode": (
        """
def fn(x, mode):
    if mode == 'l1':
        return np.abs(x).sum()
    elif mode == 'l2':
        return np.sqrt((x**2).sum())
    raise ValueError(mode)
""",
        V,
        "l2",
    ),
    "assert": (
        """
def fn(x, y):
    assert x.shape == y.shape, 'shapes'
    return np.vdot(x, y)
""",
        V,
        W,
    ),
    "walrus ifexp": (
        """
def fn(x):
    return (m := x.mean()) if x.size else 0.0, m * 2
""",
        V,
    ),
    "complex int power": (
        """
def fn(z, n):
    return z ** n, np.real(z ** 2), np.exp(2j * np.pi * np.arange(n) / n)
""",
        C,
        3,
    ),
    "dft matrix": (
        """
def fn(x):
    n = len(x)
    k = np.arange(n)
    Wm = np.exp(-2j * np.pi * np.outer(k, k) / n)
    return Wm @ x
""",
        V,
    ),
    "int pow": (
        """
def fn(a):
    return a ** 2, 2 ** a, a ** 0.5, a ** 3 % 7
""",
        A,
    ),
    "uint8 wrap": (
        """
def fn(a):
    return a + a, a * 3, a / 2
""",
        np.array([200, 100, 7], dtype=np.uint8),
    ),
    "int32": (
        """
def fn(a):
    return a * 2, a / 2, a * 2.0, a + np.arange(3), np.sqrt(a), a.sum(), a.mean(), a * np.float32(2)
""",
        np.array([5, 6, 7], dtype=np.int32),
    ),
    "int32 f32": (
        """
def fn(a, f):
    return a * f, a + f, np.maximum(a, f), np.where(a > 5, a, f), np.arctan2(a, f), np.concatenate([a, f])
""",
        np.array([5, 6, 7], dtype=np.int32),
        F[:3],
    ),
    "f32 reductions": (
        """
def fn(f):
    return f.sum(), f.mean(), f.std(), f.sum() * 2.0, f / f.max(), f.sum() + np.pi, f * f.mean(), np.linalg.norm(f), np.cumsum(f), np.median(f), np.percentile(f, 30)
""",
        F,
    ),
    "f16": (
        """
def fn(f):
    return f * 2, f.sum(), f + f
""",
        F.astype(np.float16),
    ),
    "bool arith": (
        """
def fn(x):
    m = x > 0
    return m * 2.0, m + 1, 1 - m.astype(int), np.where(m, 1, 0), m.sum() / m.size, m.mean(axis=0), np.logical_xor(m, x < 1), m & (x < 1) | ~m, m.astype(float) - 0.5
""",
        V,
    ),
    "argsort idx": (
        """
def fn(x, k):
    idx = np.argsort(-x)[:k]
    return x[idx], idx, np.sort(x)[-k:]
""",
        V,
        3,
    ),
    "rank": (
        """
def fn(x):
    order = x.argsort()
    ranks = np.empty_like(order)
    ranks[order] = np.arange(len(x))
    return ranks
""",
        V,
    ),
    "unique counts": (
        """
def fn(a):
    v, c = np.unique(a, return_counts=True)
    return v[np.argmax(c)], c / c.sum()
""",
        A,
    ),
    "gini": (
        """
def fn(x):
    s = np.sort(x)
    n = s.size
    i = np.arange(1, n + 1)
    return ((2 * i - n - 1) * s).sum() / (n * s.sum())
""",
        P,
    ),
    "entropy": (
        """
def fn(p):
    p = p / p.sum()
    nz = p[p > 0]
    return -np.sum(nz * np.log2(nz))
""",
        P,
    ),
    "autocorr": (
        """
def fn(x, k):
    x = x - x.mean()
    return np.array([np.dot(x[:len(x)-i], x[i:]) for i in range(k)]) / np.dot(x, x)
""",
        V,
        4,
    ),
    "moving avg": (
        """
def fn(x, w):
    c = np.cumsum(np.insert(x, 0, 0.0))
    return (c[w:] - c[:-w]) / w
""",
        V,
        3,
    ),
    "moving avg2": (
        """
def fn(x, w):
    c = np.cumsum(np.concatenate(([0.0], x)))
    return (c[w:] - c[:-w]) / w
""",
        V,
        3,
    ),
    "hankel": (
        """
def fn(x, w):
    idx = np.arange(w)[None, :] + np.arange(len(x) - w + 1)[:, None]
    return x[idx].mean(axis=1)
""",
        V,
        4,
    ),
    "window": (
        """
def fn(x):
    n = len(x)
    w = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(n) / (n - 1))
    s = np.abs(np.fft.rfft(x * w)) ** 2
    f = np.fft.rfftfreq(n, d=0.01)
    return f[np.argmax(s)], s / s.sum()
""",
        V,
    ),
    "hanning": (
        """
def fn(x):
    return x * np.hanning(len(x))
""",
        V,
    ),
    "quaternion": (
        """
def fn(q, v):
    w, x, y, z = q
    R = np.array([[1-2*(y*y+z*z), 2*(x*y-z*w), 2*(x*z+y*w)], [2*(x*y+z*w), 1-2*(x*x+z*z), 2*(y*z-x*w)], [2*(x*z-y*w), 2*(y*z+x*w), 1-2*(x*x+y*y)]])
    return R @ v
""",
        np.array([1.0, 0, 0, 0]),
        V[:3],
    ),
    "haversine": (
        """
def fn(lat, lon):
    p = np.radians(lat); l = np.deg2rad(lon)
    a = np.sin((p[:, None] - p[None]) / 2)**2 + np.cos(p)[:, None] * np.cos(p) * np.sin((l[:, None] - l) / 2)**2
    return 2 * 6371.0 * np.arcsin(np.sqrt(a))
""",
        V,
        W,
    ),
    "vdp list": (
        """
def fn(n, dt):
    x, v = 1.0, 0.0
    xs = [x]
    for _ in range(n):
        a = -np.sin(x)
        v = v + a * dt
        x = x + v * dt
        xs.append(x)
    return np.array(xs)
""",
        20,
        0.1,
    ),
    "tridiag": (
        """
def fn(a, b, c, d):
    n = len(d)
    cp = np.zeros(n); dp = np.zeros(n)
    cp[0] = c[0] / b[0]; dp[0] = d[0] / b[0]
    for i in range(1, n):
        m = b[i] - a[i] * cp[i-1]
        cp[i] = c[i] / m
        dp[i] = (d[i] - a[i] * dp[i-1]) / m
    x = np.zeros(n)
    x[-1] = dp[-1]
    for i in range(n - 2, -1, -1):
        x[i] = dp[i] - cp[i] * x[i+1]
    return x
""",
        V * 0.1,
        P + 2,
        W * 0.1,
        V,
    ),
    "while": (
        """
def fn(x, tol):
    n = 0
    while np.max(np.abs(x)) > tol:
        x = x * 0.5
        n += 1
    return x, n
""",
        V,
        0.01,
    ),
    "for else": (
        """
def fn(x):
    for i in range(len(x)):
        if x[i] > 100:
            k = i
            break
    else:
        k = -1
    return k
""",
        V,
    ),
    "try": (
        """
def fn(s, b):
    try:
        return np.linalg.solve(s, b)
    except np.linalg.LinAlgError:
        return np.zeros_like(b)
""",
        S,
        V[:5],
    ),
    "slices of slices": (
        """
def fn(x):
    a = x[2:8]
    b = a[::2]
    b = b + 1
    return a[-1], b, x[...], x[None].shape
""",
        V,
    ),
    "view write": (
        """
def fn(x):
    y = x.copy()
    v = y[2:5]
    v += 1
    v[0] = 9
    d = y.reshape(3, 4)
    d[:, 0] *= -1
    return y
""",
        V,
    ),
    "meshgrid ij": (
        """
def fn(n):
    x = np.arange(n)
    X, Y = np.meshgrid(x, x, indexing='ij')
    return (X + Y) % 2, np.sqrt(X**2 + Y**2)
""",
        4,
    ),
    "ravel mult": (
        """
def fn(m):
    i = np.argmax(m)
    r, c = np.unravel_index(i, m.shape)
    return r, c
""",
        M,
    ),
    "divmod": (
        """
def fn(a):
    q, r = np.divmod(a, 3)
    return q, r, divmod(7, 2)
""",
        A,
    ),
    "allclose loop": (
        """
def fn(m, n):
    for i in range(n):
        new = m / m.sum(axis=1, keepdims=True)
        if np.allclose(new, m):
            break
        m = new
    return m, i
""",
        np.abs(M),
        5,
    ),
    "print": (
        """
def fn(x):
    print('sum', x.shape)
    return x * 2
""",
        V,
    ),
    "nested list of arrays": (
        """
def fn(xs):
    return sum(x.sum() for x in xs), np.concatenate(xs), max(len(x) for x in xs)
""",
        [V, W],
    ),
    "dict return": (
        """
def fn(x):
    return {'mean': x.mean(), 'std': x.std()}
""",
        V,
    ),
    "zscore axis var": (
        """
def fn(x, axis):
    m = np.mean(x, axis=axis, keepdims=True)
    s = np.std(x, axis=axis, keepdims=True)
    return (x - m) / s
""",
        M,
        1,
    ),
    "axis none var": (
        """
def fn(x, axis=None):
    return np.sum(x, axis=axis), np.max(x, axis)
""",
        M,
    ),
    "sum of squares": (
        """
def fn(*xs):
    return sum(np.square(x) for x in xs)
""",
        V,
        W,
    ),
    "prod scan": (
        """
def fn(x):
    return np.log(np.prod(np.abs(x))), np.multiply.reduce(x), np.add.reduce(x.reshape(3,4), axis=1), np.maximum.reduce([x, -x])
""",
        V,
    ),
    "cumulative trapz": (
        """
def fn(y, x):
    return np.concatenate(([0], np.cumsum(0.5 * (y[1:] + y[:-1]) * np.diff(x))))
""",
        V,
        np.sort(W),
    ),
    "bincount mean": (
        """
def fn(g, x):
    n = np.bincount(g)
    s = np.bincount(g, weights=x)
    return s / np.maximum(n, 1)
""",
        J,
        V,
    ),
    "nan": (
        """
def fn(x):
    return np.nanmean(x), np.nanstd(x), np.nanmax(x), np.nanpercentile(x, 50)
""",
        np.where(V > 1, np.nan, V),
    ),
    "inf": (
        """
def fn(x):
    d = np.full(5, np.inf)
    d[0] = 0
    return np.minimum(d, x[:5]), np.isfinite(d), -np.inf < x[0]
""",
        V,
    ),
    "floyd": (
        """
def fn(d):
    d = d.copy()
    for k in range(d.shape[0]):
        d = np.minimum(d, d[:, k][:, None] + d[k, :][None, :])
    return d
""",
        np.abs(S),
    ),
    "floyd2": (
        """
def fn(d):
    n = len(d)
    for k in range(n):
        for i in range(n):
            d[i] = np.minimum(d[i], d[i, k] + d[k])
    return d
""",
        np.abs(S).copy(),
    ),
    "bellman": (
        """
def fn(P, Rw, g):
    V = np.zeros(P.shape[0])
    for _ in range(50):
        Q = Rw + g * (P @ V)
        Vn = Q.max(axis=-1)
        if np.abs(Vn - V).max() < 1e-6:
            break
        V = Vn
    return V, Q.argmax(axis=-1)
""",
        np.abs(T[:, :3, :4]) / 10,
        V.reshape(4, 3),
        0.9,
    ),
    "pagerank": (
        """
def fn(A, d, n):
    out = A.sum(axis=1)
    out[out == 0] = 1
    Mx = (A / out[:, None]).T
    N = A.shape[0]
    r = np.ones(N) / N
    for _ in range(n):
        r = (1 - d) / N + d * Mx @ r
    return r
""",
        (S > 0).astype(float),
        0.85,
        20,
    ),
    "sir": (
        """
def fn(b, g, s, i, r, dt, n):
    out = np.zeros((n, 3))
    for t in range(n):
        ds = -b * s * i
        di = b * s * i - g * i
        s += ds * dt; i += di * dt; r += g * i * dt
        out[t] = s, i, r
    return out
""",
        0.3,
        0.1,
        0.99,
        0.01,
        0.0,
        0.1,
        20,
    ),
    "lotka array": (
        """
def fn(y0, t):
    y = np.empty((len(t), 2))
    y[0] = y0
    for k in range(len(t) - 1):
        dt = t[k+1] - t[k]
        a, b = y[k]
        y[k+1, 0] = a + dt * (a - a * b)
        y[k+1, 1] = b + dt * (a * b - b)
    return y
""",
        [1.0, 0.5],
        np.linspace(0, 1, 20),
    ),
    "ising delta": (
        """
def fn(s):
    nb = np.roll(s, 1, 0) + np.roll(s, -1, 0) + np.roll(s, 1, 1) + np.roll(s, -1, 1)
    return -np.sum(s * nb) / 2, 2 * s * nb
""",
        np.where(IMG > 0, 1, -1),
    ),
    "count neighbours": (
        """
def fn(p, r):
    d = np.abs(p[:, None, :] - p[None, :, :])
    d = np.minimum(d, 1 - d)
    close = np.sqrt(np.sum(d**2, axis=2)) < r
    return close.sum(axis=1) - 1
""",
        np.abs(M) % 1,
        0.5,
    ),
    "einsum int": (
        """
def fn(a, b):
    return np.einsum('i,j->ij', a, b), np.einsum('i,i', a, a)
""",
        A,
        V,
    ),
    "mat vec int": (
        """
def fn(a):
    m = a.reshape(3, 4)
    return m @ m.T, m.T.dot(m), np.trace(m @ m.T)
""",
        A,
    ),
    "normalise rows": (
        """
def fn(m):
    n = np.linalg.norm(m, axis=1, keepdims=True)
    return m / np.where(n == 0, 1, n)
""",
        M,
    ),
    "cosine": (
        """
def fn(a, b):
    return np.dot(a, b) / (np.linalg.norm(a) * np.linalg.norm(b))
""",
        V,
        W,
    ),
    "householder": (
        """
def fn(x):
    v = x.copy()
    v[0] += np.sign(x[0]) * np.linalg.norm(x)
    return np.eye(len(x)) - 2 * np.outer(v, v) / (v @ v)
""",
        V,
    ),
    "gram schmidt": (
        """
def fn(A):
    Q = np.zeros_like(A)
    for j in range(A.shape[1]):
        v = A[:, j].copy()
        for i in range(j):
            v -= (Q[:, i] @ A[:, j]) * Q[:, i]
        Q[:, j] = v / np.linalg.norm(v)
    return Q
""",
        M,
    ),
    "legendre": (
        """
def fn(x, n):
    p0, p1 = np.ones_like(x), x
    for k in range(2, n + 1):
        p0, p1 = p1, ((2*k - 1) * x * p1 - (k - 1) * p0) / k
    return p1
""",
        V,
        5,
    ),
    "horner": (
        """
def fn(c, x):
    y = np.zeros_like(x)
    for a in c[::-1]:
        y = y * x + a
    return y
""",
        V[:5],
        W,
    ),
    "lagrange": (
        """
def fn(xp, yp, x):
    out = np.zeros_like(x)
    for i in range(len(xp)):
        w = np.ones_like(x)
        for j in range(len(xp)):
            if i != j:
                w *= (x - xp[j]) / (xp[i] - xp[j])
        out += yp[i] * w
    return out
""",
        V[:4],
        W[:4],
        W,
    ),
    "spec": (
        """
def fn(u, n, dt):
    k = np.fft.fftfreq(len(u), 1 / len(u))
    ik = 1j * k
    uh = np.fft.fft(u)
    for _ in range(n):
        uh = uh + dt * (-(k**2)) * uh * 0.01
    return np.fft.ifft(uh).real, np.real(np.fft.ifft(ik * uh))
""",
        V,
        5,
        0.1,
    ),
    "bayes": (
        """
def fn(prior, like):
    post = prior * like
    post /= post.sum()
    return post, np.argmax(post)
""",
        P / P.sum(),
        P,
    ),
    "hmm forward": (
        """
def fn(pi, A, B, obs):
    a = pi * B[:, obs[0]]
    for o in obs[1:]:
        a = (a @ A) * B[:, o]
    return a.sum()
""",
        P[:3] / P[:3].sum(),
        np.abs(M[:3, :3]),
        np.abs(M[:3]),
        [0, 1, 2, 1],
    ),
    "needleman ints": (
        """
def fn(a, b):
    n, m = len(a), len(b)
    H = np.zeros((n+1, m+1))
    for i in range(1, n+1):
        for j in range(1, m+1):
            s = 2 if a[i-1] == b[j-1] else -1
            H[i, j] = max(0, H[i-1, j-1] + s, H[i-1, j] - 1, H[i, j-1] - 1)
    return H.max()
""",
        A[:6],
        J[:6],
    ),
    "mean filter": (
        """
def fn(im, k):
    c = np.cumsum(np.cumsum(np.pad(im, ((1, 0), (1, 0))), axis=0), axis=1)
    return (c[k:, k:] - c[:-k, k:] - c[k:, :-k] + c[:-k, :-k]) / k**2
""",
        IMG,
        3,
    ),
    "otsu": (
        """
def fn(h):
    p = h / h.sum()
    w = np.cumsum(p)
    mu = np.cumsum(p * np.arange(len(p)))
    with np.errstate(divide='ignore', invalid='ignore'):
        s = (mu[-1] * w - mu) ** 2 / (w * (1 - w))
    return np.nanargmax(s)
""",
        A + 1,
    ),
    "fillna": (
        """
def fn(x):
    m = np.isnan(x)
    x = x.copy()
    x[m] = np.mean(x[~m])
    return x
""",
        np.where(V > 1, np.nan, V),
    ),
    "fill interp": (
        """
def fn(x):
    i = np.arange(len(x))
    m = np.isnan(x)
    x = x.copy()
    x[m] = np.interp(i[m], i[~m], x[~m])
    return x
""",
        np.where(V > 1, np.nan, V),
    ),
    "float32 store": (
        """
def fn(x, i):
    y = np.zeros(12, dtype=np.float32)
    y[i] = x[i]
    y[2:4] = x[2:4]
    y[x > 0] = x[x > 0]
    y[0] = 1
    y += x
    return y
""",
        V,
        np.array([2, 4, 6]),
    ),
    "int store": (
        """
def fn(x):
    y = np.zeros(12, dtype=int)
    y[:] = x * 3
    y[0] = 2.7
    y[1] = x[2]
    return y
""",
        V,
    ),
    "list store": (
        """
def fn(x):
    y = np.zeros((3, 2))
    y[0] = [1, 2]
    y[1] = x[0], x[1]
    y[2, :] = np.array([3.0, 4.0])
    return y
""",
        V,
    ),
    "np float": (
        """
def fn(x):
    s = np.float64(0)
    for v in x:
        s += v
    return s / len(x), np.int64(3) * 2
""",
        V,
    ),
    "types": (
        """
def fn(x: np.ndarray, k: float = 2.0) -> np.ndarray:
    '''Doc.'''
    return x * k
""",
        V,
    ),
    "isinstance": (
        """
def fn(x):
    if isinstance(x, np.ndarray):
        x = np.asarray(x, dtype=float)
    return x + 1
""",
        A,
    ),
    "asfarray": (
        """
def fn(x):
    x = np.asarray(x, dtype=np.float64)
    if x.ndim == 1:
        x = x.reshape(1, -1)
    n, d = x.shape
    return x, n * d
""",
        A,
    ),
    "min max norm": (
        """
def fn(x):
    lo, hi = x.min(), x.max()
    return (x - lo) / (hi - lo) if hi > lo else np.zeros_like(x)
""",
        V,
    ),
    "lambda": (
        """
def fn(x):
    f = np.sin
    g = lambda a, b: a * np.cos(b)
    return f(x), g(x, 2.0), list(map(lambda k: k * 2, [1, 2]))
""",
        V,
    ),
    "scalar ops": (
        """
def fn(x):
    m = x.mean()
    n = int(np.ceil(abs(m))) + 2
    k = np.floor(m * 3)
    return np.zeros(n) + k, round(float(m), 2), n, m > 0, not m > 0
""",
        V,
    ),
    "take2d": (
        """
def fn(lut, im):
    return lut[im]
""",
        V,
        J.reshape(3, 4).astype(np.uint8),
    ),
    "ix": (
        """
def fn(m, i):
    return m[np.ix_(i, i)], m[i][:, i], m[i, i]
""",
        S,
        np.array([0, 2]),
    ),
    "tri": (
        """
def fn(n):
    return np.tri(n), np.tril(np.ones((n, n))), np.vander(np.arange(1.0, n)), np.eye(n, k=1), np.diag(np.ones(n - 1), k=-1)
""",
        4,
    ),
    "minmax axis tuple": (
        """
def fn(t):
    return t.max(axis=(0, 1)), t.mean(axis=(1, 2)), t.sum(axis=-1).min(), np.swapaxes(t, 0, 2).shape, t.reshape(t.shape[0], -1).std(axis=1)
""",
        T,
    ),
    "matmul batch": (
        """
def fn(t):
    return t @ t.transpose(0, 2, 1), np.matmul(t, np.swapaxes(t, 1, 2)), np.einsum('bij,bkj->bik', t, t)
""",
        T,
    ),
    "slogdet": (
        """
def fn(s, x):
    sign, ld = np.linalg.slogdet(s)
    return -0.5 * (x @ np.linalg.solve(s, x) + ld + len(x) * np.log(2 * np.pi))
""",
        S,
        V[:5],
    ),
    "eig": (
        """
def fn(s):
    w, v = np.linalg.eig(s)
    return np.sort(w.real)
""",
        S,
    ),
    "roots": (
        """
def fn(a, b, c):
    d = np.sqrt(b**2 - 4*a*c + 0j)
    return (-b + d) / (2*a), (-b - d) / (2*a)
""",
        P,
        V,
        W,
    ),
    "complex mag": (
        """
def fn(z):
    return z * z.conj(), z.imag.sum(), np.abs(z).max(), np.conjugate(z), z.mean(), np.sum(z) / 2, np.angle(z, deg=False), 1j * z
""",
        C,
    ),
    "c64": (
        """
def fn(z):
    return z * 2.0, z * 1j, np.exp(z), np.abs(z), z.real * np.float64(2)
""",
        C.astype(np.complex64),
    ),
}
