"""The steps of one comparison: each is a file of its own, and ``run.py`` takes them in their order."""
