"""What the user asked a comparison for, checked."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass

from jitmagic.advice.purpose import Purpose
from jitmagic.backends import all_backends
from jitmagic.backends.protocol import Backend
from jitmagic.measure.interpreter import resolve
from jitmagic.measure.nodes import address
from jitmagic.measure.sweep import sizes
from jitmagic.transforms.transform import KINDS, Transform, parse

MOST_MARGIN = 50.0
"""Per cent: an interval that is wider than its median has nothing to say."""


@dataclass(frozen=True)
class Options:
    """What the user asked for.

    Attributes
    ----------
    backends : tuple of str or None
        Names; None for all that are known.
    devices : tuple of str or None
        ``"cpu"``, ``"cuda:0"``, …; None for all that are found.
    budget : float
        Seconds for the timing.
    timeout : float
        Seconds that one variant may take to build, or one sample to be taken.
    dtype : str or None
        ``"float32"`` or ``"float64"``: floating arguments are cast to it before anything else.
    threads : tuple of str or None
        How many CPU threads the libraries may use: numbers, and "all" for no limit; several give further rows.
    sweep : str or None
        The sizes to measure too, e.g. ``"n=1e3:1e7:9"``; see :mod:`jitmagic.measure.sweep.sizes`.
    python : mapping of str to str, or None
        By backend, the interpreter that its worker runs under: a path, an environment's folder, or a name on the PATH.
        Absolute paths once it is checked.
    cold : bool
        Whether the processor's caches are emptied before every timed call.
    calls, need, deploy, keep
        What the recommendation is for; see :class:`jitmagic.advice.purpose.Purpose`.
    on : tuple of str or None
        Addresses of other machines that the variants are run on too: ``ssh://host``, or a Dask scheduler's ``tcp://…``.
    transform : Transform or None
        The derivative or the batch that is compared in place of the function itself.
    margin : float
        The timing ends sooner where every speedup is known to so many per cent on either side, and those near 1 closer.
    """

    backends: tuple[str, ...] | None = None
    devices: tuple[str, ...] | None = None
    budget: float = 10.0
    timeout: float = 60.0
    dtype: str | None = None
    sweep: str | None = None
    threads: tuple[str, ...] | None = None
    python: Mapping[str, str] | None = None
    cold: bool = False
    calls: int | None = None
    need: tuple[str, ...] | None = None
    deploy: str | None = None
    keep: str | None = None
    on: tuple[str, ...] | None = None
    transform: Transform | None = None
    margin: float = 15.0

    def __post_init__(self) -> None:
        known = all_backends()
        for name in self.backends or ():
            if name not in known:
                close = difflib.get_close_matches(name, known, n=1)
                meant = f"is {close[0]} meant? There are" if close else "choose from"
                raise ValueError(f"there is no backend {name!r}; {meant} {', '.join(known)}")
        for name in self.devices or ():
            if not re.fullmatch(r"cpu|mps|(cuda|tpu):\d+", name):
                raise ValueError(
                    f"there is no device {name!r}; write cpu, or cuda:0 for the first GPU "
                    "(`jitmagic devices` or %jitdevices lists what is here)"
                )
        asked = [name for name in known if name != "numpy" and (self.backends is None or name in self.backends)]
        if self.devices and asked and not self.on and not any(name in (self.python or {}) for name in asked):
            kinds = {name: known[name].availability().kinds for name in asked}
            if not any(one.partition(":")[0] in able for one in self.devices for able in kinds.values()):
                places = ", ".join(f"{name} on {' and '.join(able)}" for name, able in kinds.items())
                raise ValueError(f"nothing to compare on {', '.join(self.devices)}: jitmagic runs {places}")
        for name, value in (("budget", self.budget), ("timeout", self.timeout)):
            if not isinstance(value, int | float) or not 0 < value < float("inf"):
                raise ValueError(f"{name} has to be a positive number of seconds, not {value!r}")
        if not isinstance(self.margin, int | float) or not 0 < self.margin <= MOST_MARGIN:
            raise ValueError(
                f"margin has to be a number of per cent above 0, at most {MOST_MARGIN:g}, and not {self.margin!r}"
            )
        self._resolve(known)
        if self.dtype not in (None, "float32", "float64"):
            raise ValueError(f"dtype has to be float32 or float64, not {self.dtype!r}")
        for count in self.threads or ():
            if count != "all" and not (count.isascii() and count.isdigit() and 1 <= int(count) <= 4096):
                raise ValueError(f"threads takes numbers from 1 on and all, e.g. 1,all, and not {count!r}")
        if self.sweep is not None:
            sizes.parse(self.sweep)
        for one in self.on or ():
            address.parse(one)
        if self.transform is not None and self.sweep is not None:
            raise ValueError(f"{self.transform.text} is for one size: leave the sweep out, or run it for each size")
        _ = self.purpose  # raises what is wrong with it

    @property
    def purpose(self) -> Purpose:
        """What the recommendation is for."""
        return Purpose(self.calls, tuple(self.need or ()), self.deploy, self.keep)

    def _resolve(self, known: Mapping[str, Backend]) -> None:
        """Checks the interpreters, and puts their absolute paths in their place."""
        if not self.python:
            object.__setattr__(self, "python", None)
            return
        found = {}
        for name, path in dict(self.python).items():
            if name == "numpy":
                raise ValueError("python cannot be given for numpy: the baseline runs as in your session")
            if name not in known:
                raise ValueError(f"there is no backend {name!r} to give a python for; choose from {', '.join(known)}")
            found[name] = resolve(str(path))
        object.__setattr__(self, "python", found)


def asked_transform(given: Mapping[str, str | None]) -> Transform | None:
    """Reads the one transformation of the options by their names; None where none is given.

    Raises
    ------
    ValueError
        Where more than one is given, or it cannot be read.
    """
    found = [parse(kind, text) for kind in KINDS if (text := given.get(kind)) is not None]
    if len(found) > 1:
        raise ValueError(f"{' and '.join(one.text for one in found)} are two comparisons: ask for one at a time")
    return found[0] if found else None
