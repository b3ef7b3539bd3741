"""Every draft is built and verified, down its ladder until a rung holds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from jitmagic.advice import verdict as verdicts
from jitmagic.backends.foreign import whose
from jitmagic.backends.protocol import Backend, Draft, Failure
from jitmagic.errors import BaselineError, Refusal, WorkerError
from jitmagic.measure.nodes.client import NodeLost
from jitmagic.outcome import Outcome
from jitmagic.steps import room, transforming
from jitmagic.steps.progress import Progress
from jitmagic.steps.writing import own_error
from jitmagic.verify import sensitivity
from jitmagic.verify.compare import Finding

if TYPE_CHECKING:
    from jitmagic.steps.run import Run

_REVISIONS = 20
"""Rungs of a ladder that are tried for one variant."""

_MOVEMENT_SECONDS = 5.0
"""About how long it may take to find by how much NumPy's own result moves."""


def verify(run: Run) -> None:
    """Builds and verifies each variant, going down its ladder until a rung holds."""
    waiting = [one for one in run.outcomes if one.verdict is None]
    # all libraries are imported before the first build, NumPy's too: none of them slows another's clock, and a process
    # that starts its threads beside imports keeps another speed for its life
    ready = {(one.backend, one.device): _ready(run, one) for one in waiting}
    build(run, run.numpy, run.baseline)
    if not run.baseline.verified:
        built = run.baseline.built
        told = built.finding or built.failure if built is not None else None
        if told is None:
            raise BaselineError(f"{run.workload.call} could not be run a second time")
        raise BaselineError(
            f"{run.workload.call} gives another result when it is run again with the same arguments: "
            f"{told.message}. A function whose result depends on time, on random numbers or on what ran before "
            "cannot be compared; pass the random numbers, or a seeded numpy.random.Generator, as an argument."
        )
    transforming.estimate(run)
    for number, outcome in enumerate(waiting):
        if (lost := ready[outcome.backend, outcome.device]) is not None:
            outcome.verdict = lost
            continue
        outcome.verdict = room.check_build(run, outcome)
        if outcome.verdict is not None:
            continue
        descend(run, run.backend_of(outcome), outcome, number, len(waiting))


def _ready(run: Run, outcome: Outcome) -> verdicts.Verdict | None:
    backend = run.backend_of(outcome)
    try:
        run.pool.worker(backend, outcome.device, run.options.timeout)
    except NodeLost as error:
        return verdicts.of_lost_worker(error)
    except WorkerError as error:
        return verdicts.Verdict("unsupported", f"{backend.title} could not be started: {last_line(error)}")
    facts = run.bench.facts(backend, outcome.device)
    libraries = run.elsewhere[outcome.node]["libraries"] if outcome.node else run.libraries
    libraries.update(facts.get("versions", {}))
    if whose(backend) != "jitmagic":
        name, _, version = whose(backend).partition(" ")
        libraries[name] = version
    return None


def descend(run: Run, backend: Backend, outcome: Outcome, number: int, total: int) -> None:
    for _ in range(_REVISIONS):
        failure = build(run, backend, outcome, number, total)
        if failure is None or outcome.draft is None:
            return
        try:
            answer = backend.revise(*run.studied(), outcome.draft, failure)
        except Exception as error:
            answer = own_error(backend, error)
        if isinstance(answer, Refusal):
            outcome.verdict = _judge_failure(run, outcome, failure, answer)
            return
        written = tuple(dict.fromkeys((*answer.written, *run.seen().mutated)))
        outcome.draft = replace(answer, variant=outcome.name, written=written)
    outcome.verdict = verdicts.Verdict("unsupported", f"no form of it worked in {_REVISIONS} tries")


def _judge_failure(run: Run, outcome: Outcome, failure: Failure, refusal: Refusal) -> verdicts.Verdict:
    if failure.stage == "run":
        line = outcome.draft.module.origin_line(failure.line) if outcome.draft is not None else None
        if "MemoryError" in failure.classes:
            return verdicts.of_failure(failure, line)
    return verdicts.of_refusal(refusal)


def build(run: Run, backend: Backend, outcome: Outcome, number: int = 0, total: int = 1) -> Failure | None:
    """Builds one draft; returns its failure, None where there is a finding or a verdict."""
    if outcome.draft is None:
        return None

    def step(name: str) -> None:
        # nothing is compiled for NumPy
        told = "checking" if backend is run.numpy else name
        run.progress(Progress(outcome.name, told, number, total))

    finding, failure = _built(run, backend, outcome, outcome.draft, step)
    if finding is None:
        return failure
    if finding.kind == "undecided":
        outcome.verdict = transforming.undecided(run, finding.message)
        return None
    if not finding.ok and outcome is not run.baseline and _moves_as_much(run, outcome):
        finding, failure = _built(run, backend, outcome, outcome.draft, step)
        if finding is None:
            return failure
        if finding.ok:
            outcome.notes.append(
                f"Its figures are within {finding.max_abs:.1e} of NumPy's, whose own move by {_moves(run):.1e} "
                "where the arguments move by one unit in the last place: no more can be asked."
            )
        else:
            outcome.notes.append(
                f"NumPy's own figures move by {_moves(run):.1e} where the arguments move by one unit in the last "
                "place: they have too few certain digits for any variant to be verified."
            )
    if not finding.ok and outcome is not run.baseline:
        outcome.verdict = verdicts.of_finding(finding)
        _blame(run, outcome, finding.message, finding.kind)
    return None


def unbuilt(outcome: Outcome) -> verdicts.Verdict:
    """Words why a draft that runs elsewhere did not run here."""
    failure = outcome.built.failure if outcome.built is not None else None
    if failure is None:
        return verdicts.Verdict("crashed", "it could not be built")
    return verdicts.of_failure(failure, outcome.draft.module.origin_line(failure.line) if outcome.draft else None)


def _built(
    run: Run, backend: Backend, outcome: Outcome, draft: Draft, step: Callable[[str], None]
) -> tuple[Finding | None, Failure | None]:
    """Has a draft built; returns what was found, or why nothing was; neither where its worker was lost."""
    try:
        outcome.built = run.bench.build(backend, outcome.device, draft, step)
    except WorkerError as error:
        outcome.verdict = verdicts.of_lost_worker(error)
        return None, None
    return outcome.built.finding, outcome.built.failure


def _moves(run: Run) -> float:
    """Returns by how much NumPy's own figures move."""
    return sensitivity.largest(run.movement or {})


def _moves_as_much(run: Run, outcome: Outcome) -> bool:
    """Says whether NumPy's own result moves so much that a variant's difference may be rounding, and allows it."""
    finding = outcome.built.finding if outcome.built is not None else None
    if finding is None or finding.kind not in ("values", "mutated") or finding.max_abs is None:
        return False
    if run.derived is not None and not run.derived.single:
        return False  # what differences move by is their own rounding, and no derivative's
    if run.movement is None:
        seconds = max(run.seen().seconds, 1e-6)
        runs = int(min(sensitivity.RUNS, _MOVEMENT_SECONDS // seconds))
        try:
            timeout = run.options.timeout + 3 * _MOVEMENT_SECONDS
            run.movement = run.bench.movement(run.numpy, timeout, runs=runs) if runs else {}
        except WorkerError as error:
            run.movement = {}
            run.troubles.append(f"by how much NumPy's own result moves could not be found: {last_line(error)}")
        run.bench.allow(run.movement)
    return sensitivity.could_explain(finding.max_abs, run.movement)


def _blame(run: Run, outcome: Outcome, message: str, kind: str) -> None:
    from jitmagic.gotchas.registry import blame

    derived = transforming.asked_derivative(run)
    likely = blame(*run.studied(), outcome.backend, message, kind, run.troubles, derived=derived)
    run.gotchas.extend(likely)
    if likely and outcome.verdict is not None:
        first = likely[0]
        at = f" at line {first.line}" if first.line is not None else ""
        outcome.verdict = replace(
            outcome.verdict, next_step=f"likely {first.code}{at}: {first.message} {first.fix}"
        )


def last_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[-1] if lines else type(error).__name__
