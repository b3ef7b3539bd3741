"""Whether PyTorch is here and what it was built for, told from its files alone: in the user's process, or another's.

Nothing is imported but the standard library and the protocol: another interpreter need not have what jitmagic needs.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import platform
import re
from pathlib import Path

from jitmagic.backends.protocol import Availability

_PLACE = "https://download.pytorch.org/whl"
_NAMES = {"cuda": "CUDA", "hip": "ROCm", "xpu": "XPU"}

_BUILDS = {"12": "cu126", "13": "cu130"}
"""PyTorch's own indexes for CUDA (pytorch.org, "Start locally")."""


def find() -> Availability:
    """Finds whether torch is installed, and for which devices it was built, from its files alone."""
    remedy = 'pip install "jitmagic[torch]"'
    spec = importlib.util.find_spec("torch")
    if spec is None:
        return Availability(False, {}, "PyTorch is not installed", remedy)
    try:
        version = importlib.metadata.version("torch")
    except importlib.metadata.PackageNotFoundError:
        return Availability(False, {}, "a module named torch is there, but no installed distribution", remedy)
    text = _version_file(list(spec.submodule_search_locations or ()))
    return built(version, text, platform.system(), platform.machine())


def built(version: str, text: str, system: str, architecture: str) -> Availability:
    """Reads from torch's version and its ``version.py`` what it was built for.

    Parameters
    ----------
    version : str
        E.g. ``"2.13.0+cpu"``.
    text : str
        The text of ``torch/version.py``; "" where it could not be read.
    system, architecture : str
        As `platform` tells them: a build for Apple's processors always has Metal.

    >>> built("2.13.0+cu128", "cuda: Optional[str] = '12.8'\\nhip: Optional[str] = None\\n", "Linux", "x86_64").kinds
    ('cpu', 'cuda')
    """
    made = {name: _value(text, name) for name in ("cuda", "hip", "xpu")}
    if not text:  # an odd build: the version's suffix tells most of them
        suffix = version.partition("+")[2]
        made["cuda"] = f"{suffix[2:-1]}.{suffix[-1]}" if re.fullmatch(r"cu\d{3}", suffix) else None
        made["hip"] = suffix[4:] if suffix.startswith("rocm") else None
        made["xpu"] = suffix if suffix == "xpu" else None
    kinds = ["cpu"]
    lacks: dict[str, tuple[str, str | None]] = {}
    plain = version.partition("+")[0]
    told = f"torch {version} is a build for the CPU"
    others = [name for name, there in made.items() if there]
    if others:
        told = f"torch {version} is a build for {' and '.join(_NAMES[one] for one in others)}"
    for name, kind, index in (("cuda", "cuda", _BUILDS["12"]), ("hip", "rocm", "rocm6.4"), ("xpu", "xpu", "xpu")):
        if made[name]:
            kinds.append(kind)
        else:
            lacks[kind] = (told, _install(plain, index))
    if (system, architecture) == ("Darwin", "arm64"):
        kinds.append("mps")
    other = {cuda: _install(plain, index) for cuda, index in _BUILDS.items()}
    return Availability(True, {"torch": version}, None, None, tuple(kinds), lacks, made["cuda"], other)


def _install(version: str, index: str) -> str:
    return f"pip install --force-reinstall torch=={version} --index-url {_PLACE}/{index}"


def _value(text: str, name: str) -> str | None:
    found = re.search(rf"^{name}(?:\s*:[^=]*)?\s*=\s*['\"]([^'\"]+)['\"]", text, re.MULTILINE)
    return found[1] if found else None


def _version_file(folders: list[str]) -> str:
    for folder in folders:
        try:
            return (Path(folder) / "version.py").read_text(encoding="utf-8", errors="replace")
        except OSError:
            continue
    return ""
