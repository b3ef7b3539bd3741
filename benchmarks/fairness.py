"""Our clock against a hand-written one: separate processes, the same source, samples taken in turn.

The other processes are what a careful user writes: the variant's source, the arguments on the device, some warm-up
calls, a loop over ``time.perf_counter`` with ``block_until_ready``. They share no code with jitmagic's workers.

They run under the settings of ``malloc`` that workers have (``STEADY_MALLOC`` says why). Even so equal processes
differ: where their pages lie is chance, and lasts as long as they do. So there are several of each side, and it is
their middle ones that are compared, with an interval that holds the differences between processes too.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from jitmagic.backends import all_backends
from jitmagic.backends.protocol import Draft
from jitmagic.capture.file import from_file
from jitmagic.measure.bench import Bench
from jitmagic.measure.pool import Pool
from jitmagic.measure.process import STEADY_MALLOC
from jitmagic.measure.statistics import Interval

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"
CASES = ("cubic.py", "black_scholes.py", "w_tilde_low_memory.py", "matrix_rows.py", "weighted_sum.py")
PROCESSES = 3
"""Processes of each side for each case and variant."""
VARIANTS = ("numpy", "numba", "numba-parallel", "jax", "torch")

BY_HAND = """
import sys, time, runpy, json
import numpy as np
kind, written = sys.argv[1], json.loads(sys.argv[2])
args = runpy.run_path(sys.argv[3])["ARGUMENTS"]
with open(sys.argv[4]) as f:
    source = f.read()
namespace = {"__name__": "variant"}
import linecache
linecache.cache["variant.py"] = (len(source), None, source.splitlines(True), "variant.py")
exec(compile(source, "variant.py", "exec"), namespace)
f = namespace[sys.argv[5]]
# np.zeros takes pages of another kind than a copy does; it is clocks that are compared here
args = [a.copy() if isinstance(a, np.ndarray) else a for a in args]
if kind == "jax":
    import jax
    args = [a if i in written else jax.block_until_ready(jax.device_put(a)) for i, a in enumerate(args)]
    wait = jax.block_until_ready
elif kind == "torch":
    import torch
    args = [torch.from_numpy(a) if isinstance(a, np.ndarray) and i not in written else a
            for i, a in enumerate(args)]
def call():
    if kind == "jax":
        wait(f(*args))
    else:
        f(*args)
saved = {i: args[i].copy() for i in written}
call(); call()
print("ready", flush=True)
for line in sys.stdin:
    calls = int(line)
    call()
    if written:
        total = 0.0
        for _ in range(calls):
            for i in written:
                args[i][...] = saved[i]
            start = time.perf_counter()
            call()
            total += time.perf_counter() - start
    else:
        start = time.perf_counter()
        for _ in range(calls):
            call()
        total = time.perf_counter() - start
    print(total / calls, flush=True)
"""


@dataclass(frozen=True)
class Row:
    """One comparison of clocks, in seconds a call.

    Attributes
    ----------
    ours, hand : float
        The median over the processes of a side of each one's median.
    ratio : Interval
        Of ours over the hand-written one; the interval is a bootstrap over processes and their samples.
    spread : tuple of float
        The fastest and the slowest hand-written process, over the one in the middle.
    """

    case: str
    variant: str
    ours: float
    hand: float
    ratio: Interval
    spread: tuple[float, float]


def rows(rounds: int, folder: Path | None = None) -> Iterator[Row]:
    """Yields a row for each case and variant that can be built here."""
    with tempfile.TemporaryDirectory() as made:
        for case in CASES:
            yield from _case(EXAMPLES / case, rounds, folder or Path(made))


def _case(path: Path, rounds: int, folder: Path) -> Iterator[Row]:
    workload = from_file(path)
    table = all_backends()
    pools = [Pool() for _ in range(PROCESSES)]
    try:
        benches = [Bench(workload, pool, timeout=120.0) for pool in pools]
        for bench, pool in zip(benches, pools, strict=True):
            observed = bench.observe(table["numpy"], 10.0, 600.0)
            pool.end(table["numpy"], "cpu")  # as a comparison does: the baseline's clock runs in a fresh process
        arguments = folder / "arguments.py"
        example = path.read_text()
        # the example up to its last line, the call, whose arguments are collected instead
        body, _, call = example.rstrip().rpartition("\n")
        arguments.write_text(f"{body}\n\ndef collect(*args):\n    return list(args)\n\n"
                             f"ARGUMENTS = collect{call[call.index('('):]}\n")  # fmt: skip
        for name, backend in table.items():
            if not backend.availability().installed or name == "cupy":
                continue
            for draft in backend.drafts(workload, observed):
                if isinstance(draft, Draft) and draft.variant in VARIANTS:
                    row = _row(benches, workload, backend, draft, observed, rounds, folder, arguments, path.stem)
                    if row is not None:
                        yield row
            for pool in pools:
                pool.end(backend, "cpu")
        for bench in benches:
            bench.close()
    finally:
        for pool in pools:
            pool.shutdown()


def _row(benches, workload, backend, draft, observed, rounds, folder, arguments, case) -> Row | None:
    written = tuple(dict.fromkeys((*draft.written, *observed.mutated)))
    builds = [bench.build(backend, "cpu", replace(draft, written=written)) for bench in benches]
    if any(built.finding is None or not built.finding.ok for built in builds):
        return None
    source, script = folder / "variant.py", folder / "by_hand.py"
    source.write_text(draft.module.text)
    script.write_text(BY_HAND)
    numbers = str([workload.argument_names.index(label) for label in written])
    command = [sys.executable, str(script), backend.name, numbers, str(arguments), str(source), draft.entry]
    others = [_Hand(command) for _ in range(PROCESSES)]
    try:
        samplers = [bench.sampler(draft.variant, built.second) for bench, built in zip(benches, builds, strict=True)]
        calls = max(1, round(0.05 / builds[0].second))
        calls = max(1, round(0.05 / samplers[0](calls, 1)))
        # a side's processes stand apart, so that none always follows one of its own
        takers = []
        for sampler, other in zip(samplers, others, strict=True):
            takers.append(lambda sampler=sampler: sampler(calls, 1))
            takers.append(lambda other=other: other.sample(calls))
        taken: list[list[float]] = [[] for _ in takers]
        for number in range(rounds):
            # who goes first changes, so that none always follows the same other
            for turn in range(len(takers)):
                which = (turn + number) % len(takers)
                taken[which].append(takers[which]())
    finally:
        for other in others:
            other.end()
    ours, hands = np.array(taken[0::2]), np.array(taken[1::2])
    medians = np.sort(np.median(hands, axis=1))
    middle = float(np.median(medians))
    return Row(
        case,
        draft.variant,
        _middle(ours),
        middle,
        _ratio(ours, hands),
        (medians[0] / middle, medians[-1] / middle),
    )


def _middle(samples: np.ndarray) -> float:
    """Returns the median over the processes of each one's median; ``samples`` is processes × rounds."""
    return float(np.median(np.median(samples, axis=1)))


def _ratio(ours: np.ndarray, hands: np.ndarray, resamples: int = 2000) -> Interval:
    """Returns the ratio of two sides; its interval draws processes first, then samples (Kalibera and Jones, 2013)."""
    rng = np.random.default_rng(0)

    def drawn(samples: np.ndarray) -> float:
        processes, rounds = samples.shape
        some = samples[rng.integers(processes, size=processes)]
        return _middle(np.take_along_axis(some, rng.integers(rounds, size=some.shape), axis=1))

    ratios = [drawn(ours) / drawn(hands) for _ in range(resamples)]
    low, high = np.quantile(ratios, [0.025, 0.975])
    return Interval(_middle(ours) / _middle(hands), float(low), float(high), ours.size)


class _Hand:
    """A process that runs the hand-written loop."""

    def __init__(self, command: list[str]) -> None:
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env={**STEADY_MALLOC, **os.environ}
        )
        if self._process.stdout.readline().strip() != "ready":
            self.end()
            raise RuntimeError(f"a hand-written timing did not start: {command}")

    def sample(self, calls: int) -> float:
        self._process.stdin.write(f"{calls}\n")
        self._process.stdin.flush()
        return float(self._process.stdout.readline())

    def end(self) -> None:
        self._process.kill()
        self._process.wait()
