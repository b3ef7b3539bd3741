"""Whether CuPy is here, told from metadata alone: run in the user's process, or under another interpreter.

Nothing is imported but the standard library and the protocol: another interpreter need not have what jitmagic needs.
"""

from __future__ import annotations

from importlib import metadata
from pathlib import Path

from jitmagic.backends.protocol import Availability

_DISTRIBUTIONS = ("cupy", "cupy-cuda13x", "cupy-cuda12x", "cupy-cuda11x")


def find() -> Availability:
    """Finds CuPy by its metadata, and an NVIDIA driver by its files; imports nothing."""
    versions: dict[str, str] = {}
    for distribution in _DISTRIBUTIONS:
        try:
            versions[distribution] = metadata.version(distribution)
        except metadata.PackageNotFoundError:
            continue
    if not versions:
        return Availability(False, {}, "CuPy is not installed", f'pip install "jitmagic[{_extra()}]"')
    if not _driver_loaded():
        return Availability(True, versions, "no NVIDIA GPU was found on this machine", None)
    return Availability(True, versions)


def _driver_version() -> int | None:
    """Returns the major version of the NVIDIA kernel driver on Linux, None where it cannot be read."""
    try:
        text = Path("/proc/driver/nvidia/version").read_text()
    except OSError:
        return None
    for word in text.split():
        head = word.split(".")[0]
        if "." in word and head.isdigit() and int(head) > 100:
            return int(head)
    return None


def _extra() -> str:
    """Returns the extra that fits the driver: CUDA 13 needs driver 580 or newer."""
    version = _driver_version()
    return "cuda13" if version is not None and version >= 580 else "cuda12"


def _driver_loaded() -> bool:
    """Says whether an NVIDIA GPU may be here; True where that cannot be told without loading a library."""
    import sys

    if not sys.platform.startswith("linux"):
        return sys.platform != "darwin"
    # WSL has no /proc entry but its own device
    places = ("/proc/driver/nvidia/version", "/dev/nvidia0", "/dev/nvidiactl", "/dev/dxg")
    return any(Path(place).exists() for place in places)
