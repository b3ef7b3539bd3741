"""What became of each variant, and how that is written into the record."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from jitmagic.advice.verdict import Verdict
from jitmagic.backends.protocol import Draft
from jitmagic.capture.workload import Workload
from jitmagic.measure.answers import Built
from jitmagic.measure.nodes.place import device_of, node_of
from jitmagic.measure.probing import Probed
from jitmagic.measure.statistics import Interval, across_processes, count_outliers, median_interval, ratio_interval
from jitmagic.verify.snippet import snippet

_WORST = ("differs", "no exception", "crashed", "timed out", "raises")
"""Outcomes of probes, the worst first."""


@dataclass
class Outcome:
    """The story of one variant so far; filled in by the steps in their order.

    Attributes
    ----------
    name, backend, device, mode : str
        The device with the machine that has it, where that is another one: ``"gpu1/cuda:0"``.
    draft : Draft or None
        The last draft that was tried; None where none could be written.
    built : Built or None
        What the worker made of it.
    verdict : Verdict or None
        None while it is on its way.
    samples : list of float
        Seconds a call, one a round, in the same rounds as the baseline's.
    calls : int
    fresh : list of int
        The rounds before which its process, and the baseline's, were replaced.
    to_device, to_host, end_to_end : list of float
        Seconds.
    enqueue, on_device : list of float
        Seconds of a call on a device of its own: until it returns to the host, and by the device's own clock.
    tried : list of dict
        Forms that lost, as ``{"form": …, "run": seconds}``.
    notes : list of str
        What the reader should know, beside the draft's own notes.
    limits : dict or None
        How near it is to what the machine can do; None where that cannot be said.
    probes : list of Probed or None
        What it did with other arguments; None where it was not probed.
    thread_limit : int or None
        The number of threads that it was held to, where it is a further row of the variant named ``unlimited``.
    """

    name: str
    backend: str
    device: str
    mode: str
    draft: Draft | None = None
    built: Built | None = None
    verdict: Verdict | None = None
    samples: list[float] = field(default_factory=list)
    calls: int = 0
    fresh: list[int] = field(default_factory=list)
    to_device: list[float] = field(default_factory=list)
    to_host: list[float] = field(default_factory=list)
    end_to_end: list[float] = field(default_factory=list)
    enqueue: list[float] = field(default_factory=list)
    on_device: list[float] = field(default_factory=list)
    tried: list[dict[str, Any]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    probes: list[Probed] | None = None
    thread_limit: int | None = None
    unlimited: str = ""
    limits: dict[str, Any] | None = None

    @property
    def node(self) -> str:
        """The machine that it is for, "" for this one."""
        return node_of(self.device)

    @property
    def verified(self) -> bool | None:
        """True, False, or None where it was never compared, or the comparison cannot tell."""
        if self.built is None or self.built.finding is None or self.built.finding.kind == "undecided":
            return None
        return self.built.finding.ok

    @property
    def run(self) -> Interval | None:
        """Seconds of one call."""
        return median_interval(self.samples) if self.samples else None

    @property
    def build_seconds(self) -> float | None:
        """Seconds from source to a first result, less one ordinary call."""
        if self.built is None or self.run is None:
            return None
        return max(self.built.first - self.run.median, 0.0)

    @property
    def findings(self) -> list[Probed]:
        """The probes that it failed, the worst first."""
        wrong = [one for one in self.probes or () if one.wrong]
        return sorted(wrong, key=lambda one: (_WORST.index(one.outcome), one.kind == "dtype"))

    def speedup(self, baseline: Sequence[float]) -> Interval | None:
        """Returns how many times the baseline's speed it has; None unless both are verified and timed."""
        if not self.verified or not self.samples or not baseline:
            return None
        return across_processes(ratio_interval(baseline, self.samples, fresh=self.fresh))


def variant_record(
    outcome: Outcome, baseline: Outcome, workload: Workload | None = None, here: Outcome | None = None
) -> dict[str, Any]:
    """Writes one variant's entry of the record; see the schema for its fields.

    ``baseline`` is NumPy on the same machine; ``here`` is NumPy on this one, for a variant of another. ``workload`` is
    needed for a variant that was probed: what it failed is shown in the user's names.
    """
    draft, built, verdict = outcome.draft, outcome.built, outcome.verdict
    if verdict is None:
        raise ValueError(f"{outcome.name} has no verdict yet")
    finding = built.finding if built is not None else None
    entry: dict[str, Any] = {
        "name": outcome.name,
        "backend": outcome.backend,
        "device": device_of(outcome.device),
        "mode": outcome.mode,
        "verdict": verdict.verdict,
        "reason": verdict.reason,
        "next_step": verdict.next_step,
        "source": draft.module.text if draft is not None else "",
        "entry": draft.entry if draft is not None else "",
        "needs": list(draft.needs) if draft is not None else [],
        "lines": list(draft.module.lines) if draft is not None else [],
        "verified": outcome.verified,
        "error": None,
        "clocks": _clocks(outcome),
        "build_cache": built.cache if built is not None and outcome.build_seconds is not None else None,
        "memory": {
            "host_peak": built.host_peak if built is not None else None,
            "device_peak": built.device_peak if built is not None else None,
        },
        "threads": built.threads if built is not None else None,
        "thread_limit": outcome.thread_limit,
        "break_even_calls": _break_even(outcome, baseline),
        "form": draft.form if draft is not None else "",
        "tried": outcome.tried,
        "notes": [*(draft.notes if draft is not None else ()), *outcome.notes],
        "limits": outcome.limits,
    }
    if outcome.probes is not None:
        entry["probes"] = [_probe_record(one, workload) for one in outcome.probes]
    if finding is not None and finding.max_abs is not None:
        entry["error"] = {
            "max_abs": _finite(finding.max_abs),
            "max_rel": _finite(finding.max_rel),
            "where": finding.where,
        }
    if outcome.node:
        across = outcome.speedup(here.samples) if here is not None else None
        entry["machine"] = outcome.node
        entry["across"] = None if across is None else {
            "median": across.median, "low": across.low, "high": across.high
        }  # fmt: skip
    speedup = outcome.speedup(baseline.samples)
    if speedup is not None and outcome is not baseline:
        entry["speedup"] = {"median": speedup.median, "low": speedup.low, "high": speedup.high}
        entry["processes"] = speedup.processes
    return entry


def _probe_record(probed: Probed, workload: Workload | None) -> dict[str, Any]:
    text = ""
    if probed.wrong and probed.steps and workload is not None:
        text = snippet(
            workload.function.name, workload.call, (*workload.argument_names, *probed.extra),
            [*workload.kwargs, *probed.extra], probed.steps, probed.global_change,
        )  # fmt: skip
    return {
        "name": probed.name,
        "arguments": probed.arguments,
        "outcome": probed.outcome,
        "kind": probed.kind,
        "detail": probed.detail,
        "snippet": text,
    }


def _clocks(outcome: Outcome) -> dict[str, Any]:
    build = outcome.build_seconds if outcome.verdict is not None and outcome.verdict.verdict != "baseline" else None
    clocks = {
        "build": None if build is None else _clock([build], 1),
        "to_device": _clock(outcome.to_device, len(outcome.to_device)),
        "run": _clock(outcome.samples, outcome.calls),
        "to_host": _clock(outcome.to_host, len(outcome.to_host)),
        "end_to_end": _clock(outcome.end_to_end or outcome.samples, len(outcome.end_to_end) or outcome.calls),
    }
    # a saved notebook holds them for every variant: those of other devices only where there is one
    for name, samples in (("enqueue", outcome.enqueue), ("on_device", outcome.on_device)):
        if samples:
            clocks[name] = _clock(samples, len(samples))
    return clocks


def _clock(samples: Sequence[float], calls: int) -> dict[str, Any] | None:
    if not samples:
        return None
    interval = median_interval(samples)
    return {
        "median": interval.median,
        "low": interval.low,
        "high": interval.high,
        "samples": interval.samples,
        "calls": calls,
        "outliers": count_outliers(samples),
    }


def _break_even(outcome: Outcome, baseline: Outcome) -> int | None:
    """Returns after how many calls the build time is earned back; None where it never is, or that is not clear."""
    build, run, base = outcome.build_seconds, outcome.run, baseline.run
    if outcome is baseline or not outcome.verified or build is None or run is None or base is None:
        return None
    if outcome.verdict is None or outcome.verdict.verdict != "faster":
        return None
    gain = base.median - run.median
    return max(1, math.ceil(build / gain)) if gain > 0 else None


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def describe_values(labels: Sequence[str], values: Sequence[Any], mutated: Sequence[str]) -> list[dict[str, Any]]:
    """Describes arguments for the record: kind, dtype, shape, bytes; the value itself for numbers and short strings."""
    return [describe_value(label, value, label in mutated) for label, value in zip(labels, values, strict=True)]


def describe_value(name: str, value: Any, mutated: bool = False) -> dict[str, Any]:
    """Describes one value for the record."""
    import numpy as np

    entry: dict[str, Any] = {
        "name": name, "kind": "object", "dtype": None, "shape": None, "bytes": None, "mutated": mutated, "value": None
    }  # fmt: skip
    if isinstance(value, np.ndarray | np.generic):
        entry["kind"] = "array" if isinstance(value, np.ndarray) else "scalar"
        entry["dtype"], entry["shape"], entry["bytes"] = str(value.dtype), list(value.shape), int(value.nbytes)
        if isinstance(value, np.generic):
            entry["value"] = repr(value.item())[:60]
    elif isinstance(value, Mapping):
        entry["kind"] = "dict"
    elif isinstance(value, bool | int | float | complex | str | type(None)):
        entry["kind"] = "none" if value is None else type(value).__name__
        entry["value"] = repr(value)[:60]
    elif isinstance(value, list | tuple):
        entry["kind"] = type(value).__name__
    return entry
