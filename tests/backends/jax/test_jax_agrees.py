"""NumPy functions of many kinds: JAX's variant must give NumPy's values, dtypes, shapes and mutations."""

import numpy as np
import pytest

from tests.backends.jax.jax_workbench import agrees

R = np.random.default_rng(0)
X = R.normal(size=50)
F32 = R.normal(size=(4, 5)).astype("float32")
I32 = np.arange(12, dtype="int32").reshape(3, 4)
A = R.normal(size=(6, 6))
B = A @ A.T + 6 * np.eye(6)
Z = X[:32] + 1j * X[:32][::-1]
P = R.normal(size=(40, 3))

HEAD = "import math\n\nimport numpy as np\nfrom scipy.special import erf\n\n"

CASES = {
    "cubic": (
        """
def fn(x):
    # a cubic
    return x + x*x + x*x*x  # yes
""",
        (F32,),
        {},
    ),
    "intdiv": (
        """
def fn(a, b):
    return a / b + np.sqrt(a) + np.mean(a, axis=0) + a.cumsum(axis=0)
""",
        (I32, I32 + 1),
        {},
    ),
    "mixed": (
        """
def fn(a, b):
    return a * b, np.sum(a), a.mean(), np.mean(a > 3)
""",
        (I32, np.ones((3, 4), "float32")),
        {},
    ),
    "inplace": (
        """
def fn(out, a, w):
    out += w * a
    out[0] = 0
""",
        (X.copy(), X * 2, 0.5),
        {},
    ),
    "stars": (
        """
def fn(out, weights, *arrays):
    for w, a in zip(weights, arrays):
        out += w * a
""",
        (X.copy(), np.array([1.0, 2.0]), X, X * 2),
        {},
    ),
    "mask": (
        """
def fn(x, y):
    x = x.copy()
    m = x > 0
    x[m] = np.sqrt(y[m]) + 1
    x[~m] += 2.0
    return x, y[m].sum(), np.mean(x[m]), x[x < 1].max()
""",
        (X, np.abs(X)),
        {},
    ),
    "wtilde": (
        """
def fn(g, u, n):
    m = g.shape[0]
    w = np.zeros((m, m))
    dy = g[:, None, 0] - g[None, :, 0]
    dx = g[:, None, 1] - g[None, :, 1]
    # sum over the baselines
    for k in range(u.shape[0]):
        w += np.cos(2 * np.pi * (dx * u[k, 1] + dy * u[k, 0])) / n[k] ** 2
    return w
""",
        (R.normal(size=(6, 2)), R.normal(size=(100, 2)), R.uniform(1, 2, 100)),
        {},
    ),
    "fd": (
        """
def fn(u, nt, c):
    u = u.copy()
    for n in range(nt):
        un = u.copy()
        u[1:-1] = un[1:-1] + c * (un[2:] - 2 * un[1:-1] + un[:-2])
        u[0] = 0.0
    return u
""",
        (X, 100, 0.1),
        {},
    ),
    "bs": (
        """
def cdf(x):
    return 0.5 * (1 + erf(x / np.sqrt(2)))

def fn(S, K, T, r, s):
    d1 = (np.log(S / K) + (r + 0.5 * s**2) * T) / (s * np.sqrt(T))
    d2 = d1 - s * np.sqrt(T)
    return S * cdf(d1) - K * np.exp(-r * T) * cdf(d2)
""",
        (np.abs(X) + 50, 60.0, 1.0, 0.05, 0.2),
        {},
    ),
    "recur": (
        """
def fn(x, a):
    y = np.empty_like(x)
    y[0] = x[0]
    for i in range(1, len(x)):
        y[i] = a * y[i - 1] + (1 - a) * x[i]
    return y
""",
        (X, 0.3),
        {},
    ),
    "sumloop": (
        """
def fn(x):
    total = 0.0
    for i in range(x.shape[0]):
        if x[i] > 0:
            total += x[i]**2
        else:
            total -= x[i]
    return total
""",
        (X,),
        {},
    ),
    "newton": (
        """
def fn(a, tol):
    x = a
    err = 1.0
    it = 0
    while err > tol and it < 100:
        new = 0.5 * (x + a / x)
        err = np.max(np.abs(new - x))
        x = new
        it += 1
    return x, it
""",
        (np.abs(X) + 1, 1e-10),
        {},
    ),
    "rect": (
        """
def fn(x):
    if x >= 0:
        return x**3
    return -x**3
""",
        (-2.5,),
        {},
    ),
    "check": (
        """
def fn(x, n):
    "Doc."
    if n <= 0:
        raise ValueError("n")
    if np.any(np.isnan(x)):
        raise ValueError("nan")
    assert x.ndim == 1
    return np.zeros(n) + x[:n]
""",
        (X, 5),
        {},
    ),
    "ret": (
        """
def fn(x):
    x -= x.mean()
    x /= x.std()
    return x
""",
        (X.copy(),),
        {},
    ),
    "view": (
        """
def fn(a):
    b = a.copy()
    v = b[1:]
    v[:] = 0
    row = b[0:1]
    row += 5
    return b
""",
        (X,),
        {},
    ),
    "idx": (
        """
def fn(a, idx):
    h = np.zeros(10)
    h[idx] += 1
    np.add.at(h, idx, a)
    return h
""",
        (X, R.integers(0, 10, 50)),
        {},
    ),
    "helpermut": (
        """
def scale(a, s):
    a *= s

def fn(x):
    y = x * 2
    scale(y, 3.0)
    return y
""",
        (X,),
        {},
    ),
    "print": (
        """
def fn(x):
    s = x.sum()
    print("sum", s, f"{s:.3f}")
    return s
""",
        (X,),
        {},
    ),
    "pair": (
        """
def fn(p):
    n = len(p)
    e = 0.0
    for i in range(n):
        for j in range(i + 1, n):
            d = p[i] - p[j]
            e += 1.0 / np.sqrt(np.dot(d, d))
    return e
""",
        (R.normal(size=(40, 3)),),
        {},
    ),
    "convol": (
        """
def fn(x, w):
    n, k = len(x), len(w)
    out = np.zeros(n - k + 1)
    for i in range(n - k + 1):
        out[i] = np.sum(x[i:i + k] * w)
    return out
""",
        (X, np.ones(5)),
        {},
    ),
    "logmap": (
        """
def fn(r, n):
    x = 0.5
    xs = np.zeros(n)
    for i in range(n):
        x = r * x * (1 - x)
        xs[i] = x
    return xs
""",
        (3.7, 100),
        {},
    ),
    "softmax": (
        """
def fn(x):
    e = np.exp(x - np.max(x, axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)
""",
        (F32,),
        {},
    ),
    "einsum": (
        """
def fn(a, b):
    return np.einsum("ij,jk->ik", a, b), np.tensordot(a, b, axes=1), a @ b
""",
        (A, B),
        {},
    ),
    "linalg": (
        """
def fn(a, b):
    w, v = np.linalg.eigh(a)
    return np.linalg.solve(a, b), np.linalg.inv(a), np.linalg.det(a), w, np.linalg.norm(b), np.linalg.cholesky(a)
""",
        (B, X[:6]),
        {},
    ),
    "pairwise": (
        """
def fn(p):
    d = p[:, None, :] - p[None, :, :]
    r = np.sqrt((d ** 2).sum(-1))
    np.fill_diagonal(r, np.inf)
    return r.min(axis=1), np.argmin(r, axis=1)
""",
        (R.normal(size=(10, 3)),),
        {},
    ),
    "fft": (
        """
def fn(x):
    k = np.fft.fftfreq(len(x))
    y = np.fft.fft(x)
    y[np.abs(k) > 0.25] = 0
    return np.fft.ifft(y).real, np.abs(y) ** 2
""",
        (X,),
        {},
    ),
    "complex": (
        """
def fn(z):
    return z.real * 2, z.conj(), np.angle(z), np.abs(z), z * 1j, np.exp(z)
""",
        (Z,),
        {},
    ),
    "cumsumsort": (
        """
def fn(x):
    s = np.sort(x)
    c = np.cumsum(s) / np.sum(s)
    i = np.argsort(x)
    return c, i, np.searchsorted(s, 0.1), np.diff(s), np.clip(x, -1, 1)
""",
        (X,),
        {},
    ),
    "sortinplace": (
        """
def fn(x):
    y = x.copy()
    y.sort()
    y[::2] = -1
    return y
""",
        (X,),
        {},
    ),
    "outs": (
        """
def fn(a, b, out):
    np.multiply(a, b, out=out)
    np.add(out, 1, out)
    np.sqrt(np.abs(out), out=out)
    return out
""",
        (X, X * 2, np.zeros(50)),
        {},
    ),
    "f32 out cast": (
        """
def fn(a, b):
    a = a.copy()
    a += b
    a *= 2.5
    a[0] = b[1]
    a[1] += b[2]
    return a
""",
        (F32[0], np.arange(5.0)),
        {},
    ),
    "int floor": (
        """
def fn(a):
    return a // 2, a % 3, a ** 2, -a, a << 1, a & 3, ~a, abs(a), a > 5
""",
        (I32,),
        {},
    ),
    "intf32": (
        """
def fn(a, b):
    return a + b, a * 2.5, np.where(a > 3, a, b), np.maximum(a, b), np.arctan2(a, b)
""",
        (I32, np.ones((3, 4), "float32")),
        {},
    ),
    "statics": (
        """
def fn(x, mode="mean", axis=0, flag=True, opt=None):
    if mode == "mean":
        y = x.mean(axis=axis)
    elif mode == "sum":
        y = x.sum(axis=axis)
    else:
        raise ValueError(mode)
    if flag and opt is None:
        y = y + 1
    return y
""",
        (F32,),
        {},
    ),
    "order": (
        """
def fn(x, order, h):
    if order == 2:
        return (x[2:] - x[:-2]) / (2 * h)
    elif order == 1:
        return np.diff(x) / h
    raise ValueError("order")
""",
        (X, 2, 0.1),
        {},
    ),
    "poly": (
        """
def fn(x, coefs):
    y = np.zeros_like(x)
    for c in coefs:
        y = y * x + c
    return y
""",
        (X, (1.0, 2.0, 3.0)),
        {},
    ),
    "polyarr": (
        """
def fn(x, coefs):
    y = 0
    for k, c in enumerate(coefs):
        y += c * x ** k
    return y
""",
        (X, np.ones(40) * 1e-09),
        {},
    ),
    "taylor": (
        """
def fn(x):
    total = 0
    term = 1.0
    for k in range(1, 60):
        total = total + term
        term = term * x / k
    return total
""",
        (X,),
        {},
    ),
    "gol": (
        """
def fn(board, steps):
    for _ in range(steps):
        n = sum(np.roll(np.roll(board, i, 0), j, 1) for i in (-1, 0, 1) for j in (-1, 0, 1) if (i, j) != (0, 0))
        board = ((n == 3) | ((board == 1) & (n == 2))).astype(board.dtype)
    return board
""",
        (R.integers(0, 2, (16, 16)), 5),
        {},
    ),
    "mandel": (
        """
def fn(c, n):
    z = np.zeros_like(c)
    count = np.zeros(c.shape, dtype=int)
    for k in range(n):
        mask = np.abs(z) <= 2
        z[mask] = z[mask] ** 2 + c[mask]
        count[mask] += 1
    return count
""",
        (R.normal(size=(5, 6)) + 1j * R.normal(size=(5, 6)), 50),
        {},
    ),
    "jacobi": (
        """
def fn(u, tol):
    u = u.copy()
    diff = tol + 1
    while diff > tol:
        new = u.copy()
        new[1:-1, 1:-1] = 0.25 * (u[2:, 1:-1] + u[:-2, 1:-1] + u[1:-1, 2:] + u[1:-1, :-2])
        diff = np.abs(new - u).max()
        u = new
    return u
""",
        (R.normal(size=(8, 8)), 1e-06),
        {},
    ),
    "ode": (
        """
def rhs(t, y):
    return np.array([y[1], -y[0]])

def fn(y0, t):
    ys = np.zeros((len(t), 2))
    ys[0] = y0
    for i in range(len(t) - 1):
        h = t[i + 1] - t[i]
        k1 = rhs(t[i], ys[i])
        k2 = rhs(t[i] + h / 2, ys[i] + h / 2 * k1)
        ys[i + 1] = ys[i] + h * k2
    return ys
""",
        (np.array([1.0, 0.0]), np.linspace(0, 1, 50)),
        {},
    ),
    "dp": (
        """
def fn(w, v, cap):
    best = np.zeros(cap + 1)
    for i in range(len(w)):
        for c in range(cap, w[i] - 1, -1):
            best[c] = max(best[c], best[c - w[i]] + v[i])
    return best[cap]
""",
        (np.array([3, 4, 5] * 4), np.arange(12.0), 50),
        {},
    ),
    "editdist": (
        """
def fn(a, b):
    n, m = len(a), len(b)
    d = np.zeros((n + 1, m + 1), dtype=int)
    d[:, 0] = np.arange(n + 1)
    d[0, :] = np.arange(m + 1)
    for i in range(1, n + 1):
        for j in range(1, m + 1):
            cost = 0 if a[i - 1] == b[j - 1] else 1
            d[i, j] = min(d[i - 1, j] + 1, d[i, j - 1] + 1, d[i - 1, j - 1] + cost)
    return d[n, m]
""",
        (R.integers(0, 3, 20), R.integers(0, 3, 20)),
        {},
    ),
    "thomas": (
        """
def fn(a, b, c, d):
    n = len(d)
    cp = np.zeros(n)
    dp = np.zeros(n)
    cp[0] = c[0] / b[0]
    dp[0] = d[0] / b[0]
    for i in range(1, n):
        m = b[i] - a[i] * cp[i - 1]
        cp[i] = c[i] / m
        dp[i] = (d[i] - a[i] * dp[i - 1]) / m
    x = np.zeros(n)
    x[-1] = dp[-1]
    for i in range(n - 2, -1, -1):
        x[i] = dp[i] - cp[i] * x[i + 1]
    return x
""",
        (X, np.abs(X) + 5, X, X * 2),
        {},
    ),
    "nbody": (
        """
def fn(pos, vel, mass, dt, steps):
    pos, vel = pos.copy(), vel.copy()
    for _ in range(steps):
        d = pos[None, :, :] - pos[:, None, :]
        r2 = (d ** 2).sum(-1) + 1e-3
        acc = (d * (mass / r2 ** 1.5)[:, :, None]).sum(axis=1)
        vel += acc * dt
        pos += vel * dt
    return pos, vel
""",
        (R.normal(size=(5, 3)), R.normal(size=(5, 3)), np.ones(5), 0.01, 50),
        {},
    ),
    "hist": (
        """
def fn(x, bins):
    h, e = np.histogram(x, bins=bins, range=(-3, 3))
    return h, e
""",
        (X, 10),
        {},
    ),
    "globalarr": (
        """
G = 2.0

def fn(x):
    return x * weights * G
""",
        (X,),
        {"weights": np.arange(50.0)},
    ),
    "mathscalar": (
        """
def fn(x):
    s = np.sum(x)
    return math.sqrt(abs(s)) + math.pi * math.exp(-2) + math.floor(s)
""",
        (X,),
        {},
    ),
    "tuplecmp": (
        """
def fn(x, lo, hi):
    return np.where((lo < x) & (x < hi), x, 0.0), 1 if lo < x[0] < hi else 0
""",
        (X, -0.5, 0.5),
        {},
    ),
    "minmax": (
        """
def fn(x):
    lo, hi = x.min(), x.max()
    y = (x - lo) / max(hi - lo, 1e-12)
    return float(y[0]), y
""",
        (X,),
        {},
    ),
    "errstate": (
        """
def fn(x):
    with np.errstate(divide="ignore", invalid="ignore"):
        y = np.where(x > 0, np.log(x), 0.0)
    return y
""",
        (X,),
        {},
    ),
    "staticnp": (
        """
def fn(x, w):
    k = int(np.ceil(np.sqrt(x.shape[0])))
    n = np.prod(x.shape) // k
    return x[:n * 1 // 1] * k, np.zeros((k, 2)), np.linspace(0, 1, k)
""",
        (X, 3),
        {},
    ),
    "nested": (
        """
def fn(x):
    def g(y, p=2):
        return np.abs(y) ** p
    h = lambda y: np.sum(g(y))
    return h(x) + sum(h(x * k) for k in range(3))
""",
        (X,),
        {},
    ),
    "swapel": (
        """
def fn(x, n):
    x = x.copy()
    for i in range(n):
        x[i], x[i + 1] = x[i + 1], x[i]
    return x
""",
        (X, 40),
        {},
    ),
    "bubble": (
        """
def fn(x):
    x = x.copy()
    n = len(x)
    for i in range(n):
        for j in range(n - 1 - i):
            if x[j] > x[j + 1]:
                x[j], x[j + 1] = x[j + 1], x[j]
    return x
""",
        (X,),
        {},
    ),
    "argm": (
        """
def fn(x):
    best = -np.inf
    where = -1
    for i in range(len(x)):
        if x[i] > best:
            best = x[i]
            where = i
    return best, where
""",
        (X,),
        {},
    ),
    "bisect": (
        """
def f(x, a):
    return x ** 3 - a

def fn(a, lo, hi):
    for _ in range(60):
        mid = 0.5 * (lo + hi)
        if f(mid, a) > 0:
            hi = mid
        else:
            lo = mid
    return 0.5 * (lo + hi)
""",
        (2.0, 0.0, 2.0),
        {},
    ),
    "loopvar": (
        """
def fn(x):
    s = 0.0
    for i in range(40):
        s += x[i]
    return s / i
""",
        (X,),
        {},
    ),
    "f32 carry": (
        """
def fn(x):
    s = 0.0
    for i in range(len(x)):
        s += x[i] * x[i]
    return s
""",
        (X.astype("float32"),),
        {},
    ),
    "f32 carry2": (
        """
def fn(x):
    y = np.zeros(50, dtype=np.float32)
    for i in range(len(x)):
        y = y + x[i] * x
    return y
""",
        (X,),
        {},
    ),
    "gray": (
        """
def fn(im, k):
    h, w = im.shape
    p = k.shape[0] // 2
    out = np.zeros_like(im)
    pad = np.pad(im, p, mode="edge")
    for a in range(k.shape[0]):
        for b in range(k.shape[1]):
            out += k[a, b] * pad[a:a + h, b:b + w]
    return out
""",
        (R.normal(size=(9, 10)), np.ones((3, 3)) / 9),
        {},
    ),
    "movavg": (
        """
def fn(x, w):
    out = np.empty(len(x) - w + 1)
    for i in range(len(out)):
        out[i] = x[i:i + w].mean()
    return out
""",
        (X, 5),
        {},
    ),
    "overlapadd": (
        """
def fn(frames, hop):
    n, k = frames.shape
    out = np.zeros(n * hop + k)
    for i in range(n):
        out[i * hop:i * hop + k] += frames[i]
    return out
""",
        (R.normal(size=(40, 8)), 4),
        {},
    ),
    "rows": (
        """
def fn(a):
    out = np.zeros(a.shape[0])
    for i, row in enumerate(a):
        out[i] = np.dot(row, row)
    return out
""",
        (R.normal(size=(40, 3)),),
        {},
    ),
    "dict": (
        """
def fn(x, p):
    return {"a": x * p["s"], "b": [x.sum(), x.mean()]}
""",
        (X, {"s": 2.0}),
        {},
    ),
    "quant": (
        """
def fn(x):
    return np.percentile(x, [25, 50]), np.median(x), np.quantile(x, 0.9), np.std(x, ddof=1), np.var(x), np.cov(x, x)
""",
        (X,),
        {},
    ),
    "interp": (
        """
def fn(x):
    g = np.linspace(-3, 3, 20)
    return np.interp(x, g, g ** 2), np.gradient(x), np.trapezoid(x, dx=0.1), np.convolve(x, np.ones(3) / 3, mode="same")
""",
        (X,),
        {},
    ),
    "mesh": (
        """
def fn(n):
    x = np.linspace(0, 1, n)
    X, Y = np.meshgrid(x, x, indexing="ij")
    return np.sin(X) * Y, np.arange(n) * 2, np.eye(n)
""",
        (8,),
        {},
    ),
    "stack": (
        """
def fn(a, b):
    joined = np.stack([a, b]), np.concatenate((a, b)), np.vstack([a, b]).T, np.hstack([a, b]).reshape(2, -1)
    return joined, np.column_stack((a, b)), np.outer(a, b), np.tile(a, 2), np.repeat(a, 3)
""",
        (X, X * 2),
        {},
    ),
    "boolred": (
        """
def fn(x):
    return (x > 0).sum(), np.any(x > 3), np.all(x < 9), (x > 0).mean(), np.count_nonzero(x > 1), (x > 0) * 2
""",
        (X,),
        {},
    ),
    "augview": (
        """
def fn(a):
    a = a.copy()
    a[1:] += a[:-1]
    a[:, 0] *= 2
    a[a < 0] = 0
    a[0][1] = 7
    return a
""",
        (A,),
        {},
    ),
    "rowsout": (
        """
def fn(out, a):
    for i in range(a.shape[0]):
        out[i] = np.sum(a[i])
""",
        (np.zeros(40), R.normal(size=(40, 3))),
        {},
    ),
    "cond": (
        """
def g(x):
    return np.linalg.norm(x)

def fn(x):
    s = x.sum()
    if s > 0:
        y = x / g(x)
        z = 1.0
    else:
        y = x * 2
        z = 2.0
    return y, z
""",
        (X,),
        {},
    ),
    "elif": (
        """
def fn(x):
    if x < -1:
        y = -1.0
    elif x > 1:
        y = 1.0
    else:
        y = x * 0.5
    return y
""",
        (0.3,),
        {},
    ),
    "earlyret": (
        """
def fn(x, y):
    n = np.linalg.norm(x)
    if n < 1e-12:
        return x
    u = x / n
    return u - y * np.dot(u, y)
""",
        (X, X * 3),
        {},
    ),
    "mixed ret": (
        """
def fn(out, x):
    out[:] = x * 2
    out[out < 0] = 0
    return out.sum(), x.max()
""",
        (np.zeros(50), X),
        {},
    ),
    "masks along one axis": (
        """
def fn(a, x):
    m = x[:6] > 0
    found = (a > 0)[:, x[:6] < 1].any(axis=-1)
    return a[:, m].sum(axis=1), np.prod(a[m, :], axis=0), found, a[:, m].sum(1) + a[m].sum(0)
""",
        (A, X),
        {},
    ),
    "the least of a list": (
        """
def fn(x, y):
    parts = [x[0], y, x[1] * y]
    low = min(parts) + max([v**2 for v in parts])
    if all(v > -9 for v in parts) and any([x[0] > 5, y > 1]):
        low = low + 1
    return low
""",
        (X, 2.5),
        {},
    ),
    "counts in two dimensions": (
        """
def fn(x):
    h, _, _ = np.histogram2d(x, x**2, bins=5)
    return h
""",
        (X,),
        {},
    ),
    "a lambda's argument": (
        """
def fn(x):
    fact = lambda k: math.gamma(k + 1.0)
    total = x * 0
    for k in range(9):
        total = total + x**k / fact(k)
    return total
""",
        (X,),
        {},
    ),
    "a list as long as an argument says": (
        """
def fn(x, delay):
    line = [0.0] * delay
    y = np.zeros(len(x))
    for k in range(len(x)):
        y[k] = x[k] - 0.5 * line.pop(0)
        line.append(y[k])
    return y
""",
        (X[:12], 3),
        {},
    ),
    "copyto": (
        """
def fn(a, b):
    c = np.empty_like(a)
    np.copyto(c, b)
    c.fill(3)
    np.putmask(c, a > 0, 9)
    return c
""",
        (X, X),
        {},
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_the_variant_agrees_with_numpy(name):
    source, args, constants = CASES[name]
    agrees(HEAD + source.strip() + "\n", *args, constants=constants)
