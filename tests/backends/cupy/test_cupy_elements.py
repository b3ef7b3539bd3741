# ruff: noqa: E501 -- a case is a line.
"""Elements, lists, draws and parameters: right where NumPy has scalars and CuPy has arrays without axes."""

import numpy as np
import pytest

from jitmagic.backends.cupy.backend import CupyBackend
from jitmagic.backends.protocol import Draft
from tests.backends.cupy.test_cupy_backend import run
from tests.backends.element_cases import CASES as ELEMENTS
from tests.backends.numba.harness import assert_same, drafts, reference, workload

V = np.linspace(-1, 2, 12)
N = np.array([3, 1, 4, 1, 5, 9, 2, 6])

CASES = {
    **ELEMENTS,
    "an index array's scalar is a view of a row": (
        "def fn(m, k):\n    a = m.copy()\n    for i in range(len(k)):\n        row = a[k[i]]\n        row += 1\n    return a",
        np.zeros((4, 3)), np.array([1, 3, 1]),
    ),
    "a row stored through": (
        "def fn(m, k):\n    a = m.copy()\n    a[k[0]][1] = 5.0\n    a[k[1]][:] = 7\n    return a",
        np.zeros((4, 3)), np.array([1, 3]),
    ),
    "names of one sum": ("def fn(x):\n    s = x.sum()\n    t = s\n    s += 1\n    s *= 2\n    return s, t", V),
    "lists for arrays": (
        "def fn(x):\n    w = np.dot(x[:3], [1.0, 2.0, 3.0])\n    y = np.interp(x, [0.0, 1.0], [1.0, 3.0])\n"
        "    return w, y * 2, x[:2] + [1, 2], np.mean([1.0, 2.0]), np.max([x[0], x[1]])",
        V,
    ),
    "joined lists and numbers": (
        "def fn(x):\n    return np.concatenate(([0.0], x, [x[0], 1.0])), np.hstack((x[:2], 5.0)), np.stack([x, x])",
        V,
    ),
    "stored tuples": ("def fn(x):\n    a = np.zeros((2, 3))\n    a[0] = x[0], 1.0, x[1]\n    a[1] = [1, 2, 3]\n    return a", V),
    "reductions by ufuncs": (
        "def fn(x):\n    m = x.reshape(3, 4)\n    return np.maximum.reduce(m), np.add.reduce(m, axis=1), np.logical_and.reduce(m > -2), np.maximum.accumulate(x), np.multiply.outer(x, x)",
        V,
    ),
    "other names of parameters": (
        "def fn(x, y):\n    h, xe, ye = np.histogram2d(x, y, 3, None, False, None)\n    return h, np.array(object=[1.0, 2.0]), np.flip(m=x), np.sort(x, kind='mergesort'), np.argsort(-x, kind='stable')",
        V, V[::-1].copy(),
    ),
    "what cupy cannot make": ("def fn(x):\n    return np.geomspace(1.0, 100.0, 5), np.insert(x, 2, 9.0), np.insert(x, 0, 1)", V),
    "types as casts": ("def fn(x, n):\n    return np.float32(x), np.int64(x[3]), np.float64(2) * n[0], np.float32(1.5)", V, N),
    "numbers on the host": ("def fn(x, n):\n    k = np.sqrt(n)\n    return x * k, int(np.ceil(n / 3)), np.zeros(int(np.floor(n)))", V, 7),
    "sizes from arrays": (
        "def fn(x, n):\n    k = n[0]\n    z = np.zeros((k, 2)) + np.ones(k)[:, None]\n    return z, np.arange(n[1], n[4], k), np.linspace(0, 1, n[0]), "
        "np.tile(x[:2], k), np.repeat(x[:2], k), x.reshape(k, -1), np.eye(k), np.bincount(n, minlength=n[5]), np.roll(x, k), np.full(k, x[0]), np.arange(x[0], x[3], 0.5)",
        V, N,
    ),
    "a scalar of the host beside an element": (
        "def fn(x, n):\n    u = np.log(n)\n    return np.sqrt(n) < x[0], u > x.sum(), x[1] > u, np.exp(n) > 3", V, 7,
    ),
    "keys that are sums of keys": (
        "def fn(n):\n    d = {}\n    for i in range(0, 8, 2):\n        d[n[i], n[i + 1]] = i\n    s = 0\n    for (a, b), i in d.items():\n"
        "        s += i + d.get(((a + 1) % 3, -b), 5)\n    return s",
        N,
    ),
    "rounding a number": ("def fn(x):\n    return round(x[3], 2), round(float(x[4]), 1)", V),
    "repeated lists": ("def fn(n):\n    return np.array([1.0] * n[0])", N),
    "an element by position": ("def fn(x):\n    return x.item(3), x.reshape(3, 4).item(1, 2)", V),
}


@pytest.mark.parametrize("name", CASES)
def test_elements_are_numpys(name):
    source, *args = CASES[name]
    work = workload(source, *args)
    draft = drafts(work, CupyBackend())["cupy"]
    assert isinstance(draft, Draft), draft
    wanted, _ = reference(work)
    got, _ = run(work, draft, name)
    assert_same(got, wanted, 1e-12)


def text_of(source, *args):
    draft = drafts(workload(source, *args), CupyBackend())["cupy"]
    assert isinstance(draft, Draft), draft
    return draft.module.text


def test_elements_that_nothing_changes_are_not_copied():
    assert "copy" not in text_of("def fn(x):\n    v = x[0]\n    return v * x\n", V)


def test_numpy_draws_and_cupy_computes():
    assert text_of("def fn(n):\n    rng = np.random.default_rng(1)\n    return np.exp(rng.normal(size=n))\n", 3) == (
        "import cupy as cp\nimport numpy as np\n\n\ndef fn(n):\n    rng = np.random.default_rng(1)\n"
        "    return cp.exp(cp.asarray(rng.normal(size=n)))\n"
    )
