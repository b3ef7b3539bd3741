"""What NumPy itself gives for a probe: the judge of whether the probe is one, and what others are compared with.

NumPy runs each probe twice, with ``np.empty`` filled with one thing and with another: where that shows in the result,
nothing was determined, and the probe does not count.
"""

from __future__ import annotations

import random
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from jitmagic.observe import entropy
from jitmagic.observe.outside import kept_inside
from jitmagic.same_bits import same_bits
from jitmagic.verify.limits import TooLong, at_most
from jitmagic.verify.probes import GLOBALS, Call, Probe, changed

TAKEN, RAISED, TOO_LONG, UNDETERMINED, NOT_MADE = "taken", "raised", "too long", "undetermined", "not made"
OUTSIDE = "outside"
"""NumPy gave a result; it raised; it took too long; two runs differ; the steps themselves failed; the function was
stopped before it wrote a file or talked over the network, on a way that the user's own arguments do not take."""


class _Outside(Exception):
    """The function would have changed something outside its process."""


@dataclass(frozen=True)
class Expected:
    """NumPy's answer to a probe.

    Attributes
    ----------
    probe : Probe
        With the steps that were taken of those that it offers.
    status : str
        :data:`TAKEN`, :data:`RAISED`, :data:`TOO_LONG`, :data:`UNDETERMINED`, :data:`NOT_MADE` or :data:`OUTSIDE`.
    call : (tuple, dict) or None
        The arguments, untouched.
    result : object
    after : mapping of str to object
        The arguments after the call, by label.
    mutated : tuple of str
    oracle : tuple or None
        ``(result, after)`` of the same call in double precision, for probes that ask for it.
    error : (str, str) or None
        Type and text of what NumPy raised.
    seconds : float
        Of one call.
    """

    probe: Probe
    status: str
    call: Call | None = None
    result: Any = None
    after: Mapping[str, Any] | None = None
    mutated: tuple[str, ...] = ()
    oracle: tuple[Any, Mapping[str, Any]] | None = None
    error: tuple[str, str] | None = None
    seconds: float = 0.0


def seed() -> None:
    """Sets the global generators, and the entropy of new ones, to one state; for processes that are not the user's."""
    entropy.restart()
    random.seed(0)
    np.random.seed(0)


def globals_of(function: Callable[..., Any]) -> dict[str, Any]:
    """Returns the module's names that a function reads, through the wrappers of compilers."""
    for _ in range(10):
        inner = getattr(function, "py_func", None) or getattr(function, "__wrapped__", None)
        if inner is None:
            break
        function = inner
    found: dict[str, Any] = getattr(function, "__globals__", {})
    return found


@contextmanager
def changed_globals(function: Callable[..., Any], steps: Sequence[str]) -> Iterator[None]:
    """Runs steps over a function's globals, and puts back afterwards what they changed."""
    names = globals_of(function)
    before = dict(names)
    scope = {"np": np, **names}
    exec("\n".join(steps), scope)
    try:
        names.update({name: scope[name] for name in before if scope.get(name) is not before[name]})
        yield
    finally:
        names.update(before)


def expect(
    function: Callable[..., Any], probe: Probe, labels: Sequence[str], fresh: Callable[[], Call], limit: float
) -> Expected:
    """Runs NumPy on a probe.

    Parameters
    ----------
    function : callable
        The NumPy function.
    probe : Probe
    labels : sequence of str
        A label an argument.
    fresh : callable
        Returns the user's arguments, new each time.
    limit : float
        Seconds that one call may take.
    """
    first: Expected | None = None
    for steps in (probe.steps, *probe.others):
        answer = _expect(function, _with(probe, steps), labels, fresh, limit)
        if answer.status in (TAKEN, TOO_LONG, UNDETERMINED):
            return answer
        if first is None or (first.status == NOT_MADE and answer.status == RAISED):
            first = answer
    if first is None:
        raise ValueError(f"the probe {probe.name} has no steps")
    return first


def _with(probe: Probe, steps: tuple[str, ...]) -> Probe:
    return replace(probe, steps=steps, others=())


def _expect(
    function: Callable[..., Any], probe: Probe, labels: Sequence[str], fresh: Callable[[], Call], limit: float
) -> Expected:
    steps = () if probe.changes == GLOBALS else probe.steps
    own, labels = labels, probe.labels(labels)

    def make() -> Call:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            return changed(steps, own, fresh(), probe.extra)

    try:
        call = make()
    except Exception:
        return Expected(probe, NOT_MADE)
    try:
        with at_most(2.5 * limit):
            start = time.perf_counter()
            one = _ended(function, probe, labels, make(), 0)
            seconds = time.perf_counter() - start
            two = _ended(function, probe, labels, make(), 1)
    except (TooLong, MemoryError):
        return Expected(probe, TOO_LONG)
    except _Outside:
        return Expected(probe, OUTSIDE)
    if not same_bits(one[:2], two[:2]) or one[2] != two[2]:
        return Expected(probe, UNDETERMINED)
    result, after, error = one
    if error is not None:
        return Expected(probe, RAISED, call, error=error, seconds=seconds)
    before = _labelled(labels, call)
    mutated = tuple(label for label in labels if not same_bits(before[label], after[label]))
    oracle = None
    if probe.oracle:
        doubled = changed([_widened(step) for step in probe.steps], own, make())
        wide = _ended(function, probe, labels, doubled, 0)
        oracle = (wide[0], wide[1]) if wide[2] is None else None
    return Expected(probe, TAKEN, call, result, after, mutated, oracle, None, seconds)


def _ended(
    function: Callable[..., Any], probe: Probe, labels: Sequence[str], call: Call, filling: int
) -> tuple[Any, Mapping[str, Any], tuple[str, str] | None]:
    """Makes a call; returns its result, the arguments after it, and what it raised."""
    args, kwargs = call
    result = None
    with warnings.catch_warnings(), _filled(function, filling), kept_inside("") as attempt:
        warnings.simplefilter("ignore")
        try:
            seed()
            if probe.changes == GLOBALS:
                with changed_globals(function, probe.steps):
                    result = function(*args, **kwargs)
            else:
                result = function(*args, **kwargs)
        except TooLong:
            raise
        except MemoryError:
            raise
        except (Exception, SystemExit) as error:
            return None, {}, (type(error).__name__, str(error)[:500])
    if attempt.refusal is not None:
        raise _Outside(attempt.refusal.reason)
    return result, _labelled(labels, call), None


def _labelled(labels: Sequence[str], call: Call) -> dict[str, Any]:
    args, kwargs = call
    return dict(zip(labels, (*args, *kwargs.values()), strict=True))


def _widened(step: str) -> str:
    """Turns the step to single precision into the step back: the same values, to be computed with in double."""
    return step.replace("np.float32", "np.float64").replace("np.complex64", "np.complex128")


@contextmanager
def _filled(function: Callable[..., Any], filling: int) -> Iterator[None]:
    """Has ``np.empty`` and ``np.empty_like`` fill what they return."""
    plain: dict[str, Callable[..., Any]] = {"empty": np.empty, "empty_like": np.empty_like}

    def filled(make: Callable[..., Any]) -> Callable[..., Any]:
        def made(*args: Any, **kwargs: Any) -> Any:
            array = make(*args, **kwargs)
            if isinstance(array, np.ndarray) and array.dtype.kind in "biufc":
                array[...] = (1 if array.dtype.kind in "biu" else 1.5) if filling else 0
            return array

        return made

    names = globals_of(function)
    patched = {name: filled(make) for name, make in plain.items()}
    own = {key: patched[name] for key, value in names.items() for name, make in plain.items() if value is make}
    before = {key: names[key] for key in own}
    try:
        for name, make in patched.items():
            setattr(np, name, make)
        names.update(own)
        yield
    finally:
        for name, make in plain.items():
            setattr(np, name, make)
        names.update(before)
