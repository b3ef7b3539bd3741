# ruff: noqa: B905 -- as it is written in notebooks.
"""Comprehensions as loops, and lists that Python's iterators make: each function on its example and on another size."""

import inspect
import math

import numpy as np
import pytest

from tests.backends.jax.jax_workbench import agrees, make, refused
from tests.backends.jax.test_jax_slices import HEAD, both_sizes

RNG = np.random.default_rng(11)
MORE = "import math\nfrom itertools import accumulate\n\n\n"


def roots(x):
    return np.array([math.sqrt(abs(v)) + 1.0 for v in x])


def one_vector(n):
    return (RNG.normal(size=n),)


roots_args = one_vector


def window_means(x, w):
    return np.array([np.mean(x[i : i + w]) for i in range(len(x) - w + 1)])


def window_means_args(n):
    return RNG.normal(size=n), 5


def windows(x, w):
    return np.array([x[i : i + w] for i in range(len(x) - w + 1)]).sum(axis=1)


windows_args = window_means_args


def distances(points, q):
    return np.array([[np.linalg.norm(a - b) for b in q] for a in points])


def distances_args(n):
    return RNG.normal(size=(n, 3)), RNG.normal(size=(n + 2, 3))


def farthest(points, q):
    best = [min(np.linalg.norm(a - b) for b in q) for a in points]
    return max(best), best.index(max(best))


farthest_args = distances_args


def crossed(points, q):
    return np.stack([np.cross(p, q) for p in points])


def crossed_args(n):
    return RNG.normal(size=(n, 3)), RNG.normal(size=3)


def how_many(x, t):
    return sum(1 for v in x if v > t), any(v > t for v in x), all(v < 9.0 for v in x)


def how_many_args(n):
    return RNG.normal(size=n), 0.3


def pair_energy(points, q):
    n = len(points)
    return sum(q[i] * q[j] / np.linalg.norm(points[i] - points[j]) for i in range(n) for j in range(i + 1, n))


def pair_energy_args(n):
    return RNG.normal(size=(n, 3)), RNG.normal(size=n)


def below(x):
    return max(v for v in x if v < 0.5), min(abs(v) for v in x if v > 0)


below_args = one_vector


def prefix_sums(x):
    return [sum(x[: i + 1]) for i in range(len(x))]


prefix_sums_args = one_vector


def spline_slopes(x, y):
    n = len(x) - 1
    alpha = [0.0] + [3.0 * (y[i + 1] - y[i]) / (x[i + 1] - x[i]) for i in range(1, n)]
    z = np.zeros(n + 1)
    for i in range(1, n):
        z[i] = (alpha[i] - z[i - 1]) / (4.0 + x[i])
    return z


def spline_slopes_args(n):
    return np.cumsum(RNG.random(n) + 0.5), RNG.normal(size=n)


def rule_table(rule, cells):
    table = [(rule >> i) & 1 for i in range(8)]
    out = cells.copy()
    for i in range(len(cells)):
        out[i] = table[4 * cells[i - 1] + 2 * cells[i] + cells[(i + 1) % len(cells)]]
    return out


def rule_table_args(n):
    return 110, RNG.integers(0, 2, n)


def warped(x, y):
    n = len(x)
    d = [[abs(x[i] - y[j]) for j in range(n)] for i in range(n)]
    for i in range(1, n):
        d[i][0] += d[i - 1][0]
        d[0][i] += d[0][i - 1]
    for i in range(1, n):
        for j in range(1, n):
            d[i][j] += min(d[i - 1][j], d[i][j - 1], d[i - 1][j - 1])
    return d[n - 1][n - 1]


def warped_args(n):
    return RNG.normal(size=n), RNG.normal(size=n)


def padded(nums):
    a = [1, *nums, 1]
    best = 0
    for i in range(1, len(a) - 1):
        best = max(best, a[i - 1] * a[i] * a[i + 1])
    return best


def padded_args(n):
    return (RNG.integers(1, 9, n),)


def sorted_slowly(x):
    a = x.tolist()
    n = len(a)
    for i in range(n):
        for j in range(n - i - 1):
            if a[j] > a[j + 1]:
                a[j], a[j + 1] = a[j + 1], a[j]
    return np.array(a)


sorted_slowly_args = one_vector


def running_range(x):
    high = list(accumulate(x, max))  # noqa: F821
    low = list(accumulate(x, min))  # noqa: F821
    return np.array(high) - np.array(low)


running_range_args = one_vector


def squared(x):
    s = list(map(lambda v: v * v + 1, x))  # noqa: C417
    return np.sqrt(sum(s))


squared_args = one_vector


def diagonals(v):
    n = len(v)
    t = np.zeros((n, n))
    for gap in range(1, n):
        for i, j in zip(range(n), range(gap, n)):
            t[i, j] = max(t[i, j - 1], t[i + 1, j]) + v[i] * v[j]
    return t[0, n - 1]


diagonals_args = one_vector


def both_ends(x):
    s = 0.0
    for k, (i, j) in enumerate(zip(range(len(x)), range(len(x) - 1, -1, -1)), 1):
        s = 0.5 * s + x[i] * x[j] / k
    return s


both_ends_args = one_vector

CASES = {name: value for name, value in globals().items() if f"{name}_args" in globals()}


@pytest.mark.parametrize("name", CASES)
def test_a_comprehension_is_a_loop(name):
    args = globals()[f"{name}_args"]
    text = both_sizes(MORE + inspect.getsource(CASES[name]), args(40), args(50))
    compiled = ("lax.", "vmap", "accumulate(")
    assert any(word in text for word in compiled), text


def test_before_and_after():
    source = HEAD + "def fn(x):\n    # the middle of each\n    return np.array([0.5 * v for v in x])  # halves\n"
    text = agrees(source, RNG.random(50))
    assert "    # the middle of each\n    elements = jnp.zeros(len(x), dtype=jnp.float64)\n" in text
    assert "    def body(k):\n        v = x[k]\n        return 0.5 * v\n" in text
    assert "for v in" not in text


@pytest.mark.parametrize(
    "body",
    [
        "    return sum(x ** k / math.factorial(k) for k in range(6))\n",
        "    return np.array([x[: k + 1] for k in range(1)])\n",
        "    shapes = [np.zeros(k) for k in range(n)]\n    return sum(len(s) for s in shapes) + x[0]\n",
    ],
)
def test_what_needs_its_index_while_jax_compiles_is_written_out(body):
    agrees(f"{HEAD}{MORE}def fn(x, n):\n{body}", RNG.random(12), 4)


def test_the_names_of_a_comprehension_stay_its_own():
    source = HEAD + (
        "def fn(x):\n    v = 3.0\n    i = 2\n    total = sum(v * v for v in x)\n    y = np.array([x[i] + 1 for i in "
        "range(len(x))])\n    return total * v + y[i]\n"
    )
    agrees(source, RNG.random(40))


def test_a_comparison_with_a_name_for_a_tuple():
    source = HEAD + (
        "def fn(x, goal):\n    r = c = 0\n    steps = 0\n    while (r, c) != goal:\n"
        "        if x[r, c] > 0.5 and r < goal[0]:\n"
        "            r += 1\n        elif c < goal[1]:\n            c += 1\n        else:\n            r += 1\n"
        "        steps += 1\n    return steps\n"
    )
    agrees(source, RNG.random((9, 9)), (8, 7))


def test_a_length_that_values_decide_is_refused():
    source = HEAD + "def fn(x, t):\n    s = 0.0\n    return np.array([v for v in x if v > t]) + s\n"
    refusal = refused(source, RNG.random(40), 0.5)
    assert refusal.line == 6


def test_an_element_that_draws_stays_where_it_is():
    source = HEAD + "def fn(x, rng):\n    return np.array([v + rng.random() for v in x])\n"
    made = make(source, RNG.random(40), np.random.default_rng(3))
    assert made.refusal is not None or "vmap" not in made.text


def test_the_pairs_of_combinations_are_two_loops():
    source = f"{HEAD}from itertools import combinations\n\n\n" + (
        "def fn(q, x):\n    return sum(q[i] * q[j] / abs(x[i] - x[j]) for i, j in combinations(range(len(x)), 2))\n"
    )
    assert "combinations(" not in agrees(source, RNG.random(40), RNG.random(40)).partition("def fn")[2]


def test_a_sum_of_short_whole_numbers_wraps_around_as_it_does_in_numpy():
    source = HEAD + "def fn(x):\n    return sum(v for v in x)\n"
    made = make(source, np.full(3, 100, dtype=np.uint8))
    assert made.refusal is not None or "jnp.sum(elements)" not in made.text
