# ruff: noqa: E501 -- a case is a line.
"""Map loops as whole-array statements: before and after, and NumPy's results for other sizes too."""

import copy

import numpy as np
import pytest

from jitmagic.generate.module import Module
from jitmagic.generate.vectorised import vectorise
from tests.backends.numba.harness import assert_same, observed, workload


def rewritten(source, *args):
    work = workload(source, *args)
    facts = observed(work)
    module = Module.of(work, facts)
    module.marked()
    gone = vectorise(module, work, facts)
    return Module.finish(module.tree, work.module).text.partition("def fn")[2], gone


def rng(n):
    return np.random.default_rng(n).random(n)


def square(n):
    return np.random.default_rng(n).random((n, n + 1))


CASES = {
    "differences": (
        "def fn(x):\n    n = len(x)\n    y = np.zeros(n)\n    for i in range(1, n):\n        y[i] = x[i] - x[i-1]\n    return y\n",
        "y[1:n] = x[1:n] - x[:n - 1]",
        lambda n: (rng(n),),
    ),
    "a stencil": (
        "def fn(u):\n    n, m = u.shape\n    w = u.copy()\n    for i in range(1, n-1):\n        for j in range(1, m-1):\n            w[i, j] = u[i-1, j] + u[i, j+1]\n    return w\n",
        "w[1:n - 1, 1:m - 1] = u[:n - 2, 1:m - 1] + u[1:n - 1, 2:m]",
        lambda n: (square(n),),
    ),
    "pairs": (
        "def fn(a, b):\n    out = np.empty((len(a), len(b)))\n    for i in range(len(a)):\n        for j in range(len(b)):\n            d = a[i] - b[j]\n            out[i, j] = d*d if d > 0 else i\n    return out\n",
        "d = a[:len(a), None] - b[:len(b)]",
        lambda n: (rng(n), rng(n + 2)),
    ),
    "a transposed array": (
        "def fn(m):\n    h, w = m.shape\n    out = np.zeros((w, h))\n    for i in range(w):\n        for j in range(h):\n            out[i, j] = m[j, i] * 2\n    return out\n",
        "out[:w, :h] = m[:h, :w].T * 2",
        lambda n: (square(n),),
    ),
    "sums": (
        "def fn(a, b):\n    s = 0.0\n    for i in range(len(a)):\n        s += a[i] * b[i]\n    return s\n",
        "s += np.sum(a[:len(a)] * b[:len(a)])",
        lambda n: (rng(n), rng(n)),
    ),
    "a sum inside a loop": (
        "def fn(m, v):\n    n, d = m.shape\n    y = np.zeros(n)\n    for i in range(n):\n        acc = 0.0\n        for k in range(d):\n            acc += m[i, k] * v[k]\n        y[i] = acc\n    return y\n",
        "acc += np.sum(m[i, :d] * v[:d])",
        lambda n: (square(n), rng(n + 1)),
    ),
    "python's max": (
        "def fn(x):\n    y = np.zeros(len(x))\n    for i in range(len(x)):\n        y[i] = max(x[i], x[i] * x[i] + 0.1)\n    return y\n",
        "y[:len(x)] = np.where((x[:len(x)] * x[:len(x)] + 0.1) > x[:len(x)], x[:len(x)] * x[:len(x)] + 0.1, x[:len(x)])",
        lambda n: (rng(n),),
    ),
    "a time loop around": (
        "def fn(u, k):\n    for t in range(k):\n        v = u.copy()\n        for i in range(1, len(u)):\n            u[i] = v[i-1]\n    return u\n",
        "u[1:len(u)] = v[:len(u) - 1]",
        lambda n: (rng(n), 2),
    ),
    "an offset that cancels": (
        "def fn(x, k):\n    y = np.zeros(len(x))\n    for i in range(k, len(x)):\n        y[i - k] = x[i - k] + 1\n    return y\n",
        "y[:len(x) - k] = x[:len(x) - k] + 1",
        None,
    ),
    "a branch": (
        "def fn(x):\n    y = x.copy()\n    for i in range(len(x)):\n        if x[i] > 0.5:\n            y[i] = 0\n    return y\n",
        "y[:len(x)] = np.where(x[:len(x)] > 0.5, 0, y[:len(x)])",
        lambda n: (rng(n),),
    ),
    "branches that give the same": (
        "def fn(x):\n    y = np.zeros(len(x))\n    for i in range(len(x)):\n        # three kinds\n        if x[i] > 0.7:\n            # large\n            y[i] = 1\n"
        "        elif x[i] < 0.2:\n            y[i] = x[i]\n        else:\n            y[i] = -x[i]\n    return y\n",
        "# three kinds\n    # large\n    y[:len(x)] = np.where(x[:len(x)] > 0.7, 1, np.where(x[:len(x)] < 0.2, x[:len(x)], -x[:len(x)]))",
        lambda n: (rng(n),),
    ),
    "a branch of several statements": (
        "def fn(x, w):\n    s = 0.0\n    y = np.ones(len(x))\n    for i in range(len(x)):\n        if x[i] > 0.3 and w[i] < 0.9:\n            t = x[i] * w[i]\n"
        "            y[i] -= t\n            s += t\n        else:\n            y[i] = 0.5\n    return y + s\n",
        "t = x[:len(x)] * w[:len(x)]\n    y[:len(x)] = np.where(chosen, y[:len(x)] - t, y[:len(x)])\n    s += np.sum(np.where(chosen, t, 0.0))\n"
        "    y[:len(x)] = np.where(chosen, y[:len(x)], 0.5)",
        lambda n: (rng(n), rng(n)[::-1].copy()),
    ),
    "what is skipped": (
        "def fn(m):\n    h, w = m.shape\n    out = np.zeros((h, w))\n    for i in range(h):\n        for j in range(w):\n            if m[i, j] < 0.5:\n                continue\n"
        "            v = m[i, j]\n            if not v > 0.8:\n                v = 0.0\n            out[i, j] = v\n    return out\n",
        "out[:h, :w] = np.where(chosen, out[:h, :w], v)",
        lambda n: (square(n),),
    ),
    "a negative first index": (
        "def fn(x):\n    y = x.copy()\n    for i in range(len(x)):\n        y[i] = x[i-1]\n    return y\n",
        "y[:len(x)] = x[np.arange(len(x))-1]",
        lambda n: (rng(n),),
    ),
    "an unknown offset": (
        "def fn(x, k):\n    y = np.zeros(len(x))\n    for i in range(len(x) - k):\n        y[i] = x[i + k]\n    return y\n",
        "y[:len(x) - k] = x[np.arange(len(x) - k) + k]",
        None,
    ),
    "an index array": (
        "def fn(x, k):\n    y = np.zeros(len(k))\n    for i in range(len(k)):\n        y[i] = x[k[i]] + x[k[i] % 2]\n    return y\n",
        "y[:len(k)] = x[k[:len(k)]] + x[k[:len(k)] % 2]",
        lambda n: (rng(n + 2), np.arange(n)[::-1].copy()),
    ),
    "neighbours on a torus": (
        "def fn(u):\n    n, m = u.shape\n    w = np.zeros((n, m))\n    for i in range(n):\n        for j in range(m):\n            w[i, j] = u[(i-1) % n, j] + u[i, (j+1) % m]\n    return w\n",
        "w[:n, :m] = u[(np.arange(n)[:, None]-1) % n, np.arange(m)] + u[np.arange(n)[:, None], (np.arange(m)+1) % m]",
        lambda n: (square(n),),
    ),
    "a sum over few in each step": (
        "def fn(m, w, k):\n    n = len(m)\n    y = np.zeros(n)\n    for i in range(n):\n        # of both kinds\n        acc = 0.0\n        for k in range(3):\n            acc += w[k] * (m[i, 0] - k)\n        y[i] = acc\n    return y\n",
        "    acc = np.zeros(n)\n    for k in range(3):\n        acc = acc + w[k] * (m[:n, 0] - k)\n    y[:n] = acc",
        lambda n: (square(n), rng(3), 0),
    ),
    "the smallest of few": (
        "def fn(p):\n    n = len(p)\n    low = np.zeros(n)\n    when = np.zeros(n, dtype=int)\n    for i in range(n):\n        best = p[i, 0]\n        at = 0\n        for t in range(3):\n            if p[i, t] < best:\n                best = p[i, t]\n                at += t\n"
        "        low[i] = best\n        when[i] = at\n    return low + when\n",
        "at = np.where(chosen, at + t, at)",
        lambda n: (np.random.default_rng(n).random((n, 3)),),
    ),
    "neighbours by offsets": (
        "def fn(u):\n    n, m = u.shape\n    w = np.zeros((n, m))\n    for i in range(n):\n        for j in range(m):\n            total = 0\n            for di, dj in ((1, 0), (0, -1), (0, 0)):\n                if di == 0 and dj == 0:\n                    continue\n                a, b = (i + di) % n, (j + dj) % m\n                total += u[a, b]\n            w[i, j] = total\n    return w\n",
        "            total = np.zeros((n, m))\n".strip(),
        lambda n: (square(n),),
    ),
    "loops in loops": (
        "def fn(x):\n    y = np.zeros(len(x))\n    for i in range(len(x)):\n        s = 1.0\n        for a in range(2):\n            for b in range(a + 1):\n                s += x[i] * a - b\n            s *= 0.5\n        y[i] = s\n    return y\n",
        "s = np.full(len(x), 1.0)",
        lambda n: (rng(n),),
    ),
    "a value from before a store": (
        "def fn(x):\n    x = x.copy()\n    y = np.zeros(len(x))\n    for i in range(len(x)):\n        old = x[i]\n        x[i] = 2 * old\n        y[i] = old\n    return x + 10 * y\n",
        "old = x[:len(x)].copy()",
        lambda n: (rng(n),),
    ),
    "rows taken apart": (
        "def fn(p):\n    n = len(p)\n    r = np.zeros(n)\n    for i in range(n):\n        x, y = p[i]\n        t = u = 0.5\n        k = int(3*y)\n        r[i] = np.sqrt(x*x + y*y) if 0.2 < x < 0.9 else k + max(x, y, 0.4) + t*u\n    return r\n",
        None,
        lambda n: (np.random.default_rng(n).random((n, 2)),),
    ),
    "clipped": (
        "def fn(x):\n    y = np.zeros(len(x))\n    for i in range(len(x)):\n        v = np.clip(x[i], 0.2, 0.7)\n        v -= 0.1\n        y[i] = np.where(v > 0.3, v, -v) + int(5 * v)\n    return y\n",
        "int)",
        lambda n: (rng(n),),
    ),
    "a helper": (
        "def g(v, k=2):\n    # kinked\n    if v > 0.5:\n        return k*v\n    w = v*v\n    return w + 1\n\n\ndef fn(x):\n    y = np.zeros(len(x))\n    for i in range(len(x)):\n        y[i] = g(x[i]) - g(x[i] - 0.5, k=3)\n    return y\n",
        None,
        lambda n: (rng(n),),
    ),
    "results of a helper": (
        "def g(a, b):\n    return a + b, a - b\n\n\ndef fn(x):\n    y = np.zeros(len(x))\n    for i in range(len(x)):\n        p, q = g(x[i], 2.0)\n        y[i] = p*q\n    return y\n",
        "y[:len(x)] = p*q",
        lambda n: (rng(n),),
    ),
    "a flag": (
        "def fn(x, rest):\n    y = np.zeros(len(x))\n    for i in range(len(x)):\n        hit = False\n        if x[i] < 2:\n            hit = True\n        y[i] = x[i] if hit else rest\n    return y\n",
        "y[:len(x)] = np.where(hit, x[:len(x)], rest)",
        lambda n: (rng(n), 3.0),
    ),
    "several statements in a line": (
        "def fn(x):\n    y = x.copy()\n    low = 0\n    for i in range(len(x)):\n        if x[i] < 0.3:\n            y[i] = 0.3; low += 1\n        elif x[i] > 0.5:\n            y[i] = 0.5\n    return y + low\n",
        "low += np.sum(np.where(chosen, 1, 0))",
        lambda n: (rng(n),),
    ),
    "vectors of a step": (
        "def fn(p, m):\n    n = len(p)\n    f = np.zeros((n, 2))\n    for i in range(n):\n        for j in range(n):\n            if i != j:\n                r = p[j] - p[i]\n                f[i] += m[j]*r/np.dot(r, r)\n    return f\n",
        "f[:n, 1] = np.where(chosen, f[:n, 1] + (m[j]*r_1/(r_0*r_0 + r_1*r_1)), f[:n, 1])",
        lambda n: (np.random.default_rng(n).random((n, 2)), rng(n)),
    ),
    "a vector that stays one of a row": (
        "def fn(p, q):\n    n = len(p)\n    s = np.zeros(n)\n    for i in range(n):\n        r = p[i]*2\n        r = r - np.round(r)*q\n        r[r > 0.2] -= 0.1\n        s[i] = np.linalg.norm(r) + max(r)\n    return s\n",
        None,
        lambda n: (np.random.default_rng(n).random((n, 3)), np.array([1.0, 2.0, 0.5])),
    ),
    "comments": (
        "def fn(x):\n    y = x.copy()\n    # all of it\n    for i in range(len(x)):\n        y[i] = x[i] * 2  # twice\n    return y\n",
        "# all of it\n    y[:len(x)] = x[:len(x)] * 2  # twice",
        lambda n: (rng(n),),
    ),
}


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case[2] is not None])
def test_the_loop_is_one_statement(name):
    source, after, make = CASES[name]
    text, gone = rewritten(source, *make(6))
    assert after is None or after in text
    assert gone
    scopes = [{"np": np}, {"np": np}]
    exec(source, scopes[0])
    exec(source, scopes[1])
    exec("def fn" + text, scopes[1])
    for n in (6, 0, 1, 2, 3, 11):
        args = make(n)
        with np.errstate(all="ignore"):
            wanted, got = (scope["fn"](*copy.deepcopy(args)) for scope in scopes)
        assert_same(np.asarray(got), np.asarray(wanted), 1e-12)


STAY = {
    "a recurrence": ("def fn(x):\n    for i in range(1, len(x)):\n        x[i] = x[i-1] + 1\n    return x\n", rng(5)),
    "an anti-dependence": (
        "def fn(x):\n    for i in range(len(x) - 1):\n        x[i] = x[i+1]\n    return x\n",
        rng(5),
    ),
    "a long way before the end": (
        "def fn(x):\n    y = x.copy()\n    for i in range(len(x) - 3):\n        y[i] = 2 * x[i]\n    return y\n",
        rng(5),
    ),
    "a triangle": (
        "def fn(m):\n    y = m.copy()\n    for i in range(len(m)):\n        for j in range(i + 1):\n            y[i, j] = 0.0\n    return y\n",
        square(4),
    ),
    "a branch that keeps away from the end": (
        "def fn(x):\n    y = x.copy()\n    for i in range(len(x)):\n        if i < len(x) - 1:\n            y[i] = x[i+1]\n    return y\n",
        rng(5),
    ),
    "a value of a branch that keeps away from the end": (
        "def fn(x):\n    y = x.copy()\n    for i in range(len(x)):\n        if i < len(x) - 1:\n            t = x[i+1]\n            y[i] = t\n    return y\n",
        rng(5),
    ),
    "a choice that keeps away from the end": (
        "def fn(x):\n    y = x.copy()\n    for i in range(len(x)):\n        y[i] = x[i+1] if i < len(x) - 1 else 0.0\n    return y\n",
        rng(5),
    ),
    "a branch that keeps away from zero": (
        "def fn(x, k):\n    y = x.copy()\n    for i in range(len(x)):\n        if k[i] != 0:\n            y[i] = x[i] // k[i]\n    return y\n",
        np.arange(5),
        np.arange(5) % 2,
    ),
    "a branch that calls": (
        "def fn(x, seen):\n    y = x.copy()\n    for i in range(len(x)):\n        if x[i] > 0.5:\n            seen.append(i)\n    return y\n",
        rng(5),
        [],
    ),
    "growing integers": (
        "def fn(n):\n    y = np.zeros(n)\n    for i in range(n):\n        y[i] = 2 ** i\n    return y\n",
        70,
    ),
    "a sum over all pairs": (
        "def fn(a, b):\n    s = 0.0\n    for i in range(len(a)):\n        for j in range(len(b)):\n            s += a[i] * b[j] - a[i]\n    return s\n",
        rng(4),
        rng(5),
    ),
    "a method of a column": (
        "def fn(m):\n    y = np.zeros(m.shape[1])\n    for i in range(m.shape[1]):\n        y[i] = m[:, i].max()\n    return y\n",
        square(4),
    ),
    "draws": (
        "def fn(n):\n    rng = np.random.default_rng(0)\n    y = np.zeros(n)\n    for i in range(n):\n        y[i] = rng.normal()\n    return y\n",
        5,
    ),
    "draws from the module": (
        "def fn(n):\n    np.random.seed(0)\n    y = np.zeros(n)\n    for i in range(n):\n        y[i] = np.random.rand()\n    return y\n",
        5,
    ),
    "an integer array in place": (
        "def fn(x):\n    for i in range(len(x)):\n        x[i] += 0.5\n    return x\n",
        np.arange(5),
    ),
    "a helper that reads a global of a local's name": (
        "k = 5.0\n\n\ndef g(v):\n    return v + k\n\n\ndef fn(x):\n    y = np.zeros(len(x))\n    k = 2.0\n    for i in range(len(x)):\n        y[i] = k * g(x[i])\n    return y\n",
        rng(5),
    ),
    "a list": (
        "def fn(x):\n    y = np.zeros(3)\n    z = [1.0, 2.0, 3.0]\n    for i in range(3):\n        y[i] = z[i] + x[i]\n    return y\n",
        rng(5),
    ),
}


@pytest.mark.parametrize("name", STAY)
def test_what_is_not_proved_stays_a_loop(name):
    source, *args = STAY[name]
    text, _ = rewritten(source, *args)
    assert "for i in" in text
