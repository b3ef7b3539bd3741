"""Rows spread over several devices: the source, what is refused, and real runs on a CPU that JAX divides into four."""

import numpy as np
import pytest

from jitmagic.backends.jax.backend import JaxBackend
from jitmagic.backends.jax.sharding import cpu_devices
from jitmagic.capture.function import from_function
from jitmagic.comparison import compare_workload, shutdown
from jitmagic.options import Options
from jitmagic.steps.places import several


@pytest.fixture(scope="module", autouse=True)
def four_devices():
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JAX_NUM_CPU_DEVICES", "4")
        shutdown()  # a worker of another file's has one device
        yield
        shutdown()


def compared(function, *args, **kwargs):
    pytest.importorskip("jax")
    options = Options(budget=0.02, backends=("jax",))
    return dict(compare_workload(from_function(function, args, kwargs), options))


def damped(x, mass, steps, *, rate=0.1):
    # the user's comment
    v = np.zeros_like(x)
    for _ in range(steps):
        v -= rate * x / mass[:, None]
        x = x + rate * v
    return x


def polar(x, y):
    return np.hypot(x, y), np.arctan2(y, x)


def running_total(x):
    return np.cumsum(x, axis=0)


def total(x):
    return x.sum()


def centred(x):
    return x - x.mean(axis=0)


def padded(x, width):
    out = np.zeros((x.shape[0], width))
    out[:, :x.shape[1]] = x
    return out


def doubled(x):
    x *= 2.0
    return x


x, mass = np.linspace(0.1, 2.0, 120).reshape(40, 3), np.linspace(1.0, 3.0, 40)


def test_rows_of_a_map_lie_on_all_devices_and_the_result_is_numpy_s():
    one = compared(damped, x, mass, 5, rate=0.2)["jax-sharded"]
    assert one.verified
    assert one.clocks["run"]["median"] > 0
    assert "It runs on 4 devices at once, with as many rows of x, mass on each." in one.notes
    assert '''
mesh = jax.sharding.Mesh(jax.devices(), ("rows",))
rows = jax.sharding.NamedSharding(mesh, jax.sharding.PartitionSpec("rows"))


def damped_sharded(x, mass, steps, *, rate=0.1):
    """damped with the rows of x and mass spread over all devices."""
    x, mass = jax.device_put((x, mass), rows)
    return damped(x, mass, steps, rate=rate)
''' in one.source
    assert "# the user's comment" in one.source


@pytest.mark.parametrize("function", [polar, centred])
def test_several_results_and_sums_that_devices_join(function):
    args = (x, x[::-1]) if function is polar else (x,)
    assert compared(function, *args)["jax-sharded"].verified


def test_rows_that_need_each_other_are_left_on_one_device_with_the_reason():
    found = compared(running_total, x)
    assert found["jax"].verified
    assert found["jax-sharded"].verdict == "unsupported"
    assert "its rows are not independent" in found["jax-sharded"].reason
    assert "all-gather" in found["jax-sharded"].reason


def test_rows_that_cannot_be_shared_equally_are_counted():
    one = compared(centred, x[:-1])["jax-sharded"]
    assert one.verdict == "unsupported"
    assert "39 rows on 4 devices are not as many on each; pad x until they are" in one.reason


def test_what_jax_needs_as_a_constant_is_one_here_too():
    one = compared(padded, x, 7)["jax-sharded"]
    assert one.verified
    assert 'static_argnames=("width",)' in one.source or 'static_argnames="width"' in one.source


@pytest.mark.parametrize("function", [total, doubled])
def test_without_rows_in_the_result_or_with_arguments_that_are_written_there_is_none(function):
    assert "jax-sharded" not in compared(function, x.copy())


def test_a_cpu_that_is_one_device_has_none(monkeypatch):
    monkeypatch.delenv("JAX_NUM_CPU_DEVICES")
    assert cpu_devices() == 1
    assert several(JaxBackend(), "cpu", [{"name": "cpu"}]) == 1


def test_all_gpus_come_with_the_first():
    found = [{"name": name} for name in ("cpu", "cuda:0", "cuda:1", "tpu:0")]
    assert [several(JaxBackend(), place, found) for place in ("cuda:0", "cuda:1", "tpu:0")] == [2, 1, 1]
    assert several(object(), "cuda:0", found) == 1
