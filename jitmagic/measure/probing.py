"""Probes verified variants, after they were timed and for no longer than that took.

NumPy runs a probe first and says whether it is one. Then each variant runs those it has time for: probes of the user's
own dtypes and shapes first, which need no compiling; then those that a compiler has to compile anew for, as long as
its last such probe leaves hope that there is time. What was not run is named.

What an earlier comparison of the same call found of the same source is taken over (:class:`Known`), so that the time
goes to what it had no time for.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from jitmagic.backends.protocol import Backend, Draft, VariantRefusal
from jitmagic.errors import WorkerError
from jitmagic.measure.answers import Asked
from jitmagic.measure.process import RequestFailed, WorkerTimedOut
from jitmagic.observe.facts import Observation
from jitmagic.transforms.transform import Transform
from jitmagic.verify import judge, probes, sizes
from jitmagic.verify.judge import Judgement
from jitmagic.verify.movement import Movement
from jitmagic.verify.probes import GLOBALS, SHAPE, Inputs, Probe
from jitmagic.verify.reference import RAISED, TAKEN
from jitmagic.verify.sensitivity import could_explain

_FOR_NUMPY = 0.3
"""The share of the time that NumPy's own runs may take."""

_PLANNED = 0.9
"""The share of the time that is given out: some compiling takes longer than was guessed."""

_END = 0.97
"""The share of the time at which a request is given up: to end a worker takes a moment."""

_SLOWER = 1.3
"""Compiling for a probe is taken to last so many times as long as it did before."""

_RESTART = 5.0
"""Seconds after which a worker that was lost has its library imported again."""

_SLOW = 0.02
"""Seconds of a NumPy call from which probes are made of short axes, where NumPy takes them."""


_LEAST = 0.1
"""Seconds that a request gets at least."""

_SPENT = "its time was spent"

_MOVES = "NumPy's own figures move as much for one unit in the last place"

_LASTING = (judge.AGREES, judge.DIFFERS, judge.NO_EXCEPTION, judge.RAISES)
"""Outcomes that the next comparison takes over: a process that was lost, or was too slow, is tried again."""

_ROOM = 2**30
"""Bytes of arguments and results that may lie in memory for the workers to read, beyond the last probe's."""


class Asking(Protocol):
    """What probing asks of the workers; see :class:`jitmagic.measure.bench.Bench`, whose NumPy backend is bound."""

    def own(self) -> tuple[tuple[Any, ...], Mapping[str, float]]:
        """Returns the signature of the user's own arguments, and what is rounding in their result."""

    def expect(self, probe: Probe, limit: float) -> Asked | None:
        """Has NumPy run a probe; None where that was lost."""

    def movement(self, asked: Asked) -> Mapping[str, Movement]:
        """Measures NumPy's own movement at a probe; empty where it cannot be."""

    def try_probe(
        self,
        variant: str,
        asked: Asked,
        timeout: float,
        movement: Mapping[str, Movement] | None,
        floor: Mapping[str, float] | None,
    ) -> Judgement:
        """Has a variant run a probe; raises WorkerError where its worker was lost."""

    def check_bounds(self, variant: str, timeout: float) -> str | None:
        """Calls a variant once with checked bounds."""


@dataclass(frozen=True)
class Candidate:
    """A variant that is to be probed.

    Attributes
    ----------
    name, backend, mode : str
    build, run : float
        Seconds that its build and one call took.
    by_shape : bool
        Whether it is compiled anew for arguments of other shapes, and not for other dtypes and layouts only.
    checks_bounds : bool
        Whether a build of it can have its bounds checked.
    source : str
        All that makes it what it is: two candidates of one name and source do the same.
    """

    name: str
    backend: str
    mode: str
    build: float
    run: float
    by_shape: bool = True
    checks_bounds: bool = False
    source: str = ""


@dataclass(frozen=True)
class Probed:
    """One probe of one variant.

    Attributes
    ----------
    name, arguments, outcome, kind, detail : str
        As in the record.
    steps : tuple of str
        Statements that make the arguments.
    global_change : bool
        Whether the steps go between two calls.
    extra : tuple of str
        Parameters that the call passes beside the user's own.
    """

    name: str
    arguments: str
    outcome: str
    kind: str = ""
    detail: str = ""
    steps: tuple[str, ...] = ()
    global_change: bool = False
    extra: tuple[str, ...] = ()

    @property
    def wrong(self) -> bool:
        """Whether it is a finding."""
        return self.outcome not in (judge.AGREES, judge.NOT_RUN)


Key = tuple[str, str, tuple[str, ...]]
"""A probe's name, what it is about, and its steps."""


_BOUNDS: Key = ("bounds checked", "your own arguments, with the bounds of every array checked", ())


@dataclass
class Known:
    """What was found of one call, with the same values as arguments.

    Attributes
    ----------
    refused : set of Key
        Probes that NumPy does not take.
    found : dict
        By a variant's name and source: what came of each probe.
    written : dict
        By backend's name and transformation: what was seen of the call, but for how long it took, the backend, and what
        it wrote.
    """

    refused: set[Key] = field(default_factory=set)
    found: dict[tuple[str, str], dict[Key, Probed]] = field(default_factory=dict)
    written: dict[tuple[str, Transform | None], tuple[Observation, Backend, Sequence[Draft | VariantRefusal]]] = field(
        default_factory=dict
    )

    def of(self, one: Candidate) -> dict[Key, Probed]:
        """Returns what is known of a variant, to be read and added to."""
        return self.found.setdefault((one.name, one.source), {})


@dataclass
class _Purse:
    """The time of one variant, and what probes have cost it so far."""

    until: float
    known: set[Any]
    new_costs: dict[str, float] = field(default_factory=dict)


class Probing:
    """The probes of one workload.

    Parameters
    ----------
    asking : Asking
    allowed : float
        Seconds for all of it.
    numpy_seconds : float
        Of one NumPy call with the user's arguments.
    timeout : float
        Seconds that a variant may take at most for one probe.
    clock : callable
    known : Known, optional
        What earlier comparisons found; it is added to.
    """

    def __init__(
        self,
        asking: Asking,
        allowed: float,
        numpy_seconds: float,
        timeout: float,
        clock: Callable[[], float] = time.monotonic,
        known: Known | None = None,
    ) -> None:
        self._asking, self._allowed, self._timeout, self._clock = asking, allowed, timeout, clock
        self._numpy_seconds = numpy_seconds
        self._start = clock()
        self.asked: list[Asked] = []
        self._known = known or Known()
        self._keys: list[Key] = []
        self._of_asked: list[Key] = []
        self._unasked: dict[Key, Probe] = {}
        self.taken_over = 0
        self._own: tuple[Any, ...] = ()
        self._floor: Mapping[str, float] = {}
        self._laid_down = 0
        self._without_worker: set[str] = set()

    @property
    def spent(self) -> float:
        """Seconds since it began."""
        return self._clock() - self._start

    def ask_numpy(self, plan: Sequence[Probe], base: Probe | None, candidates: Sequence[Candidate] = ()) -> None:
        """Runs NumPy on the probes of a plan, and keeps those that it takes, or refuses in a way that tells.

        Parameters
        ----------
        plan : sequence of Probe
        base : Probe or None
            Short axes, to make the other probes of where a call takes long.
        candidates : sequence of Candidate
            Those that will be probed: what is known of all of them is not asked again.
        """
        self._own, self._floor = self._asking.own()
        limit = min(max(0.5, 3 * self._numpy_seconds), self._timeout)
        steps: tuple[str, ...] = ()
        if base is not None and self._numpy_seconds > _SLOW:
            short = self._expect(base, limit)
            if short is not None and short.expected.status == TAKEN:
                steps = short.expected.probe.steps
        for planned in plan:
            probe = planned if planned.changes == SHAPE else planned.after(steps)
            key = probe.name, probe.about, probe.steps
            if key in self._known.refused:
                continue
            if candidates and all(key in self._known.of(one) for one in candidates):
                self._keys.append(key)
                continue
            cost = self._numpy_seconds * 3 if not steps or probe.changes == SHAPE else 0.0
            if self.spent + cost > _FOR_NUMPY * _PLANNED * self._allowed or self._laid_down > _ROOM:
                self._keys.append(key)
                self._unasked[key] = probe
                continue
            asked = self._expect(probe, limit)
            if asked is None:
                continue
            self._laid_down += asked.parcel.size if asked.parcel is not None else 0
            status = asked.expected.status
            if status == TAKEN or (status == RAISED and probe.refusal):
                self._keys.append(key)
                self._of_asked.append(key)
                self.asked.append(asked)
            else:
                self._known.refused.add(key)

    def _expect(self, probe: Probe, limit: float) -> Asked | None:
        return self._asking.expect(probe, limit)

    def probe(self, candidates: Sequence[Candidate]) -> Iterator[tuple[Candidate, list[Probed]]]:
        """Probes the variants, those that build fastest first: what they leave of their time is for the others."""
        waiting = sorted(candidates, key=lambda one: (one.build + one.run, one.name))
        for number, one in enumerate(waiting):
            share = (_PLANNED * self._allowed - self.spent) / (len(waiting) - number)
            purse = _Purse(self._clock() + max(share, 0.0), {_seen_by(one, self._own)})
            yield one, self._variant(one, purse)

    def _variant(self, one: Candidate, purse: _Purse) -> list[Probed]:
        known = self._known.of(one)
        self.taken_over += sum(key in known for key in (_BOUNDS, *self._keys))
        bounds = known.get(_BOUNDS) or self._bounds(one, purse)
        order = sorted(range(len(self.asked)), key=lambda n: (self.asked[n].signature != self._own, n))
        lost = ""
        made: dict[Key, Probed] = {key: known[key] for key in self._keys if key in known}
        for key, asked in ((self._of_asked[number], self.asked[number]) for number in order):
            if key in made:
                continue
            if lost:
                made[key] = _untold(asked.expected.probe, lost)
                continue
            if self._clock() + self._cost(one, purse, asked) > purse.until:
                made[key] = _untold(asked.expected.probe, _SPENT)
                continue
            began = self._clock()
            made[key] = self._one(one, asked)
            if _seen_by(one, asked.signature) not in purse.known:
                purse.known.add(_seen_by(one, asked.signature))
                changes = asked.expected.probe.changes
                purse.new_costs[changes] = max(purse.new_costs.get(changes, 0.0), self._clock() - began)
            if made[key].outcome in (judge.CRASHED, judge.TIMED_OUT) or one.backend in self._without_worker:
                lost = "its worker was lost to a probe before"
                if made[key].outcome == judge.NOT_RUN:
                    lost = made[key].detail
        made |= {key: _untold(probe, _SPENT) for key, probe in self._unasked.items() if key not in made}
        found = [made[key] for key in self._keys]
        if bounds is not None:
            found.insert(0, bounds)
            made[_BOUNDS] = bounds
        known |= {key: one for key, one in made.items() if one.outcome in _LASTING or one.detail == _MOVES}
        return found

    def _cost(self, one: Candidate, purse: _Purse, asked: Asked) -> float:
        """Guesses how long a probe will take."""
        seconds = min(one.run, 10 * asked.expected.seconds + 1e-3) if asked.signature != self._own else one.run
        if one.backend in self._without_worker:
            seconds += _RESTART + one.build
        if _seen_by(one, asked.signature) in purse.known:
            return seconds
        return seconds + _SLOWER * purse.new_costs.get(asked.expected.probe.changes, one.build)

    def _limit(self, wanted: float) -> float:
        """Returns the seconds after which a request is given up: before the end of the time for all."""
        return max(min(wanted, _END * self._allowed - self.spent), _LEAST)

    def _one(self, one: Candidate, asked: Asked) -> Probed:
        fair = min(self._timeout, 2 * one.build + 20 * one.run + 20 * asked.expected.seconds + 5.0)
        timeout = self._limit(fair)
        self._without_worker.discard(one.backend)
        try:
            judged = self._asking.try_probe(one.name, asked, timeout, None, self._floor)
            of_values = judged.kind in ("values", "mutated") and judged.max_abs is not None
            if judged.outcome == judge.DIFFERS and (of_values or judged.kind == "shape"):
                movement = self._asking.movement(asked)
                if movement and of_values:
                    judged = self._asking.try_probe(one.name, asked, timeout, movement, self._floor)
                judged = settled(judged, asked.expected.probe, movement)
        except RequestFailed:
            raise
        except WorkerTimedOut:
            self._without_worker.add(one.backend)
            detail = f"it did not end within {timeout:.0f} s, where NumPy took {asked.expected.seconds:.2g} s"
            judged = Judgement(judge.TIMED_OUT, "", detail) if timeout >= fair else Judgement(judge.NOT_RUN, "", _SPENT)
        except WorkerError as error:
            self._without_worker.add(one.backend)
            judged = Judgement(judge.CRASHED, "", f"its process was lost: {error}")
        probe = asked.expected.probe
        return Probed(
            probe.name, probe.about, judged.outcome, judged.kind, judged.detail, probe.steps, probe.changes == GLOBALS,
            probe.extra,
        )  # fmt: skip

    def _bounds(self, one: Candidate, purse: _Purse) -> Probed | None:
        """Has the bounds checked once with the user's own arguments."""
        name, about, _ = _BOUNDS
        if not one.checks_bounds:
            return None
        restart = _RESTART + one.build if one.backend in self._without_worker else 0.0
        if self._clock() + restart + _SLOWER * one.build + one.run > purse.until:
            return Probed(name, about, judge.NOT_RUN, detail=_SPENT)
        timeout = self._limit(self._timeout)
        self._without_worker.discard(one.backend)
        try:
            beyond = self._asking.check_bounds(one.name, timeout)
        except WorkerTimedOut:
            self._without_worker.add(one.backend)
            return Probed(name, about, judge.NOT_RUN, detail=_SPENT)
        except WorkerError as error:
            self._without_worker.add(one.backend)
            return Probed(name, about, judge.CRASHED, detail=f"its process was lost: {error}")
        if beyond is None:
            return Probed(name, about, judge.AGREES)
        return Probed(name, about, judge.DIFFERS, "values", f"it reads or writes outside its arrays: {beyond}")


def settled(judged: Judgement, probe: Probe, movement: Mapping[str, Movement]) -> Judgement:
    """Takes back a difference that says nothing: NumPy's own figures move as much by a unit in the last place."""
    if probe.name in probes.EXACT:
        return judged
    # infinite where NumPy's own result has another shape, too: a search that ends at another step
    wild = any(one.size == float("inf") for one in movement.values())
    if judged.outcome == judge.DIFFERS and (wild or could_explain(judged.max_abs, movement)):
        return Judgement(judge.NOT_RUN, detail=_MOVES)
    return judged


def _seen_by(one: Candidate, signature: Any) -> Any:
    """Returns what of a signature makes a compiler compile anew."""
    if one.by_shape or not isinstance(signature, tuple):
        return signature
    if len(signature) == 3 and isinstance(signature[0], str) and isinstance(signature[1], tuple):
        dtype, shape, layout = signature
        return dtype, len(shape), layout
    return tuple(_seen_by(one, part) for part in signature)


def plan(inputs: Inputs, text: str, constants: Mapping[str, Any]) -> list[Probe]:
    """Returns all probes of a workload, the most telling first of each kind, the cheap kinds first."""
    guesses = (
        *probes.of_values(inputs, text, constants),
        *probes.of_globals(constants),
        *sizes.of_sizes(inputs),
        *probes.of_dtype(inputs),
        *probes.of_layout(inputs),
    )
    return [inputs.reached(one) for one in guesses]


def _untold(probe: Probe, why: str) -> Probed:
    return Probed(probe.name, probe.about, judge.NOT_RUN, detail=why, steps=probe.steps)
