"""How often the verdict is right where the truth is known: the same code twice, and code that does 5 % more.

``python -m benchmarks.verdicts [--comparisons 100] [--budget 10] [--busy] [--samples FILE]``

Each comparison has processes of its own, since what two of them differ by lasts as long as they do. ``--busy`` keeps a
loop of Python running beside them, as another program would. ``--samples`` writes the samples of each, a line of JSON
a comparison, for whoever wants to try another estimate on them.
"""

from __future__ import annotations

import argparse
import collections
import contextlib
import datetime
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np

from jitmagic.capture.function import from_function
from jitmagic.comparison import compare_workload, shutdown
from jitmagic.devices import machine
from jitmagic.measure.rounds import Rounds, run_rounds
from jitmagic.options import Options
from jitmagic.steps import timing
from tests.fakes import FakeBackend, installed

EQUAL, SLOWER = 0.95, 0.9
"""The shares of comparisons that have to be judged rightly."""


def exponential(x):
    for _ in range(20):
        y = np.exp(x)
    return y


def matrix(x):
    for _ in range(20):
        y = x @ x
    return y


def sums(x):
    for _ in range(20):
        y = x * 2.0 + 1.0
    return y


def plain(x):
    total = 0.0
    for _ in range(20):
        total = 0.0
        for value in x:
            total += value
    return total


CASES = (
    (exponential, lambda rng: (rng.random(10_000),)),
    (matrix, lambda rng: (rng.random((120, 120)),)),
    (sums, lambda rng: (rng.random(2_000_000),)),
    (plain, lambda rng: (rng.random(300),)),
)
"""Functions that are bound by arithmetic, by BLAS, by memory and by Python, and their arguments."""


@dataclass(frozen=True)
class Judged:
    """One comparison: the function, the two verdicts with the speedups, the seconds it took, and the samples."""

    case: str
    same: str
    same_ratio: tuple[float, float, float]
    more: str
    more_ratio: tuple[float, float, float]
    seconds: float
    samples: dict[str, Any]


def main() -> int:
    """Prints the verdicts and their counts; returns 1 where too few are right."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.verdicts", description=__doc__)
    parser.add_argument("--comparisons", type=int, default=100)
    parser.add_argument("--budget", type=float, default=10.0, help="seconds of timing for each comparison")
    parser.add_argument("--busy", action="store_true", help="with a busy loop on another core")
    parser.add_argument("--samples", type=Path, help="a file for the samples")
    options = parser.parse_args()
    here = machine()
    print(f"{datetime.date.today()}, {here['processor']}, {here['threads']} threads, load {here['load']}")
    return 0 if said(options.comparisons, options.budget, busy=options.busy, samples=options.samples) else 1


def said(
    comparisons: int,
    budget: float = 10.0,
    *,
    busy: bool = False,
    say: Callable[[str], None] | None = None,
    samples: Path | None = None,
) -> bool:
    """Makes comparisons and says what came of them; returns whether enough were judged rightly.

    Beside a busy loop a difference of 5 % need not be found.
    """
    say = say or (lambda text: print(text, flush=True))
    counts: collections.Counter[tuple[str, str]] = collections.Counter()
    with _busy() if busy else contextlib.nullcontext():
        for number in range(comparisons):
            one = judged(number, budget)
            counts["same", one.same] += 1
            counts["more", one.more] += 1
            if samples is not None:
                with samples.open("a") as file:
                    file.write(json.dumps(asdict(one)) + "\n")
            say(f"{number + 1:4} {one.case:12} the same: {one.same:20} {_shown(one.same_ratio)}   "
                f"5 % more: {one.more:20} {_shown(one.more_ratio)}  {one.seconds:.1f} s")  # fmt: skip
    equal = counts["same", "no clear difference"] / comparisons
    slower = counts["more", "slower"] / comparisons
    say(f'the same code is "no clear difference" in {equal:.0%} of {comparisons} (wanted {EQUAL:.0%}); 5 % more is '
        f"slower in {slower:.0%} ({'no matter' if busy else f'wanted {SLOWER:.0%}'})"
        f"{', with a busy loop beside' if busy else ''}")  # fmt: skip
    return equal >= EQUAL and (busy or slower >= SLOWER)


def judged(number: int, budget: float) -> Judged:
    """Makes one comparison in fresh processes."""
    function, make = CASES[number % len(CASES)]
    workload = from_function(function, make(np.random.default_rng(number)), {})
    text = workload.module.text.replace(f"def {function.__name__}(", "def fn(")
    more = text.replace("range(20)", "range(21)")
    began = time.monotonic()
    taken: list[Rounds] = []

    def noting(*args: Any, **kwargs: Any) -> Rounds:
        taken.append(run_rounds(*args, **kwargs))
        return taken[-1]

    others = FakeBackend("other", {"same": text}), FakeBackend("third", {"more": more})
    with mock.patch.object(timing, "run_rounds", noting), installed(*others):
        try:
            found = compare_workload(workload, Options(budget=budget))
        finally:
            shutdown()
    return Judged(
        function.__name__,
        found["same"].verdict,
        _ratio(found["same"].speedup),
        found["more"].verdict,
        _ratio(found["more"].speedup),
        time.monotonic() - began,
        {name: asdict(series) for name, series in taken[0].series.items()},
    )


def _ratio(speedup: dict[str, float]) -> tuple[float, float, float]:
    return speedup["median"], speedup["low"], speedup["high"]


def _shown(ratio: tuple[float, float, float]) -> str:
    return f"{ratio[0]:.3f} ({ratio[1]:.3f} to {ratio[2]:.3f})"


_LOOP = "import os\nparent = os.getppid()\nwhile os.getppid() == parent:\n    pass"
"""Ends with the program that began it, however that ends."""


@contextlib.contextmanager
def _busy() -> Iterator[None]:
    process = subprocess.Popen([sys.executable, "-c", _LOOP])
    try:
        yield
    finally:
        process.kill()
        process.wait()


if __name__ == "__main__":
    sys.exit(main())
