"""Turns what happened to a variant into one verdict with one cause and one next step."""

from __future__ import annotations

from dataclasses import dataclass

from jitmagic.backends.protocol import Availability, Failure
from jitmagic.errors import Refusal
from jitmagic.measure.nodes.client import NodeLost
from jitmagic.measure.nodes.place import device_of, kind_of, node_of
from jitmagic.measure.process import WorkerOutOfMemory, WorkerTimedOut
from jitmagic.measure.statistics import Interval
from jitmagic.verify.compare import Finding

VERDICTS = (
    "baseline",
    "faster",
    "slower",
    "no clear difference",
    "differs",
    "not verified",
    "unsupported",
    "crashed",
    "timed out",
    "stopped",
)
"""``not verified``: it ran, and what it is held against is not sure enough to tell.
``stopped``: the user's interrupt, the budget's end, or the loss of its machine came before the variant was timed."""


@dataclass(frozen=True)
class Verdict:
    """One verdict.

    Attributes
    ----------
    verdict : str
        One of :data:`VERDICTS`.
    reason : str
        One cause, as a sentence without its full stop; empty where the figures say it all.
    next_step : str
        What to do about it; may be empty.
    """

    verdict: str
    reason: str = ""
    next_step: str = ""


def of_ratio(ratio: Interval) -> Verdict:
    """Judges a speedup over the baseline: an interval that holds 1 is no clear difference.

    >>> of_ratio(Interval(1.02, 0.99, 1.05, 20)).verdict
    'no clear difference'
    """
    if ratio.low > 1.0:
        return Verdict("faster")
    if ratio.high < 1.0:
        return Verdict("slower")
    return Verdict("no clear difference")


def of_refusal(refusal: Refusal) -> Verdict:
    """Judges a variant that was not made."""
    from jitmagic.gotchas.registry import all_rules

    known = refusal.code is not None and refusal.code in all_rules()
    return Verdict("unsupported", refusal.reason, f"jitmagic explain {refusal.code} says more" if known else "")


def of_missing_device(device: str) -> Verdict:
    """Judges a variant for a device that this machine does not have."""
    kind = "NVIDIA GPU" if kind_of(device) == "cuda" else device_of(device)
    return Verdict(
        "unsupported",
        f"there is no {kind} on {node_of(device) or 'this machine'}",
        "its source is shown, to be run on a machine that has one",
    )


def of_missing_library(title: str, available: Availability) -> Verdict:
    """Judges a variant whose library is not installed, or cannot be used."""
    return Verdict("unsupported", available.reason or f"{title} is not installed", available.remedy or "")


def of_finding(finding: Finding) -> Verdict:
    """Judges a variant whose result is not NumPy's."""
    return Verdict("differs", finding.message, "do not use it; its source is shown so that you can see why")


def of_failure(failure: Failure, line: int | None) -> Verdict:
    """Judges a variant that raised where NumPy did not.

    Parameters
    ----------
    line : int or None
        The user's line at which it was raised.
    """
    at = f" at line {line}" if line is not None else ""
    text = failure.message.strip().splitlines()
    name = failure.type.rpartition(".")[2]
    if "MemoryError" in failure.classes:
        return Verdict("crashed", f"out of memory{at}: {text[0] if text else name}", "try smaller arguments")
    return Verdict(
        "crashed",
        f"it raised {name}{at}, which NumPy does not" + (f": {text[0]}" if text else ""),
        "its source is shown, so that you can run it by itself",
    )


def of_lost_worker(error: Exception) -> Verdict:
    """Judges a variant that took its worker process with it, or was lost with its machine."""
    if isinstance(error, NodeLost):
        return Verdict("stopped", str(error), "what ran here is not affected; run it again when the machine is back")
    if isinstance(error, WorkerTimedOut):
        return Verdict("timed out", str(error), "give it longer with --timeout, or try smaller arguments")
    if isinstance(error, WorkerOutOfMemory):
        return Verdict("crashed", str(error), "try smaller arguments")
    return Verdict("crashed", str(error), "your session is not affected; its source is shown")
