"""Python's own ways with numbers: tuples compared, ones counted, the first that is found, arrays that grow."""

import inspect

import numpy as np
import pytest

from tests.backends.jax.jax_workbench import agrees, make
from tests.backends.jax.test_jax_slices import HEAD, both_sizes

RNG = np.random.default_rng(9)


def downhill(height):
    r, c = 0, 0
    steps = 0
    while True:
        nr, nc = r, c
        for dr, dc in ((1, 0), (0, 1), (-1, 0), (0, -1)):
            a, b = r + dr, c + dc
            if 0 <= a < height.shape[0] and 0 <= b < height.shape[1] and height[a, b] < height[nr, nc]:
                nr, nc = a, b
        if (nr, nc) == (r, c):
            break
        r, c = nr, nc
        steps += 1
    return r, c, steps


def downhill_args(n):
    i = np.arange(n)
    return ((i[:, None] - n / 3) ** 2 + (i - n / 2) ** 2 + RNG.random((n, n)),)


def ones(x, y):
    total = 0
    for i in range(len(x)):
        total += bin(x[i] ^ y[i]).count("1") + f"{x[i]:b}".count("1") - int(y[i]).bit_count()
    return total


def ones_args(n):
    return RNG.integers(-99, 1000, n), RNG.integers(-99, 1000, n)


def first_above(x, t):
    k = next((i for i in range(len(x)) if x[i] > t), -1)
    return k, x[k]


def first_above_args(n):
    return RNG.random(n), 0.8


def peaks_with_append(x):
    found = np.array([])
    for i in range(1, len(x) - 1):
        if x[i] > x[i - 1] and x[i] > x[i + 1]:
            found = np.append(found, i)
    return found, len(found)


def peaks_with_append_args(n):
    return (RNG.random(n),)


CASES = {name: value for name, value in globals().items() if f"{name}_args" in globals()}


@pytest.mark.parametrize("name", CASES)
def test_agrees_with_numpy_on_two_sizes(name):
    args = globals()[f"{name}_args"]
    both_sizes(inspect.getsource(CASES[name]), args(40), args(63))


def test_none_found_is_what_stands_behind_the_comma():
    agrees(HEAD + inspect.getsource(first_above), RNG.random(40), 2.0)


def test_the_name_in_a_generator_is_not_the_one_outside():
    source = HEAD + (
        "def fn(x, t):\n    i = 5\n    k = next((i for i in range(len(x)) if x[i] > t), -1)\n    return k, i\n"
    )
    agrees(source, RNG.random(40), 0.8)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "    counts = {}\n    for v in x:\n        counts[v] = counts.get(v, 0) + 1\n    return len(counts)\n",
            "dict",
        ),
        (
            "    h = []\n    for v in x:\n        heapq.heappush(h, v)\n    return heapq.heappop(h)\n",
            "keeps a heap",
        ),
    ],
)
def test_what_is_no_array_is_named_in_its_own_words(text, said):
    made = make(f"import heapq\n{HEAD}def fn(x):\n{text}", RNG.integers(0, 5, 20))
    assert made.refusal is not None, made.text
    assert said in made.refusal.reason
