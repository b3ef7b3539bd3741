"""Formulas for lengths, and draws of places that give what draws of elements give."""

import numpy as np
import pytest

from jitmagic.generate.blocks import small, statements
from jitmagic.generate.kinds import Kinds, argument_facts
from jitmagic.generate.lengths import Lengths
from jitmagic.generate.module import Module
from tests.backends.numba.harness import observed, workload

FOUND = {
    "a parameter": ("z = x", "len(x)"),
    "arithmetic with a number": ("z = 2 * (x - x.mean()) / 3", "len(x)"),
    "a function of each element": ("z = np.exp(-np.abs(x))", "len(x)"),
    "arrays put together": ("z = np.concatenate((x, 2 * y))", "len(x) + len(y)"),
    "rows of a matrix": ("A = np.column_stack([np.ones(len(x)), x])\n    z = A @ np.ones(2)", "len(x)"),
    "a copy": ("w = x.copy()\n    z = w.astype(float)", "len(x)"),
    "two that may differ": ("z = x * y", "np.broadcast_shapes(len(x), len(y))[0]"),
    "elements chosen by values": ("z = x[x > 0]", None),
    "a name bound twice": ("z = x\n    z = z[1:]", None),
    "another length on one way": ("z = x if n else y", None),
    "a matrix": ("z = np.outer(x, x)", None),
}


@pytest.mark.parametrize("name", FOUND)
def test_a_length_is_a_formula_over_parameters_or_not_known(name):
    text, wanted = FOUND[name]
    work = workload(f"def fn(x, y, n):\n    {text}\n    return z\n", np.ones(4), np.ones(4), 1)
    module = Module.of(work, observed(work))
    function = module.function("fn")
    lengths = Lengths(function, Kinds(module, function, argument_facts(module.observed, function)))
    assert lengths.of(small(statements(function)[-1]).value) == wanted


@pytest.mark.parametrize("make", [np.random.default_rng, np.random.RandomState])
@pytest.mark.parametrize("dtype", ["f8", "f4", "i1", "c16", "?"])
@pytest.mark.parametrize("n", [1, 2, 17, 100])
def test_numpy_draws_places_and_takes_what_stands_there(make, dtype, n):
    elements = (np.random.default_rng(5).random(n) * 9).astype(dtype)
    weights = np.arange(1, n + 1) / np.arange(1, n + 1).sum()
    one, other = make(3), make(3)
    for _ in range(3):
        assert np.array_equal(one.permutation(elements), elements[other.permutation(n)])
        shuffled = elements.copy()
        one.shuffle(shuffled)
        assert np.array_equal(shuffled, elements[other.permutation(n)])
        for given in ({}, {"size": 4}, {"size": (2, 3), "p": weights}, {"size": n, "replace": False}):
            assert np.array_equal(one.choice(elements, **given), elements[other.choice(n, **given)])
    assert one.standard_normal() == other.standard_normal()
