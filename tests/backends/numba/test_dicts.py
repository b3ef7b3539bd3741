"""Dicts that count and gather, and lists of empty lists: Numba learns their types by what is stored."""

import numpy as np
import pytest

from jitmagic.backends.protocol import Draft
from tests.backends.numba.harness import IMPORTS, assert_same, drafts, reference, run, workload

RNG = np.random.default_rng(11)
KEYS = RNG.integers(0, 5, 40)
X = RNG.normal(size=40)
IMPORTED = "from collections import Counter, defaultdict\n" + IMPORTS

CASES = {
    "get": (
        "s = {}\nfor k, v in zip(g, x):\n    s[k] = s.get(k, 0.0) + v\nreturn np.array([s[k] for k in sorted(s)])",
        "s[k] = (s[k] if k in s else 0.0) + v",
    ),
    "defaultdict": (
        "s = defaultdict(float)\nfor k, v in zip(g, x):\n    s[k] += v*2\nreturn np.array([s[k] for k in sorted(s)])",
        "s[k] = (s[k] if k in s else 0.0) + (v*2)",
    ),
    "Counter": (
        "c = Counter(g)\np = np.array([v for v in c.values()])/len(g)\nreturn (p*np.log(p)).sum(), x[0]",
        "c = counted(g)",
    ),
    "sums over values": (
        "c = Counter(g)\nn = sum(c.values())\nreturn max(c.values())/n, min(c.keys()), x[0]",
        "n = sum(list(c.values()))",
    ),
    "numbers in the order of first sight": (
        "s = {}\nout = np.zeros(len(g), dtype=np.int64)\nfor k in range(len(g)):\n    if g[k] not in s:\n"
        "        s[g[k]] = len(s) + 1\n    out[k] = s[g[k]]\nreturn out, len(s)",
        "s = Dict.empty(types.int64, types.int64)",
    ),
    "a dict as result": (
        "s = {}\nfor k in g:\n    s[int(k)] = s.get(int(k), 0) + 1\nreturn s", "return dict(_fn(x, g))",
    ),
    "neighbours": (
        "near = [[] for _ in range(5)]\nfor k in range(39):\n    near[g[k]].append((k, x[k]))\ns = np.zeros(5)\n"
        "for k in range(5):\n    for j, v in near[k]:\n        s[k] += j*v\nreturn s",
        "near = [[(np.int64(0), np.float64(0))][:0] for _ in range(5)]",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_stores_tell_the_types(name):
    body, wanted = CASES[name]
    source = "def fn(x, g):\n" + "\n".join(f"    {line}" for line in body.splitlines()) + "\n"
    work = workload(source, X, KEYS, imports=IMPORTED)
    draft = drafts(work)["numba"]
    assert isinstance(draft, Draft), draft
    assert wanted in draft.module.text
    got, _ = run(work, draft, name)
    assert_same(got, reference(work)[0], 1e-12)


def test_a_key_that_changes_something_is_not_read_twice():
    source = """
    def fn(x, g):
        stack = [int(k) for k in g]
        s = {}
        for v in x:
            s[0] = s.get(stack.pop(), 0.0) + v
        return s[0]
    """
    refused = drafts(workload(source, X, KEYS))["numba"]
    assert "line 5" in refused.refusal.reason
    assert "read twice" in refused.refusal.reason


SHARED = {
    "two parts of one array": (
        's = {"a": u, "b": u[1:]}\nfor _ in range(3):\n    s["b"][:] = s["a"][:-1]\n    s["a"][0] += 1\nreturn s["a"]*1'
    ),
    "a part and a name": 's = {"a": u}\nv = u[2:]\nv[:] = s["a"][:-2]\ns["a"][1:] += v[0]\nreturn v.sum(), s["a"] + 0',
    "taken turns": (
        's = {"old": u.copy(), "new": u.copy()}\nfor _ in range(4):\n'
        '    s["new"][1:-1] = s["old"][:-2] + s["old"][2:]\n    s["old"], s["new"] = s["new"], s["old"]\n'
        'return s["old"], s["new"]'
    ),
    "the same twice": (
        'a = u.copy()\ns = {"x": a, "y": a}\ns["x"] += 1\ns["y"] = s["y"]*2\ns["y"] += s["x"]\nreturn s["x"], s["y"], a'
    ),
}


@pytest.mark.parametrize("name", SHARED)
def test_parts_of_a_record_may_be_one_array(name):
    source = "def fn(u):\n" + "\n".join(f"    {line}" for line in SHARED[name].splitlines()) + "\n"
    work = workload(source, X.copy())
    draft = drafts(work)["numba"]
    assert isinstance(draft, Draft), draft
    assert '["' not in draft.module.text
    wanted, changed = reference(work)
    got, left = run(work, draft, name)
    assert_same(got, wanted, 1e-12)
    assert_same(left[0], changed[0], 1e-12)
