"""NumPy: the baseline."""
