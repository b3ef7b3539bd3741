"""Peaks of memory: of functions whose peak is known, and of GPUs' allocators by stand-ins."""

import sys

import numpy as np
import pytest

import jitmagic
from jitmagic.backends.cupy.runtime import _device_peak
from jitmagic.backends.jax import runtime as of_jax
from jitmagic.backends.torch import runtime as of_torch
from jitmagic.measure import pool
from tests.fakes import FakeBackend, installed

THREADS = """import threading
import numpy as np


def fn(x):
    found = []
    together = threading.Barrier(4)

    def go(number):
        a = np.full(len(x), float(number))
        together.wait()
        found.append(a[0])

    threads = [threading.Thread(target=go, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return x[0] + sum(found) - 6.0
"""


def first(x):
    return x[0]


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a process's peak")
@pytest.mark.parametrize(
    ("source", "size", "arrays"),
    [
        ("def fn(x):\n    return x[0]\n", 4_000_000, 0),
        ("def fn(x):\n    parts = [x + i for i in range(40)]\n    return parts[0][0]\n", 100_000, 40),
        ("def fn(x):\n    a = x + 1\n    b = a * 2\n    return b[0] / 2 - 1\n", 2_000_000, 2),
        ("def fn(x):\n    a = x + 1\n    b = a * 2\n    return b[0] / 2 - 1\n", 8_000_000, 2),
        ("def fn(x):\n    for i in range(5):\n        a = x + i\n        del a\n    return x[0]\n", 2_000_000, 1),
        (THREADS, 1_000_000, 4),
    ],
    ids=["nothing", "many small", "two from the heap", "two mapped", "freed between", "in threads"],
)
def test_the_peak_is_what_lives_at_one_time(source, size, arrays):
    with installed(FakeBackend("one", {"v": source})):
        result = jitmagic.compare(first, np.ones(size), budget=0.02)
    pool.shutdown()
    assert result["v"].verified is True, result["v"].reason
    expected = arrays * 8 * size
    assert result["v"].memory["host_peak"] == pytest.approx(expected, rel=0.05, abs=600_000)
    assert result["v"].memory["device_peak"] is None


def test_the_result_belongs_to_the_peak():
    def doubled(x):
        return x * 2.0

    with installed(FakeBackend("one", {"v": "def fn(x):\n    return x * 2.0\n"})):
        result = jitmagic.compare(doubled, np.ones(1_000_000), budget=0.02)
    pool.shutdown()
    if sys.platform == "linux":
        assert result["v"].memory["host_peak"] == pytest.approx(8_000_000, rel=0.05, abs=200_000)
    assert result.record["workload"]["result"]["bytes"] == 8_000_000


class Cuda:
    """torch.cuda's counters."""

    def __init__(self):
        self.now, self.mark, self.told = 100, 900, []

    def synchronize(self, device):
        self.told.append(device)

    def reset_peak_memory_stats(self, device):
        self.mark = self.now

    def memory_allocated(self, device):
        return self.now

    def max_memory_allocated(self, device):
        return self.mark


def test_torchs_peak_begins_anew():
    cuda = Cuda()
    with of_torch.DevicePeak(cuda, "cuda:0") as meter:
        cuda.now, cuda.mark = 150, 350
    assert meter.peak == 250
    assert cuda.told == ["cuda:0", "cuda:0"]


class Device:
    """A device of JAX: its mark only rises."""

    def __init__(self, stats):
        self.stats = stats

    def memory_stats(self):
        return self.stats and dict(self.stats)


def test_jaxs_peak_is_known_only_where_its_mark_rose():
    device = Device({"bytes_in_use": 100, "peak_bytes_in_use": 500})
    with of_jax.DevicePeak(device) as meter:
        device.stats["peak_bytes_in_use"] = 700
    assert meter.peak == 600
    with of_jax.DevicePeak(device) as meter:
        pass
    assert meter.peak is None
    with of_jax.DevicePeak(Device(None)) as meter:
        pass
    assert meter.peak is None


def test_cupys_peak_follows_each_block():
    class Hook:
        def __enter__(self):
            return self

        def __exit__(self, *error):
            return None

    with _device_peak(Hook) as meter:
        meter.malloc_postprocess(device_id=0, size=3, mem_size=512, mem_ptr=1, pmem_id=1)
        meter.malloc_postprocess(device_id=0, size=3, mem_size=512, mem_ptr=2, pmem_id=2)
        meter.free_postprocess(device_id=0, mem_size=512, mem_ptr=1, pmem_id=1)
        meter.malloc_postprocess(device_id=0, size=3, mem_size=256, mem_ptr=3, pmem_id=3)
    assert meter.peak == 1024
