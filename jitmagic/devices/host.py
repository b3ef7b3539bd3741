"""How the machine is asked: files, environment variables and small tools. Tests put a recorded machine in its place."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

TOOL_SECONDS = 20.0
"""A GPU whose driver sleeps takes seconds to answer."""


class Host:
    """This machine. Nothing here raises for what is not there."""

    @property
    def system(self) -> str:
        """``"Linux"``, ``"Darwin"``, ``"Windows"``."""
        return platform.system()

    @property
    def architecture(self) -> str:
        """``"x86_64"``, ``"arm64"``, ``"aarch64"``, ``"AMD64"``."""
        return platform.machine()

    @property
    def environ(self) -> Mapping[str, str]:
        """The environment variables of this process."""
        return os.environ

    def tool(self, name: str, places: tuple[str, ...] = ()) -> str | None:
        """Finds a program on the PATH, else at one of these places."""
        return shutil.which(name) or next((place for place in places if os.path.isfile(place)), None)

    def output(self, command: list[str], timeout: float = TOOL_SECONDS) -> tuple[str, str | None]:
        """Runs a small tool; returns its output, and why there is none."""
        name = os.path.basename(command[0])
        try:
            done = subprocess.run(
                command, capture_output=True, text=True, errors="replace", timeout=timeout, stdin=subprocess.DEVNULL
            )
        except subprocess.TimeoutExpired:
            return "", f"{name} did not answer within {timeout:.0f} s"
        except OSError as error:
            return "", f"{name} could not be started: {error}"
        if done.returncode:
            said = " ".join((done.stderr or done.stdout).split())[:300]
            return "", f"{name} ended with code {done.returncode}: {said}"
        return done.stdout, None

    def text(self, path: str) -> str | None:
        """Reads a small file; None where it cannot be read."""
        try:
            return Path(path).read_text(encoding="utf-8", errors="replace")
        except OSError:
            return None

    def matching(self, folder: str, pattern: str) -> list[str]:
        """Lists the paths in a folder that match a pattern, in order; none where there is no such folder."""
        try:
            return sorted(str(path) for path in Path(folder).glob(pattern))
        except OSError:
            return []


def host() -> Host:
    """Returns the machine that is asked."""
    return _HOST


_HOST = Host()
