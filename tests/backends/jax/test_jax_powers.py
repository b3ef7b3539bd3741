"""Powers of half-integers: as powers of a square root where the base is proved not to be negative, else as they are."""

import numpy as np
import pytest

from tests.backends.jax.jax_workbench import agrees

RNG = np.random.default_rng(2)
HEAD = "import numpy as np\n\n\n"
X = RNG.normal(size=9)
P = RNG.normal(size=(9, 3))

PROVED = {
    "return (x*x + 0.5)**-1.5": "1/jnp.sqrt(x*x + 0.5)**3",
    "r2 = np.sum(p**2, axis=1)\n    return r2**1.5": "jnp.sqrt(r2)**3",
    "d = (p**2).sum(axis=1) + 1e-3\n    return np.power(d, 2.5)": "jnp.sqrt(d)**5",
    "return 1/(np.abs(x) + 1)**0.5": "1/jnp.sqrt(jnp.abs(x) + 1)",
    "s = 0.0\n    for i in range(len(x)):\n        s += x[i]*x[i]\n    return s**1.5": "jnp.sqrt(s)**3",
    "return np.exp(x)**-0.5*np.linalg.norm(p)**1.5": "1/jnp.sqrt(jnp.exp(x))*jnp.sqrt(jnp.linalg.norm(p))**3",
    "v = p[0]\n    return np.dot(v, v)**1.5 + (v @ v)**2.5": "jnp.sqrt(jnp.dot(v, v))**3 + jnp.sqrt(v @ v)**5",
    "q = x**2\n    return (q[1:]/(1 + q[:-1]))**3.5": "jnp.sqrt(q[1:]/(1 + q[:-1]))**7",
}

NOT_PROVED = [
    "return np.exp(x)**1.25",
    "return (x + 5)**1.5",
    "return np.maximum(x, 0)**1.5",
    "q = x**2\n    q[0] = -0.0\n    return q**-1.5",
    "q = x**2\n    q -= 1\n    return q**1.5",
    "q = x*x\n    np.negative(q, out=q)\n    return q**1.5",
    "q = x[1:]*x[:-1]\n    return q**1.5",
    "q = p*p\n    np.fill_diagonal(q, -np.inf)\n    return q**1.5",
    "q = x*x\n    q.fill(-np.inf)\n    return q**1.5",
    "q = x*x\n    v = q[1:]\n    v[:] = -np.inf\n    return q**1.5",
    "q = x*x\n    np.add.at(q, np.array([0, 1]), -np.inf)\n    return q**1.5",
    "def f(q):\n        return q**1.5\n    return f(x)",
    "for q in x:\n        x = x + 0*q**1.5\n    return x",
    "k = np.arange(4)\n    return k**1.5",
    "z = x + 1j\n    return (z*z)**1.5",
]


@pytest.mark.parametrize("body", PROVED)
def test_what_is_not_negative_becomes_a_power_of_a_root(body):
    text = agrees(f"{HEAD}def fn(x, p):\n    {body}\n", X, P)
    assert PROVED[body] in text, text


@pytest.mark.parametrize("body", NOT_PROVED)
def test_what_may_be_negative_stays(body):
    with np.errstate(invalid="ignore"):
        text = agrees(f"{HEAD}def fn(x, p):\n    {body}\n", X, P)
    assert "sqrt" not in text, text


def test_the_values_at_the_ends():
    ends = np.array([0.0, 1e-300, 1e-160, 1e-100, 1.0, 1e100, 1e154, np.inf, np.nan])
    with np.errstate(all="ignore"):
        for exponent in (0.5, -0.5, 1.5, -1.5, 2.5, -2.5):
            agrees(f"{HEAD}def fn(x):\n    return np.abs(x)**{exponent}\n", ends)
            agrees(f"{HEAD}def fn(x):\n    return np.abs(x)**{exponent}\n", -ends)
