"""The rewrites that turn a NumPy function into what Numba compiles rightly: one file each."""
