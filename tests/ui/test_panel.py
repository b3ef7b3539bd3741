"""The panel in a JupyterLab that has anywidget and not our extension: live, stopped, saved and opened again.

Skipped where JupyterLab, anywidget, Chromium or the built panel is not there.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest

from jitmagic.report import panel
from tests.ui.test_view import MODULES, ROOT, chromium, pytestmark  # noqa: F401 - the same is needed

pytest.importorskip("jupyterlab")
pytest.importorskip("anywidget")
pytest.importorskip("bokeh")
if panel.missing() is not None:
    pytest.skip(str(panel.missing()), allow_module_level=True)

WIDGETS = ("anywidget", "@jupyter-widgets")
CELL = """%%jitcompare --panel -b numba --budget {budget}
def fn(x):
    y = np.zeros_like(x)
    for i in range(1, len(x)):
        y[i] = y[i - 1] * 0.5 + x[i]
    return y

x = np.ones(20_000)
fn(x)"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    home = tmp_path_factory.mktemp("lab")
    work, extensions = home / "work", home / "extensions"
    work.mkdir()
    extensions.mkdir()
    for name in WIDGETS:
        there = Path(sys.prefix) / "share" / "jupyter" / "labextensions" / name
        if not there.is_dir():
            pytest.skip(f"JupyterLab's extension {name} is not in {sys.prefix}")
        (extensions / name).symlink_to(there)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    folders = {f"JUPYTER_{name}_DIR": str(home / name.lower()) for name in ("CONFIG", "DATA", "RUNTIME")}
    environment = {**os.environ, **folders, "IPYTHONDIR": str(home / "ipython"), "PYTHONPATH": str(ROOT)}
    options = [
        "--no-browser", "--allow-root", "--ip=127.0.0.1", f"--port={port}", "--IdentityProvider.token=ui",
        f"--ServerApp.root_dir={work}", f"--LabApp.labextensions_path={extensions}",
        "--LabApp.expose_app_in_browser=True", "--LabApp.news_url=None",
        f"--LabApp.workspaces_dir={home / 'workspaces'}", f"--LabApp.user_settings_dir={home / 'settings'}",
    ]  # fmt: skip
    with open(home / "log", "w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "jupyterlab", *options], env=environment, cwd=work, stdout=log, stderr=log
        )
    url = f"http://127.0.0.1:{port}"
    try:
        for _ in range(120):
            try:
                urllib.request.urlopen(f"{url}/api/status?token=ui", timeout=5)
                break
            except OSError:
                assert process.poll() is None, (home / "log").read_text()
                time.sleep(0.5)
        yield url, work
    finally:
        process.terminate()
        process.wait(timeout=30)


def ran(server: tuple[str, Path], name: str, budget: float, *, stop: bool) -> tuple[dict[str, Any], Any]:
    """Runs a notebook; returns what was seen of it, and the notebook as it was saved."""
    url, work = server
    cells = ["%load_ext jitmagic\nimport numpy as np", CELL.format(budget=budget), "print('all ' + 'is done')"]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(notebook, work / name)
    job = {
        "url": f"{url}/lab/tree/{name}?token=ui&reset",
        "modules": str(MODULES),
        "chromium": chromium(),
        "stop": stop,
    }
    done = subprocess.run(
        ["node", str(ROOT / "tests" / "ui" / "lab.mjs")],
        input=json.dumps(job),
        capture_output=True,
        text=True,
        timeout=400,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout), nbformat.read(work / name, as_version=4)


@pytest.mark.slow
def test_progress_result_and_use_then_a_static_notebook(server: tuple[str, Path]) -> None:
    seen, saved = ran(server, "result.ipynb", 2, stop=False)
    assert seen["faults"] == []
    assert "NumPy's speed here" in seen["advice"]
    assert seen["canvases"] == 1
    assert seen["used"] == "numba is in use now."
    [output] = saved.cells[1].outputs
    assert "application/vnd.jupyter.widget-view+json" not in output.data
    assert "widgets" not in saved.metadata
    assert len(json.dumps(output)) < 150_000
    assert "Error displaying widget" not in seen["reopened"]
    assert "NumPy's speed here" in seen["reopened"]
    assert seen["tabsLeft"] == 0


@pytest.mark.slow
def test_stop_reaches_a_busy_kernel_and_keeps_what_is_done(server: tuple[str, Path]) -> None:
    began = time.monotonic()
    seen, _ = ran(server, "stop.ipynb", 300, stop=True)
    assert time.monotonic() - began < 250
    assert seen["faults"] == []
    assert seen["bars"] >= 2
    assert "■ Interrupted after" in seen["advice"]
    assert "Interrupted after" in seen["reopened"]
    assert "Error displaying widget" not in seen["reopened"]
