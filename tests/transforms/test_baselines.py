"""The NumPy functions that a transformation is compared with, as they are written and as they compute."""

import numpy as np
import pytest

from jitmagic.capture.function import from_function
from jitmagic.observe.facts import Observation
from jitmagic.transforms import workload as workloads
from jitmagic.transforms.transform import Transform
from tests.transforms import programs

RNG = np.random.default_rng(3)
X = RNG.normal(size=7)


def transformed(kind, argument, function, *args, axis=None, **kwargs):
    asked = Transform(kind, argument, axis)
    workload = from_function(function, args, kwargs)
    seen = Observation(0.0, False, None, None, (), None, (), (), "", False, (), (), {})
    return workloads.transformed(asked, workload, seen)


def called(workload):
    namespace = {name: workload.constants[name] for name in workload.needs}
    exec(workload.module.text, namespace)
    return namespace[workload.function.name](*workload.args, **workload.kwargs)


@pytest.mark.parametrize(
    ("kind", "argument", "function", "args", "kwargs", "expected"),
    [
        ("grad", "x", programs.energy, (X, 2.0), {}, programs.energy_grad(X, 2.0)),
        ("grad", "k", programs.energy, (X, 2.0), {}, 0.5 * np.sum(np.diff(X) ** 2)),
        ("grad", "x", programs.by_name, (X,), {"k": 3.0}, 3 * np.cos(3 * X)),
        ("grad", "k", programs.by_name, (X,), {"k": 3.0}, np.sum(X * np.cos(3 * X))),
        ("grad", "x", programs.by_name, (), {"x": X}, 2 * np.cos(2 * X)),
        ("grad", "x", programs.rectified_cube, (2.0,), {}, 12.0),
        ("grad", "x", programs.squares, (X.reshape(7, 1),), {}, 2 * X.reshape(7, 1)),
        ("jacobian", "x", programs.curve, (X, 0.5), {}, programs.curve_jacobian(X, 0.5)),
        ("jacobian", "a", programs.curve, (X, 0.5), {}, -X * programs.curve(X, 0.5)),
        ("hessian", "x", programs.squares, (X,), {}, 2 * np.eye(7)),
        ("hessian", "x", programs.rectified_cube, (2.0,), {}, 12.0),
    ],
)
def test_the_differences_are_the_derivative(kind, argument, function, args, kwargs, expected):
    made = transformed(kind, argument, function, *args, **kwargs)
    result = called(made)
    assert np.shape(result) == np.shape(expected)
    np.testing.assert_allclose(result, expected, rtol=1e-5, atol=1e-5)
    assert made.function.name == f"{function.__name__}_{kind}"


@pytest.mark.parametrize("kind", ["grad", "hessian"])
def test_single_precision_is_derived_in_double_and_given_back_single(kind):
    x = X.astype(np.float32)
    result = called(transformed(kind, "x", programs.squares, x))
    assert result.dtype == np.float32
    exact = 2 * x if kind == "grad" else 2 * np.eye(7)
    np.testing.assert_allclose(result, exact, rtol=1e-5, atol=1e-5)
    one = called(transformed(kind, "x", programs.rectified_cube, np.float32(2.0)))
    assert (one.dtype, float(one)) == (np.float32, pytest.approx(12.0, rel=1e-6))


def test_the_argument_stays_as_it_was():
    x = X.copy()
    for kind in ("grad", "hessian"):
        called(transformed(kind, "x", programs.squares, x))
    assert (x == X).all()


def test_elements_of_every_size_have_steps_of_their_own():
    x = np.array([1e-9, 2e-9, 1.5e-9])
    np.testing.assert_allclose(called(transformed("grad", "x", programs.squares, x)), 2 * x, rtol=1e-6)


@pytest.mark.parametrize("axis", [0, 1, -1, -2])
def test_the_loop_takes_the_slices_of_an_axis(axis):
    batch = RNG.normal(size=(3, 5))
    result = called(transformed("vmap", "row", programs.shifted, batch, 2.0, axis=axis))
    slices = np.moveaxis(batch, axis, 0)
    np.testing.assert_array_equal(result, np.stack([programs.shifted(one, 2.0) for one in slices]))


def test_a_name_that_is_taken_is_not_taken_twice():
    namespace = {}
    exec("def f(x):\n    f_grad = x * x\n    return f_grad\n", namespace)
    source = "def f(x):\n    f_grad = x * x\n    return f_grad\n"
    from jitmagic.capture.workload import SourceFunction

    workload = from_function(namespace["f"], (2.0,), {}, sources={"f": SourceFunction("f", source, 1, "cell")})
    seen = Observation(0.0, False, None, None, (), None, (), (), "", False, (), (), {})
    made = workloads.transformed(Transform("grad", "x"), workload, seen)
    assert made.function.name == "f_grad_"
    assert called(made) == pytest.approx(4.0)


def test_lines_of_the_user_keep_their_numbers():
    made = transformed("grad", "x", programs.rectified_cube, 2.0)
    plain = from_function(programs.rectified_cube, (2.0,))
    own = [line for line in made.module.lines if line is not None]
    assert own == [line for line in plain.module.lines if line is not None]
    text = made.module.text.splitlines()
    assert len(text) == len(made.module.lines)
