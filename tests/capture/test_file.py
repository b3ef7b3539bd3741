"""Files, and functions that live in the user's own modules."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from jitmagic.capture.file import from_file
from jitmagic.capture.function import from_function
from jitmagic.errors import CaptureError

from .support import capture_cell, run_alone

SCRIPT = '''"""A script as a scientist writes it."""
import sys
import numpy as np
from tools_of_mine import smooth

SEEN = []


def fn(x, k=2.0):
    # doubles
    return smooth(x) * k


if __name__ == "__main__":
    x = np.ones(8) * len(sys.argv)
    y = fn(x, k=3.0)
    print("after", y)
    SEEN.append(1 / 0)
'''
TOOLS = "import numpy as np\nWIDTH = 3\n\ndef smooth(x):\n    return np.convolve(x, np.ones(WIDTH) / WIDTH)\n"


@pytest.fixture
def script(tmp_path: Path) -> Any:
    (tmp_path / "script.py").write_text(SCRIPT)
    (tmp_path / "tools_of_mine.py").write_text(TOOLS)
    yield tmp_path / "script.py"
    sys.modules.pop("tools_of_mine", None)


def test_runs_the_setup_up_to_the_call_and_not_further(script: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = list(sys.path), list(sys.argv), sys.modules["__main__"]
    workload = from_file(script)
    assert capsys.readouterr().out == ""
    assert (list(sys.path), list(sys.argv), sys.modules["__main__"]) == before
    assert workload.call == "fn(x, k=3.0)"
    assert workload.function.origin == str(script.resolve())
    assert [each.name for each in workload.helpers] == ["smooth"]
    assert workload.module.lines[-3:] == (9, 10, 11)
    np.testing.assert_allclose(run_alone(workload)[1], 2.0)


def test_lines_of_another_file_are_not_shown_as_lines_of_this_one(script: Path) -> None:
    module = from_file(script).module
    line = module.text.split("\n").index("def smooth(x):")
    assert module.lines[line] is None


def test_a_call_or_function_can_be_named(script: Path) -> None:
    assert from_file(script, function="fn").call == "fn(x, k=3.0)"
    script.write_text(SCRIPT.replace("1 / 0", "0"))
    assert from_file(script, call="fn(x[1:], k=4)").argument_names == ("x", "k")
    with pytest.raises(CaptureError, match="the argument `1/0` could not be evaluated: ZeroDivisionError"):
        from_file(script, call="fn(1/0)")
    with pytest.raises(CaptureError, match="defines no function `nope`; its functions: fn"):
        from_file(script, function="nope")


def test_an_error_of_the_setup_names_its_line(tmp_path: Path) -> None:
    path = tmp_path / "bad.py"
    path.write_text("import numpy as np\n\ndef fn(x):\n    return x\n\nx = [1][3]\nfn(x)\n")
    with pytest.raises(CaptureError, match="failed at line 6: IndexError") as caught:
        from_file(path)
    assert caught.value.line == 6
    assert isinstance(caught.value.__cause__, IndexError)
    path.write_text("import sys\ndef fn(x):\n    return x\nsys.exit(3)\nfn(x)\n")
    with pytest.raises(CaptureError, match="failed at line 4: SystemExit: 3"):
        from_file(path)


def test_what_is_no_file_of_python(tmp_path: Path) -> None:
    with pytest.raises(CaptureError, match="is a notebook"):
        from_file(tmp_path / "a.ipynb")
    with pytest.raises(CaptureError, match="cannot be read"):
        from_file(tmp_path / "none.py")
    (tmp_path / "wrong.py").write_text("def fn(x:\n    return x\n")
    with pytest.raises(CaptureError) as caught:
        from_file(tmp_path / "wrong.py")
    assert caught.value.line == 1


def test_an_encoding_line_is_obeyed(tmp_path: Path) -> None:
    path = tmp_path / "latin.py"
    path.write_bytes("# -*- coding: latin-1 -*-\ndef fn(x):\n    return x + 'é'\nfn('ü')\n".encode("latin-1"))
    assert run_alone(from_file(path)) == "üé"


def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, text: str) -> Any:
    (tmp_path / f"{name}.py").write_text(text)
    monkeypatch.syspath_prepend(str(tmp_path))
    importlib.invalidate_caches()
    monkeypatch.delitem(sys.modules, name, raising=False)
    return importlib.import_module(name)


def test_what_lives_in_the_users_module_is_taken_out_of_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module(tmp_path, monkeypatch, "physics_a", TOOLS + "G = 9.81\nclass Error(Exception): pass\n")
    workload = capture_cell("""
        import numpy as np
        import physics_a as pa
        def fn(x, smooth=1):
            return pa.smooth(x) * pa.G + smooth
        fn(np.ones(5))
    """)
    assert workload.module.text == (
        "import numpy as np\n\nWIDTH = 3\nG = 9.81\n\n\ndef pa_smooth(x):\n"
        "    return np.convolve(x, np.ones(WIDTH) / WIDTH)\n\n\n"
        "def fn(x, smooth=1):\n    return pa_smooth(x) * G + smooth\n"
    )
    np.testing.assert_allclose(run_alone(workload)[3], 10.81)


def test_names_that_clash_between_files_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module(tmp_path, monkeypatch, "physics_b", TOOLS)
    with pytest.raises(CaptureError, match=r"`WIDTH` stands for two things: .*rename one of them"):
        capture_cell("""
            from physics_b import smooth
            WIDTH = 5
            def fn(x):
                return smooth(x) * WIDTH
            fn([1.0])
        """)


def test_a_file_that_was_edited_after_its_import_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stale = module(tmp_path, monkeypatch, "physics_c", "def fn(x):\n    return x + 1\n")
    (tmp_path / "physics_c.py").write_text("def fn(x):\n    return x + 22222\n")
    with pytest.raises(CaptureError, match="is not what runs: it was changed after it was imported"):
        from_function(stale.fn, (1,), {})


def test_a_function_that_moved_within_its_file_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stale = module(tmp_path, monkeypatch, "physics_d", "def fn(x):\n    return x + 1\n")
    (tmp_path / "physics_d.py").write_text("# a line more\n\n\ndef fn(x):\n    return x + 1\n")
    assert from_function(stale.fn, (1,), {}).function.first_line == 4
