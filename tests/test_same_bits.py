"""Equality bit for bit, and equality but for rounding."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jitmagic.same_bits import same_bits, same_values


class Box:
    def __init__(self, v: Any) -> None:
        self.v = v

    def __eq__(self, other: object) -> bool:
        raise AssertionError("__eq__ was called")

    __hash__ = None  # type: ignore[assignment]


NAN = np.array([np.nan, 1.0])
OTHER_NAN = (np.array([0x7FF8000000000001, 0x3FF0000000000000], np.uint64)).view(np.float64)


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        (NAN, NAN.copy(), True),
        (NAN, OTHER_NAN, False),
        (np.zeros(2), -np.zeros(2), False),
        (np.zeros(2), np.zeros(2, np.float32), False),
        (np.zeros((2, 1)), np.zeros((1, 2)), False),
        (np.zeros((4, 4))[::2, ::-1], np.zeros((2, 4)), True),
        (np.array([1 + 0j]), np.array([complex(1, -0.0)]), False),
        (np.array(5.0), np.array(5.0), True),
        (np.zeros(2, np.longdouble), np.zeros(2, np.longdouble), True),
        (np.zeros(2, np.longdouble), -np.zeros(2, np.longdouble), False),
        (np.array(["a", "b"]), np.array(["a", "c"]), False),
        (np.array(["NaT"], "M8[s]"), np.array(["NaT"], "M8[s]"), True),
        (np.array([1, [2]], object), np.array([1, [2]], object), True),
        (np.array([1, [2]], object), np.array([1, [3]], object), False),
        (np.zeros(2, [("a", "f8")]), np.array([(0.0,), (-0.0,)], [("a", "f8")]), False),
        (np.ma.array([1, 2], mask=[0, 1]), np.ma.array([1, 2], mask=[0, 0]), False),
        (0.0, -0.0, False),
        (float("nan"), float("nan"), True),
        (1, True, False),
        (1, 1.0, False),
        (np.float32(1), np.float32(1), True),
        ([1, (2, {"a": NAN})], [1, (2, {"a": NAN.copy()})], True),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}, False),
        ({1, 2}, {2, 1}, True),
        (Box([1]), Box([1]), True),
        (Box([1]), Box([2]), False),
        (np.random.default_rng(1), np.random.default_rng(1), True),
        (np.random.default_rng(1), np.random.default_rng(2), False),
        (range(3), range(3), True),
        (len, max, False),
    ],
)
def test_same_bits(first: Any, second: Any, same: bool) -> None:
    assert same_bits(first, second) is same


def test_cycles_end() -> None:
    a: list[Any] = [1]
    b: list[Any] = [1]
    a.append(a)
    b.append(b)
    assert same_bits(a, b)
    b[0] = 2
    assert not same_bits(a, b)


def test_same_values_allows_rounding_and_nothing_more() -> None:
    x = np.array([1.0, np.nan, np.inf, 0.0])
    assert same_values([x], [x * (1 + 1e-12)])
    assert not same_values([x], [x * 1.001])
    assert not same_values([x], [x.astype(np.float32)])
    assert same_values(np.array([1e-20, 1.0]), np.array([0.0, 1.0]))
    assert not same_values(3, 4)
    assert same_values(np.zeros(0), np.zeros(0))


@given(st.floats(allow_nan=True))
def test_same_bits_tells_zeros_apart_and_nans_alike(value: float) -> None:
    assert same_bits(value, np.array(value).item())
    assert not same_bits([value], (value,))


@pytest.mark.parametrize("order", [np.s_[:], np.s_[::-1], np.s_[:, ::2]])
@pytest.mark.parametrize("dtype", ["float64", "complex64", "int16", "U3", "M8[s]", "longdouble"])
def test_one_element_of_a_large_array_is_seen_in_any_order_of_memory(order: Any, dtype: str) -> None:
    first = np.zeros((120, 120), dtype)[order]
    second = np.array(first, order="F")
    assert same_bits(first, second)
    second[-1, -1] = np.array(1).astype(dtype)
    assert not same_bits(first, second)


def test_an_array_in_a_file_is_an_array(tmp_path: Any) -> None:
    lying = np.memmap(tmp_path / "x", np.float64, "w+", shape=(3,))
    assert same_bits(lying, np.zeros(3))
