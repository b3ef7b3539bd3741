"""Whether CuPy is here, told from metadata alone: run in the user's process, or under another interpreter.

Nothing is imported but the standard library and the protocol: another interpreter need not have what jitmagic needs.
"""

from __future__ import annotations

from importlib import metadata
from pathlib import Path

from jitmagic.backends.protocol import Availability

_BUILDS = {"cupy-cuda13x": "13", "cupy-cuda12x": "12", "cupy-cuda11x": "11"}
"""Distributions, and the CUDA version of each. The plain `cupy` is built on the spot, for whatever is there."""

_ROCM = ("cupy-rocm-7-0", "cupy-rocm-5-0", "cupy-rocm-4-3")


def find() -> Availability:
    """Finds CuPy by its metadata, and an NVIDIA driver by its files; imports nothing."""
    versions: dict[str, str] = {}
    for distribution in ("cupy", *_BUILDS, *_ROCM):
        try:
            versions[distribution] = metadata.version(distribution)
        except metadata.PackageNotFoundError:
            continue
    return with_builds(versions, driver_loaded(), fitting_extra())


def with_builds(versions: dict[str, str], driver: bool, extra: str) -> Availability:
    """Reads from the versions of CuPy's distributions what it can use.

    Parameters
    ----------
    versions : dict of str to str
        Those that are installed.
    driver : bool
        Whether an NVIDIA driver may be here.
    extra : str
        Ours that fits it.

    >>> with_builds({"cupy-cuda12x": "14.2.0"}, True, "cuda12").kinds
    ('cuda',)
    """
    if not versions:
        return Availability(
            False, {}, "CuPy is not installed", f'pip install "jitmagic[{extra}]"', ("cuda",)
        )  # fmt: skip
    names = " ".join(versions)
    if len(versions) > 1:
        reason = f"{' and '.join(versions)} are both installed: they hold the same package, and overwrite each other"
        remedy = f'pip uninstall -y {names} && pip install "jitmagic[{extra}]"'
        return Availability(True, versions, reason, remedy, ("cuda",))
    if names in _ROCM:
        why = f"{names} is a build for AMD's GPUs", f'pip uninstall -y {names} && pip install "jitmagic[{extra}]"'
        return Availability(True, versions, None, None, ("rocm",), {"cuda": why})
    cuda = _BUILDS.get(names)
    other = {
        version: f"pip uninstall -y {names} && pip install {name}" for name, version in _BUILDS.items() if name != names
    }
    missing = None if driver else "no NVIDIA GPU was found on this machine"
    return Availability(True, versions, missing, None, ("cuda",), {}, cuda, other)


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


def fitting_extra() -> str:
    """Returns the extra that fits the driver: CUDA 13 needs driver 580 or newer."""
    version = _driver_version()
    return "cuda13" if version is not None and version >= 580 else "cuda12"


def driver_loaded() -> bool:
    """Says whether an NVIDIA GPU may be here; True where that cannot be told without loading a library."""
    import sys

    if not sys.platform.startswith("linux"):
        return sys.platform != "darwin"
    # WSL has no /proc entry but its own device
    places = ("/proc/driver/nvidia/version", "/dev/nvidia0", "/dev/nvidiactl", "/dev/dxg")
    return any(Path(place).exists() for place in places)
