"""What tells one call from another."""

import numpy as np
import pytest

from jitmagic.capture import workload as workloads
from jitmagic.capture.function import from_function

SCALE = np.arange(3.0)


def scaled(x, power=1):
    return x**power * SCALE.sum()


def of(*args, **kwargs):
    return from_function(scaled, args, kwargs).fingerprint()


def test_the_same_call_has_the_same_fingerprint():
    assert of(np.ones(5), power=2) == of(np.ones(5), power=2) is not None


@pytest.mark.parametrize(
    "other",
    [
        lambda: of(np.array([1.0, 1.0, 1.0, 1.0, np.nextafter(1.0, 2.0)]), power=2),
        lambda: of(np.ones(5, np.float32), power=2),
        lambda: of(np.ones(5), power=3),
        lambda: of(np.ones(5)),
    ],
)
def test_a_value_a_dtype_or_a_keyword_makes_another_one(other):
    assert other() != of(np.ones(5), power=2)


def test_a_captured_constant_makes_another_one(monkeypatch):
    before = of(np.ones(5))
    monkeypatch.setitem(globals(), "SCALE", np.arange(4.0))
    assert of(np.ones(5)) != before


def test_arrays_that_are_not_contiguous_have_one_too():
    x = np.arange(20.0)
    assert of(x[::2]) == of(x[::2]) != of(x[:10])


def test_what_is_too_large_has_none(monkeypatch):
    monkeypatch.setattr(workloads, "MOST_HASHED", 100)
    assert of(np.ones(50)) is None
