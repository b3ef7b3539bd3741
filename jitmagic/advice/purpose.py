"""What a variant is wanted for: how often it will be called, where, and what else it has to be."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jitmagic.outcome import Outcome

NEEDS = ("gradients",)
PLACES = {"cpu": ("cpu",), "gpu": ("cuda", "rocm", "mps", "xpu", "metal"), "tpu": ("tpu",)}
"""What `deploy` takes, with the kinds of device that each means."""
KEPT = ("simple",)


@dataclass(frozen=True)
class Purpose:
    """What the recommendation is for.

    Attributes
    ----------
    calls : int or None
        How often the function will be called like this; None where only the speed of a call matters.
    need : tuple of str
        Of :data:`NEEDS`: what a variant has to offer beside the result.
    deploy : str or None
        Of :data:`PLACES`: where it will run.
    keep : str or None
        "simple": the fewest changed lines go before the highest speed.

    Raises
    ------
    ValueError
        For anything else; says what can be written.
    """

    calls: int | None = None
    need: tuple[str, ...] = ()
    deploy: str | None = None
    keep: str | None = None

    def __post_init__(self) -> None:
        whole = isinstance(self.calls, int) and not isinstance(self.calls, bool)
        if self.calls is not None and (not whole or self.calls < 1):
            raise ValueError(f"calls has to be a whole number from 1 on, not {self.calls!r}")
        odd = next((one for one in self.need if one not in NEEDS), None)
        if odd is not None:
            raise ValueError(f"need takes {', '.join(NEEDS)}, and not {odd!r}")
        if self.deploy is not None and self.deploy not in PLACES:
            raise ValueError(f"deploy takes {', '.join(PLACES)}, and not {self.deploy!r}")
        if self.keep is not None and self.keep not in KEPT:
            raise ValueError(f"keep takes {', '.join(KEPT)}, and not {self.keep!r}")

    @property
    def takes_numpy(self) -> bool:
        """Whether NumPy itself would do: it runs on the CPU and has no gradients."""
        return not self.need and self.deploy in (None, "cpu")

    def here(self, outcomes: Sequence[Outcome]) -> list[Outcome]:
        """Returns those that are for the place where it will run."""
        if self.deploy is None:
            return list(outcomes)
        return [one for one in outcomes if one.device.partition(":")[0] in PLACES[self.deploy]]

    def able(self, outcomes: Sequence[Outcome], differentiable: Callable[[Outcome], bool]) -> list[Outcome]:
        """Returns those that offer what is needed."""
        return [one for one in outcomes if "gradients" not in self.need or differentiable(one)]


def total(one: Outcome, calls: int) -> float:
    """Returns the seconds of so many calls, with the build, and with the ways to and from a device once."""
    if one.run is None:
        raise ValueError(f"{one.name} was not timed")
    moved = sum(sum(way) / len(way) for way in (one.to_device, one.to_host) if way)
    return (one.build_seconds or 0.0) + moved + calls * one.run.median
