"""The time of ``%load_ext jitmagic`` in fresh processes, IPython's own start left out."""

from __future__ import annotations

import subprocess
import sys

CODE = """
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
import time
start = time.perf_counter()
shell.run_line_magic("load_ext", "jitmagic")
print(time.perf_counter() - start)
"""


def times(count: int = 7) -> list[float]:
    """Returns seconds, one a process; the first process, which may read a cold disk, is left out."""
    found = []
    for _ in range(count + 1):
        done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=True)
        found.append(float(done.stdout.split()[-1]))
    return found[1:]
