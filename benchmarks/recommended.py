"""Was the recommendation right? What was recommended, and where lines were to cross, measured again afterwards.

``python -m benchmarks.recommended [--count 40] [--budget 10] [--backends numba jax torch] [--only NAME …]``

Functions of the corpus, evenly taken, are compared at their largest size with a sweep over smaller ones. Afterwards,
in fresh processes and with twice the time, all is measured again: the recommended variant should be within 5 % of the
best, and a factor of 1.5 to either side of a crossover the variant that was said to be faster should be no slower.
"""

from __future__ import annotations

import argparse
import datetime
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from jitmagic.comparison import Comparison, compare, shutdown
from jitmagic.devices import machine
from jitmagic.errors import JitmagicError
from tests.corpus.registry import Entry, entries

WITHIN = 1.05
"""The recommended variant's time over the best one's, at most."""
FACTOR = 1.5
"""A crossover is to be within this factor."""
WANTED = 0.95
"""Of the recommendations."""
PLACES = (0.0, 0.5, 1.0, 1.5, 2.0)
"""Sizes of a sweep, from the corpus's small one (0) to its large one (2)."""


@dataclass
class Row:
    """One function: what was recommended, how far it was from the best, and each crossover with whether it held."""

    name: str
    recommended: str
    best: str
    ratio: float
    crossings: list[tuple[str, bool]] = field(default_factory=list)


def main() -> int:
    """Prints the rows and the shares; returns 1 where they are too small."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.recommended", description=__doc__)
    parser.add_argument("--count", type=int, default=40)
    parser.add_argument("--budget", type=float, default=10.0)
    parser.add_argument("--backends", nargs="+", default=["numba", "jax", "torch"])
    parser.add_argument("--only", nargs="+", default=())
    options = parser.parse_args()
    here = machine()
    print(f"{datetime.date.today()}, {here['processor']}, {here['threads']} threads, load {here['load']}")
    every = [one for one in entries() if not options.only or one.name in options.only]
    chosen = [every[round(k)] for k in np.linspace(0, len(every) - 1, min(options.count, len(every)))]
    rows, held, crossings = 0, 0, []
    for entry in chosen:
        try:
            row = measured(entry, options.backends, options.budget)
        except JitmagicError as error:
            print(f"  {entry.name:<28} not compared: {str(error).splitlines()[0][:100]}", flush=True)
            continue
        finally:
            shutdown()
        rows += 1
        held += row.ratio <= WITHIN
        crossings += row.crossings
        told = "".join(f"; {words} {'held' if right else 'DID NOT HOLD'}" for words, right in row.crossings)
        print(f"  {row.name:<28} {row.recommended:<16} {row.ratio:.3f} of {row.best}{told}", flush=True)
    right = sum(one for _, one in crossings)
    print(f"\nwithin {WITHIN - 1:.0%} of the best: {held} of {rows} (wanted {WANTED:.0%}); crossovers within a factor "
          f"of {FACTOR}: {right} of {len(crossings)}")  # fmt: skip
    return 0 if held >= WANTED * rows and right >= WANTED * len(crossings) else 1


def measured(entry: Entry, backends: Sequence[str], budget: float) -> Row:
    """Compares one function, and measures again what was said of it."""
    try:
        every = [entry.args(place) for place in PLACES]  # type: ignore[arg-type]
    except (KeyError, TypeError, ValueError) as error:
        raise JitmagicError(f"it has arguments at the three sizes only ({error})") from error
    count = Count(every[0], every[-1])
    made = {count(args): args for args in every}
    sizes = sorted(made)
    asked: dict[str, Any] = {"backends": list(backends)}
    found = compare(entry.function, sweep={size: made[size] for size in sizes}, budget=budget, **asked)
    shutdown()
    again = compare(entry.function, *made[sizes[-1]], budget=2 * budget, **asked)
    times = {name: one.clocks["run"]["median"] for name, one in again.items() if one.verified and one.clocks["run"]}
    best = min(times, key=times.__getitem__)
    chosen = found.best.name
    row = Row(entry.name, chosen, best, times[chosen] / times[best] if chosen in times else float("inf"))
    for crossing in (found.record["sweep"] or {"crossovers": ()})["crossovers"]:
        words = f"{crossing['variant']} over {crossing['over']} at {crossing['n']:.0f}"
        if sizes[0] * FACTOR < crossing["n"] < sizes[-1] / FACTOR:
            row.crossings.append((words, _holds(entry, count, crossing, asked, budget)))
    return row


def _holds(entry: Entry, count: Count, crossing: dict[str, Any], asked: dict[str, Any], budget: float) -> bool:
    """Tells whether the variant that was to be faster on a side is nowhere clearly slower there."""
    for factor, ahead, behind in (
        (1 / FACTOR, crossing["over"], crossing["variant"]), (FACTOR, crossing["variant"], crossing["over"])
    ):  # fmt: skip
        shutdown()
        place = _place(lambda at: count(entry.args(at)), crossing["n"] * factor)  # type: ignore[arg-type]
        there = compare(entry.function, *entry.args(place), budget=budget / 2, **asked)  # type: ignore[arg-type]
        if not _at_least(there, ahead, behind):
            return False
    return True


def _at_least(comparison: Comparison, ahead: str, behind: str) -> bool:
    clocks = [comparison[name].clocks["run"] for name in (ahead, behind)]
    return None not in clocks and clocks[0]["low"] <= clocks[1]["high"] * WITHIN


def _place(count: Callable[[float], int], wanted: float) -> float:
    """Returns the place between small and large that has so many elements."""
    low, high = PLACES[0], PLACES[-1]
    for _ in range(20):
        middle = (low + high) / 2
        low, high = (middle, high) if count(middle) < wanted else (low, middle)
    return (low + high) / 2


class Count:
    """Counts what grows: the elements of all arrays, and whole numbers that differ from one size to another.

    Such a number counts as what it says, since it is one of steps; one that stays, as a seed does, is none.

    Parameters
    ----------
    small, large : sequence
        Arguments at two sizes.
    """

    def __init__(self, small: Sequence[Any], large: Sequence[Any]) -> None:
        self._grows = [_elements([one]) != _elements([other]) for one, other in zip(small, large, strict=True)]

    def __call__(self, args: Sequence[Any]) -> int:
        return _elements([one for one, grows in zip(args, self._grows, strict=True) if grows])


def _elements(args: Sequence[Any]) -> int:
    total = 0
    for one in args:
        if isinstance(one, np.ndarray):
            total += one.size
        elif isinstance(one, list | tuple):
            total += _elements(one)
        elif isinstance(one, int) and not isinstance(one, bool):
            total += abs(one)
    return total


if __name__ == "__main__":
    sys.exit(main())
