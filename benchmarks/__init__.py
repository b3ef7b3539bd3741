"""Benchmarks of jitmagic itself: run by ``make bench``, never by the tests."""
