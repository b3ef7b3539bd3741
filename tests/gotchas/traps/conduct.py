"""Takes a trap through a real comparison, and finds what became of it: avoided, caught, named, or green."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from jitmagic.capture.function import from_function
from jitmagic.comparison import Comparison
from jitmagic.errors import JitmagicError
from jitmagic.gotchas.registry import all_rules
from jitmagic.options import Options
from jitmagic.steps.run import Run
from jitmagic.verify import judge
from jitmagic.verify.probes import Probe
from jitmagic.verify.reference import RAISED, TAKEN, expect
from tests.gotchas.traps.table import SILENT, Trap

AVOIDED, CAUGHT, NAMED, REFUSED, NOT_HERE, NOTHING, GREEN = (
    "avoided", "caught", "named", "refused", "not here", "no variant", "GREEN"
)  # fmt: skip
"""What can become of a trap; the last is what must not be: a wrong result shown as right."""


@dataclass(frozen=True)
class Fate:
    """What became of a trap, and how that was seen."""

    trap: Trap
    what: str
    how: str


class _Untimed(Run):
    """A comparison with time for all probes, and without timing."""

    def measure(self) -> None:
        for one in (self.baseline, *self.outcomes):
            if one.verdict is None and one.verified and one.built is not None:
                one.samples, one.calls = [one.built.second] * 5, 5
        self.timing_seconds = 8.0


def fate(trap: Trap) -> Fate:
    """Runs a trap."""
    if trap.needs:
        return Fate(trap, NOT_HERE, f"it needs {trap.needs}")
    if trap.function is None:
        return Fate(trap, NOTHING, trap.reason)
    try:
        workload = from_function(trap.function, copy.deepcopy(trap.args), {})
        run = _Untimed(workload, Options(backends=(trap.backend,)))
        try:
            found = Comparison(run.through())
        finally:
            run.close()
    except JitmagicError as error:
        return Fate(trap, REFUSED, str(error))
    return _judged(trap, found)


def _judged(trap: Trap, found: Comparison) -> Fate:
    """The worst fate of all variants."""
    order = (GREEN, NAMED, CAUGHT, AVOIDED, REFUSED)
    fates = [_of_variant(trap, found, entry) for entry in found.record["variants"]]
    return min(fates, key=lambda one: order.index(one.what)) if fates else Fate(trap, GREEN, "there is no variant")


def _of_variant(trap: Trap, found: Comparison, entry: Mapping[str, Any]) -> Fate:
    name = entry["name"]
    if entry["verdict"] in ("unsupported", "crashed", "timed out"):
        return Fate(trap, REFUSED, f"{name}: {entry['reason']}")
    if entry["verdict"] == "differs":
        return Fate(trap, CAUGHT, f"{name} differs: {entry['reason']}")
    wrong = [one for one in entry.get("probes", ()) if one["outcome"] not in ("agrees", "not run")]
    named = [g for g in found.record["gotchas"] if g["code"] == trap.code and not g["handled"]]
    named = [g for g in named if g["status"] != "not seen with these inputs"]
    bitten = _bitten(trap, found, name)
    if bitten is None and trap.code in ("NB-GLOBALS", "JX-GLOBALS"):
        bitten = "it keeps the value that the global had"
    if bitten is None and trap.code in ("JX-PRINT", "JX-LEAK"):
        bitten = "what it does beside its result is done once, or not at all"
    if bitten is None:
        return Fate(trap, AVOIDED, f"{name} is right there too")
    silent = [one for one in wrong if one["outcome"] != "raises"]
    if silent:
        return Fate(trap, CAUGHT, f"{name}: right here, but with {silent[0]['arguments']}: {silent[0]['detail']}")
    if named:
        return Fate(trap, NAMED, f"{name}: {named[0]['code']} ({named[0]['status']}) {named[0]['message']}")
    return Fate(trap, GREEN, f"{name}: {bitten}")


def _bitten(trap: Trap, found: Comparison, name: str) -> str | None:
    """Says what a verified variant does wrong with the arguments that bite; None where it does nothing wrong."""
    if trap.bite is None or trap.function is None:
        return None
    workload = from_function(trap.function, copy.deepcopy(trap.args), {})
    labels = workload.argument_names
    bite = trap.bite
    expected = expect(trap.function, Probe("bite", "", ()), labels, lambda: (copy.deepcopy(bite), {}), 5.0)
    if expected.status not in (TAKEN, RAISED):
        raise AssertionError(f"{trap.code}: NumPy itself, with the arguments that bite: {expected.status}")
    if expected.status == RAISED and trap.backend == "numba" and (expected.error or ("",))[0] == "IndexError":
        return "it leaves its arrays"  # not to be done in this process

    function = found[name].build()

    def run() -> tuple[Any, Mapping[str, Any]]:
        args = copy.deepcopy(bite)
        result = _host(function(*args))
        return result, dict(zip(labels, args, strict=True))

    judged = judge.judge(expected, labels, run)
    return None if judged.outcome in (judge.AGREES, judge.RAISES) else judged.detail


def _host(value: Any) -> Any:
    import numpy as np

    if isinstance(value, tuple | list):
        return type(value)(map(_host, value))
    if type(value).__module__.split(".")[0] in ("jax", "jaxlib", "torch"):
        host = np.asarray(value)
        return host[()] if host.ndim == 0 else host
    return value


def problems(fates: list[Fate]) -> list[str]:
    """Returns what must not be."""
    texts = [
        f"{one.trap.code} is green: {one.how}" for one in fates if one.what == GREEN and one.trap.severity == SILENT
    ]
    rules = all_rules()
    for one in fates:
        if one.trap.code not in rules:
            texts.append(f"{one.trap.code} has neither a rule nor a page that says why not")
    return texts
