# ruff: noqa: E501 -- a case is a line.
"""Functions of elements, for libraries whose elements are arrays without axes: source, then arguments."""

import numpy as np

V = np.linspace(-1, 2, 12)
N = np.array([3, 1, 4, 1, 5, 9, 2, 6])

CASES = {
    "an element that is kept": (
        "def fn(x):\n    a = x.copy()\n    v = a[0]\n    a[0] = 7.0\n    return v, a",
        V,
    ),
    "the smaller of two elements": (
        "def fn(x):\n    a = x.copy()\n    v = min(a[0], a[1])\n    a[:] = 7.0\n    return v",
        V,
    ),
    "an element in a list": (
        "def fn(x):\n    a = x.copy()\n    out = []\n    for i in range(3):\n        out.append(a[0])\n"
        "        a[0] = a[0] + 1\n    return np.array(out)",
        V,
    ),
    "an element in a list that is updated": (
        "def fn(x):\n    a = x.copy()\n    out = []\n    for i in range(5):\n        out.append(a[i])\n        out[0] -= 1\n"
        "        if out[0] < -3:\n            out.pop(0)\n    return np.array(out), a",
        V,
    ),
    "an element in a dict that is updated": (
        "def fn(x):\n    state = {'level': x[0], 'flow': x[1]}\n    for i in range(5):\n        state['level'] += 0.5*state['flow']\n"
        "        state['flow'] -= 0.1\n    return state['level'], state['flow'], x",
        V,
    ),
    "an element in a dict that is a number by turns": (
        "def fn(x):\n    state = {'level': x[0]}\n    most = state['level']\n    for i in range(6):\n        state['level'] += 0.5*x[-1]\n"
        "        if state['level'] > 1.5:\n            state['level'] = 1.5\n        last = state['level']\n        most = max(most, last)\n    return most, last, x",
        V,
    ),
    "keys that a dict gives back": (
        "def fn(n):\n    count = {}\n    for g in n:\n        count[g] = count.get(g, 0) + 1\n    best = 0\n    for k in count:\n"
        "        best = max(best, count[k])\n    order = sorted(count)\n"
        "    return best, np.array(order), np.array(list(count)), np.array([count[g] for g in order]), np.array([k for k, v in count.items() if count[k] == v])",
        N,
    ),
    "a list comprehension of elements": (
        "def fn(x):\n    a = x.copy()\n    out = [a[i] for i in range(3)]\n    a[:] = 0\n    return np.array(out)",
        V,
    ),
    "the elements of a loop": (
        "def fn(x):\n    a = x.copy()\n    s = 0.0\n    for i, v in enumerate(a):\n        a[i] = 0.0\n        s += v\n"
        "    return s, a",
        V,
    ),
    "pairs of elements": (
        "def fn(x, y):\n    a = x.copy()\n    s = 0.0\n    for p, q in zip(a, y):\n        a[:] = 1.0\n        s += p * q\n"
        "    return s",
        V,
        V * 2,
    ),
    "a sum that begins with an element": (
        "def fn(x):\n    a = x.copy()\n    s = a[0]\n    for i in range(1, 4):\n        s += a[i]\n    return s, a",
        V,
    ),
    "an element kept while a view of its array is written": (
        "def fn(x):\n    a = x.copy()\n    head, tail = a[:3], a[3:]\n    v, w = a[0], tail[0]\n    head += 1\n    for row in [a[3:6], a[6:]]:\n"
        "        row[:] = 0\n    return v, w, a",
        V,
    ),
    "an element kept while a row is written": (
        "def fn(x):\n    m = x.copy().reshape(3, 4)\n    v = m[1, 2]\n    for row in m:\n        row *= 2\n    return v, m",
        V,
    ),
    "an element kept while a function inside writes": (
        "def fn(x):\n    a = x.copy()\n    def put(i):\n        a[i] = 9.0\n    v = a[2]\n    put(2)\n    return v, a",
        V,
    ),
    "a swap": ("def fn(x):\n    a = x.copy()\n    a[0], a[1] = a[1], a[0]\n    return a", V),
    "an integer element updated by a float": (
        "def fn(x):\n    a = x.copy()\n    for i in range(len(a)):\n        a[i] += 0.75\n        a[i] /= 2\n    return a",
        N,
    ),
    "a helper that returns an element": (
        "def first(a):\n    return a[0]\n\n\ndef change(a):\n    a[0] = 5.0\n\n\n"
        "def fn(x):\n    a = x.copy()\n    v = first(a)\n    change(a)\n    return v, a",
        V,
    ),
    "elements as keys": (
        "def fn(n):\n    counts = {}\n    for k in n:\n        if k in counts:\n            counts[k] += 1\n        else:\n"
        "            counts[k] = 1\n    return len(counts), max(counts.values())",
        N,
    ),
    "tuples of elements as keys": (
        "def fn(n):\n    seen = {}\n    for i in range(0, len(n) - 1, 2):\n        pair = (n[i], n[i + 1])\n        if pair not in seen:\n            seen[pair] = 0\n"
        "        seen[pair] += 1\n    return max(seen.values()), len(seen)",
        N[[0, 1, 0, 1, 4, 5]],
    ),
    "elements in a set": (
        "def fn(n):\n    seen = set()\n    twice = 0\n    for i in range(len(n)):\n        if n[i] in seen:\n"
        "            twice += 1\n"
        "        seen.add(n[i])\n    return twice, len(seen)",
        N,
    ),
    "a range up to an element": (
        "def fn(n):\n    s = 0\n    for i in range(n[0], n[4]):\n        s += n[i] * 2\n    return s, n[: n[0]]",
        N,
    ),
    "small unsigned elements as indices": (
        "def fn(x, k):\n    s = 0.0\n    for i in range(len(k)):\n        s += x[k[i]]\n    return s",
        V,
        N.astype(np.uint8),
    ),
    "a tuple as an index": (
        "def fn(x):\n    m = x.reshape(3, 4)\n    out = np.zeros((3, 4))\n    for i in np.ndindex(m.shape):\n"
        "        out[i] = m[i] * 2\n    return out",
        V,
    ),
    "a list of numbers and elements": (
        "def fn(x):\n    out = []\n    for i in range(6):\n        if x[i] > 0:\n            out.append(x[i])\n        else:\n"
        "            out.append(0.0)\n    return np.array(out)",
        V,
    ),
    "pairs of numbers and elements": (
        "def fn(x):\n    out = []\n    for i in range(6):\n        out.append((i, x[i]))\n    return np.array(out)",
        V,
    ),
    "backwards between computed limits": (
        "def fn(x, k, s):\n    m = x.reshape(3, 4)\n    return m[:, k:0:-1], m[k:-5:-1], m[4:0:s], m[1, ::s], x[8:k:-2], x[k:8:-1]",
        V, 2, -1,
    ),
    "a recurrence": (
        "def fn(x, a):\n    y = np.empty(len(x))\n    y[0] = x[0]\n    for t in range(1, len(x)):\n"
        "        y[t] = a * x[t] + (1 - a) * y[t - 1]\n    return y",
        np.linspace(0, 1, 300),
        0.1,
    ),
    "a dot product of unknown axes": (
        "def fn(ms, v):\n    out = []\n    for m in ms:\n        out.append(np.dot(m, v))\n    return out[0], out[1]",
        [np.arange(3.0), np.arange(6.0).reshape(2, 3)],
        np.ones(3),
    ),
    "one limit of each kind": ("def fn(x):\n    return np.clip(x, 0.0, x.mean()), x.clip(x.min() / 2, 1)", V),
    "draws": (
        "def fn(n):\n    rng = np.random.default_rng(3)\n    x = 0.0\n    out = np.zeros(n)\n    for i in range(n):\n"
        "        x += rng.normal() * 0.1\n        out[i] = x\n    idx = rng.integers(0, n, 5)\n    k = rng.integers(3)\n"
        "    return out[idx], k, rng.choice([1.5, 2.5], 4)",
        9,
    ),
    "a shuffle": (
        "def fn(x):\n    np.random.seed(4)\n    a = x.copy()\n    np.random.shuffle(a)\n"
        "    return a + np.random.rand(len(x))",
        V,
    ),
}
