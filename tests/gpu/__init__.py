"""What needs a real GPU. `python -m tests.gpu` (or `make gpu`) does all of it, on a machine with the core alone."""
