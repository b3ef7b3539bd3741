"""Whether JAX is here and with which plug-ins, told from metadata alone: in the user's process, or another's.

Nothing is imported but the standard library and the protocol: another interpreter need not have what jitmagic needs.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import re

from jitmagic.backends.protocol import Availability

_PLUGINS = (
    ("jax-cuda13-plugin", "cuda", "13"),
    ("jax-cuda12-plugin", "cuda", "12"),
    ("jax-rocm7-plugin", "rocm", ""),
    ("jax-rocm60-plugin", "rocm", ""),
    ("jax-metal", "mps", ""),
    ("libtpu", "tpu", ""),
)
"""Distribution, the kind of device that it brings, and its CUDA version (docs.jax.dev, "Installation")."""

_SAME = ("jax-cuda13-plugin", "jax-cuda12-plugin", "jax-rocm7-plugin", "jax-rocm60-plugin")
"""Plug-ins that jaxlib takes in its own version only."""

_INSTALL = {
    "cuda": 'pip install "jax[cuda12]"',
    "rocm": 'pip install "jax[rocm7-local]"',
    "tpu": 'pip install "jax[tpu]"',
}


def find() -> Availability:
    """Finds whether JAX is installed, and for which devices it has plug-ins, from metadata alone."""
    remedy = 'pip install "jitmagic[jax]"'
    versions: dict[str, str] = {}
    for name in ("jax", "jaxlib"):
        found = _version(name)
        if found is None:
            return Availability(False, versions, f"{name} is not installed", remedy)
        versions[name] = found
    if importlib.util.find_spec("jax") is None:
        return Availability(False, versions, "jax is listed as installed, but cannot be found", remedy)
    plugins = {name: found for name, _, _ in _PLUGINS if (found := _version(name)) is not None}
    return with_plugins({**versions, **plugins})


def with_plugins(versions: dict[str, str]) -> Availability:
    """Reads from the versions of JAX's distributions what it can use.

    >>> with_plugins({"jax": "0.10.2", "jaxlib": "0.10.2", "jax-cuda12-plugin": "0.10.2"}).kinds
    ('cpu', 'cuda')
    """
    kinds = ["cpu"]
    cuda = None
    lacks: dict[str, tuple[str, str | None]] = {
        kind: (f"JAX {versions['jax']} is installed without its plug-in for it", command)
        for kind, command in _INSTALL.items()
    }
    for name, kind, made in _PLUGINS:
        if name not in versions or kind in kinds:
            continue
        if name in _SAME and _release(versions[name]) != _release(versions["jaxlib"]):
            lacks[kind] = (
                f"{name} {versions[name]} does not fit jaxlib {versions['jaxlib']}: JAX takes them in one version only",
                f'pip install --upgrade "{name}[with-cuda]=={versions["jaxlib"]}"' if made
                else f"pip install --upgrade {name}=={versions['jaxlib']}",
            )  # fmt: skip
            continue
        kinds.append(kind)
        lacks.pop(kind, None)
        cuda = made or cuda
    other = {version: f'pip install "jax[cuda{version}]=={versions["jax"]}"' for version in ("12", "13")}
    return Availability(True, versions, None, None, tuple(kinds), lacks, cuda, other)


def _version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def _release(version: str) -> str:
    found = re.match(r"[\d.]*\d", version)
    return found[0] if found else version
