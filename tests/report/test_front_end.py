"""Which front end is there, in faked surroundings."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from jitmagic.report import front_end


def installed(folder: Path, *names: str) -> list[Path]:
    for name in names:
        (folder / name).mkdir()
        (folder / name / "package.json").write_text("{}")
    return [folder]


@pytest.mark.parametrize(
    ("namespace", "environ", "modules", "name"),
    [
        ({}, {"JPY_SESSION_NAME": "/a.ipynb"}, {}, "jupyter"),
        ({}, {"JPY_SESSION_NAME": "/a.ipynb"}, {"google.colab": None}, "colab"),
        ({}, {"KAGGLE_KERNEL_RUN_TYPE": "Interactive", "JPY_SESSION_NAME": "x"}, {}, "kaggle"),
        ({"__vsc_ipynb_file__": "a.ipynb"}, {}, {}, "vscode"),
        ({}, {"VSCODE_PID": "1"}, {}, "vscode"),
        # JupyterLab started from a terminal of VS Code
        ({}, {"VSCODE_PID": "1", "JPY_SESSION_NAME": "/a.ipynb"}, {}, "jupyter"),
        ({}, {}, {}, "other"),
    ],
)
def test_it_is_told_by_what_it_leaves_behind(
    namespace: dict[str, Any], environ: dict[str, str], modules: dict[str, Any], name: str
) -> None:
    assert front_end.detect(namespace, environ, modules, []).name == name


def test_our_extension_and_the_widgets_are_looked_for_where_jupyterlab_does(tmp_path: Path) -> None:
    found = front_end.detect({}, {"JPY_SESSION_NAME": "x"}, {}, installed(tmp_path, "anywidget"))
    assert (found.draws_record, found.has_widgets) == (False, True)
    found = front_end.detect({}, {"JPY_SESSION_NAME": "x"}, {}, installed(tmp_path, "jitmagic"))
    assert (found.draws_record, found.has_widgets) == (True, True)


@pytest.mark.parametrize("environ", [{"KAGGLE_KERNEL_RUN_TYPE": "Batch"}, {"VSCODE_PID": "1"}, {}])
def test_elsewhere_an_extension_of_jupyterlab_says_nothing(environ: dict[str, str], tmp_path: Path) -> None:
    found = front_end.detect({}, environ, {}, installed(tmp_path, "anywidget", "jitmagic"))
    assert (found.draws_record, found.has_widgets) == (False, False)


def test_the_folders_are_those_of_jupyter() -> None:
    paths = pytest.importorskip("jupyter_core.paths")
    ours = {str(path) for path in front_end.extension_folders({})}
    assert {str(Path(path)) for path in paths.jupyter_path("labextensions")} & ours
