"""A comparison on its way, as data: what a page draws as bars while it waits.

The same is shown by the JupyterLab extension (by its media type) and by the widget.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from jitmagic import figures
from jitmagic.report import clean, columns

MIME = "application/vnd.jitmagic.progress.v1+json"
"""Media type of the progress in a notebook's output; the result takes its place."""

SCHEMA = "jitmagic-progress/v1"

_CALL_COLUMNS = 160
_NAME_COLUMNS = 60
_SHARES = {"waiting": 0.0, "observing": 0.1, "writing": 0.1, "compiling": 0.25, "checking": 0.45, "checked": 0.6}
"""How much of a variant's way lies behind it; the clock has the rest."""


class IntervalLike(Protocol):
    """What is read of a :class:`jitmagic.measure.statistics.Interval`."""

    @property
    def median(self) -> float: ...
    @property
    def low(self) -> float: ...
    @property
    def high(self) -> float: ...


class StandingLike(Protocol):
    """What is read of a :class:`jitmagic.comparison.Standing`."""

    @property
    def name(self) -> str: ...
    @property
    def device(self) -> str: ...
    @property
    def verified(self) -> bool: ...
    @property
    def verdict(self) -> str | None: ...
    @property
    def speedup(self) -> IntervalLike | None: ...


class ProgressLike(Protocol):
    """What is read of a :class:`jitmagic.comparison.Progress`."""

    @property
    def variant(self) -> str | None: ...
    @property
    def step(self) -> str: ...
    @property
    def seconds_left(self) -> float | None: ...
    @property
    def standings(self) -> Sequence[StandingLike]: ...
    @property
    def size(self) -> str: ...


def state(call: str, event: ProgressLike, budget: float) -> dict[str, Any]:
    """Returns how far a comparison is.

    Parameters
    ----------
    call : str
        What is compared.
    event : Progress
    budget : float
        Seconds for the timing.

    Returns
    -------
    dict
        ``{"schema", "call", "doing": what is done now, "seconds_left": of the timing or None,
        "variants": [{"label", "step": a step or a verdict, "share": 0 to 1, "so_far": the speedup by the rounds until
        now as text, e.g. "5.8× (5.6–6.0)", or None}]}``
    """
    doing = f"{event.step} {event.variant}" if event.variant else f"{event.step} all variants in rounds"
    if event.size:
        doing = f"{event.size}: {doing}"
    return {
        "schema": SCHEMA,
        "call": columns.cut(clean.line(call), _CALL_COLUMNS),
        "doing": columns.cut(clean.line(doing), _NAME_COLUMNS),
        "seconds_left": None if event.seconds_left is None else max(event.seconds_left, 0.0),
        "variants": [_variant(one, event, budget) for one in event.standings],
    }


def _variant(one: StandingLike, event: ProgressLike, budget: float) -> dict[str, Any]:
    step = _step(one, event)
    share = _SHARES.get(step, 1.0)
    if step == "timing":
        spent = 0.0 if event.seconds_left is None else 1.0 - min(max(event.seconds_left / budget, 0.0), 1.0)
        share = _SHARES["checked"] + (1.0 - _SHARES["checked"]) * spent
    name = clean.line(one.name)
    device = clean.line(one.device)
    label = name if device == "cpu" or device in name else f"{name} · {device}"
    return {
        "label": columns.cut(label, _NAME_COLUMNS),
        "step": step,
        "share": round(share, 3),
        "so_far": None if one.speedup is None else so_far(one.speedup),
    }


def so_far(speedup: IntervalLike) -> str:
    """Writes a speedup that is still being measured, e.g. "5.8× (5.6–6.0)"."""
    ratio: Mapping[str, float] = {"median": speedup.median, "low": speedup.low, "high": speedup.high}
    figure, ends = figures.speedup(ratio)
    return f"{figure} ({ends})" if ends else figure


def _step(one: StandingLike, event: ProgressLike) -> str:
    if one.verdict is not None:
        return one.verdict
    if event.step == "timing" and one.verified:
        return "timing"
    if event.variant == one.name:
        return event.step
    return "checked" if one.verified else "waiting"
