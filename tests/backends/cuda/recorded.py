"""What GPUs say of themselves (CUDA C++ Programming Guide, technical specifications per compute capability), and what
occupancy follows from it by NVIDIA's rules; limits that every launch has to keep."""

from __future__ import annotations

import dataclasses
import math


@dataclasses.dataclass(frozen=True)
class Gpu:
    """A multiprocessor's resources."""

    name: str
    threads: int
    blocks: int
    registers: int = 65536
    schedulers: int = 4

    def resident(self, block, registers):
        """Returns how many blocks of so many threads a multiprocessor holds at one time."""
        warps = -(-block // 32)
        warps = -(-warps // self.schedulers) * self.schedulers  # a block's warps are dealt to all schedulers
        given = -(-registers * 32 // 256) * 256
        room = self.registers // self.schedulers // given * self.schedulers
        return min(room // warps, self.threads // block, self.blocks)

    def busy(self, block, registers):
        """Returns the threads that are on a multiprocessor at one time."""
        return self.resident(block, registers) * block


GPUS = (
    Gpu("Tesla T4, 7.5", 1024, 16),
    Gpu("A100, 8.0", 2048, 32),
    Gpu("RTX 3090, 8.6", 1536, 16),
    Gpu("L4, 8.9", 1536, 24),
    Gpu("H100, 9.0", 2048, 32),
)


def allowed(grid, block):
    """Asserts that a GPU takes this launch."""
    grid, block = ((*one, 1, 1)[:3] for one in (grid, block))
    assert all(type(one) is int and one > 0 for one in (*grid, *block)), (grid, block)
    assert math.prod(block) <= 1024, block
    assert block[2] <= 64, block
    assert grid[0] < 2**31, grid
    assert max(grid[1:]) < 65536, grid
