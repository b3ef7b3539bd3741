"""Every example through the shell, as a user runs it: exit code, text, record and page."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import jitmagic
from jitmagic.report.record import validate
from tests.test_notebook import EXAMPLES, check_answers

ROOT = Path(jitmagic.__file__).resolve().parent.parent


def jit(*arguments, **more):
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "jitmagic", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, env=env, timeout=600, check=False, **more)


# each in processes of its own; test_notebook has all of them in one kernel
@pytest.mark.slow
@pytest.mark.parametrize("path", EXAMPLES, ids=[path.stem for path in EXAMPLES])
def test_an_example_answers_in_a_shell(path, tmp_path):
    record, page = tmp_path / "record.json", tmp_path / "page.html"
    done = jit("compare", path, "--budget", 1, "--json", record, "--html", page)
    assert done.returncode == 0, done.stderr
    answer = json.loads(record.read_text())
    validate(answer)
    check_answers(path.stem, answer)
    assert answer["recommendation"]["sentence"].split()[0] in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 120
    assert page.read_text().startswith("<!DOCTYPE html>")


@pytest.mark.parametrize("path", EXAMPLES, ids=[path.stem for path in EXAMPLES])
def test_an_example_runs_as_a_script(path):
    done = subprocess.run([sys.executable, path], capture_output=True, text=True, timeout=300, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_a_function_that_fails_by_itself_exits_with_1(tmp_path):
    file = tmp_path / "fails.py"
    file.write_text("import numpy as np\n\ndef f(x):\n    return x[10]\n\nf(np.arange(3.0))\n")
    done = jit("compare", file)
    assert done.returncode == 1
    assert "IndexError at line 4" in done.stderr
    assert "Traceback" not in done.stderr


def test_wrong_use_exits_with_2(tmp_path):
    file = tmp_path / "none.py"
    file.write_text("x = 1\n")
    for arguments in ([file], [tmp_path / "missing.py"], [file, "--budget", "-1"], [file, "--backends", "fortran"]):
        done = jit("compare", *arguments)
        assert done.returncode == 2, arguments
        assert done.stderr
        assert "Traceback" not in done.stderr
