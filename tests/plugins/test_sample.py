"""The sample of a plug-in in examples/: installed by pip into a folder, its own tests run against it there."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.plugins.packages import ROOT, run

pytestmark = pytest.mark.slow
SAMPLE = ROOT / "examples" / "jitmagic-pythran"


@pytest.fixture(scope="module")
def installed(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("installed")
    subprocess.run(
        [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-index", "--no-deps",
         "--no-build-isolation", "--target", str(folder), str(SAMPLE)],
        check=True, env={**os.environ, "PIP_NO_CACHE_DIR": "1"},
    )  # fmt: skip
    return folder


def test_the_sample_passes_its_own_tests_where_pip_put_it(installed) -> None:
    pytest.importorskip("pythran", reason="Pythran is not installed: pip install 'jitmagic[test]'")
    done = run(installed, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(SAMPLE / "tests"))
    assert done.returncode == 0, done.stdout + done.stderr


def test_it_is_listed_with_its_package(installed) -> None:
    shown = run(installed, "-m", "jitmagic", "devices").stdout
    assert "Pythran" in shown


def test_pip_left_nothing_in_the_sources(installed) -> None:
    assert sorted(path.name for path in SAMPLE.iterdir() if path.name != "__pycache__") == [
        "README.md", "jitmagic_pythran", "pyproject.toml", "tests",
    ]  # fmt: skip
