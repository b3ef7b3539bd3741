"""Forms of Python that Numba lacks: what each becomes, and that it gives what NumPy gives."""

import textwrap

import numpy as np
import pytest

from jitmagic.backends.protocol import Draft
from tests.backends.numba.harness import assert_same, drafts, reference, run, workload

F64 = np.arange(1.0, 7.0)
F32 = np.arange(1.0, 7.0, dtype="float32")
MATRIX = np.arange(12.0).reshape(3, 4)
INTS = np.arange(9).reshape(3, 3)


def made(source, *args, variant="numba"):
    """Returns the workload, the draft or the refusal, and the lines of the function itself without decorators."""
    work = workload(source, *args)
    draft = drafts(work)[variant]
    if not isinstance(draft, Draft):
        return work, draft.refusal, draft.refusal.reason
    lines = draft.module.text.splitlines()
    start = max(k for k, line in enumerate(lines) if line.startswith("@njit"))
    return work, draft, "\n".join(lines[start + 2 :]) + "\n"


def agrees(work, draft, rtol=1e-12):
    (got, after), (wanted, before) = run(work, draft, "python form"), reference(work)
    assert_same(got, wanted, rtol)
    assert_same(after, before, rtol)


# (source, lines that the function then has, arguments)
FORMS = {
    "a row of values of several types": (
        "def fn(x, n):\n    out = np.zeros((2, 3))\n    out[0] = 0.5, n, x[1] > 0  # first\n"
        "    for k in range(1, 2):\n        out[k, :] = [x[k], k, n]\n    return out\n",
        ["store_row(out[0], (0.5, n, x[1] > 0))  # first", "store_row(out[k, :], (x[k], k, n))"],
        (F64, 3),
    ),
    "a row of values of one type": (
        "def fn(x):\n    out = np.zeros((2, 2))\n    out[0] = x[1], x[0]\n    return out\n",
        ["out[0] = x[1], x[0]"],
        (F64,),
    ),
    "a row of numbers of Python's now and NumPy's then": (
        "def fn(x, a):\n    out = np.zeros((3, 2), dtype=np.int64)\n    for k in range(3):\n        out[k] = k, a\n"
        "        a = x[k]\n    return out\n",
        ["store_row(out[k], (k, a))"],
        (F64, 1.5),
    ),
    "a row that a function returns": (
        "def step(x, k):\n    return x[k] * 2, k\n\n\ndef fn(x):\n    out = np.empty((x.size, 2), dtype=np.float32)\n"
        "    for k in range(x.size):\n        out[k] = step(x, k)\n    return out\n",
        ["store_row(out[k], step(x, k))"],
        (F64,),
    ),
    "elements that change places": (
        "def fn(x, n):\n    y = np.zeros((2, 2), dtype=np.int64)\n    y[0] = x[1], n\n"
        "    y[0] = y[0, 1], y[0, 0] * 1.5\n"
        "    return y\n",
        ["store_row(y[0], (x[1], n))"],
        (F64, 3),
    ),
    "a block": (
        "def fn(a):\n    m = np.zeros((3, 3))\n    m[:2, :2] = [[a, 1], [0, -a]]\n    m[2] = [1.5]\n    return m\n",
        ["store_block(m[:2, :2], ((a, 1), (0, -a)))", "m[2] = 1.5"],
        (2.5,),
    ),
    "a list that is added in place": (
        "def fn(x):\n    x[:2] += [1, 2]\n    return x\n", ["x[:2] += np.array([1, 2])"], (F64,),
    ),
    "names from a generator over values": (
        "def fn(a, b, c):\n    p, q, r = (np.sin(v)**2 for v in (a, b, c))\n"
        "    s, t = [v * w for v, w in ((a, 2), (b, 3))]\n"
        "    u, v = map(np.cos, (a, c))\n    return p, q, r, s, t, u, v, tuple(np.sum(v) for v in (a, b))\n",
        [
            "p, q, r = np.sin(a)**2, np.sin(b)**2, np.sin(c)**2", "s, t = a * 2, b * 3",
            "u, v = np.cos(a), np.cos(c)", "return p, q, r, s, t, u, v, (np.sum(a), np.sum(b))",
        ],
        (F64, MATRIX, 0.5),
    ),
    "a value that would be computed twice": (
        "def fn(a, b):\n    p, q = [v * v for v in (a + 1, b + 2)]\n    return p, q\n",
        ["p, q = [v * v for v in (a + 1, b + 2)]"],
        (F64, F64),
    ),
    "any and all stop early": (
        "def fn(x, y, tol):\n    n = 0\n    for i in range(x.size):\n        if any(abs(x[i] - v) < tol for v in y):\n"
        "            n += 1\n        elif all(v > x[i] for v in y if v != 2):\n            n += 10\n    return n\n",
        ["if any_of(x, i, tol, y):", "elif all_of(x, i, y):"],
        (F64, F64[::2].copy(), 0.25),
    ),
    "grids and joined lists": (
        "def fn(x, n):\n    i, j = np.mgrid[0:n, 1:3]\n    p = np.mgrid[0:1:3j, :2]\n    a, b = np.ogrid[:n, :2]\n"
        "    y = np.concatenate([[1]] + [x[k:k + 2] for k in range(n)])\n    t = 0.0\n    z = [y, x]\n"
        "    for v in reversed(z):\n        t = 2 * t + v[0]\n    return i - j, p, a * b, y, t, np.c_[x, x]\n",
        ["for v in z[::-1]:"],
        (F64, 3),
    ),
    "any of an array": ("def fn(x):\n    return any(x > 5), all([v > 0 for v in x])\n",
        ["return any_of(x > 5), all_of([v > 0 for v in x])"], (F64,)),
    "a variable of the name that is looped over": (
        "def fn(x):\n    return any(x > 5 for x in x)\n", ["return any_of(x)"], (F64,),
    ),
    "the first that is found": (
        "def fn(x, k):\n    i = next((i for i in range(x.size) if x[i] > k), -1)\n"
        "    return i, next(v for v in x if v > 2)\n",
        ["i = first_of(x, k, -1)", "return i, first_of_2(x)"],
        (F64, 3),
    ),
    "reductions of generators": (
        "def fn(x, y):\n    return max(abs(v) for v in x), sum(v * w for v, w in zip(x, y)), "
        "sorted(-v for v in x)[0]\n",
        ["return max([abs(v) for v in x]), sum([v * w for v, w in zip(x, y)]), sorted([-v for v in x])[0]"],
        (F64, F64 + 1),
    ),
    "an array from a generator": (
        "def fn(x):\n    return np.fromiter((v * 2 for v in x), dtype=float, count=x.size)\n",
        ["return np.array([v * 2 for v in x], dtype=np.float64)"],
        (F64,),
    ),
    "a shape with a starred name": (
        "def fn(x):\n    n, *rest = x.shape\n    *lead, m = x.shape\n"
        "    return np.ones((*lead, 2)), rest[0], len(rest), n, m\n",
        ["n, rest = x.shape[0], x.shape[1:]", "lead, m = x.shape[:-1], x.shape[-1]"],
        (MATRIX,),
    ),
    "parts of a result that are not wanted": (
        "def f(x):\n    return x[0], x.size, x[1], x[2]\n\n\ndef fn(x):\n    a, *_ = f(x)\n    *_, d = f(x)\n"
        "    b, c, *_ = f(x)\n    e, *_, g = f(x)\n    h, *i = f(x)\n    return a, b, c, d, e, g, h, i[0]\n",
        [
            "a = f(x)[0]", "d = f(x)[-1]", "b, c = f(x)[:2]", "e, _, _, g = f(x)", "h, i = unpacked(f(x))",
        ],
        (F64,),
    ),
    "an array with a starred name": (
        "def fn(x, m):\n    first, *rest = x\n    *head, last = x\n    top, *rows = m\n"
        "    x[1] = 100.0\n    total = 0.0\n"
        "    for v in rest:\n        total += v\n    return first, total, head[1], last, top, rows[1][0], len(rows)\n",
        ["first, rest = unpacked(x)", "head, last = unpacked_2(x)", "top, rows = unpacked_3(m)"],
        (F64, MATRIX),
    ),
    "an argument that came as a list": (
        "def fn(y0, w):\n    y = np.array(y0, dtype=float)\n    z = np.asarray(y0)\n    z[0] = 7\n"
        "    v = np.zeros(3, int)\n"
        "    return y / 2, z, np.array(w, float), v, y0[0]\n",
        [],
        ([2, 0, 1], [1.5, 2.5]),
    ),
    "a matrix that came as a list of lists": (
        "def fn(rows, x):\n    m = np.array(rows, dtype=float)\n    t = 0\n    for row in rows:\n        t += row[0]\n"
        "    return m @ x, t, len(rows)\n",
        ["m = rows.astype(np.float64)"],
        ([[1, 2], [3, 4], [0, 1]], np.array([1.0, 2.0])),
    ),
    "a list that a helper takes": (
        "def f(y):\n    y = np.array(y, dtype=float)\n    y[0] = -1.0\n    return y\n\n\ndef fn(y0):\n"
        "    return f(y0) + f([1, 2, 3]), y0[0]\n",
        [],
        ([2, 0, 1],),
    ),
    "a copy of a number": (
        "def fn(x):\n    y = x[0].copy()\n    x[0] = 5.0\n    return y\n", ["y = x[0]"], (F64,),
    ),
    "numbers that were never seen": (
        "def fn(cap, step, s, limit):\n    left = limit\n    v = s\n    if limit > 5:\n"
        "        left = min(left, cap[v, 0])\n"
        "        while left > 0:\n            v = step[v]\n            cap[v, 0] -= left\n            left = left - 1\n"
        "    return cap, left\n",
        ["cap[v, 0] -= left"],
        (INTS, np.array([1, 2, 0]), 0, 3),
    ),
    "a list of tuples of several types": (
        "def fn(x):\n    peaks = []\n    for i in range(1, x.size):\n        peaks.append((i, x[i], i > 2))\n"
        "    peaks.sort(key=lambda p: -p[1])\n    return np.array(peaks)\n",
        ["return rows(peaks)"],
        (F64,),
    ),
    "sums of small integers": (
        "def fn(x):\n    y = x.astype(np.int32)\n    for _ in range(3):\n"
        "        y = np.cumsum(y * 1000, dtype=np.int32)\n"
        "    return y, y.prod(dtype=np.int32) // 2\n",
        ["y = (y * np.int32(1000)).astype(np.int32).cumsum().astype(np.int32)"],
        (INTS.ravel(),),
    ),
    "functions of Python's math": (
        "def fn(x, n):\n    return x * math.factorial(n) / math.comb(2 * n, n), math.isqrt(n)\n", [], (F64, 4),
    ),
    "functions within functions": (
        "def fn(x, k):\n    c = 2.0\n\n    # doubles\n    def g(v, n=2):\n        # raised\n        return c * v**n\n\n"
        "    def h(v):\n        return g(v, n=3) + k  # both\n\n    f = lambda v, w: h(v) + w\n    k = k + 1\n"
        "    return f(x, 1) + g(v=x) + sum([f(v, k) for v in x])\n",
        ["return f(x, 1, k, c) + g(c, v=x) + sum([f(v, k, k, c) for v in x])"],
        (F64, 0.5),
    ),
    "a function that calls itself": (
        "def fn(n, k):\n    def steps(m):\n        if m == 1:\n            return 0\n"
        "        return k + steps(m // 2 if m % 2 == 0 else 3 * m + 1)\n\n    return steps(n)\n",
        ["return steps(n, k)"],
        (27, 1),
    ),
    "a generator in a function that stays inside": (
        "def fn(x, y):\n    f = lambda k: any(v > k for v in x)\n    return f(y)\n",
        ["f = lambda k: any_of(k, x)"],
        (F64, 3.0),
    ),
    "a function that is handed on": (
        "def twice(f, v):\n    return f(f(v))\n\n\ndef fn(x):\n    g = lambda v: v * 3\n    return twice(g, x)\n",
        ["return twice(g, x)"],
        (F64,),
    ),
}  # fmt: skip


@pytest.mark.parametrize(("source", "wanted", "args"), FORMS.values(), ids=FORMS)
def test_what_it_becomes_and_that_it_agrees(source, wanted, args):
    work, draft, text = made(source, *args)
    lines = [line.strip() for line in text.splitlines()]
    assert [line for line in wanted if line not in lines] == []
    agrees(work, draft)


PARALLEL = {
    "dots and a new axis": (
        "return m[..., None] - x[:4]",
        "return np.ascontiguousarray(m).reshape(m.shape[0], m.shape[1], 1) - x[:4]",
    ),
    "a slice and a new axis": (
        "return x[1:, None] * x[None, :-1]",
        "return np.ascontiguousarray(x[1:]).reshape(-1, 1) * np.ascontiguousarray(x[:-1]).reshape(1, -1)",
    ),
    "stretched in place": (
        "m += 2 * x[:4]\n    m[:, 1:] -= x[:3, None]\n    return m",
        "m[...] = m + 2 * x[:4]\n    m[:, 1:] = m[:, 1:] - np.ascontiguousarray(x[:3]).reshape(-1, 1)\n"
        "    return m",
    ),
    "a matrix beside more axes": (
        "return x[:, None, None] * m - m",
        "return np.ascontiguousarray(x).reshape(-1, 1, 1) * np.ascontiguousarray(m).reshape(1, m.shape[0], m.shape[1]) "
        "- np.ascontiguousarray(m).reshape(1, m.shape[0], m.shape[1])",
    ),
    "axes of length 1 that fit": (
        "c = m[:, :1].copy()\n    c += m[:, 1:2] * x[0]\n    c[:, :] = c * 2.0\n    return c - 1",
        "c = m[:, :1].copy()\n    c += m[:, 1:2] * x[0]\n    c[:, :] = c * 2.0\n    return c - 1",
    ),
    "stretched into a part": (
        "m[:, 1:] = x[:3, None]\n    m[:2, :2] = (2 * x)[None, :2]\n    return m + 1",
        "m[:, 1:] = np.broadcast_to(np.ascontiguousarray(x[:3]).reshape(-1, 1), m[:, 1:].shape)\n"
        "    m[:2, :2] = np.broadcast_to(np.ascontiguousarray((2 * x)[:2]).reshape(1, -1), m[:2, :2].shape)\n"
        "    return m + 1",
    ),
    "an index and a new axis": (
        "return m[0, :, None] + x", "return np.ascontiguousarray(m[0, :]).reshape(-1, 1) + x",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("before", "after"), PARALLEL.values(), ids=PARALLEL)
def test_axes_of_length_one_are_shown_in_parallel(before, after):
    work, draft, text = made(f"def fn(x, m):\n    {before}\n", F64, MATRIX, variant="numba-parallel")
    assert text == f"    {after}\n"
    agrees(work, draft)


def test_a_view_with_a_new_axis_is_stored_through_in_parallel():
    source = "def fn(x, m):\n    v = m[:, 1:3, None]\n    v[...] = 0.0\n    x[:, None] = 7.0\n    return m + x[0]\n"
    work, draft, text = made(source, F64, MATRIX, variant="numba-parallel")
    assert "v = m[:, 1:3, None]" in text
    agrees(work, draft)


def test_a_comparison_that_stretches_from_elsewhere_is_refused_in_parallel():
    source = "def fn(m):\n    k = m[:1]\n    return (m < k) * 2.0\n"
    assert "axis of length 1 of `k`" in made(source, MATRIX, variant="numba-parallel")[2]


def test_another_number_of_places_is_refused_as_numpy_refuses_it():
    work, draft, _ = made("def fn(out, n):\n    out[0] = 1.5, n\n    return out\n", np.zeros((1, 2)), 2)
    wide = workload(work.module.text.split("\n\n\n", 1)[1], np.zeros((1, 3)), 2)
    with pytest.raises(ValueError, match="could not broadcast"):
        run(wide, draft, "row")


def test_lifted_functions_keep_their_comments_and_lines():
    source = textwrap.dedent("""\
        def fn(x, k):
            # scaled
            def g(v):
                return k * v  # times k

            return g(x) + g(2 * x)
    """)
    _, draft, _ = made(source, F64, 2.0)
    assert draft.module.text.split("\n\n\n", 1)[1] == textwrap.dedent("""\
        # scaled
        @njit(error_model="numpy")
        def g(v, k):
            return k * v  # times k


        @njit(error_model="numpy")
        def fn(x, k):
            return g(x, k) + g(2 * x, k)
    """)
    lines = draft.module.text.splitlines()
    assert draft.module.origin_line(lines.index("def g(v, k):") + 1) == 3
    assert draft.module.origin_line(lines.index("    return k * v  # times k") + 1) == 4


STAYS = {
    "called at one place": "f = lambda v: v + k\n    return f(x)",
    "bound twice": "f = lambda v: v + 1\n    if k > 0:\n        f = lambda v: v + k\n    return f(x)",
    "in a branch": "if k > 0:\n        f = lambda v: v + k\n    else:\n        f = lambda v: v - k\n    return f(x)",
    "a default that is computed": "f = lambda v, w=k: v + w\n    return f(x) + f(k)",
    "a read that means another name at a call": (
        "f = lambda v: v + k\n    g = lambda k: f(x) + k\n    return g(1.0)"
    ),
}  # fmt: skip


@pytest.mark.parametrize("body", STAYS.values(), ids=STAYS)
def test_functions_that_have_to_stay_inside(body):
    text = made(f"def fn(x, k):\n    {body}\n", F64, 2.0)[2]
    assert "f = lambda v" in text


REFUSED = {
    "a starred list that grows": (
        "def fn(x):\n    a, *rest = x\n    rest.append(a)\n    return rest[0]\n", 2, "`rest` is a list in Python",
    ),
    "a starred list that is returned": ("def fn(x):\n    a, *rest = x\n    return rest\n", 2, "line 3 needs one"),
    "a generator that is looped over": (
        "def fn(x):\n    t = 0.0\n    for v in (w * 2 for w in x):\n        t += v\n    return t\n", 3,
        "no generator expressions",
    ),
    "a generator that assigns": (
        "def fn(x):\n    return any((y := v) > 3 for v in x), y\n", 2, "with `:=`",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("source", "line", "reason"), REFUSED.values(), ids=REFUSED)
def test_what_has_no_form_is_refused_with_its_line(source, line, reason):
    refusal = made(source, F64)[1]
    assert refusal.line == line
    assert reason in refusal.reason
