"""What loops cost, operation by operation, from the trips that were seen."""

import numpy as np

from jitmagic.analysis.launches import launches
from jitmagic.observe.run import observe


def found(source, *args):
    text = "import numpy as np\n\n\n" + source
    names = tuple(f"a{i}" for i in range(len(args)))
    return launches(text, observe(text, "fn", {}, lambda: (args, {}), names).observation)


def test_nested_loops_count_their_own_trips():
    source = (
        "def fn(x, y):\n    s = 0.0\n    for i in range(5):\n        s += x[i]\n        for j in range(4):\n"
        "            y[i, j] = s * x[j]\n    return s\n"
    )
    seen = found(source, np.ones(6), np.ones((6, 6)))
    # a sum and an element in 5 trips; a store, a product and an element in 20
    assert (seen.count, seen.line, seen.trips) == (5 * 2 + 20 * 3, 6, 20)


def test_numbers_of_python_cost_nothing():
    assert found("def fn(n):\n    k = 0\n    while k * k < n:\n        k += 1\n    return k\n", 900).count == 0


def test_a_helper_in_a_loop_counts_with_the_trips_around_it():
    source = (
        "def step(u):\n    return u + 0.5 * u * u\n\n\n"
        "def fn(u, n):\n    for _ in range(n):\n        u = step(u)\n    return u\n"
    )
    assert found(source, np.ones(3), 7).count == 7 * 3


def test_without_a_loop_there_is_no_line():
    assert found("def fn(x):\n    return x * 2\n", np.ones(3)).line is None
