"""Calls that write into their arguments, in the middle of expressions."""

import inspect

import numpy as np
import pytest

from tests.backends.jax.jax_workbench import make
from tests.backends.jax.test_jax_slices import HEAD, both_sizes

RNG = np.random.default_rng(8)


def components(pairs, n):
    parent = np.arange(n)
    size = np.ones(n, dtype=np.int64)

    def find(i):
        while parent[i] != i:
            parent[i] = parent[parent[i]]
            i = parent[i]
        return i

    merged = 0
    for k in range(len(pairs)):
        a, b = find(pairs[k, 0]), find(pairs[k, 1])
        if a != b:
            size[a] += size[b]
            parent[b] = a
            merged += 1
    labels = np.empty(n, dtype=np.int64)
    for i in range(n):
        labels[i] = find(i)
    return labels, merged, size.max()


def components_args(n):
    return RNG.integers(0, n, (n // 2, 2)), n


def clusters(pairs, n):
    parent = np.arange(n)

    def find(i):
        while parent[i] != i:
            parent[i] = parent[parent[i]]
            i = parent[i]
        return i

    for k in range(len(pairs)):
        if find(pairs[k, 0]) != find(pairs[k, 1]):
            parent[find(pairs[k, 0])] = find(pairs[k, 1])
    counts = np.zeros(n, dtype=np.int64)
    for i in range(n):
        counts[find(i)] += 1
    return counts


clusters_args = components_args


@pytest.mark.parametrize("function", [components, clusters])
def test_each_call_has_a_line_of_its_own(function):
    text = both_sizes(inspect.getsource(function), components_args(20), components_args(33))
    assert "find(" in text
    assert ", parent = find(" in text


def test_a_call_to_which_python_may_not_come_stays_where_it_is():
    made = make(
        HEAD + "def fn(x, n):\n    seen = np.zeros(n)\n\n"
        "    def mark(i):\n        seen[i] += 1\n        return seen[i]\n\n"
        "    total = 0.0\n    for i in range(n):\n        if x[i] > 0.5 and mark(i) > 0:\n            total += 1\n"
        "    return total + seen.sum()\n",
        RNG.random(40), 40,
    )  # fmt: skip
    assert made.refusal is not None, made.text
    assert made.refusal.line == 13


def test_what_is_read_beside_such_a_call_is_read_in_its_turn():
    made = make(
        HEAD + "def fn(x, n):\n    seen = np.zeros(n)\n\n"
        "    def mark(i):\n        seen[i] += x[i]\n        return seen[i]\n\n"
        "    total = 0.0\n    for i in range(n):\n        total += seen[i] * 10 + mark(i)\n    return total\n",
        RNG.random(40), 40,
    )  # fmt: skip
    assert made.refusal is not None, made.text
