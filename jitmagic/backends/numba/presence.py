"""Whether Numba is here, told from metadata alone: run in the user's process, or under another interpreter.

Nothing is imported but the standard library and the protocol: another interpreter need not have what jitmagic needs.
"""

from __future__ import annotations

from importlib import metadata
from importlib.util import find_spec

from jitmagic.backends.protocol import Availability


def find() -> Availability:
    """Finds Numba by its metadata."""
    if find_spec("numba") is None:
        return Availability(False, {}, "Numba is not installed", 'pip install "jitmagic[numba]"')
    versions = {name: metadata.version(name) for name in ("numba", "llvmlite") if find_spec(name) is not None}
    return Availability(True, versions)
