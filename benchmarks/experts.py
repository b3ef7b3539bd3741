"""Our generated forms against an expert's hand-written versions, and the recommendation against NumPy.

``python -m benchmarks.experts [--only NAME …] [--size large] [--libraries numba jax] [--json FILE]``

Each function goes through ``jitmagic.compare`` first, as a user's would. Then, in one fresh process a library, every
verified form and the expert's version are built twice (the second time with a warm compiler: the lesser one counts) and
called in turn, so that what slows the machine down hits both.
"""

from __future__ import annotations

import argparse
import ast
import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

import jitmagic
from jitmagic.comparison import Comparison, shutdown
from jitmagic.measure.process import STEADY_MALLOC
from jitmagic.measure.statistics import ratio_interval
from tests.corpus.registry import Entry, entries
from tests.corpus.sizes import SIZES

LIBRARIES = ("numba", "jax")
RATIO, WORST, BUILD = 0.9, 1.5, 2.0
"""Wanted: our time over the expert's as a geometric mean, at the worst, and the same of the time to build."""

NOISE = 1.05
"""A recommended variant may look this much slower than NumPy by noise."""


@dataclass(frozen=True)
class Row:
    """One function in one library.

    Attributes
    ----------
    form : str
        Our fastest verified variant; empty where there is none, with the reason.
    ours, expert : float
        Seconds a call: medians.
    ratio, low, high : float
        Ours over the expert's, with the interval of about 95 %.
    build, expert_build : float
        Seconds from the source to the end of the first call, less a call.
    numpy : float
        Seconds a call of NumPy in the same process.
    """

    name: str
    library: str
    form: str
    ours: float = float("nan")
    expert: float = float("nan")
    ratio: float = float("nan")
    low: float = float("nan")
    high: float = float("nan")
    build: float = float("nan")
    expert_build: float = float("nan")
    numpy: float = float("nan")
    reason: str = ""


def names(library: str) -> list[str]:
    """Returns the functions of which there is an expert's version, without importing the library."""
    tree = ast.parse((Path(__file__).parent / "expert" / f"with_{library}.py").read_text())
    known = {entry.name for entry in entries()}
    return [n.name for n in tree.body if isinstance(n, ast.FunctionDef) and n.name in known]


def rows(
    chosen: Sequence[Entry], size: str, libraries: Iterable[str], rounds: int
) -> Iterator[Row | tuple[str, float]]:
    """Yields a row for each function and library, and before them ``(name, speedup)`` for a bad recommendation."""
    for entry in chosen:
        comparison = jitmagic.compare(entry.function, *entry.args(size), backends=tuple(libraries), budget=3.0)
        best = comparison.best
        if best.name != "numpy" and best.speedup["high"] * NOISE < 1:
            yield entry.name, best.speedup["median"]
        for library in libraries:
            if entry.name in names(library):
                yield _row(entry, size, library, comparison, rounds)


def _row(entry: Entry, size: str, library: str, comparison: Comparison, rounds: int) -> Row:
    forms = [v.name for v in comparison.values() if v.backend == library and v.verified]
    if not forms:
        reasons = [f"{v.name}: {v.reason}" for v in comparison.values() if v.backend == library]
        return Row(entry.name, library, "", reason=" ".join("; ".join(reasons).split()))
    request = {"name": entry.name, "library": library, "size": size, "forms": forms, "rounds": rounds,
               "record": comparison.to_dict()}  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.expert.clock"],
        input=json.dumps(request), capture_output=True, text=True, env={**STEADY_MALLOC, **os.environ},
    )  # fmt: skip
    if done.returncode:
        return Row(entry.name, library, "", reason=f"the process failed: {' '.join(done.stderr.split())[-600:]}")
    answer = json.loads(done.stdout.splitlines()[-1])
    expert = answer["samples"].pop("expert")
    numpy = answer["samples"].pop("numpy")
    form = min(answer["samples"], key=lambda one: np.median(answer["samples"][one]))
    ours = answer["samples"][form]
    # a ratio of times, ours over the expert's, is the speedup of the expert's version over ours
    ratio = ratio_interval(ours, expert)
    return Row(
        entry.name, library, form, float(np.median(ours)), float(np.median(expert)), ratio.median, ratio.low,
        ratio.high, answer["build"][form], answer["build"]["expert"], float(np.median(numpy)),
    )  # fmt: skip


def main() -> int:
    """Runs all and prints the table; returns 1 where a wanted figure is missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.experts", description=__doc__)
    parser.add_argument("--only", nargs="+", help="names of functions")
    parser.add_argument("--size", choices=SIZES, default="large")
    parser.add_argument("--libraries", nargs="+", choices=LIBRARIES, default=list(LIBRARIES))
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--json", type=Path, help="also write the rows to this file")
    options = parser.parse_args()
    libraries = [one for one in options.libraries if importlib.util.find_spec(one) is not None]
    wanted = {name for library in libraries for name in names(library)}
    chosen = [e for e in entries() if e.name in wanted and (not options.only or e.name in options.only)]
    found: list[Row] = []
    slow: list[str] = []
    heads = (
        f"{'function':<26}{'form':<16}{'ours':>11}{'expert':>11}  {'ratio (95 %)':<22}{'build':>12}{'over NumPy':>12}"
    )
    print(heads)
    for row in rows(chosen, options.size, libraries, options.rounds):
        if not isinstance(row, Row):
            slow.append(f"{row[0]} ({row[1]:.2f}×)")
            continue
        found.append(row)
        if not row.form:
            print(f"{row.name:<26}{row.library}: none. {row.reason[:300]}", flush=True)
            continue
        print(
            f"{row.name:<26}{row.form:<16}{row.ours * 1e3:>9.3f}ms{row.expert * 1e3:>9.3f}ms  "
            f"{row.ratio:.2f} ({row.low:.2f} to {row.high:.2f})".ljust(89)
            + f"{row.build:>6.2f}/{row.expert_build:.2f}s{row.numpy / row.ours:>11.1f}×",
            flush=True,
        )
    shutdown()
    if options.json is not None:
        options.json.write_text(json.dumps([asdict(row) for row in found], indent=1))
    missed = [text for library in libraries for text in _summary(library, [r for r in found if r.library == library])]
    if slow:
        missed.append(f"recommended though slower than NumPy: {', '.join(slow)}")
    print("\n" + ("\n".join(f"missed: {text}" for text in missed) or "all as wanted"))
    return 1 if missed else 0


def _summary(library: str, found: Sequence[Row]) -> Iterator[str]:
    """Prints the figures of a library, and yields what is not as wanted."""
    there = [row for row in found if row.form]
    if not there:
        yield f"{library}: no function"
        return
    mean = _mean([row.ratio for row in there])
    worst = max(row.ratio for row in there)
    build = _mean([max(row.build, 1e-3) / max(row.expert_build, 1e-3) for row in there])
    print(
        f"\n{library}: {len(there)} of {len(found)} made; our time over the expert's {mean:.2f} (geometric mean; "
        f"wanted at most {RATIO}), at most {worst:.2f} (wanted {WORST}); to build {build:.2f}"
    )
    if mean > RATIO:
        yield f"{library}: geometric mean {mean:.2f}, wanted at most {RATIO}"
    for row in there:
        if row.low > WORST:
            yield f"{library}: {row.name} takes {row.ratio:.2f} of the expert's time, wanted at most {WORST}"
        if row.build > BUILD * row.expert_build and row.build - row.expert_build > 0.2:
            yield f"{library}: {row.name} takes {row.build:.2f} s to build, the expert's {row.expert_build:.2f} s"
    for row in found:
        if not row.form:
            yield f"{library}: {row.name} was not made"


def _mean(ratios: Sequence[float]) -> float:
    """Returns the geometric mean."""
    return float(np.exp(np.mean(np.log(ratios))))


if __name__ == "__main__":
    sys.exit(main())
