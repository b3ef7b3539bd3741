"""The time from Enter to the answer: the magic in a real IPython shell, cold and warm."""

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
for state in ("cold", "warm", "warm"):
    start = time.perf_counter()
    result = shell.run_cell_magic("jitcompare", "-q -o", sys.argv[1])
    seconds = time.perf_counter() - start
    record = result.record
    print(json.dumps([state, seconds, record["options"]["budget"],
                      [v["verdict"] for v in record["variants"]]]), flush=True)
"""


@dataclass(frozen=True)
class Row:
    """One answer, in seconds; ``timing`` is the budget that the timing itself could use."""

    case: str
    state: str
    seconds: float
    timing: float


def rows() -> Iterator[Row]:
    """Yields the cold answer and two warm ones of each case."""
    for case, cell in CELLS.items():
        done = subprocess.run([sys.executable, "-c", CODE, cell], capture_output=True, text=True, check=True)
        for line in done.stdout.splitlines():
            if line.startswith("["):
                state, seconds, budget, _ = json.loads(line)
                yield Row(case, state, seconds, min(budget, seconds))
