"""The command line: exit codes, outputs, messages; with stand-ins for the steps behind it."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import types
from pathlib import Path
from types import SimpleNamespace

import pytest

import jitmagic
import jitmagic.backends
import jitmagic.report
from jitmagic import cli, terminal
from jitmagic.errors import BaselineError
from jitmagic.measure.statistics import Interval
from tests import front_fakes as fakes

ROOT = Path(__file__).parent.parent
PROGRAM = "import math\n\n\ndef fn(x):\n    return x + 1\n\n\nx = 20\nprint('set up')\nfn(x * 2)\n"


@pytest.fixture
def steps(monkeypatch):
    found = fakes.Steps()
    for name, module in fakes.modules(found).items():
        monkeypatch.setitem(sys.modules, name, module)
    monkeypatch.setattr(jitmagic.backends, "all_backends", lambda: fakes.BACKENDS, raising=False)
    return found


@pytest.fixture
def program(tmp_path):
    path = tmp_path / "model.py"
    path.write_text(PROGRAM, encoding="utf-8")
    return path


def test_compare(steps, program, capsys):
    assert cli.main(["compare", str(program), "-b", "numba,jax", "-b", "torch", "-d", "cpu", "--budget", "3"]) == 0
    [(workload, options)] = steps.compared
    assert (workload.call, workload.args) == ("fn(x * 2)", (40,))
    assert options == fakes.Options(("numba", "jax", "torch"), ("cpu",), 3.0)
    captured = capsys.readouterr()
    assert captured.out == "set up\ntext width=80 color=False code=None µ\n"
    assert captured.err == ""


def test_a_function_and_a_call_may_be_named(steps, program, monkeypatch):
    asked = []

    def from_file(path, function=None, call=None, sweep=None):
        asked.append((path, function, call))
        return fakes.Workload("fn(1)"), None

    monkeypatch.setattr(sys.modules["jitmagic.capture.file"], "resized_from_file", from_file)
    assert cli.main(["compare", f"{program}::fn", "--call", "fn(-1)", "-q"]) == 0
    assert cli.main(["compare", str(program), "-q"]) == 0
    assert asked == [(str(program), "fn", "fn(-1)"), (str(program), None, None)]


@pytest.mark.skipif(os.name == "nt", reason="':' is no part of a Windows name")
@pytest.mark.parametrize("name", ["C:\\model.py", "odd::name.py"])
def test_colons_in_a_path(steps, tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    Path(name).write_text(PROGRAM, encoding="utf-8")
    assert cli.main(["compare", f"{name}::fn", "-q"]) == 0
    assert cli.main(["compare", name, "-q"]) == 0


def test_record_and_page_are_written_whole(steps, program, tmp_path, capsys):
    record, page = tmp_path / "out.json", tmp_path / "out.html"
    record.write_text("old", encoding="utf-8")
    assert cli.main(["compare", str(program), "--json", str(record), "--html", str(page), "--quiet"]) == 0
    assert json.loads(record.read_text(encoding="utf-8"))["schema"] == "jitmagic/v1"
    assert page.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["model.py", "out.html", "out.json"]
    assert capsys.readouterr().out == "set up\n"


@pytest.mark.skipif(os.name == "nt", reason="POSIX permissions and links")
def test_a_link_and_the_permissions_stay(steps, program, tmp_path):
    real, link, new = tmp_path / "real.json", tmp_path / "link.json", tmp_path / "new.html"
    real.write_text("old", encoding="utf-8")
    real.chmod(0o640)
    link.symlink_to(real)
    assert cli.main(["compare", str(program), "--json", str(link), "--html", str(new), "-q"]) == 0
    assert link.is_symlink()
    assert real.read_text(encoding="utf-8").startswith("{")
    assert real.stat().st_mode & 0o777 == 0o640
    umask = os.umask(0)
    os.umask(umask)
    assert new.stat().st_mode & 0o777 == 0o666 & ~umask


@pytest.mark.skipif(os.name == "nt", reason="/dev/null")
def test_a_device_is_written_and_not_replaced(steps, program):
    assert cli.main(["compare", str(program), "--json", "/dev/null", "-q"]) == 0
    assert not os.path.isfile("/dev/null")


def test_the_standard_output_holds_the_record_alone(steps, program, capsys):
    assert cli.main(["compare", str(program), "--json", "-"]) == 0
    captured = capsys.readouterr()
    assert json.loads(captured.out)["schema"] == "jitmagic/v1"
    assert captured.err == "set up\n"


def test_a_failed_write_leaves_the_old_file(tmp_path):
    path = tmp_path / "out.json"
    path.write_text("old", encoding="utf-8")

    def fail():
        with cli._replacing(str(path)) as file:
            file.write("half")
            raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        fail()
    assert path.read_text(encoding="utf-8") == "old"
    assert os.listdir(tmp_path) == ["out.json"]


def complaint(capsys, code, *arguments):
    assert cli.main(list(arguments)) == code
    captured = capsys.readouterr()
    assert "jitmagic/" not in captured.err.replace(os.sep, "/"), "a traceback of ours"
    return captured.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["compare", "missing.py"], "jitmagic: the file missing.py cannot be read: No such file"),
        (["compare", "{program}::not a name"], "'not a name' is no function's name"),
        (["compare", "{folder}"], "cannot be read"),
        (["compare", "{program}", "--budget", "0"], "jitmagic: the budget is 0.0 s and has to be positive"),
        (["compare", "{program}", "--budget", "soon"], "invalid float value: 'soon'"),
        (["compare", "{program}", "--dtype", "float16"], "invalid choice"),
        (["compare", "{program}", "-b", ","], "one name or more are needed"),
        (["compare", "{program}", "--json", "{folder}"], "this is a folder"),
        (["compare", "{program}", "--json", "{folder}/no/out.json"], "nothing can be written in"),
        (["compare", "{program}", "--json", "-", "--html", "-"], "cannot both go to the standard output"),
        (["compare", "{program}", "--json", "{folder}/a", "--html", "{folder}/a"], "name the same file"),
        (["compare", "{program}", "--call", "fn(1/0)"], "an argument of the call raised"),
        (["render", "{folder}/missing.json"], "cannot be read: No such file"),
        (["frobnicate"], "invalid choice"),
        ([], "required"),
    ],
)
def test_wrong_use_is_told_before_any_work(steps, program, tmp_path, capsys, arguments, said):
    filled = [part.format(program=program, folder=tmp_path) for part in arguments]
    assert said in complaint(capsys, 2, *filled)
    assert steps.compared == []


def test_an_error_of_the_users_set_up_shows_the_lines_of_the_file(steps, tmp_path, capsys):
    path = tmp_path / "broken.py"
    path.write_text("def half(n):\n    return 1 / n\n\nx = half(0)\nhalf(x)\n", encoding="utf-8")
    told = complaint(capsys, 2, "compare", str(path))
    assert told.splitlines()[0] == "Traceback (most recent call last):"
    assert f'File "{path}", line 4, in <module>' in told
    assert "return 1 / n" in told
    assert "ZeroDivisionError: division by zero" in told
    assert told.endswith(f"jitmagic: {path}: line 4: the set-up failed\n")
    assert "front_fakes" not in told


def test_a_failing_baseline(steps, program, capsys):
    steps.error = BaselineError("fn raised ValueError on line 5")
    assert complaint(capsys, 1, "compare", str(program)) == "jitmagic: fn raised ValueError on line 5\n"


def test_an_interrupted_comparison_is_an_answer(steps, program, capsys):
    steps.comparison = fakes.Comparison(status="interrupted")
    assert cli.main(["compare", str(program)]) == 0
    assert "text width" in capsys.readouterr().out


def test_a_second_interrupt(steps, program, capsys):
    steps.error = KeyboardInterrupt()
    assert complaint(capsys, 130, "compare", str(program)) == "jitmagic: interrupted\n"


def test_the_code_of_a_variant(steps, program, capsys):
    assert cli.main(["compare", str(program), "--code", "torch"]) == 0
    assert "code=torch" in capsys.readouterr().out
    assert cli.main(["compare", str(program), "--code", "tourch"]) == 2
    captured = capsys.readouterr()
    assert "code=None" in captured.out  # the answer is not thrown away
    assert "there is no such variant; there are all, numpy, numba-parallel, jax, torch, cupy" in captured.err


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_on_a_terminal(steps, program, monkeypatch):
    out, err = Terminal(), Terminal()
    monkeypatch.setattr(sys, "stdout", out)
    monkeypatch.setattr(sys, "stderr", err)
    monkeypatch.setenv("COLUMNS", "300")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert cli.main(["compare", str(program)]) == 0
    assert "width=120 color=True" in out.getvalue()
    assert "\rjitmagic: timing jax (3 of 4), about 3 s left" in err.getvalue()
    assert err.getvalue().endswith("\r")

    monkeypatch.setenv("NO_COLOR", "1")
    assert cli.main(["compare", str(program)]) == 0
    assert "color=False" in out.getvalue()


def test_a_console_that_lacks_letters(steps, program, monkeypatch):
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding="ascii"))
    assert cli.main(["compare", str(program)]) == 0
    assert b"code=None ?" in raw.getvalue()


def test_devices(steps, capsys):
    assert cli.main(["devices"]) == 0
    captured = capsys.readouterr()
    assert "cpu" in captured.out
    assert 'pip install "jitmagic[jax]"' in captured.out
    assert cli.main(["devices", "--json"]) == 0
    assert {"machine", "devices", "backends", "notes"} == set(json.loads(capsys.readouterr().out))


@pytest.fixture
def report(monkeypatch):
    def load(text):
        found = json.loads(text)
        if found.get("schema") != "jitmagic/v1":
            raise ValueError("its schema is unknown")
        return found

    def to_text(record, *, width=80, color=False, code=None):
        return f"{record['schema']} {width} {color} {code}\n"

    parts = {
        "record": {"load": load},
        "text": {"to_text": to_text},
        "web_page": {"to_page": lambda record: f"<!doctype html>{record['schema']}"},
    }
    for name, contents in parts.items():
        module = types.ModuleType(f"jitmagic.report.{name}")
        vars(module).update(contents)
        monkeypatch.setattr(jitmagic.report, name, module, raising=False)


def test_render(report, tmp_path, capsys, monkeypatch):
    sample, page = str(fakes.SAMPLE), tmp_path / "page.html"
    assert cli.main(["render", sample, "--code", "all"]) == 0
    assert capsys.readouterr().out == "jitmagic/v1 80 False all\n"
    assert cli.main(["render", sample, "--html", str(page)]) == 0
    assert page.read_text(encoding="utf-8") == "<!doctype html>jitmagic/v1"
    assert capsys.readouterr().out == ""
    assert cli.main(["render", sample, "--html", "-"]) == 0
    assert capsys.readouterr().out == "<!doctype html>jitmagic/v1\n"
    assert cli.main(["render", sample, "--html", str(page), "--text"]) == 0
    assert capsys.readouterr().out.startswith("jitmagic/v1")
    monkeypatch.setattr(sys, "stdin", io.StringIO(fakes.SAMPLE.read_text(encoding="utf-8")))
    assert cli.main(["render", "-"]) == 0


def test_render_writes_a_notebook_and_a_module(tmp_path, capsys):
    sample, notebook, module = str(fakes.SAMPLE), tmp_path / "v.ipynb", tmp_path / "v.py"
    assert cli.main(["render", sample, "--notebook", str(notebook), "--script", str(module)]) == 0
    assert capsys.readouterr().out == ""
    assert json.loads(notebook.read_text(encoding="utf-8"))["nbformat"] == 4
    compile(module.read_text(encoding="utf-8"), "v.py", "exec")
    assert cli.main(["render", sample, "--script", "-"]) == 0
    assert capsys.readouterr().out == module.read_text(encoding="utf-8")


def test_a_module_that_cannot_be_made_is_told(tmp_path, capsys):
    record = json.loads(fakes.SAMPLE.read_text(encoding="utf-8"))
    record["workload"]["name"] = "no name"
    saved = tmp_path / "record.json"
    saved.write_text(json.dumps(record), encoding="utf-8")
    assert "no function's name" in complaint(capsys, 2, "render", str(saved), "--script", str(tmp_path / "v.py"))
    assert not (tmp_path / "v.py").exists()


@pytest.mark.parametrize("text", ["{}", "not JSON"])
def test_what_is_no_record_is_told(report, tmp_path, capsys, text):
    path = tmp_path / "record.json"
    path.write_text(text, encoding="utf-8")
    assert "holds no record that this version can show" in complaint(capsys, 2, "render", str(path))


def test_as_a_module():
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "jitmagic", "--version"], capture_output=True, text=True, cwd=ROOT
    )
    assert done.returncode == 0
    assert done.stdout == f"jitmagic {jitmagic.__version__}\n"
    loaded = {line.rsplit("|", 1)[-1].strip() for line in done.stderr.splitlines()}
    assert not loaded & {"numpy", "libcst", "psutil", "IPython"}


@pytest.mark.skipif(os.name == "nt", reason="a pipe without a reader")
def test_a_reader_that_goes_away():
    program = (
        f"import sys; sys.path[:0] = [{str(ROOT)!r}, {str(ROOT / 'tests')!r}]\n"
        "import front_fakes; front_fakes.install()\n"
        "from jitmagic.cli import main; sys.exit(main(['devices']))"
    )
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run([sys.executable, "-c", program], stdout=write, stderr=subprocess.PIPE, text=True)
    os.close(write)
    assert done.stderr == ""
    assert done.returncode == 141


def test_progress_lets_new_steps_through_at_once_and_counts_now_and_then():
    now = [0.0]
    throttle = terminal.Throttle(0.2, clock=lambda: now[0])
    event = fakes.Progress("jax", "timing", 1, 9, None)
    assert throttle.passes(event)
    now[0] = 0.1
    assert not throttle.passes(fakes.Progress("jax", "timing", 2, 9, None))
    assert throttle.passes(fakes.Progress("torch", "checking", 2, 9, None))
    now[0] = 0.4
    assert throttle.passes(fakes.Progress("torch", "checking", 3, 9, None))


def test_a_progress_line_never_wraps(monkeypatch):
    monkeypatch.setenv("COLUMNS", "30")
    stream = Terminal()
    terminal.ProgressLine(stream)(fakes.Progress("numba-parallel", "compiling", 1, 12, None))
    assert len(stream.getvalue().strip("\r")) == 29


def test_explain_shows_the_page_of_a_code(capsys):
    assert cli.main(["explain", "nb-overlap"]) == 0
    assert "## Instead" in capsys.readouterr().out
    assert cli.main(["explain"]) == 0
    assert "NB-OVERLAP" in capsys.readouterr().out
    assert cli.main(["explain", "NB-OVERLAPS"]) == 2
    assert "did you mean" in capsys.readouterr().err


def test_a_progress_line_wipes_what_was_longer():
    stream = Terminal()
    line = terminal.ProgressLine(stream)
    line(fakes.Progress("numba-parallel", "timing", 10, 12, 8.2))
    line(fakes.Progress(None, "observing", 0, 0, None))
    first, second = stream.getvalue().split("\r")[1:]
    assert first == "jitmagic: timing numba-parallel (11 of 12), about 8 s left"
    assert second.rstrip() == "jitmagic: observing"
    assert len(second) == len(first)


def test_a_gotcha_is_explained_by_its_code(capsys):
    assert cli.main(["explain", "jx-print"]) == 0
    assert "## What happens" in capsys.readouterr().out
    assert cli.main(["explain"]) == 0
    assert "JX-PRINT" in capsys.readouterr().out
    assert cli.main(["explain", "JX-NONE"]) == 2
    assert "did you mean" in capsys.readouterr().err


def test_the_line_names_the_variant_that_is_surely_the_fastest_so_far():
    def one(name, *ratio):
        return SimpleNamespace(name=name, speedup=Interval(*ratio, 12) if ratio else None)

    standings = (one("numpy"), one("jax", 9.0, 2.0, 15.0), one("numba", 5.8, 5.6, 6.02), one("torch", 0.8, 0.7, 0.9))
    event = SimpleNamespace(
        variant=None, step="timing", done=12, total=90, seconds_left=8.0, size="", standings=standings
    )
    assert terminal.describe(event) == "jitmagic: timing, round 13, about 8 s left; so far numba 5.8× (5.6–6.0)"
