"""Whether JAX is here, told from metadata alone: run in the user's process, or under another interpreter.

Nothing is imported but the standard library and the protocol: another interpreter need not have what jitmagic needs.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util

from jitmagic.backends.protocol import Availability


def find() -> Availability:
    """Finds whether JAX is installed, from its metadata alone."""
    remedy = 'pip install "jitmagic[jax]"'
    versions = {}
    for name in ("jax", "jaxlib"):
        try:
            versions[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            return Availability(False, versions, f"{name} is not installed", remedy)
    if importlib.util.find_spec("jax") is None:
        return Availability(False, versions, "jax is listed as installed, but cannot be found", remedy)
    return Availability(True, versions)
