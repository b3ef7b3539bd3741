"""Numba: serial and parallel machine code from the user's own loops and array expressions."""
