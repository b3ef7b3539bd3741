"""Which sizes a sweep measures, and what is said to what cannot be read."""

import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jitmagic.measure.sweep import sizes
from jitmagic.measure.sweep.sizes import SweepError, parse


@pytest.mark.parametrize(
    ("text", "whole", "expected"),
    [
        ("n=1e3:1e7:5", True, (1000, 10_000, 100_000, 1_000_000, 10_000_000)),
        ("n=1:3:9", True, (1, 2, 3)),
        ("n = 100, 1000 ,5000", True, (100, 1000, 5000)),
        ("n=300,100,300", True, (100, 300)),
        ("eps=0.1:0.4:3", False, (0.1, pytest.approx(0.2), 0.4)),
    ],
)
def test_sizes(text, whole, expected):
    found = parse(text).values(whole=whole)
    assert found == expected
    assert all(type(one) is (int if whole else float) for one in found)


def test_without_a_number_of_sizes_there_are_seven():
    assert len(parse("n=1e1:1e7").values(whole=True)) == 7


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("n=", "needs a name and its sizes"),
        ("n", "needs a name and its sizes"),
        ("1000,2000", "needs a name and its sizes"),
        ("=1,2", "name of a variable"),
        ("for=1,2", "name of a variable"),
        ("a.b=1,2", "name of a variable"),
        ("n=0:10:3", "positive numbers"),
        ("n=0,10", "positive numbers"),
        ("n=1e3:1e2:3", "1e3 is not below 1e2"),
        ("n=5:5:3", "5 is not below 5"),
        ("n=-5:10:3", "positive numbers"),
        ("n=nan,3", "positive numbers"),
        ("n=1:inf:3", "positive numbers"),
        ("n=1:1e300:3", "above 1e"),
        ("n=1e400,3", "positive numbers"),
        ("n=1000", "one size is no sweep"),
        ("n=7,7", "one size is no sweep"),
        ("n=,", "one size is no sweep"),
        ("n=1:10:1", "from 2 to 50"),
        ("n=1:10:2.5", "from 2 to 50"),
        ("n=1:10:1e9", "from 2 to 50"),
        ("n=1:2:3:4", "from:to:how many"),
        ("n=ten:20", "'ten' is no number"),
        ("n=1:", "'' is no number"),
    ],
)
def test_what_cannot_be_read_is_told_of(text, told):
    with pytest.raises(SweepError, match=told):
        parse(text)


def test_an_integer_takes_no_half():
    with pytest.raises(SweepError, match=r"the size 2\.5 is none"):
        parse("n=2.5,10").values(whole=True)


def test_integers_that_fall_together_are_no_sweep():
    with pytest.raises(SweepError, match="the one integer 1"):
        parse("n=1:1.2:3").values(whole=True)


def test_too_many_in_a_list():
    with pytest.raises(SweepError, match="50 sizes at most"):
        sizes.of_list("n", range(1, 60))


@given(
    start=st.floats(1e-6, 1e14),
    factor=st.floats(1.001, 1e6),
    count=st.integers(2, 50),
    whole=st.booleans(),
)
def test_sizes_ascend_from_end_to_end(start, factor, count, whole):
    stop = start * factor
    if stop > sizes.LARGEST:
        return
    asked = parse(f"n={start!r}:{stop!r}:{count}")
    try:
        found = asked.values(whole=whole)
    except SweepError:
        assert whole
        return
    assert list(found) == sorted(set(found))
    assert 2 <= len(found) <= count
    if not whole:
        assert (found[0], found[-1]) == (start, stop)
        steps = [math.log(b / a) for a, b in itertools.pairwise(found)]
        assert max(steps) == pytest.approx(min(steps), rel=1e-3, abs=1e-9)


@given(st.text(max_size=30))
def test_any_text_is_read_or_told_of(text):
    try:
        asked = parse(text)
    except SweepError:
        return
    assert asked.parameter.isidentifier()
