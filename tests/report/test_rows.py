"""What is shown of each variant: order, figures, and the silence about results that were not verified."""

from __future__ import annotations

import pytest

from jitmagic import figures
from jitmagic.report import record, rows
from tests.report import samples


def labels(made: list[rows.Row]) -> list[str]:
    return [row.label for row in made]


def test_timed_rows_stand_by_run_time_with_the_baseline_in_its_place() -> None:
    made = rows.rows(samples.many())
    times = [row.variant["clocks"]["run"]["median"] for row in made if row.timed]
    assert times == sorted(times)
    assert labels(made)[:6] == ["jax · cuda:0", "numba-parallel", "numba", "jax", "torch-compile", "numpy"]
    assert [row.timed for row in made] == sorted((row.timed for row in made), reverse=True)


def test_every_verdict_has_a_sign_of_its_own() -> None:
    verdicts = record.schema()["$defs"]["variant"]["properties"]["verdict"]["enum"]
    assert sorted(rows.SIGNS) == sorted(verdicts)
    assert len(set(rows.SIGNS.values())) == len(verdicts)


@pytest.mark.parametrize("verified", [False, None])
def test_no_figure_of_speed_without_a_verified_result(verified: bool | None) -> None:
    # a producer that breaks the contract must not make a view break it too
    spoiled = samples.sample()
    spoiled["variants"][0]["verified"] = verified
    row = next(row for row in rows.rows(spoiled) if row.name == "numba-parallel")
    assert not row.timed
    assert row.verdict == "not verified"
    assert not row.recommended
    assert (row.ratio, row.share, row.speedup, row.interval) == (None, None, "", "")
    assert {row.run, row.end_to_end, row.build, row.break_even, row.error} == {figures.MISSING}


@pytest.mark.parametrize("verdict", ["differs", "unsupported", "crashed", "timed out", "stopped"])
def test_other_verdicts_have_a_reason_and_no_figures(verdict: str) -> None:
    made = samples.sample()
    made["variants"] = [samples.untimed("jax", verdict, verified=True)]
    row = rows.rows(made)[1]
    assert row.verdict == verdict
    assert row.reason
    assert not row.timed


def test_bars_are_shares_of_the_largest_speedup() -> None:
    made = {row.label: row.share for row in rows.rows(samples.sample())}
    assert made["numba-parallel"] == 1.0
    assert made["numpy"] == pytest.approx(1 / 5.81)
    assert made["torch"] == pytest.approx(0.81 / 5.81)
    assert made["jax"] is None


def test_the_largest_bar_is_the_baselines_where_nothing_is_faster() -> None:
    slow = samples.sample()
    slow["variants"] = [slow["variants"][2]]
    assert [row.share for row in rows.rows(slow)] == [1.0, pytest.approx(0.81)]


def test_one_row_at_most_is_recommended() -> None:
    many = samples.many()
    many["recommendation"]["variant"] = "jax"
    assert [row.label for row in rows.rows(many) if row.recommended] == ["jax · cuda:0"]


def test_break_even() -> None:
    made = {row.label: row.break_even for row in rows.rows(samples.sample())}
    assert made == {"numba-parallel": "11", "numpy": "–", "torch": "never", "jax": "–", "cupy · cuda:0": "–"}


def test_the_largest_error_says_where() -> None:
    made = {row.label: row.error_detail for row in rows.rows(samples.sample())}
    assert made["numba-parallel"] == "2.4e-07 (relative 1.1e-07) at result[12, 408]"
    assert made["torch"].startswith("none")
    assert made["cupy · cuda:0"] == ""


def test_an_infinite_error_is_said_to_be_one() -> None:
    made = samples.sample()
    made["variants"][1]["error"] = {"max_abs": None, "max_rel": None, "where": "result[3]"}
    row = next(row for row in rows.rows(made) if row.name == "jax")
    assert row.error_detail == "not finite at result[3]"


def test_hints_stand_by_severity_and_the_pressing_first() -> None:
    grouped = rows.hints(samples.many())
    assert list(grouped) == ["silent", "error", "performance"]
    assert [hint.code for hint in grouped["silent"]] == ["NB-FASTMATH", "JX-X32"]
    assert [hint.attention for hint in grouped["silent"]] == [True, False]


def test_a_hint_quotes_the_users_line() -> None:
    hint = rows.hints(samples.sample())["silent"][0]
    assert (hint.place, hint.quoted) == ("line 3", "return x + x*x + x*x*x")


def test_a_line_that_is_not_known_is_not_quoted() -> None:
    made = samples.sample()
    made["gotchas"][0]["line"] = 400
    assert rows.hints(made)["silent"][0].quoted == ""


def test_machine_leaves_out_what_is_not_known() -> None:
    made = samples.sample()
    made["machine"].update(processor=None, memory=None, cores=1, system="Darwin", release="")
    assert rows.machine(made) == "1 core · Darwin · Python 3.11.7"


def test_arguments() -> None:
    made = samples.sample()
    made["workload"]["arguments"].append(
        {"name": "n", "kind": "int", "dtype": None, "shape": None, "bytes": None, "mutated": False, "value": 40}
    )
    made["workload"]["arguments"][0]["mutated"] = True
    assert rows.arguments(made) == ["x float32[5000, 5000], 100 MB, changed in place", "n int = 40"]
