# ruff: noqa: E501 -- a case is a line: its source reads better unbroken.
"""JAX's traps: each with a function that meets it, the place, and a near miss."""

from __future__ import annotations

import numpy as np
import pytest

from jitmagic.gotchas.registry import find
from jitmagic.observe import run as observed
from tests.gotchas.rules import Case, check, gotchas
from tests.gotchas.watching import workload_of

X = np.linspace(0.5, 2.0, 6)
M = np.arange(12.0).reshape(3, 4)
IDX = np.array([0, 0, 2])

CASES = [
    Case("JX-PRINT", "def fn(x):\n    print(x.sum())\n    return x", (X,), "print(x.sum())", "def fn(x):\n    return x"),
    Case("JX-PRINT", "def fn(x):\n    if x[0] > 9:\n        print('big')\n    return x", (X,), "print('big')",
         "def fn(x, print):\n    return print(x)", status="not seen with these inputs", miss_args=(X, abs)),
    Case("JX-IO", "def fn(x):\n    if x[0] > 9:\n        x = np.load('a.npy')\n    return x", (X,), "np.load('a.npy')",
         "def fn(x):\n    return np.loadavg if x is None else x", status="not seen with these inputs"),
    Case("JX-TIME", "def fn(x):\n    t = time.perf_counter()\n    return x * (t > 0)", (X,), "time.perf_counter()",
         "def fn(x, time):\n    return x * time", miss_args=(X, 2.0)),
    Case("JX-GLOBALS", "def fn(x):\n    return x * scale + scale", (X,), "scale", "def fn(x, scale):\n    return x * scale",
         status="possible", constants={"scale": 2.0}, miss_args=(X, 2.0)),
    Case("JX-LEAK", "def fn(x):\n    history.append(x.sum())\n    return x", (X,), "history.append(x.sum())",
         "def fn(x):\n    history = []\n    history.append(x.sum())\n    return history", constants={"history": []}),
    Case("JX-RNG", "def fn(x):\n    return x + np.random.normal(size=6)", (X,), "np.random.normal(size=6)",
         "def fn(x):\n    rng = np.random.default_rng(0)\n    return x + rng.normal(size=6)"),
    Case("JX-ARGMUT", "def fn(x, out):\n    v = out[1:].T\n    v += x[1:]", (X, X), "v += x[1:]",
         "def fn(x, out):\n    v = out[1:].copy()\n    v += x[1:]"),
    Case("JX-IADD-ALIAS", "def fn(x):\n    y = x\n    y += 1\n    return x", (X,), "y += 1",
         "def fn(x):\n    y = x + 0\n    y += 1\n    return x"),
    Case("JX-IADD-ALIAS", "def fn(x):\n    y = np.zeros(6)\n    v = y[1:]\n    v[:] = x[1:]\n    return y", (X,),
         "v[:] = x[1:]", "def fn(x):\n    y = np.zeros(6)\n    y[1:] = x[1:]\n    return y"),
    Case("JX-ITER", "def fn(x):\n    it = iter(x)\n    s = 0.0\n    for i in range(6):\n        s += next(it)\n    return s",
         (X,), "next(it)", "def fn(x):\n    s = 0.0\n    for v in x:\n        s += v\n    return s", status="possible"),
    Case("JX-RAISE", "def fn(x):\n    if x.min() < 0:\n        raise ValueError('negative')\n    return x", (X,),
         "raise ValueError('negative')", "def fn(x):\n    if x.ndim > 1:\n        raise ValueError('flat')\n    return x",
         status="not seen with these inputs"),
    Case("JX-X32", "def fn(x):\n    return x", (X,), "x", "def fn(x):\n    return x", status="not seen with these inputs",
         miss_args=(X.astype("float32"),)),
    Case("JX-PROMO", "def fn(x, n):\n    return x * n", (X.astype("float32"), IDX.repeat(2)), "x * n",
         "def fn(x, n):\n    return x * n", miss_args=(X, IDX.repeat(2))),
    Case("JX-PROMO", "def fn(n):\n    return np.sqrt(n)", (IDX.astype("int32"),), "np.sqrt(n)",
         "def fn(n):\n    return np.sqrt(n)", miss_args=(IDX,)),
    Case("JX-PROMO", "def fn(n):\n    return n.mean()", (IDX.astype("int32"),), "n.mean()",
         "def fn(x):\n    return x * 2 + 1.5", miss_args=(X.astype("float32"),)),
    Case("JX-CAST", "def fn(x):\n    return x.astype(np.uint8)", (X,), "x.astype(np.uint8)",
         "def fn(x):\n    return np.clip(x, 0, 255).astype(np.uint8)", status="possible"),
    Case("JX-DTYPES", "def fn(x):\n    return x", (np.array(["a"], dtype=object),), "x", "def fn(x):\n    return x",
         miss_args=(X,)),
    Case("JX-BOOLMASK", "def fn(x):\n    m = x > 1\n    return x[m].sum()", (X,), "x[m]",
         "def fn(x):\n    m = x > 1\n    return np.where(m, x, 0).sum()"),
    Case("JX-BOOLMASK", "def fn(x):\n    return np.unique(x)", (X,), "np.unique(x)",
         "def fn(x):\n    k = np.unique(np.arange(3))\n    return x[k]"),
    Case("JX-SETITEM", "def fn(x):\n    y = np.zeros(6)\n    y[0] = x[1]\n    return y", (X,), "y[0] = x[1]",
         "def fn(x):\n    y = [0.0] * 6\n    y[0] = x[1]\n    return y"),
    Case("JX-SETITEM", "def fn(x):\n    y = x * 2\n    y.sort()\n    return y", (X,), "y.sort()",
         "def fn(x):\n    return np.sort(x * 2)"),
    Case("JX-DUPADD", "def fn(a, i):\n    a[i] += 1.0\n    return a", (X, IDX), "a[i] += 1.0",
         "def fn(a, i):\n    np.add.at(a, i, 1.0)\n    return a"),
    Case("JX-DUPADD", "def fn(a, i):\n    k = i // 2\n    a[k] += 1.0\n    return a", (X, IDX), "a[k] += 1.0",
         "def fn(a, i):\n    k = np.argsort(a)[:3]\n    a[k] += 1.0\n    return a", status="possible"),
    Case("JX-DUPADD", "def fn(a):\n    a[[0, 0]] += 1.0\n    return a", (X,), "a[[0, 0]] += 1.0",
         "def fn(a):\n    a[[0, -1]] += 1.0\n    return a"),
    Case("JX-DUPADD", "def fn(a):\n    k = [1, 1]\n    a[k] *= 2.0\n    return a", (X,), "a[k] *= 2.0",
         "def fn(a):\n    k = [1]\n    a[k] *= 2.0\n    return a", status="possible"),
    Case("JX-DUPADD", "def fn(a):\n    a[[0, 0], [1, 1]] += 1.0\n    return a", (M,), "a[[0, 0], [1, 1]] += 1.0",
         "def fn(a):\n    a[[0, 0], [0, 1]] += 1.0\n    return a"),
    Case("JX-DUPSET", "def fn(a, i, v):\n    a[i] = v\n    return a", (X, IDX, X[:3]), "a[i] = v",
         "def fn(a, i, v):\n    a[i] = 0.0\n    return a"),
    Case("JX-SHAPEARG", "def fn(x, n):\n    return np.zeros(n) + x[0]", (X, 4), "n",
         "def fn(x, n):\n    return np.zeros(len(x)) + x * n"),
    Case("JX-SHAPEARG", "def fn(x):\n    k = int(x.argmax())\n    return x[:k]", (X,), "k",
         "def fn(x):\n    k = len(x) // 2\n    return x[:k]"),
    Case("JX-IFTRACED", "def fn(x):\n    if x.sum() > 0 and x[0] > 0:\n        return x\n    return -x", (X,),
         "x.sum() > 0 and x[0] > 0", "def fn(x):\n    if x.ndim == 1 and len(x) > 2:\n        return x\n    return -x"),
    Case("JX-IFTRACED", "def fn(x):\n    return max(x[0], x[1])", (X,), "max(x[0], x[1])",
         "def fn(x):\n    return max(x.shape[0], 3) * x"),
    Case("JX-IFTRACED", "def fn(x, k):\n    return x if k > 2 else -x", (X, 3), "k > 2",
         "def fn(x, k):\n    return x if k else -x", miss_args=(X, True)),
    Case("JX-INTCAST", "def fn(x):\n    return x * math.sqrt(x.sum())", (X,), "math.sqrt(x.sum())",
         "def fn(x):\n    return x * math.sqrt(len(x))"),
    Case("JX-UNROLL", "def fn(x):\n    for i in range(100):\n        x = x * 0.5\n    return x", (X,), "i",
         "def fn(x):\n    for i in range(5):\n        x = x * 0.5\n    return x"),
    Case("JX-ISINST", "def fn(x):\n    return x if isinstance(x, np.ndarray) else -x", (X,), "isinstance(x, np.ndarray)",
         "def fn(x, mode):\n    return x if isinstance(mode, str) else -x", miss_args=(X, "a")),
    Case("JX-BOTHBR", "def fn(x):\n    return np.where(x > 0, np.log(x), 0.0)", (X,), "np.where(x > 0, np.log(x), 0.0)",
         "def fn(x):\n    return np.where(x > 0, np.exp(x), 0.0)", status="not seen with these inputs"),
    Case("JX-NPCALL", "def fn(x):\n    return scipy.ndimage.median_filter(x, 3)", (X,), "scipy.ndimage.median_filter(x, 3)",
         "def fn(x):\n    return scipy.special.erf(x)"),
    Case("JX-LISTARG", "def fn(x):\n    return np.asarray(x)", ([1.0, 2.0],), "x", "def fn(x):\n    return np.asarray(x)",
         miss_args=(X,)),
    Case("JX-LISTARG", "def fn(x):\n    return np.mean([x[0], x[1]])", (X,), "np.mean([x[0], x[1]])",
         "def fn(x):\n    return np.mean(np.array([x[0], x[1]]))"),
    Case("JX-OOBGET", "def fn(x):\n    try:\n        y = x[9]\n    except IndexError:\n        y = 0.0\n    return y", (X,),
         "x[9]", "def fn(x):\n    try:\n        y = x[2]\n    except ValueError:\n        y = 0.0\n    return y",
         status="possible"),
    Case("JX-OOBSET", "def fn(x):\n    x[9] = 1.0\n    return x", (X,), "x[9]", "def fn(x):\n    x[5] = 1.0\n    return x"),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=str)
def test_trap_and_near_miss(case: Case) -> None:
    check(case)


def test_an_iterator_made_anew_in_each_trip_is_no_trap() -> None:
    source = (
        "def fn(x):\n    k = 0\n    for i in range(3):\n        k += next(j for j in range(6) if x[j] > i / 3)\n"
        "        it = iter(x)\n        k += int(next(it))\n    return k"
    )
    assert not [g for g in gotchas(source, X) if g.code == "JX-ITER"]


def test_an_array_in_capitals_is_not_expected_to_change() -> None:
    source = "def fn(x):\n    return x * TABLE"
    statuses = {g.code: g.status for g in gotchas(source, X, constants={"TABLE": X})}
    assert statuses["JX-GLOBALS"] == statuses["NB-GLOBALS"] == "not seen with these inputs"


@pytest.mark.parametrize(("other", "status"), [(1, "not seen with these inputs"), (0, "confirmed")])
def test_indices_in_a_list_are_judged_by_those_that_were_seen(other: int, status: str) -> None:
    workload = workload_of("def fn(a, k):\n    p = a.argmin()\n    a[[k, p]] += 1.0\n    return a", X.copy(), other)
    made = observed.observe(workload.module.text, "fn", {}, lambda: ((X.copy(), other), {}), ["a", "k"])
    found = {g.code: g.status for g in find(workload, made.observation)}
    assert found["JX-DUPADD"] == status


@pytest.mark.parametrize(
    ("numbers", "status"),
    [([0.0, 255.0], "not seen with these inputs"), ([0.0, 255.5], "confirmed"), ([-0.5, 9.0], "confirmed"),
     ([0.0, np.nan], "confirmed"), ([0.0, -np.inf], "confirmed")],
)  # fmt: skip
@pytest.mark.parametrize("cast", ["y.astype(np.uint8)", "y.astype('uint8')", "np.uint8(y)"])
def test_a_cast_is_judged_by_the_numbers_that_it_was_seen_with(cast: str, numbers: list[float], status: str) -> None:
    workload = workload_of(f"def fn(x):\n    y = x * 1.0\n    return {cast}", np.array(numbers))
    made = observed.observe(workload.module.text, "fn", {"np": np}, lambda: ((np.array(numbers),), {}), ["x"])
    found = {g.code: g.status for g in find(workload, made.observation)}
    assert found["JX-CAST"] == found["CP-CAST"] == status


def test_what_python_decides_is_told_with_what_the_variant_has_in_its_place() -> None:
    source = "def fn(x):\n    if x.sum() > 0:\n        return x\n    return -x"
    (found,) = [g for g in gotchas(source, X) if g.code == "JX-IFTRACED"]
    assert "lax.cond" in found.message
    assert "jnp.where" in found.message


def test_a_scalar_that_sets_a_shape_is_handled_as_a_static_argument() -> None:
    (found,) = [g for g in gotchas("def fn(x, n):\n    return np.zeros(n) + x[0]", X, 4) if g.code == "JX-SHAPEARG"]
    assert found.handled
    assert "static" in found.message


def test_a_length_that_depends_on_contents_is_not_handled() -> None:
    source = "def fn(x):\n    return x[: int(x.argmax())]"
    (found,) = [g for g in gotchas(source, X) if g.code == "JX-SHAPEARG"]
    assert not found.handled


def test_unwatched_rules_say_possible() -> None:
    found = gotchas("def fn(x):\n    m = x > 1\n    print(x)\n    return x[m]", X, watched=False)
    statuses = {g.code: g.status for g in found}
    assert statuses["JX-PRINT"] == "possible"
    assert statuses["JX-BOOLMASK"] == "possible"
