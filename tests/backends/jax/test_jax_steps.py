"""Loops as maps and scans: what they look like, and that nothing is computed at once that depends on a step before."""

import numpy as np
import pytest

from tests.backends.jax.jax_workbench import agrees, make

N = 60
RNG = np.random.default_rng(3)
A, B, C = RNG.random(N), RNG.random(N) + 2, RNG.random(N)
M = RNG.random((N, N))
HEAD = "import numpy as np\n\n\n"


def core(text):
    """Returns a source from its decorated function on."""
    return text[text.index("@jax.jit") :]


def test_a_map_becomes_vmap_and_its_sum_is_taken_afterwards():
    text = agrees(
        HEAD + "def fn(x, y):\n    out = np.zeros(len(x))\n    total = 0.0\n    for i in range(len(x)):\n"
        "        d = x[i] - y[i]  # apart\n        out[i] = d * d\n        total += d\n    return out, total\n",
        A,
        B,
    )
    assert core(text) == (
        "@jax.jit\ndef fn(x, y):\n    out = jnp.zeros(len(x))\n    total = 0.0\n\n    def body(i):\n"
        "        d = x[i] - y[i]  # apart\n        out_new = d * d\n        total_term = d\n"
        "        return out_new, total_term\n\n"
        "    out_steps, total_terms = jax.vmap(body)(jnp.arange(len(x)))\n"
        "    out = out.at[:len(x)].set(out_steps)\n    total = total + jnp.sum(total_terms)\n    return out, total\n"
    )


def test_a_solver_of_two_arrays_becomes_a_scan():
    text = agrees(
        HEAD + "def fn(a, b, c):\n    n = len(b)\n    p = np.zeros(n)\n    q = np.zeros(n)\n    p[0] = c[0] / b[0]\n"
        "    for i in range(1, n):\n        m = b[i] - a[i] * p[i-1]\n        p[i] = c[i] / m\n"
        "        q[i] = (a[i] - q[i-1]) / m\n    return p, q\n",
        A,
        B,
        C,
    )
    assert "    _, (p_steps, q_steps) = jax.lax.scan(body, (p[0], q[0]), jnp.arange(1, n))\n" in text
    assert "    p = p.at[1:n].set(p_steps)\n    q = q.at[1:n].set(q_steps)\n" in text
    assert "        p_last, q_last = carry\n        m = b[i] - a[i] * p_last\n" in text


def test_a_triangle_is_computed_in_full_and_cut_out():
    text = agrees(
        HEAD + "def fn(x):\n    n = len(x)\n    D = np.zeros((n, n))\n    for i in range(n):\n"
        "        for j in range(i + 1, n):\n            D[i, j] = abs(x[i] - x[j])\n            D[j, i] = D[i, j]\n"
        "    return D\n",
        A,
    )
    assert "inside = j >= i + 1" in text
    assert "D = D.at[i, 1:n].set(jnp.where(inside, D_steps, D[i, 1:n]))" in text
    assert "D.at[1:n, i].set(jnp.where(inside, D_steps, D[1:n, i]))" in text


LOOPS = {
    "a sum that is also read": (
        "def fn(x):\n    out = np.zeros(len(x))\n    s = 0.0\n    for i in range(len(x)):\n        s += x[i]\n"
        "        out[i] = s\n    return out\n",
        (A,),
        "scan fori_loop",
    ),
    "an array that feeds itself": (
        "def fn(x):\n    out = np.zeros(len(x))\n    for i in range(1, len(x)):\n        out[i] = 0.5*out[i-1] + x[i]\n"
        "    return out\n",
        (A,),
        "scan fori_loop",
    ),
    "the first step reads the end of the array": (
        "def fn(x):\n    a = x.copy()\n    b = x.copy()\n    for i in range(len(x)):\n        a[i] = a[i-1] + b[i]\n"
        "        b[i] = b[i-1] * 0.5\n    return a, b\n",
        (A,),
        "scan",
    ),
    "downwards, the last step reads what the first one stored": (
        "def fn(x):\n    a = x.copy()\n    b = x.copy()\n    for i in range(len(x) - 1, -1, -1):\n"
        "        a[i] = a[i-1] + 1\n        b[i] = b[i] + a[i]\n    return a, b\n",
        (A,),
        "scan fori_loop",
    ),
    "downwards": (
        "def fn(x, y):\n    n = len(x)\n    a = np.zeros(n)\n    b = np.zeros(n)\n    a[-1] = x[-1]\n"
        "    for i in range(n - 2, -1, -1):\n        a[i] = x[i] - 0.3*a[i+1]\n        b[i] = y[i] + a[i+1]*b[i+1]\n"
        "    return a, b\n",
        (A, B),
        "scan",
    ),
    "reversed": (
        "def fn(x):\n    n = len(x)\n    a = np.zeros(n + 1)\n    b = np.ones(n + 1)\n    for i in reversed(range(n)):\n"
        "        a[i] = x[i] + a[i+1]\n        b[i] = b[i+1] * a[i]\n    return a, b\n",
        (A / 50,),
        "scan",
    ),
    "two steps back": (
        "def fn(x):\n    n = len(x)\n    f = np.zeros(n)\n    g = np.zeros(n)\n    f[1] = 1\n    for k in range(2, n):\n"
        "        f[k] = 0.9*f[k-1] - 0.5*f[k-2] + x[k]\n        g[k] = f[k] + f[k-2] - g[k-1]\n    return f, g\n",
        (A,),
        "scan",
    ),
    "ahead of the store": (
        "def fn(x):\n    a = x.copy()\n    b = x.copy()\n    for i in range(1, len(x) - 1):\n"
        "        a[i] = 0.5*(a[i-1] + a[i+1])\n        b[i] = b[i+1] - a[i]\n    return a, b\n",
        (A,),
        "scan",
    ),
    "its own old value": (
        "def fn(x):\n    a = x.copy()\n    b = x.copy()\n    for i in range(1, len(x)):\n        a[i] = a[i]*2 + a[i-1]*0.1\n"
        "        b[i] += a[i]\n    return a, b\n",
        (A,),
        "scan",
    ),
    "what is stored is rounded to the array's dtype": (
        "def fn(x):\n    a = np.zeros(len(x), np.float32)\n    b = np.zeros(len(x), np.int64)\n    for i in range(1, len(x)):\n"
        "        a[i] = a[i-1] + x[i]/3\n        b[i] = int(b[i-1] + 10*a[i])\n    return a, b\n",
        (A,),
        "scan fori_loop",
    ),
    "a stored value is read back in the array's dtype": (
        "def fn(x):\n    a = np.zeros(len(x), np.float32)\n    b = np.zeros(len(x))\n    for i in range(len(x)):\n"
        "        a[i] = x[i]/3\n        b[i] = a[i]*3\n    return a, b\n",
        (A,),
        "vmap",
    ),
    "whole numbers stored into floats": (
        "def fn(x):\n    a = np.zeros(len(x))\n    b = np.zeros(len(x))\n    for i in range(1, len(x)):\n        a[i] = 0\n"
        "        b[i] = b[i-1] + 1\n    return a, b\n",
        (A,),
        "scan fori_loop",
    ),
    "rows from the rows before, with an edge": (
        "def fn(f, nt):\n    nx = len(f)\n    u = np.zeros((nt, nx))\n    u[0] = f\n    u[1] = f\n"
        "    for n in range(1, nt - 1):\n        u[n+1, 1:-1] = 2*u[n, 1:-1] - u[n-1, 1:-1] + 0.1*(u[n, 2:] - 2*u[n, 1:-1] "
        "+ u[n, :-2])\n        u[n+1, 0] = u[n+1, 1]\n        u[n+1, -1] = 0\n    return u\n",
        (A, 40),
        "scan",
    ),
    "a whole row from a number": (
        "def fn(f, nt):\n    u = np.ones((nt, len(f)))\n    v = np.ones((nt, len(f)))\n    for n in range(1, nt):\n"
        "        u[n] = u[n-1].sum() / 70\n        v[n] = v[n-1] + u[n]*f\n    return u, v\n",
        (A, 40),
        "scan fori_loop",
    ),
    "a table in place": (
        "def fn(x, y):\n    n = len(x)\n    D = np.zeros((n, n))\n    for i in range(1, n):\n        for j in range(1, n):\n"
        "            D[i, j] = min(D[i-1, j], D[i, j-1]) + abs(x[i] - y[j])\n    return D\n",
        (A, B),
        "fori_loop",
    ),
    "rows of a table, where the first row would be the last": (
        "def fn(x):\n    n = len(x)\n    u = np.ones((3, n))\n    for t in range(0, 2):\n        for i in range(n):\n"
        "            u[t+1, i] = u[t-1, i] * x[i]\n    return u\n",
        (A,),
        "",
    ),
    "a matrix that is transposed in place": (
        "def fn(M):\n    A = M.copy()\n    n = A.shape[0]\n    for i in range(n):\n        for j in range(n):\n"
        "            A[i, j] = A[j, i] + 1\n    return A\n",
        (M,),
        "fori_loop",
    ),
    "all pairs in place, where a row and a column are read": (
        "def fn(M):\n    d = M.copy()\n    n = d.shape[0]\n    for k in range(n):\n        for i in range(n):\n"
        "            for j in range(n):\n                if d[i, k] + d[k, j] < d[i, j]:\n"
        "                    d[i, j] = d[i, k] + d[k, j]\n    return d\n",
        (M[:40, :40],),
        "fori_loop",
    ),
    "sums over a triangle": (
        "def fn(x):\n    n = len(x)\n    e = 0.0\n    pairs = 0\n    for i in range(n):\n        for j in range(i):\n"
        "            r = abs(x[i] - x[j])\n            if r < 0.3:\n                e += 1/r - r\n                pairs += 1\n"
        "    return e, pairs\n",
        (A,),
        "vmap fori_loop",
    ),
    "a product of matrices": (
        "def fn(A, B):\n    n, m = A.shape[0], B.shape[1]\n    C = np.zeros((n, m))\n    for i in range(n):\n"
        "        for j in range(m):\n            for k in range(A.shape[1]):\n                C[i, j] += A[i, k] * B[k, j]\n"
        "    return C\n",
        (M[:35], M[:, :36]),
        "",
    ),
    "columns": (
        "def fn(M):\n    out = np.zeros_like(M)\n    for j in range(M.shape[1]):\n        out[:, j] = M[:, j] / M[:, j].sum()\n"
        "    return out\n",
        (M,),
        "",
    ),
    "the index is used afterwards": (
        "def fn(x):\n    out = np.zeros(len(x))\n    for i in range(len(x)):\n        out[i] = x[i] * 2\n    out[i] += 1\n"
        "    return out, i\n",
        (A,),
        "",
    ),
    "a scatter": (
        "def fn(x, k):\n    out = np.zeros(10)\n    for i in range(len(x)):\n        out[k[i]] += x[i]\n    return out\n",
        (A, RNG.integers(0, 10, N)),
        "fori_loop",
    ),
    "small whole numbers that wrap around": (
        "def fn(x):\n    s = np.int32(2**31 - 5)\n    for i in range(len(x)):\n        s += x[i]\n    return s\n",
        (np.ones(N, np.int32),),
        "fori_loop",
    ),
    "every second": (
        "def fn(x):\n    out = np.zeros(len(x))\n    for i in range(0, len(x), 2):\n        out[i] = x[i] + 1\n    return out\n",
        (A,),
        "",
    ),
    "no step at all": (
        "def fn(x):\n    out = np.zeros(len(x))\n    s = 1.0\n    b = np.ones(len(x))\n    for i in range(len(x), len(x)):\n"
        "        out[i] = x[i]\n        s += x[i]\n    for k in range(90, len(x)):\n        out[k] = out[k-1]\n"
        "        b[k] = b[k-1]\n    return out, s, b\n",
        (A,),
        "",
    ),
    "a while in each step": (
        "def fn(x):\n    out = np.zeros(len(x))\n    for i in range(len(x)):\n        y = x[i]\n        while y < 3:\n"
        "            y = y*1.5 + 0.1\n        out[i] = y\n    return out\n",
        (A,),
        "while_loop",
    ),
}


@pytest.mark.parametrize("what", LOOPS)
def test_gives_what_the_loop_gives(what):
    source, args, forms = LOOPS[what]
    agrees(HEAD + source, *args)
    if forms:
        assert make(HEAD + source, *args).draft.form in forms.split()
