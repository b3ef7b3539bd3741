"""What a comparison has found, written as its record."""

from __future__ import annotations

import datetime
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from jitmagic.advice import algorithms, growth
from jitmagic.advice import verdict as verdicts
from jitmagic.advice.recommendation import Circumstances, recommend
from jitmagic.measure import noise
from jitmagic.measure.answers import KEPT
from jitmagic.measure.nodes.client import Node
from jitmagic.measure.nodes.place import device_of, node_of
from jitmagic.measure.statistics import Interval
from jitmagic.observe import coverage
from jitmagic.observe.amount import bytes_of
from jitmagic.observe.facts import Observation
from jitmagic.outcome import Outcome, describe_value, describe_values, variant_record
from jitmagic.steps import sweeping, transforming

if TYPE_CHECKING:
    from jitmagic.steps.run import Run

SCHEMA = "jitmagic/v1"

_UNSEEDED = (
    "the function makes a random generator without a seed: here it had the same entropy in each run, so that NumPy and "
    "the variants drew the same numbers and were compared value by value; your own calls draw new ones each time"
)


_COLD = (
    "before every timed call the processor's caches were emptied (cold): the times are those of data that was not used "
    "just before"
)


def record(run: Run) -> dict[str, Any]:
    from jitmagic import __version__
    from jitmagic.gotchas.registry import find
    from jitmagic.gotchas.settle import settle

    observed = run.seen()
    for one in (run.baseline, *run.bases.values()):
        if one is run.baseline or (one.verified and one.samples and one.verdict is None):
            one.verdict = verdicts.Verdict("baseline")
    for one in run.outcomes:
        ratio = one.speedup(run.base_of(one).samples)
        if one.verdict is None and ratio is not None:
            one.verdict = verdicts.of_ratio(ratio)
        elif one.verdict is None:
            one.verdict = _without_baseline(run, one)
        if ratio is not None and not ratio.steady:
            one.notes.append(_unsteady(ratio))
    verified: dict[str, list[str]] = {}
    for one in run.outcomes:
        if one.verified and one.draft is not None:
            verified.setdefault(one.backend, []).append(one.draft.form)
    found = [*find(*run.studied(), run.troubles, transforming.asked_derivative(run)), *run.gotchas]
    gotchas = settle(found, {one.backend for one in run.outcomes}, verified)
    workload = run.workload
    arguments = describe_values(workload.argument_names, workload.argument_values(), observed.mutated)
    run.libraries.update(run.bench.facts(run.numpy, "cpu").get("versions", {}))
    swept = sweeping.record(run)
    if swept is None and run.swept is not None:
        run.troubles += [f"no other size was measured: {note}" for note in run.swept.notes]
    record: dict[str, Any] = {
        "schema": SCHEMA,
        "created": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "jitmagic": __version__,
        "status": "interrupted" if run.interrupted else "complete",
        "elapsed": time.monotonic() - run.started,
        "options": {
            "backends": run.options.backends and list(run.options.backends),
            "devices": run.options.devices and list(run.options.devices),
            "budget": run.options.budget,
            "margin": run.options.margin,
            "timeout": run.options.timeout,
            "dtype": run.options.dtype,
            "sweep": run.options.sweep,
            "threads": run.options.threads and list(run.options.threads),
            "python": run.options.python and dict(run.options.python),
            "cold": run.options.cold,
            "calls": run.options.calls,
            "need": run.options.need and list(run.options.need),
            "deploy": run.options.deploy,
            "keep": run.options.keep,
            "on": run.options.on and list(run.options.on),
            "transform": run.options.transform and run.options.transform.text,
        },
        "machine": {**run.machine, "noise": run.noise},
        "devices": _with_backends(run, "", run.devices),
        "machines": [_machine(run, node) for node in run.nodes],
        "libraries": dict(sorted(run.libraries.items())),
        "interpreters": _interpreters(run),
        "workload": {
            "name": workload.function.name,
            "call": workload.call,
            "source": workload.module.text,
            "origin": workload.function.origin,
            "lines": list(workload.module.lines),
            "arguments": arguments,
            "result": _result(observed),
            "notes": [*workload.notes, *([_UNSEEDED] if observed.unseeded else []),
                      *([_COLD] if run.options.cold else []), *_kept(run),
                      *filter(None, [coverage.note(*run.studied())])],
        },
        "baseline": variant_record(run.baseline, run.baseline),
        "variants": [variant_record(one, run.base_of(one), workload, run.baseline) for one in run.outcomes],
        "gotchas": [vars(gotcha) for gotcha in gotchas],
        "recommendation": recommend(
            run.baseline,
            run.outcomes,
            run.options.purpose,
            Circumstances(
                workload.module.text,
                run.libraries,
                observed,
                lambda one: _differentiable(run, one),
                swept,
                [*algorithms.sentences(workload, observed), *growth.dense(observed, workload.module),
                 *growth.steep(swept, run.baseline.name)],
            ),
        ),
        "sweep": swept,
        "transform": transforming.record(run),
        "probing": run.probed_seconds,
        "limits": run.limits,
        "warnings": _warnings(run),
    }
    return record


def _kept(run: Run) -> Iterator[str]:
    kept = [one.name for one in run.outcomes if one.built is not None and one.built.cache == KEPT]
    if kept:
        yield f"not built again: {', '.join(kept)}; their build times are those of the comparison before"


def _differentiable(run: Run, one: Outcome) -> bool:
    tells = getattr(run.backend_of(one), "differentiates", None)
    return tells is not None and one.draft is not None and bool(tells(one.draft))


def _unsteady(ratio: Interval) -> str:
    return (
        f"in nine of ten rounds it had between {ratio.low:.2g} and {ratio.high:.2g} times NumPy's speed, more than is "
        "steady: the interval is that of the rounds, not of their median. Something else was at work on this machine: "
        "wait for it, or hold the libraries to fewer threads with --threads, and run it again"
    )


def _warnings(run: Run) -> list[str]:
    warnings = list(run.troubles)
    for name, told in run.elsewhere.items():
        warnings += [f"on {name}: {one}" for one in noise.warnings(told["noise"])] if told["noise"] else []
    if run.noise is not None:
        warnings += noise.warnings(run.noise)
        if run.noise["others"] is not None:
            # the load counts what we did ourselves a minute ago: what others did meanwhile says more
            return warnings
    load, cores = run.machine.get("load"), run.machine.get("threads")
    if load is not None and cores and load > 0.5 * cores:
        warnings.append(
            f"when this began the load was {load:.1f} on {cores} threads, over half of them: "
            "close other programs and run it again"
        )
    return warnings


def _with_backends(run: Run, node: str, devices: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Lists a machine's devices with the backends that ran there."""
    used: dict[str, list[str]] = {} if node else {"cpu": ["numpy"]}
    for one in run.outcomes:
        device = device_of(one.device)
        if one.node == node and one.built is not None and one.backend not in used.setdefault(device, []):
            used[device].append(one.backend)
    return [{**device, "backends": used.get(device["name"], [])} for device in devices]


def _machine(run: Run, node: Node) -> dict[str, Any]:
    """Describes another machine as the record holds it."""
    told = run.elsewhere[node.name]
    return {
        "name": node.name,
        "address": node.address,
        "machine": {**node.machine, "noise": told["noise"]},
        "devices": _with_backends(run, node.name, node.devices),
        "libraries": dict(sorted(told["libraries"].items())),
        "lost": node.lost,
    }


def _without_baseline(run: Run, one: Outcome) -> verdicts.Verdict:
    """Judges a variant that has times, and nothing to set them against."""
    if not one.node:
        return verdicts.Verdict("stopped", "the baseline was not timed")
    base = run.base_of(one)
    why = base.verdict.reason if base.verdict is not None else ""
    told = f"NumPy was not timed on {one.node}, so that there is nothing to set it against there"
    return verdicts.Verdict("stopped", told + (f" ({why})" if why else ""))


def _interpreters(run: Run) -> list[dict[str, Any]]:
    """Lists the interpreters other than the session's own, for what was started under them."""
    found = []
    for backend, device in run.backends():
        facts = run.bench.facts(backend, device)
        if backend.name in run.pool.pythons and facts and not node_of(device):
            libraries = {**facts.get("versions", {}), "numpy": facts["numpy"]}
            found.append(
                {
                    "backend": backend.name,
                    "path": run.pool.pythons[backend.name],
                    "python": facts["python"],
                    "libraries": dict(sorted(libraries.items())),
                }
            )
    return found


def _result(observed: Observation) -> dict[str, Any]:
    fact = observed.result
    if fact is None:
        return describe_value("result", None)
    entry = describe_value("result", None)
    if fact.kind != "none":
        entry["kind"], entry["dtype"], entry["value"] = fact.kind, fact.dtype, None
        entry["shape"] = None if fact.shape is None else list(fact.shape)
        entry["bytes"] = bytes_of(fact)
    return entry
