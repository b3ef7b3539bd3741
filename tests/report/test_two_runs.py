"""Two records side by side, and what a record holds of the run before."""

from __future__ import annotations

import copy
import json
import re
from typing import Any

import pytest

from jitmagic import cli
from jitmagic.report import html, record, rows, saving, text, two_runs
from jitmagic.report.columns import display_width
from tests.report import samples
from tests.report.test_html import Structure


def scaled(made: dict[str, Any], name: str, factor: float) -> dict[str, Any]:
    changed = copy.deepcopy(made)
    for variant in (changed["baseline"], *changed["variants"]):
        if variant["name"] == name:
            for end in ("median", "low", "high"):
                variant["clocks"]["run"][end] *= factor
    return changed


def change(found: two_runs.TwoRuns, label: str) -> str:
    return next(pair.change for pair in found.pairs if pair.label == label)


@pytest.fixture
def made() -> dict[str, Any]:
    return samples.sample()


@pytest.fixture
def name(made: dict[str, Any]) -> str:
    return next(str(one["name"]) for one in made["variants"] if one["verdict"] == "faster")


def test_a_run_and_itself_are_the_same(made: dict[str, Any]) -> None:
    found = two_runs.compare_runs(made, copy.deepcopy(made))
    assert found.same
    assert (found.differences, found.cautions) == ((), ())


def test_better_and_worse_need_intervals_that_lie_apart(made: dict[str, Any], name: str) -> None:
    assert change(two_runs.compare_runs(made, scaled(made, name, 0.5)), name) == "faster"
    assert change(two_runs.compare_runs(made, scaled(made, name, 2.0)), name) == "slower"
    nearly = two_runs.compare_runs(made, scaled(made, name, 1.0001))
    assert change(nearly, name) == "no clear difference"
    assert nearly.same


def test_two_exact_clocks_still_differ_by_what_two_processes_do() -> None:
    exact = {"median": 1.0, "low": 1.0, "high": 1.0}
    ratio = two_runs.quotient(exact, {"median": 0.99, "low": 0.99, "high": 0.99})
    assert ratio is not None
    assert ratio["low"] < 1 < ratio["high"]


def test_other_arguments_make_nothing_better_or_worse(made: dict[str, Any], name: str) -> None:
    other = scaled(made, name, 0.1)
    other["workload"]["arguments"][0]["shape"] = [7]
    found = two_runs.compare_runs(made, other)
    assert not found.same
    assert not {"faster", "slower"} & {pair.change for pair in found.pairs}
    assert found.differences[0][0] == "arguments"
    assert any("no run time is called better or worse" in caution for caution in found.cautions)


def test_a_machine_that_became_slower_is_said(made: dict[str, Any]) -> None:
    found = two_runs.compare_runs(made, scaled(made, "numpy", 3.0))
    assert found.cautions[0].startswith("NumPy itself ran clearly slower in B")


def test_a_changed_verdict_is_no_same_answer(made: dict[str, Any], name: str) -> None:
    other = copy.deepcopy(made)
    for variant in other["variants"]:
        if variant["name"] == name:
            variant.update(verdict="differs", verified=False, reason="values differ")
            variant.pop("speedup", None)
    assert not two_runs.compare_runs(made, other).same


def test_versions_alone_leave_the_answer_the_same_and_are_told(made: dict[str, Any]) -> None:
    other = copy.deepcopy(made)
    other["libraries"]["numpy"] = "3.0.0"
    found = two_runs.compare_runs(made, other)
    assert found.same
    assert ("numpy", made["libraries"]["numpy"], "3.0.0") in found.differences


def test_what_a_record_holds_of_the_run_before_is_valid(made: dict[str, Any], name: str) -> None:
    now = scaled(made, name, 0.5)
    del now["variants"][-1]
    now["previous"] = two_runs.previous(made, now)
    record.validate(now)
    changes = {one["name"]: one["change"] for one in now["previous"]["variants"]}
    assert changes[name] == "faster"
    assert changes[made["variants"][-1]["name"]] == "gone"


def test_every_static_view_shows_the_run_before() -> None:
    found = samples.previous()
    label = rows.before(found).lines[1][1]
    for shown in (text.to_text(found, width=100), Structure(html.to_html(found)).words()):
        assert "Against the run of 2026-11-20 09:58 UTC" in shown
        assert label in shown
        assert re.search(r"faster: 1\.\d+× as fast \(1\.\d+–1\.\d+\)", shown)
        assert "numba: 0.61.0 → 0.61.2" in shown
        assert "The source of fn changed" in shown


def test_a_ratio_whose_ends_are_turned_round_is_refused() -> None:
    found = samples.previous()
    found["previous"]["variants"][1]["ratio"] = {"median": 1.0, "low": 2.0, "high": 1.0}
    with pytest.raises(record.RecordError, match=r"previous\.variants\[1\]\.ratio"):
        record.validate(found)


@pytest.mark.parametrize("width", [40, 80, 120])
def test_the_text_keeps_its_width(width: int) -> None:
    odd = samples.hostile()
    for shown in (
        two_runs.to_text(samples.many(), odd, width=width),
        two_runs.to_text(odd, samples.many(), width=width),
        text.to_text(samples.previous(), width=width),
        text.to_text(odd, width=width),
    ):
        assert max(map(display_width, shown.splitlines())) <= width
        assert "\x1b" not in shown


def written(folder: Any, name: str, made: dict[str, Any]) -> str:
    path = folder / name
    path.write_text(json.dumps(made))
    return str(path)


def test_diff_has_the_exit_codes_of_diff(
    tmp_path: Any, made: dict[str, Any], name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    a = written(tmp_path, "a.json", made)
    b = written(tmp_path, "b.json", scaled(made, name, 0.4))
    assert cli.main(["diff", a, a]) == 0
    assert "are the same" in capsys.readouterr().out
    assert cli.main(["diff", a, b]) == 1
    assert "faster: " in capsys.readouterr().out
    assert cli.main(["diff", a, b, "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert told["same"] is False
    assert {one["name"]: one["change"] for one in told["variants"]}[name] == "faster"
    assert cli.main(["diff", a, str(tmp_path / "none.json")]) == 2
    assert "cannot be read" in capsys.readouterr().err
    assert cli.main(["diff", a, written(tmp_path, "c.json", {"schema": "jitmagic/v1"})]) == 2
    assert "holds no record" in capsys.readouterr().err
    assert cli.main(["diff", "-", "-"]) == 2


def test_a_folder_keeps_every_run_and_a_file_the_last(tmp_path: Any, made: dict[str, Any]) -> None:
    first, second = saving.save(made, tmp_path), saving.save(made, tmp_path)
    assert first != second
    assert record.load(first.read_text()) == record.load(second.read_text()) == made
    assert first.name.startswith(made["workload"]["name"] + "-")
    new = saving.save(made, f"{tmp_path}/deeper/still/")
    assert new.parent == tmp_path / "deeper" / "still"
    file = tmp_path / "mine.json"
    assert saving.save(made, file) == saving.save(made, file) == file
    assert sorted(each.name for each in tmp_path.glob("mine*")) == ["mine.json"]
    with pytest.raises(OSError, match="nowhere"):
        saving.save(made, tmp_path / "nowhere" / "mine.json")


def test_a_name_that_is_no_file_name_is_made_one(tmp_path: Any, made: dict[str, Any]) -> None:
    made["workload"]["name"] = "../<evil>/" + "x" * 500
    saved = saving.save(made, tmp_path)
    assert saved.parent == tmp_path
    assert len(saved.name) < 100
