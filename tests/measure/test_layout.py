"""Where a process's memory lies is drawn, and the user's environment is as it was."""

import os
import subprocess
import sys

import psutil

from jitmagic.backends import all_backends
from jitmagic.measure import layout
from jitmagic.measure.pool import Pool

_WHERE = """
from jitmagic.measure import layout
layout.shift_heap()
import numpy as np
print(np.empty(5000).ctypes.data % 4096)
"""
"""Within a page, which the system itself does not draw."""


def test_arrays_lie_elsewhere_in_each_process():
    run = [sys.executable, "-c", _WHERE]
    places = {subprocess.run(run, capture_output=True, text=True, check=True).stdout for _ in range(5)}
    assert len(places) > 1


def test_workers_begin_with_a_stack_of_their_own():
    environment = dict(os.environ)
    numpy, pool = all_backends()["numpy"], Pool()
    lengths = set()
    try:
        for _ in range(5):
            worker = pool.worker(numpy, "cpu", 60.0)
            lengths.add(len(psutil.Process(worker.pid).environ()[layout.VARIABLE]))
            pool.end(numpy, "cpu")
    finally:
        pool.shutdown()
    assert len(lengths) > 1
    assert dict(os.environ) == environment
