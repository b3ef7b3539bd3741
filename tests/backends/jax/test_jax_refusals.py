"""What cannot be expressed is refused at the user's line, with the gotcha that explains it."""

import numpy as np
import pytest

from tests.backends.jax.jax_workbench import make

X = np.random.default_rng(0).normal(size=50)
HEAD = "import numpy as np\n\n"

REFUSED = {
    "a dictionary that a loop fills": (
        "def fn(x):\n    found = {}\n    for i in range(len(x)):\n        k = int(x[i] * 3)\n"
        "        found[k] = found.get(k, 0) + 1\n    return max(found.values())\n",
        (X,),
        5,
        None,
    ),
    "a global": ("def fn(x):\n    global T\n    T = x.sum()\n    return T\n", (X,), 4, "JX-LEAK"),
    "a try": (
        "def fn(x):\n    try:\n        return 1 / x\n    except ValueError:\n        return x\n",
        (X,),
        4,
        "JX-RAISE",
    ),
    "a list that grows at its front": (
        "def fn(x):\n    r = []\n    for i in range(len(x)):\n        if x[i] > 0:\n            r.insert(0, x[i] * 2)\n"
        "    return np.array(r)\n",
        (X,),
        7,
        "JX-LEAK",
    ),
    "a list that an inner function reads, in a statement that was divided": (
        "def fn(x):\n    parent = [0]\n\n    def find(a):\n        while parent[a] != a:\n            a = parent[a]\n"
        "        return a\n    n = 0\n    for i in range(len(x)):\n        if x[i] > 0:\n            n += 1\n"
        "            parent.append(n)\n        else:\n            a, b = find(n), find(n // 2)\n"
        "            parent[max(a, b)] = min(a, b)\n    return np.array(parent)\n",
        (X,),
        16,
        "JX-LEAK",
    ),
    "a list of different kinds beside a store, in a loop that is written out": (
        "def fn(x):\n    y, r = x.copy(), []\n    for i in range(9):\n        if x[i] > x[i + 1]:\n"
        "            y[i] = 0.5\n            r.append((i, x[i]))\n    return y, r\n",
        (X,),
        8,
        "JX-LEAK",
    ),
    "a selection by a mask": ("def fn(x):\n    return x[x > 0]\n", (X,), 4, "JX-BOOLMASK"),
    "nonzero": ("def fn(x):\n    (i,) = np.nonzero(x > 0)\n    return i\n", (X,), 4, "JX-BOOLMASK"),
    "a store through a reshaped view": (
        "def fn(x):\n    y = x.copy()\n    z = y.reshape(-1)\n    z[0] = 5\n    return y\n",
        (X,),
        6,
        "JX-IADD-ALIAS",
    ),
    "a store through a conditional view": (
        "def fn(x):\n    y = x.copy()\n    v = y[1:] if x.sum() > 0 else y[:-1]\n    v[:] = 0\n    return y\n",
        (X,),
        6,
        "JX-IADD-ALIAS",
    ),
    "buffers that are swapped with the caller's": (
        "def fn(u, n):\n    v = np.zeros_like(u)\n    for k in range(n):\n        v[1:] = u[:-1]\n        u, v = "
        "v, u\n    return u\n",
        (X, 40),
        6,
        "JX-ARGMUT",
    ),
    "a mutated argument whose name is given away": (
        "def fn(x):\n    x[0] = 1\n    x = x * 2\n    return x\n",
        (X.copy(),),
        5,
        "JX-ARGMUT",
    ),
    "print with options": ('def fn(x):\n    print(x, end="")\n    return x\n', (X,), 4, "JX-PRINT"),
    "a raise by value": (
        "def fn(x):\n    y = 0.0\n    for v in x:\n        if v > 1e9:\n            raise ValueError\n"
        "        y = y + v\n    return y\n",
        (X,),
        7,
        "JX-RAISE",
    ),
    "a long loop over a list": (
        "def fn(xs):\n    s = 0\n    for a in xs:\n        s = s + a * a\n    return s\n",
        ([float(v) for v in range(100)],),
        5,
        "JX-UNROLL",
    ),
    "a shape from a value": ("def fn(x):\n    k = int(x[0] * 0 + 3)\n    return np.zeros(k)\n", (X,), 5, "JX-SHAPEARG"),
    "one array for two mutated arguments": ("def fn(a, b):\n    a += b\n", (X, X), None, "JX-IADD-ALIAS"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_is_refused_at_its_line(what):
    source, args, line, code = REFUSED[what]
    made = make(HEAD + source, *args)
    assert made.refusal is not None, made.text
    assert (made.refusal.line, made.refusal.code) == (line, code), made.refusal.reason


def test_rows_of_lists_that_are_put_in_again_are_named_as_what_cannot_be_carried():
    made = make(
        HEAD + "def fn(n, k):\n    rows = [[0] * (k + 1) for _ in range(n)]\n    for i in range(n):\n"
        "        for j in range(min(i, k) + 1):\n            rows[i][j] = i * j\n        rows.reverse()\n"
        "    return np.array(rows)\n",
        40, 5,
    )  # fmt: skip
    assert made.refusal is not None, made.text
    assert "what the loop changes, `rows`, is neither" in made.refusal.reason


def test_a_refusal_speaks_of_numpy_by_the_users_name():
    made = make(
        "import numpy\n\n\ndef fn(x, k):\n    kept = numpy.delete(x, numpy.flatnonzero(x > 2))\n    H = 0.0\n"
        "    for a in numpy.unique(k):\n        q = x[k == a]\n        q = q[q > 0]\n"
        "        H -= numpy.average(q*numpy.log2(q))\n    return kept, H\n",
        np.array([1.0, 3.0, 0.5, 0.0]), np.array([0, 0, 1, 1]),
    )  # fmt: skip
    assert "what `numpy.average(q[chosen]*numpy.log2(q[chosen]))` is given" in made.refusal.reason
