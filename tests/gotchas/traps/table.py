"""The table of traps: each with a function that falls into it, or with the reason why it cannot be run here.

``python -m tests.gotchas.traps`` runs all of it and prints what became of each.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from tests.gotchas.traps import functions as f

SILENT, ERROR, TIME = "silent", "error", "time"

X = np.linspace(0.5, 2.0, 12)
N = np.arange(1, 13)
IDX = np.array([3, 0, 2, 1, 5, 4, 7, 6, 9, 8, 11, 10])
DUP = np.array([0, 0, 1, 1, 1, 5])
NAN = X.copy()
NAN[4] = np.nan
M = np.arange(12.0).reshape(3, 4) + 1

GPU, TPU = "a GPU", "a TPU"


@dataclass(frozen=True)
class Trap:
    """One row.

    Attributes
    ----------
    code, severity : str
    backend : str
        Whose trap it is; "" for one of measuring.
    function, args
        What falls into it.
    bite : tuple or None
        Other arguments, with which it shows; None where the example itself shows it.
    needs : str
        What this machine has not; then nothing is run.
    reason : str
        Why there is nothing to run: no generated variant can hold it.
    """

    code: str
    severity: str
    backend: str = ""
    function: Callable[..., Any] | None = None
    args: tuple[Any, ...] = ()
    bite: tuple[Any, ...] | None = None
    needs: str = ""
    reason: str = ""


def _beyond() -> Any:
    other = IDX.copy()
    other[2] = 40
    return other


NUMBA = [
    Trap("NB-OOB", SILENT, "numba", f.gather, (X, IDX), (X, _beyond())),
    Trap("NB-F32SUM", SILENT, "numba", f.total, (np.full(2_000_000, 0.1, np.float32),)),
    Trap("NB-OVERLAP", SILENT, "numba", f.add_to_neighbours, (X,)),
    Trap("NB-OVERLAP-PAR", SILENT, "numba", f.shift, (X,)),
    Trap("NB-NAN-PAR", SILENT, "numba", f.largest, (X,), (NAN,)),
    Trap("NB-RACE-ELEM", SILENT, "numba", f.histogram, (np.arange(5000) % 7, 7)),
    Trap("NB-RACE-SCALAR", SILENT, "numba", f.running_best, (np.sin(np.arange(20000.0)),)),
    Trap("NB-CARRY", SILENT, "numba", f.recurrence, (np.sin(np.arange(20000.0)),)),
    Trap("NB-NEGIDX-PAR", SILENT, "numba", f.backwards, (np.sin(np.arange(2000.0)),)),
    Trap("NB-UINT-FLOAT", SILENT, "numba", f.hashed, (np.arange(9, dtype=np.uint64),)),
    Trap("NB-PRANGE-LIST", SILENT, "numba", f.kept, (np.sin(np.arange(2000.0)),)),
    Trap("NB-PRANGE-EXIT", TIME, "numba", f.leaves_early, (X,)),
    Trap("NB-PRANGE-INIT", SILENT, "numba", f.positive_part, (X,), (-X,)),
    Trap("NB-PRANGE-SLICEIDX", SILENT, "numba", f.masked_sum, (X, X > 1)),
    Trap("NB-NEP50", SILENT, "numba", f.scaled32, (X.astype(np.float32),)),
    Trap("NB-INTWIDE", SILENT, "numba", f.small_sum, (np.full(9, 100, np.int8),)),
    Trap("NB-INTWRAP", SILENT, "numba", f.factorial, (10,), (25,)),
    Trap("NB-INTNEGPOW", SILENT, "numba", f.powers, (N, 2), (N, -1)),
    Trap("NB-DIV0", ERROR, "numba", f.division, (X, X), (X, np.zeros(12))),
    Trap("NB-F32LINALG", SILENT, "numba", f.solve_counts, (np.array([[2, 1], [1, 3]]), np.array([1, 2]))),
    Trap("NB-GLOBALS", SILENT, "numba", f.scaled_by_global, (X,)),
    Trap("NB-GLOBALARR", ERROR, "numba", f.written_global, (X[:4],)),
    Trap("NB-ZEROINIT", SILENT, "numba", f.last_of, (X, 3), (X, 0)),
    Trap("NB-SEED", SILENT, "numba", f.noise, (5,)),
    Trap("NB-FASTMATH", SILENT, "numba", f.cleaned, (X,), (NAN,)),
    Trap("NB-BITNOT", SILENT, "numba", f.inverted, (X, True)),
    Trap("NB-REFLIST", TIME, "numba", f.sum_of_list, ([1.0, 2.0, 3.0],)),
    Trap("NB-HETERO", ERROR, "numba", f.several, (X,)),
    Trap("NB-UNIFY", ERROR, "numba", f.maybe, (X,)),
    Trap("NB-AXIS", ERROR, "numba", f.along, (M,)),
    Trap("NB-NOFUNC", ERROR, "numba", f.contracted, (M, M.T)),
    Trap("NB-CONCAT", ERROR, "numba", f.stacked, (X, X)),
    Trap("NB-RESHAPE", ERROR, "numba", f.reshaped, (M,)),
    Trap("NB-DTYPE", ERROR, "numba", f.half_precision, (X.astype(np.float16),)),
    Trap("NB-SYNTAX", ERROR, "numba", f.told, (X,)),
    Trap("NB-EXC", SILENT, "numba", f.guarded, (X, 3), (X, 40)),
    Trap("NB-OBJMODE", TIME, "numba", reason="every variant is compiled in nopython mode"),
    Trap("NB-CALLS", ERROR, "numba", f.log_of_exp, (X,)),
    Trap("NB-SPAWN", TIME, "numba", f.polynomial, (X,)),
    Trap("NB-CONST-NP", TIME, "numba", f.polynomial, (X,)),
    Trap("NB-CUDA", ERROR, "numba", needs=GPU),
    Trap("NB-RET", SILENT, "numba", f.first32, (X.astype(np.float32),)),
]

JAX = [
    Trap("JX-X32", SILENT, "jax", f.large_integers, (np.array([2**40, 5]),)),
    Trap("JX-PROMO", SILENT, "jax", f.mixed_promotion, (N.astype(np.int32), X.astype(np.float32))),
    Trap("JX-OOBGET", SILENT, "jax", f.gather, (X, IDX), (X, _beyond())),
    Trap("JX-OOBSET", SILENT, "jax", f.scatter, (X, IDX), (X, _beyond())),
    Trap("JX-DYNSLICE", SILENT, "jax", f.windows, (X, 2)),
    Trap("JX-IADD-ALIAS", SILENT, "jax", f.aliased, (X,)),
    Trap("JX-ARGMUT", SILENT, "jax", f.fill, (X, np.zeros(12))),
    Trap("JX-DUPADD", SILENT, "jax", f.bump, (X, IDX[:6]), (X, DUP)),
    Trap("JX-DUPSET", SILENT, "jax", f.put, (X, IDX[:6], np.arange(6.0)), needs=GPU),
    Trap("JX-SETITEM", ERROR, "jax", f.through_a_view, (X,)),
    Trap("JX-BOOLMASK", ERROR, "jax", f.positives, (X,)),
    Trap("JX-SHAPEARG", ERROR, "jax", f.squares_up_to, (5,)),
    Trap("JX-IFTRACED", ERROR, "jax", f.clipped, (X,)),
    Trap("JX-BOTHBR", SILENT, "jax", f.safe_log, (X,), (X - 1,)),
    Trap("JX-INTCAST", ERROR, "jax", f.rounded_mean, (X,)),
    Trap("JX-NPCALL", ERROR, "jax", f.by_constants, (X[:4],)),
    Trap("JX-ISINST", SILENT, "jax", f.by_type, (X,)),
    Trap("JX-LISTARG", ERROR, "jax", f.sum_of_list, ([1.0, 2.0, 3.0],)),
    Trap("JX-PRINT", SILENT, "jax", f.told, (X,)),
    Trap("JX-GLOBALS", SILENT, "jax", f.scaled_by_global, (X,)),
    Trap("JX-LEAK", SILENT, "jax", f.remembered, (X,)),
    Trap("JX-ITER", SILENT, "jax", f.by_iterator, (X,)),
    Trap("JX-SELF", SILENT, "jax", reason="methods are refused when they are captured"),
    Trap("JX-RNG", SILENT, "jax", f.noise, (5,)),
    Trap("JX-RAISE", SILENT, "jax", f.checked_sqrt, (X,), (-X,)),
    Trap("JX-INTDIV0", SILENT, "jax", f.quotient, (N, N), (N, N * 0)),
    Trap("JX-CAST", SILENT, "jax", f.to_bytes, (X,), (X * 200,)),
    Trap("JX-XLAALG", SILENT, "jax", f.log_of_exp, (X,), (X * 1000,)),
    Trap("JX-SUBNORM", SILENT, "jax", f.tiny, (X,)),
    Trap("JX-NANARG", SILENT, "jax", f.best_of, (X,), (X * np.nan,)),
    Trap("JX-EMPTY", SILENT, "jax", f.partly_filled, (X,)),
    Trap("JX-CARRY", ERROR, "jax", f.begins_as_integer, (X,)),
    Trap("JX-UNROLL", TIME, "jax", f.long_loop, (X,)),
    Trap("JX-LAXUNROLL", TIME, "jax", reason="no variant unrolls a compiled loop"),
    Trap("JX-GPULOOP", TIME, "jax", needs=GPU),
    Trap("JX-RECOMP", TIME, "jax", f.polynomial, (X,)),
    Trap("JX-EAGER", TIME, "jax", f.polynomial, (X,)),
    Trap("JX-BIGCONST", TIME, "jax", f.by_constants, (X[:4],)),
    Trap("JX-DONATE", TIME, "jax", reason="no variant donates an argument"),
    Trap("JX-REF-OOB", SILENT, "jax", reason="no variant uses mutable array references"),
    Trap("JX-REF-LIM", ERROR, "jax", reason="no variant uses mutable array references"),
    Trap("JX-DTYPES", ERROR, "jax", f.half_precision, (X.astype(np.longdouble),)),
    Trap("JX-ORDER", TIME, "jax", f.fortran, (M,)),
    Trap("JX-WRITEABLE", ERROR, "jax", f.in_place, (X,)),
    Trap("JX-NEWFORMS", ERROR, "jax", f.bounded, (X,)),
]

CUPY = [
    Trap(code, severity, "cupy", needs=GPU)
    for code, severity in (
        ("CP-OOB", SILENT), ("CP-DUPSET", SILENT), ("CP-CAST", SILENT), ("CP-0D", TIME), ("CP-NPMIX", ERROR),
        ("CP-NPOUT", TIME), ("CP-CNAN", SILENT), ("CP-STRIDE", SILENT), ("CP-RNG", SILENT), ("CP-DTYPE", ERROR),
        ("CP-UFMETH", ERROR), ("CP-LOOP", TIME), ("CP-FUSE", ERROR), ("CP-RAWJIT", ERROR), ("CP-F64", TIME),
        ("CP-LINALG", SILENT),
    )
]  # fmt: skip

TORCH = [
    Trap("PT-DEFDTYPE", SILENT, "torch", f.ratio_of_integers, (N, N)),
    Trap("PT-0D", SILENT, "torch", f.normalised, (X.astype(np.float32), X)),
    Trap("PT-STD", SILENT, "torch", f.spread, (X,)),
    Trap("PT-MEDIAN", SILENT, "torch", f.middle, (X,)),
    Trap("PT-REPEAT", SILENT, "torch", f.repeated, (X,)),
    Trap("PT-SPLIT", SILENT, "torch", f.thirds, (X,)),
    Trap("PT-SIZE", SILENT, "torch", f.by_size, (X,)),
    Trap("PT-TUPLE", ERROR, "torch", f.along, (M,)),
    Trap("PT-MIXED", ERROR, "torch", f.normalised, (X.astype(np.float32), X)),
    Trap("PT-NEGSTRIDE", ERROR, "torch", f.flipped, (X,)),
    Trap("PT-FLIPVIEW", SILENT, "torch", f.reversed_view, (X,)),
    Trap("PT-SHARE", SILENT, "torch", f.in_place, (X,)),
    Trap("PT-OVERLAP", ERROR, "torch", f.add_to_neighbours, (X,)),
    Trap("PT-INPLACEDT", ERROR, "torch", f.counts_up, (X.astype(np.float32),)),
    Trap("PT-AUTOGRAD", ERROR, "torch", reason="no argument of a variant requires a gradient"),
    Trap("PT-UINT", ERROR, "torch", f.unsigned, (N.astype(np.uint32),)),
    Trap("PT-SIGNNAN", SILENT, "torch", f.signs, (X,), (NAN,)),
    Trap("PT-INT0", ERROR, "torch", f.quotient, (N, N), (N, N * 0)),
    Trap("PT-SORT", SILENT, "torch", f.ranking, (X,), (np.round(X),)),
    Trap("PT-UNIQUE", ERROR, "torch", f.distinct, (X,)),
    Trap("PT-INDEXLIST", SILENT, "torch", f.chosen, (X,)),
    Trap("PT-ATOMIC", SILENT, "torch", needs=GPU),
    Trap("PT-QUANT", ERROR, "torch", f.halves, (X, 1.0)),
    Trap("PT-MPS64", ERROR, "torch", needs="an Apple GPU"),
    Trap("PT-TF32", SILENT, "torch", needs=GPU),
    Trap("PT-DYNBREAK", TIME, "torch", f.clipped, (X,)),
    Trap("PT-DYNUNROLL", TIME, "torch", f.long_loop, (X,)),
    Trap("PT-NP-RNG", SILENT, "torch", f.seeded_noise, (5,)),
    Trap("PT-NP-0D", SILENT, "torch", f.middle, (X,)),
    Trap("PT-NP-TRIL", SILENT, "torch", f.lower_triangle, (np.ones((3, 3)),)),
    Trap("PT-CONJ", ERROR, "torch", f.conjugated, (X + 1j,)),
]

MEASURING = [
    Trap("BM-ASYNC", TIME, reason="the worker waits for the result inside the clock (tests/measure/test_clock.py)"),
    Trap("BM-WARM", TIME, reason="the build is a clock of its own"),
    Trap("BM-COMPILEREP", TIME, reason="timed calls have the arguments that verified it"),
    Trap("BM-XFER", TIME, needs=GPU),
    Trap("BM-DTYPE", TIME, "jax", f.large_integers, (X,)),
    Trap("BM-INPLACE", SILENT, "numba", f.sorted_in_place, (X[::-1].copy(),)),
    Trap("BM-L2", TIME, needs=GPU),
    Trap("BM-CLOCK", TIME, reason="rounds are shuffled, and ratios have intervals (tests/measure/test_rounds.py)"),
    Trap("BM-THREADS", TIME, reason="each backend has a process, and its threads are in the record"),
    Trap("BM-PREALLOC", ERROR, needs=GPU),
    Trap("BM-POOL", TIME, needs=GPU),
    Trap("BM-AUTOTUNE", TIME, needs=GPU),
    Trap("BM-EVENT", TIME, needs=GPU),
    Trap("BM-DCE", TIME, "jax", f.spread, (X,)),
    Trap("BM-SMALL", TIME, reason="the recommendation names the sizes that it holds for"),
    Trap("BM-FORK", ERROR, reason="workers are started by exec, never forked"),
    Trap("GP-TF32JAX", SILENT, "jax", needs=GPU),
    Trap("GP-NONDET", SILENT, needs=GPU),
    Trap("TP-BF16", SILENT, "jax", needs=TPU),
    Trap("TP-F64", SILENT, "jax", needs=TPU),
    Trap("TP-LINALG", ERROR, "jax", needs=TPU),
    Trap("TP-PAD", TIME, "jax", needs=TPU),
]

TRAPS = [*NUMBA, *JAX, *CUPY, *TORCH, *MEASURING]
