"""CuPy's library: what it has not, and what it does otherwise than NumPy."""

from __future__ import annotations

from jitmagic.gotchas.registry import unseen


@unseen("CP-NPMIX", severity="error", handled=True,
      why="the variant moves captured arrays to the device before")  # fmt: skip
def mixed_arrays() -> None:
    """NumPy's arrays cannot be mixed with CuPy's.

    What happens: `cupy.add(cp_x, np_y)` raises TypeError, and so does `np.asarray(cp_x)`.
    Why: CuPy does not copy between host and device by itself.
    Example:
        y = cp_x + np_table
    Instead:
        y = cp_x + cp.asarray(np_table)
    See: https://docs.cupy.dev/en/stable/user_guide/difference.html
    """


@unseen("CP-NPOUT", severity="performance", handled=True,
      why="the variant calls CuPy's own functions")  # fmt: skip
def dispatched_calls() -> None:
    """NumPy's functions take CuPy's arrays, slowly.

    What happens: `np.sum(cp_x)` is handed on to CuPy at some cost, or goes through the host.
    Why: NumPy asks each argument who computes.
    Example:
        y = np.sum(cp_x)
    Instead:
        y = cp.sum(cp_x)
    See: https://github.com/numpy/numpy/issues/13150
    """


@unseen("CP-CNAN", severity="silent",
      why="it happens on NVIDIA GPUs only")  # fmt: skip
def complex_extremes() -> None:
    """The largest of complex numbers with a NaN differs.

    What happens: `max` and `min` of complex arrays treat NaN otherwise than NumPy.
    Why: CuPy orders them without CUB in its own way.
    Example:
        m = cp.max(z)
    Instead:
        m = cp.nan if cp.isnan(z).any() else cp.max(z)
    See: https://docs.cupy.dev/en/stable/user_guide/difference.html
    """


@unseen("CP-STRIDE", severity="silent",
      why="it happens on NVIDIA GPUs only")  # fmt: skip
def result_order() -> None:
    """Results lie otherwise in memory.

    What happens: A function of a Fortran-ordered array may give a C-ordered one.
    Why: CuPy does not keep NumPy's rules of order.
    Example:
        y = cp.exp(x_f).ravel('K')
    Instead:
        y = cp.exp(x_f).ravel()
    See: https://docs.cupy.dev/en/stable/user_guide/difference.html
    """


@unseen("CP-DTYPE", severity="error", handled=True,
      why="the worker says what CuPy refuses")  # fmt: skip
def element_types() -> None:
    """CuPy holds numbers only.

    What happens: Strings, objects and `np.matrix` are refused.
    Why: A GPU has no Python objects.
    Example:
        x = cp.array(['a', 'b'])
    Instead:
        x = cp.array([0, 1])
    See: https://docs.cupy.dev/en/stable/user_guide/difference.html
    """


@unseen("CP-UFMETH", severity="error", handled=True,
      why="the variant is refused with the user's line where CuPy lacks a method")  # fmt: skip
def ufunc_methods() -> None:
    """Few methods of ufuncs exist.

    What happens: `cp.maximum.outer` is missing; `reduce` knows add and multiply.
    Why: CuPy writes them by hand.
    Example:
        m = np.maximum.outer(a, b)
    Instead:
        m = cp.maximum(a[:, None], b)
    See: https://docs.cupy.dev/en/stable/reference/ufunc.html
    """


@unseen("CP-FUSE", severity="error", handled=True,
      why="no variant is written with `cupy.fuse`")  # fmt: skip
def fusion() -> None:
    """`cupy.fuse` takes elementwise code.

    What happens: Products, reshapes and indexing inside raise.
    Why: It makes one kernel of one element's work.
    Example:
        @cp.fuse
        def fn(x):
            return x @ x
    Instead:
        def fn(x):
            return x @ x
    See: https://docs.cupy.dev/en/stable/user_guide/kernel.html
    """


@unseen("CP-RAWJIT", severity="error", handled=True,
      why="no variant is written with `cupyx.jit`")  # fmt: skip
def raw_kernels() -> None:
    """`cupyx.jit` knows few statements.

    What happens: Whole-array operations and late declarations do not compile.
    Why: It translates to CUDA C line by line.
    Example:
        @jit.rawkernel()
        def k(x):
            y = x * 2
    Instead:
        k = cp.ElementwiseKernel('T x', 'T y', 'y = x * 2')
    See: https://docs.cupy.dev/en/stable/user_guide/kernel.html
    """


@unseen("CP-F64", severity="performance",
      why="it happens on NVIDIA GPUs only")  # fmt: skip
def slow_doubles() -> None:
    """Consumer GPUs are slow in double precision.

    What happens: float64 runs at 1/32 or 1/64 of float32.
    Why: They have few units for it.
    Example:
        y = cp.exp(x64)
    Instead:
        y = cp.exp(x64.astype(cp.float32))
    See: https://docs.nvidia.com/cuda/cuda-c-programming-guide/
    """


@unseen("CP-LINALG", severity="silent",
      why="it happens on NVIDIA GPUs only; a result that is not NumPy's is not verified")  # fmt: skip
def silent_failures() -> None:
    """A failed decomposition gives NaN.

    What happens: `cupy.linalg.solve` of a singular matrix gives NaN, where NumPy raises LinAlgError.
    Why: The device is not waited for to look.
    Example:
        x = cp.linalg.solve(a, b)
    Instead:
        with cupyx.errstate(linalg='raise'):
            x = cp.linalg.solve(a, b)
    See: https://docs.cupy.dev/en/stable/reference/generated/cupyx.errstate.html
    """
