"""Transformations of a workload: derivatives by an argument, and the same function over a batch of arguments."""
