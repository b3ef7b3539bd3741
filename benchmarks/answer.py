"""The time from Enter to the answer: the magic in a real IPython shell, cold and warm, and with a second of timing."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass

CELLS = {
    "cubic, 1e6 elements": "def fn(x):\n    return x + x*x + x*x*x\n\n"
    "x = np.random.default_rng(0).standard_normal((1000, 1000), dtype=np.float32)\nfn(x)\n",
    "cubic, 25e6 elements": "def fn(x):\n    return x + x*x + x*x*x\n\n"
    "x = np.random.default_rng(0).standard_normal((5000, 5000), dtype=np.float32)\nfn(x)\n",
}

CODE = """
import json, sys, time
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
shell.run_cell("import numpy as np")
shell.run_line_magic("load_ext", "jitmagic")
from jitmagic import comparison
through = comparison.compare_workload
figures = []
def noting(workload, options=None, progress=None, resized=None):
    def noted(event):
        if any(one.speedup for one in event.standings):
            figures.append(time.perf_counter())
    return through(workload, options, noted, resized)
comparison.compare_workload = noting
for state in ("cold", "warm", "warm", "warm --budget 1", "warm --budget 1"):
    figures.clear()
    start = time.perf_counter()
    result = shell.run_cell_magic("jitcompare", "-q -o " + state.partition(" ")[2], sys.argv[1])
    seconds = time.perf_counter() - start
    record = result.record
    print(json.dumps([state, seconds, figures[0] - start, record["options"]["budget"],
                      [v["verdict"] for v in record["variants"]]]), flush=True)
"""


@dataclass(frozen=True)
class Row:
    """One answer, in seconds.

    ``first`` is when the first speedups are shown, with their intervals, which the timing then narrows; ``timing`` is
    the budget that it could use.
    """

    case: str
    state: str
    first: float
    seconds: float
    timing: float


def rows() -> Iterator[Row]:
    """Yields the cold answer of each case, two warm ones, and two with a budget of one second."""
    for case, cell in CELLS.items():
        done = subprocess.run([sys.executable, "-c", CODE, cell], capture_output=True, text=True, check=True)
        for line in done.stdout.splitlines():
            if line.startswith("["):
                state, seconds, first, budget, _ = json.loads(line)
                yield Row(case, state, first, seconds, min(budget, seconds))
