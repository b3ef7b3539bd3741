# ruff: noqa: B905, E501, E701, E702, E741, RUF059 -- a case is a line, as people write them.
"""Functions that call much of NumPy, by topic, each with ``NAME_args(rng)``: for backends that translate its calls."""

import math

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

__all__ = ["math", "sliding_window_view"]


def statistics(x):
    return np.cov(x[:5], x[5:10]), np.corrcoef(x[:5], x[5:10])[0,1], np.histogram(x, bins=4, weights=x)[0], np.histogram(x, np.array([0,.3,.6,1.]))


def statistics_args(rng):
    return (rng.random(10),)


def interpolation(x):
    return np.interp(0.5, np.arange(4.0), x[:4]), np.interp(x*5, np.arange(4.0), x[:4], left=-1.0, right=9.0), np.unwrap(np.cumsum(x*4))


def interpolation_args(rng):
    return (rng.random(10),)


def ordering(m):
    return np.partition(m.ravel(), 3)[3], np.argpartition(m[0], 2)[:3].sum(), np.lexsort((m[:,0], m[:,1])), np.rollaxis(m, 1), np.atleast_3d(m).shape


def ordering_args(rng):
    return (rng.random((5,4)),)


def polynomials(x, p):
    c = np.polyfit(x, p, 2)
    return c, np.polyval(c, 0.5), np.roots([1.0, -3.0, 2.0]), np.trapezoid(p, x), np.polyval([1.0,2.0,3.0], x)


def polynomials_args(rng):
    n=8
    return np.sort(rng.random(n)), rng.random(n)


def sets(a, b):
    return np.setdiff1d(a, b), np.intersect1d(a, b), np.union1d(a, b), np.isin(a, b), np.unique(a, return_index=True)[1], np.unique(a, return_inverse=True)[1]


def sets_args(rng):
    n=8
    return rng.integers(0,9,n), rng.integers(0,9,n)


def places(m):
    r, c = np.unravel_index(np.argmin(m), m.shape)
    k = np.ravel_multi_index((r, c), m.shape)
    d = np.diag_indices_from(m)
    t = np.tril_indices_from(m, -1)
    return r, c, k, m[d].sum(), m[t].sum(), m.flat[k], np.trace(m), np.tril(m, -1).sum()


def places_args(rng):
    n=4
    return (rng.random((n,n)),)


def choices(x):
    y = np.piecewise(x, [x < 0.3, x >= 0.3], [lambda v: v * 2, lambda v: v + 1])
    z = np.select([x < .2, x < .5], [x, x**2], default=-1.0)
    w = np.choose((x > .5).astype(int), [x, -x])
    return y, z, w, np.where(x > .5, 1, 0), np.sign(x - .5), np.heaviside(x - .5, 0.5)


def choices_args(rng):
    return (rng.random(9),)


def parts_of_numbers(u, v):
    f, e = np.modf(u * 5)
    q, r = np.divmod(u * 10, 3)
    return f, e, q, r, np.fmod(-u*7, 2), np.remainder(-u*7, 2), np.floor_divide(u*9, -2), np.gcd(np.array([12, 8]), 6), np.cross(np.array([1.,2,3]), v[:3])


def parts_of_numbers_args(rng):
    n=6
    return rng.random(n), rng.random(n)


def missing_values(x):
    return np.nanmean(x), np.nanmax(x), np.nanargmin(x), np.nansum(x), np.nanmedian(x), np.nanstd(x), np.nanpercentile(x, 30), np.nancumsum(x), np.nan_to_num(x, nan=-1), np.nanprod(x), np.nanvar(x)


def missing_values_args(rng):
    x=rng.random(9)
    x[3]=np.nan
    return (x,)


def quantiles(m):
    return np.percentile(m, 25, axis=0), np.quantile(m, [.1,.9], axis=1), np.median(m, axis=1), np.average(m, axis=0, weights=np.arange(len(m))), np.ptp(m, axis=1), m.cumsum(1), np.cumprod(m, axis=0), np.diff(m, axis=0, n=2), m.argmax(0), np.count_nonzero(m > .5, axis=1)


def quantiles_args(rng):
    return (rng.random((5,6)),)


def joining(m):
    return np.block([[m, m*2], [m+1, m]]), np.r_[m[0], 1.0, m[1]], np.c_[m[:,0], m[:,1]], np.vstack([m, m[0]]), np.append(m[0], [1., 2.]), np.insert(m[0], 1, 5.0), np.flip(m), np.rot90(m), np.dstack([m,m]).shape, np.split(m[0], [1,2])[1]


def joining_args(rng):
    return (rng.random((4,4)),)


def decompositions(A, b):
    x, res, rank, sv = np.linalg.lstsq(A, b, rcond=None)
    q, r = np.linalg.qr(A)
    u, s, vt = np.linalg.svd(A, full_matrices=False)
    return x, rank, np.abs(np.diag(r)), s, np.linalg.matrix_rank(A), np.linalg.cond(A), np.linalg.pinv(A), np.linalg.norm(A, 'fro'), np.linalg.norm(A, axis=1), np.linalg.slogdet(A.T @ A)[1]


def decompositions_args(rng):
    n=6
    return rng.random((n,3)), rng.random(n)


def transforms(x):
    X = np.fft.fft(x); f = np.fft.fftfreq(len(x), 0.1)
    Y = np.fft.rfft(x - x.mean())
    return np.abs(X)**2, np.angle(X), f[np.argmax(np.abs(Y))], np.fft.irfft(Y, len(x)), np.fft.fft2(x.reshape(2,-1)).real, np.fft.ifftshift(f), np.conj(X) * X, X.imag


def transforms_args(rng):
    return (rng.random(8),)


def scattering(idx, w, n):
    out = np.zeros(n); np.add.at(out, idx, w)
    mx = np.full(n, -np.inf); np.maximum.at(mx, idx, w)
    cnt = np.bincount(idx, minlength=n); s = np.bincount(idx, weights=w, minlength=n)
    out2 = np.zeros((n, 2)); np.add.at(out2, (idx, 0), w)
    o = np.argsort(idx, kind="stable"); red = np.add.reduceat(w[o], [0, 2, 4])
    return out, mx, cnt, s, out2, red, np.digitize(w, [0.2, 0.5, 0.8]), np.searchsorted(np.sort(w), 0.5)


def scattering_args(rng):
    n=8
    return rng.integers(0,4,n), rng.random(n), 5


def windows(x, k):
    w = sliding_window_view(x, k)
    y = np.convolve(x, np.ones(k)/k, mode="same")
    c = np.correlate(x, x, mode="full")
    return w.mean(1), w.max(axis=-1), y, c[len(x)-1:], np.pad(x, (1, 2), mode="wrap"), np.pad(x, 2, constant_values=1.0), np.pad(x, 1, mode="symmetric"), np.gradient(x), np.ediff1d(x)


def windows_args(rng):
    return rng.random(9), 3


def grids(n, m):
    X, Y = np.meshgrid(np.linspace(0,1,n), np.linspace(0,1,m))
    I, J = np.indices((n, m))
    G = np.mgrid[0:n, 0:m]
    yy, xx = np.ogrid[:n, :m]
    F = np.fromfunction(lambda i, j: i + j, (n, m))
    return X * Y, I - J, G[0] * G[1], (yy - 1)**2 + xx, F, np.tri(n), np.vander(np.arange(3.), 3), np.eye(n, k=1), np.identity(2), np.logspace(0, 1, 4), np.geomspace(1, 8, 4)


def grids_args(rng):
    return 3, 4


def masks(x, y):
    m = x > .5
    z = x.copy(); z[m] = y[m]; z[~m] *= 2
    np.putmask(z, z > 1.5, 0); np.copyto(z, y, where=m)
    t = x.copy(); np.put(t, [0, 2], [5., 6.])
    return z, t, np.extract(m, x), np.compress(m, y), np.take(x, [0, 1]), x.take([1, 2]), np.any(m), np.all(m), np.logical_and(m, y > .5), m.sum(), np.flatnonzero(m), np.argwhere(m)


def masks_args(rng):
    n=8
    return rng.random(n), rng.random(n)


def integers(a):
    return a // 3, a % 4, -a // 3, a ** 2, a << 1, a & 6, a | 1, ~a, a / 2, np.sqrt(a), a.mean(), a.astype(np.float32) * 2, np.abs(-a), a.sum(dtype=float), a.prod(), a.max() - a.min(), np.sum(a > 2), a.std()


def integers_args(rng):
    return (rng.integers(0,9,8),)


def mixed_dtypes(a, f):
    return a * f, a.astype(np.int16) + 1, f.astype(np.float32) * f, np.float32(2) * f.astype(np.float32), (a > 2) * f, (a > 2) + (a < 5), np.maximum(a, 2.5), np.where(a > 3, a, f), a.astype(np.uint8) + np.uint8(250), f > a, np.concatenate((a, f)), np.hypot(a, 3), np.arctan2(a, f)


def mixed_dtypes_args(rng):
    n=8
    return rng.integers(0,9,n), rng.random(n)


def products(A, B, v):
    return A @ B, A.dot(v), np.dot(v, v), np.inner(A, B), np.outer(v, v), np.kron(A, B), np.tensordot(A, B, axes=([0],[0])), np.einsum("ij,jk,k->i", A, B, v), np.vdot(v, v), np.linalg.det(A), np.linalg.inv(A), np.linalg.solve(A, v), np.linalg.matrix_power(A, 3), np.linalg.eigvalsh(A + A.T), np.cross(A[:, :3], B[:, :3]), np.linalg.multi_dot([A, B, A]), np.trace(A @ B)


def products_args(rng):
    n=4
    return rng.random((n,n)), rng.random((n,n)), rng.random(n)


def shapes(x):
    return x.reshape(2, -1).T.ravel(), x[:, None] - x[None, :], x[::2], x[-3:], np.roll(x, 2), np.tile(x, 2), np.repeat(x, 2), x[np.newaxis].shape, np.squeeze(x[None]), np.expand_dims(x, (0, 2)).shape, np.swapaxes(x.reshape(2,-1), 0, 1), np.moveaxis(x.reshape(1,2,-1), 0, 2).shape, np.array_equal(x, x), np.allclose(x, x + 1e-12), np.isclose(x, .5), x.tolist()[:2], float(x[0]), int(x.sum()), len(x), x.size, x.ndim, x.dtype == np.float64


def shapes_args(rng):
    return (rng.random(8),)


def complex_numbers(z):
    return np.abs(z), z.real, z.imag, z.conj(), np.exp(1j * z.real), np.angle(z), z * z, np.sum(z), z.mean(), np.sqrt(z), np.real(z * np.conj(z)), np.isfinite(z), np.linalg.norm(z), np.vdot(z, z), z[np.argmax(np.abs(z))]


def complex_numbers_args(rng):
    n=6
    return (rng.random(n) + 1j*rng.random(n),)


def running(x, n):
    acc = np.float64(0)
    hist = np.zeros(5, dtype=int)
    lo, hi = np.inf, -np.inf
    mean = m2 = 0.0
    for k, v in enumerate(x, start=1):
        acc += v
        hist[int(v * 5) % 5] += 1
        lo = min(lo, v); hi = max(hi, v)
        d = v - mean; mean += d / k; m2 += d * (v - mean)
    return acc, hist, lo, hi, mean, math.sqrt(m2 / n), round(mean, 3), f"{acc:.3f}", str(hist.sum())


def running_args(rng):
    n=8
    return rng.random(n), n


def other_statements(x, *, scale=2.0, mode="a"):
    match mode:
        case "a": y = x * scale
        case _: y = x
    assert y.shape == x.shape
    try:
        z = np.linalg.cholesky(y.T @ y + np.eye(y.shape[1]))
    except np.linalg.LinAlgError:
        z = None
    return z if z is not None else y


def other_statements_args(rng):
    return (rng.random((5,3)),)


def growing(a):
    while np.any(a > 1):
        a = np.where(a > 1, a / 2, a)
    b = np.empty((0, 2))
    for i in range(3):
        b = np.vstack([b, [i, a[i]]])
    c = np.array([])
    for i in range(3):
        c = np.append(c, a[i] * i)
    d = [a[i:i+2].sum() for i in range(0, len(a), 2)]
    e = dict(zip("ab", a[:2]))
    return a, b, c, np.array(d), e, sum(d), max(d), sorted(d)[0], any(v > .5 for v in a), np.mean(d)


def growing_args(rng):
    return (5*rng.random(8),)



def masks_of_ufuncs(a, b):
    share = np.divide(a, b, out=np.zeros_like(a), where=b > .5)
    logs = np.log(a, out=b.copy(), where=(a > .2) & (b > .1))
    np.sqrt(a, out=share, where=a > .7)
    return share, logs, np.divide(1, b, out=np.full((2, len(b)), -1.0), where=b > .3)


def masks_of_ufuncs_args(rng):
    return rng.random(9), np.r_[0.0, rng.random(8)]


def joined_lists(x, k):
    rows = [np.concatenate([[1.0]] + [x[i - j:i - j + 2] for j in range(k)]) for i in range(k, 5)]
    ends = np.hstack(2 * [x[:2]] + [[2, 3]])
    grid = np.indices(ends.shape)
    i, j = np.indices((k, len(x)))
    return np.array(rows), ends, grid, (i - j)**2


def joined_lists_args(rng):
    return rng.random(9), 3


def nodes_of_numbers(x, n):
    t, w = np.polynomial.legendre.leggauss(n)
    return x[:n] * t + w


def nodes_of_numbers_args(rng):
    return rng.random(9), 5
