"""Loops of every kind: nothing is computed at once that depends on a step before, whatever form a loop gets."""

import textwrap

import numpy as np
import pytest

from tests.backends.jax.jax_workbench import agrees

N = 60
RNG = np.random.default_rng(3)
A, B, C = RNG.random(N), RNG.random(N) + 2, RNG.random(N)
M = RNG.random((N, N))
HEAD = "import numpy as np\n\n\n"


LOOPS = {
    "a sum that is also read": (
        """
            def fn(x):
                out = np.zeros(len(x))
                s = 0.0
                for i in range(len(x)):
                    s += x[i]
                    out[i] = s
                return out
        """,
        (A,),
    ),
    "an array that feeds itself": (
        """
            def fn(x):
                out = np.zeros(len(x))
                for i in range(1, len(x)):
                    out[i] = 0.5*out[i-1] + x[i]
                return out
        """,
        (A,),
    ),
    "the first step reads the end of the array": (
        """
            def fn(x):
                a = x.copy()
                b = x.copy()
                for i in range(len(x)):
                    a[i] = a[i-1] + b[i]
                    b[i] = b[i-1] * 0.5
                return a, b
        """,
        (A,),
    ),
    "downwards, the last step reads what the first one stored": (
        """
            def fn(x):
                a = x.copy()
                b = x.copy()
                for i in range(len(x) - 1, -1, -1):
                    a[i] = a[i-1] + 1
                    b[i] = b[i] + a[i]
                return a, b
        """,
        (A,),
    ),
    "downwards": (
        """
            def fn(x, y):
                n = len(x)
                a = np.zeros(n)
                b = np.zeros(n)
                a[-1] = x[-1]
                for i in range(n - 2, -1, -1):
                    a[i] = x[i] - 0.3*a[i+1]
                    b[i] = y[i] + a[i+1]*b[i+1]
                return a, b
        """,
        (A, B),
    ),
    "reversed": (
        """
            def fn(x):
                n = len(x)
                a = np.zeros(n + 1)
                b = np.ones(n + 1)
                for i in reversed(range(n)):
                    a[i] = x[i] + a[i+1]
                    b[i] = b[i+1] * a[i]
                return a, b
        """,
        (A / 50,),
    ),
    "two steps back": (
        """
            def fn(x):
                n = len(x)
                f = np.zeros(n)
                g = np.zeros(n)
                f[1] = 1
                for k in range(2, n):
                    f[k] = 0.9*f[k-1] - 0.5*f[k-2] + x[k]
                    g[k] = f[k] + f[k-2] - g[k-1]
                return f, g
        """,
        (A,),
    ),
    "ahead of the store": (
        """
            def fn(x):
                a = x.copy()
                b = x.copy()
                for i in range(1, len(x) - 1):
                    a[i] = 0.5*(a[i-1] + a[i+1])
                    b[i] = b[i+1] - a[i]
                return a, b
        """,
        (A,),
    ),
    "its own old value": (
        """
            def fn(x):
                a = x.copy()
                b = x.copy()
                for i in range(1, len(x)):
                    a[i] = a[i]*2 + a[i-1]*0.1
                    b[i] += a[i]
                return a, b
        """,
        (A,),
    ),
    "what is stored is rounded to the array's dtype": (
        """
            def fn(x):
                a = np.zeros(len(x), np.float32)
                b = np.zeros(len(x), np.int64)
                for i in range(1, len(x)):
                    a[i] = a[i-1] + x[i]/3
                    b[i] = int(b[i-1] + 10*a[i])
                return a, b
        """,
        (A,),
    ),
    "a stored value is read back in the array's dtype": (
        """
            def fn(x):
                a = np.zeros(len(x), np.float32)
                b = np.zeros(len(x))
                for i in range(len(x)):
                    a[i] = x[i]/3
                    b[i] = a[i]*3
                return a, b
        """,
        (A,),
    ),
    "whole numbers stored into floats": (
        """
            def fn(x):
                a = np.zeros(len(x))
                b = np.zeros(len(x))
                for i in range(1, len(x)):
                    a[i] = 0
                    b[i] = b[i-1] + 1
                return a, b
        """,
        (A,),
    ),
    "rows from the rows before, with an edge": (
        """
            def fn(f, nt):
                nx = len(f)
                u = np.zeros((nt, nx))
                u[0] = f
                u[1] = f
                for n in range(1, nt - 1):
                    u[n+1, 1:-1] = 2*u[n, 1:-1] - u[n-1, 1:-1] + 0.1*(u[n, 2:] - 2*u[n, 1:-1] + u[n, :-2])
                    u[n+1, 0] = u[n+1, 1]
                    u[n+1, -1] = 0
                return u
        """,
        (A, 40),
    ),
    "a whole row from a number": (
        """
            def fn(f, nt):
                u = np.ones((nt, len(f)))
                v = np.ones((nt, len(f)))
                for n in range(1, nt):
                    u[n] = u[n-1].sum() / 70
                    v[n] = v[n-1] + u[n]*f
                return u, v
        """,
        (A, 40),
    ),
    "a table in place": (
        """
            def fn(x, y):
                n = len(x)
                D = np.zeros((n, n))
                for i in range(1, n):
                    for j in range(1, n):
                        D[i, j] = min(D[i-1, j], D[i, j-1]) + abs(x[i] - y[j])
                return D
        """,
        (A, B),
    ),
    "rows of a table, where the first row would be the last": (
        """
            def fn(x):
                n = len(x)
                u = np.ones((3, n))
                for t in range(0, 2):
                    for i in range(n):
                        u[t+1, i] = u[t-1, i] * x[i]
                return u
        """,
        (A,),
    ),
    "a matrix that is transposed in place": (
        """
            def fn(M):
                A = M.copy()
                n = A.shape[0]
                for i in range(n):
                    for j in range(n):
                        A[i, j] = A[j, i] + 1
                return A
        """,
        (M,),
    ),
    "all pairs in place, where a row and a column are read": (
        """
            def fn(M):
                d = M.copy()
                n = d.shape[0]
                for k in range(n):
                    for i in range(n):
                        for j in range(n):
                            if d[i, k] + d[k, j] < d[i, j]:
                                d[i, j] = d[i, k] + d[k, j]
                return d
        """,
        (M[:40, :40],),
    ),
    "sums over a triangle": (
        """
            def fn(x):
                n = len(x)
                e = 0.0
                pairs = 0
                for i in range(n):
                    for j in range(i):
                        r = abs(x[i] - x[j])
                        if r < 0.3:
                            e += 1/r - r
                            pairs += 1
                return e, pairs
        """,
        (A,),
    ),
    "a product of matrices": (
        """
            def fn(A, B):
                n, m = A.shape[0], B.shape[1]
                C = np.zeros((n, m))
                for i in range(n):
                    for j in range(m):
                        for k in range(A.shape[1]):
                            C[i, j] += A[i, k] * B[k, j]
                return C
        """,
        (M[:35], M[:, :36]),
    ),
    "columns": (
        """
            def fn(M):
                out = np.zeros_like(M)
                for j in range(M.shape[1]):
                    out[:, j] = M[:, j] / M[:, j].sum()
                return out
        """,
        (M,),
    ),
    "the index is used afterwards": (
        """
            def fn(x):
                out = np.zeros(len(x))
                for i in range(len(x)):
                    out[i] = x[i] * 2
                out[i] += 1
                return out, i
        """,
        (A,),
    ),
    "a scatter": (
        """
            def fn(x, k):
                out = np.zeros(10)
                for i in range(len(x)):
                    out[k[i]] += x[i]
                return out
        """,
        (A, RNG.integers(0, 10, N)),
    ),
    "small whole numbers that wrap around": (
        """
            def fn(x):
                s = np.int32(2**31 - 5)
                for i in range(len(x)):
                    s += x[i]
                return s
        """,
        (np.ones(N, np.int32),),
    ),
    "every second": (
        """
            def fn(x):
                out = np.zeros(len(x))
                for i in range(0, len(x), 2):
                    out[i] = x[i] + 1
                return out
        """,
        (A,),
    ),
    "no step at all": (
        """
            def fn(x):
                out = np.zeros(len(x))
                s = 1.0
                b = np.ones(len(x))
                for i in range(len(x), len(x)):
                    out[i] = x[i]
                    s += x[i]
                for k in range(90, len(x)):
                    out[k] = out[k-1]
                    b[k] = b[k-1]
                return out, s, b
        """,
        (A,),
    ),
    "a while in each step": (
        """
            def fn(x):
                out = np.zeros(len(x))
                for i in range(len(x)):
                    y = x[i]
                    while y < 3:
                        y = y*1.5 + 0.1
                    out[i] = y
                return out
        """,
        (A,),
    ),
    "two lines in turn, of which the first is the last too": (
        """
            def fn(x):
                u = np.zeros((2, len(x)))
                u[0] = x
                for t in range(0, 1):
                    for i in range(len(x)):
                        u[t+1, i] = u[t-1, i-1] + x[i]
                return u
        """,
        (A,),
    ),
    "downwards and ahead, from above 0": (
        """
            def fn(x):
                a = x.copy()
                b = x.copy()
                for i in range(len(x) - 2, 0, -1):
                    a[i] = 0.5*(a[i-1] + a[i+1])
                    b[i] = a[i] - b[i-1]
                return a, b
        """,
        (A,),
    ),
}


@pytest.mark.parametrize("what", LOOPS)
def test_gives_what_the_loop_gives(what):
    source, args = LOOPS[what]
    agrees(HEAD + textwrap.dedent(source).strip() + "\n", *args)
