# ruff: noqa: E501 -- functions as people write them
"""Functions with loops for a GPU: each with its arguments, small enough for a simulator that has a Python thread for each
thread of the GPU."""

from __future__ import annotations

import ast
from pathlib import Path

import numpy as np

EXAMPLES = Path(__file__).parents[3] / "examples"


def programs():
    """Returns source and arguments by name."""
    rng = np.random.default_rng(0)
    few = rng.random((5, 7))
    circle = 0.3 + np.exp(2j*np.pi*np.arange(12)/12)
    plane = np.linspace(-1.5, 1.5, 7)[None, :] + 1j*np.linspace(-1, 1, 5)[:, None]
    return {
        "cubic": ("def fn(x):\n    return x + x*x + x*x*x\n", (few.astype("float32"),)),
        "statements": ("def fn(x, y):\n    a = np.sin(x)*y\n    b = a + x**2\n    return np.where(b > 0.5, b, -a)\n", (few, few[::-1].copy())),
        "branches": ("def fn(x, y, n):\n    out = np.zeros(n)\n    for i in range(n):\n        if x[i] > 0.5:\n            continue\n        # the rest\n        out[i] = 2*x[i] + math.sin(y[i])\n    return out\n", (rng.random(33), rng.random(33), 33)),
        "stencil": ("def fn(u):\n    out = u.copy()\n    out[1:-1, 1:-1] = 0.25*(u[2:, 1:-1] + u[:-2, 1:-1] + u[1:-1, 2:] + u[1:-1, :-2])\n    return out\n", (rng.random((6, 9)),)),
        "stencil_loops": ("def fn(u):\n    n, m = u.shape\n    out = np.zeros_like(u)\n    for i in range(1, n-1):\n        for j in range(1, m-1):\n            out[i, j] = 0.25*(u[i+1, j] + u[i-1, j] + u[i, j+1] + u[i, j-1])\n    return out\n", (rng.random((6, 9)),)),
        "jacobi": ("def fn(u, steps):\n    u = u.copy()\n    v = u.copy()\n    for t in range(steps):\n        v[1:-1, 1:-1] = 0.25*(u[2:, 1:-1] + u[:-2, 1:-1] + u[1:-1, 2:] + u[1:-1, :-2])\n        u, v = v, u\n    return u\n", (rng.random((5, 6)), 3)),
        "n_body": ("def fn(pos, mass):\n    d = pos[None, :, :] - pos[:, None, :]\n    r2 = (d**2).sum(axis=2) + 1e-6\n    return (mass[None, :, None] * d / (r2**1.5)[:, :, None]).sum(axis=1)\n", (rng.random((9, 3)), rng.random(9))),
        "n_body_loops": ("def fn(x, y, m):\n    n = len(x)\n    ax = np.zeros(n)\n    ay = np.zeros(n)\n    for i in range(n):\n        sx = 0.0\n        sy = 0.0\n        for j in range(n):\n            dx = x[j] - x[i]\n            dy = y[j] - y[i]\n            r = math.sqrt(dx*dx + dy*dy + 1e-3)\n            sx += m[j]*dx/r**3\n            sy += m[j]*dy/r**3\n        ax[i] = sx\n        ay[i] = sy\n    return ax, ay\n", (rng.random(9), rng.random(9), rng.random(9))),
        "sum": ("def fn(x):\n    s = 0.0\n    for i in range(len(x)):\n        s += x[i]*x[i]\n    return s\n", (rng.random(600),)),
        "sum_of_expression": ("def fn(x, y):\n    return np.sum((x - y)**2)\n", (rng.random(300), rng.random(300))),
        "largest": ("def fn(x):\n    m = -1e300\n    for i in range(len(x)):\n        if x[i]*2 > m:\n            m = x[i]*2\n    return m\n", (rng.random(300),)),
        "nearest": ("def fn(x, y):\n    n = len(x)\n    out = np.full(n, np.nan)\n    for i in range(n):\n        best = np.inf\n        for j in range(n):\n            d = (x[i] - x[j])**2 + (y[i] - y[j])**2\n            if j != i and d < best:\n                best = d\n        if best < np.inf:\n            out[i] = math.sqrt(best)\n    return out\n", (rng.random(9), rng.random(9))),
        "two_totals": ("def fn(x):\n    s = 1.0\n    p = 0.0\n    for i in range(x.shape[0]):\n        for j in range(x.shape[1]):\n            s += x[i, j]\n            p += x[i, j]**2\n    return s, p\n", (few,)),
        "matrix_product": ("def fn(a, b):\n    n, m = a.shape\n    p = b.shape[1]\n    out = np.zeros((n, p))\n    for i in range(n):\n        for j in range(p):\n            s = 0.0\n            for k in range(m):\n                s += a[i, k]*b[k, j]\n            out[i, j] = s\n    return out\n", (rng.random((5, 4)), rng.random((4, 6)))),
        "mandelbrot": ("def fn(re, im, limit):\n    out = np.zeros((im.size, re.size), dtype=np.int64)\n    for i in range(im.size):\n        for j in range(re.size):\n            x = y = 0.0\n            k = 0\n            while x*x + y*y <= 4.0 and k < limit:\n                x, y = x*x - y*y + re[j], 2*x*y + im[i]\n                k += 1\n            out[i, j] = k\n    return out\n", (np.linspace(-2, 1, 9), np.linspace(-1, 1, 7), 20)),
        "mandelbrot_complex": ("def fn(re, im, limit):\n    out = np.zeros((im.size, re.size), dtype=np.int64)\n    for i in range(im.size):\n        for j in range(re.size):\n            c = complex(re[j], im[i])\n            z = 0j\n            k = 0\n            while abs(z) <= 2.0 and k < limit:\n                z = z*z + c\n                k += 1\n            out[i, j] = k\n    return out\n", (np.linspace(-2, 1, 9), np.linspace(-1, 1, 7), 20)),
        "contour_integral": ("def fn(z, a):\n    total = 0j\n    n = len(z)\n    for k in range(n):\n        dz = z[(k + 1) % n] - z[k]\n        total += np.exp(z[k]) / (z[k] - a) * dz\n    return total / (2j * np.pi)\n", (circle, 0.1+0.2j)),
        "contour_of_array": ("def fn(z, a):\n    dz = np.roll(z, -1) - z\n    return np.sum(np.exp(z) / (z - a) * dz) / (2j * np.pi)\n", (circle, 0.1+0.2j)),
        "winding": ("def fn(z, a):\n    turns = 1.0 + 0j\n    for k in range(len(z)):\n        turns *= (z[k] - a) / abs(z[k] - a)\n    return turns\n", (circle, 0.1+0.2j)),
        "julia": ("def fn(z, c, limit):\n    z = z.copy()\n    count = np.zeros(z.shape, dtype=int)\n    for k in range(limit):\n        inside = np.abs(z) <= 2\n        z[inside] = z[inside]**2 + c\n        count[inside] += 1\n    return count\n", (plane, -0.4+0.6j, 20)),
        "mandelbrot_array": ("def fn(shift, limit):\n    n = len(shift)\n    re = np.linspace(-2, 1, n)\n    im = np.linspace(-1, 1, n)\n    c = re[None, :] + 1j*im[:, None] + shift[None, :]\n    z = np.zeros_like(c)\n    count = np.zeros(c.shape, dtype=int)\n    for k in range(limit):\n        inside = np.abs(z) <= 2\n        z[inside] = z[inside]**2 + c[inside]\n        count[inside] += 1\n    return count\n", (rng.random(6), 9)),
        "last_axis": ("def fn(u):\n    n = u.shape[-1]\n    out = np.zeros_like(u)\n    for i in range(u.shape[0]):\n        for j in range(n):\n            out[i, j] = u[i, j] - u[i, n - 1 - j]\n    return out\n", (few,)),
        "new_range": ("def fn(y):\n    n = len(y)\n    x = np.arange(n, dtype=np.float32)\n    out = np.empty(n)\n    for i in range(n):\n        out[i] = x[i]**2 + y[i]\n    return out, x\n", (rng.random(9),)),
        "newton_roots": ("def step(z):\n    return z - (z**3 - 1) / (3*z**2)\n\n\ndef fn(z, steps):\n    out = np.empty_like(z)\n    for i in range(z.shape[0]):\n        for j in range(z.shape[1]):\n            w = z[i, j]\n            for k in range(steps):\n                if w == 0:\n                    break\n                w = step(w)\n            out[i, j] = w\n    return out\n", (plane, 4)),
        "fourier": ("def fn(x):\n    n = len(x)\n    out = np.zeros(n, dtype=complex)\n    for k in range(n):\n        s = 0j\n        for t in range(n):\n            s += x[t] * np.exp(-2j*np.pi*k*t/n)\n        out[k] = s\n    return out\n", (rng.random(12),)),
        "impedance": ("import cmath\n\n\ndef fn(w, r, l, c):\n    size = np.empty(len(w))\n    angle = np.empty(len(w))\n    for i in range(len(w)):\n        s = 1j*w[i]\n        h = r / (r + s*l + 1/(s*c))\n        size[i] = 20*math.log10(abs(h))\n        angle[i] = cmath.phase(h)\n    return size, angle\n", (np.linspace(1, 9, 9), 10.0, 0.3, 0.02)),
        "gaussian_beam": ("def fn(x, z, w0, k):\n    q = z + 0.5j*k*w0**2\n    field = np.exp(-0.5j*k*x[:, None]**2 / q[None, :]) / q[None, :]\n    return np.abs(field)**2\n", (np.linspace(-1, 1, 5), np.linspace(0.5, 2, 6), 0.5, 3.0)),
        "single_complex": ("def fn(z, g):\n    out = np.empty_like(z)\n    for i in range(z.size):\n        out[i] = z[i]*np.conj(z[i])*g + z[i].imag\n    return out\n", (circle.astype("complex64"), np.float32(2))),
        "helper": ("def weight(r, h):\n    q = r / h\n    if q > 1:\n        return 0.0\n    return (1 - q)**2\n\n\ndef fn(r, h):\n    out = np.empty(len(r))\n    for i in range(len(r)):\n        out[i] = weight(r[i], h)\n    return out\n", (rng.random(20), 0.5)),
        "in_place": ("def fn(x, k):\n    for i in range(len(x)):\n        x[i] = x[i]*k + 1\n", (rng.random(20), 3.0)),
        "in_place_returned": ("def fn(x, k):\n    for i in range(len(x)):\n        x[i] = x[i]*k + 1\n    return x\n", (rng.random(20), 3.0)),
        "integers": ("def fn(a, n):\n    out = np.empty(a.size, dtype=np.int64)\n    for i in range(a.size):\n        out[i] = (a[i] * i) // n + a[i] % n + (-a[i]) % n + (a[i] << 2)\n    return out\n", (rng.integers(-50, 50, 40), 7)),
        "single": ("def fn(x):\n    out = np.empty_like(x)\n    for i in range(x.size):\n        out[i] = x[i] / 3 + x[i]**2\n    return out\n", (rng.random(21).astype("float32"),)),
        "three_axes": ("def fn(x, y):\n    n, m, l = x.shape\n    out = np.zeros((n, m, l))\n    for i in range(n):\n        for j in range(m):\n            for k in range(l):\n                out[i, j, k] = x[i, j, k] + y[k]*i\n    return out\n", (rng.random((2, 3, 4)), rng.random(4))),
        "short_vectors": ("def fn(pos, m):\n    n = len(m)\n    acc = np.zeros_like(pos)\n    for i in range(n):\n        for j in range(n):\n            if i == j:\n                continue\n            r = pos[j] - pos[i]\n            d = np.linalg.norm(r) + 0.1\n            acc[i] += m[j]*r/d**3\n    return acc\n", (rng.random((9, 3)), rng.random(9))),
        "crossed_vectors": ("def fn(v, b, s):\n    for i in range(len(v)):\n        t = s*b\n        u = v[i] + np.cross(v[i], t)\n        u /= 1 + np.dot(t, t)\n        v[i] += np.cross(u, t)\n    return v\n", (rng.random((9, 3)), rng.random(3), 0.7)),
        "turned": ("def fn(angle, v):\n    out = np.zeros_like(v)\n    for i in range(len(v)):\n        c, s = np.cos(angle[i]), np.sin(angle[i])\n        R = np.array([[c, -s], [s, c]])\n        out[i] = R @ v[i] - R.T @ (0.5*v[i])\n    return out\n", (rng.random(9), rng.random((9, 2)))),
        "vectors_of_a_helper": ("def spring(r, k, rest=0.4):\n    d = np.sqrt((r**2).sum())\n    if d > 0.9:\n        return np.zeros(2)\n    return -k*(d - rest)*r\n\n\ndef fn(x, box):\n    f = np.zeros((len(x), 2))\n    for i in range(len(x)):\n        total = np.zeros(2)\n        for j in range(len(x)):\n            r = x[i] - x[j]\n            r -= box*np.round(r/box)\n            total += spring(r, 2.0)\n        f[i] = total\n    return f\n", (3*rng.random((9, 2)), np.array([2.0, 3.0]))),
        "two_results": ("def both(a, b):\n    return a + b, a*b\n\n\ndef fn(x, y):\n    out = np.zeros(len(x))\n    for i in range(len(x)):\n        s, p = both(x[i], y[i])\n        out[i] = s/(1 + p)\n    return out\n", (rng.random(9), rng.random(9))),
        "offsets": ("STEPS = ((-1, 0), (1, 0), (0, -1), (0, 1))\n\n\ndef fn(u, k):\n    h, w = u.shape\n    out = np.zeros((h, w))\n    for y in range(h):\n        for x in range(w):\n            for dy, dx in STEPS:\n                out[y, x] += k*(u[(y + dy) % h, (x + dx) % w] - u[y, x])\n            for d in (-1, 0, 1):\n                if d == 0:\n                    continue\n                out[y, x] += u[y, (x + d) % w]\n    return out\n", (few, 0.1)),
        "global_table": ("TABLE = np.array([0.1, 0.4, 0.2], dtype=np.float64)\n\n\ndef fn(x, k):\n    out = np.zeros(len(x))\n    for i in range(len(x)):\n        out[i] = TABLE[k[i]]*x[i]\n    return out\n", (rng.random(9), rng.integers(0, 3, 9))),
        "functions_of_numbers": ("def fn(x, y):\n    out = np.zeros(len(x))\n    for i in range(len(x)):\n        s = np.clip(x[i] - 0.5, -0.2, 0.3)\n        out[i] = np.where(s > 0, s, np.sign(s)) + np.round(9*s) + max(x[i], y[i], 0.4) + min(s, y[i]) + np.square(s)\n    return out\n", (rng.random(40), rng.random(40))),
        "negative_index": ("def fn(x):\n    n = len(x)\n    out = np.empty(n)\n    for i in range(n):\n        out[i] = x[i] - x[i-1]\n    return out\n", (rng.random(12),)),
        "pairs_in_arrays": ("def fn(p, c, w):\n    d = p[:, None, :] - c[None, :, :]\n    d2 = d[..., 0]**2 + d[..., 1]**2\n    nearest = np.argmin(d2, axis=1)\n    value = np.exp(-d2) @ w\n    return value, nearest\n", (rng.random((9, 2)), rng.random((4, 2)), rng.random(4))),
        "w_tilde": _example("w_tilde_dense", M=4, K=6),
        "w_tilde_low_memory": _example("w_tilde_low_memory", M=4, K=6),
    }  # fmt: skip


def _example(name, **sizes):
    """Returns the function of an example with its arguments, at other sizes."""
    text = (EXAMPLES / f"{name}.py").read_text(encoding="utf-8")
    tree = ast.parse(text)
    function = next(node for node in tree.body if isinstance(node, ast.FunctionDef))
    for node in tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Tuple):
            names = [one.id for one in node.targets[0].elts]
            if set(names) == set(sizes):
                node.value = ast.Tuple([ast.Constant(sizes[one]) for one in names], ast.Load())
    scope = {}
    exec(compile(ast.fix_missing_locations(ast.Module(tree.body[:-1], [])), name, "exec"), scope)
    call = tree.body[-1].value
    return ast.get_source_segment(text, function) + "\n", tuple(scope[one.id] for one in call.args)
