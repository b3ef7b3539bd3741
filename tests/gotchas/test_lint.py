"""`jitmagic lint`: rules on source alone, for editors and CI."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from jitmagic.cli import main
from jitmagic.gotchas.lint import LintError, lint_file, lint_text

SOURCE = """\
import numpy as np

scale = 2.0


def helper(a):
    print(a)
    return a


def fn(x, idx):
    x[idx] += 1
    return helper(x) * scale + np.median(x)


def no_numpy(k):
    print(k)
"""


def codes(text: str, **options: object) -> list[tuple[str, int | None]]:
    return [(one.gotcha.code, one.gotcha.line) for one in lint_text(text, "a.py", **options)]  # type: ignore[arg-type]


def test_functions_that_use_numpy_are_looked_at_with_their_helpers() -> None:
    found = codes(SOURCE)
    assert ("JX-PRINT", 7) in found
    assert ("JX-ARGMUT", 12) in found
    assert ("NB-GLOBALS", 13) in found
    assert not [line for _, line in found if line is not None and line > 14]
    assert len(found) == len(set(found))


def test_nothing_is_run(tmp_path: Path) -> None:
    mark = tmp_path / "ran"
    text = f"open({str(mark)!r}, 'w')\nraise SystemExit\n" + SOURCE
    assert ("JX-PRINT", 9) in codes(text)
    assert not mark.exists()


def test_only_the_backends_asked_for() -> None:
    assert {code[:2] for code, _ in codes(SOURCE, backends=("numba",))} <= {"NB", "BM"}


@pytest.mark.parametrize(
    ("before", "after", "gone", "left"),
    [
        ("x[idx] += 1", "x[idx] += 1  # jitmagic: ignore[JX-ARGMUT]", ("JX-ARGMUT", 12), ("JX-PRINT", 7)),
        ("print(a)", "print(a)  # jitmagic: ignore", ("JX-PRINT", 7), ("JX-ARGMUT", 12)),
        ("def helper(a):", "def helper(a):  # jitmagic: ignore[jx-print]", ("JX-PRINT", 7), ("JX-ARGMUT", 12)),
    ],
)
def test_a_comment_leaves_a_gotcha_out(before: str, after: str, gone: tuple[str, int], left: tuple[str, int]) -> None:
    found = codes(SOURCE.replace(before, after))
    assert gone not in found
    assert left in found


def test_a_comment_leaves_a_file_out() -> None:
    assert codes("# jitmagic: ignore-file\n" + SOURCE) == []


def test_what_needs_special_values_is_shown_on_demand() -> None:
    text = "import numpy as np\n\ndef fn(x):\n    return np.nanargmax(x)\n"
    assert ("JX-NANARG", 4) not in codes(text)
    assert ("JX-NANARG", 4) in codes(text, unlikely=True)


def test_a_notebook_is_looked_at_cell_by_cell(tmp_path: Path) -> None:
    def cell(*lines: str) -> dict[str, object]:
        return {"cell_type": "code", "source": [line + "\n" for line in lines], "metadata": {}, "outputs": []}

    cells = [
        {"cell_type": "markdown", "source": "# text", "metadata": {}},
        cell("%load_ext jitmagic", "!pip list", "import numpy as np"),
        cell("%%bash", "echo 'no Python'"),
        cell("%%time", "def fn(x):", "    print(x)", "    return np.sin(x)"),
    ]
    path = tmp_path / "a.ipynb"
    path.write_text(json.dumps({"cells": cells, "nbformat": 4}))
    (found,) = [one for one in lint_file(str(path)) if one.gotcha.code == "JX-PRINT"]
    assert (found.cell, found.gotcha.line, found.function) == (3, 3, "fn")
    assert found.place == f"{path}:cell 3:3:5"


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [("a.py", "def fn(:\n", "no Python"), ("a.ipynb", "{}", "no notebook"), ("gone.py", None, "cannot be read")],
)
def test_what_cannot_be_looked_at_is_said(tmp_path: Path, name: str, content: str | None, words: str) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_text(content)
    with pytest.raises(LintError, match=words):
        lint_file(str(path))
    assert main(["lint", str(path)]) == 2


def test_the_command_answers_as_linters_do(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path, clean = tmp_path / "a.py", tmp_path / "b.py"
    path.write_text(SOURCE)
    clean.write_text("import numpy as np\n\ndef fn(x):\n    return x + x\n")
    assert main(["lint", str(clean)]) == 0
    assert "no gotchas found" in capsys.readouterr().out
    assert main(["lint", str(path), str(clean)]) == 1
    assert f"{path}:7:5: JX-PRINT [silent, possible]" in capsys.readouterr().out
    assert main(["lint", str(path), "--format", "json", "-b", "jax"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert {"path", "line", "code", "message", "fix", "function"} <= set(found[0])
    assert {one["backend"] for one in found} == {"jax"}
    assert main(["lint", str(path), "-b", "nunba"]) == 2
    assert "choose from numba, jax" in capsys.readouterr().err


def test_sarif_has_what_its_readers_need(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "a.py"
    path.write_text(SOURCE)
    assert main(["lint", str(path), "--format", "sarif"]) == 1
    log = json.loads(capsys.readouterr().out)
    assert log["version"] == "2.1.0"
    (run,) = log["runs"]
    rules = run["tool"]["driver"]["rules"]
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        region = result["locations"][0]["physicalLocation"]["region"]
        assert 1 <= region["startLine"] <= region["endLine"]
        assert result["level"] in ("error", "warning", "note")
