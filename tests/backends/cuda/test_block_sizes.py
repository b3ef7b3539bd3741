"""Blocks of kernels with one to three axes: their size by occupancy, their shape by what is side by side in memory."""

from __future__ import annotations

import functools
import math
import types

import pytest

from jitmagic.backends.cuda import cxx_source, numba_source
from tests.backends.cuda import recorded


def helpers(texts, **known):
    scope = {"math": math, "functools": functools, **known}
    for text in texts:
        exec(text, scope)
    return scope


grid_of = helpers([numba_source.Writer.helpers["grid_of"]])["grid_of"]


class Kernel:
    """Numba's: as many registers as it is said to need."""

    def __init__(self, registers):
        self.registers, self.launched = registers, []

    def specialize(self, *values):
        return self

    def get_regs_per_thread(self):
        return self.registers

    def __getitem__(self, configuration):
        recorded.allowed(*configuration)
        return lambda *values: self.launched.append(configuration)


def by_numba(gpu, registers, *extents):
    device = types.SimpleNamespace(MAX_REGISTERS_PER_MULTIPROCESSOR=gpu.registers)
    cuda = types.SimpleNamespace(get_current_device=lambda: device)
    scope = helpers([numba_source.Writer.helpers[one] for one in ("grid_of", "run_all")], cuda=cuda)
    kernel = Kernel(registers)
    scope["run_all"](kernel, extents, "values")
    return kernel.launched


def by_cuda_python(gpu, registers, *extents):
    launched = []
    occupancy = types.SimpleNamespace(
        max_active_blocks_per_multiprocessor=lambda threads, shared: gpu.resident(threads, registers)
    )
    scope = helpers(
        [cxx_source._CxxWriter.helpers[one] for one in ("grid_of", "run_all")],
        compiled=lambda name: types.SimpleNamespace(occupancy=occupancy),
        run=lambda name, blocks, threads, *values: launched.append((blocks, threads)),
    )
    scope["run_all"]("kernel", extents, "values")
    return launched


@pytest.mark.parametrize("launches", [by_numba, by_cuda_python])
@pytest.mark.parametrize("gpu", recorded.GPUS, ids=lambda gpu: gpu.name)
def test_no_other_size_keeps_more_threads_on_a_multiprocessor(gpu, launches):
    for registers in range(16, 256):
        ((_, shape),) = launches(gpu, registers, 1000, 1000)
        best = max(gpu.busy(size, registers) for size in range(32, 1025, 32))
        assert gpu.busy(math.prod(shape), registers) == best, registers


@pytest.mark.parametrize("launches", [by_numba, by_cuda_python])
def test_blocks_are_smaller_where_registers_leave_room_for_more_of_those(launches):
    h100 = recorded.GPUS[-1]
    assert launches(h100, 32, 1000, 1000) == [((32, 125), (32, 8))]
    assert launches(h100, 72, 1000, 1000) == [((32, 250), (32, 4))]  # 7 blocks of 128, or 3 of 256
    assert launches(h100, 32, 10**6) == [((3907,), (256,))]
    assert launches(h100, 72, 10**6) == [((7813,), (128,))]


@pytest.mark.parametrize("launches", [by_numba, by_cuda_python])
@pytest.mark.parametrize("extents", [(0,), (5, 0), (-1, 4), (3, 0, 3)])
def test_nothing_is_launched_for_no_steps(launches, extents):
    assert launches(recorded.GPUS[0], 40, *extents) == []


@pytest.mark.parametrize(("extents", "shape"), [
    ((1000, 1000), (32, 8)),
    ((40, 1000, 1000), (32, 8, 1)),
    ((10**6, 3), (4, 64)),  # a short last axis: rows side by side are side by side in memory too
    ((10**6, 2, 2), (2, 2, 64)),
    ((3, 10**6), (64, 4)),  # a short first axis: what it leaves goes to x
    ((2, 2, 1000), (64, 2, 2)),
    ((10**6, 1, 1), (4, 1, 64)),  # a block has at most 64 threads along z
    ((1, 1), (256, 1)),
    ((77,), (256,)),
])  # fmt: skip
def test_the_last_axis_lies_along_x(extents, shape):
    blocks, threads = grid_of(256, *extents)
    assert threads == shape
    recorded.allowed(blocks, threads)
    assert all(b * t >= e for b, t, e in zip(blocks, threads, reversed(extents), strict=True))


def test_every_launch_is_allowed_and_has_all_threads():
    sizes = (1, 2, 3, 31, 32, 33, 64, 1000, 10**5, 10**7)
    for threads in (128, 256):
        for a in sizes:
            for b in sizes:
                for extents in ((a,), (a, b), *((a, b, c) for c in sizes)):
                    blocks, shape = grid_of(threads, *extents)
                    recorded.allowed(blocks, shape)
                    assert math.prod(shape) == threads


def test_totals_have_at_most_so_many_blocks():
    for extents in ((10**7,), (10**6, 3), (3, 10**6), (1000, 1000), (100, 100, 100), (5, 7)):
        blocks, shape = grid_of(256, *extents, most=1024)
        assert math.prod(shape) == 256
        steps = [-(-extent // size) for extent, size in zip(reversed(extents), shape, strict=True)]
        assert min(1024, math.prod(steps)) / 2 < math.prod(blocks) <= 1024
