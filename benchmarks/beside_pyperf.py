"""Our clock beside pyperf's, on the same functions in one run: ``python -m benchmarks.beside_pyperf``.

pyperf takes its values in worker processes of its own (``pyperf.Runner.bench_func``), and we ours in ours. They take
turns, sample by sample, so that both see the same machine: pyperf's process waits before each of its values, outside
its own clock, until it is its turn. Two processes of one side differ too, by 3 % and more (``among themselves`` says
what pyperf's did): so there are many pairs of processes, and the ratio is the median of theirs.
"""

from __future__ import annotations

import argparse
import datetime
import json
import math
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

import numpy as np

from jitmagic.backends import all_backends
from jitmagic.backends.protocol import Draft
from jitmagic.capture.function import from_function
from jitmagic.devices import machine
from jitmagic.measure.bench import Bench
from jitmagic.measure.pool import Pool
from jitmagic.measure.process import STEADY_MALLOC
from jitmagic.measure.threads import IDLE

WANTED = (0.97, 1.03)
TOGETHER = 3
"""Pairs of processes that live at the same time."""
SAMPLE = 0.02
"""Seconds of a sample."""


def polynomial(x):
    return x + x * x + x * x * x


def softmax(x):
    shifted = np.exp(x - x.max(axis=1, keepdims=True))
    return shifted / shifted.sum(axis=1, keepdims=True)


def distances(points):
    return np.sqrt(((points[:, None] - points[None]) ** 2).sum(-1))


def running_mean(x, width):
    total = np.cumsum(x)
    return (total[width:] - total[:-width]) / width


def power_spectrum(x):
    return np.abs(np.fft.rfft(x)) ** 2


def matrix_product(a, b):
    return a @ b


def solve(a, b):
    return np.linalg.solve(a, b)


def order(x):
    return np.sort(x)[::-1]


def masked_mean(x):
    return x[x > 0.0].mean()


def collatz(n):
    steps = 0
    while n > 1:
        n = 3 * n + 1 if n % 2 else n // 2
        steps += 1
    return steps


def laplacian(u):
    out = np.zeros_like(u)
    out[1:-1, 1:-1] = u[2:, 1:-1] + u[:-2, 1:-1] + u[1:-1, 2:] + u[1:-1, :-2] - 4.0 * u[1:-1, 1:-1]
    return out


def logistic_map(r, x, steps):
    for _ in range(steps):
        x = r * x * (1.0 - x)
    return x


def _random(*shape: int) -> np.ndarray:
    return np.random.default_rng(7).standard_normal(shape)


CASES = (
    (polynomial, lambda: (_random(1_000_000),)),
    (softmax, lambda: (_random(500, 200),)),
    (distances, lambda: (_random(200, 3),)),
    (running_mean, lambda: (_random(200_000), 50)),
    (power_spectrum, lambda: (_random(65_536),)),
    (matrix_product, lambda: (_random(200, 200), _random(200, 200))),
    (solve, lambda: (_random(100, 100), _random(100))),
    (order, lambda: (_random(100_000),)),
    (masked_mean, lambda: (_random(100_000),)),
    (collatz, lambda: (837_799,)),
    (laplacian, lambda: (_random(300, 300),)),
    (logistic_map, lambda: (3.7, 0.4, 1000)),
)
"""Twelve functions of microseconds to milliseconds, and their arguments."""

_THEIRS = '''
import runpy, sys, time
import pyperf, pyperf._runner
sys.path.insert(0, sys.argv[1])
module, name, loops, values, out = *sys.argv[2:4], int(sys.argv[4]), int(sys.argv[5]), sys.argv[6]
from importlib import import_module
function, make = next(case for case in import_module(module).CASES if case[0].__name__ == name)
arguments = make()
class InTurn:
    """Stands for the module `time` in pyperf: what reads its clock for a value waits for its turn first."""
    def __getattr__(self, asked):
        if asked == "perf_counter":
            print("ready", flush=True)
            sys.stdin.readline()
            function(*arguments)
        return getattr(time, asked)
pyperf._runner.time = InTurn()
sys.argv[1:] = ["--worker", "--worker-task=0", "--values", str(values), "--warmups", "1", "--loops", str(loops),
                "--output", out]
pyperf.Runner().bench_func(name, function, *arguments)
print("ready", flush=True)
'''


@dataclass(frozen=True)
class Row:
    """One function: seconds a call by each clock, the ratio of ours to pyperf's, and how far pairs of it lie apart.

    ``error`` is the standard error of the ratio as the pairs tell it; ``among`` the least and the largest ratio of two
    processes of pyperf's own that lived at the same time.
    """

    name: str
    ours: float
    theirs: float
    ratio: float
    error: float
    among: tuple[float, float]


class _Pyperf:
    """A pyperf worker that takes a value when it is told to."""

    def __init__(self, name: str, loops: int, values: int, folder: str, number: int) -> None:
        self._out = Path(folder, f"{name}-{number}.json")
        script = Path(folder, "theirs.py")
        script.write_text(_THEIRS)
        root = str(Path(__file__).resolve().parent.parent)
        self._process = subprocess.Popen(
            [sys.executable, str(script), root, "benchmarks.beside_pyperf", name, str(loops), str(values),
             str(self._out)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            # BLAS's threads that wait by spinning would do so into our samples, which come next
            env={**STEADY_MALLOC, **IDLE, **os.environ},
        )  # fmt: skip
        self._await()
        self.sample()  # pyperf's own warm-up value

    def sample(self) -> None:
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        self._await()

    def values(self) -> list[float]:
        """Returns what pyperf itself wrote, in seconds a call."""
        self._process.wait(60)
        run = json.loads(self._out.read_text())["benchmarks"][0]["runs"][0]
        return [float(value) for value in run["values"]]

    def end(self) -> None:
        self._process.kill()
        self._process.wait()

    def _await(self) -> None:
        for line in self._process.stdout:
            if line.strip() == "ready":
                return
        raise RuntimeError(f"pyperf's process ended with {self._process.wait()}")


def rows(rounds: int, pairs: int) -> Iterator[Row]:
    """Yields a row for each function."""
    for function, make in CASES:
        batches = []
        for _ in range(max(1, pairs // TOGETHER)):
            pools = [Pool() for _ in range(TOGETHER)]
            try:
                with tempfile.TemporaryDirectory() as folder:
                    batches.append(_taken(function, make, pools, rounds, folder))
            finally:
                for pool in pools:
                    pool.shutdown()
        yield _row(function.__name__, batches)


def _taken(
    function: Callable, make: Callable, pools: list[Pool], rounds: int, folder: str
) -> tuple[np.ndarray, np.ndarray]:
    """Takes the samples of some pairs of processes; returns ours and pyperf's, a row a process, in seconds a call."""
    numpy = all_backends()["numpy"]
    workload = from_function(function, make(), {})
    benches = [Bench(workload, pool, timeout=120.0) for pool in pools]
    samplers = []
    for bench, pool in zip(benches, pools, strict=True):
        observed = bench.observe(numpy, 10.0, 600.0)
        pool.end(numpy, "cpu")  # as a comparison does: the baseline's clock runs in a fresh process
        draft = next(one for one in numpy.drafts(workload, observed) if isinstance(one, Draft))
        built = bench.build(numpy, "cpu", draft)
        samplers.append(bench.sampler(draft.variant, built.second))
    calls = max(1, round(SAMPLE / samplers[0](10, 1)))
    others = [_Pyperf(function.__name__, calls, rounds, folder, number) for number in range(TOGETHER)]
    try:
        ours: list[list[float]] = [[] for _ in samplers]
        for number in range(rounds):
            for place in range(TOGETHER):
                # who goes first changes, so that none always follows the other
                if (number + place) % 2:
                    ours[place].append(samplers[place](calls, 1))
                others[place].sample()
                if not (number + place) % 2:
                    ours[place].append(samplers[place](calls, 1))
        theirs = [other.values() for other in others]
    finally:
        for other in others:
            other.end()
        for bench in benches:
            bench.close()
    return np.array(ours), np.array(theirs)


def _row(name: str, batches: list[tuple[np.ndarray, np.ndarray]]) -> Row:
    pairs = np.concatenate([np.median(np.log(mine / hers), axis=1) for mine, hers in batches])
    among = np.concatenate([np.median(np.log(hers / np.roll(hers, 1, axis=0)), axis=1) for _, hers in batches])
    # of the median, from the middle half of the pairs: a few far away are what the median is for
    spread = float(np.subtract(*np.percentile(pairs, [75, 25]))) / 1.349
    return Row(
        name,
        float(np.median([mine for mine, _ in batches])),
        float(np.median([hers for _, hers in batches])),
        float(np.exp(np.median(pairs))),
        1.2533 * spread / math.sqrt(len(pairs)),
        (float(np.exp(among.min())), float(np.exp(among.max()))),
    )


def main() -> int:
    """Prints the rows; returns 1 where a ratio is outside what is wanted."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.beside_pyperf", description=__doc__)
    parser.add_argument("--rounds", type=int, default=20, help="samples of each process")
    parser.add_argument("--pairs", type=int, default=15, help="processes of each side for each function")
    options = parser.parse_args()
    here = machine()
    print(f"{datetime.date.today()}, {here['processor']}, {here['threads']} threads, load {here['load']}")
    return 0 if said(options.rounds, options.pairs) else 1


def said(rounds: int = 20, pairs: int = 15, say: Callable[[str], None] | None = None) -> bool:
    """Says the rows; returns whether all ratios are within what is wanted."""
    say = say or (lambda text: print(text, flush=True))
    say(f"pyperf {metadata.version('pyperf')}, {pairs} pairs of processes, {rounds} samples of each")
    outside = 0
    for row in rows(rounds, pairs):
        outside += not WANTED[0] <= row.ratio <= WANTED[1]
        say(f"  {row.name:<16} ours {row.ours * 1e6:>9.1f} µs   pyperf's {row.theirs * 1e6:>9.1f} µs   ratio "
            f"{row.ratio:.3f} ± {row.error:.3f}   pyperf's among themselves {row.among[0]:.3f} to {row.among[1]:.3f}"
        )  # fmt: skip
    say(f"  {len(CASES) - outside} of {len(CASES)} between {WANTED[0]} and {WANTED[1]}")
    return not outside


if __name__ == "__main__":
    sys.exit(main())
