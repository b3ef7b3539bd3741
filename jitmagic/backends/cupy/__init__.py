"""CuPy: NumPy's functions on an NVIDIA GPU."""

from jitmagic.backends.cupy.backend import CupyBackend

__all__ = ["CupyBackend"]
