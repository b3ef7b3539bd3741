"""Lists that grow and shrink as values decide, as arrays with a count: on two sizes, and their sources."""

import inspect

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.backends.jax.jax_workbench import agrees, make, refused, run_both, same
from tests.backends.jax.test_jax_slices import both_sizes

RNG = np.random.default_rng(7)
HEAD = "import numpy as np\n\n\n"


def kept_under_a_condition(x, low):
    kept = []
    values = []
    for i, v in enumerate(x):
        if v > low:
            kept.append(i)
            values.append(v)
    return np.array(kept), np.array(values), len(kept)


def kept_under_a_condition_args(n):
    return RNG.random(n), 0.5


def both_ways(x):
    low, high = [], []
    for v in x:
        if v < 0.3:
            low.append(v)
        elif v > 0.6:
            high.append(v)
            high.append(-v)
    return np.array(low), np.array(high)


def both_ways_args(n):
    return (RNG.random(n),)


def monotone_stack(x):
    out = np.zeros(len(x), dtype=int)
    stack = []
    for i in range(len(x)):
        while stack and x[stack[-1]] < x[i]:
            k = stack.pop()
            out[k] = i - k
        stack.append(i)
    return out


def monotone_stack_args(n):
    return (RNG.random(n),)


def pairs_on_a_stack(grid, r0, c0):
    h, w = grid.shape
    seen = np.zeros((h, w), dtype=bool)
    stack = [(r0, c0)]
    seen[r0, c0] = True
    while stack:
        r, c = stack.pop()
        for dr, dc in ((1, 0), (-1, 0), (0, 1), (0, -1)):
            a, b = r + dr, c + dc
            if 0 <= a < h and 0 <= b < w and not seen[a, b] and grid[a, b] < 0.7:
                seen[a, b] = True
                stack.append((a, b))
    return seen


def pairs_on_a_stack_args(n):
    return RNG.random((n, n)), n // 2, n // 2


def queue_from_the_front(adj, start):
    dist = np.full(len(adj), -1)
    dist[start] = 0
    queue = [start]
    order = []
    while len(queue) > 0:
        u = queue.pop(0)
        order.append(u)
        for v in range(len(adj)):
            if adj[u, v] and dist[v] < 0:
                dist[v] = dist[u] + 1
                queue.append(v)
    return dist, np.array(order), len(order)


def queue_from_the_front_args(n):
    return RNG.random((n, n)) < 0.3, 0


def two_frontiers(adj, start):
    level = np.full(len(adj), -1)
    level[start] = 0
    frontier = [start]
    depth = 0
    while frontier:
        depth += 1
        reached = []
        for u in frontier:
            for v in range(len(adj)):
                if adj[u, v] and level[v] == -1:
                    level[v] = depth
                    reached.append(v)
        frontier = reached
    return level


def two_frontiers_args(n):
    return RNG.random((n, n)) < 0.3, 1


def a_list_of_states(x0, tol, end):
    x = x0.copy()
    t, h = 0.0, 0.1
    times = [t]
    states = [x.copy()]
    while t < end:
        slope = -x * np.arange(1, len(x) + 1)
        half = x + 0.5 * h * slope
        new = x + h * (-half * np.arange(1, len(x) + 1))
        if np.max(np.abs(new - x - h * slope)) < tol:
            t += h
            x = new
            times.append(t)
            states.append(x.copy())
        else:
            h *= 0.5
    return np.array(times), np.array(states)


def a_list_of_states_args(n):
    return RNG.random(n), 1e-2, 1.0


def what_is_in_it(x):
    seen = []
    total = 0
    for v in x:
        if v not in seen:
            seen.append(v)
        if len(seen) > 2:
            total += sum(seen) + max(seen) - min(seen)
    return total, len(seen)


def what_is_in_it_args(n):
    return (RNG.integers(0, 9, n),)


def the_ends_are_changed(x):
    lots = []
    left = np.zeros(len(x))
    for i in range(len(x)):
        if x[i] > 0.4:
            lots.append(x[i])
        else:
            need = x[i] * 2
            while need > 0 and lots:
                take = min(need, lots[0])
                lots[0] -= take
                need -= take
                if lots[0] <= 0:
                    lots.pop(0)
            left[i] = need
    return left, sum(lots)


def the_ends_are_changed_args(n):
    return (RNG.random(n),)


def begun_by_a_comprehension(x):
    todo = [i for i in range(len(x)) if x[i] > 0.5]
    out = np.zeros(len(x))
    step = 0
    while todo:
        k = todo.pop()
        step += 1
        out[k] = step
        if x[k] > 0.8 and k > 0:
            todo.append(k - 1)
            x[k] = 0.0
    return out


def begun_by_a_comprehension_args(n):
    return (RNG.random(n),)


def emptied_in_each_step(x, level):
    count = np.zeros(len(x), dtype=int)
    for i in range(len(x)):
        near = []
        for j in range(len(x)):
            if abs(x[i] - x[j]) < level:
                near.append(x[j])
        s = 0.0
        for v in near:
            s += v
        count[i] = len(near) if s > 1 else -len(near)
    return count


def emptied_in_each_step_args(n):
    return RNG.random(n), 0.2


def a_list_and_an_array(x, counts):
    hits = []
    for i in range(len(x)):
        if x[i] > 0.5:
            hits.append(i)
            counts[i] += 1
    return hits


def a_list_and_an_array_args(n):
    return RNG.random(n), np.zeros(n)


FUNCTIONS = [
    kept_under_a_condition, both_ways, monotone_stack, pairs_on_a_stack, queue_from_the_front, two_frontiers,
    a_list_of_states, what_is_in_it, the_ends_are_changed, begun_by_a_comprehension, emptied_in_each_step,
    a_list_and_an_array,
]  # fmt: skip


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda f: f.__name__)
def test_gives_what_numpy_gives(function):
    makers = globals()[f"{function.__name__}_args"]
    text = both_sizes(inspect.getsource(function), makers(9), makers(14), makers(3))
    assert ".append(" not in text


def test_an_empty_list_becomes_the_array_that_numpy_makes_of_it():
    source = HEAD + inspect.getsource(kept_under_a_condition)
    made, _, _ = run_both(source, RNG.random(9), 0.5)
    indices, values, n = made.function(RNG.random(9), 2.0)
    assert n == 0
    for ours in (indices, values):
        assert ours.dtype == np.array([]).dtype
        assert ours.shape == (0,)


LONG = """
def chain(n, most):
    seq = [n]
    steps = 0
    while n != 1 and steps < most:
        if n % 2 == 0:
            n = n // 2
        else:
            n = 3*n + 1
        seq.append(n)
        steps += 1
    return seq, steps
"""


def test_a_list_that_outgrows_its_array_is_computed_again():
    made, _, _ = run_both(HEAD + LONG, 6, 10_000)
    assert "room" in made.text
    seq, steps = made.function(27, 10_000)  # 112 elements, more than there is room for at first
    assert len(seq) == 112
    assert (seq[0], seq[-1], int(steps)) == (27, 1, 111)
    assert seq[:5] == [27, 82, 41, 124, 62]
    assert any("room" in note for note in made.draft.notes)


ENDLESS = """
def fill(n):
    stack = [1]
    popped = 0
    while stack:
        k = stack.pop()
        popped += 1
        if k < n:
            stack.append(k + 1)
            stack.append(k + 1)
    return popped
"""


def test_an_array_that_is_too_short_ends_the_loop():
    # without the flag, zeros would be read where elements are missing, and the loop would go on
    made, _, _ = run_both(HEAD + ENDLESS, 4)
    assert int(made.function(9)) == 2**9 - 1


BOUNDED = """
def hits(x, low):
    found = []
    for i in range(1, len(x) - 1):
        if x[i] > low:
            found.append(i)
    return np.array(found)
"""


def test_a_loop_that_appends_once_a_step_needs_no_more_room_than_it_has_steps():
    text = agrees(HEAD + BOUNDED, RNG.random(12), 0.5)
    assert "room" not in text
    assert "found = jnp.zeros(" in text


NOT_FRESH = """
def states(x, n):
    kept = []
    for i in range(n):
        x[0] += 1.0
        if x[0] % 2 == 0:
            kept.append(x)
    return np.array(kept)
"""


def test_an_array_that_changes_after_it_was_appended_is_refused():
    # all elements are the argument itself, as it is at the end
    assert refused(HEAD + NOT_FRESH, np.zeros(3), 4).line is not None


UNSEEN = """
def late(x):
    odd = []
    for v in x:
        if v > 5:
            odd.append(v)
    return len(odd)
"""


def test_what_never_happened_with_the_example_is_not_guessed():
    made = make(HEAD + UNSEEN, RNG.random(6))
    if made.refusal is None:
        assert made.function(np.array([1.0, 6.0, 7.0])) == 2
    else:
        assert "odd" in made.refusal.reason


MIXED = """
def mixed(x):
    stack = []
    for i in range(len(x)):
        if x[i] > 0.5:
            stack.append(i)
        elif x[i] > 0.2:
            stack.append(x[i])
    return np.array(stack)
"""


def test_numbers_of_two_kinds_are_refused_or_right():
    x = np.array([0.9, 0.3, 0.7, 0.1])
    made = make(HEAD + MIXED, x)
    if made.refusal is None:
        same(made.function(x), np.array([0, 0.3, 2]), made.text)


OPERATIONS = {
    "push": "if x[i] > 0.4:\n            s.append(x[i])",
    "push an index": "if x[i] > 0.7:\n            t.append(i)",
    "pop": "if len(s) > 1 and x[i] < 0.3:\n            out[i] = s.pop()",
    "unwind": "while s and s[-1] > x[i]:\n            s.pop()",
    "peek": "if s:\n            out[i] += s[0] + s[-1]",
    "replace": "if len(s) > 2:\n            s[-1] = x[i]\n            s[1] += 0.5",
    "from the front": "if len(s) > 3:\n            out[i] -= s.pop(0)",
    "sum": "out[i] += sum(s)",
    "all": "for v in s:\n            out[i] += v * v",
    "look up": "if len(t) > 1:\n            out[i] += x[t[-2]]",
    "clear": "if x[i] > 0.95:\n            s.clear()",
    "anew": "if x[i] > 0.9:\n            t = [i]",
    "two": "s.extend([x[i], -x[i]])",
}


@pytest.mark.slow
@settings(
    max_examples=20, deadline=None, suppress_health_check=list(HealthCheck), phases=[Phase.explicit, Phase.generate]
)
@given(
    st.lists(st.sampled_from(sorted(OPERATIONS)), min_size=1, max_size=4, unique=True),
    st.integers(0, 2**32 - 1),
    st.integers(4, 12),
)
def test_any_course_of_operations_gives_what_a_list_gives(names, seed, n):
    body = "\n        ".join(OPERATIONS[name] for name in ["push", *(n for n in names if n != "push")])
    source = (
        "def course(x):\n    s, t = [], [0]\n    out = np.zeros(len(x))\n    for i in range(len(x)):\n"
        f"        {body}\n    return np.array(s), out, len(s), len(t)\n"
    )
    rng = np.random.default_rng(seed)
    x = rng.random(n)
    x[0] = 0.45  # something is pushed
    made = make(HEAD + source, x)
    if made.refusal is not None:
        # only for what the example never did
        assert "did not happen" in made.refusal.reason or "with the example" in made.refusal.reason, (
            f"{made.refusal}\n{source}"
        )
        return
    scope = {}
    exec(HEAD + source, scope)
    for other in (x, rng.random(n), rng.random(n + 5), rng.random(40)):
        expected = scope["course"](other.copy())
        same(made.runtime.to_host(made.function(other.copy())), expected, made.text)


# rows in lists


def rows_under_a_condition(x):
    rows = []
    for i in range(1, len(x)):
        if x[i - 1] < 0.5 <= x[i]:
            rows.append([i, x[i], x[i] - x[i - 1]])
    return np.array(rows)


def rows_under_a_condition_args(n):
    return (RNG.random(n),)


def rows_counted(state):
    rows = []
    while state.max() < 5:
        state = state + 1
        rows.append([np.sum(state == k) for k in range(3)])
        if state[0] > 3:
            break
    return np.array(rows), len(rows)


def rows_counted_args(n):
    return (RNG.integers(-n, 1, n),)


def an_array_of_its_own_name(x):
    rows = []
    found = []
    for i in range(1, len(x)):
        if x[i - 1] < 0.5 <= x[i]:
            rows.append([float(i), x[i]])
            found.append(i)
    total = x.sum()
    # as arrays
    rows = np.array(rows)
    found = np.array(found)
    return total, rows, found


def an_array_of_its_own_name_args(n):
    return (RNG.random(n),)


@pytest.mark.parametrize("name", ["rows_under_a_condition", "rows_counted", "an_array_of_its_own_name"])
def test_rows_in_lists(name):
    function, args = globals()[name], globals()[f"{name}_args"]
    text = both_sizes(inspect.getsource(function), args(20), args(33))
    assert "    def body(" in text


def test_a_row_that_is_changed_later_stays_a_list():
    source = HEAD + (
        "def f(x):\n    rows = []\n    for i in range(len(x)):\n"
        "        if x[i] > 0.5:\n            rows.append([i, x[i]])\n"
        "    rows[0][0] = 7\n    return np.array(rows)\n"
    )
    made = make(source, np.array([0.9, 0.1, 0.8]))
    assert made.refusal is not None or made.draft.form == "partial"
