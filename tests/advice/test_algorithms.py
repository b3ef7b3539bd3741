"""Loops that a library has a function for, and those that only look alike."""

import textwrap

import numpy as np
import pytest

from jitmagic.advice import growth
from jitmagic.advice.algorithms import known
from jitmagic.analysis.scope import scope_of
from jitmagic.capture.workload import ModuleText
from jitmagic.observe.facts import Observation, Span, ValueFact

NAMES = {"np": "numpy", "cmath": "cmath"}


def found(body):
    text = textwrap.dedent(body)
    text = f"import numpy as np\nimport cmath\n\n\n{text}"
    return [(one.what, one.instead) for one in known(scope_of(text, "fn", NAMES, None))]


def named(body):
    return [what for what, _ in found(body)]


KNOWN = {
    "a running sum": [
        """
        def fn(flux, out):
            level = 0.0
            for day in range(len(flux)):
                level += flux[day] * 0.5
                out[day] = level
            return out
        """,
        """
        def fn(x):
            total = x.copy()
            for i in range(1, len(x)):
                total[i] = total[i - 1] + x[i]
            return total
        """,
    ],
    "a running product": [
        """
        def fn(r, wealth):
            w = 1.0
            for t in range(r.size):
                w = w * (1 + r[t])
                wealth[t] = w
            return wealth
        """
    ],
    "a running maximum": [
        """
        def fn(price, peak):
            top = price[0]
            for t in range(len(price)):
                top = max(top, price[t])
                peak[t] = top
            return peak
        """
    ],
    "a linear filter with feedback": [
        """
        def fn(x, a):
            y = np.zeros(len(x))
            for n in range(2, len(x)):
                y[n] = a[0] * x[n] + a[1] * x[n - 1] - a[2] * y[n - 1] - a[3] * y[n - 2]
            return y
        """.replace("a[0]", "b0").replace("a[1]", "b1").replace("a[2]", "a1").replace("a[3]", "a2"),
        """
        def fn(x, alpha, out):
            s = x[0]
            for i in range(len(x)):
                s = alpha * x[i] + (1 - alpha) * s
                out[i] = s
            return out
        """,
    ],
    "a polynomial by Horner's scheme": [
        """
        def fn(c, x):
            p = 0.0
            for k in range(len(c)):
                p = p * x + c[k]
            return p
        """
    ],
    "a histogram": [
        """
        def fn(energies, lo, width, counts):
            for i in range(len(energies)):
                k = int((energies[i] - lo) / width)
                counts[k] += 1
            return counts
        """,
        """
        def fn(labels, mass, total):
            for i in range(len(labels)):
                total[labels[i]] += mass[i]
            return total
        """,
    ],
    "a moving mean": [
        """
        def fn(x, w, out):
            for i in range(len(x) - w + 1):
                out[i] = x[i:i + w].mean()
            return out
        """,
        """
        def fn(x, w, out):
            for i in range(w, len(x)):
                out[i] = np.mean(x[i - w:i])
            return out
        """,
    ],
    "the solution of a triangular system": [
        """
        def fn(L, b):
            n = len(b)
            x = np.zeros(n)
            for i in range(n):
                s = b[i]
                for j in range(i):
                    s -= L[i, j] * x[j]
                x[i] = s / L[i, i]
            return x
        """,
        """
        def fn(U, y):
            x = np.zeros(len(y))
            for i in range(len(y) - 1, -1, -1):
                x[i] = (y[i] - U[i, i + 1:] @ x[i + 1:]) / U[i, i]
            return x
        """,
    ],
    "a product of matrices": [
        """
        def fn(A, B, C):
            for row in range(A.shape[0]):
                for col in range(B.shape[1]):
                    for k in range(A.shape[1]):
                        C[row, col] += A[row, k] * B[k, col]
            return C
        """,
        """
        def fn(A, B, C):
            for i in range(len(A)):
                for j in range(len(B[0])):
                    s = 0.0
                    for k in range(len(B)):
                        s = s + A[i][k] * B[k][j]
                    C[i][j] = s
            return C
        """,
    ],
    "a product of a matrix and a vector": [
        """
        def fn(A, x, steps):
            for _ in range(steps):
                y = np.zeros(len(x))
                for i in range(len(x)):
                    for j in range(len(x)):
                        y[i] += A[i, j] * x[j]
                x = y
            return x
        """
    ],
    "a scalar product": [
        """
        def fn(a, b):
            s = 0.0
            for i in range(len(a)):
                s += a[i] * b[i]
            return s
        """
    ],
    "a sum of products": [
        """
        def fn(T, u, out):
            for i in range(T.shape[0]):
                for j in range(T.shape[1]):
                    for k in range(T.shape[2]):
                        out[i, j] += T[i, j, k] * u[k]
            return out
        """
    ],
    "a convolution": [
        """
        def fn(x, h, out):
            for n in range(len(out)):
                for k in range(len(h)):
                    out[n] += x[n - k + len(h)] * h[k]
            return out
        """
    ],
    "a correlation": [
        """
        def fn(x, h):
            out = np.zeros(len(x) - len(h) + 1)
            for n in range(len(out)):
                acc = 0.0
                for k in range(len(h)):
                    acc += h[k] * x[n + k]
                out[n] = acc
            return out
        """
    ],
    "a correlation in 2 dimensions": [
        """
        def fn(img, ker, out):
            for r in range(out.shape[0]):
                for c in range(out.shape[1]):
                    for i in range(ker.shape[0]):
                        for j in range(ker.shape[1]):
                            out[r, c] += img[r + i, c + j] * ker[i, j]
            return out
        """
    ],
    "a discrete Fourier transform": [
        """
        def fn(x):
            N = len(x)
            X = np.zeros(N, dtype=complex)
            for k in range(N):
                for n in range(N):
                    X[k] += x[n] * np.exp(-2j * np.pi * k * n / N)
            return X
        """
    ],
    "a solution by the inverse matrix": [
        "def fn(A, b):\n    return np.linalg.inv(A) @ b\n",
        "def fn(A, b):\n    Ainv = np.linalg.inv(A)\n    x = np.dot(Ainv, b)\n    return x\n",
    ],
}


@pytest.mark.parametrize(("what", "body"), [(what, body) for what, bodies in KNOWN.items() for body in bodies])
def test_it_is_recognised_whatever_the_names(what, body):
    assert named(body) == [what]


UNKNOWN = {
    "a step of Euler's adds what comes of the state, by way of names": """
        def fn(y0, beta, gamma, dt, n):
            out = np.zeros((n, 2))
            out[0] = y0
            for i in range(1, n):
                S, I = out[i - 1]
                new = beta * S * I
                out[i] = out[i - 1] + dt * np.array([-new, new - gamma * I])
            return out
    """,
    "a spring's speed comes of its place": """
        def fn(x, v, k, dt, path):
            for i in range(len(path)):
                v = v - dt * k * x
                x = x + dt * v
                path[i] = x
    """,
    "a walk that stops where it left its bounds": """
        def fn(steps, bound, path):
            place = 0.0
            for i in range(len(steps)):
                place += steps[i]
                path[i] = place
                if abs(place) > bound:
                    break
            return path
    """,
    "a logistic map is no filter": """
        def fn(x, r):
            for i in range(1, 9):
                x[i] = r * x[i - 1] * (1 - x[i - 1])
    """,
    "Gauss-Seidel reads both sides": """
        def fn(A, b, x):
            for sweep in range(20):
                for i in range(len(b)):
                    x[i] = (b[i] - A[i, :i] @ x[:i] - A[i, i + 1:] @ x[i + 1:]) / A[i, i]
            return x
    """,
    "Jacobi reads every other one": """
        def fn(A, b, x, new):
            for i in range(len(b)):
                s = 0.0
                for j in range(len(b)):
                    if j != i:
                        s += A[i, j] * x[j]
                new[i] = (b[i] - s) / A[i, i]
            return new
    """,
    "Cholesky divides by its own": """
        def fn(A, L):
            for i in range(len(A)):
                for j in range(i):
                    L[i, j] = (A[i, j] - L[i, :j] @ L[j, :j]) / L[j, j]
            return L
    """,
    "a triangular product is a part of one": """
        def fn(A, B, C):
            for i in range(len(A)):
                for j in range(len(A)):
                    for k in range(i):
                        C[i, j] += A[i, k] * B[k, j]
            return C
    """,
    "a factor that changes": """
        def fn(x, out):
            s = 1.0
            for i in range(9):
                s = s * i + x[i]
                out[i] = s
    """,
    "a sum that is reset": """
        def fn(x, out):
            s = 0.0
            for i in range(len(x)):
                s += x[i]
                if s > 1:
                    s = 0.0
                out[i] = s
            return out
    """,
    "a term that is a product with itself": """
        def fn(x, out):
            for i in range(1, 9):
                out[i] = out[i - 1] + out[i - 1] * x[i]
    """,
    "a store by the index itself is no histogram": "def fn(h):\n    for i in range(9):\n        h[i] += 1\n",
    "an inverse that is the result": "def fn(A):\n    return np.linalg.inv(A)\n",
    "a window of one side only": "def fn(x, out):\n    for i in range(1, 9):\n        out[i] = x[:i].mean()\n",
    "sums of squares of differences": """
        def fn(p, d):
            for i in range(len(p)):
                for j in range(len(p)):
                    for k in range(3):
                        d[i, j] += (p[i, k] - p[j, k]) ** 2
            return d
    """,
}


@pytest.mark.parametrize("body", UNKNOWN.values(), ids=UNKNOWN)
def test_what_only_looks_alike_is_left_alone(body):
    assert named(body) == []


def test_the_advice_computes_the_same():
    rng = np.random.default_rng(0)
    T, u = rng.random((3, 4, 5)), rng.random(5)
    (_, instead), = found(KNOWN["a sum of products"][0])
    assert "'ijk,k->ij'" in instead
    np.testing.assert_allclose(np.einsum("ijk,k->ij", T, u), (T * u).sum(-1))
    x, h = rng.random(20), rng.random(4)
    out = [sum(h[k] * x[n + k] for k in range(4)) for n in range(17)]
    np.testing.assert_allclose(np.correlate(x, h), out)


def observed(shape, contiguous=True):
    facts = {Span(3, 4, 3, 20): ValueFact("array", "float64", shape, contiguous=contiguous)}
    given = {"x": ValueFact("array", "float64", (5000, 3))}
    result = ValueFact("array", "float64", (5000,))
    return Observation(0.1, True, result, None, (), None, (), (), "", False, (), (), given, expressions=facts)


def test_an_array_in_between_that_is_far_larger_than_the_data_is_told():
    module = ModuleText("\n" * 9, tuple(range(11, 20)))
    (told,) = growth.dense(observed((5000, 5000, 3)), module)
    assert told.startswith("Line 13 makes an array of 5,000 × 5,000 × 3 elements, 600 MB, of data of 160 kB")
    assert list(growth.dense(observed((5000, 5)), module)) == []
    # broadcast without being made
    assert list(growth.dense(observed((5000, 5000, 3), contiguous=False), module)) == []


def test_a_steep_growth_is_told_and_a_linear_one_is_not():
    def swept(low, power):
        grown = {"median": power, "low": low, "high": power + 0.1}
        return {"parameter": "n", "series": [{"name": "numpy", "growth": grown}]}

    (told,) = growth.steep(swept(1.9, 2.0), "numpy")
    assert told.startswith("NumPy's time grows as n^2.0: ten times the size takes 100 times as long")
    assert list(growth.steep(swept(0.9, 1.6), "numpy")) == list(growth.steep(None, "numpy")) == []
