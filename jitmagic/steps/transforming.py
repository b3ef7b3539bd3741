"""Where a derivative or a batch is asked for, it takes the workload's place; the function itself is observed first.

After this step the run has two workloads: ``workload`` is what is compared, with NumPy's differences or loop as its
function; ``given`` is the user's function, of which backends write their variants.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from jitmagic.advice import verdict as verdicts
from jitmagic.errors import BaselineError, WorkerError
from jitmagic.measure import process
from jitmagic.measure.bench import Bench
from jitmagic.steps import observing
from jitmagic.steps.progress import Progress
from jitmagic.transforms import workload as workloads
from jitmagic.transforms.differences import FIRST_STEP, SECOND_STEP
from jitmagic.verify.derivatives import Doubt

if TYPE_CHECKING:
    from jitmagic.gotchas import context
    from jitmagic.steps.run import Run

_CHECK_CALLS = 30
"""About how many calls it takes to find an entry with its error, at most, for each that the baseline makes."""


def transform(run: Run) -> None:
    """Observes the user's function, and puts the transformed one in its place."""
    asked = run.options.transform
    if asked is None:
        return
    whole, own = run.workload, run.bench
    given = workloads.given(asked, whole)
    run.workload, run.bench = given, Bench(given, run.pool, run.options.timeout)
    try:
        observing.observe(run)
        seen = run.seen()
    finally:
        run.bench.close()
        own.close()
    workloads.check_observed(asked, given, seen, run.options.timeout, process.available_memory())
    run.given, run.given_observation = given, seen
    run.observation = None
    run.workload = workloads.transformed(asked, whole, seen)
    run.bench = Bench(run.workload, run.pool, run.options.timeout)
    run.first_key = run.workload.key
    run.known = run.pool.known(run.workload.fingerprint())


def estimate(run: Run) -> None:
    """Finds what the derivative is, and how sure: variants are held against that, and not against the baseline."""
    asked = run.options.transform
    if asked is None or not asked.derives or run.given is None:
        return
    run.progress(Progress("numpy", "checking", 0, 1))
    limit = run.options.timeout + _CHECK_CALLS * run.seen().seconds
    try:
        run.derived = run.bench.derive(
            run.numpy, run.given.function.name, asked.kind == "hessian", asked.argument, limit
        )
    except WorkerError as error:
        raise BaselineError(
            f"how sure the differences of {run.given.function.name} are could not be found: {error}. Take a smaller "
            f"`{asked.argument}`, or a longer --timeout."
        ) from error


def undecided(run: Run, message: str) -> verdicts.Verdict:
    """Words why a variant could be built and not be verified; ``message`` is what the comparison said."""
    derived = run.derived
    if derived is None or not derived.doubts or run.given is None:
        raise RuntimeError("there is no doubt about the derivative")
    asked = run.options.transform
    told = _doubted(derived.doubts[0])
    argument = "the argument" if asked is None else f"`{asked.argument}`"
    return verdicts.Verdict(
        "not verified",
        f"NumPy's differences cannot tell: {told}; {message}",
        f"move {argument} off such places, and compare again; its source is shown",
    )


def _doubted(doubt: Doubt) -> str:
    if doubt.kink:
        sides = f"{doubt.low:.4g} to the one side and {doubt.high:.4g} to the other"
        return f"at {doubt.where} the function has a kink, with {sides}"
    if doubt.low == doubt.high == 0.0:
        return f"at {doubt.where} the function is flat, with no difference that could be told from rounding"
    return f"at {doubt.where} the differences are too inexact"


def asked_derivative(run: Run) -> context.Derived | None:
    """Returns what the rules for derivatives need to know; None where none was asked for."""
    from jitmagic.gotchas.context import Derived

    asked = run.options.transform
    if asked is None or not asked.derives:
        return None
    return Derived(asked.argument, run.derived is not None and any(one.kink for one in run.derived.doubts))


def record(run: Run) -> dict[str, Any] | None:
    """Writes the record's entry; None where nothing was transformed."""
    asked = run.options.transform
    if asked is None or run.given is None:
        return None
    entry: dict[str, Any] = {
        "kind": asked.kind, "argument": asked.argument, "axis": asked.axis, "function": run.given.function.name,
        "baseline": _baseline(run), "uncertainty": None, "baseline_error": None, "entries": None, "undecided": 0,
        "doubts": [],
    }  # fmt: skip
    if run.derived is not None:
        derived = run.derived
        entry |= {
            "uncertainty": derived.relative, "baseline_error": derived.baseline, "entries": derived.entries,
            "undecided": derived.doubtful, "doubts": [_doubted(one) for one in derived.doubts],
        }  # fmt: skip
    return entry


def _baseline(run: Run) -> str:
    asked = run.options.transform
    if asked is None or run.given is None:
        raise RuntimeError("nothing was transformed")
    name = run.given.function.name
    if asked.kind == "vmap":
        return f"a loop in NumPy that calls {name} for each slice of {asked.argument} along axis {asked.axis}"
    step = SECOND_STEP if asked.kind == "hessian" else FIRST_STEP
    return f"central differences in NumPy, with steps of {step:g} of {asked.argument}"
