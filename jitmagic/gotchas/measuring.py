"""Measuring: how a comparison of speed goes wrong, and what jitmagic does so that its own does not."""

from __future__ import annotations

from jitmagic.gotchas.registry import unseen


@unseen("BM-ASYNC", severity="performance", handled=True,
      why="the worker waits for the whole result inside the clock")  # fmt: skip
def asynchronous() -> None:
    """A call may return before its work is done.

    What happens: The timer stops when the work is handed over: false 100-fold gains.
    Why: JAX, CuPy and PyTorch on a GPU work on while Python goes on.
    Example:
        t = time.perf_counter()
        y = fn(x)
        print(time.perf_counter() - t)
    Instead:
        y = fn(x)
        jax.block_until_ready(y)
    See: https://docs.jax.dev/en/latest/async_dispatch.html
    """


@unseen("BM-WARM", severity="performance", handled=True,
      why="the build is timed apart from the calls")  # fmt: skip
def first_calls() -> None:
    """The first call compiles.

    What happens: It takes seconds where the others take microseconds.
    Why: Tracing, compiling, and starting a device happen then.
    Example:
        t = timeit(lambda: fn(x), number=1)
    Instead:
        fn(x)
        t = timeit(lambda: fn(x), number=100)
    See: https://docs.jax.dev/en/latest/benchmarking.html
    """


@unseen("BM-COMPILEREP", severity="performance", handled=True,
      why="the timed calls have the very arguments of the calls that verified it")  # fmt: skip
def compiling_inside() -> None:
    """Compiling happens inside the timed region.

    What happens: A warm-up with another shape or dtype warms nothing.
    Why: Compilers specialise on shapes, dtypes and static values.
    Example:
        fn(x[:10])
        t = timeit(lambda: fn(x))
    Instead:
        fn(x)
        t = timeit(lambda: fn(x))
    See: https://github.com/QuantEcon/lecture-python.myst/issues/663
    """


@unseen("BM-XFER", severity="performance", handled=True,
      why="run, ways and end to end are clocks of their own")  # fmt: skip
def transfers() -> None:
    """Copies to and from a device are left out, or counted without a word.

    What happens: A GPU looks ten times faster, or slower, than it is.
    Why: The way there and back can take longer than the work.
    Example:
        t = timeit(lambda: fn(cp.asarray(x)).get())
    Instead:
        xd = cp.asarray(x)
        t = timeit(lambda: fn(xd))
    See: https://docs.jax.dev/en/latest/benchmarking.html
    """


@unseen("BM-DTYPE", severity="performance", handled=True,
      why="a variant's result has to have NumPy's dtype, or it has no time")  # fmt: skip
def other_precision() -> None:
    """Single precision is compared with double.

    What happens: JAX in its default float32 seems twice as fast as NumPy in float64.
    Why: Half the bytes, and another result.
    Example:
        jax.jit(fn)(x64)
    Instead:
        jax.config.update('jax_enable_x64', True)
        jax.jit(fn)(x64)
    See: https://docs.jax.dev/en/latest/benchmarking.html
    """


@unseen("BM-INPLACE", severity="silent", handled=True,
      why="written arguments are restored before each call, outside the clock")  # fmt: skip
def changed_inputs() -> None:
    """A function that writes its argument is timed on what it left.

    What happens: From the second call on it sorts what is sorted, or computes with NaN.
    Why: The argument is the same array in each call.
    Example:
        timeit(lambda: x.sort())
    Instead:
        timeit(lambda: x.copy().sort())
    See: https://docs.python.org/3/library/timeit.html
    """


@unseen("BM-L2", severity="performance", handled=True,
      why="variants run in rounds, so that each finds the cache as the others leave it")  # fmt: skip
def warm_caches() -> None:
    """The same small input stays in the cache.

    What happens: Repeats are faster than a call with fresh data.
    Why: All repeats read the same memory.
    Example:
        timeit(lambda: fn(x))
    Instead:
        timeit(lambda: fn(next(inputs)))
    See: https://docs.nvidia.com/cuda/cuda-c-best-practices-guide/
    """


@unseen("BM-CLOCK", severity="performance", handled=True,
      why="rounds are shuffled over all variants, and the ratio has an interval")  # fmt: skip
def frequencies() -> None:
    """The processor's speed changes.

    What happens: Heat, power and other programs move a time by a third.
    Why: Processors raise and lower their clocks.
    Example:
        timeit(numpy_fn)
        timeit(numba_fn)
    Instead:
        for round in rounds:
            for fn in shuffled(functions):
                timeit(fn)
    See: https://github.com/NVIDIA/nvbench
    """


@unseen("BM-THREADS", severity="performance", handled=True,
      why="each backend has a process of its own, and its number of threads is shown")  # fmt: skip
def pools() -> None:
    """Thread pools stand in each other's way.

    What happens: BLAS, OpenMP, Numba and XLA each start as many threads as there are cores.
    Why: None of them knows of the others.
    Example:
        fn_numba(A @ B)
    Instead:
        threadpoolctl.threadpool_limits(1)
    See: https://github.com/joblib/threadpoolctl
    """


@unseen("BM-PREALLOC", severity="error", handled=True,
      why="each backend has a process of its own")  # fmt: skip
def preallocation() -> None:
    """JAX takes most of a GPU's memory.

    What happens: CuPy or PyTorch in the same process run out of it.
    Why: It reserves 75 % when it starts.
    Example:
        import jax, cupy
    Instead:
        os.environ['XLA_PYTHON_CLIENT_PREALLOCATE'] = 'false'
    See: https://docs.jax.dev/en/latest/gpu_memory_allocation.html
    """


@unseen("BM-POOL", severity="performance", handled=True,
      why="idle workers give their pools back")  # fmt: skip
def memory_pools() -> None:
    """Freed memory stays with the library.

    What happens: `nvidia-smi` shows memory in use that is free.
    Why: CuPy and PyTorch keep it for the next array.
    Example:
        nvidia_smi()
    Instead:
        cp.get_default_memory_pool().free_all_blocks()
    See: https://docs.cupy.dev/en/stable/user_guide/memory.html
    """


@unseen("BM-AUTOTUNE", severity="performance", handled=True,
      why="no such flag is set, and warm calls go before the timed ones")  # fmt: skip
def autotuning() -> None:
    """A library tries several algorithms.

    What happens: The first calls are slow, and the algorithm may be another in the next run.
    Why: cuDNN, XLA and torch.compile pick by measuring.
    Example:
        torch.backends.cudnn.benchmark = True
    Instead:
        torch.backends.cudnn.benchmark = False
    See: https://docs.pytorch.org/docs/stable/notes/randomness.html
    """


@unseen("BM-EVENT", severity="performance", handled=True,
      why="it is what a call costs that waits for its result, and that is what is measured")  # fmt: skip
def device_clocks() -> None:
    """Waiting after each call costs on a GPU.

    What happens: Kernels of 5 µs are measured as 30.
    Why: A synchronisation takes 10 to 50 µs.
    Example:
        for _ in range(n):
            fn(x)
            cp.cuda.Device().synchronize()
    Instead:
        for _ in range(n):
            fn(x)
        cp.cuda.Device().synchronize()
    See: https://docs.cupy.dev/en/stable/user_guide/performance.html
    """


@unseen("BM-DCE", severity="performance", handled=True,
      why="a variant has to return all that NumPy returns")  # fmt: skip
def dropped_work() -> None:
    """What is not returned is not computed.

    What happens: A variant that returns one of two results is twice as fast.
    Why: Compilers drop work that nobody sees.
    Example:
        def fn(x):
            y, z = both(x)
            return y
    Instead:
        def fn(x):
            return both(x)
    See: https://docs.jax.dev/en/latest/benchmarking.html
    """


@unseen("BM-SMALL", severity="performance", handled=True,
      why="the recommendation says that it holds for these sizes")  # fmt: skip
def small_inputs() -> None:
    """Small inputs measure the call.

    What happens: At 10 by 10 elements JAX and GPUs are ten times slower than NumPy.
    Why: Each call costs some 10 µs whatever it does.
    Example:
        fn(np.ones((10, 10)))
    Instead:
        fn(np.ones((2000, 2000)))
    See: https://docs.jax.dev/en/latest/faq.html
    """


@unseen("BM-FORK", severity="error", handled=True,
      why="workers are started anew and never forked")  # fmt: skip
def forking() -> None:
    """A forked process cannot use the device.

    What happens: After `os.fork` CUDA, JAX and OpenMP hang or fail.
    Why: Their threads do not exist in the child.
    Example:
        multiprocessing.get_context('fork')
    Instead:
        multiprocessing.get_context('spawn')
    See: https://numba.readthedocs.io/en/stable/user/faq.html
    """
