"""Times over input sizes: what the record may say of them, and what every static view shows."""

from __future__ import annotations

import re
from typing import Any

import pytest

from jitmagic.report import html, record, rows, text
from jitmagic.report.columns import display_width
from tests.report import samples
from tests.report.test_html import Structure


def test_without_a_sweep_nothing_is_shown() -> None:
    assert rows.sizes(samples.many()) is None
    assert "Time of one call" not in text.to_text(samples.many())


def test_each_size_has_its_time_and_gaps_are_marked() -> None:
    found = rows.sizes(samples.swept())
    assert found is not None
    assert found.sizes == ("100", "1,000", "10,000", "100,000", "1,000,000")
    labels = [label for label, _, _ in found.lines]
    assert labels == ["numpy", "numba-parallel", "numba", "jax · cuda:0"]
    assert found.lines[1][1][:2] == ("–", "23 µs")
    assert [growth for _, _, growth in found.lines] == ["n^0.98", "n^0.90", "n^1.00", "–"]
    assert found.crossings[0] == "From n = 6,333 (6,000–6,700) on, numba-parallel is faster than numba."


def test_the_static_views_show_it() -> None:
    words = Structure(html.to_html(samples.swept())).words()
    assert re.search(r"numba-parallel ?– ?23 µs ?50 µs ?320 µs ?3\.0 ms ?n\^0\.90", words)
    shown = text.to_text(samples.swept())
    assert re.search(r"numba-parallel +– +23 µs +50 µs +320 µs +3\.0 ms +n\^0\.90", shown)
    for view in (words, shown):
        assert "From n = 14,286 on, jax is faster than numba-parallel." in view


@pytest.mark.parametrize("width", [40, 60, 80, 120])
def test_the_text_keeps_its_width_whatever_is_swept(width: int) -> None:
    swept = samples.swept()
    swept["sweep"]["n"] = [10.0**power for power in range(1, 13)]
    for series in swept["sweep"]["series"]:
        series["run"] = [samples.interval(1e-6 * power) for power in range(1, 13)]
    for made in (swept, samples.replace_strings(swept, lambda old, path: "速い" * 60 + samples.HOSTILE + path)):
        assert max(map(display_width, text.to_text(made, width=width).splitlines())) <= width


def broken(path: str, value: Any) -> dict[str, Any]:
    made = samples.swept()
    place: Any = made["sweep"]
    *inner, last = path.split(".")
    for name in inner:
        place = place[int(name) if name.isdigit() else name]
    place[int(last) if last.isdigit() else last] = value
    return made


@pytest.mark.parametrize(
    ("path", "value", "told"),
    [
        ("n", [100, 1000, 1000, 100_000, 1_000_000], r"sweep\.n: the sizes have to ascend"),
        ("series.0.run", [], r"series\[0\]\.run: expected one entry for each of the 5 sizes, found 0"),
        ("series.0.name", "fortran", r"series\[0\]: there is no variant \"fortran\""),
        ("series.0.growth", {"median": 1, "low": 2, "high": 1}, r"series\[0\]\.growth: low 2 is above high 1"),
        ("series.0.run.0", {"median": 1, "low": -1, "high": 1}, "at least 0"),
        ("parameter", "", "must not be empty"),
    ],
)
def test_a_sweep_that_contradicts_itself_is_refused(path: str, value: Any, told: str) -> None:
    with pytest.raises(record.RecordError, match=told):
        record.validate(broken(path, value))


def test_a_growth_may_be_negative() -> None:
    record.validate(broken("series.0.growth", {"median": -0.01, "low": -0.03, "high": 0.02}))
