"""Hand-written versions of functions of the corpus, as somebody who knows the library well would write them.

``with_numba.py`` and ``with_jax.py`` hold one function a corpus function, under its name; each imports its library, and
is imported in a process of its own by ``benchmarks.experts``. Where threads help, the Numba version uses them.
"""
