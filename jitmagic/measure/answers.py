"""What a worker answers with, and what it is asked with: data that goes between processes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from jitmagic.backends.protocol import Failure
from jitmagic.measure.transport import Parcel
from jitmagic.verify.compare import Finding
from jitmagic.verify.derivatives import Doubt
from jitmagic.verify.movement import Movement
from jitmagic.verify.reference import Expected

KEPT = "kept"
"""A build's cache: nothing was built, it is that of the comparison before, and so are its seconds."""

NOT_SENT = "not sent"
"""A probe's status: what NumPy returned cannot go to another process."""


@dataclass(frozen=True)
class Reference:
    """What NumPy gave, for the others to compare with.

    Attributes
    ----------
    parcel : Parcel
        Of ``(result, arguments by label after the call)``.
    mutated : tuple of str
    returns_argument : str or None
    movement : mapping of str to Movement
    derivative : Parcel or None
        Of ``(result, error of each entry)``, where the reference of the variants is an estimate and not NumPy's result.
    """

    parcel: Parcel
    mutated: tuple[str, ...]
    returns_argument: str | None
    movement: Mapping[str, Movement] = field(default_factory=dict)
    derivative: Parcel | None = None


@dataclass(frozen=True)
class Derived:
    """How sure the baseline's differences are, as data for the user's process; see :mod:`jitmagic.verify.derivatives`.

    Attributes
    ----------
    parcel : Parcel
        Of ``(derivative, error of each entry)``: what variants are held against in place of the baseline's result.
    single : bool
        Whether the derivative is in single precision, where the argument's rounding does more than differences'.
    relative : float or None
        The largest error of what can be checked, as a share of the largest entry.
    baseline : float or None
        By how much the baseline is off, as a share of the largest entry.
    doubts : tuple of Doubt
    doubtful, entries : int
        How many entries cannot be checked, and of how many.
    """

    parcel: Parcel
    single: bool
    relative: float | None
    baseline: float | None
    doubts: tuple[Doubt, ...]
    doubtful: int
    entries: int


@dataclass(frozen=True)
class Asked:
    """A probe with NumPy's answer, as data for the workers.

    Attributes
    ----------
    expected : Expected
        Without values.
    parcel : Parcel or None
        Of ``(call, result, arguments by label after the call, oracle)``; None where NumPy neither gave a result nor
        raised.
    signature : tuple
        Dtypes, shapes and layouts of the arguments: what a compiler may have to compile anew for.
    """

    expected: Expected
    parcel: Parcel | None = None
    signature: tuple[Any, ...] = ()


@dataclass(frozen=True)
class Built:
    """What came of one draft in a worker.

    Attributes
    ----------
    failure : Failure or None
        Why it did not run.
    finding : Finding or None
        How its result compares with NumPy's; None where it did not run.
    first : float
        Seconds from source text to the first complete result.
    second : float
        Seconds of the second call, on fresh arguments.
    host_peak : int or None
        Bytes of host memory that the second call needed beyond what was in use, its result among them.
    device_peak : int or None
        The same on the device; None where the host is the device, or the library does not tell.
    threads : int or None
    cache : str
        "cold", or "warm" where a compiler's cache on disk may have helped, or :data:`KEPT`.
    operations : float or None
        Floating-point operations of a call by the library's own count; None where it has none.
    shares : tuple of str
        Labels of the arguments with whose memory the caller's result shares memory.
    """

    failure: Failure | None = None
    finding: Finding | None = None
    first: float = 0.0
    second: float = 0.0
    host_peak: int | None = None
    device_peak: int | None = None
    threads: int | None = None
    cache: str = "cold"
    shares: tuple[str, ...] = ()
    operations: float | None = None
