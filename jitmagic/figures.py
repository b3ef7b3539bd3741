"""Figures as text, with no more digits than their interval supports.

A figure is cut at the decimal place of its interval's half-width, and the ends of the interval at the same place:
5.81 within 5.62–5.97 is "5.8" and "5.6–6.0". A figure without an interval (one sample) gets two digits.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

MISSING = "–"
"""Stands where there is no figure."""

MOST_DIGITS = 3
"""Digits shown at most: below a thousandth, what a computer does from day to day moves more than any interval says."""

_DURATIONS = (("ns", "1e-9"), ("µs", "1e-6"), ("ms", "1e-3"), ("s", "1"), ("min", "60"), ("h", "3600"))
_SIZES = ("B", "kB", "MB", "GB", "TB", "PB")
_ONE_SAMPLE_DIGITS = 2


def figure(value: float | None, low: float | None = None, high: float | None = None) -> str:
    """Writes a figure with the digits that its interval supports; two digits where there is none."""
    if value is None:
        return MISSING
    exact = _decimal(value)
    return _written(exact, _last_place(exact, _optional(low), _optional(high)))


def interval(value: float, low: float, high: float) -> str:
    """Writes the ends of a figure's interval, e.g. "5.6–6.0"; "" where the shown digits cannot tell them apart."""
    exact, bottom, top = _decimal(value), _decimal(low), _decimal(high)
    return _interval(bottom, top, _last_place(exact, bottom, top))


def speedup(ratio: Mapping[str, float]) -> tuple[str, str]:
    """Writes a ratio of run times and its interval, e.g. ("5.8×", "5.6–6.0").

    An interval that does not hold 1 is shown with as many digits as it takes to see that. Below a hundredth it is
    written as a fraction, e.g. ("1/14,000×", "1/15,000–1/12,000").
    """
    value, low, high = (_decimal(ratio[name]) for name in ("median", "low", "high"))
    if 0 < low <= value < Decimal("0.01") and high < Decimal("0.1"):
        return _fraction(1 / value, 1 / high, 1 / low)
    place = _last_place(value, low, high)
    if low <= 1 <= high:
        return f"{_written(value, place)}×", _interval(low, high, place)
    places = [_place_apart_from_one(figure, place) for figure in (value, low, high)]
    shown, *ends = (_written(figure, at) for figure, at in zip((value, low, high), places, strict=True))
    return f"{shown}×", "–".join(ends) if ends[0] != ends[1] else ""


def _fraction(value: Decimal, low: Decimal, high: Decimal) -> tuple[str, str]:
    """Writes how many times slower something is, as a fraction of the speed."""
    place = _last_place(value, low, high)

    def written(end: Decimal) -> str:
        text = _written(end, min(place, end.adjusted()))
        return f"1/{int(text):,}" if text.isdigit() else f"1/{text}"

    ends = [written(high), written(low)]
    return f"{written(value)}×", "–".join(ends) if ends[0] != ends[1] else ""


def duration(seconds: float | None, low: float | None = None, high: float | None = None) -> str:
    """Writes a time in the unit that suits it: "26.0 ms", "1.3 s", "2.5 min"."""
    if seconds is None:
        return MISSING
    if seconds == 0:
        return "0 s"
    scaled, place, _, unit = _in_unit(seconds, low, high)
    return f"{_written(scaled, place)} {unit}"


def duration_interval(seconds: float, low: float, high: float) -> str:
    """Writes the interval of a time in the unit of the time: "25.6–26.6 ms"; "" where its ends look the same."""
    if seconds == 0:
        return ""
    _, place, scale, unit = _in_unit(seconds, low, high)
    ends = _interval(_decimal(low) / scale, _decimal(high) / scale, place)
    return f"{ends} {unit}" if ends else ""


def _in_unit(seconds: float, low: float | None, high: float | None) -> tuple[Decimal, int, Decimal, str]:
    """Finds the unit for a time; returns the time in it, its last place, the unit in seconds, and its name."""
    exact, bottom, top = _decimal(seconds), _optional(low), _optional(high)
    for unit, size in _DURATIONS:
        scale = Decimal(size)
        scaled = exact / scale
        place = _last_place(scaled, None if bottom is None else bottom / scale, None if top is None else top / scale)
        found = scaled, place, scale, unit
        # minutes and hours from two on: "75 s" is read faster than "1.2 min"
        if _rounded(scaled, place) < (1000 if scale < 1 else 120):
            break
    return found


def clock(measured: Mapping[str, Any] | None) -> str:
    """Writes a clock's median, with the digits that its samples support."""
    if measured is None:
        return MISSING
    if measured["samples"] < 2:
        return duration(measured["median"])
    return duration(measured["median"], measured["low"], measured["high"])


def size(count: float | None) -> str:
    """Writes a number of bytes in decimal units: "100 MB", "25.8 GB"; no more than three digits."""
    if count is None:
        return MISSING
    exact = _decimal(count)
    text = ""
    for index, unit in enumerate(_SIZES):
        scaled = exact / (Decimal(1000) ** index)
        place = scaled.adjusted() - MOST_DIGITS + 1 if index else 0
        text = f"{_plain(_written(scaled, place))} {unit}"
        if _rounded(scaled, place) < 1000:
            break
    return text


def count(number: float | None) -> str:
    """Writes a whole number with its thousands apart: "1,234"; a huge one as a power of ten."""
    if number is None:
        return MISSING
    exact = _decimal(number)
    if exact.adjusted() >= 9:
        return _written(exact, exact.adjusted() - 1)
    return f"{int(_rounded(exact, 0)):,}"


def calls(number: float | None) -> str:
    """Writes a number of calls that was computed from measured times: two digits from a hundred on."""
    if number is None:
        return MISSING
    exact = _decimal(number)
    if exact.adjusted() >= 2:
        exact = _rounded(exact, exact.adjusted() - 1)
    return count(float(exact))


def rough(number: float) -> str:
    """Writes a size that was computed from measured times, with two digits: "41,000", "0.035"."""
    exact = _decimal(number)
    if not exact:
        return "0"
    place = exact.adjusted() - 1
    return count(float(_rounded(exact, place))) if place >= 0 else _written(exact, place)


def value_type(fact: Mapping[str, Any]) -> str:
    """Writes what an argument is: "float32[5000, 5000]", or its kind where it is no array."""
    if fact["shape"] is None:
        return str(fact["dtype"] or fact["kind"])
    lengths = ", ".join("?" if length is None else str(length) for length in fact["shape"])
    return f"{fact['dtype'] or fact['kind']}[{lengths}]"


def plural(number: int, noun: str) -> str:
    """Writes "1 call", "2 calls"."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def listed(words: Sequence[str]) -> str:
    """Joins words for a reader: "a", "a and b", "a, b and c"."""
    return " and ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else "".join(words)


def _decimal(value: float) -> Decimal:
    # repr, since Decimal(0.1) would carry the binary expansion's digits
    return Decimal(repr(float(value)))


def _optional(value: float | None) -> Decimal | None:
    return None if value is None else _decimal(value)


def _last_place(value: Decimal, low: Decimal | None, high: Decimal | None) -> int:
    """Finds the power of ten of the last digit that an interval supports."""
    leading = value.adjusted() if value else 0
    if low is None or high is None or low == high:
        place, most = leading - _ONE_SAMPLE_DIGITS + 1, _ONE_SAMPLE_DIGITS
    else:
        place, most = min(((high - low) / 2).adjusted(), leading), MOST_DIGITS
        if low <= value <= high:
            # a lopsided interval may lie on one side of the rounded figure: one digit more, then
            while not low <= _rounded(value, place) <= high:
                place -= 1
    place = max(place, leading - most + 1)
    # 999.6 rounds to 1000, which has one digit more
    return max(place, _rounded(value, place).adjusted() - most + 1) if value else place


def _place_apart_from_one(end: Decimal, place: int) -> int:
    place = min(place, end.adjusted()) if end else place
    while end != 1 and (_rounded(end, place) == 1 or (_rounded(end, place) > 1) != (end > 1)):
        place -= 1
    return place


def _rounded(value: Decimal, place: int) -> Decimal:
    # scaleb and not quantize: quantize refuses results of more than 28 digits
    return round(value.scaleb(-place)) * Decimal(1).scaleb(place)


def _written(value: Decimal, place: int) -> str:
    rounded = _rounded(value, place)
    if not rounded:
        return "0"
    leading = rounded.adjusted()
    if -5 < leading < 6:
        return f"{rounded:.{max(0, -place)}f}"
    return f"{float(rounded):.{max(0, leading - place)}e}"


def _interval(low: Decimal, high: Decimal, place: int) -> str:
    # an end far below the figure keeps its own first digit: "0.4–40", never "0–40"
    ends = [_written(end, min(place, end.adjusted()) if end else place) for end in (low, high)]
    return "–".join(ends) if ends[0] != ends[1] else ""


def _plain(text: str) -> str:
    return text.rstrip("0").rstrip(".") if "." in text and "e" not in text else text
