"""Two cases that the field reports: the Hessian of a sum of squares, and the cube of a number without its sign."""

import numpy as np
import pytest

import jitmagic
from tests.transforms import programs


def test_the_hessian_of_a_sum_of_squares():
    x = np.random.default_rng(0).normal(size=16)
    result = jitmagic.compare(programs.squares, x, hessian="x", backends=["jax", "torch"], budget=0.2)
    assert result.record["transform"]["undecided"] == 0
    for name in ("jax-fwd-rev", "jax-rev-rev", "torch-fwd-rev", "torch-autograd", "torch-autograd-vmap"):
        assert result[name].verified is True, (name, result[name].reason)
        assert result[name].speedup["median"] > 0
    np.testing.assert_array_equal(result["jax-fwd-rev"].build()(x), 2 * np.eye(16))
    # a page that runs without jitmagic holds them all
    assert "jax.jacfwd(jax.grad(squares))" in result.to_script()
    assert "squares_hessian" in result.to_notebook()


@pytest.mark.parametrize(("x", "exact"), [(2.0, 12.0), (-3.0, -27.0)])
def test_the_rectified_cube(x, exact):
    result = jitmagic.compare(programs.rectified_cube, x, grad="x", backends=["jax", "torch"], budget=0.2)
    for name in ("jax-reverse", "jax-forward", "torch-reverse", "torch-autograd"):
        assert result[name].verified is True, (name, result[name].reason)
    assert float(result["jax-reverse"].build()(x)) == pytest.approx(exact, rel=1e-14)
    assert result["numpy"].build()(x) == pytest.approx(exact, rel=1e-9)


def test_a_gradient_that_is_nan_where_the_value_is_right_is_caught_and_explained():
    x = np.array([1.0, -2.0, 3.0])
    result = jitmagic.compare(programs.roots, x, grad="x", backends=["jax"], budget=0.2)
    assert result["jax-reverse"].verdict == "differs"
    assert "nan" in result["jax-reverse"].reason
    assert result["jax-reverse"].next_step.startswith("likely AD-WHERE at line")
    # forward mode meets no infinity on its way
    assert result["jax-forward"].verified is True
