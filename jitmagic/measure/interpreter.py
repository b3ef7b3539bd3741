"""Another Python for a backend: found, asked what it has, and started with our package and nothing else of ours.

Whose JAX and torch live in different environments gives each its interpreter. It needs NumPy and the library, not
jitmagic: the package is loaded there from its own folder, so that nothing beside it is found before what that
environment has.
"""

from __future__ import annotations

import functools
import json
import os
import shutil
import site
import subprocess
import sysconfig
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from jitmagic.backends.protocol import Availability, Backend

PACKAGE = Path(__file__).resolve().parents[1]
"""The folder of jitmagic itself."""

LEAST_PYTHON = (3, 11)
LEAST_NUMPY = (2, 0)
_SECONDS = 60.0
"""How long an interpreter may take to answer: on a network's file system the first start is slow."""

# Loads the package from its folder alone: its neighbours there are of another environment.
_LOAD = """
import importlib.util, sys
folder = sys.argv[1]
spec = importlib.util.spec_from_file_location("jitmagic", folder + "/__init__.py", submodule_search_locations=[folder])
sys.modules["jitmagic"] = importlib.util.module_from_spec(spec)
spec.loader.exec_module(sys.modules["jitmagic"])
"""

BOOT = f"{_LOAD}\nfrom jitmagic.measure.worker import main; main()"
"""What starts a worker under another interpreter, with :data:`PACKAGE` as its argument."""

# Runs under any Python, so that one that is too old can be told of.
_ASK = f"""
import json, sys
told = {{"version": list(sys.version_info[:3]), "numpy": None, "state": None, "protocol": 0}}
if sys.version_info >= {LEAST_PYTHON}:
    import importlib, importlib.metadata, pickle
    exec({_LOAD!r})
    told["protocol"] = pickle.HIGHEST_PROTOCOL
    try:
        told["numpy"] = importlib.metadata.version("numpy")
    except importlib.metadata.PackageNotFoundError:
        pass
    if sys.argv[2]:
        module, _, name = sys.argv[2].partition(":")
        state = getattr(importlib.import_module(module), name)()
        told["state"] = [
            state.installed, dict(state.versions), state.reason, state.remedy, list(state.kinds),
            {{kind: list(why) for kind, why in state.lacks.items()}}, state.cuda, dict(state.other_cuda),
        ]
sys.stdout.write("\\n" + json.dumps(told))
"""

_FORGET = ("PYTHONHOME", "PYTHONPATH", "PYTHONEXECUTABLE", "__PYVENV_LAUNCHER__", "PYTHONPLATLIBDIR")
"""Variables that lead a Python to its library and packages: those of this session are another one's."""


def resolve(given: str) -> str:
    """Finds an interpreter by its path, its environment's folder, or its name.

    Returns an absolute path. Links are left as they are: a virtual environment's Python is one.

    Raises
    ------
    ValueError
        There is none; says what was looked for.
    """
    path = os.path.expanduser(given)
    if os.path.isdir(path):
        places = (("bin", "python"), ("Scripts", "python.exe"), ("python.exe",))
        found = next((one for place in places if os.path.isfile(one := os.path.join(path, *place))), None)
        if found is None:
            raise ValueError(f"the folder {given} holds no Python (bin/python): give the interpreter itself")
        return os.path.abspath(found)
    if os.path.dirname(path):
        if not os.path.isfile(path):
            raise ValueError(f"there is no interpreter {given}: `which python` in its environment tells its path")
        if not os.access(path, os.X_OK):
            raise ValueError(f"{given} cannot be run: give the path of a Python interpreter")
        return os.path.abspath(path)
    named = shutil.which(path)
    if named is None:
        raise ValueError(f"there is no {given!r} on the PATH: give the path of a Python interpreter")
    return os.path.abspath(named)


def environment(variables: Mapping[str, str]) -> dict[str, str]:
    """Returns the variables that another interpreter is started with."""
    return {name: value for name, value in variables.items() if name not in _FORGET}


def own_folders(path: Sequence[str]) -> list[str]:
    """Returns the entries of a ``sys.path`` that hold the user's own modules, not this Python's and its packages."""
    roots = {sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")}
    roots |= {site.getusersitepackages(), *(getattr(site, "getsitepackages", list)())}
    of_python = tuple(os.path.join(os.path.realpath(root), "") for root in roots if root)

    def belongs(entry: str) -> bool:
        real = os.path.join(os.path.realpath(entry), "")
        return real.startswith(of_python) or entry.endswith(".zip")

    return [entry for entry in path if not (entry and belongs(entry))]


def availability(path: str, backend: Backend) -> Availability:
    """Asks an interpreter whether a backend can be used there; the answer says what is missing, and what mends it."""
    told = _asked(path, getattr(backend, "presence", ""), _changed(path))
    if isinstance(told, str):
        return Availability(False, {}, told)
    version = ".".join(map(str, told["version"]))
    least = ".".join(map(str, LEAST_PYTHON))
    if tuple(told["version"]) < LEAST_PYTHON:
        return Availability(
            False, {}, f"{path} is Python {version}, and a worker needs {least} or later",
            f"make an environment with Python {least} or later and {backend.title} in it",
        )  # fmt: skip
    if told["protocol"] < 5:
        return Availability(False, {}, f"{path} reads no pickles of protocol 5, in which arrays are sent")
    numpy = told["numpy"]
    if numpy is None or _release(numpy) < LEAST_NUMPY:
        least = ".".join(map(str, LEAST_NUMPY))
        has = "has no NumPy" if numpy is None else f"has NumPy {numpy}, and a worker needs {least} or later"
        return Availability(False, {}, f"{path} {has}", f'{path} -m pip install "numpy>={least}"')
    if told["state"] is None:  # a backend of another package, which says nothing of itself but at its start
        return Availability(True, {"numpy": numpy})
    installed, versions, reason, remedy, kinds, lacks, cuda, other_cuda = told["state"]

    def there(command: str | None) -> str | None:
        return f"{path} -m {command}" if command and command.startswith("pip ") else command

    state = Availability(
        installed,
        {**versions, "numpy": numpy},
        reason,
        there(remedy),
        tuple(kinds),
        {kind: (why, there(command)) for kind, (why, command) in lacks.items()},
        cuda,
        {version: there(command) or "" for version, command in other_cuda.items()},
    )
    if state.reason is not None and not state.installed:
        state = replace(state, reason=f"{state.reason} in {path}")
    return state


def _changed(path: str) -> float:
    """Returns when the interpreter's packages were last changed, as far as its folder tells."""
    folders = [Path(path), *Path(path).parent.parent.glob("lib/python*/site-packages")]
    times = [one.stat().st_mtime for one in folders if one.exists()]
    return max(times, default=0.0)


@functools.cache
def _asked(path: str, presence: str, changed: float) -> dict[str, Any] | str:
    """Returns what an interpreter says of itself, or why it said nothing."""
    try:
        done = subprocess.run(
            [path, "-c", _ASK, str(PACKAGE), presence],
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_SECONDS,
            stdin=subprocess.DEVNULL,
            env=environment(os.environ),
        )
    except subprocess.TimeoutExpired:
        return f"{path} did not say within {_SECONDS:.0f} s what it has"
    except OSError as error:
        return f"{path} could not be started: {error.strerror or error}"
    try:
        told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        if not isinstance(told["version"], list):
            raise TypeError
    except (IndexError, ValueError, TypeError, KeyError):
        said = (done.stderr.strip().splitlines() or done.stdout.strip().splitlines() or ["nothing"])[-1]
        ended = f"it ended with code {done.returncode} and said {said!r}"
        return f"{path} is no Python that a worker can run under: {ended}"
    return told


def _release(version: str) -> tuple[int, ...]:
    """Returns the first two numbers of a version.

    >>> _release("2.1.3"), _release("1.26.0rc1")
    ((2, 1), (1, 26))
    """
    numbers = []
    for part in version.split(".")[:2]:
        digits = "".join(letter for letter in part if letter.isdigit())
        numbers.append(int(digits or 0))
    return tuple(numbers)


