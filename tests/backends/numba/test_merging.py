"""Loops that rewrites write stand in the core itself, where a statement of its own calls them once."""

import textwrap

import libcst as cst
import numpy as np
import pytest

from jitmagic.backends.numba.merging import merged
from tests.backends.numba.harness import BOTH, drafts, workload
from tests.backends.numba.test_regions import call, draft_of

NJIT = '@njit(error_model="numpy")'
THREADS = '@njit(parallel=True, error_model="numpy")'


def merge(core, *helpers, threaded=False, plain=True):
    """Merges helpers, all of which may be, into a core; returns its text and whether threads came into it."""
    sources = {}
    for helper in helpers:
        source = textwrap.dedent(helper).strip("\n") + "\n"
        sources[source.split("def ")[1].split("(")[0]] = "\n" + source
    tree = cst.parse_module(textwrap.dedent(core).strip("\n") + "\n")
    found = merged(tree, "fn", sources, sources, threaded, lambda statement: plain)
    assert set(found.helpers) <= set(sources)
    return found.tree.code, found


TOTAL = f"""
{NJIT}
def sum_of(x, a):
    # np.sum(x*a)
    total = 0.0
    for i in range(x.shape[0]):
        total += x[i] * a
    return total
"""


def test_a_call_that_ends_the_core_becomes_the_loops():
    text, found = merge("def fn(x, y):\n    return sum_of(y, 2*x)\n", TOTAL)
    assert text == (
        "def fn(x, y):\n"
        "    a = 2*x\n"
        "    # np.sum(x*a)\n"
        "    total = 0.0\n"
        "    for i in range(y.shape[0]):\n"
        "        total += y[i] * a\n"
        "    return total\n"
    )
    assert not found.helpers


def test_what_it_returns_has_the_name_that_the_core_gives_it():
    text, _ = merge("def fn(x):\n    energy = sum_of(x, 3)\n    return energy / 2\n", TOTAL)
    assert "    energy = 0.0\n" in text
    assert "total" not in text


def test_other_names_stay_apart():
    core = """
    def fn(x, total, i):
        # what weighs
        s = sum_of(x, total)
        return s + total + i
    """
    text, _ = merge(core, TOTAL.replace("total += x[i] * a", "part = x[i] * a\n        total += part"))
    head = "def fn(x, total, i):\n    # what weighs\n    # np.sum(x*a)\n"
    assert text.startswith(f"{head}    s = 0.0\n    for j in range(")
    assert "part = x[j] * total" in text
    assert "return s + total + i" in text


def test_an_argument_that_is_bound_anew_is_copied_first():
    clipped = f"""
    {NJIT}
    def clipped(x, low):
        # np.maximum(x, low)
        low = max(low, 0.0)
        out = np.empty(x.shape[0])
        for i in range(x.shape[0]):
            out[i] = max(x[i], low)
        return out
    """
    text, _ = merge("def fn(x, floor):\n    y = clipped(x, floor)\n    return y - floor\n", clipped)
    assert "    low = floor\n" in text
    assert "return y - floor" in text


@pytest.mark.parametrize(
    "core",
    [
        "def fn(x):\n    return sum_of(x, 1) + 1\n",
        "def fn(x):\n    a = sum_of(x, 1)\n    b = sum_of(x, 2)\n    return a + b\n",
        "def fn(x, n):\n    for k in range(n):\n        a = sum_of(x, k)\n    return a\n",
        "def fn(x):\n    with objmode(y='float64'):\n        y = other(x)\n    return sum_of(x, y)\n",
    ],
    ids=["an expression", "two calls", "a loop", "Python"],
)
def test_other_calls_stay(core):
    text, found = merge(core, TOTAL)
    assert text == core
    assert set(found.helpers) == {"sum_of"}


def test_one_that_may_end_early_stays_unless_it_ends_the_core():
    early = TOTAL.replace("    total = 0.0\n", "    if x.size == 0:\n        return 0.0\n    total = 0.0\n")
    assert "sum_of" in merge("def fn(x):\n    a = sum_of(x, 1)\n    return a*a\n", early)[0]
    assert "sum_of" not in merge("def fn(x):\n    return sum_of(x, 1)\n", early)[0]


def test_threads_come_into_a_core_that_has_nothing_else_for_them():
    core, helper = "def fn(x):\n    return sum_of(x, 1)\n", TOTAL.replace(NJIT, THREADS)
    assert merge(core, helper)[1].threaded
    assert "sum_of" in merge(core, helper, plain=False)[0]
    assert "sum_of" not in merge(core, helper, threaded=True, plain=False)[0]
    # what a serial helper does would go to threads
    assert "sum_of" in merge(core, TOTAL, threaded=True)[0]


WEIGHTED = """
def fn(x, w, eps):
    # from all to all
    d = x[None, :] - x[:, None]
    q = 1/(d*d + eps**2)
    return np.sum(q*w[:, None], axis=1)
"""


@pytest.mark.parametrize("variant", BOTH)
def test_a_function_of_arrays_is_one_function(variant):
    args = np.arange(5.0), np.ones(5), 0.5
    work = workload(WEIGHTED, *args)
    text = drafts(work)[variant].module.text
    assert text.count("@njit") == 1
    assert "    # from all to all\n    a = eps**2\n" in text
    assert ("parallel=True" in text) == (variant == "numba-parallel")


def test_lengths_that_do_not_fit_are_still_refused():
    work = workload("def fn(x, y):\n    return np.sum((x - y)**2)\n", np.ones(3), np.ones(3))
    draft = draft_of(work)
    assert "sum_of" not in draft.module.text
    assert call(work, draft, (np.arange(4.0), np.ones(4)))[0] == 6.0
    with pytest.raises(ValueError, match="broadcast"):
        call(work, draft, (np.ones(3), np.ones(4)))


ARITHMETIC_BESIDE = """
def fn(x, y, m):
    z = np.linspace(0.0, 1.0, m)
    s = np.sum((x - y)**2)
    return s, z
"""


def test_an_array_that_is_filled_elsewhere_keeps_threads_out():
    work = workload(ARITHMETIC_BESIDE, np.ones(5000), np.ones(5000), 4)
    text = drafts(work)["numba-parallel"].module.text
    assert "@njit(parallel=True" in text
    assert text.count("@njit") == 2
    assert '@njit(error_model="numpy")\ndef fn(' in text


FORCES = """
def fn(pos, mass):
    r = pos[None, :, :] - pos[:, None, :]
    d2 = np.sum(r**2, axis=-1) + 0.5
    return np.sum(r*(mass*d2)[:, :, None], axis=1)
"""


def test_each_step_in_threads_begins_its_own_sums():
    rng = np.random.default_rng(4)
    work = workload(FORCES, rng.random((7, 3)), rng.random(7))
    found = drafts(work)
    assert "np.zeros" in found["numba"].module.text
    text = found["numba-parallel"].module.text
    assert "np.zeros" not in text
    assert "in prange(pos.shape[0]):\n        for k in range(pos.shape[1]):\n            total_b[i, k] = 0\n" in text
    for args in ((rng.random((7, 3)), rng.random(7)), (rng.random((9, 2)), rng.random(9))):
        expected, _ = call(work, found["numba"], args)
        np.testing.assert_allclose(call(work, found["numba-parallel"], args)[0], expected, rtol=1e-12)


DISTANCES = """
def fn(X, Y):
    return (X**2).sum(axis=1)[:, None] + (Y**2).sum(axis=1)[None, :] - np.sum(2*X[:, None, :]*Y[None, :, :], axis=-1)
"""


@pytest.mark.parametrize(("rows", "loops"), [(20, 2), (400, 1)])
def test_an_outer_loop_with_next_to_nothing_to_do_stays_serial(rows, loops):
    rng = np.random.default_rng(5)
    work = workload(DISTANCES, rng.random((rows, 3)), rng.random((rows, 3)))
    text = drafts(work)["numba-parallel"].module.text
    assert text.count("in prange(") == loops
