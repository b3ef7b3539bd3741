"""A deque becomes a list: one with a place where it begins, or one whose elements are moved."""

import numpy as np
import pytest

from jitmagic.backends.protocol import Draft
from tests.backends.numba.harness import IMPORTS, assert_same, drafts, reference, run, workload

IMPORTED = "from collections import deque\n" + IMPORTS
RNG = np.random.default_rng(5)
STEPS = RNG.integers(0, 9, 30)

CASES = {
    "from the front alone": (
        """
        def fn(x):
            q = deque([0])
            far = np.full(len(x), -1)
            far[0] = 0
            while q:
                u = q.popleft()
                for v in (u + 1, u + x[u]):
                    if v < len(x) and far[v] < 0:
                        far[v] = far[u] + 1
                        q.append(v)
            return far
        """,
        ("while q_first < len(q):", "u = q[q_first]", "q_first += 1"),
    ),
    "level by level": (
        """
        def fn(x):
            q = deque()
            q.append((0, 1))
            seen = 0
            levels = 0
            while len(q) > 0 and levels < 5:
                for _ in range(len(q)):
                    a, b = q.popleft()
                    seen += b*(q[0][1] if not len(q) == 0 else 1)
                    if a < 7:
                        q.append((a + 1, b + x[a]))
                        q.append((a + 2, b))
                levels += 1
                if not q:
                    break
            return seen, levels, len(q)
        """,
        ("q = []", "len(q) - q_first > 0", "for _ in range(len(q) - q_first):", "if not q_first < len(q):"),
    ),
    "at both ends": (
        """
        def fn(x):
            window = deque()
            out = []
            for i in range(len(x)):
                while window and x[window[-1]] <= x[i]:
                    window.pop()
                window.append(i)
                if window[0] <= i - 4:
                    window.popleft()
                out.append(x[window[0]])
            window.appendleft(3)
            return np.array(out), len(window)
        """,
        ("window.pop(0)", "window.insert(0, 3)"),
    ),
    "in an expression": (
        """
        def fn(x):
            q = deque([k for k in range(4)])
            total = 0
            while q:
                total += x[q.popleft()]
            return total
        """,
        ("x[q.pop(0)]", "while q:"),
    ),
    "taken by a function inside": (
        """
        def fn(x):
            q = deque([0, 1])

            def following():
                return q.popleft() + 1
            total = 0
            while q:
                v = following()
                total += x[v]
                if v < 9:
                    q.append(v + 1)
            return total
        """,
        ("return q.pop(0) + 1",),
    ),
    "begun anew": (
        """
        def fn(x):
            total = 0
            for k in range(3):
                q = deque((k, k + 1))
                while q:
                    v = q.popleft()
                    total += v
                    if v < 5:
                        q.append(v + 2)
            return total
        """,
        ("q = [k, k + 1]", "q_first = 0"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_a_queue_is_a_list(case):
    source, wanted = CASES[case]
    work = workload(source, STEPS, imports=IMPORTED)
    draft = drafts(work)["numba"]
    assert isinstance(draft, Draft), draft
    for text in wanted:
        assert text in draft.module.text, draft.module.text
    assert "deque" not in draft.module.text
    got, _ = run(work, draft, case)
    assert_same(got, reference(work)[0], 0)


@pytest.mark.parametrize("line", ["q = deque([1, 2], maxlen=2)", "q = deque([1, 2])\n    q.rotate(1)"])
def test_what_a_list_has_not_is_refused_with_its_line(line):
    source = f"def fn(x):\n    {line}\n    q.append(x[0])\n    return q[0]\n"
    refused = drafts(workload(source, STEPS, imports=IMPORTED))["numba"].refusal
    assert "Numba has no deque" in refused.reason
    assert f"line {refused.line}: " in refused.reason


def test_tuples_of_rows_are_as_long_as_in_the_example():
    source = """
    def fn(x):
        points = [tuple(p) for p in x]
        s = 0.0
        for a, b in points:
            s += a*b
        return s, tuple(x[0])
    """
    work = workload(source, RNG.random((6, 2)))
    draft = drafts(work)["numba"]
    got, _ = run(work, draft, "rows")
    assert_same(got, reference(work)[0], 1e-12)
    assert "return (values[0], values[1])" in draft.module.text
