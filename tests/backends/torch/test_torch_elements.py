# ruff: noqa: E501 -- a case is a line.
"""Loops over elements: offered with a note, and right where torch's elements are views and NumPy's are scalars."""

import numpy as np
import pytest

pytest.importorskip("torch")

from jitmagic.backends.protocol import Draft
from jitmagic.backends.torch import source as source_module
from tests.backends.torch.torch_support import drafts, run, same, watch, workload

V = np.linspace(-1, 2, 12)
N = np.array([3, 1, 4, 1, 5, 9, 2, 6])


def draft_of(source, *args):
    w = workload(source, *args)
    watched = watch(w)
    return w, watched, drafts(w, watched.observation)["torch"]


CASES = {
    "an element that is kept": (
        "def fn(x):\n    a = x.copy()\n    v = a[0]\n    a[0] = 7.0\n    return v, a",
        V,
    ),
    "the smaller of two elements": (
        "def fn(x):\n    a = x.copy()\n    v = min(a[0], a[1])\n    a[:] = 7.0\n    return v",
        V,
    ),
    "an element in a list": (
        "def fn(x):\n    a = x.copy()\n    out = []\n    for i in range(3):\n        out.append(a[0])\n"
        "        a[0] = a[0] + 1\n    return np.array(out)",
        V,
    ),
    "a list comprehension of elements": (
        "def fn(x):\n    a = x.copy()\n    out = [a[i] for i in range(3)]\n    a[:] = 0\n    return np.array(out)",
        V,
    ),
    "the elements of a loop": (
        "def fn(x):\n    a = x.copy()\n    s = 0.0\n    for i, v in enumerate(a):\n        a[i] = 0.0\n        s += v\n"
        "    return s, a",
        V,
    ),
    "pairs of elements": (
        "def fn(x, y):\n    a = x.copy()\n    s = 0.0\n    for p, q in zip(a, y):\n        a[:] = 1.0\n        s += p * q\n"
        "    return s",
        V,
        V * 2,
    ),
    "a sum that begins with an element": (
        "def fn(x):\n    a = x.copy()\n    s = a[0]\n    for i in range(1, 4):\n        s += a[i]\n    return s, a",
        V,
    ),
    "a swap": ("def fn(x):\n    a = x.copy()\n    a[0], a[1] = a[1], a[0]\n    return a", V),
    "an integer element updated by a float": (
        "def fn(x):\n    a = x.copy()\n    for i in range(len(a)):\n        a[i] += 0.75\n        a[i] /= 2\n    return a",
        N,
    ),
    "a helper that returns an element": (
        "def first(a):\n    return a[0]\n\n\ndef change(a):\n    a[0] = 5.0\n\n\n"
        "def fn(x):\n    a = x.copy()\n    v = first(a)\n    change(a)\n    return v, a",
        V,
    ),
    "elements as keys": (
        "def fn(n):\n    counts = {}\n    for k in n:\n        if k in counts:\n            counts[k] += 1\n        else:\n"
        "            counts[k] = 1\n    return len(counts), max(counts.values())",
        N,
    ),
    "elements in a set": (
        "def fn(n):\n    seen = set()\n    twice = 0\n    for i in range(len(n)):\n        if n[i] in seen:\n"
        "            twice += 1\n"
        "        seen.add(n[i])\n    return twice, len(seen)",
        N,
    ),
    "a range up to an element": (
        "def fn(n):\n    s = 0\n    for i in range(n[0], n[4]):\n        s += n[i] * 2\n    return s, n[: n[0]]",
        N,
    ),
    "small unsigned elements as indices": (
        "def fn(x, k):\n    s = 0.0\n    for i in range(len(k)):\n        s += x[k[i]]\n    return s",
        V,
        N.astype(np.uint8),
    ),
    "a tuple as an index": (
        "def fn(x):\n    m = x.reshape(3, 4)\n    out = np.zeros((3, 4))\n    for i in np.ndindex(m.shape):\n"
        "        out[i] = m[i] * 2\n    return out",
        V,
    ),
    "a list of numbers and elements": (
        "def fn(x):\n    out = []\n    for i in range(6):\n        if x[i] > 0:\n            out.append(x[i])\n        else:\n"
        "            out.append(0.0)\n    return np.array(out)",
        V,
    ),
    "pairs of numbers and elements": (
        "def fn(x):\n    out = []\n    for i in range(6):\n        out.append((i, x[i]))\n    return np.array(out)",
        V,
    ),
    "a recurrence": (
        "def fn(x, a):\n    y = np.empty(len(x))\n    y[0] = x[0]\n    for t in range(1, len(x)):\n"
        "        y[t] = a * x[t] + (1 - a) * y[t - 1]\n    return y",
        np.linspace(0, 1, 300),
        0.1,
    ),
    "a dot product of unknown axes": (
        "def fn(ms, v):\n    out = []\n    for m in ms:\n        out.append(np.dot(m, v))\n    return out[0], out[1]",
        [np.arange(3.0), np.arange(6.0).reshape(2, 3)],
        np.ones(3),
    ),
    "one limit of each kind": ("def fn(x):\n    return np.clip(x, 0.0, x.mean()), x.clip(x.min() / 2, 1)", V),
    "draws": (
        "def fn(n):\n    rng = np.random.default_rng(3)\n    x = 0.0\n    out = np.zeros(n)\n    for i in range(n):\n"
        "        x += rng.normal() * 0.1\n        out[i] = x\n    idx = rng.integers(0, n, 5)\n    k = rng.integers(3)\n"
        "    return out[idx], k, rng.choice([1.5, 2.5], 4)",
        9,
    ),
    "a shuffle": (
        "def fn(x):\n    np.random.seed(4)\n    a = x.copy()\n    np.random.shuffle(a)\n"
        "    return a + np.random.rand(len(x))",
        V,
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_elements_are_numpys(name):
    source, *args = CASES[name]
    w, watched, draft = draft_of(source, *args)
    assert isinstance(draft, Draft), draft.refusal
    result, _ = run(w, draft)
    same(watched.result, result)


LOOP = "def fn(x):\n    s = 0.0\n    for i in range(300):\n        s += x[i % 12]\n    return s"


def test_the_note_tells_what_the_steps_cost():
    _, _, draft = draft_of(LOOP, V)
    cost = "600 separate torch calls, about 0.003 s at 5 µs each"
    assert draft.notes[-1] == f"the loop of line 7 runs step by step: {cost}"


def test_a_loop_that_would_take_too_long_is_refused_with_the_figure(monkeypatch):
    monkeypatch.setattr(source_module, "MOST_SECONDS", 0.002)
    _, _, draft = draft_of(LOOP, V)
    assert (draft.refusal.line, draft.refusal.code) == (7, "PT-DYNUNROLL")
    assert "600 separate torch calls, about 0.003 s" in draft.refusal.reason


def test_elements_that_nothing_changes_are_not_copied():
    _, _, draft = draft_of("def fn(x):\n    v = x[0]\n    return v * x", V)
    assert "clone" not in draft.module.text
