"""The view of the result and of the progress, drawn in a real Chromium from the same source that the build bundles.

Skipped where there is no Chromium, or ``jlpm install`` was not run in ``labextension/``.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from jitmagic.report import charts, html, web_page
from tests.report import samples

ROOT = Path(__file__).parents[2]
MODULES = ROOT / "labextension" / "node_modules"
HOST = ["copy", "insertBelow", "use", "explain", "goToLine"]
NAMES = [path.stem for path in sorted(samples.FOLDER.glob("*.json"))]
RUNS = "<img src=x onerror='window.ran=1'><script>window.ran=1</script>"


def chromium() -> str | None:
    names = [os.environ.get("JITMAGIC_CHROMIUM", ""), "chromium", "chromium-browser", "google-chrome"]
    return next((found for name in names if name and (found := shutil.which(name))), None)


pytestmark = [
    pytest.mark.skipif(shutil.which("node") is None, reason="there is no Node.js"),
    pytest.mark.skipif(not (MODULES / "playwright-core").is_dir(), reason="jlpm install was not run in labextension/"),
    pytest.mark.skipif(chromium() is None, reason="there is no Chromium"),
]


@pytest.fixture(scope="module")
def draw(tmp_path_factory: pytest.TempPathFactory) -> Any:
    bundle = tmp_path_factory.mktemp("view") / "view.js"
    esbuild = MODULES / "esbuild" / "bin" / "esbuild"
    source = ROOT / "labextension" / "src" / "view" / "index.ts"
    command = ["node", str(esbuild), str(source), "--bundle", "--format=iife", "--global-name=View"]
    subprocess.run([*command, f"--outfile={bundle}", "--log-level=warning"], check=True, timeout=60)

    def drawn(*pages: dict[str, Any], scripts: tuple[Path, ...] = ()) -> list[dict[str, Any]]:
        job = {"modules": str(MODULES), "chromium": chromium(), "scripts": [*map(str, scripts), str(bundle)]}
        done = subprocess.run(
            ["node", str(ROOT / "tests" / "ui" / "drive.mjs")],
            input=json.dumps({**job, "pages": pages}),
            capture_output=True,
            text=True,
            timeout=180,
        )
        assert done.returncode == 0, done.stderr
        answers: list[dict[str, Any]] = json.loads(done.stdout)
        return answers

    return drawn


def read(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((samples.FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    return loaded


def test_every_record_is_drawn_whole_and_taken_away(draw: Any) -> None:
    for name, answer in zip(NAMES, draw(*({"record": read(name), "host": HOST} for name in NAMES)), strict=True):
        assert answer["faults"] == [], name
        assert answer["left"] == 0, name
        swept = read(name)["sweep"] is not None
        titles = [title.split(" ")[0] for title in answer["tabs"]]
        assert titles == ["Speed", *(["Sizes"] if swept else []), "Code", "Gotchas", "Machine"], name


def test_hostile_strings_change_no_structure_and_run_nothing(draw: Any) -> None:
    def harmless(old: str, path: str) -> str:
        return "x" * 200 + path

    def hostile(old: str, path: str) -> str:
        return RUNS + samples.HOSTILE + "x" * (200 - len(samples.HOSTILE) - len(RUNS)) + path

    record = samples.swept()
    makers = (harmless, hostile)
    pages = [{"record": samples.replace_strings(record, make), "host": HOST} for make in makers]
    benign, attacked = draw(*pages)
    assert attacked["faults"] == []
    assert attacked["ran"] is False
    for title, seen in attacked["tabs"].items():
        names = {entry.split(".")[0] for entry in seen["shape"]}
        assert not names & {"SCRIPT", "IMG", "IFRAME", "OBJECT", "EMBED", "FORM"}, title
        assert all(link.startswith(("https://", "http://")) for link in seen["links"])
        if title not in ("Code",):  # what is highlighted depends on the text
            assert seen["shape"] == benign["tabs"][title]["shape"], title
        assert "\x1b" not in seen["text"]
        assert "\u202e" not in seen["text"]
    assert "<script>" in attacked["text"]


@pytest.mark.slow
def test_names_of_a_megabyte_are_survived(draw: Any) -> None:
    record = samples.replace_strings(samples.sample(), lambda old, path: "<b>" + "n" * 1_000_000 + path)
    [answer] = draw({"record": record, "host": HOST})
    assert answer["faults"] == []
    assert len(answer["tabs"]["Speed"]["text"]) < 20_000
    assert len(answer["tabs"]["Code"]["text"]) < 100_000


@pytest.mark.slow
def test_figures_are_those_of_the_static_view(draw: Any) -> None:
    from tests.report.test_html import Structure

    for name in ("sample", "many", "swept", "crashed"):
        record = read(name)
        [answer] = draw({"record": record})
        words = Structure(html.to_html(record)).words()
        for row in answer["tabs"]["Speed"]["text"].splitlines():
            for cell in row.split("\t"):
                if "×" in cell:
                    assert cell.split(" ")[0] in words, (name, cell)


def test_only_what_the_page_can_do_is_offered(draw: Any) -> None:
    record = samples.many()
    bare, full = draw({"record": record}, {"record": record, "host": HOST})
    assert not set(bare["tabs"]["Code"]["buttons"]) & {"Insert below", "Use it"}
    assert {"Copy", "Insert below", "Use it"} <= set(full["tabs"]["Code"]["buttons"])
    called = {name for name, *_ in full["calls"]}
    assert called == set(HOST)
    used = {details[0] for name, *details in full["calls"] if name == "use"}
    verified = {variant["name"] for variant in record["variants"] if variant["verified"]}
    assert used == verified


def test_no_figure_of_speed_for_what_was_not_verified(draw: Any) -> None:
    record = samples.sample()
    record["variants"][0].update(verdict="faster", verified=False)
    [answer] = draw({"record": record})
    assert "5.8×" not in answer["tabs"]["Speed"]["text"]
    assert "not verified" in answer["tabs"]["Speed"]["text"]


def test_tabs_follow_the_arrow_keys(draw: Any) -> None:
    keys = ["ArrowRight", "ArrowRight", "End", "ArrowRight", "ArrowLeft", "Home"]
    [answer] = draw({"record": samples.sample(), "keys": keys})
    assert answer["faults"] == []
    assert answer["focused"] == ["Code", "Gotchas", "Machine", "Speed", "Machine", "Speed"]


def test_progress_changes_in_place_and_stop_is_said_once(draw: Any) -> None:
    def state(step: str, share: float, left: float | None, so_far: str | None = None) -> dict[str, Any]:
        variants = [
            {"label": "numpy", "step": "checked", "share": 0.6},
            {"label": "numba <b>", "step": step, "share": share, "so_far": so_far},
            {"label": "jax", "step": "differs", "share": 1},
        ]
        return {
            "schema": "jitmagic-progress/v1",
            "call": "fn(x)",
            "doing": f"{step} numba",
            "seconds_left": left,
            "variants": variants,
        }

    states = [state("compiling", 0.25, None), state("timing", 0.8, 3.2, "5.8× (5.6–6.0) <b>")]
    live, read_only = draw({"progress": states, "host": ["stop"]}, {"progress": states})
    assert live["same"] is True
    told = "timing, so far 5.8× (5.6–6.0) <b>"
    assert [step["bars"][1] for step in live["steps"]] == [["numba <b>", "compiling", 25], ["numba <b>", told, 80]]
    assert "about 4 s left" in live["steps"][1]["text"]
    assert told in live["steps"][1]["text"]
    assert "≠ differs" in live["steps"][0]["text"]
    assert (live["offered"], live["disabled"], live["calls"]) == (True, True, [["stop"]])
    assert read_only["offered"] is False
    assert "Interrupt the cell to stop" in read_only["steps"][0]["text"]


def test_bokeh_draws_the_charts_and_another_version_leaves_the_table(draw: Any) -> None:
    bokeh = pytest.importorskip("bokeh")
    script = Path(bokeh.__file__).parent / "server" / "static" / "js" / "bokeh.min.js"
    record = samples.swept()
    made = charts.charts(record)
    other = {**made, "items": {name: text.replace(bokeh.__version__, "2.0.0") for name, text in made["items"].items()}}
    drawn, bare = draw({"record": record, "charts": made}, {"record": record, "charts": other}, scripts=(script,))
    assert drawn["faults"] == bare["faults"] == []
    assert [drawn["tabs"][name]["canvases"] for name in ("Speed", "Sizes")] == [1, 1]
    assert [bare["tabs"][name]["canvases"] for name in ("Speed", "Sizes")] == [0, 0]
    assert "310×" in bare["tabs"]["Speed"]["text"]


def test_a_page_stands_alone_with_its_charts(draw: Any, tmp_path: Path) -> None:
    pytest.importorskip("bokeh")
    if not (ROOT / "jitmagic" / "report" / "static" / "page.js").is_file():
        pytest.skip("the view was not built")
    page, attacked = tmp_path / "page.html", tmp_path / "attacked.html"
    page.write_text(web_page.to_page(samples.swept()), encoding="utf-8")
    hostile = samples.replace_strings(samples.swept(), lambda old, path: RUNS + "</script>" + samples.HOSTILE + path)
    attacked.write_text(web_page.to_page(hostile), encoding="utf-8")
    whole, safe = draw({"file": str(page), "charts": True}, {"file": str(attacked), "charts": True, "dark": True})
    assert whole["faults"] == safe["faults"] == []
    assert whole["tabs"][:2] == ["Speed", "Sizes"]
    assert "Take numba-parallel" in whole["text"]
