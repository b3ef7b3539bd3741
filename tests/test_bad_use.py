"""Bad use and odd input: what a user is told, through the notebook magic, Python and the shell, and what stays theirs.

Each refusal names its cause and the next step, at the user's line; nothing of the user's session is changed by it.
"""

from __future__ import annotations

import os
import random
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
from nbclient import NotebookClient
from traitlets.config import Config

import jitmagic
from jitmagic import cli
from jitmagic.backends.protocol import Availability
from jitmagic.errors import BaselineError, CaptureError, JitmagicError
from tests.fakes import FakeBackend

ROOT = Path(jitmagic.__file__).resolve().parent.parent
SAME = "import numpy as np\n\n\ndef fn(x):\n    return x * 2\n"


@dataclass(frozen=True)
class Case:
    """Bad use: a set-up, a call, what the answer has to say, and the set-up's or call's line that it has to name."""

    name: str
    setup: str
    arguments: str
    words: tuple[str, ...]
    line: int | None = None
    function: str = "fn"
    baseline: bool = False

    @property
    def source(self) -> str:
        return f"import numpy as np\n{self.setup}\n{self.function}({self.arguments})\n"

    @property
    def call_line(self) -> int:
        return self.source.count("\n")


IDENTITY = "def fn(x):\n    return x"

CASES = [
    Case("argument raises", IDENTITY, "1/0", ("`1/0` could not be evaluated", "ZeroDivisionError"), 4),
    Case("argument undefined", IDENTITY, "zzz", ("`zzz`", "NameError", "define it first"), 4),
    Case("function undefined", "", "1", ("`nowhere`", "define it first"), 3, function="nowhere"),
    Case("too many arguments", IDENTITY, "1, 2", ("does not fit fn(x)", "too many positional"), 4),
    Case("too few arguments", "def fn(x, y):\n    return x", "1", ("does not fit fn(x, y)", "'y'"), 4),
    Case("file handle", IDENTITY, "open(__file__)", ("an open file", "read it first"), 4),
    Case("lambda in a list", IDENTITY, "[lambda v: v]", ("`x[0]`", "a lambda", "give it a name"), 4),
    Case("socket", f"import socket\ns = socket.socket()\n{IDENTITY}", "s", ("socket", "pass the numbers"), 6),
    Case("generator argument", IDENTITY, "(i for i in [1])", ("a generator", "np.array(list(…))"), 4),
    Case("object array", IDENTITY, "np.array([1, None], object)", ("dtype object", "give it a numeric dtype"), 4),
    Case("own class", f"class A:\n    v = 1\n{IDENTITY}", "A()", ("class A",), 6),
    Case("generator function", "def fn(x):\n    yield x", "1", ("a generator (`yield`)", "fill an array"), 3),
    Case("async function", "async def fn(x):\n    return x", "1", ("`async`", "plain function"), 2),
    Case("method", "class A:\n    def m(self, x):\n        return x\na = A()", "1", ("method of A",), None, "a.m"),
    Case("builtin", "", "[1]", ("compiled already", "def fn(x): return sum(x)"), None, "sum"),
    Case("C function", "", "1.0", ("compiled already", "write a function that calls it"), None, "np.sin"),
    Case("NumPy function in C's clothes", "", "3", ("NumPy's own", "write a function that calls it"), None, "np.ones"),
    Case("lambda that is called", "", "1", ("bind it to a name first",), None, "(lambda x: x)"),
    Case("exec'ed", "exec('def fn(x): return x')", "1", ("without source", "in a file"), 3),
    Case("eval inside", "def fn(x):\n    return eval('x')", "1", ("`eval` runs text as code",), 3),
    Case("keyboard", "def fn(x):\n    return x * int(input())", "1", ("waits for the keyboard",), 3),
    Case("raises", "def fn(x):\n    y = x\n    return y[9]", "np.ones(3)", ("IndexError at line 4",), 4, baseline=True),
    Case("exits", "import sys\ndef fn(x):\n    sys.exit(3)", "1", ("SystemExit at line 4",), 4, baseline=True),
    Case("recurses", "def fn(n):\n    return fn(n + 1)", "1", ("RecursionError", "line 3"), 3, baseline=True),
    Case(
        "time",
        "import time\ndef fn(x):\n    return x * time.time()",
        "np.ones(3)",
        ("gives another result when it is run again", "3 of 3 values differ"),
        baseline=True,
    ),
    Case(
        "writes a file",
        "def fn(x):\n    with open('jitmagic-wrote-this.txt', 'a') as f:\n        f.write('x')\n    return x",
        "1",
        ("line 3 writes the file 'jitmagic-wrote-this.txt'", "outside of it"),
        3,
        baseline=True,
    ),
    Case(
        "saves and swallows",
        "def fn(x):\n    try:\n        np.save('jitmagic-wrote-this.npy', x)\n    except Exception:\n        pass\n"
        "    return x",
        "np.ones(3)",
        ("line 4 writes the file 'jitmagic-wrote-this.npy'",),
        4,
        baseline=True,
    ),
    Case(
        "starts a program",
        "import subprocess\ndef fn(x):\n    subprocess.run(['true'])\n    return x",
        "1",
        ("line 4 starts another program",),
        4,
        baseline=True,
    ),
    Case("returns a generator", "def fn(x):\n    return (i for i in x)", "[1]", ("a generator",), baseline=True),
    Case("returns a function", "def fn(x):\n    return lambda: x", "1", ("is a function",), baseline=True),
    Case("beyond 64 bits", "def fn(n):\n    return n * 3", "2**70", ("does not fit the 64 bits",), baseline=True),
    Case(
        "nested too deeply",
        "def fn(x):\n    y = 1\n    return " + " + ".join(["x"] * 600),
        "1",
        ("nested too deeply", "line 4", "split"),
        4,
    ),
]
BEFORE_PYTHON_CALLS = {"argument raises", "argument undefined", "function undefined", "lambda that is called"}
"""Python itself evaluates these, or needs no name for what it passes."""

BY_NAME = pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])


@pytest.fixture(scope="module")
def shell(tmp_path_factory):
    InteractiveShell.clear_instance()
    config = Config()
    config.HistoryManager.enabled = False
    before = os.environ.get("IPYTHONDIR")
    os.environ["IPYTHONDIR"] = str(tmp_path_factory.mktemp("ipython"))
    shell = InteractiveShell.instance(config=config)
    shell.run_line_magic("colors", "nocolor")
    shell.run_line_magic("load_ext", "jitmagic")
    shell.run_cell("import numpy as np\n__file__ = np.__file__")
    yield shell
    InteractiveShell.clear_instance()
    os.environ.pop("IPYTHONDIR")
    if before is not None:
        os.environ["IPYTHONDIR"] = before


@pytest.fixture(autouse=True)
def _fakes(use_backends, tmp_path, monkeypatch):
    use_backends(FakeBackend("fake", {"same": SAME}))
    monkeypatch.chdir(tmp_path)
    yield
    assert not [name for name in os.listdir(tmp_path) if name.startswith("jitmagic-wrote")]


def surroundings() -> dict[str, Any]:
    """Takes down what a comparison must not touch, apart from variables."""
    return {
        "numpy random": np.random.get_state()[1].tobytes(),  # type: ignore[index]
        "random": random.getstate(),
        "environment": dict(os.environ),
        "folder": os.getcwd(),
        "path": list(sys.path),
        "arguments": list(sys.argv),
        "main": sys.modules["__main__"],
        "errors": np.geterr(),
        "recursion": sys.getrecursionlimit(),
        "streams": (sys.stdout, sys.stderr, sys.stdin),
        "backends": {"numba", "jax", "torch", "cupy"} & set(sys.modules),
    }


def described(value: Any) -> Any:
    """Describes an array to the bit, with where and how it lies in memory."""
    if isinstance(value, np.ndarray):
        bits = np.ascontiguousarray(value).tobytes()
        return bits, value.dtype, value.shape, value.strides, value.flags.writeable, value.ctypes.data
    if isinstance(value, dict):
        return {key: described(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [described(each) for each in value]
    return repr(value)


@BY_NAME
def test_in_a_cell(case, shell):
    shell.user_ns["data"] = data = np.arange(12.0)[::2]
    before, kept, names = surroundings(), described(data), set(shell.user_ns)
    with capture_output() as captured:
        result = shell.run_cell("%%jitcompare --budget 0.1\n" + case.source)
    told = captured.stdout + captured.stderr
    assert not result.success  # so that "run all" stops here
    for words in case.words:
        assert words.replace(f"line {case.line}", f"line {(case.line or 0) + 1}") in told
    if case.line is not None:
        assert f"line {case.line + 1}" in told  # the magic's own line is line 1
    assert captured.stderr.startswith("UsageError: %%jitcompare: ") or told.startswith("BaselineError: ")
    assert "jitmagic/" not in told
    assert captured.outputs == []
    assert surroundings() == before
    assert described(shell.user_ns["data"]) == kept
    defined = {"fn", "a", "A", "s", "np", "socket", "sys", "time", "subprocess"}
    assert set(shell.user_ns) - names <= defined | {"_i", "_ii", "_iii"}


CALLED = [case for case in CASES if case.name not in BEFORE_PYTHON_CALLS]


@pytest.mark.parametrize("case", CALLED, ids=[case.name for case in CALLED])
def test_in_python(case, tmp_path):
    file = tmp_path / "users_module.py"
    file.write_text(case.source.rsplit("\n", 2)[0] + "\n")
    namespace: dict[str, Any] = {"__name__": "__main__", "__file__": str(file)}
    exec(compile(file.read_text(), str(file), "exec"), namespace)
    call = eval(f"lambda compare: compare({case.function}, {case.arguments}, budget=0.1)", namespace)
    before = surroundings()
    with pytest.raises(JitmagicError) as caught:
        call(jitmagic.compare)
    assert isinstance(caught.value, BaselineError if case.baseline else CaptureError)
    for words in case.words:
        assert words in str(caught.value)
    assert surroundings() == before


@BY_NAME
def test_in_the_shell(case, tmp_path, capsys):
    file = tmp_path / "script.py"
    file.write_text(case.source)
    before = surroundings()
    code = cli.main(["compare", str(file), "--budget", "0.1"])
    told = capsys.readouterr()
    assert code == (cli.FAILED if case.baseline else cli.MISUSED)
    assert told.out == ""
    for words in case.words:
        assert words in told.err
    if case.line is not None:
        assert f"line {case.line}" in told.err
    assert "jitmagic: " in told.err
    assert "Traceback" not in told.err
    assert surroundings() == before


EMPTY = [
    ("x = 1", "nothing to compare", "fn(x)"),
    ("# nothing", "nothing to compare", "fn(x)"),
    ("def f(x):\n    return x\ndef g(x):\n    return x", "which function is to be compared: `f`", "Name the call"),
    ("def f(x):\n    return x\ndef g(x):\n    return x\nf(1) + g(1)", "`f(1)` and `g(1)`", "Name the call, e.g. f(1)"),
    ("def f(x, n):\n    return x\n", "no variable `x`, `n` to call it with", "e.g. f(x=…, n=…)"),
]


@pytest.mark.parametrize(("source", "cause", "step"), EMPTY)
def test_a_cell_or_file_without_one_call(source, cause, step, shell, tmp_path, capsys):
    shell.user_ns.pop("x", None)
    with capture_output() as captured:
        assert not shell.run_cell("%%jitcompare\n" + source).success
    file = tmp_path / "script.py"
    file.write_text(source)
    assert cli.main(["compare", str(file)]) == cli.MISUSED
    for told in (captured.stderr, capsys.readouterr().err):
        assert cause in told
        assert step in told


def test_a_syntax_error_is_pythons_own(shell, tmp_path, capsys):
    source = "y = 1\ndef fn(x)\n    return x\nfn(1)\n"
    with capture_output() as captured:
        assert not shell.run_cell("%%jitcompare\n" + source).success
    assert "line 3" in captured.stdout
    assert captured.stdout.count("SyntaxError") == 1
    assert "y" not in shell.user_ns
    file = tmp_path / "script.py"
    file.write_text(source)
    assert cli.main(["compare", str(file)]) == cli.MISUSED
    assert "expected ':' (line 2)" in capsys.readouterr().err


def test_an_error_in_an_argument_shows_where_in_the_users_code(shell):
    shell.run_cell("def half(n):\n    return 1 / n\ndef fn(x):\n    return x")
    with capture_output() as captured:
        shell.run_cell("%jitcompare fn(half(0))")
    assert "return 1 / n" in captured.stdout
    assert "jitmagic" not in captured.stdout
    with capture_output() as captured:
        shell.run_cell("%jitcompare fn(1 / 0)")
    assert captured.stdout == ""
    assert "the argument `1 / 0` could not be evaluated: ZeroDivisionError" in captured.stderr


OPTIONS = [
    (["--backends", "fak"], "there is no backend 'fak'; is fake meant?"),
    (["--backends", "fortran"], "there is no backend 'fortran'; choose from numpy, fake"),
    (["--devices", "gpu"], "there is no device 'gpu'; write cpu, or cuda:0"),
    (["--devices", "cuda:0"], "nothing to compare on cuda:0: jitmagic runs fake on cpu"),
    (["--budget", "abc"], "'abc'"),
    (["--budget", "-3"], "budget has to be a positive number of seconds, not -3.0"),
    (["--margin", "-3"], "margin has to be a number of per cent above 0, at most 50, and not -3.0"),
    (["--margin", "nan"], "margin has to be a number of per cent above 0, at most 50, and not nan"),
    (["--margin", "0.1%"], "'0.1%'"),
    (["--timeout", "nan"], "timeout has to be a positive number of seconds, not nan"),
    (["--dtype", "float16"], "float16"),
    (["--budgt", "3"], "--budgt"),
]


@pytest.mark.parametrize(("options", "words"), OPTIONS, ids=[" ".join(options) for options, _ in OPTIONS])
def test_a_wrong_option_runs_nothing(options, words, shell, tmp_path, capsys):
    source = f"touched = 1\n{SAME}\nfn(np.ones(3))\n"
    shell.user_ns.pop("touched", None)
    with capture_output() as captured:
        assert not shell.run_cell(f"%%jitcompare {' '.join(options)}\n{source}").success
    assert words in captured.stderr
    assert "Example: " in captured.stderr
    assert "touched" not in shell.user_ns
    file = tmp_path / "script.py"
    file.write_text("raise SystemExit('the file was run')\n" + source)
    assert cli.main(["compare", str(file), *options]) == cli.MISUSED
    told = capsys.readouterr().err
    assert words in told
    assert "the file was run" not in told


def test_a_backend_that_is_not_installed_says_what_to_install(use_backends, tmp_path, capsys):
    missing = Availability(False, {}, "Fakelib is not installed", "pip install fakelib")
    use_backends(FakeBackend("fake", {"same": SAME}, present=missing))
    file = tmp_path / "script.py"
    file.write_text(SAME + "\nfn(np.ones(3))\n")
    assert cli.main(["compare", str(file), "--budget", "0.1"]) == cli.ANSWERED
    told = capsys.readouterr().out
    assert "Stay with NumPy" in told
    assert "Fakelib is not installed" in told
    assert "pip install fakelib" in told


def structured():
    return np.zeros(5, dtype=[("f", "f8"), ("g", "i4")])


def read_only():
    x = np.arange(6.0)
    x.flags.writeable = False
    return x


TWICE = "x * 2"
ODD = [
    ("size 0", np.empty(0), TWICE),
    ("size 0 of 2 axes", np.empty((0, 3)), "x.sum()"),
    ("0-d", np.array(2.0), TWICE),
    ("a stride of megabytes", np.zeros(2**21)[:: 2**19], TWICE),
    ("backwards", np.arange(6.0)[::-1], TWICE),
    ("a stride of 0", np.broadcast_to(np.float64(3), (100, 100)), TWICE),
    ("transposed", np.arange(6.0).reshape(2, 3).T, TWICE),
    ("read-only", read_only(), TWICE),
    ("written into", np.arange(6.0), "np.multiply(x, 2, out=x)"),
    ("other byte order", np.arange(4.0).astype(">f8"), TWICE),
    ("structured", structured(), "x['f'] * 2"),
    ("dates", np.array(["2020-01-01"], "M8[D]"), "x + np.timedelta64(1, 'D')"),
    ("time spans", np.array([1, 2], "m8[s]"), "x.sum()"),
    ("text", np.array(["a", "bc"]), "x"),
    ("float16", np.ones(3, np.float16), TWICE),
    ("long double", np.ones(3, np.longdouble), TWICE),
    ("bool", np.array([True, False]), "~x"),
    ("complex64", np.ones(3, np.complex64), TWICE),
    ("NaN and infinity", np.array([np.nan, np.inf, -np.inf]), TWICE),
    ("a Python bool", True, "x"),
    ("None", None, "x"),
    ("a text", "abc", "x * 2"),
    ("nested", {"a": np.arange(3.0), "b": [np.ones(3), (1, 2.5)]}, "x['a'] * x['b'][0] + x['b'][1][1]"),
    ("returns None", np.ones(3), "None"),
    ("returns a dict", np.ones(3), "{'twice': x * 2, 'n': 3}"),
    ("returns a list", np.ones(3), "[x * 2, 'done']"),
    ("returns a tuple", np.ones(3), "(x, x.sum())"),
    ("returns a view of its argument", np.arange(6.0), "x[1:]"),
    ("returns its argument", np.arange(6.0), "x"),
    ("an integer at the edge of 64 bits", 2**62, "x - 1"),
]


@pytest.mark.parametrize(("value", "body"), [row[1:] for row in ODD], ids=[row[0] for row in ODD])
def test_odd_values_are_answered_and_left_alone(value, body, use_backends, shell):
    source = f"import numpy as np\n\n\ndef fn(x):\n    return {body}\n"
    use_backends(FakeBackend("fake", {"same": source}))
    shell.run_cell(source)
    shell.user_ns["x"] = value
    before, kept = surroundings(), described(value)
    with capture_output() as captured:
        result = shell.run_cell("%jitcompare -v answer --budget 0.05 fn(x)")
    assert result.success, captured.stdout + captured.stderr
    answer = shell.user_ns["answer"]
    assert answer["same"].verified is True
    assert answer["same"].verdict in ("faster", "slower", "no clear difference")
    assert shell.user_ns["x"] is value
    assert described(value) == kept
    assert surroundings() == before
    (shown,) = captured.outputs
    assert {"text/plain", "text/html"} <= set(shown.data)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("    for i in range(3000):\n        print('a line', i)\n    return x * 2", None),
        ("    global counter\n    counter = counter + 1\n    return x * 2", "assigns the global `counter`"),
        ("    return x + np.random.rand(3)", None),
    ],
)
def test_effects_stay_in_the_workers(body, words, use_backends, shell):
    use_backends(FakeBackend("fake", {"same": SAME}))
    shell.run_cell(f"counter = 0\ndef fn(x):\n{body}\nx = np.ones(3)")
    before = surroundings()
    with capture_output() as captured:
        assert shell.run_cell("%jitcompare -v answer --budget 0.05 fn(x)").success
    assert captured.stdout == ""
    assert "a line" not in captured.outputs[0].data["text/plain"].replace("print('a line', i)", "")
    assert shell.user_ns["counter"] == 0
    assert surroundings() == before
    if words:
        assert any(words in note for note in shell.user_ns["answer"].record["workload"]["notes"])


def test_an_indented_paste_and_unicode_names(shell, use_backends):
    use_backends(FakeBackend("fake", {"same": "def größe(ξ):\n    return ξ * 2\n".replace("größe", "fn")}))
    source = "def größe(ξ):\n    Δ = 2  # «Δ»\n    return ξ * Δ\n"
    with capture_output() as captured:
        assert shell.run_cell(f"%%jitcompare -v answer --budget 0.05\n{source}größe(np.ones(3))").success
    assert "größe(np.ones(3))" in captured.outputs[0].data["text/plain"]
    assert shell.user_ns["answer"]["same"].verified is True


PLAIN = b"import numpy as np\ndef fn(x):\n    return x * 2\nfn(np.ones(3))\n"
TEXTS = {
    "Windows line ends": PLAIN.replace(b"\n", b"\r\n"),
    "old Macintosh line ends": PLAIN.replace(b"\n", b"\r"),
    "tabs": PLAIN.replace(b"    ", b"\tif True:\n\t\t"),
    "byte order mark": b"\xef\xbb\xbf" + PLAIN,
    "latin-1": b"# coding: latin-1\n" + PLAIN.replace(b"    ", b"    gr\xf6\xdfe = 2\n    "),
    "form feed": PLAIN.replace(b"def", b"\n\x0c\ndef"),
    "no last newline": PLAIN.rstrip(),
    "a very long line": PLAIN.replace(b" * 2", b" * 2" + b" + 0" * 60 + b"  # " + b"long " * 400),
    "a helper file beside it": b"from beside import double\n" + PLAIN.replace(b"x * 2", b"double(x)"),
}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_files_as_they_come(text, tmp_path, capsys):
    (tmp_path / "beside.py").write_text("FACTOR = 2\n\ndef double(v):\n    return v * FACTOR\n")
    file = tmp_path / "script.py"
    file.write_bytes(text)
    record = tmp_path / "record.json"
    try:
        assert cli.main(["compare", str(file), "--budget", "0.05", "--json", str(record)]) == 0, capsys.readouterr().err
    finally:
        sys.modules.pop("beside", None)
    answer = jitmagic.comparison.Comparison.from_json(record.read_text(encoding="utf-8"))
    assert answer["same"].verified is True
    source = answer.record["workload"]["source"]
    assert "\r" not in source
    compile(source, "<source>", "exec")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b"x = '\xff'\n", "save it as UTF-8"),
        (b"import numpy\x00\n", "null bytes"),
        (b"", "nothing to compare"),
        (b"import numpyy\ndef fn(x): return x\nfn(1)\n", "failed at line 1: ModuleNotFoundError"),
        (b"import sys\nsys.exit('no data')\ndef fn(x): return x\nfn(1)\n", "failed at line 2: SystemExit: no data"),
        (b"n = int(input())\ndef fn(x): return x\nfn(n)\n", "failed at line 1"),
    ],
)
def test_files_that_cannot_be_used(text, words, tmp_path, capsys):
    file = tmp_path / "script.py"
    file.write_bytes(text)
    assert cli.main(["compare", str(file)]) == cli.MISUSED
    told = capsys.readouterr().err
    assert words in told
    assert "script.py" in told
    assert "None" not in told


KERNEL = [
    "%load_ext jitmagic\nimport numpy as np\ndata = np.arange(10.0)[::-2]\n"
    "kept = data.tobytes(), data.strides, set(dir())",
    "%%jitcompare -b numba\nx = 1",
    "%%jitcompare -b numba\ndef fn(x)\n    return x",
    "%%jitcompare -b numba\ndef fn(x):\n    return x\nfn(open(np.__file__))",
    "%%jitcompare -b numba\ndef fn(x):\n    y = x\n    return y[99]\nfn(data)",
    "%%jitcompare -b numba\ndef fn(x):\n    open('jitmagic-wrote-this', 'a').write('x')\n    return x\nfn(data)",
    "%%jitcompar\nfn(1)",
    "%jitcompare -b numbba fn(data)",
    "%%jitcompare -b numba --budget 0.1\ndef fn(x):\n    x *= 2\n    return x\nfn(data)",
    "assert (data.tobytes(), data.strides) == kept[:2]\n"
    "print(sorted(name for name in set(dir()) - kept[2] - {'kept'} if not name.startswith('_i')))",
]


def test_in_a_real_kernel(tmp_path):
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in KERNEL])
    paths = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH", "")]))
    resources = {"metadata": {"path": tmp_path}}
    client = NotebookClient(notebook, timeout=120, kernel_name="python3", resources=resources, allow_errors=True)
    client.execute(env={**os.environ, "PYTHONPATH": paths, "NO_COLOR": "1"})
    told = []
    for cell in notebook.cells:
        parts = []
        for output in cell.outputs:
            if output.output_type == "stream":
                parts.append(output.text)
            elif output.output_type == "error":
                parts.append("\n".join(output.traceback))
            elif output.data:
                parts.append("\n".join(map(str, output.data.values())))
        told.append("\n".join(parts))
    assert told[0] == ""
    assert told[1].startswith("UsageError: %%jitcompare: nothing to compare")
    assert "SyntaxError" in told[2]
    assert "line 4: the argument `x` cannot be captured: it is an open file" in told[3]
    assert told[4].splitlines()[-1].startswith("BaselineError: fn(data) itself raises IndexError at line 4: index 99")
    assert "line 3 writes the file 'jitmagic-wrote-this'" in told[5]
    assert "jitcompar" in told[6]
    assert "is numba meant?" in told[7]
    assert "numba" in told[8]
    assert "UsageError" not in told[8]
    assert eval(told[9]) == ["fn"]  # a cell with nothing to compare is not run
    assert not (tmp_path / "jitmagic-wrote-this").exists()
