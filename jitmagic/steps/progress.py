"""How far a comparison has come, as its callers are told."""

from __future__ import annotations

from dataclasses import dataclass

from jitmagic.measure.statistics import Interval


@dataclass(frozen=True)
class Standing:
    """What has become of one variant so far.

    Attributes
    ----------
    name, device : str
    verified : bool
        Whether its result was compared with NumPy's and agreed.
    verdict : str or None
        None while it is on its way.
    speedup : Interval or None
        How many times faster than NumPy it is by the rounds so far, as the record would give it now; None before there
        are some, and for the baseline.
    """

    name: str
    device: str
    verified: bool
    verdict: str | None
    speedup: Interval | None = None


@dataclass(frozen=True)
class Progress:
    """Where a comparison has come to.

    Attributes
    ----------
    variant : str or None
    step : str
        "observing", "writing", "checking", "compiling", "timing", "probing".
    done, total : int
        Of the variants, or of the rounds while timing.
    seconds_left : float or None
        Of the timing budget.
    standings : tuple of Standing
        The baseline, and every variant that is known by now.
    size : str
        In a sweep, the size that is measured, e.g. "n = 1,000 (2 of 9)"; else empty.
    """

    variant: str | None
    step: str
    done: int
    total: int
    seconds_left: float | None = None
    standings: tuple[Standing, ...] = ()
    size: str = ""
