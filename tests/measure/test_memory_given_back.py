"""Free memory is handed back between comparisons."""

import sys

import numpy as np
import psutil
import pytest

from jitmagic.measure.memory import give_back


# elsewhere give_back does nothing: there is no malloc_trim to call
@pytest.mark.skipif(sys.platform != "linux", reason="glibc's malloc only")
def test_what_was_freed_below_something_else_is_given_back():
    # 256 arrays of 100 kB, of which every second is freed: holes that no ordinary trimming returns
    arrays = [np.ones(100_000, np.uint8) for _ in range(2_560)]
    arrays = arrays[::2]
    before = psutil.Process().memory_info().rss
    give_back()
    assert before - psutil.Process().memory_info().rss > 50 * 2**20
    assert all(array.all() for array in arrays)
