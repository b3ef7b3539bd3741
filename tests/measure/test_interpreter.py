"""A backend under another interpreter: found, asked, refused with what is missing, and compared with."""

import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import numpy as np
import pytest

import jitmagic
from jitmagic.backends import all_backends
from jitmagic.comparison import Options
from jitmagic.measure import interpreter, pool

NUMBA = all_backends()["numba"]


def environment(folder, packages=None):
    """Makes a virtual environment that sees nothing, or what is in ``packages``."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    python = str(folder / "bin" / "python") if os.name == "posix" else str(folder / "Scripts" / "python.exe")
    if packages is not None:
        told = subprocess.run(
            [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
            capture_output=True, text=True, check=True, env=interpreter.environment(os.environ),
        )  # fmt: skip
        Path(told.stdout.strip(), "others.pth").write_text(packages + "\n")
    return python


@pytest.fixture(scope="module")
def second(tmp_path_factory):
    """An interpreter of its own environment, with this one's packages but jitmagic itself (which is not among them)."""
    return environment(tmp_path_factory.mktemp("second") / "env", sysconfig.get_path("purelib"))


@pytest.fixture(autouse=True)
def _shut():
    yield
    pool.shutdown()


def fn(x):
    return x * 2.0 + np.sqrt(x)


def test_a_backend_runs_under_the_interpreter_that_is_given(second):
    result = jitmagic.compare(fn, np.arange(1000.0), backends=["numba"], budget=0.1, python={"numba": second})
    assert result["numba"].verified is True, result["numba"].reason
    (entry,) = result.record["interpreters"]
    assert entry["backend"] == "numba"
    assert entry["path"] == second
    assert entry["libraries"]["numpy"] == np.__version__
    assert result.record["options"]["python"] == {"numba": second}
    worker = pool.pool().living("numba", "cpu")
    assert worker.python == second
    # without it, the next comparison takes a worker of this session's own Python
    again = jitmagic.compare(fn, np.arange(1000.0), backends=["numba"], budget=0.1)
    assert again.record["interpreters"] == []
    assert pool.pool().living("numba", "cpu").pid != worker.pid


def test_the_users_own_modules_are_found_behind_what_the_environment_has(second, tmp_path, monkeypatch):
    from tests.fakes import FakeBackend, installed

    (tmp_path / "mine.py").write_text("factor = 2.0\n")
    (tmp_path / "numpy.py").write_text("raise ImportError('the kernel folder shadows NumPy')\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    sys.path.remove(str(tmp_path))
    sys.path.append(str(tmp_path))
    source = (
        "import sys\n\nimport mine\n\n\ndef fn(x):\n    assert sys.prefix != sys.base_prefix, sys.prefix\n"
        "    return x * mine.factor\n"
    )

    def doubled(x):
        return x * 2.0

    with installed(FakeBackend("other", {"theirs": source})):
        result = jitmagic.compare(doubled, np.arange(10.0), budget=0.05, python={"other": second})
    assert result["theirs"].verified is True, result["theirs"].reason


def test_a_variant_that_ran_elsewhere_says_so_when_it_cannot_be_built_here():
    from jitmagic.comparison import Variant

    entry = {"name": "jax", "source": "import no_such_library\n", "needs": [], "entry": "fn"}
    with pytest.raises(ImportError, match=r"needs no_such_library.*it ran under /envs/jax/bin/python"):
        Variant(entry, {}, "/envs/jax/bin/python").build()
    with pytest.raises(ModuleNotFoundError, match="No module named"):
        Variant(entry, {}).build()


def test_what_an_environment_lacks_is_told_with_what_mends_it(tmp_path):
    bare = environment(tmp_path / "bare")
    state = interpreter.availability(bare, NUMBA)
    assert not state.installed
    assert state.reason == f"{bare} has no NumPy"
    assert state.remedy == f'{bare} -m pip install "numpy>=2.0"'
    result = jitmagic.compare(fn, np.arange(10.0), backends=["numba"], budget=0.05, python={"numba": bare})
    assert result["numba"].verdict == "unsupported"
    assert "has no NumPy" in result["numba"].reason
    assert result["numba"].next_step == state.remedy


def _told(path, version, body):
    path.write_text(f"#!{sys.executable}\nimport json\nprint(json.dumps({{'version': {version}, {body}}}))\n")
    path.chmod(0o755)
    return str(path)


@pytest.mark.skipif(os.name != "posix", reason="a script stands for an interpreter")
def test_versions_that_are_too_old_are_told(tmp_path):
    old = _told(tmp_path / "python3.10", [3, 10, 4], "'numpy': None, 'state': None, 'protocol': 0")
    assert "is Python 3.10.4, and a worker needs 3.11 or later" in interpreter.availability(old, NUMBA).reason
    body = "'numpy': '1.26.4', 'protocol': 5, 'state': [True, {'numba': '0.60'}, None, None, ['cpu']]"
    one = _told(tmp_path / "numpy1", [3, 12, 0], body)
    assert "has NumPy 1.26.4, and a worker needs 2.0 or later" in interpreter.availability(one, NUMBA).reason
    body = body.replace("1.26.4", "2.1.0").replace("'protocol': 5", "'protocol': 4")
    assert "pickles of protocol 5" in interpreter.availability(_told(tmp_path / "p4", [3, 12, 0], body), NUMBA).reason
    body = "'numpy': '2.1.0', 'protocol': 5, 'state': [False, {}, 'Numba is not installed', 'pip install numba', []"
    body += ", {}, None, {}]"
    state = interpreter.availability(_told(tmp_path / "none", [3, 12, 0], body), NUMBA)
    assert state.reason == f"Numba is not installed in {tmp_path / 'none'}"
    assert state.remedy == f"{tmp_path / 'none'} -m pip install numba"


@pytest.mark.skipif(os.name != "posix", reason="a script stands for an interpreter")
def test_what_is_no_python_is_told(tmp_path):
    path = tmp_path / "no-python"
    path.write_text("#!/bin/sh\necho I am a shell >&2\nexit 3\n")
    path.chmod(0o755)
    told = interpreter.availability(str(path), NUMBA)
    assert not told.installed
    assert "ended with code 3 and said 'I am a shell'" in told.reason


def test_an_interpreter_is_found_by_path_folder_or_name(tmp_path, second, monkeypatch):
    folder = Path(second).parents[1]
    assert interpreter.resolve(second) == interpreter.resolve(str(folder)) == second
    monkeypatch.setenv("PATH", str(Path(second).parent))
    assert interpreter.resolve(Path(second).name) == second
    for given, words in (
        (str(tmp_path / "nowhere" / "python"), "there is no interpreter"),
        (str(tmp_path), "holds no Python"),
        ("no-such-python", "on the PATH"),
    ):
        with pytest.raises(ValueError, match=words):
            interpreter.resolve(given)


def test_wrong_options_are_refused_before_anything_runs(second):
    with pytest.raises(ValueError, match="the baseline runs as in your session"):
        Options(python={"numpy": second})
    with pytest.raises(ValueError, match="there is no backend 'jacks'"):
        Options(python={"jacks": second})
    assert Options(python={}).python is None


def test_the_kernels_own_packages_are_not_handed_on(tmp_path):
    path = ["", str(tmp_path), sysconfig.get_path("stdlib"), sysconfig.get_path("purelib"), "/usr/lib/python311.zip"]
    assert interpreter.own_folders(path) == ["", str(tmp_path)]


# JITMAGIC_TEST_PYTHON="jax=/envs/jax/bin/python numba=…": real environments of other Pythons
GIVEN = dict(one.split("=", 1) for one in os.environ.get("JITMAGIC_TEST_PYTHON", "").split())


if GIVEN:

    @pytest.mark.parametrize("backend", list(GIVEN))
    def test_a_real_other_python(backend):
        given = {backend: GIVEN[backend]}
        result = jitmagic.compare(fn, np.arange(1000.0), backends=[backend], budget=0.1, python=given)
        verified = [one.name for one in result.values() if one.backend == backend and one.verified]
        assert verified, [one.reason for one in result.values()]
        (entry,) = result.record["interpreters"]
        assert entry["python"]
        assert backend in entry["libraries"]
