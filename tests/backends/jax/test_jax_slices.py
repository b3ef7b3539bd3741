"""Slices whose length changes in a loop: each function is compared on its example and on another size."""

import inspect

import numpy as np
import pytest

from tests.backends.jax.jax_workbench import agrees, refused, run_both, same

RNG = np.random.default_rng(0)
HEAD = "import numpy as np\n\n\n"


def both_sizes(source, *makers):
    """Compares with NumPy on each set of arguments; the draft is that of the first."""
    made, ours, theirs = run_both(HEAD + source, *makers[0])
    same(ours, theirs, made.text)
    for args in makers[1:]:
        scope = {}
        exec(HEAD + source, scope)
        name = made.draft.entry
        copies = [a.copy() if isinstance(a, np.ndarray) else a for a in args]
        expected = scope[name](*copies)
        mine = [a.copy() if isinstance(a, np.ndarray) else a for a in args]
        actual = made.runtime.to_host(made.function(*mine))
        same(actual, expected, made.text)
        if made.draft.written:
            same(mine, copies, made.text)
    return made.text


def spd(n):
    a = RNG.random((n, n))
    return a @ a.T + n * np.eye(n)


def prefix_sums(x):
    y = np.zeros(len(x))
    for i in range(1, len(x)):
        y[i] = x[:i].sum()
    return y


def prefix_sums_args(n):
    return (RNG.random(n),)


def means_so_far(x):
    y = np.zeros(len(x))
    for i in range(len(x)):
        y[i] = np.mean(x[: i + 1])
    return y


def means_so_far_args(n):
    return (RNG.random(n),)


def moving_window_cut_at_the_ends(x, r):
    n = len(x)
    y = np.empty(n)
    for i in range(n):
        lo = max(0, i - r)
        hi = min(n, i + r + 1)
        y[i] = x[lo:hi].max()
    return y


def moving_window_cut_at_the_ends_args(n):
    return (RNG.random(n), 2)


def selection_sort(x):
    a = x.copy()
    for i in range(len(a)):
        k = i + np.argmin(a[i:])
        a[i], a[k] = a[k], a[i]
    return a


def selection_sort_args(n):
    return (RNG.random(n),)


def lu_without_pivots(A):
    n = A.shape[0]
    U = A.copy()
    L = np.eye(n)
    for k in range(n - 1):
        L[k + 1 :, k] = U[k + 1 :, k] / U[k, k]
        U[k + 1 :, k:] -= np.outer(L[k + 1 :, k], U[k, k:])
    return L, U


def lu_without_pivots_args(n):
    return (spd(n),)


def back_substitution(U, b):
    n = len(b)
    x = np.zeros(n)
    for i in range(n - 1, -1, -1):
        x[i] = (b[i] - np.dot(U[i, i + 1 :], x[i + 1 :])) / U[i, i]
    return x


def back_substitution_args(n):
    return (np.triu(spd(n)), RNG.random(n))


def a_named_part(x):
    out = np.zeros(len(x))
    for i in range(2, len(x)):
        seg = x[i - 2 :]
        c = seg - seg.mean()
        out[i] = np.sum(c * c) + len(seg) + seg[0]
    return out


def a_named_part_args(n):
    return (RNG.random(n),)


def shifted(c):
    v = c.copy()
    for i in range(len(v) - 1, 0, -1):
        v[:i] = 0.5 * (v[:i] + v[1 : i + 1])
    return v[0]


def shifted_args(n):
    return (RNG.random(n),)


def two_axes(A):
    A = A.copy()
    for k in range(len(A)):
        A[k:, k:] += 0.1
    return A


def two_axes_args(n):
    return (RNG.random((n, n)),)


def matrix_times_part(A, x):
    y = np.zeros(len(x))
    for i in range(len(x)):
        y += A[:, :i] @ x[:i]
    return y


def matrix_times_part_args(n):
    return (RNG.random((n, n)), RNG.random(n))


def up_to_a_position_found(x):
    k = np.argmax(x)
    return x[: k + 1].min(), x[k:].sum()


def up_to_a_position_found_args(n):
    return (RNG.random(n),)


def multiples(n):
    p = np.ones(n + 1, dtype=bool)
    p[:2] = False
    for i in range(2, int(n**0.5) + 1):
        if p[i]:
            p[i * i :: i] = False
    return p


def multiples_args(n):
    return (n,)


def a_bound_below_zero_counts_from_the_end(x, s):
    out = np.zeros(len(s))
    for j in range(len(s)):
        out[j] = x[s[j] :].sum()
    return out


def a_bound_below_zero_counts_from_the_end_args(n):
    return (RNG.random(n), np.array([0, -1, 3, -3, -n - 2]))


def integers(x):
    y = np.zeros(len(x), dtype=np.int64)
    for i in range(len(x)):
        y[i] = x[i:].max() + x[: i + 1].argmin()
    return y


def integers_args(n):
    return (RNG.integers(-9, 9, n),)


def rows_up_to_here(A):
    out = np.zeros(A.shape)
    for i in range(1, A.shape[0]):
        out[i] = A[:i].mean(axis=0)
    return out


def rows_up_to_here_args(n):
    return (RNG.random((n, 3)),)


def the_rest_is_filled(x):
    y = x.copy()
    for i in range(len(y)):
        if y[i] > 0.9:
            y[i:] = y[i]
    return y


def the_rest_is_filled_args(n):
    return (RNG.random(n),)


CASES = {name: value for name, value in globals().items() if f"{name}_args" in globals()}


@pytest.mark.parametrize("name", CASES)
def test_a_slice_of_changing_length_is_a_mask(name):
    args = globals()[f"{name}_args"]
    both_sizes(inspect.getsource(CASES[name]), args(9), args(17))


def test_a_search_among_equals_finds_the_first_that_counts():
    source = "import numpy as np\n\n\ndef fn(x, k):\n    i = np.argmin(np.abs(x - k))\n    return np.argmax(x[i:])\n"
    agrees(source, np.array([5.0, 4.0, -np.inf, -np.inf]), 4.0)


def test_what_lies_outside_does_not_count_even_if_it_is_infinite():
    text = agrees(
        HEAD + "def fn(x, y):\n    s = 0.0\n    for i in range(1, 40):\n        s += x[:i] @ y[:i]\n    return s\n",
        np.r_[RNG.random(45), np.inf, np.nan],
        np.r_[RNG.random(45), 0.0, 1.0],
    )
    assert "where=jnp.arange(x.shape[0]) < i" in text


def test_a_part_is_refused_where_its_length_would_be_the_results():
    found = refused(HEAD + "def fn(x):\n    k = np.argmax(x)\n    return x[:k]\n", RNG.random(9))
    assert found.line == 6


def every_second_from_a_moving_start(u, n):
    for colour in range(2):
        for i in range(1, n - 1):
            first = 1 + (i + colour) % 2
            for j in range(first, n - 1, 2):
                u[i, j] += 0.9 * (0.25 * (u[i - 1, j] + u[i + 1, j] + u[i, j - 1] + u[i, j + 1]) - u[i, j])
            for j in range(n - first, 0, -3):
                u[i, j] *= 1 + j / 100
    return u


def a_row_where_it_is_smaller(W, n):
    best = W[0].copy()
    last = W[:, 1].copy()
    came = np.zeros(n, dtype=int)
    for k in range(1, n):
        closer = W[k] < best
        best[closer] = W[k, closer] + 0.5
        higher = W[:, k] > last
        last[higher] = 2 * W[higher, k]
        came[closer] = k
    return best, came, last


@pytest.mark.parametrize("function", [every_second_from_a_moving_start, a_row_where_it_is_smaller])
def test_moving_starts_and_rows_of_a_mask(function):
    text = both_sizes(inspect.getsource(function), (RNG.random((9, 9)), 9), (RNG.random((17, 17)), 17))
    assert "lax." in text


def reflectors(A):
    A = A.copy()
    n = A.shape[1]
    signs = np.zeros(n)
    for k in range(n):
        x = A[k:, k].copy()
        x[0] += np.copysign(np.linalg.norm(x), x[0])
        signs[k] = x[0]
        v = x / np.linalg.norm(x)
        A[k:, k:] -= 2 * np.outer(v, v @ A[k:, k:])
    return A, signs


def columns_through_views(A):
    A = A.copy()
    for k in range(A.shape[0] - 1):
        col = A[k:, k]
        col[1] *= 2.0
        col /= 3.0 + A[0, 0]
        row = A[k, k:].copy()
        row *= 0.5
        row -= A[k, k:]
        A[-1, k] += row.sum()
    return A


@pytest.mark.parametrize("function", [reflectors, columns_through_views])
def test_copies_stay_copies_and_views_change_inside_of_their_part_alone(function):
    both_sizes(inspect.getsource(function), (RNG.random((7, 5)),) if function is reflectors else (RNG.random((6, 6)),),
               (RNG.random((12, 9)),) if function is reflectors else (RNG.random((9, 9)),))  # fmt: skip


def test_what_is_added_in_place_to_an_array_says_nothing_of_its_shape():
    source = """
def settle(x, tol):
    r = np.ones(len(x))
    while True:
        new = x*0.5 + 0.1*r
        new += r.sum()*0.01
        if np.abs(new - r).sum() < tol:
            return new
        r = new
"""
    text = both_sizes(source, (RNG.random(6), 1e-9), (RNG.random(9), 1e-6))
    assert "jax.lax.while_loop" in text


def numbers_from_a_moving_start(x):
    s = 0.0
    for k in range(len(x)):
        m = np.argmax(x[: k + 1])
        s += (2 * np.arange(m, k + 1)).sum()
    return s


def test_a_factor_before_a_range_with_a_moving_start_takes_all_of_it():
    text = both_sizes(inspect.getsource(numbers_from_a_moving_start), (RNG.random(40),), (RNG.random(53),))
    assert "2 * (m + jnp.arange(len(x)))" in text
