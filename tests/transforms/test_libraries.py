"""What JAX, PyTorch and Numba compute for a transformation, in this process, beside what it is on paper."""

import copy

import numpy as np
import pytest

from jitmagic.backends.jax.backend import JaxBackend
from jitmagic.backends.jax.runtime import JaxRuntime
from jitmagic.backends.numba.backend import NumbaBackend
from jitmagic.backends.numba.runtime import NumbaRuntime
from jitmagic.backends.protocol import VariantRefusal
from jitmagic.backends.torch.backend import TorchBackend
from jitmagic.backends.torch.runtime import TorchRuntime
from jitmagic.capture.function import from_function
from jitmagic.errors import Refusal
from jitmagic.measure.failures import failure_of, filename
from jitmagic.observe.run import observe
from jitmagic.transforms import workload as workloads
from jitmagic.transforms.transform import Transform
from tests.transforms import programs

pytestmark = pytest.mark.slow
RNG = np.random.default_rng(5)
X = RNG.normal(size=6)
M = RNG.normal(size=(4, 5))
LIBRARIES = {
    "jax": (JaxBackend, JaxRuntime), "torch": (TorchBackend, TorchRuntime), "numba": (NumbaBackend, NumbaRuntime)
}  # fmt: skip


def settled(library, kind, argument, function, *args, axis=None, compiled=False, **kwargs):
    """Returns by variant its result, or the reason why there is none; each goes down its ladder as in a comparison."""
    backend, runtime = (make() for make in LIBRARIES[library])
    runtime.start("cpu")
    asked = Transform(kind, argument, axis)
    whole = from_function(function, args, kwargs)
    given = workloads.given(asked, whole)
    seen = observe(
        given.module.text, given.function.name, dict(given.constants),
        lambda: (copy.deepcopy(given.args), copy.deepcopy(dict(given.kwargs))), given.argument_names,
    ).observation  # fmt: skip
    full = workloads.transformed(asked, whole, seen)
    found = {}
    for made in backend.transformed(asked, given, seen):
        if isinstance(made, VariantRefusal):
            if compiled or made.mode != "compile":
                found[made.variant] = made.refusal.reason
        elif made.mode != "compile" or compiled:
            found[made.variant] = _down_the_ladder(backend, runtime, given, seen, full, made)
    return found


def _down_the_ladder(backend, runtime, given, seen, full, draft):
    for _ in range(5):
        stage = "load"
        try:
            namespace = {name: full.constants[name] for name in full.needs}
            function = runtime.load(draft.module.text, filename(draft), draft.entry, namespace)
            stage = "check"
            args, kwargs = copy.deepcopy((full.args, dict(full.kwargs)))
            runtime.check(function, args, kwargs, draft.static)
            stage = "run"
            return runtime.to_host(function(*map(runtime.to_device, args), **{
                name: runtime.to_device(value) for name, value in kwargs.items()
            }))  # fmt: skip
        except Exception as error:
            answer = backend.revise(given, seen, draft, failure_of(error, stage, draft))
            if isinstance(answer, Refusal):
                return answer.reason
            draft = answer
    raise AssertionError("no rung holds")


def check(found, expected, but=()):
    assert found
    for name, result in found.items():
        if name not in but:
            assert not isinstance(result, str), (name, result)
            assert np.shape(result) == np.shape(expected), name
            np.testing.assert_allclose(result, expected, rtol=1e-10, atol=1e-12, err_msg=name)


@pytest.mark.parametrize("library", ["jax", "torch"])
@pytest.mark.parametrize(
    ("kind", "argument", "function", "args", "kwargs", "expected"),
    [
        ("grad", "x", programs.energy, (X, 2.0), {}, programs.energy_grad(X, 2.0)),
        ("grad", "k", programs.energy, (X, 2.0), {}, 0.5 * np.sum(np.diff(X) ** 2)),
        ("grad", "x", programs.by_name, (X,), {"k": 3.0}, 3 * np.cos(3 * X)),
        ("grad", "k", programs.by_name, (X,), {"k": 3.0}, np.sum(X * np.cos(3 * X))),
        ("grad", "x", programs.by_name, (), {"x": X}, 2 * np.cos(2 * X)),
        ("grad", "x", programs.rectified_cube, (2.0,), {}, 12.0),
        ("grad", "x", programs.rectified_cube, (-3.0,), {}, -27.0),
        ("grad", "x", programs.counted, (X, 6), {}, np.cos(X) * X + np.sin(X)),
        ("jacobian", "x", programs.curve, (X, 0.5), {}, programs.curve_jacobian(X, 0.5)),
        ("jacobian", "a", programs.curve, (X, 0.5), {}, -X * programs.curve(X, 0.5)),
        ("hessian", "x", programs.squares, (X,), {}, 2 * np.eye(6)),
        ("hessian", "x", programs.rectified_cube, (2.0,), {}, 12.0),
    ],
)
def test_every_way_gives_the_derivative(library, kind, argument, function, args, kwargs, expected):
    check(settled(library, kind, argument, function, *args, **kwargs), expected)


def test_the_ways_that_are_offered():
    found = settled("jax", "hessian", "x", programs.squares, X)
    assert list(found) == ["jax-fwd-rev", "jax-rev-rev", "jax-fwd-fwd"]
    found = settled("torch", "jacobian", "x", programs.curve, X, 0.5)
    assert list(found) == ["torch-reverse", "torch-forward", "torch-autograd", "torch-autograd-vmap"]


def test_single_precision_stays_single_in_reverse():
    x = X.astype(np.float32)
    for library in ("jax", "torch"):
        found = settled(library, "grad", "x", programs.squares, x)
        assert found[f"{library}-reverse"].dtype == np.float32
        np.testing.assert_allclose(found[f"{library}-reverse"], 2 * x, rtol=1e-6)


def test_a_while_loop_has_no_way_back_in_jax_and_a_way_forward():
    x = np.array([1.0, 0.3])
    found = settled("jax", "grad", "x", programs.until, x)
    assert "reverse mode cannot go back through a loop" in found["jax-reverse"]
    line = programs.until.__code__.co_firstlineno + 2
    assert found["jax-reverse"].startswith(f"line {line}: ")
    steps = 0
    total = x[0]
    while total < 100.0:
        total, steps = total * 1.5 + x[1], steps + 1
    exact = np.array([1.5**steps, (1.5**steps - 1) / 0.5])
    np.testing.assert_allclose(found["jax-forward"], exact, rtol=1e-12)
    check(settled("torch", "grad", "x", programs.until, x), exact)


def test_what_torch_compile_cannot_take_is_told_of_the_derivative_too():
    found = settled("torch", "grad", "x", programs.rectified_cube, 2.0, compiled=True)
    assert "branches on an array's value" in found["torch-reverse-compile"]


def test_numba_does_not_derive():
    assert settled("numba", "grad", "x", programs.squares, X) == {}


@pytest.mark.parametrize("library", ["jax", "torch", "numba"])
@pytest.mark.parametrize(
    ("argument", "function", "args", "axis", "kwargs"),
    [
        ("row", programs.shifted, (M, 2.0), 0, {}),
        ("row", programs.shifted, (M, 2.0), 1, {}),
        ("row", programs.shifted, (M,), -1, {"k": 3.0}),
        ("p", programs.distance, (M, M[0]), 0, {}),
        ("q", programs.distance, (M[0], M), 0, {}),
        ("x", programs.counted, (M, 5), 0, {}),
        ("x", programs.squares, (RNG.normal(size=(3, 2, 4)),), 1, {}),
    ],
)
def test_a_batch_is_the_loop(library, argument, function, args, axis, kwargs):
    found = settled(library, "vmap", argument, function, *args, axis=axis, **kwargs)
    whole = from_function(function, args, kwargs)
    batch = whole.argument_values()[whole.argument_names.index(argument)]
    values = dict(zip(whole.argument_names, whole.argument_values(), strict=True))
    slices = np.moveaxis(batch, axis, 0)
    # what is given by its name has no place among a ufunc's arguments
    named = {"numba-guvectorize"} if kwargs else set()
    assert {name for name, one in found.items() if isinstance(one, str)} == (named if library == "numba" else set())
    check(found, np.stack([function(**{**values, argument: one}) for one in slices]), but=named)


def test_branches_of_a_batch():
    v = np.linspace(0.0, 1.0, 9)
    exact = np.array([programs.branchy(one) for one in v])
    check(settled("jax", "vmap", "v", programs.branchy, v, axis=0), exact)
    check(settled("numba", "vmap", "v", programs.branchy, v, axis=0), exact)
    found = settled("torch", "vmap", "v", programs.branchy, v, axis=0)
    assert all("np.where" in reason for reason in found.values())
