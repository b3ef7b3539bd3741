"""Prints what probing costs: for functions of the corpus, how long it took beside how long it was allowed to.

``python -m benchmarks.probing [--count 20] [--only NAME …] [--budget 10] [--backends numba jax torch]``

Probing may take as long as the timing took. The functions are spread over the corpus's fields.
"""

from __future__ import annotations

import argparse
import sys

from jitmagic.capture.function import from_function
from jitmagic.comparison import compare_workload
from jitmagic.errors import JitmagicError
from jitmagic.measure import pool as pools
from jitmagic.options import Options
from tests.corpus.registry import entries


def main() -> int:
    """Prints a line a function; returns 1 where probing took longer than it was allowed to."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.probing", description=__doc__)
    parser.add_argument("--count", type=int, default=20, help="of functions")
    parser.add_argument("--only", nargs="+", help="names of functions")
    parser.add_argument("--budget", type=float, default=Options().budget, help="seconds for the timing of one")
    parser.add_argument("--backends", nargs="+", default=["numba", "jax", "torch"])
    options = parser.parse_args()
    every = [one for one in entries() if not options.only or one.name in options.only]
    over = 0
    print(f"{'function':32}{'probing':>9}{'allowed':>9}{'share':>8}{'run':>6}{'left out':>10}")
    for entry in every[:: max(1, len(every) // options.count)][: options.count]:
        try:
            workload = from_function(entry.function, entry.args("medium"), {})
            record = compare_workload(
                workload, Options(backends=tuple(options.backends), budget=options.budget)
            ).record
        except JitmagicError as error:
            print(f"{entry.name:32}{str(error).splitlines()[0]}")
            continue
        cost = record["probing"]
        if cost is None:
            print(f"{entry.name:32}  nothing to probe")
            continue
        outcomes = [one["outcome"] for variant in record["variants"] for one in variant.get("probes") or ()]
        left = outcomes.count("not run")
        share = cost["seconds"] / max(cost["allowed"], 1e-9)
        over += share > 1
        seconds = f"{cost['seconds']:8.1f}s{cost['allowed']:8.1f}s{share:8.0%}"
        print(f"{entry.name:32}{seconds}{len(outcomes) - left:6}{left:10}", flush=True)
    pools.shutdown()
    print(f"\n{over} took longer than the timing")
    return 1 if over else 0


if __name__ == "__main__":
    sys.exit(main())
