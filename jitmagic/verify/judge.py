"""Judges what a variant did with a probe, against what NumPy did."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from jitmagic.verify.compare import Finding, compare_call, count_elements, numeric_leaves
from jitmagic.verify.movement import Movement
from jitmagic.verify.reference import RAISED, Expected
from jitmagic.verify.tolerance import tolerance

AGREES, DIFFERS, NO_EXCEPTION, RAISES = "agrees", "differs", "no exception", "raises"
CRASHED, TIMED_OUT, NOT_RUN = "crashed", "timed out", "not run"

OUTCOMES = (AGREES, DIFFERS, NO_EXCEPTION, RAISES, CRASHED, TIMED_OUT, NOT_RUN)
"""``no exception``: NumPy raises and the variant gives numbers. ``raises``: the variant raises and NumPy does not."""

_ORACLE_FACTOR = 8.0
"""In single precision a variant may be so many times as far from the double-precision result as NumPy itself is."""


@dataclass(frozen=True)
class Judgement:
    """What became of one variant on one probe.

    Attributes
    ----------
    outcome : str
        One of :data:`OUTCOMES`.
    kind : str
        For ``differs``: the kind of finding, as in :class:`~jitmagic.verify.compare.Finding`.
    detail : str
        A sentence without its full stop, as after "with these arguments".
    max_abs : float or None
    """

    outcome: str
    kind: str = ""
    detail: str = ""
    max_abs: float | None = None

    @property
    def silent(self) -> bool:
        """Whether numbers are wrong without a word."""
        return self.outcome in (DIFFERS, NO_EXCEPTION)


def judge(
    expected: Expected,
    labels: Sequence[str],
    run: Callable[[], tuple[Any, Mapping[str, Any]]],
    movement: Mapping[str, Movement] | None = None,
    floor: Mapping[str, float] | None = None,
) -> Judgement:
    """Runs a variant on a probe and compares.

    Parameters
    ----------
    expected : Expected
        NumPy's answer: taken, or raised.
    labels : sequence of str
    run : callable
        Calls the variant on fresh arguments; returns its result on the host, and the arguments after it by label.
    movement, floor
        As in :func:`jitmagic.verify.compare.compare_call`.
    """
    try:
        result, after = run()
    except (Exception, SystemExit) as error:
        return judge_error(expected, type(error).__name__, str(error))
    if expected.status == RAISED:
        name, text = expected.error or ("an exception", "")
        return Judgement(
            NO_EXCEPTION, "exception", f"NumPy raises {name}{_told(text)}, and this gives {_shown(result)}"
        )
    inputs = count_elements(list(after.values()))
    finding = compare_call(
        expected.result, result, expected.after or {}, after, expected.mutated, inputs, movement, floor
    )
    if finding.ok or (expected.oracle is not None and _as_near_as_numpy(expected, finding, result, after)):
        return Judgement(AGREES, max_abs=finding.max_abs)
    return Judgement(DIFFERS, finding.kind, finding.message, finding.max_abs)


def judge_error(expected: Expected, type_name: str, text: str) -> Judgement:
    """Judges an exception of the variant's."""
    if expected.status == RAISED:
        return Judgement(AGREES)
    return Judgement(RAISES, "exception", f"it raises {type_name}{_told(text)}, where NumPy gives a result")


def _as_near_as_numpy(expected: Expected, finding: Finding, result: Any, after: Mapping[str, Any]) -> bool:
    """Says whether figures in single precision are about as near to the double-precision ones as NumPy's own."""
    if finding.kind not in ("values", "mutated") or expected.oracle is None:
        return False
    wide = _leaves(expected.oracle[0], expected.oracle[1])
    numpy, ours = _leaves(expected.result, expected.after or {}), _leaves(result, after)
    if wide.keys() != numpy.keys() or numpy.keys() != ours.keys():
        return False
    for path, exact in wide.items():
        one, other = numpy[path], ours[path]
        if not one.shape == other.shape == exact.shape or one.dtype != other.dtype:
            return False
        if one.dtype.kind not in "fc":
            if not np.array_equal(one, other):
                return False
            continue
        with np.errstate(all="ignore"):
            if not (np.isfinite(exact) == np.isfinite(other)).all():
                return False
            scale = float(np.abs(exact[np.isfinite(exact)]).max(initial=0.0))
            allowed = _ORACLE_FACTOR * _error(one, exact) + tolerance(one.dtype).absolute_share * scale
            if _error(other, exact) > allowed:
                return False
    return True


def _error(value: np.ndarray[Any, Any], exact: np.ndarray[Any, Any]) -> float:
    gap = np.abs(value.astype(exact.dtype) - exact)
    return float(gap[np.isfinite(gap)].max(initial=0.0))


def _leaves(result: Any, after: Mapping[str, Any]) -> dict[str, np.ndarray[Any, Any]]:
    found = dict(numeric_leaves(result))
    for label, value in after.items():
        found.update(numeric_leaves(value, label))
    return found


def _told(text: str) -> str:
    lines = text.strip().splitlines()
    first = lines[0].strip() if lines else ""
    return f": {first[:120]}" if first else ""


def _shown(value: Any) -> str:
    if isinstance(value, np.ndarray) and value.ndim:
        return f"an array of shape {value.shape}"
    if isinstance(value, np.generic | np.ndarray):
        return str(value.item())[:40]
    text = repr(value)
    return text if len(text) <= 40 else f"a {type(value).__name__}"
