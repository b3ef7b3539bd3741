"""Numba: serial and parallel machine code from the user's own loops and array expressions."""

from jitmagic.backends.numba.backend import NumbaBackend

__all__ = ["NumbaBackend"]
