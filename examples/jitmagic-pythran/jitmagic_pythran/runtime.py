"""The worker's side: the only file that imports Pythran."""

from __future__ import annotations

import numpy as np
import pythran
from jitmagic.backends.numpy.runtime import NumpyRuntime


class PythranRuntime(NumpyRuntime):
    """Takes and gives NumPy arrays, and is done when it returns: all that NumPy's own runtime does is right for it."""

    def start(self, device):
        if device != "cpu":
            raise ValueError(f"Pythran runs on the CPU only, not on {device!r}")
        return {"versions": {"numpy": np.__version__, "pythran": pythran.__version__}, "devices": ["cpu"]}
