"""A batch in NumPy without a loop: what takes it at once gives what the loop gives, and what does not says why."""

import numpy as np
import pytest

from jitmagic.backends.cupy.backend import CupyBackend
from jitmagic.backends.numpy.backend import BROADCAST, NumpyBackend
from jitmagic.backends.protocol import VariantRefusal
from jitmagic.capture.function import from_function
from jitmagic.observe.run import observe
from jitmagic.transforms import workload as workloads
from jitmagic.transforms.transform import Transform
from tests.backends.cupy import stand_in

RNG = np.random.default_rng(8)
GRID = np.linspace(0.0, 2.0, 6)
RATES = RNG.uniform(0.5, 2.0, 4)
FIELDS = RNG.normal(size=(4, 6))


def decay(t, rate, start=1.0):
    return start * np.exp(-rate * t)


def saturation(rate):
    return np.where(rate > 1.0, 1.0, rate**2) + abs(rate - 1.0)


def _helper(a, b):
    return np.sqrt(a * a + b)


def summed_helper(t, rate):
    total = 0.0
    for order in range(3):
        total += _helper(rate, order) * t**order
    return total


def logistic(x, rate, steps):
    for _ in range(steps):
        x = rate * x * (1.0 - x)
    return x


def smooth(field, width):
    scale = np.sum(GRID)
    return np.clip(field / width, -scale, scale) * np.arange(6.0)


def complex_part(rate):
    wave = np.exp(1j * rate)
    return wave.real - wave.imag


def total_energy(t, rate):
    return np.sum(np.exp(-rate * t))


def branch(rate):
    if rate > 1.0:
        return rate
    return 1.0 / rate


def last(field):
    return field[-1] * 2.0


def stored(field):
    out = np.zeros(6)
    out[:] = field * 2.0
    return out


def matrix(field):
    return np.eye(6) @ field


def in_place(field):
    same = field.real
    same += 1.0
    return same * 2.0


def constant(rate):
    return GRID * 2.0


def largest(t, rate):
    return max(rate, 1.0) * t


def shaped(field):
    return field * field.shape[0]


def method(field):
    return field / field.max()


def both(rate):
    return 1.0 if rate > 0.9 and rate < 1.5 else rate


def written(asked, function, args, backend=NumpyBackend):
    whole = from_function(function, args, {})
    given = workloads.given(asked, whole)
    seen = observe(
        given.module.text, given.function.name, dict(given.constants), lambda: (given.args, dict(given.kwargs)),
        given.argument_names,
    ).observation  # fmt: skip
    (made,) = backend().transformed(asked, given, seen)
    return made, workloads.transformed(asked, whole, seen)


def called(text, entry, workload):
    namespace = {name: workload.constants[name] for name in workload.needs}
    exec(text, namespace)
    return namespace[entry](*workload.args, **workload.kwargs)


TAKEN = pytest.mark.parametrize(
    ("argument", "axis", "function", "args"),
    [
        ("rate", 0, decay, (GRID, RATES)),
        ("rate", 0, decay, (2.0, RATES, GRID)),
        ("t", 0, decay, (GRID, 0.5)),
        ("rate", 0, decay, (np.ones((2, 6)), RATES)),
        ("rate", 0, saturation, (RATES,)),
        ("rate", 0, summed_helper, (GRID, RATES)),
        ("x", 0, logistic, (RATES / 4, 3.0, 5)),
        ("rate", 0, logistic, (GRID / 2, RATES, 5)),
        ("field", 0, smooth, (FIELDS, 2.0)),
        ("field", 1, smooth, (np.ascontiguousarray(FIELDS.T), 2.0)),
        ("field", -1, smooth, (np.ascontiguousarray(FIELDS.T), 2.0)),
        ("width", 0, smooth, (GRID, RATES)),
        ("rate", 0, complex_part, (RATES,)),
        ("t", 0, summed_helper, (GRID, 1.5)),
    ],
)


@TAKEN
def test_cupy_takes_what_numpy_takes(argument, axis, function, args):
    made, loop = written(Transform("vmap", argument, axis), function, args, CupyBackend)
    assert made.variant == "cupy-broadcast"
    expected = called(loop.module.text, loop.function.name, loop)
    with stand_in.installed():
        namespace = {name: loop.constants[name] for name in made.needs}
        exec(made.module.text, namespace)
        result = stand_in.host(namespace[made.entry](*map(stand_in.device, loop.args)))
    np.testing.assert_allclose(result, expected, rtol=1e-14)


@TAKEN
def test_one_call_gives_what_the_loop_gives(argument, axis, function, args):
    made, loop = written(Transform("vmap", argument, axis), function, args)
    assert not isinstance(made, VariantRefusal), made.refusal
    assert made.variant == BROADCAST
    expected = called(loop.module.text, loop.function.name, loop)
    result = called(made.module.text, made.entry, loop)
    assert result.shape == expected.shape
    np.testing.assert_allclose(result, expected, rtol=1e-14)


@pytest.mark.parametrize(
    ("argument", "function", "args", "why"),
    [
        ("rate", total_energy, (GRID, RATES), "`np.sum(np.exp(-rate * t))` does not go element by element"),
        ("rate", branch, (RATES,), "a branch is taken by a value of each slice"),
        ("field", last, (FIELDS,), "`field[-1]` does not go element by element"),
        ("field", stored, (FIELDS,), "a part of an array is stored into"),
        ("field", matrix, (FIELDS,), "`np.eye(6) @ field` does not go element by element"),
        ("rate", constant, (RATES,), "what is returned does not come from the batch"),
        ("rate", largest, (GRID, RATES), "`max(rate, 1.0)` does not go element by element"),
        ("field", shaped, (FIELDS,), "`field.shape[0]` does not go element by element"),
        ("field", method, (FIELDS,), "`field.max()` does not go element by element"),
        ("field", in_place, (FIELDS,), "an array that may be the caller's is changed in place"),
        ("rate", both, (RATES,), "does not go element by element"),
    ],
)
def test_what_does_not_take_a_batch_says_so_with_its_line(argument, function, args, why):
    made, _ = written(Transform("vmap", argument, 0), function, args)
    assert isinstance(made, VariantRefusal)
    assert why in made.refusal.reason
    assert made.refusal.line is not None
    assert made.refusal.reason.startswith(f"line {made.refusal.line}: ")
