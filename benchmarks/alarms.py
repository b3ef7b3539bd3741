"""Counts the gotchas that stand as *possible* on the corpus's functions: a warning that is not true costs trust.

``python -m benchmarks.alarms [--part k/n]``

Each function is observed and none is compared, so that nothing settles a warning. What is printed has to be judged by
reading it; fewer than one function in twenty may carry one at all.
"""

from __future__ import annotations

import argparse
import collections
import sys

from jitmagic.capture.function import from_function
from jitmagic.errors import JitmagicError
from jitmagic.gotchas.registry import find
from jitmagic.measure import pool as pools
from jitmagic.options import Options
from jitmagic.steps import observing
from jitmagic.steps.run import Run
from tests.corpus.registry import entries

WANTED = 1 / 20


def main() -> int:
    """Prints each possible gotcha and the share of functions that have one; returns 1 where it is too large."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.alarms", description=__doc__)
    parser.add_argument("--part", default="0/1", help="k/n: every n-th function from the k-th")
    part, parts = map(int, parser.parse_args().part.split("/"))
    codes: collections.Counter[str] = collections.Counter()
    seen = warned = 0
    for entry in list(entries())[part::parts]:
        try:
            workload = from_function(entry.function, entry.args("small"), {})
            run = Run(workload, Options(backends=("numba",)))
            try:
                observing.observe(run)
                found = find(workload, run.seen())
            finally:
                run.close()
        except JitmagicError as error:
            print(f"{entry.name}: {error}")
            continue
        seen += 1
        possible = [one for one in found if one.status == "possible" and not one.handled]
        warned += bool(possible)
        for one in possible:
            codes[one.code] += 1
            print(f"{entry.name}, line {one.line}: {one.code}: {one.message}")
    pools.shutdown()
    print(f"\n{warned} of {seen} functions have a possible gotcha ({warned / max(seen, 1):.1%}); wanted: under "
    f"{WANTED:.0%}")
    for code, number in codes.most_common():
        print(f"{number:6}  {code}")
    return 1 if warned > WANTED * seen else 0


if __name__ == "__main__":
    sys.exit(main())
