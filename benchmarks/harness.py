"""What measuring costs beyond the calls that are measured: ``python -m benchmarks.harness [--budget 5]``.

For each example and each variant that can be built here: the seconds that its samples took in all but the first, which
brings the arguments to their place; those of the timed calls; and those of the calls made untimed before them to fill
the caches again. The rest is the harness: the way to a worker and back, and for a function that writes into its
arguments, putting them back before each call, which costs what a copy of them costs.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from benchmarks.fairness import CASES, EXAMPLES, VARIANTS
from jitmagic.backends import all_backends
from jitmagic.backends.protocol import Draft
from jitmagic.capture.file import from_file
from jitmagic.errors import WorkerError
from jitmagic.measure.bench import Bench
from jitmagic.measure.pool import Pool
from jitmagic.measure.rounds import Plan, Sampler, run_rounds

WANTED = 0.10
"""Share of the calls' time, timed and untimed."""


@dataclass
class Cost:
    """Seconds of one variant's samples: all, in timed calls, in untimed calls."""

    case: str
    variant: str
    writes: bool = False
    whole: float = 0.0
    timed: float = 0.0
    untimed: float = 0.0

    @property
    def share(self) -> float:
        """Returns the harness's seconds over those of the calls."""
        return (self.whole - self.timed - self.untimed) / max(self.timed + self.untimed, 1e-9)


def rows(budget: float) -> Iterator[Cost]:
    """Yields the cost of each variant of each example."""
    numpy = all_backends()["numpy"]
    for case in CASES:
        workload = from_file(EXAMPLES / case)
        pool = Pool()
        bench = Bench(workload, pool, timeout=120.0)
        try:
            observed = bench.observe(numpy, 10.0, 600.0)
            samplers: dict[str, Sampler] = {}
            estimates: dict[str, float] = {}
            costs: dict[str, Cost] = {}
            for name, backend in all_backends().items():
                if name == "cupy" or not backend.availability().installed:
                    continue
                for draft in backend.drafts(workload, observed):
                    if not isinstance(draft, Draft) or draft.variant not in VARIANTS:
                        continue
                    built = bench.build(backend, "cpu", draft)
                    if built.finding is not None and built.finding.ok:
                        costs[draft.variant] = Cost(case, draft.variant, bool(observed.mutated))
                        estimates[draft.variant] = built.second
                        samplers[draft.variant] = _counted(bench, draft.variant, built.second, costs[draft.variant])
            plan = Plan(budget=budget, margin=0.0, close=0.0)
            run_rounds(samplers, estimates, "numpy", plan, failures=(WorkerError,))
            yield from costs.values()
        finally:
            bench.close()
            pool.shutdown()


def _counted(bench: Bench, variant: str, estimate: float, cost: Cost) -> Sampler:
    first = True
    before: list[float] = []
    # the calls that fill the caches again take longer than those after them
    sampler = bench.sampler(variant, estimate, untimed=before.append)

    def sample(calls: int, warm: int) -> float:
        nonlocal first
        began = time.perf_counter()
        seconds = sampler(calls, warm)
        if first:
            first = False
            return seconds
        cost.whole += time.perf_counter() - began
        cost.timed += seconds * calls
        cost.untimed += before[-1]
        return seconds

    return sample


def main() -> int:
    """Prints a line a variant; returns 1 where the harness costs more than is wanted."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.harness", description=__doc__)
    parser.add_argument("--budget", type=float, default=5.0, help="seconds for the rounds of one example")
    return 0 if said(parser.parse_args().budget) else 1


def said(budget: float = 5.0, say: Callable[[str], None] | None = None) -> bool:
    """Says a line a variant; returns whether the harness costs as little as is wanted."""
    say = say or (lambda text: print(text, flush=True))
    over = 0
    for cost in rows(budget):
        over += cost.share > WANTED and not cost.writes
        say(f"  {cost.case:<22} {cost.variant:<16} {cost.whole:>6.2f} s: timed {cost.timed / cost.whole:>4.0%}, "
            f"untimed calls {cost.untimed / cost.whole:>4.0%}, the harness {cost.share:>5.1%} of both"
            f"{', arguments put back' if cost.writes else ''}")  # fmt: skip
    say(f"  {over} over {WANTED:.0%}, of functions that leave their arguments alone")
    return not over


if __name__ == "__main__":
    sys.exit(main())
