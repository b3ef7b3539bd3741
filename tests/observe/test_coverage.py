"""Lines that the example call did not come by."""

import numpy as np
import pytest

from jitmagic.capture.function import from_function
from jitmagic.observe.coverage import note, unvisited
from jitmagic.observe.run import observe


def seen(function, *args):
    workload = from_function(function, args, {})
    made = observe(workload.module.text, workload.function.name, {}, lambda: (args, {}), workload.argument_names)
    lines = workload.module.text.splitlines()
    missed = [lines[n - 1].strip() for n in unvisited(workload, made.observation)]
    return missed, note(workload, made.observation)


def clipped(x, low):
    if low > 100:
        raise ValueError("too high")
    total = 0.0
    for v in x:
        if v < low:
            total += low
            continue
        elif v > 90:
            total -= v
            del v
        else:
            total += v
    while total > 1e6:
        total /= 2
        break
    return total


def Δ(φ):
    λ = np.zeros_like(φ)
    λ[1:] = φ[1:] - φ[:-1]
    return λ


def test_what_ran_is_not_told_of():
    assert seen(clipped, np.array([1.0, 95.0, 5e6, 50.0]), 3.0)[0] == ["total /= 2"]
    assert seen(clipped, np.array([1.0, 95.0, -2e6, 50.0]), -3.0)[1] is not None
    assert seen(Δ, np.arange(4.0)) == ([], None)


@pytest.mark.parametrize(
    ("x", "low", "missed"),
    [
        (np.array([1.0, 50.0]), 3.0, ["total -= v", "total /= 2"]),
        (np.array([]), 3.0, ["total += low", "total -= v", "total += v", "total /= 2"]),
    ],
)
def test_each_branch_that_was_not_taken_is_told_of(x, low, missed):
    found, text = seen(clipped, x, low)
    assert found == missed
    assert text is not None
    assert text.startswith("lines ")
    assert "did not run in this call" in text
    assert "not verified" in text


def test_one_line_is_told_in_the_singular():
    _, text = seen(clipped, np.array([1.0, 95.0, 50.0]), 3.0)
    assert text is not None
    assert text.startswith("line ")
    assert "is not verified; call with arguments that reach it" in text
