"""Loop classes: what is proved independent, what is a reduction, and what stands in the way of the rest."""

import textwrap

import pytest

from jitmagic.analysis.loops import classify


def loops(source):
    text = "import numpy as np\nimport math\n" + textwrap.dedent(source)
    return classify(text, "f", {"np": "numpy", "math": "math"})


INDEPENDENT = {
    "map": ("map", "def f(x, y):\n for i in range(len(x)):\n  y[i] = x[i] ** 2\n"),
    "in place": ("map", "def f(x):\n for i in range(x.size):\n  x[i] *= 2\n"),
    "stencil": ("stencil", "def f(u, v, n):\n for i in range(1, n - 1):\n  v[i] = u[i - 1] + u[i + 1]\n"),
    "private": ("map", "def f(x, y):\n for i in range(len(x)):\n  t = x[i]\n  y[i] = t * t\n"),
    "sum": ("reduction", "def f(x):\n s = 0.0\n for i in range(len(x)):\n  s += x[i]\n return s\n"),
    "product": ("reduction", "def f(x):\n s = 1.0\n for i in range(len(x)):\n  s = s * x[i]\n return s\n"),
    "max": ("reduction", "def f(x):\n m = x[0]\n for i in range(len(x)):\n  if x[i] > m:\n   m = x[i]\n return m\n"),
    "min call": ("reduction", "def f(x):\n m = x[0]\n for i in range(len(x)):\n  m = min(m, x[i])\n return m\n"),
    "inner sum": (
        "map",
        "def f(a, y, n):\n for i in range(n):\n  s = 0.0\n  for j in range(n):\n   s += a[i, j]\n  y[i] = s\n",
    ),
    "mirror": (
        "map",
        "def f(x, n):\n d = np.zeros((n, n))\n for i in range(n):\n  for j in range(i + 1, n):\n"
        "   d[i, j] = x[i] - x[j]\n   d[j, i] = d[i, j]\n return d\n",
    ),
    "even and odd": ("map", "def f(x, n):\n for i in range(n):\n  x[2 * i] = x[2 * i + 1]\n"),
    "rows": ("map", "def f(a, n):\n for i in range(n):\n  a[i] = a[i] / a[i].sum()\n"),
    "backwards": ("map", "def f(x, y, n):\n for i in range(n):\n  y[n - 1 - i] = x[i]\n"),
    "row view": ("map", "def f(a, n):\n for i in range(n):\n  row = a[i]\n  for j in range(n):\n   row[j] = 0\n"),
    "inner while": (
        "map",
        "def f(c, out, n):\n for i in range(n):\n  z = 0.0\n  k = 0\n  while z < 2 and k < 9:\n   z = z * z + c[i]\n"
        "   k += 1\n  out[i] = k\n",
    ),
    "blocks": ("map", "def f(x, y, n):\n for i in range(n):\n  y[4 * i:4 * i + 4] = x[i]\n"),
    "temporary array": (
        "map",
        "def f(x, y, n):\n for i in range(n):\n  t = np.zeros(3)\n  t[0] = x[i]\n  y[i] = t.sum()\n",
    ),
    "helper": (
        "map",
        "def g(v):\n return v * v\ndef f(x, y, n):\n for i in range(n):\n  y[i] = g(x[i])\n",
    ),
    "swapped": (
        "stencil",
        "def f(u, v, n):\n u, v = v, u\n for i in range(1, n):\n  v[i] = u[i - 1]\n",
    ),
    "continue": ("map", "def f(x, y, n):\n for i in range(n):\n  if x[i] < 0:\n   continue\n  y[i] = x[i]\n"),
    "reused scalar": (
        "map",
        "def f(x, y, n):\n for i in range(n):\n  t = x[i]\n  y[i] = t\n t = 3.0\n return t\n",
    ),
}


@pytest.mark.parametrize(("kind", "source"), INDEPENDENT.values(), ids=INDEPENDENT)
def test_independent_steps_are_proved(kind, source):
    outer = loops(source)[0]
    assert outer.blockers == ()
    assert (outer.kind, outer.parallel) == (kind, True)


DEPENDENT = {
    "recurrence": (
        "scan",
        "the step|another step",
        "def f(y, a):\n for i in range(1, len(y)):\n  y[i] = a * y[i - 1]\n",
    ),
    "scalar carry": ("scan", "takes `s`", "def f(x, y, n):\n s = 0.0\n for i in range(n):\n  s += x[i]\n  y[i] = s\n"),
    "gauss-seidel": (
        "scan",
        "another step",
        "def f(u, n):\n for i in range(1, n - 1):\n  u[i] = 0.5 * (u[i - 1] + u[i + 1])\n",
    ),
    "histogram": ("irregular", "two different steps", "def f(h, k, n):\n for i in range(n):\n  h[k[i]] += 1\n"),
    "newton's third law": (
        "irregular",
        "two different steps",
        "def f(x, g, n):\n for i in range(n):\n  for j in range(i + 1, n):\n   g[i] += x[j]\n   g[j] -= x[i]\n",
    ),
    "argmin": (
        "scan",
        "takes `b`|takes `k`",
        "def f(x, n):\n b = 9.0\n k = 0\n for i in range(n):\n  if x[i] < b:\n   b = x[i]\n   k = i\n return k\n",
    ),
    "forward substitution": (
        "triangular",
        "other steps wrote",
        "def f(a, b, x, n):\n for i in range(n):\n  x[i] = b[i] - a[i, :i] @ x[:i]\n",
    ),
    "alias": (
        "irregular",
        "same memory",
        "def f(a, n):\n b = a[1:]\n for i in range(n):\n  b[i] = a[i]\n",
    ),
    "break": ("python", "break", "def f(x, y, n):\n for i in range(n):\n  if x[i] > 3:\n   break\n  y[i] = 1\n"),
    "return": ("python", "returns", "def f(x, n):\n for i in range(n):\n  if x[i] > 3:\n   return i\n return -1\n"),
    "print": ("python", "prints", "def f(x, n):\n for i in range(n):\n  print(x[i])\n"),
    "append": (
        "python",
        "out.append",
        "def f(x, n):\n out = []\n for i in range(n):\n  out.append(x[i])\n return out\n",
    ),
    "list store": ("python", "no array", "def f(x, n):\n o = [0] * n\n for i in range(n):\n  o[i] = x[i]\n return o\n"),
    "values": ("python", "range", "def f(x):\n s = 0.0\n for v in x:\n  s += v\n return s\n"),
    "while": ("while", "condition", "def f(x):\n while x > 1:\n  x = x / 2\n return x\n"),
    "random": ("python", "random", "def f(y, n):\n for i in range(n):\n  y[i] = np.random.rand()\n"),
    "last value": ("scan", "last step", "def f(x, n):\n for i in range(n):\n  t = x[i]\n return t\n"),
    "index after": ("python", "index", "def f(x, n):\n for i in range(n):\n  x[i] = 1\n return i\n"),
    "negative": ("python", "negative", "def f(x, n):\n for i in range(-n, n):\n  x[i] = i\n"),
    "swapped views": (
        "irregular",
        "same memory",
        "def f(u, n):\n v = u[1:]\n u, v = v, u\n for i in range(1, n):\n  v[i] = u[i - 1]\n",
    ),
    "old array kept": (
        "irregular",
        "same memory",
        "def f(u, n):\n new = u.copy()\n w = new[1:]\n for i in range(1, n):\n  new[i] = w[i]\n",
    ),
    "maybe unassigned": (
        "scan",
        "takes `t`",
        "def f(x, y, n):\n t = 0.0\n for i in range(n):\n  if x[i] > 0:\n   t = x[i]\n  y[i] = t\n",
    ),
    "writing helper": (
        "python",
        "writes into v",
        "def g(v):\n v[0] = 1\ndef f(x, n):\n for i in range(n):\n  g(x)\n",
    ),
    "whole array": ("scan", "whole", "def f(x, n):\n for i in range(n):\n  x[i] = x.sum()\n"),
    "floyd": (
        "irregular",
        "step",
        "def f(d, n):\n for k in range(n):\n  for i in range(n):\n   for j in range(n):\n"
        "    d[i, j] = min(d[i, j], d[i, k] + d[k, j])\n",
    ),
    "same element": ("irregular", "two different", "def f(y, x, n):\n for i in range(n):\n  y[0] = x[i]\n"),
}


INNER = {
    "an array that is not written": ("", " def g(k):\n  return x[k] + x[0]\n", "y[i] = g(i)"),
    "the array that is written": ("reads the whole of `y`", " def g(k):\n  return y[k - 1]\n", "y[i] = g(i)"),
    "a variable of the step": ("reads `t` of the step", " def g(k):\n  return t*k\n", "t = x[i]\n  y[i] = g(i)"),
    "by another one": (
        "reads the whole of `y`", " def h(k):\n  return y[k - 1]\n def g(k):\n  return h(k)\n", "y[i] = g(i)",
    ),
    "a store": ("writes into x", " def g(k):\n  x[0] = k\n  return k\n", "y[i] = g(i)"),
    "a view": ("same memory", " def g(k):\n  return y[k:]\n", "v = g(i)\n  v[1] = x[i]\n  x[i] = y[i]"),
}  # fmt: skip


@pytest.mark.parametrize(("reason", "inner", "body"), INNER.values(), ids=INNER)
def test_a_function_inside_counts_with_what_it_reads(reason, inner, body):
    outer = loops(f"def f(x, y, n):\n{inner} for i in range(n):\n  {body}\n")[0]
    assert outer.parallel is not bool(reason)
    assert not reason or any(reason in one.reason for one in outer.blockers), outer.blockers


SHARED = {
    "a helper that is given one array twice": (
        "def f(x, y, n):\n for i in range(1, n):\n  y[i] = x[i - 1]\n\ndef main(a, n):\n f(a, a, n)\n"
    ),
    "a helper that is given an array and its view": (
        "def f(x, y, n):\n for i in range(1, n):\n  y[i] = x[i]\n\ndef main(a, n):\n v = a[1:]\n f(a, v, n)\n"
    ),
    "a helper that is handed on as a value": (
        "def f(x, y, n):\n for i in range(1, n):\n  y[i] = x[i - 1]\n\ndef main(a, n):\n solve(f, a, n)\n"
    ),
    "a list that holds the array": ("def f(a, n):\n r = []\n r.append(a)\n for i in range(n):\n  a[i] = r[0][i + 1]\n"),
    "an array that was put into a list": (
        "def f(a, n):\n b = a.copy()\n r = []\n r.append(b)\n for i in range(1, n):\n  b[i] = r[0][i - 1]\n"
    ),
    "an output argument": "def f(a, n):\n b = np.add(a, 1, a)\n for i in range(n):\n  a[i] = b[i + 1]\n",
    "einsum's view": ("def f(a, n):\n b = np.einsum('ij->ji', a)\n for i in range(n):\n  a[i, 0] = b[i + 1, 0]\n"),
    "float64 of a float64 array": "def f(a, n):\n b = np.float64(a)\n for i in range(n):\n  a[i] = b[i + 1]\n",
    "a positional output inside": "def f(a, c, n):\n for i in range(n):\n  np.add(a, i, c)\n",
    "a helper that adds in place to another name": (
        "def g(a):\n v = a\n v += 1\n return 1.0\n\ndef f(a, y, n):\n for i in range(n):\n  y[i] = g(a)\n"
    ),
    "a row chosen by a search": (
        "def f(a, k, n):\n b = a[np.searchsorted(k, 3)]\n for i in range(n):\n  a[0, i] = b[i + 1]\n"
    ),
    "a tuple's element chosen by a test": (
        "def f(a, b, x, n):\n p = (a, b)\n v = p[x > 0]\n for i in range(n):\n  a[i] = v[i + 1]\n"
    ),
}


@pytest.mark.parametrize("source", SHARED.values(), ids=SHARED)
def test_memory_that_is_shared_by_a_detour_is_seen(source):
    assert not loops(source)[0].parallel


def test_a_helper_that_writes_into_a_view_of_its_own_array_is_pure():
    source = """
    def g(x):
        t = np.zeros(3)
        v = t[1:]
        v[0] = x
        return t.sum()

    def f(x, y, n):
        for i in range(n):
            y[i] = g(x[i])
    """
    assert loops(source)[0].parallel


def test_different_arrays_given_to_a_helper_stay_different():
    source = """
    def f(x, y, n):
        for i in range(1, n):
            y[i] = x[i - 1]

    def main(a, n):
        b = np.empty_like(a)
        f(a, b, n)
        f(a + 1, a, n)
        return b
    """
    assert loops(source)[0].parallel


@pytest.mark.parametrize(("kind", "reason", "source"), DEPENDENT.values(), ids=DEPENDENT)
def test_dependent_steps_are_not_and_the_reason_says_why(kind, reason, source):
    import re

    outer = loops(source)[0]
    assert not outer.parallel
    assert outer.kind == kind
    assert re.search(reason, " / ".join(b.reason for b in outer.blockers))


def test_an_array_accumulator_made_inside_the_function_is_a_reduction():
    found = loops("def f(x, n):\n acc = np.zeros(3)\n for i in range(n):\n  acc += x[i]\n return acc\n")[0]
    assert found.parallel
    assert [r.operator for r in found.reductions] == ["+"]


def test_the_inner_loop_of_a_time_loop_is_independent():
    source = """
    def f(u, steps, n):
        for t in range(steps):
            v = u.copy()
            for i in range(1, n - 1):
                u[i] = v[i - 1] + v[i + 1]
        return u
    """
    outer, inner = loops(source)
    assert (outer.parallel, inner.parallel) == (False, True)
    assert (inner.depth, inner.parent) == (1, 0)


def test_a_simulation_step_that_renames_its_new_array_is_independent():
    source = """
    def f(u, steps, n):
        for t in range(steps):
            new = u.copy()
            for i in range(1, n - 1):
                new[i] = u[i - 1] + u[i + 1]
            u = new
        return u
    """
    assert [loop.parallel for loop in loops(source)] == [False, True]


def test_two_arrays_that_take_turns_are_independent_within_a_step():
    source = """
    def f(u0, steps, n):
        u = u0.copy()
        v = np.empty_like(u)
        for t in range(steps):
            for i in range(1, n - 1):
                v[i] = u[i - 1] + u[i + 1]
            u, v = v, u
        return u
    """
    assert [loop.parallel for loop in loops(source)] == [False, True]


def test_a_guarded_maximum_is_marked_for_its_rewrite():
    found = loops(INDEPENDENT["max"][1])[0]
    assert found.reductions[0].operator == "max"
    assert [s.line for s in found.reductions[0].guarded] == [6]


def test_spans_count_characters_not_bytes():
    found = loops("def f(x, n):\n é = 1\n for i in range(n):\n  x[0], é = é, x[i]\n")
    assert found[0].span.line == 5
