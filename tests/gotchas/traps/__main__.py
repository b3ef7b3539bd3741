"""Runs the table of traps and prints it: ``python -m tests.gotchas.traps [CODE …]``."""

from __future__ import annotations

import collections
import sys

from jitmagic.measure import pool as pools
from tests.gotchas.traps.conduct import fate, problems
from tests.gotchas.traps.table import SILENT, TRAPS


def main() -> int:
    """Prints what became of each trap and the counts; returns 1 where a silent one is green."""
    chosen = [trap for trap in TRAPS if len(sys.argv) == 1 or trap.code in sys.argv[1:]]
    fates = []
    for trap in chosen:
        one = fate(trap)
        fates.append(one)
        print(f"{trap.code:<20}{trap.severity:<8}{one.what:<12}{' '.join(one.how.split())[:150]}", flush=True)
    pools.shutdown()
    for name, some in (("all", fates), ("silent", [one for one in fates if one.trap.severity == SILENT])):
        counts = collections.Counter(one.what for one in some)
        print(f"\n{len(some)} {name}: " + ", ".join(f"{number} {what}" for what, number in counts.most_common()))
    wrong = problems(fates)
    print("\n" + ("\n".join(wrong) or "none is green, and each has a rule or the reason why it has none"))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
