"""The table of promotions against JAX itself."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jitmagic.backends.jax.promotion import inexact, promoted, weakly

DTYPES = (
    "bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float16", "float32", "float64",
    "complex64", "complex128",
)  # fmt: skip


@pytest.fixture(autouse=True)
def in_64_bits():
    jax.config.update("jax_enable_x64", True)


@pytest.mark.parametrize(("a", "b"), list(itertools.combinations_with_replacement(DTYPES, 2)))
def test_two_arrays(a, b):
    assert promoted(a, b) == promoted(b, a) == jnp.promote_types(a, b).name


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("kind", "number"), [("int", 2), ("float", 2.5), ("complex", 1j)])
def test_an_array_and_a_python_number(dtype, kind, number):
    assert weakly(dtype, kind) == (jnp.ones(2, dtype) * number).dtype.name


@pytest.mark.parametrize("dtype", DTYPES)
def test_square_roots(dtype):
    assert inexact(dtype) == jnp.sqrt(jnp.ones(2, dtype)).dtype.name


def test_numpy_differs_where_casts_are_put():
    assert np.promote_types("int32", "float32").name == "float64" != promoted("int32", "float32")
