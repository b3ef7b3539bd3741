"""Loops as whole arrays, growing lists, nested functions, named selections: on two sizes, and their sources."""

import inspect

import numpy as np
import pytest

from tests.backends.jax.jax_workbench import agrees, make
from tests.backends.jax.test_jax_slices import both_sizes

RNG = np.random.default_rng(1)
HEAD = "import numpy as np\n\n\n"


def squares_and_their_sum(x):
    y = np.zeros(len(x))
    total = 0.0
    for i in range(len(x)):
        y[i] = x[i] ** 2
        total += x[i] ** 2
    return y, total


def squares_and_their_sum_args(n):
    return (RNG.random(n),)


def neighbours(u):
    v = np.zeros_like(u)
    for i in range(1, len(u) - 1):
        v[i] = 0.5 * (u[i - 1] + u[i + 1]) - u[i]
    return v


def neighbours_args(n):
    return (RNG.random(n),)


def columns(A, w):
    B = np.empty(A.shape)
    for j in range(A.shape[1]):
        B[:, j] = A[:, j] * w[j] + A[:, 0]
    return B


def columns_args(n):
    return RNG.random((n, n + 2)), RNG.random(n + 2)


def rows_are_filled_by_numbers(A):
    B = np.zeros(A.shape)
    for i in range(A.shape[0]):
        B[i] = A[i].max()
    return B


def rows_are_filled_by_numbers_args(n):
    return (RNG.random((n, n)),)


def table_of_two(x, y):
    T = np.zeros((len(x), len(y)))
    for i in range(len(x)):
        for j in range(len(y)):
            s = 0
            for k in range(3):
                s += (x[i] - y[j]) * k
            T[i, j] = s
    return T


def table_of_two_args(n):
    return RNG.random(n), RNG.random(n + 1)


def in_place_sweeps(u, n):
    for _ in range(n):
        for i in range(1, u.shape[0] - 1):
            for j in range(1, u.shape[1] - 1):
                u[i, j] = 0.25 * (u[i - 1, j] + u[i + 1, j] + u[i, j - 1] + u[i, j + 1])
        for i in range(u.shape[0] - 2, 0, -1):
            for j in range(u.shape[1] - 2, 0, -1):
                u[i, j] += 0.1 * (u[i + 1, j] - u[i, j + 1])
    return u


def in_place_sweeps_args(n):
    return RNG.random((n, n + 1)), 3


def three_before(x):
    y = x.copy()
    for t in range(3, len(y)):
        y[t] = 0.5 * y[t - 1] - 0.2 * y[t - 3] + x[t - 2]
    return y


def three_before_args(n):
    return (RNG.random(n),)


def a_history_of_rows(u0, n):
    u = np.zeros((n + 1, len(u0)))
    u[0] = u0
    u[1] = u0 * 0.9
    for k in range(1, n):
        for i in range(1, len(u0) - 1):
            u[k + 1, i] = 2 * u[k, i] - u[k - 1, i] + 0.1 * (u[k, i + 1] - 2 * u[k, i] + u[k, i - 1])
        u[k + 1, 0] = 0
        u[k + 1, -1] = u[k + 1, -2]
    return u


def a_history_of_rows_args(n):
    return RNG.random(n), n


def wraps_at_the_first_step(x):
    y = x.copy()
    for i in range(len(y)):
        y[i] = 0.5 * (y[i] + y[i - 1])
    return y


def wraps_at_the_first_step_args(n):
    return (RNG.random(n),)


def sometimes_stored(x):
    y = np.zeros(len(x))
    for i in range(1, len(x)):
        if x[i] > 0.5:
            y[i] = y[i - 1] + 1
    return y


def sometimes_stored_args(n):
    return (RNG.random(n),)


def whole_numbers_cut_what_is_stored(x):
    y = np.zeros(len(x), dtype=np.int64)
    for i in range(1, len(x)):
        y[i] = y[i - 1] + 3 * x[i]
    return y


def whole_numbers_cut_what_is_stored_args(n):
    return (RNG.random(n),)


def both_triangles(X):
    S = np.empty((len(X), len(X)))
    for a in range(len(X)):
        for b in range(a + 1):
            S[a, b] = S[b, a] = X[a] @ X[b]
    return S


def both_triangles_args(n):
    return (RNG.random((n, 3)),)


def both_triangles_not_alike(X):
    S = np.zeros((len(X), len(X)))
    for a in range(len(X)):
        for b in range(a, len(X)):
            S[a, b] = X[a] - X[b]
            S[b, a] = 2 * X[a] + X[b]
    return S


def both_triangles_not_alike_args(n):
    return (RNG.random(n),)


def sums_below(x):
    y = np.zeros(len(x))
    for i in range(len(x)):
        for j in range(i):
            if x[j] < x[i]:
                y[i] += x[j]
    return y


def sums_below_args(n):
    return (RNG.random(n),)


def lower_triangle(x):
    L = np.full((len(x), len(x)), -1.0)
    for i in range(len(x)):
        for j in range(i + 1):
            L[i, j] = x[i] * x[j]
    return L


def lower_triangle_args(n):
    return (RNG.random(n),)


def every_index(A):
    B = np.zeros(A.shape)
    for i in np.ndindex(A.shape):
        B[i] = A[i] ** 2
    for i, j in np.ndindex(*A.shape):
        B[i, j] += A[j % 3, 0]
    return B


def every_index_args(n):
    return (RNG.random((n, n)),)


def weights_of_labels(w, labels, k):
    return np.bincount(labels, weights=w, minlength=k) / np.maximum(np.bincount(labels, minlength=k), 1)


def weights_of_labels_args(n):
    return RNG.random(n), RNG.integers(0, 5, n), 6


def anti_diagonals(A):
    n = A.shape[0]
    out = np.zeros(2 * n - 1)
    for i in range(n):
        for j in range(n):
            out[i + j] += A[i, j]
    return out


def anti_diagonals_args(n):
    return (RNG.random((n, n)),)


def index_arrays(x, idx, A):
    y = np.zeros(3 * len(x))
    for i in range(len(x)):
        y[i + idx] = x[i]
    B = np.zeros((len(x), 3, len(idx)))
    for i in range(len(x)):
        B[i, :, idx] = A[i, 0]
    return y, B


def index_arrays_args(n):
    return RNG.random(n), RNG.permutation(n), RNG.random((n, 3))


def counted_from_one(w, grads):
    count = 0
    for t, g in enumerate(grads, start=1):
        w = w - 0.1 * g / t
        count += 1
    for _ in range(len(w)):
        count += 1
    return w, count


def counted_from_one_args(n):
    return RNG.random(n), RNG.random((n, n))


def two_buffers(a, b, n):
    for _ in range(n):
        for i in range(1, len(a) - 1):
            b[i] = 0.5 * (a[i - 1] + a[i + 1])
        a, b = b, a


def two_buffers_args(n):
    return RNG.random(n), RNG.random(n), n // 2 + 1


def returns_its_lists(x0, n):
    xs = []
    rows = []
    x = x0
    for i in range(n):
        xs.append(x)
        rows.append(np.array([x, i]))
        x = x + 0.1 * np.sin(x)
    return xs, x, rows


def returns_its_lists_args(n):
    return 0.5, n


def windows_by_a_step(x, w):
    means = []
    for s in range(0, len(x) - w + 1, w):
        means.append(x[s : s + w].mean())
    return np.array(means)


def windows_by_a_step_args(n):
    return RNG.random(4 * n), 3


def counts(x, edges):
    h = np.zeros(len(edges) + 1, dtype=np.int64)
    for v in x:
        k = np.searchsorted(edges, v)
        h[k] += 1
    return h


def counts_args(n):
    return RNG.random(5 * n), np.linspace(0.1, 0.9, 5)


def reversed_store(x):
    y = np.zeros(len(x))
    n = len(x)
    for i in range(n - 1, -1, -1):
        y[i] = x[n - 1 - i] + i
    return y


def reversed_store_args(n):
    return (RNG.random(n),)


def every_second(x):
    y = x.copy()
    for i in range(1, len(x), 2):
        y[i] = -x[i]
    return y


def every_second_args(n):
    return (RNG.random(n),)


def a_step_needs_the_one_before(x):
    y = x.copy()
    for i in range(1, len(x)):
        y[i] = 0.5 * y[i - 1] + x[i]
    return y


def a_step_needs_the_one_before_args(n):
    return (RNG.random(n),)


def a_step_reads_what_another_stores(x):
    y = x.copy()
    for i in range(len(x) - 1):
        y[i] = y[i + 1] - y[0]
    return y


def a_step_reads_what_another_stores_args(n):
    return (RNG.random(n),)


def the_value_is_bound_anew_behind_the_append(x, n):
    seen = []
    for _ in range(n):
        seen.append(x.sum())
        x = x * 0.5
    return np.array(seen), x


def the_value_is_bound_anew_behind_the_append_args(n):
    return RNG.random(4), n


def the_value_is_bound_anew_behind_the_store(x):
    y = np.zeros(len(x))
    for i in range(len(x)):
        t = x[i]
        y[i] = t
        t = t + 1
    return y


def the_value_is_bound_anew_behind_the_store_args(n):
    return (RNG.random(n),)


def a_list_of_the_last_two(n):
    fib = [1.0, 1.0]
    for _ in range(n):
        fib.append(fib[-1] + 0.5 * fib[-2])
    return np.array(fib)


def a_list_of_the_last_two_args(n):
    return (n,)


def a_list_of_rows(x):
    rows = []
    for v in x:
        rows.append([v, v * v, 1.0])
    return np.array(rows)


def a_list_of_rows_args(n):
    return (RNG.random(n),)


def either_way_appended(x):
    out = []
    for v in x:
        if v > 0.5:
            out.append(v)
        elif v > 0.25:
            w = -v
            out.append(w * 2)
        else:
            out.append(0.0)
    return np.array(out)


def either_way_appended_args(n):
    return (RNG.random(n),)


def a_nested_function_loops(x, c):
    def rate(y):
        d = np.zeros_like(y)
        for i in range(1, len(y) - 1):
            d[i] = c * (y[i - 1] - 2 * y[i] + y[i + 1])
        return d

    for _ in range(5):
        x = x + 0.1 * rate(x)
    return x


def a_nested_function_loops_args(n):
    return RNG.random(n), 0.3


def a_nested_function_stores_outside(x):
    out = np.zeros(3)

    def put(i):
        out[i] = x[i]

    put(0)
    put(2)
    return out


def a_nested_function_stores_outside_args(n):
    return (RNG.random(n),)


def named_selections(x, m):
    part = x[m > 0.3]
    return part.mean(), ((part - part.mean()) ** 2).sum(), len(part), part.size, np.max(part)


def named_selections_args(n):
    return RNG.random(n), np.r_[RNG.random(n - 1), 0.9]


def centres(X, labels, k):
    c = np.zeros((k, X.shape[1]))
    for j in range(k):
        members = X[labels == j]
        if len(members) > 0:
            c[j] = members.mean(axis=0)
    return c


def centres_args(n):
    return RNG.random((n, 2)), RNG.integers(0, 4, n), 5


def pairs_once(x):
    F = np.zeros(len(x))
    U = 0.0
    for i in range(len(x)):
        for j in range(i + 1, len(x)):
            d = x[i] - x[j]
            U += d * d
            F[i] += d
            F[j] -= d
    return U, F


def pairs_once_args(n):
    return (RNG.random(n),)


def swapped_by_a_list_of_indices(A):
    A = A.copy()
    for k in range(len(A) - 1):
        p = k + np.argmax(np.abs(A[k:, k]))
        A[[k, p]] = A[[p, k]]
    return A


def swapped_by_a_list_of_indices_args(n):
    return (RNG.random((n, n)),)


CASES = {name: value for name, value in globals().items() if f"{name}_args" in globals()}


@pytest.mark.parametrize("name", CASES)
def test_agrees_with_numpy_on_two_sizes(name):
    args = globals()[f"{name}_args"]
    both_sizes(inspect.getsource(CASES[name]), args(9), args(17))


def test_independent_steps_become_vmap():
    text = agrees(HEAD + inspect.getsource(neighbours), RNG.random(9))
    assert (
        """    v = jnp.zeros_like(u)

    def body(u_im1, u_ip1, u_i):
        return 0.5 * (u_im1 + u_ip1) - u_i

    v = v.at[1:len(u) - 1].set(jax.vmap(body)(u[:len(u) - 2], u[2:], u[1:len(u) - 1]))
    return v
"""
        in text
    )


def test_a_growing_list_becomes_the_output_of_scan():
    text = agrees(HEAD + inspect.getsource(the_value_is_bound_anew_behind_the_append), RNG.random(4), 6)
    assert (
        """    def body(x, _):
        new_seen = x.sum()
        x = x * 0.5
        return x, new_seen

    x, seen = jax.lax.scan(body, x, jnp.arange(n))
    return seen, x
"""
        in text
    )


def test_a_loop_whose_steps_need_one_another_stays_a_loop():
    text = agrees(HEAD + inspect.getsource(a_step_needs_the_one_before), RNG.random(9))
    assert "lax.scan" in text
    assert "vmap" not in text


def test_an_assertion_about_values_is_left_out_and_told():
    made = make(HEAD + "def fn(x):\n    y = x / 2\n    assert (y < 1).all()\n    return y\n", RNG.random(5))
    assert "assert" not in made.text
    assert any("line 6" in note for note in made.draft.notes), made.draft.notes


KERNEL = HEAD + """
def fn(X):
    n, d = X.shape
    K = np.zeros((n, n))
    for i in range(n):
        for j in range(n):
            s = 0.0
            for k in range(d):
                s += (X[i, k] - X[j, k])**2
            K[i, j] = np.exp(-s)
    return K
"""


@pytest.mark.parametrize(("rows", "batches"), [(20, False), (300, True)])
def test_steps_go_in_batches_where_their_arrays_do_not_fit(rows, batches):
    text = make(KERNEL, RNG.random((rows, 3))).text
    assert ("batch_size=" in text) == batches, text
    assert ("jax.vmap(body)(X[:n])" in text) != batches, text
