"""Takes every function of tests/corpus through the steps, without timing, and prints what became of each variant.

``python -m benchmarks.corpus [--size small] [--backends numba jax] [--only NAME …] [--jobs N] [--compiled]``

A verified variant is then built again and called with other random arguments of the next larger size: a variant that is
right only for its example is the worst that can happen. There it may differ from NumPy by what NumPy's own result moves
by where the arguments move by one unit in the last place. CuPy's source runs on a stand-in that has CuPy's manners
(`tests.backends.cupy.stand_in`).
"""

from __future__ import annotations

import argparse
import collections
import contextlib
import inspect
import io
import json
import subprocess
import sys
import tempfile
import threading
import time
import traceback
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from jitmagic.backends import all_backends
from jitmagic.backends.protocol import Draft
from jitmagic.capture.function import from_function
from jitmagic.capture.workload import Workload
from jitmagic.errors import JitmagicError, WorkerError
from jitmagic.measure import pool as pools
from jitmagic.measure.bench import Bench
from jitmagic.options import Options
from jitmagic.steps import building, observing, writing
from jitmagic.steps.run import Run
from jitmagic.verify.compare import compare_call, count_elements
from jitmagic.verify.sensitivity import is_within, own_movement
from tests.backends.cupy import stand_in
from tests.corpus.registry import Entry, entries
from tests.corpus.sizes import SIZES

VERDICTS = ("verified", "wrong elsewhere", "fails elsewhere", "differs", "failed", "crashed", "internal", "refused")
"""What can become of a variant, from good to bad but for the last, which is honest."""

WANTED = {"numba": 0.97, "jax": 0.92, "torch": 0.80, "cupy": 0.85}
"""The share of the corpus's functions that a variant must be verified for."""


@dataclass(frozen=True)
class Row:
    """What became of one variant of one function.

    Attributes
    ----------
    verdict : str
        One of :data:`VERDICTS`. "verified": NumPy's result here, with other random numbers and at the next size.
        "wrong elsewhere": NumPy's result here, another one there. "fails elsewhere": an exception there.
        "internal": our own code raised.
    reason : str
    line : int or None
        The user's line that the reason names.
    form : str
        Which lowering it was.
    writing : float
        Seconds from capture to the source of the function's last variant, the watched run apart.
    """

    field: str
    name: str
    variant: str
    verdict: str
    reason: str = ""
    line: int | None = None
    form: str = ""
    source: str = ""
    writing: float = 0.0


def rows(
    chosen: Sequence[Entry], size: str = "small", backends: Sequence[str] = ("numba", "jax", "torch", "cupy"),
    compiled: bool = False, elsewhere: bool = True, timeout: float = 60.0,
) -> Iterator[Row]:  # fmt: skip
    """Yields what became of each variant of the chosen functions."""
    for entry in chosen:
        args = entry.args(size)
        start = time.perf_counter()
        try:
            workload = from_function(entry.function, args, {})
        except JitmagicError as error:
            yield Row(entry.field, entry.name, "(all)", "refused", f"capture: {error}", getattr(error, "line", None))
            continue
        except Exception:
            yield Row(entry.field, entry.name, "(all)", "internal", traceback.format_exc())
            continue
        trial = _Trial(entry, workload, size, backends, compiled, elsewhere, timeout)
        trial.writing = time.perf_counter() - start
        yield from trial.rows()


class _Trial:
    """One function on its way through comparison's own steps."""

    def __init__(
        self, entry: Entry, workload: Workload, size: str, backends: Sequence[str], compiled: bool, elsewhere: bool,
        timeout: float,
    ) -> None:  # fmt: skip
        self.entry, self.workload, self.size = entry, workload, size
        self.backends, self.compiled, self.timeout = backends, compiled, timeout
        self.run = Run(workload, Options(tuple(backends), timeout=timeout))
        bigger = SIZES[min(SIZES.index(size) + 1, len(SIZES) - 1)]
        self.others = ((bigger, 1),) if elsewhere else ()
        self.writing = 0.0
        self.movements: dict[str, float] = {}

    def rows(self) -> Iterator[Row]:
        run = self.run
        others: list[tuple[str, Bench]] = []
        try:
            observing.start_workers(run)
            observing.observe(run)
            wanted = list(self.backends)
            drafted: list[str] = []
            start = time.perf_counter()
            for name in wanted:
                run.options = replace(run.options, backends=(name,))
                try:
                    writing.write(run)
                    drafted.append(name)
                except Exception:
                    yield self._row(f"{name} (all)", "internal", traceback.format_exc())
            run.options = replace(run.options, backends=tuple(drafted))
            self.writing += time.perf_counter() - start
            cupy = [one for one in run.outcomes if one.backend == "cupy"]
            run.outcomes = [one for one in run.outcomes if one.backend != "cupy" and self._wanted(one.mode)]
            building.build(run, run.numpy, run.baseline)
            if not run.baseline.verified:
                building.verify(run)  # says why
            others = [(label, bench) for label, bench in self._elsewhere()]
            for outcome in run.outcomes:
                if outcome.verdict is None:
                    try:
                        building.descend(run, all_backends()[outcome.backend], outcome, 0, 1)
                    except Exception:
                        yield self._row(outcome.name, "internal", traceback.format_exc(), draft=outcome.draft)
                        continue
                yield self._judge(outcome, others)
            for one in cupy:
                yield self._with_numpy(one)
        except JitmagicError as error:
            yield self._row("(all)", "refused", f"baseline: {error}")
        except Exception:
            yield self._row("(all)", "internal", traceback.format_exc())
        finally:
            for _, bench in others:
                bench.close()
            run.close()

    def _wanted(self, mode: str) -> bool:
        return self.compiled or mode not in ("compile", "numpy")

    def _row(self, variant: str, verdict: str, reason: str = "", line: int | None = None, draft: Any = None) -> Row:
        form, source = (draft.form, draft.module.text) if isinstance(draft, Draft) else ("", "")
        if "jitmagic" in source:
            verdict, reason = "internal", "the source names jitmagic"
        return Row(self.entry.field, self.entry.name, variant, verdict, reason, line, form, source, self.writing)

    def _elsewhere(self) -> Iterator[tuple[str, Bench]]:
        """Opens the function with other arguments, and has NumPy run it there."""
        for size, seed in self.others:
            other = from_function(self.entry.function, self.entry.args(size, seed), {})
            bench = Bench(other, self.run.pool, self.timeout)
            observation = bench.observe(self.run.numpy, 0.0, self.timeout)
            if observation.raised is not None:
                bench.close()
                raise WorkerError(f"NumPy itself raises with other arguments: {observation.raised.message}")
            yield f"{size}, seed {seed}", bench

    def _judge(self, outcome: Any, others: Sequence[tuple[str, Bench]]) -> Row:
        verdict, draft = outcome.verdict, outcome.draft
        if verdict is not None:
            name = {"unsupported": "refused", "differs": "differs"}.get(verdict.verdict, "crashed")
            reason = verdict.reason or ""
            told = outcome.built.failure if outcome.built is not None else None
            if name == "refused" and told is not None:
                name = "failed"
                reason += f"  [{told.stage}: {told.type}: {told.message[:300]}]"
            return self._row(outcome.name, name, reason, getattr(verdict, "line", None), draft)
        if not outcome.verified:
            return self._row(outcome.name, "failed", "neither verified nor judged", None, draft)
        for label, bench in others:
            try:
                built = bench.build(all_backends()[outcome.backend], outcome.device, draft)
            except WorkerError as error:
                return self._row(outcome.name, "crashed", f"with {label}: {error}", None, draft)
            if built.finding is None:
                failure = built.failure
                text = f"{failure.type}: {failure.message[:400]}" if failure is not None else "no finding"
                return self._row(outcome.name, "fails elsewhere", f"with {label}: {text}", None, draft)
            if not built.finding.ok:
                return self._other(outcome, label, built.finding)
        return self._row(outcome.name, "verified", "", None, draft)

    def _other(self, outcome: Any, label: str, finding: Any) -> Row:
        """Returns the row for another result than NumPy's with other arguments: right, where NumPy's moves as far."""
        if finding.kind == "values" and is_within(finding.max_abs, self._movement(label)):
            reason = f"with {label} {finding.max_abs:.1e} off, where one unit in the last place moves NumPy by "
            return self._row(outcome.name, "verified", f"{reason}{self._movement(label):.1e}", None, outcome.draft)
        return self._row(outcome.name, "wrong elsewhere", f"with {label}: {finding.message}", None, outcome.draft)

    def _movement(self, label: str) -> float:
        """Returns how far NumPy's own result moves for one unit in the last place of the arguments."""
        if label not in self.movements:
            size, seed = label.split(", seed ")
            with np.errstate(all="ignore"), contextlib.redirect_stdout(io.StringIO()):
                self.movements[label] = own_movement(self.entry.function, lambda: self.entry.args(size, int(seed)))
        return self.movements[label]

    # -- CuPy without a GPU

    def _with_numpy(self, outcome: Any) -> Row:
        draft = outcome.draft
        if draft is None:
            return self._row(outcome.name, "refused", outcome.verdict.reason or "", None)
        for label, (size, seed) in (
            ("the example", (self.size, 0)),
            *((f"{s}, seed {n}", (s, n)) for s, n in self.others),
        ):
            try:
                finding = _call_with_numpy(draft, self.entry, size, seed, self.workload)
            except Exception as error:
                return self._row(outcome.name, "failed", f"with {label}: {type(error).__name__}: {error}", None, draft)
            if not finding.ok and label == "the example":
                return self._row(outcome.name, "differs", f"with {label}: {finding.message}", None, draft)
            if not finding.ok:
                return self._other(outcome, label, finding)
        return self._row(outcome.name, "verified", "", None, draft)


def _call_with_numpy(draft: Draft, entry: Entry, size: str, seed: int, workload: Workload) -> Any:
    """Runs a CuPy draft on a stand-in that has CuPy's manners: what is wrong then is wrong on a GPU too."""
    quiet = contextlib.redirect_stdout(io.StringIO())
    with stand_in.installed(), quiet, warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        namespace: dict[str, Any] = {"__name__": "cupy_draft"}
        namespace.update({name: workload.constants[name] for name in draft.needs})
        exec(compile(draft.module.text, "<cupy draft>", "exec"), namespace)
        args, ours = entry.args(size, seed), entry.args(size, seed)
        expected = entry.function(*args)
        names = list(inspect.signature(entry.function).parameters)
        moved = [
            one if place < len(names) and names[place] in draft.written else stand_in.device(one)
            for place, one in enumerate(ours)
        ]
        actual = stand_in.host(namespace[draft.entry](*moved))
        ours = tuple(stand_in.host(one) for one in moved)
    labels = [str(number) for number in range(len(args))]
    mutated = [label for label, one in zip(labels, args, strict=True) if isinstance(one, np.ndarray)]
    return compare_call(
        expected, actual, dict(zip(labels, args, strict=True)),
        dict(zip(labels, ours, strict=True)), mutated, count_elements(list(args)),
    )  # fmt: skip


def counts(found: Sequence[Row]) -> dict[str, dict[str, int]]:
    """Counts the verdicts of each variant."""
    table: dict[str, dict[str, int]] = collections.defaultdict(lambda: dict.fromkeys(VERDICTS, 0))
    for row in found:
        table[row.variant][row.verdict] += 1
    return dict(table)


def missed(found: Sequence[Row], functions: int) -> list[str]:
    """Returns what is not as wanted: too few verified, or a wrong result shown as right."""
    texts = []
    for variant, share in WANTED.items():
        rows_of = [row for row in found if row.variant == variant]
        if rows_of:
            verified = sum(row.verdict == "verified" for row in rows_of)
            if verified < share * functions:
                texts.append(f"{variant}: {verified} of {functions} verified, wanted {share:.0%}")
    texts += [
        f"{row.variant} of {row.name} was shown as right, and is not: {row.reason}"
        for row in found
        if row.verdict == "wrong elsewhere"
    ]
    texts += [f"{row.variant} of {row.name}: our own code raised" for row in found if row.verdict == "internal"]
    return texts


def main() -> int:
    """Runs the corpus and prints the table; returns 1 where a wanted count is missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.corpus", description=__doc__)
    parser.add_argument("--size", choices=SIZES, default="small")
    parser.add_argument("--backends", nargs="+", default=["numba", "jax", "torch", "cupy"])
    parser.add_argument("--only", nargs="+", help="names of functions, or of fields")
    parser.add_argument("--every", type=int, default=1, help="every so many functions only")
    parser.add_argument("--part", default="0/1", help="k/n: every n-th function from the k-th")
    parser.add_argument("--jobs", type=int, default=1, help="processes that share the functions")
    parser.add_argument("--compiled", action="store_true", help="also torch.compile, which is slow")
    parser.add_argument("--sources", action="store_true", help="print the source of what is not verified")
    parser.add_argument("--json", type=Path, help="also write the rows to this file")
    options = parser.parse_args()
    chosen = [one for one in entries() if not options.only or {one.name, one.field} & set(options.only)]
    part, parts = map(int, options.part.split("/"))
    chosen = chosen[:: options.every][part::parts]
    start = time.monotonic()
    found = _shared(options.jobs) if options.jobs > 1 else _alone(chosen, options)
    writing = {row.name: row.writing for row in found}
    slowest = max(writing, key=lambda name: writing[name], default="")
    print(f"\n{len(chosen)} functions in {time.monotonic() - start:.0f} s")
    if slowest:
        print(f"from capture to the last source: median {np.median(list(writing.values())):.2f} s, "
              f"at most {writing[slowest]:.2f} s ({slowest}); wanted: under 1 s")  # fmt: skip
    print(f"{'variant':<18}" + "".join(f"{name:>17}" for name in VERDICTS))
    for variant, count in sorted(counts(found).items()):
        print(f"{variant:<18}" + "".join(f"{count[name]:>17}" for name in VERDICTS))
    if options.json is not None:
        options.json.write_text(json.dumps([asdict(row) for row in found], indent=1))
    problems = missed(found, len(chosen))
    print("\n" + ("\n".join(f"missed: {text}" for text in problems) or "all as wanted"))
    return 1 if problems else 0


def _alone(chosen: Sequence[Entry], options: argparse.Namespace) -> list[Row]:
    found: list[Row] = []
    for row in rows(chosen, options.size, options.backends, options.compiled):
        found.append(row)
        line = f" line {row.line}" if row.line is not None else ""
        reason = row.reason if row.verdict == "internal" else " ".join(row.reason.split())[:400]
        print(
            f"{row.field}.{row.name:<28} {row.variant:<16} {row.verdict:<16} {row.form:<14}{line} {reason}", flush=True
        )
        if options.sources and row.verdict != "verified" and row.source:
            print(row.source)
    pools.shutdown()
    return found


def _shared(jobs: int) -> list[Row]:
    """Runs this command in several processes, each with its part, and returns all their rows."""
    given = [word for word in sys.argv[1:] if not word.startswith("--jobs=")]
    if "--jobs" in given:
        at = given.index("--jobs")
        del given[at : at + 2]
    with tempfile.TemporaryDirectory() as folder:
        files = [Path(folder) / f"{number}.json" for number in range(jobs)]
        started = [
            subprocess.Popen(
                [sys.executable, "-m", "benchmarks.corpus", *given, "--part", f"{number}/{jobs}", "--json", str(file)],
                stdout=subprocess.PIPE, text=True,
            )
            for number, file in enumerate(files)
        ]  # fmt: skip
        tellers = [threading.Thread(target=_pass_on, args=(one.stdout,)) for one in started]
        for teller in tellers:
            teller.start()
        for one, teller in zip(started, tellers, strict=True):
            one.wait()
            teller.join()
        return [Row(**row) for file in files for row in json.loads(file.read_text())]


def _pass_on(lines: Any) -> None:
    """Prints a part's lines up to its own table."""
    told = False
    for line in lines:
        told = told or line == "\n"
        if not told:
            print(line, end="", flush=True)


if __name__ == "__main__":
    sys.exit(main())
