"""The magics in a real IPython shell, with stand-ins for the steps behind them."""

from __future__ import annotations

import io
import subprocess
import sys
import textwrap
import time
import warnings
from pathlib import Path

import pytest

import jitmagic.backends
from jitmagic.errors import BaselineError, CaptureError
from tests import front_fakes as fakes
from tests.front_fakes import MIME, Comparison

pytest.importorskip("IPython")

from IPython.core.completer import provisionalcompleter
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
from traitlets.config import Config

ROOT = Path(__file__).parent.parent


@pytest.fixture
def steps(monkeypatch):
    found = fakes.Steps()
    for name, module in fakes.modules(found).items():
        monkeypatch.setitem(sys.modules, name, module)
    monkeypatch.setattr(jitmagic.backends, "all_backends", lambda: fakes.BACKENDS, raising=False)
    return found


@pytest.fixture
def shell(tmp_path, monkeypatch):
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    # a doctest that ran before leaves a `_` in builtins, and IPython then keeps its own out of the namespace
    monkeypatch.delattr("builtins._", raising=False)
    InteractiveShell.clear_instance()
    config = Config()
    config.HistoryManager.enabled = False
    shell = InteractiveShell.instance(config=config)
    shell.run_line_magic("colors", "nocolor")
    shell.run_line_magic("load_ext", "jitmagic")
    yield shell
    shell.run_line_magic("unload_ext", "jitmagic")
    InteractiveShell.clear_instance()


def run(shell, source, store_history=True):
    """Runs a cell as a user does; returns its result and what it showed."""
    with capture_output() as captured:
        result = shell.run_cell(textwrap.dedent(source).strip("\n"), store_history=store_history)
    return result, captured


CELL = """
    %%jitcompare
    import math
    def fn(x):
        return x + 1

    x = 20
    fn(x * 2)
"""


def test_a_cell_runs_its_setup_and_compares_its_last_expression(shell, steps):
    result, captured = run(shell, CELL)
    assert result.success
    assert shell.user_ns["fn"](1) == 2
    [(workload, options)] = steps.compared
    assert (workload.call, workload.args) == ("fn(x * 2)", (40,))
    assert options == fakes.Options()
    assert [sorted(output.data) for output in captured.outputs] == [sorted(["text/plain", "text/html", MIME])]
    assert captured.outputs[0].data[MIME]["schema"] == "jitmagic/v1"
    assert captured.stdout == ""
    assert captured.stderr == ""


def test_the_compared_call_does_not_run_in_the_kernel(shell, steps):
    run(shell, "%%jitcompare\nseen = []\ndef fn(x):\n    seen.append(x)\nfn(3)")
    assert shell.user_ns["seen"] == []
    assert len(steps.compared) == 1


def test_a_call_on_the_cells_first_line(shell, steps):
    result, _ = run(shell, '%%jitcompare -q fn("-o x", -1)\ndef fn(a, b):\n    return a\nx = 1')
    assert result.success
    assert steps.compared[0][0].args == ("-o x", -1)


def test_a_line_takes_a_function_that_lives_already(shell, steps):
    run(shell, "def fn(x):\n    return x\ny = {'a': 5}")
    result, captured = run(shell, "%jitcompare -b numba,jax --budget 3 -d cpu --dtype float32 fn(y['a'] - 1)")
    assert result.success
    [(workload, options)] = steps.compared
    assert workload.args == (4,)
    assert options == fakes.Options(("numba", "jax"), ("cpu",), 3.0, 60.0, "float32")
    assert len(captured.outputs) == 1


def test_braces_and_dollars_in_a_call_are_not_expanded(shell, steps):
    run(shell, "def fn(x):\n    return x\ny = 1")
    run(shell, "%jitcompare fn({y}, '$y {y}')")
    assert steps.compared[0][0].args == ({1}, "$y {y}")


def test_a_line_inside_a_function_sees_its_names(shell, steps):
    result, _ = run(
        shell, "def outside():\n    inner = 7\n    %jitcompare -q fn(inner)\ndef fn(x): return x\noutside()"
    )
    assert result.success
    assert steps.compared[0][0].args == (7,)


def test_the_result_is_returned_and_shown_once(shell, steps):
    result, captured = run(shell, CELL.replace("jitcompare", "jitcompare -o"))
    assert result.result is steps.comparison
    assert shell.user_ns["Out"][result.execution_count] is steps.comparison
    shown = [output for output in captured.outputs if MIME in output.data]
    assert shown == []  # a bare InteractiveShell's displayhook prints
    assert captured.stdout.count("text width=80") == 1


@pytest.mark.parametrize("line", ["c = %jitcompare -o fn(1)", "for _ in range(1):\n    %jitcompare -o fn(1)"])
def test_a_result_that_ipython_does_not_show_is_shown(shell, steps, line):
    run(shell, "def fn(x): return x")
    _, captured = run(shell, line)
    assert [MIME in output.data for output in captured.outputs] == [True]


def test_an_assigned_result(shell, steps):
    run(shell, "def fn(x): return x")
    run(shell, "c = %jitcompare -oq fn(1)")
    assert shell.user_ns["c"] is steps.comparison


def test_the_result_goes_into_a_variable(shell, steps):
    result, captured = run(shell, CELL.replace("jitcompare", "jitcompare -q -v answer"))
    assert shell.user_ns["answer"] is steps.comparison
    assert result.result is None
    assert captured.outputs == []
    assert captured.stdout == captured.stderr == ""


def test_the_nested_run_leaves_no_trace(shell, steps):
    run(shell, "6 * 7")
    names = set(shell.user_ns)
    count, last = shell.execution_count, shell.user_ns["_"]
    out, ins = dict(shell.user_ns["Out"]), len(shell.user_ns["In"])
    _, captured = run(shell, CELL.replace("x = 20", "x = 20\n    x + 5"))
    assert set(shell.user_ns) - names - {f"_i{count}"} == {"fn", "x", "math"}
    assert shell.user_ns["_"] == last == 42
    assert shell.user_ns["Out"] == out
    assert len(shell.user_ns["In"]) == ins + 1
    assert shell.execution_count == count + 1
    assert shell.ast_node_interactivity == "last_expr"
    assert captured.stdout == ""


def test_ipythons_own_syntax_works_in_a_cell(shell, steps):
    source = (
        "%%jitcompare\nfound = %pwd\n!echo from the shell\n%config JitMagic.budget = 4\ndef fn(x): return x\nfn(2);"
    )
    result, captured = run(shell, source)
    assert result.success
    assert shell.user_ns["found"]
    assert "from the shell" in captured.stdout
    assert steps.compared[0][0].args == (2,)


@pytest.mark.parametrize("above", ["", "\n\n"])
@pytest.mark.parametrize("blank", ["", "\n", "\n  \n\n"])
def test_a_traceback_names_the_cell_and_the_line_that_the_user_sees(shell, steps, above, blank):
    run(shell, "1")
    source = above + "%%jitcompare\n" + blank + "x = 1\nx / 0\ndef fn(x): return x\nfn(x)"
    with capture_output() as captured:
        result = shell.run_cell(source, store_history=True)
    line = source.split("\n").index("x / 0") + 1
    assert f"Cell In[{result.execution_count}], line {line}" in captured.stdout
    assert f"----> {line} x" in captured.stdout or f"---> {line} x" in captured.stdout
    assert captured.stdout.count("Traceback (most recent call last)") == 1
    assert "magic.py" not in captured.stdout
    assert steps.compared == []
    assert isinstance(result.error_in_exec, ZeroDivisionError)  # so that "run all" stops here


def test_a_later_cell_is_numbered_as_ever(shell, steps):
    run(shell, CELL)
    result, captured = run(shell, "1 / 0")
    assert f"Cell In[{result.execution_count}], line 1" in captured.stdout


def test_a_syntax_error_is_shown_by_ipython(shell, steps):
    result, captured = run(shell, "%%jitcompare\nx = 1\ny = = 2\nfn(x)")
    assert not result.success
    assert "line 3" in captured.stdout
    assert captured.stdout.count("SyntaxError") == 1
    assert "x" not in shell.user_ns


def test_an_indented_cell_and_a_pasted_session(shell, steps):
    run(shell, "%%jitcompare -q\n    def fn(x):\n        return x\n    fn(4)")
    with capture_output():
        shell.run_cell("%%jitcompare -q\n>>> def fn(x):\n...     return x\n>>> fn(5)")
    assert [workload.args for workload, _ in steps.compared] == [(4,), (5,)]


def test_a_warning_is_shown_as_often_as_in_a_plain_cell(shell, steps):
    body = "x = 'a'\ny = x is 'a'\ndef fn(x): return x\nfn(x)"
    counts = []
    for source in ("%%jitcompare -q\n" + body, body):
        with warnings.catch_warnings(record=True) as seen:
            warnings.simplefilter("always")
            run(shell, source)
        counts.append([warning.category for warning in seen].count(SyntaxWarning))
    assert counts[0] == counts[1] > 0


def usage(captured):
    assert "Traceback" not in captured.stdout
    assert captured.stderr.startswith("UsageError: ")
    return captured.stderr


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("%jitcompare", ["there is no call", "Example: %jitcompare fn(x)"]),
        ("%jitcompare --wrong fn(x)", ["there is no option --wrong", "Example: %jitcompare -b numba,jax fn(x)"]),
        ("%%jitcompare -b\nfn(x)", ["-b needs a value", "Example: %%jitcompare -b numba,jax"]),
        ("%jitcompare --budget -5 fn(x)", ["the budget is -5.0 s", "Example:"]),
        ("%jitcompare fn(x) -o", ["the option -o stands behind the call"]),
        ("%%jitcompare\nx = 1", ["line 2: the cell ends without a call"]),
        ("%%jitcompare\nimport asyncio\nawait asyncio.sleep(0)\nfn(1)", ["the cell awaits something"]),
        ("%jitdevices all", ["%jitdevices takes nothing"]),
    ],
)
def test_wrong_use_is_told_with_an_example(shell, steps, source, said):
    result, captured = run(shell, source)
    text = usage(captured)
    assert all(part in text for part in said)
    assert not result.success
    assert steps.compared == []


def test_a_wrong_option_runs_nothing_of_the_cell(shell, steps):
    run(shell, "%%jitcompare --budget 0\ntouched = 1\nfn(1)")
    assert "touched" not in shell.user_ns


def test_a_refused_capture_names_the_line(shell, steps, monkeypatch):
    def refuse(call, namespace, **_):
        raise CaptureError("the function reads a generator", 7)

    monkeypatch.setattr(sys.modules["jitmagic.capture.call"], "from_call", refuse)
    _, captured = run(shell, "%jitcompare fn(1)")
    assert usage(captured) == "UsageError: %jitcompare: line 7: the function reads a generator\n"


def test_an_argument_that_raises_is_shown_as_the_users_own_error(shell, steps):
    run(shell, "def broken(n):\n    return 1 / n\ndef fn(x): return x")
    _, captured = run(shell, "%jitcompare fn(broken(0))")
    assert "ZeroDivisionError" in captured.stdout
    assert "return 1 / n" in captured.stdout
    assert "front_fakes.py" not in captured.stdout
    assert "UsageError: %jitcompare: an argument of the call raised" in captured.stderr


def test_a_failing_baseline_is_told_without_our_frames(shell, steps):
    steps.error = BaselineError("fn raised ValueError on line 3: no")
    result, captured = run(shell, CELL)
    assert captured.stdout.strip() == "BaselineError: fn raised ValueError on line 3: no"
    assert result.error_in_exec is steps.error


def test_a_second_interrupt_ends_the_magic(shell, steps):
    steps.error = KeyboardInterrupt()
    result, captured = run(shell, CELL)
    assert isinstance(result.error_in_exec, KeyboardInterrupt)
    assert captured.outputs == []


def test_an_interrupted_comparison_is_shown(shell, steps):
    steps.comparison = Comparison(status="interrupted")
    result, captured = run(shell, CELL)
    assert result.success
    assert len(captured.outputs) == 1


def test_help(shell, steps):
    _, captured = run(shell, "%jitcompare --help")
    assert "-b, --backends NAMES" in captured.stdout
    assert steps.compared == []


def test_defaults_come_from_config(shell, steps):
    run(
        shell,
        "%config JitMagic.budget = 20\n%config JitMagic.backends = ['numba']\n%config JitMagic.devices = 'cpu, cuda:0'",
    )
    run(shell, CELL)
    run(shell, CELL.replace("jitcompare", "jitcompare --budget 5 -b jax"))
    assert [options for _, options in steps.compared] == [
        fakes.Options(("numba",), ("cpu", "cuda:0"), 20.0),
        fakes.Options(("jax",), ("cpu", "cuda:0"), 5.0),
    ]


def test_devices(shell, steps):
    result, captured = run(shell, "%jitdevices")
    assert result.success
    assert "Numba" in captured.stdout
    assert 'pip install "jitmagic[jax]"' in captured.stdout


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_in_a_terminal_the_text_is_coloured_and_progress_is_one_line(shell, steps, monkeypatch):
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "100")
    out, err = Terminal(), Terminal()
    monkeypatch.setattr(sys, "stdout", out)
    monkeypatch.setattr(sys, "stderr", err)
    shell.run_cell(textwrap.dedent(CELL).strip("\n"))
    assert out.getvalue() == "text width=100 color=True code=None µ\n"
    progress = err.getvalue()
    assert "\rjitmagic: timing numba (2 of 4), about 6 s left" in progress
    assert progress.rsplit("\r", 2)[1].isspace()  # wiped, and the cursor is back at the start
    assert progress.endswith("\r")
    assert "\n" not in progress


def test_where_nobody_looks_there_is_no_progress(shell, steps, capsys):
    shell.run_cell(textwrap.dedent(CELL).strip("\n"))
    captured = capsys.readouterr()
    assert captured.err == ""
    assert captured.out.count("text width=80 color=False") == 1


def completions(shell, text):
    _, matches = shell.complete(None, text, len(text))
    return list(matches)


@pytest.mark.parametrize("magic", ["%jitcompare", "%%jitcompare"])
def test_completion(shell, steps, magic):
    run(shell, "def fnord(x): return x\nfnumber = 3")
    assert completions(shell, f"{magic} --bu") == ["--budget"]
    assert {"-b", "--backends", "--help"} <= set(completions(shell, f"{magic} -"))
    assert completions(shell, f"{magic} -b nu") == ["numba"]
    assert completions(shell, f"{magic} -b numba,") == ["numba", "jax", "cupy"]
    assert completions(shell, f"{magic} --backends=numba,ja") == ["jax"]
    assert completions(shell, f"{magic} --dtype ") == ["float32", "float64"]
    assert "cpu" in completions(shell, f"{magic} -d c")
    assert completions(shell, f"{magic} -o fno") == ["fnord"]
    assert completions(shell, f"{magic} fno") == ["fnord"]
    assert "fnord" in completions(shell, f"{magic} ")
    shell.Completer.use_jedi = False
    assert "fnumber" in completions(shell, f"{magic} -o fnord(fnum")


@pytest.mark.parametrize("jedi", [False, True])
def test_completion_as_a_notebook_asks_for_it(shell, steps, jedi):
    if jedi:
        pytest.importorskip("jedi")
    shell.Completer.use_jedi = jedi
    run(shell, "def fnord(x): return x\nfnumber = 3")

    def offered(line):
        code = line + "\ndef fn(x):\n    return x\nfn(1)"
        with provisionalcompleter():
            return [completion.text for completion in shell.Completer.completions(code, len(line))]

    assert offered("%%jitcompare --bu")[0] == "--budget"
    assert offered("%%jitcompare -b nu")[0] == "numba"
    assert "fnord" in offered("%%jitcompare -o fno")
    assert "fnumber" in offered("%%jitcompare fnord(fnum")


def test_unloading_takes_everything_away_and_ends_the_workers(shell, steps):
    shell.run_line_magic("unload_ext", "jitmagic")
    assert steps.shutdowns == 1
    assert "jitcompare" not in shell.magics_manager.magics["cell"]
    assert "jitdevices" not in shell.magics_manager.magics["line"]
    assert [type(item).__name__ for item in shell.configurables].count("JitMagic") == 0
    assert completions(shell, "%jitcompare --bu") == []
    shell.run_line_magic("load_ext", "jitmagic")


def test_reloading_leaves_one_set_of_magics(shell, steps):
    shell.run_line_magic("reload_ext", "jitmagic")
    assert [type(item).__name__ for item in shell.configurables].count("JitMagic") == 1
    assert len(completions(shell, "%jitcompare --bu")) == 1


def test_loading_is_silent_quick_and_light():
    program = textwrap.dedent("""
        import sys, time
        from IPython.core.interactiveshell import InteractiveShell
        shell = InteractiveShell.instance()
        before = set(sys.modules)
        start = time.perf_counter()
        shell.run_line_magic("load_ext", "jitmagic")
        taken = time.perf_counter() - start
        new = set(sys.modules) - before
        heavy = {"numpy", "libcst", "psutil", "numba", "jax", "torch", "cupy", "jitmagic.comparison"}
        print(f"{taken:.4f}", sorted(new & heavy), sorted(name for name in new if not name.startswith("jitmagic")))
    """)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT, check=True)
    taken, rest = done.stdout.split(" ", 1)
    assert rest.startswith("[] "), rest
    assert len(done.stdout.splitlines()) == 1, "loading printed something"
    assert done.stderr == ""
    # Milliseconds; the limit leaves room for a machine that is busy with other tests.
    assert float(taken) < 0.25


def test_with_the_real_capture(shell, steps, monkeypatch):
    monkeypatch.undo()
    pytest.importorskip("jitmagic.capture.call")
    pytest.importorskip("jitmagic.capture.cell")
    monkeypatch.setitem(sys.modules, "jitmagic.comparison", fakes.modules(steps)["jitmagic.comparison"])
    source = "%%jitcompare\nimport numpy as np\n\ndef fn(x):\n    return np.sin(x) + 1\n\nx = np.ones(4)\nfn(x * 2)"
    result, _ = run(shell, source)
    assert result.success
    [(workload, _)] = steps.compared
    assert workload.function.name == "fn"
    assert workload.args[0].tolist() == [2.0] * 4
    line = workload.module.text.splitlines().index("    return np.sin(x) + 1") + 1
    assert workload.module.origin_line(line) == 5

    _, captured = run(shell, "%jitcompare fn(x[1.5])")
    # the message holds the expression and its error: a traceback of one frame would say no more
    assert "the argument `x[1.5]` could not be evaluated: IndexError" in usage(captured)
    assert captured.stdout == ""


@pytest.fixture(scope="module")
def kernel():
    manager_module = pytest.importorskip("jupyter_client.manager")
    manager, client = manager_module.start_new_kernel(
        kernel_name="python3", cwd=str(ROOT), extra_arguments=["--HistoryManager.enabled=False"]
    )
    yield client
    client.stop_channels()
    manager.shutdown_kernel(now=True)


def execute(client, code, cell_id=None):
    """Runs code in the kernel as a notebook does; returns the reply and the messages of its output."""
    content = {"code": code, "silent": False, "store_history": True, "user_expressions": {}, "allow_stdin": False}
    message = client.session.msg("execute_request", {**content, "stop_on_error": False})
    if cell_id:
        message["metadata"] = {"cellId": cell_id}
    client.shell_channel.send(message)
    outputs = []
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        found = client.get_iopub_msg(timeout=60)
        if found["parent_header"].get("msg_id") != message["header"]["msg_id"]:
            continue
        if found["msg_type"] == "status" and found["content"]["execution_state"] == "idle":
            break
        outputs.append(found)
    reply = client.get_shell_msg(timeout=60)
    while reply["parent_header"].get("msg_id") != message["header"]["msg_id"]:
        reply = client.get_shell_msg(timeout=60)  # of an earlier request: a slow kernel is asked twice whether it is up
    kinds = ("display_data", "update_display_data", "execute_result", "stream", "error")
    return reply["content"], [output for output in outputs if output["msg_type"] in kinds]


def final_outputs(messages):
    """Returns what a notebook holds in the end: updates put in their place."""
    held = []
    for message in messages:
        content = message["content"]
        name = content.get("transient", {}).get("display_id")
        if message["msg_type"] == "update_display_data":
            for entry in held:
                if entry["id"] == name:
                    entry["data"] = content["data"]
        else:
            held.append({"id": name, "type": message["msg_type"], "data": content.get("data"), "content": content})
    return held


def test_in_a_kernel(kernel):
    client = kernel
    path = [str(ROOT), str(ROOT / "tests")]
    setup = f"import sys\nsys.path[:0] = {path}\nimport front_fakes\nsteps = front_fakes.install()\n"
    reply, messages = execute(client, setup + "%load_ext jitmagic")
    assert (reply["status"], messages) == ("ok", [])
    cell = textwrap.dedent(CELL).strip("\n")

    # In a notebook the result takes the progress line's place.
    reply, messages = execute(client, cell, cell_id="one")
    assert reply["status"] == "ok"
    shown = messages[0]["content"]["data"]
    assert shown.pop("text/plain") == "jitmagic: timing numba (2 of 4), about 6 s left"
    [state] = shown.values()
    assert (state["doing"], state["seconds_left"]) == ("timing numba", 6.0)
    [held] = final_outputs(messages)
    assert MIME in held["data"]

    # A client that may not know updates gets the result alone.
    reply, messages = execute(client, cell)
    assert [message["msg_type"] for message in messages] == ["display_data"]

    # -o: the cell's own result, numbered as the cell is.
    reply, messages = execute(client, cell.replace("jitcompare", "jitcompare -o"), cell_id="two")
    progress, result = final_outputs(messages)
    assert progress["data"] == {}
    assert result["type"] == "execute_result"
    assert result["content"]["execution_count"] == reply["execution_count"]
    assert MIME in result["data"]

    # An error in the cell: one traceback, and a reply that stops "run all".
    reply, messages = execute(client, "%%jitcompare\n1 / 0\nfn(1)", cell_id="three")
    assert (reply["status"], reply["ename"]) == ("error", "ZeroDivisionError")
    assert [message["msg_type"] for message in messages] == ["error"]
    assert f"In[{reply['execution_count']}]" in "".join(messages[0]["content"]["traceback"]).replace("\x1b[0;32m", "")

    client.complete("%%jitcompare -b nu\nfn(1)", len("%%jitcompare -b nu"))
    matches = client.get_shell_msg(timeout=60)["content"]["matches"]
    assert matches[0] == "numba"


def test_lint_shows_the_gotchas_of_functions_by_name_and_of_a_cell(shell):
    run(shell, "import numpy as np\ndef fn(x):\n    print(x)\n    return np.sin(x)\n")
    run(shell, "def plain(x):\n    x[0] = 1\n")
    for call in ("%jitlint", "%jitlint fn"):
        result, captured = run(shell, call)
        assert result.success
        assert "fn:2:5: JX-PRINT" in captured.stdout
        assert "plain" not in captured.stdout
    # whoever names a function that does not name NumPy means it all the same
    assert "plain:2:5: JX-SETITEM" in run(shell, "%jitlint plain")[1].stdout
    assert "cell:2:5: JX-SETITEM" in run(shell, "%%jitlint\ndef other(x):\n    x[0] = 1\n")[1].stdout
    assert "no function `nothing`" in run(shell, "%jitlint nothing")[1].stderr


def test_the_run_before_of_the_same_call_is_in_the_record(shell, steps):
    source = "%%jitcompare\ndef fn(x):\n    return x\nfn(1)"
    run(shell, source)
    assert steps.comparison.record["previous"] is None
    steps.comparison = Comparison()
    run(shell, source)
    found = steps.comparison.record["previous"]
    assert found["created"] == steps.comparison.record["created"]
    assert found["cautions"] == []
    assert {one["change"] for one in found["variants"]} <= {"no clear difference", "not comparable"}
    steps.comparison = Comparison()
    steps.comparison.record["workload"]["call"] = "another(x)"
    run(shell, source)
    assert steps.comparison.record["previous"] is None


def test_a_record_is_kept_where_it_is_asked_for(shell, steps, tmp_path):
    source = "%%jitcompare --save {}\ndef fn(x):\n    return x\nfn(1)"
    _, captured = run(shell, source.format(tmp_path / "mine.json"))
    assert captured.stderr == f"jitmagic: saved as {tmp_path / 'mine.json'}\n"
    run(shell, source.format(f"'{tmp_path}/a folder/'"))
    assert len(list((tmp_path / "a folder").iterdir())) == 1
    _, captured = run(shell, source.format(tmp_path / "none" / "mine.json"))
    assert "the record cannot be written" in captured.stderr + captured.stdout


@pytest.mark.parametrize("sweep", ["n=", "n=0:10:3", "n=1e3:1e2:3", "n=-1,2", "n=nan,2", "n=1e400,2", "n=5", "5:10"])
def test_a_sweep_that_cannot_be_read_runs_nothing(shell, steps, sweep):
    _, captured = run(shell, f"%%jitcompare --sweep {sweep}\nran = 1\ndef fn(x):\n    return x\nfn(1)")
    assert "UsageError: %%jitcompare: --sweep: " in captured.stderr + captured.stdout
    assert "ran" not in shell.user_ns
    assert steps.compared == []
