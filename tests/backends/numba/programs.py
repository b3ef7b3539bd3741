"""Functions of very different kinds, with example arguments: (source, arguments, is there a parallel variant)."""

import numpy as np


def _rng():
    return np.random.default_rng(7)


def f32(*shape):
    return _rng().standard_normal(shape).astype("float32")


def f64(*shape):
    return _rng().standard_normal(shape)


YES, NO = True, False

PROGRAMS = {
    "polynomial in float32": ("def fn(x):\n    return x + x*x*0.5 + 3*x**2 + x**2.0 / 7\n", (f32(6, 5),), YES),
    "sigmoid with a clip": (
        "def fn(x, gain):\n    y = np.clip(gain * x, -3.0, 3.0)\n"
        "    return np.where(y > 0.1, 1.0 / (1.0 + np.exp(-y)), 0.0)\n",
        (f32(30), 1.7),
        YES,
    ),
    "relu": ("def fn(x):\n    return np.maximum(x, 0.0) - 0.1 * np.minimum(x, 0.0)\n", (f32(12),), YES),
    "sum of float32": ("def fn(x):\n    return x.sum() / 3 + np.mean(x) + np.std(x) * x.var()\n", (f32(50),), NO),
    "norms": (
        "def fn(x):\n    return x / np.linalg.norm(x, axis=1, keepdims=True), np.linalg.norm(x)\n",
        (f64(4, 3),),
        YES,
    ),
    "frobenius": (
        "def fn(x):\n    return np.linalg.norm(x, ord='fro') + np.linalg.norm(x * 2, 'fro')\n",
        (f64(4, 3),),
        YES,
    ),
    "ratios where there are some": (
        "def fn(a, b):\n    r = np.divide(a, b, out=np.zeros_like(a), where=b > 0)\n"
        "    np.sqrt(a, out=b, where=a > 0)\n    return r * 2, b\n",
        (f64(30), f64(30)),
        YES,
    ),
    "axis reductions": (
        "def fn(x):\n    return x.mean(axis=0), x.max(axis=1), np.std(x, axis=1), x.min(axis=-1), x.prod(axis=0), "
        "np.var(x, axis=0, ddof=1)\n",
        (f64(4, 5),),
        NO,
    ),
    "axis reductions of float32": (
        "def fn(x):\n    return x.mean(axis=0), x.sum(axis=1), np.std(x, axis=0), "
        "(x > 0).any(axis=0), (x > 0).all(axis=1)\n",
        (f32(4, 5),),
        YES,
    ),
    "standardise": (
        "def fn(x):\n    return (x - x.mean(axis=0, keepdims=True)) / x.std(axis=0, keepdims=True)\n",
        (f64(6, 3),),
        YES,
    ),
    "softmax": (
        "def fn(x):\n    e = np.exp(x - x.max(axis=1, keepdims=True))\n    return e / e.sum(axis=1, keepdims=True)\n",
        (f32(4, 6),),
        YES,
    ),
    "pairwise distances": (
        """
        def fn(p):
            n = p.shape[0]
            d = np.zeros((n, n))
            for i in range(n):
                for j in range(i + 1, n):
                    s = 0.0
                    for k in range(p.shape[1]):
                        s += (p[i, k] - p[j, k]) ** 2
                    d[i, j] = math.sqrt(s)
                    d[j, i] = d[i, j]
            return d
        """,
        (f64(7, 3),),
        YES,
    ),
    "heat stencil": (
        """
        def fn(u, steps, alpha):
            for _ in range(steps):
                new = u.copy()
                for i in range(1, u.shape[0] - 1):
                    for j in range(1, u.shape[1] - 1):
                        around = u[i - 1, j] + u[i + 1, j] + u[i, j - 1] + u[i, j + 1]
                        new[i, j] = u[i, j] + alpha * (around - 4 * u[i, j])
                u = new
            return u
        """,
        (f64(6, 7), 3, 0.1),
        YES,
    ),
    "heat stencil on slices": (
        "def fn(u, k):\n    v = u.copy()\n    v[1:-1] = u[1:-1] + k * (u[2:] - 2.0 * u[1:-1] + u[:-2])\n    return v\n",
        (f32(20), 0.2),
        YES,
    ),
    "matrix product": ("def fn(a, b):\n    return a @ b + 0.5 * np.eye(a.shape[0])\n", (f64(4, 5), f64(5, 4)), YES),
    "einsum": (
        "def fn(a, b):\n    return np.einsum('ik,kj->ij', a, b) + np.einsum('ij->', a)\n",
        (f64(3, 4), f64(4, 2)),
        YES,
    ),
    "in place": ("def fn(x, out):\n    out[:] = x * 2.0\n    out += 1\n", (f32(9), f32(9)), YES),
    "out keyword": ("def fn(x, out):\n    np.multiply(x, 2.0, out=out)\n    return out\n", (f64(9), f64(9)), YES),
    "shift in place": ("def fn(a):\n    a[1:] += a[:-1]\n    a[:] = a[::-1]\n    return a\n", (f64(9),), YES),
    "shift through an alias": ("def fn(a):\n    left = a[:-1]\n    a[1:] = left\n    return a\n", (f64(9),), NO),
    "weighted sum of arrays": (
        """
        def fn(w, *arrays):
            total = np.zeros_like(arrays[0])
            for i in range(len(arrays)):
                total += w[i] * arrays[i]
            return total
        """,
        (f64(3), f64(8), f64(8) + 1, f64(8) - 2),
        YES,
    ),
    "histogram by loops": (
        """
        def fn(x, bins):
            h = np.zeros(bins, dtype=np.int64)
            for i in range(x.size):
                k = int((x[i] - x.min()) / (x.max() - x.min()) * (bins - 1))
                h[k] += 1
            return h
        """,
        (f64(40), 5),
        NO,
    ),
    "exponential moving average": (
        "def fn(x, a):\n    y = np.empty_like(x)\n    y[0] = x[0]\n    for t in range(1, len(x)):\n"
        "        y[t] = a * x[t] + (1 - a) * y[t - 1]\n    return y\n",
        (f64(20), 0.3),
        NO,
    ),
    "gauss-seidel": (
        "def fn(u):\n    for i in range(1, u.size - 1):\n        u[i] = 0.5 * (u[i - 1] + u[i + 1])\n    return u\n",
        (f64(20),),
        NO,
    ),
    "mandelbrot": (
        """
        def fn(re, im, limit):
            out = np.zeros((im.size, re.size), dtype=np.int32)
            for i in range(im.size):
                for j in range(re.size):
                    z = 0j
                    c = complex(re[j], im[i])
                    n = 0
                    while abs(z) <= 2 and n < limit:
                        z = z * z + c
                        n += 1
                    out[i, j] = n
            return out
        """,
        (np.linspace(-2, 1, 8), np.linspace(-1, 1, 6), 30),
        YES,
    ),
    "int8 image": (
        "def fn(a, b):\n    c = a + b\n    return c - 2 * a, c // 3, -a\n",
        (np.array([100, -100, 7], "int8"), np.array([100, -100, 3], "int8")),
        YES,
    ),
    "uint8 pixels in a loop": (
        """
        def fn(a, b):
            out = np.empty_like(a)
            for i in range(a.size):
                s = a[i] + b[i]
                out[i] = s // 2
            return out
        """,
        (np.array([200, 3, 90], "uint8"), np.array([100, 250, 90], "uint8")),
        YES,
    ),
    "int array times float32": (
        "def fn(x, k):\n    return x * k, x / 2, np.sqrt(x)\n",
        (f32(5) ** 2, np.arange(5)),
        YES,
    ),
    "small ints divided": ("def fn(a, b):\n    return a / b\n", (np.arange(1, 6, dtype="uint8"),) * 2, YES),
    "black-scholes": (
        """
        def cdf(v):
            return 0.5 * (1.0 + math.erf(v / math.sqrt(2.0)))


        def fn(s, k, t, r, sigma):
            price = np.empty_like(s)
            for i in range(s.shape[0]):
                d1 = (np.log(s[i] / k) + (r + 0.5 * sigma ** 2) * t) / (sigma * np.sqrt(t))
                price[i] = s[i] * cdf(d1) - k * np.exp(-r * t) * cdf(d1 - sigma * np.sqrt(t))
            return price
        """,
        (np.linspace(80, 120, 9), 100.0, 0.5, 0.02, 0.3),
        YES,
    ),
    "maximum by comparison": (
        "def fn(x):\n    best = x[0]\n    for i in range(x.size):\n        if x[i] > best:\n            best = x[i]\n"
        "    return best\n",
        (f64(30),),
        YES,
    ),
    "dot by a loop in float32": (
        "def fn(x, y):\n    s = 0.0\n    for i in range(len(x)):\n        s += x[i] * y[i]\n    return s\n",
        (f32(30), f32(30)),
        YES,
    ),
    "backwards": (
        "def fn(x):\n    n = len(x)\n    y = np.empty(n)\n    for i in range(n):\n"
        "        y[i] = x[-i - 1] * (i - 2)\n    return y\n",
        (f64(11),),
        YES,
    ),
    "forward substitution": (
        "def fn(L, b):\n    x = np.zeros_like(b)\n    for i in range(b.size):\n"
        "        x[i] = (b[i] - L[i, :i] @ x[:i]) / L[i, i]\n    return x\n",
        (np.tril(f64(6, 6)) + 4 * np.eye(6), f64(6)),
        NO,
    ),
    "stacking": (
        "def fn(a, b):\n    return np.vstack([a, b]), np.concatenate([a, b]), np.stack([a, b], axis=1)\n",
        (f64(4), f64(4)),
        NO,
    ),
    "mask of a matrix": (
        "def fn(x):\n    y = x.copy()\n    y[y < 0] = 0\n    return y.astype(float)\n",
        (f32(3, 4),),
        YES,
    ),
    "int32 scalar arithmetic": (
        "def fn(x):\n    return x[0] * 2, x[1] + x[2]\n",
        (np.array([5, 6, 7], "int32"),),
        NO,
    ),
    "keyword-only": ("def fn(x, *, scale=2.0, shift):\n    return x * scale + shift\n", (f32(5),), YES, {"shift": 1.5}),
    "game of life": (
        """
        def fn(grid):
            n, m = grid.shape
            new = np.zeros_like(grid)
            for i in range(n):
                for j in range(m):
                    alive = 0
                    for di in range(-1, 2):
                        for dj in range(-1, 2):
                            if di != 0 or dj != 0:
                                alive += grid[(i + di) % n, (j + dj) % m]
                    if alive == 3 or (grid[i, j] == 1 and alive == 2):
                        new[i, j] = 1
            return new
        """,
        ((f64(6, 7) > 0).astype("uint8"),),
        YES,
    ),
    "edit distance": (
        """
        def fn(a, b):
            d = np.zeros((len(a) + 1, len(b) + 1), dtype=int)
            for i in range(len(a) + 1):
                d[i, 0] = i
            for j in range(len(b) + 1):
                d[0, j] = j
            for i in range(1, len(a) + 1):
                for j in range(1, len(b) + 1):
                    cost = 0 if a[i - 1] == b[j - 1] else 1
                    d[i, j] = min(d[i - 1, j] + 1, d[i, j - 1] + 1, d[i - 1, j - 1] + cost)
            return d[len(a), len(b)]
        """,
        (np.array([1, 2, 3, 4]), np.array([2, 3, 5])),
        YES,
    ),
    "generator argument": (
        "def fn(rng, n):\n    return rng.normal(0.0, 1.0, n).sum()\n",
        (np.random.default_rng(3), 20),
        YES,
    ),
    "runge-kutta": (
        """
        def slope(y, k):
            return np.array([y[1], -k * y[0]])


        def fn(y, k, h, steps):
            for _ in range(steps):
                k1 = slope(y, k)
                k2 = slope(y + 0.5 * h * k1, k)
                k3 = slope(y + 0.5 * h * k2, k)
                k4 = slope(y + h * k3, k)
                y = y + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
            return y
        """,
        (np.array([1.0, 0.0]), 2.0, 0.1, 5),
        YES,
    ),
    "list of numbers": (
        "def fn(values):\n    t = 0.0\n    for v in values:\n        t += v * v\n    return t\n",
        ([1.0, 2.5],),
        NO,
    ),
    "power of ten": ("def fn(x, digits):\n    return x * 10 ** -digits\n", (f64(4), 2), YES),
    "complex rotation in float32": (
        "def fn(z, phi):\n    return z * np.exp(1j * phi) * 2.0\n",
        (f32(4) + 1j * f32(4), 0.3),
        YES,
    ),
    "cumulative sums": ("def fn(x):\n    return np.cumsum(x), np.cumsum(x.reshape(2, -1), axis=1)\n", (f64(8),), NO),
    "nearest centre": (
        "def fn(x, c):\n    d = np.sqrt(((x[:, np.newaxis, :] - c[np.newaxis, :, :]) ** 2).sum(axis=-1))\n"
        "    return d.min(axis=1).mean() * 0.5, d.argmin(axis=1)\n",
        (f32(20, 3), f32(4, 3)),
        YES,
    ),
    "gray-scott": (
        """
        def fn(U, V, n, a, b, F, k):
            for _ in range(n):
                lu = U[:-2, 1:-1] + U[1:-1, :-2] - 4 * U[1:-1, 1:-1] + U[1:-1, 2:] + U[2:, 1:-1]
                lv = V[:-2, 1:-1] + V[1:-1, :-2] - 4 * V[1:-1, 1:-1] + V[1:-1, 2:] + V[2:, 1:-1]
                u, v = U[1:-1, 1:-1], V[1:-1, 1:-1]
                uvv = u * v * v
                u += a * lu - uvv + F * (1 - u)
                v += b * lv + uvv - (F + k) * v
            return U, V
        """,
        (abs(f32(8, 8)), abs(f32(8, 8)), 4, 0.1, 0.05, 0.03, 0.06),
        YES,
    ),
    "periodic diffusion": (
        "def fn(u, c):\n    return u + c * (np.roll(u, 1, axis=0) + np.roll(u, -1, axis=1) - 2 * u)\n",
        (f64(5, 6), 0.1),
        YES,
    ),
    "uint8 differences": (
        "def fn(a, b):\n    return np.abs(a - b).sum()\n",
        (np.array([3, 200], "uint8"), np.array([7, 100], "uint8")),
        YES,
    ),
    "float32 accumulator": (
        "def fn(x):\n    s = np.float32(0)\n    for i in range(x.size):\n        s += x[i] * 0.5\n    return s\n",
        (f32(9),),
        YES,
    ),
    "grid of two axes": (
        "def fn(n):\n    x = np.linspace(0, 1, n)\n    X, Y = np.meshgrid(x, x)\n"
        "    return np.gradient(np.sin(X[0]) * Y[1])\n",
        (5,),
        YES,
    ),
    "parentheses in a fused sum": (
        "def fn(x, y):\n    return (((x + y) * y) ** 2).sum(), np.mean(-(x - y) / (y + 9)), "
        "np.max((x - y) * (x + y))\n",
        (f64(9), f64(9) + 0.5),
        YES,
    ),
    "bytes that overflow": (
        "def fn(a, b):\n    return np.sum(a * b), ((a + b) >> 1).sum(), np.where(a - b > 100, a, b), (a * b) // 3\n",
        (np.arange(40, 49, dtype="uint8"), np.arange(90, 99, dtype="uint8")),
        YES,
    ),
    "masked updates": (
        """
        def fn(z, c):
            for _ in range(3):
                alive = np.abs(z) < 1
                z[alive] = z[alive] * z[alive] + c[alive]
                z[z > 2] = 0
            return z[alive], alive
        """,
        (f64(4, 5), f64(4, 5) * 0.1),
        YES,
    ),
    "index pairs": (
        """
        def fn(p, labels):
            rows = np.arange(p.shape[0])
            p[rows, labels] -= 1.0
            np.add.at(p, (rows, labels), 0.25)
            return -np.log(np.abs(p[rows, labels]) + 1).mean()
        """,
        (f64(5, 3), np.array([2, 0, 1, 1, 2])),
        YES,
    ),
    "pooling over two axes": (
        "def fn(x):\n    return x.reshape(2, 3, 2, 2).mean(axis=(1, 3)), x.std(axis=(0, 1)), np.max(x, axis=0)\n",
        (f64(6, 4),),
        NO,
    ),
    "small vectors in a loop over pairs": (
        """
        def fn(p, box):
            forces = np.zeros_like(p)
            for i in range(len(p)):
                for j in range(len(p)):
                    if i != j:
                        d = p[i] - p[j]
                        d -= box * np.round(d / box)
                        forces[i] += d / np.sum(d ** 2)
            return forces
        """,
        (f64(5, 3), 2.0),
        YES,
    ),
    "a walk with a generator of its own": (
        """
        def fn(n, seed):
            rng = np.random.default_rng(seed)
            x = np.zeros(n)
            for i in range(1, n):
                x[i] = x[i - 1] + rng.normal(0.0, 0.5) * rng.integers(4) + rng.choice([-1.0, 1.0])
            return x
        """,
        (20, 3),
        NO,
    ),
    "seeded draws": (
        """
        def fn(n):
            np.random.seed(5)
            hits = 0
            for _ in range(n):
                if np.random.uniform(-1, 1) > 0.2:
                    hits += np.random.randint(0, 7)
            return hits, np.random.normal(size=3)
        """,
        (30,),
        NO,
    ),
    "a spectrum": (
        "def fn(x):\n    c = np.fft.rfft(x - x.mean())\n    p = np.abs(c) ** 2\n"
        "    return {'power': p, 'peak': np.argmax(p[1:])}\n",
        (f64(16),),
        YES,
    ),
}
