"""The traps of Numba."""
