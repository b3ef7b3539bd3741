"""How the libraries promote dtypes where they differ from NumPy.

Sources: JAX, "Type promotion semantics" (JEP 9407); PyTorch, "Tensor attributes: type promotion"; for Numba, what was
measured with version 0.68 against NumPy 2.4.

>>> jax_binary(["int32", "float32"])
'float32'
>>> torch_binary([("float32", 1), ("float64", 0)])
'float32'
"""

from __future__ import annotations

import numpy as np

_JAX_SMALL = ("bool", "int8", "int16", "int32", "uint8", "uint16", "uint32")


def _category(dtype: str) -> int:
    return {"b": 0, "i": 1, "u": 1, "f": 2, "c": 3}.get(np.dtype(dtype).kind, 4)


def jax_binary(dtypes: list[str]) -> str | None:
    """Returns JAX's result for an arithmetic operation of strongly typed operands, None where it agrees with NumPy.

    An integer never widens a float: ``int64 * float32`` is float32.
    """
    floats = [dtype for dtype in dtypes if _category(dtype) in (2, 3)]
    if not floats or len(floats) == len(dtypes):
        return None
    return np.result_type(*floats).name


def jax_inexact(dtypes: list[str]) -> str | None:
    """Returns JAX's result (with x64) where integers become floats: true division, ``sqrt``, ``mean``."""
    if any(_category(dtype) in (2, 3) for dtype in dtypes):
        return jax_binary(dtypes)
    widest = np.result_type(*dtypes).name
    return "float32" if widest in _JAX_SMALL else "float64"


def torch_binary(operands: list[tuple[str, int]]) -> str | None:
    """Returns torch's result for tensors given as (dtype, ndim); a 0-d tensor widens only to a higher category.

    None where a dtype is unknown to torch's rule.
    """
    vectors = [dtype for dtype, ndim in operands if ndim > 0]
    scalars = [dtype for dtype, ndim in operands if ndim == 0]
    if not vectors:
        return _torch_join(scalars)
    joined = _torch_join(vectors)
    if joined is None:
        return None
    higher = [dtype for dtype in scalars if _category(dtype) > _category(joined)]
    return _torch_join([*vectors, *higher]) if higher else joined


def _torch_join(dtypes: list[str]) -> str | None:
    floats = [dtype for dtype in dtypes if _category(dtype) in (2, 3)]
    if any(_category(dtype) == 4 for dtype in dtypes) or not dtypes:
        return None
    return np.result_type(*(floats or dtypes)).name
