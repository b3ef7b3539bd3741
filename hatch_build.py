"""Builds the front end (labextension/) into the wheel and the sdist, where there is a Node.js to build it with.

Without one the Python part installs all the same: text, HTML and the record need no front end, and jitmagic says what
is missing where the panel and the sidebar would be. JITMAGIC_FRONT_END chooses: "auto" (the default), "require" (a
front end that cannot be built is an error: for releases and tests), "skip". An editable install never builds it, since
it would take a minute each time: `make labextension` does.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

LEAST_NODE = 20
SETTING = "JITMAGIC_FRONT_END"
SHARED = "share/jupyter/labextensions/jitmagic"
BUILDER = "jupyter-builder>=1.2,<2"
SOURCES = ("src", "style", "schema", "scripts", "package.json", "yarn.lock", "tsconfig.json", "install.json")


class CustomBuildHook(BuildHookInterface[Any]):
    """Hatchling's hook: says what a build needs, builds, and names the files that go into the wheel."""

    def dependencies(self) -> list[str]:
        """Returns the builder, unless this installation builds nothing."""
        return [BUILDER] if self._setting() != "skip" and not self._ready() and not node_problem() else []

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Builds what is not there yet, and adds it to the wheel's data files."""
        setting = self._setting()
        if setting == "skip" or (version == "editable" and setting != "require"):
            return
        if not self._ready():
            problem = node_problem() or self._build()
            if problem:
                if setting == "require":
                    raise RuntimeError(f"jitmagic's front end is required ({SETTING}) and cannot be built: {problem}")
                self.app.display_warning(
                    f"jitmagic is installed without its live panel and its JupyterLab extension: {problem}. "
                    "Results are shown as text and static HTML. Mend it: install Node.js "
                    f"{LEAST_NODE} or newer, then install jitmagic again; a wheel from PyPI holds both."
                )
                return
        if self.target_name == "wheel" and version != "editable":
            build_data["shared_data"][str(self._folder / "dist")] = SHARED

    @property
    def _folder(self) -> Path:
        return Path(self.root, "labextension")

    def _setting(self) -> str:
        setting = os.environ.get(SETTING, "").strip().lower() or "auto"
        if setting not in ("auto", "require", "skip"):
            raise ValueError(f"{SETTING} is {setting!r}, and may be auto, require or skip")
        return setting

    def _ready(self) -> bool:
        """Tells whether what would be built is there already, and not older than what it is built from."""
        built = self._folder / "dist" / "package.json"
        if not built.exists():
            return False
        if Path(self.root, "PKG-INFO").exists():  # an unpacked sdist: it holds what was built from it
            return True
        stamp = built.stat().st_mtime
        return all(path.stat().st_mtime <= stamp for path in self._sources())

    def _sources(self) -> Iterator[Path]:
        for name in SOURCES:
            path = self._folder / name
            yield from (each for each in path.rglob("*") if each.is_file()) if path.is_dir() else (path,)
        yield Path(self.root, "jitmagic", "report", "schema", "v1.json")

    def _build(self) -> str | None:
        """Installs the packages and builds; returns what stood in the way, None where it went well."""
        jlpm = [sys.executable, "-c", "from jupyter_builder.jlpm import main; main()"]
        # the build's own environment holds the commands that the scripts call
        path = os.pathsep.join([str(Path(sys.executable).parent), *self._scripts(), os.environ.get("PATH", "")])
        for step in (["install", "--immutable"], ["clean"], ["build"]):
            self.app.display_info(f"labextension: jlpm {' '.join(step)}")
            try:
                done = subprocess.run(
                    [*jlpm, *step],
                    cwd=self._folder,
                    env={**os.environ, "PATH": path},
                    stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT,
                    text=True,
                    errors="replace",
                )
            except OSError as error:
                return f"jlpm could not be started: {error}"
            if done.returncode:
                self.app.display_error(done.stdout[-4000:])
                last = [line for line in done.stdout.splitlines() if line.strip()][-1:]
                return f"`jlpm {' '.join(step)}` ended with code {done.returncode}: {' '.join(last)[:300]}"
        built = self._folder / "dist" / "package.json"
        return None if built.exists() else f"the build went well and left no {built}"

    @staticmethod
    def _scripts() -> list[str]:
        found = shutil.which("jupyter-builder")
        return [str(Path(found).parent)] if found else []


def node_problem() -> str | None:
    """Returns why Node.js cannot build the front end here, None where it can."""
    node = shutil.which("node")
    if node is None:
        return "there is no Node.js on this machine"
    try:
        told = subprocess.run([node, "--version"], capture_output=True, text=True, timeout=60).stdout.strip()
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"{node} could not be asked for its version: {error}"
    major = re.match(r"v(\d+)\.", told)
    if major is None or int(major[1]) < LEAST_NODE:
        return f"{node} is {told or 'of an unknown version'}, and {LEAST_NODE} or newer is needed"
    return None
