"""Builds the sdist and the wheel, and installs each into an empty environment as a user would.

``python -m tests.package FOLDER`` leaves both in the folder. What is installed has to answer for `examples/cubic.py`
from another folder, without this checkout; the wheel has to hold the front end, and the sdist all that it takes to
build and to test.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tarfile
import tempfile
import time
import venv
import zipfile
from collections.abc import Iterable
from pathlib import Path

import jitmagic

ROOT = Path(__file__).parents[1]
IN_THE_WHEEL = (
    "jitmagic/py.typed",
    "jitmagic/report/schema/v1.json",
    "jitmagic/report/static/panel.js",
    "share/jupyter/labextensions/jitmagic/package.json",
    "share/jupyter/labextensions/jitmagic/install.json",
    "licenses/LICENSE",
)
IN_THE_SDIST = (
    "LICENSE",
    "CHANGELOG.md",
    "CITATION.cff",
    "CONTRIBUTING.md",
    "CODE_OF_CONDUCT.md",
    "Makefile",
    "constraints.txt",
    "hatch_build.py",
    "tests/conftest.py",
    "docs/conf.py",
    "pages/options.py",
    "examples/cubic.py",
    "labextension/yarn.lock",
)


def main() -> int:
    """Builds, looks into what was built, installs and runs it."""
    folder = Path(sys.argv[1]).resolve()
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    _run([sys.executable, "-m", "build", "--outdir", folder, ROOT], {**environment, "JITMAGIC_FRONT_END": "require"})
    (wheel,), (sdist,) = folder.glob("*.whl"), folder.glob("*.tar.gz")
    _run([sys.executable, "-m", "twine", "check", "--strict", wheel, sdist], environment)
    with zipfile.ZipFile(wheel) as archive:
        _holds(wheel.name, archive.namelist(), IN_THE_WHEEL)
    with tarfile.open(sdist) as archive:
        _holds(sdist.name, archive.getnames(), IN_THE_SDIST)
    for package in (wheel, sdist):
        began = time.monotonic()
        _answers(package, environment)
        print(f"{package.name}: installed into an empty environment, and answers ({time.monotonic() - began:.0f} s)")
    return 0


def _holds(package: str, names: Iterable[str], wanted: Iterable[str]) -> None:
    found = list(names)
    missing = [name for name in wanted if not any(one.endswith(name) for one in found)]
    if missing:
        raise SystemExit(f"{package} lacks {', '.join(missing)}")


def _answers(package: Path, environment: dict[str, str]) -> None:
    """Installs a package with Numba alone, and compares an example with it, in an empty folder."""
    with tempfile.TemporaryDirectory() as folder:
        venv.create(Path(folder, "env"), with_pip=True)
        bin_ = Path(folder, "env", "Scripts" if sys.platform == "win32" else "bin")
        pip = [bin_ / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        _run([*pip, "--constraint", ROOT / "constraints.txt", f"{package}[numba]"], environment, folder)
        told = _run([bin_ / "jitmagic", "--version"], environment, folder)
        if told.strip() != f"jitmagic {jitmagic.__version__}":
            raise SystemExit(f"{package.name} says that it is {told.strip()}, and the source {jitmagic.__version__}")
        command = ["compare", ROOT / "examples" / "cubic.py", "--backends", "numba", "--budget", "1", "--json", "out"]
        _run([bin_ / "jitmagic", *command], environment, folder)
        record = json.loads(Path(folder, "out").read_text(encoding="utf-8"))
        wrong = [one["name"] for one in record["variants"] if not one["verified"] or not one["clocks"]["run"]]
        if wrong or not record["variants"]:
            raise SystemExit(f"{package.name}: {', '.join(wrong) or 'no variant'} was not verified and timed")


def _run(command: list[str | Path], environment: dict[str, str], folder: str | None = None) -> str:
    words = list(map(str, command))
    done = subprocess.run(words, cwd=folder, env=environment, text=True, capture_output=True)
    if done.returncode:
        raise SystemExit(f"{' '.join(words)} ended with code {done.returncode}:\n{done.stdout}{done.stderr}")
    return done.stdout


if __name__ == "__main__":
    sys.exit(main())
