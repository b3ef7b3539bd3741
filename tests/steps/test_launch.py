"""The host's share of a call apart from its device's, on a device that works while the host goes on."""

from __future__ import annotations

import importlib
import time

import numpy as np
import pytest

import jitmagic
from jitmagic import devices
from jitmagic.backends import all_backends
from jitmagic.backends.protocol import Availability
from tests.asynchronous import EMPTYING
from tests.fakes import FakeBackend, installed

BUSY = 0.03
SOURCE = """import time

from tests.asynchronous import asked


def fn(x):
    time.sleep({host})
    return asked(x, lambda a: a + a, {device})
"""


def double(x):
    return x + x


@pytest.fixture(scope="module")
def compared():
    sources = {"quick": SOURCE.format(host=0.0, device=BUSY), "asking": SOURCE.format(host=BUSY, device=1e-4)}
    fake = FakeBackend(
        "device", sources, runtime="tests.asynchronous:AsynchronousRuntime", present=Availability(True, kinds=("cuda",))
    )
    here = [*devices.devices(), {**devices.devices()[0], "name": "cuda:0", "title": "a stand-in"}]
    with installed(fake), pytest.MonkeyPatch.context() as patch:
        patch.setattr(devices, "devices", lambda: here)
        return jitmagic.compare(double, np.arange(1000.0), devices=["cuda:0"], budget=0.3)


def test_a_call_is_timed_until_its_device_is_done(compared):
    for variant in compared.values():
        if variant.name != "numpy":
            assert variant.verified is True, variant.reason
            assert variant.clocks["run"]["low"] >= BUSY
            assert variant.clocks["to_device"] is not None


def test_what_the_host_does_is_told_apart_from_what_the_device_does(compared):
    quick, asking = (compared[name].clocks for name in ("quick", "asking"))
    assert quick["enqueue"]["median"] < BUSY / 2
    assert quick["on_device"]["median"] == pytest.approx(BUSY, rel=0.2)
    assert asking["enqueue"]["median"] >= BUSY
    assert not {"enqueue", "on_device"} & set(compared["numpy"].clocks)


def test_a_device_that_waits_for_its_host_is_told(compared):
    assert not any("waits for the host" in note for note in compared["quick"].notes)
    assert any("the device waits for the host" in note for note in compared["asking"].notes)


def test_the_devices_own_caches_are_emptied_outside_the_clock():
    here = [*devices.devices(), {**devices.devices()[0], "name": "cuda:0", "title": "a stand-in"}]
    there = Availability(True, kinds=("cuda",))
    can = FakeBackend(
        "can", {"can": SOURCE.format(host=0.0, device=BUSY)},
        runtime="tests.asynchronous:AsynchronousRuntime", present=there,
    )  # fmt: skip
    cannot = FakeBackend(
        "cannot", {"cannot": "def fn(x):\n    return x + x\n"}, runtime="tests.fakes:AnyDevice", present=there
    )
    with installed(can, cannot), pytest.MonkeyPatch.context() as patch:
        patch.setattr(devices, "devices", lambda: here)
        began = time.monotonic()
        compared = jitmagic.compare(double, np.arange(1000.0), devices=["cuda:0"], budget=0.5, cold=True)
        seconds = time.monotonic() - began
    clock = compared["can"].clocks["run"]
    assert BUSY <= clock["median"] < BUSY + EMPTYING / 2
    assert seconds > clock["calls"] * (BUSY + EMPTYING)
    assert not any("were not emptied" in note for note in compared["can"].notes)
    assert any("were not emptied" in note for note in compared["cannot"].notes)


def test_no_backend_whose_arrays_are_elsewhere_is_taken_for_one_that_waits():
    for backend in all_backends().values():
        if "cuda" in backend.availability().kinds:
            module, _, name = backend.runtime.partition(":")
            runtime = getattr(importlib.import_module(module), name)
            assert not getattr(runtime, "synchronous", False), backend.name
