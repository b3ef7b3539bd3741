"""Literals give back the same value, bit for bit, or are not written."""

from __future__ import annotations

import math
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from jitmagic.capture.literal import identical, literal

DTYPES = st.sampled_from(["?", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8", "c8", "c16"]).map(
    np.dtype
)
FLOATS = st.floats(allow_subnormal=True)
SCALARS = st.one_of(
    st.booleans(),
    st.integers(),
    FLOATS,
    st.builds(complex, FLOATS, FLOATS),
    st.text(),
    st.binary(),
    st.none(),
    st.just(...),
    DTYPES.flatmap(lambda dtype: hnp.from_dtype(dtype)),
)
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=4).map(tuple), max_leaves=8)


def bits(value: object) -> object:
    """An independent view of a value: its type and its bytes."""
    if isinstance(value, tuple):
        return tuple(map(bits, value))
    if isinstance(value, np.ndarray | np.generic):
        return type(value), value.dtype, value.shape, value.tobytes()
    if isinstance(value, float):
        return struct.pack("<d", value)
    if isinstance(value, complex):
        return struct.pack("<dd", value.real, value.imag)
    return type(value), value


def holds_nan(value: object) -> bool:
    if isinstance(value, tuple):
        return any(map(holds_nan, value))
    if isinstance(value, np.ndarray):
        return value.dtype.kind in "fc" and bool(np.isnan(value).any())
    return isinstance(value, float | complex | np.inexact) and bool(np.isnan(value))


@given(VALUES)
def test_what_is_written_comes_back_bit_for_bit(value: object) -> None:
    text = literal(value, "np")
    if text is None:
        # Only a NaN with a payload of its own and what is too long are left out.
        assert holds_nan(value) or len(repr(value)) > 1000
    else:
        assert bits(eval(text, {"np": np})) == bits(value)


@given(DTYPES.flatmap(lambda dtype: hnp.arrays(dtype, hnp.array_shapes(min_dims=0, max_dims=3, max_side=4))))
def test_small_arrays_come_back_bit_for_bit(value: np.ndarray) -> None:
    text = literal(value, "np")
    if text is None:
        assert value.size > 16 or holds_nan(value)
    else:
        assert bits(eval(text, {"np": np})) == bits(value)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (True, "True"),
        (-0.0, "-0.0"),
        (math.inf, 'float("inf")'),
        (-math.inf, '-float("inf")'),
        (math.nan, 'float("nan")'),
        (5e-324, "5e-324"),
        (1j, "1j"),
        (complex(-0.0, -1.0), "complex(-0.0, -1.0)"),
        ((1,), "(1,)"),
        ((), "()"),
        ("é\u2028", "'é\\u2028'"),
        (np.float32(0.5), "np.float32(0.5)"),
        (np.bool_(True), "np.bool_(True)"),
        (np.dtype("f4"), 'np.dtype("float32")'),
        (slice(1, None), "slice(1, None, None)"),
        (np.array([1.5, -0.0]), "np.array([1.5, -0.0], dtype=np.float64)"),
        (np.array(3, np.int8), "np.array(3, dtype=np.int8)"),
    ],
)
def test_reads_as_a_person_would_write_it(value: object, text: str) -> None:
    assert literal(value, "np") == text


@pytest.mark.parametrize(
    "value",
    [
        [1, 2],
        {"a": 1},
        np.arange(17),
        np.ones((4, 4)).T[::2],
        np.asfortranarray(np.arange(6.0).reshape(2, 3)),
        np.array([1.0]).astype(">f8"),
        np.array(["a"]),
        np.longdouble(1),
        np.datetime64("2020-01-01"),
        np.zeros((0, 3)),
        pytest.param(10**5000, id="an integer of 5001 digits"),
        pytest.param("x" * 5000, id="a long string"),
        struct.unpack("<d", struct.pack("<Q", 0x7FF8000000000123))[0],
    ],
)
def test_does_not_write_what_would_not_be_exact_or_readable(value: object) -> None:
    assert literal(value, "np") is None


def test_does_not_write_a_read_only_array() -> None:
    value = np.ones(3)
    value.flags.writeable = False
    assert literal(value, "np") is None


def test_identical_tells_zeros_and_types_apart() -> None:
    assert not identical(0.0, -0.0)
    assert not identical(1, True)
    assert not identical(np.float64(1.0), 1.0)
    assert identical([1, {"a": (2.0, None)}], [1, {"a": (2.0, None)}])
