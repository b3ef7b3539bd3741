"""Random loops: one that is called independent gives the same whatever the order of its steps.

The loop's body becomes a function of the index and is run in order, backwards and shuffled; a step's scalars begin
unset each time, as they do in a thread, except for the accumulators.
"""

import random

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jitmagic.analysis.loops import classify

SUBSCRIPTS = [
    "i", "i + 1", "i - 1", "n - 1 - i", "2 * i", "2 * i + 1", "0", "k[i]", "-i", "-i - 1", "i // 2", "i * i", "j",
    "i + j",     "(i + 1) % n", "3",
]  # fmt: skip
PLANE = [
    "i, j",
    "j, i",
    "i, 0",
    "0, i",
    "i + 1, j",
    "i",
    "j, j",
    "i, i",
    "i, :",
    ":, i",
    "i, 1:",
    "k[i], j",
    "i - 1, j",
]
VALUES = [
    "a[{s}]",
    "b[{s}]",
    "m[{p}].sum()",
    "i",
    "t",
    "s",
    "a[i:i + 2].sum()",
    "view[{s}]",
    "1",
    "len(a)",
    "a.sum()",
    "row[0]",
]

subscript = st.sampled_from(SUBSCRIPTS)
plane = st.sampled_from(PLANE)


@st.composite
def values(draw):
    parts = [
        draw(st.sampled_from(VALUES)).format(s=draw(subscript), p=draw(plane)) for _ in range(draw(st.integers(1, 2)))
    ]
    return " + ".join(f"int({part})" for part in parts)


@st.composite
def statements(draw, depth=0):
    kind = draw(st.integers(0, 11 if depth < 2 else 7))
    v, s, p = draw(values()), draw(subscript), draw(plane)
    if kind == 0:
        return [f"a[{s}] = {v}"]
    if kind == 1:
        return [f"b[{s}] += {v}"]
    if kind == 2:
        return [f"m[{p}] = {v}"]
    if kind == 3:
        return [f"t = {v}"]
    if kind == 4:
        return [draw(st.sampled_from([f"s += {v}", f"s = s + ({v})", f"s = max(s, {v})", f"s -= {v}"]))]
    if kind == 5:
        return [f"view[{s}] = {v}"]
    if kind == 6:
        return ["row = m[i]"]
    if kind == 7:
        return [f"row[0] = {v}"]
    inner = [f"    {line}" for line in draw(blocks(depth + 1))]
    if kind in (8, 9):
        bounds = draw(st.sampled_from(["n", "i + 1, n", "i", "i, n", "2"]))
        return [f"for j in range({bounds}):", *inner]
    if kind == 10:
        return [f"if ({v}) % 2:", *inner]
    return [f"if ({v}) > s:", f"    s = {v}"] if draw(st.booleans()) else ["if i == 2:", "    continue"]


@st.composite
def blocks(draw, depth=0):
    return [line for _ in range(draw(st.integers(1, 3))) for line in draw(statements(depth))]


HEADS = ["", "view = b[1:]", "view = a[::-1]", "view = b.copy()", "view = b.copy()\n    b = a"]


def step_function(head, body, accumulators):
    lines = [line.replace("continue", "return") for line in body]
    inner = "\n".join(f"        {line}" for line in lines)
    state = f"        nonlocal {', '.join(accumulators)}\n" if accumulators else ""
    return (
        f"def make(a, b, m, k, n):\n    view = np.zeros(12, dtype=np.int64)\n    s = 0\n    t = 0\n"
        f"    row = m[0]\n    j = 0\n"
        f"    {head or 'pass'}\n    def step(i):\n{state}{inner}\n    return step, lambda: (a, b, m, view, s)\n"
    )


def run(text, order):
    rng = np.random.default_rng(1)
    a, b = rng.integers(1, 9, 12), rng.integers(1, 9, 12)
    m, k = rng.integers(1, 9, (12, 12)), np.array([0, 1, 1, 2, 0])
    scope = {"np": np}
    exec(text, scope)
    step, state = scope["make"](a, b, m, k, 5)
    for i in order:
        step(i)
    return state()


@settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(st.sampled_from(HEADS), blocks(), st.randoms(use_true_random=False))
def test_steps_that_are_called_independent_may_run_in_any_order(head, body, shuffle):
    text = (
        "import numpy as np\ndef fn(a, b, m, k, n):\n    view = np.zeros(12, dtype=np.int64)\n    s = 0\n    t = 0\n"
        f"    row = m[0]\n    j = 0\n    {head or 'pass'}\n    for i in range(n):\n"
        + "\n".join(f"        {line}" for line in body)
        + "\n    return a, b, m, view, s\n"
    )
    found = classify(text, "fn", {"np": "numpy"})[0]
    if not found.parallel:
        return
    accumulators = [reduction.name for reduction in found.reductions]
    program = step_function(head, body, accumulators)
    try:
        wanted = run(program, range(5))
    except (IndexError, ValueError):
        return
    order = list(range(5))
    for _ in range(3):
        random.Random(shuffle.random()).shuffle(order)
        for one, two in zip(wanted, run(program, order), strict=True):
            np.testing.assert_array_equal(one, two, err_msg=text)
