"""What is said of values, how it merges, and which evaluations are watched."""

import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jitmagic.observe.facts import ValueFact
from jitmagic.observe.recorder import MAX_INDEX_ELEMENTS, Recorder, describe, merge, watched_calls


@pytest.mark.parametrize(
    ("value", "fact"),
    [
        (np.zeros((2, 3), np.int16), ValueFact("array", "int16", (2, 3), contiguous=True)),
        (np.zeros(2, ">f8"), ValueFact("array", ">f8", (2,), contiguous=True)),
        (np.float32(1), ValueFact("scalar", "float32", ())),
        (np.float64(1), ValueFact("scalar", "float64", ())),
        (np.uint8(7), ValueFact("scalar", "uint8", (), low=7, high=7)),
        (np.bool_(True), ValueFact("scalar", "bool", ())),
        (True, ValueFact("bool")),
        (2**80, ValueFact("int", low=2**80, high=2**80)),
        (1.5, ValueFact("float")),
        (1j, ValueFact("complex")),
        ("s", ValueFact("str")),
        (None, ValueFact("none")),
        ({"a": 1}, ValueFact("dict")),
        (len, ValueFact("function")),
        (np.sin, ValueFact("function")),
        (np.sum, ValueFact("function")),
        (np, ValueFact("module")),
        (slice(3), ValueFact("object")),
        (np.ma.zeros(3), ValueFact("object")),
        ((1.0, None), ValueFact("tuple", items=(ValueFact("float"), ValueFact("none")))),
        ([], ValueFact("list")),
    ],
)
def test_describe(value: Any, fact: ValueFact) -> None:
    assert describe(value) == fact


def test_a_named_tuple_of_numpy_is_a_tuple() -> None:
    fact = describe(np.linalg.eigh(np.eye(2)))
    assert (fact.kind, [item.shape for item in fact.items]) == ("tuple", [(2,), (2, 2)])


def test_a_list_that_holds_itself_and_a_long_one_end() -> None:
    x: list[Any] = list(range(100))
    x[0] = x
    assert len(describe(x).items) == 64


def test_large_index_arrays_are_not_looked_into() -> None:
    assert describe(np.zeros(MAX_INDEX_ELEMENTS + 1, np.int8), index=True).unique is None
    backwards = ValueFact("array", "int64", (5,), low=0, high=4, unique=True, contiguous=False)
    assert describe(np.arange(5)[::-1], index=True) == backwards


values = st.one_of(
    st.integers(-5, 5),
    st.floats(),
    st.lists(st.integers(0, 3), min_size=1, max_size=3),
    st.tuples(st.integers(), st.floats()),
    st.builds(lambda n, d: np.zeros(n, d), st.integers(0, 3), st.sampled_from(["f4", "f8", "i8"])),
    st.builds(lambda n: np.zeros((n, 2)), st.integers(1, 3)),
)


@given(values, values, values)
def test_merging_does_not_depend_on_the_order(a: Any, b: Any, c: Any) -> None:
    a, b, c = describe(a, index=True), describe(b, index=True), describe(c, index=True)
    assert merge(a, b) == merge(b, a)
    assert merge(merge(a, b), c) == merge(a, merge(b, c))


def test_calls_are_watched_ever_more_rarely() -> None:
    watched = [number for number, flag in enumerate(itertools.islice(watched_calls(), 5000)) if flag]
    assert watched == [0, 1, 2, 3, 4, 5, 6, 7, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096]


def test_trips_are_watched_ever_more_rarely_and_not_at_all_after_the_deadline() -> None:
    recorder = Recorder((), 0, 1, 0)
    watched = [recorder.enter(0)]
    while watched[-1] < 100:
        watched.append(recorder.next_trip(0, watched[-1]))
    assert watched == [0, 1, 2, 4, 8, 16, 32, 64, 128]
    late = Recorder((), 0, 1, 0, watch_seconds=-1.0)
    assert (late.enter(0), late.next_trip(0, 0)) == (-1, -1)
