"""Which arrays share memory."""

import numpy as np

from jitmagic.observe.memory import arrays_in, overlapping_pairs, share_memory


def test_arrays_are_found_in_nested_values() -> None:
    a, b, c = np.zeros(2), np.ones(2), np.full(2, 2.0)
    held = np.empty(2, object)
    held[0] = c
    found = arrays_in([a, (b, {"k": a}), held, "text", 3, None])
    assert [id(array) for array in found] == [id(a), id(b), id(held), id(c)]


def test_interleaved_views_share_no_element() -> None:
    x = np.zeros(10)
    assert not share_memory([x[::2]], [x[1::2]])
    assert share_memory([x[::2]], [x[4:5]])
    assert not share_memory([x[:3], x[6:]], [x[3:6]])
    assert not share_memory([], [x])


def test_a_long_array_that_starts_early_is_found() -> None:
    x = np.zeros(100)
    assert share_memory([x], [x[90:91]])
    assert share_memory([x[i : i + 1] for i in range(99)], [np.zeros(3), x[98:]])


def test_pairs_in_the_order_of_the_labels() -> None:
    x = np.zeros(10)
    groups = {"out": [x[5:]], "n": [], "x": [x[:6]], "y": [x[9:]]}
    assert overlapping_pairs(groups) == (("out", "x"), ("out", "y"))
