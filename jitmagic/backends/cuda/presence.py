"""Whether Numba's CUDA target and CUDA Python are here, told from metadata alone.

Nothing is imported but the standard library and the protocol: another interpreter need not have what jitmagic needs.
"""

from __future__ import annotations

from importlib import metadata
from importlib.util import find_spec

from jitmagic.backends.cupy.presence import driver_loaded, fitting_extra
from jitmagic.backends.protocol import Availability

_TOOLKITS = {"nvidia-cuda-nvcc-cu12": "12", "nvidia-nvvm": "13", "nvidia-cuda-nvcc": "13"}
"""Distributions with the compiler (NVVM) that Numba's CUDA target needs, and their CUDA version."""


def find_numba() -> Availability:
    """Finds Numba's CUDA target: the package numba-cuda, or the one inside Numba."""
    remedy = f'pip install "jitmagic[{fitting_extra()}]"'
    if _version("numba") is None or find_spec("numba") is None:
        return Availability(False, {}, "Numba is not installed", remedy, ("cuda",))
    versions = {name: found for name in ("numba", "numba-cuda") if (found := _version(name)) is not None}
    cuda = next((made for name, made in _TOOLKITS.items() if _version(name) is not None), None)
    reason = None if driver_loaded() else "no NVIDIA GPU was found on this machine"
    if reason is None and "numba-cuda" not in versions:
        reason = "numba-cuda is not installed; the CUDA target inside Numba is no longer kept up"
        return Availability(True, versions, reason, remedy, ("cuda",))
    other = {version: f'pip install "numba-cuda[cu{version}]"' for version in ("12", "13")}
    return Availability(True, versions, reason, None, ("cuda",), {}, cuda, other)


def find_python() -> Availability:
    """Finds CUDA Python: `cuda-core`, which compiles and launches, and `cuda-bindings` below it."""
    extra = fitting_extra()
    remedy = f'pip install "jitmagic[{extra}]"'
    versions = {name: found for name in ("cuda-core", "cuda-bindings") if (found := _version(name)) is not None}
    for name in ("cuda-core", "cuda-bindings"):
        if name not in versions:
            return Availability(False, versions, f"{name} is not installed", remedy, ("cuda",))
    cuda = versions["cuda-bindings"].split(".")[0]
    reason = None if driver_loaded() else "no NVIDIA GPU was found on this machine"
    other = {version: f'pip install "cuda-core[cu{version}]" "cuda-bindings=={version}.*"' for version in ("12", "13")}
    return Availability(True, versions, reason, None, ("cuda",), {}, cuda, other)


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None
