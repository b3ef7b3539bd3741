"""CuPy: NumPy's functions on an NVIDIA GPU."""
