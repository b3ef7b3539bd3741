"""NumPy: the baseline."""

from jitmagic.backends.numpy.backend import NumpyBackend

__all__ = ["NumpyBackend"]
