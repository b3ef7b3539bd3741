"""Whether PyTorch is here, told from metadata alone: run in the user's process, or under another interpreter.

Nothing is imported but the standard library and the protocol: another interpreter need not have what jitmagic needs.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util

from jitmagic.backends.protocol import Availability


def find() -> Availability:
    """Finds whether torch is installed, from its metadata alone."""
    remedy = 'pip install "jitmagic[torch]"'
    if importlib.util.find_spec("torch") is None:
        return Availability(False, {}, "PyTorch is not installed", remedy)
    try:
        return Availability(True, {"torch": importlib.metadata.version("torch")})
    except importlib.metadata.PackageNotFoundError:
        return Availability(False, {}, "a module named torch is there, but no installed distribution", remedy)
