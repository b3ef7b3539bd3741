"""Kernels for NVIDIA GPUs, from the loops that Numba's parallel variant is written in: in Python and in CUDA C++."""
