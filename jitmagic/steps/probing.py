"""What is verified and timed is compared with NumPy on other arguments."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from jitmagic import figures
from jitmagic.backends import all_backends
from jitmagic.errors import WorkerError
from jitmagic.measure.nodes.client import NodeLost
from jitmagic.measure.probing import Candidate, Probed, Probing, plan
from jitmagic.measure.process import RequestFailed
from jitmagic.outcome import Outcome
from jitmagic.steps.building import last_line
from jitmagic.steps.progress import Progress
from jitmagic.verify import judge, probes, sizes
from jitmagic.verify.judge import Judgement
from jitmagic.verify.movement import Movement
from jitmagic.verify.probes import Inputs, Probe

if TYPE_CHECKING:
    from jitmagic.steps.run import Run

_MOST_SENT = 2**24
"""Bytes of a probe's arrays that are sent to another machine."""


def probe(run: Run) -> None:
    """Compares the variants with NumPy on other arguments, for as long as the timing took at most.

    After the timing, since probes leave a process's memory in another state than a user's calls do.
    """
    workload, base = run.workload, run.baseline.built
    live = [one for one in _to_be_probed(run) if one.samples]
    if not live or base is None:
        return
    for one in live:
        one.probes = list(_sharing(run, one))
    labels = workload.argument_names
    if not probes.usable(labels):
        return
    run.progress(Progress(None, "probing", 0, len(live)))
    probing = Probing(_Asking(run), run.timing_seconds, base.second, run.options.timeout, known=run.known)
    defaults = probes.defaults_of(workload.module.text, workload.function.name, labels)
    inputs = Inputs.of(labels, workload.argument_values(), defaults)
    outcomes = {one.name: one for one in live}
    candidates = [_candidate(run, one) for one in live]
    try:
        short = sizes.small(inputs)
        probing.ask_numpy(
            plan(inputs, workload.module.text, workload.constants),
            None if short is None else inputs.reached(short),
            candidates,
        )
        for number, (candidate, found) in enumerate(probing.probe(candidates), 1):
            run.progress(Progress(candidate.name, "probing", number, len(live)))
            outcome = outcomes[candidate.name]
            outcome.probes = [*(outcome.probes or ()), *found]
    except RequestFailed as error:
        run.troubles.append(
            f"jitmagic itself failed while it tried other arguments ({last_line(error)}): "
            "this is a bug in jitmagic, please report it with your function"
        )
    finally:
        run.probed_seconds = {
            "seconds": probing.spent, "allowed": run.timing_seconds, "taken_over": probing.taken_over
        }  # fmt: skip
    for one in live:
        for probed in one.probes or ():
            if probed.wrong and probed.kind:
                run.gotchas.extend(_probe_gotchas(run, one, probed))


def is_new(run: Run) -> bool:
    """Tells whether there is a variant of which no probe is known yet."""
    return not all(run.known.of(_candidate(run, one)) for one in _to_be_probed(run))


def _to_be_probed(run: Run) -> list[Outcome]:
    if run.derived is not None:
        return []  # at other arguments nobody knows how sure NumPy's differences are
    # with fewer threads it is the same source, and NumPy elsewhere is no variant
    return [
        one
        for one in run.outcomes
        if one.verified and one.built is not None and one.thread_limit is None and one.backend != "numpy"
    ]


def _candidate(run: Run, one: Outcome) -> Candidate:
    """Returns a variant as probing sees it, with all that makes it what it is."""
    if one.built is None or one.draft is None:
        raise ValueError(f"{one.name} was not built")
    backend = run.backend_of(one)
    facts = sorted(run.bench.facts(backend, one.device).items(), key=str)
    return Candidate(
        one.name, one.backend, one.mode, one.built.first, one.built.second,
        by_shape=_trait(one, "compiles_by_shape"), checks_bounds=_trait(one, "checks_bounds"),
        source=repr((backend.runtime, one.device, one.mode, facts, one.draft.module.text)),
    )  # fmt: skip


def share(run: Run) -> None:
    """Gives the rows with fewer threads what their sources were found to do with other arguments."""
    found = {one.name: one.probes for one in run.outcomes if one.thread_limit is None}
    for one in run.outcomes:
        if one.thread_limit is not None and one.verified and one.samples:
            one.probes = found.get(one.unlimited)


def _probe_gotchas(run: Run, outcome: Outcome, probed: Probed) -> Sequence[Any]:
    from jitmagic.gotchas.registry import blame

    return blame(*run.studied(), outcome.backend, probed.detail, probed.kind, run.troubles, probe=probed.name)


def _sharing(run: Run, outcome: Outcome) -> Iterator[Probed]:
    """Yields what a result's memory shares with an argument where NumPy's does not, and the other way round."""
    if outcome.built is None:
        return
    numpy, ours = set(run.seen().aliases_argument), set(outcome.built.shares)
    for label in run.workload.argument_names:
        if (label in numpy) == (label in ours):
            continue
        detail = (
            f"the result is the memory of {label}, so that writing into one changes the other, and NumPy's is "
            f"its own"
            if label in ours
            else f"NumPy's result is a view of {label}, so that writing into one changes the other, and this is "
            f"a copy"
        )
        yield Probed("shared memory", f"what the result shares with {label}", judge.DIFFERS, "identity", detail)


class _Asking:
    """What probing asks, put to the bench."""

    def __init__(self, run: Run) -> None:
        self._run, self._bench, self._numpy = run, run.bench, run.numpy
        self._nodes = {one.name: one.node for one in run.outcomes}

    def own(self) -> tuple[tuple[Any, ...], Mapping[str, float]]:
        return self._bench.own(self._numpy)

    def expect(self, probe: Probe, limit: float) -> Any:
        try:
            return self._bench.expect(self._numpy, probe, limit, 5 * limit + 5.0)
        except RequestFailed:
            raise
        except WorkerError:  # NumPy's own process was lost to these arguments: they are no probe
            return None

    def movement(self, asked: Any) -> Mapping[str, Movement]:
        try:
            return self._bench.movement(self._numpy, 10 * asked.expected.seconds + 5.0, asked)
        except RequestFailed:
            raise
        except WorkerError:  # its neighbours are nothing that NumPy takes
            return {}

    def try_probe(
        self,
        variant: str,
        asked: Any,
        timeout: float,
        movement: Mapping[str, Movement] | None,
        floor: Mapping[str, float] | None,
    ) -> Judgement:
        node = self._nodes[variant]
        if node and asked.parcel is not None and asked.parcel.size > _MOST_SENT:
            # the time to send it is not counted before, and may be any
            told = f"its arrays take {figures.size(asked.parcel.size)}, more than is sent to {node} for a probe"
            return Judgement(judge.NOT_RUN, "", told)
        try:
            return self._bench.try_probe(variant, asked, timeout, movement, floor)
        except NodeLost as error:  # no fault of the variant's
            return Judgement(judge.NOT_RUN, "", str(error))

    def check_bounds(self, variant: str, timeout: float) -> str | None:
        try:
            return self._bench.check_bounds(variant, timeout)
        except NodeLost:  # nothing can be said of it then
            return None


def _trait(outcome: Outcome, name: str) -> bool:
    """Asks a backend for what only some say of themselves; see ``Backend``."""
    trait = getattr(all_backends()[outcome.backend], name, None)
    return bool(trait(outcome.mode)) if trait is not None else False
