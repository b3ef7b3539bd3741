"""Figures: no digit that the interval does not support, and none that hides what it says."""

from __future__ import annotations

import re

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from jitmagic import figures

positive = st.floats(1e-12, 1e12, allow_nan=False)


@st.composite
def measured(draw: st.DrawFn) -> tuple[float, float, float]:
    """Draws a figure with an interval around it."""
    value = draw(positive)
    below, above = draw(st.floats(0, 0.999)), draw(st.floats(0, 20))
    return value, value * (1 - below), value * (1 + above)


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ((0.1512, 0.1498, 0.1533), "151 ms"),
        ((0.02602, 0.0256, 0.0266), "26.0 ms"),
        ((1.31,), "1.3 s"),
        ((0.0,), "0 s"),
        ((None,), "–"),
        ((0.9996, 0.9995, 0.9997), "1.00 s"),
        ((0.0009996, 0.00099955, 0.00099965), "1.00 ms"),
        ((999.6e-9,), "1.0 µs"),
        ((75.0,), "75 s"),
        ((119.7,), "2.0 min"),
        ((150.0,), "2.5 min"),
        ((7300.0,), "2.0 h"),
        ((3e-9,), "3.0 ns"),
    ],
)
def test_duration(arguments: tuple[float, ...], text: str) -> None:
    assert figures.duration(*arguments) == text


def test_duration_interval_has_the_unit_and_the_digits_of_the_figure() -> None:
    assert figures.duration_interval(0.02602, 0.0256, 0.0266) == "25.6–26.6 ms"
    assert figures.duration_interval(0.5, 0.5, 0.5) == ""


@pytest.mark.parametrize(
    ("ratio", "expected"),
    [
        ((5.81, 5.62, 5.97), ("5.8×", "5.6–6.0")),
        ((0.81, 0.78, 0.84), ("0.81×", "0.78–0.84")),
        ((402.0, 390.0, 414.0), ("400×", "390–410")),
        ((1.0, 0.97, 1.03), ("1.00×", "0.97–1.03")),
        ((5.0, 1.0, 40.0), ("5×", "1–40")),
        ((12.33, 12.32, 12.34), ("12.3×", "")),
        ((7.05e-5, 7.02e-5, 8.45e-5), ("1/14,000×", "1/14,000–1/12,000")),
        ((0.0099, 0.0097, 0.0116), ("1/101×", "1/103–1/86")),
        ((0.005, 0.005, 0.005), ("1/200×", "")),
    ],
)
def test_speedup(ratio: tuple[float, float, float], expected: tuple[str, str]) -> None:
    assert figures.speedup(dict(zip(("median", "low", "high"), ratio, strict=True))) == expected


def read(text: str) -> float:
    over, slash, under = text.replace(",", "").rpartition("/")
    return float(over) / float(under) if slash else float(under)


@given(measured())
def test_an_interval_on_one_side_of_one_is_shown_on_that_side(ratio: tuple[float, float, float]) -> None:
    value, low, high = ratio
    shown, ends = figures.speedup({"median": value, "low": low, "high": high})
    numbers = [read(part) for part in [shown.removesuffix("×"), *ends.split("–")] if part]
    if low > 1:
        assert all(number > 1 for number in numbers)
    if high < 1:
        assert all(number < 1 for number in numbers)


@given(measured())
def test_a_figure_is_off_by_no_more_than_its_interval_or_its_last_digit(drawn: tuple[float, float, float]) -> None:
    value, low, high = drawn
    assume(low < high)
    shown = float(figures.figure(value, low, high))
    half_a_digit = 0.5 * 10 ** -(figures.MOST_DIGITS - 1) * value
    assert low * (1 - 1e-9) <= shown <= high * (1 + 1e-9) or abs(shown - value) <= half_a_digit * 1.01


@given(measured())
def test_no_more_digits_than_three(drawn: tuple[float, float, float]) -> None:
    mantissa = figures.figure(*drawn).split("e")[0]
    digits = mantissa.replace(".", "").lstrip("0")
    if "." in mantissa:
        assert len(digits) <= figures.MOST_DIGITS
    else:
        assert len(digits.rstrip("0")) <= figures.MOST_DIGITS


@given(positive)
def test_one_sample_gets_two_digits(value: float) -> None:
    assert abs(float(figures.figure(value)) / value - 1) <= 0.051
    digits = figures.figure(value).split("e")[0].replace(".", "").strip("0")
    assert len(digits) <= 2


@given(st.floats(1e-9, 1e9))
def test_a_duration_reads_back_as_itself(seconds: float) -> None:
    number, unit = figures.duration(seconds).split(" ")
    scale = {"ns": 1e-9, "µs": 1e-6, "ms": 1e-3, "s": 1, "min": 60, "h": 3600}[unit]
    assert float(number) * scale == pytest.approx(seconds, rel=0.051)


@given(st.floats(1e-9, 7000))
def test_a_duration_stays_below_the_next_unit(seconds: float) -> None:
    number, unit = figures.duration(seconds).split(" ")
    assert float(number) < (1000 if unit.endswith("s") and unit != "s" else 120)


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 B"),
        (8, "8 B"),
        (999, "999 B"),
        (1500, "1.5 kB"),
        (100_000_000, "100 MB"),
        (25_769_803_776, "25.8 GB"),
        (999_999, "1 MB"),
        (None, "–"),
    ],
)
def test_size(count: int | None, text: str) -> None:
    assert figures.size(count) == text


@given(st.integers(0, 10**18))
def test_a_size_reads_back_as_itself(count: int) -> None:
    number, unit = figures.size(count).split(" ")
    assert float(number) * 1000 ** figures._SIZES.index(unit) == pytest.approx(count, rel=0.006)


def test_counts() -> None:
    assert figures.count(1234567) == "1,234,567"
    assert figures.calls(11) == "11"
    assert figures.calls(3.3) == "3"
    assert figures.calls(1234) == "1,200"
    assert figures.count(10**300) == "1.0e+300"


def test_a_clock_of_one_sample_claims_no_interval() -> None:
    assert figures.clock({"median": 1.3123, "low": 1.3123, "high": 1.3123, "samples": 1}) == "1.3 s"
    assert figures.clock(None) == "–"


@pytest.mark.parametrize("number", [5e-324, 1.7e308, 1e-300])
def test_extreme_figures_are_short(number: float) -> None:
    assert len(figures.figure(number)) < 12
    assert len(figures.duration(number)) < 14
    assert re.fullmatch(r"\S+×", figures.speedup({"median": number, "low": number, "high": number})[0])


def test_value_type() -> None:
    assert figures.value_type({"kind": "array", "dtype": "float32", "shape": [3, None]}) == "float32[3, ?]"
    assert figures.value_type({"kind": "float", "dtype": None, "shape": None}) == "float"


def test_words() -> None:
    assert [figures.plural(number, "call") for number in (0, 1, 2)] == ["0 calls", "1 call", "2 calls"]
    assert [figures.listed(words) for words in ([], ["a"], ["a", "b"], ["a", "b", "c"])] == [
        "",
        "a",
        "a and b",
        "a, b and c",
    ]


@pytest.mark.parametrize(
    ("number", "text"),
    [(41_237.0, "41,000"), (670.0, "670"), (99.6, "100"), (4.2, "4.2"), (0.0351, "0.035"), (0, "0")],
)
def test_a_size_that_was_computed_has_two_digits(number: float, text: str) -> None:
    assert figures.rough(number) == text
