"""The traps of PyTorch."""
