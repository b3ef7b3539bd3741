"""Probes the variants of the corpus's functions and prints what is right with the example's arguments only.

``python -m benchmarks.probed [--backends numba jax] [--only NAME …] [--part k/n] [--seconds 20]``

Each variant gets the same time, which is far more than a comparison gives it: what stands here is either a limit that
the user is told of, or an error of the engine's.
"""

from __future__ import annotations

import argparse
import collections
import sys
import time

from jitmagic.capture.function import from_function
from jitmagic.errors import JitmagicError
from jitmagic.measure import pool as pools
from jitmagic.options import Options
from jitmagic.steps.run import Run
from tests.corpus.registry import Entry, entries


class _Probed(Run):
    """A comparison whose timing is one call, and whose probes have a time of their own."""

    seconds = 20.0

    def measure(self) -> None:
        for one in (self.baseline, *self.outcomes):
            if one.verdict is None and one.verified and one.built is not None:
                one.samples, one.calls = [one.built.second] * 5, 5
        self.timing_seconds = self.seconds


def main() -> int:
    """Prints the findings and their counts; returns 0."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.probed", description=__doc__)
    parser.add_argument("--backends", nargs="+", default=["numba", "jax", "torch"])
    parser.add_argument("--only", nargs="+", help="names of functions, or of fields")
    parser.add_argument("--part", default="0/1", help="k/n: every n-th function from the k-th")
    parser.add_argument("--seconds", type=float, default=20.0, help="for the probes of one function")
    options = parser.parse_args()
    _Probed.seconds = options.seconds
    chosen = [one for one in entries() if not options.only or {one.name, one.field} & set(options.only)]
    part, parts = map(int, options.part.split("/"))
    counts: collections.Counter[tuple[str, str, str]] = collections.Counter()
    clean: collections.Counter[tuple[str, bool]] = collections.Counter()
    for entry in chosen[part::parts]:
        _one(entry, options.backends, counts, clean)
    print("\nby variant, outcome and probe")
    for key, number in sorted(counts.items()):
        print(f"{number:6}  {'  '.join(key)}")
    print("\nvariants without and with a finding")
    for name in sorted({name for name, _ in clean}):
        print(f"{name:18}{clean[name, True]:6}{clean[name, False]:6}")
    pools.shutdown()
    return 0


def _one(entry: Entry, backends: list[str], counts: collections.Counter[tuple[str, str, str]],
         clean: collections.Counter[tuple[str, bool]]) -> None:  # fmt: skip
    start = time.monotonic()
    try:
        workload = from_function(entry.function, entry.args("small"), {})
        run = _Probed(workload, Options(backends=tuple(backends)))
        try:
            record = run.through()
        finally:
            run.close()
    except JitmagicError as error:
        print(f"{entry.name}: {error}", flush=True)
        return
    for warning in record["warnings"]:
        if "jitmagic itself" in warning:
            print(f"{entry.name}: {warning}", flush=True)
    for variant in record["variants"]:
        wrong = 0
        for one in variant.get("probes") or ():
            counts[variant["name"], one["outcome"], one["name"]] += 1
            if one["outcome"] not in ("agrees", "not run"):
                wrong += 1
                print(f"{entry.name}  {variant['name']}  {one['outcome']}  with {one['arguments']}: {one['detail']}")
        if variant.get("probes"):
            clean[variant["name"], not wrong] += 1
    print(f"{entry.name} done in {time.monotonic() - start:.1f} s", flush=True)


if __name__ == "__main__":
    sys.exit(main())
