"""How many CPU threads a worker's libraries may use, set before they are imported."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from typing import Any

from jitmagic.backends.protocol import Backend, Draft

IDLE = {"KMP_BLOCKTIME": "1", "OPENBLAS_THREAD_TIMEOUT": "20"}
"""What keeps the threads of an idle worker from spinning, in every worker; the user's own settings win.

The threads of Intel's and LLVM's OpenMP wait for more work for 200 ms after each parallel region, and OpenBLAS's for
some 30 ms (2^26 cycles), at full speed: into the samples of the next variant. Here they go to sleep after 1 ms and some
0.5 ms (2^20 cycles), which is still longer than the gap between two calls of one sample.
"""

_VARIABLES = (
    "OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "BLIS_NUM_THREADS", "VECLIB_MAXIMUM_THREADS",
    "NUMBA_NUM_THREADS",
    # the size of XLA's thread pool (DefaultThreadPoolSize in xla/pjrt/utils.cc)
    "NPROC",
)  # fmt: skip

_BLAS = {
    "dot", "matmul", "vdot", "inner", "tensordot", "einsum", "multi_dot", "linalg", "solve", "inv", "pinv", "det",
    "svd", "eig", "eigh", "eigvals", "eigvalsh", "qr", "cholesky", "lstsq", "matrix_power", "norm", "cov", "corrcoef",
}  # fmt: skip
"""Functions of NumPy that hand their work to BLAS or LAPACK, which have threads of their own."""


def environment(threads: int) -> dict[str, str]:
    """Returns the environment variables that hold a worker's libraries to so many threads."""
    return dict.fromkeys(_VARIABLES, str(threads))


class Limited:
    """A backend whose workers have so many threads: all else is the backend's own.

    Parameters
    ----------
    backend : Backend
    threads : int

    Attributes
    ----------
    seat : str
        What its workers are kept under: they are other processes than those without the limit.
    """

    def __init__(self, backend: Backend, threads: int) -> None:
        self._backend = backend
        self.name = backend.name
        self.title = backend.title
        self.runtime = backend.runtime
        self.limit = threads
        self.seat = f"{backend.name}@{threads}"

    def environment(self, device: str) -> Mapping[str, str]:
        """Returns the backend's variables, with the limit."""
        return {**self._backend.environment(device), **environment(self.limit)}

    def __getattr__(self, name: str) -> Any:
        return getattr(self.__dict__["_backend"], name)


def seat(backend: Backend) -> str:
    """Returns what a backend's workers are kept under."""
    return str(getattr(backend, "seat", backend.name))


def has_threads(backend: Backend, draft: Draft) -> bool:
    """Says whether a draft may use more than one thread: its backend says so, or it calls BLAS."""
    trait = getattr(backend, "threaded", None)
    return trait is None or bool(trait(draft.mode)) or calls_blas(draft.module.text)


def calls_blas(text: str) -> bool:
    """Says whether a source names a function of BLAS or LAPACK, or multiplies matrices.

    >>> calls_blas("def f(a, b):\\n    return a @ b"), calls_blas("def f(a, b):\\n    return a * b")
    (True, False)
    """
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.BinOp | ast.AugAssign) and isinstance(node.op, ast.MatMult):
            return True
        name = node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else None
        if name in _BLAS:
            return True
    return False
