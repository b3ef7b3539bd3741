"""The notebook's output: three forms of one record."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

import nbformat
import pytest

from jitmagic.report import bundle, html, record, text
from tests.report import samples


def test_the_bundle_holds_text_html_and_the_record() -> None:
    sample = samples.sample()
    made = bundle.mimebundle(sample)
    assert made == {"text/plain": text.to_text(sample), "text/html": html.to_html(sample), record.MIME: sample}
    json.dumps(made, allow_nan=False)


@pytest.mark.parametrize("name", [path.stem for path in samples.FOLDER.glob("*.json") if path.stem != "hostile"])
def test_a_saved_notebook_grows_by_150_kilobytes_at_most(name: str) -> None:
    pytest.importorskip("bokeh")
    sample = json.loads((samples.FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    script = files("jitmagic.report").joinpath("static", "panel.js")
    # where a front end saves widgets too: the view, and what it was given
    given = json.dumps(sample, separators=(",", ":"))
    state = {"_esm": script.read_text(encoding="utf-8") if script.is_file() else "", "record": given}
    assert grown(bundle.mimebundle(sample, charts=True), {}) < 150_000
    assert grown(bundle.mimebundle(sample, folded=True), {"m": {"model_name": "AnyModel", "state": state}}) < 150_000


def test_the_html_of_a_long_function_leaves_out_what_is_beside_the_original() -> None:
    sample = samples.many()
    for variant in sample["variants"]:
        variant["source"] = variant["source"] and "\n".join(f"line_{n} = {n}" for n in range(150))
    short, long = bundle.mimebundle(samples.sample()), bundle.mimebundle(sample)
    assert "beside the original" in short["text/html"]
    assert "beside the original" not in long["text/html"]
    assert "line_149 = 149" in long["text/html"]


def grown(data: dict[str, Any], widgets: dict[str, Any]) -> int:
    """Returns the bytes by which a notebook grows that is saved with an output and with widgets."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("fn(x)")])
    before = len(nbformat.writes(notebook).encode())
    notebook.cells[0].outputs.append(nbformat.v4.new_output("display_data", data=data))
    if widgets:
        mime = "application/vnd.jupyter.widget-state+json"
        notebook.metadata["widgets"] = {mime: {"state": widgets, "version_major": 2, "version_minor": 0}}
    return len(nbformat.writes(notebook).encode()) - before


def test_no_notebook_library_is_needed() -> None:
    import subprocess
    import sys

    code = (
        "import sys, jitmagic.report.bundle;"
        "print([name for name in ('IPython', 'ipywidgets', 'bokeh', 'numpy', 'jsonschema') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "[]"
