"""Functions that JAX can compile in part: what is compiled, what stays in NumPy, on two sizes against NumPy."""

import inspect

import numpy as np
import pytest

from tests.backends.jax.jax_workbench import make, run_both
from tests.backends.jax.test_jax_slices import both_sizes

RNG = np.random.default_rng(5)
HEAD = "import numpy as np\n\n\n"


def the_best_rows(x, score, level):
    # how many are kept, the values decide
    keep = x[score > level]
    n, m = keep.shape
    total = np.zeros(n)
    for i in range(n):
        for j in range(m):
            total[i] += keep[i, j] ** 2
    return total


def the_best_rows_args(n):
    return RNG.random((n, 3)), RNG.random(n), 0.4


def a_loop_and_then_a_selection(x):
    y = x.copy()
    for i in range(1, len(x)):
        y[i] = 0.5 * y[i - 1] + x[i]
    high = y[y > y.mean()]
    return high, y


def a_loop_and_then_a_selection_args(n):
    return (RNG.random(n),)


def a_list_of_hits(x, low):
    hits = []
    for i in range(len(x)):
        s = 0.0
        for j in range(len(x)):
            s += np.exp(-((x[i] - x[j]) ** 2))
        if s > low:
            hits.append(i)
    return np.array(hits)


def a_list_of_hits_args(n):
    return RNG.random(n) * 9, 2.0


def an_argument_is_stored_into(a, b):
    chosen = np.flatnonzero(b > 0.5)
    for i in range(len(a)):
        for j in range(len(b)):
            a[i] += b[j] * i
    return chosen


def an_argument_is_stored_into_args(n):
    return RNG.random(n), RNG.random(n)


def numbers_of_each_kind(x):
    count = 0
    largest = 0.0
    rising = False
    for i in range(1, len(x)):
        if x[i] > x[i - 1]:
            count += 1
            rising = True
        largest = max(largest, x[i])
    found = np.unique(np.floor(10 * x))
    return count, largest, rising, found[:count]


def numbers_of_each_kind_args(n):
    return (RNG.random(n),)


def until_nothing_is_left(x):
    left = x
    sums = []
    while len(left) > 2:
        m = len(left)
        s = 0.0
        for i in range(len(x)):
            s += np.sin(x[i]) * m
        sums.append(s)
        left = left[left > np.median(left)]
    return np.array(sums), left


def until_nothing_is_left_args(n):
    return (RNG.random(n),)


def a_function_inside(x):
    def kernel(d):
        return np.exp(-d * d)

    picked = x[x > 0.3]
    total = 0.0
    for i in range(len(picked)):
        for j in range(len(picked)):
            total += kernel(picked[i] - picked[j])
    return total, picked


def a_function_inside_args(n):
    return (RNG.random(n),)


def what_a_step_leaves_behind(x, n):
    low = np.sort(x[x < 0.5])
    last = -1.0
    for k in range(n):
        if k % 3 == 0:
            last = x[k] * k
    return low, last


def what_a_step_leaves_behind_args(n):
    return RNG.random(n), n


def another_name_for_the_argument(x):
    found = np.unique(x)
    y = x
    for i in range(len(x)):
        x[i] = x[i] * 2
    y[0] = 7.0
    return y + 1, found


def another_name_for_the_argument_args(n):
    return (RNG.random(n),)


def a_row_that_is_a_view(A):
    chosen = A[A > 0.5]
    row = A[0]
    for j in range(len(row)):
        row[j] = row[j] + j
    return A.sum(), chosen


def a_row_that_is_a_view_args(n):
    return (RNG.random((n, n)),)


def sorted_behind_the_loop(x):
    low = np.unique(x)
    y = np.zeros(len(x))
    for i in range(len(x)):
        for j in range(len(x)):
            y[i] += abs(x[i] - x[j])
    y.sort()
    np.add.at(y, [0, 0], 1.0)
    return y, low


def sorted_behind_the_loop_args(n):
    return (RNG.random(n),)


CASES = {name: value for name, value in globals().items() if f"{name}_args" in globals()}


@pytest.mark.parametrize("name", CASES)
def test_agrees_with_numpy_on_two_sizes(name):
    args = globals()[f"{name}_args"]
    text = both_sizes(inspect.getsource(CASES[name]), args(9), args(17))
    assert "np." in text
    assert "jax.jit" in text


def test_what_stands_before_a_refused_line_is_compiled():
    made, _, _ = run_both(HEAD + inspect.getsource(a_loop_and_then_a_selection), RNG.random(9))
    assert made.draft.form == "partial"
    assert (
        """
@jax.jit
def lines_5_7(x):
    y = x.copy()
    y_im1 = y[0]
"""
        in made.text
    )
    assert made.text.endswith(
        """

def a_loop_and_then_a_selection(x):
    y = np.array(lines_5_7(x))
    high = y[y > y.mean()]
    return high, y
"""
    )


def test_the_reason_is_told_and_lines_lead_back():
    made = make(HEAD + inspect.getsource(the_best_rows), *the_best_rows_args(9))
    assert made.draft.form == "partial"
    note = made.draft.notes[0]
    assert note.startswith("compiled are lines ")
    assert "line 6: the shape of `x[" in note
    assert any("`keep`" in note for note in made.draft.notes[1:]), made.draft.notes
    lines = made.text.splitlines()
    for number, text in enumerate(lines, 1):
        if text.strip() == "keep = x[score > level]":
            assert made.draft.module.origin_line(number) == 6


SLICES = """
def fn(x, n):
    total = 0.0
    for k in range(1, n):
        part = np.unique(x[:k])
        s = 0.0
        for i in range(len(part)):
            s += part[i] * k
        total += s
    return total
"""


def test_a_part_that_would_be_compiled_anew_in_each_step_stays_in_numpy():
    made = make(HEAD + SLICES, RNG.random(9), 9)
    assert made.refusal is not None


ALIASED = """
def fn(x, n):
    low = np.unique(x)
    view = x[1:]
    for i in range(n):
        x[i] = view[i] + x[i]
    return x, low
"""


def test_two_names_for_one_memory_are_not_passed_apart():
    made = make(HEAD + ALIASED, RNG.random(9), 7)
    assert made.refusal is not None


def test_where_nothing_can_be_compiled_the_reason_of_the_whole_stands():
    made = make(HEAD + "def fn(x):\n    return x[x > 0.5] + 1\n", RNG.random(9))
    assert made.refusal is not None
    assert "depends on values" in made.refusal.reason


REBOUND = """
def fn(x, n):
    low = np.unique(x)
    for k in range(n):
        y = x
        s = 0.0
        for i in range(len(x)):
            s += y[i]
    y.sort()
    return s, x, low
"""


def test_what_a_part_binds_to_the_argument_is_not_copied():
    workload_arguments = RNG.random(9), 3
    made = make(HEAD + REBOUND, *workload_arguments)
    if made.refusal is None:
        run_both(HEAD + REBOUND, *workload_arguments)


SHARED = """
def fn(x, n):
    def rate(t):
        return np.exp(-t) + x[0]

    total = 0.0
    for i in range(n):
        total += rate(x[i])
    low = np.unique(x)
    return rate(low), total
"""


def test_a_function_that_the_rest_calls_too_stays_with_the_rest():
    run_both(HEAD + SHARED, RNG.random(9), 7)
