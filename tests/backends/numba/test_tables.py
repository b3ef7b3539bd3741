"""What loops would work out again and again is worked out once: turns, powers, columns; rows take all steps at once."""

import textwrap

import numpy as np
import pytest

from tests.backends.numba.harness import BOTH, source_of, workload
from tests.backends.numba.test_windows import check, compiled, matrix, written


def text_of(source, *args, variant="numba"):
    return source_of(workload(source, *args), variant)


# -- turns

DFT = """
def fn(x):
    N = len(x)
    n = np.arange(N)
    k = n.reshape((N, 1))
    return np.exp(-2j*np.pi*k*n/N) @ x
"""


def test_exponentials_of_whole_turns_are_looked_up():
    text = check(DFT, (matrix(1, 9)[0],), *((matrix(1, n)[0],) for n in (1, 2, 16, 31)))
    assert "values[number] = np.exp(-2j*np.pi * number / N)" in text
    assert "total += values[turn] * x[j]" in text


def test_a_matrix_of_turns_that_is_needed_is_looked_up():
    text = check(DFT.replace(" @ x", " + x[0]"), (matrix(1, 9)[0],), *((matrix(1, n)[0],) for n in (1, 2, 16)))
    assert "out[i, j] = values[a[i, 0] * b[j] % period]" in text


@pytest.mark.parametrize(
    ("expression", "table"),
    [
        ("np.cos(np.pi*k*(2*n + 1)/(2*N))", "values[number] = np.cos(np.pi * number / 2 / N)"),
        ("np.sin(np.pi*k*n/N)", "values[number] = np.sin(np.pi * number / N)"),
        ("np.exp(2j*np.pi/N*k*n)", "values[number] = np.exp(2j*np.pi * number / N)"),
        ("np.exp(-(1j*np.pi*n*k)/N)", "values[number] = np.exp(-1j*np.pi * number / N)"),
    ],
)
def test_constants_that_are_parts_of_pi(expression, table):
    source = f"""
    def fn(N, more):
        n = np.arange(N) - 2
        k = np.arange(N + more)[:, None]
        return {expression}
    """
    text = check(source, (7, 2), (1, 0), (2, 40), (12, 0))
    assert table in text


def test_fewer_elements_than_values_are_worked_out_as_they_stand():
    source = """
    def fn(k, n, N):
        return np.exp(-2j*np.pi*k[:, None]*n/N)
    """
    few = np.arange(3), np.arange(4)
    text = check(source, (*few, 5), (*few, 1000), (*few, 12), (*few, 13), (np.arange(0), np.arange(2), 4))
    assert "if period < 1 or period > out.size:" in text


@pytest.mark.parametrize(
    "expression",
    [
        "np.exp(-2.5j*k*n/N)",  # no part of pi
        "np.exp(-2*np.pi*k*n/N)",  # does not turn
        "np.exp(-2j*np.pi*k*t/N)",  # t is no whole number
        "np.exp(-2j*np.pi*n/N)",  # each value once
        "np.cos(np.pi*k*n)",  # no period
        "np.tanh(np.pi*k*n/N)",
    ],
)
def test_what_has_no_period_stays(expression):
    source = f"""
    def fn(k, n, t, N):
        return {expression}
    """
    args = np.arange(3)[:, None], np.arange(4), np.arange(4) / 3, 6
    assert "period" not in text_of(source, *args)
    check(source, args)


def test_turns_run_in_threads_in_the_parallel_variant():
    text = text_of(DFT, matrix(1, 9)[0], variant="numba-parallel")
    assert "for i in prange(a.shape[0]):" in text


# -- tables of functions of np.arange

TREE = """
def fn(S, K, u, p, N):
    C = np.maximum(0, K - S*u**np.arange(N + 1))
    for i in np.arange(N - 1, -1, -1):
        x = S*u**np.arange(i, -1, -1)*u**np.arange(0, i + 1, 1)
        C[:i+1] = p*C[1:i+2] + (1 - p)*C[:i+1]
        C = C[:-1]
        C = np.maximum(C, K - x)
    return C[0]
"""


def test_powers_of_ranges_that_move_are_worked_out_once():
    text = check(TREE, (1.0, 1.1, 1.2, 0.4, 6), *((1.0, 1.1, 1.2, 0.4, n) for n in (1, 2, 20)))
    assert "powers[k] = S*u**(N - 1 - k)" in text
    # `x` has one use, where it is worked out
    assert "update_C(C, K, powers[N - 1 - i:], powers_b, i + 1)" in text
    assert "C[i] = p * C[i + 1] + c * C[i]" in text


RANGES = [
    ("range(n)", "np.arange(i)"),
    ("range(n)", "np.arange(2, i + 1)"),
    ("range(1, n)", "np.arange(i - 1, n)"),
    ("range(n)", "np.arange(i, i + 3)"),
    ("range(n)", "np.arange(i, 2, -1)"),
    ("range(n, 0, -1)", "np.arange(n, i, -1)"),
    ("range(n - 1, -1, -2)", "np.arange(i + 2, i - 1, -1)"),
    ("range(0, n, 3)", "np.arange(i - 2, i)"),
    ("range(-n, n)", "np.arange(i)"),
    ("range(n)", "np.arange(m, i)"),
    ("range(n)", "np.arange(4)"),
]


@pytest.mark.parametrize(("loop", "numbers"), RANGES)
def test_every_part_of_a_table_is_what_was_worked_out(loop, numbers):
    source = f"""
    def fn(q, n, m):
        total = np.zeros(60)
        for i in {loop}:
            w = 3*np.exp(-q*{numbers})
            total[:w.size] += 2*w
            w[...] = 7.0
            total[:w.size] += q**{numbers} + w
        return total
    """
    text = check(source, (0.7, 9, 3), *((0.7, n, m) for n in (0, 1, 2, 17) for m in (0, 5)))
    assert "table[k] = 3*np.exp(" in text
    assert ".copy()" in text  # `w` is stored into


@pytest.mark.parametrize(
    "line",
    [
        "total += np.sum(q**np.arange(2*i))",
        "total += np.sum(x[i]**np.arange(i))",
        "total += np.sum(np.arange(i)*2.0)",
        "n = 3; total += np.sum(q**np.arange(n))",
        "total += np.sum(q**np.arange(0, i, 2))",
        "total += np.sum(2**np.arange(i))",
        "total += np.sum(q**np.arange(i)); n = n - 1",
    ],
)
def test_what_moves_otherwise_or_is_cheap_stays(line):
    source = f"""
    def fn(q, n, x):
        total = 0.0
        for i in range(n):
            {line}
        return total
    """
    args = 0.5, 6, matrix(1, 9)[0]
    text = text_of(source, *args)
    assert "table" not in text
    assert "powers" not in text
    check(source, args)


# -- columns

PAIRS = """
def fn(X):
    n, p = X.shape
    S = np.zeros((p, p))
    for a in range(p):
        for b in range(a + 1):
            S[a, b] = X[:, a] @ X[:, b] + np.sum(X[:, a]*2)
    return S
"""


def test_columns_that_loops_read_are_copied_once():
    text = check(PAIRS, (matrix(40, 3),), (matrix(1, 2),), (matrix(50, 0),))
    assert "X_columns = np.ascontiguousarray(X.T)" in text
    assert "vector_product(X_columns[a], X_columns[b])" in text


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("S[a, b] = ", "X[0, 0] = S[a, b] = "),
        ("for b in range(a + 1):", "X = X + 1\n        for b in range(a + 1):"),
        ("X[:, a] @ X[:, b] + np.sum(X[:, a]*2)", "X[0, a]"),
    ],
)
def test_columns_of_an_array_that_changes_are_read_where_they_are(old, new):
    source = textwrap.dedent(PAIRS).replace(old, new)
    assert "_columns" not in text_of(source, matrix(40, 3))
    check(source, (matrix(40, 3),))


def test_short_columns_are_not_copied():
    assert "_columns" not in text_of(PAIRS, matrix(20, 3))


# -- rows that take all steps at once

CONVOLUTION = """
def fn(image, kernel):
    kh, kw = kernel.shape
    h, w = image.shape
    out = np.zeros((h - kh + 1, w - kw + 1))
    for dy in range(kh):
        for dx in range(kw):
            out += kernel[dy, dx]*image[dy:dy + out.shape[0], dx:dx + out.shape[1]]
    return out
"""


def test_rows_take_all_steps_of_a_convolution():
    text = check(
        CONVOLUTION,
        (matrix(9, 8), matrix(3, 2)),
        *((matrix(n, m), matrix(a, b)) for n, m, a, b in ((5, 5, 5, 5), (4, 7, 1, 1), (6, 3, 2, 3))),
    )
    assert "for dy in range(kh):\n            for dx in range(kw):\n                factor = kernel[dy, dx]" in text
    assert "out[i, j] += factor * image[i + dy, j + dx]" in text
    assert "for i in prange(out.shape[0])" in text_of(CONVOLUTION, matrix(9, 8), matrix(3, 2), variant="numba-parallel")


@pytest.mark.parametrize(
    "body",
    [
        "# twice; w = k[i]*2; out -= w*x[i:i + n, 1:m + 1] + y",
        "s = i - 1 + 1; out += k[i]*x[s:s + n, :m]",
        "out += k[i]*x[i - 9:i - 9 + n, :m]",
        "out += k[i]*x[i:i + n, :m] - np.sqrt(np.abs(y))*c",
        "out += k[i]*x[:n, i:i + m]",
    ],
)
def test_steps_over_windows(body):
    lines = "\n            ".join(part.strip() for part in body.split(";"))
    source = f"""
    def fn(x, y, k, c):
        n, m = y.shape
        out = np.ones((n, m))
        for i in range(k.size):
            {lines}
        return out
    """
    args = matrix(9, 8), matrix(4, 3, 1), matrix(1, 3)[0], 0.5
    text = check(source, args, (matrix(5, 4), matrix(4, 3, 1), matrix(1, 3)[0], 0.5), (*args[:2], np.zeros(0), 1.0))
    assert "row by row" in text
    assert ("# twice" in text) == ("# twice" in body)


@pytest.mark.parametrize(
    "body",
    [
        "out += k[i]*out[::-1]",
        "out += k[i]*x[i:i + n, :m]\n            k[i] = out[0, 0]",
        "s = out[0, 0]\n            out += s*x[i:i + n, :m]",
        "out += k[i]*x[i:i + n, 0]",
        "out += k[i]*x[i, :m]",
        "out += k[i]*view[:n, :m]",
        "out += out[0, 1]*x[i:i + n, :m]",
    ],
)
def test_steps_that_need_one_another_stay(body):
    source = f"""
    def fn(x, k):
        n, m = 3, 3
        out = np.ones((n, m))
        view = out[:, :]
        for i in range(k.size):
            {body}
        return out
    """
    args = matrix(9, 8), matrix(1, 4)[0]
    assert "row by row" not in text_of(source, *args)
    check(source, args)


def test_a_number_that_is_needed_behind_the_loop_keeps_it():
    source = """
    def fn(x, k):
        out = np.ones((3, 3))
        for i in range(k.size):
            w = k[i]
            out += w*x[i:i + 3, :3]
        return out + w + i
    """
    args = matrix(9, 8), matrix(1, 4)[0]
    assert "row by row" not in text_of(source, *args)
    check(source, args)


# -- products of vectors

PRODUCTS = """
def fn(A, x):
    n = A.shape[0]
    out = np.zeros(n)
    for i in range(n):
        out[i] = np.dot(A[i, :i], x[:i]) + A[:, i] @ x - A[i].dot(A[::-1, i])
    return out
"""


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_products_of_vectors_in_loops_are_added_up_in_place(dtype):
    args = matrix(20, 20).astype(dtype), matrix(1, 20)[0].astype(dtype)
    draft = written(PRODUCTS, args)
    got = compiled(draft, workload(PRODUCTS, *args))(*args)
    scope = {"np": np}
    exec(textwrap.dedent(PRODUCTS), scope)
    np.testing.assert_allclose(got, scope["fn"](*args), rtol=1e-12 if dtype == "float64" else 1e-4)
    assert 'fastmath={"reassoc", "contract"}' in draft.module.text
    assert "vector_product(A[i, :i], x[:i])" in draft.module.text
    assert "vector_product(A[i], A[::-1, i])" in draft.module.text


def test_products_of_vectors_keep_what_is_no_number():
    source = """
    def fn(x, y, n):
        out = np.zeros(n)
        for i in range(n):
            out[i] = np.dot(x[i:], y[i:])
        return out
    """
    x, y = matrix(1, 40)[0], matrix(1, 40, 1)[0]
    x[30], y[20], x[10], y[10] = np.nan, np.inf, np.inf, 0.0
    check(source, (x, y, 40))
    check(source, (x, y, 40), (x[:5], y[:5], 3))


def test_vectors_of_different_lengths_are_refused():
    source = """
    def fn(x, y, n):
        out = np.zeros(n)
        for i in range(n):
            out[i] = np.dot(x[i:], y[i:])
        return out
    """
    args = matrix(1, 30)[0], matrix(1, 30, 1)[0], 3
    function = compiled(written(source, args), workload(source, *args))
    with pytest.raises(ValueError, match="aligned"):
        function(args[0][:7], args[1], 3)


# -- running extremes and rolls


@pytest.mark.parametrize("name", ["maximum", "minimum"])
def test_running_extremes_keep_what_is_no_number(name):
    source = f"""
    def fn(x):
        return np.{name}.accumulate(x)
    """
    x = matrix(1, 12)[0]
    gaps = x.copy()
    gaps[5] = np.nan
    first = x.copy()
    first[0] = np.nan
    check(source, (x,), (gaps,), (first,), (x[:0],), (x[:1],))
    check(source, (np.array([3, 1, 4, 1, 5]),))


@pytest.mark.parametrize("variant", BOTH)
@pytest.mark.parametrize("shape", [(6, 5), (1, 1), (2, 1), (0, 3)])
def test_rolls_by_one_look_at_the_neighbour(variant, shape):
    source = """
    def fn(s):
        right = np.roll(s, -1, axis=1)
        left = np.roll(s, 1, axis=1)
        down = np.roll(s, -1, axis=0)
        return np.sum(s*(right + down) - left)
    """
    args = (matrix(6, 5),)
    draft = written(source, args, variant)
    given = matrix(*shape)
    scope = {"np": np}
    exec(textwrap.dedent(source), scope)
    assert compiled(draft, workload(source, *args))(given) == pytest.approx(scope["fn"](given), abs=1e-12)
    assert "j + 1 if j + 1 < s.shape[1] else 0" in draft.module.text


# -- what one statement alone uses

STEP = """
def fn(x, y, n):
    c = x + 1
    for i in range(n):
        s = x*2 + y
        {between}
        c = np.maximum(c*0.5, y - s)
    return c
"""


def test_what_one_statement_uses_is_worked_out_there():
    source = STEP.format(between="d = i, 1")  # nothing for a nest
    text = text_of(source, matrix(1, 30)[0], matrix(1, 30, 1)[0], 3)
    assert "y[i] - (x[i] * 2 + y[i])" in text
    check(source, (matrix(1, 30)[0], matrix(1, 30, 1)[0], 3), (matrix(1, 4)[0], matrix(1, 4, 1)[0], 2))


@pytest.mark.parametrize(
    "between",
    [
        "x[0] = i",  # changes what it was made of
        "x = x + 1",
        "c = c + s",  # a second use
        "if i > 1:\n            c = c + 1",
        "y[:] = c",
        "view = x[1:]\n        view[0] = 2.0",
    ],
)
def test_what_is_used_twice_or_changes_in_between_stays(between):
    source = STEP.format(between=between)
    args = matrix(1, 30)[0], matrix(1, 30, 1)[0], 3
    assert "y[i] - (x[i] * 2 + y[i])" not in text_of(source, *args)
    check(source, args)


def test_a_store_does_not_take_what_it_would_overwrite():
    source = """
    def fn(x, n):
        for i in range(n):
            s = x[::-1]*2 + 1
            x += s*0.1
        return x
    """
    check(source, (matrix(1, 30)[0], 3))
    source = """
    def fn(x, n):
        for i in range(n):
            x += 0.1*x[::-1]
        return x
    """
    check(source, (matrix(1, 30)[0], 3))
