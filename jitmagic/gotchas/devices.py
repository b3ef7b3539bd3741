"""Devices: what happens on GPUs and TPUs only."""

from __future__ import annotations

from jitmagic.gotchas.registry import unseen


@unseen("GP-TF32JAX", severity="silent",
      why="it happens on NVIDIA GPUs only")  # fmt: skip
def tensor_floats() -> None:
    """Products of float32 are rounded to TF32.

    What happens: Matrix products are off by 1e-3 to 1e-2 on NVIDIA GPUs since Ampere.
    Why: The default precision is the fastest.
    Example:
        y = a @ b
    Instead:
        with jax.default_matmul_precision('highest'):
            y = a @ b
    See: https://docs.jax.dev/en/latest/_autosummary/jax.default_matmul_precision.html
    """


@unseen("GP-NONDET", severity="silent",
      why="it happens on GPUs only")  # fmt: skip
def unordered_sums() -> None:
    """Sums on a GPU differ from run to run.

    What happens: The last digits of scattered sums change.
    Why: Threads add in no fixed order.
    Example:
        h = h.at[idx].add(v)
    Instead:
        h = jax.ops.segment_sum(v[order], idx[order], n)
    See: https://docs.jax.dev/en/latest/_autosummary/jax.numpy.ndarray.at.html
    """


@unseen("TP-BF16", severity="silent",
      why="it happens on TPUs only")  # fmt: skip
def brain_floats() -> None:
    """Products of float32 are computed in bfloat16 on a TPU.

    What happens: Matrix products keep some three digits.
    Why: The default is one pass of the matrix unit.
    Example:
        c = jnp.matmul(a, b)
    Instead:
        c = jnp.matmul(a, b, precision="highest")
    See: https://docs.jax.dev/en/latest/_autosummary/jax.numpy.matmul.html
    """


@unseen("TP-F64", severity="error",
      why="it happens on TPUs only")  # fmt: skip
def doubles() -> None:
    """TPUs have no float64.

    What happens: It is emulated, or refused; complex128 and its transforms fail.
    Why: The hardware has single precision at most.
    Example:
        jnp.fft.fft(x128)
    Instead:
        jnp.fft.fft(x64.astype(jnp.complex64))
    See: https://github.com/jax-ml/jax/issues/10158
    """


@unseen("TP-LINALG", severity="error",
      why="it happens on GPUs and TPUs only")  # fmt: skip
def decompositions() -> None:
    """Some decompositions run on a CPU only.

    What happens: `jnp.linalg.eig` raises on GPUs and TPUs.
    Why: There is no such routine for them.
    Example:
        w, v = jnp.linalg.eig(a)
    Instead:
        w, v = np.linalg.eig(a)
    See: https://docs.jax.dev/en/latest/_autosummary/jax.numpy.linalg.eig.html
    """


@unseen("TP-PAD", severity="performance",
      why="it happens on TPUs only")  # fmt: skip
def padded_shapes() -> None:
    """Shapes are padded on a TPU.

    What happens: An array of 10 by 10 costs as much as one of 16 by 128.
    Why: The units work on tiles of 8 by 128.
    Example:
        x = jnp.ones((10, 10))
    Instead:
        x = jnp.ones((16, 128))
    See: https://docs.cloud.google.com/tpu/docs/performance-guide
    """
