"""Charts as data: what they hold, and that nothing in a record turns into a script, markup or a formula."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from typing import Any

import pytest

from jitmagic.report import bundle, charts
from tests.report import samples

bokeh = pytest.importorskip("bokeh")


def items(record: dict[str, Any]) -> dict[str, Any]:
    """Returns the documents of a record's charts."""
    return {name: json.loads(text) for name, text in charts.charts(record)["items"].items()}


def objects(item: Any, name: str) -> list[dict[str, Any]]:
    """Returns the attributes of all models of a name in a json_item."""
    found = []
    if isinstance(item, dict):
        if item.get("name") == name and item.get("type") == "object":
            found.append(item.get("attributes", {}))
        for inner in item.values():
            found += objects(inner, name)
    elif isinstance(item, list):
        for inner in item:
            found += objects(inner, name)
    return found


def columns(item: Any) -> dict[str, Any]:
    [source] = objects(item, "ColumnDataSource")
    return dict(source["data"]["entries"])


def test_both_axes_and_the_sizes_are_made_where_there_is_something_to_draw() -> None:
    assert list(items(samples.swept())) == ["speed", "speed-log", "sizes"]
    assert list(items(samples.many())) == ["speed", "speed-log"]
    assert charts.charts(samples.unsupported()) is None


def test_the_version_stands_in_it() -> None:
    made = charts.charts(samples.sample())
    assert made["bokeh"] == bokeh.__version__
    assert all(item["doc"]["version"] == bokeh.__version__ for item in items(samples.sample()).values())


def test_bars_are_sorted_and_only_of_what_was_verified() -> None:
    record = samples.sample()
    data = columns(items(record)["speed"])
    assert data["name"] == ["numba-parallel", "numpy", "torch"]
    assert data["ratio"] == [5.81, 1.0, 0.81]
    assert (data["low"][0], data["high"][0]) == (5.62, 5.97)
    record["variants"][0].update(verified=False)
    assert columns(items(record)["speed"])["name"] == ["numpy", "torch"]


def test_hover_tells_every_figure() -> None:
    data = columns(items(samples.sample())["speed"])
    first = {name: values[0] for name, values in data.items()}
    assert first["shown"] == "5.8× (5.6–6.0)"
    assert first["run"] == "26.0 ms (25.6–26.6 ms)"
    assert (first["build"], first["break_even"], first["error"]) == ("1.3 s", "11", "2.4e-07")


def test_a_bar_says_that_its_variant_is_right_here_only() -> None:
    record = json.loads((samples.FOLDER / "probed.json").read_text(encoding="utf-8"))
    assert columns(items(record)["speed"])["shown"] == ["! 5.8× (5.6–6.0)", "1×", "0.81× (0.78–0.84)"]


def test_a_size_without_a_time_breaks_its_line() -> None:
    [gap] = [
        dict(source["data"]["entries"])
        for source in objects(items(samples.swept())["sizes"], "ColumnDataSource")
        if dict(source["data"]["entries"])["label"][0] == "numba-parallel"
    ]
    assert gap["median"][0] == {"type": "number", "value": "nan"}
    assert gap["time"][0] == ""


def test_bokeh_has_nothing_to_complain_of(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        charts.charts(samples.swept())
        charts.charts(samples.hostile())
    assert caplog.records == []


def test_hostile_strings_become_neither_scripts_nor_markup_nor_formulas() -> None:
    record = samples.replace_strings(samples.swept(), lambda old, path: "$$x$$ @{name}" + samples.HOSTILE + path)
    for item in items(record).values():
        text = json.dumps(item)
        assert "$$" not in text
        assert "CustomJS" not in text
        for tool in objects(item, "HoverTool"):
            # pairs, whose values Bokeh escapes; a template would be taken as markup
            assert isinstance(tool["tooltips"], list)


def test_labels_on_an_axis_differ_also_where_names_are_cut() -> None:
    record = samples.many()
    for variant in record["variants"]:
        variant["name"] = "n" * 100 + variant["name"]
    record["recommendation"] = None
    names = columns(items(record)["speed"])["name"]
    assert len(set(names)) == len(names)


def test_charts_are_small() -> None:
    made = charts.charts(samples.swept())
    # as a notebook writes them
    assert len(json.dumps(made, indent=1)) < 45_000


def test_the_bundle_has_them_only_where_they_are_asked_for() -> None:
    assert charts.MIME not in bundle.mimebundle(samples.sample())
    assert bundle.mimebundle(samples.sample(), charts=True)[charts.MIME]["schema"] == charts.SCHEMA


def test_bokeh_is_imported_only_for_a_chart() -> None:
    code = (
        "import sys\nfrom jitmagic.report import bundle, charts\nfrom tests.report import samples\n"
        "bundle.mimebundle(samples.sample())\ncharts.charts(samples.unsupported())\nprint('bokeh' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "False"


def test_without_bokeh_there_are_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(charts.importlib.util, "find_spec", lambda name: None)
    assert charts.charts(samples.sample()) is None
    assert charts.MIME not in bundle.mimebundle(samples.sample(), charts=True)
